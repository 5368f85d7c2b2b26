#include "daemon/lateness.h"

#include <assert.h>
#include <string.h>

void lateness_init(struct lateness *l)
{
    *l = (struct lateness){.stored = hist_window_new()};
}

void lateness_fini(struct lateness *l)
{
    array_free(&l->due);
    hist_window_free(l->stored);
}

void lateness_queued(struct lateness *l, int64_t due_ms)
{
    array_push(&l->due, due_ms);
}

void lateness_stored(struct lateness *l, size_t n, int64_t now_ms)
{
    assert(n <= l->due.n - l->first);
    for (size_t i = 0; i < n; i++) {
        int64_t due = l->due.v[l->first + i];

        if (due >= 0)
            hist_window_add(l->stored, now_ms, (now_ms - due) * 1000);
    }
    l->first += n;
    if (l->first * 2 < l->due.n)
        return;
    l->due.n -= l->first;
    memmove(l->due.v, l->due.v + l->first, l->due.n * sizeof *l->due.v);
    l->first = 0;
}
