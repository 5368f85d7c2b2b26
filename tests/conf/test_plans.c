#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"

/* A folder with settings and a file of checklists, over what is shipped. */
struct fixture {
    char *shipped, *dir, *sub, *checklists, *settings;
};

static int setup(void **state)
{
    const char *srcdir = getenv("srcdir");
    struct fixture *f = xcalloc(1, sizeof *f);

    f->shipped = xasprintf("%s/conf", srcdir ? srcdir : ".");
    f->dir = xstrdup("/tmp/patrold-plans-XXXXXX");
    *state = f;
    if (!mkdtemp(f->dir))
        return -1;
    f->sub = xasprintf("%s/checklists", f->dir);
    f->checklists = xasprintf("%s/mine.yaml", f->sub);
    f->settings = xasprintf("%s/patrold.yaml", f->dir);
    return mkdir(f->sub, 0755);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    unlink(f->checklists);
    unlink(f->settings);
    rmdir(f->sub);
    rmdir(f->dir);
    free(f->shipped);
    free(f->checklists);
    free(f->settings);
    free(f->sub);
    free(f->dir);
    free(f);
    return 0;
}

static void put(const char *path, const char *text)
{
    assert_int_equal(file_write_whole(path, text, strlen(text), 0644), 0);
}

/* Settings may be NULL. */
static struct knowledge *load(const struct fixture *f, const char *checklists, const struct settings *settings,
                              struct conf_report *report)
{
    struct knowledge *k = NULL;

    if (checklists)
        put(f->checklists, checklists);
    knowledge_load((const char *const[]){f->shipped, f->dir}, checklists ? 2 : 1, settings, &k, report);
    return k;
}

/* A report must say this, place and all. */
static void expect(const struct conf_report *report, const char *file, const char *what)
{
    char *want = xasprintf("%s:%s", file, what);

    if (!report->text.s || !strstr(report->text.s, want))
        fail_msg("'%s' is not in\n%s", want, report->text.s ? report->text.s : "nothing");
    free(want);
}

/* ---- Checklists ---- */

static void every_device_class_has_a_checklist(void **state)
{
    static const char *const classes[] = {"printer",  "copier",          "switch", "router",
                                          "firewall", "server",          "nas",    "ups",
                                          "pdu",      "air-conditioner", "sensor", CHECKLIST_OTHER};
    struct conf_report report = {0};
    struct knowledge *k = load(*state, NULL, NULL, &report);

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const struct checklist *list = knowledge_checklist(k, classes[i]);
        size_t polled = 0;

        if (!list)
            fail_msg("%s has no checklist", classes[i]);
        for (size_t n = 0; list && n < list->items.n; n++)
            polled += list->items.v[n].kind != NULL;
        if (list && (polled == 0 || polled == list->items.n))
            fail_msg("%s: %zu of %zu items are polled", classes[i], polled, list->items.n);
    }
    knowledge_free(k);
    conf_report_free(&report);
}

static void a_later_folder_has_its_own_checklist_of_a_name(void **state)
{
    struct conf_report report = {0};
    struct knowledge *k = load(*state,
                               "checklists:\n  printer:\n    title: {en: Mine, zh_CN: 我的}\n    items:\n"
                               "      heat:\n        title: {en: Heat, zh_CN: 温度}\n        kind: sensor\n"
                               "        where: class = \"temperature\"\n        value: value\n        unit: Cel\n",
                               NULL, &report);
    const struct checklist *list = k ? knowledge_checklist(k, "printer") : NULL;

    if (!list) {
        fail_msg("%s", report.text.s);
        return;
    }
    assert_int_equal(list->items.n, 1);
    assert_string_equal(list->items.v[0].title[LANG_ZH_CN], "温度");
    assert_string_equal(list->items.v[0].unit, "Cel");
    assert_string_equal(list->items.v[0].point->name, "value");
    assert_ptr_equal(checklist_item(list, "heat"), &list->items.v[0]);
    assert_null(checklist_item(list, "cold"));
    knowledge_free(k);
    conf_report_free(&report);
}

