#include "tests/daemon/rig.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

enum { STEP_MS = 10, WAIT_STEPS = 2000 };

/* ---- What a core is given ---- */

static int64_t now_mono(void *ctx)
{
    return ((struct rig *)ctx)->time.mono;
}

static int64_t one_ms(void *ctx)
{
    (void)ctx;
    return 1;
}

/* The scripted collector, which the test gets hold of. */
static int start_fake(const struct pd_services *services, const void *config, struct pd_collector **out)
{
    int rc = fake_ops.start(services, NULL, out);

    if (rc == 0)
        *(struct pd_collector **)(uintptr_t)config = *out;
    return rc;
}

static void committed(void *ctx, const struct event *events, size_t n)
{
    struct rig *r = ctx;

    if (r->control)
        control_committed(r->control, events[n - 1].number);
}

static struct settings *make_settings(void)
{
    struct settings *s = xcalloc(1, sizeof *s);

    s->site = xstrdup("总部");
    s->time_zone = xstrdup("Asia/Shanghai");
    for (int i = 0; i < PART_COUNT; i++)
        s->every_ms[i] = 60000;
    s->timeout_ms = 2000;
    array_push(&s->credentials,
               ((struct credential){.name = xstrdup("office"), .version = 2, .community = xstrdup("geheim")}));
    return s;
}

static struct knowledge *load_knowledge(const struct settings *s)
{
    const char *root = getenv("srcdir");
    char *dir = xasprintf("%s/tests/watch/knowledge", root ? root : ".");
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    if (knowledge_load((const char *const[]){dir}, 1, s, &k, &report) != 0)
        fail_msg("%s", report.text.s);
    conf_report_free(&report);
    free(dir);
    return k;
}

static void start_core(struct rig *r)
{
    struct settings *settings = make_settings();
    struct core_config config = {
        .services = {.clock = clock_fake_ops(&r->time), .rng = rng_seeded_ops(&r->random), .wheel = r->wheel},
        .settings = settings,
        .knowledge = load_knowledge(settings),
        .database = "patrold.db",
        .vfs = memvfs_name(r->vfs),
        .store_writer = r->writer,
        .store_reader = r->reader,
        .channel_worker = r->channels,
        .flush_ms = 100,
        .collector_ops = r->all_ops,
        .collector_configs = r->configs,
        .ncollectors = 1,
        .committed = committed,
        .ctx = r,
    };
    char *why = NULL;

    r->ops = fake_ops;
    r->ops.start = start_fake;
    r->all_ops[0] = &r->ops;
    r->configs[0] = &r->collector;
    if (core_start(&config, &r->core, &why) != 0)
        fail_msg("%s", why);
}

struct rig *rig_new(void)
{
    struct rig *r = xcalloc(1, sizeof *r);
    char folder[] = "/tmp/patrold-control-XXXXXX";
    struct control_config control = {0};
    char *why = NULL;

    r->time = (struct clock_fake){.wall = INT64_C(1790000000000), .mono = 5000};
    rng_seed(&r->random, 7);
    r->wheel = wheel_new(r->time.mono);
    r->base = event_base_new();
    r->vfs = memvfs_new("control", clock_fake_ops(&r->time), rng_seeded_ops(&r->random));
    r->writer = worker_start_inline(r->wheel, now_mono, one_ms, r);
    r->reader = worker_start_inline(r->wheel, now_mono, one_ms, r);
    r->channels = worker_start_inline(r->wheel, now_mono, one_ms, r);
    start_core(r);
    assert_non_null(mkdtemp(folder));
    r->socket = xasprintf("%s/sock", folder);
    control = (struct control_config){.base = r->base, .core = r->core, .path = r->socket};
    if (control_start(&control, &r->control, &why) != 0)
        fail_msg("%s", why);
    return r;
}

void rig_free(struct rig *r)
{
    control_stop(r->control);
    r->control = NULL;
    core_stop(r->core);
    worker_stop(r->writer, NULL);
    worker_stop(r->reader, NULL);
    worker_stop(r->channels, NULL);
    memvfs_free(r->vfs);
    wheel_free(r->wheel);
    event_base_free(r->base);
    *strrchr(r->socket, '/') = '\0';
    assert_int_equal(rmdir(r->socket), 0);
    free(r->socket);
    free(r);
}

