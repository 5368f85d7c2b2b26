#include "model/patrol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

/* Where each verb leads from each state; a state that is not named: nowhere. */
static const struct {
    enum round_state from;
    enum round_verb verb;
    enum round_state to;
} ways[] = {
    {ROUND_PLANNED, ROUND_GENERATE, ROUND_GENERATED},    {ROUND_GENERATED, ROUND_START, ROUND_IN_PROGRESS},
    {ROUND_GENERATED, ROUND_LAPSE, ROUND_OVERDUE},       {ROUND_GENERATED, ROUND_CANCEL, ROUND_CANCELLED},
    {ROUND_IN_PROGRESS, ROUND_START, ROUND_IN_PROGRESS}, {ROUND_IN_PROGRESS, ROUND_COMPLETE, ROUND_REVIEW},
    {ROUND_IN_PROGRESS, ROUND_LAPSE, ROUND_OVERDUE},     {ROUND_IN_PROGRESS, ROUND_CANCEL, ROUND_CANCELLED},
    {ROUND_OVERDUE, ROUND_START, ROUND_OVERDUE}, /* work goes on, and it stays late */
    {ROUND_OVERDUE, ROUND_COMPLETE, ROUND_REVIEW},       {ROUND_OVERDUE, ROUND_CANCEL, ROUND_CANCELLED},
    {ROUND_REVIEW, ROUND_START, ROUND_REVIEW}, /* something is put right */
    {ROUND_REVIEW, ROUND_COMPLETE, ROUND_REVIEW},        {ROUND_REVIEW, ROUND_SIGN, ROUND_SIGNED},
    {ROUND_REVIEW, ROUND_CANCEL, ROUND_CANCELLED},       {ROUND_SIGNED, ROUND_REPORT, ROUND_REPORTED},
};

static void a_round_goes_the_ways_there_are_and_no_other(void **state)
{
    (void)state;
    for (int from = 0; from < ROUND_STATE_COUNT; from++)
        for (int verb = 0; verb < ROUND_VERB_COUNT; verb++) {
            enum round_state to = ROUND_STATE_COUNT;
            int rc = round_next((enum round_state)from, (enum round_verb)verb, &to), want = PD_ESTATE;
            enum round_state leads = ROUND_STATE_COUNT;

            for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
                if ((int)ways[i].from == from && (int)ways[i].verb == verb) {
                    want = 0;
                    leads = ways[i].to;
                }
            if (rc != want || to != leads)
                fail_msg("%s, verb %d: %d, %s", round_state_name((enum round_state)from), verb, rc,
                         round_state_name(to));
        }
}

static void what_is_over_is_not_open(void **state)
{
    static const bool open[ROUND_STATE_COUNT] = {
        [ROUND_GENERATED] = true, [ROUND_IN_PROGRESS] = true, [ROUND_REVIEW] = true, [ROUND_OVERDUE] = true};

    (void)state;
    for (int s = 0; s < ROUND_STATE_COUNT; s++)
        if (round_state_open((enum round_state)s) != open[s])
            fail_msg("%s", round_state_name((enum round_state)s));
}

static void results_have_codes(void **state)
{
    enum check_result r;

    (void)state;
    for (int i = 0; i < RESULT_COUNT; i++) {
        assert_int_equal(check_result_parse(check_result_name((enum check_result)i), &r), 0);
        assert_int_equal(r, i);
    }
    assert_int_equal(check_result_parse("OK", &r), PD_EINVAL);
    assert_int_equal(check_result_parse("", &r), PD_EINVAL);
    assert_int_equal(check_result_parse("正常", &r), PD_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_goes_the_ways_there_are_and_no_other),
        cmocka_unit_test(what_is_over_is_not_open),
        cmocka_unit_test(results_have_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
