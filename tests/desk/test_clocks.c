#include "desk/desk.h"

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
#include "tests/model/hours.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE };

/* A desk in Shanghai, office hours with lunch and China's holidays, and what it told of promises. */
struct fixture {
    struct clock_fake clock;
    struct wheel *wheel;
    struct desk *desk;
    struct calendar *office;
    struct contract contract;
    bool promised;
    struct rule rule;
    struct alert alert;
    struct change *change; /* of what was done to tickets, and of what time brought */
    struct {
        enum clock_level level;
        enum promise promises[PROMISE_COUNT];
        size_t n;
        int64_t at_ms;
    } told[32];
    size_t ntold;
};

static const struct contract *contract_of(void *ctx, const struct ticket *t)
{
    struct fixture *f = ctx;

    assert_non_null(t->number);
    return f->promised ? &f->contract : NULL;
}

static void warned(void *ctx, struct change *c, const struct ticket *t, const struct desk_warning *w)
{
    struct fixture *f = ctx;

    assert_non_null(t->told);
    assert_true(c->events.n > 0);
    assert_true(f->ntold < sizeof f->told / sizeof f->told[0]);
    f->told[f->ntold].level = w->level;
    memcpy(f->told[f->ntold].promises, w->promises, sizeof w->promises);
    f->told[f->ntold].n = w->n;
    f->told[f->ntold++].at_ms = f->clock.wall;
}

/* Takes what time has brought: what of it is to be on disk together is in one change. */
static void submit(void *ctx, struct change *c)
{
    struct fixture *f = ctx;
    bool ticket = false;

    for (size_t i = 0; i < c->rows.n; i++)
        ticket |= c->rows.v[i].kind == ROW_TICKET && c->rows.v[i].ticket.told;
    assert_true(ticket);
    change_free(f->change);
    f->change = c;
}

static struct desk *new_desk(struct fixture *f)
{
    struct desk_config config = {
        .wheel = f->wheel, .prefix = "PK", .contract = contract_of, .warned = warned, .submit = submit, .ctx = f};

    config.clock = clock_fake_ops(&f->clock);
    return desk_new(&config);
}

static void promise(struct fixture *f, enum priority priority, enum promise p, int64_t ms)
{
    f->contract.goals[priority][p] = (struct goal){ms, f->office};
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    f->office = hours_calendar("office", "Asia/Shanghai");
    contract_init(&f->contract, "HT-1");
    f->promised = true;
    promise(f, PRIORITY_P2, PROMISE_FIX, 4 * HOUR);
    f->clock = (struct clock_fake){.wall = hours_at(f->office->zone, "2026-07-01 08:00")};
    f->wheel = wheel_new(f->clock.mono);
    f->desk = new_desk(f);
    f->rule = (struct rule){.name = "jam",
                            .family = "jam",
                            .severity = SEVERITY_MAJOR,
                            .ticket = RULE_TICKET_FITTING,
                            .category = "hardware"};
    f->alert = (struct alert){.id = 7,
                              .family = "jam",
                              .device_id = 3,
                              .kind = "device",
                              .key = "",
                              .rule = "jam",
                              .severity = SEVERITY_MAJOR,
                              .state = ALERT_FIRING};
    f->change = change_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    change_free(f->change);
    desk_free(f->desk);
    wheel_free(f->wheel);
    contract_fini(&f->contract);
    calendar_free(f->office);
    hours_release();
    free(f);
    return 0;
}

/* ---- What is done and seen ---- */

static void pass_to(struct fixture *f, const char *local)
{
    int64_t end = f->clock.mono + hours_at(f->office->zone, local) - f->clock.wall;

    while (f->clock.mono < end) {
        int64_t next = wheel_next(f->wheel);

        clock_fake_advance(&f->clock, (next < end ? next : end) - f->clock.mono);
        wheel_advance(f->wheel, f->clock.mono);
    }
}

static void open_at(struct fixture *f, const char *local)
{
    pass_to(f, local);
    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
}

static void verb(struct fixture *f, enum ticket_verb v)
{
    char *why = NULL;

    change_free(f->change);
    f->change = change_new();
    if (desk_ticket_verb(f->desk, 1, v, v == TICKET_DISPATCH ? "wang" : NULL, NULL, "li", f->change, &why) != 0)
        fail_msg("%s: %s", ticket_verb_name(v), why);
}

