#ifndef PD_BASE_CSV_H
#define PD_BASE_CSV_H

#include "base/array.h"
#include "base/str.h"

/*
 * Reads CSV as RFC 4180 has it: fields parted by a separator, those with
 * separators, quotes or line ends in quotes, a quote in them doubled. Lines end with LF,
 * CRLF or CR; empty ones are passed over. What is read is any bytes without
 * NUL; whether they are text is somebody else's matter.
 */
struct csv {
    const char *at, *end;
    char separator;
    int line; /* of what comes next, from 1 */
};

struct csv_row {
    int line; /* on which it begins */
    struct sbuf texts;
    ARRAY(size_t) fields; /* where each begins in texts, ended by NUL */
};

enum { CSV_FIELDS_MAX = 500, CSV_FIELD_BYTES = 1 << 20 };

/* data is borrowed. The separator is what the first line has most of: comma, semicolon or tab. */
void csv_init(struct csv *c, const char *data, size_t n);
/*
 * The next row, in place of the one before: 1; 0 at the end; PD_EINVAL with *why
 * (static) and *line where it goes wrong; then nothing more can be read.
 */
int csv_next(struct csv *c, struct csv_row *row, const char **why, int *line);
static inline const char *csv_field(const struct csv_row *row, size_t i)
{
    return row->texts.s + row->fields.v[i];
}
void csv_row_fini(struct csv_row *row);

#endif
