#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "tests/watch/site.h"

/* What `device add` refuses, and a word that the reason must have. */
static const struct {
    const char *name, *address, *collector, *credential, *profile;
    int err;
    const char *word;
} refused[] = {
    {NULL, "10.0.0.9", NULL, NULL, NULL, PD_EINVAL, "name"},
    {"", "10.0.0.9", NULL, NULL, NULL, PD_EINVAL, "name"},
    {"a\nb", "10.0.0.9", NULL, NULL, NULL, PD_EINVAL, "name"},
    {"\xff", "10.0.0.9", NULL, NULL, NULL, PD_EINVAL, "name"},
    {"new", NULL, NULL, NULL, NULL, PD_EINVAL, "address"},
    {"new", "", NULL, NULL, NULL, PD_EINVAL, "address"},
    {"new", "nowhere", NULL, NULL, NULL, PD_EINVAL, "nowhere"},
    {"new", "10.0.0.9", "modbus", NULL, NULL, PD_EINVAL, "modbus"},
    {"new", "10.0.0.9", NULL, "secret", NULL, PD_EINVAL, "secret"},
    {"new", "10.0.0.9", NULL, NULL, "bx", PD_EINVAL, "bx"},
    {"new", "10.0.0.9", "bus", NULL, NULL, PD_EINVAL, "what it is; there are clock (other), meter (power)"},
    {"new", "10.0.0.9", "bus", NULL, "box", PD_EINVAL, "'box' is read by snmp, not by bus"},
    {"new", "10.0.0.9", "snmp", NULL, "meter", PD_EINVAL, "'meter' is read by bus, not by snmp"},
    {"prn", "10.0.0.9", NULL, NULL, NULL, PD_EEXIST, "prn"},
    {"new", "10.0.0.1", NULL, NULL, NULL, PD_EEXIST, "prn"},
};

static void a_device_that_makes_no_sense_is_refused_in_words(void **state)
{
    struct site *s = site_new();

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct device d = {.name = xstrdup_null(refused[i].name),
                           .address = xstrdup_null(refused[i].address),
                           .collector = xstrdup_null(refused[i].collector),
                           .credential = xstrdup_null(refused[i].credential),
                           .profile_wish = xstrdup_null(refused[i].profile)};
        struct change *c = change_new();
        int64_t id = 77;
        char *why = NULL;
        int rc = watch_device_add(s->watch, &d, NULL, c, &id, &why);

        if (rc != refused[i].err || !why || !strstr(why, refused[i].word) || !change_empty(c) || id != 77)
            fail_msg("row %zu: rc %d, why %s", i, rc, why ? why : "-");
        free(why);
        change_free(c);
        device_fini(&d);
    }
    site_free(s);
}

static void an_added_device_has_an_id_defaults_and_one_component(void **state)
{
    struct site *s = site_new();
    int64_t id = site_add(s, "前台", "10.0.0.1");
    const struct device *d = watch_device_named(s->watch, "前台");

    (void)state;
    assert_int_equal(id, 1);
    assert_int_equal(d->id, 1);
    assert_string_equal(d->collector, "snmp");
    assert_string_equal(d->credential, "office");
    assert_int_equal(d->added_ms, s->time.wall);
    assert_string_equal(site_last(s, "device.added")->actor, "tester");
    assert_int_equal(s->components.n, 1);
    assert_string_equal(s->components.v[0].kind, "device");
    assert_string_equal(s->components.v[0].key, "");
    assert_int_equal(s->components.v[0].number, 1);
    site_free(s);
}

/* A wish from a known device's record; device_fini() it. */
static struct device_wish wish_for(struct site *s, const char *name, const char *what)
{
    struct device_wish wish = {.what = what};

    device_copy(&wish.device, watch_device_named(s->watch, name));
    return wish;
}

