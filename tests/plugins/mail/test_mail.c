#include "plugins/mail/mail.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

/* A real SMTP server in a process of its own, keeping mails in a fresh folder. */
struct sink {
    pid_t pid;
    int port;
    char dir[64];
    char *url;
};

static char *script(const char *name)
{
    const char *srcdir = getenv("srcdir");

    return xasprintf("%s/tests/%s", srcdir ? srcdir : "..", name);
}

/* Runs argv with its output to a pipe. */
static pid_t spawn(char *const argv[], int *out)
{
    int fds[2];
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fds[1], 1);
        close(fds[0]);
        close(fds[1]);
        execv(argv[0], argv);
        _exit(127);
    }
    close(fds[1]);
    *out = fds[0];
    return pid;
}

/* options: up to ten more arguments, ended by NULL. */
static void sink_start(struct sink *s, const char *const *options)
{
    char *path = script("system/smtp_sink.py"), line[64] = "";
    char *argv[16] = {"/usr/bin/python3", path, "--dir", s->dir};
    int out;

    snprintf(s->dir, sizeof s->dir, "/tmp/patrold-mail-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    for (size_t i = 0; options && options[i]; i++)
        argv[4 + i] = (char *)options[i];
    s->pid = spawn(argv, &out);
    for (size_t n = 0; n < sizeof line - 1 && !strchr(line, '\n'); n++)
        if (read(out, line + n, 1) != 1)
            fail_msg("the SMTP server does not start");
    close(out);
    assert_int_equal(sscanf(line, "listening %d", &s->port), 1);
    s->url = xasprintf("smtp://127.0.0.1:%d", s->port);
    free(path);
}

static void sink_stop(struct sink *s)
{
    char *argv[] = {"/bin/rm", "-rf", s->dir, NULL};
    int out;

    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    waitpid(spawn(argv, &out), NULL, 0);
    close(out);
    free(s->url);
}

/* What Python's mail parser makes of a field of mail n; free() it. */
static char *mail_field(const struct sink *s, int n, const char *field)
{
    char *path = script("plugins/mail/read_mail.py"), *file = xasprintf("%s/%06d.eml", s->dir, n);
    char *argv[] = {"/usr/bin/python3", path, file, (char *)field, NULL};
    struct sbuf b = {0};
    char chunk[512];
    ssize_t got;
    int out, status;
    pid_t pid = spawn(argv, &out);

    while ((got = read(out, chunk, sizeof chunk)) > 0)
        sbuf_addn(&b, chunk, (size_t)got);
    close(out);
    waitpid(pid, &status, 0);
    free(path);
    free(file);
    assert_int_equal(status, 0);
    return sbuf_take(&b);
}

static void assert_field(const struct sink *s, int n, const char *field, const char *expected)
{
    char *value = mail_field(s, n, field);

    assert_string_equal(value, expected);
    free(value);
}

static bool kept(const struct sink *s, int n)
{
    char *file = xasprintf("%s/%06d.json", s->dir, n);
    bool there = access(file, F_OK) == 0;

    free(file);
    return there;
}

static const struct pd_message message = {
    .id = "11111111-2222-4333-8444-555555555555.1.7@patrold.invalid",
    .to = "维修 <li@example.com>",
    .subject = "[严重] 打印机 3F-影印 卡纸 · PK-000012",
    .body = "3F-影印 卡纸。\n\n工单  PK-000012\n.\n",
    .date_ms = 1790756100000,
};

static struct pd_mail_config config_of(const struct sink *s)
{
    return (struct pd_mail_config){.url = s->url, .from = "巡检 <patrold@example.com>", .timeout_s = 10};
}

static struct pd_send_result send_with(const struct pd_mail_config *config, const struct pd_message *m)
{
    struct pd_send_result result = {0};
    struct pd_channel *c = NULL;

    assert_int_equal(pd_mail_ops.start(config, &c), 0);
    pd_mail_ops.send(c, m, &result);
    pd_mail_ops.stop(c);
    return result;
}

static struct pd_send_result send_to(const struct sink *s)
{
    struct pd_mail_config config = config_of(s);

    return send_with(&config, &message);
}

static void a_mail_arrives_as_it_was_meant(void **state)
{
    struct sink s;

    (void)state;
    sink_start(&s, NULL);
    assert_int_equal(send_to(&s).status, PD_SEND_DONE);
    assert_field(&s, 1, "defects", "none");
    assert_field(&s, 1, "envelope", "patrold@example.com -> li@example.com");
    assert_field(&s, 1, "Subject", message.subject);
    assert_field(&s, 1, "From", "巡检 <patrold@example.com>");
    assert_field(&s, 1, "To", "维修 <li@example.com>");
    assert_field(&s, 1, "Message-ID", "<11111111-2222-4333-8444-555555555555.1.7@patrold.invalid>");
    assert_field(&s, 1, "Date", "Wed, 30 Sep 2026 08:15:00 +0000");
    assert_field(&s, 1, "body", message.body);
    sink_stop(&s);
}

/* Even if the configuration names another sender by now. */
static void a_retry_sends_the_same_bytes(void **state)
{
    static const char *const options[] = {"--drop", "before", "--times", "1", NULL};
    struct pd_mail_config config;
    struct pd_message m = message;
    struct sink s;
    char *a, *b;
    int out, status;

    (void)state;
    sink_start(&s, options);
    config = config_of(&s);
    m.from = config.from;
    assert_int_equal(send_with(&config, &m).status, PD_SEND_LATER);
    config.from = "Somebody else <else@example.com>";
    assert_int_equal(send_with(&config, &m).status, PD_SEND_DONE);
    assert_field(&s, 2, "envelope", "else@example.com -> li@example.com");
    a = xasprintf("%s/000001.eml", s.dir);
    b = xasprintf("%s/000002.eml", s.dir);
    waitpid(spawn((char *[]){"/usr/bin/cmp", a, b, NULL}, &out), &status, 0);
    close(out);
    assert_int_equal(status, 0);
    free(a);
    free(b);
    sink_stop(&s);
}

static void answers_are_told_apart(void **state)
{
    static const struct {
        const char *options[6];
        enum pd_send_status status;
        const char *detail;
        bool kept;
    } rows[] = {
        {{"--answer", "451"}, PD_SEND_LATER, "451 told to refuse this", false},
        {{"--answer", "550"}, PD_SEND_NEVER, "550 told to refuse this", false},
        {{"--answer", "450", "--at", "rcpt"}, PD_SEND_LATER, "450 5.1.1 told to refuse <li@example.com>", false},
        {{"--answer", "550", "--at", "rcpt"}, PD_SEND_NEVER, "550 5.1.1 told to refuse <li@example.com>", false},
        {{"--drop", "before"}, PD_SEND_LATER, "", true},
        {{"--drop", "after"}, PD_SEND_DONE, "250 OK kept, and goodbye", true},
        {{"--auth", "li:secret"}, PD_SEND_LATER, "530", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pd_send_result r;
        struct sink s;

        sink_start(&s, rows[i].options);
        r = send_to(&s);
        if (r.status != rows[i].status || !strstr(r.detail, rows[i].detail) || kept(&s, 1) != rows[i].kept)
            fail_msg("%s %s: status %d, %s", rows[i].options[0], rows[i].options[1], r.status, r.detail);
        sink_stop(&s);
    }
}

static void nobody_there_is_tried_again(void **state)
{
    struct pd_mail_config config = {.url = "smtp://127.0.0.1:1", .from = "p@example.com", .timeout_s = 5};
    struct pd_send_result r = send_with(&config, &message);

    (void)state;
    assert_int_equal(r.status, PD_SEND_LATER);
    assert_non_null(strstr(r.detail, "connect"));
}

static void a_bad_recipient_is_never_tried(void **state)
{
    struct pd_mail_config config = {.url = "smtp://127.0.0.1:1", .from = "p@example.com"};
    struct pd_message m = message;

    (void)state;
    m.to = "li@example.com>\r\nRCPT TO:<evil@example.com";
    assert_int_equal(send_with(&config, &m).status, PD_SEND_NEVER);
}

static void a_wrong_configuration_does_not_start(void **state)
{
    static const struct pd_mail_config rows[] = {
        {.url = NULL, .from = "p@example.com"},
        {.url = "http://127.0.0.1", .from = "p@example.com"},
        {.url = "smtp://127.0.0.1", .from = NULL},
        {.url = "smtp://127.0.0.1", .from = "nobody"},
        {.url = "smtp://127.0.0.1", .from = "a@example.com, b@example.com"},
    };
    struct pd_channel *c = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (pd_mail_ops.start(&rows[i], &c) != PD_EINVAL)
            fail_msg("row %zu starts", i);
}

static void tls_and_login(void **state)
{
    char *cert = script("data/tls/cert.pem"), *key = script("data/tls/key.pem");
    const char *options[] = {"--tls", cert, key, "--auth", "li:secret", NULL};
    struct pd_mail_config config;
    struct sink s;

    (void)state;
    sink_start(&s, options);
    config = config_of(&s);
    config.starttls = true;
    config.user = "li";
    config.password = "secret";
    assert_int_equal(send_with(&config, &message).status, PD_SEND_LATER); /* a certificate nobody knows */
    config.ca_file = cert;
    assert_int_equal(send_with(&config, &message).status, PD_SEND_DONE);
    config.password = "wrong";
    assert_int_equal(send_with(&config, &message).status, PD_SEND_LATER); /* ours to mend, not the message's fault */
    assert_false(kept(&s, 2));
    sink_stop(&s);
    sink_start(&s, NULL); /* a server without STARTTLS gets nothing */
    config.url = s.url;
    assert_int_equal(send_with(&config, &message).status, PD_SEND_LATER);
    assert_false(kept(&s, 1));
    sink_stop(&s);
    free(cert);
    free(key);
}

static void *interrupt_soon(void *c)
{
    usleep(200000);
    pd_mail_ops.interrupt(c);
    return NULL;
}

static void an_interrupt_ends_a_send(void **state)
{
    static const char *const options[] = {"--delay", "60", NULL};
    struct pd_send_result r = {0};
    struct pd_mail_config config;
    struct pd_channel *c = NULL;
    int64_t began = clock_mono(&clock_system);
    pthread_t thread;
    struct sink s;

    (void)state;
    sink_start(&s, options);
    config = config_of(&s);
    config.timeout_s = 60;
    assert_int_equal(pd_mail_ops.start(&config, &c), 0);
    pthread_create(&thread, NULL, interrupt_soon, c);
    pd_mail_ops.send(c, &message, &r);
    pthread_join(thread, NULL);
    assert_int_equal(r.status, PD_SEND_LATER);
    assert_string_equal(r.detail, "patrold is stopping");
    assert_in_range(clock_mono(&clock_system) - began, 1000, 9000);
    pd_mail_ops.send(c, &message, &r);
    assert_int_equal(r.status, PD_SEND_LATER);
    pd_mail_ops.stop(c);
    sink_stop(&s);
}

/* The tests need a real server; without its module they are skipped, and say so. */
/* Writes a file into the sink's folder; its path, to be free()d. */
static char *file_of(const struct sink *s, const char *name, const char *content)
{
    char *path = xasprintf("%s/%s", s->dir, name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(content, f);
    fclose(f);
    return path;
}

static void files_go_out_with_a_mail_the_same_each_time(void **state)
{
    static const char *const options[] = {"--drop", "before", "--times", "1", NULL};
    struct pd_mail_config config;
    struct pd_message m = message;
    struct pd_part parts[4] = {{.role = PD_PART_TEXT, .name = "text"},
                               {.role = PD_PART_HTML, .name = "html"},
                               {.role = PD_PART_INLINE, .name = "chart-1"},
                               {.role = PD_PART_ATTACHED, .name = "总部2026年9月巡检报告.pdf"}};
    struct sink s;
    char *a, *b;
    int out, status;

    (void)state;
    sink_start(&s, options);
    config = config_of(&s);
    m.from = config.from;
    m.parts = parts;
    m.nparts = 4;
    parts[0].path = file_of(&s, "r.txt", "巡检报告\n");
    parts[1].path = file_of(&s, "r.html", "<p>巡检报告<img src=\"cid:chart-1\"></p>\n");
    parts[2].path = file_of(&s, "r.png", "PNG");
    parts[3].path = file_of(&s, "r.pdf", "%PDF");
    assert_int_equal(send_with(&config, &m).status, PD_SEND_LATER);
    assert_int_equal(send_with(&config, &m).status, PD_SEND_DONE);
    assert_field(&s, 2, "defects", "none");
    assert_field(&s, 2, "parts",
                 "multipart/mixed(multipart/alternative(text/plain,multipart/related(text/html,image/png<chart-1>)),"
                 "application/pdf[总部2026年9月巡检报告.pdf])");
    a = xasprintf("%s/000001.eml", s.dir);
    b = xasprintf("%s/000002.eml", s.dir);
    waitpid(spawn((char *[]){"/usr/bin/cmp", a, b, NULL}, &out), &status, 0);
    close(out);
    assert_int_equal(status, 0);
    free(a);
    free(b);
    for (size_t i = 0; i < 4; i++)
        free((char *)parts[i].path);
    sink_stop(&s);
}

static void a_file_that_is_gone_is_told_and_never_sent(void **state)
{
    const struct pd_part part = {.role = PD_PART_ATTACHED, .path = "/nowhere/r.pdf", .name = "r.pdf"};
    struct pd_mail_config config;
    struct pd_message m = message;
    struct pd_send_result result;
    struct sink s;

    (void)state;
    sink_start(&s, NULL);
    config = config_of(&s);
    m.parts = &part;
    m.nparts = 1;
    result = send_with(&config, &m);
    assert_int_equal(result.status, PD_SEND_NEVER);
    assert_non_null(strstr(result.detail, "the file /nowhere/r.pdf cannot be sent"));
    assert_false(kept(&s, 1));
    sink_stop(&s);
}

static bool have_server(void)
{
    char *argv[] = {"/usr/bin/python3", "-c", "import aiosmtpd", NULL};
    int out, status;
    pid_t pid = spawn(argv, &out);

    close(out);
    waitpid(pid, &status, 0);
    return status == 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mail_arrives_as_it_was_meant),
        cmocka_unit_test(a_retry_sends_the_same_bytes),
        cmocka_unit_test(files_go_out_with_a_mail_the_same_each_time),
        cmocka_unit_test(a_file_that_is_gone_is_told_and_never_sent),
        cmocka_unit_test(answers_are_told_apart),
        cmocka_unit_test(nobody_there_is_tried_again),
        cmocka_unit_test(a_bad_recipient_is_never_tried),
        cmocka_unit_test(a_wrong_configuration_does_not_start),
        cmocka_unit_test(tls_and_login),
        cmocka_unit_test(an_interrupt_ends_a_send),
    };

    if (!have_server()) {
        fprintf(stderr, "skipped: /usr/bin/python3 has no module aiosmtpd (Debian package python3-aiosmtpd)\n");
        return 77;
    }
    return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
