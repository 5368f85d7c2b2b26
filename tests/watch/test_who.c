#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "tests/watch/site.h"

#define SERIAL "id.serial"
#define PAGES "box.pages"

static struct fake_device *machine(struct site *s, const char *address, const char *serial)
{
    struct fake_device *f = site_box(s, address);

    fake_text(f, SERIAL, 0, serial);
    return f;
}

static void set_address(struct site *s, int64_t id, const char *address)
{
    struct device_wish wish = {.what = "address"};
    struct change *c = change_new();

    device_copy(&wish.device, watch_device(s->watch, id));
    xstrset(&wish.device.address, address);
    assert_int_equal(watch_devices_put(s->watch, &wish, 1, NULL, c), 0);
    device_fini(&wish.device);
    site_submit(s, c);
}

static const char *last(const struct site *s, const char *kind)
{
    const struct event *e = site_last(s, kind);

    return e ? e->args : "";
}

static bool asked(const struct site *s, int64_t id)
{
    struct value v = site_point(s, id, "device", "", "swapped");

    return v.quality == QUALITY_GOOD && v.b;
}

static bool in_conflict(const struct site *s, int64_t id)
{
    struct value v = site_point(s, id, "device", "", "conflict");

    return v.quality == QUALITY_GOOD && v.b;
}

static int64_t total(const struct site *s, int64_t id)
{
    struct value v = site_point(s, id, "device", "", "total");

    assert_int_equal(v.type, VALUE_INT);
    return v.i;
}

static void who_is_met_at_another_address_has_moved(void **state)
{
    struct site *s = site_new();
    int64_t id;

    (void)state;
    machine(s, "10.0.0.1", "JPBCD4H0");
    machine(s, "10.0.0.2", "JPBCD4H0");
    id = site_add(s, "prn", "10.0.0.1");
    site_pass(s, MINUTE);
    assert_string_equal(watch_device(s->watch, id)->identity, "serial:ACME:JPBCD4H0");
    set_address(s, id, "10.0.0.2");
    site_pass(s, MINUTE);
    assert_int_equal(site_count(s, "device.moved"), 1);
    assert_non_null(strstr(last(s, "device.moved"), "\"from\":\"10.0.0.1\",\"to\":\"10.0.0.2\""));
    assert_int_equal(site_count(s, "device.swapped"), 0);
    site_pass(s, 2 * DAY);
    assert_int_equal(site_count(s, "device.moved"), 1);
    site_free(s);
}

static void another_machine_at_the_place_is_asked_about_until_it_is_answered(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = machine(s, "10.0.0.1", "JPBCD4H0");
    int64_t id = site_add(s, "prn", "10.0.0.1");
    struct change *c = change_new();
    char *why = NULL;

    (void)state;
    site_pass(s, MINUTE);
    assert_int_equal(watch_device_confirm(s->watch, id, true, "duty", c, &why), PD_ESTATE);
    free(why);
    change_free(c);
    fake_text(f, SERIAL, 0, "JPBCD777");
    site_pass(s, 2 * DAY);
    assert_int_equal(site_count(s, "device.swapped"), 1);
    assert_true(asked(s, id));
    site_restart(s, MINUTE);
    site_pass(s, 2 * DAY);
    assert_int_equal(site_count(s, "device.swapped"), 1);
    assert_true(asked(s, id));
    c = change_new();
    assert_int_equal(watch_device_confirm(s->watch, id, true, "duty", c, &why), 0);
    site_submit(s, c);
    assert_false(asked(s, id));
    assert_string_equal(watch_device(s->watch, id)->identity, "serial:ACME:JPBCD777");
    site_pass(s, 2 * DAY);
    assert_int_equal(site_count(s, "device.swapped"), 1);
    site_free(s);
}

