#include "watch/internal.h"

/*
 * When what is read. A device has a jitter of its own within the status
 * interval, and each part a phase of its own among the status polls of its
 * interval, both from the device's id: so the same devices never gather at one
 * moment, and parts that are due together are read together. Moments lie a
 * little apart: a processor that wakes for one device at a time begins each
 * with cold caches. All on the monotonic clock.
 */

enum {
    DAY_MS = 24 * 3600 * 1000,
    MOMENT_MS = 100,  /* 167 of a hundred thousand devices a minute begin together */
    RETRY_BEATS = 5,  /* status intervals until a part is tried again that an answering device did not tell */
    SILENT_SHARE = 8, /* who is down is probed at this share of its silence, up to poll.silent */
};

/* ---- Its moments ---- */

/* Spreads ids evenly; the finishing steps of splitmix64. */
static uint64_t spread(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t beat_ms(const struct node *n)
{
    return n->watch->config.settings->every_ms[PART_STATUS];
}

int64_t rhythm_jitter(const struct node *n)
{
    int64_t jitter = (int64_t)(spread((uint64_t)n->d.id) % (uint64_t)beat_ms(n));

    return jitter - jitter % MOMENT_MS;
}

unsigned rhythm_probe_part(const struct node *n)
{
    return n->speech ? (unsigned)__builtin_ctz(n->speech->parts) : PART_STATUS;
}

int64_t rhythm_every(const struct node *n, unsigned part)
{
    const struct profile *p = n->speech ? n->speech->profile : NULL;
    unsigned as = part == rhythm_probe_part(n) ? PART_STATUS : part;

    return p && p->every_ms[as] ? p->every_ms[as] : n->watch->config.settings->every_ms[as];
}

int64_t rhythm_next(const struct node *n, unsigned part, int64_t after)
{
    int64_t beat = beat_ms(n), every = rhythm_every(n, part);
    int64_t first = n->watch->rhythm_ms + rhythm_jitter(n);

    if (every > beat)
        first += (int64_t)(spread((uint64_t)n->d.id + part) % (uint64_t)(every / beat)) * beat;
    return after < first ? first : first + ((after - first) / every + 1) * every;
}

int64_t rhythm_midnight(const struct watch *w)
{
    int64_t midnight = watch_mono(w) - watch_wall(w) % DAY_MS, beside = midnight % WHEEL_TICK_MS;

    return midnight - (beside < 0 ? beside + WHEEL_TICK_MS : beside);
}

int64_t rhythm_begin(const struct node *n, size_t strangers)
{
    int64_t first = rhythm_next(n, rhythm_probe_part(n), n->watch->origin_ms);
    uint64_t beats = 1 + strangers * 1000 / MEET_A_SECOND / (uint64_t)beat_ms(n);

    return n->speech ? first : first + (int64_t)(spread((uint64_t)n->d.id + PART_COUNT) % beats) * beat_ms(n);
}

int64_t rhythm_meet(struct node *n)
{
    struct watch *w = n->watch;
    int64_t now = watch_mono(w), at = w->meet_from_ms + w->met * 1000 / MEET_A_SECOND;

    if (at < now) {
        w->meet_from_ms = at = now;
        w->met = 0;
    }
    w->met++;
    if (n->subnet) {
        at = max64(at, n->subnet->meet_ms);
        n->subnet->meet_ms = at + MEET_GAP_MS;
    }
    return at;
}

void rhythm_first(struct node *n, int64_t first_ms)
{
    for (unsigned p = 0; p < PART_COUNT; p++)
        n->due_ms[p] = first_ms;
    n->knock_ms = INT64_MAX;
}

uint32_t rhythm_parts(const struct node *n, int64_t now)
{
    uint32_t parts = 0;

    for (unsigned p = 0; p < PART_COUNT; p++) {
        if ((n->speech->parts & (1u << p)) && n->due_ms[p] <= now)
            parts |= 1u << p;
    }
    return parts;
}

bool rhythm_only_probes(const struct node *n)
{
    return !n->speech || n->silent > 0;
}

int64_t rhythm_due(const struct node *n)
{
    int64_t due = n->identify_ms;

    if (rhythm_only_probes(n))
        return n->due_ms[rhythm_probe_part(n)];
    for (unsigned p = 0; p < PART_COUNT; p++) {
        if ((n->speech->parts & (1u << p)) && n->due_ms[p] < due)
            due = n->due_ms[p];
    }
    return due;
}

void rhythm_wait(struct node *n)
{
    int64_t due = rhythm_due(n);

    wheel_set(n->watch->config.services.wheel, &n->timer, n->knock_ms < due ? n->knock_ms : due);
}

bool rhythm_knocks(struct node *n, int64_t now)
{
    if (n->knock_ms > now || rhythm_due(n) <= now)
        return false;
    n->knock_ms = rhythm_next(n, rhythm_probe_part(n), now);
    return true;
}

void rhythm_now(struct node *n)
{
    int64_t now = watch_mono(n->watch);

    rhythm_first(n, now);
    n->identify_ms = now;
    rhythm_wait(n);
}

void rhythm_take_soon(struct node *n)
{
    if (!n->soon)
        return;
    for (unsigned p = 0; p < PART_COUNT; p++) {
        if ((n->soon & (1u << p)) && n->due_ms[p] > n->soon_ms)
            n->due_ms[p] = n->soon_ms;
    }
    n->soon = 0;
}

void rhythm_soon(struct node *n, uint32_t parts, int64_t at_ms)
{
    n->soon |= (uint8_t)(parts | 1u << rhythm_probe_part(n));
    n->soon_ms = at_ms;
    if (n->read || n->pinging)
        return;
    rhythm_take_soon(n);
    rhythm_wait(n);
}

int64_t rhythm_identify_phase(const struct node *n)
{
    return rhythm_jitter(n) + (int64_t)(spread(~(uint64_t)n->d.id) % DAY_MS);
}

/* ---- After a read ---- */

/* Who is down is probed the more seldom the longer it is silent; who cannot be pinged either is pinged meanwhile. */
static int64_t probe_of_the_dead(const struct turn *t)
{
    struct node *n = t->n;
    int64_t every = rhythm_every(n, PART_STATUS), most = t->w->config.settings->silent_ms;
    int64_t wait = (t->mono - n->answered_ms) / SILENT_SHARE;

    wait = wait < most ? wait : most;
    n->knock_ms = n->mute ? rhythm_next(n, rhythm_probe_part(n), t->mono) : INT64_MAX;
    return rhythm_next(n, rhythm_probe_part(n), t->mono + (wait > every ? wait - every : 0));
}

/*
 * When it is probed next. Until a silent one is down no moment of its rhythm is left out, however long its tries, its
 * ping and the wait for its place took: what they took is added once, not an interval each time.
 */
static int64_t next_probe(const struct turn *t, bool answered)
{
    const struct node *n = t->n;
    int64_t from = answered ? t->mono : n->turn_ms;

    if (!answered && n->status.state == DEVICE_DOWN)
        return probe_of_the_dead(t);
    if (n->identifying) /* out of turn: that must not make an outage shorter */
        from += rhythm_every(n, PART_STATUS) - rhythm_every(n, PART_STATUS) / 8;
    return max64(rhythm_next(n, rhythm_probe_part(n), from), t->mono);
}

/* Who it is was read, or there was no answer. */
static void advance_identification(struct turn *t, bool answered, int64_t retry)
{
    struct node *n = t->n;
    bool done = t->result->status == PD_READ_DONE;

    if (answered)
        n->identify_ms = n->ask_again ? t->mono : done ? t->mono + DAY_MS : retry;
    for (unsigned p = 0; n->d.identified_ms == t->wall && p < PART_COUNT; p++)
        n->due_ms[p] = max64(n->due_ms[p], t->mono); /* nobody could know before how to poll it */
    if (rhythm_only_probes(n))
        n->due_ms[rhythm_probe_part(n)] = n->ask_again ? t->mono : next_probe(t, answered);
    n->ask_again = false;
}

/* Its next moment; where it fell silent in a read that lasted beyond that, now: but not one such read after another. */
static int64_t next_of(const struct turn *t, unsigned part)
{
    const struct node *n = t->n;
    bool again = t->result->fell_silent && !n->fell_silent && part == rhythm_probe_part(n);

    return max64(rhythm_next(n, part, again ? n->turn_ms : t->mono), t->mono);
}

void rhythm_advance(struct turn *t, bool answered)
{
    struct node *n = t->n;
    enum pd_read_status status = t->result->status;
    int64_t retry = rhythm_next(n, rhythm_probe_part(n), t->mono) + (RETRY_BEATS - 1) * beat_ms(n);

    if (n->identifying) {
        advance_identification(t, answered, retry);
        return;
    }
    if (answered)
        n->knock_ms = INT64_MAX;
    else
        n->due_ms[rhythm_probe_part(n)] = next_probe(t, false);
    for (unsigned p = 0; answered && p < PART_COUNT; p++) {
        int64_t next = next_of(t, p);

        if (!(t->parts & (1u << p)))
            continue;
        n->due_ms[p] = status != PD_READ_DONE && next > retry ? retry : next;
        if (status == PD_READ_DONE || status == PD_READ_PARTIAL)
            n->read_ms[p] = t->mono;
    }
    n->fell_silent = answered && t->result->fell_silent;
}
