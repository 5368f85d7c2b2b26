#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "tests/plugins/modbus/script.h"

/* What reads make of answers, and how devices share a line. */

#define A "192.0.2.1"

/* A script with a device, a plan and a reading. */
struct bench {
    struct script s;
    struct reading r;
    struct pd_device *d;
    struct pd_plan *p;
};

static void setup(struct bench *b, const struct pd_modbus_config *config, const char *sources)
{
    *b = (struct bench){.p = NULL};
    script_start(&b->s, config);
    b->d = script_open(&b->s, A, 0, 1);
    b->p = script_plan(&b->s, sources);
}

static void teardown(struct bench *b)
{
    reading_free(&b->r);
    pd_modbus_ops.plan_free(b->p);
    script_stop(&b->s);
}

static void have_trouble(struct bench *b, const struct trouble *t, size_t n)
{
    b->s.troubles = t;
    b->s.ntroubles = n;
}

/* Reads; the requests it took, from the script's i-th on, and the cells are as given. */
static void expect_read(struct bench *b, enum pd_read_status status, const char *requests, const char *cells)
{
    size_t i = b->s.seen.n;
    char *got;

    script_read(&b->s, &b->r, b->d, b->p);
    got = script_requests(&b->s, i);
    if (b->r.result.status != status)
        fail_msg("status %d: %s", b->r.result.status, b->r.detail);
    assert_string_equal(got, requests);
    assert_string_equal(b->r.cells.s, cells);
    free(got);
}

/* ---- Cells ---- */

static void all_spaces_are_read(void **state)
{
    struct bench b;

    (void)state;
    setup(&b, NULL, "coil 3; discrete 8; holding 5; input 258 s32; holding 6 bytes 2 le; discrete 9 flags 3");
    expect_read(&b, PD_READ_DONE, "1 coil 3\n1 discrete 8-11\n1 holding 5-7\n1 input 258-259\n",
                "0 1\n1 0\n5 a0\n2 5\n4 06000700\n3 16908547\n");
    assert_in_range(b.r.result.rtt_ms, 5, 10);
    teardown(&b);
}

static void rows_of_columns_rise(void **state)
{
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 10 rows 3 step 5; holding 11 u32 rows 3 step 5; holding 400 rows 2 step 200");
    expect_read(&b, PD_READ_DONE, "1 holding 10-22\n1 holding 400\n1 holding 600\n",
                "0[1] 10\n1[1] 720908\n0[2] 15\n1[2] 1048593\n0[3] 20\n1[3] 1376278\n2[1] 400\n2[2] 600\n");
    teardown(&b);
}

static void only_the_parts_that_are_wanted_are_read(void **state)
{
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 1; @1 holding 2; @2 holding 3; @1 holding 300");
    script_begin_parts(&b.s, &b.r, b.d, b.p, 1 << 1);
    script_wait(&b.r);
    assert_string_equal(b.r.cells.s, "1 2\n3 300\n");
    script_begin_parts(&b.s, &b.r, b.d, b.p, 1 << 0 | 1 << 2);
    script_wait(&b.r);
    assert_string_equal(b.r.cells.s, "0 1\n2 3\n");
    script_begin_parts(&b.s, &b.r, b.d, b.p, 1 << 7); /* nothing: it ends all the same */
    script_wait(&b.r);
    assert_int_equal(b.r.result.status, PD_READ_DONE);
    assert_int_equal(b.r.result.requests, 0);
    assert_int_equal(b.r.result.rtt_ms, -1);
    teardown(&b);
}

/* ---- What a device does not have ---- */

static void a_hole_is_learnt(void **state)
{
    static const struct trouble hole = {.function = 3, .first = 3, .last = 4, .exception = MB_ILLEGAL_ADDRESS};
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 0; holding 1; holding 6; holding 7");
    have_trouble(&b, &hole, 1);
    expect_read(&b, PD_READ_DONE, "1 holding 0-7\n1 holding 0-1\n1 holding 6-7\n", "0 0\n1 1\n2 6\n3 7\n");
    expect_read(&b, PD_READ_DONE, "1 holding 0-1\n1 holding 6-7\n", "0 0\n1 1\n2 6\n3 7\n");
    teardown(&b);
}

