#include "conf/schema.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* Any ARRAY(T), its elements untyped. */
struct any_array {
    void *v;
    size_t n, cap;
};

static void read_value(const struct schema_row *row, struct yaml_node *node, void *field, struct conf_report *report);

static bool keyless(const struct schema_row *row)
{
    return row->type == SCHEMA_NAME || row->type == SCHEMA_HERE;
}

static void *field_of(const struct schema_row *row, void *section)
{
    return (char *)section + row->offset;
}

/* ---- Plain values ---- */

static void store_int(void *field, size_t size, int64_t n)
{
    switch (size) {
    case 1:
        *(int8_t *)field = (int8_t)n;
        break;
    case 2:
        *(int16_t *)field = (int16_t)n;
        break;
    case 4:
        *(int32_t *)field = (int32_t)n;
        break;
    default:
        assert(size == 8);
        *(int64_t *)field = n;
    }
}

static bool has_limits(const struct schema_row *row)
{
    return row->min != 0 || row->max != 0;
}

static bool outside(const struct schema_row *row, double x)
{
    return has_limits(row) && (x < row->min || x > row->max);
}

static bool want_text(struct yaml_node *node, const char *wanted, struct conf_report *report)
{
    if (node->bad)
        return false;
    if (node->type != YAML_TEXT)
        conf_error(report, node, "expected %s, not a %s", wanted, node->type == YAML_LIST ? "list" : "section");
    else if (yaml_is_empty(node))
        conf_error(report, node, "expected %s, but there is nothing", wanted);
    return !node->bad;
}

static void read_text(const struct schema_row *row, struct yaml_node *node, void *field, struct conf_report *report)
{
    size_t n;

    if (!want_text(node, "a text", report))
        return;
    n = strlen(node->text);
    if (n == 0 && !(row->flags & SCHEMA_EMPTY_OK))
        conf_error(report, node, "the text must not be empty");
    else if (outside(row, (double)n))
        conf_error(report, node, "the text must have %.0f to %.0f bytes; this one has %zu", row->min, row->max, n);
    else
        xstrset(field, node->text);
}

bool schema_int(struct yaml_node *node, int64_t min, int64_t max, int64_t *out, struct conf_report *report)
{
    int64_t n;

    if (!want_text(node, "a whole number", report))
        return false;
    if (str_to_i64(node->text, &n) < 0)
        conf_error(report, node, "expected a whole number, not '%s'", node->text);
    else if (n < min || n > max)
        conf_error(report, node, "%s is out of range: %lld to %lld is possible", node->text, (long long)min,
                   (long long)max);
    else
        *out = n;
    return !node->bad;
}

static void read_int(const struct schema_row *row, struct yaml_node *node, void *field, struct conf_report *report)
{
    int64_t min = has_limits(row) ? (int64_t)row->min : INT64_MIN;
    int64_t max = has_limits(row) ? (int64_t)row->max : INT64_MAX;
    int64_t n = 0;

    if (schema_int(node, min, max, &n, report))
        store_int(field, row->size, n);
}

static void read_num(const struct schema_row *row, struct yaml_node *node, void *field, struct conf_report *report)
{
    double x;

    if (!want_text(node, "a number", report))
        return;
    if (str_to_double(node->text, &x) < 0)
        conf_error(report, node, "expected a number, not '%s'", node->text);
    else if (outside(row, x))
        conf_error(report, node, "%s is out of range: %g to %g is possible", node->text, row->min, row->max);
    else
        *(double *)field = x;
}

static void read_bool(struct yaml_node *node, bool *field, struct conf_report *report)
{
    if (!want_text(node, "true or false", report))
        return;
    if (str_eq(node->text, "true"))
        *field = true;
    else if (str_eq(node->text, "false"))
        *field = false;
    else
        conf_error(report, node, "expected true or false, not '%s'", node->text);
}

/* 90000 -> "90s", as one would write it. */
static void add_duration(struct sbuf *out, double ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"d", 86400e3}, {"h", 3600e3}, {"m", 60e3}, {"s", 1e3}, {"ms", 1}};
    size_t i = 0;

    while (i < 4 && (ms < units[i].ms || fmod(ms, units[i].ms) != 0))
        i++;
    sbuf_addf(out, "%.0f%s", ms / units[i].ms, ms == 0 ? "s" : units[i].unit);
}

