/*
 * patrold: the composition root. Everything is made here in one ordered list and
 * taken down in the reverse; all that decides is in the rooms below.
 */
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/worker.h"
#include "daemon/collectors.h"
#include "daemon/control.h"
#include "daemon/core.h"
#include "daemon/journal.h"
#include "daemon/rights.h"
#include "daemon/service.h"
#include "plugin/loop.h"
#include "plugins/icmp/icmp.h"
#include "plugins/mail/mail.h"
#include "store/store.h"

enum { EXIT_WRONG_CONFIG = 2, CHANNEL_THREADS = 2, FLUSH_MS = 1000, MAX_TRAP_SOCKETS = 16 };

static const struct pd_channel_ops *const channel_ops[] = {&pd_mail_ops};

struct options {
    const char *config;
    bool check, verbose;
};

/* Everything that runs; what is NULL or -1 was not started. */
struct patrold {
    const struct options *options;
    struct pd_icmp_sockets icmp; /* until core takes them */
    int traps[MAX_TRAP_SOCKETS]; /* likewise */
    size_t ntraps;
    struct settings *settings;   /* until core takes them */
    struct knowledge *knowledge; /* likewise */
    struct pd_loop *loop;
    struct worker *writer, *reader, *channels;
    struct pd_watch *watches[3]; /* of the workers' descriptors */
    struct child_renderer *renderer;
    struct core *core;
    struct control *control;
    struct event *signals[3];
    struct service *service;
};

/* ---- Configuration ---- */

/* Reads settings and the knowledge they name. On error *text (free it) holds every message. */
static int load_configuration(const char *path, struct settings **settings, struct knowledge **knowledge, char **text)
{
    struct conf_report report = {0};
    struct settings *s = NULL;
    int rc = settings_load(path, &s, &report);

    if (rc == 0)
        store_read_points(s->database, NULL, &s->numbers);
    if (rc == 0)
        rc = knowledge_load((const char *const *)s->knowledge_dirs.v, s->knowledge_dirs.n, s, knowledge, &report);
    if (rc == 0 && (rc = patrol_check_plans(s, *knowledge, &report)) < 0)
        knowledge_free(*knowledge);
    if (rc == 0)
        *settings = s;
    else
        settings_free(s);
    *text = NULL;
    if (report.text.n > 0)
        *text = sbuf_take(&report.text);
    else if (rc < 0)
        *text = xasprintf("%s: %s\n", path, pd_strerror(rc));
    conf_report_free(&report);
    return rc;
}

static void set_level(const struct patrold *p, const struct settings *s)
{
    log_set_level(p->options->verbose ? LOG_LEVEL_DEBUG : s->log_level);
}

/* A log line for each line of the text. */
static void log_lines(void (*put)(const char *sub, const char *fmt, ...), const char *text)
{
    for (size_t n; *text; text += n + (text[n] == '\n')) {
        n = strcspn(text, "\n");
        put("daemon", "%.*s", (int)n, text);
    }
}

/* A bad file changes nothing. *text: JSON for the one who asked, or what is wrong. */
static int take_new_configuration(struct patrold *p, char **text)
{
    struct settings *settings = NULL;
    struct knowledge *knowledge = NULL;
    int rc = load_configuration(p->options->config, &settings, &knowledge, text);

    if (rc < 0) {
        log_about(LOG_LEVEL_ERROR, "daemon", &(struct log_about){.kind = LOG_KIND_CONFIG_REFUSED},
                  "the configuration stays as it is; the new one has errors:");
        log_lines(log_error, *text);
        return rc;
    }
    assert(settings && knowledge);
    if (*text)
        log_lines(log_warn, *text);
    free(*text);
    *text = xasprintf("{\"hash\":\"%s\"}", knowledge->hash);
    set_level(p, settings);
    if (str_eq(knowledge->hash, core_knowledge(p->core)->hash)) {
        knowledge_free(knowledge);
        knowledge = NULL;
    }
    core_reload(p->core, settings, knowledge);
    log_about(LOG_LEVEL_INFO, "daemon", &(struct log_about){.kind = LOG_KIND_RELOADED}, "configuration read again");
    return 0;
}

