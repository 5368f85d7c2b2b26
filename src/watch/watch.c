#include "watch/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "watch/internal.h"

/* ---- Turns ---- */

struct turn turn_begin(struct watch *w, struct node *n)
{
    int64_t mono = watch_mono(w);

    return (struct turn){.w = w, .n = n, .mono = mono, .wall = watch_wall(w), .asked_ms = mono};
}

struct change *turn_change(struct turn *t)
{
    if (!t->change)
        t->change = change_new();
    return t->change;
}

struct event *turn_event(struct turn *t, const char *kind)
{
    struct event *e = change_event(turn_change(t), t->wall, kind);

    e->device_id = t->n->d.id;
    event_arg(e, "conf", watch_knowledge(t->w)->hash);
    return e;
}

void turn_end(struct turn *t, bool urgent)
{
    const struct watch_ops *ops = &t->w->config.ops;

    if (t->change && !change_empty(t->change))
        ops->submit(ops->ctx, t->change, urgent, NULL, NULL);
    else
        change_free(t->change);
    t->change = NULL;
}

struct turn command_turn(struct watch *w, struct node *n, struct change *c)
{
    struct turn t = turn_begin(w, n);

    t.change = c;
    return t;
}

/* While loading, what has to be put right is gathered for watch_start(). */
static struct turn repair_turn(struct watch *w, struct node *n)
{
    struct turn t = turn_begin(w, n);

    t.change = w->repairs;
    return t;
}

/* ---- Nodes ---- */

struct node *watch_node(const struct watch *w, int64_t id)
{
    return u64dict_get(w->nodes, (uint64_t)id);
}

int watch_collector(const struct watch *w, const char *name)
{
    for (size_t i = 0; i < w->config.ncollectors; i++) {
        if (str_eq(w->config.collector_ops[i]->name, name))
            return (int)i;
    }
    return PD_ENOENT;
}

struct node *node_new(struct watch *w, const struct device *d, unsigned collector)
{
    struct node *n = xcalloc(1, sizeof *n);
    int64_t now = watch_mono(w);

    n->watch = w;
    n->collector = collector;
    device_copy(&n->d, d);
    n->device_unit = NO_UNIT;
    n->knock_ms = INT64_MAX;
    n->status.rtt_ms = -1;
    for (unsigned p = 0; p < PART_COUNT; p++)
        n->read_ms[p] = now;
    timer_init(&n->timer, schedule_poll, n);
    return n;
}

char *address_key(const struct device *d)
{
    return xasprintf("%s %s %u %u", d->collector ? d->collector : "", d->address, d->port, d->unit);
}

void node_settle(struct watch *w, struct node *n)
{
    char *key = address_key(&n->d);

    dict_put(w->addresses, key, n);
    free(key);
    trap_settle(n);
    share_join(w, n);
}

void node_leave(struct watch *w, struct node *n)
{
    char *key = address_key(&n->d);

    dict_del(w->addresses, key);
    free(key);
    trap_leave(n);
    share_leave(w, n);
}

void node_add(struct watch *w, struct node *n)
{
    u64dict_put(w->nodes, (uint64_t)n->d.id, n);
    w->states[n->status.state]++;
    dict_put(w->names, n->d.name, n);
    node_settle(w, n);
    trap_know_engine(n);
    who_index(n);
}

void node_del(struct watch *w, struct node *n)
{
    u64dict_del(w->nodes, (uint64_t)n->d.id);
    w->states[n->status.state]--;
    dict_del(w->names, n->d.name);
    node_leave(w, n);
    who_forget(n);
}

void node_free(struct node *n)
{
    schedule_stop(n);
    schedule_close(n);
    for (size_t i = 0; i < n->faults.n; i++) {
        alert_fini(&n->faults.v[i]->alert);
        free(n->faults.v[i]);
    }
    array_free(&n->faults);
    array_free(&n->holds);
    array_free(&n->waiters);
    inventory_free(n);
    restart_free(&n->restarts);
    free(n->fits);
    free(n->trouble_said);
    judge_forget_labels(n);
    identify_forget(n);
    device_fini(&n->d);
    free(n);
}

