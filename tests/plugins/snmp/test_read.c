#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "tests/plugins/snmp/script.h"

/* A small device: the system group, a table of three ports with two columns and a gap, one of two rows. */
static const struct leaf office[] = {
    {"1.3.6.1.2.1.1.1.0", SNMP_OCTETS, 0, "LaserThing 5"},
    {"1.3.6.1.2.1.1.3.0", SNMP_TIMETICKS, 4200, NULL},
    {"1.3.6.1.2.1.1.5.0", SNMP_OCTETS, 0, "hall"},
    {"1.3.6.1.2.1.2.2.1.2.1", SNMP_OCTETS, 0, "lo"},
    {"1.3.6.1.2.1.2.2.1.2.2", SNMP_OCTETS, 0, "eth0"},
    {"1.3.6.1.2.1.2.2.1.2.7", SNMP_OCTETS, 0, "wlan0"},
    {"1.3.6.1.2.1.2.2.1.10.1", SNMP_COUNTER32, 10, NULL},
    {"1.3.6.1.2.1.2.2.1.10.7", SNMP_COUNTER32, 4294967295, NULL},
    {"1.3.6.1.2.1.31.1.1.1.6.1", SNMP_COUNTER64, 5000000000, NULL},
    {"1.3.6.1.2.1.43.11.1.1.9.1.1", SNMP_INTEGER, -3, NULL},
    {"1.3.6.1.2.1.43.11.1.1.9.1.2", SNMP_INTEGER, 40, NULL},
};

static const char plan_text[] = "1.3.6.1.2.1.1.3.0 1.3.6.1.2.1.1.5.0 1.3.6.1.2.1.99.1.0 1.3.6.1.2.1.2.2.1.2.* "
                                "1.3.6.1.2.1.2.2.1.10.* 1.3.6.1.2.1.43.11.1.1.9.*";

/* What of it comes, each column by itself. */
static const char *const expected[] = {
    "0[] ticks 4200\n",
    "1[] 'hall'\n",
    "2[] absent\n",
    "3[1] 'lo'\n3[2] 'eth0'\n3[7] 'wlan0'\n",
    "4[1] uint 10\n4[7] uint 4294967295\n",
    "5[1.1] int -3\n5[1.2] int 40\n",
};

struct bench {
    struct script script;
    struct pd_plan *plan;
};

static void start(struct bench *b, uint8_t version, unsigned quirks)
{
    script_start(&b->script, NULL);
    b->script.leaves = office;
    b->script.nleaves = sizeof office / sizeof *office;
    b->script.quirks = quirks;
    script_open(&b->script, version);
    b->plan = script_plan(&b->script, plan_text);
}

static void stop(struct bench *b)
{
    script_stop(&b->script);
    pd_snmp_ops.plan_free(b->plan);
}

/* The cells of one source, in the order in which they came. */
static char *cells_of(const struct script *s, unsigned source)
{
    struct sbuf out = {0};
    char prefix[16];

    (void)snprintf(prefix, sizeof prefix, "%u[", source);
    for (const char *line = s->cells.s; *line;) {
        const char *end = strchr(line, '\n') + 1;

        if (str_starts(line, prefix))
            sbuf_addn(&out, line, (size_t)(end - line));
        line = end;
    }
    return sbuf_take(&out);
}

static void assert_column(const struct script *s, unsigned source, const char *want)
{
    char *got = cells_of(s, source);

    assert_string_equal(got, want);
    free(got);
}

static void assert_all(const struct script *s)
{
    size_t n = 0;

    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_column(s, i, expected[i]);
        n += strlen(expected[i]);
    }
    assert_int_equal(s->cells.n, n); /* and nothing else */
}

static void assert_status(const struct script *s, enum pd_read_status status)
{
    assert_int_equal(s->ends, 1);
    if (s->result.status != status)
        fail_msg("status %d: %s", s->result.status, s->detail);
    assert_true((status == PD_READ_DONE) == (s->detail[0] == '\0'));
}

/* ---- Agents as they should be ---- */

static void reads_what_is_there(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 2, 0);
    b.script.delay_ms = 30;
    script_read(&b.script, b.plan);
    assert_status(&b.script, PD_READ_DONE);
    assert_all(&b.script);
    assert_int_equal(b.script.result.rtt_ms, 30);
    assert_int_equal(b.script.result.retries, 0);
    assert_int_equal(b.script.result.requests, b.script.requests);
    assert_int_equal(b.script.types[0], SNMP_GET);
    assert_int_equal(b.script.types[1], SNMP_GETBULK);
    stop(&b);
}

/* Once the sizes are known, one request does it: scalars ride beside the tables. */
static void the_next_read_takes_one_request(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 2, 0);
    script_read(&b.script, b.plan);
    b.script.ends = 0;
    script_read(&b.script, b.plan);
    assert_status(&b.script, PD_READ_DONE);
    assert_all(&b.script);
    assert_int_equal(b.script.requests, 1);
    stop(&b);
}

