#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/charset.h"
#include "base/csv.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/report.h"
#include "ctl/import.h"

enum { MOST_BYTES = 64 << 20, MOST_TOLD = 50 };

/* ---- What is wrong, and where ---- */

void import_tell(struct ctl *t, struct import_file *f, size_t row, int field, const char *text)
{
    const char *name = field < 0 ? NULL : archive_def(f->kind)->fields[field].name;
    int line = row < f->lines.n ? f->lines.v[row] : 0;
    struct sbuf where = {0};

    if (f->errors++ >= MOST_TOLD)
        return;
    sbuf_add(&where, f->path);
    if (line > 0)
        sbuf_addf(&where, ":%d", line);
    sbuf_addf(&where, ": %s %zu", text_get(t->lang, "ctl.import.row"), row + 1);
    if (name && f->columns[field].number > 0)
        sbuf_addf(&where, ", %s %d '%s'", text_get(t->lang, "ctl.import.column"), f->columns[field].number,
                  f->columns[field].heading);
    else if (name)
        sbuf_addf(&where, ", '%s'", name);
    ctl_fail(t, "%s: %s", where.s, text);
    sbuf_free(&where);
}

void import_tell_rest(struct ctl *t, const struct import_file *f)
{
    char *n = xasprintf("%zu", f->errors > MOST_TOLD ? f->errors - MOST_TOLD : 0);

    if (f->errors > MOST_TOLD)
        ctl_fail_text(t, "ctl.import.more", (struct text_arg[]){{"n", n}, {0}});
    free(n);
}

/* Something about the whole file or a line of it. */
static void wrong_file(struct ctl *t, struct import_file *f, int line, const char *id, const char *word)
{
    struct sbuf where = {0}, text = {0};

    f->errors++;
    sbuf_add(&where, f->path);
    if (line > 0)
        sbuf_addf(&where, ":%d", line);
    text_fill(&text, text_get(t->lang, id), (struct text_arg[]){{"word", word}}, 1);
    ctl_fail(t, "%s: %s", where.s, text.s);
    sbuf_free(&where);
    sbuf_free(&text);
}

/* ---- Headings ---- */

static char *trimmed(const char *s)
{
    static const char wide_space[] = "\xe3\x80\x80"; /* U+3000, which Chinese spreadsheets have */
    size_t n;

    for (;;) {
        if (str_starts(s, wide_space))
            s += 3;
        else if (*s && strchr(" \t\r\n", *s))
            s++;
        else
            break;
    }
    n = strlen(s);
    for (;;) {
        if (n >= 3 && memcmp(s + n - 3, wide_space, 3) == 0)
            n -= 3;
        else if (n > 0 && strchr(" \t\r\n", s[n - 1]))
            n--;
        else
            break;
    }
    return xstrndup(s, n);
}

/* Whether a heading is one of those that a text tells, parted by bars. */
static bool is_among(const char *heading, const char *names)
{
    size_t n = strlen(heading);

    while (*names) {
        size_t m = strcspn(names, "|");

        if (m == n && strncasecmp(names, heading, n) == 0)
            return true;
        names += m + (names[m] == '|');
    }
    return false;
}

static bool names_field(const struct archive_field *f, const char *heading)
{
    char *id = xasprintf("import.%s", f->name);
    bool found = strcasecmp(f->name, heading) == 0;

    for (int lang = 0; lang < LANG_COUNT && !found; lang++)
        found = is_among(heading, text_get((enum lang)lang, id));
    free(id);
    return found;
}

/* A column that `patrolctl KIND list` shows and nobody sets. */
static bool is_listed(enum archive_kind kind, const char *heading)
{
    const char *noun = archive_def(kind)->name;

    for (const struct command *c = commands; c->noun; c++)
        for (const struct ctl_column *col = c->columns; col && col->name; col++)
            if (strcmp(c->noun, noun) == 0 && strcmp(col->name, heading) == 0)
                return true;
    return false;
}

int import_heading(enum archive_kind kind, const char *heading)
{
    const struct archive_def *def = archive_def(kind);
    char *clean = trimmed(heading);
    int found = -2;

    for (size_t i = 0; i < def->nfields && found < 0; i++)
        if (names_field(&def->fields[i], clean))
            found = (int)i;
    if (found < 0 && (*clean == '\0' || is_listed(kind, clean)))
        found = -1;
    free(clean);
    return found;
}

/* ---- Values ---- */

