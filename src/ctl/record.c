#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "conf/conf.h"
#include "ctl/sheet.h"
#include "ctl/tape.h"

/*
 * device record: what a device says, written down so that it can be shown to
 * others; device diff: what one says and another does not, or says otherwise.
 */
enum { MAX_FILE = 64 << 20, OPAQUE_TAG = 68, FLOAT_TAG = 0x78, DOUBLE_TAG = 0x79 };

/* ---- What is private ---- */

static int load_private(struct ctl *t, struct private_data *out)
{
    struct conf_report report = {0};
    struct settings *settings = NULL;
    int err = settings_load(t->config, &settings, &report);

    if (err == 0)
        err = private_load((const char *const *)settings->knowledge_dirs.v, settings->knowledge_dirs.n, out, &report);
    if (report.text.n > 0)
        fputs(report.text.s, t->err);
    else if (err != 0)
        ctl_fail(t, "%s: %s", t->config, pd_strerror(err));
    settings_free(settings);
    conf_report_free(&report);
    return err;
}

/* ---- From a device ---- */

/* Net-SNMP's floating point numbers: an Opaque of 0x9f, the tag, the length and the number. */
static void add_float(struct tape *tape, const char *oid, const char *text)
{
    uint8_t opaque[11] = {0x9f, DOUBLE_TAG, 8};
    double number = strtod(text, NULL);
    uint64_t bits;

    memcpy(&bits, &number, sizeof bits);
    for (int i = 0; i < 8; i++)
        opaque[3 + i] = (uint8_t)(bits >> (8 * (7 - i)));
    tape_add(tape, oid, OPAQUE_TAG, opaque, sizeof opaque);
}

/* ["1.3.6…", tag, type, content] */
static void add_cell(struct tape *tape, const json_t *cell)
{
    const char *oid = json_string_value(json_array_get(cell, 0));
    uint8_t tag = (uint8_t)json_integer_value(json_array_get(cell, 1));
    const json_t *content = json_array_get(cell, 3);
    const char *text = json_string_value(content);
    char *made = NULL;
    size_t n = 0;

    if (!oid)
        return;
    if (json_is_integer(content))
        text = made = xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(content));
    text = text ? text : "";
    if (tag == FLOAT_TAG || tag == DOUBLE_TAG) {
        add_float(tape, oid, text);
    } else if (tape_is_octets(tag)) {
        char *octets = xmalloc(strlen(text) / 2 + 1);

        for (unsigned octet; sscanf(text + 2 * n, "%2x", &octet) == 1; n++)
            octets[n] = (char)octet;
        tape_add(tape, oid, tag, octets, n);
        free(octets);
    } else {
        tape_add(tape, oid, tag, text, strlen(text));
    }
    free(made);
}

/* Below each root in turn; false after telling why not. What broke off is told, and kept. */
static bool walk_device(struct ctl *t, const char *device, const struct private_data *what, struct tape *tape)
{
    for (size_t i = 0; i < what->walk.n; i++) {
        json_t *answer, *cell;
        size_t k;

        ctl_progress(t, (unsigned)(100 * i / what->walk.n));
        answer = ctl_ask(t, json_pack("{s:s, s:{s:s, s:s}}", "cmd", "device.walk", "args", "device", device, "root",
                                      what->walk.v[i]));
        if (!answer)
            return false;
        json_array_foreach(json_object_get(json_object_get(answer, "ok"), "cells"), k, cell) add_cell(tape, cell);
        if (*ctl_string(json_object_get(answer, "ok"), "detail"))
            ctl_fail(t, "%s, %s: %s", device, what->walk.v[i], ctl_string(json_object_get(answer, "ok"), "detail"));
        json_decref(answer);
    }
    ctl_progress(t, 100);
    tape_sort(tape);
    return true;
}

static int save(struct ctl *t, const struct tape *tape, const char *path)
{
    struct sbuf text = {0};
    int err;

    tape_write(tape, &text);
    if (strcmp(path, "-") == 0)
        err = fwrite(text.s, 1, text.n, t->out) == text.n ? 0 : PD_EIO;
    else
        err = file_write_whole(path, text.s, text.n, 0600);
    if (err < 0)
        ctl_fail(t, "%s: %s", path, pd_strerror(err));
    sbuf_free(&text);
    return err;
}

int run_device_record(struct ctl *t, const struct command *c, json_t *args)
{
    const char *device = ctl_string(args, "device"), *out = ctl_string(args, "out");
    char *path = *out ? xstrdup(out) : xasprintf("%s.snmprec", device);
    struct private_data what = {0};
    struct tape tape = {0};
    int code = EXIT_FAILED;

    (void)c;
    if (!*out && strchr(device, '/')) {
        ctl_fail_text(t, "ctl.record.name-file", (struct text_arg[]){{"device", device}, {0}});
    } else if (load_private(t, &what) == 0 && walk_device(t, device, &what, &tape)) {
        if (tape.n == 0)
            ctl_fail_text(t, "ctl.record.silent", (struct text_arg[]){{"device", device}, {0}});
        tape_blank(&tape, &what, rng_u64(&rng_system));
        if (tape.n > 0 && save(t, &tape, path) == 0)
            code = EXIT_DONE;
    }
    if (code == EXIT_DONE && strcmp(path, "-") != 0) {
        char *count = xasprintf("%zu", tape.n);
        struct sbuf line = {0};

        text_fill(&line, text_get(t->lang, "ctl.record.done"),
                  (struct text_arg[]){{"count", count}, {"file", path}, {0}}, 2);
        fprintf(t->out, "%s\n", line.s);
        sbuf_free(&line);
        free(count);
    }
    tape_fini(&tape);
    private_free(&what);
    free(path);
    return code;
}

