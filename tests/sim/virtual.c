#include "virtual.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "dbcheck.h"
#include "settings.h"

/* How long things take that really take no time here. */
enum { COMMIT_MS = 4, QUERY_MS = 1, SEND_MS = 120, FLUSH_MS = 60000, MONO_START = 1000000 };

/*
 * Which polls the network spoils is known here, and counted in by itself; only
 * where a request in a thousand is lost for good nothing is expected.
 */
#define UNBEARABLE 1e-3

int64_t virtual_now(const struct virtual *v)
{
    return v->clock.mono - MONO_START;
}

/* ---- What others ask for ---- */

static int64_t mono(void *ctx)
{
    return ((struct virtual *)ctx)->clock.mono;
}

static int64_t since_start(void *ctx)
{
    return virtual_now(ctx);
}

static int64_t commit_ms(void *ctx)
{
    (void)ctx;
    return COMMIT_MS;
}

static int64_t query_ms(void *ctx)
{
    (void)ctx;
    return QUERY_MS;
}

static int64_t send_ms(void *ctx)
{
    (void)ctx;
    return SEND_MS;
}

static void count_poll(void *ctx, size_t cells)
{
    struct virtual *v = ctx;

    v->result->polls++;
    v->result->cells += cells;
}

static void unread(void *ctx, unsigned machine, int64_t from_ms, int64_t to_ms)
{
    truth_unread(((struct virtual *)ctx)->truths, machine, from_ms, to_ms);
}

static void committed(void *ctx, const struct event *events, size_t n)
{
    struct virtual *v = ctx;

    for (size_t i = 0; i < n; i++) {
        const struct event *e = &events[i];

        witness_event(&v->witness, e->number, e->kind, e->device_id, e->alert_id, e->ticket_id, e->args,
                      virtual_now(v));
    }
}

/* The staff hear what patrold tells, also what was found in its database after a kill. */
static void heard(void *ctx, const char *kind, int machine, int64_t ticket_id, const char *args)
{
    struct virtual *v = ctx;

    staff_event(v->staff, kind, machine, ticket_id, args, v->clock.wall);
}

/* ---- The mail server ---- */

static int mail_start(const void *config, struct pd_channel **out)
{
    *out = (struct pd_channel *)(uintptr_t)config;
    return 0;
}

static void mail_stop(struct pd_channel *c)
{
    (void)c;
}

static void mail_send(struct pd_channel *c, const struct pd_message *m, struct pd_send_result *out)
{
    struct virtual *v = (struct virtual *)(void *)c;

    witness_mail(&v->witness, m->id, m->to, m->subject, virtual_now(v));
    *out = (struct pd_send_result){.status = PD_SEND_DONE};
}

static const struct pd_channel_ops mail_ops = {
    .name = "mail", .start = mail_start, .stop = mail_stop, .send = mail_send};

/* ---- What the site tells ---- */

static void killed(void *ctx, int64_t down_ms)
{
    struct virtual *v = ctx;

    virtual_kill(v);
    v->start_at_ms = virtual_now(v) + down_ms;
}

static void clock_step(void *ctx, int64_t ms)
{
    ((struct virtual *)ctx)->clock.wall += ms;
}

static void say(struct virtual *v, struct saying *s);

/* Said at once, or when patrold is there again. */
static void command(void *ctx, const char *name, const char *args)
{
    struct virtual *v = ctx;
    struct saying *s = xcalloc(1, sizeof *s);

    *s = (struct saying){.virtual = v, .name = xstrdup(name), .args = xstrdup(args)};
    array_push(&v->sayings, s);
    if (v->core != NULL)
        say(v, s);
}

/* ---- patrold's lives ---- */

static int complain(struct virtual *v, const char *what, char *why)
{
    sbuf_addf(v->out, "problem: %s: %s\n", what, why ? why : "?");
    free(why);
    v->result->problems++;
    return PD_EINVAL;
}

