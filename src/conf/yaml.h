#ifndef PD_CONF_YAML_H
#define PD_CONF_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/array.h"

struct conf_report;

/*
 * A YAML file as a tree of nodes that know where they stand. What we read is
 * the plain part of YAML: texts, lists and maps with texts as keys, UTF-8 only.
 * Anchors, aliases, merge keys, tags, several documents and keys given twice
 * are refused in words: they hide from the reader what a file says.
 */
enum yaml_type { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_pair {
    struct yaml_node *key; /* of type YAML_TEXT; bad where the file has none that can be a key */
    struct yaml_node *value;
};

struct yaml_node {
    enum yaml_type type;
    bool quoted;   /* quoted or a block: a text, whatever it looks like */
    bool bad;      /* already complained about: say no more of it */
    int line, col; /* from 1; columns count characters */
    const struct yaml_file *file;
    char *text; /* of YAML_TEXT: valid UTF-8 without NUL */
    ARRAY(struct yaml_node *) items;
    ARRAY(struct yaml_pair) pairs; /* in order of the file */
};

struct yaml_file {
    char *path; /* as it was given: for messages */
    char *data; /* the text itself */
    size_t n;
    struct yaml_node *root; /* an empty file has an empty text */
};

/* No file of ours comes near these; more is an error, never a burden. */
enum { YAML_MAX_BYTES = 4 << 20, YAML_MAX_DEPTH = 32, YAML_MAX_NODES = 200000 };

/*
 * Reads a file. 0 and *out (free with yaml_file_free) if there is a tree to go on
 * with, although the report may hold complaints about it: so that one load
 * tells every error. PD_EINVAL if it is not YAML at all, or an errno's cause.
 */
int yaml_load(const char *path, struct yaml_file **out, struct conf_report *report);
/* The same with the n bytes at data; path is only for messages. */
int yaml_parse(const char *path, const char *data, size_t n, struct yaml_file **out, struct conf_report *report);
void yaml_file_free(struct yaml_file *f);

/* The value of a key, or NULL; also NULL where map is no map. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* Nothing was written: an empty value, `~` or `null`. */
bool yaml_is_empty(const struct yaml_node *node);

/*
 * Where byte `offset` of a text's content stands in the file, following quotes,
 * indents and folded lines; the text's start where escapes make that impossible.
 */
void yaml_locate(const struct yaml_node *text, size_t offset, int *line, int *col);

/* The n-th line of the file (from 1) without its end; *len bytes, 0 beyond the last. */
const char *yaml_line(const struct yaml_file *f, int line, size_t *len);

#endif
