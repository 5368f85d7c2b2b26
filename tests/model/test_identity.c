#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/identity.h"

static void serial_numbers_are_plausible_or_not(void **state)
{
    static const struct {
        const char *text;
        bool plausible;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"N/A", false},
        {"n.a.", false},
        {"0", false},
        {"0000000000", false},
        {"0000000001", false}, /* what is left of it is one sign */
        {"123456789", false},
        {"0123456789", false},
        {"XXXXXXXXXX", false},
        {"xxxx-xxxx", false},
        {"----------", false},
        {"To Be Filled By O.E.M.", false},
        {"System Serial Number", false},
        {"Default string", false},
        {"not set", false},
        {"None", false},
        {"ABC", false},
        {"<private>", false},
        {"序列号", true}, /* nine bytes of something else than a placeholder */
        {"JPBCD4H0GR", true},
        {"CNB3K12345", true},
        {"00-11 22.33/A7", true},
        {"123456798", true},
        {"AAAA1", true},
        {"A000000000000000000000000000000000000000000000000000000000000000000B", false}, /* too long */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (serial_plausible(rows[i].text) != rows[i].plausible)
            fail_msg("'%s' is taken for %splausible", rows[i].text, rows[i].plausible ? "im" : "");
}

static void hardware_addresses_are_plausible_or_not(void **state)
{
    static const struct {
        const char *text;
        bool plausible;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"00:00:00:00:00:00", false},
        {"ff:ff:ff:ff:ff:ff", false},
        {"00:11:22:33:44:55", false},
        {"01:00:5e:00:00:fb", false}, /* a group */
        {"02:42:ac:11:00:02", false}, /* local: a container */
        {"00:00:5e:00:01:0a", false}, /* VRRP */
        {"00:00:0c:07:ac:01", false}, /* HSRP */
        {"00:1b:78:2f:aa", false},
        {"00:1b:78:2f:aa:01:02", false},
        {"0:1b:78:2f:aa:01", false},
        {"00:1b:78:2f:aa:zz", false},
        {"00:1b:78:2f:aa:01:", false},
        {"00:1b:78:2f:aa:01", true},
        {"00:00:0c:12:34:57", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (mac_plausible(rows[i].text) != rows[i].plausible)
            fail_msg("'%s' is taken for %splausible", rows[i].text, rows[i].plausible ? "im" : "");
}

static void the_best_that_is_plausible_counts(void **state)
{
    static const struct {
        struct identity_marks marks;
        const char *identity;
    } rows[] = {
        {{.make = "HP", .serial = "jp-bcd 4h0", .mac = "00:1b:78:2f:aa:01", .place = "p"}, "serial:HP:JPBCD4H0"},
        {{.serial = "jpbcd4h0", .place = "p"}, "serial::JPBCD4H0"},
        {{.make = "HP", .serial = "N/A", .mac = "00:1b:78:2f:aa:01", .place = "p"}, "mac:001b782faa01"},
        {{.mac = "02:42:ac:11:00:02", .engine_id = "80:00:1f:88:03:00:1b:78:2f:aa:01", .place = "p"},
         "engine:80001f8803001b782faa01"},
        /* An address, a text, net-snmp's own, too short. */
        {{.engine_id = "80:00:1f:88:01:0a:00:00:01", .place = "snmp 10.0.0.1"}, "place:snmp 10.0.0.1"},
        {{.engine_id = "80:00:1f:88:04:73:77:31:32", .place = "p"}, "place:p"},
        {{.engine_id = "80:00:1f:88:80:59:dd:48:06", .place = "p"}, "place:p"},
        {{.engine_id = "80:00:1f:88:05", .place = "p"}, "place:p"},
        {{.engine_id = "80:00:00:09:03:00:00:00:00:00:00", .place = "p"}, "place:p"},
        {{.place = NULL}, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *identity = identity_best(&rows[i].marks);

        if (!str_eq(identity, rows[i].identity))
            fail_msg("row %zu: '%s', not '%s'", i, identity, rows[i].identity);
        free(identity);
    }
}

static void one_machine_is_known_whatever_its_maker_is_called(void **state)
{
    (void)state;
    assert_true(identity_same("serial:HP:JPBCD4H0", "serial:HEWLETTPACKARD:JPBCD4H0"));
    assert_false(identity_same("serial:HP:JPBCD4H0", "serial:HP:JPBCD4H1"));
    assert_true(identity_same("mac:001b782faa01", "mac:001b782faa01"));
    assert_false(identity_same("mac:001b782faa01", "mac:001b782faa02"));
    assert_false(identity_same("mac:001b782faa01", "serial:HP:JPBCD4H0"));
    assert_int_equal(identity_rank(NULL), IDENTITY_NONE);
    assert_int_equal(identity_rank("place:x"), IDENTITY_PLACE);
    assert_int_equal(identity_rank("serial::X"), IDENTITY_SERIAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serial_numbers_are_plausible_or_not),
        cmocka_unit_test(hardware_addresses_are_plausible_or_not),
        cmocka_unit_test(the_best_that_is_plausible_counts),
        cmocka_unit_test(one_machine_is_known_whatever_its_maker_is_called),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
