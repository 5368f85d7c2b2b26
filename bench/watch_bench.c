/*
 * Prints what one poll costs watch: watch_bench [CONF-DIR [DEVICES [DAYS]]]
 *
 * Printers that all say the same are polled every minute in virtual time, with
 * every part in every poll; the collector behind it does next to nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "watch/watch.h"

/* ---- A printer, as cells ---- */

static const struct {
    const char *address;
    unsigned rows; /* 0: a scalar; else the rows 1.1 .. 1.n (one.n where `flat`) */
    const char *text;
    int64_t number, step;
    bool flat;
} script[] = {
    {"1.3.6.1.2.1.1.1.0", 0, "Acme LaserJet 400, firmware 2.1", 0, 0, false},
    {"1.3.6.1.2.1.1.3.0", 0, NULL, 1234567, 0, false},
    {"1.3.6.1.2.1.1.4.0", 0, "help@example.com", 0, 0, false},
    {"1.3.6.1.2.1.1.5.0", 0, "prn-front", 0, 0, false},
    {"1.3.6.1.2.1.1.6.0", 0, "3rd floor", 0, 0, false},
    {"1.3.6.1.2.1.43.5.1.1.17.1", 0, "VNC4X01234", 0, 0, false},
    {"1.3.6.1.2.1.25.3.5.1.1", 1, NULL, 3, 0, true},
    {"1.3.6.1.2.1.25.3.5.1.2", 1, "", 0, 0, true},
    {"1.3.6.1.2.1.43.11.1.1.4", 5, NULL, 3, 0, false},
    {"1.3.6.1.2.1.43.11.1.1.5", 5, NULL, 3, 0, false},
    {"1.3.6.1.2.1.43.11.1.1.6", 5, "Toner", 0, 0, false},
    {"1.3.6.1.2.1.43.11.1.1.7", 5, NULL, 19, 0, false},
    {"1.3.6.1.2.1.43.11.1.1.8", 5, NULL, 100, 0, false},
    {"1.3.6.1.2.1.43.11.1.1.9", 5, NULL, 70, 1, false},
    {"1.3.6.1.2.1.43.8.2.1.9", 2, NULL, 250, 0, false},
    {"1.3.6.1.2.1.43.8.2.1.10", 2, NULL, 200, 0, false},
    {"1.3.6.1.2.1.43.8.2.1.13", 2, "Tray", 0, 0, false},
    {"1.3.6.1.2.1.43.10.2.1.3", 1, NULL, 7, 0, false},
    {"1.3.6.1.2.1.43.10.2.1.4", 1, NULL, 54321, 0, false},
};

struct pd_plan {
    struct plan_row {
        struct pd_cell cells[8];
        size_t n;
        uint8_t part;
    } * rows;
    size_t nrows;
    uint32_t instances[8][2];
    char texts[64][64];
    size_t ntexts;
};

struct pd_collector {
    struct pd_services services;
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

static void fill(struct pd_plan *p, struct plan_row *row, const struct pd_source *s, size_t at)
{
    unsigned rows = script[at].rows ? script[at].rows : 1;

    row->part = s->part;
    for (unsigned i = 0; i < rows; i++) {
        struct pd_cell *c = &row->cells[row->n++];

        *c = (struct pd_cell){.source = s->id, .type = PD_CELL_INT, .i = script[at].number + script[at].step * i};
        if (script[at].rows) {
            c->instance = script[at].flat ? &p->instances[i][1] : p->instances[i];
            c->ninstance = script[at].flat ? 1 : 2;
        }
        if (script[at].text) {
            char *text = p->texts[p->ntexts++];

            snprintf(text, sizeof p->texts[0], "%s%s%u", script[at].text, rows > 1 ? " " : "", i);
            c->type = PD_CELL_BYTES;
            c->bytes = (const uint8_t *)text;
            c->nbytes = (uint32_t)strlen(text) - (rows == 1);
        }
    }
}

static int compile(struct pd_collector *c, const struct pd_source *sources, size_t n, struct pd_plan **out,
                   struct pd_compile_error *err)
{
    struct pd_plan *p = xcalloc(1, sizeof *p);

    (void)c;
    (void)err;
    p->rows = xcalloc(n, sizeof *p->rows);
    p->nrows = n;
    for (uint32_t i = 0; i < 8; i++) {
        p->instances[i][0] = 1;
        p->instances[i][1] = i + 1;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < sizeof script / sizeof *script; j++) {
            if (strcmp(script[j].address, sources[i].address) == 0)
                fill(p, &p->rows[i], &sources[i], j);
        }
    }
    *out = p;
    return 0;
}

static void plan_free(struct pd_plan *p)
{
    free(p->rows);
    free(p);
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

static void answer(void *arg)
{
    static const struct pd_read_result done = {.status = PD_READ_DONE, .requests = 1, .rtt_ms = 1};
    struct pd_read *r = arg;

    for (size_t i = 0; i < r->plan->nrows; i++) {
        if (r->plan->rows[i].n && (r->parts & (1u << r->plan->rows[i].part)))
            r->sink.cells(r->sink.arg, r->plan->rows[i].cells, r->plan->rows[i].n);
    }
    r->sink.end(r->sink.arg, &done);
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

static void readings(void *ctx, int64_t device_id, int64_t at_ms, const struct reading *r, size_t n)
{
    (void)ctx;
    (void)device_id;
    (void)at_ms;
    (void)r;
    (void)n;
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

static void add_devices(struct watch *w, int n)
{
    for (int i = 0; i < n; i++) {
        struct device d = {.name = xasprintf("prn-%d", i), .address = xasprintf("10.0.%d.%d", i / 250, i % 250)};
        struct change *c = change_new();
        char *why = NULL;
        int64_t id;

        if (watch_device_add(w, &d, NULL, c, &id, &why) != 0)
            fprintf(stderr, "%s\n", why);
        change_free(c);
        device_fini(&d);
    }
}

int main(int argc, char **argv)
{
    const char *dir = argc > 1 ? argv[1] : "conf";
    int devices = argc > 2 ? atoi(argv[2]) : 50, days = argc > 3 ? atoi(argv[3]) : 30;
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
    struct watch_counters n;
    struct watch *w;
    double start;

    if (knowledge_load(&dir, 1, &settings, &k, &report) != 0) {
        fputs(report.text.s, stderr);
        return 1;
    }
    config.knowledge = k;
    w = watch_new(&config);
    watch_start(w);
    add_devices(w, devices);
    start = cpu_seconds();
    run(wheel, &time, (int64_t)days * 24 * 3600 * 1000);
    start = cpu_seconds() - start;
    watch_counters(w, &n);
    printf("%llu polls, %.1f readings and %.1f evaluations a poll: %.2f us a poll\n", (unsigned long long)n.polls,
           (double)n.readings / (double)n.polls, (double)n.evaluations / (double)n.polls,
           start * 1e6 / (double)n.polls);
    watch_free(w);
    wheel_free(wheel);
    knowledge_free(k);
    conf_report_free(&report);
    return 0;
}
