/*
 * Prints what it costs to store polls, to close hours that are over, to reckon up their day, and what stays on disk in the end:
 *
 *     hour_bench [-d DEVICES] [-n POLLS] [-f MS] [-o FOLDER]
 *
 * Each device of the farm is polled once a minute, by a clock of our own; its 121 readings go into a database in a new
 * folder below FOLDER (the present one), with a commit every -f ms (1,000). Then nothing comes for two days: within the
 * first two hours what there is to pack is packed, later what there is to reckon up is reckoned up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bench/farm.h"
#include "store/store.h"

enum {
    MINUTE = 60000,
    HOUR = 60 * MINUTE,
    SUPPLIES = 5,
    PORTS = 24,
    SUPPLY_COLUMNS = 3,
    CLOSING_MS = 2 * HOUR,
    AFTERWARDS_MS = 46 * HOUR
};

/* Which object of the farm a reading is. */
struct source {
    size_t object;
    uint32_t component;
    uint16_t point;
};

/* What a device told last, as watch would know it. */
struct told {
    struct poll_chain chain;
    uint64_t bits[FARM_USEFUL];
};

struct bench {
    struct clock_fake clock;
    struct wheel *wheel;
    struct worker *worker;
    struct store *store;
    struct farm *farm;
    struct told *told; /* of each device */
    struct source sources[FARM_USEFUL];
    size_t nsources;
    char folder[4096], path[4160];
    unsigned long readings;
};

static int64_t now_mono(void *ctx)
{
    return ((struct bench *)ctx)->clock.mono;
}

static int64_t no_delay(void *ctx)
{
    (void)ctx;
    return 0;
}

static void pass(struct bench *b, int64_t ms)
{
    clock_fake_advance(&b->clock, ms);
    wheel_advance(b->wheel, b->clock.mono);
}

/* ---- Polls ---- */

static void add_source(struct bench *b, const char *name, unsigned row, uint32_t component, size_t point)
{
    struct oid o;
    const char *why;
    bool same;

    if (oid_parse(name, &o, &why) < 0)
        abort();
    if (row)
        o.id[o.n++] = row;
    b->sources[b->nsources++] = (struct source){
        .object = farm_find(b->farm, o.id, o.n, &same), .component = component, .point = (uint16_t)point};
    if (!same)
        abort();
}

/* By component, then point, as readings are to be. */
static void list_sources(struct bench *b)
{
    const char *const *columns = farm_polled + FARM_SCALARS;
    char name[64];

    for (size_t i = 0; i < FARM_SCALARS; i++)
        add_source(b, farm_polled[i], 0, 1, i);
    for (unsigned row = 1; row <= SUPPLIES; row++) {
        for (size_t i = 0; i < SUPPLY_COLUMNS; i++) {
            snprintf(name, sizeof name, "%s.1", columns[i]);
            add_source(b, name, row, 1 + row, i);
        }
    }
    for (unsigned row = 1; row <= PORTS; row++) {
        for (size_t i = SUPPLY_COLUMNS; i < FARM_COLUMNS; i++)
            add_source(b, columns[i], row, 1 + SUPPLIES + row, i);
    }
}

/* What watch would make of it; texts are borrowed. False: it is a text that was stored in this hour already. */
static bool value_of(const struct snmp_varbind *vb, bool texts, char copy[FARM_TEXT], struct value *out)
{
    switch (vb->type) {
    case SNMP_OCTETS:
        memcpy(copy, vb->bytes, vb->n);
        copy[vb->n] = '\0';
        *out = value_text(copy);
        return texts;
    case SNMP_INTEGER:
        *out = value_int(vb->i);
        return true;
    case SNMP_TIMETICKS:
        *out = value_num((double)vb->u * 0.01);
        return true;
    default:
        *out = value_int((int64_t)vb->u);
        return true;
    }
}

static struct reading_past past_of(uint64_t *last, const struct value *v)
{
    struct reading_past past = {.told = *last == v->bits ? PAST_SAME : PAST_GOOD, .bits = *last};

    *last = v->bits;
    return past;
}

static void poll_device(struct bench *b, uint32_t device, bool texts)
{
    struct told *told = &b->told[device];
    struct reading readings[FARM_USEFUL];
    struct reading_past past[FARM_USEFUL] = {0};
    char text[FARM_TEXT], copies[FARM_USEFUL][FARM_TEXT];
    struct poll poll = {
        .device_id = device + 1, .at_ms = b->clock.wall, .readings = readings, .past = past, .chain = &told->chain};
    struct snmp_varbind vb;

    for (size_t i = 0; i < b->nsources; i++) {
        const struct source *s = &b->sources[i];
        struct value *v = &readings[poll.n].value;

        farm_value(b->farm, s->object, FARM_FIRST + device, b->clock.mono, text, &vb);
        readings[poll.n].component = s->component;
        readings[poll.n].point = s->point;
        if (!value_of(&vb, texts, copies[poll.n], v))
            continue;
        if (told->chain.number && (v->type == VALUE_INT || v->type == VALUE_NUM))
            past[poll.n] = past_of(&told->bits[i], v);
        else if (v->type != VALUE_TEXT)
            told->bits[i] = v->bits;
        poll.n++;
    }
    if (!store_put_poll(b->store, &poll))
        abort();
    b->readings += poll.n;
}

