#include "daemon/core.h"

#include <poll.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"
#include "daemon/reports.h"

enum { DRAIN_MS = 4000 };

/* ---- What the rooms tell each other ---- */

void core_submit(struct core *c, struct change *change, bool urgent, void (*done)(void *arg), void *arg)
{
    if (c->store)
        store_submit(c->store, change, urgent, done, arg);
    else
        change_free(change);
}

static void submit(void *ctx, struct change *change, bool urgent, void (*done)(void *arg), void *arg)
{
    core_submit(ctx, change, urgent, done, arg);
}

/* From watch: two records are one device. */
static void merged(void *ctx, struct change *change, const struct device *keep, const struct device *gone)
{
    desk_device_merged(((struct core *)ctx)->desk, gone->id, keep->id, change);
}

static void split(void *ctx, struct change *change, const struct device *again, const struct device *gone)
{
    desk_device_split(((struct core *)ctx)->desk, gone->id, again->id, change);
}

/* From watch: a fault moved. Desk adds what becomes of its ticket to the same change. */
static void fault(void *ctx, struct change *change, const struct device *d, struct alert *a, enum fault_move move)
{
    struct core *c = ctx;
    const struct rule *r = knowledge_rule(c->knowledge, a->rule);

    c->fault_device = d;
    c->fault_alert = a;
    switch (move) {
    case FAULT_OPENED:
        if (r)
            desk_fault_opened(c->desk, change, r, a);
        break;
    case FAULT_GRAVER:
    case FAULT_MILDER:
        if (r)
            desk_fault_changed(c->desk, change, r, a);
        break;
    case FAULT_CLOSED:
        desk_fault_closed(c->desk, change, a);
        break;
    case FAULT_ACKED:
        break;
    }
    c->fault_device = NULL;
    c->fault_alert = NULL;
}

/* ---- From desk ---- */

static void ticket_moved(void *ctx, struct change *change, const struct ticket *t, enum ticket_move move)
{
    tell_ticket_moved(ctx, change, t, move);
}

static void ticket_warned(void *ctx, struct change *change, const struct ticket *t, const struct desk_warning *w)
{
    tell_ticket_warned(ctx, change, t, w);
}

static const struct contract *contract_of(void *ctx, const struct ticket *t)
{
    return core_contract_of(ctx, t);
}

/* What time alone has brought. */
static void submit_soon(void *ctx, struct change *change)
{
    core_submit(ctx, change, true, NULL, NULL);
}

static void take_readings(void *ctx, const struct poll *p, int64_t due_ms)
{
    struct core *c = ctx;

    if (c->store && store_put_poll(c->store, p))
        lateness_queued(&c->lateness, due_ms);
}

/* From the store. */
static void stored(void *ctx, size_t npolls)
{
    struct core *c = ctx;

    lateness_stored(&c->lateness, npolls, clock_mono(&c->config.services.clock));
}

static bool backlog(void *ctx)
{
    enum { MOST_QUEUED = 10000 };
    struct core *c = ctx;
    struct store_state state;

    if (!c->store)
        return true;
    store_state(c->store, &state);
    return state.queued_changes > MOST_QUEUED;
}

/* Channels that were replaced end when nothing uses them any more. */
static void sweep_old_channels(struct core *c)
{
    for (size_t i = c->old_channels.n; i-- > 0;) {
        struct old_channel *old = &c->old_channels.v[i];

        if (c->notify && notify_uses(c->notify, old->channel))
            continue;
        old->ops->stop(old->channel);
        array_remove(&c->old_channels, i);
    }
}

static void committed_row(struct core *c, const struct row *r)
{
    if (r->kind == ROW_OUTBOX) {
        notify_committed(c->notify, &r->outbox);
        reports_committed(c->reports, &r->outbox);
    } else if (r->kind == ROW_REPORT) {
        reports_stored(c->reports, &r->report);
    }
}

