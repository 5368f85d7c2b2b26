#include "base/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

int charset_convert(const char *charset, char *in, size_t n, struct sbuf *out, size_t *bad)
{
    iconv_t cd = iconv_open("UTF-8", charset);
    char *at = in, chunk[16384];
    int rc = 0;

    if (cd == (iconv_t)-1)
        return PD_ENOTSUP;
    while (n > 0 && rc == 0) {
        char *to = chunk;
        size_t room = sizeof chunk;

        if (iconv(cd, &at, &n, &to, &room) == (size_t)-1 && errno != E2BIG) {
            *bad = (size_t)(at - in);
            rc = PD_EINVAL;
        }
        sbuf_addn(out, chunk, (size_t)(to - chunk));
    }
    iconv_close(cd);
    return rc;
}

/* Checked here, for iconv takes more for UTF-8 than there is. */
static int check_utf8(const char *in, size_t n, struct sbuf *out, size_t *bad)
{
    size_t at = 0;

    while (at < n) {
        size_t len = 1;

        while (len <= 4 && len <= n - at && !str_utf8_valid(in + at, len))
            len++;
        if (len > 4 || len > n - at) {
            *bad = at;
            return PD_EINVAL;
        }
        at += len;
    }
    sbuf_addn(out, in, n);
    return 0;
}

int charset_to_utf8(char **data, size_t *n, const char **charset, size_t *bad)
{
    static const struct {
        const char *mark, *charset;
        size_t n;
    } marks[] = {{"\xef\xbb\xbf", "UTF-8", 3}, {"\xff\xfe", "UTF-16LE", 2}, {"\xfe\xff", "UTF-16BE", 2}};
    const char *from = str_utf8_valid(*data, *n) ? "UTF-8" : "GB18030";
    struct sbuf out = {0};
    size_t skip = 0;
    int rc;

    for (size_t i = 0; i < sizeof marks / sizeof *marks && skip == 0; i++) {
        if (*n >= marks[i].n && memcmp(*data, marks[i].mark, marks[i].n) == 0) {
            from = marks[i].charset;
            skip = marks[i].n;
        }
    }
    sbuf_add(&out, "");
    rc = str_eq(from, "UTF-8") ? check_utf8(*data + skip, *n - skip, &out, bad)
                               : charset_convert(from, *data + skip, *n - skip, &out, bad);
    if (rc < 0) {
        *bad += skip;
        sbuf_free(&out);
        return rc;
    }
    free(*data);
    *n = out.n;
    *data = sbuf_take(&out);
    *charset = from;
    return 0;
}
