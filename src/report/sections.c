/* What the report tells, section by section: the cover to the patrol, and what comes next. */
#include "report/sections.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"

static void cover_pair(struct content *c, struct block *b, const char *id, char *taken)
{
    content_pair(b, say(c, id), taken, TONE_PLAIN);
}

/* The parts that are there, one after the other. */
static char *joined(const char *a, const char *between, const char *b)
{
    return xasprintf("%s%s%s", a ? a : "", a && b ? between : "", b ? b : "");
}

static char *day_of_stamp(const struct content *c, int64_t wall_ms)
{
    struct sbuf b = {0};

    words_day_long(&b, c->lang, date_day_of_ms(zone_local_ms(c->doc->zone, wall_ms)));
    return sbuf_take(&b);
}

static char *period_text(const struct content *c)
{
    struct sbuf first = {0}, last = {0};
    char *text;

    words_day_long(&first, c->lang, c->doc->period.month);
    words_day_long(&last, c->lang, c->doc->period.month + c->doc->days - 1);
    text = say_args(c, "report.cover.days", (struct text_arg[]){{"first", first.s}, {"last", last.s}}, 2);
    sbuf_free(&first);
    sbuf_free(&last);
    return text;
}

void section_cover(struct content *c)
{
    const struct document *d = c->doc;
    struct sbuf month = {0};
    char *contacts = joined(d->provider.phone, " \xc2\xb7 ", d->provider.email);
    struct block *b;

    words_month(&month, c->lang, d->period.month);
    b = content_add(c, BLOCK_TITLE, say(c, "report.title"), sbuf_take(&month));
    cover_pair(c, b, "report.cover.customer", joined(d->customer.name, " \xc2\xb7 ", d->customer.contact));
    cover_pair(c, b, "report.cover.number", xstrdup(d->report.number));
    cover_pair(c, b, "report.cover.site", joined(d->site.name, " \xc2\xb7 ", d->site.address));
    cover_pair(c, b, "report.cover.prepared", day_of_stamp(c, d->report.prepared_ms));
    cover_pair(c, b, "report.cover.period", period_text(c));
    cover_pair(c, b, "report.cover.event", say_count(d->report.as_of_event));
    cover_pair(c, b, "report.cover.provider", joined(d->provider.name, *contacts ? " \xc2\xb7 " : "", contacts));
    cover_pair(c, b, "report.cover.zone", xstrdup(d->site.time_zone));
    free(contacts);
}

static void figures(struct content *c)
{
    const struct document *d = c->doc;
    const struct doc_uptime_totals *up = &d->availability.totals;
    const struct doc_ticket_totals *t = &d->tickets.totals;
    const struct doc_patrol_totals *p = &d->patrol.totals;
    struct block *b = content_add(c, BLOCK_FIGURES, NULL, NULL);
    int64_t due = t->kept + t->missed;

    content_pair(b, say(c, "report.figure.healthy"), say_of(d->summary.ok, d->summary.devices),
                 d->summary.fault       ? TONE_BAD
                 : d->summary.attention ? TONE_WARN
                                        : TONE_GOOD);
    content_pair(b, say(c, "report.figure.availability"), say_share(up->up_ms, up->up_ms + up->down_ms), TONE_PLAIN);
    content_pair(b, say(c, "report.figure.faults"), say_count(d->faults.totals.faults), TONE_PLAIN);
    content_pair(b, say(c, "report.figure.promises"), say_share(t->kept, due),
                 due == 0    ? TONE_PLAIN
                 : t->missed ? TONE_WARN
                             : TONE_GOOD);
    content_pair(b, say(c, "report.figure.tickets"), say_of(t->closed, t->tickets), TONE_PLAIN);
    content_pair(b, say(c, "report.figure.items"), say_of(p->ok, p->items - p->not_applicable),
                 p->fault       ? TONE_BAD
                 : p->attention ? TONE_WARN
                                : TONE_PLAIN);
    content_pair(b, say(c, "report.figure.pages"), say_count(d->meters.totals.pages), TONE_PLAIN);
    content_pair(b, say(c, "report.figure.low"), say_count(d->supplies.totals.low + d->supplies.totals.empty),
                 d->supplies.totals.empty ? TONE_BAD
                 : d->supplies.totals.low ? TONE_WARN
                                          : TONE_PLAIN);
}

void section_summary(struct content *c)
{
    static const enum tone tones[] = {TONE_GOOD, TONE_GOOD, TONE_WARN, TONE_BAD};
    const struct document *d = c->doc;
    const char *grade = words_code(c->lang, "report.grade", doc_grades[d->summary.grade]);

    heading(c, "report.summary");
    content_add(c, BLOCK_GRADE, xstrdup(grade), xstrdup_null(d->summary.remark))->tone = tones[d->summary.grade];
    figures(c);
    if (d->recommendations.n == 0)
        return;
    subheading(c, "report.recommendations");
    for (size_t i = 0; i < d->recommendations.n; i++)
        paragraph(c, TONE_PLAIN, xasprintf("%zu. %s", i + 1, d->recommendations.v[i].text));
}

