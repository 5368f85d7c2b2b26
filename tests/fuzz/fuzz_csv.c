/* A file to be imported: made UTF-8 and read as CSV, or refused. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/charset.h"
#include "base/csv.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_rows(const char *data, size_t n)
{
    struct csv c;
    struct csv_row row = {0};
    size_t bytes = 0;
    const char *why;
    int rc, line = 0, last = 0;

    csv_init(&c, data, n);
    while ((rc = csv_next(&c, &row, &why, &line)) == 1) {
        if (row.line <= last || row.fields.n == 0)
            abort();
        last = row.line;
        for (size_t i = 0; i < row.fields.n; i++)
            bytes += strlen(csv_field(&row, i));
        if (bytes > n)
            abort();
    }
    if (rc < 0 && (!why || line < last))
        abort();
    csv_row_fini(&row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xmalloc(size + 1), *exact;
    const char *charset;
    size_t n = size, bad = 0;

    memcpy(text, data, size);
    text[size] = '\0';
    if (charset_to_utf8(&text, &n, &charset, &bad) == 0) {
        if (!str_utf8_valid(text, n))
            abort();
        exact = xmemdup(n ? text : "x", n ? n : 1);
        read_rows(exact, n);
        free(exact);
    } else if (bad > size) {
        abort();
    }
    free(text);
    return 0;
}
