#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/format.h"
#include "patrol/internal.h"

/* ---- What is known of a device ---- */

enum { MAX_SHOWN = 6, MAX_VALUE = 300 };

struct parts {
    ARRAY(struct patrol_component) list;
    const struct value *device; /* the points of the one of kind "device"; NULL: not known */
    size_t ndevice;
};

static void take_part(void *arg, const struct patrol_component *k)
{
    struct parts *parts = arg;

    array_push(&parts->list, *k);
    if (str_eq(k->kind->name, DEVICE_KIND)) {
        parts->device = k->points;
        parts->ndevice = k->kind->points.n;
    }
}

/* The slots of an item's expressions: the component's points, then the device's. free() them. */
static struct value *slots_of(const struct parts *parts, const struct patrol_component *k, size_t *n)
{
    struct value *slots;

    *n = k->kind->points.n + parts->ndevice;
    slots = xcalloc(*n + 1, sizeof *slots);
    memcpy(slots, k->points, k->kind->points.n * sizeof *slots);
    if (parts->ndevice > 0)
        memcpy(slots + k->kind->points.n, parts->device, parts->ndevice * sizeof *slots);
    return slots;
}

/* ---- One item ---- */

/* How an item comes out over the components of its kind. */
struct outcome {
    enum check_result result; /* of the gravest; RESULT_OPEN: nothing is known */
    const struct patrol_component *part;
    struct sbuf value; /* of that; of all where all are well */
    size_t shown;
    size_t about, left_out; /* components that the item is about, and others of its kind */
};

static enum truth truth_of(const struct expr *e, const struct value *slots, size_t n)
{
    struct value v = e ? expr_eval(e, slots, n) : value_bool(false);

    if (v.quality != QUALITY_GOOD || v.type != VALUE_BOOL)
        return TRUTH_UNKNOWN;
    return v.b ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum check_result result_of(const struct check_item *item, struct value v, const struct value *slots, size_t n)
{
    enum truth fault = truth_of(item->fault, slots, n), attention = truth_of(item->attention, slots, n);

    if (fault == TRUTH_TRUE)
        return RESULT_FAULT;
    if (attention == TRUTH_TRUE)
        return RESULT_ATTENTION;
    if (fault == TRUTH_UNKNOWN || attention == TRUTH_UNKNOWN || (item->value && v.quality != QUALITY_GOOD))
        return RESULT_OPEN;
    return RESULT_OK;
}

static int gravity(enum check_result r)
{
    static const int order[RESULT_COUNT] = {[RESULT_OK] = 1, [RESULT_ATTENTION] = 2, [RESULT_FAULT] = 3};

    return order[r];
}

/* "Black toner: 12 %". */
static void add_value(struct outcome *o, const struct check_item *item, const struct patrol_component *k,
                      struct value v)
{
    struct point_def point = item->point ? *item->point : (struct point_def){0};

    if (!item->value || v.quality != QUALITY_GOOD || o->shown == MAX_SHOWN || o->value.n > MAX_VALUE)
        return;
    if (item->unit)
        point.unit = item->unit;
    if (o->shown++ > 0)
        sbuf_add(&o->value, "; ");
    if (!k->kind->single && k->label && *k->label)
        sbuf_addf(&o->value, "%s: ", k->label);
    format_value(&o->value, &point, v);
}

static void weigh(struct outcome *o, const struct check_item *item, const struct parts *parts,
                  const struct patrol_component *k)
{
    size_t n;
    struct value *slots = slots_of(parts, k, &n), v = VALUE_UNKNOWN;
    enum check_result result;

    if (item->where && truth_of(item->where, slots, n) == TRUTH_FALSE) {
        o->left_out++;
        free(slots);
        return;
    }
    o->about++;
    if (item->value)
        v = expr_eval(item->value, slots, n);
    result = result_of(item, v, slots, n);
    if (gravity(result) > gravity(o->result)) {
        o->result = result;
        o->part = k;
        sbuf_reset(&o->value);
        o->shown = 0;
        add_value(o, item, k, v);
    } else if (result == RESULT_OK && o->result == RESULT_OK) {
        add_value(o, item, k, v);
    }
    free(slots);
}

static void look(const struct check_item *item, const struct parts *parts, struct outcome *o)
{
    *o = (struct outcome){.result = RESULT_OPEN};
    for (size_t i = 0; i < parts->list.n; i++) {
        const struct patrol_component *k = &parts->list.v[i];

        if (str_eq(k->kind->name, item->kind->name))
            weigh(o, item, parts, k);
    }
    if (o->about == 0 && o->left_out > 0)
        o->result = RESULT_NOT_APPLICABLE;
}

/* Puts it into the item; false if that says nothing new. */
static bool put(struct visit_item *i, const struct outcome *o, int64_t answered_ms, int64_t now)
{
    bool of_one = gravity(o->result) > gravity(RESULT_OK);

    if (o->result == RESULT_OPEN ||
        (i->result == o->result && str_eq(i->value, o->value.n > 0 ? o->value.s : NULL) && i->value_ms == answered_ms))
        return false;
    i->result = o->result;
    i->value_ms = answered_ms;
    i->set_ms = now;
    xstrset(&i->value, o->value.n > 0 ? o->value.s : NULL);
    xstrset(&i->kind, of_one ? o->part->kind->name : NULL);
    xstrset(&i->key, of_one ? o->part->key : NULL);
    return true;
}

bool visit_poll(struct patrol *p, struct open_visit *v, struct change *c)
{
    const struct patrol_ops *ops = &p->config.ops;
    const struct checklist *list = knowledge_checklist(p->config.knowledge, v->v.checklist);
    struct parts parts = {0};
    bool changed = false;

    if (!list || !ops->device(ops->ctx, v->v.device_id))
        return false;
    ops->components(ops->ctx, v->v.device_id, take_part, &parts);
    for (size_t i = 0; i < v->items.n; i++) {
        struct visit_item *item = &v->items.v[i];
        const struct check_item *check = item->polled ? checklist_item(list, item->code) : NULL;
        struct outcome o;

        if (!check || !check->kind || item->by)
            continue;
        look(check, &parts, &o);
        if (put(item, &o, ops->answered_ms(ops->ctx, v->v.device_id), patrol_now(p))) {
            change_put_item(c, item);
            changed = true;
        }
        sbuf_free(&o.value);
    }
    array_free(&parts.list);
    return changed;
}
