#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "tests/conf/folder.h"

#define KINDS "kinds:\n  device: {single: true, points: {reachable: bool}}\n"
#define IDENTIFY                                                                                                       \
    "module: identify\n"                                                                                               \
    "components:\n"                                                                                                    \
    "  device:\n"                                                                                                      \
    "    kind: device\n"                                                                                               \
    "    table: false\n"                                                                                               \
    "    columns: {sysObjectID: {address: 1.2.0, type: oid}, sysDescr: {address: 1.1.0, type: text}}\n"
#define MODULE(name) "module: " name "\ncomponents: {d: {kind: device, table: false, columns: {a: 1.2.3}}}\n"
#define BASE                                                                                                           \
    "profile: base\nclass: printer\ntitle: {en: Base, zh_CN: 基}\nmodel: sysDescr\npriority: 7\n"                     \
    "match: sysDescr = \"base\"\nobject_ids: [1.3.6.1.4.1.9]\nmodules: [one, two]\n"                                   \
    "every: {status: 30s, supplies: 10m}\nsnmp: {bulk: false, retries: 0, timeout: 4s}\n"

static void put_frame(const char *dir)
{
    folder_put(dir, "kinds.yaml", KINDS);
    folder_put(dir, "modules/identify.yaml", IDENTIFY);
    folder_put(dir, "modules/one.yaml", MODULE("one"));
    folder_put(dir, "modules/two.yaml", MODULE("two"));
    folder_put(dir, "modules/three.yaml", MODULE("three"));
}

static struct knowledge *load(const char *const *dirs, size_t n)
{
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    if (knowledge_load(dirs, n, NULL, &k, &report) < 0)
        fail_msg("%s", report.text.s);
    conf_report_free(&report);
    return k;
}

static struct knowledge *load_with(const char *dir, const char *profiles)
{
    put_frame(dir);
    folder_put(dir, "profiles/p.yaml", profiles);
    return load(&dir, 1);
}

static void a_file_holds_several_profiles(void **state)
{
    struct knowledge *k = load_with(*state, "profiles:\n"
                                            "  - {profile: a, class: ups, modules: [one]}\n"
                                            "  - {profile: b, class: pdu, modules: [two]}\n");

    assert_int_equal(k->profiles.n, 2);
    assert_string_equal(knowledge_profile(k, "a")->device_class, "ups");
    assert_string_equal(knowledge_profile(k, "b")->device_class, "pdu");
    assert_int_equal(knowledge_profile(k, "b")->where.line, 3);
    knowledge_free(k);
}

static void what_is_not_said_comes_from_the_other(void **state)
{
    struct knowledge *k;
    const struct profile *p;

    put_frame(*state);
    folder_put(*state, "profiles/base.yaml", BASE);
    k = load_with(*state, "profiles:\n"
                          "  - {profile: heir, extends: middle, make: '\"M\"', every: {status: 5s}}\n"
                          "  - profile: middle\n"
                          "    extends: base\n"
                          "    class: copier\n"
                          "    add_modules: [three]\n"
                          "    without_modules: [one]\n"
                          "    snmp: {retries: 2}\n");
    p = knowledge_profile(k, "heir");
    assert_string_equal(p->device_class, "copier");
    assert_string_equal(p->title[LANG_EN], "Base");
    assert_string_equal(expr_text(p->texts[PROFILE_MODEL]), "sysDescr");
    assert_string_equal(expr_text(p->texts[PROFILE_MAKE]), "\"M\"");
    assert_null(knowledge_profile(k, "base")->texts[PROFILE_MAKE]);
    assert_int_equal(p->modules.n, 2);
    assert_string_equal(p->modules.v[0]->name, "two");
    assert_string_equal(p->modules.v[1]->name, "three");
    assert_int_equal(p->every_ms[PART_STATUS], 5000);
    assert_int_equal(p->every_ms[PART_SUPPLIES], 600000);
    assert_int_equal(p->every_ms[PART_COUNTERS], 0);
    assert_true(p->quirks.no_bulk);
    assert_int_equal(p->quirks.retries, 2);
    assert_int_equal(p->quirks.timeout_ms, 4000);
    knowledge_free(k);
}