#define LIST(items) "checklists:\n  box:\n    title: {en: Box, zh_CN: 箱}\n    items:\n" items
#define TITLE "        title: {en: X, zh_CN: 某}\n"

static const struct {
    const char *yaml, *error;
} wrong_lists[] = {
    {LIST("      a:\n" TITLE "        knd: supply\n"), "7:9: error: unknown key 'knd' (did you mean 'kind'?)"},
    {LIST("      a:\n" TITLE "        kind: suply\n"), "7:15: error: unknown kind 'suply' (did you mean 'supply'?)"},
    {LIST("      a:\n" TITLE "        kind: supply\n        fault: levl < 3\n"),
     "8:16: error: unknown name 'levl' (did you mean 'level'?)"},
    {LIST("      a:\n" TITLE "        kind: supply\n        fault: level\n"), "8:16: error: "},
    {LIST("      a:\n" TITLE "        fault: level < 3\n"),
     "7:16: error: 'fault' needs 'kind': an item without one is the technician's"},
    {LIST("      a:\n" TITLE "        kind: supply\n"),
     "5:7: error: an item with a kind needs 'value', 'attention' or 'fault'"},
    {LIST("      a:\n        title: Only English\n"), "6:16: error: the text in zh_CN is missing"},
    {LIST("      Rollers:\n" TITLE), "5:7: error: 'Rollers' cannot be a name"},
    {LIST("      a:\n        kind: supply\n        value: level\n"), "5:7: error: an item needs 'title'"},
    {"checklists:\n  box:\n    title: {en: Box, zh_CN: 箱}\n    items: {}\n",
     "2:3: error: a checklist needs at least one item"},
    {"checklists:\n  box:\n    title: {en: Box, zh_CN: 箱}\n", "2:3: error: a checklist needs 'items'"},
    {"lists: {}\n", "1:1: error: unknown key 'lists'"},
};

static void a_wrong_checklist_is_told_with_its_place(void **state)
{
    const struct fixture *f = *state;

    for (size_t i = 0; i < sizeof wrong_lists / sizeof *wrong_lists; i++) {
        struct conf_report report = {0};

        assert_null(load(f, wrong_lists[i].yaml, NULL, &report));
        expect(&report, f->checklists, wrong_lists[i].error);
        conf_report_free(&report);
    }
}

/* ---- Plans ---- */

#define PLAN "plans:\n  monthly:\n    title: {en: Patrol, zh_CN: 巡检}\n    rule: FREQ=MONTHLY\n    start: 2026-01-31\n"

static void a_plan_is_read_with_all_that_it_says(void **state)
{
    const struct fixture *f = *state;
    struct conf_report report = {0};
    struct settings *s = NULL;
    const struct plan *p;

    put(f->settings, PLAN "    at: \"07:45\"\n    shift: back\n    calendar: cn-office\n    sites: [总部, East]\n"
                          "    classes: [printer]\n    labels: [floor=3]\n    customers: [Acme]\n"
                          "    technician: li\n    grace: 36h\n    anchor: done\n    checklist: printer\n"
                          "  air:\n    title: Air\n    kind: preventive\n    rule: FREQ=YEARLY\n"
                          "    start: 2026-05-01\n    each: device\n");
    if (settings_load(f->settings, &s, &report) < 0)
        fail_msg("%s", report.text.s);
    assert_int_equal(s->plans.n, 2);
    p = &s->plans.v[0];
    assert_string_equal(p->name, "monthly");
    assert_string_equal(p->rule, "FREQ=MONTHLY");
    assert_int_equal(p->start_day, date_to_day(2026, 1, 31));
    assert_int_equal(p->at_minute, 7 * 60 + 45);
    assert_int_equal(p->shift, SCHEDULE_BACK);
    assert_int_equal(p->anchor, SCHEDULE_FROM_DONE);
    assert_string_equal(p->sites.v[0], "总部");
    assert_int_equal(p->grace_ms, 36 * 3600000);
    assert_int_equal(p->kind, PLAN_PATROL);
    assert_string_equal(p->technician, "li");
    p = &s->plans.v[1];
    assert_int_equal(p->kind, PLAN_PREVENTIVE);
    assert_int_equal(p->at_minute, 9 * 60);
    assert_int_equal(p->grace_ms, INT64_C(5) * 86400000);
    assert_true(p->each_device);
    assert_null(p->title[LANG_ZH_CN]);
    settings_free(s);
    conf_report_free(&report);
}

