#include "ctl/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/pieces.h"

enum { MOST_SHOWN = 30 }; /* rows that are told by name before the rest is only counted */

static int64_t count(const json_t *answer, const char *fate)
{
    return json_integer_value(json_object_get(answer, fate));
}

/* A long table was taken over as far as this. */
static void tell_taken(struct ctl *t, size_t taken)
{
    char *n = xasprintf("%zu", taken);

    if (taken > 0)
        ctl_fail_text(t, "ctl.import.part", (struct text_arg[]){{"n", n}, {0}});
    free(n);
}

static json_t *send_pieces(struct ctl *t, const struct command *c, const struct import_file *f, bool dry)
{
    size_t taken = 0;
    json_t *sum = pieces_send(t, c, f, dry, &taken);

    if (!sum && !dry)
        tell_taken(t, taken);
    return sum;
}

/* Sends the rows: the answer's object (json_decref it), NULL after telling why not. */
static json_t *send_rows(struct ctl *t, const struct command *c, const struct import_file *f, bool dry)
{
    json_t *args, *answer, *ok;

    if (ctl_connect(t) != 0)
        return NULL;
    if (pieces_wanted(f))
        return send_pieces(t, c, f, dry);
    args = json_pack("{s:O, s:b}", "rows", f->rows, "dry_run", dry);
    ctl_progress(t, 0);
    answer = ctl_ask(t, json_pack("{s:s, s:o}", "cmd", c->request, "args", args));
    ctl_progress(t, 100);
    ok = json_incref(json_object_get(answer, "ok"));
    json_decref(answer);
    return ok;
}

/* ---- What would become of them ---- */

static void tell_notes(struct ctl *t, struct import_file *f, const json_t *notes)
{
    const struct archive_def *def = archive_def(f->kind);
    const json_t *note;
    size_t i;

    f->errors = 0;
    json_array_foreach(notes, i, note)
    {
        const char *field = ctl_string(note, "field");

        import_tell(t, f, (size_t)json_integer_value(json_object_get(note, "row")),
                    *field ? archive_field_find(def, field) : -1, ctl_string(note, "text"));
    }
    import_tell_rest(t, f);
}

static const char *row_name(const struct import_file *f, size_t row)
{
    return ctl_string(json_array_get(f->rows, row), archive_def(f->kind)->fields[0].name);
}

static void show_line(struct ctl *t, const char *mark, const char *name, const char *rest)
{
    struct sbuf line = {0};

    sbuf_addf(&line, "%s ", mark);
    sbuf_add_visible(&line, name);
    sbuf_add_visible(&line, rest);
    fprintf(t->out, "%s\n", line.s);
    sbuf_free(&line);
}

static void show_rest(struct ctl *t, size_t n)
{
    char *text = xasprintf("%zu", n > MOST_SHOWN ? n - MOST_SHOWN : 0);
    struct sbuf line = {0};

    text_fill(&line, text_get(t->lang, "ctl.import.more"), (struct text_arg[]){{"n", text}}, 1);
    if (n > MOST_SHOWN)
        fprintf(t->out, "  %s\n", line.s);
    sbuf_free(&line);
    free(text);
}

/* New rows by name, then each field that changes, from what to what. */
static void show_changes(struct ctl *t, const struct import_file *f, const json_t *plan)
{
    const json_t *fate, *change;
    size_t i, shown = 0;

    json_array_foreach(json_object_get(plan, "fates"), i, fate)
    {
        if (strcmp(json_string_value(fate), "added") == 0 && shown++ < MOST_SHOWN)
            show_line(t, "+", row_name(f, i), "");
    }
    show_rest(t, shown);
    shown = 0;
    json_array_foreach(json_object_get(plan, "changes"), i, change)
    {
        const char *before = ctl_string(change, "before"), *after = ctl_string(change, "after");
        char *rest =
            xasprintf("  %s: %s → %s", ctl_string(change, "field"), *before ? before : "-", *after ? after : "-");

        if (shown++ < MOST_SHOWN)
            show_line(t, "~", row_name(f, (size_t)json_integer_value(json_object_get(change, "row"))), rest);
        free(rest);
    }
    show_rest(t, shown);
}

