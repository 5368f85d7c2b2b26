/*
 * The codec against net-snmp's, an implementation by others: each must read what
 * the other writes, and where both make sense of a damaged message they must agree.
 */
#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <cmocka.h>

#include "base/rng.h"
#include "plugins/snmp/pdu.h"

enum { MESSAGES = 2000, DAMAGED = 300000, MAX_VALUES = 12, BUFFER = 4096 };

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

/* ---- Comparing ---- */

static bool same_ids(const uint32_t *ours, size_t n, const oid *theirs, size_t ntheirs)
{
    if (n == 2 && ours[0] == 0 && ours[1] == 0 && ntheirs == 1)
        return theirs[0] == 0; /* empty contents are 0.0 to us, 0 to net-snmp */
    if (n != ntheirs)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (ours[i] != (uint32_t)theirs[i])
            return false;
    }
    return true;
}

static bool same_value(const struct snmp_varbind *vb, const netsnmp_variable_list *var)
{
    switch (vb->type) {
    case SNMP_INTEGER:
        return vb->i < INT32_MIN || vb->i > INT32_MAX || vb->i == (int64_t)*var->val.integer;
    case SNMP_COUNTER32:
    case SNMP_GAUGE32:
    case SNMP_TIMETICKS:
    case SNMP_UINTEGER32:
        return vb->u == (uint32_t)*var->val.integer;
    case SNMP_COUNTER64:
        return vb->u == ((uint64_t)var->val.counter64->high << 32 | (uint32_t)var->val.counter64->low);
    case SNMP_OID:
        return same_ids(vb->oid, vb->n, var->val.objid, var->val_len / sizeof(oid));
    case SNMP_FLOAT:
        return isnan(vb->f) ? isnan(*var->val.floatVal) : (float)vb->f == *var->val.floatVal;
    case SNMP_DOUBLE:
        return isnan(vb->f) ? isnan(*var->val.doubleVal) : vb->f == *var->val.doubleVal;
    case SNMP_OCTETS:
    case SNMP_IPADDRESS:
    case SNMP_NSAP:
        return vb->n == var->val_len && memcmp(vb->bytes, var->val.string, vb->n) == 0;
    case SNMP_OPAQUE:
        return var->type != SNMP_OPAQUE || (vb->n == var->val_len && memcmp(vb->bytes, var->val.string, vb->n) == 0);
    default:
        return true;
    }
}

/* Names the first difference, or NULL. */
static const char *difference(const struct snmp_msg *m, const struct snmp_varbinds *vbs, const netsnmp_pdu *pdu)
{
    const netsnmp_variable_list *var = pdu->variables;

    if ((uint8_t)pdu->command != m->type)
        return "type";
    if ((int32_t)pdu->reqid != m->request_id || (int32_t)pdu->errstat != m->status ||
        (int32_t)pdu->errindex != m->index)
        return "numbers of the head";
    for (size_t i = 0; i < vbs->n; i++, var = var->next_variable) {
        if (!var)
            return "too few for net-snmp";
        if (!same_ids(vbs->v[i].name, vbs->v[i].nname, var->name, var->name_length))
            return "name";
        if (vbs->v[i].type != SNMP_BAD && vbs->v[i].type != SNMP_OPAQUE && vbs->v[i].type != var->type)
            return "value's type";
        if (vbs->v[i].type != SNMP_BAD && !same_value(&vbs->v[i], var))
            return "value";
    }
    return var ? "too many for net-snmp" : NULL;
}

/* net-snmp's reading of a packet; NULL if it refuses. */
static netsnmp_pdu *their_decode(const uint8_t *packet, size_t n)
{
    netsnmp_pdu *pdu = SNMP_MALLOC_TYPEDEF(netsnmp_pdu);
    netsnmp_session session = {0};
    uint8_t *copy = malloc(n + 64); /* it looks a little past the end */

    memset(copy, 0, n + 64);
    memcpy(copy, packet, n);
    session.version = SNMP_DEFAULT_VERSION; /* either */
    if (snmp_parse(NULL, &session, pdu, copy, n) != 0) {
        snmp_free_pdu(pdu);
        pdu = NULL;
    }
    free(copy);
    return pdu;
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
        pdu = their_decode(buf, n);
        if (!pdu)
            fail_msg("message %d: net-snmp refuses it", i);
        what = difference(&m, vbs, pdu);
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
        what = difference(&m, vbs, pdu);
        if (what)
            fail_msg("message %d: %s", i, what);
        snmp_free_pdu(pdu);
        free(pkt);
    }
    free(s);
    free(vbs);
}

/* Standard error goes nowhere while net-snmp complains to it: what to restore. */
static int silence(void)
{
    int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

    dup2(null, STDERR_FILENO);
    close(null);
    return saved;
}

static void restore(int saved)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static void where_both_read_damaged_messages_they_agree(void **state)
{
    struct sample *s = calloc(1, sizeof *s);
    struct snmp_varbinds *vbs = calloc(1, sizeof *vbs);
    struct rng_seeded seed;
    struct pd_rng rng;
    uint8_t buf[BUFFER], bad[BUFFER];
    int agreed = 0, saved = silence(), i;
    const char *what = NULL;
    size_t n = 0;

    (void)state;
    rng_seed(&seed, 44);
    rng = rng_seeded_ops(&seed);
    for (i = 0; i < DAMAGED && !what; i++) {
        netsnmp_pdu *pdu;
        struct snmp_msg m;

        while (n == 0 || i % 50 == 0) {
            some_message(&rng, s);
            s->n = s->n > 3 ? 3 : s->n;
            n = encode(s, buf);
            if (n > 0)
                break;
        }
        memcpy(bad, buf, n);
        for (uint32_t k = 0; k <= below(&rng, 3); k++)
            bad[below(&rng, (uint32_t)n)] = (uint8_t)rng_u32(&rng);
        if (snmp_decode(bad, n, &m) < 0 || m.type == SNMP_TRAP_V1 || snmp_decode_varbinds(&m, vbs) < 0)
            continue;
        pdu = their_decode(bad, n);
        if (!pdu)
            continue;
        what = difference(&m, vbs, pdu);
        snmp_free_pdu(pdu);
        agreed++;
    }
    restore(saved);
    if (what)
        fail_msg("message %d: %s", i - 1, what);
    assert_true(agreed > DAMAGED / 10);
    free(s);
    free(vbs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_snmp_reads_what_we_write),
        cmocka_unit_test(we_read_what_net_snmp_writes),
        cmocka_unit_test(where_both_read_damaged_messages_they_agree),
    };

    snmp_disable_log();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
