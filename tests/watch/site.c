#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/dict.h"
#include "base/mem.h"
#include "tests/watch/site.h"

/* ---- What watch is given ---- */

static void fault(void *ctx, struct change *c, const struct device *d, struct alert *a, enum fault_move move)
{
    static const char letters[] = {
        [FAULT_OPENED] = 'o', [FAULT_GRAVER] = 'g', [FAULT_MILDER] = 'm', [FAULT_CLOSED] = 'c', [FAULT_ACKED] = 'a'};
    struct site *s = ctx;

    assert_non_null(c);
    assert_int_equal(d->id, a->device_id);
    if (move == FAULT_OPENED)
        a->ticket_id = 1000 + a->id;
    sbuf_addc(&s->moves, letters[move]);
}

#define KEEP(list, type, row, same)                                                                                    \
    do {                                                                                                               \
        size_t i_ = 0;                                                                                                 \
        while (i_ < (list)->n && !(same))                                                                              \
            i_++;                                                                                                      \
        if (i_ == (list)->n)                                                                                           \
            array_push((list), ((struct type){0}));                                                                    \
        type##_fini(&(list)->v[i_]);                                                                                   \
        type##_copy(&(list)->v[i_], (row));                                                                            \
    } while (0)

static void keep_history(struct site *s, int64_t device_id, const void *data, size_t n)
{
    size_t i = 0;

    while (i < s->histories.n && s->histories.v[i].device_id != device_id)
        i++;
    if (i == s->histories.n)
        array_push(&s->histories, ((struct kept_history){.device_id = device_id}));
    sbuf_reset(&s->histories.v[i].data);
    sbuf_addn(&s->histories.v[i].data, data, n);
}

static void keep_row(struct site *s, const struct row *r)
{
    switch (r->kind) {
    case ROW_DEVICE:
        KEEP(&s->devices, device, &r->device, s->devices.v[i_].id == r->device.id);
        break;
    case ROW_COMPONENT:
        KEEP(&s->components, component, &r->component,
             s->components.v[i_].device_id == r->component.device_id &&
                 s->components.v[i_].number == r->component.number);
        break;
    case ROW_ALERT:
        KEEP(&s->alerts, alert, &r->alert, s->alerts.v[i_].id == r->alert.id);
        break;
    case ROW_HOLD:
        KEEP(&s->holds, hold_record, &r->hold,
             s->holds.v[i_].device_id == r->hold.device_id && strcmp(s->holds.v[i_].kind, r->hold.kind) == 0 &&
                 strcmp(s->holds.v[i_].key, r->hold.key) == 0 && strcmp(s->holds.v[i_].rule, r->hold.rule) == 0);
        break;
    case ROW_HISTORY:
        keep_history(s, r->history.device_id, r->history.data, r->history.n);
        break;
    case ROW_TICKET:
    case ROW_OUTBOX:
    case ROW_ROUND:
    case ROW_VISIT:
    case ROW_ITEM:
    case ROW_META:
    case ROW_ARCHIVE:
    case ROW_REPORT:
    case ROW_STEP:
        fail_msg("watch has no such rows");
        break;
    }
}

static void submit(void *ctx, struct change *c, bool urgent, void (*done)(void *arg), void *arg)
{
    struct site *s = ctx;

    (void)urgent;
    assert_false(change_empty(c));
    for (size_t i = 0; i < c->rows.n; i++)
        keep_row(s, &c->rows.v[i]);
    for (size_t i = 0; i < c->events.n; i++) {
        struct event e;

        event_copy(&e, &c->events.v[i]);
        array_push(&s->events, e);
    }
    s->changes++;
    change_free(c);
    if (done)
        done(arg);
}

static void forget_readings(struct site *s)
{
    for (size_t i = 0; i < s->readings.n; i++) {
        if (s->readings.v[i].value.type == VALUE_TEXT)
            free((char *)(uintptr_t)s->readings.v[i].value.text);
    }
    s->readings.n = 0;
}

/* What was told last of a point, and in which chain. */
struct last_told {
    uint32_t chain;
    struct value value;
};

/* What a reading says of the one before it in its chain is true. */
static void check_past(struct site *s, const struct poll *p, size_t i)
{
    const struct reading *r = &p->readings[i];
    uint64_t key = (uint64_t)p->device_id << 40 ^ (uint64_t)r->component << 16 ^ r->point;
    struct last_told *last = u64dict_get(s->last_told, key);
    bool known = last && last->chain == p->chain->number;

    if (p->past[i].told != PAST_NONE && !known)
        fail_msg("device %lld, component %u, point %u: nothing was told of it", (long long)p->device_id, r->component,
                 r->point);
    if (p->past[i].told == PAST_SAME && r->value.type != VALUE_TEXT)
        assert_true(value_same(last->value, r->value));
    if (p->past[i].told == PAST_GOOD)
        assert_true(last->value.type == r->value.type && last->value.quality == QUALITY_GOOD &&
                    last->value.bits == p->past[i].bits);
    if (!last) {
        last = xcalloc(1, sizeof *last);
        u64dict_put(s->last_told, key, last);
    }
    *last = (struct last_told){.chain = p->chain->number, .value = r->value};
}