static void who_comes_back_answers_the_question_himself(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = machine(s, "10.0.0.1", "JPBCD4H0");
    int64_t id = site_add(s, "prn", "10.0.0.1");

    (void)state;
    site_pass(s, MINUTE);
    fake_text(f, SERIAL, 0, "JPBCD777");
    site_pass(s, 2 * DAY);
    assert_true(asked(s, id));
    fake_text(f, SERIAL, 0, "JPBCD4H0");
    site_pass(s, 2 * DAY);
    assert_false(asked(s, id));
    assert_non_null(strstr(last(s, "device.confirmed"), "\"answer\":\"back\""));
    site_free(s);
}

static void a_serial_number_that_is_none_swaps_nobody(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = machine(s, "10.0.0.1", "JPBCD4H0");

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, MINUTE);
    fake_text(f, SERIAL, 0, "N/A");
    site_pass(s, 2 * DAY);
    fake_absent(f, SERIAL, 0);
    site_pass(s, 2 * DAY);
    assert_int_equal(site_count(s, "device.swapped"), 0);
    site_free(s);
}

static void two_that_answer_with_one_serial_number_are_two_and_named(void **state)
{
    struct site *s = site_new();
    struct fake_device *a = machine(s, "10.0.0.1", "JPBCD4H0"), *b = machine(s, "10.0.0.2", "JPBCD4H0");
    int64_t ida = site_add(s, "a", "10.0.0.1"), idb;

    (void)state;
    site_pass(s, MINUTE);
    idb = site_add(s, "b", "10.0.0.2");
    site_pass(s, 3 * MINUTE);
    assert_int_equal(site_count(s, "device.conflict"), 1);
    assert_non_null(strstr(last(s, "device.conflict"), "\"other\":\"a\""));
    assert_true(in_conflict(s, ida) && in_conflict(s, idb));
    /* Neither is ever taken for the other. */
    fake_mode(a, FAKE_SILENT);
    site_pass(s, 2 * DAY);
    fake_mode(a, FAKE_ANSWERS);
    site_restart(s, MINUTE);
    site_pass(s, 2 * DAY);
    assert_int_equal(site_count(s, "device.conflict"), 1);
    assert_int_equal(site_count(s, "device.moved") + site_count(s, "device.merged"), 0);
    /* One gets a number of its own. */
    fake_text(b, SERIAL, 0, "JPBCD888");
    site_pass(s, 2 * DAY);
    assert_int_equal(site_count(s, "device.swapped"), 1);
    site_free(s);
}

static void a_known_machine_that_is_added_again_elsewhere_has_moved(void **state)
{
    struct site *s = site_new();
    struct fake_device *a = machine(s, "10.0.0.1", "JPBCD4H0");
    int64_t id = site_add(s, "prn", "10.0.0.1"), again;

    (void)state;
    site_pass(s, MINUTE);
    fake_mode(a, FAKE_SILENT);
    site_pass(s, 3 * MINUTE);
    machine(s, "10.0.0.2", "JPBCD4H0");
    again = site_add(s, "prn-new", "10.0.0.2");
    site_pass(s, 5 * MINUTE);
    assert_null(watch_device(s->watch, again));
    assert_string_equal(watch_device(s->watch, id)->address, "10.0.0.2");
    assert_int_equal(site_count(s, "device.moved"), 1);
    assert_int_equal(site_count(s, "device.merged"), 1);
    assert_null(site_open(s, id, "reach"));
    site_restart(s, MINUTE);
    site_pass(s, 5 * MINUTE);
    assert_string_equal(watch_device(s->watch, id)->address, "10.0.0.2");
    assert_int_equal(site_count(s, "device.moved"), 1);
    site_free(s);
}

static void who_is_carried_elsewhere_faster_than_its_silence_is_noticed_is_in_no_conflict(void **state)
{
    struct site *s = site_new();
    struct fake_device *a = machine(s, "10.0.0.1", "JPBCD4H0");
    int64_t id = site_add(s, "prn", "10.0.0.1"), again;

    (void)state;
    site_pass(s, 5 * MINUTE);
    fake_mode(a, FAKE_SILENT);
    machine(s, "10.0.0.2", "JPBCD4H0");
    again = site_add(s, "prn-new", "10.0.0.2"); /* the record is still that of a device that answers */
    site_pass(s, 10 * MINUTE);
    assert_int_equal(site_count(s, "device.conflict"), 0);
    assert_int_equal(site_count(s, "device.moved"), 1);
    assert_null(watch_device(s->watch, again));
    assert_string_equal(watch_device(s->watch, id)->address, "10.0.0.2");
    site_free(s);
}

