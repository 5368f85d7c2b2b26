#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugins/snmp/boots.h"
#include "plugins/snmp/trap.h"
#include "plugins/snmp/trap_limit.h"
#include "plugins/snmp/trap_seen.h"

/* ---- What a trap says ---- */

static const uint32_t maker[] = {1, 3, 6, 1, 4, 1, 99999, 7}, index_name[] = {1, 3, 6, 1, 2, 1, 2, 2, 1, 1, 7};
static const uint32_t up_time[] = {1, 3, 6, 1, 2, 1, 1, 3, 0}, trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
static const uint32_t trap_address[] = {1, 3, 6, 1, 6, 3, 18, 1, 3, 0};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static size_t write_v1(uint8_t *buf, size_t n, int64_t generic, int64_t specific, const char *agent)
{
    struct wire_out out = wire_out(buf, n);
    size_t message = ber_begin(&out, BER_SEQUENCE), pdu, list, pair;

    ber_put_int(&out, BER_INTEGER, SNMP_V1);
    ber_put_octets(&out, BER_OCTETS, "public", 6);
    pdu = ber_begin(&out, SNMP_TRAP_V1);
    ber_put_oid(&out, maker, COUNT(maker), NULL, 0);
    ber_put_octets(&out, SNMP_IPADDRESS, agent, 4);
    ber_put_int(&out, BER_INTEGER, generic);
    ber_put_int(&out, BER_INTEGER, specific);
    ber_put_uint(&out, SNMP_TIMETICKS, 12345);
    list = ber_begin(&out, BER_SEQUENCE);
    pair = ber_begin(&out, BER_SEQUENCE);
    ber_put_oid(&out, index_name, COUNT(index_name), NULL, 0);
    ber_put_int(&out, BER_INTEGER, 7);
    ber_end(&out, pair);
    ber_end(&out, list);
    ber_end(&out, pdu);
    ber_end(&out, message);
    assert_false(out.bad);
    return wire_used(&out);
}

/* Reads a message from a block of exactly its size. */
static int read_trap(const uint8_t *packet, size_t n, struct snmp_trap *t, struct snmp_varbinds *room)
{
    uint8_t *exact = xmalloc(n);
    struct snmp_msg m;
    int rc;

    memcpy(exact, packet, n);
    rc = snmp_decode(exact, n, &m);
    if (rc == 0)
        rc = snmp_trap_read(&m, room, t);
    free(exact);
    return rc;
}

/* RFC 3584, section 3.1. */
static void traps_of_version_1_get_the_oid_of_version_2(void **state)
{
    static const struct {
        int64_t generic, specific;
        int rc;
        const char *oid;
    } rows[] = {
        {0, 0, 0, "1.3.6.1.6.3.1.1.5.1"},
        {2, 99, 0, "1.3.6.1.6.3.1.1.5.3"},
        {5, 0, 0, "1.3.6.1.6.3.1.1.5.6"},
        {6, 4, 0, "1.3.6.1.4.1.99999.7.0.4"},
        {6, INT32_MAX, 0, "1.3.6.1.4.1.99999.7.0.2147483647"},
        {7, 0, PD_EPROTO, NULL},
        {-1, 0, PD_EPROTO, NULL},
        {6, -1, PD_EPROTO, NULL},
    };
    struct snmp_varbinds *room = xmalloc(sizeof *room);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t buf[256];
        size_t n = write_v1(buf, sizeof buf, rows[i].generic, rows[i].specific, "\x0a\0\0\x09");
        struct snmp_trap t;
        struct sbuf text = {0};
        int rc = read_trap(buf, n, &t, room);

        if (rc == 0)
            oid_add_text(&text, t.oid.id, t.oid.n);
        if (rc != rows[i].rc || (rc == 0 && !str_eq(text.s, rows[i].oid)))
            fail_msg("row %zu: %d, %s", i, rc, text.s ? text.s : "-");
        if (rc == 0) {
            assert_int_equal(t.uptime, 12345);
            assert_int_equal(t.n, 1);
            assert_int_equal(t.v[0].i, 7);
            assert_true(t.has_agent);
            assert_int_equal(t.agent.in.sin_addr.s_addr, htonl(0x0a000009));
        }
        sbuf_free(&text);
    }
    free(room);
}

static void nobody_is_the_agent_0_0_0_0(void **state)
{
    struct snmp_varbinds *room = xmalloc(sizeof *room);
    struct snmp_trap t;
    uint8_t buf[256];

    (void)state;
    assert_int_equal(read_trap(buf, write_v1(buf, sizeof buf, 0, 0, "\0\0\0\0"), &t, room), 0);
    assert_false(t.has_agent);
    free(room);
}

static void cut_traps_are_no_traps(void **state)
{
    struct snmp_varbinds *room = xmalloc(sizeof *room);
    struct snmp_trap t;
    uint8_t buf[256];
    size_t n = write_v1(buf, sizeof buf, 6, 1, "\x0a\0\0\x09");

    (void)state;
    for (size_t i = 0; i < n; i++)
        if (read_trap(buf, i, &t, room) == 0)
            fail_msg("%zu bytes of %zu", i, n);
    free(room);
}

