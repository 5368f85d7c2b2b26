#include "plugins/icmp/packet.h"

#include <string.h>

#include "base/wire.h"

enum {
    ECHO_REPLY = 0,
    UNREACHABLE = 3,
    ECHO = 8,
    TIME_EXCEEDED = 11,
    PARAMETER = 12,
    UNREACHABLE6 = 1,
    TOO_BIG6 = 2,
    TIME_EXCEEDED6 = 3,
    PARAMETER6 = 4,
    ECHO6 = 128,
    ECHO_REPLY6 = 129,
    PROTOCOL_ICMP = 1,
    PROTOCOL_ICMP6 = 58,
    HEADER = 8,   /* of an ICMP message */
    HEADER4 = 20, /* of an IPv4 packet without options */
    HEADER6 = 40,
    FILLER = 20,
};

uint16_t icmp_checksum(const uint8_t *data, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)(data[i] << 8 | data[i + 1]);
    if (n % 2)
        sum += (uint32_t)(data[n - 1] << 8);
    sum = (sum >> 16) + (sum & 0xffff);
    sum += sum >> 16;
    return (uint16_t)~sum;
}

void icmp_encode(const struct icmp_echo *e, int family, uint8_t out[static ICMP_PACKET])
{
    struct wire_out w = wire_out(out, ICMP_PACKET);
    uint16_t sum;

    wire_put_u8(&w, family == AF_INET ? ECHO : ECHO6);
    wire_put_u8(&w, 0);
    wire_put_u16be(&w, 0);
    wire_put_u16be(&w, e->id);
    wire_put_u16be(&w, e->seq);
    wire_put_u64be(&w, e->cookie);
    wire_put_u32be(&w, e->slot);
    for (int i = 0; i < FILLER; i++)
        wire_put_u8(&w, (uint8_t)i);
    if (family != AF_INET)
        return;
    sum = icmp_checksum(out, ICMP_PACKET);
    out[2] = (uint8_t)(sum >> 8);
    out[3] = (uint8_t)sum;
}

/* From the id on. An error may quote less than the whole. */
static void read_echo(struct wire_in *in, struct icmp_message *out)
{
    out->echo.id = wire_u16be(in);
    out->echo.seq = wire_u16be(in);
    out->has_cookie = wire_left(in) >= 12;
    if (!out->has_cookie)
        return;
    out->echo.cookie = wire_u64be(in);
    out->echo.slot = wire_u32be(in);
}

/* An IPv4 header; *left: what follows it by its own word, of what there is. Gives the destination. */
static enum icmp_drop read_header4(struct wire_in *in, size_t *left, uint8_t *protocol, uint8_t to[static 4])
{
    size_t had = wire_left(in), head, total;
    const uint8_t *p = wire_bytes(in, HEADER4);

    if (!p)
        return ICMP_DROP_SHORT;
    head = (size_t)(p[0] & 15) * 4;
    total = (size_t)(p[2] << 8 | p[3]);
    if (p[0] >> 4 != 4 || head < HEADER4 || total < head)
        return ICMP_DROP_HEADER;
    *protocol = p[9];
    memcpy(to, p + 16, 4);
    if (had < head)
        return ICMP_DROP_SHORT;
    wire_bytes(in, head - HEADER4);
    *left = total - head;
    return ICMP_TAKEN;
}

/* What an error quotes: the beginning of the packet that was sent. */
static enum icmp_drop read_quoted4(struct wire_in *in, struct icmp_message *out)
{
    uint8_t to[4] = {0};
    size_t left = 0;
    uint8_t protocol = 0, type;
    enum icmp_drop drop = read_header4(in, &left, &protocol, to);

    if (drop)
        return drop;
    if (protocol != PROTOCOL_ICMP)
        return ICMP_DROP_TYPE;
    type = wire_u8(in);
    wire_u8(in);
    out->checksum = wire_u16be(in);
    out->to.in.sin_family = AF_INET;
    memcpy(&out->to.in.sin_addr, to, sizeof to);
    read_echo(in, out);
    if (in->bad)
        return ICMP_DROP_SHORT;
    return type == ECHO ? ICMP_TAKEN : ICMP_DROP_TYPE;
}

static enum icmp_drop read_quoted6(struct wire_in *in, struct icmp_message *out)
{
    const uint8_t *p = wire_bytes(in, HEADER6);
    uint8_t type;

    if (!p)
        return ICMP_DROP_SHORT;
    if (p[0] >> 4 != 6)
        return ICMP_DROP_HEADER;
    if (p[6] != PROTOCOL_ICMP6)
        return ICMP_DROP_TYPE;
    out->to.in6.sin6_family = AF_INET6;
    memcpy(&out->to.in6.sin6_addr, p + 24, 16);
    type = wire_u8(in);
    wire_u8(in);
    out->checksum = wire_u16be(in);
    read_echo(in, out);
    if (in->bad)
        return ICMP_DROP_SHORT;
    return type == ECHO6 ? ICMP_TAKEN : ICMP_DROP_TYPE;
}

static bool tells_error(int family, uint8_t type)
{
    if (family == AF_INET)
        return type == UNREACHABLE || type == TIME_EXCEEDED || type == PARAMETER;
    return type == UNREACHABLE6 || type == TOO_BIG6 || type == TIME_EXCEEDED6 || type == PARAMETER6;
}

enum icmp_drop icmp_decode(const uint8_t *data, size_t n, int family, enum icmp_way way, struct icmp_message *out)
{
    struct wire_in in = wire_in(data, n);
    bool whole = family == AF_INET && way == ICMP_RAW; /* with its IP header */
    uint8_t protocol = PROTOCOL_ICMP, to[4];
    size_t left = n;
    enum icmp_drop drop = whole ? read_header4(&in, &left, &protocol, to) : ICMP_TAKEN;

    *out = (struct icmp_message){0};
    if (drop)
        return drop;
    if (protocol != PROTOCOL_ICMP)
        return ICMP_DROP_TYPE;
    if (left > wire_left(&in) || left < HEADER)
        return ICMP_DROP_SHORT;
    in.end = in.p + left; /* what the link padded is none of it */
    if (whole && icmp_checksum(in.p, left) != 0)
        return ICMP_DROP_CHECKSUM;
    out->type = wire_u8(&in);
    out->code = wire_u8(&in);
    wire_u16be(&in);
    out->is_error = tells_error(family, out->type);
    if (out->is_error) {
        wire_u32be(&in);
        return family == AF_INET ? read_quoted4(&in, out) : read_quoted6(&in, out);
    }
    if (out->type != (family == AF_INET ? ECHO_REPLY : ECHO_REPLY6) || out->code != 0)
        return ICMP_DROP_TYPE;
    read_echo(&in, out);
    return left == ICMP_PACKET ? ICMP_TAKEN : ICMP_DROP_SIZE;
}

const char *icmp_error_text(int family, uint8_t type, uint8_t code)
{
    static const char *const codes4[] = {"network unreachable", "host unreachable", "ICMP not spoken"};
    static const char *const codes6[] = {"no route", "forbidden by a firewall", "beyond scope", "host unreachable"};

    if (type == (family == AF_INET ? TIME_EXCEEDED : TIME_EXCEEDED6))
        return "goes round in circles";
    if (family == AF_INET && type == UNREACHABLE && code < 3)
        return codes4[code];
    if (family == AF_INET && type == UNREACHABLE && (code == 9 || code == 10 || code == 13))
        return "forbidden by a firewall";
    if (family == AF_INET6 && type == UNREACHABLE6 && code < 4)
        return codes6[code];
    return "not delivered";
}
