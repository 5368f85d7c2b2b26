/*
 * A bad net before a farm:
 *
 *     relay [-p PORT] [-t FARM'S-PORT] [-l LOST%] [-2 DOUBLED%] [-r REORDERED%] [-j MS] [-d MS] [-s SEED]
 *
 * What comes to PORT at any address goes on to the same address at the farm's port, and answers go back the same way.
 * In each direction some packets are lost, some come twice, and some are late by up to -j ms, so others overtake them;
 * all are late by -d ms. SIGUSR2 cuts the line, and joins it again. At the end, and on SIGUSR1, it tells what it did.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bench/udp.h"

enum { CLIENTS = 64, MAX_WAITING = 65536 };

struct waiting {
    int64_t due_us;
    uint64_t number; /* of those due at once the first goes first */
    int fd;
    struct udp_packet packet;
};

struct relay {
    unsigned lost, doubled, reordered; /* percent */
    int64_t delay_us, jitter_us;
    uint16_t farm_port;
    struct pd_rng rng;
    bool cut;
    int fd;                              /* where the clients' packets come */
    struct sockaddr_in clients[CLIENTS]; /* whose they are, */
    struct pollfd up[CLIENTS];           /* and the socket through which the farm hears each */
    size_t nclients;
    struct waiting *waiting[MAX_WAITING]; /* a heap, by due_us */
    size_t nwaiting;
    uint64_t number;
    unsigned long went, dropped, twice, late, overflowed;
};

/* ---- Those who wait ---- */

static bool before(const struct waiting *a, const struct waiting *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->number < b->number;
}

static void swap(struct waiting **a, struct waiting **b)
{
    struct waiting *was = *a;

    *a = *b;
    *b = was;
}

static void push(struct relay *r, struct waiting *w)
{
    size_t i = r->nwaiting++;

    r->waiting[i] = w;
    for (; i > 0 && before(r->waiting[i], r->waiting[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&r->waiting[i], &r->waiting[(i - 1) / 2]);
}

static struct waiting *pop(struct relay *r)
{
    struct waiting *first = r->waiting[0];
    size_t i = 0;

    r->waiting[0] = r->waiting[--r->nwaiting];
    for (size_t next = 1; next < r->nwaiting; next = 2 * i + 1) {
        next += next + 1 < r->nwaiting && before(r->waiting[next + 1], r->waiting[next]);
        if (!before(r->waiting[next], r->waiting[i]))
            break;
        swap(&r->waiting[next], &r->waiting[i]);
        i = next;
    }
    return first;
}

static bool chance(const struct relay *r, unsigned percent)
{
    return percent > 0 && rng_below(&r->rng, 100) < percent;
}

static void wait_for(struct relay *r, int fd, const struct udp_packet *p, int64_t now_us)
{
    struct waiting *w;

    if (r->nwaiting == MAX_WAITING) {
        r->overflowed++;
        return;
    }
    w = xmalloc(sizeof *w);
    w->fd = fd;
    w->number = r->number++;
    w->due_us = now_us + r->delay_us;
    w->packet.peer = p->peer;
    w->packet.own = p->own;
    w->packet.n = p->n;
    memcpy(w->packet.data, p->data, p->n);
    if (r->jitter_us > 0 && chance(r, r->reordered)) {
        r->late++;
        w->due_us += (int64_t)rng_below(&r->rng, (uint64_t)r->jitter_us);
    }
    push(r, w);
}

/* What becomes of a packet that is to go out through fd. */
static void carry(struct relay *r, int fd, const struct udp_packet *p, int64_t now_us)
{
    if (r->cut || chance(r, r->lost)) {
        r->dropped++;
        return;
    }
    if (chance(r, r->doubled)) {
        r->twice++;
        wait_for(r, fd, p, now_us);
    }
    wait_for(r, fd, p, now_us);
}

/* ---- Both directions ---- */

/* The number of who sent a packet; -1 where there are too many. */
static int client_of(struct relay *r, const struct sockaddr_in *who)
{
    int fd;

    for (size_t i = 0; i < r->nclients; i++) {
        if (r->clients[i].sin_port == who->sin_port && r->clients[i].sin_addr.s_addr == who->sin_addr.s_addr)
            return (int)i;
    }
    if (r->nclients == CLIENTS || (fd = udp_open(0)) < 0)
        return -1;
    r->clients[r->nclients] = *who;
    r->up[r->nclients] = (struct pollfd){.fd = fd, .events = POLLIN};
    return (int)r->nclients++;
}

static void take_requests(struct relay *r, struct udp_packet *batch, int64_t now_us)
{
    size_t n = udp_receive(r->fd, batch);

    for (size_t i = 0; i < n; i++) {
        struct udp_packet *p = &batch[i];
        int client = client_of(r, &p->peer);

        if (client < 0) {
            r->overflowed++;
            continue;
        }
        p->peer.sin_addr.s_addr = htonl(p->own);
        p->peer.sin_port = htons(r->farm_port);
        p->own = 0;
        carry(r, r->up[client].fd, p, now_us);
    }
}

static void take_answers(struct relay *r, size_t client, struct udp_packet *batch, int64_t now_us)
{
    size_t n = udp_receive(r->up[client].fd, batch);

    for (size_t i = 0; i < n; i++) {
        batch[i].own = ntohl(batch[i].peer.sin_addr.s_addr);
        batch[i].peer = r->clients[client];
        carry(r, r->fd, &batch[i], now_us);
    }
}

/* Sends what is due, in runs that go out through one socket. */
static void send_due(struct relay *r, struct udp_packet *batch, int64_t now_us)
{
    while (r->nwaiting > 0 && r->waiting[0]->due_us <= now_us) {
        int fd = r->waiting[0]->fd;
        size_t n = 0;

        while (n < UDP_BATCH && r->nwaiting > 0 && r->waiting[0]->fd == fd && r->waiting[0]->due_us <= now_us) {
            struct waiting *w = pop(r);

            batch[n++] = w->packet;
            free(w);
        }
        udp_send(fd, batch, n);
        r->went += n;
    }
}

/* ---- The program ---- */

/* Signals come only while the sockets are waited for. */
static volatile sig_atomic_t stop, told, toggled;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        told = 1;
    else if (number == SIGUSR2)
        toggled = 1;
    else
        stop = 1;
}

static void catch_signals(sigset_t *waiting)
{
    const int numbers[] = {SIGUSR1, SIGUSR2, SIGINT, SIGTERM};
    struct sigaction act = {.sa_handler = on_signal};
    sigset_t blocked;

    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaddset(&blocked, numbers[i]);
        sigaction(numbers[i], &act, NULL);
    }
    sigprocmask(SIG_BLOCK, &blocked, waiting);
}