static size_t write_v2(uint8_t *buf, size_t n, uint8_t version, uint8_t type, const struct snmp_varbind *v,
                       size_t count)
{
    struct snmp_msg head = {.version = version, .type = type, .request_id = 5, .community = (const uint8_t *)"c"};
    struct snmp_writer w;

    head.ncommunity = 1;
    snmp_begin(&w, buf, n, &head);
    for (size_t i = 0; i < count; i++)
        assert_true(snmp_put(&w, &v[i]));
    return snmp_end(&w);
}

static void traps_of_version_2_begin_with_time_and_name(void **state)
{
    const struct snmp_varbind up = {.name = up_time, .nname = COUNT(up_time), .type = SNMP_TIMETICKS, .u = 99};
    const struct snmp_varbind name = {
        .name = trap_oid, .nname = COUNT(trap_oid), .type = SNMP_OID, .oid = maker, .n = COUNT(maker)};
    const struct snmp_varbind number = {.name = trap_oid, .nname = COUNT(trap_oid), .type = SNMP_INTEGER, .i = 1};
    const struct snmp_varbind agent = {.name = trap_address,
                                       .nname = COUNT(trap_address),
                                       .type = SNMP_IPADDRESS,
                                       .bytes = (const uint8_t *)"\x0a\0\0\x07",
                                       .n = 4};
    const struct {
        uint8_t version, type;
        struct snmp_varbind v[3];
        size_t n;
        int rc;
    } rows[] = {
        {SNMP_V2C, SNMP_TRAP, {up, name, agent}, 3, 0},  {SNMP_V2C, SNMP_INFORM, {up, name}, 2, 0},
        {SNMP_V2C, SNMP_TRAP, {name, up}, 2, PD_EPROTO}, {SNMP_V2C, SNMP_TRAP, {up, number}, 2, PD_EPROTO},
        {SNMP_V2C, SNMP_TRAP, {up}, 1, PD_EPROTO},       {SNMP_V2C, SNMP_TRAP, {up}, 0, PD_EPROTO},
        {SNMP_V2C, SNMP_GET, {up, name}, 2, PD_EINVAL},  {SNMP_V2C, SNMP_RESPONSE, {up, name}, 2, PD_EINVAL},
        {SNMP_V1, SNMP_TRAP, {up, name}, 2, PD_EINVAL}, /* version 1 has its own */
    };
    struct snmp_varbinds *room = xmalloc(sizeof *room);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t buf[256];
        struct snmp_trap t;
        int rc =
            read_trap(buf, write_v2(buf, sizeof buf, rows[i].version, rows[i].type, rows[i].v, rows[i].n), &t, room);

        if (rc != rows[i].rc)
            fail_msg("row %zu: %d", i, rc);
        if (rc == 0 && (t.uptime != 99 || t.n != rows[i].n - 2 || t.has_agent != (t.n > 0)))
            fail_msg("row %zu: up %llu, %zu more", i, (unsigned long long)t.uptime, t.n);
    }
    free(room);
}

/* ---- Boots ---- */

struct place {
    char folder[32], path[48];
};

static struct place place_new(void)
{
    struct place p = {.folder = "/tmp/patrold-test-XXXXXX"};

    assert_non_null(mkdtemp(p.folder));
    (void)snprintf(p.path, sizeof p.path, "%s/engine", p.folder);
    return p;
}

static void place_remove(const struct place *p)
{
    unlink(p->path);
    rmdir(p->folder);
}

static void boots_rise_with_every_start(void **state)
{
    struct place p = place_new();
    struct snmp_boots first, b;

    (void)state;
    assert_int_equal(snmp_boots_raise(p.path, &rng_system, &first), 0);
    assert_int_equal(first.boots, 1);
    assert_in_range(first.nengine, USM_MIN_ENGINE, USM_MAX_ENGINE);
    for (int i = 2; i <= 4; i++) {
        assert_int_equal(snmp_boots_raise(p.path, &rng_system, &b), 0);
        assert_int_equal(b.boots, i);
        assert_int_equal(b.nengine, first.nengine);
        assert_memory_equal(b.engine, first.engine, b.nengine);
    }
    place_remove(&p);
}

static void what_makes_no_sense_is_a_new_engine(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"engine 8000000001\nboots 7\n", true},
        {"engine 8000000001\nboots 0\n", false},
        {"engine 8000000001\nboots -1\n", false},
        {"engine 8000000001\nboots 2147483646\n", false}, /* the last one: nobody can authenticate any more */
        {"engine 8000000001\nboots 99999999999999999999\n", false},
        {"engine 80000000\nboots 7\n", false},
        {"engine 800000000g\nboots 7\n", false},
        {"engine 8000000001\nboots 7", false},
        {"engine 8000000001\nboots 7\nmore\n", false},
        {"engine 8000000001", false},
        {"", false},
    };
    struct place p = place_new();

    (void)state;
    log_set_level(LOG_LEVEL_ERROR);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct snmp_boots b;

        assert_int_equal(file_write_whole(p.path, rows[i].text, strlen(rows[i].text), 0600), 0);
        assert_int_equal(snmp_boots_raise(p.path, &rng_system, &b), 0);
        if (rows[i].good ? b.boots != 8 || b.nengine != 5 : b.boots != 1 || b.nengine == 5)
            fail_msg("row %zu: boots %d", i, (int)b.boots);
    }
    log_set_level(LOG_LEVEL_INFO);
    place_remove(&p);
}

