/* Reads in version 3: finding out who a device is and what its clock says, refusals, and what is not believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "tests/plugins/snmp/script.h"

static const struct leaf office[] = {
    {"1.3.6.1.2.1.1.3.0", SNMP_TIMETICKS, 4200, NULL},   {"1.3.6.1.2.1.1.5.0", SNMP_OCTETS, 0, "hall"},
    {"1.3.6.1.2.1.2.2.1.2.1", SNMP_OCTETS, 0, "lo"},     {"1.3.6.1.2.1.2.2.1.2.2", SNMP_OCTETS, 0, "eth0"},
    {"1.3.6.1.2.1.2.2.1.10.1", SNMP_COUNTER32, 7, NULL}, {"1.3.6.1.2.1.2.2.1.10.2", SNMP_COUNTER32, 9, NULL},
};
static const char oids[] = "1.3.6.1.2.1.1.3.0 1.3.6.1.2.1.1.5.0 1.3.6.1.2.1.2.2.1.2.* 1.3.6.1.2.1.2.2.1.10.*";
static const char scalars[] = "1.3.6.1.2.1.1.3.0 1.3.6.1.2.1.1.5.0";
static const char cells[] = "0[] ticks 4200\n1[] 'hall'\n";

static const struct pd_usm_secret full = {.user = "patrol",
                                          .auth = PD_AUTH_SHA256,
                                          .priv = PD_PRIV_AES128,
                                          .auth_password = "of the house",
                                          .priv_password = "of the room"};

struct scene {
    struct script s;
    struct usm *usm;
    struct agent3 *agents[2]; /* at 192.0.2.1 and .2 */
    struct pd_plan *plan;
};

/* Two agents of one user; the collector asks the first, by another secret where one is given. */
static struct scene *start(const struct pd_usm_secret *agents, const struct pd_usm_secret *ours, const char *sources)
{
    struct scene *c = xcalloc(1, sizeof *c);

    script_start(&c->s, NULL);
    c->s.leaves = office;
    c->s.nleaves = sizeof office / sizeof *office;
    c->usm = usm_new(&c->s.services.rng);
    for (uint8_t i = 0; i < 2; i++) {
        c->agents[i] = xmalloc(sizeof *c->agents[i]);
        agent3_init(c->agents[i], c->usm, agents, i);
        c->agents[i]->booted_ms = -1000000;
        c->s.engines[i + 1] = c->agents[i];
    }
    script_open_v3(&c->s, ours ? ours : agents);
    c->plan = script_plan(&c->s, sources);
    return c;
}

static void stop(struct scene *c)
{
    script_stop(&c->s);
    pd_snmp_ops.plan_free(c->plan);
    for (int i = 0; i < 2; i++) {
        agent3_fini(c->agents[i]);
        free(c->agents[i]);
    }
    usm_free(c->usm);
    free(c);
}

static void read_well(struct scene *c)
{
    script_clear(&c->s);
    script_read(&c->s, c->plan);
    if (c->s.result.status != PD_READ_DONE)
        fail_msg("status %d: %s", c->s.result.status, c->s.detail);
}

/* The read's packets. */
static void assert_packets(struct scene *c, unsigned requests)
{
    assert_int_equal(c->s.result.requests, requests);
    assert_int_equal(c->s.result.retries, 0);
}

/* ---- What goes well ---- */

static void every_level_reads_the_same(void **state)
{
    (void)state;
    for (uint8_t auth = PD_AUTH_NONE; auth <= PD_AUTH_SHA512; auth++) {
        for (uint8_t priv = PD_PRIV_NONE; priv <= (auth ? PD_PRIV_AES256_REEDER : PD_PRIV_NONE); priv++) {
            struct pd_usm_secret secret = full;
            struct scene *c;

            secret.auth = auth;
            secret.priv = priv;
            c = start(&secret, NULL, oids);
            for (int time = 0; time < 2; time++) {
                read_well(c);
                if (!strstr(c->s.cells.s, "3[2] uint 9\n") || !strstr(c->s.cells.s, "1[] 'hall'\n"))
                    fail_msg("%s %s: %s", usm_auth_name(auth), usm_priv_name(priv), c->s.cells.s);
            }
            stop(c);
        }
    }
}

