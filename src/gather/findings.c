#include "gather/findings.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

void findings_init(struct findings *f)
{
    *f = (struct findings){.places = u64dict_new()};
}

static void texts_free(char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
}

#define FREE_TEXTS(...) texts_free((char *const[]){__VA_ARGS__}, sizeof((char *const[]){__VA_ARGS__}) / sizeof(char *))

static void devices_fini(struct findings *f)
{
    for (size_t i = 0; i < f->devices.n; i++) {
        const struct found_device *d = &f->devices.v[i];

        FREE_TEXTS(d->name, d->device_class, d->make, d->model, d->serial, d->address, d->location, d->status);
    }
    array_free(&f->devices);
    u64dict_free(f->places);
    for (size_t i = 0; i < f->supplies.n; i++)
        FREE_TEXTS(f->supplies.v[i].kind, f->supplies.v[i].name);
    array_free(&f->supplies);
    for (size_t i = 0; i < f->meters.n; i++)
        FREE_TEXTS(f->meters.v[i].kind, f->meters.v[i].name);
    array_free(&f->meters);
}

static void tickets_fini(struct findings *f)
{
    for (size_t i = 0; i < f->faults.n; i++) {
        const struct found_fault *a = &f->faults.v[i];

        FREE_TEXTS(a->family, a->rule, a->kind, a->label);
    }
    array_free(&f->faults);
    for (size_t i = 0; i < f->tickets.n; i++) {
        ticket_fini(&f->tickets.v[i].ticket);
        array_free(&f->tickets.v[i].steps);
        array_free(&f->tickets.v[i].promises);
    }
    array_free(&f->tickets);
}

static void patrol_fini(struct findings *f)
{
    for (size_t i = 0; i < f->rounds.n; i++) {
        const struct found_round *r = &f->rounds.v[i];

        FREE_TEXTS(r->plan, r->technician, r->signed_by);
        texts_free(r->title, LANG_COUNT);
    }
    array_free(&f->rounds);
    array_free(&f->visits);
    for (size_t i = 0; i < f->items.n; i++) {
        FREE_TEXTS(f->items.v[i].value, f->items.v[i].note);
        texts_free(f->items.v[i].title, LANG_COUNT);
    }
    array_free(&f->items);
    for (size_t i = 0; i < f->plans.n; i++) {
        free(f->plans.v[i].technician);
        texts_free(f->plans.v[i].what, LANG_COUNT);
    }
    array_free(&f->plans);
}

void findings_fini(struct findings *f)
{
    devices_fini(f);
    tickets_fini(f);
    patrol_fini(f);
    *f = (struct findings){0};
}

ptrdiff_t findings_device(const struct findings *f, int64_t id)
{
    return (ptrdiff_t)(uintptr_t)u64dict_get(f->places, (uint64_t)id) - 1;
}

/* ---- Supplies ---- */

enum supply_state supply_state_of(const struct found_series *s)
{
    if (!s->trend.known)
        return SUPPLY_IS_UNKNOWN;
    return s->trend.last <= 1 ? SUPPLY_IS_EMPTY : s->trend.last <= 10 ? SUPPLY_IS_LOW : SUPPLY_IS_OK;
}

int64_t supply_percent(double level)
{
    return level <= 0 ? 0 : level >= 100 ? 100 : (int64_t)floor(level + 0.5);
}

int64_t supply_days_left(const struct found_series *s)
{
    const double least_slope = 0.01, most_days = 3650;
    double days;

    if (!s->trend.known || s->trend.per_day > -least_slope)
        return -1;
    days = s->trend.last / -s->trend.per_day;
    return days < most_days ? (int64_t)days : -1;
}

/* ---- How the devices are ---- */

static void worry(struct found_device *d, enum health health, enum worry why, size_t of)
{
    if (health <= d->health)
        return;
    d->health = health;
    d->worry = why;
    d->worry_of = of;
}

static void judge_faults(struct findings *f)
{
    for (size_t i = 0; i < f->faults.n; i++) {
        const struct found_fault *a = &f->faults.v[i];
        struct found_device *d = &f->devices.v[a->device];

        d->faults += a->severity > SEVERITY_INFO && !str_eq(a->family, "supply");
        if (a->to_ms == 0 && a->severity > SEVERITY_INFO)
            worry(d, a->severity >= SEVERITY_MAJOR ? HEALTH_FAULT : HEALTH_ATTENTION, WORRY_OPEN_FAULT, i);
    }
}