static void read_duration(const struct schema_row *row, struct yaml_node *node, int64_t *field,
                          struct conf_report *report)
{
    struct sbuf range = {0};
    int64_t ms;

    if (!want_text(node, "a duration such as 30s, 5m or 2h", report))
        return;
    if (str_to_ms(node->text, &ms) < 0) {
        conf_error(report, node, "expected a duration such as 30s, 5m or 2h, not '%s'", node->text);
    } else if (outside(row, (double)ms)) {
        add_duration(&range, row->min);
        sbuf_add(&range, " to ");
        add_duration(&range, row->max);
        conf_error(report, node, "%s is out of range: %s is possible", node->text, range.s);
        sbuf_free(&range);
    } else {
        *field = ms;
    }
}

int schema_name(struct yaml_node *node, const char *const *names, struct conf_report *report)
{
    struct sbuf hint = {0};

    if (!want_text(node, "a name", report))
        return -1;
    for (int i = 0; names[i]; i++)
        if (str_eq(names[i], node->text))
            return i;
    conf_suggest(&hint, node->text, names);
    conf_error(report, node, "'%s' is not possible here%s", node->text, hint.s ? hint.s : "");
    sbuf_free(&hint);
    return -1;
}

static void read_enum(const struct schema_row *row, struct yaml_node *node, void *field, struct conf_report *report)
{
    int i = schema_name(node, row->names, report);

    if (i >= 0)
        store_int(field, row->size, i);
}

static void unknown_key(struct yaml_node *key, const char *const *known, struct conf_report *report)
{
    struct sbuf hint = {0};

    conf_suggest(&hint, key->text, known);
    conf_error(report, key, "unknown key '%s'%s", key->text, hint.s ? hint.s : "");
    sbuf_free(&hint);
}

static void read_local(const struct schema_row *row, struct yaml_node *node, char **texts, struct conf_report *report)
{
    const char *known[LANG_COUNT + 1] = {0};
    enum lang lang;

    if (node->bad)
        return;
    if (node->type == YAML_TEXT) {
        read_text(row, node, &texts[LANG_EN], report);
        return;
    }
    if (node->type == YAML_LIST) {
        conf_error(report, node, "expected a text or one for each language, as in {en: Toner low, zh_CN: 墨粉不足}");
        return;
    }
    for (int i = 0; i < LANG_COUNT; i++)
        known[i] = lang_name((enum lang)i);
    for (size_t i = 0; i < node->pairs.n; i++) {
        struct yaml_node *key = node->pairs.v[i].key;

        if (key->bad)
            continue;
        if (lang_parse(key->text, &lang) < 0) {
            unknown_key(key, known, report);
            continue;
        }
        read_text(row, node->pairs.v[i].value, &texts[lang], report);
        if (texts[lang])
            str_unfold_wide(texts[lang]);
    }
}

void schema_local(struct yaml_node *node, char *texts[LANG_COUNT], struct conf_report *report)
{
    static const struct schema_row row = {.type = SCHEMA_LOCAL};

    read_local(&row, node, texts, report);
}

/* ---- Lists and maps ---- */

static size_t item_size(const struct schema_row *row)
{
    if (row->sub)
        return row->sub->size;
    switch (row->item) {
    case SCHEMA_NUM:
        return sizeof(double);
    case SCHEMA_INT:
        return sizeof(int64_t);
    case SCHEMA_TEXT:
        return sizeof(char *);
    default:
        return sizeof(struct yaml_node *);
    }
}

/* A row that reads one item of a list. */
static struct schema_row item_row(const struct schema_row *row)
{
    struct schema_row item = *row;

    item.type = row->sub ? SCHEMA_SECTION : row->item;
    item.size = item_size(row);
    item.offset = 0;
    return item;
}

static void *append(struct any_array *a, size_t size)
{
    void *slot;

    array_grow(&a->v, &a->cap, a->n + 1, size);
    slot = (char *)a->v + size * a->n++;
    memset(slot, 0, size);
    return slot;
}

static void read_list(const struct schema_row *row, struct yaml_node *node, struct any_array *list,
                      struct conf_report *report)
{
    struct schema_row item = item_row(row);

    if (node->bad || yaml_is_empty(node))
        return;
    if (node->type != YAML_LIST) {
        conf_error(report, node, "expected a list, as in [a, b]");
        return;
    }
    for (size_t i = 0; i < node->items.n; i++) {
        void *slot = append(list, item.size);

        if (row->sub)
            schema_defaults(row->sub, slot);
        read_value(&item, node->items.v[i], slot, report);
    }
}

