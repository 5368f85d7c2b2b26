#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"
#include "daemon/reports.h"

enum { MAX_ARGS = 9, MAX_TEXT = 1000 };

enum arg_type {
    ARG_TEXT,
    ARG_INT,
    ARG_BOOL, /* true or false, as 1 or 0 */
    ARG_REF,  /* a name, a number in digits or an integer: given on as text */
};

/* One argument of a command, and where its value goes. */
struct arg_def {
    const char *name;
    enum arg_type type;
    bool required;
};

/* The checked values of a command's arguments, in the order of its table; texts NULL where not given. */
struct arg_value {
    char *text;
    int64_t i;
};

struct command {
    const char *name;
    /* 0: the request was answered or will be; else an error, *why (owned by the caller) or NULL. */
    int (*run)(struct order *o, const struct arg_value *args, char **why);
    struct arg_def args[MAX_ARGS];
};

/* ---- Orders ---- */

void order_end(struct order *o, int err, const char *json_or_why)
{
    struct core *c = o->core;

    for (size_t i = 0; i < c->orders.n; i++) {
        if (c->orders.v[i] == o) {
            array_remove(&c->orders, i);
            break;
        }
    }
    if (o->done)
        o->done(o->arg, err, json_or_why);
    free(o->actor);
    free(o->answer);
    free(o);
}

/* The change is on disk. */
static void order_stored(void *arg)
{
    struct order *o = arg;

    order_end(o, 0, o->answer);
}

void order_lost(void *ctx, void *arg)
{
    (void)ctx;
    if (arg)
        order_end(arg, PD_EIO, "the database refused it: see the log");
}

/* The request stays, silent, until its commit. */
void orders_answer_decided(struct core *c, int err, const char *why)
{
    for (size_t i = 0; i < c->orders.n; i++) {
        struct order *o = c->orders.v[i];
        void (*done)(void *arg, int err, const char *json_or_why) = o->done;

        if (!o->decided)
            continue;
        o->done = NULL;
        if (done)
            done(o->arg, err, why);
    }
}

void orders_free(struct core *c)
{
    while (c->orders.n > 0)
        order_end(c->orders.v[c->orders.n - 1], PD_ECANCELLED, "patrold is stopping");
    array_free(&c->orders);
}

int order_submit(struct order *o, struct change *change, char *answer)
{
    o->answer = answer;
    o->decided = true;
    core_submit(o->core, change, true, order_stored, o);
    return 0;
}

/* ---- Names ---- */

struct names {
    ARRAY(const char *) list;
};

static void collect_name(void *ctx, const struct device *d)
{
    struct names *names = ctx;

    array_push(&names->list, d->name);
}

static char *no_device(struct core *c, const char *ref)
{
    struct names names = {0};
    const char *near;
    char *why;

    watch_devices(c->watch, collect_name, &names);
    array_push(&names.list, NULL);
    near = str_nearest(ref, names.list.v);
    why = near ? xasprintf("there is no device '%s' (did you mean '%s'?)", ref, near)
               : xasprintf("there is no device '%s'", ref);
    array_free(&names.list);
    return why;
}

const struct device *core_find_device(struct core *c, const char *ref, char **why)
{
    const struct device *d = watch_device_named(c->watch, ref);
    int64_t id;

    if (!d && str_to_i64(ref, &id) == 0)
        d = watch_device(c->watch, id);
    if (!d || d->retired) {
        *why = no_device(c, ref);
        return NULL;
    }
    return d;
}

/* ---- Devices ---- */

static int device_remove(struct order *o, const struct arg_value *args, char **why)
{
    const struct device *d = core_find_device(o->core, args[0].text, why);
    struct change *change;
    int64_t id;
    int rc;

    if (!d)
        return PD_ENOENT;
    id = d->id;
    change = change_new();
    rc = watch_device_remove(o->core->watch, id, o->actor, change, why);
    if (rc < 0) {
        change_free(change);
        return rc;
    }
    return order_submit(o, change, xasprintf("{\"device\":%" PRId64 "}", id));
}

