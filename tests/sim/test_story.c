#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "rules.h"
#include "story.h"

static char *read_data(const char *name, size_t *n)
{
    const char *srcdir = getenv("srcdir");
    char *path = xasprintf("%s/tests/data/stories/%s", srcdir ? srcdir : ".", name), *data = NULL;

    if (file_read(path, 1 << 20, &data, n) < 0)
        fail_msg("%s cannot be read", path);
    free(path);
    return data;
}

/* Each wrong story gives exactly the complaints of its text, all at once. */
static void wrong_ones_are_refused_in_words(void **state)
{
    static const char *const names[] = {"wrong-keys", "wrong-events", "wrong-expectations", "wrong-yaml"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *name = xasprintf("%s.yaml", names[i]), *golden = xasprintf("%s.txt", names[i]);
        struct conf_report report = {0};
        struct story *s = NULL;
        size_t n, m;
        char *text = read_data(name, &n), *wanted = read_data(golden, &m);

        assert_int_equal(story_parse(name, text, n, &s, &report), PD_EINVAL);
        assert_null(s);
        assert_string_equal(report.text.s, wanted);
        conf_report_free(&report);
        free(text);
        free(wanted);
        free(name);
        free(golden);
    }
}

static struct story *parse(const char *text)
{
    struct conf_report report = {0};
    struct story *s = NULL;

    if (story_parse("story.yaml", text, strlen(text), &s, &report) < 0)
        fail_msg("%s", report.text.s);
    conf_report_free(&report);
    return s;
}

#define HEAD "title: T\nstart: 2026-03-02 08:00\ntime_zone: Asia/Shanghai\nlength: 1d\n"

static void happenings_are_put_in_order(void **state)
{
    struct story *s = parse(HEAD "devices:\n"
                                 "  - {name: p, model: printer, count: 2, address: 127.0.0.255}\n"
                                 "  - {name: sw, model: switch}\n"
                                 "events:\n"
                                 "  - {at: 5h, event: jam, device: p, for: 1m}\n"
                                 "  - {at: 2026-03-02 09:30, event: device-off, device: [sw, p-2], for: 10m}\n"
                                 "  - {at: 1h, event: service, device: p-1, for: 5m, every: 2h, times: 3}\n"
                                 "  - {at: 2h, event: clock-step, by: -90s}\n");
    static const struct {
        int64_t at_ms;
        int device;
        enum happening_kind kind;
    } wanted[] = {
        {3600000, 0, HAPPENS_SERVICE},     {5400000, 1, HAPPENS_DEVICE_OFF}, {5400000, 2, HAPPENS_DEVICE_OFF},
        {7200000, -1, HAPPENS_CLOCK_STEP}, {10800000, 0, HAPPENS_SERVICE},   {18000000, 0, HAPPENS_JAM},
        {18000000, 1, HAPPENS_JAM},        {18000000, 0, HAPPENS_SERVICE},
    };

    (void)state;
    assert_string_equal(s->devices.v[0].name, "p-1");
    assert_string_equal(s->devices.v[1].address, "127.0.1.0");
    assert_int_equal(s->happenings.n, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(s->happenings.v[i].at_ms, wanted[i].at_ms);
        assert_int_equal(s->happenings.v[i].device, wanted[i].device);
        assert_int_equal(s->happenings.v[i].kind, wanted[i].kind);
    }
    assert_int_equal(s->happenings.v[3].step_ms, -90000);
    story_free(s);
}

static void a_day_off_that_is_none_is_refused(void **state)
{
    static const char text[] = HEAD "devices: [{name: p, model: printer}]\nworking_hours: {closed: [[2026-03-02]]}\n";
    struct conf_report report = {0};
    struct story *s = NULL;

    (void)state;
    assert_int_equal(story_parse("story.yaml", text, strlen(text), &s, &report), PD_EINVAL);
    assert_non_null(strstr(report.text.s, "story.yaml:6:26: error: expected a day such as 2026-10-01"));
    conf_report_free(&report);
}

static void an_empty_list_of_a_record_is_told_as_one(void **state)
{
    struct story *s = parse(HEAD "devices: [{name: p, model: printer}]\n"
                                 "archive:\n  - contact: {name: a, gets: [report, ticket], sites: []}\n");

    (void)state;
    assert_int_equal(s->records.n, 1);
    assert_string_equal(s->records.v[0].args, "{\"name\":\"a\",\"gets\":\"report,ticket\",\"sites\":\"\"}");
    story_free(s);
}

static void its_own_configuration_scales_expectations(void **state)
{
    struct story *s = parse(HEAD "configuration:\n"
                                 "  poll: {every: {status: 5s, supplies: 20s}}\n"
                                 "  rules: {jam: {hold: 2s}, supply-low: {clear_hold: 0s}}\n"
                                 "devices:\n  - {name: p, model: printer}\n");

    (void)state;
    assert_int_equal(story_within_ms(s, TRUTH_JAM, false), 2 * 5000 + 2000 + 10000);
    assert_int_equal(story_within_ms(s, TRUTH_JAM, true), 2 * 5000 + 60000 + 10000);
    assert_int_equal(story_within_ms(s, TRUTH_SUPPLY_LOW, false), 2 * 20000 + 300000 + 10000);
    assert_int_equal(story_within_ms(s, TRUTH_SUPPLY_LOW, true), 2 * 20000 + 10000);
    story_free(s);
}

/* The table of expectations is what people were promised: a change here is a change of that. */
static void the_table_says_what_the_manual_says(void **state)
{
    static const struct {
        enum truth_rule_id rule;
        const char *name;
        int64_t opens_s, clears_s;
    } rows[] = {
        {TRUTH_UNREACHABLE, "unreachable", 250, 130}, {TRUTH_JAM, "jam", 190, 190},
        {TRUTH_COVER_OPEN, "cover-open", 310, 190},   {TRUTH_SERVICE, "service-requested", 190, 190},
        {TRUTH_SUPPLY_LOW, "supply-low", 3910, 3730}, {TRUTH_SUPPLY_EMPTY, "supply-empty", 3670, 3730},
    };
    struct story *s = parse(HEAD "devices:\n  - {name: p, model: printer}\n");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(truth_rule_names[rows[i].rule], rows[i].name);
        assert_string_equal(truth_rules[rows[i].rule].name, rows[i].name);
        assert_int_equal(story_within_ms(s, (int)rows[i].rule, false), rows[i].opens_s * 1000);
        assert_int_equal(story_within_ms(s, (int)rows[i].rule, true), rows[i].clears_s * 1000);
    }
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_ones_are_refused_in_words),
        cmocka_unit_test(happenings_are_put_in_order),
        cmocka_unit_test(a_day_off_that_is_none_is_refused),
        cmocka_unit_test(an_empty_list_of_a_record_is_told_as_one),
        cmocka_unit_test(its_own_configuration_scales_expectations),
        cmocka_unit_test(the_table_says_what_the_manual_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