static void poll_all(struct bench *b, uint32_t devices, unsigned polls)
{
    for (unsigned i = 0; i < polls; i++) {
        for (uint32_t device = 0; device < devices; device++) {
            poll_device(b, device, i % (HOUR / MINUTE) == 0);
            pass(b, ((int64_t)device + 1) * MINUTE / devices - (int64_t)device * MINUTE / devices);
        }
    }
}

/* ---- The database ---- */

static int open_store(struct bench *b, const char *below, unsigned flush_ms)
{
    struct store_config config = {.path = b->path,
                                  .wheel = b->wheel,
                                  .clock = clock_fake_ops(&b->clock),
                                  .rng = rng_system,
                                  .flush_ms = flush_ms};
    char *why = NULL;
    int rc;

    snprintf(b->folder, sizeof b->folder, "%s/patrold-hour-XXXXXX", below);
    if (!mkdtemp(b->folder)) {
        fprintf(stderr, "hour_bench: %s: can't make a folder\n", b->folder);
        return PD_EIO;
    }
    snprintf(b->path, sizeof b->path, "%s/patrold.db", b->folder);
    config.writer = config.reader = b->worker;
    rc = store_open(&config, &b->store, &why);
    if (rc < 0)
        fprintf(stderr, "hour_bench: %s\n", why);
    free(why);
    return rc;
}

static void remove_store(const struct bench *b)
{
    static const char *const tails[] = {"", "-wal", "-shm", ".lock"};
    char name[4200];

    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        snprintf(name, sizeof name, "%s%s", b->path, tails[i]);
        unlink(name);
    }
    snprintf(name, sizeof name, "%s/reports", b->folder);
    rmdir(name);
    rmdir(b->folder);
}

static long long ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    long long v = 0;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        v = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return v;
}

/* Bytes of pages that hold something. */
static long long used_bytes(const char *path)
{
    sqlite3 *db = NULL;
    long long n = 0;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
        n = (ask(db, "PRAGMA page_count") - ask(db, "PRAGMA freelist_count")) * ask(db, "PRAGMA page_size");
    sqlite3_close(db);
    return n;
}

static double cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* What passes while nothing is polled takes, in microseconds a reading. */
static double rest(struct bench *b, int64_t ms)
{
    double began = cpu_us();

    for (; ms > 0; ms -= 1000)
        pass(b, 1000);
    return (cpu_us() - began) / (double)b->readings;
}

static void measure(struct bench *b, uint32_t devices, unsigned polls)
{
    double began = cpu_us(), stored, closing, days;
    long long empty = used_bytes(b->path), bytes;
    struct store_state state;

    poll_all(b, devices, polls);
    stored = cpu_us();
    closing = rest(b, CLOSING_MS);
    days = rest(b, AFTERWARDS_MS);
    store_state(b->store, &state);
    store_close(b->store);
    bytes = used_bytes(b->path) - empty;
    printf("hours devices=%u polls=%u readings=%lu packed_polls=%llu fill_us_per_reading=%.4f "
           "close_us_per_reading=%.4f days_us_per_reading=%.4f bytes_per_reading=%.4f\n",
           devices, polls, b->readings, (unsigned long long)state.packed_polls, (stored - began) / (double)b->readings,
           closing, days, (double)bytes / (double)b->readings);
}

int main(int argc, char **argv)
{
    struct bench b = {.clock = {.wall = INT64_C(1767225600000)}};
    unsigned devices = 1000, polls = 60, flush_ms = 1000;
    const char *below = ".";

    for (int o; (o = getopt(argc, argv, "d:n:f:o:")) != -1;) {
        if (o == 'd')
            devices = (unsigned)strtoul(optarg, NULL, 10);
        else if (o == 'n')
            polls = (unsigned)strtoul(optarg, NULL, 10);
        else if (o == 'f')
            flush_ms = (unsigned)strtoul(optarg, NULL, 10);
        else if (o == 'o')
            below = optarg;
        else
            devices = 0;
    }
    if (devices == 0 || devices > FARM_DEVICES || polls == 0 || flush_ms == 0) {
        fprintf(stderr, "hour_bench [-d DEVICES] [-n POLLS] [-f MS] [-o FOLDER]\n");
        return 2;
    }
    b.farm = farm_new();
    b.told = xcalloc(devices, sizeof *b.told);
    list_sources(&b);
    b.wheel = wheel_new(0);
    b.worker = worker_start_inline(b.wheel, now_mono, no_delay, &b);
    if (open_store(&b, below, flush_ms) < 0)
        return 1;
    measure(&b, devices, polls);
    remove_store(&b);
    worker_stop(b.worker, NULL);
    wheel_free(b.wheel);
    farm_free(b.farm);
    free(b.told);
    return 0;
}
