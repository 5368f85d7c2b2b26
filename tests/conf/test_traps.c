#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "tests/conf/folder.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char kinds[] = "kinds:\n"
                            "  device: {single: true, points: {reachable: bool}}\n"
                            "  port: {points: {speed: int}}\n";
static const char identify[] =
    "module: identify\n"
    "components: {device: {kind: device, table: false, columns: {descr: {address: 1.1.0, type: text}}}}\n";
static const char head[] = "module: box\n"
                           "components: {p: {kind: port, columns: {a: 1.2, b: {address: 1.3, type: text}}}}\n"
                           "traps:\n";

static int load(const char *dir, const char *traps, struct knowledge **out, struct conf_report *report)
{
    char *module = xasprintf("%s%s", head, traps);
    int rc;

    folder_put(dir, "kinds.yaml", kinds);
    folder_put(dir, "modules/identify.yaml", identify);
    folder_put(dir, "modules/box.yaml", module);
    folder_put(dir, "profiles/box.yaml", "profile: box\nclass: other\nmodules: [box]\n");
    free(module);
    rc = knowledge_load(&dir, 1, NULL, out, report);
    return rc;
}

static void a_trap_is_found_by_its_oid(void **state)
{
    static const struct {
        uint32_t oid[6];
        size_t n;
        const char *name;
    } rows[] = {
        {{1, 3, 6, 9, 1}, 5, "one"},    {{1, 3, 6, 9, 0, 1}, 6, "one"}, /* as version 1 makes it */
        {{1, 3, 6, 9, 0, 2}, 6, "two"}, {{1, 3, 6, 9, 2}, 5, NULL},     /* the 0 is its own */
        {{1, 3, 6, 9}, 4, NULL},        {{1, 3, 6, 9, 1, 1}, 6, NULL},  {{0}, 0, NULL},
    };
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    assert_int_equal(load(*state,
                          "  two: {oid: 1.3.6.9.0.2, severity: major, title: {en: x, zh_CN: y}, parts: [supplies]}\n"
                          "  one: {oid: 1.3.6.9.1, title: {en: '{v} of {device}', zh_CN: y}, values: {v: p.b}}\n",
                          &k, &report),
                     0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct trap_def *t = knowledge_trap(k, rows[i].oid, rows[i].n);

        if (!str_eq(t ? t->name : NULL, rows[i].name))
            fail_msg("row %zu: %s", i, t ? t->name : "-");
    }
    assert_string_equal(k->traps.v[0]->severity, "major");
    assert_int_equal(k->traps.v[0]->parts, 1 << PART_SUPPLIES);
    assert_string_equal(k->traps.v[1]->severity, "info");
    assert_int_equal(k->traps.v[1]->parts, 1 << PART_STATUS);
    assert_string_equal(k->traps.v[1]->values.v[0].column->address, "1.3");
    knowledge_free(k);
    conf_report_free(&report);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    static const struct {
        const char *traps, *report;
    } rows[] = {
        {"  one: {oid: 1.3.x, title: {en: x, zh_CN: y}}\n",
         "modules/box.yaml:4:14: error: '1.3.x' is no trap's object identifier"},
        {"  one: {oid: 1.3.4294967296, title: {en: x, zh_CN: y}}\n",
         "box.yaml:4:14: error: '1.3.4294967296' is no trap's"},
        {"  one: {oid: 1.3., title: {en: x, zh_CN: y}}\n", "box.yaml:4:14: error: '1.3.' is no trap's"},
        {"  one: {oid: 1.3.6.9}\n", "box.yaml:4:3: error: a trap needs 'title', which is missing"},
        {"  one: {title: {en: x, zh_CN: y}}\n", "box.yaml:4:3: error: a trap needs 'oid', which is missing"},
        {"  one: {oid: 1.3.6.9, title: x}\n", "box.yaml:4:30: error: the text in zh_CN is missing"},
        {"  one: {oid: 1.3.6.9, title: {en: '{prt}', zh_CN: y}, values: {port: p.a}}\n",
         "box.yaml:4:37: error: unknown name 'prt' (did you mean 'port'?)"},
        {"  one: {oid: 1.3.6.9, title: {en: x, zh_CN: y}, values: {v: p.c}}\n",
         "box.yaml:4:61: error: 'p.c' is no column of a component of this module"},
        {"  one: {oid: 1.3.6.9, title: {en: x, zh_CN: y}, values: {v: q.a}}\n",
         "box.yaml:4:61: error: 'q.a' is no column"},
        {"  one: {oid: 1.3.6.9, title: {en: x, zh_CN: y}, severity: grave}\n", "box.yaml:4:59: error: "},
        {"  one: {oid: 1.3.6.9, title: {en: x, zh_CN: y}, parts: [stats]}\n", "box.yaml:4:57: error: "},
        {"  one: {oid: 1.3.6.9, title: {en: x, zh_CN: y}, parts: [[status]]}\n",
         "box.yaml:4:57: error: expected a text, not a list"},
        {"  One: {oid: 1.3.6.9, title: {en: x, zh_CN: y}}\n", "box.yaml:4:3: error: 'One' cannot be a name"},
        {"  one: {oid: 1.3.6.9, title: {en: x, zh_CN: y}}\n  two: {oid: 1.3.6.9, title: {en: x, zh_CN: y}}\n",
         "box.yaml:5:3: error: trap 'two' has the name or the object identifier of trap 'one'"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct conf_report report = {0};
        struct knowledge *k = NULL;

        if (load(*state, rows[i].traps, &k, &report) != PD_EINVAL || report.errors != 1 ||
            !strstr(report.text.s, rows[i].report))
            fail_msg("row %zu: %u errors\n%s", i, report.errors, report.text.s ? report.text.s : "-");
        conf_report_free(&report);
    }
}

/* Those of the standard MIBs, as version 2 calls them and as version 1 does. */
static void the_standard_ones_are_shipped(void **state)
{
    static const struct {
        uint32_t oid[16];
        size_t n;
        const char *name;
    } rows[] = {
        {{1, 3, 6, 1, 6, 3, 1, 1, 5, 1}, 10, "cold-start"},
        {{1, 3, 6, 1, 6, 3, 1, 1, 5, 2}, 10, "warm-start"},
        {{1, 3, 6, 1, 6, 3, 1, 1, 5, 3}, 10, "link-down"},
        {{1, 3, 6, 1, 6, 3, 1, 1, 5, 4}, 10, "link-up"},
        {{1, 3, 6, 1, 6, 3, 1, 1, 5, 5}, 10, "authentication-failure"},
        {{1, 3, 6, 1, 2, 1, 43, 18, 2, 0, 1}, 11, "printer-alert"},
        {{1, 3, 6, 1, 2, 1, 33, 2, 1}, 9, "ups-on-battery"},
        {{1, 3, 6, 1, 2, 1, 33, 2, 0, 1}, 10, "ups-on-battery"},
        {{1, 3, 6, 1, 2, 1, 33, 2, 2}, 9, "ups-test-completed"},
        {{1, 3, 6, 1, 2, 1, 33, 2, 3}, 9, "ups-alarm-added"},
        {{1, 3, 6, 1, 2, 1, 33, 2, 4}, 9, "ups-alarm-removed"},
        {{1, 3, 6, 1, 2, 1, 47, 2, 0, 1}, 10, "entity-config-change"},
        {{1, 3, 6, 1, 2, 1, 17, 0, 1}, 9, "new-root"},
        {{1, 3, 6, 1, 2, 1, 17, 0, 2}, 9, "topology-change"},
    };
    const char *srcdir = getenv("srcdir");
    char *dir = xasprintf("%s/conf", srcdir ? srcdir : ".");
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    (void)state;
    assert_int_equal(knowledge_load((const char *const[]){dir}, 1, NULL, &k, &report), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct trap_def *t = knowledge_trap(k, rows[i].oid, rows[i].n);

        if (!t || strcmp(t->name, rows[i].name) != 0)
            fail_msg("row %zu: %s instead of %s", i, t ? t->name : "nothing", rows[i].name);
    }
    knowledge_free(k);
    conf_report_free(&report);
    free(dir);
}

static void settings_say_where_traps_are_heard(void **state)
{
    static const struct {
        const char *text, *host, *report;
        uint16_t port;
    } rows[] = {
        {"snmp: {traps: {listen: ['0.0.0.0:1162']}}\n", "0.0.0.0", NULL, 1162},
        {"snmp: {traps: {listen: ['[2001:db8::1]:65535']}}\n", "2001:db8::1", NULL, 65535},
        {"snmp: {traps: {listen: ['0.0.0.0']}}\n", NULL, "s.yaml:1:25: error: expected a numeric address and a port",
         0},
        {"snmp: {traps: {listen: ['0.0.0.0:0']}}\n", NULL, ":1:25: error: expected", 0},
        {"snmp: {traps: {listen: ['0.0.0.0:65536']}}\n", NULL, ":1:25: error: expected", 0},
        {"snmp: {traps: {listen: ['::1:162']}}\n", NULL, ":1:25: error: expected", 0},
        {"snmp: {traps: {listen: ['[]:162']}}\n", NULL, ":1:25: error: expected", 0},
        {"snmp: {traps: {listen: ['host:162']}}\n", NULL, ":1:25: error: expected", 0},
        {"snmp: {traps: {per_source: 0}}\n", NULL, ":1:28: error: ", 0},
    };
    const char *dir = *state;
    char *path = xasprintf("%s/s.yaml", dir);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct conf_report report = {0};
        struct settings *s = NULL;
        int rc;

        folder_put(dir, "s.yaml", rows[i].text);
        rc = settings_load(path, &s, &report);
        if (rows[i].host && (rc != 0 || s->traps.listen.n != 1 || !str_eq(s->traps.listen.v[0].host, rows[i].host) ||
                             s->traps.listen.v[0].port != rows[i].port || s->traps.per_source != 20))
            fail_msg("row %zu: %s", i, report.text.s ? report.text.s : "-");
        if (!rows[i].host && (rc == 0 || !strstr(report.text.s, rows[i].report)))
            fail_msg("row %zu: %s", i, report.text.s ? report.text.s : "-");
        settings_free(s);
        conf_report_free(&report);
    }
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_trap_is_found_by_its_oid),
        WITH_FOLDER(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(the_standard_ones_are_shipped),
        WITH_FOLDER(settings_say_where_traps_are_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
