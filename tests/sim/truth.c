#include "truth.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* One rule on one component. */
struct track {
    struct spans there;
    int64_t since; /* -1: it is not there now */
};

struct seeing {
    struct track track[TRUTH_RULES][TRUTH_PIECES];
    struct spans unread, blind, hidden;
    int64_t blind_since, hidden_since;
    ARRAY(int64_t) restarts;
};

/* An alert of a rule may come and go. */
struct chance {
    unsigned machine;
    enum truth_rule_id rule;
    int piece;
    struct span span;
};

struct nap {
    unsigned machine;
    int64_t at, from, to;
};

struct truths {
    const struct story *story;
    struct seeing *machines;
    struct spans running;
    int64_t running_since;
    ARRAY(struct chance) chances;
    ARRAY(struct nap) naps;
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
        t->machines[i].blind_since = t->machines[i].hidden_since = -1;
        for (int rule = 0; rule < TRUTH_RULES; rule++)
            for (int k = 0; k < TRUTH_PIECES; k++)
                t->machines[i].track[rule][k].since = -1;
    }
    return t;
}

void truth_free(struct truths *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->story->devices.n; i++) {
        struct seeing *m = &t->machines[i];

        for (int rule = 0; rule < TRUTH_RULES; rule++)
            for (int k = 0; k < TRUTH_PIECES; k++)
                spans_free(&m->track[rule][k].there);
        spans_free(&m->unread);
        spans_free(&m->blind);
        spans_free(&m->hidden);
        array_free(&m->restarts);
    }
    free(t->machines);
    spans_free(&t->running);
    array_free(&t->chances);
    array_free(&t->naps);
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

void truth_there(struct truths *t, unsigned machine, enum truth_rule_id rule, int piece, bool there, int64_t at_ms)
{
    struct track *track = &t->machines[machine].track[rule][piece < 0 ? 0 : piece];

    turn(&track->there, &track->since, there, at_ms);
}

void truth_possible(struct truths *t, unsigned machine, enum truth_rule_id rule, int piece, int64_t from_ms,
                    int64_t to_ms)
{
    struct chance c = {machine, rule, piece, {from_ms, to_ms}};

    if (from_ms < to_ms)
        array_push(&t->chances, c);
}

void truth_restarted(struct truths *t, unsigned machine, int64_t at_ms)
{
    array_push(&t->machines[machine].restarts, at_ms);
}

void truth_asleep(struct truths *t, unsigned machine, int64_t at_ms, int64_t from_ms, int64_t to_ms)
{
    array_push(&t->naps, ((struct nap){machine, at_ms, from_ms, to_ms}));
}