static void without_a_disk_there_is_no_engine(void **state)
{
    struct snmp_boots b = {.boots = 77};

    (void)state;
    assert_true(snmp_boots_raise("/proc/no/such/folder/engine", &rng_system, &b) < 0);
    assert_int_equal(b.boots, 77);
}

/* ---- Rates ---- */

static union pd_addr host(uint32_t n)
{
    return (union pd_addr){.in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(n)}};
}

static struct trap_limit *limit_new(void)
{
    static const struct trap_rates rates = {
        .source = {10, 20}, .all = {100, 200}, .stranger = {1, 2}, .all_strangers = {5, 10}};
    struct rng_seeded seed;
    struct pd_rng rng = rng_seeded_ops(&seed);

    rng_seed(&seed, 1);
    return trap_limit_new(&rng, &rates);
}

/* How many of n at one moment have room. */
static int through(struct trap_limit *l, uint32_t from, bool known, int n, int64_t now)
{
    int passed = 0;

    for (int i = 0; i < n; i++) {
        union pd_addr a = host(from);

        passed += trap_limit_take(l, &a, known, now) == TRAP_ROOM;
    }
    return passed;
}

static void a_source_has_a_burst_and_a_rate(void **state)
{
    struct trap_limit *l = limit_new();

    (void)state;
    assert_int_equal(through(l, 1, true, 50, 1000), 20);
    assert_int_equal(through(l, 1, true, 50, 1500), 5);
    assert_int_equal(through(l, 2, true, 50, 1500), 20);
    assert_int_equal(through(l, 1, true, 50, 100000), 20);
    trap_limit_free(l);
}

static void a_flood_of_strangers_takes_nothing_from_the_known(void **state)
{
    struct trap_limit *l = limit_new();
    int strangers = 0;

    (void)state;
    for (uint32_t i = 0; i < 100000; i++)
        strangers += through(l, 0x0b000000 + i, false, 1, 1000);
    assert_int_equal(strangers, 10);
    assert_int_equal(through(l, 1, true, 20, 1000), 20);
    trap_limit_free(l);
}

static void who_proved_who_it_is_has_a_sum_apart(void **state)
{
    struct trap_limit *l = limit_new();
    union pd_addr good = host(7);

    (void)state;
    assert_int_equal(through(l, 7, true, 1, 1000), 1);
    trap_limit_proved(l, &good, true, 1000);
    for (uint32_t i = 100; i < 200; i++)
        through(l, i, true, 20, 1000);
    assert_int_equal(through(l, 300, true, 1, 1000), 0); /* the others' is used up */
    assert_int_equal(through(l, 7, true, 10, 1000), 10);
    assert_int_equal(trap_limit_take(l, &(union pd_addr){.in = good.in}, true, 2000 + INT64_C(86400000)), TRAP_ROOM);
    trap_limit_free(l);
}

/* ---- What was seen ---- */

static void what_was_seen_is_known_for_minutes(void **state)
{
    struct trap_seen *s = trap_seen_new(&rng_system);
    uint64_t a = trap_seen_key(s, "host", 4, "says", 4), b = trap_seen_key(s, "host", 4, "sayz", 4);

    (void)state;
    assert_true(a != b && a != trap_seen_key(s, "hos", 3, "tsays", 5));
    assert_int_equal(trap_seen_look(s, a, 1000), TRAP_NEW);
    trap_seen_note(s, a, TRAP_WAITS, 1000);
    assert_int_equal(trap_seen_look(s, a, 10000000), TRAP_WAITS); /* as long as it takes */
    assert_int_equal(trap_seen_look(s, b, 1000), TRAP_NEW);
    trap_seen_note(s, a, TRAP_DONE, 2000);
    assert_int_equal(trap_seen_look(s, a, 301000), TRAP_DONE);
    assert_int_equal(trap_seen_look(s, a, 302001), TRAP_NEW);
    trap_seen_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traps_of_version_1_get_the_oid_of_version_2),
        cmocka_unit_test(nobody_is_the_agent_0_0_0_0),
        cmocka_unit_test(cut_traps_are_no_traps),
        cmocka_unit_test(traps_of_version_2_begin_with_time_and_name),
        cmocka_unit_test(boots_rise_with_every_start),
        cmocka_unit_test(what_makes_no_sense_is_a_new_engine),
        cmocka_unit_test(without_a_disk_there_is_no_engine),
        cmocka_unit_test(a_source_has_a_burst_and_a_rate),
        cmocka_unit_test(a_flood_of_strangers_takes_nothing_from_the_known),
        cmocka_unit_test(who_proved_who_it_is_has_a_sum_apart),
        cmocka_unit_test(what_was_seen_is_known_for_minutes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
