#include "daemon/lateness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct hist stored(const struct lateness *l, int64_t now_ms)
{
    struct hist h;

    hist_window_sum(l->stored, now_ms, &h);
    return h;
}

static void polls_are_on_disk_in_the_order_in_which_they_were_queued(void **state)
{
    struct lateness l;
    struct hist h;

    (void)state;
    lateness_init(&l);
    lateness_queued(&l, 1000);
    lateness_queued(&l, 1500);
    lateness_queued(&l, 1900);
    lateness_stored(&l, 1, 2000);
    h = stored(&l, 2000);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.max, 1000000);
    lateness_stored(&l, 2, 3000);
    h = stored(&l, 3000);
    assert_int_equal(h.count, 3);
    assert_int_equal(h.max, 1500000);
    assert_int_equal(h.sum, 1000000 + 1500000 + 1100000);
    lateness_fini(&l);
}

static void a_queue_that_is_never_empty_does_not_grow(void **state)
{
    struct lateness l;

    (void)state;
    lateness_init(&l);
    lateness_queued(&l, 0);
    for (int64_t t = 1; t < 10000; t++) {
        lateness_queued(&l, t);
        lateness_stored(&l, 1, t);
    }
    assert_true(l.due.cap < 64);
    assert_int_equal(stored(&l, 9999).max, 1000);
    lateness_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polls_are_on_disk_in_the_order_in_which_they_were_queued),
        cmocka_unit_test(a_queue_that_is_never_empty_does_not_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
