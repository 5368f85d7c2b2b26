/*
 * Prints what polling alone costs: engine_bench [-p PORT] [-d DEVICES] [-c AT-ONCE] [-n ROUNDS] [-f IN-FLIGHT]
 *
 * The SNMP collector reads 121 values from each of the devices 127.1.0.1 and up, which all answer at one port; nothing
 * is judged or stored. The first round, in which it learns what the devices can do, is not measured.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugin/loop.h"
#include "plugins/snmp/snmp.h"

enum { USEFUL = 121, FIRST_ADDRESS = 0x7f010001 };

static const char *const scalars[] = {
    "1.3.6.1.2.1.1.1.0",        "1.3.6.1.2.1.1.3.0",        "1.3.6.1.2.1.1.5.0",           "1.3.6.1.2.1.25.3.2.1.5.1",
    "1.3.6.1.2.1.25.3.5.1.1.1", "1.3.6.1.2.1.25.3.5.1.2.1", "1.3.6.1.2.1.43.10.2.1.4.1.1", "1.3.6.1.2.1.2.1.0",
    "1.3.6.1.2.1.2.2.1.8.1",    "1.3.6.1.2.1.2.2.1.14.1",
};
static const char *const columns[] = {
    "1.3.6.1.2.1.43.11.1.1.6", "1.3.6.1.2.1.43.11.1.1.8", "1.3.6.1.2.1.43.11.1.1.9", "1.3.6.1.2.1.31.1.1.1.6",
    "1.3.6.1.2.1.31.1.1.1.10", "1.3.6.1.2.1.2.2.1.14",    "1.3.6.1.2.1.2.2.1.20",
};
enum { SCALARS = sizeof scalars / sizeof *scalars, COLUMNS = sizeof columns / sizeof *columns };

struct bench {
    struct pd_loop *loop;
    struct pd_collector *collector;
    struct pd_plan *plan;
    struct target *targets;
    size_t ntargets, at_once, next, ended;
    unsigned long ok, failed, values, requests, repeated;
};

struct target {
    struct bench *bench;
    struct pd_device *device;
    struct pd_read *read;
    unsigned values;
    uint64_t sum; /* the values are looked at */
};

static void take(void *arg, const struct pd_cell *cells, size_t n)
{
    struct target *t = arg;

    for (size_t i = 0; i < n; i++) {
        t->sum += cells[i].type == PD_CELL_BYTES ? cells[i].nbytes : cells[i].u;
        t->values += cells[i].type != PD_CELL_ABSENT && cells[i].type != PD_CELL_INVALID;
    }
}

static void start(struct target *t);

static void ended(void *arg, const struct pd_read_result *result)
{
    struct target *t = arg;
    struct bench *b = t->bench;

    b->requests += result->requests;
    b->repeated += result->retries;
    b->values += t->values;
    if (result->status == PD_READ_DONE && t->values == USEFUL)
        b->ok++;
    else if (b->failed++ < 5)
        fprintf(stderr, "a read ended with %u values: %s\n", t->values, result->detail ? result->detail : "no trouble");
    if (b->next < b->ntargets)
        start(&b->targets[b->next++]);
    if (++b->ended == b->ntargets)
        pd_loop_stop(b->loop);
}

static void start(struct target *t)
{
    const struct pd_sink sink = {.cells = take, .end = ended, .arg = t};

    t->values = 0;
    if (pd_snmp_ops.read(t->device, t->bench->plan, UINT32_MAX, &sink, &t->read) < 0)
        abort();
}

static void round_of_all(struct bench *b)
{
    b->next = b->ended = 0;
    while (b->next < b->at_once && b->next < b->ntargets)
        start(&b->targets[b->next++]);
    pd_loop_run(b->loop);
}