/* The texts that name a field's codes; NULL if it has none. */
static const char *code_words(const struct archive_field *f)
{
    static const struct {
        const char *const *codes;
        const char *texts;
    } known[] = {{staff_roles, "staff-role"}, {contract_kinds, "contract-kind"}, {device_statuses, "device-status"}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (f->codes == known[i].codes)
            return known[i].texts;
    return NULL;
}

char *import_value(const struct archive_field *f, const char *value)
{
    char *clean = trimmed(value);
    const char *words = code_words(f);

    /* The apostrophe that keeps a spreadsheet from taking a text for a formula, as lists have it. */
    if (clean[0] == '\'' && clean[1] && strchr("=+-@", clean[1]))
        memmove(clean, clean + 1, strlen(clean));
    for (size_t i = 0; words && f->codes[i]; i++) {
        char *id = xasprintf("%s.%s", words, f->codes[i]);

        for (int lang = 0; lang < LANG_COUNT; lang++)
            if (strcasecmp(text_get((enum lang)lang, id), clean) == 0)
                xstrset(&clean, f->codes[i]);
        free(id);
    }
    return clean;
}

static void put_value(const struct import_file *f, json_t *row, int field, const char *value)
{
    const struct archive_field *def = &archive_def(f->kind)->fields[field];
    char *clean = import_value(def, value);

    json_object_set_new(row, def->name, json_string(clean));
    free(clean);
}

/* ---- CSV ---- */

/* Which field each column is (as import_heading()); false after telling what is wrong. */
static bool take_headings(struct ctl *t, struct import_file *f, const struct csv_row *row, int *fields)
{
    size_t before = f->errors;

    for (size_t i = 0; i < row->fields.n; i++) {
        const char *heading = csv_field(row, i);
        int field = fields[i] = import_heading(f->kind, heading);

        if (field == -2) {
            wrong_file(t, f, row->line, "ctl.import.heading", heading);
        } else if (field >= 0 && f->columns[field].number > 0) {
            wrong_file(t, f, row->line, "ctl.import.heading.twice", heading);
        } else if (field >= 0) {
            f->columns[field].number = (int)i + 1;
            xstrset(&f->columns[field].heading, heading);
        }
    }
    if (f->columns[0].number == 0)
        wrong_file(t, f, row->line, "ctl.import.no-name", archive_def(f->kind)->fields[0].name);
    return f->errors == before;
}

static void take_csv_row(struct ctl *t, struct import_file *f, const struct csv_row *row, const int *fields, size_t n)
{
    json_t *object = json_object();
    char *why;

    array_push(&f->lines, row->line);
    for (size_t i = 0; i < n && i < row->fields.n; i++)
        if (fields[i] >= 0)
            put_value(f, object, fields[i], csv_field(row, i));
    json_array_append_new(f->rows, object);
    if (row->fields.n != n) {
        why = xasprintf("%zu/%zu %s", row->fields.n, n, text_get(t->lang, "ctl.import.fields"));
        import_tell(t, f, f->lines.n - 1, -1, why);
        free(why);
    }
}

static bool is_blank(const struct csv_row *row)
{
    for (size_t i = 0; i < row->fields.n; i++)
        if (*csv_field(row, i))
            return false;
    return true;
}

static void read_csv(struct ctl *t, struct import_file *f, const char *data, size_t n)
{
    int fields[CSV_FIELDS_MAX], line = 0, rc;
    struct csv_row row = {0};
    struct csv csv;
    const char *why;
    size_t columns;

    csv_init(&csv, data, n);
    rc = csv_next(&csv, &row, &why, &line);
    columns = row.fields.n;
    if (rc == 1 && !take_headings(t, f, &row, fields))
        rc = 0;
    while (rc == 1 && (rc = csv_next(&csv, &row, &why, &line)) == 1)
        if (!is_blank(&row))
            take_csv_row(t, f, &row, fields, columns);
    if (rc < 0)
        wrong_file(t, f, line, "ctl.import.csv", why);
    csv_row_fini(&row);
}

/* ---- YAML and JSON ---- */

/* A member of a row in either; NULL value: not a text. */
static void take_member(struct ctl *t, struct import_file *f, json_t *row, const char *name, const char *value)
{
    size_t place = f->lines.n - 1;
    int field = import_heading(f->kind, name);
    struct sbuf text = {0};

    if (field >= 0 && value) {
        put_value(f, row, field, value);
    } else if (field >= 0) {
        import_tell(t, f, place, field, text_get(t->lang, "ctl.import.text"));
    } else if (field == -2) {
        text_fill(&text, text_get(t->lang, "ctl.import.heading"), (struct text_arg[]){{"word", name}}, 1);
        import_tell(t, f, place, -1, text.s);
        sbuf_free(&text);
    }
}

/* A text, or a list of them as one; NULL for anything else. free() it. */
static char *yaml_text(const struct yaml_node *node)
{
    struct sbuf b = {0};

    if (yaml_is_empty(node))
        return xstrdup("");
    if (node->type == YAML_TEXT)
        return xstrdup(node->text);
    for (size_t i = 0; node->type == YAML_LIST && i < node->items.n; i++) {
        if (node->items.v[i]->type != YAML_TEXT) {
            sbuf_free(&b);
            return NULL;
        }
        sbuf_addf(&b, "%s%s", i > 0 ? "," : "", node->items.v[i]->text);
    }
    return node->type == YAML_LIST ? sbuf_take(&b) : NULL;
}

static void take_yaml_row(struct ctl *t, struct import_file *f, const struct yaml_node *node)
{
    json_t *row = json_object();

    array_push(&f->lines, node->line);
    json_array_append_new(f->rows, row);
    if (node->type != YAML_MAP)
        import_tell(t, f, f->lines.n - 1, -1, text_get(t->lang, "ctl.import.map"));
    for (size_t i = 0; node->type == YAML_MAP && i < node->pairs.n; i++) {
        char *value = yaml_text(node->pairs.v[i].value);

        take_member(t, f, row, node->pairs.v[i].key->text, value);
        free(value);
    }
}

static void read_yaml(struct ctl *t, struct import_file *f, const char *data, size_t n)
{
    struct conf_report report = {0};
    struct yaml_file *file = NULL;

    yaml_parse(f->path, data, n, &file, &report);
    if (report.text.n > 0) {
        fputs(report.text.s, t->err);
        f->errors++;
    } else if (file && file->root->type != YAML_LIST) {
        wrong_file(t, f, file->root->line, "ctl.import.list", "");
    } else if (file) {
        for (size_t i = 0; i < file->root->items.n; i++)
            take_yaml_row(t, f, file->root->items.v[i]);
    }
    yaml_file_free(file);
    conf_report_free(&report);
}

/* As yaml_text(). */
static char *json_value_text(const json_t *value)
{
    struct sbuf b = {0};
    const json_t *item;
    size_t i;

    if (json_is_null(value))
        return xstrdup("");
    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    if (json_is_number(value))
        return json_dumps(value, JSON_ENCODE_ANY);
    json_array_foreach(value, i, item)
    {
        if (!json_is_string(item)) {
            sbuf_free(&b);
            return NULL;
        }
        sbuf_addf(&b, "%s%s", i > 0 ? "," : "", json_string_value(item));
    }
    return json_is_array(value) ? sbuf_take(&b) : NULL;
}

static void take_json_row(struct ctl *t, struct import_file *f, json_t *object)
{
    json_t *row = json_object(), *value;
    const char *name;

    array_push(&f->lines, 0);
    json_array_append_new(f->rows, row);
    if (!json_is_object(object))
        import_tell(t, f, f->lines.n - 1, -1, text_get(t->lang, "ctl.import.map"));
    json_object_foreach(object, name, value)
    {
        char *text = json_value_text(value);

        take_member(t, f, row, name, text);
        free(text);
    }
}

static void read_json(struct ctl *t, struct import_file *f, const char *data, size_t n)
{
    json_error_t error;
    json_t *root = json_loadb(data, n, JSON_REJECT_DUPLICATES, &error), *row;
    size_t i;

    if (!root)
        wrong_file(t, f, error.line, "ctl.import.json", error.text);
    else if (!json_is_array(root))
        wrong_file(t, f, 0, "ctl.import.list", "");
    json_array_foreach(root, i, row) take_json_row(t, f, row);
    json_decref(root);
}

/* ---- Files ---- */

static bool ends_in(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);

    return n >= m && strcasecmp(path + n - m, suffix) == 0;
}

