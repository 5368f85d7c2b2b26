#include "tests/daemon/office.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

#define OCTOBER_1 INT64_C(1790784000000) /* 2026-10-01 00:00 in Shanghai */
enum { DAY_MS = 24 * HOUR_MS };

/* ---- A renderer that keeps documents and makes files of no content ---- */

struct press {
    struct office *office;
    struct timer timer;
    int64_t takes_ms;
    int fail; /* so many times */
    bool busy;
    ARRAY(char *) documents;
    ARRAY(char *) files;
    char *base;
    void (*done)(void *arg, int err, const char *why);
    void *arg;
};

static void press_ready(void *ctx)
{
    static const char *const ends[] = {".pdf", ".html", ".html.chart-1.png", ".txt"};
    struct press *p = ctx;

    p->busy = false;
    if (p->fail > 0) {
        p->fail--;
        p->done(p->arg, PD_EIO, "the press is out of ink");
        return;
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        array_push(&p->files, xasprintf("%s%s", p->base, ends[i]));
    p->done(p->arg, 0, NULL);
}

static int press_start(void *ctx, const struct render_wish *w, void (*done)(void *arg, int err, const char *why),
                       void *arg)
{
    struct press *p = ctx;

    assert_false(p->busy);
    p->busy = true;
    p->done = done;
    p->arg = arg;
    xstrset(&p->base, w->base);
    array_push(&p->documents, xstrndup(w->document, w->n));
    timer_init(&p->timer, press_ready, p);
    wheel_set(p->office->wheel, &p->timer, p->office->time.mono + p->takes_ms);
    return 0;
}

static void press_cancel(void *ctx)
{
    struct press *p = ctx;

    p->busy = false;
    wheel_unset(p->office->wheel, &p->timer);
}

static void press_list(void *ctx, const char *folder, void (*fn)(void *arg, const char *name), void *arg)
{
    struct press *p = ctx;
    ARRAY(char *) names = {0};

    assert_string_equal(folder, "reports");
    for (size_t i = 0; i < p->files.n; i++)
        array_push(&names, xstrdup(p->files.v[i]));
    for (size_t i = 0; i < names.n; i++) {
        fn(arg, names.v[i]);
        free(names.v[i]);
    }
    array_free(&names);
}

static void press_drop(void *ctx, const char *folder, const char *name)
{
    struct press *p = ctx;

    (void)folder;
    for (size_t i = 0; i < p->files.n; i++) {
        if (strcmp(p->files.v[i], name) == 0) {
            free(p->files.v[i]);
            array_remove(&p->files, i);
            return;
        }
    }
    fail_msg("%s is dropped and was never there", name);
}

struct bureau {
    struct office *o;
    struct press press;
    struct renderer renderer;
};

static int begin(void **state)
{
    struct bureau *b = xcalloc(1, sizeof *b);

    b->o = office_new();
    b->press.office = b->o;
    b->press.takes_ms = 3000;
    b->renderer = (struct renderer){press_start, press_cancel, press_list, press_drop, &b->press};
    office_stop(b->o);
    b->o->renderer = &b->renderer;
    b->o->every_ms = 10 * MINUTE_MS;
    office_start(b->o);
    *state = b;
    return 0;
}

static int end(void **state)
{
    struct bureau *b = *state;

    office_free(b->o);
    for (size_t i = 0; i < b->press.documents.n; i++)
        free(b->press.documents.v[i]);
    for (size_t i = 0; i < b->press.files.n; i++)
        free(b->press.files.v[i]);
    array_free(&b->press.documents);
    array_free(&b->press.files);
    free(b->press.base);
    free(b);
    return 0;
}

/* ---- What is asked of it ---- */

static void command(struct office *o, const char *name, const char *args)
{
    char *text = NULL;

    if (office_command(o, name, args, &text) != 0)
        fail_msg("%s %s: %s", name, args, text);
    free(text);
}

/* A customer with a site, which is the configuration's, and two readers. */
static void add_customer(struct office *o)
{
    command(o, "customer.add", "{\"name\":\"远景科技\"}");
    command(o, "site.add", "{\"name\":\"总部\",\"customer\":\"远景科技\",\"address\":\"世纪大道 1 号\"}");
    command(o, "contact.add",
            "{\"name\":\"王芳\",\"customer\":\"远景科技\",\"mail\":\"wang@example.com\",\"language\":\"zh_CN\","
            "\"gets\":\"report\"}");
    command(
        o, "contact.add",
        "{\"name\":\"Ann\",\"site\":\"总部\",\"mail\":\"ann@example.com\",\"language\":\"en\",\"gets\":\"report\"}");
    command(
        o, "contact.add",
        "{\"name\":\"Bob\",\"site\":\"总部\",\"mail\":\"bob@example.com\",\"language\":\"en\",\"gets\":\"tickets\"}");
}

static void expect_accepted(const char *document)
{
    int fd = memfd_create("document", 0), status = 0;
    size_t n = strlen(document);
    pid_t pid;

    assert_int_equal(write(fd, document, n), n);
    lseek(fd, 0, SEEK_SET);
    pid = fork();
    if (pid == 0) {
        dup2(fd, STDIN_FILENO);
        execl("./patrol-report", "patrol-report", (char *)NULL);
        _exit(127);
    }
    close(fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("patrol-report does not take it: %s", document);
}

static size_t report_mails(const struct office *o)
{
    size_t n = 0;

    for (size_t i = 0; i < o->post.mails.n; i++)
        n += o->post.mails.v[i].files != NULL;
    return n;
}

static const struct mail *report_mail(const struct office *o, const char *to)
{
    for (size_t i = 0; i < o->post.mails.n; i++)
        if (o->post.mails.v[i].files && strcmp(o->post.mails.v[i].to, to) == 0)
            return &o->post.mails.v[i];
    fail_msg("no report for %s", to);
    return NULL;
}

/* The report of a month as the query tells it; json_decref() the rows. */
static json_t *report_rows(struct office *o, const char *month)
{
    char *filters = xasprintf("{\"month\":\"%s\"}", month);
    json_t *rows = office_query(o, "reports", filters);

    free(filters);
    return rows;
}

static void expect_state(struct office *o, const char *month, const char *state)
{
    json_t *rows = report_rows(o, month);

    assert_int_equal(json_array_size(rows), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "state")), state);
    json_decref(rows);
}

