#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"
#include "daemon/people.h"

/* ---- What the patrol asks of the others ---- */

static void each_device(void *ctx, void (*fn)(void *arg, const struct device *d), void *arg)
{
    watch_devices(((struct core *)ctx)->watch, fn, arg);
}

static const struct device *device_by_id(void *ctx, int64_t id)
{
    const struct device *d = watch_device(((struct core *)ctx)->watch, id);

    return d && !d->retired ? d : NULL;
}

struct part_search {
    void (*fn)(void *arg, const struct patrol_component *k);
    void *arg;
};

static void give_part(void *ctx, const struct component_view *v)
{
    const struct part_search *s = ctx;

    s->fn(s->arg, &(struct patrol_component){.kind = v->kind, .key = v->key, .label = v->label, .points = v->points});
}

static void each_part(void *ctx, int64_t device_id, void (*fn)(void *arg, const struct patrol_component *k), void *arg)
{
    struct part_search s = {fn, arg};

    watch_device_components(((struct core *)ctx)->watch, device_id, give_part, &s);
}

static int64_t answered_ms(void *ctx, int64_t device_id)
{
    struct device_status status;

    return watch_device_status(((struct core *)ctx)->watch, device_id, &status) < 0 ? 0 : status.last_answer_ms;
}

static const char *customer_of(void *ctx, const char *site)
{
    struct place place;

    people_place(ctx, site, &place);
    return place.customer;
}

static const char *zone_of(void *ctx, const char *site)
{
    struct place place;

    people_place(ctx, site, &place);
    return zone_name(place.zone);
}

/* ---- Tickets ---- */

static int open_ticket(void *ctx, struct change *c, const struct patrol_wish *w, const char *actor, int64_t *id)
{
    const struct ticket_wish wish = {
        .kind = w->kind,
        .device_id = w->device_id,
        .site = w->site,
        .title = w->title,
        .severity = w->severity,
        .category = "hardware",
        .note = w->note,
        .origin = w->origin,
        .label = w->label,
    };

    return desk_open(((struct core *)ctx)->desk, c, &wish, actor, id);
}

struct ticket_search {
    const struct core *core;
    int64_t device_id;
    const char *kind, *key;
    const struct check_item *item;
    const char *code;
    int64_t found;
};

/* Which of the first 64 points of a kind an expression reads, as bits. */
struct reads {
    size_t npoints;
    uint64_t slots;
};

static void note_slot(void *ctx, unsigned slot)
{
    struct reads *r = ctx;

    if (slot < r->npoints && slot < 64)
        r->slots |= UINT64_C(1) << slot;
}

static uint64_t reads_of(const struct kind *kind, const struct expr *a, const struct expr *b)
{
    struct reads r = {.npoints = kind->points.n};

    if (a)
        expr_slots(a, note_slot, &r);
    if (b)
        expr_slots(b, note_slot, &r);
    return r.slots;
}

/* A ticket of the same component is about the same fault if its rule judges what the item looks at. */
static bool same_matter(const struct ticket_search *s, const struct ticket *t)
{
    const struct rule *rule = t->rule ? knowledge_rule(s->core->knowledge, t->rule) : NULL;

    if (!s->kind || !t->family || !str_eq(t->component_kind, s->kind) || !str_eq(t->key, s->key))
        return false;
    if (!rule || !s->item || rule->kind != s->item->kind)
        return true;
    return reads_of(rule->kind, rule->when, NULL) & reads_of(rule->kind, s->item->attention, s->item->fault);
}

static void look_at_ticket(void *ctx, const struct ticket *t)
{
    struct ticket_search *s = ctx;

    if (s->found == 0 && t->device_id == s->device_id &&
        (same_matter(s, t) || (t->kind == TICKET_KIND_FINDING && str_eq(t->label, s->code))))
        s->found = t->id;
}

