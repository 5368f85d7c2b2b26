#include "watch/layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Whether the layout has just the slots that are marked, of which there are n. */
static bool is_marked(const struct layout *l, const bool *marked, size_t n)
{
    if (l->n != n)
        return false;
    for (size_t i = 0; i < l->n; i++)
        if (!marked[l->slots[i]])
            return false;
    return true;
}

static struct layout *layout_new(const struct kind *kind, const bool *marked, size_t n)
{
    struct layout *l = xcalloc(1, sizeof *l);

    l->kind = kind;
    l->slots = xcalloc(n + 1, sizeof *l->slots);
    l->places = xcalloc(kind->points.n + 1, sizeof *l->places);
    for (size_t i = 0; i < kind->points.n; i++) {
        l->places[i] = marked[i] ? (uint16_t)l->n : (uint16_t)LAYOUT_NONE;
        if (marked[i])
            l->slots[l->n++] = (uint16_t)i;
    }
    return l;
}

/* Few are ever made, and they are asked for when something new is found: a search from the first on is quick enough. */
const struct layout *layout_of(struct layouts *all, const struct kind *kind, const uint16_t *slots, size_t n)
{
    bool *marked = xcalloc(kind->points.n + 1, sizeof *marked);
    struct layout *found = NULL;
    size_t different = 0;

    for (size_t i = 0; i < n; i++) {
        different += !marked[slots[i]];
        marked[slots[i]] = true;
    }
    for (size_t i = 0; i < all->n && !found; i++)
        if (all->v[i]->kind == kind && is_marked(all->v[i], marked, different))
            found = all->v[i];
    if (!found) {
        found = layout_new(kind, marked, different);
        array_push(all, found);
    }
    free(marked);
    return found;
}

static bool has_all(const struct layout *l, const struct layout *of)
{
    for (size_t i = 0; i < of->n; i++)
        if (l->places[of->slots[i]] == LAYOUT_NONE)
            return false;
    return true;
}

const struct layout *layout_both(struct layouts *all, const struct layout *a, const struct layout *b)
{
    ARRAY(uint16_t) slots = {0};
    const struct layout *both;

    if (a == b || has_all(a, b)) /* as it is poll after poll */
        return a;
    for (size_t i = 0; i < a->n; i++)
        array_push(&slots, a->slots[i]);
    for (size_t i = 0; i < b->n; i++)
        array_push(&slots, b->slots[i]);
    both = layout_of(all, a->kind, slots.v, slots.n);
    array_free(&slots);
    return both;
}

void layouts_free(struct layouts *all)
{
    for (size_t i = 0; i < all->n; i++) {
        free(all->v[i]->slots);
        free(all->v[i]->places);
        free(all->v[i]);
    }
    array_free(all);
}
