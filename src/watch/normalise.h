#ifndef PD_WATCH_NORMALISE_H
#define PD_WATCH_NORMALISE_H

#include "model/knowledge.h"
#include "plugin/plugin.h"

/*
 * Cells -> components and points, by the modules' rules of meaning alone: it
 * sees numbered slots of a row, never an OID. One normaliser per profile,
 * shared by its devices; one batch per read under way.
 */
struct normaliser;
struct batch;

/* Prepares a profile. profile and its modules outlive it. */
struct normaliser *normaliser_new(const struct profile *p);
void normaliser_free(struct normaliser *n);

/* What the collector has to read: profile->sources as pd_source, ids in place; borrowed. */
const struct pd_source *normaliser_sources(const struct normaliser *n, size_t *count);

struct batch *batch_new(const struct normaliser *n);
void batch_free(struct batch *b);
/* Empties for the next read, keeping storage: batches are pooled. */
void batch_reset(struct batch *b);
/* Begins to bring the batch's memory into the caches: cells are about to come. */
void batch_fetch(const struct batch *b);
/* Takes cells as they come. Hostile ones (unknown source, too many rows: 10,000 a table) are dropped and counted. */
void batch_add(struct batch *b, const struct pd_cell *cells, size_t n);

/* One component as read: texts and points are borrowed until another batch of the normaliser is finished. */
struct found {
    const struct kind *kind;
    const struct module *module;
    const struct component_def *def;
    const char *key, *label;
    const uint32_t *instance;
    size_t ninstance;
    const struct value *points; /* kind->points.n; those the module does not tell are VALUE_NONE unknown */
    const struct value *told;   /* of the points those that the modules tell of the kind, in order of their slots */
    /* The slots of def's expressions as read: its columns, then ROW_INDEX_SLOTS, then what was joined; of the first row
     * where rows were merged. Identification reads the columns here. */
    const struct value *row;
};
/*
 * Reckons everything out, in order of definition and instance. A component is
 * found once: two rows of one kind and key are merged, a point that is good
 * before one that is not. complete tells for parts whether rows that were not
 * found are really gone.
 */
void batch_finish(struct batch *b, void (*fn)(void *ctx, const struct found *f), void *ctx);
/* Likewise with what is told alone: points is NULL. */
void batch_finish_told(struct batch *b, void (*fn)(void *ctx, const struct found *f), void *ctx);

/* The slots of a component of single values, as batch_finish() left them; NULL where nothing of it was read, or its
 * `when` is not true. */
const struct value *batch_single(const struct batch *b, const struct component_def *def);

/*
 * Which slot of which definition's row a point comes from, or is to blame that it is not good: `slot` of the values of
 * points counts the slots of all definitions.
 */
struct blame {
    const struct module *module;
    const struct component_def *def;
    unsigned slot;
};
/* False where nobody told the point, or no slot alone did. */
bool normaliser_blame(const struct normaliser *n, struct value point, struct blame *out);

/* Cells dropped since batch_new(). */
uint64_t batch_dropped(const struct batch *b);

#endif
