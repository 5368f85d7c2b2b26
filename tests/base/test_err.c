#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void every_code_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = PD_ESTATE; a <= PD_OK; a++) {
        assert_string_not_equal(pd_strerror(a), "unknown error");
        for (int b = PD_ESTATE; b < a; b++)
            assert_string_not_equal(pd_strerror(a), pd_strerror(b));
    }
}

static void an_unknown_code_has_a_text_too(void **state)
{
    (void)state;
    assert_string_equal(pd_strerror(1), "unknown error");
    assert_string_equal(pd_strerror(-9999), "unknown error");
}

static void errno_values_map_to_their_cause(void **state)
{
    static const struct {
        int errnum, err;
    } rows[] = {{0, PD_OK},          {ENOENT, PD_ENOENT}, {ENOSPC, PD_ENOSPC},      {EDQUOT, PD_ENOSPC},
                {EACCES, PD_EACCES}, {EPERM, PD_EACCES},  {ECONNREFUSED, PD_ECONN}, {ETIMEDOUT, PD_ETIMEDOUT},
                {EAGAIN, PD_EBUSY},  {EIO, PD_EIO},       {ENOEXEC, PD_EIO},        {-5, PD_EIO}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (pd_err_from_errno(rows[i].errnum) != rows[i].err)
            fail_msg("errno %d (%s) gave %d", rows[i].errnum, strerror(rows[i].errnum),
                     pd_err_from_errno(rows[i].errnum));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_text_of_its_own),
        cmocka_unit_test(an_unknown_code_has_a_text_too),
        cmocka_unit_test(errno_values_map_to_their_cause),
    };

    return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