/* ---- When it is made ---- */

static void september_is_reported_on_the_eighth_of_october_and_once(void **state)
{
    struct bureau *b = *state;

    add_customer(b->o);
    office_add_printer(b->o);
    office_pass_until(b->o, OCTOBER_1 + 7 * (int64_t)DAY_MS + 8 * HOUR_MS - SECOND_MS);
    assert_int_equal(b->press.documents.n, 0);
    office_pass_until(b->o, OCTOBER_1 + 7 * (int64_t)DAY_MS + 8 * HOUR_MS + 2 * MINUTE_MS);
    assert_int_equal(b->press.documents.n, 2);
    expect_accepted(b->press.documents.v[0]);
    expect_accepted(b->press.documents.v[1]);
    assert_int_equal(report_mails(b->o), 2);
    expect_state(b->o, "2026-09", "mailed");
    office_pass_until(b->o, OCTOBER_1 + 12 * (int64_t)DAY_MS);
    assert_int_equal(report_mails(b->o), 2);
    assert_int_equal(office_count(b->o, "report.mailed"), 1);
}

static void readers_get_it_in_their_language_with_the_pdf_under_its_name(void **state)
{
    struct bureau *b = *state;
    const struct mail *zh, *en;

    add_customer(b->o);
    office_add_printer(b->o);
    office_pass_until(b->o, OCTOBER_1 + 8 * (int64_t)DAY_MS);
    zh = report_mail(b->o, "wang@example.com");
    en = report_mail(b->o, "ann@example.com");
    assert_string_equal(zh->subject, "2026 年 9 月月度巡检报告：总部");
    assert_non_null(strstr(en->subject, "Monthly inspection report 2026-09: 总部"));
    assert_non_null(strstr(zh->files, "总部2026 年 9 月巡检报告.pdf reports/2026-09-1-1-zh_CN.pdf\n"));
    assert_non_null(strstr(zh->files, "chart-1 reports/2026-09-1-1-zh_CN.html.chart-1.png\n"));
    assert_non_null(strstr(en->files, "reports/2026-09-1-1-en.pdf\n"));
}

