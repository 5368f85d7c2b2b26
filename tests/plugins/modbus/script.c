#include "tests/plugins/modbus/script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/wire.h"
#include "plugins/modbus/address.h"

/* Bytes on their way to the collector; none: the peer's farewell. */
struct parcel {
    uint8_t *data;
    size_t n;
    int64_t due_ms;
};

struct mb_conn {
    struct script *script;
    LIST_ENTRY(mb_conn) link;
    int number;
    uint16_t port;
    int64_t up_ms; /* it stands from then on */
    bool told;     /* the collector heard that it stands */
    bool closed;   /* the peer said farewell */
    void (*ready)(void *arg);
    void *arg;
    ARRAY(struct parcel) parcels;
    uint8_t request[MB_REQUEST_FRAME];
    size_t nrequest;
    bool blocked; /* something could not be sent */
};

/* ---- The peer ---- */

static const struct trouble *trouble_of(const struct script *s, const struct mb_ask *a)
{
    for (size_t i = 0; i < s->ntroubles; i++) {
        const struct trouble *t = &s->troubles[i];

        if ((!t->unit || t->unit == a->unit) && (!t->function || t->function == a->function) &&
            t->first < a->address + a->count && t->last >= a->address)
            return t;
    }
    return NULL;
}

static void put_data(struct wire_out *out, const struct mb_ask *a)
{
    wire_put_u8(out, (uint8_t)mb_data_size(a));
    if (!mb_is_bits(a->function)) {
        for (unsigned i = 0; i < a->count; i++)
            wire_put_u16be(out, (uint16_t)(a->address + i));
        return;
    }
    for (unsigned i = 0; i < a->count; i += 8) {
        uint8_t byte = 0;

        for (unsigned k = 0; k < 8 && i + k < a->count; k++)
            byte |= (uint8_t)((a->address + i + k) % 2 << k);
        wire_put_u8(out, byte);
    }
}

size_t script_answer(const struct script *s, const struct seen *q, uint8_t frame[static MB_MAX_FRAME])
{
    const struct trouble *t = trouble_of(s, &q->ask);
    struct wire_out out = wire_out(frame, MB_MAX_FRAME);
    uint8_t exception = t ? t->exception : s->max_count && q->ask.count > s->max_count ? MB_ILLEGAL_VALUE : 0;
    size_t n;

    if (t && !t->exception)
        return 0;
    wire_put_u16be(&out, q->transaction);
    wire_put_u32be(&out, 0);
    wire_put_u8(&out, q->ask.unit);
    wire_put_u8(&out, exception ? q->ask.function | 0x80 : q->ask.function);
    if (exception)
        wire_put_u8(&out, exception);
    else
        put_data(&out, &q->ask);
    assert_false(out.bad);
    n = wire_used(&out);
    frame[5] = (uint8_t)(n - 6);
    return n;
}

static void take_request(struct mb_conn *c)
{
    struct script *s = c->script;
    struct wire_in in = wire_in(c->request, sizeof c->request);
    struct seen q = {.ms = s->time.mono, .conn = c->number, .transaction = wire_u16be(&in), .port = c->port};
    uint8_t frame[MB_MAX_FRAME];
    size_t n;

    assert_int_equal(wire_u32be(&in), 6);
    q.ask.unit = wire_u8(&in);
    q.ask.function = wire_u8(&in);
    q.ask.address = wire_u16be(&in);
    q.ask.count = wire_u16be(&in);
    array_push(&s->seen, q);
    if (s->hook && s->hook(s, c, &q))
        return;
    n = script_answer(s, &q, frame);
    if (n > 0)
        script_arrive(s, c, frame, n, s->delay_ms);
}

/* ---- Connections ---- */

static int net_connect(void *ctx, const union pd_addr *to, void (*ready)(void *arg), void *arg, struct mb_conn **out)
{
    struct script *s = ctx;
    struct mb_conn *c;

    s->connects++;
    if (s->connect_errno == ENETUNREACH) /* known at once */
        return -s->connect_errno;
    c = xcalloc(1, sizeof *c);
    c->script = s;
    c->number = s->connects;
    c->port = pd_addr_port(to);
    c->up_ms = s->connect_ms < 0 ? INT64_MAX : s->time.mono + s->connect_ms;
    c->ready = ready;
    c->arg = arg;
    LIST_INSERT_HEAD(&s->conns, c, link);
    s->open++;
    *out = c;
    return 0;
}

static int net_connected(struct mb_conn *c)
{
    if (c->script->time.mono < c->up_ms)
        return 1;
    c->told = true;
    return -c->script->connect_errno;
}

static ssize_t net_send(struct mb_conn *c, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    size_t room = c->script->send_room ? c->script->send_room : n, taken = n < room ? n : room;

    assert_true(c->told);
    if (c->closed)
        return -EPIPE;
    for (size_t i = 0; i < taken; i++) {
        c->request[c->nrequest++] = bytes[i];
        if (c->nrequest == sizeof c->request) {
            c->nrequest = 0;
            take_request(c);
        }
    }
    c->blocked = taken < n;
    return (ssize_t)taken;
}

