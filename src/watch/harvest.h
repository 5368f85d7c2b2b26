#ifndef PD_WATCH_HARVEST_H
#define PD_WATCH_HARVEST_H

#include "base/arena.h"
#include "base/array.h"
#include "watch/normalise.h"
#include "watch/rows.h"

/*
 * The components that a batch comes to, each once. They are made, told and done
 * with in one go, so all batches of a normaliser use the same ones in turn,
 * which are still at hand in the caches.
 */
struct table_plan;
struct told;

/* A component found, and where it was found last. */
struct finding {
    struct found f;
    struct value *told; /* as f.told, to be filled */
    uint64_t hash;      /* of kind and key */
    uint32_t table;
};

struct harvest {
    ARRAY(struct finding) list;
    uint32_t *buckets; /* place in the list + 1, by hash; a power of two of them */
    size_t nbuckets;
    struct arena arena; /* for what is told, and for texts on the way there */
};

/* Forgets all, and makes room for as many as there are rows. */
void harvest_begin(struct harvest *s, size_t rows);
void harvest_fini(struct harvest *s);

/*
 * The component of a table's row: new, with nothing told, or found before.
 * Another row of the same table is another component, if it may be: it gets its
 * instance behind its key. told: which points the modules tell of the kind.
 * Good until the next call.
 */
struct finding *harvest_take(struct harvest *s, uint32_t table, const struct table_plan *plan, const struct told *told,
                             const struct row *row, const char *key);

#endif
