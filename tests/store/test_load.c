#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define HOSTILE "'); DROP TABLE device; -- \"\\ \n\t 墨粉 \xf0\x9f\x96\xa8 \xff\xfe"

/* What a load handed over, as copies. */
struct loaded {
    ARRAY(struct device) devices;
    ARRAY(struct component) components;
    ARRAY(struct alert) alerts;
    ARRAY(struct hold_record) holds;
    ARRAY(struct ticket) tickets;
    ARRAY(struct step_record) steps;
    struct sbuf origins, informs;
    ARRAY(struct outbox) outbox;
    struct sbuf metas, polls, archive, histories, tail;
};

#define TAKE(name, record, copy, list)                                                                                 \
    static void name(void *ctx, const struct record *r)                                                                \
    {                                                                                                                  \
        struct loaded *l = ctx;                                                                                        \
        struct record mine;                                                                                            \
                                                                                                                       \
        copy(&mine, r);                                                                                                \
        array_push(&l->list, mine);                                                                                    \
    }

TAKE(take_device, device, device_copy, devices)
TAKE(take_component, component, component_copy, components)
TAKE(take_alert, alert, alert_copy, alerts)
TAKE(take_hold, hold_record, hold_record_copy, holds)
TAKE(take_ticket, ticket, ticket_copy, tickets)
TAKE(take_outbox, outbox, outbox_copy, outbox)

static void take_meta(void *ctx, const char *name, const char *value)
{
    struct loaded *l = ctx;

    sbuf_addf(&l->metas, "%s=%s;", name, value);
}

static void take_poll(void *ctx, int64_t device_id, int64_t at_ms, const struct reading *readings, size_t n)
{
    struct loaded *l = ctx;

    sbuf_addf(&l->polls, "%d@%lld:", (int)device_id, (long long)at_ms);
    for (size_t i = 0; i < n; i++)
        if (readings[i].value.type == VALUE_TEXT)
            sbuf_addf(&l->polls, "%s,", readings[i].value.text);
        else
            sbuf_addf(&l->polls, "%lld,", (long long)readings[i].value.i);
    sbuf_addc(&l->polls, ';');
}

static void take_tail(void *ctx, int64_t device_id, int64_t at_ms, const struct reading *readings, size_t n)
{
    struct loaded *l = ctx;

    assert_int_equal(n, 3);
    sbuf_addf(&l->tail, "%d@%lld:%lld;", (int)device_id, (long long)at_ms, (long long)readings[0].value.i);
}

static void take_history(void *ctx, int64_t device_id, const void *data, size_t n)
{
    struct loaded *l = ctx;

    sbuf_addf(&l->histories, "%d:", (int)device_id);
    sbuf_addn(&l->histories, data, n);
    sbuf_addc(&l->histories, ';');
}

static void take_step(void *ctx, const struct step_record *s)
{
    struct loaded *l = ctx;

    array_push(&l->steps, *s);
}

static void take_origin(void *ctx, const char *origin, int64_t ticket_id)
{
    sbuf_addf(&((struct loaded *)ctx)->origins, "%s=%d;", origin, (int)ticket_id);
}

static void take_inform(void *ctx, const char *id, int64_t at_ms)
{
    sbuf_addf(&((struct loaded *)ctx)->informs, "%s@%d;", id, (int)at_ms);
}

static void take_entry(void *ctx, enum archive_kind kind, const struct entry *e)
{
    struct loaded *l = ctx;
    const struct archive_def *def = archive_def(kind);

    sbuf_addf(&l->archive, "%s %d%s:", def->name, (int)e->id, e->removed ? " removed" : "");
    for (size_t i = 0; i < def->nfields; i++) {
        sbuf_addc(&l->archive, i > 0 ? '|' : ' ');
        archive_field_text(&def->fields[i], e, &l->archive);
    }
    sbuf_addc(&l->archive, ';');
}

