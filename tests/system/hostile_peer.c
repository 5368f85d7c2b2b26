/*
 * Devices that mean harm, and honest ones beside them, for a system test:
 *
 *     hostile_peer HONEST HOSTILE
 *
 * honest devices at 127.41.0.1 and so on, hostile ones at 127.41.1.1 and so on, all at one port, which it says. Then it
 * says "HOST ASKED ANSWERED" of each request: to which (hostile ones from 256 on), when the kernel took it, in nanoseconds
 * of the wall clock, so nothing that is done here makes it later, and when it was answered. It ends when its input does.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "plugins/snmp/pdu.h"

enum { FIRST = 0x7f290001, HOSTILE_AT = 0x100, BIG = 60000, FLOOD = 50, MANY = 2000, FAR = 1000000 };

struct peer {
    int fd;
    uint32_t host; /* the last two bytes of its address */
    const struct evil *evil;
};

/* What is asked, and the answer that is being written; one for all. */
static struct snmp_varbinds asked;
static uint8_t packet[65536], reply[SNMP_MAX_MESSAGE], big[BIG];

/* ---- Names that are said to follow one ---- */

struct name {
    uint32_t id[OID_MAX];
    uint16_t n;
};

static uint32_t *last(struct name *o)
{
    return &o->id[o->n - 1];
}

/* Its rows are numbered from FAR on, which no column is. */
static void begin_rows(struct name *o, uint32_t with)
{
    if (o->n < OID_MAX)
        o->id[o->n++] = with;
}

static void repeated(struct name *o)
{
    if (*last(o) < FAR)
        begin_rows(o, FAR);
}

static void falling(struct name *o)
{
    if (*last(o) < FAR)
        begin_rows(o, UINT32_MAX);
    else
        --*last(o);
}

static void cycling(struct name *o)
{
    if (*last(o) < FAR)
        begin_rows(o, FAR);
    else
        *last(o) = *last(o) == FAR + 2 ? FAR : *last(o) + 1;
}

static void rising(struct name *o)
{
    if (*last(o) < FAR)
        begin_rows(o, FAR);
    else
        ++*last(o);
}

static void deep(struct name *o)
{
    while (o->n < OID_MAX)
        begin_rows(o, FAR);
    ++*last(o);
}

/* ---- Answers ---- */

struct evil {
    void (*next)(struct name *o); /* NULL: the view ends */
    int32_t rows;                 /* at most, in an answer */
    int copies;                   /* of each answer */
    bool big, odd;                /* its values are large; what stands in the head is another's */
};

static const struct evil honest = {NULL, MANY, 1, false, false};
static const struct evil evils[] = {
    {repeated, MANY, 1, false, false}, {falling, MANY, 1, false, false}, {cycling, MANY, 1, false, false},
    {rising, MANY, 1, false, false},   {rising, 1, 1, false, false},     {rising, 1, 1, true, false},
    {deep, MANY, 1, false, false},     {rising, 0, 1, false, false},     {rising, MANY, FLOOD, false, false},
    {rising, MANY, FLOOD, true, true},
};

/* All that they have single values of: the descriptions and services of a switch. */
static void set_single(struct snmp_varbind *vb)
{
    static const uint32_t system_group[] = {1, 3, 6, 1, 2, 1, 1};
    uint32_t which = vb->nname == 9 && oid_cmp(vb->name, 7, system_group, 7) == 0 ? vb->name[7] : 0;

    vb->type = SNMP_NO_SUCH_OBJECT;
    if (which == 1) {
        vb->type = SNMP_OCTETS;
        vb->bytes = (const uint8_t *)"A switch";
        vb->n = 8;
    } else if (which == 2) {
        vb->type = SNMP_OID;
        vb->oid = system_group;
        vb->n = 7;
    } else if (which == 7) {
        vb->type = SNMP_INTEGER;
        vb->i = 2;
    }
}

static void put_value(struct snmp_writer *w, const struct name *o, const struct evil *e, bool single)
{
    struct snmp_varbind vb = {.name = o->id, .nname = (uint8_t)o->n, .type = SNMP_INTEGER, .i = 2};

    if (single) {
        set_single(&vb);
    } else if (!e->next) {
        vb.type = SNMP_END_OF_MIB_VIEW;
    } else if (e->big) {
        vb.type = SNMP_OCTETS;
        vb.bytes = big;
        vb.n = (uint32_t)(sizeof big / asked.n);
    }
    (void)snmp_put(w, &vb);
}

