/* What document.h has beyond the form of the JSON: references that find their row, totals that equal their rows. */
#include "report/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "base/mem.h"

struct check {
    const struct document *doc;
    struct complaints *c;
};

static void blame(struct check *k, const char *text, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Complains about the place that fmt makes. */
static void blame(struct check *k, const char *text, const char *fmt, ...)
{
    struct sbuf place = {0};
    va_list ap;

    va_start(ap, fmt);
    sbuf_vaddf(&place, fmt, ap);
    va_end(ap);
    complain(k->c, place.s, "%s", text);
    sbuf_free(&place);
}

struct total {
    const char *name;
    int64_t told, found;
};

static void compare(struct check *k, const char *part, const struct total *totals, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *text;

        if (totals[i].told == totals[i].found)
            continue;
        text =
            xasprintf("%lld here, but its rows add up to %lld", (long long)totals[i].told, (long long)totals[i].found);
        blame(k, text, "%s.%s", part, totals[i].name);
        free(text);
    }
}

#define COMPARE(k, part, ...)                                                                                          \
    compare(k, part, (const struct total[]){__VA_ARGS__},                                                              \
            sizeof((const struct total[]){__VA_ARGS__}) / sizeof(struct total))

static void need_device(struct check *k, int64_t id, const char *list, size_t row)
{
    if (!document_device(k->doc, id))
        blame(k, "no device of the document has this id", "%s[%zu].device", list, row);
}

static bool within_month(const struct document *doc, int64_t ms)
{
    return ms >= doc->day_ms[0] && ms < doc->day_ms[doc->days];
}

static void check_devices(struct check *k)
{
    const struct document *doc = k->doc;
    int64_t of[RESULT_NONE] = {0};

    for (size_t i = 0; i < doc->devices.n; i++)
        of[doc->devices.v[i].health]++;
    for (size_t i = 1; i < doc->devices.n; i++)
        if (doc->by_id[i - 1]->id == doc->by_id[i]->id)
            blame(k, "another device has the same id", "devices[%zu].id", (size_t)(doc->by_id[i] - doc->devices.v));
    COMPARE(k, "summary", {"devices", doc->summary.devices, (int64_t)doc->devices.n},
            {"ok", doc->summary.ok, of[RESULT_OK]}, {"attention", doc->summary.attention, of[RESULT_ATTENTION]},
            {"fault", doc->summary.fault, of[RESULT_FAULT]});
}

static void check_patrol(struct check *k)
{
    const struct doc_patrol_totals *t = &k->doc->patrol.totals;
    int64_t of[RESULT_NONE + 1] = {0}, items = 0;
    struct dict *rounds = dict_new();

    for (size_t i = 0; i < k->doc->patrol.rounds.n; i++)
        if (dict_put(rounds, k->doc->patrol.rounds.v[i].number, &k->doc->patrol.rounds.v[i]))
            blame(k, "another round has the same number", "patrol.rounds[%zu].number", i);
    for (size_t i = 0; i < k->doc->patrol.visits.n; i++) {
        const struct doc_visit *v = &k->doc->patrol.visits.v[i];

        need_device(k, v->device, "patrol.visits", i);
        if (!dict_get(rounds, v->round))
            blame(k, "no round of the document has this number", "patrol.visits[%zu].round", i);
        for (size_t j = 0; j < v->items.n; j++)
            of[v->items.v[j].result]++;
        items += (int64_t)v->items.n;
    }
    COMPARE(k, "patrol.totals", {"rounds", t->rounds, (int64_t)k->doc->patrol.rounds.n},
            {"visits", t->visits, (int64_t)k->doc->patrol.visits.n}, {"items", t->items, items},
            {"ok", t->ok, of[RESULT_OK]}, {"attention", t->attention, of[RESULT_ATTENTION]},
            {"fault", t->fault, of[RESULT_FAULT]}, {"not_applicable", t->not_applicable, of[RESULT_NONE]});
    dict_free(rounds);
}

