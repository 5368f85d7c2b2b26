#ifndef PD_WATCH_EXPLAIN_H
#define PD_WATCH_EXPLAIN_H

#include "watch/normalise.h"

/*
 * Where a point comes from and why it is not good, for people who ask: which
 * column tells it or is to blame, where the device keeps that, and what it sent.
 */
struct reason {
    enum why why; /* NONE: the point is good, was good once, or nobody has read it yet */
    enum quality quality;
    const struct module *module; /* whose rule it is; NULL: nobody tells */
    const struct component_def *def;
    const struct point_rule *rule;
    char *column; /* "level", "entity.name", a name that is computed; NULL: none alone is to blame */
    char *source; /* its address, with instance where that is known; NULL: it has none */
    bool has_raw; /* the device sent a number: */
    int64_t raw;
};

/* Whose point it is, as it was found last. */
struct finding_place {
    const struct kind *kind;
    const struct module *module; /* and the definition that found it; NULL: nobody has */
    const struct component_def *def;
    const uint32_t *instance;
    size_t ninstance;
};
/* Free with reason_fini(). */
struct reason explain_point(const struct normaliser *n, const struct finding_place *at, unsigned point, struct value v);
void reason_fini(struct reason *r);

/* What a slot of a definition's rows is called; free() it. */
char *explain_slot(const struct module *m, const struct component_def *def, unsigned slot);

#endif
