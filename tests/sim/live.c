#include "live.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "dbcheck.h"
#include "farm.h"
#include "child.h"
#include "plugin/loop.h"
#include "settings.h"
#include "sink.h"

/* A request in so many may be lost for good before nothing is expected: nobody knows here which ones were. */
#define UNBEARABLE 2e-6

struct live {
    const struct story *story;
    const struct live_options *options;
    struct sbuf *out;
    struct run_result *result;
    struct pd_loop *loop;
    const struct pd_services *services;
    struct rng_seeded chance;
    struct pd_rng rng;
    struct site *site;
    struct farm *farm;
    struct sink *sink;
    struct child *patrol;
    struct truths *truths;
    struct witness witness;
    struct timer end, restart;
    int64_t wall_start_ms; /* when the story began */
    bool introduced;       /* patrold was told of the devices */
    bool over;
    char folder[32];
};

static void problem(struct live *v, const char *what, const char *why)
{
    sbuf_addf(v->out, "problem: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    v->result->problems++;
}

static int64_t now(const struct live *v)
{
    return farm_now(v->farm);
}

/* ---- What the site tells ---- */

static void killed(void *ctx, int64_t down_ms)
{
    struct live *v = ctx;

    child_kill(v->patrol);
    truth_patrold(v->truths, false, now(v));
    witness_killed(&v->witness);
    wheel_set(v->services->wheel, &v->restart, clock_mono(&v->services->clock) + down_ms);
}

static void command(void *ctx, const char *name, const char *args)
{
    child_command(((struct live *)ctx)->patrol, name, args);
}

static void clock_step(void *ctx, int64_t ms)
{
    (void)ctx, (void)ms; /* refused before the start */
}

/* ---- What patrold tells ---- */

static void start_patrold(void *arg)
{
    struct live *v = arg;

    if (child_start(v->patrol, v->witness.last_event) < 0)
        problem(v, "patrold does not start", NULL);
}

/* It runs from when it knows its devices. */
static void ready(void *ctx)
{
    struct live *v = ctx;

    truth_patrold(v->truths, true, now(v));
    for (size_t i = 0; i < v->story->devices.n && !v->introduced; i++) {
        struct sbuf args = {0};

        story_device_args(&args, v->story, i, &v->options->ports);
        child_command(v->patrol, "device.add", args.s);
        sbuf_free(&args);
    }
    v->introduced = true;
}

static void event(void *ctx, int64_t number, int64_t at_ms, const char *kind, int64_t device_id, int64_t alert_id,
                  int64_t ticket_id, const char *args, bool old)
{
    struct live *v = ctx;

    witness_event(&v->witness, number, kind, device_id, alert_id, ticket_id, args,
                  old ? at_ms - v->wall_start_ms : now(v));
}

static void refused(void *ctx, const char *why)
{
    problem(ctx, "patrold refuses a command", why);
}

static void died(void *ctx, int status)
{
    struct live *v = ctx;
    char *how =
        WIFSIGNALED(status) ? xasprintf("signal %d", WTERMSIG(status)) : xasprintf("exit %d", WEXITSTATUS(status));

    problem(v, "patrold ended by itself", how);
    free(how);
    pd_loop_stop(v->loop);
}

static void mail(void *ctx, const char *id, const char *to, const char *subject)
{
    struct live *v = ctx;

    witness_mail(&v->witness, id, to, subject, now(v));
}

static void story_over(void *arg)
{
    struct live *v = arg;

    v->over = true;
    pd_loop_stop(v->loop);
}

/* ---- The stage ---- */

static char *path_of(const struct live *v, const char *name)
{
    return xasprintf("%s/%s", v->folder, name);
}

/* What a happening would mean for pings of its device. */
enum ping { PING_NOTHING, PING_ONLY, PING_SILENT };

static enum ping ping_of(const struct story *story, const struct happening *h)
{
    if (h->device >= 0 && story_is_unit(story, (size_t)h->device))
        return PING_NOTHING; /* units of a gateway are not pinged */
    switch (h->kind) {
    case HAPPENS_SNMP_SILENT:
        return PING_ONLY;
    case HAPPENS_DEVICE_OFF:
    case HAPPENS_ASLEEP:
    case HAPPENS_ADDRESS_MOVED:
        return PING_SILENT;
    default:
        return PING_NOTHING;
    }
}

/*
 * The kernel answers at every loopback address, for devices that are off as well: patrold pings only where a story's
 * devices always do.
 */
static bool story_pings(const struct story *story)
{
    for (size_t i = 0; i < story->happenings.n; i++)
        if (ping_of(story, &story->happenings.v[i]) == PING_ONLY)
            return true;
    return false;
}

static int write_config(struct live *v, unsigned mail_port)
{
    char *database = path_of(v, "patrold.db"), *sock = path_of(v, "patrold.sock"), *config = path_of(v, "patrold.yaml");
    char *url = xasprintf("smtp://127.0.0.1:%u", mail_port);
    char *knowledge = realpath(v->options->knowledge, NULL); /* seen from the configuration's folder */
    const struct site_paths paths = {.database = database,
                                     .socket = sock,
                                     .knowledge = knowledge ? knowledge : v->options->knowledge,
                                     .mail_url = url,
                                     .no_ping = !story_pings(v->story)};
    struct sbuf text = {0};
    int rc;

    story_settings(&text, v->story, &paths);
    rc = file_write_whole(config, text.s, text.n, 0600);
    if (rc < 0)
        problem(v, config, pd_strerror(rc));
    sbuf_free(&text);
    free(database);
    free(sock);
    free(config);
    free(url);
    free(knowledge);
    return rc;
}

static int start(struct live *v)
{
    const struct site_ops site = {.truths = v->truths,
                                  .blind_chance = UNBEARABLE,
                                  .killed = killed,
                                  .clock_step = clock_step,
                                  .command = command,
                                  .ctx = v};
    const struct child_ops patrol = {.event = event, .ready = ready, .refused = refused, .died = died, .ctx = v};
    const struct sink_ops sink = {.mail = mail, .ctx = v};
    unsigned mail_port = 0;
    char *why = NULL;
    int rc = sink_start(v->services, &sink, &v->sink, &mail_port);

    if (rc < 0) {
        problem(v, "the mail server does not start", pd_strerror(rc));
        return rc;
    }
    rc = write_config(v, mail_port);
    if (rc < 0)
        return rc;
    v->patrol = child_new(v->services, v->options->patrold, v->folder, &patrol);
    v->site = site_new(v->story, &site);
    rc = farm_start(v->services, v->site, &v->options->ports, &v->farm, &why);
    if (rc < 0)
        problem(v, "the devices cannot be served", why);
    free(why);
    return rc;
}

static int live_through(struct live *v)
{
    int rc = start(v), code;

    if (rc < 0)
        return rc;
    v->wall_start_ms = clock_wall(&v->services->clock) - now(v);
    timer_init(&v->end, story_over, v);
    timer_init(&v->restart, start_patrold, v);
    wheel_set(v->services->wheel, &v->end, clock_mono(&v->services->clock) + v->story->length_ms - now(v));
    start_patrold(v);
    rc = pd_loop_run(v->loop);
    if (rc < 0 || !v->over)
        return PD_EIO;
    code = child_end(v->patrol);
    if (code != 0)
        problem(v, "patrold did not end well when asked to", NULL);
    return 0;
}

/* ---- The end ---- */

static void conclude(struct live *v)
{
    struct expectations expected_ones = {0};
    char *database = path_of(v, "patrold.db");
    struct judgement j = {0};

    if (dbcheck_catch_up(database, NULL, &v->witness, v->story->length_ms) < 0)
        problem(v, "the database cannot be read", database);
    v->result->problems += dbcheck(database, NULL, &v->witness, v->out);
    site_end(v->site, v->story->length_ms);
    truth_finish(v->truths, v->story->length_ms, &expected_ones);
    judge(v->story, &expected_ones, &v->witness, &j);
    judge_table(v->out, v->story, &j, true);
    for (size_t i = 0; i < v->witness.repeated.n; i++)
        sbuf_addf(v->out, "  doubled: %s\n", v->witness.repeated.v[i]);
    v->result->tally = j.tally;
    v->result->events = v->witness.events;
    v->result->tickets = v->witness.tickets;
    v->result->mails = v->witness.mails.n;
    judgement_free(&j);
    expectations_free(&expected_ones);
    free(database);
}

static void remove_folder(const struct live *v)
{
    DIR *dir = opendir(v->folder);
    const struct dirent *e;

    while (dir != NULL && (e = readdir(dir)) != NULL)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(dir), e->d_name, 0);
    if (dir != NULL)
        closedir(dir);
    rmdir(v->folder);
}