/* The guess that comes with who it is spares the leg for the time. */
static void who_it_is_is_asked_once(void **state)
{
    struct scene *c = start(&full, NULL, scalars);

    (void)state;
    read_well(c);
    assert_packets(c, 2);
    assert_string_equal(c->s.cells.s, cells);
    assert_int_equal(c->agents[0]->reports[V3_UNKNOWN_ENGINE], 1);
    assert_int_equal(c->agents[0]->reports[V3_NOT_IN_WINDOW], 0);
    clock_fake_advance(&c->s.time, 86400000);
    read_well(c);
    assert_packets(c, 1);
    stop(c);
}

static void the_engine_of_the_credential_is_not_asked_for(void **state)
{
    struct pd_usm_secret ours = full;
    struct scene *c;

    (void)state;
    ours.engine_id = "8000000000";
    c = start(&full, &ours, scalars);
    read_well(c);
    assert_packets(c, 2); /* the second since nothing was known of its time */
    assert_int_equal(c->agents[0]->reports[V3_UNKNOWN_ENGINE], 0);
    assert_int_equal(c->agents[0]->reports[V3_NOT_IN_WINDOW], 1);
    agent3_set_engine(c->agents[0], 7);
    script_clear(&c->s);
    script_read(&c->s, c->plan);
    assert_int_equal(c->s.result.status, PD_READ_REFUSED);
    assert_non_null(strstr(c->s.detail, "another engine id than the credential says"));
    stop(c);
}

/* Keys that take milliseconds an engine are not reckoned all at once. */
static void slow_keys_are_reckoned_one_after_the_other(void **state)
{
    struct pd_usm_secret secret = full;
    struct pd_target t = {.name = "second", .address = "192.0.2.2", .version = 3, .usm = &secret, .retries = 1};
    struct scene *c;
    struct pd_read *read;
    struct pd_sink sink;

    (void)state;
    secret.auth = PD_AUTH_SHA1;
    secret.priv = PD_PRIV_AES256_REEDER;
    c = start(&secret, NULL, scalars);
    sink = script_sink(&c->s);
    assert_int_equal(pd_snmp_ops.read(script_open_target(&c->s, &t), c->plan, 1, &sink, &read), 0);
    assert_int_equal(pd_snmp_ops.read(c->s.device, c->plan, 1, &sink, &read), 0);
    script_run(&c->s, 0);
    assert_int_equal(c->s.ends, 1);
    script_run(&c->s, 10);
    assert_int_equal(c->s.ends, 1); /* the other waits */
    script_run(&c->s, 100);
    assert_int_equal(c->s.ends, 2);
    assert_int_equal(c->s.result.status, PD_READ_DONE);
    assert_packets(c, 2);
    stop(c);
}

/* ---- Clocks and engines that change ---- */

static void a_reboot_costs_one_report(void **state)
{
    struct scene *c = start(&full, NULL, scalars);

    (void)state;
    read_well(c);
    c->agents[0]->boots++;
    c->agents[0]->booted_ms = c->s.time.mono;
    clock_fake_advance(&c->s.time, 60000);
    read_well(c);
    assert_packets(c, 2);
    assert_string_equal(c->s.cells.s, cells);
    assert_int_equal(c->agents[0]->reports[V3_NOT_IN_WINDOW], 1);
    read_well(c);
    assert_packets(c, 1);
    stop(c);
}

/* Agents that cannot count their boots go back to where they began. */
static void a_clock_that_went_back_costs_one_report(void **state)
{
    struct scene *c = start(&full, NULL, scalars);

    (void)state;
    c->agents[0]->boots = 0;
    read_well(c);
    c->agents[0]->booted_ms = c->s.time.mono;
    read_well(c);
    assert_packets(c, 2);
    assert_int_equal(c->agents[0]->reports[V3_NOT_IN_WINDOW], 1);
    stop(c);
}

