#ifndef PD_MODEL_KNOWLEDGE_H
#define PD_MODEL_KNOWLEDGE_H

#include "model/calendar.h"
#include "model/module.h"
#include "model/patrol.h"
#include "model/profile.h"
#include "model/rule.h"

/*
 * Everything that is knowledge and policy, as loaded from YAML: immutable once
 * loaded, replaced whole by a reload. One per installation.
 */

struct knowledge {
    struct vocabulary vocabulary;
    ARRAY(char *) files; /* every file read, for hashes and messages */
    ARRAY(struct module *) modules;
    const struct module *identify;    /* read first of every device; one component of kind device with scalars */
    unsigned identify_object_id;      /* the slot of its column sysObjectID; UINT_MAX: it has none */
    ARRAY(struct profile *) profiles; /* by priority, then name */
    struct profile_index index;       /* of those */
    ARRAY(struct expr *) texts;       /* the profiles' expressions */
    ARRAY(struct rule *) rules;       /* by family, then severity, gravest first */
    ARRAY(struct holidays *) holidays;
    ARRAY(struct calendar *) calendars;
    ARRAY(struct checklist *) checklists;
    char hash[17]; /* of all files and overrides: each event carries it */
};

void knowledge_free(struct knowledge *k);
const struct profile *knowledge_profile(const struct knowledge *k, const char *name);
const struct rule *knowledge_rule(const struct knowledge *k, const char *name);
const struct calendar *knowledge_calendar(const struct knowledge *k, const char *name);
const struct checklist *knowledge_checklist(const struct knowledge *k, const char *name);
const struct holidays *knowledge_holidays(const struct knowledge *k, const char *name);

#endif
