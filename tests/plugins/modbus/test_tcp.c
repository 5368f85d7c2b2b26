#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "tests/plugins/modbus/script.h"

/* Framing, connections and turns, through the whole collector. Time-outs are 2 s, two retries. */

#define A "192.0.2.1"

static void expect_cells(const struct reading *r, const char *cells)
{
    assert_string_equal(r->cells.s, cells);
}

/* ---- Frames ---- */

static void an_answer_may_come_in_any_pieces(void **state)
{
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 7; holding 9 u32; coil 3");
    for (s.piece = 1; s.piece <= 20; s.piece++) {
        script_read(&s, &r, d, p);
        assert_int_equal(r.result.status, PD_READ_DONE);
        assert_int_equal(r.result.requests, 2);
        expect_cells(&r, "2 1\n0 7\n1 589834\n");
    }
    assert_int_equal(s.connects, 1);
    assert_int_equal(script_counter(&s, "modbus_repeated"), 0);
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

/* Splits the answer in two at byte s->step. */
static bool split_once(struct script *s, struct mb_conn *c, const struct seen *q)
{
    uint8_t frame[MB_MAX_FRAME];
    size_t n = script_answer(s, q, frame), at = (size_t)s->step;

    script_arrive(s, c, frame, at, 5);
    script_arrive(s, c, frame + at, n - at, 50);
    return true;
}

static void an_answer_may_be_split_at_every_byte(void **state)
{
    enum { SIZE = 9 + 250 };
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 1000 text 124; holding 1124");
    s.hook = split_once;
    for (s.step = 1; s.step < SIZE; s.step++) {
        script_read(&s, &r, d, p);
        if (r.result.status != PD_READ_DONE || r.result.requests != 1 || !strstr(r.cells.s, "\n1 1124\n"))
            fail_msg("split at %d: %s", s.step, r.detail);
    }
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

/* In one segment: an answer to nothing, to an earlier request, the answer, and the answer again. */
static bool crowd(struct script *s, struct mb_conn *c, const struct seen *q)
{
    static const int16_t offsets[] = {1000, -1, 0, 0};
    uint8_t all[4 * MB_MAX_FRAME];
    size_t n = 0;

    if (s->seen.n < 3) /* so that there is an earlier one */
        return false;
    for (int i = 0; i < 4; i++) {
        struct seen other = *q;

        other.transaction = (uint16_t)(q->transaction + offsets[i]);
        if (offsets[i])
            other.ask.address += 5;
        n += script_answer(s, &other, all + n);
    }
    script_arrive(s, c, all, n, 5);
    return true;
}

static void several_frames_may_come_in_one_segment(void **state)
{
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 7");
    s.hook = crowd;
    for (int i = 0; i < 3; i++) {
        script_read(&s, &r, d, p);
        assert_int_equal(r.result.status, PD_READ_DONE);
        expect_cells(&r, "0 7\n");
    }
    assert_int_equal(script_counter(&s, "modbus_drop_transaction"), 1);
    assert_int_equal(script_counter(&s, "modbus_drop_late"), 1);
    assert_int_equal(script_counter(&s, "modbus_drop_unasked"), 1);
    assert_int_equal(s.connects, 1);
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

/* Answers one request in two too late: when the next try is under way. */
static bool dawdle(struct script *s, struct mb_conn *c, const struct seen *q)
{
    uint8_t frame[MB_MAX_FRAME];
    size_t n = script_answer(s, q, frame);

    frame[n - 1] = (uint8_t)s->seen.n;
    script_arrive(s, c, frame, n, s->seen.n == 1 ? 2100 : 200);
    return true;
}

static void a_late_answer_is_dropped(void **state)
{
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 7");
    s.hook = dawdle;
    script_read(&s, &r, d, p);
    assert_int_equal(r.result.status, PD_READ_DONE);
    assert_int_equal(r.result.requests, 2);
    assert_int_equal(r.result.retries, 1);
    expect_cells(&r, "0 2\n"); /* what the second request was told */
    assert_int_equal(script_counter(&s, "modbus_drop_late"), 1);
    assert_int_equal(s.connects, 1);
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

struct lie {
    int at, value; /* a byte of the frame that is replaced */
    int more;      /* bytes added at the end (as the frame's length says too), or taken away */
    enum pd_read_status status;
    const char *counter, *detail;
};

static const struct lie lies[] = {
    {6, 2, 0, PD_READ_BROKEN, "modbus_drop_unit", "holding 7-8: the answer comes from another unit"},
    {7, 4, 0, PD_READ_BROKEN, "modbus_drop_function", "holding 7-8: the answer has another function code"},
    {8, 2, 0, PD_READ_BROKEN, "modbus_drop_length", "holding 7-8: the answer has another length than was asked for"},
    {8, 6, 0, PD_READ_BROKEN, "modbus_drop_length", "the answer has another length"},
    {8, 250, 0, PD_READ_BROKEN, "modbus_drop_length", "the answer has another length"},
    {8, 4, 1, PD_READ_BROKEN, "modbus_drop_length", "the answer has another length"},
    {8, 4, -1, PD_READ_BROKEN, "modbus_drop_length", "the answer has another length"},
    {8, 2, -2, PD_READ_BROKEN, "modbus_drop_length", "the answer has another length"},
    {8, 4, -4, PD_READ_BROKEN, "modbus_drop_length", "the answer has another length"},
    {7, 0x84, -4, PD_READ_BROKEN, "modbus_drop_function", "another function code"},
    {8, 0, -4, PD_READ_BROKEN, "modbus_drop_length", "the answer has another length"},
    {2, 1, 0, PD_READ_BROKEN, "modbus_drop_frame", "holding 7-8: what came is no Modbus/TCP frame"},
    {4, 7, 0, PD_READ_BROKEN, "modbus_drop_frame", "is no Modbus/TCP frame"},
    {5, 2, 0, PD_READ_BROKEN, "modbus_drop_frame", "is no Modbus/TCP frame"},
    {5, 6, 0, PD_READ_BROKEN, "modbus_drop_length", "the answer has another length"},
    {5, 200, 0, PD_READ_NOANSWER, "modbus_expired", "no answer in time (3 tries)"}, /* the rest never comes */
    {0, 0, 0, PD_READ_NOANSWER, "modbus_drop_transaction", "no answer in time (3 tries)"},
};

static bool lie(struct script *s, struct mb_conn *c, const struct seen *q)
{
    const struct lie *l = &lies[s->step];
    uint8_t frame[MB_MAX_FRAME] = {0};
    size_t n = script_answer(s, q, frame);

    frame[l->at] = l->at == 0 ? (uint8_t)(frame[0] + 0x40) : (uint8_t)l->value;
    if (l->more) {
        n = (size_t)((int)n + l->more);
        frame[5] = (uint8_t)(n - 6);
    }
    script_arrive(s, c, frame, n, 5);
    return true;
}

static void an_answer_that_does_not_fit_is_no_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct script s;
        struct reading r = {0};
        struct pd_device *d;
        struct pd_plan *p;

        script_start(&s, NULL);
        d = script_open(&s, A, 0, 1);
        p = script_plan(&s, "holding 7 u32");
        s.hook = lie;
        s.step = (int)i;
        script_read(&s, &r, d, p);
        if (r.result.status != lies[i].status || !strstr(r.detail, lies[i].detail) || r.result.requests != 3)
            fail_msg("lie %zu: status %d, %s", i, r.result.status, r.detail);
        if (script_counter(&s, lies[i].counter) != 3)
            fail_msg("lie %zu: %s is %d", i, lies[i].counter, (int)script_counter(&s, lies[i].counter));
        expect_cells(&r, "");
        s.hook = NULL; /* and the truth is heard again */
        script_run(&s, 60000);
        script_read(&s, &r, d, p);
        if (r.result.status != PD_READ_DONE)
            fail_msg("after lie %zu: %s", i, r.detail);
        expect_cells(&r, "0 458760\n");
        reading_free(&r);
        pd_modbus_ops.plan_free(p);
        script_stop(&s);
    }
}

/* What was left of a frame must not be taken for the beginning of the next. */
static void a_broken_off_frame_ends_the_connection(void **state)
{
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 7 u32");
    s.hook = lie;
    s.step = 15;
    script_begin(&s, &r, d, p);
    script_run(&s, 1000);
    s.hook = NULL;
    script_wait(&r);
    assert_int_equal(r.result.status, PD_READ_DONE);
    assert_int_equal(s.connects, 2);
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

static bool flood(struct script *s, struct mb_conn *c, const struct seen *q)
{
    struct seen other = *q;
    uint8_t frame[MB_MAX_FRAME];
    size_t n;

    other.transaction += 1000;
    n = script_answer(s, &other, frame);
    for (int i = 0; i < 100; i++)
        script_arrive(s, c, frame, n, i);
    return true;
}

static void a_flood_of_what_nobody_asked_for_ends_the_connection(void **state)
{
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 7");
    s.hook = flood;
    script_read(&s, &r, d, p);
    assert_int_equal(r.result.status, PD_READ_BROKEN);
    assert_non_null(strstr(r.detail, "too much came that nobody had asked for"));
    assert_int_equal(script_counter(&s, "modbus_drop_stray"), 3);
    assert_int_equal(s.open, 0);
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

static void a_request_may_go_out_in_pieces(void **state)
{
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 7; input 8");
    s.send_room = 5;
    script_read(&s, &r, d, p);
    assert_int_equal(r.result.status, PD_READ_DONE);
    expect_cells(&r, "0 7\n1 8\n");
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

static void transactions_begin_anywhere_and_rise(void **state)
{
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 7");
    script_read(&s, &r, d, p);
    script_read(&s, &r, d, p);
    pd_modbus_ops.close(d);
    script_run(&s, 5000); /* the line ends */
    assert_int_equal(s.open, 0);
    d = script_open(&s, A, 0, 1);
    script_read(&s, &r, d, p);
    assert_int_equal(s.seen.v[1].transaction, (uint16_t)(s.seen.v[0].transaction + 1));
    assert_int_not_equal(s.seen.v[0].transaction, 1);
    assert_int_not_equal(s.seen.v[2].transaction, s.seen.v[0].transaction);
    assert_int_not_equal(s.seen.v[2].transaction, (uint16_t)(s.seen.v[1].transaction + 1));
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

/* ---- Exceptions ---- */

static void exceptions_mean_what_they_say(void **state)
{
    static const struct {
        uint8_t exception;
        enum pd_read_status status;
        unsigned requests;
        const char *cells, *detail;
    } rows[] = {
        {1, PD_READ_DONE, 1, "0 absent\n", ""},
        {2, PD_READ_DONE, 1, "0 absent\n", ""},
        {3, PD_READ_DONE, 1, "0 absent\n", ""},
        {4, PD_READ_PARTIAL, 1, "", "holding 7: device failure"},
        {5, PD_READ_PARTIAL, 3, "", "holding 7: acknowledged, but not done yet"},
        {6, PD_READ_PARTIAL, 3, "", "holding 7: device busy"},
        {7, PD_READ_PARTIAL, 1, "", "holding 7: negative acknowledgement"},
        {8, PD_READ_PARTIAL, 1, "", "holding 7: memory parity error"},
        {10, PD_READ_NOANSWER, 1, "", "the gateway has no path to the unit (1 tries)"},
        {11, PD_READ_NOANSWER, 1, "", "the gateway got no answer from the unit (1 tries)"},
        {99, PD_READ_PARTIAL, 1, "", "holding 7: unknown exception"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trouble t = {.last = 65535, .exception = rows[i].exception};
        struct script s;
        struct reading r = {0};
        struct pd_device *d;
        struct pd_plan *p;

        script_start(&s, NULL);
        d = script_open(&s, A, 0, 1);
        p = script_plan(&s, "holding 7");
        s.troubles = &t;
        s.ntroubles = 1;
        script_read(&s, &r, d, p);
        if (r.result.status != rows[i].status || r.result.requests != rows[i].requests ||
            strcmp(r.cells.s, rows[i].cells) != 0 || strcmp(r.detail, rows[i].detail) != 0)
            fail_msg("exception %d: status %d, %u requests, cells '%s', '%s'", rows[i].exception, r.result.status,
                     (unsigned)r.result.requests, r.cells.s, r.detail);
        reading_free(&r);
        pd_modbus_ops.plan_free(p);
        script_stop(&s);
    }
}

static bool busy_twice(struct script *s, struct mb_conn *c, const struct seen *q)
{
    uint8_t frame[MB_MAX_FRAME] = {0};

    if (s->seen.n > 2)
        return false;
    (void)script_answer(s, q, frame);
    frame[5] = 3;
    frame[7] |= 0x80;
    frame[8] = MB_BUSY;
    script_arrive(s, c, frame, 9, 5);
    return true;
}

static void a_busy_device_is_asked_again_later(void **state)
{
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 7");
    s.hook = busy_twice;
    script_read(&s, &r, d, p);
    assert_int_equal(r.result.status, PD_READ_DONE);
    assert_int_equal(r.result.requests, 3);
    assert_in_range(s.seen.v[1].ms - s.seen.v[0].ms, 500, 530);
    assert_in_range(s.seen.v[2].ms - s.seen.v[1].ms, 500, 530);
    expect_cells(&r, "0 7\n");
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

/* ---- Connections ---- */

static void a_refused_connection_is_tried_less_and_less_often(void **state)
{
    static const int errors[] = {ECONNREFUSED, ENETUNREACH};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct script s;
        struct reading r = {0};
        struct pd_device *d;
        struct pd_plan *p;

        script_start(&s, NULL);
        d = script_open(&s, A, 0, 1);
        p = script_plan(&s, "holding 7");
        s.connect_errno = errors[i];
        for (int64_t end = s.time.mono + 120000; s.time.mono < end; script_run(&s, 100)) {
            script_read(&s, &r, d, p);
            assert_int_equal(r.result.status, PD_READ_NOANSWER);
            assert_non_null(strstr(r.detail, "cannot connect: "));
            assert_non_null(strstr(r.detail, strerror(errors[i])));
        }
        assert_in_range(s.connects, 5 + 3, 5 + 4); /* after 1, 2, 4, 8, 16, then 30 s each */
        s.connect_errno = 0;
        script_run(&s, 30000);
        script_read(&s, &r, d, p);
        assert_int_equal(r.result.status, PD_READ_DONE);
        assert_int_equal(r.result.requests, 1);
        reading_free(&r);
        pd_modbus_ops.plan_free(p);
        script_stop(&s);
    }
}

static void a_connection_that_never_stands_is_given_up(void **state)
{
    struct script s;
    struct reading r = {0}, other = {0};
    struct pd_device *d, *e;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    e = script_open(&s, A, 0, 2);
    p = script_plan(&s, "holding 7");
    s.connect_ms = -1;
    script_begin(&s, &r, d, p);
    script_begin(&s, &other, e, p);
    script_wait(&r);
    script_wait(&other);
    assert_string_equal(r.detail, "cannot connect: no answer in 3000 ms");
    assert_string_equal(other.detail, r.detail); /* who shares it has not to wait as long once more */
    assert_in_range(other.ended_ms - other.started_ms, 3000, 3020);
    assert_int_equal(s.connects, 1);
    assert_int_equal(s.open, 0);
    assert_int_equal(script_counter(&s, "modbus_connect_failed"), 1);
    reading_free(&r);
    reading_free(&other);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

static bool answer_and_hang_up(struct script *s, struct mb_conn *c, const struct seen *q)
{
    uint8_t frame[MB_MAX_FRAME];
    size_t n = script_answer(s, q, frame);

    script_arrive(s, c, frame, n, 5);
    script_hang_up(s, c, 50);
    return true;
}

static void an_idle_connection_may_be_closed_by_the_device(void **state)
{
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 7");
    s.hook = answer_and_hang_up;
    for (int i = 0; i < 3; i++) {
        script_read(&s, &r, d, p);
        assert_int_equal(r.result.status, PD_READ_DONE);
        assert_int_equal(r.result.retries, 0);
        script_run(&s, 1000);
        assert_int_equal(s.open, 0);
    }
    assert_int_equal(s.connects, 3);
    assert_int_equal(script_counter(&s, "modbus_lost"), 0);
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

/* The farewell crosses the next request on its way. */
static bool hang_up_on_second(struct script *s, struct mb_conn *c, const struct seen *q)
{
    (void)q;
    if (s->seen.n != 2)
        return false;
    script_hang_up(s, c, 5);
    return true;
}

static void a_request_that_crosses_the_farewell_goes_over_a_new_connection(void **state)
{
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 7; input 7");
    s.hook = hang_up_on_second;
    script_read(&s, &r, d, p);
    assert_int_equal(r.result.status, PD_READ_DONE);
    assert_int_equal(r.result.retries, 0);
    assert_int_equal(s.connects, 2);
    assert_int_equal(s.seen.n, 3);
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

static void a_device_that_hangs_up_at_once_does_not_answer(void **state)
{
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 7");
    s.hangs_up = true;
    script_read(&s, &r, d, p);
    assert_int_equal(r.result.status, PD_READ_NOANSWER);
    assert_string_equal(r.detail, "connection lost: the device closed the connection (3 tries)");
    assert_int_equal(s.connects, 3);
    assert_int_equal(script_counter(&s, "modbus_lost"), 3);
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

/* Connections are kept, or closed when nothing is to be asked; other manners may be an endpoint's own. */
static void manners_are_kept(void **state)
{
    static const struct pd_modbus_endpoint endpoints[] = {
        {.address = A, .port = 503, .manners = {.per_poll = true, .connect_delay_ms = 200, .gap_ms = 100}}};
    struct pd_modbus_config config = pd_modbus_defaults;
    struct script s;
    struct reading r = {0};
    struct pd_device *kept, *polite;
    struct pd_plan *p;

    (void)state;
    config.endpoints = endpoints;
    config.nendpoints = 1;
    script_start(&s, &config);
    p = script_plan(&s, "holding 7; input 7; coil 7");
    kept = script_open(&s, A, 0, 1);
    for (int i = 0; i < 3; i++)
        script_read(&s, &r, kept, p);
    assert_int_equal(s.connects, 1);
    assert_int_equal(s.seen.v[0].port, 502);
    assert_in_range(s.seen.v[8].ms - s.seen.v[0].ms, 0, 100);
    polite = script_open(&s, A, 503, 1);
    for (int i = 0; i < 2; i++) {
        script_read(&s, &r, polite, p);
        assert_int_equal(r.result.status, PD_READ_DONE);
        assert_in_range(s.seen.v[9 + 3 * i].ms - r.started_ms, 200, 220);
        assert_in_range(s.seen.v[11 + 3 * i].ms - s.seen.v[10 + 3 * i].ms, 105, 125);
        script_run(&s, 1000);
        assert_int_equal(s.open, 1); /* the kept one */
    }
    assert_int_equal(s.connects, 3);
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

/* What a profile wants of them holds for all that share a connection: the most delicate decides. */
static void a_profile_asks_for_manners(void **state)
{
    const struct pd_target delicate = {.name = "delicate",
                                       .address = A,
                                       .unit = 2,
                                       .retries = -1,
                                       .per_poll = true,
                                       .connect_delay_ms = 200,
                                       .gap_ms = 100,
                                       .no_gaps = true,
                                       .max_registers = 2};
    struct script s;
    struct reading r = {0};
    struct pd_device *plain, *d = NULL;
    struct pd_plan *p;
    char *asked;

    (void)state;
    script_start(&s, NULL);
    p = script_plan(&s, "holding 1; holding 2; holding 3; holding 5");
    plain = script_open(&s, A, 0, 1);
    assert_int_equal(pd_modbus_ops.open(s.collector, &delicate, &d), 0);
    script_read(&s, &r, d, p);
    asked = script_requests(&s, 0);
    assert_string_equal(asked, "2 holding 1-2\n2 holding 3\n2 holding 5\n");
    free(asked);
    assert_in_range(s.seen.v[0].ms - r.started_ms, 200, 220);
    assert_in_range(s.seen.v[1].ms - s.seen.v[0].ms, 105, 125);
    script_run(&s, 1000);
    assert_int_equal(s.open, 0);
    script_read(&s, &r, plain, p);
    asked = script_requests(&s, 3);
    assert_string_equal(asked, "1 holding 1-5\n");
    free(asked);
    assert_in_range(s.seen.v[3].ms - r.started_ms, 200, 220);
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

/* A connection over which nothing comes any more may be dead without knowing. */
static void a_mute_connection_is_replaced(void **state)
{
    struct trouble mute = {.last = 65535};
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    d = script_open(&s, A, 0, 1);
    p = script_plan(&s, "holding 7");
    s.troubles = &mute;
    s.ntroubles = 1;
    script_read(&s, &r, d, p);
    assert_int_equal(r.result.status, PD_READ_NOANSWER);
    assert_string_equal(r.detail, "no answer in time (3 tries)");
    assert_int_equal(s.connects, 2);
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

static void units_behind_one_address_share_the_connection(void **state)
{
    struct script s;
    struct reading r[5] = {0};
    struct pd_device *d[5];
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    p = script_plan(&s, "holding 7");
    d[0] = script_open(&s, A, 0, 1);
    d[1] = script_open(&s, A, 502, 2);
    d[2] = script_open(&s, A, 503, 1);
    d[3] = script_open(&s, "2001:db8::1", 0, 255);
    d[4] = script_open(&s, "2001:DB8:0:0::1", 502, 1);
    for (int i = 0; i < 5; i++)
        script_begin(&s, &r[i], d[i], p);
    for (int i = 0; i < 5; i++) {
        script_wait(&r[i]);
        assert_int_equal(r[i].result.status, PD_READ_DONE);
        reading_free(&r[i]);
    }
    assert_int_equal(s.connects, 3);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

static void a_connection_ends_a_while_after_the_last_of_its_units(void **state)
{
    struct script s;
    struct reading r = {0};
    struct pd_device *d;
    struct pd_plan *p;

    (void)state;
    script_start(&s, NULL);
    p = script_plan(&s, "holding 7");
    for (int i = 1; i <= 3; i++) {
        d = script_open(&s, A, 0, 1);
        script_read(&s, &r, d, p);
        assert_int_equal(r.result.status, PD_READ_DONE);
        assert_int_equal(s.connects, i < 3 ? 1 : 2);
        pd_modbus_ops.close(d);
        script_run(&s, i == 1 ? 500 : 2000); /* who comes back soon finds it */
        assert_int_equal(s.open, i == 1);
    }
    reading_free(&r);
    pd_modbus_ops.plan_free(p);
    script_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_may_come_in_any_pieces),
        cmocka_unit_test(an_answer_may_be_split_at_every_byte),
        cmocka_unit_test(several_frames_may_come_in_one_segment),
        cmocka_unit_test(a_late_answer_is_dropped),
        cmocka_unit_test(an_answer_that_does_not_fit_is_no_answer),
        cmocka_unit_test(a_broken_off_frame_ends_the_connection),
        cmocka_unit_test(a_flood_of_what_nobody_asked_for_ends_the_connection),
        cmocka_unit_test(a_request_may_go_out_in_pieces),
        cmocka_unit_test(transactions_begin_anywhere_and_rise),
        cmocka_unit_test(exceptions_mean_what_they_say),
        cmocka_unit_test(a_busy_device_is_asked_again_later),
        cmocka_unit_test(a_refused_connection_is_tried_less_and_less_often),
        cmocka_unit_test(a_connection_that_never_stands_is_given_up),
        cmocka_unit_test(an_idle_connection_may_be_closed_by_the_device),
        cmocka_unit_test(a_request_that_crosses_the_farewell_goes_over_a_new_connection),
        cmocka_unit_test(a_device_that_hangs_up_at_once_does_not_answer),
        cmocka_unit_test(manners_are_kept),
        cmocka_unit_test(a_profile_asks_for_manners),
        cmocka_unit_test(a_mute_connection_is_replaced),
        cmocka_unit_test(units_behind_one_address_share_the_connection),
        cmocka_unit_test(a_connection_ends_a_while_after_the_last_of_its_units),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
