#include <stdlib.h>
#include <string.h>

#include "archive/internal.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/zone.h"

/* Names that are near are looked for only for the first errors: it takes long among many. */
enum { MOST_SUGGESTED = 20 };

/* ---- Outcomes ---- */

const char *archive_fate_name(enum archive_fate f)
{
    static const char *const names[FATE_COUNT] = {
        [FATE_SAME] = "unchanged", [FATE_ADDED] = "added", [FATE_CHANGED] = "changed", [FATE_WRONG] = "wrong"};

    return (unsigned)f < FATE_COUNT ? names[f] : "?";
}

void archive_outcome_init(struct archive_outcome *o, size_t nrows)
{
    *o = (struct archive_outcome){.fates = xcalloc(nrows + 1, sizeof *o->fates), .n = nrows};
}

static void notes_fini(struct archive_notes *notes)
{
    for (size_t i = 0; i < notes->n; i++) {
        free(notes->v[i].before);
        free(notes->v[i].after);
        free(notes->v[i].text);
    }
    array_free(notes);
}

void archive_outcome_fini(struct archive_outcome *o)
{
    notes_fini(&o->changes);
    notes_fini(&o->errors);
    notes_fini(&o->warnings);
    free(o->fates);
    *o = (struct archive_outcome){0};
}

size_t archive_outcome_count(const struct archive_outcome *o, enum archive_fate fate)
{
    size_t n = 0;

    for (size_t i = 0; i < o->n; i++)
        n += o->fates[i] == fate;
    return n;
}

void archive_outcome_error(struct archive_outcome *o, size_t row, int field, char *text)
{
    array_push(&o->errors, ((struct archive_note){.row = row, .field = field, .text = text}));
    o->fates[row] = FATE_WRONG;
}

char *archive_outcome_why(const struct archive_outcome *o, enum archive_kind kind)
{
    const struct archive_note *first = &o->errors.v[0];
    struct sbuf why = {0};

    if (o->n > 1)
        sbuf_addf(&why, "row %zu: ", first->row + 1);
    if (first->field >= 0)
        sbuf_addf(&why, "%s: ", archive_def(kind)->fields[first->field].name);
    sbuf_add(&why, first->text);
    if (o->errors.n > 1)
        sbuf_addf(&why, "; and %zu more", o->errors.n - 1);
    return sbuf_take(&why);
}

