#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/profiles.h"

/* What a profile has from another, and whose word each thing is. */

/* ---- Who extends whom ---- */

static struct profile_draft *parent_of(struct loader *l, const struct profile_draft *d)
{
    return str_eq(d->extends->text, d->name->text) ? d->replaced : dict_get(l->profiles->names, d->extends->text);
}

static void complain_parent(struct loader *l, struct profile_draft *d)
{
    ARRAY(const char *) known = {0};

    if (str_eq(d->extends->text, d->name->text)) {
        conf_error(l->report, d->extends, "profile '%s' extends itself: no earlier folder has one of that name",
                   d->name->text);
        return;
    }
    for (size_t i = 0; i < l->profiles->list.n; i++)
        array_push(&known, l->profiles->list.v[i]->name->text);
    array_push(&known, NULL);
    unknown_name(d->extends, "profile", known.v, l->report);
    array_free(&known);
}

/* Everybody from d on was asked and none has an end. */
static void complain_circle(struct loader *l, struct profile_draft *d)
{
    struct sbuf circle = {0};

    for (const struct profile_draft *p = d->parent; p && p != d; p = p->parent)
        sbuf_addf(&circle, "%s, which extends ", p->name->text);
    conf_error(l->report, d->extends, "profile '%s' extends itself: it extends %s%s", d->name->text,
               circle.s ? circle.s : "", d->name->text);
    sbuf_free(&circle);
}

/* ---- What is taken over ---- */

static bool has_module(const struct profile_draft *d, const char *name, const struct profile_draft *by)
{
    for (size_t i = 0; i < d->all_modules.n; i++)
        if (str_eq(d->all_modules.v[i].node->text, name) && (!by || d->all_modules.v[i].by == by))
            return true;
    return false;
}

static void add_own(struct loader *l, struct profile_draft *d, struct yaml_node *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!names[i])
            continue;
        if (has_module(d, names[i]->text, d))
            conf_error(l->report, names[i], "module '%s' is given twice", names[i]->text);
        else if (!has_module(d, names[i]->text, NULL))
            array_push(&d->all_modules, ((struct module_word){.node = names[i], .by = d}));
    }
}

static void gather_modules(struct loader *l, struct profile_draft *d)
{
    if (profile_word(d, NULL, "modules"))
        add_own(l, d, d->modules.v, d->modules.n);
    else
        for (size_t i = 0; d->parent && i < d->parent->all_modules.n; i++)
            array_push(&d->all_modules, d->parent->all_modules.v[i]);
    add_own(l, d, d->add_modules.v, d->add_modules.n);
    for (size_t i = 0; i < d->without_modules.n; i++)
        for (size_t m = d->all_modules.n; d->without_modules.v[i] && m-- > 0;)
            if (str_eq(d->all_modules.v[m].node->text, d->without_modules.v[i]->text))
                array_remove(&d->all_modules, m);
}

static void take_quirks(struct profile_draft *d, const struct profile_draft *from)
{
    struct profile_quirks *q = &d->quirks;
    const struct profile_quirks *other = &from->quirks;

    q->version = q->version ? q->version : other->version;
    d->bulk = d->bulk >= 0 ? d->bulk : from->bulk;
    q->max_repetitions = q->max_repetitions ? q->max_repetitions : other->max_repetitions;
    q->timeout_ms = q->timeout_ms ? q->timeout_ms : other->timeout_ms;
    q->retries = q->retries >= 0 ? q->retries : other->retries;
    q->message_size = q->message_size ? q->message_size : other->message_size;
    q->max_rows = q->max_rows ? q->max_rows : other->max_rows;
    q->in_flight = q->in_flight ? q->in_flight : other->in_flight;
    d->per_poll = d->per_poll >= 0 ? d->per_poll : from->per_poll;
    d->gaps = d->gaps >= 0 ? d->gaps : from->gaps;
    q->connect_delay_ms = q->connect_delay_ms ? q->connect_delay_ms : other->connect_delay_ms;
    q->gap_ms = q->gap_ms ? q->gap_ms : other->gap_ms;
    q->max_registers = q->max_registers ? q->max_registers : other->max_registers;
}

static void take_contexts(struct profile_draft *d, const struct profile_draft *from)
{
    for (size_t i = 0; i < from->contexts.n; i++) {
        const struct context_draft *c = &from->contexts.v[i];
        struct context_draft copy = {.here = c->here, .name = xstrdup_null(c->name), .each = xstrdup_null(c->each)};

        for (size_t m = 0; m < c->modules.n; m++)
            array_push(&copy.modules, c->modules.v[m]);
        array_push(&d->contexts, copy);
    }
}

