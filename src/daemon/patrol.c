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

    watch_device_points(((struct core *)ctx)->watch, device_id, give_part, &s);
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
