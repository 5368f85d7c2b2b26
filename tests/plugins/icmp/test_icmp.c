#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugins/icmp/icmp.h"
#include "tests/plugins/icmp/answers.h"

/* The collector in virtual time on a network that keeps what was sent, and brings what the test gives it. */

enum { MAX_SENT = 64, SECOND = 1000, DEVICES = 3 };

static const char *const addresses[DEVICES] = {"10.0.0.1", "10.0.0.2", "fe80::7%1"};

struct bench {
    struct clock_fake time;
    struct rng_seeded chance;
    struct wheel *wheel;
    struct pd_collector *collector;
    struct pd_plan *rtt, *loss;
    struct pd_device *d[DEVICES];
    enum icmp_way way;
    int send_err;
    struct {
        union pd_addr to;
        uint8_t data[ICMP_PACKET];
    } sent[MAX_SENT];
    size_t nsent;
    struct icmp_packet packet; /* waits, if n is not 0 */
    uint8_t data[ANSWER_MAX];
    void (*readable)(void *arg);
    void *arg;
    bool closed;
    /* what a read gave */
    int ends;
    enum pd_read_status status;
    struct pd_read_result result;
    char detail[120];
    double cells[2];
    int ncells;
};

static enum icmp_way net_way(void *ctx, int family)
{
    (void)family;
    return ((struct bench *)ctx)->way;
}

static uint16_t net_id(void *ctx, int family, uint16_t own)
{
    (void)family;
    return ((struct bench *)ctx)->way == ICMP_DATAGRAM ? 4711 : own;
}

static int net_send(void *ctx, const union pd_addr *to, const uint8_t *data, size_t n)
{
    struct bench *b = ctx;

    assert_int_equal(n, ICMP_PACKET);
    if (b->send_err)
        return b->send_err;
    assert_true(b->nsent < MAX_SENT);
    b->sent[b->nsent].to = *to;
    memcpy(b->sent[b->nsent++].data, data, n);
    return 0;
}

static bool net_recv(void *ctx, struct icmp_packet *out)
{
    struct bench *b = ctx;

    *out = b->packet;
    b->packet.n = 0;
    return out->n > 0;
}

static int64_t net_now_us(void *ctx)
{
    return ((struct bench *)ctx)->time.mono * 1000;
}

static void net_listen(void *ctx, void (*readable)(void *arg), void *arg)
{
    struct bench *b = ctx;

    b->readable = readable;
    b->arg = arg;
}

static void net_close(void *ctx)
{
    ((struct bench *)ctx)->closed = true;
}

static struct pd_plan *compile(struct bench *b, const char *first, const char *second)
{
    const struct pd_source sources[] = {{.id = 0, .address = first}, {.id = 1, .address = second, .part = 1}};
    struct pd_compile_error err;
    struct pd_plan *plan = NULL;

    assert_int_equal(pd_icmp_ops.compile(b->collector, sources, second ? 2 : 1, &plan, &err), 0);
    return plan;
}

static int setup(void **state)
{
    struct bench *b = xcalloc(1, sizeof *b);
    const struct icmp_net net = {net_way, net_id, net_send, net_recv, net_now_us, net_listen, net_close, b};
    struct pd_services services;

    b->way = ICMP_RAW;
    b->time.mono = 5000;
    b->wheel = wheel_new(b->time.mono);
    rng_seed(&b->chance, 7);
    services =
        (struct pd_services){.clock = clock_fake_ops(&b->time), .rng = rng_seeded_ops(&b->chance), .wheel = b->wheel};
    log_set_level(LOG_LEVEL_ERROR);
    assert_int_equal(icmp_start_on(&services, NULL, &net, &b->collector), 0);
    b->rtt = compile(b, "rtt", NULL);
    b->loss = compile(b, "rtt", "loss");
    for (int i = 0; i < DEVICES; i++) {
        struct pd_target t = {.name = "d", .address = addresses[i], .retries = -1};

        assert_int_equal(pd_icmp_ops.open(b->collector, &t, &b->d[i]), 0);
    }
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    pd_icmp_ops.stop(b->collector);
    assert_true(b->closed);
    pd_icmp_ops.plan_free(b->rtt);
    pd_icmp_ops.plan_free(b->loss);
    wheel_free(b->wheel);
    free(b);
    return 0;
}

