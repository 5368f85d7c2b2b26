#include "tests/daemon/office.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

/* The first workday of the month after National Day: Thu 8 October 2026; late from Sat 10 on, which is worked. */
static const char monthly[] = "  monthly:\n"
                              "    title: {en: Monthly patrol, zh_CN: 月度巡检}\n"
                              "    rule: FREQ=MONTHLY;BYMONTHDAY=1\n"
                              "    start: 2026-01-01\n"
                              "    shift: forward\n"
                              "    calendar: cn-office\n"
                              "    grace: 2d\n";

static const char *member(const json_t *rows, size_t i, const char *name)
{
    const char *text = json_string_value(json_object_get(json_array_get(rows, i), name));

    return text ? text : "";
}

static int64_t number(const json_t *rows, size_t i, const char *name)
{
    return json_integer_value(json_object_get(json_array_get(rows, i), name));
}

static void must(struct office *o, const char *name, const char *args)
{
    char *text = NULL;

    if (office_command(o, name, args, &text) != 0)
        fail_msg("%s %s: %s", name, args, text);
    free(text);
}

/* Mails so far to somebody whose subject begins so. */
static size_t mails(const struct office *o, const char *to, const char *subject)
{
    size_t n = 0;

    for (size_t i = 0; i < o->post.mails.n; i++)
        n += strcmp(o->post.mails.v[i].to, to) == 0 &&
             strncmp(o->post.mails.v[i].subject, subject, strlen(subject)) == 0;
    return n;
}

static const struct mail *last_mail(const struct office *o, const char *to)
{
    for (size_t i = o->post.mails.n; i-- > 0;)
        if (strcmp(o->post.mails.v[i].to, to) == 0)
            return &o->post.mails.v[i];
    fail_msg("no mail to %s", to);
    return NULL;
}

static struct office *planned_office(void)
{
    struct office *o = office_new();

    o->plans = monthly;
    office_stop(o);
    office_start(o);
    must(o, "staff.add",
         "{\"login\":\"li\",\"name\":\"李伟\",\"role\":\"technician\",\"mail\":\"li@example.com\","
         "\"language\":\"zh_CN\"}");
    must(o, "staff.add",
         "{\"login\":\"tom\",\"name\":\"Tom\",\"role\":\"technician\",\"mail\":\"tom@example.com\","
         "\"language\":\"en\"}");
    must(o, "staff.add",
         "{\"login\":\"zhao\",\"name\":\"赵强\",\"role\":\"supervisor\",\"mail\":\"zhao@example.com\","
         "\"language\":\"zh_CN\"}");
    office_add_printer(o);
    return o;
}

