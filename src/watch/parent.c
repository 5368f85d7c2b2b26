#include "watch/internal.h"

/*
 * A device is reached by its parent, and that by its own: while one of them is
 * down, those behind it can't answer, and nothing is told of them. Which way round
 * they fell silent does not matter: a parent counts as down from its first poll without
 * an answer, and what is behind it is told no sooner than it would be by itself.
 */
enum { MAX_DEPTH = 100 }; /* a circle is refused when it is set; one in the database ends here */

/* Silent, and not merely its SNMP. */
static bool is_down(const struct node *n)
{
    const struct tables *tables = &n->watch->tables;
    const struct unit *u = &n->units.v[n->device_unit];
    struct value ping = unit_point(n, u, tables->ping);

    return n->silent > 0 && !(ping.quality == QUALITY_GOOD && ping.type == VALUE_BOOL && ping.b);
}

const struct node *parent_down(const struct node *n)
{
    const struct node *at = n;

    for (unsigned depth = 0; depth < MAX_DEPTH && at->d.parent; depth++) {
        at = dict_get(n->watch->names, at->d.parent);
        if (!at || at == n)
            return NULL;
        if (is_down(at))
            return at;
    }
    return NULL;
}

/* The device is alone silent now: it is told when that has lasted as long as its rule, and being down, wants. */
static void reveal(struct turn *t, struct fault *f, bool covered)
{
    const struct rule *r = knowledge_rule(watch_knowledge(t->w), f->alert.rule);
    int64_t grace = (DOWN_AFTER - 1) * rhythm_every(t->n, PART_STATUS);

    if (covered) {
        f->alone_ms = 0;
        return;
    }
    if (f->alone_ms == 0)
        f->alone_ms = t->asked_ms;
    if (!r || t->asked_ms - f->alone_ms >= (r->hold_ms > grace ? r->hold_ms : grace))
        fault_tell(t, f);
}

void parent_reveal(struct turn *t)
{
    struct node *n = t->n;
    bool looked = false, covered = false;

    for (size_t i = 0; i < n->faults.n; i++) {
        if (!n->faults.v[i]->alert.suppressed)
            continue;
        if (!looked)
            covered = parent_down(n) != NULL;
        looked = true;
        reveal(t, n->faults.v[i], covered);
    }
}
