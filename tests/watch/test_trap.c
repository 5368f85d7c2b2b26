#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/watch/site.h"

static const uint32_t port_changed[] = {1, 3, 6, 1, 4, 1, 1, 5}, unheard_of[] = {1, 3, 6, 1, 4, 1, 7};
static const uint32_t port_name[] = {1, 3, 6, 1, 4, 1, 2, 1, 3}, state_name[] = {1, 3, 6, 1, 4, 1, 2, 2, 3};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static size_t dones;

static void on_done(void *arg)
{
    (void)arg;
    dones++;
}

static union pd_addr at(const char *address)
{
    union pd_addr a;

    assert_int_equal(pd_addr_parse(address, 1000, &a), 0);
    return a;
}

/* Sends a trap about a port; true if it was believed. */
static bool send_trap(struct site *s, const char *from, const char *community, const struct pd_trap *like)
{
    const struct pd_trap_sink *sink = fake_traps(s->collector);
    const struct pd_cell cells[] = {
        {.type = PD_CELL_BYTES,
         .instance = port_name,
         .ninstance = COUNT(port_name),
         .bytes = (const uint8_t *)"g3",
         .nbytes = 2},
        {.type = PD_CELL_INT, .instance = state_name, .ninstance = COUNT(state_name), .i = 2},
    };
    union pd_addr sender = at(from);
    struct pd_trap t = like ? *like : (struct pd_trap){.version = 2};

    t.from = &sender;
    if (t.version != 3) {
        t.community = (const uint8_t *)community;
        t.ncommunity = strlen(community);
    }
    if (!t.oid) {
        t.oid = port_changed;
        t.noid = COUNT(port_changed);
        t.cells = cells;
        t.ncells = COUNT(cells);
    }
    return sink->trap(sink->arg, &t, on_done, NULL);
}

static size_t reads_of(const struct fake_device *d)
{
    size_t n;

    fake_reads(d, &n);
    return n;
}

static void assert_says(const struct event *e, const char *text)
{
    if (!e || !strstr(e->args, text))
        fail_msg("no %s in %s", text, e ? e->args : "-");
}

/* A box that was read a moment ago, and is due in most of a minute only. */
static struct fake_device *fresh_box(struct site *s, const char *name, const char *address)
{
    struct fake_device *box = site_box(s, address);
    size_t n;

    site_add(s, name, address);
    site_pass(s, HOUR);
    n = reads_of(box);
    for (int i = 0; reads_of(box) == n; i++) {
        assert_true(i < 120);
        site_pass(s, SECOND);
    }
    site_pass(s, 2 * SECOND);
    return box;
}

static void a_believed_trap_is_an_event_in_every_language(void **state)
{
    struct site *s = site_new();
    const struct event *e;

    (void)state;
    fresh_box(s, "prn", "10.0.0.1");
    dones = 0;
    assert_true(send_trap(s, "10.0.0.1", "geheim", NULL));
    e = site_last(s, "device.trap");
    assert_says(e, "\"trap\":\"port-changed\"");
    assert_says(e, "\"severity\":\"warning\"");
    assert_says(e, "\"text\":\"port g3 is down (?) on prn\"");
    assert_says(e, "\"text_zh_CN\":\"prn 的端口 g3：断开（?）\"");
    assert_int_equal(dones, 1);
    site_free(s);
}

static void a_trap_that_nobody_knows_is_told_as_it_came(void **state)
{
    struct site *s = site_new();
    const struct pd_cell cell = {.type = PD_CELL_BYTES,
                                 .instance = port_name,
                                 .ninstance = COUNT(port_name),
                                 .bytes = (const uint8_t *)"a\x01\"b",
                                 .nbytes = 4};
    const struct pd_trap t = {.version = 1, .oid = unheard_of, .noid = COUNT(unheard_of), .cells = &cell, .ncells = 1};

    (void)state;
    fresh_box(s, "prn", "10.0.0.1");
    assert_true(send_trap(s, "10.0.0.1", "geheim", &t));
    assert_says(site_last(s, "device.trap"), "\"trap\":\"1.3.6.1.4.1.7\"");
    assert_says(site_last(s, "device.trap"), "1.3.6.1.4.1.2.1.3 = a");
    site_free(s);
}

