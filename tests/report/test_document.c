#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "report/document.h"

/* A small document that is right. */
static char *minimal(void)
{
    const char *srcdir = getenv("srcdir");
    char *path = xasprintf("%s/tests/report/minimal.json", srcdir ? srcdir : "."), *json;
    size_t n;

    if (file_read(path, 1 << 20, &json, &n) != 0)
        fail_msg("%s cannot be read", path);
    free(path);
    return json;
}

/* Reads and gives the complaints, "" for none; free() them. */
static char *complaints_of(const char *json, size_t n)
{
    struct complaints c = {0};
    struct document doc;
    int rc = document_read(json, n, &doc, &c);

    document_free(&doc);
    if ((rc == 0) != (c.n == 0) || (rc != 0 && rc != PD_EINVAL))
        fail_msg("%d with %zu complaints", rc, c.n);
    return sbuf_take(&c.text);
}

/* The one place where `was` stands in the text becomes `is`. */
static char *changed(const char *text, const char *was, const char *is)
{
    const char *at = strstr(text, was);

    if (!at || strstr(at + 1, was))
        fail_msg("'%s' does not stand there once", was);
    return xasprintf("%.*s%s%s", (int)(at - text), text, is, at + strlen(was));
}

static void a_right_document_is_read(void **state)
{
    struct complaints c = {0};
    struct document doc;
    char *json = minimal();

    (void)state;
    if (document_read(json, strlen(json), &doc, &c) != 0)
        fail_msg("%s", c.text.s);
    assert_int_equal(doc.language, LANG_EN);
    assert_int_equal(doc.days, 28);
    assert_int_equal(doc.day_ms[28] - doc.day_ms[0], INT64_C(28) * 86400000);
    assert_string_equal(document_device(&doc, 2)->note, "toner low");
    assert_null(document_device(&doc, 3));
    assert_int_equal(doc.patrol.visits.v[0].items.v[1].result, RESULT_NONE);
    assert_int_equal(doc.tickets.rows.v[0].category, -1);
    assert_false(doc.meters.rows.v[1].start.known);
    document_free(&doc);
    sbuf_free(&c.text);
    free(json);
}

