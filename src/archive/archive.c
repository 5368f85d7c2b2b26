#include "archive/archive.h"

#include <stdlib.h>
#include <string.h>

#include "archive/internal.h"
#include "base/err.h"
#include "base/mem.h"

struct archive *archive_new(const struct archive_config *config)
{
    struct archive *a = xcalloc(1, sizeof *a);

    a->config = *config;
    for (int k = 0; k < ARCHIVE_KIND_COUNT; k++) {
        a->shelves[k].names = dict_new();
        a->shelves[k].ids = u64dict_new();
    }
    return a;
}

static struct entry *next_entry(const struct archive *a, enum archive_kind kind, size_t *at)
{
    uint64_t id;
    void *e;

    return u64dict_next(a->shelves[kind].ids, at, &id, &e) ? e : NULL;
}

void archive_free(struct archive *a)
{
    struct entry *e;

    if (!a)
        return;
    for (int k = 0; k < ARCHIVE_KIND_COUNT; k++) {
        for (size_t at = 0; (e = next_entry(a, (enum archive_kind)k, &at));)
            entry_free((enum archive_kind)k, e);
        dict_free(a->shelves[k].names);
        u64dict_free(a->shelves[k].ids);
    }
    free(a->good_zone);
    free(a);
}

static void shelve(struct shelf *s, struct entry *e)
{
    if (e->id > s->last_id)
        s->last_id = e->id;
    u64dict_put(s->ids, (uint64_t)e->id, e);
    dict_put(s->names, e->name, e);
}

void archive_load(struct archive *a, enum archive_kind kind, const struct entry *e)
{
    struct shelf *s = &a->shelves[kind];

    if (!e->removed)
        shelve(s, entry_dup(kind, e));
    else if (e->id > s->last_id)
        s->last_id = e->id;
}

void archive_keep(struct archive *a, enum archive_kind kind, struct entry *e, struct change *change)
{
    struct shelf *s = &a->shelves[kind];
    struct entry *old;

    if (e->id == 0) {
        e->id = s->last_id + 1;
        e->added_ms = clock_wall(&a->config.clock);
    }
    old = u64dict_get(s->ids, (uint64_t)e->id);
    if (old)
        dict_del(s->names, old->name);
    change_put_entry(change, kind, e);
    shelve(s, e);
    entry_free(kind, old);
}

struct event *archive_event(const struct archive *a, struct change *change, enum archive_kind kind, const char *what,
                            const char *name, const char *actor)
{
    char *code = xasprintf("%s.%s", archive_def(kind)->name, what);
    struct event *e = change_event(change, clock_wall(&a->config.clock), code);

    e->actor = xstrdup_null(actor);
    event_arg(e, "name", name);
    free(code);
    return e;
}

/* ---- What there is ---- */

const struct entry *archive_find(const struct archive *a, enum archive_kind kind, const char *name)
{
    return dict_get(a->shelves[kind].names, name);
}

size_t archive_count(const struct archive *a, enum archive_kind kind)
{
    return dict_count(a->shelves[kind].names);
}

void archive_each(const struct archive *a, enum archive_kind kind, void (*fn)(void *ctx, const struct entry *e),
                  void *ctx)
{
    struct entry *e;

    for (size_t at = 0; (e = next_entry(a, kind, &at));)
        fn(ctx, e);
}

char *archive_missing(const struct archive *a, enum archive_kind kind, const char *name, bool suggest)
{
    ARRAY(const char *) names = {0};
    const char *near = NULL;
    struct sbuf why = {0};
    struct entry *e;

    for (size_t at = 0; suggest && (e = next_entry(a, kind, &at));)
        array_push(&names, e->name);
    array_push(&names, NULL);
    near = str_nearest(name, names.v);
    sbuf_addf(&why, "there is no %s '", archive_def(kind)->name);
    sbuf_add_visible(&why, name);
    sbuf_addf(&why, near ? "' (did you mean '%s'?)" : "'", near);
    array_free(&names);
    return sbuf_take(&why);
}

const struct entry *archive_ref(const struct archive *a, enum archive_kind kind, const char *ref, char **why)
{
    const struct entry *e = archive_find(a, kind, ref);
    int64_t id;

    if (!e && str_to_i64(ref, &id) == 0)
        e = u64dict_get(a->shelves[kind].ids, (uint64_t)id);
    if (!e)
        *why = archive_missing(a, kind, ref, true);
    return e;
}

/* ---- Who refers to whom ---- */

static bool refers(const struct archive_field *f, const struct entry *e, enum archive_kind kind, const char *name)
{
    const char *value;

    if ((f->type != ARCHIVE_REF && f->type != ARCHIVE_REFS) || f->refers != kind)
        return false;
    value = *(char *const *)((const char *)e + f->offset);
    return f->type == ARCHIVE_REF ? str_eq(value, name) : list_has(value, name);
}

