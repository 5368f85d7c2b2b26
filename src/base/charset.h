#ifndef PD_BASE_CHARSET_H
#define PD_BASE_CHARSET_H

#include <stddef.h>

#include "base/str.h"

/*
 * Makes UTF-8 of a file's text, in place of *data (on the heap, ended by NUL
 * beyond *n): UTF-8 and UTF-16 by their byte order mark, which is taken off; UTF-8 where
 * it is valid; else GBK (GB18030, which holds it). *charset: what it was, static.
 * PD_EINVAL where it is neither, *bad: the byte at which that shows; PD_ENOTSUP
 * where the system can't convert.
 */
int charset_to_utf8(char **data, size_t *n, const char **charset, size_t *bad);

/*
 * Makes UTF-8 of n bytes in a charset that iconv knows, at the end of out. PD_EINVAL, *bad: where it ends
 * to be that, and what stands before is in out; PD_ENOTSUP where the system can't.
 */
int charset_convert(const char *charset, char *in, size_t n, struct sbuf *out, size_t *bad);

/*
 * What a device calls a text, as str_clean() makes it: it may be UTF-8 (the last character cut, too), GBK,
 * Shift-JIS or Latin-1, whichever is most plausible, or UTF-16. free() the result.
 */
char *charset_device_text(const void *p, size_t n, size_t max);

#endif