/* A sentence with how many rows there are of each fate. */
static char *summary(struct ctl *t, const char *id, const json_t *answer)
{
    char *added = xasprintf("%lld", (long long)count(answer, "added"));
    char *changed = xasprintf("%lld", (long long)count(answer, "changed"));
    char *unchanged = xasprintf("%lld", (long long)count(answer, "unchanged"));
    struct sbuf text = {0};

    text_fill(&text, text_get(t->lang, id),
              (struct text_arg[]){{"added", added}, {"changed", changed}, {"unchanged", unchanged}}, 3);
    free(added);
    free(changed);
    free(unchanged);
    return sbuf_take(&text);
}

static void say(struct ctl *t, const char *id, json_t *answer)
{
    char *text = summary(t, id, answer);

    if (t->format == VIEW_PEOPLE) {
        fprintf(t->out, "%s\n", text);
    } else {
        json_dumpf(answer, t->out, JSON_COMPACT);
        fputc('\n', t->out);
    }
    free(text);
}

/* ---- Asking ---- */

static bool is_yes(const char *line)
{
    return *line == 'y' || *line == 'Y' || str_starts(line, "是");
}

/* EXIT_DONE if it may be done. Where nobody can be asked, --yes must have been said. */
static int may_import(struct ctl *t, bool yes, const json_t *plan)
{
    char line[64] = "", *question;

    if (yes)
        return EXIT_DONE;
    if (!t->in)
        return ctl_fail_text(t, "ctl.import.not-asked", (struct text_arg[]){{0}});
    question = summary(t, "ctl.import.ask", plan);
    fprintf(t->err, "%s ", question);
    fflush(t->err);
    free(question);
    if (fgets(line, sizeof line, t->in) && is_yes(line))
        return EXIT_DONE;
    return ctl_fail_text(t, "ctl.import.declined", (struct text_arg[]){{0}});
}

/* ---- The command ---- */

/* What patrold says to the rows: *plan (json_decref it), NULL after telling what is wrong. */
static json_t *look(struct ctl *t, const struct command *c, struct import_file *f)
{
    json_t *plan = send_rows(t, c, f, true);

    if (!plan)
        return NULL;
    tell_notes(t, f, json_object_get(plan, "warnings"));
    tell_notes(t, f, json_object_get(plan, "errors"));
    if (f->errors > 0) {
        ctl_fail_text(t, "ctl.import.nothing", (struct text_arg[]){{0}});
        json_decref(plan);
        return NULL;
    }
    return plan;
}

static int carry_out(struct ctl *t, const struct command *c, const struct import_file *f, json_t *plan, bool yes)
{
    int code = may_import(t, yes, plan);
    json_t *done;

    if (code != EXIT_DONE)
        return code;
    done = send_rows(t, c, f, false);
    if (!done)
        return EXIT_FAILED;
    say(t, c->said, done);
    json_decref(done);
    return EXIT_DONE;
}

static int import(struct ctl *t, const struct command *c, struct import_file *f, bool dry, bool yes)
{
    json_t *plan = look(t, c, f);
    int code = EXIT_DONE;

    if (!plan)
        return EXIT_FAILED;
    if (t->format == VIEW_PEOPLE)
        show_changes(t, f, plan);
    if (dry)
        say(t, "ctl.import.plan", plan);
    else if (count(plan, "added") + count(plan, "changed") == 0)
        say(t, "ctl.import.same", plan);
    else
        code = carry_out(t, c, f, plan, yes);
    json_decref(plan);
    return code;
}

int run_import(struct ctl *t, const struct command *c, json_t *args)
{
    bool dry = json_is_true(json_object_get(args, "dry-run")), yes = json_is_true(json_object_get(args, "yes"));
    enum archive_kind kind = ARCHIVE_DEVICE;
    struct import_file f;
    int code;

    archive_kind_parse(c->noun, &kind);
    code = import_read(t, ctl_string(args, "file"), kind, &f);
    if (code == EXIT_DONE)
        code = import(t, c, &f, dry, yes);
    import_file_fini(&f);
    return code;
}