/* What refers to a record, in words; NULL if nothing does. Free it. */
static char *referrer(const struct archive *a, enum archive_kind kind, const char *name)
{
    const char *device = kind == ARCHIVE_SITE ? a->config.device_at(a->config.ctx, name) : NULL;
    struct entry *e;

    if (device)
        return xasprintf("device '%s' stands there", device);
    for (int k = 0; k < ARCHIVE_KIND_COUNT; k++) {
        const struct archive_def *def = archive_def((enum archive_kind)k);

        for (size_t at = 0; (e = next_entry(a, (enum archive_kind)k, &at));)
            for (size_t i = 0; i < def->nfields; i++)
                if (refers(&def->fields[i], e, kind, name))
                    return xasprintf("%s '%s' refers to it", def->name, e->name);
    }
    return NULL;
}

int archive_remove(struct archive *a, enum archive_kind kind, const char *ref, const char *actor, struct change *change,
                   int64_t *id, char **why)
{
    const struct entry *found = archive_ref(a, kind, ref, why);
    struct shelf *s = &a->shelves[kind];
    struct entry *e;
    char *by;

    if (!found)
        return PD_ENOENT;
    by = referrer(a, kind, found->name);
    if (by) {
        *why = xasprintf("%s '%s' can't be removed: %s", archive_def(kind)->name, found->name, by);
        free(by);
        return PD_ESTATE;
    }
    dict_del(s->names, found->name);
    e = u64dict_del(s->ids, (uint64_t)found->id);
    e->removed = true;
    change_put_entry(change, kind, e);
    archive_event(a, change, kind, "removed", e->name, actor);
    *id = e->id;
    entry_free(kind, e);
    return 0;
}

/* ---- Another name ---- */

/* True if something in it was changed. */
static bool rename_in(struct entry *e, const struct archive_def *def, enum archive_kind kind, const char *from,
                      const char *to)
{
    bool any = false;

    for (size_t i = 0; i < def->nfields; i++) {
        const struct archive_field *f = &def->fields[i];
        char **value, *renamed;

        if (!refers(f, e, kind, from))
            continue;
        value = (char **)((char *)e + f->offset);
        renamed = f->type == ARCHIVE_REF ? xstrdup(to) : list_rename(*value, from, to);
        free(*value);
        *value = renamed;
        any = true;
    }
    return any;
}

static void rename_everywhere(struct archive *a, enum archive_kind kind, const char *from, const char *to,
                              struct change *change)
{
    struct entry *e;

    for (int k = 0; k < ARCHIVE_KIND_COUNT; k++)
        for (size_t at = 0; (e = next_entry(a, (enum archive_kind)k, &at));)
            if (rename_in(e, archive_def((enum archive_kind)k), kind, from, to))
                change_put_entry(change, (enum archive_kind)k, e);
    if (kind == ARCHIVE_SITE)
        a->config.site_renamed(a->config.ctx, change, from, to);
}

static void take_changed(struct archive *a, enum archive_kind kind, struct entry *e, const char *was,
                         const struct archive_outcome *o, const char *actor, struct change *change)
{
    char *what = archive_what_changed(kind, o, 0);

    event_arg(archive_event(a, change, kind, "changed", e->name, actor), "what", what);
    free(what);
    archive_keep(a, kind, e, change);
    if (strcmp(was, e->name) != 0)
        rename_everywhere(a, kind, was, e->name, change);
}

int archive_set(struct archive *a, enum archive_kind kind, const char *ref, const struct archive_row *row,
                const char *actor, struct change *change, int64_t *id, char **why)
{
    const struct entry *found = archive_ref(a, kind, ref, why);
    struct archive_outcome o;
    struct entry *e;
    char *was;
    int rc = 0;

    if (!found)
        return PD_ENOENT;
    archive_outcome_init(&o, 1);
    *id = found->id;
    was = xstrdup(found->name);
    e = entry_dup(kind, found);
    archive_stage(a, kind, false, e, row, 0, &o);
    if (o.errors.n == 0 && strcmp(was, e->name) != 0 && archive_find(a, kind, e->name))
        archive_outcome_error(&o, 0, 0, xasprintf("there is a %s '%s' already", archive_def(kind)->name, e->name));
    if (o.errors.n > 0) {
        *why = archive_outcome_why(&o, kind);
        rc = PD_EINVAL;
    } else if (o.changes.n > 0) {
        take_changed(a, kind, e, was, &o, actor, change);
        e = NULL;
    }
    entry_free(kind, e);
    archive_outcome_fini(&o);
    free(was);
    return rc;
}
