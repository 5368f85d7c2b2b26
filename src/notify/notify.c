#include "notify/notify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

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

/* Its id. */
static int64_t put_mail_with(struct notify *n, struct change *c, const char *recipient, const char *subject,
                             const char *body, const char *attachments)
{
    struct outbox o = {.id = ++n->last_id, .state = OUTBOX_PENDING};

    o.created_ms = clock_wall(&n->config.services.clock);
    o.channel = xstrdup(MAIL);
    o.message_id = xasprintf("%s.%" PRId64 ".%" PRId64 "@patrold.invalid", n->config.uuid, n->config.epoch, o.id);
    o.sender = xstrdup_null(n->config.settings->mail.from);
    o.recipient = xstrdup(recipient);
    o.subject = xstrdup(subject);
    o.body = xstrdup(body);
    o.attachments = xstrdup_null(attachments);
    change_put_outbox(c, &o);
    outbox_fini(&o);
    return n->last_id;
}

static void put_mail(struct notify *n, struct change *c, const char *recipient, const char *subject, const char *body)
{
    put_mail_with(n, c, recipient, subject, body, NULL);
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

/* A message on its way to its readers. */
struct mailing {
    struct notify *notify;
    struct change *change;
    struct message_about about;
    struct letter letters[LANG_COUNT];
    ARRAY(const char *) told; /* addresses */
};

static bool was_told(const struct mailing *m, const char *address)
{
    for (size_t i = 0; i < m->told.n; i++)
        if (strcasecmp(m->told.v[i], address) == 0)
            return true;
    return false;
}

static void mail_to(struct mailing *m, const char *address, enum lang lang)
{
    struct letter *l = &m->letters[lang];

    if (was_told(m, address))
        return;
    if (l->subject.n == 0) {
        message_subject(&l->subject, lang, &m->about);
        message_body(&l->body, lang, &m->about);
    }
    put_mail(m->notify, m->change, address, l->subject.s, l->body.s);
    array_push(&m->told, address);
}

/* Whether a recipient of the configuration wants to hear of it. */
static bool concerns(const struct recipient *r, const struct notice_about *about)
{
    const char *site = about->device && about->device->site ? about->device->site : about->site;

    return about->ticket->severity >= r->min_severity && (!r->site || str_eq(r->site, site));
}

void notify_ticket(struct notify *n, struct change *c, const struct notice_about *about,
                   const struct notice_reader *readers, size_t nreaders, bool configured)
{
    const struct settings *s = n->config.settings;
    struct mailing m = {.notify = n, .change = c, .about = {.notice = *about}};

    if (!can_mail(n))
        return;
    m.about.rule = about->ticket->rule ? knowledge_rule(n->config.knowledge, about->ticket->rule) : NULL;
    m.about.now_ms = clock_wall(&n->config.services.clock);
    m.about.notice.zone = about->zone ? about->zone : n->zone;
    m.about.notice.site = about->site ? about->site : s->site;
    for (size_t i = 0; configured && i < s->recipients.n; i++)
        if (concerns(&s->recipients.v[i], &m.about.notice))
            mail_to(&m, s->recipients.v[i].address, s->recipients.v[i].lang);
    for (size_t i = 0; i < nreaders; i++)
        mail_to(&m, readers[i].address, readers[i].lang);
    letters_free(m.letters);
    array_free(&m.told);
}

void notify_round(struct notify *n, struct change *c, const struct round_about *about,
                  const struct notice_reader *readers, size_t nreaders)
{
    struct letter letters[LANG_COUNT] = {0};

    if (!can_mail(n))
        return;
    for (size_t i = 0; i < nreaders; i++) {
        struct letter *l = &letters[readers[i].lang];

        if (l->subject.n == 0) {
            message_round_subject(&l->subject, readers[i].lang, about);
            message_round_body(&l->body, readers[i].lang, about);
        }
        put_mail(n, c, readers[i].address, l->subject.s, l->body.s);
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

int64_t notify_mail(struct notify *n, struct change *c, const char *recipient, const char *subject, const char *body,
                    const char *attachments)
{
    return can_mail(n) ? put_mail_with(n, c, recipient, subject, body, attachments) : 0;
}

void notify_report_trouble(struct notify *n, struct change *c, const struct report *row)
{
    const struct settings *s = n->config.settings;
    char *times = xasprintf("%" PRId64, row->attempts);
    const struct text_arg args[] = {
        {"site", row->site}, {"month", row->month}, {"n", times}, {"error", row->last_error}};

    for (size_t i = 0; can_mail(n) && i < s->recipients.n; i++) {
        const struct recipient *r = &s->recipients.v[i];
        struct sbuf subject = {0}, body = {0};

        text_fill(&subject, text_get(r->lang, "gather.trouble.subject"), args, sizeof args / sizeof *args);
        text_fill(&body, text_get(r->lang, "gather.trouble.body"), args, sizeof args / sizeof *args);
        put_mail(n, c, r->address, subject.s, body.s);
        sbuf_free(&subject);
        sbuf_free(&body);
    }
    free(times);
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
