#include "gather/reports.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "gather/making.h"
#include "gather/reports_internal.h"

enum { HOUR_MS = 3600000, RAW_DAYS = 45, MONTHS_BACK = 3, TELL_AFTER = 3 };

/* ---- Rows ---- */

void report_month_text(int64_t first_day, char out[static 16])
{
    struct date d = date_of_day(first_day);

    snprintf(out, 16, "%04d-%02d", (int)(d.year % 10000), d.month);
}

static struct report *find_row(const struct reports *r, int64_t customer_id, int64_t site_id, const char *month)
{
    for (size_t i = 0; i < r->rows.n; i++) {
        struct report *row = r->rows.v[i];

        if (row->customer_id == customer_id && row->site_id == site_id && str_eq(row->month, month))
            return row;
    }
    return NULL;
}

struct event *report_event(struct reports *r, struct change *c, const struct report *row, const char *kind)
{
    struct event *e = change_event(c, clock_wall(&r->config.services.clock), kind);

    event_arg_int(e, "report", row->id);
    if (row->customer)
        event_arg(e, "customer", row->customer);
    event_arg(e, "site", row->site);
    event_arg(e, "month", row->month);
    return e;
}

void report_submit(struct reports *r, struct change *c)
{
    r->config.ops.submit(r->config.ops.ctx, c, true, NULL, NULL);
}

static struct report *add_row(struct reports *r, const struct report_subject *s, const char *month)
{
    struct report *row = xcalloc(1, sizeof *row);

    row->id = ++r->last_id;
    row->customer_id = s->customer_id;
    row->site_id = s->site_id;
    row->customer = xstrdup_null(s->customer);
    row->site = xstrdup(s->site);
    row->month = xstrdup(month);
    array_push(&r->rows, row);
    return row;
}

/* It is to be made, from the beginning; the change says so. */
static void plan_row(struct reports *r, struct report *row, int64_t due_ms, bool mail)
{
    struct change *c = change_new();

    row->state = REPORT_PLANNED;
    row->due_ms = due_ms;
    row->mail = mail;
    row->next_ms = 0;
    row->attempts = 0;
    xstrset(&row->last_error, NULL);
    report_event(r, c, row, "report.planned");
    change_put_report(c, row);
    report_submit(r, c);
}

/* ---- What is due ---- */

struct look {
    struct reports *r;
    int64_t now, next; /* next: when something falls due */
};

static int64_t month_before(int64_t first_day)
{
    struct date d = date_of_day(first_day - 1);

    return date_to_day(d.year, d.month, 1);
}

static int64_t due_of(const struct reports *r, const struct report_subject *s, int64_t next_month)
{
    struct date d = date_of_day(next_month);
    int64_t day = next_month;

    if (s->calendar && calendar_first_workday(s->calendar, d.year, d.month, &day) < 0)
        day = next_month;
    return zone_wall_ms(s->zone, day * DATE_DAY_MS + r->config.settings->report.at_minute * INT64_C(60000));
}

/* A month that is over and due, if there is no report of it as it was at its end. */
static void plan_month(struct reports *r, const struct report_subject *s, int64_t first_day, int64_t end_ms,
                       int64_t due_ms)
{
    struct report *row;
    char month[16];

    report_month_text(first_day, month);
    row = find_row(r, s->customer_id, s->site_id, month);
    if (row && row->due_ms != 0)
        return;
    if (row && row->mail && row->made_ms >= end_ms) {
        row->due_ms = due_ms; /* somebody had it mailed before */
        return;
    }
    plan_row(r, row ? row : add_row(r, s, month), due_ms, true);
}

static void look_at_subject(void *arg, const struct report_subject *s)
{
    struct look *l = arg;
    struct date today = date_of_day(date_day_of_ms(zone_local_ms(s->zone, l->now)));
    int64_t next_month = date_to_day(today.year, today.month, 1), ahead;

    ahead = date_to_day(today.month == 12 ? today.year + 1 : today.year, today.month % 12 + 1, 1);
    for (int back = 0; back < MONTHS_BACK; back++) {
        int64_t first_day = month_before(next_month), end_ms = zone_wall_ms(s->zone, next_month * DATE_DAY_MS);
        int64_t due_ms = due_of(l->r, s, next_month);

        if (due_ms > l->now)
            l->next = due_ms < l->next ? due_ms : l->next;
        else if (end_ms >= l->now - RAW_DAYS * INT64_C(86400000) && s->since_ms < end_ms)
            plan_month(l->r, s, first_day, end_ms, due_ms);
        next_month = first_day;
    }
    ahead = due_of(l->r, s, ahead);
    l->next = ahead < l->next ? ahead : l->next;
}