static bool never_timely(struct script *s, const struct snmp_packet *p, struct v3_msg *m, struct snmp_msg *pdu)
{
    const uint8_t *start;
    size_t n;

    if (pdu->type == 0)
        return false;
    n = agent3_report(s->engines[1], m, pdu->request_id, V3_NOT_IN_WINDOW, V3_AUTH, &start);
    script_arrive(s, &p->addr, start, n, 0);
    return true;
}

static void one_resync_is_all(void **state)
{
    struct scene *c = start(&full, NULL, scalars);

    (void)state;
    c->s.v3_hook = never_timely;
    script_read(&c->s, c->plan);
    assert_int_equal(c->s.result.status, PD_READ_REFUSED);
    assert_non_null(strstr(c->s.detail, "not in its time window"));
    assert_packets(c, 3); /* who it is, the question, and that again */
    stop(c);
}

static void boots_at_their_end_are_told(void **state)
{
    struct scene *c = start(&full, NULL, scalars);

    (void)state;
    c->agents[0]->boots = INT32_MAX;
    script_read(&c->s, c->plan);
    assert_int_equal(c->s.result.status, PD_READ_REFUSED);
    assert_non_null(strstr(c->s.detail, "engine boots are at their end"));
    stop(c);
}

static void another_engine_is_found_in_the_same_read(void **state)
{
    struct scene *c = start(&full, NULL, scalars);

    (void)state;
    read_well(c);
    agent3_set_engine(c->agents[0], 9);
    c->agents[0]->boots = 3;
    read_well(c);
    assert_packets(c, 2);
    assert_string_equal(c->s.cells.s, cells);
    read_well(c);
    assert_packets(c, 1);
    stop(c);
}

/* Cloned images come with one engine id; each has its own clock. */
static void two_devices_may_have_one_engine_id(void **state)
{
    struct scene *c = start(&full, NULL, scalars);
    struct pd_target t = {.name = "clone", .address = "192.0.2.2", .version = 3, .usm = &full, .retries = 1};
    struct pd_device *first = c->s.device, *second = script_open_target(&c->s, &t);

    (void)state;
    agent3_set_engine(c->agents[1], 0);
    c->agents[1]->boots = 40;
    c->agents[1]->booted_ms = 4000;
    for (int time = 0; time < 3; time++) {
        c->s.device = first;
        read_well(c);
        assert_packets(c, time ? 1 : 2);
        c->s.device = second;
        read_well(c);
        assert_packets(c, time ? 1 : 2);
        clock_fake_advance(&c->s.time, 60000);
    }
    stop(c);
}

/* ---- Refusals ---- */