static ssize_t net_recv(struct mb_conn *c, void *p, size_t n)
{
    struct parcel *first = c->parcels.v;
    size_t taken;

    assert_true(n > 0);
    if (c->parcels.n == 0 || first->due_ms > c->script->time.mono)
        return 0;
    if (first->n == 0) {
        c->closed = true;
        return -EPIPE;
    }
    taken = first->n < n ? first->n : n;
    memcpy(p, first->data, taken);
    memmove(first->data, first->data + taken, first->n - taken);
    first->n -= taken;
    if (first->n == 0) {
        free(first->data);
        array_remove(&c->parcels, 0);
    }
    return (ssize_t)taken;
}

static void net_close(struct mb_conn *c)
{
    if (!c)
        return;
    c->script->open--;
    LIST_REMOVE(c, link);
    for (size_t i = 0; i < c->parcels.n; i++)
        free(c->parcels.v[i].data);
    array_free(&c->parcels);
    free(c);
}

void script_arrive(struct script *s, struct mb_conn *c, const void *p, size_t n, int64_t delay_ms)
{
    size_t piece = s->piece ? s->piece : n;

    for (size_t at = 0; at < n; at += piece) {
        size_t here = n - at < piece ? n - at : piece;
        struct parcel parcel = {.data = xmemdup((const uint8_t *)p + at, here), .n = here};

        parcel.due_ms = s->time.mono + delay_ms + (int64_t)(at / piece);
        array_push(&c->parcels, parcel);
    }
}

void script_hang_up(struct script *s, struct mb_conn *c, int64_t delay_ms)
{
    struct parcel parcel = {.due_ms = s->time.mono + delay_ms};

    array_push(&c->parcels, parcel);
}

/* ---- Time ---- */

/* When something happens to the connection of which the collector is to be told. */
static int64_t next_of(const struct mb_conn *c)
{
    if (!c->told)
        return c->up_ms;
    if (c->blocked)
        return c->script->time.mono;
    return c->parcels.n > 0 ? c->parcels.v[0].due_ms : INT64_MAX;
}

static struct mb_conn *first_conn(struct script *s)
{
    struct mb_conn *c, *first = NULL;

    LIST_FOREACH(c, &s->conns, link)
    {
        if (!first || next_of(c) < next_of(first))
            first = c;
    }
    return first && next_of(first) < INT64_MAX ? first : NULL;
}

/* The next thing that happens, not after `end`; false if nothing does. */
static bool happen(struct script *s, int64_t end)
{
    struct mb_conn *c = first_conn(s);
    int64_t net = c ? next_of(c) : INT64_MAX, timer = wheel_next(s->services.wheel);
    int64_t next = net < timer ? net : timer;

    if (next > end)
        return false;
    if (next > s->time.mono)
        clock_fake_advance(&s->time, next - s->time.mono);
    if (net > timer) {
        wheel_advance(s->services.wheel, s->time.mono);
        return true;
    }
    if (!c->told && s->hangs_up && !s->connect_errno)
        script_hang_up(s, c, 0);
    c->ready(c->arg);
    return true;
}

void script_run(struct script *s, int64_t ms)
{
    int64_t end = s->time.mono + ms;

    while (happen(s, end))
        ;
    if (s->time.mono < end)
        clock_fake_advance(&s->time, end - s->time.mono);
}

/* ---- Reads ---- */

static void print_cell(struct sbuf *b, const struct pd_cell *c)
{
    static const char *const words[] = {
        [PD_CELL_NULL] = "null", [PD_CELL_ABSENT] = "absent", [PD_CELL_INVALID] = "invalid"};

    sbuf_addf(b, "%" PRIu32, c->source);
    for (unsigned i = 0; i < c->ninstance; i++)
        sbuf_addf(b, "%s%" PRIu32, i > 0 ? "." : "[", c->instance[i]);
    sbuf_add(b, c->ninstance > 0 ? "] " : " ");
    switch (c->type) {
    case PD_CELL_INT:
        sbuf_addf(b, "%" PRId64, c->i);
        break;
    case PD_CELL_UINT:
        sbuf_addf(b, "%" PRIu64, c->u);
        break;
    case PD_CELL_FLOAT:
        sbuf_addf(b, "%g", c->f);
        break;
    case PD_CELL_BYTES:
        for (uint32_t i = 0; i < c->nbytes; i++)
            sbuf_addf(b, "%02x", c->bytes[i]);
        break;
    default:
        sbuf_add(b, words[c->type]);
    }
    sbuf_addc(b, '\n');
}

static void on_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct reading *r = arg;

    assert_non_null(r->read); /* read() has returned */
    assert_int_equal(r->ends, 0);
    for (size_t i = 0; i < n; i++)
        print_cell(&r->cells, &cells[i]);
    if (r->on_cells)
        r->on_cells(r);
}

static void on_end(void *arg, const struct pd_read_result *result)
{
    struct reading *r = arg;

    assert_non_null(r->read);
    r->ends++;
    r->result = *result;
    r->ended_ms = r->script->time.mono;
    assert_int_equal(result->detail == NULL, result->status == PD_READ_DONE);
    if (result->detail)
        strncat(r->detail, result->detail, sizeof r->detail - 1);
    if (r->on_end)
        r->on_end(r);
}

