#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/loader.h"
#include "model/record.h"

/*
 * rules/ *.yaml: what counts as a fault, and what people are told of it.
 *
 *     rules:
 *       supply-low:
 *         family: supply             # its rules on one component are degrees of one fault
 *         kind: supply
 *         match: class = "printer" and label.floor != "3"   # which devices; all where absent
 *         when: level <= 10          # over the kind's points, and device.NAME; key, label, label.NAME; history
 *         clear: level > 15          # where absent: not when
 *         hold: 5m                   # how long `when` must last, and `clear_hold` how long its end
 *         clear_hold: 2m
 *         severity: warning          # info, warning, major, critical
 *         party: user                # who can do something: user, service, vendor
 *         category: consumable
 *         ticket: true               # false: none; fault, preventive, supply: one of that kind
 *         part_of: [jam]             # families of which this is only a part while one is open on the device
 *         title: {en: Supply low, zh_CN: 耗材不足}
 *         message: {en: "{component} of {device} is at {level} %", zh_CN: …}
 *         remedy: {en: …, zh_CN: …}
 */
struct rule_draft {
    char *name;
    struct yaml_node *here, *family, *kind, *match, *when, *clear;
    int64_t hold_ms, clear_hold_ms;
    int severity, party, category;
    int ticket;
    ARRAY(struct yaml_node *) part_of;
    struct yaml_node *title, *message, *remedy;
};

struct rule_drafts {
    ARRAY(struct rule_draft) list;
};

static const char *const severity_names[] = {"info", "warning", "major", "critical", NULL};
static const char *const party_names[] = {"user", "service", "vendor", NULL};
/* In the order of enum rule_ticket. */
static const char *const ticket_names[] = {"false", "true", "fault", "preventive", "supply", NULL};

enum { MAX_HOLD_MS = INT32_MAX };

static const struct schema_row rule_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct rule_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct rule_draft, here)},
    {"family", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct rule_draft, family)},
    {"kind", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct rule_draft, kind)},
    {"match", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct rule_draft, match)},
    {"when", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct rule_draft, when)},
    {"clear", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct rule_draft, clear)},
    {"hold", SCHEMA_DURATION, .max = MAX_HOLD_MS, .fallback = "0s", SCHEMA_FIELD(struct rule_draft, hold_ms)},
    {"clear_hold", SCHEMA_DURATION, .max = MAX_HOLD_MS, .fallback = "0s",
     SCHEMA_FIELD(struct rule_draft, clear_hold_ms)},
    {"severity", SCHEMA_ENUM, SCHEMA_REQUIRED, .names = severity_names, SCHEMA_FIELD(struct rule_draft, severity)},
    {"party", SCHEMA_ENUM, SCHEMA_REQUIRED, .names = party_names, SCHEMA_FIELD(struct rule_draft, party)},
    {"category", SCHEMA_ENUM, .names = ticket_categories, .fallback = "hardware",
     SCHEMA_FIELD(struct rule_draft, category)},
    {"ticket", SCHEMA_ENUM, .names = ticket_names, .fallback = "true", SCHEMA_FIELD(struct rule_draft, ticket)},
    {"part_of", SCHEMA_LIST, .item = SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct rule_draft, part_of)},
    {"title", SCHEMA_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct rule_draft, title)},
    {"message", SCHEMA_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct rule_draft, message)},
    {"remedy", SCHEMA_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct rule_draft, remedy)},
    {0},
};
static const struct schema rule_schema = {.what = "a rule", .rows = rule_rows, .size = sizeof(struct rule_draft)};

static const struct schema_row file_rows[] = {
    {"rules", SCHEMA_MAP, SCHEMA_REQUIRED, .sub = &rule_schema, SCHEMA_FIELD(struct rule_drafts, list)},
    {0},
};
static const struct schema file_schema = {
    .what = "a file of rules", .rows = file_rows, .size = sizeof(struct rule_drafts)};

static void put_draft(struct loader *l, const struct rule_draft *draft)
{
    for (size_t i = 0; i < l->rules->list.n; i++) {
        struct rule_draft *earlier = &l->rules->list.v[i];

        if (!str_eq(earlier->name, draft->name))
            continue;
        loader_may_replace(l, draft->here, earlier->here, "rule");
        schema_release(&rule_schema, earlier);
        *earlier = *draft;
        return;
    }
    array_push(&l->rules->list, *draft);
}

void rules_read(struct loader *l, struct yaml_node *root)
{
    struct rule_drafts file = {0};

    if (!l->rules)
        l->rules = xcalloc(1, sizeof *l->rules);
    schema_read(&file_schema, root, &file, l->report);
    for (size_t i = 0; i < file.list.n; i++)
        put_draft(l, &file.list.v[i]);
    array_free(&file.list);
}

