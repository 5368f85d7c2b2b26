#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugins/snmp/engine.h"
#include "tests/plugins/snmp/script.h"

static const struct leaf office[] = {
    {"1.3.6.1.2.1.1.3.0", SNMP_TIMETICKS, 4200, NULL},
    {"1.3.6.1.2.1.1.5.0", SNMP_OCTETS, 0, "hall"},
};

static struct pd_plan *start(struct script *s)
{
    script_start(s, NULL);
    s->leaves = office;
    s->nleaves = sizeof office / sizeof *office;
    script_open(s, 2);
    return script_plan(s, "1.3.6.1.2.1.1.3.0 1.3.6.1.2.1.1.5.0");
}

static void stop(struct script *s, struct pd_plan *plan)
{
    script_stop(s);
    pd_snmp_ops.plan_free(plan);
}

/* ---- What is not a reply ---- */

/* Sends a forgery first, then the truth. */
static bool forge(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m,
                  void (*spoil)(union pd_addr *, struct snmp_msg *))
{
    union pd_addr from = p->addr;
    struct snmp_msg head = *m;
    struct snmp_varbind lie = {.type = SNMP_TIMETICKS, .u = 666};
    struct snmp_varbind also = {.type = SNMP_OCTETS, .n = 3, .bytes = (const uint8_t *)"lie"};
    struct snmp_writer w;
    uint8_t buf[256];

    head.type = SNMP_RESPONSE;
    head.status = head.index = 0;
    spoil(&from, &head);
    lie.name = s->varbinds->v[0].name;
    lie.nname = s->varbinds->v[0].nname;
    also.name = s->varbinds->v[1].name;
    also.nname = s->varbinds->v[1].nname;
    snmp_begin(&w, buf, sizeof buf, &head);
    if (s->step == 1) { /* swapped */
        snmp_put(&w, &also);
        snmp_put(&w, &lie);
    } else {
        snmp_put(&w, &lie);
        if (s->step != 2) /* one too few */
            snmp_put(&w, &also);
    }
    if (s->step == 3) /* one too many */
        snmp_put(&w, &also);
    script_arrive(s, &from, buf, snmp_end(&w), 0);
    return false;
}

static void other_address(union pd_addr *from, struct snmp_msg *m)
{
    (void)m;
    from->in.sin_addr.s_addr ^= htonl(1);
}

static void other_port(union pd_addr *from, struct snmp_msg *m)
{
    (void)m;
    from->in.sin_port = htons(1161);
}

static void other_version(union pd_addr *from, struct snmp_msg *m)
{
    (void)from;
    m->version = SNMP_V1;
}

static void unheard_version(union pd_addr *from, struct snmp_msg *m)
{
    (void)from;
    m->version = 2;
}

static void other_community(union pd_addr *from, struct snmp_msg *m)
{
    (void)from;
    m->community = (const uint8_t *)"Public";
}

static void longer_community(union pd_addr *from, struct snmp_msg *m)
{
    (void)from;
    m->community = (const uint8_t *)"publicity";
    m->ncommunity = 9;
}

static void other_id(union pd_addr *from, struct snmp_msg *m)
{
    (void)from;
    m->request_id ^= 1 << 20;
}

static void other_slot(union pd_addr *from, struct snmp_msg *m)
{
    (void)from;
    m->request_id += 60000;
}

static void negative_id(union pd_addr *from, struct snmp_msg *m)
{
    (void)from;
    m->request_id = -m->request_id;
}

static void a_trap(union pd_addr *from, struct snmp_msg *m)
{
    (void)from;
    m->type = SNMP_TRAP;
}

static void a_v1_trap(union pd_addr *from, struct snmp_msg *m)
{
    (void)from;
    m->type = SNMP_TRAP_V1;
}

static void a_request(union pd_addr *from, struct snmp_msg *m)
{
    (void)from;
    m->type = SNMP_GET;
}

static void as_it_is(union pd_addr *from, struct snmp_msg *m)
{
    (void)from;
    (void)m;
}

