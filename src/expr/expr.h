#ifndef PD_EXPR_EXPR_H
#define PD_EXPR_EXPR_H

#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"
#include "expr/value.h"

/*
 * The one expression language: rules' conditions, modules' computed values,
 * profiles' recognition. No loops, no side effects; every mistake is found when
 * it is compiled, against a scope that says which names there are and of what
 * type. At run time names are numbered slots.
 *
 *   or  and  not   =  !=  <  <=  >  >=   has   + - * / %   unary -   ( )
 *   numbers, "texts", true, false, unknown
 *   if(c, a, b)  min(a, …)  max(a, …)  abs(x)  round(x)  floor(x)  pow(x, y)
 *   known(x)  is_some(x)  first(a, …)  contains(t, "s")  starts(t, "s")  listed(t, "s")
 *   over texts: after(t, "x")  before(t, "x")  word(t, n)  trim(t)  lower(t)  replace(t, "a", "b")
 *   number(t)  text(x)  ends(t, "s")  matches(t, "a*b?")
 *   over object identifiers, dotted: oid_last(o)  oid_part(o, n)  starts_oid(o, "1.3.6")
 *   of an enumeration's member: title(e), its code, and severity(e); of a flag set the gravest: severity(b)
 *   durations: 30s, 15m, 1h30m, 7d, which are whole numbers of seconds
 *   over history, where the scope keeps one:
 *   avg(p, 15m)  min(p, 15m)  max(p, 15m)  delta(p, 1h)  rate(p, 15m)
 *   days_left(p, 7d, limit)  seen(p, 30d)  last(p)  since(c)
 *
 * An enumeration is compared with a text that names a member (state = "down"),
 * a flag set is asked with has (errors has "jammed"); a name the dictionary
 * lacks is an error at load. first() gives its first argument that is good, else
 * the one that can be believed most. Only what is good is known(). listed() asks for an item of a list separated by
 * semicolons. In a text \" and \\ stand for " and \.
 *
 * after() is unknown where its mark is not in the text, before() then gives all
 * of it. Words are counted from 1, or from the end by negative numbers, as are
 * the parts of an object identifier. A text of which nothing is left is unknown,
 * one of over 1 KB is cut. number() reads the number that a text begins with.
 *
 * Logic is three-valued (Kleene): what is unknown decides nothing: `false and
 * unknown` is false, `true or unknown` true, anything else unknown. Arithmetic
 * or comparison on a value that is not good gives that value's quality, unknown
 * before the others; so does if() with its condition. A division by zero, and
 * any result that is not finite or leaves 64 bits, is unknown. + - * % of whole
 * numbers stay whole, / never is; round() and floor() give whole numbers.
 *
 * What looks back over time is reckoned outside: each such call is one more slot
 * to the expression, asked of the scope when it is compiled. min() and max() look
 * back when their second and last argument is written as a duration.
 */
struct expr;

/* What a call asks of the history of one slot. */
enum expr_history {
    EXPR_AVG,
    EXPR_MIN,
    EXPR_MAX,
    EXPR_DELTA,     /* how much it changed */
    EXPR_RATE,      /* that, a second */
    EXPR_DAYS_LEFT, /* days until it is at the limit, as it goes now */
    EXPR_SEEN,      /* whether it was known: a truth value; of any type */
    EXPR_LAST,      /* what it was when it was known last; of any type but texts, of which it stays */
    EXPR_SINCE,     /* seconds for which the condition has been true */
};

struct expr_window {
    enum expr_history history;
    unsigned slot;          /* what is looked at; not of SINCE */
    int64_t length_ms;      /* likewise, nor of LAST */
    double limit;           /* of DAYS_LEFT; 0 where none is said */
    struct expr *condition; /* of SINCE */
};

/* Shortest and longest window. */
#define EXPR_WINDOW_MIN_MS INT64_C(60000)
#define EXPR_WINDOW_MAX_MS (INT64_C(366) * 86400000)

/* What a name means, for the checker. */
struct expr_name {
    unsigned slot;
    /* VALUE_NONE: of a type known only at run time; texts and numbers both fit, wrong ones are unknown */
    enum value_type type;
};

/* A member of a dictionary, for title() and severity(). */
struct expr_member {
    int64_t number;
    const char *code, *severity; /* NULL: none was said */
};

struct expr_scope {
    /* 0 and *out, or PD_ENOENT. Names are as written: letters, digits, _ and dots. */
    int (*resolve)(void *ctx, const char *name, struct expr_name *out);
    /* The number of an enumeration's or flag set's member; PD_ENOENT. */
    int (*member)(void *ctx, unsigned slot, const char *name, int64_t *out);
    /* What is known of the members of a slot, *n of them; they outlive the expressions. NULL: nothing. */
    const struct expr_member *(*dictionary)(void *ctx, unsigned slot, size_t *n);
    /* All names, ended by NULL, for "did you mean"; may be NULL. */
    const char *const *(*names)(void *ctx);
    /* All member names of a slot, ended by NULL; may be NULL. */
    const char *const *(*members)(void *ctx, unsigned slot);
    /*
     * The slot that will hold what the window tells; takes the condition, also where it fails. PD_EINVAL for a
     * slot that has no history. NULL: nothing here has.
     */
    int (*window)(void *ctx, const struct expr_window *w, unsigned *slot);
    void *ctx;
};

/* Where and what is wrong, offsets in bytes into the text. */
struct expr_error {
    size_t at, len;
    char msg[200];
};

/* Longest text and deepest nesting that compile; more is an error, never a crash. */
enum { EXPR_MAX_TEXT = 4096, EXPR_MAX_DEPTH = 64 };

/*
 * Compiles text. `want` is the type the result must have (VALUE_NONE: any).
 * 0 and *out (free with expr_free), or PD_EINVAL and *err.
 */
int expr_compile(const char *text, const struct expr_scope *scope, enum value_type want, struct expr **out,
                 struct expr_error *err);
void expr_free(struct expr *e);

enum value_type expr_type(const struct expr *e);

/*
 * Evaluates over slots[0 .. nslots-1]; a slot beyond is unknown. Texts that are made lie in the arena;
 * others are borrowed from slots or e.
 */
struct value expr_eval_in(const struct expr *e, const struct value *slots, size_t nslots, struct arena *arena);
/* Likewise, but texts that are made lie in e, until it is evaluated again. */
struct value expr_eval(const struct expr *e, const struct value *slots, size_t nslots);

/* Calls fn for each slot the expression reads, once each, ascending. */
void expr_slots(const struct expr *e, void (*fn)(void *ctx, unsigned slot), void *ctx);

/* The text it was compiled from. */
const char *expr_text(const struct expr *e);

#endif
