#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/identity.h"
#include "watch/internal.h"

/*
 * Two records that are one device: by the operator's word, or since it was met again at another place (who.c). One is removed and
 * what is open of it goes to the other; the operator can take that back.
 */

static void take_place(struct turn *t, const struct device *from)
{
    struct node *n = t->n;
    char *before = xstrdup(n->d.address);

    schedule_stop(n);
    schedule_close(n);
    node_leave(t->w, n);
    xstrset(&n->d.address, from->address);
    xstrset(&n->d.credential, from->credential);
    n->d.port = from->port;
    n->d.unit = from->unit;
    node_settle(t->w, n);
    who_tell_moved(t, before);
    who_doubt(n);
    n->identify_ms = t->mono;
    node_begin(n, t->mono);
    free(before);
}

/* The operator says that it is the machine that was the other record's: nobody is to ask again. */
static void take_identity(struct turn *t, const struct device *from)
{
    struct node *n = t->n;

    if (identity_rank(from->identity) <= IDENTITY_PLACE || identity_same(n->d.identity, from->identity))
        return;
    who_set_identity(n, from->identity);
    xstrset(&n->d.claims, NULL);
    total_break(t);
    history_break(n);
}

/* Whether it is reached by the one of that name, near or far. A circle in the database ends here. */
static bool stands_behind(const struct watch *w, const struct node *n, const char *name)
{
    enum { MAX_DEPTH = 100 };

    for (unsigned depth = 0; n && n->d.parent && depth < MAX_DEPTH; depth++) {
        if (str_eq(n->d.parent, name))
            return true;
        n = dict_get(w->names, n->d.parent);
    }
    return false;
}

/* Those that are reached by one are reached by the other; that one by none of them. */
static void hand_over_children(struct watch *w, const char *from, struct node *to, struct change *c)
{
    uint64_t id;
    void *node;

    if (stands_behind(w, to, from)) {
        xstrset(&to->d.parent, NULL);
        change_put_device(c, &to->d);
    }
    for (size_t at = 0; u64dict_next(w->nodes, &at, &id, &node);) {
        struct node *n = node;

        if (!str_eq(n->d.parent, from))
            continue;
        xstrset(&n->d.parent, to->d.name);
        change_put_device(c, &n->d);
    }
}

static void absorb(struct watch *w, struct node *keep, struct node *gone, const char *actor, struct change *c)
{
    bool moves = keep->status.state != DEVICE_UP && gone->status.state == DEVICE_UP;
    struct turn t = command_turn(w, gone, c), k = command_turn(w, keep, c);
    struct event *e;

    schedule_stop(gone);
    while (gone->faults.n)
        fault_close(&t, gone->faults.v[0], "device-merged");
    judge_forget(&t, -1);
    e = turn_event(&t, "device.merged");
    e->actor = xstrdup_null(actor);
    event_arg(e, "name", gone->d.name);
    event_arg(e, "into", keep->d.name);
    event_arg(e, "address", gone->d.address);
    gone->d.retired = true;
    gone->d.merged_into = keep->d.id;
    xstrset(&gone->d.moved_from, moves ? keep->d.address : NULL);
    xstrset(&gone->d.twin, NULL);
    change_put_device(c, &gone->d);
    hand_over_children(w, gone->d.name, keep, c);
    node_del(w, gone);
    if (moves) {
        take_identity(&k, &gone->d);
        take_place(&k, &gone->d);
    }
    who_left(w, gone->d.name, c);
    change_put_device(c, &keep->d);
    who_show(&k);
    history_save(&k);
    if (w->config.ops.merged)
        w->config.ops.merged(w->config.ops.ctx, c, &keep->d, &gone->d);
    watch_remember_merged(w, &gone->d);
    node_free(gone);
}

void merge_moved(struct node *n)
{
    struct watch *w = n->watch;
    struct node *keep = n->same_as ? watch_node(w, n->same_as) : NULL;
    struct change *c;

    n->same_as = 0;
    if (!keep || keep->status.state != DEVICE_DOWN)
        return;
    c = change_new();
    absorb(w, keep, n, NULL, c);
    w->config.ops.submit(w->config.ops.ctx, c, true, NULL, NULL);
}

