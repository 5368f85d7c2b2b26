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
#include "modserver.h"
#include "plugin/loop.h"
#include "plugins/modbus/modbus.h"
#include "scripted.h"

enum { MINUTE = 60000, LIVE_PORT = 15027 };

/* A site of devices that speak Modbus, two behind a gateway, and a switch; collectors on it in virtual time. */
struct stage {
    struct story *story;
    struct site *site;
    struct clock_fake clock;
    struct rng_seeded chance;
    struct wheel *wheel;
    struct scripted_config config;
    struct pd_services services;
    struct pd_collector *modbus, *icmp;
    unsigned unread, polls;
};

enum { UPS, METER, ROOM, COOLER, SWITCH };

/* What came of a read. */
struct outcome {
    struct pd_cell *cells; /* by source; bytes are copies */
    size_t n;
    bool ended;
    enum pd_read_status status;
};

static int64_t now(void *ctx)
{
    return ((struct stage *)ctx)->clock.mono;
}

static void count_unread(void *ctx, unsigned machine, int64_t from_ms, int64_t to_ms)
{
    (void)machine;
    assert_true(from_ms <= to_ms);
    ((struct stage *)ctx)->unread++;
}

static void count_poll(void *ctx, size_t cells)
{
    (void)cells;
    ((struct stage *)ctx)->polls++;
}

static int set_up(void **state)
{
    static const char text[] = "title: T\nstart: 2026-03-02 08:00\nlength: 1d\ndevices:\n"
                               "  - {name: a, model: modbus-ups, address: 127.5.1.1}\n"
                               "  - {name: b, model: meter, address: 127.5.1.2, unit: 1}\n"
                               "  - {name: c, model: modbus-sensor, address: 127.5.1.2, unit: 17}\n"
                               "  - {name: d, model: air-conditioner, address: 127.5.1.3}\n"
                               "  - {name: e, model: switch, address: 127.5.1.4}\n";
    const struct site_ops ops = {.blind_chance = 1};
    struct stage *s = xcalloc(1, sizeof *s);
    struct conf_report report = {0};

    assert_int_equal(story_parse("s", text, strlen(text), &s->story, &report), 0);
    conf_report_free(&report);
    s->site = site_new(s->story, &ops);
    s->wheel = wheel_new(0);
    rng_seed(&s->chance, 1);
    s->services.clock = clock_fake_ops(&s->clock);
    s->services.rng = rng_seeded_ops(&s->chance);
    s->services.wheel = s->wheel;
    s->config = (struct scripted_config){
        .site = s->site, .delay_ms = 10, .now_ms = now, .unread = count_unread, .tally = count_poll, .ctx = s};
    assert_int_equal(scripted_modbus_ops.start(&s->services, &s->config, &s->modbus), 0);
    assert_int_equal(scripted_icmp_ops.start(&s->services, &s->config, &s->icmp), 0);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;

    scripted_modbus_ops.stop(s->modbus);
    scripted_icmp_ops.stop(s->icmp);
    wheel_free(s->wheel);
    site_free(s->site);
    story_free(s->story);
    free(s);
    return 0;
}

/* ---- Reading ---- */

static void take_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct outcome *o = arg;

    for (size_t i = 0; i < n; i++) {
        assert_true(cells[i].source < o->n);
        o->cells[cells[i].source] = cells[i];
        if (cells[i].type == PD_CELL_BYTES)
            o->cells[cells[i].source].bytes = xmemdup(cells[i].bytes, cells[i].nbytes + 1);
    }
}

static void take_end(void *arg, const struct pd_read_result *result)
{
    struct outcome *o = arg;

    o->ended = true;
    o->status = result->status;
}

static void outcome_init(struct outcome *o, size_t n)
{
    *o = (struct outcome){.cells = xcalloc(n, sizeof *o->cells), .n = n};
    for (size_t i = 0; i < n; i++)
        o->cells[i].type = PD_CELL_ABSENT;
}

static void outcome_free(struct outcome *o)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->cells[i].type == PD_CELL_BYTES)
            free((void *)(uintptr_t)o->cells[i].bytes);
    free(o->cells);
}

static struct pd_target target_of(const struct stage *s, size_t machine, uint16_t port)
{
    const struct story_device *d = &s->story->devices.v[machine];

    return (struct pd_target){
        .name = d->name, .address = d->address, .unit = (uint8_t)d->unit, .community = "", .retries = -1, .port = port};
}

/* Lets virtual time pass until the read is over. */
static void wait_for(struct stage *s, struct outcome *o)
{
    while (!o->ended) {
        int64_t next = wheel_next(s->wheel);

        assert_true(next != INT64_MAX);
        if (next > s->clock.mono)
            clock_fake_advance(&s->clock, next - s->clock.mono);
        wheel_advance(s->wheel, s->clock.mono);
    }
}