static void tell(const struct relay *r)
{
    fprintf(stderr, "relay sent=%lu lost=%lu doubled=%lu late=%lu overflowed=%lu cut=%d\n", r->went, r->dropped,
            r->twice, r->late, r->overflowed, r->cut);
}

static void wait_and_carry(struct relay *r, struct udp_packet *batch, const sigset_t *waiting)
{
    struct pollfd fds[CLIENTS + 1];
    struct timespec timeout = {0};
    int64_t now = clock_mono_us(&clock_system), left;

    memcpy(fds, r->up, r->nclients * sizeof *fds);
    fds[r->nclients] = (struct pollfd){.fd = r->fd, .events = POLLIN};
    if (r->nwaiting > 0 && r->waiting[0]->due_us > now) {
        left = r->waiting[0]->due_us - now;
        timeout = (struct timespec){.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};
    }
    if (ppoll(fds, r->nclients + 1, r->nwaiting > 0 ? &timeout : NULL, waiting) > 0) {
        size_t n = r->nclients;

        now = clock_mono_us(&clock_system);
        for (size_t i = 0; i < n; i++) {
            if (fds[i].revents)
                take_answers(r, i, batch, now);
        }
        if (fds[n].revents)
            take_requests(r, batch, now);
    }
    send_due(r, batch, clock_mono_us(&clock_system));
}

static void run(struct relay *r)
{
    struct udp_packet *batch = xcalloc(UDP_BATCH, sizeof *batch);
    sigset_t waiting;

    catch_signals(&waiting);
    while (!stop) {
        wait_and_carry(r, batch, &waiting);
        if (toggled)
            r->cut = !r->cut;
        if (told || toggled)
            tell(r);
        told = toggled = 0;
    }
    free(batch);
}

static int read_options(struct relay *r, int argc, char **argv, uint16_t *port, uint64_t *seed)
{
    for (int o; (o = getopt(argc, argv, "p:t:l:2:r:j:d:s:")) != -1;) {
        unsigned long n = o == '?' ? 0 : strtoul(optarg, NULL, 10);

        if (o == 'p')
            *port = (uint16_t)n;
        else if (o == 't')
            r->farm_port = (uint16_t)n;
        else if (o == 'l')
            r->lost = (unsigned)n;
        else if (o == '2')
            r->doubled = (unsigned)n;
        else if (o == 'r')
            r->reordered = (unsigned)n;
        else if (o == 'j')
            r->jitter_us = (int64_t)n * 1000;
        else if (o == 'd')
            r->delay_us = (int64_t)n * 1000;
        else if (o == 's')
            *seed = n;
        else
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct relay *r = xcalloc(1, sizeof *r);
    struct rng_seeded random;
    uint16_t port = 1611;
    uint64_t seed = 1;

    r->farm_port = 1610;
    if (read_options(r, argc, argv, &port, &seed) < 0) {
        fprintf(stderr, "relay [-p PORT] [-t FARM'S-PORT] [-l LOST%%] [-2 DOUBLED%%] [-r REORDERED%%] [-j MS] [-d MS] "
                        "[-s SEED]\n");
        return 2;
    }
    rng_seed(&random, seed);
    r->rng = rng_seeded_ops(&random);
    r->fd = udp_open(port);
    if (r->fd < 0) {
        fprintf(stderr, "relay: port %u: %s\n", port, strerror(errno));
        return 1;
    }
    run(r);
    tell(r);
    close(r->fd);
    for (size_t i = 0; i < r->nclients; i++)
        close(r->up[i].fd);
    while (r->nwaiting > 0)
        free(pop(r));
    free(r);
    return 0;
}
