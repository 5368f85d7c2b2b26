#include "truth.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { TONERS = 4 };

/* One rule on one component. */
struct track {
    struct spans there;
    int64_t since; /* -1: it is not there now */
};

struct seeing {
    struct track track[TRUTH_RULES][TONERS];
    struct spans unread, blind;
    int64_t blind_since;
};

struct truths {
    const struct story *story;
    struct seeing *machines;
    struct spans running;
    int64_t running_since;
    ARRAY(const struct happening *) own; /* with expectations of their own */
    struct expectations *out;
    int64_t end;
};

struct truths *truth_new(const struct story *story)
{
    struct truths *t = xcalloc(1, sizeof *t);

    *t = (struct truths){.story = story, .running_since = -1};
    t->machines = xcalloc(story->devices.n, sizeof *t->machines);
    for (size_t i = 0; i < story->devices.n; i++) {
        t->machines[i].blind_since = -1;
        for (int rule = 0; rule < TRUTH_RULES; rule++)
            for (int k = 0; k < TONERS; k++)
                t->machines[i].track[rule][k].since = -1;
    }
    return t;
}

void truth_free(struct truths *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->story->devices.n; i++) {
        for (int rule = 0; rule < TRUTH_RULES; rule++)
            for (int k = 0; k < TONERS; k++)
                spans_free(&t->machines[i].track[rule][k].there);
        spans_free(&t->machines[i].unread);
        spans_free(&t->machines[i].blind);
    }
    free(t->machines);
    spans_free(&t->running);
    array_free(&t->own);
    free(t);
}

/* ---- As the story goes on ---- */

/* Begins or ends a stretch. */
static void turn(struct spans *spans, int64_t *since, bool on, int64_t at_ms)
{
    if (!on && *since >= 0)
        spans_add(spans, *since, at_ms);
    if (!on || *since < 0)
        *since = on ? at_ms : -1;
}

void truth_there(struct truths *t, unsigned machine, enum truth_rule_id rule, int toner, bool there, int64_t at_ms)
{
    struct track *track = &t->machines[machine].track[rule][toner < 0 ? 0 : toner];

    turn(&track->there, &track->since, there, at_ms);
}

void truth_expected(struct truths *t, const struct happening *h)
{
    array_push(&t->own, h);
}

void truth_blind(struct truths *t, unsigned machine, bool blind, int64_t at_ms)
{
    turn(&t->machines[machine].blind, &t->machines[machine].blind_since, blind, at_ms);
}

void truth_unread(struct truths *t, unsigned machine, int64_t from_ms, int64_t to_ms)
{
    spans_add(&t->machines[machine].unread, from_ms, to_ms);
}

void truth_patrold(struct truths *t, bool running, int64_t at_ms)
{
    turn(&t->running, &t->running_since, running, at_ms);
}

/* ---- Who could see it ---- */

static void cut_all(struct spans *from, const struct spans *what)
{
    for (size_t i = 0; i < what->list.n; i++)
        spans_cut(from, what->list.v[i].from, what->list.v[i].to);
}

static int64_t within(const struct truths *t, int rule, bool clear)
{
    return story_within_ms(t->story, rule, clear);
}

/* When patrold could see whether a rule's fault is there, and (opening) would open it. */
static void seen(const struct truths *t, unsigned machine, int rule, bool opening, struct spans *out)
{
    const struct seeing *m = &t->machines[machine];
    const struct spans *jams = &m->track[TRUTH_JAM][0].there;

    for (size_t i = 0; i < t->running.list.n; i++)
        spans_add(out, t->running.list.v[i].from, t->running.list.v[i].to);
    cut_all(out, &m->blind);
    cut_all(out, &m->unread);
    if (rule != TRUTH_UNREACHABLE)
        cut_all(out, &m->track[TRUTH_UNREACHABLE][0].there);
    for (size_t i = 0; rule == TRUTH_COVER_OPEN && opening && i < jams->list.n; i++)
        spans_cut(out, jams->list.v[i].from, jams->list.v[i].to + within(t, TRUTH_JAM, true));
}

/* ---- Reckoning ---- */

