#include "tests/patrol/beat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

/* ---- What the patrol asks for ---- */

static void each_device(void *ctx, void (*fn)(void *arg, const struct device *d), void *arg)
{
    const struct beat *b = ctx;

    for (size_t i = 0; i < b->devices.n; i++)
        if (!b->devices.v[i]->removed)
            fn(arg, &b->devices.v[i]->d);
}

static struct beat_device *find(const struct beat *b, int64_t id)
{
    for (size_t i = 0; i < b->devices.n; i++)
        if (b->devices.v[i]->d.id == id && !b->devices.v[i]->removed)
            return b->devices.v[i];
    return NULL;
}

static const struct device *device(void *ctx, int64_t id)
{
    const struct beat_device *d = find(ctx, id);

    return d ? &d->d : NULL;
}

/* ---- Components: the device itself, two supplies ---- */

static struct value *unknown_points(const struct kind *k)
{
    struct value *points = xcalloc(k->points.n, sizeof *points);

    for (size_t i = 0; i < k->points.n; i++)
        points[i] = VALUE_UNKNOWN;
    return points;
}

static void give_supply(const struct beat *b, struct beat_device *d, int n, const char *name, double level,
                        void (*fn)(void *arg, const struct patrol_component *k), void *arg)
{
    const struct kind *k = vocabulary_kind(&b->knowledge->vocabulary, "supply");

    free(d->supply[n]);
    d->supply[n] = unknown_points(k);
    d->supply[n][kind_point(k, "class")->slot] = value_enum(3);
    if (level >= 0)
        d->supply[n][kind_point(k, "level")->slot] = value_num(level);
    fn(arg, &(struct patrol_component){.kind = k, .key = name, .label = name, .points = d->supply[n]});
}

static void components(void *ctx, int64_t id, void (*fn)(void *arg, const struct patrol_component *k), void *arg)
{
    const struct beat *b = ctx;
    const struct kind *k = vocabulary_kind(&b->knowledge->vocabulary, DEVICE_KIND);
    struct beat_device *d = find(b, id);

    free(d->self);
    d->self = unknown_points(k);
    d->self[kind_point(k, POINT_REACHABLE)->slot] = value_bool(d->reachable);
    fn(arg, &(struct patrol_component){.kind = k, .key = "", .label = d->d.name, .points = d->self});
    if (strcmp(d->d.device_class, "printer") != 0)
        return;
    give_supply(b, d, 0, "toner", d->toner, fn, arg);
    give_supply(b, d, 1, "drum", d->drum, fn, arg);
}

static int64_t answered_ms(void *ctx, int64_t id)
{
    (void)id;
    return ((struct beat *)ctx)->time.wall;
}

static const char *customer(void *ctx, const char *site)
{
    (void)ctx;
    return strcmp(site, "nobody's") == 0 ? NULL : "Acme";
}

static const char *zone(void *ctx, const char *site)
{
    (void)ctx;
    return strcmp(site, "Berlin") == 0 ? "Europe/Berlin" : "Asia/Shanghai";
}

/* ---- The desk ---- */

static int open_ticket(void *ctx, struct change *c, const struct patrol_wish *w, const char *actor, int64_t *id)
{
    struct beat *b = ctx;
    struct ticket t = {
        .number = (char *)w->origin, .device_id = w->device_id, .kind = w->kind, .severity = w->severity};

    (void)actor;
    for (size_t i = 0; i < b->tickets.n; i++)
        if (strcmp(b->tickets.v[i].number, w->origin) == 0) {
            *id = b->tickets.v[i].id;
            return 0;
        }
    t.id = *id = ++b->last_ticket;
    t.label = (char *)w->label;
    t.note = (char *)w->note;
    t.title = (char *)w->title;
    change_put_ticket(c, &t);
    return 0;
}

