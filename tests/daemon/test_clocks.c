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
#include "daemon/live.h"

/*
 * Service-level clocks in a whole patrold: it is Wednesday, 2026-09-30, a little
 * after 16:15 in Shanghai; from tomorrow the offices are closed until Thursday, 8 October.
 */

/* Lets time pass from one thing that is due to the next. */
static void leap(struct office *o, int64_t ms)
{
    int64_t end = o->time.mono + ms;

    while (o->time.mono < end) {
        int64_t next = wheel_next(o->wheel);

        next = next > end ? end : next <= o->time.mono ? o->time.mono + 10 : next;
        clock_fake_advance(&o->time, next - o->time.mono);
        wheel_advance(o->wheel, o->time.mono);
    }
}

static void leap_to(struct office *o, int64_t wall_ms)
{
    leap(o, wall_ms - o->time.wall);
}

/* An instant as the clocks in Shanghai show it on a day of September (below 0) or October 2026. */
static int64_t at(int day, int hour, int minute)
{
    const int64_t october = INT64_C(1790784000000); /* 2026-10-01 00:00 there */

    return october + ((int64_t)(day - 1) * 24 + hour) * HOUR_MS + (int64_t)minute * MINUTE_MS;
}

enum { SEPTEMBER_30 = 0 };

static void must(struct office *o, const char *name, const char *args)
{
    char *text = NULL;

    if (office_command(o, name, args, &text) != 0)
        fail_msg("%s %s: %s", name, args, text);
    free(text);
}

/* A printer of a customer, whose contract counts in office hours; those who are told. */
static void furnish(struct office *o)
{
    office_add_printer(o);
    must(o, "customer.add", "{\"name\":\"甲公司\"}");
    must(o, "site.add", "{\"name\":\"总部\",\"customer\":\"甲公司\",\"zone\":\"Asia/Shanghai\"}");
    must(o, "device.set", "{\"device\":\"3F-影印\",\"site\":\"总部\",\"location\":\"三楼东\"}");
    must(o, "contract.add",
         "{\"number\":\"HT-1\",\"customer\":\"甲公司\",\"kind\":\"full-service\",\"calendar\":\"cn-office\","
         "\"p2\":\"respond=30m,on-site=2h,fix=4h\",\"p3\":\"respond=1h,complaint-result=6h\"}");
    must(o, "staff.add",
         "{\"login\":\"wang\",\"name\":\"王工\",\"role\":\"technician\",\"mail\":\"wang@example.com\",\"language\":"
         "\"en\"}");
    must(o, "staff.add",
         "{\"login\":\"zhao\",\"name\":\"赵主管\",\"role\":\"supervisor\",\"mail\":\"zhao@example.com\","
         "\"language\":\"zh_CN\",\"sites\":\"总部\"}");
    must(o, "staff.add",
         "{\"login\":\"qian\",\"name\":\"钱经理\",\"role\":\"manager\",\"mail\":\"qian@example.com\",\"language\":"
         "\"en\"}");
    must(o, "contact.add",
         "{\"name\":\"李女士\",\"customer\":\"甲公司\",\"mail\":\"li@customer.example\",\"language\":\"zh_CN\","
         "\"gets\":\"tickets\"}");
}

static int setup(void **state)
{
    struct office *o = office_new();

    *state = o;
    furnish(o);
    return 0;
}

static int teardown(void **state)
{
    office_free(*state);
    return 0;
}

/* ---- Looking ---- */

/* The nth mail to an address, counted from 0; NULL. */
static const struct mail *mail_to(const struct office *o, const char *address, size_t n)
{
    for (size_t i = 0; i < o->post.mails.n; i++)
        if (strcmp(o->post.mails.v[i].to, address) == 0 && n-- == 0)
            return &o->post.mails.v[i];
    return NULL;
}

static size_t mails_to(const struct office *o, const char *address)
{
    size_t n = 0;

    while (mail_to(o, address, n))
        n++;
    return n;
}

static void expect_mail(const struct office *o, const char *address, size_t n, const char *subject, const char *part)
{
    const struct mail *m = mail_to(o, address, n);

    if (!m)
        fail_msg("%s: no mail %zu", address, n);
    else if (strcmp(m->subject, subject) != 0)
        fail_msg("%s: '%s', not '%s'", address, m->subject, subject);
    else if (!strstr(m->body, part))
        fail_msg("%s: no '%s' in:\n%s", address, part, m->body);
}

