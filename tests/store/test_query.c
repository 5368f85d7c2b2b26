#include "tests/store/fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define HOSTILE "Robert\"); DROP TABLE device; -- \\ \n 墨粉"
#define HOSTILE_JSON "Robert\\\"); DROP TABLE device; -- \\\\ \\n 墨粉"

/* Asks SQLite, another's parser, for a member of an answer. */
static char *member(struct fixture *f, const char *json, const char *path)
{
    sqlite3 *db = fixture_connect(f, SQLITE_OPEN_READONLY);
    sqlite3_stmt *stmt;
    char *text = NULL;

    assert_int_equal(sqlite3_prepare_v2(db, "SELECT json_extract(?1, ?2)", -1, &stmt, NULL), SQLITE_OK);
    sqlite3_bind_text(stmt, 1, json, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, path, -1, SQLITE_STATIC);
    if (sqlite3_step(stmt) != SQLITE_ROW)
        fail_msg("%s: %s", sqlite3_errmsg(db), json);
    text = xstrdup_null((const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return text;
}

static void expect_member(struct fixture *f, const struct answer *a, const char *path, const char *want)
{
    char *got = member(f, a->rows, path);

    if (!str_eq(got, want))
        fail_msg("%s is %s, not %s, in %s", path, got ? got : "NULL", want ? want : "NULL", a->rows);
    free(got);
}

/* The ids (first members) of what a query answers, like "1 2 3". */
static void expect_ids(struct fixture *f, const char *name, const char *filters, const char *key, const char *want)
{
    struct answer a;
    struct sbuf got = {0};

    fixture_query(f, name, filters, 0, 0, &a);
    if (a.err < 0)
        fail_msg("%s %s: %s", name, filters, a.why);
    sbuf_add(&got, "");
    for (size_t i = 0; i < a.nrows; i++) {
        char *path = xasprintf("$[%zu].%s", i, key), *id = member(f, a.rows, path);

        sbuf_addf(&got, "%s%s", i > 0 ? " " : "", id);
        free(path);
        free(id);
    }
    if (!str_eq(got.s ? got.s : "", want))
        fail_msg("%s %s: %s, not %s", name, filters ? filters : "", got.s, want);
    assert_int_equal(a.next, 0);
    sbuf_free(&got);
    answer_fini(&a);
}

/* Three devices, the last retired; three alerts, the last closed; three tickets; events of all. */
static void fill(struct fixture *f)
{
    struct device devices[] = {
        {.id = 1,
         .name = "lobby",
         .address = "192.0.2.1",
         .site = "north",
         .device_class = "printer",
         .serial = HOSTILE},
        {.id = 2, .name = "墨 2", .address = "192.0.2.2", .site = "south", .device_class = "switch"},
        {.id = 3, .name = "attic", .address = "192.0.2.3", .site = "north", .device_class = "printer", .retired = true},
    };
    struct alert alerts[] = {
        {.id = 1,
         .family = "jam",
         .device_id = 1,
         .state = ALERT_FIRING,
         .severity = SEVERITY_MAJOR,
         .ticket_id = 7,
         .message_args = "{\"tray\":\"2\"}"},
        {.id = 2,
         .family = "supply",
         .device_id = 2,
         .state = ALERT_ACKED,
         .acked_by = HOSTILE,
         .suppressed = true,
         .message_args = "not json"},
        {.id = 3, .family = "jam", .device_id = 3, .state = ALERT_OK, .severity = SEVERITY_CRITICAL},
    };
    struct ticket tickets[] = {
        {.id = 7, .number = "T-7", .device_id = 1, .state = TICKET_NEW, .note = HOSTILE},
        {.id = 8, .number = "T-8", .device_id = 2, .state = TICKET_CLOSED},
        {.id = 9, .number = "8", .kind = TICKET_KIND_REQUEST, .site = "south", .state = TICKET_ON_SITE},
    };
    const struct step_record steps[] = {
        {7, 1, 1000, TICKET_NEW, false}, {7, 2, 2000, TICKET_ACCEPTED, true}, {8, 1, 1500, TICKET_NEW, false}};
    struct outbox outbox[] = {
        {.id = 1, .channel = "mail", .message_id = "a", .recipient = "x", .state = OUTBOX_SENT},
        {.id = 2, .channel = "mail", .message_id = "b", .recipient = "x", .state = OUTBOX_PENDING, .subject = "缺纸"},
    };
    struct change *c = change_new();

    for (size_t i = 0; i < 3; i++) {
        change_put_device(c, &devices[i]);
        change_put_alert(c, &alerts[i]);
        change_put_ticket(c, &tickets[i]);
        change_put_step(c, &steps[i]);
    }
    change_put_outbox(c, &outbox[0]);
    change_put_outbox(c, &outbox[1]);
    for (int i = 0; i < 6; i++) {
        static const char *const kinds[] = {"alert.opened", "alerted", "ticket.opened"};
        struct event *e = change_event(c, 1000 + i, kinds[i % 3]);

        e->device_id = i % 3;
        e->alert_id = i == 0 ? 1 : 0;
        e->ticket_id = i == 2 ? 7 : 0;
        event_arg(e, "text", HOSTILE);
    }
    fixture_submit_change(f, 1, c, true);
    fixture_pass(f, 20);
}

/* Two customers, one of them gone; a site of each that has the lobby's printer or nothing; people and contracts. */
static void fill_archive(struct fixture *f)
{
    static const struct archive_customer customers[] = {{.entry = {.id = 1, .name = "甲公司"}, .number = "K-1"},
                                                        {.entry = {.id = 2, .name = "乙公司"}},
                                                        {.entry = {.id = 3, .name = "丙", .removed = true}}};
    static const struct archive_site sites[] = {
        {.entry = {.id = 4, .name = "north"}, .customer = "甲公司", .zone = "Asia/Shanghai", .region = "江北"},
        {.entry = {.id = 5, .name = "south"}, .customer = "乙公司", .region = "江南"}};
    static const struct archive_contact contacts[] = {
        {.entry = {.id = 6, .name = "李"}, .customer = "甲公司", .gets = "report"},
        {.entry = {.id = 7, .name = "赵"}, .site = "north", .gets = "tickets,report"},
        {.entry = {.id = 8, .name = "孙"}, .site = "south", .gets = "tickets"}};
    static const struct archive_staff staff = {
        .entry = {.id = 9, .name = "wang"}, .full_name = "王工", .role = "technician", .sites = "north,south"};
    static const struct archive_contract contracts[] = {
        {.entry = {.id = 10, .name = "HT-1"},
         .customer = "甲公司",
         .kind = "full-service",
         .from_day = 20454,
         .sites = "north",
         .goal_ms = {{[PROMISE_RESPOND] = 1800000, [PROMISE_ON_SITE] = 14400000, [PROMISE_FIX] = 28800000}}}};
    struct change *c = change_new();

    for (size_t i = 0; i < 3; i++)
        change_put_entry(c, ARCHIVE_CUSTOMER, &customers[i].entry);
    for (size_t i = 0; i < 2; i++)
        change_put_entry(c, ARCHIVE_SITE, &sites[i].entry);
    for (size_t i = 0; i < 3; i++)
        change_put_entry(c, ARCHIVE_CONTACT, &contacts[i].entry);
    change_put_entry(c, ARCHIVE_STAFF, &staff.entry);
    change_put_entry(c, ARCHIVE_CONTRACT, &contracts[0].entry);
    fixture_submit_change(f, 2, c, true);
    fixture_pass(f, 20);
}

static void the_archive_and_its_filters(void **state)
{
    static const struct {
        const char *name, *filters, *want;
    } rows[] = {
        {"customers", NULL, "1 2"},
        {"customers", "{\"removed\": true}", "3"},
        {"customers", "{\"customer\": \"乙公司\"}", "2"},
        {"customers", "{\"customer\": 1}", "1"},
        {"sites", NULL, "4 5"},
        {"sites", "{\"customer\": \"甲公司\"}", "4"},
        {"sites", "{\"region\": \"江南\"}", "5"},
        {"sites", "{\"site\": \"north\"}", "4"},
        {"contacts", "{\"customer\": \"甲公司\"}", "6 7"},
        {"contacts", "{\"site\": \"north\"}", "7"},
        {"contacts", "{\"gets\": \"report\"}", "6 7"},
        {"contacts", "{\"gets\": \"repo\"}", ""},
        {"staff", "{\"role\": \"technician\"}", "9"},
        {"staff", "{\"site\": \"south\"}", "9"},
        {"staff", "{\"site\": \"out\"}", ""},
        {"contracts", "{\"kind\": \"full-service\"}", "10"},
        {"contracts", "{\"contract\": \"HT-1\"}", "10"},
        {"contracts", "{\"customer\": \"乙公司\"}", ""},
        {"devices", "{\"customer\": \"甲公司\"}", "1"},
    };
    struct fixture *f = *state;
    struct answer a;

    fixture_open(f);
    fill(f);
    fill_archive(f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_ids(f, rows[i].name, rows[i].filters, "id", rows[i].want);
    fixture_query(f, "contracts", NULL, 0, 0, &a);
    expect_member(f, &a, "$[0].from", "2026-01-01");
    expect_member(f, &a, "$[0].to", NULL);
    expect_member(f, &a, "$[0].p1", "respond=30m,on-site=4h,fix=8h");
    answer_fini(&a);
    fixture_query(f, "customers", NULL, 0, 0, &a);
    expect_member(f, &a, "$[0].devices", "1");
    expect_member(f, &a, "$[0].sites", "1");
    answer_fini(&a);
    fixture_query(f, "devices", NULL, 0, 0, &a);
    expect_member(f, &a, "$[0].customer", "甲公司");
    answer_fini(&a);
}

static void lists_and_their_filters(void **state)
{
    static const struct {
        const char *name, *filters, *key, *want;
    } rows[] = {
        {"devices", NULL, "id", "1 2"},
        {"devices", "{}", "id", "1 2"},
        {"devices", " {\"site\": null} ", "id", "1 2"},
        {"devices", "{\"retired\": true}", "id", "3"},
        {"devices", "{\"retired\": \"false\"}", "id", "1 2"},
        {"devices", "{\"site\": \"north\"}", "id", "1"},
        {"devices", "{\"class\": \"switch\"}", "id", "2"},
        {"devices", "{\"device\": \"墨 2\"}", "id", "2"},
        {"devices", "{\"device\": 1}", "id", "1"},
        {"devices", "{\"device\": \"1\"}", "id", "1"},
        {"devices", "{\"site\": \"' OR 1=1 --\"}", "id", ""},
        {"device", "{\"device\": \"attic\"}", "id", "3"},
        {"device", "{\"device\": \"cellar\"}", "id", ""},
        {"alerts", NULL, "id", "1 2 3"},
        {"alerts", "{\"state\": \"open\"}", "id", "1 2"},
        {"alerts", "{\"state\": \"closed\"}", "id", "3"},
        {"alerts", "{\"state\": \"all\"}", "id", "1 2 3"},
        {"alerts", "{\"device\": \"lobby\"}", "id", "1"},
        {"alerts", "{\"device\": 3, \"state\": \"open\"}", "id", ""},
        {"alerts", "{\"family\": \"jam\"}", "id", "1 3"},
        {"alerts", "{\"severity\": \"critical\", \"family\": \"jam\"}", "id", "3"},
        {"alert", "{\"id\": 2}", "id", "2"},
        {"alert", "{\"id\": \"2\"}", "id", "2"},
        {"tickets", NULL, "id", "7 8 9"},
        {"tickets", "{\"state\": \"open\"}", "id", "7 9"},
        {"tickets", "{\"state\": \"ended\"}", "id", "8"},
        {"tickets", "{\"state\": \"on-site\"}", "id", "9"},
        {"tickets", "{\"device\": \"墨 2\"}", "id", "8"},
        {"tickets", "{\"site\": \"south\"}", "id", "8 9"},
        {"tickets", "{\"kind\": \"request\"}", "id", "9"},
        {"tickets", "{\"customer\": \"nobody\"}", "id", ""},
        {"ticket_steps", "{\"ticket\": \"T-7\"}", "n", "1 2"},
        {"ticket_steps", "{\"ticket\": 8}", "n", "1"},
        {"ticket_steps", "{\"ticket\": \"T-9\"}", "n", ""},
        {"ticket", "{\"ticket\": \"T-7\"}", "id", "7"},
        {"ticket", "{\"ticket\": 7}", "id", "7"},
        {"events", NULL, "number", "1 2 3 4 5 6"},
        {"events", "{\"kind\": \"alert\"}", "number", "1 2 4 5"},
        {"events", "{\"kind\": \"alert.\"}", "number", "1 4"},
        {"events", "{\"kind\": \"%\"}", "number", ""},
        {"events", "{\"device\": \"lobby\"}", "number", "2 5"},
        {"events", "{\"device\": 2, \"kind\": \"ticket\"}", "number", "3 6"},
        {"events", "{\"ticket\": \"T-7\"}", "number", "3"},
        {"events", "{\"alert\": 1}", "number", "1"},
        {"outbox", NULL, "id", "1 2"},
        {"outbox", "{\"state\": \"pending\"}", "id", "2"},
    };
    struct fixture *f = *state;

    fixture_open(f);
    fill(f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_ids(f, rows[i].name, rows[i].filters, rows[i].key, rows[i].want);
}

static void members_of_rows(void **state)
{
    static const struct {
        const char *name, *path, *want;
    } rows[] = {
        {"devices", "$[0].name", "lobby"},
        {"devices", "$[0].address", "192.0.2.1"},
        {"devices", "$[0].serial", HOSTILE},
        {"devices", "$[0].make", NULL},
        {"devices", "$[0].port", "0"},
        {"devices", "$[0].retired", "0"}, /* false, as SQLite tells it */
        {"devices", "$[0].open_alerts", "1"},
        {"devices", "$[1].name", "墨 2"},
        {"alerts", "$[0].device", "lobby"},
        {"alerts", "$[0].ticket", "T-7"},
        {"alerts", "$[0].severity", "major"},
        {"alerts", "$[0].state", "firing"},
        {"alerts", "$[0].message_args.tray", "2"},
        {"alerts", "$[1].message_args", "not json"},
        {"alerts", "$[1].acked_by", HOSTILE},
        {"alerts", "$[1].ticket", NULL},
        {"alerts", "$[1].suppressed", "1"},
        {"tickets", "$[0].number", "T-7"},
        {"tickets", "$[0].device", "lobby"},
        {"tickets", "$[0].note", HOSTILE},
        {"tickets", "$[0].state", "new"},
        {"events", "$[1].device", "lobby"},
        {"events", "$[2].ticket", "T-7"},
        {"events", "$[0].kind", "alert.opened"},
        {"events", "$[0].at_ms", "1000"},
        {"events", "$[0].args.text", HOSTILE},
        {"events", "$[0].actor", NULL},
        {"outbox", "$[1].subject", "缺纸"},
    };
    struct fixture *f = *state;

    fixture_open(f);
    fill(f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer a;

        fixture_query(f, rows[i].name, NULL, 0, 0, &a);
        assert_int_equal(a.err, 0);
        expect_member(f, &a, rows[i].path, rows[i].want);
        answer_fini(&a);
    }
}

/* Written past the store: what a site has after years, and what is a scan for each device without the index. */
static void removed_devices_are_listed_among_many_events(void **state)
{
    static const char years[] =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO device (id, name,"
        " address, port, added_ms, identified_ms, retired) SELECT i, 'd' || i, 'a', 0, 1, 0, 1 FROM n;"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) INSERT INTO event"
        " SELECT i, i, iif(i > 29500, 'device.removed', 'device.up'), 1 + (i - 1) % 500, 0, 0, '{}', NULL FROM n;";
    struct fixture *f = *state;
    struct answer a;
    sqlite3 *db;

    fixture_open(f);
    db = fixture_connect(f, SQLITE_OPEN_READWRITE);
    assert_int_equal(sqlite3_exec(db, years, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    fixture_query(f, "devices", "{\"retired\": \"true\"}", 0, 1000, &a);
    if (a.err != 0)
        fail_msg("%s", a.why);
    expect_member(f, &a, "$[499].removed_ms", "30000");
    answer_fini(&a);
}

static void what_makes_no_sense_is_refused_in_words(void **state)
{
    static const struct {
        const char *name, *filters, *words;
        int err;
    } rows[] = {
        {"printers", NULL, "there is no query \"printers\"; there are devices, ", PD_EINVAL},
        {"devices", "{\"colour\": 1}",
         "there is no filter \"colour\" here; there are device, site, customer, class, retired", PD_EINVAL},
        {"devices", "{\"retired\": \"perhaps\"}", "filter \"retired\" can't be \"perhaps\"; it is one of true, false",
         PD_EINVAL},
        {"devices", "{\"site\": {\"a\": 1}}", "filter \"site\" can't be \"object\"", PD_EINVAL},
        {"devices", "{\"site\": [1]}", "filter \"site\" can't be \"array\"", PD_EINVAL},
        {"alerts", "{\"state\": \"firing\"}", "it is one of open, closed, all", PD_EINVAL},
        {"alert", NULL, "the filter \"id\" is wanted", PD_EINVAL},
        {"device", "{}", "the filter \"device\" is wanted", PD_EINVAL},
        {"devices", "[1, 2]", "not a JSON object", PD_EINVAL},
        {"devices", "", "not a JSON object", PD_EINVAL},
        {"devices", "{\"site\": ", "not a JSON object", PD_EINVAL},
        {"devices", "{} {}", "not a JSON object", PD_EINVAL},
        {"devices", "\"site\"", "not a JSON object", PD_EINVAL},
        {"readings", NULL, "the filter \"device\" is wanted", PD_EINVAL},
        {"readings", "{\"device\": \"cellar\"}", "there is no device \"cellar\"", PD_ENOENT},
        {"readings", "{\"device\": 1, \"from\": \"yesterday\"}", "it is a whole number", PD_EINVAL},
        {"readings", "{\"device\": 1, \"to\": 1.5}", "it is a whole number", PD_EINVAL},
    };
    struct fixture *f = *state;

    fixture_open(f);
    fill(f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer a;

        fixture_query(f, rows[i].name, rows[i].filters, 0, 0, &a);
        if (a.err != rows[i].err || !strstr(a.why, rows[i].words))
            fail_msg("row %zu: %d, %s", i, a.err, a.why);
        answer_fini(&a);
    }
    /* And what is all right still is. */
    expect_ids(f, "devices", NULL, "id", "1 2");
}

static void pages(void **state)
{
    struct fixture *f = *state;
    struct answer a;
    int64_t after = 0;
    int pages = 0;

    fixture_open(f);
    for (int i = 1; i <= 1001; i++)
        fixture_submit(f, i, "x", false);
    fixture_pass(f, 2000);
    do {
        fixture_query(f, "events", NULL, after, 100, &a);
        assert_int_equal(a.err, 0);
        assert_int_equal(a.nrows, ++pages < 11 ? 100 : 1);
        assert_int_equal(a.next, pages < 11 ? after + 100 : 0);
        after = a.next;
        answer_fini(&a);
    } while (after > 0);
    assert_int_equal(pages, 11);

    fixture_query(f, "events", NULL, 0, 0, &a);
    assert_int_equal(a.nrows, 500);
    answer_fini(&a);
    fixture_query(f, "events", NULL, 1, 1000, &a); /* exactly all of them */
    assert_int_equal(a.nrows, 1000);
    assert_int_equal(a.next, 0);
    answer_fini(&a);
    fixture_query(f, "events", NULL, 1001, 0, &a);
    assert_int_equal(a.nrows, 0);
    assert_string_equal(a.rows, "[]");
    answer_fini(&a);
    fixture_query(f, "events", NULL, INT64_MAX, 4000000000, &a);
    assert_int_equal(a.nrows, 0);
    answer_fini(&a);
}

static void a_page_is_bounded_in_bytes(void **state)
{
    struct fixture *f = *state;
    char *text = xcalloc(1, 100001);
    struct answer a;

    fixture_open(f);
    memset(text, 'x', 100000);
    for (int i = 1; i <= 100; i++) {
        struct change *c = change_new();

        event_arg(change_event(c, 1, "long"), "text", text);
        fixture_submit_change(f, i, c, false);
    }
    fixture_pass(f, 2000);
    fixture_query(f, "events", NULL, 0, 0, &a);
    assert_int_equal(a.err, 0);
    assert_in_range(a.nrows, 40, 44);
    assert_int_equal(a.next, a.nrows);
    answer_fini(&a);
    free(text);
}

/* ---- Readings ---- */

static void put_polls(struct fixture *f, int64_t device, int n, int64_t every_ms)
{
    struct component k = {.device_id = device, .number = 2, .kind = "supply", .key = HOSTILE, .label = "黑"};
    struct device d = {.id = device, .name = "p", .address = "a", .added_ms = f->clock.wall};
    struct change *c = change_new();

    change_put_device(c, &d);
    change_put_component(c, &k);
    fixture_submit_change(f, 1, c, false);
    for (int i = 0; i < n; i++) {
        const struct reading r[] = {
            {.component = 0, .point = 0, .value = value_bool(true)},
            {.component = 2, .point = 0, .value = value_num(12.5 + i)},
            {.component = 2, .point = 1, .value = {.type = VALUE_INT, .quality = QUALITY_SOME}},
            {.component = 2, .point = 2, .value = value_text(HOSTILE)},
            {.component = 9, .point = 0, .value = value_bits(UINT64_MAX)},
            {.component = 9, .point = 1, .value = value_num(0.1)},
            {.component = 9, .point = 2, .value = value_num(1.0 / 3)},
        };

        fixture_put_poll(f, device, 1000000 + i * every_ms, r, sizeof r / sizeof *r);
        fixture_put_poll(f, device + 1, 1000000 + i * every_ms, r, 1); /* a neighbour */
    }
    fixture_pass(f, 2000);
}

static void readings_as_rows(void **state)
{
    static const char want[] =
        "[{\"at_ms\":1000000,\"device_id\":4,\"device\":\"p\",\"readings\":["
        "{\"component\":0,\"point\":0,\"type\":\"bool\",\"quality\":\"good\",\"value\":true},"
        "{\"component\":2,\"kind\":\"supply\",\"key\":\"" HOSTILE_JSON "\",\"label\":\"黑\","
        "\"point\":0,\"type\":\"num\",\"quality\":\"good\",\"value\":12.5},"
        "{\"component\":2,\"kind\":\"supply\",\"key\":\"" HOSTILE_JSON "\",\"label\":\"黑\","
        "\"point\":1,\"type\":\"int\",\"quality\":\"some\",\"value\":null},"
        "{\"component\":2,\"kind\":\"supply\",\"key\":\"" HOSTILE_JSON "\",\"label\":\"黑\","
        "\"point\":2,\"type\":\"text\",\"quality\":\"good\",\"value\":\"" HOSTILE_JSON "\"},"
        "{\"component\":9,\"point\":0,\"type\":\"bits\",\"quality\":\"good\",\"value\":18446744073709551615},"
        "{\"component\":9,\"point\":1,\"type\":\"num\",\"quality\":\"good\",\"value\":0.1},"
        "{\"component\":9,\"point\":2,\"type\":\"num\",\"quality\":\"good\",\"value\":0.33333333333333331}]}]";
    struct fixture *f = *state;
    struct answer a;

    fixture_open(f);
    put_polls(f, 4, 1, 1);
    fixture_query(f, "readings", "{\"device\": \"p\"}", 0, 0, &a);
    assert_int_equal(a.err, 0);
    assert_string_equal(a.rows, want);
    answer_fini(&a);
}

/* Polls five minutes apart, so two a slice, read by pages of seven within a time range. */
static void readings_by_range_and_page(void **state)
{
    static const struct {
        int64_t from, to;
        int want;
    } rows[] = {
        {0, INT64_MAX, 100},    {1000000, 1000000, 1}, {1000001, 1299999, 0},   {1000001, 1300000, 1},
        {1300000, 4000000, 10}, {0, 999999, 0},        {30700000, 40000000, 1}, {30700001, 40000000, 0},
    };
    struct fixture *f = *state;

    fixture_open(f);
    put_polls(f, 4, 100, 300000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *filters =
            xasprintf("{\"device\": 4, \"from\": %" PRId64 ", \"to\": %" PRId64 "}", rows[i].from, rows[i].to);
        int64_t after = 0;
        size_t n = 0;

        do {
            struct answer a;

            fixture_query(f, "readings", filters, after, 7, &a);
            assert_int_equal(a.err, 0);
            assert_true(a.next == 0 || a.nrows == 7);
            n += a.nrows;
            after = a.next;
            answer_fini(&a);
        } while (after > 0);
        if (n != (size_t)rows[i].want)
            fail_msg("row %zu: %zu polls", i, n);
        free(filters);
    }
}

static void damaged_readings_say_so(void **state)
{
    struct fixture *f = *state;
    struct answer a;

    fixture_open(f);
    put_polls(f, 4, 20, 1000);
    fixture_alter(f, "UPDATE poll SET data = substr(data, 2) WHERE at_ms = 1003000");
    fixture_query(f, "readings", "{\"device\": 4}", 0, 0, &a);
    assert_int_equal(a.err, 0);
    assert_int_equal(a.nrows, 20);
    expect_member(f, &a, "$[2].readings[0].value", "1");
    expect_member(f, &a, "$[3].readings", NULL);
    expect_member(f, &a, "$[3].error", pd_strerror(PD_ECORRUPT));
    expect_member(f, &a, "$[15].error", pd_strerror(PD_ECORRUPT)); /* told by the one before it, and that one too */
    expect_member(f, &a, "$[16].readings[0].value", "1");
    answer_fini(&a);
}

/* ---- The reader ---- */

static void answers_while_commits_fail(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fill(f);
    memvfs_set_room(f->mem, 0);
    fixture_submit(f, 2, "x", true);
    fixture_pass(f, 100);
    assert_int_equal(f->trouble, PD_ENOSPC);
    expect_ids(f, "events", NULL, "number", "1 2 3 4 5 6");
    memvfs_set_room(f->mem, -1);
}

static void sees_what_was_committed_only(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_submit(f, 1, "x", false);
    expect_ids(f, "events", NULL, "number", "");
    fixture_pass(f, 1100);
    expect_ids(f, "events", NULL, "number", "1");
}

static void count_cancelled(void *arg, const struct query_page *page)
{
    *(int *)arg += page->err == PD_ECANCELLED && page->why;
}

static void closing_cancels_what_waits(void **state)
{
    struct fixture *f = *state;
    int cancelled = 0;

    fixture_open(f);
    for (int i = 0; i < 3; i++)
        store_query(f->store, &(struct query_args){.name = "events"}, count_cancelled, &cancelled);
    fixture_close(f);
    assert_int_equal(cancelled, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ON_BOTH(lists_and_their_filters),
        TEST_ON_BOTH(the_archive_and_its_filters),
        TEST_ON_BOTH(members_of_rows),
        TEST_ON_BOTH(removed_devices_are_listed_among_many_events),
        TEST_ON_BOTH(what_makes_no_sense_is_refused_in_words),
        TEST_ON_BOTH(pages),
        TEST_IN_MEMORY(a_page_is_bounded_in_bytes),
        TEST_ON_BOTH(readings_as_rows),
        TEST_IN_MEMORY(readings_by_range_and_page),
        TEST_IN_MEMORY(damaged_readings_say_so),
        TEST_IN_MEMORY(answers_while_commits_fail),
        TEST_ON_BOTH(sees_what_was_committed_only),
        TEST_IN_MEMORY(closing_cancels_what_waits),
    };

    return cmocka_run_group_tests_name("store/query", tests, NULL, NULL);
}