static void take_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct bench *b = arg;

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(cells[i].type, PD_CELL_FLOAT);
        b->cells[cells[i].source] = cells[i].f;
        b->ncells++;
    }
}

static void take_end(void *arg, const struct pd_read_result *r)
{
    struct bench *b = arg;

    b->ends++;
    b->status = r->status;
    b->result = *r;
    (void)snprintf(b->detail, sizeof b->detail, "%s", r->detail ? r->detail : "");
}

static struct pd_read *begin(struct bench *b, int device, const struct pd_plan *plan, uint32_t parts)
{
    const struct pd_sink sink = {.cells = take_cells, .end = take_end, .arg = b};
    struct pd_read *r = NULL;

    b->ends = b->ncells = 0;
    assert_int_equal(pd_icmp_ops.read(b->d[device], plan, parts, &sink, &r), 0);
    assert_int_equal(b->ends, 0);
    return r;
}

static void pass(struct bench *b, int64_t ms)
{
    for (int64_t i = 0; i < ms; i += 10) {
        clock_fake_advance(&b->time, 10);
        wheel_advance(b->wheel, b->time.mono);
    }
}

static void come(struct bench *b, const union pd_addr *from, size_t n)
{
    b->packet = (struct icmp_packet){.from = *from, .data = b->data, .n = n};
    b->readable(b->arg);
}

/* The answer to request i comes from where it went. */
static void reply(struct bench *b, size_t i)
{
    int family = b->sent[i].to.sa.sa_family;

    come(b, &b->sent[i].to, answer_reply(b->sent[i].data, ICMP_PACKET, family, b->way == ICMP_RAW, b->data));
}

struct counted {
    const char *name;
    uint64_t value;
};

static void look(void *arg, const char *name, uint64_t value)
{
    struct counted *c = arg;

    if (strcmp(name, c->name) == 0)
        c->value = value;
}

static uint64_t counter(struct bench *b, const char *name)
{
    struct counted c = {.name = name, .value = UINT64_MAX};

    pd_icmp_ops.counters(b->collector, look, &c);
    return c.value;
}

/* ---- */

static void the_first_answer_ends_a_read(void **state)
{
    struct bench *b = *state;

    begin(b, 0, b->rtt, 1);
    pass(b, 30);
    reply(b, 0);
    assert_int_equal(b->ends, 1);
    assert_int_equal(b->status, PD_READ_DONE);
    assert_int_equal(b->result.rtt_ms, 30);
    assert_int_equal(b->result.requests, 1);
    assert_true(b->cells[0] == 30);
    assert_int_equal(b->ncells, 1);
    pass(b, 10 * SECOND);
    assert_int_equal(b->nsent, 1);
}

static void silence_is_told_after_three_tries(void **state)
{
    struct bench *b = *state;

    begin(b, 2, b->rtt, 1);
    pass(b, 2990);
    assert_int_equal(b->ends, 0);
    pass(b, 20);
    assert_int_equal(b->status, PD_READ_NOANSWER);
    assert_int_equal(b->nsent, 3);
    assert_int_equal(b->result.retries, 2);
    assert_int_equal(b->result.rtt_ms, -1);
    assert_string_equal(b->detail, "3 echo requests: no answer");
    assert_int_equal(b->ncells, 0);
    assert_int_equal(counter(b, "icmp_expired"), 3);
}

static void a_later_try_may_be_answered(void **state)
{
    struct bench *b = *state;

    begin(b, 0, b->rtt, 1);
    pass(b, SECOND + 20);
    assert_int_equal(b->nsent, 2);
    reply(b, 0); /* too late: nobody waits for it any more */
    assert_int_equal(b->ends, 0);
    assert_int_equal(counter(b, "icmp_drop_late"), 1);
    reply(b, 1);
    assert_int_equal(b->status, PD_READ_DONE);
    assert_int_equal(b->result.retries, 1);
}

