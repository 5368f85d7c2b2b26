#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/err.h"
#include "base/mem.h"
#include "scripted.h"

/* A site of one machine of each model, and the scripted collector on it in virtual time. */
struct stage {
    struct story *story;
    struct site *site;
    struct clock_fake clock;
    struct rng_seeded chance;
    struct wheel *wheel;
    struct pd_collector *collector;
    struct scripted_config config;
    /* of the last read */
    ARRAY(struct pd_cell) cells;
    ARRAY(uint32_t *) instances;
    unsigned ends, unread;
    struct pd_read_result result;
};

static const struct pd_source sources[] = {
    {.id = 0, .address = "1.3.6.1.2.1.1.1.0"},
    {.id = 1, .address = "1.3.6.1.2.1.1.3.0"},
    {.id = 2, .address = "1.3.6.1.2.1.1.2.0"},
    {.id = 3, .address = "1.3.6.1.2.1.1.77.0"}, /* nobody has it */
    {.id = 4, .address = "1.3.6.1.2.1.2.2.1.2", .table = true},
    {.id = 5, .address = "1.3.6.1.2.1.2.2.1.6", .table = true},
    {.id = 6, .address = "1.3.6.1.2.1.2.2.1.10", .table = true},
    {.id = 7, .address = "1.3.6.1.2.1.31.1.1.1.6", .table = true},
    {.id = 8, .address = "1.3.6.1.2.1.25.2.3.1.2", .table = true},
    {.id = 9, .address = "1.3.6.1.2.1.25.3.5.1.2", .table = true},
    {.id = 10, .address = "1.3.6.1.2.1.43.11.1.1.9", .table = true, .part = 2},
    {.id = 11, .address = "1.3.6.1.2.1.43.18.1.1.7", .table = true},
};
enum { SOURCES = sizeof sources / sizeof sources[0], DEVICES = 4, ALL_PARTS = 0xf };

static int64_t now(void *ctx)
{
    return ((struct stage *)ctx)->clock.mono;
}

static void count_unread(void *ctx, unsigned machine, int64_t from_ms, int64_t to_ms)
{
    (void)machine;
    assert_true(from_ms < to_ms);
    ((struct stage *)ctx)->unread++;
}

static int set_up(void **state)
{
    static const char text[] = "title: T\nstart: 2026-03-02 08:00\nlength: 1d\ndevices:\n"
                               "  - {name: a, model: printer, address: 127.5.0.1}\n"
                               "  - {name: b, model: copier, address: 127.5.0.2, pages_per_hour: 500}\n"
                               "  - {name: c, model: switch, address: 127.5.0.3}\n"
                               "  - {name: d, model: server, address: 127.5.0.4}\n";
    const struct site_ops ops = {.blind_chance = 1};
    struct stage *s = xcalloc(1, sizeof *s);
    struct conf_report report = {0};
    struct pd_services services = {0};

    assert_int_equal(story_parse("s", text, strlen(text), &s->story, &report), 0);
    conf_report_free(&report);
    s->site = site_new(s->story, &ops);
    s->wheel = wheel_new(0);
    rng_seed(&s->chance, 1);
    services.clock = clock_fake_ops(&s->clock);
    services.rng = rng_seeded_ops(&s->chance);
    services.wheel = s->wheel;
    s->config =
        (struct scripted_config){.site = s->site, .delay_ms = 10, .now_ms = now, .unread = count_unread, .ctx = s};
    assert_int_equal(scripted_ops.start(&services, &s->config, &s->collector), 0);
    *state = s;
    return 0;
}

static void forget_cells(struct stage *s)
{
    for (size_t i = 0; i < s->instances.n; i++)
        free(s->instances.v[i]);
    s->instances.n = s->cells.n = 0;
    s->ends = 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;

    forget_cells(s);
    array_free(&s->cells);
    array_free(&s->instances);
    scripted_ops.stop(s->collector);
    wheel_free(s->wheel);
    site_free(s->site);
    story_free(s->story);
    free(s);
    return 0;
}

static void take_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct stage *s = arg;

    for (size_t i = 0; i < n; i++) {
        struct pd_cell c = cells[i];
        uint32_t *instance = xcalloc(c.ninstance + 1U, sizeof *instance);

        if (c.ninstance > 0)
            memcpy(instance, c.instance, c.ninstance * sizeof *instance);
        c.instance = instance;
        array_push(&s->instances, instance);
        array_push(&s->cells, c);
    }
}

static void take_end(void *arg, const struct pd_read_result *result)
{
    struct stage *s = arg;

    s->ends++;
    s->result = *result;
}

static struct pd_device *open_device(struct stage *s, const char *address)
{
    const struct pd_target target = {.address = address, .community = "public", .retries = 1, .timeout_ms = 500};
    struct pd_device *d;

    assert_int_equal(scripted_ops.open(s->collector, &target, &d), 0);
    return d;
}

