#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"

/*
 * Commands on messages. Only what waits to be sent is in memory, so the message
 * is fetched from the database first.
 */
struct fetch {
    struct order *order;
    int64_t id;
    bool retry; /* else it is dropped */
};

static int outbox_state_parse(const char *s, enum outbox_state *out)
{
    for (int state = 0; state < OUTBOX_STATE_COUNT; state++) {
        if (str_eq(s, outbox_state_name((enum outbox_state)state))) {
            *out = (enum outbox_state)state;
            return 0;
        }
    }
    return PD_EINVAL;
}

/* A row of the query "message"; the texts are borrowed from it. */
static int outbox_of_row(const json_t *row, struct outbox *o)
{
    const struct {
        const char *name;
        char **to;
    } texts[] = {
        {"channel", &o->channel},         {"message_id", &o->message_id}, {"sender", &o->sender},
        {"recipient", &o->recipient},     {"subject", &o->subject},       {"body", &o->body},
        {"attachments", &o->attachments},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i].to = (char *)json_string_value(json_object_get(row, texts[i].name));
    o->id = json_integer_value(json_object_get(row, "id"));
    o->created_ms = json_integer_value(json_object_get(row, "created_ms"));
    o->attempts = (int)json_integer_value(json_object_get(row, "attempts"));
    if (!o->channel || !o->message_id || !o->recipient)
        return PD_ECORRUPT;
    return outbox_state_parse(json_string_value(json_object_get(row, "state")), &o->state);
}

/* 0: nothing of ours sends it from now on, so its row may be changed. */
static int take_over(const struct fetch *f, const struct outbox *o, char **why)
{
    int rc;

    if (o->state == OUTBOX_SENT || (o->state == OUTBOX_DROPPED && !f->retry)) {
        *why = xasprintf("message %" PRId64 " was %s already", f->id, outbox_state_name(o->state));
        return PD_ESTATE;
    }
    rc = notify_forget(f->order->core->notify, f->id);
    if (rc == PD_EBUSY)
        *why = xasprintf("message %" PRId64 " is just being sent: try again", f->id);
    if (rc != PD_ENOENT)
        return rc;
    if (o->state != OUTBOX_PENDING)
        return 0;
    *why = xasprintf("what became of message %" PRId64 " is just being written down: try again", f->id);
    return PD_EBUSY;
}

static int decide(const struct fetch *f, struct outbox *o, char **why)
{
    struct core *c = f->order->core;
    struct change *change;
    struct event *e;
    int rc = take_over(f, o, why);

    if (rc < 0)
        return rc;
    change = change_new();
    o->state = f->retry ? OUTBOX_PENDING : OUTBOX_DROPPED;
    if (f->retry)
        o->attempts = 0;
    e = change_event(change, clock_wall(&c->config.services.clock), f->retry ? "outbox.retried" : "outbox.dropped");
    e->actor = xstrdup_null(f->order->actor);
    event_arg_int(e, "outbox", o->id);
    event_arg(e, "message_id", o->message_id);
    event_arg(e, "to", o->recipient);
    event_arg(e, "subject", o->subject);
    change_put_outbox(change, o);
    return order_submit(f->order, change,
                        xasprintf("{\"message\":%" PRId64 ",\"state\":\"%s\"}", o->id, outbox_state_name(o->state)));
}

static int go_on(const struct fetch *f, const struct query_page *page, char **why)
{
    json_t *rows = page->err == 0 ? json_loads(page->rows, 0, NULL) : NULL;
    struct outbox o = {0};
    int rc = page->err;

    if (rc == 0 && json_array_size(rows) == 0) {
        *why = xasprintf("there is no message %" PRId64, f->id);
        rc = PD_ENOENT;
    }
    if (rc == 0)
        rc = outbox_of_row(json_array_get(rows, 0), &o);
    if (rc == 0)
        rc = decide(f, &o, why);
    json_decref(rows);
    return rc;
}

static void fetched(void *arg, const struct query_page *page)
{
    struct fetch *f = arg;
    char *why = NULL;
    int rc = f->order->core->stopping ? PD_ECANCELLED : trouble_refuses(f->order->core, &why);

    if (rc == 0)
        rc = go_on(f, page, &why);
    if (rc < 0)
        order_end(f->order, rc, why ? why : pd_strerror(rc));
    free(why);
    free(f);
}

void outbox_change(struct order *o, int64_t id, bool retry)
{
    struct fetch *f = xcalloc(1, sizeof *f);
    char *filters = xasprintf("{\"id\":%" PRId64 "}", id);
    const struct query_args query = {.name = "message", .filters = filters, .limit = 1};

    *f = (struct fetch){.order = o, .id = id, .retry = retry};
    store_query(o->core->store, &query, fetched, f);
    free(filters);
}