static void what_recognises_a_device_is_not_handed_on(void **state)
{
    struct knowledge *k;
    const struct profile *p;

    put_frame(*state);
    folder_put(*state, "profiles/base.yaml", BASE);
    k = load_with(*state, "profile: heir\nextends: base\n");
    p = knowledge_profile(k, "heir");
    assert_null(p->match);
    assert_int_equal(p->object_ids.n, 0);
    assert_int_equal(p->priority, 100);
    knowledge_free(k);
}

static void an_heir_of_all_modules_says_them_anew(void **state)
{
    struct knowledge *k;

    put_frame(*state);
    folder_put(*state, "profiles/base.yaml", BASE);
    k = load_with(*state, "profile: heir\nextends: base\nmodules: [three]\nadd_modules: [one]\n");
    assert_int_equal(knowledge_profile(k, "heir")->modules.n, 2);
    assert_string_equal(knowledge_profile(k, "heir")->modules.v[0]->name, "three");
    knowledge_free(k);
}

static void every_quirk_is_read(void **state)
{
    struct knowledge *k = load_with(
        *state, "profile: p\nclass: other\nmodules: [one, two]\n"
                "snmp: {version: 1, bulk: false, max_repetitions: 9, timeout: 250ms, retries: 1, message_size: 1400,\n"
                "       max_rows: 500, max_in_flight: 2, contexts: [{context: Jet, modules: [two]},\n"
                "       {each: 1.3.6.1.9, modules: [one]}]}\n"
                "modbus: {per_poll: true, connect_delay: 500ms, gap: 20ms, max_registers: 16, gaps: false}\n");
    const struct profile *p = knowledge_profile(k, "p");

    assert_int_equal(p->quirks.version, 1);
    assert_true(p->quirks.no_bulk);
    assert_int_equal(p->quirks.max_repetitions, 9);
    assert_int_equal(p->quirks.timeout_ms, 250);
    assert_int_equal(p->quirks.retries, 1);
    assert_int_equal(p->quirks.message_size, 1400);
    assert_int_equal(p->quirks.max_rows, 500);
    assert_int_equal(p->quirks.in_flight, 2);
    assert_true(p->quirks.per_poll && p->quirks.no_gaps);
    assert_int_equal(p->quirks.connect_delay_ms, 500);
    assert_int_equal(p->quirks.gap_ms, 20);
    assert_int_equal(p->quirks.max_registers, 16);
    assert_int_equal(p->contexts.n, 2);
    assert_string_equal(p->contexts.v[0].name, "Jet");
    assert_null(p->contexts.v[0].each);
    assert_string_equal(p->contexts.v[1].each, "1.3.6.1.9");
    assert_int_equal(p->module_contexts.v[0], 2);
    assert_int_equal(p->module_contexts.v[1], 1);
    knowledge_free(k);
}

static void holes_are_ranges_of_a_space(void **state)
{
    static const struct register_hole right[] = {{3, 100, 109}, {4, 0x200, 0x20f}, {1, 7, 7}, {2, 0, 65535}};
    static const char *const heirs[] = {"a", "b", "c"};
    static const size_t counts[] = {4, 4, 0};
    struct knowledge *k =
        load_with(*state, "profiles:\n"
                          "  - {profile: a, class: ups, modules: [one],\n"
                          "     modbus: {holes: [holding 100-109, input  0x200-0x20F, coil 7, discrete 0-65535]}}\n"
                          "  - {profile: b, extends: a, modbus: {gap: 5ms}}\n"
                          "  - {profile: c, extends: b, modbus: {holes: []}}\n");

    for (size_t i = 0; i < 3; i++) {
        const struct profile *p = knowledge_profile(k, heirs[i]);

        if (p->holes.n != counts[i])
            fail_msg("%s has %zu holes", heirs[i], p->holes.n);
        for (size_t h = 0; h < p->holes.n; h++)
            if (p->holes.v[h].function != right[h].function || p->holes.v[h].first != right[h].first ||
                p->holes.v[h].last != right[h].last)
                fail_msg("%s: hole %zu is %u %u-%u", heirs[i], h, p->holes.v[h].function, p->holes.v[h].first,
                         p->holes.v[h].last);
    }
    knowledge_free(k);
}

