#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "ctl/sheet.h"
#include "model/format.h"
#include "watch/trial.h"

/*
 * profile test: a profile tried on a recording of a device, or on a device that
 * patrold is asked to read. The knowledge is read from the files, so that what is
 * just being written can be tried; no device is made, and nothing is kept.
 */
enum { MAX_RECORDING = 64 << 20 };

static const struct ctl_column identity_columns[] = {
    {.name = "profile"},
    {.name = "device_class", .type = VIEW_CODE, .words = "class"},
    {.name = "file", .title = "ctl.col.profile-file"},
    {.name = "objects", .title = "ctl.col.objects", .type = VIEW_INT},
    {.name = "object_id", .title = "ctl.col.object-id"},
    {.name = "fits", .title = "ctl.col.fits", .type = VIEW_CODE, .words = "word"},
    {.name = "chosen", .title = "ctl.col.chosen"},
    {.name = "make"},
    {.name = "model"},
    {.name = "serial"},
    {.name = "firmware"},
    {0},
};

/* `number` is the value where it is one, for programs. */
static const struct ctl_column trial_columns[] = {
    {.name = "kind", .max = 14},
    {.name = "component", .max = 20},
    {.name = "key", .shown = SHOWN_PROGRAMS},
    {.name = "point", .max = 20},
    {.name = "value", .max = 30},
    {.name = "quality", .type = VIEW_CODE, .words = "quality", .max = 8},
    {.name = "source"},
    {.name = "place", .title = "ctl.col.rule-place"},
    {.name = "reason", .title = "ctl.col.why"},
    {.name = "number", .type = VIEW_NUM, .shown = SHOWN_PROGRAMS},
    {.name = "code", .shown = SHOWN_PROGRAMS},
    {.name = "column", .shown = SHOWN_PROGRAMS},
    {.name = "raw", .type = VIEW_INT, .shown = SHOWN_PROGRAMS},
    {.name = "rule", .shown = SHOWN_PROGRAMS},
    {0},
};

static json_t *text_or_null(const char *s)
{
    json_t *j = s ? json_string(s) : NULL;

    return j ? j : json_null();
}

/* ---- What came out ---- */

struct show {
    struct ctl *t;
    struct sheet *s;
};

/* "printer-mib.yaml:33", for people the last of the path will do. */
static char *place_of(const struct ctl *t, const struct where *w)
{
    const char *slash = w->file ? strrchr(w->file, '/') : NULL;

    if (!w->file)
        return xstrdup("");
    return xasprintf("%s:%d", t->format == VIEW_PEOPLE && slash ? slash + 1 : w->file, w->line);
}

/* As patrold answers it with `device show --why`. */
static json_t *why_of(const struct reason *r)
{
    json_t *j = json_pack("{s:s, s:o, s:o}", "code", value_why_name(r->why), "column", text_or_null(r->column),
                          "source", text_or_null(r->source));

    if (r->has_raw)
        json_object_set_new(j, "raw", json_integer(r->raw));
    if (r->rule && r->rule->value)
        json_object_set_new(j, "rule", json_string(expr_text(r->rule->value)));
    if (r->module)
        json_object_set_new(j, "reference", text_or_null(r->module->reference));
    if (r->def)
        json_object_set_new(j, "definition", json_string(r->def->name));
    return j;
}

static void add_value(json_t *row, const struct trial_point *p)
{
    struct sbuf text = {0};
    bool known = p->value.quality == QUALITY_GOOD;

    format_value(&text, p->point, p->value);
    json_object_set_new(row, "value", known ? json_string(text.s) : json_null());
    if (known && p->value.type == VALUE_INT)
        json_object_set_new(row, "number", json_real((double)p->value.i));
    else if (known && p->value.type == VALUE_NUM)
        json_object_set_new(row, "number", json_real(p->value.num));
    sbuf_free(&text);
}

static void show_point(void *ctx, const struct trial_point *p)
{
    struct show *show = ctx;
    const struct ctl *t = show->t;
    json_t *row = why_of(p->reason);
    const char *title = p->point->title[t->lang], *kind = p->found->kind->title[t->lang];
    bool people = t->format == VIEW_PEOPLE;
    char *place = p->reason->rule ? place_of(t, &p->reason->rule->where) : xstrdup("");

    json_object_set_new(row, "kind", json_string(people && kind ? kind : p->found->kind->name));
    json_object_set_new(row, "component", text_or_null(p->found->label));
    json_object_set_new(row, "key", text_or_null(p->found->key));
    json_object_set_new(row, "point", json_string(people && title ? title : p->point->name));
    json_object_set_new(row, "quality", json_string(quality_name((enum quality)p->value.quality)));
    json_object_set_new(row, "place", json_string(place));
    add_value(row, p);
    if (p->reason->why != WHY_NONE) {
        struct sbuf words = {0};

        why_words(t, row, ctl_string(row, "quality"), &words);
        json_object_set_new(row, "reason", json_string(words.s));
        sbuf_free(&words);
    }
    sheet_row(show->s, row);
    json_decref(row);
    free(place);
}

