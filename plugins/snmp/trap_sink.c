#include "plugins/snmp/trap_sink.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/keyed.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugins/snmp/cell.h"
#include "plugins/snmp/trap.h"
#include "plugins/snmp/trap_seen.h"
#include "plugins/snmp/trap_usm.h"

enum {
    TURN_BATCHES = 4,   /* taken in one turn of the loop */
    QUIET_MS = 10000,   /* between two lines of the log */
    MAX_WAITING = 4096, /* informs whose answer waits for the disk */
    MAX_WAITING_BYTES = 4 << 20,
    ANSWER_SIZE = SNMP_MAX_MESSAGE + V3_HEADROOM + V3_TAIL,
    LEAST = 12, /* bytes: no trap is shorter */
};

/* Why a packet came to nothing. */
enum drop {
    DROP_SOURCE,
    DROP_ALL,
    DROP_MALFORMED,
    DROP_VERSION,
    DROP_TYPE,
    DROP_COMMUNITY,
    DROP_USER,
    DROP_LEVEL,
    DROP_DIGEST,
    DROP_CIPHER,
    DROP_REPLAYED,
    DROP_FULL,
    DROP_UNSENT,
    DROPS,
    TAKEN = DROPS
};

static const struct {
    const char *counter, *text;
} drop_names[DROPS] = {
    [DROP_SOURCE] = {"traps_dropped_source_rate", "is one of too many from there"},
    [DROP_ALL] = {"traps_dropped_rate", "is one of too many in all"},
    [DROP_MALFORMED] = {"traps_dropped_malformed", "is no SNMP message, or no trap inside"},
    [DROP_VERSION] = {"traps_dropped_version", "has an unknown version of SNMP"},
    [DROP_TYPE] = {"traps_dropped_type", "is no trap"},
    [DROP_COMMUNITY] = {"traps_dropped_community", "is not from a known device with its community"},
    [DROP_USER] = {"traps_dropped_user", "names an unknown user"},
    [DROP_LEVEL] = {"traps_dropped_level", "is not as secure as its user wants"},
    [DROP_DIGEST] = {"traps_dropped_digest", "has a wrong digest"},
    [DROP_CIPHER] = {"traps_dropped_cipher", "can't be deciphered"},
    [DROP_REPLAYED] = {"traps_dropped_replayed", "is outside its time window, or was sent before"},
    [DROP_FULL] = {"traps_dropped_busy", "finds too many that wait for the disk"},
    [DROP_UNSENT] = {"traps_answers_unsent", "could not be answered"},
};

/* An inform whose answer waits for the disk. */
struct waiting {
    LIST_ENTRY(waiting) link;
    struct trap_sink *sink;
    struct trap_packet packet; /* where to; its data is not there any more */
    uint64_t key;
    size_t n;
    uint8_t answer[];
};

struct trap_sink {
    const struct pd_services *services;
    struct trap_net net;
    struct snmp_boots self;
    bool has_self;
    struct trap_usm *usm;
    struct trap_limit *limit;
    struct trap_seen *seen;
    struct pd_trap_sink to; /* .trap NULL: nobody hears */
    LIST_HEAD(, waiting) waiting;
    size_t nwaiting, waiting_bytes;
    int64_t quiet_until;
    uint64_t unsaid;
    uint64_t received, strangers, taken, answered, repeated, reports, drops[DROPS];
    struct snmp_varbinds room;
    struct pd_cell cells[SNMP_MAX_VARBINDS];
    uint8_t answer[ANSWER_SIZE];
};

static int64_t now(const struct trap_sink *s)
{
    return clock_mono(&s->services->clock);
}

/* ---- Answers ---- */

static void send_back(struct trap_sink *s, const struct trap_packet *p, const uint8_t *data, size_t n)
{
    if (!s->net.send(s->net.ctx, p, data, n))
        s->drops[DROP_UNSENT]++;
}

static void send_answer(struct trap_sink *s, const struct trap_packet *p, const uint8_t *data, size_t n)
{
    s->answered++;
    send_back(s, p, data, n);
}

static void leave(struct waiting *w)
{
    LIST_REMOVE(w, link);
    w->sink->nwaiting--;
    w->sink->waiting_bytes -= w->n;
    free(w);
}

