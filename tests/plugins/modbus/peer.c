#include "tests/plugins/modbus/live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include <modbus/modbus.h>

#include "base/mem.h"

/* Everything below "the process" runs in the child and leaves by _exit() where it cannot go on. */

enum { HEADER_TCP = 7, HEADER_RTU = 1, MAX_UNITS = 32 };

/* What answers at one place. */
struct server {
    modbus_t *ctx;
    int fd;                              /* it listens there, or is its end of the bus */
    enum peer_kind kinds[MAX_UNITS + 1]; /* of the units behind it */
    modbus_mapping_t *maps[MAX_UNITS + 1];
    unsigned lies;
};

static void must(bool ok)
{
    if (!ok)
        _exit(3);
}

static void sleep_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

static modbus_mapping_t *map_of(int unit)
{
    modbus_mapping_t *m = modbus_mapping_new(PEER_REGISTERS, PEER_REGISTERS, PEER_REGISTERS, PEER_REGISTERS);

    must(m != NULL);
    for (int i = 0; i < PEER_REGISTERS; i++) {
        m->tab_registers[i] = m->tab_input_registers[i] = (uint16_t)(1000 * unit + i);
        m->tab_bits[i] = m->tab_input_bits[i] = (unit + i) % 2;
    }
    return m;
}

/* An answer with wrong lengths: libmodbus would not send one, so it goes out raw. */
static void tell_a_lie(struct server *s, int fd, const uint8_t *query)
{
    uint8_t a[64] = {query[0], query[1], 0, 0, 0, 7, query[6], query[7], 4, 1, 2, 3, 4};
    size_t n = 13;

    switch (s->lies++ % 6) {
    case 0:
        a[8] = 200; /* more bytes than there are */
        break;
    case 1:
        a[8] = 2; /* fewer */
        break;
    case 2:
        a[5] = 60; /* a frame whose rest never comes */
        break;
    case 3:
        a[5] = 3; /* a frame longer than it says */
        break;
    case 4:
        a[4] = a[5] = 0xff;
        break;
    case 5:
        a[5] = 57; /* more than was asked for, all in order otherwise */
        a[8] = 54;
        n = 63;
        break;
    }
    (void)send(fd, a, n, MSG_NOSIGNAL); /* the other side may have hung up on us */
}

/* ---- TCP ---- */

static void answer_tcp(struct server *s, int fd, const uint8_t *query, int n)
{
    int unit = query[HEADER_TCP - 1];

    if (unit < 1 || unit > MAX_UNITS || !s->maps[unit] || s->kinds[unit] == PEER_DEAD)
        return;
    if (s->kinds[unit] == PEER_LIAR) {
        tell_a_lie(s, fd, query);
        return;
    }
    if (s->kinds[unit] == PEER_SLOW)
        sleep_ms(PEER_DELAY_MS);
    (void)modbus_reply(s->ctx, query, n, s->maps[unit]);
}

/* One connection after the other, for ever. */
static void *serve_tcp(void *arg)
{
    struct server *s = arg;

    for (;;) {
        uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
        int fd = modbus_tcp_accept(s->ctx, &s->fd), n;

        must(fd >= 0);
        while ((n = modbus_receive(s->ctx, query)) >= 0)
            answer_tcp(s, fd, query, n);
        close(fd);
    }
    return NULL;
}

int peer_listen(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void start_thread(void *(*fn)(void *arg), void *arg)
{
    pthread_t thread;

    must(pthread_create(&thread, NULL, fn, arg) == 0);
}

/* The child stays in here. */
static void serve_all(struct server *servers, size_t n)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < n; i++) {
        servers[i].ctx = modbus_new_tcp("127.0.0.1", 0);
        must(servers[i].ctx != NULL);
        start_thread(serve_tcp, &servers[i]);
    }
    for (;;)
        pause();
}

/* Servers without a unit that does more than being dead are not served: connections stand, and that is all. */
static void start(struct peer *p, struct server *servers, size_t n)
{
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0) {
        for (size_t i = 0; i < n; i++)
            for (int unit = 1; unit <= MAX_UNITS; unit++)
                servers[i].maps[unit] = servers[i].kinds[unit] == PEER_CLOSED ? NULL : map_of(unit);
        serve_all(servers, n);
    }
    for (size_t i = 0; i < n; i++)
        close(servers[i].fd);
    free(servers);
}