static int try_load(struct fixture *f, struct loaded *l)
{
    const struct store_loader loader = {
        .device = take_device,
        .component = take_component,
        .alert = take_alert,
        .hold = take_hold,
        .ticket = take_ticket,
        .step = take_step,
        .origin = take_origin,
        .inform = take_inform,
        .outbox = take_outbox,
        .entry = take_entry,
        .meta = take_meta,
        .poll = take_poll,
        .history = take_history,
        .tail = take_tail,
        .ctx = l,
    };

    *l = (struct loaded){0};
    return store_load(f->store, &loader);
}

#define FINI(list, fini)                                                                                               \
    do {                                                                                                               \
        for (size_t i = 0; i < (list)->n; i++)                                                                         \
            fini(&(list)->v[i]);                                                                                       \
        array_free(list);                                                                                              \
    } while (0)

static void loaded_fini(struct loaded *l)
{
    FINI(&l->devices, device_fini);
    FINI(&l->components, component_fini);
    FINI(&l->alerts, alert_fini);
    FINI(&l->holds, hold_record_fini);
    FINI(&l->tickets, ticket_fini);
    array_free(&l->steps);
    sbuf_free(&l->origins);
    sbuf_free(&l->informs);
    FINI(&l->outbox, outbox_fini);
    sbuf_free(&l->metas);
    sbuf_free(&l->polls);
    sbuf_free(&l->archive);
    sbuf_free(&l->histories);
    sbuf_free(&l->tail);
}

/* Commits a change, closes, opens and loads. */
static void commit_and_load(struct fixture *f, struct change *c, struct loaded *l)
{
    fixture_submit_change(f, 1, c, true);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(try_load(f, l), 0);
}

static const struct device plain_device = {.id = 3, .name = "lobby", .address = "192.0.2.7"};

static void the_archive_comes_back_whole(void **state)
{
    static const struct archive_customer customer = {
        .entry = {.id = 2, .name = "甲公司", .added_ms = 5, .removed = true}};
    static const struct archive_contract contract = {
        .entry = {.id = 7, .name = "HT-1"},
        .customer = "甲公司",
        .kind = "rental",
        .from_day = 20454,
        .sites = "a,b",
        .goal_ms = {{0}, {60000, 0, 90000, 1}, {0}, {0, 172800000, 0, 0}},
    };
    struct fixture *f = *state;
    struct change *c = change_new();
    struct loaded l;

    fixture_open(f);
    change_put_entry(c, ARCHIVE_CONTRACT, &contract.entry);
    change_put_entry(c, ARCHIVE_CUSTOMER, &customer.entry);
    commit_and_load(f, c, &l);
    assert_string_equal(l.archive.s, "customer 2 removed: 甲公司|||;"
                                     "contract 7: HT-1|甲公司|rental|2026-01-01||a,b||||"
                                     "respond=1m,on-site=90s,fix=1ms||dispatch=2d;");
    loaded_fini(&l);
}

static void what_the_operator_says_of_a_device_comes_back(void **state)
{
    struct fixture *f = *state;
    struct change *c = change_new();
    struct device d = plain_device;
    struct loaded l;

    d.location = "三楼东";
    d.asset = "ZC-0017";
    d.installed_day = 20454;
    d.warranty_day = 21549;
    d.unit = 255;
    d.parent = "核心交换机";
    d.status = "in-repair";
    fixture_open(f);
    change_put_device(c, &d);
    commit_and_load(f, c, &l);
    assert_string_equal(l.devices.v[0].location, "三楼东");
    assert_string_equal(l.devices.v[0].asset, "ZC-0017");
    assert_int_equal(l.devices.v[0].installed_day, 20454);
    assert_int_equal(l.devices.v[0].accepted_day, 0);
    assert_int_equal(l.devices.v[0].warranty_day, 21549);
    assert_int_equal(l.devices.v[0].unit, 255);
    assert_string_equal(l.devices.v[0].parent, "核心交换机");
    assert_string_equal(l.devices.v[0].status, "in-repair");
    fixture_expect(f, "SELECT warranty_day FROM device", "2028-12-31");
    loaded_fini(&l);
}

