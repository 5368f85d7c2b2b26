#include "conf/yaml.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/dict.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/report.h"

/* A tree under construction. */
struct builder {
    yaml_parser_t parser;
    struct yaml_file *file;
    struct conf_report *report;
    size_t nodes;
    unsigned depth;
};

static void node_free(struct yaml_node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->items.n; i++)
        node_free(node->items.v[i]);
    for (size_t i = 0; i < node->pairs.n; i++) {
        node_free(node->pairs.v[i].key);
        node_free(node->pairs.v[i].value);
    }
    array_free(&node->items);
    array_free(&node->pairs);
    free(node->text);
    free(node);
}

void yaml_file_free(struct yaml_file *f)
{
    if (!f)
        return;
    node_free(f->root);
    free(f->path);
    free(f->data);
    free(f);
}

/* ---- Positions ---- */

static bool is_break(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || is_break(c);
}

const char *yaml_line(const struct yaml_file *f, int line, size_t *len)
{
    const char *p = f->data, *end = f->data + f->n, *stop;

    for (; line > 1 && p < end; line--) {
        while (p < end && !is_break(*p))
            p++;
        if (p < end)
            p += *p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1;
    }
    if (line != 1 || p == end) {
        *len = 0;
        return NULL;
    }
    for (stop = p; stop < end && !is_break(*stop); stop++)
        continue;
    *len = (size_t)(stop - p);
    return p;
}

/* The byte where a node begins; NULL if the file ends before. */
static const char *node_start(const struct yaml_node *node)
{
    size_t len, i = 0;
    const char *s = yaml_line(node->file, node->line, &len);

    if (!s)
        return NULL;
    for (int col = 1; col < node->col && i < len; col++) {
        i++;
        while (i < len && ((unsigned char)s[i] & 0xc0) == 0x80)
            i++;
    }
    return s + i;
}

static void place_of(const struct yaml_file *f, const char *at, int *line, int *col)
{
    *line = *col = 1;
    for (const char *p = f->data; p < at; p++) {
        if (*p == '\n' || (*p == '\r' && p[1] != '\n')) {
            (*line)++;
            *col = 1;
        } else if (((unsigned char)*p & 0xc0) != 0x80) {
            (*col)++;
        }
    }
}

/* Follows the text's content through the file; NULL where they differ. */
static const char *walk_content(const struct yaml_node *text, size_t offset, const char *p, const char *end)
{
    char quote = *p == '\'' || *p == '"' ? *p : '\0';
    const char *t = text->text, *stop = t + offset;

    if (quote)
        p++;
    else if (text->quoted) /* a block: its content starts on the next line */
        while (p < end && !is_break(*p))
            p++;
    while (p < end && (is_space(*p) && !is_space(*t)))
        p++;
    while (t < stop && p < end) {
        if (is_space(*t) && is_space(*p)) {
            while (is_space(*t))
                t++;
            while (p < end && is_space(*p))
                p++;
        } else if (*t == *p && !(quote == '"' && *p == '\\')) {
            if (quote == '\'' && *p == '\'')
                p++;
            t++;
            p++;
        } else {
            return NULL;
        }
    }
    return p;
}

void yaml_locate(const struct yaml_node *text, size_t offset, int *line, int *col)
{
    const char *start = node_start(text), *at = NULL;

    *line = text->line;
    *col = text->col;
    if (start && text->type == YAML_TEXT && offset <= strlen(text->text))
        at = walk_content(text, offset, start, text->file->data + text->file->n);
    if (at)
        place_of(text->file, at, line, col);
}

/* ---- Building ---- */

static struct yaml_node *node_new(struct builder *b, enum yaml_type type, yaml_mark_t mark)
{
    struct yaml_node *node = xcalloc(1, sizeof *node);

    node->type = type;
    node->file = b->file;
    node->line = (int)mark.line + 1;
    node->col = (int)mark.column + 1;
    return node;
}

