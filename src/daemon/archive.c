#include "archive/archive.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"

/* ---- What the archive asks of the others ---- */

static bool device_exists(void *ctx, const char *name)
{
    return watch_device_named(((struct core *)ctx)->watch, name);
}

struct standing {
    const char *site, *device;
};

static void look_at_site(void *ctx, const struct device *d)
{
    struct standing *s = ctx;

    if (!s->device && str_eq(d->site, s->site))
        s->device = d->name;
}

static const char *device_at(void *ctx, const char *site)
{
    struct standing s = {.site = site};

    watch_devices(((struct core *)ctx)->watch, look_at_site, &s);
    return s.device;
}

static void site_renamed(void *ctx, struct change *c, const char *from, const char *to)
{
    struct core *core = ctx;

    watch_site_renamed(core->watch, from, to, c);
    patrol_site_renamed(core->patrol, from, to, c);
    desk_site_renamed(core->desk, from, to, c);
}

static bool calendar_exists(void *ctx, const char *name)
{
    return knowledge_calendar(((struct core *)ctx)->knowledge, name);
}

struct archive *core_archive_new(struct core *c)
{
    const struct archive_config config = {
        .clock = c->config.services.clock,
        .device_exists = device_exists,
        .device_at = device_at,
        .site_renamed = site_renamed,
        .calendar_exists = calendar_exists,
        .ctx = c,
    };

    return archive_new(&config);
}

/* ---- Rows from JSON ---- */

/* Rows as they came, with texts of what was a number. */
struct rows {
    ARRAY(struct archive_row) list;
    ARRAY(char *) made;
};

static void rows_fini(struct rows *rows)
{
    for (size_t i = 0; i < rows->made.n; i++)
        free(rows->made.v[i]);
    array_free(&rows->made);
    array_free(&rows->list);
}

static char *unknown_field(const struct archive_def *def, const char *name)
{
    const char *names[ARCHIVE_FIELDS_MAX + 1] = {NULL}, *near;
    struct sbuf why = {0};

    for (size_t i = 0; i < def->nfields; i++)
        names[i] = def->fields[i].name;
    near = str_nearest(name, names);
    sbuf_add(&why, "unknown argument '");
    sbuf_add_visible(&why, name);
    sbuf_addf(&why, near ? "' (did you mean '%s'?)" : "'", near);
    return sbuf_take(&why);
}

/* An object's members into the row; `but`, which is none of its fields, is passed over. */
static int take_row(struct rows *rows, const struct archive_def *def, json_t *object, const char *but, char **why)
{
    struct archive_row row = {{NULL}};
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        int i = archive_field_find(def, name);

        if (but && strcmp(name, but) == 0)
            continue;
        if (i < 0) {
            *why = unknown_field(def, name);
            return PD_EINVAL;
        }
        if (json_is_integer(value)) {
            array_push(&rows->made, xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value)));
            row.value[i] = rows->made.v[rows->made.n - 1];
        } else if (json_is_null(value)) {
            row.value[i] = "";
        } else if (json_is_string(value)) {
            row.value[i] = json_string_value(value);
        } else {
            *why = xasprintf("%s wants a text", name);
            return PD_EINVAL;
        }
    }
    array_push(&rows->list, row);
    return 0;
}

/* ---- Devices ---- */

/* Reads the rows into wishes; those that are wrong get none. *at: for each wish its row. */
static size_t stage_devices(struct core *c, enum archive_mode mode, const struct rows *rows, struct device_wish *wishes,
                            size_t *at, struct archive_outcome *o)
{
    struct dict *seen = dict_new();
    size_t n = 0;

    for (size_t i = 0; i < rows->list.n; i++) {
        const struct archive_row *row = &rows->list.v[i];
        const char *name = row->value[0] ? row->value[0] : "";
        const struct device *known = mode == ARCHIVE_IMPORT ? watch_device_named(c->watch, name) : NULL;
        uintptr_t twin = (uintptr_t)dict_get(seen, name);
        struct device_wish *wish = &wishes[n];

        if (known)
            device_copy(&wish->device, known);
        if (twin)
            archive_outcome_error(o, i, 0, xasprintf("'%s' is there twice: also in row %zu", name, (size_t)twin));
        else if (*name)
            dict_put(seen, name, (void *)(uintptr_t)(i + 1)); /* never NULL: the row as people count */
        if (twin || !archive_stage(c->archive, ARCHIVE_DEVICE, !known, &wish->device, row, i, o) ||
            o->fates[i] == FATE_SAME) {
            device_fini(&wish->device);
            continue;
        }
        wish->what = known ? archive_what_changed(ARCHIVE_DEVICE, o, i) : NULL;
        at[n++] = i;
    }
    dict_free(seen);
    return n;
}