/* The list is copied; a walk minds it too. */
static void a_forbidden_hole_is_never_touched(void **state)
{
    struct pd_hole *hole = xmemdup(&(struct pd_hole){.function = MB_READ_HOLDING, .first = 3, .last = 4}, sizeof *hole);
    struct pd_target t = {.name = "d2", .address = A, .unit = 2, .retries = -1, .holes = hole, .nholes = 1};
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 0; holding 1; holding 3 u16; holding 4 u32 rows 2 step 2; holding 7");
    assert_int_equal(pd_modbus_ops.open(b.s.collector, &t, &b.d), 0);
    free(hole);
    expect_read(&b, PD_READ_DONE, "2 holding 0-1\n2 holding 6-7\n", "0 0\n1 1\n2 absent\n3[2] 393223\n4 7\n");
    script_walk(&b.s, &b.r, b.d, "holding 1-6");
    assert_string_equal(b.r.cells.s, "0[4.1] 1\n0[4.2] 2\n0[4.5] 5\n0[4.6] 6\n");
    teardown(&b);
}

static void nothing_is_asked_where_all_is_forbidden(void **state)
{
    static const struct pd_hole hole = {.function = MB_READ_HOLDING, .first = 0, .last = 9};
    struct pd_target t = {.name = "d2", .address = A, .unit = 2, .retries = -1, .holes = &hole, .nholes = 1};
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 0; holding 9");
    assert_int_equal(pd_modbus_ops.open(b.s.collector, &t, &b.d), 0);
    script_read(&b.s, &b.r, b.d, b.p);
    assert_int_equal(b.r.result.status, PD_READ_DONE);
    assert_int_equal(b.r.result.requests, 0);
    assert_int_equal(b.r.result.sent_ms, 0);
    teardown(&b);
}

/* The first packet of a read, not the one that was answered; a unit that has to wait for its line says so. */
static void a_read_says_when_it_began_to_ask(void **state)
{
    static const struct trouble mute = {.unit = 1, .first = 0, .last = 65535};
    struct reading other = {0};
    struct pd_device *d;
    struct bench b;
    int64_t begun;

    (void)state;
    setup(&b, NULL, "holding 0; input 1");
    d = script_open(&b.s, A, 0, 2);
    begun = b.s.time.mono;
    script_begin(&b.s, &b.r, b.d, b.p);
    script_begin(&b.s, &other, d, b.p);
    script_wait(&b.r);
    script_wait(&other);
    assert_int_equal(b.r.result.sent_ms, begun);
    assert_in_range(other.result.sent_ms, begun + 5, begun + 20);
    have_trouble(&b, &mute, 1);
    begun = b.s.time.mono;
    script_read(&b.s, &b.r, b.d, b.p);
    assert_int_equal(b.r.result.status, PD_READ_NOANSWER);
    assert_int_equal(b.r.result.sent_ms, begun);
    script_read(&b.s, &b.r, b.d, b.p); /* left alone */
    assert_int_equal(b.r.result.requests, 0);
    assert_int_equal(b.r.result.sent_ms, 0);
    reading_free(&other);
    teardown(&b);
}

