#include "model/rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const char *const severities[] = {"info", "warning", "major", "critical"};
static const char *const parties[] = {"user", "service", "vendor"};

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* The place of s among n names, or PD_EINVAL. */
static int name_parse(const char *s, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(s, names[i]) == 0)
            return (int)i;
    }
    return PD_EINVAL;
}

const char *severity_name(enum severity s)
{
    return (size_t)s < COUNT(severities) ? severities[s] : "?";
}

int severity_parse(const char *s, enum severity *out)
{
    int i = name_parse(s, severities, COUNT(severities));

    if (i < 0)
        return i;
    *out = (enum severity)i;
    return 0;
}

const char *party_name(enum party p)
{
    return (size_t)p < COUNT(parties) ? parties[p] : "?";
}

int party_parse(const char *s, enum party *out)
{
    int i = name_parse(s, parties, COUNT(parties));

    if (i < 0)
        return i;
    *out = (enum party)i;
    return 0;
}

void rule_free(struct rule *r)
{
    if (!r)
        return;
    free(r->name);
    free(r->family);
    expr_free(r->match);
    expr_free(r->when);
    expr_free(r->clear);
    for (size_t i = 0; i < r->match_labels.n; i++)
        free(r->match_labels.v[i]);
    for (size_t i = 0; i < r->part_of.n; i++)
        free(r->part_of.v[i]);
    for (size_t i = 0; i < r->extras.n; i++) {
        free(r->extras.v[i].name);
        expr_free(r->extras.v[i].window.condition);
    }
    array_free(&r->extras);
    array_free(&r->match_labels);
    array_free(&r->part_of);
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        free(r->title[lang]);
        free(r->message[lang]);
        free(r->remedy[lang]);
    }
    free(r->category);
    free(r);
}

/* ---- Hold times ---- */

static bool enter(struct hold *h, enum hold_state state, int64_t now_ms)
{
    h->state = state;
    h->since_ms = now_ms;
    return true;
}

bool hold_step(struct hold *h, enum truth when, enum truth clear, int64_t hold_ms, int64_t clear_hold_ms,
               int64_t now_ms)
{
    bool clears = clear == TRUTH_TRUE && when != TRUTH_TRUE;

    switch (h->state) {
    case HOLD_OK:
        if (when == TRUTH_TRUE)
            return enter(h, hold_ms > 0 ? HOLD_PENDING : HOLD_FIRING, now_ms);
        break;
    case HOLD_PENDING:
        if (when != TRUTH_TRUE)
            return enter(h, HOLD_OK, now_ms);
        if (now_ms - h->since_ms >= hold_ms)
            return enter(h, HOLD_FIRING, now_ms);
        break;
    case HOLD_FIRING:
        if (clears)
            return enter(h, clear_hold_ms > 0 ? HOLD_CLEARING : HOLD_OK, now_ms);
        break;
    case HOLD_CLEARING:
        if (!clears)
            return enter(h, HOLD_FIRING, now_ms);
        if (now_ms - h->since_ms >= clear_hold_ms)
            return enter(h, HOLD_OK, now_ms);
        break;
    }
    return false;
}

int64_t hold_due(const struct hold *h, int64_t hold_ms, int64_t clear_hold_ms)
{
    switch (h->state) {
    case HOLD_PENDING:
        return h->since_ms + hold_ms;
    case HOLD_CLEARING:
        return h->since_ms + clear_hold_ms;
    case HOLD_OK:
    case HOLD_FIRING:
        break;
    }
    return INT64_MAX;
}