static void a_month_with_a_round(void **state)
{
    struct office *o = planned_office();
    json_t *rows;

    (void)state;
    office_set_jam(o, true);
    office_until(o, "2026-10-08 09:01");
    rows = office_query(o, "rounds", "{\"state\":\"open\"}");
    assert_int_equal(json_array_size(rows), 1);
    assert_string_equal(member(rows, 0, "state"), "generated");
    assert_string_equal(member(rows, 0, "site"), "总部");
    assert_int_equal(number(rows, 0, "visits"), 1);
    json_decref(rows);
    assert_int_equal(mails(o, "li@example.com", "[巡检] 总部 月度巡检到期 · 巡检单 1"), 1);
    assert_int_equal(mails(o, "tom@example.com", "[patrol] Monthly patrol, 总部: round 1 is due"), 1);
    assert_int_equal(mails(o, "zhao@example.com", ""), 0);

    office_until(o, "2026-10-11 00:00");
    assert_int_equal(mails(o, "li@example.com", "[巡检逾期] 总部 月度巡检 · 巡检单 1"), 1);
    assert_int_equal(mails(o, "zhao@example.com", "[巡检逾期]"), 0);
    office_until(o, "2026-10-12 09:00");
    assert_int_equal(mails(o, "tom@example.com", "[patrol overdue] Monthly patrol, 总部: round 1"), 2);
    assert_int_equal(mails(o, "zhao@example.com", "[巡检逾期]"), 1);
    assert_non_null(strstr(last_mail(o, "zhao@example.com")->body, "以下巡检已超过应完成的时间。\n"));
    assert_non_null(strstr(last_mail(o, "zhao@example.com")->body, "2026-10-10 09:00:00 (Asia/Shanghai, UTC+08:00)\n"));
    assert_non_null(strstr(last_mail(o, "zhao@example.com")->body, "已完成 0 / 共 1\n"));
    assert_non_null(
        strstr(last_mail(o, "tom@example.com")->body, "A patrol round should have been finished by now.\n"));
    assert_non_null(strstr(last_mail(o, "tom@example.com")->body, "0 of 1 done\n"));

    must(o, "patrol.fill",
         "{\"round\":\"monthly\",\"device\":\"3F-影印\",\"items\":{\"rollers\":\"attention\"},"
         "\"note\":\"磨损\",\"all_ok\":true}");
    must(o, "patrol.sign", "{\"round\":1,\"by\":\"王芳\"}");
    rows = office_query(o, "rounds", NULL);
    assert_string_equal(member(rows, 0, "state"), "signed");
    assert_string_equal(member(rows, 0, "signed_by"), "王芳");
    assert_int_equal(number(rows, 0, "items_open"), 0);
    assert_int_equal(number(rows, 0, "attention"), 1);
    assert_int_equal(number(rows, 0, "fault"), 1);
    json_decref(rows);
    office_free(o);
}

static void findings_are_tickets_and_a_fault_keeps_its_own(void **state)
{
    struct office *o = planned_office();
    json_t *rows;

    (void)state;
    office_set_jam(o, true);
    office_until(o, "2026-10-08 10:00");
    must(o, "patrol.fill",
         "{\"round\":1,\"device\":\"3F-影印\",\"items\":[\"rollers=fault\"],\"all_ok\":true,"
         "\"note\":\"开裂\"}");
    must(o, "patrol.sign", "{\"round\":1,\"by\":\"王芳\"}");
    rows = office_query(o, "tickets", "{\"state\":\"open\"}");
    assert_int_equal(json_array_size(rows), 2);
    assert_string_equal(member(rows, 0, "rule"), "jam");
    assert_string_equal(member(rows, 1, "kind"), "finding");
    assert_string_equal(member(rows, 1, "device"), "3F-影印");
    json_decref(rows);
    rows = office_query(o, "items", "{\"round\":1,\"result\":\"fault\"}");
    assert_int_equal(json_array_size(rows), 2);
    assert_string_equal(member(rows, 0, "code"), "state");
    assert_string_equal(member(rows, 0, "ticket"), "PK-000001");
    assert_string_equal(member(rows, 1, "code"), "rollers");
    assert_string_equal(member(rows, 1, "ticket"), "PK-000002");
    json_decref(rows);
    assert_int_equal(office_count(o, "ticket.opened"), 2);
    office_free(o);
}

static void a_restart_makes_nothing_twice_and_loses_nothing(void **state)
{
    struct office *o = planned_office();
    json_t *rows;

    (void)state;
    office_until(o, "2026-10-08 08:00");
    office_kill(o);
    clock_fake_advance(&o->time, INT64_C(3) * 86400000); /* down over the due time and the deadline */
    office_start(o);
    office_pass(o, 5 * SECOND_MS);
    office_kill(o);
    office_start(o);
    office_pass(o, 5 * SECOND_MS);
    rows = office_query(o, "rounds", NULL);
    assert_int_equal(json_array_size(rows), 1);
    assert_string_equal(member(rows, 0, "state"), "overdue");
    json_decref(rows);
    assert_int_equal(office_count(o, "round.generated"), 1);
    assert_int_equal(office_count(o, "round.overdue"), 1);
    must(o, "patrol.fill", "{\"round\":1,\"all_ok\":true}");
    office_kill(o);
    office_start(o);
    must(o, "patrol.sign", "{\"round\":1,\"by\":\"王芳\"}");
    office_free(o);
}

