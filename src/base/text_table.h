#ifndef PD_BASE_TEXT_TABLE_H
#define PD_BASE_TEXT_TABLE_H

#include <stddef.h>

#include "base/text.h"

/*
 * What scripts/po2c makes of po/LANG.po: a row for each id of any language, ordered by id; NULL where
 * a text is missing.
 */
struct text_row {
    const char *id;
    const char *text[LANG_COUNT];
};

extern const struct text_row text_table[];
extern const size_t text_table_n;

#endif
