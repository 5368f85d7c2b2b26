#ifndef PD_WATCH_PLAN_H
#define PD_WATCH_PLAN_H

#include "base/array.h"
#include "watch/normalise.h"

/* What a profile's modules come to: the sources to read, and where each one's cells belong. */

/* A column that a source fills: several may be read from one address. */
struct use {
    uint32_t table, column;
    const struct column *def;
    bool plain; /* whole numbers are taken as they are */
};

/* What a point's rule needs beside its expression. */
struct point_plan {
    const struct point_def *def;
    const struct expr *value;        /* as the rule has it; NULL: one of several conditions */
    uint16_t main_slot;              /* the first column that it reads, or what else it does, among the slots of all
                                      * tables; VALUE_NO_SLOT: nothing */
    const struct column *dictionary; /* its members are numbered otherwise than the point's; NULL: alike */
    uint16_t place;                  /* where it stands among the points that are told of its kind */
    uint8_t type;                    /* as def has it: of what most are it is all that is asked */
};

/* Which points of a kind the modules tell, by slot. */
struct told {
    const struct kind *kind;
    ARRAY(uint16_t) slots;
};

struct table_plan {
    const struct module *module;
    const struct component_def *def;
    uint32_t first_of_module;  /* the module's tables stand together */
    uint32_t first_slot;       /* of its row among the slots of all tables */
    uint8_t context;           /* of its module: see struct pd_source */
    bool asks;                 /* its rows ask others, or compute something: beside_ask() */
    uint32_t first_join;       /* of its joins among those of all tables */
    uint32_t instead;          /* the table that it gives way to; or NO_TABLE */
    uint32_t told;             /* what is told of its kind: place in normaliser.told; of those that have one */
    struct point_plan *points; /* parallel to def->points */
};

enum { NO_TABLE = UINT32_MAX };

/* A slot of a table's row among those of all tables. */
static inline uint16_t plan_slot(const struct table_plan *table, uint32_t slot)
{
    bool has = slot != VALUE_NO_SLOT && table->first_slot + slot < VALUE_NO_SLOT;

    return has ? (uint16_t)(table->first_slot + slot) : (uint16_t)VALUE_NO_SLOT;
}

struct normaliser {
    ARRAY(struct table_plan) tables;
    ARRAY(uint32_t) order;   /* of those that find components: as they stand, but each behind what it gives way to */
    ARRAY(struct told) told; /* for each kind */
    size_t njoins;
    ARRAY(struct pd_source) sources;
    ARRAY(uint32_t) use_at; /* of each source: its first place in uses; one more at the end */
    ARRAY(struct use) uses;
    struct harvest *harvest; /* of the batch that is being reckoned out */
};

#endif