static bool wants_making(const struct report *row)
{
    return row->state == REPORT_PLANNED || (row->state == REPORT_FAILED && row->next_ms != 0);
}

/* The next that may be made now; *next becomes the time of the first that has to wait. */
static struct report *pick(const struct reports *r, int64_t now, int64_t *next)
{
    for (size_t i = 0; i < r->rows.n; i++) {
        struct report *row = r->rows.v[i];

        if (!wants_making(row))
            continue;
        if (row->next_ms <= now)
            return row;
        *next = row->next_ms < *next ? row->next_ms : *next;
    }
    return NULL;
}

/* Clocks step, so it looks again within the hour. */
static void look(void *arg)
{
    struct reports *r = arg;
    struct look l = {.r = r, .now = clock_wall(&r->config.services.clock)};
    struct report *row;

    l.next = l.now + HOUR_MS;
    if (!r->config.settings->report.off)
        r->config.ops.subjects(r->config.ops.ctx, look_at_subject, &l);
    row = r->making ? NULL : pick(r, l.now, &l.next);
    if (row)
        r->making = making_start(r, row);
    wheel_set(r->config.services.wheel, &r->timer,
              clock_mono(&r->config.services.clock) + (l.next > l.now ? l.next - l.now : 0) + 10);
}

void reports_look_again(struct reports *r)
{
    wheel_set(r->config.services.wheel, &r->timer, clock_mono(&r->config.services.clock));
}

/* ---- Those who wait ---- */

static void answer(struct reports *r, const struct report *row, int err, const char *json_or_why)
{
    for (size_t i = r->waiters.n; i-- > 0;) {
        struct waiter w = r->waiters.v[i];

        if (row && w.report_id != row->id)
            continue;
        array_remove(&r->waiters, i);
        w.done(w.arg, err, json_or_why);
    }
}

/* ---- What became of one ---- */

/* A report is on disk as it stands here. */
void reports_stored(struct reports *r, const struct report *row)
{
    struct sbuf json = {0};
    char *path;

    if (!r || row->state != REPORT_MADE)
        return;
    path = xasprintf("%s/%s", r->config.folder, row->path);
    sbuf_addf(&json, "{\"report\":%" PRId64 ",\"state\":\"%s\",\"path\":", row->id, report_state_name(row->state));
    sbuf_add_json(&json, path);
    sbuf_addc(&json, '}');
    answer(r, row, 0, json.s);
    sbuf_free(&json);
    free(path);
}

void reports_made(struct reports *r, struct report *row, struct change *c)
{
    row->state = REPORT_MADE;
    row->made_ms = clock_wall(&r->config.services.clock);
    row->attempts = 0;
    row->next_ms = 0;
    xstrset(&row->last_error, NULL);
    report_event(r, c, row, "report.made");
    change_put_report(c, row);
    log_info("report", "report %s of %s is made: %s/%s", row->month, row->site, r->config.folder, row->path);
    r->making = NULL;
    report_submit(r, c);
    reports_look_again(r);
}

/* A minute, five, a quarter of an hour, an hour, then every six; 0: after a month there is no hope. */
static int64_t pause_ms(int64_t failures)
{
    static const int64_t minutes[] = {1, 5, 15, 60, 360};
    const int64_t last = sizeof minutes / sizeof *minutes, most = 124;

    if (failures > most)
        return 0;
    return minutes[failures <= last ? failures - 1 : last - 1] * 60000;
}

void reports_failed(struct reports *r, struct report *row, const char *why)
{
    struct change *c = change_new();
    int64_t now = clock_wall(&r->config.services.clock);

    row->state = REPORT_FAILED;
    row->attempts++;
    row->next_ms = pause_ms(row->attempts) > 0 ? now + pause_ms(row->attempts) : 0;
    xstrset(&row->last_error, why);
    log_error("report", "report %s of %s cannot be made (%" PRId64 " times): %s", row->month, row->site, row->attempts,
              why);
    event_arg(report_event(r, c, row, "report.failed"), "error", why);
    if (row->attempts == TELL_AFTER)
        notify_report_trouble(r->config.notify, c, row);
    change_put_report(c, row);
    r->making = NULL;
    report_submit(r, c);
    answer(r, row, PD_EIO, why);
    reports_look_again(r);
}

