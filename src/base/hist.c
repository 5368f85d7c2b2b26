#include "base/hist.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { PIECE_MS = 5000, PIECES = 60000 / PIECE_MS + 1 };

static unsigned slot_of(uint64_t v)
{
    unsigned top;

    if (v < HIST_STEPS)
        return (unsigned)v;
    top = 63 - (unsigned)__builtin_clzll(v);
    if (top >= HIST_TOP)
        return HIST_SLOTS - 1;
    return (top - HIST_BITS + 1) * HIST_STEPS + ((unsigned)(v >> (top - HIST_BITS)) & (HIST_STEPS - 1));
}

/* The largest value of the slot. */
static uint64_t slot_end(unsigned slot)
{
    unsigned shift = slot / HIST_STEPS;

    if (shift == 0)
        return slot;
    shift--;
    return ((uint64_t)(HIST_STEPS + slot % HIST_STEPS + 1) << shift) - 1;
}

void hist_clear(struct hist *h)
{
    memset(h, 0, sizeof *h);
}

void hist_add(struct hist *h, int64_t value)
{
    uint64_t v = value > 0 ? (uint64_t)value : 0;

    h->slots[slot_of(v)]++;
    h->count++;
    h->sum += v;
    if (v > h->max)
        h->max = v;
}

void hist_merge(struct hist *into, const struct hist *from)
{
    if (from->count == 0)
        return;
    for (unsigned i = 0; i < HIST_SLOTS; i++)
        into->slots[i] += from->slots[i];
    into->count += from->count;
    into->sum += from->sum;
    if (from->max > into->max)
        into->max = from->max;
}

uint64_t hist_quantile(const struct hist *h, double share)
{
    double wanted = share * (double)h->count;
    uint64_t seen = 0, end;

    if (share >= 1)
        return h->max;
    for (unsigned i = 0; i < HIST_SLOTS; i++) {
        seen += h->slots[i];
        if (seen == 0 || (double)seen < wanted)
            continue;
        end = slot_end(i);
        return i == HIST_SLOTS - 1 || end > h->max ? h->max : end;
    }
    return h->max;
}

/* ---- The last minute ---- */

struct piece {
    int64_t number; /* of the piece since time began */
    struct hist hist;
};

struct hist_window {
    struct piece pieces[PIECES];
};

struct hist_window *hist_window_new(void)
{
    struct hist_window *w = xcalloc(1, sizeof *w);

    for (size_t i = 0; i < PIECES; i++)
        w->pieces[i].number = -PIECES;
    return w;
}

void hist_window_free(struct hist_window *w)
{
    free(w);
}

void hist_window_add(struct hist_window *w, int64_t now_ms, int64_t value)
{
    int64_t number = now_ms > 0 ? now_ms / PIECE_MS : 0;
    struct piece *p = &w->pieces[number % PIECES];

    if (p->number != number) {
        hist_clear(&p->hist);
        p->number = number;
    }
    hist_add(&p->hist, value);
}

void hist_window_sum(const struct hist_window *w, int64_t now_ms, struct hist *out)
{
    int64_t last = now_ms > 0 ? now_ms / PIECE_MS : 0;

    hist_clear(out);
    for (size_t i = 0; i < PIECES; i++) {
        if (w->pieces[i].number > last - PIECES && w->pieces[i].number <= last)
            hist_merge(out, &w->pieces[i].hist);
    }
}