void truth_hidden(struct truths *t, unsigned machine, bool hidden, int64_t at_ms)
{
    turn(&t->machines[machine].hidden, &t->machines[machine].hidden_since, hidden, at_ms);
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

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How long patrold may not look after a silence: it asks who is down the more seldom the longer that lasts. */
static int64_t looks_again(const struct span *silence)
{
    return min64((silence->to - silence->from) / TRUTH_SILENT_SHARE, TRUTH_SILENT_MS);
}

/* While anything that a machine is reached by is down, and until that is over for certain, nobody can say that it is, too. */
static void cut_behind(const struct truths *t, unsigned machine, struct spans *out)
{
    for (int p = t->story->devices.v[machine].parent; p >= 0; p = t->story->devices.v[p].parent) {
        const struct spans *hidden = &t->machines[p].hidden;

        for (size_t i = 0; i < hidden->list.n; i++)
            spans_cut(out, hidden->list.v[i].from,
                      hidden->list.v[i].to + looks_again(&hidden->list.v[i]) + within(t, TRUTH_UNREACHABLE, true));
    }
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
    if (truth_of_reach(rule))
        cut_behind(t, machine, out);
    else
        cut_all(out, &m->hidden);
    for (size_t i = 0; i < m->hidden.list.n; i++)
        spans_cut(out, m->hidden.list.v[i].to, m->hidden.list.v[i].to + looks_again(&m->hidden.list.v[i]));
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

    if (truth_of_reach(rule)) /* the silent polls before may have been the network's fault */
        hold -= 2 * t->story->configuration.every_ms[truth_rules[rule].part];
    return there_ms + (hold > TRUTH_GRACE_MS ? hold - TRUTH_GRACE_MS : 0);
}

/* The same when it is over. */
static int64_t stays_until(const struct truths *t, int64_t gone_ms, int rule)
{
    int64_t hold = story_hold_ms(t->story, rule, true);

    return gone_ms + (hold > TRUTH_GRACE_MS ? hold - TRUTH_GRACE_MS : 0);
}

static int64_t unless_beyond(const struct truths *t, int64_t at)
{
    return at > t->end ? INT64_MAX : at;
}

/* A stretch of the truth of one of a family's rules. */
struct stretch {
    struct span span;
    int rule;
};

struct stretches {
    ARRAY(struct stretch) list;
};

static int by_from(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;

    if (x->span.from != y->span.from)
        return x->span.from < y->span.from ? -1 : 1;
    return x->rule - y->rule;
}

static void collect(const struct truths *t, unsigned machine, int first, int last, int piece, struct stretches *out)
{
    for (int rule = first; rule <= last; rule++) {
        const struct spans *there = &t->machines[machine].track[rule][piece < 0 ? 0 : piece].there;

        for (size_t i = 0; i < there->list.n; i++)
            array_push(&out->list, ((struct stretch){there->list.v[i], rule}));
    }
    if (out->list.n > 1)
        qsort(out->list.v, out->list.n, sizeof out->list.v[0], by_from);
}

/* What a rule, one of the family's degrees, asks of the fault. */
static void add_degree(const struct truths *t, struct expectation *x, const struct stretch *v, size_t n, int rule)
{
    struct truth_degree d = {(enum truth_rule_id)rule, INT64_MAX, INT64_MAX};
    struct spans visible = {0}, there = {0};

    for (size_t i = 0; i < n; i++) {
        if (v[i].rule != rule)
            continue;
        spans_add(&there, v[i].span.from, v[i].span.to);
        d.from_ms = min64(d.from_ms, opens_from(t, v[i].span.from, rule));
    }
    if (there.list.n > 0) {
        seen(t, x->machine, rule, true, &visible);
        d.by_ms = unless_beyond(t, fires_by(t, &visible, there.list.v, there.list.n, rule));
        if (d.by_ms != INT64_MAX || may_fire(t, there.list.v, there.list.n, rule))
            x->degrees[x->ndegrees++] = d;
    }
    spans_free(&visible);
    spans_free(&there);
}

/* How long any of these rules may need to be cleared. */
static int64_t clears_within(const struct truths *t, const struct stretch *v, size_t n)
{
    int64_t most = 0;

    for (size_t i = 0; i < n; i++)
        if (within(t, v[i].rule, true) > most)
            most = within(t, v[i].rule, true);
    return most;
}

static void spans_join(struct spans *s, int64_t from, int64_t to)
{
    int64_t begin = s->list.n > 0 && s->list.v[s->list.n - 1].from > from ? s->list.v[s->list.n - 1].from : from;

    spans_add(s, begin, to);
}

/* One fault, of n stretches of its truth that patrold could not tell apart for certain. */
static void add_fault(struct truths *t, unsigned machine, int piece, const struct stretch *v, size_t n)
{
    struct expectation x = {
        .machine = machine,
        .rule = TRUTH_RULES,
        .piece = piece,
        .began_ms = v[0].span.from,
        .from_ms = INT64_MAX,
        .open_by_ms = INT64_MAX,
        .close_by_ms = INT64_MAX,
    };
    struct spans closing = {0};
    int64_t run, clear = clears_within(t, v, n);
    int rule = v[0].rule;

    for (size_t i = 0; i < n; i++) {
        int64_t poll = t->story->configuration.every_ms[truth_rules[v[i].rule].part];
        int64_t lasts = poll + truth_rules[v[i].rule].window_ms + TRUTH_GRACE_MS;

        x.parted |= i > 0 && v[i].span.from > x.ended_ms;
        x.ended_ms = v[i].span.to > x.ended_ms ? v[i].span.to : x.ended_ms;
        x.until_ms = v[i].span.to + lasts > x.until_ms ? v[i].span.to + lasts : x.until_ms;
        spans_join(&x.there, v[i].span.from, stays_until(t, v[i].span.to, v[i].rule));
    }
    for (int r = truth_mildest((enum truth_rule_id)rule); r <= (int)truth_gravest((enum truth_rule_id)rule); r++)
        add_degree(t, &x, v, n, r);
    for (unsigned i = 0; i < x.ndegrees; i++) {
        x.rule = x.degrees[i].rule < x.rule ? x.degrees[i].rule : x.rule;
        x.from_ms = min64(x.from_ms, x.degrees[i].from_ms);
        x.open_by_ms = min64(x.open_by_ms, x.degrees[i].by_ms);
    }
    seen(t, machine, rule, false, &closing);
    run = spans_run(&closing, x.ended_ms, INT64_MAX, clear);
    if (run >= 0)
        x.close_by_ms = unless_beyond(t, run + clear);
    if (x.ended_ms >= t->end)
        x.ended_ms = INT64_MAX;
    if (x.ndegrees > 0)
        array_push(&t->out->list, x);
    else
        spans_free(&x.there);
    spans_free(&closing);
}

/* Stretches with no certain look at the time between them are one fault. */
static void reckon_family(struct truths *t, unsigned machine, int first, int piece)
{
    struct stretches all = {0};
    struct spans visible = {0};
    size_t begin = 0;
    int64_t end = 0;

    collect(t, machine, first, (int)truth_gravest((enum truth_rule_id)first), piece, &all);
    if (all.list.n > 0)
        seen(t, machine, first, false, &visible);
    for (size_t i = 0; i < all.list.n; i++) {
        const struct stretch *v = all.list.v;

        end = v[i].span.to > end ? v[i].span.to : end;
        if (i + 1 < all.list.n &&
            (v[i + 1].span.from <= end ||
             spans_run(&visible, end, v[i + 1].span.from, clears_within(t, &v[begin], i + 1 - begin)) < 0))
            continue;
        add_fault(t, machine, piece, &v[begin], i + 1 - begin);
        begin = i + 1;
    }
    spans_free(&visible);
    array_free(&all.list);
}

/* ---- What is possible ---- */

static void add_possible(struct truths *t, struct chance *c)
{
    c->span.to = min64(c->span.to, t->end);

    struct expectation x = {
        .machine = c->machine,
        .rule = c->rule,
        .piece = c->piece,
        .began_ms = c->span.from,
        .ended_ms = c->span.to,
        .from_ms = c->span.from,
        .until_ms = c->span.to + TRUTH_GRACE_MS,
        .open_by_ms = INT64_MAX,
        .close_by_ms = INT64_MAX,
        .degrees = {{c->rule, c->span.from, INT64_MAX}},
        .ndegrees = 1,
        .parted = true,
        .loose = true,
    };
    struct spans visible = {0};
    int64_t clear = within(t, c->rule, true), run;

    seen(t, c->machine, c->rule, false, &visible);
    run = spans_run(&visible, c->span.to, INT64_MAX, clear);
    if (run >= 0)
        x.close_by_ms = unless_beyond(t, run + clear);
    spans_free(&visible);
    array_push(&t->out->list, x);
}

static bool same_family(const struct expectation *x, const struct expectation *y)
{
    return x->machine == y->machine && x->piece == y->piece && truth_mildest(x->rule) == truth_mildest(y->rule);
}

/* What is possible around a fault may keep its alert open, or have opened it. */
static void loosen(struct expectations *e, size_t possible_from)
{
    for (size_t k = possible_from; k < e->list.n; k++) {
        struct expectation *p = &e->list.v[k];

        for (size_t i = 0; i < e->list.n; i++) {
            struct expectation *x = &e->list.v[i];

            if (i == k || !same_family(x, p))
                continue;
            if (p->began_ms > x->until_ms || p->close_by_ms < x->from_ms)
                continue;
            x->loose = true;
            /* Whichever may last longer says when the alert closes. */
            if (p->close_by_ms >= x->close_by_ms)
                x->close_by_ms = INT64_MAX;
            else
                p->close_by_ms = INT64_MAX;
        }
    }
}

/* A machine that nobody saw fall asleep may seem to be off. */
static void reckon_naps(struct truths *t)
{
    for (size_t i = 0; i < t->naps.n; i++) {
        const struct nap *n = &t->naps.v[i];
        struct spans visible = {0};

        seen(t, n->machine, TRUTH_RESTARTED, false, &visible);
        if (spans_run(&visible, n->at, n->from, within(t, TRUTH_RESTARTED, false)) < 0)
            truth_possible(t, n->machine, TRUTH_UNREACHABLE, -1, n->from, n->to);
        spans_free(&visible);
    }
}

/* ---- Restarts ---- */

/* When patrold must have noticed that a machine began anew; INT64_MAX: it need not. */
static int64_t noticed_by(const struct truths *t, const struct spans *visible, int64_t at_ms)
{
    int64_t need = within(t, TRUTH_RESTARTED, false), run = spans_run(visible, at_ms, INT64_MAX, need);

    return run < 0 ? INT64_MAX : run + need;
}

/*
 * Told for an hour after it was noticed; and what cannot be noticed in time, since the machine began anew again before,
 * counts once or twice.
 */
static void reckon_restarts(struct truths *t, unsigned machine)
{
    enum { HOUR = 3600000, OFTEN = 3 };
    const struct seeing *m = &t->machines[machine];
    struct spans visible = {0};

    seen(t, machine, TRUTH_RESTARTED, false, &visible);
    for (size_t i = 0; i < m->restarts.n; i++) {
        int64_t at = m->restarts.v[i], by = noticed_by(t, &visible, at);
        int64_t limit = i + 1 < m->restarts.n ? m->restarts.v[i + 1] : t->end;
        bool sure = by <= limit;

        if (by == INT64_MAX)
            by = t->end;
        truth_possible(t, machine, TRUTH_RESTARTED, -1, at, by + HOUR);
        if (sure && at + HOUR < t->end) {
            truth_there(t, machine, TRUTH_RESTARTED, -1, true, at);
            if (i + 1 == m->restarts.n || m->restarts.v[i + 1] > at + HOUR)
                truth_there(t, machine, TRUTH_RESTARTED, -1, false, at + HOUR);
        }
        if (i + 1 >= OFTEN && at - m->restarts.v[i + 1 - OFTEN] < 24 * HOUR + HOUR) {
            int64_t over = m->restarts.v[i + 1 - OFTEN] + 24 * (int64_t)HOUR;

            truth_possible(t, machine, TRUTH_RESTARTS_OFTEN, -1, at, by + 24 * (int64_t)HOUR);
            if (sure && over - HOUR > at) {
                truth_there(t, machine, TRUTH_RESTARTS_OFTEN, -1, true, at);
                truth_there(t, machine, TRUTH_RESTARTS_OFTEN, -1, false, over);
            }
        }
    }
    spans_free(&visible);
}

/* While packets get lost beyond measure a machine may seem to be off. */
static void reckon_blind(struct truths *t, unsigned machine)
{
    const struct spans *blind = &t->machines[machine].blind;

    for (size_t i = 0; i < blind->list.n; i++)
        truth_possible(t, machine, TRUTH_UNREACHABLE, -1, blind->list.v[i].from, blind->list.v[i].to);
}

/* What the story's author expects, whatever the table says. */
static void reckon_own(struct truths *t, const struct happening *h)
{
    for (size_t i = 0; i < h->nexpects; i++) {
        const struct story_expect *e = &h->expects[i];
        int64_t until = min64(h->until_ms, t->end);
        struct expectation x = {
            .machine = (unsigned)h->device,
            .rule = (enum truth_rule_id)e->rule,
            .piece = truth_in_pieces((enum truth_rule_id)e->rule) ? h->piece : -1,
            .began_ms = h->at_ms,
            .ended_ms = h->until_ms,
            .from_ms = h->at_ms,
            .until_ms = until + story_within_ms(t->story, e->rule, false),
            .open_by_ms = unless_beyond(t, h->at_ms + e->opens_ms),
            .close_by_ms = unless_beyond(t, until + e->clears_ms),
            .degrees = {{(enum truth_rule_id)e->rule, h->at_ms, unless_beyond(t, h->at_ms + e->opens_ms)}},
            .ndegrees = 1,
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
    if (x->piece != y->piece)
        return x->piece - y->piece;
    return (x->open_by_ms > y->open_by_ms) - (x->open_by_ms < y->open_by_ms); /* what must be told before what may be */
}

static void close_all(struct truths *t, int64_t end_ms)
{
    truth_patrold(t, false, end_ms);
    for (unsigned i = 0; i < t->story->devices.n; i++) {
        truth_blind(t, i, false, end_ms);
        truth_hidden(t, i, false, end_ms);
    }
    for (unsigned i = 0; i < t->story->devices.n; i++) {
        reckon_restarts(t, i);
        for (int rule = 0; rule < TRUTH_RULES; rule++)
            for (int k = 0; k < TRUTH_PIECES; k++)
                truth_there(t, i, (enum truth_rule_id)rule, k, false, end_ms);
    }
}

void truth_finish(struct truths *t, int64_t end_ms, struct expectations *out)
{
    size_t sure;

    t->out = out;
    t->end = end_ms;
    close_all(t, end_ms);
    for (unsigned i = 0; i < t->story->devices.n; i++) {
        for (int rule = 0; rule < TRUTH_RULES; rule = (int)truth_gravest((enum truth_rule_id)rule) + 1) {
            bool pieces = truth_in_pieces((enum truth_rule_id)rule);

            for (int k = 0; k < (pieces ? TRUTH_PIECES : 1); k++)
                reckon_family(t, i, rule, pieces ? k : -1);
        }
        reckon_blind(t, i);
    }
    reckon_naps(t);
    sure = out->list.n;
    for (size_t i = 0; i < t->chances.n; i++)
        add_possible(t, &t->chances.v[i]);
    loosen(out, sure);
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