/* A read of these addresses from a machine, and how it ended. */
static enum pd_read_status read_of(struct stage *s, const struct pd_collector_ops *ops, struct pd_collector *c,
                                   struct pd_device *d, const char *address)
{
    const struct pd_source source = {.address = address};
    struct pd_compile_error err;
    struct pd_read *read;
    struct pd_plan *plan;
    struct outcome o;
    const struct pd_sink sink = {.cells = take_cells, .end = take_end, .arg = &o};
    enum pd_read_status status;

    outcome_init(&o, 1);
    assert_int_equal(ops->compile(c, &source, 1, &plan, &err), 0);
    assert_int_equal(ops->read(d, plan, 1, &sink, &read), 0);
    wait_for(s, &o);
    status = o.status;
    ops->plan_free(plan);
    outcome_free(&o);
    return status;
}

/* Where each of a machine can be read; registers that every model has, of each. */
static const char *const some_register[] = {
    [UPS] = "holding 128 u32", [METER] = "input 52 f32", [ROOM] = "holding 1 s16", [COOLER] = "holding 92 s32"};

static struct pd_device *open_modbus(struct stage *s, size_t machine)
{
    const struct pd_target target = target_of(s, machine, 0);
    struct pd_device *d;

    assert_int_equal(scripted_modbus_ops.open(s->modbus, &target, &d), 0);
    return d;
}

/* ---- The same from both networks ---- */

/* A map's registers as sources, in the collector's language. */
static struct pd_source *sources_of(const struct regmap *m)
{
    static const char *const spaces[] = {[MB_READ_COILS] = "coil",
                                         [MB_READ_DISCRETE] = "discrete",
                                         [MB_READ_HOLDING] = "holding",
                                         [MB_READ_INPUT] = "input"};
    struct pd_source *list = xcalloc(m->regs.n, sizeof *list);

    for (size_t i = 0; i < m->regs.n; i++) {
        const struct reg *r = &m->regs.v[i];
        const char *space = spaces[r->function];

        list[i].id = (uint32_t)i;
        if (r->form == REG_TEXT)
            list[i].address = xasprintf("%s %u text %u", space, r->address, r->count);
        else
            list[i].address =
                xasprintf("%s %u %c%u", space, r->address, r->form == REG_FLOAT ? 'f' : 's', 16 * r->count);
    }
    return list;
}

static void free_sources(struct pd_source *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free((char *)(uintptr_t)list[i].address);
    free(list);
}

/* What the model meant to show is what the collector delivers. */
static void assert_meant(const struct reg *r, int64_t now_ms, const struct pd_cell *c, const char *address)
{
    int64_t moved = r->ramp.den != 0 ? ramp_at(&r->ramp, now_ms) : r->i;
    double f = r->ramp.den != 0 ? (double)moved * r->unit : r->f;
    bool same;

    if (r->form == REG_TEXT)
        same = c->type == PD_CELL_BYTES && c->nbytes == strlen(r->text) && memcmp(c->bytes, r->text, c->nbytes) == 0;
    else if (r->form == REG_FLOAT)
        same = c->type == PD_CELL_FLOAT && c->f == (double)(float)f;
    else
        same = c->type == PD_CELL_INT && c->i == (r->count == 1   ? (int16_t)moved
                                                  : r->count == 2 ? (int32_t)moved
                                                                  : moved);
    if (!same)
        fail_msg("%s: not what was meant", address);
}

static void assert_same(const struct pd_cell *a, const struct pd_cell *b, const char *address)
{
    bool same = a->type == b->type && a->nbytes == b->nbytes;

    if (same && a->type == PD_CELL_BYTES)
        same = memcmp(a->bytes, b->bytes, a->nbytes) == 0;
    else if (same)
        same = a->u == b->u;
    if (!same)
        fail_msg("%s: another cell over the real network", address);
}

static void read_played(struct stage *s, size_t machine, const struct pd_source *sources, struct outcome *o)
{
    const struct pd_sink sink = {.cells = take_cells, .end = take_end, .arg = o};
    struct pd_device *d = open_modbus(s, machine);
    struct pd_compile_error err;
    struct pd_plan *plan;
    struct pd_read *read;

    assert_int_equal(scripted_modbus_ops.compile(s->modbus, sources, o->n, &plan, &err), 0);
    assert_int_equal(scripted_modbus_ops.read(d, plan, 1, &sink, &read), 0);
    wait_for(s, o);
    scripted_modbus_ops.plan_free(plan);
    scripted_modbus_ops.close(d);
}

