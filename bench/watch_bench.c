/*
 * Prints what a poll costs watch, and how much memory a device takes: watch_bench DEVICES POLLS CONF-DIR...
 *
 * Devices with what the farm of the pollers' bench says are polled every minute in virtual time, with every part in
 * every poll; the collector behind it does next to nothing. The folders' profile for them is called "bench".
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "watch/watch.h"

/* ---- A device, as cells: that of the farm that the pollers are measured with ---- */

enum { ROWS_MOST = 24, TEXT_SIZE = 64 };

static const struct script {
    const char *address;
    unsigned rows; /* 0: a scalar; else rows 1 .. n, or 1.1 .. 1.n */
    unsigned depth;
    const char *text; /* with the row's number behind it */
    int64_t number, a_row, a_minute;
    bool counter;
} script[] = {
    {"1.3.6.1.2.1.1.1.0", 0, 0, "SimPrinter 4500; fw 2.1.7; serial SP", 0, 0, 0, false},
    {"1.3.6.1.2.1.1.3.0", 0, 0, NULL, 1234567, 0, 6000, true},
    {"1.3.6.1.2.1.1.5.0", 0, 0, "dev-front-", 0, 0, 0, false},
    {"1.3.6.1.2.1.25.3.2.1.5.1", 0, 0, NULL, 2, 0, 0, false},
    {"1.3.6.1.2.1.25.3.5.1.1.1", 0, 0, NULL, 3, 0, 0, false},
    {"1.3.6.1.2.1.25.3.5.1.2.1", 0, 0, "", 0, 0, 0, false},
    {"1.3.6.1.2.1.43.10.2.1.4.1.1", 0, 0, NULL, 54321, 0, 2, true},
    {"1.3.6.1.2.1.2.1.0", 0, 0, NULL, 24, 0, 0, false},
    {"1.3.6.1.2.1.2.2.1.8.1", 0, 0, NULL, 1, 0, 0, false},
    {"1.3.6.1.2.1.2.2.1.14.1", 0, 0, NULL, 99, 0, 5, true},
    {"1.3.6.1.2.1.43.11.1.1.6", 5, 2, "Toner cartridge ", 0, 0, 0, false},
    {"1.3.6.1.2.1.43.11.1.1.8", 5, 2, NULL, 10000, 0, 0, false},
    {"1.3.6.1.2.1.43.11.1.1.9", 5, 2, NULL, 7000, 100, 6, false},
    {"1.3.6.1.2.1.31.1.1.1.6", 24, 1, NULL, 1000000000, 77777, 123456, true},
    {"1.3.6.1.2.1.31.1.1.1.10", 24, 1, NULL, 2000000000, 55555, 234567, true},
    {"1.3.6.1.2.1.2.2.1.14", 24, 1, NULL, 12345, 11, 31, true},
    {"1.3.6.1.2.1.2.2.1.20", 24, 1, NULL, 54321, 13, 17, true},
};
enum { SCRIPTED = sizeof script / sizeof *script };

/* A source with what is said of it; s NULL: nothing. */
struct plan_column {
    const struct script *s;
    uint32_t source;
    uint8_t part;
};

struct pd_plan {
    ARRAY(struct plan_column) columns; /* those of one table together */
    char texts[SCRIPTED][ROWS_MOST][TEXT_SIZE];
    uint32_t instances[ROWS_MOST][2];
};

struct pd_collector {
    struct pd_services services;
    ARRAY(struct pd_cell) cells; /* scratch */
};

struct pd_device {
    struct pd_collector *collector;
    struct pd_read *read;
};

struct pd_read {
    struct pd_device *device;
    const struct pd_plan *plan;
    uint32_t parts;
    struct pd_sink sink;
    struct timer timer;
};

static int compile(struct pd_collector *c, const struct pd_source *sources, size_t n, struct pd_plan **out,
                   struct pd_compile_error *err)
{
    struct pd_plan *p = xcalloc(1, sizeof *p);