/* A member of the row of a ticket's promise; NULL if nothing was promised. Borrowed from *rows (json_decref it). */
static const json_t *clock_member(struct office *o, const char *ticket, const char *promise, const char *member,
                                  json_t **rows)
{
    json_t *filters = json_pack("{s:s}", "ticket", ticket), *row;
    struct live_args a = {.filters = filters, .limit = 10};
    size_t i;

    assert_true(live_query(o->core, "clocks", &a));
    json_decref(filters);
    *rows = a.rows;
    json_array_foreach(a.rows, i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "promise")), promise) == 0)
            return json_object_get(row, member);
    }
    return NULL;
}

static int64_t deadline(struct office *o, const char *ticket, const char *promise)
{
    json_t *rows;
    int64_t ms = json_integer_value(clock_member(o, ticket, promise, "deadline_ms", &rows));

    json_decref(rows);
    return ms;
}

static void expect_clock(struct office *o, const char *ticket, const char *promise, const char *state)
{
    json_t *rows;
    const char *found = json_string_value(clock_member(o, ticket, promise, "state", &rows));

    if (!str_eq(found, state))
        fail_msg("%s of %s is %s, not %s", promise, ticket, found ? found : "not promised",
                 state ? state : "not promised");
    json_decref(rows);
}

static void jam(struct office *o)
{
    office_set_jam(o, true);
    office_pass(o, 3 * MINUTE_MS);
}

static void open_request(struct office *o)
{
    must(o, "ticket.open", "{\"title\":\"换纸\",\"device\":\"3F-影印\",\"severity\":\"major\"}");
}

/* ---- A ticket's life ---- */

static void contacts_are_told_of_the_beginning_and_the_end(void **state)
{
    struct office *o = *state;

    jam(o);
    expect_mail(o, "li@customer.example", 0, "[重要] 打印机 3F-影印 卡纸 · PK-000001", "位置      三楼东\n");
    office_set_jam(o, false);
    office_pass(o, 3 * MINUTE_MS);
    expect_mail(o, "li@customer.example", 1, "[恢复] 打印机 3F-影印 卡纸 · PK-000001", "自行恢复");
    assert_int_equal(mails_to(o, "wang@example.com"), 0);
    must(o, "ticket.open", "{\"title\":\"季度保养\",\"site\":\"总部\",\"kind\":\"preventive\",\"severity\":\"info\"}");
    office_pass(o, MINUTE_MS);
    assert_int_equal(mails_to(o, "li@customer.example"), 2);
}

static void a_promise_in_danger_goes_up_step_by_step(void **state)
{
    struct office *o = *state;

    leap_to(o, at(SEPTEMBER_30, 16, 30));
    open_request(o);
    leap_to(o, at(SEPTEMBER_30, 16, 52));
    assert_int_equal(office_count(o, "ticket.warned"), 0);
    leap_to(o, at(SEPTEMBER_30, 16, 53));
    assert_int_equal(office_count(o, "ticket.warned"), 1);
    expect_mail(
        o, "wang@example.com", 0, "[due soon] Printer 3F-影印 换纸: Response by 2026-09-30 17:00 · PK-000001",
        "Three quarters of the promised time are over (Response): 换纸\n"
        "\n"
        "Response        due 2026-09-30 17:00:00 (Asia/Shanghai, UTC+08:00); 7 min 30 s of service time left\n"
        "On site         due 2026-10-08 09:00:00 (Asia/Shanghai, UTC+08:00); 1 h 37 min of service time left\n");
    assert_int_equal(mails_to(o, "zhao@example.com"), 0);
    leap_to(o, at(SEPTEMBER_30, 17, 1));
    assert_int_equal(office_count(o, "ticket.missed"), 1);
    expect_mail(o, "zhao@example.com", 0, "[已超时] 打印机 3F-影印 换纸：响应期限为 2026-09-30 17:00 · PK-000001",
                "响应      期限 2026-09-30 17:00:00 (Asia/Shanghai, UTC+08:00)，已到期\n");
    expect_clock(o, "PK-000001", "respond", "missed");
    assert_int_equal(mails_to(o, "wang@example.com"), 1);
    assert_int_equal(mails_to(o, "qian@example.com"), 0);
}

