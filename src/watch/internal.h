#ifndef PD_WATCH_INTERNAL_H
#define PD_WATCH_INTERNAL_H

#include <sys/queue.h>

#include "base/dict.h"
#include "base/hist.h"
#include "base/pool.h"
#include "model/format.h"
#include "watch/layout.h"
#include "watch/normalise.h"
#include "watch/watch.h"
#include "watch/window.h"

/*
 * What the files of this folder share. Everything runs in the loop.
 *
 * A poll of a device is one read of all parts that are due (rhythm.c, schedule.c).
 * At its end (take.c) the cells have become components and points (inventory.c, unit.c),
 * rules are judged over them (judge.c) and faults open and close (fault.c), and what was read is told
 * to the store (report.c); what came of it is one change, made only when there is something to say.
 * Identification (identify.c) is a read of its own, of the identify module.
 */

enum {
    MAX_UNITS = 20000, /* components of a device; more are not taken up */
    NO_UNIT = MAX_UNITS + 1,
    MEET_A_SECOND = 600, /* devices that are new and polled for the first time: a third of a processor */
    MEET_GAP_MS = 5,     /* between such of one subnet */
    STALE_AFTER = 3,     /* intervals of a part without a reading */
    DOWN_AFTER = 3,      /* polls in a row without an answer: until then a packet may have been lost */
};

/* ---- What the knowledge and the settings come to (tables.c) ---- */

/* One window of each component of a kind, whichever rules look at it. */
struct kind_window {
    struct window_spec spec;
    unsigned slot;    /* of the kind; not of SINCE */
    const char *text; /* of SINCE: the condition */
};

/* One rule of a kind: what decides whether it has to be judged, side by side. */
struct kind_rule {
    const struct rule *def;
    uint16_t rule; /* place in knowledge->rules */
    bool is_part;  /* as in rule_info */
    bool has_since;
    uint32_t windows, device_windows; /* that it looks at, by window_bit(): the component's own and the device's */
};

/* The rules on one kind of component. */
struct kind_rules {
    struct kind_rule *rule; /* ascending: of a family the gravest first */
    size_t n;
    uint64_t reads;        /* slots of the kind that they read, by slot_bit() */
    uint64_t reads_device; /* slots of kind device that they read besides */
    bool has_extras;       /* one asks more than points */
    ARRAY(struct kind_window) windows;
};

/* One rule, prepared. */
struct rule_info {
    bool reads_reachable; /* or ping: judged of a silent device too */
    bool is_part;         /* of other families' faults: judged after them */
    bool is_reach;        /* of the family that says whether a device is there */
    struct extra_place {
        bool of_device;       /* a window of the device's, not of the component's own */
        uint16_t window;      /* place in kind_rules.windows */
        uint16_t label;       /* place in tables.labels */
        uint32_t own;         /* window_bit() of a window that the component may not have, or 0; */
        struct value without; /* what it tells then */
    } * extras;               /* for each of the rule's */
};

/* Of kinds with more than 64 points the rest share the last bit. */
static inline uint64_t slot_bit(unsigned slot)
{
    return UINT64_C(1) << (slot < 63 ? slot : 63);
}

/* Of kinds with more than 32 windows the rest share the last bit: one of them is there. */
static inline uint32_t window_bit(size_t place)
{
    return UINT32_C(1) << (place < 31 ? place : 31);
}

/* A profile as one collector speaks it. */
struct speech {
    const struct profile *profile;
    unsigned collector; /* place in config.collectors */
    struct normaliser *normaliser;
    struct pd_plan *plan;
    uint32_t parts;                /* that it has anything to read in */
    uint8_t *tells;                /* for each point of each kind (see tables.base) the parts that tell it, as bits */
    const struct layout **layouts; /* for each kind what the modules tell of it */
    ARRAY(struct batch *) idle;
};

