#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "conf/report.h"
#include "conf/yaml.h"

static struct yaml_file *parse(const char *text, struct conf_report *report)
{
    struct yaml_file *f = NULL;

    yaml_parse("t.yaml", text, strlen(text), &f, report);
    return f;
}

/* Parses what must be without fault. */
static struct yaml_file *parse_good(const char *text)
{
    struct conf_report report = {0};
    struct yaml_file *f = parse(text, &report);

    if (report.errors > 0)
        print_error("%s", report.text.s);
    assert_int_equal(report.errors, 0);
    assert_non_null(f);
    return f;
}

static void test_tree_has_positions(void **state)
{
    struct yaml_file *f = parse_good("# printers\n"
                                     "host: 10.0.0.1\n"
                                     "名称: 二楼\n"
                                     "parts: [drum, 'fuser']\n");
    const struct yaml_node *root = f->root, *parts = yaml_get(root, "parts");

    (void)state;
    assert_int_equal(root->type, YAML_MAP);
    assert_int_equal(root->pairs.n, 3);
    assert_string_equal(yaml_get(root, "host")->text, "10.0.0.1");
    assert_int_equal(root->pairs.v[0].key->line, 2);
    assert_int_equal(yaml_get(root, "host")->col, 7);
    assert_int_equal(yaml_get(root, "名称")->col, 5); /* characters, not bytes */
    assert_int_equal(parts->type, YAML_LIST);
    assert_false(parts->items.v[0]->quoted);
    assert_true(parts->items.v[1]->quoted);
    assert_int_equal(parts->items.v[1]->col, 15);
    assert_null(yaml_get(root, "nothing"));
    yaml_file_free(f);
}

static void test_empty_files_are_empty(void **state)
{
    static const char *const texts[] = {"", "# nothing\n", "\xef\xbb\xbf", "---\n", "~", "null\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct yaml_file *f = parse_good(texts[i]);

        if (!yaml_is_empty(f->root))
            fail_msg("row %zu is not empty", i);
        yaml_file_free(f);
    }
}

static void test_quoted_null_is_a_text(void **state)
{
    struct yaml_file *f = parse_good("a: ''\nb: 'null'\nc:\n");

    (void)state;
    assert_false(yaml_is_empty(yaml_get(f->root, "a")));
    assert_false(yaml_is_empty(yaml_get(f->root, "b")));
    assert_true(yaml_is_empty(yaml_get(f->root, "c")));
    yaml_file_free(f);
}

static void test_byte_order_mark_moves_no_column(void **state)
{
    struct yaml_file *f = parse_good("\xef\xbb\xbfkey: 1\n");

    (void)state;
    assert_int_equal(f->root->pairs.v[0].key->col, 1);
    assert_int_equal(yaml_get(f->root, "key")->col, 6);
    yaml_file_free(f);
}

