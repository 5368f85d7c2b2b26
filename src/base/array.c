#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CAP_MIN 8

/*
 * v points at a T * of some T, so it is read and written as bytes: going through
 * a void * lvalue would break the aliasing rules.
 */
void array_grow(void **v, size_t *cap, size_t want, size_t size)
{
    void *p;
    size_t n = *cap ? *cap : CAP_MIN;

    if (want <= *cap)
        return;
    while (n < want)
        n = n > (size_t)-1 / 2 ? want : n * 2;
    memcpy(&p, v, sizeof p);
    p = xreallocarray(p, n, size);
    memcpy(v, &p, sizeof p);
    *cap = n;
}

void array_shrink(void **v, size_t *cap, size_t n, size_t size)
{
    void *p;

    if (n == *cap)
        return;
    if (n == 0) {
        array_release(v);
        *cap = 0;
        return;
    }
    memcpy(&p, v, sizeof p);
    p = xreallocarray(p, n, size);
    memcpy(v, &p, sizeof p);
    *cap = n;
}

void array_cut(void *v, size_t *n, size_t i, size_t size)
{
    char *at = (char *)v + i * size;

    memmove(at, at + size, (*n - i - 1) * size);
    (*n)--;
}

void array_release(void **v)
{
    void *p;

    memcpy(&p, v, sizeof p);
    free(p);
    p = NULL;
    memcpy(v, &p, sizeof p);
}