static void without_quirks_the_settings_hold(void **state)
{
    struct knowledge *k = load_with(*state, "profile: p\nclass: other\nmodules: [one]\n");
    const struct profile *p = knowledge_profile(k, "p");

    assert_int_equal(p->quirks.version, 0);
    assert_false(p->quirks.no_bulk || p->quirks.per_poll || p->quirks.no_gaps);
    assert_int_equal(p->quirks.retries, -1);
    assert_int_equal(p->every_ms[PART_STATUS], 0);
    assert_int_equal(p->contexts.n, 0);
    knowledge_free(k);
}

static void a_site_changes_one_thing_of_a_profile(void **state)
{
    const char *dirs[2] = {*state};
    char *site = xasprintf("%s/site", dirs[0]);
    struct knowledge *k;
    const struct profile *p;

    dirs[1] = site;
    put_frame(dirs[0]);
    folder_put(dirs[0], "profiles/base.yaml", BASE);
    folder_put(dirs[0], "profiles/heir.yaml", "profile: heir\nextends: base\n");
    folder_put(site, "x", "");
    folder_put(site, "profiles/mine.yaml",
               "profile: base\nextends: base\nmodel: '\"Mine\"'\nobject_ids: [1.3.6.1.4.1.9]\n");
    k = load(dirs, 2);
    p = knowledge_profile(k, "base");
    assert_string_equal(expr_text(p->texts[PROFILE_MODEL]), "\"Mine\"");
    assert_int_equal(p->modules.n, 2);
    assert_true(str_starts(p->where.file, site));
    assert_non_null(p->replaces.file);
    assert_false(str_starts(p->replaces.file, site));
    /* Whoever extends it extends what holds now. */
    assert_string_equal(expr_text(knowledge_profile(k, "heir")->texts[PROFILE_MODEL]), "\"Mine\"");
    knowledge_free(k);
    free(site);
}

static const struct profile_saying *saying(const struct profile *p, const char *key)
{
    for (size_t i = 0; i < p->sayings.n; i++)
        if (str_eq(p->sayings.v[i].key, key))
            return &p->sayings.v[i];
    return NULL;
}

static void each_thing_knows_whose_word_it_is(void **state)
{
    struct knowledge *k;
    const struct profile *p;

    put_frame(*state);
    folder_put(*state, "profiles/base.yaml", BASE);
    k = load_with(*state, "profile: heir\nextends: base\nmake: '\"M\"'\nadd_modules: [three]\nevery: {status: 5s}\n");
    p = knowledge_profile(k, "heir");
    assert_string_equal(p->parent, "base");
    assert_string_equal(saying(p, "make")->profile, "heir");
    assert_int_equal(saying(p, "make")->where.line, 3);
    assert_string_equal(saying(p, "model")->profile, "base");
    assert_string_equal(saying(p, "model")->value, "sysDescr");
    assert_int_equal(saying(p, "model")->where.line, 4);
    assert_string_equal(saying(p, "module")->profile, "base");
    assert_string_equal(saying(p, "every.status")->profile, "heir");
    assert_string_equal(saying(p, "every.supplies")->profile, "base");
    assert_string_equal(saying(p, "snmp.bulk")->value, "false");
    assert_null(saying(p, "match"));
    assert_null(saying(p, "firmware"));
    knowledge_free(k);
}

/* ---- Who is asked first ---- */

