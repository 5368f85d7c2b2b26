/* What str.h has for text in UTF-8: checking, cleaning, showing, measuring. */
#include "base/str.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/*
 * Reads one character of the n > 0 bytes at p and gives its length, or 0 if they
 * do not begin with a valid sequence (RFC 3629).
 */
static size_t decode(const unsigned char *p, size_t n, uint32_t *cp)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    uint32_t c;

    if (len == 0 || len > n)
        return 0;
    if (len == 1) {
        *cp = p[0];
        return 1;
    }
    c = p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *cp = c;
    return len;
}

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

/*
 * Separators that break a line, and marks, embeddings, overrides and isolates that reorder what is
 * shown around them.
 */
static bool is_deceptive(uint32_t c)
{
    return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void sbuf_add_json(struct sbuf *b, const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t left, len;
    uint32_t c;

    if (!s) {
        sbuf_add(b, "null");
        return;
    }
    sbuf_addc(b, '"');
    for (left = strlen(s); left > 0; p += len, left -= len) {
        len = decode(p, left, &c);
        if (len == 0) {
            sbuf_add(b, REPLACEMENT);
            len = 1;
        } else if (c == '"' || c == '\\') {
            sbuf_addf(b, "\\%c", (char)c);
        } else if (c == '\n') {
            sbuf_add(b, "\\n");
        } else if (is_control(c)) {
            sbuf_addf(b, "\\u%04x", (unsigned)c);
        } else {
            sbuf_addn(b, p, len);
        }
    }
    sbuf_addc(b, '"');
}

void sbuf_add_visible(struct sbuf *b, const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t len;
    uint32_t c;

    sbuf_addn(b, "", 0);
    for (size_t left = strlen(s); left > 0; p += len, left -= len) {
        len = decode(p, left, &c);
        if (len == 0) {
            sbuf_addf(b, "\\x%02x", *p);
            len = 1;
        } else if (c < 0x20 || c == 0x7f) {
            sbuf_addf(b, "\\x%02x", (unsigned)c);
        } else if (is_control(c) || is_deceptive(c)) {
            sbuf_addf(b, "\\u%04x", (unsigned)c);
        } else {
            sbuf_addn(b, p, len);
        }
    }
}

char *str_clean(const void *data, size_t n, size_t max)
{
    const unsigned char *p = data;
    struct sbuf b = {0};
    bool space = false; /* one is due before the next character */
    uint32_t c;

    while (n > 0) {
        size_t len = decode(p, n, &c), add = len ? len : strlen(REPLACEMENT);

        if (len && (c == ' ' || is_control(c))) {
            /* A run of controls is one space; spaces of the device's own stay as they are. */
            if (c == ' ' && space && b.n < max)
                sbuf_addc(&b, ' ');
            space = b.n > 0;
        } else {
            if (b.n + space + add > max)
                break;
            if (space)
                sbuf_addc(&b, ' ');
            space = false;
            sbuf_addn(&b, len ? (const void *)p : REPLACEMENT, add);
        }
        p += len ? len : 1;
        n -= len ? len : 1;
    }
    while (b.n > 0 && b.s[b.n - 1] == ' ')
        b.s[--b.n] = '\0';
    return sbuf_take(&b);
}

bool str_utf8_valid(const void *data, size_t n)
{
    const unsigned char *p = data;
    uint32_t c;

    while (n > 0) {
        size_t len = decode(p, n, &c);

        if (len == 0)
            return false;
        p += len;
        n -= len;
    }
    return true;
}

struct range {
    uint32_t first, last;
};

/* East Asian Wide and Fullwidth, in the blocks people use. */
static const struct range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},
    {0xa960, 0xa97c},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},
    {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x2fffd}, {0x30000, 0x3fffd},
};

/* Combining marks, joiners, variation selectors. */
static const struct range narrow[] = {
    {0x300, 0x36f},   {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x2069},
    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
};

static bool within(const struct range *r, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].first && c <= r[i].last)
            return true;
    return false;
}

static size_t columns(uint32_t c)
{
    if (is_control(c) || within(narrow, sizeof narrow / sizeof narrow[0], c))
        return 0;
    return within(wide, sizeof wide / sizeof wide[0], c) ? 2 : 1;
}

size_t str_width(const char *utf8)
{
    const unsigned char *p = (const unsigned char *)utf8;
    size_t len, width = 0;
    uint32_t c;

    for (size_t left = strlen(utf8); left > 0; p += len, left -= len) {
        len = decode(p, left, &c);
        width += len ? columns(c) : 1;
        len += len == 0;
    }
    return width;
}

/* Columns of the character that ends just before p, which is not the start of the text. */
static size_t columns_before(const char *start, const char *p)
{
    const char *q = p - 1;
    uint32_t c;

    while (q > start && ((unsigned char)*q & 0xc0) == 0x80)
        q--;
    return decode((const unsigned char *)q, (size_t)(p - q), &c) > 0 ? columns(c) : 0;
}

void str_unfold_wide(char *utf8)
{
    char *out = utf8;

    for (const char *p = utf8; *p; p++) {
        uint32_t next;

        if (*p == ' ' && p[1] && out > utf8 && columns_before(utf8, out) == 2 &&
            decode((const unsigned char *)p + 1, strlen(p + 1), &next) > 0 && columns(next) == 2)
            continue;
        *out++ = *p;
    }
    *out = '\0';
}
