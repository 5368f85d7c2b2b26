#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nothing here may allocate, so neither stdio nor the log. */
static _Noreturn void out_of_memory(void)
{
    static const char msg[] = "level=error sub=mem msg=\"out of memory\"\n";

    if (write(STDERR_FILENO, msg, sizeof msg - 1) < 0)
        abort();
    abort();
}

static void *must(void *p)
{
    if (!p)
        out_of_memory();
    return p;
}

void *xmalloc(size_t size)
{
    return must(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
    return must(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes))
        out_of_memory();
    return must(realloc(p, bytes ? bytes : 1));
}

char *xstrdup(const char *s)
{
    return xmemdup(s, strlen(s) + 1);
}

char *xstrndup(const char *s, size_t n)
{
    return must(strndup(s, n));
}

void *xmemdup(const void *p, size_t n)
{
    void *copy = xmalloc(n);

    if (n)
        memcpy(copy, p, n);
    return copy;
}

char *xasprintf(const char *fmt, ...)
{
    va_list ap;
    char *s = NULL;

    va_start(ap, fmt);
    if (vasprintf(&s, fmt, ap) < 0)
        out_of_memory();
    va_end(ap);
    return s;
}

char *xstrdup_null(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

void xstrset(char **dst, const char *src)
{
    char *old = *dst;

    *dst = xstrdup_null(src);
    free(old);
}