static int line_of(const char *data, size_t at)
{
    int line = 1;

    for (size_t i = 0; i < at; i++)
        line += data[i] == '\n';
    return line;
}

static char *load(struct ctl *t, struct import_file *f, size_t *n)
{
    const char *charset;
    char *data = NULL;
    size_t bad = 0;
    int rc = file_read(f->path, MOST_BYTES, &data, n);

    if (rc != 0) {
        wrong_file(t, f, 0, "ctl.import.file", pd_strerror(rc));
        return NULL;
    }
    rc = charset_to_utf8(&data, n, &charset, &bad);
    if (rc != 0) {
        wrong_file(t, f, line_of(data, bad), "ctl.import.charset", "");
        free(data);
        return NULL;
    }
    return data;
}

int import_read(struct ctl *t, const char *path, enum archive_kind kind, struct import_file *f)
{
    size_t n = 0;
    char *data;

    *f = (struct import_file){.path = path, .kind = kind, .rows = json_array()};
    data = load(t, f, &n);
    if (data && ends_in(path, ".json"))
        read_json(t, f, data, n);
    else if (data && (ends_in(path, ".yaml") || ends_in(path, ".yml")))
        read_yaml(t, f, data, n);
    else if (data)
        read_csv(t, f, data, n);
    free(data);
    if (f->errors == 0 && f->lines.n == 0)
        wrong_file(t, f, 0, "ctl.import.empty", "");
    import_tell_rest(t, f);
    return f->errors == 0 ? EXIT_DONE : EXIT_FAILED;
}

void import_file_fini(struct import_file *f)
{
    for (size_t i = 0; i < ARCHIVE_FIELDS_MAX; i++)
        free(f->columns[i].heading);
    array_free(&f->lines);
    json_decref(f->rows);
    *f = (struct import_file){.rows = NULL};
}
