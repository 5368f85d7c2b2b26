#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/schema.h"

struct disk {
    char *name;
    struct yaml_node *here;
    int64_t size;
};

struct host {
    char *address;
    uint16_t port;
    int8_t level;
    double gain;
    bool on;
    int64_t every_ms;
    unsigned colour;
    char *title[LANG_COUNT];
    struct yaml_node *when;
    struct {
        char *url;
        int tries;
    } mail;
    ARRAY(char *) tags;
    ARRAY(struct disk) disks;
    ARRAY(struct disk) spares;
};

static void check_disk(void *section, struct yaml_node *here, struct conf_report *report)
{
    const struct disk *d = section;

    if (d->size == 13)
        conf_error(report, here, "thirteen is not possible");
}

static const char *const colours[] = {"black", "cyan", "magenta", NULL};

static const struct schema_row disk_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct disk, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct disk, here)},
    {"size", SCHEMA_INT, SCHEMA_REQUIRED, SCHEMA_FIELD(struct disk, size)},
    {0},
};
static const struct schema disk_schema = {
    .what = "a disk",
    .rows = disk_rows,
    .size = sizeof(struct disk),
    .shorthand = "size",
    .check = check_disk,
};

static const struct schema_row mail_rows[] = {
    {"url", SCHEMA_TEXT, .offset = 0, .size = sizeof(char *)},
    {"tries", SCHEMA_INT, .min = 1, .max = 9, .fallback = "3", .offset = sizeof(char *), .size = sizeof(int)},
    {0},
};
static const struct schema mail_schema = {.what = "mail", .rows = mail_rows, .size = sizeof(((struct host *)0)->mail)};

static const struct schema_row host_rows[] = {
    {"host", SCHEMA_TEXT, SCHEMA_REQUIRED, SCHEMA_FIELD(struct host, address)},
    {"port", SCHEMA_INT, .min = 1, .max = 65535, .fallback = "161", SCHEMA_FIELD(struct host, port)},
    {"level", SCHEMA_INT, .min = -5, .max = 5, SCHEMA_FIELD(struct host, level)},
    {"gain", SCHEMA_NUM, SCHEMA_FIELD(struct host, gain)},
    {"on", SCHEMA_BOOL, SCHEMA_FIELD(struct host, on)},
    {"every", SCHEMA_DURATION, .min = 1000, .max = 86400000, .fallback = "5m", SCHEMA_FIELD(struct host, every_ms)},
    {"colour", SCHEMA_ENUM, .names = colours, SCHEMA_FIELD(struct host, colour)},
    {"title", SCHEMA_LOCAL, SCHEMA_FIELD(struct host, title)},
    {"when", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct host, when)},
    {"mail", SCHEMA_SECTION, .sub = &mail_schema, SCHEMA_FIELD(struct host, mail)},
    {"tags", SCHEMA_LIST, .item = SCHEMA_TEXT, SCHEMA_FIELD(struct host, tags)},
    {"disks", SCHEMA_MAP, .sub = &disk_schema, SCHEMA_FIELD(struct host, disks)},
    {"spares", SCHEMA_LIST, .sub = &disk_schema, SCHEMA_FIELD(struct host, spares)},
    {0},
};
static const struct schema host_schema = {.what = "a host", .rows = host_rows, .size = sizeof(struct host)};

/* Reads text over what h holds already. The tree is left to the caller: h borrows from it. */
static struct yaml_file *read_over(const char *text, struct host *h, struct conf_report *report)
{
    struct yaml_file *f = NULL;

    yaml_parse("h.yaml", text, strlen(text), &f, report);
    assert_non_null(f);
    schema_read(&host_schema, f->root, h, report);
    return f;
}

static void test_every_type_is_read(void **state)
{
    struct conf_report report = {0};
    struct host h = {0};
    struct yaml_file *f;

    (void)state;
    schema_defaults(&host_schema, &h);
    f = read_over("host: 10.0.0.1\n"
                  "port: 1161\n"
                  "level: -5\n"
                  "gain: 0.25\n"
                  "on: true\n"
                  "every: 90s\n"
                  "colour: magenta\n"
                  "title: {en: Printer, zh_CN: 打印机}\n"
                  "when: a < b\n"
                  "mail: {url: 'smtp://x'}\n"
                  "tags: [a, b]\n"
                  "disks: {c: {size: 5}, d: 7}\n"
                  "spares: [{size: 1}, 2]\n",
                  &h, &report);
    assert_int_equal(report.errors, 0);
    assert_string_equal(h.address, "10.0.0.1");
    assert_int_equal(h.port, 1161);
    assert_int_equal(h.level, -5);
    assert_true(h.gain == 0.25);
    assert_true(h.on);
    assert_int_equal(h.every_ms, 90000);
    assert_int_equal(h.colour, 2);
    assert_string_equal(h.title[LANG_ZH_CN], "打印机");
    assert_string_equal(h.when->text, "a < b");
    assert_string_equal(h.mail.url, "smtp://x");
    assert_int_equal(h.mail.tries, 3);
    assert_int_equal(h.tags.n, 2);
    assert_string_equal(h.tags.v[1], "b");
    assert_int_equal(h.disks.n, 2);
    assert_string_equal(h.disks.v[1].name, "d");
    assert_int_equal(h.disks.v[1].size, 7);
    assert_int_equal(h.disks.v[1].here->line, 12);
    assert_int_equal(h.spares.v[1].size, 2);
    schema_release(&host_schema, &h);
    yaml_file_free(f);
}