static void a_lost_read_makes_no_two_machines_one(void **state)
{
    struct site *s = site_new();
    struct fake_device *a = machine(s, "10.0.0.1", "JPBCD4H0");
    int64_t id = site_add(s, "a", "10.0.0.1"), other;

    (void)state;
    site_pass(s, 5 * MINUTE);
    fake_mode(a, FAKE_SILENT);
    site_pass(s, MINUTE);
    machine(s, "10.0.0.2", "JPBCD4H0");
    other = site_add(s, "b", "10.0.0.2");
    site_pass(s, 10 * SECOND);
    fake_mode(a, FAKE_ANSWERS);
    site_pass(s, 10 * MINUTE);
    assert_non_null(watch_device(s->watch, other));
    assert_int_equal(site_count(s, "device.moved"), 0);
    assert_int_equal(site_count(s, "device.conflict"), 1);
    assert_true(in_conflict(s, id) && in_conflict(s, other));
    site_free(s);
}

static void what_was_merged_by_mistake_is_split_again(void **state)
{
    struct site *s = site_new();
    struct fake_device *a = machine(s, "10.0.0.1", "JPBCD4H0"), *b = machine(s, "10.0.0.2", "JPBCD999");
    int64_t ida = site_add(s, "a", "10.0.0.1"), idb, split;
    struct change *c = change_new();
    char *why = NULL;

    (void)state;
    fake_int(a, PAGES, 0, 80000);
    fake_int(b, PAGES, 0, 3000);
    idb = site_add(s, "b", "10.0.0.2");
    site_pass(s, 3 * MINUTE);
    fake_mode(a, FAKE_SILENT);
    site_pass(s, 3 * MINUTE);
    assert_int_equal(watch_device_merge(s->watch, ida, ida, NULL, c, &why), PD_EINVAL);
    free(why);
    assert_int_equal(watch_device_merge(s->watch, ida, idb, "duty", c, &why), 0);
    site_submit(s, c);
    assert_null(watch_device(s->watch, idb));
    assert_string_equal(watch_device(s->watch, ida)->address, "10.0.0.2");
    /* It was said that they are one: nobody asks, and none of the other's pages are its own. */
    site_pass(s, 10 * MINUTE);
    fake_int(b, PAGES, 0, 3010);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(total(s, ida), 80010);
    assert_string_equal(watch_device(s->watch, ida)->identity, "serial:ACME:JPBCD999");
    site_restart(s, MINUTE);
    c = change_new();
    assert_int_equal(watch_device_split(s->watch, "c", "duty", c, &split, &why), PD_ENOENT);
    free(why);
    assert_int_equal(watch_device_split(s->watch, "b", "duty", c, &split, &why), 0);
    site_submit(s, c);
    assert_string_equal(watch_device(s->watch, ida)->address, "10.0.0.1");
    assert_string_equal(watch_device(s->watch, split)->address, "10.0.0.2");
    c = change_new();
    assert_int_equal(watch_device_split(s->watch, "b", "duty", c, &split, &why), PD_ENOENT);
    free(why);
    change_free(c);
    fake_mode(a, FAKE_ANSWERS);
    fake_int(a, PAGES, 0, 80100);
    site_pass(s, 20 * MINUTE);
    assert_int_equal(total(s, ida), 80010);
    assert_string_equal(watch_device(s->watch, ida)->identity, "serial:ACME:JPBCD4H0");
    assert_int_equal(site_count(s, "device.split"), 1);
    assert_int_equal(site_count(s, "device.swapped"), 0);
    site_free(s);
}