void section_devices(struct content *c)
{
    static const struct column columns[] = {
        COLUMN("report.col.device", 20), COLUMN("report.col.class", 13),    COLUMN("report.col.model", 22),
        COLUMN("report.col.serial", 17), COLUMN("report.col.location", 24), COLUMN("report.col.health", 13),
        COLUMN("report.col.note", 26),
    };
    struct table *t;

    heading(c, "report.devices");
    t = &content_table(c, columns, COUNT_OF(columns))->table;
    for (size_t i = 0; i < c->doc->devices.n; i++) {
        const struct doc_device *d = &c->doc->devices.v[i];

        table_row(t)->notable = d->health != RESULT_OK;
        cell_text(t, d->name);
        cell_text(t, words_code(c->lang, "class", d->device_class));
        table_cell(t, TONE_PLAIN, d->make || d->model ? joined(d->make, " ", d->model) : say_text(NULL));
        cell_text(t, d->serial);
        table_cell(t, TONE_PLAIN,
                   d->location || d->address ? joined(d->location, " \xc2\xb7 ", d->address) : say_text(NULL));
        cell_result(c, t, d->health);
        cell_text(t, d->note);
    }
    total_row(c, t);
    cell_count(t, c->doc->summary.devices);
    row_end(t);
}

static void rounds_table(struct content *c)
{
    static const struct column columns[] = {
        COLUMN("report.col.round", 16),     COLUMN("report.col.plan", 26),     COLUMN("report.col.state", 12),
        COLUMN("report.col.started", 15),   COLUMN("report.col.finished", 15), COLUMN("report.col.technician", 16),
        COLUMN("report.col.signed-by", 16),
    };
    struct table *t = &content_table(c, columns, COUNT_OF(columns))->table;

    for (size_t i = 0; i < c->doc->patrol.rounds.n; i++) {
        const struct doc_round *r = &c->doc->patrol.rounds.v[i];
        const char *state = doc_round_states[r->state];

        table_row(t);
        cell_text(t, r->number);
        cell_text(t, r->plan);
        table_cell(t, strcmp(state, "overdue") == 0 ? TONE_BAD : TONE_PLAIN,
                   xstrdup(words_code(c->lang, "report.round", state)));
        table_cell(t, TONE_PLAIN, say_maybe_stamp(c, &r->started_ms));
        table_cell(t, TONE_PLAIN, say_maybe_stamp(c, &r->finished_ms));
        cell_text(t, r->technician);
        cell_text(t, r->signed_by);
    }
}

static void visits_table(struct content *c)
{
    static const struct column columns[] = {
        COLUMN("report.col.device", 26),  COLUMN("report.col.round", 18),
        COLUMN("report.col.visited", 16), NUMBERS("report.col.items", 11),
        NUMBERS("report.col.ok", 11),     NUMBERS("report.col.attention", 11),
        NUMBERS("report.col.fault", 11),  NUMBERS("report.col.not-applicable", 11),
    };
    const struct doc_patrol_totals *sum = &c->doc->patrol.totals;
    struct table *t = &content_table(c, columns, COUNT_OF(columns))->table;

    for (size_t i = 0; i < c->doc->patrol.visits.n; i++) {
        const struct doc_visit *v = &c->doc->patrol.visits.v[i];
        int64_t of[RESULT_NONE + 1] = {0};

        for (size_t j = 0; j < v->items.n; j++)
            of[v->items.v[j].result]++;
        table_row(t)->notable = of[RESULT_ATTENTION] + of[RESULT_FAULT] > 0;
        cell_device(t, c->doc, v->device);
        cell_text(t, v->round);
        table_cell(t, v->at_ms.known ? TONE_PLAIN : TONE_WARN,
                   v->at_ms.known ? say_stamp(c, v->at_ms.v) : say(c, "report.not-visited"));
        cell_count(t, (int64_t)v->items.n);
        cell_count(t, of[RESULT_OK]);
        cell_alarm(t, TONE_WARN, of[RESULT_ATTENTION]);
        cell_alarm(t, TONE_BAD, of[RESULT_FAULT]);
        cell_alarm(t, TONE_DIM, of[RESULT_NONE]);
    }
    total_row(c, t);
    table_cell(t, TONE_PLAIN, NULL);
    cell_count(t, sum->visits);
    cell_count(t, sum->items);
    cell_count(t, sum->ok);
    cell_alarm(t, TONE_WARN, sum->attention);
    cell_alarm(t, TONE_BAD, sum->fault);
    cell_alarm(t, TONE_DIM, sum->not_applicable);
}