/* What is changed in the right document, and what is told about it. */
static const struct {
    const char *was, *is, *told;
} wrong[] = {
    /* its form */
    {"\"format\": 1,", "", "format: is missing"},
    {"\"format\": 1,", "\"format\": 2,", "format: 2 is not within 1 and 1"},
    {"\"format\": 1,", "\"format\": 1, \"fromat\": 1,",
     "fromat: a member of this name is not known (did you mean 'format'?)"},
    {"\"format\": 1,", "\"format\": 1, \"\\u202e\": 1,", "\\u202e: a member of this name is not known"},
    {"\"language\": \"en\"", "\"language\": \"fr\"", "language: 'fr' is none of en, zh_CN"},
    {"\"as_of_event\": 77", "\"as_of_event\": \"77\"", "report.as_of_event: a whole number is wanted, this is a text"},
    {"\"as_of_event\": 77", "\"as_of_event\": 7.7", "report.as_of_event: a whole number is wanted, this is a fraction"},
    {"\"as_of_event\": 77", "\"as_of_event\": -1", "report.as_of_event: -1 is not within 0 and"},
    {"\"as_of_event\": 77", "\"as_of_event\": 253402300800000", "report.as_of_event: 253402300800000 is not within"},
    {"\"Service Co\"", "null", "provider.name: a text is wanted, this is null"},
    {"\"Service Co\"", "\"\"", "provider.name: a text is wanted, this is empty"},
    {"\"2026-02\"", "\"2026-13\"", "period.month: a month like \"2026-09\" is wanted, '2026-13' is none"},
    {"\"2026-03-01\"", "\"2026-02-29\"", "maintenance[0].due: a date like \"2026-09-30\" is wanted"},
    {"\"UTC\"", "\"Mars/Olympus\"", "site.time_zone: 'Mars/Olympus': "},
    {"\"good\"", "\"godo\"", "summary.grade: 'godo' is none of excellent, good, fair, poor (did you mean 'good'?)"},
    {"\"health\": \"ok\"", "\"health\": \"not-applicable\"", "devices[0].health: 'not-applicable' is none of ok"},
    {"\"level_end\": 5", "\"level_end\": 101", "supplies.rows[0].level_end: 101 is not within 0 and 100"},
    {"\"reset\": false, \"start\": 100", "\"reset\": 0, \"start\": 100",
     "meters.rows[0].reset: true or false is wanted, this is a whole number"},
    {"\"recommendations\": []", "\"recommendations\": {}", "recommendations: a list is wanted, this is an object"},
    {"\"recommendations\": []", "\"recommendations\": [3]",
     "recommendations[0]: an object is wanted, this is a whole number"},
    {"\"recommendations\": []", "\"recommendations\": [], \"recommendations\": []", "duplicate object key"},
    {"\"recommendations\": []", "\"recommendations\": [", "line "},
    {"\"rollers\", \"value\": null", "\"rollers\", \"value\": 98",
     "patrol.visits[0].items[0].value: a text is wanted, this is a whole number"},
    /* totals */
    {"\"devices\": 2, \"ok\": 1", "\"devices\": 3, \"ok\": 1", "summary.devices: 3 here, but its rows add up to 2"},
    {"\"ok\": 1, \"attention\": 1", "\"ok\": 2, \"attention\": 0",
     "summary.attention: 0 here, but its rows add up to 1"},
    {"\"items\": 2,", "\"items\": 1,", "patrol.totals.items: 1 here"},
    {"\"not_applicable\": 1", "\"not_applicable\": 0", "patrol.totals.not_applicable: 0 here"},
    {"\"totals\": {\"devices\": 0", "\"totals\": {\"devices\": 1", "availability.totals.devices: 1 here"},
    {"\"faults\": 1, \"open\": 1", "\"faults\": 1, \"open\": 0", "faults.totals.open: 0 here"},
    {"\"kept\": 1, \"missed\": 1", "\"kept\": 2, \"missed\": 0", "tickets.totals.kept: 2 here"},
    {"\"opened\": 1,", "\"opened\": 0,", "tickets.totals.opened: 0 here"},
    {"\"supplies\": 1, \"low\": 1", "\"supplies\": 1, \"low\": 0", "supplies.totals.low: 0 here"},
    {"\"pages\": 50, \"unknown\": 1", "\"pages\": 51, \"unknown\": 1", "meters.totals.pages: 51 here"},
    {"\"pages\": 50, \"unknown\": 1", "\"pages\": 50, \"unknown\": 0", "meters.totals.unknown: 0 here"},
    {"\"end\": 150, \"pages\": 50", "\"end\": 151, \"pages\": 50", "meters.rows[0].pages: must be end - start"},
    {"\"pages\": null", "\"pages\": 0", "meters.rows[1].pages: must be end - start, and null where one"},
    /* what refers to something */
    {"{\"id\": 2,", "{\"id\": 1,", "devices[1].id: another device has the same id"},
    {"\"round\": \"P-1\", \"device\": 1", "\"round\": \"P-1\", \"device\": 9",
     "patrol.visits[0].device: no device of the document has this id"},
    {"\"round\": \"P-1\"", "\"round\": \"P-2\"", "patrol.visits[0].round: no round of the document has this number"},
    {"\"ticket\": \"T-1\"", "\"ticket\": \"T-2\"", "faults.rows[0].ticket: no ticket of the document has this number"},
    {"\"device\": 2, \"what\"", "\"device\": 7, \"what\"", "maintenance[0].device: no device"},
    /* times that contradict each other */
    {"\"met_ms\": 1770003600000", "\"met_ms\": 1770003600001",
     "tickets.rows[0].promises[0].state: is not what due_ms and met_ms say"},
    {"\"met_ms\": null, \"state\": \"missed\"", "\"met_ms\": 1770000000001, \"state\": \"missed\"",
     "tickets.rows[0].promises[1].state: is not what"},
    {"\"closed_ms\": null", "\"closed_ms\": 1769999999999", "tickets.rows[0].closed_ms: a time after opened_ms"},
    {"\"to_ms\": null", "\"to_ms\": 1775000000000", "faults.rows[0].to_ms: a time after from_ms and within the month"},
};

static void a_wrong_document_is_refused_with_the_place(void **state)
{
    char *right = minimal();

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *json = changed(right, wrong[i].was, wrong[i].is), *told = complaints_of(json, strlen(json));

        if (!strstr(told, wrong[i].told))
            fail_msg("%s: told '%s', wanted '%s'", wrong[i].is, told, wrong[i].told);
        free(told);
        free(json);
    }
    free(right);
}

