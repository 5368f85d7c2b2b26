#include "model/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

const char *const profile_text_names[PROFILE_TEXTS] = {"make", "model", "serial", "firmware"};

static void saying_fini(struct profile_saying *s)
{
    free(s->key);
    free(s->value);
    free(s->profile);
}

void profile_free(struct profile *p)
{
    if (!p)
        return;
    free(p->name);
    free(p->device_class);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        free(p->title[lang]);
    for (size_t i = 0; i < p->object_ids.n; i++)
        free(p->object_ids.v[i].numbers);
    for (size_t i = 0; i < p->contexts.n; i++) {
        free(p->contexts.v[i].name);
        free(p->contexts.v[i].each);
    }
    for (size_t i = 0; i < p->sayings.n; i++)
        saying_fini(&p->sayings.v[i]);
    free(p->parent);
    array_free(&p->object_ids);
    array_free(&p->identities);
    array_free(&p->modules);
    array_free(&p->sources);
    array_free(&p->module_contexts);
    array_free(&p->contexts);
    array_free(&p->holes);
    array_free(&p->sayings);
    free(p);
}

size_t oid_numbers(const char *text, uint32_t numbers[static OID_PREFIX_MAX])
{
    size_t n = 0;

    for (const char *p = text;;) {
        uint64_t number = 0;
        const char *digits = p;

        while (*p >= '0' && *p <= '9' && number <= UINT32_MAX)
            number = number * 10 + (uint64_t)(*p++ - '0');
        if (p == digits || number > UINT32_MAX || n == OID_PREFIX_MAX)
            return 0;
        numbers[n++] = (uint32_t)number;
        if (*p == '\0')
            return n;
        if (*p++ != '.')
            return 0;
    }
}

/* ---- The index ---- */

static int compare_numbers(const struct oid_prefix *a, const struct oid_prefix *b)
{
    size_t n = a->n < b->n ? a->n : b->n;

    for (size_t i = 0; i < n; i++)
        if (a->numbers[i] != b->numbers[i])
            return a->numbers[i] < b->numbers[i] ? -1 : 1;
    return a->n == b->n ? 0 : a->n < b->n ? -1 : 1;
}

static int by_numbers(const void *a, const void *b)
{
    const struct profile_candidate *x = a, *y = b;
    int order = compare_numbers(x->prefix, y->prefix);

    return order ? order : strcmp(x->profile->name, y->profile->name);
}

void profile_index_build(struct profile_index *x, struct profile *const *profiles, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct profile *p = profiles[i];

        for (size_t j = 0; j < p->object_ids.n; j++) {
            struct profile_candidate entry = {.profile = p, .prefix = &p->object_ids.v[j]};

            array_push(&x->prefixes, entry);
        }
        if (p->match && p->object_ids.n == 0)
            array_push(&x->open, p);
    }
    if (x->prefixes.n > 0)
        qsort(x->prefixes.v, x->prefixes.n, sizeof *x->prefixes.v, by_numbers);
}

void profile_index_fini(struct profile_index *x)
{
    array_free(&x->prefixes);
    array_free(&x->open);
}

/* ---- Choosing ---- */

/* The first entry whose prefix is not less. */
static size_t first_of(const struct profile_index *x, const struct oid_prefix *prefix)
{
    size_t low = 0, high = x->prefixes.n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_numbers(x->prefixes.v[middle].prefix, prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has(const struct profile_candidates *list, const struct profile *p)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].profile == p)
            return true;
    return false;
}

static int by_rank(const void *a, const void *b)
{
    const struct profile_candidate *x = a, *y = b;
    size_t nx = x->prefix ? x->prefix->n : 0, ny = y->prefix ? y->prefix->n : 0;

    if (x->profile->priority != y->profile->priority)
        return x->profile->priority > y->profile->priority ? -1 : 1;
    if (nx != ny)
        return nx > ny ? -1 : 1;
    if (!x->profile->match != !y->profile->match)
        return x->profile->match ? -1 : 1;
    return strcmp(x->profile->name, y->profile->name);
}

void profile_candidates(const struct profile_index *x, const char *object_id, struct profile_candidates *out)
{
    uint32_t numbers[OID_PREFIX_MAX];
    struct oid_prefix prefix = {.numbers = numbers, .n = object_id ? oid_numbers(object_id, numbers) : 0};

    for (; prefix.n > 0; prefix.n--)
        for (size_t i = first_of(x, &prefix);
             i < x->prefixes.n && compare_numbers(x->prefixes.v[i].prefix, &prefix) == 0; i++)
            if (!has(out, x->prefixes.v[i].profile)) /* by a longer one */
                array_push(out, x->prefixes.v[i]);
    for (size_t i = 0; i < x->open.n; i++)
        array_push(out, ((struct profile_candidate){.profile = x->open.v[i]}));
    if (out->n > 0)
        qsort(out->v, out->n, sizeof *out->v, by_rank);
}

struct value profile_fits(const struct profile *p, const struct value *row, size_t nrow)
{
    struct value v = p->match ? expr_eval(p->match, row, nrow) : value_bool(true);

    return v.quality == QUALITY_GOOD && v.type != VALUE_BOOL ? value_unknown(WHY_TYPE) : v;
}
