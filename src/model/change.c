#include "model/change.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct change *change_new(void)
{
    return xcalloc(1, sizeof(struct change));
}

static void row_fini(struct row *r)
{
    switch (r->kind) {
    case ROW_DEVICE:
        device_fini(&r->device);
        break;
    case ROW_COMPONENT:
        component_fini(&r->component);
        break;
    case ROW_ALERT:
        alert_fini(&r->alert);
        break;
    case ROW_HOLD:
        hold_record_fini(&r->hold);
        break;
    case ROW_TICKET:
        ticket_fini(&r->ticket);
        break;
    case ROW_OUTBOX:
        outbox_fini(&r->outbox);
        break;
    case ROW_ROUND:
        round_fini(&r->round);
        break;
    case ROW_VISIT:
        visit_fini(&r->visit);
        break;
    case ROW_ITEM:
        visit_item_fini(&r->item);
        break;
    case ROW_META:
        free(r->meta.name);
        free(r->meta.value);
        break;
    case ROW_ARCHIVE:
        entry_free(r->archive.kind, r->archive.entry);
        break;
    case ROW_HISTORY:
        free(r->history.data);
        break;
    case ROW_REPORT:
        report_fini(&r->report);
        break;
    case ROW_STEP:
        break;
    }
}

void change_free(struct change *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->events.n; i++)
        event_fini(&c->events.v[i]);
    for (size_t i = 0; i < c->rows.n; i++)
        row_fini(&c->rows.v[i]);
    array_free(&c->events);
    array_free(&c->rows);
    dict_free(c->places);
    free(c);
}

bool change_empty(const struct change *c)
{
    return c->events.n == 0 && c->rows.n == 0;
}

/* ---- Events ---- */

struct event *change_event(struct change *c, int64_t at_ms, const char *kind)
{
    struct event e = {.at_ms = at_ms, .kind = xstrdup(kind), .args = xstrdup("{}")};

    array_push(&c->events, e);
    return &c->events.v[c->events.n - 1];
}

/* Opens the arguments' JSON object for one more member: all but the closing brace. */
static struct sbuf args_begin(const struct event *e, const char *name)
{
    struct sbuf b = {0};
    size_t n = strlen(e->args);

    sbuf_addn(&b, e->args, n - 1);
    if (n > 2)
        sbuf_addc(&b, ',');
    sbuf_add_json(&b, name);
    sbuf_addc(&b, ':');
    return b;
}

static void args_end(struct event *e, struct sbuf *b)
{
    sbuf_addc(b, '}');
    free(e->args);
    e->args = sbuf_take(b);
}

void event_arg(struct event *e, const char *name, const char *text)
{
    struct sbuf b = args_begin(e, name);

    sbuf_add_json(&b, text);
    args_end(e, &b);
}

void event_arg_int(struct event *e, const char *name, int64_t n)
{
    struct sbuf b = args_begin(e, name);

    sbuf_addf(&b, "%" PRId64, n);
    args_end(e, &b);
}

/* ---- Rows ---- */

/* What the row stands for, as text: rows of one key are one. Texts that a device gave are quoted, so none can be another's. */
static void row_key(struct sbuf *b, const struct row *r)
{
    sbuf_addf(b, "%d ", (int)r->kind);
    switch (r->kind) {
    case ROW_DEVICE:
        sbuf_addf(b, "%" PRId64, r->device.id);
        break;
    case ROW_COMPONENT:
        sbuf_addf(b, "%" PRId64 " %" PRIu32, r->component.device_id, r->component.number);
        break;
    case ROW_ALERT:
        sbuf_addf(b, "%" PRId64, r->alert.id);
        break;
    case ROW_HOLD:
        sbuf_addf(b, "%" PRId64 " ", r->hold.device_id);
        sbuf_add_json(b, r->hold.rule);
        sbuf_add_json(b, r->hold.kind);
        sbuf_add_json(b, r->hold.key);
        break;
    case ROW_TICKET:
        sbuf_addf(b, "%" PRId64, r->ticket.id);
        break;
    case ROW_OUTBOX:
        sbuf_addf(b, "%" PRId64, r->outbox.id);
        break;
    case ROW_ROUND:
        sbuf_addf(b, "%" PRId64, r->round.id);
        break;
    case ROW_VISIT:
        sbuf_addf(b, "%" PRId64, r->visit.id);
        break;
    case ROW_ITEM:
        sbuf_addf(b, "%" PRId64, r->item.id);
        break;
    case ROW_META:
        sbuf_add(b, r->meta.name);
        break;
    case ROW_ARCHIVE:
        sbuf_addf(b, "%d %" PRId64, (int)r->archive.kind, r->archive.entry->id);
        break;
    case ROW_HISTORY:
        sbuf_addf(b, "%" PRId64, r->history.device_id);
        break;
    case ROW_REPORT:
        sbuf_addf(b, "%" PRId64, r->report.id);
        break;
    case ROW_STEP:
        sbuf_addf(b, "%" PRId64 " %" PRIu32, r->step.ticket_id, r->step.n);
        break;
    }
}