/* That it is another machine now is kept with the merge itself, not an hour later. */
static void a_crash_after_a_merge_counts_no_pages_of_the_other(void **state)
{
    struct site *s = site_new();
    struct fake_device *a = machine(s, "10.0.0.1", "JPBCD4H0"), *b = machine(s, "10.0.0.2", "JPBCD999");
    int64_t ida = site_add(s, "a", "10.0.0.1"), idb = site_add(s, "b", "10.0.0.2");
    struct change *c = change_new();
    char *why = NULL;

    (void)state;
    fake_int(a, PAGES, 0, 1000);
    fake_int(b, PAGES, 0, 50000);
    site_pass(s, 10 * MINUTE);
    fake_mode(a, FAKE_SILENT);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(watch_device_merge(s->watch, ida, idb, "duty", c, &why), 0);
    site_submit(s, c);
    site_restart(s, MINUTE);
    site_pass(s, 20 * MINUTE);
    assert_int_equal(total(s, ida), 1000);
    fake_int(b, PAGES, 0, 50010);
    site_pass(s, 20 * MINUTE);
    assert_int_equal(total(s, ida), 1010);
    site_free(s);
}

/* Who was reached by the one that is gone is reached by the other, and that one never by itself. */
static void a_merge_leaves_no_circle_of_parents(void **state)
{
    struct site *s = site_new();
    int64_t ida, idb, idm;
    struct change *c = change_new();
    char *why = NULL;

    (void)state;
    machine(s, "10.0.0.1", "JPBCD4H0");
    machine(s, "10.0.0.2", "JPBCD999");
    machine(s, "10.0.0.3", "JPBCD888");
    ida = site_add(s, "a", "10.0.0.1");
    idm = site_add(s, "m", "10.0.0.2");
    idb = site_add(s, "b", "10.0.0.3");
    site_say(s, idm, NULL, "a", NULL);
    site_say(s, idb, NULL, "m", NULL);
    site_pass(s, 5 * MINUTE);
    assert_int_equal(watch_device_merge(s->watch, idb, ida, "duty", c, &why), 0);
    site_submit(s, c);
    assert_string_equal(watch_device(s->watch, idm)->parent, "b");
    assert_null(watch_device(s->watch, idb)->parent);
    site_free(s);
}

/* Of the two that were in conflict one is left: that ends it, and the next one with that number meets who is left. */
static void who_is_left_of_two_that_said_the_same_is_in_no_conflict(void **state)
{
    struct site *s = site_new();
    int64_t ida, idb, idc;
    struct change *c;
    char *why = NULL;

    (void)state;
    machine(s, "10.0.0.1", "JPBCD4H0");
    machine(s, "10.0.0.2", "JPBCD4H0");
    machine(s, "10.0.0.3", "JPBCD4H0");
    ida = site_add(s, "a", "10.0.0.1");
    site_pass(s, MINUTE);
    idb = site_add(s, "b", "10.0.0.2");
    site_pass(s, 3 * MINUTE);
    assert_true(in_conflict(s, ida) && in_conflict(s, idb));
    c = change_new();
    assert_int_equal(watch_device_remove(s->watch, ida, "duty", c, &why), 0);
    site_submit(s, c);
    assert_int_equal(site_count(s, "device.conflict-over"), 1);
    assert_non_null(strstr(last(s, "device.conflict-over"), "\"name\":\"b\""));
    assert_false(in_conflict(s, idb));
    assert_null(watch_device(s->watch, idb)->twin);
    idc = site_add(s, "c", "10.0.0.3");
    site_pass(s, 3 * MINUTE);
    assert_int_equal(site_count(s, "device.conflict"), 2);
    assert_true(in_conflict(s, idb) && in_conflict(s, idc));
    c = change_new();
    assert_int_equal(watch_device_merge(s->watch, idb, idc, "duty", c, &why), 0);
    site_submit(s, c);
    assert_int_equal(site_count(s, "device.conflict-over"), 2);
    assert_false(in_conflict(s, idb));
    site_free(s);
}