static void a_device_that_moves_is_polled_where_it_is_now(void **state)
{
    struct site *s = site_new();
    int64_t id;
    struct device_wish wish;
    struct change *c = change_new();
    size_t reads;

    (void)state;
    site_box(s, "10.0.0.1");
    site_box(s, "10.0.0.2");
    id = site_add(s, "prn", "10.0.0.1");
    site_pass(s, HOUR);
    wish = wish_for(s, "prn", "address: 10.0.0.1 → 10.0.0.2");
    xstrset(&wish.device.address, "10.0.0.2");
    xstrset(&wish.device.location, "三楼");
    assert_int_equal(watch_devices_put(s->watch, &wish, 1, "li", NULL), 0);
    assert_string_equal(watch_device(s->watch, id)->address, "10.0.0.1"); /* only looked */
    assert_int_equal(watch_devices_put(s->watch, &wish, 1, "li", c), 0);
    assert_string_equal(c->events.v[0].kind, "device.changed");
    assert_string_equal(c->events.v[0].actor, "li");
    assert_string_equal(c->rows.v[0].device.location, "三楼");
    assert_string_equal(watch_device(s->watch, id)->address, "10.0.0.2");
    assert_non_null(watch_device(s->watch, id)->device_class); /* what was found out stays */
    fake_reads(fake_device(s->collector, "10.0.0.1"), &reads);
    site_pass(s, HOUR);
    assert_int_equal(fake_open_count(s->collector), 1);
    fake_reads(fake_device(s->collector, "10.0.0.2"), &reads);
    assert_true(reads > 10);
    assert_int_equal(site_add(s, "other", "10.0.0.1"), id + 1); /* its old place is free */
    change_free(c);
    device_fini(&wish.device);
    site_free(s);
}

static void devices_are_put_all_or_none(void **state)
{
    struct site *s = site_new();
    struct device_wish wishes[4] = {0};
    struct change *c = change_new();

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    wishes[0].device = (struct device){.name = xstrdup("a"), .address = xstrdup("10.0.0.2")};
    wishes[1].device = (struct device){.name = xstrdup("b"), .address = xstrdup("10.0.0.2")};
    wishes[2].device = (struct device){.name = xstrdup("c"), .address = xstrdup("10.0.0.1")};
    wishes[3].device = (struct device){.name = xstrdup("a"), .address = xstrdup("10.0.0.3")};
    assert_int_equal(watch_devices_put(s->watch, wishes, 4, "li", c), PD_EINVAL);
    assert_int_equal(wishes[0].err, 0);
    assert_string_equal(wishes[1].why, "10.0.0.2 is that of 'a' too");
    assert_string_equal(wishes[1].field, "address");
    assert_string_equal(wishes[2].why, "10.0.0.1 is polled already as 'prn'");
    assert_string_equal(wishes[3].why, "there are two devices named 'a'");
    assert_true(change_empty(c));
    assert_int_equal(fake_open_count(s->collector), 1);
    assert_null(watch_device_named(s->watch, "a"));
    assert_int_equal(watch_devices_put(s->watch, wishes, 1, "li", c), 0);
    assert_int_equal(watch_device_named(s->watch, "a")->id, 2);
    for (size_t i = 0; i < 4; i++) {
        device_fini(&wishes[i].device);
        free(wishes[i].why);
    }
    change_free(c);
    site_free(s);
}

/* Devices "a" to "d" at addresses of their own, each reached by the one of its place, or by nothing. */
static int put_family(struct site *s, const char *const parents[4], struct device_wish wishes[4])
{
    struct change *c = change_new();
    int rc;

    for (unsigned i = 0; i < 4; i++)
        wishes[i] = (struct device_wish){.device = {.name = xasprintf("%c", 'a' + (char)i),
                                                    .address = xasprintf("10.0.1.%u", i),
                                                    .parent = xstrdup_null(parents[i])}};
    rc = watch_devices_put(s->watch, wishes, 4, NULL, c);
    change_free(c);
    return rc;
}

static void family_fini(struct device_wish wishes[4])
{
    for (unsigned i = 0; i < 4; i++) {
        device_fini(&wishes[i].device);
        free(wishes[i].why);
    }
}

