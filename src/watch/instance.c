#include "watch/instance.h"

#include "plugin/plugin.h"
#include "watch/decode.h"

/* InetAddressType (RFC 4001), and how many octets an address of it has. */
enum { INET_UNKNOWN, INET_IPV4, INET_IPV6, INET_IPV4Z, INET_IPV6Z, INET_DNS = 16 };

/* The numbers of one part: what comes before its content, and the content. */
struct span {
    size_t head, n;
};

static bool inet_length(uint32_t type, size_t n)
{
    static const uint8_t lengths[] = {
        [INET_UNKNOWN] = 0, [INET_IPV4] = 4, [INET_IPV6] = 16, [INET_IPV4Z] = 8, [INET_IPV6Z] = 20};

    return type == INET_DNS || (type < sizeof lengths && lengths[type] == n);
}

/* How many of the n numbers that are left belong to the part; false where they can't be it. */
static bool span_of(const struct index_part *part, const uint32_t *at, size_t n, struct span *out)
{
    *out = (struct span){0};
    switch (part->type) {
    case INDEX_INT:
        out->n = 1;
        break;
    case INDEX_MAC:
        out->n = 6;
        break;
    case INDEX_IPV4:
        out->n = 4;
        break;
    case INDEX_IMPLIED:
    case INDEX_OID_IMPLIED:
        out->n = n;
        break;
    case INDEX_INET:
        if (n < 2 || !inet_length(at[0], at[1]))
            return false;
        *out = (struct span){.head = 2, .n = at[1]};
        break;
    case INDEX_OCTETS:
        if (part->size > 0) {
            out->n = part->size;
            break;
        }
        /* fall through */
    case INDEX_STRING:
    case INDEX_OID:
        if (n == 0)
            return false;
        *out = (struct span){.head = 1, .n = at[0]};
        break;
    }
    return out->n <= n - out->head;
}

static bool is_octets(enum index_type type)
{
    return type != INDEX_INT && type != INDEX_OID && type != INDEX_OID_IMPLIED;
}

bool instance_fits(const struct index_part *parts, size_t nparts, const uint32_t *instance, size_t n)
{
    for (size_t i = 0; i < nparts; i++) {
        struct span span;

        if (!span_of(&parts[i], instance, n, &span))
            return false;
        instance += span.head;
        for (size_t k = 0; is_octets(parts[i].type) && k < span.n; k++)
            if (instance[k] > UINT8_MAX)
                return false;
        instance += span.n;
        n -= span.head + span.n;
    }
    return n == 0;
}

static struct value part_value(const struct index_part *part, const uint32_t *head, const uint32_t *at, size_t n,
                               struct arena *arena)
{
    uint8_t octets[PD_MAX_INSTANCE];

    if (part->type == INDEX_INT)
        return value_int(*at);
    if (n == 0 || n > PD_MAX_INSTANCE)
        return value_unknown(WHY_ABSENT);
    if (!is_octets(part->type))
        return value_text(decode_dotted(at, n, arena));
    for (size_t i = 0; i < n; i++)
        octets[i] = (uint8_t)at[i];
    switch (part->type) {
    case INDEX_MAC:
    case INDEX_OCTETS:
        return decode_hex(octets, n, arena);
    case INDEX_IPV4:
        return decode_ip(octets, n, arena);
    case INDEX_INET:
        if (*head == INET_DNS)
            return decode_text(octets, n, arena);
        return decode_ip(octets, *head == INET_IPV4Z || *head == INET_IPV6Z ? n - 4 : n, arena); /* without its zone */
    default:
        return decode_text(octets, n, arena);
    }
}

void instance_take(const struct index_part *parts, size_t nparts, const uint32_t *instance, size_t n,
                   struct value *slots, size_t first, struct arena *arena)
{
    for (size_t i = 0; i < nparts; i++) {
        struct span span;

        if (!span_of(&parts[i], instance, n, &span))
            return;
        slots[first + i] = part_value(&parts[i], instance, instance + span.head, span.n, arena);
        slots[first + i].slot = (uint16_t)(first + i);
        instance += span.head + span.n;
        n -= span.head + span.n;
    }
}