static void what_is_absent_is_found_and_remembered(void **state)
{
    static const struct trouble gone = {.function = 3, .first = 5, .last = 5, .exception = MB_ILLEGAL_ADDRESS};
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 4; holding 5; holding 6; holding 7");
    have_trouble(&b, &gone, 1);
    expect_read(&b, PD_READ_DONE, "1 holding 4-7\n1 holding 4-5\n1 holding 4\n1 holding 5\n1 holding 6-7\n",
                "0 4\n1 absent\n2 6\n3 7\n");
    expect_read(&b, PD_READ_DONE, "1 holding 4\n1 holding 6-7\n", "0 4\n1 absent\n2 6\n3 7\n");
    have_trouble(&b, NULL, 0);
    script_run(&b.s, 3500000); /* not forgotten yet */
    expect_read(&b, PD_READ_DONE, "1 holding 4\n1 holding 6-7\n", "0 4\n1 absent\n2 6\n3 7\n");
    script_run(&b.s, 200000);
    expect_read(&b, PD_READ_DONE, "1 holding 4\n1 holding 5\n1 holding 6-7\n", "0 4\n1 5\n2 6\n3 7\n");
    teardown(&b);
}

static void rows_that_are_absent_are_no_rows(void **state)
{
    static const struct trouble gone = {.function = 3, .first = 30, .last = 65535, .exception = MB_ILLEGAL_ADDRESS};
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 10 rows 4 step 10; holding 90");
    have_trouble(&b, &gone, 1);
    expect_read(&b, PD_READ_DONE, "1 holding 10\n1 holding 20\n1 holding 30\n1 holding 40\n1 holding 90\n",
                "0[1] 10\n0[2] 20\n1 absent\n");
    teardown(&b);
}

static void a_function_that_is_not_known_is_not_asked_again(void **state)
{
    static const struct trouble none = {.function = 4, .last = 65535, .exception = MB_ILLEGAL_FUNCTION};
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 1; input 1; input 2; input 3");
    have_trouble(&b, &none, 1);
    expect_read(&b, PD_READ_DONE, "1 holding 1\n1 input 1-3\n", "0 1\n1 absent\n2 absent\n3 absent\n");
    expect_read(&b, PD_READ_DONE, "1 holding 1\n", "0 1\n1 absent\n2 absent\n3 absent\n");
    teardown(&b);
}

/* Else a device that is gone would pass for one that has nothing. */
static void a_device_without_anything_is_still_asked(void **state)
{
    static const struct trouble none = {.last = 65535, .exception = MB_ILLEGAL_ADDRESS}, dead = {.last = 65535};
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 1; holding 2");
    have_trouble(&b, &none, 1);
    expect_read(&b, PD_READ_DONE, "1 holding 1-2\n1 holding 1\n1 holding 2\n", "0 absent\n1 absent\n");
    expect_read(&b, PD_READ_DONE, "1 holding 1\n", "0 absent\n1 absent\n");
    have_trouble(&b, &dead, 1);
    expect_read(&b, PD_READ_NOANSWER, "1 holding 1\n1 holding 1\n1 holding 1\n", "");
    have_trouble(&b, NULL, 0);
    script_run(&b.s, 60000);
    expect_read(&b, PD_READ_DONE, "1 holding 1\n1 holding 2\n", "0 1\n1 2\n"); /* it is there: so may be the rest */
    teardown(&b);
}

static void a_device_that_takes_less_at_once_is_asked_for_less(void **state)
{
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 0 text 8; holding 8 text 8; holding 16 text 8; holding 24 text 8");
    b.s.max_count = 16;
    script_read(&b.s, &b.r, b.d, b.p);
    assert_int_equal(b.r.result.status, PD_READ_DONE);
    assert_int_equal(b.r.result.requests, 3);
    script_read(&b.s, &b.r, b.d, b.p);
    assert_int_equal(b.r.result.requests, 2);
    teardown(&b);
}

