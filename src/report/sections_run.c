/* What the report tells, section by section: how the devices ran. */
#include "report/sections.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"

enum { HOUR_MS = 3600000, CHART_SUPPLIES = 12 };

/* ---- Availability ---- */

/* Hours down and hours without data of all devices, day by day. */
static void days_chart(struct content *c)
{
    struct chart *chart = &content_chart(c, CHART_DAYS, say(c, "report.chart.days"))->chart;
    const struct doc_uptime_totals *sum = &c->doc->availability.totals;
    char *down = say_duration(c, sum->down_ms), *gap = say_duration(c, sum->gap_ms);

    chart->kinds[0] = text_get(c->lang, "report.down");
    chart->kinds[1] = text_get(c->lang, "report.gap");
    chart->unit = text_get(c->lang, "report.chart.hours");
    chart->alt = say_args(c, "report.chart.days.alt", (struct text_arg[]){{"down", down}, {"gap", gap}}, 2);
    for (int day = 0; day < c->doc->days; day++) {
        struct bar bar = {.label = xasprintf("%d", day + 1), .tone = TONE_BAD};

        for (size_t i = 0; i < c->doc->availability.devices.n; i++) {
            const struct doc_day *d = &c->doc->availability.devices.v[i].days.v[day];

            bar.size[0] += (double)d->down_ms / HOUR_MS;
            bar.size[1] += (double)d->gap_ms / HOUR_MS;
        }
        array_push(&chart->bars, bar);
    }
    free(down);
    free(gap);
}

static void uptime_table(struct content *c)
{
    static const struct column columns[] = {
        COLUMN("report.col.device", 24),   DRAWN("report.col.days", 35),   NUMBERS("report.col.availability", 13),
        NUMBERS("report.col.outages", 12), NUMBERS("report.col.down", 16), NUMBERS("report.col.longest", 16),
        NUMBERS("report.col.gap", 16),
    };
    const struct doc_uptime_totals *sum = &c->doc->availability.totals;
    struct table *t = &content_table(c, columns, COUNT_OF(columns))->table;

    for (size_t i = 0; i < c->doc->availability.devices.n; i++) {
        const struct doc_uptime *u = &c->doc->availability.devices.v[i];
        struct cell *strip;

        table_row(t)->notable = u->outages > 0;
        cell_device(t, c->doc, u->device);
        strip = table_cell(t, TONE_PLAIN, NULL);
        strip->picture = PICTURE_DAYS;
        strip->uptime = u;
        table_cell(t, TONE_PLAIN, say_share(u->up_ms, u->up_ms + u->down_ms));
        cell_alarm(t, TONE_PLAIN, u->outages);
        table_cell(t, u->down_ms ? TONE_BAD : TONE_DIM, say_duration(c, u->down_ms));
        table_cell(t, u->longest_ms ? TONE_PLAIN : TONE_DIM, say_duration(c, u->longest_ms));
        table_cell(t, TONE_DIM, say_duration(c, u->gap_ms));
    }
    total_row(c, t);
    table_cell(t, TONE_PLAIN, NULL);
    table_cell(t, TONE_PLAIN, say_share(sum->up_ms, sum->up_ms + sum->down_ms));
    cell_count(t, sum->outages);
    table_cell(t, TONE_PLAIN, say_duration(c, sum->down_ms));
    table_cell(t, TONE_PLAIN, NULL);
    table_cell(t, TONE_PLAIN, say_duration(c, sum->gap_ms));
}

void section_availability(struct content *c)
{
    heading(c, "report.availability");
    if (c->doc->availability.devices.n == 0) {
        paragraph(c, TONE_DIM, say(c, "report.availability.none"));
        return;
    }
    paragraph(c, TONE_DIM, say(c, "report.availability.text"));
    days_chart(c);
    uptime_table(c);
}

/* ---- Faults ---- */

/* The faults of one family. */
struct family {
    const char *name;
    int64_t faults, open, lasted_ms, devices;
    int severity; /* the gravest */
};

static int by_family(const void *a, const void *b)
{
    const struct doc_fault *x = *(const struct doc_fault *const *)a, *y = *(const struct doc_fault *const *)b;
    int order = strcmp(x->family, y->family);

    return order ? order : x->device < y->device ? -1 : x->device > y->device;
}

