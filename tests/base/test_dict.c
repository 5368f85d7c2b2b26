#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "base/rng.h"

#define KEYS 200
#define STEPS 20000

static int cell[KEYS];

static void what_was_put_is_got(void **state)
{
    struct dict *d = dict_new();

    (void)state;
    assert_null(dict_get(d, "打印机"));
    assert_null(dict_put(d, "打印机", &cell[1]));
    assert_null(dict_put(d, "", &cell[2]));
    assert_ptr_equal(dict_get(d, "打印机"), &cell[1]);
    assert_ptr_equal(dict_get(d, ""), &cell[2]);
    assert_ptr_equal(dict_put(d, "", &cell[3]), &cell[2]);
    assert_int_equal(dict_count(d), 2);
    assert_ptr_equal(dict_del(d, ""), &cell[3]);
    assert_null(dict_del(d, ""));
    assert_int_equal(dict_count(d), 1);
    dict_free(d);
}

static void keys_are_copied(void **state)
{
    struct dict *d = dict_new();
    char key[] = "first";

    (void)state;
    dict_put(d, key, &cell[0]);
    key[0] = 'F';
    assert_ptr_equal(dict_get(d, "first"), &cell[0]);
    assert_null(dict_get(d, key));
    dict_free(d);
}

static void iteration_is_in_order_of_insertion(void **state)
{
    static const char *const expected[] = {"delta", "bravo", "echo", "alpha"};
    struct dict *d = dict_new();
    size_t at = 0, n = 0;
    const char *key;
    void *value;

    (void)state;
    dict_put(d, "delta", &cell[0]);
    dict_put(d, "alpha", &cell[1]);
    dict_put(d, "bravo", &cell[2]);
    dict_put(d, "echo", &cell[3]);
    dict_put(d, "bravo", &cell[4]); /* replacing keeps the place */
    dict_del(d, "alpha");
    dict_put(d, "alpha", &cell[5]); /* removing gives it up */
    while (dict_next(d, &at, &key, &value)) {
        assert_in_range(n, 0, 3);
        assert_string_equal(key, expected[n++]);
        assert_ptr_equal(value, dict_get(d, key));
    }
    assert_int_equal(n, 4);
    dict_free(d);
}

static void an_empty_map_ends_at_once(void **state)
{
    struct u64dict *d = u64dict_new();
    size_t at = 0;
    uint64_t key;
    void *value;

    (void)state;
    assert_false(u64dict_next(d, &at, &key, &value));
    assert_null(u64dict_get(d, 0));
    assert_null(u64dict_del(d, 0));
    u64dict_free(d);
    u64dict_free(NULL);
    dict_free(NULL);
}

static void all_numbers_are_keys(void **state)
{
    static const uint64_t keys[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63, UINT64_C(1) << 32};
    struct u64dict *d = u64dict_new();

    (void)state;
    for (size_t i = 0; i < 5; i++)
        assert_null(u64dict_put(d, keys[i], &cell[i]));
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(u64dict_get(d, keys[i]), &cell[i]);
    u64dict_free(d);
}

/* The model: keys in order of insertion in a plain array. */
struct model {
    uint64_t keys[KEYS];
    void *values[KEYS];
    size_t n;
};

static size_t model_find(const struct model *m, uint64_t key)
{
    size_t i = 0;

    while (i < m->n && m->keys[i] != key)
        i++;
    return i;
}

static void *model_put(struct model *m, uint64_t key, void *value)
{
    size_t i = model_find(m, key);
    void *old = i < m->n ? m->values[i] : NULL;

    if (i == m->n)
        m->keys[m->n++] = key;
    m->values[i] = value;
    return old;
}

static void *model_del(struct model *m, uint64_t key)
{
    size_t i = model_find(m, key);
    void *old;

    if (i == m->n)
        return NULL;
    old = m->values[i];
    m->n--;
    for (; i < m->n; i++) {
        m->keys[i] = m->keys[i + 1];
        m->values[i] = m->values[i + 1];
    }
    return old;
}

static void assert_same(const struct u64dict *d, const struct dict *t, const struct model *m)
{
    size_t at = 0, at_text = 0;
    const char *text;
    uint64_t key;
    void *value;

    assert_int_equal(u64dict_count(d), m->n);
    assert_int_equal(dict_count(t), m->n);
    for (size_t i = 0; i < m->n; i++) {
        assert_true(u64dict_next(d, &at, &key, &value));
        assert_int_equal(key, m->keys[i]);
        assert_ptr_equal(value, m->values[i]);
        assert_true(dict_next(t, &at_text, &text, &value));
        assert_int_equal(strtoull(text, NULL, 16), m->keys[i]);
        assert_ptr_equal(value, m->values[i]);
    }
    assert_false(u64dict_next(d, &at, &key, &value));
    assert_false(dict_next(t, &at_text, &text, &value));
}

static void random_operations_agree_with_a_plain_array(void **state)
{
    struct u64dict *d = u64dict_new();
    struct dict *t = dict_new();
    struct model m = {.n = 0};
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);
    char text[17];

    (void)state;
    rng_seed(&seeded, 2);
    for (int step = 0; step < STEPS; step++) {
        uint64_t key = rng_below(&rng, KEYS) << 20; /* low bits all alike */
        void *value = &cell[rng_below(&rng, KEYS)], *expected;
        bool put = rng_below(&rng, 100) < (step / 2000 % 2 ? 30 : 70); /* grows, then shrinks, then grows */

        snprintf(text, sizeof text, "%llx", (unsigned long long)key);
        expected = put ? model_put(&m, key, value) : model_del(&m, key);
        assert_ptr_equal(put ? u64dict_put(d, key, value) : u64dict_del(d, key), expected);
        assert_ptr_equal(put ? dict_put(t, text, value) : dict_del(t, text), expected);
        if (step % 100 == 0)
            assert_same(d, t, &m);
    }
    assert_same(d, t, &m);
    u64dict_free(d);
    dict_free(t);
}

static void iteration_begins_after_any_key_of_rising_ones(void **state)
{
    struct u64dict *d = u64dict_new();
    uint64_t key;
    void *value;

    (void)state;
    assert_int_equal(u64dict_after(d, 0), 0);
    for (uint64_t k = 2; k <= 200; k += 2)
        u64dict_put(d, k, d);
    u64dict_del(d, 52);
    for (uint64_t after = 0; after < 200; after++) {
        uint64_t wanted = after % 2 ? after + 1 : after + 2;
        size_t at = u64dict_after(d, after);

        assert_true(u64dict_next(d, &at, &key, &value));
        assert_int_equal(key, wanted == 52 ? 54 : wanted);
    }
    for (uint64_t after = 200; after < 203; after++) {
        size_t at = u64dict_after(d, after);

        assert_false(u64dict_next(d, &at, &key, &value));
    }
    u64dict_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_got),
        cmocka_unit_test(keys_are_copied),
        cmocka_unit_test(iteration_is_in_order_of_insertion),
        cmocka_unit_test(an_empty_map_ends_at_once),
        cmocka_unit_test(all_numbers_are_keys),
        cmocka_unit_test(random_operations_agree_with_a_plain_array),
        cmocka_unit_test(iteration_begins_after_any_key_of_rising_ones),
    };

    return cmocka_run_group_tests_name("base/dict", tests, NULL, NULL);
}
