#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "tests/plugins/modbus/live.h"

/* A serial bus: a pseudo-terminal with libmodbus' RTU servers behind it. */

enum { SLAVES = 5, DEAD = 2, SLOW = 3, LIAR = 4 };

static const enum peer_kind kinds[SLAVES] = {
    [DEAD] = PEER_DEAD, [SLOW] = PEER_SLOW, [LIAR] = PEER_LIAR}; /* the others are healthy */

static const char *const places[] = {"holding 10 u32", "holding 299", "input 7", "coil 2", "holding 300"};

struct bench {
    char folder[32], path[48];
    struct pd_modbus_bus bus;
    struct pd_modbus_config config;
    struct peer peer;
    struct live l;
    struct pd_plan *plan;
    struct pd_device *d[SLAVES];
};

static const struct pd_modbus_bus cellar = {
    .name = "cellar", .baud = 115200, .parity = 'N', .stop_bits = 1, .response_ms = 300};
/* For those who all answer: the machine may be slow. */
static const struct pd_modbus_bus leisurely = {
    .name = "cellar", .baud = 115200, .parity = 'N', .stop_bits = 1, .response_ms = 5000};

static void setup_as(struct bench *b, bool plugged, const struct pd_modbus_bus *bus)
{
    *b = (struct bench){.folder = "/tmp/patrold-XXXXXX"};
    assert_non_null(mkdtemp(b->folder));
    (void)snprintf(b->path, sizeof b->path, "%s/bus", b->folder);
    b->bus = *bus;
    b->bus.device = b->path;
    b->config = pd_modbus_defaults;
    b->config.buses = &b->bus;
    b->config.nbuses = 1;
    b->config.retries = 1;
    b->config.backoff_min_ms = 50;
    b->config.backoff_max_ms = 100;
    if (plugged)
        peer_start_bus(&b->peer, b->path, kinds, SLAVES);
    live_start(&b->l, &b->config);
    b->plan = live_plan(&b->l, places, 5);
    for (int i = 0; i < SLAVES; i++)
        b->d[i] = live_open(&b->l, "cellar", 0, (uint8_t)(i + 1));
}

static void setup(struct bench *b)
{
    setup_as(b, true, &cellar);
}

static void teardown(struct bench *b)
{
    live_stop(&b->l);
    pd_modbus_ops.plan_free(b->plan);
    unlink(b->path);
    rmdir(b->folder);
}

static void check(const struct live_read *r, int unit)
{
    assert_string_equal(r->detail, "");
    assert_int_equal(r->status, PD_READ_DONE);
    assert_int_equal(r->values[0], (int64_t)(1000 * unit + 10) << 16 | (1000 * unit + 11));
    assert_int_equal(r->values[1], 1000 * unit + 299);
    assert_int_equal(r->values[2], 1000 * unit + 7);
    assert_int_equal(r->values[3], unit % 2);
    assert_int_equal(r->types[4], PD_CELL_ABSENT);
}

static void slaves_on_a_bus_are_read(void **state)
{
    struct bench b;
    struct live_read r = {0};

    (void)state;
    setup(&b);
    for (int i = 0; i < 2; i++) {
        live_read(&b.l, &r, b.d[i], b.plan);
        check(&r, i + 1);
    }
    live_read(&b.l, &r, b.d[SLOW], b.plan);
    check(&r, SLOW + 1);
    live_read(&b.l, &r, b.d[LIAR], b.plan);
    assert_true(r.status == PD_READ_BROKEN || r.status == PD_READ_NOANSWER);
    live_read(&b.l, &r, b.d[0], b.plan); /* the lie's rest on the line does no harm */
    check(&r, 1);
    teardown(&b);
    peer_stop(&b.peer);
}

/* It costs its time-outs, which become rare, and nothing else. */
static void a_dead_slave_does_not_stop_the_others(void **state)
{
    struct bench b;
    struct live_read r[SLAVES] = {0};

    (void)state;
    setup(&b);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < LIAR; i++)
            live_begin(&b.l, &r[i], b.d[i], b.plan);
        live_wait(&b.l);
        for (int i = 0; i < LIAR; i++) {
            if (i != DEAD)
                check(&r[i], i + 1);
        }
        assert_int_equal(r[DEAD].status, PD_READ_NOANSWER);
        assert_true(r[0].took_ms < 3000);
    }
    teardown(&b);
    peer_stop(&b.peer);
}

/* Lines by their level. */
static void count_line(void *ctx, const struct log_line *line)
{
    unsigned *lines = ctx;

    lines[line->level]++;
}

/* Each time that is said once, and so is that it works again. */
static void an_adapter_may_be_unplugged_and_plugged_in_again(void **state)
{
    struct bench b;
    struct live_read r = {0};
    unsigned lines[LOG_LEVEL_DEBUG + 1] = {0};

    (void)state;
    log_set_level(LOG_LEVEL_INFO);
    log_set_sink(count_line, lines);
    setup_as(&b, false, &leisurely);
    for (int i = 0; i < 3; i++) {
        live_read(&b.l, &r, b.d[0], b.plan);
        live_run(&b.l, 60); /* it is tried again */
    }
    assert_int_equal(lines[LOG_LEVEL_WARN], 1);
    live_run(&b.l, 150);
    live_read(&b.l, &r, b.d[0], b.plan);
    assert_int_equal(r.status, PD_READ_NOANSWER);
    assert_non_null(strstr(r.detail, "No such file or directory"));
    assert_non_null(strstr(r.detail, b.path));
    for (int i = 0; i < 2; i++) {
        peer_start_bus(&b.peer, b.path, kinds, SLAVES);
        live_run(&b.l, 150);
        live_read(&b.l, &r, b.d[0], b.plan);
        check(&r, 1);
        peer_stop(&b.peer);
        live_read(&b.l, &r, b.d[0], b.plan);
        assert_int_equal(r.status, PD_READ_NOANSWER);
        live_read(&b.l, &r, b.d[1], b.plan); /* at once: the line is known to be down */
        assert_int_equal(r.status, PD_READ_NOANSWER);
        assert_int_equal(r.requests, 0);
        assert_int_equal(lines[LOG_LEVEL_WARN], 2 + i);
        assert_int_equal(lines[LOG_LEVEL_INFO], 1 + i);
    }
    teardown(&b);
    log_set_sink(NULL, NULL);
    log_set_level(LOG_LEVEL_ERROR);
}