static void candidates_come_in_order(void **state)
{
    static const struct {
        const char *object_id, *names;
    } rows[] = {
        {"1.3.6.1.4.1.9.1.516", "exact long-m long wide first any "},
        {"1.3.6.1.4.1.9.1.516.1", "exact long-m long wide first any "},
        {"1.3.6.1.4.1.9.1.517", "long-m long exact wide first any "}, /* of one prefix who has a match is first */
        {"1.3.6.1.4.1.9.15", "exact wide any "},
        {"1.3.6.1.4.1.9", "exact wide any "},
        {"1.3.6.1.4.1.8.1", "long any "},
        {"1.3.6.1.4.1.90", "any "},
        {"1.3", "any "},
        {"0.0", "any "},
        {"", "any "},
        {"1.3.6.1.4.1.99999999999", "any "},
        {"nonsense", "any "},
        {NULL, "any "},
    };
    struct knowledge *k = load_with(
        *state, "profiles:\n"
                "  - {profile: never, class: ups, modules: [one]}\n"
                "  - {profile: any, class: ups, modules: [one], match: known(sysDescr)}\n"
                "  - {profile: wide, class: ups, modules: [one], object_ids: [1.3.6.1.4.1.9]}\n"
                "  - {profile: long, class: ups, modules: [one], object_ids: [1.3.6.1.4.1.9.1, 1.3.6.1.4.1.8]}\n"
                "  - {profile: long-m, class: ups, modules: [one], object_ids: [1.3.6.1.4.1.9.1],\n"
                "     match: known(sysDescr)}\n"
                "  - {profile: first, class: ups, modules: [one], object_ids: [1.3.6.1.4.1.9.1], priority: 400}\n"
                "  - {profile: exact, class: ups, modules: [one], object_ids: [1.3.6.1.4.1.9, 1.3.6.1.4.1.9.1.516],\n"
                "     match: known(sysDescr)}\n");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct profile_candidates list = {0};
        struct sbuf names = {0};

        profile_candidates(&k->index, rows[i].object_id, &list);
        for (size_t j = 0; j < list.n; j++)
            sbuf_addf(&names, "%s ", list.v[j].profile->name);
        if (!str_eq(names.s, rows[i].names))
            fail_msg("row %zu: %s", i, names.s);
        sbuf_free(&names);
        array_free(&list);
    }
    knowledge_free(k);
}

/* ---- What is wrong is said ---- */

#define EIGHT_HOLES "coil 1, coil 2, coil 3, coil 4, coil 5, coil 6, coil 7, coil 8, "
#define SIXTY_FOUR_HOLES EIGHT_HOLES EIGHT_HOLES EIGHT_HOLES EIGHT_HOLES EIGHT_HOLES EIGHT_HOLES EIGHT_HOLES EIGHT_HOLES