static void clean_up(struct live *v, bool keep)
{
    child_free(v->patrol);
    farm_stop(v->farm);
    sink_stop(v->sink);
    site_free(v->site);
    truth_free(v->truths);
    witness_fini(&v->witness);
    pd_loop_free(v->loop);
    if (keep)
        sbuf_addf(v->out, "problem: to look at: %s\n", v->folder);
    else
        remove_folder(v);
}

static int refuse(const struct story *story, const struct happening *h, const char *why, struct sbuf *out)
{
    sbuf_addf(out, "%s:%d:1: error: %s\n", story->path, h->line, why);
    return PD_ENOTSUP;
}

static int check_story(const struct story *story, struct sbuf *out)
{
    bool pings = story_pings(story);

    for (size_t i = 0; i < story->happenings.n; i++) {
        const struct happening *h = &story->happenings.v[i];

        if (h->kind == HAPPENS_CLOCK_STEP)
            return refuse(story, h, "this computer's clock is not ours to move: no clock-step in real time", out);
        if (pings && ping_of(story, h) == PING_SILENT)
            return refuse(story, h,
                          "the kernel answers pings for this device whatever befalls it: not in one story in real time "
                          "with a device that is silent but pings",
                          out);
    }
    return 0;
}

int live_story(const struct story *story, const struct live_options *options, struct sbuf *out,
               struct run_result *result)
{
    struct live v = {.story = story, .options = options, .out = out, .result = result};
    int rc = check_story(story, out);

    *result = (struct run_result){0};
    if (rc < 0)
        return rc;
    memcpy(v.folder, "/tmp/patrol-sim.XXXXXX", sizeof "/tmp/patrol-sim.XXXXXX");
    rng_seed(&v.chance, story->seed);
    v.rng = rng_seeded_ops(&v.chance);
    if (mkdtemp(v.folder) == NULL || pd_loop_new(&clock_system, &v.rng, &v.loop) < 0) {
        problem(&v, "nowhere to live", v.folder);
        return PD_EIO;
    }
    v.services = pd_loop_services(v.loop);
    witness_init(&v.witness, story);
    v.truths = truth_new(story);
    rc = live_through(&v);
    if (rc == 0)
        conclude(&v);
    clean_up(&v, rc < 0 || result->problems > 0 || !tally_clean(&result->tally));
    return rc;
}
