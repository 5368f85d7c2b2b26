#include "notify/sender.h"

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

enum { FLIGHT_MS = 100, MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS };

/* A post office in virtual time that answers by the first letter of the subject. */
struct fixture {
    struct clock_fake time;
    struct wheel *wheel;
    struct worker *worker;
    struct notify_channel channel;
    struct notify_config config;
    struct sender *sender;
    bool closed;       /* everything is answered LATER */
    struct sbuf tries; /* the ids of messages as they were tried */
    struct sbuf ends;  /* id and event of what came to an end */
    size_t changes;
    struct outbox last; /* row */
};

static int64_t now_mono(void *ctx)
{
    return ((struct fixture *)ctx)->time.mono;
}

static int64_t flight_ms(void *ctx)
{
    (void)ctx;
    return FLIGHT_MS;
}

/* "L…" is always to be tried again, "N…" never, anything else is taken. */
static void answer(struct pd_channel *c, const struct pd_message *m, struct pd_send_result *out)
{
    struct fixture *f = (struct fixture *)c;

    sbuf_addf(&f->tries, "%s ", m->id);
    *out = (struct pd_send_result){.status = m->subject[0] == 'L' || f->closed ? PD_SEND_LATER
                                             : m->subject[0] == 'N'            ? PD_SEND_NEVER
                                                                               : PD_SEND_DONE,
                                   .detail = "so says the test"};
}

static const struct pd_channel_ops ops = {.name = "mail", .send = answer};

static void submit(void *ctx, struct change *c, bool urgent, void (*done)(void *arg), void *arg)
{
    struct fixture *f = ctx;

    assert_null(done);
    assert_null(arg);
    assert_int_equal(c->rows.n, 1);
    f->changes++;
    outbox_fini(&f->last);
    outbox_copy(&f->last, &c->rows.v[0].outbox);
    assert_int_equal(urgent, c->events.n > 0);
    for (size_t i = 0; i < c->events.n; i++)
        sbuf_addf(&f->ends, "%s %s ", f->last.message_id, c->events.v[i].kind);
    change_free(c);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    f->time = (struct clock_fake){.wall = 1790000000000, .mono = 1000};
    f->wheel = wheel_new(f->time.mono);
    f->worker = worker_start_inline(f->wheel, now_mono, flight_ms, f);
    f->channel = (struct notify_channel){.ops = &ops, .channel = (struct pd_channel *)f};
    f->config = (struct notify_config){
        .services = {.clock = clock_fake_ops(&f->time), .wheel = f->wheel},
        .worker = f->worker,
        .channels = &f->channel,
        .nchannels = 1,
        .submit = submit,
        .ctx = f,
    };
    f->sender = sender_new(&f->config);
    sbuf_add(&f->tries, "");
    sbuf_add(&f->ends, "");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    sender_free(f->sender);
    worker_stop(f->worker, sender_drop_job);
    wheel_free(f->wheel);
    outbox_fini(&f->last);
    sbuf_free(&f->tries);
    sbuf_free(&f->ends);
    free(f);
    return 0;
}

static void pass(struct fixture *f, int64_t ms)
{
    for (int64_t passed = 0; passed < ms; passed += FLIGHT_MS / 2) {
        clock_fake_advance(&f->time, FLIGHT_MS / 2);
        wheel_advance(f->wheel, f->time.mono);
    }
}

static struct outbox row(int64_t id, const char *recipient, const char *subject, char name[static 24])
{
    snprintf(name, 24, "%lld", (long long)id);
    return (struct outbox){.id = id,
                           .channel = "mail",
                           .message_id = name,
                           .recipient = (char *)recipient,
                           .subject = (char *)subject,
                           .body = "b",
                           .state = OUTBOX_PENDING};
}

static void take(struct fixture *f, int64_t id, const char *recipient, const char *subject)
{
    char name[24];
    struct outbox o = row(id, recipient, subject, name);

    sender_take(f->sender, &o);
}