static void mistakes_are_told_with_their_place(void **state)
{
    static const struct {
        const char *profiles, *what;
    } rows[] = {
        {"profile: a\nextends: bse\n", "p.yaml:2:10: error: unknown profile 'bse' (did you mean 'base'?)"},
        {"profile: a\nextends: a\n", "p.yaml:2:10: error: profile 'a' extends itself: no earlier folder has one"},
        {"profiles:\n  - {profile: a, extends: b}\n  - {profile: b, extends: c}\n  - {profile: c, extends: a}\n",
         "p.yaml:4:27: error: profile 'c' extends itself: it extends a, which extends b, which extends c"},
        {"profile: a\nmodules: [one]\n", "p.yaml:1:10: error: a profile needs 'class', or one to extend that has it"},
        {"profile: a\nclass: ups\n", "p.yaml:1:10: error: a profile needs 'modules', or one to extend that has some"},
        {"profile: a\nextends: base\nadd_modules: [for]\n", "p.yaml:3:15: error: unknown module 'for'"},
        {"profile: a\nextends: base\nwithout_modules: [on]\n",
         "p.yaml:3:19: error: unknown module 'on' (did you mean 'one'?)"},
        {"profile: a\nextends: base\nadd_modules: [three, three]\n",
         "p.yaml:3:22: error: module 'three' is given twice"},
        {"profile: a\nextends: base\nmodel: sysDecr\n",
         "p.yaml:3:8: error: unknown name 'sysDecr' (did you mean 'sysDescr'?)"},
        /* Once, however many inherit it. */
        {"profiles:\n  - {profile: a, extends: base, model: sysDecr}\n  - {profile: b, extends: a}\n",
         "p.yaml:2:40: error: unknown name 'sysDecr'"},
        {"profile: a\nextends: base\nobject_ids: [1.3.x]\n", "p.yaml:3:14: error: '1.3.x' is no object identifier"},
        {"profile: a\nextends: base\nobject_ids: [1]\n", "p.yaml:3:14: error: '1' is no object identifier"},
        {"profile: a\nextends: base\nobject_ids: [1.3.6.1.4.1.7, 1.3.6.1.4.1.7]\n",
         "error: this object identifier is given twice"},
        {"profiles:\n  - {profile: a, extends: base, object_ids: [1.3.6.1.4.1.7]}\n"
         "  - {profile: b, extends: base, object_ids: [1.3.6.1.4.1.7]}\n",
         "p.yaml:3:46: error: profile 'b' has the same object identifier as 'a' ("},
        {"profile: a\nextends: base\nevery: {statuss: 5s}\n", "p.yaml:3:9: error: unknown key 'statuss'"},
        {"profile: a\nextends: base\nevery: {status: 5ms}\n", "p.yaml:3:17: error: 5ms is out of range"},
        {"profile: a\nextends: base\nsnmp: {version: 3}\n",
         "p.yaml:3:17: error: 3 is out of range: 1 to 2 is possible"},
        {"profile: a\nextends: base\nsnmp: {contexts: [{modules: [one]}]}\n",
         "p.yaml:3:19: error: a context has either a name ('context') or a column"},
        {"profile: a\nextends: base\nsnmp: {contexts: [{each: vlan, modules: [one]}]}\n",
         "p.yaml:3:26: error: 'vlan' is no column"},
        {"profile: a\nextends: base\nsnmp: {contexts: [{context: x, modules: [three]}]}\n",
         "p.yaml:3:42: error: module 'three' is none of the profile's"},
        {"profile: a\nextends: base\nsnmp: {contexts: [{context: x, modules: [one, one]}]}\n",
         "p.yaml:3:47: error: module 'one' is in two contexts"},
        {"profile: a\nextends: base\nmodbus: {holes: [holdng 7]}\n",
         "p.yaml:3:18: error: 'holdng 7' is no range such as 'holding 100-109': unknown 'holdng' (did you mean "
         "'holding'?)"},
        {"profile: a\nextends: base\nmodbus: {holes: [coil 1, '']}\n",
         "p.yaml:3:26: error: '' is no range such as 'holding 100-109': unknown '' (known here: coil, discrete"},
        {"profile: a\nextends: base\nmodbus: {holes: [a_space_of_a_very_long_name 7]}\n", "p.yaml:3:18: error: "},
        {"profile: a\nextends: base\nmodbus: {holes: [100-109]}\n", "p.yaml:3:18: error: '100-109' is no range"},
        {"profile: a\nextends: base\nmodbus: {holes: [holding]}\n",
         "p.yaml:3:18: error: 'holding': behind 'holding' comes an address as on the wire, 0 to 65535, or a range"},
        {"profile: a\nextends: base\nmodbus: {holes: [holding 65536]}\n", "p.yaml:3:18: error: 'holding 65536'"},
        {"profile: a\nextends: base\nmodbus: {holes: [input 0x]}\n", "p.yaml:3:18: error: 'input 0x'"},
        {"profile: a\nextends: base\nmodbus: {holes: [input -5]}\n", "p.yaml:3:18: error: 'input -5'"},
        {"profile: a\nextends: base\nmodbus: {holes: [input 9-8]}\n", "p.yaml:3:18: error: 'input 9-8'"},
        {"profile: a\nextends: base\nmodbus: {holes: [input 9-]}\n", "p.yaml:3:18: error: 'input 9-'"},
        {"profile: a\nextends: base\nmodbus: {holes: [input 9 8]}\n", "p.yaml:3:18: error: 'input 9 8'"},
        {"profile: a\nextends: base\nmodbus: {holes: [input 99999999999999999999]}\n", "p.yaml:3:18: error: 'input"},
        {"profile: a\nextends: base\nmodbus: {holes: holding 7}\n", "p.yaml:3:17: error: expected a list"},
        {"profile: a\nextends: base\nmodbus: {holes: [[7]]}\n", "p.yaml:3:18: error: expected"},
        {"profiles:\n  - {profile: a, extends: base, modbus: {holes: [" SIXTY_FOUR_HOLES "coil 7]}}\n"
         "  - {profile: b, extends: a}\n",
         "p.yaml:2:49: error: more than 64 holes"},
        {"profiles:\n  - {profile: a, extends: base, modbus: {holes: [input]}}\n  - {profile: b, extends: a}\n",
         "p.yaml:2:50: error: 'input'"},
        {"profiles: {a: b}\n", "p.yaml:1:11: error: expected a list"},
        {"profiles: [a]\n", "p.yaml:1:12: error: expected a profile: a section of keys and values"},
        {"profiles: []\nprofile: a\n", "p.yaml:2:1: error: unknown key 'profile'"},
        {"profile: base\nclass: ups\nmodules: [one]\n", "error: profile 'base' is defined twice in one folder"},
    };
    const char *dir = *state;

    put_frame(dir);
    folder_put(dir, "profiles/base.yaml", BASE);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_report report = {0};
        struct knowledge *k = NULL;

        folder_put(dir, "profiles/p.yaml", rows[i].profiles);
        if (knowledge_load(&dir, 1, NULL, &k, &report) != PD_EINVAL)
            fail_msg("row %zu: no complaint", i);
        if (!strstr(report.text.s, rows[i].what) || report.errors != 1)
            fail_msg("row %zu: %s", i, report.text.s);
        conf_report_free(&report);
    }
}

