#include "tests/watch/recognise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
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

/* Of "NAME = VALUE; …" the value of a name: a number, or a text. */
static struct value told_more(const char *more, const char *name)
{
    size_t n = strlen(name);
    struct value v;
    char *end;

    for (; more; more = strstr(more, "; ") ? strstr(more, "; ") + 2 : NULL) {
        if (strncmp(more, name, n) != 0 || strncmp(more + n, " = ", 3) != 0)
            continue;
        more += n + 3;
        v = value_num(strtod(more, &end));
        if (*end == '\0' || *end == ';')
            return v;
        assert_null(strchr(more, ';')); /* a text is the last */
        return value_text(more);
    }
    return VALUE_UNKNOWN;
}

static struct value told(const struct example *e, const char *more, const char *name)
{
    const char *text = str_eq(name, "sysObjectID") ? e->object_id : str_eq(name, "sysDescr") ? e->descr : NULL;

    if (e->column && str_eq(name, e->column))
        return e->value ? value_text(e->value) : value_int(2);
    return text ? value_text(text) : told_more(more, name);
}

/* What one question is answered: its columns, and what is computed of them. The list is the caller's. */
static struct value *answered(const struct component_def *def, const struct example *e, const char *more)
{
    struct value *slots = xcalloc(def->nslots, sizeof *slots);

    for (unsigned i = 0; i < def->nslots; i++)
        slots[i] = i < def->columns.n ? told(e, more, def->columns.v[i].name) : VALUE_UNKNOWN;
    for (size_t i = 0; i < def->computed.n; i++)
        slots[def->computed.v[i].slot] = expr_eval(def->computed.v[i].value, slots, def->nslots);
    return slots;
}

static const struct profile *choose(const struct knowledge *k, const struct example *e, const char *more)
{
    const struct identification *id = &k->identification;
    struct value *row = xcalloc(id->names.n, sizeof *row), **answers = xcalloc(id->asks.n, sizeof *answers);
    struct profile_candidates candidates = {0};
    const struct profile *p = NULL;

    for (size_t i = 0; i < id->asks.n; i++)
        answers[i] = answered(id->asks.v[i].def, e, more);
    for (size_t i = 0; i < id->names.n; i++)
        row[i] = answers[id->names.v[i].ask][id->names.v[i].slot];
    profile_candidates(&k->index, e->object_id, &candidates);
    for (size_t i = 0; i < candidates.n && !p; i++)
        if (value_same(profile_fits(candidates.v[i].profile, row, id->names.n), value_bool(true)))
            p = candidates.v[i].profile;
    array_free(&candidates);
    for (size_t i = 0; i < id->asks.n; i++)
        free(answers[i]);
    free(answers);
    free(row);
    return p;
}

/* more: what it tells besides, as told_more() has it, or NULL. */
static void check(const struct knowledge *k, const struct example *e, const char *more)
{
    const struct profile *p = choose(k, e, more);

    if (!p || !str_eq(p->name, e->profile) || !str_eq(p->device_class, e->device_class))
        fail_msg("%s '%s' is to be %s: %s, %s", e->object_id ? e->object_id : "-", e->descr ? e->descr : "-",
                 e->profile, p ? p->name : "none", p ? p->device_class : "-");
}

void recognise(const struct example *list, size_t n)
{
    struct knowledge *k = load();

    for (size_t i = 0; i < n; i++)
        check(k, &list[i], NULL);
    knowledge_free(k);
}

/* Cuts the next field off at " | "; NULL where it is '-'. */
static const char *field(char **rest)
{
    char *s = *rest, *bar = strstr(s, " | ");

    if (bar)
        *bar = '\0';
    *rest = bar ? bar + 3 : s + strlen(s);
    return str_eq(s, "-") ? NULL : s;
}

static void check_line(const struct knowledge *k, char *line, bool *seen)
{
    struct example e = {0};

    e.profile = field(&line);
    e.device_class = field(&line);
    e.object_id = field(&line);
    e.descr = field(&line);
    check(k, &e, field(&line));
    for (size_t i = 0; i < k->profiles.n; i++)
        seen[i] |= str_eq(k->profiles.v[i]->name, e.profile);
}

void recognise_all(const char *path)
{
    const char *src = getenv("srcdir");
    char *full = xasprintf("%s/%s", src ? src : ".", path), *text, *line, *rest;
    struct knowledge *k = load();
    bool *seen = xcalloc(k->profiles.n, sizeof *seen);
    size_t n;

    assert_int_equal(file_read(full, 1 << 20, &text, &n), 0);
    for (rest = text; (line = strsep(&rest, "\n"));)
        if (*line && *line != '#')
            check_line(k, line, seen);
    for (size_t i = 0; i < k->profiles.n; i++)
        if (!seen[i] && (k->profiles.v[i]->match || k->profiles.v[i]->object_ids.n > 0))
            fail_msg("%s has no line for profile '%s'", path, k->profiles.v[i]->name);
    knowledge_free(k);
    free(seen);
    free(text);
    free(full);
}