/* One read cuts only so often; the next goes on from there. */
static void a_device_full_of_holes_is_learnt_in_several_reads(void **state)
{
    struct trouble odd[32];
    struct sbuf sources = {0}, cells = {0};
    struct bench b;
    int reads = 0;

    (void)state;
    for (uint16_t i = 0; i < 32; i++) {
        odd[i] = (struct trouble){.first = (uint16_t)(2 * i + 1), .last = (uint16_t)(2 * i + 1)};
        odd[i].exception = MB_ILLEGAL_ADDRESS;
        sbuf_addf(&sources, "%sholding %d", i ? "; " : "", 2 * i);
        sbuf_addf(&cells, "%d %d\n", i, 2 * i);
    }
    setup(&b, NULL, sources.s);
    have_trouble(&b, odd, 32);
    do {
        script_read(&b.s, &b.r, b.d, b.p);
        assert_true(b.r.result.requests <= 50);
        assert_true(++reads < 4);
        if (b.r.result.status == PD_READ_PARTIAL)
            assert_non_null(strstr(b.r.detail, ": refused in part; the next read will ask for less"));
    } while (b.r.result.status == PD_READ_PARTIAL);
    assert_int_equal(reads, 2);
    assert_string_equal(b.r.cells.s, cells.s);
    sbuf_free(&sources);
    sbuf_free(&cells);
    teardown(&b);
}

static void what_was_learnt_holds_for_other_plans(void **state)
{
    static const struct trouble hole = {.first = 3, .last = 4, .exception = MB_ILLEGAL_ADDRESS};
    struct bench b;
    struct pd_plan *other;

    (void)state;
    setup(&b, NULL, "holding 0; holding 6");
    have_trouble(&b, &hole, 1);
    script_read(&b.s, &b.r, b.d, b.p);
    other = b.p;
    b.p = script_plan(&b.s, "holding 6; holding 1");
    expect_read(&b, PD_READ_DONE, "1 holding 1\n1 holding 6\n", "1 1\n0 6\n");
    pd_modbus_ops.plan_free(other);
    teardown(&b);
}

/* ---- Trouble on the way ---- */

static void a_read_goes_on_behind_what_is_not_answered(void **state)
{
    static const struct trouble mute = {.first = 100, .last = 100};
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 1; holding 100; holding 200");
    have_trouble(&b, &mute, 1);
    expect_read(&b, PD_READ_PARTIAL, "1 holding 1\n1 holding 100\n1 holding 100\n1 holding 100\n1 holding 200\n",
                "0 1\n2 200\n");
    assert_string_equal(b.r.detail, "holding 100: no answer in time");
    assert_false(b.r.result.fell_silent);
    teardown(&b);
}

static void a_device_that_falls_silent_is_given_up(void **state)
{
    static const struct trouble mute = {.first = 100, .last = 65535};
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 1; holding 100; holding 200; holding 300; holding 400");
    have_trouble(&b, &mute, 1);
    expect_read(&b, PD_READ_PARTIAL, "1 holding 1\n1 holding 100\n1 holding 100\n1 holding 100\n1 holding 200\n",
                "0 1\n"); /* holding 200 has but one try: it was silent before */
    assert_true(b.r.result.fell_silent);
    teardown(&b);
}

static void a_dead_device_is_asked_less_and_less_often(void **state)
{
    static const struct trouble dead = {.last = 65535};
    struct bench b;
    int64_t asked;

    (void)state;
    setup(&b, NULL, "holding 1; holding 100");
    have_trouble(&b, &dead, 1);
    expect_read(&b, PD_READ_NOANSWER, "1 holding 1\n1 holding 1\n1 holding 1\n", "");
    assert_string_equal(b.r.detail, "no answer in time (3 tries)");
    assert_int_equal(b.r.result.retries, 2);
    assert_int_equal(b.r.result.rtt_ms, -1);
    expect_read(&b, PD_READ_NOANSWER, "", "");
    assert_non_null(strstr(b.r.detail, "left alone for "));
    assert_int_equal(b.r.result.requests, 0);
    asked = (int64_t)b.s.seen.n;
    for (int64_t end = b.s.time.mono + 300000; b.s.time.mono < end; script_run(&b.s, 500))
        script_read(&b.s, &b.r, b.d, b.p);
    assert_in_range((int64_t)b.s.seen.n - asked, 11, 14); /* 1, 2, 4, 8, 16, then 30 s and the time-out */
    have_trouble(&b, NULL, 0);
    script_run(&b.s, 30000);
    expect_read(&b, PD_READ_DONE, "1 holding 1\n1 holding 100\n", "0 1\n1 100\n");
    expect_read(&b, PD_READ_DONE, "1 holding 1\n1 holding 100\n", "0 1\n1 100\n");
    teardown(&b);
}