static void what_is_taken_is_sent_once(void **state)
{
    struct fixture *f = *state;
    struct notify_counters counters;

    take(f, 1, "li", "x");
    take(f, 1, "li", "x"); /* told twice of it */
    pass(f, 1000);
    take(f, 2, "li", "x");
    pass(f, 1000);
    assert_string_equal(f->tries.s, "1 2 ");
    assert_string_equal(f->ends.s, "1 mail.sent 2 mail.sent ");
    assert_int_equal(f->last.state, OUTBOX_SENT);
    assert_int_equal(f->last.sent_ms, f->time.wall - 1000 + FLIGHT_MS);
    sender_counters(f->sender, &counters);
    assert_int_equal(counters.pending, 0);
    assert_int_equal(counters.sent, 2);
}

static void a_recipient_gets_mails_in_order(void **state)
{
    struct fixture *f = *state;

    f->closed = true;
    take(f, 1, "li", "begins");
    take(f, 2, "li", "ends");
    pass(f, 2000);
    assert_string_equal(f->tries.s, "1 "); /* the end waits for its beginning */
    f->closed = false;
    pass(f, 10000);
    assert_string_equal(f->tries.s, "1 1 2 ");
}

static void another_recipient_does_not_wait(void **state)
{
    struct fixture *f = *state;

    take(f, 1, "li", "L");
    take(f, 2, "wang", "x");
    pass(f, 1000);
    assert_string_equal(f->ends.s, "2 mail.sent ");
}

static void only_a_few_fly_at_once(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 10; i++) {
        char who[8];

        snprintf(who, sizeof who, "w%d", i);
        take(f, i + 1, who, "x");
    }
    assert_int_equal(worker_pending(f->worker), 4);
    pass(f, 3000);
    assert_string_equal(f->tries.s, "1 2 3 4 5 6 7 8 9 10 ");
}

static void pauses_grow_to_an_hour_and_end_after_five_days(void **state)
{
    static const int64_t first[] = {5000,          20000,          MINUTE_MS,      2 * MINUTE_MS, 4 * MINUTE_MS,
                                    8 * MINUTE_MS, 16 * MINUTE_MS, 32 * MINUTE_MS, HOUR_MS,       HOUR_MS};
    int64_t sum = 0;
    int n = 1;

    (void)state;
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        assert_int_equal(sender_pause_ms((int)i + 1), first[i]);
    for (; sender_pause_ms(n) >= 0; n++)
        sum += sender_pause_ms(n);
    assert_in_range(sum, 118 * (int64_t)HOUR_MS, 122 * (int64_t)HOUR_MS);
    assert_int_equal(sender_pause_ms(n + 1), -1);
}

static void a_retry_waits_its_pause(void **state)
{
    struct fixture *f = *state;

    take(f, 1, "li", "L");
    pass(f, 5000);
    assert_string_equal(f->tries.s, "1 ");
    assert_int_equal(f->last.attempts, 1);
    assert_string_equal(f->last.last_error, "so says the test");
    assert_int_equal(f->last.next_ms, f->time.wall - 5000 + FLIGHT_MS + 5000);
    pass(f, 300);
    assert_string_equal(f->tries.s, "1 1 ");
    assert_string_equal(f->ends.s, "");
}

static void what_is_forgotten_is_not_sent_and_lets_others_pass(void **state)
{
    struct fixture *f = *state;

    take(f, 1, "li", "L");
    take(f, 2, "li", "x");
    assert_int_equal(sender_forget(f->sender, 1), PD_EBUSY); /* it is under way */
    pass(f, 1000);
    assert_string_equal(f->tries.s, "1 ");
    assert_int_equal(sender_forget(f->sender, 1), 0);
    assert_int_equal(sender_forget(f->sender, 1), PD_ENOENT);
    pass(f, 1000);
    assert_string_equal(f->tries.s, "1 2 ");
    pass(f, HOUR_MS);
    assert_string_equal(f->tries.s, "1 2 ");
}

static void a_refusal_is_the_end(void **state)
{
    struct fixture *f = *state;

    take(f, 1, "li", "N");
    take(f, 2, "li", "x");
    pass(f, 1000);
    assert_string_equal(f->ends.s, "1 mail.failed 2 mail.sent ");
}

static void after_five_days_it_is_given_up(void **state)
{
    struct fixture *f = *state;
    char name[24];
    struct outbox o = row(1, "li", "L", name);

    o.attempts = 126;
    sender_take(f->sender, &o);
    pass(f, 1000);
    assert_string_equal(f->ends.s, "1 mail.failed ");
    assert_int_equal(f->last.state, OUTBOX_FAILED);
    assert_int_equal(f->last.attempts, 127);
}

