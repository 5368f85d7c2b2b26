#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "tests/conf/folder.h"

/* The knowledge that is shipped. */
static struct knowledge *load_shipped(const struct settings *overrides)
{
    const char *srcdir = getenv("srcdir");
    char *dir = xasprintf("%s/conf", srcdir ? srcdir : ".");
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    knowledge_load((const char *const[]){dir}, 1, overrides, &k, &report);
    if (report.errors > 0)
        print_error("%s", report.text.s);
    assert_int_equal(report.errors, 0);
    assert_non_null(k);
    conf_report_free(&report);
    free(dir);
    return k;
}

static void test_shipped_knowledge_loads(void **state)
{
    static const char *const rules[] = {"unreachable",       "jam",        "cover-open",
                                        "service-requested", "supply-low", "supply-empty"};
    struct knowledge *k = load_shipped(NULL);

    (void)state;
    assert_string_equal(k->vocabulary.kinds.v[0]->name, "device");
    assert_non_null(k->identify);
    assert_int_equal(strlen(k->hash), 16);
    assert_true(k->rules.n >= sizeof rules / sizeof *rules);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!knowledge_rule(k, rules[i]))
            fail_msg("no rule %s", rules[i]);
    assert_string_equal(k->profiles.v[k->profiles.n - 1]->name, "generic-snmp"); /* the last resort */
    knowledge_free(k);
}

static void test_rules_are_in_order_of_family_and_severity(void **state)
{
    struct knowledge *k = load_shipped(NULL);

    (void)state;
    for (size_t i = 1; i < k->rules.n; i++) {
        const struct rule *a = k->rules.v[i - 1], *b = k->rules.v[i];
        int c = strcmp(a->family, b->family);

        assert_true(c < 0 || (c == 0 && a->severity >= b->severity));
    }
    knowledge_free(k);
}

/* Whatever people read of the shipped knowledge is there in every language. */
static void test_shipped_knowledge_speaks_every_language(void **state)
{
    struct knowledge *k = load_shipped(NULL);

    (void)state;
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        for (size_t i = 0; i < k->modules.n; i++)
            assert_non_null(k->modules.v[i]->title[lang]);
        for (size_t i = 0; i < k->profiles.n; i++)
            assert_non_null(k->profiles.v[i]->title[lang]);
        for (size_t i = 0; i < k->vocabulary.kinds.n; i++) {
            const struct kind *kind = k->vocabulary.kinds.v[i];

            assert_non_null(kind->title[lang]);
            for (size_t j = 0; j < kind->points.n; j++) {
                const struct point_def *p = &kind->points.v[j];

                if (!p->title[lang])
                    fail_msg("%s.%s", kind->name, p->name);
                for (size_t m = 0; m < p->members.list.n; m++)
                    if (!p->members.list.v[m].title[lang])
                        fail_msg("%s.%s: %s", kind->name, p->name, p->members.list.v[m].code);
            }
        }
    }
    knowledge_free(k);
}

static struct value text_or_unknown(const char *s)
{
    return s ? value_text(s) : VALUE_UNKNOWN;
}

/* Which of the shipped profiles takes a device, by what it says of itself. */
struct said {
    const char *type, *object_id, *descr, *serial;
    int64_t services, bridge_ports, memory, forwarding, probe; /* 0: not told */
    const char *ups, *profile, *make;
};

static struct value number_or_unknown(int64_t n)
{
    return n ? value_int(n) : VALUE_UNKNOWN;
}

static struct value column_of(const struct said *s, const char *name)
{
    const struct {
        const char *name;
        struct value value;
    } columns[] = {
        {"hrDeviceType", text_or_unknown(s->type)},
        {"sysObjectID", text_or_unknown(s->object_id)},
        {"sysDescr", text_or_unknown(s->descr)},
        {"prtGeneralSerialNumber", text_or_unknown(s->serial)},
        {"upsIdentManufacturer", text_or_unknown(s->ups)},
        {"sysServices", number_or_unknown(s->services)},
        {"dot1dBaseNumPorts", number_or_unknown(s->bridge_ports)},
        {"ipForwarding", number_or_unknown(s->forwarding)},
        {"entPhySensorType2", number_or_unknown(s->probe)},
        {"hrMemorySize", number_or_unknown(s->memory)},
    };

    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (str_eq(columns[i].name, name))
            return columns[i].value;
    return VALUE_UNKNOWN;
}

/* What profiles see of such a device, of whom only the first component of identify is asked. free() it. */
static struct value *names_of(const struct knowledge *k, const struct said *said)
{
    const struct identification *id = &k->identification;
    const struct component_def *def = id->asks.v[0].def;
    struct value *slots = xcalloc(def->nslots, sizeof *slots), *row = xcalloc(id->names.n, sizeof *row);

    for (size_t i = 0; i < def->columns.n; i++)
        slots[i] = column_of(said, def->columns.v[i].name);
    for (size_t i = 0; i < def->computed.n; i++)
        slots[def->computed.v[i].slot] = expr_eval(def->computed.v[i].value, slots, def->nslots);
    for (size_t i = 0; i < id->names.n; i++)
        row[i] = id->names.v[i].ask == 0 ? slots[id->names.v[i].slot] : VALUE_UNKNOWN;
    free(slots);
    return row;
}