/* From the store: a change is on disk. */
static void committed(void *ctx, const struct change *change)
{
    struct core *c = ctx;

    for (size_t i = 0; i < change->rows.n; i++)
        committed_row(c, &change->rows.v[i]);
    sweep_old_channels(c);
    if (c->watch)
        chronicle_write(c, change);
    if (change->events.n > 0 && c->config.committed)
        c->config.committed(c->config.ctx, change->events.v, change->events.n);
}

struct wanted_text {
    const char *point;
    char *text;
};

static void take_text(void *ctx, const struct component_view *v)
{
    struct wanted_text *w = ctx;
    const struct point_def *p = str_eq(v->kind->name, DEVICE_KIND) ? kind_point(v->kind, w->point) : NULL;
    struct value value;

    if (!p)
        return;
    value = v->points[p->slot];
    if (value.type == VALUE_TEXT && (value.quality == QUALITY_GOOD || value.quality == QUALITY_STALE))
        xstrset(&w->text, value.text);
}

char *core_device_text(struct core *c, int64_t device_id, const char *point)
{
    struct wanted_text w = {.point = point};

    watch_device_points(c->watch, device_id, take_text, &w);
    return w.text;
}

/* ---- Channels ---- */

/* 0 with *out NULL where there is nothing to start it with. */
static int start_channel(struct core *c, size_t i, struct pd_channel **out)
{
    const struct pd_channel_ops *ops = c->config.channel_ops[i];
    const void *config = c->config.channel_configs ? c->config.channel_configs[i] : NULL;
    const struct settings *s = c->settings;
    const struct pd_mail_config mail = {
        .url = s->mail.url,
        .starttls = s->mail.starttls,
        .ca_file = s->mail.ca_file,
        .from = s->mail.from,
        .user = s->mail.user,
        .password = s->mail.password,
        .timeout_s = s->mail.timeout_s,
    };

    *out = NULL;
    if (config)
        return ops->start(config, out);
    if (!str_eq(ops->name, "mail") || !mail.url)
        return 0;
    return ops->start(&mail, out);
}

static bool same_mail(const struct settings *a, const struct settings *b)
{
    return str_eq(a->mail.url, b->mail.url) && str_eq(a->mail.from, b->mail.from) &&
           str_eq(a->mail.user, b->mail.user) && str_eq(a->mail.password, b->mail.password) &&
           str_eq(a->mail.ca_file, b->mail.ca_file) && a->mail.starttls == b->mail.starttls &&
           a->mail.timeout_s == b->mail.timeout_s;
}

/* After a reload: channels that live by the settings begin anew. */
static void restart_channels(struct core *c)
{
    for (size_t i = 0; i < c->config.nchannels; i++) {
        struct notify_channel *ch = &c->channels[i];

        if (c->config.channel_configs && c->config.channel_configs[i])
            continue;
        if (ch->channel)
            array_push(&c->old_channels, ((struct old_channel){ch->ops, ch->channel}));
        if (start_channel(c, i, &ch->channel) < 0)
            log_error(ch->ops->name, "not started: messages wait until the configuration is put right");
    }
    sweep_old_channels(c);
}

/* ---- Start ---- */

static int open_store(struct core *c, char **why)
{
    const struct core_config *config = &c->config;
    const struct store_config store = {
        .path = config->database ? config->database : c->settings->database,
        .vfs = config->vfs,
        .writer = config->store_writer,
        .reader = config->store_reader,
        .wheel = config->services.wheel,
        .clock = config->services.clock,
        .rng = config->services.rng,
        .flush_ms = config->flush_ms,
        .raw_days = (unsigned)c->settings->raw_days,
        .hourly_days = (unsigned)c->settings->hourly_days,
        .trouble = trouble_report,
        .committed = committed,
        .lost = order_lost,
        .stored = stored,
        .ctx = c,
    };

    return store_open(&store, &c->store, why);
}

