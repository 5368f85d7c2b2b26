#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"

/* ---- What a command is given ---- */

enum { MAX_FINDINGS = 200, MAX_NOTE = 1000, MAX_RESULT = 40 };

/* What a command was given. Texts are made here and owned. */
struct given {
    char *texts[MAX_FINDINGS * 2 + 8]; /* owned */
    size_t ntexts;
    const char *round, *device, *by, *note, *value;
    struct patrol_finding findings[MAX_FINDINGS];
    size_t n;
    bool all_ok;
};

/* Text from outside is kept in the database and shown to people: short and without control characters. */
static int take_text(struct given *g, const char *name, const json_t *value, const char **out, char **why)
{
    const char *s = json_string_value(value);
    size_t n = json_string_length(value);
    char *clean;

    if (json_is_integer(value)) {
        *out = g->texts[g->ntexts++] = xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return 0;
    }
    if (!s) {
        *why = xasprintf("%s wants a text", name);
        return PD_EINVAL;
    }
    clean = g->texts[g->ntexts++] = str_clean(s, n, MAX_NOTE);
    if (n > MAX_NOTE)
        *why = xasprintf("%s is too long: at most %d bytes", name, MAX_NOTE);
    else if (strlen(clean) != n || memcmp(clean, s, n) != 0)
        *why = xasprintf("%s has control characters, or spaces at an end", name);
    else {
        *out = n > 0 ? clean : NULL;
        return 0;
    }
    return PD_EINVAL;
}

static int add_finding(struct given *g, const char *item, const char *result, char **why)
{
    if (g->n == MAX_FINDINGS || strlen(item) > MAX_NOTE || strlen(result) > MAX_RESULT) {
        *why = xasprintf(g->n == MAX_FINDINGS ? "more than %d items at once" : "an item or a result is too long",
                         MAX_FINDINGS);
        return PD_EINVAL;
    }
    g->findings[g->n].item = g->texts[g->ntexts++] = xstrdup(item);
    g->findings[g->n++].result = g->texts[g->ntexts++] = xstrdup(result);
    return 0;
}

/* "rollers=ok" */
static int take_pair(struct given *g, const char *pair, char **why)
{
    const char *equals = pair ? strchr(pair, '=') : NULL;
    char *item;
    int rc;

    if (!equals || equals == pair) {
        *why = xstrdup("an item is filled in as ITEM=RESULT, such as rollers=ok");
        return PD_EINVAL;
    }
    item = xstrndup(pair, (size_t)(equals - pair));
    rc = add_finding(g, item, equals + 1, why);
    free(item);
    return rc;
}

/* {"rollers":"ok"} or ["rollers=ok"] */
static int take_items(struct given *g, json_t *items, char **why)
{
    const char *item;
    json_t *value;
    size_t i;
    int rc = 0;

    json_array_foreach(items, i, value)
    {
        if (rc == 0)
            rc = take_pair(g, json_string_value(value), why);
    }
    json_object_foreach(items, item, value)
    {
        if (rc == 0)
            rc = add_finding(g, item, json_string_value(value) ? json_string_value(value) : "", why);
    }
    if (!json_is_array(items) && !json_is_object(items)) {
        *why = xstrdup("items wants {\"ITEM\":\"RESULT\"} or [\"ITEM=RESULT\"]");
        rc = PD_EINVAL;
    }
    return rc;
}

enum arg_bit { ARG_ROUND = 1, ARG_DEVICE = 2, ARG_FILL = 4, ARG_BY = 8, ARG_NOTE = 16 };

/* Arguments as texts, by name, and which commands take them. */
static const struct {
    const char *name;
    size_t offset;
    unsigned bit;
} text_args[] = {
    {"round", offsetof(struct given, round), ARG_ROUND}, {"device", offsetof(struct given, device), ARG_DEVICE},
    {"by", offsetof(struct given, by), ARG_BY},          {"note", offsetof(struct given, note), ARG_NOTE},
    {"value", offsetof(struct given, value), ARG_FILL},
};
static const char *const arg_names[] = {"round", "device", "by",     "note",   "value",
                                        "items", "item",   "result", "all_ok", NULL};

static int unknown_arg(const char *name, char **why)
{
    const char *near = str_nearest(name, arg_names);
    struct sbuf b = {0};

    sbuf_add(&b, "unknown argument '");
    sbuf_add_visible(&b, name);
    sbuf_addf(&b, near && strcmp(near, name) != 0 ? "' (did you mean '%s'?)" : "'", near);
    *why = sbuf_take(&b);
    return PD_EINVAL;
}

static int take_arg(struct given *g, unsigned takes, const char *name, json_t *value, char **why)
{
    for (size_t i = 0; i < sizeof text_args / sizeof *text_args; i++)
        if (strcmp(text_args[i].name, name) == 0 && (takes & text_args[i].bit))
            return take_text(g, name, value, (const char **)((char *)g + text_args[i].offset), why);
    if ((takes & ARG_FILL) && strcmp(name, "items") == 0)
        return take_items(g, value, why);
    if ((takes & ARG_FILL) && strcmp(name, "all_ok") == 0) {
        g->all_ok = json_is_true(value);
        return 0;
    }
    return unknown_arg(name, why);
}

/* One item may be given as two texts. */
static int take_single(struct given *g, const json_t *args, char **why)
{
    const json_t *item = json_object_get(args, "item"), *result = json_object_get(args, "result");

    if (!item && !result)
        return 0;
    if (!json_is_string(item) || !json_is_string(result)) {
        *why = xstrdup("'item' and 'result' are texts and stand together");
        return PD_EINVAL;
    }
    return add_finding(g, json_string_value(item), json_string_value(result), why);
}

