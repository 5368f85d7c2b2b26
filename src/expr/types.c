#include "expr/compile.h"

/*
 * What may stand beside what, and what comes of it. Each rule fails with what
 * is wrong and what would be right, or has the code written.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "expr/grammar.h"

const char *compile_type_words(enum value_type t)
{
    switch (t) {
    case VALUE_NONE:
        return "a value of any type";
    case VALUE_BOOL:
        return "a truth value";
    case VALUE_INT:
        return "a whole number";
    case VALUE_NUM:
        return "a number";
    case VALUE_ENUM:
        return "an enumeration";
    case VALUE_BITS:
        return "a flag set";
    case VALUE_TEXT:
        return "a text";
    }
    return "?";
}

static bool type_is_number(enum value_type t)
{
    return t == VALUE_INT || t == VALUE_NUM;
}

/* Types of which nothing is known until run time fit everywhere. */
static bool fits(enum value_type have, enum value_type want)
{
    return want == VALUE_NONE || have == VALUE_NONE || have == want || (want == VALUE_NUM && have == VALUE_INT);
}

/* How a truth value is had from something else. */
static const char *truth_hint(enum value_type have)
{
    switch (have) {
    case VALUE_BITS:
        return "; ask it with has";
    case VALUE_ENUM:
        return "; compare it with a member's name";
    case VALUE_TEXT:
        return "; compare it with a text";
    default:
        return "; compare it with a number";
    }
}

/* True if o may be what `who` (an operator or a function) needs. */
static bool need(struct compiler *c, const struct operand *o, enum value_type want, struct token who)
{
    if (fits(o->type, want))
        return true;
    compile_fail_operand(c, o, "'%.*s' needs %s, this is %s%s", TOKEN_ARGS(c, who), compile_type_words(want),
                         compile_type_words(o->type), want == VALUE_BOOL ? truth_hint(o->type) : "");
    return false;
}

/* ---- Operators ---- */

void compile_unary(struct compiler *c, struct token op)
{
    struct operand *o;
    bool logic = op.kind == TOKEN_NOT;

    if (c->failed)
        return;
    o = &c->stack[c->n - 1];
    if (!need(c, o, logic ? VALUE_BOOL : VALUE_NUM, op))
        return;
    compile_emit(c, logic ? OP_NOT : OP_NEG, 1, logic ? VALUE_BOOL : o->type, 0);
    o->at = op.at;
}

/* The type of several numbers reckoned with together; NONE while nobody can say whether they are whole. */
static enum value_type number_type(enum value_type a, enum value_type b)
{
    if (a == VALUE_NUM || b == VALUE_NUM)
        return VALUE_NUM;
    return a == b ? a : VALUE_NONE;
}

static void arithmetic(struct compiler *c, enum op op, struct token t)
{
    struct operand *a = &c->stack[c->n - 2], *b = a + 1;

    if (need(c, a, VALUE_NUM, t) && need(c, b, VALUE_NUM, t))
        compile_emit(c, op, 2, op == OP_DIV ? VALUE_NUM : number_type(a->type, b->type), 0);
}

/* A member's name beside an enumeration becomes the member's number; false if it has none such. */
static bool name_members(struct compiler *c, struct operand *a, struct operand *b)
{
    if (a->type == VALUE_ENUM && operand_is_literal_text(b))
        return compile_member(c, b, a);
    if (b->type == VALUE_ENUM && operand_is_literal_text(a))
        return compile_member(c, a, b);
    return true;
}

static bool comparable(const struct operand *a, const struct operand *b, bool equality)
{
    if (fits(a->type, VALUE_NUM) && fits(b->type, VALUE_NUM))
        return true;
    if (!equality || a->type == VALUE_BITS || b->type == VALUE_BITS)
        return false;
    if (a->type == VALUE_NONE || b->type == VALUE_NONE)
        return true;
    if (a->type == VALUE_ENUM) /* a constant one is a member that was named for the other's dictionary */
        return b->type == VALUE_ENUM && (a->constant || b->constant);
    return a->type == b->type;
}

static void comparison_mismatch(struct compiler *c, const struct operand *a, const struct operand *b)
{
    size_t at = a->at, len = b->end - a->at;

    if (a->type == VALUE_BITS || b->type == VALUE_BITS)
        compile_fail(c, at, len, "a flag set is not compared; ask it with has");
    else if (a->type == VALUE_ENUM || b->type == VALUE_ENUM)
        compile_fail(c, at, len, "an enumeration is compared by = or != with the name of a member in double quotes");
    else if (a->type == b->type)
        compile_fail(c, at, len, "%s has no order; compare by = or !=", compile_type_words(a->type));
    else
        compile_fail(c, at, len, "%s is compared with %s", compile_type_words(a->type), compile_type_words(b->type));
}