static int64_t find_ticket(void *ctx, int64_t device_id, const struct check_item *item, const struct visit_item *found)
{
    (void)device_id;
    (void)item;
    return found->kind ? ((struct beat *)ctx)->fault_ticket : 0;
}

static void tell(void *ctx, struct change *c, const struct patrol_letter *l)
{
    struct beat *b = ctx;

    (void)c;
    array_push(&b->letters, ((struct beat_letter){.round = l->round->id,
                                                  .news = l->news,
                                                  .times = l->times,
                                                  .visits = l->visits,
                                                  .visits_done = l->visits_done,
                                                  .at_ms = b->time.wall}));
}

/* ---- The store ---- */

#define PUT(list, record, copy, fini)                                                                                  \
    do {                                                                                                               \
        size_t at = 0;                                                                                                 \
        while (at < (list)->n && (list)->v[at].id != (record)->id)                                                     \
            at++;                                                                                                      \
        if (at == (list)->n) {                                                                                         \
            array_reserve(list, at + 1);                                                                               \
            (list)->n++;                                                                                               \
        } else {                                                                                                       \
            fini(&(list)->v[at]);                                                                                      \
        }                                                                                                              \
        copy(&(list)->v[at], record);                                                                                  \
    } while (0)

static void keep_row(struct beat *b, const struct row *r)
{
    switch (r->kind) {
    case ROW_ROUND:
        PUT(&b->rounds, &r->round, round_copy, round_fini);
        break;
    case ROW_VISIT:
        PUT(&b->visits, &r->visit, visit_copy, visit_fini);
        break;
    case ROW_ITEM:
        PUT(&b->items, &r->item, visit_item_copy, visit_item_fini);
        break;
    case ROW_TICKET:
        PUT(&b->tickets, &r->ticket, ticket_copy, ticket_fini);
        break;
    case ROW_META:
        free(dict_put(b->metas, r->meta.name, xstrdup(r->meta.value)));
        break;
    default:
        fail_msg("a row of kind %d", (int)r->kind);
    }
}

static void submit(void *ctx, struct change *c)
{
    struct beat *b = ctx;

    for (size_t i = 0; i < c->rows.n && !b->lost; i++)
        keep_row(b, &c->rows.v[i]);
    for (size_t i = 0; i < c->events.n && !b->lost; i++) {
        struct event e;

        event_copy(&e, &c->events.v[i]);
        array_push(&b->events, e);
    }
    change_free(c);
}

/* ---- Its life ---- */

static char *conf_dir(void)
{
    const char *root = getenv("srcdir");

    return xasprintf("%s/conf", root ? root : "..");
}

static void load(struct beat *b, const char *plans)
{
    char path[] = "/tmp/test_patrol.XXXXXX", *dir = conf_dir();
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    struct conf_report report = {0};

    assert_non_null(f);
    fprintf(f, "site: Main office\ntime_zone: Asia/Shanghai\nknowledge: [%s]\nplans:\n%s", dir, plans);
    fclose(f);
    if (settings_load(path, &b->settings, &report) < 0 ||
        knowledge_load((const char *const[]){dir}, 1, b->settings, &b->knowledge, &report) < 0 ||
        patrol_check_plans(b->settings, b->knowledge, &report) < 0)
        fail_msg("%s", report.text.s);
    conf_report_free(&report);
    unlink(path);
    free(dir);
}

