#include "tests/daemon/office.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/mem.h"

enum { STEP_MS = 10, PATIENCE_MS = 20000 };

static int64_t now_mono(void *ctx)
{
    return ((struct office *)ctx)->time.mono;
}

static int64_t one_ms(void *ctx)
{
    (void)ctx;
    return 1;
}

static int64_t writing_ms(void *ctx)
{
    return ((struct office *)ctx)->writing_ms;
}

/* ---- The printer ---- */

/* hrPrinterDetectedErrorState: jammed is bit 5 of the first octet; 0x20 is low toner, for an octet that is not NUL. */
static void show(struct office *o)
{
    struct fake_device *d = fake_device(o->collector, "10.0.3.9");

    fake_text(d, "1.3.6.1.2.1.1.1.0", 0, "A scripted printer");
    fake_text(d, "1.3.6.1.2.1.1.6.0", 0, "3 楼东侧");
    fake_int(d, "1.3.6.1.2.1.43.5.1.1.1.1", 0, 1);
    fake_text(d, "1.3.6.1.2.1.43.5.1.1.16.1", 0, "Model 7");
    fake_text(d, "1.3.6.1.2.1.43.5.1.1.17.1", 0, "SN0012345");
    fake_int(d, "1.3.6.1.2.1.25.3.5.1.1", 1, 3);
    fake_text(d, "1.3.6.1.2.1.25.3.5.1.2", 1, o->jam ? "\x24" : "\x20");
}

static int start_collector(const struct pd_services *services, const void *config, struct pd_collector **out)
{
    struct office *o = (struct office *)(uintptr_t)config;
    int rc = fake_ops.start(services, NULL, out);

    o->collector = *out;
    show(o);
    return rc;
}

void office_set_jam(struct office *o, bool jam)
{
    o->jam = jam;
    show(o);
}

/* ---- The post office ---- */

static int start_post(const void *config, struct pd_channel **out)
{
    *out = (struct pd_channel *)(uintptr_t)config;
    return 0;
}

static void stop_post(struct pd_channel *c)
{
    (void)c;
}

static void take_mail(struct pd_channel *c, const struct pd_message *m, struct pd_send_result *out)
{
    struct post *post = (struct post *)c;
    struct mail mail = {xstrdup(m->id),      xstrdup_null(m->from), xstrdup(m->to),
                        xstrdup(m->subject), xstrdup(m->body),      NULL};
    struct sbuf files = {0};

    for (size_t i = 0; i < m->nparts; i++)
        sbuf_addf(&files, "%s %s\n", m->parts[i].name, m->parts[i].path);
    if (m->nparts > 0)
        mail.files = sbuf_take(&files);

    array_push(&post->mails, mail);
    *out = (struct pd_send_result){.status = post->answer, .detail = "as the test says"};
}

static const struct pd_channel_ops post_ops = {
    .name = "mail", .start = start_post, .stop = stop_post, .send = take_mail};

/* ---- A core's life ---- */

static void add_recipient(struct settings *s, const char *address, enum lang lang, enum severity min)
{
    array_push(&s->recipients, ((struct recipient){.address = xstrdup(address), .lang = lang, .min_severity = min}));
}

/* Plans are read as patrold reads them. */
static void take_plans(struct settings *s, const char *plans)
{
    char path[] = "/tmp/patrold-office-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");
    struct conf_report report = {0};
    struct settings *read = NULL;

    assert_non_null(f);
    fprintf(f, "plans:\n%s", plans);
    fclose(f);
    if (settings_load(path, &read, &report) != 0)
        fail_msg("%s", report.text.s);
    for (size_t i = 0; i < read->plans.n; i++) {
        struct plan *p = &read->plans.v[i];

        p->where = p->rule_where = p->calendar_where = p->checklist_where = (struct where){0};
        array_push(&s->plans, *p);
        *p = (struct plan){0};
    }
    settings_free(read);
    conf_report_free(&report);
    unlink(path);
}

static struct settings *make_settings(const struct office *o, enum severity min)
{
    struct settings *s = xcalloc(1, sizeof *s);