static void the_fix_is_watched_over_the_holidays_up_to_the_manager(void **state)
{
    struct office *o = *state;

    leap_to(o, at(SEPTEMBER_30, 17, 0));
    open_request(o);
    must(o, "ticket.accept", "{\"ticket\":1}");
    must(o, "ticket.dispatch", "{\"ticket\":1,\"assignee\":\"王工\"}");
    must(o, "ticket.arrive", "{\"ticket\":1}");
    assert_true(deadline(o, "PK-000001", "fix") == at(8, 11, 30));
    leap_to(o, at(8, 10, 29));
    assert_int_equal(office_count(o, "ticket.warned"), 0);
    leap_to(o, at(8, 10, 31));
    expect_mail(o, "wang@example.com", 0, "[due soon] Printer 3F-影印 换纸: Fix by 2026-10-08 11:30 · PK-000001",
                "Response        kept\n");
    leap_to(o, at(8, 11, 31));
    assert_int_equal(mails_to(o, "zhao@example.com"), 1);
    assert_int_equal(mails_to(o, "qian@example.com"), 0);
    leap_to(o, at(8, 17, 1)); /* lunch does not count: half an hour before it, three and a half after */
    expect_mail(o, "qian@example.com", 0,
                "[long overdue] Printer 3F-影印 换纸: Fix was due 2026-10-08 11:30 · PK-000001",
                "over by 4 h of service time");
    assert_int_equal(office_count(o, "ticket.warned"), 1);
    assert_int_equal(office_count(o, "ticket.missed"), 1);
    assert_int_equal(office_count(o, "ticket.escalated"), 1);
    assert_int_equal(mails_to(o, "wang@example.com"), 1);
    must(o, "ticket.fix", "{\"ticket\":1}");
    leap_to(o, at(12, 12, 0));
    assert_int_equal(mails_to(o, "qian@example.com"), 1);
}

static void what_waits_for_the_customer_stands_still(void **state)
{
    struct office *o = *state;

    leap_to(o, at(SEPTEMBER_30, 17, 0));
    open_request(o);
    must(o, "ticket.accept", "{\"ticket\":1}");
    must(o, "ticket.dispatch", "{\"ticket\":1,\"assignee\":\"wang\"}");
    must(o, "ticket.arrive", "{\"ticket\":1}");
    must(o, "ticket.wait-customer", "{\"ticket\":1}");
    leap_to(o, at(9, 9, 0));
    expect_clock(o, "PK-000001", "fix", "paused");
    assert_int_equal(office_count(o, "ticket.warned"), 0);
    must(o, "ticket.resume", "{\"ticket\":1}");
    leap_to(o, at(9, 12, 1));
    assert_int_equal(office_count(o, "ticket.warned"), 1);
    expect_clock(o, "PK-000001", "fix", "soon");
}

static void complaints_have_promises_of_their_own(void **state)
{
    struct office *o = *state;

    leap_to(o, at(SEPTEMBER_30, 17, 0));
    must(o, "ticket.open", "{\"title\":\"无人回电\",\"site\":\"总部\",\"kind\":\"complaint\",\"note\":\"两次\"}");
    expect_clock(o, "PK-000001", "complaint-result", "running");
    expect_clock(o, "PK-000001", "respond", NULL);
    office_pass(o, MINUTE_MS);
    expect_mail(o, "boss@example.com", 0, "[warning] 总部 无人回电 · PK-000001", "Kind      complaint\n");
    leap_to(o, at(8, 16, 0));
    expect_mail(o, "zhao@example.com", 0, "[已超时] 总部 无人回电：投诉处理期限为 2026-10-08 15:00 · PK-000001",
                "备注      两次\n");
}

/* ---- Nobody twice, nothing lost ---- */