static void nothing(void **state)
{
    struct fixture *f = *state;
    struct loaded l;

    fixture_open(f);
    assert_int_equal(try_load(f, &l), 0);
    assert_int_equal(l.devices.n + l.components.n + l.alerts.n + l.holds.n + l.tickets.n + l.outbox.n, 0);
    assert_null(l.metas.s);
    assert_null(l.polls.s);
    loaded_fini(&l);
}

static void devices(void **state)
{
    struct fixture *f = *state;
    struct device full = {.id = INT64_MAX,
                          .name = HOSTILE,
                          .address = "fe80::1%eth0",
                          .port = 65535,
                          .collector = "snmp",
                          .credential = "c",
                          .profile_wish = "w",
                          .site = "上海",
                          .labels = "a=b,c",
                          .profile = "p",
                          .device_class = "printer",
                          .make = "M",
                          .model = "",
                          .serial = "S",
                          .firmware = "F",
                          .added_ms = 1,
                          .identified_ms = INT64_MIN,
                          .retired = true};
    struct change *c = change_new();
    struct loaded l;
    const struct device *d;

    fixture_open(f);
    change_put_device(c, &full);
    change_put_device(c, &plain_device);
    commit_and_load(f, c, &l);
    assert_int_equal(l.devices.n, 2);
    d = &l.devices.v[0];
    assert_int_equal(d->id, 3);
    assert_string_equal(d->name, "lobby");
    assert_null(d->site);
    assert_false(d->retired);
    d = &l.devices.v[1];
    assert_int_equal(d->id, INT64_MAX);
    assert_string_equal(d->name, HOSTILE);
    assert_string_equal(d->address, full.address);
    assert_int_equal(d->port, 65535);
    assert_string_equal(d->collector, "snmp");
    assert_string_equal(d->credential, "c");
    assert_string_equal(d->profile_wish, "w");
    assert_string_equal(d->site, "上海");
    assert_string_equal(d->labels, "a=b,c");
    assert_string_equal(d->profile, "p");
    assert_string_equal(d->device_class, "printer");
    assert_string_equal(d->make, "M");
    assert_string_equal(d->model, "");
    assert_string_equal(d->serial, "S");
    assert_string_equal(d->firmware, "F");
    assert_int_equal(d->added_ms, 1);
    assert_int_equal(d->identified_ms, INT64_MIN);
    assert_true(d->retired);
    loaded_fini(&l);
}

static void components_and_holds(void **state)
{
    struct fixture *f = *state;
    struct component k = {
        .device_id = 3, .number = UINT32_MAX, .kind = "supply", .key = HOSTILE, .label = "墨", .first_ms = 9};
    struct hold_record h = {
        .device_id = 3, .kind = "supply", .key = HOSTILE, .rule = "r", .state = HOLD_CLEARING, .since_ms = 77};
    struct change *c = change_new();
    struct loaded l;

    fixture_open(f);
    change_put_device(c, &plain_device);
    change_put_component(c, &k);
    change_put_hold(c, &h);
    h.rule = "another";
    h.state = HOLD_PENDING;
    change_put_hold(c, &h);
    commit_and_load(f, c, &l);
    assert_int_equal(l.components.n, 1);
    assert_int_equal(l.components.v[0].number, UINT32_MAX);
    assert_string_equal(l.components.v[0].key, HOSTILE);
    assert_string_equal(l.components.v[0].label, "墨");
    assert_int_equal(l.components.v[0].first_ms, 9);
    assert_int_equal(l.holds.n, 2);
    assert_string_equal(l.holds.v[0].rule, "another");
    assert_int_equal(l.holds.v[0].state, HOLD_PENDING);
    assert_int_equal(l.holds.v[1].state, HOLD_CLEARING);
    assert_int_equal(l.holds.v[1].since_ms, 77);
    loaded_fini(&l);

    c = change_new();
    h.state = HOLD_OK; /* forget it */
    change_put_hold(c, &h);
    commit_and_load(f, c, &l);
    assert_int_equal(l.holds.n, 1);
    assert_string_equal(l.holds.v[0].rule, "r");
    loaded_fini(&l);
}