/* As archive_put(), of devices: the archive reads the rows, watch says what it can do with them. */
static int put_devices(struct core *c, enum archive_mode mode, const struct rows *rows, const char *actor,
                       struct change *change, struct archive_outcome *o)
{
    struct device_wish *wishes = xcalloc(rows->list.n + 1, sizeof *wishes);
    size_t *at = xcalloc(rows->list.n + 1, sizeof *at);
    size_t n = stage_devices(c, mode, rows, wishes, at, o);
    int rc = o->errors.n > 0 ? PD_EINVAL : 0, put;

    put = watch_devices_put(c->watch, wishes, n, actor, rc == 0 ? change : NULL);
    for (size_t i = 0; i < n; i++) {
        if (wishes[i].err < 0) {
            archive_outcome_error(o, at[i], archive_field_find(archive_def(ARCHIVE_DEVICE), wishes[i].field),
                                  wishes[i].why);
            put = rows->list.n == 1 ? wishes[i].err : put;
        }
        free((char *)wishes[i].what);
        device_fini(&wishes[i].device);
    }
    free(wishes);
    free(at);
    return rc < 0 ? rc : put;
}

/* ---- Answers ---- */

/* Names of fields as the rows have them, or null where a whole row is meant. */
static json_t *field_json(enum archive_kind kind, int field)
{
    return field < 0 ? json_null() : json_string(archive_def(kind)->fields[field].name);
}

