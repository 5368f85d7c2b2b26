#ifndef PD_SIM_SITE_H
#define PD_SIM_SITE_H

#include "machine.h"
#include "truth.h"

/*
 * The client site: its machines, living through a story's happenings. Whoever
 * owns the clock moves it on; it tells what becomes true of its machines at the
 * very moment it does, for the judge, and what befalls patrold itself.
 */
struct site_ops {
    struct truths *truths; /* told what is true; NULL: nobody wants to know */
    double blind_chance;   /* of a request lost with all its tries, beyond which nothing is expected of a machine */
    /* patrold is killed, and started again after down_ms. */
    void (*killed)(void *ctx, int64_t down_ms);
    void (*clock_step)(void *ctx, int64_t ms);
    /* Somebody tells patrold something; args is JSON. */
    void (*command)(void *ctx, const char *name, const char *args);
    void *ctx;
};

struct site;

/* The story outlives the site. */
struct site *site_new(const struct story *story, const struct site_ops *ops);
void site_free(struct site *s);
/* The story is over: what was possible to its end is told. */
void site_end(struct site *s, int64_t now_ms);

/* When something happens next; INT64_MAX: nothing more. */
int64_t site_next(const struct site *s);
/* Lets everything happen that is due. */
void site_advance(struct site *s, int64_t now_ms);

size_t site_count(const struct site *s);
struct machine *site_machine(struct site *s, size_t i);
/* Who is at an address now; NULL: nobody. */
struct machine *site_find(struct site *s, const char *address);
/* The same of several units behind a gateway; unit 0: the first. */
struct machine *site_find_unit(struct site *s, const char *address, unsigned unit);
/* % of packets that are lost on the way to or from a machine now. */
double site_loss(const struct site *s, const struct machine *m);

#endif