/* ---- Its mails ---- */

static bool waits_for(const struct report *row, int64_t outbox_id)
{
    char id[24];

    if (!row->mails)
        return false;
    snprintf(id, sizeof id, "%" PRId64, outbox_id);
    return list_has(row->mails, id);
}

/* The list without one member. */
static void cross_out(struct report *row, int64_t outbox_id)
{
    const char *at = row->mails, *member;
    struct sbuf b = {0};
    char id[24];
    size_t n;

    snprintf(id, sizeof id, "%" PRId64, outbox_id);
    while (list_next(&at, &member, &n))
        if (strlen(id) != n || strncmp(id, member, n) != 0)
            sbuf_addf(&b, "%s%.*s", b.n > 0 ? "," : "", (int)n, member);
    xstrset(&row->mails, b.n > 0 ? b.s : NULL);
    sbuf_free(&b);
}

static void mail_sent(struct reports *r, struct report *row, int64_t outbox_id)
{
    struct change *c = change_new();

    cross_out(row, outbox_id);
    if (!row->mails && row->state != REPORT_PLANNED) {
        row->state = REPORT_MAILED;
        row->mailed_ms = clock_wall(&r->config.services.clock);
        xstrset(&row->last_error, NULL);
        report_event(r, c, row, "report.mailed");
    }
    change_put_report(c, row);
    report_submit(r, c);
}

static void mail_failed(struct reports *r, struct report *row, const char *error)
{
    struct change *c;

    if (row->state != REPORT_MADE)
        return;
    c = change_new();
    row->state = REPORT_FAILED;
    row->next_ms = 0;
    xstrset(&row->last_error, error ? error : "a mail was dropped");
    event_arg(report_event(r, c, row, "report.failed"), "error", row->last_error);
    change_put_report(c, row);
    report_submit(r, c);
}

static void note_mail(struct reports *r, int64_t id, enum outbox_state state, const char *error)
{
    for (size_t i = 0; i < r->rows.n; i++) {
        struct report *row = r->rows.v[i];

        if (!waits_for(row, id))
            continue;
        if (state == OUTBOX_SENT)
            mail_sent(r, row, id);
        else if (state == OUTBOX_FAILED || state == OUTBOX_DROPPED)
            mail_failed(r, row, error);
    }
}

void reports_committed(struct reports *r, const struct outbox *o)
{
    if (r && !r->stopping && o->attachments)
        note_mail(r, o->id, o->state, o->last_error);
}

void reports_troubles(const struct reports *r, void (*say)(void *ctx, const char *text), void *ctx)
{
    for (size_t i = 0; i < r->rows.n; i++) {
        const struct report *row = r->rows.v[i];
        char *text;

        if (row->state != REPORT_FAILED || (row->next_ms != 0 && row->attempts < TELL_AFTER))
            continue;
        text = xasprintf("the report of %s for %s %s: %s", row->site, row->month,
                         row->attempts > 0 ? "cannot be made" : "is not mailed to all", row->last_error);
        say(ctx, text);
        free(text);
    }
}

/* ---- At start ---- */

static int by_report_id(const void *id, const void *row)
{
    int64_t wanted = *(const int64_t *)id, is = (*(struct report *const *)row)->id;

    return wanted < is ? -1 : wanted > is;
}

/* The report that a file's name tells of, by the second of its numbers (making_base()); NULL. */
static const struct report *report_of_file(const struct reports *r, const char *name)
{
    struct report *const *row = NULL;
    int64_t id;

    if (sscanf(name, "%*4d-%*2d-%" SCNd64 "-", &id) == 1 && r->rows.n > 0)
        row = bsearch(&id, r->rows.v, r->rows.n, sizeof *r->rows.v, by_report_id);
    return row ? *row : NULL;
}

/* Files of a making that was not decided, and of one that is replaced and out. */
static bool is_kept(const struct reports *r, const char *name)
{
    const struct report *row = report_of_file(r, name);
    bool mine = false;
    char *base;

    if (row && row->path) {
        base = making_base(row, row->edition);
        mine = str_starts(name, base);
        free(base);
    }
    for (size_t i = 0; i < r->wanted.n && !mine; i++)
        mine = str_eq(r->wanted.v[i], name);
    return mine;
}

