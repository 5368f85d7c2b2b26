#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/identity.h"
#include "watch/internal.h"

/*
 * Who a device is (model/identity.h), looked at whenever it was read who it says it is:
 *
 * - At its place stands who stood there: fine. If its address was changed meanwhile it has moved (device.moved).
 * - Somebody else stands there: a swap (device.swapped), of which the operator is asked; what counters rise by no longer
 *   counts on from before.
 * - A device that is new to us is one that is known and does not answer any more: it has moved, and its record goes on
 *   there. Where both answer after they have met they are two that say the same (device.conflict); and once they did,
 *   neither is ever taken for the other. One lost read decides nothing.
 */

static struct identity_marks marks_of(const struct device *d, const char *place)
{
    return (struct identity_marks){
        .make = d->make, .serial = d->serial, .mac = d->mac, .engine_id = d->engine_id, .place = place};
}

/* ---- Who has which identity ---- */

void who_index(struct node *n)
{
    struct watch *w = n->watch;

    if (identity_rank(n->d.identity) > IDENTITY_PLACE && !dict_get(w->identities, n->d.identity))
        dict_put(w->identities, n->d.identity, n);
}

void who_forget(struct node *n)
{
    struct watch *w = n->watch;
    uint64_t id;
    void *other;

    if (!n->d.identity || dict_get(w->identities, n->d.identity) != n)
        return;
    dict_del(w->identities, n->d.identity);
    for (size_t at = 0; u64dict_next(w->nodes, &at, &id, &other);)
        if (other != n && str_eq(((struct node *)other)->d.identity, n->d.identity))
            who_index(other); /* the first that says so: no more than one can have it */
}

void who_set_identity(struct node *n, const char *identity)
{
    if (!str_eq(n->d.identity, identity))
        who_forget(n);
    xstrset(&n->d.identity, identity);
    who_index(n);
}

/* ---- Two that say the same ---- */

static struct node *twin_of(const struct node *n)
{
    struct node *other = n->d.twin ? dict_get(n->watch->names, n->d.twin) : NULL;

    return other != n ? other : NULL;
}

void who_set_twin(struct turn *t, struct node *n, const char *name)
{
    if (str_eq(n->d.twin, name))
        return;
    xstrset(&n->d.twin, name);
    change_put_device(turn_change(t), &n->d);
}

static void begin_conflict(struct turn *t, struct node *other)
{
    struct event *e = turn_event(t, "device.conflict");

    event_arg(e, "name", t->n->d.name);
    event_arg(e, "address", t->n->d.address);
    event_arg(e, "other", other->d.name);
    event_arg(e, "other_address", other->d.address);
    event_arg(e, "identity", t->n->d.identity);
    who_set_twin(t, t->n, other->d.name);
    who_set_twin(t, other, t->n->d.name);
}

static void end_conflict(struct turn *t)
{
    struct node *other = twin_of(t->n);
    struct event *e = turn_event(t, "device.conflict-over");

    event_arg(e, "name", t->n->d.name);
    event_arg(e, "other", t->n->d.twin);
    if (other && str_eq(other->d.twin, t->n->d.name))
        who_set_twin(t, other, NULL);
    who_set_twin(t, t->n, NULL);
}

void who_left(struct watch *w, const char *name, struct change *c)
{
    uint64_t id;
    void *node;

    for (size_t at = 0; u64dict_next(w->nodes, &at, &id, &node);) {
        struct turn t = command_turn(w, node, c);

        if (!str_eq(t.n->d.twin, name))
            continue;
        end_conflict(&t);
        who_show(&t);
    }
}

/* The one that had its identity before it came; NULL. */
static struct node *namesake(const struct node *n)
{
    struct node *other = n->d.identity ? dict_get(n->watch->identities, n->d.identity) : NULL;

    return other != n ? other : NULL;
}

/* So that a read that was lost makes nobody silent. */
static bool is_silent(const struct turn *t, const struct node *n)
{
    return n->status.state == DEVICE_DOWN && t->mono - n->answered_ms >= STALE_AFTER * rhythm_every(n, PART_STATUS);
}

/* The two answer at the same time if the other still does after this one was met. */
static void compare(struct turn *t, struct node *other)
{
    struct node *n = t->n;
    bool older = other->d.added_ms <= n->d.added_ms;

    if (n->same_ms == 0)
        n->same_ms = t->mono;
    if (other->status.state == DEVICE_UP && other->answered_ms > n->same_ms && !other->d.claims) {
        n->same_ms = 0;
        begin_conflict(t, other);
    } else if (is_silent(t, other) && older && other->collector == n->collector && !other->d.twin && !other->d.claims) {
        n->same_ms = 0;
        n->same_as = other->d.id;
    }
}

static void look_for_twin(struct turn *t)
{
    struct node *n = t->n, *twin = twin_of(n), *other = namesake(n);

    if (n->d.twin && (!twin || !identity_same(twin->d.identity, n->d.identity))) {
        end_conflict(t);
        who_index(n);
    }
    if (other && !n->d.twin && !n->d.claims)
        compare(t, other);
    else
        n->same_ms = 0;
}

