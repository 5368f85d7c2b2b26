/*
 * Prints what polling over Modbus TCP costs and how late it is: modbus_bench [-d DEVICES] [-x DEAD] [-s SECONDS]
 *
 * Every device is polled once a second; polls begin in moments 100 ms apart, as those of watch do (watch/rhythm.c). Of the
 * dead ones one half takes connections and never answers, the other takes none (its SYNs are dropped, since the queue of
 * its listener is full). The responder is a child. Figures are of the collector alone, after three seconds in which it
 * learns who is dead.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/err.h"
#include "base/hist.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugin/loop.h"
#include "plugins/modbus/modbus.h"

enum { PERIOD_MS = 1000, MOMENT_MS = 100, WARM_UP_MS = 3000, REGISTERS = 20, FIRST_ADDRESS = 0x7f020001 };

/* Responder and collector run on cores of their own where there are two. */
static void pin(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
        (void)sched_setaffinity(0, sizeof set, &set);
}

/* ---- The responder ---- */

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* A listener of any address; the port that it got. */
static int listen_on(int backlog, uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, backlog) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) < 0)
        die("listen");
    *port = ntohs(a.sin_port);
    return fd;
}

/* Connections that nobody accepts, until no more are taken. */
static void fill_queue(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    for (int i = 0; i < 4; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0 || (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS))
            die("connect");
        usleep(10000); /* kept open */
    }
}

static void answer(int fd)
{
    uint8_t in[512], out[512];
    ssize_t n = read(fd, in, sizeof in);
    size_t count;

    if (n <= 0) {
        close(fd);
        return;
    }
    if (n < 12)
        return;
    count = (size_t)in[10] << 8 | in[11];
    if (count > 125)
        return;
    memcpy(out, in, 8); /* transaction, protocol, length, unit, function */
    out[4] = 0;
    out[5] = (uint8_t)(3 + 2 * count);
    out[8] = (uint8_t)(2 * count);
    for (size_t i = 0; i < 2 * count; i++)
        out[9 + i] = (uint8_t)i;
    if (write(fd, out, 9 + 2 * count) < 0)
        close(fd);
}

/* True of the addresses behind which nobody answers. */
static bool is_silent(int fd, uint32_t silent)
{
    struct sockaddr_in own;
    socklen_t n = sizeof own;

    return getsockname(fd, (struct sockaddr *)&own, &n) == 0 && ntohl(own.sin_addr.s_addr) - FIRST_ADDRESS < silent;
}

static void respond(int listener, uint32_t silent)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, ready[64];
    int ep = epoll_create1(EPOLL_CLOEXEC);

    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(ep, ready, 64, -1);

        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;

            if (fd != listener) {
                answer(fd);
                continue;
            }
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                e = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
                if (!is_silent(fd, silent))
                    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
            }
        }
    }
}

/* ---- The collector ---- */

struct bench {
    struct pd_loop *loop;
    struct pd_collector *collector;
    struct pd_plan *plan;
    int64_t begins_ms, ends_ms; /* of what is measured */
    unsigned long polls, bad, not_ended;
    struct hist late; /* of live devices' answers, in us */
    double cpu;
};

struct target {
    struct bench *bench;
    struct pd_device *device;
    struct pd_read *read;
    struct timer timer;
    int64_t due_ms;
    unsigned values;
    bool dead, reading;
};

static double cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void take(void *arg, const struct pd_cell *cells, size_t n)
{
    struct target *t = arg;

    for (size_t i = 0; i < n; i++)
        t->values += cells[i].type == PD_CELL_UINT;
}

static void poll(void *arg);

static void ended(void *arg, const struct pd_read_result *result)
{
    struct target *t = arg;
    struct bench *b = t->bench;
    const struct pd_services *s = pd_loop_services(b->loop);
    int64_t now = clock_mono(&s->clock);

    t->reading = false;
    if (result->status == PD_READ_CANCELLED)
        return;
    if (t->due_ms >= b->begins_ms) {
        b->polls++;
        if (!t->dead) {
            b->bad += result->status != PD_READ_DONE || t->values != REGISTERS;
            hist_add(&b->late, clock_mono_us(&s->clock) - t->due_ms * 1000);
        }
    }
    t->due_ms += PERIOD_MS;
    while (t->dead && t->due_ms < now) /* its turn is over */
        t->due_ms += PERIOD_MS;
    if (t->due_ms < b->ends_ms)
        wheel_set(s->wheel, &t->timer, t->due_ms);
}