/* What an inform told is on disk. */
static void on_done(void *arg)
{
    struct waiting *w = arg;

    trap_seen_note(w->sink->seen, w->key, TRAP_DONE, now(w->sink));
    send_answer(w->sink, &w->packet, w->answer, w->n);
    leave(w);
}

static struct waiting *wait_for(struct trap_sink *s, const struct trap_packet *p, uint64_t key, const uint8_t *answer,
                                size_t n)
{
    struct waiting *w;

    if (s->nwaiting == MAX_WAITING || s->waiting_bytes + n > MAX_WAITING_BYTES)
        return NULL;
    w = xmalloc(sizeof *w + n);
    *w = (struct waiting){.sink = s, .packet = *p, .key = key, .n = n};
    w->packet.data = NULL;
    memcpy(w->answer, answer, n);
    LIST_INSERT_HEAD(&s->waiting, w, link);
    s->nwaiting++;
    s->waiting_bytes += n;
    return w;
}

/* ---- What a trap says ---- */

static void fill(struct trap_sink *s, const struct trap_packet *p, const struct snmp_trap *t, struct pd_trap *out)
{
    for (size_t i = 0; i < t->n; i++) {
        s->cells[i] = (struct pd_cell){.instance = t->v[i].name, .ninstance = t->v[i].nname};
        snmp_cell_set(&s->cells[i], &t->v[i]);
    }
    out->agent = t->has_agent && !pd_addr_same_host(&t->agent, &p->from) ? &t->agent : NULL;
    out->uptime = t->uptime;
    out->oid = t->oid.id;
    out->noid = t->oid.n;
    out->cells = s->cells;
    out->ncells = t->n;
}

/* Sent at once; nothing waits for what came of it. */
static void nobody_waits(void *arg)
{
    (void)arg;
}

static enum drop tell(struct trap_sink *s, const struct pd_trap *t, struct waiting *w)
{
    bool believed = s->to.trap(s->to.arg, t, w ? on_done : nobody_waits, w);

    if (believed)
        return TAKEN;
    if (w)
        leave(w);
    return t->version == 3 ? TAKEN : DROP_COMMUNITY;
}

/*
 * A trap that can be read. answer[0..n): what it is answered with; n = 0: it is none that is. key: by which it is known
 * again; once: so it is.
 */
static enum drop take(struct trap_sink *s, const struct trap_packet *p, const struct pd_trap *t, bool once,
                      uint64_t key, const uint8_t *answer, size_t n)
{
    enum trap_sight sight = once ? trap_seen_look(s->seen, key, now(s)) : TRAP_NEW;
    struct waiting *w = NULL;
    enum drop drop;

    if (sight != TRAP_NEW) {
        s->repeated++;
        if (sight == TRAP_DONE && n)
            send_answer(s, p, answer, n);
        return n ? TAKEN : DROP_REPLAYED;
    }
    if (n && (w = wait_for(s, p, key, answer, n)) == NULL)
        return DROP_FULL;
    if (once)
        trap_seen_note(s->seen, key, n ? TRAP_WAITS : TRAP_DONE, now(s));
    drop = tell(s, t, w);
    if (drop != TAKEN && once)
        trap_seen_note(s->seen, key, TRAP_NEW, now(s));
    return drop;
}

static uint64_t key_of(const struct trap_sink *s, const struct trap_packet *p, const uint8_t *said, size_t n)
{
    if (p->from.sa.sa_family == AF_INET)
        return trap_seen_key(s->seen, &p->from.in.sin_addr, sizeof p->from.in.sin_addr, said, n);
    return trap_seen_key(s->seen, &p->from.in6.sin6_addr, sizeof p->from.in6.sin6_addr, said, n);
}

/* By which an inform is known for good, so with no key that a restart changes. */
static uint64_t lasting_id(const struct trap_packet *p, const uint8_t *said, size_t n)
{
    static const uint64_t key[2];
    const bool v4 = p->from.sa.sa_family == AF_INET;
    const void *host = v4 ? (const void *)&p->from.in.sin_addr : &p->from.in6.sin6_addr;

    return keyed_hash(key, host, v4 ? sizeof p->from.in.sin_addr : sizeof p->from.in6.sin6_addr) ^
           keyed_hash(key, said, n);
}

static enum drop drop_of(int err)
{
    return err == PD_EVERSION ? DROP_VERSION : err == PD_EINVAL ? DROP_TYPE : DROP_MALFORMED;
}