void who_wait(struct turn *t)
{
    if (t->n->same_ms)
        look_for_twin(t);
}

/* ---- Who stands at the place ---- */

void who_tell_moved(struct turn *t, const char *from)
{
    struct event *e = turn_event(t, "device.moved");

    event_arg(e, "name", t->n->d.name);
    event_arg(e, "from", from);
    event_arg(e, "to", t->n->d.address);
}

static void take_for(struct turn *t, const char *identity)
{
    who_set_identity(t->n, identity);
    xstrset(&t->n->d.moved_from, NULL);
    change_put_device(turn_change(t), &t->n->d);
}

static void tell_confirmed(struct turn *t, const char *answer, const char *actor)
{
    struct event *e = turn_event(t, "device.confirmed");

    e->actor = xstrdup_null(actor);
    event_arg(e, "name", t->n->d.name);
    event_arg(e, "answer", answer);
    event_arg(e, "before", t->n->d.identity);
    event_arg(e, "after", t->n->d.claims);
}

/* It is who it was. */
static void is_itself(struct turn *t, const char *identity)
{
    struct device *d = &t->n->d;
    bool changed = d->claims || d->moved_from || !str_eq(d->identity, identity);

    if (d->claims)
        tell_confirmed(t, "back", NULL);
    if (d->moved_from)
        who_tell_moved(t, d->moved_from);
    xstrset(&d->claims, NULL);
    xstrset(&d->moved_from, NULL);
    who_set_identity(t->n, identity);
    if (changed)
        change_put_device(turn_change(t), d);
}

static void is_another(struct turn *t, const char *identity)
{
    struct device *d = &t->n->d;
    const struct node *whose = dict_get(t->w->identities, identity);
    struct event *e;

    if (identity_same(d->claims, identity))
        return;
    e = turn_event(t, "device.swapped");
    event_arg(e, "name", d->name);
    event_arg(e, "before", d->identity);
    event_arg(e, "after", identity);
    if (whose && whose != t->n)
        event_arg(e, "known_as", whose->d.name);
    xstrset(&d->claims, identity);
    xstrset(&d->moved_from, NULL);
    change_put_device(turn_change(t), d);
    total_break(t);
    history_break(t->n);
}

void who_look(struct turn *t)
{
    struct device *d = &t->n->d;
    enum identity_rank known = identity_rank(d->identity);
    char *place = address_key(d);
    const struct identity_marks marks = marks_of(d, place);
    char *best = identity_best(&marks), *now = known > IDENTITY_PLACE ? identity_of_rank(&marks, known) : NULL;

    if (now && !identity_same(now, d->identity))
        is_another(t, now);
    else if (identity_rank(best) > known || (known == IDENTITY_PLACE && !str_eq(best, d->identity)))
        take_for(t, best);
    else if (now)
        is_itself(t, now);
    look_for_twin(t);
    free(place);
    free(best);
    free(now);
}

void who_show(struct turn *t)
{
    inventory_fill(t, t->w->tables.swapped, value_bool(t->n->d.claims != NULL));
    inventory_fill(t, t->w->tables.conflict, value_bool(t->n->d.twin != NULL));
}

/* ---- The operator's answer ---- */

/* Who is known to stand here now stands no more where another record has it: nobody knows who will. */
static void vacate(const struct turn *t, const char *identity)
{
    struct node *other = dict_get(t->w->identities, identity);
    struct turn o;

    if (!other || other == t->n || other->status.state == DEVICE_UP || other->d.claims)
        return;
    o = command_turn(t->w, other, t->change);
    who_set_identity(other, NULL);
    change_put_device(t->change, &other->d);
    total_break(&o);
    history_break(other);
    history_save(&o);
}

int watch_device_confirm(struct watch *w, int64_t id, bool swapped, const char *actor, struct change *c, char **why)
{
    struct node *n = watch_node(w, id);
    struct turn t;

    if (!n)
        return PD_ENOENT;
    if (!n->d.claims) {
        *why = xasprintf("nothing is asked of %s: who stands there is who stood there", n->d.name);
        return PD_ESTATE;
    }
    t = command_turn(w, n, c);
    tell_confirmed(&t, swapped ? "swapped" : "same", actor);
    vacate(&t, n->d.claims);
    who_set_identity(n, n->d.claims);
    xstrset(&n->d.claims, NULL);
    if (swapped) { /* those were of the machine that is gone */
        xstrset(&n->d.asset, NULL);
        n->d.installed_day = n->d.accepted_day = n->d.warranty_day = 0;
    }
    change_put_device(c, &n->d);
    who_show(&t);
    return 0;
}

/* ---- Doubt ---- */

/* What its modules tell of it counts only where they tell anything. */
void who_doubt(struct node *n)
{
    const struct profile *p = n->speech ? n->speech->profile : NULL;

    n->doubt = 0;
    n->halves = 0;
    if (identify_asks(n->watch, n->collector)) {
        n->identify_ms = watch_mono(n->watch);
        n->doubt |= DOUBT_IDENTIFY;
    }
    if (p && p->identities.n > 0) {
        n->due_ms[PART_INVENTORY] = watch_mono(n->watch);
        n->doubt |= DOUBT_INVENTORY;
    }
}