static void go_there(struct fixture *f)
{
    verb(f, TICKET_ACCEPT);
    verb(f, TICKET_DISPATCH);
    verb(f, TICKET_ARRIVE);
}

static void expect_next(struct fixture *f, const char *local)
{
    char found[32], want[32];
    int64_t next = desk_next_ms(f->desk, 1),
            wanted = strcmp(local, "never") == 0 ? CLOCK_NEVER : hours_at(f->office->zone, local);

    if (next != wanted && next != wanted + 1) /* to stop at the deadline itself is in time */
        fail_msg("next at %s, not %s", hours_show(f->office->zone, next, found),
                 hours_show(f->office->zone, wanted, want));
}

/* What was told, in order: "warned fix 2026-07-01 14:30". */
static void expect_told(const struct fixture *f, const char *wanted)
{
    struct sbuf b = {0};
    char at[32];

    sbuf_add(&b, "");
    for (size_t i = 0; i < f->ntold; i++) {
        sbuf_addf(&b, "%s%s", i > 0 ? "; " : "", clock_level_name(f->told[i].level));
        for (size_t p = 0; p < f->told[i].n; p++)
            sbuf_addf(&b, " %s", promise_name(f->told[i].promises[p]));
        hours_show(f->office->zone, f->told[i].at_ms - f->told[i].at_ms % MINUTE, at);
        sbuf_addf(&b, " %.16s", at);
    }
    assert_string_equal(b.s, wanted);
    sbuf_free(&b);
}

/* ---- Waking ---- */

static void it_wakes_at_three_quarters_and_after_the_deadline(void **state)
{
    struct fixture *f = *state;

    open_at(f, "2026-07-01 08:30");
    expect_next(f, "2026-07-01 11:30");
    pass_to(f, "2026-07-05 08:30");
    expect_told(f, "warned fix 2026-07-01 11:30; missed fix 2026-07-01 14:00; escalated fix 2026-07-01 18:00");
    assert_string_equal(desk_ticket(f->desk, 1)->told, "fix=escalated");
    expect_next(f, "never");
}

static const struct {
    const char *what, *opened, *next;
} openings[] = {
    {"in the morning", "2026-07-01 10:30", "2026-07-01 15:00"},
    {"before lunch", "2026-07-01 11:30", "2026-07-01 16:00"},
    {"at lunch", "2026-07-01 12:30", "2026-07-01 16:30"},
    {"in the evening", "2026-07-01 17:30", "2026-07-02 11:00"},
    {"on Friday", "2026-07-03 16:00", "2026-07-06 09:30"},
    {"on Saturday", "2026-07-04 09:00", "2026-07-06 11:30"},
    {"before the National Day", "2026-09-30 17:00", "2026-10-08 10:30"},
    {"in Golden Week", "2026-10-04 12:00", "2026-10-08 11:30"},
    {"before a Saturday that is worked", "2026-10-09 17:30", "2026-10-10 11:00"},
    {"at the end of a month", "2026-07-31 16:00", "2026-08-03 09:30"},
};

static void it_counts_by_the_calendar(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        struct fixture *f;
        void *own;
        char found[32];
        int64_t next;

        setup(&own);
        f = own;
        open_at(f, openings[i].opened);
        next = desk_next_ms(f->desk, 1);
        if (next != hours_at(f->office->zone, openings[i].next))
            fail_msg("%s: %s, not %s", openings[i].what, hours_show(f->office->zone, next, found), openings[i].next);
        pass_to(f, openings[i].next);
        if (f->ntold != 1)
            fail_msg("%s: told %zu times", openings[i].what, f->ntold);
        teardown(&own);
    }
}

static void a_warning_its_event_and_what_was_told_are_one_change(void **state)
{
    struct fixture *f = *state;
    const struct event *e;

    open_at(f, "2026-07-01 10:30");
    pass_to(f, "2026-07-01 15:00");
    assert_int_equal(f->change->events.n, 1);
    e = &f->change->events.v[0];
    assert_string_equal(e->kind, "ticket.warned");
    assert_int_equal(e->ticket_id, 1);
    assert_null(e->actor);
    assert_string_equal(e->args,
                        "{\"number\":\"PK-000001\",\"promise\":\"fix\",\"contract\":\"HT-1\",\"priority\":\"P2\","
                        "\"deadline_ms\":1782892800000}");
    assert_int_equal(f->change->rows.n, 1);
    assert_string_equal(f->change->rows.v[0].ticket.told, "fix=warned");
}