/* What is refused, and exactly how it is said. */
static void test_refusals(void **state)
{
    static const struct {
        const char *text, *report;
    } rows[] = {
        {"a: 1\nb: 2\na: 3\n", "t.yaml:3:1: error: key 'a' is given twice (first in line 1)\n    a: 3\n    ^\n"},
        {"a: &x 1\nb: *x\n",
         "t.yaml:1:4: error: anchors (&name) are not supported: write each value out\n    a: &x 1\n       ^\n"
         "t.yaml:2:4: error: aliases (*name) are not supported: write each value out\n    b: *x\n       ^\n"},
        {"a: {<<: {b: 1}}\n", "t.yaml:1:5: error: merge keys (<<) are not supported: write each value out\n    a: {<<: "
                              "{b: 1}}\n        ^~\n"},
        {"a: !!str 1\n", "t.yaml:1:4: error: tags (!name) are not supported: the type follows from the key\n    a: "
                         "!!str 1\n       ^\n"},
        {"[a]: 1\n", "t.yaml:1:1: error: a key must be a text\n    [a]: 1\n    ^\n"},
        {"a: 1\n---\nb: 2\n", "t.yaml:2:1: error: a file holds one document: no second '---'\n    ---\n    ^\n"},
        {"a: \"x\\0y\"\n", "t.yaml:1:4: error: a text cannot contain the character NUL\n    a: \"x\\0y\"\n       ^\n"},
        {"a:\n\tb: 1\n", "t.yaml:2:1: error: a tab cannot indent in YAML: use spaces\n     b: 1\n    ^\n"},
        {"a: b: c\n", "t.yaml:1:5: error: mapping values are not allowed in this context\n    a: b: c\n        ^\n"},
        {"名: 墨\n\xff\n",
         "t.yaml:2:1: error: this is not UTF-8: save the file with the encoding UTF-8\n    \\xff\n    ^~~~\n"},
        {"名: x: y\n", "t.yaml:1:5: error: mapping values are not allowed in this context\n    名: x: y\n         ^\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_report report = {0};
        struct yaml_file *f = parse(rows[i].text, &report);

        if (!str_eq(report.text.s, rows[i].report))
            fail_msg("row %zu: got\n%sinstead of\n%s", i, report.text.s ? report.text.s : "nothing\n", rows[i].report);
        yaml_file_free(f);
        conf_report_free(&report);
    }
}

static void test_complaints_come_all_at_once(void **state)
{
    struct conf_report report = {0};
    struct yaml_file *f = parse("a: &x 1\na: 2\nb: !t 1\n", &report);

    (void)state;
    assert_non_null(f); /* there is a tree to go on with */
    assert_int_equal(report.errors, 3);
    yaml_file_free(f);
    conf_report_free(&report);
}

static void assert_refused(const char *text, const char *why)
{
    struct conf_report report = {0};

    assert_null(parse(text, &report));
    assert_true(report.errors > 0);
    if (!strstr(report.text.s, why))
        fail_msg("'%s' lacks '%s'", report.text.s, why);
    conf_report_free(&report);
}

static void test_hostile_sizes_are_refused(void **state)
{
    struct sbuf text = {0};

    (void)state;
    for (int i = 0; i < 10000; i++)
        sbuf_addc(&text, '[');
    assert_refused(text.s, "nested too deeply");
    sbuf_reset(&text);
    for (int i = 0; i <= YAML_MAX_NODES; i++)
        sbuf_add(&text, "- a\n");
    assert_refused(text.s, "too many values");
    sbuf_reset(&text);
    for (int i = 0; i <= YAML_MAX_BYTES; i++)
        sbuf_addc(&text, '#');
    assert_refused(text.s, "larger than 4 MiB");
    sbuf_free(&text);
}

static void test_long_lines_are_cut_around_the_place(void **state)
{
    struct conf_report report = {0};
    struct sbuf text = {0};

    (void)state;
    sbuf_add(&text, "{");
    for (int i = 0; i < 500; i++)
        sbuf_addf(&text, "k%d: 墨, ", i);
    sbuf_add(&text, "k7: 1}");
    yaml_file_free(parse(text.s, &report));
    assert_int_equal(report.errors, 1);
    assert_true(strlen(report.text.s) < 600);
    assert_non_null(strstr(report.text.s, "k7: 1}\n"));
    sbuf_free(&text);
    conf_report_free(&report);
}

static void test_only_the_first_hundred_are_written_out(void **state)
{
    struct conf_report report = {0};
    struct sbuf text = {0};

    (void)state;
    for (int i = 0; i < 500; i++)
        sbuf_add(&text, "- !t x\n");
    yaml_file_free(parse(text.s, &report));
    assert_int_equal(report.errors, 500);
    assert_non_null(strstr(report.text.s, "t.yaml:100:3:"));
    assert_null(strstr(report.text.s, "t.yaml:101:3:"));
    assert_non_null(strstr(report.text.s, "counted only"));
    sbuf_free(&text);
    conf_report_free(&report);
}

/* Where a word of a text's content stands in the file. */
static void test_locate(void **state)
{
    static const struct {
        const char *text, *word;
        int line, col;
    } rows[] = {
        {"x: level <= ten", "ten", 1, 13},           {"x: 'level <= ten'", "ten", 1, 14},
        {"x: \"level <= ten\"", "ten", 1, 14},       {"x: 'it''s ten'", "ten", 1, 11},
        {"x: level\n   <= ten", "ten", 2, 7},        {"x: |\n  level\n    <= ten\n", "ten", 3, 8},
        {"x: >-\n  level\n  <= ten\n", "ten", 3, 6}, {"x: 墨粉 ten", "ten", 1, 7},
        {"x: \"a\\tb ten\"", "ten", 1, 4}, /* an escape: the text's start */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct yaml_file *f = parse_good(rows[i].text);
        const struct yaml_node *x = yaml_get(f->root, "x");
        int line, col;

        yaml_locate(x, (size_t)(strstr(x->text, rows[i].word) - x->text), &line, &col);
        if (line != rows[i].line || col != rows[i].col)
            fail_msg("row %zu: %d:%d", i, line, col);
        yaml_file_free(f);
    }
}

static void test_missing_file(void **state)
{
    struct conf_report report = {0};
    struct yaml_file *f = NULL;

    (void)state;
    assert_int_equal(yaml_load("/nonexistent/x.yaml", &f, &report), PD_ENOENT);
    assert_int_equal(report.errors, 1);
    assert_null(f);
    conf_report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_has_positions),
        cmocka_unit_test(test_empty_files_are_empty),
        cmocka_unit_test(test_quoted_null_is_a_text),
        cmocka_unit_test(test_byte_order_mark_moves_no_column),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_complaints_come_all_at_once),
        cmocka_unit_test(test_hostile_sizes_are_refused),
        cmocka_unit_test(test_long_lines_are_cut_around_the_place),
        cmocka_unit_test(test_only_the_first_hundred_are_written_out),
        cmocka_unit_test(test_locate),
        cmocka_unit_test(test_missing_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
