#include <stdlib.h>

#include "base/mem.h"
#include "conf/loader.h"

/*
 * kinds.yaml: the registry of component kinds and their points.
 *
 *     kinds:
 *       supply:
 *         title: {en: Supply, zh_CN: 耗材}
 *         # How `patrolctl facts` writes it: index of two numbers, "oid" where the level was read.
 *         facts: {section: supplies, parts: 2, oid: level}
 *         points:
 *           level: {type: num, unit: "%", fact: percent, title: {en: level, zh_CN: 余量}}
 *           class:
 *             type: enum
 *             members: {3: consumed, 4: {code: filled, title: {en: filled, zh_CN: 回收}}}
 *
 * `single: true` is a kind of which a device has exactly one, `fleeting: true`
 * one whose components come and go. The kind "device"
 * must be there, with a bool "reachable" that patrold fills itself.
 */
struct point_draft {
    char *name;
    struct yaml_node *here;
    int type;
    char *unit, *fact;
    bool counter;
    struct yaml_node *bounds, *begins, *wide, *pace;
    int64_t bits;
    struct yaml_node *total_of;
    char *title[LANG_COUNT];
    struct member_drafts members;
};

struct kind_draft {
    char *name;
    struct yaml_node *here;
    bool single, fleeting;
    char *title[LANG_COUNT];
    char *facts, *facts_index, *facts_class;
    struct yaml_node *facts_oid;
    unsigned facts_index_parts;
    ARRAY(struct point_draft) points;
};

/* A later folder's kind replaces the one of its name. */
struct kind_drafts {
    ARRAY(struct kind_draft) list;
};

/* In the order of enum value_type, from VALUE_BOOL on. */
static const char *const type_names[] = {"bool", "int", "num", "enum", "bits", "text", NULL};

static const struct schema_row bounds_rows[] = {
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct point_draft, bounds)},
    {"begins", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct point_draft, begins)},
    {"wide", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct point_draft, wide)},
    {"pace", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct point_draft, pace)},
    {"bits", SCHEMA_INT, .min = 1, .max = 1000000, .fallback = "1", SCHEMA_FIELD(struct point_draft, bits)},
    {0},
};
static const struct schema bounds_schema = {.what = "bounds", .rows = bounds_rows, .size = sizeof(struct point_draft)};

static const struct schema_row point_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct point_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct point_draft, here)},
    {"type", SCHEMA_ENUM, SCHEMA_REQUIRED, .names = type_names, SCHEMA_FIELD(struct point_draft, type)},
    {"unit", SCHEMA_TEXT, .min = 1, .max = 32, SCHEMA_FIELD(struct point_draft, unit)},
    {"fact", SCHEMA_TEXT, .min = 1, .max = 64, SCHEMA_FIELD(struct point_draft, fact)},
    {"counter", SCHEMA_BOOL, SCHEMA_FIELD(struct point_draft, counter)},
    {"bounds", SCHEMA_SECTION, .sub = &bounds_schema},
    {"total_of", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct point_draft, total_of)},
    {"title", SCHEMA_LOCAL, SCHEMA_FIELD(struct point_draft, title)},
    {"members", SCHEMA_MAP, .sub = &member_schema, SCHEMA_FIELD(struct point_draft, members)},
    {0},
};
static const struct schema point_schema = {
    .what = "a point", .rows = point_rows, .size = sizeof(struct point_draft), .shorthand = "type"};

static const struct schema_row facts_rows[] = {
    {"section", SCHEMA_TEXT, SCHEMA_REQUIRED, SCHEMA_FIELD(struct kind_draft, facts)},
    {"prefix", SCHEMA_TEXT, SCHEMA_FIELD(struct kind_draft, facts_index)},
    {"class", SCHEMA_TEXT, .min = 1, .max = 64, SCHEMA_FIELD(struct kind_draft, facts_class)},
    {"oid", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct kind_draft, facts_oid)},
    {"parts", SCHEMA_INT, .min = 1, .max = 8, .fallback = "1", SCHEMA_FIELD(struct kind_draft, facts_index_parts)},
    {0},
};
static const struct schema facts_schema = {
    .what = "facts", .rows = facts_rows, .size = sizeof(struct kind_draft), .shorthand = "section"};