/* object_ids, match and priority recognise one kind of device and are nobody else's. */
static void take_over(struct profile_draft *d, const struct profile_draft *from)
{
    if (d->device_class < 0)
        d->device_class = from->device_class;
    if (!profile_word(d, NULL, "title"))
        for (int i = 0; i < LANG_COUNT; i++)
            xstrset(&d->title[i], from->title[i]);
    for (int i = 0; i < PROFILE_TEXTS; i++)
        d->texts[i] = d->texts[i] ? d->texts[i] : from->texts[i];
    for (int i = 0; i < PART_COUNT; i++)
        d->every_ms[i] = d->every_ms[i] ? d->every_ms[i] : from->every_ms[i];
    take_quirks(d, from);
    if (!profile_word(d, "snmp", "contexts"))
        take_contexts(d, from);
    if (!profile_word(d, "modbus", "holes"))
        for (size_t i = 0; i < from->holes.n; i++)
            array_push(&d->holes, from->holes.v[i]);
    d->lost = from->lost;
}

void profile_inherit(struct loader *l, struct profile_draft *d)
{
    if (d->state == HEIR_DONE)
        return;
    d->state = HEIR_ASKED;
    if (d->extends) {
        d->parent = parent_of(l, d);
        if (!d->parent) {
            complain_parent(l, d);
            d->lost = true;
        } else if (d->parent->state == HEIR_ASKED) {
            complain_circle(l, d);
            d->parent = NULL;
            d->lost = true;
        } else {
            profile_inherit(l, d->parent);
            take_over(d, d->parent);
        }
    }
    gather_modules(l, d);
    d->state = HEIR_DONE;
}

/* ---- Whose word it is ---- */

/* A value as it could be written in one line. */
static void add_value(struct sbuf *out, const struct yaml_node *node)
{
    if (node->type == YAML_TEXT) {
        sbuf_add(out, node->text);
        return;
    }
    sbuf_addc(out, node->type == YAML_LIST ? '[' : '{');
    for (size_t i = 0; i < node->items.n; i++) {
        sbuf_add(out, i ? ", " : "");
        add_value(out, node->items.v[i]);
    }
    for (size_t i = 0; i < node->pairs.n; i++) {
        sbuf_addf(out, "%s%s: ", i ? ", " : "", node->pairs.v[i].key->text);
        add_value(out, node->pairs.v[i].value);
    }
    sbuf_addc(out, node->type == YAML_LIST ? ']' : '}');
}

static void say(struct loader *l, struct profile *p, const struct profile_draft *d, const struct profile_draft *by,
                char *key, const struct yaml_node *value)
{
    struct sbuf text = {0};
    struct profile_saying s = {
        .key = key,
        .profile = xstrdup(by->name->text),
        .where = loader_where(l, value),
        .replaced = by != d && str_eq(by->name->text, d->name->text),
    };

    add_value(&text, value);
    s.value = sbuf_take(&text);
    array_push(&p->sayings, s);
}

/* The nearest that says it: the profile, whom it extends, and so on. */
static void say_key(struct loader *l, struct profile *p, const struct profile_draft *d, const char *section,
                    const char *key)
{
    for (const struct profile_draft *by = d; by; by = by->parent) {
        const struct yaml_node *value = profile_word(by, section, key);

        if (value) {
            say(l, p, d, by, section ? xasprintf("%s.%s", section, key) : xstrdup(key), value);
            return;
        }
    }
}

static void say_section(struct loader *l, struct profile *p, const struct profile_draft *d, const char *section,
                        const struct schema *schema)
{
    for (const struct schema_row *row = schema->rows; row->type != SCHEMA_END; row++)
        say_key(l, p, d, section, row->key);
}

static void say_own(struct loader *l, struct profile *p, const struct profile_draft *d, const char *key)
{
    const struct yaml_node *value = profile_word(d, NULL, key);

    if (value)
        say(l, p, d, d, xstrdup(key), value);
}

void profile_say(struct loader *l, const struct profile_draft *d, struct profile *p)
{
    if (d->parent)
        p->parent = xstrdup(d->parent->name->text);
    if (d->replaced)
        p->replaces = loader_where(l, d->replaced->name);
    say_own(l, p, d, "extends");
    say_key(l, p, d, NULL, "class");
    say_key(l, p, d, NULL, "title");
    say_own(l, p, d, "priority");
    for (size_t i = 0; i < d->object_ids.n; i++)
        if (d->object_ids.v[i])
            say(l, p, d, d, xstrdup("object_id"), d->object_ids.v[i]);
    say_own(l, p, d, "match");
    for (int i = 0; i < PROFILE_TEXTS; i++)
        say_key(l, p, d, NULL, profile_text_names[i]);
    for (size_t i = 0; i < d->all_modules.n; i++)
        say(l, p, d, d->all_modules.v[i].by, xstrdup("module"), d->all_modules.v[i].node);
    say_section(l, p, d, "every", &profile_every_schema);
    say_section(l, p, d, "snmp", &profile_snmp_schema);
    say_section(l, p, d, "modbus", &profile_modbus_schema);
}
