#include "bench/farm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "plugins/snmp/oid.h"

enum { PORTS = 24, SUPPLIES = 5, NAME = 16, STEP_MS = 10, LEVELS = 10001, LEVEL_MS = 10000 };

const char *const farm_polled[FARM_POLLED] = {
    "1.3.6.1.2.1.1.1.0",        "1.3.6.1.2.1.1.3.0",        "1.3.6.1.2.1.1.5.0",           "1.3.6.1.2.1.25.3.2.1.5.1",
    "1.3.6.1.2.1.25.3.5.1.1.1", "1.3.6.1.2.1.25.3.5.1.2.1", "1.3.6.1.2.1.43.10.2.1.4.1.1", "1.3.6.1.2.1.2.1.0",
    "1.3.6.1.2.1.2.2.1.8.1",    "1.3.6.1.2.1.2.2.1.14.1",   "1.3.6.1.2.1.43.11.1.1.6",     "1.3.6.1.2.1.43.11.1.1.8",
    "1.3.6.1.2.1.43.11.1.1.9",  "1.3.6.1.2.1.31.1.1.1.6",   "1.3.6.1.2.1.31.1.1.1.10",     "1.3.6.1.2.1.2.2.1.14",
    "1.3.6.1.2.1.2.2.1.20",
};

const struct pd_usm_secret farm_secret = {.user = "bench",
                                          .auth = PD_AUTH_SHA256,
                                          .priv = PD_PRIV_AES128,
                                          .auth_password = "bench's digest",
                                          .priv_password = "bench's cipher"};

enum kind {
    SAYS,      /* the text */
    NAMED,     /* the text and the row's number */
    DESCRIBED, /* the text and a serial number */
    HOST,      /* the text and the address */
    MODEL,     /* an object identifier */
    BITS,      /* two bytes, seldom one bit */
    IS,        /* the number */
    ROW,       /* the row's number */
    ONE_OF,    /* one of `number`, counted from 1 */
    LEVEL,     /* sinks, and is filled again */
    TICKS,
    COUNTS, /* Counter32, by one, as many times in an hour as the device is busy */
    OCTETS, /* Counter64, fast */
};

/* Objects, or columns with so many rows. Not in the order of their names. */
static const struct spec {
    const char *name;
    uint8_t rows; /* 0: the name is whole */
    uint8_t kind;
    const char *text;
    int32_t number;
} specs[] = {
    {"1.3.6.1.2.1.1.1.0", 0, DESCRIBED, "SimPrinter 4500; fw 2.1; serial SP", 0},
    {"1.3.6.1.2.1.1.2.0", 0, MODEL, NULL, 0},
    {"1.3.6.1.2.1.1.3.0", 0, TICKS, NULL, 0},
    {"1.3.6.1.2.1.1.4.0", 0, SAYS, "noc@example.test", 0},
    {"1.3.6.1.2.1.1.5.0", 0, HOST, "device", 0},
    {"1.3.6.1.2.1.1.6.0", 0, SAYS, "Second floor", 0},
    {"1.3.6.1.2.1.1.7.0", 0, IS, NULL, 72},
    {"1.3.6.1.2.1.2.1.0", 0, IS, NULL, PORTS},
    {"1.3.6.1.2.1.2.2.1.1", PORTS, ROW, NULL, 0},
    {"1.3.6.1.2.1.2.2.1.2", PORTS, NAMED, "Ethernet port ", 0},
    {"1.3.6.1.2.1.2.2.1.3", PORTS, IS, NULL, 6},
    {"1.3.6.1.2.1.2.2.1.7", PORTS, IS, NULL, 1},
    {"1.3.6.1.2.1.2.2.1.8", PORTS, ONE_OF, NULL, 2},
    {"1.3.6.1.2.1.2.2.1.10", PORTS, COUNTS, NULL, 0},
    {"1.3.6.1.2.1.2.2.1.13", PORTS, COUNTS, NULL, 0},
    {"1.3.6.1.2.1.2.2.1.14", PORTS, COUNTS, NULL, 0},
    {"1.3.6.1.2.1.2.2.1.16", PORTS, COUNTS, NULL, 0},
    {"1.3.6.1.2.1.2.2.1.19", PORTS, COUNTS, NULL, 0},
    {"1.3.6.1.2.1.2.2.1.20", PORTS, COUNTS, NULL, 0},
    {"1.3.6.1.2.1.25.3.2.1.3.1", 0, SAYS, "SimPrinter 4500", 0},
    {"1.3.6.1.2.1.25.3.2.1.5.1", 0, ONE_OF, NULL, 3},
    {"1.3.6.1.2.1.25.3.5.1.1.1", 0, ONE_OF, NULL, 5},
    {"1.3.6.1.2.1.25.3.5.1.2.1", 0, BITS, NULL, 0},
    {"1.3.6.1.2.1.31.1.1.1.1", PORTS, NAMED, "eth", 0},
    {"1.3.6.1.2.1.31.1.1.1.6", PORTS, OCTETS, NULL, 0},
    {"1.3.6.1.2.1.31.1.1.1.7", PORTS, OCTETS, NULL, 0},
    {"1.3.6.1.2.1.31.1.1.1.10", PORTS, OCTETS, NULL, 0},
    {"1.3.6.1.2.1.31.1.1.1.11", PORTS, OCTETS, NULL, 0},
    {"1.3.6.1.2.1.31.1.1.1.18", PORTS, SAYS, "desk", 0},
    {"1.3.6.1.2.1.43.10.2.1.4.1.1", 0, COUNTS, NULL, 0},
    {"1.3.6.1.2.1.43.11.1.1.6.1", SUPPLIES, NAMED, "Toner Cartridge ", 0},
    {"1.3.6.1.2.1.43.11.1.1.8.1", SUPPLIES, IS, NULL, LEVELS - 1},
    {"1.3.6.1.2.1.43.11.1.1.9.1", SUPPLIES, LEVEL, NULL, 0},
};
enum { SPECS = sizeof specs / sizeof *specs };

