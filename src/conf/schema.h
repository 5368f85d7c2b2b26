#ifndef PD_CONF_SCHEMA_H
#define PD_CONF_SCHEMA_H

#include <stddef.h>

#include "conf/report.h"
#include "conf/yaml.h"

/*
 * What a YAML section may hold, as a table: one row a key, read straight into
 * the fields of a struct. Reading reports every error of the section and goes
 * on. A section that is read twice (conf.d/) is overridden key by key; lists
 * are appended to, and an entry of a map replaces the one of its name.
 *
 *     static const struct schema_row host_rows[] = {
 *         {"address", SCHEMA_TEXT, SCHEMA_REQUIRED, SCHEMA_FIELD(struct host, address)},
 *         {"port", SCHEMA_INT, .min = 1, .max = 65535, .fallback = "161", SCHEMA_FIELD(struct host, port)},
 *         {0},
 *     };
 *     static const struct schema host_schema = {.what = "a host", .rows = host_rows, .size = sizeof(struct host)};
 */
enum schema_type {
    SCHEMA_END,      /* closes a table */
    SCHEMA_TEXT,     /* char *; min, max: its length in bytes; not empty unless SCHEMA_EMPTY_OK */
    SCHEMA_INT,      /* any signed or unsigned integer field */
    SCHEMA_NUM,      /* double */
    SCHEMA_BOOL,     /* bool: true or false */
    SCHEMA_DURATION, /* int64_t milliseconds: "5m" */
    SCHEMA_ENUM,     /* any integer field: index in names */
    SCHEMA_LOCAL,    /* char *[LANG_COUNT]: "text" or {en: text, zh_CN: 文本}; a plain text is the English one */
    SCHEMA_SECTION,  /* the struct of sub, in place */
    SCHEMA_LIST,     /* ARRAY(T) of `item`s; of sections: T is the struct of sub */
    SCHEMA_MAP, /* ARRAY(T) of sections by name: T is the struct of sub, which takes the name by a SCHEMA_NAME row */
    SCHEMA_TEXT_NODE, /* struct yaml_node *, a text to be understood later (an expression); borrowed from the file */
    SCHEMA_NODE,      /* struct yaml_node *, anything, to be understood later */
    SCHEMA_CUSTOM,    /* by read() */
    /* Filled from the section itself; they have no key. */
    SCHEMA_NAME, /* char *: the section's name in its map */
    SCHEMA_HERE, /* struct yaml_node *: what to blame for the whole section; its name in a map */
};

enum schema_flag { SCHEMA_REQUIRED = 1, SCHEMA_EMPTY_OK = 2 };

struct schema;

struct schema_row {
    const char *key;
    enum schema_type type;
    unsigned flags;
    size_t offset, size;
    double min, max;          /* no limits where both are 0 */
    const char *fallback;     /* the value where the key is absent, as one would write it */
    const char *const *names; /* of SCHEMA_ENUM; ended by NULL */
    const struct schema *sub;
    enum schema_type item;
    /* Of SCHEMA_CUSTOM: reads node into the field, complaining into the report. */
    void (*read)(struct yaml_node *node, void *field, struct conf_report *report);
    void (*release)(void *field); /* frees what read() put there; may be NULL */
};

#define SCHEMA_FIELD(T, f) .offset = offsetof(T, f), .size = sizeof(((T *)0)->f)

struct schema {
    const char *what; /* with its article, for messages: "a host" */
    const struct schema_row *rows;
    size_t size;           /* of the struct */
    const char *shorthand; /* a plain text instead of a section stands for this key; may be NULL */
    /* Puts what no fallback can say into a zeroed section; may be NULL. */
    void (*init)(void *section);
    /* What no row can say, once a section is read without error; may be NULL. */
    void (*check)(void *section, struct yaml_node *here, struct conf_report *report);
};

/* Puts every fallback into a zeroed struct. Entries of lists and maps get theirs when they are read. */
void schema_defaults(const struct schema *s, void *section);
/* Reads a node into a struct. Complaints go to the report; what could be read is there in any case. */
void schema_read(const struct schema *s, struct yaml_node *node, void *section, struct conf_report *report);
/* Frees everything that the rows put there, and zeroes those fields. */
void schema_release(const struct schema *s, void *section);

/* A text as written, checked against a table of names; complains and gives -1 if it is none of them. */
int schema_name(struct yaml_node *node, const char *const *names, struct conf_report *report);
/* A text in languages, as of SCHEMA_LOCAL. */
void schema_local(struct yaml_node *node, char *texts[LANG_COUNT], struct conf_report *report);
/* A time of the day, HH:MM, as minutes; complains and gives 0 if it is none. */
int schema_clock(struct yaml_node *node, struct conf_report *report);
/* A text node's content as an integer within limits; complains and gives false if it is none. */
bool schema_int(struct yaml_node *node, int64_t min, int64_t max, int64_t *out, struct conf_report *report);

#endif
