#ifndef PD_EXPR_LEX_H
#define PD_EXPR_LEX_H

#include <stddef.h>

/* A piece of an expression's text; also how the parser knows it. */
struct token {
    int kind; /* TOKEN_… of expr/grammar.h; 0 at the end */
    size_t at, len;
};

struct lexer {
    const char *text; /* NUL-terminated */
    size_t at;
};

/* The units that durations are written in. */
#define LEX_UNITS "smhd"

/*
 * The next token. NULL, or why there is none: a static English sentence (what is
 * wrong and what would be right) about the bytes *out covers.
 */
const char *lex_next(struct lexer *lx, struct token *out);

#endif