struct object {
    uint32_t name[NAME];
    uint8_t nname, row;
    const struct spec *spec;
};

struct farm {
    size_t n;
    struct object objects[];
};

static int by_name(const void *a, const void *b)
{
    const struct object *x = a, *y = b;

    return oid_cmp(x->name, x->nname, y->name, y->nname);
}

/* The numbers of a name that we wrote ourselves. */
static uint8_t read_name(const char *text, uint32_t *ids)
{
    uint8_t n = 0;

    for (char *end; *text && n < NAME - 1; text = *end ? end + 1 : end)
        ids[n++] = (uint32_t)strtoul(text, &end, 10);
    return n;
}

struct farm *farm_new(void)
{
    struct farm *f;
    size_t n = 0;

    for (size_t i = 0; i < SPECS; i++)
        n += specs[i].rows ? specs[i].rows : 1;
    f = xcalloc(1, sizeof *f + n * sizeof *f->objects);
    for (size_t i = 0; i < SPECS; i++) {
        for (uint8_t row = specs[i].rows > 0; row <= specs[i].rows; row++) {
            struct object *o = &f->objects[f->n++];

            o->spec = &specs[i];
            o->row = row;
            o->nname = read_name(specs[i].name, o->name);
            if (row)
                o->name[o->nname++] = row;
        }
    }
    qsort(f->objects, f->n, sizeof *f->objects, by_name);
    return f;
}

void farm_free(struct farm *f)
{
    free(f);
}

size_t farm_count(const struct farm *f)
{
    return f->n;
}

