#include "model/knowledge.h"

#include <stdlib.h>
#include <string.h>

const char *const identify_known_names[IDENTIFY_KNOWN] = {[IDENTIFY_OBJECT_ID] = "sysObjectID",
                                                          [IDENTIFY_DESCR] = "sysDescr",
                                                          [IDENTIFY_MAC] = "mac",
                                                          [IDENTIFY_ENGINE_ID] = "engine_id"};

const char *identify_name(const struct identification *id, unsigned slot)
{
    const struct component_def *def = id->asks.v[id->names.v[slot].ask].def;
    unsigned place = id->names.v[slot].slot;

    if (place < def->columns.n)
        return def->columns.v[place].name;
    for (size_t i = 0; i < def->computed.n; i++)
        if (def->computed.v[i].slot == place)
            return def->computed.v[i].name;
    return "";
}

void knowledge_free(struct knowledge *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->rules.n; i++)
        rule_free(k->rules.v[i]);
    for (size_t i = 0; i < k->profiles.n; i++)
        profile_free(k->profiles.v[i]);
    for (size_t i = 0; i < k->texts.n; i++)
        expr_free(k->texts.v[i]);
    for (size_t i = 0; i < k->modules.n; i++)
        module_free(k->modules.v[i]);
    for (size_t i = 0; i < k->calendars.n; i++)
        calendar_free(k->calendars.v[i]);
    for (size_t i = 0; i < k->holidays.n; i++)
        holidays_free(k->holidays.v[i]);
    for (size_t i = 0; i < k->checklists.n; i++)
        checklist_free(k->checklists.v[i]);
    for (size_t i = 0; i < k->files.n; i++)
        free(k->files.v[i]);
    array_free(&k->rules);
    array_free(&k->profiles);
    array_free(&k->texts);
    profile_index_fini(&k->index);
    for (size_t i = 0; i < k->identification.asks.n; i++)
        expr_free(k->identification.asks.v[i].when);
    array_free(&k->identification.asks);
    array_free(&k->identification.names);
    array_free(&k->modules);
    array_free(&k->traps);
    array_free(&k->calendars);
    array_free(&k->holidays);
    array_free(&k->checklists);
    array_free(&k->files);
    vocabulary_free(&k->vocabulary);
    free(k);
}

int trap_oid_cmp(const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
    for (size_t i = 0; i < na && i < nb; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return (na > nb) - (na < nb);
}

static const struct trap_def *find_trap(const struct knowledge *k, const uint32_t *oid, size_t n)
{
    size_t from = 0, to = k->traps.n;

    while (from < to) {
        size_t middle = (from + to) / 2;
        const struct trap_def *t = k->traps.v[middle];
        int order = trap_oid_cmp(oid, n, t->oid, t->noid);

        if (order == 0)
            return t;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

const struct trap_def *knowledge_trap(const struct knowledge *k, const uint32_t *oid, size_t n)
{
    const struct trap_def *t = find_trap(k, oid, n);
    uint32_t without[TRAP_MAX_OID];

    if (t || n < 3 || n > TRAP_MAX_OID || oid[n - 2] != 0)
        return t;
    memcpy(without, oid, (n - 2) * sizeof *oid);
    without[n - 2] = oid[n - 1];
    return find_trap(k, without, n - 1);
}

const struct profile *knowledge_profile(const struct knowledge *k, const char *name)
{
    for (size_t i = 0; i < k->profiles.n; i++)
        if (str_eq(k->profiles.v[i]->name, name))
            return k->profiles.v[i];
    return NULL;
}

const struct rule *knowledge_rule(const struct knowledge *k, const char *name)
{
    for (size_t i = 0; i < k->rules.n; i++)
        if (str_eq(k->rules.v[i]->name, name))
            return k->rules.v[i];
    return NULL;
}

const struct calendar *knowledge_calendar(const struct knowledge *k, const char *name)
{
    for (size_t i = 0; i < k->calendars.n; i++)
        if (str_eq(k->calendars.v[i]->name, name))
            return k->calendars.v[i];
    return NULL;
}

const struct checklist *knowledge_checklist(const struct knowledge *k, const char *name)
{
    for (size_t i = 0; i < k->checklists.n; i++)
        if (str_eq(k->checklists.v[i]->name, name))
            return k->checklists.v[i];
    return NULL;
}

const struct holidays *knowledge_holidays(const struct knowledge *k, const char *name)
{
    for (size_t i = 0; i < k->holidays.n; i++)
        if (str_eq(k->holidays.v[i]->name, name))
            return k->holidays.v[i];
    return NULL;
}