static void comparison(struct compiler *c, enum op op)
{
    struct operand *a = &c->stack[c->n - 2], *b = a + 1;
    bool equality = op == OP_EQ || op == OP_NE;

    if (operand_is_unknown(c, a) || operand_is_unknown(c, b))
        compile_fail(c, a->at, b->end - a->at, "nothing compares with unknown; ask known(…)");
    else if (equality && !name_members(c, a, b))
        return;
    else if (comparable(a, b, equality))
        compile_emit(c, op, 2, VALUE_BOOL, 0);
    else
        comparison_mismatch(c, a, b);
}

static void has_flag(struct compiler *c, struct token t)
{
    struct operand *set = &c->stack[c->n - 2], *flag = set + 1;

    if (set->type != VALUE_BITS)
        compile_fail_operand(c, set, "'%.*s' needs a flag set, this is %s", TOKEN_ARGS(c, t),
                             compile_type_words(set->type));
    else if (!operand_is_literal_text(flag))
        compile_fail_operand(c, flag, "'%.*s' needs the name of a flag in double quotes", TOKEN_ARGS(c, t));
    else if (compile_member(c, flag, set))
        compile_emit(c, OP_HAS, 2, VALUE_BOOL, 0);
}

void compile_binary(struct compiler *c, struct token op)
{
    static const struct {
        int token;
        enum op op;
    } ops[] = {
        {TOKEN_PLUS, OP_ADD},    {TOKEN_MINUS, OP_SUB}, {TOKEN_STAR, OP_MUL}, {TOKEN_SLASH, OP_DIV},
        {TOKEN_PERCENT, OP_MOD}, {TOKEN_EQ, OP_EQ},     {TOKEN_NE, OP_NE},    {TOKEN_LT, OP_LT},
        {TOKEN_LE, OP_LE},       {TOKEN_GT, OP_GT},     {TOKEN_GE, OP_GE},    {TOKEN_HAS, OP_HAS},
    };
    size_t i = 0;

    if (c->failed)
        return;
    while (ops[i].token != op.kind)
        i++;
    if (ops[i].op == OP_HAS)
        has_flag(c, op);
    else if (ops[i].op >= OP_EQ)
        comparison(c, ops[i].op);
    else
        arithmetic(c, ops[i].op, op);
}

size_t compile_skip(struct compiler *c, struct token op)
{
    struct insn skip = {.op = op.kind == TOKEN_AND ? OP_SKIP_FALSE : OP_SKIP_TRUE};

    if (c->failed || !need(c, &c->stack[c->n - 1], VALUE_BOOL, op))
        return 0;
    array_push(&c->code, skip);
    return c->code.n - 1;
}

void compile_logic(struct compiler *c, struct token op, size_t skip)
{
    if (c->failed || !need(c, &c->stack[c->n - 1], VALUE_BOOL, op))
        return;
    c->code.v[skip].arg = (uint32_t)(c->code.n - skip); /* to behind the operation that comes next */
    compile_emit(c, op.kind == TOKEN_AND ? OP_AND : OP_OR, 2, VALUE_BOOL, 0);
}

/* ---- Functions ---- */

struct function {
    const char *name, *use;
    enum op op;
    size_t min, max;        /* arguments */
    enum value_type param;  /* what each has to be; NONE: anything */
    enum value_type result; /* NONE: the common type of the arguments */
};

