#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "conf/loader.h"

struct where loader_where(const struct loader *l, const struct yaml_node *node)
{
    struct where w = {.line = node->line, .col = node->col};

    for (size_t i = 0; i < l->files.n; i++)
        if (l->files.v[i].file == node->file)
            w.file = l->k->files.v[i];
    return w;
}

static unsigned folder_of(const struct loader *l, const struct yaml_node *node)
{
    for (size_t i = 0; i < l->files.n; i++)
        if (l->files.v[i].file == node->file)
            return l->files.v[i].folder;
    return 0;
}

bool loader_may_replace(const struct loader *l, struct yaml_node *later, const struct yaml_node *earlier,
                        const char *what)
{
    if (folder_of(l, later) != folder_of(l, earlier))
        return true;
    conf_error(l->report, later, "%s '%s' is defined twice in one folder (first at %s:%d)", what, later->text,
               earlier->file->path, earlier->line);
    return false;
}

/* ---- Reading ---- */

static void read_file(struct loader *l, const char *path, void (*read)(struct loader *l, struct yaml_node *root))
{
    struct loader_file entry = {.folder = l->folder};

    if (yaml_load(path, &entry.file, l->report) < 0)
        return;
    array_push(&l->files, entry);
    array_push(&l->k->files, xstrdup(path));
    read(l, entry.file->root);
}

/* Every file that fits the pattern, in order of name; none is fine. */
static void read_files(struct loader *l, const char *dir, const char *pattern,
                       void (*read)(struct loader *l, struct yaml_node *root))
{
    char *path = xasprintf("%s/%s", dir, pattern);
    glob_t found;

    if (glob(path, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            read_file(l, found.gl_pathv[i], read);
        globfree(&found);
    }
    free(path);
}

static void read_folder(struct loader *l, const char *dir)
{
    struct stat st;

    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
        conf_error_file(l->report, dir, "there is no such folder of knowledge");
        return;
    }
    read_files(l, dir, "kinds.yaml", kinds_read);
    read_files(l, dir, "modules/*.yaml", module_read);
    read_files(l, dir, "profiles/*.yaml", profile_read);
    read_files(l, dir, "rules/*.yaml", rules_read);
    read_files(l, dir, "calendars/*.yaml", calendars_read);
    read_files(l, dir, "checklists/*.yaml", checklists_read);
    l->folder++;
}

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

/* Over all that the files say and what the site changes of it; where they lie does not count. */
static void make_hash(struct loader *l, const struct settings *overrides)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < l->files.n; i++)
        h = hash_bytes(h, l->files.v[i].file->data, l->files.v[i].file->n + 1); /* the NUL parts the files */
    for (size_t i = 0; overrides && i < overrides->rules.n; i++) {
        const struct rule_override *o = &overrides->rules.v[i];
        const int64_t values[] = {o->hold_ms, o->clear_hold_ms, o->severity, o->off};

        h = hash_bytes(h, o->name, strlen(o->name) + 1);
        h = hash_bytes(h, values, sizeof values);
    }
    snprintf(l->k->hash, sizeof l->k->hash, "%016" PRIx64, h);
}

static void build(struct loader *l)
{
    kinds_build(l);
    modules_build(l);
    profiles_build(l);
    rules_build(l);
    calendars_build(l);
    checklists_build(l);
}

int knowledge_load(const char *const *dirs, size_t n, const struct settings *overrides, struct knowledge **out,
                   struct conf_report *report)
{
    struct loader l = {.k = xcalloc(1, sizeof *l.k),
                       .report = report,
                       .numbers = overrides ? &overrides->numbers : NULL,
                       .time_zone = overrides && overrides->time_zone ? overrides->time_zone : "UTC"};
    unsigned before = report->errors;
    int rc = 0;

    for (size_t i = 0; i < n; i++)
        read_folder(&l, dirs[i]);
    if (l.files.n > 0)
        build(&l);
    else if (report->errors == before)
        conf_error_file(report, n > 0 ? dirs[0] : "knowledge",
                        "there is no knowledge: kinds.yaml, modules, profiles, rules");
    if (overrides && report->errors == before)
        rules_override(&l, overrides);
    if (overrides && report->errors == before)
        plans_check(&l, overrides);
    make_hash(&l, overrides);
    kinds_release(&l);
    modules_release(&l);
    profiles_release(&l);
    rules_release(&l);
    calendars_release(&l);
    checklists_release(&l);
    for (size_t i = 0; i < l.files.n; i++)
        yaml_file_free(l.files.v[i].file);
    array_free(&l.files);
    if (report->errors > before) {
        knowledge_free(l.k);
        rc = PD_EINVAL;
    } else {
        *out = l.k;
    }
    return rc;
}
