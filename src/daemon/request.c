#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/clocks.h"
#include "daemon/conn.h"
#include "daemon/live.h"

enum {
    MAX_DEPTH = 8, /* of a request's JSON; nothing we take is deeper than 3 */
    MAX_ID = 64,   /* bytes of a request's id as text */
    DEFAULT_LIMIT = 500,
    MAX_LIMIT = 5000,
};

/* ---- Answers ---- */

static const char *error_code(int err)
{
    static const struct {
        int err;
        const char *code;
    } codes[] = {
        {PD_EINVAL, "invalid"},      {PD_ENOENT, "not-found"}, {PD_EEXIST, "exists"},        {PD_EIO, "io"},
        {PD_ENOSPC, "no-space"},     {PD_EBUSY, "busy"},       {PD_EACCES, "not-allowed"},   {PD_ETIMEDOUT, "timeout"},
        {PD_EPROTO, "protocol"},     {PD_ERANGE, "range"},     {PD_ECORRUPT, "corrupt"},     {PD_EVERSION, "version"},
        {PD_ENOTSUP, "unsupported"}, {PD_ECONN, "connection"}, {PD_ECANCELLED, "cancelled"}, {PD_ESTATE, "state"},
        {CORE_QUEUED, "queued"},
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].err == err)
            return codes[i].code;
    return "io";
}

void conn_send_error(struct connection *conn, const char *id, int err, const char *why)
{
    struct sbuf line = {0};

    sbuf_addf(&line, "{\"id\":%s,\"error\":{\"code\":\"%s\",\"text\":", id ? id : "null", error_code(err));
    sbuf_add_json(&line, why ? why : pd_strerror(err));
    sbuf_add(&line, "}}");
    conn_send(conn, &line);
}

static void conn_send_rows(struct connection *conn, const char *id, const char *rows, int64_t next)
{
    struct sbuf line = {0};

    sbuf_addf(&line, "{\"id\":%s,\"rows\":%s,\"next\":%" PRId64 "}", id, rows, next);
    conn_send(conn, &line);
}

static struct request *request_begin(struct connection *conn, const char *id)
{
    struct request *r = xcalloc(1, sizeof *r);

    r->conn = conn;
    r->id = xstrdup(id);
    conn->under_way++;
    return r;
}

/* The answer was sent, or nobody is there to get it. */
static void request_end(struct request *r)
{
    struct connection *conn = r->conn;

    free(r->id);
    free(r);
    conn->under_way--;
    if (conn->bev)
        conn_resume_reading(conn);
    else
        conn_settle(conn);
}

/* A member that must be an integer if it is there; false after answering with an error. */
bool request_take_int(struct connection *conn, const char *id, const json_t *o, const char *name, int64_t *out)
{
    const json_t *j = json_object_get(o, name);

    if (j && !json_is_integer(j)) {
        char *why = xasprintf("\"%s\" must be a whole number", name);

        conn_send_error(conn, id, PD_EINVAL, why);
        free(why);
        return false;
    }
    if (j)
        *out = json_integer_value(j);
    return true;
}

/* ---- Commands ---- */

static void command_done(void *arg, int err, const char *json_or_why)
{
    struct request *r = arg;

    if (err == 0) {
        struct sbuf line = {0};

        sbuf_addf(&line, "{\"id\":%s,\"ok\":%s}", r->id, json_or_why);
        conn_send(r->conn, &line);
    } else {
        conn_send_error(r->conn, r->id, err, json_or_why);
    }
    request_end(r);
}

static void reload(struct connection *conn, const char *id)
{
    const struct control_config *config = &conn->control->config;
    char *text = NULL;
    int err = config->reload ? config->reload(config->ctx, &text) : PD_ENOTSUP;

    command_done(request_begin(conn, id), err, text);
    free(text);
}

static void handle_command(struct connection *conn, const char *id, const json_t *request)
{
    const char *name = json_string_value(json_object_get(request, "cmd"));
    const json_t *args = json_object_get(request, "args");
    char *text;

    if (!name || (args && !json_is_object(args))) {
        conn_send_error(conn, id, PD_EINVAL, "\"cmd\" must be a text and \"args\" an object");
        return;
    }
    if (strcmp(name, "reload") == 0) {
        reload(conn, id);
        return;
    }
    text = args ? json_dumps(args, JSON_COMPACT) : xstrdup("{}");
    core_command(conn->control->config.core, name, text, conn->actor, command_done, request_begin(conn, id));
    free(text);
}

/* ---- Queries ---- */

static void query_done(void *arg, const struct query_page *page)
{
    struct request *r = arg;

    if (page->err == 0)
        conn_send_rows(r->conn, r->id, page->rows, page->next);
    else
        conn_send_error(r->conn, r->id, page->err, page->why);
    request_end(r);
}