static void poll(void *arg)
{
    struct target *t = arg;
    const struct pd_sink sink = {.cells = take, .end = ended, .arg = t};

    t->values = 0;
    t->reading = true;
    if (pd_modbus_ops.read(t->device, t->bench->plan, UINT32_MAX, &sink, &t->read) < 0)
        abort();
}

static void compile(struct bench *b)
{
    struct pd_source sources[REGISTERS];
    char addresses[REGISTERS][16];
    struct pd_compile_error err;

    for (uint32_t i = 0; i < REGISTERS; i++) {
        snprintf(addresses[i], sizeof addresses[i], "holding %u", i);
        sources[i] = (struct pd_source){.id = i, .address = addresses[i], .file = "bench"};
    }
    if (pd_modbus_ops.compile(b->collector, sources, REGISTERS, &b->plan, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
}

static void begin(void *arg)
{
    struct bench *b = arg;

    b->cpu = cpu_s();
}

static void end(void *arg)
{
    struct bench *b = arg;

    b->cpu = cpu_s() - b->cpu;
    pd_loop_stop(b->loop);
}

struct options {
    uint32_t devices, dead, seconds;
};

static void open_targets(struct bench *b, const struct options *o, struct target *targets, uint16_t live, uint16_t full)
{
    const struct pd_services *s = pd_loop_services(b->loop);
    int64_t now = clock_mono(&s->clock);

    for (uint32_t i = 0; i < o->devices; i++) {
        uint32_t a = FIRST_ADDRESS + i;
        char address[20];
        struct pd_target t = {.name = address, .address = address, .retries = -1};

        snprintf(address, sizeof address, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
        t.port = i >= o->dead / 2 && i < o->dead ? full : live;
        targets[i].bench = b;
        targets[i].dead = i < o->dead;
        targets[i].due_ms = now + (int64_t)i * PERIOD_MS / o->devices / MOMENT_MS * MOMENT_MS;
        timer_init(&targets[i].timer, poll, &targets[i]);
        if (pd_modbus_ops.open(b->collector, &t, &targets[i].device) < 0)
            exit(1);
        wheel_set(s->wheel, &targets[i].timer, targets[i].due_ms);
    }
    b->begins_ms = now + WARM_UP_MS;
    b->ends_ms = b->begins_ms + (int64_t)o->seconds * 1000;
}

static void measure(const struct options *o, uint16_t live, uint16_t full)
{
    struct target *targets = xcalloc(o->devices, sizeof *targets);
    struct bench b = {0};
    struct timer begins, ends;

    if (pd_loop_new(&clock_system, &rng_system, &b.loop) < 0 ||
        pd_modbus_ops.start(pd_loop_services(b.loop), NULL, &b.collector) < 0)
        exit(1);
    compile(&b);
    open_targets(&b, o, targets, live, full);
    timer_init(&begins, begin, &b);
    timer_init(&ends, end, &b);
    wheel_set(pd_loop_services(b.loop)->wheel, &begins, b.begins_ms);
    wheel_set(pd_loop_services(b.loop)->wheel, &ends, b.ends_ms + PERIOD_MS);
    pd_loop_run(b.loop);
    for (uint32_t i = o->dead; i < o->devices; i++)
        b.not_ended += targets[i].reading;
    printf("devices=%u dead=%u polls=%lu bad=%lu not_ended=%lu us_per_poll=%.2f late_p99_ms=%.1f late_max_ms=%.1f\n",
           o->devices, o->dead, b.polls, b.bad, b.not_ended, b.polls ? b.cpu * 1e6 / (double)b.polls : 0,
           (double)hist_quantile(&b.late, 0.99) / 1000, (double)hist_quantile(&b.late, 1) / 1000);
    pd_modbus_ops.stop(b.collector);
    pd_modbus_ops.plan_free(b.plan);
    pd_loop_free(b.loop);
    free(targets);
}

int main(int argc, char **argv)
{
    struct options o = {.devices = 1000, .dead = 100, .seconds = 10};
    uint16_t live, full;
    int listener, filled;
    pid_t pid;

    for (int c; (c = getopt(argc, argv, "d:x:s:")) != -1;) {
        if (c == '?') {
            fprintf(stderr, "modbus_bench [-d DEVICES] [-x DEAD] [-s SECONDS]\n");
            return 2;
        }
        *(c == 'd' ? &o.devices : c == 'x' ? &o.dead : &o.seconds) = (uint32_t)strtoul(optarg, NULL, 10);
    }
    listener = listen_on(4096, &live);
    filled = listen_on(0, &full);
    fill_queue(full);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pin(0);
        respond(listener, o.dead / 2);
    }
    close(listener);
    pin(1);
    log_set_level(LOG_LEVEL_ERROR);
    measure(&o, live, full);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(filled);
    return 0;
}