static void an_address_is_told_once_whatever_it_stands_for(void **state)
{
    struct office *o = *state;

    must(o, "contact.add",
         "{\"name\":\"同一人\",\"site\":\"总部\",\"mail\":\"Service@Example.com\",\"gets\":\"tickets\"}");
    must(o, "contact.add", "{\"name\":\"别人\",\"site\":\"总部\",\"mail\":\"other@example.com\",\"gets\":\"report\"}");
    open_request(o);
    office_pass(o, MINUTE_MS);
    assert_int_equal(mails_to(o, "service@example.com"), 1);
    assert_int_equal(mails_to(o, "Service@Example.com"), 0);
    assert_int_equal(mails_to(o, "other@example.com"), 0);
}

static void with_no_staff_the_configured_recipients_hear_of_it(void **state)
{
    struct office *o = *state;

    must(o, "staff.set", "{\"staff\":\"wang\",\"mail\":null}");
    leap_to(o, at(SEPTEMBER_30, 16, 30));
    open_request(o);
    leap_to(o, at(SEPTEMBER_30, 16, 53));
    assert_int_equal(mails_to(o, "service@example.com"), 2);
    assert_int_equal(mails_to(o, "boss@example.com"), 2);
    assert_int_equal(mails_to(o, "li@customer.example"), 1);
}

static void a_restart_knows_the_same_deadlines(void **state)
{
    struct office *o = *state;
    int64_t before;

    open_request(o);
    must(o, "ticket.accept", "{\"ticket\":1}");
    must(o, "ticket.loaner", "{\"ticket\":1}");
    before = deadline(o, "PK-000001", "fix");
    assert_true(before > 0);
    leap(o, 20 * MINUTE_MS);
    office_kill(o);
    office_start(o);
    assert_true(deadline(o, "PK-000001", "fix") == before);
    assert_int_equal(office_command(o, "ticket.loaner", "{\"ticket\":1}", NULL), PD_ESTATE);
    leap_to(o, at(8, 12, 0));
    assert_int_equal(office_count(o, "ticket.missed"), 2);
}

/* Of what became due while nobody was there only the gravest is told, once. */
static void after_downtime_the_gravest_is_told_once(void **state)
{
    struct office *o = *state;

    leap_to(o, at(SEPTEMBER_30, 17, 0));
    open_request(o);
    office_stop(o);
    leap_to(o, at(10, 9, 0));
    office_start(o);
    leap(o, MINUTE_MS);
    assert_int_equal(office_count(o, "ticket.warned"), 0);
    assert_int_equal(office_count(o, "ticket.missed"), 2);
    assert_int_equal(office_count(o, "ticket.escalated"), 1);
    assert_int_equal(mails_to(o, "wang@example.com"), 0);
    assert_int_equal(mails_to(o, "zhao@example.com"), 1);
    assert_int_equal(mails_to(o, "qian@example.com"), 1);
    office_kill(o);
    office_start(o);
    leap(o, HOUR_MS);
    assert_int_equal(mails_to(o, "zhao@example.com"), 1);
    assert_int_equal(office_count(o, "ticket.missed"), 2);
}

/* Killed a little before, in, and after the commit that tells of a warning. */
static void a_crash_neither_loses_nor_doubles_a_warning(void **state)
{
    (void)state;
    for (int64_t ms = -60; ms <= 200; ms += 20) {
        struct office *o = office_new();
        json_t *rows;
        int64_t due;

        furnish(o);
        open_request(o);
        due = deadline(o, "PK-000001", "respond") - 30 * MINUTE_MS / 4;
        o->writing_ms = 50;
        leap_to(o, due + ms);
        office_kill(o);
        o->writing_ms = 1;
        office_start(o);
        leap(o, 2 * MINUTE_MS);
        rows = office_query(o, "events", "{\"kind\":\"ticket.warned\"}");
        if (json_array_size(rows) != 1)
            fail_msg("killed %lld ms after it was due: %zu warnings", (long long)ms, json_array_size(rows));
        json_decref(rows);
        for (size_t i = 1; i < mails_to(o, "wang@example.com"); i++)
            assert_string_equal(mail_to(o, "wang@example.com", i)->id, mail_to(o, "wang@example.com", 0)->id);
        assert_true(mails_to(o, "wang@example.com") > 0);
        office_free(o);
    }
}

/* ---- What may change under them ---- */

