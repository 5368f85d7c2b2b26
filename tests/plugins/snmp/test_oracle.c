/*
 * Our codec and net-snmp's on messages that nobody would send: made by the grammar with one or two things wrong in
 * them, or with bytes changed. Both must come to the same verdict and, if they take a message, to the same meaning,
 * but for the named classes of difference, each with its reason. Those of version 3 are of users that both know, open,
 * signed or enciphered as well.
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

#include "base/mem.h"
#include "base/rng.h"
#include "plugins/snmp/pdu.h"
#include "tests/plugins/snmp/maker.h"
#include "tests/plugins/snmp/netsnmp.h"
#include "tests/plugins/snmp/samples3.h"

enum { BATCH = 4000 };

/* ---- Messages ---- */

static void put_plain(struct maker *m)
{
    maker_put_number(m, BER_INTEGER, maker_wrong(m) ? maker_below(m, 5) : maker_below(m, 2), 8);
    maker_put(m, BER_OCTETS, "public", maker_below(m, 7));
    maker_put_pdu(m);
}

/* ---- Verdicts ---- */

enum verdict { UNREAD, BOTH_TAKE, BOTH_REFUSE, ONLY_WE, ONLY_THEY, DIFFER, THEY_CRASH };

struct message {
    uint8_t bytes[MESSAGE_MAX];
    size_t n;
    uint8_t verdict;  /* enum verdict */
    const char *what; /* differs */
};

/* What the judges need beside a message; one for each process. */
struct bench {
    struct rng_seeded seed;
    struct pd_rng rng;
    struct samples3 v3;
    struct v3_msg head; /* of the message that was taken last, */
    struct snmp_msg m;
    struct snmp_varbinds vbs;
};

static bool is_v3(const struct message *t)
{
    return v3_is(t->bytes, t->n);
}

static bool we_take(struct bench *b, const struct message *t)
{
    if (is_v3(t))
        return samples3_take(&b->v3, t->bytes, t->n, &b->head, &b->m, &b->vbs);
    return snmp_decode(t->bytes, t->n, &b->m) == 0 && snmp_decode_varbinds(&b->m, &b->vbs) == 0;
}

static const char *difference(const struct bench *b, const struct message *t, const netsnmp_pdu *theirs)
{
    const char *what = is_v3(t) ? netsnmp_difference3(&b->head, theirs) : NULL;

    return what ? what : netsnmp_difference(&b->m, &b->vbs, theirs);
}

static void judge(struct bench *b, struct message *t)
{
    bool ours = we_take(b, t);
    netsnmp_pdu *theirs;

    t->verdict = THEY_CRASH; /* should it be the last we hear of it */
    netsnmp_set_clock(b->v3.engine, sizeof b->v3.engine, SAMPLE_BOOTS, SAMPLE_TIME);
    theirs = netsnmp_decode(t->bytes, t->n);
    t->what = ours && theirs ? difference(b, t, theirs) : NULL;
    t->verdict = (uint8_t)(t->what            ? DIFFER
                           : ours && theirs   ? BOTH_TAKE
                           : !ours && !theirs ? BOTH_REFUSE
                           : ours             ? ONLY_WE
                                              : ONLY_THEY);
    if (theirs)
        snmp_free_pdu(theirs);
}

/* Judges from messages[from] on in a child: to which it came. */
static void judge_in_child(struct bench *b, struct message *messages, size_t from)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0) {
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return;
    }
    signal(SIGSEGV, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    for (size_t i = from; i < BATCH; i++)
        judge(b, &messages[i]);
    _exit(0);
}

static void judge_all(struct bench *b, struct message *messages)
{
    for (size_t i = 0; i < BATCH;) {
        judge_in_child(b, messages, i);
        while (i < BATCH && messages[i].verdict != UNREAD)
            i++;
    }
}

/* ---- What is odd about a message ---- */