static struct node *next_node(const struct watch *w, size_t *at)
{
    uint64_t id;
    void *node;

    return u64dict_next(w->nodes, at, &id, &node) ? node : NULL;
}

/* ---- Birth and death ---- */

struct watch *watch_new(const struct watch_config *config)
{
    struct watch *w = xcalloc(1, sizeof *w);

    w->config = *config;
    tables_init(&w->tables, config->knowledge, config->settings);
    w->pool = pool_new();
    w->nodes = u64dict_new();
    w->names = dict_new();
    w->addresses = dict_new();
    w->places = u64dict_new();
    w->engines = dict_new();
    w->identities = dict_new();
    w->shares = dict_new();
    w->faults = u64dict_new();
    w->repairs = change_new();
    w->lateness = hist_window_new();
    ping_init(w);
    return w;
}

void watch_free(struct watch *w)
{
    struct node *n;

    if (!w)
        return;
    trap_deafen(w);
    for (size_t at = 0; (n = next_node(w, &at));)
        node_free(n);
    ping_fini(w);
    speech_free_all(w);
    tables_fini(&w->tables);
    layouts_free(&w->layouts);
    pool_free(w->pool);
    u64dict_free(w->nodes);
    dict_free(w->names);
    dict_free(w->addresses);
    u64dict_free(w->places);
    u64dict_free(w->informs);
    dict_free(w->engines);
    dict_free(w->identities);
    share_free_all(w);
    for (size_t i = 0; i < w->merged.n; i++)
        device_fini(&w->merged.v[i]);
    array_free(&w->merged);
    u64dict_free(w->faults);
    for (size_t i = 0; i < w->lost_kinds.n; i++) {
        free(w->lost_kinds.v[i]->name);
        free(w->lost_kinds.v[i]);
    }
    array_free(&w->lost_kinds);
    array_free(&w->readings);
    array_free(&w->past);
    array_free(&w->told);
    array_free(&w->choice.points);
    array_free(&w->earlier.known);
    array_free(&w->earlier.bits);
    array_free(&w->fresh);
    window_round_fini(&w->round);
    array_free(&w->shown);
    change_free(w->repairs);
    hist_window_free(w->lateness);
    free(w);
}

/* ---- What was kept ---- */

void watch_load_device(struct watch *w, const struct device *d)
{
    int collector = watch_collector(w, d->collector);

    if (d->id > w->last_device_id)
        w->last_device_id = d->id;
    if (d->retired && d->merged_into)
        watch_remember_merged(w, d);
    if (d->retired)
        return;
    if (collector < 0) {
        log_about(LOG_LEVEL_ERROR, "watch", &(struct log_about){.kind = LOG_KIND_NOT_POLLED, .device = d->name},
                  "%s is not polled: there is no collector %s", d->name, d->collector);
        return;
    }
    node_add(w, node_new(w, d, (unsigned)collector));
}

void watch_load_component(struct watch *w, const struct component *k)
{
    struct node *n = watch_node(w, k->device_id);
    uint32_t at;

    if (!n)
        return;
    if (k->number <= n->last_number) {
        log_about(LOG_LEVEL_ERROR, "watch", &(struct log_about){.device = n->d.name},
                  "%s: component number %u out of order, left out", n->d.name, k->number);
        return;
    }
    at = unit_add(n, kind_named(w, k->kind), k->key, k->label ? k->label : k->key, k->number);
    n->units.v[at].first_s = (uint32_t)(k->first_ms / 1000);
}

void watch_load_alert(struct watch *w, const struct alert *a)
{
    struct node *n = watch_node(w, a->device_id);
    struct turn t;

    if (a->id > w->last_alert_id)
        w->last_alert_id = a->id;
    if (!n || a->state == ALERT_OK)
        return;
    t = repair_turn(w, n);
    fault_restore(&t, a);
}