    (void)c;
    (void)err;
    for (uint32_t i = 0; i < ROWS_MOST; i++) {
        p->instances[i][0] = 1;
        p->instances[i][1] = i + 1;
        for (size_t j = 0; j < SCRIPTED; j++)
            if (script[j].text && *script[j].text)
                snprintf(p->texts[j][i], TEXT_SIZE, "%s%u", script[j].text, i);
    }
    for (size_t j = 0; j < SCRIPTED; j++)
        for (size_t i = 0; i < n; i++)
            if (strcmp(script[j].address, sources[i].address) == 0)
                array_push(&p->columns, ((struct plan_column){&script[j], sources[i].id, sources[i].part}));
    *out = p;
    return 0;
}

static void plan_free(struct pd_plan *p)
{
    array_free(&p->columns);
    free(p);
}

static void add_cell(struct pd_collector *c, const struct pd_plan *p, const struct plan_column *column, unsigned row)
{
    const struct script *s = column->s;
    int64_t minutes = clock_mono(&c->services.clock) / 60000;
    struct pd_cell cell = {
        .source = column->source,
        .type = s->counter ? PD_CELL_UINT : PD_CELL_INT,
        .ninstance = (uint16_t)s->depth,
        .instance = &p->instances[row][2 - s->depth],
        .i = s->number + s->a_row * row + s->a_minute * (minutes % 1000000),
    };

    if (s->text) {
        cell.type = PD_CELL_BYTES;
        cell.bytes = (const uint8_t *)p->texts[s - script][row];
        cell.nbytes = *s->text ? (uint32_t)strlen(p->texts[s - script][row]) : 2;
    }
    array_push(&c->cells, cell);
}

/* As GETBULK answers: the columns of a table side by side. */
static void answer(void *arg)
{
    static const struct pd_read_result done = {.status = PD_READ_DONE, .requests = 1, .rtt_ms = 1};
    struct pd_read *r = arg;
    struct pd_collector *c = r->device->collector;
    const struct pd_plan *p = r->plan;

    for (size_t i = 0, n; i < p->columns.n; i += n) {
        unsigned rows = p->columns.v[i].s->rows ? p->columns.v[i].s->rows : 1;

        for (n = 1; i + n < p->columns.n && p->columns.v[i + n].s->rows == p->columns.v[i].s->rows;)
            n++;
        c->cells.n = 0;
        for (unsigned row = 0; row < rows; row++)
            for (size_t k = i; k < i + n; k++)
                if (r->parts & (1u << p->columns.v[k].part))
                    add_cell(c, p, &p->columns.v[k], row);
        if (c->cells.n)
            r->sink.cells(r->sink.arg, c->cells.v, c->cells.n);
    }
    r->sink.end(r->sink.arg, &done);
}

static int open_device(struct pd_collector *c, const struct pd_target *t, struct pd_device **out)
{
    (void)t;
    *out = xcalloc(1, sizeof **out);
    (*out)->collector = c;
    (*out)->read = xcalloc(1, sizeof *(*out)->read);
    (*out)->read->device = *out;
    return 0;
}

static void close_device(struct pd_device *d)
{
    free(d->read);
    free(d);
}

static int read_device(struct pd_device *d, const struct pd_plan *plan, uint32_t parts, const struct pd_sink *sink,
                       struct pd_read **out)
{
    struct pd_read *r = d->read;

    r->plan = plan;
    r->parts = parts;
    r->sink = *sink;
    timer_init(&r->timer, answer, r);
    wheel_set(d->collector->services.wheel, &r->timer, clock_mono(&d->collector->services.clock) + 20);
    *out = r;
    return 0;
}

static void cancel(struct pd_read *r)
{
    static const struct pd_read_result cancelled = {.status = PD_READ_CANCELLED, .rtt_ms = -1};

    wheel_unset(r->device->collector->services.wheel, &r->timer);
    r->sink.end(r->sink.arg, &cancelled);
}

static const struct pd_collector_ops ops = {
    .name = "snmp",
    .compile = compile,
    .plan_free = plan_free,
    .open = open_device,
    .close = close_device,
    .read = read_device,
    .cancel = cancel,
};

/* ---- What watch tells, thrown away ---- */

static void fault(void *ctx, struct change *c, const struct device *d, struct alert *a, enum fault_move move)
{
    (void)ctx;
    (void)c;
    (void)d;
    (void)a;
    (void)move;
}

static void submit(void *ctx, struct change *c, bool urgent, void (*done)(void *arg), void *arg)
{
    (void)ctx;
    (void)urgent;
    (void)done;
    (void)arg;
    change_free(c);
}