/* ---- Versions 1 and 2c ---- */

static size_t write_answer(struct trap_sink *s, const struct snmp_msg *inform)
{
    struct snmp_msg head = *inform;
    struct snmp_writer w;

    head.type = SNMP_RESPONSE;
    head.status = head.index = 0;
    snmp_begin(&w, s->answer, sizeof s->answer, &head);
    return snmp_put_encoded(&w, inform->varbinds.p, wire_left(&inform->varbinds)) ? snmp_end(&w) : 0;
}

static enum drop take_plain(struct trap_sink *s, const struct trap_packet *p)
{
    struct pd_trap out = {.from = &p->from};
    struct snmp_trap t;
    struct snmp_msg m;
    int rc = snmp_decode(p->data, p->n, &m);

    if (rc == 0)
        rc = snmp_trap_read(&m, &s->room, &t);
    if (rc < 0)
        return drop_of(rc);
    fill(s, p, &t, &out);
    out.version = m.version == SNMP_V1 ? 1 : 2;
    out.inform = m.type == SNMP_INFORM;
    out.id = out.inform ? lasting_id(p, p->data, p->n) : 0;
    out.community = m.community;
    out.ncommunity = m.ncommunity;
    return take(s, p, &out, out.inform, key_of(s, p, p->data, p->n), s->answer, out.inform ? write_answer(s, &m) : 0);
}

/* ---- Version 3 ---- */

/* That something is there to be told is all that is believed of it. */
static void hint(struct trap_sink *s, const struct trap_packet *p)
{
    const struct pd_trap t = {.from = &p->from, .version = 3};

    s->to.trap(s->to.arg, &t, nobody_waits, NULL);
}

static enum drop take_authentic(struct trap_sink *s, const struct trap_packet *p, struct trap_message *in)
{
    struct pd_trap out = {.from = &p->from, .version = 3, .authentic = true, .user = in->user};
    const struct wire_in *said = &in->pdu.varbinds;
    const uint8_t *answer = NULL;
    struct snmp_trap t;
    size_t n = 0;
    uint64_t key;
    int rc = in->ours == (in->pdu.type == SNMP_INFORM) ? snmp_trap_read(&in->pdu, &s->room, &t) : PD_EINVAL;

    if (rc < 0)
        return drop_of(rc);
    fill(s, p, &t, &out);
    out.inform = in->ours;
    out.id = in->ours ? lasting_id(p, said->p, wire_left(said)) ^ (uint32_t)in->pdu.request_id : 0;
    if (!in->ours) {
        out.engine = in->m.engine;
        out.nengine = in->m.nengine;
    }
    /* An inform that is sent again is another message with the same request; a trap's id is its message's. */
    key = key_of(s, p, said->p, wire_left(said)) ^ (in->ours ? (uint32_t)in->pdu.request_id : (uint32_t)in->m.msg_id);
    if (in->ours)
        n = trap_usm_answer(s->usm, in, now(s), s->answer, sizeof s->answer, &answer);
    return take(s, p, &out, true, key, answer, n);
}

static enum drop take_v3(struct trap_sink *s, const struct trap_packet *p, bool known)
{
    static const enum drop drops[] = {
        [TRAP_AUTHENTIC] = TAKEN,          [TRAP_PLAIN] = DROP_LEVEL,
        [TRAP_NONSENSE] = DROP_MALFORMED,  [TRAP_ASKS] = TAKEN,
        [TRAP_NO_USER] = DROP_USER,        [TRAP_NO_LEVEL] = DROP_LEVEL,
        [TRAP_WRONG_DIGEST] = DROP_DIGEST, [TRAP_NOT_DECIPHERED] = DROP_CIPHER,
        [TRAP_REPLAYED] = DROP_REPLAYED,
    };
    struct trap_message in;
    enum trap_proof proof = trap_usm_open(s->usm, p->data, p->n, now(s), &in);

    if (in.nreport) {
        s->reports++;
        send_back(s, p, in.report, in.nreport);
    }
    if (proof == TRAP_AUTHENTIC) {
        trap_limit_proved(s->limit, &p->from, known, now(s));
        return take_authentic(s, p, &in);
    }
    if (proof != TRAP_ASKS && proof != TRAP_NONSENSE && proof != TRAP_REPLAYED)
        hint(s, p);
    return drops[proof];
}