/* By when a rule must have fired for these stretches of its truth. */
static int64_t fires_by(const struct truths *t, const struct spans *visible, const struct span *there, size_t n,
                        int rule)
{
    int64_t by = INT64_MAX, need = within(t, rule, false);

    for (size_t i = 0; i < n; i++) {
        int64_t run = spans_run(visible, there[i].from, there[i].to, need);

        if (run >= 0 && run + need < by)
            by = run + need;
    }
    return by;
}

/* Whether it can look, between two polls, as if the fault had held for long enough. */
static bool may_fire(const struct truths *t, const struct span *there, size_t n, int rule)
{
    int64_t poll = t->story->configuration.every_ms[truth_rules[rule].part];

    return n > 1 || there[0].to - there[0].from + poll + TRUTH_GRACE_MS > story_hold_ms(t->story, rule, false);
}

/*
 * A hold is measured from when a poll was begun, and its answers may come from
 * after a retry or two: so an alert may open that much before its hold is over.
 */
static int64_t opens_from(const struct truths *t, int64_t there_ms, int rule)
{
    int64_t hold = story_hold_ms(t->story, rule, false);

    return there_ms + (hold > TRUTH_GRACE_MS ? hold - TRUTH_GRACE_MS : 0);
}

/* The same when it is over. */
static int64_t stays_until(const struct truths *t, int64_t gone_ms, int rule)
{
    int64_t hold = story_hold_ms(t->story, rule, true);

    return gone_ms + (hold > TRUTH_GRACE_MS ? hold - TRUTH_GRACE_MS : 0);
}

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t unless_beyond(const struct truths *t, int64_t at)
{
    return at > t->end ? INT64_MAX : at;
}

/* The stretches of a graver rule that lie within a fault. */
static void take_graver(const struct truths *t, struct expectation *x, const struct spans *visible, int graver)
{
    const struct spans *there = &t->machines[x->machine].track[graver][x->toner < 0 ? 0 : x->toner].there;

    for (size_t i = 0; i < there->list.n; i++) {
        const struct span *s = &there->list.v[i];

        if (s->from < x->began_ms || s->from > x->ended_ms)
            continue;
        x->graver.by_ms = min64(x->graver.by_ms, unless_beyond(t, fires_by(t, visible, s, 1, graver)));
        x->from_ms = min64(x->from_ms, opens_from(t, s->from, graver));
    }
    x->open_by_ms = min64(x->open_by_ms, x->graver.by_ms);
}

/* One fault, of n stretches of its truth that patrold could not tell apart for certain. */
static void add_fault(struct truths *t, unsigned machine, int rule, int toner, const struct span *there, size_t n)
{
    int64_t poll = t->story->configuration.every_ms[truth_rules[rule].part];
    struct expectation x = {
        .machine = machine,
        .rule = (enum truth_rule_id)rule,
        .toner = toner,
        .began_ms = there[0].from,
        .ended_ms = there[n - 1].to,
        .from_ms = opens_from(t, there[0].from, rule),
        .until_ms = there[n - 1].to + poll + TRUTH_GRACE_MS,
        .close_by_ms = INT64_MAX,
        .graver = {TRUTH_SUPPLY_EMPTY, INT64_MAX},
        .parted = n > 1,
    };
    struct spans opening = {0}, closing = {0};
    int64_t run, clear = within(t, rule, true);

    seen(t, machine, rule, true, &opening);
    seen(t, machine, rule, false, &closing);
    x.open_by_ms = unless_beyond(t, fires_by(t, &opening, there, n, rule));
    if (rule == TRUTH_SUPPLY_LOW)
        take_graver(t, &x, &opening, TRUTH_SUPPLY_EMPTY);
    run = spans_run(&closing, x.ended_ms, INT64_MAX, clear);
    if (run >= 0)
        x.close_by_ms = unless_beyond(t, run + clear);
    for (size_t i = 0; i < n; i++)
        spans_add(&x.there, there[i].from, stays_until(t, there[i].to, rule));
    if (x.ended_ms >= t->end)
        x.ended_ms = INT64_MAX;
    if (x.open_by_ms != INT64_MAX || may_fire(t, there, n, rule))
        array_push(&t->out->list, x);
    else
        spans_free(&x.there);
    spans_free(&opening);
    spans_free(&closing);
}