static const struct forgery {
    void (*spoil)(union pd_addr *, struct snmp_msg *);
    int step;
    const char *counter;
} forgeries[] = {
    {other_address, 0, "snmp_drop_address"},
    {other_port, 0, "snmp_drop_port"},
    {other_version, 0, "snmp_drop_version"},
    {unheard_version, 0, "snmp_drop_version"},
    {other_community, 0, "snmp_drop_community"},
    {longer_community, 0, "snmp_drop_community"},
    {other_id, 0, "snmp_drop_unasked"},
    {other_slot, 0, "snmp_drop_unasked"},
    {negative_id, 0, "snmp_drop_unasked"},
    {a_trap, 0, "snmp_drop_type"},
    {a_v1_trap, 0, "snmp_drop_type"},
    {a_request, 0, "snmp_drop_type"},
    {as_it_is, 1, "snmp_drop_oids"},
    {as_it_is, 2, "snmp_drop_oids"},
    {as_it_is, 3, "snmp_drop_oids"},
};

static bool forge_row(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    const struct forgery *f = &forgeries[s->step / 10];
    int row = s->step;
    bool done;

    s->step = f->step;
    done = forge(s, p, m, f->spoil);
    s->step = row;
    return done;
}

static void forgeries_are_dropped_and_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
        struct script s;
        struct pd_plan *plan = start(&s);

        s.hook = forge_row;
        s.step = (int)i * 10;
        script_read(&s, plan);
        if (s.result.status != PD_READ_DONE || strcmp(s.cells.s, "0[] ticks 4200\n1[] 'hall'\n") != 0 ||
            script_counter(&s, forgeries[i].counter) != 1 || script_counter(&s, "snmp_used") != 1)
            fail_msg("row %zu (%s): %s", i, forgeries[i].counter, s.cells.s);
        stop(&s, plan);
    }
}

enum { FORGERIES = sizeof forgeries / sizeof *forgeries, AT_ONCE = 25, ROUNDS = 400 };

static bool forge_many(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    struct pd_rng rng = s->services.rng;

    for (int i = 0; i < AT_ONCE; i++) {
        s->step = (int)rng_below(&rng, FORGERIES) * 10;
        forge_row(s, p, m);
    }
    return false;
}

static void of_ten_thousand_forgeries_none_is_taken(void **state)
{
    struct script s;
    struct pd_plan *plan = start(&s);
    uint64_t dropped = 0;

    (void)state;
    s.hook = forge_many;
    for (int i = 0; i < ROUNDS; i++) {
        script_read(&s, plan);
        assert_int_equal(s.result.status, PD_READ_DONE);
        assert_string_equal(s.cells.s, "0[] ticks 4200\n1[] 'hall'\n");
    }
    for (size_t i = 0; i < FORGERIES; i++) /* each reason once: rows share some */
        if (i == 0 || strcmp(forgeries[i].counter, forgeries[i - 1].counter) != 0)
            dropped += script_counter(&s, forgeries[i].counter);
    assert_int_equal(script_counter(&s, "snmp_used"), ROUNDS);
    assert_int_equal(dropped, AT_ONCE * ROUNDS);
    stop(&s, plan);
}

static bool garbage(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    (void)m;
    script_arrive(s, &p->addr, "", 0, 0);
    script_arrive(s, &p->addr, "GET / HTTP/1.0", 14, 0);
    script_arrive(s, &p->addr, "\x30\x84\xff\xff\xff\xff", 6, 0);
    script_arrive(s, &p->addr, p->data, p->n - 1, 0);
    return false;
}

static void garbage_is_dropped_and_counted(void **state)
{
    struct script s;
    struct pd_plan *plan = start(&s);

    (void)state;
    s.hook = garbage;
    script_read(&s, plan);
    assert_int_equal(s.result.status, PD_READ_DONE);
    assert_int_equal(script_counter(&s, "snmp_drop_malformed"), 4);
    stop(&s, plan);
}

static bool only_garbage(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    (void)m;
    script_arrive(s, &p->addr, "GET / HTTP/1.0", 14, 0);
    return true;
}

struct lines {
    int naming, all;
};

static void on_line(void *ctx, const struct log_line *line)
{
    struct lines *l = ctx;

    l->all++;
    l->naming += strstr(line->msg, "192.0.2.1:161 (asked: printer): it is no SNMP message") != NULL;
}

/* The log names it, now and then; the read says why it came to nothing. */
static void a_device_that_sends_garbage_is_named(void **state)
{
    struct script s;
    struct pd_plan *plan = start(&s);
    struct lines lines = {0};

    (void)state;
    log_set_level(LOG_LEVEL_WARN);
    log_set_sink(on_line, &lines);
    s.hook = only_garbage;
    for (int i = 0; i < 10; i++)
        script_read(&s, plan);
    log_set_sink(NULL, NULL);
    log_set_level(LOG_LEVEL_ERROR);
    assert_int_equal(s.result.status, PD_READ_NOANSWER);
    assert_string_equal(s.detail, "no answer to 5 tries; what came is no SNMP message");
    assert_int_equal(script_counter(&s, "snmp_drop_malformed"), 50);
    assert_in_range(lines.all, 8, 12); /* in 100 s, one in 10 s */
    assert_int_equal(lines.naming, lines.all);
    stop(&s, plan);
}