static void a_read_says_when_it_began_to_ask(void **state)
{
    struct bench *b = *state;

    begin(b, 0, b->rtt, 1);
    pass(b, SECOND + 20); /* the second try is answered */
    reply(b, 1);
    assert_int_equal(b->result.sent_ms, 5000);
    b->send_err = PD_EBUSY;
    begin(b, 0, b->rtt, 1);
    pass(b, 500);
    b->send_err = 0;
    pass(b, 20);
    reply(b, 2);
    assert_in_range(b->result.sent_ms, 5000 + SECOND + 20 + 500, 5000 + SECOND + 20 + 520);
    b->send_err = PD_ECONN;
    begin(b, 0, b->rtt, 1);
    pass(b, 4 * SECOND);
    assert_int_equal(b->result.sent_ms, 0);
}

static void the_loss_takes_four_requests(void **state)
{
    struct bench *b = *state;

    begin(b, 0, b->loss, 3);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(b->nsent, i + 1);
        if (i == 2) {
            pass(b, SECOND); /* this one is lost */
            continue;
        }
        pass(b, i == 0 ? 10 : 30);
        reply(b, i);
        pass(b, 110);
    }
    assert_int_equal(b->ends, 1);
    assert_int_equal(b->status, PD_READ_DONE);
    assert_true(b->cells[0] == 30);
    assert_true(b->cells[1] == 25);
    assert_int_equal(b->result.rtt_ms, 10); /* of the first answer */
}

static void parts_that_were_not_asked_for_are_not_told(void **state)
{
    struct bench *b = *state;

    begin(b, 0, b->loss, 1);
    reply(b, 0);
    assert_int_equal(b->ends, 1);
    assert_int_equal(b->ncells, 1);
}

/* Each read waits for its own. */
static void answers_find_their_reads(void **state)
{
    struct bench *b = *state;

    begin(b, 0, b->rtt, 1);
    begin(b, 1, b->rtt, 1);
    begin(b, 2, b->rtt, 1);
    reply(b, 2);
    assert_int_equal(b->ends, 1);
    reply(b, 0);
    reply(b, 1);
    assert_int_equal(b->ends, 3);
    assert_int_equal(counter(b, "icmp_answered"), 3);
}

static void a_reply_counts_once(void **state)
{
    struct bench *b = *state;

    begin(b, 0, b->loss, 3);
    reply(b, 0);
    reply(b, 0);
    assert_int_equal(counter(b, "icmp_answered"), 1);
    assert_int_equal(counter(b, "icmp_drop_late"), 1);
}

/* A reply with one byte changed, or from elsewhere: which counter tells. */
static void forged_replies_are_dropped_and_counted(void **state)
{
    static const struct {
        size_t at; /* in the packet with its header; 0: nothing is changed */
        const char *from, *counter;
        bool unmended, cut;
    } rows[] = {
        {0, "10.0.0.9", "icmp_drop_source", false, false}, {25, NULL, "icmp_drop_foreign", false, false},
        {27, NULL, "icmp_drop_late", false, false},        {35, NULL, "icmp_drop_late", false, false},
        {39, NULL, "icmp_drop_late", false, false},        {45, NULL, "icmp_drop_checksum", true, false},
        {0, NULL, "icmp_drop_cut", false, true},           {9, NULL, "icmp_drop_type", true, false},
        {3, NULL, "icmp_drop_short", true, false},         {0, NULL, NULL, false, false},
    };
    struct bench *b = *state;

    begin(b, 0, b->rtt, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = answer_reply(b->sent[0].data, ICMP_PACKET, AF_INET, 1, b->data);
        union pd_addr from = b->sent[0].to;

        if (rows[i].at)
            b->data[rows[i].at] ^= 0x81;
        if (!rows[i].unmended)
            answer_mend(b->data, n);
        if (rows[i].from)
            pd_addr_parse(rows[i].from, 0, &from);
        b->packet = (struct icmp_packet){.from = from, .data = b->data, .n = n, .cut = rows[i].cut};
        b->readable(b->arg);
        if (rows[i].counter ? b->ends != 0 : b->ends != 1)
            fail_msg("row %zu: %d ends", i, b->ends);
        if (rows[i].counter && counter(b, rows[i].counter) == 0)
            fail_msg("row %zu: %s is 0", i, rows[i].counter);
    }
}

