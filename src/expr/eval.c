#include "expr/program.h"

#include <math.h>
#include <string.h>

#include "expr/expr.h"

/*
 * Operations work in place, on the stack: the first operand becomes what comes of it. That is faster than to hand values
 * around, which are put together anew each time.
 */

static bool is_good(const struct value *v)
{
    return v->quality == QUALITY_GOOD;
}

/* What comes of operands that are not all good; the graver quality wins, of equals the first. */
static void spoil(struct value *a, const struct value *b)
{
    if (b->quality > a->quality)
        *a = *b;
    a->type = VALUE_NONE;
}

/* An operand of a type that the operation cannot have. */
static struct value misfit(void)
{
    return value_unknown(WHY_TYPE);
}

/* Both good and no whole numbers, as nearly all are: what follows needs no more looking. */
static bool are_nums(const struct value *a, const struct value *b)
{
    return a->type == VALUE_NUM && b->type == VALUE_NUM && (a->quality | b->quality) == QUALITY_GOOD;
}

static bool as_double(const struct value *v, double *out)
{
    if (v->type == VALUE_NUM)
        *out = v->num;
    else if (v->type == VALUE_INT)
        *out = (double)v->i;
    else
        return false;
    return true;
}

/* A number that was reckoned; what is not finite is none. */
static struct value reckoned(double x)
{
    return isfinite(x) ? value_num(x) : value_unknown(WHY_RANGE);
}

static struct value arith_int(enum op op, int64_t a, int64_t b)
{
    int64_t r = 0;
    bool wrong = false;

    switch (op) {
    case OP_ADD:
        wrong = __builtin_add_overflow(a, b, &r);
        break;
    case OP_SUB:
        wrong = __builtin_sub_overflow(a, b, &r);
        break;
    case OP_MUL:
        wrong = __builtin_mul_overflow(a, b, &r);
        break;
    case OP_MOD:
        if (b == 0)
            return value_unknown(WHY_ZERO);
        if (b != -1) /* INT64_MIN % -1 traps */
            r = a % b;
        break;
    default:
        return b == 0 ? value_unknown(WHY_ZERO) : reckoned((double)a / (double)b);
    }
    return wrong ? value_unknown(WHY_RANGE) : value_int(r);
}

static struct value arith_num(enum op op, double x, double y)
{
    if ((op == OP_MOD || op == OP_DIV) && y == 0)
        return value_unknown(WHY_ZERO);
    switch (op) {
    case OP_ADD:
        return reckoned(x + y);
    case OP_SUB:
        return reckoned(x - y);
    case OP_MUL:
        return reckoned(x * y);
    case OP_MOD:
        return reckoned(fmod(x, y));
    case OP_POW:
        return reckoned(pow(x, y));
    default:
        return reckoned(x / y);
    }
}

static void arith(enum op op, struct value *a, const struct value *b)
{
    double x, y;

    if (op == OP_ADD && are_nums(a, b))
        *a = reckoned(a->num + b->num);
    else if (!is_good(a) || !is_good(b))
        spoil(a, b);
    else if (op != OP_POW && a->type == VALUE_INT && b->type == VALUE_INT)
        *a = arith_int(op, a->i, b->i);
    else if (as_double(a, &x) && as_double(b, &y))
        *a = arith_num(op, x, y);
    else
        *a = misfit();
}

/* -1, 0 or 1; false where the two have no order (one is no number). */
static bool order(const struct value *a, const struct value *b, int *out)
{
    double x, y;

    if (a->type == VALUE_INT && b->type == VALUE_INT) {
        *out = (a->i > b->i) - (a->i < b->i);
        return true;
    }
    if (!as_double(a, &x) || !as_double(b, &y) || isunordered(x, y))
        return false;
    *out = (x > y) - (x < y);
    return true;
}

/* 0 when equal, else 1; false where that cannot be asked. */
static bool equality(const struct value *a, const struct value *b, int *out)
{
    if (a->type != b->type)
        return order(a, b, out);
    switch ((enum value_type)a->type) {
    case VALUE_BOOL:
        *out = a->b != b->b;
        return true;
    case VALUE_ENUM:
        *out = a->i != b->i;
        return true;
    case VALUE_TEXT:
        *out = strcmp(a->text, b->text) != 0;
        return true;
    default:
        return order(a, b, out);
    }
}