static void what_fell_due_while_nothing_ran_is_made_up_for(void **state)
{
    struct bureau *b = *state;

    add_customer(b->o);
    office_add_printer(b->o);
    office_stop(b->o);
    b->o->time.wall += 20 * (int64_t)DAY_MS;
    office_start(b->o);
    office_pass(b->o, MINUTE_MS);
    assert_int_equal(report_mails(b->o), 2);
    expect_state(b->o, "2026-09", "mailed");
    office_stop(b->o);
    office_start(b->o);
    office_pass(b->o, MINUTE_MS);
    assert_int_equal(report_mails(b->o), 2);
}

static void an_installation_of_no_customers_has_one_report(void **state)
{
    struct bureau *b = *state;
    json_t *rows;

    office_add_printer(b->o);
    office_pass_until(b->o, OCTOBER_1 + 8 * (int64_t)DAY_MS);
    rows = report_rows(b->o, "2026-09");
    assert_int_equal(json_array_size(rows), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "site")), "总部");
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "state")), "made");
    expect_accepted(b->press.documents.v[0]);
    json_decref(rows);
}

/* ---- What goes wrong ---- */

static void a_press_that_fails_is_tried_again_and_told_of_after_the_third_time(void **state)
{
    struct bureau *b = *state;
    size_t told = 0;

    add_customer(b->o);
    office_add_printer(b->o);
    b->press.fail = 3;
    office_pass_until(b->o, OCTOBER_1 + 7 * (int64_t)DAY_MS + 8 * HOUR_MS + 30 * SECOND_MS);
    expect_state(b->o, "2026-09", "failed");
    assert_int_equal(b->press.files.n, 0);
    office_pass(b->o, 8 * MINUTE_MS);
    assert_int_equal(office_count(b->o, "report.failed"), 3);
    for (size_t i = 0; i < b->o->post.mails.n; i++)
        told += strstr(b->o->post.mails.v[i].body, "the press is out of ink") != NULL;
    assert_int_equal(told, 2); /* both recipients of the configuration */
    office_pass(b->o, 16 * MINUTE_MS);
    expect_state(b->o, "2026-09", "mailed");
    assert_int_equal(report_mails(b->o), 2);
}

static void a_crash_while_it_is_rendered_leaves_one_report_and_no_orphans(void **state)
{
    struct bureau *b = *state;

    add_customer(b->o);
    office_add_printer(b->o);
    /* The first language is rendered, the second under way. */
    office_pass_until(b->o, OCTOBER_1 + 7 * (int64_t)DAY_MS + 8 * HOUR_MS + 5 * SECOND_MS);
    assert_int_equal(b->press.documents.n, 2);
    assert_int_equal(b->press.files.n, 4);
    office_kill(b->o);
    b->press.files.v[0] = (free(b->press.files.v[0]), xstrdup("2026-09-9-1-en.pdf")); /* of nobody's */
    office_start(b->o);
    office_pass(b->o, MINUTE_MS);
    expect_state(b->o, "2026-09", "mailed");
    assert_int_equal(report_mails(b->o), 2);
    for (size_t i = 0; i < b->press.files.n; i++)
        assert_int_equal(strncmp(b->press.files.v[i], "2026-09-1-1-", 12), 0);
}

static void a_reload_while_it_is_rendered_leaves_no_files_of_what_was_broken_off(void **state)
{
    struct bureau *b = *state;

    add_customer(b->o);
    office_add_printer(b->o);
    office_pass_until(b->o, OCTOBER_1 + 7 * (int64_t)DAY_MS + 8 * HOUR_MS + 5 * SECOND_MS);
    assert_int_equal(b->press.files.n, 4);
    array_push(&b->press.files, xstrdup("2026-09-1-1-zh_CN.html.chart-9.png")); /* of the language under way */
    office_reload(b->o, SEVERITY_WARNING);
    office_pass(b->o, MINUTE_MS);
    expect_state(b->o, "2026-09", "mailed");
    assert_int_equal(b->press.files.n, 8);
    assert_null(strstr(report_mail(b->o, "wang@example.com")->files, "chart-9"));
}

