#ifndef PD_MODEL_PROFILE_H
#define PD_MODEL_PROFILE_H

#include "model/module.h"

/*
 * How to recognise a device and what it then speaks, as data (conf/profiles). Which profile a device gets is decided
 * by its sysObjectID and by what else the module `identify` reads of it.
 */

/* One thing a profile has to read: column `column` of component `component` of module `module`. */
struct profile_source {
    unsigned module, component, column;
};

/* What a profile tells of who a device is. */
enum profile_text { PROFILE_MAKE, PROFILE_MODEL, PROFILE_SERIAL, PROFILE_FIRMWARE, PROFILE_TEXTS };
extern const char *const profile_text_names[PROFILE_TEXTS];

/*
 * A component `identity` of single values in one of its modules: what it tells fills what the profile's own texts
 * leave unknown.
 */
struct profile_identity {
    const struct component_def *def;
    int slots[PROFILE_TEXTS]; /* of its row; -1: it does not tell that */
};

/* How devices of a profile like to be asked, against the settings; zeroes: as the settings say. */
struct profile_quirks {
    uint8_t version; /* 1: in that version only, whatever the credential says */
    bool no_bulk;
    uint16_t max_repetitions;
    int64_t timeout_ms;
    int retries; /* -1: as the settings say */
    uint32_t message_size, max_rows;
    uint16_t in_flight;
    /* Over Modbus; time-out and retries above are for both. */
    bool per_poll, no_gaps;
    int64_t connect_delay_ms, gap_ms;
    uint16_t max_registers;
};

/* Registers that are never asked for over Modbus. */
struct register_hole {
    uint8_t function; /* that reads them: 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers */
    uint16_t first, last;
};

/* A view of a device that is a world of its own; see struct pd_context. One of the two. */
struct profile_context {
    char *name, *each;
};

/* The beginning of an object identifier, by whole numbers. */
struct oid_prefix {
    uint32_t *numbers;
    size_t n;
    struct where where;
};
enum { OID_PREFIX_MAX = 128 };
/* "1.3.6.1" -> numbers (at most OID_PREFIX_MAX), how many there are; 0 where it is none. */
size_t oid_numbers(const char *text, uint32_t numbers[static OID_PREFIX_MAX]);

/* What a profile says under a key, as written, and where: its own, or what it has from another. */
struct profile_saying {
    char *key;     /* "model", "every.status", "snmp.bulk"; "module" and "object_id" once for each */
    char *value;   /* one line */
    char *profile; /* whose word it is */
    struct where where;
    bool replaced; /* that one is of the same name as the profile itself, but was replaced by it */
};

/*
 * A profile may be taken where one of its object_ids is the beginning of the device's and `match` is true; who says
 * only one of them is measured by that alone, and who says neither is had by name only. `match` is over the columns
 * of the identify module, the same for all profiles.
 */
struct profile {
    char *name;
    char *device_class; /* "printer", "switch", … (DOMAIN.md) */
    char *title[LANG_COUNT];
    int priority;
    ARRAY(struct oid_prefix) object_ids;
    const struct expr *match; /* NULL: none. Expressions belong to the knowledge: heirs share them */
    /*
     * Texts over the identify columns; NULL: unknown. Of a profile that another
     * collector reads, over the columns of its own component `identity`.
     */
    const struct expr *texts[PROFILE_TEXTS];
    ARRAY(struct profile_identity) identities; /* in order of the modules */
    const struct component_def *identity;      /* that one; NULL: none, and texts that are always the same */
    ARRAY(const struct module *) modules;
    ARRAY(struct profile_source) sources; /* a source's id is its place here */
    ARRAY(uint8_t) module_contexts;       /* parallel to modules: which of the contexts, counted from 1; 0: none */
    ARRAY(struct profile_context) contexts;
    struct profile_quirks quirks;
    ARRAY(struct register_hole) holes;
    bool by_component;            /* each component is a part of its own, in order: the module identify as a profile */
    int64_t every_ms[PART_COUNT]; /* how often a part is read; 0: as the settings say */
    char *parent;                 /* whom it extends; NULL: nobody */
    ARRAY(struct profile_saying) sayings;
    struct where where, replaces; /* replaces: the one of its name in an earlier folder; without a file there is none */
};
void profile_free(struct profile *p);

/* A profile that a device may get. */
struct profile_candidate {
    const struct profile *profile;
    const struct oid_prefix *prefix; /* the longest that fits; NULL: it names none */
};
struct profile_candidates { /* an ARRAY */
    struct profile_candidate *v;
    size_t n, cap;
};

/* Finds the profiles whose prefix fits without looking at the others. */
struct profile_index {
    ARRAY(struct profile_candidate) prefixes; /* each prefix of each profile, in order of numbers */
    ARRAY(const struct profile *) open;       /* those with a match and no prefix */
};
/* Over profiles that stay where they are; takes them in any order. */
void profile_index_build(struct profile_index *x, struct profile *const *profiles, size_t n);
void profile_index_fini(struct profile_index *x);
/* Whether a candidate's `match` holds for a device, over the names of the module identify: true, false or unknown. */
struct value profile_fits(const struct profile *p, const struct value *row, size_t nrow);
/*
 * Who may have the device that says it is object_id (NULL: it does not say), in the order in which they are asked:
 * by priority, then the longer prefix, then who has a `match`, then by name. The first whose match is true, or
 * that has none, gets it. array_free() the list.
 */
void profile_candidates(const struct profile_index *x, const char *object_id, struct profile_candidates *out);

#endif
