#include "expr/compile.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "expr/grammar.h"

static void fail(struct compiler *c, size_t at, size_t len, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

static void fail(struct compiler *c, size_t at, size_t len, const char *fmt, va_list ap)
{
    struct sbuf raw = {0}, msg = {0};
    size_t n;

    if (c->failed)
        return;
    c->failed = true;
    sbuf_vaddf(&raw, fmt, ap);
    sbuf_add_visible(&msg, raw.s);
    n = msg.n < sizeof c->err->msg ? msg.n : sizeof c->err->msg - 1;
    while (n < msg.n && n > 0 && ((unsigned char)msg.s[n] & 0xc0) == 0x80)
        n--; /* never half a character */
    memcpy(c->err->msg, msg.s, n);
    c->err->msg[n] = '\0';
    c->err->at = at;
    c->err->len = len;
    sbuf_free(&raw);
    sbuf_free(&msg);
}

void compile_fail(struct compiler *c, size_t at, size_t len, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fail(c, at, len, fmt, ap);
    va_end(ap);
}

void compile_fail_operand(struct compiler *c, const struct operand *o, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fail(c, o->at, o->end - o->at, fmt, ap);
    va_end(ap);
}

/* ---- Writing code ---- */

static struct insn *write_insn(struct compiler *c, enum op op, size_t n, size_t arg)
{
    struct insn in = {.op = (uint8_t)op, .n = (uint8_t)n, .arg = (uint32_t)arg};

    array_push(&c->code, in);
    return &c->code.v[c->code.n - 1];
}

/* Puts one more value on the stack: the instruction that makes it is already written. */
static void push_operand(struct compiler *c, struct operand o)
{
    if (c->n == EXPR_MAX_DEPTH) {
        compile_fail_operand(c, &o, "nested too deeply, or too many arguments; at most %d values may wait for others",
                             EXPR_MAX_DEPTH);
        return;
    }
    c->stack[c->n++] = o;
}

static void push_constant(struct compiler *c, struct token t, struct value v)
{
    struct operand o = {
        .type = (enum value_type)v.type,
        .constant = true,
        .start = c->code.n,
        .at = t.at,
        .end = t.at + t.len,
    };

    write_insn(c, OP_CONST, 0, c->consts.n);
    array_push(&c->consts, v);
    push_operand(c, o);
}

/* Everything from o's first instruction on works on constants alone: leaves one constant in its place. */
static void fold(struct compiler *c, const struct operand *o)
{
    size_t first = c->code.v[o->start].arg;
    struct value v = program_run(c->code.v + o->start, c->code.n - o->start, c->consts.v, NULL, 0, NULL);

    c->code.n = o->start;
    c->consts.n = first;
    write_insn(c, OP_CONST, 0, first);
    array_push(&c->consts, v);
}

void compile_emit(struct compiler *c, enum op op, size_t n, enum value_type type, uint32_t dictionary)
{
    struct operand *of = &c->stack[c->n - n];
    struct operand result = *of;

    result.type = type;
    result.dictionary = dictionary;
    result.end = of[n - 1].end;
    result.duration = false;
    for (size_t i = 1; i < n; i++)
        result.constant &= of[i].constant;
    result.constant &= !op_makes_text(op); /* nobody would keep the text */
    write_insn(c, op, n, 0);
    if (result.constant)
        fold(c, &result);
    c->n -= n - 1;
    *of = result;
}

void compile_table(struct compiler *c, const struct value *table, size_t n, enum value_type type)
{
    struct operand *o = &c->stack[c->n - 1];

    write_insn(c, OP_MEMBER, 1, c->consts.n);
    for (size_t i = 0; i < n; i++)
        array_push(&c->consts, table[i]);
    o->type = type;
    o->dictionary = 0;
    o->constant = false;
}

void compile_replace(struct compiler *c, size_t n, unsigned slot, enum value_type type)
{
    struct operand *of = &c->stack[c->n - n];

    c->code.n = of->start; /* constants that only they used stay, unused */
    write_insn(c, OP_SLOT, 0, slot);
    *of = (struct operand){.type = type, .dictionary = slot, .start = of->start, .at = of->at, .end = of[n - 1].end};
    c->n -= n - 1;
}

bool operand_is_unknown(const struct compiler *c, const struct operand *o)
{
    return o->constant && c->consts.v[c->code.v[o->start].arg].type == VALUE_NONE && o->type == VALUE_NONE;
}

/* ---- Names ---- */

static void unknown_name(struct compiler *c, struct token t, const char *name)
{
    const char *const *all = c->scope->names ? c->scope->names(c->scope->ctx) : NULL;
    const char *hint = all ? str_nearest(name, all) : NULL;

    if (hint)
        compile_fail(c, t.at, t.len, "unknown name '%s' (did you mean '%s'?)", name, hint);
    else
        compile_fail(c, t.at, t.len, "unknown name '%s'", name);
}

void compile_name(struct compiler *c, struct token t)
{
    struct expr_name found;
    char *name;

    if (c->failed)
        return;
    name = xstrndup(c->text + t.at, t.len);
    if (c->scope->resolve(c->scope->ctx, name, &found) != 0) {
        unknown_name(c, t, name);
    } else {
        struct operand o = {
            .type = found.type,
            .dictionary = found.slot,
            .start = c->code.n,
            .at = t.at,
            .end = t.at + t.len,
        };

        write_insn(c, OP_SLOT, 0, found.slot);
        push_operand(c, o);
    }
    free(name);
}

/* Fails with what members there are, as many as fit, or the one that was meant. */
static void unknown_member(struct compiler *c, const struct operand *literal, const struct operand *owner,
                           const char *member)
{
    const struct expr_scope *scope = c->scope;
    const char *const *all = scope->members ? scope->members(scope->ctx, owner->dictionary) : NULL;
    const char *hint = all ? str_nearest(member, all) : NULL;
    struct sbuf list = {0};
    struct token name = {.at = owner->at, .len = owner->end - owner->at};

    if (hint) {
        sbuf_addf(&list, " (did you mean \"%s\"?)", hint);
    } else if (all && all[0]) {
        sbuf_addf(&list, "; it has \"%s\"", all[0]);
        for (size_t i = 1; all[i] && list.n < 100; i++)
            sbuf_addf(&list, ", \"%s\"", all[i]);
    }
    compile_fail_operand(c, literal, "'%.*s' has no member \"%s\"%s", TOKEN_ARGS(c, name), member,
                         list.s ? list.s : "");
    sbuf_free(&list);
}

bool compile_member(struct compiler *c, struct operand *literal, const struct operand *owner)
{
    struct value *v = &c->consts.v[c->code.v[literal->start].arg];
    int64_t number;

    if (c->scope->member(c->scope->ctx, owner->dictionary, v->text, &number) != 0) {
        unknown_member(c, literal, owner, v->text);
        return false;
    }
    *v = owner->type == VALUE_ENUM ? value_enum(number) : value_int(number);
    literal->type = (enum value_type)v->type;
    literal->dictionary = owner->dictionary;
    return true;
}

/* ---- Literals ---- */

static void text_literal(struct compiler *c, struct token t)
{
    const char *from = c->text + t.at + 1, *end = from + t.len - 2;
    char *start = c->texts + c->texts_used, *to = start;

    if (!str_utf8_valid(from, (size_t)(end - from))) {
        compile_fail(c, t.at, t.len, "a text that is not valid UTF-8");
        return;
    }
    while (from < end) {
        if (*from == '\\')
            from++;
        *to++ = *from++;
    }
    *to++ = '\0';
    c->texts_used += (size_t)(to - start);
    push_constant(c, t, value_text(start));
}

static void number_literal(struct compiler *c, struct token t)
{
    char *digits = xstrndup(c->text + t.at, t.len);
    struct value v = value_num(0);
    int rc;

    if (t.kind == TOKEN_INT) {
        v = value_int(0);
        rc = str_to_i64(digits, &v.i);
    } else {
        rc = str_to_double(digits, &v.num);
    }
    if (rc == 0)
        push_constant(c, t, v);
    else
        compile_fail(c, t.at, t.len, "a number out of range; whole ones go to 9223372036854775807, others to 1.7e308");
    free(digits);
}

/* A whole number of seconds. The lexer has seen to digits and units. */
static void duration_literal(struct compiler *c, struct token t)
{
    static const int64_t seconds[] = {1, 60, 3600, 86400}; /* of LEX_UNITS */
    const char *s = c->text + t.at, *end = s + t.len;
    int64_t sum = 0;

    while (s < end) {
        int64_t n = 0;
        bool wrong = false;

        for (; *s >= '0' && *s <= '9'; s++)
            wrong |= __builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *s - '0', &n);
        wrong |= __builtin_mul_overflow(n, seconds[strchr(LEX_UNITS, *s++) - LEX_UNITS], &n);
        if (wrong || __builtin_add_overflow(sum, n, &sum)) {
            compile_fail(c, t.at, t.len, "a duration out of range");
            return;
        }
    }
    push_constant(c, t, value_int(sum));
    if (!c->failed)
        c->stack[c->n - 1].duration = true;
}

void compile_literal(struct compiler *c, struct token t)
{
    if (c->failed)
        return;
    switch (t.kind) {
    case TOKEN_TEXT:
        text_literal(c, t);
        break;
    case TOKEN_INT:
    case TOKEN_NUM:
        number_literal(c, t);
        break;
    case TOKEN_DURATION:
        duration_literal(c, t);
        break;
    case TOKEN_UNKNOWN:
        push_constant(c, t, value_unknown(WHY_RULE));
        break;
    default:
        push_constant(c, t, value_bool(t.kind == TOKEN_TRUE));
        break;
    }
}

void compile_group(struct compiler *c, struct token open, struct token close)
{
    if (c->failed)
        return;
    c->stack[c->n - 1].at = open.at;
    c->stack[c->n - 1].end = close.at + close.len;
}