struct tables {
    size_t nkinds, npoints, nrules;
    uint32_t *base;                         /* for each kind the place of its first point in speech.tells */
    struct kind_rules *rules;               /* for each kind */
    struct rule_info *info;                 /* for each rule */
    struct profile *identify;               /* a profile of the identify module alone, made here; NULL without one */
    unsigned reachable;                     /* its slot in kind device */
    unsigned ping, restarts, uptime, boots; /* likewise; UINT16_MAX where the knowledge has none */
    unsigned swapped, conflict;
    uint8_t *told_by;               /* for each point of each kind the parts of all modules that tell it, as bits */
    int64_t slowest_ms[PART_COUNT]; /* of all rates at which any device is read */
    ARRAY(const char *) labels;     /* of devices, that rules ask */
    /* Where a rule's slots are put together: the component's points end at `own_end`, the device's begin there. */
    /* Behind those what the rule asks besides. */
    struct value *scratch;
    const struct kind_rule **chosen; /* likewise for the rules that are judged: room for those of any kind */
    const struct layout *in_scratch; /* whose other slots are unknown there; NULL: nobody's */
    size_t own_end;
};

void tables_init(struct tables *t, const struct knowledge *k, const struct settings *settings);
void tables_fini(struct tables *t);

/* ---- Traps (trap.c) ---- */

/* So many at once, and so many a second; in thousandths. All zeros is empty. */
struct trap_bucket {
    int64_t fill, at_ms;
};

/* ---- A device under watch ---- */

/* What a counter has risen by (total.c). */
struct total {
    double counted; /* where the counter stood when it was counted last */
    double sum;     /* the total then */
    double fallen;  /* where it stood when it was seen to have fallen */
    bool falling;   /* that was at the last reading */
    bool fresh;     /* an epoch begins with the next reading */
};

/*
 * What a component is called, who found it last, and where: one piece of watch->pool, since others of the same make are
 * alike.
 */
struct origin {
    const struct module *module; /* NULL: none since the start or the last reload */
    const struct component_def *def;
    uint32_t ninstance;
    uint32_t label;      /* where it begins behind the key's beginning; 0: it is the key */
    uint32_t instance[]; /* and behind it the texts */
};

/* A component of it: there are many, so it is small. Its points are at node->points.v[first]; texts in them are owned. */
struct unit {
    const struct layout *layout; /* its kind, and which points it has; the others are not known */
    const struct origin *origin;
    int64_t found_ms; /* when it was found last, monotonic */
    uint32_t first_s; /* ever; wall clock, in seconds */
    uint32_t seen;    /* node->polls when it was found last */
    uint32_t number;
    uint32_t first;
    uint32_t windows; /* which of its kind's it has, by window_bit(): each is made when something is known */
    uint8_t parts;    /* of the polls that find it, as bits */
    bool changed;     /* in a point that a rule reads, since it was judged last */
    bool gone;        /* for so long that its faults are closed */
};
_Static_assert(sizeof(struct unit) == 48, "there are many of these");

/* The total of a component of which one point is one. */
struct unit_total {
    uint32_t unit;
    struct total total;
};

static inline const struct kind *unit_kind(const struct unit *u)
{
    return u->layout->kind;
}
static inline const char *unit_key(const struct unit *u)
{
    return (const char *)(u->origin->instance + u->origin->ninstance);
}
static inline const char *unit_label(const struct unit *u)
{
    return unit_key(u) + u->origin->label;
}

/* A hold that is not OK; kept in order of unit and rule. */
struct held {
    uint32_t unit;
    uint16_t rule;
    struct hold hold;
};

/* An open fault. */
struct fault {
    struct alert alert;
    struct node *node;
    uint32_t unit;
    int64_t alone_ms; /* suppressed: since when nothing above is down, monotonic; 0: something is */
};

/* What is known of a device's restarts (restart.c). */
enum { RESTARTS_MAX = 32 }; /* kept; who restarts more often is counted so far */
struct restarts {
    bool knows_uptime, knows_boots;
    double uptime; /* seconds, at uptime_ms, monotonic */
    int64_t uptime_ms, boots;
    ARRAY(int64_t) seen_ms; /* within the last day, oldest first, monotonic */
};

enum { TOLD_READ = 0x80 }; /* the identify module was read since the start */

struct waiter {
    void (*done)(void *arg, const struct pd_read_result *r);
    void *arg;
};

/*
 * Who stands at its place is not known: it was restarted, silent or moved, and neither the module identify nor those
 * of its profile that tell who it is were read since. One that never tells all of it is believed after some reads.
 */
enum { DOUBT_IDENTIFY = 1, DOUBT_INVENTORY = 2, DOUBT_ALL = 3 };

