#include "notify/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "notify/args.h"

enum { MAX_FIELDS = 28 };

/* The text "PREFIX.CODE", or the code itself where there is none; codes come from data and may be new. */
static const char *code_text(enum lang lang, const char *prefix, const char *code)
{
    char id[80];
    const char *text;

    snprintf(id, sizeof id, "%s.%s", prefix, code);
    text = text_get(lang, id);
    return text == id || strcmp(text, id) == 0 ? code : text;
}

/* ---- An alert in words ---- */

/* Codes of members, comma separated, as their titles. */
static char *member_titles(enum lang lang, const struct members *members, const char *codes)
{
    char *copy = xstrdup(codes), *at = copy, *code;
    struct sbuf b = {0};

    while ((code = strsep(&at, ","))) {
        const struct member *m;

        code += strspn(code, " ");
        m = members_by_code(members, code);
        sbuf_addf(&b, "%s%s", b.n > 0 ? text_get(lang, "list.comma") : "", m ? member_title(m, lang) : code);
    }
    free(copy);
    return sbuf_take(&b);
}

static char *value_in_words(enum lang lang, const struct rule *r, const struct text_arg *arg)
{
    const struct point_def *p = r->kind ? kind_point(r->kind, arg->name) : NULL;

    if (p && p->members.list.n > 0)
        return member_titles(lang, &p->members, arg->value);
    return xstrdup(code_text(lang, "quality", arg->value));
}

static const char *component_name(const struct alert *a)
{
    return a->label && *a->label ? a->label : a->key ? a->key : "";
}

void notify_message(struct sbuf *out, enum lang lang, const struct rule *r, const struct device *d,
                    const struct alert *a)
{
    struct args args = {0};
    ARRAY(struct text_arg) list = {0};

    if (!r || !r->message[lang]) {
        sbuf_addf(out, "%s: %s", d ? d->name : "?", a->rule ? a->rule : a->family);
        return;
    }
    args_parse(&args, a->message_args ? a->message_args : "{}");
    array_push(&list, ((struct text_arg){"device", d ? d->name : "?"}));
    array_push(&list, ((struct text_arg){"component", component_name(a)}));
    for (size_t i = 0; i < args.list.n; i++)
        array_push(&list, ((struct text_arg){args.list.v[i].name, value_in_words(lang, r, &args.list.v[i])}));
    text_fill(out, r->message[lang], list.v, list.n);
    for (size_t i = 2; i < list.n; i++)
        free((char *)list.v[i].value);
    array_free(&list);
    args_fini(&args);
}

/* ---- Pieces ---- */