static void refusals_are_told_in_words(void **state)
{
    static const struct {
        const char *name;
        struct pd_usm_secret ours;
        const char *detail;
    } rows[] = {
        {"user", {.user = "other", .auth = PD_AUTH_SHA256, .auth_password = "of the house"}, "knows no such user"},
        {"level",
         {.user = "patrol", .auth = PD_AUTH_SHA256, .auth_password = "of the house"},
         "no such security level"},
        {"password",
         {.user = "patrol",
          .auth = PD_AUTH_SHA256,
          .priv = PD_PRIV_AES128,
          .auth_password = "of a house",
          .priv_password = "of the room"},
         "another authentication password or algorithm"},
        {"digest",
         {.user = "patrol",
          .auth = PD_AUTH_SHA512,
          .priv = PD_PRIV_AES128,
          .auth_password = "of the house",
          .priv_password = "of the room"},
         "another authentication password or algorithm"},
        {"privacy",
         {.user = "patrol",
          .auth = PD_AUTH_SHA256,
          .priv = PD_PRIV_AES128,
          .auth_password = "of the house",
          .priv_password = "of a room"},
         "another privacy password or algorithm"},
        {"context",
         {.user = "patrol",
          .auth = PD_AUTH_SHA256,
          .priv = PD_PRIV_AES128,
          .auth_password = "of the house",
          .priv_password = "of the room",
          .context = "cellar"},
         "knows no such context"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene *c = start(&full, &rows[i].ours, scalars);

        c->agents[0]->context = "attic";
        script_read(&c->s, c->plan);
        if (c->s.result.status != PD_READ_REFUSED || !strstr(c->s.detail, rows[i].detail) || c->s.cells.n ||
            !str_starts(c->s.detail, "the device refused: it"))
            fail_msg("%s: status %d: %s", rows[i].name, c->s.result.status, c->s.detail);
        assert_packets(c, 2);
        stop(c);
    }
}

static void a_secret_of_no_use_opens_nothing(void **state)
{
    struct scene *c = start(&full, NULL, scalars);
    struct pd_usm_secret secret = full;
    struct pd_target t = {.name = "d", .address = "192.0.2.2", .version = 3, .usm = &secret};
    struct pd_device *d;

    (void)state;
    secret.auth_password = "short";
    assert_int_equal(pd_snmp_ops.open(c->s.collector, &t, &d), PD_EINVAL);
    secret = full;
    secret.engine_id = "80000g0000";
    assert_int_equal(pd_snmp_ops.open(c->s.collector, &t, &d), PD_EINVAL);
    secret.engine_id = "80000000"; /* 4 bytes */
    assert_int_equal(pd_snmp_ops.open(c->s.collector, &t, &d), PD_EINVAL);
    t.usm = NULL;
    assert_int_equal(pd_snmp_ops.open(c->s.collector, &t, &d), PD_EINVAL);
    stop(c);
}

static void a_silent_device_gets_no_more_than_its_tries(void **state)
{
    struct scene *c = start(&full, NULL, scalars);

    (void)state;
    c->s.quirks = QUIRK_DEAD;
    script_read(&c->s, c->plan);
    assert_int_equal(c->s.result.status, PD_READ_NOANSWER);
    assert_int_equal(c->s.result.requests, 3);
    assert_int_equal(c->s.result.retries, 2);
    stop(c);
}

/* ---- Contexts ---- */

static bool by_context(struct script *s, const struct snmp_packet *p, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)p;
    if (pdu->type)
        sbuf_addf(&s->cells, "(%.*s)\n", m->ncontext, (const char *)m->context);
    return false;
}

static void a_device_is_asked_in_the_credentials_context(void **state)
{
    struct pd_usm_secret ours = full;
    struct scene *c;

    (void)state;
    ours.context = "attic";
    c = start(&full, &ours, scalars);
    c->s.v3_hook = by_context;
    read_well(c);
    assert_string_equal(c->s.cells.s, "(attic)\n0[] ticks 4200\n1[] 'hall'\n");
    stop(c);
}

static void contexts_go_by_their_names_and_one_that_is_missing_is_none(void **state)
{
    static const struct pd_context contexts[] = {{.name = "cellar"}, {.name = "attic"}};
    static const struct pd_source sources[] = {
        {.id = 0, .address = "1.3.6.1.2.1.1.3.0"},
        {.id = 1, .address = "1.3.6.1.2.1.1.5.0", .context = 1},
        {.id = 2, .address = "1.3.6.1.2.1.1.5.0", .context = 2},
    };
    struct scene *c = start(&full, NULL, scalars);
    struct pd_target t = {.name = "d", .address = "192.0.2.2", .version = 3, .usm = &full, .retries = 1};
    struct pd_compile_error err;
    struct pd_plan *plan;

    (void)state;
    t.contexts = contexts;
    t.ncontexts = 2;
    c->agents[1]->context = "attic";
    c->s.v3_hook = by_context;
    c->s.device = script_open_target(&c->s, &t);
    assert_int_equal(pd_snmp_ops.compile(c->s.collector, sources, 3, &plan, &err), 0);
    script_read(&c->s, plan);
    assert_int_equal(c->s.result.status, PD_READ_DONE);
    assert_string_equal(c->s.cells.s, "()\n0[] ticks 4200\n(cellar)\n(attic)\n2[] 'hall'\n");
    stop(c);
    pd_snmp_ops.plan_free(plan);
}

/* ---- What is not believed ---- */

/* How an answer is spoilt; each is sent before the true one. */
struct forgery {
    const char *name, *counter;
    void (*spoil)(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu);
    bool keep; /* of the agent: what spoil() changed of it stays while the forgery is signed */
};

static void other_engine(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)m;
    (void)pdu;
    a->engine[4] ^= 0x55;
}

