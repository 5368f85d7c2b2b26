#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugin/loop.h"
#include "sink.h"

static void subjects_are_decoded(void **state)
{
    static const struct {
        const char *value, *text;
    } rows[] = {
        {"plain", "plain"},
        {"", ""},
        {"=?UTF-8?B?5Y2h57q4?=", "卡纸"},
        {"=?utf-8?q?=E5=8D=A1=E7=BA=B8_now?=", "卡纸 now"},
        {"=?UTF-8?B?5Y2h?= =?UTF-8?B?57q4?=", "卡纸"}, /* space between two words is none */
        {"=?UTF-8?B?5Y2h?= x", "卡 x"},
        {"[major] =?UTF-8?Q?=C2=B7?= T-1", "[major] · T-1"},
        {"=?UTF-8?B?5Y2h", "=?UTF-8?B?5Y2h"}, /* cut off */
        {"=?UTF-8?", "=?UTF-8?"},
        {"=?UTF-8?Q?=E?=", "=E"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sbuf b = {0};

        sink_decode(&b, rows[i].value);
        if (strcmp(b.s ? b.s : "", rows[i].text) != 0)
            fail_msg("'%s': '%s'", rows[i].value, b.s);
        sbuf_free(&b);
    }
}

struct post {
    struct sbuf got;
};

static void take(void *ctx, const char *id, const char *to, const char *subject)
{
    sbuf_addf(&((struct post *)ctx)->got, "%s|%s|%s\n", id, to, subject);
}

static void mails_are_taken_off_the_wire(void **state)
{
    static const char talk[] =
        "EHLO me\r\nMAIL FROM:<p@x>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n"
        "Message-ID: <1@x>\r\nSubject: a long\r\n one\r\n\r\nSubject: no header\r\n..\r\n.\r\n"
        "MAIL FROM:<p@x>\r\nRCPT TO:<c@x>\r\nDATA\r\nsubject: two\r\nmessage-id: <2@x>\r\n\r\n.\r\n"
        "QUIT\r\n";
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct post post = {0};
    const struct sink_ops ops = {.mail = take, .ctx = &post};
    struct pd_loop *loop;
    struct sink *sink;
    unsigned port;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(pd_loop_new(&clock_system, &rng_system, &loop), 0);
    assert_int_equal(sink_start(pd_loop_services(loop), &ops, &sink, &port), 0);
    at.sin_port = htons((uint16_t)port);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    for (size_t i = 0; i < sizeof talk - 1; i += 7) { /* in pieces, as a network may */
        size_t n = sizeof talk - 1 - i < 7 ? sizeof talk - 1 - i : 7;

        assert_int_equal(send(fd, talk + i, n, MSG_NOSIGNAL), (ssize_t)n);
        assert_int_equal(pd_loop_once(loop, 20), 0);
    }
    for (int i = 0; i < 50 && (post.got.s == NULL || strstr(post.got.s, "2@x") == NULL); i++)
        assert_int_equal(pd_loop_once(loop, 20), 0);
    assert_string_equal(post.got.s, "1@x|a@x,b@x|a long one\n2@x|c@x|two\n");
    close(fd);
    sink_stop(sink);
    pd_loop_free(loop);
    sbuf_free(&post.got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subjects_are_decoded),
        cmocka_unit_test(mails_are_taken_off_the_wire),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
