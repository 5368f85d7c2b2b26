#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "conf/loader.h"

/* ---- Names ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool check_identifier(const char *name, struct yaml_node *here, struct conf_report *report)
{
    static const char *const words[] = {"and", "or", "not", "has", "true", "false", "unknown", NULL};
    bool good = is_letter(name[0]);

    for (const char *p = name; *p && good; p++)
        good = is_letter(*p) || is_digit(*p) || *p == '_';
    if (!good) {
        conf_error(report, here, "'%s' cannot be a name in expressions: a letter, then letters, digits and _", name);
        return false;
    }
    for (size_t i = 0; words[i]; i++)
        if (str_eq(words[i], name)) {
            conf_error(report, here, "'%s' is a word of the expression language: choose another name", name);
            return false;
        }
    return true;
}

bool check_slug(const char *name, struct yaml_node *here, struct conf_report *report)
{
    bool good = *name != '\0';

    for (const char *p = name; *p && good; p++)
        good = (*p >= 'a' && *p <= 'z') || is_digit(*p) || *p == '-';
    if (!good)
        conf_error(report, here, "'%s' cannot be a name: small letters, digits and - make one", name);
    return good;
}

void unknown_name(struct yaml_node *node, const char *what, const char *const *known, struct conf_report *report)
{
    struct sbuf hint = {0};

    conf_suggest(&hint, node->text, known);
    conf_error(report, node, "unknown %s '%s'%s", what, node->text, hint.s ? hint.s : "");
    sbuf_free(&hint);
}

/* ---- Members ---- */

static const struct schema_row member_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct member_draft, number)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct member_draft, here)},
    {"code", SCHEMA_TEXT, SCHEMA_REQUIRED, SCHEMA_FIELD(struct member_draft, code)},
    {"title", SCHEMA_LOCAL, SCHEMA_FIELD(struct member_draft, title)},
    {"severity", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct member_draft, severity)},
    {0},
};
const struct schema member_schema = {
    .what = "a member",
    .rows = member_rows,
    .size = sizeof(struct member_draft),
    .shorthand = "code",
};

/* NULL where nobody said. */
static const char *severity_of(const struct member_draft *m, struct conf_report *report)
{
    int place = m->severity ? schema_name(m->severity, member_severities, report) : -1;

    return place < 0 ? NULL : member_severities[place];
}

/* Numbers of one code are one member to expressions, so they are equally grave. */
static bool grave_alike(const struct members *members, const struct member_draft *m, const char **severity)
{
    const struct member *first = members_by_code(members, m->code);

    if (!first)
        return true;
    if (!*severity)
        *severity = first->severity;
    return str_eq(*severity, first->severity);
}

void members_build(const struct member_drafts *from, int64_t max, bool unique, struct members *to,
                   struct conf_report *report)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct member_draft *m = &from->v[i];
        const char *severity = severity_of(m, report);
        int64_t number;

        if (!m->code)
            continue;
        if (str_to_i64(m->number, &number) < 0 || number < 0 || number > max)
            conf_error(report, m->here, "'%s' cannot be a member's number: 0 to %lld is possible", m->number,
                       (long long)max);
        else if (members_by_number(to, number)) /* "1" and "01" */
            conf_error(report, m->here, "number %lld is given twice", (long long)number);
        else if (unique && members_by_code(to, m->code))
            conf_error(report, m->here, "code '%s' is given twice", m->code);
        else if (!grave_alike(to, m, &severity))
            conf_error(report, m->here, "code '%s' is given twice, with two severities", m->code);
        else
            members_add(to, m->code, number, m->title, severity);
    }
}

/* ---- Scopes ---- */

void scope_add(struct scope *s, const char *prefix, const char *name, enum value_type type,
               const struct members *members)
{
    struct scope_name entry = {.name = xasprintf("%s%s", prefix, name), .type = type, .members = members};

    array_push(&s->list, entry);
    array_reserve(&s->names, s->list.n + 1);
    s->names.v[s->list.n - 1] = entry.name;
    s->names.v[s->list.n] = NULL;
}

void scope_add_column(struct scope *s, const char *prefix, const struct column *column)
{
    static const enum value_type types[] = {
        [COLUMN_INT] = VALUE_INT,   [COLUMN_NUM] = VALUE_NUM,    [COLUMN_TEXT] = VALUE_TEXT,
        [COLUMN_ENUM] = VALUE_ENUM, [COLUMN_BITS] = VALUE_BITS,  [COLUMN_OID] = VALUE_TEXT,
        [COLUMN_HEX] = VALUE_TEXT,  [COLUMN_FLAGS] = VALUE_BITS, [COLUMN_MEASURE] = VALUE_NUM,
        [COLUMN_IP] = VALUE_TEXT,   [COLUMN_DATE] = VALUE_TEXT,
    };

    scope_add(s, prefix, column->name, types[column->type], &column->members);
}

void scope_add_row(struct scope *s, const char *prefix, const struct component_def *def)
{
    static const char *const indexes[ROW_INDEX_SLOTS] = {"index", "index1", "index2", "index3", "index4"};

    for (size_t i = 0; i < def->columns.n; i++)
        scope_add_column(s, prefix, &def->columns.v[i]);
    for (size_t i = 0; i < ROW_INDEX_SLOTS; i++)
        scope_add(s, prefix, indexes[i], VALUE_INT, NULL);
    for (size_t i = 0; i < def->index.n; i++)
        scope_add(s, prefix, def->index.v[i].name, def->index.v[i].type == INDEX_INT ? VALUE_INT : VALUE_TEXT, NULL);
    for (size_t i = 0; !def->kind && i < def->computed.n; i++)
        scope_add(s, prefix, def->computed.v[i].name, expr_type(def->computed.v[i].value), NULL);
}

