/*
 * Our framing and libmodbus', over TCP and RTU: requests of the one are answered by the other's server, answers are
 * read by both, as they are and with something changed. Both must come to the same verdict and the same values, but
 * for the named classes of difference.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <modbus/modbus.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "plugins/modbus/pdu.h"

enum { TRIALS = 6000, PLACES = 2500, FRAME = 300, RTU_REQUEST = MB_REQUEST_PDU + MB_RTU_AROUND };

/* What libmodbus lets pass and we do not, or the other way round. */
enum difference {
    SAME,
    ANOTHER_PROTOCOL, /* the specification of Modbus over TCP, 3.1.3: 0 is Modbus; libmodbus looks for two wrong bytes */
    ANOTHER_UNIT,     /* 3.1.3: the server copies it; libmodbus does not look */
    WRONG_LENGTH,     /* 3.1.3: the bytes that follow; libmodbus reckons them from the function instead */
    NO_EXCEPTION,     /* the application protocol, 7: codes begin with 1; libmodbus takes 0 */
    NEW_EXCEPTION,    /* 7: codes that libmodbus has no name for are no answer to it; to us they are a no */
    DIFFERENCES,
};

enum verdict { REFUSED, VALUES, EXCEPTION };

struct meaning {
    enum verdict verdict;
    int exception;
    uint16_t values[MB_MAX_BITS];
};

struct bench {
    struct rng_seeded seed;
    struct pd_rng rng;
    bool rtu;
    modbus_t *server, *client;
    modbus_mapping_t *map;
    int server_fd;        /* our end of its line */
    uint16_t transaction; /* the client's last */
    unsigned verdicts[3], differences[DIFFERENCES];
};

static uint32_t below(struct bench *b, uint32_t n)
{
    return (uint32_t)rng_below(&b->rng, n);
}

/* ---- Both sides ---- */

static int connect_to(modbus_t *ctx)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(modbus_set_socket(ctx, pair[1]), 0);
    return pair[0];
}

static modbus_t *context(bool rtu)
{
    modbus_t *ctx = rtu ? modbus_new_rtu("/dev/null", 9600, 'N', 8, 1) : modbus_new_tcp("127.0.0.1", 1502);

    assert_non_null(ctx);
    return ctx;
}

static void setup(struct bench *b, bool rtu)
{
    *b = (struct bench){.rtu = rtu, .server = context(rtu), .client = context(rtu)};
    rng_seed(&b->seed, rtu ? 2 : 1);
    b->rng = rng_seeded_ops(&b->seed);
    b->server_fd = connect_to(b->server);
    b->map = modbus_mapping_new(PLACES, PLACES, PLACES, PLACES);
    assert_non_null(b->map);
    for (int i = 0; i < PLACES; i++) {
        b->map->tab_registers[i] = (uint16_t)below(b, 65536);
        b->map->tab_input_registers[i] = (uint16_t)below(b, 65536);
        b->map->tab_bits[i] = (uint8_t)below(b, 2);
        b->map->tab_input_bits[i] = (uint8_t)below(b, 2);
    }
}

static void teardown(struct bench *b)
{
    close(modbus_get_socket(b->server));
    close(b->server_fd);
    modbus_mapping_free(b->map);
    modbus_free(b->server);
    modbus_free(b->client);
}

static struct mb_ask random_ask(struct bench *b)
{
    struct mb_ask ask = {.unit = (uint8_t)(1 + below(b, 247)), .function = (uint8_t)(1 + below(b, 4))};
    uint32_t most = mb_is_bits(ask.function) ? MB_MAX_BITS : MB_MAX_REGISTERS;

    ask.count = (uint16_t)(1 + below(b, below(b, 4) ? 12 : most));
    ask.address = (uint16_t)below(b, PLACES + 200u); /* some are not there */
    return ask;
}

static size_t encode(const struct bench *b, uint16_t transaction, const struct mb_ask *ask, uint8_t out[static FRAME])
{
    uint16_t sum;

    if (!b->rtu) {
        mb_frame_encode(transaction, ask, out);
        return MB_REQUEST_FRAME;
    }
    out[0] = ask->unit;
    mb_encode(ask, out + 1);
    sum = mb_rtu_checksum(out, RTU_REQUEST - 2);
    out[RTU_REQUEST - 2] = (uint8_t)sum;
    out[RTU_REQUEST - 1] = (uint8_t)(sum >> 8);
    return RTU_REQUEST;
}

