#include "regmap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { EXCEPTION_BIT = 0x80 };

/* ---- What there is ---- */

void regmap_fini(struct regmap *m)
{
    for (size_t i = 0; i < m->regs.n; i++)
        if (m->regs.v[i].form == REG_TEXT)
            free(m->regs.v[i].text);
    array_free(&m->regs);
}

/* The first that begins at or after an address of a space. */
static size_t find(const struct regmap *m, uint8_t function, unsigned address)
{
    size_t lo = 0, hi = m->regs.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct reg *r = &m->regs.v[mid];

        if (r->function < function || (r->function == function && r->address < address))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct reg *insert(struct regmap *m, size_t at, const struct reg *r)
{
    array_reserve(&m->regs, m->regs.n + 1);
    memmove(&m->regs.v[at + 1], &m->regs.v[at], (m->regs.n - at) * sizeof m->regs.v[0]);
    m->regs.v[at] = *r;
    m->regs.n++;
    return &m->regs.v[at];
}

/* The place, without its old value, ready for a new one. */
static struct reg *renew(struct regmap *m, enum mb_function space, uint16_t address, uint16_t count, enum regform form)
{
    const struct reg fresh = {.function = (uint8_t)space, .address = address, .count = count, .form = form};
    size_t i = find(m, fresh.function, address);
    struct reg *r;

    if (i == m->regs.n || m->regs.v[i].function != fresh.function || m->regs.v[i].address != address)
        return insert(m, i, &fresh);
    r = &m->regs.v[i];
    assert(r->count == count && r->form == form);
    if (form == REG_TEXT)
        free(r->text);
    *r = fresh;
    return r;
}

void regmap_bit(struct regmap *m, enum mb_function space, uint16_t address, bool on)
{
    renew(m, space, address, 1, REG_INT)->i = on;
}

void regmap_int(struct regmap *m, enum mb_function space, uint16_t address, uint16_t registers, int64_t v)
{
    renew(m, space, address, registers, REG_INT)->i = v;
}

void regmap_ramp(struct regmap *m, enum mb_function space, uint16_t address, uint16_t registers, const struct ramp *r)
{
    renew(m, space, address, registers, REG_INT)->ramp = *r;
}

void regmap_float(struct regmap *m, enum mb_function space, uint16_t address, uint16_t registers, double v)
{
    renew(m, space, address, registers, REG_FLOAT)->f = v;
}

void regmap_float_ramp(struct regmap *m, enum mb_function space, uint16_t address, uint16_t registers,
                       const struct ramp *ramp, double unit)
{
    struct reg *r = renew(m, space, address, registers, REG_FLOAT);

    r->ramp = *ramp;
    r->unit = unit;
}

void regmap_text(struct regmap *m, enum mb_function space, uint16_t address, uint16_t registers, const char *text)
{
    renew(m, space, address, registers, REG_TEXT)->text = xstrdup(text);
}

/* ---- As words ---- */

static uint64_t float_bits(const struct reg *r, double v)
{
    uint64_t wide;
    uint32_t narrow;
    float f = (float)v;

    memcpy(&wide, &v, sizeof wide);
    memcpy(&narrow, &f, sizeof narrow);
    return r->count == 2 ? narrow : wide;
}

static uint64_t number_bits(const struct reg *r, int64_t now_ms)
{
    int64_t moved = r->ramp.den != 0 ? ramp_at(&r->ramp, now_ms) : 0;

    if (r->form == REG_FLOAT)
        return float_bits(r, r->ramp.den != 0 ? (double)moved * r->unit : r->f);
    return (uint64_t)(r->ramp.den != 0 ? moved : r->i);
}

/* The k-th register of it. */
static uint16_t word(const struct reg *r, unsigned k, int64_t now_ms)
{
    if (r->form == REG_TEXT) {
        size_t n = strlen(r->text);
        unsigned high = 2 * k < n ? (uint8_t)r->text[2 * k] : 0, low = 2 * k + 1 < n ? (uint8_t)r->text[2 * k + 1] : 0;

        return (uint16_t)(high << 8 | low);
    }
    return (uint16_t)(number_bits(r, now_ms) >> 16 * (r->count - 1 - k));
}

/* ---- Answers ---- */

/* What covers an address, or NULL. */
static const struct reg *covers(const struct regmap *m, uint8_t function, unsigned address)
{
    size_t i = find(m, function, address + 1);
    const struct reg *r = i > 0 ? &m->regs.v[i - 1] : NULL;

    return r != NULL && r->function == function && address < (unsigned)r->address + r->count ? r : NULL;
}

/* A device that has nothing in a space does not know the function either. */
static bool knows(const struct regmap *m, uint8_t function)
{
    size_t i = find(m, function, 0);

    return i < m->regs.n && m->regs.v[i].function == function;
}

/* False where something that was asked for is not there. */
static bool fill(const struct regmap *m, int64_t now_ms, const struct mb_ask *ask, uint8_t *out)
{
    memset(out, 0, mb_data_size(ask));
    for (unsigned i = 0; i < ask->count; i++) {
        unsigned address = ask->address + i;
        const struct reg *r = covers(m, ask->function, address);
        uint16_t v;

        if (r == NULL)
            return false;
        v = word(r, address - r->address, now_ms);
        if (mb_is_bits(ask->function)) {
            out[i / 8] |= (uint8_t)((v & 1) << i % 8);
        } else {
            out[2 * i] = (uint8_t)(v >> 8);
            out[2 * i + 1] = (uint8_t)v;
        }
    }
    return true;
}

size_t regmap_exception(const uint8_t *pdu, size_t n, enum mb_exception code, uint8_t out[static MB_MAX_PDU])
{
    out[0] = (uint8_t)((n > 0 ? pdu[0] : 0) | EXCEPTION_BIT);
    out[1] = (uint8_t)code;
    return 2;
}

size_t regmap_answer(const struct regmap *m, int64_t now_ms, const uint8_t *pdu, size_t n,
                     uint8_t out[static MB_MAX_PDU])
{
    struct mb_ask ask = {.function = n > 0 ? pdu[0] : 0};
    unsigned most = mb_is_bits(ask.function) ? MB_MAX_BITS : MB_MAX_REGISTERS;

    if (ask.function < MB_READ_COILS || ask.function > MB_READ_INPUT || !knows(m, ask.function))
        return regmap_exception(pdu, n, MB_ILLEGAL_FUNCTION, out);
    if (n != MB_REQUEST_PDU)
        return regmap_exception(pdu, n, MB_ILLEGAL_VALUE, out);
    ask.address = (uint16_t)(pdu[1] << 8 | pdu[2]);
    ask.count = (uint16_t)(pdu[3] << 8 | pdu[4]);
    if (ask.count < 1 || ask.count > most)
        return regmap_exception(pdu, n, MB_ILLEGAL_VALUE, out);
    if (!fill(m, now_ms, &ask, out + 2))
        return regmap_exception(pdu, n, MB_ILLEGAL_ADDRESS, out);
    out[0] = ask.function;
    out[1] = (uint8_t)mb_data_size(&ask);
    return 2 + mb_data_size(&ask);
}
