#ifndef PD_SIM_PRESS_H
#define PD_SIM_PRESS_H

#include "base/clock.h"
#include "base/wheel.h"
#include "gather/render.h"

/*
 * What stands in patrol-report's place in virtual time: it leaves the document
 * of each report in a folder on the real disk, as it was handed over, and says
 * that its files are there.
 */
struct press {
    const char *folder; /* of the documents; must be there */
    struct pd_clock clock;
    struct wheel *wheel; /* of this life of patrold */
    struct timer timer;
    int err;
    void (*done)(void *arg, int err, const char *why);
    void *arg;
};

/* The press stays where it is while the renderer is used. */
struct renderer press_ops(struct press *p);

#endif
