#ifndef PD_MODEL_KNOWLEDGE_H
#define PD_MODEL_KNOWLEDGE_H

#include "model/calendar.h"
#include "model/module.h"
#include "model/patrol.h"
#include "model/rule.h"

/*
 * Everything that is knowledge and policy, as loaded from YAML: immutable once
 * loaded, replaced whole by a reload. One per installation.
 */

/* One thing a profile has to read: column `column` of component `component` of module `module`. */
struct profile_source {
    unsigned module, component, column;
};

/* How devices of a profile like to be asked over SNMP, against the settings; zeroes: as the settings say. */
struct profile_quirks {
    uint8_t version; /* 1: in that version only, whatever the credential says */
    bool no_bulk;
    uint16_t max_repetitions;
    int64_t timeout_ms;
    int retries; /* -1: as the settings say */
    uint32_t message_size, max_rows;
    uint16_t in_flight;
};

/* A view of a device that is a world of its own; see struct pd_context. One of the two. */
struct profile_context {
    char *name, *each;
};

/*
 * How to recognise a device and what it then speaks. `match` is over the columns
 * of the identify module (name -> value), the same for all profiles. The profile
 * with the highest priority that matches wins; of equals the first by name.
 */
struct profile {
    char *name;
    char *device_class; /* "printer", "switch", … (DOMAIN.md) */
    char *title[LANG_COUNT];
    int priority;
    struct expr *match; /* NULL: only by name */
    /*
     * Texts over the identify columns; NULL: unknown. Of a profile that another
     * collector reads, over the columns of its own component `identity`.
     */
    struct expr *make, *model, *serial, *firmware;
    const struct component_def *identity; /* that one; NULL: none, and texts that are always the same */
    ARRAY(const struct module *) modules;
    ARRAY(struct profile_source) sources; /* a source's id is its place here */
    ARRAY(uint8_t) module_contexts;       /* parallel to modules: which of the contexts, counted from 1; 0: none */
    ARRAY(struct profile_context) contexts;
    struct profile_quirks quirks;
    int64_t every_ms[PART_COUNT]; /* how often a part is read; 0: as the settings say */
    struct where where;
};

struct knowledge {
    struct vocabulary vocabulary;
    ARRAY(char *) files; /* every file read, for hashes and messages */
    ARRAY(struct module *) modules;
    const struct module *identify;    /* read first of every device; one component of kind device with scalars */
    ARRAY(struct profile *) profiles; /* by priority, then name */
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