/* A subnet or a gateway, and who reads there (share.c). */
struct share {
    char *key;
    bool gateway;
    unsigned members, busy; /* of them are being read */
    int64_t meet_ms;        /* when the next that is new may be met there */
    TAILQ_HEAD(, node) waiting;
};

struct node {
    struct watch *watch;
    struct device d;
    unsigned collector;
    struct pd_device *handle;    /* NULL: no usable target, see the log */
    uint64_t target_hash;        /* of what it was opened with */
    const struct speech *speech; /* NULL: not identified yet */
    const struct speech *aged;   /* by whose parts points grew old last */

    ARRAY(struct unit) units; /* in order of number */
    ARRAY(uint32_t) sorted;   /* places in units, by kind name and key */
    ARRAY(struct point) points;
    struct windows windows;          /* of all units, by their places */
    ARRAY(struct unit_total) totals; /* in order of unit */
    uint32_t last_number;            /* numbers are never given twice */
    uint32_t device_unit;            /* place of the one of kind device */
    bool full;                       /* said that there are too many components */

    uint64_t *fits; /* rules that match this device, as bits */
    ARRAY(struct held) holds;
    ARRAY(struct fault *) faults;
    uint64_t device_changed; /* slots of kind device, since they were judged last */
    char **labels;           /* values of tables.labels, NULL: it has none such */
    size_t nlabels;
    struct restarts restarts;
    int64_t history_ms; /* when what is remembered is to be written next */
    int64_t totals_ms;  /* wall clock: as of when totals are remembered; polls before that tell nothing new of them */
    struct sbuf aside;  /* that, from one knowledge to the next */

    struct timer timer;
    int64_t due_ms[PART_COUNT], read_ms[PART_COUNT];
    int64_t whole_ms[PART_COUNT]; /* when what seldom changes is told to the store next, changed or not */
    int64_t identify_ms;          /* when to look again who it is */
    uint32_t asks;                /* further components of the identify module that it is asked, as bits */
    bool ask_again;               /* they are more than were read just now */
    struct seen *seen;            /* what the identify module told last; NULL: not asked yet */
    uint8_t told;                 /* which enum profile_text the identify module told, as bits; and TOLD_READ */
    bool retarget;                /* open it anew before the next read */
    uint8_t doubt;                /* DOUBT_ */
    uint8_t silent;               /* polls in a row without an answer, as far as can be counted */
    bool has_place;               /* among those that are read in its subnet and behind its gateway */
    uint8_t halves;               /* reads that told but half of who it is since it is in doubt */
    int64_t answered_ms; /* when it answered last, a ping after none at least, or was begun to be asked; monotonic */
    int64_t missed_ms;   /* when the first of the silent polls was due; monotonic */
    int64_t
        same_ms; /* since when it says that it is another one, of which it is not known whether it still answers; 0: no */
    int64_t same_as;     /* it is this device at another place, which is to be said once the poll is over; 0: no */
    struct node *beside; /* the next at its address that hears traps, in order of id */
    int64_t trap_ms;     /* when it was, or is to be, read for a trap last; monotonic */
    int64_t soon_ms;     /* parts that are due then once the read under way has ended: */
    uint8_t soon;
    bool fell_silent; /* in the midst of its last read */
    bool poll_wanted; /* everything again once the read under way has ended */
    uint32_t polls;
    uint32_t missing; /* components that the last poll should have found */

    struct share *subnet, *gateway, *waits_for; /* NULL: none */
    TAILQ_ENTRY(node) waiting;                  /* for waits_for */
    struct pd_read *read;                       /* under way */
    struct pd_device *ping_handle;              /* at collector icmp, opened when first wanted */
    struct pd_read *pinging;                    /* under way */
    struct value pinged;                        /* what a ping said while the device is still read */
    bool has_pinged;
    bool mute;                     /* it is silent, and did not answer its last ping either */
    bool knocking;                 /* the ping under way is one between two probes: */
    int64_t knock_ms;              /* when the next such is due; INT64_MAX: never */
    bool awaits_ping;              /* a read had no answer, and its end is judged with the ping's: */
    struct pd_read_result silence; /* that end; owns its detail */
    struct batch *batch;
    struct speech *reading; /* by what it is read */
    uint32_t parts;
    int64_t turn_ms;  /* the moment that it belongs to: when it was due, however long it waited for its place */
    int64_t asked_ms; /* when it was due; or, if that is long ago, began */
    int64_t late_ms;  /* how long it was due before that */
    bool identifying;

