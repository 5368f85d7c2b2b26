#ifndef PD_CONF_DRAFTS_H
#define PD_CONF_DRAFTS_H

#include "conf/loader.h"

/*
 * A module as it is written (modules.c reads it), before names are looked up
 * (meaning.c does that).
 */
struct column_draft {
    char *name;
    struct yaml_node *here;
    struct yaml_node *address;
    int type;
    struct member_drafts members;
    ARRAY(int64_t) unknown, some, limit;
    double scale;
    ARRAY(double) range;
    ARRAY(struct yaml_node *) units;
};

struct any_draft {
    struct yaml_node *here, *rows, *where;
};

struct rule_of_point {
    char *name;
    struct yaml_node *here, *value;
    ARRAY(struct any_draft) any;
};

struct join_draft {
    char *name;
    struct yaml_node *here, *rows;
    ARRAY(struct yaml_node *) by;
    struct yaml_node *on;
};

enum { AGGREGATES = AGGREGATE_LAST + 1 };
struct aggregate_draft {
    char *name;
    struct yaml_node *here, *rows, *where;
    bool all;
    struct yaml_node *of[AGGREGATES]; /* one of them, by enum aggregate_how */
};

struct computed_draft {
    char *name;
    struct yaml_node *here, *value;
};

struct component_draft {
    char *name;
    struct yaml_node *here, *kind;
    bool table, merge;
    uint8_t part;
    char *base;
    ARRAY(struct yaml_node *) index;
    struct yaml_node *unless;
    ARRAY(struct column_draft) columns;
    ARRAY(struct join_draft) joins;
    ARRAY(struct aggregate_draft) aggregates;
    ARRAY(struct computed_draft) computed;
    struct yaml_node *when, *key, *label;
    ARRAY(struct rule_of_point) points;
};

struct trap_draft {
    char *name;
    struct yaml_node *here, *oid, *severity, *title;
    ARRAY(struct column_draft) values;
    ARRAY(struct yaml_node *) parts;
};
extern const struct schema trap_schema;
extern const struct schema column_schema;

struct module_draft {
    struct yaml_node *name;
    char *collector;
    char *title[LANG_COUNT];
    char *reference;
    ARRAY(struct component_draft) components;
    ARRAY(struct trap_draft) traps;
};

/* A column, of an address that may go on from `base` (NULL: none). What is wrong is complained of; it is one anyway. */
struct column column_build(struct loader *l, const char *base, const struct column_draft *from);

/* ---- shape.c: how rows are written and found ---- */

/* The parts that a component's index is made of. */
void shape_index(struct loader *l, const struct component_draft *from, struct component_def *def);
/* The units that a column takes. */
void shape_units(struct loader *l, const struct column_draft *from, struct column *column);
/* `unless`, as COMPONENT or MODULE.COMPONENT; names are looked up by shape_check() when all modules are built. */
void shape_unless(const struct component_draft *from, const struct module *m, struct component_def *def);
void shape_check_unless(struct loader *l, const struct module_draft *from, const struct module *m);

/* What the module `identify` asks, and of whom: once it is built. */
void identify_build(struct loader *l, const struct module_draft *from, const struct module *m);

/* Traps, once all columns of m are where they stay (traps.c); and all modules' together. */
void traps_build(struct loader *l, const struct module_draft *from, struct module *m);
void traps_index(struct loader *l);

/* What stands over the columns of m, which are built: joins, aggregates, conditions, names, points. */
void meaning_build(struct loader *l, const struct module_draft *from, struct module *m);

#endif
