#ifndef PD_SIM_MACHINE_H
#define PD_SIM_MACHINE_H

#include "simdev.h"
#include "story.h"

/*
 * A simulated machine: its physical state, and the device its agent shows. What
 * is true of it is said here; what patrold makes of it is judged elsewhere.
 */
struct supply {
    const char *description;
    int toner;         /* index into model_toners(); -1: something else, that stands still */
    int64_t capacity;  /* in the unit it is told in */
    struct ramp level; /* of a toner */
};

enum { MACHINE_SUPPLIES = 8, MACHINE_TONERS = 4 };

struct machine {
    const struct story_device *spec;
    unsigned number; /* its place in the story */
    struct simdev dev;
    bool on, jam, cover, service;
    double loss; /* % of packets lost each way, of this machine alone */
    struct supply supplies[MACHINE_SUPPLIES];
    unsigned nsupplies;
    int64_t drain[MACHINE_TONERS]; /* pages an hour that drain a toner, beside the daily ones */
    struct ramp pages;
};

/* Builds the machine as it stands at the start of the story; spec is borrowed. */
void machine_init(struct machine *m, const struct story_device *spec, unsigned number);
void machine_fini(struct machine *m);

/* Each turns something over and shows it. */
void machine_set_power(struct machine *m, bool on, int64_t now_ms);
void machine_set_jam(struct machine *m, bool on, int64_t now_ms);
void machine_set_cover(struct machine *m, bool open, int64_t now_ms);
void machine_set_service(struct machine *m, bool on, int64_t now_ms);
/* Pages an hour that drain one toner; 0: none. */
void machine_set_drain(struct machine *m, int toner, int64_t pages_per_hour, int64_t now_ms);
/* Puts a new cartridge in. */
void machine_refill(struct machine *m, int toner, int64_t now_ms);

/* The supply of a toner. */
struct supply *machine_toner(struct machine *m, int toner);
/* True when at most so many % of it are left, as far as its unit tells. */
bool supply_at_most(const struct supply *s, int percent, int64_t now_ms);
/* When that will be, at the rate of now; INT64_MAX: never. */
int64_t supply_reaches(const struct supply *s, int percent, int64_t now_ms);

/* In model_*.c: each builds a part of the tree. */
void model_system(struct machine *m, const char *descr, const char *object_id);
void model_interfaces(struct machine *m, unsigned ports, uint64_t speed_mbps, int64_t bytes_per_s);
void model_printer(struct machine *m);
/* Shows a printer's state anew. */
void model_printer_show(struct machine *m, int64_t now_ms);
void model_switch(struct machine *m);
void model_server(struct machine *m);

#endif
