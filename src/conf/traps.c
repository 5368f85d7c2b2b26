#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/drafts.h"

/*
 * A module's section of traps:
 *
 *     traps:
 *       link-down:
 *         oid: 1.3.6.1.6.3.1.1.5.3
 *         severity: warning
 *         title: {en: "interface {index} is down", zh_CN: "接口 {index} 断开"}
 *         values:                      # that the trap brings along, for the title
 *           index: port.index          # as that column of a component of this module says
 *           why: {address: 1.3.6.1.2.1.2.2.1.1, type: enum, members: {1: cut, 2: off}}
 *         parts: [status]              # which are due then; status where nothing is said
 */
static const struct schema_row trap_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct trap_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct trap_draft, here)},
    {"oid", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct trap_draft, oid)},
    {"severity", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct trap_draft, severity)},
    {"title", SCHEMA_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct trap_draft, title)},
    {"values", SCHEMA_MAP, .sub = &column_schema, SCHEMA_FIELD(struct trap_draft, values)},
    {"parts", SCHEMA_LIST, .item = SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct trap_draft, parts)},
    {0},
};
const struct schema trap_schema = {.what = "a trap", .rows = trap_rows, .size = sizeof(struct trap_draft)};

/* ---- The OID ---- */

/* One number of an OID, which ends at a point or at the end; NULL if there is none. */
static const char *take_number(const char *p, uint32_t *out)
{
    uint64_t n = 0;
    const char *begin = p;

    for (; *p >= '0' && *p <= '9' && n <= UINT32_MAX; p++)
        n = n * 10 + (uint64_t)(*p - '0');
    if (p == begin || n > UINT32_MAX || (*p != '.' && *p != '\0'))
        return NULL;
    *out = (uint32_t)n;
    return p;
}

static size_t parse_oid(const char *text, uint32_t ids[TRAP_MAX_OID])
{
    size_t n = 0;

    for (const char *p = text;; p++) {
        if (n == TRAP_MAX_OID || (p = take_number(p, &ids[n])) == NULL)
            return 0;
        n++;
        if (*p == '\0')
            return n > 2 ? n : 0;
    }
}

static void build_oid(struct loader *l, const struct trap_draft *from, struct trap_def *t)
{
    uint32_t ids[TRAP_MAX_OID];

    if (!from->oid)
        return;
    t->noid = parse_oid(from->oid->text, ids);
    if (t->noid == 0) {
        conf_error(l->report, from->oid, "'%s' is no trap's object identifier, such as 1.3.6.1.6.3.1.1.5.3",
                   from->oid->text);
        return;
    }
    t->oid = xcalloc(t->noid, sizeof *t->oid);
    memcpy(t->oid, ids, t->noid * sizeof *ids);
}

/* ---- Values ---- */

/* The column that COMPONENT.COLUMN names; NULL if there is none. */
static const struct column *named_column(const struct module *m, const char *name)
{
    const char *point = strchr(name, '.');
    size_t n = point ? (size_t)(point - name) : 0;

    for (size_t i = 0; i < m->components.n; i++) {
        const struct component_def *def = &m->components.v[i];

        if (strlen(def->name) != n || strncmp(def->name, name, n) != 0)
            continue;
        for (size_t j = 0; j < def->columns.n; j++)
            if (str_eq(def->columns.v[j].name, point + 1))
                return &def->columns.v[j];
    }
    return NULL;
}

static bool is_reference(const struct column_draft *from)
{
    char c = from->address ? from->address->text[0] : '\0';

    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void build_values(struct loader *l, const struct trap_draft *from, const struct module *m, struct trap_def *t)
{
    array_reserve(&t->own, from->values.n + 1); /* values point into it */
    for (size_t i = 0; i < from->values.n; i++) {
        const struct column_draft *v = &from->values.v[i];
        const struct column *column;

        if (is_reference(v)) {
            check_identifier(v->name, v->here, l->report);
            column = named_column(m, v->address->text);
            if (!column)
                conf_error(l->report, v->address,
                           "'%s' is no column of a component of this module: COMPONENT.COLUMN, or an object identifier",
                           v->address->text);
        } else {
            array_push(&t->own, column_build(l, NULL, v));
            column = &t->own.v[t->own.n - 1];
        }
        array_push(&t->values, ((struct trap_value){.name = xstrdup(v->name), .column = column}));
    }
}

static void check_title(struct loader *l, const struct trap_draft *from)
{
    struct scope names = {0};

    for (size_t i = 0; i < from->values.n; i++)
        scope_add(&names, "", from->values.v[i].name, VALUE_TEXT, NULL);
    scope_add(&names, "", "device", VALUE_TEXT, NULL);
    loader_check_texts(l, from->title, &names);
    scope_fini(&names);
}

/* ---- Traps ---- */

static void build_parts(struct loader *l, const struct trap_draft *from, struct trap_def *t)
{
    for (size_t i = 0; i < from->parts.n; i++) {
        int part = from->parts.v[i] ? schema_name(from->parts.v[i], part_names, l->report) : -1;

        if (part >= 0)
            t->parts |= (uint8_t)(1 << part);
    }
    if (t->parts == 0)
        t->parts = 1 << PART_STATUS;
}

static void build_trap(struct loader *l, const struct trap_draft *from, struct module *m)
{
    struct trap_def t = {.name = xstrdup(from->name), .where = loader_where(l, from->here)};
    int severity = from->severity ? schema_name(from->severity, member_severities, l->report) : -1;

    check_slug(from->name, from->here, l->report);
    t.severity = severity >= 0 ? member_severities[severity] : "info";
    build_oid(l, from, &t);
    build_values(l, from, m, &t);
    build_parts(l, from, &t);
    loader_texts(l, from->title, t.title);
    if (from->title)
        check_title(l, from);
    array_push(&m->traps, t);
}

void traps_build(struct loader *l, const struct module_draft *from, struct module *m)
{
    for (size_t i = 0; i < from->traps.n; i++)
        build_trap(l, &from->traps.v[i], m);
}

static int by_oid(const void *a, const void *b)
{
    const struct trap_def *const *x = a, *const *y = b;

    return trap_oid_cmp((*x)->oid, (*x)->noid, (*y)->oid, (*y)->noid);
}

/* What two modules say of one trap, or call by one name, is not known which to believe. */
static void check_twins(struct loader *l, const struct trap_def *t)
{
    for (size_t i = 0; i < l->k->traps.n; i++) {
        const struct trap_def *other = l->k->traps.v[i];

        if (str_eq(other->name, t->name) || trap_oid_cmp(other->oid, other->noid, t->oid, t->noid) == 0)
            conf_error_where(l->report, &t->where,
                             "trap '%s' has the name or the object identifier of trap '%s' at %s:%d", t->name,
                             other->name, other->where.file, other->where.line);
    }
}

void traps_index(struct loader *l)
{
    for (size_t i = 0; i < l->k->modules.n; i++) {
        const struct module *m = l->k->modules.v[i];

        for (size_t j = 0; j < m->traps.n; j++) {
            if (!m->traps.v[j].oid)
                continue;
            check_twins(l, &m->traps.v[j]);
            array_push(&l->k->traps, &m->traps.v[j]);
        }
    }
    if (l->k->traps.n > 0)
        qsort(l->k->traps.v, l->k->traps.n, sizeof *l->k->traps.v, by_oid);
}
