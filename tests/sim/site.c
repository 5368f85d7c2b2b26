#include "site.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Levels of toner at which its truth changes, in %. */
static const int marks[] = {10, 1};

/* What was told of a machine last. */
struct told {
    bool there[TRUTH_RULES][MACHINE_TONERS];
    bool blind;
    unsigned quiet[TRUTH_RULES]; /* happenings with expectations of their own */
};

struct site {
    const struct story *story;
    struct site_ops ops;
    struct machine *machines;
    struct told *told;
    size_t next; /* happening that has not begun */
    ARRAY(const struct happening *) running;
    int64_t next_mark; /* the next time that a toner reaches a mark */
    double loss;       /* %, on all machines */
};

/* ---- What is true ---- */

static bool there(const struct machine *m, int rule)
{
    const bool is[TRUTH_SUPPLY_LOW] = {
        [TRUTH_UNREACHABLE] = !m->on,
        [TRUTH_JAM] = m->jam,
        [TRUTH_COVER_OPEN] = m->cover,
        [TRUTH_SERVICE] = m->service,
    };

    return is[rule];
}

/* Low at 10 % until above 15, empty at 1 % until above 5. */
static void look_at_toner(struct site *s, struct machine *m, int64_t now_ms)
{
    struct told *t = &s->told[m->number];

    for (unsigned i = 0; i < m->nsupplies; i++) {
        const struct supply *supply = &m->supplies[i];
        const struct {
            enum truth_rule_id rule;
            int fires, clears;
        } levels[] = {{TRUTH_SUPPLY_LOW, 10, 15}, {TRUTH_SUPPLY_EMPTY, 1, 5}};

        for (unsigned k = 0; supply->toner >= 0 && k < 2; k++) {
            bool was = t->there[levels[k].rule][supply->toner];
            bool is = supply_at_most(supply, was ? levels[k].clears : levels[k].fires, now_ms);

            if (is == was)
                continue;
            t->there[levels[k].rule][supply->toner] = is;
            if (t->quiet[levels[k].rule] == 0)
                s->ops.truth(s->ops.ctx, m->number, levels[k].rule, supply->toner, is, now_ms);
        }
    }
}

/* A request is lost when all its tries are, each on one of its two ways. */
static bool is_blind(const struct site *s, const struct machine *m)
{
    double once = 1 - pow(1 - site_loss(s, m) / 100, 2);

    return pow(once, (double)s->story->configuration.retries + 1) > s->ops.blind_chance;
}

static void look(struct site *s, struct machine *m, int64_t now_ms)
{
    struct told *t = &s->told[m->number];
    bool blind = is_blind(s, m);

    for (int rule = 0; rule < TRUTH_SUPPLY_LOW; rule++) {
        bool is = there(m, rule) && t->quiet[rule] == 0;

        if (is != t->there[rule][0])
            s->ops.truth(s->ops.ctx, m->number, (enum truth_rule_id)rule, -1, is, now_ms);
        t->there[rule][0] = is;
    }
    look_at_toner(s, m, now_ms);
    if (blind != t->blind)
        s->ops.blind(s->ops.ctx, m->number, blind, now_ms);
    t->blind = blind;
}

static void look_for_marks(struct site *s, int64_t now_ms)
{
    s->next_mark = INT64_MAX;
    for (size_t i = 0; i < s->story->devices.n; i++) {
        const struct machine *m = &s->machines[i];
        int64_t show = machine_next_show(m, now_ms);

        if (show < s->next_mark)
            s->next_mark = show;
        for (unsigned k = 0; k < m->nsupplies; k++) {
            for (size_t j = 0; m->supplies[k].toner >= 0 && j < sizeof marks / sizeof marks[0]; j++) {
                int64_t at = supply_at_most(&m->supplies[k], marks[j], now_ms)
                                 ? INT64_MAX
                                 : supply_reaches(&m->supplies[k], marks[j], now_ms);

                if (at < s->next_mark)
                    s->next_mark = at;
            }
        }
    }
}

/* ---- What happens ---- */

/* The rules that are a happening's own to expect of. */
static void hush(struct site *s, const struct happening *h, int by)
{
    unsigned *quiet = s->told[h->device].quiet;

    switch (h->kind) {
    case HAPPENS_JAM:
        quiet[TRUTH_JAM] += (unsigned)by;
        break;
    case HAPPENS_COVER_OPEN:
        quiet[TRUTH_COVER_OPEN] += (unsigned)by;
        break;
    case HAPPENS_SERVICE:
        quiet[TRUTH_SERVICE] += (unsigned)by;
        break;
    case HAPPENS_DEVICE_OFF:
        quiet[TRUTH_UNREACHABLE] += (unsigned)by;
        break;
    case HAPPENS_TONER_DRAIN:
        quiet[TRUTH_SUPPLY_LOW] += (unsigned)by;
        quiet[TRUTH_SUPPLY_EMPTY] += (unsigned)by;
        break;
    default:
        break;
    }
}

