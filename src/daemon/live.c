#include "daemon/live.h"

#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/err.h"
#include "base/mem.h"
#include "daemon/clocks.h"
#include "daemon/facts.h"
#include "daemon/internal.h"
#include "daemon/metrics.h"
#include "watch/explain.h"

/* ---- Values and members ---- */

static json_t *text_or_null(const char *s)
{
    json_t *j = s ? json_string(s) : NULL;

    return j ? j : json_null();
}

/* ---- What is asked for ---- */

json_t *live_refuse(struct live_args *a, int err, char *why)
{
    a->err = err;
    a->why = why;
    return NULL;
}

const struct device *live_filter_device(struct core *c, struct live_args *a)
{
    const json_t *which = json_object_get(a->filters, "device");
    char *why = NULL, *ref;
    const struct device *d;

    if (!json_is_string(which) && !json_is_integer(which)) {
        live_refuse(a, PD_EINVAL, xstrdup("which device? give \"device\": its name or id"));
        return NULL;
    }
    ref = json_is_string(which) ? xstrdup(json_string_value(which))
                                : xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(which));
    d = core_find_device(c, ref, &why);
    free(ref);
    if (!d)
        live_refuse(a, PD_ENOENT, why);
    return d;
}

/* Whether every filter that was given is one of these texts (ended by NULL). */
bool live_check_filters(struct live_args *a, const char *const *names)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)a->filters, name, value)
    {
        size_t i = 0;

        while (names[i] && strcmp(names[i], name) != 0)
            i++;
        if (!names[i] || (!json_is_string(value) && !json_is_integer(value) && !json_is_null(value))) {
            struct sbuf why = {0};

            sbuf_addf(&why,
                      names[i] ? "filter \"%s\" is a text; there are" : "there is no filter \"%s\" here; there are",
                      name);
            for (i = 0; names[i]; i++)
                sbuf_addf(&why, "%s %s", i > 0 ? "," : "", names[i]);
            sbuf_add(&why, names[0] ? "" : " none");
            live_refuse(a, PD_EINVAL, sbuf_take(&why));
            return false;
        }
    }
    return true;
}

/* ---- status ---- */

static void add_text(void *ctx, const char *text)
{
    json_array_append_new(ctx, json_string(text));
}

static json_t *troubles(struct core *c, const struct store_state *store)
{
    json_t *list = json_array();
    char *text;

    if (store->stuck) {
        text = xasprintf("the database takes no writes: %s; %zu changes wait", store->why, store->queued_changes);
        json_array_append_new(list, json_string(text));
        free(text);
    }
    if (store->dropped_polls > 0) {
        text = xasprintf("%" PRIu64 " polls were not stored: the disk was too slow or full", store->dropped_polls);
        json_array_append_new(list, json_string(text));
        free(text);
    }
    contracts_doubts(c, add_text, list);
    reports_troubles(c->reports, add_text, list);
    return list;
}

static json_t *query_status(struct core *c, struct live_args *a)
{
    struct watch_counters watch;
    struct store_state store;
    struct notify_counters notify;
    const struct store_identity *who = store_identity(core_store(c));

    (void)a;
    watch_counters(core_watch(c), &watch);
    store_state(core_store(c), &store);
    notify_counters(core_notify(c), &notify);
    return json_pack(
        "[{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}]", //
        "troubles", troubles(c, &store), "installation", who->uuid, "epoch", (json_int_t)who->epoch, "devices",
        (json_int_t)watch.devices, "down", (json_int_t)watch.down, "open_faults", (json_int_t)watch.open_faults,
        "open_tickets", (json_int_t)desk_open_tickets(core_desk(c)), "polls", (json_int_t)watch.polls, "failed_polls",
        (json_int_t)watch.failed_polls, "readings", (json_int_t)watch.readings, "stored_polls", (json_int_t)store.polls,
        "dropped_polls", (json_int_t)store.dropped_polls, "queued_changes", (json_int_t)store.queued_changes,
        "last_event", (json_int_t)store.last_event, "mail_pending", (json_int_t)notify.pending, "mail_sent",
        (json_int_t)notify.sent, "mail_failed", (json_int_t)notify.failed, "configuration", core_knowledge(c)->hash);
}

