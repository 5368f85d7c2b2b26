#include "plugin/loop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/hist.h"
#include "base/mem.h"

enum { MANY = 8 /* answers that are expected */, GATHER_NS = 250000 };

struct pd_watch {
    struct pd_loop *loop;
    struct event *event;
    void (*fn)(void *arg);
    void *arg;
};

struct pd_loop {
    struct pd_services services;
    struct event_base *base;
    struct event *tick; /* wakes the loop for the wheel's next timer */
    bool stop;
    unsigned expected; /* answers, since it last looked for events */
    int64_t woke_us;   /* when the present turn saw its first event; 0: none yet */
    struct hist_window *latency, *turns;
};

/* ---- How late it is ---- */

static void note_waking(struct pd_loop *l)
{
    if (!l->woke_us)
        l->woke_us = clock_mono_us(&l->services.clock);
}

static void note_timer(void *arg, int64_t due_ms)
{
    struct pd_loop *l = arg;
    int64_t now = clock_mono_us(&l->services.clock);

    hist_window_add(l->latency, now / 1000, now - due_ms * 1000);
}

static void note_turn(struct pd_loop *l)
{
    int64_t now;

    if (!l->woke_us)
        return;
    now = clock_mono_us(&l->services.clock);
    hist_window_add(l->turns, now / 1000, now - l->woke_us);
    l->woke_us = 0;
}

const struct hist_window *pd_loop_latency(const struct pd_loop *l)
{
    return l->latency;
}

const struct hist_window *pd_loop_turns(const struct pd_loop *l)
{
    return l->turns;
}

/* ---- The services ---- */

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct pd_watch *w = arg;

    (void)fd;
    (void)what;
    note_waking(w->loop);
    w->fn(w->arg);
}

static struct pd_watch *watch(struct pd_loop *l, int fd, short what, void (*fn)(void *arg), void *arg)
{
    struct pd_watch *w = xcalloc(1, sizeof *w);

    w->loop = l;
    w->fn = fn;
    w->arg = arg;
    w->event = event_new(l->base, fd, (short)(what | EV_PERSIST), on_event, w);
    if (!w->event || event_add(w->event, NULL) < 0) {
        if (w->event)
            event_free(w->event);
        free(w);
        return NULL;
    }
    return w;
}

static struct pd_watch *watch_read(void *loop, int fd, void (*fn)(void *arg), void *arg)
{
    return watch(loop, fd, EV_READ, fn, arg);
}

static struct pd_watch *watch_write(void *loop, int fd, void (*fn)(void *arg), void *arg)
{
    return watch(loop, fd, EV_WRITE, fn, arg);
}

static void unwatch(struct pd_watch *w)
{
    if (!w)
        return;
    event_free(w->event);
    free(w);
}

static void expect(void *loop)
{
    struct pd_loop *l = loop;

    l->expected++;
}

/* ---- The loop ---- */

/* The wheel is advanced between rounds; the event only has to end the wait. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    note_waking(arg);
}

int pd_loop_new(const struct pd_clock *clock, const struct pd_rng *rng, struct pd_loop **out)
{
    struct pd_loop *l = xcalloc(1, sizeof *l);

    l->base = event_base_new();
    l->tick = l->base ? event_new(l->base, -1, 0, on_tick, l) : NULL;
    if (!l->tick) {
        if (l->base)
            event_base_free(l->base);
        free(l);
        return PD_EIO;
    }
    l->services = (struct pd_services){
        .clock = *clock,
        .rng = *rng,
        .wheel = wheel_new(clock_mono(clock)),
        .watch_read = watch_read,
        .watch_write = watch_write,
        .unwatch = unwatch,
        .expect = expect,
        .loop = l,
    };
    l->latency = hist_window_new();
    l->turns = hist_window_new();
    wheel_observe(l->services.wheel, note_timer, l);
    *out = l;
    return 0;
}

void pd_loop_free(struct pd_loop *l)
{
    if (!l)
        return;
    event_free(l->tick);
    event_base_free(l->base);
    wheel_free(l->services.wheel);
    hist_window_free(l->latency);
    hist_window_free(l->turns);
    free(l);
}

const struct pd_services *pd_loop_services(const struct pd_loop *l)
{
    return &l->services;
}

struct event_base *pd_loop_base(const struct pd_loop *l)
{
    return l->base;
}

/* Arms the tick for the wheel's next timer, or leaves it unset where nothing is to come. */
static int arm(struct pd_loop *l, int64_t max_ms)
{
    int64_t now = clock_mono(&l->services.clock);
    int64_t next = wheel_next(l->services.wheel);
    int64_t wait = next == INT64_MAX ? -1 : next > now ? next - now : 0;
    struct timeval tv;

    if (max_ms >= 0 && (wait < 0 || wait > max_ms))
        wait = max_ms;
    if (wait < 0)
        return event_del(l->tick);
    tv.tv_sec = wait / 1000;
    tv.tv_usec = wait % 1000 * 1000;
    return event_add(l->tick, &tv);
}

/* Many answers gather for a moment, or each one wakes the loop, which costs as much as to ask. */
static void gather(struct pd_loop *l, int64_t max_ms)
{
    const struct timespec moment = {.tv_nsec = GATHER_NS};
    bool many = l->expected >= MANY;

    l->expected = 0;
    if (many && max_ms != 0)
        (void)nanosleep(&moment, NULL);
}

int pd_loop_once(struct pd_loop *l, int64_t max_ms)
{
    l->stop = false;
    wheel_advance(l->services.wheel, clock_mono(&l->services.clock));
    if (l->stop)
        return 0;
    gather(l, max_ms);
    if (arm(l, max_ms) < 0 || event_base_loop(l->base, EVLOOP_ONCE) < 0)
        return PD_EIO;
    wheel_advance(l->services.wheel, clock_mono(&l->services.clock));
    note_turn(l);
    return 0;
}

int pd_loop_run(struct pd_loop *l)
{
    int rc;

    do
        rc = pd_loop_once(l, -1);
    while (!rc && !l->stop);
    return rc;
}

void pd_loop_stop(struct pd_loop *l)
{
    l->stop = true;
}
