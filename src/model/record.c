#include "model/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/patrol.h"
#include "base/str.h"

/* ---- Texts of a record, by their places in its struct ---- */

static char **text_at(void *record, size_t offset)
{
    return (char **)((char *)record + offset);
}

/* After a plain struct copy: gives the record texts of its own. */
static void texts_own(void *record, const size_t *offsets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char **text = text_at(record, offsets[i]);

        *text = xstrdup_null(*text);
    }
}

static void texts_free(void *record, const size_t *offsets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(*text_at(record, offsets[i]));
}

/* NAME_copy() and NAME_fini() of a record whose texts stand at the given offsets. */
#define RECORD(name, ...)                                                                                              \
    static const size_t name##_texts[] = {__VA_ARGS__};                                                                \
    void name##_copy(struct name *dst, const struct name *src)                                                         \
    {                                                                                                                  \
        *dst = *src;                                                                                                   \
        texts_own(dst, name##_texts, sizeof name##_texts / sizeof *name##_texts);                                      \
    }                                                                                                                  \
    void name##_fini(struct name *record)                                                                              \
    {                                                                                                                  \
        texts_free(record, name##_texts, sizeof name##_texts / sizeof *name##_texts);                                  \
        memset(record, 0, sizeof *record);                                                                             \
    }

RECORD(device, offsetof(struct device, name), offsetof(struct device, address), offsetof(struct device, collector),
       offsetof(struct device, credential), offsetof(struct device, profile_wish), offsetof(struct device, site),
       offsetof(struct device, labels), offsetof(struct device, parent), offsetof(struct device, status),
       offsetof(struct device, location), offsetof(struct device, asset), offsetof(struct device, profile),
       offsetof(struct device, device_class), offsetof(struct device, make), offsetof(struct device, model),
       offsetof(struct device, serial), offsetof(struct device, firmware), offsetof(struct device, mac),
       offsetof(struct device, engine_id), offsetof(struct device, identity), offsetof(struct device, claims),
       offsetof(struct device, moved_from), offsetof(struct device, twin))

RECORD(component, offsetof(struct component, kind), offsetof(struct component, key), offsetof(struct component, label))

RECORD(alert, offsetof(struct alert, family), offsetof(struct alert, kind), offsetof(struct alert, key),
       offsetof(struct alert, label), offsetof(struct alert, rule), offsetof(struct alert, acked_by),
       offsetof(struct alert, message_args))

RECORD(hold_record, offsetof(struct hold_record, kind), offsetof(struct hold_record, key),
       offsetof(struct hold_record, rule))

RECORD(ticket, offsetof(struct ticket, number), offsetof(struct ticket, family),
       offsetof(struct ticket, component_kind), offsetof(struct ticket, key), offsetof(struct ticket, label),
       offsetof(struct ticket, rule), offsetof(struct ticket, category), offsetof(struct ticket, title),
       offsetof(struct ticket, origin), offsetof(struct ticket, site), offsetof(struct ticket, assignee),
       offsetof(struct ticket, note), offsetof(struct ticket, told))

RECORD(outbox, offsetof(struct outbox, channel), offsetof(struct outbox, message_id), offsetof(struct outbox, sender),
       offsetof(struct outbox, recipient), offsetof(struct outbox, subject), offsetof(struct outbox, body),
       offsetof(struct outbox, attachments), offsetof(struct outbox, last_error))

RECORD(report, offsetof(struct report, customer), offsetof(struct report, site), offsetof(struct report, month),
       offsetof(struct report, path), offsetof(struct report, mails), offsetof(struct report, last_error))

RECORD(round, offsetof(struct round, plan), offsetof(struct round, title_en), offsetof(struct round, title_zh_CN),
       offsetof(struct round, site), offsetof(struct round, technician), offsetof(struct round, signed_by),
       offsetof(struct round, note))

RECORD(visit, offsetof(struct visit, device), offsetof(struct visit, device_class), offsetof(struct visit, checklist),
       offsetof(struct visit, by))

RECORD(visit_item, offsetof(struct visit_item, code), offsetof(struct visit_item, title_en),
       offsetof(struct visit_item, title_zh_CN), offsetof(struct visit_item, kind), offsetof(struct visit_item, key),
       offsetof(struct visit_item, value), offsetof(struct visit_item, found), offsetof(struct visit_item, note),
       offsetof(struct visit_item, by))

RECORD(event, offsetof(struct event, kind), offsetof(struct event, args), offsetof(struct event, actor))

/* ---- Names of codes ---- */

const char *alert_state_name(enum alert_state s)
{
    switch (s) {
    case ALERT_OK:
        return "ok";
    case ALERT_PENDING:
        return "pending";
    case ALERT_FIRING:
        return "firing";
    case ALERT_ACKED:
        return "acked";
    case ALERT_CLEARING:
        return "clearing";
    }
    return "?";
}

const char *outbox_state_name(enum outbox_state s)
{
    switch (s) {
    case OUTBOX_PENDING:
        return "pending";
    case OUTBOX_SENT:
        return "sent";
    case OUTBOX_FAILED:
        return "failed";
    case OUTBOX_HELD:
        return "held";
    case OUTBOX_DROPPED:
        return "dropped";
    case OUTBOX_STATE_COUNT:
        break;
    }
    return "?";
}

static const char *const report_states[REPORT_STATE_COUNT] = {
    [REPORT_PLANNED] = "planned",
    [REPORT_MADE] = "made",
    [REPORT_MAILED] = "mailed",
    [REPORT_FAILED] = "failed",
};

const char *report_state_name(enum report_state s)
{
    return (unsigned)s < REPORT_STATE_COUNT ? report_states[s] : "?";
}

int report_state_parse(const char *s, enum report_state *out)
{
    for (int i = 0; i < REPORT_STATE_COUNT; i++) {
        if (str_eq(s, report_states[i])) {
            *out = (enum report_state)i;
            return 0;
        }
    }
    return PD_EINVAL;
}

static const char *const ticket_kinds[TICKET_KIND_COUNT] = {
    [TICKET_KIND_FAULT] = "fault",   [TICKET_KIND_PREVENTIVE] = "preventive", [TICKET_KIND_FINDING] = "finding",
    [TICKET_KIND_SUPPLY] = "supply", [TICKET_KIND_COMPLAINT] = "complaint",   [TICKET_KIND_REQUEST] = "request",
};

const char *ticket_kind_name(enum ticket_kind k)
{
    return (unsigned)k < TICKET_KIND_COUNT ? ticket_kinds[k] : "?";
}

const char *const ticket_categories[] = {"hardware",   "software",    "operation", "inquiry",
                                         "consumable", "environment", NULL};

static const char *const ticket_states[TICKET_STATE_COUNT] = {
    [TICKET_NEW] = "new",
    [TICKET_ACCEPTED] = "accepted",
    [TICKET_DISPATCHED] = "dispatched",
    [TICKET_EN_ROUTE] = "en-route",
    [TICKET_ON_SITE] = "on-site",
    [TICKET_WAITING_PART] = "waiting-part",
    [TICKET_WAITING_CUSTOMER] = "waiting-customer",
    [TICKET_WAITING_VENDOR] = "waiting-vendor",
    [TICKET_REMOTE_FIXED] = "remote-fixed",
    [TICKET_FIXED] = "fixed",
    [TICKET_SIGNED] = "signed",
    [TICKET_CALLED_BACK] = "called-back",
    [TICKET_CLOSED] = "closed",
    [TICKET_CANCELLED] = "cancelled",
};

static const char *const ticket_verb_names[TICKET_VERB_COUNT] = {
    [TICKET_ACCEPT] = "accept",           [TICKET_DISPATCH] = "dispatch",
    [TICKET_DEPART] = "depart",           [TICKET_ARRIVE] = "arrive",
    [TICKET_WAIT_PART] = "wait-part",     [TICKET_WAIT_CUSTOMER] = "wait-customer",
    [TICKET_WAIT_VENDOR] = "wait-vendor", [TICKET_LOANER] = "loaner",
    [TICKET_RESUME] = "resume",           [TICKET_FIX] = "fix",
    [TICKET_REMOTE_FIX] = "remote-fix",   [TICKET_SIGN] = "sign",
    [TICKET_CALL_BACK] = "call-back",     [TICKET_CLOSE] = "close",
    [TICKET_CANCEL] = "cancel",           [TICKET_REOPEN] = "reopen",
};

/* The place of s among n names; n if it is none of them. */
static size_t name_place(const char *s, const char *const *names, size_t n)
{
    size_t i = 0;

    while (i < n && strcmp(s, names[i]) != 0)
        i++;
    return i;
}

const char *ticket_state_name(enum ticket_state s)
{
    return (unsigned)s < TICKET_STATE_COUNT ? ticket_states[s] : "?";
}

int ticket_kind_parse(const char *s, enum ticket_kind *out)
{
    size_t i = name_place(s, ticket_kinds, TICKET_KIND_COUNT);

    if (i == TICKET_KIND_COUNT)
        return PD_EINVAL;
    *out = (enum ticket_kind)i;
    return 0;
}

int ticket_state_parse(const char *s, enum ticket_state *out)
{
    size_t i = name_place(s, ticket_states, TICKET_STATE_COUNT);

    if (i == TICKET_STATE_COUNT)
        return PD_EINVAL;
    *out = (enum ticket_state)i;
    return 0;
}

const char *ticket_verb_name(enum ticket_verb v)
{
    return (unsigned)v < TICKET_VERB_COUNT ? ticket_verb_names[v] : "?";
}

int ticket_verb_parse(const char *s, enum ticket_verb *out)
{
    size_t i = name_place(s, ticket_verb_names, TICKET_VERB_COUNT);

    if (i == TICKET_VERB_COUNT)
        return PD_EINVAL;
    *out = (enum ticket_verb)i;
    return 0;
}

/* ---- What can be done to a ticket ---- */

enum { MAX_MOVES = 8 };

/*
 * The whole life of a ticket: in each state the verbs that are possible and
 * where each leads. Every ticket is called back before it is closed. A waiting
 * ticket is resumed on site or dispatched for another visit; a reopened one
 * counts as accepted: whoever reopened it has looked at it. A loaner leaves it
 * where it is.
 */
static const struct {
    const char *verbs[MAX_MOVES + 1];
    enum ticket_state to[MAX_MOVES];
} ticket_moves[TICKET_STATE_COUNT] = {
    [TICKET_NEW] = {{"accept", "cancel"}, {TICKET_ACCEPTED, TICKET_CANCELLED}},
    [TICKET_ACCEPTED] = {{"dispatch", "loaner", "remote-fix", "cancel"},
                         {TICKET_DISPATCHED, TICKET_ACCEPTED, TICKET_REMOTE_FIXED, TICKET_CANCELLED}},
    [TICKET_DISPATCHED] = {{"dispatch", "depart", "arrive", "loaner", "remote-fix", "cancel"},
                           {TICKET_DISPATCHED, TICKET_EN_ROUTE, TICKET_ON_SITE, TICKET_DISPATCHED, TICKET_REMOTE_FIXED,
                            TICKET_CANCELLED}},
    [TICKET_EN_ROUTE] = {{"dispatch", "arrive", "loaner", "cancel"},
                         {TICKET_DISPATCHED, TICKET_ON_SITE, TICKET_EN_ROUTE, TICKET_CANCELLED}},
    [TICKET_ON_SITE] = {{"wait-part", "wait-customer", "wait-vendor", "loaner", "fix", "cancel"},
                        {TICKET_WAITING_PART, TICKET_WAITING_CUSTOMER, TICKET_WAITING_VENDOR, TICKET_ON_SITE,
                         TICKET_FIXED, TICKET_CANCELLED}},
    [TICKET_WAITING_PART] = {{"dispatch", "wait-customer", "wait-vendor", "loaner", "resume", "remote-fix", "cancel"},
                             {TICKET_DISPATCHED, TICKET_WAITING_CUSTOMER, TICKET_WAITING_VENDOR, TICKET_WAITING_PART,
                              TICKET_ON_SITE, TICKET_REMOTE_FIXED, TICKET_CANCELLED}},
    [TICKET_WAITING_CUSTOMER] = {{"dispatch", "wait-part", "wait-vendor", "loaner", "resume", "remote-fix", "cancel"},
                                 {TICKET_DISPATCHED, TICKET_WAITING_PART, TICKET_WAITING_VENDOR,
                                  TICKET_WAITING_CUSTOMER, TICKET_ON_SITE, TICKET_REMOTE_FIXED, TICKET_CANCELLED}},
    [TICKET_WAITING_VENDOR] = {{"dispatch", "wait-part", "wait-customer", "loaner", "resume", "remote-fix", "cancel"},
                               {TICKET_DISPATCHED, TICKET_WAITING_PART, TICKET_WAITING_CUSTOMER, TICKET_WAITING_VENDOR,
                                TICKET_ON_SITE, TICKET_REMOTE_FIXED, TICKET_CANCELLED}},
    [TICKET_REMOTE_FIXED] = {{"call-back", "reopen"}, {TICKET_CALLED_BACK, TICKET_ACCEPTED}},
    [TICKET_FIXED] = {{"sign", "reopen"}, {TICKET_SIGNED, TICKET_ACCEPTED}},
    [TICKET_SIGNED] = {{"call-back", "reopen"}, {TICKET_CALLED_BACK, TICKET_ACCEPTED}},
    [TICKET_CALLED_BACK] = {{"close", "reopen"}, {TICKET_CLOSED, TICKET_ACCEPTED}},
    [TICKET_CLOSED] = {{"reopen"}, {TICKET_ACCEPTED}},
    [TICKET_CANCELLED] = {{"reopen"}, {TICKET_ACCEPTED}},
};

int ticket_next(enum ticket_state from, enum ticket_verb verb, enum ticket_state *to)
{
    const char *const *verbs = ticket_verbs(from);

    for (size_t i = 0; verbs[i]; i++) {
        if (strcmp(verbs[i], ticket_verb_name(verb)) == 0) {
            *to = ticket_moves[from].to[i];
            return 0;
        }
    }
    return PD_ESTATE;
}

const char *const *ticket_verbs(enum ticket_state from)
{
    return ticket_moves[from].verbs;
}

/* ---- What goes out with a message ---- */

static const char *const outbox_roles[OUTBOX_ROLE_COUNT] = {
    [OUTBOX_TEXT] = "text",
    [OUTBOX_HTML] = "html",
    [OUTBOX_INLINE] = "inline",
    [OUTBOX_ATTACHED] = "attached",
};

void outbox_part_add(char **list, enum outbox_role role, const char *file, const char *name)
{
    char *old = *list;

    *list = xasprintf("%s%s %s %s\n", old ? old : "", outbox_roles[role], file, name);
    free(old);
}

/* What stands up to the next such sign; NULL, and *at as it was, if there is none. */
static char *take_until(const char **at, char end)
{
    size_t n = strcspn(*at, end == ' ' ? " \n" : "\n");
    char *word = NULL;

    if ((*at)[n] == end) {
        word = xasprintf("%.*s", (int)n, *at);
        *at += n + 1;
    }
    return word;
}

bool outbox_part_next(const char **at, struct outbox_part *out)
{
    char *role;
    int i = 0;

    *out = (struct outbox_part){0};
    if (!*at || !**at)
        return false;
    role = take_until(at, ' ');
    out->file = take_until(at, ' ');
    out->name = take_until(at, '\n');
    while (i < OUTBOX_ROLE_COUNT && !str_eq(role, outbox_roles[i]))
        i++;
    free(role);
    if (i < OUTBOX_ROLE_COUNT && out->file && out->name) {
        out->role = (enum outbox_role)i;
        return true;
    }
    outbox_part_fini(out);
    return false;
}

void outbox_part_fini(struct outbox_part *p)
{
    free(p->file);
    free(p->name);
    *p = (struct outbox_part){0};
}