void peer_start_farm(struct peer *p, const enum peer_kind *kinds, size_t n)
{
    struct server *servers = xcalloc(n, sizeof *servers);
    size_t serving = 0;

    for (size_t i = 0; i < n; i++) {
        struct server *s = &servers[serving];

        s->fd = peer_listen(&p->ports[i]);
        s->kinds[1] = kinds[i];
        if (kinds[i] == PEER_CLOSED)
            close(s->fd);
        else
            serving++;
    }
    start(p, servers, serving);
}

void peer_start_gateway(struct peer *p, const enum peer_kind *kinds, size_t n)
{
    struct server *s = xcalloc(1, sizeof *s);

    s->fd = peer_listen(&p->ports[0]);
    memcpy(&s->kinds[1], kinds, n * sizeof *kinds);
    start(p, s, 1);
}

/* ---- The serial bus ---- */

static void *serve_rtu(void *arg)
{
    struct server *s = arg;
    int unit = modbus_get_slave(s->ctx);

    for (;;) {
        uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
        int n = modbus_receive(s->ctx, query);

        if (n <= 0)
            continue;
        if (s->kinds[unit] == PEER_SLOW)
            sleep_ms(PEER_DELAY_MS);
        if (s->kinds[unit] == PEER_LIAR) {
            uint8_t lie[] = {query[0], query[1], 200, 1, 2, 3};

            must(write(s->fd, lie, sizeof lie) == sizeof lie);
        } else {
            (void)modbus_reply(s->ctx, query, n, s->maps[unit]);
        }
    }
    return NULL;
}

/* A slave at one end of a pair of sockets; gives the other. */
static int start_slave(struct server *s, int unit, enum peer_kind kind)
{
    int pair[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    s->fd = pair[1];
    s->kinds[unit] = kind;
    s->maps[unit] = map_of(unit);
    s->ctx = modbus_new_rtu("/dev/null", 9600, 'N', 8, 1);
    must(s->ctx && modbus_set_slave(s->ctx, unit) == 0 && modbus_set_socket(s->ctx, s->fd) == 0);
    start_thread(serve_rtu, s);
    return pair[0];
}

/*
 * Carries the master's requests to the slave they are for (libmodbus' slaves, hearing one for another
 * slave, take whatever comes next for its answer, which the dead do not give), and answers to the master.
 */
static void run_bus(struct pollfd *fds, nfds_t n)
{
    uint8_t request[8], answer[256];
    size_t have = 0;

    for (;;) {
        must(poll(fds, n, -1) > 0);
        if (fds[0].revents) {
            ssize_t got = read(fds[0].fd, request + have, sizeof request - have);

            have += got > 0 ? (size_t)got : 0;
        }
        if (have == sizeof request) {
            have = 0;
            if (request[0] < n && fds[request[0]].fd >= 0)
                must(write(fds[request[0]].fd, request, sizeof request) == sizeof request);
        }
        for (nfds_t i = 1; i < n; i++) {
            ssize_t got = fds[i].revents ? read(fds[i].fd, answer, sizeof answer) : 0;

            if (got > 0)
                must(write(fds[0].fd, answer, (size_t)got) == got);
        }
    }
}

static void serve_bus(int master, const enum peer_kind *kinds, size_t n)
{
    struct server *slaves = xcalloc(n, sizeof *slaves);
    struct pollfd fds[MAX_UNITS + 1] = {{.fd = master, .events = POLLIN}};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < n; i++) {
        int fd = kinds[i] == PEER_DEAD ? -1 : start_slave(&slaves[i], (int)i + 1, kinds[i]);

        fds[i + 1] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    run_bus(fds, (nfds_t)n + 1);
}

void peer_start_bus(struct peer *p, const char *path, const enum peer_kind *kinds, size_t n)
{
    struct termios raw = {0};
    char name[64];
    int master, slave;

    cfmakeraw(&raw);
    assert_int_equal(openpty(&master, &slave, name, &raw, NULL), 0);
    assert_true(unlink(path) == 0 || errno == ENOENT);
    assert_int_equal(symlink(name, path), 0);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0)
        serve_bus(master, kinds, n); /* which keeps the slave end open: the line stays up between openings */
    close(master);
    close(slave);
}

void peer_stop(struct peer *p)
{
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
}
