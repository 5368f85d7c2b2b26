/*
 * Our codec and net-snmp's on messages that nobody would send: made by the grammar with one or two things wrong in
 * them, or with bytes changed. Both must come to the same verdict and, if they take a message, to the same meaning,
 * but for the named classes of difference, each with its reason.
 *
 * net-snmp reads in a child, which it may crash.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/wire.h"
#include "plugins/snmp/pdu.h"
#include "tests/plugins/snmp/netsnmp.h"

enum { BATCH = 4000, MESSAGE_MAX = 1400 };

/* ---- Messages with something wrong ---- */

/* Where it may be: each element that is written is one chance. */
struct maker {
    const struct pd_rng *rng;
    struct wire_out out;
    unsigned chance; /* one in so many elements is made wrong; 0: none */
};

static uint32_t below(const struct maker *m, uint32_t n)
{
    return (uint32_t)rng_below(m->rng, n);
}

static bool wrong(const struct maker *m)
{
    return m->chance && below(m, m->chance) == 0;
}

static void put_length(struct maker *m, size_t n)
{
    static const unsigned forms[] = {0, 1, 2, 3, 4, 5, 8};
    unsigned extra = n < 0x80 ? 0 : n < 0x100 ? 1 : 2;

    if (wrong(m))
        switch (below(m, 4)) {
        case 0: /* a longer form than it needs */
            extra = forms[below(m, sizeof forms / sizeof *forms)];
            break;
        case 1:
            n += 1 + below(m, 3);
            break;
        case 2:
            n -= n > 0;
            break;
        default:
            wire_put_u8(&m->out, 0x80); /* the indefinite form */
            return;
        }
    if (extra == 0) {
        wire_put_u8(&m->out, (uint8_t)n);
        return;
    }
    wire_put_u8(&m->out, (uint8_t)(0x80 | extra));
    for (unsigned i = extra; i > 0; i--)
        wire_put_u8(&m->out, i > sizeof n ? 0 : (uint8_t)(n >> 8 * (i - 1)));
}

static void put_element(struct maker *m, uint8_t tag, const void *body, size_t n)
{
    static const uint8_t tags[] = {0x02, 0x04, 0x05, 0x06, 0x30, 0x40, 0x41, 0x43, 0x44,
                                   0x46, 0x47, 0x80, 0x82, 0xa2, 0x1f, 0x01, 0x31};

    wire_put_u8(&m->out, wrong(m) ? tags[below(m, sizeof tags)] : tag);
    put_length(m, n);
    wire_put_bytes(&m->out, body, n);
    if (wrong(m)) /* behind it */
        wire_put_u8(&m->out, (uint8_t)below(m, 256));
}

static void put_number(struct maker *m, uint8_t tag, uint64_t v, size_t width)
{
    uint8_t body[24] = {0};
    size_t n = width, pad;

    while (n > 1 && ((v >> (8 * n - 9) & 0x1ff) == 0 || (v >> (8 * n - 9) & 0x1ff) == 0x1ff))
        n--;
    pad = 0;
    if (wrong(m))
        switch (below(m, 4)) {
        case 0:
            n = 0;
            break;
        case 1:
            pad = 1 + below(m, 9);
            memset(body, below(m, 2) ? 0xff : 0, pad);
            break;
        case 2:
            n = 1 + below(m, 8);
            break;
        default:
            pad = 1 + below(m, 4);
            m->rng->fill(m->rng->ctx, body, pad);
        }
    for (size_t i = 0; i < n; i++)
        body[pad + i] = (uint8_t)(v >> 8 * (n - 1 - i));
    put_element(m, tag, body, pad + n);
}

static void put_oid(struct maker *m)
{
    uint8_t body[700];
    struct wire_out out = wire_out(body, sizeof body);
    unsigned n = below(m, 12) ? 1 + below(m, 14) : wrong(m) ? 126 + below(m, 6) : 100;

    wire_put_u8(&out, below(m, 4) ? 0x2b : (uint8_t)below(m, 128));
    for (unsigned i = 0; i < n; i++) {
        uint64_t v = below(m, 3) ? below(m, 200) : rng_u64(m->rng) >> (32 + below(m, 32));
        uint8_t bytes[12];
        unsigned k = 0;

        if (wrong(m))
            v = rng_u64(m->rng) >> below(m, 40);
        do
            bytes[k++] = (uint8_t)(v & 0x7f);
        while ((v >>= 7) && k < sizeof bytes);
        if (wrong(m))
            wire_put_u8(&out, 0x80); /* a leading nothing */
        while (k > 0) {
            k--;
            wire_put_u8(&out, (uint8_t)(bytes[k] | (k > 0 ? 0x80 : 0)));
        }
    }
    if (wrong(m))
        switch (below(m, 3)) {
        case 0:
            wire_put_u8(&out, 0x81); /* cut off */
            break;
        case 1:
            out.p = out.start;
            break;
        default:
            out.p = out.start + 1;
        }
    put_element(m, BER_OID, body, wire_used(&out));
}

