#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugins/snmp/boots.h"
#include "plugins/snmp/trap_sink.h"
#include "plugins/snmp/v3.h"

/* A sink whose network and hearer are in the test's hands, and what a sender of version 3 knows. */
enum { PACKET = 2048, KNOWN = 0x0a000001, STRANGER = 0x0b000001 };

struct said {
    uint8_t version;
    bool inform, authentic;
    char user[33];
    size_t ncells, noid;
    void (*done)(void *arg);
    void *arg;
};

struct packet {
    uint32_t from;
    size_t n;
    uint8_t data[PACKET];
};

struct bench {
    struct clock_fake time;
    struct rng_seeded seed;
    struct pd_services services;
    struct usm *usm;
    struct trap_sink *sink;
    void (*readable)(void *arg);
    void *arg;
    ARRAY(struct packet) in, out;
    size_t next;
    ARRAY(struct said) said;
    char *log;
    /* The sender: */
    struct usm_user *user;
    struct usm_keys keys;
    uint8_t engine[USM_MAX_ENGINE];
    uint8_t nengine;
    int32_t boots, engine_time;
};

static const struct pd_usm_secret secret = {
    .user = "patrol",
    .auth = PD_AUTH_SHA256,
    .priv = PD_PRIV_AES128,
    .auth_password = "digest-word",
    .priv_password = "privacy-word",
};

static size_t net_recv(void *ctx, struct trap_packet *p, size_t n)
{
    struct bench *b = ctx;
    size_t got = 0;

    for (; got < n && b->next < b->in.n; b->next++, got++) {
        struct packet *in = &b->in.v[b->next];

        p[got] = (struct trap_packet){
            .from.in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(in->from)}, .data = in->data, .n = in->n};
    }
    return got;
}

static bool net_send(void *ctx, const struct trap_packet *to, const uint8_t *data, size_t n)
{
    struct bench *b = ctx;
    struct packet p = {.from = ntohl(to->from.in.sin_addr.s_addr), .n = n};

    assert_in_range(n, 1, PACKET);
    memcpy(p.data, data, n);
    array_push(&b->out, p);
    return true;
}

static void net_listen(void *ctx, void (*readable)(void *arg), void *arg)
{
    struct bench *b = ctx;

    b->readable = readable;
    b->arg = arg;
}

static bool knows(void *arg, const union pd_addr *from)
{
    (void)arg;
    return from->in.sin_addr.s_addr == htonl(KNOWN);
}

static bool on_trap(void *arg, const struct pd_trap *t, void (*done)(void *arg), void *done_arg)
{
    struct bench *b = arg;
    struct said s = {.version = t->version,
                     .inform = t->inform,
                     .authentic = t->authentic,
                     .ncells = t->ncells,
                     .noid = t->noid,
                     .done = done,
                     .arg = done_arg};

    (void)snprintf(s.user, sizeof s.user, "%s", t->user ? t->user : "");
    array_push(&b->said, s);
    return t->version == 3 ? t->authentic : t->ncommunity == 6 && memcmp(t->community, "public", 6) == 0;
}

static struct bench *bench_new(void)
{
    static const struct trap_rates rates = {{10, 20}, {100, 200}, {10, 20}, {100, 200}};
    struct bench *b = xcalloc(1, sizeof *b);
    const struct trap_net net = {.recv = net_recv, .send = net_send, .listen = net_listen, .ctx = b};
    const struct pd_trap_sink to = {.knows = knows, .trap = on_trap, .arg = b};
    char folder[] = "/tmp/patrold-test-XXXXXX", *path;
    const char *why;

    log_set_level(LOG_LEVEL_ERROR);
    assert_non_null(mkdtemp(folder));
    path = xasprintf("%s/engine", folder);
    rng_seed(&b->seed, 1);
    b->time = (struct clock_fake){.wall = 1, .mono = 5000};
    b->services = (struct pd_services){.clock = clock_fake_ops(&b->time), .rng = rng_seeded_ops(&b->seed)};
    b->usm = usm_new(&b->services.rng);
    b->sink = trap_sink_new(&b->services, b->usm, &net, &rates, path);
    trap_sink_to(b->sink, &to, &secret, 1);
    assert_int_equal(usm_user_get(b->usm, &secret, &b->user, &why), 0);
    unlink(path);
    rmdir(folder);
    free(path);
    return b;
}

static void bench_free(struct bench *b)
{
    trap_sink_free(b->sink);
    usm_user_put(b->user);
    usm_free(b->usm);
    array_free(&b->in);
    array_free(&b->out);
    array_free(&b->said);
    free(b);
    log_set_level(LOG_LEVEL_INFO);
}

