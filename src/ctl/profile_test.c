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
        json_pack("{s:s, s:s, s:s, s:I, s:o, s:s, s:o}", "profile", p->name, "device_class", p->device_class, "file",
                  place, "objects", (json_int_t)recording_count(r), "object_id", text_or_null(id.object_id), "fits",
                  id.fits ? "yes" : "no", "chosen", text_or_null(id.chosen ? id.chosen->name : NULL));

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
    if (p && read_file(t, r, from))
        code = show_trial(t, k, p, r);
    recording_free(r);
    knowledge_free(k);
    return code;
}
