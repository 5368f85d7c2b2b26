#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/err.h"
#include "base/mem.h"

/* An archive, and a world around it: one device, "prn", that stands at the site `stands_at`. */
struct room {
    struct clock_fake clock;
    struct archive *archive;
    struct change *change;
    const char *stands_at;
    char *renamed; /* "FROM > TO" as the world was told */
    char *why;
    int64_t id;
};

static bool device_exists(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "prn") == 0;
}

static const char *device_at(void *ctx, const char *site)
{
    return str_eq(((struct room *)ctx)->stands_at, site) ? "prn" : NULL;
}

static void site_renamed(void *ctx, struct change *c, const char *from, const char *to)
{
    struct room *r = ctx;

    assert_non_null(c);
    free(r->renamed);
    r->renamed = xasprintf("%s > %s", from, to);
}

static bool calendar_exists(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "cn-office") == 0;
}

static struct archive *new_archive(struct room *r)
{
    const struct archive_config config = {
        .clock = clock_fake_ops(&r->clock),
        .device_exists = device_exists,
        .device_at = device_at,
        .site_renamed = site_renamed,
        .calendar_exists = calendar_exists,
        .ctx = r,
    };

    return archive_new(&config);
}

static int set_up(void **state)
{
    struct room *r = xcalloc(1, sizeof *r);

    r->clock.wall = 1000;
    r->archive = new_archive(r);
    r->change = change_new();
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct room *r = *state;

    archive_free(r->archive);
    change_free(r->change);
    free(r->renamed);
    free(r->why);
    free(r);
    return 0;
}

/* A row from "field=value|field=value". */
static struct archive_row row_of(enum archive_kind kind, char *text)
{
    struct archive_row row = {{NULL}};
    char *save = NULL;

    for (char *part = strtok_r(text, "|", &save); part; part = strtok_r(NULL, "|", &save)) {
        char *value = strchr(part, '=');
        int i;

        assert_non_null(value);
        *value++ = '\0';
        i = archive_field_find(archive_def(kind), part);
        assert_true(i >= 0);
        row.value[i] = value;
    }
    return row;
}

static int add(struct room *r, enum archive_kind kind, const char *text)
{
    char *copy = xstrdup(text);
    struct archive_row row = row_of(kind, copy);
    struct archive_outcome o;
    int rc;

    archive_outcome_init(&o, 1);
    rc = archive_put(r->archive, kind, ARCHIVE_ADD, &row, 1, "wang", r->change, &o);
    free(r->why);
    r->why = rc < 0 ? archive_outcome_why(&o, kind) : NULL;
    archive_outcome_fini(&o);
    free(copy);
    return rc;
}

static int set(struct room *r, enum archive_kind kind, const char *ref, const char *text)
{
    char *copy = xstrdup(text);
    struct archive_row row = row_of(kind, copy);
    int rc;

    free(r->why);
    r->why = NULL;
    rc = archive_set(r->archive, kind, ref, &row, "wang", r->change, &r->id, &r->why);
    free(copy);
    return rc;
}

static int discard(struct room *r, enum archive_kind kind, const char *ref)
{
    free(r->why);
    r->why = NULL;
    return archive_remove(r->archive, kind, ref, "wang", r->change, &r->id, &r->why);
}

static void fill(struct room *r)
{
    assert_int_equal(add(r, ARCHIVE_CUSTOMER, "name=甲公司|number=K-1"), 0);
    assert_int_equal(add(r, ARCHIVE_SITE, "name=总部|customer=甲公司|zone=Asia/Shanghai"), 0);
    assert_int_equal(add(r, ARCHIVE_STAFF, "login=wang|name=王工|role=technician|sites=总部"), 0);
    assert_int_equal(add(r, ARCHIVE_CONTRACT, "number=HT-1|customer=甲公司|kind=labour|sites=总部|devices=prn"), 0);
}

static const struct entry *find(const struct room *r, enum archive_kind kind, const char *name)
{
    return archive_find(r->archive, kind, name);
}

/* ---- One record ---- */

static void what_is_added_is_found_and_recorded(void **state)
{
    struct room *r = *state;
    const struct archive_site *s;

    fill(r);
    s = (const struct archive_site *)find(r, ARCHIVE_SITE, "总部");
    assert_non_null(s);
    assert_int_equal(s->entry.id, 1);
    assert_int_equal(s->entry.added_ms, 1000);
    assert_string_equal(s->customer, "甲公司");
    assert_int_equal(archive_count(r->archive, ARCHIVE_SITE), 1);
    assert_int_equal(r->change->rows.n, 4);
    assert_string_equal(r->change->events.v[1].kind, "site.added");
    assert_string_equal(r->change->events.v[1].args, "{\"name\":\"总部\"}");
    assert_string_equal(r->change->events.v[1].actor, "wang");
}