static bool hang_up_on_third(struct script *s, struct mb_conn *c, const struct seen *q)
{
    if (q->ask.address < 200)
        return false;
    script_hang_up(s, c, 0);
    s->connect_errno = 111;
    return true;
}

static void a_line_that_breaks_ends_the_read(void **state)
{
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 1; holding 100; holding 200");
    b.s.hook = hang_up_on_third;
    script_read(&b.s, &b.r, b.d, b.p);
    assert_int_equal(b.r.result.status, PD_READ_PARTIAL);
    assert_string_equal(b.r.detail, "cannot connect: Connection refused");
    assert_string_equal(b.r.cells.s, "0 1\n1 100\n");
    assert_true(b.r.result.fell_silent);
    teardown(&b);
}

static void a_slow_read_gives_its_line_back(void **state)
{
    struct pd_modbus_config config = pd_modbus_defaults;
    struct bench b;

    (void)state;
    config.hold_ms = 5000;
    setup(&b, &config, "holding 0; holding 100; holding 200; holding 300; holding 400; holding 500");
    b.s.delay_ms = 1500;
    script_read(&b.s, &b.r, b.d, b.p);
    assert_int_equal(b.r.result.status, PD_READ_PARTIAL);
    assert_string_equal(b.r.detail, "holding 400: not asked for: the read held its line for too long");
    assert_string_equal(b.r.cells.s, "0 0\n1 100\n2 200\n3 300\n");
    teardown(&b);
}

static void a_read_has_an_end(void **state)
{
    struct pd_modbus_config config = pd_modbus_defaults;
    struct bench b;

    (void)state;
    config.max_ms = 3000;
    setup(&b, &config, "holding 0; holding 100; holding 200; holding 300");
    b.s.delay_ms = 1500;
    script_read(&b.s, &b.r, b.d, b.p);
    assert_int_equal(b.r.result.status, PD_READ_PARTIAL);
    assert_string_equal(b.r.detail, "holding 200: not asked for: the read took too long");
    teardown(&b);
}

/* ---- Sharing a line ---- */

static void units_take_turns(void **state)
{
    struct script s;
    struct reading r[2] = {0};
    struct pd_device *d[2];
    struct pd_plan *many, *one;
    char *got;

    (void)state;
    script_start(&s, NULL);
    d[0] = script_open(&s, A, 0, 1);
    d[1] = script_open(&s, A, 0, 2);
    many = script_plan(&s, "holding 0; holding 100; holding 200; holding 300");
    one = script_plan(&s, "holding 0; holding 100");
    script_begin(&s, &r[0], d[0], many);
    script_begin(&s, &r[1], d[1], one);
    script_wait(&r[0]);
    got = script_requests(&s, 0);
    assert_string_equal(got, "1 holding 0\n2 holding 0\n1 holding 100\n2 holding 100\n1 holding 200\n1 holding 300\n");
    assert_true(r[1].ended_ms < r[0].ended_ms);
    free(got);
    reading_free(&r[0]);
    reading_free(&r[1]);
    pd_modbus_ops.plan_free(many);
    pd_modbus_ops.plan_free(one);
    script_stop(&s);
}

/* A gateway with many units, half of them dead. */
enum { UNITS = 20 };

struct farm {
    struct script s;
    struct pd_device *d[UNITS];
    struct reading r[UNITS];
    struct pd_plan *p;
    int64_t worst_ms;      /* of the reads of living units */
    unsigned ended[UNITS]; /* reads */
};

static bool is_dead(int i)
{
    return i % 2 == 1;
}