static json_t *query_metrics(struct core *c, struct live_args *a)
{
    static const char *const filters[] = {NULL};

    return live_check_filters(a, filters) ? metrics_of(c) : NULL;
}

/* ---- live and device.show ---- */

static const char *state_name(const struct device_status *s)
{
    return s->state == DEVICE_UP ? "up" : s->state == DEVICE_DOWN ? "down" : "new";
}

static json_t *day_or_null(int64_t day)
{
    char text[11];

    date_format(day, text);
    return day != 0 ? json_string(text) : json_null();
}

/* Whose it is, by its site; NULL where the archive does not say. */
static const char *customer_of(struct core *c, const struct device *d)
{
    const struct entry *site = d->site ? archive_find(core_archive(c), ARCHIVE_SITE, d->site) : NULL;

    return site ? ((const struct archive_site *)site)->customer : NULL;
}

/* How SNMPv3 protects what is asked of it; null where there is no such protection to tell of. */
static json_t *security(struct core *c, const struct device *d)
{
    const struct credential *by = d->credential ? settings_credential(core_settings(c), d->credential) : NULL;
    const char *level = by ? credential_level(by) : NULL;

    if (!level)
        return json_null();
    if (!by->auth)
        return json_string(level);
    if (!by->privacy)
        return json_sprintf("%s %s", level, credential_auth_name(by));
    return json_sprintf("%s %s %s", level, credential_auth_name(by), credential_privacy_name(by));
}

/* A device's record and how it is doing. */
static json_t *device_json(struct core *c, const struct device *d)
{
    const struct {
        const char *name, *text;
    } texts[] = {
        {"name", d->name},
        {"address", d->address},
        {"collector", d->collector},
        {"credential", d->credential},
        {"site", d->site},
        {"labels", d->labels},
        {"parent", d->parent},
        {"status", d->status},
        {"profile", d->profile},
        {"device_class", d->device_class},
        {"make", d->make},
        {"model", d->model},
        {"serial", d->serial},
        {"firmware", d->firmware},
        {"mac", d->mac},
        {"identity", d->identity},
        {"claims", d->claims},
        {"twin", d->twin},
        {"location", d->location},
        {"asset", d->asset},
        {"customer", customer_of(c, d)},
    };
    struct device_status s = {0};
    json_t *row;

    watch_device_status(core_watch(c), d->id, &s);
    row = json_pack("{s:I, s:s, s:i, s:i, s:I, s:I, s:I, s:i, s:i, s:I, s:I}", "id", (json_int_t)d->id, "state",
                    state_name(&s), "port", (int)d->port, "unit", (int)d->unit, "added_ms", (json_int_t)d->added_ms,
                    "last_poll_ms", (json_int_t)s.last_poll_ms, "last_answer_ms", (json_int_t)s.last_answer_ms,
                    "rtt_ms", (int)s.rtt_ms, "open_faults", (int)s.open_faults, "components", (json_int_t)s.components,
                    "readings", (json_int_t)s.readings);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_object_set_new(row, texts[i].name, text_or_null(texts[i].text));
    json_object_set_new(row, "security", security(c, d));
    json_object_set_new(row, "trouble", text_or_null(s.trouble));
    json_object_set_new(row, "installed", day_or_null(d->installed_day));
    json_object_set_new(row, "accepted", day_or_null(d->accepted_day));
    json_object_set_new(row, "warranty", day_or_null(d->warranty_day));
    return row;
}

/* A page of devices: those with an id beyond the cursor, as many as were asked for. */
struct gather {
    struct core *core;
    struct live_args *args;
    json_t *(*row)(struct core *c, const struct device *d);
    json_t *list;
    int64_t last; /* the last device in the page */
};

static bool fits(const json_t *filters, const char *name, const char *text)
{
    const char *wanted = json_string_value(json_object_get(filters, name));

    return !wanted || str_eq(wanted, text);
}

static bool wanted(struct core *c, const json_t *filters, const struct device *d)
{
    struct device_status s = {0};

    if (!fits(filters, "class", d->device_class) || !fits(filters, "site", d->site) ||
        !fits(filters, "customer", customer_of(c, d)))
        return false;
    watch_device_status(core_watch(c), d->id, &s);
    return fits(filters, "state", state_name(&s));
}

