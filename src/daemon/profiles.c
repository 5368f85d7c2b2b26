#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"
#include "daemon/live.h"

/* Queries about profiles: which there are, what one says and by whose word, why a device gets its own. */

static json_t *text_or_null(const char *s)
{
    json_t *j = s ? json_string(s) : NULL;

    return j ? j : json_null();
}

/* FILE:LINE, or nothing. */
static json_t *origin(const struct where *w)
{
    return w->file ? json_sprintf("%s:%d", w->file, w->line) : json_null();
}

/* ---- profiles ---- */

static json_t *profile_row(const struct profile *p, enum lang lang)
{
    return json_pack("{s:s, s:s, s:o, s:i, s:o, s:o, s:o}", "name", p->name, "device_class", p->device_class, "title",
                     text_or_null(p->title[lang] ? p->title[lang] : p->title[LANG_EN]), "priority", p->priority,
                     "extends", text_or_null(p->parent), "origin", origin(&p->where), "replaces", origin(&p->replaces));
}

json_t *profiles_query(struct core *c, struct live_args *a)
{
    static const char *const filters[] = {"class", "lang", NULL};
    const struct knowledge *k = core_knowledge(c);
    const char *class = json_string_value(json_object_get(a->filters, "class"));
    const char *name = json_string_value(json_object_get(a->filters, "lang"));
    enum lang lang = core_settings(c)->lang;
    json_t *rows;

    if (!live_check_filters(a, filters))
        return NULL;
    if (name && lang_parse(name, &lang) != 0)
        return live_refuse(a, PD_EINVAL, xstrdup("filter \"lang\" is en or zh_CN"));
    rows = json_array();
    for (size_t i = (size_t)a->after; i < k->profiles.n; i++) {
        const struct profile *p = k->profiles.v[i];

        if (class && !str_eq(class, p->device_class))
            continue;
        if (json_array_size(rows) == a->limit) {
            a->next = (int64_t)i;
            break;
        }
        json_array_append_new(rows, profile_row(p, lang));
    }
    return rows;
}

/* ---- profile ---- */

static void add_saying(json_t *rows, const struct profile_saying *s)
{
    json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:o, s:b}", "key", s->key, "value", s->value, "profile",
                                          s->profile, "origin", origin(&s->where), "replaced", s->replaced));
}

static bool says(const struct profile *p, const char *key)
{
    for (size_t i = 0; i < p->sayings.n; i++)
        if (str_eq(p->sayings.v[i].key, key))
            return true;
    return false;
}

/* The profile that a member names, or NULL and the reason. */
static const struct profile *filter_profile(struct core *c, struct live_args *a)
{
    const struct knowledge *k = core_knowledge(c);
    const char *name = json_string_value(json_object_get(a->filters, "profile"));
    const struct profile *p = name ? knowledge_profile(k, name) : NULL;
    ARRAY(const char *) names = {0};
    const char *near;

    if (!name)
        live_refuse(a, PD_EINVAL, xstrdup("which profile? give \"profile\": its name"));
    if (p || !name)
        return p;
    for (size_t i = 0; i < k->profiles.n; i++)
        array_push(&names, k->profiles.v[i]->name);
    array_push(&names, NULL);
    near = str_nearest(name, names.v);
    live_refuse(a, PD_ENOENT,
                near ? xasprintf("there is no profile '%s' (did you mean '%s'?)", name, near)
                     : xasprintf("there is no profile '%s'", name));
    array_free(&names);
    return NULL;
}

