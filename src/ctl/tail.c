#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "ctl/client.h"
#include "ctl/ctl.h"

/*
 * Events as they are committed. A tail is a query with a cursor: when patrold
 * goes away it is asked again from the last event seen, so none is missed and
 * none told twice.
 */

enum { RETRY_S = 1, MAX_ARGS = 32 };

/* An event in words: the text of its kind, filled with its arguments; the bare kind where there is no text. */
static void in_words(struct ctl *t, json_t *event, struct sbuf *out)
{
    static const char *const codes[][2] = {{"severity", "severity"}, {"state", "ticket-state"}, {"reason", "reason"}};
    struct text_arg args[MAX_ARGS];
    char *numbers[MAX_ARGS] = {0};
    size_t n = 0;
    const char *name;
    json_t *value, *details = json_object_get(event, "args");

    args[n++] = (struct text_arg){"device", ctl_string(event, "device")};
    args[n++] = (struct text_arg){"ticket", ctl_string(event, "ticket")};
    args[n++] = (struct text_arg){"actor", ctl_string(event, "actor")};
    json_object_foreach(details, name, value)
    {
        const char *text = json_string_value(value);

        if (n == MAX_ARGS)
            break;
        if (!text)
            text = numbers[n] = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
            if (text && strcmp(codes[i][0], name) == 0)
                text = ctl_words(t, codes[i][1], text);
        args[n++] = (struct text_arg){name, text ? text : ""};
    }
    text_fill(out, ctl_words(t, "event", ctl_string(event, "kind")), args, n);
    for (size_t i = 0; i < n; i++)
        free(numbers[i]);
}

static void show_people(struct ctl *t, json_t *event)
{
    time_t s = (time_t)(json_integer_value(json_object_get(event, "at_ms")) / 1000);
    struct sbuf words = {0}, line = {0};
    char stamp[32] = "";
    struct tm tm;

    if (localtime_r(&s, &tm))
        strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &tm);
    in_words(t, event, &words);
    sbuf_addf(&line, "%s  %6" JSON_INTEGER_FORMAT "  ", stamp, json_integer_value(json_object_get(event, "number")));
    sbuf_add_visible(&line, words.s);
    puts(line.s);
    sbuf_free(&words);
    sbuf_free(&line);
}

static int show(struct ctl *t, json_t *event)
{
    if (t->format == VIEW_PEOPLE) {
        show_people(t, event);
    } else {
        json_dumpf(event, stdout, JSON_COMPACT);
        putchar('\n');
    }
    return fflush(stdout) == 0 ? 0 : PD_EIO;
}

/* Follows one connection to its end; *after moves on with each event. */
static int follow(struct ctl *t, json_t *filters, json_int_t *after)
{
    json_t *answer = ctl_ask(t, json_pack("{s:{s:I, s:O}}", "tail", "after", *after, "filters", filters));

    if (!answer)
        return PD_EINVAL;
    if (*after < 0)
        *after = json_integer_value(json_object_get(answer, "tail"));
    json_decref(answer);
    for (;;) {
        json_t *line, *event;
        int rc = client_next(t->client, &line);

        if (rc != 0)
            return rc;
        event = json_object_get(line, "event");
        if (event) {
            *after = json_integer_value(json_object_get(event, "number"));
            rc = show(t, event);
        }
        json_decref(line);
        if (rc != 0)
            return rc;
    }
}

/* Waits until patrold answers again. */
static void reconnect(struct ctl *t)
{
    client_close(t->client);
    t->client = NULL;
    while (client_open(t->socket, &t->client) != 0)
        nanosleep(&(struct timespec){.tv_sec = RETRY_S}, NULL);
}

int run_tail(struct ctl *t, const struct command *c, json_t *args)
{
    json_int_t after = -1;
    json_t *start = json_object_get(args, "after");
    int rc;

    (void)c;
    if (start)
        after = json_integer_value(start);
    json_object_del(args, "after");
    while ((rc = follow(t, args, &after)) == PD_ECONN) {
        fprintf(stderr, "patrolctl: %s\n", text_get(t->lang, "ctl.tail.lost"));
        reconnect(t);
    }
    return rc == PD_EINVAL ? EXIT_FAILED : ctl_fail("tail: %s", pd_strerror(rc));
}
