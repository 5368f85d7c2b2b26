#ifndef PD_BASE_MEM_H
#define PD_BASE_MEM_H

#include <stddef.h>

/*
 * Allocation that does not fail: when memory runs out the process says so and
 * aborts (the service manager restarts it). Sizes that come from the wire are
 * bounded by the caller before they get here. Free with free().
 */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* xstrdup() that passes NULL through. */
char *xstrdup_null(const char *s);

/* Frees *dst and puts a copy of src (may be NULL) in its place; src may lie within *dst. */
void xstrset(char **dst, const char *src);

/* Begins to bring memory into the processor's caches, for who comes back to it in a few microseconds. */
static inline void mem_fetch(const void *p, size_t n)
{
    enum { CACHE_LINE = 64 };

    for (size_t i = 0; i < n; i += CACHE_LINE)
        __builtin_prefetch((const char *)p + i);
}

#endif
