#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "model/rule.h"

enum { T = TRUTH_TRUE, F = TRUTH_FALSE, U = TRUTH_UNKNOWN };

/* One step from a state entered at 1000, with holds of 100 (fire) and 200 (clear), unless said otherwise. */
static const struct {
    enum hold_state from;
    int when, clear;
    int64_t hold, clear_hold, now;
    enum hold_state to;
} steps[] = {
    {HOLD_OK, F, T, 100, 200, 5000, HOLD_OK},
    {HOLD_OK, U, U, 100, 200, 5000, HOLD_OK},
    {HOLD_OK, T, F, 100, 200, 5000, HOLD_PENDING},
    {HOLD_OK, T, F, 0, 200, 5000, HOLD_FIRING},
    {HOLD_OK, T, T, 0, 0, 5000, HOLD_FIRING},
    {HOLD_PENDING, T, F, 100, 200, 1099, HOLD_PENDING},
    {HOLD_PENDING, T, F, 100, 200, 1100, HOLD_FIRING},
    {HOLD_PENDING, F, T, 100, 200, 1100, HOLD_OK},
    {HOLD_PENDING, U, U, 100, 200, 1100, HOLD_OK},
    {HOLD_PENDING, T, F, 0, 200, 1000, HOLD_FIRING}, /* the hold was shortened by a reload */
    {HOLD_FIRING, T, F, 100, 200, 9000, HOLD_FIRING},
    {HOLD_FIRING, F, F, 100, 200, 9000, HOLD_FIRING}, /* between when and clear */
    {HOLD_FIRING, U, U, 100, 200, 9000, HOLD_FIRING},
    {HOLD_FIRING, F, T, 100, 200, 9000, HOLD_CLEARING},
    {HOLD_FIRING, U, T, 100, 200, 9000, HOLD_CLEARING},
    {HOLD_FIRING, F, T, 100, 0, 9000, HOLD_OK},
    {HOLD_FIRING, T, T, 100, 0, 9000, HOLD_FIRING},
    {HOLD_CLEARING, F, T, 100, 200, 1199, HOLD_CLEARING},
    {HOLD_CLEARING, F, T, 100, 200, 1200, HOLD_OK},
    {HOLD_CLEARING, F, F, 100, 200, 1200, HOLD_FIRING},
    {HOLD_CLEARING, U, U, 100, 200, 1200, HOLD_FIRING},
    {HOLD_CLEARING, T, F, 100, 200, 1200, HOLD_FIRING},
    {HOLD_CLEARING, T, T, 100, 200, 1200, HOLD_FIRING},
};

static void each_step_leads_where_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct hold h = {steps[i].from, 1000};
        bool moved = hold_step(&h, (enum truth)steps[i].when, (enum truth)steps[i].clear, steps[i].hold,
                               steps[i].clear_hold, steps[i].now);
        bool should_move = steps[i].to != steps[i].from;

        if (h.state != steps[i].to || moved != should_move || h.since_ms != (should_move ? steps[i].now : 1000))
            fail_msg("row %zu: state %d, moved %d, since %lld", i, h.state, moved, (long long)h.since_ms);
    }
}

static void due_is_when_a_hold_has_run_out(void **state)
{
    (void)state;
    assert_int_equal(hold_due(&(struct hold){HOLD_OK, 1000}, 100, 200), INT64_MAX);
    assert_int_equal(hold_due(&(struct hold){HOLD_PENDING, 1000}, 100, 200), 1100);
    assert_int_equal(hold_due(&(struct hold){HOLD_FIRING, 1000}, 100, 200), INT64_MAX);
    assert_int_equal(hold_due(&(struct hold){HOLD_CLEARING, 1000}, 100, 200), 1200);
}

static void open_is_firing_or_clearing(void **state)
{
    (void)state;
    assert_false(hold_open(&(struct hold){HOLD_OK, 0}));
    assert_false(hold_open(&(struct hold){HOLD_PENDING, 0}));
    assert_true(hold_open(&(struct hold){HOLD_FIRING, 0}));
    assert_true(hold_open(&(struct hold){HOLD_CLEARING, 0}));
}

static void names_read_back(void **state)
{
    enum severity s;
    enum party p;

    (void)state;
    for (int i = SEVERITY_INFO; i <= SEVERITY_CRITICAL; i++) {
        assert_int_equal(severity_parse(severity_name((enum severity)i), &s), 0);
        assert_int_equal(s, i);
    }
    for (int i = PARTY_USER; i <= PARTY_VENDOR; i++) {
        assert_int_equal(party_parse(party_name((enum party)i), &p), 0);
        assert_int_equal(p, i);
    }
    assert_int_equal(severity_parse("fatal", &s), PD_EINVAL);
    assert_int_equal(party_parse("", &p), PD_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_leads_where_the_table_says),
        cmocka_unit_test(due_is_when_a_hold_has_run_out),
        cmocka_unit_test(open_is_firing_or_clearing),
        cmocka_unit_test(names_read_back),
    };

    return cmocka_run_group_tests_name("model/rule", tests, NULL, NULL);
}