static char *time_text(const struct zone *z, int64_t ms)
{
    int32_t east = zone_offset_s(z, ms), minutes = (east < 0 ? -east : east) / 60;
    char local[20];

    zone_format(z, ms, local);
    return xasprintf("%s (%s, UTC%c%02d:%02d)", local, zone_name(z), east < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static char *duration_text(enum lang lang, int64_t ms)
{
    struct sbuf b = {0};

    text_duration(&b, lang, ms);
    return sbuf_take(&b);
}

/*
 * What people call the faulty component; NULL where that is the device itself or nothing but a row's number, and where
 * no fault opened the ticket: then its label is the code of a checklist's item, or the name of a plan.
 */
static const char *spoken_component(const struct ticket *t)
{
    const char *name = t->label && *t->label ? t->label : t->key;

    if (!t->family || str_eq(t->component_kind, DEVICE_KIND) || !name || name[strspn(name, "0123456789.")] == '\0')
        return NULL;
    return name;
}

/* What it is about: the rule's title or its own, with the component's name where the device has several. */
static char *fault_title(enum lang lang, const struct message_about *m)
{
    const struct ticket *t = m->notice.ticket;
    const char *title = m->rule && m->rule->title[lang] ? m->rule->title[lang]
                        : t->title                      ? t->title
                        : t->rule                       ? t->rule
                                                        : t->family;
    const char *component = spoken_component(t);
    struct sbuf b = {0};

    title = title ? title : "?";
    if (!component)
        return xstrdup(title);
    text_fill(&b, text_get(lang, "mail.fault"), (struct text_arg[]){{"fault", title}, {"component", component}}, 2);
    return sbuf_take(&b);
}

static const char *class_title(enum lang lang, const struct device *d)
{
    return d && d->device_class ? code_text(lang, "class", d->device_class) : text_get(lang, "class.device");
}

static const char *notice_name(enum notice what)
{
    switch (what) {
    case NOTICE_TICKET_OPENED:
        return "opened";
    case NOTICE_TICKET_GRAVER:
        return "graver";
    case NOTICE_FAULT_CLEARED:
        return "cleared";
    case NOTICE_FAULT_AGAIN:
        return "again";
    case NOTICE_PROMISE_WARNED:
        return "warned";
    case NOTICE_PROMISE_MISSED:
        return "missed";
    case NOTICE_PROMISE_ESCALATED:
        return "escalated";
    }
    return "";
}

/* What it befell: the device with its class, or the site. */
static char *where_text(enum lang lang, const struct message_about *m)
{
    const struct device *d = m->notice.device;

    if (!d)
        return xstrdup(m->notice.site ? m->notice.site : "");
    return xasprintf("%s %s", class_title(lang, d), d->name);
}

static const char *promise_title(enum lang lang, const struct message_about *m)
{
    return m->notice.nabout > 0 ? code_text(lang, "promise", promise_name(m->notice.promises[0].promise)) : "";
}

/* The deadline of the promise that it is about, as the local clock shows it; to the minute. */
static void deadline_text(const struct message_about *m, char out[static 20])
{
    out[0] = '\0';
    if (m->notice.nabout == 0)
        return;
    zone_format(m->notice.zone, m->notice.promises[0].reading.deadline_ms, out);
    out[strlen("2026-09-30 16:15")] = '\0';
}

void message_subject(struct sbuf *out, enum lang lang, const struct message_about *m)
{
    char *fault = fault_title(lang, m), *where = where_text(lang, m), deadline[20];
    const struct text_arg args[] = {
        {"severity", code_text(lang, "severity", severity_name(m->notice.ticket->severity))},
        {"where", where},
        {"fault", fault},
        {"number", m->notice.ticket->number},
        {"promise", promise_title(lang, m)},
        {"deadline", deadline},
    };

    deadline_text(m, deadline);
    text_fill(out, code_text(lang, "mail.subject", notice_name(m->notice.what)), args, sizeof args / sizeof args[0]);
    free(fault);
    free(where);
}

/* ---- The body: a lead, a table of fields, what to do ---- */

struct fields {
    enum lang lang;
    struct {
        const char *label;
        char *value;
    } v[MAX_FIELDS];
    size_t n;
};

/* Takes value; leaves out what is not known. */
static void field(struct fields *f, const char *id, char *value)
{
    if (!value || !*value || f->n == MAX_FIELDS) {
        free(value);
        return;
    }
    f->v[f->n].label = text_get(f->lang, id);
    f->v[f->n++].value = value;
}

/* An empty line between groups. */
static void field_gap(struct fields *f)
{
    if (f->n > 0 && f->n < MAX_FIELDS)
        f->v[f->n++].label = NULL;
}

static void fields_write(struct fields *f, struct sbuf *out)
{
    size_t width = 0;

    for (size_t i = 0; i < f->n; i++)
        if (f->v[i].label && str_width(f->v[i].label) > width)
            width = str_width(f->v[i].label);
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].label) {
            sbuf_add(out, f->v[i].label);
            for (size_t w = str_width(f->v[i].label); w < width + 2; w++)
                sbuf_addc(out, ' ');
            sbuf_add(out, f->v[i].value);
            free(f->v[i].value);
        }
        sbuf_addc(out, '\n');
    }
    sbuf_addc(out, '\n');
}

static char *two_words(const char *a, const char *b)
{
    if (!a || !b)
        return xstrdup_null(a ? a : b);
    return xasprintf("%s %s", a, b);
}

