#include "store/month_job.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/span.h"

/* So much is read in one transaction: some 50 ms. */
enum { PIECE_POLLS = 2000 };

enum seen { SEEN_NOTHING, SEEN_UP, SEEN_DOWN };

/* Sums for a line through the levels since the last jump; times in days since its beginning. */
struct line {
    int64_t begin_ms;
    double n, t, y, tt, ty;
};

struct month_job {
    struct job job;
    struct db *db;
    struct worker *reader;
    struct month_args args;
    struct month out;
    struct line *lines; /* one a series */
    month_done done;
    void *arg;
    int err;
    /* How far it has come. */
    int64_t from, to; /* polls in [from, to] are still to be read */
    bool over;
    int64_t at_ms; /* of the last poll, or where time begins to count */
    enum seen seen;
    unsigned day;      /* in which the last span ended */
    int64_t outage_ms; /* of the outage that goes on */
    bool in_outage;
    /* The poll that is being read. */
    int64_t poll_ms;
    size_t cursor; /* in the series */
    enum seen poll_seen;
    unsigned pieces; /* polls read in this piece */
};

/* ---- Time ---- */

static int64_t first_ms(const struct month_args *a)
{
    return a->since_ms > a->day_ms[0] ? a->since_ms : a->day_ms[0];
}

static int64_t end_ms(const struct month_args *a)
{
    return a->until_ms < a->day_ms[a->days] ? a->until_ms : a->day_ms[a->days];
}

static void count(struct month_day *d, enum seen seen, int64_t ms)
{
    if (seen == SEEN_UP)
        d->up_ms += ms;
    else if (seen == SEEN_DOWN)
        d->down_ms += ms;
    else
        d->gap_ms += ms;
}

/* An outage goes on over a gap: nobody saw it end. */
static void note_outage(struct month_job *j, enum seen seen, int64_t ms)
{
    if (seen == SEEN_UP) {
        j->in_outage = false;
    } else if (seen == SEEN_DOWN && ms > 0) {
        if (!j->in_outage) {
            j->in_outage = true;
            j->outage_ms = 0;
            j->out.outages++;
        }
        j->outage_ms += ms;
        if (j->outage_ms > j->out.longest_ms)
            j->out.longest_ms = j->outage_ms;
    }
}

/* Counts [from, to), as far as it lies in the month, to the days it lies in. Spans come in order. */
static void count_span(struct month_job *j, int64_t from, int64_t to, enum seen seen)
{
    const struct month_args *a = &j->args;
    int64_t first = first_ms(a), end = end_ms(a);

    from = from < first ? first : from;
    to = to > end ? end : to;
    note_outage(j, seen, to > from ? to - from : 0);
    while (from < to) {
        int64_t stop;

        while (j->day + 1 < a->days && from >= a->day_ms[j->day + 1])
            j->day++;
        stop = to < a->day_ms[j->day + 1] ? to : a->day_ms[j->day + 1];
        count(&j->out.day[j->day], seen, stop - from);
        count(&j->out.sum, seen, stop - from);
        from = stop;
    }
}

static void take_poll_time(struct month_job *j)
{
    bool spoke = j->seen != SEEN_NOTHING && j->poll_ms - j->at_ms <= j->args.speaks_ms;

    /* A poll that does not say whether it was answered tells nothing of it. */
    if (j->poll_seen == SEEN_NOTHING)
        return;
    count_span(j, j->at_ms, j->poll_ms, spoke ? j->seen : SEEN_NOTHING);
    if (j->poll_ms > j->at_ms || j->seen == SEEN_NOTHING) {
        j->at_ms = j->poll_ms;
        j->seen = j->poll_seen;
    }
}

/* What follows the last poll: a next one that was in time would have been read, also after the month. */
static void count_rest(struct month_job *j)
{
    bool spoke = j->seen != SEEN_NOTHING && j->args.until_ms - j->at_ms <= j->args.speaks_ms;

    count_span(j, j->at_ms, end_ms(&j->args), spoke ? j->seen : SEEN_NOTHING);
}

/* ---- Series ---- */

static bool as_number(const struct value *v, double *out)
{
    if (v->quality != QUALITY_GOOD)
        return false;
    if (v->type == VALUE_NUM)
        *out = v->num;
    else if (v->type == VALUE_INT)
        *out = (double)v->i;
    else
        return false;
    return isfinite(*out) != 0;
}

static void line_add(struct line *l, int64_t at_ms, double y)
{
    double t = (double)(at_ms - l->begin_ms) / 86400000.0;

    l->n += 1;
    l->t += t;
    l->y += y;
    l->tt += t * t;
    l->ty += t * y;
}

static double line_slope(const struct line *l, int64_t last_ms)
{
    const int64_t least_ms = 86400000;
    double d = l->n * l->tt - l->t * l->t;

    return last_ms - l->begin_ms >= least_ms && d > 0 ? (l->n * l->ty - l->t * l->y) / d : 0;
}

