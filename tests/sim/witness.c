#include "witness.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "base/wire.h"

/* Places are kept as pointers, from 1: 0 is none. */
static void *as_place(size_t i)
{
    return (void *)(uintptr_t)(i + 1);
}

static size_t place(const void *p)
{
    return (size_t)(uintptr_t)p - 1;
}

void witness_init(struct witness *w, const struct story *story)
{
    *w = (struct witness){.story = story};
    w->by_alert = u64dict_new();
    w->open_ticket = u64dict_new();
    w->machine_of = u64dict_new();
    w->by_mail = dict_new();
    w->by_subject = dict_new();
}

void witness_fini(struct witness *w)
{
    for (size_t i = 0; i < w->alerts.n; i++) {
        struct alert_seen *a = &w->alerts.v[i];

        for (size_t k = 0; k < a->degrees.n; k++)
            free(a->degrees.v[k].rule);
        array_free(&a->degrees);
        free(a->family);
        free(a->component);
        free(a->ticket);
    }
    for (size_t i = 0; i < w->mails.n; i++) {
        free(w->mails.v[i].id);
        free(w->mails.v[i].to);
        free(w->mails.v[i].subject);
    }
    for (size_t i = 0; i < w->repeated.n; i++)
        free(w->repeated.v[i]);
    array_free(&w->alerts);
    array_free(&w->mails);
    array_free(&w->repeated);
    u64dict_free(w->by_alert);
    u64dict_free(w->open_ticket);
    u64dict_free(w->machine_of);
    dict_free(w->by_mail);
    dict_free(w->by_subject);
}

/* ---- Alerts ---- */

static struct alert_seen *alert_by_id(struct witness *w, int64_t id)
{
    const void *p = u64dict_get(w->by_alert, (uint64_t)id);

    return p != NULL ? &w->alerts.v[place(p)] : NULL;
}

static const char *text_of(const json_t *args, const char *name)
{
    const char *s = json_string_value(json_object_get(args, name));

    return s != NULL ? s : "";
}

static void add_degree(struct alert_seen *a, const char *rule, int64_t at_ms)
{
    struct degree_seen d = {.rule = xstrdup(rule), .at_ms = at_ms};

    array_push(&a->degrees, d);
}

static void opened(struct witness *w, int64_t device_id, int64_t alert_id, const json_t *args, int64_t at_ms)
{
    const void *machine = u64dict_get(w->machine_of, (uint64_t)device_id);
    struct alert_seen a = {
        .id = alert_id,
        .machine = machine != NULL ? (int)place(machine) : -1,
        .family = xstrdup(text_of(args, "family")),
        .component = xstrdup(text_of(args, "component")),
        .opened_ms = at_ms,
        .closed_ms = INT64_MAX,
        .suppressed = json_object_get(args, "suppressed_by") != NULL,
    };

    add_degree(&a, text_of(args, "rule"), at_ms);
    u64dict_put(w->by_alert, (uint64_t)alert_id, as_place(w->alerts.n));
    array_push(&w->alerts, a);
}

static void changed(struct witness *w, int64_t alert_id, const json_t *args, int64_t at_ms)
{
    struct alert_seen *a = alert_by_id(w, alert_id);

    if (a != NULL)
        add_degree(a, text_of(args, "rule"), at_ms);
}

/* It was suppressed, and is so no longer: told from now on. */
static void told(struct witness *w, int64_t alert_id, const json_t *args, int64_t at_ms)
{
    struct alert_seen *a = alert_by_id(w, alert_id);

    if (a == NULL)
        return;
    for (size_t i = 0; i < a->degrees.n; i++)
        free(a->degrees.v[i].rule);
    a->degrees.n = 0;
    add_degree(a, text_of(args, "rule"), at_ms);
    a->suppressed = false;
    a->opened_ms = at_ms;
}

static void closed(struct witness *w, int64_t alert_id, int64_t at_ms)
{
    struct alert_seen *a = alert_by_id(w, alert_id);

    if (a != NULL)
        a->closed_ms = at_ms;
}

/* ---- Tickets ---- */

static void ticket_opened(struct witness *w, int64_t alert_id, int64_t ticket_id, const json_t *args)
{
    struct alert_seen *a = alert_by_id(w, alert_id);
    bool again = false;

    w->tickets++;
    if (a == NULL)
        return;
    /* An open ticket of the same fault, of this alert or of one before. */
    for (size_t i = 0; i < w->alerts.n && !again; i++) {
        const struct alert_seen *b = &w->alerts.v[i];

        again = b->ticket_id != 0 && u64dict_get(w->open_ticket, (uint64_t)b->ticket_id) != NULL &&
                b->machine == a->machine && str_eq(b->family, a->family) && str_eq(b->component, a->component);
    }
    if (again)
        array_push(&w->repeated, xasprintf("a second ticket, %s, for one fault", text_of(args, "number")));
    a->tickets++;
    a->ticket_id = ticket_id;
    xstrset(&a->ticket, text_of(args, "number"));
    u64dict_put(w->open_ticket, (uint64_t)ticket_id, as_place(0));
}

