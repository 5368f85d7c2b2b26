#include "base/mem.h"
#include "watch/internal.h"
#include "watch/window_inner.h"

enum { MOST = 8192 }; /* bytes of one thing: more would push out what is needed first */

static void fetch(const void *p, size_t n)
{
    mem_fetch(p, n < MOST ? n : MOST);
}

/* With a thousand devices each is out of the caches between two polls: waiting for its memory was a tenth of a poll. */
void node_fetch(const struct node *n)
{
    const struct windows *w = &n->windows;

    fetch(n, sizeof *n);
    fetch(n->units.v, n->units.n * sizeof *n->units.v);
    fetch(n->points.v, n->points.n * sizeof *n->points.v);
    fetch(w->v.v, w->v.n * sizeof *w->v.v);
    fetch(w->pieces, w->npieces);
    for (size_t i = 0; i < w->beats.n && i < MOST / sizeof **w->beats.v; i++)
        fetch(w->beats.v[i], w->beats.v[i] ? sizeof **w->beats.v : 0);
}