static void readings(void *ctx, const struct poll *p, int64_t due_ms)
{
    (void)ctx;
    (void)due_ms;
    p->chain->number = 1; /* goes on for ever */
}

static bool backlog(void *ctx)
{
    (void)ctx;
    return false;
}

/* ---- */

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(struct wheel *wheel, struct clock_fake *time, int64_t until)
{
    for (int64_t next; (next = wheel_next(wheel)) <= until;) {
        if (next > time->mono)
            clock_fake_advance(time, next - time->mono);
        wheel_advance(wheel, time->mono);
    }
}

/* A profile of that name is what they are; else whatever they are taken for. */
static void add_devices(struct watch *w, int n)
{
    for (int i = 0; i < n; i++) {
        struct device d = {
            .name = xasprintf("dev-%d", i),
            .address = xasprintf("127.%d.%d.%d", 1 + i / 65536, i / 256 % 256, i % 256),
            .profile_wish = xstrdup("bench"),
        };
        struct change *c = change_new();
        char *why = NULL;
        int64_t id;

        if (watch_device_add(w, &d, NULL, c, &id, &why) != 0)
            fprintf(stderr, "%s\n", why);
        change_free(c);
        device_fini(&d);
    }
}

/* What is given out of the heap, in bytes. */
static double heap(void)
{
    struct mallinfo2 m = mallinfo2();

    return (double)(m.uordblks + m.hblkhd);
}

static void measure(struct watch *w, struct wheel *wheel, struct clock_fake *time, int devices, int polls)
{
    enum { WARM_UP = 3 }; /* polls: identification, first components, first windows */
    double bytes = heap(), cpu;
    struct watch_counters before, after;

    add_devices(w, devices);
    run(wheel, time, time->mono + WARM_UP * 60000);
    watch_counters(w, &before);
    cpu = cpu_seconds();
    run(wheel, time, time->mono + (int64_t)polls * 60000);
    cpu = cpu_seconds() - cpu;
    watch_counters(w, &after);
    bytes = heap() - bytes;
    after.polls -= before.polls;
    printf(
        "%d devices, %llu polls of %.1f cells: %.1f readings and %.1f evaluations a poll; %.2f us a poll, %.0f bytes a "
        "device\n",
        devices, (unsigned long long)after.polls, (double)(after.cells - before.cells) / (double)after.polls,
        (double)(after.readings - before.readings) / (double)after.polls,
        (double)(after.evaluations - before.evaluations) / (double)after.polls, cpu * 1e6 / (double)after.polls,
        bytes / devices);
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"conf", "bench/conf"};
    int devices = argc > 1 ? atoi(argv[1]) : 1000, polls = argc > 2 ? atoi(argv[2]) : 60;
    const char *const *dirs = argc > 3 ? (const char *const *)&argv[3] : usual;
    struct clock_fake time = {.wall = INT64_C(1790000000000)};
    struct wheel *wheel = wheel_new(0);
    struct pd_collector collector = {.services = {.clock = clock_fake_ops(&time), .wheel = wheel}};
    struct pd_collector *collectors[] = {&collector};
    static const struct pd_collector_ops *const all_ops[] = {&ops};
    struct credential credential = {.name = (char *)(uintptr_t) "c", .version = 2};
    struct settings settings = {.every_ms = {60000, 60000, 60000, 60000}, .credentials = {.v = &credential, .n = 1}};
    struct conf_report report = {0};
    struct watch_config config = {.services = collector.services,
                                  .settings = &settings,
                                  .collectors = collectors,
                                  .collector_ops = all_ops,
                                  .ncollectors = 1,
                                  .ops = {.fault = fault, .submit = submit, .readings = readings, .backlog = backlog}};
    struct knowledge *k = NULL;
    struct watch *w;

    if (knowledge_load(dirs, argc > 3 ? (size_t)argc - 3 : 2, &settings, &k, &report) != 0) {
        fputs(report.text.s, stderr);
        return 1;
    }
    config.knowledge = k;
    w = watch_new(&config);
    watch_start(w);
    measure(w, wheel, &time, devices, polls);
    watch_free(w);
    wheel_free(wheel);
    array_free(&collector.cells);
    knowledge_free(k);
    conf_report_free(&report);
    return 0;
}
