#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "watch/internal.h"

enum {
    MAX_NAME = 100,
    ADD_GAP_MS = 20, /* devices added in one go are first polled so far apart */
};

/* A command's turn builds on the caller's change. */
static struct turn command_turn(struct watch *w, struct node *n, struct change *c)
{
    struct turn t = turn_begin(w, n);

    t.change = c;
    return t;
}

/* ---- device add ---- */

static int refuse(char **why, int err, char *text)
{
    *why = text;
    return err;
}

static bool good_name(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    char *clean;
    bool same;

    if (n == 0 || n > MAX_NAME)
        return false;
    clean = str_clean(name, n, n);
    same = strcmp(clean, name) == 0;
    free(clean);
    return same;
}

static const struct device *at_address(const struct watch *w, const struct device *d)
{
    uint64_t id;
    void *node;

    for (size_t at = 0; u64dict_next(w->nodes, &at, &id, &node);) {
        const struct device *other = &((struct node *)node)->d;

        if (str_eq(other->address, d->address) && other->port == d->port && str_eq(other->collector, d->collector))
            return other;
    }
    return NULL;
}

/* Fills in what was not said: the first collector, the first credential. */
static void add_defaults(const struct watch *w, struct device *d)
{
    const struct settings *s = w->config.settings;

    if (!d->collector && w->config.ncollectors)
        d->collector = xstrdup(w->config.collector_ops[0]->name);
    if (!d->credential && s->credentials.n)
        d->credential = xstrdup(s->credentials.v[0].name);
}

static int check_device(const struct watch *w, const struct device *d, char **why)
{
    const struct device *other;

    if (!good_name(d->name))
        return refuse(why, PD_EINVAL, xasprintf("a device needs a name of 1 to %d bytes of plain text", MAX_NAME));
    if (!d->address || !*d->address)
        return refuse(why, PD_EINVAL, xasprintf("%s needs an address", d->name));
    if (!d->credential)
        return refuse(why, PD_EINVAL, xstrdup("no credential is configured (credentials: in patrold.yaml)"));
    if (!settings_credential(w->config.settings, d->credential))
        return refuse(why, PD_EINVAL, xasprintf("there is no credential '%s' in the configuration", d->credential));
    if (watch_collector(w, d->collector) < 0)
        return refuse(why, PD_EINVAL, xasprintf("there is no collector '%s'", d->collector ? d->collector : ""));
    if (d->profile_wish && !knowledge_profile(watch_knowledge(w), d->profile_wish))
        return refuse(why, PD_EINVAL, xasprintf("there is no profile '%s'", d->profile_wish));
    if (dict_get(w->names, d->name))
        return refuse(why, PD_EEXIST, xasprintf("there is a device named '%s' already", d->name));
    other = at_address(w, d);
    if (other)
        return refuse(why, PD_EEXIST, xasprintf("%s is polled already as '%s'", d->address, other->name));
    return 0;
}

/* A node for it, opened: the collector knows what an address is. */
static int open_new(struct watch *w, const struct device *d, struct node **out, char **why)
{
    struct node *n = node_new(w, d, (unsigned)watch_collector(w, d->collector));
    int rc = schedule_open(n);

    if (rc == 0) {
        *out = n;
        return 0;
    }
    node_free(n);
    if (rc == PD_EINVAL)
        return refuse(why, rc, xasprintf("'%s' is not an IPv4 or IPv6 address", d->address));
    return refuse(why, rc, xasprintf("%s can't be opened: %s", d->address, pd_strerror(rc)));
}

static void enrol(struct turn *t, const char *actor)
{
    struct node *n = t->n;
    struct watch *w = t->w;
    struct event *e = turn_event(t, "device.added");

    e->actor = xstrdup_null(actor);
    event_arg(e, "name", n->d.name);
    event_arg(e, "address", n->d.address);
    change_put_device(turn_change(t), &n->d);
    node_add(w, n);
    node_add_device_unit(t);
    judge_fit(t);
    w->next_add_ms = w->next_add_ms >= t->mono ? w->next_add_ms + ADD_GAP_MS : t->mono;
    schedule_first(n, w->next_add_ms);
    n->identify_ms = w->next_add_ms;
    schedule_next(n);
}

int watch_device_add(struct watch *w, const struct device *d, const char *actor, struct change *c, int64_t *id,
                     char **why)
{
    struct device wanted;
    struct node *n = NULL;
    int rc;

    device_copy(&wanted, d);
    add_defaults(w, &wanted);
    wanted.added_ms = watch_wall(w);
    rc = check_device(w, &wanted, why);
    if (rc == 0)
        rc = open_new(w, &wanted, &n, why);
    if (rc == 0) {
        struct turn t = command_turn(w, n, c);

        n->d.id = ++w->last_device_id;
        enrol(&t, actor);
        *id = n->d.id;
    }
    device_fini(&wanted);
    return rc;
}

/* ---- The other commands ---- */

int watch_device_remove(struct watch *w, int64_t id, const char *actor, struct change *c)
{
    struct node *n = watch_node(w, id);
    struct turn t;
    struct event *e;

    if (!n)
        return PD_ENOENT;
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
    dict_del(w->names, n->d.name);
    u64dict_del(w->nodes, (uint64_t)id);
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
    if (n->read)
        n->poll_wanted = true;
    else
        schedule_now(n);
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