/* A spare from the stock, of which there is a record, takes the place of a broken one. */
static void a_swap_that_was_confirmed_moves_no_other_record_there(void **state)
{
    struct site *s = site_new();
    struct fake_device *a, *b;
    int64_t ida, idb;
    struct change *c;
    char *why = NULL;

    (void)state;
    b = machine(s, "10.0.0.2", "JPBCD999");
    idb = site_add(s, "spare", "10.0.0.2");
    site_pass(s, MINUTE);
    a = machine(s, "10.0.0.1", "JPBCD4H0");
    ida = site_add(s, "prn", "10.0.0.1");
    site_pass(s, 10 * MINUTE);
    fake_mode(a, FAKE_SILENT);
    fake_mode(b, FAKE_SILENT);
    site_pass(s, 10 * MINUTE);
    fake_mode(a, FAKE_ANSWERS);
    fake_text(a, SERIAL, 0, "JPBCD999");
    site_pass(s, 10 * MINUTE);
    assert_true(asked(s, ida));
    c = change_new();
    assert_int_equal(watch_device_confirm(s->watch, ida, true, "duty", c, &why), 0);
    site_submit(s, c);
    site_restart(s, MINUTE);
    site_pass(s, 2 * DAY);
    assert_non_null(watch_device(s->watch, ida));
    assert_int_equal(site_count(s, "device.merged"), 0);
    assert_string_equal(watch_device(s->watch, ida)->identity, "serial:ACME:JPBCD999");
    assert_string_equal(watch_device(s->watch, idb)->address, "10.0.0.2");
    /* Whoever stands at the other place next is no conflict and no swap: nobody stood there. */
    fake_mode(b, FAKE_ANSWERS);
    fake_text(b, SERIAL, 0, "JPBCD555");
    site_pass(s, 2 * DAY);
    assert_int_equal(site_count(s, "device.swapped"), 1);
    assert_string_equal(watch_device(s->watch, idb)->identity, "serial:ACME:JPBCD555");
    site_free(s);
}

static void a_split_that_cannot_be_changes_nothing(void **state)
{
    struct site *s = site_new();
    struct fake_device *a = machine(s, "10.0.0.1", "JPBCD4H0");
    int64_t ida = site_add(s, "a", "10.0.0.1"), idb, split;
    struct change *c = change_new();
    char *why = NULL;

    (void)state;
    machine(s, "10.0.0.2", "JPBCD999");
    idb = site_add(s, "b", "10.0.0.2");
    site_pass(s, 3 * MINUTE);
    fake_mode(a, FAKE_SILENT);
    site_pass(s, 5 * MINUTE);
    assert_int_equal(watch_device_merge(s->watch, ida, idb, NULL, c, &why), 0);
    site_submit(s, c);
    /* Its name is another's by now; then the other's old place is. */
    machine(s, "10.0.0.3", "JPBCD333");
    site_add(s, "b", "10.0.0.3");
    c = change_new();
    assert_int_not_equal(watch_device_split(s->watch, "b", NULL, c, &split, &why), 0);
    assert_non_null(strstr(why, "'b'"));
    free(why);
    why = NULL;
    assert_true(change_empty(c));
    assert_string_equal(watch_device(s->watch, ida)->address, "10.0.0.2");
    assert_int_equal(watch_device_remove(s->watch, watch_device_named(s->watch, "b")->id, NULL, c, &why), 0);
    site_submit(s, c);
    site_add(s, "d", "10.0.0.1");
    c = change_new();
    assert_int_not_equal(watch_device_split(s->watch, "b", NULL, c, &split, &why), 0);
    free(why);
    assert_true(change_empty(c));
    assert_string_equal(watch_device(s->watch, ida)->address, "10.0.0.2");
    change_free(c);
    site_pass(s, 5 * MINUTE);
    site_free(s);
}

/* ---- Totals ---- */