static int take_args(struct given *g, unsigned takes, json_t *args, char **why)
{
    const char *name;
    json_t *value;
    int rc = 0;

    json_object_foreach(args, name, value)
    {
        bool single = (takes & ARG_FILL) && (strcmp(name, "item") == 0 || strcmp(name, "result") == 0);

        if (rc == 0 && !single && !json_is_null(value))
            rc = take_arg(g, takes, name, value, why);
    }
    if (rc == 0 && (takes & ARG_FILL))
        rc = take_single(g, args, why);
    if (rc == 0 && (!g->round || ((takes & ARG_BY) && !g->by))) {
        *why = xasprintf("'%s' is missing", g->round ? "by" : "round");
        rc = PD_EINVAL;
    }
    return rc;
}

static int run_fill(struct order *o, int64_t round, const struct given *g, struct change *c, char **why)
{
    const struct patrol_filling filling = {
        .device = g->device,
        .findings = g->findings,
        .n = g->n,
        .all_ok = g->all_ok,
        .value = g->value,
        .note = g->note,
    };

    return patrol_fill(o->core->patrol, round, &filling, o->actor, c, why);
}

static int run_start(struct order *o, int64_t round, const struct given *g, struct change *c, char **why)
{
    return patrol_begin(o->core->patrol, round, g->device, o->actor, c, why);
}

static int run_sign(struct order *o, int64_t round, const struct given *g, struct change *c, char **why)
{
    return patrol_sign(o->core->patrol, round, g->by, g->note, o->actor, c, why);
}

static int run_cancel(struct order *o, int64_t round, const struct given *g, struct change *c, char **why)
{
    return patrol_cancel(o->core->patrol, round, g->note, o->actor, c, why);
}

static const struct {
    const char *name;
    unsigned takes;
    int (*run)(struct order *o, int64_t round, const struct given *g, struct change *c, char **why);
} verbs[] = {
    {"patrol.fill", ARG_ROUND | ARG_DEVICE | ARG_FILL | ARG_NOTE, run_fill},
    {"patrol.start", ARG_ROUND | ARG_DEVICE, run_start},
    {"patrol.sign", ARG_ROUND | ARG_BY | ARG_NOTE, run_sign},
    {"patrol.cancel", ARG_ROUND | ARG_NOTE, run_cancel},
};

/* {"round":7,"state":"review"} as it is now, with how many tickets the change opened. */
static char *answer(const struct core *core, const struct change *c, int64_t id)
{
    const struct round *round = patrol_round(core->patrol, id);
    struct sbuf b = {0};
    size_t tickets = 0;

    for (size_t i = 0; i < c->rows.n; i++)
        tickets += c->rows.v[i].kind == ROW_TICKET;
    sbuf_addf(&b, "{\"round\":%" PRId64 ",\"state\":\"%s\",\"tickets\":%zu}", id,
              round_state_name(round ? round->state : ROUND_CANCELLED), tickets);
    return sbuf_take(&b);
}

bool patrol_command(struct order *o, const char *name, json_t *args, int *rc, char **why)
{
    struct given *g;
    struct change *change;
    int64_t round = 0;
    size_t i = 0;

    while (i < sizeof verbs / sizeof *verbs && strcmp(verbs[i].name, name) != 0)
        i++;
    if (i == sizeof verbs / sizeof *verbs)
        return false;
    g = xcalloc(1, sizeof *g);
    change = change_new();
    *rc = take_args(g, verbs[i].takes, args, why);
    if (*rc == 0)
        *rc = patrol_ref(o->core->patrol, g->round, &round, why);
    if (*rc == 0)
        *rc = verbs[i].run(o, round, g, change, why);
    if (*rc == 0)
        order_submit(o, change, answer(o->core, change, round));
    else
        change_free(change);
    for (i = 0; i < g->ntexts; i++)
        free(g->texts[i]);
    free(g);
    return true;
}

void patrol_commands(void (*fn)(void *ctx, const char *noun, const char *verb), void *ctx)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        fn(ctx, "patrol", verbs[i].name + strlen("patrol."));
}

/* ---- The query "plans" ---- */

static json_t *stamp(int64_t ms)
{
    return json_integer(ms);
}

static void add_plan(void *ctx, const struct patrol_plan_view *v)
{
    json_array_append_new(
        ctx, json_pack("{s:s, s:s?, s:s?, s:s, s:s, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "name",
                       v->plan->name, "title_en", v->plan->title[LANG_EN], "title_zh_CN", v->plan->title[LANG_ZH_CN],
                       "kind", plan_kind_name(v->plan->kind), "rule", v->plan->rule, "calendar", v->plan->calendar,
                       "checklist", v->plan->checklist, "technician", v->plan->technician, "devices",
                       (json_int_t)v->devices, "open_rounds", (json_int_t)v->open_rounds, "made", (json_int_t)v->last_n,
                       "last_ms", stamp(v->last_ms), "next_ms", stamp(v->next_ms[0]), "then_ms", stamp(v->next_ms[1]),
                       "later_ms", stamp(v->next_ms[2])));
}

json_t *patrol_plan_rows(const struct core *c)
{
    json_t *rows = json_array();

    patrol_plans(c->patrol, add_plan, rows);
    return rows;
}