/* As the store does it: a chain goes on until it is cut. */
static void check_chain(struct site *s, const struct poll *p)
{
    enum { CUT_EVERY = 23 };

    if (!p->chain)
        return;
    assert_non_null(p->past);
    if (p->chain->number == 0 || s->polls % CUT_EVERY == 0) {
        static const struct reading_past none;
        struct reading_past *past = xcalloc(p->n, sizeof *past);
        struct poll first = *p;

        p->chain->number = ++s->chains;
        for (size_t i = 0; i < p->n; i++)
            past[i] = none;
        first.past = past;
        for (size_t i = 0; i < p->n; i++)
            check_past(s, &first, i);
        free(past);
        return;
    }
    for (size_t i = 0; i < p->n; i++)
        check_past(s, p, i);
}

static void readings(void *ctx, const struct poll *p, int64_t due_ms)
{
    struct site *s = ctx;

    check_chain(s, p);

    if (p->at_ms != s->time.wall) { /* what a silence began with */
        assert_true(due_ms < 0 && p->at_ms < s->time.wall);
        s->told_late_ms = p->at_ms;
    }
    s->readings_of = p->device_id;
    forget_readings(s);
    s->polls++;
    s->nreadings += p->n;
    for (size_t i = 0; i < p->n; i++) {
        if (i > 0)
            assert_true(p->readings[i].component > p->readings[i - 1].component ||
                        (p->readings[i].component == p->readings[i - 1].component &&
                         p->readings[i].point > p->readings[i - 1].point));
        array_push(&s->readings, p->readings[i]);
        if (p->readings[i].value.type == VALUE_INT || p->readings[i].value.type == VALUE_NUM)
            array_push(&s->numbers, ((struct kept_number){p->device_id, p->at_ms, p->readings[i]}));
        if (p->readings[i].value.type == VALUE_TEXT)
            s->readings.v[i].value.text = xstrdup(p->readings[i].value.text);
    }
}

static bool backlog(void *ctx)
{
    return ((struct site *)ctx)->backlog;
}

/* ---- Life ---- */

static struct knowledge *load(struct site *s, const char *rule_off)
{
    const char *root = getenv("srcdir");
    char *dir = xasprintf("%s/tests/watch/knowledge", root ? root : ".");
    struct rule_override off = {
        .name = (char *)(uintptr_t)rule_off, .hold_ms = -1, .clear_hold_ms = -1, .severity = -1, .off = true};
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    s->settings.rules.n = 0;
    if (rule_off)
        array_push(&s->settings.rules, off);
    if (knowledge_load((const char *const[]){dir}, 1, &s->settings, &k, &report) != 0)
        fail_msg("%s", report.text.s);
    conf_report_free(&report);
    free(dir);
    return k;
}

static void start(struct site *s)
{
    static const struct pd_collector_ops *const ops[] = {&fake_ops, &fake_bus_ops, &fake_ping_ops};
    struct watch_config config = {
        .services = {.clock = clock_fake_ops(&s->time), .wheel = s->wheel},
        .settings = &s->settings,
        .knowledge = s->knowledge,
        .collectors = s->collectors,
        .collector_ops = ops,
        .ncollectors = s->pinger ? 3 : 2,
        .ops = {.fault = fault, .submit = submit, .readings = readings, .backlog = backlog, .ctx = s},
    };

    s->watch = watch_new(&config);
}

static struct site *make(bool pings)
{
    struct site *s = xcalloc(1, sizeof *s);
    struct pd_services services;

    s->last_told = u64dict_new();
    s->time = (struct clock_fake){.wall = INT64_C(1790000000000), .mono = 5000};
    s->wheel = wheel_new(s->time.mono);
    s->settings.ping = true;
    s->settings.every_ms[PART_STATUS] = MINUTE;
    s->settings.every_ms[PART_COUNTERS] = 5 * MINUTE;
    s->settings.every_ms[PART_SUPPLIES] = 10 * MINUTE;
    s->settings.every_ms[PART_INVENTORY] = DAY;
    s->settings.timeout_ms = 2000;
    s->settings.retries = 3;
    array_push(&s->settings.credentials,
               ((struct credential){.name = xstrdup("office"), .version = 2, .community = xstrdup("geheim")}));
    s->knowledge = load(s, NULL);
    services = (struct pd_services){.clock = clock_fake_ops(&s->time), .wheel = s->wheel};
    fake_ops.start(&services, NULL, &s->collectors[0]);
    s->collector = s->collectors[1] = s->collectors[0]; /* under either name */
    if (pings)
        fake_ping_ops.start(&services, NULL, &s->collectors[2]);
    s->pinger = s->collectors[2];
    start(s);
    watch_start(s->watch);
    return s;
}

