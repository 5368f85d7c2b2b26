#ifndef PD_BASE_ARRAY_H
#define PD_BASE_ARRAY_H

#include <stddef.h>

/*
 * A growing array, typed: ARRAY(struct device *) devices = {0};
 * Elements are at devices.v[0 .. devices.n-1]; push may move them.
 */
#define ARRAY(T)                                                                                                       \
    struct {                                                                                                           \
        T *v;                                                                                                          \
        size_t n, cap;                                                                                                 \
    }

/* Makes room for at least `want` elements in all. */
#define array_reserve(a, want)                                                                                         \
    do {                                                                                                               \
        size_t array_want = (want);                                                                                    \
                                                                                                                       \
        if (array_want > (a)->cap)                                                                                     \
            array_grow((void **)&(a)->v, &(a)->cap, array_want, sizeof *(a)->v);                                       \
    } while (0)

/* Gives back room beyond its elements: for arrays that are kept by the hundred thousand. */
#define array_fit(a) array_shrink((void **)&(a)->v, &(a)->cap, (a)->n, sizeof *(a)->v)

/* Appends a copy of x. */
#define array_push(a, x)                                                                                               \
    do {                                                                                                               \
        array_reserve((a), (a)->n + 1);                                                                                \
        (a)->v[(a)->n++] = (x);                                                                                        \
    } while (0)

/* Removes element i, keeping the order of the rest. */
#define array_remove(a, i) array_cut((a)->v, &(a)->n, (i), sizeof *(a)->v)

/* Frees the elements' storage (not what they point at) and empties the array. */
#define array_free(a)                                                                                                  \
    do {                                                                                                               \
        array_release((void **)&(a)->v);                                                                               \
        (a)->n = (a)->cap = 0;                                                                                         \
    } while (0)

void array_grow(void **v, size_t *cap, size_t want, size_t size);
void array_shrink(void **v, size_t *cap, size_t n, size_t size);
void array_cut(void *v, size_t *n, size_t i, size_t size);
void array_release(void **v);

#endif