/* Whoever asked for it, the service manager knows. */
static int reload(void *ctx, char **text)
{
    const struct patrold *p = ctx;
    int rc;

    service_reloading(&pd_loop_services(p->loop)->clock);
    rc = take_new_configuration(ctx, text);
    service_ready(rc == 0 ? "at work" : "at work; the last reload was refused, see the log");
    return rc;
}

/* ---- Start ---- */

static int start_configuration(struct patrold *p)
{
    char *text;
    int rc = load_configuration(p->options->config, &p->settings, &p->knowledge, &text);

    if (text)
        fputs(text, stderr);
    free(text);
    if (rc == 0)
        set_level(p, p->settings);
    return rc < 0 ? EXIT_WRONG_CONFIG : 0;
}

static int start_loop(struct patrold *p)
{
    int rc = pd_loop_new(&clock_system, &rng_system, &p->loop);

    if (rc < 0)
        log_error("daemon", "the event loop does not start: %s", pd_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : 0;
}

static void reap(void *arg)
{
    worker_reap(arg);
}

static int start_workers(struct patrold *p)
{
    const struct pd_services *services = pd_loop_services(p->loop);
    const struct {
        struct worker **worker;
        unsigned threads;
    } workers[] = {{&p->writer, 1}, {&p->reader, 1}, {&p->channels, CHANNEL_THREADS}};

    for (size_t i = 0; i < sizeof workers / sizeof *workers; i++) {
        int rc = worker_start(workers[i].threads, workers[i].worker);

        if (rc < 0) {
            log_error("daemon", "no thread can be started: %s", pd_strerror(rc));
            return EXIT_FAILURE;
        }
        p->watches[i] = services->watch_read(services->loop, worker_fd(*workers[i].worker), reap, *workers[i].worker);
    }
    return 0;
}

/* Tails are told what is on disk. */
static void committed(void *ctx, const struct event *events, size_t n)
{
    const struct patrold *p = ctx;

    if (p->control)
        control_committed(p->control, events[n - 1].number);
}

static int start_core(struct patrold *p)
{
    const struct renderer renderer = child_renderer_ops(p->renderer = child_renderer_new(pd_loop_services(p->loop)));
    struct collector_configs *collectors = collector_configs_new(p->settings, &p->icmp, p->traps, p->ntraps);
    const struct core_config config = {
        .services = *pd_loop_services(p->loop),
        .settings = p->settings,
        .knowledge = p->knowledge,
        .store_writer = p->writer,
        .store_reader = p->reader,
        .channel_worker = p->channels,
        .flush_ms = FLUSH_MS,
        .collector_ops = collector_table,
        .collector_configs = collector_configs_list(collectors),
        .ncollectors = COLLECTOR_COUNT,
        .channel_ops = channel_ops,
        .nchannels = sizeof channel_ops / sizeof *channel_ops,
        .renderer = &renderer,
        .committed = committed,
        .ctx = p,
        .loop_latency = pd_loop_latency(p->loop),
        .loop_turns = pd_loop_turns(p->loop),
    };
    char *why = NULL;
    int rc;

    p->settings = NULL;
    p->knowledge = NULL;
    rc = core_start(&config, &p->core, &why);
    collector_configs_free(collectors);
    if (rc < 0)
        log_error("daemon", "%s", why ? why : pd_strerror(rc));
    free(why);
    return rc < 0 ? EXIT_FAILURE : 0;
}

static int start_control(struct patrold *p)
{
    const struct control_config config = {
        .base = pd_loop_base(p->loop),
        .core = p->core,
        .path = core_settings(p->core)->socket,
        .reload = reload,
        .ctx = p,
    };
    char *why = NULL;
    int rc = control_start(&config, &p->control, &why);

    if (rc < 0)
        log_error("daemon", "%s", why ? why : pd_strerror(rc));
    free(why);
    return rc < 0 ? EXIT_FAILURE : 0;
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
    struct patrold *p = arg;

    (void)what;
    log_about(LOG_LEVEL_INFO, "daemon", &(struct log_about){.kind = LOG_KIND_STOPPING}, "stopping: %s", strsignal(sig));
    service_stopping();
    pd_loop_stop(p->loop);
}

static void on_hangup(evutil_socket_t sig, short what, void *arg)
{
    char *text = NULL;

    (void)sig;
    (void)what;
    reload(arg, &text);
    free(text);
}

static int start_signals(struct patrold *p)
{
    struct event_base *base = pd_loop_base(p->loop);

    p->signals[0] = evsignal_new(base, SIGTERM, on_stop, p);
    p->signals[1] = evsignal_new(base, SIGINT, on_stop, p);
    p->signals[2] = evsignal_new(base, SIGHUP, on_hangup, p);
    for (size_t i = 0; i < sizeof p->signals / sizeof *p->signals; i++) {
        if (!p->signals[i] || event_add(p->signals[i], NULL) != 0) {
            log_error("daemon", "signals cannot be caught");
            return EXIT_FAILURE;
        }
    }
    return 0;
}

static int start_service(struct patrold *p)
{
    p->service = service_start(pd_loop_services(p->loop));
    service_ready("at work");
    log_about(LOG_LEVEL_INFO, "daemon", &(struct log_about){.kind = LOG_KIND_UP},
              "patrold " PACKAGE_VERSION " is up: %s", core_settings(p->core)->socket);
    return 0;
}

/* ---- Stop: the reverse ---- */

/* Signals stay caught to the end: another one neither hastens nor cuts short what is written and sent now. */
static void stop_all(struct patrold *p)
{
    service_stop(p->service);
    control_stop(p->control);
    p->control = NULL; /* the last commits are still told */
    core_stop(p->core);
    child_renderer_free(p->renderer);
    for (size_t i = 0; i < sizeof p->watches / sizeof *p->watches; i++)
        if (p->watches[i])
            pd_loop_services(p->loop)->unwatch(p->watches[i]);
    if (p->channels)
        worker_stop(p->channels, notify_drop_job);
    if (p->reader)
        worker_stop(p->reader, NULL);
    if (p->writer)
        worker_stop(p->writer, NULL);
    for (size_t i = 0; i < sizeof p->signals / sizeof *p->signals; i++)
        if (p->signals[i])
            event_free(p->signals[i]);
    pd_loop_free(p->loop);
    knowledge_free(p->knowledge);
    settings_free(p->settings);
}

/* ---- Command line ---- */

static void usage(FILE *out)
{
    fputs("usage: patrold [-c FILE] [--check-config] [-v]\n"
          "  -c, --config FILE   settings (" PATROLD_CONFIG ")\n"
          "      --check-config  read the configuration, tell every error, and end\n"
          "  -v, --verbose       log everything\n"
          "      --help, --version\n",
          out);
}

/* -1: go on; else an exit code. */
static int parse_options(int argc, char **argv, struct options *o)
{
    enum { CHECK = 256, HELP, VERSION };
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'}, {"check-config", no_argument, NULL, CHECK},
        {"verbose", no_argument, NULL, 'v'},      {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},  {0},
    };
    int opt;

    while ((opt = getopt_long(argc, argv, "c:v", longs, NULL)) != -1) {
        switch (opt) {
        case 'c':
            o->config = optarg;
            break;
        case 'v':
            o->verbose = true;
            break;
        case CHECK:
            o->check = true;
            break;
        case HELP:
            usage(stdout);
            return EXIT_SUCCESS;
        case VERSION:
            puts("patrold " PACKAGE_VERSION);
            return EXIT_SUCCESS;
        default:
            usage(stderr);
            return EXIT_WRONG_CONFIG;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "patrold: one word too many: %s\n", argv[optind]);
        usage(stderr);
        return EXIT_WRONG_CONFIG;
    }
    return -1;
}

static int run(struct patrold *p)
{
    static int (*const start[])(struct patrold * p) = {start_loop, start_signals, start_workers,
                                                       start_core, start_control, start_service};
    int code = start_configuration(p);

    if (code != 0 || p->options->check)
        return code;
    for (size_t i = 0; i < sizeof start / sizeof *start; i++) {
        code = start[i](p);
        if (code != 0)
            return code;
    }
    return pd_loop_run(p->loop) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct options options = {.config = PATROLD_CONFIG};
    struct patrold p = {.options = &options};
    int code = parse_options(argc, argv, &options);

    if (code >= 0)
        return code;
    signal(SIGPIPE, SIG_IGN);
    if (journal_is_stderr())
        log_set_sink(journal_write, NULL);
    if (rights_settle(argv, &p.icmp) < 0)
        return EXIT_FAILURE;
    service_harden();
    p.ntraps = service_sockets(p.traps, MAX_TRAP_SOCKETS);
    code = run(&p);
    stop_all(&p);
    return code;
}