static void send_from(struct bench *b, uint32_t from, const uint8_t *data, size_t n)
{
    struct packet p = {.from = from, .n = n};

    assert_in_range(n, 1, PACKET);
    memcpy(p.data, data, n);
    array_push(&b->in, p);
    b->readable(b->arg);
}

/* What a PDU of a trap says: since when, and what; `what` is the last number of its OID. */
static size_t write_pdu(uint8_t *buf, size_t n, uint8_t version, uint8_t type, int32_t id, uint32_t what,
                        const char *community)
{
    static const uint32_t up[] = {1, 3, 6, 1, 2, 1, 1, 3, 0}, name[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
    const uint32_t oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 5, what};
    struct snmp_msg head = {.version = version, .type = type, .request_id = id};
    struct snmp_writer w;

    head.community = (const uint8_t *)community;
    head.ncommunity = strlen(community);
    snmp_begin(&w, buf, n, &head);
    snmp_put(&w, &(struct snmp_varbind){.name = up, .nname = 9, .type = SNMP_TIMETICKS, .u = 1});
    snmp_put(&w, &(struct snmp_varbind){.name = name, .nname = 11, .type = SNMP_OID, .oid = oid, .n = 10});
    return snmp_end(&w);
}

static void send_v2(struct bench *b, uint32_t from, uint8_t type, int32_t id, const char *community)
{
    uint8_t buf[PACKET];

    send_from(b, from, buf, write_pdu(buf, sizeof buf, SNMP_V2C, type, id, 3, community));
}

static uint64_t counter;
static const char *counter_name;

static void on_counter(void *arg, const char *name, uint64_t value)
{
    (void)arg;
    if (strcmp(name, counter_name) == 0)
        counter = value;
}

static uint64_t count(const struct bench *b, const char *name)
{
    counter = UINT64_MAX;
    counter_name = name;
    trap_sink_counters(b->sink, on_counter, NULL);
    return counter;
}

static void finish(struct bench *b, size_t i)
{
    b->said.v[i].done(b->said.v[i].arg);
}

/* ---- Version 2c ---- */

static void an_inform_is_answered_when_it_is_done(void **state)
{
    struct bench *b = bench_new();
    struct snmp_msg in, out;

    (void)state;
    send_v2(b, KNOWN, SNMP_INFORM, 42, "public");
    assert_int_equal(b->said.n, 1);
    assert_int_equal(b->out.n, 0);
    finish(b, 0);
    assert_int_equal(b->out.n, 1);
    assert_int_equal(b->out.v[0].from, KNOWN);
    assert_int_equal(snmp_decode(b->in.v[0].data, b->in.v[0].n, &in), 0);
    assert_int_equal(snmp_decode(b->out.v[0].data, b->out.v[0].n, &out), 0);
    assert_int_equal(out.type, SNMP_RESPONSE);
    assert_int_equal(out.request_id, 42);
    assert_int_equal(out.status, 0);
    assert_int_equal(wire_left(&out.varbinds), wire_left(&in.varbinds));
    assert_memory_equal(out.varbinds.p, in.varbinds.p, wire_left(&in.varbinds));
    bench_free(b);
}

static void a_repeated_inform_is_told_once_and_answered_again(void **state)
{
    struct bench *b = bench_new();

    (void)state;
    for (int i = 0; i < 3; i++)
        send_v2(b, KNOWN, SNMP_INFORM, 42, "public");
    assert_int_equal(b->said.n, 1);
    assert_int_equal(b->out.n, 0); /* it is not done yet, whoever is impatient */
    finish(b, 0);
    send_v2(b, KNOWN, SNMP_INFORM, 42, "public");
    assert_int_equal(b->said.n, 1);
    assert_int_equal(b->out.n, 2);
    send_v2(b, KNOWN, SNMP_INFORM, 43, "public");
    assert_int_equal(b->said.n, 2);
    finish(b, 1);
    bench_free(b);
}

static void who_is_not_believed_gets_no_answer(void **state)
{
    struct bench *b = bench_new();

    (void)state;
    send_v2(b, KNOWN, SNMP_INFORM, 1, "wrong");
    send_v2(b, KNOWN, SNMP_INFORM, 1, "wrong");
    assert_int_equal(b->said.n, 2);
    assert_int_equal(b->out.n, 0);
    assert_int_equal(count(b, "traps_dropped_community"), 2);
    assert_int_equal(count(b, "traps_waiting"), 0);
    bench_free(b);
}

