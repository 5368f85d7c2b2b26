#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/*
 * A scripted load (tickets opened and moved, each with an event, mails that are
 * sent, polls, an hour that is packed, checkpoints) whose power fails at each of its sync points in turn,
 * what was not synced being lost or torn by chance. What was acknowledged must be
 * there, and of every change all or nothing.
 */
enum { CHANGES = 110, STEPS_A_CHANGE = 3, POLLS_A_STEP = 4 };

struct load {
    struct fixture *f;
    int submitted, acknowledged;
    ARRAY(int64_t) times; /* of the polls, in order */
};

/* The n-th change: ticket n in state "new", a mail, an event; and the ticket before it goes on. */
static struct change *nth_change(struct fixture *f, int n)
{
    struct change *c = change_new();
    char number[20], mail[20], note[600];
    struct ticket t = {.id = n, .number = number, .note = note};
    struct outbox o = {.id = n, .channel = "mail", .message_id = mail, .recipient = "x"};
    struct event *e = change_event(c, f->clock.wall, "ticket.opened");

    for (int64_t id = 1; n == 1 && id <= POLLS_A_STEP; id++) {
        struct device d = {.id = id, .name = "d", .address = "192.0.2.1", .collector = "snmp"};

        change_put_device(c, &d);
    }
    memset(note, 'a' + n % 26, sizeof note - 1); /* long enough for changes to spread over pages */
    note[sizeof note - 1] = '\0';
    snprintf(number, sizeof number, "T-%d", n);
    snprintf(mail, sizeof mail, "<%d>", n);
    e->ticket_id = n;
    change_put_ticket(c, &t);
    change_put_outbox(c, &o);
    if (n > 1) {
        t.id = n - 1;
        t.state = TICKET_ACCEPTED;
        snprintf(number, sizeof number, "T-%d", n - 1);
        change_put_ticket(c, &t);
        change_event(c, f->clock.wall, "ticket.accepted")->ticket_id = n - 1;
    }
    return c;
}

static void put_polls(struct load *l)
{
    struct fixture *f = l->f;

    array_push(&l->times, f->clock.wall);
    for (int64_t device = 1; device <= POLLS_A_STEP; device++) {
        struct reading r[100];

        for (uint16_t p = 0; p < 100; p++)
            r[p] = (struct reading){.component = 0, .point = p, .value = value_int(f->clock.mono * 1000 + p)};
        fixture_put_poll(f, device, f->clock.wall, r, 100);
    }
}

/* Runs the load until it ends or the power does. */
static void run_load(struct load *l)
{
    struct fixture *f = l->f;

    f->clock.wall += 3600000 - 500000; /* so that hours end meanwhile */
    while (l->submitted < CHANGES && !memvfs_is_off(f->mem)) {
        l->submitted++;
        fixture_submit_change(f, l->submitted, nth_change(f, l->submitted), l->submitted % 3 != 0);
        for (int i = 0; i < STEPS_A_CHANGE; i++) {
            put_polls(l);
            fixture_pass(f, 500);
        }
        if (l->submitted % 20 == 0)
            fixture_pass(f, 200000); /* idle: a checkpoint */
    }
    fixture_pass(f, 5000);
    l->acknowledged = (int)f->heard.n;
}

static int number(struct fixture *f, const char *sql)
{
    char *text = fixture_look(f, sql);
    int n = atoi(text);

    free(text);
    return n;
}

static void expect_whole(struct load *l, uint64_t cut)
{
    struct fixture *f = l->f;
    int tickets = number(f, "SELECT count(*) FROM ticket");

    if (tickets < l->acknowledged || tickets > l->submitted)
        fail_msg("power cut at %d: %d changes there, %d acknowledged, %d submitted", (int)cut, tickets, l->acknowledged,
                 l->submitted);
    /* All of each change that is there: its ticket, its mail, the move of the ticket before, one event of each. */
    assert_int_equal(number(f, "SELECT coalesce(max(id), 0) FROM ticket"), tickets);
    assert_int_equal(number(f, "SELECT count(*) FROM outbox"), tickets);
    assert_int_equal(number(f, "SELECT count(*) FROM event"), tickets > 0 ? 2 * tickets - 1 : 0);
    assert_int_equal(number(f, "SELECT coalesce(max(number), 0) FROM event"), tickets > 0 ? 2 * tickets - 1 : 0);
    assert_int_equal(number(f, "SELECT count(*) FROM ticket WHERE state = 'new'"), tickets > 0);
    fixture_expect(f, "PRAGMA integrity_check", "ok");
    fixture_expect(f, "SELECT count(*) FROM pragma_foreign_key_check", "0");
}