    s->site = xstrdup("总部");
    s->time_zone = xstrdup("Asia/Shanghai");
    s->ticket_prefix = xstrdup("PK");
    s->mail.from = xstrdup("巡检 <patrold@example.com>");
    for (int i = 0; i < PART_COUNT; i++)
        s->every_ms[i] = MINUTE_MS;
    s->timeout_ms = 2000;
    s->report.at_minute = 8 * 60;
    add_recipient(s, "service@example.com", LANG_ZH_CN, min);
    add_recipient(s, "boss@example.com", LANG_EN, min);
    array_push(&s->credentials,
               ((struct credential){.name = xstrdup("public"), .version = 2, .community = xstrdup("public")}));
    if (o->plans)
        take_plans(s, o->plans);
    return s;
}

static struct knowledge *load_knowledge(const struct settings *s)
{
    const char *root = getenv("srcdir");
    char *dir = xasprintf("%s/conf", root ? root : "..");
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    if (knowledge_load((const char *const[]){dir}, 1, s, &k, &report) != 0)
        fail_msg("%s", report.text.s);
    conf_report_free(&report);
    free(dir);
    return k;
}

static void committed(void *ctx, const struct event *events, size_t n)
{
    struct office *o = ctx;

    for (size_t i = 0; i < n; i++) {
        struct event e;

        event_copy(&e, &events[i]);
        array_push(&o->events, e);
    }
}

void office_start(struct office *o)
{
    struct settings *settings = make_settings(o, SEVERITY_WARNING);
    const struct core_config config = {
        .services = {.clock = clock_fake_ops(&o->time), .rng = rng_seeded_ops(&o->random), .wheel = o->wheel},
        .settings = settings,
        .knowledge = load_knowledge(settings),
        .database = "patrold.db",
        .vfs = memvfs_name(o->disk),
        .store_writer = o->writer,
        .store_reader = o->reader,
        .channel_worker = o->sender,
        .flush_ms = 100,
        .collector_ops = o->collectors,
        .collector_configs = o->collector_configs,
        .ncollectors = 1,
        .channel_ops = o->channels,
        .channel_configs = o->channel_configs,
        .nchannels = 1,
        .renderer = o->renderer,
        .committed = committed,
        .ctx = o,
    };
    char *why = NULL;

    for (int i = 0; o->every_ms > 0 && i < PART_COUNT; i++)
        settings->every_ms[i] = o->every_ms;
    if (core_start(&config, &o->core, &why) != 0)
        fail_msg("%s", why);
}

void office_stop(struct office *o)
{
    core_stop(o->core);
    o->core = NULL;
}

static void start_workers(struct office *o)
{
    o->wheel = wheel_new(o->time.mono);
    o->writer = worker_start_inline(o->wheel, now_mono, writing_ms, o);
    o->reader = worker_start_inline(o->wheel, now_mono, one_ms, o);
    o->sender = worker_start_inline(o->wheel, now_mono, one_ms, o);
}

static void stop_workers(struct office *o)
{
    worker_stop(o->writer, NULL);
    worker_stop(o->reader, NULL);
    worker_stop(o->sender, notify_drop_job);
    wheel_free(o->wheel);
}

void office_kill(struct office *o)
{
    memvfs_cut_power(o->disk);
    office_stop(o);
    stop_workers(o);
    memvfs_revive(o->disk);
    start_workers(o);
}

void office_power_cycle(struct office *o, uint64_t seed)
{
    memvfs_cut_power(o->disk);
    office_stop(o);
    stop_workers(o);
    memvfs_power_cycle(o->disk, seed);
    start_workers(o);
}

struct office *office_new(void)
{
    struct office *o = xcalloc(1, sizeof *o);

    o->time = (struct clock_fake){.wall = INT64_C(1790756100000), .mono = 5000}; /* 2026-09-30 16:15 in Shanghai */
    o->writing_ms = 1;
    rng_seed(&o->random, 7);
    o->disk = memvfs_new("office", clock_fake_ops(&o->time), rng_seeded_ops(&o->random));
    o->collector_ops = fake_ops;
    o->collector_ops.start = start_collector;
    o->collectors[0] = &o->collector_ops;
    o->collector_configs[0] = o;
    o->channels[0] = &post_ops;
    o->channel_configs[0] = &o->post;
    start_workers(o);
    office_start(o);
    return o;
}