static int load(struct virtual *v, struct settings **settings, struct knowledge **knowledge)
{
    struct conf_report report = {0};
    int rc = settings_load(v->config_path, settings, &report);

    if (rc == 0) {
        const char *dir = v->options->knowledge;

        rc = knowledge_load(&dir, 1, *settings, knowledge, &report);
        if (rc < 0)
            settings_free(*settings);
    }
    if (rc < 0)
        complain(v, "configuration", xstrdup(report.text.s ? report.text.s : pd_strerror(rc)));
    conf_report_free(&report);
    return rc;
}

static void device_done(void *arg, int err, const char *json_or_why)
{
    bool *added = arg;

    (void)json_or_why;
    if (err == 0 || err == PD_EEXIST)
        *added = true;
}

/* What the story's archive holds, before the devices that stand at its sites. */
static void add_records(struct virtual *v)
{
    for (size_t i = 0; i < v->story->records.n && v->sayings.n < v->story->records.n; i++) {
        const struct story_record *r = &v->story->records.v[i];
        struct saying *s = xcalloc(1, sizeof *s);

        *s = (struct saying){.virtual = v, .name = xstrdup(r->command), .args = xstrdup(r->args)};
        array_push(&v->sayings, s);
    }
}

static void add_devices(struct virtual *v)
{
    for (size_t i = 0; i < v->story->devices.n; i++) {
        struct sbuf args = {0};

        if (v->added.v[i])
            continue;
        story_device_args(&args, v->story, i, &(struct site_ports){0});
        core_command(v->core, "device.add", args.s, "story", device_done, &v->added.v[i]);
        sbuf_free(&args);
    }
}

struct doing {
    struct virtual *virtual;
    int64_t case_id;
};

static void done(void *arg, int err, const char *json_or_why)
{
    struct doing *d = arg;

    if (err < 0 && d->virtual->core != NULL)
        staff_refused(d->virtual->staff, d->case_id, json_or_why ? json_or_why : pd_strerror(err),
                      d->virtual->clock.wall);
    free(d);
}

/* What one of the staff does. */
static void staff_command(void *ctx, const char *name, const char *args, int64_t case_id)
{
    struct virtual *v = ctx;
    struct doing *d = xcalloc(1, sizeof *d);

    *d = (struct doing){v, case_id};
    core_command(v->core, name, args, "staff", done, d);
}

static void said(void *arg, int err, const char *json_or_why)
{
    struct saying *s = arg;

    s->done = err != PD_EIO && err != PD_EBUSY; /* what was not stored is said again when it restarts */
    if (err < 0 && s->done && err != PD_EEXIST)
        complain(s->virtual, s->args, xasprintf("%s: %s", s->name, json_or_why));
}

static void say(struct virtual *v, struct saying *s)
{
    core_command(v->core, s->name, s->args, "story", said, s);
}

static const struct pd_collector_ops *const collectors[VIRTUAL_COLLECTORS] = {&scripted_ops, &scripted_modbus_ops,
                                                                              &scripted_icmp_ops};
static const struct pd_channel_ops *const channels[] = {&mail_ops};

static int start_core(struct virtual *v)
{
    struct core_config config = {
        .services = {.clock = clock_fake_ops(&v->clock), .rng = rng_seeded_ops(&v->chance), .wheel = v->wheel},
        .database = VIRTUAL_DATABASE,
        .vfs = memvfs_name(v->disk),
        .store_writer = v->writer,
        .store_reader = v->reader,
        .channel_worker = v->sender,
        .flush_ms = FLUSH_MS,
        .collector_ops = collectors,
        .collector_configs = v->collector_configs,
        .ncollectors = VIRTUAL_COLLECTORS,
        .channel_ops = channels,
        .channel_configs = v->channel_configs,
        .nchannels = 1,
        .renderer = v->options->report_path ? &v->renderer : NULL,
        .committed = committed,
        .ctx = v,
    };
    char *why = NULL;
    int rc = load(v, &config.settings, &config.knowledge);

    if (rc < 0)
        return rc;
    rc = core_start(&config, &v->core, &why);
    if (rc < 0 && !memvfs_is_off(v->disk))
        complain(v, "patrold does not start", why);
    else
        free(why);
    return rc;
}