static void a_crash_while_it_is_mailed_repeats_the_same_message(void **state)
{
    struct bureau *b = *state;
    size_t tries;

    add_customer(b->o);
    office_add_printer(b->o);
    b->o->post.answer = PD_SEND_LATER;
    office_pass_until(b->o, OCTOBER_1 + 7 * (int64_t)DAY_MS + 8 * HOUR_MS + 15 * SECOND_MS);
    expect_state(b->o, "2026-09", "made");
    tries = report_mails(b->o);
    assert_true(tries >= 2);
    office_kill(b->o);
    b->o->post.answer = PD_SEND_DONE;
    office_start(b->o);
    office_pass(b->o, 2 * MINUTE_MS);
    expect_state(b->o, "2026-09", "mailed");
    for (size_t i = 0; i < b->o->post.mails.n; i++) {
        const struct mail *m = &b->o->post.mails.v[i];

        if (m->files)
            assert_string_equal(m->id, report_mail(b->o, m->to)->id);
    }
    assert_int_equal(b->press.documents.n, 2); /* it was not made anew */
}

static void a_report_whose_mail_is_refused_has_failed_until_it_is_sent(void **state)
{
    struct bureau *b = *state;

    add_customer(b->o);
    office_add_printer(b->o);
    b->o->post.answer = PD_SEND_NEVER;
    office_pass_until(b->o, OCTOBER_1 + 8 * (int64_t)DAY_MS);
    expect_state(b->o, "2026-09", "failed");
    assert_int_equal(b->press.documents.n, 2);
    b->o->post.answer = PD_SEND_DONE;
    for (size_t i = 0; i < 2; i++) {
        json_t *rows = office_query(b->o, "outbox", "{\"state\":\"failed\"}");
        char *args;

        args = xasprintf("{\"message\":%lld}", json_integer_value(json_object_get(json_array_get(rows, 0), "id")));
        command(b->o, "outbox.retry", args);
        office_pass(b->o, SECOND_MS);
        free(args);
        json_decref(rows);
    }
    expect_state(b->o, "2026-09", "mailed");
}

/* The crash comes after the message is committed as sent and before its report hears of it. */
static void a_report_that_failed_and_was_sent_before_a_crash_is_mailed(void **state)
{
    struct bureau *b = *state;
    json_t *rows;

    add_customer(b->o);
    office_add_printer(b->o);
    b->o->post.answer = PD_SEND_NEVER;
    office_pass_until(b->o, OCTOBER_1 + 8 * (int64_t)DAY_MS);
    expect_state(b->o, "2026-09", "failed");
    b->o->post.answer = PD_SEND_DONE;
    rows = office_query(b->o, "outbox", "{\"state\":\"failed\"}");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_int_t id = json_integer_value(json_object_get(json_array_get(rows, i), "id"));
        char *args = xasprintf("{\"message\":%lld}", id);

        command(b->o, "outbox.retry", args);
        free(args);
        for (int ms = 0; ms < SECOND_MS && office_count(b->o, "mail.sent") <= i; ms++)
            office_pass(b->o, 1);
    }
    office_kill(b->o);
    office_start(b->o);
    office_pass(b->o, SECOND_MS);
    expect_state(b->o, "2026-09", "mailed");
    json_decref(rows);
}

/* ---- By hand ---- */

static void a_report_can_be_made_by_hand_without_losing_the_one_that_is_due(void **state)
{
    struct bureau *b = *state;
    char *text = NULL;

    add_customer(b->o);
    office_add_printer(b->o);
    assert_int_equal(office_command(b->o, "report.make", "{\"of\":\"远景科技\",\"month\":\"2026-09\"}", &text), 0);
    assert_non_null(strstr(text, "\"path\":\"reports/2026-09-1-1-zh_CN.pdf\""));
    free(text);
    assert_int_equal(report_mails(b->o), 0);
    office_pass_until(b->o, OCTOBER_1 + 8 * (int64_t)DAY_MS);
    assert_int_equal(report_mails(b->o), 2);
    assert_non_null(strstr(report_mail(b->o, "ann@example.com")->files, "reports/2026-09-1-2-en.pdf"));
}

static void one_made_by_hand_while_it_is_due_still_goes_out(void **state)
{
    struct bureau *b = *state;

    add_customer(b->o);
    office_add_printer(b->o);
    b->press.fail = 1;
    office_pass_until(b->o, OCTOBER_1 + 7 * (int64_t)DAY_MS + 8 * HOUR_MS + 10 * SECOND_MS);
    expect_state(b->o, "2026-09", "failed");
    command(b->o, "report.make", "{\"of\":\"总部\",\"month\":\"2026-09\"}");
    office_pass(b->o, MINUTE_MS);
    expect_state(b->o, "2026-09", "mailed");
    assert_int_equal(report_mails(b->o), 2);
}