static void other_key(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)m;
    (void)pdu;
    a->keys.auth_key[0] ^= 1;
}

static void other_cipher_key(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)m;
    (void)pdu;
    a->keys.priv_key[0] ^= 1;
}

static void other_user(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)a;
    (void)pdu;
    m->user = (const uint8_t *)"patron";
}

static void not_enciphered(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)a;
    (void)pdu;
    m->flags = V3_AUTH;
}

static void not_signed(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)a;
    (void)pdu;
    m->flags = 0;
}

static void long_ago(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)m;
    (void)pdu;
    a->time -= 200;
}

static void a_boot_ago(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)m;
    (void)pdu;
    a->boots--;
    a->time += 100;
}

static void other_context(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)a;
    (void)pdu;
    m->context = (const uint8_t *)"x";
    m->ncontext = 1;
}

static void other_message_id(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)a;
    (void)pdu;
    m->msg_id ^= 1 << 20;
}

static void other_request_id(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)a;
    (void)m;
    pdu->request_id ^= 1;
}

static void a_request(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)a;
    (void)m;
    pdu->type = SNMP_GET;
}

static void a_trap(struct agent3 *a, struct v3_msg *m, struct snmp_msg *pdu)
{
    (void)a;
    (void)m;
    pdu->type = SNMP_TRAP;
}

static const struct forgery forgeries[] = {
    {"another engine", "snmp_drop_engine", other_engine, true},
    {"another key", "snmp_drop_digest", other_key, true},
    {"another cipher's key", "snmp_drop_cipher", other_cipher_key, true},
    {"another user", "snmp_drop_user", other_user, false},
    {"not enciphered", "snmp_drop_level", not_enciphered, false},
    {"not signed", "snmp_drop_level", not_signed, false},
    {"long ago", "snmp_drop_time", long_ago, true},
    {"a boot ago", "snmp_drop_time", a_boot_ago, true},
    {"another context", "snmp_drop_community", other_context, false},
    {"another message id", "snmp_drop_unasked", other_message_id, false},
    {"another request-id", "snmp_drop_unasked", other_request_id, false},
    {"a request", "snmp_drop_type", a_request, false},
    {"a trap", "snmp_drop_type", a_trap, false},
};

/* Sends the forgery of s->step, then the truth. */
static bool forge(struct script *s, const struct snmp_packet *p, struct v3_msg *m, struct snmp_msg *pdu)
{
    struct snmp_varbind lie = {.type = SNMP_TIMETICKS, .u = 666}, also = {.type = SNMP_OCTETS, .n = 3};
    struct agent3 *a = s->engines[1], saved = {.boots = a->boots, .time = a->time};
    struct snmp_msg head = *pdu;
    struct v3_msg forged = *m;
    struct usm_keys keys = a->keys;
    uint8_t engine = a->engine[4], buf[512];
    struct snmp_writer w;
    const uint8_t *start;
    size_t n;

    if (pdu->type == 0)
        return false;
    head.type = SNMP_RESPONSE;
    head.status = head.index = 0;
    forgeries[s->step].spoil(a, &forged, &head);
    lie.name = s->varbinds->v[0].name;
    lie.nname = s->varbinds->v[0].nname;
    also.name = s->varbinds->v[1].name;
    also.nname = s->varbinds->v[1].nname;
    also.bytes = (const uint8_t *)"lie";
    snmp_begin(&w, buf, sizeof buf, &head);
    snmp_put(&w, &lie);
    snmp_put(&w, &also);
    n = snmp_end(&w);
    n = agent3_answer(a, &forged, buf, n, &start);
    assert_true(n > 0);
    script_arrive(s, &p->addr, start, n, 0);
    a->boots = saved.boots;
    a->time = saved.time;
    a->keys = keys;
    a->engine[4] = engine;
    return false;
}