/* Whatever is not proved makes the device be read, and no more. */
static void only_the_believed_are_told(void **state)
{
    static const struct {
        const char *what, *from, *community, *agent;
        struct pd_trap like;
        bool believed, told, due;
    } rows[] = {
        {"its community", "10.0.0.1", "geheim", NULL, {.version = 2}, true, true, true},
        {"another community", "10.0.0.1", "public", NULL, {.version = 2}, false, false, true},
        {"a longer one", "10.0.0.1", "geheimgeheim", NULL, {.version = 2}, false, false, true},
        {"a shorter one", "10.0.0.1", "gehei", NULL, {.version = 1}, false, false, true},
        {"none", "10.0.0.1", "", NULL, {.version = 1}, false, false, true},
        {"from a stranger", "10.9.9.9", "geheim", NULL, {.version = 2}, false, false, false},
        {"by a stranger for it", "10.9.9.9", "geheim", "10.0.0.1", {.version = 1}, false, false, true},
        {"by a stranger who does not know it", "10.9.9.9", "public", "10.0.0.1", {.version = 1}, false, false, false},
        {"authentic", "10.0.0.1", NULL, NULL, {.version = 3, .authentic = true, .user = "u"}, true, true, true},
        {"not authentic", "10.0.0.1", NULL, NULL, {.version = 3}, false, false, true},
        {"an authentic stranger",
         "10.9.9.9",
         NULL,
         NULL,
         {.version = 3, .authentic = true, .user = "u"},
         true,
         false,
         false},
        {"an authentic stranger for it",
         "10.9.9.9",
         NULL,
         "10.0.0.1",
         {.version = 3, .authentic = true, .user = "u"},
         true,
         true,
         true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site *s = site_new();
        struct fake_device *box = fresh_box(s, "prn", "10.0.0.1");
        size_t before = reads_of(box);
        struct pd_trap like = rows[i].like;
        union pd_addr agent = {0};

        dones = 0;
        if (rows[i].agent) {
            agent = at(rows[i].agent);
            like.agent = &agent;
        }
        if (send_trap(s, rows[i].from, rows[i].community, &like) != rows[i].believed)
            fail_msg("%s: believed or not", rows[i].what);
        site_pass(s, 2 * SECOND);
        if ((site_count(s, "device.trap") == 1) != rows[i].told)
            fail_msg("%s: %zu events", rows[i].what, site_count(s, "device.trap"));
        if ((reads_of(box) > before) != rows[i].due)
            fail_msg("%s: %zu reads", rows[i].what, reads_of(box) - before);
        if (dones != rows[i].believed)
            fail_msg("%s: done %zu times", rows[i].what, dones);
        site_free(s);
    }
}

static void many_traps_are_few_reads(void **state)
{
    struct site *s = site_new();
    struct fake_device *box = fresh_box(s, "prn", "10.0.0.1");
    size_t before = reads_of(box);

    (void)state;
    for (int i = 0; i < 120; i++) {
        send_trap(s, "10.0.0.1", "geheim", NULL);
        site_pass(s, 100);
    }
    assert_in_range(reads_of(box) - before, 3, 4); /* in twelve seconds */
    site_free(s);
}

static void a_pretender_makes_a_device_be_read_once_in_a_while(void **state)
{
    struct site *s = site_new();
    struct fake_device *box = fresh_box(s, "prn", "10.0.0.1");
    size_t before = reads_of(box);

    (void)state;
    for (int i = 0; i < 200; i++) {
        send_trap(s, "10.0.0.1", "wrong", NULL);
        site_pass(s, 100);
    }
    assert_int_equal(reads_of(box) - before, 1);
    site_free(s);
}

static void the_parts_that_a_module_names_are_read(void **state)
{
    struct site *s = site_new();
    struct fake_device *box = fresh_box(s, "prn", "10.0.0.1");
    const struct fake_read *reads;
    size_t n;

    (void)state;
    send_trap(s, "10.0.0.1", "geheim", NULL);
    site_pass(s, 2 * SECOND);
    reads = fake_reads(box, &n);
    assert_true(reads[n - 1].parts & 1u << PART_STATUS);
    assert_true(reads[n - 1].parts & 1u << PART_COUNTERS);
    assert_false(reads[n - 1].parts & 1u << PART_SUPPLIES);
    site_free(s);
}

/* What it read before the trap may not show it. */
static void a_trap_during_a_read_is_another_read(void **state)
{
    struct site *s = site_new();
    struct fake_device *box = fresh_box(s, "prn", "10.0.0.1");
    size_t before;

    (void)state;
    fake_delay(box, 3000);
    send_trap(s, "10.0.0.1", "geheim", NULL);
    site_pass(s, SECOND);
    before = reads_of(box);
    assert_int_equal(fake_busy(s->collector), 1);
    site_pass(s, SECOND);
    send_trap(s, "10.0.0.1", "geheim", NULL);
    site_pass(s, 6 * SECOND);
    assert_int_equal(reads_of(box), before + 1);
    site_free(s);
}

static void several_at_one_address_are_all_read(void **state)
{
    struct site *s = site_new();
    struct fake_device *box = site_box(s, "10.0.0.1");
    size_t before;

    (void)state;
    site_add_unit(s, "b", "10.0.0.1", 2);
    site_add_unit(s, "a", "10.0.0.1", 1);
    site_pass(s, HOUR);
    before = reads_of(box);
    send_trap(s, "10.0.0.1", "geheim", NULL);
    site_pass(s, SECOND);
    assert_in_range(reads_of(box) - before, 2, 4);
    assert_int_equal(site_count(s, "device.trap"), 1);
    assert_says(site_last(s, "device.trap"), "\"one_of\":2");
    site_free(s);
}

static void addresses_are_known_as_long_as_somebody_stands_there(void **state)
{
    struct site *s = site_new();
    const struct pd_trap_sink *sink = fake_traps(s->collector);
    union pd_addr a = at("10.0.0.1"), b = at("10.0.0.2"), six = at("2001:db8::1");
    int64_t first = site_add(s, "a", "10.0.0.1"), second;
    struct change *c;

    (void)state;
    second = site_add_unit(s, "b", "10.0.0.1", 5);
    site_add(s, "c", "2001:db8::1");
    assert_true(sink->knows(sink->arg, &a));
    assert_false(sink->knows(sink->arg, &b));
    assert_true(sink->knows(sink->arg, &six));
    for (int i = 0; i < 2; i++) {
        c = change_new();
        assert_int_equal(watch_device_remove(s->watch, i ? second : first, "tester", c, NULL), 0);
        site_submit(s, c);
        assert_int_equal(sink->knows(sink->arg, &a), i == 0);
    }
    site_free(s);
}

static void too_many_events_are_not_told(void **state)
{
    struct site *s = site_new();
    const struct pd_trap authentic = {.version = 3, .authentic = true, .user = "u"};
    struct watch_counters counters;

    (void)state;
    fresh_box(s, "prn", "10.0.0.1");
    for (int i = 0; i < 5000; i++)
        send_trap(s, "10.0.0.1", "geheim", NULL);
    watch_counters(s->watch, &counters);
    assert_int_equal(counters.traps, 5000);
    assert_int_equal(counters.traps_told, 1000);
    assert_int_equal(counters.traps_untold, 4000);
    assert_true(send_trap(s, "10.0.0.1", NULL, &authentic));
    site_pass(s, SECOND);
    assert_true(send_trap(s, "10.0.0.1", "geheim", NULL));
    site_free(s);
}

/* A crash may keep an inform from being answered whose event is on disk: it comes again. */
static void what_was_told_before_the_start_is_done_and_no_event(void **state)
{
    struct site *s = site_new();
    const struct pd_trap told = {.version = 2, .inform = true, .id = UINT64_MAX},
                         older = {.version = 2, .inform = true, .id = 2}, fresh = {.version = 2, .inform = true};

    (void)state;
    fresh_box(s, "prn", "10.0.0.1");
    watch_load_inform(s->watch, "ffffffffffffffff", s->time.wall - 4 * MINUTE);
    watch_load_inform(s->watch, "2", s->time.wall - 6 * MINUTE);
    dones = 0;
    assert_false(send_trap(s, "10.0.0.1", "falsch", &told));
    assert_true(send_trap(s, "10.0.0.1", "geheim", &told));
    assert_int_equal(dones, 1);
    assert_int_equal(site_count(s, "device.trap"), 0);
    assert_true(send_trap(s, "10.0.0.1", "geheim", &older));
    assert_true(send_trap(s, "10.0.0.1", "geheim", &fresh));
    assert_int_equal(dones, 3);
    assert_int_equal(site_count(s, "device.trap"), 2);
    site_pass(s, 6 * MINUTE);
    assert_true(send_trap(s, "10.0.0.1", "geheim", &told));
    assert_int_equal(site_count(s, "device.trap"), 3);
    assert_says(site_last(s, "device.trap"), "\"inform\":\"ffffffffffffffff\"");
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_believed_trap_is_an_event_in_every_language),
        cmocka_unit_test(a_trap_that_nobody_knows_is_told_as_it_came),
        cmocka_unit_test(only_the_believed_are_told),
        cmocka_unit_test(many_traps_are_few_reads),
        cmocka_unit_test(a_pretender_makes_a_device_be_read_once_in_a_while),
        cmocka_unit_test(the_parts_that_a_module_names_are_read),
        cmocka_unit_test(a_trap_during_a_read_is_another_read),
        cmocka_unit_test(several_at_one_address_are_all_read),
        cmocka_unit_test(addresses_are_known_as_long_as_somebody_stands_there),
        cmocka_unit_test(too_many_events_are_not_told),
        cmocka_unit_test(what_was_told_before_the_start_is_done_and_no_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