size_t farm_find(const struct farm *f, const uint32_t *name, size_t n, bool *same)
{
    size_t low = 0, high = f->n;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (oid_cmp(f->objects[mid].name, f->objects[mid].nname, name, n) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *same = low < f->n && oid_cmp(f->objects[low].name, f->objects[low].nname, name, n) == 0;
    return low;
}

/* What is a device's, or an object's, own. */
static uint32_t hash(const struct object *o, uint32_t address)
{
    uint32_t key[] = {address, o ? (uint32_t)(o->spec - specs) : 0, o ? o->row : 0};

    return wire_crc32c(0, key, sizeof key);
}

/* A value that only grows: by `by`, every `every_ms`. */
struct growth {
    uint64_t from;
    uint32_t by, every_ms;
    bool wide; /* 64 bits, else 32 */
};

static struct growth growth(const struct object *o, uint32_t address)
{
    uint32_t h = hash(o, address);

    if (o->spec->kind == TICKS)
        return (struct growth){.from = h % 100000000, .by = 1, .every_ms = STEP_MS};
    if (o->spec->kind == OCTETS)
        return (struct growth){.from = (uint64_t)h << 8, .by = h % 1000000, .every_ms = STEP_MS, .wide = true};
    return (struct growth){.from = h % 2000000, .by = 1, .every_ms = 1000 + h % 20000};
}

static uint64_t grown(const struct growth *g, int64_t now_ms)
{
    uint64_t v = g->from + (uint64_t)(now_ms / g->every_ms) * g->by;

    return g->wide ? v : (uint32_t)v;
}

static int64_t level(const struct object *o, uint32_t address, int64_t now_ms)
{
    return LEVELS - 1 - (hash(o, address) + now_ms / LEVEL_MS) % LEVELS;
}

static void say(struct snmp_varbind *out, char text[FARM_TEXT], size_t n)
{
    out->type = SNMP_OCTETS;
    out->bytes = (const uint8_t *)text;
    out->n = (uint32_t)(n < FARM_TEXT ? n : FARM_TEXT - 1);
}

static void say_text(const struct object *o, uint32_t a, char text[FARM_TEXT], struct snmp_varbind *out)
{
    const char *s = o->spec->text;
    int n;

    if (o->spec->kind == NAMED)
        n = snprintf(text, FARM_TEXT, "%s%u", s, o->row);
    else if (o->spec->kind == DESCRIBED)
        n = snprintf(text, FARM_TEXT, "%s%08X", s, hash(NULL, a));
    else if (o->spec->kind == HOST)
        n = snprintf(text, FARM_TEXT, "%s-%u-%u-%u-%u", s, a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
    else
        n = snprintf(text, FARM_TEXT, "%s", s);
    say(out, text, (size_t)n);
}

void farm_value(const struct farm *f, size_t object, uint32_t address, int64_t now_ms, char text[FARM_TEXT],
                struct snmp_varbind *out)
{
    static const uint32_t model[] = {1, 3, 6, 1, 4, 1, 8072, 3, 2, 10};
    const struct object *o = &f->objects[object];
    struct growth g;

    *out = (struct snmp_varbind){.name = o->name, .nname = o->nname, .type = SNMP_INTEGER};
    switch ((enum kind)o->spec->kind) {
    case SAYS:
    case NAMED:
    case DESCRIBED:
    case HOST:
        say_text(o, address, text, out);
        break;
    case MODEL:
        out->type = SNMP_OID;
        out->oid = model;
        out->n = sizeof model / sizeof *model;
        break;
    case BITS:
        text[0] = hash(o, address) % 50 ? 0 : 0x20;
        text[1] = 0;
        say(out, text, 2);
        break;
    case IS:
        out->i = o->spec->number;
        break;
    case ROW:
        out->i = o->row;
        break;
    case ONE_OF:
        out->i = 1 + hash(o, address) % (uint32_t)o->spec->number;
        break;
    case LEVEL:
        out->i = level(o, address, now_ms);
        break;
    case TICKS:
    case COUNTS:
    case OCTETS:
        g = growth(o, address);
        out->type = o->spec->kind == TICKS ? SNMP_TIMETICKS : g.wide ? SNMP_COUNTER64 : SNMP_COUNTER32;
        out->u = grown(&g, now_ms);
    }
}

/* Whether the value was reached by whole steps, not before `from` and not after `to`. */
static bool has_grown(const struct growth *g, uint64_t v, int64_t from_ms, int64_t to_ms)
{
    uint64_t more = v - grown(g, from_ms), steps = (uint64_t)(to_ms / g->every_ms - from_ms / g->every_ms);

    if (!g->wide)
        more = (uint32_t)more;
    return g->by ? more % g->by == 0 && more / g->by <= steps : more == 0;
}

static bool same_value(const struct snmp_varbind *vb, const struct pd_cell *cell)
{
    if (vb->type == SNMP_INTEGER)
        return cell->type == PD_CELL_INT && cell->i == vb->i;
    if (vb->type == SNMP_OID)
        return cell->type == PD_CELL_OID && oid_cmp(cell->oid, cell->nbytes, vb->oid, vb->n) == 0;
    return cell->type == PD_CELL_BYTES && cell->nbytes == vb->n && memcmp(cell->bytes, vb->bytes, vb->n) == 0;
}

bool farm_said(const struct farm *f, const char *name, const struct pd_cell *cell, uint32_t address, int64_t from_ms,
               int64_t to_ms)
{
    uint32_t ids[NAME + PD_MAX_INSTANCE];
    size_t n = read_name(name, ids), at;
    struct snmp_varbind vb;
    char text[FARM_TEXT];
    struct growth g;
    bool same;

    memcpy(ids + n, cell->instance, cell->ninstance * sizeof *ids);
    at = farm_find(f, ids, n + cell->ninstance, &same);
    if (!same)
        return false;
    switch ((enum kind)f->objects[at].spec->kind) {
    case TICKS:
    case COUNTS:
    case OCTETS:
        g = growth(&f->objects[at], address);
        return cell->type == (f->objects[at].spec->kind == TICKS ? PD_CELL_TICKS : PD_CELL_UINT) &&
               has_grown(&g, cell->u, from_ms, to_ms);
    case LEVEL:
        return cell->type == PD_CELL_INT && cell->i >= 0 && cell->i < LEVELS &&
               (level(&f->objects[at], address, from_ms) - cell->i + LEVELS) % LEVELS <=
                   to_ms / LEVEL_MS - from_ms / LEVEL_MS;
    default:
        farm_value(f, at, address, to_ms, text, &vb);
        return same_value(&vb, cell);
    }
}