static void read_all(struct stage *s, struct pd_device *d, const struct pd_plan *plan, uint32_t parts)
{
    const struct pd_sink sink = {.cells = take_cells, .end = take_end, .arg = s};
    struct pd_read *read;

    forget_cells(s);
    assert_int_equal(scripted_ops.read(d, plan, parts, &sink, &read), 0);
    assert_int_equal(s->ends, 0);
    assert_int_equal(scripted_ops.read(d, plan, parts, &sink, &read), PD_EBUSY);
    while (s->ends == 0 && wheel_next(s->wheel) != INT64_MAX) {
        clock_fake_advance(&s->clock, wheel_next(s->wheel) - s->clock.mono);
        wheel_advance(s->wheel, s->clock.mono);
    }
    assert_int_equal(s->ends, 1);
}

static struct pd_plan *compile(struct stage *s)
{
    struct pd_compile_error err;
    struct pd_plan *plan;

    assert_int_equal(scripted_ops.compile(s->collector, sources, SOURCES, &plan, &err), 0);
    return plan;
}

struct agent_question {
    const struct simdev *dev;
    int64_t now_ms;
    struct oid name;
    struct snmp_varbinds answer;
    uint8_t reply[1472]; /* what answer points into */
};

/* What the machine's agent says for a name, decoded from the wire. */
static void ask_agent(struct agent_question *q)
{
    const struct snmp_msg head = {.version = SNMP_V2C,
                                  .type = SNMP_GET,
                                  .community = (const uint8_t *)"public",
                                  .ncommunity = 6,
                                  .request_id = 9};
    uint8_t packet[1472];
    struct snmp_writer w;
    struct snmp_msg m;
    size_t n;

    snmp_begin(&w, packet, sizeof packet, &head);
    assert_true(snmp_put_name(&w, q->name.id, q->name.n, NULL, 0));
    n = agent_answer(q->dev, q->now_ms, "public", packet, snmp_end(&w), q->reply, sizeof q->reply);
    assert_int_equal(snmp_decode(q->reply, n, &m), 0);
    assert_int_equal(snmp_decode_varbinds(&m, &q->answer), 0);
    assert_int_equal(q->answer.n, 1);
}

static void compare_cell(const struct pd_cell *c, const struct snmp_varbind *vb)
{
    switch (vb->type) {
    case SNMP_INTEGER:
        assert_int_equal(c->type, PD_CELL_INT);
        assert_int_equal(c->i, vb->i);
        break;
    case SNMP_TIMETICKS:
        assert_int_equal(c->type, PD_CELL_TICKS);
        assert_int_equal(c->u, vb->u);
        break;
    case SNMP_OCTETS:
        assert_int_equal(c->type, PD_CELL_BYTES);
        assert_int_equal(c->nbytes, vb->n);
        assert_memory_equal(c->bytes, vb->bytes, vb->n);
        break;
    case SNMP_OID:
        assert_int_equal(c->type, PD_CELL_OID);
        assert_int_equal(c->nbytes, vb->n);
        assert_memory_equal(c->oid, vb->oid, vb->n * sizeof *vb->oid);
        break;
    case SNMP_NO_SUCH_OBJECT:
    case SNMP_NO_SUCH_INSTANCE:
        assert_int_equal(c->type, PD_CELL_ABSENT);
        break;
    default:
        assert_int_equal(c->type, PD_CELL_UINT);
        assert_int_equal(c->u, vb->u);
        break;
    }
}

/* Both ways into one device tell the same, when things are moving and rows come and go too. */
static void cells_are_what_the_agent_answers(void **state)
{
    static struct agent_question q; /* large */
    struct stage *s = *state;
    struct pd_plan *plan = compile(s);

    for (size_t round = 0; round < 3 * DEVICES; round++) {
        struct machine *m = site_machine(s->site, round % DEVICES);
        struct pd_device *d = open_device(s, m->spec->address);

        clock_fake_advance(&s->clock, 1234567);
        if (model_prints(m->spec->model))
            machine_set_jam(m, round < 2 * DEVICES, s->clock.mono);
        read_all(s, d, plan, ALL_PARTS);
        assert_int_equal(s->result.status, PD_READ_DONE);
        assert_true(s->cells.n > 6);
        for (size_t i = 0; i < s->cells.n; i++) {
            const struct pd_cell *c = &s->cells.v[i];
            const char *why;

            assert_int_equal(oid_parse(sources[c->source].address, &q.name, &why), 0);
            memcpy(q.name.id + q.name.n, c->instance, c->ninstance * sizeof *c->instance);
            q.name.n = (uint16_t)(q.name.n + c->ninstance);
            q.dev = &m->dev;
            q.now_ms = s->clock.mono;
            ask_agent(&q);
            compare_cell(c, &q.answer.v[0]);
        }
        scripted_ops.close(d);
    }
    scripted_ops.plan_free(plan);
}