static void a_table_that_grew_is_read_whole(void **state)
{
    static const struct leaf rows[] = {
        {"1.3.6.1.2.1.1.3.0", SNMP_TIMETICKS, 1, NULL},      {"1.3.6.1.2.1.2.2.1.2.1", SNMP_INTEGER, 1, NULL},
        {"1.3.6.1.2.1.2.2.1.2.2", SNMP_INTEGER, 2, NULL},    {"1.3.6.1.2.1.2.2.1.2.3", SNMP_INTEGER, 3, NULL},
        {"1.3.6.1.2.1.2.2.1.2.4", SNMP_INTEGER, 4, NULL},    {"1.3.6.1.2.1.2.2.1.2.5", SNMP_INTEGER, 5, NULL},
        {"1.3.6.1.2.1.2.2.1.2.6.1", SNMP_INTEGER, 61, NULL}, {"1.3.6.1.2.1.2.3.0", SNMP_INTEGER, 0, NULL},
    };
    struct bench b;
    struct pd_plan *plan;

    (void)state;
    start(&b, 2, 0);
    plan = script_plan(&b.script, "1.3.6.1.2.1.1.3.0 1.3.6.1.2.1.2.2.1.2.*");
    b.script.leaves = rows;
    b.script.nleaves = 3;
    script_read(&b.script, plan);
    assert_column(&b.script, 1, "1[1] int 1\n1[2] int 2\n");
    b.script.nleaves = sizeof rows / sizeof *rows;
    b.script.ends = 0;
    script_read(&b.script, plan);
    assert_status(&b.script, PD_READ_DONE);
    assert_column(&b.script, 1, "1[1] int 1\n1[2] int 2\n1[3] int 3\n1[4] int 4\n1[5] int 5\n1[6.1] int 61\n");
    stop(&b);
    pd_snmp_ops.plan_free(plan);
}

static void v1_is_read_with_getnext(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 1, 0);
    script_read(&b.script, b.plan);
    assert_status(&b.script, PD_READ_DONE);
    assert_all(&b.script);
    for (unsigned i = 0; i < b.script.requests; i++)
        assert_int_not_equal(b.script.types[i], SNMP_GETBULK);
    stop(&b);
}

/* The agent names one varbind at a time: three of four scalars are not there. */
static void v1_asks_the_rest_again_without_the_one_that_is_missing(void **state)
{
    struct bench b;
    struct pd_plan *plan;

    (void)state;
    for (unsigned quirks = 0; quirks <= QUIRK_NO_INDEX; quirks += QUIRK_NO_INDEX) {
        start(&b, 1, quirks);
        plan =
            script_plan(&b.script, "1.3.6.1.2.1.99.1.0 1.3.6.1.2.1.1.5.0 1.3.6.1.2.1.99.2.0 1.3.6.1.2.1.31.1.1.1.6.1");
        script_read(&b.script, plan);
        assert_status(&b.script, PD_READ_DONE);
        assert_column(&b.script, 0, "0[] absent\n");
        assert_column(&b.script, 1, "1[] 'hall'\n");
        assert_column(&b.script, 2, "2[] absent\n");
        assert_column(&b.script, 3, "3[] absent\n"); /* a Counter64, which v1 cannot carry */
        stop(&b);
        pd_snmp_ops.plan_free(plan);
    }
}

static void only_the_parts_asked_for_are_read(void **state)
{
    static const struct pd_source sources[] = {
        {.id = 0, .address = "1.3.6.1.2.1.1.3.0", .part = 0},
        {.id = 1, .address = "1.3.6.1.2.1.1.5.0", .part = 31},
        {.id = 2, .address = "1.3.6.1.2.1.2.2.1.2", .table = true, .part = 0},
        {.id = 3, .address = "1.3.6.1.2.1.2.2.1.10", .table = true, .part = 31},
    };
    struct pd_compile_error err;
    struct pd_plan *plan;
    struct pd_sink sink;
    struct bench b;

    (void)state;
    start(&b, 2, 0);
    assert_int_equal(pd_snmp_ops.compile(b.script.collector, sources, 4, &plan, &err), 0);
    sink = script_sink(&b.script);
    assert_int_equal(pd_snmp_ops.read(b.script.device, plan, UINT32_C(1) << 31, &sink, &b.script.read), 0);
    script_run(&b.script, 60000);
    assert_status(&b.script, PD_READ_DONE);
    assert_string_equal(b.script.cells.s, "1[] 'hall'\n3[1] uint 10\n3[7] uint 4294967295\n");
    stop(&b);
    pd_snmp_ops.plan_free(plan);
}

static void nothing_to_read_ends_at_once_but_not_before_read_returns(void **state)
{
    struct bench b;
    struct pd_sink sink;

    (void)state;
    start(&b, 2, 0);
    sink = script_sink(&b.script);
    assert_int_equal(pd_snmp_ops.read(b.script.device, b.plan, 2, &sink, &b.script.read), 0);
    assert_int_equal(b.script.ends, 0);
    script_run(&b.script, 100);
    assert_status(&b.script, PD_READ_DONE);
    assert_int_equal(b.script.requests, 0);
    stop(&b);
}

static void one_read_a_device_at_a_time(void **state)
{
    struct bench b;
    struct pd_sink sink;

    (void)state;
    start(&b, 2, 0);
    sink = script_sink(&b.script);
    assert_int_equal(pd_snmp_ops.read(b.script.device, b.plan, 1, &sink, &b.script.read), 0);
    assert_int_equal(pd_snmp_ops.read(b.script.device, b.plan, 1, &sink, &b.script.read), PD_EBUSY);
    assert_int_equal(pd_snmp_ops.walk(b.script.device, "1.3", &sink, &b.script.read), PD_EBUSY);
    stop(&b);
    assert_int_equal(b.script.result.status, PD_READ_CANCELLED);
}

