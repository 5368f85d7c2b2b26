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

/* One component of the module identify: the first is asked of every device, others only where `when` is true. */
struct identify_ask {
    const struct component_def *def;
    struct expr *when; /* over the names; NULL: always */
};

/* Where the value of a name is. */
struct identify_name {
    unsigned ask, slot;
};

/* Names with a meaning of their own. */
enum identify_known { IDENTIFY_OBJECT_ID, IDENTIFY_DESCR, IDENTIFY_MAC, IDENTIFY_ENGINE_ID, IDENTIFY_KNOWN };
extern const char *const identify_known_names[IDENTIFY_KNOWN];

/* What the module identify asks. Its names in order are the slots of what profiles say of recognition. */
struct identification {
    ARRAY(struct identify_ask) asks; /* the first one's names come first */
    ARRAY(struct identify_name) names;
    unsigned known[IDENTIFY_KNOWN]; /* their slots; UINT_MAX: it has none */
};
/* What a slot is called. */
const char *identify_name(const struct identification *id, unsigned slot);

struct knowledge {
    struct vocabulary vocabulary;
    ARRAY(char *) files; /* every file read, for hashes and messages */
    ARRAY(struct module *) modules;
    const struct module *identify; /* read first of every device: components of kind device with single values */
    struct identification identification;
    ARRAY(const struct trap_def *) traps; /* of all modules, by OID */
    ARRAY(struct profile *) profiles;     /* by priority, then name */
    struct profile_index index;           /* of those */
    ARRAY(struct expr *) texts;           /* the profiles' expressions */
    ARRAY(struct rule *) rules;           /* by family, then severity, gravest first */
    ARRAY(struct holidays *) holidays;
    ARRAY(struct calendar *) calendars;
    ARRAY(struct checklist *) checklists;
    char hash[17]; /* of all files and overrides: each event carries it */
};

void knowledge_free(struct knowledge *k);
/*
 * What is said of a trap; NULL: nothing. A trap of version 1 is called ENTERPRISE.0.SPECIFIC in version 2, whether its
 * MIB has that 0 or not: one that is defined without it is found all the same.
 */
const struct trap_def *knowledge_trap(const struct knowledge *k, const uint32_t *oid, size_t n);
int trap_oid_cmp(const uint32_t *a, size_t na, const uint32_t *b, size_t nb);
const struct profile *knowledge_profile(const struct knowledge *k, const char *name);
const struct rule *knowledge_rule(const struct knowledge *k, const char *name);
const struct calendar *knowledge_calendar(const struct knowledge *k, const char *name);
const struct checklist *knowledge_checklist(const struct knowledge *k, const char *name);
const struct holidays *knowledge_holidays(const struct knowledge *k, const char *name);

#endif