static void test_recognition(void **state)
{
    static const struct said rows[] = {
        {.type = "1.3.6.1.2.1.25.3.1.5",
         .object_id = "1.3.6.1.4.1.11.2.3.9.1",
         .services = 72,
         .profile = "hp-printer",
         .make = "HP"},
        {.type = "1.3.6.1.2.1.25.3.1.5", .object_id = "1.3.6.1.4.1.32473.9", .profile = "generic-printer"},
        {.object_id = "1.3.6.1.4.1.1602.4.7",
         .serial = "X1",
         .services = 72,
         .profile = "canon-printer",
         .make = "Canon"},
        {.type = "1.3.6.1.2.1.25.3.1.3",
         .object_id = "1.3.6.1.4.1.8072.3.2.10",
         .services = 72,
         .memory = 65536,
         .profile = "generic-server"},
        {.object_id = "1.3.6.1.4.1.32473.1.516", .services = 6, .profile = "generic-switch"},
        {.object_id = "1.3.6.1.4.1.32473.1.516", .bridge_ports = 24, .profile = "generic-switch"},
        {.object_id = "1.3.6.1.4.1.318.1.3.5", .services = 72, .profile = "apc-ups", .make = "APC"},
        {.profile = "generic-snmp"},
        {.object_id = "1.3.6.1.4.1.32473.9", .services = 72, .profile = "generic-ups", .make = "Acme", .ups = "Acme"},
        {.object_id = "1.3.6.1.4.1.318.1.3.2.7", .services = 72, .profile = "apc-ups", .make = "APC"},
        {.object_id = "1.3.6.1.4.1.705.1.2", .services = 72, .profile = "eaton-ups", .make = "Eaton"},
        {.object_id = "1.3.6.1.4.1.32473.9", .services = 72, .profile = "generic-sensor", .probe = 8},
        {.object_id = "1.3.6.1.4.1.32473.1.516",
         .services = 6,
         .bridge_ports = 24,
         .profile = "generic-switch",
         .probe = 8},
        {.object_id = "1.3.6.1.4.1.8072.3.2.10",
         .services = 72,
         .memory = 65536,
         .profile = "generic-server",
         .probe = 8},
        {.object_id = "1.3.6.1.4.1.32473.1.620", .services = 4, .profile = "generic-router", .forwarding = 1},
        {.object_id = "1.3.6.1.4.1.32473.1.620", .services = 4, .profile = "generic-snmp", .forwarding = 2},
        {.object_id = "1.3.6.1.4.1.32473.1.620",
         .services = 6,
         .bridge_ports = 24,
         .profile = "generic-switch",
         .forwarding = 1},
        /* What says itself what it is, of a maker that nobody knows. */
        {.object_id = "1.3.6.1.4.1.32473.9", .descr = "Acme 24-Port Managed Switch", .profile = "named-switch"},
        {.object_id = "1.3.6.1.4.1.32473.9",
         .descr = "Acme switch",
         .memory = 65536,
         .services = 72,
         .profile = "named-switch"},
        {.object_id = "1.3.6.1.4.1.32473.9", .descr = "ACME Color Printer X", .profile = "printer-by-word"},
        {.object_id = "1.3.6.1.4.1.32473.9", .descr = "Acme Digital Copier 30", .profile = "named-copier"},
        {.object_id = "1.3.6.1.4.1.32473.9", .descr = "Dual Band Access Point", .profile = "named-access-point"},
        /* A host's name says nothing. */
        {.object_id = "1.3.6.1.4.1.32473.9",
         .descr = "Linux switch 5.10 #1 SMP x86_64",
         .memory = 65536,
         .profile = "generic-server"},
        {.object_id = "1.3.6.1.4.1.32473.9", .descr = "FreeBSD switch 12.1", .profile = "generic-snmp"},
        {.object_id = "1.3.6.1.4.1.12356.101.1.641",
         .services = 78,
         .bridge_ports = 4,
         .memory = 65536,
         .profile = "fortinet-fortigate",
         .make = "Fortinet",
         .forwarding = 1},
    };
    struct knowledge *k = load_shipped(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct profile_candidates candidates = {0};
        struct value *row = names_of(k, &rows[i]), make;
        const struct profile *p = NULL;
        size_t n = k->identification.names.n;

        profile_candidates(&k->index, rows[i].object_id, &candidates);
        for (size_t j = 0; j < candidates.n && !p; j++)
            if (value_same(profile_fits(candidates.v[j].profile, row, n), value_bool(true)))
                p = candidates.v[j].profile;
        array_free(&candidates);
        if (!p || !str_eq(p->name, rows[i].profile))
            fail_msg("row %zu: %s", i, p ? p->name : "none");
        make = p->texts[PROFILE_MAKE] ? expr_eval(p->texts[PROFILE_MAKE], row, n) : VALUE_UNKNOWN;
        if (!str_eq(make.quality == QUALITY_GOOD ? make.text : NULL, rows[i].make))
            fail_msg("row %zu: make", i);
        free(row);
    }
    knowledge_free(k);
}

/* ---- What a site changes ---- */

static void test_overrides(void **state)
{
    struct rule_override o[] = {
        {.name = (char[]){"jam"}, .hold_ms = 5000, .clear_hold_ms = -1, .severity = SEVERITY_CRITICAL},
        {.name = (char[]){"cover-open"}, .hold_ms = -1, .clear_hold_ms = -1, .severity = -1, .off = true},
    };
    struct settings s = {0};
    struct knowledge *k, *shipped = load_shipped(NULL);

    (void)state;
    s.rules.v = o;
    s.rules.n = 2;
    k = load_shipped(&s);
    assert_string_not_equal(k->hash, shipped->hash);
    assert_int_equal(knowledge_rule(k, "jam")->hold_ms, 5000);
    assert_int_equal(knowledge_rule(k, "jam")->clear_hold_ms, 60000);
    assert_int_equal(knowledge_rule(k, "jam")->severity, SEVERITY_CRITICAL);
    assert_null(knowledge_rule(k, "cover-open"));
    knowledge_free(k);
    knowledge_free(shipped);
}