static void what_makes_no_sense_is_refused_in_words(void **state)
{
    static const struct {
        enum archive_kind kind;
        const char *row, *words;
    } rows[] = {
        {ARCHIVE_CUSTOMER, "number=7", "name: is missing"},
        {ARCHIVE_CUSTOMER, "name=甲公司", "name: there is a customer '甲公司' already"},
        {ARCHIVE_SITE, "name=分部", "customer: is missing"},
        {ARCHIVE_SITE, "name=分部|customer=甲公公司",
         "customer: there is no customer '甲公公司' (did you mean '甲公司'?)"},
        {ARCHIVE_SITE, "name=分部|customer=甲公司|zone=Asia/Peking", "zone: there is no time zone 'Asia/Peking'"},
        {ARCHIVE_SITE, "name=a,b|customer=甲公司", "name: a site's name has no comma"},
        {ARCHIVE_SITE, "name=东、西|customer=甲公司", "name: a site's name has no comma"},
        {ARCHIVE_CONTACT, "name=李", "customer: a contact belongs to a customer or to a site"},
        {ARCHIVE_CONTACT, "name=李|site=nowhere", "site: there is no site 'nowhere'"},
        {ARCHIVE_CONTACT, "name=李|site=总部|mail=x", "mail: 'x' is not a mail address"},
        {ARCHIVE_STAFF, "login=li|name=李|role=technician|sites=总部,nowhere", "sites: there is no site 'nowhere'"},
        {ARCHIVE_STAFF, "login=li|name=李", "role: is missing"},
        {ARCHIVE_CONTRACT, "number=2|customer=甲公司|kind=rental|from=2026-02-01|to=2026-01-01",
         "to: the contract ends"},
        {ARCHIVE_CONTRACT, "number=2|customer=甲公司|kind=rental|calendar=us", "calendar: there is no calendar 'us'"},
        {ARCHIVE_CONTRACT, "number=2|customer=甲公司|kind=rental|devices=prn,x", "devices: there is no device 'x'"},
        {ARCHIVE_CONTRACT, "number=2|customer=x|kind=y", "customer: there is no customer 'x'; and 1 more"},
    };
    struct room *r = *state;
    size_t nrows, nevents;

    fill(r);
    nrows = r->change->rows.n;
    nevents = r->change->events.n;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (add(r, rows[i].kind, rows[i].row) != PD_EINVAL || !strstr(r->why, rows[i].words))
            fail_msg("%s: %s", rows[i].row, r->why ? r->why : "taken");
    assert_int_equal(r->change->rows.n, nrows);
    assert_int_equal(r->change->events.n, nevents);
}

static void a_contract_around_the_clock_or_by_a_calendar(void **state)
{
    struct room *r = *state;
    const struct archive_contract *c;

    fill(r);
    assert_int_equal(add(r, ARCHIVE_CONTRACT,
                         "number=HT-2|customer=甲公司|kind=full-service|calendar=cn-office|p1=respond=30m，fix=8h"),
                     0);
    c = (const struct archive_contract *)find(r, ARCHIVE_CONTRACT, "HT-2");
    assert_int_equal(c->goal_ms[PRIORITY_P1][PROMISE_RESPOND], 30 * 60000);
    assert_int_equal(c->goal_ms[PRIORITY_P1][PROMISE_FIX], 8 * 3600000);
    assert_int_equal(c->goal_ms[PRIORITY_P2][PROMISE_FIX], 0);
}

static void set_changes_what_is_said_and_leaves_the_rest(void **state)
{
    struct room *r = *state;
    const struct archive_customer *c;

    fill(r);
    assert_int_equal(set(r, ARCHIVE_CUSTOMER, "甲公司", "number=|note=新客户"), 0);
    c = (const struct archive_customer *)find(r, ARCHIVE_CUSTOMER, "甲公司");
    assert_null(c->number);
    assert_string_equal(c->note, "新客户");
    assert_int_equal(c->entry.id, 1);
    assert_string_equal(r->change->events.v[4].kind, "customer.changed");
    assert_non_null(strstr(r->change->events.v[4].args, "\"what\":\"number: K-1 → -; note: - → 新客户\""));
    assert_int_equal(set(r, ARCHIVE_CUSTOMER, "1", "note=新客户"), 0); /* by its id; nothing changes */
    assert_int_equal(r->change->events.n, 5);
    assert_int_equal(set(r, ARCHIVE_CUSTOMER, "乙", "note=x"), PD_ENOENT);
    assert_string_equal(r->why, "there is no customer '乙'");
    assert_int_equal(set(r, ARCHIVE_STAFF, "wang", "role="), PD_EINVAL);
    assert_string_equal(r->why, "role: is missing");
}