static void promises_that_come_to_a_level_together_are_told_together(void **state)
{
    struct fixture *f = *state;

    promise(f, PRIORITY_P2, PROMISE_RESPOND, 4 * HOUR);
    promise(f, PRIORITY_P2, PROMISE_ON_SITE, 3 * HOUR);
    open_at(f, "2026-07-01 08:30");
    pass_to(f, "2026-07-01 14:01");
    expect_told(
        f, "warned on-site 2026-07-01 10:45; warned respond fix 2026-07-01 11:30; missed on-site 2026-07-01 11:30; "
           "missed respond fix 2026-07-01 14:00");
}

/* ---- What befalls the ticket meanwhile ---- */

static void waiting_for_the_customer_stops_the_waking(void **state)
{
    struct fixture *f = *state;

    open_at(f, "2026-07-01 08:30");
    go_there(f);
    pass_to(f, "2026-07-01 09:30");
    verb(f, TICKET_WAIT_CUSTOMER);
    expect_next(f, "never");
    pass_to(f, "2026-07-08 09:30");
    expect_told(f, "");
    verb(f, TICKET_RESUME);
    expect_next(f, "2026-07-08 11:30");
    verb(f, TICKET_WAIT_PART);
    expect_next(f, "2026-07-08 11:30");
}

static void what_was_told_is_not_told_again_after_a_reopening(void **state)
{
    struct fixture *f = *state;

    open_at(f, "2026-07-01 08:30");
    go_there(f);
    pass_to(f, "2026-07-01 11:45");
    verb(f, TICKET_FIX);
    expect_next(f, "never");
    pass_to(f, "2026-07-02 08:30");
    verb(f, TICKET_REOPEN);
    expect_next(f, "2026-07-02 09:15");
    pass_to(f, "2026-07-02 09:16");
    expect_told(f, "warned fix 2026-07-01 11:30; missed fix 2026-07-02 09:15");
}

static void a_cancelled_ticket_wakes_nobody(void **state)
{
    struct fixture *f = *state;

    open_at(f, "2026-07-01 08:30");
    desk_fault_closed(f->desk, f->change, &f->alert);
    pass_to(f, "2026-07-20 08:30");
    expect_told(f, "");
    assert_int_equal(wheel_next(f->wheel), INT64_MAX);
}

static void a_loaner_stops_its_own_clock_alone(void **state)
{
    struct fixture *f = *state;
    size_t n;

    promise(f, PRIORITY_P2, PROMISE_LOANER, 2 * HOUR);
    open_at(f, "2026-07-01 08:30");
    go_there(f);
    expect_next(f, "2026-07-01 10:00");
    verb(f, TICKET_LOANER);
    expect_next(f, "2026-07-01 11:30");
    assert_int_equal(desk_ticket(f->desk, 1)->state, TICKET_ON_SITE);
    assert_true(desk_steps(f->desk, 1, &n)[4].loaner);
    assert_int_equal(n, 5);
    verb(f, TICKET_WAIT_PART);
    assert_true(desk_steps(f->desk, 1, &n)[5].loaner);
    pass_to(f, "2026-07-01 18:00");
    expect_told(f, "warned fix 2026-07-01 11:30; missed fix 2026-07-01 14:00");
}

static void a_graver_fault_has_less_time(void **state)
{
    struct fixture *f = *state;

    promise(f, PRIORITY_P1, PROMISE_FIX, HOUR);
    open_at(f, "2026-07-01 08:30");
    pass_to(f, "2026-07-01 09:20");
    f->alert.severity = SEVERITY_CRITICAL;
    desk_fault_changed(f->desk, f->change, &f->rule, &f->alert);
    expect_told(f, "warned fix 2026-07-01 09:20");
    expect_next(f, "2026-07-01 09:30");
}