static void read_again(struct reading *r)
{
    struct farm *f = r->arg;
    int i = (int)(r - f->r);
    int64_t took = r->ended_ms - r->started_ms;

    f->ended[i]++;
    assert_int_equal(r->result.status, is_dead(i) ? PD_READ_NOANSWER : PD_READ_DONE);
    if (!is_dead(i) && took > f->worst_ms)
        f->worst_ms = took;
}

static void dead_units_do_not_starve_the_others(void **state)
{
    struct trouble dead[UNITS / 2];
    struct farm f = {.worst_ms = 0};
    int64_t minute = 60000;

    (void)state;
    script_start(&f.s, NULL);
    for (int i = 0; i < UNITS; i++) {
        f.d[i] = script_open(&f.s, A, 0, (uint8_t)(i + 1));
        if (is_dead(i))
            dead[i / 2] = (struct trouble){.unit = (uint8_t)(i + 1), .last = 65535};
        f.r[i].arg = &f;
        f.r[i].on_end = read_again;
    }
    f.s.troubles = dead;
    f.s.ntroubles = UNITS / 2;
    f.p = script_plan(&f.s, "holding 0; holding 100");
    for (int round = 0; round < 60; round++) { /* each unit polled every ten seconds, but while its read is under way */
        if (round == 6) {                      /* by then it is known who is dead */
            f.worst_ms = 0;
            memset(f.ended, 0, sizeof f.ended);
        }
        for (int i = 0; i < UNITS; i++)
            if (!f.r[i].read || f.r[i].ends > 0)
                script_begin(&f.s, &f.r[i], f.d[i], f.p);
        script_run(&f.s, minute / 6);
    }
    for (int i = 0; i < UNITS; i++) {
        if (!is_dead(i))
            assert_int_equal(f.ended[i], 54);
        else
            assert_in_range(f.ended[i], 15, 54); /* and yet it is asked for from time to time */
    }
    assert_in_range(f.worst_ms, 1, 3 * 2000); /* never more than a few time-outs of others in between */
    for (int i = 0; i < UNITS; i++) {
        pd_modbus_ops.close(f.d[i]);
        reading_free(&f.r[i]);
    }
    pd_modbus_ops.plan_free(f.p);
    script_stop(&f.s);
}

/* ---- Ends ---- */

static void a_read_may_be_cancelled_at_any_time(void **state)
{
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 1; holding 100");
    for (int64_t after = 0; after < 30; after += 3) {
        script_begin(&b.s, &b.r, b.d, b.p);
        script_run(&b.s, after);
        if (b.r.ends > 0)
            continue;
        pd_modbus_ops.cancel(b.r.read);
        assert_int_equal(b.r.ends, 1);
        assert_int_equal(b.r.result.status, PD_READ_CANCELLED);
        assert_string_equal(b.r.detail, "cancelled");
    }
    expect_read(&b, PD_READ_DONE, "1 holding 1\n1 holding 100\n", "0 1\n1 100\n");
    teardown(&b);
}

static void one_read_a_device_at_a_time(void **state)
{
    struct bench b;
    struct pd_sink sink = {0};
    struct pd_read *other;

    (void)state;
    setup(&b, NULL, "holding 1");
    script_begin(&b.s, &b.r, b.d, b.p);
    assert_int_equal(pd_modbus_ops.read(b.d, b.p, 1, &sink, &other), PD_EBUSY);
    assert_int_equal(pd_modbus_ops.walk(b.d, "coil 1", &sink, &other), PD_EBUSY);
    script_wait(&b.r);
    teardown(&b);
}

static void cancel_it(struct reading *r)
{
    pd_modbus_ops.cancel(r->read);
}

static void close_it(struct reading *r)
{
    struct bench *b = r->arg;

    if (b->d)
        pd_modbus_ops.close(b->d);
    b->d = NULL;
}