static void show_identity(struct show *show, const struct knowledge *k, const struct profile *p, struct recording *r)
{
    struct trial_identity id = trial_identify(k, p, r);
    char *place = place_of(show->t, &p->where);
    json_t *row =
        json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o}", "profile", p->name, "device_class", p->device_class, "file",
                  place, "objects", (json_int_t)recording_count(r), "object_id", text_or_null(id.object_id), "fits",
                  id.asked ? json_string(id.fits ? "yes" : "no") : json_null(), "chosen",
                  text_or_null(id.chosen ? id.chosen->name : NULL));

    for (int i = 0; i < PROFILE_TEXTS; i++)
        json_object_set_new(row, profile_text_names[i], text_or_null(id.texts[i]));
    sheet_record(show->s, NULL, NULL, identity_columns);
    sheet_row(show->s, row);
    json_decref(row);
    free(place);
    trial_identity_fini(&id);
}

static int show_trial(struct ctl *t, const struct knowledge *k, const struct profile *p, struct recording *r)
{
    struct show show = {.t = t, .s = sheet_open(t)};

    if (t->format != VIEW_CSV)
        show_identity(&show, k, p, r);
    sheet_table(show.s, t->format == VIEW_CSV ? NULL : "points", NULL, trial_columns);
    trial_run(p, r, show_point, &show);
    return sheet_close(show.s);
}

/* ---- Where the recording comes from ---- */

/* A mistake in a recording is told, and the rest is good. */
static bool read_text(struct ctl *t, struct recording *r, const char *name, const char *text, size_t n)
{
    size_t first = 0, wrong = recording_read(r, text, n, &first);

    if (wrong > 0) {
        char *lines = xasprintf("%zu", wrong), *at = xasprintf("%zu", first);
        const struct text_arg args[] = {{"file", name}, {"count", lines}, {"line", at}, {NULL, NULL}};

        ctl_fail_text(t, recording_count(r) ? "ctl.profile.some-wrong" : "ctl.profile.no-recording", args);
        free(lines);
        free(at);
    }
    return recording_count(r) > 0;
}

static bool read_file(struct ctl *t, struct recording *r, const char *path)
{
    char *text;
    size_t n;
    int err = file_read(path, MAX_RECORDING, &text, &n);
    bool read;

    if (err < 0) {
        ctl_fail(t, "%s: %s", path, pd_strerror(err));
        return false;
    }
    read = read_text(t, r, path, text, n);
    free(text);
    return read;
}

/* ---- A device ---- */

/* What is asked of patrold: each pair of address and kind once. */
struct asking {
    json_t *sources, *seen;
};

static void add_source(void *ctx, const char *address, bool table)
{
    struct asking *a = ctx;
    char *key = xasprintf("%d %s", table, address);

    if (!json_object_get(a->seen, key)) {
        json_object_set_new(a->seen, key, json_true());
        json_array_append_new(a->sources, json_pack("[s, b]", address, table));
    }
    free(key);
}

static json_t *holes_of(const struct profile *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->holes.n; i++)
        json_array_append_new(list, json_pack("[i, i, i]", (int)p->holes.v[i].function, (int)p->holes.v[i].first,
                                              (int)p->holes.v[i].last));
    return list;
}

static json_t *request_of(const struct knowledge *k, const struct profile *p, const char *address, const json_t *args)
{
    static const char *const given[] = {"port", "unit", "credential", NULL};
    struct asking a = {.sources = json_array(), .seen = json_object()};
    json_t *j = json_pack("{s:s, s:s, s:b, s:i}", "address", address, "collector", trial_collector(p), "no_bulk",
                          p->quirks.no_bulk, "version", p->quirks.version);

    trial_sources(k, p, add_source, &a);
    json_decref(a.seen);
    json_object_set_new(j, "sources", a.sources);
    if (p->quirks.no_gaps)
        json_object_set_new(j, "no_gaps", json_true());
    if (p->holes.n > 0)
        json_object_set_new(j, "holes", holes_of(p));
    for (size_t i = 0; given[i]; i++)
        if (json_object_get(args, given[i]))
            json_object_set(j, given[i], json_object_get(args, given[i]));
    return json_pack("{s:s, s:o}", "cmd", "device.read", "args", j);
}

static size_t octets_of(const char *hex, uint8_t *out)
{
    size_t n = 0;

    for (unsigned octet; sscanf(hex, "%2x", &octet) == 1; hex += 2)
        out[n++] = (uint8_t)octet;
    return n;
}

static size_t numbers_of(const char *dotted, uint32_t out[static PD_MAX_INSTANCE])
{
    size_t n = 0;
    char *end;

    for (; *dotted && n < PD_MAX_INSTANCE; dotted = *end == '.' ? end + 1 : end) {
        out[n++] = (uint32_t)strtoul(dotted, &end, 10);
        if (end == dotted)
            break;
    }
    return n;
}

