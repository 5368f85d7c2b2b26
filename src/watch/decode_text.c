#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/charset.h"
#include "base/str.h"
#include "watch/decode.h"

static const char *keep(const void *p, size_t n, struct arena *arena)
{
    char *s = arena_alloc(arena, n + 1);

    memcpy(s, p, n);
    s[n] = '\0';
    return s;
}

/* Printable ASCII without a space at either end: nearly all there is, so it is not looked at any closer. */
static bool is_plain(const uint8_t *p, size_t n)
{
    if (n > DECODE_MAX_TEXT || p[0] == ' ' || p[n - 1] == ' ')
        return false;
    for (size_t i = 0; i < n; i++)
        if (p[i] < 0x20 || p[i] >= 0x7f)
            return false;
    return true;
}

struct value decode_text(const uint8_t *p, size_t n, struct arena *arena)
{
    char *clean;
    struct value v = value_unknown(WHY_ABSENT);

    if (n == 0)
        return v;
    if (is_plain(p, n))
        return value_text(keep(p, n, arena));
    clean = charset_device_text(p, n, DECODE_MAX_TEXT);
    if (*clean)
        v = value_text(keep(clean, strlen(clean), arena));
    free(clean);
    return v;
}

/* Writes n in decimal at p; gives the place behind it. */
static char *put_u32(char *p, uint32_t n)
{
    char digits[10];
    size_t i = 0;

    do
        digits[i++] = (char)('0' + n % 10);
    while (n /= 10);
    while (i > 0)
        *p++ = digits[--i];
    return p;
}

const char *decode_dotted(const uint32_t *v, size_t n, struct arena *arena)
{
    char *s = arena_alloc(arena, n * 11 + 1), *p = s; /* at most ten digits and a dot each */

    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            *p++ = '.';
        p = put_u32(p, v[i]);
    }
    *p = '\0';
    return s;
}

const char *decode_decimal(int64_t n, struct arena *arena)
{
    char digits[24], *p = digits + sizeof digits;
    uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;

    do
        *--p = (char)('0' + left % 10);
    while (left /= 10);
    if (n < 0)
        *--p = '-';
    return keep(p, (size_t)(digits + sizeof digits - p), arena);
}

struct value decode_hex(const uint8_t *p, size_t n, struct arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    char *s, *to;

    if (n == 0 || n > DECODE_MAX_TEXT / 3)
        return value_unknown(n == 0 ? WHY_ABSENT : WHY_RANGE);
    s = to = arena_alloc(arena, n * 3);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            *to++ = ':';
        *to++ = digits[p[i] >> 4];
        *to++ = digits[p[i] & 15];
    }
    *to = '\0';
    return value_text(s);
}

/* An address that is written as text, if it is one. */
static bool written_ip(const uint8_t *p, size_t n, uint8_t octets[static 16], int *family)
{
    char text[INET6_ADDRSTRLEN];

    if (n >= sizeof text || memchr(p, '\0', n))
        return false;
    memcpy(text, p, n);
    text[n] = '\0';
    *family = strchr(text, ':') ? AF_INET6 : AF_INET;
    return inet_pton(*family, text, octets) == 1;
}

struct value decode_ip(const uint8_t *p, size_t n, struct arena *arena)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t octets[16];
    int family = n == 4 ? AF_INET : AF_INET6;

    if (n == 0)
        return value_unknown(WHY_ABSENT);
    if (n == 4 || n == 16)
        memcpy(octets, p, n);
    if (n != 4 && !written_ip(p, n, octets, &family) && n != 16)
        return value_unknown(WHY_TYPE);
    if (!inet_ntop(family, octets, text, sizeof text))
        return value_unknown(WHY_TYPE);
    return value_text(keep(text, strlen(text), arena));
}

/* DateAndTime (RFC 2579): year, month, day, hour, minute, second, tenths; then perhaps the distance from UTC. */
struct value decode_date(const uint8_t *p, size_t n, struct arena *arena)
{
    static const uint8_t least[] = {1, 1, 0, 0, 0, 0}, most[] = {12, 31, 23, 59, 60, 9};
    unsigned year = n >= 2 ? (unsigned)(p[0] << 8 | p[1]) : 0;
    char text[40];
    int len;

    if (n == 0)
        return value_unknown(WHY_ABSENT);
    if ((n != 8 && n != 11) || year > 9999)
        return value_unknown(WHY_TYPE);
    if (year == 0) /* a clock that nobody set */
        return value_unknown(WHY_ABSENT);
    for (size_t i = 0; i < sizeof least; i++)
        if (p[2 + i] < least[i] || p[2 + i] > most[i])
            return value_unknown(WHY_TYPE);
    len = snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u", year, p[2], p[3], p[4], p[5], p[6]);
    if (n == 11) {
        if ((p[8] != '+' && p[8] != '-') || p[9] > 14 || p[10] > 59)
            return value_unknown(WHY_TYPE);
        len += snprintf(text + len, sizeof text - (size_t)len, "%c%02u:%02u", p[8], p[9], p[10]);
    }
    return value_text(keep(text, (size_t)len, arena));
}
