#include "tests/plugins/modbus/live.h"

#include <stdarg.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/rng.h"

static int64_t now(void)
{
    return clock_mono(&clock_system);
}

void live_start(struct live *l, const struct pd_modbus_config *config)
{
    *l = (struct live){0};
    assert_int_equal(pd_loop_new(&clock_system, &rng_system, &l->loop), 0);
    assert_int_equal(pd_modbus_ops.start(pd_loop_services(l->loop), config, &l->collector), 0);
}

void live_stop(struct live *l)
{
    pd_modbus_ops.stop(l->collector);
    pd_loop_free(l->loop);
}

struct pd_device *live_open(struct live *l, const char *address, uint16_t port, uint8_t unit)
{
    struct pd_target t = {.name = "device", .address = address, .port = port, .unit = unit, .retries = -1};
    struct pd_device *d = NULL;

    assert_int_equal(pd_modbus_ops.open(l->collector, &t, &d), 0);
    return d;
}

struct pd_plan *live_plan(struct live *l, const char *const *addresses, size_t n)
{
    struct pd_source sources[LIVE_VALUES] = {0};
    struct pd_compile_error err = {.msg = ""};
    struct pd_plan *plan = NULL;

    assert_true(n <= LIVE_VALUES);
    for (size_t i = 0; i < n; i++)
        sources[i] = (struct pd_source){.id = (uint32_t)i, .address = addresses[i]};
    if (pd_modbus_ops.compile(l->collector, sources, n, &plan, &err) < 0)
        fail_msg("%s", err.msg);
    return plan;
}

static void on_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct live_read *r = arg;

    for (size_t i = 0; i < n; i++) {
        assert_true(cells[i].source < LIVE_VALUES);
        r->types[cells[i].source] = cells[i].type;
        r->values[cells[i].source] = cells[i].i;
    }
}

static void on_end(void *arg, const struct pd_read_result *result)
{
    struct live_read *r = arg;

    r->read = NULL;
    r->status = result->status;
    r->requests = result->requests;
    r->took_ms = now() - r->started_ms;
    r->reads++;
    r->done += result->status == PD_READ_DONE;
    r->detail[0] = '\0';
    if (result->detail)
        strncat(r->detail, result->detail, sizeof r->detail - 1);
    if (--r->live->running == 0)
        pd_loop_stop(r->live->loop);
}

void live_begin(struct live *l, struct live_read *r, struct pd_device *d, const struct pd_plan *plan)
{
    struct pd_sink sink = {.cells = on_cells, .end = on_end, .arg = r};

    r->live = l;
    r->started_ms = now();
    memset(r->types, PD_CELL_NULL, sizeof r->types);
    l->running++;
    assert_int_equal(pd_modbus_ops.read(d, plan, UINT32_MAX, &sink, &r->read), 0);
}

void live_run(struct live *l, int64_t ms)
{
    int64_t end = now() + ms;

    while (now() < end)
        assert_int_equal(pd_loop_once(l->loop, end - now()), 0);
}

void live_wait(struct live *l)
{
    int64_t end = now() + 20000;

    while (l->running > 0) {
        assert_true(now() < end);
        assert_int_equal(pd_loop_once(l->loop, 100), 0);
    }
}

void live_read(struct live *l, struct live_read *r, struct pd_device *d, const struct pd_plan *plan)
{
    live_begin(l, r, d, plan);
    live_wait(l);
}