static void traps_are_told_and_never_answered(void **state)
{
    struct bench *b = bench_new();

    (void)state;
    send_v2(b, KNOWN, SNMP_TRAP, 1, "public");
    send_v2(b, KNOWN, SNMP_TRAP, 1, "public"); /* ids of traps mean nothing: another one */
    assert_int_equal(b->said.n, 2);
    assert_int_equal(b->out.n, 0);
    bench_free(b);
}

static void what_is_no_trap_is_dropped_by_its_reason(void **state)
{
    static const struct {
        uint8_t version, type;
        const char *counter;
    } rows[] = {
        {SNMP_V2C, SNMP_GET, "traps_dropped_type"},
        {SNMP_V2C, SNMP_RESPONSE, "traps_dropped_type"},
        {SNMP_V1, SNMP_TRAP, "traps_dropped_type"},
        {2, SNMP_TRAP, "traps_dropped_version"},
    };
    struct bench *b = bench_new();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t before = count(b, rows[i].counter);
        uint8_t buf[PACKET];

        send_from(b, KNOWN, buf, write_pdu(buf, sizeof buf, rows[i].version, rows[i].type, 1, 3, "public"));
        if (count(b, rows[i].counter) != before + 1)
            fail_msg("row %zu: %s", i, rows[i].counter);
    }
    send_from(b, KNOWN, (const uint8_t *)"GET / HTTP/1.1\r\n", 16);
    send_from(b, KNOWN, (const uint8_t *)"\x30", 1);
    assert_int_equal(count(b, "traps_dropped_malformed"), 2);
    assert_int_equal(b->said.n, 0);
    bench_free(b);
}

static void one_source_cannot_silence_another(void **state)
{
    struct bench *b = bench_new();

    (void)state;
    for (int i = 0; i < 500; i++)
        send_v2(b, STRANGER, SNMP_TRAP, i, "public");
    assert_int_equal(b->said.n, 20);
    assert_int_equal(count(b, "traps_dropped_source_rate"), 480);
    send_v2(b, KNOWN, SNMP_TRAP, 1, "public");
    assert_int_equal(b->said.n, 21);
    bench_free(b);
}

/* ---- Version 3 ---- */

static void send_v3(struct bench *b, uint8_t flags, uint8_t type, int32_t msg_id, int32_t id, const char *user,
                    const struct usm_keys *keys)
{
    uint8_t buf[PACKET];
    const uint8_t *start;
    struct v3_msg m = {.msg_id = msg_id, .max_size = SNMP_MAX_MESSAGE, .flags = flags, .boots = b->boots};
    size_t n = write_pdu(buf + V3_HEADROOM, sizeof buf - V3_HEADROOM - V3_TAIL, SNMP_V3, type, id, 3, "");

    m.engine = m.context_engine = b->engine;
    m.nengine = m.ncontext_engine = b->nengine;
    m.user = (const uint8_t *)user;
    m.nuser = (uint8_t)strlen(user);
    m.time = b->engine_time;
    n = v3_seal(b->usm, keys, &m, buf, n, &start);
    send_from(b, KNOWN, start, n);
}

/* The last packet that was sent back: its PDU, and the report that it is. */
static enum v3_report last_report(struct bench *b, struct v3_msg *m)
{
    const struct packet *p = &b->out.v[b->out.n - 1];
    struct snmp_msg pdu;

    assert_true(b->out.n > 0);
    assert_int_equal(v3_decode(p->data, p->n, m), 0);
    assert_int_equal(v3_open(b->usm, m->flags & V3_AUTH ? &(struct usm_keys){0} : NULL, m, &pdu), 0);
    assert_int_equal(pdu.type, SNMP_REPORT);
    return v3_report(&pdu);
}

static void discover(struct bench *b)
{
    struct v3_msg m;

    b->nengine = 0;
    send_v3(b, V3_REPORTABLE, SNMP_GET, 1, 1, "", NULL);
    assert_int_equal(last_report(b, &m), V3_UNKNOWN_ENGINE);
    memcpy(b->engine, m.engine, m.nengine);
    b->nengine = m.nengine;
    b->boots = m.boots;
    b->engine_time = m.time;
    usm_localise(b->usm, b->user, b->engine, b->nengine, &b->keys);
}

enum { PRIVATE = V3_AUTH | V3_PRIV | V3_REPORTABLE };