/* The fault is back before its ticket ended: it is worked on by that one. */
static void ticket_again(struct witness *w, int64_t alert_id, int64_t ticket_id, const json_t *args)
{
    struct alert_seen *a = alert_by_id(w, alert_id);

    if (a == NULL || u64dict_get(w->open_ticket, (uint64_t)ticket_id) == NULL)
        return;
    a->tickets++;
    a->ticket_id = ticket_id;
    xstrset(&a->ticket, text_of(args, "number"));
}

static void ticket_moved(struct witness *w, int64_t ticket_id, const json_t *args)
{
    const char *to = text_of(args, "to");

    if (str_eq(to, "closed") || str_eq(to, "cancelled"))
        u64dict_del(w->open_ticket, (uint64_t)ticket_id);
}

/* ---- Events ---- */

static void mail_known(struct witness *w, const json_t *args)
{
    const void *p = dict_get(w->by_mail, text_of(args, "message_id"));

    if (p != NULL)
        w->mails.v[place(p)].known = true;
}

static void device_added(struct witness *w, int64_t device_id, const json_t *args)
{
    for (size_t i = 0; i < w->story->devices.n; i++)
        if (str_eq(w->story->devices.v[i].name, text_of(args, "name")))
            u64dict_put(w->machine_of, (uint64_t)device_id, as_place(i));
}

uint32_t witness_digest(uint32_t digest, int64_t number, const char *kind, const char *args)
{
    digest = wire_crc32c(digest, &number, sizeof number);
    digest = wire_crc32c(digest, kind, strlen(kind) + 1);
    return wire_crc32c(digest, args, strlen(args) + 1);
}

void witness_event(struct witness *w, int64_t number, const char *kind, int64_t device_id, int64_t alert_id,
                   int64_t ticket_id, const char *args_text, int64_t at_ms)
{
    json_t *args;

    if (number <= w->last_event)
        return;
    w->last_event = number;
    w->digest = witness_digest(w->digest, number, kind, args_text);
    w->events++;
    args = json_loads(args_text, 0, NULL);
    if (str_eq(kind, "device.added"))
        device_added(w, device_id, args);
    else if (str_eq(kind, "alert.opened"))
        opened(w, device_id, alert_id, args, at_ms);
    else if (str_eq(kind, "alert.told"))
        told(w, alert_id, args, at_ms);
    else if (str_eq(kind, "alert.changed"))
        changed(w, alert_id, args, at_ms);
    else if (str_eq(kind, "alert.closed"))
        closed(w, alert_id, at_ms);
    else if (str_eq(kind, "ticket.opened"))
        ticket_opened(w, alert_id, ticket_id, args);
    else if (str_eq(kind, "ticket.fault-again"))
        ticket_again(w, alert_id, ticket_id, args);
    else if (str_eq(kind, "mail.sent"))
        mail_known(w, args);
    else if (str_starts(kind, "ticket."))
        ticket_moved(w, ticket_id, args);
    json_decref(args);
    if (w->heard != NULL) {
        const void *machine = u64dict_get(w->machine_of, (uint64_t)device_id);

        w->heard(w->ctx, kind, machine != NULL ? (int)place(machine) : -1, ticket_id, args_text);
    }
}

/* ---- Mails ---- */

/* Whose ticket the subject names. */
static void credit(struct witness *w, const char *subject)
{
    for (size_t i = w->alerts.n; i-- > 0;) {
        if (w->alerts.v[i].ticket == NULL || strstr(subject, w->alerts.v[i].ticket) == NULL)
            continue;
        w->alerts.v[i].mails++;
        return;
    }
}

/* How often the fault of the ticket that a subject names came; at least once. */
static size_t occurrences(const struct witness *w, const char *subject)
{
    size_t n = 0;

    for (size_t i = 0; i < w->alerts.n; i++)
        n += w->alerts.v[i].ticket != NULL && strstr(subject, w->alerts.v[i].ticket) != NULL;
    return n > 0 ? n : 1;
}

/* The subject names the ticket and what there is to tell of it, so it comes once, or once each time that the fault does. */
static void count_subject(struct witness *w, const char *to, const char *subject)
{
    char *key = xasprintf("%s %s", to, subject);
    const void *before = dict_get(w->by_subject, key);
    size_t times = before != NULL ? place(before) + 1 : 1;

    if (times > occurrences(w, subject))
        array_push(&w->repeated, xasprintf("the mail '%s' again, under another Message-ID", subject));
    dict_put(w->by_subject, key, as_place(times));
    free(key);
}

void witness_mail(struct witness *w, const char *id, const char *to, const char *subject, int64_t at_ms)
{
    const void *p = dict_get(w->by_mail, id);
    struct mail_seen m = {.times = 1, .at_ms = at_ms};

    if (p != NULL) {
        if (w->mails.v[place(p)].times++ > 0)
            array_push(&w->repeated, xasprintf("the mail '%s' again, as %s", subject, id));
        return;
    }
    m.id = xstrdup(id);
    m.to = xstrdup(to);
    m.subject = xstrdup(subject);
    count_subject(w, to, subject);
    dict_put(w->by_mail, id, as_place(w->mails.n));
    credit(w, subject);
    array_push(&w->mails, m);
}

void witness_killed(struct witness *w)
{
    for (size_t i = 0; i < w->mails.n; i++)
        if (!w->mails.v[i].known)
            w->mails.v[i].times = 0;
}
