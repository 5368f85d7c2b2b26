#include "gather/document.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "gather/json.h"
#include "gather/words.h"

/* What is being written. */
struct draft {
    struct sbuf b;
    const struct findings *f;
    const struct document_about *about;
    struct u64dict *tickets; /* those in the document, by id */
};

static const char *const healths[] = {[HEALTH_OK] = "ok", [HEALTH_ATTENTION] = "attention", [HEALTH_FAULT] = "fault"};

static const char *or_dash(const char *text)
{
    return text && *text ? text : "-";
}

/* ---- The cover ---- */

static void put_head(struct draft *d)
{
    const struct document_about *a = d->about;
    struct date first = date_of_day(d->f->first_day);
    struct sbuf *b = &d->b;
    char month[32];

    json_put_int(b, "format", 1);
    json_put_text(b, "language", lang_name(a->lang));
    json_open(b, "report", '{');
    json_put_text(b, "number", a->number);
    json_put_int(b, "prepared_ms", d->f->as_of_ms);
    json_put_int(b, "as_of_event", d->f->as_of_event);
    json_close(b, '}');
    json_open(b, "provider", '{');
    json_put_text(b, "name", or_dash(a->provider.name));
    json_put_text(b, "phone", a->provider.phone);
    json_put_text(b, "email", a->provider.email);
    json_close(b, '}');
    json_open(b, "customer", '{');
    json_put_text(b, "name", or_dash(a->customer));
    json_put_text(b, "contact", a->contact);
    json_close(b, '}');
    json_open(b, "site", '{');
    json_put_text(b, "name", or_dash(a->site));
    json_put_text(b, "address", a->site_address);
    json_put_text(b, "time_zone", a->time_zone);
    json_close(b, '}');
    json_open(b, "period", '{');
    snprintf(month, sizeof month, "%04" PRId64 "-%02d", first.year, first.month);
    json_put_text(b, "month", month);
    json_close(b, '}');
}

static void put_summary(struct draft *d)
{
    static const char *const grades[] = {"excellent", "good", "fair", "poor"};
    struct sbuf *b = &d->b;

    json_open(b, "summary", '{');
    json_put_text(b, "grade", grades[findings_grade(d->f)]);
    json_put_taken(b, "remark", words_remark(d->f, d->about->lang));
    json_put_int(b, "devices", (int64_t)d->f->devices.n);
    for (int h = 0; h < HEALTH_COUNT; h++)
        json_put_int(b, healths[h], d->f->months_devices[h]);
    json_close(b, '}');
}

/* ---- Devices ---- */