static void read_live(struct stage *s, size_t machine, const struct pd_source *sources, struct outcome *o)
{
    const struct pd_target target = target_of(s, machine, LIVE_PORT);
    const struct pd_sink sink = {.cells = take_cells, .end = take_end, .arg = o};
    struct pd_rng rng = rng_seeded_ops(&s->chance);
    struct pd_collector *c;
    struct pd_compile_error err;
    struct pd_device *d;
    struct pd_plan *plan;
    struct pd_read *read;
    struct modserver *server;
    struct pd_loop *loop;
    char *why = NULL;

    assert_int_equal(pd_loop_new(&clock_system, &rng, &loop), 0);
    const struct modserver_config config = {.services = pd_loop_services(loop),
                                            .site = s->site,
                                            .address = target.address,
                                            .port = LIVE_PORT,
                                            .now = now,
                                            .ctx = s};
    if (modserver_start(&config, &server, &why) < 0)
        fail_msg("%s", why);
    assert_int_equal(pd_modbus_ops.start(config.services, NULL, &c), 0);
    assert_int_equal(pd_modbus_ops.compile(c, sources, o->n, &plan, &err), 0);
    assert_int_equal(pd_modbus_ops.open(c, &target, &d), 0);
    assert_int_equal(pd_modbus_ops.read(d, plan, 1, &sink, &read), 0);
    while (!o->ended)
        assert_int_equal(pd_loop_once(loop, 1000), 0);
    pd_modbus_ops.plan_free(plan);
    pd_modbus_ops.close(d);
    pd_modbus_ops.stop(c);
    modserver_stop(server);
    pd_loop_free(loop);
}

static void every_register_reads_as_meant_and_alike_on_both_networks(void **state)
{
    struct stage *s = *state;

    clock_fake_advance(&s->clock, 20 * MINUTE);
    machine_set_battery(site_machine(s->site, UPS), true, 5 * MINUTE);
    machine_set_temperature(site_machine(s->site, ROOM), -73, 5 * MINUTE);
    machine_set_load(site_machine(s->site, METER), 43, 5 * MINUTE);
    for (size_t k = UPS; k <= COOLER; k++) {
        const struct regmap *m = &site_machine(s->site, k)->regs;
        struct pd_source *sources = sources_of(m);
        struct outcome played, live;
        int64_t at;

        outcome_init(&played, m->regs.n);
        outcome_init(&live, m->regs.n);
        assert_true(m->regs.n > 3);
        read_played(s, k, sources, &played);
        at = s->clock.mono;
        read_live(s, k, sources, &live);
        assert_int_equal(played.status, PD_READ_DONE);
        assert_int_equal(live.status, PD_READ_DONE);
        for (size_t i = 0; i < m->regs.n; i++) {
            if (m->regs.v[i].ramp.den == 0) /* the played one took some time */
                assert_same(&played.cells[i], &live.cells[i], sources[i].address);
            assert_meant(&m->regs.v[i], at, &live.cells[i], sources[i].address);
        }
        outcome_free(&played);
        outcome_free(&live);
        free_sources(sources, m->regs.n);
    }
}

/* ---- Who does not answer ---- */

static void machines_that_are_off_or_silent_are_not_read_and_later_are_again(void **state)
{
    struct stage *s = *state;

    for (size_t k = UPS; k <= COOLER; k++) {
        struct machine *m = site_machine(s->site, k);
        struct pd_device *d = open_modbus(s, k);

        assert_int_equal(read_of(s, &scripted_modbus_ops, s->modbus, d, some_register[k]), PD_READ_DONE);
        machine_set_power(m, false, s->clock.mono);
        assert_int_equal(read_of(s, &scripted_modbus_ops, s->modbus, d, some_register[k]), PD_READ_NOANSWER);
        machine_set_power(m, true, s->clock.mono);
        clock_fake_advance(&s->clock, MINUTE);
        wheel_advance(s->wheel, s->clock.mono);
        assert_int_equal(read_of(s, &scripted_modbus_ops, s->modbus, d, some_register[k]), PD_READ_DONE);
        machine_set_snmp_silent(m, true);
        assert_int_equal(read_of(s, &scripted_modbus_ops, s->modbus, d, some_register[k]), PD_READ_NOANSWER);
        machine_set_snmp_silent(m, false);
        clock_fake_advance(&s->clock, MINUTE);
        wheel_advance(s->wheel, s->clock.mono);
        assert_int_equal(read_of(s, &scripted_modbus_ops, s->modbus, d, some_register[k]), PD_READ_DONE);
        scripted_modbus_ops.close(d);
    }
    assert_int_equal(s->unread, 0);
    assert_int_equal(s->polls, 5 * 4);
}