static void put_value(struct maker *m)
{
    static const uint8_t types[] = {SNMP_INTEGER,         SNMP_OCTETS,    SNMP_NULL,           SNMP_OID,
                                    SNMP_IPADDRESS,       SNMP_COUNTER32, SNMP_GAUGE32,        SNMP_TIMETICKS,
                                    SNMP_OPAQUE,          SNMP_COUNTER64, SNMP_NO_SUCH_OBJECT, SNMP_NO_SUCH_INSTANCE,
                                    SNMP_END_OF_MIB_VIEW, SNMP_NSAP,      SNMP_UINTEGER32};
    uint8_t type = types[below(m, sizeof types)], bytes[160];
    uint64_t v = rng_u64(m->rng) >> below(m, 64);

    m->rng->fill(m->rng->ctx, bytes, sizeof bytes);
    switch (type) {
    case SNMP_INTEGER:
        put_number(m, type, (uint64_t)(int64_t)(int32_t)(uint32_t)v, 8);
        break;
    case SNMP_COUNTER32:
    case SNMP_GAUGE32:
    case SNMP_TIMETICKS:
    case SNMP_UINTEGER32:
        put_number(m, type, (uint32_t)v, 5);
        break;
    case SNMP_COUNTER64:
        put_number(m, type, v, 8);
        break;
    case SNMP_OID:
        put_oid(m);
        break;
    case SNMP_IPADDRESS:
        put_element(m, type, bytes, wrong(m) ? below(m, 8) : 4);
        break;
    case SNMP_OPAQUE:
        if (below(m, 2)) { /* a number as net-snmp wraps it */
            bytes[0] = 0x9f;
            bytes[1] = (uint8_t)(0x76 + below(m, 6));
            bytes[2] = bytes[1] == 0x78 ? 4 : 8;
            put_element(m, type, bytes, 3u + bytes[2] + (wrong(m) ? below(m, 3) : 0));
            break;
        }
        /* fall through */
    case SNMP_OCTETS:
    case SNMP_NSAP:
        put_element(m, type, bytes, below(m, sizeof bytes));
        break;
    default:
        put_element(m, type, bytes, wrong(m) ? below(m, 3) : 0);
    }
}

/* What write() puts, inside an element. */
static void put_around(struct maker *m, uint8_t tag, void (*write)(struct maker *m))
{
    uint8_t body[MESSAGE_MAX];
    struct maker inner = {.rng = m->rng, .out = wire_out(body, sizeof body), .chance = m->chance};

    write(&inner);
    put_element(m, tag, body, wire_used(&inner.out));
}

static void put_pair(struct maker *m)
{
    put_oid(m);
    if (!wrong(m))
        put_value(m);
}

static void put_list(struct maker *m)
{
    for (unsigned n = below(m, 5); n > 0; n--)
        put_around(m, BER_SEQUENCE, put_pair);
}

static void put_pdu(struct maker *m)
{
    put_number(m, BER_INTEGER, below(m, 2) ? below(m, 1 << 30) : (uint64_t)(int64_t)(int32_t)rng_u32(m->rng), 8);
    put_number(m, BER_INTEGER, below(m, 19), 8);
    put_number(m, BER_INTEGER, below(m, 5), 8);
    put_around(m, BER_SEQUENCE, put_list);
}

static void put_body(struct maker *m)
{
    static const uint8_t pdus[] = {SNMP_RESPONSE, SNMP_RESPONSE, SNMP_RESPONSE, SNMP_GET,  SNMP_GETNEXT,
                                   SNMP_SET,      SNMP_GETBULK,  SNMP_INFORM,   SNMP_TRAP, SNMP_REPORT};

    put_number(m, BER_INTEGER, wrong(m) ? below(m, 5) : below(m, 2), 8);
    put_element(m, BER_OCTETS, "public", below(m, 7));
    put_around(m, pdus[below(m, sizeof pdus)], put_pdu);
}