static void every_type_arrives_as_its_cell(void **state)
{
    static const struct leaf leaves[] = {
        {"1.3.1.1.0", SNMP_INTEGER, -5, NULL},   {"1.3.1.2.0", SNMP_COUNTER32, 5, NULL},
        {"1.3.1.3.0", SNMP_GAUGE32, 6, NULL},    {"1.3.1.4.0", SNMP_TIMETICKS, 7, NULL},
        {"1.3.1.5.0", SNMP_COUNTER64, -1, NULL}, {"1.3.1.6.0", SNMP_OCTETS, 0, "\xe6\x89\x93\xe5\x8d\xb0"},
        {"1.3.1.7.0", SNMP_NULL, 0, NULL},       {"1.3.1.8.0", SNMP_IPADDRESS, 0, NULL},
        {"1.3.1.9.0", SNMP_UINTEGER32, 9, NULL},
    };
    struct bench b;
    struct pd_plan *plan;

    (void)state;
    start(&b, 2, 0);
    b.script.leaves = leaves;
    b.script.nleaves = sizeof leaves / sizeof *leaves;
    plan = script_plan(&b.script,
                       "1.3.1.1.0 1.3.1.2.0 1.3.1.3.0 1.3.1.4.0 1.3.1.5.0 1.3.1.6.0 1.3.1.7.0 1.3.1.8.0 1.3.1.9.0");
    script_read(&b.script, plan);
    assert_status(&b.script, PD_READ_DONE);
    assert_string_equal(b.script.cells.s,
                        "0[] int -5\n1[] uint 5\n2[] uint 6\n3[] ticks 7\n4[] uint 18446744073709551615\n"
                        "5[] '\xe6\x89\x93\xe5\x8d\xb0'\n6[] null\n7[] invalid\n8[] uint 9\n");
    stop(&b);
    pd_snmp_ops.plan_free(plan);
}

/* ---- Agents as they are ---- */

static void quirks_make_no_difference_to_what_is_read(void **state)
{
    static const struct {
        unsigned quirks;
        size_t max_varbinds;
    } rows[] = {
        {QUIRK_ONE_ROW, 0}, {QUIRK_NO_BULK, 0}, {QUIRK_BULK_ERROR, 0}, {QUIRK_EMPTY_BULK, 0}, {0, 1}, {0, 2}, {0, 5},
        {QUIRK_NO_BULK, 1}, {QUIRK_ONE_ROW, 3}, {QUIRK_BULK_ERROR, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench b;

        start(&b, 2, rows[i].quirks);
        b.script.max_varbinds = rows[i].max_varbinds;
        for (int time = 0; time < 3; time++) {
            b.script.ends = 0;
            script_read(&b.script, b.plan);
            if (b.script.result.status != PD_READ_DONE)
                fail_msg("row %zu, time %d: %s", i, time, b.script.detail);
            assert_all(&b.script);
        }
        stop(&b);
    }
}

static void a_device_without_bulk_is_remembered(void **state)
{
    static const unsigned quirks[] = {QUIRK_NO_BULK, QUIRK_BULK_ERROR, QUIRK_EMPTY_BULK};

    (void)state;
    for (size_t i = 0; i < sizeof quirks / sizeof *quirks; i++) {
        struct bench b;

        start(&b, 2, quirks[i]);
        script_read(&b.script, b.plan);
        script_read(&b.script, b.plan);
        for (unsigned k = 0; k < b.script.requests; k++)
            assert_int_not_equal(b.script.types[k], SNMP_GETBULK);
        assert_int_equal(b.script.result.retries, 0);
        stop(&b);
    }
}

/* A column that gives genErr does not cost the device its GETBULK. */
static void one_bad_column_is_left_out_and_named(void **state)
{
    struct bench b;

    (void)state;
    for (unsigned quirks = 0; quirks <= QUIRK_NO_INDEX; quirks += QUIRK_NO_INDEX) {
        start(&b, 1, quirks);
        b.script.faulty = "1.3.6.1.2.1.2.2.1.10.7";
        script_read(&b.script, b.plan);
        assert_status(&b.script, PD_READ_PARTIAL);
        assert_string_equal(b.script.detail, "genErr 1.3.6.1.2.1.2.2.1.10.1");
        assert_column(&b.script, 3, expected[3]);
        assert_column(&b.script, 4, "4[1] uint 10\n");
        assert_column(&b.script, 5, expected[5]);
        stop(&b);
    }
}

static void a_scalar_with_an_error_is_invalid_and_the_rest_is_read(void **state)
{
    struct bench b;

    (void)state;
    for (unsigned quirks = 0; quirks <= QUIRK_NO_INDEX; quirks += QUIRK_NO_INDEX) {
        start(&b, 2, quirks);
        b.script.faulty = "1.3.6.1.2.1.1.5.0";
        script_read(&b.script, b.plan);
        assert_status(&b.script, PD_READ_DONE);
        assert_column(&b.script, 0, expected[0]);
        assert_column(&b.script, 1, "1[] invalid\n");
        assert_column(&b.script, 2, expected[2]);
        stop(&b);
    }
}

static bool refuse(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    struct snmp_msg head = *m;
    struct snmp_writer w;
    uint8_t buf[64];

    head.type = SNMP_RESPONSE;
    head.status = SNMP_AUTHORIZATION_ERROR;
    snmp_begin(&w, buf, sizeof buf, &head);
    script_arrive(s, &p->addr, buf, snmp_end(&w), 0);
    return true;
}

static void a_refusal_ends_it(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 2, 0);
    b.script.hook = refuse;
    script_read(&b.script, b.plan);
    assert_status(&b.script, PD_READ_REFUSED);
    assert_int_equal(b.script.requests, 1);
    stop(&b);
}

/* ---- Silence ---- */

