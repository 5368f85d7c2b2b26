#include <limits.h>
#include <string.h>

#include "conf/drafts.h"

/*
 * The module `identify`, of which every device is asked the first component. A further one is asked only where its
 * `when` is true, over what the first says: so what tells a few devices apart costs the others nothing.
 */
enum { MAX_ASKS = 31 }; /* each is a part of a read */

static void add_name(struct loader *l, struct scope *scope, const char *name, unsigned slot, struct yaml_node *here)
{
    struct identification *id = &l->k->identification;

    for (size_t i = 0; i + 1 < scope->list.n; i++)
        if (str_eq(scope->list.v[i].name, name)) {
            conf_error(l->report, here, "an earlier component of 'identify' has the name '%s', too", name);
            break;
        }
    for (unsigned i = 0; i < IDENTIFY_KNOWN; i++)
        if (str_eq(name, identify_known_names[i]))
            id->known[i] = (unsigned)id->names.n;
    array_push(&id->names, ((struct identify_name){.ask = (unsigned)id->asks.n, .slot = slot}));
}

static void add_ask(struct loader *l, struct scope *scope, const struct component_draft *from,
                    const struct component_def *def)
{
    struct identify_ask ask = {.def = def};

    if (def->table || !def->kind || !str_eq(def->kind->name, DEVICE_KIND))
        conf_error(l->report, from->here, "a component of 'identify' must be of kind device and 'table: false'");
    if (from->when && scope->list.n > 0)
        ask.when = scope_compile(scope, from->when, VALUE_BOOL, l->report);
    else if (scope->list.n > 0)
        conf_error(l->report, from->here, "a further component of 'identify' needs 'when': of whom it is asked");
    else if (from->when)
        conf_error(l->report, from->when, "the first component of 'identify' is asked of every device");
    for (size_t i = 0; i < def->columns.n; i++) {
        scope_add_column(scope, "", &def->columns.v[i]);
        add_name(l, scope, def->columns.v[i].name, (unsigned)i, from->here);
    }
    for (size_t i = 0; i < def->computed.n; i++) {
        scope_add(scope, "", def->computed.v[i].name, expr_type(def->computed.v[i].value), NULL);
        add_name(l, scope, def->computed.v[i].name, def->computed.v[i].slot, from->here);
    }
    array_push(&l->k->identification.asks, ask);
}

void identify_build(struct loader *l, const struct module_draft *from, const struct module *m)
{
    struct scope scope = {0};

    l->k->identify = m;
    for (unsigned i = 0; i < IDENTIFY_KNOWN; i++)
        l->k->identification.known[i] = UINT_MAX;
    if (m->components.n == 0 || m->components.n > MAX_ASKS)
        conf_error(l->report, from->name, "the module 'identify' must have 1 to %d components", MAX_ASKS);
    for (size_t i = 0; i < m->components.n && i < MAX_ASKS; i++)
        add_ask(l, &scope, &from->components.v[i], &m->components.v[i]);
    scope_fini(&scope);
}

void identify_scope(const struct loader *l, struct scope *scope)
{
    const struct identification *id = &l->k->identification;

    for (size_t i = 0; i < id->names.n; i++) {
        const struct component_def *def = id->asks.v[id->names.v[i].ask].def;
        unsigned slot = id->names.v[i].slot;

        if (slot < def->columns.n)
            scope_add_column(scope, "", &def->columns.v[slot]);
        for (size_t c = 0; c < def->computed.n; c++)
            if (def->computed.v[c].slot == slot)
                scope_add(scope, "", def->computed.v[c].name, expr_type(def->computed.v[c].value), NULL);
    }
}