static char **name_of(const struct schema *s, void *section)
{
    for (const struct schema_row *row = s->rows; row->type != SCHEMA_END; row++)
        if (row->type == SCHEMA_NAME)
            return field_of(row, section);
    return NULL;
}

static struct yaml_node **here_of(const struct schema *s, void *section)
{
    for (const struct schema_row *row = s->rows; row->type != SCHEMA_END; row++)
        if (row->type == SCHEMA_HERE)
            return field_of(row, section);
    return NULL;
}

/* The entry of that name, emptied, or a new one at the end. */
static void *entry_for(const struct schema *s, struct any_array *map, const char *name)
{
    for (size_t i = 0; i < map->n; i++) {
        void *section = (char *)map->v + i * s->size;

        if (str_eq(*name_of(s, section), name)) {
            schema_release(s, section);
            memset(section, 0, s->size);
            return section;
        }
    }
    return append(map, s->size);
}

static void read_section(const struct schema *s, struct yaml_node *node, struct yaml_node *here, void *section,
                         struct conf_report *report);

static void read_map(const struct schema_row *row, struct yaml_node *node, struct any_array *map,
                     struct conf_report *report)
{
    if (node->bad || yaml_is_empty(node))
        return;
    if (node->type != YAML_MAP) {
        conf_error(report, node, "expected a section with a name for each entry");
        return;
    }
    for (size_t i = 0; i < node->pairs.n; i++) {
        struct yaml_node *key = node->pairs.v[i].key;
        void *section;

        if (key->bad)
            continue;
        section = entry_for(row->sub, map, key->text);
        *name_of(row->sub, section) = xstrdup(key->text);
        schema_defaults(row->sub, section);
        read_section(row->sub, node->pairs.v[i].value, key, section, report);
    }
}

/* ---- Sections ---- */

static void read_node(const struct schema_row *row, struct yaml_node *node, struct yaml_node **field,
                      struct conf_report *report)
{
    if (row->type == SCHEMA_NODE || want_text(node, "a text", report))
        *field = node;
}

static void read_value(const struct schema_row *row, struct yaml_node *node, void *field, struct conf_report *report)
{
    switch (row->type) {
    case SCHEMA_TEXT:
        read_text(row, node, field, report);
        break;
    case SCHEMA_INT:
        read_int(row, node, field, report);
        break;
    case SCHEMA_NUM:
        read_num(row, node, field, report);
        break;
    case SCHEMA_BOOL:
        read_bool(node, field, report);
        break;
    case SCHEMA_DURATION:
        read_duration(row, node, field, report);
        break;
    case SCHEMA_ENUM:
        read_enum(row, node, field, report);
        break;
    case SCHEMA_LOCAL:
        read_local(row, node, field, report);
        break;
    case SCHEMA_SECTION:
        read_section(row->sub, node, node, field, report);
        break;
    case SCHEMA_LIST:
        read_list(row, node, field, report);
        break;
    case SCHEMA_MAP:
        read_map(row, node, field, report);
        break;
    case SCHEMA_TEXT_NODE:
    case SCHEMA_NODE:
        read_node(row, node, field, report);
        break;
    case SCHEMA_CUSTOM:
        if (!node->bad)
            row->read(node, field, report);
        break;
    case SCHEMA_NAME:
    case SCHEMA_HERE:
    case SCHEMA_END:
        break;
    }
}

static const struct schema_row *find_row(const struct schema *s, const char *key)
{
    for (const struct schema_row *row = s->rows; row->type != SCHEMA_END; row++)
        if (!keyless(row) && str_eq(row->key, key))
            return row;
    return NULL;
}

static void complain_unknown(const struct schema *s, struct yaml_node *key, struct conf_report *report)
{
    ARRAY(const char *) known = {0};

    for (const struct schema_row *row = s->rows; row->type != SCHEMA_END; row++)
        if (!keyless(row))
            array_push(&known, row->key);
    array_push(&known, NULL);
    unknown_key(key, known.v, report);
    array_free(&known);
}

static void check_required(const struct schema *s, struct yaml_node *node, struct yaml_node *here,
                           struct conf_report *report)
{
    for (const struct schema_row *row = s->rows; row->type != SCHEMA_END; row++) {
        if (!(row->flags & SCHEMA_REQUIRED) || yaml_get(node, row->key))
            continue;
        conf_error(report, here, "%s needs '%s', which is missing", s->what, row->key);
    }
}

