#include "model/vocabulary.h"

#include <stdlib.h>

#include "base/mem.h"

const char *const member_severities[] = {"ok", "info", "warning", "major", "critical", "unknown", NULL};

void members_add(struct members *m, const char *code, int64_t number, char *const title[LANG_COUNT],
                 const char *severity)
{
    struct member member = {.code = xstrdup(code), .number = number, .severity = severity};

    for (int i = 0; i < LANG_COUNT; i++)
        member.title[i] = xstrdup_null(title[i]);
    array_push(&m->list, member);
    m->codes = xreallocarray(m->codes, m->list.n + 1, sizeof *m->codes);
    m->codes[m->list.n - 1] = member.code;
    m->codes[m->list.n] = NULL;
    m->for_exprs = xreallocarray(m->for_exprs, m->list.n, sizeof *m->for_exprs);
    m->for_exprs[m->list.n - 1] =
        (struct expr_member){.number = number, .code = member.code, .severity = member.severity};
}

void members_free(struct members *m)
{
    for (size_t i = 0; i < m->list.n; i++) {
        free(m->list.v[i].code);
        for (int lang = 0; lang < LANG_COUNT; lang++)
            free(m->list.v[i].title[lang]);
    }
    array_free(&m->list);
    free(m->codes);
    free(m->for_exprs);
    m->codes = NULL;
    m->for_exprs = NULL;
}

static void kind_free(struct kind *k)
{
    for (size_t i = 0; i < k->points.n; i++) {
        struct point_def *p = &k->points.v[i];

        free(p->name);
        free(p->unit);
        free(p->fact);
        for (int lang = 0; lang < LANG_COUNT; lang++)
            free(p->title[lang]);
        members_free(&p->members);
    }
    array_free(&k->points);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        free(k->title[lang]);
    free(k->facts);
    free(k->facts_index);
    free(k->facts_class);
    free(k->facts_oid);
    free(k->name);
    free(k);
}

void vocabulary_free(struct vocabulary *v)
{
    for (size_t i = 0; i < v->kinds.n; i++)
        kind_free(v->kinds.v[i]);
    array_free(&v->kinds);
}

const struct kind *vocabulary_kind(const struct vocabulary *v, const char *name)
{
    for (size_t i = 0; i < v->kinds.n; i++)
        if (str_eq(v->kinds.v[i]->name, name))
            return v->kinds.v[i];
    return NULL;
}

const struct point_def *kind_point(const struct kind *k, const char *name)
{
    for (size_t i = 0; i < k->points.n; i++)
        if (str_eq(k->points.v[i].name, name))
            return &k->points.v[i];
    return NULL;
}

const struct member *members_by_code(const struct members *m, const char *code)
{
    for (size_t i = 0; i < m->list.n; i++)
        if (str_eq(m->list.v[i].code, code))
            return &m->list.v[i];
    return NULL;
}

const struct member *members_by_number(const struct members *m, int64_t number)
{
    for (size_t i = 0; i < m->list.n; i++)
        if (m->list.v[i].number == number)
            return &m->list.v[i];
    return NULL;
}

const char *member_title(const struct member *m, enum lang lang)
{
    return m->title[lang] ? m->title[lang] : m->code;
}

/* ---- Numbers ---- */

void point_numbers_free(struct point_numbers *p)
{
    for (size_t i = 0; i < p->list.n; i++) {
        free(p->list.v[i].kind);
        free(p->list.v[i].name);
    }
    array_free(&p->list);
}

void point_numbers_add(struct point_numbers *p, const char *kind, const char *name, unsigned number)
{
    struct point_number n = {.kind = xstrdup(kind), .name = xstrdup(name), .number = number};

    array_push(&p->list, n);
}

/* The number that a point was given; NO_POINT: none. */
static unsigned known_number(const struct point_numbers *p, const char *kind, const char *name)
{
    for (size_t i = 0; i < p->list.n; i++)
        if (str_eq(p->list.v[i].kind, kind) && str_eq(p->list.v[i].name, name))
            return p->list.v[i].number;
    return NO_POINT;
}

static unsigned first_free(const struct point_numbers *p, const char *kind)
{
    unsigned number = 0;

    for (size_t i = 0; i < p->list.n; i++)
        if (str_eq(p->list.v[i].kind, kind) && p->list.v[i].number >= number)
            number = p->list.v[i].number + 1;
    return number;
}

static void move_slot(unsigned *slot, const unsigned *to)
{
    if (*slot != NO_POINT)
        *slot = to[*slot];
}

/* to: of each point, by where it stands, its slot from now on. */
static void move_points(struct kind *k, const unsigned *to, unsigned slots)
{
    struct point_def *moved = xcalloc(slots, sizeof *moved);

    for (unsigned i = 0; i < slots; i++)
        moved[i] = (struct point_def){.slot = i, .total_of = NO_POINT, .bounds = {NO_POINT, NO_POINT, NO_POINT, 1}};
    for (size_t i = 0; i < k->points.n; i++) {
        struct point_def *p = &moved[to[i]];

        *p = k->points.v[i];
        p->slot = to[i];
        move_slot(&p->total_of, to);
        move_slot(&p->bounds.begins, to);
        move_slot(&p->bounds.wide, to);
        move_slot(&p->bounds.pace, to);
    }
    k->points.n = 0;
    for (unsigned i = 0; i < slots; i++) {
        if (!moved[i].name)
            moved[i].name = xstrdup(POINT_GONE);
        array_push(&k->points, moved[i]);
    }
    free(moved);
}

static void renumber_kind(struct kind *k, const struct point_numbers *numbers)
{
    unsigned *to = xcalloc(k->points.n + 1, sizeof *to), next = first_free(numbers, k->name);

    for (size_t i = 0; i < k->points.n; i++) {
        to[i] = known_number(numbers, k->name, k->points.v[i].name);
        if (to[i] == NO_POINT)
            to[i] = next++;
    }
    if (k->points.n > 0)
        move_points(k, to, next);
    free(to);
}

void vocabulary_renumber(struct vocabulary *v, const struct point_numbers *numbers)
{
    for (size_t i = 0; i < v->kinds.n; i++)
        renumber_kind(v->kinds.v[i], numbers);
}
