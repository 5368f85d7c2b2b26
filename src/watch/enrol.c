#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/archive.h"
#include "watch/internal.h"

enum {
    MAX_NAME = 100,
    MAX_DEPTH = 50, /* devices that are reached by one another, in a row */
};

/* ---- Whether a wish makes sense ---- */

static int refuse(struct device_wish *wish, const char *field, int err, char *why)
{
    wish->field = field;
    wish->err = err;
    wish->why = why;
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

/* Whether its collector wants no credential. */
static bool asked_without(const struct watch *w, const struct device *d)
{
    int collector = watch_collector(w, d->collector);

    return collector >= 0 && w->config.collector_ops[collector]->no_credential;
}

/* Who reads the profile that is wished for, else the first collector. */
static const char *wished_collector(const struct watch *w, const struct device *d)
{
    const struct profile *p = d->profile_wish ? knowledge_profile(watch_knowledge(w), d->profile_wish) : NULL;
    const char *by = p ? profile_collector(p) : NULL;

    return by ? by : w->config.collector_ops[0]->name;
}

/* Fills in what was not said: the profile's collector or the first, the first credential. */
static void add_defaults(const struct watch *w, struct device *d)
{
    const struct settings *s = w->config.settings;

    if (!d->collector && w->config.ncollectors)
        d->collector = xstrdup(wished_collector(w, d));
    if (!d->credential && s->credentials.n && !asked_without(w, d))
        d->credential = xstrdup(s->credentials.v[0].name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct profile *const *)a)->name, (*(const struct profile *const *)b)->name);
}

/* Complains that there is no profile, with those that would do. */
static char *which_profile(const struct watch *w, const struct device *d)
{
    const struct knowledge *k = watch_knowledge(w);
    ARRAY(const struct profile *) fit = {0};
    struct sbuf text = {0};

    for (size_t i = 0; i < k->profiles.n; i++) {
        const char *by = profile_collector(k->profiles.v[i]);

        if (by && str_eq(by, d->collector))
            array_push(&fit, k->profiles.v[i]);
    }
    if (fit.n > 0)
        qsort(fit.v, fit.n, sizeof *fit.v, by_name);
    sbuf_addf(&text, "%s needs a profile: a device can't be asked by %s what it is", d->name, d->collector);
    for (size_t i = 0; i < fit.n; i++)
        sbuf_addf(&text, "%s%s (%s)", i ? ", " : "; there are ", fit.v[i]->name, fit.v[i]->device_class);
    array_free(&fit);
    return sbuf_take(&text);
}

/* The profile that is wished for is there and read by its collector; who can't be asked what it is needs one. */
static int check_profile(const struct watch *w, struct device_wish *wish)
{
    const struct device *d = &wish->device;
    const struct profile *p = d->profile_wish ? knowledge_profile(watch_knowledge(w), d->profile_wish) : NULL;

    if (!d->profile_wish && !identify_asks(w, (unsigned)watch_collector(w, d->collector)))
        return refuse(wish, "profile", PD_EINVAL, which_profile(w, d));
    if (d->profile_wish && !p)
        return refuse(wish, "profile", PD_EINVAL, xasprintf("there is no profile '%s'", d->profile_wish));
    if (p && profile_collector(p) && !str_eq(profile_collector(p), d->collector))
        return refuse(wish, "profile", PD_EINVAL,
                      xasprintf("profile '%s' is read by %s, not by %s", p->name, profile_collector(p), d->collector));
    return 0;
}

static int check_said(const struct watch *w, struct device_wish *wish)
{
    const struct device *d = &wish->device;

    if (!good_name(d->name))
        return refuse(wish, "name", PD_EINVAL,
                      xasprintf("a device needs a name of 1 to %d bytes of plain text", MAX_NAME));
    if (!d->address || !*d->address)
        return refuse(wish, "address", PD_EINVAL, xasprintf("%s needs an address", d->name));
    if (!d->credential && !asked_without(w, d))
        return refuse(wish, "credential", PD_EINVAL,
                      xstrdup("no credential is configured (credentials: in patrold.yaml)"));
    if (d->credential && !settings_credential(w->config.settings, d->credential))
        return refuse(wish, "credential", PD_EINVAL,
                      xasprintf("there is no credential '%s' in the configuration", d->credential));
    if (watch_collector(w, d->collector) < 0)
        return refuse(wish, "collector", PD_EINVAL,
                      xasprintf("there is no collector '%s'", d->collector ? d->collector : ""));
    return check_profile(w, wish);
}