static void a_dead_device_gets_its_tries_and_no_more(void **state)
{
    struct bench b;
    int64_t t;

    (void)state;
    start(&b, 2, QUIRK_DEAD);
    t = b.script.time.mono;
    script_read(&b.script, b.plan);
    assert_status(&b.script, PD_READ_NOANSWER);
    assert_string_equal(b.script.detail, "no answer to 5 tries");
    assert_int_equal(b.script.requests, 3 + 2); /* in version 2c, then in version 1 */
    assert_int_equal(b.script.result.requests, 5);
    assert_int_equal(b.script.result.retries, 3);
    assert_int_equal(b.script.result.rtt_ms, -1);
    assert_in_range(b.script.time.mono - t, 10000, 10050);
    stop(&b);
}

static bool die_after_two(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    (void)p;
    (void)m;
    return s->requests > 2;
}

static void a_device_that_dies_on_the_way_is_given_up_soon(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 2, 0);
    b.script.hook = die_after_two;
    script_read(&b.script, b.plan);
    assert_status(&b.script, PD_READ_PARTIAL);
    assert_non_null(strstr(b.script.detail, "stopped answering at 1.3.6.1.2.1"));
    assert_column(&b.script, 0, expected[0]);
    assert_int_equal(b.script.requests, 2 + 4 * 3);
    assert_true(b.script.result.fell_silent);
    stop(&b);
}

/* One table makes the agent mute; the one behind it is still read. */
static bool mute_for_ports(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    (void)p;
    (void)m;
    return s->varbinds->v[0].name[6] == 2;
}

static void a_table_that_gets_no_answer_is_skipped(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 2, 0);
    b.script.hook = mute_for_ports;
    script_read(&b.script, b.plan);
    assert_status(&b.script, PD_READ_PARTIAL);
    assert_non_null(strstr(b.script.detail, "no answer about 1.3.6.1.2.1.2.2.1"));
    assert_column(&b.script, 0, expected[0]);
    assert_column(&b.script, 3, "");
    assert_column(&b.script, 5, expected[5]);
    assert_false(b.script.result.fell_silent);
    stop(&b);
}

/* A large reply gets lost wherever fragments do: smaller ones come through. */
static bool lose_large(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    (void)p;
    return m->type == SNMP_GETBULK && s->varbinds->n * (size_t)m->max_repetitions > 20;
}

static void an_unanswered_large_request_is_made_smaller(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 2, 0);
    b.script.hook = lose_large;
    script_walk(&b.script, "1.3");
    assert_status(&b.script, PD_READ_DONE);
    assert_int_equal(b.script.result.retries, 2);
    assert_non_null(strstr(b.script.cells.s, "0[1.3.6.1.2.1.43.11.1.1.9.1.2] int 40"));
    stop(&b);
}

/* Every other packet is lost, by turns the request and the reply. */
static bool lossy(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    size_t n;

    switch (s->step++ % 3) {
    case 0:
        return true;
    case 1:
        n = script_answer(s, m);
        script_arrive(s, &p->addr, s->reply, n, 2500); /* after the next try has gone out */
        return true;
    default:
        return false;
    }
}

static void loss_costs_time_only(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 2, 0);
    b.script.hook = lossy;
    script_read(&b.script, b.plan);
    assert_status(&b.script, PD_READ_DONE);
    assert_all(&b.script);
    assert_true(b.script.result.retries > 0);
    stop(&b);
}

/* ---- Circles and floods ---- */

static void a_loop_is_stopped_at_once(void **state)
{
    static const unsigned quirks[] = {QUIRK_LOOP, QUIRK_LOOP | QUIRK_ONE_ROW, QUIRK_LOOP | QUIRK_NO_BULK};

    (void)state;
    for (size_t i = 0; i < sizeof quirks / sizeof *quirks; i++) {
        struct bench b;

        start(&b, 2, quirks[i]);
        script_walk(&b.script, "1.3");
        assert_status(&b.script, PD_READ_BROKEN);
        assert_string_equal(b.script.detail, "OIDs do not rise after 1.3.6.1.2.1.43.11.1.1.9.1.2");
        assert_null(strstr(b.script.cells.s + 1, "LaserThing 5'\n0[1.3.6.1.2.1.1.1.0]"));
        stop(&b);
    }
}

static void an_agent_that_does_not_move_on_is_stopped_at_once(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 1, QUIRK_STUCK);
    script_walk(&b.script, "1.3.6.1.2.1.2");
    assert_status(&b.script, PD_READ_BROKEN);
    assert_int_equal(b.script.requests, 1);
    stop(&b);
}

/* Behind its last object an agent begins anew: what it has is read whole, and the loop is named. */
static void a_loop_behind_the_last_column_is_noted(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 2, QUIRK_LOOP);
    for (int time = 0; time < 3; time++) {
        b.script.ends = 0;
        script_read(&b.script, b.plan);
        assert_int_equal(b.script.result.status, PD_READ_DONE);
        assert_true(b.script.result.looped);
        assert_string_equal(b.script.detail, "its objects begin anew behind 1.3.6.1.2.1.43.11.1.1.9.1.2");
        assert_int_equal(b.script.result.retries, 0);
        assert_all(&b.script);
    }
    stop(&b);
}

/* An agent that never ends: each row is new. */
static bool endless(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    struct snmp_msg head = *m;
    struct snmp_writer w;
    uint32_t name[] = {1, 3, 6, 1, 4, 1, 9999, 0};

    head.type = SNMP_RESPONSE;
    head.status = head.index = 0;
    snmp_begin(&w, s->reply, sizeof s->reply, &head);
    for (int i = 0; i < (m->type == SNMP_GETBULK ? m->max_repetitions : 1); i++) {
        struct snmp_varbind vb = {.name = name, .nname = 8, .type = SNMP_OCTETS, .n = 0};

        name[7] = (uint32_t)++s->step;
        vb.bytes = (const uint8_t *)"";
        snmp_put(&w, &vb);
    }
    script_arrive(s, &p->addr, s->reply, snmp_end(&w), s->delay_ms);
    return true;
}

