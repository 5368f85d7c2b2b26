#include "model/patrol.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/str.h"

/* ---- Checklists and plans ---- */

static void check_fini(struct check_item *c)
{
    free(c->code);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        free(c->title[lang]);
    free(c->unit);
    expr_free(c->where);
    expr_free(c->value);
    expr_free(c->attention);
    expr_free(c->fault);
}

void checklist_free(struct checklist *c)
{
    if (!c)
        return;
    free(c->name);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        free(c->title[lang]);
    for (size_t i = 0; i < c->items.n; i++)
        check_fini(&c->items.v[i]);
    array_free(&c->items);
    free(c);
}

const struct check_item *checklist_item(const struct checklist *c, const char *code)
{
    for (size_t i = 0; i < c->items.n; i++)
        if (str_eq(c->items.v[i].code, code))
            return &c->items.v[i];
    return NULL;
}

#define FREE_TEXTS(list)                                                                                               \
    do {                                                                                                               \
        for (size_t i = 0; i < (list)->n; i++)                                                                         \
            free((list)->v[i]);                                                                                        \
        array_free(list);                                                                                              \
    } while (0)

void plan_fini(struct plan *p)
{
    free(p->name);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        free(p->title[lang]);
    free(p->rule);
    free(p->calendar);
    FREE_TEXTS(&p->sites);
    FREE_TEXTS(&p->customers);
    FREE_TEXTS(&p->classes);
    FREE_TEXTS(&p->labels);
    free(p->checklist);
    free(p->technician);
    *p = (struct plan){0};
}

const char *plan_kind_name(enum plan_kind k)
{
    return k == PLAN_PATROL ? "patrol" : "preventive";
}

/* ---- Rounds ---- */

static const char *const round_states[ROUND_STATE_COUNT] = {
    [ROUND_PLANNED] = "planned", [ROUND_GENERATED] = "generated", [ROUND_IN_PROGRESS] = "in-progress",
    [ROUND_REVIEW] = "review",   [ROUND_SIGNED] = "signed",       [ROUND_REPORTED] = "reported",
    [ROUND_OVERDUE] = "overdue", [ROUND_CANCELLED] = "cancelled",
};

const char *round_state_name(enum round_state s)
{
    return (unsigned)s < ROUND_STATE_COUNT ? round_states[s] : "?";
}

/* ROUND_PLANNED, to which nothing leads, says that there is no way. */
static const enum round_state ways[ROUND_STATE_COUNT][ROUND_VERB_COUNT] = {
    [ROUND_PLANNED] = {[ROUND_GENERATE] = ROUND_GENERATED},
    [ROUND_GENERATED] =
        {[ROUND_START] = ROUND_IN_PROGRESS, [ROUND_LAPSE] = ROUND_OVERDUE, [ROUND_CANCEL] = ROUND_CANCELLED},
    [ROUND_IN_PROGRESS] = {[ROUND_START] = ROUND_IN_PROGRESS,
                           [ROUND_COMPLETE] = ROUND_REVIEW,
                           [ROUND_LAPSE] = ROUND_OVERDUE,
                           [ROUND_CANCEL] = ROUND_CANCELLED},
    [ROUND_OVERDUE] =
        {[ROUND_START] = ROUND_OVERDUE, [ROUND_COMPLETE] = ROUND_REVIEW, [ROUND_CANCEL] = ROUND_CANCELLED},
    [ROUND_REVIEW] = {[ROUND_START] = ROUND_REVIEW,
                      [ROUND_COMPLETE] = ROUND_REVIEW,
                      [ROUND_SIGN] = ROUND_SIGNED,
                      [ROUND_CANCEL] = ROUND_CANCELLED},
    [ROUND_SIGNED] = {[ROUND_REPORT] = ROUND_REPORTED},
};

int round_next(enum round_state from, enum round_verb verb, enum round_state *to)
{
    if ((unsigned)from >= ROUND_STATE_COUNT || ways[from][verb] == ROUND_PLANNED)
        return PD_ESTATE;
    *to = ways[from][verb];
    return 0;
}

const char *const check_results[RESULT_COUNT + 1] = {
    [RESULT_OPEN] = "open",
    [RESULT_OK] = "ok",
    [RESULT_ATTENTION] = "attention",
    [RESULT_FAULT] = "fault",
    [RESULT_NOT_APPLICABLE] = "not-applicable",
};

const char *check_result_name(enum check_result r)
{
    return (unsigned)r < RESULT_COUNT ? check_results[r] : "?";
}

int check_result_parse(const char *s, enum check_result *out)
{
    for (int r = 0; r < RESULT_COUNT; r++)
        if (str_eq(s, check_results[r])) {
            *out = (enum check_result)r;
            return 0;
        }
    return PD_EINVAL;
}

const char *visit_state_name(enum visit_state s)
{
    static const char *const names[VISIT_STATE_COUNT] = {
        [VISIT_OPEN] = "open", [VISIT_STARTED] = "started", [VISIT_DONE] = "done", [VISIT_GONE] = "gone"};

    return (unsigned)s < VISIT_STATE_COUNT ? names[s] : "?";
}
