#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* A folder with one file of calendars, over what is shipped. */
struct fixture {
    char *shipped, *dir, *sub, *file;
};

static int setup(void **state)
{
    const char *srcdir = getenv("srcdir");
    struct fixture *f = xcalloc(1, sizeof *f);

    f->shipped = xasprintf("%s/conf", srcdir ? srcdir : ".");
    f->dir = xstrdup("/tmp/patrold-calendars-XXXXXX");
    *state = f;
    if (!mkdtemp(f->dir))
        return -1;
    f->sub = xasprintf("%s/calendars", f->dir);
    f->file = xasprintf("%s/mine.yaml", f->sub);
    return mkdir(f->sub, 0755);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    unlink(f->file);
    rmdir(f->sub);
    rmdir(f->dir);
    free(f->shipped);
    free(f->file);
    free(f->sub);
    free(f->dir);
    free(f);
    return 0;
}

static struct knowledge *load(const struct fixture *f, const char *yaml, const struct settings *settings,
                              struct conf_report *report)
{
    struct knowledge *k = NULL;

    if (yaml)
        assert_int_equal(file_write_whole(f->file, yaml, strlen(yaml), 0644), 0);
    knowledge_load((const char *const[]){f->shipped, f->dir}, yaml ? 2 : 1, settings, &k, report);
    return k;
}

static struct knowledge *load_good(const struct fixture *f, const char *yaml, const struct settings *settings)
{
    struct conf_report report = {0};
    struct knowledge *k = load(f, yaml, settings, &report);

    if (!k)
        fail_msg("%s", report.text.s);
    conf_report_free(&report);
    return k;
}

static int64_t day_of(const char *text)
{
    int64_t day = 0;

    assert_int_equal(date_parse(text, &day), 0);
    return day;
}

/* ---- What is shipped ---- */

static void shipped_calendars(void **state)
{
    struct knowledge *k = load_good(*state, NULL, NULL);
    const struct calendar *office = knowledge_calendar(k, "cn-office"), *always = knowledge_calendar(k, "always");
    int64_t work = 0;

    assert_non_null(office);
    assert_non_null(always);
    assert_null(knowledge_calendar(k, "no-such"));
    assert_string_equal(zone_name(office->zone), "Asia/Shanghai");
    assert_int_equal(calendar_between(office, calendar_day_start(office, day_of("2026-07-01")),
                                      calendar_day_start(office, day_of("2026-07-02")), &work),
                     0);
    assert_int_equal(work, 8 * 3600 * 1000);
    assert_int_equal(calendar_between(always, 0, 7 * DATE_DAY_MS, &work), 0);
    assert_int_equal(work, 7 * DATE_DAY_MS);
    for (size_t i = 0; i < k->calendars.n; i++)
        for (int lang = 0; lang < LANG_COUNT; lang++)
            assert_non_null(k->calendars.v[i]->title[lang]);
    knowledge_free(k);
}

/* Weekdays of each year less those off, and the weekends worked: as the State Council counts them. */
static void shipped_holidays(void **state)
{
    static const struct {
        int64_t year;
        int off, make_up, workdays;
    } rows[] = {{2025, 28, 5, 248}, {2026, 33, 6, 248}};
    struct knowledge *k = load_good(*state, NULL, NULL);
    const struct calendar *office = knowledge_calendar(k, "cn-office");

    for (size_t i = 0; i < COUNT(rows); i++) {
        int off = 0, make_up = 0, workdays = 0;

        for (int64_t day = date_to_day(rows[i].year, 1, 1); day < date_to_day(rows[i].year + 1, 1, 1); day++) {
            const struct special_day *s = calendar_special(office, day);

            off += s && s->kind == DAY_OFF;
            make_up += s && s->kind == DAY_MAKE_UP;
            workdays += calendar_is_workday(office, day);
            if (s && (!s->cause->title[LANG_EN] || !s->cause->title[LANG_ZH_CN]))
                fail_msg("day %lld", (long long)day);
            if (s && s->kind == DAY_MAKE_UP && date_weekday(day) < SATURDAY)
                fail_msg("a weekday is worked instead: %lld", (long long)day);
        }
        if (off != rows[i].off || make_up != rows[i].make_up || workdays != rows[i].workdays)
            fail_msg("%d: %d off, %d make-up, %d workdays", (int)rows[i].year, off, make_up, workdays);
    }
    assert_string_equal(calendar_special(office, day_of("2026-02-17"))->cause->title[LANG_ZH_CN], "春节");
    assert_int_equal(calendar_uncovered_year(office, day_of("2025-01-01"), day_of("2027-01-31")), 2027);
    knowledge_free(k);
}

