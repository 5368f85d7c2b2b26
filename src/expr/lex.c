#include "expr/lex.h"

#include <stdbool.h>
#include <string.h>

#include "expr/grammar.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_name(char c)
{
    return is_alpha(c) || is_digit(c) || c == '.';
}
static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Bytes of the character at s, for errors that show it: all its continuation bytes belong to it. */
static size_t char_len(const char *s)
{
    size_t n = 1;

    while (((unsigned char)s[n] & 0xc0) == 0x80)
        n++;
    return n;
}

struct word {
    const char *text;
    int kind;
};

static const struct word keywords[] = {
    {"or", TOKEN_OR},     {"and", TOKEN_AND},     {"not", TOKEN_NOT},         {"has", TOKEN_HAS},
    {"true", TOKEN_TRUE}, {"false", TOKEN_FALSE}, {"unknown", TOKEN_UNKNOWN},
};

/* Longer ones before those they begin with. */
static const struct word operators[] = {
    {"!=", TOKEN_NE},     {"<=", TOKEN_LE},    {">=", TOKEN_GE},    {"=", TOKEN_EQ},    {"<", TOKEN_LT},
    {">", TOKEN_GT},      {"+", TOKEN_PLUS},   {"-", TOKEN_MINUS},  {"*", TOKEN_STAR},  {"/", TOKEN_SLASH},
    {"%", TOKEN_PERCENT}, {"(", TOKEN_LPAREN}, {")", TOKEN_RPAREN}, {",", TOKEN_COMMA},
};

/* What people write who come from other languages. */
static const struct {
    const char *text, *why;
} foreign[] = {
    {"==", "equality is written '=', not '=='"},
    {"&&", "'&&' is written 'and'"},
    {"||", "'||' is written 'or'"},
    {"<>", "'<>' is written '!='"},
    {"\xef\xbc\x88", "a full-width parenthesis; write '('"},
    {"\xef\xbc\x89", "a full-width parenthesis; write ')'"},
    {"\xef\xbc\x8c", "a full-width comma; write ','"},
    {"\xe2\x80\x9c", "a curly quotation mark; write '\"'"},
    {"\xe2\x80\x9d", "a curly quotation mark; write '\"'"},
    {"'", "texts stand in double quotes: \"…\""},
    {"&", "'&' is no operator; ask a flag set with has"},
    {"|", "'|' is no operator; write 'or'"},
};

/* Labels are named by people, as file names are: in label.may-be-off the hyphens belong to the name. */
static bool is_label(char c)
{
    return is_name(c) || c == '-';
}

static const char *lex_name(const char *s, struct token *out)
{
    static const char label[] = "label.";
    bool (*belongs)(char c) = strncmp(s, label, sizeof label - 1) == 0 ? is_label : is_name;
    size_t n = 1;

    while (belongs(s[n]))
        n++;
    out->len = n;
    out->kind = TOKEN_NAME;
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strlen(keywords[i].text) == n && memcmp(keywords[i].text, s, n) == 0)
            out->kind = keywords[i].kind;
    return NULL;
}

static size_t skip_digits(const char *s, size_t n)
{
    while (is_digit(s[n]))
        n++;
    return n;
}

/* How long a duration at s is, or 0 if there is none: 15m, 1h30m. */
static size_t duration_len(const char *s)
{
    size_t n = 0, digits;

    while ((digits = skip_digits(s, n)) > n && s[digits] && strchr(LEX_UNITS, s[digits]))
        n = digits + 1;
    return is_name(s[n]) ? 0 : n;
}

static const char *lex_number(const char *s, struct token *out)
{
    size_t n = skip_digits(s, 0);

    out->kind = TOKEN_DURATION;
    out->len = duration_len(s);
    if (out->len > 0)
        return NULL;
    out->kind = TOKEN_INT;
    if (s[n] == '.') {
        out->kind = TOKEN_NUM;
        n = skip_digits(s, n + 1);
    }
    if (s[n] == 'e' || s[n] == 'E') {
        size_t sign = s[n + 1] == '+' || s[n + 1] == '-';

        if (is_digit(s[n + 1 + sign])) {
            out->kind = TOKEN_NUM;
            n = skip_digits(s, n + 1 + sign);
        }
    }
    bool clean = !is_name(s[n]) && s[n - 1] != '.';
    while (is_name(s[n]))
        n++;
    out->len = n;
    return clean ? NULL : "not a number; numbers look like 12, 0.5 or 1.5e3, durations like 30s, 15m, 1h, 7d";
}

/* A text in double quotes; inside, \" and \\ stand for " and \. */
static const char *lex_text(const char *s, struct token *out)
{
    size_t n = 1;

    out->kind = TOKEN_TEXT;
    for (; s[n] != '"'; n++) {
        if (is_control(s[n])) {
            out->len = n;
            return "a text that is not closed; '\"' is missing";
        }
        if (s[n] == '\\') {
            if (s[n + 1] != '"' && s[n + 1] != '\\') {
                out->at += n;
                out->len = 1;
                return "a lone '\\'; in a text write '\\\\' for it and '\\\"' for a quotation mark";
            }
            n++;
        }
    }
    out->len = n + 1;
    return NULL;
}

static const char *lex_operator(const char *s, struct token *out)
{
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        out->len = strlen(foreign[i].text);
        if (strncmp(s, foreign[i].text, out->len) == 0)
            return foreign[i].why;
    }
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        out->len = strlen(operators[i].text);
        out->kind = operators[i].kind;
        if (strncmp(s, operators[i].text, out->len) == 0)
            return NULL;
    }
    out->len = char_len(s);
    return *s == '!' ? "'!' is written 'not'" : "a character that means nothing here";
}

const char *lex_next(struct lexer *lx, struct token *out)
{
    while (is_space(lx->text[lx->at]))
        lx->at++;

    const char *s = lx->text + lx->at, *why = NULL;

    *out = (struct token){.at = lx->at};
    if (is_alpha(*s))
        why = lex_name(s, out);
    else if (is_digit(*s))
        why = lex_number(s, out);
    else if (*s == '"')
        why = lex_text(s, out);
    else if (*s)
        why = lex_operator(s, out);
    lx->at = out->at + out->len;
    return why;
}
