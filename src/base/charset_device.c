#include "base/charset.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

/*
 * What a device's text is written in nobody says, so every charset that the
 * octets can be is looked at and the most plausible one wins: points for what
 * people write in it, points off for what hardly anybody does. A charset in which
 * the octets are no text at all has none.
 */
enum {
    IMPOSSIBLE = -1000000,
    COMMON = 20, /* a character that most texts of the kind are made of */
    USUAL = 10,
    ODD = -10,
    RARE = -30,
    CUT = -15,    /* half a character at the very end: the text was cut */
    LONELY = -15, /* an ideograph between Latin letters */
};

/* No text is longer that is looked at: names have at most 255 octets, descriptions seldom more. */
enum { LOOK_AT = 4096 };

static bool is_latin(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool between_latin(const uint8_t *p, size_t n, size_t at, size_t len)
{
    return at > 0 && is_latin(p[at - 1]) && at + len < n && is_latin(p[at + len]);
}

/* GBK: two octets, the ideographs of GB 2312 by how common they are, then what was added to it. */
static int gbk_character(uint8_t lead, uint8_t trail)
{
    if (trail < 0x40 || trail == 0x7f || trail == 0xff)
        return IMPOSSIBLE;
    if (lead < 0xa1 || trail < 0xa1)
        return RARE;
    if (lead >= 0xb0 && lead <= 0xd7)
        return COMMON;
    if (lead >= 0xd8 && lead <= 0xf7)
        return USUAL;
    return lead <= 0xa3 ? USUAL : ODD;
}

static int gbk_points(const uint8_t *p, size_t n)
{
    int points = 0;

    for (size_t i = 0; i < n; i++) {
        int character;

        if (p[i] < 0x80)
            continue;
        if (p[i] == 0x80 || p[i] == 0xff)
            return IMPOSSIBLE;
        if (i + 1 == n)
            return points + CUT;
        character = gbk_character(p[i], p[i + 1]);
        if (character == IMPOSSIBLE)
            return IMPOSSIBLE;
        points += character + (between_latin(p, n, i, 2) ? LONELY : 0);
        i++;
    }
    return points;
}

/* Shift-JIS: two octets, kana and ideographs of the first level before all others. */
static int sjis_character(uint8_t lead, uint8_t trail)
{
    if (trail < 0x40 || trail == 0x7f || trail > 0xfc)
        return IMPOSSIBLE;
    if ((lead == 0x82 && trail >= 0x9f) || (lead == 0x83 && trail <= 0x96))
        return COMMON;
    if (lead >= 0x88 && lead <= 0x97)
        return USUAL + 5;
    if (lead == 0x81 || lead == 0x82)
        return USUAL;
    return lead >= 0xf0 || (lead >= 0x84 && lead <= 0x87) ? RARE : ODD;
}

static int sjis_points(const uint8_t *p, size_t n)
{
    int points = 0;

    for (size_t i = 0; i < n; i++) {
        bool single = p[i] >= 0xa1 && p[i] <= 0xdf; /* katakana of half the width: only several make a word */
        int character;

        if (p[i] < 0x80)
            continue;
        if (single) {
            bool beside =
                (i > 0 && p[i - 1] >= 0xa1 && p[i - 1] <= 0xdf) || (i + 1 < n && p[i + 1] >= 0xa1 && p[i + 1] <= 0xdf);

            points += beside ? USUAL / 2 : ODD;
            continue;
        }
        if (p[i] == 0x80 || p[i] == 0xa0 || p[i] > 0xfc)
            return IMPOSSIBLE;
        if (i + 1 == n)
            return points + CUT;
        character = sjis_character(p[i], p[i + 1]);
        if (character == IMPOSSIBLE)
            return IMPOSSIBLE;
        points += character + (between_latin(p, n, i, 2) ? LONELY : 0);
        i++;
    }
    return points;
}

/* Latin-1: letters with marks stand alone or in twos among plain ones; signs stand beside numbers. */
static int latin_points(const uint8_t *p, size_t n)
{
    static const uint8_t signs[] = {0xa3, 0xa7, 0xa9, 0xab, 0xae, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xba, 0xbb};
    int points = 0;

    for (size_t i = 0; i < n; i++) {
        size_t run = i;

        if (p[i] < 0x80)
            continue;
        if (p[i] < 0xa0)
            return IMPOSSIBLE; /* control characters, which no text has */
        while (run < n && p[run] >= 0x80)
            run++;
        run -= i;
        if (run == 1 && (p[i] >= 0xc0 || memchr(signs, p[i], sizeof signs)))
            points += 7;
        else if (run == 2 && p[i] >= 0xc0 && p[i + 1] >= 0xc0)
            points += 4;
        else
            points += ODD * (int)run;
        i += run - 1;
    }
    return points;
}

/* UTF-8, but for a character that was cut at the end. How many octets are whole; 0: it is something else. */
static size_t whole_utf8(const uint8_t *p, size_t n)
{
    size_t at = n;

    while (at > 0 && n - at < 3 && (p[at - 1] & 0xc0) == 0x80)
        at--;
    if (at == 0 || p[at - 1] < 0xc2 || p[at - 1] > 0xf4)
        return 0;
    at--;
    if (!str_utf8_valid(p, at) || n - at >= (p[at] < 0xe0 ? 2u : p[at] < 0xf0 ? 3u : 4u))
        return 0;
    for (size_t i = 0; i < at; i++)
        if (p[i] >= 0x80)
            return at;
    return n - at > 1 ? at : 0; /* a single octet would rather be a letter of Latin-1 */
}

/* ---- Conversion ---- */

static void add_latin(struct sbuf *out, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] >= 0x80)
            sbuf_addc(out, (char)(0xc0 | p[i] >> 6));
        sbuf_addc(out, (char)(p[i] < 0x80 ? p[i] : 0x80 | (p[i] & 0x3f)));
    }
}