static bool twice(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    size_t n = script_answer(s, m);

    script_arrive(s, &p->addr, s->reply, n, 10);
    script_arrive(s, &p->addr, s->reply, n, 10);
    script_arrive(s, &p->addr, s->reply, n, 4000);
    return true;
}

static void add_drop(void *arg, const char *device, const char *name, uint64_t value)
{
    sbuf_addf(arg, "%s %s %d\n", device, name, (int)value);
}

static void what_is_dropped_is_counted_for_its_device(void **state)
{
    struct script s;
    struct pd_plan *plan = start(&s);
    struct sbuf drops = {0};

    (void)state;
    script_read(&s, plan);
    pd_snmp_ops.device_drops(s.collector, add_drop, &drops);
    assert_int_equal(drops.n, 0);
    s.hook = forge_row;
    s.step = 40; /* another community */
    script_read(&s, plan);
    pd_snmp_ops.device_drops(s.collector, add_drop, &drops);
    assert_string_equal(drops.s, "printer snmp_drop_community 1\n");
    sbuf_free(&drops);
    stop(&s, plan);
}

static void a_reply_counts_once(void **state)
{
    struct script s;
    struct pd_plan *plan = start(&s);

    (void)state;
    s.hook = twice;
    script_read(&s, plan);
    script_run(&s, 10000);
    assert_int_equal(s.ends, 1);
    assert_string_equal(s.cells.s, "0[] ticks 4200\n1[] 'hall'\n");
    assert_int_equal(script_counter(&s, "snmp_used"), 1);
    assert_int_equal(script_counter(&s, "snmp_drop_unasked"), 2);
    stop(&s, plan);
}

/* The first packet of the read under way gets lost. */
static bool lose_first(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    (void)p;
    (void)m;
    return s->requests == (unsigned)s->step;
}

static void what_gets_lost_is_asked_again_as_soon_as_answers_took_before(void **state)
{
    static const struct {
        int64_t delay_ms, least_ms, most_ms; /* most of the wait, answer and ticks included */
    } rows[] = {{5, 300, 330}, {200, 600, 900}, {1500, 3500, 3550}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script s;
        struct pd_plan *plan = start(&s);
        int64_t t;

        print_message("answers after %d ms\n", (int)rows[i].delay_ms);
        s.delay_ms = rows[i].delay_ms;
        script_read(&s, plan);
        s.hook = lose_first;
        s.step = 1;
        t = s.time.mono;
        script_read(&s, plan);
        assert_int_equal(s.result.status, PD_READ_DONE);
        assert_int_equal(s.result.retries, 1);
        assert_in_range(s.time.mono - t, rows[i].least_ms, rows[i].most_ms);
        stop(&s, plan);
    }
}

static void a_reply_to_an_earlier_try_counts(void **state)
{
    struct script s;
    struct pd_plan *plan = start(&s);

    (void)state;
    s.delay_ms = 5000; /* each try waits 2000: the answer to the first comes during the third */
    script_read(&s, plan);
    assert_int_equal(s.result.status, PD_READ_DONE);
    assert_int_equal(s.result.retries, 2);
    stop(&s, plan);
}

static void reply_from_any_address_if_the_device_is_so(void **state)
{
    struct script s;
    struct pd_plan *plan = start(&s);
    struct pd_target t = {.name = "router", .address = "192.0.2.9", .version = 2, .community = "public", .retries = -1};

    (void)state;
    t.reply_from_any = true;
    s.device = script_open_target(&s, &t);
    s.hook = forge_row;
    s.step = 0;
    script_read(&s, plan);
    assert_int_equal(s.result.status, PD_READ_DONE);
    assert_string_equal(s.cells.s, "0[] ticks 666\n1[] 'lie'\n");
    stop(&s, plan);
}

/* ---- Ids ---- */

static int32_t ids[64];

static bool note_id(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    (void)p;
    ids[s->requests - 1] = m->request_id;
    return true;
}