static bool gather_device(void *ctx, const struct device *d)
{
    struct gather *g = ctx;

    if (!wanted(g->core, g->args->filters, d))
        return true;
    if (json_array_size(g->list) < g->args->limit) {
        json_array_append_new(g->list, g->row(g->core, d));
        g->last = d->id;
        return true;
    }
    g->args->next = g->last;
    return false;
}

static json_t *page_of_devices(struct core *c, struct live_args *a,
                               json_t *(*row)(struct core *c, const struct device *d))
{
    struct gather g = {.core = c, .args = a, .row = row, .list = json_array()};

    watch_devices_after(core_watch(c), a->after, gather_device, &g);
    return g.list;
}

static json_t *query_live(struct core *c, struct live_args *a)
{
    static const char *const filters[] = {"state", "class", "site", "customer", NULL};

    return live_check_filters(a, filters) ? page_of_devices(c, a, device_json) : NULL;
}

/* Why a point is not good; NULL where nothing is to be said. */
static json_t *reason_json(const struct reason *r)
{
    json_t *j;

    if (r->why == WHY_NONE)
        return NULL;
    j = json_pack("{s:s, s:o, s:o}", "code", value_why_name(r->why), "column", text_or_null(r->column), "source",
                  text_or_null(r->source));
    if (r->has_raw)
        json_object_set_new(j, "raw", json_integer(r->raw));
    if (!r->module)
        return j;
    json_object_set_new(j, "module", json_string(r->module->name));
    json_object_set_new(j, "definition", json_string(r->def->name));
    json_object_set_new(j, "reference", text_or_null(r->module->reference));
    json_object_set_new(j, "rule", text_or_null(r->rule->value ? expr_text(r->rule->value) : NULL));
    json_object_set_new(j, "file", text_or_null(r->rule->where.file));
    json_object_set_new(j, "line", json_integer(r->rule->where.line));
    return j;
}

static json_t *point_json(const struct component_view *v, const struct point_def *p)
{
    struct value value = v->points[p->slot];
    json_t *j = json_object();

    json_object_set_new(j, "value", value_json(value, p));
    if (p->unit)
        json_object_set_new(j, "unit", json_string(p->unit));
    json_object_set_new(j, "quality", json_string(quality_name(value.quality)));
    if (v->sources && v->sources[p->slot])
        json_object_set_new(j, "source", json_string(v->sources[p->slot]));
    if (v->reasons && v->reasons[p->slot].why != WHY_NONE)
        json_object_set_new(j, "why", reason_json(&v->reasons[p->slot]));
    return j;
}

/* What nobody reads is not told; what is read and unknown only to who asks why. */
static bool is_told(const struct component_view *v, size_t point, bool why)
{
    const struct value *value = &v->points[point];

    return value->type != VALUE_NONE || value->quality != QUALITY_UNKNOWN ||
           (why && v->reasons && v->reasons[point].rule && value->why != WHY_NONE);
}

struct components {
    json_t *list;
    bool why;
};

static void gather_component(void *ctx, const struct component_view *v)
{
    struct components *all = ctx;
    json_t *points = json_object();

    for (size_t i = 0; i < v->kind->points.n; i++)
        if (is_told(v, i, all->why))
            json_object_set_new(points, v->kind->points.v[i].name, point_json(v, &v->kind->points.v[i]));
    json_array_append_new(all->list,
                          json_pack("{s:s, s:i, s:o, s:o, s:o}", "kind", v->kind->name, "number", (int)v->number, "key",
                                    text_or_null(v->key), "label", text_or_null(v->label), "points", points));
}

static json_t *query_device(struct core *c, struct live_args *a)
{
    static const char *const filters[] = {"device", "why", NULL};
    const struct device *d = live_check_filters(a, filters) ? live_filter_device(c, a) : NULL;
    struct components all = {.why = json_object_get(a->filters, "why") != NULL};
    json_t *row;

    if (!d)
        return NULL;
    row = device_json(c, d);
    all.list = json_array();
    watch_device_components(core_watch(c), d->id, gather_component, &all);
    json_object_set_new(row, "component_list", all.list);
    return json_pack("[o]", row);
}

/* ---- facts ---- */

/* A switch's facts are a hundred times another device's record, and the loop waits while they are written. */
enum { MAX_FACTS = 20 };