/* An error that libyaml found. Those of its reader come with a byte only. */
static void report_syntax(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    const char *at;
    int line = (int)p->problem_mark.line + 1, col = (int)p->problem_mark.column + 1;
    struct yaml_node place = {.file = b->file, .line = line, .col = col};

    if (p->error == YAML_READER_ERROR)
        place_of(b->file, b->file->data + (p->problem_offset < b->file->n ? p->problem_offset : b->file->n), &line,
                 &col);
    at = node_start(&place);
    if (at && *at == '\t')
        conf_error_at(b->report, b->file, line, col, 1, "a tab cannot indent in YAML: use spaces");
    else
        conf_error_at(b->report, b->file, line, col, 1, "%s%s%s", p->problem ? p->problem : "this is not YAML",
                      p->context ? ", " : "", p->context ? p->context : "");
}

static bool next_event(struct builder *b, yaml_event_t *event)
{
    if (yaml_parser_parse(&b->parser, event))
        return true;
    report_syntax(b);
    return false;
}

static void refuse(struct builder *b, yaml_mark_t mark, const char *what)
{
    conf_error_at(b->report, b->file, (int)mark.line + 1, (int)mark.column + 1, 1, "%s", what);
}

static void refuse_properties(struct builder *b, const yaml_event_t *event, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
    if (anchor)
        refuse(b, event->start_mark, "anchors (&name) are not supported: write each value out");
    if (tag)
        refuse(b, event->start_mark, "tags (!name) are not supported: the type follows from the key");
}

static struct yaml_node *build_node(struct builder *b, yaml_event_t *event);

static struct yaml_node *build_text(struct builder *b, const yaml_event_t *event)
{
    struct yaml_node *node = node_new(b, YAML_TEXT, event->start_mark);
    const char *s = (const char *)event->data.scalar.value;
    size_t n = event->data.scalar.length;

    refuse_properties(b, event, event->data.scalar.anchor, event->data.scalar.tag);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = xstrndup(s, n);
    if (memchr(s, '\0', n))
        conf_error(b->report, node, "a text cannot contain the character NUL");
    return node;
}

static struct yaml_node *build_list(struct builder *b, const yaml_event_t *start)
{
    struct yaml_node *node = node_new(b, YAML_LIST, start->start_mark);

    refuse_properties(b, start, start->data.sequence_start.anchor, start->data.sequence_start.tag);
    for (;;) {
        yaml_event_t event;
        struct yaml_node *item;

        if (!next_event(b, &event))
            goto fail;
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return node;
        }
        item = build_node(b, &event);
        if (!item)
            goto fail;
        array_push(&node->items, item);
    }
fail:
    node_free(node);
    return NULL;
}

/* Refuses a key that cannot be one, or was there before. It is a text afterwards: an empty one if it was none. */
static void check_key(struct builder *b, struct dict *seen, struct yaml_node *key)
{
    const struct yaml_node *first;

    if (key->bad)
        return;
    if (key->type != YAML_TEXT) {
        conf_error(b->report, key, "a key must be a text");
        key->type = YAML_TEXT;
        key->text = xstrdup("");
        return;
    }
    if (!key->quoted && str_eq(key->text, "<<")) {
        conf_error(b->report, key, "merge keys (<<) are not supported: write each value out");
        return;
    }
    first = dict_get(seen, key->text);
    if (first)
        conf_error(b->report, key, "key '%s' is given twice (first in line %d)", key->text, first->line);
    else
        dict_put(seen, key->text, key);
}

static struct yaml_node *build_map(struct builder *b, const yaml_event_t *start)
{
    struct yaml_node *node = node_new(b, YAML_MAP, start->start_mark);
    struct dict *seen = dict_new();

    refuse_properties(b, start, start->data.mapping_start.anchor, start->data.mapping_start.tag);
    for (;;) {
        struct yaml_pair pair = {0};
        yaml_event_t event;

        if (!next_event(b, &event))
            goto fail;
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            dict_free(seen);
            return node;
        }
        pair.key = build_node(b, &event);
        if (!pair.key)
            goto fail;
        check_key(b, seen, pair.key);
        if (next_event(b, &event))
            pair.value = build_node(b, &event);
        if (!pair.value) {
            node_free(pair.key);
            goto fail;
        }
        array_push(&node->pairs, pair);
    }
fail:
    dict_free(seen);
    node_free(node);
    return NULL;
}

/* Takes the event over. NULL when nothing more can be read, with the reason in the report. */
static struct yaml_node *build_node(struct builder *b, yaml_event_t *event)
{
    struct yaml_node *node = NULL;