/* ---- Sites' own ---- */

static void a_calendar_of_a_site(void **state)
{
    static const char yaml[] = "calendars:\n"
                               "  works:\n"
                               "    title: {en: Works, zh_CN: 工厂}\n"
                               "    hours: {mon-thu: ['07:00-12:00', 12:30-16:00], fri: 07:00-13:00}\n"
                               "    holidays: [here, cn]\n"
                               "    make_up: fri\n"
                               "    exceptions:\n"
                               "      - {from: 2026-08-03, to: 2026-08-07, off: true}\n"
                               "      - {from: 2026-08-08, as: tue}\n"
                               "      - {from: 2026-12-31, hours: [07:00-09:00, 09:30-10:00]}\n"
                               "holidays:\n"
                               "  here: {years: [2027], days: [{title: Feast, from: 2027-01-04}]}\n";
    static const struct {
        const char *day;
        int minutes;
    } rows[] = {
        {"2026-07-01", 510}, {"2026-07-03", 360}, {"2026-07-04", 0},   {"2026-08-03", 0}, {"2026-08-07", 0},
        {"2026-08-08", 510}, {"2026-08-10", 510}, {"2026-12-31", 150}, {"2027-01-04", 0}, {"2027-01-05", 510},
        {"2026-10-01", 0},   {"2026-10-10", 360}, /* a make-up day has Friday's hours */
    };
    struct settings settings = {.time_zone = (char[]){"Europe/Berlin"}};
    struct knowledge *k = load_good(*state, yaml, &settings);
    const struct calendar *c = knowledge_calendar(k, "works");

    assert_string_equal(zone_name(c->zone), "Europe/Berlin"); /* the site's, where the calendar names none */
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t day = day_of(rows[i].day), work = 0;

        assert_int_equal(calendar_between(c, calendar_day_start(c, day), calendar_day_start(c, day + 1), &work), 0);
        if (work != rows[i].minutes * INT64_C(60000))
            fail_msg("%s: %lld min", rows[i].day, (long long)work / 60000);
    }
    assert_int_equal(calendar_uncovered_year(c, day_of("2025-01-01"), day_of("2028-01-01")), 2028);
    knowledge_free(k);
}

static void a_later_folder_overrides_by_name(void **state)
{
    struct knowledge *k =
        load_good(*state,
                  "calendars:\n  cn-office: {title: Ours, time_zone: Asia/Shanghai, hours: {sun: 10:00-11:00}}\n"
                  "holidays:\n  cn: {years: [2030], days: []}\n",
                  NULL);

    assert_int_equal(k->calendars.n, 2);
    assert_int_equal(k->holidays.n, 1);
    assert_int_equal(k->holidays.v[0]->years.v[0], 2030);
    assert_true(calendar_is_workday(knowledge_calendar(k, "cn-office"), day_of("2026-07-05")));
    assert_false(calendar_is_workday(knowledge_calendar(k, "cn-office"), day_of("2026-07-06")));
    knowledge_free(k);
}

/* ---- Errors ---- */

#define CALENDAR(rest) "calendars:\n  c:\n    title: C\n" rest
#define HOURS "    hours: {mon: 08:00-12:00}\n"
#define YEAR(y) "    - {from: " y "-01-01, to: " y "-12-31, off: true}\n"
#define HOLIDAYS(days) "holidays:\n  h:\n    years: [2026]\n    days:\n" days