static void what_refers_to_a_record_follows_its_new_name(void **state)
{
    struct room *r = *state;

    fill(r);
    assert_int_equal(set(r, ARCHIVE_SITE, "总部", "name=总部大楼"), 0);
    assert_null(find(r, ARCHIVE_SITE, "总部"));
    assert_string_equal(((const struct archive_staff *)find(r, ARCHIVE_STAFF, "wang"))->sites, "总部大楼");
    assert_string_equal(((const struct archive_contract *)find(r, ARCHIVE_CONTRACT, "HT-1"))->sites, "总部大楼");
    assert_string_equal(r->renamed, "总部 > 总部大楼");
    assert_int_equal(set(r, ARCHIVE_CUSTOMER, "甲公司", "name=甲集团"), 0);
    assert_string_equal(((const struct archive_site *)find(r, ARCHIVE_SITE, "总部大楼"))->customer, "甲集团");
    assert_int_equal(add(r, ARCHIVE_CUSTOMER, "name=乙"), 0);
    assert_int_equal(set(r, ARCHIVE_CUSTOMER, "乙", "name=甲集团"), PD_EINVAL);
    assert_string_equal(r->why, "name: there is a customer '甲集团' already");
}

static void what_is_referred_to_stays(void **state)
{
    struct room *r = *state;

    fill(r);
    assert_int_equal(discard(r, ARCHIVE_CUSTOMER, "甲公司"), PD_ESTATE);
    assert_string_equal(r->why, "customer '甲公司' can't be removed: site '总部' refers to it");
    r->stands_at = "总部";
    assert_int_equal(discard(r, ARCHIVE_SITE, "总部"), PD_ESTATE);
    assert_non_null(strstr(r->why, "device 'prn' stands there"));
    r->stands_at = NULL;
    assert_int_equal(discard(r, ARCHIVE_SITE, "总部"), PD_ESTATE);
    assert_int_equal(discard(r, ARCHIVE_STAFF, "wang"), 0);
    assert_int_equal(discard(r, ARCHIVE_CONTRACT, "HT-1"), 0);
    assert_int_equal(discard(r, ARCHIVE_SITE, "总部"), 0);
    assert_int_equal(discard(r, ARCHIVE_CUSTOMER, "甲公司"), 0);
    assert_int_equal(discard(r, ARCHIVE_CUSTOMER, "甲公司"), PD_ENOENT);
    assert_int_equal(archive_count(r->archive, ARCHIVE_CUSTOMER), 0);
}

static void the_name_of_what_was_removed_is_free_but_its_id_is_not(void **state)
{
    struct room *r = *state;
    struct archive *again = new_archive(r);

    assert_int_equal(add(r, ARCHIVE_CUSTOMER, "name=a"), 0);
    assert_int_equal(discard(r, ARCHIVE_CUSTOMER, "a"), 0);
    for (size_t i = 0; i < r->change->rows.n; i++)
        archive_load(again, r->change->rows.v[i].archive.kind, r->change->rows.v[i].archive.entry);
    archive_free(r->archive);
    r->archive = again;
    assert_null(find(r, ARCHIVE_CUSTOMER, "a"));
    assert_int_equal(add(r, ARCHIVE_CUSTOMER, "name=a"), 0);
    assert_int_equal(find(r, ARCHIVE_CUSTOMER, "a")->id, 2);
}

/* ---- Many ---- */

enum { MOST_ROWS = 4 };

/* Imports rows, and says what became of them: "added changed | 2 name: …". */
static char *import(struct room *r, enum archive_kind kind, struct change *change, const char *const *texts)
{
    struct archive_row rows[MOST_ROWS] = {0};
    char *copies[MOST_ROWS];
    struct archive_outcome o;
    struct sbuf said = {0};
    size_t n = 0;
    int rc;

    for (; texts[n]; n++) {
        copies[n] = xstrdup(texts[n]);
        rows[n] = row_of(kind, copies[n]);
    }
    archive_outcome_init(&o, n);
    rc = archive_put(r->archive, kind, ARCHIVE_IMPORT, rows, n, "wang", change, &o);
    assert_int_equal(rc, o.errors.n ? PD_EINVAL : 0);
    for (size_t i = 0; i < n; i++)
        sbuf_addf(&said, "%s ", archive_fate_name(o.fates[i]));
    for (size_t i = 0; i < o.errors.n; i++)
        sbuf_addf(&said, "| %zu %s: %s", o.errors.v[i].row, archive_def(kind)->fields[o.errors.v[i].field].name,
                  o.errors.v[i].text);
    for (size_t i = 0; i < o.changes.n; i++)
        sbuf_addf(&said, "| %zu %s: %s > %s", o.changes.v[i].row, archive_def(kind)->fields[o.changes.v[i].field].name,
                  o.changes.v[i].before ? o.changes.v[i].before : "-",
                  o.changes.v[i].after ? o.changes.v[i].after : "-");
    for (size_t i = 0; i < n; i++)
        free(copies[i]);
    archive_outcome_fini(&o);
    return sbuf_take(&said);
}

