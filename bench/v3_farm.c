/*
 * Devices that answer in versions 2c and 3, any number of them at one port, until it is told to stop:
 *
 *     v3_farm [-p PORT] [-m BYTES] [-D PERCENT]
 *
 * Each address of 127.0.0.0/8 that is asked is a device (bench/farm.h) and, in version 3, an engine of its own, with
 * one user whom all of them know. Answers have at most so many bytes (1,472); of each hundred devices the first PERCENT
 * never answer. At the end, and on SIGUSR1, it tells what it did.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "bench/farm.h"
#include "bench/udp.h"
#include "plugins/snmp/v3.h"

enum { ENGINE = 9, MAX_COLUMNS = 64 };

/* What an engine has of its own. */
struct engine {
    bool known;
    struct usm_keys keys;
};

struct server {
    struct farm *farm;
    struct usm *usm;
    struct usm_user *user;
    struct engine *engines; /* FARM_DEVICES, by address */
    int64_t now_ms;
    size_t room;
    unsigned dead;
    unsigned long requests, reports, dropped;
    struct snmp_varbinds asked;
    uint8_t buf[V3_HEADROOM + UDP_ROOM + V3_TAIL];
};

/* ---- What is asked of a device ---- */

/* Each of these is false where the answer is full. */
static bool put(struct server *s, struct snmp_writer *w, uint32_t address, size_t object)
{
    char text[FARM_TEXT];
    struct snmp_varbind vb;

    farm_value(s->farm, object, address, s->now_ms, text, &vb);
    return snmp_put(w, &vb);
}

static bool put_exception(struct snmp_writer *w, const struct snmp_varbind *asked, uint8_t what)
{
    struct snmp_varbind vb = {.name = asked->name, .nname = asked->nname, .type = what};

    return snmp_put(w, &vb);
}

static size_t behind(const struct server *s, const struct snmp_varbind *asked)
{
    bool same;
    size_t at = farm_find(s->farm, asked->name, asked->nname, &same);

    return at + same;
}

static bool put_next(struct server *s, struct snmp_writer *w, uint32_t address, const struct snmp_varbind *asked)
{
    size_t at = behind(s, asked);

    return at < farm_count(s->farm) ? put(s, w, address, at) : put_exception(w, asked, SNMP_END_OF_MIB_VIEW);
}

static bool put_same(struct server *s, struct snmp_writer *w, uint32_t address, const struct snmp_varbind *asked)
{
    bool same;
    size_t at = farm_find(s->farm, asked->name, asked->nname, &same);

    return same ? put(s, w, address, at) : put_exception(w, asked, SNMP_NO_SUCH_INSTANCE);
}

/* The repeated part of a GETBULK: as much of it as fits. */
static void put_rows(struct server *s, struct snmp_writer *w, uint32_t address, size_t first, int32_t rows)
{
    size_t at[MAX_COLUMNS], n = s->asked.n - first, ended = 0;

    n = n < MAX_COLUMNS ? n : MAX_COLUMNS;
    for (size_t i = 0; i < n; i++)
        at[i] = behind(s, &s->asked.v[first + i]);
    for (int32_t row = 0; row < rows && ended < n; row++) {
        ended = 0;
        for (size_t i = 0; i < n; i++) {
            if (at[i] >= farm_count(s->farm)) {
                ended++;
                if (!put_exception(w, &s->asked.v[first + i], SNMP_END_OF_MIB_VIEW))
                    return;
            } else if (!put(s, w, address, at[i]++)) {
                return;
            }
        }
    }
}

