#include "tests/watch/recognise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "conf/conf.h"

static struct knowledge *load(void)
{
    const char *src = getenv("srcdir");
    char *dir = xasprintf("%s/conf", src ? src : ".");
    const char *dirs[] = {dir};
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    if (knowledge_load(dirs, 1, NULL, &k, &report) < 0)
        fail_msg("%s", report.text.s);
    conf_report_free(&report);
    free(dir);
    return k;
}

static struct value told(const struct example *e, const char *name)
{
    const char *text = str_eq(name, "sysObjectID") ? e->object_id : str_eq(name, "sysDescr") ? e->descr : NULL;

    if (str_eq(name, e->column))
        return e->value ? value_text(e->value) : value_int(2);
    return text ? value_text(text) : VALUE_UNKNOWN;
}

static const struct profile *choose(const struct knowledge *k, const struct example *e)
{
    const struct identification *id = &k->identification;
    struct value *row = xcalloc(id->names.n, sizeof *row);
    struct profile_candidates candidates = {0};
    const struct profile *p = NULL;

    for (size_t i = 0; i < id->names.n; i++) {
        const struct component_def *def = id->asks.v[id->names.v[i].ask].def;
        unsigned slot = id->names.v[i].slot;

        row[i] = slot < def->columns.n ? told(e, def->columns.v[slot].name) : VALUE_UNKNOWN;
    }
    profile_candidates(&k->index, e->object_id, &candidates);
    for (size_t i = 0; i < candidates.n && !p; i++) {
        const struct expr *match = candidates.v[i].profile->match;

        if (!match || value_same(expr_eval(match, row, id->names.n), value_bool(true)))
            p = candidates.v[i].profile;
    }
    array_free(&candidates);
    free(row);
    return p;
}

void recognise(const struct example *list, size_t n)
{
    struct knowledge *k = load();

    for (size_t i = 0; i < n; i++) {
        const struct profile *p = choose(k, &list[i]);

        if (!p || !str_eq(p->name, list[i].profile) || !str_eq(p->device_class, list[i].device_class))
            fail_msg("%s '%s': %s, %s", list[i].object_id ? list[i].object_id : "-",
                     list[i].descr ? list[i].descr : "-", p ? p->name : "none", p ? p->device_class : "-");
    }
    knowledge_free(k);
}
