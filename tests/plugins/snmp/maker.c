#include "tests/plugins/snmp/maker.h"

#include <string.h>

#include "plugins/snmp/pdu.h"

uint32_t maker_below(const struct maker *m, uint32_t n)
{
    return (uint32_t)rng_below(m->rng, n);
}

bool maker_wrong(const struct maker *m)
{
    return m->chance && maker_below(m, m->chance) == 0;
}

static void put_length(struct maker *m, size_t n)
{
    static const unsigned forms[] = {0, 1, 2, 3, 4, 5, 8};
    unsigned extra = n < 0x80 ? 0 : n < 0x100 ? 1 : 2;

    if (maker_wrong(m))
        switch (maker_below(m, 4)) {
        case 0: /* a longer form than it needs */
            extra = forms[maker_below(m, sizeof forms / sizeof *forms)];
            break;
        case 1:
            n += 1 + maker_below(m, 3);
            break;
        case 2:
            n -= n > 0;
            break;
        default:
            wire_put_u8(&m->out, 0x80); /* the indefinite form */
            return;
        }
    if (extra == 0) {
        wire_put_u8(&m->out, (uint8_t)n);
        return;
    }
    wire_put_u8(&m->out, (uint8_t)(0x80 | extra));
    for (unsigned i = extra; i > 0; i--)
        wire_put_u8(&m->out, i > sizeof n ? 0 : (uint8_t)(n >> 8 * (i - 1)));
}

void maker_put(struct maker *m, uint8_t tag, const void *body, size_t n)
{
    static const uint8_t tags[] = {0x02, 0x04, 0x05, 0x06, 0x30, 0x40, 0x41, 0x43, 0x44,
                                   0x46, 0x47, 0x80, 0x82, 0xa2, 0x1f, 0x01, 0x31};

    wire_put_u8(&m->out, maker_wrong(m) ? tags[maker_below(m, sizeof tags)] : tag);
    put_length(m, n);
    wire_put_bytes(&m->out, body, n);
    if (maker_wrong(m)) /* behind it */
        wire_put_u8(&m->out, (uint8_t)maker_below(m, 256));
}

void maker_put_number(struct maker *m, uint8_t tag, uint64_t v, size_t width)
{
    uint8_t body[24] = {0};
    size_t n = width, pad;

    while (n > 1 && ((v >> (8 * n - 9) & 0x1ff) == 0 || (v >> (8 * n - 9) & 0x1ff) == 0x1ff))
        n--;
    pad = 0;
    if (maker_wrong(m))
        switch (maker_below(m, 4)) {
        case 0:
            n = 0;
            break;
        case 1:
            pad = 1 + maker_below(m, 9);
            memset(body, maker_below(m, 2) ? 0xff : 0, pad);
            break;
        case 2:
            n = 1 + maker_below(m, 8);
            break;
        default:
            pad = 1 + maker_below(m, 4);
            m->rng->fill(m->rng->ctx, body, pad);
        }
    for (size_t i = 0; i < n; i++)
        body[pad + i] = (uint8_t)(v >> 8 * (n - 1 - i));
    maker_put(m, tag, body, pad + n);
}

static void put_oid(struct maker *m)
{
    uint8_t body[700];
    struct wire_out out = wire_out(body, sizeof body);
    unsigned n = maker_below(m, 12) ? 1 + maker_below(m, 14) : maker_wrong(m) ? 126 + maker_below(m, 6) : 100;

    wire_put_u8(&out, maker_below(m, 4) ? 0x2b : (uint8_t)maker_below(m, 128));
    for (unsigned i = 0; i < n; i++) {
        uint64_t v = maker_below(m, 3) ? maker_below(m, 200) : rng_u64(m->rng) >> (32 + maker_below(m, 32));
        uint8_t bytes[12];
        unsigned k = 0;

        if (maker_wrong(m))
            v = rng_u64(m->rng) >> maker_below(m, 40);
        do
            bytes[k++] = (uint8_t)(v & 0x7f);
        while ((v >>= 7) && k < sizeof bytes);
        if (maker_wrong(m))
            wire_put_u8(&out, 0x80); /* a leading nothing */
        while (k > 0) {
            k--;
            wire_put_u8(&out, (uint8_t)(bytes[k] | (k > 0 ? 0x80 : 0)));
        }
    }
    if (maker_wrong(m))
        switch (maker_below(m, 3)) {
        case 0:
            wire_put_u8(&out, 0x81); /* cut off */
            break;
        case 1:
            out.p = out.start;
            break;
        default:
            out.p = out.start + 1;
        }
    maker_put(m, BER_OID, body, wire_used(&out));
}

