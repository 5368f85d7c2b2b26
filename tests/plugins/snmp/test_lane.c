#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "tests/plugins/snmp/script.h"

/* A device of eight tables, of two columns with 3, 6, 9, ... rows each, in messages that hold but few of them. */
enum { TABLES = 8, COLUMNS = 2, STEP = 3, LEAVES = 2 + COLUMNS * STEP * TABLES * (TABLES + 1) / 2, DELAY_MS = 40 };
enum { MESSAGE_SIZE = 600 };

struct bench {
    struct script script; /* first: hooks find the bench by it */
    struct leaf leaves[LEAVES];
    char oids[LEAVES][48];
    struct pd_plan *plan;
    int64_t sent_ms[256];    /* of each request */
    uint8_t ncommunity[256]; /* and how long its community was */
    unsigned nsent;
    struct rng_seeded luck;
    struct pd_rng rng;
    struct usm *usm; /* of version 3, like the agent */
    struct agent3 agent;
};

static void add_leaf(struct bench *b, size_t i, const char *oid, uint8_t type, int64_t number)
{
    (void)snprintf(b->oids[i], sizeof b->oids[i], "%s", oid);
    b->leaves[i] = (struct leaf){.oid = b->oids[i],
                                 .type = type,
                                 .number = number,
                                 .text = type == SNMP_OCTETS ? "as long as labels are" : NULL};
}

static void grow(struct bench *b)
{
    size_t n = 0;
    char oid[48];

    add_leaf(b, n++, "1.3.6.1.2.1.1.3.0", SNMP_TIMETICKS, 4200);
    add_leaf(b, n++, "1.3.6.1.2.1.1.5.0", SNMP_OCTETS, 0);
    for (int t = 1; t <= TABLES; t++)
        for (int c = 1; c <= COLUMNS; c++)
            for (int row = 1; row <= STEP * t; row++) {
                (void)snprintf(oid, sizeof oid, "1.3.6.1.4.1.9999.%d.1.%d.%d", t, c, row);
                add_leaf(b, n++, oid, c == 1 ? SNMP_OCTETS : SNMP_INTEGER, t * 1000 + row);
            }
    assert_int_equal(n, LEAVES);
}

/* Keeps the time of each request. */
static bool note_time(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    struct bench *b = (struct bench *)s;

    (void)p;
    if (b->nsent < sizeof b->sent_ms / sizeof *b->sent_ms) {
        b->ncommunity[b->nsent] = m->ncommunity;
        b->sent_ms[b->nsent++] = s->time.mono;
    }
    return false;
}

static void start(struct bench *b, struct pd_target quirks, unsigned in_flight)
{
    struct sbuf oids = {0};

    memset(b, 0, sizeof *b);
    script_start(&b->script, NULL);
    grow(b);
    b->script.leaves = b->leaves;
    b->script.nleaves = LEAVES;
    b->script.delay_ms = DELAY_MS;
    b->script.hook = note_time;
    quirks.name = "stack";
    quirks.address = "192.0.2.1";
    if (quirks.usm) {
        b->usm = usm_new(&b->script.services.rng);
        agent3_init(&b->agent, b->usm, quirks.usm, 1);
        b->agent.booted_ms = -1000000;
        b->script.engines[1] = &b->agent;
    }
    quirks.community = quirks.usm ? NULL : "public";
    quirks.version = quirks.usm ? 3 : 2;
    quirks.message_size = MESSAGE_SIZE;
    quirks.retries = 3;
    quirks.in_flight = (uint16_t)in_flight;
    b->script.device = script_open_target(&b->script, &quirks);
    sbuf_add(&oids, "1.3.6.1.2.1.1.3.0 1.3.6.1.2.1.1.5.0");
    for (int t = 1; t <= TABLES; t++)
        for (int c = 1; c <= COLUMNS; c++)
            sbuf_addf(&oids, " 1.3.6.1.4.1.9999.%d.1.%d.*", t, c);
    b->plan = script_plan(&b->script, oids.s);
    sbuf_free(&oids);
}

static void stop(struct bench *b)
{
    script_stop(&b->script);
    pd_snmp_ops.plan_free(b->plan);
    if (b->usm) {
        agent3_fini(&b->agent);
        usm_free(b->usm);
    }
}

/* Reads and gives how long that took. */
static int64_t read_ms(struct bench *b)
{
    int64_t began = b->script.time.mono;

    b->script.ends = 0;
    b->nsent = 0;
    script_read(&b->script, b->plan);
    assert_int_equal(b->script.ends, 1);
    return b->script.time.mono - began;
}

