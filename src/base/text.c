#include "base/text.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text_table.h"

static const struct {
    const char *name;
    enum lang lang;
} names[] = {{"en", LANG_EN}, {"zh_CN", LANG_ZH_CN}, {"zh-CN", LANG_ZH_CN}, {"zh", LANG_ZH_CN}};

int lang_parse(const char *s, enum lang *out)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i].name, s) == 0) {
            *out = names[i].lang;
            return 0;
        }
    }
    return PD_EINVAL;
}

const char *lang_name(enum lang lang)
{
    return lang == LANG_ZH_CN ? "zh_CN" : "en";
}

static int by_id(const void *id, const void *row)
{
    return strcmp(id, ((const struct text_row *)row)->id);
}

const char *text_get(enum lang lang, const char *id)
{
    const struct text_row *row = bsearch(id, text_table, text_table_n, sizeof text_table[0], by_id);

    if (!row)
        return id;
    if (row->text[lang])
        return row->text[lang];
    return row->text[LANG_EN] ? row->text[LANG_EN] : id;
}

static const char *find_arg(const char *name, size_t len, const struct text_arg *args, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(args[i].name) == len && memcmp(args[i].name, name, len) == 0)
            return args[i].value;
    return NULL;
}

void text_fill(struct sbuf *out, const char *template, const struct text_arg *args, size_t n)
{
    const char *p = template;

    while (*p) {
        const char *brace = strchr(p, '{'), *end, *value;

        if (!brace) {
            sbuf_add(out, p);
            return;
        }
        sbuf_addn(out, p, (size_t)(brace - p));
        p = brace + 1;
        if (*p == '{') {
            sbuf_addc(out, '{');
            p++;
            continue;
        }
        end = strchr(p, '}');
        value = end ? find_arg(p, (size_t)(end - p), args, n) : NULL;
        sbuf_add(out, value ? value : "{");
        if (value)
            p = end + 1;
    }
}

void text_duration(struct sbuf *out, enum lang lang, int64_t ms)
{
    static const struct {
        const char *id;
        int64_t s;
    } units[] = {{"duration.day", 86400}, {"duration.hour", 3600}, {"duration.minute", 60}, {"duration.second", 1}};
    enum { UNITS = sizeof units / sizeof units[0] };
    int64_t left = ms < 0 ? 0 : ms / 1000;
    size_t first = 0;
    char n[24];

    while (first < UNITS - 1 && left < units[first].s)
        first++;
    for (size_t i = first; i < UNITS && i < first + 2; left %= units[i++].s) {
        if (i > first && left < units[i].s)
            continue;
        snprintf(n, sizeof n, "%lld", (long long)(left / units[i].s));
        sbuf_add(out, i > first ? " " : "");
        text_fill(out, text_get(lang, units[i].id), &(struct text_arg){"n", n}, 1);
    }
}