/* Which orders (less 1, equal 2, greater 4) make a comparison true. */
static const uint8_t accepts[] = {
    [OP_EQ] = 2, [OP_NE] = 1 | 4, [OP_LT] = 1, [OP_LE] = 1 | 2, [OP_GT] = 4, [OP_GE] = 2 | 4,
};

static void compare(enum op op, struct value *a, const struct value *b)
{
    int c;

    if (are_nums(a, b) && !isunordered(a->num, b->num))
        *a = value_bool(accepts[op] >> ((a->num > b->num) - (a->num < b->num) + 1) & 1);
    else if (!is_good(a) || !is_good(b))
        spoil(a, b);
    else if (op == OP_EQ || op == OP_NE ? equality(a, b, &c) : order(a, b, &c))
        *a = value_bool(accepts[op] >> (c + 1) & 1);
    else
        *a = misfit();
}

static void has(struct value *set, const struct value *flag)
{
    if (!is_good(set) || !is_good(flag))
        spoil(set, flag);
    else if (set->type != VALUE_BITS || flag->type != VALUE_INT || flag->i < 0 || flag->i > 63)
        *set = misfit();
    else
        *set = value_bool(set->bits >> flag->i & 1);
}

static void text_test(enum op op, struct value *text, const struct value *part)
{
    if (!is_good(text) || !is_good(part))
        spoil(text, part);
    else if (text->type != VALUE_TEXT || part->type != VALUE_TEXT)
        *text = misfit();
    else if (op == OP_CONTAINS)
        *text = value_bool(strstr(text->text, part->text) != NULL);
    else
        *text = value_bool(strncmp(text->text, part->text, strlen(part->text)) == 0);
}

/* The items of a list are separated by ; and may have spaces around them. */
static bool has_item(const char *list, const char *item)
{
    size_t len = strlen(item);

    for (const char *p = list + strspn(list, " ;"); *p; p += strspn(p, " ;")) {
        size_t n = strcspn(p, ";"), kept = n;

        while (kept > 0 && p[kept - 1] == ' ')
            kept--;
        if (kept == len && memcmp(p, item, len) == 0)
            return true;
        p += n;
    }
    return false;
}

static void listed(struct value *list, const struct value *item)
{
    if (!is_good(list) || !is_good(item))
        spoil(list, item);
    else if (list->type != VALUE_TEXT || item->type != VALUE_TEXT)
        *list = misfit();
    else
        *list = value_bool(has_item(list->text, item->text));
}

/* What is no truth value at all decides as little as one that is not known. */
static void undecide(struct value *v)
{
    if (is_good(v))
        *v = misfit();
    v->quality = QUALITY_UNKNOWN;
    v->type = VALUE_NONE;
}

static bool is_bool(const struct value *v, bool want)
{
    return is_good(v) && v->type == VALUE_BOOL && v->b == want;
}

/* Kleene: one that decides does so whatever the other is. */
static void logic(struct value *a, const struct value *b, bool decider)
{
    if (is_bool(a, decider) || is_bool(b, decider)) {
        *a = value_bool(decider);
        return;
    }
    if (is_bool(a, !decider))
        *a = *b;
    if (!is_bool(a, !decider))
        undecide(a);
}

static void negate_logic(struct value *v)
{
    if (is_good(v) && v->type == VALUE_BOOL)
        *v = value_bool(!v->b);
    else
        undecide(v);
}

static struct value whole(double x)
{
    /* 2^63 itself is exact as a double and already too large. */
    return x >= -0x1p63 && x < 0x1p63 ? value_int((int64_t)x) : value_unknown(WHY_RANGE);
}

static struct value number_unary(enum op op, struct value v)
{
    bool is_int = v.type == VALUE_INT;

    if (v.quality != QUALITY_GOOD)
        return value_spoilt(v);
    if (!is_int && v.type != VALUE_NUM)
        return misfit();
    switch (op) {
    case OP_NEG:
        return is_int ? arith_int(OP_SUB, 0, v.i) : value_num(-v.num);
    case OP_ABS:
        if (is_int)
            return v.i < 0 ? arith_int(OP_SUB, 0, v.i) : v;
        return value_num(fabs(v.num));
    case OP_ROUND:
        return is_int ? v : whole(round(v.num));
    case OP_LOG10:
        return reckoned(log10(is_int ? (double)v.i : v.num)); /* of nothing and less there is none */
    default:
        return is_int ? v : whole(floor(v.num));
    }
}