static int64_t find_ticket(void *ctx, int64_t device_id, const struct check_item *item, const struct visit_item *found)
{
    struct ticket_search s = {
        .core = ctx,
        .device_id = device_id,
        .kind = found->kind,
        .key = found->key,
        .item = item,
        .code = found->code,
    };

    desk_tickets(s.core->desk, look_at_ticket, &s);
    return s.found;
}

/* ---- Mail ---- */

struct readers {
    const struct core *core;
    ARRAY(struct notice_reader) list;
};

static void add_reader(struct readers *r, const char *address, enum lang lang)
{
    for (size_t i = 0; i < r->list.n; i++)
        if (str_eq(r->list.v[i].address, address))
            return;
    if (address)
        array_push(&r->list, ((struct notice_reader){address, lang}));
}

static void add_staff(void *ctx, const struct archive_staff *staff)
{
    struct readers *r = ctx;

    add_reader(r, staff->mail, people_lang(r->core, staff->language));
}

/* The round's technician, else those of the site; supervisors once it is late for the second time. */
static void find_readers(struct core *c, const struct patrol_letter *l, struct readers *r)
{
    const struct archive_staff *own = l->round->technician ? people_staff_named(c, l->round->technician) : NULL;
    struct place place;

    people_place(c, l->round->site, &place);
    if (own && own->mail)
        add_staff(r, own);
    else
        people_staff(c, &place, "technician", add_staff, r);
    if (l->news == NEWS_ROUND_OVERDUE && l->times > 1)
        people_staff(c, &place, "supervisor", add_staff, r);
    if (r->list.n > 0)
        return;
    for (size_t i = 0; i < c->settings->recipients.n; i++) {
        const struct recipient *to = &c->settings->recipients.v[i];

        if (!to->site || str_eq(to->site, place.site))
            add_reader(r, to->address, to->lang);
    }
}

static void tell(void *ctx, struct change *change, const struct patrol_letter *l)
{
    static const enum round_notice notices[] = {
        [NEWS_ROUND_DUE] = NOTICE_ROUND_DUE,
        [NEWS_ROUND_UNFINISHED] = NOTICE_ROUND_UNFINISHED,
        [NEWS_ROUND_OVERDUE] = NOTICE_ROUND_OVERDUE,
    };
    struct core *c = ctx;
    struct readers r = {.core = c};
    struct place place;

    people_place(c, l->round->site, &place);
    find_readers(c, l, &r);
    notify_round(c->notify, change,
                 &(struct round_about){.what = notices[l->news],
                                       .round = l->round,
                                       .visits = l->visits,
                                       .visits_done = l->visits_done,
                                       .zone = place.zone},
                 r.list.v, r.list.n);
    array_free(&r.list);
}

static void submit(void *ctx, struct change *change)
{
    core_submit(ctx, change, false, NULL, NULL);
}

struct patrol *core_patrol_new(struct core *c)
{
    const struct patrol_config config = {
        .services = c->config.services,
        .settings = c->settings,
        .knowledge = c->knowledge,
        .ops = {.devices = each_device,
                .device = device_by_id,
                .components = each_part,
                .answered_ms = answered_ms,
                .customer = customer_of,
                .zone = zone_of,
                .ticket = open_ticket,
                .open_ticket = find_ticket,
                .tell = tell,
                .submit = submit,
                .ctx = c},
    };

    return patrol_new(&config);
}

/* ---- Commands ---- */

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

/* {"round":7,"state":"review"} as the change leaves it, with how many tickets it opened. */
static char *answer(const struct change *c, int64_t round)
{
    struct sbuf b = {0};
    const char *state = "";
    size_t tickets = 0;

    for (size_t i = 0; i < c->rows.n; i++) {
        if (c->rows.v[i].kind == ROW_ROUND)
            state = round_state_name(c->rows.v[i].round.state);
        tickets += c->rows.v[i].kind == ROW_TICKET;
    }
    sbuf_addf(&b, "{\"round\":%" PRId64 ",\"state\":\"%s\",\"tickets\":%zu}", round, state, tickets);
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
        order_submit(o, change, answer(change, round));
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