/* Names and places that the wishes before this one have taken: text -> wish. */
struct taken {
    struct dict *names, *places;
};

static int check_place(const struct watch *w, struct device_wish *wish, struct taken *taken)
{
    const struct device *d = &wish->device;
    char *key = address_key(d);
    const struct node *there = dict_get(w->addresses, key);
    const struct device_wish *twin = dict_put(taken->places, key, wish);

    free(key);
    if (there && there->d.id != d->id)
        return refuse(wish, "address", PD_EEXIST, xasprintf("%s is polled already as '%s'", d->address, there->d.name));
    if (twin)
        return refuse(wish, "address", PD_EEXIST, xasprintf("%s is that of '%s' too", d->address, twin->device.name));
    return 0;
}

static int check_name(const struct watch *w, struct device_wish *wish, struct taken *taken)
{
    const struct node *there = dict_get(w->names, wish->device.name);
    const struct device_wish *twin = dict_put(taken->names, wish->device.name, wish);

    if (twin || (there && there->d.id != wish->device.id))
        return refuse(wish, "name", PD_EEXIST,
                      xasprintf(twin ? "there are two devices named '%s'" : "there is a device named '%s' already",
                                wish->device.name));
    return 0;
}

/* The device that will have this name when all wishes are granted; NULL. */
static const struct device *named(const struct watch *w, const struct taken *taken, const char *name)
{
    const struct device_wish *wish = dict_get(taken->names, name);

    return wish ? &wish->device : watch_device_named(w, name);
}

/* Who is reached by a device that is reached by it, in words; free it. */
static char *circle(const struct watch *w, const struct taken *taken, const struct device *d)
{
    const struct device *at = d;
    struct sbuf chain = {0};

    do {
        sbuf_addf(&chain, "%s → ", at->name);
        at = named(w, taken, at->parent);
    } while (at != d);
    sbuf_addf(&chain, "%s is a circle", d->name);
    return sbuf_take(&chain);
}

/* That what it is reached by is there, and is not reached by it. A circle further up is told of those in it. */
static int check_parent(const struct watch *w, struct device_wish *wish, const struct taken *taken)
{
    const struct device *d = &wish->device, *at = d;

    for (unsigned depth = 0; at->parent; depth++) {
        at = named(w, taken, at->parent);
        if (!at && depth == 0)
            return refuse(wish, "parent", PD_EINVAL, xasprintf("there is no device '%s'", d->parent));
        if (at == d)
            return refuse(wish, "parent", PD_EINVAL, circle(w, taken, d));
        if (!at)
            return 0;
        if (depth == MAX_DEPTH)
            return refuse(wish, "parent", PD_EINVAL,
                          xasprintf("more than %d devices stand one behind the other", MAX_DEPTH));
    }
    return 0;
}

static const char *what_addresses_are(const struct watch *w, const struct device *d)
{
    const char *words = w->config.collector_ops[watch_collector(w, d->collector)]->addresses;

    return words ? words : "an IPv4 or IPv6 address";
}

/* A node for it, opened: the collector knows what an address is. */
static int open_new(struct watch *w, struct device_wish *wish, struct node **out)
{
    const struct device *d = &wish->device;
    struct node *n = node_new(w, d, (unsigned)watch_collector(w, d->collector));
    int rc = schedule_open(n);

    if (rc == 0) {
        *out = n;
        return 0;
    }
    node_free(n);
    if (rc == PD_EINVAL)
        return refuse(wish, "address", rc, xasprintf("'%s' is not %s", d->address, what_addresses_are(w, d)));
    return refuse(wish, "address", rc, xasprintf("%s can't be opened: %s", d->address, pd_strerror(rc)));
}

/* Whether a known device is to be reached in another way. */
static bool moves(const struct device *a, const struct device *b)
{
    return !str_eq(a->address, b->address) || a->port != b->port || a->unit != b->unit ||
           !str_eq(a->collector, b->collector) || !str_eq(a->credential, b->credential);
}

/* *fresh: the node of a new device, opened. */
static int check_wish(struct watch *w, struct device_wish *wish, struct taken *taken, struct node **fresh)
{
    const struct node *known = wish->device.id ? watch_node(w, wish->device.id) : NULL;
    struct node *trial = NULL;
    int rc;

    add_defaults(w, &wish->device);
    rc = check_said(w, wish);
    if (rc == 0)
        rc = check_name(w, wish, taken);
    if (rc == 0)
        rc = check_place(w, wish, taken);
    if (rc == 0 && (!known || moves(&known->d, &wish->device)))
        rc = open_new(w, wish, known ? &trial : fresh);
    if (trial)
        node_free(trial);
    return rc;
}

