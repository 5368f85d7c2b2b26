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

    COLUMN_FLAGS,   /* integer, bit 0 is the lowest, or text of 0 and 1, bit 0 is the first */
    COLUMN_MEASURE, /* text that begins with a number, and its unit */
    COLUMN_IP,      /* 4 or 16 octets, or text -> "192.0.2.1", "2001:db8::1" */
    COLUMN_DATE,    /* DateAndTime (RFC 2579) -> ISO 8601 */
};

/* A raw number that is no number. */
struct sentinel {
    int64_t raw;
    enum quality quality;
};

/* A unit that a measure may have; nothing else is compared than letters as they are written. */
struct unit_name {
    char *name;
    double factor; /* what a number of this unit is multiplied by */
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
    ARRAY(struct unit_name) units; /* of MEASURE; none: any unit will do */
    struct where where;
};

/* What a part of a row's instance is, as SMIv2 (RFC 2578, 7.7) writes it into numbers. */
enum index_type {
    INDEX_INT,
    INDEX_MAC,         /* six octets */
    INDEX_STRING,      /* its length, then its octets */
    INDEX_IMPLIED,     /* octets up to the end */
    INDEX_IPV4,        /* four octets */
    INDEX_INET,        /* InetAddressType, then InetAddress: a length, and octets */
    INDEX_OCTETS,      /* a fixed number of octets; 0: their length, then octets -> as COLUMN_HEX */
    INDEX_OID,         /* its length, then its numbers */
    INDEX_OID_IMPLIED, /* numbers up to the end */
};
struct index_part {
    char *name; /* of a slot: the parts stand behind the first ROW_INDEX_SLOTS, in order */
    enum index_type type;
    unsigned size; /* of OCTETS */
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
    unsigned component;       /* index into module->components */
    bool whole;               /* by this row's own instance; else by what `by` or `on` gives */
    ARRAY(struct expr *) by;  /* whole numbers: its instance from the left; none for a group of single values */
    ARRAY(struct join_on) on; /* or the first row of which all of these are true */
    unsigned first_slot;      /* of its slots among this row's: all that component_shared() counts */
};
struct join_on {
    unsigned slot;      /* of the other row */
    struct expr *value; /* over this row: what it is there */
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
 * number of the row's instance), then `index1` … `index4` (its first four), then
 * the parts of its index, then what each join has, then the aggregates, then
 * what is computed.
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
    ARRAY(struct index_part) index; /* none: an instance is as it comes */
    ARRAY(struct join) joins;       /* a join's `by` sees the joins before it */
    ARRAY(struct aggregate) aggregates;
    ARRAY(struct computed) computed;
    size_t nslots;
    /* It has no rows in a read in which that one has; both names NULL: always. */
    char *unless_module, *unless_component;
    struct expr *when;  /* a row is a component only when true; NULL: always */
    struct expr *key;   /* text or number; NULL or unknown: the instance, dotted */
    struct expr *label; /* as people call it; NULL: the key */
    ARRAY(struct point_rule) points;
    struct where where;
};

/* A value that a trap brings along, by a name of its own: what a column says, found by the column's address. */
struct trap_value {
    char *name;
    const struct column *column; /* of a component of the module, or of trap_def.own */
};

/*
 * What a trap means to people, and which parts of its device it makes due. It is told by its OID as version 2 has it;
 * see knowledge_trap().
 */
enum { TRAP_MAX_OID = 128 };
struct trap_def {
    char *name;    /* "link-down": the code, unique among all modules */
    uint32_t *oid; /* noid numbers */
    size_t noid;
    const char *severity;    /* of member_severities */
    char *title[LANG_COUNT]; /* with the values' names in braces */
    ARRAY(struct trap_value) values;
    ARRAY(struct column) own;
    uint8_t parts;
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
    ARRAY(struct trap_def) traps;
    struct where where;
};

void module_free(struct module *m);
/* How many slots other components see of a row: columns and index; all, where it has no kind and so asks nobody itself. */
size_t component_shared(const struct component_def *def);
/* The column whose value lies in a slot of the component's rows, joined ones too; NULL where it is no column's. */
const struct column *module_column(const struct module *m, const struct component_def *def, unsigned slot);

#endif