static void a_hole_too_many_that_is_none_is_told_once_more(void **state)
{
    const char *dir = *state;
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    put_frame(dir);
    folder_put(dir, "profiles/base.yaml", BASE);
    folder_put(dir, "profiles/p.yaml",
               "profiles:\n  - {profile: a, extends: base, modbus: {holes: [" SIXTY_FOUR_HOLES "[7]]}}\n"
               "  - {profile: b, extends: a}\n");
    assert_int_equal(knowledge_load(&dir, 1, NULL, &k, &report), PD_EINVAL);
    assert_non_null(strstr(report.text.s, "error: expected a text, not a list"));
    assert_non_null(strstr(report.text.s, "error: more than 64 holes"));
    assert_int_equal(report.errors, 2);
    conf_report_free(&report);
}

static void rivals_with_a_match_or_another_priority_are_none(void **state)
{
    struct knowledge *k =
        load_with(*state, "profiles:\n"
                          "  - {profile: a, class: ups, modules: [one], object_ids: [1.3.6]}\n"
                          "  - {profile: b, class: ups, modules: [one], object_ids: [1.3.6], match: known(sysDescr)}\n"
                          "  - {profile: c, class: ups, modules: [one], object_ids: [1.3.6], priority: 501}\n");

    assert_int_equal(k->profiles.n, 3);
    knowledge_free(k);
}

/* ---- What the module identify asks ---- */

static void further_questions_give_names_to_profiles(void **state)
{
    struct knowledge *k;

    put_frame(*state);
    folder_put(*state, "modules/identify.yaml",
               IDENTIFY "  acme:\n    kind: device\n    table: false\n    when: starts_oid(sysObjectID, \"1.3.6\")\n"
                        "    columns: {acmeModel: {address: 1.9.0, type: text}}\n"
                        "    computed: {acmeName: 'after(acmeModel, \"x\")'}\n");
    folder_put(*state, "profiles/p.yaml", "profile: p\nclass: ups\nmodules: [one]\nmodel: first(acmeName, sysDescr)\n");
    k = load((const char *const[]){*state}, 1);
    assert_int_equal(k->identification.asks.n, 2);
    assert_int_equal(k->identification.names.n, 4);
    assert_int_equal(k->identification.names.v[3].ask, 1);
    assert_non_null(k->identification.asks.v[1].when);
    assert_int_equal(k->identification.known[IDENTIFY_OBJECT_ID], 0);
    knowledge_free(k);
}