/* Requests that were on their way at a time, at most; none got lost. */
static unsigned most_at_once(const struct bench *b)
{
    unsigned most = 0;

    for (unsigned i = 0; i < b->nsent; i++) {
        unsigned n = 0;

        for (unsigned k = 0; k <= i; k++)
            n += b->sent_ms[k] > b->sent_ms[i] - DELAY_MS;
        most = n > most ? n : most;
    }
    return most;
}

/* The cells of one source, in the order in which they came, are those of the agent. */
static void assert_source(const struct bench *b, unsigned source, const char *column)
{
    struct sbuf want = {0}, got = {0};
    char prefix[16];

    (void)snprintf(prefix, sizeof prefix, "%u[", source);
    for (const char *line = b->script.cells.s, *end; *line; line = end) {
        end = strchr(line, '\n') + 1;
        if (str_starts(line, prefix))
            sbuf_addn(&got, line, (size_t)(end - line));
    }
    for (size_t i = 0; i < LEAVES; i++) {
        const struct leaf *leaf = &b->leaves[i];

        if (!str_starts(leaf->oid, column))
            continue;
        sbuf_addf(&want, "%s%s] ", prefix, leaf->oid + strlen(column));
        if (leaf->type == SNMP_OCTETS)
            sbuf_addf(&want, "'%s'\n", leaf->text);
        else
            sbuf_addf(&want, "int %d\n", (int)leaf->number);
    }
    assert_string_equal(got.s ? got.s : "", want.s);
    sbuf_free(&want);
    sbuf_free(&got);
}

static void assert_whole(const struct bench *b)
{
    size_t lines = 0;
    char column[48];

    for (int t = 0; t < TABLES; t++)
        for (int c = 0; c < COLUMNS; c++) {
            (void)snprintf(column, sizeof column, "1.3.6.1.4.1.9999.%d.1.%d.", t + 1, c + 1);
            assert_source(b, (unsigned)(2 + t * COLUMNS + c), column);
        }
    for (const char *p = b->script.cells.s; *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, LEAVES); /* nothing twice, and nothing else */
    if (b->script.result.status != PD_READ_DONE)
        fail_msg("status %d: %s", b->script.result.status, b->script.detail);
}

static void as_many_requests_as_the_device_takes_are_on_their_way(void **state)
{
    static const unsigned rows[] = {0, 1, 2, 3, 4, 64};
    int64_t alone = 0, before = INT64_MAX;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench b;
        int64_t took;

        start(&b, (struct pd_target){0}, rows[i]);
        for (int time = 0; time < 3; time++) {
            took = read_ms(&b);
            assert_whole(&b);
            assert_true(most_at_once(&b) <= (rows[i] ? rows[i] : 1));
            assert_int_equal(b.script.result.requests, b.nsent);
            assert_int_equal(b.script.result.rtt_ms, DELAY_MS);
        }
        if (rows[i] > 1 && rows[i] < TABLES)
            assert_int_equal(most_at_once(&b), rows[i]);
        if (rows[i] <= 1)
            alone = took;
        assert_true(took <= before);
        before = took;
        stop(&b);
    }
    assert_true(before * 3 <= alone);
}

static void misbehaviour_makes_no_difference_to_what_is_read(void **state)
{
    static const unsigned quirks[] = {QUIRK_NO_BULK, QUIRK_BULK_ERROR, QUIRK_ONE_ROW, QUIRK_NO_INDEX, QUIRK_EMPTY_BULK};

    (void)state;
    for (size_t i = 0; i < sizeof quirks / sizeof *quirks; i++) {
        struct bench b;

        start(&b, (struct pd_target){0}, 5);
        b.script.quirks = quirks[i];
        for (int time = 0; time < 3; time++) {
            (void)read_ms(&b);
            assert_whole(&b);
        }
        stop(&b);
    }
}

/* Of ten packets two are lost, one's answer comes twice and one's is late and overtaken. */
static bool lossy(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    struct bench *b = (struct bench *)s;
    size_t n;

    switch (rng_below(&b->rng, 10)) {
    case 0:
    case 1:
        return true;
    case 2:
        n = script_answer(s, m);
        script_arrive(s, &p->addr, s->reply, n, 5);
        script_arrive(s, &p->addr, s->reply, n, 90);
        return true;
    case 3:
        n = script_answer(s, m);
        script_arrive(s, &p->addr, s->reply, n, 700);
        return true;
    default:
        return false;
    }
}

