#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"
#include "daemon/reports.h"

/* What is in the database, handed to the rooms whose it is. */

static void load_device(void *ctx, const struct device *d)
{
    watch_load_device(((struct core *)ctx)->watch, d);
}

static void load_component(void *ctx, const struct component *k)
{
    watch_load_component(((struct core *)ctx)->watch, k);
}

static void load_alert(void *ctx, const struct alert *a)
{
    watch_load_alert(((struct core *)ctx)->watch, a);
}

static void load_hold(void *ctx, const struct hold_record *h)
{
    watch_load_hold(((struct core *)ctx)->watch, h);
}

static void load_ticket(void *ctx, const struct ticket *t)
{
    desk_load_ticket(((struct core *)ctx)->desk, t);
}

static void load_step(void *ctx, const struct step_record *s)
{
    desk_load_step(((struct core *)ctx)->desk, s);
}

static void load_origin(void *ctx, const char *origin, int64_t ticket_id)
{
    desk_load_origin(((struct core *)ctx)->desk, origin, ticket_id);
}

static void load_outbox(void *ctx, const struct outbox *o)
{
    notify_load_outbox(((struct core *)ctx)->notify, o);
    reports_load_outbox(((struct core *)ctx)->reports, o);
}

static void load_report(void *ctx, const struct report *r)
{
    reports_load(((struct core *)ctx)->reports, r);
}

static void load_poll(void *ctx, int64_t device_id, int64_t at_ms, const struct reading *readings, size_t n)
{
    watch_load_poll(((struct core *)ctx)->watch, device_id, at_ms, readings, n);
}

static void load_history(void *ctx, int64_t device_id, const void *data, size_t n)
{
    watch_load_history(((struct core *)ctx)->watch, device_id, data, n);
}

static void load_tail(void *ctx, int64_t device_id, int64_t at_ms, const struct reading *readings, size_t n)
{
    watch_load_tail(((struct core *)ctx)->watch, device_id, at_ms, readings, n);
}

static void load_inform(void *ctx, const char *id, int64_t at_ms)
{
    watch_load_inform(((struct core *)ctx)->watch, id, at_ms);
}

static void load_entry(void *ctx, enum archive_kind kind, const struct entry *e)
{
    archive_load(((struct core *)ctx)->archive, kind, e);
}

static void load_round(void *ctx, const struct round *r)
{
    patrol_load_round(((struct core *)ctx)->patrol, r);
}

static void load_visit(void *ctx, const struct visit *v)
{
    patrol_load_visit(((struct core *)ctx)->patrol, v);
}

static void load_item(void *ctx, const struct visit_item *i)
{
    patrol_load_item(((struct core *)ctx)->patrol, i);
}

static void load_meta(void *ctx, const char *name, const char *value)
{
    patrol_load_meta(((struct core *)ctx)->patrol, name, value);
    log_debug("core", "database says %s = %s", name, value);
}

int core_load(struct core *c, char **why)
{
    const struct store_loader loader = {
        .device = load_device,
        .component = load_component,
        .alert = load_alert,
        .hold = load_hold,
        .ticket = load_ticket,
        .step = load_step,
        .origin = load_origin,
        .outbox = load_outbox,
        .round = load_round,
        .visit = load_visit,
        .item = load_item,
        .report = load_report,
        .entry = load_entry,
        .meta = load_meta,
        .poll = load_poll,
        .history = load_history,
        .tail = load_tail,
        .inform = load_inform,
        .ctx = c,
    };
    int rc = store_load(c->store, &loader);

    if (rc < 0) {
        *why = xasprintf("the database cannot be read: %s", pd_strerror(rc));
        return rc;
    }
    watch_set_last_ids(c->watch, store_last_id(c->store, ROW_DEVICE), store_last_id(c->store, ROW_ALERT));
    desk_set_last_id(c->desk, store_last_id(c->store, ROW_TICKET));
    notify_set_last_id(c->notify, store_last_id(c->store, ROW_OUTBOX));
    patrol_set_last_ids(c->patrol, store_last_id(c->store, ROW_ROUND), store_last_id(c->store, ROW_VISIT),
                        store_last_id(c->store, ROW_ITEM));
    reports_set_last_id(c->reports, store_last_id(c->store, ROW_REPORT));
    return 0;
}