void watch_load_hold(struct watch *w, const struct hold_record *h)
{
    struct node *n = watch_node(w, h->device_id);
    struct turn t;
    struct hold_record forgotten = *h;

    if (!n || h->state == HOLD_OK)
        return;
    t = repair_turn(w, n);
    forgotten.state = HOLD_OK;
    if (!judge_restore(&t, h))
        change_put_hold(w->repairs, &forgotten);
}

/* Readings of one component. */
static void load_unit(struct node *n, struct unit *u, const struct reading *r, size_t count)
{
    ARRAY(uint16_t) slots = {0};

    for (size_t i = 0; i < count; i++)
        if (r[i].point < unit_kind(u)->points.n)
            array_push(&slots, r[i].point);
    unit_widen(n, u, layout_of(&n->watch->layouts, unit_kind(u), slots.v, slots.n));
    array_free(&slots);
    for (size_t i = 0; i < count; i++) {
        struct value v = r[i].value;

        if (r[i].point >= unit_kind(u)->points.n ||
            (v.type != VALUE_NONE && v.type != unit_kind(u)->points.v[r[i].point].type))
            continue;
        if (v.quality == QUALITY_GOOD)
            v.quality = QUALITY_STALE;
        unit_set(n, u, r[i].point, v);
    }
}

/* What was good then may not be now: it is shown, but not judged. */
void watch_load_poll(struct watch *w, int64_t device_id, int64_t at_ms, const struct reading *r, size_t count)
{
    struct node *n = watch_node(w, device_id);

    if (!n)
        return;
    n->status.last_poll_ms = at_ms;
    for (size_t i = 0, same; i < count; i += same) {
        struct unit *u = unit_numbered(n, r[i].component);

        for (same = 1; i + same < count && r[i + same].component == r[i].component;)
            same++;
        if (u)
            load_unit(n, u, &r[i], same);
    }
    array_fit(&n->points);
}

void watch_load_history(struct watch *w, int64_t device_id, const void *data, size_t n)
{
    struct node *node = watch_node(w, device_id);
    int rc = node ? history_decode(node, watch_mono(w), watch_wall(w), data, n) : 0;

    if (rc < 0)
        log_about(LOG_LEVEL_WARN, "watch", &(struct log_about){.device = node->d.name},
                  "%s: what was remembered of it for judging can't be used and begins anew: %s", node->d.name,
                  pd_strerror(rc));
}

void watch_load_tail(struct watch *w, int64_t device_id, int64_t at_ms, const struct reading *r, size_t n)
{
    struct node *node = watch_node(w, device_id);
    int64_t ago = watch_wall(w) - at_ms;

    if (!node || ago < 0) /* the clock was set back: nobody knows when that was */
        return;
    history_replay(node, watch_mono(w) - ago, r, n);
    if (at_ms > node->totals_ms)
        total_replay(node, r, n);
}

void watch_set_last_ids(struct watch *w, int64_t device_id, int64_t alert_id)
{
    w->last_device_id = device_id > w->last_device_id ? device_id : w->last_device_id;
    w->last_alert_id = alert_id > w->last_alert_id ? alert_id : w->last_alert_id;
}

/* ---- Start ---- */

void node_add_device_unit(struct turn *t)
{
    struct node *n = t->n;

    if (n->device_unit != NO_UNIT)
        return;
    unit_add(n, watch_knowledge(t->w)->vocabulary.kinds.v[0], "", n->d.name, 0);
    unit_put(t, &n->units.v[n->device_unit]);
}

/* A fault is open as long as a rule of its family holds: where no hold was kept, its own rule's does. */
static void restore_holds(struct turn *t)
{
    struct node *n = t->n;

    for (size_t i = 0; i < n->faults.n; i++) {
        struct alert *a = &n->faults.v[i]->alert;
        struct hold_record h = {
            .device_id = n->d.id,
            .kind = a->kind,
            .key = a->key,
            .rule = a->rule,
            .state = HOLD_FIRING,
            .since_ms = a->opened_ms,
        };

        if (fault_held(t->w, n->faults.v[i]) || !judge_restore(t, &h))
            continue;
        change_put_hold(turn_change(t), &h);
    }
}