void rules_release(struct loader *l)
{
    if (!l->rules)
        return;
    schema_release(&file_schema, l->rules);
    free(l->rules);
}

/* ---- Texts ---- */

/* The node that says a text in a language: for messages. */
static struct yaml_node *text_node(struct yaml_node *node, enum lang lang)
{
    struct yaml_node *said = node->type == YAML_MAP ? yaml_get(node, lang_name(lang)) : NULL;

    return said ? said : node;
}

void loader_texts(struct loader *l, struct yaml_node *node, char *texts[LANG_COUNT])
{
    unsigned before = l->report->errors;

    if (!node || node->bad)
        return;
    schema_local(node, texts, l->report);
    for (int lang = 0; lang < LANG_COUNT && l->report->errors == before; lang++)
        if (!texts[lang])
            conf_error(l->report, node, "the text in %s is missing: {en: …, zh_CN: …} is wanted",
                       lang_name((enum lang)lang));
}

static void check_placeholder(struct loader *l, const struct yaml_node *node, const char *name, size_t n,
                              struct scope *points)
{
    char *word = xstrndup(name, n);
    struct sbuf hint = {0};
    size_t i = 0;

    while (i < points->list.n && !str_eq(points->list.v[i].name, word))
        i++;
    if (i == points->list.n) {
        conf_suggest(&hint, word, points->names.v);
        conf_error_within(l->report, node, (size_t)(name - node->text), n, "unknown name '%s'%s", word,
                          hint.s ? hint.s : "");
    }
    sbuf_free(&hint);
    free(word);
}

/* Each {name} of a message must be one that can be filled in. */
static void check_message(struct loader *l, const struct yaml_node *node, struct scope *points)
{
    for (const char *p = node->text; (p = strchr(p, '{')); p++) {
        size_t n;

        if (p[1] == '{') {
            p++;
            continue;
        }
        n = strcspn(p + 1, "{}");
        if (p[1 + n] != '}')
            conf_error_within(l->report, node, (size_t)(p - node->text), 1, "'{' without '}': write '{{' for a brace");
        else
            check_placeholder(l, node, p + 1, n, points);
    }
}

void loader_check_texts(struct loader *l, struct yaml_node *message, struct scope *names)
{
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        struct yaml_node *node = text_node(message, (enum lang)lang);

        if (node->type == YAML_TEXT && !node->bad)
            check_message(l, node, names);
    }
}

static void check_messages(struct loader *l, const struct kind *kind, struct yaml_node *message)
{
    struct scope names = {0};

    scope_add_points(&names, "", kind);
    scope_add(&names, "", "device", VALUE_TEXT, NULL);
    scope_add(&names, "", "component", VALUE_TEXT, NULL);
    loader_check_texts(l, message, &names);
    scope_fini(&names);
}

/* ---- Building ---- */

static void compile_match(struct loader *l, const struct rule_draft *from, struct rule *r)
{
    static const char *const fields[MATCH_SLOTS] = {
        [MATCH_CLASS] = "class",     [MATCH_MAKE] = "make", [MATCH_MODEL] = "model",
        [MATCH_PROFILE] = "profile", [MATCH_NAME] = "name", [MATCH_SITE] = "site",
    };
    struct scope record = {.takes_labels = true};

    for (size_t i = 0; i < MATCH_SLOTS; i++)
        scope_add(&record, "", fields[i], VALUE_TEXT, NULL);
    r->match = scope_compile(&record, from->match, VALUE_BOOL, l->report);
    for (size_t i = 0; i < record.labels.n; i++)
        array_push(&r->match_labels, xstrdup(record.labels.v[i]));
    scope_fini(&record);
}

static void compile_conditions(struct loader *l, const struct rule_draft *from, struct rule *r)
{
    struct scope points = {.rule = r};

    scope_add_points(&points, "", r->kind);
    if (l->k->vocabulary.kinds.n > 0)
        scope_add_points(&points, "device.", l->k->vocabulary.kinds.v[0]);
    r->when = scope_compile(&points, from->when, VALUE_BOOL, l->report);
    r->clear = scope_compile(&points, from->clear, VALUE_BOOL, l->report);
    scope_fini(&points);
}

void unknown_kind(struct loader *l, struct yaml_node *name)
{
    ARRAY(const char *) known = {0};

    for (size_t i = 0; i < l->k->vocabulary.kinds.n; i++)
        array_push(&known, l->k->vocabulary.kinds.v[i]->name);
    array_push(&known, NULL);
    unknown_name(name, "kind", known.v, l->report);
    array_free(&known);
}