static void a_clock_that_is_set_moves_the_waking_not_the_deadline(void **state)
{
    struct office *o = *state;
    int64_t before;

    open_request(o);
    before = deadline(o, "PK-000001", "respond");
    o->time.wall += 25 * MINUTE_MS;
    leap(o, 2 * MINUTE_MS);
    assert_int_equal(office_count(o, "ticket.warned"), 1);
    assert_true(deadline(o, "PK-000001", "respond") == before);
    o->time.wall -= HOUR_MS;
    leap_to(o, before - MINUTE_MS);
    assert_int_equal(office_count(o, "ticket.missed"), 0);
    leap_to(o, before + MINUTE_MS);
    assert_int_equal(office_count(o, "ticket.warned"), 1);
    assert_int_equal(office_count(o, "ticket.missed"), 1);
}

static void another_contract_counts_from_then_on(void **state)
{
    struct office *o = *state;

    leap_to(o, at(SEPTEMBER_30, 17, 0));
    open_request(o);
    assert_true(deadline(o, "PK-000001", "fix") > at(8, 11, 0));
    must(o, "contract.add",
         "{\"number\":\"HT-2\",\"customer\":\"甲公司\",\"kind\":\"rental\",\"devices\":\"3F-影印\",\"p2\":\"fix=4h\"}");
    assert_true(deadline(o, "PK-000001", "fix") < at(1, 0, 0));
    expect_clock(o, "PK-000001", "respond", NULL);
    leap_to(o, at(SEPTEMBER_30, 21, 5));
    assert_int_equal(office_count(o, "ticket.missed"), 1);
    must(o, "contract.set", "{\"contract\":\"HT-2\",\"to\":\"2026-09-29\"}");
    expect_clock(o, "PK-000001", "respond", "missed");
    leap(o, MINUTE_MS);
    assert_int_equal(office_count(o, "ticket.missed"), 2);
}

/* The troubles that "status" tells, as one text; free it. */
static char *troubles(struct office *o)
{
    struct live_args a = {.limit = 1};
    char *text;

    assert_true(live_query(o->core, "status", &a));
    text = json_dumps(json_object_get(json_array_get(a.rows, 0), "troubles"), 0);
    json_decref(a.rows);
    return text;
}

static void a_calendar_that_is_gone_counts_around_the_clock_and_is_said(void **state)
{
    struct office *o = *state;
    char *said = troubles(o);

    assert_string_equal(said, "[]");
    free(said);
    leap_to(o, at(SEPTEMBER_30, 17, 0));
    open_request(o);
    office_lose_calendar(o, "cn-office");
    assert_true(deadline(o, "PK-000001", "fix") < at(1, 0, 0));
    said = troubles(o);
    assert_string_equal(said, "[\"contract HT-1: the configuration has no calendar 'cn-office'; its goals count around "
                              "the clock\"]");
    free(said);
    office_reload(o, SEVERITY_WARNING);
    assert_true(deadline(o, "PK-000001", "fix") == at(8, 11, 30));
}

/* By the device, then by its site, then as the customer's; of equals by name; and in its time. */
static void the_closest_contract_counts(void **state)
{
    static const struct {
        const char *args; /* of a contract that comes, its respond telling which counts */
        int minutes;
    } rows[] = {
        {"\"number\":\"HT-3\",\"p2\":\"respond=31m\"", 30},
        {"\"number\":\"HT-0\",\"p2\":\"respond=32m\"", 32},
        {"\"number\":\"HT-4\",\"p2\":\"respond=33m\",\"sites\":\"总部\"", 33},
        {"\"number\":\"HT-5\",\"p2\":\"respond=34m\",\"sites\":\"总部\",\"from\":\"2026-10-01\"", 33},
        {"\"number\":\"HT-1a\",\"p2\":\"respond=35m\",\"sites\":\"总部\",\"to\":\"2026-09-30\"", 35},
        {"\"number\":\"HT-6\",\"p2\":\"respond=36m\",\"devices\":\"3F-影印\",\"to\":\"2026-09-29\"", 35},
        {"\"number\":\"HT-7\",\"p2\":\"respond=37m\",\"devices\":\"3F-影印\"", 37},
        {"\"number\":\"HT-8\",\"p2\":\"fix=8h\",\"devices\":\"3F-影印\"", 37},
    };
    struct office *o = *state;
    int64_t opened;

    office_pass(o, SECOND_MS);
    opened = o->time.wall;
    open_request(o);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *args = xasprintf("{\"customer\":\"甲公司\",\"kind\":\"rental\",%s}", rows[i].args);
        int64_t minutes;

        must(o, "contract.add", args);
        minutes = (deadline(o, "PK-000001", "respond") - opened) / MINUTE_MS;
        if (minutes != rows[i].minutes)
            fail_msg("%s: %d minutes, not %d", rows[i].args, (int)minutes, rows[i].minutes);
        free(args);
    }
}

