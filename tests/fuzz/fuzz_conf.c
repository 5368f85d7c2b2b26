/* What a site writes, several files together: refused in words, or what then holds can be asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line "%LETTER" begins a file, which is of a later folder than those ahead. */
static const char frame[] =
    "%k\nkinds:\n"
    "  device: {single: true, points: {reachable: bool, name: text, pages: {type: int, counter: true}}}\n"
    "  port: {points: {speed: int, load: num, note: text, state: {type: enum, members: {1: up, 2: down}}}}\n"
    "%m\n{module: identify, components: {d: {kind: device, table: false, columns: {a: {address: '1', type: text}}}}}\n"
    "%m\nmodule: box\ncomponents: {port: {kind: port, columns: {n: '2'}, points: {speed: n}}}\n"
    "%p\n{profile: box, class: ups, modules: [box], match: known(a)}\n"
    "%r\nrules: {slow: {family: slow, kind: port, when: speed < 1, severity: info, party: user, title: {en: a, zh_CN: "
    "b}, message: {en: a, zh_CN: b}, remedy: {en: a, zh_CN: b}}}\n"
    "%c\ncalendars: {office: {title: Office, hours: {mon-fri: 08:30-18:00}, holidays: [cn]}}\n"
    "holidays: {cn: {years: [2026], days: [{title: N, from: 2026-10-01, to: 2026-10-07, work: [2026-10-10]}]}}\n"
    "%l\nchecklists: {ups: {title: {en: a, zh_CN: b}, items: {look: {title: {en: a, zh_CN: b}}}}}\n";

static const struct {
    char letter;
    void (*read)(struct loader *l, struct yaml_node *root);
    void (*build)(struct loader *l), (*release)(struct loader *l);
} readers[] = {
    {'k', kinds_read, kinds_build, kinds_release},
    {'m', module_read, modules_build, modules_release},
    {'p', profile_read, profiles_build, profiles_release},
    {'r', rules_read, rules_build, rules_release},
    {'c', calendars_read, calendars_build, calendars_release},
    {'l', checklists_read, checklists_build, checklists_release},
};
enum { READERS = sizeof readers / sizeof *readers };

/* The settings, letter s, lie in a file in memory. */
static struct settings *read_settings(const char *text, size_t n, struct conf_report *report)
{
    struct settings *s = NULL;
    int fd = memfd_create("settings", 0);
    char path[32];

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd < 0 || fchmod(fd, 0600) != 0 || write(fd, text, n) != (ssize_t)n)
        abort();
    (void)settings_load(path, &s, report);
    (void)close(fd);
    return s;
}

static void read_files(struct loader *l, const char *p, const char *end, struct settings **settings)
{
    for (const char *next; p < end && *p == '%'; p = next) {
        const char *text = memchr(p, '\n', (size_t)(end - p));
        struct loader_file entry = {.folder = l->folder++};

        if (!text)
            return;
        next = memmem(text, (size_t)(end - text), "\n%", 2);
        next = next ? next + 1 : end;
        text++;
        if (p[1] == 's' && next > text && !*settings)
            *settings = read_settings(text, (size_t)(next - text), l->report);
        for (size_t i = 0; i < READERS; i++) {
            if (p[1] != readers[i].letter ||
                yaml_parse("fuzz.yaml", text, (size_t)(next - text), &entry.file, l->report) < 0)
                continue;
            array_push(&l->files, entry);
            array_push(&l->k->files, xstrdup("fuzz.yaml"));
            readers[i].read(l, entry.file->root);
        }
    }
}

static void ask(const struct knowledge *k)
{
    for (size_t i = 0; i < k->calendars.n; i++) {
        const struct calendar *c = k->calendars.v[i];
        int64_t at = calendar_day_start(c, c->own.n ? c->own.v[0].day : date_to_day(2026, 10, 1)), ms = 0;

        if (calendar_between(c, at, at + DATE_DAY_MS, &ms) != 0 || ms < 0 || ms > DATE_DAY_MS)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_report report = {0};
    struct loader l = {.k = xcalloc(1, sizeof *l.k), .report = &report, .time_zone = "Asia/Shanghai"};
    struct settings *settings = NULL;

    read_files(&l, frame, frame + sizeof frame - 1, &settings);
    read_files(&l, (const char *)data, (const char *)data + size, &settings);
    for (size_t i = 0; i < READERS; i++)
        readers[i].build(&l);
    if (settings && report.errors == 0) {
        rules_override(&l, settings);
        plans_check(&l, settings);
    }
    if (report.errors == 0)
        ask(l.k);
    else if (!str_utf8_valid(report.text.s, report.text.n))
        abort();
    for (size_t i = 0; i < READERS; i++)
        readers[i].release(&l);
    while (l.files.n > 0)
        yaml_file_free(l.files.v[--l.files.n].file);
    array_free(&l.files);
    settings_free(settings);
    knowledge_free(l.k);
    conf_report_free(&report);
    return 0;
}
