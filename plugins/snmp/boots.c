#include "plugins/snmp/boots.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"

enum { MAX_FILE = 4096, RANDOM = 12, PRIVATE_ONLY = 0600, OCTETS = 5 };

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* The id at the beginning of text, and what follows it; NULL for none. */
static const char *read_engine(const char *text, struct snmp_boots *b)
{
    for (b->nengine = 0; hex_digit(text[0]) >= 0 && hex_digit(text[1]) >= 0; text += 2) {
        if (b->nengine == USM_MAX_ENGINE)
            return NULL;
        b->engine[b->nengine++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
    }
    return b->nengine < USM_MIN_ENGINE ? NULL : text;
}

static bool parse(const char *text, struct snmp_boots *b)
{
    static const char first[] = "engine ", second[] = "\nboots ";
    const char *rest = str_starts(text, first) ? read_engine(text + strlen(first), b) : NULL;
    char *end;
    intmax_t boots;

    if (!rest || !str_starts(rest, second))
        return false;
    rest += strlen(second);
    boots = strtoimax(rest, &end, 10);
    if (end == rest || strcmp(end, "\n") != 0 || boots < 1 || boots >= INT32_MAX - 1)
        return false;
    b->boots = (int32_t)boots;
    return true;
}

/* An id of octets that are nobody's (RFC 3411, SnmpEngineID, format 5), with no enterprise, since we have none. */
static void begin_anew(struct snmp_boots *b, const struct pd_rng *rng)
{
    static const uint8_t head[] = {0x80, 0, 0, 0, OCTETS};

    memcpy(b->engine, head, sizeof head);
    rng->fill(rng->ctx, b->engine + sizeof head, RANDOM);
    b->nengine = sizeof head + RANDOM;
    b->boots = 0;
}

static int store(const char *path, const struct snmp_boots *b)
{
    struct sbuf text = {0};
    int rc;

    sbuf_add(&text, "engine ");
    for (size_t i = 0; i < b->nengine; i++)
        sbuf_addf(&text, "%02x", b->engine[i]);
    sbuf_addf(&text, "\nboots %" PRId32 "\n", b->boots);
    rc = file_write_whole(path, text.s, text.n, PRIVATE_ONLY);
    sbuf_free(&text);
    return rc;
}

int snmp_boots_raise(const char *path, const struct pd_rng *rng, struct snmp_boots *out)
{
    struct snmp_boots b = {0};
    char *text = NULL;
    size_t n;
    int rc = file_read(path, MAX_FILE, &text, &n);

    if (rc < 0 && rc != PD_ENOENT && rc != PD_ERANGE)
        return rc;
    if (rc < 0 || strlen(text) != n || !parse(text, &b)) {
        if (rc != PD_ENOENT)
            log_warn("snmp", "%s makes no sense as 'engine' and 'boots': a new engine of version 3 begins", path);
        begin_anew(&b, rng);
    }
    if (rc == 0)
        free(text);
    b.boots++;
    rc = store(path, &b);
    if (rc == 0)
        *out = b;
    return rc;
}