static void findings_table(struct content *c)
{
    static const struct column columns[] = {
        COLUMN("report.col.device", 24), COLUMN("report.col.item", 26), COLUMN("report.col.value", 18),
        COLUMN("report.col.result", 12), COLUMN("report.col.note", 36),
    };
    struct table *t = &content_table(c, columns, COUNT_OF(columns))->table;

    for (size_t i = 0; i < c->doc->patrol.visits.n; i++) {
        const struct doc_visit *v = &c->doc->patrol.visits.v[i];

        for (size_t j = 0; j < v->items.n; j++) {
            const struct doc_item *item = &v->items.v[j];

            if (item->result != RESULT_ATTENTION && item->result != RESULT_FAULT)
                continue;
            table_row(t)->notable = item->result == RESULT_FAULT;
            cell_device(t, c->doc, v->device);
            cell_text(t, item->what);
            cell_text(t, item->value);
            cell_result(c, t, item->result);
            cell_text(t, item->note);
        }
    }
}

void section_patrol(struct content *c)
{
    heading(c, "report.patrol");
    if (c->doc->patrol.rounds.n == 0) {
        paragraph(c, TONE_DIM, say(c, "report.patrol.none"));
        return;
    }
    rounds_table(c);
    if (c->doc->patrol.visits.n > 0) {
        subheading(c, "report.patrol.visits");
        visits_table(c);
    }
    subheading(c, "report.patrol.findings");
    if (c->doc->patrol.totals.attention + c->doc->patrol.totals.fault > 0)
        findings_table(c);
    else
        paragraph(c, TONE_DIM, say(c, "report.patrol.clean"));
}

static char *say_maybe_day(const struct maybe *m)
{
    struct sbuf b = {0};

    if (!m->known)
        return say_text(NULL);
    words_day(&b, m->v);
    return sbuf_take(&b);
}

static void maintenance_table(struct content *c)
{
    static const struct column columns[] = {COLUMN("report.col.due", 15), COLUMN("report.col.device", 26),
                                            COLUMN("report.col.what", 38), COLUMN("report.col.why", 38)};
    struct table *t = &content_table(c, columns, COUNT_OF(columns))->table;

    for (size_t i = 0; i < c->doc->maintenance.n; i++) {
        const struct doc_maintenance *m = &c->doc->maintenance.v[i];

        table_row(t);
        table_cell(t, TONE_PLAIN, say_maybe_day(&m->due));
        if (m->device.known)
            cell_device(t, c->doc, m->device.v);
        else
            table_cell(t, TONE_PLAIN, say(c, "report.whole-site"));
        cell_text(t, m->what);
        cell_text(t, m->why);
    }
}

static void plan_table(struct content *c)
{
    static const struct column columns[] = {COLUMN("report.col.date", 15), COLUMN("report.col.what", 44),
                                            COLUMN("report.col.scope", 36), COLUMN("report.col.technician", 22)};
    struct table *t = &content_table(c, columns, COUNT_OF(columns))->table;

    for (size_t i = 0; i < c->doc->next_month.n; i++) {
        const struct doc_plan *p = &c->doc->next_month.v[i];
        struct sbuf day = {0};

        words_day(&day, p->date);
        table_row(t);
        table_cell(t, TONE_PLAIN, sbuf_take(&day));
        cell_text(t, p->what);
        cell_text(t, p->scope);
        cell_text(t, p->technician);
    }
}

void section_ahead(struct content *c)
{
    heading(c, "report.maintenance");
    if (c->doc->maintenance.n > 0)
        maintenance_table(c);
    else
        paragraph(c, TONE_DIM, say(c, "report.maintenance.none"));
    heading(c, "report.plan");
    if (c->doc->next_month.n > 0)
        plan_table(c);
    else
        paragraph(c, TONE_DIM, say(c, "report.plan.none"));
}

void section_signatures(struct content *c)
{
    struct block *b;

    if (c->doc->signatures.n == 0)
        return;
    heading(c, "report.signatures");
    b = content_add(c, BLOCK_SIGNATURES, NULL, say(c, "report.signatures.text"));
    for (size_t i = 0; i < c->doc->signatures.n; i++) {
        const struct doc_signature *s = &c->doc->signatures.v[i];

        content_pair(b, xstrdup(words_code(c->lang, "report.role", doc_roles[s->role])), xstrdup_null(s->name),
                     TONE_PLAIN);
    }
}

void content_make(const struct document *doc, struct content *out)
{
    struct sbuf month = {0};

    *out = (struct content){.doc = doc, .lang = doc->language};
    words_month(&month, doc->language, doc->period.month);
    out->title = xasprintf("%s \xc2\xb7 %s", text_get(out->lang, "report.title"), month.s);
    out->subject = xasprintf("%s \xc2\xb7 %s", doc->customer.name, doc->site.name);
    sbuf_free(&month);
    section_cover(out);
    section_summary(out);
    section_devices(out);
    section_patrol(out);
    section_availability(out);
    section_faults(out);
    section_tickets(out);
    section_supplies(out);
    section_meters(out);
    section_ahead(out);
    section_signatures(out);
}