static const struct schema_row kind_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct kind_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct kind_draft, here)},
    {"single", SCHEMA_BOOL, SCHEMA_FIELD(struct kind_draft, single)},
    {"fleeting", SCHEMA_BOOL, SCHEMA_FIELD(struct kind_draft, fleeting)},
    {"title", SCHEMA_LOCAL, SCHEMA_FIELD(struct kind_draft, title)},
    {"facts", SCHEMA_SECTION, .sub = &facts_schema},
    {"points", SCHEMA_MAP, SCHEMA_REQUIRED, .sub = &point_schema, SCHEMA_FIELD(struct kind_draft, points)},
    {0},
};
static const struct schema kind_schema = {.what = "a kind", .rows = kind_rows, .size = sizeof(struct kind_draft)};

static const struct schema_row file_rows[] = {
    {"kinds", SCHEMA_MAP, SCHEMA_REQUIRED, .sub = &kind_schema, SCHEMA_FIELD(struct kind_drafts, list)},
    {0},
};
static const struct schema file_schema = {.what = "kinds.yaml", .rows = file_rows, .size = sizeof(struct kind_drafts)};

void kinds_read(struct loader *l, struct yaml_node *root)
{
    if (!l->kinds)
        l->kinds = xcalloc(1, sizeof *l->kinds);
    schema_read(&file_schema, root, l->kinds, l->report);
}

void kinds_release(struct loader *l)
{
    if (!l->kinds)
        return;
    schema_release(&file_schema, l->kinds);
    free(l->kinds);
}

static void take_titles(char *to[LANG_COUNT], char *from[LANG_COUNT])
{
    for (int i = 0; i < LANG_COUNT; i++) {
        to[i] = from[i];
        from[i] = NULL;
    }
}

/* The slot of the counter before it that a point adds up. One of a kind. */
static unsigned total_of(struct loader *l, const struct point_draft *from, const struct kind *kind)
{
    const struct point_def *of = from->total_of && !from->total_of->bad ? kind_point(kind, from->total_of->text) : NULL;

    if (!from->total_of || from->total_of->bad)
        return NO_POINT;
    if (kind->totals)
        conf_error(l->report, from->total_of, "a kind has one total at most");
    else if (!of || !of->counter || of->type != (enum value_type)(from->type + VALUE_BOOL))
        conf_error(l->report, from->total_of, "'%s' is no counter of the same type before this point",
                   from->total_of->text);
    else
        return of->slot;
    return NO_POINT;
}

static void build_point(struct loader *l, struct point_draft *from, struct kind *kind)
{
    enum { MAX_ENUM = 1 << 30, MAX_BIT = 63 };
    struct point_def p = {.slot = (unsigned)kind->points.n, .type = (enum value_type)(from->type + VALUE_BOOL)};
    bool has_members = p.type == VALUE_ENUM || p.type == VALUE_BITS;

    check_identifier(from->name, from->here, l->report);
    if (!from->here->bad && has_members != (from->members.n > 0))
        conf_error(l->report, from->here, "a point of type %s %s 'members'", type_names[from->type],
                   has_members ? "needs" : "cannot have");
    if (!from->here->bad && from->counter && p.type != VALUE_INT && p.type != VALUE_NUM)
        conf_error(l->report, from->here, "only a number can be a counter");
    p.name = from->name;
    p.unit = from->unit;
    p.fact = from->fact;
    p.counter = from->counter;
    p.total_of = total_of(l, from, kind);
    kind->totals |= p.total_of != NO_POINT;
    p.bounds = (struct counter_bounds){.begins = NO_POINT, .wide = NO_POINT, .pace = NO_POINT, .bits = from->bits};
    from->name = from->unit = from->fact = NULL;
    take_titles(p.title, from->title);
    members_build(&from->members, p.type == VALUE_BITS ? MAX_BIT : MAX_ENUM, true, &p.members, l->report);
    array_push(&kind->points, p);
}

/* The point of that name; NULL, and told, where there is none. */
static const struct point_def *named_point(struct loader *l, struct yaml_node *node, const struct kind *kind)
{
    const struct point_def *p = kind_point(kind, node->text);
    ARRAY(const char *) names = {0};

    if (p)
        return p;
    for (size_t i = 0; i < kind->points.n; i++)
        array_push(&names, kind->points.v[i].name);
    array_push(&names, NULL);
    unknown_name(node, "point", names.v, l->report);
    array_free(&names);
    return NULL;
}