static void an_error_from_the_way_is_the_reason(void **state)
{
    struct bench *b = *state;
    union pd_addr router;

    pd_addr_parse("10.0.0.254", 0, &router);
    begin(b, 0, b->rtt, 1);
    come(b, &router, answer_error(b->sent[0].data, 8, AF_INET, 3, 1, &b->sent[0].to.in.sin_addr, b->data));
    assert_int_equal(counter(b, "icmp_errors"), 1);
    pass(b, 4 * SECOND);
    assert_int_equal(b->status, PD_READ_NOANSWER);
    assert_int_equal(b->nsent, 3); /* it is tried again all the same */
    assert_string_equal(b->detail, "3 echo requests: host unreachable");
    assert_int_equal(counter(b, "icmp_expired"), 2);
}

static void an_error_over_ipv6_is_known_by_its_cookie(void **state)
{
    struct bench *b = *state;
    union pd_addr router;

    pd_addr_parse("fe80::1%1", 0, &router);
    begin(b, 2, b->rtt, 1);
    come(b, &router, answer_error(b->sent[0].data, 8, AF_INET6, 1, 0, &b->sent[0].to.in6.sin6_addr, b->data));
    assert_int_equal(counter(b, "icmp_drop_late"), 1); /* it quotes too little */
    come(b, &router, answer_error(b->sent[0].data, ICMP_PACKET, AF_INET6, 1, 0, &b->sent[0].to.in6.sin6_addr, b->data));
    assert_int_equal(counter(b, "icmp_errors"), 1);
}

/* Of another request, to another place, or with another checksum: the read goes on. */
static void forged_errors_are_dropped(void **state)
{
    struct bench *b = *state;
    uint8_t request[ICMP_PACKET], elsewhere[4] = {10, 0, 0, 2};

    begin(b, 0, b->rtt, 1);
    come(b, &b->sent[0].to, answer_error(b->sent[0].data, 8, AF_INET, 3, 1, elsewhere, b->data));
    memcpy(request, b->sent[0].data, sizeof request);
    request[2] ^= 1;
    come(b, &b->sent[0].to, answer_error(request, 8, AF_INET, 3, 1, &b->sent[0].to.in.sin_addr, b->data));
    request[12] ^= 1;
    come(b, &b->sent[0].to, answer_error(request, ICMP_PACKET, AF_INET, 3, 1, &b->sent[0].to.in.sin_addr, b->data));
    assert_int_equal(counter(b, "icmp_drop_late"), 3);
    assert_int_equal(counter(b, "icmp_errors"), 0);
    reply(b, 0);
    assert_int_equal(b->status, PD_READ_DONE);
}

static void a_full_buffer_costs_no_try(void **state)
{
    struct bench *b = *state;

    b->send_err = PD_EBUSY;
    begin(b, 0, b->rtt, 1);
    pass(b, 500);
    b->send_err = 0;
    pass(b, 20);
    assert_int_equal(b->nsent, 1);
    assert_true(counter(b, "icmp_held_back") > 10);
    reply(b, 0);
    assert_int_equal(b->result.retries, 0);
}

static void what_cannot_be_sent_is_no_answer(void **state)
{
    struct bench *b = *state;

    b->send_err = PD_ECONN;
    begin(b, 0, b->rtt, 1);
    pass(b, 4 * SECOND);
    assert_int_equal(b->status, PD_READ_NOANSWER);
    assert_non_null(strstr(b->detail, pd_strerror(PD_ECONN)));
    assert_int_equal(counter(b, "icmp_unsent"), 3);
    assert_int_equal(counter(b, "icmp_sent"), 0);
}