static void a_machine_that_moved_is_found_at_its_new_address_only(void **state)
{
    struct stage *s = *state;
    struct pd_device *d = open_modbus(s, COOLER);

    machine_set_address(site_machine(s->site, COOLER), "127.5.1.99");
    assert_int_equal(read_of(s, &scripted_modbus_ops, s->modbus, d, some_register[COOLER]), PD_READ_NOANSWER);
    scripted_modbus_ops.close(d);
    free(s->story->devices.v[COOLER].address);
    s->story->devices.v[COOLER].address = xstrdup("127.5.1.99");
    d = open_modbus(s, COOLER);
    assert_int_equal(read_of(s, &scripted_modbus_ops, s->modbus, d, some_register[COOLER]), PD_READ_DONE);
    scripted_modbus_ops.close(d);
}

static void a_restart_between_polls_is_not_noticed_by_the_reader(void **state)
{
    struct stage *s = *state;
    struct pd_device *d = open_modbus(s, UPS);

    for (int i = 0; i < 5; i++) {
        assert_int_equal(read_of(s, &scripted_modbus_ops, s->modbus, d, some_register[UPS]), PD_READ_DONE);
        machine_restart(site_machine(s->site, UPS), s->clock.mono);
        clock_fake_advance(&s->clock, MINUTE);
        wheel_advance(s->wheel, s->clock.mono);
    }
    scripted_modbus_ops.close(d);
}

/* Packets that get lost come later; what stays unread for it is told, and nothing else is. */
static void losses_delay_reads_and_what_they_spoil_is_told(void **state)
{
    struct stage *s = *state;
    struct pd_device *d = open_modbus(s, METER);
    unsigned spoilt = 0;

    site_machine(s->site, METER)->loss = 75;
    for (int i = 0; i < 300; i++) {
        spoilt += read_of(s, &scripted_modbus_ops, s->modbus, d, some_register[METER]) != PD_READ_DONE;
        clock_fake_advance(&s->clock, MINUTE);
        wheel_advance(s->wheel, s->clock.mono);
    }
    assert_in_range(spoilt, 10, 290);
    assert_int_equal(s->unread, spoilt);
    scripted_modbus_ops.close(d);
}

/* ---- Pings ---- */

static enum pd_read_status ping(struct stage *s, size_t machine)
{
    const struct pd_target target = target_of(s, machine, 0);
    enum pd_read_status status;
    struct pd_device *d;

    assert_int_equal(scripted_icmp_ops.open(s->icmp, &target, &d), 0);
    status = read_of(s, &scripted_icmp_ops, s->icmp, d, "rtt");
    scripted_icmp_ops.close(d);
    return status;
}

static void whoever_is_on_answers_pings(void **state)
{
    struct stage *s = *state;
    struct machine *m = site_machine(s->site, SWITCH);

    for (size_t k = UPS; k <= SWITCH; k++)
        assert_int_equal(ping(s, k), PD_READ_DONE);
    machine_set_snmp_silent(m, true);
    assert_int_equal(ping(s, SWITCH), PD_READ_DONE);
    machine_set_asleep(m, SLEEP_DEEP, s->clock.mono);
    assert_int_equal(ping(s, SWITCH), PD_READ_NOANSWER);
    machine_set_asleep(m, SLEEP_NONE, s->clock.mono);
    machine_set_power(m, false, s->clock.mono);
    assert_int_equal(ping(s, SWITCH), PD_READ_NOANSWER);
    /* A gateway does for units that are off. */
    machine_set_power(site_machine(s->site, METER), false, s->clock.mono);
    machine_set_power(site_machine(s->site, COOLER), false, s->clock.mono);
    assert_int_equal(ping(s, METER), PD_READ_DONE);
    assert_int_equal(ping(s, COOLER), PD_READ_NOANSWER);
    assert_int_equal(s->polls, 0);
    assert_int_equal(s->unread, 0);
}

static void a_ping_that_the_network_loses_is_told(void **state)
{
    struct stage *s = *state;

    site_machine(s->site, SWITCH)->loss = 100;
    assert_int_equal(ping(s, SWITCH), PD_READ_NOANSWER);
    assert_int_equal(s->unread, 1);
    machine_set_power(site_machine(s->site, SWITCH), false, s->clock.mono);
    assert_int_equal(ping(s, SWITCH), PD_READ_NOANSWER);
    assert_int_equal(s->unread, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_register_reads_as_meant_and_alike_on_both_networks),
        TEST(machines_that_are_off_or_silent_are_not_read_and_later_are_again),
        TEST(a_machine_that_moved_is_found_at_its_new_address_only),
        TEST(a_restart_between_polls_is_not_noticed_by_the_reader),
        TEST(losses_delay_reads_and_what_they_spoil_is_told),
        TEST(whoever_is_on_answers_pings),
        TEST(a_ping_that_the_network_loses_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
