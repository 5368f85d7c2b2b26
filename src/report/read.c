#include "report/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

void complain(struct complaints *c, const char *path, const char *fmt, ...)
{
    va_list ap;

    if (c->n++ >= COMPLAINTS_MAX)
        return;
    sbuf_addf(&c->text, "%s: ", *path ? path : "the document");
    va_start(ap, fmt);
    sbuf_vaddf(&c->text, fmt, ap);
    va_end(ap);
    sbuf_addc(&c->text, '\n');
}

static void want(struct complaints *c, const char *path, const char *what, const json_t *value)
{
    static const char *const kinds[] = {"an object",  "a list", "a text", "a whole number",
                                        "a fraction", "true",   "false",  "null"};

    complain(c, path, "%s is wanted, this is %s", what, kinds[json_typeof(value)]);
}

/* The text of a value of at most MEMBER_TEXT_MAX bytes, or NULL after complaining. */
static const char *text_of(const json_t *value, const char *path, const char *what, struct complaints *c)
{
    const char *s = json_string_value(value);

    if (!s)
        want(c, path, what, value);
    else if (!*s)
        complain(c, path, "%s is wanted, this is empty", what);
    else if (strlen(s) > MEMBER_TEXT_MAX)
        complain(c, path, "%zu bytes are too long; at most %d can be shown", strlen(s), MEMBER_TEXT_MAX);
    else
        return s;
    return NULL;
}

static bool int_of(const struct member_row *row, const json_t *value, const char *path, int64_t *out,
                   struct complaints *c)
{
    int64_t i = json_integer_value(value), max = row->max ? row->max : MEMBER_INT_MAX;

    if (!json_is_integer(value))
        want(c, path, "a whole number", value);
    else if (i < row->min || i > max)
        complain(c, path, "%lld is not within %lld and %lld", (long long)i, (long long)row->min, (long long)max);
    else {
        *out = i;
        return true;
    }
    return false;
}

static int code_of(const struct member_row *row, const json_t *value, const char *path, struct complaints *c)
{
    const char *s = text_of(value, path, "a code", c), *near;
    struct sbuf list = {0};

    if (!s)
        return 0;
    for (int i = 0; row->codes[i]; i++) {
        if (strcmp(row->codes[i], s) == 0) {
            sbuf_free(&list);
            return i;
        }
        sbuf_addf(&list, "%s%s", i > 0 ? ", " : "", row->codes[i]);
    }
    near = str_nearest(s, row->codes);
    sbuf_addf(&list, near ? " (did you mean '%s'?)" : "%s", near ? near : "");
    complain(c, path, "'%.40s' is none of %s", s, list.s);
    sbuf_free(&list);
    return 0;
}

static bool day_of(const json_t *value, bool month, const char *path, int64_t *out, struct complaints *c)
{
    const char *what = month ? "a month like \"2026-09\"" : "a date like \"2026-09-30\"";
    const char *s = text_of(value, path, what, c);
    char *whole;
    bool good;

    if (!s)
        return false;
    whole = xasprintf("%s%s", s, month ? "-01" : "");
    good = date_parse(whole, out) == 0;
    if (!good)
        complain(c, path, "%s is wanted, '%.40s' is none", what, s);
    free(whole);
    return good;
}

static enum lang language_of(const json_t *value, const char *path, struct complaints *c)
{
    const char *s = text_of(value, path, "a language", c);
    enum lang lang = LANG_EN;

    if (s && lang_parse(s, &lang) != 0)
        complain(c, path, "'%.40s' is none of en, zh_CN", s);
    return lang;
}

static void read_list(const struct member_row *row, const json_t *value, const char *path, struct member_list *list,
                      struct complaints *c)
{
    size_t n = json_array_size(value), most = row->max ? (size_t)row->max : MEMBER_LIST_MAX;

    if (!json_is_array(value)) {
        want(c, path, "a list", value);
        return;
    }
    if (n > most) {
        complain(c, path, "%zu entries are too many; at most %zu can be shown", n, most);
        return;
    }
    list->v = n ? xcalloc(n, row->size) : NULL;
    list->n = list->cap = n;
    for (size_t i = 0; i < n; i++) {
        char *entry = xasprintf("%s[%zu]", path, i);

        members_read(row->sub, json_array_get(value, i), entry, (char *)list->v + i * row->size, c);
        free(entry);
    }
}

