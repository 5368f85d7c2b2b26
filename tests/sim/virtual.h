#ifndef PD_SIM_VIRTUAL_H
#define PD_SIM_VIRTUAL_H

#include "base/clock.h"
#include "base/rng.h"
#include "daemon/core.h"
#include "press.h"
#include "run.h"
#include "scripted.h"
#include "staff.h"
#include "tests/sim/memvfs.h"

enum { VIRTUAL_COLLECTORS = 3 };

/* A world for one patrold: time, chance, disk, network and a mail server, all of them played. For run.c and power.c. */
struct saying {
    struct virtual *virtual;
    char *name, *args;
    bool done; /* patrold acknowledged it */
};

struct virtual
{
    const struct story *story;
    const struct run_options *options;
    struct sbuf *out;
    struct run_result *result;

    struct clock_fake clock;
    struct rng_seeded chance, disk_chance;
    struct memvfs *disk;
    struct site *site;
    struct truths *truths;
    struct staff *staff;
    struct witness witness;
    ARRAY(bool) added;              /* devices that patrold acknowledged */
    ARRAY(struct saying *) sayings; /* what patrold was told in the course of the story */
    uint64_t cut_at;                /* sync point at which the power fails; 0: none */
    int64_t start_at_ms;            /* when patrold is started (again); INT64_MAX: it runs */

    /* One life of patrold. */
    struct wheel *wheel;
    struct worker *writer, *reader, *sender;
    struct core *core;
    struct scripted_config scripted;
    struct press press;
    struct renderer renderer;
    const void *collector_configs[VIRTUAL_COLLECTORS], *channel_configs[1]; /* what the core keeps pointers to */
    char *folder, *config_path;                                             /* of its configuration, on the real disk */
    int err;
};

int virtual_init(struct virtual *v, const struct story *story, const struct run_options *options, struct sbuf *out,
                 struct run_result *result);
void virtual_fini(struct virtual *v);

/* Milliseconds since the story's start. */
int64_t virtual_now(const struct virtual *v);
/* Starts patrold, and tells it of the devices that it does not know yet. */
int virtual_start(struct virtual *v);
/* kill -9: what it wrote is there, nothing else. */
void virtual_kill(struct virtual *v);
/* The power fails, and comes back: what was not synced may be there or not. */
void virtual_power_cycle(struct virtual *v, uint64_t seed);
/* Ends it as it likes to end. */
void virtual_stop(struct virtual *v);
/* Lets time pass to the next thing that happens, at most to end_ms; then it has happened. */
void virtual_step(struct virtual *v, int64_t end_ms);

#define VIRTUAL_DATABASE "patrold.db"

#endif