static void check_days(struct check *k, size_t row, struct doc_day *sum)
{
    const struct doc_uptime *u = &k->doc->availability.devices.v[row];

    if (u->days.n != (size_t)k->doc->days)
        blame(k, "one entry for each day of the month is wanted", "availability.devices[%zu].days", row);
    for (size_t i = 0; i < u->days.n; i++) {
        const struct doc_day *d = &u->days.v[i];

        sum->up_ms += d->up_ms;
        sum->down_ms += d->down_ms;
        sum->gap_ms += d->gap_ms;
        if (i < (size_t)k->doc->days && d->up_ms + d->down_ms + d->gap_ms > k->doc->day_ms[i + 1] - k->doc->day_ms[i])
            blame(k, "up, down and gap together are longer than the day", "availability.devices[%zu].days[%zu]", row,
                  i);
    }
}

static void check_availability(struct check *k)
{
    const struct doc_uptime_totals *t = &k->doc->availability.totals;
    struct doc_uptime_totals sum = {.devices = (int64_t)k->doc->availability.devices.n};

    for (size_t i = 0; i < k->doc->availability.devices.n; i++) {
        const struct doc_uptime *u = &k->doc->availability.devices.v[i];
        char *part = xasprintf("availability.devices[%zu]", i);
        struct doc_day days = {0};

        need_device(k, u->device, "availability.devices", i);
        check_days(k, i, &days);
        COMPARE(k, part, {"up_ms", u->up_ms, days.up_ms}, {"down_ms", u->down_ms, days.down_ms},
                {"gap_ms", u->gap_ms, days.gap_ms});
        if ((u->down_ms > 0) != (u->outages > 0))
            blame(k, "there is time down if and only if there are outages", "%s.outages", part);
        if (u->longest_ms > u->down_ms)
            blame(k, "the longest outage is longer than all of them", "%s.longest_ms", part);
        sum.up_ms += u->up_ms;
        sum.down_ms += u->down_ms;
        sum.gap_ms += u->gap_ms;
        sum.outages += u->outages;
        free(part);
    }
    COMPARE(k, "availability.totals", {"devices", t->devices, sum.devices}, {"up_ms", t->up_ms, sum.up_ms},
            {"down_ms", t->down_ms, sum.down_ms}, {"gap_ms", t->gap_ms, sum.gap_ms},
            {"outages", t->outages, sum.outages});
}

static void check_faults(struct check *k, const struct dict *tickets)
{
    const struct doc_fault_totals *t = &k->doc->faults.totals;
    int64_t open = 0;

    for (size_t i = 0; i < k->doc->faults.rows.n; i++) {
        const struct doc_fault *f = &k->doc->faults.rows.v[i];

        need_device(k, f->device, "faults.rows", i);
        open += !f->to_ms.known;
        if (f->from_ms >= k->doc->day_ms[k->doc->days])
            blame(k, "it began after the month", "faults.rows[%zu].from_ms", i);
        if (f->to_ms.known && (f->to_ms.v < f->from_ms || !within_month(k->doc, f->to_ms.v)))
            blame(k, "a time after from_ms and within the month is wanted, or null", "faults.rows[%zu].to_ms", i);
        if (f->ticket && !dict_get(tickets, f->ticket))
            blame(k, "no ticket of the document has this number", "faults.rows[%zu].ticket", i);
    }
    COMPARE(k, "faults.totals", {"faults", t->faults, (int64_t)k->doc->faults.rows.n}, {"open", t->open, open});
}

/* The state must be what the stamps say. */
static bool promise_is(const struct doc_promise *p)
{
    switch ((enum doc_promise_state)p->state) {
    case PROMISE_KEPT:
        return p->met_ms.known && p->met_ms.v <= p->due_ms;
    case PROMISE_MISSED:
        return !p->met_ms.known || p->met_ms.v > p->due_ms;
    case PROMISE_RUNNING:
        return !p->met_ms.known;
    }
    return false;
}