    struct poll_chain chain; /* of its polls in the store */
    struct device_status status;
    char *trouble_said;          /* what was wrong with the last read, in words; NULL: nothing. status points here */
    enum pd_read_status trouble; /* the last trouble that was told */
    int64_t trouble_ms;
    ARRAY(struct waiter) waiters;
};

/* Which points of components of one layout a poll tells. */
struct choice {
    const struct layout *of; /* NULL: of none yet */
    ARRAY(struct chosen) points;
};
struct chosen {
    uint16_t place, slot;
    uint64_t fresh; /* only if one of these slots changed; 0: anyway */
};

/* What a device's points were when its turn began, as far as the store was told of them. */
struct earlier {
    const struct node *of; /* NULL: nobody's are known */
    ARRAY(uint64_t) known; /* by place in node->points, as bits */
    ARRAY(uint64_t) bits;  /* likewise: the values; all were good */
};

struct watch {
    struct watch_config config;
    struct tables tables;
    struct u64dict *nodes; /* by id, in order of id */
    struct dict *names;
    struct dict *addresses;  /* address_key() -> node */
    struct u64dict *places;  /* hash of an address -> the first node there that hears traps */
    struct dict *engines;    /* engine's id -> id of a device that said so */
    struct u64dict *informs; /* told shortly before the start, by their ids; NULL: none, */
    int64_t informs_until;   /* or they don't come again any more; monotonic */
    struct trap_bucket hints, trap_events, proved_events;
    struct dict *shares;         /* subnets and gateways: share.c's own */
    struct dict *identities;     /* what tells devices apart -> who had it first */
    ARRAY(struct device) merged; /* removed, since they were the same as another */
    int pinger;                  /* place of the collector icmp, or PD_ENOENT */
    struct pd_plan *ping_plan;
    struct u64dict *faults; /* by alert id */
    ARRAY(struct speech *) speeches;
    ARRAY(struct kind *) lost_kinds; /* of components whose kind the knowledge no longer has; only their names */
    ARRAY(struct reading) readings;  /* scratch, */
    ARRAY(struct reading_past) past; /* beside them, */
    ARRAY(uint32_t) told;            /* and where their points stand */
    struct earlier earlier;
    struct choice choice;
    ARRAY(uint64_t) fresh;     /* likewise: for each component of the device slots that its poll changed */
    ARRAY(struct value) shown; /* what is shown of a device, until another is */
    struct window_round round; /* likewise: of readings */
    struct layouts layouts;
    struct pool *pool;      /* keys, labels and origins of components */
    struct change *repairs; /* what loading found to be put right */
    int64_t last_device_id, last_alert_id;
    int64_t origin_ms;         /* monotonic: when it was started */
    int64_t rhythm_ms;         /* monotonic: a midnight (UTC), from which every device's rhythm is counted */
    int64_t offset_ms;         /* wall clock minus monotonic */
    int64_t meet_from_ms, met; /* devices added in one go are met one after another: since when, and how many */
    bool started;
    size_t states[DEVICE_DOWN + 1]; /* devices in each */
    struct watch_counters counters;
    struct hist_window *lateness;
};

static inline const struct knowledge *watch_knowledge(const struct watch *w)
{
    return w->config.knowledge;
}
static inline int64_t watch_mono(const struct watch *w)
{
    return clock_mono(&w->config.services.clock);
}
static inline int64_t watch_wall(const struct watch *w)
{
    return clock_wall(&w->config.services.clock);
}

/* One decision about a device: a poll's end, a command, a reload. The change is made when first wanted. */
struct turn {
    struct watch *w;
    struct node *n;
    int64_t mono, wall;
    int64_t asked_ms; /* monotonic: the moment that is judged, which is when a poll was due, however long it took */
    struct change *change;
    const struct pd_read_result *result; /* of a poll */
    const struct speech *speech;
    uint32_t parts;
    uint32_t cursor; /* inventory: where in node->units the next component is expected */
    bool ping_told;  /* the device's ping is known, or was until now */
    bool remember;   /* what is remembered of the device is to be written now */
};