static void a_disk_that_takes_nothing_delays_a_round_and_loses_nothing(void **state)
{
    struct office *o = planned_office();
    json_t *rows;

    (void)state;
    office_until(o, "2026-10-08 08:55");
    memvfs_set_faults(o->disk, MEMVFS_FAIL_WRITE);
    office_until(o, "2026-10-08 09:30");
    assert_int_equal(office_count(o, "round.generated"), 0);
    assert_true(office_command(o, "patrol.fill", "{\"round\":1,\"all_ok\":true}", NULL) < 0);
    memvfs_set_faults(o->disk, 0);
    office_until(o, "2026-10-08 10:00");
    rows = office_query(o, "rounds", NULL);
    assert_int_equal(json_array_size(rows), 1);
    assert_string_equal(member(rows, 0, "state"), "generated");
    json_decref(rows);
    assert_int_equal(office_count(o, "round.generated"), 1);
    assert_int_equal(mails(o, "li@example.com", "[巡检] 总部 月度巡检到期"), 1);
    must(o, "patrol.fill", "{\"round\":1,\"all_ok\":true}");
    must(o, "patrol.sign", "{\"round\":1,\"by\":\"王芳\"}");
    office_free(o);
}

static const struct {
    const char *command, *args;
    int err;
    const char *why;
} wrong[] = {
    {"patrol.fill", "{\"device\":\"3F-影印\",\"all_ok\":true}", PD_EINVAL, "'round' is missing"},
    {"patrol.fill", "{\"round\":1,\"items\":\"rollers\"}", PD_EINVAL,
     "items wants {\"ITEM\":\"RESULT\"} or [\"ITEM=RESULT\"]"},
    {"patrol.fill", "{\"round\":1,\"items\":[\"rollers\"]}", PD_EINVAL,
     "an item is filled in as ITEM=RESULT, such as rollers=ok"},
    {"patrol.fill", "{\"round\":1,\"device\":\"3F-影印\",\"item\":\"rollers\"}", PD_EINVAL,
     "'item' and 'result' are texts and stand together"},
    {"patrol.fill", "{\"round\":1,\"devise\":\"x\"}", PD_EINVAL, "unknown argument 'devise' (did you mean 'device'?)"},
    {"patrol.fill", "{\"round\":1,\"device\":\"3F-影印\",\"items\":{\"rollers\":\"ok\"},\"note\":\"a\\nb\"}", PD_EINVAL,
     "note has control characters, or spaces at an end"},
    {"patrol.sign", "{\"round\":1}", PD_EINVAL, "'by' is missing"},
    {"patrol.sign", "{\"round\":\"weekly\",\"by\":\"x\"}", PD_ENOENT, "there is no open round 'weekly'"},
    {"patrol.sing", "{\"round\":1}", PD_EINVAL, "unknown command 'patrol.sing' (did you mean 'patrol.sign'?)"},
};

static void wrong_commands_are_refused_in_words(void **state)
{
    struct office *o = planned_office();

    (void)state;
    office_until(o, "2026-10-08 10:00");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *text = NULL;
        int err = office_command(o, wrong[i].command, wrong[i].args, &text);

        if (err != wrong[i].err || strcmp(text, wrong[i].why) != 0)
            fail_msg("%s %s: %d, %s", wrong[i].command, wrong[i].args, err, text);
        free(text);
    }
    office_free(o);
}

/* ---- The power fails ---- */

/* Due a few minutes after the office opens. */
static const char soon[] = "  soon:\n"
                           "    title: {en: Soon}\n"
                           "    rule: FREQ=DAILY;COUNT=1\n"
                           "    start: 2026-09-30\n"
                           "    at: \"16:20\"\n"
                           "  filters:\n"
                           "    title: {en: Filters}\n"
                           "    kind: preventive\n"
                           "    rule: FREQ=DAILY;COUNT=1\n"
                           "    start: 2026-09-30\n"
                           "    at: \"16:20\"\n";

struct patience {
    bool done;
    int err;
};

static void answered(void *arg, int err, const char *json_or_why)
{
    (void)json_or_why;
    *(struct patience *)arg = (struct patience){true, err};
}

