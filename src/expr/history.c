#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "expr/compile.h"
#include "expr/grammar.h"

/*
 * Calls that look back over time: checked here, kept and answered by whoever
 * owns the scope. What is left of one in the code is a slot.
 */
struct history {
    const char *name, *use;
    enum expr_history history;
    size_t min, max; /* arguments */
    enum value_type result;
};

static const struct history histories[] = {
    {"avg", "avg(point, 15m)", EXPR_AVG, 2, 2, VALUE_NUM},
    {"min", "min(point, 15m)", EXPR_MIN, 2, 2, VALUE_NUM},
    {"max", "max(point, 15m)", EXPR_MAX, 2, 2, VALUE_NUM},
    {"delta", "delta(point, 1h)", EXPR_DELTA, 2, 2, VALUE_NUM},
    {"rate", "rate(point, 15m)", EXPR_RATE, 2, 2, VALUE_NUM},
    {"days_left", "days_left(point, 7d, limit)", EXPR_DAYS_LEFT, 2, 3, VALUE_NUM},
    {"seen", "seen(point, 30d)", EXPR_SEEN, 2, 2, VALUE_BOOL},
    {"last", "last(point)", EXPR_LAST, 1, 1, VALUE_NONE},
    {"since", "since(condition)", EXPR_SINCE, 1, 1, VALUE_NUM},
};
enum { HISTORIES = sizeof histories / sizeof *histories };

static const struct history *find(const char *name)
{
    for (size_t i = 0; i < HISTORIES; i++)
        if (str_eq(histories[i].name, name))
            return &histories[i];
    return NULL;
}

const char *const *compile_history_names(void)
{
    static const char *const names[] = {"avg", "delta", "rate", "days_left", "seen", "last", "since", NULL};

    return names;
}

bool compile_is_history(const struct compiler *c, const char *name, size_t n)
{
    const struct history *h = find(name);

    if (!h)
        return false;
    if (h->history != EXPR_MIN && h->history != EXPR_MAX)
        return true;
    return n == 2 && c->stack[c->n - 1].duration;
}

/* ---- Arguments ---- */

/* The slot that an operand is, or -1 if it is more than a name. end: where the code of the next begins. */
static int64_t slot_of(const struct compiler *c, const struct operand *o, size_t end)
{
    const struct insn *in = &c->code.v[o->start];

    return end == o->start + 1 && in->op == OP_SLOT ? (int64_t)in->arg : -1;
}

static bool take_length(struct compiler *c, const struct operand *o, const struct history *h, struct expr_window *w)
{
    int64_t s;

    if (!o->duration) {
        compile_fail_operand(c, o, "how far to look back is written as a duration: %s", h->use);
        return false;
    }
    s = c->consts.v[c->code.v[o->start].arg].i;
    if (s < EXPR_WINDOW_MIN_MS / 1000 || s > EXPR_WINDOW_MAX_MS / 1000) {
        compile_fail_operand(c, o, "one can look back between 1m and 366d");
        return false;
    }
    w->length_ms = s * 1000;
    return true;
}

static bool take_limit(struct compiler *c, const struct operand *o, struct expr_window *w)
{
    const struct value *v = o->constant ? &c->consts.v[c->code.v[o->start].arg] : NULL;

    if (!v || (v->type != VALUE_INT && v->type != VALUE_NUM)) {
        compile_fail_operand(c, o, "the limit is a number, not what is read");
        return false;
    }
    w->limit = v->type == VALUE_INT ? (double)v->i : v->num;
    return true;
}

static bool take_point(struct compiler *c, const struct operand *o, size_t end, const struct history *h,
                       struct expr_window *w)
{
    int64_t slot = slot_of(c, o, end);

    if (slot < 0) {
        compile_fail_operand(c, o, "only one point by its name can be looked back at: %s", h->use);
        return false;
    }
    if (h->history == EXPR_LAST && o->type == VALUE_TEXT) {
        compile_fail_operand(c, o, "'last' needs a point that is no text");
        return false;
    }
    if (h->history != EXPR_SEEN && h->history != EXPR_LAST && o->type != VALUE_INT && o->type != VALUE_NUM) {
        compile_fail_operand(c, o, "'%s' needs a number, this is %s", h->name, compile_type_words(o->type));
        return false;
    }
    w->slot = (unsigned)slot;
    return true;
}

/* The condition's text once more, as an expression of its own. */
static bool take_condition(struct compiler *c, const struct operand *o, struct expr_window *w)
{
    char *text;
    struct expr_error err = {0};

    if (o->type != VALUE_BOOL && o->type != VALUE_NONE) {
        compile_fail_operand(c, o, "'since' needs a truth value, this is %s", compile_type_words(o->type));
        return false;
    }
    if (c->inner) {
        compile_fail_operand(c, o, "since() does not stand in another since()");
        return false;
    }
    text = xstrndup(c->text + o->at, o->end - o->at);
    if (compile_text(text, c->scope, VALUE_BOOL, true, &w->condition, &err) < 0)
        compile_fail(c, o->at + err.at, err.len, "%s", err.msg);
    free(text);
    return !c->failed;
}

static bool take_arguments(struct compiler *c, const struct history *h, size_t n, struct expr_window *w)
{
    const struct operand *args = &c->stack[c->n - n];

    w->history = h->history;
    if (h->history == EXPR_SINCE)
        return take_condition(c, &args[0], w);
    if (h->history == EXPR_LAST)
        return take_point(c, &args[0], c->code.n, h, w);
    return take_point(c, &args[0], args[1].start, h, w) && take_length(c, &args[1], h, w) &&
           (n < 3 || take_limit(c, &args[2], w));
}

void compile_history(struct compiler *c, struct token name, size_t n, struct token close)
{
    char *text = xstrndup(c->text + name.at, name.len);
    const struct history *h = find(text);
    struct expr_window w = {0};
    struct operand point = n > 0 ? c->stack[c->n - n] : (struct operand){0};
    unsigned slot;

    free(text);
    if (!c->scope->window)
        compile_fail(c, name.at, name.len, "nothing is kept here that '%s' could look back at: only rules can",
                     h->name);
    else if (n < h->min || n > h->max)
        compile_fail(c, name.at, close.at + close.len - name.at, "too %s arguments; it is used as %s",
                     n < h->min ? "few" : "many", h->use);
    else if (!take_arguments(c, h, n, &w))
        return;
    else if (c->scope->window(c->scope->ctx, &w, &slot) < 0)
        compile_fail_operand(c, &c->stack[c->n - n],
                             "this has no history: only points that are read from devices have");
    else
        compile_replace(c, n, slot, h->history == EXPR_LAST ? point.type : h->result);
    if (!c->failed && h->history == EXPR_LAST)
        c->stack[c->n - 1].dictionary = point.dictionary; /* its members are still the point's */
}