static void no_forged_answer_is_used(void **state)
{
    enum { EACH = 100 };

    (void)state;
    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
        struct scene *c = start(&full, NULL, scalars);

        c->agents[0]->boots = 5;
        read_well(c);
        c->s.v3_hook = forge;
        c->s.step = (int)i;
        for (int time = 0; time < EACH; time++) {
            read_well(c);
            assert_string_equal(c->s.cells.s, cells);
        }
        if (script_counter(&c->s, forgeries[i].counter) != EACH)
            fail_msg("%s: %llu of %s\n%s", forgeries[i].name,
                     (unsigned long long)script_counter(&c->s, forgeries[i].counter), forgeries[i].counter,
                     c->s.cells.s);
        c->s.v3_hook = NULL;
        clock_fake_advance(&c->s.time, 1000);
        read_well(c);
        assert_packets(c, 1); /* nor was anything learnt of it */
        stop(c);
    }
}

static bool answered_from_elsewhere(struct script *s, const struct snmp_packet *p, struct v3_msg *m,
                                    struct snmp_msg *pdu)
{
    union pd_addr from = p->addr;
    const uint8_t *start;
    size_t n = pdu->type ? script_answer(s, pdu) : 0;

    if (n == 0)
        return false;
    n = agent3_answer(s->engines[1], m, s->reply, n, &start);
    if (s->step == 0)
        from.in.sin_addr.s_addr ^= htonl(1 << 8);
    else
        from.in.sin_port = htons(1161);
    script_arrive(s, &from, start, n, 0);
    return true;
}

static void an_answer_from_elsewhere_is_not_used(void **state)
{
    struct scene *c = start(&full, NULL, scalars);

    (void)state;
    c->s.v3_hook = answered_from_elsewhere;
    for (c->s.step = 0; c->s.step < 2; c->s.step++) {
        script_clear(&c->s);
        script_read(&c->s, c->plan);
        assert_int_equal(c->s.result.status, PD_READ_NOANSWER);
    }
    assert_int_equal(script_counter(&c->s, "snmp_drop_address"), 3);
    assert_int_equal(script_counter(&c->s, "snmp_drop_port"), 3);
    stop(c);
}

/* An unauthenticated report of another time, another engine, or of both, before each answer. */
static bool lie_about(struct script *s, const struct snmp_packet *p, struct v3_msg *m, struct snmp_msg *pdu)
{
    struct agent3 *a = s->engines[1];
    int32_t boots = a->boots, time = a->time;
    uint8_t engine = a->engine[4];
    const uint8_t *start;
    size_t n;

    if (pdu->type == 0)
        return false;
    a->boots += 1000;
    a->time += 100000;
    a->engine[4] = s->step == 1 ? 0x77 : engine;
    n = agent3_report(a, m, 0, s->step == 1 ? V3_UNKNOWN_ENGINE : V3_NOT_IN_WINDOW, 0, &start);
    script_arrive(s, &p->addr, start, n, 0);
    a->boots = boots;
    a->time = time;
    a->engine[4] = engine;
    return false;
}

static void an_unauthenticated_report_does_not_move_the_clock(void **state)
{
    struct scene *c = start(&full, NULL, scalars);

    (void)state;
    read_well(c);
    c->s.v3_hook = lie_about;
    c->s.step = 0;
    read_well(c);
    assert_packets(c, 1);
    assert_string_equal(c->s.cells.s, cells);
    assert_int_equal(script_counter(&c->s, "snmp_drop_level"), 1);
    c->s.v3_hook = NULL;
    read_well(c);
    assert_packets(c, 1);
    stop(c);
}

/* The read goes astray and comes back; the clock of the engine that was known stands. */
static void a_forged_engine_is_left_again(void **state)
{
    struct scene *c = start(&full, NULL, scalars);

    (void)state;
    c->agents[0]->boots = 5;
    read_well(c);
    c->s.v3_hook = lie_about;
    c->s.step = 1;
    read_well(c);
    assert_packets(c, 3);
    c->s.v3_hook = NULL;
    read_well(c);
    assert_packets(c, 1);
    assert_int_equal(c->agents[0]->reports[V3_NOT_IN_WINDOW], 0);
    stop(c);
}