/* A command whose answer may never come. */
static void try(struct office *o, struct patience *p, const char *name, const char *args)
{
    core_command(o->core, name, args, "li", answered, p);
    for (int i = 0; i < 20 && !p->done; i++)
        office_pass(o, 100);
}

/* As far as the power lets it: waits for the round, fills it in, signs it. True once it is signed on disk. */
static bool work(struct office *o)
{
    struct patience filled = {0}, *signed_ = xcalloc(1, sizeof *signed_);
    bool done;

    office_until(o, "2026-09-30 16:20");
    office_pass(o, 2 * SECOND_MS);
    try(o, &filled, "patrol.fill",
        "{\"round\":1,\"items\":[\"rollers=fault\"],\"device\":\"3F-影印\",\"all_ok\":true}");
    try(o, signed_, "patrol.sign", "{\"round\":1,\"by\":\"王芳\"}");
    done = signed_->done && signed_->err == 0;
    office_stop(o); /* answers what is still open */
    free(signed_);
    return done;
}

static void expect_once(struct office *o, uint64_t cut)
{
    json_t *rounds = office_query(o, "rounds", NULL), *tickets = office_query(o, "tickets", NULL);
    json_t *items = office_query(o, "items", "{\"result\":\"fault\"}");
    size_t findings = 0, preventive = 0;

    for (size_t i = 0; i < json_array_size(tickets); i++) {
        findings += strcmp(member(tickets, i, "kind"), "finding") == 0;
        preventive += strcmp(member(tickets, i, "kind"), "preventive") == 0;
    }
    if (json_array_size(rounds) != 1 || strcmp(member(rounds, 0, "state"), "signed") != 0 || findings != 1 ||
        preventive != 1 || json_array_size(items) != 1 || number(items, 0, "ticket_id") == 0)
        fail_msg("power cut at %d: %zu rounds (%s), %zu findings, %zu preventive tickets, %zu items", (int)cut,
                 json_array_size(rounds), member(rounds, 0, "state"), findings, preventive, json_array_size(items));
    json_decref(rounds);
    json_decref(tickets);
    json_decref(items);
}

/* One life with the power cut at the n-th sync after the printer is there (0: never); gives how many there were. */
static uint64_t live_once(uint64_t cut)
{
    struct office *o = office_new();
    uint64_t before, syncs;
    bool done;

    o->plans = soon;
    office_stop(o);
    office_start(o);
    office_add_printer(o);
    before = memvfs_syncs(o->disk);
    if (cut > 0)
        memvfs_cut_power_at(o->disk, before + cut);
    done = work(o);
    syncs = memvfs_syncs(o->disk) - before;
    memvfs_cut_power_at(o->disk, 0);
    office_power_cycle(o, cut);
    office_start(o);
    office_pass(o, 2 * SECOND_MS);
    if (!done) { /* staff try again; what was signed without an answer is signed */
        struct patience filled = {0}, tried = {0};

        try(o, &filled, "patrol.fill",
            "{\"round\":1,\"items\":[\"rollers=fault\"],\"device\":\"3F-影印\",\"all_ok\":true}");
        try(o, &tried, "patrol.sign", "{\"round\":1,\"by\":\"王芳\"}");
    }
    expect_once(o, cut);
    office_free(o);
    return syncs;
}

static void power_that_fails_at_any_sync_doubles_and_loses_nothing(void **state)
{
    uint64_t syncs = live_once(0);

    (void)state;
    assert_true(syncs > 5);
    for (uint64_t cut = 1; cut <= syncs; cut++)
        live_once(cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_month_with_a_round),
        cmocka_unit_test(findings_are_tickets_and_a_fault_keeps_its_own),
        cmocka_unit_test(a_restart_makes_nothing_twice_and_loses_nothing),
        cmocka_unit_test(a_disk_that_takes_nothing_delays_a_round_and_loses_nothing),
        cmocka_unit_test(wrong_commands_are_refused_in_words),
        cmocka_unit_test(power_that_fails_at_any_sync_doubles_and_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