static void put_value(struct maker *m)
{
    static const uint8_t types[] = {SNMP_INTEGER,         SNMP_OCTETS,    SNMP_NULL,           SNMP_OID,
                                    SNMP_IPADDRESS,       SNMP_COUNTER32, SNMP_GAUGE32,        SNMP_TIMETICKS,
                                    SNMP_OPAQUE,          SNMP_COUNTER64, SNMP_NO_SUCH_OBJECT, SNMP_NO_SUCH_INSTANCE,
                                    SNMP_END_OF_MIB_VIEW, SNMP_NSAP,      SNMP_UINTEGER32};
    uint8_t type = types[maker_below(m, sizeof types)], bytes[160];
    uint64_t v = rng_u64(m->rng) >> maker_below(m, 64);

    m->rng->fill(m->rng->ctx, bytes, sizeof bytes);
    switch (type) {
    case SNMP_INTEGER:
        maker_put_number(m, type, (uint64_t)(int64_t)(int32_t)(uint32_t)v, 8);
        break;
    case SNMP_COUNTER32:
    case SNMP_GAUGE32:
    case SNMP_TIMETICKS:
    case SNMP_UINTEGER32:
        maker_put_number(m, type, (uint32_t)v, 5);
        break;
    case SNMP_COUNTER64:
        maker_put_number(m, type, v, 8);
        break;
    case SNMP_OID:
        put_oid(m);
        break;
    case SNMP_IPADDRESS:
        maker_put(m, type, bytes, maker_wrong(m) ? maker_below(m, 8) : 4);
        break;
    case SNMP_OPAQUE:
        if (maker_below(m, 2)) { /* a number as net-snmp wraps it */
            bytes[0] = 0x9f;
            bytes[1] = (uint8_t)(0x76 + maker_below(m, 6));
            bytes[2] = bytes[1] == 0x78 ? 4 : 8;
            maker_put(m, type, bytes, 3u + bytes[2] + (maker_wrong(m) ? maker_below(m, 3) : 0));
            break;
        }
        /* fall through */
    case SNMP_OCTETS:
    case SNMP_NSAP:
        maker_put(m, type, bytes, maker_below(m, sizeof bytes));
        break;
    default:
        maker_put(m, type, bytes, maker_wrong(m) ? maker_below(m, 3) : 0);
    }
}

void maker_put_around(struct maker *m, uint8_t tag, void (*write)(struct maker *m))
{
    uint8_t body[MESSAGE_MAX];
    struct maker inner = *m;

    inner.out = wire_out(body, sizeof body);
    write(&inner);
    m->out.bad |= inner.out.bad;
    maker_put(m, tag, body, wire_used(&inner.out));
}

static void put_pair(struct maker *m)
{
    put_oid(m);
    if (!maker_wrong(m))
        put_value(m);
}

static void put_list(struct maker *m)
{
    for (unsigned n = maker_below(m, 5); n > 0; n--)
        maker_put_around(m, BER_SEQUENCE, put_pair);
}

static void put_pdu(struct maker *m)
{
    maker_put_number(m, BER_INTEGER,
                     maker_below(m, 2) ? maker_below(m, 1 << 30) : (uint64_t)(int64_t)(int32_t)rng_u32(m->rng), 8);
    maker_put_number(m, BER_INTEGER, maker_below(m, 19), 8);
    maker_put_number(m, BER_INTEGER, maker_below(m, 5), 8);
    maker_put_around(m, BER_SEQUENCE, put_list);
}

void maker_put_pdu(struct maker *m)
{
    static const uint8_t pdus[] = {SNMP_RESPONSE, SNMP_RESPONSE, SNMP_RESPONSE, SNMP_GET,  SNMP_GETNEXT,
                                   SNMP_SET,      SNMP_GETBULK,  SNMP_INFORM,   SNMP_TRAP, SNMP_REPORT};

    maker_put_around(m, pdus[maker_below(m, sizeof pdus)], put_pdu);
}

size_t maker_make(struct maker *m, uint8_t *buf, void (*write)(struct maker *m))
{
    static const unsigned chances[] = {0, 200, 60, 30};

    do {
        m->out = wire_out(buf, MESSAGE_MAX);
        m->chance = chances[maker_below(m, 4)];
        maker_put_around(m, BER_SEQUENCE, write);
    } while (m->out.bad);
    return wire_used(&m->out);
}

size_t maker_spoil(const struct pd_rng *rng, uint8_t *buf, size_t n)
{
    const struct maker m = {.rng = rng};

    if (maker_below(&m, 4) == 0)
        for (unsigned k = 1 + maker_below(&m, 3); k > 0; k--)
            buf[maker_below(&m, (uint32_t)n)] = (uint8_t)maker_below(&m, 256);
    return maker_below(&m, 16) ? n : maker_below(&m, (uint32_t)n + 1);
}
