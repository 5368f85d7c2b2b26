#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/log.h"
#include "tests/plugins/modbus/live.h"

/* Real devices: libmodbus' TCP server, one for each port, and one as a gateway. */

enum { DEVICES = 20, DEAD = 4, CLOSED = 11, SLOW = 7, LIAR = 15, ROUNDS = 4, PERIOD_MS = 350 };

static const char *const addresses[] = {
    "holding 10", "holding 12 u32", "input 290 s16", "coil 3", "discrete 4 flags 8", "holding 299",
};
enum { ADDRESSES = sizeof addresses / sizeof *addresses };

static void choose_kinds(enum peer_kind *kinds, enum peer_kind second)
{
    for (int i = 0; i < DEVICES; i++)
        kinds[i] = PEER_HEALTHY;
    kinds[DEAD] = PEER_DEAD;
    kinds[CLOSED] = second;
    kinds[SLOW] = PEER_SLOW;
    kinds[LIAR] = PEER_LIAR;
}

/* Time-outs that are short, but for a machine that is `pace` times as slow as it might be. */
static struct pd_modbus_config hasty(int pace)
{
    struct pd_modbus_config c = pd_modbus_defaults;

    c.timeout_ms = 150 * pace;
    c.connect_ms = 150 * pace;
    c.retries = 1;
    c.backoff_min_ms = 500 * pace;
    return c;
}

/* How slow the machine is: by what it takes to read a healthy device a few times, once that has been done before. */
static int measure_pace(uint16_t port)
{
    struct live_read r = {0};
    struct pd_device *d;
    struct pd_plan *plan;
    struct live l;
    int64_t took = 0;

    live_start(&l, NULL);
    plan = live_plan(&l, addresses, ADDRESSES);
    d = live_open(&l, "127.0.0.1", port, 1);
    for (int i = 0; i < 5; i++) {
        live_read(&l, &r, d, plan);
        assert_int_equal(r.status, PD_READ_DONE);
        took += i > 0 ? r.took_ms : 0;
    }
    live_stop(&l);
    pd_modbus_ops.plan_free(plan);
    return took < 80 ? 2 + (int)took / 10 : 10;
}

/* What unit 1 holds. */
static void check_values(const struct live_read *r)
{
    assert_int_equal(r->values[0], 1010);
    assert_int_equal(r->values[1], 1012 << 16 | 1013);
    assert_int_equal(r->values[2], 1290);
    assert_int_equal(r->values[3], 0);
    assert_int_equal(r->types[4], PD_CELL_BYTES);
    assert_int_equal(r->values[5], 1299);
}

/*
 * Polls every device each period: all but the odd ones must be through before the next, or once at
 * most not.
 */
static void poll_all(struct live *l, struct pd_device **d, const enum peer_kind *kinds, const struct pd_plan *plan,
                     struct live_read *r, int pace)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < DEVICES; i++) {
            if (!r[i].read)
                live_begin(l, &r[i], d[i], plan);
        }
        live_run(l, (int64_t)PERIOD_MS * pace);
    }
    live_wait(l);
    for (int i = 0; i < DEVICES; i++) {
        unsigned wanted = kinds[i] == PEER_HEALTHY ? ROUNDS - 1 : kinds[i] == PEER_SLOW ? 1 : 0;

        if (r[i].done < wanted || (wanted == 0 && r[i].done > 0))
            fail_msg("device %d: %u of %u reads, %s", i, r[i].done, r[i].reads, r[i].detail);
        if (kinds[i] == PEER_DEAD || kinds[i] == PEER_CLOSED)
            assert_int_equal(r[i].status, PD_READ_NOANSWER);
    }
}

static void twenty_devices_are_polled_on_time(void **state)
{
    struct pd_modbus_config config;
    struct live_read r[DEVICES] = {0};
    enum peer_kind kinds[DEVICES];
    struct pd_device *d[DEVICES];
    struct pd_plan *plan;
    struct peer peer;
    struct live l;
    int pace;

    (void)state;
    choose_kinds(kinds, PEER_CLOSED);
    peer_start_farm(&peer, kinds, DEVICES);
    pace = measure_pace(peer.ports[0]);
    config = hasty(pace);
    live_start(&l, &config);
    plan = live_plan(&l, addresses, ADDRESSES);
    for (int i = 0; i < DEVICES; i++)
        d[i] = live_open(&l, "127.0.0.1", peer.ports[i], 1);
    poll_all(&l, d, kinds, plan, r, pace);
    for (int i = 0; i < DEVICES; i++)
        if (kinds[i] == PEER_HEALTHY || kinds[i] == PEER_SLOW)
            check_values(&r[i]);
    live_stop(&l);
    pd_modbus_ops.plan_free(plan);
    peer_stop(&peer);
}