static void take_level(struct month_trend *t, struct line *l, int64_t at_ms, double x)
{
    bool jump = t->known && x >= t->last + MONTH_JUMP;

    t->jumps += jump;
    if (!t->known || jump)
        *l = (struct line){.begin_ms = at_ms};
    line_add(l, at_ms, x);
}

static void take_counter(struct month_trend *t, double x)
{
    if (!t->known)
        return;
    if (x < t->last) {
        t->jumps++;
        t->risen += x;
    } else {
        t->risen += x - t->last;
    }
}

static void take_value(struct month_job *j, size_t i, double x)
{
    struct month_trend *t = &j->out.trends[i];

    if (j->poll_ms > end_ms(&j->args))
        return;
    if (t->known && j->poll_ms <= j->args.day_ms[0]) {
        /* Still before the month: the later one is what it begins with. */
        *t = (struct month_trend){0};
        j->lines[i] = (struct line){0};
    }
    if (j->args.series.v[i].kind == SERIES_LEVEL)
        take_level(t, &j->lines[i], j->poll_ms, x);
    else
        take_counter(t, x);
    if (!t->known) {
        t->first = x;
        t->first_ms = j->poll_ms;
    }
    t->known = true;
    t->last = x;
    t->last_ms = j->poll_ms;
}

static int compare_place(const struct month_series *s, const struct reading *r)
{
    if (s->component != r->component)
        return s->component < r->component ? -1 : 1;
    return s->point < r->point ? -1 : s->point > r->point;
}

static void take_reading(struct month_job *j, const struct reading *r)
{
    double x;

    if (r->component == j->args.reachable.component && r->point == j->args.reachable.point &&
        r->value.type == VALUE_BOOL && r->value.quality == QUALITY_GOOD)
        j->poll_seen = r->value.b ? SEEN_UP : SEEN_DOWN;
    while (j->cursor < j->args.series.n && compare_place(&j->args.series.v[j->cursor], r) < 0)
        j->cursor++;
    if (j->cursor < j->args.series.n && compare_place(&j->args.series.v[j->cursor], r) == 0 && as_number(&r->value, &x))
        take_value(j, j->cursor, x);
}

/* ---- Reading ---- */

/* A poll that cannot be believed is none. */
static bool take_poll(void *ctx, const struct poll_view *p)
{
    struct month_job *j = ctx;

    j->poll_ms = p->at_ms;
    j->cursor = 0;
    j->poll_seen = SEEN_NOTHING;
    j->from = p->at_ms + 1;
    j->pieces++;
    if (p->err < 0)
        return true;
    for (size_t i = 0; i < p->n; i++)
        take_reading(j, &p->readings[i]);
    j->out.polls += p->at_ms >= j->args.day_ms[0] && p->at_ms < end_ms(&j->args);
    take_poll_time(j);
    return j->pieces < PIECE_POLLS;
}

static int read_piece(struct month_job *j)
{
    int rc = db_do(j->db, SQL_BEGIN_READ);

    j->pieces = 0;
    if (rc == 0)
        rc = span_read(j->db, j->args.device_id, j->from, j->to, NO_KEY, take_poll, j);
    j->over = j->pieces < PIECE_POLLS;
    db_rollback(j->db);
    return rc;
}

static void finish(struct month_job *j)
{
    count_rest(j);
    for (size_t i = 0; i < j->args.series.n; i++)
        if (j->args.series.v[i].kind == SERIES_LEVEL && j->out.trends[i].known)
            j->out.trends[i].per_day = line_slope(&j->lines[i], j->out.trends[i].last_ms);
}

static void work(struct job *job)
{
    struct month_job *j = (struct month_job *)job;

    if (atomic_load(&j->db->given_up))
        j->err = PD_ECANCELLED;
    else
        j->err = read_piece(j);
    if (j->err == 0 && j->over)
        finish(j);
}

static void done(struct job *job)
{
    struct month_job *j = (struct month_job *)job;

    if (j->err == 0 && !j->over) {
        worker_submit(j->reader, job);
        return;
    }
    j->done(j->arg, j->err, j->err == 0 ? &j->out : NULL);
    array_free(&j->args.series);
    free(j->out.trends);
    free(j->lines);
    free(j);
}

struct job *month_job_new(struct db *db, struct worker *reader, struct month_args *args, month_done fn, void *arg)
{
    struct month_job *j = xcalloc(1, sizeof *j);
    int64_t end;

    j->job.work = work;
    j->job.done = done;
    j->db = db;
    j->reader = reader;
    j->args = *args;
    args->series.v = NULL;
    array_free(&args->series);
    j->done = fn;
    j->arg = arg;
    j->out.trends = xcalloc(j->args.series.n + 1, sizeof *j->out.trends);
    j->lines = xcalloc(j->args.series.n + 1, sizeof *j->lines);
    end = j->args.day_ms[j->args.days] + j->args.speaks_ms;
    j->from = j->args.day_ms[0] - j->args.lookback_ms;
    j->to = end < j->args.until_ms ? end : j->args.until_ms;
    j->at_ms = first_ms(&j->args);
    j->over = j->to < j->from;
    return &j->job;
}
