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
