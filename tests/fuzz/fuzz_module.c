/* A module from outside: loads or is refused in words; what loads makes sense of any cells, and never a number of unknown ones. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "conf/loader.h"
#include "watch/normalise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char kinds[] = "kinds:\n"
                            "  device: {single: true, points: {reachable: bool, name: text}}\n"
                            "  port:\n"
                            "    points:\n"
                            "      speed: int\n"
                            "      load: num\n"
                            "      state: {type: enum, members: {1: up, 2: down}}\n"
                            "      flags: {type: bits, members: {0: jam, 5: low}}\n"
                            "      note: text\n"
                            "      alarm: bool\n";

static void read_text(struct loader *l, const char *text, size_t n, void (*read)(struct loader *, struct yaml_node *))
{
    struct loader_file entry = {.folder = l->folder++};

    if (yaml_parse("fuzz.yaml", text, n, &entry.file, l->report) < 0)
        return;
    array_push(&l->files, entry);
    array_push(&l->k->files, xstrdup("fuzz.yaml"));
    read(l, entry.file->root);
}

static void check_found(void *ctx, const struct found *f)
{
    (void)ctx;
    if (!f->key || !f->label || !str_utf8_valid(f->key, strlen(f->key)))
        abort();
    for (size_t i = 0; i < f->kind->points.n; i++) {
        struct value v = f->points[i];

        if (v.quality == QUALITY_UNKNOWN && v.type != VALUE_NONE)
            abort();
        if (v.quality == QUALITY_GOOD && v.type == VALUE_TEXT &&
            (strlen(v.text) > 1024 || !str_utf8_valid(v.text, strlen(v.text))))
            abort();
        if (v.quality > QUALITY_UNKNOWN || (v.quality == QUALITY_GOOD && v.type != f->kind->points.v[i].type))
            abort();
        if (v.quality == QUALITY_GOOD && v.type == VALUE_NUM && !isfinite(v.num))
            abort();
        if (v.quality == QUALITY_GOOD && v.type == VALUE_ENUM && !members_by_number(&f->kind->points.v[i].members, v.i))
            abort();
    }
}

static void add_cells(struct batch *b, size_t nsources, const struct pd_rng *rng)
{
    uint8_t bytes[20];
    uint32_t instance[12];

    for (int i = 0; i < 60; i++) {
        struct pd_cell c = {.type = (uint8_t)rng_below(rng, PD_CELL_INVALID + 1), .instance = instance};

        rng->fill(rng->ctx, bytes, sizeof bytes);
        for (size_t j = 0; j < sizeof instance / sizeof *instance; j++)
            instance[j] = (uint32_t)rng_below(rng, rng_below(rng, 8) ? 3 : 300);
        c.source = (uint32_t)rng_below(rng, nsources + 1);
        c.ninstance = (uint16_t)rng_below(rng, rng_below(rng, 2) ? 3 : sizeof instance / sizeof *instance + 1);
        c.u = rng_below(rng, 2) ? rng_below(rng, 12) : rng_u64(rng);
        if (c.type == PD_CELL_BYTES) {
            c.bytes = bytes;
            c.nbytes = (uint32_t)rng_below(rng, sizeof bytes + 1);
        } else if (c.type == PD_CELL_OID) {
            c.oid = instance;
            c.nbytes = (uint32_t)rng_below(rng, 4);
        }
        batch_add(b, &c, 1);
    }
}

/* A profile that speaks the module alone. */
static void try_module(const struct module *m, uint64_t seed)
{
    struct profile p = {0};
    struct normaliser *n;
    struct batch *b;
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);
    size_t nsources;

    array_push(&p.modules, m);
    for (unsigned c = 0; c < m->components.n; c++)
        for (unsigned i = 0; i < m->components.v[c].columns.n; i++)
            array_push(&p.sources, ((struct profile_source){.component = c, .column = i}));
    n = normaliser_new(&p);
    b = batch_new(n);
    normaliser_sources(n, &nsources);
    rng_seed(&seeded, seed);
    for (int round = 0; round < 3; round++) {
        add_cells(b, nsources, &rng);
        batch_finish(b, check_found, NULL);
        batch_reset(b);
    }
    batch_free(b);
    normaliser_free(n);
    array_free(&p.modules);
    array_free(&p.sources);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char identify[] = "module: identify\ncomponents: {d: {kind: device, table: false, columns: {descr: "
                                   "{address: '1', type: text}}}}\n";
    struct conf_report report = {0};
    struct loader l = {.k = xcalloc(1, sizeof *l.k), .report = &report};

    read_text(&l, kinds, sizeof kinds - 1, kinds_read);
    read_text(&l, identify, sizeof identify - 1, module_read);
    read_text(&l, (const char *)data, size, module_read);
    kinds_build(&l);
    modules_build(&l);
    if (report.errors == 0)
        try_module(l.k->modules.v[l.k->modules.n - 1], size);
    else if (!str_utf8_valid(report.text.s, report.text.n))
        abort();
    kinds_release(&l);
    modules_release(&l);
    for (size_t i = 0; i < l.files.n; i++)
        yaml_file_free(l.files.v[i].file);
    array_free(&l.files);
    knowledge_free(l.k);
    conf_report_free(&report);
    return 0;
}
