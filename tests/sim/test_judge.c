#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "judge.h"

enum { S = 1000 };

/* One jam from 600 s to 1200 s, on the first of two printers; told or not as each test says. */
struct court {
    struct story *story;
    struct expectations expected;
    struct witness seen;
    struct judgement judgement;
    int64_t number;
};

static int open_court(void **state)
{
    static const char text[] = "title: T\nstart: 2026-03-02 08:00\nlength: 1h\n"
                               "devices:\n  - {name: p, model: printer, count: 2}\n";
    static struct court court;
    struct conf_report report = {0};
    struct truths *t;

    court = (struct court){0};
    assert_int_equal(story_parse("s", text, strlen(text), &court.story, &report), 0);
    conf_report_free(&report);
    t = truth_new(court.story);
    truth_patrold(t, true, 0);
    truth_there(t, 0, TRUTH_JAM, -1, true, 600 * S);
    truth_there(t, 0, TRUTH_JAM, -1, false, 1200 * S);
    truth_finish(t, 3600 * S, &court.expected);
    truth_free(t);
    witness_init(&court.seen, court.story);
    witness_event(&court.seen, ++court.number, "device.added", 11, 0, 0, "{\"name\":\"p-1\"}", 0);
    witness_event(&court.seen, ++court.number, "device.added", 12, 0, 0, "{\"name\":\"p-2\"}", 0);
    *state = &court;
    return 0;
}

static int close_court(void **state)
{
    struct court *c = *state;

    judgement_free(&c->judgement);
    expectations_free(&c->expected);
    witness_fini(&c->seen);
    story_free(c->story);
    return 0;
}

static void opens(struct court *c, int64_t device, int64_t alert, const char *rule, int at)
{
    char args[128];

    snprintf(args, sizeof args, "{\"family\":\"%s\",\"rule\":\"%s\",\"component\":\"1\"}", rule, rule);
    witness_event(&c->seen, ++c->number, "alert.opened", device, alert, 0, args, (int64_t)at * S);
}

static void ticket(struct court *c, int64_t alert, int64_t id, int at)
{
    char args[64];

    snprintf(args, sizeof args, "{\"number\":\"T-%d\"}", (int)id);
    witness_event(&c->seen, ++c->number, "ticket.opened", 11, alert, id, args, (int64_t)at * S);
}

static void mail(struct court *c, const char *id, int64_t of, int at)
{
    char subject[64];

    snprintf(subject, sizeof subject, "[major] jam T-%d", (int)of);
    witness_mail(&c->seen, id, "duty@example.com", subject, (int64_t)at * S);
}

static void closes(struct court *c, int64_t alert, int at)
{
    witness_event(&c->seen, ++c->number, "alert.closed", 11, alert, 0, "{}", (int64_t)at * S);
}

/* Told as it should be. */
static void tell(struct court *c, int opened, int closed)
{
    opens(c, 11, 1, "jam", opened);
    ticket(c, 1, 1, opened);
    mail(c, "a@x", 1, opened);
    closes(c, 1, closed);
}

static void expect(struct court *c, const char *line)
{
    struct sbuf out = {0};

    judge(c->story, &c->expected, &c->seen, &c->judgement);
    judge_line(&out, &c->judgement.tally);
    assert_string_equal(out.s, line);
    sbuf_free(&out);
}

static void told_in_time_is_found(void **state)
{
    tell(*state, 790, 1390);
    expect(*state, "faults 1 found 1 missed 0 late 0 false 0 doubled 0\n");
}

static void a_moment_later_is_late(void **state)
{
    tell(*state, 791, 1300);
    expect(*state, "faults 1 found 0 missed 0 late 1 false 0 doubled 0\n");
}

static void cleared_late_is_late(void **state)
{
    tell(*state, 700, 1391);
    expect(*state, "faults 1 found 0 missed 0 late 1 false 0 doubled 0\n");
}

static void never_told_is_missed(void **state)
{
    expect(*state, "faults 1 found 0 missed 1 late 0 false 0 doubled 0\n");
}

static void told_before_its_hold_is_false(void **state)
{
    tell(*state, 649, 1300);
    expect(*state, "faults 1 found 0 missed 1 late 0 false 1 doubled 0\n");
}

static void closed_while_it_is_there_is_missed(void **state)
{
    tell(*state, 700, 1000);
    expect(*state, "faults 1 found 0 missed 1 late 0 false 0 doubled 0\n");
}