static void an_authentic_inform_is_answered(void **state)
{
    struct bench *b = bench_new();
    struct v3_msg m;
    struct snmp_msg pdu;

    (void)state;
    discover(b);
    send_v3(b, PRIVATE, SNMP_INFORM, 77, 42, "patrol", &b->keys);
    assert_int_equal(b->said.n, 1);
    assert_true(b->said.v[0].authentic && b->said.v[0].inform);
    assert_string_equal(b->said.v[0].user, "patrol");
    assert_int_equal(b->out.n, 1);
    finish(b, 0);
    assert_int_equal(b->out.n, 2);
    assert_int_equal(v3_decode(b->out.v[1].data, b->out.v[1].n, &m), 0);
    assert_int_equal(v3_open(b->usm, &b->keys, &m, &pdu), 0);
    assert_int_equal(m.msg_id, 77);
    assert_int_equal(pdu.type, SNMP_RESPONSE);
    assert_int_equal(pdu.request_id, 42);
    /* Sent again it is another message about the same. */
    send_v3(b, PRIVATE, SNMP_INFORM, 78, 42, "patrol", &b->keys);
    assert_int_equal(b->said.n, 1);
    assert_int_equal(b->out.n, 3);
    bench_free(b);
}

/* Each is reported to who asks for reports, in words of the protocol; none is told as more than a hint. */
static void who_is_not_authentic_gets_a_report(void **state)
{
    static const struct {
        const char *what, *user;
        uint8_t flags;
        int spoil; /* 1: the digest's key, 2: the cipher's */
        enum v3_report report;
    } rows[] = {
        {"unknown user", "nobody", PRIVATE, 0, V3_UNKNOWN_USER},
        {"no authentication", "patrol", V3_REPORTABLE, 0, V3_UNSUPPORTED_LEVEL},
        {"no privacy", "patrol", V3_AUTH | V3_REPORTABLE, 0, V3_UNSUPPORTED_LEVEL},
        {"wrong digest", "patrol", PRIVATE, 1, V3_WRONG_DIGEST},
        {"wrong cipher", "patrol", PRIVATE, 2, V3_DECRYPTION_ERROR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench *b = bench_new();
        struct usm_keys keys;
        struct v3_msg m;

        discover(b);
        keys = b->keys;
        keys.auth_key[0] ^= rows[i].spoil == 1;
        keys.priv_key[0] ^= rows[i].spoil == 2;
        if (!(rows[i].flags & V3_PRIV))
            keys.priv = PD_PRIV_NONE;
        send_v3(b, rows[i].flags, SNMP_INFORM, 5, 5, rows[i].user, rows[i].flags & V3_AUTH ? &keys : NULL);
        if (b->out.n != 2 || last_report(b, &m) != rows[i].report)
            fail_msg("%s: %zu packets sent back", rows[i].what, b->out.n);
        for (size_t j = 0; j < b->said.n; j++)
            if (b->said.v[j].authentic || b->said.v[j].noid)
                fail_msg("%s: it was told", rows[i].what);
        bench_free(b);
    }
}

static void informs_outside_the_window_are_told_the_time(void **state)
{
    static const struct {
        int32_t boots, time;
    } rows[] = {{0, 0}, {0, 151}, {0, -151}, {1, 0}, {-1, 0}};
    struct bench *b = bench_new();

    (void)state;
    b->time.mono += 1000000;
    discover(b);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t before = b->out.n;
        struct v3_msg m;

        b->boots += rows[i].boots;
        b->engine_time += rows[i].time;
        send_v3(b, PRIVATE, SNMP_INFORM, 100 + (int32_t)i, 100 + (int32_t)i, "patrol", &b->keys);
        if (i == 0) {
            assert_int_equal(b->out.n, before); /* it waits for the disk */
        } else {
            assert_int_equal(b->out.n, before + 1);
            assert_int_equal(v3_decode(b->out.v[before].data, b->out.v[before].n, &m), 0);
            if (m.boots != 1 || m.time != 1000 || !(m.flags & V3_AUTH))
                fail_msg("row %zu: boots %d, time %d", i, (int)m.boots, (int)m.time);
        }
        b->boots -= rows[i].boots;
        b->engine_time -= rows[i].time;
    }
    assert_int_equal(b->said.n, 1);
    bench_free(b);
}

/* The sender's engine, keys and clock count for traps. */
static void be_an_engine(struct bench *b)
{
    static const uint8_t id[] = {0x80, 0, 0, 0, 5, 1, 2, 3, 4};

    memcpy(b->engine, id, sizeof id);
    b->nengine = sizeof id;
    b->boots = 3;
    b->engine_time = 1000;
    usm_localise(b->usm, b->user, b->engine, b->nengine, &b->keys);
}

