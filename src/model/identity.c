#include "model/identity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const char *const prefixes[] = {"", "place:", "engine:", "mac:", "serial:"};

/* Letters and digits, in capitals; bytes of other writings stay as they are. */
static char *normal(const char *text)
{
    struct sbuf out = {0};

    for (const char *p = text; *p; p++)
        if (isalnum((unsigned char)*p) || (unsigned char)*p >= 0x80)
            sbuf_addc(&out, (char)toupper((unsigned char)*p));
    return out.n ? sbuf_take(&out) : xstrdup("");
}

/* ---- Serial numbers ---- */

static bool one_sign(const char *s)
{
    return strspn(s, (const char[]){*s, '\0'}) == strlen(s);
}

/* "1234567", "01234567": nothing but digits that follow one another. */
static bool counts(const char *s)
{
    for (const char *p = s; p[1]; p++)
        if (!isdigit((unsigned char)p[1]) || (p[1] - '0') != (p[0] - '0' + 1) % 10)
            return false;
    return isdigit((unsigned char)*s);
}

static bool placeholder(const char *s)
{
    static const char *const words[] = {
        "NONE",
        "NULL",
        "UNKNOWN",
        "UNDEFINED",
        "NOTAVAILABLE",
        "NOTSET",
        "NOTSPECIFIED",
        "NOTSUPPORTED",
        "NOSERIAL",
        "DEFAULT",
        "DEFAULTSTRING",
        "TOBEFILLEDBYOEM",
        "OEM",
        "SERIAL",
        "SERIALNUMBER",
        "SN",
        "SYSTEMSERIAL",
        "SYSTEMSERIALNUMBER",
        "CHASSISSERIALNUMBER",
        "INVALID",
        "EMPTY",
        "PRIVATE",
        "TBD",
        "TEST",
        "ABCDEFGH",
        "NOTAPPLICABLE",
        "UNSPECIFIED",
        "NOTDEFINED",
        "UNINITIALIZED",
        "FFFFFFFF",
        "XXXXXXXX",
        "SAMPLE",
        "NOTPROGRAMMED",
        "UNASSIGNED",
        "BLANK",
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(s, words[i]) == 0)
            return true;
    return false;
}

bool serial_plausible(const char *serial)
{
    enum { SHORTEST = 4, LONGEST = 64 };
    char *s = serial ? normal(serial) : xstrdup("");
    size_t n = strlen(s);
    const char *core = s + strspn(s, "0"); /* leading zeroes tell nothing */
    bool good = n >= SHORTEST && n <= LONGEST && *core && !one_sign(core) && !counts(s) && !placeholder(s);

    free(s);
    return good;
}

/* ---- Octets ---- */

enum { MAX_OCTETS = 32 };

/* "00:11:22" -> octets; 0 where it is none, or longer than any engine's name. */
static size_t octets_of(const char *text, unsigned char out[static MAX_OCTETS])
{
    size_t n = 0;

    for (const char *p = text ? text : ""; *p; p += p[2] ? 3 : 2) {
        const char pair[3] = {p[0], p[1], '\0'};

        if (n == MAX_OCTETS || !isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) ||
            (p[2] && (p[2] != ':' || !p[3])))
            return 0;
        out[n++] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return n;
}

static bool all_alike(const unsigned char *o, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (o[i] != o[0])
            return false;
    return true;
}

/* By equal steps: 00:01:02:03:04:05, 00:11:22:33:44:55. */
static bool steps(const unsigned char *o, size_t n)
{
    for (size_t i = 2; i < n; i++)
        if (o[i] - o[i - 1] != o[1] - o[0])
            return false;
    return true;
}

static bool good_mac(const unsigned char *o, size_t n)
{
    enum { OCTETS = 6, GROUP = 1, LOCAL = 2 };
    /* Virtual routers share them: VRRP (RFC 5798), GLBP, HSRP. */
    static const unsigned char vrrp[] = {0, 0, 0x5e}, glbp[] = {0, 7, 0xb4}, hsrp[] = {0, 0, 0x0c, 7, 0xac};

    if (n != OCTETS || (o[0] & (GROUP | LOCAL)) || all_alike(o, n) || steps(o, n))
        return false;
    return memcmp(o, vrrp, sizeof vrrp) != 0 && memcmp(o, glbp, sizeof glbp) != 0 && memcmp(o, hsrp, sizeof hsrp) != 0;
}

bool mac_plausible(const char *mac)
{
    unsigned char o[MAX_OCTETS];

    return good_mac(o, octets_of(mac, o));
}

/*
 * RFC 3411: with the first bit the fifth octet says what the rest is. Addresses (1, 2) move with the device, texts (4) are
 * often alike, and what a maker does by its own rules (128 and above) may be new at each start.
 */
static bool good_engine(const unsigned char *o, size_t n)
{
    enum { SHORTEST = 9, FORMAT = 4, OF_MAC = 3, OF_OCTETS = 5, MAC = 5, OLD = 12 };

    if (n < SHORTEST || all_alike(o + FORMAT, n - FORMAT))
        return false;
    if (!(o[0] & 0x80))
        return n == OLD;
    return o[FORMAT] == OF_OCTETS || (o[FORMAT] == OF_MAC && good_mac(o + MAC, n - MAC));
}

/* ---- Identities ---- */

static char *by_octets(enum identity_rank rank, const char *text)
{
    unsigned char o[MAX_OCTETS];
    size_t n = octets_of(text, o);
    struct sbuf out = {0};

    if (rank == IDENTITY_MAC ? !good_mac(o, n) : !good_engine(o, n))
        return NULL;
    sbuf_add(&out, prefixes[rank]);
    for (size_t i = 0; i < n; i++)
        sbuf_addf(&out, "%02x", o[i]);
    return sbuf_take(&out);
}

static char *by_serial(const char *make, const char *serial)
{
    char *number, *maker, *text;

    if (!serial_plausible(serial))
        return NULL;
    number = normal(serial);
    maker = normal(make ? make : "");
    text = xasprintf("%s%s:%s", prefixes[IDENTITY_SERIAL], maker, number);
    free(number);
    free(maker);
    return text;
}

char *identity_of_rank(const struct identity_marks *m, enum identity_rank rank)
{
    switch (rank) {
    case IDENTITY_SERIAL:
        return by_serial(m->make, m->serial);
    case IDENTITY_MAC:
        return by_octets(rank, m->mac);
    case IDENTITY_ENGINE:
        return by_octets(rank, m->engine_id);
    case IDENTITY_PLACE:
        return m->place ? xasprintf("%s%s", prefixes[rank], m->place) : NULL;
    case IDENTITY_NONE:
        break;
    }
    return NULL;
}

char *identity_best(const struct identity_marks *m)
{
    char *best = NULL;

    for (int rank = IDENTITY_SERIAL; rank > IDENTITY_NONE && !best; rank--)
        best = identity_of_rank(m, (enum identity_rank)rank);
    return best;
}

enum identity_rank identity_rank(const char *identity)
{
    for (int rank = IDENTITY_SERIAL; identity && rank > IDENTITY_NONE; rank--)
        if (str_starts(identity, prefixes[rank]))
            return (enum identity_rank)rank;
    return IDENTITY_NONE;
}

bool identity_same(const char *a, const char *b)
{
    if (identity_rank(a) != identity_rank(b))
        return false;
    if (identity_rank(a) == IDENTITY_SERIAL)
        return strcmp(strrchr(a, ':'), strrchr(b, ':')) == 0;
    return str_eq(a, b);
}