/* ---- Folders made by the tests ---- */

#define KINDS                                                                                                          \
    "kinds:\n"                                                                                                         \
    "  device: {single: true, points: {reachable: bool}}\n"                                                            \
    "  port: {points: {speed: int, state: {type: enum, members: {1: up, 2: down}}}}\n"
#define IDENTIFY                                                                                                       \
    "module: identify\n"                                                                                               \
    "components: {device: {kind: device, table: false, columns: {descr: {address: 1.1.0, type: text}}}}\n"
#define MODULE(components) "module: box\ncomponents:\n" components
#define RULE(rest)                                                                                                     \
    "rules:\n"                                                                                                         \
    "  slow:\n"                                                                                                        \
    "    family: slow\n"                                                                                               \
    "    kind: port\n"                                                                                                 \
    "    severity: major\n"                                                                                            \
    "    party: user\n"                                                                                                \
    "    title: {en: Slow, zh_CN: 慢}\n"                                                                              \
    "    remedy: {en: Wait, zh_CN: 等}\n" rest
#define MESSAGE "    message: {en: x, zh_CN: y}\n"

/* Files of one load, and its complaints, each without the folder's name. */
struct wrong {
    const char *kinds, *module, *profile, *rules; /* NULL: a good one, or none */
    const char *report;
};

static void assert_wrong(const char *dir, size_t row, const struct wrong *w)
{
    struct conf_report report = {0};
    struct knowledge *k = NULL;
    struct sbuf want = {0};

    folder_put(dir, "kinds.yaml", w->kinds ? w->kinds : KINDS);
    folder_put(dir, "modules/identify.yaml", IDENTIFY);
    folder_put(dir, "modules/box.yaml",
               w->module ? w->module : MODULE("  p: {kind: port, columns: {a: 1.2}, points: {speed: a}}\n"));
    folder_put(dir, "profiles/box.yaml", w->profile ? w->profile : "profile: box\nclass: other\nmodules: [box]\n");
    folder_put(dir, "rules/box.yaml", w->rules ? w->rules : "rules:\n");
    assert_int_equal(knowledge_load(&dir, 1, NULL, &k, &report), PD_EINVAL);
    assert_null(k);
    for (const char *p = w->report; *p; p++) /* '@' stands for the folder */
        if (*p == '@')
            sbuf_addf(&want, "%s/", dir);
        else
            sbuf_addc(&want, *p);
    if (!str_eq(report.text.s, want.s))
        fail_msg("row %zu: got\n%sinstead of\n%s", row, report.text.s, want.s);
    sbuf_free(&want);
    conf_report_free(&report);
}

