#include "notify/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

struct reader {
    const char *p;
};

static void skip_space(struct reader *r)
{
    r->p += strspn(r->p, " \t\r\n");
}

static bool take(struct reader *r, char c)
{
    skip_space(r);
    if (*r->p != c)
        return false;
    r->p++;
    return true;
}

static int hex4(const char *p)
{
    int n = 0;

    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF", *d = p[i] ? strchr(digits, p[i]) : NULL;

        if (!d)
            return -1;
        n = n * 16 + (int)((d - digits) % 16);
    }
    return n;
}

static void add_utf8(struct sbuf *b, unsigned c)
{
    if (c < 0x80) {
        sbuf_addc(b, (char)c);
        return;
    }
    if (c < 0x800) {
        sbuf_addc(b, (char)(0xc0 | c >> 6));
    } else if (c < 0x10000) {
        sbuf_addc(b, (char)(0xe0 | c >> 12));
        sbuf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
    } else {
        sbuf_addc(b, (char)(0xf0 | c >> 18));
        sbuf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
        sbuf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
    }
    sbuf_addc(b, (char)(0x80 | (c & 0x3f)));
}

/* After "\u". A pair of surrogates is one character; a lone one is none. */
static bool read_unicode(struct reader *r, struct sbuf *b)
{
    int c = hex4(r->p), low;

    if (c <= 0)
        return false;
    r->p += 4;
    if (c >= 0xd800 && c < 0xdc00) {
        low = r->p[0] == '\\' && r->p[1] == 'u' ? hex4(r->p + 2) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return false;
        r->p += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c >= 0xdc00 && c < 0xe000) {
        return false;
    }
    add_utf8(b, (unsigned)c);
    return true;
}

static bool read_escape(struct reader *r, struct sbuf *b)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = *r->p ? strchr(from, *r->p) : NULL;

    if (*r->p == 'u') {
        r->p++;
        return read_unicode(r, b);
    }
    if (!at)
        return false;
    sbuf_addc(b, to[at - from]);
    r->p++;
    return true;
}

static char *read_text(struct reader *r)
{
    struct sbuf b = {0};
    size_t plain;

    if (!take(r, '"'))
        return NULL;
    for (;;) {
        plain = strcspn(r->p, "\"\\");
        sbuf_addn(&b, r->p, plain);
        r->p += plain;
        if (*r->p == '"') {
            r->p++;
            return sbuf_take(&b);
        }
        if (!*r->p || (r->p++, !read_escape(r, &b))) {
            sbuf_free(&b);
            return NULL;
        }
    }
}

static char *read_value(struct reader *r)
{
    size_t n;
    char *word;

    skip_space(r);
    if (*r->p == '"')
        return read_text(r);
    n = strspn(r->p, "+-.0123456789abcdefghijklmnopqrstuvwxyzE");
    if (n == 0)
        return NULL;
    word = xstrndup(r->p, n);
    r->p += n;
    return word;
}

static bool read_member(struct reader *r, struct args *a)
{
    char *name = read_text(r), *value = name && take(r, ':') ? read_value(r) : NULL;

    if (name)
        array_push(&a->storage, name);
    if (!value)
        return false;
    array_push(&a->storage, value);
    array_push(&a->list, ((struct text_arg){name, value}));
    return true;
}

int args_parse(struct args *a, const char *json)
{
    struct reader r = {json};

    *a = (struct args){0};
    if (!take(&r, '{'))
        return PD_EINVAL;
    if (!take(&r, '}')) {
        do {
            if (!read_member(&r, a))
                return PD_EINVAL;
        } while (take(&r, ','));
        if (!take(&r, '}'))
            return PD_EINVAL;
    }
    skip_space(&r);
    return *r.p ? PD_EINVAL : 0;
}

void args_fini(struct args *a)
{
    for (size_t i = 0; i < a->storage.n; i++)
        free(a->storage.v[i]);
    array_free(&a->storage);
    array_free(&a->list);
}