/* Stretches with no certain look at the time between them are one fault. */
static void reckon_track(struct truths *t, unsigned machine, int rule, int toner)
{
    const struct spans *there = &t->machines[machine].track[rule][toner < 0 ? 0 : toner].there;
    const struct span *v = there->list.v;
    struct spans visible = {0};
    size_t first = 0;

    seen(t, machine, rule, false, &visible);
    for (size_t i = 0; i < there->list.n; i++) {
        if (i + 1 < there->list.n && spans_run(&visible, v[i].to, v[i + 1].from, within(t, rule, true)) < 0)
            continue;
        add_fault(t, machine, rule, toner, &v[first], i + 1 - first);
        first = i + 1;
    }
    spans_free(&visible);
}

/* While packets get lost beyond measure a machine may seem to be off. */
static void reckon_blind(struct truths *t, unsigned machine)
{
    const struct spans *blind = &t->machines[machine].blind;

    for (size_t i = 0; i < blind->list.n; i++) {
        struct expectation x = {
            .machine = machine,
            .rule = TRUTH_UNREACHABLE,
            .toner = -1,
            .began_ms = blind->list.v[i].from,
            .ended_ms = blind->list.v[i].to,
            .from_ms = blind->list.v[i].from,
            .until_ms = blind->list.v[i].to + TRUTH_GRACE_MS,
            .open_by_ms = INT64_MAX,
            .close_by_ms = unless_beyond(t, blind->list.v[i].to + within(t, TRUTH_UNREACHABLE, true)),
            .graver = {TRUTH_UNREACHABLE, INT64_MAX},
            .parted = true,
        };

        array_push(&t->out->list, x);
    }
}

/* What the story's author expects, whatever the table says. */
static void reckon_own(struct truths *t, const struct happening *h)
{
    for (size_t i = 0; i < h->nexpects; i++) {
        const struct story_expect *e = &h->expects[i];
        bool supply = truth_rules[e->rule].part == PART_SUPPLIES;
        int64_t until = min64(h->until_ms, t->end);
        struct expectation x = {
            .machine = (unsigned)h->device,
            .rule = (enum truth_rule_id)e->rule,
            .toner = supply ? h->toner : -1,
            .began_ms = h->at_ms,
            .ended_ms = h->until_ms,
            .from_ms = h->at_ms,
            .until_ms = until + story_within_ms(t->story, e->rule, false),
            .open_by_ms = unless_beyond(t, h->at_ms + e->opens_ms),
            .close_by_ms = unless_beyond(t, until + e->clears_ms),
            .graver = {(enum truth_rule_id)e->rule, INT64_MAX},
        };

        array_push(&t->out->list, x);
    }
}

static int by_beginning(const void *a, const void *b)
{
    const struct expectation *x = a, *y = b;

    if (x->began_ms != y->began_ms)
        return x->began_ms < y->began_ms ? -1 : 1;
    if (x->machine != y->machine)
        return x->machine < y->machine ? -1 : 1;
    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    return x->toner - y->toner;
}

static void close_all(struct truths *t, int64_t end_ms)
{
    truth_patrold(t, false, end_ms);
    for (unsigned i = 0; i < t->story->devices.n; i++) {
        truth_blind(t, i, false, end_ms);
        for (int rule = 0; rule < TRUTH_RULES; rule++)
            for (int k = 0; k < TONERS; k++)
                truth_there(t, i, (enum truth_rule_id)rule, k, false, end_ms);
    }
}

void truth_finish(struct truths *t, int64_t end_ms, struct expectations *out)
{
    t->out = out;
    t->end = end_ms;
    close_all(t, end_ms);
    for (unsigned i = 0; i < t->story->devices.n; i++) {
        for (int rule = 0; rule < TRUTH_SUPPLY_LOW; rule++)
            reckon_track(t, i, rule, -1);
        for (int k = 0; k < TONERS; k++)
            reckon_track(t, i, TRUTH_SUPPLY_LOW, k);
        reckon_blind(t, i);
    }
    for (size_t i = 0; i < t->own.n; i++)
        reckon_own(t, t->own.v[i]);
    if (out->list.n > 1)
        qsort(out->list.v, out->list.n, sizeof out->list.v[0], by_beginning);
}

void expectations_free(struct expectations *e)
{
    for (size_t i = 0; i < e->list.n; i++)
        spans_free(&e->list.v[i].there);
    array_free(&e->list);
}
