#ifndef PD_BASE_CHARSET_H
#define PD_BASE_CHARSET_H

#include <stddef.h>

/*
 * Makes UTF-8 of a file's text, in place of *data (on the heap, ended by NUL
 * beyond *n): UTF-8 and UTF-16 by their byte order mark, which is taken off; UTF-8 where
 * it is valid; else GBK (GB18030, which holds it). *charset: what it was, static.
 * PD_EINVAL where it is neither, *bad: the byte at which that shows; PD_ENOTSUP
 * where the system can't convert.
 */
int charset_to_utf8(char **data, size_t *n, const char **charset, size_t *bad);

#endif