/* ---- Carrying it out ---- */

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
    identify_told(t);
    n->identify_ms = n->answered_ms = rhythm_meet(n);
    rhythm_first(n, n->identify_ms);
    n->history_ms = t->mono + history_phase(n);
    rhythm_wait(n);
}

static void add_device(struct watch *w, struct device_wish *wish, struct node *n, const char *actor, struct change *c)
{
    struct turn t = command_turn(w, n, c);

    n->d.added_ms = t.wall;
    n->d.id = wish->device.id = ++w->last_device_id;
    enrol(&t, actor);
}

/* What the operator says goes over; what was found out stays. */
static void take_said(struct device *d, const struct device *said)
{
    const struct archive_def *def = archive_def(ARCHIVE_DEVICE);
    char *why = NULL;

    for (size_t i = 0; i < def->nfields; i++) {
        struct sbuf text = {0};

        archive_field_text(&def->fields[i], said, &text);
        archive_field_set(&def->fields[i], d, text.s, &why);
        sbuf_free(&text);
    }
    free(why);
}

/* Who is reached in another way, or to be taken for something else, is identified anew. */
static void change_device(struct watch *w, struct device_wish *wish, const char *actor, struct change *c)
{
    struct node *n = watch_node(w, wish->device.id);
    struct turn t = command_turn(w, n, c);
    bool moved = moves(&n->d, &wish->device), begin = moved || !str_eq(n->d.profile_wish, wish->device.profile_wish);
    struct event *e = turn_event(&t, "device.changed");

    e->actor = xstrdup_null(actor);
    event_arg(e, "name", n->d.name);
    event_arg(e, "what", wish->what);
    if (begin)
        schedule_stop(n);
    if (moved)
        schedule_close(n);
    node_leave(w, n);
    if (!str_eq(n->d.address, wish->device.address) && !n->d.moved_from)
        n->d.moved_from = xstrdup(n->d.address);
    take_said(&n->d, &wish->device);
    if (n->collector != (unsigned)watch_collector(w, n->d.collector))
        n->speech = NULL; /* it is another's */
    n->collector = (unsigned)watch_collector(w, n->d.collector);
    node_settle(w, n);
    change_put_device(c, &n->d);
    judge_fit(&t);
    if (begin) {
        identify_told(&t);
        who_doubt(n);
        n->identify_ms = t.mono;
        node_begin(n, t.mono);
    }
}

int watch_devices_put(struct watch *w, struct device_wish *wishes, size_t n, const char *actor, struct change *c)
{
    struct node **fresh = xcalloc(n + 1, sizeof(struct node *));
    struct taken taken = {dict_new(), dict_new()};
    int rc = 0;

    for (size_t i = 0; i < n; i++)
        if (check_wish(w, &wishes[i], &taken, &fresh[i]) < 0)
            rc = PD_EINVAL;
    for (size_t i = 0; i < n; i++)
        if (wishes[i].err == 0 && check_parent(w, &wishes[i], &taken) < 0)
            rc = PD_EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (fresh[i] && (rc < 0 || !c))
            node_free(fresh[i]);
        else if (fresh[i])
            add_device(w, &wishes[i], fresh[i], actor, c);
        else if (rc == 0 && c && wishes[i].what)
            change_device(w, &wishes[i], actor, c);
    }
    dict_free(taken.names);
    dict_free(taken.places);
    free(fresh);
    return rc;
}

int watch_device_add(struct watch *w, const struct device *d, const char *actor, struct change *c, int64_t *id,
                     char **why)
{
    struct device_wish wish = {.what = NULL};
    int rc;

    device_copy(&wish.device, d);
    wish.device.id = 0;
    rc = watch_devices_put(w, &wish, 1, actor, c);
    if (rc == 0) {
        *id = wish.device.id;
    } else {
        rc = wish.err;
        *why = wish.why;
    }
    device_fini(&wish.device);
    return rc;
}

void watch_site_renamed(struct watch *w, const char *from, const char *to, struct change *c)
{
    uint64_t id;
    void *node;

    for (size_t at = 0; u64dict_next(w->nodes, &at, &id, &node);) {
        struct node *n = node;
        struct turn t = command_turn(w, n, c);

        if (!str_eq(n->d.site, from))
            continue;
        xstrset(&n->d.site, to);
        change_put_device(c, &n->d);
        judge_fit(&t);
    }
}
