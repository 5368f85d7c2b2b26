#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugin/loop.h"
#include "plugins/modbus/net.h"

/* The kernel's TCP, with both ends in the test's hands. */

enum { SIDES = 3 };

/* A connection, what came of it, and what is done when it is told. */
struct side {
    struct rig *rig;
    struct mb_conn *conn;
    int peer; /* the other end */
    bool connected;
    unsigned told;
    char got[64];
    size_t n, room; /* room: of one reception */
    ssize_t error;
    bool ends_all; /* the first to be told closes all connections and frees the net */
};

struct rig {
    struct pd_loop *loop;
    struct mb_net net;
    int listener;
    union pd_addr to;
    struct side sides[SIDES];
};

static void end_all(struct rig *g)
{
    for (int i = 0; i < SIDES; i++) {
        g->net.close(g->sides[i].conn);
        g->sides[i].conn = NULL;
    }
    g->net.free(g->net.ctx);
    g->net.ctx = NULL;
}

static void on_ready(void *arg)
{
    struct side *s = arg;
    const struct mb_net *net = &s->rig->net;
    ssize_t n;

    s->told++;
    if (s->ends_all) {
        end_all(s->rig);
        return;
    }
    n = s->connected ? net->recv(s->conn, s->got + s->n, s->room) : net->connected(s->conn);
    s->error = n < 0 ? n : 0;
    if (s->connected && n > 0)
        s->n += (size_t)n;
    s->connected |= n == 0;
}

/* Until nothing happens any more. */
static void run(struct rig *g)
{
    for (int i = 0; i < 5; i++)
        assert_int_equal(pd_loop_once(g->loop, 10), 0);
}

static void connect_side(struct rig *g, struct side *s)
{
    *s = (struct side){.rig = g, .peer = -1, .room = 16};
    assert_int_equal(g->net.connect(g->net.ctx, &g->to, on_ready, s, &s->conn), 0);
    s->peer = accept(g->listener, NULL, NULL);
    assert_true(s->peer >= 0);
    for (int i = 0; i < 100 && !s->connected; i++)
        assert_int_equal(pd_loop_once(g->loop, 50), 0);
    assert_true(s->connected);
}

static void start(struct rig *g)
{
    socklen_t n = sizeof g->to;

    *g = (struct rig){0};
    assert_int_equal(pd_loop_new(&clock_system, &rng_system, &g->loop), 0);
    g->net = mb_tcp_net(pd_loop_services(g->loop));
    assert_int_equal(pd_addr_parse("127.0.0.1", 0, &g->to), 0);
    g->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(g->listener, &g->to.sa, pd_addr_size(&g->to)), 0);
    assert_int_equal(listen(g->listener, SIDES), 0);
    assert_int_equal(getsockname(g->listener, &g->to.sa, &n), 0);
    for (int i = 0; i < SIDES; i++)
        connect_side(g, &g->sides[i]);
    run(g);
}

static void stop(struct rig *g)
{
    if (g->net.ctx)
        end_all(g);
    for (int i = 0; i < SIDES; i++)
        close(g->sides[i].peer);
    close(g->listener);
    pd_loop_free(g->loop);
}

static void say(const struct side *s, const char *text)
{
    assert_int_equal(write(s->peer, text, strlen(text)), strlen(text));
}

static void what_comes_is_told_to_its_own_and_once(void **state)
{
    unsigned before, other;
    struct rig g;

    (void)state;
    start(&g);
    before = g.sides[1].told;
    other = g.sides[0].told;
    say(&g.sides[1], "eight by");
    run(&g);
    assert_int_equal(g.sides[1].told, before + 1);
    assert_int_equal(g.sides[0].told, other);
    assert_string_equal(g.sides[1].got, "eight by");
    assert_int_equal(g.net.send(g.sides[1].conn, "back", 4), 4);
    run(&g);
    assert_int_equal(g.sides[1].told, before + 1);
    stop(&g);
}

static void whoever_takes_little_at_a_time_is_told_until_nothing_is_left(void **state)
{
    struct rig g;

    (void)state;
    start(&g);
    g.sides[0].room = 3;
    say(&g.sides[0], "twelve bytes, and some");
    run(&g);
    assert_string_equal(g.sides[0].got, "twelve bytes, and some");
    assert_int_equal(g.sides[0].error, 0);
    stop(&g);
}

