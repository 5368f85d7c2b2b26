/*
 * The grammar of expressions. Values are not carried through it: each action
 * tells the compiler, whose own stack knows what came before.
 */
%include {
#include "expr/compile.h"
#include "expr/grammar.h"

/* What lemon generates is not static though only this file calls it, and has parameters that it does not use. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-variable"

static void syntax_error(struct compiler *c, struct token t, struct token prev);

struct parse {
    struct compiler *c;
    struct token prev; /* the token before the one being looked at; kind 0 at the start */
};
}

%name grammar
%token_prefix TOKEN_
%token_type {struct token}
%extra_argument {struct parse *p}
/* A level of parentheses can hold a dozen symbols; few texts use more than two or three. */
%stack_size 400
%stack_overflow { compile_fail(p->c, p->prev.at, p->prev.len, "nested too deeply"); }
%syntax_error { syntax_error(p->c, TOKEN, p->prev); }

%left OR.
%left AND.
%right NOT.
%nonassoc EQ NE LT LE GT GE HAS.
%left PLUS MINUS.
%left STAR SLASH PERCENT.
%right SIGN.

text ::= expr.

expr ::= INT(T). { compile_literal(p->c, T); }
expr ::= NUM(T). { compile_literal(p->c, T); }
expr ::= DURATION(T). { compile_literal(p->c, T); }
expr ::= TEXT(T). { compile_literal(p->c, T); }
expr ::= TRUE(T). { compile_literal(p->c, T); }
expr ::= FALSE(T). { compile_literal(p->c, T); }
expr ::= UNKNOWN(T). { compile_literal(p->c, T); }
expr ::= NAME(T). { compile_name(p->c, T); }
expr ::= LPAREN(A) expr RPAREN(B). { compile_group(p->c, A, B); }

expr ::= NOT(T) expr. { compile_unary(p->c, T); }
expr ::= MINUS(T) expr. [SIGN] { compile_unary(p->c, T); }

expr ::= expr PLUS(T) expr. { compile_binary(p->c, T); }
expr ::= expr MINUS(T) expr. { compile_binary(p->c, T); }
expr ::= expr STAR(T) expr. { compile_binary(p->c, T); }
expr ::= expr SLASH(T) expr. { compile_binary(p->c, T); }
expr ::= expr PERCENT(T) expr. { compile_binary(p->c, T); }
expr ::= expr EQ(T) expr. { compile_binary(p->c, T); }
expr ::= expr NE(T) expr. { compile_binary(p->c, T); }
expr ::= expr LT(T) expr. { compile_binary(p->c, T); }
expr ::= expr LE(T) expr. { compile_binary(p->c, T); }
expr ::= expr GT(T) expr. { compile_binary(p->c, T); }
expr ::= expr GE(T) expr. { compile_binary(p->c, T); }
expr ::= expr HAS(T) expr. { compile_binary(p->c, T); }

/* The left side is a rule of its own, so that code that skips the right side can be written between the two. */
%type left_and {struct logic}
%type left_or {struct logic}
%include {
struct logic {
    struct token op;
    size_t skip;
};
}
left_and(L) ::= expr AND(T). { L.op = T; L.skip = compile_skip(p->c, T); }
left_or(L) ::= expr OR(T). { L.op = T; L.skip = compile_skip(p->c, T); }
expr ::= left_and(L) expr. [AND] { compile_logic(p->c, L.op, L.skip); }
expr ::= left_or(L) expr. [OR] { compile_logic(p->c, L.op, L.skip); }

%type args {size_t}
expr ::= NAME(T) LPAREN RPAREN(B). { compile_call(p->c, T, 0, B); }
expr ::= NAME(T) LPAREN args(N) RPAREN(B). { compile_call(p->c, T, N, B); }
args(N) ::= expr. { N = 1; }
args(N) ::= args(M) COMMA expr. { N = M + 1; }

