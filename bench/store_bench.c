/*
 * Prints what polls cost the store: store_bench FOLDER DEVICES MINUTES [INTERVAL-MS]
 *
 * Polls of 121 readings, as the farm of the pollers' bench has them, go into a database in the folder, as many a
 * commit as come in a second, devices in turn, each every minute (or interval) of a clock that is the bench's own. Then the hours are packed, their days reckoned up. CPU is of the loop's part (encoding a poll), of
 * the writer's (all it does until the polls are durable, checkpoints included) and of packing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/store.h"

enum { READINGS = 121, COUNTERS = 96 };

struct bench {
    struct wheel *wheel;
    struct worker *writer, *reader;
    struct store *store;
    struct clock_fake clock;
    int64_t devices, interval_ms;
};

static double cpu_us(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static uint32_t mix(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ x >> 16;
}

/* A poll as the farm would answer it, some milliseconds late. */
static void make_poll(struct reading *r, uint32_t device, int64_t at_ms)
{
    uint32_t h = mix(device), n = 0;
    int64_t cs = at_ms / 10 - INT64_C(170000000000);

    for (uint16_t i = 0; i < 10; i++)
        r[n++] = (struct reading){.point = i, .value = value_int(i == 1 ? cs + h % 100000000u : h % (i + 7))};
    for (uint32_t i = 0; i < 15; i++)
        r[n++] = (struct reading){.component = 1 + i / 3,
                                  .point = (uint16_t)(i % 3),
                                  .value = value_int(i % 3 == 2 ? (mix(h + i) + cs / 1000) % 10001 : 10000)};
    for (uint32_t i = 0; i < COUNTERS; i++) {
        uint32_t rate = mix(h ^ i << 8);
        int64_t v = i % 4 < 2 ? ((int64_t)rate << 8) + cs * (rate % 1000000)
                              : (int64_t)(uint32_t)(rate + cs * (rate % 1000) / 100000);

        r[n++] = (struct reading){.component = 6 + i / 4, .point = (uint16_t)(i % 4), .value = value_int(v)};
    }
}

static void turn(struct bench *b, int64_t ms)
{
    clock_fake_advance(&b->clock, ms);
    wheel_advance(b->wheel, b->clock.mono);
    worker_drain(b->writer);
}

static double fill_minutes(struct bench *b, int64_t minutes)
{
    int64_t due = 0;
    double encoding = 0;

    for (int64_t ms = 0; ms < minutes * 60000; ms += 1000) {
        double begun;

        for (int64_t end = (ms + 1000) * b->devices / b->interval_ms; due < end; due++) {
            struct reading r[READINGS];
            int64_t at_ms = b->clock.wall + (due * b->interval_ms / b->devices) % 1000;
            uint32_t device = (uint32_t)(due % b->devices);

            make_poll(r, device, at_ms + mix((uint32_t)due) % 12);
            begun = cpu_us(CLOCK_THREAD_CPUTIME_ID);
            store_put_poll(b->store,
                           &(struct poll){.device_id = 1 + device, .at_ms = at_ms, .readings = r, .n = READINGS});
            encoding += cpu_us(CLOCK_THREAD_CPUTIME_ID) - begun;
        }
        turn(b, 1000);
    }
    return encoding;
}

static void open_store(struct bench *b, const char *folder)
{
    char *path = xasprintf("%s/bench.db", folder), *why = NULL;
    struct store_config config = {.path = path,
                                  .writer = b->writer,
                                  .reader = b->reader,
                                  .wheel = b->wheel,
                                  .clock = clock_fake_ops(&b->clock),
                                  .rng = rng_system,
                                  .flush_ms = 900};

    if (store_open(&config, &b->store, &why) < 0) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    free(path);
}

static double file_bytes(const char *folder)
{
    char *path = xasprintf("%s/bench.db", folder);
    struct stat st;
    double n = stat(path, &st) == 0 ? (double)st.st_size : 0;

    free(path);
    return n;
}

int main(int argc, char **argv)
{
    struct bench b = {.interval_ms = 60000, .clock = {.wall = INT64_C(1767225600000), .mono = 1000}};
    int64_t minutes;
    struct store_state st;
    double encoding, all, packing, readings;

    if (argc < 4 || str_to_i64(argv[2], &b.devices) < 0 || str_to_i64(argv[3], &minutes) < 0 ||
        (argc > 4 && str_to_i64(argv[4], &b.interval_ms) < 0)) {
        fprintf(stderr, "usage: store_bench FOLDER DEVICES MINUTES [INTERVAL-MS]\n");
        return 2;
    }
    b.wheel = wheel_new(b.clock.mono);
    if (worker_start(1, &b.writer) < 0 || worker_start(1, &b.reader) < 0)
        return 1;
    open_store(&b, argv[1]);
    encoding = fill_minutes(&b, minutes);
    store_state(b.store, &st);
    all = cpu_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_us(CLOCK_THREAD_CPUTIME_ID);
    readings = (double)st.readings;
    printf("polls %lld commits %lld: encode %.2f us, writer %.2f us a poll; %.2f bytes a reading as they come\n",
           (long long)st.polls, (long long)st.commits, encoding / (double)st.polls, all / (double)st.polls,
           (double)st.reading_bytes / readings);
    b.clock.wall += 3600000 - (b.clock.wall % 3600000);
    packing = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
    turn(&b, 61000);
    for (int quiet = 0; quiet < 1500; quiet++)
        turn(&b, 50);
    packing = cpu_us(CLOCK_PROCESS_CPUTIME_ID) - packing;
    store_state(b.store, &st);
    printf("packed %llu: %.4f us a reading; waiting %zu\n", (unsigned long long)st.packed_polls, packing / readings,
           st.pack_waiting);
    store_close(b.store);
    printf("file %.2f bytes a reading\n", file_bytes(argv[1]) / readings);
    worker_stop(b.writer, NULL);
    worker_stop(b.reader, NULL);
    wheel_free(b.wheel);
    return 0;
}
