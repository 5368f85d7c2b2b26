#include "expr/expr.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "expr/compile.h"

enum { NO_NAME = UINT32_MAX };

struct expr { /* what evaluation needs comes first, code and constants stand behind */
    enum value_type type;
    uint32_t name; /* the slot that it is and nothing else, as most of what modules say; NO_NAME: it is more */
    const struct insn *code;
    const struct value *consts;
    size_t ninsns;
    struct arena *made; /* for texts that it makes for a caller who keeps none; NULL: it makes none */
    char *text, *texts; /* texts: what text constants point into */
    uint32_t *slots;    /* those it reads, ascending */
    size_t nslots;
    struct value behind[];
};

static int compare_slots(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void collect_slots(struct expr *e)
{
    size_t n = 0;

    e->slots = xcalloc(e->ninsns, sizeof *e->slots);
    for (size_t i = 0; i < e->ninsns; i++)
        if (e->code[i].op == OP_SLOT)
            e->slots[n++] = e->code[i].arg;
    qsort(e->slots, n, sizeof *e->slots, compare_slots);
    for (size_t i = 0; i < n; i++)
        if (e->nslots == 0 || e->slots[e->nslots - 1] != e->slots[i])
            e->slots[e->nslots++] = e->slots[i];
}

/* One piece with its constants and its code. */
static struct expr *expr_new(const struct compiler *c)
{
    size_t consts = c->consts.n * sizeof *c->consts.v, code = c->code.n * sizeof *c->code.v;
    struct expr *e = xcalloc(1, sizeof *e + consts + code);
    struct insn *to = (struct insn *)(e->behind + c->consts.n);

    if (consts > 0)
        memcpy(e->behind, c->consts.v, consts);
    memcpy(to, c->code.v, code);
    e->consts = e->behind;
    e->code = to;
    e->ninsns = c->code.n;
    return e;
}

/* Takes what the compiler made. */
static struct expr *finish(struct compiler *c, enum value_type want)
{
    struct expr *e = expr_new(c);

    e->type = want == VALUE_NONE ? c->stack[0].type : want;
    e->name = e->ninsns == 1 && e->code[0].op == OP_SLOT ? e->code[0].arg : NO_NAME;
    e->text = xstrdup(c->text);
    e->texts = c->texts;
    collect_slots(e);
    for (size_t i = 0; i < e->ninsns && !e->made; i++)
        if (op_makes_text(e->code[i].op))
            e->made = xcalloc(1, sizeof *e->made);
    array_free(&c->code);
    array_free(&c->consts);
    return e;
}

int compile_text(const char *text, const struct expr_scope *scope, enum value_type want, bool inner, struct expr **out,
                 struct expr_error *err)
{
    struct compiler c = {.text = text, .scope = scope, .err = err, .inner = inner};
    size_t n = strlen(text);

    if (n > EXPR_MAX_TEXT) {
        compile_fail(&c, EXPR_MAX_TEXT, n - EXPR_MAX_TEXT, "too long; at most %d bytes", EXPR_MAX_TEXT);
        return PD_EINVAL;
    }
    c.texts = xmalloc(n + 1);
    grammar_parse(&c);
    compile_want(&c, want);
    if (!c.failed) {
        *out = finish(&c, want);
        return 0;
    }
    array_free(&c.code);
    array_free(&c.consts);
    free(c.texts);
    return PD_EINVAL;
}

int expr_compile(const char *text, const struct expr_scope *scope, enum value_type want, struct expr **out,
                 struct expr_error *err)
{
    return compile_text(text, scope, want, false, out, err);
}

void expr_free(struct expr *e)
{
    if (!e)
        return;
    free(e->text);
    free(e->texts);
    free(e->slots);
    if (e->made)
        arena_fini(e->made);
    free(e->made);
    free(e);
}

enum value_type expr_type(const struct expr *e)
{
    return e->type;
}

const char *expr_text(const struct expr *e)
{
    return e->text;
}

static struct value convert(struct value v, enum value_type type)
{
    if (v.quality != QUALITY_GOOD && (v.quality != QUALITY_STALE || v.type == VALUE_NONE))
        return value_spoilt(v);
    if (type == VALUE_NUM && v.type == VALUE_INT) {
        v.type = VALUE_NUM;
        v.num = (double)v.i;
        return v;
    }
    return value_unknown(WHY_TYPE);
}

/* A result as the type that was promised; another one is unknown. */
static inline struct value promised(const struct value *v, enum value_type type)
{
    return v->type == type || type == VALUE_NONE ? *v : convert(*v, type);
}

struct value expr_eval_in(const struct expr *e, const struct value *slots, size_t nslots, struct arena *arena)
{
    struct value v;

    if (e->name < nslots)
        return promised(&slots[e->name], e->type);
    v = program_run(e->code, e->ninsns, e->consts, slots, nslots, arena);
    return promised(&v, e->type);
}

struct value expr_eval(const struct expr *e, const struct value *slots, size_t nslots)
{
    if (e->made)
        arena_reset(e->made);
    return expr_eval_in(e, slots, nslots, e->made);
}

void expr_slots(const struct expr *e, void (*fn)(void *ctx, unsigned slot), void *ctx)
{
    for (size_t i = 0; i < e->nslots; i++)
        fn(ctx, e->slots[i]);
}