static void befall(struct site *s, const struct happening *h, bool begins, int64_t now_ms)
{
    struct machine *m = h->device >= 0 ? &s->machines[h->device] : NULL;

    switch (h->kind) {
    case HAPPENS_JAM:
        machine_set_jam(m, begins, now_ms);
        break;
    case HAPPENS_COVER_OPEN:
        machine_set_cover(m, begins, now_ms);
        break;
    case HAPPENS_SERVICE:
        machine_set_service(m, begins, now_ms);
        break;
    case HAPPENS_DEVICE_OFF:
        machine_set_power(m, !begins, now_ms);
        break;
    case HAPPENS_TONER_DRAIN:
        machine_set_drain(m, h->toner, begins ? h->pages_per_hour : 0, now_ms);
        if (!begins)
            machine_refill(m, h->toner, now_ms);
        break;
    case HAPPENS_PACKET_LOSS:
        *(m ? &m->loss : &s->loss) = begins ? h->percent : 0;
        break;
    case HAPPENS_PATROLD_KILLED:
        if (begins)
            s->ops.killed(s->ops.ctx, h->until_ms - h->at_ms);
        break;
    case HAPPENS_CLOCK_STEP:
        s->ops.clock_step(s->ops.ctx, h->step_ms);
        break;
    case HAPPENS_COUNT:
        break;
    }
}

static void happen(struct site *s, const struct happening *h, bool begins, int64_t now_ms)
{
    if (h->expect_given && begins) {
        hush(s, h, 1);
        s->ops.expected(s->ops.ctx, h);
    }
    befall(s, h, begins, now_ms);
    for (size_t i = 0; i < s->story->devices.n; i++)
        if (h->device < 0 || (size_t)h->device == i)
            look(s, &s->machines[i], now_ms);
    if (h->expect_given && !begins)
        hush(s, h, -1);
}

static int64_t next_end(const struct site *s, size_t *which)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < s->running.n; i++) {
        if (s->running.v[i]->until_ms < first) {
            first = s->running.v[i]->until_ms;
            *which = i;
        }
    }
    return first;
}

int64_t site_next(const struct site *s)
{
    size_t which;
    int64_t next = next_end(s, &which);

    if (s->next_mark < next)
        next = s->next_mark;
    if (s->next < s->story->happenings.n && s->story->happenings.v[s->next].at_ms < next)
        next = s->story->happenings.v[s->next].at_ms;
    return next;
}

static void reach_marks(struct site *s, int64_t now_ms)
{
    for (size_t i = 0; i < s->story->devices.n; i++) {
        struct machine *m = &s->machines[i];

        machine_show(m, now_ms);
        look(s, m, now_ms);
    }
}

/* One step, at the time site_next() gave: ends before beginnings, so that a trouble may follow its like at once. */
static void step(struct site *s, int64_t at_ms)
{
    size_t which = 0;

    if (s->next_mark == at_ms) {
        reach_marks(s, at_ms);
    } else if (next_end(s, &which) == at_ms) {
        const struct happening *h = s->running.v[which];

        array_remove(&s->running, which);
        happen(s, h, false, at_ms);
    } else {
        const struct happening *h = &s->story->happenings.v[s->next++];

        if (h->kind != HAPPENS_CLOCK_STEP)
            array_push(&s->running, h);
        happen(s, h, true, at_ms);
    }
    look_for_marks(s, at_ms);
}

void site_advance(struct site *s, int64_t now_ms)
{
    int64_t at;

    while ((at = site_next(s)) <= now_ms)
        step(s, at);
}

/* ---- The site ---- */

/* Another device has the same address: both are units behind a gateway. */
static bool has_neighbour(const struct story *story, size_t i)
{
    for (size_t k = 0; k < story->devices.n; k++)
        if (k != i && strcmp(story->devices.v[k].address, story->devices.v[i].address) == 0)
            return true;
    return false;
}

struct site *site_new(const struct story *story, const struct site_ops *ops)
{
    struct site *s = xcalloc(1, sizeof *s);

    *s = (struct site){.story = story, .ops = *ops};
    s->machines = xcalloc(story->devices.n, sizeof *s->machines);
    s->told = xcalloc(story->devices.n, sizeof *s->told);
    for (size_t i = 0; i < story->devices.n; i++) {
        machine_init(&s->machines[i], &story->devices.v[i], (unsigned)i);
        s->machines[i].gateway = has_neighbour(story, i);
    }
    for (size_t i = 0; i < story->devices.n; i++)
        look(s, &s->machines[i], 0);
    look_for_marks(s, 0);
    return s;
}

void site_free(struct site *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->story->devices.n; i++)
        machine_fini(&s->machines[i]);
    array_free(&s->running);
    free(s->machines);
    free(s->told);
    free(s);
}

size_t site_count(const struct site *s)
{
    return s->story->devices.n;
}

struct machine *site_machine(struct site *s, size_t i)
{
    return &s->machines[i];
}

struct machine *site_find(struct site *s, const char *address)
{
    return site_find_unit(s, address, 0);
}

struct machine *site_find_unit(struct site *s, const char *address, unsigned unit)
{
    for (size_t i = 0; i < site_count(s); i++)
        if ((unit == 0 || s->machines[i].spec->unit == unit) && strcmp(s->machines[i].address, address) == 0)
            return &s->machines[i];
    return NULL;
}

double site_loss(const struct site *s, const struct machine *m)
{
    double loss = s->story->loss;

    if (s->loss > loss)
        loss = s->loss;
    return m->loss > loss ? m->loss : loss;
}