int watch_device_merge(struct watch *w, int64_t keep_id, int64_t gone_id, const char *actor, struct change *c,
                       char **why)
{
    struct node *keep = watch_node(w, keep_id), *gone = watch_node(w, gone_id);

    if (!keep || !gone)
        return PD_ENOENT;
    if (keep == gone) {
        *why = xasprintf("%s is one device already", keep->d.name);
        return PD_EINVAL;
    }
    if (keep->collector != gone->collector) {
        *why = xasprintf("%s is read by %s, %s by %s: they are not one device", keep->d.name, keep->d.collector,
                         gone->d.name, gone->d.collector);
        return PD_EINVAL;
    }
    absorb(w, keep, gone, actor, c);
    return 0;
}

void watch_remember_merged(struct watch *w, const struct device *d)
{
    struct device copy;

    device_copy(&copy, d);
    array_push(&w->merged, copy);
}

static struct device *merged_named(struct watch *w, const char *name)
{
    for (size_t i = w->merged.n; i-- > 0;)
        if (str_eq(w->merged.v[i].name, name))
            return &w->merged.v[i];
    return NULL;
}

/* Whether what was taken for it stands at its place, and has one to go back to. */
static bool stands_at(const struct node *keep, const struct device *gone)
{
    char *theirs = address_key(gone), *ours = address_key(&keep->d);
    bool same = gone->moved_from && str_eq(theirs, ours);

    free(theirs);
    free(ours);
    return same;
}

static void give_place_back(struct watch *w, struct node *keep, const struct device *gone, struct change *c)
{
    struct turn t = command_turn(w, keep, c);
    struct device before = keep->d;

    before.address = gone->moved_from;
    take_place(&t, &before);
    who_set_identity(keep, NULL); /* whoever stands there now; what the other counted is none of its */
    total_break(&t);
    history_break(keep);
    history_save(&t);
    change_put_device(c, &keep->d);
}

/* Whether the merged one could be added again, and the other go `back` (NULL: it stays): nothing is changed. */
static int may_split(struct watch *w, struct node *keep, const struct device *again, const char *back, char **why)
{
    struct device_wish wishes[2] = {{.what = NULL}, {.what = NULL}};
    size_t n = back ? 2 : 1;
    int rc;

    device_copy(&wishes[0].device, again);
    if (back) {
        device_copy(&wishes[1].device, &keep->d);
        xstrset(&wishes[1].device.address, back);
        node_leave(w, keep);
    }
    rc = watch_devices_put(w, wishes, n, NULL, NULL);
    if (back)
        node_settle(w, keep);
    for (size_t i = 0; i < n; i++) {
        if (wishes[i].why && !*why)
            *why = wishes[i].why;
        else
            free(wishes[i].why);
        device_fini(&wishes[i].device);
    }
    return rc;
}

int watch_device_split(struct watch *w, const char *name, const char *actor, struct change *c, int64_t *id, char **why)
{
    struct device *gone = merged_named(w, name), again;
    struct node *keep = gone ? watch_node(w, gone->merged_into) : NULL, *n;
    bool gives;
    int rc;

    if (!gone) {
        *why = xasprintf("no device '%s' was merged into another", name);
        return PD_ENOENT;
    }
    gives = keep && stands_at(keep, gone);
    device_copy(&again, gone);
    again.id = 0;
    again.retired = false;
    again.merged_into = 0;
    xstrset(&again.moved_from, NULL);
    rc = may_split(w, keep, &again, gives ? gone->moved_from : NULL, why);
    if (rc == 0 && gives)
        give_place_back(w, keep, gone, c);
    if (rc == 0)
        rc = watch_device_add(w, &again, actor, c, id, why);
    device_fini(&again);
    if (rc < 0)
        return rc;
    n = watch_node(w, *id);
    if (n && keep) {
        struct turn t = command_turn(w, n, c);
        struct event *e = turn_event(&t, "device.split");

        e->actor = xstrdup_null(actor);
        event_arg(e, "name", n->d.name);
        event_arg(e, "from", keep->d.name);
        if (w->config.ops.split)
            w->config.ops.split(w->config.ops.ctx, c, &n->d, gone);
        who_set_twin(&t, n, keep->d.name); /* they are two, whatever they say */
        who_set_twin(&t, keep, n->d.name);
    }
    device_fini(gone);
    array_remove(&w->merged, (size_t)(gone - w->merged.v));
    return 0;
}