/* The wheel had not woken it yet: what was missed is written down before what ended it. */
static void what_is_due_is_told_before_a_verb(void **state)
{
    struct fixture *f = *state;

    open_at(f, "2026-07-01 08:30");
    verb(f, TICKET_ACCEPT);
    clock_fake_advance(&f->clock, 9 * HOUR);
    verb(f, TICKET_REMOTE_FIX);
    assert_int_equal(f->change->events.n, 2);
    assert_string_equal(f->change->events.v[0].kind, "ticket.missed");
    assert_string_equal(f->change->events.v[1].kind, "ticket.remote-fix");
    wheel_advance(f->wheel, f->clock.mono);
    assert_int_equal(f->ntold, 1);
}

static void another_contract_sets_another_time(void **state)
{
    struct fixture *f = *state;
    struct change *c = change_new();

    open_at(f, "2026-07-01 08:30");
    promise(f, PRIORITY_P2, PROMISE_FIX, 8 * HOUR);
    desk_review_all(f->desk, c);
    expect_next(f, "2026-07-01 16:00");
    f->promised = false;
    desk_review_all(f->desk, c);
    expect_next(f, "never");
    assert_true(change_empty(c));
    f->promised = true;
    pass_to(f, "2026-07-02 17:59");
    desk_review_all(f->desk, c);
    expect_told(f, "missed fix 2026-07-02 17:59");
    assert_int_equal(c->events.n, 1);
    change_free(c);
}

static void a_calendar_without_time_wakes_nobody(void **state)
{
    struct fixture *f = *state;
    struct calendar *never = hours_calendar("never", "Asia/Shanghai");

    f->contract.goals[PRIORITY_P2][PROMISE_FIX].calendar = never;
    open_at(f, "2026-07-01 08:30");
    expect_next(f, "never");
    pass_to(f, "2026-07-09 08:30");
    expect_told(f, "");
    calendar_free(never);
}

static void a_wall_clock_that_is_set_is_noticed(void **state)
{
    struct fixture *f = *state;

    open_at(f, "2026-07-01 08:30");
    f->clock.wall += 3 * HOUR;
    clock_fake_advance(&f->clock, MINUTE);
    wheel_advance(f->wheel, f->clock.mono);
    expect_told(f, "warned fix 2026-07-01 11:31");
    f->clock.wall -= 24 * HOUR;
    pass_to(f, "2026-07-01 14:00");
    expect_told(f, "warned fix 2026-07-01 11:31");
    pass_to(f, "2026-07-01 14:01");
    expect_told(f, "warned fix 2026-07-01 11:31; missed fix 2026-07-01 14:00");
}

/* ---- From the store ---- */

/* Another desk that is told what the first one wrote down. */
static struct desk *load_again(struct fixture *f)
{
    struct desk *d = new_desk(f);
    const struct ticket_step *steps;
    size_t n;

    desk_load_ticket(d, desk_ticket(f->desk, 1));
    steps = desk_steps(f->desk, 1, &n);
    for (size_t i = 0; i < n; i++)
        desk_load_step(d, &(struct step_record){1, (uint32_t)i + 1, steps[i].at_ms, steps[i].state, steps[i].loaner});
    desk_set_last_id(d, 1);
    desk_free(f->desk);
    return d;
}

static void a_loaded_desk_knows_the_same_next(void **state)
{
    struct fixture *f = *state;

    open_at(f, "2026-07-01 08:30");
    go_there(f);
    pass_to(f, "2026-07-01 11:45");
    f->desk = load_again(f);
    desk_start(f->desk);
    expect_next(f, "2026-07-01 14:00");
    expect_told(f, "warned fix 2026-07-01 11:30");
    pass_to(f, "2026-07-01 14:01");
    expect_told(f, "warned fix 2026-07-01 11:30; missed fix 2026-07-01 14:00");
}

static void what_was_due_while_nobody_was_there_is_told_by_its_gravest(void **state)
{
    struct fixture *f = *state;

    promise(f, PRIORITY_P2, PROMISE_RESPOND, HOUR);
    open_at(f, "2026-07-01 08:30");
    f->desk = load_again(f);
    pass_to(f, "2026-07-03 08:30");
    expect_told(f, "");
    desk_start(f->desk);
    expect_told(f, "missed respond 2026-07-03 08:30; escalated fix 2026-07-03 08:30");
    desk_start(f->desk);
    assert_int_equal(f->ntold, 2);
}

/* ---- Wishes ---- */