static void test_fallbacks_stand_where_nothing_is_said(void **state)
{
    struct conf_report report = {0};
    struct host h = {0};
    struct yaml_file *f;

    (void)state;
    schema_defaults(&host_schema, &h);
    f = read_over("host: a\ndisks:\n", &h, &report);
    assert_int_equal(report.errors, 0);
    assert_int_equal(h.port, 161);
    assert_int_equal(h.every_ms, 300000);
    assert_int_equal(h.disks.n, 0);
    schema_release(&host_schema, &h);
    yaml_file_free(f);
}

static void test_second_reading_overrides_keys_and_appends_lists(void **state)
{
    struct conf_report report = {0};
    struct host h = {0};
    struct yaml_file *f, *g;

    (void)state;
    schema_defaults(&host_schema, &h);
    f = read_over("host: a\nport: 7\ntags: [x]\ndisks: {c: 1, d: 2}\nmail: {url: u, tries: 9}\n", &h, &report);
    g = read_over("host: b\ntags: [y]\ndisks: {d: 3, e: 4}\nmail: {tries: 1}\n", &h, &report);
    assert_int_equal(report.errors, 0);
    assert_string_equal(h.address, "b");
    assert_int_equal(h.port, 7);
    assert_int_equal(h.tags.n, 2);
    assert_int_equal(h.disks.n, 3);
    assert_int_equal(h.disks.v[1].size, 3);
    assert_string_equal(h.mail.url, "u");
    assert_int_equal(h.mail.tries, 1);
    schema_release(&host_schema, &h);
    yaml_file_free(f);
    yaml_file_free(g);
}

/* What is wrong, and exactly how it is said: all of it at once. */
static void test_messages(void **state)
{
    static const struct {
        const char *text, *report;
    } rows[] = {
        {"host: a\nhots: 10.0.0.1\n",
         "h.yaml:2:1: error: unknown key 'hots' (did you mean 'host'?)\n    hots: 10.0.0.1\n    ^~~~\n"},
        {"port: 99999\nevery: soon\non: yes\n",
         "h.yaml:1:7: error: 99999 is out of range: 1 to 65535 is possible\n    port: 99999\n          ^~~~~\n"
         "h.yaml:2:8: error: expected a duration such as 30s, 5m or 2h, not 'soon'\n    every: soon\n           ^~~~\n"
         "h.yaml:3:5: error: expected true or false, not 'yes'\n    on: yes\n        ^~~\n"
         "h.yaml:1:1: error: a host needs 'host', which is missing\n    port: 99999\n    ^\n"},
        {"host: a\nevery: 1ms\n",
         "h.yaml:2:8: error: 1ms is out of range: 1s to 1d is possible\n    every: 1ms\n           ^~~\n"},
        {"host: a\ncolour: blakc\n", "h.yaml:2:9: error: 'blakc' is not possible here (did you mean 'black'?)\n    "
                                     "colour: blakc\n            ^~~~~\n"},
        {"host: a\ncolour: 红\n", "h.yaml:2:9: error: '红' is not possible here (known here: black, cyan, magenta)\n   "
                                  " colour: 红\n            ^~\n"},
        {"host: a\ntitle: {en: x, 中文: 墨粉, zh: {}}\n",
         "h.yaml:2:16: error: unknown key '中文' (known here: en, zh_CN)\n    title: {en: x, 中文: 墨粉, zh: {}}\n"
         "                   ^~~~\n"
         "h.yaml:2:28: error: expected a text, not a section\n    title: {en: x, 中文: 墨粉, zh: {}}\n"
         "                                   ^\n"},
        {"host: [a]\ntags: a\n", "h.yaml:1:7: error: expected a text, not a list\n    host: [a]\n          ^\n"
                                 "h.yaml:2:7: error: expected a list, as in [a, b]\n    tags: a\n          ^\n"},
        {"host:\n", "h.yaml:1:6: error: expected a text, but there is nothing\n    host:\n         ^\n"},
        {"host: ''\n", "h.yaml:1:7: error: the text must not be empty\n    host: ''\n          ^\n"},
        {"host: a\ndisks: {c: {siez: 1}, d: 13}\n",
         "h.yaml:2:13: error: unknown key 'siez' (did you mean 'size'?)\n    disks: {c: {siez: 1}, d: 13}\n"
         "                ^~~~\n"
         "h.yaml:2:9: error: a disk needs 'size', which is missing\n    disks: {c: {siez: 1}, d: 13}\n            ^\n"
         "h.yaml:2:23: error: thirteen is not possible\n    disks: {c: {siez: 1}, d: 13}\n"
         "                          ^\n"},
        {"[1]\n", "h.yaml:1:1: error: expected a host: a section of keys and values\n    [1]\n    ^\n"},
        {"host: a\nhost: b\n",
         "h.yaml:2:1: error: key 'host' is given twice (first in line 1)\n    host: b\n    ^~~~\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_report report = {0};
        struct host h = {0};
        struct yaml_file *f = read_over(rows[i].text, &h, &report);

        if (!str_eq(report.text.s, rows[i].report))
            fail_msg("row %zu: got\n%sinstead of\n%s", i, report.text.s ? report.text.s : "nothing\n", rows[i].report);
        schema_release(&host_schema, &h);
        yaml_file_free(f);
        conf_report_free(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_is_read),
        cmocka_unit_test(test_fallbacks_stand_where_nothing_is_said),
        cmocka_unit_test(test_second_reading_overrides_keys_and_appends_lists),
        cmocka_unit_test(test_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