static void an_import_adds_changes_and_leaves_alone(void **state)
{
    static const char *const rows[] = {"name=甲公司|number=K-2", "name=乙公司", "name=丙公司|note=x", NULL};
    struct room *r = *state;
    char *said;

    fill(r);
    assert_int_equal(add(r, ARCHIVE_CUSTOMER, "name=丙公司|note=x"), 0);
    said = import(r, ARCHIVE_CUSTOMER, r->change, rows);
    assert_string_equal(said, "changed added unchanged | 0 number: K-1 > K-2");
    free(said);
    assert_int_equal(archive_count(r->archive, ARCHIVE_CUSTOMER), 3);
    said = import(r, ARCHIVE_CUSTOMER, r->change, rows);
    assert_string_equal(said, "unchanged unchanged unchanged ");
    free(said);
}

static void looking_changes_nothing(void **state)
{
    static const char *const rows[] = {"name=甲公司|number=K-2", "name=乙公司", NULL};
    struct room *r = *state;
    char *said;

    fill(r);
    said = import(r, ARCHIVE_CUSTOMER, NULL, rows);
    assert_string_equal(said, "changed added | 0 number: K-1 > K-2");
    free(said);
    assert_int_equal(archive_count(r->archive, ARCHIVE_CUSTOMER), 1);
    assert_string_equal(((const struct archive_customer *)find(r, ARCHIVE_CUSTOMER, "甲公司"))->number, "K-1");
}

static void one_wrong_row_keeps_all_out(void **state)
{
    static const char *const rows[] = {"name=乙|customer=甲公司", "name=丙|customer=丁", "name=乙|customer=甲公司",
                                       NULL};
    struct room *r = *state;
    size_t nrows;
    char *said;

    fill(r);
    nrows = r->change->rows.n;
    said = import(r, ARCHIVE_SITE, r->change, rows);
    assert_string_equal(said, "added wrong wrong | 1 customer: there is no customer '丁'"
                              "| 2 name: '乙' is there twice: also in row 1");
    free(said);
    assert_int_equal(r->change->rows.n, nrows);
    assert_null(find(r, ARCHIVE_SITE, "乙"));
}

/* ---- Devices ---- */

static void a_devices_site_is_checked_once_there_are_sites(void **state)
{
    struct room *r = *state;
    char text[] = "name=prn|address=10.0.0.1|site=三楼";
    struct archive_row row = row_of(ARCHIVE_DEVICE, text);
    struct archive_outcome o;
    struct device d = {0};

    archive_outcome_init(&o, 1);
    assert_true(archive_stage(r->archive, ARCHIVE_DEVICE, true, &d, &row, 0, &o));
    assert_int_equal(o.warnings.n, 1);
    archive_outcome_fini(&o);
    device_fini(&d);
    fill(r);
    archive_outcome_init(&o, 1);
    assert_false(archive_stage(r->archive, ARCHIVE_DEVICE, true, &d, &row, 0, &o));
    assert_string_equal(o.errors.v[0].text, "there is no site '三楼'");
    archive_outcome_fini(&o);
    device_fini(&d);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_added_is_found_and_recorded),
        TEST(what_makes_no_sense_is_refused_in_words),
        TEST(a_contract_around_the_clock_or_by_a_calendar),
        TEST(set_changes_what_is_said_and_leaves_the_rest),
        TEST(what_refers_to_a_record_follows_its_new_name),
        TEST(what_is_referred_to_stays),
        TEST(the_name_of_what_was_removed_is_free_but_its_id_is_not),
        TEST(an_import_adds_changes_and_leaves_alone),
        TEST(looking_changes_nothing),
        TEST(one_wrong_row_keeps_all_out),
        TEST(a_devices_site_is_checked_once_there_are_sites),
    };

    return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