/* Supervisors of other sites and regions have nothing to do with it. */
static void staff_are_told_of_where_they_work(void **state)
{
    static const char *const staff[] = {
        "\"login\":\"sun\",\"sites\":\"分部\"",
        "\"login\":\"li\",\"regions\":\"华东\"",
        "\"login\":\"zhou\",\"regions\":\"华北,华东\",\"sites\":\"分部\"",
        "\"login\":\"wu\",\"regions\":\"华北\"",
    };
    static const char *const told[] = {"li@example.com", "zhao@example.com", "zhou@example.com"};
    struct office *o = *state;

    must(o, "site.add", "{\"name\":\"分部\",\"customer\":\"甲公司\"}");
    must(o, "site.set", "{\"site\":\"总部\",\"region\":\"华东\"}");
    for (size_t i = 0; i < sizeof staff / sizeof staff[0]; i++) {
        const char *login = staff[i] + strlen("\"login\":\"");
        char *args = xasprintf("{%s,\"name\":\"某\",\"role\":\"supervisor\",\"mail\":\"%.*s@example.com\"}", staff[i],
                               (int)strcspn(login, "\""), login);

        must(o, "staff.add", args);
        free(args);
    }
    leap_to(o, at(SEPTEMBER_30, 17, 0));
    open_request(o);
    leap_to(o, at(SEPTEMBER_30, 17, 31));
    assert_int_equal(office_count(o, "ticket.missed"), 1);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (mails_to(o, told[i]) != 1)
            fail_msg("%s: %zu mails", told[i], mails_to(o, told[i]));
    assert_int_equal(mails_to(o, "sun@example.com"), 0);
    assert_int_equal(mails_to(o, "wu@example.com"), 0);
    assert_int_equal(mails_to(o, "service@example.com"), 1); /* of the opening alone */
}

/* A site that is called otherwise takes its tickets along, also those that have ended. */
static void a_ticket_follows_its_site(void **state)
{
    struct office *o = *state;
    json_t *rows;

    must(o, "ticket.open", "{\"title\":\"无人回电\",\"site\":\"总部\",\"kind\":\"complaint\"}");
    must(o, "ticket.open", "{\"title\":\"换纸\",\"site\":\"总部\"}");
    must(o, "ticket.cancel", "{\"ticket\":2}");
    must(o, "site.set", "{\"site\":\"总部\",\"name\":\"大楼\"}");
    expect_clock(o, "PK-000001", "complaint-result", "running");
    rows = office_query(o, "tickets", "{\"site\":\"大楼\"}");
    assert_int_equal(json_array_size(rows), 2);
    json_decref(rows);
}

static void a_year_without_holidays_is_said_before_it_begins(void **state)
{
    struct office *o = *state;
    const struct holidays *cn = knowledge_holidays(core_knowledge(o->core), "cn");
    int last = cn->years.v[cn->years.n - 1];
    char *said, *wanted;

    must(o, "contract.add",
         "{\"number\":\"HT-2\",\"customer\":\"甲公司\",\"kind\":\"rental\",\"calendar\":\"cn-office\"}");
    office_stop(o);
    o->time.wall = date_to_day(last, 12, 17) * 24 * HOUR_MS;
    office_start(o);
    said = troubles(o);
    assert_string_equal(said, "[]");
    free(said);
    o->time.wall += 24 * HOUR_MS;
    said = troubles(o);
    wanted =
        xasprintf("[\"the calendar 'cn-office' has no holidays for %d: deadlines count them as workdays\"]", last + 1);
    assert_string_equal(said, wanted);
    free(wanted);
    free(said);
}

