#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "modserver.h"
#include "plugin/loop.h"

enum { PORT = 15029 };

/* A gateway with two transmitters at 127.5.2.1, really listening. */
struct stage {
    struct story *story;
    struct site *site;
    struct rng_seeded chance;
    struct pd_loop *loop;
    struct modserver *server;
};

static int64_t now(void *ctx)
{
    (void)ctx;
    return 0;
}

static int set_up(void **state)
{
    static const char text[] = "title: T\nstart: 2026-03-02 08:00\nlength: 1d\ndevices:\n"
                               "  - {name: a, model: modbus-sensor, address: 127.5.2.1, unit: 1}\n"
                               "  - {name: b, model: modbus-sensor, address: 127.5.2.1, unit: 2}\n";
    const struct site_ops ops = {.blind_chance = 1};
    struct stage *s = xcalloc(1, sizeof *s);
    struct conf_report report = {0};
    struct pd_rng rng;
    char *why = NULL;

    assert_int_equal(story_parse("s", text, strlen(text), &s->story, &report), 0);
    conf_report_free(&report);
    s->site = site_new(s->story, &ops);
    rng_seed(&s->chance, 1);
    rng = rng_seeded_ops(&s->chance);
    assert_int_equal(pd_loop_new(&clock_system, &rng, &s->loop), 0);
    const struct modserver_config config = {
        .services = pd_loop_services(s->loop), .site = s->site, .address = "127.5.2.1", .port = PORT, .now = now};
    if (modserver_start(&config, &s->server, &why) < 0)
        fail_msg("%s", why);
    machine_set_humidity(site_machine(s->site, 1), 777, 0);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;

    modserver_stop(s->server);
    pd_loop_free(s->loop);
    site_free(s->site);
    story_free(s->story);
    free(s);
    return 0;
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(inet_pton(AF_INET, "127.5.2.1", &to.sin_addr), 1);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* Gives the server its turn until n bytes came, or so many rounds went by. */
static ssize_t hear(struct stage *s, int fd, void *p, size_t n)
{
    size_t had = 0;

    for (int round = 0; round < 50 && had < n; round++) {
        ssize_t got;

        assert_int_equal(pd_loop_once(s->loop, 5), 0);
        got = recv(fd, (char *)p + had, n - had, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            return -1;
        if (got > 0)
            had += (size_t)got;
    }
    return (ssize_t)had;
}

static void say(int fd, const char *hex)
{
    uint8_t bytes[600];
    size_t n = 0;
    unsigned byte;

    for (; n < sizeof bytes && sscanf(hex, "%2x", &byte) == 1; n++, hex += 2)
        bytes[n] = (uint8_t)byte;
    assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), n);
}

