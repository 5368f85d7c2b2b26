/*
 * Prints what polling alone costs:
 *
 *     engine_bench [-p PORT] [-d DEVICES] [-c AT-ONCE] [-n ROUNDS] [-f IN-FLIGHT] [-V VERSION] [-t MS] [-k] [-w]
 *
 * The SNMP collector reads 121 values from each of the devices 127.1.0.1 and up, which all answer at one port; nothing
 * is judged or stored. The first round, in which it learns what the devices can do, is not measured. With -k each value
 * is compared with what a device of v3_farm can have said since it was asked, which costs more than reading it.
 *
 * With -w nobody waits for a round to end: whoever was read is read again at once.
 *
 * `gaps` are reads that miss something, of them `silent` those without any answer; `down` is how often a device was
 * silent three times in a row; first_live_s is when in the first round all were read that answer. The result is 1 where anything was wrong, or missing though nothing had to be repeated.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bench/farm.h"
#include "plugin/loop.h"
#include "plugins/snmp/snmp.h"

enum { DOWN = 3 }; /* silent reads in a row */

struct bench {
    struct pd_loop *loop;
    struct pd_collector *collector;
    struct pd_plan *plan;
    struct target *targets;
    struct farm *farm; /* NULL: values are not compared */
    size_t ntargets, at_once, next, ended;
    struct counts {
        int64_t live_us; /* when the last whole one ended */
        unsigned long ok, gaps, silent, down, wrong, values, requests, repeated;
    } counts;
};

struct target {
    struct bench *bench;
    struct pd_device *device;
    struct pd_read *read;
    uint32_t address;
    int64_t asked_ms;
    unsigned values, silent, again; /* how often it is to be read again, now */
    uint64_t sum;                   /* the values are looked at */
};

static void compare(struct target *t, const struct pd_cell *cell)
{
    const char *name = farm_polled[cell->source];

    if (cell->type == PD_CELL_ABSENT ||
        farm_said(t->bench->farm, name, cell, t->address, t->asked_ms, clock_mono(&clock_system)))
        return;
    if (t->bench->counts.wrong++ < 5)
        fprintf(stderr, "127.x device %u: a wrong value at %s, row %u\n", t->address - FARM_FIRST, name,
                cell->ninstance ? cell->instance[cell->ninstance - 1] : 0);
}

static void take(void *arg, const struct pd_cell *cells, size_t n)
{
    struct target *t = arg;

    for (size_t i = 0; i < n; i++) {
        t->sum += cells[i].type == PD_CELL_BYTES ? cells[i].nbytes : cells[i].u;
        t->values += cells[i].type != PD_CELL_ABSENT && cells[i].type != PD_CELL_INVALID;
        if (t->bench->farm)
            compare(t, &cells[i]);
    }
}

static void start(struct target *t);

static void ended(void *arg, const struct pd_read_result *result)
{
    struct target *t = arg;
    struct bench *b = t->bench;
    struct counts *c = &b->counts;

    c->requests += result->requests;
    c->repeated += result->retries;
    c->values += t->values;
    if (result->status == PD_READ_DONE && t->values == FARM_USEFUL) {
        c->ok++;
        c->live_us = clock_mono_us(&clock_system);
    } else if (c->gaps++ < 5)
        fprintf(stderr, "a read ended with %u values: %s\n", t->values, result->detail ? result->detail : "no trouble");
    if (result->status == PD_READ_NOANSWER) {
        c->silent++;
        c->down += ++t->silent == DOWN;
    } else {
        t->silent = 0;
    }
    if (t->again > 0) {
        t->again--;
        start(t);
        return;
    }
    if (b->next < b->ntargets)
        start(&b->targets[b->next++]);
    if (++b->ended == b->ntargets)
        pd_loop_stop(b->loop);
}

