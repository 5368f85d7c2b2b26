#include "gather/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"

/* The document takes no longer texts. */
enum { MOST_TEXT = 4000 };

static void begin(struct sbuf *b, const char *name)
{
    if (b->n > 0 && b->s[b->n - 1] != '{' && b->s[b->n - 1] != '[')
        sbuf_addc(b, ',');
    if (name)
        sbuf_addf(b, "\"%s\":", name);
}

void json_open(struct sbuf *b, const char *name, char bracket)
{
    begin(b, name);
    sbuf_addc(b, bracket);
}

void json_close(struct sbuf *b, char bracket)
{
    sbuf_addc(b, bracket);
}

void json_put_text(struct sbuf *b, const char *name, const char *text)
{
    char *clean = text ? str_clean(text, strlen(text), MOST_TEXT) : NULL;

    begin(b, name);
    sbuf_add_json(b, clean && *clean ? clean : NULL);
    free(clean);
}

void json_put_taken(struct sbuf *b, const char *name, char *text)
{
    json_put_text(b, name, text);
    free(text);
}

void json_put_int(struct sbuf *b, const char *name, int64_t n)
{
    begin(b, name);
    sbuf_addf(b, "%" PRId64, n);
}

void json_put_maybe(struct sbuf *b, const char *name, bool known, int64_t n)
{
    begin(b, name);
    if (known)
        sbuf_addf(b, "%" PRId64, n);
    else
        sbuf_add(b, "null");
}

void json_put_bool(struct sbuf *b, const char *name, bool v)
{
    begin(b, name);
    sbuf_add(b, v ? "true" : "false");
}

void json_put_day(struct sbuf *b, const char *name, int64_t day)
{
    char text[11];

    date_format(day, text);
    json_put_text(b, name, day != 0 ? text : NULL);
}