static void put_devices(struct draft *d)
{
    struct sbuf *b = &d->b;

    json_open(b, "devices", '[');
    for (size_t i = 0; i < d->f->devices.n; i++) {
        const struct found_device *dev = &d->f->devices.v[i];

        json_open(b, NULL, '{');
        json_put_int(b, "id", dev->id);
        json_put_text(b, "name", or_dash(dev->name));
        json_put_text(b, "class", dev->device_class ? dev->device_class : "other");
        json_put_text(b, "make", dev->make);
        json_put_text(b, "model", dev->model);
        json_put_text(b, "serial", dev->serial);
        json_put_text(b, "address", dev->address);
        json_put_text(b, "location", dev->location);
        json_put_text(b, "health", healths[dev->health]);
        json_put_taken(b, "note", words_worry(d->f, dev, d->about->knowledge, d->about->lang));
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void put_day(struct sbuf *b, const char *name, const struct month_day *day)
{
    if (!name)
        json_open(b, NULL, '{');
    json_put_int(b, "up_ms", day->up_ms);
    json_put_int(b, "down_ms", day->down_ms);
    json_put_int(b, "gap_ms", day->gap_ms);
    if (!name)
        json_close(b, '}');
}

static void put_availability(struct draft *d)
{
    struct sbuf *b = &d->b;

    json_open(b, "availability", '{');
    json_open(b, "devices", '[');
    for (size_t i = 0; i < d->f->devices.n; i++) {
        const struct found_device *dev = &d->f->devices.v[i];

        json_open(b, NULL, '{');
        json_put_int(b, "device", dev->id);
        put_day(b, "", &dev->sum);
        json_put_int(b, "outages", dev->outages);
        json_put_int(b, "longest_ms", dev->longest_ms);
        json_open(b, "days", '[');
        for (unsigned day = 0; day < d->f->days; day++)
            put_day(b, NULL, &dev->day[day]);
        json_close(b, ']');
        json_close(b, '}');
    }
    json_close(b, ']');
    json_open(b, "totals", '{');
    json_put_int(b, "devices", (int64_t)d->f->devices.n);
    put_day(b, "", &d->f->sum);
    json_put_int(b, "outages", d->f->outages);
    json_close(b, '}');
    json_close(b, '}');
}

/* ---- The patrol ---- */

static void put_rounds(struct draft *d)
{
    struct sbuf *b = &d->b;

    json_open(b, "rounds", '[');
    for (size_t i = 0; i < d->f->rounds.n; i++) {
        const struct found_round *r = &d->f->rounds.v[i];
        const char *title = words_of(r->title, d->about->lang);

        json_open(b, NULL, '{');
        json_put_taken(b, "number", xasprintf("%" PRId64, r->id));
        json_put_text(b, "plan", or_dash(title ? title : r->plan));
        json_put_text(b, "state", round_state_name(r->state));
        json_put_maybe(b, "started_ms", r->started_ms > 0, r->started_ms);
        json_put_maybe(b, "finished_ms", r->finished_ms > 0, r->finished_ms);
        json_put_text(b, "technician", r->technician);
        json_put_text(b, "signed_by", r->signed_by);
        json_close(b, '}');
    }
    json_close(b, ']');
}

/* A visit's items begin at *at, which moves behind them. */
static void put_items(struct draft *d, int64_t visit_id, size_t *at, int64_t results[RESULT_COUNT])
{
    const struct findings *f = d->f;
    struct sbuf *b = &d->b;

    json_open(b, "items", '[');
    while (*at < f->items.n && f->items.v[*at].visit_id < visit_id)
        ++*at;
    for (; *at < f->items.n && f->items.v[*at].visit_id == visit_id; ++*at) {
        const struct found_item *i = &f->items.v[*at];

        json_open(b, NULL, '{');
        json_put_text(b, "what", or_dash(words_of(i->title, d->about->lang)));
        json_put_text(b, "value", i->value);
        json_put_text(b, "result", check_result_name(i->result));
        json_put_text(b, "note", i->note);
        json_close(b, '}');
        results[i->result]++;
    }
    json_close(b, ']');
}

static void put_patrol(struct draft *d)
{
    int64_t results[RESULT_COUNT] = {0};
    struct sbuf *b = &d->b;
    size_t at = 0;

    json_open(b, "patrol", '{');
    put_rounds(d);
    json_open(b, "visits", '[');
    for (size_t i = 0; i < d->f->visits.n; i++) {
        const struct found_visit *v = &d->f->visits.v[i];

        json_open(b, NULL, '{');
        json_put_taken(b, "round", xasprintf("%" PRId64, d->f->rounds.v[v->round].id));
        json_put_int(b, "device", d->f->devices.v[v->device].id);
        json_put_maybe(b, "at_ms", v->at_ms > 0, v->at_ms);
        put_items(d, v->id, &at, results);
        json_close(b, '}');
    }
    json_close(b, ']');
    json_open(b, "totals", '{');
    json_put_int(b, "rounds", (int64_t)d->f->rounds.n);
    json_put_int(b, "visits", (int64_t)d->f->visits.n);
    json_put_int(b, "items",
                 results[RESULT_OK] + results[RESULT_ATTENTION] + results[RESULT_FAULT] +
                     results[RESULT_NOT_APPLICABLE]);
    json_put_int(b, "ok", results[RESULT_OK]);
    json_put_int(b, "attention", results[RESULT_ATTENTION]);
    json_put_int(b, "fault", results[RESULT_FAULT]);
    json_put_int(b, "not_applicable", results[RESULT_NOT_APPLICABLE]);
    json_close(b, '}');
    json_close(b, '}');
}

/* ---- Faults and tickets ---- */

static void put_faults(struct draft *d)
{
    struct sbuf *b = &d->b;
    int64_t open = 0;

    json_open(b, "faults", '{');
    json_open(b, "rows", '[');
    for (size_t i = 0; i < d->f->faults.n; i++) {
        const struct found_fault *a = &d->f->faults.v[i];
        const struct found_ticket *t = u64dict_get(d->tickets, (uint64_t)a->ticket_id);

        json_open(b, NULL, '{');
        json_put_int(b, "device", d->f->devices.v[a->device].id);
        json_put_text(b, "family", or_dash(words_family(d->about->knowledge, a, d->about->lang)));
        json_put_text(b, "component", words_component(a));
        json_put_text(b, "severity", severity_name(a->severity));
        json_put_int(b, "from_ms", a->from_ms);
        json_put_maybe(b, "to_ms", a->to_ms != 0, a->to_ms);
        json_put_text(b, "ticket", t ? t->ticket.number : NULL);
        json_close(b, '}');
        open += a->to_ms == 0;
    }
    json_close(b, ']');
    json_open(b, "totals", '{');
    json_put_int(b, "faults", (int64_t)d->f->faults.n);
    json_put_int(b, "open", open);
    json_close(b, '}');
    json_close(b, '}');
}

static const char *promise_code(enum promise p)
{
    static const char *const codes[PROMISE_COUNT] = {
        [PROMISE_RESPOND] = "respond",         [PROMISE_DISPATCH] = "dispatch",
        [PROMISE_ON_SITE] = "on-site",         [PROMISE_FIX] = "fix",
        [PROMISE_LOANER] = "loaner",           [PROMISE_COMPLAINT_REPLY] = "reply",
        [PROMISE_COMPLAINT_RESULT] = "settle",
    };

    return codes[p];
}

static void put_promises(struct sbuf *b, const struct found_ticket *t)
{
    static const char *const states[] = {
        [OUTCOME_KEPT] = "kept", [OUTCOME_MISSED] = "missed", [OUTCOME_RUNNING] = "running"};

    json_open(b, "promises", '[');
    for (size_t i = 0; i < t->promises.n; i++) {
        const struct found_promise *p = &t->promises.v[i];

        json_open(b, NULL, '{');
        json_put_text(b, "kind", promise_code(p->kind));
        json_put_int(b, "due_ms", p->due_ms);
        json_put_maybe(b, "met_ms", p->met_ms != 0, p->met_ms);
        json_put_text(b, "state", states[p->outcome]);
        json_close(b, '}');
    }
    json_close(b, ']');
}

/* The last word on a ticket is what was done, once anything was. */
static const char *what_was_done(const struct found_ticket *t)
{
    return t->state >= TICKET_REMOTE_FIXED ? t->ticket.note : NULL;
}

static const char *category_code(const char *category)
{
    static const char *const codes[] = {"hardware", "software", "operation", "inquiry", "consumable", "environment"};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (str_eq(category, codes[i]))
            return codes[i];
    return NULL;
}

static void put_ticket(struct draft *d, const struct found_ticket *t)
{
    const struct ticket *r = &t->ticket;
    struct sbuf *b = &d->b;

    json_open(b, NULL, '{');
    json_put_text(b, "number", r->number);
    json_put_text(b, "kind", ticket_kind_name(r->kind));
    json_put_text(b, "category", category_code(r->category));
    json_put_maybe(b, "device", t->device >= 0, t->device >= 0 ? d->f->devices.v[t->device].id : 0);
    json_put_taken(b, "title", words_title(t, d->about->knowledge, d->about->lang));
    json_put_text(b, "severity", severity_name(r->severity));
    json_put_text(b, "state", ticket_state_name(t->state));
    json_put_int(b, "opened_ms", r->opened_ms);
    json_put_maybe(b, "closed_ms", t->closed_ms != 0, t->closed_ms);
    json_put_text(b, "done", what_was_done(t));
    put_promises(b, t);
    json_close(b, '}');
}

static void put_tickets(struct draft *d)
{
    struct sbuf *b = &d->b;
    int64_t opened = 0, closed = 0;

    json_open(b, "tickets", '{');
    json_open(b, "rows", '[');
    for (size_t i = 0; i < d->f->tickets.n; i++) {
        put_ticket(d, &d->f->tickets.v[i]);
        opened += d->f->tickets.v[i].ticket.opened_ms >= d->f->day_ms[0];
        closed += d->f->tickets.v[i].closed_ms != 0;
    }
    json_close(b, ']');
    json_open(b, "totals", '{');
    json_put_int(b, "tickets", (int64_t)d->f->tickets.n);
    json_put_int(b, "opened", opened);
    json_put_int(b, "closed", closed);
    json_put_int(b, "open", (int64_t)d->f->tickets.n - closed);
    json_put_int(b, "promises", d->f->kept + d->f->missed + d->f->running);
    json_put_int(b, "kept", d->f->kept);
    json_put_int(b, "missed", d->f->missed);
    json_put_int(b, "running", d->f->running);
    json_close(b, '}');
    json_close(b, '}');
}

/* ---- Supplies and counters ---- */

static void put_supplies(struct draft *d)
{
    static const char *const states[] = {"ok", "low", "empty", "unknown"};
    int64_t of[SUPPLY_IS_UNKNOWN + 1] = {0}, replaced = 0;
    struct sbuf *b = &d->b;

    json_open(b, "supplies", '{');
    json_open(b, "rows", '[');
    for (size_t i = 0; i < d->f->supplies.n; i++) {
        const struct found_series *s = &d->f->supplies.v[i];
        int64_t days = supply_days_left(s);

        json_open(b, NULL, '{');
        json_put_int(b, "device", d->f->devices.v[s->device].id);
        json_put_taken(b, "name", words_series(s, d->about->knowledge, d->about->lang));
        json_put_maybe(b, "level_start", s->trend.known, supply_percent(s->trend.first));
        json_put_maybe(b, "level_end", s->trend.known, supply_percent(s->trend.last));
        json_put_maybe(b, "days_left", days >= 0, days);
        json_put_int(b, "replaced", s->trend.jumps);
        json_put_text(b, "state", states[supply_state_of(s)]);
        json_close(b, '}');
        of[supply_state_of(s)]++;
        replaced += s->trend.jumps;
    }
    json_close(b, ']');
    json_open(b, "totals", '{');
    json_put_int(b, "supplies", (int64_t)d->f->supplies.n);
    json_put_int(b, "low", of[SUPPLY_IS_LOW]);
    json_put_int(b, "empty", of[SUPPLY_IS_EMPTY]);
    json_put_int(b, "unknown", of[SUPPLY_IS_UNKNOWN]);
    json_put_int(b, "replaced", replaced);
    json_close(b, '}');
    json_close(b, '}');
}

static void put_meters(struct draft *d)
{
    struct sbuf *b = &d->b;
    int64_t sum = 0, unknown = 0;

    json_open(b, "meters", '{');
    json_open(b, "rows", '[');
    for (size_t i = 0; i < d->f->meters.n; i++) {
        const struct found_series *s = &d->f->meters.v[i];
        int64_t pages = (int64_t)s->trend.risen;

        json_open(b, NULL, '{');
        json_put_int(b, "device", d->f->devices.v[s->device].id);
        json_put_taken(b, "name", words_series(s, d->about->knowledge, d->about->lang));
        json_put_bool(b, "whole", true);
        json_put_bool(b, "reset", s->trend.jumps > 0);
        json_put_maybe(b, "start", s->trend.known, (int64_t)s->trend.first);
        json_put_maybe(b, "end", s->trend.known, (int64_t)s->trend.last);
        json_put_maybe(b, "pages", s->trend.known, pages);
        json_close(b, '}');
        sum += s->trend.known ? pages : 0;
        unknown += !s->trend.known;
    }
    json_close(b, ']');
    json_open(b, "totals", '{');
    json_put_int(b, "meters", (int64_t)d->f->meters.n);
    json_put_int(b, "pages", sum);
    json_put_int(b, "unknown", unknown);
    json_close(b, '}');
    json_close(b, '}');
}

/* ---- Ahead ---- */

static void put_foreseen(void *ctx, const struct foreseen *s)
{
    struct draft *d = ctx;

    json_open(&d->b, NULL, '{');
    json_put_maybe(&d->b, "device", s->device >= 0, s->device >= 0 ? d->f->devices.v[s->device].id : 0);
    json_put_text(&d->b, "what", or_dash(s->what));
    json_put_text(&d->b, "why", s->why);
    json_put_day(&d->b, "due", s->day);
    json_close(&d->b, '}');
}

static void put_recommendation(void *ctx, const char *text)
{
    struct draft *d = ctx;

    json_open(&d->b, NULL, '{');
    json_put_text(&d->b, "text", text);
    json_close(&d->b, '}');
}

static void put_plans(struct draft *d)
{
    struct sbuf *b = &d->b;

    json_open(b, "next_month", '[');
    for (size_t i = 0; i < d->f->plans.n; i++) {
        const struct found_plan *p = &d->f->plans.v[i];

        json_open(b, NULL, '{');
        json_put_day(b, "date", p->day);
        json_put_text(b, "what", or_dash(words_of(p->what, d->about->lang)));
        json_put_text(b, "scope", d->about->site);
        json_put_text(b, "technician", p->technician);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void put_ahead(struct draft *d)
{
    struct sbuf *b = &d->b;

    json_open(b, "maintenance", '[');
    words_foresee(d->f, d->about->knowledge, d->about->lang, put_foreseen, d);
    json_close(b, ']');
    json_open(b, "recommendations", '[');
    words_recommend(d->f, d->about->knowledge, d->about->lang, put_recommendation, d);
    json_close(b, ']');
    put_plans(d);
}

static void put_signature(struct sbuf *b, const char *role, const char *name)
{
    json_open(b, NULL, '{');
    json_put_text(b, "role", role);
    json_put_text(b, "name", name);
    json_close(b, '}');
}

static void put_signatures(struct draft *d)
{
    json_open(&d->b, "signatures", '[');
    put_signature(&d->b, "technician", d->about->technician);
    put_signature(&d->b, "service", NULL);
    put_signature(&d->b, "customer", NULL);
    json_close(&d->b, ']');
}

char *document_write(const struct findings *f, const struct document_about *about, size_t *n)
{
    struct draft d = {.f = f, .about = about, .tickets = u64dict_new()};

    for (size_t i = 0; i < f->tickets.n; i++)
        u64dict_put(d.tickets, (uint64_t)f->tickets.v[i].ticket.id, &f->tickets.v[i]);
    json_open(&d.b, NULL, '{');
    put_head(&d);
    put_summary(&d);
    put_devices(&d);
    put_patrol(&d);
    put_availability(&d);
    put_faults(&d);
    put_tickets(&d);
    put_supplies(&d);
    put_meters(&d);
    put_ahead(&d);
    put_signatures(&d);
    json_close(&d.b, '}');
    u64dict_free(d.tickets);
    *n = d.b.n;
    return sbuf_take(&d.b);
}