static bool takes_null(enum member_type type)
{
    return type == MEMBER_TEXT_OR || type == MEMBER_INT_OR || type == MEMBER_CODE_OR || type == MEMBER_DATE_OR;
}

static void read_member(const struct member_row *row, const json_t *value, const char *path, void *field,
                        struct complaints *c)
{
    struct maybe *maybe = field;

    if (json_is_null(value) && takes_null(row->type)) {
        if (row->type == MEMBER_CODE_OR)
            *(int *)field = -1;
        return;
    }
    switch (row->type) {
    case MEMBER_TEXT:
    case MEMBER_TEXT_OR:
        *(const char **)field = text_of(value, path, "a text", c);
        break;
    case MEMBER_INT:
        int_of(row, value, path, field, c);
        break;
    case MEMBER_INT_OR:
        maybe->known = int_of(row, value, path, &maybe->v, c);
        break;
    case MEMBER_BOOL:
        if (!json_is_boolean(value))
            want(c, path, "true or false", value);
        *(bool *)field = json_is_true(value);
        break;
    case MEMBER_CODE:
    case MEMBER_CODE_OR:
        *(int *)field = code_of(row, value, path, c);
        break;
    case MEMBER_DATE:
    case MEMBER_MONTH:
        day_of(value, row->type == MEMBER_MONTH, path, field, c);
        break;
    case MEMBER_DATE_OR:
        maybe->known = day_of(value, false, path, &maybe->v, c);
        break;
    case MEMBER_LANGUAGE:
        *(enum lang *)field = language_of(value, path, c);
        break;
    case MEMBER_OBJECT:
        members_read(row->sub, value, path, field, c);
        break;
    case MEMBER_LIST:
        read_list(row, value, path, field, c);
        break;
    case MEMBER_END:
        break;
    }
}

static void complain_unknown(const struct member_row *rows, const char *name, const char *path, struct complaints *c)
{
    ARRAY(const char *) names = {0};
    const char *near;

    for (const struct member_row *row = rows; row->name; row++)
        array_push(&names, row->name);
    array_push(&names, NULL);
    near = str_nearest(name, names.v);
    complain(c, path, near ? "a member of this name is not known (did you mean '%s'?)" : "%s",
             near ? near : "a member of this name is not known");
    array_free(&names);
}

static const struct member_row *row_of(const struct member_row *rows, const char *name)
{
    while (rows->name && strcmp(rows->name, name) != 0)
        rows++;
    return rows->name ? rows : NULL;
}

void members_read(const struct member_row *rows, const json_t *object, const char *path, void *out,
                  struct complaints *c)
{
    const char *point = *path ? "." : "", *name;
    json_t *value;

    if (!json_is_object(object)) {
        want(c, path, "an object", object);
        return;
    }
    for (const struct member_row *row = rows; row->name; row++) {
        char *place = xasprintf("%s%s%s", path, point, row->name);

        value = json_object_get(object, row->name);
        if (value)
            read_member(row, value, place, (char *)out + row->offset, c);
        else
            complain(c, place, "is missing");
        free(place);
    }
    json_object_foreach((json_t *)object, name, value)
    {
        if (!row_of(rows, name)) {
            struct sbuf place = {0};

            sbuf_addf(&place, "%s%s", path, point);
            sbuf_add_visible(&place, name);
            complain_unknown(rows, name, place.s, c);
            sbuf_free(&place);
        }
    }
}

void members_release(const struct member_row *rows, void *s)
{
    for (const struct member_row *row = rows; row->name; row++) {
        void *field = (char *)s + row->offset;
        struct member_list *list = field;

        if (row->type == MEMBER_OBJECT)
            members_release(row->sub, field);
        if (row->type != MEMBER_LIST)
            continue;
        for (size_t i = 0; i < list->n; i++)
            members_release(row->sub, (char *)list->v + i * row->size);
        array_free(list);
    }
}