/* The odd ones cost the others some of their time, not their turn. */
static void twenty_units_behind_a_gateway_are_polled_on_time(void **state)
{
    static const char *const one[] = {"holding 10"};
    struct pd_modbus_config config;
    struct live_read r[DEVICES] = {0};
    enum peer_kind kinds[DEVICES];
    struct pd_device *d[DEVICES];
    struct pd_plan *plan;
    struct peer peer;
    struct live l;
    int pace;

    (void)state;
    choose_kinds(kinds, PEER_DEAD);
    peer_start_gateway(&peer, kinds, DEVICES);
    pace = measure_pace(peer.ports[0]);
    config = hasty(pace);
    live_start(&l, &config);
    plan = live_plan(&l, one, 1);
    for (int i = 0; i < DEVICES; i++)
        d[i] = live_open(&l, "127.0.0.1", peer.ports[0], (uint8_t)(i + 1));
    poll_all(&l, d, kinds, plan, r, pace);
    for (int i = 0; i < DEVICES; i++)
        if (kinds[i] == PEER_HEALTHY || kinds[i] == PEER_SLOW)
            assert_int_equal(r[i].values[0], 1000 * (i + 1) + 10);
    live_stop(&l);
    pd_modbus_ops.plan_free(plan);
    peer_stop(&peer);
}

/* libmodbus' own exceptions: what lies beyond its registers is absent. */
static void a_real_server_says_what_is_absent(void **state)
{
    static const char *const places[] = {"holding 298",    "holding 299", "holding 300", "holding 301",
                                         "input 0 u64 le", "coil 299",    "coil 300"};
    enum peer_kind kind = PEER_HEALTHY;
    struct pd_device *d;
    struct pd_plan *plan;
    struct peer peer;
    struct live_read r = {0};
    struct live l;

    (void)state;
    peer_start_farm(&peer, &kind, 1);
    live_start(&l, NULL);
    plan = live_plan(&l, places, 7);
    d = live_open(&l, "127.0.0.1", peer.ports[0], 1);
    live_read(&l, &r, d, plan);
    assert_int_equal(r.status, PD_READ_DONE);
    assert_int_equal(r.values[0], 1298);
    assert_int_equal(r.values[1], 1299);
    assert_int_equal(r.types[2], PD_CELL_ABSENT);
    assert_int_equal(r.types[3], PD_CELL_ABSENT);
    assert_int_equal(r.values[4], (int64_t)0xeb03ea03e903e803u);
    assert_int_equal(r.values[5], 0);
    assert_int_equal(r.types[6], PD_CELL_ABSENT);
    live_read(&l, &r, d, plan);
    assert_int_equal(r.requests, 3 + 0); /* two of the four are not asked for again */
    live_stop(&l);
    pd_modbus_ops.plan_free(plan);
    peer_stop(&peer);
}

/* The device is switched off and on again. */
static void a_device_that_went_away_comes_back(void **state)
{
    static const char *const places[] = {"holding 1"};
    struct pd_modbus_config config = hasty(1);
    enum peer_kind kind = PEER_HEALTHY;
    struct pd_device *d;
    struct pd_plan *plan;
    struct peer peer;
    struct live_read r = {0};
    struct live l;

    (void)state;
    config.backoff_max_ms = 20;
    peer_start_farm(&peer, &kind, 1);
    live_start(&l, &config);
    plan = live_plan(&l, places, 1);
    d = live_open(&l, "127.0.0.1", peer.ports[0], 1);
    live_read(&l, &r, d, plan);
    assert_int_equal(r.status, PD_READ_DONE);
    kill(peer.pid, SIGSTOP);
    assert_int_equal(waitpid(peer.pid, NULL, WUNTRACED), peer.pid); /* all its threads stand still */
    live_read(&l, &r, d, plan);
    assert_int_equal(r.status, PD_READ_NOANSWER);
    kill(peer.pid, SIGCONT);
    for (int i = 0; i < 50 && r.status != PD_READ_DONE; i++) {
        live_run(&l, 30);
        live_read(&l, &r, d, plan);
    }
    assert_int_equal(r.status, PD_READ_DONE);
    peer_stop(&peer);
    live_read(&l, &r, d, plan);
    assert_int_equal(r.status, PD_READ_NOANSWER);
    assert_string_equal(r.detail, "cannot connect: Connection refused");
    live_stop(&l);
    pd_modbus_ops.plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_devices_are_polled_on_time),
        cmocka_unit_test(twenty_units_behind_a_gateway_are_polled_on_time),
        cmocka_unit_test(a_real_server_says_what_is_absent),
        cmocka_unit_test(a_device_that_went_away_comes_back),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
