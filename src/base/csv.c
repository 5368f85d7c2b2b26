#include "base/csv.h"

#include <string.h>

#include "base/err.h"

static char guess_separator(const char *p, const char *end)
{
    static const char candidates[] = {',', ';', '\t'};
    size_t count[sizeof candidates] = {0}, most = 0;
    bool quoted = false;

    for (; p < end && (quoted || (*p != '\n' && *p != '\r')); p++) {
        if (*p == '"')
            quoted = !quoted;
        for (size_t i = 0; i < sizeof candidates && !quoted; i++)
            count[i] += *p == candidates[i];
    }
    for (size_t i = 1; i < sizeof candidates; i++)
        if (count[i] > count[most])
            most = i;
    return candidates[most];
}

void csv_init(struct csv *c, const char *data, size_t n)
{
    *c = (struct csv){.at = data, .end = data + n, .separator = guess_separator(data, data + n), .line = 1};
}

static bool at_line_end(const struct csv *c)
{
    return c->at < c->end && (*c->at == '\n' || *c->at == '\r');
}

static void skip_line_end(struct csv *c)
{
    if (*c->at == '\r' && c->at + 1 < c->end && c->at[1] == '\n')
        c->at++;
    c->at++;
    c->line++;
}

/* A field in quotes; its lines are counted. *why: what is wrong. */
static void take_quoted(struct csv *c, struct sbuf *out, const char **why)
{
    for (c->at++; c->at < c->end; c->at++) {
        if (*c->at == '"' && c->at + 1 < c->end && c->at[1] == '"')
            c->at++;
        else if (*c->at == '"')
            break;
        else if (*c->at == '\n' || (*c->at == '\r' && (c->at + 1 == c->end || c->at[1] != '\n')))
            c->line++;
        sbuf_addc(out, *c->at);
    }
    if (c->at == c->end) {
        *why = "a quote is opened and never closed";
        return;
    }
    c->at++;
    if (c->at < c->end && *c->at != c->separator && !at_line_end(c))
        *why = "behind a closing quote stands something; a quote within a field is written twice";
}

static void take_plain(struct csv *c, struct sbuf *out, const char **why)
{
    for (; c->at < c->end && *c->at != c->separator && !at_line_end(c); c->at++) {
        if (*c->at == '"') {
            *why = "a quote stands within a field that is not in quotes";
            return;
        }
        sbuf_addc(out, *c->at);
    }
}

static void take_field(struct csv *c, struct csv_row *row, const char **why)
{
    size_t first = row->texts.n;

    if (row->fields.n == CSV_FIELDS_MAX) {
        *why = "there are more than 500 fields";
        return;
    }
    array_push(&row->fields, first);
    if (c->at < c->end && *c->at == '"')
        take_quoted(c, &row->texts, why);
    else
        take_plain(c, &row->texts, why);
    if (!*why && memchr(row->texts.s ? row->texts.s + first : "", '\0', row->texts.n - first))
        *why = "there is a NUL: this is no text";
    if (!*why && row->texts.n - first > CSV_FIELD_BYTES)
        *why = "a field is longer than 1 MiB";
    sbuf_addc(&row->texts, '\0');
}

int csv_next(struct csv *c, struct csv_row *row, const char **why, int *line)
{
    row->fields.n = 0;
    sbuf_reset(&row->texts);
    *why = NULL;
    while (at_line_end(c))
        skip_line_end(c);
    if (c->at == c->end)
        return 0;
    row->line = *line = c->line;
    for (;;) {
        take_field(c, row, why);
        if (*why) {
            c->at = c->end;
            return PD_EINVAL;
        }
        if (c->at == c->end)
            return 1;
        if (at_line_end(c)) {
            skip_line_end(c);
            return 1;
        }
        c->at++;
        *line = c->line;
    }
}

void csv_row_fini(struct csv_row *row)
{
    sbuf_free(&row->texts);
    array_free(&row->fields);
}