static void build_rule(struct loader *l, const struct rule_draft *from)
{
    struct rule *r = xcalloc(1, sizeof *r);

    array_push(&l->k->rules, r);
    r->name = xstrdup(from->name);
    r->where = loader_where(l, from->here);
    check_slug(from->name, from->here, l->report);
    r->family = xstrdup(from->family ? from->family->text : "");
    if (from->family)
        check_slug(from->family->text, from->family, l->report);
    r->hold_ms = from->hold_ms;
    r->clear_hold_ms = from->clear_hold_ms;
    r->severity = (enum severity)from->severity;
    r->party = (enum party)from->party;
    r->category = xstrdup(ticket_categories[from->category]);
    r->ticket = (enum rule_ticket)from->ticket;
    loader_texts(l, from->title, r->title);
    loader_texts(l, from->message, r->message);
    loader_texts(l, from->remedy, r->remedy);
    compile_match(l, from, r);
    r->kind = from->kind ? vocabulary_kind(&l->k->vocabulary, from->kind->text) : NULL;
    if (r->kind) {
        compile_conditions(l, from, r);
        if (from->message)
            check_messages(l, r->kind, from->message);
    } else if (from->kind) {
        unknown_kind(l, from->kind);
    }
}

static void build_part_of(struct loader *l, const struct rule_draft *from, struct rule *r, const char *const *families)
{
    for (size_t i = 0; i < from->part_of.n; i++) {
        struct yaml_node *family = from->part_of.v[i];
        size_t f = 0;

        if (!family)
            continue;
        while (families[f] && !str_eq(families[f], family->text))
            f++;
        if (!families[f])
            unknown_name(family, "family", families, l->report);
        else if (str_eq(family->text, r->family))
            conf_error(l->report, family, "a fault cannot be part of its own family");
        else
            array_push(&r->part_of, xstrdup(family->text));
    }
}

/* One family on one kind only: a fault is of one component. */
static void check_family(struct loader *l, const struct rule_draft *drafts, size_t i)
{
    const struct rule *r = l->k->rules.v[i];

    for (size_t j = 0; j < i; j++) {
        const struct rule *other = l->k->rules.v[j];

        if (str_eq(other->family, r->family) && other->kind && r->kind && other->kind != r->kind) {
            conf_error(l->report, drafts[i].kind, "family '%s' is of kind '%s' by rule '%s'", r->family,
                       other->kind->name, other->name);
            return;
        }
    }
}

static int by_family(const void *a, const void *b)
{
    const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
    int c = strcmp(x->family, y->family);

    if (c != 0)
        return c;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    return strcmp(x->name, y->name);
}

void rules_build(struct loader *l)
{
    ARRAY(const char *) families = {0};
    size_t n = l->rules ? l->rules->list.n : 0;

    for (size_t i = 0; i < n; i++) {
        build_rule(l, &l->rules->list.v[i]);
        array_push(&families, l->k->rules.v[i]->family);
    }
    array_push(&families, NULL);
    for (size_t i = 0; i < n; i++) {
        build_part_of(l, &l->rules->list.v[i], l->k->rules.v[i], families.v);
        check_family(l, l->rules->list.v, i);
    }
    array_free(&families);
    if (n > 0)
        qsort(l->k->rules.v, n, sizeof *l->k->rules.v, by_family);
}

/* ---- What a site changes ---- */

static void unknown_rule(struct loader *l, const struct rule_override *o)
{
    ARRAY(const char *) known = {0};
    struct sbuf hint = {0};

    for (size_t i = 0; i < l->k->rules.n; i++)
        array_push(&known, l->k->rules.v[i]->name);
    array_push(&known, NULL);
    conf_suggest(&hint, o->name, known.v);
    conf_error_where(l->report, &o->where, "there is no rule '%s'%s", o->name, hint.s ? hint.s : "");
    sbuf_free(&hint);
    array_free(&known);
}

void rules_override(struct loader *l, const struct settings *settings)
{
    struct knowledge *k = l->k;

    for (size_t i = 0; i < settings->rules.n; i++) {
        const struct rule_override *o = &settings->rules.v[i];
        size_t at = 0;

        while (at < k->rules.n && !str_eq(k->rules.v[at]->name, o->name))
            at++;
        if (at == k->rules.n) {
            unknown_rule(l, o);
            continue;
        }
        if (o->hold_ms >= 0)
            k->rules.v[at]->hold_ms = o->hold_ms;
        if (o->clear_hold_ms >= 0)
            k->rules.v[at]->clear_hold_ms = o->clear_hold_ms;
        if (o->severity >= 0)
            k->rules.v[at]->severity = (enum severity)o->severity;
        if (o->off) {
            rule_free(k->rules.v[at]);
            array_remove(&k->rules, at);
        }
    }
    if (k->rules.n > 0)
        qsort(k->rules.v, k->rules.n, sizeof *k->rules.v, by_family);
}