static int by_count(const void *a, const void *b)
{
    const struct family *x = a, *y = b;

    return x->faults != y->faults ? (x->faults > y->faults ? -1 : 1) : strcmp(x->name, y->name);
}

/* How long it was there within the month. */
static int64_t lasted(const struct document *doc, const struct doc_fault *f)
{
    int64_t from = f->from_ms > doc->day_ms[0] ? f->from_ms : doc->day_ms[0];

    return (f->to_ms.known ? f->to_ms.v : doc->day_ms[doc->days]) - from;
}

/* The families, most faults first; free() them. */
static struct family *families(const struct document *doc, size_t *n)
{
    size_t total = doc->faults.rows.n;
    const struct doc_fault **sorted = xcalloc(total + 1, sizeof(struct doc_fault *));
    struct family *list = xcalloc(total + 1, sizeof *list), *f = list;

    for (size_t i = 0; i < total; i++)
        sorted[i] = &doc->faults.rows.v[i];
    qsort(sorted, total, sizeof(struct doc_fault *), by_family);
    for (size_t i = 0; i < total; i++) {
        bool same = i > 0 && strcmp(sorted[i - 1]->family, sorted[i]->family) == 0;

        if (i > 0 && !same)
            f++;
        f->name = sorted[i]->family;
        f->faults++;
        f->open += !sorted[i]->to_ms.known;
        f->lasted_ms += lasted(doc, sorted[i]);
        f->devices += !same || sorted[i - 1]->device != sorted[i]->device;
        if (sorted[i]->severity > f->severity)
            f->severity = sorted[i]->severity;
    }
    *n = total > 0 ? (size_t)(f - list) + 1 : 0;
    qsort(list, *n, sizeof *list, by_count);
    free(sorted);
    return list;
}

static void families_table(struct content *c)
{
    static const struct column columns[] = {
        COLUMN("report.col.fault-class", 40), COLUMN("report.col.gravest", 16),     NUMBERS("report.col.devices", 14),
        NUMBERS("report.col.faults", 14),     NUMBERS("report.col.still-open", 16), NUMBERS("report.col.lasted", 20),
    };
    struct table *t = &content_table(c, columns, COUNT_OF(columns))->table;
    struct family *list;
    int64_t all = 0;
    size_t n;

    list = families(c->doc, &n);
    for (size_t i = 0; i < n; i++) {
        const struct family *f = &list[i];

        table_row(t)->notable = f->open > 0;
        cell_text(t, f->name);
        table_cell(t, tone_of_severity(f->severity),
                   say(c, (const char *[]){"severity.info", "severity.warning", "severity.major",
                                           "severity.critical"}[f->severity]))
            ->picture = PICTURE_DOT;
        cell_count(t, f->devices);
        cell_count(t, f->faults);
        cell_alarm(t, TONE_WARN, f->open);
        table_cell(t, TONE_PLAIN, say_duration(c, f->lasted_ms));
        all += f->lasted_ms;
    }
    total_row(c, t);
    table_cell(t, TONE_PLAIN, NULL);
    table_cell(t, TONE_PLAIN, NULL);
    cell_count(t, c->doc->faults.totals.faults);
    cell_alarm(t, TONE_WARN, c->doc->faults.totals.open);
    table_cell(t, TONE_PLAIN, say_duration(c, all));
    free(list);
}

void section_faults(struct content *c)
{
    heading(c, "report.faults");
    if (c->doc->faults.rows.n == 0) {
        paragraph(c, TONE_DIM, say(c, "report.faults.none"));
        return;
    }
    families_table(c);
}

/* ---- Tickets ---- */

