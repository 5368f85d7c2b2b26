#include <jansson.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"

/*
 * Desk knows open tickets only. One that is to be reopened is fetched from the
 * database first; the command goes on when it is there.
 */
struct fetch {
    struct order *order;
    char *ref, *note;
};

static int ticket_kind_parse(const char *s, enum ticket_kind *out)
{
    for (int k = 0; k < TICKET_KIND_COUNT; k++) {
        if (str_eq(s, ticket_kind_name((enum ticket_kind)k))) {
            *out = (enum ticket_kind)k;
            return 0;
        }
    }
    return PD_EINVAL;
}

/* A row of the query "ticket"; the texts are borrowed from it. */
static int ticket_of_row(const json_t *row, struct ticket *t)
{
    const struct {
        const char *name;
        char **to;
    } texts[] = {
        {"number", &t->number}, {"family", &t->family},     {"component_kind", &t->component_kind},
        {"key", &t->key},       {"label", &t->label},       {"rule", &t->rule},
        {"note", &t->note},     {"category", &t->category}, {"assignee", &t->assignee},
    };
    const struct {
        const char *name;
        int64_t *to;
    } numbers[] = {
        {"id", &t->id},
        {"device_id", &t->device_id},
        {"alert_id", &t->alert_id},
        {"opened_ms", &t->opened_ms},
        {"changed_ms", &t->changed_ms},
        {"closed_ms", &t->closed_ms},
    };
    const char *kind = json_string_value(json_object_get(row, "kind"));
    const char *state = json_string_value(json_object_get(row, "state"));
    const char *severity = json_string_value(json_object_get(row, "severity"));

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i].to = (char *)json_string_value(json_object_get(row, texts[i].name));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *numbers[i].to = json_integer_value(json_object_get(row, numbers[i].name));
    if (!t->number || !kind || !state || !severity || ticket_kind_parse(kind, &t->kind) < 0 ||
        ticket_state_parse(state, &t->state) < 0 || severity_parse(severity, &t->severity) < 0)
        return PD_ECORRUPT;
    return 0;
}

/* Tells desk of the ticket, unless it knows it by now. 0 and its id, or an error and *why (NULL: none). */
static int take_ticket(const struct fetch *f, const struct query_page *page, int64_t *id, char **why)
{
    struct core *c = f->order->core;
    json_t *rows = page->err == 0 ? json_loads(page->rows, 0, NULL) : NULL;
    struct ticket t = {0};
    int rc = page->err;

    if (rc == 0 && json_array_size(rows) == 0) {
        *why = xasprintf("there is no ticket '%s'", f->ref);
        rc = PD_ENOENT;
    }
    if (rc == 0)
        rc = ticket_of_row(json_array_get(rows, 0), &t);
    if (rc == 0 && !desk_ticket(c->desk, t.id)) {
        if (ticket_state_open(t.state)) { /* desk closed it: the database will say so in a moment */
            *why = xasprintf("%s is just being closed: try again", t.number);
            rc = PD_EBUSY;
        } else {
            desk_load_ticket(c->desk, &t);
        }
    }
    if (rc == 0)
        *id = t.id;
    json_decref(rows);
    return rc;
}

static void fetched(void *arg, const struct query_page *page)
{
    struct fetch *f = arg;
    char *why = NULL;
    int64_t id = 0;
    int rc = f->order->core->stopping ? PD_ECANCELLED : trouble_refuses(f->order->core, &why);

    if (rc == 0)
        rc = take_ticket(f, page, &id, &why);
    if (rc == 0)
        rc = order_ticket_verb(f->order, TICKET_REOPEN, id, NULL, f->note, &why);
    if (rc < 0)
        order_end(f->order, rc, why ? why : pd_strerror(rc));
    free(why);
    free(f->ref);
    free(f->note);
    free(f);
}

void ticket_reopen(struct order *o, const char *ref, const char *note)
{
    struct fetch *f = xcalloc(1, sizeof *f);
    struct sbuf filters = {0};
    struct query_args query = {.name = "ticket", .limit = 1};

    f->order = o;
    f->ref = xstrdup(ref);
    f->note = xstrdup_null(note);
    sbuf_add(&filters, "{\"ticket\":");
    sbuf_add_json(&filters, ref);
    sbuf_addc(&filters, '}');
    query.filters = filters.s;
    store_query(o->core->store, &query, fetched, f);
    sbuf_free(&filters);
}