static void floods_are_cut_off(void **state)
{
    static const struct {
        struct pd_snmp_config config;
        int64_t delay_ms;
        const char *detail;
        int rows; /* at most */
    } rows[] = {
        {{2000, 2, 50, 0, 1000, 1 << 30, 1000000, 30000, {0}},
         1,
         "gave too many values, up to 1.3.6.1.4.1.9999.",
         1100},
        {{2000, 2, 50, 0, 100000, 4096, 1000000, 30000, {0}}, 1, "gave too many bytes, up to 1.3.6.1.4.1.9999.", 400},
        {{2000, 2, 50, 0, 100000, 1 << 30, 10000, 30000, {0}}, 1000, "took too long, it got to 1.3.6.1.4.1.9999.", 700},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script s;

        script_start(&s, &rows[i].config);
        s.delay_ms = rows[i].delay_ms;
        s.hook = endless;
        script_open(&s, 2);
        script_walk(&s, "1.3.6.1.4.1.9999");
        if (s.result.status != PD_READ_BROKEN || !str_starts(s.detail, rows[i].detail) || s.step > rows[i].rows)
            fail_msg("row %zu: status %d, %d rows, %s", i, s.result.status, s.step, s.detail);
        script_stop(&s);
    }
}

/* Answers that bring nothing but errors, each about another column. */
static bool errors_only(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    struct snmp_msg head = *m;
    struct snmp_writer w;

    if (s->requests == 1)
        return false;
    head.type = SNMP_RESPONSE;
    head.status = SNMP_GEN_ERR;
    head.index = 1;
    snmp_begin(&w, s->reply, sizeof s->reply, &head);
    script_arrive(s, &p->addr, s->reply, snmp_end(&w), 1900);
    return true;
}

static void no_new_row_for_too_long_ends_it(void **state)
{
    struct pd_snmp_config config = pd_snmp_defaults;
    struct sbuf text = {0};
    struct pd_plan *plan;
    struct script s;
    int64_t t;

    (void)state;
    config.stall_ms = 5000;
    script_start(&s, &config);
    s.leaves = office;
    s.nleaves = sizeof office / sizeof *office;
    s.hook = errors_only;
    script_open(&s, 1);
    sbuf_add(&text, "1.3.6.1.2.1.1.3.0");
    for (int i = 1; i < 30; i++)
        sbuf_addf(&text, " 1.3.6.1.2.1.2.2.1.%d.*", i);
    plan = script_plan(&s, text.s);
    t = s.time.mono;
    script_read(&s, plan);
    assert_status(&s, PD_READ_BROKEN);
    assert_non_null(strstr(s.detail, "gave nothing new for too long"));
    assert_in_range(s.time.mono - t, 5000, 8000);
    script_stop(&s);
    pd_snmp_ops.plan_free(plan);
    sbuf_free(&text);
}

/* ---- Walks ---- */

static void a_walk_gives_whole_names_below_the_root(void **state)
{
    static const char want[] = "0[1.3.6.1.2.1.2.2.1.10.1] uint 10\n0[1.3.6.1.2.1.2.2.1.10.7] uint 4294967295\n";
    struct bench b;

    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        start(&b, version, 0);
        script_walk(&b.script, ".1.3.6.1.2.1.2.2.1.10");
        assert_status(&b.script, PD_READ_DONE);
        assert_string_equal(b.script.cells.s, want);
        stop(&b);
    }
}

static void a_walk_reaches_the_end_of_the_view(void **state)
{
    struct bench b;
    size_t lines;

    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        start(&b, version, 0);
        script_walk(&b.script, "1.3");
        assert_status(&b.script, PD_READ_DONE);
        lines = 0;
        for (const char *p = b.script.cells.s; (p = strchr(p, '\n')) != NULL; p++)
            lines++;
        assert_int_equal(lines, sizeof office / sizeof *office - (version == 1)); /* v1 has no Counter64 */
        stop(&b);
    }
}

static void a_root_that_makes_no_sense_is_refused(void **state)
{
    struct bench b;
    struct pd_sink sink;

    (void)state;
    start(&b, 2, 0);
    sink = script_sink(&b.script);
    assert_int_equal(pd_snmp_ops.walk(b.script.device, "ifTable", &sink, &b.script.read), PD_EINVAL);
    stop(&b);
}

/* ---- Ending from outside ---- */

static void cancel_ends_it_before_it_returns(void **state)
{
    struct bench b;
    struct pd_sink sink;

    (void)state;
    start(&b, 2, QUIRK_DEAD);
    sink = script_sink(&b.script);
    assert_int_equal(pd_snmp_ops.read(b.script.device, b.plan, 1, &sink, &b.script.read), 0);
    script_run(&b.script, 500);
    pd_snmp_ops.cancel(b.script.read);
    assert_status(&b.script, PD_READ_CANCELLED);
    assert_int_equal(b.script.result.requests, 1);
    script_run(&b.script, 60000);
    assert_int_equal(b.script.ends, 1);
    stop(&b);
}