static void loss_costs_time_only(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct bench b;

        start(&b, (struct pd_target){.timeout_ms = 500}, 4);
        b.script.hook = lossy;
        rng_seed(&b.luck, seed);
        b.rng = rng_seeded_ops(&b.luck);
        (void)read_ms(&b);
        if (b.script.result.status == PD_READ_DONE)
            assert_whole(&b);
        else /* four tries in a row were lost before anything was answered */
            assert_int_equal(b.script.result.status, PD_READ_NOANSWER);
        stop(&b);
    }
}

/* What is off gets one request at a time. */
static void a_dead_device_is_asked_one_thing(void **state)
{
    struct bench b;

    (void)state;
    start(&b, (struct pd_target){0}, 8);
    (void)read_ms(&b);
    b.script.quirks = QUIRK_DEAD;
    (void)read_ms(&b);
    assert_int_equal(b.script.result.status, PD_READ_NOANSWER);
    assert_int_equal(b.script.result.requests, 4);
    stop(&b);
}

static bool dies(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    (void)note_time(s, p, m);
    return ++s->step > 6;
}

static void one_that_dies_on_the_way_is_given_up_as_soon_as_by_a_single_request(void **state)
{
    int64_t took[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct bench b;

        start(&b, (struct pd_target){0}, i ? 4 : 1);
        (void)read_ms(&b);
        b.script.hook = dies;
        b.script.step = 0;
        took[i] = read_ms(&b);
        assert_int_equal(b.script.result.status, PD_READ_PARTIAL);
        assert_true(b.script.result.fell_silent);
        assert_int_equal(b.script.ends, 1);
        stop(&b);
    }
    assert_true(took[1] <= took[0] + 500);
}

/* The third request is refused, whoever sent it. */
static bool refuses(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    struct snmp_msg no = *m;
    struct snmp_writer w;

    if (++s->step < 3)
        return false;
    no.type = SNMP_RESPONSE;
    no.status = SNMP_AUTHORIZATION_ERROR;
    no.index = 0;
    snmp_begin(&w, s->reply, sizeof s->reply, &no);
    script_arrive(s, &p->addr, s->reply, snmp_end(&w), DELAY_MS);
    return true;
}

static void a_refusal_in_a_lane_ends_the_read(void **state)
{
    struct bench b;

    (void)state;
    start(&b, (struct pd_target){0}, 4);
    (void)read_ms(&b);
    b.script.hook = refuses;
    b.script.step = 0;
    (void)read_ms(&b);
    assert_int_equal(b.script.result.status, PD_READ_REFUSED);
    assert_string_equal(b.script.detail, "the device refused: authorizationError");
    stop(&b);
}

static void more_rows_than_allowed_are_noted_once(void **state)
{
    struct bench b;

    (void)state;
    start(&b, (struct pd_target){.max_rows = STEP * TABLES - 1}, 4);
    (void)read_ms(&b);
    assert_int_equal(b.script.result.status, PD_READ_PARTIAL);
    assert_string_equal(b.script.detail, "more rows than the profile allows, stopped at 1.3.6.1.4.1.9999.8.1.1.23");
    stop(&b);
}

/* One after the other, as their community is the read's: what is asked in one has been answered before the next. */
static void contexts_do_not_mix(void **state)
{
    static const struct pd_context contexts[] = {{.name = "2"}, {.name = "17"}};
    struct pd_source sources[3 * TABLES];
    struct pd_compile_error err;
    struct bench b;
    char oids[TABLES][32];
    size_t n = 0, lines = 0;

    (void)state;
    start(&b, (struct pd_target){.contexts = contexts, .ncontexts = 2}, 4);
    pd_snmp_ops.plan_free(b.plan);
    for (int t = 0; t < TABLES; t++) {
        (void)snprintf(oids[t], sizeof oids[t], "1.3.6.1.4.1.9999.%d.1.2", t + 1);
        for (uint8_t context = 0; context < 3; context++, n++)
            sources[n] = (struct pd_source){.id = (uint32_t)n, .address = oids[t], .table = true, .context = context};
    }
    assert_int_equal(pd_snmp_ops.compile(b.script.collector, sources, n, &b.plan, &err), 0);
    for (int time = 0; time < 2; time++) {
        (void)read_ms(&b);
        assert_int_equal(b.script.result.status, PD_READ_DONE);
    }
    assert_true(most_at_once(&b) > 1);
    for (unsigned i = 1; i < b.nsent; i++)
        if (b.ncommunity[i] != b.ncommunity[i - 1])
            assert_true(b.sent_ms[i] >= b.sent_ms[i - 1] + DELAY_MS);
    for (const char *p = b.script.cells.s; *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 3 * (LEAVES - 2) / COLUMNS);
    stop(&b);
}