static void open_alerts(void **state)
{
    struct fixture *f = *state;
    struct alert a = {.family = "jam",
                      .device_id = 3,
                      .kind = "device",
                      .key = "",
                      .label = "L",
                      .rule = "jam",
                      .suppressed = true,
                      .opened_ms = 5,
                      .acked_ms = 6,
                      .acked_by = HOSTILE,
                      .ticket_id = 8,
                      .message_args = "{\"a\":1}"};
    struct change *c = change_new();
    struct loaded l;

    fixture_open(f);
    change_put_device(c, &plain_device);
    for (enum alert_state s = ALERT_OK; s <= ALERT_CLEARING; s++) {
        a.id = s + 1;
        a.state = s;
        a.severity = (enum severity)(s % 4);
        change_put_alert(c, &a);
    }
    commit_and_load(f, c, &l);
    assert_int_equal(l.alerts.n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(l.alerts.v[i].id, i + 2);
        assert_int_equal(l.alerts.v[i].state, i + 1);
        assert_int_equal(l.alerts.v[i].severity, (i + 1) % 4);
        assert_string_equal(l.alerts.v[i].acked_by, HOSTILE);
        assert_string_equal(l.alerts.v[i].message_args, "{\"a\":1}");
        assert_true(l.alerts.v[i].suppressed);
        assert_int_equal(l.alerts.v[i].ticket_id, 8);
    }
    loaded_fini(&l);
}

static void open_tickets(void **state)
{
    struct fixture *f = *state;
    struct change *c = change_new();
    struct loaded l;
    size_t n = 0;

    fixture_open(f);
    for (int s = 0; s < TICKET_STATE_COUNT; s++) {
        char number[20];
        struct ticket t = {.id = s + 1, .number = number, .state = (enum ticket_state)s, .note = HOSTILE};

        snprintf(number, sizeof number, "T-%d", s);
        t.kind = (enum ticket_kind)(s % TICKET_KIND_COUNT);
        change_put_ticket(c, &t);
    }
    commit_and_load(f, c, &l);
    for (int s = 0; s < TICKET_STATE_COUNT; s++) {
        if (!ticket_state_open((enum ticket_state)s))
            continue;
        assert_true(n < l.tickets.n);
        assert_int_equal(l.tickets.v[n].id, s + 1);
        assert_int_equal(l.tickets.v[n].state, s);
        assert_int_equal(l.tickets.v[n].kind, s % TICKET_KIND_COUNT);
        assert_string_equal(l.tickets.v[n].note, HOSTILE);
        n++;
    }
    assert_int_equal(n, l.tickets.n);
    loaded_fini(&l);
}

