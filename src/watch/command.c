#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "watch/internal.h"

/* A device that is reached by this one; NULL. */
static const struct node *child_of(const struct watch *w, const struct node *n)
{
    uint64_t id;
    void *other;

    for (size_t at = 0; u64dict_next(w->nodes, &at, &id, &other);)
        if (str_eq(((const struct node *)other)->d.parent, n->d.name))
            return other;
    return NULL;
}

int watch_device_remove(struct watch *w, int64_t id, const char *actor, struct change *c, char **why)
{
    struct node *n = watch_node(w, id);
    const struct node *child;
    struct turn t;
    struct event *e;

    if (!n)
        return PD_ENOENT;
    child = child_of(w, n);
    if (child) {
        *why = xasprintf("%s can't be removed: %s is reached by it", n->d.name, child->d.name);
        return PD_ESTATE;
    }
    t = command_turn(w, n, c);
    schedule_stop(n);
    while (n->faults.n)
        fault_close(&t, n->faults.v[0], "device-removed");
    judge_forget(&t, -1);
    n->d.retired = true;
    change_put_device(c, &n->d);
    e = turn_event(&t, "device.removed");
    e->actor = xstrdup_null(actor);
    event_arg(e, "name", n->d.name);
    node_del(w, n);
    who_left(w, n->d.name, c);
    node_free(n);
    return 0;
}

int watch_device_poll(struct watch *w, int64_t id, void (*done)(void *arg, const struct pd_read_result *r), void *arg)
{
    struct node *n = watch_node(w, id);

    if (!n)
        return PD_ENOENT;
    if (done)
        array_push(&n->waiters, ((struct waiter){done, arg}));
    if (n->read || n->pinging)
        n->poll_wanted = true;
    else
        rhythm_now(n);
    return 0;
}

int64_t watch_next_alert_id(struct watch *w)
{
    return ++w->last_alert_id;
}

int watch_alert_ack(struct watch *w, int64_t alert_id, const char *actor, struct change *c)
{
    struct fault *f = u64dict_get(w->faults, (uint64_t)alert_id);
    struct turn t;

    if (!f)
        return PD_ENOENT;
    if (f->alert.acked_ms)
        return PD_ESTATE;
    t = command_turn(w, f->node, c);
    fault_ack(&t, f, actor);
    return 0;
}
