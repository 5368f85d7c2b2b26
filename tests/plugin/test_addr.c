#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <net/if.h>

#include <cmocka.h>

#include "base/err.h"
#include "plugin/addr.h"

static void addresses_are_parsed_and_printed(void **state)
{
    static const struct {
        const char *text, *printed; /* NULL: refused */
    } rows[] = {
        {"192.0.2.1", "192.0.2.1:161"},
        {"127.0.0.1", "127.0.0.1:161"},
        {"2001:db8::1", "[2001:db8::1]:161"},
        {"2001:DB8:0::1", "[2001:db8::1]:161"},
        {"fe80::1%1", "[fe80::1%1]:161"},
        {"fe80::1%4294967295", "[fe80::1%4294967295]:161"},
        {"fe80::1", NULL}, /* on which link? */
        {"fe80::1%", NULL},
        {"fe80::1%nosuchif0", NULL},
        {"fe80::1%0", NULL},
        {"0.0.0.0", NULL},
        {"255.255.255.255", NULL},
        {"224.0.0.1", NULL},
        {"::", NULL},
        {"ff02::1", NULL},
        {"::ffff:192.0.2.1", NULL},
        {"192.0.2", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.1 ", NULL},
        {"printer", NULL},
        {"", NULL},
        {"1:2:3:4:5:6:7:8:9", NULL},
        {"2001:db8:2001:db8:2001:db8:2001:db8:2001:db8:2001:db8", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        union pd_addr a = {0};
        char text[PD_ADDR_TEXT] = "";
        int rc = pd_addr_parse(rows[i].text, 161, &a);

        if (rc == 0)
            pd_addr_text(&a, text);
        if (rows[i].printed ? rc != 0 || strcmp(text, rows[i].printed) != 0 : rc != PD_EINVAL)
            fail_msg("'%s': %d, %s", rows[i].text, rc, text);
    }
}

static void a_scope_may_be_an_interface_name(void **state)
{
    union pd_addr a;

    (void)state;
    assert_int_equal(pd_addr_parse("fe80::1%lo", 161, &a), 0);
    assert_int_equal(a.in6.sin6_scope_id, if_nametoindex("lo"));
}

static void hosts_are_compared_without_ports(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", true},      {"192.0.2.1", "192.0.2.2", false}, {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::1", "192.0.2.1", false},   {"fe80::1%1", "fe80::1%1", true},  {"fe80::1%1", "fe80::1%2", false},
        {"2001:db8::1", "2001:db8::2", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        union pd_addr a, b;

        assert_int_equal(pd_addr_parse(rows[i].a, 161, &a), 0);
        assert_int_equal(pd_addr_parse(rows[i].b, 1161, &b), 0);
        if (pd_addr_same_host(&a, &b) != rows[i].same)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_parsed_and_printed),
        cmocka_unit_test(a_scope_may_be_an_interface_name),
        cmocka_unit_test(hosts_are_compared_without_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