static void what_cannot_be_made_is_refused_in_words(void **state)
{
    static const struct {
        const char *args, *why;
    } rows[] = {
        {"{\"of\":\"总部\",\"month\":\"2026-12\"}", "2026-12 has not begun"},
        {"{\"of\":\"总部\",\"month\":\"December\"}", "'December' is no month such as 2026-09"},
        {"{\"of\":\"nobody\",\"month\":\"2026-09\"}", "there is no customer or site 'nobody' with a report"},
        {"{\"of\":\"总部\"}", "'month' is missing"},
        {"{\"of\":\"总部\",\"month\":\"2026-09\",\"mail\":\"yes\"}", "mail wants true or false"},
    };
    struct bureau *b = *state;

    add_customer(b->o);
    office_add_printer(b->o);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = NULL;

        assert_int_not_equal(office_command(b->o, "report.make", rows[i].args, &text), 0);
        assert_string_equal(text, rows[i].why);
        free(text);
    }
}

/* ---- What it tells ---- */

static void add_devices(struct bureau *b, int n)
{
    for (int i = 0; i < n; i++) {
        char *address = xasprintf("10.0.3.%d", 20 + i);
        char *args = xasprintf("{\"name\":\"打印机 %d\",\"address\":\"%s\"}", i + 1, address);
        struct fake_device *d = fake_device(b->o->collector, address);

        fake_text(d, "1.3.6.1.2.1.1.1.0", 0, "A scripted printer");
        fake_text(d, "1.3.6.1.2.1.43.5.1.1.16.1", 0, "Model 7");
        fake_text(d, "1.3.6.1.2.1.43.5.1.1.17.1", 0, address);
        fake_int(d, "1.3.6.1.2.1.25.3.5.1.1", 1, 3);
        command(b->o, "device.add", args);
        free(args);
        free(address);
    }
}

static json_int_t member(const json_t *o, const char *part, const char *name)
{
    return json_integer_value(json_object_get(json_object_get(o, part), name));
}

static void a_month_of_five_devices_tells_of_an_outage_as_long_as_it_was(void **state)
{
    struct bureau *b = *state;
    const json_t *row;
    json_t *doc;

    add_customer(b->o);
    add_devices(b, 5);
    office_pass_until(b->o, OCTOBER_1 + 10 * (int64_t)DAY_MS + 5 * MINUTE_MS);
    fake_mode(fake_device(b->o->collector, "10.0.3.22"), FAKE_SILENT);
    office_pass_until(b->o, OCTOBER_1 + 10 * (int64_t)DAY_MS + 5 * HOUR_MS + 5 * MINUTE_MS);
    fake_mode(fake_device(b->o->collector, "10.0.3.22"), FAKE_ANSWERS);
    office_pass_until(b->o, OCTOBER_1 + 33 * (int64_t)DAY_MS);
    doc = json_loads(b->press.documents.v[b->press.documents.n - 1], 0, NULL);
    expect_accepted(b->press.documents.v[b->press.documents.n - 1]);
    assert_string_equal(json_string_value(json_object_get(json_object_get(doc, "period"), "month")), "2026-10");
    assert_int_equal(json_array_size(json_object_get(doc, "devices")), 5);
    row = json_array_get(json_object_get(json_object_get(doc, "availability"), "devices"), 2);
    assert_int_equal(json_integer_value(json_object_get(row, "outages")), 1);
    assert_in_range(json_integer_value(json_object_get(row, "down_ms")), 5 * HOUR_MS - 11 * MINUTE_MS,
                    5 * HOUR_MS + 11 * MINUTE_MS);
    assert_int_equal(json_integer_value(json_object_get(row, "longest_ms")),
                     json_integer_value(json_object_get(row, "down_ms")));
    assert_int_equal(json_integer_value(json_object_get(row, "gap_ms")), 0);
    assert_int_equal(json_integer_value(json_object_get(row, "up_ms")) +
                         json_integer_value(json_object_get(row, "down_ms")),
                     31 * (int64_t)DAY_MS);
    assert_int_equal(json_array_size(json_object_get(json_object_get(doc, "faults"), "rows")), 1);
    assert_int_equal(member(doc, "summary", "devices"), 5);
    json_decref(doc);
}

