#include "run.h"

#include "base/err.h"
#include "base/mem.h"
#include "dbcheck.h"
#include "virtual.h"

#include <stdlib.h>

/* ---- Power ---- */

/*
 * Where in a run of so many sync points the power fails for the n-th time of so
 * many: spread evenly over all but its end, since outages take time and syncs.
 */
static uint64_t fail_at(uint64_t syncs, unsigned n, unsigned of)
{
    return 1 + (uint64_t)n * (syncs * 9 / 10) / of;
}

struct outages {
    uint64_t syncs; /* of a run without any */
    unsigned next;
};

static void arm(struct virtual *v, struct outages *o)
{
    uint64_t at;

    v->cut_at = 0;
    if (o->next >= v->options->power_fails)
        return;
    at = fail_at(o->syncs, o->next, v->options->power_fails);
    if (at <= memvfs_syncs(v->disk))
        at = memvfs_syncs(v->disk) + 1;
    v->cut_at = at;
    memvfs_cut_power_at(v->disk, at);
    o->next++;
}

/* The power failed: what was told must be there, then patrold starts again. */
static void recover(struct virtual *v, struct outages *o)
{
    v->result->power_fails++;
    virtual_power_cycle(v, v->story->seed + o->next);
    v->err = 0;
    if (v->witness.last_event > 0) {
        struct sbuf problems = {0};
        unsigned n = dbcheck_kept(VIRTUAL_DATABASE, memvfs_name(v->disk), &v->witness, &problems);

        if (n > 0)
            sbuf_addf(v->out, "after power failure %u:\n%s", o->next, problems.s);
        v->result->problems += n;
        sbuf_free(&problems);
        dbcheck_catch_up(VIRTUAL_DATABASE, memvfs_name(v->disk), &v->witness, virtual_now(v));
    }
    arm(v, o);
    v->start_at_ms = virtual_now(v) + 1000;
}

/* ---- A run ---- */

static int live_through(struct virtual *v, uint64_t syncs)
{
    struct outages o = {.syncs = syncs};
    int64_t end = v->story->length_ms;

    arm(v, &o);
    v->err = virtual_start(v);
    while (virtual_now(v) < end) {
        if (memvfs_is_off(v->disk))
            recover(v, &o);
        else if (v->err < 0)
            return v->err;
        virtual_step(v, end);
    }
    if (memvfs_is_off(v->disk)) {
        recover(v, &o);
        v->err = virtual_start(v);
    }
    memvfs_cut_power_at(v->disk, 0);
    if (v->result->power_fails < v->options->power_fails) {
        sbuf_addf(v->out, "problem: the power failed %llu times only: the run has too few sync points\n",
                  (unsigned long long)v->result->power_fails);
        v->result->problems++;
    }
    return v->err;
}

/* ---- Pages ---- */

enum { MOST_DRAINED = 700 }; /* pages an hour that a story drains toner with */

static void take_total(void *ctx, const struct component_view *c)
{
    const struct point_def *p = str_eq(c->kind->name, "marker") ? kind_point(c->kind, "total") : NULL;

    if (p && (c->points[p->slot].quality == QUALITY_GOOD || c->points[p->slot].quality == QUALITY_STALE))
        *(int64_t *)ctx = c->points[p->slot].i;
}

/*
 * What patrold counted is what was printed, whatever became of the machines: never more, and less by no more than an hour's
 * pages for each time that a counter began elsewhere, when nobody can say how far the old one came.
 */
static void check_pages(struct virtual *v)
{
    for (size_t i = 0; i < v->story->devices.n; i++) {
        const struct machine *m = site_machine(v->site, i);
        const struct device *d = watch_device_named(core_watch(v->core), m->spec->name);
        int64_t first = 18230 + (int64_t)m->number * 771, all, told = -1, lost;

        if (!model_prints(m->spec->model) || d == NULL)
            continue;
        watch_device_points(core_watch(v->core), d->id, take_total, &told);
        all = first + ramp_at(&m->printed, virtual_now(v));
        lost = (m->recounts + 1) * (m->spec->pages_per_hour + MOST_DRAINED);
        if (told < 0 || (told <= all && told >= all - lost))
            continue;
        sbuf_addf(v->out, "problem: %s printed to page %lld, and patrold counts %lld\n", m->spec->name, (long long)all,
                  (long long)told);
        v->result->problems++;
    }
}

static void conclude(struct virtual *v)
{
    struct expectations expected = {0};
    struct judgement j = {0};

    v->result->problems += dbcheck(VIRTUAL_DATABASE, memvfs_name(v->disk), &v->witness, v->out);
    site_end(v->site, v->story->length_ms);
    truth_finish(v->truths, v->story->length_ms, &expected);
    judge(v->story, &expected, &v->witness, &j);
    judge_table(v->out, v->story, &j, v->options->all);
    for (size_t i = 0; i < v->witness.repeated.n; i++)
        sbuf_addf(v->out, "  doubled: %s\n", v->witness.repeated.v[i]);
    v->result->tally = j.tally;
    v->result->events = v->witness.events;
    v->result->tickets = v->witness.tickets;
    v->result->mails = v->witness.mails.n;
    v->result->syncs = memvfs_syncs(v->disk);
    v->result->problems += staff_check(v->staff, v->clock.wall, v->out);
    staff_sum(v->staff, v->out);
    judgement_free(&j);
    expectations_free(&expected);
}

static int export_database(struct virtual *v)
{
    int rc = memvfs_export(v->disk, VIRTUAL_DATABASE, v->options->export_path);

    if (rc < 0)
        sbuf_addf(v->out, "problem: %s: %s\n", v->options->export_path, pd_strerror(rc));
    return rc;
}

static int run_once(const struct story *story, const struct run_options *options, uint64_t syncs, struct sbuf *out,
                    struct run_result *result)
{
    struct virtual v;
    int rc = virtual_init(&v, story, options, out, result);

    if (rc == 0)
        rc = live_through(&v, syncs);
    if (rc == 0) {
        check_pages(&v);
        virtual_stop(&v);
        conclude(&v);
    }
    if (rc == 0 && options->export_path != NULL)
        rc = export_database(&v);
    virtual_fini(&v);
    return rc;
}

int run_story(const struct story *story, const struct run_options *options, struct sbuf *out, struct run_result *result)
{
    struct run_options plain = *options;
    struct run_result first = {0};
    struct sbuf unused = {0};
    int rc = 0;

    *result = (struct run_result){0};
    plain.power_fails = 0;
    plain.export_path = NULL;
    plain.report_path = NULL;
    if (options->power_fails > 0)
        rc = run_once(story, &plain, 0, &unused, &first); /* to count its sync points */
    sbuf_free(&unused);
    return rc < 0 ? rc : run_once(story, options, first.syncs, out, result);
}
