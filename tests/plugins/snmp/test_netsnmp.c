/*
 * The codec against net-snmp's, an implementation by others: each must read what
 * the other writes. What neither would write is in test_oracle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "tests/plugins/snmp/netsnmp.h"

enum { MESSAGES = 2000, MAX_VALUES = 12, BUFFER = 4096 };

struct sample {
    struct snmp_msg head;
    struct snmp_varbind v[MAX_VALUES];
    size_t n;
    uint32_t ids[MAX_VALUES][2][OID_MAX];
    uint8_t bytes[MAX_VALUES][300];
};

static uint32_t below(const struct pd_rng *r, uint32_t n)
{
    return (uint32_t)rng_below(r, n);
}

/* Numbers near the edges are as likely as any. */
static uint64_t some_number(const struct pd_rng *r)
{
    static const uint64_t edges[] = {0,     127,        128,        255,        256,       32767,
                                     32768, 2147483647, 2147483648, 4294967295, UINT64_MAX};

    return below(r, 2) ? edges[below(r, sizeof edges / sizeof *edges)] : rng_u64(r) >> below(r, 64);
}

static size_t some_oid(const struct pd_rng *r, uint32_t *ids)
{
    size_t n = 2 + below(r, below(r, 8) ? 14 : OID_MAX - 1);

    ids[0] = below(r, 3);
    ids[1] = ids[0] == 2 ? below(r, 1000) : below(r, 40);
    for (size_t i = 2; i < n; i++)
        ids[i] = (uint32_t)some_number(r);
    return n;
}

static void some_value(const struct pd_rng *r, struct sample *s, size_t i)
{
    static const uint8_t types[] = {
        SNMP_INTEGER,
        SNMP_OCTETS,
        SNMP_NULL,
        SNMP_OID,
        SNMP_IPADDRESS,
        SNMP_COUNTER32,
        SNMP_GAUGE32,
        SNMP_TIMETICKS,
        SNMP_OPAQUE,
        SNMP_FLOAT,
        SNMP_DOUBLE,
        SNMP_COUNTER64,
        SNMP_NO_SUCH_OBJECT,
        SNMP_NO_SUCH_INSTANCE,
        SNMP_END_OF_MIB_VIEW,
    };
    enum { V1_TYPES = 11 }; /* the first of them */
    struct snmp_varbind *vb = &s->v[i];

    *vb = (struct snmp_varbind){.name = s->ids[i][0],
                                .type = types[below(r, s->head.version == SNMP_V1 ? V1_TYPES : sizeof types)]};
    vb->nname = (uint16_t)some_oid(r, s->ids[i][0]);
    r->fill(r->ctx, s->bytes[i], sizeof s->bytes[i]);
    s->bytes[i][0] &= 0x7f; /* an Opaque that is nothing special */
    switch (vb->type) {
    case SNMP_INTEGER:
        vb->i = (int32_t)(uint32_t)some_number(r);
        break;
    case SNMP_COUNTER64:
        vb->u = some_number(r);
        break;
    case SNMP_COUNTER32:
    case SNMP_GAUGE32:
    case SNMP_TIMETICKS:
        vb->u = (uint32_t)some_number(r);
        break;
    case SNMP_OID:
        vb->oid = s->ids[i][1];
        vb->n = (uint32_t)some_oid(r, s->ids[i][1]);
        break;
    case SNMP_OCTETS:
    case SNMP_OPAQUE:
    case SNMP_IPADDRESS:
        vb->bytes = s->bytes[i];
        vb->n = vb->type == SNMP_IPADDRESS ? 4 : below(r, sizeof s->bytes[i]);
        break;
    case SNMP_FLOAT:
        vb->f = (float)below(r, 100000) / 8;
        break;
    case SNMP_DOUBLE:
        vb->f = below(r, 100000) / 7.0;
        break;
    default:
        break;
    }
}

static void some_message(const struct pd_rng *r, struct sample *s)
{
    s->head = (struct snmp_msg){
        .version = (uint8_t)below(r, 2), .type = SNMP_RESPONSE, .community = (const uint8_t *)"public"};
    s->head.ncommunity = below(r, 7);
    s->head.request_id = (int32_t)(some_number(r) & INT32_MAX);
    s->head.status = (int32_t)below(r, 19);
    s->head.index = (int32_t)below(r, 5);
    s->n = below(r, MAX_VALUES + 1);
    for (size_t i = 0; i < s->n; i++)
        some_value(r, s, i);
}

static size_t encode(const struct sample *s, uint8_t *buf)
{
    struct snmp_writer w;

    snmp_begin(&w, buf, BUFFER, &s->head);
    for (size_t i = 0; i < s->n; i++) {
        if (!snmp_put(&w, &s->v[i]))
            return 0;
    }
    return snmp_end(&w);
}