static void begin(struct beat *b)
{
    const struct patrol_config config = {
        .services = {.clock = clock_fake_ops(&b->time), .wheel = b->wheel},
        .settings = b->settings,
        .knowledge = b->knowledge,
        .ops = {.devices = each_device,
                .device = device,
                .components = components,
                .answered_ms = answered_ms,
                .customer = customer,
                .zone = zone,
                .ticket = open_ticket,
                .open_ticket = find_ticket,
                .tell = tell,
                .submit = submit,
                .ctx = b},
    };
    int64_t rounds = 0;
    const char *name;
    void *value;

    b->patrol = patrol_new(&config);
    for (size_t i = 0; i < b->rounds.n; i++) {
        if (b->rounds.v[i].state != ROUND_REPORTED && b->rounds.v[i].state != ROUND_CANCELLED)
            patrol_load_round(b->patrol, &b->rounds.v[i]);
        rounds = b->rounds.v[i].id > rounds ? b->rounds.v[i].id : rounds;
    }
    for (size_t i = 0; i < b->visits.n; i++)
        patrol_load_visit(b->patrol, &b->visits.v[i]);
    for (size_t i = 0; i < b->items.n; i++)
        patrol_load_item(b->patrol, &b->items.v[i]);
    for (size_t at = 0; dict_next(b->metas, &at, &name, &value);)
        patrol_load_meta(b->patrol, name, value);
    patrol_set_last_ids(b->patrol, rounds, (int64_t)b->visits.n, (int64_t)b->items.n);
    patrol_start(b->patrol);
}

struct beat *beat_new(const char *plans)
{
    struct beat *b = xcalloc(1, sizeof *b);

    b->time = (struct clock_fake){.wall = INT64_C(1788192000000), .mono = 1000}; /* 2026-09-01 00:00 in Shanghai */
    b->wheel = wheel_new(b->time.mono);
    b->metas = dict_new();
    load(b, plans);
    begin(b);
    return b;
}

static void unload(struct beat *b)
{
    settings_free(b->settings);
    knowledge_free(b->knowledge);
}

static void free_device(struct beat_device *d)
{
    device_fini(&d->d);
    free(d->self);
    free(d->supply[0]);
    free(d->supply[1]);
    free(d);
}

#define FINI_ALL(list, fini)                                                                                           \
    do {                                                                                                               \
        for (size_t i = 0; i < (list)->n; i++)                                                                         \
            fini(&(list)->v[i]);                                                                                       \
        array_free(list);                                                                                              \
    } while (0)

void beat_free(struct beat *b)
{
    const char *name;
    void *value;

    patrol_free(b->patrol);
    unload(b);
    for (size_t i = 0; i < b->devices.n; i++)
        free_device(b->devices.v[i]);
    array_free(&b->devices);
    FINI_ALL(&b->rounds, round_fini);
    FINI_ALL(&b->visits, visit_fini);
    FINI_ALL(&b->items, visit_item_fini);
    FINI_ALL(&b->tickets, ticket_fini);
    FINI_ALL(&b->events, event_fini);
    array_free(&b->letters);
    for (size_t at = 0; dict_next(b->metas, &at, &name, &value);)
        free(value);
    dict_free(b->metas);
    wheel_free(b->wheel);
    free(b);
}

struct beat_device *beat_add(struct beat *b, const char *device_class, const char *site)
{
    struct beat_device *d = xcalloc(1, sizeof *d);

    d->d.id = (int64_t)b->devices.n + 1;
    d->d.name = xasprintf("d%zu", b->devices.n + 1);
    d->d.device_class = xstrdup(device_class);
    d->d.site = xstrdup_null(site);
    d->reachable = true;
    d->toner = d->drum = 80;
    array_push(&b->devices, d);
    return d;
}

void beat_pass(struct beat *b, int64_t ms)
{
    int64_t end = b->time.mono + ms, next;

    while (b->time.mono < end) {
        next = wheel_next(b->wheel);
        next = next > end ? end : next;
        clock_fake_advance(&b->time, next > b->time.mono ? next - b->time.mono : 0);
        wheel_advance(b->wheel, b->time.mono);
    }
}

const char *beat_local(int64_t at_ms, char out[static 20])
{
    struct zone *z;

    assert_int_equal(zone_open("Asia/Shanghai", &z), 0);
    zone_format(z, at_ms, out);
    out[16] = '\0';
    zone_free(z);
    return out;
}