static void end_life(struct virtual *v)
{
    worker_stop(v->writer, NULL);
    worker_stop(v->reader, NULL);
    worker_stop(v->sender, notify_drop_job);
    wheel_free(v->wheel);
    v->writer = v->reader = v->sender = NULL;
    v->wheel = NULL;
}

int virtual_start(struct virtual *v)
{
    int rc;

    v->start_at_ms = INT64_MAX;
    v->wheel = wheel_new(v->clock.mono);
    v->writer = worker_start_inline(v->wheel, mono, commit_ms, v);
    v->reader = worker_start_inline(v->wheel, mono, query_ms, v);
    v->sender = worker_start_inline(v->wheel, mono, send_ms, v);
    v->press.wheel = v->wheel;
    rc = start_core(v);
    if (rc < 0) {
        end_life(v);
        return rc;
    }
    truth_patrold(v->truths, true, virtual_now(v));
    staff_patrold(v->staff, true, v->clock.wall);
    add_records(v);
    for (size_t i = 0; i < v->story->records.n; i++)
        if (!v->sayings.v[i]->done)
            say(v, v->sayings.v[i]);
    add_devices(v);
    for (size_t i = v->story->records.n; i < v->sayings.n; i++)
        if (!v->sayings.v[i]->done)
            say(v, v->sayings.v[i]);
    return 0;
}

static void take_counters(struct virtual *v)
{
    struct store_state state;

    store_state(core_store(v->core), &state);
    v->result->readings += state.readings;
}

/* What is left of a process whose disk no longer listens. */
static void drop_core(struct virtual *v)
{
    struct core *core;

    if (v->core == NULL)
        return;
    take_counters(v);
    core = v->core;
    v->core = NULL; /* what it still refuses concerns nobody */
    core_stop(core);
    end_life(v);
    truth_patrold(v->truths, false, virtual_now(v));
    staff_patrold(v->staff, false, v->clock.wall);
    witness_killed(&v->witness);
}

void virtual_kill(struct virtual *v)
{
    memvfs_cut_power(v->disk);
    drop_core(v);
    memvfs_revive(v->disk);
    memvfs_cut_power_at(v->disk, v->cut_at);
    if (dbcheck_catch_up(VIRTUAL_DATABASE, memvfs_name(v->disk), &v->witness, virtual_now(v)) < 0)
        complain(v, "after a kill", xstrdup("the database cannot be read"));
}

void virtual_power_cycle(struct virtual *v, uint64_t seed)
{
    drop_core(v);
    memvfs_power_cycle(v->disk, seed);
}

void virtual_stop(struct virtual *v)
{
    struct core *core;

    if (v->core == NULL)
        return;
    take_counters(v);
    core = v->core;
    v->core = NULL; /* what it still refuses concerns nobody */
    core_stop(core);
    end_life(v);
}

void virtual_step(struct virtual *v, int64_t end_ms)
{
    int64_t next = end_ms, at;

    if (v->core != NULL && (at = wheel_next(v->wheel)) != INT64_MAX && at - MONO_START < next)
        next = at - MONO_START;
    if ((at = site_next(v->site)) < next)
        next = at;
    if (v->start_at_ms < next)
        next = v->start_at_ms;
    if ((at = staff_next(v->staff)) != INT64_MAX && at - v->clock.wall + virtual_now(v) < next)
        next = at - v->clock.wall + virtual_now(v);
    if (next > virtual_now(v))
        clock_fake_advance(&v->clock, next - virtual_now(v));
    site_advance(v->site, virtual_now(v));
    if (staff_next(v->staff) <= v->clock.wall)
        staff_advance(v->staff, v->clock.wall);
    if (v->core != NULL)
        wheel_advance(v->wheel, v->clock.mono);
    if (v->core == NULL && virtual_now(v) >= v->start_at_ms)
        v->err = virtual_start(v);
}