struct turn turn_begin(struct watch *w, struct node *n);
struct change *turn_change(struct turn *t);
/* An event about the device, with the configuration's hash. */
struct event *turn_event(struct turn *t, const char *kind);
/* Submits what there is. */
void turn_end(struct turn *t, bool urgent);

/* ---- watch.c ---- */

struct node *watch_node(const struct watch *w, int64_t id);   /* NULL */
int watch_collector(const struct watch *w, const char *name); /* its place, or PD_ENOENT */
struct node *node_new(struct watch *w, const struct device *d, unsigned collector);
void node_add(struct watch *w, struct node *n); /* to the ones under watch; it has its id */
void node_del(struct watch *w, struct node *n); /* it is not found any more */
/* Opens the device and sets its rhythm going. */
void node_begin(struct node *n, int64_t first_ms);
/* Where it is, is taken, or free again. */
void node_settle(struct watch *w, struct node *n);
void node_leave(struct watch *w, struct node *n);
/* Where a device is, as text: no two are at one place. free() it. */
char *address_key(const struct device *d);
/* A turn that builds on a command's change. */
struct turn command_turn(struct watch *w, struct node *n, struct change *c);
/* Ends its read; it is no longer among those under watch. */
void node_free(struct node *n);
/* Every device has one component of kind device. */
void node_add_device_unit(struct turn *t);

/* ---- speech.c ---- */

/* The profile compiled for a collector, now if not yet; NULL if it can't be (said in the log once). */
struct speech *speech_get(struct watch *w, const struct profile *p, unsigned collector);
struct batch *speech_batch(struct speech *s);
void speech_batch_done(struct speech *s, struct batch *b);
void speech_free_all(struct watch *w);

/* ---- unit.c ---- */

/* The device's component, or -1. */
int64_t unit_find(const struct node *n, const struct kind *kind, const char *key);
struct unit *unit_numbered(const struct node *n, uint32_t number); /* NULL */
/* Takes up a component with unknown points. number 0: the next. Gives its place. */
uint32_t unit_add(struct node *n, const struct kind *kind, const char *key, const char *label, uint32_t number);
void unit_put(struct turn *t, const struct unit *u); /* its row */
/* The kind by name; one that only has a name if the knowledge has none. */
const struct kind *kind_named(struct watch *w, const char *name);
/* A point of it; not known where it has none such. */
static inline struct value unit_point(const struct node *n, const struct unit *u, unsigned slot)
{
    uint16_t place = layout_place(u->layout, slot);

    return place == LAYOUT_NONE ? VALUE_UNKNOWN : point_get(&n->points.v[u->first + place]);
}
/* All of them, kind->points.n, into out. */
void unit_spread(const struct node *n, const struct unit *u, struct value *out);
/* Sets a point of it, owning its text; true if it changed. What is not known and not kept stays so. */
bool unit_set(struct node *n, struct unit *u, unsigned slot, struct value v);
/* It has these points from now on, besides those that it has. */
void unit_widen(struct node *n, struct unit *u, const struct layout *with);
/* Says how it was found and where, and what it is called. */
void unit_found(struct watch *w, struct unit *u, const char *key, const char *label, const struct found *f);
/* Sets a point by its place among all of the device's, owning its text; true if it changed. */
bool point_put(struct node *n, size_t at, struct value v);
/* Likewise; quickly what is a number or a code, as most are. */
static inline bool point_set(struct node *n, size_t at, const struct value *v)
{
    struct earlier *e = &n->watch->earlier;
    struct point *p = &n->points.v[at];
    uint64_t bits = (uint64_t)p->high << 32 | p->low;

    if (v->type != p->type || (v->quality | p->quality) != QUALITY_GOOD || v->type == VALUE_TEXT ||
        v->type == VALUE_BOOL)
        return point_put(n, at, *v);
    if (v->bits == bits)
        return false;
    if (p->told && e->of == n) { /* that is worth a word beside what it is now */
        e->known.v[at / 64] |= UINT64_C(1) << at % 64;
        e->bits.v[at] = bits;
    }
    p->low = (uint32_t)v->bits;
    p->high = (uint32_t)(v->bits >> 32);
    p->told = false;
    return true;
}
/* Gives back the texts of points that are not needed any more. */
void points_drop(struct watch *w, const struct point *points, size_t n);