void rig_pass(struct rig *r, int64_t ms)
{
    for (int64_t passed = 0; passed < ms; passed += STEP_MS) {
        event_base_loop(r->base, EVLOOP_NONBLOCK);
        clock_fake_advance(&r->time, STEP_MS);
        wheel_advance(r->wheel, r->time.mono);
    }
    event_base_loop(r->base, EVLOOP_NONBLOCK);
}

/* ---- Commands ---- */

struct outcome {
    bool done;
    int err;
    char *text;
};

static void take_outcome(void *arg, int err, const char *json_or_why)
{
    struct outcome *o = arg;

    *o = (struct outcome){.done = true, .err = err, .text = xstrdup_null(json_or_why)};
}

void rig_command(struct rig *r, const char *name, const char *args)
{
    struct outcome o = {0};

    core_command(r->core, name, args, "rig", take_outcome, &o);
    for (int i = 0; i < WAIT_STEPS && !o.done; i++)
        rig_pass(r, STEP_MS);
    if (!o.done || o.err != 0)
        fail_msg("%s %s: %s", name, args, o.text ? o.text : "no answer");
    free(o.text);
}

void rig_add_devices(struct rig *r, const char *prefix, int n)
{
    for (int i = 1; i <= n; i++) {
        int a = ++r->addresses;
        char *args = xasprintf("{\"name\":\"%s%d\",\"address\":\"10.%d.%d.%d\"}", prefix, i, a >> 16 & 255,
                               a >> 8 & 255, a & 255);

        rig_command(r, "device.add", args);
        free(args);
    }
}

/* ---- Peers ---- */

struct peer *peer_new(struct rig *r, const char *actor)
{
    struct peer *p = xcalloc(1, sizeof *p);
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    p->rig = r;
    p->fd = fds[0];
    control_adopt(r->control, fds[1], actor);
    return p;
}

void peer_free(struct peer *p)
{
    close(p->fd);
    sbuf_free(&p->in);
    free(p);
}

void peer_send_raw(struct peer *p, const void *data, size_t n)
{
    const char *at = data;

    for (int i = 0; n > 0 && i < WAIT_STEPS; i++) {
        ssize_t sent = send(p->fd, at, n, MSG_NOSIGNAL);

        if (sent > 0) {
            at += sent;
            n -= (size_t)sent;
        } else if (errno != EAGAIN) {
            return; /* the control has hung up */
        }
        rig_pass(p->rig, STEP_MS);
    }
}

void peer_send(struct peer *p, const char *text)
{
    struct sbuf line = {0};

    sbuf_addf(&line, "%s\n", text);
    peer_send_raw(p, line.s, line.n);
    sbuf_free(&line);
}

static json_t *cut_line(struct peer *p)
{
    char *end = p->in.n > p->used ? memchr(p->in.s + p->used, '\n', p->in.n - p->used) : NULL;
    json_error_t error;
    json_t *j;
    size_t len;

    if (!end && p->used == 0)
        return NULL;
    if (!end) {
        p->in.n -= p->used;
        memmove(p->in.s, p->in.s + p->used, p->in.n);
        p->used = 0;
        return NULL;
    }
    len = (size_t)(end - p->in.s) - p->used;
    j = json_loadb(p->in.s + p->used, len, 0, &error);
    if (!j)
        fail_msg("%s in %.*s", error.text, (int)len, p->in.s + p->used);
    p->used += len + 1;
    return j;
}

json_t *peer_line(struct peer *p)
{
    for (int i = 0; i < WAIT_STEPS; i++) {
        char chunk[65536];
        json_t *j = cut_line(p);
        ssize_t got;

        if (j || p->ended)
            return j;
        got = recv(p->fd, chunk, sizeof chunk, 0);
        if (got > 0)
            sbuf_addn(&p->in, chunk, (size_t)got);
        else if (got == 0 || errno != EAGAIN)
            p->ended = true;
        else
            rig_pass(p->rig, STEP_MS);
    }
    return NULL;
}

json_t *peer_ask(struct peer *p, const char *text)
{
    json_t *line;

    peer_send(p, text);
    line = peer_line(p);
    if (!line)
        fail_msg("no answer to %.200s", text);
    return line;
}

const char *error_code_of(const json_t *line)
{
    const char *code = json_string_value(json_object_get(json_object_get(line, "error"), "code"));

    return code ? code : "";
}