static size_t make(const struct pd_rng *rng, uint8_t *buf)
{
    static const unsigned chances[] = {0, 200, 60, 30};
    struct maker m = {.rng = rng, .out = wire_out(buf, MESSAGE_MAX)};
    size_t n;

    do {
        m.out = wire_out(buf, MESSAGE_MAX);
        m.chance = chances[below(&m, 4)];
        put_around(&m, BER_SEQUENCE, put_body);
    } while (m.out.bad);
    n = wire_used(&m.out);
    if (below(&m, 4) == 0)
        for (unsigned k = 1 + below(&m, 3); k > 0; k--)
            buf[below(&m, (uint32_t)n)] = (uint8_t)below(&m, 256);
    if (below(&m, 16) == 0)
        n = below(&m, (uint32_t)n + 1);
    return n;
}

/* ---- Verdicts ---- */

enum verdict { UNREAD, BOTH_TAKE, BOTH_REFUSE, ONLY_WE, ONLY_THEY, DIFFER, THEY_CRASH };

struct message {
    uint8_t bytes[MESSAGE_MAX];
    size_t n;
    uint8_t verdict;  /* enum verdict */
    const char *what; /* differs */
};

static bool we_take(const struct message *t, struct snmp_msg *m, struct snmp_varbinds *vbs)
{
    return snmp_decode(t->bytes, t->n, m) == 0 && snmp_decode_varbinds(m, vbs) == 0;
}

static void judge(struct message *t, struct snmp_varbinds *vbs)
{
    struct snmp_msg m;
    bool ours = we_take(t, &m, vbs);
    netsnmp_pdu *theirs;

    t->verdict = THEY_CRASH; /* should it be the last we hear of it */
    theirs = netsnmp_decode(t->bytes, t->n);
    t->what = ours && theirs ? netsnmp_difference(&m, vbs, theirs) : NULL;
    t->verdict = (uint8_t)(t->what            ? DIFFER
                           : ours && theirs   ? BOTH_TAKE
                           : !ours && !theirs ? BOTH_REFUSE
                           : ours             ? ONLY_WE
                                              : ONLY_THEY);
    if (theirs)
        snmp_free_pdu(theirs);
}

/* Judges from messages[from] on in a child: to which it came. */
static void judge_in_child(struct message *messages, size_t from)
{
    struct snmp_varbinds *vbs;
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0) {
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return;
    }
    vbs = malloc(sizeof *vbs);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    for (size_t i = from; i < BATCH; i++)
        judge(&messages[i], vbs);
    _exit(0);
}

static void judge_all(struct message *messages)
{
    for (size_t i = 0; i < BATCH;) {
        judge_in_child(messages, i);
        while (i < BATCH && messages[i].verdict != UNREAD)
            i++;
    }
}

/* ---- What is odd about a message ---- */

enum odd {
    ODD_LENGTH = 1 << 0,
    ODD_COMMUNITY = 1 << 1,
    ODD_HEAD = 1 << 2,
    ODD_BEHIND = 1 << 3,
    ODD_PADDED = 1 << 4,
    ODD_OPAQUE = 1 << 5,
    ODD_VALUE = 1 << 6,
    ODD_NAME = 1 << 7,
    ODD_INTEGER = 1 << 8,
};

/* The classes of difference: who takes what, and why we do as we do. */
static const struct difference {
    unsigned odd; /* such a message has this */
    enum verdict verdict;
    const char *what, *reason;
    const char *example; /* hex */
} differences[] = {
    {ODD_LENGTH, ONLY_THEY, "a length of five bytes or more",
     "RFC 3417, section 8: definite form; no datagram's length needs more than four",
     "302502010104850000000003707562a216020107020100020100300b300906042b060102020105"},
    {ODD_COMMUNITY, ONLY_THEY, "a community that is no OCTET STRING", "RFC 1157, section 4.1",
     "30200201014403707562a216020107020100020100300b300906042b060102020105"},
    {ODD_HEAD, ONLY_THEY, "a number of the head beyond 32 bits", "RFC 3416, section 3: Integer32; they cut it off",
     "30240201010403707562a21a02050100000007020100020100300b300906042b060102020105"},
    {ODD_BEHIND, ONLY_THEY, "something behind a varbind's value",
     "RFC 3416, section 3: a VarBind is a name and a value; they go on with the next where the value ends",
     "302b0201010403707562a2210201070201000201003016301406042b060102020105300906042b060102020105"},
    {ODD_PADDED, ONLY_WE, "a number padded to more than eight bytes",
     "X.690, 8.3.2 forbids padding, but what it says is plain, and agents pad counters",
     "30280201010403707562a21e0201070201000201003013301106042b0601020209000000000000000005"},
    {ODD_VALUE, ONLY_WE, "a value that is none of its type",
     "RFC 3416, section 4.2 knows no half answer; to us it spoils that one value",
     "30220201010403707562a218020107020100020100300d300b06042b06010240037f0000"},
    {ODD_OPAQUE, ONLY_WE, "an Opaque that begins like a number in an Opaque and is none",
     "RFC 2578, section 7.1.9: an Opaque is any bytes",
     "30260201010403707562a21c0201070201000201003011300f06042b06010244079f780901020304"},
    {ODD_OPAQUE, DIFFER, "an Opaque that holds a number of 64 bits",
     "RFC 2578, section 7.1.9 says nothing of such; they are bytes to us",
     "302a0201010403707562a2200201070201000201003015301306042b060102440b9f76080000000000000009"},
    {ODD_NAME, DIFFER, "an OBJECT IDENTIFIER without contents", "X.690, 8.19.2 forbids it; 0.0 to us, 0 to them",
     "301c0201010403707562a212020107020100020100300730050600020105"},
    {ODD_INTEGER, DIFFER, "an INTEGER beyond 32 bits", "RFC 2578, section 7.1.1; we keep it, they cut it off",
     "30240201010403707562a21a020107020100020100300f300d06042b06010202050100000007"},
};
enum { DIFFERENCES = sizeof differences / sizeof *differences };
_Static_assert(DIFFERENCES <= 12, "few enough to be looked through");