static struct pd_sink begin(struct script *s, struct reading *r)
{
    void (*cells)(struct reading * r_) = r->on_cells, (*end)(struct reading * r_) = r->on_end;
    void *arg = r->arg;

    reading_free(r);
    *r = (struct reading){.script = s, .started_ms = s->time.mono, .on_cells = cells, .on_end = end, .arg = arg};
    sbuf_add(&r->cells, "");
    return (struct pd_sink){.cells = on_cells, .end = on_end, .arg = r};
}

void script_begin_parts(struct script *s, struct reading *r, struct pd_device *d, const struct pd_plan *plan,
                        uint32_t parts)
{
    struct pd_sink sink = begin(s, r);

    assert_int_equal(pd_modbus_ops.read(d, plan, parts, &sink, &r->read), 0);
}

void script_begin(struct script *s, struct reading *r, struct pd_device *d, const struct pd_plan *plan)
{
    script_begin_parts(s, r, d, plan, UINT32_MAX);
}

void script_wait(struct reading *r)
{
    while (r->ends == 0) {
        if (!happen(r->script, INT64_MAX))
            fail_msg("nothing would ever end the read");
    }
    assert_int_equal(r->ends, 1);
}

void script_read(struct script *s, struct reading *r, struct pd_device *d, const struct pd_plan *plan)
{
    script_begin(s, r, d, plan);
    script_wait(r);
}

void script_walk(struct script *s, struct reading *r, struct pd_device *d, const char *root)
{
    struct pd_sink sink = begin(s, r);

    assert_int_equal(pd_modbus_ops.walk(d, root, &sink, &r->read), 0);
    script_wait(r);
}

void reading_free(struct reading *r)
{
    sbuf_free(&r->cells);
}

/* ---- Start and stop ---- */

void script_start(struct script *s, const struct pd_modbus_config *config)
{
    *s = (struct script){.delay_ms = 5};
    LIST_INIT(&s->conns);
    rng_seed(&s->seed, 1);
    s->time.mono = 1000;
    s->services = (struct pd_services){
        .clock = clock_fake_ops(&s->time), .rng = rng_seeded_ops(&s->seed), .wheel = wheel_new(s->time.mono)};
    s->net = (struct mb_net){.connect = net_connect,
                             .connected = net_connected,
                             .send = net_send,
                             .recv = net_recv,
                             .close = net_close,
                             .ctx = s};
    assert_int_equal(mb_start_on(&s->services, config, &s->net, &s->collector), 0);
}

void script_stop(struct script *s)
{
    pd_modbus_ops.stop(s->collector);
    assert_true(LIST_EMPTY(&s->conns));
    assert_int_equal(wheel_next(s->services.wheel), INT64_MAX);
    wheel_free(s->services.wheel);
    array_free(&s->seen);
}

struct pd_device *script_open(struct script *s, const char *address, uint16_t port, uint8_t unit)
{
    struct pd_target t = {.name = "device", .address = address, .port = port, .unit = unit, .retries = -1};
    struct pd_device *d = NULL;

    assert_int_equal(pd_modbus_ops.open(s->collector, &t, &d), 0);
    return d;
}

struct pd_plan *script_plan(struct script *s, const char *text)
{
    struct pd_source sources[64] = {0};
    struct pd_compile_error err = {.msg = ""};
    struct pd_plan *plan = NULL;
    char *copy = xstrdup(text), *save = NULL;
    size_t n = 0;

    for (char *p = strtok_r(copy, ";", &save); p; p = strtok_r(NULL, ";", &save)) {
        p += strspn(p, " ");
        sources[n] = (struct pd_source){.id = (uint32_t)n, .table = strstr(p, "rows") != NULL};
        if (*p == '@') {
            sources[n].part = (uint8_t)(p[1] - '0');
            p += 3;
        }
        sources[n++].address = p;
    }
    if (pd_modbus_ops.compile(s->collector, sources, n, &plan, &err) < 0)
        fail_msg("'%s': %s", text, err.msg);
    free(copy);
    return plan;
}

/* ---- What happened ---- */

struct search {
    const char *name;
    bool found;
    uint64_t value;
};

static void on_counter(void *arg, const char *name, uint64_t value)
{
    struct search *s = arg;

    if (strcmp(s->name, name) != 0)
        return;
    s->found = true;
    s->value = value;
}

uint64_t script_counter(struct script *s, const char *name)
{
    struct search search = {.name = name};

    pd_modbus_ops.counters(s->collector, on_counter, &search);
    if (!search.found)
        fail_msg("no counter %s", name);
    return search.value;
}

char *script_requests(const struct script *s, size_t i)
{
    struct sbuf b = {0};
    char place[MB_PLACE];

    for (; i < s->seen.n; i++) {
        mb_place(&s->seen.v[i].ask, place);
        sbuf_addf(&b, "%d %s\n", s->seen.v[i].ask.unit, place);
    }
    return sbuf_take(&b);
}
