/*
 * Recorded devices, served by recfarm out of a folder beside the source tree:
 * every one is walked, all at once, and what came is compared with its file.
 * Skipped (77) where the folder is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/dict.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "tests/plugins/snmp/live.h"

#define TOOL SHARED "/tools/recfarm.c"
#define RECORDINGS SHARED "/corpus/recordings"
#define ROOT "1.3.6.1"

struct recording {
    char name[96], address[32];
    size_t objects; /* below ROOT */
};

struct farm {
    char folder[64], log[96];
    pid_t pid;
    uint16_t port;
    ARRAY(struct recording) recordings;
};

/* ---- The files ---- */

/* The lines of recordings that recfarm could make no sense of: "PATH:LINE" -> any. */
static struct dict *senseless_lines(const char *log)
{
    struct dict *d = dict_new();
    char *text, *save = NULL, *place;
    size_t n;

    assert_int_equal(file_read(log, 16 << 20, &text, &n), 0);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        place = line + strlen("recfarm: ");
        if (strstr(line, " makes no sense")) {
            *strstr(line, " makes no sense") = '\0';
            dict_put(d, place, d);
        }
    }
    free(text);
    return d;
}

/* Counts the different names below ROOT; the first of two with one name counts. */
static size_t count_objects(const char *path, const struct dict *senseless)
{
    struct dict *seen = dict_new();
    char *text, *next;
    size_t n, count;
    int number = 1;

    assert_int_equal(file_read(path, 64 << 20, &text, &n), 0);
    for (char *line = text; line && *line; line = next, number++) {
        char *bar = strchr(line, '|'), place[300];

        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        (void)snprintf(place, sizeof place, "%s:%d", path, number);
        if (!bar || (next && bar > next) || dict_get(senseless, place))
            continue;
        *bar = '\0';
        line += line[0] == '.';
        if (str_starts(line, ROOT "."))
            dict_put(seen, line, seen);
    }
    count = dict_count(seen);
    dict_free(seen);
    free(text);
    return count;
}

static void read_manifest(struct farm *f, const char *manifest)
{
    struct dict *senseless = senseless_lines(f->log);
    char *text, *save = NULL;
    size_t n;

    assert_int_equal(file_read(manifest, 1 << 20, &text, &n), 0);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        struct recording r = {0};
        char path[256];

        assert_int_equal(sscanf(line, "%31s %95s", r.address, r.name), 2);
        (void)snprintf(path, sizeof path, RECORDINGS "/%s.snmprec", r.name);
        r.objects = count_objects(path, senseless);
        array_push(&f->recordings, r);
    }
    dict_free(senseless);
    free(text);
}

/* ---- The farm ---- */

static bool is_ready(const char *log)
{
    char *text = NULL;
    size_t n;
    bool ready;

    if (file_read(log, 16 << 20, &text, &n) < 0)
        return false;
    ready = strstr(text, "ready:") != NULL;
    free(text);
    return ready;
}

static void start_farm(struct farm *f, const char *quirks, const char *permille)
{
    char binary[96], manifest[96], quirk_file[96], port[8];
    const char *const build[] = {"cc", "-O2", "-o", binary, TOOL, NULL};
    const char *const serve[] = {binary, "-v",       "-v", "-p",     port,       "-m", manifest,
                                 "-q",   quirk_file, "-x", permille, RECORDINGS, NULL};
    const struct timespec pause = {.tv_nsec = 20000000};

    *f = (struct farm){.port = live_free_port()};
    live_folder(f->folder);
    (void)snprintf(f->log, sizeof f->log, "%s/log", f->folder);
    (void)snprintf(binary, sizeof binary, "%s/recfarm", f->folder);
    (void)snprintf(manifest, sizeof manifest, "%s/manifest", f->folder);
    (void)snprintf(quirk_file, sizeof quirk_file, "%s/quirks", f->folder);
    (void)snprintf(port, sizeof port, "%u", f->port);
    assert_int_equal(live_waitpid(live_spawn(build, f->log)), 0);
    assert_int_equal(file_write_whole(quirk_file, quirks, strlen(quirks), 0600), 0);
    f->pid = live_spawn(serve, f->log);
    for (int i = 0; i < 500 && !is_ready(f->log); i++)
        nanosleep(&pause, NULL);
    assert_true(is_ready(f->log));
    read_manifest(f, manifest);
    assert_true(f->recordings.n > 0);
}

static void stop_farm(struct farm *f)
{
    live_kill(f->pid);
    live_remove(f->folder);
    array_free(&f->recordings);
}

static const struct recording *find(const struct farm *f, const char *name)
{
    for (size_t i = 0; i < f->recordings.n; i++) {
        if (strcmp(f->recordings.v[i].name, name) == 0)
            return &f->recordings.v[i];
    }
    fail_msg("no recording %s", name);
    return NULL;
}