static void an_authentic_trap_is_told_once(void **state)
{
    struct bench *b = bench_new();

    (void)state;
    be_an_engine(b);
    for (int i = 0; i < 3; i++)
        send_v3(b, V3_AUTH | V3_PRIV, SNMP_TRAP, 7, 7, "patrol", &b->keys);
    assert_int_equal(b->said.n, 1);
    assert_true(b->said.v[0].authentic && !b->said.v[0].inform);
    assert_int_equal(count(b, "traps_dropped_replayed"), 2);
    send_v3(b, V3_AUTH | V3_PRIV, SNMP_TRAP, 8, 8, "patrol", &b->keys);
    assert_int_equal(b->said.n, 2);
    assert_int_equal(b->out.n, 0);
    bench_free(b);
}

static void an_old_trap_is_not_told_again(void **state)
{
    struct bench *b = bench_new();

    (void)state;
    be_an_engine(b);
    send_v3(b, V3_AUTH | V3_PRIV, SNMP_TRAP, 7, 7, "patrol", &b->keys);
    b->boots = 2; /* before its last start */
    send_v3(b, V3_AUTH | V3_PRIV, SNMP_TRAP, 8, 8, "patrol", &b->keys);
    b->boots = 3;
    b->engine_time = 1000 - 151;
    send_v3(b, V3_AUTH | V3_PRIV, SNMP_TRAP, 9, 9, "patrol", &b->keys);
    assert_int_equal(b->said.n, 1);
    assert_int_equal(count(b, "traps_dropped_replayed"), 2);
    bench_free(b);
}

static void a_trap_is_not_an_inform_nor_the_reverse(void **state)
{
    struct bench *b = bench_new();

    (void)state;
    discover(b);
    send_v3(b, PRIVATE, SNMP_TRAP, 2, 2, "patrol", &b->keys);
    be_an_engine(b);
    send_v3(b, V3_AUTH | V3_PRIV, SNMP_INFORM, 3, 3, "patrol", &b->keys);
    assert_int_equal(b->said.n, 0);
    assert_int_equal(count(b, "traps_dropped_type"), 2);
    bench_free(b);
}

/* A name is no secret: who has but that must not make us stretch keys, a megabyte for each engine that it invents. */
static void forged_engines_cost_no_long_keys(void **state)
{
    enum { FORGED = 16 };
    struct bench *b = bench_new();
    const struct pd_trap_sink to = {.knows = knows, .trap = on_trap, .arg = b};
    struct pd_usm_secret slow = secret;
    struct usm_user *user;
    struct usm_keys wrong;
    const char *why;
    clock_t began, one;

    (void)state;
    slow.auth = PD_AUTH_SHA1;
    slow.priv = PD_PRIV_AES256_REEDER;
    assert_int_equal(usm_user_get(b->usm, &slow, &user, &why), 0);
    assert_true(usm_localise_is_slow(user));
    trap_sink_to(b->sink, &to, &slow, 1);
    be_an_engine(b);
    began = clock();
    usm_localise(b->usm, user, b->engine, b->nengine, &b->keys);
    one = clock() - began;
    wrong = b->keys;
    wrong.auth_key[0] ^= 1;
    began = clock();
    for (int i = 0; i < FORGED; i++) {
        b->engine[8] = (uint8_t)i;
        send_v3(b, V3_AUTH | V3_PRIV, SNMP_TRAP, i, i, "patrol", &wrong);
    }
    assert_in_range(clock() - began, 0, FORGED / 4 * one);
    assert_int_equal(count(b, "traps_dropped_digest"), FORGED);
    be_an_engine(b);
    usm_localise(b->usm, user, b->engine, b->nengine, &b->keys);
    send_v3(b, V3_AUTH | V3_PRIV, SNMP_TRAP, FORGED, FORGED, "patrol", &b->keys);
    assert_int_equal(b->said.n, FORGED + 1); /* the others were hints only */
    assert_true(b->said.v[FORGED].authentic);
    usm_user_put(user);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inform_is_answered_when_it_is_done),
        cmocka_unit_test(a_repeated_inform_is_told_once_and_answered_again),
        cmocka_unit_test(who_is_not_believed_gets_no_answer),
        cmocka_unit_test(traps_are_told_and_never_answered),
        cmocka_unit_test(what_is_no_trap_is_dropped_by_its_reason),
        cmocka_unit_test(one_source_cannot_silence_another),
        cmocka_unit_test(an_authentic_inform_is_answered),
        cmocka_unit_test(who_is_not_authentic_gets_a_report),
        cmocka_unit_test(informs_outside_the_window_are_told_the_time),
        cmocka_unit_test(an_authentic_trap_is_told_once),
        cmocka_unit_test(an_old_trap_is_not_told_again),
        cmocka_unit_test(a_trap_is_not_an_inform_nor_the_reverse),
        cmocka_unit_test(forged_engines_cost_no_long_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