/* What watch made of a command goes to the store; answer: what is told then. Takes both. */
static int submit_or_refuse(struct order *o, struct change *change, int rc, char *answer)
{
    if (rc == 0)
        return order_submit(o, change, answer);
    change_free(change);
    free(answer);
    return rc;
}

static int device_confirm(struct order *o, const struct arg_value *args, char **why)
{
    const struct device *d = core_find_device(o->core, args[0].text, why);
    bool swapped = str_eq(args[1].text, "swapped");
    struct change *change;
    int64_t id;

    if (!d)
        return PD_ENOENT;
    if (!swapped && !str_eq(args[1].text, "same")) {
        *why = xasprintf("the answer is 'swapped' or 'same', not '%s'", args[1].text);
        return PD_EINVAL;
    }
    id = d->id;
    change = change_new();
    return submit_or_refuse(o, change, watch_device_confirm(o->core->watch, id, swapped, o->actor, change, why),
                            xasprintf("{\"device\":%" PRId64 "}", id));
}

static int device_merge(struct order *o, const struct arg_value *args, char **why)
{
    const struct device *keep = core_find_device(o->core, args[0].text, why);
    const struct device *gone = keep ? core_find_device(o->core, args[1].text, why) : NULL;
    struct change *change;
    int64_t id;

    if (!gone)
        return PD_ENOENT;
    id = keep->id;
    change = change_new();
    return submit_or_refuse(o, change, watch_device_merge(o->core->watch, id, gone->id, o->actor, change, why),
                            xasprintf("{\"device\":%" PRId64 "}", id));
}

static int device_split(struct order *o, const struct arg_value *args, char **why)
{
    struct change *change = change_new();
    int64_t id = 0;
    int rc = watch_device_split(o->core->watch, args[0].text, o->actor, change, &id, why);

    return submit_or_refuse(o, change, rc, xasprintf("{\"device\":%" PRId64 "}", id));
}

const char *read_status_name(enum pd_read_status s)
{
    switch (s) {
    case PD_READ_DONE:
        return "done";
    case PD_READ_PARTIAL:
        return "partial";
    case PD_READ_NOANSWER:
        return "no-answer";
    case PD_READ_REFUSED:
        return "refused";
    case PD_READ_BROKEN:
        return "broken";
    case PD_READ_CANCELLED:
        return "cancelled";
    }
    return "?";
}

static void polled(void *arg, const struct pd_read_result *result)
{
    struct order *o = arg;
    struct sbuf b = {0};

    if (result->status == PD_READ_CANCELLED) {
        order_end(o, PD_ECANCELLED, "the poll was cancelled: the device was removed, or patrold is stopping");
        return;
    }
    sbuf_addf(&b, "{%s,\"status\":\"%s\",\"rtt_ms\":%d,\"detail\":", o->answer, read_status_name(result->status),
              result->rtt_ms);
    sbuf_add_json(&b, result->detail);
    sbuf_addc(&b, '}');
    order_end(o, 0, b.s);
    sbuf_free(&b);
}

static int device_poll(struct order *o, const struct arg_value *args, char **why)
{
    const struct device *d = core_find_device(o->core, args[0].text, why);

    if (!d)
        return PD_ENOENT;
    o->answer = xasprintf("\"device\":%" PRId64, d->id);
    return watch_device_poll(o->core->watch, d->id, polled, o);
}

/* ---- Alerts and tickets ---- */

static int alert_ack(struct order *o, const struct arg_value *args, char **why)
{
    struct change *change = change_new();
    int rc = watch_alert_ack(o->core->watch, args[0].i, o->actor, change);

    if (rc == PD_ENOENT)
        *why = xasprintf("there is no open alert %" PRId64, args[0].i);
    else if (rc == PD_ESTATE)
        *why = xasprintf("alert %" PRId64 " is acknowledged already", args[0].i);
    if (rc < 0) {
        change_free(change);
        return rc;
    }
    return order_submit(o, change, xasprintf("{\"alert\":%" PRId64 "}", args[0].i));
}