static void sweep(void *arg, const char *name)
{
    struct reports *r = arg;

    if (is_kept(r, name))
        return;
    log_info("report", "%s belongs to no report: removed", name);
    r->config.renderer.drop(r->config.renderer.ctx, r->config.folder, name);
}

/* A mail, maybe one that had failed before, may have gone out just before the end, unknown to its report. */
static void ask_of_mails(struct reports *r)
{
    for (size_t i = 0; i < r->rows.n; i++)
        if (r->rows.v[i]->mails)
            mails_ask(r, r->rows.v[i], note_mail);
}

void reports_start(struct reports *r)
{
    if (!r->config.renderer.start)
        return;
    r->config.renderer.list(r->config.renderer.ctx, r->config.folder, sweep, r);
    for (size_t i = 0; i < r->wanted.n; i++)
        free(r->wanted.v[i]);
    array_free(&r->wanted);
    ask_of_mails(r);
    reports_look_again(r);
}

void reports_load(struct reports *r, const struct report *row)
{
    struct report *copy = xcalloc(1, sizeof *copy);

    report_copy(copy, row);
    array_push(&r->rows, copy);
}

void reports_load_outbox(struct reports *r, const struct outbox *o)
{
    const char *at = o->attachments;
    struct outbox_part p;

    while (outbox_part_next(&at, &p)) {
        array_push(&r->wanted, p.file);
        p.file = NULL;
        outbox_part_fini(&p);
    }
}

void reports_set_last_id(struct reports *r, int64_t id)
{
    r->last_id = id;
}

struct reports *reports_new(const struct reports_config *config)
{
    struct reports *r = xcalloc(1, sizeof *r);

    r->config = *config;
    r->config.folder = xstrdup(config->folder);
    r->config.prefix = xstrdup(config->prefix);
    timer_init(&r->timer, look, r);
    return r;
}

void reports_free(struct reports *r)
{
    if (!r)
        return;
    r->stopping = true;
    wheel_unset(r->config.services.wheel, &r->timer);
    making_free(r->making);
    answer(r, NULL, PD_ECANCELLED, "patrold is stopping");
    array_free(&r->waiters);
    for (size_t i = 0; i < r->rows.n; i++) {
        report_fini(r->rows.v[i]);
        free(r->rows.v[i]);
    }
    array_free(&r->rows);
    for (size_t i = 0; i < r->wanted.n; i++)
        free(r->wanted.v[i]);
    array_free(&r->wanted);
    free((char *)r->config.folder);
    free((char *)r->config.prefix);
    free(r);
}

/* What is just being made is begun anew. */
void reports_reload(struct reports *r, const struct settings *settings, const struct knowledge *knowledge)
{
    r->config.settings = settings;
    r->config.knowledge = knowledge;
    making_free(r->making);
    r->making = NULL;
    if (r->config.renderer.start)
        reports_look_again(r);
}

/* ---- By hand ---- */

int reports_make(struct reports *r, const struct report_subject *s, int64_t first_day, bool mail,
                 void (*done)(void *arg, int err, const char *json_or_why), void *arg, char **why)
{
    int64_t now = clock_wall(&r->config.services.clock);
    struct report *row;
    char month[16];

    report_month_text(first_day, month);
    if (!r->config.renderer.start) {
        *why = xstrdup("reports cannot be made here");
        return PD_ENOTSUP;
    }
    if (zone_wall_ms(s->zone, first_day * DATE_DAY_MS) >= now) {
        *why = xasprintf("%s has not begun", month);
        return PD_EINVAL;
    }
    row = find_row(r, s->customer_id, s->site_id, month);
    if (!row)
        row = add_row(r, s, month);
    if (r->making && making_row(r->making) == row) {
        making_free(r->making);
        r->making = NULL;
    }
    array_push(&r->waiters, ((struct waiter){.report_id = row->id, .done = done, .arg = arg}));
    plan_row(r, row, row->due_ms, mail || (row->mail && wants_making(row))); /* what is owed still goes out */
    reports_look_again(r);
    return 0;
}

char *reports_path(const struct reports *r, const char *of, const char *month)
{
    for (size_t i = 0; i < r->rows.n; i++) {
        const struct report *row = r->rows.v[i];

        if (row->path && str_eq(row->month, month) && (str_eq(row->site, of) || str_eq(row->customer, of)))
            return xasprintf("%s/%s", r->config.folder, row->path);
    }
    return NULL;
}