/* The answer's PDU, a whole message in version 2c: its length, or 0 where there is none. */
static size_t answer(struct server *s, uint32_t address, const struct snmp_msg *m, uint8_t *buf, size_t room)
{
    struct snmp_msg head = *m;
    struct snmp_writer w;
    size_t single = m->type == SNMP_GETBULK ? (size_t)(m->non_repeaters > 0 ? m->non_repeaters : 0) : SIZE_MAX;
    bool fits = true;

    if ((m->type != SNMP_GET && m->type != SNMP_GETNEXT && m->type != SNMP_GETBULK) ||
        snmp_decode_varbinds(m, &s->asked) < 0)
        return 0;
    head.type = SNMP_RESPONSE;
    head.status = head.index = 0;
    snmp_begin(&w, buf, room, &head);
    single = single < s->asked.n ? single : s->asked.n;
    for (size_t i = 0; i < single && fits; i++)
        fits =
            m->type == SNMP_GET ? put_same(s, &w, address, &s->asked.v[i]) : put_next(s, &w, address, &s->asked.v[i]);
    if (!fits && m->type != SNMP_GETBULK) {
        head.status = SNMP_TOO_BIG;
        snmp_begin(&w, buf, room, &head);
    } else if (m->type == SNMP_GETBULK && fits) {
        put_rows(s, &w, address, single, m->max_repetitions);
    }
    return snmp_end(&w);
}

/* ---- Version 3 ---- */

/* RFC 3411, SnmpEngineID: an enterprise's number, and the address by which it is known. */
static void name_engine(uint32_t address, uint8_t id[ENGINE])
{
    const uint8_t whole[ENGINE] = {0x80,         0, 0, 0, 1, address >> 24, address >> 16 & 255, address >> 8 & 255,
                                   address & 255};

    memcpy(id, whole, ENGINE);
}

static const struct usm_keys *keys_of(struct server *s, uint32_t address, const uint8_t id[ENGINE])
{
    struct engine *e = &s->engines[address - FARM_FIRST];

    if (!e->known)
        usm_localise(s->usm, s->user, id, ENGINE, &e->keys);
    e->known = true;
    return &e->keys;
}

/* What is wrong with a message, of which v3_open() said rc; V3_REPORT_OTHER: nothing. */
static enum v3_report fault(const struct server *s, const struct v3_msg *m, int rc)
{
    uint8_t n;
    const char *name = usm_user_name(s->user, &n);

    if (m->nuser != n || memcmp(m->user, name, n) != 0)
        return V3_UNKNOWN_USER;
    if (rc == PD_EINVAL)
        return V3_UNSUPPORTED_LEVEL;
    if (rc == PD_EACCES)
        return V3_WRONG_DIGEST;
    if (!usm_is_timely(1, (int32_t)(s->now_ms / 1000), m->boots, m->time))
        return V3_NOT_IN_WINDOW;
    return rc < 0 ? V3_DECRYPTION_ERROR : V3_REPORT_OTHER;
}

/* The message's head as it goes back; the PDU stands in s->buf already. */
static size_t seal(struct server *s, struct v3_msg *m, uint8_t flags, const struct usm_keys *keys, uint8_t id[ENGINE],
                   size_t npdu, const uint8_t **start)
{
    struct usm_keys use = {0};

    if (flags & V3_AUTH)
        use = *keys;
    if (!(flags & V3_PRIV))
        use.priv = PD_PRIV_NONE;
    m->flags = flags;
    m->max_size = UDP_ROOM;
    m->engine = m->context_engine = id;
    m->nengine = m->ncontext_engine = ENGINE;
    m->boots = 1;
    m->time = (int32_t)(s->now_ms / 1000);
    return npdu ? v3_seal(s->usm, &use, m, s->buf, npdu, start) : 0;
}

static size_t answer_v3(struct server *s, const struct udp_packet *p, const uint8_t **start)
{
    uint8_t id[ENGINE], *pdu = s->buf + V3_HEADROOM;
    const struct usm_keys *keys = NULL;
    struct snmp_msg asked = {0};
    enum v3_report what = V3_UNKNOWN_ENGINE;
    struct v3_msg m;
    size_t room;

    if (p->own < FARM_FIRST || p->own - FARM_FIRST >= FARM_DEVICES || v3_decode(p->data, p->n, &m) < 0)
        return 0;
    name_engine(p->own, id);
    if (m.nengine == ENGINE && memcmp(m.engine, id, ENGINE) == 0) {
        keys = keys_of(s, p->own, id);
        what = fault(s, &m, v3_open(s->usm, keys, &m, &asked));
    }
    if (what != V3_REPORT_OTHER) {
        s->reports++;
        return seal(s, &m, what == V3_NOT_IN_WINDOW ? V3_AUTH : 0, keys, id,
                    v3_put_report(pdu, UDP_ROOM, asked.request_id, what, 1), start);
    }
    room = s->room - v3_overhead(keys->auth, keys->priv, ENGINE, m.nuser, m.ncontext);
    asked.version = SNMP_V3;
    return seal(s, &m, V3_AUTH | V3_PRIV, keys, id, answer(s, p->own, &asked, pdu, room), start);
}

