#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "plugins/snmp/pdu.h"
#include "plugins/snmp/plan.h"

static struct pd_plan *compile(const struct pd_source *sources, size_t n)
{
    struct pd_compile_error err = {.msg = ""};
    struct pd_plan *plan = NULL;

    if (snmp_plan_compile(7, sources, n, &plan, &err) < 0)
        fail_msg("%s", err.msg);
    assert_int_equal(plan->serial, 7);
    return plan;
}

static void scalars_come_first_in_order(void **state)
{
    static const struct pd_source sources[] = {
        {.id = 1, .address = "1.3.6.1.2.1.2.2.1.2", .table = true},
        {.id = 2, .address = "1.3.6.1.2.1.1.5.0"},
        {.id = 3, .address = ".1.3.6.1.2.1.1.3.0", .part = 4},
        {.id = 4, .address = "1.3.6.1.2.1.25.3.5.1.1.1"},
    };
    struct pd_plan *p = compile(sources, 4);

    (void)state;
    assert_int_equal(p->nscalars, 3);
    assert_int_equal(p->nitems, 4);
    assert_int_equal(p->items[0].source, 3);
    assert_int_equal(p->items[0].part, 4);
    assert_int_equal(p->items[1].source, 2);
    assert_int_equal(p->items[2].source, 4);
    assert_int_equal(p->items[3].source, 1);
    snmp_plan_free(p);
}

/* Its next is the scalar: the object where the instance is 0, else the instance one less. */
static void the_name_before_a_scalar_is_encoded_too(void **state)
{
    static const struct {
        const char *address;
        uint8_t before[16];
        size_t n;
    } rows[] = {
        {"1.3.6.1.2.1.1.3.0", {0x30, 11, 6, 7, 0x2b, 6, 1, 2, 1, 1, 3, 5, 0}, 13},
        {"1.3.6.1.2.1.7.1.9", {0x30, 12, 6, 8, 0x2b, 6, 1, 2, 1, 7, 1, 8, 5, 0}, 14},
        {"1.3.6.1.2.1.7.1.128", {0x30, 12, 6, 8, 0x2b, 6, 1, 2, 1, 7, 1, 0x7f, 5, 0}, 14},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_source source = {.id = 1, .address = rows[i].address};
        struct pd_plan *p = compile(&source, 1);

        print_message("%s\n", rows[i].address);
        assert_int_equal(p->items[0].nbefore, rows[i].n);
        assert_memory_equal(p->items[0].before, rows[i].before, rows[i].n);
        snmp_plan_free(p);
    }
}

static void columns_of_an_entry_form_a_group(void **state)
{
    static const struct pd_source sources[] = {
        {.id = 1, .address = "1.3.6.1.2.1.43.11.1.1.9", .table = true},
        {.id = 2, .address = "1.3.6.1.2.1.2.2.1.2", .table = true},
        {.id = 3, .address = "1.3.6.1.2.1.43.11.1.1.6", .table = true},
        {.id = 4, .address = "1.3.6.1.2.1.2.2.1.10", .table = true, .part = 3},
        {.id = 5, .address = "1.3.6.1.2.1.31.1.1.1.1", .table = true},
    };
    struct pd_plan *p = compile(sources, 5);

    (void)state;
    assert_int_equal(p->ngroups, 3);
    assert_int_equal(p->groups[0].n, 2); /* ifEntry */
    assert_int_equal(p->items[p->groups[0].first].source, 2);
    assert_int_equal(p->items[p->groups[0].first + 1].source, 4);
    assert_int_equal(p->groups[1].n, 1); /* ifXEntry */
    assert_int_equal(p->groups[2].n, 2); /* prtMarkerSuppliesEntry */
    assert_int_equal(p->items[p->groups[2].first].source, 3);
    snmp_plan_free(p);
}

static void names_are_encoded_as_requests_carry_them(void **state)
{
    static const struct pd_source sources[] = {{.id = 1, .address = "1.3.6.1.2.1.1.3.0"}};
    static const uint8_t want[] = {0x30, 12, 6, 8, 0x2b, 6, 1, 2, 1, 1, 3, 0, 5, 0};
    struct pd_plan *p = compile(sources, 1);

    (void)state;
    assert_int_equal(p->items[0].nencoded, sizeof want);
    assert_memory_equal(p->items[0].encoded, want, sizeof want);
    snmp_plan_free(p);
}

static void an_empty_plan_is_one(void **state)
{
    struct pd_plan *p = compile(NULL, 0);

    (void)state;
    assert_int_equal(p->nitems, 0);
    assert_int_equal(p->ngroups, 0);
    snmp_plan_free(p);
    snmp_plan_free(NULL);
}

static void says_which_source_makes_no_sense(void **state)
{
    static const char long_column[] = "1.3.6.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1."
                                      "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1."
                                      "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1."
                                      "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1."
                                      "1.1.1.1.1.1.1.1.1.1.1.1.1";
    static const struct {
        struct pd_source source;
        const char *part; /* of the message */
    } rows[] = {
        {{.id = 9, .address = "sysUpTime.0"}, "'sysUpTime.0' must be numbers"},
        {{.id = 9, .address = ""}, "'' must be numbers"},
        {{.id = 9, .address = "1.3"}, "too short for a scalar"},
        {{.id = 9, .address = "1.3.6.1.2.1.1.3.0", .part = 32}, "part above 31"},
        {{.id = 9, .address = "4.3.6", .table = true}, "must begin with two numbers"},
        {{.id = 9, .address = long_column, .table = true}, "too long for a column"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_source sources[2] = {{.id = 8, .address = "1.3.6.1.2.1.1.3.0"}, rows[i].source};
        struct pd_compile_error err = {.msg = ""};
        struct pd_plan *plan = NULL;

        if (snmp_plan_compile(1, sources, 2, &plan, &err) != PD_EINVAL || err.source != 9 || plan ||
            !strstr(err.msg, rows[i].part))
            fail_msg("row %zu: source %u: %s", i, err.source, err.msg);
    }
}

static void refuses_more_sources_than_any_profile_has(void **state)
{
    struct pd_source *sources = calloc(SNMP_MAX_SOURCES + 1, sizeof *sources);
    struct pd_compile_error err;
    struct pd_plan *plan = NULL;

    (void)state;
    for (uint32_t i = 0; i <= SNMP_MAX_SOURCES; i++)
        sources[i] = (struct pd_source){.id = i, .address = "1.3.6.1.2.1.1.3.0"};
    assert_int_equal(snmp_plan_compile(1, sources, SNMP_MAX_SOURCES + 1, &plan, &err), PD_EINVAL);
    assert_int_equal(err.source, SNMP_MAX_SOURCES);
    assert_int_equal(snmp_plan_compile(1, sources, SNMP_MAX_SOURCES, &plan, &err), 0);
    snmp_plan_free(plan);
    free(sources);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_come_first_in_order),
        cmocka_unit_test(the_name_before_a_scalar_is_encoded_too),
        cmocka_unit_test(columns_of_an_entry_form_a_group),
        cmocka_unit_test(names_are_encoded_as_requests_carry_them),
        cmocka_unit_test(an_empty_plan_is_one),
        cmocka_unit_test(says_which_source_makes_no_sense),
        cmocka_unit_test(refuses_more_sources_than_any_profile_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
