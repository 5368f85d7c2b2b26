#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"

/* Desk knows open tickets only: one that has ended is fetched from the database, with its history. */
struct fetch {
    struct core *core;
    char *ref;
    struct ticket ticket;
    struct fetched_steps steps;
    void (*done)(void *arg, const struct fetched_ticket *f);
    void *arg;
};

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
        {"title", &t->title},   {"origin", &t->origin},     {"told", &t->told},
        {"site", &t->site},
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
    if (t->device_id != 0)
        t->site = NULL; /* the row tells the device's */
    if (!t->number || !kind || !state || !severity || ticket_kind_parse(kind, &t->kind) < 0 ||
        ticket_state_parse(state, &t->state) < 0 || severity_parse(severity, &t->severity) < 0)
        return PD_ECORRUPT;
    return 0;
}

/* Answers, and ends. */
static void end(struct fetch *f, int err, const char *why)
{
    const struct fetched_ticket found = {
        .err = err, .why = why, .ticket = &f->ticket, .steps = f->steps.v, .nsteps = f->steps.n};

    f->done(f->arg, &found);
    ticket_fini(&f->ticket);
    array_free(&f->steps);
    free(f->ref);
    free(f);
}

static int take_steps(struct fetch *f, const json_t *rows)
{
    const json_t *row;
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        const char *state = json_string_value(json_object_get(row, "state"));
        struct ticket_step step = {.at_ms = json_integer_value(json_object_get(row, "at_ms")),
                                   .loaner = json_is_true(json_object_get(row, "loaner"))};

        if (!state || ticket_state_parse(state, &step.state) < 0)
            return PD_ECORRUPT;
        array_push(&f->steps, step);
    }
    return 0;
}

static void ask(struct fetch *f, const char *query, unsigned limit,
                void (*done)(void *arg, const struct query_page *page))
{
    struct query_args args = {.name = query, .limit = limit};
    struct sbuf filters = {0};

    sbuf_add(&filters, "{\"ticket\":");
    sbuf_add_json(&filters, f->ref);
    sbuf_addc(&filters, '}');
    args.filters = filters.s;
    store_query(f->core->store, &args, done, f);
    sbuf_free(&filters);
}

static void got_steps(void *arg, const struct query_page *page)
{
    struct fetch *f = arg;
    json_t *rows = page->err == 0 ? json_loads(page->rows, 0, NULL) : NULL;
    int rc = f->core->stopping ? PD_ECANCELLED : page->err;

    if (rc == 0)
        rc = take_steps(f, rows);
    json_decref(rows);
    end(f, rc, rc < 0 ? pd_strerror(rc) : NULL);
}

static void got_ticket(void *arg, const struct query_page *page)
{
    struct fetch *f = arg;
    json_t *rows = page->err == 0 ? json_loads(page->rows, 0, NULL) : NULL;
    struct ticket t = {0};
    int rc = f->core->stopping ? PD_ECANCELLED : page->err;
    char *why = NULL;

    if (rc == 0 && json_array_size(rows) == 0) {
        why = xasprintf("there is no ticket '%s'", f->ref);
        rc = PD_ENOENT;
    }
    if (rc == 0)
        rc = ticket_of_row(json_array_get(rows, 0), &t);
    if (rc == 0) {
        ticket_copy(&f->ticket, &t);
        free(f->ref); /* from now on by its id alone: a number may look like another's */
        f->ref = xasprintf("%" PRId64, t.id);
        ask(f, "ticket_steps", 5000, got_steps);
    } else {
        end(f, rc, why ? why : pd_strerror(rc));
    }
    free(why);
    json_decref(rows);
}

void ticket_fetch(struct core *c, const char *ref, void (*done)(void *arg, const struct fetched_ticket *f), void *arg)
{
    struct fetch *f = xcalloc(1, sizeof *f);

    f->core = c;
    f->ref = xstrdup(ref);
    f->done = done;
    f->arg = arg;
    ask(f, "ticket", 1, got_ticket);
}