static void only_the_parts_asked_for_are_read(void **state)
{
    struct stage *s = *state;
    struct pd_plan *plan = compile(s);
    struct pd_device *d = open_device(s, "127.5.0.2");

    read_all(s, d, plan, 1U << 2);
    assert_int_equal(s->cells.n, 7);
    for (size_t i = 0; i < s->cells.n; i++)
        assert_int_equal(s->cells.v[i].source, 10);
    scripted_ops.close(d);
    scripted_ops.plan_free(plan);
}

static void rows_that_come_are_seen_at_the_next_read(void **state)
{
    struct stage *s = *state;
    struct pd_plan *plan = compile(s);
    struct pd_device *d = open_device(s, "127.5.0.1");
    size_t before;

    read_all(s, d, plan, ALL_PARTS);
    before = s->cells.n;
    machine_set_jam(site_machine(s->site, 0), true, s->clock.mono);
    read_all(s, d, plan, ALL_PARTS);
    assert_int_equal(s->cells.n, before + 1);
    scripted_ops.close(d);
    scripted_ops.plan_free(plan);
}

static void who_is_off_never_answers(void **state)
{
    struct stage *s = *state;
    struct pd_plan *plan = compile(s);
    struct pd_device *d = open_device(s, "127.5.0.1"), *nobody = open_device(s, "127.5.9.9");
    int64_t before = s->clock.mono;

    machine_set_power(site_machine(s->site, 0), false, 0);
    read_all(s, d, plan, ALL_PARTS);
    assert_int_equal(s->result.status, PD_READ_NOANSWER);
    assert_int_equal(s->result.requests, 2);
    assert_int_equal(s->clock.mono - before, 1000);
    assert_int_equal(s->cells.n, 0);
    read_all(s, nobody, plan, ALL_PARTS);
    assert_int_equal(s->result.status, PD_READ_NOANSWER);
    assert_int_equal(s->unread, 0); /* that is the truth, not a loss */
    scripted_ops.close(d);
    scripted_ops.close(nobody);
    scripted_ops.plan_free(plan);
}

static void a_lossy_network_costs_retries_and_then_polls(void **state)
{
    struct stage *s = *state;
    struct pd_plan *plan = compile(s);
    struct pd_device *d = open_device(s, "127.5.0.3");
    unsigned spoilt = 0, retries = 0;

    site_machine(s->site, 2)->loss = 20;
    for (int i = 0; i < 200; i++) {
        read_all(s, d, plan, ALL_PARTS);
        spoilt += s->result.status != PD_READ_DONE;
        retries += s->result.retries;
    }
    assert_int_equal(s->unread, spoilt);
    assert_in_range(spoilt, 60, 140); /* three or four requests, each lost for good with 13 % */
    assert_true(retries > 200);
    scripted_ops.close(d);
    scripted_ops.plan_free(plan);
}

static void a_closed_device_ends_its_read(void **state)
{
    struct stage *s = *state;
    const struct pd_sink sink = {.cells = take_cells, .end = take_end, .arg = s};
    struct pd_plan *plan = compile(s);
    struct pd_device *d = open_device(s, "127.5.0.1");
    struct pd_read *read;

    assert_int_equal(scripted_ops.read(d, plan, ALL_PARTS, &sink, &read), 0);
    scripted_ops.close(d);
    assert_int_equal(s->ends, 1);
    assert_int_equal(s->result.status, PD_READ_CANCELLED);
    assert_int_equal(wheel_next(s->wheel), INT64_MAX);
    scripted_ops.plan_free(plan);
}

static void a_walk_gives_the_whole_tree(void **state)
{
    struct stage *s = *state;
    const struct pd_sink sink = {.cells = take_cells, .end = take_end, .arg = s};
    struct pd_device *d = open_device(s, "127.5.0.4");
    struct pd_read *read;

    assert_int_equal(scripted_ops.walk(d, "1.3.6.1", &sink, &read), 0);
    clock_fake_advance(&s->clock, 60000);
    wheel_advance(s->wheel, s->clock.mono);
    assert_int_equal(s->ends, 1);
    assert_int_equal(s->cells.n, site_machine(s->site, 3)->dev.vars.n);
    scripted_ops.close(d);
}

static void an_address_that_is_none_is_named(void **state)
{
    struct stage *s = *state;
    const struct pd_source wrong[] = {{.id = 0, .address = "1.3.6"}, {.id = 1, .address = "1.3.x"}};
    struct pd_compile_error err = {0};
    struct pd_plan *plan;

    assert_int_equal(scripted_ops.compile(s->collector, wrong, 2, &plan, &err), PD_EINVAL);
    assert_int_equal(err.source, 1);
    assert_true(err.msg[0] != '\0');
}

#define STAGE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(cells_are_what_the_agent_answers),
        STAGE_TEST(only_the_parts_asked_for_are_read),
        STAGE_TEST(rows_that_come_are_seen_at_the_next_read),
        STAGE_TEST(who_is_off_never_answers),
        STAGE_TEST(a_lossy_network_costs_retries_and_then_polls),
        STAGE_TEST(a_closed_device_ends_its_read),
        STAGE_TEST(a_walk_gives_the_whole_tree),
        STAGE_TEST(an_address_that_is_none_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