static int wish(struct fixture *f, const char *title, const char *origin, int64_t *id)
{
    const struct ticket_wish w = {.kind = TICKET_KIND_FINDING,
                                  .site = "总部",
                                  .title = title,
                                  .severity = SEVERITY_MAJOR,
                                  .category = "environment",
                                  .note = "插座松动",
                                  .origin = origin};

    return desk_open(f->desk, f->change, &w, "li", id);
}

static void a_wish_is_a_ticket_with_clocks(void **state)
{
    struct fixture *f = *state;
    const struct ticket *t;
    int64_t id = 0;

    pass_to(f, "2026-07-01 10:30");
    assert_int_equal(wish(f, "机柜不整齐", "round 7 visit 2 item 5", &id), 0);
    assert_int_equal(id, 1);
    t = desk_ticket(f->desk, 1);
    assert_int_equal(t->kind, TICKET_KIND_FINDING);
    assert_int_equal(t->state, TICKET_NEW);
    assert_string_equal(t->title, "机柜不整齐");
    assert_string_equal(t->site, "总部");
    assert_string_equal(t->note, "插座松动");
    assert_string_equal(f->change->events.v[0].actor, "li");
    assert_non_null(strstr(f->change->events.v[0].args, "\"origin\":\"round 7 visit 2 item 5\""));
    expect_next(f, "2026-07-01 15:00");
}

static void of_one_origin_there_is_one_ticket_for_ever(void **state)
{
    struct fixture *f = *state;
    int64_t id = 0, again = 0;
    size_t events;

    assert_int_equal(wish(f, "机柜不整齐", "plan monthly 3", &id), 0);
    events = f->change->events.n;
    assert_int_equal(wish(f, "又不整齐", "plan monthly 3", &again), 0);
    assert_int_equal(again, id);
    assert_int_equal(f->change->events.n, events);
    verb(f, TICKET_ACCEPT);
    verb(f, TICKET_CANCEL);
    assert_int_equal(wish(f, "机柜不整齐", "plan monthly 3", &again), 0);
    assert_int_equal(again, id);
    assert_int_equal(wish(f, "机柜不整齐", "plan monthly 4", &again), 0);
    assert_int_equal(again, 2);
}

static void an_origin_is_known_after_a_restart(void **state)
{
    struct fixture *f = *state;
    int64_t id = 0;

    desk_load_origin(f->desk, "plan monthly 3", 41);
    desk_set_last_id(f->desk, 50);
    assert_int_equal(wish(f, "机柜不整齐", "plan monthly 3", &id), 0);
    assert_int_equal(id, 41);
    assert_true(change_empty(f->change));
}

static void a_wish_without_a_title_is_none(void **state)
{
    struct fixture *f = *state;
    int64_t id = 0;

    assert_int_equal(wish(f, NULL, NULL, &id), PD_EINVAL);
    assert_int_equal(wish(f, "", NULL, &id), PD_EINVAL);
    assert_true(change_empty(f->change));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_wakes_at_three_quarters_and_after_the_deadline, setup, teardown),
        cmocka_unit_test(it_counts_by_the_calendar),
        cmocka_unit_test_setup_teardown(a_warning_its_event_and_what_was_told_are_one_change, setup, teardown),
        cmocka_unit_test_setup_teardown(promises_that_come_to_a_level_together_are_told_together, setup, teardown),
        cmocka_unit_test_setup_teardown(waiting_for_the_customer_stops_the_waking, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_told_is_not_told_again_after_a_reopening, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cancelled_ticket_wakes_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(a_loaner_stops_its_own_clock_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_graver_fault_has_less_time, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_due_is_told_before_a_verb, setup, teardown),
        cmocka_unit_test_setup_teardown(another_contract_sets_another_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_calendar_without_time_wakes_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wall_clock_that_is_set_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_loaded_desk_knows_the_same_next, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_due_while_nobody_was_there_is_told_by_its_gravest, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wish_is_a_ticket_with_clocks, setup, teardown),
        cmocka_unit_test_setup_teardown(of_one_origin_there_is_one_ticket_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(an_origin_is_known_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wish_without_a_title_is_none, setup, teardown),
    };

    return cmocka_run_group_tests_name("desk/clocks", tests, NULL, NULL);
}