/* ---- inventory.c ---- */

/* Takes in what a poll read. */
void inventory_poll(struct turn *t, struct batch *b);
/* Says whether the device can be reached (unknown: nothing new), and whether it answers pings: unknown where nobody asked. */
void inventory_reachable(struct turn *t, struct value reachable, struct value ping);
/* Sets a point of the device's that patrold fills itself; true if it changed. */
bool inventory_fill(struct turn *t, unsigned slot, struct value v);
/* Makes values stale, components gone. complete: what was not found is really not there. */
void inventory_age(struct turn *t, bool complete);
/* After a reload: kinds and points by name. */
void inventory_remap(struct watch *w, struct node *n);
void inventory_free(struct node *n);

/* ---- report.c ---- */

/* What the device's points are now is what they were before the poll. */
void report_begin(struct node *n);
/* Hands what the poll told to the readings. */
void report(struct turn *t);
/* Hands on that the device was not reachable at a time before. */
void report_missed(struct turn *t, int64_t at_ms);

/* ---- identify.c ---- */

/* Takes in a read of the identify module. */
void identify_take(struct turn *t, struct batch *b);
/* Whether devices of this collector can be asked what they are. */
bool identify_asks(const struct watch *w, unsigned collector);
/* The identify module as the collector speaks it; NULL where it can't. */
const struct speech *identify_speech(struct watch *w, unsigned collector);
/* The components of the identify module that the device is to be asked, as bits. */
uint32_t identify_parts(const struct node *n);
/* What it told when it was asked last is forgotten. */
void identify_forget(struct node *n);
/* Takes what the modules of a poll tell of the device itself. */
void identify_settle(struct turn *t, struct batch *b);
/* Who can't be asked what it is, is what the record's profile says; false of any other. */
bool identify_told(struct turn *t);
/* Goes by the profile that the record names, if there is one. */
void identify_known(struct turn *t);
/* By what a profile is read; NULL if it has nothing to read. */
const char *profile_collector(const struct profile *p);

/* ---- history.c ---- */

/* Takes in what was just read of the components. */
void history_take(struct turn *t);
/* What the rule asks of history in its extra i; slots are those of the component, as far as the extras before. */
struct value history_value(struct turn *t, uint32_t unit, uint16_t rule, size_t i, const struct value *slots,
                           size_t nslots);
/* Takes in a stored poll: its readings, those of a component together. */
void history_replay(struct node *n, int64_t at_ms, const struct reading *r, size_t count);
/* No step leads across a restart of the device. */
void history_break(struct node *n);
/* Puts the row with what is remembered of the device into the change, where it is due or wanted. */
void history_save(struct turn *t);
/* What is remembered as bytes: that of a row. PD_ECORRUPT, PD_EVERSION. */
int history_decode(struct node *n, int64_t mono, int64_t wall, const void *p, size_t size);
/* What is remembered is kept while the knowledge is exchanged. */
void history_put_aside(struct node *n);
void history_restore(struct node *n);
/* When in the hour the device's is written. */
int64_t history_phase(const struct node *n);
/* Forgets the component's windows. */
void history_forget(struct node *n, struct unit *u);

/* ---- restart.c ---- */

/* Looks at what was read of the device: whether it was restarted. */
void restart_take(struct turn *t);
/* An earlier reading of the device, at a moment of the monotonic clock. */
void restart_replay(struct node *n, int64_t at_ms, unsigned slot, struct value v);
void restart_free(struct restarts *r);
void restart_encode(const struct restarts *r, int64_t now_ms, struct wire_out *out);
void restart_decode(struct restarts *r, int64_t then_ms, struct wire_in *in);

/* ---- who.c ---- */

/* Its identity, if it tells devices apart and is nobody's yet, is its own; or no longer, and the next one's that has it. */
void who_index(struct node *n);
void who_forget(struct node *n);
/* Looks who stands at the place, after something was read that may tell. */
void who_look(struct turn *t);
/* Fills the points that say whether that is in question. */
void who_show(struct turn *t);
/* It may be another machine: who it is is read next. */
void who_doubt(struct node *n);
/* While somebody else says the same: whether it still answers. */
void who_wait(struct turn *t);
/* The device of that name is not under watch any more: who was in conflict with it is not. */
void who_left(struct watch *w, const char *name, struct change *c);
/* It was met at its place, having stood at `from` before. */
void who_tell_moved(struct turn *t, const char *from);
/* It is taken for that one from now on; NULL: for nobody. */
void who_set_identity(struct node *n, const char *identity);
/* That device, by name, has the same identity; NULL: none has. */
void who_set_twin(struct turn *t, struct node *n, const char *name);