/* libmodbus' server answers what we ask. */
static size_t serve(struct bench *b, const uint8_t *request, size_t n, int unit, uint8_t out[static FRAME])
{
    uint8_t query[MODBUS_MAX_ADU_LENGTH];
    ssize_t got;
    int rc;

    assert_int_equal(write(b->server_fd, request, n), n);
    assert_int_equal(modbus_set_slave(b->server, unit), 0);
    rc = modbus_receive(b->server, query);
    assert_int_equal(rc, n);
    assert_true(modbus_reply(b->server, query, rc, b->map) > 0);
    got = read(b->server_fd, out, FRAME);
    assert_true(got > 0);
    return (size_t)got;
}

/* ---- What each reads ---- */

static void take_values(const struct mb_ask *ask, const uint8_t *data, struct meaning *m)
{
    for (size_t i = 0; i < ask->count; i++)
        m->values[i] =
            mb_is_bits(ask->function) ? data[i / 8] >> i % 8 & 1 : (uint16_t)(data[2 * i] << 8 | data[2 * i + 1]);
}

static struct meaning our_meaning(const struct bench *b, const struct mb_ask *ask, const uint8_t *p, size_t n)
{
    uint8_t *exact = xmemdup(p, n);
    struct meaning m = {.verdict = REFUSED};
    enum mb_misfit misfit = MB_MISFIT_UNIT;
    struct mb_answer a = {0};
    struct mb_frame f;

    if (b->rtu)
        misfit = mb_rtu_decode(ask, exact, n, &a);
    else if (mb_frame_decode(exact, n, &f) == 0 && f.transaction == b->transaction && f.unit == ask->unit)
        misfit = mb_decode(ask, f.pdu, f.npdu, &a);
    if (misfit == MB_FITS) {
        m.verdict = a.exception ? EXCEPTION : VALUES;
        m.exception = a.exception;
        if (!a.exception)
            take_values(ask, a.data, &m);
    }
    free(exact);
    return m;
}

static int read_by_libmodbus(modbus_t *ctx, const struct mb_ask *ask, uint8_t *bits, uint16_t *values)
{
    switch (ask->function) {
    case MB_READ_COILS:
        return modbus_read_bits(ctx, ask->address, ask->count, bits);
    case MB_READ_DISCRETE:
        return modbus_read_input_bits(ctx, ask->address, ask->count, bits);
    case MB_READ_HOLDING:
        return modbus_read_registers(ctx, ask->address, ask->count, values);
    default:
        return modbus_read_input_registers(ctx, ask->address, ask->count, values);
    }
}

/* Its client asks the same and finds the answer, behind which the line ends; what it asked must be what we ask. */
static struct meaning its_meaning(struct bench *b, const struct mb_ask *ask, const uint8_t *p, size_t n)
{
    struct meaning m = {.verdict = REFUSED};
    uint8_t bits[MB_MAX_BITS], request[FRAME], ours[FRAME];
    int fd = connect_to(b->client), rc;
    size_t size = encode(b, b->transaction, ask, ours);

    assert_int_equal(write(fd, p, n), n);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(modbus_set_slave(b->client, ask->unit), 0);
    rc = read_by_libmodbus(b->client, ask, bits, m.values);
    if (rc == ask->count) {
        m.verdict = VALUES;
        for (size_t i = 0; mb_is_bits(ask->function) && i < ask->count; i++)
            m.values[i] = bits[i];
    } else if (rc < 0 && errno >= MODBUS_ENOBASE && errno <= EMBXGTAR) {
        m.verdict = EXCEPTION;
        m.exception = errno - MODBUS_ENOBASE;
    }
    assert_int_equal(read(fd, request, sizeof request), size);
    assert_memory_equal(request, ours, size);
    close(modbus_get_socket(b->client));
    close(fd);
    return m;
}

/* ---- Verdicts ---- */

static enum difference classify(const struct bench *b, const struct mb_ask *ask, const uint8_t *p, size_t n,
                                const struct meaning *ours, const struct meaning *its)
{
    size_t head = b->rtu ? 1 : MB_FRAME_HEAD;

    if (ours->verdict == its->verdict && ours->exception == its->exception &&
        (ours->verdict != VALUES || memcmp(ours->values, its->values, ask->count * sizeof *ours->values) == 0))
        return SAME;
    if (ours->verdict == EXCEPTION && its->verdict == REFUSED && ours->exception >= MODBUS_EXCEPTION_MAX)
        return NEW_EXCEPTION;
    if (ours->verdict != REFUSED || n < head + 2)
        return DIFFERENCES;
    if (its->verdict == EXCEPTION && its->exception == 0)
        return NO_EXCEPTION;
    if (b->rtu)
        return DIFFERENCES;
    if (p[2] || p[3])
        return ANOTHER_PROTOCOL;
    if (p[6] != ask->unit)
        return ANOTHER_UNIT;
    if ((p[4] << 8 | p[5]) != (p[7] & 0x80 ? 3 : 3 + p[8]))
        return WRONG_LENGTH;
    return DIFFERENCES;
}