static void close_ends_its_read(void **state)
{
    struct bench b;
    struct pd_sink sink;

    (void)state;
    start(&b, 2, QUIRK_DEAD);
    sink = script_sink(&b.script);
    assert_int_equal(pd_snmp_ops.read(b.script.device, b.plan, 1, &sink, &b.script.read), 0);
    pd_snmp_ops.close(b.script.device);
    assert_status(&b.script, PD_READ_CANCELLED);
    stop(&b);
}

enum deed { CANCEL, CLOSE };

struct impatient {
    struct script *script;
    enum deed deed;
    int cells, ends;
};

static void cells_once(void *arg, const struct pd_cell *cells, size_t n)
{
    struct impatient *i = arg;

    (void)cells;
    (void)n;
    i->cells++;
    if (i->deed == CANCEL)
        pd_snmp_ops.cancel(i->script->read);
    else
        pd_snmp_ops.close(i->script->device);
}

static void end_once(void *arg, const struct pd_read_result *result)
{
    struct impatient *i = arg;

    assert_int_equal(result->status, PD_READ_CANCELLED);
    i->ends++;
}

static void cancel_and_close_work_from_inside_the_sink(void **state)
{
    (void)state;
    for (enum deed deed = CANCEL; deed <= CLOSE; deed++) {
        struct bench b;
        struct impatient i = {.script = &b.script, .deed = deed};
        struct pd_sink sink = {.cells = cells_once, .end = end_once, .arg = &i};

        start(&b, 2, 0);
        assert_int_equal(pd_snmp_ops.read(b.script.device, b.plan, 1, &sink, &b.script.read), 0);
        script_run(&b.script, 60000);
        assert_int_equal(i.cells, 1);
        assert_int_equal(i.ends, 1);
        stop(&b);
    }
}

struct again {
    struct bench *bench;
    int ends;
};

static void no_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    (void)arg;
    (void)cells;
    (void)n;
}

static void read_again(void *arg, const struct pd_read_result *result)
{
    struct again *a = arg;
    struct pd_sink sink = {.cells = no_cells, .end = read_again, .arg = a};
    struct pd_read *r;

    assert_int_equal(result->status, PD_READ_DONE);
    if (++a->ends < 3)
        assert_int_equal(pd_snmp_ops.read(a->bench->script.device, a->bench->plan, 1, &sink, &r), 0);
}

static void the_end_may_start_the_next_read(void **state)
{
    struct bench b;
    struct again a = {.bench = &b};
    struct pd_sink sink = {.cells = no_cells, .end = read_again, .arg = &a};
    struct pd_read *r;

    (void)state;
    start(&b, 2, 0);
    assert_int_equal(pd_snmp_ops.read(b.script.device, b.plan, 1, &sink, &r), 0);
    script_run(&b.script, 60000);
    assert_int_equal(a.ends, 3);
    stop(&b);
}

/* ---- Versions ---- */

static bool mute_in_v2c(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    (void)s;
    (void)p;
    return m->version == SNMP_V2C;
}

static void who_does_not_answer_v2c_is_asked_in_v1_and_that_is_remembered(void **state)
{
    static const unsigned tries[] = {3, 3, 0, 0}; /* in version 2c; twice, since packets get lost */
    struct bench b;

    (void)state;
    start(&b, 2, 0);
    b.script.hook = mute_in_v2c;
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        b.script.ends = 0;
        script_read(&b.script, b.plan);
        assert_status(&b.script, PD_READ_DONE);
        assert_all(&b.script);
        assert_int_equal(b.script.result.retries, tries[i] ? tries[i] - 1 : 0);
    }
    stop(&b);
}

static void who_is_silent_again_is_asked_in_both_versions_again(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 2, 0);
    b.script.hook = mute_in_v2c;
    for (int i = 0; i < 3; i++)
        script_read(&b.script, b.plan);
    b.script.quirks = QUIRK_DEAD;
    script_read(&b.script, b.plan);
    assert_int_equal(b.script.result.status, PD_READ_NOANSWER);
    b.script.quirks = 0;
    b.script.hook = NULL;
    b.script.ends = 0;
    script_read(&b.script, b.plan);
    assert_status(&b.script, PD_READ_DONE);
    assert_int_equal(b.script.result.retries, 0);
    stop(&b);
}

static void who_answered_v2c_is_never_asked_in_v1(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 2, 0);
    script_read(&b.script, b.plan);
    b.script.quirks = QUIRK_DEAD;
    script_read(&b.script, b.plan);
    assert_int_equal(b.script.result.status, PD_READ_NOANSWER);
    assert_int_equal(b.script.requests, 3);
    stop(&b);
}

static void what_v1_does_not_have_costs_no_request_of_its_own(void **state)
{
    struct bench b;
    struct pd_plan *plan;

    (void)state;
    start(&b, 1, 0);
    plan = script_plan(&b.script, "1.3.6.1.2.1.1.2.0 1.3.6.1.2.1.1.4.0 1.3.6.1.2.1.1.5.0 1.3.6.1.2.1.1.6.0 "
                                  "1.3.6.1.2.1.44.1.0 1.3.6.1.2.1.44.2.0 1.3.6.1.2.1.99.1.0 1.3.6.1.2.1.99.1.1.1.*");
    script_read(&b.script, plan);
    assert_status(&b.script, PD_READ_DONE);
    assert_string_equal(b.script.cells.s, "4[] absent\n5[] absent\n6[] absent\n0[] absent\n1[] absent\n2[] 'hall'\n"
                                          "3[] absent\n");
    assert_in_range(b.script.requests, 1, 3); /* all; those with an end; the column */
    stop(&b);
    pd_snmp_ops.plan_free(plan);
}