struct element {
    uint8_t tag;
    const uint8_t *p;
    size_t n;
};

/* The next element, however long its length is; false at the end, or where it is not whole. */
static bool next(const uint8_t **p, const uint8_t *end, struct element *e, unsigned *odd)
{
    uint64_t n;
    unsigned extra;

    if (end - *p < 2)
        return false;
    e->tag = (*p)[0];
    n = (*p)[1];
    *p += 2;
    if (n >= 0x80) {
        extra = n & 0x7f;
        *odd |= extra > 4 ? ODD_LENGTH : 0;
        for (n = 0; extra > 0 && *p < end; extra--)
            n = n << 8 | *(*p)++;
    }
    if (n > (uint64_t)(end - *p))
        return false;
    e->p = *p;
    e->n = (size_t)n;
    *p += n;
    return true;
}

static void look_at_head(const struct element *e, unsigned *odd)
{
    *odd |= e->n > 8 ? ODD_PADDED : 0;
    *odd |= e->n > 4 ? ODD_HEAD : 0;
}

static bool is_number(uint8_t tag)
{
    return tag == SNMP_INTEGER || (tag >= SNMP_COUNTER32 && tag <= SNMP_UINTEGER32);
}

static void look_at_pair(const struct element *pair, unsigned *odd)
{
    const uint8_t *p = pair->p, *end = p + pair->n;
    struct element e;

    if (!next(&p, end, &e, odd))
        return;
    *odd |= e.n == 0 ? ODD_NAME : 0;
    if (!next(&p, end, &e, odd))
        return;
    *odd |= p < end ? ODD_BEHIND : 0;
    *odd |= e.tag == SNMP_OID && e.n == 0 ? ODD_NAME : 0;
    *odd |= e.tag == SNMP_OPAQUE && e.n > 1 && e.p[0] == 0x9f ? ODD_OPAQUE : 0;
    *odd |= e.tag == SNMP_INTEGER && e.n > 4 ? ODD_INTEGER : 0;
    *odd |= is_number(e.tag) && e.n > 8 ? ODD_PADDED : 0;
}

/* Version, community and PDU; the PDU's three numbers and its list; the pairs in that. */
static unsigned oddities(const struct message *t)
{
    const uint8_t *p = t->bytes, *end = p + t->n;
    struct element e;
    unsigned odd = 0;

    if (!next(&p, end, &e, &odd))
        return odd;
    p = e.p;
    end = p + e.n;
    if (!next(&p, end, &e, &odd))
        return odd;
    look_at_head(&e, &odd);
    if (!next(&p, end, &e, &odd))
        return odd;
    odd |= e.tag != BER_OCTETS ? ODD_COMMUNITY : 0;
    if (!next(&p, end, &e, &odd))
        return odd;
    p = e.p;
    end = p + e.n;
    for (int i = 0; i < 3; i++) {
        if (!next(&p, end, &e, &odd))
            return odd;
        look_at_head(&e, &odd);
    }
    if (!next(&p, end, &e, &odd))
        return odd;
    p = e.p;
    end = p + e.n;
    while (next(&p, end, &e, &odd))
        look_at_pair(&e, &odd);
    return odd;
}