static void compare(struct bench *b, const struct mb_ask *ask, const uint8_t *p, size_t n)
{
    struct meaning ours = our_meaning(b, ask, p, n), its = its_meaning(b, ask, p, n);
    enum difference d = classify(b, ask, p, n, &ours, &its);

    if (d == DIFFERENCES) {
        for (size_t i = 0; i < n; i++)
            print_error("%02x", p[i]);
        fail_msg(": function %d, %d at %d of unit %d: we say %d (exception %d), libmodbus %d (%d)", ask->function,
                 ask->count, ask->address, ask->unit, ours.verdict, ours.exception, its.verdict, its.exception);
    }
    b->differences[d]++;
    b->verdicts[ours.verdict]++;
}

/* Changes or takes away something; the check sum is made right again most times, so that what it guards is looked at. */
static size_t spoil(struct bench *b, uint8_t *p, size_t n)
{
    uint32_t changes = 1 + below(b, 2);

    if (below(b, 8) == 0)
        n = 1 + below(b, (uint32_t)n);
    for (; changes > 0; changes--) {
        size_t at = below(b, (uint32_t)(below(b, 4) && n > 10 ? 10 : n));

        p[at] = (uint8_t)(below(b, 2) ? p[at] ^ 1u << below(b, 8) : below(b, 20));
    }
    if (b->rtu && n > 3 && below(b, 4)) {
        uint16_t sum = mb_rtu_checksum(p, n - 2);

        p[n - 2] = (uint8_t)sum;
        p[n - 1] = (uint8_t)(sum >> 8);
    }
    return n;
}

static void compare_many(bool rtu, struct bench *b)
{
    uint8_t request[FRAME], answer[FRAME];

    setup(b, rtu);
    for (int i = 0; i < TRIALS; i++) {
        struct mb_ask ask = random_ask(b);
        size_t n = encode(b, ++b->transaction, &ask, request);

        n = serve(b, request, n, ask.unit, answer);
        if (i % 2)
            n = spoil(b, answer, n);
        else if (our_meaning(b, &ask, answer, n).verdict == REFUSED)
            fail_msg("trial %d: an answer of libmodbus' server is refused", i);
        compare(b, &ask, answer, n);
    }
    teardown(b);
    for (int v = REFUSED; v <= EXCEPTION; v++)
        assert_in_range(b->verdicts[v], TRIALS / 20, TRIALS);
}

static void answers_over_tcp_mean_the_same_to_libmodbus(void **state)
{
    struct bench b;

    (void)state;
    compare_many(false, &b);
    for (int d = SAME; d < DIFFERENCES; d++)
        if (b.differences[d] == 0)
            fail_msg("class %d never came", d);
}

static void answers_on_a_bus_mean_the_same_to_libmodbus(void **state)
{
    struct bench b;

    (void)state;
    compare_many(true, &b);
    assert_int_equal(b.differences[ANOTHER_PROTOCOL] + b.differences[ANOTHER_UNIT] + b.differences[WRONG_LENGTH], 0);
}

/* Two answers that came as one, and each part of them that may have come first. */
static void answers_are_told_apart_however_they_are_cut(void **state)
{
    struct bench b;
    uint8_t request[FRAME], stream[2 * FRAME];

    (void)state;
    setup(&b, false);
    for (int i = 0; i < 200; i++) {
        struct mb_ask asks[2] = {random_ask(&b), random_ask(&b)};
        size_t ends[2], n = 0, cut;
        struct mb_frame f;

        for (int k = 0; k < 2; k++) {
            size_t size = encode(&b, (uint16_t)(7 + k), &asks[k], request);

            n += serve(&b, request, size, asks[k].unit, stream + n);
            ends[k] = n;
        }
        for (cut = 0; cut < n; cut++) {
            uint8_t *exact = xmalloc(cut ? cut : 1);

            memcpy(exact, stream, cut);
            assert_int_equal(mb_frame_decode(exact, cut, &f), cut < ends[0] ? PD_EBUSY : 0);
            free(exact);
        }
        assert_int_equal(f.size, ends[0]);
        assert_int_equal(f.transaction, 7);
        assert_int_equal(mb_frame_decode(stream + f.size, n - f.size, &f), 0);
        assert_int_equal(f.size, ends[1] - ends[0]);
        assert_int_equal(f.transaction, 8);
        assert_int_equal(f.unit, asks[1].unit);
    }
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_over_tcp_mean_the_same_to_libmodbus),
        cmocka_unit_test(answers_on_a_bus_mean_the_same_to_libmodbus),
        cmocka_unit_test(answers_are_told_apart_however_they_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