/* Put in one go, with the first word of each that is wrong. */
static const struct {
    const char *parents[4], *wrong[4];
} families[] = {
    {{NULL, "a", "b", "c"}, {NULL}},
    {{"b", "c", "d", NULL}, {NULL}}, /* in rows before those they name */
    {{"prn", "prn", "prn", "prn"}, {NULL}},
    {{"nobody", "a", NULL, NULL}, {"there is no device 'nobody'"}},
    {{"a", NULL, NULL, NULL}, {"a → a is a circle"}},
    {{"b", "c", "a", "a"},
     {"a → b → c → a is a circle", "b → c → a → b is a circle", "c → a → b → c is a circle", "more than 50 devices"}},
};

static void what_a_device_is_reached_by_is_there_and_makes_no_circle(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        struct site *s = site_new();
        struct device_wish wishes[4];
        bool wrong = families[i].wrong[0];
        int rc;

        site_add(s, "prn", "10.0.0.1");
        rc = put_family(s, families[i].parents, wishes);
        if ((rc < 0) != wrong)
            fail_msg("row %zu: %d", i, rc);
        for (size_t j = 0; j < 4; j++) {
            const char *want = families[i].wrong[j];

            if (!want != !wishes[j].why ||
                (want && (!strstr(wishes[j].why, want) || strcmp(wishes[j].field, "parent") != 0)))
                fail_msg("row %zu, %zu: %s", i, j, wishes[j].why ? wishes[j].why : "-");
        }
        family_fini(wishes);
        site_free(s);
    }
}

/* A circle that closes through a device that is known already. */
static void a_known_device_is_not_put_behind_those_behind_it(void **state)
{
    static const char *const parents[4] = {NULL, "a", "b", NULL};
    struct site *s = site_new();
    struct device_wish family[4], wish;

    (void)state;
    assert_int_equal(put_family(s, parents, family), 0);
    wish = wish_for(s, "a", "parent: - → c");
    xstrset(&wish.device.parent, "c");
    assert_int_equal(watch_devices_put(s->watch, &wish, 1, NULL, NULL), PD_EINVAL);
    assert_string_equal(wish.why, "a → c → b → a is a circle");
    free(wish.why);
    device_fini(&wish.device);
    family_fini(family);
    site_free(s);
}

static void who_reaches_others_is_not_removed(void **state)
{
    static const char *const parents[4] = {NULL, "a", NULL, NULL};
    struct site *s = site_new();
    struct device_wish family[4];
    struct change *c = change_new();
    char *why = NULL;

    (void)state;
    assert_int_equal(put_family(s, parents, family), 0);
    assert_int_equal(watch_device_remove(s->watch, family[0].device.id, NULL, c, &why), PD_ESTATE);
    assert_string_equal(why, "a can't be removed: b is reached by it");
    assert_true(change_empty(c));
    free(why);
    assert_int_equal(watch_device_remove(s->watch, family[1].device.id, NULL, c, &why), 0);
    assert_int_equal(watch_device_remove(s->watch, family[0].device.id, NULL, c, &why), 0);
    change_free(c);
    family_fini(family);
    site_free(s);
}

/* Units behind one address are devices of their own. */
static void units_share_an_address_but_not_a_number(void **state)
{
    struct site *s = site_new();
    struct device_wish wishes[3] = {0};
    static const uint8_t units[3] = {1, 2, 2};

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        wishes[i].device =
            (struct device){.name = xasprintf("u%u", i), .address = xstrdup("10.0.0.9"), .unit = units[i]};
    assert_int_equal(watch_devices_put(s->watch, wishes, 3, NULL, NULL), PD_EINVAL);
    assert_null(wishes[1].why);
    assert_string_equal(wishes[2].why, "10.0.0.9 is that of 'u1' too");
    for (unsigned i = 0; i < 3; i++) {
        device_fini(&wishes[i].device);
        free(wishes[i].why);
    }
    site_free(s);
}