static json_t *text_json(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *said_json(enum archive_kind kind, const struct archive_notes *notes)
{
    json_t *list = json_array();

    for (size_t i = 0; i < notes->n; i++)
        json_array_append_new(list,
                              json_pack("{s:I, s:o, s:o}", "row", (json_int_t)notes->v[i].row, "field",
                                        field_json(kind, notes->v[i].field), "text", text_json(notes->v[i].text)));
    return list;
}

static json_t *changes_json(enum archive_kind kind, const struct archive_notes *notes)
{
    json_t *list = json_array();

    for (size_t i = 0; i < notes->n; i++)
        json_array_append_new(list, json_pack("{s:I, s:o, s:o, s:o}", "row", (json_int_t)notes->v[i].row, "field",
                                              field_json(kind, notes->v[i].field), "before",
                                              text_json(notes->v[i].before), "after", text_json(notes->v[i].after)));
    return list;
}

/* How many rows have each fate, and what becomes of each. */
static char *outcome_text(enum archive_kind kind, const struct archive_outcome *o)
{
    json_t *answer = json_object(), *fates = json_array();
    char *text;

    for (int f = 0; f < FATE_COUNT; f++)
        json_object_set_new(answer, archive_fate_name((enum archive_fate)f),
                            json_integer((json_int_t)archive_outcome_count(o, (enum archive_fate)f)));
    for (size_t i = 0; i < o->n; i++)
        json_array_append_new(fates, json_string(archive_fate_name(o->fates[i])));
    json_object_set_new(answer, "fates", fates);
    json_object_set_new(answer, "changes", changes_json(kind, &o->changes));
    json_object_set_new(answer, "errors", said_json(kind, &o->errors));
    json_object_set_new(answer, "warnings", said_json(kind, &o->warnings));
    text = json_dumps(answer, JSON_COMPACT);
    json_decref(answer);
    return text;
}

/* {"customer":7}, with what is doubtful. */
static char *id_text(enum archive_kind kind, int64_t id, const struct archive_outcome *o)
{
    struct sbuf text = {0};

    sbuf_addf(&text, "{\"%s\":%" PRId64, archive_def(kind)->name, id);
    if (o && o->warnings.n > 0) {
        sbuf_add(&text, ",\"warning\":");
        sbuf_add_json(&text, o->warnings.v[0].text);
    }
    sbuf_addc(&text, '}');
    return sbuf_take(&text);
}

/* Answers after the commit, or at once where nothing changed. Takes both. */
static int finish(struct order *o, struct change *change, char *answer)
{
    if (change && !change_empty(change)) {
        contracts_forget(o->core);
        desk_review_all(o->core->desk, change);
        return order_submit(o, change, answer);
    }
    change_free(change);
    order_end(o, 0, answer);
    free(answer);
    return 0;
}

/* ---- Commands ---- */

static int put(struct core *c, enum archive_kind kind, enum archive_mode mode, const struct rows *rows,
               const char *actor, struct change *change, struct archive_outcome *o)
{
    if (kind == ARCHIVE_DEVICE)
        return put_devices(c, mode, rows, actor, change, o);
    return archive_put(c->archive, kind, mode, rows->list.v, rows->list.n, actor, change, o);
}

static int64_t id_of(struct core *c, enum archive_kind kind, const char *name)
{
    if (kind == ARCHIVE_DEVICE)
        return watch_device_named(c->watch, name)->id;
    return archive_find(c->archive, kind, name)->id;
}

static int add(struct order *o, enum archive_kind kind, json_t *args, char **why)
{
    struct change *change = change_new();
    struct archive_outcome outcome;
    struct rows rows = {0};
    bool there;
    int rc;

    archive_outcome_init(&outcome, 1);
    rc = take_row(&rows, archive_def(kind), args, NULL, why);
    if (rc == 0) {
        there = rows.list.v[0].value[0] && archive_find(o->core->archive, kind, rows.list.v[0].value[0]);
        rc = put(o->core, kind, ARCHIVE_ADD, &rows, o->actor, change, &outcome);
        if (rc < 0) {
            *why = archive_outcome_why(&outcome, kind);
            rc = there ? PD_EEXIST : rc;
        }
    }
    if (rc == 0)
        finish(o, change, id_text(kind, id_of(o->core, kind, rows.list.v[0].value[0]), &outcome));
    else
        change_free(change);
    archive_outcome_fini(&outcome);
    rows_fini(&rows);
    return rc;
}

/* The text that names the record to be changed or removed: a member of the kind's own name. */
static int take_ref(enum archive_kind kind, const json_t *args, char **ref, char **why)
{
    const json_t *value = json_object_get(args, archive_def(kind)->name);

    if (json_is_string(value))
        *ref = xstrdup(json_string_value(value));
    else if (json_is_integer(value))
        *ref = xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else {
        *why = xasprintf(value ? "%s wants a text or a whole number" : "'%s' is missing", archive_def(kind)->name);
        return PD_EINVAL;
    }
    return 0;
}

static int set_device(struct order *o, const char *ref, const struct rows *rows, struct change *change, int64_t *id,
                      struct archive_outcome *outcome, char **why)
{
    const struct device *d = core_find_device(o->core, ref, why);
    struct rows named = {0};
    int rc;

    if (!d)
        return PD_ENOENT;
    if (rows->list.v[0].value[0] && !str_eq(rows->list.v[0].value[0], d->name)) {
        *why = xstrdup("a device keeps its name: its history stands under it");
        return PD_EINVAL;
    }
    *id = d->id;
    array_push(&named.list, rows->list.v[0]);
    named.list.v[0].value[0] = d->name;
    rc = put_devices(o->core, ARCHIVE_IMPORT, &named, o->actor, change, outcome);
    if (rc < 0)
        *why = archive_outcome_why(outcome, ARCHIVE_DEVICE);
    rows_fini(&named);
    return rc;
}

static int set(struct order *o, enum archive_kind kind, json_t *args, char **why)
{
    struct change *change = change_new();
    struct archive_outcome outcome;
    struct rows rows = {0};
    char *ref = NULL;
    int64_t id = 0;
    int rc = take_ref(kind, args, &ref, why);

    archive_outcome_init(&outcome, 1);
    if (rc == 0)
        rc = take_row(&rows, archive_def(kind), args, archive_def(kind)->name, why);
    if (rc == 0 && kind == ARCHIVE_DEVICE)
        rc = set_device(o, ref, &rows, change, &id, &outcome, why);
    else if (rc == 0)
        rc = archive_set(o->core->archive, kind, ref, &rows.list.v[0], o->actor, change, &id, why);
    if (rc == 0)
        finish(o, change, id_text(kind, id, &outcome));
    else
        change_free(change);
    archive_outcome_fini(&outcome);
    rows_fini(&rows);
    free(ref);
    return rc;
}

static int discard(struct order *o, enum archive_kind kind, json_t *args, char **why)
{
    struct change *change = change_new();
    char *ref = NULL;
    int64_t id = 0;
    int rc = take_ref(kind, args, &ref, why);

    if (rc == 0 && json_object_size(args) > 1) {
        *why = xasprintf("only '%s' is wanted", archive_def(kind)->name);
        rc = PD_EINVAL;
    }
    if (rc == 0)
        rc = archive_remove(o->core->archive, kind, ref, o->actor, change, &id, why);
    if (rc == 0)
        finish(o, change, id_text(kind, id, NULL));
    else
        change_free(change);
    free(ref);
    return rc;
}

static int take_rows(enum archive_kind kind, json_t *args, struct rows *rows, char **why)
{
    json_t *list = json_object_get(args, "rows"), *row;
    size_t i;

    if (!json_is_array(list)) {
        *why = xstrdup("\"rows\" must be a list of objects");
        return PD_EINVAL;
    }
    json_array_foreach(list, i, row)
    {
        char *wrong = NULL;

        if (json_is_object(row) && take_row(rows, archive_def(kind), row, NULL, &wrong) == 0)
            continue;
        *why = xasprintf("row %zu: %s", i + 1, wrong ? wrong : "is no object");
        free(wrong);
        return PD_EINVAL;
    }
    return 0;
}

static int import(struct order *o, enum archive_kind kind, json_t *args, char **why)
{
    bool dry = json_is_true(json_object_get(args, "dry_run"));
    struct change *change = dry ? NULL : change_new();
    struct archive_outcome outcome;
    struct rows rows = {0};
    int rc = take_rows(kind, args, &rows, why);

    archive_outcome_init(&outcome, rows.list.n);
    if (rc == 0) {
        rc = put(o->core, kind, ARCHIVE_IMPORT, &rows, o->actor, change, &outcome);
        if (dry)
            rc = 0;
        else if (rc < 0)
            *why = archive_outcome_why(&outcome, kind);
    }
    if (rc == 0)
        finish(o, change, outcome_text(kind, &outcome));
    else
        change_free(change);
    archive_outcome_fini(&outcome);
    rows_fini(&rows);
    return rc;
}

static const struct {
    const char *verb;
    int (*run)(struct order *o, enum archive_kind kind, json_t *args, char **why);
    bool devices; /* of devices too */
} verbs[] = {{"add", add, true}, {"set", set, true}, {"remove", discard, false}, {"import", import, true}};

bool archive_command(struct order *o, const char *name, json_t *args, int *rc, char **why)
{
    const char *dot = strchr(name, '.');
    bool found = false;
    enum archive_kind kind;
    char *noun;

    if (!dot)
        return false;
    noun = xstrndup(name, (size_t)(dot - name));
    if (archive_kind_parse(noun, &kind) == 0)
        for (size_t i = 0; i < sizeof verbs / sizeof *verbs && !found; i++)
            if (strcmp(verbs[i].verb, dot + 1) == 0 && (kind != ARCHIVE_DEVICE || verbs[i].devices)) {
                *rc = verbs[i].run(o, kind, args, why);
                found = true;
            }
    free(noun);
    return found;
}

void archive_commands(void (*fn)(void *ctx, const char *noun, const char *verb), void *ctx)
{
    for (int k = 0; k < ARCHIVE_KIND_COUNT; k++)
        for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
            if (k != ARCHIVE_DEVICE || verbs[i].devices)
                fn(ctx, archive_def((enum archive_kind)k)->name, verbs[i].verb);
}