static void ticket_fields(struct fields *f, const struct message_about *m)
{
    const struct ticket *t = m->notice.ticket;
    int64_t opened = m->notice.alert ? m->notice.alert->opened_ms : t->opened_ms;
    int64_t closed = m->notice.what != NOTICE_FAULT_CLEARED              ? 0
                     : m->notice.alert && m->notice.alert->closed_ms > 0 ? m->notice.alert->closed_ms
                                                                         : m->now_ms;
    const struct text_arg number[] = {{"number", t->number},
                                      {"state", code_text(f->lang, "ticket-state", ticket_state_name(t->state))}};
    struct sbuf b = {0};

    text_fill(&b, text_get(f->lang, "mail.ticket"), number, 2);
    field(f, "mail.label.ticket", sbuf_take(&b));
    if (t->kind != TICKET_KIND_FAULT)
        field(f, "mail.label.kind", xstrdup(code_text(f->lang, "ticket-kind", ticket_kind_name(t->kind))));
    field(f, "mail.label.severity", xstrdup(code_text(f->lang, "severity", severity_name(t->severity))));
    field(f, "mail.label.since", time_text(m->notice.zone, opened));
    if (closed) {
        field(f, "mail.label.until", time_text(m->notice.zone, closed));
        field(f, "mail.label.lasted", duration_text(f->lang, closed - opened));
    }
    if (m->rule && !closed)
        field(f, "mail.label.party", xstrdup(code_text(f->lang, "party", party_name(m->rule->party))));
    if (t->category)
        field(f, "mail.label.category", xstrdup(code_text(f->lang, "category", t->category)));
    field(f, "mail.label.assignee", xstrdup_null(t->assignee));
    field(f, "mail.label.note", xstrdup_null(t->note));
}

/* ---- Promises ---- */

/* How a promise stands, in words: of the states, a clock that was missed may have stopped or still run. */
static const char *promise_words(const struct clock_reading *r, int64_t over_ms)
{
    if (r->state == CLOCK_PAUSED)
        return "mail.promise.paused";
    if (r->state == CLOCK_MET)
        return "mail.promise.kept";
    if (r->state == CLOCK_MISSED && r->stopped_ms != CLOCK_NEVER)
        return "mail.promise.broken";
    if (r->state == CLOCK_MISSED)
        return over_ms < 60000 ? "mail.promise.due" : "mail.promise.over";
    return "mail.promise.left";
}

static void promise_field(struct fields *f, const struct message_about *m, const struct ticket_promise *p)
{
    int64_t over = p->reading.elapsed_ms - p->goal_ms;
    char *deadline, *left, id[40];
    struct sbuf b = {0};

    if (p->reading.state == CLOCK_VOID || p->reading.state == CLOCK_NOT_STARTED)
        return;
    deadline = time_text(m->notice.zone, p->reading.deadline_ms);
    left = duration_text(f->lang, over < 0 ? -over : over);
    text_fill(&b, text_get(f->lang, promise_words(&p->reading, over)),
              (struct text_arg[]){{"deadline", deadline}, {"left", left}}, 2);
    snprintf(id, sizeof id, "promise.%s", promise_name(p->promise));
    field(f, id, sbuf_take(&b));
    free(deadline);
    free(left);
}

static void promise_fields(struct fields *f, const struct message_about *m)
{
    for (size_t i = 0; i < m->notice.npromises; i++)
        promise_field(f, m, &m->notice.promises[i]);
}

static void device_fields(struct fields *f, const struct message_about *m)
{
    const struct device *d = m->notice.device;

    if (!d) {
        field(f, "mail.label.site", xstrdup_null(m->notice.site));
        return;
    }
    field(f, "mail.label.site", xstrdup_null(d->site ? d->site : m->notice.site));
    field(f, "mail.label.device", two_words(class_title(f->lang, d), d->name));
    field(f, "mail.label.component", xstrdup_null(spoken_component(m->notice.ticket)));
    field(f, "mail.label.model", two_words(d->make, d->model));
    field(f, "mail.label.serial", xstrdup_null(d->serial));
    field(f, "mail.label.address", xstrdup_null(d->address));
    field(f, "mail.label.location", xstrdup_null(m->notice.location));
}

static void add_lead(struct sbuf *out, enum lang lang, const struct message_about *m)
{
    struct sbuf message = {0};

    if (m->notice.alert) {
        notify_message(&message, lang, m->rule, m->notice.device, m->notice.alert);
    } else {
        char *title = fault_title(lang, m);

        sbuf_add(&message, title);
        free(title);
    }
    text_fill(out, code_text(lang, "mail.lead", notice_name(m->notice.what)),
              (struct text_arg[]){{"message", message.s ? message.s : ""}, {"promise", promise_title(lang, m)}}, 2);
    sbuf_add(out, "\n\n");
    sbuf_free(&message);
}