/* ---- Tests ---- */

static void every_recording_is_walked_whole(void **state)
{
    struct farm f;
    struct live l;
    struct live_read *reads;
    size_t total = 0;

    (void)state;
    start_farm(&f, "", "0");
    live_start(&l, NULL);
    reads = calloc(f.recordings.n, sizeof *reads);
    for (size_t i = 0; i < f.recordings.n; i++)
        live_walk_start(&l, &reads[i], live_open(&l, f.recordings.v[i].address, f.port, 2), ROOT);
    live_wait(&l);
    for (size_t i = 0; i < f.recordings.n; i++) {
        const struct recording *r = &f.recordings.v[i];

        if (reads[i].status != PD_READ_DONE || reads[i].ncells != r->objects)
            fail_msg("%s: status %d, %zu of %zu objects; %s", r->name, reads[i].status, reads[i].ncells, r->objects,
                     reads[i].detail);
        total += reads[i].ncells;
    }
    print_message("%zu recordings, %zu objects\n", f.recordings.n, total);
    free(reads);
    live_stop(&l);
    stop_farm(&f);
}

/* Ways to fail, each given to one device of middling size. */
static void quirks_of_agents_are_met(void **state)
{
    static const struct {
        const char *name, *quirk;
        uint8_t version;
        enum pd_read_status status;
        bool whole;
    } rows[] = {
        {"deltaups_mini-snmp", "v1only", 1, PD_READ_DONE, true}, /* it has no Counter64 */
        {"brother_hl5370dw", "v1only", 2, PD_READ_DONE, true},
        {"eatonups", "nobulk", 2, PD_READ_DONE, true},
        {"cyberpower", "onerow", 2, PD_READ_DONE, true},
        {"aos-emu2_ap9320", "loop", 2, PD_READ_BROKEN, true},
        {"apc_symmetralx", "onerow,loop", 2, PD_READ_BROKEN, true},
        {"digital-loggers", "nobulk,loop", 2, PD_READ_BROKEN, true},
        {"apc_ap8853", "dead", 2, PD_READ_NOANSWER, false},
    };
    struct pd_snmp_config config = pd_snmp_defaults;
    struct live_read reads[sizeof rows / sizeof *rows] = {0};
    struct sbuf quirks = {0};
    struct farm f;
    struct live l;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        sbuf_addf(&quirks, "%s %s\n", rows[i].name, rows[i].quirk);
    start_farm(&f, quirks.s, "0");
    config.timeout_ms = 300;
    live_start(&l, &config);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        live_walk_start(&l, &reads[i], live_open(&l, find(&f, rows[i].name)->address, f.port, rows[i].version), ROOT);
    live_wait(&l);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (reads[i].status != rows[i].status ||
            reads[i].ncells != (rows[i].whole ? find(&f, rows[i].name)->objects : 0))
            fail_msg("%s (%s): status %d, %zu objects; %s", rows[i].name, rows[i].quirk, reads[i].status,
                     reads[i].ncells, reads[i].detail);
    }
    live_stop(&l);
    stop_farm(&f);
    sbuf_free(&quirks);
}

/* One request in ten is lost. */
static void loss_is_made_good(void **state)
{
    static const char *const names[] = {"apc_smx750", "brother_hl5370dw", "eatonups", "cyberpower", "digital-loggers"};
    struct pd_snmp_config config = pd_snmp_defaults;
    struct live_read reads[5] = {0};
    unsigned retries = 0;
    struct farm f;
    struct live l;

    (void)state;
    start_farm(&f, "", "100");
    config.timeout_ms = 100;
    config.retries = 6;
    live_start(&l, &config);
    for (size_t i = 0; i < 5; i++)
        live_walk_start(&l, &reads[i], live_open(&l, find(&f, names[i])->address, f.port, 2), ROOT);
    live_wait(&l);
    for (size_t i = 0; i < 5; i++) {
        if (reads[i].status != PD_READ_DONE || reads[i].ncells != find(&f, names[i])->objects)
            fail_msg("%s: status %d, %zu objects; %s", names[i], reads[i].status, reads[i].ncells, reads[i].detail);
        retries += reads[i].retries;
    }
    assert_true(retries > 0);
    live_stop(&l);
    stop_farm(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recording_is_walked_whole),
        cmocka_unit_test(quirks_of_agents_are_met),
        cmocka_unit_test(loss_is_made_good),
    };

    if (access(TOOL, R_OK) != 0 || access(RECORDINGS, R_OK) != 0) {
        print_message("SKIPPED %zu tests: no recorded devices at " SHARED "\n", sizeof tests / sizeof *tests);
        return 77;
    }
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
