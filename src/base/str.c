#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CAP_MIN 64

/* Room for n more bytes and the closing NUL. */
static void reserve(struct sbuf *b, size_t n)
{
    size_t want, cap = b->cap ? b->cap : CAP_MIN;

    if (__builtin_add_overflow(b->n, n, &want) || want >= SIZE_MAX / 2)
        want = SIZE_MAX / 2; /* more than any machine has: the allocation says so */
    if (want < b->cap)
        return;
    while (cap <= want)
        cap *= 2;
    b->s = xreallocarray(b->s, cap, 1);
    b->cap = cap;
}

void sbuf_add(struct sbuf *b, const char *s)
{
    sbuf_addn(b, s, strlen(s));
}

void sbuf_addn(struct sbuf *b, const void *p, size_t n)
{
    reserve(b, n);
    if (n > 0)
        memcpy(b->s + b->n, p, n);
    b->n += n;
    b->s[b->n] = '\0';
}

void sbuf_addc(struct sbuf *b, char c)
{
    sbuf_addn(b, &c, 1);
}

void sbuf_addf(struct sbuf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sbuf_vaddf(b, fmt, ap);
    va_end(ap);
}

void sbuf_vaddf(struct sbuf *b, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    reserve(b, CAP_MIN);
    va_copy(again, ap);
    n = vsnprintf(b->s + b->n, b->cap - b->n, fmt, ap);
    if (n >= 0 && (size_t)n >= b->cap - b->n) {
        reserve(b, (size_t)n);
        n = vsnprintf(b->s + b->n, b->cap - b->n, fmt, again);
    }
    va_end(again);
    if (n > 0)
        b->n += (size_t)n;
    b->s[b->n] = '\0';
}

char *sbuf_take(struct sbuf *b)
{
    char *s = b->s ? b->s : xstrdup("");

    *b = (struct sbuf){0};
    return s;
}

void sbuf_reset(struct sbuf *b)
{
    b->n = 0;
    if (b->s)
        b->s[0] = '\0';
}

void sbuf_free(struct sbuf *b)
{
    free(b->s);
    *b = (struct sbuf){0};
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_eq(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

#define NEAREST_LEN 63

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

/* How many letters must be added, dropped, changed or swapped with their neighbour (optimal string alignment). */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
    unsigned rows[3][NEAREST_LEN + 1];

    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            row[j] = min3(up[j] + 1, row[j - 1] + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && up2[j - 2] + 1 < row[j])
                row[j] = up2[j - 2] + 1;
        }
    }
    return rows[na % 3][nb];
}

const char *str_nearest(const char *s, const char *const *list)
{
    size_t n = strlen(s);
    const char *nearest = NULL;
    unsigned best = (unsigned)n / 3 + 1; /* one slip in three letters is still a typo */

    if (n > NEAREST_LEN)
        return NULL;
    for (; *list; list++) {
        size_t len = strlen(*list);
        unsigned d;

        if (len > NEAREST_LEN)
            continue;
        d = distance(s, n, *list, len);
        if (d < len && (d < best || (d == best && !nearest))) {
            best = d;
            nearest = *list;
        }
    }
    return nearest;
}