/* A value of a table's row that is asked for by itself. */
static void what_v1_does_not_have_of_a_row_costs_no_request_either(void **state)
{
    struct bench b;
    struct pd_plan *plan;

    (void)state;
    start(&b, 1, 0);
    plan = script_plan(&b.script, "1.3.6.1.2.1.2.2.1.2.1 1.3.6.1.2.1.2.2.1.2.77 1.3.6.1.2.1.2.2.1.2.78 "
                                  "1.3.6.1.2.1.1.5.0 1.3.6.1.2.1.98.1.1 1.3.6.1.2.1.98.1.2");
    script_read(&b.script, plan);
    assert_status(&b.script, PD_READ_DONE);
    assert_non_null(strstr(b.script.cells.s, "0[] '"));
    assert_column(&b.script, 1, "1[] absent\n");
    assert_column(&b.script, 2, "2[] absent\n");
    assert_column(&b.script, 3, "3[] 'hall'\n");
    assert_column(&b.script, 4, "4[] absent\n");
    assert_column(&b.script, 5, "5[] absent\n");
    assert_in_range(b.script.requests, 1, 3);
    stop(&b);
    pd_snmp_ops.plan_free(plan);
}

/* ---- What a profile says ---- */

static struct bench *open_as(struct bench *b, const struct pd_target *quirks)
{
    struct pd_target t = *quirks;

    script_start(&b->script, NULL);
    b->script.leaves = office;
    b->script.nleaves = sizeof office / sizeof *office;
    t.name = "printer";
    t.address = "192.0.2.1";
    t.version = 2;
    t.community = "public";
    t.retries = -1;
    b->script.device = script_open_target(&b->script, &t);
    b->plan = script_plan(&b->script, plan_text);
    return b;
}

static void a_small_message_holds_less_from_the_beginning(void **state)
{
    struct bench b;

    (void)state;
    open_as(&b, &(struct pd_target){.message_size = 200});
    for (int time = 0; time < 3; time++) {
        b.script.ends = 0;
        script_read(&b.script, b.plan);
        assert_status(&b.script, PD_READ_DONE);
        assert_all(&b.script);
        for (unsigned i = 0; i < b.script.requests; i++)
            assert_in_range(b.script.sizes[i], 1, (200 - 84) / 22);
    }
    stop(&b);
}

static void no_more_rows_than_the_profile_allows_are_read(void **state)
{
    struct bench b;

    (void)state;
    open_as(&b, &(struct pd_target){.max_rows = 2});
    script_read(&b.script, b.plan);
    assert_status(&b.script, PD_READ_PARTIAL);
    assert_string_equal(b.script.detail, "more rows than the profile allows, stopped at 1.3.6.1.2.1.2.2.1.2.2");
    assert_column(&b.script, 3, "3[1] 'lo'\n3[2] 'eth0'\n");
    assert_column(&b.script, 5, expected[5]);
    stop(&b);
}

/* ---- Contexts ---- */

/* The agent of the community "public@NAME" holds something else. */
static bool other_worlds(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    static const struct leaf jet[] = {{"1.3.6.1.2.1.1.5.0", SNMP_OCTETS, 0, "jet"},
                                      {"1.3.6.1.2.1.43.11.1.1.9.1.1", SNMP_INTEGER, 7, NULL}};
    static const struct leaf two[] = {{"1.3.6.1.2.1.1.5.0", SNMP_OCTETS, 0, "two"},
                                      {"1.3.6.1.2.1.17.1.4.1.2.52", SNMP_INTEGER, 52, NULL}};
    static const struct leaf seven[] = {{"1.3.6.1.2.1.1.5.0", SNMP_OCTETS, 0, "seven"},
                                        {"1.3.6.1.2.1.17.1.4.1.2.3", SNMP_INTEGER, 3, NULL}};
    const char *at = memchr(m->community, '@', m->ncommunity);
    size_t n = at ? m->ncommunity - (size_t)(at - (const char *)m->community) : 0;

    (void)p;
    s->leaves = office;
    s->nleaves = sizeof office / sizeof *office;
    if (!at)
        return false;
    s->nleaves = 2;
    if (n == 4 && memcmp(at, "@jet", n) == 0)
        s->leaves = jet;
    else if (n == 2 && at[1] == '2')
        s->leaves = two;
    else if (n == 2 && at[1] == '7')
        s->leaves = seven;
    else
        return true;
    return false;
}

static struct pd_plan *plan_of_contexts(struct script *s)
{
    static const struct pd_source sources[] = {
        {.id = 0, .address = "1.3.6.1.2.1.1.5.0"},
        {.id = 1, .address = "1.3.6.1.2.1.1.5.0", .context = 1},
        {.id = 2, .address = "1.3.6.1.2.1.43.11.1.1.9", .table = true, .context = 1},
        {.id = 3, .address = "1.3.6.1.2.1.1.5.0", .context = 2},
        {.id = 4, .address = "1.3.6.1.2.1.17.1.4.1.2", .table = true, .context = 2},
    };
    struct pd_compile_error err;
    struct pd_plan *plan;

    assert_int_equal(pd_snmp_ops.compile(s->collector, sources, 5, &plan, &err), 0);
    return plan;
}