json_t *profile_query(struct core *c, struct live_args *a)
{
    static const char *const filters[] = {"profile", NULL};
    const struct profile *p = live_check_filters(a, filters) ? filter_profile(c, a) : NULL;
    json_t *rows;

    if (!p)
        return NULL;
    rows = json_array();
    json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:o, s:b}", "key", "profile", "value", p->name, "profile",
                                          p->name, "origin", origin(&p->where), "replaced", false));
    if (p->replaces.file)
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:o, s:b}", "key", "replaces", "value", p->name,
                                              "profile", p->name, "origin", origin(&p->replaces), "replaced", true));
    if (!says(p, "priority"))
        json_array_append_new(rows, json_pack("{s:s, s:o, s:n, s:n, s:b}", "key", "priority", "value",
                                              json_sprintf("%d", p->priority), "profile", "origin", "replaced", false));
    for (size_t i = 0; i < p->sayings.n; i++)
        add_saying(rows, &p->sayings.v[i]);
    return rows;
}

/* ---- profile.match ---- */

/* What is known of a device, by the names of the module identify. */
struct sight {
    const struct knowledge *k;
    const struct value *row;
    size_t n;
    bool likely;      /* only those who fit, or whose object identifier does */
    struct sbuf text; /* of the values that a condition saw */
};

enum { MAX_VALUE = 60 }; /* bytes of a text that are shown */

static void add_value(void *ctx, unsigned slot)
{
    struct sight *s = ctx;
    struct value v = slot < s->n ? s->row[slot] : VALUE_UNKNOWN;

    sbuf_addf(&s->text, "%s%s: ", s->text.n ? "; " : "", identify_name(&s->k->identification, slot));
    if (v.quality != QUALITY_GOOD) {
        sbuf_add(&s->text, v.why != WHY_NONE ? value_why_name((enum why)v.why) : "unknown");
    } else if (v.type == VALUE_TEXT) {
        char *cut = str_clean(v.text, strlen(v.text), MAX_VALUE);

        sbuf_addf(&s->text, "\"%s%s\"", cut, strlen(cut) < strlen(v.text) ? "…" : "");
        free(cut);
    } else if (v.type == VALUE_NUM) {
        sbuf_addf(&s->text, "%g", v.num);
    } else if (v.type == VALUE_BOOL) {
        sbuf_add(&s->text, v.b ? "true" : "false");
    } else {
        sbuf_addf(&s->text, "%lld", (long long)v.i);
    }
}

static char *prefix_text(const struct oid_prefix *p)
{
    struct sbuf text = {0};

    for (size_t i = 0; p && i < p->n; i++)
        sbuf_addf(&text, "%s%u", i ? "." : "", p->numbers[i]);
    return p ? sbuf_take(&text) : NULL;
}

/* NULL: it is not to be told of. */
static json_t *candidate_row(struct sight *s, const struct profile_candidate *c, bool *taken)
{
    struct value v = profile_fits(c->profile, s->row, s->n);
    bool fits = v.quality == QUALITY_GOOD && v.b;
    const char *verdict = fits ? (*taken ? "later" : "taken") : v.quality == QUALITY_GOOD ? "no" : "unknown";
    char *prefix;
    json_t *row;

    if (s->likely && !fits && !c->prefix)
        return NULL;
    prefix = prefix_text(c->prefix);
    sbuf_reset(&s->text);
    if (c->profile->match)
        expr_slots(c->profile->match, add_value, s);
    row = json_pack("{s:s, s:i, s:o, s:o, s:s, s:o, s:o}", "profile", c->profile->name, "priority",
                    c->profile->priority, "object_id", text_or_null(prefix), "match",
                    text_or_null(c->profile->match ? expr_text(c->profile->match) : NULL), "verdict", verdict, "saw",
                    text_or_null(s->text.n ? s->text.s : NULL), "origin", origin(&c->profile->where));
    *taken |= fits;
    free(prefix);
    return row;
}

static const char *object_id_of(const struct sight *s)
{
    unsigned slot = s->k->identification.known[IDENTIFY_OBJECT_ID];

    return slot < s->n && s->row[slot].type == VALUE_TEXT && s->row[slot].quality == QUALITY_GOOD ? s->row[slot].text
                                                                                                  : NULL;
}