static void totals_go_on_over_resets_swaps_and_nonsense(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = machine(s, "10.0.0.1", "JPBCD4H0");
    int64_t id = site_add(s, "prn", "10.0.0.1");

    (void)state;
    fake_int(f, PAGES, 0, 1000);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(total(s, id), 1000);
    fake_int(f, PAGES, 0, 1040);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(total(s, id), 1040);
    /* One reading of nothing is no reset. */
    fake_int(f, PAGES, 0, 0);
    site_pass(s, 5 * MINUTE);
    fake_int(f, PAGES, 0, 1050);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(total(s, id), 1050);
    assert_int_equal(site_count(s, "counter.epoch"), 1);
    /* One that stays is. */
    fake_int(f, PAGES, 0, 5);
    site_pass(s, 10 * MINUTE);
    fake_int(f, PAGES, 0, 25);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(total(s, id), 1070);
    assert_non_null(strstr(last(s, "counter.epoch"), "\"cause\":\"reset\""));
    /* Around at 2^32. */
    fake_int(f, PAGES, 0, INT64_C(4294967290));
    site_pass(s, 10 * MINUTE);
    fake_int(f, PAGES, 0, 4);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(total(s, id), 1070 + INT64_C(4294967290) - 25 + 10);
    assert_non_null(strstr(last(s, "counter.epoch"), "\"cause\":\"rollover\""));
    site_free(s);
}

/* One reading of nothing is none, wherever the counter stands: else it would have printed four thousand million pages. */
static void nonsense_near_the_end_of_32_bits_is_no_rollover(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = machine(s, "10.0.0.1", "JPBCD4H0");
    int64_t id = site_add(s, "prn", "10.0.0.1"), begin = INT64_C(4294967200);

    (void)state;
    fake_int(f, PAGES, 0, begin);
    site_pass(s, 10 * MINUTE);
    fake_int(f, PAGES, 0, 0);
    site_pass(s, 5 * MINUTE);
    fake_int(f, PAGES, 0, begin + 7);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(total(s, id), begin + 7);
    assert_int_equal(site_count(s, "counter.epoch"), 1);
    /* From further below it is a reset, and nothing of the way up counts. */
    fake_int(f, PAGES, 0, 30);
    site_pass(s, 10 * MINUTE);
    fake_int(f, PAGES, 0, INT64_C(3500000000));
    site_pass(s, 10 * MINUTE);
    begin = total(s, id);
    fake_int(f, PAGES, 0, 4);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(total(s, id), begin);
    assert_non_null(strstr(last(s, "counter.epoch"), "\"cause\":\"reset\""));
    site_free(s);
}

static void the_pages_of_a_machine_that_was_swapped_in_are_none_of_ours(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = machine(s, "10.0.0.1", "JPBCD4H0");
    int64_t id = site_add(s, "prn", "10.0.0.1");

    (void)state;
    fake_int(f, PAGES, 0, 1000);
    site_pass(s, 10 * MINUTE);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, 10 * MINUTE);
    fake_mode(f, FAKE_ANSWERS);
    fake_text(f, SERIAL, 0, "JPBCD777");
    fake_int(f, PAGES, 0, 50000);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(total(s, id), 1000);
    fake_int(f, PAGES, 0, 50007);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(total(s, id), 1007);
    /* Over a restart of patrold, whoever stands there. */
    site_restart(s, 10 * MINUTE);
    fake_int(f, PAGES, 0, 50010);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(total(s, id), 1010);
    site_free(s);
}

/* One that never tells the whole of who it is prints all the same. */
static void half_answers_do_not_stop_a_total_for_ever(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = machine(s, "10.0.0.1", "JPBCD4H0");
    int64_t id = site_add(s, "prn", "10.0.0.1");

    (void)state;
    fake_int(f, PAGES, 0, 1000);
    site_pass(s, 10 * MINUTE);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, 10 * MINUTE);
    fake_mode(f, FAKE_CUT);
    site_pass(s, 10 * MINUTE);
    fake_int(f, PAGES, 0, 1010);
    site_pass(s, 2 * HOUR);
    assert_int_equal(total(s, id), 1010);
    site_free(s);
}