/* Its thread is in the middle of waiting for the answer then. */
static void an_adapter_may_go_while_an_answer_is_awaited(void **state)
{
    struct pd_modbus_bus patient = cellar;
    struct bench b;
    struct live_read r = {0};

    (void)state;
    patient.response_ms = 10000;
    setup_as(&b, true, &patient);
    live_read(&b.l, &r, b.d[0], b.plan);
    check(&r, 1);
    for (int i = 0; i < 2; i++) {
        live_begin(&b.l, &r, b.d[DEAD], b.plan);
        live_run(&b.l, 100);
        assert_int_equal(b.l.running, 1);
        peer_stop(&b.peer);
        live_wait(&b.l);
        assert_int_equal(r.status, PD_READ_NOANSWER);
        assert_non_null(strstr(r.detail, b.path));
        assert_true(r.took_ms < 9000); /* not the time-out */
        peer_start_bus(&b.peer, b.path, kinds, SLAVES);
        live_run(&b.l, 150);
        live_read(&b.l, &r, b.d[0], b.plan);
        check(&r, 1);
    }
    teardown(&b);
    peer_stop(&b.peer);
}

/* What is asked of the adapter is done, or else it is said what it cannot; it is asked again and again. */
static void the_transceiver_is_told_to_send(void **state)
{
    static const struct {
        enum pd_modbus_rs485 way;
        int delay_us;
        bool possible; /* with a pseudo-terminal */
    } rows[] = {
        {PD_MODBUS_RS485_ADAPTER, 0, true},   {PD_MODBUS_RS485_RTS_UP, 0, true},
        {PD_MODBUS_RS485_RTS_UP, 2000, true}, {PD_MODBUS_RS485_RTS_DOWN, 2000, true},
        {PD_MODBUS_RS485_KERNEL, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_modbus_bus bus = leisurely;
        struct live_read r = {0};
        struct bench b;

        bus.rs485 = rows[i].way;
        bus.rts_delay_us = rows[i].delay_us;
        setup_as(&b, true, &bus);
        live_read(&b.l, &r, b.d[0], b.plan);
        if (rows[i].possible) {
            check(&r, 1);
        } else {
            char *why = strstr(r.detail, b.path);

            assert_int_equal(r.status, PD_READ_NOANSWER);
            assert_non_null(why);
            assert_true(strlen(why) > strlen(b.path) + 2);
        }
        teardown(&b);
        peer_stop(&b.peer);
    }
}

/* The line is set as the settings say: the terminal keeps speed and stop bits, though it has no wire. */
static void the_adapter_gets_speed_and_stop_bits(void **state)
{
    static const struct {
        int baud;
        char parity;
        int stop_bits;
        speed_t speed;
        bool two;
    } rows[] = {{0, 0, 0, B9600, false},
                {19200, 'N', 0, B19200, true},
                {38400, 'O', 1, B38400, false},
                {1200, 'E', 2, B1200, true}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_modbus_bus bus = {.name = "cellar",
                                    .baud = rows[i].baud,
                                    .parity = rows[i].parity,
                                    .stop_bits = rows[i].stop_bits,
                                    .response_ms = 5000};
        struct live_read r = {0};
        struct termios t;
        struct bench b;
        int fd;

        setup_as(&b, true, &bus);
        live_read(&b.l, &r, b.d[0], b.plan);
        check(&r, 1);
        fd = open(b.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(tcgetattr(fd, &t), 0);
        close(fd);
        if (cfgetospeed(&t) != rows[i].speed || cfgetispeed(&t) != rows[i].speed ||
            !!(t.c_cflag & CSTOPB) != rows[i].two)
            fail_msg("row %zu: speed %o, flags %o", i, (unsigned)cfgetospeed(&t), (unsigned)t.c_cflag);
        teardown(&b);
        peer_stop(&b.peer);
    }
}

static void stopping_does_not_wait_for_more_than_one_answer(void **state)
{
    struct bench b;
    struct live_read r[SLAVES] = {0};
    int64_t begun;

    (void)state;
    setup(&b);
    for (int i = 0; i < SLAVES; i++)
        live_begin(&b.l, &r[i], b.d[i], b.plan);
    begun = r[0].started_ms;
    live_run(&b.l, 20);
    teardown(&b);
    for (int i = 0; i < SLAVES; i++)
        assert_int_equal(r[i].status, PD_READ_CANCELLED);
    assert_true(clock_mono(&clock_system) - begun < 1000);
    peer_stop(&b.peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slaves_on_a_bus_are_read),
        cmocka_unit_test(a_dead_slave_does_not_stop_the_others),
        cmocka_unit_test(an_adapter_may_be_unplugged_and_plugged_in_again),
        cmocka_unit_test(an_adapter_may_go_while_an_answer_is_awaited),
        cmocka_unit_test(the_transceiver_is_told_to_send),
        cmocka_unit_test(the_adapter_gets_speed_and_stop_bits),
        cmocka_unit_test(stopping_does_not_wait_for_more_than_one_answer),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