/* What is there of the polls: of each device its first ones, each once, whole. */
struct told {
    const struct load *load;
    size_t polls[POLLS_A_STEP + 1];
};

static void take_newest(void *ctx, int64_t device_id, int64_t at_ms, const struct reading *r, size_t n)
{
    (void)ctx;
    (void)device_id;
    (void)at_ms;
    (void)r;
    assert_int_equal(n, 100);
}

static void take_poll(void *ctx, int64_t device_id, int64_t at_ms, const struct reading *r, size_t n)
{
    struct told *t = ctx;
    size_t place = t->polls[device_id]++;

    if (place >= t->load->times.n || t->load->times.v[place] != at_ms)
        fail_msg("poll %d of device %d is at %lld", (int)place, (int)device_id, (long long)at_ms);
    assert_int_equal(n, 100);
    assert_int_equal(r[99].point, 99);
}

static void expect_polls(struct load *l, uint64_t cut)
{
    struct told told = {.load = l};
    const struct store_loader loader = {.poll = take_newest, .tail = take_poll, .ctx = &told};

    if (number(l->f, "SELECT count(*) FROM device") == 0)
        return;
    assert_int_equal(store_load(l->f->store, &loader), 0);
    for (int i = 2; i <= POLLS_A_STEP; i++)
        assert_int_equal(told.polls[i], told.polls[1]); /* they are put together */
    if (!cut)
        assert_int_equal(told.polls[1], l->times.n);
}

/* One life with the power cut at a sync point (0: not at all); gives the sync points passed. */
static uint64_t live_once(uint64_t cut, uint64_t seed)
{
    void *state;
    struct load l = {0};
    uint64_t syncs;

    fixture_in_memory(&state);
    l.f = state;
    memvfs_cut_power_at(l.f->mem, cut);
    if (fixture_try_open(l.f, NULL) == 0) {
        run_load(&l);
        fixture_close(l.f);
    }
    syncs = memvfs_syncs(l.f->mem);
    assert_int_equal(memvfs_is_off(l.f->mem), cut != 0);
    if (cut) {
        memvfs_power_cycle(l.f->mem, seed);
    } else {
        assert_int_equal(l.acknowledged, CHANGES);
    }
    fixture_open(l.f);
    expect_whole(&l, cut);
    expect_polls(&l, cut);
    if (!cut)
        fixture_expect(l.f, "SELECT count(*) > 3 FROM packed", "1");
    array_free(&l.times);
    fixture_teardown(&state);
    return syncs;
}

static void at_every_sync_point(void **state)
{
    uint64_t all = live_once(0, 0);

    (void)state;
    if (all < 200)
        fail_msg("only %d sync points", (int)all);
    for (uint64_t cut = 1; cut <= all; cut++)
        live_once(cut, cut);
}

/* The process dies, the machine does not: all that was written is there, synced or not. */
static void killed_at_every_third_sync_point(void **state)
{
    uint64_t all = live_once(0, 0);

    (void)state;
    for (uint64_t cut = 1; cut <= all; cut += 3) {
        void *fixture;
        struct load l = {0};

        fixture_in_memory(&fixture);
        l.f = fixture;
        memvfs_cut_power_at(l.f->mem, cut);
        if (fixture_try_open(l.f, NULL) == 0) {
            run_load(&l);
            fixture_close(l.f);
        }
        memvfs_revive(l.f->mem);
        fixture_open(l.f);
        expect_whole(&l, cut);
        expect_polls(&l, cut);
        array_free(&l.times);
        fixture_teardown(&fixture);
    }
}

static void same_seed_same_bytes(void **state)
{
    char *data[2] = {NULL, NULL};

    (void)state;
    for (int i = 0; i < 2; i++) {
        void *fixture;
        struct load l = {0};

        fixture_in_memory(&fixture);
        l.f = fixture;
        memvfs_cut_power_at(l.f->mem, 100);
        fixture_open(l.f);
        run_load(&l);
        fixture_close(l.f);
        memvfs_power_cycle(l.f->mem, 77);
        fixture_open(l.f);
        data[i] = fixture_look(
            l.f, "SELECT group_concat(hex(data)) || (SELECT group_concat(number || at_ms) FROM event) FROM poll");
        array_free(&l.times);
        fixture_teardown(&fixture);
    }
    assert_string_equal(data[0], data[1]);
    free(data[0]);
    free(data[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_every_sync_point),
        cmocka_unit_test(killed_at_every_third_sync_point),
        cmocka_unit_test(same_seed_same_bytes),
    };

    return cmocka_run_group_tests_name("store/power", tests, NULL, NULL);
}