static void test_messages(void **state)
{
    static const struct wrong rows[] = {
        {.module = MODULE("  p: {kind: prot, columns: {a: 1.2}}\n"),
         .report = "@modules/box.yaml:3:13: error: unknown kind 'prot' (did you mean 'port'?)\n"
                   "      p: {kind: prot, columns: {a: 1.2}}\n"
                   "                ^~~~\n"},
        {.module = MODULE("  p: {kind: port, columns: {a: 1.2}, points: {sped: a, speed: b + 1}}\n"),
         .report = "@modules/box.yaml:3:47: error: kind 'port' has no point 'sped' (did you mean 'speed'?)\n"
                   "      p: {kind: port, columns: {a: 1.2}, points: {sped: a, speed: b + 1}}\n"
                   "                                                  ^~~~\n"
                   "@modules/box.yaml:3:63: error: unknown name 'b'\n"
                   "      p: {kind: port, columns: {a: 1.2}, points: {sped: a, speed: b + 1}}\n"
                   "                                                                  ^\n"},
        /* A word inside a folded expression is found in its line. */
        {.module = MODULE("  p:\n    kind: port\n    columns: {descr: {address: 1.2, type: text}, 大小: 1.3}\n"
                          "    points:\n      speed: >-\n        if(descr = \"墨\",\n        1, dscr)\n"),
         .report =
             "@modules/box.yaml:5:50: error: '大小' cannot be a name in expressions: a letter, then letters, digits "
             "and _\n"
             "        columns: {descr: {address: 1.2, type: text}, 大小: 1.3}\n"
             "                                                     ^~~~\n"
             "@modules/box.yaml:9:12: error: unknown name 'dscr' (did you mean 'descr'?)\n"
             "            1, dscr)\n"
             "               ^~~~\n"},
        {.module = MODULE("  p:\n    kind: port\n    base: '1'\n"
                          "    columns: {s: {address: .2, type: enum, members: {1: up, 3: off}}}\n"
                          "    points: {state: s}\n"),
         .report = "@modules/box.yaml:7:21: error: column 's' can be 'off', which point 'state' does not know (known "
                   "here: up, down)\n"
                   "        points: {state: s}\n"
                   "                        ^\n"},
        {.kinds = "kinds:\n  device: {points: {reachable: int}}\n  port: {points: {x: {type: enum}, and: bool}}\n",
         .report =
             "@kinds.yaml:3:19: error: a point of type enum needs 'members'\n"
             "      port: {points: {x: {type: enum}, and: bool}}\n"
             "                      ^\n"
             "@kinds.yaml:3:36: error: 'and' is a word of the expression language: choose another name\n"
             "      port: {points: {x: {type: enum}, and: bool}}\n"
             "                                       ^~~\n"
             "@kinds.yaml:2:3: error: the kind 'device' must be single and have a point 'reachable' of type bool\n"
             "      device: {points: {reachable: int}}\n"
             "      ^~~~~~\n"
             "@modules/box.yaml:3:47: error: kind 'port' has no point 'speed' (known here: x, and)\n"
             "      p: {kind: port, columns: {a: 1.2}, points: {speed: a}}\n"
             "                                                  ^~~~~\n"},
        {.kinds = "kinds:\n  device: {single: true, points: {reachable: bool}}\n  port: {points: {}}\n",
         .report = "@modules/box.yaml:3:47: error: kind 'port' has no point 'speed'\n"
                   "      p: {kind: port, columns: {a: 1.2}, points: {speed: a}}\n"
                   "                                                  ^~~~~\n"},
        {.kinds = "kinds:\n  device: {single: true, points: {reachable: bool}}\n  port: {points: {state: enum}}\n",
         .module = MODULE("  p:\n    kind: port\n    columns: {a: {address: 1.2, type: enum, members: {1: up}}}\n"
                          "    points: {state: a}\n"),
         .report = "@kinds.yaml:3:19: error: a point of type enum needs 'members'\n"
                   "      port: {points: {state: enum}}\n"
                   "                      ^~~~~\n"
                   "@modules/box.yaml:6:21: error: column 'a' can be 'up', which point 'state' does not know\n"
                   "        points: {state: a}\n"
                   "                        ^\n"},
        {.kinds = "kinds:\n  device: {single: true, points: {reachable: bool}}\n"
                  "  port:\n    points:\n      wide: bool\n      speed: {type: int, bounds: {pace: speed, bits: 8}}\n"
                  "      n: {type: int, counter: true, bounds: {wide: wde, pace: wide, bits: 0}}\n",
         .report = "@kinds.yaml:7:75: error: 0 is out of range: 1 to 1000000 is possible\n"
                   "          n: {type: int, counter: true, bounds: {wide: wde, pace: wide, bits: 0}}\n"
                   "                                                                              ^\n"
                   "@kinds.yaml:6:34: error: only a counter has bounds\n"
                   "          speed: {type: int, bounds: {pace: speed, bits: 8}}\n"
                   "                                     ^\n"
                   "@kinds.yaml:6:41: error: 'speed' must be a number (type num)\n"
                   "          speed: {type: int, bounds: {pace: speed, bits: 8}}\n"
                   "                                            ^~~~~\n"
                   "@kinds.yaml:7:52: error: unknown point 'wde' (did you mean 'wide'?)\n"
                   "          n: {type: int, counter: true, bounds: {wide: wde, pace: wide, bits: 0}}\n"
                   "                                                       ^~~\n"
                   "@kinds.yaml:7:63: error: 'wide' must be a number (type num)\n"
                   "          n: {type: int, counter: true, bounds: {wide: wde, pace: wide, bits: 0}}\n"
                   "                                                                  ^~~~\n"},
        {.profile = "profile: box\nclass: pinter\nmatch: desc = \"x\"\nmodules: [bxo, box, box]\n",
         .report = "@profiles/box.yaml:2:8: error: 'pinter' is not possible here (did you mean 'printer'?)\n"
                   "    class: pinter\n"
                   "           ^~~~~~\n"
                   "@profiles/box.yaml:4:21: error: module 'box' is given twice\n"
                   "    modules: [bxo, box, box]\n"
                   "                        ^~~\n"
                   "@profiles/box.yaml:4:11: error: unknown module 'bxo' (did you mean 'box'?)\n"
                   "    modules: [bxo, box, box]\n"
                   "              ^~~\n"
                   "@profiles/box.yaml:3:8: error: unknown name 'desc' (did you mean 'descr'?)\n"
                   "    match: desc = \"x\"\n"
                   "           ^~~~\n"},
        {.rules = RULE("    when: state = \"dwon\"\n    clear: speed\n    match: class = 3\n"
                       "    message: {en: '{device}: {sped}', zh_CN: '设备{ 坏'}\n    part_of: [fast]\n"),
         .report = "@rules/box.yaml:11:12: error: a text is compared with a whole number\n"
                   "        match: class = 3\n"
                   "               ^~~~~~~~~\n"
                   "@rules/box.yaml:9:19: error: 'state' has no member \"dwon\" (did you mean \"down\"?)\n"
                   "        when: state = \"dwon\"\n"
                   "                      ^~~~~~\n"
                   "@rules/box.yaml:10:12: error: a truth value is wanted here, this gives a whole number; compare it "
                   "with a number\n"
                   "        clear: speed\n"
                   "               ^~~~~\n"
                   "@rules/box.yaml:12:31: error: unknown name 'sped' (did you mean 'speed'?)\n"
                   "        message: {en: '{device}: {sped}', zh_CN: '设备{ 坏'}\n"
                   "                                  ^~~~\n"
                   "@rules/box.yaml:12:49: error: '{' without '}': write '{{' for a brace\n"
                   "        message: {en: '{device}: {sped}', zh_CN: '设备{ 坏'}\n"
                   "                                                      ^\n"
                   "@rules/box.yaml:13:15: error: unknown family 'fast' (known here: slow)\n"
                   "        part_of: [fast]\n"
                   "                  ^~~~\n"},
        {.rules = RULE("    when: speed < 3\n    message: Slow\n"),
         .report = "@rules/box.yaml:10:14: error: the text in zh_CN is missing: {en: …, zh_CN: …} is wanted\n"
                   "        message: Slow\n"
                   "                 ^~~~\n"},
        {.rules = RULE(MESSAGE "    when: min(speed, 15m) < 3 and last(device.reachable)\n"),
         .report = "@rules/box.yaml:10:40: error: this has no history: only points that are read from devices have\n"
                   "        when: min(speed, 15m) < 3 and last(device.reachable)\n"
                   "                                           ^~~~~~~~~~~~~~~~\n"},
        {.rules = RULE(MESSAGE "    match: avg(class, 15m) = 1\n    when: speed < 3\n"),
         .report = "@rules/box.yaml:10:12: error: nothing is kept here that 'avg' could look back at: only rules can\n"
                   "        match: avg(class, 15m) = 1\n"
                   "               ^~~\n"},
        {.rules = RULE(MESSAGE),
         .report = "@rules/box.yaml:2:3: error: a rule needs 'when', which is missing\n"
                   "      slow:\n"
                   "      ^~~~\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_wrong(*state, i, &rows[i]);
}

/* How a rule in YAML says what ticket it wants. */
static void test_a_rule_names_the_kind_of_its_ticket(void **state)
{
    static const struct {
        const char *line;
        enum rule_ticket ticket;
    } rows[] = {
        {"", RULE_TICKET_FITTING},
        {"    ticket: true\n", RULE_TICKET_FITTING},
        {"    ticket: false\n", RULE_TICKET_NONE},
        {"    ticket: fault\n", RULE_TICKET_FAULT},
        {"    ticket: preventive\n", RULE_TICKET_PREVENTIVE},
        {"    ticket: supply\n", RULE_TICKET_SUPPLY},
    };
    const char *dir = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct conf_report report = {0};
        struct knowledge *k = NULL;
        char *rule = xasprintf("%s%s%s", RULE("    when: speed < 1\n"), MESSAGE, rows[i].line);

        folder_put(dir, "kinds.yaml", KINDS);
        folder_put(dir, "modules/identify.yaml", IDENTIFY);
        folder_put(dir, "rules/box.yaml", rule);
        if (knowledge_load(&dir, 1, NULL, &k, &report) != 0)
            fail_msg("%s", report.text.s);
        if (knowledge_rule(k, "slow")->ticket != rows[i].ticket)
            fail_msg("row %zu: %d", i, knowledge_rule(k, "slow")->ticket);
        knowledge_free(k);
        conf_report_free(&report);
        free(rule);
    }
}

/* What a rule asks besides points is listed once, however often it is asked. */
static void test_a_rule_lists_what_it_asks_besides_points(void **state)
{
    const char *dir = *state;
    struct conf_report report = {0};
    struct knowledge *k = NULL;
    const struct rule *r;

    folder_put(dir, "kinds.yaml", KINDS);
    folder_put(dir, "modules/identify.yaml", IDENTIFY);
    folder_put(
        dir, "rules/box.yaml",
        RULE(MESSAGE
             "    when: avg(speed, 15m) < 3 and (listed(label.up-link, key) or avg(speed, 15m) < max(speed, 1h))\n"
             "    clear: since(avg(speed, 15m) > 5) > 1h and label != key\n"));
    if (knowledge_load(&dir, 1, NULL, &k, &report) != 0)
        fail_msg("%s", report.text.s);
    r = knowledge_rule(k, "slow");
    assert_int_equal(r->extras.n, 6);
    assert_int_equal(r->extras.v[0].window.history, EXPR_AVG);
    assert_int_equal(r->extras.v[0].window.slot, kind_point(r->kind, "speed")->slot);
    assert_int_equal(r->extras.v[0].window.length_ms, 900000);
    assert_int_equal(r->extras.v[1].type, RULE_DEVICE_LABEL);
    assert_string_equal(r->extras.v[1].name, "up-link");
    assert_int_equal(r->extras.v[2].type, RULE_KEY);
    assert_int_equal(r->extras.v[3].window.length_ms, 3600000);
    assert_int_equal(r->extras.v[4].window.history, EXPR_SINCE);
    assert_string_equal(expr_text(r->extras.v[4].window.condition), "avg(speed, 15m) > 5");
    assert_int_equal(r->extras.v[5].type, RULE_LABEL);
    knowledge_free(k);
    conf_report_free(&report);
}

/* Joins and aggregates: what can't be asked, or is asked wrongly. */
static void test_messages_about_other_tables(void **state)
{
    static const struct wrong rows[] = {
        {.module =
             MODULE("  p: {kind: port, columns: {a: 1.2}, joins: {q: {rows: qq, by: [a]}}, points: {speed: q.b}}\n"
                    "  q: {columns: {b: 1.3}}\n"),
         .report = "@modules/box.yaml:3:56: error: unknown component 'qq' (known here: p, q)\n"
                   "      p: {kind: port, columns: {a: 1.2}, joins: {q: {rows: qq, by: [a]}}, points: {speed: q.b}}\n"
                   "                                                           ^~\n"
                   "@modules/box.yaml:3:87: error: unknown name 'q.b'\n"
                   "      p: {kind: port, columns: {a: 1.2}, joins: {q: {rows: qq, by: [a]}}, points: {speed: q.b}}\n"
                   "                                                                                          ^~~\n"},
        {.module = MODULE("  p:\n    kind: port\n    columns: {a: 1.2, t: {address: 1.4, type: text}}\n"
                          "    joins: {q: {rows: q, by: [t]}, a: q}\n    points: {speed: q.c}\n"
                          "  q: {columns: {b: 1.3}}\n"),
         .report = "@modules/box.yaml:6:31: error: a whole number is wanted here, this gives a text\n"
                   "        joins: {q: {rows: q, by: [t]}, a: q}\n"
                   "                                  ^\n"
                   "@modules/box.yaml:6:36: error: 'a' is the name of a column here: choose another\n"
                   "        joins: {q: {rows: q, by: [t]}, a: q}\n"
                   "                                       ^\n"
                   "@modules/box.yaml:7:21: error: unknown name 'q.c' (did you mean 'q.b'?)\n"
                   "        points: {speed: q.c}\n"
                   "                        ^~~\n"},
        {.module = MODULE("  p: {kind: port, columns: {a: 1.2}, joins: {q: q}}\n"
                          "  q: {kind: port, part: inventory, columns: {b: 1.3}}\n"),
         .report = "@modules/box.yaml:3:49: error: 'q' is read with inventory, but this with status: write its columns "
                   "once more, in a component without a kind\n"
                   "      p: {kind: port, columns: {a: 1.2}, joins: {q: q}}\n"
                   "                                                    ^\n"},
        {.module = MODULE("  p: {kind: port, columns: {a: 1.2}, joins: {p: p, s: {rows: s, by: [a]}}}\n"
                          "  s: {table: false, columns: {b: 1.3}}\n"),
         .report = "@modules/box.yaml:3:49: error: a row joined with itself says nothing new: say by what number, with "
                   "'by' or 'on'\n"
                   "      p: {kind: port, columns: {a: 1.2}, joins: {p: p, s: {rows: s, by: [a]}}}\n"
                   "                                                    ^\n"
                   "@modules/box.yaml:3:52: error: 's' is a group of single values: there is nothing to find by 'by'\n"
                   "      p: {kind: port, columns: {a: 1.2}, joins: {p: p, s: {rows: s, by: [a]}}}\n"
                   "                                                       ^\n"},
        {.module =
             MODULE("  p: {kind: port, columns: {a: 1.2}, aggregates: {m: {rows: q}, n: {rows: q, sum: b, max: b}}}\n"
                    "  q: {columns: {b: 1.3}}\n"),
         .report =
             "@modules/box.yaml:3:51: error: an aggregate needs one of mean, sum, min, max, count, any, first and "
             "last\n"
             "      p: {kind: port, columns: {a: 1.2}, aggregates: {m: {rows: q}, n: {rows: q, sum: b, max: b}}}\n"
             "                                                      ^\n"
             "@modules/box.yaml:3:65: error: an aggregate needs one of mean, sum, min, max, count, any, first and "
             "last\n"
             "      p: {kind: port, columns: {a: 1.2}, aggregates: {m: {rows: q}, n: {rows: q, sum: b, max: b}}}\n"
             "                                                                    ^\n"},
        {.module = MODULE("  p:\n    kind: port\n    columns: {a: 1.2}\n"
                          "    aggregates: {m: {rows: q, mean: a}, n: {rows: q, count: b}}\n    points: {speed: m}\n"
                          "  q: {columns: {b: 1.3}}\n"),
         .report = "@modules/box.yaml:6:37: error: unknown name 'a'\n"
                   "        aggregates: {m: {rows: q, mean: a}, n: {rows: q, count: b}}\n"
                   "                                        ^\n"
                   "@modules/box.yaml:6:61: error: a truth value is wanted here, this gives a whole number; compare it "
                   "with a number\n"
                   "        aggregates: {m: {rows: q, mean: a}, n: {rows: q, count: b}}\n"
                   "                                                                ^\n"
                   "@modules/box.yaml:7:21: error: a whole number is wanted here, this gives a number; use round() or "
                   "floor()\n"
                   "        points: {speed: m}\n"
                   "                        ^\n"},
        {.module = MODULE("  q: {columns: {b: 1.3}, joins: {p: p}}\n  p: {columns: {a: 1.2}}\n"),
         .report = "@modules/box.yaml:3:3: error: joins and aggregates need a 'kind': nobody asks for theirs\n"
                   "      q: {columns: {b: 1.3}, joins: {p: p}}\n"
                   "      ^\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_wrong(*state, i, &rows[i]);
}

/* How rows are written and found, written wrongly: every mistake is told at once. */
static void test_messages_about_shapes(void **state)
{
    static const struct wrong rows[] = {
        {.module = MODULE("  p:\n    kind: port\n    columns: {a: 1.2}\n"
                          "    index: [{m: mcc}, a, index1, {n: octets 0}, {r: implied}, [x], last]\n"),
         .report =
             "@modules/box.yaml:6:17: error: 'mcc' is not possible here (did you mean 'mac'?)\n"
             "        index: [{m: mcc}, a, index1, {n: octets 0}, {r: implied}, [x], last]\n"
             "                    ^~~\n"
             "@modules/box.yaml:6:23: error: 'a' is the name of something else in this row: choose another\n"
             "        index: [{m: mcc}, a, index1, {n: octets 0}, {r: implied}, [x], last]\n"
             "                          ^\n"
             "@modules/box.yaml:6:26: error: 'index1' is the name of something else in this row: choose another\n"
             "        index: [{m: mcc}, a, index1, {n: octets 0}, {r: implied}, [x], last]\n"
             "                             ^~~~~~\n"
             "@modules/box.yaml:6:38: error: 'octets N' takes 1 to 64 octets\n"
             "        index: [{m: mcc}, a, index1, {n: octets 0}, {r: implied}, [x], last]\n"
             "                                         ^~~~~~~~\n"
             "@modules/box.yaml:6:49: error: only the last part can be implied: it takes all that is left\n"
             "        index: [{m: mcc}, a, index1, {n: octets 0}, {r: implied}, [x], last]\n"
             "                                                    ^\n"
             "@modules/box.yaml:6:63: error: a part of an index is a name, which is a whole number, or {NAME: TYPE}\n"
             "        index: [{m: mcc}, a, index1, {n: octets 0}, {r: implied}, [x], last]\n"
             "                                                                  ^\n"},
        {.module = MODULE("  p:\n    kind: port\n    columns:\n      a: {address: 1.2, type: text, scale: 0.1}\n"
                          "      b: {address: 1.3, range: [5]}\n      c: {address: 1.4, units: [W]}\n"
                          "      d: {address: 1.5, type: measure, units: [{kW: many}]}\n"
                          "      e: {address: 1.6, type: enum, members: {1: {code: x, severity: grave}}}\n"),
         .report = "@modules/box.yaml:6:7: error: a column of type text cannot have 'scale' or 'range'\n"
                   "          a: {address: 1.2, type: text, scale: 0.1}\n"
                   "          ^\n"
                   "@modules/box.yaml:7:7: error: 'range' is the least and the most that can be: [0, 100]\n"
                   "          b: {address: 1.3, range: [5]}\n"
                   "          ^\n"
                   "@modules/box.yaml:8:7: error: only a column of type measure has 'units'\n"
                   "          c: {address: 1.4, units: [W]}\n"
                   "          ^\n"
                   "@modules/box.yaml:9:53: error: 'many' is no factor: a number that is not 0 is wanted\n"
                   "          d: {address: 1.5, type: measure, units: [{kW: many}]}\n"
                   "                                                        ^~~~\n"
                   "@modules/box.yaml:10:70: error: 'grave' is not possible here (known here: ok, info, warning, "
                   "major, critical, unknown)\n"
                   "          e: {address: 1.6, type: enum, members: {1: {code: x, severity: grave}}}\n"
                   "                                                                         ^~~~~\n"},
        {.module = MODULE("  p:\n    kind: port\n    columns: {a: 1.2, t: {address: 1.3, type: text}}\n"
                          "    joins:\n      x: {rows: q, on: {c: a}}\n      y: {rows: q, on: {b: t}}\n"
                          "      z: {rows: q, by: [a], on: {b: a}}\n      w: {rows: q, on: b}\n"
                          "      v: {rows: q, on: {[b]: a}}\n"
                          "    unless: qq\n  q: {columns: {b: 1.3}}\n"),
         .report =
             "@modules/box.yaml:11:25: error: a key must be a text\n"
             "          v: {rows: q, on: {[b]: a}}\n"
             "                            ^\n"
             "@modules/box.yaml:7:25: error: unknown name 'c' (known here: b, index, index1, index2, index3, index4)\n"
             "          x: {rows: q, on: {c: a}}\n"
             "                            ^\n"
             "@modules/box.yaml:8:28: error: a whole number is wanted here, this gives a text\n"
             "          y: {rows: q, on: {b: t}}\n"
             "                               ^\n"
             "@modules/box.yaml:9:7: error: a row is found by 'by' or by 'on', not by both\n"
             "          z: {rows: q, by: [a], on: {b: a}}\n"
             "          ^\n"
             "@modules/box.yaml:10:24: error: 'on' is a map of names there and what they are: {number: index}\n"
             "          w: {rows: q, on: b}\n"
             "                           ^\n"
             "@modules/box.yaml:12:13: error: unknown component 'qq' (known here: p, q)\n"
             "        unless: qq\n"
             "                ^~\n"},
        {.module = MODULE("  p: {kind: port, columns: {a: 1.2}, unless: r}\n"
                          "  q: {kind: port, columns: {a: 1.2}, unless: p}\n"
                          "  r: {kind: port, columns: {a: 1.2}, unless: q}\n"
                          "  s: {kind: port, part: inventory, columns: {a: 1.2}, unless: boxx.p}\n"
                          "  t: {kind: port, part: inventory, columns: {a: 1.2}, unless: p}\n"
                          "  u: {columns: {a: 1.2}, unless: p}\n"),
         .report =
             "@modules/box.yaml:3:46: error: 'p' gives way to itself in the end\n"
             "      p: {kind: port, columns: {a: 1.2}, unless: r}\n"
             "                                                 ^\n"
             "@modules/box.yaml:4:46: error: 'q' gives way to itself in the end\n"
             "      q: {kind: port, columns: {a: 1.2}, unless: p}\n"
             "                                                 ^\n"
             "@modules/box.yaml:5:46: error: 'r' gives way to itself in the end\n"
             "      r: {kind: port, columns: {a: 1.2}, unless: q}\n"
             "                                                 ^\n"
             "@modules/box.yaml:6:63: error: unknown module 'boxx' (did you mean 'box'?)\n"
             "      s: {kind: port, part: inventory, columns: {a: 1.2}, unless: boxx.p}\n"
             "                                                                  ^~~~~~\n"
             "@modules/box.yaml:7:63: error: 'p' is read with status, but this with inventory: one can't give way to "
             "the other\n"
             "      t: {kind: port, part: inventory, columns: {a: 1.2}, unless: p}\n"
             "                                                                  ^\n"
             "@modules/box.yaml:7:63: error: 't' gives way to itself in the end\n"
             "      t: {kind: port, part: inventory, columns: {a: 1.2}, unless: p}\n"
             "                                                                  ^\n"
             "@modules/box.yaml:8:34: error: only a component with a 'kind' gives way: others are asked, not found\n"
             "      u: {columns: {a: 1.2}, unless: p}\n"
             "                                     ^\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_wrong(*state, i, &rows[i]);
}

/* ---- Several files and folders ---- */

static void put_good(const char *dir)
{
    folder_put(dir, "kinds.yaml", KINDS);
    folder_put(dir, "modules/identify.yaml", IDENTIFY);
    folder_put(dir, "modules/box.yaml", MODULE("  p: {kind: port, columns: {a: 1.2}, points: {speed: a}}\n"));
    folder_put(dir, "profiles/box.yaml", "profile: box\nclass: other\nmodules: [box]\n");
    folder_put(dir, "rules/box.yaml", RULE(MESSAGE "    when: speed < 3\n"));
}

static void test_a_later_folder_overrides_by_name(void **state)
{
    struct conf_report report = {0};
    struct knowledge *one = NULL, *two = NULL;
    const char *dirs[2] = {*state};
    char *over = xasprintf("%s/over", dirs[0]);

    dirs[1] = over;
    put_good(dirs[0]);
    folder_put(over, "x", "");
    folder_put(over, "modules/mine.yaml", MODULE("  p: {kind: port, columns: {a: '9.9'}, points: {speed: a}}\n"));
    folder_put(over, "rules/mine.yaml", RULE(MESSAGE "    when: speed < 7\n"));
    assert_int_equal(knowledge_load(dirs, 1, NULL, &one, &report), 0);
    if (knowledge_load(dirs, 2, NULL, &two, &report) < 0)
        fail_msg("%s", report.text.s);
    assert_int_equal(two->modules.n, 2);
    assert_string_equal(two->profiles.v[0]->modules.v[0]->components.v[0].columns.v[0].address, "9.9");
    assert_int_equal(two->rules.n, 1);
    assert_string_equal(expr_text(knowledge_rule(one, "slow")->when), "speed < 3");
    assert_string_equal(expr_text(knowledge_rule(two, "slow")->when), "speed < 7");
    assert_string_not_equal(one->hash, two->hash);
    assert_true(str_starts(two->rules.v[0]->where.file, over));
    knowledge_free(one);
    knowledge_free(two);
    free(over);
}

/* Loads a folder that has one thing wrong. */
static void assert_complaint(const char *dir, const struct settings *overrides, const char *what)
{
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    assert_int_equal(knowledge_load(&dir, 1, overrides, &k, &report), PD_EINVAL);
    if (!strstr(report.text.s, what))
        fail_msg("'%s' is not in\n%s", what, report.text.s);
    assert_int_equal(report.errors, 1);
    conf_report_free(&report);
}

static void test_a_name_twice_in_one_folder(void **state)
{
    put_good(*state);
    folder_put(*state, "rules/other.yaml", RULE(MESSAGE "    when: speed < 7\n"));
    assert_complaint(*state, NULL,
                     "/rules/other.yaml:2:3: error: rule 'slow' is defined twice in one folder (first at ");
}

static void test_what_must_be_there(void **state)
{
    folder_put(*state, "kinds.yaml", KINDS);
    assert_complaint(*state, NULL, "no folder has the module 'identify'");
    assert_complaint("/nonexistent", NULL, "/nonexistent: error: there is no such folder");
}

static void test_override_of_an_unknown_rule(void **state)
{
    char *file = xasprintf("%s/patrold.yaml", (char *)*state);
    struct rule_override o = {
        .name = (char[]){"slwo"}, .hold_ms = -1, .clear_hold_ms = -1, .severity = -1, .where = {file, 2, 3}};
    struct settings s = {0};

    put_good(*state);
    folder_put(*state, "patrold.yaml", "rules:\n  slwo: {off: true}\n");
    s.rules.v = &o;
    s.rules.n = 1;
    assert_complaint(*state, &s,
                     "/patrold.yaml:2:3: error: there is no rule 'slwo' (did you mean 'slow'?)\n"
                     "      slwo: {off: true}\n      ^\n");
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_knowledge_loads),
        cmocka_unit_test(test_rules_are_in_order_of_family_and_severity),
        cmocka_unit_test(test_shipped_knowledge_speaks_every_language),
        cmocka_unit_test(test_recognition),
        cmocka_unit_test(test_overrides),
        WITH_FOLDER(test_messages),
        WITH_FOLDER(test_a_rule_names_the_kind_of_its_ticket),
        WITH_FOLDER(test_a_rule_lists_what_it_asks_besides_points),
        WITH_FOLDER(test_messages_about_other_tables),
        WITH_FOLDER(test_messages_about_shapes),
        WITH_FOLDER(test_a_later_folder_overrides_by_name),
        WITH_FOLDER(test_a_name_twice_in_one_folder),
        WITH_FOLDER(test_what_must_be_there),
        WITH_FOLDER(test_override_of_an_unknown_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
