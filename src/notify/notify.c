#include "notify/notify.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "notify/message.h"
#include "notify/sender.h"

#define MAIL "mail"

struct notify {
    struct notify_config config;
    struct zone *zone;
    struct sender *sender;
    int64_t last_id;
};

static struct zone *open_zone(const char *name)
{
    struct zone *z = NULL;
    int rc = zone_open(name ? name : "UTC", &z);

    if (rc < 0) {
        log_warn("notify", "time zone '%s': %s; mails tell UTC", name, pd_strerror(rc));
        zone_open("UTC", &z);
    }
    return z;
}

struct notify *notify_new(const struct notify_config *config)
{
    struct notify *n = xcalloc(1, sizeof *n);

    n->config = *config;
    n->zone = open_zone(config->settings->time_zone);
    n->sender = sender_new(&n->config);
    return n;
}

void notify_free(struct notify *n)
{
    if (!n)
        return;
    sender_free(n->sender);
    zone_free(n->zone);
    free(n);
}

void notify_set_last_id(struct notify *n, int64_t outbox_id)
{
    n->last_id = outbox_id;
}

void notify_reload(struct notify *n, const struct settings *settings, const struct knowledge *knowledge)
{
    n->config.settings = settings;
    n->config.knowledge = knowledge;
    zone_free(n->zone);
    n->zone = open_zone(settings->time_zone);
    sender_kick(n->sender);
}

/* ---- Into the outbox ---- */

static bool can_mail(const struct notify *n)
{
    for (size_t i = 0; i < n->config.nchannels; i++)
        if (str_eq(n->config.channels[i].ops->name, MAIL) && n->config.channels[i].channel)
            return true;
    return false;
}

static void put_mail(struct notify *n, struct change *c, const char *recipient, const char *subject, const char *body)
{
    struct outbox o = {.id = ++n->last_id, .state = OUTBOX_PENDING};

    o.created_ms = clock_wall(&n->config.services.clock);
    o.channel = xstrdup(MAIL);
    o.message_id = xasprintf("%s.%" PRId64 ".%" PRId64 "@patrold.invalid", n->config.uuid, n->config.epoch, o.id);
    o.sender = xstrdup_null(n->config.settings->mail.from);
    o.recipient = xstrdup(recipient);
    o.subject = xstrdup(subject);
    o.body = xstrdup(body);
    change_put_outbox(c, &o);
    outbox_fini(&o);
}

/* A mail in each language, written when the first reader of it is found. */
struct letter {
    struct sbuf subject, body;
};

static void letters_free(struct letter *letters)
{
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        sbuf_free(&letters[lang].subject);
        sbuf_free(&letters[lang].body);
    }
}

void notify_ticket(struct notify *n, struct change *c, enum notice what, const struct ticket *t, const struct device *d,
                   const struct alert *a, const char *location)
{
    const struct settings *s = n->config.settings;
    const char *site = d && d->site ? d->site : s->site;
    const struct message_about about = {
        .what = what,
        .ticket = t,
        .rule = t->rule ? knowledge_rule(n->config.knowledge, t->rule) : NULL,
        .device = d,
        .alert = a,
        .location = location,
        .site = s->site,
        .zone = n->zone,
        .now_ms = clock_wall(&n->config.services.clock),
    };
    struct letter letters[LANG_COUNT] = {0};

    if (!can_mail(n))
        return;
    for (size_t i = 0; i < s->recipients.n; i++) {
        const struct recipient *r = &s->recipients.v[i];
        struct letter *l = &letters[r->lang];

        if (t->severity < r->min_severity || (r->site && !str_eq(r->site, site)))
            continue;
        if (l->subject.n == 0) {
            message_subject(&l->subject, r->lang, &about);
            message_body(&l->body, r->lang, &about);
        }
        put_mail(n, c, r->address, l->subject.s, l->body.s);
    }
    letters_free(letters);
}

void notify_store_trouble(struct notify *n, struct change *c, int64_t from_ms, int64_t to_ms, const char *why)
{
    const struct settings *s = n->config.settings;

    if (!can_mail(n))
        return;
    for (size_t i = 0; i < s->recipients.n; i++) {
        const struct recipient *r = &s->recipients.v[i];
        struct letter l = {0};

        message_store_subject(&l.subject, r->lang);
        message_store_body(&l.body, r->lang, n->zone, from_ms, to_ms, why);
        put_mail(n, c, r->address, l.subject.s, l.body.s);
        sbuf_free(&l.subject);
        sbuf_free(&l.body);
    }
}

/* ---- Out of it ---- */

void notify_load_outbox(struct notify *n, const struct outbox *o)
{
    sender_take(n->sender, o);
}

/* Of what was tried the sender knows more: on a slow disk the row of a failed try may come after the mail is out. */
void notify_committed(struct notify *n, const struct outbox *o)
{
    if (o->attempts == 0)
        sender_take(n->sender, o);
}

int notify_forget(struct notify *n, int64_t outbox_id)
{
    return sender_forget(n->sender, outbox_id);
}

void notify_pause(struct notify *n, bool paused)
{
    sender_pause(n->sender, paused);
}

bool notify_uses(const struct notify *n, const struct pd_channel *channel)
{
    return sender_uses(n->sender, channel);
}

void notify_drop_job(struct job *j)
{
    sender_drop_job(j);
}

void notify_counters(const struct notify *n, struct notify_counters *out)
{
    sender_counters(n->sender, out);
}