enum { TICKET_REF, TICKET_NOTE, TICKET_ASSIGNEE };

int order_ticket_verb(struct order *o, enum ticket_verb verb, int64_t id, const char *assignee, const char *note,
                      char **why)
{
    struct change *change = change_new();
    struct sbuf answer = {0};
    int rc = desk_ticket_verb(o->core->desk, id, verb, assignee, note, o->actor, change, why);

    if (rc < 0) {
        change_free(change);
        return rc;
    }
    for (size_t i = 0; i < change->rows.n; i++) {
        if (change->rows.v[i].kind == ROW_TICKET) {
            sbuf_addf(&answer, "{\"ticket\":%" PRId64 ",\"number\":", id);
            sbuf_add_json(&answer, change->rows.v[i].ticket.number);
            sbuf_addf(&answer, ",\"state\":\"%s\"}", ticket_state_name(change->rows.v[i].ticket.state));
        }
    }
    return order_submit(o, change, sbuf_take(&answer));
}

static int ticket_move(struct order *o, enum ticket_verb verb, const struct arg_value *args, char **why)
{
    const char *ref = args[TICKET_REF].text;
    int64_t id = desk_ticket_by_number(o->core->desk, ref);

    if (id == 0 && str_to_i64(ref, &id) < 0)
        id = 0;
    if (id != 0 && desk_ticket(o->core->desk, id))
        return order_ticket_verb(o, verb, id, args[TICKET_ASSIGNEE].text, args[TICKET_NOTE].text, why);
    if (verb == TICKET_REOPEN) {
        ticket_reopen(o, ref, args[TICKET_NOTE].text);
        return 0;
    }
    *why = xasprintf("there is no open ticket '%s'", ref);
    return PD_ENOENT;
}

enum { OPEN_TITLE, OPEN_KIND, OPEN_DEVICE, OPEN_SITE, OPEN_SEVERITY, OPEN_CATEGORY, OPEN_NOTE };

static int open_ticket(struct order *o, const struct arg_value *args, char **why)
{
    const struct ticket_report report = {
        .title = args[OPEN_TITLE].text,
        .kind = args[OPEN_KIND].text,
        .device = args[OPEN_DEVICE].text,
        .site = args[OPEN_SITE].text,
        .severity = args[OPEN_SEVERITY].text,
        .category = args[OPEN_CATEGORY].text,
        .note = args[OPEN_NOTE].text,
    };

    return ticket_open(o, &report, why);
}

/* ---- Messages ---- */

static int outbox_retry(struct order *o, const struct arg_value *args, char **why)
{
    (void)why;
    outbox_change(o, args[0].i, true);
    return 0;
}

static int outbox_drop(struct order *o, const struct arg_value *args, char **why)
{
    (void)why;
    outbox_change(o, args[0].i, false);
    return 0;
}

static int make_report(struct order *o, const struct arg_value *args, char **why)
{
    return report_make(o, args[0].text, args[1].text, args[2].i != 0, why);
}

/* ---- The table, and checking against it ---- */

