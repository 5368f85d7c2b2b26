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
    double scale; /* what the number as read is multiplied by, or divided; 0: nothing */
    bool divide;  /* so that tenths come out as they are written */
    bool limited; /* to [least, most], once it is scaled: beyond it cannot be */
    double least, most;
    struct where where;
};

/* A condition over the rows of another component of the same module, for any(). */
struct row_test {
    unsigned component; /* index into module->components */
    struct expr *where; /* over that component's row */
};

/*
 * A row of another component of the module beside this one: its columns are
 * names in this row's expressions, NAME.COLUMN. It is found by its instance,
 * whole or the beginning of it: the first row that begins so.
 */
struct join {
    char *name;
    unsigned component;      /* index into module->components */
    bool whole;              /* by this row's own instance; else by what `by` gives */
    ARRAY(struct expr *) by; /* whole numbers: its instance from the left; none for a group of single values */
    unsigned first_slot;     /* of its columns among this row's */
};

/* What is reckoned over another component's rows, all or those whose instance begins with this row's: one name more. */
enum aggregate_how {
    AGGREGATE_MEAN,
    AGGREGATE_SUM,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_COUNT,
    AGGREGATE_ANY,
    AGGREGATE_FIRST,
    AGGREGATE_LAST
};
struct aggregate {
    char *name;
    unsigned component;
    enum aggregate_how how;
    /* Over that component's row: a number; of COUNT and ANY a condition; of FIRST and LAST anything but a dictionary's. */
    struct expr *of;
    struct expr *where; /* only rows for which it is true; NULL: each */
    bool all;           /* whatever their instance */
    unsigned slot;
};

/* A name for an expression over what stands before it. */
struct computed {
    char *name;
    struct expr *value;
    unsigned slot;
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
 * number of the row's instance), then `index1` … `index4` (its first four),
 * then the columns of each join, then the aggregates, then what is computed.
 */
enum { ROW_INDEX_SLOTS = 5 };

struct component_def {
    char *name; /* "printer": of the definition, not of what it finds */
    const struct kind *kind;
    bool table;
    bool merge;   /* rows of one key are one component, and not told apart by number */
    uint8_t part; /* which part of a poll reads it; see PART_ */
    /*
     * All parts that read it, as bits: its own; one without a kind is read with
     * those components that ask it, and only then.
     */
    uint8_t parts;
    ARRAY(struct column) columns;
    ARRAY(struct join) joins; /* a join's `by` sees the joins before it */
    ARRAY(struct aggregate) aggregates;
    ARRAY(struct computed) computed;
    size_t nslots;
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
/* The column whose value lies in a slot of the component's rows, joined ones too; NULL where it is no column's. */
const struct column *module_column(const struct module *m, const struct component_def *def, unsigned slot);

#endif