/* ---- The world ---- */

static int write_config(struct virtual *v)
{
    const struct site_paths paths = {.knowledge = v->options->knowledge, .mail_url = "smtp://127.0.0.1:25"};
    char folder[] = "/tmp/patrol-sim.XXXXXX";
    struct sbuf text = {0};
    int rc;

    if (mkdtemp(folder) == NULL)
        return complain(v, "temporary folder", xstrdup(folder));
    v->folder = xstrdup(folder);
    v->config_path = xasprintf("%s/patrold.yaml", folder);
    story_settings(&text, v->story, &paths);
    rc = file_write_whole(v->config_path, text.s, text.n, 0600);
    sbuf_free(&text);
    return rc < 0 ? complain(v, v->config_path, xstrdup(pd_strerror(rc))) : 0;
}

static void no_log(void *ctx, const struct log_line *line)
{
    (void)ctx;
    (void)line;
}

int virtual_init(struct virtual *v, const struct story *story, const struct run_options *options, struct sbuf *out,
                 struct run_result *result)
{
    struct site_ops ops = {
        .blind_chance = UNBEARABLE, .killed = killed, .clock_step = clock_step, .command = command, .ctx = v};
    char *name = xasprintf("sim%lx", (unsigned long)story->seed);

    *v = (struct virtual){.story = story, .options = options, .out = out, .result = result};
    log_set_sink(options->log ? NULL : no_log, NULL);
    v->clock = (struct clock_fake){.wall = story->start_ms, .mono = MONO_START};
    rng_seed(&v->chance, story->seed);
    rng_seed(&v->disk_chance, story->seed + 1);
    v->disk = memvfs_new(name, clock_fake_ops(&v->clock), rng_seeded_ops(&v->disk_chance));
    free(name);
    v->start_at_ms = INT64_MAX;
    for (size_t i = 0; i < story->devices.n; i++)
        array_push(&v->added, false);
    v->staff = staff_new(story, &(struct staff_ops){.command = staff_command, .ctx = v});
    witness_init(&v->witness, story);
    v->witness.heard = heard;
    v->witness.ctx = v;
    v->truths = ops.truths = truth_new(story);
    v->site = site_new(story, &ops);
    v->scripted = (struct scripted_config){.site = v->site,
                                           .delay_ms = story->delay_ms,
                                           .timeout_ms = (int)story->configuration.timeout_ms,
                                           .retries = story->configuration.retries,
                                           .now_ms = since_start,
                                           .unread = unread,
                                           .tally = count_poll,
                                           .ctx = v};
    for (size_t i = 0; i < VIRTUAL_COLLECTORS; i++)
        v->collector_configs[i] = &v->scripted;
    v->channel_configs[0] = v;
    v->press = (struct press){.folder = options->report_path, .clock = clock_fake_ops(&v->clock)};
    v->renderer = press_ops(&v->press);
    return write_config(v);
}

void virtual_fini(struct virtual *v)
{
    virtual_stop(v);
    site_free(v->site);
    truth_free(v->truths);
    staff_free(v->staff);
    witness_fini(&v->witness);
    array_free(&v->added);
    for (size_t i = 0; i < v->sayings.n; i++) {
        free(v->sayings.v[i]->name);
        free(v->sayings.v[i]->args);
        free(v->sayings.v[i]);
    }
    array_free(&v->sayings);
    memvfs_free(v->disk);
    if (v->config_path != NULL)
        unlink(v->config_path);
    if (v->folder != NULL)
        rmdir(v->folder);
    free(v->config_path);
    free(v->folder);
}