/* ---- Receiving ---- */

static void note_drop(struct trap_sink *s, enum drop drop, const struct trap_packet *p)
{
    char from[PD_ADDR_TEXT];
    int64_t t = now(s);

    s->drops[drop]++;
    if (t < s->quiet_until) {
        s->unsaid++;
        return;
    }
    pd_addr_text(&p->from, from);
    log_warn("snmp", "dropped a trap from %s: it %s (%llu dropped before this not logged)", from, drop_names[drop].text,
             (unsigned long long)s->unsaid);
    s->unsaid = 0;
    s->quiet_until = t + QUIET_MS;
}

static enum drop take_packet(struct trap_sink *s, const struct trap_packet *p)
{
    bool known;
    enum trap_room room;

    if (p->n < LEAST || p->data[0] != BER_SEQUENCE)
        return DROP_MALFORMED;
    known = s->to.knows(s->to.arg, &p->from);
    s->strangers += !known;
    room = trap_limit_take(s->limit, &p->from, known, now(s));
    if (room != TRAP_ROOM)
        return room == TRAP_ROOM_SOURCE ? DROP_SOURCE : DROP_ALL;
    return v3_is(p->data, p->n) ? take_v3(s, p, known) : take_plain(s, p);
}

static void on_readable(void *arg)
{
    struct trap_sink *s = arg;
    struct trap_packet p[TRAP_BATCH];
    size_t n = TRAP_BATCH;

    for (int batch = 0; batch < TURN_BATCHES && n == TRAP_BATCH; batch++) {
        n = s->net.recv(s->net.ctx, p, TRAP_BATCH);
        s->received += n;
        for (size_t i = 0; i < n && s->to.trap; i++) {
            enum drop drop = take_packet(s, &p[i]);

            if (drop == TAKEN)
                s->taken++;
            else
                note_drop(s, drop, &p[i]);
        }
    }
}

/* ---- Life ---- */

static void begin_engine(struct trap_sink *s, const char *file)
{
    int rc = file ? snmp_boots_raise(file, &s->services->rng, &s->self) : PD_ENOENT;

    s->has_self = rc == 0;
    if (file && rc < 0)
        log_error("snmp", "%s can't be written, so no informs of version 3 are taken: %s", file, pd_strerror(rc));
}

struct trap_sink *trap_sink_new(const struct pd_services *services, struct usm *usm, const struct trap_net *net,
                                const struct trap_rates *rates, const char *engine_file)
{
    struct trap_sink *s = xcalloc(1, sizeof *s);

    s->services = services;
    s->net = *net;
    begin_engine(s, engine_file);
    s->usm = trap_usm_new(usm, &services->rng, s->has_self ? &s->self : NULL, now(s));
    s->limit = trap_limit_new(&services->rng, rates);
    s->seen = trap_seen_new(&services->rng);
    LIST_INIT(&s->waiting);
    s->net.listen(s->net.ctx, on_readable, s);
    return s;
}

void trap_sink_free(struct trap_sink *s)
{
    struct waiting *w;

    if (!s)
        return;
    while ((w = LIST_FIRST(&s->waiting)) != NULL)
        leave(w); // NOLINT(clang-analyzer-unix.Malloc)
    trap_usm_free(s->usm);
    trap_limit_free(s->limit);
    trap_seen_free(s->seen);
    free(s);
}

void trap_sink_to(struct trap_sink *s, const struct pd_trap_sink *sink, const struct pd_usm_secret *users, size_t n)
{
    s->to = sink ? *sink : (struct pd_trap_sink){0};
    trap_usm_users(s->usm, users, n);
}

void trap_sink_counters(const struct trap_sink *s, void (*put)(void *arg, const char *name, uint64_t value), void *arg)
{
    put(arg, "traps_received", s->received);
    put(arg, "traps_of_strangers", s->strangers);
    put(arg, "traps_taken", s->taken);
    put(arg, "traps_repeated", s->repeated);
    put(arg, "traps_answered", s->answered);
    put(arg, "traps_reports_sent", s->reports);
    put(arg, "traps_waiting", s->nwaiting);
    for (int i = 0; i < DROPS; i++)
        put(arg, drop_names[i].counter, s->drops[i]);
}
