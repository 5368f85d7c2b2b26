#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "tests/watch/bench.h"
#include "tests/watch/walk.h"

/* Fails where a shipped module is in no walk. */
static void assert_all_read(const struct dict *read)
{
    struct bench b = bench_new("conf", "generic-snmp");

    for (size_t i = 0; i < b.k->modules.n; i++) {
        const struct module *m = b.k->modules.v[i];

        char *file = xasprintf("%s.yaml", m->name);

        /* Who is asked first has tests/data/recognised.txt; echoes are no values of a walk (test_ping). */
        if (m != b.k->identify && !str_eq(m->collector, "icmp") && !dict_get(read, file))
            fail_msg("no walk of tests/data/walks has anything of module '%s'", m->name);
        free(file);
    }
    bench_free(&b);
}

/* The shipped modules, by walks of our own: what stands in each file has to come out. */
static void test_walks(void **state)
{
    static const char *const names[] = {
        "apc-inrow-sc",
        "apc-inrow-sc-standby",
        "apc-smart-ups-modbus",
        "apc-smart-ups-modbus-battery",
        "apc-smart-ups-modbus-test",
        "bridge-mib",
        "bridge-mib-quiet",
        "eastron-sdm630",
        "energy-object-mib",
        "entity-mib",
        "entity-mib-plain",
        "entity-sensor-mib",
        "etherlike-mib",
        "finisher-mib",
        "host-resources-mib",
        "host-resources-mib-large",
        "identities",
        "identity-akcp",
        "identity-apc-easy-pdu",
        "identity-apc-environment",
        "identity-apc-pdu",
        "identity-apc-transfer-switch",
        "identity-apc-ups",
        "identity-brother",
        "identity-canon",
        "identity-cyberpower",
        "identity-cyberpower-pdu",
        "identity-dell-ups",
        "identity-delta",
        "identity-eaton",
        "identity-eaton-mge",
        "identity-eaton-pdu",
        "identity-eltek",
        "identity-enlogic",
        "identity-geist",
        "identity-geist-old",
        "identity-hp-pdu",
        "identity-hp-printer",
        "identity-hp-printer-blank",
        "identity-hwg",
        "identity-ict",
        "identity-ingrasys",
        "identity-ingrasys-other",
        "identity-lexmark",
        "identity-liebert",
        "identity-nti",
        "identity-panduit",
        "identity-raritan",
        "identity-raritan-px3",
        "identity-ricoh",
        "identity-riedo",
        "identity-rittal",
        "identity-schleifenbauer",
        "identity-servertech",
        "identity-servertech-old",
        "identity-sharp",
        "identity-socomec",
        "identity-tripp-lite",
        "if-mib",
        "lldp-mib",
        "lldp-mib-interfaces",
        "lm-sensors",
        "power-ethernet-mib",
        "printer-asleep",
        "printer-mib",
        "printer-mib-plain",
        "printer-stopped",
        "renke-temp-humidity",
        "renke-temp-humidity-broken",
        "ucd-snmp-mib",
        "ucd-snmp-mib-alone",
        "ucd-snmp-mib-busy",
        "ucd-snmp-mib-disks",
        "ups-mib",
        "ups-mib-battery",
        "ups-mib-odd",
        "ups-mib-off",
        "ups-mib-test",
        "xy-md02",
        "xy-md02-broken",
    };

    struct dict *read = dict_new();

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = xasprintf("tests/data/walks/%s.walk", names[i]);

        walk_check(path, read);
        free(path);
    }
    assert_all_read(read);
    dict_free(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
