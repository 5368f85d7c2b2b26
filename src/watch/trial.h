#ifndef PD_WATCH_TRIAL_H
#define PD_WATCH_TRIAL_H

#include "watch/explain.h"
#include "watch/recording.h"

/*
 * A profile tried on a recording, without a device: what it makes of it, row by
 * row, and where each value comes from.
 */

/* What a recording says about recognition. Profiles are the knowledge's. */
struct trial_identity {
    bool asked;                   /* false: by its collector nothing can be asked about what a device is */
    const struct profile *chosen; /* who would get the device; NULL: nobody */
    bool fits;                    /* whether the profile that is tried may have it */
    char *object_id;              /* what it says it is; NULL: nothing */
    char *texts[PROFILE_TEXTS];   /* by the profile that is tried, or its modules; NULL: unknown */
};
struct trial_identity trial_identify(const struct knowledge *k, const struct profile *p, struct recording *r);
void trial_identity_fini(struct trial_identity *id);

/* A point of what was found: only those that the profile's modules tell. */
struct trial_point {
    const struct found *found;
    const struct point_def *point;
    struct value value;
    const struct reason *reason; /* why it is not good; where it comes from in any case */
};
/* Calls each for every point, in order of definition and instance. */
void trial_run(const struct profile *p, struct recording *r, void (*each)(void *ctx, const struct trial_point *t),
               void *ctx);

/* The collector that reads the profile; NULL: it has nothing to read. */
const char *trial_collector(const struct profile *p);
/* Calls each for what that collector has to read for identification and the profile, some of it twice. */
void trial_sources(const struct knowledge *k, const struct profile *p,
                   void (*each)(void *ctx, const char *address, bool table), void *ctx);

#endif
