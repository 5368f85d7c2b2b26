#ifndef PD_EXPR_PROGRAM_H
#define PD_EXPR_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "expr/value.h"

/*
 * What an expression becomes: instructions for a small stack machine. Every
 * operation checks the types it meets at run time, so a slot that holds
 * something else than its scope promised gives unknown, never a wrong read.
 */
enum op {
    OP_SLOT,  /* push slots[arg] */
    OP_CONST, /* push consts[arg] */

    OP_NEG, /* one operand */
    OP_NOT,
    OP_ABS,
    OP_ROUND,
    OP_FLOOR,
    OP_LOG10,
    OP_KNOWN,
    OP_IS_SOME,

    OP_ADD, /* two operands */
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_POW,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_HAS, /* flags, number of a flag */
    OP_CONTAINS,
    OP_STARTS,
    OP_LISTED,
    OP_AND,
    OP_OR,

    OP_IF,  /* condition, two values */
    OP_MIN, /* n operands */
    OP_MAX,
    OP_FIRST,

    OP_MEMBER, /* an enumeration or flag set, through the table of members at consts[arg]: its text there */

    OP_AFTER, /* what makes texts, n operands: needs an arena */
    OP_BEFORE,
    OP_WORD,
    OP_TRIM,
    OP_LOWER,
    OP_REPLACE,
    OP_TEXT,

    OP_NUMBER, /* what is asked of texts, n operands */
    OP_ENDS,
    OP_MATCHES,
    OP_OID_LAST,
    OP_OID_PART,
    OP_STARTS_OID,

    OP_SKIP_FALSE, /* what is false decides an `and`: keep it and skip arg instructions */
    OP_SKIP_TRUE,  /* likewise for `or` */
};

struct insn {
    uint8_t op;
    uint8_t n;
    uint32_t arg;
};

static inline bool op_makes_text(enum op op)
{
    return op >= OP_AFTER && op <= OP_TEXT;
}

/*
 * Runs code that leaves one value on the stack. The compiler has seen to it that
 * the stack never holds more than EXPR_MAX_DEPTH. Texts that are made lie in the
 * arena, which may be NULL where none are.
 */
struct value program_run(const struct insn *code, size_t n, const struct value *consts, const struct value *slots,
                         size_t nslots, struct arena *arena);

/* A function over texts (words.c); its operands, then where what it makes is kept. */
struct value words_run(enum op op, const struct value *v, size_t n, struct arena *arena);
/* The text of a member; table: how many there are, then a number and a text of each. */
struct value words_member(struct value v, const struct value *table);

#endif
