#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "plugins/snmp/oid.h"

static void parses(void **state)
{
    static const struct {
        const char *text;
        int n; /* 0: refused */
        uint32_t last;
    } rows[] = {
        {"1.3.6.1.2.1.1.3.0", 9, 0},
        {".1.3.6.1", 4, 1},
        {"1.3", 2, 3},
        {"0.0", 2, 0},
        {"2.4294967215", 2, 4294967215},
        {"1.3.4294967295", 3, 4294967295},
        {"1.3.4294967296", 0, 0},
        {"1.3.99999999999999999999", 0, 0},
        {"2.4294967216", 0, 0}, /* 80 more than can be encoded */
        {"3.1", 0, 0},
        {"1.40", 0, 0},
        {"1", 0, 0},
        {"", 0, 0},
        {".", 0, 0},
        {"1.3.", 0, 0},
        {"1..3", 0, 0},
        {"..1.3", 0, 0},
        {"1.3.x", 0, 0},
        {"1.3.-1", 0, 0},
        {"1.3. 6", 0, 0},
        {"1.3.6 ", 0, 0},
        {"sysUpTime.0", 0, 0},
        {"1.3.\xe4\xb8\x80", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct oid o = {0};
        const char *why = NULL;
        int rc = oid_parse(rows[i].text, &o, &why);

        if (rows[i].n == 0 ? rc != PD_EINVAL || !why || o.n != 0
                           : rc != 0 || o.n != rows[i].n || o.id[o.n - 1] != rows[i].last)
            fail_msg("'%s': %d, %u numbers, %s", rows[i].text, rc, o.n, why ? why : "-");
    }
}

static void parses_128_numbers_and_no_more(void **state)
{
    struct sbuf text = {0};
    struct oid o;
    const char *why;

    (void)state;
    sbuf_add(&text, "1.3");
    for (int i = 2; i < 128; i++)
        sbuf_add(&text, ".7");
    assert_int_equal(oid_parse(text.s, &o, &why), 0);
    assert_int_equal(o.n, 128);
    sbuf_add(&text, ".7");
    assert_int_equal(oid_parse(text.s, &o, &why), PD_EINVAL);
    assert_string_equal(why, "more than 128 numbers");
    sbuf_free(&text);
}

static void compares_as_trees_are_walked(void **state)
{
    static const char *const rising[] = {"0.0",     "1.3",    "1.3.6", "1.3.6.0", "1.3.6.0.4294967295",
                                         "1.3.6.1", "1.3.10", "2.0"};

    (void)state;
    for (size_t i = 0; i < sizeof rising / sizeof *rising; i++) {
        for (size_t k = 0; k < sizeof rising / sizeof *rising; k++) {
            struct oid a, b;
            const char *why;
            int want = i < k ? -1 : i > k;

            assert_int_equal(oid_parse(rising[i], &a, &why), 0);
            assert_int_equal(oid_parse(rising[k], &b, &why), 0);
            if (oid_cmp(a.id, a.n, b.id, b.n) != want)
                fail_msg("%s and %s", rising[i], rising[k]);
        }
    }
}

static void below_is_strictly_below(void **state)
{
    static const uint32_t root[] = {1, 3, 6}, below[] = {1, 3, 6, 0}, beside[] = {1, 3, 7, 0};

    (void)state;
    assert_true(oid_below(root, 3, below, 4));
    assert_false(oid_below(root, 3, root, 3));
    assert_false(oid_below(root, 3, beside, 4));
    assert_false(oid_below(below, 4, root, 3));
}

static void prints(void **state)
{
    static const uint32_t o[] = {1, 3, 4294967295};
    struct sbuf b = {0};

    (void)state;
    oid_add_text(&b, o, 3);
    assert_string_equal(b.s, "1.3.4294967295");
    sbuf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(parses_128_numbers_and_no_more),
        cmocka_unit_test(compares_as_trees_are_walked),
        cmocka_unit_test(below_is_strictly_below),
        cmocka_unit_test(prints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