static void without_a_ticket_it_is_missed(void **state)
{
    struct court *c = *state;

    opens(c, 11, 1, "jam", 700);
    closes(c, 1, 1300);
    expect(c, "faults 1 found 0 missed 1 late 0 false 0 doubled 0\n");
}

static void without_a_mail_it_is_missed(void **state)
{
    struct court *c = *state;

    opens(c, 11, 1, "jam", 700);
    ticket(c, 1, 1, 700);
    closes(c, 1, 1300);
    expect(c, "faults 1 found 0 missed 1 late 0 false 0 doubled 0\n");
}

static void of_another_device_or_rule_is_false(void **state)
{
    struct court *c = *state;

    tell(c, 700, 1300);
    opens(c, 12, 2, "jam", 700);
    opens(c, 11, 3, "service", 700);
    opens(c, 99, 4, "jam", 700);
    expect(c, "faults 1 found 1 missed 0 late 0 false 3 doubled 0\n");
}

static void a_second_open_alert_is_doubled(void **state)
{
    struct court *c = *state;

    opens(c, 11, 2, "jam", 690);
    ticket(c, 2, 2, 690);
    mail(c, "b@x", 2, 690);
    tell(c, 700, 1300);
    closes(c, 2, 1300);
    /* and a second ticket for one fault */
    expect(c, "faults 1 found 1 missed 0 late 0 false 0 doubled 2\n");
}

static void told_again_without_having_gone_is_doubled(void **state)
{
    struct court *c = *state;

    tell(c, 700, 1250);
    opens(c, 11, 2, "jam", 1255);
    closes(c, 2, 1300);
    expect(c, "faults 1 found 1 missed 0 late 0 false 0 doubled 1\n");
}

static void a_mail_that_comes_twice_is_doubled(void **state)
{
    struct court *c = *state;

    tell(c, 700, 1300);
    mail(c, "a@x", 1, 702); /* the same again */
    mail(c, "c@x", 1, 703); /* the same under another id */
    expect(c, "faults 1 found 1 missed 0 late 0 false 0 doubled 2\n");
}

static void a_mail_cut_off_by_a_kill_may_come_again(void **state)
{
    struct court *c = *state;

    tell(c, 700, 1300);
    witness_killed(&c->seen);
    mail(c, "a@x", 1, 710);
    expect(c, "faults 1 found 1 missed 0 late 0 false 0 doubled 0\n");
}

static void a_mail_known_to_be_delivered_may_not(void **state)
{
    struct court *c = *state;

    tell(c, 700, 1300);
    witness_event(&c->seen, ++c->number, "mail.sent", 0, 0, 0, "{\"message_id\":\"a@x\"}", 701 * S);
    witness_killed(&c->seen);
    mail(c, "a@x", 1, 710);
    expect(c, "faults 1 found 1 missed 0 late 0 false 0 doubled 1\n");
}

static void events_heard_twice_count_once(void **state)
{
    struct court *c = *state;

    tell(c, 700, 1300);
    witness_event(&c->seen, 3, "alert.opened", 11, 9, 0, "{\"family\":\"jam\"}", 705 * S);
    expect(c, "faults 1 found 1 missed 0 late 0 false 0 doubled 0\n");
}

#define COURT_TEST(f) cmocka_unit_test_setup_teardown(f, open_court, close_court)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COURT_TEST(told_in_time_is_found),
        COURT_TEST(a_moment_later_is_late),
        COURT_TEST(cleared_late_is_late),
        COURT_TEST(never_told_is_missed),
        COURT_TEST(told_before_its_hold_is_false),
        COURT_TEST(closed_while_it_is_there_is_missed),
        COURT_TEST(without_a_ticket_it_is_missed),
        COURT_TEST(without_a_mail_it_is_missed),
        COURT_TEST(of_another_device_or_rule_is_false),
        COURT_TEST(a_second_open_alert_is_doubled),
        COURT_TEST(told_again_without_having_gone_is_doubled),
        COURT_TEST(a_mail_that_comes_twice_is_doubled),
        COURT_TEST(a_mail_cut_off_by_a_kill_may_come_again),
        COURT_TEST(a_mail_known_to_be_delivered_may_not),
        COURT_TEST(events_heard_twice_count_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