/* Tickets by category; those not assessed last. */
static void categories_chart(struct content *c)
{
    struct chart *chart;
    int64_t of[16] = {0};
    struct sbuf alt = {0};
    size_t n = 0;

    while (doc_categories[n])
        n++;
    for (size_t i = 0; i < c->doc->tickets.rows.n; i++) {
        int category = c->doc->tickets.rows.v[i].category;

        of[category >= 0 ? (size_t)category : n]++;
    }
    chart = &content_chart(c, CHART_BARS, say(c, "report.chart.categories"))->chart;
    chart->kinds[0] = "";
    for (size_t i = 0; i <= n; i++) {
        struct bar bar = {.size = {(double)of[i]}};

        if (of[i] == 0)
            continue;
        bar.label = i < n ? xstrdup(words_code(c->lang, "category", doc_categories[i])) : say(c, "report.not-assessed");
        bar.value = say_count(of[i]);
        sbuf_addf(&alt, "%s%s %s", alt.n ? text_get(c->lang, "list.comma") : "", bar.label, bar.value);
        array_push(&chart->bars, bar);
    }
    chart->alt = sbuf_take(&alt);
}

/* "Respond: kept" lines of a ticket's promises. */
static void promises_cell(struct content *c, struct table *t, const struct doc_ticket *ticket)
{
    static const enum tone tones[] = {TONE_GOOD, TONE_BAD, TONE_DIM};
    struct sbuf b = {0};
    enum tone tone = TONE_DIM;

    for (size_t i = 0; i < ticket->promises.n; i++) {
        const struct doc_promise *p = &ticket->promises.v[i];

        sbuf_addf(&b, "%s%s %s", i > 0 ? text_get(c->lang, "list.comma") : "",
                  words_code(c->lang, "report.promise", doc_promises[p->kind]),
                  words_code(c->lang, "report.promise-state", doc_promise_states[p->state]));
        if (p->state == PROMISE_MISSED || tone == TONE_DIM)
            tone = tones[p->state];
    }
    table_cell(t, tone, b.n ? sbuf_take(&b) : say_text(NULL));
}

static void tickets_table(struct content *c)
{
    static const struct column columns[] = {
        COLUMN("report.col.ticket", 14), COLUMN("report.col.device", 18),   COLUMN("report.col.symptom", 24),
        COLUMN("report.col.opened", 13), COLUMN("report.col.closed", 13),   COLUMN("report.col.state", 12),
        COLUMN("report.col.done", 30),   COLUMN("report.col.promises", 18),
    };
    struct table *t = &content_table(c, columns, COUNT_OF(columns))->table;

    for (size_t i = 0; i < c->doc->tickets.rows.n; i++) {
        const struct doc_ticket *k = &c->doc->tickets.rows.v[i];
        bool open = !k->closed_ms.known;

        table_row(t)->notable = open;
        cell_text(t, k->number);
        if (k->device.known)
            cell_device(t, c->doc, k->device.v);
        else
            cell_text(t, NULL);
        table_cell(t, TONE_PLAIN, xstrdup(k->title));
        table_cell(t, TONE_PLAIN, say_stamp(c, k->opened_ms));
        table_cell(t, open ? TONE_DIM : TONE_PLAIN, say_maybe_stamp(c, &k->closed_ms));
        table_cell(t, open ? TONE_WARN : TONE_PLAIN,
                   xstrdup(words_code(c->lang, "ticket-state", doc_ticket_states[k->state])));
        cell_text(t, k->done);
        promises_cell(c, t, k);
    }
}

static void tickets_figures(struct content *c)
{
    const struct doc_ticket_totals *sum = &c->doc->tickets.totals;
    struct block *b = content_add(c, BLOCK_FIGURES, NULL, NULL);

    content_pair(b, say(c, "report.figure.opened"), say_count(sum->opened), TONE_PLAIN);
    content_pair(b, say(c, "report.figure.closed"), say_count(sum->closed), TONE_PLAIN);
    content_pair(b, say(c, "report.figure.open"), say_count(sum->open), sum->open ? TONE_WARN : TONE_PLAIN);
    content_pair(b, say(c, "report.figure.kept"), say_of(sum->kept, sum->kept + sum->missed),
                 sum->missed ? TONE_WARN : TONE_PLAIN);
}