static void a_sink_may_cancel_and_close(void **state)
{
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 1; holding 100");
    b.r.on_cells = cancel_it;
    script_read(&b.s, &b.r, b.d, b.p);
    assert_int_equal(b.r.result.status, PD_READ_CANCELLED);
    assert_string_equal(b.r.cells.s, "0 1\n");
    b.r.on_cells = NULL;
    b.r.on_end = close_it;
    b.r.arg = &b;
    script_read(&b.s, &b.r, b.d, b.p);
    assert_int_equal(b.r.result.status, PD_READ_DONE);
    assert_null(b.d);
    b.r.on_end = NULL;
    b.d = script_open(&b.s, A, 0, 1);
    b.r.on_cells = close_it;
    script_read(&b.s, &b.r, b.d, b.p);
    assert_int_equal(b.r.result.status, PD_READ_CANCELLED);
    assert_int_equal(b.s.connects, 1); /* the line outlives its devices a little */
    teardown(&b);
}

static void stopping_ends_reads(void **state)
{
    struct bench b;
    struct reading waiting = {0};
    struct pd_device *e;

    (void)state;
    setup(&b, NULL, "holding 1; holding 100");
    e = script_open(&b.s, A, 0, 2);
    script_begin(&b.s, &b.r, b.d, b.p);
    script_begin(&b.s, &waiting, e, b.p);
    script_run(&b.s, 2);
    script_stop(&b.s);
    assert_int_equal(b.r.ends, 1);
    assert_int_equal(b.r.result.status, PD_READ_CANCELLED);
    assert_int_equal(waiting.ends, 1);
    reading_free(&b.r);
    reading_free(&waiting);
    pd_modbus_ops.plan_free(b.p);
}

/* ---- Walks ---- */

static void a_walk_gives_every_place(void **state)
{
    static const struct trouble holes[] = {{.function = 3, .first = 12, .last = 12, .exception = MB_ILLEGAL_ADDRESS},
                                           {.function = 3, .first = 14, .last = 65535, .exception = 2}};
    struct bench b;

    (void)state;
    setup(&b, NULL, "holding 1");
    script_walk(&b.s, &b.r, b.d, "coil 2-4");
    assert_string_equal(b.r.cells.s, "0[0.2] 0\n0[0.3] 1\n0[0.4] 0\n");
    have_trouble(&b, holes, 2);
    script_walk(&b.s, &b.r, b.d, "holding 10-80");
    assert_int_equal(b.r.result.status, PD_READ_DONE);
    assert_string_equal(b.r.cells.s, "0[4.10] 10\n0[4.11] 11\n0[4.13] 13\n");
    script_walk(&b.s, &b.r, b.d, "input");
    assert_int_equal(b.r.result.status, PD_READ_DONE);
    assert_int_equal(b.r.result.requests, 65536 / 125 + 1);
    assert_non_null(strstr(b.r.cells.s, "0[3.65535] 65535\n"));
    teardown(&b);
}

static void a_walk_needs_a_place(void **state)
{
    struct bench b;
    struct pd_sink sink = {0};
    struct pd_read *r;

    (void)state;
    setup(&b, NULL, "holding 1");
    log_set_level(LOG_LEVEL_ERROR);
    assert_int_equal(pd_modbus_ops.walk(b.d, "1.3.6", &sink, &r), PD_EINVAL);
    teardown(&b);
}

/* ---- Targets ---- */

static void targets_are_checked(void **state)
{
    static const struct pd_target rows[] = {
        {.address = "printer"},           {.address = ""},
        {.address = "0.0.0.0"},           {.address = "fe80::1"},
        {.address = A, .timeout_ms = -1}, {.address = A, .timeout_ms = 60001},
        {.address = A, .retries = 21},    {.address = A, .retries = -2},
        {.address = "bus", .unit = 248},
    };
    static const struct pd_modbus_bus bus = {.name = "bus", .device = "/dev/ttyUSB0"};
    struct pd_modbus_config config = pd_modbus_defaults;
    struct script s;

    (void)state;
    config.buses = &bus;
    config.nbuses = 1;
    script_start(&s, &config);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_target t = rows[i];
        struct pd_device *d = NULL;

        t.name = "d";
        if (pd_modbus_ops.open(s.collector, &t, &d) != (t.unit > 247 ? PD_ERANGE : PD_EINVAL) || d)
            fail_msg("row %zu was taken", i);
    }
    script_stop(&s);
}

