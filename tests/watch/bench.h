#ifndef PD_TESTS_WATCH_BENCH_H
#define PD_TESTS_WATCH_BENCH_H

#include "conf/conf.h"
#include "watch/normalise.h"

/* A profile under test, its batch, and what was found. */
struct bench {
    struct knowledge *k;
    const struct profile *p;
    struct normaliser *n;
    struct batch *b;
    const struct pd_source *sources;
    size_t nsources;
    struct found found[256];
    size_t nfound;
};

/* The profile as knowledge in a folder below the sources has it. */
struct bench bench_new(const char *folder, const char *profile);
void bench_free(struct bench *t);
/* The source that reads an address in a part of a poll; fails the test where there is none. */
uint32_t bench_source(const struct bench *t, const char *address, unsigned part);
/* Adds one cell of part status: of row `index`, or a scalar where it is 0. */
void bench_add(struct bench *t, const char *address, uint32_t index, struct pd_cell c);
void bench_add_at(struct bench *t, const char *address, unsigned part, const uint32_t *instance, size_t n,
                  struct pd_cell c);
struct pd_cell cell_int(int64_t i);
struct pd_cell cell_bytes(const void *p, size_t n);
struct pd_cell cell_text(const char *s);
void bench_finish(struct bench *t);
/* A point of the component with this key. */
struct value bench_point(const struct bench *t, const char *key, const char *name);
void assert_value(struct value have, struct value want);

#endif