static void an_end_that_comes_with_the_last_bytes_is_told(void **state)
{
    struct rig g;

    (void)state;
    start(&g);
    say(&g.sides[0], "bye");
    assert_int_equal(shutdown(g.sides[0].peer, SHUT_WR), 0);
    run(&g);
    assert_string_equal(g.sides[0].got, "bye");
    assert_int_equal(g.sides[0].error, -EPIPE);
    stop(&g);
}

static void an_end_that_comes_later_is_told(void **state)
{
    struct rig g;

    (void)state;
    start(&g);
    say(&g.sides[0], "bye");
    run(&g);
    assert_int_equal(g.sides[0].error, 0);
    assert_int_equal(shutdown(g.sides[0].peer, SHUT_WR), 0);
    run(&g);
    assert_int_equal(g.sides[0].error, -EPIPE);
    stop(&g);
}

/* It speaks first: that lies there before anybody asks whether the connection has come about. */
static void what_came_with_the_connection_is_told(void **state)
{
    struct side s = {.peer = -1, .room = 16};
    struct rig g;

    (void)state;
    start(&g);
    s.rig = &g;
    assert_int_equal(g.net.connect(g.net.ctx, &g.to, on_ready, &s, &s.conn), 0);
    s.peer = accept(g.listener, NULL, NULL);
    say(&s, "hello");
    run(&g);
    assert_string_equal(s.got, "hello");
    g.net.close(s.conn);
    close(s.peer);
    stop(&g);
}

static void a_refused_connection_is_told(void **state)
{
    struct side s = {.room = 16};
    struct rig g;

    (void)state;
    start(&g);
    close(g.listener);
    s.rig = &g;
    assert_int_equal(g.net.connect(g.net.ctx, &g.to, on_ready, &s, &s.conn), 0);
    run(&g);
    assert_false(s.connected);
    assert_int_equal(s.error, -ECONNREFUSED);
    g.net.close(s.conn);
    g.listener = -1;
    stop(&g);
}

/* What a peer that reads nothing could not be sent goes out when it does. */
static void whoever_could_not_send_all_is_told_when_there_is_room(void **state)
{
    static char much[1 << 16];
    ssize_t sent = sizeof much;
    unsigned before;
    struct rig g;

    (void)state;
    start(&g);
    while (sent == sizeof much)
        sent = g.net.send(g.sides[0].conn, much, sizeof much);
    assert_true(sent >= 0);
    run(&g);
    before = g.sides[0].told;
    for (int i = 0; i < 500 && g.sides[0].told == before; i++) {
        while (recv(g.sides[0].peer, much, sizeof much, MSG_DONTWAIT) > 0)
            ;
        assert_int_equal(pd_loop_once(g.loop, 10), 0);
    }
    assert_true(g.sides[0].told > before);
    assert_int_equal(g.net.send(g.sides[0].conn, much, 1), 1);
    stop(&g);
}

/* Three have something to be told: the first ends them all. */
static void nobody_is_told_after_its_end(void **state)
{
    struct rig g;
    unsigned told = 0;

    (void)state;
    start(&g);
    for (int i = 0; i < SIDES; i++) {
        g.sides[i].told = 0;
        g.sides[i].ends_all = true;
        say(&g.sides[i], "x");
    }
    run(&g);
    for (int i = 0; i < SIDES; i++)
        told += g.sides[i].told;
    assert_int_equal(told, 1);
    stop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_is_told_to_its_own_and_once),
        cmocka_unit_test(whoever_takes_little_at_a_time_is_told_until_nothing_is_left),
        cmocka_unit_test(an_end_that_comes_with_the_last_bytes_is_told),
        cmocka_unit_test(an_end_that_comes_later_is_told),
        cmocka_unit_test(what_came_with_the_connection_is_told),
        cmocka_unit_test(a_refused_connection_is_told),
        cmocka_unit_test(whoever_could_not_send_all_is_told_when_there_is_room),
        cmocka_unit_test(nobody_is_told_after_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