static void judge_supplies(struct findings *f)
{
    for (size_t i = 0; i < f->supplies.n; i++) {
        enum supply_state state = supply_state_of(&f->supplies.v[i]);

        if (state == SUPPLY_IS_LOW || state == SUPPLY_IS_EMPTY)
            worry(&f->devices.v[f->supplies.v[i].device], HEALTH_ATTENTION, WORRY_SUPPLY, i);
    }
}

static size_t bad_items(const struct findings *f, size_t *at, int64_t visit_id)
{
    size_t n = 0;

    while (*at < f->items.n && f->items.v[*at].visit_id < visit_id)
        ++*at;
    for (; *at < f->items.n && f->items.v[*at].visit_id == visit_id; ++*at)
        n += f->items.v[*at].result == RESULT_ATTENTION || f->items.v[*at].result == RESULT_FAULT;
    return n;
}

static void judge_patrol(struct findings *f)
{
    size_t at = 0;

    for (size_t i = 0; i < f->visits.n; i++) {
        size_t bad = bad_items(f, &at, f->visits.v[i].id);

        if (bad > 0)
            worry(&f->devices.v[f->visits.v[i].device], HEALTH_ATTENTION, WORRY_PATROL, bad);
    }
}

/* Less than 99 % of the time that was observed. */
static bool often_down(const struct month_day *d)
{
    return d->down_ms > 0 && d->up_ms / 99 < d->down_ms;
}

static void judge_device(struct findings *f, struct found_device *d)
{
    enum { OFTEN = 3 };

    if (str_eq(d->status, "in-repair") && !d->retired)
        worry(d, HEALTH_FAULT, WORRY_IN_REPAIR, 0);
    if (often_down(&d->sum))
        worry(d, HEALTH_ATTENTION, WORRY_DOWN, (size_t)d->outages);
    if (d->faults >= OFTEN)
        worry(d, HEALTH_ATTENTION, WORRY_OFTEN, d->faults);
    f->months_devices[d->health]++;
    f->sum.up_ms += d->sum.up_ms;
    f->sum.down_ms += d->sum.down_ms;
    f->sum.gap_ms += d->sum.gap_ms;
    f->outages += d->outages;
}

void findings_judge(struct findings *f)
{
    judge_faults(f);
    judge_supplies(f);
    judge_patrol(f);
    for (size_t i = 0; i < f->devices.n; i++)
        judge_device(f, &f->devices.v[i]);
    for (size_t i = 0; i < f->tickets.n; i++)
        for (size_t j = 0; j < f->tickets.v[i].promises.n; j++) {
            enum promise_outcome outcome = f->tickets.v[i].promises.v[j].outcome;

            f->kept += outcome == OUTCOME_KEPT;
            f->missed += outcome == OUTCOME_MISSED;
            f->running += outcome == OUTCOME_RUNNING;
        }
}

enum grade findings_grade(const struct findings *f)
{
    /* Each grade's bounds: devices at fault and in need of attention, time down (of what was observed) and promises
     * missed (of those due), in thousandths. */
    static const struct {
        int64_t fault, attention, down, missed;
    } bounds[] = {
        [GRADE_OF_EXCELLENT] = {0, 100, 1, 0},
        [GRADE_OF_GOOD] = {50, 300, 10, 100},
        [GRADE_OF_FAIR] = {200, 1000, 50, 300},
    };
    int64_t devices = (int64_t)f->devices.n, fault = f->months_devices[HEALTH_FAULT];
    int64_t attention = f->months_devices[HEALTH_ATTENTION], observed = f->sum.up_ms + f->sum.down_ms;

    for (int g = GRADE_OF_EXCELLENT; g < GRADE_OF_POOR; g++) {
        if (fault * 1000 <= bounds[g].fault * devices && attention * 1000 <= bounds[g].attention * devices &&
            f->sum.down_ms <= observed / 1000 * bounds[g].down &&
            f->missed * 1000 <= bounds[g].missed * (f->kept + f->missed))
            return (enum grade)g;
    }
    return GRADE_OF_POOR;
}
