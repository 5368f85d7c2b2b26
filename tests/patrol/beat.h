#ifndef PD_TESTS_PATROL_BEAT_H
#define PD_TESTS_PATROL_BEAT_H

#include "patrol/patrol.h"

/*
 * A patrol in virtual time with the shipped knowledge: devices that are what the
 * test says, a store that keeps what was submitted, a desk that keeps wishes.
 */
struct beat_device {
    struct device d;
    bool removed, reachable;
    double toner, drum;             /* percent; below 0: not told */
    struct value *self, *supply[2]; /* the points of its components, as given last */
};

struct beat_letter {
    int64_t round;
    enum patrol_news news;
    int times, visits, visits_done;
    int64_t at_ms;
};

struct beat {
    struct clock_fake time;
    struct wheel *wheel;
    struct settings *settings;
    struct knowledge *knowledge;
    struct patrol *patrol;
    ARRAY(struct beat_device *) devices;
    int64_t fault_ticket; /* open for a fault of any component that is looked for; 0: none */
    bool lost;            /* what is submitted does not come to the disk any more */
    /* on disk */
    ARRAY(struct round) rounds;
    ARRAY(struct visit) visits;
    ARRAY(struct visit_item) items;
    ARRAY(struct ticket) tickets; /* origin and title among them */
    ARRAY(struct event) events;
    struct dict *metas; /* -> char * */
    /* told */
    ARRAY(struct beat_letter) letters;
    int64_t last_ticket;
};

/* Begins on 1 September 2026, a Tuesday, 00:00 in Shanghai, with these plans (YAML, the section's content). */
struct beat *beat_new(const char *plans);
void beat_free(struct beat *b);
/* The nth device from 1: "d1"; class and site as given. */
struct beat_device *beat_add(struct beat *b, const char *device_class, const char *site);
void beat_pass(struct beat *b, int64_t ms);
/* Until a local time of Shanghai, "2026-09-30 16:15". */
void beat_until(struct beat *b, const char *local);
/* The process ends and another begins after some time, on what is on disk. */
void beat_restart(struct beat *b, int64_t down_ms);
void beat_reload(struct beat *b, const char *plans);

/* A command, whose change is submitted where it is not refused. */
int beat_fill(struct beat *b, int64_t round, const char *device, const char *pairs, bool all_ok, char **why);
int beat_sign(struct beat *b, int64_t round, char **why);
int beat_cancel(struct beat *b, int64_t round);

size_t beat_count(const struct beat *b, const char *event);
size_t beat_letters(const struct beat *b, enum patrol_news news);
const struct round *beat_round(const struct beat *b, int64_t id);
const struct visit_item *beat_item(const struct beat *b, int64_t round, const char *device, const char *code);
/* A stamp as Shanghai's clocks show it, "2026-09-30 16:15". */
const char *beat_local(int64_t at_ms, char out[static 20]);

enum { HOUR = 3600 * 1000, DAY = 24 * HOUR };

#endif