static void an_id_is_positive_kept_over_tries_and_new_for_each_request(void **state)
{
    struct script s;
    struct pd_plan *plan = start(&s);

    (void)state;
    s.hook = note_id;
    for (int i = 0; i < 10; i++) {
        int32_t last = ids[0];

        script_read(&s, plan);
        assert_int_equal(s.requests, 3 + 2); /* the last two in version 1 */
        assert_true(ids[0] > 0);
        assert_int_equal(ids[1], ids[0]);
        assert_int_equal(ids[2], ids[0]);
        assert_int_not_equal(ids[0], last);
    }
    stop(&s, plan);
}

/* ---- Many at once ---- */

enum { MANY = 200, CAP = 64 };

struct many {
    struct script script;
    struct pd_plan *plan;
    struct pd_device *devices[MANY];
    int done;
};

static void many_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    (void)arg;
    (void)cells;
    (void)n;
}

static void many_end(void *arg, const struct pd_read_result *result)
{
    struct many *m = arg;

    m->done += result->status == PD_READ_DONE;
}

static void start_many(struct many *m)
{
    struct pd_sink sink = {.cells = many_cells, .end = many_end, .arg = m};
    struct pd_read *r;

    m->plan = start(&m->script);
    m->done = 0;
    for (int i = 0; i < MANY; i++) {
        char address[32], name[16];
        struct pd_target t = {.name = name, .address = address, .version = 2, .community = "public", .retries = -1};

        (void)snprintf(address, sizeof address, "198.51.100.%d", i + 1);
        (void)snprintf(name, sizeof name, "d%d", i);
        m->devices[i] = script_open_target(&m->script, &t);
        assert_int_equal(pd_snmp_ops.read(m->devices[i], m->plan, 1, &sink, &r), 0);
    }
}

static void young_requests_are_capped(void **state)
{
    struct many *m = xcalloc(1, sizeof *m);

    (void)state;
    start_many(m);
    m->script.quirks = QUIRK_DEAD;
    script_run(&m->script, 200);
    assert_int_equal(m->script.requests, CAP); /* as many as the receive buffer holds replies */
    script_run(&m->script, 100);
    assert_int_equal(m->script.requests, 2 * CAP); /* the first are old */
    script_run(&m->script, 250);
    assert_int_equal(m->script.requests, 3 * CAP);
    stop(&m->script, m->plan);
    free(m);
}

static void a_reply_makes_room_for_the_next(void **state)
{
    struct many *m = xcalloc(1, sizeof *m);

    (void)state;
    start_many(m);
    m->script.delay_ms = 10;
    script_run(&m->script, 100);
    assert_int_equal(m->done, MANY);
    assert_int_equal(m->script.requests, MANY);
    stop(&m->script, m->plan);
    free(m);
}

struct waiting {
    struct sbuf *said; /* b: the last answer of device b will be taken soon; b+: another one; B: its read has ended */
    char name;
};

static void say_soon(void *arg, bool last)
{
    const struct waiting *w = arg;

    sbuf_addc(w->said, w->name);
    if (!last)
        sbuf_addc(w->said, '+');
}

static void say_end(void *arg, const struct pd_read_result *result)
{
    const struct waiting *w = arg;

    assert_int_equal(result->status, PD_READ_DONE);
    sbuf_addc(w->said, (char)(w->name - 'a' + 'A'));
}

/* What three devices that are read at once are told, all of which answer in one moment. */
static void read_three(struct script *s, const struct pd_plan *plan, struct sbuf *said)
{
    struct waiting waiting[3];
    struct pd_read *r;

    sbuf_reset(said);
    for (int i = 0; i < 3; i++) {
        char address[32];
        struct pd_target t = {.name = "d", .address = address, .version = 2, .community = "public"};
        struct pd_sink sink = {.cells = many_cells, .end = say_end, .arg = &waiting[i], .soon = say_soon};

        (void)snprintf(address, sizeof address, "198.51.100.%d", i + 1);
        waiting[i] = (struct waiting){.said = said, .name = (char)('a' + i)};
        assert_int_equal(pd_snmp_ops.read(script_open_target(s, &t), plan, 1, &sink, &r), 0);
    }
    script_run(s, 1000);
}

static void whose_answer_is_next_is_told_while_the_one_before_is_taken(void **state)
{
    struct script s;
    struct pd_plan *plan = start(&s);
    struct sbuf said = {0};

    (void)state;
    s.delay_ms = 10;
    read_three(&s, plan, &said);
    assert_string_equal(said.s, "bAcBC");
    sbuf_free(&said);
    stop(&s, plan);
}