/* The minimal document with one device's availability: in each of 28 days these, but on the first what is given. */
static char *with_days(const char *first, const char *totals)
{
    char *right = minimal(), *json;
    struct sbuf list = {0};

    sbuf_addf(&list, "\"devices\": [{\"device\": 1, %s, \"days\": [%s", totals, first);
    for (int i = 1; i < 28; i++)
        sbuf_add(&list, ", {\"up_ms\": 86400000, \"down_ms\": 0, \"gap_ms\": 0}");
    sbuf_addf(&list, "]}],\n        \"totals\": {\"devices\": 1, ");
    sbuf_addf(&list, "\"up_ms\": 2332801000, \"down_ms\": 2000, \"gap_ms\": 3000, \"outages\": 1}");
    json =
        changed(right,
                "\"devices\": [],\n        \"totals\": {\"devices\": 0, \"up_ms\": 0, \"down_ms\": 0, \"gap_ms\": 0, "
                "\"outages\": 0}",
                list.s);
    sbuf_free(&list);
    free(right);
    return json;
}

static void days_add_up_to_the_months_time(void **state)
{
    static const char good_day[] = "{\"up_ms\": 1000, \"down_ms\": 2000, \"gap_ms\": 3000}";
    static const struct {
        const char *first, *totals, *told;
    } rows[] = {
        {good_day, "\"up_ms\": 2332801000, \"down_ms\": 2000, \"gap_ms\": 3000, \"outages\": 1, \"longest_ms\": 2000",
         ""},
        {good_day, "\"up_ms\": 2332801001, \"down_ms\": 2000, \"gap_ms\": 3000, \"outages\": 1, \"longest_ms\": 2000",
         "availability.devices[0].up_ms: 2332801001 here, but its rows add up to 2332801000"},
        {good_day, "\"up_ms\": 2332801000, \"down_ms\": 2000, \"gap_ms\": 3000, \"outages\": 0, \"longest_ms\": 2000",
         "availability.devices[0].outages: there is time down if and only if"},
        {good_day, "\"up_ms\": 2332801000, \"down_ms\": 2000, \"gap_ms\": 3000, \"outages\": 1, \"longest_ms\": 2001",
         "availability.devices[0].longest_ms: the longest outage is longer"},
        {"{\"up_ms\": 86400000, \"down_ms\": 1, \"gap_ms\": 0}",
         "\"up_ms\": 1, \"down_ms\": 1, \"gap_ms\": 0, \"outages\": 1, \"longest_ms\": 1",
         "availability.devices[0].days[0]: up, down and gap together are longer than the day"},
        {"{\"up_ms\": 1, \"down_ms\": 0, \"gap_ms\": 0}, {\"up_ms\": 1, \"down_ms\": 0, \"gap_ms\": 0}",
         "\"up_ms\": 1, \"down_ms\": 0, \"gap_ms\": 0, \"outages\": 0, \"longest_ms\": 0",
         "availability.devices[0].days: one entry for each day of the month is wanted"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *json = with_days(rows[i].first, rows[i].totals), *told = complaints_of(json, strlen(json));

        if (*rows[i].told ? !strstr(told, rows[i].told) : *told != '\0')
            fail_msg("row %zu: told '%s', wanted '%s'", i, told, rows[i].told);
        free(told);
        free(json);
    }
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const texts[] = {"", " ", "{", "[]", "3", "\"", "{\"format\": 1}", "\xff\xfe"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *told = complaints_of(texts[i], strlen(texts[i]));

        if (!*told)
            fail_msg("'%s' was taken", texts[i]);
        free(told);
    }
}

static void complaints_do_not_flood(void **state)
{
    struct complaints c = {0};
    size_t lines = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        complain(&c, "here", "%d", i);
    for (const char *s = c.text.s; *s; s++)
        lines += *s == '\n';
    assert_int_equal(c.n, 1000);
    assert_int_equal(lines, COMPLAINTS_MAX);
    sbuf_free(&c.text);
}

static void a_text_too_long_is_refused(void **state)
{
    char *right = minimal(), *text = xmalloc(MEMBER_TEXT_MAX + 4), *json, *told;

    (void)state;
    memset(text, 'x', MEMBER_TEXT_MAX + 3);
    text[0] = text[MEMBER_TEXT_MAX + 2] = '"';
    text[MEMBER_TEXT_MAX + 3] = '\0';
    json = changed(right, "\"Service Co\"", text);
    told = complaints_of(json, strlen(json));
    assert_non_null(strstr(told, "provider.name: 4001 bytes are too long; at most 4000"));
    free(told);
    free(json);
    free(text);
    free(right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_document_is_read),       cmocka_unit_test(a_wrong_document_is_refused_with_the_place),
        cmocka_unit_test(days_add_up_to_the_months_time), cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(complaints_do_not_flood),        cmocka_unit_test(a_text_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