static bool has_bad_value(const struct message *t, struct snmp_varbinds *vbs)
{
    struct snmp_msg m;

    if (!we_take(t, &m, vbs))
        return false;
    for (size_t i = 0; i < vbs->n; i++)
        if (vbs->v[i].type == SNMP_BAD)
            return true;
    return false;
}

/* The class that a difference belongs to; DIFFERENCES: none. */
static size_t explain(const struct message *t, struct snmp_varbinds *vbs)
{
    unsigned odd = oddities(t) | (has_bad_value(t, vbs) ? ODD_VALUE : 0);
    size_t i = 0;

    while (i < DIFFERENCES && !(differences[i].verdict == t->verdict && differences[i].odd & odd))
        i++;
    return i;
}

/* ---- Tests ---- */

/* Under valgrind a message takes fifty times as long. */
static size_t wanted(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload") ? 3000 : 300000;
}

static void fail_on(const struct message *t)
{
    static const char *const names[] = {[ONLY_WE] = "we alone take",
                                        [ONLY_THEY] = "they alone take",
                                        [DIFFER] = "we and they read differently",
                                        [THEY_CRASH] = "they crash on"};
    char hex[2 * MESSAGE_MAX + 1] = "";

    for (size_t i = 0; i < t->n; i++)
        snprintf(hex + 2 * i, 3, "%02x", t->bytes[i]);
    fail_msg("%s (%s): %s", names[t->verdict], t->what ? t->what : "", hex);
}

static void make_all(const struct pd_rng *rng, struct message *messages)
{
    struct snmp_msg m;

    for (size_t i = 0; i < BATCH; i++) {
        do /* version 1's traps have a reader of their own */
            messages[i].n = make(rng, messages[i].bytes);
        while (snmp_decode(messages[i].bytes, messages[i].n, &m) == 0 && m.type == SNMP_TRAP_V1);
        messages[i].verdict = UNREAD;
    }
}

static struct message *shared_messages(void)
{
    struct message *messages =
        mmap(NULL, BATCH * sizeof *messages, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(messages != MAP_FAILED);
    return messages;
}

static void all_differences_are_of_named_classes(void **state)
{
    struct message *messages = shared_messages();
    struct snmp_varbinds *vbs = malloc(sizeof *vbs);
    size_t taken = 0, refused = 0, met[DIFFERENCES + 1] = {0};
    struct rng_seeded seed;
    struct pd_rng rng = rng_seeded_ops(&seed);

    (void)state;
    rng_seed(&seed, 45);
    while (taken < wanted() || refused < wanted()) {
        make_all(&rng, messages);
        judge_all(messages);
        for (size_t i = 0; i < BATCH; i++) {
            taken += messages[i].verdict == BOTH_TAKE;
            refused += messages[i].verdict == BOTH_REFUSE;
            if (messages[i].verdict <= BOTH_REFUSE)
                continue;
            met[explain(&messages[i], vbs)]++;
            if (met[DIFFERENCES])
                fail_on(&messages[i]);
        }
    }
    printf("%zu taken by both, %zu refused by both\n", taken, refused);
    for (size_t i = 0; i < DIFFERENCES; i++)
        printf("%8zu %s (%s)\n", met[i], differences[i].what, differences[i].reason);
    free(vbs);
    munmap(messages, BATCH * sizeof *messages);
}

static void each_class_has_its_example(void **state)
{
    struct message *messages = shared_messages();
    struct snmp_varbinds *vbs = malloc(sizeof *vbs);

    (void)state;
    for (size_t i = 0; i < DIFFERENCES; i++) {
        const char *hex = differences[i].example;

        messages[i].n = strlen(hex) / 2;
        for (size_t k = 0; k < messages[i].n; k++)
            assert_int_equal(sscanf(hex + 2 * k, "%2hhx", &messages[i].bytes[k]), 1);
        messages[i].verdict = UNREAD;
    }
    judge_all(messages);
    for (size_t i = 0; i < DIFFERENCES; i++) {
        if (messages[i].verdict != differences[i].verdict)
            fail_msg("%s: verdict %d", differences[i].what, messages[i].verdict);
        if (explain(&messages[i], vbs) != i)
            fail_msg("%s: is taken for class %zu", differences[i].what, explain(&messages[i], vbs));
    }
    free(vbs);
    munmap(messages, BATCH * sizeof *messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_has_its_example),
        cmocka_unit_test(all_differences_are_of_named_classes),
    };

    snmp_disable_log();
    return cmocka_run_group_tests_name("plugins/snmp/oracle", tests, NULL, NULL);
}