/* ---- Tests ---- */

static void net_snmp_reads_what_we_write(void **state)
{
    struct sample *s = calloc(1, sizeof *s);
    struct snmp_varbinds *vbs = calloc(1, sizeof *vbs);
    struct rng_seeded seed;
    struct pd_rng rng;
    uint8_t buf[BUFFER];
    int read = 0;

    (void)state;
    rng_seed(&seed, 42);
    rng = rng_seeded_ops(&seed);
    for (int i = 0; i < MESSAGES; i++) {
        netsnmp_pdu *pdu;
        struct snmp_msg m;
        const char *what;
        size_t n;

        some_message(&rng, s);
        n = encode(s, buf);
        if (n == 0)
            continue;
        assert_int_equal(snmp_decode(buf, n, &m), 0);
        assert_int_equal(snmp_decode_varbinds(&m, vbs), 0);
        assert_int_equal(vbs->n, s->n);
        pdu = netsnmp_decode(buf, n);
        if (!pdu)
            fail_msg("message %d: net-snmp refuses it", i);
        what = netsnmp_difference(&m, vbs, pdu);
        if (what)
            fail_msg("message %d: %s", i, what);
        snmp_free_pdu(pdu);
        read++;
    }
    assert_true(read > MESSAGES / 2);
    free(s);
    free(vbs);
}

static netsnmp_pdu *their_pdu(const struct sample *s)
{
    netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_RESPONSE);

    pdu->version = s->head.version;
    pdu->reqid = s->head.request_id;
    pdu->errstat = s->head.status;
    pdu->errindex = s->head.index;
    pdu->community = (u_char *)strdup("public");
    pdu->community_len = s->head.ncommunity;
    for (size_t i = 0; i < s->n; i++) {
        const struct snmp_varbind *vb = &s->v[i];
        oid name[OID_MAX], value[OID_MAX];
        struct counter64 c64 = {.high = vb->u >> 32, .low = (uint32_t)vb->u};
        long integer = (long)vb->i;
        float single = (float)vb->f;
        const void *p = vb->bytes;
        size_t n = vb->n;

        for (size_t k = 0; k < vb->nname; k++)
            name[k] = vb->name[k];
        for (size_t k = 0; vb->type == SNMP_OID && k < vb->n; k++)
            value[k] = vb->oid[k];
        if (vb->type == SNMP_OID)
            p = value, n = vb->n * sizeof(oid);
        else if (vb->type == SNMP_COUNTER64)
            p = &c64, n = sizeof c64;
        else if (vb->type == SNMP_FLOAT)
            p = &single, n = sizeof single;
        else if (vb->type == SNMP_DOUBLE)
            p = &vb->f, n = sizeof vb->f;
        else if (vb->type == SNMP_INTEGER || (vb->type >= SNMP_COUNTER32 && vb->type <= SNMP_TIMETICKS))
            p = &integer, n = sizeof integer;
        snmp_pdu_add_variable(pdu, name, vb->nname, vb->type, p, n);
    }
    return pdu;
}

static void we_read_what_net_snmp_writes(void **state)
{
    struct sample *s = calloc(1, sizeof *s);
    struct snmp_varbinds *vbs = calloc(1, sizeof *vbs);
    struct rng_seeded seed;
    struct pd_rng rng;

    (void)state;
    rng_seed(&seed, 43);
    rng = rng_seeded_ops(&seed);
    for (int i = 0; i < MESSAGES; i++) {
        netsnmp_session session = {0};
        size_t size = BUFFER, n = 0;
        u_char *pkt = malloc(size);
        netsnmp_pdu *pdu;
        struct snmp_msg m;
        const char *what;

        some_message(&rng, s);
        pdu = their_pdu(s);
        session.version = s->head.version;
        if (snmp_build(&pkt, &size, &n, &session, pdu) != 0)
            fail_msg("message %d: net-snmp cannot write it", i);
        assert_int_equal(snmp_decode(pkt, size, &m), 0);
        assert_int_equal(m.version, s->head.version);
        assert_int_equal(m.ncommunity, s->head.ncommunity);
        assert_int_equal(snmp_decode_varbinds(&m, vbs), 0);
        assert_int_equal(vbs->n, s->n);
        for (size_t k = 0; k < vbs->n; k++)
            assert_int_equal(vbs->v[k].type, s->v[k].type);
        what = netsnmp_difference(&m, vbs, pdu);
        if (what)
            fail_msg("message %d: %s", i, what);
        snmp_free_pdu(pdu);
        free(pkt);
    }
    free(s);
    free(vbs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_snmp_reads_what_we_write),
        cmocka_unit_test(we_read_what_net_snmp_writes),
    };

    snmp_disable_log();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