/* What open tickets went through, and what every ticket came from. */
static void steps_and_origins(void **state)
{
    static const struct step_record steps[] = {
        {1, 1, 1000, TICKET_NEW, false},       {2, 1, 1000, TICKET_NEW, false},    {2, 2, 3000, TICKET_ACCEPTED, true},
        {2, 3, 2000, TICKET_DISPATCHED, true}, {1, 2, 4000, TICKET_CLOSED, false},
    };
    struct fixture *f = *state;
    struct change *c = change_new();
    struct ticket ended = {.id = 1, .number = "T-1", .state = TICKET_CLOSED, .origin = "plan monthly 3"};
    struct ticket open = {.id = 2,
                          .number = "T-2",
                          .state = TICKET_DISPATCHED,
                          .title = HOSTILE,
                          .origin = "round 7 visit 2 item 5",
                          .site = "总部",
                          .told = "fix=warned"};
    struct loaded l;

    fixture_open(f);
    change_put_ticket(c, &ended);
    change_put_ticket(c, &open);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        change_put_step(c, &steps[i]);
    commit_and_load(f, c, &l);
    assert_int_equal(l.tickets.n, 1);
    assert_string_equal(l.tickets.v[0].title, HOSTILE);
    assert_string_equal(l.tickets.v[0].site, "总部");
    assert_string_equal(l.tickets.v[0].told, "fix=warned");
    assert_int_equal(l.steps.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(l.steps.v[i].ticket_id, 2);
        assert_int_equal(l.steps.v[i].n, i + 1);
        assert_int_equal(l.steps.v[i].at_ms, steps[i + 1].at_ms);
        assert_int_equal(l.steps.v[i].state, steps[i + 1].state);
        assert_int_equal(l.steps.v[i].loaner, steps[i + 1].loaner);
    }
    assert_string_equal(l.origins.s, "plan monthly 3=1;round 7 visit 2 item 5=2;");
    loaded_fini(&l);
}

static void pending_outbox(void **state)
{
    struct fixture *f = *state;
    struct outbox o = {.channel = "mail",
                       .sender = "巡检 <p@example.org>",
                       .recipient = "a@example.org",
                       .subject = "缺纸",
                       .body = HOSTILE,
                       .attempts = -1};
    struct change *c = change_new();
    struct loaded l;

    fixture_open(f);
    for (enum outbox_state s = OUTBOX_PENDING; s <= OUTBOX_HELD; s++) {
        char id[20];

        snprintf(id, sizeof id, "<%d>", (int)s);
        o.id = s + 1;
        o.message_id = id;
        o.state = s;
        change_put_outbox(c, &o);
    }
    commit_and_load(f, c, &l);
    assert_int_equal(l.outbox.n, 1);
    assert_int_equal(l.outbox.v[0].id, 1);
    assert_string_equal(l.outbox.v[0].message_id, "<0>");
    assert_string_equal(l.outbox.v[0].sender, "巡检 <p@example.org>");
    assert_string_equal(l.outbox.v[0].subject, "缺纸");
    assert_string_equal(l.outbox.v[0].body, HOSTILE);
    assert_int_equal(l.outbox.v[0].attempts, -1);
    loaded_fini(&l);
}

static void metas_but_not_the_stores_own(void **state)
{
    struct fixture *f = *state;
    struct change *c = change_new();
    struct loaded l;

    fixture_open(f);
    change_put_meta(c, "b", "2");
    change_put_meta(c, "a", "1");
    commit_and_load(f, c, &l);
    assert_string_equal(l.metas.s, "a=1;b=2;");
    loaded_fini(&l);
    c = change_new();
    change_put_meta(c, "a", NULL);
    change_put_meta(c, "b", "3");
    commit_and_load(f, c, &l);
    assert_string_equal(l.metas.s, "b=3;");
    loaded_fini(&l);
}

static void a_row_is_replaced_by_its_key(void **state)
{
    struct fixture *f = *state;
    struct device d = plain_device;
    struct component k = {.device_id = 3, .number = 1, .kind = "tray", .key = "1"};
    struct change *c = change_new();
    struct loaded l;

    fixture_open(f);
    change_put_device(c, &d);
    change_put_component(c, &k);
    fixture_submit_change(f, 1, c, true);
    c = change_new();
    d.name = "hall"; /* a device that others refer to */
    change_put_device(c, &d);
    commit_and_load(f, c, &l);
    assert_int_equal(l.devices.n, 1);
    assert_string_equal(l.devices.v[0].name, "hall");
    assert_int_equal(l.components.n, 1);
    loaded_fini(&l);
}

/* ---- Newest polls ---- */

static void put_device(struct fixture *f, int64_t id, bool retired)
{
    char name[20];
    struct device d = {.id = id, .name = name, .address = "a", .added_ms = f->clock.wall, .retired = retired};
    struct change *c = change_new();

    snprintf(name, sizeof name, "d%d", (int)id);
    change_put_device(c, &d);
    fixture_submit_change(f, (int)id, c, false);
}