static const json_t *only_ticket(json_t *doc)
{
    const json_t *rows = json_object_get(json_object_get(doc, "tickets"), "rows");

    assert_int_equal(json_array_size(rows), 1);
    return json_array_get(rows, 0);
}

static json_t *last_document(const struct bureau *b)
{
    const char *text = b->press.documents.v[b->press.documents.n - 1];

    expect_accepted(text);
    return json_loads(text, 0, NULL);
}

/* A jam on 5 October at ten, a person after ten minutes, a remedy after nine hours; and in November it is said that it was none. */
static void promises_are_told_as_they_stood_when_the_month_ended(void **state)
{
    const int64_t jam = OCTOBER_1 + 4 * (int64_t)DAY_MS + 10 * HOUR_MS;
    struct bureau *b = *state;
    const json_t *ticket;
    json_t *doc;

    add_customer(b->o);
    command(b->o, "contract.add",
            "{\"number\":\"HT-1\",\"customer\":\"远景科技\",\"kind\":\"full-service\",\"p2\":\"respond=30m,fix=8h\"}");
    b->o->every_ms = 0;
    office_add_printer(b->o);
    office_pass_until(b->o, jam);
    office_set_jam(b->o, true);
    office_pass_until(b->o, jam + 20 * MINUTE_MS);
    command(b->o, "ticket.accept", "{\"ticket\":\"PK-000001\"}");
    office_pass_until(b->o, jam + 9 * HOUR_MS);
    office_set_jam(b->o, false);
    command(b->o, "ticket.remote-fix", "{\"ticket\":\"PK-000001\",\"note\":\"取出卡纸\"}");
    office_pass(b->o, MINUTE_MS);
    command(b->o, "ticket.call-back", "{\"ticket\":\"PK-000001\"}");
    command(b->o, "ticket.close", "{\"ticket\":\"PK-000001\",\"note\":\"取出卡纸\"}");
    office_pass_until(b->o, OCTOBER_1 + 31 * (int64_t)DAY_MS + HOUR_MS);
    command(b->o, "ticket.reopen", "{\"ticket\":\"PK-000001\"}");
    office_pass_until(b->o, OCTOBER_1 + 33 * (int64_t)DAY_MS);
    doc = last_document(b);
    ticket = only_ticket(doc);
    assert_string_equal(json_string_value(json_object_get(ticket, "state")), "closed");
    assert_true(json_is_integer(json_object_get(ticket, "closed_ms")));
    assert_int_equal(json_array_size(json_object_get(ticket, "promises")), 2);
    assert_int_equal(member(json_object_get(doc, "tickets"), "totals", "kept"), 1);
    assert_int_equal(member(json_object_get(doc, "tickets"), "totals", "missed"), 1);
    assert_int_equal(member(json_object_get(doc, "faults"), "totals", "open"), 0);
    json_decref(doc);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(september_is_reported_on_the_eighth_of_october_and_once),
        TEST(readers_get_it_in_their_language_with_the_pdf_under_its_name),
        TEST(what_fell_due_while_nothing_ran_is_made_up_for),
        TEST(an_installation_of_no_customers_has_one_report),
        TEST(a_press_that_fails_is_tried_again_and_told_of_after_the_third_time),
        TEST(a_crash_while_it_is_rendered_leaves_one_report_and_no_orphans),
        TEST(a_reload_while_it_is_rendered_leaves_no_files_of_what_was_broken_off),
        TEST(a_crash_while_it_is_mailed_repeats_the_same_message),
        TEST(a_report_whose_mail_is_refused_has_failed_until_it_is_sent),
        TEST(a_report_that_failed_and_was_sent_before_a_crash_is_mailed),
        TEST(a_report_can_be_made_by_hand_without_losing_the_one_that_is_due),
        TEST(one_made_by_hand_while_it_is_due_still_goes_out),
        TEST(what_cannot_be_made_is_refused_in_words),
        TEST(promises_are_told_as_they_stood_when_the_month_ended),
        TEST(a_month_of_five_devices_tells_of_an_outage_as_long_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