/* One that nobody wants to take does not keep its recipient's other mails for days. */
static void one_that_fails_for_long_lets_others_pass(void **state)
{
    struct fixture *f = *state;

    take(f, 1, "li", "L");
    take(f, 2, "li", "x");
    pass(f, 65 * MINUTE_MS);
    assert_string_equal(f->ends.s, "2 mail.sent ");
}

static void after_a_restart_the_pause_goes_on(void **state)
{
    struct fixture *f = *state;
    char name[24];
    struct outbox o = row(1, "li", "x", name);

    o.attempts = 3;
    o.next_ms = f->time.wall + MINUTE_MS;
    sender_take(f->sender, &o);
    pass(f, MINUTE_MS - 1000);
    assert_string_equal(f->tries.s, "");
    pass(f, 2000);
    assert_string_equal(f->ends.s, "1 mail.sent ");
}

static void a_clock_step_does_not_make_a_pause_longer_than_an_hour(void **state)
{
    struct fixture *f = *state;
    char name[24];
    struct outbox o = row(1, "li", "x", name);

    o.attempts = 3;
    o.next_ms = f->time.wall + 1000 * (int64_t)HOUR_MS;
    sender_take(f->sender, &o);
    pass(f, HOUR_MS + 1000);
    assert_string_equal(f->ends.s, "1 mail.sent ");
}

static void nothing_goes_out_while_paused(void **state)
{
    struct fixture *f = *state;

    sender_pause(f->sender, true);
    take(f, 1, "li", "x");
    pass(f, 1000);
    assert_string_equal(f->tries.s, "");
    sender_pause(f->sender, false);
    pass(f, 1000);
    assert_string_equal(f->tries.s, "1 ");
}

static void what_is_cut_short_counts_for_no_try(void **state)
{
    struct fixture *f = *state;

    take(f, 1, "li", "L");
    sender_pause(f->sender, true);
    pass(f, 1000);
    assert_string_equal(f->tries.s, "1 ");
    assert_int_equal(f->changes, 0);
    sender_pause(f->sender, false);
    pass(f, 1000);
    assert_string_equal(f->tries.s, "1 1 ");
    assert_int_equal(f->last.attempts, 1);
}

static void without_a_channel_mails_wait_for_one(void **state)
{
    struct fixture *f = *state;

    f->channel.channel = NULL;
    take(f, 1, "li", "x");
    pass(f, 1000);
    assert_string_equal(f->tries.s, "");
    f->channel.channel = (struct pd_channel *)f;
    sender_kick(f->sender);
    assert_true(sender_uses(f->sender, f->channel.channel));
    pass(f, 1000);
    assert_string_equal(f->tries.s, "1 ");
    assert_false(sender_uses(f->sender, f->channel.channel));
}

static void rows_that_are_over_are_not_taken(void **state)
{
    struct fixture *f = *state;
    char name[24];
    struct outbox o = row(1, "li", "x", name);
    static const enum outbox_state states[] = {OUTBOX_SENT, OUTBOX_FAILED, OUTBOX_HELD};

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        o.state = states[i];
        sender_take(f->sender, &o);
    }
    pass(f, 1000);
    assert_string_equal(f->tries.s, "");
}

static void a_send_under_way_outlives_the_sender(void **state)
{
    struct fixture *f = *state;

    take(f, 1, "li", "x");
    sender_free(f->sender);
    f->sender = NULL;
    pass(f, 1000);
    assert_string_equal(f->tries.s, "1 ");
    assert_int_equal(f->changes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_taken_is_sent_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_recipient_gets_mails_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(another_recipient_does_not_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(only_a_few_fly_at_once, setup, teardown),
        cmocka_unit_test(pauses_grow_to_an_hour_and_end_after_five_days),
        cmocka_unit_test_setup_teardown(a_retry_waits_its_pause, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_forgotten_is_not_sent_and_lets_others_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refusal_is_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(after_five_days_it_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_fails_for_long_lets_others_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(after_a_restart_the_pause_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clock_step_does_not_make_a_pause_longer_than_an_hour, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_goes_out_while_paused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_cut_short_counts_for_no_try, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_channel_mails_wait_for_one, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_that_are_over_are_not_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_send_under_way_outlives_the_sender, setup, teardown),
    };

    return cmocka_run_group_tests_name("sender", tests, NULL, NULL);
}