static const struct function functions[] = {
    {"if", "if(condition, a, b)", OP_IF, 3, 3, VALUE_NONE, VALUE_NONE},
    {"min", "min(a, …)", OP_MIN, 1, EXPR_MAX_DEPTH, VALUE_NUM, VALUE_NONE},
    {"max", "max(a, …)", OP_MAX, 1, EXPR_MAX_DEPTH, VALUE_NUM, VALUE_NONE},
    {"abs", "abs(x)", OP_ABS, 1, 1, VALUE_NUM, VALUE_NONE},
    {"round", "round(x)", OP_ROUND, 1, 1, VALUE_NUM, VALUE_INT},
    {"floor", "floor(x)", OP_FLOOR, 1, 1, VALUE_NUM, VALUE_INT},
    {"log10", "log10(x)", OP_LOG10, 1, 1, VALUE_NUM, VALUE_NUM},
    {"pow", "pow(base, exponent)", OP_POW, 2, 2, VALUE_NUM, VALUE_NUM},
    {"known", "known(x)", OP_KNOWN, 1, 1, VALUE_NONE, VALUE_BOOL},
    {"is_some", "is_some(x)", OP_IS_SOME, 1, 1, VALUE_NONE, VALUE_BOOL},
    {"first", "first(a, …)", OP_FIRST, 1, EXPR_MAX_DEPTH, VALUE_NONE, VALUE_NONE},
    {"contains", "contains(text, part)", OP_CONTAINS, 2, 2, VALUE_TEXT, VALUE_BOOL},
    {"starts", "starts(text, beginning)", OP_STARTS, 2, 2, VALUE_TEXT, VALUE_BOOL},
    {"listed", "listed(list, item)", OP_LISTED, 2, 2, VALUE_TEXT, VALUE_BOOL},
    {"after", "after(text, mark)", OP_AFTER, 2, 2, VALUE_TEXT, VALUE_TEXT},
    {"before", "before(text, mark)", OP_BEFORE, 2, 2, VALUE_TEXT, VALUE_TEXT},
    {"word", "word(text, n)", OP_WORD, 2, 2, VALUE_TEXT, VALUE_TEXT},
    {"trim", "trim(text)", OP_TRIM, 1, 1, VALUE_TEXT, VALUE_TEXT},
    {"lower", "lower(text)", OP_LOWER, 1, 1, VALUE_TEXT, VALUE_TEXT},
    {"replace", "replace(text, what, by)", OP_REPLACE, 3, 3, VALUE_TEXT, VALUE_TEXT},
    {"text", "text(x)", OP_TEXT, 1, 1, VALUE_NONE, VALUE_TEXT},
    {"number", "number(text)", OP_NUMBER, 1, 1, VALUE_TEXT, VALUE_NUM},
    {"ends", "ends(text, end)", OP_ENDS, 2, 2, VALUE_TEXT, VALUE_BOOL},
    {"matches", "matches(text, pattern)", OP_MATCHES, 2, 2, VALUE_TEXT, VALUE_BOOL},
    {"oid_last", "oid_last(oid)", OP_OID_LAST, 1, 1, VALUE_TEXT, VALUE_INT},
    {"oid_part", "oid_part(oid, n)", OP_OID_PART, 2, 2, VALUE_TEXT, VALUE_INT},
    {"starts_oid", "starts_oid(oid, prefix)", OP_STARTS_OID, 2, 2, VALUE_TEXT, VALUE_BOOL},
    {"title", "title(enumeration)", OP_MEMBER, 1, 1, VALUE_NONE, VALUE_TEXT},
    {"severity", "severity(enumeration)", OP_MEMBER, 1, 1, VALUE_NONE, VALUE_TEXT},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static const struct function *find_function(struct compiler *c, struct token t, const char *name)
{
    const char *names[FUNCTIONS + 1] = {NULL};
    const struct function *found = NULL;
    const char *hint;

    for (size_t i = 0; i < FUNCTIONS; i++) {
        names[i] = functions[i].name;
        if (str_eq(names[i], name))
            found = &functions[i];
    }
    hint = found ? NULL : str_nearest(name, names);
    if (!found && !hint && c->scope->window)
        hint = str_nearest(name, compile_history_names());
    if (hint)
        compile_fail(c, t.at, t.len, "unknown function '%s' (did you mean '%s'?)", name, hint);
    else if (!found)
        compile_fail(c, t.at, t.len, "unknown function '%s'", name);
    return found;
}

/* Literal texts among the arguments name members of the enumeration that stands beside them. */
static bool name_argument_members(struct compiler *c, struct operand *args, size_t n)
{
    const struct operand *owner = NULL;

    for (size_t i = 0; i < n && !owner; i++)
        if (args[i].type == VALUE_ENUM)
            owner = &args[i];
    for (size_t i = 0; i < n && owner; i++)
        if (operand_is_literal_text(&args[i]) && !compile_member(c, &args[i], owner))
            return false;
    return true;
}

/* Widens *common by one more argument; false if no type covers both. */
static bool widen(struct compiler *c, struct operand *common, const struct operand *arg)
{
    if (operand_is_unknown(c, arg))
        return true;
    if (operand_is_unknown(c, common)) {
        *common = *arg;
        return true;
    }
    if (common->type == VALUE_NONE || arg->type == VALUE_NONE) {
        common->type = VALUE_NONE;
    } else if (type_is_number(common->type) && type_is_number(arg->type)) {
        common->type = number_type(common->type, arg->type);
    } else if (common->type != arg->type) {
        compile_fail_operand(c, arg, "%s beside %s; all must be of one type", compile_type_words(arg->type),
                             compile_type_words(common->type));
        return false;
    } else if (common->dictionary != arg->dictionary && (arg->type == VALUE_ENUM || arg->type == VALUE_BITS)) {
        compile_fail_operand(c, arg, "two different %s; all must have the same members",
                             arg->type == VALUE_ENUM ? "enumerations" : "flag sets");
        return false;
    }
    return true;
}

/* What the ith argument has to be: which word or part is meant is said by a number. */
static enum value_type param_type(const struct function *f, size_t i)
{
    return i > 0 && (f->op == OP_WORD || f->op == OP_OID_PART) ? VALUE_INT : f->param;
}

/* Checks n arguments and emits the call; the condition of if() does not count towards the common type. */
static void call(struct compiler *c, const struct function *f, struct token name, size_t n)
{
    struct operand *args = &c->stack[c->n - n], common;
    size_t from = f->op == OP_IF;

    if (from && !need(c, &args[0], VALUE_BOOL, name))
        return;
    for (size_t i = from; i < n; i++)
        if (!need(c, &args[i], param_type(f, i), name))
            return;
    if (f->op == OP_TEXT && (args->type == VALUE_ENUM || args->type == VALUE_BITS)) {
        compile_fail_operand(c, args, "%s has no text of its own; title(…) gives the code of an enumeration's member",
                             compile_type_words(args->type));
        return;
    }
    common = args[from];
    if (f->result == VALUE_NONE) {
        if (!name_argument_members(c, args + from, n - from))
            return;
        common = args[from];
        for (size_t i = from + 1; i < n; i++)
            if (!widen(c, &common, &args[i]))
                return;
    }
    compile_emit(c, f->op, n, f->result == VALUE_NONE ? common.type : f->result, common.dictionary);
}

/* title() and severity(): what the dictionary of the argument says of its members. */
static void member_call(struct compiler *c, struct token name, bool severity)
{
    const struct operand *o = &c->stack[c->n - 1];
    ARRAY(struct value) table = {0};
    const struct expr_member *members = NULL;
    size_t n = 0;

    if (o->type != VALUE_ENUM && (o->type != VALUE_BITS || !severity)) {
        compile_fail_operand(c, o, "'%.*s' needs an enumeration%s, this is %s", TOKEN_ARGS(c, name),
                             severity ? " or a flag set" : "", compile_type_words(o->type));
        return;
    }
    if (c->scope->dictionary)
        members = c->scope->dictionary(c->scope->ctx, o->dictionary, &n);
    array_push(&table, value_int(0));
    for (size_t i = 0; i < n; i++) {
        const char *text = severity ? members[i].severity : members[i].code;

        if (!text)
            continue;
        array_push(&table, value_int(members[i].number));
        array_push(&table, value_text(text));
        table.v[0].i++;
    }
    if (severity && table.n == 1)
        compile_fail_operand(c, o, "no member of this has a severity");
    else
        compile_table(c, table.v, table.n, VALUE_TEXT);
    array_free(&table);
}

/* A function of its arguments alone. */
static void plain_call(struct compiler *c, const struct function *f, struct token name, size_t nargs,
                       struct token close)
{
    if (nargs < f->min || nargs > f->max) {
        compile_fail(c, name.at, close.at + close.len - name.at, "too %s arguments; it is used as %s",
                     nargs < f->min ? "few" : "many", f->use);
        return;
    }
    if (f->op == OP_MEMBER)
        member_call(c, name, str_eq(f->name, "severity"));
    else
        call(c, f, name, nargs);
}

void compile_call(struct compiler *c, struct token name, size_t nargs, struct token close)
{
    const struct function *f;
    char *text;

    if (c->failed)
        return;
    text = xstrndup(c->text + name.at, name.len);
    if (compile_is_history(c, text, nargs))
        compile_history(c, name, nargs, close);
    else if ((f = find_function(c, name, text)))
        plain_call(c, f, name, nargs, close);
    free(text);
    if (!c->failed) {
        c->stack[c->n - 1].at = name.at;
        c->stack[c->n - 1].end = close.at + close.len;
    }
}

/* ---- The whole ---- */

void compile_want(struct compiler *c, enum value_type want)
{
    const struct operand *o;

    if (c->failed)
        return;
    o = &c->stack[0];
    if (!fits(o->type, want))
        compile_fail_operand(c, o, "%s is wanted here, this gives %s%s", compile_type_words(want),
                             compile_type_words(o->type),
                             want == VALUE_INT && o->type == VALUE_NUM ? "; use round() or floor()"
                             : want == VALUE_BOOL                      ? truth_hint(o->type)
                                                                       : "");
}