static void a_device_with_another_unit_is_opened_anew(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    struct device_wish wish;
    struct change *c = change_new();

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    assert_int_equal(fake_target(f)->unit, 0);
    wish = wish_for(s, "prn", "unit: - → 7");
    wish.device.unit = 7;
    assert_int_equal(watch_devices_put(s->watch, &wish, 1, NULL, c), 0);
    assert_int_equal(fake_target(f)->unit, 7);
    assert_int_equal(c->rows.v[0].device.unit, 7);
    change_free(c);
    device_fini(&wish.device);
    site_free(s);
}

static void a_site_with_a_new_name_takes_its_devices_along(void **state)
{
    struct site *s = site_new();
    int64_t id = site_add(s, "prn", "10.0.0.1");
    struct device_wish wish = wish_for(s, "prn", "site");
    struct change *c = change_new(), *renamed = change_new();

    (void)state;
    xstrset(&wish.device.site, "总部");
    assert_int_equal(watch_devices_put(s->watch, &wish, 1, "li", c), 0);
    watch_site_renamed(s->watch, "other", "x", renamed);
    assert_true(change_empty(renamed));
    watch_site_renamed(s->watch, "总部", "大楼", renamed);
    assert_string_equal(watch_device(s->watch, id)->site, "大楼");
    assert_string_equal(renamed->rows.v[0].device.site, "大楼");
    change_free(c);
    change_free(renamed);
    device_fini(&wish.device);
    site_free(s);
}

static void a_removed_device_closes_its_faults_and_frees_its_name(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id = site_add(s, "prn", "10.0.0.1");
    struct change *c = change_new();
    char *why = NULL;

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, MINUTE);
    assert_int_equal(watch_device_remove(s->watch, id, "li", c, &why), 0);
    assert_int_equal(watch_device_remove(s->watch, id, "li", c, &why), PD_ENOENT);
    assert_string_equal(c->events.v[0].kind, "alert.closed");
    assert_non_null(strstr(c->events.v[0].args, "\"reason\":\"device-removed\""));
    assert_string_equal(c->events.v[1].kind, "device.removed");
    assert_string_equal(c->events.v[1].actor, "li");
    change_free(c);
    assert_null(watch_device(s->watch, id));
    assert_null(watch_device_named(s->watch, "prn"));
    assert_int_equal(fake_open_count(s->collector), 0);
    assert_string_equal(s->moves.s, "oc");
    assert_int_equal(site_add(s, "prn", "10.0.0.1"), id + 1);
    site_pass(s, HOUR);
    site_free(s);
}

static void a_device_can_be_removed_while_it_is_read(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id = site_add(s, "prn", "10.0.0.1");
    struct change *c = change_new();
    char *why = NULL;

    (void)state;
    fake_delay(f, 30 * SECOND);
    site_pass(s, SECOND);
    assert_int_equal(fake_busy(s->collector), 1);
    assert_int_equal(watch_device_remove(s->watch, id, NULL, c, &why), 0);
    change_free(c);
    site_pass(s, HOUR);
    assert_int_equal(fake_busy(s->collector), 0);
    site_free(s);
}

static void retired_devices_are_not_watched(void **state)
{
    struct site *s = site_new();
    int64_t id = site_add(s, "prn", "10.0.0.1");

    (void)state;
    s->devices.v[0].retired = true;
    site_restart(s, MINUTE);
    assert_null(watch_device(s->watch, id));
    assert_int_equal(site_add(s, "prn", "10.0.0.1"), id + 1);
    site_free(s);
}

static void count_device(void *ctx, const struct device *d)
{
    int64_t *last = ctx;

    assert_true(d->id > *last);
    *last = d->id;
}

static void devices_are_listed_in_order_and_counted(void **state)
{
    struct site *s = site_new();
    struct watch_counters n;
    int64_t last = 0;

    (void)state;
    site_box(s, "10.0.0.1");
    site_add(s, "b", "10.0.0.1");
    site_add(s, "a", "10.0.0.2");
    fake_mode(fake_device(s->collector, "10.0.0.2"), FAKE_SILENT);
    site_pass(s, 10 * MINUTE);
    watch_devices(s->watch, count_device, &last);
    assert_int_equal(last, 2);
    watch_counters(s->watch, &n);
    assert_int_equal(n.devices, 2);
    assert_int_equal(n.down, 1);
    assert_int_equal(n.open_faults, 1);
    assert_true(n.failed_polls > 0 && n.failed_polls < n.polls);
    assert_true(n.cells > 0 && n.readings > 0 && n.evaluations > 0);
    site_free(s);
}

