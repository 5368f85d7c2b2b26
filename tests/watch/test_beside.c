#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "tests/watch/bench.h"
#include "watch/rows.h"

/* Columns of other tables, and what is reckoned over their rows, by the module `cabinet`. */
static struct bench bench_cabinet(void)
{
    return bench_new("tests/watch/normalise", "cabinet");
}

static void add_row(struct bench *t, const char *address, uint32_t a, uint32_t b, struct pd_cell c)
{
    const uint32_t at[] = {a, b};

    bench_add_at(t, address, PART_STATUS, at, 2, c);
}

static const struct found *found(const struct bench *t, const char *key)
{
    for (size_t i = 0; i < t->nfound; i++)
        if (strcmp(t->found[i].key, key) == 0)
            return &t->found[i];
    fail_msg("no component '%s'", key);
    return NULL;
}

/* ---- Joins ---- */

static void test_a_row_is_joined_by_its_whole_index(void **state)
{
    struct bench t = bench_cabinet();

    (void)state;
    bench_add(&t, "3.4.1", 4, cell_text("inlet"));
    bench_add(&t, "3.2.1", 4, cell_int(1));
    bench_add(&t, "3.2.1", 5, cell_int(2));
    bench_add(&t, "3.4.3", 4, cell_int(5));
    bench_finish(&t);
    assert_int_equal(t.nfound, 2);
    assert_value(bench_point(&t, "inlet", "speed"), value_int(1));
    assert_value(bench_point(&t, "inlet", "state"), value_enum(1)); /* renumbered by the joined column's members */
    assert_value(bench_point(&t, "5", "speed"), value_int(2));      /* there is no such part */
    assert_value(bench_point(&t, "5", "state"), VALUE_UNKNOWN);
    bench_free(&t);
}

static void test_a_join_goes_on_from_another(void **state)
{
    struct bench t = bench_cabinet();

    (void)state;
    bench_add(&t, "3.2.1", 4, cell_int(1));
    bench_add(&t, "3.4.1", 2, cell_text("chassis"));
    bench_add(&t, "3.4.1", 4, cell_text("inlet"));
    bench_add(&t, "3.4.2", 4, cell_int(2));
    bench_finish(&t);
    assert_string_equal(found(&t, "inlet")->label, "chassis");
    bench_free(&t);
}

static void test_an_index_is_made_of_numbers_and_may_be_a_beginning(void **state)
{
    static const struct {
        uint32_t n, slot[3]; /* the one row of the table; n 0: none */
        int64_t place;
        struct value note;
    } rows[] = {
        {2, {4, 7}, 7, {.type = VALUE_TEXT, .text = "here"}},
        {3, {4, 7, 1}, 7, {.type = VALUE_TEXT, .text = "here"}}, /* begins so */
        {2, {4, 8}, 7, {.quality = QUALITY_UNKNOWN}},
        {1, {4}, 7, {.quality = QUALITY_UNKNOWN}}, /* not long enough */
        {0, {0}, 7, {.quality = QUALITY_UNKNOWN}},
        {2, {4, 4294967295}, 4294967295, {.type = VALUE_TEXT, .text = "here"}},
        {2, {4, 0}, 4294967296, {.quality = QUALITY_UNKNOWN}}, /* no index holds that */
        {2, {4, 7}, -7, {.quality = QUALITY_UNKNOWN}},
    };
    struct bench t = bench_cabinet();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        batch_reset(t.b);
        bench_add(&t, "3.2.2", 4, cell_int(rows[i].place));
        if (rows[i].n)
            bench_add_at(&t, "3.5.1", PART_STATUS, rows[i].slot, rows[i].n, cell_text("here"));
        bench_finish(&t);
        if (!value_same(bench_point(&t, "4", "note"), rows[i].note))
            fail_msg("row %zu", i);
    }
    bench_free(&t);
}

static void test_the_row_of_just_that_index_goes_before_longer_ones(void **state)
{
    static const uint32_t longer[] = {4, 7, 0};
    struct bench t = bench_cabinet();

    (void)state;
    bench_add(&t, "3.2.2", 4, cell_int(7));
    bench_add_at(&t, "3.5.1", PART_STATUS, longer, 3, cell_text("longer"));
    add_row(&t, "3.5.1", 4, 7, cell_text("just that"));
    bench_finish(&t);
    assert_value(bench_point(&t, "4", "note"), value_text("just that"));
    bench_free(&t);
}

static void test_single_values_are_joined_as_they_are(void **state)
{
    struct bench t = bench_cabinet();

    (void)state;
    bench_add(&t, "3.2.1", 4, cell_int(1));
    bench_add(&t, "3.1.0", 0, cell_text("cabinet-3"));
    bench_finish(&t);
    assert_string_equal(found(&t, "4")->label, "cabinet-3");
    bench_free(&t);
}

/* What has no kind is read with those that ask it, each time, and with nobody else. */
static void test_what_is_joined_is_read_with_those_that_ask(void **state)
{
    static const uint32_t at[] = {4};
    struct bench t = bench_cabinet();
    unsigned names = 0;

    (void)state;
    for (size_t i = 0; i < t.nsources; i++) {
        names += strcmp(t.sources[i].address, "3.4.1") == 0;
        assert_int_not_equal(t.sources[i].part, PART_INVENTORY);
    }
    assert_int_equal(names, 2); /* status, counters */
    bench_add_at(&t, "3.4.1", PART_COUNTERS, at, 1, cell_text("inlet"));
    bench_add_at(&t, "3.6.1", PART_COUNTERS, at, 1, cell_int(77));
    bench_finish(&t);
    assert_int_equal(t.nfound, 1);
    assert_value(bench_point(&t, "inlet", "in_octets"), value_int(77));
    bench_free(&t);
}