/* ---- The socket ---- */

/* The answer takes the packet's place; false where there is none. */
static bool turn(struct server *s, struct udp_packet *p)
{
    const uint8_t *start = s->buf;
    struct snmp_msg m;
    size_t n = 0;

    s->requests++;
    if ((p->own - FARM_FIRST) % 100 < s->dead) {
        s->dropped++;
        return false;
    }
    if (v3_is(p->data, p->n))
        n = answer_v3(s, p, &start);
    else if (snmp_decode(p->data, p->n, &m) == 0 && m.version == SNMP_V2C)
        n = answer(s, p->own, &m, s->buf, s->room);
    s->dropped += n == 0;
    memcpy(p->data, start, n);
    p->n = n;
    return n > 0;
}

static void serve(struct server *s, int fd, struct udp_packet *batch)
{
    size_t got = udp_receive(fd, batch), n = 0;

    s->now_ms = clock_mono(&clock_system);
    for (size_t i = 0; i < got; i++) {
        if (!turn(s, &batch[i]))
            continue;
        if (n != i)
            batch[n] = batch[i];
        n++;
    }
    udp_send(fd, batch, n);
}

static void tell(const struct server *s)
{
    fprintf(stderr, "v3_farm requests=%lu reports=%lu dropped=%lu\n", s->requests, s->reports, s->dropped);
}

/* Signals come only while the socket is waited for. */
static volatile sig_atomic_t stop, told;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        told = 1;
    else
        stop = 1;
}

static void catch_signals(sigset_t *waiting)
{
    const int numbers[] = {SIGUSR1, SIGINT, SIGTERM};
    struct sigaction act = {.sa_handler = on_signal};
    sigset_t blocked;

    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaddset(&blocked, numbers[i]);
        sigaction(numbers[i], &act, NULL);
    }
    sigprocmask(SIG_BLOCK, &blocked, waiting);
}

static void run(struct server *s, int fd)
{
    struct udp_packet *batch = xcalloc(UDP_BATCH, sizeof *batch);
    struct pollfd in = {.fd = fd, .events = POLLIN};
    sigset_t waiting;

    catch_signals(&waiting);
    while (!stop) {
        if (ppoll(&in, 1, NULL, &waiting) > 0)
            serve(s, fd, batch);
        if (told)
            tell(s);
        told = 0;
    }
    free(batch);
}

int main(int argc, char **argv)
{
    struct server *s = xcalloc(1, sizeof *s);
    uint16_t port = 1610;
    const char *why;
    int fd, bad = 0;

    s->room = 1472;
    for (int o; (o = getopt(argc, argv, "p:m:D:")) != -1;) {
        unsigned long n = o == '?' ? 0 : strtoul(optarg, NULL, 10);

        if (o == 'p')
            port = (uint16_t)n;
        else if (o == 'm')
            s->room = n;
        else if (o == 'D')
            s->dead = (unsigned)n;
        bad |= o == '?';
    }
    if (bad || s->room < V3_MIN_SIZE || s->room > UDP_ROOM) {
        fprintf(stderr, "v3_farm [-p PORT] [-m BYTES (%d to %d)] [-D PERCENT]\n", V3_MIN_SIZE, UDP_ROOM);
        return 2;
    }
    fd = udp_open(port);
    if (fd < 0) {
        fprintf(stderr, "v3_farm: port %u: %s\n", port, strerror(errno));
        return 1;
    }
    s->usm = usm_new(&rng_system);
    if (usm_user_get(s->usm, &farm_secret, &s->user, &why) < 0) {
        fprintf(stderr, "v3_farm: %s\n", why);
        return 1;
    }
    s->farm = farm_new();
    s->engines = xcalloc(FARM_DEVICES, sizeof *s->engines);
    run(s, fd);
    tell(s);
    close(fd);
    farm_free(s->farm);
    usm_user_put(s->user);
    usm_free(s->usm);
    free(s->engines);
    free(s);
    return 0;
}