static void put_poll(struct fixture *f, int64_t device, int64_t at_ms, int64_t value)
{
    const struct reading r[] = {
        {.component = 0, .point = 0, .value = value_int(value)},
        {.component = 0, .point = 1, .value = value_text("打印")},
        {.component = 0, .point = 2, .value = value_text("ready")},
    };

    fixture_put_poll(f, device, at_ms, r, 3);
}

static void newest_poll_of_each_device(void **state)
{
    struct fixture *f = *state;
    const int64_t t = f->clock.wall, hour = 3600000;
    struct loaded l;
    char want[200];

    fixture_open(f);
    put_device(f, 1, false);
    put_device(f, 2, false); /* never polled */
    put_device(f, 3, false);
    put_device(f, 4, true); /* nobody asks for it */
    put_poll(f, 3, t + 5, 30);
    put_poll(f, 1, t + 1, 11);
    put_poll(f, 1, t + 48 * hour, 13); /* far apart, and the clock set back */
    put_poll(f, 1, t + 47 * hour, 12);
    put_poll(f, 4, t + 9, 40);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(try_load(f, &l), 0);
    snprintf(want, sizeof want, "1@%lld:12,打印,ready,;3@%lld:30,打印,ready,;", (long long)(t + 47 * hour),
             (long long)(t + 5));
    assert_string_equal(l.polls.s, want);
    loaded_fini(&l);
}

static void what_is_remembered_for_judging_is_that_put_last(void **state)
{
    struct fixture *f = *state;
    struct change *c;
    struct loaded l;

    fixture_open(f);
    put_device(f, 1, false);
    put_device(f, 2, false);
    c = change_new();
    change_put_history(c, 2, "b", 1);
    change_put_history(c, 1, "first", 5);
    change_put_history(c, 1, "later", 5); /* of one change too */
    fixture_submit_change(f, 3, c, false);
    c = change_new();
    change_put_history(c, 2, "", 0);
    commit_and_load(f, c, &l);
    assert_string_equal(l.histories.s, "1:later;2:;");
    loaded_fini(&l);
}

static void the_polls_of_the_last_hours_in_order_of_time(void **state)
{
    struct fixture *f = *state;
    const int64_t minute = 60000, t = f->clock.wall / (10 * minute) * (10 * minute);
    struct loaded l;
    char want[300];

    fixture_open(f);
    put_device(f, 1, false);
    put_device(f, 2, false);
    put_poll(f, 1, t, 1);
    put_poll(f, 1, t + 379 * minute, 2);
    put_poll(f, 1, t + 380 * minute, 3); /* two hours before the newest */
    put_poll(f, 1, t + 495 * minute, 4);
    put_poll(f, 1, t + 490 * minute, 7); /* late: between others */
    put_poll(f, 2, t + 499 * minute, 6);
    put_poll(f, 1, t + 500 * minute, 5);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(try_load(f, &l), 0);
    snprintf(want, sizeof want, "1@%lld:3;1@%lld:4;1@%lld:5;2@%lld:6;", (long long)(t + 380 * minute),
             (long long)(t + 495 * minute), (long long)(t + 500 * minute), (long long)(t + 499 * minute));
    assert_string_equal(l.tail.s, want);
    loaded_fini(&l);
}

static void same_instant_twice_is_the_later_one(void **state)
{
    struct fixture *f = *state;
    struct loaded l;

    fixture_open(f);
    put_device(f, 1, false);
    put_poll(f, 1, f->clock.wall, 1);
    put_poll(f, 1, f->clock.wall, 2);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(try_load(f, &l), 0);
    assert_non_null(strstr(l.polls.s, ":2,"));
    loaded_fini(&l);
}