    if (++b->nodes > YAML_MAX_NODES) {
        refuse(b, event->start_mark, "too many values in one file");
    } else if (++b->depth > YAML_MAX_DEPTH) {
        refuse(b, event->start_mark, "nested too deeply");
    } else if (event->type == YAML_SCALAR_EVENT) {
        node = build_text(b, event);
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        node = build_list(b, event);
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        node = build_map(b, event);
    } else { /* an alias: nothing else can stand here */
        refuse(b, event->start_mark, "aliases (*name) are not supported: write each value out");
        node = node_new(b, YAML_TEXT, event->start_mark);
        node->text = xstrdup("");
        node->bad = true;
    }
    if (node)
        b->depth--;
    yaml_event_delete(event);
    return node;
}

/* The stream: at most one document. */
static void build(struct builder *b)
{
    for (;;) {
        yaml_event_t event;
        yaml_event_type_t type;
        yaml_mark_t mark;

        if (!next_event(b, &event))
            return;
        type = event.type;
        mark = event.start_mark;
        if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT ||
            type == YAML_ALIAS_EVENT) {
            b->file->root = build_node(b, &event);
            if (!b->file->root)
                return;
            continue;
        }
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT)
            break;
        if (type == YAML_DOCUMENT_START_EVENT && b->file->root) {
            refuse(b, mark, "a file holds one document: no second '---'");
            return;
        }
    }
    if (!b->file->root) {
        b->file->root = node_new(b, YAML_TEXT, (yaml_mark_t){0});
        b->file->root->text = xstrdup("");
    }
}

/* Finds the first character that is not UTF-8. */
static void report_encoding(const struct yaml_file *f, struct conf_report *report)
{
    const char *p = f->data, *end = f->data + f->n;
    int line, col;

    while (p < end) {
        unsigned char lead = (unsigned char)*p;
        size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

        if (len > (size_t)(end - p) || !str_utf8_valid(p, len))
            break;
        p += len;
    }
    place_of(f, p, &line, &col);
    conf_error_at(report, f, line, col, 1, "this is not UTF-8: save the file with the encoding UTF-8");
}

int yaml_parse(const char *path, const char *data, size_t n, struct yaml_file **out, struct conf_report *report)
{
    struct builder b = {.report = report};

    if (n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        data += 3;
        n -= 3;
    }
    if (n > YAML_MAX_BYTES) {
        conf_error_file(report, path, "larger than %d MiB", YAML_MAX_BYTES >> 20);
        return PD_EINVAL;
    }
    b.file = xcalloc(1, sizeof *b.file);
    b.file->path = xstrdup(path);
    b.file->data = xmalloc(n + 1);
    if (n > 0)
        memcpy(b.file->data, data, n);
    b.file->data[n] = '\0';
    b.file->n = n;
    if (!str_utf8_valid(b.file->data, n)) {
        report_encoding(b.file, report);
    } else if (!yaml_parser_initialize(&b.parser)) {
        conf_error_file(report, path, "out of memory");
    } else {
        yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&b.parser, (const unsigned char *)b.file->data, n);
        build(&b);
        yaml_parser_delete(&b.parser);
    }
    if (!b.file->root) {
        yaml_file_free(b.file);
        return PD_EINVAL;
    }
    *out = b.file;
    return 0;
}

int yaml_load(const char *path, struct yaml_file **out, struct conf_report *report)
{
    char *data;
    size_t n;
    int rc = file_read(path, YAML_MAX_BYTES + 3, &data, &n);

    if (rc < 0) {
        conf_error_file(report, path, "cannot be read: %s", pd_strerror(rc));
        return rc;
    }
    rc = yaml_parse(path, data, n, out, report);
    free(data);
    return rc;
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    for (size_t i = 0; map && i < map->pairs.n; i++)
        if (str_eq(map->pairs.v[i].key->text, key))
            return map->pairs.v[i].value;
    return NULL;
}

bool yaml_is_empty(const struct yaml_node *node)
{
    return node->type == YAML_TEXT && !node->quoted &&
           (!*node->text || str_eq(node->text, "~") || str_eq(node->text, "null"));
}
