#ifndef PD_TESTS_DAEMON_OFFICE_H
#define PD_TESTS_DAEMON_OFFICE_H

#include <jansson.h>

#include "base/array.h"
#include "daemon/core.h"
#include "tests/sim/memvfs.h"
#include "tests/watch/fake.h"

/*
 * An office in virtual time: a core with the shipped knowledge, one scripted
 * printer at 10.0.3.9, a disk in memory that can run full, and a post office that
 * answers what the test says.
 */
struct mail {
    char *id, *from, *to, *subject, *body;
    char *files; /* "NAME PATH" of each part, a line each; NULL: none */
};

struct post {
    enum pd_send_status answer;
    ARRAY(struct mail) mails; /* every try, whatever it was answered */
};

struct office {
    struct clock_fake time;
    struct rng_seeded random;
    struct wheel *wheel;
    struct memvfs *disk;
    struct worker *writer, *reader, *sender;
    struct pd_collector_ops collector_ops;
    const struct pd_collector_ops *collectors[1];
    const void *collector_configs[1];
    struct pd_collector *collector;
    const struct pd_channel_ops *channels[1];
    const void *channel_configs[1];
    struct post post;
    struct core *core;
    const char *plans;               /* YAML of the section, for settings to come; NULL: none */
    const struct renderer *renderer; /* of reports; NULL: none are made */
    int64_t every_ms;                /* devices are polled */
    bool jam;                        /* what the printer shows */
    int64_t writing_ms;              /* that a commit takes */
    ARRAY(struct event) events;      /* as committed, over all lives */
};

struct office *office_new(void);
void office_free(struct office *o);
/* Starts the core on what is on the disk. office_new() has done so already. */
void office_start(struct office *o);
void office_stop(struct office *o);
/* The process dies: what it wrote is there, nothing else. */
void office_kill(struct office *o);
/* The power fails, maybe long ago, and is back: what was not synced is there by chance. */
void office_power_cycle(struct office *o, uint64_t seed);
void office_pass(struct office *o, int64_t ms);
/* Likewise up to a wall clock time, from timer to timer: for days and months. */
void office_pass_until(struct office *o, int64_t wall_ms);
/* Likewise until a time of Shanghai's clocks, "2026-10-08 09:00". */
void office_until(struct office *o, const char *local);
void office_set_jam(struct office *o, bool jam);
/* New settings: recipients with this lowest severity. */
void office_reload(struct office *o, enum severity min_severity);
/* The same configuration, but for a calendar that it does not have any more. */
void office_lose_calendar(struct office *o, const char *name);

/* Gives a command and waits for its answer: err, and *text (free it) if wanted. */
int office_command(struct office *o, const char *name, const char *args, char **text);
/* The rows of a stored query (json_decref them). */
json_t *office_query(struct office *o, const char *name, const char *filters);
/* Committed events of a kind so far. */
size_t office_count(const struct office *o, const char *kind);
/* The printer, added and identified. */
void office_add_printer(struct office *o);

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };

#endif