/* ---- merge.c ---- */

/* The last thing after a poll: if it is a known device at a new place it becomes that one, and is freed. */
void merge_moved(struct node *n);
/* One that was merged into another, and may be split from it. */
void watch_remember_merged(struct watch *w, const struct device *d);

/* ---- total.c ---- */

/* Adds what counters rose by, after it is known whether the device was restarted. */
void total_take(struct turn *t);
/* Goes on from a stored poll. */
void total_replay(struct node *n, const struct reading *r, size_t count);
struct total *total_of(const struct node *n, const struct unit *u); /* NULL: none yet */
/* Goes on from there. */
void total_put(struct node *n, const struct unit *u, const struct total *total);
enum { TOTAL_BYTES = 25 };
void total_encode(const struct total *total, struct wire_out *out);
void total_decode(struct total *total, struct wire_in *in);
/* Another machine counts from now on. */
void total_break(struct turn *t);

/* ---- parent.c ---- */

/* A device by which this one is reached, near or far, that is down; NULL. */
const struct node *parent_down(const struct node *n);
/* Tells suppressed faults that nothing above explains any more. */
void parent_reveal(struct turn *t);

/* ---- judge.c ---- */

/* The family of rules that says whether a device is there: suppressed behind a parent that is down, off in repair. */
#define FAMILY_REACH "reach"
#define STATUS_IN_REPAIR "in-repair"

/* Which rules fit the device, after its record or the knowledge changed: holds of others are forgotten. */
void judge_fit(struct turn *t);
void judge_forget_labels(struct node *n);
/* Judges. answered: the device did; else only rules that read device.reachable are. */
void judge_run(struct turn *t, bool answered);
/* Puts back a hold; false if there is no such rule for the device. */
bool judge_restore(struct turn *t, const struct hold_record *h);
/* Forgets all holds of a component that is gone, or (unit -1) of the device. */
void judge_forget(struct turn *t, int64_t unit);
/* Writes every hold's row anew: their wall clock stamps have moved. */
void judge_restamp(struct turn *t);
/* After a reload: rules by name. map: for each old rule the new place, or UINT16_MAX; old: the knowledge before. */
void judge_remap(struct turn *t, const uint16_t *map, const struct knowledge *old);
struct held *judge_held(const struct node *n, uint32_t unit, uint16_t rule); /* NULL: OK */

/* ---- fault.c ---- */

/* Brings the component's faults in line with its holds. reason: why one closes. */
void fault_settle(struct turn *t, uint32_t unit, const char *reason);
void fault_close(struct turn *t, struct fault *f, const char *reason);
/* True while a fault of a family that the rule is part of is open on the device. */
bool fault_covers(const struct node *n, const struct rule *r);
struct fault *fault_of(const struct node *n, uint32_t unit, const char *family);
/* True if a rule of its family holds. */
bool fault_held(const struct watch *w, const struct fault *f);
/* A suppressed one is told after all. */
void fault_tell(struct turn *t, struct fault *f);
void fault_ack(struct turn *t, struct fault *f, const char *actor);
/* Takes up a stored one; the turn's change may put things right. */
void fault_restore(struct turn *t, const struct alert *a);

/* ---- format.c ---- */

/* JSON object of the points that the rule's messages name; points are the component's. */
char *format_message_args(const struct rule *r, const struct value *points);

/* ---- ping.c ---- */

/* Finds the collector icmp, if there is one. */
void ping_init(struct watch *w);
void ping_fini(struct watch *w); /* no node is left */
/*
 * A read of the device had no answer: asks whether it can be pinged. False where that is
 * not possible; else schedule_take() is called with the read's end and what the ping says.
 */