%code {
static bool ends_value(int kind)
{
    switch (kind) {
    case TOKEN_INT:
    case TOKEN_NUM:
    case TOKEN_DURATION:
    case TOKEN_TEXT:
    case TOKEN_TRUE:
    case TOKEN_FALSE:
    case TOKEN_UNKNOWN:
    case TOKEN_NAME:
    case TOKEN_RPAREN:
        return true;
    default:
        return false;
    }
}

static bool begins_value(int kind)
{
    return kind == TOKEN_NOT || kind == TOKEN_LPAREN || (ends_value(kind) && kind != TOKEN_RPAREN);
}

static bool is_comparison(int kind)
{
    return kind == TOKEN_EQ || kind == TOKEN_NE || kind == TOKEN_LT || kind == TOKEN_LE || kind == TOKEN_GT ||
           kind == TOKEN_GE || kind == TOKEN_HAS;
}

/* What follows a value, to be suggested for a word in its place. */
static const char *const infix_words[] = {"and", "or", "has", NULL};

static void missing_operator(struct compiler *c, struct token t)
{
    struct sbuf lower = {0};
    const char *hint;

    for (size_t i = 0; i < t.len; i++)
        sbuf_addc(&lower, (char)(c->text[t.at + i] | 0x20)); /* a name's capitals; nothing else is looked at */
    hint = t.kind == TOKEN_NAME ? str_nearest(lower.s, infix_words) : NULL;
    if (hint)
        compile_fail(c, t.at, t.len, "'%.*s' is no operator (did you mean '%s'?)", TOKEN_ARGS(c, t), hint);
    else
        compile_fail(c, t.at, t.len, "an operator is missing before '%.*s'", TOKEN_ARGS(c, t));
    sbuf_free(&lower);
}

/* prev was accepted, t was not. */
static void syntax_error(struct compiler *c, struct token t, struct token prev)
{
    bool after_value = ends_value(prev.kind);

    if (t.kind == 0 && prev.kind == 0)
        compile_fail(c, t.at, t.len, "an empty expression");
    else if (t.kind == 0 && after_value)
        compile_fail(c, prev.at, prev.len, "a ')' is missing after '%.*s'", TOKEN_ARGS(c, prev));
    else if (t.kind == 0)
        compile_fail(c, prev.at, prev.len, "a value is missing after '%.*s'", TOKEN_ARGS(c, prev));
    else if (after_value && begins_value(t.kind))
        missing_operator(c, t);
    else if (after_value && is_comparison(t.kind))
        compile_fail(c, t.at, t.len, "comparisons do not chain; join two with 'and'");
    else if (after_value && t.kind == TOKEN_RPAREN)
        compile_fail(c, t.at, t.len, "a ')' that closes nothing");
    else if (after_value && t.kind == TOKEN_COMMA)
        compile_fail(c, t.at, t.len, "a ',' stands only between the arguments of a function");
    else
        compile_fail(c, t.at, t.len, "a value is missing before '%.*s'", TOKEN_ARGS(c, t));
}

void grammar_parse(struct compiler *c)
{
    struct lexer lx = {.text = c->text};
    struct parse p = {.c = c};
    struct token t = {0};
    yyParser engine;
    size_t depth = 0;

    grammarInit(&engine);
    do {
        const char *why = lex_next(&lx, &t);

        depth += t.kind == TOKEN_LPAREN;
        depth -= t.kind == TOKEN_RPAREN && depth > 0;
        if (why)
            compile_fail(c, t.at, t.len, "%s", why);
        else if (depth > EXPR_MAX_DEPTH)
            compile_fail(c, t.at, t.len, "nested too deeply; at most %d levels of parentheses", EXPR_MAX_DEPTH);
        else
            grammar(&engine, t.kind, t, &p);
        p.prev = t;
    } while (!c->failed && t.kind != 0);
    grammarFinalize(&engine);
}
}