enum odd {
    ODD_LENGTH = 1 << 0,
    ODD_STRING = 1 << 1,
    ODD_HEAD = 1 << 2,
    ODD_BEHIND = 1 << 3,
    ODD_PADDED = 1 << 4,
    ODD_OPAQUE = 1 << 5,
    ODD_VALUE = 1 << 6,
    ODD_NAME = 1 << 7,
    ODD_INTEGER = 1 << 8,
    ODD_SECURITY = 1 << 9,
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
    {ODD_STRING, ONLY_THEY, "a string of the head that is no OCTET STRING",
     "RFC 1157, section 4.1; RFC 3412, section 6; they take any type that holds bytes",
     "30200201014403707562a216020107020100020100300b300906042b060102020105"},
    {ODD_HEAD, ONLY_THEY, "a number of the head beyond 32 bits", "RFC 3416, section 3: Integer32; they cut it off",
     "30240201010403707562a21a02050100000007020100020100300b300906042b060102020105"},
    {ODD_BEHIND, ONLY_THEY,
     "something behind a varbind's value, or behind all that version 3 has in a sequence, or signs",
     "RFC 3416, section 3, and RFC 3412, section 6, name what there is; they go on where the last of it ends",
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
    {ODD_SECURITY, ONLY_THEY, "security parameters that end before or behind their string",
     "RFC 3414, section 2.4: they are what the string holds; they go on where the last of them ends",
     "30530201033010020433e14edd0202271d040104020103047b301804058000000107020105020203e804046f70656e040004003020"
     "0405800000010704076120636f6e7465a20e02042033ebf40201040201033000"},
};
enum { DIFFERENCES = sizeof differences / sizeof *differences };
_Static_assert(DIFFERENCES <= 12, "few enough to be looked through");

struct element {
    uint8_t tag;
    const uint8_t *p;
    size_t n;
};

/* A tag and a length, however long that is; false at the end. */
static bool begin(const uint8_t **p, const uint8_t *end, struct element *e, uint64_t *n, unsigned *odd)
{
    unsigned extra;

    if (end - *p < 2)
        return false;
    e->tag = (*p)[0];
    *n = (*p)[1];
    *p += 2;
    if (*n >= 0x80) {
        extra = *n & 0x7f;
        *odd |= extra > 4 ? ODD_LENGTH : 0;
        for (*n = 0; extra > 0 && *p < end; extra--)
            *n = *n << 8 | *(*p)++;
    }
    return true;
}

/* The next element; false at the end, or where it is not whole. */
static bool next(const uint8_t **p, const uint8_t *end, struct element *e, unsigned *odd)
{
    uint64_t n;

    if (!begin(p, end, e, &n, odd) || n > (uint64_t)(end - *p))
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

/* Enters the next element; false if there is none. */
static bool enter(struct element *in, uint8_t *tag, unsigned *odd)
{
    const uint8_t *p = in->p, *end = p + in->n;
    struct element e;

    if (!next(&p, end, &e, odd))
        return false;
    *tag = e.tag;
    *in = e;
    return true;
}

/* A PDU's three numbers and its list; the pairs in that. */
static void look_at_pdu(const struct element *pdu, unsigned *odd)
{
    const uint8_t *p = pdu->p, *end = p + pdu->n;
    struct element e;

    for (int i = 0; i < 3; i++) {
        if (!next(&p, end, &e, odd))
            return;
        look_at_head(&e, odd);
    }
    if (!next(&p, end, &e, odd))
        return;
    p = e.p;
    end = p + e.n;
    while (next(&p, end, &e, odd))
        look_at_pair(&e, odd);
}

/* Version, community and PDU. */
static unsigned oddities(const struct message *t)
{
    struct element e = {.p = t->bytes, .n = t->n};
    const uint8_t *p, *end;
    unsigned odd = 0;
    uint8_t tag;

    if (!enter(&e, &tag, &odd))
        return odd;
    p = e.p;
    end = p + e.n;
    if (!next(&p, end, &e, &odd))
        return odd;
    look_at_head(&e, &odd);
    if (!next(&p, end, &e, &odd))
        return odd;
    odd |= e.tag != BER_OCTETS ? ODD_STRING : 0;
    if (next(&p, end, &e, &odd))
        look_at_pdu(&e, &odd);
    return odd;
}

/* The elements of a head of version 3: by their letters integers, or strings. */
static void look_at_fields(const struct element *list, const char *letters, unsigned *odd)
{
    const uint8_t *p = list->p, *end = p + list->n;
    struct element e;

    for (; *letters && next(&p, end, &e, odd); letters++) {
        if (*letters == 'i')
            look_at_head(&e, odd);
        else if (e.tag != BER_OCTETS)
            *odd |= ODD_STRING;
    }
    *odd |= p < end ? ODD_BEHIND : 0;
}

/* Two names of the context, and the PDU. */
static void look_at_scoped(const uint8_t *p, const uint8_t *end, unsigned *odd)
{
    struct element e;

    if (!next(&p, end, &e, odd))
        return;
    *odd |= p < end ? ODD_BEHIND : 0;
    p = e.p;
    end = p + e.n;
    for (int i = 0; i < 2; i++) {
        if (!next(&p, end, &e, odd))
            return;
        *odd |= e.tag != BER_OCTETS ? ODD_STRING : 0;
    }
    if (next(&p, end, &e, odd))
        look_at_pdu(&e, odd);
    *odd |= p < end ? ODD_BEHIND : 0;
}

/* The security parameters in their string, and where they end. */
static bool look_at_security(const uint8_t **p, const uint8_t *end, unsigned *odd)
{
    struct element string, e;
    uint64_t n;

    if (!begin(p, end, &string, &n, odd))
        return false;
    string.p = *p;
    *odd |= string.tag != BER_OCTETS ? ODD_STRING : 0;
    if (!next(p, end, &e, odd))
        return false;
    *odd |= n != (uint64_t)(*p - string.p) ? ODD_SECURITY : 0;
    look_at_fields(&e, "siisss", odd);
    return true;
}

/* Version, head, security parameters in their string, and the scoped PDU, perhaps enciphered. */
static unsigned oddities3(struct bench *b, const struct message *t)
{
    struct element e = {.p = t->bytes, .n = t->n};
    struct v3_msg m;
    const uint8_t *p, *end, *plain;
    unsigned odd = 0;
    uint8_t tag;

    if (!enter(&e, &tag, &odd))
        return odd;
    p = e.p;
    end = p + e.n;
    odd |= end < t->bytes + t->n ? ODD_BEHIND : 0;
    if (!next(&p, end, &e, &odd))
        return odd;
    look_at_head(&e, &odd);
    if (!next(&p, end, &e, &odd))
        return odd;
    look_at_fields(&e, "iisi", &odd);
    if (!look_at_security(&p, end, &odd))
        return odd;
    if (v3_decode(t->bytes, t->n, &m) < 0 || !(m.flags & V3_PRIV) || m.nsalt != USM_SALT) {
        look_at_scoped(p, end, &odd);
        return odd;
    }
    plain = usm_decrypt(b->v3.usm, &b->v3.keys[SAMPLE_SECRET], m.boots, m.time, m.salt, m.data.p, wire_left(&m.data));
    if (plain)
        look_at_scoped(plain, plain + wire_left(&m.data), &odd);
    return odd;
}

static bool has_bad_value(struct bench *b, const struct message *t)
{
    if (!we_take(b, t))
        return false;
    for (size_t i = 0; i < b->vbs.n; i++)
        if (b->vbs.v[i].type == SNMP_BAD)
            return true;
    return false;
}

/* The class that a difference belongs to; DIFFERENCES: none. */
static size_t explain(struct bench *b, const struct message *t)
{
    unsigned odd = (is_v3(t) ? oddities3(b, t) : oddities(t)) | (has_bad_value(b, t) ? ODD_VALUE : 0);
    size_t i = 0;

    while (i < DIFFERENCES && !(differences[i].verdict == t->verdict && differences[i].odd & odd))
        i++;
    return i;
}

/* ---- Tests ---- */

/* Under valgrind a message takes fifty times as long; digests and ciphers take their time too. */
static size_t wanted(bool v3)
{
    const char *preload = getenv("LD_PRELOAD");
    size_t most = preload && strstr(preload, "vgpreload") ? 3000 : 300000;

    return v3 ? most / 3 : most;
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

static size_t make(struct bench *b, uint8_t *buf, bool v3)
{
    struct maker m = {.rng = &b->rng};

    return v3 ? samples3_make(&b->v3, &b->rng, buf) : maker_spoil(&b->rng, buf, maker_make(&m, buf, put_plain));
}

static void make_all(struct bench *b, struct message *messages, bool v3)
{
    for (size_t i = 0; i < BATCH; i++) {
        do /* version 1's traps have a reader of their own */
            messages[i].n = make(b, messages[i].bytes, v3);
        while (snmp_decode(messages[i].bytes, messages[i].n, &b->m) == 0 && b->m.type == SNMP_TRAP_V1);
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

static struct bench *bench_new(void)
{
    struct bench *b = xcalloc(1, sizeof *b);

    rng_seed(&b->seed, 45);
    b->rng = rng_seeded_ops(&b->seed);
    samples3_init(&b->v3, &b->rng);
    for (int i = 0; i < SAMPLE_USERS; i++)
        netsnmp_add_user(b->v3.names[i], b->v3.engine, sizeof b->v3.engine, &b->v3.keys[i]);
    return b;
}

static void bench_free(struct bench *b)
{
    samples3_fini(&b->v3);
    free(b);
}

static void run(bool v3)
{
    struct message *messages = shared_messages();
    struct bench *b = bench_new();
    size_t taken = 0, refused = 0, met[DIFFERENCES + 1] = {0};

    while (taken < wanted(v3) || refused < wanted(v3)) {
        make_all(b, messages, v3);
        judge_all(b, messages);
        for (size_t i = 0; i < BATCH; i++) {
            taken += messages[i].verdict == BOTH_TAKE;
            refused += messages[i].verdict == BOTH_REFUSE;
            if (messages[i].verdict <= BOTH_REFUSE)
                continue;
            met[explain(b, &messages[i])]++;
            if (met[DIFFERENCES])
                fail_on(&messages[i]);
        }
    }
    printf("%zu taken by both, %zu refused by both\n", taken, refused);
    for (size_t i = 0; i < DIFFERENCES; i++)
        if (met[i])
            printf("%8zu %s (%s)\n", met[i], differences[i].what, differences[i].reason);
    bench_free(b);
    munmap(messages, BATCH * sizeof *messages);
}

static void all_differences_are_of_named_classes(void **state)
{
    (void)state;
    run(false);
}

static void so_they_are_in_version_3(void **state)
{
    (void)state;
    run(true);
}

static void each_class_has_its_example(void **state)
{
    struct message *messages = shared_messages();
    struct bench *b = bench_new();

    (void)state;
    for (size_t i = 0; i < DIFFERENCES; i++) {
        const char *hex = differences[i].example;

        messages[i].n = strlen(hex) / 2;
        for (size_t k = 0; k < messages[i].n; k++)
            assert_int_equal(sscanf(hex + 2 * k, "%2hhx", &messages[i].bytes[k]), 1);
        messages[i].verdict = UNREAD;
    }
    judge_all(b, messages);
    for (size_t i = 0; i < DIFFERENCES; i++) {
        if (messages[i].verdict != differences[i].verdict)
            fail_msg("%s: verdict %d", differences[i].what, messages[i].verdict);
        if (explain(b, &messages[i]) != i)
            fail_msg("%s: is taken for class %zu", differences[i].what, explain(b, &messages[i]));
    }
    bench_free(b);
    munmap(messages, BATCH * sizeof *messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_has_its_example),
        cmocka_unit_test(all_differences_are_of_named_classes),
        cmocka_unit_test(so_they_are_in_version_3),
    };

    snmp_disable_log();
    netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_APPTYPE, "oracle"); /* init_usm() reads it */
    init_usm();
    setup_engineID(NULL, "oracle"); /* it judges nobody's clock without one */
    return cmocka_run_group_tests_name("plugins/snmp/oracle", tests, NULL, NULL);
}