static void who_opens_a_ticket_is_told_what_is_wrong_with_it(void **state)
{
    static const struct {
        const char *args;
        int err;
        const char *why;
    } rows[] = {
        {"{\"device\":\"3F-影印\"}", PD_EINVAL, "'title' is missing"},
        {"{\"title\":\"换纸\"}", PD_EINVAL, "of what? name a device or a site"},
        {"{\"title\":\"换纸\",\"device\":\"4F\"}", PD_ENOENT, "there is no device '4F'"},
        {"{\"title\":\"换纸\",\"site\":\"分部\"}", PD_ENOENT, "there is no site '分部'"},
        {"{\"title\":\"换纸\",\"site\":\"总部\",\"kind\":\"complain\"}", PD_EINVAL,
         "'complain' is no kind of a ticket that people open (did you mean 'complaint'?)"},
        {"{\"title\":\"换纸\",\"site\":\"总部\",\"severity\":\"high\"}", PD_EINVAL,
         "'high' is no severity of a ticket that people open: info, warning, major or critical"},
        {"{\"title\":\"换纸\",\"site\":\"总部\",\"category\":\"hardwear\"}", PD_EINVAL,
         "'hardwear' is no category of a ticket that people open (did you mean 'hardware'?)"},
    };
    struct office *o = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *why = NULL;

        if (office_command(o, "ticket.open", rows[i].args, &why) != rows[i].err || !str_starts(why, rows[i].why))
            fail_msg("%s: %s", rows[i].args, why);
        free(why);
    }
    assert_int_equal(office_count(o, "ticket.opened"), 0);
}

/* What was closed and reopened goes on from where it stood. */
static void a_reopened_ticket_keeps_its_history(void **state)
{
    struct office *o = *state;
    json_t *rows;

    leap_to(o, at(SEPTEMBER_30, 17, 0));
    open_request(o);
    must(o, "ticket.accept", "{\"ticket\":1}");
    leap(o, HOUR_MS / 2);
    must(o, "ticket.remote-fix", "{\"ticket\":1}");
    must(o, "ticket.call-back", "{\"ticket\":1}");
    must(o, "ticket.close", "{\"ticket\":1}");
    leap_to(o, at(9, 8, 30));
    must(o, "ticket.reopen", "{\"ticket\":1}");
    rows = office_query(o, "ticket_steps", "{\"ticket\":\"PK-000001\"}");
    assert_int_equal(json_array_size(rows), 6);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 5), "state")), "accepted");
    json_decref(rows);
    expect_clock(o, "PK-000001", "respond", "met");
    assert_int_equal((deadline(o, "PK-000001", "fix") - at(9, 12, 0)) / MINUTE_MS, 0); /* half an hour was over */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(contacts_are_told_of_the_beginning_and_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_promise_in_danger_goes_up_step_by_step, setup, teardown),
        cmocka_unit_test_setup_teardown(the_fix_is_watched_over_the_holidays_up_to_the_manager, setup, teardown),
        cmocka_unit_test_setup_teardown(what_waits_for_the_customer_stands_still, setup, teardown),
        cmocka_unit_test_setup_teardown(complaints_have_promises_of_their_own, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_is_told_once_whatever_it_stands_for, setup, teardown),
        cmocka_unit_test_setup_teardown(with_no_staff_the_configured_recipients_hear_of_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restart_knows_the_same_deadlines, setup, teardown),
        cmocka_unit_test_setup_teardown(after_downtime_the_gravest_is_told_once, setup, teardown),
        cmocka_unit_test(a_crash_neither_loses_nor_doubles_a_warning),
        cmocka_unit_test_setup_teardown(a_clock_that_is_set_moves_the_waking_not_the_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(another_contract_counts_from_then_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_calendar_that_is_gone_counts_around_the_clock_and_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(the_closest_contract_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(staff_are_told_of_where_they_work, setup, teardown),
        cmocka_unit_test_setup_teardown(a_ticket_follows_its_site, setup, teardown),
        cmocka_unit_test_setup_teardown(a_year_without_holidays_is_said_before_it_begins, setup, teardown),
        cmocka_unit_test_setup_teardown(who_opens_a_ticket_is_told_what_is_wrong_with_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reopened_ticket_keeps_its_history, setup, teardown),
    };

    return cmocka_run_group_tests_name("daemon/clocks", tests, NULL, NULL);
}