/* ---- Where points were read ---- */

static void note_sources(void *ctx, const struct component_view *v)
{
    char *(*texts)[2] = ctx;

    if (strcmp(v->kind->name, "supply") == 0 && strcmp(v->key, "2") == 0)
        (*texts)[0] = xstrdup_null(v->sources[kind_point(v->kind, "level")->slot]);
    if (strcmp(v->kind->name, "device") == 0)
        (*texts)[1] = xstrdup_null(v->sources[kind_point(v->kind, "reachable")->slot]);
}

static void each_point_knows_its_source(void **state)
{
    struct site *s = site_new();
    char *texts[2] = {NULL, NULL};
    int64_t id;

    (void)state;
    site_box(s, "10.0.0.1");
    id = site_add(s, "prn", "10.0.0.1");
    site_pass(s, MINUTE);
    watch_device_components(s->watch, id, note_sources, &texts);
    assert_string_equal(texts[0], "supply.level.2");
    assert_null(texts[1]); /* filled by patrold itself */
    free(texts[0]);
    site_free(s);
}

/* Who wants the values alone gets the same components, without what the sources cost. */
struct tally {
    size_t components;
    bool sources;
    struct value level;
};

static void count(void *ctx, const struct component_view *v)
{
    struct tally *t = ctx;

    t->components++;
    t->sources |= v->sources != NULL;
    if (strcmp(v->kind->name, "supply") == 0 && strcmp(v->key, "2") == 0)
        t->level = v->points[kind_point(v->kind, "level")->slot];
}

static void points_are_told_without_their_sources(void **state)
{
    struct site *s = site_new();
    struct tally whole = {0}, lean = {0};
    int64_t id;

    (void)state;
    site_box(s, "10.0.0.1");
    id = site_add(s, "prn", "10.0.0.1");
    site_pass(s, MINUTE);
    assert_int_equal(watch_device_components(s->watch, id, count, &whole), 0);
    assert_int_equal(watch_device_points(s->watch, id, count, &lean), 0);
    assert_true(whole.sources);
    assert_false(lean.sources);
    assert_int_equal(lean.components, whole.components);
    assert_true(value_same(lean.level, value_num(90)));
    assert_int_equal(watch_device_points(s->watch, id + 1, count, &lean), PD_ENOENT);
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_makes_no_sense_is_refused_in_words),
        cmocka_unit_test(an_added_device_has_an_id_defaults_and_one_component),
        cmocka_unit_test(a_device_that_moves_is_polled_where_it_is_now),
        cmocka_unit_test(devices_are_put_all_or_none),
        cmocka_unit_test(what_a_device_is_reached_by_is_there_and_makes_no_circle),
        cmocka_unit_test(a_known_device_is_not_put_behind_those_behind_it),
        cmocka_unit_test(who_reaches_others_is_not_removed),
        cmocka_unit_test(units_share_an_address_but_not_a_number),
        cmocka_unit_test(a_device_with_another_unit_is_opened_anew),
        cmocka_unit_test(a_site_with_a_new_name_takes_its_devices_along),
        cmocka_unit_test(a_removed_device_closes_its_faults_and_frees_its_name),
        cmocka_unit_test(a_device_can_be_removed_while_it_is_read),
        cmocka_unit_test(retired_devices_are_not_watched),
        cmocka_unit_test(devices_are_listed_in_order_and_counted),
        cmocka_unit_test(each_point_knows_its_source),
        cmocka_unit_test(points_are_told_without_their_sources),
    };

    return cmocka_run_group_tests_name("watch/command", tests, NULL, NULL);
}