struct site *site_new(void)
{
    return make(false);
}

struct site *site_new_with_pings(void)
{
    return make(true);
}

void site_free(struct site *s)
{
    uint64_t key;
    void *told;

    watch_free(s->watch);
    assert_int_equal(fake_busy(s->collector), 0);
    assert_int_equal(fake_open_count(s->collector), 0);
    fake_ops.stop(s->collector);
    if (s->pinger) {
        assert_int_equal(fake_busy(s->pinger), 0);
        assert_int_equal(fake_open_count(s->pinger), 0);
        fake_ping_ops.stop(s->pinger);
    }
    wheel_free(s->wheel);
    knowledge_free(s->knowledge);
    for (size_t i = 0; i < s->devices.n; i++)
        device_fini(&s->devices.v[i]);
    for (size_t i = 0; i < s->components.n; i++)
        component_fini(&s->components.v[i]);
    for (size_t i = 0; i < s->alerts.n; i++)
        alert_fini(&s->alerts.v[i]);
    for (size_t i = 0; i < s->holds.n; i++)
        hold_record_fini(&s->holds.v[i]);
    for (size_t i = 0; i < s->events.n; i++)
        event_fini(&s->events.v[i]);
    for (size_t i = 0; i < s->settings.credentials.n; i++) {
        free(s->settings.credentials.v[i].name);
        free(s->settings.credentials.v[i].community);
    }
    array_free(&s->settings.credentials);
    array_free(&s->settings.rules);
    array_free(&s->devices);
    array_free(&s->components);
    array_free(&s->alerts);
    array_free(&s->holds);
    array_free(&s->events);
    forget_readings(s);
    array_free(&s->readings);
    array_free(&s->numbers);
    for (size_t i = 0; i < s->histories.n; i++)
        sbuf_free(&s->histories.v[i].data);
    array_free(&s->histories);
    sbuf_free(&s->moves);
    for (size_t at = 0; u64dict_next(s->last_told, &at, &key, &told);)
        free(told);
    u64dict_free(s->last_told);
    free(s);
}

void site_pass(struct site *s, int64_t ms)
{
    int64_t until = s->time.mono + ms;

    for (;;) {
        int64_t next = wheel_next(s->wheel);

        if (next > until)
            break;
        if (next > s->time.mono)
            clock_fake_advance(&s->time, next - s->time.mono);
        wheel_advance(s->wheel, s->time.mono);
    }
    clock_fake_advance(&s->time, until - s->time.mono);
    wheel_advance(s->wheel, s->time.mono);
}

static void load_tail(struct site *s)
{
    ARRAY(struct reading) poll = {0};

    for (size_t i = 0; i < s->numbers.n; i++) {
        const struct kept_number *k = &s->numbers.v[i], *next = i + 1 < s->numbers.n ? k + 1 : NULL;

        array_push(&poll, k->reading);
        if (next && next->device_id == k->device_id && next->at_ms == k->at_ms)
            continue;
        if (k->at_ms >= s->numbers.v[s->numbers.n - 1].at_ms - 2 * (int64_t)HOUR)
            watch_load_tail(s->watch, k->device_id, k->at_ms, poll.v, poll.n);
        poll.n = 0;
    }
    array_free(&poll);
}

void site_restart(struct site *s, int64_t down_ms)
{
    watch_free(s->watch);
    s->time.wall += down_ms;
    s->time.mono += 7 * SECOND; /* means nothing after a restart */
    start(s);
    for (size_t i = 0; i < s->devices.n; i++)
        watch_load_device(s->watch, &s->devices.v[i]);
    for (size_t i = 0; i < s->components.n; i++)
        watch_load_component(s->watch, &s->components.v[i]);
    for (size_t i = 0; i < s->alerts.n; i++) {
        if (s->alerts.v[i].state != ALERT_OK)
            watch_load_alert(s->watch, &s->alerts.v[i]);
    }
    for (size_t i = 0; i < s->holds.n; i++) {
        if (s->holds.v[i].state != HOLD_OK)
            watch_load_hold(s->watch, &s->holds.v[i]);
    }
    for (size_t i = 0; i < s->histories.n; i++)
        watch_load_history(s->watch, s->histories.v[i].device_id, s->histories.v[i].data.s, s->histories.v[i].data.n);
    load_tail(s);
    if (s->readings.n)
        watch_load_poll(s->watch, s->readings_of, s->time.wall, s->readings.v, s->readings.n);
    watch_set_last_ids(s->watch, (int64_t)s->devices.n, (int64_t)s->alerts.n);
    watch_start(s->watch);
}