/* Changes stand in the order of their rows. */
static size_t first_change(const struct archive_outcome *o, size_t row)
{
    size_t lo = 0, hi = o->changes.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (o->changes.v[mid].row < row)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

char *archive_what_changed(enum archive_kind kind, const struct archive_outcome *o, size_t place)
{
    const struct archive_def *def = archive_def(kind);
    struct sbuf what = {0};

    for (size_t i = first_change(o, place); i < o->changes.n && o->changes.v[i].row == place; i++) {
        const struct archive_note *n = &o->changes.v[i];

        sbuf_addf(&what, "%s%s: %s → %s", what.n > 0 ? "; " : "", def->fields[n->field].name,
                  n->before ? n->before : "-", n->after ? n->after : "-");
    }
    return sbuf_take(&what);
}

/* ---- What a field refers to ---- */

static char *wrong_zone(struct archive *a, const char *name)
{
    struct zone *z = NULL;
    int rc;

    if (str_eq(name, a->good_zone))
        return NULL;
    rc = zone_open(name, &z);
    zone_free(z);
    if (rc < 0)
        return xasprintf("there is no time zone '%s'; Asia/Shanghai is one", name);
    xstrset(&a->good_zone, name);
    return NULL;
}

static bool exists(const struct archive *a, enum archive_kind kind, const char *name)
{
    return kind == ARCHIVE_DEVICE ? a->config.device_exists(a->config.ctx, name) : !!archive_find(a, kind, name);
}

static char *wrong_ref(const struct archive *a, enum archive_kind kind, const char *name,
                       const struct archive_outcome *o)
{
    return exists(a, kind, name) ? NULL : archive_missing(a, kind, name, o->errors.n < MOST_SUGGESTED);
}

static char *wrong_refs(const struct archive *a, enum archive_kind kind, const char *list,
                        const struct archive_outcome *o)
{
    const char *member;
    char *why = NULL;
    size_t n;

    while (!why && list_next(&list, &member, &n)) {
        char *name = xstrndup(member, n);

        why = wrong_ref(a, kind, name, o);
        free(name);
    }
    return why;
}

/* What is wrong with a value that is new; free it. NULL: nothing. */
static char *check_value(struct archive *a, const struct archive_def *def, const struct archive_field *f,
                         const char *value, const struct archive_outcome *o)
{
    if (!value)
        return NULL;
    if (f->type == ARCHIVE_ZONE)
        return wrong_zone(a, value);
    if (f->refers == ARCHIVE_DEVICE && def == archive_def(ARCHIVE_DEVICE))
        return NULL; /* watch looks: it may be one of these rows, and there are no circles */
    /* A device's site was free text before there were any. */
    if (f->type == ARCHIVE_REF && def == archive_def(ARCHIVE_DEVICE) && archive_count(a, f->refers) == 0)
        return NULL;
    if (f->type == ARCHIVE_REF)
        return wrong_ref(a, f->refers, value, o);
    if (f->type == ARCHIVE_REFS)
        return wrong_refs(a, f->refers, value, o);
    return NULL;
}

/* ---- What a whole record must be ---- */

static char *check_contract(const struct archive *a, const struct archive_contract *c, int *field)
{
    const struct archive_def *def = archive_def(ARCHIVE_CONTRACT);

    if (c->to_day && c->from_day && c->to_day < c->from_day) {
        *field = archive_field_find(def, "to");
        return xstrdup("the contract ends before it begins");
    }
    if (c->calendar && !a->config.calendar_exists(a->config.ctx, c->calendar)) {
        *field = archive_field_find(def, "calendar");
        return xasprintf("there is no calendar '%s' in the configuration", c->calendar);
    }
    return NULL;
}

/* A name that stands in lists can't hold what parts them. */
static bool has_separator(const char *name)
{
    return strpbrk(name, ",;") || strstr(name, "，") || strstr(name, "；") || strstr(name, "、");
}

static char *check_record(const struct archive *a, enum archive_kind kind, const void *record, int *field)
{
    const struct archive_contact *contact = record;

    *field = 0;
    if (kind == ARCHIVE_SITE && has_separator(((const struct entry *)record)->name))
        return xstrdup("a site's name has no comma or semicolon: it stands in lists");
    if (kind == ARCHIVE_CONTACT && !contact->customer && !contact->site) {
        *field = archive_field_find(archive_def(kind), "customer");
        return xstrdup("a contact belongs to a customer or to a site");
    }
    return kind == ARCHIVE_CONTRACT ? check_contract(a, record, field) : NULL;
}

/* ---- A row ---- */

static char *text_of(const struct archive_field *f, const void *record)
{
    struct sbuf text = {0};

    if (archive_field_text(f, record, &text))
        return sbuf_take(&text);
    sbuf_free(&text);
    return NULL;
}

/* One field; what it was before and is now goes to the outcome where they differ. */
static void stage_field(struct archive *a, const struct archive_def *def, int i, bool is_new, void *record,
                        const char *value, size_t place, struct archive_outcome *o)
{
    const struct archive_field *f = &def->fields[i];
    char *before, *after, *why = NULL;

    if (!value && !(is_new && f->required))
        return;
    before = is_new ? NULL : text_of(f, record);
    if (archive_field_set(f, record, value, &why) < 0) {
        archive_outcome_error(o, place, i, why);
        free(before);
        return;
    }
    after = text_of(f, record);
    if (!str_eq(before, after)) {
        why = check_value(a, def, f, after, o);
        if (why)
            archive_outcome_error(o, place, i, why);
        else if (!is_new) {
            array_push(&o->changes, ((struct archive_note){place, i, before, after, NULL}));
            return;
        }
    }
    free(before);
    free(after);
}

static void warn_of_site(const struct archive *a, const struct device *d, size_t place, struct archive_outcome *o)
{
    if (d->site && archive_count(a, ARCHIVE_SITE) == 0)
        array_push(&o->warnings,
                   ((struct archive_note){
                       .row = place,
                       .field = archive_field_find(archive_def(ARCHIVE_DEVICE), "site"),
                       .text = xasprintf("site '%s' is not checked: the archive has no sites yet", d->site)}));
}

bool archive_stage(struct archive *a, enum archive_kind kind, bool is_new, void *record, const struct archive_row *row,
                   size_t place, struct archive_outcome *o)
{
    const struct archive_def *def = archive_def(kind);
    size_t errors = o->errors.n, changes = o->changes.n;
    char *why;
    int field;

    for (size_t i = 0; i < def->nfields; i++)
        stage_field(a, def, (int)i, is_new, record, row->value[i], place, o);
    if (o->errors.n > errors)
        return false;
    why = check_record(a, kind, record, &field);
    if (why) {
        archive_outcome_error(o, place, field, why);
        return false;
    }
    if (kind == ARCHIVE_DEVICE && (is_new || o->changes.n > changes))
        warn_of_site(a, record, place, o);
    o->fates[place] = is_new ? FATE_ADDED : o->changes.n > changes ? FATE_CHANGED : FATE_SAME;
    return true;
}

/* ---- Many rows ---- */

/* Reads row i over the record of its name, if there is one. NULL if it is wrong. */
static struct entry *stage_row(struct archive *a, enum archive_kind kind, enum archive_mode mode,
                               const struct archive_row *row, size_t i, struct dict *seen, struct archive_outcome *o)
{
    const struct archive_def *def = archive_def(kind);
    const char *name = row->value[0] && *row->value[0] ? row->value[0] : NULL;
    const struct entry *before = name ? archive_find(a, kind, name) : NULL;
    struct entry *e = before ? entry_dup(kind, before) : xcalloc(1, def->size);
    uintptr_t twin = name ? (uintptr_t)dict_get(seen, name) : 0;

    if (before && mode == ARCHIVE_ADD)
        archive_outcome_error(o, i, 0, xasprintf("there is a %s '%s' already", def->name, name));
    else if (twin)
        archive_outcome_error(o, i, 0, xasprintf("'%s' is there twice: also in row %zu", name, (size_t)twin));
    else if (name)
        dict_put(seen, name, (void *)(uintptr_t)(i + 1)); /* never NULL: the row as people count */
    if (o->fates[i] != FATE_WRONG && archive_stage(a, kind, !before, e, row, i, o))
        return e;
    entry_free(kind, e);
    return NULL;
}

/* Takes the entry of a row that is to be put in. */
static void take_row(struct archive *a, enum archive_kind kind, struct entry *e, size_t place, char *what,
                     const char *actor, struct change *change, const struct archive_outcome *o)
{
    if (o->fates[place] == FATE_SAME) {
        entry_free(kind, e);
        return;
    }
    if (o->fates[place] == FATE_ADDED)
        archive_event(a, change, kind, "added", e->name, actor);
    else
        event_arg(archive_event(a, change, kind, "changed", e->name, actor), "what", what);
    archive_keep(a, kind, e, change);
}

static void take_rows(struct archive *a, enum archive_kind kind, struct entry **staged, size_t n, const char *actor,
                      struct change *change, const struct archive_outcome *o)
{
    for (size_t i = 0; i < n; i++) {
        char *what = o->fates[i] == FATE_CHANGED ? archive_what_changed(kind, o, i) : NULL;

        take_row(a, kind, staged[i], i, what, actor, change, o);
        staged[i] = NULL;
        free(what);
    }
}

int archive_put(struct archive *a, enum archive_kind kind, enum archive_mode mode, const struct archive_row *rows,
                size_t n, const char *actor, struct change *change, struct archive_outcome *o)
{
    struct entry **staged = xcalloc(n + 1, sizeof *staged);
    struct dict *seen = dict_new();

    for (size_t i = 0; i < n; i++)
        staged[i] = stage_row(a, kind, mode, &rows[i], i, seen, o);
    if (o->errors.n == 0 && change)
        take_rows(a, kind, staged, n, actor, change, o);
    for (size_t i = 0; i < n; i++)
        entry_free(kind, staged[i]);
    free(staged);
    dict_free(seen);
    return o->errors.n == 0 ? 0 : PD_EINVAL;
}
