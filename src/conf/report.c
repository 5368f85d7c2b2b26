#include "conf/report.h"

#include <stdarg.h>
#include <string.h>

/* Columns of the file's line that are shown; a longer one is cut around the place. */
enum { EXCERPT_WIDTH = 120, EXCERPT_BEFORE = 60, INDENT = 4 };

void conf_report_free(struct conf_report *r)
{
    sbuf_free(&r->text);
    r->errors = 0;
}

/* Counts; false when enough was written already. */
static bool report_begin(struct conf_report *r)
{
    r->errors++;
    if (r->errors == REPORT_MAX + 1)
        sbuf_add(&r->text, "more errors follow: they are counted only\n");
    return r->errors <= REPORT_MAX;
}

static void add_message(struct conf_report *r, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void add_message(struct conf_report *r, const char *fmt, va_list ap)
{
    struct sbuf msg = {0};

    sbuf_vaddf(&msg, fmt, ap);
    sbuf_add(&r->text, "error: ");
    sbuf_add_visible(&r->text, msg.s ? msg.s : "");
    sbuf_addc(&r->text, '\n');
    sbuf_free(&msg);
}

/* Bytes of the first n characters of the len bytes at s. */
static size_t bytes_of(const char *s, size_t len, size_t n)
{
    size_t i = 0;

    while (i < len && n > 0) {
        i++;
        while (i < len && ((unsigned char)s[i] & 0xc0) == 0x80)
            i++;
        n--;
    }
    return i;
}

/* A part of a line as a terminal shows it, and how wide that is. */
static size_t add_excerpt(struct sbuf *out, const char *s, size_t len)
{
    struct sbuf raw = {0}, shown = {0};
    size_t width;

    sbuf_addn(&raw, s, len);
    for (size_t i = 0; i < raw.n; i++)
        if (raw.s[i] == '\t' || raw.s[i] == '\0')
            raw.s[i] = ' ';
    sbuf_add_visible(&shown, raw.s ? raw.s : "");
    width = str_width(shown.s ? shown.s : "");
    sbuf_add(out, shown.s ? shown.s : "");
    sbuf_free(&raw);
    sbuf_free(&shown);
    return width;
}

/* Where a key begins whose value is a secret, in s[0 .. len), and behind its colon; NULL where there is none. */
static char *secret_value(char *s, size_t len)
{
    static const char *const keys[] = {"password:", "community:"};

    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            size_t n = strlen(keys[k]);

            if (len - i >= n && memcmp(s + i, keys[k], n) == 0)
                return s + i + n;
        }
    }
    return NULL;
}

/* True if the next key of a map in braces begins here. */
static bool is_next_key(const char *s, const char *end)
{
    if (*s++ != ',')
        return false;
    while (s < end && (*s == ' ' || *s == '_' || (*s >= 'a' && *s <= 'z')))
        s++;
    return s < end && *s == ':';
}

/* Puts stars over the secrets of a line: errors go to terminals and logs. */
static void hide_secrets(char *s, size_t len)
{
    char *end = s + len, quote;

    while ((s = secret_value(s, (size_t)(end - s))) != NULL) {
        while (s < end && *s == ' ')
            s++;
        quote = s < end && (*s == '\'' || *s == '"') ? *s++ : '\0';
        for (; s < end && !(quote ? *s == quote : is_next_key(s, end)); s++)
            *s = '*';
    }
}