/* ---- Aggregates ---- */

static void test_numbers_over_rows_that_begin_with_this_one(void **state)
{
    struct bench t = bench_cabinet();

    (void)state;
    bench_add(&t, "3.2.1", 4, cell_int(1));
    bench_add(&t, "3.2.1", 5, cell_int(1));
    add_row(&t, "3.7.1", 3, 9, cell_int(1000)); /* another's */
    add_row(&t, "3.7.1", 4, 1, cell_int(2));
    add_row(&t, "3.7.1", 4, 2, cell_int(4));
    add_row(&t, "3.7.1", 4, 3, cell_int(-1)); /* no number */
    add_row(&t, "3.7.1", 4, 9, cell_int(9));
    add_row(&t, "3.7.2", 4, 1, cell_int(1));
    add_row(&t, "3.7.2", 4, 2, cell_int(1));
    add_row(&t, "3.7.2", 4, 9, cell_int(2));
    bench_finish(&t);
    assert_value(bench_point(&t, "4", "load"), value_num(3));        /* the mean of those that are not bad */
    assert_value(bench_point(&t, "4", "in_octets"), value_int(921)); /* most 9, least 2, one bad */
    assert_value(bench_point(&t, "4", "alarm"), value_bool(true));
    assert_value(bench_point(&t, "5", "load"), VALUE_UNKNOWN);     /* nothing is told of it */
    assert_value(bench_point(&t, "5", "in_octets"), value_int(0)); /* a count of none is none */
    assert_value(bench_point(&t, "5", "alarm"), VALUE_UNKNOWN);
    bench_free(&t);
}

static void test_a_condition_that_no_row_answers_is_unknown(void **state)
{
    struct bench t = bench_cabinet();

    (void)state;
    bench_add(&t, "3.2.1", 4, cell_int(1));
    add_row(&t, "3.7.1", 4, 1, cell_int(2));
    bench_finish(&t);
    assert_value(bench_point(&t, "4", "alarm"), VALUE_UNKNOWN);
    assert_value(bench_point(&t, "4", "load"), value_num(2)); /* the sum: none is known to be not bad */
    batch_reset(t.b);
    bench_add(&t, "3.2.1", 4, cell_int(1));
    add_row(&t, "3.7.2", 4, 1, cell_int(1));
    bench_finish(&t);
    assert_value(bench_point(&t, "4", "alarm"), value_bool(false));
    bench_free(&t);
}

static void test_the_device_reckons_over_all_rows(void **state)
{
    struct bench t = bench_cabinet();

    (void)state;
    bench_add(&t, "3.1.0", 0, cell_text("cabinet-3"));
    bench_add(&t, "3.3.1", 1, cell_int(4));
    bench_add(&t, "3.3.1", 2, cell_int(8));
    bench_finish(&t);
    assert_value(bench_point(&t, "", "uptime"), value_num(6));
    bench_add(&t, "3.3.1", 7, cell_int(20));
    bench_add(&t, "3.3.1", 9, cell_int(30));
    bench_finish(&t);
    assert_value(bench_point(&t, "", "uptime"), value_num(50));
    bench_free(&t);
}

static void test_all_rows_count_whatever_their_index(void **state)
{
    struct bench t = bench_cabinet();

    (void)state;
    for (uint32_t i = 7; i <= 9; i++)
        bench_add(&t, "3.3.1", i, cell_int(4));
    add_row(&t, "3.5.1", 1, 1, cell_text("a"));
    add_row(&t, "3.5.1", 2, 7, cell_text("b"));
    bench_finish(&t);
    assert_int_equal(t.nfound, 3);
    for (size_t i = 0; i < 3; i++)
        assert_value(t.found[i].points[kind_point(t.found[i].kind, "in_octets")->slot], value_int(2));
    bench_free(&t);
}

/* ---- Many rows ---- */

static void ignore(void *ctx, const struct found *f)
{
    size_t *n = ctx;

    (void)f;
    ++*n;
}

/* Ten thousand rows, each joined thrice and reckoned over six times: a tenth of a second, not minutes. */
static void test_a_join_is_a_search_not_a_walk(void **state)
{
    struct bench t = bench_cabinet();
    size_t n = 0;
    clock_t begin;

    (void)state;
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        bench_add(&t, "3.2.1", i + 1, cell_int(1));
        bench_add(&t, "3.4.2", i + 1, cell_int((int64_t)i));
        add_row(&t, "3.5.1", i + 1, 1, cell_text("x"));
        add_row(&t, "3.7.1", i + 1, 1, cell_int(3));
    }
    begin = clock();
    batch_finish(t.b, ignore, &n);
    assert_int_equal(n, ROWS_MAX);
    assert_true(clock() - begin < 5 * CLOCKS_PER_SEC);
    bench_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_is_joined_by_its_whole_index),
        cmocka_unit_test(test_a_join_goes_on_from_another),
        cmocka_unit_test(test_an_index_is_made_of_numbers_and_may_be_a_beginning),
        cmocka_unit_test(test_the_row_of_just_that_index_goes_before_longer_ones),
        cmocka_unit_test(test_single_values_are_joined_as_they_are),
        cmocka_unit_test(test_what_is_joined_is_read_with_those_that_ask),
        cmocka_unit_test(test_numbers_over_rows_that_begin_with_this_one),
        cmocka_unit_test(test_a_condition_that_no_row_answers_is_unknown),
        cmocka_unit_test(test_the_device_reckons_over_all_rows),
        cmocka_unit_test(test_all_rows_count_whatever_their_index),
        cmocka_unit_test(test_a_join_is_a_search_not_a_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