static void check_ticket(struct check *k, size_t row, struct doc_ticket_totals *sum)
{
    const struct doc_ticket *t = &k->doc->tickets.rows.v[row];

    if (t->device.known)
        need_device(k, t->device.v, "tickets.rows", row);
    if (t->opened_ms >= k->doc->day_ms[k->doc->days])
        blame(k, "it was opened after the month", "tickets.rows[%zu].opened_ms", row);
    if (t->closed_ms.known && (t->closed_ms.v < t->opened_ms || !within_month(k->doc, t->closed_ms.v)))
        blame(k, "a time after opened_ms and within the month is wanted, or null", "tickets.rows[%zu].closed_ms", row);
    sum->opened += within_month(k->doc, t->opened_ms);
    sum->closed += t->closed_ms.known;
    sum->open += !t->closed_ms.known;
    for (size_t i = 0; i < t->promises.n; i++) {
        const struct doc_promise *p = &t->promises.v[i];

        sum->kept += p->state == PROMISE_KEPT;
        sum->missed += p->state == PROMISE_MISSED;
        sum->running += p->state == PROMISE_RUNNING;
        if (!promise_is(p))
            blame(k, "is not what due_ms and met_ms say", "tickets.rows[%zu].promises[%zu].state", row, i);
    }
    sum->promises += (int64_t)t->promises.n;
}

static void check_tickets(struct check *k, struct dict *numbers)
{
    const struct doc_ticket_totals *t = &k->doc->tickets.totals;
    struct doc_ticket_totals sum = {.tickets = (int64_t)k->doc->tickets.rows.n};

    for (size_t i = 0; i < k->doc->tickets.rows.n; i++) {
        if (dict_put(numbers, k->doc->tickets.rows.v[i].number, &k->doc->tickets.rows.v[i]))
            blame(k, "another ticket has the same number", "tickets.rows[%zu].number", i);
        check_ticket(k, i, &sum);
    }
    COMPARE(k, "tickets.totals", {"tickets", t->tickets, sum.tickets}, {"opened", t->opened, sum.opened},
            {"closed", t->closed, sum.closed}, {"open", t->open, sum.open}, {"promises", t->promises, sum.promises},
            {"kept", t->kept, sum.kept}, {"missed", t->missed, sum.missed}, {"running", t->running, sum.running});
}

static void check_supplies(struct check *k)
{
    const struct doc_supply_totals *t = &k->doc->supplies.totals;
    int64_t of[SUPPLY_UNKNOWN + 1] = {0}, replaced = 0;

    for (size_t i = 0; i < k->doc->supplies.rows.n; i++) {
        need_device(k, k->doc->supplies.rows.v[i].device, "supplies.rows", i);
        of[k->doc->supplies.rows.v[i].state]++;
        replaced += k->doc->supplies.rows.v[i].replaced;
    }
    COMPARE(k, "supplies.totals", {"supplies", t->supplies, (int64_t)k->doc->supplies.rows.n},
            {"low", t->low, of[SUPPLY_LOW]}, {"empty", t->empty, of[SUPPLY_EMPTY]},
            {"unknown", t->unknown, of[SUPPLY_UNKNOWN]}, {"replaced", t->replaced, replaced});
}

static void check_meters(struct check *k)
{
    const struct doc_meter_totals *t = &k->doc->meters.totals;
    struct doc_meter_totals sum = {.meters = (int64_t)k->doc->meters.rows.n};

    for (size_t i = 0; i < k->doc->meters.rows.n; i++) {
        const struct doc_meter *m = &k->doc->meters.rows.v[i];
        bool whole = m->start.known && m->end.known;

        need_device(k, m->device, "meters.rows", i);
        if (!m->reset && (m->pages.known != whole || (whole && m->pages.v != m->end.v - m->start.v)))
            blame(k, "must be end - start, and null where one of them is unknown", "meters.rows[%zu].pages", i);
        if (m->whole) {
            sum.pages += m->pages.known ? m->pages.v : 0;
            sum.unknown += !m->pages.known;
        }
    }
    COMPARE(k, "meters.totals", {"meters", t->meters, sum.meters}, {"pages", t->pages, sum.pages},
            {"unknown", t->unknown, sum.unknown});
}

void document_check(const struct document *doc, struct complaints *c)
{
    struct check k = {doc, c};
    struct dict *tickets = dict_new();

    check_devices(&k);
    check_patrol(&k);
    check_availability(&k);
    check_tickets(&k, tickets);
    check_faults(&k, tickets);
    check_supplies(&k);
    check_meters(&k);
    for (size_t i = 0; i < doc->maintenance.n; i++)
        if (doc->maintenance.v[i].device.known)
            need_device(&k, doc->maintenance.v[i].device.v, "maintenance", i);
    dict_free(tickets);
}