void office_free(struct office *o)
{
    office_stop(o);
    stop_workers(o);
    memvfs_free(o->disk);
    for (size_t i = 0; i < o->events.n; i++)
        event_fini(&o->events.v[i]);
    array_free(&o->events);
    for (size_t i = 0; i < o->post.mails.n; i++) {
        free(o->post.mails.v[i].id);
        free(o->post.mails.v[i].from);
        free(o->post.mails.v[i].to);
        free(o->post.mails.v[i].subject);
        free(o->post.mails.v[i].body);
        free(o->post.mails.v[i].files);
    }
    array_free(&o->post.mails);
    free(o);
}

void office_pass(struct office *o, int64_t ms)
{
    for (int64_t passed = 0; passed < ms; passed += STEP_MS) {
        clock_fake_advance(&o->time, STEP_MS);
        wheel_advance(o->wheel, o->time.mono);
    }
}

void office_pass_until(struct office *o, int64_t wall_ms)
{
    while (o->time.wall < wall_ms) {
        int64_t next = wheel_next(o->wheel), left = wall_ms - o->time.wall;
        int64_t step = next == INT64_MAX || next - o->time.mono > left ? left : next - o->time.mono;

        clock_fake_advance(&o->time, step > 0 ? step : 1);
        wheel_advance(o->wheel, o->time.mono);
    }
}

void office_until(struct office *o, const char *local)
{
    enum { EAST_MS = 8 * HOUR_MS };
    int hour, minute;
    char date[11];
    int64_t day;

    snprintf(date, sizeof date, "%.10s", local);
    assert_int_equal(date_parse(date, &day), 0);
    assert_int_equal(sscanf(local + 11, "%d:%d", &hour, &minute), 2);
    office_pass_until(o, day * DATE_DAY_MS + hour * (int64_t)HOUR_MS + minute * (int64_t)MINUTE_MS - EAST_MS);
}

void office_reload(struct office *o, enum severity min_severity)
{
    struct settings *settings = make_settings(o, min_severity);

    core_reload(o->core, settings, load_knowledge(settings));
}

void office_lose_calendar(struct office *o, const char *name)
{
    struct settings *settings = make_settings(o, SEVERITY_WARNING);
    struct knowledge *k = load_knowledge(settings);

    for (size_t i = 0; i < k->calendars.n; i++)
        if (strcmp(k->calendars.v[i]->name, name) == 0)
            xstrset(&k->calendars.v[i]->name, "another");
    core_reload(o->core, settings, k);
}

/* ---- Commands and queries ---- */

struct answer {
    bool done;
    int err;
    char *text;
};

static void take_answer(void *arg, int err, const char *json_or_why)
{
    struct answer *a = arg;

    assert_false(a->done);
    *a = (struct answer){.done = true, .err = err, .text = xstrdup(json_or_why)};
}

int office_command(struct office *o, const char *name, const char *args, char **text)
{
    struct answer a = {0};

    core_command(o->core, name, args, "li", take_answer, &a);
    for (int64_t waited = 0; !a.done && waited < PATIENCE_MS; waited += STEP_MS)
        office_pass(o, STEP_MS);
    if (!a.done)
        fail_msg("%s %s: no answer", name, args);
    if (text)
        *text = a.text;
    else
        free(a.text);
    return a.err;
}

static void take_page(void *arg, const struct query_page *page)
{
    json_t **rows = arg;

    if (page->err != 0)
        fail_msg("%s", page->why);
    *rows = json_loads(page->rows, 0, NULL);
}

json_t *office_query(struct office *o, const char *name, const char *filters)
{
    json_t *rows = NULL;

    store_query(core_store(o->core), &(struct query_args){.name = name, .filters = filters}, take_page, &rows);
    for (int64_t waited = 0; !rows && waited < PATIENCE_MS; waited += STEP_MS)
        office_pass(o, STEP_MS);
    assert_non_null(rows);
    return rows;
}

size_t office_count(const struct office *o, const char *kind)
{
    size_t n = 0;

    for (size_t i = 0; i < o->events.n; i++)
        n += strcmp(o->events.v[i].kind, kind) == 0;
    return n;
}

void office_add_printer(struct office *o)
{
    char *text = NULL;

    if (office_command(o, "device.add", "{\"name\":\"3F-影印\",\"address\":\"10.0.3.9\"}", &text) != 0)
        fail_msg("%s", text);
    free(text);
    office_pass(o, 2 * MINUTE_MS);
}
