#ifndef PD_BASE_POOL_H
#define PD_BASE_POOL_H

#include <stddef.h>

/*
 * Bytes that many share, kept once: what a hundred thousand devices call a
 * port. What is equal has the same address while anybody holds it. Never listed,
 * so that nothing can depend on an order.
 */
struct pool;

struct pool *pool_new(void);
void pool_free(struct pool *p); /* NULL is fine; whatever is still held goes too */

/* The bytes as the pool keeps them, aligned for anything; to be dropped as often as they were taken. */
const void *pool_take(struct pool *p, const void *bytes, size_t n);
/* Likewise of a text, with its end. */
const char *pool_text(struct pool *p, const char *text);
/* What is held is held once more; gives it back. NULL is fine. */
const void *pool_hold(const void *held);
void pool_drop(struct pool *p, const void *held); /* NULL is fine */

/* How many different ones are held. */
size_t pool_count(const struct pool *p);

#endif