void beat_until(struct beat *b, const char *local)
{
    char day[11];
    int hour, minute;
    int64_t number;

    snprintf(day, sizeof day, "%.10s", local);
    assert_int_equal(date_parse(day, &number), 0);
    assert_int_equal(sscanf(local + 11, "%d:%d", &hour, &minute), 2);
    beat_pass(b, number * DATE_DAY_MS + (hour - 8) * (int64_t)HOUR + minute * 60000 - b->time.wall);
}

void beat_restart(struct beat *b, int64_t down_ms)
{
    patrol_free(b->patrol);
    wheel_free(b->wheel);
    clock_fake_advance(&b->time, down_ms);
    b->lost = false;
    b->wheel = wheel_new(b->time.mono);
    begin(b);
}

void beat_reload(struct beat *b, const char *plans)
{
    struct settings *settings = b->settings;
    struct knowledge *knowledge = b->knowledge;

    load(b, plans);
    patrol_reload(b->patrol, b->settings, b->knowledge);
    settings_free(settings);
    knowledge_free(knowledge);
}

/* ---- Commands ---- */

static int end_command(struct beat *b, int rc, struct change *c, char *said, char **why)
{
    if (rc == 0)
        submit(b, c);
    else
        change_free(c);
    if (why)
        *why = said;
    else
        free(said);
    return rc;
}

int beat_fill(struct beat *b, int64_t round, const char *device_name, const char *pairs, bool all_ok, char **why)
{
    struct patrol_finding findings[8];
    struct patrol_filling f = {.device = device_name, .findings = findings, .all_ok = all_ok, .note = "as seen"};
    char *copy = xstrdup(pairs), *at = copy, *pair, *said = NULL;
    struct change *c = change_new();
    int rc;

    while (*copy && (pair = strsep(&at, " "))) {
        char *equals = strchr(pair, '=');

        *equals = '\0';
        findings[f.n++] = (struct patrol_finding){pair, equals + 1};
    }
    rc = patrol_fill(b->patrol, round, &f, "li", c, &said);
    free(copy);
    return end_command(b, rc, c, said, why);
}

int beat_sign(struct beat *b, int64_t round, char **why)
{
    struct change *c = change_new();
    char *said = NULL;
    int rc = patrol_sign(b->patrol, round, "王芳", NULL, "li", c, &said);

    return end_command(b, rc, c, said, why);
}

int beat_cancel(struct beat *b, int64_t round)
{
    struct change *c = change_new();
    char *said = NULL;
    int rc = patrol_cancel(b->patrol, round, "moved out", "li", c, &said);

    return end_command(b, rc, c, said, NULL);
}

/* ---- What came of it ---- */

size_t beat_count(const struct beat *b, const char *event)
{
    size_t n = 0;

    for (size_t i = 0; i < b->events.n; i++)
        n += strcmp(b->events.v[i].kind, event) == 0;
    return n;
}

size_t beat_letters(const struct beat *b, enum patrol_news news)
{
    size_t n = 0;

    for (size_t i = 0; i < b->letters.n; i++)
        n += b->letters.v[i].news == news;
    return n;
}

const struct round *beat_round(const struct beat *b, int64_t id)
{
    for (size_t i = 0; i < b->rounds.n; i++)
        if (b->rounds.v[i].id == id)
            return &b->rounds.v[i];
    fail_msg("there is no round %lld", (long long)id);
    return NULL;
}

const struct visit_item *beat_item(const struct beat *b, int64_t round, const char *device_name, const char *code)
{
    for (size_t v = 0; v < b->visits.n; v++)
        for (size_t i = 0; i < b->items.n; i++)
            if (b->visits.v[v].round_id == round && strcmp(b->visits.v[v].device, device_name) == 0 &&
                b->items.v[i].visit_id == b->visits.v[v].id && strcmp(b->items.v[i].code, code) == 0)
                return &b->items.v[i];
    fail_msg("round %lld has no item %s of %s", (long long)round, code, device_name);
    return NULL;
}