/* All that the agent ever said, said again before each answer. */
static bool replay(struct script *s, const struct snmp_packet *p, struct v3_msg *m, struct snmp_msg *pdu)
{
    static struct {
        uint8_t data[8][512];
        size_t n[8], count;
    } heard;
    const uint8_t *start;
    size_t n = pdu->type ? script_answer(s, pdu) : 0;

    if (s->step == 0)
        heard.count = 0;
    s->step++;
    for (size_t i = 0; i < heard.count; i++)
        script_arrive(s, &p->addr, heard.data[i], heard.n[i], 0);
    if (n == 0)
        return false;
    n = agent3_answer(s->engines[1], m, s->reply, n, &start);
    assert_true(n <= 512);
    if (heard.count < 8) {
        memcpy(heard.data[heard.count], start, n);
        heard.n[heard.count++] = n;
    }
    script_arrive(s, &p->addr, start, n, 0);
    return true;
}

static void what_was_said_before_is_not_heard_again(void **state)
{
    struct scene *c = start(&full, NULL, scalars);

    (void)state;
    c->s.v3_hook = replay;
    for (unsigned i = 0; i < 6; i++) {
        read_well(c);
        assert_string_equal(c->s.cells.s, cells);
        clock_fake_advance(&c->s.time, 60000);
    }
    assert_int_equal(script_counter(&c->s, "snmp_drop_unasked"), 5 + 4 + 3 + 2 + 1);
    stop(c);
}

/* A network that delivers everything twice. */
static bool twice(struct script *s, const struct snmp_packet *p, struct v3_msg *m, struct snmp_msg *pdu)
{
    struct agent3 *a = s->engines[1];
    bool known = m->nengine == a->nengine && memcmp(m->engine, a->engine, a->nengine) == 0;
    const uint8_t *start;
    size_t n;

    if (pdu->type) {
        n = script_answer(s, pdu);
        n = agent3_answer(a, m, s->reply, n, &start);
    } else {
        n = agent3_report(a, m, 0, known ? V3_NOT_IN_WINDOW : V3_UNKNOWN_ENGINE, known ? V3_AUTH : 0, &start);
    }
    for (int i = 0; i < 2; i++)
        script_arrive(s, &p->addr, start, n, 10 * i);
    return true;
}

static void what_comes_twice_counts_once(void **state)
{
    struct scene *c = start(&full, NULL, oids);

    (void)state;
    c->s.v3_hook = twice;
    c->s.delay_ms = 1;
    read_well(c);
    c->agents[0]->boots += 2; /* so that it reports its time, twice */
    read_well(c);
    agent3_set_engine(c->agents[0], 9);
    read_well(c);
    assert_non_null(strstr(c->s.cells.s, "3[2] uint 9\n"));
    assert_int_equal(c->s.result.retries, 0);
    stop(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_reads_the_same),
        cmocka_unit_test(who_it_is_is_asked_once),
        cmocka_unit_test(the_engine_of_the_credential_is_not_asked_for),
        cmocka_unit_test(slow_keys_are_reckoned_one_after_the_other),
        cmocka_unit_test(a_reboot_costs_one_report),
        cmocka_unit_test(a_clock_that_went_back_costs_one_report),
        cmocka_unit_test(one_resync_is_all),
        cmocka_unit_test(boots_at_their_end_are_told),
        cmocka_unit_test(another_engine_is_found_in_the_same_read),
        cmocka_unit_test(two_devices_may_have_one_engine_id),
        cmocka_unit_test(refusals_are_told_in_words),
        cmocka_unit_test(a_secret_of_no_use_opens_nothing),
        cmocka_unit_test(a_silent_device_gets_no_more_than_its_tries),
        cmocka_unit_test(a_device_is_asked_in_the_credentials_context),
        cmocka_unit_test(contexts_go_by_their_names_and_one_that_is_missing_is_none),
        cmocka_unit_test(no_forged_answer_is_used),
        cmocka_unit_test(an_answer_from_elsewhere_is_not_used),
        cmocka_unit_test(an_unauthenticated_report_does_not_move_the_clock),
        cmocka_unit_test(a_forged_engine_is_left_again),
        cmocka_unit_test(what_was_said_before_is_not_heard_again),
        cmocka_unit_test(what_comes_twice_counts_once),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
