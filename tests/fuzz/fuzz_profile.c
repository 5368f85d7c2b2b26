/* Profiles from outside: they load or are refused in words; whose turn it is follows the rules for any object identifier. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char kinds[] = "kinds: {device: {single: true, points: {reachable: bool}}}\n";
static const char identify[] =
    "module: identify\n"
    "components:\n"
    "  device:\n"
    "    kind: device\n"
    "    table: false\n"
    "    columns: {sysObjectID: {address: 1.2.0, type: oid}, sysDescr: {address: 1.1.0, type: text}, n: 1.3.0}\n"
    "  more:\n"
    "    kind: device\n"
    "    table: false\n"
    "    when: known(n)\n"
    "    columns: {m: {address: 1.4.0, type: text}}\n";
static const char module[] = "module: box\ncomponents: {d: {kind: device, table: false, columns: {a: 1.2.3}}}\n";
static const char other[] =
    "module: lid\ncomponents: {identity: {kind: device, table: false, columns: {serial: 1.2.4}}}\n";
static const char shipped[] = "profiles:\n"
                              "  - {profile: base, class: ups, title: Base, modules: [box], model: sysDescr,\n"
                              "     object_ids: [1.3.6.1.4.1.9], every: {status: 30s}, snmp: {bulk: false}}\n"
                              "  - {profile: heir, extends: base, add_modules: [lid], match: n = 3}\n";

static void read_text(struct loader *l, const char *text, size_t n, void (*read)(struct loader *, struct yaml_node *))
{
    struct loader_file entry = {.folder = l->folder++};

    if (yaml_parse("fuzz.yaml", text, n, &entry.file, l->report) < 0)
        return;
    array_push(&l->files, entry);
    array_push(&l->k->files, xstrdup("fuzz.yaml"));
    read(l, entry.file->root);
}

static bool fits(const struct oid_prefix *p, const uint32_t *numbers, size_t n)
{
    return p->n <= n && memcmp(p->numbers, numbers, p->n * sizeof *numbers) == 0;
}

/* Among the candidates are just those whose prefix fits and those who ask for none, each once, none after a lower one. */
static void check_candidates(const struct knowledge *k, const char *object_id)
{
    struct profile_candidates list = {0};
    uint32_t numbers[OID_PREFIX_MAX];
    size_t n = oid_numbers(object_id, numbers), wanted = 0;

    profile_candidates(&k->index, object_id, &list);
    for (size_t i = 0; i < list.n; i++) {
        if (list.v[i].prefix && !fits(list.v[i].prefix, numbers, n))
            abort();
        if (i > 0 && list.v[i].profile->priority > list.v[i - 1].profile->priority)
            abort();
        for (size_t j = 0; j < i; j++)
            if (list.v[j].profile == list.v[i].profile)
                abort();
    }
    for (size_t i = 0; i < k->profiles.n; i++) {
        const struct profile *p = k->profiles.v[i];
        bool has = p->object_ids.n == 0 && p->match;

        for (size_t j = 0; j < p->object_ids.n; j++)
            has |= fits(&p->object_ids.v[j], numbers, n);
        wanted += has;
    }
    if (list.n != wanted)
        abort();
    array_free(&list);
}

static void check_profile(const struct knowledge *k, const struct profile *p)
{
    struct value row[] = {value_text("1.3.6.1.4.1.9"), value_text("描述 x"), value_int(3), VALUE_UNKNOWN};
    size_t n = sizeof row / sizeof *row;
    struct value v = profile_fits(p, row, n);

    if (k->identification.names.n != n || (v.quality == QUALITY_GOOD && v.type != VALUE_BOOL))
        abort();
    for (int i = 0; i < PROFILE_TEXTS; i++)
        if (p->texts[i])
            (void)expr_eval(p->texts[i], row, n);
    for (size_t i = 0; i < p->sayings.n; i++)
        if (!p->sayings.v[i].key || !p->sayings.v[i].value || !p->sayings.v[i].where.file)
            abort();
    if (!p->device_class || p->modules.n > 2 || (p->module_contexts.n && p->module_contexts.n != p->modules.n))
        abort();
}

/* Identifiers near to what profiles ask for: those themselves, cut and gone on. */
static void try_knowledge(const struct knowledge *k)
{
    check_candidates(k, "1.3.6.1.4.1.9.1");
    check_candidates(k, "");
    check_candidates(k, "1.3..6");
    for (size_t i = 0; i < k->profiles.n; i++) {
        check_profile(k, k->profiles.v[i]);
        for (size_t j = 0; j < k->profiles.v[i]->object_ids.n; j++) {
            const struct oid_prefix *p = &k->profiles.v[i]->object_ids.v[j];
            struct sbuf text = {0};

            for (size_t m = 0; m < p->n; m++) {
                sbuf_addf(&text, "%s%u", m ? "." : "", p->numbers[m]);
                check_candidates(k, text.s);
            }
            sbuf_add(&text, ".7");
            check_candidates(k, text.s);
            sbuf_free(&text);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_report report = {0};
    struct loader l = {.k = xcalloc(1, sizeof *l.k), .report = &report};

    read_text(&l, kinds, sizeof kinds - 1, kinds_read);
    read_text(&l, identify, sizeof identify - 1, module_read);
    read_text(&l, module, sizeof module - 1, module_read);
    read_text(&l, other, sizeof other - 1, module_read);
    read_text(&l, shipped, sizeof shipped - 1, profile_read);
    read_text(&l, (const char *)data, size, profile_read);
    kinds_build(&l);
    modules_build(&l);
    profiles_build(&l);
    if (report.errors == 0)
        try_knowledge(l.k);
    else if (!str_utf8_valid(report.text.s, report.text.n))
        abort();
    kinds_release(&l);
    modules_release(&l);
    profiles_release(&l);
    for (size_t i = 0; i < l.files.n; i++)
        yaml_file_free(l.files.v[i].file);
    array_free(&l.files);
    knowledge_free(l.k);
    conf_report_free(&report);
    return 0;
}