static const struct command commands[] = {
    {"device.remove", device_remove, {{"device", ARG_REF, true}}},
    {"device.poll", device_poll, {{"device", ARG_REF, true}}},
    {"device.confirm", device_confirm, {{"device", ARG_REF, true}, {"answer", ARG_TEXT, true}}},
    {"device.merge", device_merge, {{"device", ARG_REF, true}, {"gone", ARG_REF, true}}},
    {"device.split", device_split, {{"device", ARG_TEXT, true}}},
    {"alert.ack", alert_ack, {{"alert", ARG_INT, true}}},
    {"ticket.open",
     open_ticket,
     {[OPEN_TITLE] = {"title", ARG_TEXT, true},
      [OPEN_KIND] = {"kind", ARG_TEXT, false},
      [OPEN_DEVICE] = {"device", ARG_REF, false},
      [OPEN_SITE] = {"site", ARG_REF, false},
      [OPEN_SEVERITY] = {"severity", ARG_TEXT, false},
      [OPEN_CATEGORY] = {"category", ARG_TEXT, false},
      [OPEN_NOTE] = {"note", ARG_TEXT, false}}},
    {"report.make", make_report, {{"of", ARG_TEXT, true}, {"month", ARG_TEXT, true}, {"mail", ARG_BOOL, false}}},
    {"outbox.retry", outbox_retry, {{"message", ARG_INT, true}}},
    {"outbox.drop", outbox_drop, {{"message", ARG_INT, true}}},
};

/* What every "ticket.VERB" takes; desk says which verb takes an assignee. */
static const struct arg_def ticket_args[MAX_ARGS] = {
    [TICKET_REF] = {"ticket", ARG_REF, true},
    [TICKET_NOTE] = {"note", ARG_TEXT, false},
    [TICKET_ASSIGNEE] = {"assignee", ARG_TEXT, false},
};

/* Text from outside is kept in the database and shown to people: short and without control characters. */
static int take_text(const struct arg_def *def, const char *s, size_t n, char **out, char **why)
{
    char *clean = str_clean(s, n, MAX_TEXT);

    if (n > MAX_TEXT)
        *why = xasprintf("%s is too long: at most %d bytes", def->name, MAX_TEXT);
    else if (strlen(clean) != n || memcmp(clean, s, n) != 0)
        *why = xasprintf("%s has control characters, or spaces at an end", def->name);
    else if (n == 0 && def->required)
        *why = xasprintf("%s is empty", def->name);
    else {
        *out = n > 0 ? clean : NULL;
        if (n == 0)
            free(clean);
        return 0;
    }
    free(clean);
    return PD_EINVAL;
}

static int take_arg(const struct arg_def *def, const json_t *value, struct arg_value *out, char **why)
{
    static const char *const wanted[] = {[ARG_TEXT] = "a text",
                                         [ARG_INT] = "a whole number",
                                         [ARG_BOOL] = "true or false",
                                         [ARG_REF] = "a text or a whole number"};

    if (json_is_boolean(value) && def->type == ARG_BOOL) {
        out->i = json_is_true(value);
        return 0;
    }
    if (json_is_integer(value) && (def->type == ARG_INT || def->type == ARG_REF)) {
        out->i = json_integer_value(value);
        if (def->type == ARG_REF)
            out->text = xasprintf("%" PRId64, out->i);
        return 0;
    }
    if (json_is_string(value) && (def->type == ARG_TEXT || def->type == ARG_REF))
        return take_text(def, json_string_value(value), json_string_length(value), &out->text, why);
    *why = xasprintf("%s wants %s", def->name, wanted[def->type]);
    return PD_EINVAL;
}

static size_t count_args(const struct arg_def *defs, const char *names[static MAX_ARGS + 1])
{
    size_t n = 0;

    while (n < MAX_ARGS && defs[n].name) {
        names[n] = defs[n].name;
        n++;
    }
    names[n] = NULL;
    return n;
}

static char *unknown_arg(const char *name, const char *const *names)
{
    const char *near = str_nearest(name, names);
    struct sbuf b = {0};

    sbuf_add(&b, "unknown argument '");
    sbuf_add_visible(&b, name);
    sbuf_add(&b, "'");
    if (near)
        sbuf_addf(&b, " (did you mean '%s'?)", near);
    return sbuf_take(&b);
}

