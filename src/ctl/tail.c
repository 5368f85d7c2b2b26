#include <string.h>
#include <time.h>

#include "base/err.h"
#include "ctl/client.h"
#include "ctl/sheet.h"

/*
 * Events as they are committed. A tail is a query with a cursor: when patrold
 * goes away it is asked again from the last event seen, so none is missed and
 * none told twice.
 */

enum { RETRY_MS = 500 };

struct tail {
    struct ctl *t;
    json_t *filters;
    json_int_t after;    /* the last event seen; -1: begin with what happens from now on */
    struct sheet *sheet; /* of CSV */
};

static const struct ctl_column csv_columns[] = {
    {.name = "number", .type = VIEW_INT},
    {.name = "at", .type = VIEW_TIME},
    {.name = "kind", .title = "ctl.col.what", .type = VIEW_CODE},
    {.name = "device"},
    {.name = "ticket"},
    {.name = "actor"},
    {.name = "text"},
    {0},
};

static void show_people(struct ctl *t, const json_t *event)
{
    struct sbuf words = {0}, line = {0};

    event_words(t, event, &words);
    ctl_local_time(json_integer_value(json_object_get(event, "at_ms")), false, &line);
    sbuf_addf(&line, "  %6" JSON_INTEGER_FORMAT "  ", json_integer_value(json_object_get(event, "number")));
    sbuf_add_visible(&line, words.s);
    fprintf(t->out, "%s\n", line.s);
    sbuf_free(&words);
    sbuf_free(&line);
}

static void show_csv(struct tail *tail, json_t *event)
{
    struct sbuf words = {0};

    event_words(tail->t, event, &words);
    json_object_set_new(event, "text", json_string(words.s));
    sheet_row(tail->sheet, event);
    sbuf_free(&words);
}

static int show(struct tail *tail, json_t *event)
{
    struct ctl *t = tail->t;

    if (t->format == VIEW_PEOPLE) {
        show_people(t, event);
    } else if (t->format == VIEW_CSV) {
        show_csv(tail, event);
    } else {
        json_dumpf(event, t->out, JSON_COMPACT);
        fputc('\n', t->out);
    }
    return fflush(t->out) == 0 && !ferror(t->out) ? 0 : PD_EIO;
}

/* One line from patrold; what is refused ends the tail. */
static int take_line(struct tail *tail, json_t *line)
{
    json_t *event = json_object_get(line, "event"), *begin = json_object_get(line, "tail");

    if (json_object_get(line, "error")) {
        ctl_refused(tail->t, json_object_get(line, "error"));
        return PD_EINVAL;
    }
    if (begin && tail->after < 0)
        tail->after = json_integer_value(begin);
    if (!event || json_integer_value(json_object_get(event, "number")) <= tail->after)
        return 0;
    tail->after = json_integer_value(json_object_get(event, "number"));
    return show(tail, event);
}

/* Follows one connection to its end. */
static int follow(struct tail *tail)
{
    json_t *request = json_pack("{s:{s:I, s:O}}", "tail", "after", tail->after, "filters", tail->filters), *line;
    int rc = client_ask(tail->t->client, request, &line);

    while (rc == 0) {
        rc = take_line(tail, line);
        json_decref(line);
        if (rc == 0)
            rc = client_next(tail->t->client, fileno(tail->t->out), &line);
    }
    return rc;
}

/* Waits until patrold answers again. */
static void reconnect(struct ctl *t)
{
    client_close(t->client);
    t->client = NULL;
    ctl_fail_text(t, "ctl.tail.lost", (struct text_arg[]){{0}});
    while (client_open(t->socket, &t->client) != 0)
        nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
}

/* The cursor that has so many events after it, of whatever kind. */
static int last_events(struct tail *tail, json_int_t n)
{
    json_t *none = json_object(), *status = ctl_row(tail->t, "status", none, "status");
    json_int_t last = json_integer_value(json_object_get(status, "last_event"));

    json_decref(none);
    if (!status)
        return EXIT_FAILED;
    tail->after = last > n ? last - n : 0;
    json_decref(status);
    return EXIT_DONE;
}

/* Where to begin: taken out of args, which are the filters then. An exit code. */
static int begin(struct tail *tail, json_t *args)
{
    json_t *after = json_object_get(args, "after"), *last = json_object_get(args, "last");
    int code = EXIT_DONE;

    tail->after = after ? json_integer_value(after) : -1;
    if (last)
        code = last_events(tail, json_integer_value(last));
    json_object_del(args, "after");
    json_object_del(args, "last");
    return code;
}

int run_tail(struct ctl *t, const struct command *c, json_t *args)
{
    struct tail tail = {.t = t, .filters = args};
    int rc;

    (void)c;
    if (begin(&tail, args) != EXIT_DONE || ctl_connect(t) != 0)
        return EXIT_FAILED;
    if (t->format != VIEW_JSON)
        ctl_know_words(t);
    if (t->format == VIEW_CSV) {
        tail.sheet = sheet_open(t);
        sheet_table(tail.sheet, NULL, NULL, csv_columns);
    }
    while ((rc = follow(&tail)) == PD_ECONN)
        reconnect(t);
    if (tail.sheet)
        sheet_close(tail.sheet);
    if (rc == PD_ECANCELLED) /* as of `tail | head`: nobody reads on */
        return EXIT_DONE;
    if (rc == PD_EINVAL)
        return EXIT_FAILED;
    return ctl_fail_text(t, rc == PD_EIO ? "ctl.error.output" : "ctl.error.no-answer",
                         (struct text_arg[]){{"why", pd_strerror(rc)}, {0}});
}