/* Whether something in it was complained of before it was read: then not all that it says is there. */
static bool spoilt(const struct yaml_node *node)
{
    bool bad = node->bad;

    for (size_t i = 0; i < node->items.n && !bad; i++)
        bad = spoilt(node->items.v[i]);
    for (size_t i = 0; i < node->pairs.n && !bad; i++)
        bad = node->pairs.v[i].key->bad || spoilt(node->pairs.v[i].value);
    return bad;
}

static void read_section(const struct schema *s, struct yaml_node *node, struct yaml_node *here, void *section,
                         struct conf_report *report)
{
    struct yaml_node **here_field = here_of(s, section);
    unsigned before = report->errors;

    if (here_field)
        *here_field = here;
    if (node->bad)
        return;
    if (node->type == YAML_TEXT && s->shorthand && !yaml_is_empty(node)) {
        const struct schema_row *row = find_row(s, s->shorthand);

        assert(row);
        read_value(row, node, field_of(row, section), report);
    } else if (node->type == YAML_MAP || yaml_is_empty(node)) {
        for (size_t i = 0; i < node->pairs.n; i++) {
            struct yaml_node *key = node->pairs.v[i].key;
            const struct schema_row *row;

            if (key->bad)
                continue;
            row = find_row(s, key->text);
            if (row)
                read_value(row, node->pairs.v[i].value, field_of(row, section), report);
            else
                complain_unknown(s, key, report);
        }
        check_required(s, node, here, report);
    } else {
        conf_error(report, node, "expected %s: a section of keys and values", s->what);
    }
    if (s->check && report->errors == before && !spoilt(node))
        s->check(section, here, report);
}

void schema_read(const struct schema *s, struct yaml_node *node, void *section, struct conf_report *report)
{
    read_section(s, node, node, section, report);
}

void schema_defaults(const struct schema *s, void *section)
{
    struct conf_report none = {0};

    if (s->init)
        s->init(section);
    for (const struct schema_row *row = s->rows; row->type != SCHEMA_END; row++) {
        if (row->type == SCHEMA_SECTION) {
            schema_defaults(row->sub, field_of(row, section));
        } else if (row->fallback) {
            struct yaml_node value = {.text = xstrdup(row->fallback), .line = 1, .col = 1};

            read_value(row, &value, field_of(row, section), &none);
            free(value.text);
        }
    }
    assert(none.errors == 0); /* a fallback must be possible by its own row */
    conf_report_free(&none);
}

/* ---- Release ---- */

static void release_value(const struct schema_row *row, void *field)
{
    struct any_array *list = field;

    switch (row->type) {
    case SCHEMA_TEXT:
    case SCHEMA_NAME:
        xstrset(field, NULL);
        break;
    case SCHEMA_LOCAL:
        for (int i = 0; i < LANG_COUNT; i++)
            xstrset((char **)field + i, NULL);
        break;
    case SCHEMA_SECTION:
        schema_release(row->sub, field);
        break;
    case SCHEMA_LIST:
    case SCHEMA_MAP: {
        struct schema_row item = item_row(row);

        for (size_t i = 0; i < list->n; i++)
            release_value(&item, (char *)list->v + i * item.size);
        free(list->v);
        *list = (struct any_array){0};
        break;
    }
    case SCHEMA_CUSTOM:
        if (row->release)
            row->release(field);
        break;
    default: /* the rest owns nothing */
        break;
    }
}

void schema_release(const struct schema *s, void *section)
{
    for (const struct schema_row *row = s->rows; row->type != SCHEMA_END; row++)
        release_value(row, field_of(row, section));
}

int schema_clock(struct yaml_node *node, struct conf_report *report)
{
    const char *s = node->type == YAML_TEXT ? node->text : "";
    int hour, minute;

    if (strspn(s, "0123456789") == 2 && s[2] == ':' && strspn(s + 3, "0123456789") == 2 && s[5] == '\0') {
        hour = (s[0] - '0') * 10 + (s[1] - '0');
        minute = (s[3] - '0') * 10 + (s[4] - '0');
        if (hour < 24 && minute < 60)
            return hour * 60 + minute;
    }
    conf_error(report, node, "'%s' is no time of the day: one like 09:00 is wanted", s);
    return 0;
}