static const struct {
    const char *yaml, *error;
} wrong_plans[] = {
    {PLAN "    shfit: back\n", "6:5: error: unknown key 'shfit' (did you mean 'shift'?)"},
    {PLAN "    shift: sideways\n", "6:12: error: "},
    {PLAN "    shift: back\n", "2:3: error: 'shift' needs 'calendar': whose workdays?"},
    {PLAN "    at: 9:00\n", "6:9: error: '9:00' is no time of the day: one like 09:00 is wanted"},
    {PLAN "    at: \"24:00\"\n", "6:9: error: '24:00' is no time of the day"},
    {PLAN "    grace: 5\n", "6:12: error: "},
    {PLAN "    grace: 5m\n", "6:12: error: "},
    {PLAN "    kind: preventive\n    anchor: done\n", "2:3: error: only a patrol can count from when it was done"},
    {PLAN "    kind: preventive\n    checklist: printer\n", "7:16: error: only a patrol has a checklist"},
    {PLAN "    each: device\n", "2:3: error: only a preventive plan is 'each: device'"},
    {"plans:\n  monthly:\n    title: Patrol\n    start: 2026-01-31\n", "2:3: error: a plan needs 'rule'"},
    {"plans:\n  monthly:\n    title: Patrol\n    rule: FREQ=DAILY\n    start: 2026-02-30\n",
     "5:12: error: '2026-02-30' is no date: one like 2026-01-01 is wanted"},
    {"plans:\n  Monthly!:\n    title: Patrol\n    rule: FREQ=DAILY\n    start: 2026-02-03\n",
     "2:3: error: 'Monthly!' cannot be a plan's name"},
    {"plans:\n  7:\n    title: Patrol\n    rule: FREQ=DAILY\n    start: 2026-02-03\n",
     "2:3: error: '7' cannot be a plan's name: it would be taken for a round's number"},
};

static void a_wrong_plan_is_told_with_its_place(void **state)
{
    const struct fixture *f = *state;

    for (size_t i = 0; i < sizeof wrong_plans / sizeof *wrong_plans; i++) {
        struct conf_report report = {0};
        struct settings *s = NULL;

        put(f->settings, wrong_plans[i].yaml);
        assert_int_equal(settings_load(f->settings, &s, &report), PD_EINVAL);
        expect(&report, f->settings, wrong_plans[i].error);
        conf_report_free(&report);
    }
}

static const struct {
    const char *yaml, *error;
} strangers[] = {
    {PLAN "    calendar: cn-offic\n", "6:15: error: there is no calendar 'cn-offic' (did you mean 'cn-office'?)"},
    {PLAN "    classes: [printer, pinter]\n",
     "2:3: error: there is no device class 'pinter' (did you mean 'printer'?)"},
    {PLAN "    checklist: pinter\n", "6:16: error: there is no checklist 'pinter' (did you mean 'printer'?)"},
};

static void what_a_plan_names_must_be_there(void **state)
{
    const struct fixture *f = *state;

    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        struct conf_report report = {0};
        struct settings *s = NULL;

        put(f->settings, strangers[i].yaml);
        assert_int_equal(settings_load(f->settings, &s, &report), 0);
        assert_null(load(f, NULL, s, &report));
        expect(&report, f->settings, strangers[i].error);
        settings_free(s);
        conf_report_free(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_device_class_has_a_checklist, setup, teardown),
        cmocka_unit_test_setup_teardown(a_later_folder_has_its_own_checklist_of_a_name, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_checklist_is_told_with_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(a_plan_is_read_with_all_that_it_says, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_plan_is_told_with_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_plan_names_must_be_there, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