/* Promises of one kind in a row, how many were kept. */
static void promises_table(struct content *c)
{
    static const struct column columns[] = {
        COLUMN("report.col.promise", 40),  NUMBERS("report.col.kept", 16),       NUMBERS("report.col.missed", 16),
        NUMBERS("report.col.running", 16), NUMBERS("report.col.share-kept", 22),
    };
    const struct doc_ticket_totals *sum = &c->doc->tickets.totals;
    int64_t of[16][PROMISE_RUNNING + 1] = {0};
    struct table *t = &content_table(c, columns, COUNT_OF(columns))->table;

    for (size_t i = 0; i < c->doc->tickets.rows.n; i++)
        for (size_t j = 0; j < c->doc->tickets.rows.v[i].promises.n; j++) {
            const struct doc_promise *p = &c->doc->tickets.rows.v[i].promises.v[j];

            of[p->kind][p->state]++;
        }
    for (size_t i = 0; doc_promises[i]; i++) {
        if (of[i][PROMISE_KEPT] + of[i][PROMISE_MISSED] + of[i][PROMISE_RUNNING] == 0)
            continue;
        table_row(t)->notable = of[i][PROMISE_MISSED] > 0;
        cell_text(t, words_code(c->lang, "report.promise", doc_promises[i]));
        cell_count(t, of[i][PROMISE_KEPT]);
        cell_alarm(t, TONE_BAD, of[i][PROMISE_MISSED]);
        cell_alarm(t, TONE_DIM, of[i][PROMISE_RUNNING]);
        table_cell(t, TONE_PLAIN, say_share(of[i][PROMISE_KEPT], of[i][PROMISE_KEPT] + of[i][PROMISE_MISSED]));
    }
    total_row(c, t);
    cell_count(t, sum->kept);
    cell_alarm(t, TONE_BAD, sum->missed);
    cell_alarm(t, TONE_DIM, sum->running);
    table_cell(t, TONE_PLAIN, say_share(sum->kept, sum->kept + sum->missed));
}

void section_tickets(struct content *c)
{
    heading(c, "report.tickets");
    if (c->doc->tickets.rows.n == 0) {
        paragraph(c, TONE_DIM, say(c, "report.tickets.none"));
        return;
    }
    tickets_figures(c);
    categories_chart(c);
    if (c->doc->tickets.totals.promises > 0) {
        subheading(c, "report.tickets.promises");
        promises_table(c);
    }
    subheading(c, "report.tickets.list");
    tickets_table(c);
}

/* ---- Supplies and meters ---- */

static enum tone tone_of_supply(const struct doc_supply *s)
{
    static const enum tone tones[] = {TONE_GOOD, TONE_WARN, TONE_BAD, TONE_DIM};

    return tones[s->state];
}

static char *level_text(const struct maybe *level)
{
    return level->known ? xasprintf("%d%%", (int)level->v) : say_text(NULL);
}

static int by_level(const void *a, const void *b)
{
    const struct doc_supply *x = *(const struct doc_supply *const *)a, *y = *(const struct doc_supply *const *)b;

    if (x->level_end.v != y->level_end.v)
        return x->level_end.v < y->level_end.v ? -1 : 1;
    return x < y ? -1 : x > y; /* in the order of the document, where all of them stand */
}

/* The lowest levels; the mail's, since the PDF's table draws them all. */
static void levels_chart(struct content *c)
{
    size_t n = 0, total = c->doc->supplies.rows.n;
    const struct doc_supply **sorted = xcalloc(total + 1, sizeof(struct doc_supply *));
    struct chart *chart;
    struct sbuf alt = {0};

    for (size_t i = 0; i < total; i++)
        if (c->doc->supplies.rows.v[i].level_end.known)
            sorted[n++] = &c->doc->supplies.rows.v[i];
    qsort(sorted, n, sizeof(struct doc_supply *), by_level);
    if (n > 0) {
        chart = &content_chart(c, CHART_BARS, say(c, "report.chart.supplies"))->chart;
        chart->mail_only = true;
        for (size_t i = 0; i < n && i < CHART_SUPPLIES; i++) {
            struct bar bar = {.size = {(double)sorted[i]->level_end.v}, .tone = tone_of_supply(sorted[i])};

            bar.label = xasprintf("%s \xc2\xb7 %s", document_device(c->doc, sorted[i]->device)->name, sorted[i]->name);
            bar.value = level_text(&sorted[i]->level_end);
            sbuf_addf(&alt, "%s%s %s", alt.n ? text_get(c->lang, "list.comma") : "", bar.label, bar.value);
            array_push(&chart->bars, bar);
        }
        chart->alt = sbuf_take(&alt);
    }
    free(sorted);
}