static void configurations_are_checked(void **state)
{
    static const struct pd_modbus_bus good = {.name = "b", .device = "/dev/ttyS0"};
    struct pd_modbus_bus bad[] = {good, good, good, good, good, good, good};
    struct pd_modbus_endpoint endpoint = {.address = "gateway"};
    struct script s;
    struct pd_collector *c;

    (void)state;
    script_start(&s, NULL);
    bad[0].name = NULL;
    bad[1].device = "";
    bad[2].baud = 9601;
    bad[3].parity = 'X';
    bad[4].stop_bits = 3;
    bad[5].response_ms = 10001;
    bad[6].gap_ms = -1;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pd_modbus_config config = pd_modbus_defaults;

        config.buses = &bad[i];
        config.nbuses = 1;
        if (mb_start_on(&s.services, &config, &s.net, &c) != PD_EINVAL)
            fail_msg("bus %zu was taken", i);
    }
    for (int i = 0; i < 3; i++) {
        struct pd_modbus_config config = pd_modbus_defaults;

        config.max_registers = i == 0 ? 126 : 125;
        config.max_bits = i == 1 ? 0 : 2000;
        config.endpoints = &endpoint;
        config.nendpoints = i == 2;
        assert_int_equal(mb_start_on(&s.services, &config, &s.net, &c), PD_EINVAL);
    }
    script_stop(&s);
}

static void drop_line(void *ctx, const struct log_line *line)
{
    (void)ctx;
    (void)line;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_spaces_are_read),
        cmocka_unit_test(rows_of_columns_rise),
        cmocka_unit_test(only_the_parts_that_are_wanted_are_read),
        cmocka_unit_test(a_hole_is_learnt),
        cmocka_unit_test(a_forbidden_hole_is_never_touched),
        cmocka_unit_test(nothing_is_asked_where_all_is_forbidden),
        cmocka_unit_test(a_read_says_when_it_began_to_ask),
        cmocka_unit_test(what_is_absent_is_found_and_remembered),
        cmocka_unit_test(rows_that_are_absent_are_no_rows),
        cmocka_unit_test(a_function_that_is_not_known_is_not_asked_again),
        cmocka_unit_test(a_device_without_anything_is_still_asked),
        cmocka_unit_test(a_device_that_takes_less_at_once_is_asked_for_less),
        cmocka_unit_test(a_device_full_of_holes_is_learnt_in_several_reads),
        cmocka_unit_test(what_was_learnt_holds_for_other_plans),
        cmocka_unit_test(a_read_goes_on_behind_what_is_not_answered),
        cmocka_unit_test(a_device_that_falls_silent_is_given_up),
        cmocka_unit_test(a_dead_device_is_asked_less_and_less_often),
        cmocka_unit_test(a_line_that_breaks_ends_the_read),
        cmocka_unit_test(a_slow_read_gives_its_line_back),
        cmocka_unit_test(a_read_has_an_end),
        cmocka_unit_test(units_take_turns),
        cmocka_unit_test(dead_units_do_not_starve_the_others),
        cmocka_unit_test(a_read_may_be_cancelled_at_any_time),
        cmocka_unit_test(one_read_a_device_at_a_time),
        cmocka_unit_test(a_sink_may_cancel_and_close),
        cmocka_unit_test(stopping_ends_reads),
        cmocka_unit_test(a_walk_gives_every_place),
        cmocka_unit_test(a_walk_needs_a_place),
        cmocka_unit_test(targets_are_checked),
        cmocka_unit_test(configurations_are_checked),
    };

    log_set_sink(drop_line, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