bool ping_begin(struct node *n, const struct pd_read_result *silence);
/* A read begins: who missed the last is pinged meanwhile. */
void ping_early(struct node *n);
/* Pings who is down, between two probes: who answers that is probed at once. */
void ping_knock(struct node *n);
/* What that said, unknown where nothing did, for a read without an answer; or it is not wanted any more. */
struct value ping_taken(struct node *n);
void ping_drop(struct node *n);
/* Ends a ping under way: schedule_take() with CANCELLED. */
void ping_cancel(struct node *n);
void ping_close(struct node *n);

/* ---- share.c ---- */

/* The device is among those of its subnet and its gateway, or no longer. */
void share_join(struct watch *w, struct node *n);
void share_leave(struct watch *w, struct node *n);
void share_free_all(struct watch *w);
/* True if it may be read now: share_give() when that has ended. Else its timer fires when its turn has come. */
bool share_take(struct node *n);
/* It is not read any more, nor does it wait. */
void share_give(struct node *n);
/* Other units stand behind the same gateway. */
bool share_has_others(const struct node *n);

/* ---- trap.c ---- */

/* Where it is it is known by its address from now on; or not any more. */
void trap_settle(struct node *n);
void trap_leave(struct node *n);
/* It told its engine. */
void trap_know_engine(struct node *n);
/* Traps come to watch from now on, with the users of the present settings; or not any more. */
void trap_listen(struct watch *w);
void trap_deafen(struct watch *w);

/* ---- rhythm.c ---- */

int64_t rhythm_jitter(const struct node *n);
/* When in the day a known device is asked again who it is. */
int64_t rhythm_identify_phase(const struct node *n);
/* The last midnight (UTC) on the monotonic clock, at a tick of the wheel: then polls are due at ticks. */
int64_t rhythm_midnight(const struct watch *w);
/* How often a part is read of this device, and the first time after `after` that belongs to it. */
int64_t rhythm_every(const struct node *n, unsigned part);
int64_t rhythm_next(const struct node *n, unsigned part, int64_t after);
/* The part that shows whether a device lives: the first that its profile has. */
unsigned rhythm_probe_part(const struct node *n);
/* Who did not answer, or is not known yet, is only probed. */
bool rhythm_only_probes(const struct node *n);
/* When a device is polled first after a start: at its own jitter; of many that have yet to be identified in its own interval. */
int64_t rhythm_begin(const struct node *n, size_t strangers);
/* When one that is new is met: as many a second as can be read beside the others, and in its subnet. */
int64_t rhythm_meet(struct node *n);
/* Sets when everything is due first. */
void rhythm_first(struct node *n, int64_t first_ms);
/* When something is due next; the parts that are due now, as bits. */
int64_t rhythm_due(const struct node *n);
uint32_t rhythm_parts(const struct node *n, int64_t now);
/* Sets the timer for what is due next. */
void rhythm_wait(struct node *n);
/* No read is due, but a ping: true once each time. */
bool rhythm_knocks(struct node *n, int64_t now);
/* Everything is due now. */
void rhythm_now(struct node *n);
/* Parts are due at that time, or when the read under way has ended, if that is later. Who is silent is probed then. */
void rhythm_soon(struct node *n, uint32_t parts, int64_t at_ms);
/* The read has ended: what became due meanwhile is. */
void rhythm_take_soon(struct node *n);
/* What was read is due again in its turn; what an answering device left out, a little sooner. */
void rhythm_advance(struct turn *t, bool answered);

/* ---- schedule.c ---- */

/* Takes in the end of a read, with what a ping said after one without an answer. */
void schedule_take(struct node *n, const struct pd_read_result *r, struct value ping);
/* Opens the device at its collector, anew if its target changed. PD_ENOENT without its credential; the collector's error. */
int schedule_open(struct node *n);
/* Likewise; an error is said in the log. */
void schedule_reach(struct node *n);
void schedule_close(struct node *n);
/* The timer's function: reads what is due. arg is the node. */
void schedule_poll(void *arg);
/* Ends a read under way, if there is one, and tells whoever waits for the poll. */
void schedule_stop(struct node *n);

/* ---- fetch.c ---- */

/* The device is about to be taken in: has what is known of it fetched from memory. Nothing changes. */
void node_fetch(const struct node *n);

/* ---- take.c ---- */

/* Takes in what a read that was not cancelled told, or that it told nothing. */
void take_result(struct turn *t, struct value ping);

#endif