static void without_a_socket_reads_are_refused(void **state)
{
    struct bench *b = *state;

    b->way = ICMP_NOT;
    begin(b, 0, b->rtt, 1);
    pass(b, 20);
    assert_int_equal(b->status, PD_READ_REFUSED);
    assert_int_equal(b->result.rtt_ms, -1);
    assert_int_equal(b->nsent, 0);
}

/* The kernel gives the id. */
static void a_ping_socket_has_its_own_id(void **state)
{
    struct bench *b = *state;

    b->way = ICMP_DATAGRAM;
    begin(b, 0, b->rtt, 1);
    assert_int_equal(b->sent[0].data[4] << 8 | b->sent[0].data[5], 4711);
    reply(b, 0);
    assert_int_equal(b->status, PD_READ_DONE);
}

static void cancelling_ends_a_read_at_once(void **state)
{
    struct bench *b = *state;
    const struct pd_sink sink = {.cells = take_cells, .end = take_end, .arg = b};
    struct pd_read *r = begin(b, 0, b->rtt, 1), *other;

    assert_int_equal(pd_icmp_ops.read(b->d[0], b->rtt, 1, &sink, &other), PD_EBUSY);
    pd_icmp_ops.cancel(r);
    assert_int_equal(b->status, PD_READ_CANCELLED);
    reply(b, 0);
    assert_int_equal(b->ends, 1);
    begin(b, 0, b->rtt, 1); /* in the same place of the table, with another cookie */
    reply(b, 0);
    assert_int_equal(b->ends, 0);
    reply(b, 1);
    assert_int_equal(b->ends, 1);
}

static void stopping_ends_every_read(void **state)
{
    struct bench *b = *state;

    begin(b, 0, b->rtt, 1);
    begin(b, 1, b->rtt, 1);
    pd_icmp_ops.close(b->d[1]);
    assert_int_equal(b->status, PD_READ_CANCELLED);
    assert_int_equal(b->ends, 1);
}

static void only_rtt_and_loss_are_addresses(void **state)
{
    static const struct pd_source rows[] = {
        {.address = "delay"}, {.address = ""}, {.address = "rtt", .table = true}, {.address = "RTT"}};
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_compile_error err = {.msg = ""};
        struct pd_plan *plan = NULL;

        if (pd_icmp_ops.compile(b->collector, &rows[i], 1, &plan, &err) != PD_EINVAL || !*err.msg || plan)
            fail_msg("row %zu: %s", i, err.msg);
    }
}

static void targets_are_checked(void **state)
{
    static const struct pd_target rows[] = {
        {.address = "router"},
        {.address = ""},
        {.address = "0.0.0.0"},
        {.address = "224.0.0.1"},
        {.address = "fe80::1"},
        {.address = "10.0.0.1", .timeout_ms = -1},
        {.address = "10.0.0.1", .timeout_ms = 60001},
        {.address = "10.0.0.1", .retries = 21},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_target t = rows[i];
        struct pd_device *d = NULL;

        t.name = "d";
        if (pd_icmp_ops.open(b->collector, &t, &d) != PD_EINVAL || d)
            fail_msg("row %zu was taken", i);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_answer_ends_a_read),
        TEST(silence_is_told_after_three_tries),
        TEST(a_later_try_may_be_answered),
        TEST(a_read_says_when_it_began_to_ask),
        TEST(the_loss_takes_four_requests),
        TEST(parts_that_were_not_asked_for_are_not_told),
        TEST(answers_find_their_reads),
        TEST(a_reply_counts_once),
        TEST(forged_replies_are_dropped_and_counted),
        TEST(an_error_from_the_way_is_the_reason),
        TEST(an_error_over_ipv6_is_known_by_its_cookie),
        TEST(forged_errors_are_dropped),
        TEST(a_full_buffer_costs_no_try),
        TEST(what_cannot_be_sent_is_no_answer),
        TEST(without_a_socket_reads_are_refused),
        TEST(a_ping_socket_has_its_own_id),
        TEST(cancelling_ends_a_read_at_once),
        TEST(stopping_ends_every_read),
        TEST(only_rtt_and_loss_are_addresses),
        TEST(targets_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