/* [source, [instance …], type, content], as patrold answers it. */
static void take_cell(struct recording *r, const json_t *sources, const json_t *cell)
{
    const json_t *source = json_array_get(sources, (size_t)json_integer_value(json_array_get(cell, 0)));
    const json_t *at = json_array_get(cell, 1), *content = json_array_get(cell, 3);
    const char *type = json_string_value(json_array_get(cell, 2)), *text = json_string_value(content);
    uint32_t instance[PD_MAX_INSTANCE], numbers[PD_MAX_INSTANCE];
    uint8_t *bytes = xmalloc(text ? strlen(text) / 2 + 1 : 1);
    struct pd_cell c = {.type = PD_CELL_NULL, .instance = instance};

    while (c.ninstance < json_array_size(at) && c.ninstance < PD_MAX_INSTANCE) {
        instance[c.ninstance] = (uint32_t)json_integer_value(json_array_get(at, c.ninstance));
        c.ninstance++;
    }
    switch (type ? *type : 0) {
    case 'i':
        c.type = PD_CELL_INT;
        c.i = json_integer_value(content);
        break;
    case 'u':
    case 't':
        c.type = *type == 'u' ? PD_CELL_UINT : PD_CELL_TICKS;
        c.u = text ? strtoull(text, NULL, 10) : 0;
        break;
    case 'f':
        c.type = PD_CELL_FLOAT;
        c.f = text ? strtod(text, NULL) : 0;
        break;
    case 'x':
        c.type = PD_CELL_BYTES;
        c.bytes = bytes;
        c.nbytes = text ? (uint32_t)octets_of(text, bytes) : 0;
        break;
    case 'o':
        c.type = PD_CELL_OID;
        c.oid = numbers;
        c.nbytes = text ? (uint32_t)numbers_of(text, numbers) : 0;
        break;
    default:
        break;
    }
    if (type && json_is_string(json_array_get(source, 0)))
        recording_tell(r, json_string_value(json_array_get(source, 0)), json_is_true(json_array_get(source, 1)), &c);
    free(bytes);
}

/* Faces do not poll: patrold reads it, once. */
static bool read_device(struct ctl *t, const struct knowledge *k, const struct profile *p, const json_t *args,
                        struct recording *r)
{
    const char *address = ctl_string(args, "from");
    json_t *request = request_of(k, p, address, args);
    json_t *sources = json_incref(json_object_get(json_object_get(request, "args"), "sources"));
    json_t *answer = ctl_ask(t, request), *ok = json_object_get(answer, "ok"), *cell;
    size_t i;

    json_array_foreach(json_object_get(ok, "cells"), i, cell)
    {
        take_cell(r, sources, cell);
    }
    if (ok && recording_count(r) == 0)
        ctl_fail_text(t, "ctl.profile.silent",
                      (const struct text_arg[]){{"address", address},
                                                {"status", ctl_words(t, "poll-status", ctl_string(ok, "status"))},
                                                {NULL, NULL}});
    json_decref(sources);
    json_decref(answer);
    return recording_count(r) > 0;
}

/* ---- The knowledge ---- */

/* Everything that the settings name; NULL after telling every mistake. */
static struct knowledge *load(struct ctl *t)
{
    struct conf_report report = {0};
    struct settings *settings = NULL;
    struct knowledge *k = NULL;
    int err = settings_load(t->config, &settings, &report);

    if (err == 0)
        err = knowledge_load((const char *const *)settings->knowledge_dirs.v, settings->knowledge_dirs.n, settings, &k,
                             &report);
    if (report.text.n > 0)
        fputs(report.text.s, t->err);
    else if (err != 0)
        ctl_fail(t, "%s: %s", t->config, pd_strerror(err));
    settings_free(settings);
    conf_report_free(&report);
    return k;
}

static const struct profile *find_profile(struct ctl *t, const struct knowledge *k, const char *name)
{
    const struct profile *p = knowledge_profile(k, name);
    ARRAY(const char *) names = {0};
    const char *near;

    if (p)
        return p;
    for (size_t i = 0; i < k->profiles.n; i++)
        array_push(&names, k->profiles.v[i]->name);
    array_push(&names, NULL);
    near = str_nearest(name, names.v);
    ctl_fail_text(t, near ? "ctl.profile.near" : "ctl.profile.unknown",
                  (const struct text_arg[]){{"profile", name}, {"near", near ? near : ""}, {NULL, NULL}});
    array_free(&names);
    return NULL;
}

int run_profile_test(struct ctl *t, const struct command *c, json_t *args)
{
    const char *from = ctl_string(args, "from");
    struct knowledge *k = load(t);
    const struct profile *p = k ? find_profile(t, k, ctl_string(args, "profile")) : NULL;
    struct recording *r = recording_new();
    int code = EXIT_FAILED;

    (void)c;
    if (p && (access(from, F_OK) == 0 || strchr(from, '/') ? read_file(t, r, from) : read_device(t, k, p, args, r)))
        code = show_trial(t, k, p, r);
    recording_free(r);
    knowledge_free(k);
    return code;
}