static void times_before_1970(void **state)
{
    struct fixture *f = *state;
    struct loaded l;

    fixture_open(f);
    f->clock.wall = -600001;
    put_device(f, 1, false);
    put_poll(f, 1, -1, 1);
    put_poll(f, 1, -600001, 2);
    fixture_close(f);
    fixture_open(f);
    fixture_expect(f, "SELECT group_concat(at_ms) FROM poll", "-1,-600001");
    assert_int_equal(try_load(f, &l), 0);
    assert_string_equal(l.polls.s, "1@-600001:2,打印,ready,;");
    loaded_fini(&l);
}

static void a_poll_that_is_damaged_is_left_out(void **state)
{
    struct fixture *f = *state;
    struct loaded l;

    fixture_open(f);
    put_device(f, 1, false);
    put_device(f, 2, false);
    put_poll(f, 1, f->clock.wall, 1);
    put_poll(f, 2, f->clock.wall, 2);
    fixture_close(f);
    fixture_alter(f, "UPDATE poll SET data = zeroblob(9) WHERE key & 268435455 = 1");
    fixture_open(f);
    assert_int_equal(try_load(f, &l), 0);
    assert_non_null(l.polls.s);
    assert_int_equal(strncmp(l.polls.s, "2@", 2), 0);
    loaded_fini(&l);
}

static void informs_of_the_last_minutes(void **state)
{
    static const struct {
        int64_t at_ms;
        const char *kind, *id;
    } events[] = {
        {1000000, "device.trap", "1"}, {1100001, "device.trap", "2a"}, {1200000, "device.trap", NULL},
        {1300000, "device.down", "3"}, {1400000, "device.trap", "4f"}, {1400000, "device.down", NULL},
    };
    struct fixture *f = *state;
    struct change *c = change_new();
    struct loaded l;

    fixture_open(f);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct event *e = change_event(c, events[i].at_ms, events[i].kind);

        if (events[i].id)
            event_arg(e, "inform", events[i].id);
    }
    commit_and_load(f, c, &l);
    assert_string_equal(l.informs.s, "2a@1100001;4f@1400000;");
    loaded_fini(&l);
}

static void a_state_that_nobody_knows_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct ticket t = {.id = 1, .number = "T-1"};
    struct change *c = change_new();
    struct loaded l;

    fixture_open(f);
    change_put_ticket(c, &t);
    fixture_submit_change(f, 1, c, true);
    fixture_close(f);
    fixture_alter(f, "UPDATE ticket SET state = 'lost'");
    fixture_open(f);
    assert_int_equal(try_load(f, &l), PD_ECORRUPT);
    loaded_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ON_BOTH(nothing),
        TEST_ON_BOTH(the_archive_comes_back_whole),
        TEST_ON_BOTH(what_the_operator_says_of_a_device_comes_back),
        TEST_ON_BOTH(devices),
        TEST_ON_BOTH(components_and_holds),
        TEST_ON_BOTH(open_alerts),
        TEST_ON_BOTH(open_tickets),
        TEST_ON_BOTH(steps_and_origins),
        TEST_ON_BOTH(informs_of_the_last_minutes),
        TEST_ON_BOTH(pending_outbox),
        TEST_ON_BOTH(metas_but_not_the_stores_own),
        TEST_ON_BOTH(a_row_is_replaced_by_its_key),
        TEST_ON_BOTH(newest_poll_of_each_device),
        TEST_ON_BOTH(what_is_remembered_for_judging_is_that_put_last),
        TEST_ON_BOTH(the_polls_of_the_last_hours_in_order_of_time),
        TEST_IN_MEMORY(same_instant_twice_is_the_later_one),
        TEST_IN_MEMORY(times_before_1970),
        TEST_ON_BOTH(a_poll_that_is_damaged_is_left_out),
        TEST_ON_BOTH(a_state_that_nobody_knows_is_an_error),
    };

    return cmocka_run_group_tests_name("store/load", tests, NULL, NULL);
}