static void questions_of_identify_are_checked(void **state)
{
    static const struct {
        const char *more, *what;
    } rows[] = {
        {"  b: {kind: device, table: false, columns: {x: 1.9.0}}\n", "needs 'when': of whom it is asked"},
        {"  b: {kind: device, table: false, when: known(x), columns: {x: 1.9.0}}\n", "unknown name 'x'"},
        {"  b: {kind: device, when: known(sysDescr), columns: {x: 1.9}}\n",
         "must be of kind device and 'table: false'"},
        {"  b: {kind: device, table: false, when: known(sysDescr), columns: {sysDescr: 1.9.0}}\n",
         "an earlier component of 'identify' has the name 'sysDescr', too"},
    };
    const char *dir = *state;

    put_frame(dir);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_report report = {0};
        struct knowledge *k = NULL;
        char *text = xasprintf("%s%s", IDENTIFY, rows[i].more);

        folder_put(dir, "modules/identify.yaml", text);
        if (knowledge_load(&dir, 1, NULL, &k, &report) != PD_EINVAL || !strstr(report.text.s, rows[i].what))
            fail_msg("row %zu: %s", i, report.text.s ? report.text.s : "no complaint");
        conf_report_free(&report);
        free(text);
    }
}

static void a_component_identity_is_found_with_what_it_tells(void **state)
{
    struct knowledge *k;
    const struct profile *p;

    put_frame(*state);
    folder_put(*state, "modules/one.yaml",
               "module: one\ncomponents:\n  identity:\n    kind: device\n    table: false\n"
               "    columns: {serial: {address: 1.5.0, type: text}, v: {address: 1.6.0, type: text}}\n"
               "    computed: {firmware: 'after(v, \" \")'}\n");
    folder_put(*state, "profiles/p.yaml", "profile: p\nclass: ups\nmodules: [two, one]\n");
    k = load((const char *const[]){*state}, 1);
    p = knowledge_profile(k, "p");
    assert_int_equal(p->identities.n, 1);
    assert_int_equal(p->identities.v[0].slots[PROFILE_SERIAL], 0);
    assert_int_equal(p->identities.v[0].slots[PROFILE_MAKE], -1);
    assert_int_equal(p->identities.v[0].slots[PROFILE_FIRMWARE], p->identities.v[0].def->computed.v[0].slot);
    assert_null(p->identity);
    knowledge_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_file_holds_several_profiles),
        WITH_FOLDER(what_is_not_said_comes_from_the_other),
        WITH_FOLDER(what_recognises_a_device_is_not_handed_on),
        WITH_FOLDER(an_heir_of_all_modules_says_them_anew),
        WITH_FOLDER(every_quirk_is_read),
        WITH_FOLDER(holes_are_ranges_of_a_space),
        WITH_FOLDER(without_quirks_the_settings_hold),
        WITH_FOLDER(a_site_changes_one_thing_of_a_profile),
        WITH_FOLDER(each_thing_knows_whose_word_it_is),
        WITH_FOLDER(candidates_come_in_order),
        WITH_FOLDER(mistakes_are_told_with_their_place),
        WITH_FOLDER(a_hole_too_many_that_is_none_is_told_once_more),
        WITH_FOLDER(rivals_with_a_match_or_another_priority_are_none),
        WITH_FOLDER(further_questions_give_names_to_profiles),
        WITH_FOLDER(questions_of_identify_are_checked),
        WITH_FOLDER(a_component_identity_is_found_with_what_it_tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
