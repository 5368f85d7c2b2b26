#ifndef PD_EXPR_COMPILE_H
#define PD_EXPR_COMPILE_H

#include "base/array.h"
#include "expr/expr.h"
#include "expr/lex.h"
#include "expr/program.h"

/*
 * The compiler works in one pass: the grammar's actions call it bottom-up, it
 * checks types and writes code as it goes. Its stack mirrors the evaluator's:
 * one operand for each value that will lie there.
 */

struct operand {
    enum value_type type;
    bool constant;       /* its code is a single OP_CONST */
    bool duration;       /* written as one: 15m */
    uint32_t dictionary; /* of ENUM and BITS: the slot whose member names it has */
    size_t start;        /* its first instruction */
    size_t at, end;      /* where it stands in the text */
};

struct compiler {
    const char *text;
    const struct expr_scope *scope;
    struct expr_error *err;
    bool failed; /* the first mistake ends it; err is filled */
    bool inner;  /* the condition of a since() */
    ARRAY(struct insn) code;
    ARRAY(struct value) consts;
    char *texts; /* the literals' contents; as large as the text, so they never move */
    size_t texts_used;
    struct operand stack[EXPR_MAX_DEPTH];
    size_t n;
};

/* ---- For the grammar ---- */

/* Parses the whole text, calling what follows (expr/grammar.y). */
void grammar_parse(struct compiler *c);

void compile_literal(struct compiler *c, struct token t);
void compile_name(struct compiler *c, struct token t);
void compile_group(struct compiler *c, struct token open, struct token close);
void compile_unary(struct compiler *c, struct token op);
void compile_binary(struct compiler *c, struct token op);
/* After the left side of and/or: what skips the right side; its place is given to compile_logic(). */
size_t compile_skip(struct compiler *c, struct token op);
void compile_logic(struct compiler *c, struct token op, size_t skip);
void compile_call(struct compiler *c, struct token name, size_t nargs, struct token close);
/* A function over history, its n arguments on the stack. */
void compile_history(struct compiler *c, struct token name, size_t n, struct token close);
/* Whether a function of this name, called with what lies on the stack, looks back over time. */
bool compile_is_history(const struct compiler *c, const char *name, size_t n);
/* All names of such functions, ended by NULL. */
const char *const *compile_history_names(void);
/* At the end: whether the result may be used as what is wanted. */
void compile_want(struct compiler *c, enum value_type want);

/* ---- Inside the compiler ---- */

/* Records the first mistake, about text[at .. at+len-1]. */
void compile_fail(struct compiler *c, size_t at, size_t len, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void compile_fail_operand(struct compiler *c, const struct operand *o, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Compiles text as expr_compile() does; inner: for a since() of a text that compiled already. */
int compile_text(const char *text, const struct expr_scope *scope, enum value_type want, bool inner, struct expr **out,
                 struct expr_error *err);
/* What people call a type. */
const char *compile_type_words(enum value_type t);
/* Puts slot in place of the top n operands. */
void compile_replace(struct compiler *c, size_t n, unsigned slot, enum value_type type);

/* A token's text, for "%.*s". */
#define TOKEN_ARGS(c, t) (int)(t).len, (c)->text + (t).at

/*
 * Replaces the top n operands by the result of op; what is made of constants is
 * reckoned now. The result covers what its operands did.
 */
void compile_emit(struct compiler *c, enum op op, size_t n, enum value_type type, uint32_t dictionary);

/* Puts what a table says of the top operand, an enumeration or flag set, in its place; copies the table (words.c). */
void compile_table(struct compiler *c, const struct value *table, size_t n, enum value_type type);

/* The literal `unknown`. */
bool operand_is_unknown(const struct compiler *c, const struct operand *o);
static inline bool operand_is_literal_text(const struct operand *o)
{
    return o->constant && o->type == VALUE_TEXT;
}

/* Turns a literal text into the number of a member of owner's dictionary; fails if there is none. */
bool compile_member(struct compiler *c, struct operand *literal, const struct operand *owner);

#endif