static json_t *query_facts(struct core *c, struct live_args *a)
{
    static const char *const filters[] = {"device", NULL};
    const struct device *d;

    if (!live_check_filters(a, filters))
        return NULL;
    if (!json_object_get(a->filters, "device")) {
        a->limit = a->limit < MAX_FACTS ? a->limit : MAX_FACTS;
        return page_of_devices(c, a, facts_of);
    }
    d = live_filter_device(c, a);
    return d ? json_pack("[o]", facts_of(c, d)) : NULL;
}

/* ---- words ---- */

/* "A.B" or "A.B.C": title. */
static void add_word(json_t *words, const char *kind, const char *name, const char *more, const char *title)
{
    char *id = xasprintf("%s.%s%s%s", kind, name, more ? "." : "", more ? more : "");

    if (title)
        json_object_set_new(words, id, json_string(title));
    free(id);
}

static void add_members(json_t *words, const struct kind *k, const struct point_def *p, enum lang lang)
{
    char *of = xasprintf("%s.%s", k->name, p->name);

    for (size_t i = 0; i < p->members.list.n; i++)
        add_word(words, "member", of, p->members.list.v[i].code, member_title(&p->members.list.v[i], lang));
    free(of);
}

static json_t *words_of(const struct knowledge *k, enum lang lang)
{
    json_t *words = json_object();

    for (size_t i = 0; i < k->rules.n; i++)
        add_word(words, "rule", k->rules.v[i]->name, NULL, k->rules.v[i]->title[lang]);
    for (size_t i = 0; i < k->profiles.n; i++)
        add_word(words, "profile", k->profiles.v[i]->name, NULL, k->profiles.v[i]->title[lang]);
    for (size_t i = 0; i < k->vocabulary.kinds.n; i++) {
        const struct kind *kind = k->vocabulary.kinds.v[i];

        add_word(words, "kind", kind->name, NULL, kind->title[lang]);
        for (size_t j = 0; j < kind->points.n; j++) {
            add_word(words, "point", kind->name, kind->points.v[j].name, kind->points.v[j].title[lang]);
            add_members(words, kind, &kind->points.v[j], lang);
        }
    }
    return words;
}

static json_t *query_words(struct core *c, struct live_args *a)
{
    static const char *const filters[] = {"lang", NULL};
    const char *name = json_string_value(json_object_get(a->filters, "lang"));
    enum lang lang = core_settings(c)->lang;

    if (!live_check_filters(a, filters))
        return NULL;
    if (name && lang_parse(name, &lang) != 0)
        return live_refuse(a, PD_EINVAL, xstrdup("filter \"lang\" is en or zh_CN"));
    return json_pack("[o]", words_of(core_knowledge(c), lang));
}

static json_t *query_plans(struct core *c, struct live_args *a)
{
    static const char *const filters[] = {NULL};

    return live_check_filters(a, filters) ? patrol_plan_rows(c) : NULL;
}

/* ---- report.path ---- */

static json_t *query_report_path(struct core *c, struct live_args *a)
{
    static const char *const filters[] = {"of", "month", NULL};
    const char *of = json_string_value(json_object_get(a->filters, "of"));
    const char *month = json_string_value(json_object_get(a->filters, "month"));
    char *path;
    json_t *rows;

    if (!live_check_filters(a, filters))
        return NULL;
    if (!of || !month)
        return live_refuse(a, PD_EINVAL, xstrdup("which report? give \"of\": its customer or site, and \"month\""));
    path = reports_path(c->reports, of, month);
    if (!path)
        return live_refuse(a, PD_ENOENT, xasprintf("no report of '%s' for %s was made", of, month));
    rows = json_pack("[{s:s}]", "path", path);
    free(path);
    return rows;
}

bool live_query(struct core *c, const char *name, struct live_args *a)
{
    static const struct {
        const char *name;
        json_t *(*answer)(struct core *c, struct live_args *a);
    } queries[] = {
        {"status", query_status},           {"metrics", query_metrics}, {"live", query_live},
        {"device.show", query_device},      {"facts", query_facts},     {"words", query_words},
        {"report.path", query_report_path}, {"clocks", clocks_query},   {"plans", query_plans},
        {"profiles", profiles_query},       {"profile", profile_query}, {"profile.match", profile_match_query},
    };

    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        if (strcmp(queries[i].name, name) == 0) {
            a->rows = queries[i].answer(c, a);
            return true;
        }
    }
    return false;
}
