#ifndef PD_MODEL_MODULE_H
#define PD_MODEL_MODULE_H

#include "base/array.h"
#include "expr/expr.h"
#include "model/vocabulary.h"

/*
 * What one MIB or register map tells, as data (conf/modules): components, each
 * with columns (sources: where to read) and points (rules of meaning over the
 * columns of a row). watch/normalise turns cells into points by these alone.
 */

struct where {  /* a place in a configuration file, for messages */
    char *file; /* shared, owned by the knowledge */
    int line, col;
};

enum column_type {
    COLUMN_INT,
    COLUMN_NUM,
    COLUMN_TEXT, /* bytes -> clean UTF-8 */
    COLUMN_ENUM, /* integer with members */
    COLUMN_BITS, /* octets, bit 0 is the top bit of the first octet (RFC 2578 BITS order) */
    COLUMN_OID,  /* object identifier -> dotted text */
    COLUMN_HEX,  /* octets -> "00:11:22" (addresses) */
};

/* A raw number that is no number. */
struct sentinel {
    int64_t raw;
    enum quality quality;
};

struct column {
    char *name;
    enum column_type type;
    char *address; /* in the collector's language */
    struct members members;
    ARRAY(struct sentinel) sentinels;
    struct where where;
};

/* A condition over the rows of another component of the same module, for any(). */
struct row_test {
    unsigned component; /* index into module->components */
    struct expr *where; /* over that component's row */
};

struct point_rule {
    unsigned slot; /* in the kind */
    /*
     * Exactly one of the two. `value` is over the row. `any` is a three-valued OR
     * of tests over this row (value_any) and over rows of other tables whose
     * instance begins with this row's instance: true as soon as one is, false
     * only if something was read that says so.
     */
    struct expr *value;
    ARRAY(struct expr *) any_here;
    ARRAY(struct row_test) any_rows;
    struct where where;
};

/*
 * Slots of a row's expressions: the columns in order, then `index` (the last
 * number of the row's instance), then `index1` … `index4` (its first four).
 */
enum { ROW_INDEX_SLOTS = 5 };

struct component_def {
    const struct kind *kind;
    bool table;
    uint8_t part; /* which part of a poll reads it; see PART_ */
    ARRAY(struct column) columns;
    struct expr *when;  /* a row is a component only when true; NULL: always */
    struct expr *key;   /* text or number; NULL or unknown: the instance, dotted */
    struct expr *label; /* as people call it; NULL: the key */
    ARRAY(struct point_rule) points;
    struct where where;
};

/* Parts of a poll, each with a rate of its own (settings: poll.every.NAME). */
enum { PART_STATUS, PART_COUNTERS, PART_SUPPLIES, PART_INVENTORY, PART_COUNT };
extern const char *const part_names[PART_COUNT + 1]; /* ended by NULL */

struct module {
    char *name;      /* "printer-mib" */
    char *collector; /* "snmp" */
    char *title[LANG_COUNT];
    char *reference; /* "RFC 3805" */
    ARRAY(struct component_def) components;
    struct where where;
};

void module_free(struct module *m);

#endif
