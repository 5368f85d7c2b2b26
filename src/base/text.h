#ifndef PD_BASE_TEXT_H
#define PD_BASE_TEXT_H

#include "base/str.h"

/*
 * Fixed texts in the languages people read, compiled from po/LANG.po at build
 * time. The language is always an argument: one process mails in several.
 */
enum lang { LANG_EN, LANG_ZH_CN, LANG_COUNT };

/* "en", "zh_CN" (also "zh-CN", "zh") -> language; PD_EINVAL for others. */
int lang_parse(const char *s, enum lang *out);
const char *lang_name(enum lang lang);

/*
 * The text with this id; English where the language has none; the id itself where nobody has one (a
 * test forbids it).
 */
const char *text_get(enum lang lang, const char *id);

/* One named argument of a text: "{device}" in the text becomes its value. */
struct text_arg {
    const char *name, *value;
};
/* Appends template with each {name} replaced; names without an argument stay as they are. `{{` is a brace. */
void text_fill(struct sbuf *out, const char *template, const struct text_arg *args, size_t n);

/* Appends a span of time in its two largest units: "2 d 3 h"; one below 0 as 0. */
void text_duration(struct sbuf *out, enum lang lang, int64_t ms);

#endif