static void assert_hears(struct stage *s, int fd, const char *hex)
{
    uint8_t bytes[300];
    char text[601] = "";
    ssize_t n = hear(s, fd, bytes, strlen(hex) / 2);

    for (ssize_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    assert_string_equal(text, hex);
}

#define ASK_1 "000700000006010300000001"
#define HAS_1                                                                                                          \
    "0007000000050103"                                                                                                 \
    "0201e2" /* 48.2 % */
#define ASK_2 "a1b200000006020300000001"
#define HAS_2                                                                                                          \
    "a1b2000000050203"                                                                                                 \
    "020309" /* 77.7 % */

static void each_unit_answers_for_itself_with_the_clients_transaction(void **state)
{
    struct stage *s = *state;
    int fd = dial();

    say(fd, ASK_1);
    assert_hears(s, fd, HAS_1);
    say(fd, ASK_2);
    assert_hears(s, fd, HAS_2);
    close(fd);
}

static void requests_may_come_in_pieces_and_several_at_once(void **state)
{
    struct stage *s = *state;
    int fd = dial();
    char two[3] = "";

    for (const char *p = ASK_1; *p != '\0'; p += 2) {
        uint8_t none;

        memcpy(two, p, 2);
        say(fd, two);
        if (p[2] != '\0')
            assert_int_equal(hear(s, fd, &none, 0), 0);
    }
    assert_hears(s, fd, HAS_1);
    say(fd, ASK_1 ASK_2 ASK_1);
    assert_hears(s, fd, HAS_1 HAS_2 HAS_1);
    close(fd);
}

static void what_cannot_be_read_is_an_exception(void **state)
{
    static const struct {
        const char *ask, *answer;
    } rows[] = {
        {"000100000006010300050001", "000100000003018302"}, /* no such register */
        {"000100000006010300000000", "000100000003018303"}, /* no registers */
        {"0001000000060103000003e8", "000100000003018303"}, /* too many */
        {"000100000006010400000001", "000100000003018401"}, /* no input registers */
        {"000100000006010600000001", "000100000003018601"}, /* writing */
        {"00010000000301032a", "000100000003018303"},       /* cut short */
        {"000100000006090300000001", "00010000000309830a"}, /* no such unit behind the gateway */
    };
    struct stage *s = *state;
    int fd = dial();

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        say(fd, rows[i].ask);
        assert_hears(s, fd, rows[i].answer);
    }
    machine_set_power(site_machine(s->site, 1), false, 0);
    say(fd, ASK_2);
    assert_hears(s, fd, "a1b20000000302830b"); /* the gateway says that it does not answer */
    close(fd);
}

static void who_sends_no_frame_is_hung_up_on_alone(void **state)
{
    static const char *const junk[] = {
        "474554202f20485454502f312e310d0a", /* another protocol */
        "000100000000",                     /* no length */
        "00010000ffff0103",                 /* more than a frame holds */
    };
    struct stage *s = *state;
    int good = dial();
    uint8_t byte;

    say(good, ASK_1);
    assert_hears(s, good, HAS_1);
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++) {
        int bad = dial();

        say(bad, junk[i]);
        if (hear(s, bad, &byte, 1) != -1)
            fail_msg("not hung up on: %s", junk[i]);
        close(bad);
    }
    say(good, ASK_2);
    assert_hears(s, good, HAS_2);
    close(good);
}

static void of_too_many_clients_the_quietest_has_to_go(void **state)
{
    struct stage *s = *state;
    int fds[MODSERVER_CLIENTS + 1];
    uint8_t byte;

    for (int i = 0; i < MODSERVER_CLIENTS; i++) {
        fds[i] = dial();
        say(fds[i], ASK_1);
        assert_hears(s, fds[i], HAS_1);
    }
    say(fds[0], ASK_1);
    assert_hears(s, fds[0], HAS_1);
    fds[MODSERVER_CLIENTS] = dial();
    say(fds[MODSERVER_CLIENTS], ASK_2);
    assert_hears(s, fds[MODSERVER_CLIENTS], HAS_2);
    assert_int_equal(hear(s, fds[1], &byte, 1), -1);
    say(fds[0], ASK_2);
    assert_hears(s, fds[0], HAS_2);
    for (int i = 0; i <= MODSERVER_CLIENTS; i++)
        close(fds[i]);
}

static void only_loopback_addresses_are_served(void **state)
{
    struct stage *s = *state;
    const struct modserver_config config = {
        .services = pd_loop_services(s->loop), .site = s->site, .address = "192.0.2.1", .port = PORT, .now = now};
    struct modserver *server = NULL;
    char *why = NULL;

    assert_true(modserver_start(&config, &server, &why) < 0);
    assert_non_null(strstr(why, "127.0.0.0/8"));
    free(why);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_unit_answers_for_itself_with_the_clients_transaction),
        TEST(requests_may_come_in_pieces_and_several_at_once),
        TEST(what_cannot_be_read_is_an_exception),
        TEST(who_sends_no_frame_is_hung_up_on_alone),
        TEST(of_too_many_clients_the_quietest_has_to_go),
        TEST(only_loopback_addresses_are_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