static void an_answer_behind_which_more_is_asked_is_told_apart(void **state)
{
    struct script s;
    struct pd_plan *few = start(&s), *many;
    struct sbuf oids = {0}, said = {0};

    (void)state;
    for (int i = 1; i <= 30; i++)
        sbuf_addf(&oids, "%s1.3.6.1.2.1.1.%d.0", i > 1 ? " " : "", i);
    many = script_plan(&s, oids.s);
    s.delay_ms = 10;
    read_three(&s, many, &said);
    assert_true(s.requests >= 6);
    assert_string_equal(said.s, "b+c+bAcBC");
    sbuf_free(&oids);
    sbuf_free(&said);
    pd_snmp_ops.plan_free(many);
    stop(&s, few);
}

/* A network whose buffer is full half of the time, and that refuses some. */
static size_t (*real_send)(void *ctx, struct snmp_packet *p, size_t n);

static size_t stubborn_send(void *ctx, struct snmp_packet *p, size_t n)
{
    struct script *s = ctx;

    if (s->step++ % 2 == 0)
        return 0;
    if (s->step % 8 == 0) {
        p->err = 113; /* EHOSTUNREACH */
        return 1;
    }
    return real_send(ctx, p, n < 3 ? n : 3);
}

static void a_full_or_refusing_kernel_costs_time_only(void **state)
{
    struct script s;
    struct pd_target t = {.name = "d", .address = "192.0.2.7", .version = 2, .community = "public", .retries = 5};
    struct snmp_net net;
    struct pd_plan *plan;

    (void)state;
    script_start(&s, NULL);
    net = s.net;
    real_send = net.send;
    net.send = stubborn_send;
    pd_snmp_ops.stop(s.collector);
    assert_int_equal(snmp_start_on(&s.services, NULL, &net, &s.collector), 0);
    s.leaves = office;
    s.nleaves = sizeof office / sizeof *office;
    s.device = script_open_target(&s, &t);
    plan = script_plan(&s, "1.3.6.1.2.1.1.3.0");
    for (int i = 0; i < 8; i++) {
        script_read(&s, plan);
        assert_int_equal(s.result.status, PD_READ_DONE);
    }
    assert_true(script_counter(&s, "snmp_refused") > 0);
    stop(&s, plan);
}

/* ---- Targets ---- */

static void targets_that_make_no_sense_are_refused(void **state)
{
    static const struct pd_target rows[] = {
        {.name = "d", .address = "printer.example", .version = 2, .community = "c"},
        {.name = "d", .address = "", .version = 2, .community = "c"},
        {.name = "d", .address = "192.0.2.1", .version = 3, .community = "c"},
        {.name = "d", .address = "192.0.2.1", .version = 2, .community = NULL},
        {.name = "d", .address = "192.0.2.1", .version = 2, .community = "c", .timeout_ms = -1},
        {.name = "d", .address = "192.0.2.1", .version = 2, .community = "c", .retries = 21},
    };
    struct script s;

    (void)state;
    script_start(&s, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_device *d;

        if (pd_snmp_ops.open(s.collector, &rows[i], &d) != PD_EINVAL)
            fail_msg("row %zu", i);
    }
    script_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgeries_are_dropped_and_counted),
        cmocka_unit_test(of_ten_thousand_forgeries_none_is_taken),
        cmocka_unit_test(garbage_is_dropped_and_counted),
        cmocka_unit_test(a_device_that_sends_garbage_is_named),
        cmocka_unit_test(what_is_dropped_is_counted_for_its_device),
        cmocka_unit_test(a_reply_counts_once),
        cmocka_unit_test(what_gets_lost_is_asked_again_as_soon_as_answers_took_before),
        cmocka_unit_test(a_reply_to_an_earlier_try_counts),
        cmocka_unit_test(reply_from_any_address_if_the_device_is_so),
        cmocka_unit_test(an_id_is_positive_kept_over_tries_and_new_for_each_request),
        cmocka_unit_test(young_requests_are_capped),
        cmocka_unit_test(a_reply_makes_room_for_the_next),
        cmocka_unit_test(whose_answer_is_next_is_told_while_the_one_before_is_taken),
        cmocka_unit_test(an_answer_behind_which_more_is_asked_is_told_apart),
        cmocka_unit_test(a_full_or_refusing_kernel_costs_time_only),
        cmocka_unit_test(targets_that_make_no_sense_are_refused),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
