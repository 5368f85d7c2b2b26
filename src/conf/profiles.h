#ifndef PD_CONF_PROFILES_H
#define PD_CONF_PROFILES_H

#include "base/dict.h"
#include "conf/loader.h"

/* Profiles as they were written (profiles.c), on the way to what holds (heirs.c, which builds them). */

struct profile_draft;

/* A module's name in a list, and whose list it is. */
struct module_word {
    struct yaml_node *node;
    const struct profile_draft *by;
};

struct context_draft {
    struct yaml_node *here;
    char *name, *each;
    ARRAY(struct yaml_node *) modules;
};

struct profile_draft {
    struct yaml_node *root, *name, *extends;
    int device_class; /* -1: not said */
    char *title[LANG_COUNT];
    int priority; /* -1: not said */
    ARRAY(struct yaml_node *) object_ids;
    struct yaml_node *match;
    struct yaml_node *texts[PROFILE_TEXTS];
    ARRAY(struct yaml_node *) modules, add_modules, without_modules;
    int64_t every_ms[PART_COUNT];
    struct profile_quirks quirks;
    int bulk, per_poll, gaps; /* -1: not said */
    ARRAY(struct yaml_node *) holes;
    struct { /* an ARRAY */
        struct context_draft *v;
        size_t n, cap;
    } contexts;

    struct profile_draft *replaced; /* the one of its name in an earlier folder */
    struct profile_draft *parent;   /* whom it extends */
    ARRAY(struct module_word) all_modules;
    enum { HEIR_NEW, HEIR_ASKED, HEIR_DONE } state;
    bool lost; /* its parent is not to be had: what it lacks is not its fault */
};

struct profile_drafts {
    ARRAY(struct profile_draft *) list; /* those that hold */
    struct dict *names;
};

extern const char *const profile_classes[];
extern const struct schema profile_schema, profile_every_schema, profile_snmp_schema, profile_modbus_schema;
/* Whether the draft itself says something under a key, in a section where there is one: the value, or NULL. */
struct yaml_node *profile_word(const struct profile_draft *d, const char *section, const char *key);

/* Puts into the draft what it has from those it extends. Complains of those that are not there, and of circles. */
void profile_inherit(struct loader *l, struct profile_draft *d);
/* What may not be asked for over Modbus (holes.c). */
void profile_add_holes(struct loader *l, const struct profile_draft *from, struct profile *p);
/* What holds for a profile and where it was said. */
void profile_say(struct loader *l, const struct profile_draft *d, struct profile *p);

#endif