static void add_caret_line(struct conf_report *r, const struct yaml_file *f, int line, int col, int width)
{
    size_t len, from = 0, chars = col > 0 ? (size_t)col - 1 : 0, before, under;
    const char *whole = f->data ? yaml_line(f, line, &len) : NULL, *s;
    struct sbuf caret = {0}, shown = {0};

    if (!whole)
        return;
    sbuf_addn(&shown, whole, len);
    if (len > 0)
        hide_secrets(shown.s, len);
    s = len > 0 ? shown.s : whole;
    if (chars > EXCERPT_WIDTH - EXCERPT_BEFORE / 2) {
        from = bytes_of(s, len, chars - EXCERPT_BEFORE);
        chars = EXCERPT_BEFORE;
    }
    s += from;
    len = bytes_of(s, len - from, EXCERPT_WIDTH);
    before = bytes_of(s, len, chars);
    under = bytes_of(s + before, len - before, width > 0 ? (size_t)width : 1);

    sbuf_addf(&r->text, "%*s", INDENT, "");
    sbuf_addf(&caret, "%*s", INDENT, "");
    for (size_t n = add_excerpt(&r->text, s, before); n > 0; n--)
        sbuf_addc(&caret, ' ');
    sbuf_addc(&caret, '^');
    for (size_t n = add_excerpt(&r->text, s + before, under); n > 1; n--)
        sbuf_addc(&caret, '~');
    add_excerpt(&r->text, s + before + under, len - before - under);
    sbuf_addf(&r->text, "\n%s\n", caret.s);
    sbuf_free(&caret);
    sbuf_free(&shown);
}

static void complain(struct conf_report *r, const struct yaml_file *f, int line, int col, int width, const char *fmt,
                     va_list ap) __attribute__((format(printf, 6, 0)));

static void complain(struct conf_report *r, const struct yaml_file *f, int line, int col, int width, const char *fmt,
                     va_list ap)
{
    if (!report_begin(r))
        return;
    sbuf_addf(&r->text, "%s:%d:%d: ", f->path, line, col);
    add_message(r, fmt, ap);
    add_caret_line(r, f, line, col, width);
}

static int chars_of(const char *s, size_t n)
{
    int chars = 0;

    for (size_t i = 0; i < n && s[i]; i++)
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            chars++;
    return chars;
}

void conf_error(struct conf_report *r, struct yaml_node *at, const char *fmt, ...)
{
    bool word = at->type == YAML_TEXT && !at->quoted;
    va_list ap;

    va_start(ap, fmt);
    complain(r, at->file, at->line, at->col, word ? chars_of(at->text, EXCERPT_WIDTH) : 1, fmt, ap);
    va_end(ap);
    at->bad = true;
}

void conf_error_within(struct conf_report *r, const struct yaml_node *text, size_t offset, size_t len, const char *fmt,
                       ...)
{
    int line, col;
    va_list ap;

    yaml_locate(text, offset, &line, &col);
    va_start(ap, fmt);
    complain(r, text->file, line, col, chars_of(text->text + offset, len), fmt, ap);
    va_end(ap);
}

void conf_error_at(struct conf_report *r, const struct yaml_file *f, int line, int col, int width, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    complain(r, f, line, col, width, fmt, ap);
    va_end(ap);
}

void conf_error_where(struct conf_report *r, const struct where *at, const char *fmt, ...)
{
    struct conf_report ignored = {0};
    struct yaml_file empty = {.path = at->file}, *f = NULL;
    va_list ap;

    va_start(ap, fmt);
    complain(r, yaml_load(at->file, &f, &ignored) == 0 ? f : &empty, at->line, at->col, 1, fmt, ap);
    va_end(ap);
    yaml_file_free(f);
    conf_report_free(&ignored);
}

void conf_error_file(struct conf_report *r, const char *path, const char *fmt, ...)
{
    va_list ap;

    if (!report_begin(r))
        return;
    sbuf_addf(&r->text, "%s: ", path);
    va_start(ap, fmt);
    add_message(r, fmt, ap);
    va_end(ap);
}

void conf_suggest(struct sbuf *out, const char *word, const char *const *list)
{
    const char *near = list ? str_nearest(word, list) : NULL;
    size_t n = 0;

    while (list && list[n])
        n++;
    if (near) {
        sbuf_addf(out, " (did you mean '%s'?)", near);
        return;
    }
    if (n == 0 || n > 16)
        return;
    for (size_t i = 0; i < n; i++)
        sbuf_addf(out, "%s%s", i == 0 ? " (known here: " : ", ", list[i]);
    sbuf_addc(out, ')');
}