static void choose(struct value *cond, const struct value *yes, const struct value *no)
{
    if (!is_good(cond))
        cond->type = VALUE_NONE;
    else if (cond->type != VALUE_BOOL)
        *cond = misfit();
    else
        *cond = cond->b ? *yes : *no;
}

/* The least or greatest of n numbers. */
static void extreme(enum op op, struct value *best, size_t n)
{
    const struct value *v = best;

    if (is_good(best) && best->type != VALUE_INT && best->type != VALUE_NUM) {
        *best = misfit();
        return;
    }
    for (size_t i = 1; i < n; i++) {
        int c;

        if (!is_good(best) || !is_good(&v[i]))
            spoil(best, &v[i]);
        else if (!order(&v[i], best, &c))
            *best = misfit();
        else if (op == OP_MIN ? c < 0 : c > 0)
            *best = v[i];
    }
    if (!is_good(best))
        best->type = VALUE_NONE;
}

/* The one that can be believed most; of equals the earliest. */
static void first(struct value *best, size_t n)
{
    const struct value *v = best;

    for (size_t i = 1; i < n && !is_good(best); i++)
        if (v[i].quality < best->quality)
            *best = v[i];
}

struct value program_run(const struct insn *code, size_t n, const struct value *consts, const struct value *slots,
                         size_t nslots, struct arena *arena)
{
    struct value stack[1 + EXPR_MAX_DEPTH];
    struct value *top = stack + 1; /* the next free place */
    const struct insn *end = code + n;

    stack[0] = VALUE_UNKNOWN; /* what code that leaves nothing would give; the rest is left as it is, for speed */
    for (const struct insn *in = code; in < end; in++) {
        enum op op = in->op;

        switch (op) {
        case OP_SLOT:
            *top++ = in->arg < nslots ? slots[in->arg] : VALUE_UNKNOWN;
            break;
        case OP_CONST:
            *top++ = consts[in->arg];
            break;
        case OP_NEG:
        case OP_ABS:
        case OP_ROUND:
        case OP_FLOOR:
        case OP_LOG10:
            top[-1] = number_unary(op, top[-1]);
            break;
        case OP_NOT:
            negate_logic(&top[-1]);
            break;
        case OP_KNOWN:
            top[-1] = value_bool(is_good(&top[-1]));
            break;
        case OP_IS_SOME:
            top[-1] = value_bool(top[-1].quality == QUALITY_SOME);
            break;
        case OP_ADD:
        case OP_SUB:
        case OP_MUL:
        case OP_DIV:
        case OP_MOD:
        case OP_POW:
            top--;
            arith(op, &top[-1], &top[0]);
            break;
        case OP_EQ:
        case OP_NE:
        case OP_LT:
        case OP_LE:
        case OP_GT:
        case OP_GE:
            top--;
            compare(op, &top[-1], &top[0]);
            break;
        case OP_HAS:
            top--;
            has(&top[-1], &top[0]);
            break;
        case OP_CONTAINS:
        case OP_STARTS:
            top--;
            text_test(op, &top[-1], &top[0]);
            break;
        case OP_LISTED:
            top--;
            listed(&top[-1], &top[0]);
            break;
        case OP_AND:
        case OP_OR:
            top--;
            logic(&top[-1], &top[0], op == OP_OR);
            break;
        case OP_IF:
            top -= 2;
            choose(&top[-1], &top[0], &top[1]);
            break;
        case OP_MIN:
        case OP_MAX:
            top -= in->n - 1;
            extreme(op, top - 1, in->n);
            break;
        case OP_FIRST:
            top -= in->n - 1;
            first(top - 1, in->n);
            break;
        case OP_MEMBER:
            top[-1] = words_member(top[-1], consts + in->arg);
            break;
        case OP_AFTER:
        case OP_BEFORE:
        case OP_WORD:
        case OP_TRIM:
        case OP_LOWER:
        case OP_REPLACE:
        case OP_TEXT:
        case OP_NUMBER:
        case OP_ENDS:
        case OP_MATCHES:
        case OP_OID_LAST:
        case OP_OID_PART:
        case OP_STARTS_OID:
            top -= in->n - 1;
            top[-1] = words_run(op, top - 1, in->n, arena);
            break;
        case OP_SKIP_FALSE:
        case OP_SKIP_TRUE:
            if (is_bool(&top[-1], op == OP_SKIP_TRUE))
                in += in->arg;
            break;
        }
    }
    return top[-1];
}