static void supplies_table(struct content *c)
{
    static const struct column columns[] = {
        COLUMN("report.col.device", 26),    COLUMN("report.col.supply", 26),    NUMBERS("report.col.level-start", 13),
        COLUMN("report.col.level-end", 28), NUMBERS("report.col.replaced", 12), NUMBERS("report.col.days-left", 16),
        COLUMN("report.col.state", 17),
    };
    const struct doc_supply_totals *sum = &c->doc->supplies.totals;
    struct table *t = &content_table(c, columns, COUNT_OF(columns))->table;

    for (size_t i = 0; i < c->doc->supplies.rows.n; i++) {
        const struct doc_supply *s = &c->doc->supplies.rows.v[i];
        struct cell *cell;

        table_row(t)->notable = s->state == SUPPLY_LOW || s->state == SUPPLY_EMPTY;
        cell_device(t, c->doc, s->device);
        cell_text(t, s->name);
        table_cell(t, TONE_PLAIN, level_text(&s->level_start));
        cell = table_cell(t, tone_of_supply(s), level_text(&s->level_end));
        if (s->level_end.known) {
            cell->picture = PICTURE_BAR;
            cell->share = (double)s->level_end.v / 100;
        }
        cell_alarm(t, TONE_PLAIN, s->replaced);
        table_cell(t, TONE_PLAIN, say_maybe(&s->days_left));
        table_cell(t, tone_of_supply(s), xstrdup(words_code(c->lang, "report.supply", doc_supply_states[s->state])))
            ->picture = PICTURE_DOT;
    }
    total_row(c, t);
    cell_count(t, sum->supplies);
    table_cell(t, TONE_PLAIN, NULL);
    table_cell(t, TONE_PLAIN, NULL);
    cell_count(t, sum->replaced);
    row_end(t);
}

void section_supplies(struct content *c)
{
    const struct doc_supply_totals *sum = &c->doc->supplies.totals;
    char *low = say_count(sum->low), *empty = say_count(sum->empty), *unknown = say_count(sum->unknown);

    heading(c, "report.supplies");
    if (c->doc->supplies.rows.n == 0) {
        paragraph(c, TONE_DIM, say(c, "report.supplies.none"));
    } else {
        paragraph(c, TONE_PLAIN,
                  say_args(c, "report.supplies.text",
                           (struct text_arg[]){{"low", low}, {"empty", empty}, {"unknown", unknown}}, 3));
        levels_chart(c);
        supplies_table(c);
    }
    free(low);
    free(empty);
    free(unknown);
}

static void meter_row(struct content *c, struct table *t, const struct doc_meter *m)
{
    bool known = m->pages.known;

    table_row(t)->notable = m->reset;
    cell_device(t, c->doc, m->device);
    cell_text(t, m->name);
    table_cell(t, TONE_PLAIN, say_maybe(&m->start));
    table_cell(t, TONE_PLAIN, say_maybe(&m->end));
    table_cell(t, m->whole ? TONE_PLAIN : TONE_DIM, say_maybe(&m->pages));
    table_cell(t, TONE_DIM,
               m->reset    ? say(c, "report.meter.reset")
               : !known    ? say(c, "report.meter.unknown")
               : !m->whole ? say(c, "report.meter.part")
                           : NULL);
}

void section_meters(struct content *c)
{
    static const struct column columns[] = {
        COLUMN("report.col.device", 26), COLUMN("report.col.meter", 22),  NUMBERS("report.col.start", 17),
        NUMBERS("report.col.end", 17),   NUMBERS("report.col.pages", 17), COLUMN("report.col.note", 30),
    };
    struct table *t;

    heading(c, "report.meters");
    if (c->doc->meters.rows.n == 0) {
        paragraph(c, TONE_DIM, say(c, "report.meters.none"));
        return;
    }
    t = &content_table(c, columns, COUNT_OF(columns))->table;
    for (size_t i = 0; i < c->doc->meters.rows.n; i++)
        meter_row(c, t, &c->doc->meters.rows.v[i]);
    total_row(c, t);
    for (int i = 0; i < 3; i++)
        table_cell(t, TONE_PLAIN, NULL);
    cell_count(t, c->doc->meters.totals.pages);
    row_end(t);
}