/* Checks an object against the table: nothing unknown, nothing missing, everything of its type. */
static int take_args(const struct arg_def *defs, json_t *args, struct arg_value *out, char **why)
{
    const char *names[MAX_ARGS + 1];
    size_t n = count_args(defs, names);
    const char *name;
    json_t *value;
    int rc = 0;

    json_object_foreach(args, name, value)
    {
        size_t i = 0;

        while (i < n && strcmp(names[i], name) != 0)
            i++;
        if (i == n) {
            *why = unknown_arg(name, names);
            return PD_EINVAL;
        }
        if (!json_is_null(value))
            rc = take_arg(&defs[i], value, &out[i], why);
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < n; i++) {
        value = json_object_get(args, names[i]);
        if (defs[i].required && (!value || json_is_null(value))) {
            *why = xasprintf("'%s' is missing", names[i]);
            return PD_EINVAL;
        }
    }
    return 0;
}

/* The names of all commands, made for a message. */
struct command_names {
    ARRAY(char *) list;
};

static void add_name(void *ctx, const char *noun, const char *verb)
{
    struct command_names *names = ctx;

    array_push(&names->list, xasprintf("%s.%s", noun, verb));
}

static char *unknown_command(const char *name)
{
    struct command_names names = {0};
    struct sbuf why = {0};
    const char *near;

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        array_push(&names.list, xstrdup(commands[i].name));
    for (int v = 0; v < TICKET_VERB_COUNT; v++)
        add_name(&names, "ticket", ticket_verb_name((enum ticket_verb)v));
    archive_commands(add_name, &names);
    patrol_commands(add_name, &names);
    add_name(&names, "device", "read");
    array_push(&names.list, NULL);
    near = str_nearest(name, (const char *const *)names.list.v);
    sbuf_add(&why, "unknown command '");
    sbuf_add_visible(&why, name);
    sbuf_addf(&why, near ? "' (did you mean '%s'?)" : "'", near);
    for (size_t i = 0; i < names.list.n; i++)
        free(names.list.v[i]);
    array_free(&names.list);
    return sbuf_take(&why);
}

static int run_command(struct order *o, const char *name, json_t *args, char **why)
{
    struct arg_value values[MAX_ARGS] = {0};
    const struct command *cmd = NULL;
    const struct arg_def *defs = ticket_args;
    enum ticket_verb verb = TICKET_ACCEPT;
    int rc;

    if (archive_command(o, name, args, &rc, why) || patrol_command(o, name, args, &rc, why) ||
        probe_command(o, name, args, &rc, why))
        return rc;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            cmd = &commands[i];
    if (cmd)
        defs = cmd->args;
    else if (!str_starts(name, "ticket.") || ticket_verb_parse(name + strlen("ticket."), &verb) < 0) {
        *why = unknown_command(name);
        return PD_EINVAL;
    }
    rc = take_args(defs, args, values, why);
    if (rc == 0)
        rc = cmd ? cmd->run(o, values, why) : ticket_move(o, verb, values, why);
    for (size_t i = 0; i < MAX_ARGS; i++)
        free(values[i].text);
    return rc;
}

void core_command(struct core *c, const char *name, const char *args, const char *actor,
                  void (*done)(void *arg, int err, const char *json_or_why), void *arg)
{
    json_t *object = json_loads(args ? args : "{}", JSON_REJECT_DUPLICATES, NULL);
    struct order *o;
    char *why = NULL;
    int rc;

    rc = trouble_refuses(c, &why);
    if (rc < 0) {
        done(arg, rc, why);
    } else if (!json_is_object(object)) {
        done(arg, PD_EINVAL, "the arguments are no JSON object");
    } else {
        o = xcalloc(1, sizeof *o);
        o->core = c;
        o->done = done;
        o->arg = arg;
        o->actor = xstrdup_null(actor);
        array_push(&c->orders, o);
        rc = run_command(o, name, object, &why);
        if (rc < 0)
            order_end(o, rc, why ? why : pd_strerror(rc));
    }
    free(why);
    json_decref(object);
}
