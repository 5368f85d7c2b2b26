#include "base/hist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

static void of_nothing_every_quantile_is_zero(void **state)
{
    struct hist h;

    (void)state;
    hist_clear(&h);
    assert_int_equal(hist_quantile(&h, 0), 0);
    assert_int_equal(hist_quantile(&h, 0.99), 0);
    assert_int_equal(hist_quantile(&h, 1), 0);
}

static void small_values_are_exact(void **state)
{
    struct hist h;

    (void)state;
    hist_clear(&h);
    for (int i = 0; i < 16; i++)
        hist_add(&h, i);
    for (int i = 0; i < 16; i++)
        assert_int_equal(hist_quantile(&h, (i + 1) / 16.0), i);
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void quantiles_are_at_most_a_sixteenth_above_the_truth(void **state)
{
    enum { N = 20000 };
    static const double shares[] = {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1};
    int64_t *v = calloc(N, sizeof *v);
    struct rng_seeded r;
    struct pd_rng rng = rng_seeded_ops(&r);
    struct hist h;

    (void)state;
    rng_seed(&r, 7);
    hist_clear(&h);
    for (size_t i = 0; i < N; i++) {
        v[i] = (int64_t)(rng_u64(&rng) >> (25 + rng_u64(&rng) % 39));
        hist_add(&h, v[i]);
    }
    qsort(v, N, sizeof *v, by_size);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        uint64_t truth = (uint64_t)v[(size_t)(shares[i] * N + 0.5) - 1], got = hist_quantile(&h, shares[i]);

        if (got < truth || got > truth + truth / 16)
            fail_msg("%g: %llu, not %llu", shares[i], (unsigned long long)got, (unsigned long long)truth);
    }
    assert_int_equal(h.count, N);
    free(v);
}

static void what_is_beyond_the_scale_keeps_its_maximum(void **state)
{
    struct hist h;

    (void)state;
    hist_clear(&h);
    hist_add(&h, -5);
    hist_add(&h, INT64_MAX);
    assert_int_equal(hist_quantile(&h, 0.5), 0);
    assert_int_equal(hist_quantile(&h, 0.9), INT64_MAX);
    assert_int_equal(hist_quantile(&h, 1), INT64_MAX);
}

static void merged_histograms_are_as_one(void **state)
{
    struct hist a, b, both;

    (void)state;
    hist_clear(&a);
    hist_clear(&b);
    hist_clear(&both);
    for (int i = 0; i < 1000; i++) {
        hist_add(i % 3 ? &a : &b, i * 7);
        hist_add(&both, i * 7);
    }
    hist_merge(&a, &b);
    assert_memory_equal(&a, &both, sizeof a);
}

static void a_window_forgets_after_a_minute(void **state)
{
    struct hist_window *w = hist_window_new();
    struct hist h;

    (void)state;
    hist_window_add(w, 1000, 700);
    hist_window_add(w, 30000, 3);
    hist_window_sum(w, 61000, &h);
    assert_int_equal(h.count, 2);
    assert_int_equal(hist_quantile(&h, 1), 700);
    hist_window_sum(w, 65000, &h);
    assert_int_equal(h.count, 1);
    assert_int_equal(hist_quantile(&h, 1), 3);
    hist_window_add(w, 66000, 4); /* in the place of the first */
    hist_window_sum(w, 66000, &h);
    assert_int_equal(h.count, 2);
    hist_window_sum(w, 1000000, &h);
    assert_int_equal(h.count, 0);
    hist_window_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_nothing_every_quantile_is_zero),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(quantiles_are_at_most_a_sixteenth_above_the_truth),
        cmocka_unit_test(what_is_beyond_the_scale_keeps_its_maximum),
        cmocka_unit_test(merged_histograms_are_as_one),
        cmocka_unit_test(a_window_forgets_after_a_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
