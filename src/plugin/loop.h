#ifndef PD_PLUGIN_LOOP_H
#define PD_PLUGIN_LOOP_H

#include "base/clock.h"
#include "base/rng.h"
#include "plugin/plugin.h"

struct event_base;
struct hist_window;

/*
 * The event loop of a program: a libevent base, the timer wheel and the services
 * that plugins get. One libevent timer follows the wheel and is not armed while
 * no timer is set, so an idle program makes no system calls.
 */
struct pd_loop;

/* A loop with its own base and wheel. PD_EIO if libevent gives none. */
int pd_loop_new(const struct pd_clock *clock, const struct pd_rng *rng, struct pd_loop **out);
/* Everything watched must have been unwatched. NULL is fine. */
void pd_loop_free(struct pd_loop *l);

/* What plugins are given; lives as long as the loop. */
const struct pd_services *pd_loop_services(const struct pd_loop *l);
/* For signals and sockets of the daemon's own. */
struct event_base *pd_loop_base(const struct pd_loop *l);

/*
 * In microseconds, of the last minute: how long after its tick each timer of the wheel fired; and how long each
 * turn of the loop took from its first event to its end. Whatever holds the loop up shows in the first.
 */
const struct hist_window *pd_loop_latency(const struct pd_loop *l);
const struct hist_window *pd_loop_turns(const struct pd_loop *l);

/* Runs timers and watched descriptors until pd_loop_stop(). PD_EIO if libevent fails. */
int pd_loop_run(struct pd_loop *l);
/* One round: waits at most max_ms (-1: until something happens) and handles it. */
int pd_loop_once(struct pd_loop *l, int64_t max_ms);
/* Makes pd_loop_run() return after the present round; to be called from a timer or a watched descriptor. */
void pd_loop_stop(struct pd_loop *l);

#endif