/* What is to be done, or what became of the ticket. */
static void add_advice(struct sbuf *out, enum lang lang, const struct message_about *m)
{
    if (m->notice.what == NOTICE_FAULT_CLEARED) {
        sbuf_addf(out, "%s\n",
                  text_get(lang, m->notice.ticket->state == TICKET_CANCELLED ? "mail.ticket.cancelled"
                                                                             : "mail.ticket.stays"));
        return;
    }
    if (m->rule && m->rule->remedy[lang])
        sbuf_addf(out, "%s\n%s\n", text_get(lang, "mail.label.remedy"), m->rule->remedy[lang]);
}

void message_body(struct sbuf *out, enum lang lang, const struct message_about *m)
{
    struct fields f = {.lang = lang};

    add_lead(out, lang, m);
    if (m->notice.npromises > 0) {
        promise_fields(&f, m);
        field_gap(&f);
    }
    ticket_fields(&f, m);
    field_gap(&f);
    device_fields(&f, m);
    fields_write(&f, out);
    add_advice(out, lang, m);
}

/* ---- Rounds ---- */

static const char *round_notice_name(enum round_notice what)
{
    switch (what) {
    case NOTICE_ROUND_DUE:
        return "due";
    case NOTICE_ROUND_UNFINISHED:
        return "unfinished";
    case NOTICE_ROUND_OVERDUE:
        return "overdue";
    }
    return "";
}

static const char *round_title(enum lang lang, const struct round *r)
{
    const char *own = lang == LANG_ZH_CN ? r->title_zh_CN : r->title_en, *other = r->title_en ? r->title_en : r->plan;

    return own ? own : other;
}

void message_round_subject(struct sbuf *out, enum lang lang, const struct round_about *m)
{
    char id[24];
    const struct text_arg args[] = {{"round", id}, {"title", round_title(lang, m->round)}, {"site", m->round->site}};

    snprintf(id, sizeof id, "%lld", (long long)m->round->id);
    text_fill(out, code_text(lang, "mail.round.subject", round_notice_name(m->what)), args,
              sizeof args / sizeof args[0]);
}

void message_round_body(struct sbuf *out, enum lang lang, const struct round_about *m)
{
    const struct round *r = m->round;
    struct fields f = {.lang = lang};
    char done[16], all[16];
    struct sbuf visits = {0};

    sbuf_addf(out, "%s\n\n", code_text(lang, "mail.round.lead", round_notice_name(m->what)));
    snprintf(done, sizeof done, "%d", m->visits_done);
    snprintf(all, sizeof all, "%d", m->visits);
    text_fill(&visits, text_get(lang, "mail.round.visits"), (struct text_arg[]){{"done", done}, {"all", all}}, 2);
    field(&f, "mail.label.round", xasprintf("%lld %s", (long long)r->id, round_title(lang, r)));
    field(&f, "mail.label.site", xstrdup(r->site));
    field(&f, "mail.label.state", xstrdup(code_text(lang, "round-state", round_state_name(r->state))));
    field(&f, "mail.label.due", time_text(m->zone, r->due_ms));
    field(&f, "mail.label.deadline", time_text(m->zone, r->deadline_ms));
    field(&f, "mail.label.visits", sbuf_take(&visits));
    field(&f, "mail.label.technician", xstrdup_null(r->technician));
    fields_write(&f, out);
    sbuf_addf(out, "%s\n", text_get(lang, r->state == ROUND_REVIEW ? "mail.round.advice.sign" : "mail.round.advice"));
}

/* ---- The database ---- */

void message_store_subject(struct sbuf *out, enum lang lang)
{
    sbuf_add(out, text_get(lang, "mail.store.subject"));
}

void message_store_body(struct sbuf *out, enum lang lang, const struct zone *zone, int64_t from_ms, int64_t to_ms,
                        const char *why)
{
    struct fields f = {.lang = lang};

    sbuf_addf(out, "%s\n\n", text_get(lang, "mail.store.lead"));
    field(&f, "mail.label.since", time_text(zone, from_ms));
    field(&f, "mail.label.until", time_text(zone, to_ms));
    field(&f, "mail.label.lasted", duration_text(lang, to_ms - from_ms));
    field(&f, "mail.label.cause", xstrdup_null(why));
    fields_write(&f, out);
    sbuf_addf(out, "%s\n", text_get(lang, "mail.store.advice"));
}