void site_reload(struct site *s, const char *rule_off)
{
    struct knowledge *old = s->knowledge;

    s->knowledge = load(s, rule_off);
    watch_reload(s->watch, &s->settings, s->knowledge);
    knowledge_free(old);
}

/* ---- Devices ---- */

int64_t site_add(struct site *s, const char *name, const char *address)
{
    return site_add_unit(s, name, address, 0);
}

int64_t site_add_unit(struct site *s, const char *name, const char *address, uint8_t unit)
{
    struct device d = {.name = xstrdup(name), .address = xstrdup(address), .unit = unit};
    struct change *c = change_new();
    int64_t id = 0;
    char *why = NULL;

    if (watch_device_add(s->watch, &d, "tester", c, &id, &why) != 0)
        fail_msg("%s", why);
    submit(s, c, true, NULL, NULL);
    device_fini(&d);
    return id;
}

void site_submit(struct site *s, struct change *c)
{
    submit(s, c, true, NULL, NULL);
}

void site_say(struct site *s, int64_t id, const char *labels, const char *parent, const char *status)
{
    struct device_wish wish = {.what = "said"};
    struct change *c = change_new();

    device_copy(&wish.device, watch_device(s->watch, id));
    if (labels)
        xstrset(&wish.device.labels, labels);
    if (parent)
        xstrset(&wish.device.parent, parent);
    if (status)
        xstrset(&wish.device.status, status);
    if (watch_devices_put(s->watch, &wish, 1, "tester", c) != 0)
        fail_msg("%s", wish.why);
    submit(s, c, true, NULL, NULL);
    device_fini(&wish.device);
}

struct fake_device *site_box(struct site *s, const char *address)
{
    struct fake_device *d = fake_device(s->collector, address);

    fake_text(d, "id.descr", 0, "Acme Box 100");
    fake_text(d, "id.serial", 0, "SN-1");
    fake_text(d, "box.name", 0, "前台打印机");
    fake_int(d, "box.jam", 0, 0);
    fake_int(d, "box.cover", 0, 0);
    fake_int(d, "box.pages", 0, 100);
    fake_int(d, "supply.level", 1, 80);
    fake_text(d, "supply.descr", 1, "Black");
    fake_int(d, "supply.level", 2, 90);
    fake_text(d, "supply.descr", 2, "Cyan");
    return d;
}

struct fake_device *site_switch(struct site *s, const char *address, uint32_t nports)
{
    struct fake_device *d = fake_device(s->collector, address);

    fake_text(d, "id.descr", 0, "Acme Switch 24");
    for (uint32_t i = 1; i <= nports; i++) {
        char name[32];

        snprintf(name, sizeof name, "eth%u", i);
        fake_int(d, "port.state", i, 1);
        fake_text(d, "port.name", i, name);
        fake_int(d, "port.octets", i, 1000 + i);
    }
    return d;
}

/* ---- Looking ---- */

size_t site_count(const struct site *s, const char *kind)
{
    size_t n = 0;

    for (size_t i = 0; i < s->events.n; i++)
        n += strcmp(s->events.v[i].kind, kind) == 0;
    return n;
}

const struct event *site_last(const struct site *s, const char *kind)
{
    for (size_t i = s->events.n; i-- > 0;) {
        if (strcmp(s->events.v[i].kind, kind) == 0)
            return &s->events.v[i];
    }
    return NULL;
}

const struct alert *site_open(const struct site *s, int64_t device_id, const char *family)
{
    for (size_t i = 0; i < s->alerts.n; i++) {
        const struct alert *a = &s->alerts.v[i];

        if (a->device_id == device_id && a->state != ALERT_OK && strcmp(a->family, family) == 0)
            return a;
    }
    return NULL;
}

struct search {
    const char *kind, *key;
    struct component_view *out;
    bool found;
};

static void compare(void *ctx, const struct component_view *v)
{
    struct search *search = ctx;

    if (strcmp(v->kind->name, search->kind) == 0 && strcmp(v->key, search->key) == 0) {
        *search->out = *v;
        search->out->sources = NULL; /* only lent for the call */
        search->found = true;
    }
}

bool site_component(const struct site *s, int64_t device_id, const char *kind, const char *key,
                    struct component_view *out)
{
    struct search search = {.kind = kind, .key = key, .out = out};

    watch_device_components(s->watch, device_id, compare, &search);
    return search.found;
}

struct value site_point(const struct site *s, int64_t device_id, const char *kind, const char *key, const char *point)
{
    struct component_view v;

    if (!site_component(s, device_id, kind, key, &v))
        fail_msg("device %lld has no %s '%s'", (long long)device_id, kind, key);
    return v.points[kind_point(v.kind, point)->slot];
}