static size_t write_answer(const struct evil *e, const struct snmp_msg *m)
{
    int32_t reps = m->type == SNMP_GETBULK ? m->max_repetitions : 1;
    struct snmp_msg head = *m;
    struct snmp_writer w;

    head.type = SNMP_RESPONSE;
    head.request_id ^= e->odd;
    head.status = head.index = 0;
    snmp_begin(&w, reply, sizeof reply, &head);
    for (int32_t row = 0; row < reps && row < e->rows; row++) {
        for (size_t i = 0; i < asked.n; i++) {
            struct name o = {.n = asked.v[i].nname};

            memcpy(o.id, asked.v[i].name, o.n * sizeof *o.id);
            for (int32_t k = 0; k <= row && m->type != SNMP_GET && e->next; k++)
                e->next(&o);
            put_value(&w, &o, e, m->type == SNMP_GET);
        }
    }
    return snmp_end(&w);
}

static struct timespec asked_at(struct msghdr *h)
{
    struct timespec t = {0};

    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
            memcpy(&t, CMSG_DATA(c), sizeof t);
    }
    return t;
}

static void take(const struct peer *p)
{
    struct sockaddr_in from;
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
    } control;
    struct iovec iov = {.iov_base = packet, .iov_len = sizeof packet};
    struct msghdr h = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1};
    struct timespec then, now;
    struct snmp_msg m;
    ssize_t n;
    size_t size;

    h.msg_control = &control;
    h.msg_controllen = sizeof control;
    n = recvmsg(p->fd, &h, 0);
    if (n < 0 || snmp_decode(packet, (size_t)n, &m) < 0 || snmp_decode_varbinds(&m, &asked) < 0 || asked.n == 0)
        return;
    then = asked_at(&h);
    size = write_answer(p->evil, &m);
    for (int i = 0; i < p->evil->copies; i++)
        (void)sendto(p->fd, reply, size, MSG_DONTWAIT, (struct sockaddr *)&from, sizeof from);
    clock_gettime(CLOCK_REALTIME, &now);
    printf("%u %lld%09ld %lld%09ld\n", p->host, (long long)then.tv_sec, then.tv_nsec, (long long)now.tv_sec,
           now.tv_nsec);
}

/* At the port of the one before, or at any. */
static void open_peer(struct peer *p, uint32_t host, const struct evil *e, uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = *port, .sin_addr.s_addr = htonl(FIRST + host)};
    socklen_t n = sizeof at;
    int on = 1;

    *p = (struct peer){.fd = socket(AF_INET, SOCK_DGRAM, 0), .host = host, .evil = e};
    if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        setsockopt(p->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0 ||
        getsockname(p->fd, (struct sockaddr *)&at, &n) < 0) {
        perror("hostile_peer");
        exit(2);
    }
    *port = at.sin_port;
}

int main(int argc, char **argv)
{
    size_t nhonest = argc == 3 ? strtoul(argv[1], NULL, 10) : 0, n = nhonest;
    struct pollfd *fds;
    struct peer *peers;
    uint16_t port = 0;

    n += argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (n == 0 || n > HOSTILE_AT)
        return 2;
    peers = xcalloc(n, sizeof *peers);
    fds = xcalloc(n + 1, sizeof *fds);
    for (size_t i = 0; i < n; i++) {
        size_t k = i - nhonest;

        open_peer(&peers[i], (uint32_t)(i < nhonest ? i : HOSTILE_AT + k),
                  i < nhonest ? &honest : &evils[k % (sizeof evils / sizeof *evils)], &port);
        fds[i] = (struct pollfd){.fd = peers[i].fd, .events = POLLIN};
    }
    fds[n] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    printf("%u\n", ntohs(port));
    for (fflush(stdout); poll(fds, n + 1, -1) > 0 && !fds[n].revents; fflush(stdout))
        for (size_t i = 0; i < n; i++)
            if (fds[i].revents)
                take(&peers[i]);
    free(peers);
    free(fds);
    return 0;
}