static void compile(struct bench *b)
{
    struct pd_source sources[SCALARS + COLUMNS];
    struct pd_compile_error err;

    for (uint32_t i = 0; i < SCALARS + COLUMNS; i++)
        sources[i] = (struct pd_source){.id = i,
                                        .address = i < SCALARS ? scalars[i] : columns[i - SCALARS],
                                        .table = i >= SCALARS,
                                        .file = "bench"};
    if (pd_snmp_ops.compile(b->collector, sources, SCALARS + COLUMNS, &b->plan, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
}

static void open_targets(struct bench *b, uint16_t port, uint16_t in_flight)
{
    b->targets = xcalloc(b->ntargets, sizeof *b->targets);
    for (uint32_t i = 0; i < b->ntargets; i++) {
        uint32_t a = FIRST_ADDRESS + i;
        char address[20];
        struct pd_target t = {.name = address,
                              .address = address,
                              .port = port,
                              .version = 2,
                              .community = "public",
                              .retries = -1,
                              .in_flight = in_flight};

        snprintf(address, sizeof address, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
        b->targets[i].bench = b;
        if (pd_snmp_ops.open(b->collector, &t, &b->targets[i].device) < 0)
            exit(1);
    }
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return seconds(u.ru_utime) + seconds(u.ru_stime);
}

static long rss_kb(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

struct options {
    size_t devices, at_once;
    unsigned rounds;
    uint16_t port, in_flight;
};

static int read_options(int argc, char **argv, struct options *out)
{
    for (int o; (o = getopt(argc, argv, "p:d:c:n:f:")) != -1;) {
        unsigned long n = o == '?' ? 0 : strtoul(optarg, NULL, 10);

        switch (o) {
        case 'p':
            out->port = (uint16_t)n;
            break;
        case 'd':
            out->devices = n;
            break;
        case 'c':
            out->at_once = n;
            break;
        case 'n':
            out->rounds = (unsigned)n;
            break;
        case 'f':
            out->in_flight = (uint16_t)n;
            break;
        default:
            return -1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options o = {.devices = 1000, .at_once = 1000, .rounds = 10, .port = 1610};
    struct bench b = {0};
    double cpu, wall;

    if (read_options(argc, argv, &o) < 0) {
        fprintf(stderr, "engine_bench [-p PORT] [-d DEVICES] [-c AT-ONCE] [-n ROUNDS] [-f IN-FLIGHT]\n");
        return 2;
    }
    b.ntargets = o.devices;
    b.at_once = o.at_once;
    if (pd_loop_new(&clock_system, &rng_system, &b.loop) < 0 ||
        pd_snmp_ops.start(pd_loop_services(b.loop), NULL, &b.collector) < 0)
        return 1;
    compile(&b);
    open_targets(&b, o.port, o.in_flight);
    round_of_all(&b);
    b.ok = b.failed = b.values = b.requests = b.repeated = 0;
    cpu = cpu_s();
    wall = (double)clock_mono_us(&clock_system) / 1e6;
    for (unsigned i = 0; i < o.rounds; i++)
        round_of_all(&b);
    cpu = cpu_s() - cpu;
    wall = (double)clock_mono_us(&clock_system) / 1e6 - wall;
    printf("patrold-engine D=%zu rounds=%u ok=%lu fail=%lu vb=%lu reqs=%lu repeated=%lu dev/s=%.0f cpu_s=%.3f "
           "cpu_ms/kvb=%.4f "
           "cpu_us/dev=%.2f reqs/dev=%.2f rss_kb=%ld\n",
           o.devices, o.rounds, b.ok, b.failed, b.values, b.requests, b.repeated, (double)b.ok / wall, cpu,
           b.values ? cpu * 1e6 / (double)b.values : 0, b.ok ? cpu * 1e6 / (double)b.ok : 0,
           b.ok ? (double)b.requests / (double)b.ok : 0, rss_kb());
    pd_snmp_ops.stop(b.collector);
    pd_snmp_ops.plan_free(b.plan);
    pd_loop_free(b.loop);
    free(b.targets);
    return b.failed > 0;
}
