/* A file of settings from outside: becomes a tree and is read by its schema, or is refused in words. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct item {
    char *name;
    struct yaml_node *here;
    int64_t n;
    int64_t ms;
};

struct document {
    char *text;
    char *title[LANG_COUNT];
    double num;
    bool flag;
    int choice;
    struct yaml_node *expr;
    ARRAY(char *) list;
    ARRAY(struct item) map;
};

static const char *const choices[] = {"one", "two", NULL};
static const struct schema_row item_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct item, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct item, here)},
    {"n", SCHEMA_INT, SCHEMA_REQUIRED, .min = -5, .max = 5, SCHEMA_FIELD(struct item, n)},
    {"ms", SCHEMA_DURATION, .fallback = "5m", SCHEMA_FIELD(struct item, ms)},
    {0},
};
static const struct schema item_schema = {
    .what = "an item", .rows = item_rows, .size = sizeof(struct item), .shorthand = "n"};
static const struct schema_row document_rows[] = {
    {"text", SCHEMA_TEXT, SCHEMA_REQUIRED, .min = 1, .max = 9, SCHEMA_FIELD(struct document, text)},
    {"title", SCHEMA_LOCAL, SCHEMA_FIELD(struct document, title)},
    {"num", SCHEMA_NUM, SCHEMA_FIELD(struct document, num)},
    {"flag", SCHEMA_BOOL, SCHEMA_FIELD(struct document, flag)},
    {"choice", SCHEMA_ENUM, .names = choices, SCHEMA_FIELD(struct document, choice)},
    {"expr", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct document, expr)},
    {"list", SCHEMA_LIST, .item = SCHEMA_TEXT, SCHEMA_FIELD(struct document, list)},
    {"map", SCHEMA_MAP, .sub = &item_schema, SCHEMA_FIELD(struct document, map)},
    {0},
};
static const struct schema document_schema = {
    .what = "a document", .rows = document_rows, .size = sizeof(struct document)};

/* Every text is valid, and every byte of it has a place in the file. */
static void check_node(const struct yaml_node *node)
{
    if (node->line < 1 || node->col < 1)
        abort();
    if (node->type == YAML_TEXT) {
        size_t n = strlen(node->text);

        if (!str_utf8_valid(node->text, n))
            abort();
        for (size_t at = 0; at <= n; at += n / 4 + 1) {
            int line, col;

            yaml_locate(node, at, &line, &col);
            if (line < node->line || col < 1)
                abort();
        }
    }
    for (size_t i = 0; i < node->items.n; i++)
        check_node(node->items.v[i]);
    for (size_t i = 0; i < node->pairs.n; i++) {
        check_node(node->pairs.v[i].key);
        check_node(node->pairs.v[i].value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_report report = {0};
    struct document d = {0};
    struct yaml_file *f;

    if (yaml_parse("fuzz.yaml", (const char *)data, size, &f, &report) == 0) {
        if (f->n < 4096) /* looking for the place is linear in the file */
            check_node(f->root);
        schema_defaults(&document_schema, &d);
        schema_read(&document_schema, f->root, &d, &report);
        if (report.errors == 0 && !d.text)
            abort();
        schema_release(&document_schema, &d);
        yaml_file_free(f);
    } else if (report.errors == 0) {
        abort(); /* refused without a word */
    }
    if (report.text.n > 0 && !str_utf8_valid(report.text.s, report.text.n))
        abort();
    conf_report_free(&report);
    return 0;
}