static int start_plugins(struct core *c, char **why)
{
    const struct core_config *config = &c->config;
    int rc;

    c->collectors = xcalloc(config->ncollectors + 1, sizeof(struct pd_collector *));
    for (size_t i = 0; i < config->ncollectors; i++) {
        const void *own = config->collector_configs ? config->collector_configs[i] : NULL;

        rc = config->collector_ops[i]->start(&config->services, own, &c->collectors[i]);
        if (rc < 0) {
            *why = xasprintf("collector %s does not start: %s", config->collector_ops[i]->name, pd_strerror(rc));
            return rc;
        }
    }
    c->channels = xcalloc(config->nchannels + 1, sizeof *c->channels);
    for (size_t i = 0; i < config->nchannels; i++) {
        c->channels[i].ops = config->channel_ops[i];
        rc = start_channel(c, i, &c->channels[i].channel);
        if (rc < 0) {
            *why = xasprintf("channel %s does not start: %s", config->channel_ops[i]->name, pd_strerror(rc));
            return rc;
        }
    }
    return 0;
}

static void make_rooms(struct core *c)
{
    const struct core_config *config = &c->config;
    const struct store_identity *id = store_identity(c->store);
    const struct watch_config watch = {
        .services = config->services,
        .settings = c->settings,
        .knowledge = c->knowledge,
        .collectors = c->collectors,
        .collector_ops = config->collector_ops,
        .ncollectors = config->ncollectors,
        .ops = {.fault = fault,
                .submit = submit,
                .readings = take_readings,
                .backlog = backlog,
                .ctx = c,
                .merged = merged,
                .split = split},
    };
    const struct desk_config desk = {
        .clock = config->services.clock,
        .wheel = config->services.wheel,
        .prefix = c->settings->ticket_prefix ? c->settings->ticket_prefix : id->prefix,
        .moved = ticket_moved,
        .contract = contract_of,
        .warned = ticket_warned,
        .submit = submit_soon,
        .ctx = c,
    };
    const struct notify_config notify = {
        .services = config->services,
        .settings = c->settings,
        .knowledge = c->knowledge,
        .worker = config->channel_worker,
        .channels = c->channels,
        .nchannels = config->nchannels,
        .folder = c->reports_folder,
        .uuid = id->uuid,
        .epoch = id->epoch,
        .submit = submit,
        .ctx = c,
    };

    c->watch = watch_new(&watch);
    c->desk = desk_new(&desk);
    c->archive = core_archive_new(c);
    c->patrol = core_patrol_new(c);
    c->notify = notify_new(&notify);
    notify_pause(c->notify, true);
    c->reports = core_reports_new(c);
}

int core_start(const struct core_config *config, struct core **out, char **why)
{
    struct core *c = xcalloc(1, sizeof *c);
    int rc;

    c->config = *config;
    c->settings = config->settings;
    c->knowledge = config->knowledge;
    c->reports_folder = core_reports_folder(c);
    c->zones = dict_new();
    lateness_init(&c->lateness);
    rc = open_store(c, why);
    if (rc == 0)
        store_put_points(c->store, &c->knowledge->vocabulary);
    if (rc == 0)
        rc = start_plugins(c, why);
    if (rc == 0) {
        make_rooms(c);
        rc = core_load(c, why);
    }
    if (rc < 0) {
        core_stop(c);
        return rc;
    }
    desk_start(c->desk);
    watch_start(c->watch);
    patrol_start(c->patrol);
    notify_pause(c->notify, false);
    reports_start(c->reports);
    *out = c;
    return 0;
}

/* ---- Stop ---- */

/* Asks channels to come to an end: those that were replaced while a send used them too. */
static void interrupt_channels(struct core *c)
{
    for (size_t i = 0; i < c->config.nchannels; i++)
        if (c->channels[i].channel && c->channels[i].ops->interrupt)
            c->channels[i].ops->interrupt(c->channels[i].channel);
    for (size_t i = 0; i < c->old_channels.n; i++)
        if (c->old_channels.v[i].ops->interrupt)
            c->old_channels.v[i].ops->interrupt(c->old_channels.v[i].channel);
}