static void take_facts_oid(struct loader *l, struct yaml_node *node, struct kind *kind)
{
    if (!node)
        return;
    kind->facts_oid = xstrdup(node->text);
    named_point(l, node, kind);
}

static unsigned bound(struct loader *l, struct yaml_node *node, const struct kind *kind, enum value_type type)
{
    static const char *const wanted[] = {
        [VALUE_BOOL] = "yes or no", [VALUE_INT] = "a whole number", [VALUE_NUM] = "a number"};
    const struct point_def *p = node ? named_point(l, node, kind) : NULL;

    if (!p)
        return NO_POINT;
    if (p->type != type)
        conf_error(l->report, node, "'%s' must be %s (type %s)", p->name, wanted[type], type_names[type - VALUE_BOOL]);
    return p->slot;
}

static void take_bounds(struct loader *l, const struct point_draft *from, struct kind *kind, struct point_def *p)
{
    if (from->bounds && !p->counter)
        conf_error(l->report, from->bounds, "only a counter has bounds");
    p->bounds.begins = bound(l, from->begins, kind, VALUE_INT);
    p->bounds.wide = bound(l, from->wide, kind, VALUE_BOOL);
    p->bounds.pace = bound(l, from->pace, kind, VALUE_NUM);
}

static void build_kind(struct loader *l, struct kind_draft *from)
{
    struct kind *kind = xcalloc(1, sizeof *kind);

    check_identifier(from->name, from->here, l->report);
    kind->name = xstrdup(from->name);
    kind->single = from->single;
    kind->fleeting = from->fleeting;
    kind->facts = xstrdup_null(from->facts);
    kind->facts_index = xstrdup_null(from->facts_index);
    kind->facts_class = xstrdup_null(from->facts_class);
    kind->facts_index_parts = from->facts_index_parts;
    take_titles(kind->title, from->title);
    for (size_t i = 0; i < from->points.n; i++)
        build_point(l, &from->points.v[i], kind);
    for (size_t i = 0; i < from->points.n; i++)
        take_bounds(l, &from->points.v[i], kind, &kind->points.v[i]);
    take_facts_oid(l, from->facts_oid, kind);
    array_push(&l->k->vocabulary.kinds, kind);
}

/* The kind "device" stands first. */
static void device_first(struct vocabulary *v)
{
    for (size_t i = 1; i < v->kinds.n; i++)
        if (str_eq(v->kinds.v[i]->name, DEVICE_KIND)) {
            struct kind *device = v->kinds.v[i];

            array_remove(&v->kinds, i);
            array_push(&v->kinds, device); /* makes room; then it moves to the front */
            for (size_t j = v->kinds.n - 1; j > 0; j--)
                v->kinds.v[j] = v->kinds.v[j - 1];
            v->kinds.v[0] = device;
        }
}

static void check_device(struct loader *l)
{
    const struct kind *device = vocabulary_kind(&l->k->vocabulary, DEVICE_KIND);
    const struct point_def *reachable = device ? kind_point(device, POINT_REACHABLE) : NULL;

    for (size_t i = 0; l->kinds && i < l->kinds->list.n; i++) {
        struct kind_draft *from = &l->kinds->list.v[i];

        if (device && str_eq(from->name, DEVICE_KIND) &&
            (!device->single || !reachable || reachable->type != VALUE_BOOL))
            conf_error(l->report, from->here,
                       "the kind 'device' must be single and have a point 'reachable' of type bool");
    }
    if (!device)
        conf_error_file(l->report, "kinds.yaml", "no folder has one with the kind 'device', which is needed");
}

void kinds_build(struct loader *l)
{
    struct vocabulary *v = &l->k->vocabulary;

    for (size_t i = 0; l->kinds && i < l->kinds->list.n; i++)
        build_kind(l, &l->kinds->list.v[i]);
    if (l->numbers && l->numbers->list.n > 0)
        vocabulary_renumber(v, l->numbers);
    device_first(v);
    for (size_t i = 0; i < v->kinds.n; i++)
        v->kinds.v[i]->number = (unsigned)i;
    check_device(l);
}