static void clocks_done(void *arg, json_t *rows, int err, const char *why)
{
    struct request *r = arg;
    char *text = rows ? json_dumps(rows, JSON_COMPACT) : NULL;

    if (text)
        conn_send_rows(r->conn, r->id, text, 0);
    else
        conn_send_error(r->conn, r->id, err, why);
    free(text);
    json_decref(rows);
    request_end(r);
}

static bool answer_live(struct connection *conn, const char *id, const char *name, struct live_args *a)
{
    char *rows;

    if (!live_query(conn->control->config.core, name, a))
        return false;
    if (!a->rows) {
        conn_send_error(conn, id, a->err, a->why);
        free(a->why);
        return true;
    }
    rows = json_dumps(a->rows, JSON_COMPACT);
    json_decref(a->rows);
    conn_send_rows(conn, id, rows ? rows : "[]", a->next);
    free(rows);
    return true;
}

static void handle_query(struct connection *conn, const char *id, const json_t *request)
{
    const char *name = json_string_value(json_object_get(request, "query"));
    const json_t *filters = json_object_get(request, "filters");
    int64_t after = 0, limit = DEFAULT_LIMIT;
    struct query_args args;
    char *text;

    if (!name || (filters && !json_is_object(filters))) {
        conn_send_error(conn, id, PD_EINVAL, "\"query\" must be a text and \"filters\" an object");
        return;
    }
    if (!request_take_int(conn, id, request, "after", &after) || !request_take_int(conn, id, request, "limit", &limit))
        return;
    if (limit < 1 || limit > MAX_LIMIT) {
        conn_send_error(conn, id, PD_ERANGE, "\"limit\" must be from 1 to 5000");
        return;
    }
    if (strcmp(name, "clocks") == 0 && clocks_are_past(conn->control->config.core, filters)) {
        clocks_fetch(conn->control->config.core, filters, clocks_done, request_begin(conn, id));
        return;
    }
    if (answer_live(conn, id, name, &(struct live_args){.filters = filters, .after = after, .limit = (size_t)limit}))
        return;
    text = filters ? json_dumps(filters, JSON_COMPACT) : NULL;
    args = (struct query_args){.name = name, .filters = text, .after = after, .limit = (unsigned)limit};
    store_query(core_store(conn->control->config.core), &args, query_done, request_begin(conn, id));
    free(text);
}

/* ---- Requests ---- */

/* The request's id as JSON text, or NULL if it has none that we take. */
static char *id_text(const json_t *request)
{
    const json_t *id = json_object_get(request, "id");
    char *text = json_is_string(id) || json_is_integer(id) ? json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    if (text && strlen(text) > MAX_ID + 2) {
        free(text);
        text = NULL;
    }
    return text;
}

static void handle_request(struct connection *conn, const json_t *request)
{
    static const struct {
        const char *member;
        void (*handle)(struct connection *conn, const char *id, const json_t *request);
    } handlers[] = {{"cmd", handle_command}, {"query", handle_query}, {"tail", tail_begin}};
    char *id = id_text(request);

    if (!id) {
        conn_send_error(conn, NULL, PD_EINVAL,
                        "a request needs an \"id\": a whole number or a text of at most 64 bytes");
        return;
    }
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        if (json_object_get(request, handlers[i].member)) {
            handlers[i].handle(conn, id, request);
            free(id);
            return;
        }
    }
    conn_send_error(conn, id, PD_EINVAL, "a request has \"cmd\", \"query\" or \"tail\"");
    free(id);
}

/* Whether brackets stand deeper in each other than any request of ours. */
static bool too_deep(const char *line, size_t n)
{
    bool in_text = false;
    int depth = 0;

    for (size_t i = 0; i < n; i++) {
        if (in_text && line[i] == '\\')
            i++;
        else if (line[i] == '"')
            in_text = !in_text;
        else if (!in_text && (line[i] == '{' || line[i] == '['))
            depth++;
        else if (!in_text && (line[i] == '}' || line[i] == ']'))
            depth--;
        if (depth > MAX_DEPTH)
            return true;
    }
    return false;
}

void request_take_line(struct connection *conn, const char *line, size_t n)
{
    json_error_t error;
    json_t *request;

    if (too_deep(line, n)) {
        conn_send_error(conn, NULL, PD_EINVAL, "a request's JSON is at most 8 levels deep");
        return;
    }
    request = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(request)) {
        handle_request(conn, request);
    } else {
        char *why = request ? xstrdup("a request is a JSON object on one line")
                            : xasprintf("this is no JSON: %s (at byte %d)", error.text, error.position);

        conn_send_error(conn, NULL, PD_EINVAL, why);
        free(why);
    }
    json_decref(request);
}
