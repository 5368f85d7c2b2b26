#ifndef PD_GATHER_WORDS_H
#define PD_GATHER_WORDS_H

#include "gather/findings.h"

/* What the report says of what was found, in the reader's language. Texts are to be free()d; NULL: nothing. */

/* A rule's title, else its name. */
const char *words_rule(const struct knowledge *k, const char *rule, enum lang lang);
/* How people call faults of a family; of one that nobody has words for, the rule's title. */
const char *words_family(const struct knowledge *k, const struct found_fault *a, enum lang lang);
/* The part of the device, if it is not the device itself and has a name. */
const char *words_component(const struct found_fault *a);
/* A supply or counter: as the device calls it, else by its kind. */
char *words_series(const struct found_series *s, const struct knowledge *k, enum lang lang);
/* Of texts in each language: the reader's, else English, else the other. */
const char *words_of(char *const texts[LANG_COUNT], enum lang lang);

char *words_worry(const struct findings *f, const struct found_device *d, const struct knowledge *k, enum lang lang);
char *words_title(const struct found_ticket *t, const struct knowledge *k, enum lang lang);
char *words_remark(const struct findings *f, enum lang lang);

/* Calls fn with each thing that is recommended, the gravest first; no more than a reader takes in. */
void words_recommend(const struct findings *f, const struct knowledge *k, enum lang lang,
                     void (*fn)(void *ctx, const char *text), void *ctx);

/* Maintenance that is to be expected. The day is 0 where there is none. */
struct foreseen {
    ptrdiff_t device; /* its place; -1: the whole site */
    const char *what, *why;
    int64_t day;
};
void words_foresee(const struct findings *f, const struct knowledge *k, enum lang lang,
                   void (*fn)(void *ctx, const struct foreseen *s), void *ctx);

#endif
