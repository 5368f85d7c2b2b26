#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/rng.h"
#include "spans.h"

enum { END = 64, ROUNDS = 2000 };

/* The same as one flag for each ms. */
static void fill(bool *flags, int64_t from, int64_t to, bool on)
{
    for (int64_t i = from; i < to; i++)
        flags[i] = on;
}

static void compare(const struct spans *s, const bool *flags)
{
    for (int64_t i = 0; i < END; i++)
        assert_int_equal(spans_hold(s, i), flags[i]);
    for (size_t i = 0; i < s->list.n; i++) {
        assert_true(s->list.v[i].from < s->list.v[i].to);
        assert_true(i == 0 || s->list.v[i - 1].to < s->list.v[i].from);
    }
}

static int64_t first_run(const bool *flags, int64_t from, int64_t to, int64_t length)
{
    for (int64_t i = from; i + length <= to; i++) {
        int64_t n = 0;

        while (n < length && flags[i + n])
            n++;
        if (n == length)
            return i;
    }
    return -1;
}

static void agree_with_flags(void **state)
{
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);

    (void)state;
    rng_seed(&seeded, 7);
    for (int round = 0; round < ROUNDS; round++) {
        bool flags[END] = {false};
        struct spans s = {0};
        int64_t at = 0;

        while (at < END - 8) {
            int64_t from = at + (int64_t)rng_below(&rng, 6), to = from + (int64_t)rng_below(&rng, 8);

            to = to > END ? END : to;
            from = from > to ? to : from;
            spans_add(&s, from, to);
            fill(flags, from, to, true);
            at = to + 1;
        }
        for (int i = 0; i < 3; i++) {
            int64_t from = (int64_t)rng_below(&rng, END), to = from + (int64_t)rng_below(&rng, 12);

            to = to > END ? END : to;
            spans_cut(&s, from, to);
            fill(flags, from, to, false);
        }
        for (int64_t length = 1; length < 10; length++) {
            int64_t from = (int64_t)rng_below(&rng, END / 2), to = from + (int64_t)rng_below(&rng, END / 2);

            assert_int_equal(spans_run(&s, from, to, length), first_run(flags, from, to, length));
        }
        compare(&s, flags);
        spans_free(&s);
    }
}

static void what_touches_becomes_one(void **state)
{
    struct spans s = {0};

    (void)state;
    spans_add(&s, 1, 5);
    spans_add(&s, 5, 9);
    spans_add(&s, 7, 8);
    spans_add(&s, 20, 20);
    assert_int_equal(s.list.n, 1);
    assert_int_equal(s.list.v[0].to, 9);
    spans_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agree_with_flags),
        cmocka_unit_test(what_touches_becomes_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