/* UTF-16 by its mark, or where it is Latin letters, each beside a zero. NULL: it is something else. */
static const char *utf16_of(const uint8_t *p, size_t n)
{
    size_t even = 0, odd = 0;

    if (n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
        return "UTF-16";
    if (n < 4 || n % 2 != 0)
        return NULL;
    for (size_t i = 0; i < n; i += 2) {
        even += p[i] == 0 && p[i + 1] >= ' ';
        odd += p[i + 1] == 0 && p[i] >= ' ';
    }
    return even == n / 2 ? "UTF-16BE" : odd == n / 2 ? "UTF-16LE" : NULL;
}

/* As much as can be had of it: a text that was cut has half a character at its end. False where it is no such text. */
static bool convert(struct sbuf *out, const char *charset, const uint8_t *p, size_t n)
{
    char *copy = xmemdup(p, n);
    size_t bad = 0;
    int rc = charset_convert(charset, copy, n, out, &bad);

    free(copy);
    if (rc == 0 || (rc == PD_EINVAL && n - bad < 2))
        return true;
    sbuf_reset(out);
    return false;
}

static void convert_likely(struct sbuf *out, const uint8_t *p, size_t n)
{
    int gbk = gbk_points(p, n), sjis = sjis_points(p, n), latin = latin_points(p, n);

    if (sjis > gbk && sjis > latin && sjis > 0 && convert(out, "CP932", p, n))
        return;
    if (gbk > latin && gbk > 0 && convert(out, "GB18030", p, n))
        return;
    if (latin > 0)
        add_latin(out, p, n);
    else
        sbuf_addn(out, p, n); /* nothing makes sense of it: what is no UTF-8 becomes U+FFFD */
}

char *charset_device_text(const void *data, size_t n, size_t max)
{
    const uint8_t *p = data;
    const char *utf16 = utf16_of(p, n);
    struct sbuf out = {0};
    size_t whole;
    char *clean;

    while (n > 0 && p[n - 1] == 0 && !utf16)
        n--; /* it fills a field of fixed size */
    if (n > LOOK_AT)
        n = LOOK_AT;
    if (n == 0 || (!utf16 && str_utf8_valid(p, n)))
        return str_clean(p, n, max);
    if (!utf16 || !convert(&out, utf16, p, n)) {
        whole = whole_utf8(p, n);
        if (whole > 0)
            sbuf_addn(&out, p, whole);
        else
            convert_likely(&out, p, n);
    }
    clean = str_clean(out.s ? out.s : "", out.n, max);
    sbuf_free(&out);
    return clean;
}