static void contexts_are_asked_by_the_communitys_suffix(void **state)
{
    static const struct pd_context contexts[] = {{.name = "jet"}, {.each = "1.3.6.1.2.1.2.2.1.2"}};
    struct bench b;
    struct pd_plan *plan;

    (void)state;
    open_as(&b, &(struct pd_target){.contexts = contexts, .ncontexts = 2});
    b.script.hook = other_worlds;
    plan = plan_of_contexts(&b.script);
    for (int time = 0; time < 2; time++) { /* rows 1, 2 and 7 name contexts; there is none of 1 */
        script_read(&b.script, plan);
        assert_int_equal(b.script.result.status, PD_READ_DONE);
        assert_column(&b.script, 0, "0[] 'hall'\n");
        assert_column(&b.script, 1, "1[] 'jet'\n");
        assert_column(&b.script, 2, "2[1.1] int 7\n");
        assert_column(&b.script, 4, "4[52] int 52\n4[3] int 3\n");
    }
    stop(&b);
    pd_snmp_ops.plan_free(plan);
}

static void a_context_that_does_not_answer_costs_the_others_nothing(void **state)
{
    static const struct pd_context contexts[] = {{.name = "none"}, {.name = "2"}};
    struct bench b;
    struct pd_plan *plan;

    (void)state;
    open_as(&b, &(struct pd_target){.contexts = contexts, .ncontexts = 2});
    b.script.hook = other_worlds;
    plan = plan_of_contexts(&b.script);
    for (unsigned time = 0; time < 4; time++) {
        b.script.ends = 0;
        script_read(&b.script, plan);
        assert_status(&b.script, PD_READ_DONE);
        assert_string_equal(b.script.cells.s, "0[] 'hall'\n3[] 'two'\n4[52] int 52\n");
        assert_int_equal(b.script.result.retries, time < 2 ? 1 : 0); /* then it is held not to be there */
    }
    stop(&b);
    pd_snmp_ops.plan_free(plan);
}

static bool only_plain(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    (void)s;
    (void)p;
    return m->ncommunity > 6;
}

static void a_context_that_was_there_is_missed(void **state)
{
    static const struct pd_context contexts[] = {{.name = "jet"}, {.name = "2"}};
    struct bench b;
    struct pd_plan *plan;

    (void)state;
    open_as(&b, &(struct pd_target){.contexts = contexts, .ncontexts = 2});
    b.script.hook = other_worlds;
    plan = plan_of_contexts(&b.script);
    script_read(&b.script, plan);
    b.script.hook = only_plain;
    b.script.leaves = office;
    b.script.nleaves = sizeof office / sizeof *office;
    b.script.ends = 0;
    script_read(&b.script, plan);
    assert_status(&b.script, PD_READ_PARTIAL);
    assert_string_equal(b.script.detail, "no answer in context jet");
    assert_string_equal(b.script.cells.s, "0[] 'hall'\n");
    stop(&b);
    pd_snmp_ops.plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_there),
        cmocka_unit_test(the_next_read_takes_one_request),
        cmocka_unit_test(a_table_that_grew_is_read_whole),
        cmocka_unit_test(v1_is_read_with_getnext),
        cmocka_unit_test(v1_asks_the_rest_again_without_the_one_that_is_missing),
        cmocka_unit_test(only_the_parts_asked_for_are_read),
        cmocka_unit_test(nothing_to_read_ends_at_once_but_not_before_read_returns),
        cmocka_unit_test(one_read_a_device_at_a_time),
        cmocka_unit_test(every_type_arrives_as_its_cell),
        cmocka_unit_test(quirks_make_no_difference_to_what_is_read),
        cmocka_unit_test(a_device_without_bulk_is_remembered),
        cmocka_unit_test(one_bad_column_is_left_out_and_named),
        cmocka_unit_test(a_scalar_with_an_error_is_invalid_and_the_rest_is_read),
        cmocka_unit_test(a_refusal_ends_it),
        cmocka_unit_test(a_dead_device_gets_its_tries_and_no_more),
        cmocka_unit_test(a_device_that_dies_on_the_way_is_given_up_soon),
        cmocka_unit_test(a_table_that_gets_no_answer_is_skipped),
        cmocka_unit_test(an_unanswered_large_request_is_made_smaller),
        cmocka_unit_test(loss_costs_time_only),
        cmocka_unit_test(a_loop_is_stopped_at_once),
        cmocka_unit_test(an_agent_that_does_not_move_on_is_stopped_at_once),
        cmocka_unit_test(a_loop_behind_the_last_column_is_noted),
        cmocka_unit_test(floods_are_cut_off),
        cmocka_unit_test(no_new_row_for_too_long_ends_it),
        cmocka_unit_test(a_walk_gives_whole_names_below_the_root),
        cmocka_unit_test(a_walk_reaches_the_end_of_the_view),
        cmocka_unit_test(a_root_that_makes_no_sense_is_refused),
        cmocka_unit_test(cancel_ends_it_before_it_returns),
        cmocka_unit_test(close_ends_its_read),
        cmocka_unit_test(cancel_and_close_work_from_inside_the_sink),
        cmocka_unit_test(the_end_may_start_the_next_read),
        cmocka_unit_test(who_does_not_answer_v2c_is_asked_in_v1_and_that_is_remembered),
        cmocka_unit_test(who_is_silent_again_is_asked_in_both_versions_again),
        cmocka_unit_test(who_answered_v2c_is_never_asked_in_v1),
        cmocka_unit_test(what_v1_does_not_have_costs_no_request_of_its_own),
        cmocka_unit_test(what_v1_does_not_have_of_a_row_costs_no_request_either),
        cmocka_unit_test(a_small_message_holds_less_from_the_beginning),
        cmocka_unit_test(no_more_rows_than_the_profile_allows_are_read),
        cmocka_unit_test(contexts_are_asked_by_the_communitys_suffix),
        cmocka_unit_test(a_context_that_does_not_answer_costs_the_others_nothing),
        cmocka_unit_test(a_context_that_was_there_is_missed),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