static void version_3_works_with_several_too_when_the_agent_restarts_or_is_another(void **state)
{
    static const struct pd_usm_secret secret = {.user = "patrol",
                                                .auth = PD_AUTH_SHA256,
                                                .priv = PD_PRIV_AES128,
                                                .auth_password = "of the house",
                                                .priv_password = "of the room"};
    struct bench b;

    (void)state;
    start(&b, (struct pd_target){.usm = &secret, .timeout_ms = 1000}, 4);
    for (int time = 0; time < 4; time++) {
        if (time == 2) {
            b.agent.boots++;
            b.agent.booted_ms = b.script.time.mono;
        } else if (time == 3) {
            agent3_set_engine(&b.agent, 2);
        }
        (void)read_ms(&b);
        assert_whole(&b);
    }
    stop(&b);
}

/* It restarts while several requests are on their way. */
static bool restarts(struct script *s, const struct snmp_packet *p, struct v3_msg *m, struct snmp_msg *pdu)
{
    struct bench *b = (struct bench *)s;

    (void)p;
    (void)m;
    (void)pdu;
    if (++s->step == 4) {
        b->agent.boots++;
        b->agent.booted_ms = s->time.mono;
    }
    return false;
}

static void an_agent_that_restarts_on_the_way_is_read_on(void **state)
{
    static const struct pd_usm_secret secret = {
        .user = "patrol", .auth = PD_AUTH_SHA256, .auth_password = "of the house"};
    struct bench b;

    (void)state;
    start(&b, (struct pd_target){.usm = &secret, .timeout_ms = 1000}, 4);
    (void)read_ms(&b);
    b.script.v3_hook = restarts;
    b.script.step = 0;
    (void)read_ms(&b);
    assert_whole(&b);
    stop(&b);
}

/* ---- Ended from inside ---- */

struct impatient {
    struct bench *bench;
    int cells, patience, ends;
    bool closes;
};

static void cells_some(void *arg, const struct pd_cell *cells, size_t n)
{
    struct impatient *i = arg;

    (void)cells;
    (void)n;
    assert_int_equal(i->ends, 0);
    if (++i->cells < i->patience)
        return;
    if (i->closes)
        pd_snmp_ops.close(i->bench->script.device);
    else
        pd_snmp_ops.cancel(i->bench->script.read);
}

static void end_once(void *arg, const struct pd_read_result *result)
{
    struct impatient *i = arg;

    i->ends++;
    assert_int_equal(result->status, i->cells < i->patience ? PD_READ_DONE : PD_READ_CANCELLED);
}

static void it_may_be_ended_from_inside_the_sink_at_any_answer(void **state)
{
    bool done = false;

    (void)state;
    for (int patience = 1; !done; patience++)
        for (int closes = 0; closes < 2; closes++) {
            struct bench b;
            struct impatient i = {.bench = &b, .patience = patience, .closes = closes};
            struct pd_sink sink = {.cells = cells_some, .end = end_once, .arg = &i};

            start(&b, (struct pd_target){0}, 4);
            assert_int_equal(pd_snmp_ops.read(b.script.device, b.plan, 1, &sink, &b.script.read), 0);
            script_run(&b.script, 60000);
            assert_int_equal(i.ends, 1);
            done = i.cells < patience;
            stop(&b);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_requests_as_the_device_takes_are_on_their_way),
        cmocka_unit_test(misbehaviour_makes_no_difference_to_what_is_read),
        cmocka_unit_test(loss_costs_time_only),
        cmocka_unit_test(a_dead_device_is_asked_one_thing),
        cmocka_unit_test(one_that_dies_on_the_way_is_given_up_as_soon_as_by_a_single_request),
        cmocka_unit_test(a_refusal_in_a_lane_ends_the_read),
        cmocka_unit_test(more_rows_than_allowed_are_noted_once),
        cmocka_unit_test(contexts_do_not_mix),
        cmocka_unit_test(version_3_works_with_several_too_when_the_agent_restarts_or_is_another),
        cmocka_unit_test(an_agent_that_restarts_on_the_way_is_read_on),
        cmocka_unit_test(it_may_be_ended_from_inside_the_sink_at_any_answer),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
