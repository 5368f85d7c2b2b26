#include <inttypes.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/conn.h"

enum {
    MAX_TAILS = 8,   /* on one connection */
    TAIL_PAGE = 200, /* events asked for at once */
};

static void send_events(struct tail *t, json_t *rows)
{
    json_t *event;
    size_t i;

    json_array_foreach(rows, i, event)
    {
        struct sbuf line = {0};
        char *text = json_dumps(event, JSON_COMPACT);

        t->after = json_integer_value(json_object_get(event, "number"));
        sbuf_addf(&line, "{\"id\":%s,\"event\":%s}", t->id, text ? text : "null");
        free(text);
        conn_send(t->conn, &line);
    }
}

static void take_page(struct tail *t, const struct query_page *page)
{
    json_t *rows;

    if (page->err != 0) {
        conn_send_error(t->conn, t->id, page->err, page->why);
        t->after = INT64_MAX; /* it is over: nothing comes after this */
        return;
    }
    rows = json_loads(page->rows, 0, NULL);
    send_events(t, rows);
    json_decref(rows);
    if (page->next == 0 && t->after < t->asked_upto)
        t->after = t->asked_upto; /* what the filters left out need not be looked at again */
}

static void tail_page(void *arg, const struct query_page *page)
{
    struct tail *t = arg;
    struct connection *conn = t->conn;

    t->asking = false;
    conn->under_way--;
    if (!conn->bev) {
        conn_settle(conn);
        return;
    }
    if (!conn->leaving) {
        take_page(t, page);
        tail_ask(t);
    }
    conn_resume_reading(conn);
}

void tail_ask(struct tail *t)
{
    struct control *c = t->conn->control;
    const struct query_args args = {.name = "events", .filters = t->filters, .after = t->after, .limit = TAIL_PAGE};

    if (t->asking || t->after >= c->last_event || conn_output_full(t->conn))
        return;
    t->asking = true;
    t->asked_upto = c->last_event;
    t->conn->under_way++;
    store_query(core_store(c->config.core), &args, tail_page, t);
}

void tail_begin(struct connection *conn, const char *id, const json_t *request)
{
    const json_t *what = json_object_get(request, "tail"), *filters = json_object_get(what, "filters");
    int64_t after = -1;
    struct sbuf line = {0};
    struct tail *t;

    if (!json_is_object(what) || (filters && !json_is_object(filters))) {
        conn_send_error(conn, id, PD_EINVAL, "\"tail\" and its \"filters\" must be objects");
        return;
    }
    if (!request_take_int(conn, id, what, "after", &after))
        return;
    if (conn->tails.n == MAX_TAILS) {
        conn_send_error(conn, id, PD_EBUSY, "too many tails on one connection");
        return;
    }
    t = xcalloc(1, sizeof *t);
    t->conn = conn;
    t->id = xstrdup(id);
    t->filters = filters ? json_dumps(filters, JSON_COMPACT) : xstrdup("{}");
    t->after = after < 0 ? conn->control->last_event : after;
    array_push(&conn->tails, t);
    sbuf_addf(&line, "{\"id\":%s,\"tail\":%" PRId64 "}", id, t->after);
    conn_send(conn, &line);
    tail_ask(t);
}

void tail_free(struct tail *t)
{
    free(t->id);
    free(t->filters);
    free(t);
}