/* Takes the row, whose texts it owns already. */
static void put_row(struct change *c, struct row *r)
{
    struct sbuf key = {0};
    uintptr_t place;

    if (!c->places)
        c->places = dict_new();
    row_key(&key, r);
    place = (uintptr_t)dict_get(c->places, key.s);
    if (place) {
        row_fini(&c->rows.v[place - 1]);
        c->rows.v[place - 1] = *r;
    } else {
        array_push(&c->rows, *r);
        dict_put(c->places, key.s, (void *)(uintptr_t)c->rows.n); /* never NULL: the place and one */
    }
    sbuf_free(&key);
}

void change_put_device(struct change *c, const struct device *d)
{
    struct row r = {.kind = ROW_DEVICE};

    device_copy(&r.device, d);
    put_row(c, &r);
}

void change_put_component(struct change *c, const struct component *k)
{
    struct row r = {.kind = ROW_COMPONENT};

    component_copy(&r.component, k);
    put_row(c, &r);
}

void change_put_alert(struct change *c, const struct alert *a)
{
    struct row r = {.kind = ROW_ALERT};

    alert_copy(&r.alert, a);
    put_row(c, &r);
}

void change_put_hold(struct change *c, const struct hold_record *h)
{
    struct row r = {.kind = ROW_HOLD};

    hold_record_copy(&r.hold, h);
    put_row(c, &r);
}

void change_put_ticket(struct change *c, const struct ticket *t)
{
    struct row r = {.kind = ROW_TICKET};

    ticket_copy(&r.ticket, t);
    put_row(c, &r);
}

void change_put_step(struct change *c, const struct step_record *s)
{
    struct row r = {.kind = ROW_STEP, .step = *s};

    put_row(c, &r);
}

void change_put_outbox(struct change *c, const struct outbox *o)
{
    struct row r = {.kind = ROW_OUTBOX};

    outbox_copy(&r.outbox, o);
    put_row(c, &r);
}

void change_put_round(struct change *c, const struct round *round)
{
    struct row r = {.kind = ROW_ROUND};

    round_copy(&r.round, round);
    put_row(c, &r);
}

void change_put_visit(struct change *c, const struct visit *v)
{
    struct row r = {.kind = ROW_VISIT};

    visit_copy(&r.visit, v);
    put_row(c, &r);
}

void change_put_item(struct change *c, const struct visit_item *i)
{
    struct row r = {.kind = ROW_ITEM};

    visit_item_copy(&r.item, i);
    put_row(c, &r);
}

void change_put_report(struct change *c, const struct report *r)
{
    struct row row = {.kind = ROW_REPORT};

    report_copy(&row.report, r);
    put_row(c, &row);
}

void change_put_entry(struct change *c, enum archive_kind kind, const struct entry *e)
{
    struct row r = {.kind = ROW_ARCHIVE, .archive = {kind, entry_dup(kind, e)}};

    put_row(c, &r);
}

void change_put_history(struct change *c, int64_t device_id, const void *data, size_t n)
{
    struct row r = {.kind = ROW_HISTORY, .history = {.device_id = device_id, .data = xmalloc(n + 1), .n = n}};

    memcpy(r.history.data, data, n);
    put_row(c, &r);
}

void change_put_meta(struct change *c, const char *name, const char *value)
{
    struct row r = {.kind = ROW_META, .meta = {.name = xstrdup(name), .value = xstrdup_null(value)}};

    put_row(c, &r);
}