void node_begin(struct node *n, int64_t first_ms)
{
    schedule_reach(n);
    n->answered_ms = watch_mono(n->watch);
    rhythm_first(n, first_ms);
    rhythm_wait(n);
}

void watch_start(struct watch *w)
{
    struct turn t;
    struct node *n;
    size_t strangers = 0; /* who they are was never known */

    w->started = true;
    w->origin_ms = watch_mono(w);
    w->offset_ms = watch_wall(w) - w->origin_ms;
    w->rhythm_ms = rhythm_midnight(w);
    for (size_t at = 0; (n = next_node(w, &at));) {
        t = repair_turn(w, n);
        node_add_device_unit(&t);
        restore_holds(&t);
        judge_fit(&t);
        identify_known(&t);
        n->identify_ms = w->origin_ms + rhythm_identify_phase(n);
        n->history_ms = w->origin_ms + history_phase(n);
        strangers += !n->speech;
    }
    for (size_t at = 0; (n = next_node(w, &at));)
        node_begin(n, rhythm_begin(n, strangers));
    t = repair_turn(w, NULL);
    w->repairs = NULL;
    turn_end(&t, true);
    trap_listen(w);
}

/* ---- Reload ---- */

/* For each old rule the place of the new one of its name, or UINT16_MAX. */
static uint16_t *map_rules(const struct knowledge *old, const struct knowledge *new)
{
    uint16_t *map = xcalloc(old->rules.n + 1, sizeof *map);

    for (size_t i = 0; i < old->rules.n; i++) {
        map[i] = UINT16_MAX;
        for (size_t j = 0; j < new->rules.n &&j < UINT16_MAX; j++) {
            if (strcmp(old->rules.v[i]->name, new->rules.v[j]->name) == 0)
                map[i] = (uint16_t)j;
        }
    }
    return map;
}

static void reload_node(struct watch *w, struct node *n, const uint16_t *map, const struct knowledge *old)
{
    struct turn t = turn_begin(w, n);

    inventory_remap(w, n);
    history_restore(n);
    judge_remap(&t, map, old);
    judge_fit(&t);
    identify_known(&t);
    n->identify_ms = t.mono + rhythm_jitter(n);
    node_begin(n, n->identify_ms);
    turn_end(&t, true);
}

/* Only how devices are reached may have changed: each is opened anew before its next read. */
static void take_settings(struct watch *w, const struct settings *settings)
{
    struct node *n;

    w->config.settings = settings;
    for (size_t at = 0; (n = next_node(w, &at));) {
        n->retarget = true;
        if (!n->handle)
            node_begin(n, watch_mono(w) + rhythm_jitter(n));
    }
}

static void take_knowledge(struct watch *w, const struct settings *settings, const struct knowledge *knowledge)
{
    const struct knowledge *old = w->config.knowledge;
    struct layouts before = w->layouts;
    uint16_t *map = map_rules(old, knowledge);
    struct node *n;

    for (size_t at = 0; (n = next_node(w, &at));)
        schedule_stop(n);
    for (size_t at = 0; (n = next_node(w, &at));)
        history_put_aside(n);
    speech_free_all(w);
    tables_fini(&w->tables);
    w->layouts = (struct layouts){0};
    w->config.settings = settings;
    w->config.knowledge = knowledge;
    tables_init(&w->tables, knowledge, settings);
    for (size_t at = 0; (n = next_node(w, &at));)
        reload_node(w, n, map, old);
    layouts_free(&before);
    free(map);
}

void watch_reload(struct watch *w, const struct settings *settings, const struct knowledge *knowledge)
{
    const struct settings *old = w->config.settings;

    if (knowledge == w->config.knowledge && memcmp(old->every_ms, settings->every_ms, sizeof old->every_ms) == 0)
        take_settings(w, settings);
    else
        take_knowledge(w, settings, knowledge);
    trap_listen(w);
}