/* The operator's word. */
static json_t *wish_row(const char *profile)
{
    return json_pack("{s:s, s:n, s:n, s:n, s:s, s:n, s:n}", "profile", profile, "priority", "object_id", "match",
                     "verdict", "wish", "saw", "origin");
}

static json_t *candidate_rows(struct sight *s, const char *collector, const char *wish)
{
    struct profile_candidates list = {0};
    json_t *rows = json_array();
    bool taken = wish != NULL;

    if (wish)
        json_array_append_new(rows, wish_row(wish));
    profile_candidates(&s->k->index, object_id_of(s), &list);
    for (size_t i = 0; i < list.n; i++) {
        const struct profile *p = list.v[i].profile;
        json_t *row = NULL;

        if (p->modules.n == 0 || str_eq(p->modules.v[0]->collector, collector))
            row = candidate_row(s, &list.v[i], &taken);
        if (row)
            json_array_append_new(rows, row);
    }
    array_free(&list);
    sbuf_free(&s->text);
    return rows;
}

static json_t *match_device(struct core *c, struct live_args *a, bool likely)
{
    const struct device *d = live_filter_device(c, a);
    struct sight s = {.k = core_knowledge(c), .likely = likely};

    if (!d)
        return NULL;
    if (watch_device_identification(core_watch(c), d->id, &s.row, &s.n) == 0)
        return candidate_rows(&s, d->collector, d->profile_wish);
    if (d->profile_wish)
        return json_pack("[o]", wish_row(d->profile_wish));
    return live_refuse(a, PD_ESTATE,
                       xasprintf("%s was not asked what it is since patrold began: 'patrolctl device poll %s' asks",
                                 d->name, d->name));
}

/* A device that says only this of itself. */
static json_t *match_texts(struct core *c, const char *object_id, const char *descr, bool likely)
{
    struct sight s = {.k = core_knowledge(c), .likely = likely};
    const struct identification *id = &s.k->identification;
    struct value *row = xcalloc(id->names.n + 1, sizeof *row);
    json_t *rows;

    for (size_t i = 0; i < id->names.n; i++)
        row[i] = value_unknown(WHY_ABSENT);
    if (object_id && id->known[IDENTIFY_OBJECT_ID] < id->names.n)
        row[id->known[IDENTIFY_OBJECT_ID]] = value_text(object_id);
    if (descr && id->known[IDENTIFY_DESCR] < id->names.n)
        row[id->known[IDENTIFY_DESCR]] = value_text(descr);
    s.row = row;
    s.n = id->names.n;
    rows = candidate_rows(&s, s.k->identify ? s.k->identify->collector : "snmp", NULL);
    free(row);
    return rows;
}

json_t *profile_match_query(struct core *c, struct live_args *a)
{
    static const char *const filters[] = {"device", "object-id", "descr", "only", NULL};
    const char *object_id = json_string_value(json_object_get(a->filters, "object-id"));
    const char *descr = json_string_value(json_object_get(a->filters, "descr"));
    const char *only = json_string_value(json_object_get(a->filters, "only"));
    uint32_t numbers[OID_PREFIX_MAX];

    if (!live_check_filters(a, filters))
        return NULL;
    if (object_id && oid_numbers(object_id, numbers) == 0)
        return live_refuse(a, PD_EINVAL,
                           xasprintf("'%s' is no object identifier: numbers with dots between them are", object_id));
    if (json_object_get(a->filters, "device") && (object_id || descr))
        return live_refuse(a, PD_EINVAL, xstrdup("a device says itself what it is: give it, or what one would say"));
    if (!json_object_get(a->filters, "device") && !object_id && !descr)
        return live_refuse(a, PD_EINVAL, xstrdup("of what? give a device, or what one says: --object-id and --descr"));
    if (only && !str_eq(only, "likely"))
        return live_refuse(a, PD_EINVAL, xstrdup("filter \"only\" is likely"));
    return object_id || descr ? match_texts(c, object_id, descr, only) : match_device(c, a, only);
}