static void start(struct target *t)
{
    const struct pd_sink sink = {.cells = take, .end = ended, .arg = t};

    t->values = 0;
    t->asked_ms = clock_mono(&clock_system);
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
    struct pd_source sources[FARM_POLLED];
    struct pd_compile_error err;

    for (uint32_t i = 0; i < FARM_POLLED; i++)
        sources[i] =
            (struct pd_source){.id = i, .address = farm_polled[i], .table = i >= FARM_SCALARS, .file = "bench"};
    if (pd_snmp_ops.compile(b->collector, sources, FARM_POLLED, &b->plan, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
}

struct options {
    size_t devices, at_once;
    unsigned rounds;
    uint16_t port, in_flight;
    uint8_t version;
    int timeout_ms;
    bool compare, go_on;
};

static void open_targets(struct bench *b, const struct options *o)
{
    b->targets = xcalloc(b->ntargets, sizeof *b->targets);
    for (uint32_t i = 0; i < b->ntargets; i++) {
        uint32_t a = FARM_FIRST + i;
        char address[20];
        struct pd_target t = {.name = address,
                              .address = address,
                              .port = o->port,
                              .version = o->version,
                              .community = o->version == 3 ? NULL : "public",
                              .usm = o->version == 3 ? &farm_secret : NULL,
                              .timeout_ms = o->timeout_ms,
                              .retries = 3,
                              .in_flight = o->in_flight};

        snprintf(address, sizeof address, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
        b->targets[i].bench = b;
        b->targets[i].address = a;
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

static int read_options(int argc, char **argv, struct options *out)
{
    for (int o; (o = getopt(argc, argv, "p:d:c:n:f:V:t:kw")) != -1;) {
        unsigned long n = o == '?' || o == 'k' || o == 'w' ? 0 : strtoul(optarg, NULL, 10);

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
        case 'V':
            out->version = (uint8_t)n;
            break;
        case 't':
            out->timeout_ms = (int)n;
            break;
        case 'k':
            out->compare = true;
            break;
        case 'w':
            out->go_on = true;
            break;
        default:
            return -1;
        }
    }
    return 0;
}

static void print(const struct options *o, const struct counts *c, double cpu, double wall, double live)
{
    printf("patrold-engine v%u D=%zu rounds=%u ok=%lu gaps=%lu silent=%lu down=%lu wrong=%lu vb=%lu reqs=%lu "
           "repeated=%lu dev/s=%.0f cpu_s=%.3f cpu_ms/kvb=%.4f cpu_us/dev=%.2f reqs/dev=%.2f first_live_s=%.3f "
           "rss_kb=%ld\n",
           o->version, o->devices, o->rounds, c->ok, c->gaps, c->silent, c->down, c->wrong, c->values, c->requests,
           c->repeated, (double)c->ok / wall, cpu, c->values ? cpu * 1e6 / (double)c->values : 0,
           c->ok ? cpu * 1e6 / (double)c->ok : 0, c->ok ? (double)c->requests / (double)c->ok : 0, live, rss_kb());
}

static void measure(struct bench *b, const struct options *o)
{
    int64_t began = clock_mono_us(&clock_system);
    double cpu, wall, live;

    round_of_all(b);
    live = (double)(b->counts.live_us - began) / 1e6;
    b->counts = (struct counts){.wrong = b->counts.wrong};
    cpu = cpu_s();
    wall = (double)clock_mono_us(&clock_system) / 1e6;
    for (size_t i = 0; o->go_on && o->rounds > 0 && i < b->ntargets; i++)
        b->targets[i].again = o->rounds - 1;
    for (unsigned i = 0; i < (o->go_on ? 1 : o->rounds); i++)
        round_of_all(b);
    print(o, &b->counts, cpu_s() - cpu, (double)clock_mono_us(&clock_system) / 1e6 - wall, live);
}

int main(int argc, char **argv)
{
    struct options o = {.devices = 1000, .at_once = 1000, .rounds = 10, .port = 1610, .version = 2};
    struct bench b = {0};

    if (read_options(argc, argv, &o) < 0 || o.devices == 0 || o.devices > FARM_DEVICES || o.at_once == 0) {
        fprintf(stderr, "engine_bench [-p PORT] [-d DEVICES] [-c AT-ONCE] [-n ROUNDS] [-f IN-FLIGHT] [-V VERSION] "
                        "[-t MS] [-k] [-w]\n");
        return 2;
    }
    b.ntargets = o.devices;
    b.at_once = o.at_once;
    b.farm = o.compare ? farm_new() : NULL;
    if (pd_loop_new(&clock_system, &rng_system, &b.loop) < 0 ||
        pd_snmp_ops.start(pd_loop_services(b.loop), NULL, &b.collector) < 0)
        return 1;
    compile(&b);
    open_targets(&b, &o);
    measure(&b, &o);
    pd_snmp_ops.stop(b.collector);
    pd_snmp_ops.plan_free(b.plan);
    pd_loop_free(b.loop);
    farm_free(b.farm);
    free(b.targets);
    return b.counts.wrong > 0 || (b.counts.gaps > 0 && b.counts.repeated == 0);
}