static void messages(void **state)
{
    static const struct {
        const char *yaml, *where, *says;
    } rows[] = {
        {CALENDAR("    hors: {}\n" HOURS), ":4:5:", "unknown key 'hors' (did you mean 'hours'?)"},
        {CALENDAR(""), ":2:3:", "a calendar needs 'hours', which is missing"},
        {CALENDAR("    hours: 08:00-12:00\n"), ":4:12:", "hours by weekday are wanted, such as {mon-fri: 08:30-18:00}"},
        {CALENDAR("    hours: {mon: 8-12}\n"), ":4:18:", "hours like 08:30-12:00 are wanted here"},
        {CALENDAR("    hours: {mon: 08:00-12:60}\n"), ":4:18:", "hours like 08:30-12:00 are wanted here"},
        {CALENDAR("    hours: {mon: 08:00-24:01}\n"), ":4:18:", "hours like 08:30-12:00 are wanted here"},
        {CALENDAR("    hours: {mon: {a: b}}\n"), ":4:18:", "hours like 08:30-12:00 are wanted here"},
        {CALENDAR("    hours: {mon: 22:00-06:00}\n"), ":4:18:", "ends before it begins; a night is written in two"},
        {CALENDAR("    hours: {mon: [08:00-12:00, 11:00-13:00]}\n"),
         ":4:32:", "begins before the hours ahead of it end"},
        {CALENDAR("    hours: {mond: 08:00-12:00}\n"), ":4:13:", "a weekday (mon, tue, wed, thu, fri, sat, sun)"},
        {CALENDAR("    hours: {[mon]: 08:00-12:00}\n"), ":4:13:", "a key must be a text"},
        {CALENDAR("    hours: *week\n"), ":4:12:", "aliases (*name) are not supported"},
        {CALENDAR("    hours: {fri-mon: 08:00-12:00}\n"), ":4:13:", "or some, such as mon-fri, is wanted"},
        {CALENDAR("    hours: {mon-fri: 08:00-12:00, wed: 09:00-10:00}\n"),
         ":4:35:", "the hours of 'wed' are given twice"},
        {CALENDAR(HOURS "    time_zone: Asia/Peking\n"), ":5:16:", "unknown time zone 'Asia/Peking'"},
        {CALENDAR(HOURS "    holidays: [cm]\n"), ":5:16:", "unknown set of holidays 'cm' (did you mean 'cn'?)"},
        {CALENDAR(HOURS "    holidays: [cn]\n    make_up: sat\n"),
         ":2:3:", "decreed workdays take the hours of 'sat', which has none"},
        {CALENDAR(HOURS "    exceptions: [{from: 2026-02-30, off: true}]\n"), ":5:25:", "'2026-02-30' is no date"},
        {CALENDAR(HOURS "    exceptions: [{from: 2026-02-03, to: 2026-02-01, off: true}]\n"),
         ":5:41:", "ends before it begins"},
        {CALENDAR(HOURS "    exceptions: [{from: 2026-02-03, to: 2028-02-01, off: true}]\n"),
         ":5:41:", "is longer than a year"},
        {CALENDAR(HOURS "    exceptions: [{from: 2026-02-03}]\n"),
         ":5:18:", "an exception needs one of 'off: true', 'as: WEEKDAY' and 'hours'"},
        {CALENDAR(HOURS "    exceptions: [{from: 2026-02-03, as: mon, off: true}]\n"),
         ":5:18:", "an exception needs one of"},
        {CALENDAR(HOURS "    exceptions: [{from: 2026-02-03, as: monday}]\n"), ":5:41:", "'monday'"},
        {CALENDAR(HOURS
                  "    exceptions: [{from: 2026-02-03, off: true}, {from: 2026-02-01, to: 2026-02-05, as: mon}]\n"),
         ":5:56:", "something else is said of 2026-02-03 already"},
        {CALENDAR(HOURS "    exceptions:\n" YEAR("2026") YEAR("2025") YEAR("2024") YEAR("2023") YEAR("2022")
                      YEAR("2021") YEAR("2020") YEAR("2019") YEAR("2018") YEAR("2017") YEAR("2016")),
         ":16:14:", "more than 3660 days are special"},
        {HOLIDAYS("      - {title: X, from: 2062-01-01}\n"), ":5:26:", "lies in none of the set's 'years'"},
        {HOLIDAYS("      - {title: X, from: 2026-01-01, work: [2025-01-04]}\n"),
         ":5:45:", "lies in none of the set's 'years'"},
        {HOLIDAYS("      - {title: X, from: 2026-01-01, to: 2026-01-03, work: [2026-01-02]}\n"),
         ":5:61:", "something else is said of 2026-01-02 already"},
        {"holidays:\n  h: {years: [next], days: []}\n", ":2:15:", "'next'"},
        {"calendars:\n  Büro: {title: B, hours: {mon: 08:00-12:00}}\n", ":2:3:", "Büro"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct conf_report report = {0};
        struct knowledge *k = load(*state, rows[i].yaml, NULL, &report);
        char *at = xasprintf("/calendars/mine.yaml%s error: ", rows[i].where);

        if (k || report.errors != 1 || !strstr(report.text.s, at) || !strstr(report.text.s, rows[i].says))
            fail_msg("row %zu: %u errors\n%s", i, report.errors, report.text.s ? report.text.s : "");
        knowledge_free(k);
        conf_report_free(&report);
        free(at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shipped_calendars, setup, teardown),
        cmocka_unit_test_setup_teardown(shipped_holidays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_calendar_of_a_site, setup, teardown),
        cmocka_unit_test_setup_teardown(a_later_folder_overrides_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(messages, setup, teardown),
    };

    return cmocka_run_group_tests_name("calendars", tests, NULL, NULL);
}