/* ---- What differs ---- */

static const struct ctl_column diff_columns[] = {
    {.name = "table"},
    {.name = "gone", .type = VIEW_INT},
    {.name = "new", .type = VIEW_INT},
    {.name = "retyped", .type = VIEW_INT},
    {.name = "same", .type = VIEW_INT},
    {.name = "example"},
    {0},
};

/* A recording, or a device that patrold has. */
static bool take_side(struct ctl *t, const char *from, struct tape *tape)
{
    struct private_data what = {0};
    char *text;
    size_t n;
    bool taken;
    int err;

    if (access(from, F_OK) != 0 && !strchr(from, '/')) {
        taken = load_private(t, &what) == 0 && walk_device(t, from, &what, tape);
        private_free(&what);
        return taken;
    }
    err = file_read(from, MAX_FILE, &text, &n);
    if (err < 0) {
        ctl_fail(t, "%s: %s", from, pd_strerror(err));
        return false;
    }
    (void)tape_read(tape, text, n);
    free(text);
    tape_sort(tape);
    if (tape->n == 0)
        ctl_fail_text(t, "ctl.profile.no-recording",
                      (struct text_arg[]){{"file", from}, {"count", "1"}, {"line", "1"}, {0}});
    return tape->n > 0;
}

/*
 * How many numbers of a name are its table's. A single value ends in 0; a row's name
 * has the 1 of the entry, then a column, then an instance: the last that fits it is.
 */
static size_t table_of(const struct taped *o)
{
    if (o->n > 0 && o->oid[o->n - 1] == 0)
        return o->n - 2 < o->n ? o->n - 2 : o->n;
    for (size_t i = o->n; i-- > 7;)
        if (i + 2 < o->n && o->oid[i] == 1)
            return i;
    return o->n > 2 ? o->n - 2 : o->n;
}

struct diff {
    struct sheet *sheet;
    const struct taped *first; /* of the group */
    size_t ntable;
    const struct taped *example;
    json_int_t gone, new, retyped, same, all;
};

static char *name_of(const uint32_t *oid, size_t n)
{
    struct sbuf b = {0};

    for (size_t i = 0; i < n; i++)
        sbuf_addf(&b, i ? ".%u" : "%u", (unsigned)oid[i]);
    return sbuf_take(&b);
}

static void end_group(struct diff *d)
{
    char *table, *example;
    json_t *row;

    if (d->first && d->example) {
        table = name_of(d->first->oid, d->ntable);
        example = name_of(d->example->oid, d->example->n);
        row = json_pack("{s:s, s:I, s:I, s:I, s:I, s:s}", "table", table, "gone", d->gone, "new", d->new, "retyped",
                        d->retyped, "same", d->same, "example", example);
        sheet_row(d->sheet, row);
        json_decref(row);
        free(table);
        free(example);
    }
    d->all += d->gone + d->new + d->retyped;
    d->gone = d->new = d->retyped = d->same = 0;
    d->first = d->example = NULL;
}

/* order < 0: a's alone, > 0: b's alone, 0: both have it. Groups are told as the next one begins. */
static void compare_one(struct diff *d, int order, const struct taped *a, const struct taped *b)
{
    const struct taped *o = order <= 0 ? a : b;
    size_t n = table_of(o);

    if (!d->first || d->ntable != n || o->n < n || memcmp(d->first->oid, o->oid, n * sizeof *o->oid) != 0) {
        end_group(d);
        d->first = o;
        d->ntable = n;
    }
    if (order == 0 && a->tag == b->tag) {
        d->same++;
        return;
    }
    if (order == 0)
        d->retyped++;
    else if (order < 0)
        d->gone++;
    else
        d->new ++;
    d->example = d->example ? d->example : o;
}

int run_device_diff(struct ctl *t, const struct command *c, json_t *args)
{
    struct diff d = {0};
    struct tape a = {0}, b = {0};
    size_t i = 0, k = 0;
    int code = EXIT_FAILED;

    (void)c;
    if (take_side(t, ctl_string(args, "a"), &a) && take_side(t, ctl_string(args, "b"), &b)) {
        d.sheet = sheet_open(t);
        sheet_table(d.sheet, NULL, NULL, diff_columns);
        while (i < a.n || k < b.n) {
            int order = i == a.n ? 1 : k == b.n ? -1 : tape_compare(&a.v[i], &b.v[k]);

            compare_one(&d, order, &a.v[i], &b.v[k]);
            i += order <= 0;
            k += order >= 0;
        }
        end_group(&d);
        code = sheet_close(d.sheet);
    }
    tape_fini(&a);
    tape_fini(&b);
    return code;
}