void scope_add_points(struct scope *s, const char *prefix, const struct kind *kind)
{
    for (size_t i = 0; i < kind->points.n; i++)
        scope_add(s, prefix, kind->points.v[i].name, kind->points.v[i].type, &kind->points.v[i].members);
}

void scope_fini(struct scope *s)
{
    for (size_t i = 0; i < s->list.n; i++)
        free(s->list.v[i].name);
    for (size_t i = 0; i < s->labels.n; i++)
        free(s->labels.v[i]);
    array_free(&s->list);
    array_free(&s->names);
    array_free(&s->labels);
}

static unsigned label_slot(struct scope *s, const char *label)
{
    size_t i = 0;

    while (i < s->labels.n && !str_eq(s->labels.v[i], label))
        i++;
    if (i == s->labels.n)
        array_push(&s->labels, xstrdup(label));
    return (unsigned)(s->list.n + i);
}

/* ---- What a rule asks besides points ---- */

static bool same_window(const struct expr_window *a, const struct expr_window *b)
{
    if (a->history != b->history || a->slot != b->slot || a->length_ms != b->length_ms)
        return false;
    if (a->history == EXPR_SINCE)
        return str_eq(expr_text(a->condition), expr_text(b->condition));
    return a->limit == b->limit;
}

static bool same_extra(const struct rule_extra *a, const struct rule_extra *b)
{
    return a->type == b->type && str_eq(a->name, b->name) &&
           (a->type != RULE_WINDOW || same_window(&a->window, &b->window));
}

/* The slot of what is asked; it is asked for once. Takes e's condition, copies its name. */
static unsigned extra_slot(struct scope *s, struct rule_extra e)
{
    size_t i = 0;

    while (i < s->rule->extras.n && !same_extra(&s->rule->extras.v[i], &e))
        i++;
    if (i < s->rule->extras.n) {
        expr_free(e.window.condition);
    } else {
        e.name = xstrdup_null(e.name);
        array_push(&s->rule->extras, e);
    }
    return (unsigned)(s->list.n + i);
}

static int resolve_extra(struct scope *s, const char *name, struct expr_name *out)
{
    struct rule_extra e = {.type = RULE_KEY};

    if (str_starts(name, "label.") && name[6]) {
        e.type = RULE_DEVICE_LABEL;
        e.name = (char *)(uintptr_t)name + 6;
    } else if (str_eq(name, "label")) {
        e.type = RULE_LABEL;
    } else if (!str_eq(name, "key")) {
        return PD_ENOENT;
    }
    *out = (struct expr_name){.slot = extra_slot(s, e), .type = VALUE_TEXT};
    return 0;
}

/* Whether the point is read from devices; what patrold fills itself has no history. */
static bool is_read(const struct scope *s, unsigned slot)
{
    static const char *const own[] = {POINT_REACHABLE, POINT_PING, POINT_RESTARTS, POINT_SWAPPED, POINT_CONFLICT};
    const char *name;

    if (slot >= s->list.n)
        return false;
    name = s->list.v[slot].name;
    if (str_starts(name, "device."))
        name += sizeof "device." - 1;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (str_eq(name, own[i]))
            return false;
    return true;
}

static int window(void *ctx, const struct expr_window *w, unsigned *slot)
{
    struct scope *s = ctx;

    if (!s->rule || (w->history != EXPR_SINCE && !is_read(s, w->slot))) {
        expr_free(w->condition);
        return PD_EINVAL;
    }
    *slot = extra_slot(s, (struct rule_extra){.type = RULE_WINDOW, .window = *w});
    return 0;
}

static int resolve(void *ctx, const char *name, struct expr_name *out)
{
    struct scope *s = ctx;

    for (size_t i = 0; i < s->list.n; i++)
        if (str_eq(s->list.v[i].name, name)) {
            *out = (struct expr_name){.slot = (unsigned)i, .type = s->list.v[i].type};
            return 0;
        }
    if (s->rule)
        return resolve_extra(s, name, out);
    if (!s->takes_labels || !str_starts(name, "label.") || !name[6])
        return PD_ENOENT;
    *out = (struct expr_name){.slot = label_slot(s, name + 6), .type = VALUE_TEXT};
    return 0;
}

static const struct members *members_of(const struct scope *s, unsigned slot)
{
    return slot < s->list.n ? s->list.v[slot].members : NULL;
}

static int resolve_member(void *ctx, unsigned slot, const char *name, int64_t *out)
{
    const struct members *members = members_of(ctx, slot);
    const struct member *m = members ? members_by_code(members, name) : NULL;

    if (!m)
        return PD_ENOENT;
    *out = m->number;
    return 0;
}

static const char *const *names(void *ctx)
{
    const struct scope *s = ctx;

    return s->names.v;
}

static const char *const *member_names(void *ctx, unsigned slot)
{
    const struct members *members = members_of(ctx, slot);

    return members ? members->codes : NULL;
}

static const struct expr_member *dictionary(void *ctx, unsigned slot, size_t *n)
{
    const struct members *members = members_of(ctx, slot);

    *n = members ? members->list.n : 0;
    return members ? members->for_exprs : NULL;
}

struct expr *scope_compile(struct scope *s, const struct yaml_node *node, enum value_type want,
                           struct conf_report *report)
{
    const struct expr_scope ops = {
        .resolve = resolve,
        .member = resolve_member,
        .names = names,
        .members = member_names,
        .dictionary = dictionary,
        .window = s->rule ? window : NULL,
        .ctx = s,
    };
    struct expr_error err = {0};
    struct expr *e;

    if (!node || node->bad)
        return NULL;
    if (expr_compile(node->text, &ops, want, &e, &err) == 0)
        return e;
    conf_error_within(report, node, err.at, err.len, "%s", err.msg);
    return NULL;
}
