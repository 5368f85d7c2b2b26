#include "spans.h"

#include <string.h>

void spans_free(struct spans *s)
{
    array_free(&s->list);
}

void spans_add(struct spans *s, int64_t from, int64_t to)
{
    size_t n = s->list.n;

    if (from >= to)
        return;
    if (n == 0 || from > s->list.v[n - 1].to)
        array_push(&s->list, ((struct span){from, to}));
    else if (to > s->list.v[n - 1].to)
        s->list.v[n - 1].to = to;
}

/* The first that ends after a time. */
static size_t first_after(const struct spans *s, int64_t at)
{
    size_t lo = 0, hi = s->list.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (s->list.v[mid].to <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

void spans_cut(struct spans *s, int64_t from, int64_t to)
{
    size_t i = first_after(s, from);

    while (from < to && i < s->list.n && s->list.v[i].from < to) {
        struct span whole = s->list.v[i];

        if (whole.from < from && whole.to > to) {
            array_push(&s->list, whole);
            memmove(&s->list.v[i + 1], &s->list.v[i], (s->list.n - 1 - i) * sizeof whole);
            s->list.v[i].to = from;
            s->list.v[i + 1].from = to;
            return;
        }
        if (whole.from < from) {
            s->list.v[i++].to = from;
        } else if (whole.to > to) {
            s->list.v[i].from = to;
            return;
        } else {
            array_remove(&s->list, i);
        }
    }
}

int64_t spans_run(const struct spans *s, int64_t from, int64_t to, int64_t length)
{
    for (size_t i = first_after(s, from); i < s->list.n && s->list.v[i].from < to; i++) {
        int64_t begin = s->list.v[i].from > from ? s->list.v[i].from : from;
        int64_t end = s->list.v[i].to < to ? s->list.v[i].to : to;

        if (end - begin >= length)
            return begin;
    }
    return -1;
}

bool spans_hold(const struct spans *s, int64_t at)
{
    size_t i = first_after(s, at);

    return i < s->list.n && s->list.v[i].from <= at;
}