/* Takes in what became of the sends under way. */
static void drain_channels(struct core *c)
{
    const struct pd_clock *clock = &c->config.services.clock;
    struct worker *w = c->config.channel_worker;
    int64_t deadline = clock_mono(clock) + DRAIN_MS;

    if (!c->notify)
        return;
    notify_pause(c->notify, true);
    interrupt_channels(c);
    while (worker_fd(w) >= 0 && worker_pending(w) > 0 && clock_mono(clock) < deadline) {
        struct pollfd p = {.fd = worker_fd(w), .events = POLLIN};

        poll(&p, 1, (int)(deadline - clock_mono(clock)));
        worker_reap(w);
    }
}

/* A channel whose send did not end in time is left as it is: its thread still runs in it. */
static void stop_plugins(struct core *c)
{
    for (size_t i = 0; c->collectors && i < c->config.ncollectors; i++)
        if (c->collectors[i])
            c->config.collector_ops[i]->stop(c->collectors[i]);
    for (size_t i = 0; c->channels && i < c->config.nchannels; i++)
        if (c->channels[i].channel)
            array_push(&c->old_channels, ((struct old_channel){c->channels[i].ops, c->channels[i].channel}));
    sweep_old_channels(c);
    array_free(&c->old_channels);
    free(c->collectors);
    free(c->channels);
}

/*
 * The store closes first, while whoever waits for its commits still stands; what
 * the others submit in going is dropped, and nothing of it was told outside.
 */
void core_stop(struct core *c)
{
    struct store *store;

    if (!c)
        return;
    c->stopping = true;
    drain_channels(c);
    store = c->store;
    if (store)
        store_close(store);
    c->store = NULL;
    reports_free(c->reports);
    watch_free(c->watch);
    probes_stop(c);
    array_free(&c->probes);
    orders_free(c);
    patrol_free(c->patrol);
    desk_free(c->desk);
    archive_free(c->archive);
    stop_plugins(c);
    notify_free(c->notify);
    free(c->reports_folder);
    settings_free(c->settings);
    knowledge_free(c->knowledge);
    contracts_forget(c);
    people_free(c);
    lateness_fini(&c->lateness);
    free(c->trouble.why);
    free(c);
}

void core_reload(struct core *c, struct settings *settings, struct knowledge *knowledge)
{
    struct settings *old_settings = c->settings;
    struct knowledge *old_knowledge = c->knowledge;

    knowledge = knowledge ? knowledge : old_knowledge;
    c->settings = settings;
    c->knowledge = knowledge;
    store_put_points(c->store, &knowledge->vocabulary);
    watch_reload(c->watch, settings, knowledge);
    if (!same_mail(old_settings, settings))
        restart_channels(c);
    notify_reload(c->notify, settings, knowledge);
    reports_reload(c->reports, settings, knowledge);
    contracts_forget(c);
    desk_start(c->desk);
    patrol_reload(c->patrol, settings, knowledge);
    settings_free(old_settings);
    if (old_knowledge != knowledge)
        knowledge_free(old_knowledge);
}

struct watch *core_watch(struct core *c)
{
    return c->watch;
}

struct desk *core_desk(struct core *c)
{
    return c->desk;
}

struct archive *core_archive(struct core *c)
{
    return c->archive;
}

struct patrol *core_patrol(struct core *c)
{
    return c->patrol;
}

struct notify *core_notify(struct core *c)
{
    return c->notify;
}

struct store *core_store(struct core *c)
{
    return c->store;
}

const struct settings *core_settings(const struct core *c)
{
    return c->settings;
}

const struct knowledge *core_knowledge(const struct core *c)
{
    return c->knowledge;
}