/* Whatever happens, a total neither falls nor grows by more than was printed. */
static void totals_never_run_backwards(void **state)
{
    enum { SEEDS = 400, STEPS = 60 };
    const int64_t round = INT64_C(4294967296), near = round - 500;

    (void)state;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct site *s = site_new();
        struct fake_device *f = machine(s, "10.0.0.1", "JPBCD4H0");
        int64_t id = site_add(s, "prn", "10.0.0.1"), counter = seed % 2 ? 1000 : near, printed = 0, before = counter;
        int64_t first = counter;
        struct rng_seeded chance;
        struct pd_rng rng;
        char serial[32];

        rng_seed(&chance, seed);
        rng = rng_seeded_ops(&chance);
        fake_int(f, PAGES, 0, counter);
        site_pass(s, 10 * MINUTE);
        for (int i = 0; i < STEPS; i++) {
            int64_t pages = (int64_t)rng_below(&rng, 50), is;

            counter = (counter + pages) % round;
            printed += pages;
            switch (rng_below(&rng, 9)) {
            case 0: /* another machine, after a while without any */
                fake_mode(f, FAKE_SILENT);
                site_pass(s, (int64_t)rng_below(&rng, 20) * MINUTE + 3 * MINUTE);
                fake_mode(f, FAKE_ANSWERS);
                snprintf(serial, sizeof serial, "JPB%u", 100000 + (unsigned)rng_below(&rng, 899999));
                fake_text(f, SERIAL, 0, serial);
                counter = (int64_t)rng_below(&rng, 100000);
                break;
            case 1: /* a new main board; near 2^32 nobody could tell it from going round */
                counter = counter < near ? 0 : counter;
                break;
            case 2: /* nonsense, once: less than it is */
                fake_int(f, PAGES, 0, (int64_t)rng_below(&rng, counter < 10 ? (uint64_t)counter + 1 : 10));
                site_pass(s, 5 * MINUTE);
                break;
            case 3:
                fake_mode(f, FAKE_SILENT);
                site_pass(s, 7 * MINUTE);
                fake_mode(f, FAKE_ANSWERS);
                break;
            case 4:
                site_restart(s, (int64_t)rng_below(&rng, 3000) * SECOND);
                break;
            default:
                break;
            }
            fake_int(f, PAGES, 0, counter);
            site_pass(s, 15 * MINUTE);
            is = total(s, id);
            if (is < before || is > first + printed)
                fail_msg("seed %u, step %d: %lld after %lld, and %lld were printed", seed, i, (long long)is,
                         (long long)before, (long long)printed);
            before = is;
        }
        site_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_met_at_another_address_has_moved),
        cmocka_unit_test(another_machine_at_the_place_is_asked_about_until_it_is_answered),
        cmocka_unit_test(who_comes_back_answers_the_question_himself),
        cmocka_unit_test(a_serial_number_that_is_none_swaps_nobody),
        cmocka_unit_test(two_that_answer_with_one_serial_number_are_two_and_named),
        cmocka_unit_test(a_known_machine_that_is_added_again_elsewhere_has_moved),
        cmocka_unit_test(who_is_carried_elsewhere_faster_than_its_silence_is_noticed_is_in_no_conflict),
        cmocka_unit_test(a_lost_read_makes_no_two_machines_one),
        cmocka_unit_test(what_was_merged_by_mistake_is_split_again),
        cmocka_unit_test(a_split_that_cannot_be_changes_nothing),
        cmocka_unit_test(a_crash_after_a_merge_counts_no_pages_of_the_other),
        cmocka_unit_test(a_merge_leaves_no_circle_of_parents),
        cmocka_unit_test(who_is_left_of_two_that_said_the_same_is_in_no_conflict),
        cmocka_unit_test(a_swap_that_was_confirmed_moves_no_other_record_there),
        cmocka_unit_test(totals_go_on_over_resets_swaps_and_nonsense),
        cmocka_unit_test(nonsense_near_the_end_of_32_bits_is_no_rollover),
        cmocka_unit_test(the_pages_of_a_machine_that_was_swapped_in_are_none_of_ours),
        cmocka_unit_test(half_answers_do_not_stop_a_total_for_ever),
        cmocka_unit_test(totals_never_run_backwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
