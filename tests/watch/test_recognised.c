#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/watch/recognise.h"

static void each_shipped_profile_is_some_device_s(void **state)
{
    (void)state;
    recognise_all("tests/data/recognised.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_shipped_profile_is_some_device_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
