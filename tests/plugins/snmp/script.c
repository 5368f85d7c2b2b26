#include "tests/plugins/snmp/script.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

/* A packet on its way to the collector. */
struct parcel {
    union pd_addr from;
    uint8_t *data;
    size_t n;
    int64_t due_ms;
};

/* ---- The agent ---- */

static void leaf_oid(const struct leaf *l, struct oid *out)
{
    const char *why;

    assert_int_equal(oid_parse(l->oid, out, &why), 0);
}

/* The first object at or behind a name; nleaves if there is none. */
static size_t seek(const struct script *s, const uint32_t *name, size_t n, bool behind)
{
    struct oid o;
    size_t i;

    for (i = 0; i < s->nleaves; i++) {
        leaf_oid(&s->leaves[i], &o);
        if (oid_cmp(o.id, o.n, name, n) >= (behind ? 1 : 0))
            break;
    }
    return i == s->nleaves && behind && s->quirks & QUIRK_LOOP ? 0 : i;
}

static bool put_leaf(struct script *s, struct snmp_writer *w, size_t i)
{
    const struct leaf *l = &s->leaves[i];
    struct oid o;
    struct snmp_varbind vb = {.type = l->type, .i = l->number};

    leaf_oid(l, &o);
    vb.name = o.id;
    vb.nname = o.n;
    if (l->type == SNMP_OCTETS) {
        vb.bytes = (const uint8_t *)l->text;
        vb.n = (uint32_t)strlen(l->text);
    }
    return snmp_put(w, &vb);
}

static bool put_exception(struct snmp_writer *w, const uint32_t *name, uint16_t n, uint8_t type)
{
    struct snmp_varbind vb = {.name = name, .nname = n, .type = type};

    return snmp_put(w, &vb);
}

static size_t error(struct script *s, const struct snmp_msg *m, int32_t status, size_t index)
{
    struct snmp_msg head = *m;
    struct snmp_writer w;

    head.type = SNMP_RESPONSE;
    head.status = status;
    head.index = s->quirks & QUIRK_NO_INDEX ? 0 : (int32_t)index;
    snmp_begin(&w, s->reply, sizeof s->reply, &head);
    snmp_put_encoded(&w, m->varbinds.p, wire_left(&m->varbinds));
    return snmp_end(&w);
}

/* Which object a GET or GETNEXT of this name gives; nleaves for none. */
static size_t pick(const struct script *s, uint8_t version, uint8_t type, const struct snmp_varbind *vb)
{
    size_t i = seek(s, vb->name, vb->nname, type == SNMP_GETNEXT);
    struct oid o;

    while (type == SNMP_GETNEXT && version == SNMP_V1 && i < s->nleaves && s->leaves[i].type == SNMP_COUNTER64)
        i++;
    if (type == SNMP_GETNEXT || i == s->nleaves)
        return i;
    leaf_oid(&s->leaves[i], &o);
    return oid_cmp(o.id, o.n, vb->name, vb->nname) == 0 ? i : s->nleaves;
}

static bool is_faulty(const struct script *s, size_t i)
{
    return s->faulty && i < s->nleaves && strcmp(s->leaves[i].oid, s->faulty) == 0;
}

static size_t answer_get(struct script *s, const struct snmp_msg *m)
{
    struct snmp_msg head = *m;
    struct snmp_writer w;

    head.type = SNMP_RESPONSE;
    head.status = head.index = 0;
    snmp_begin(&w, s->reply, sizeof s->reply, &head);
    for (size_t i = 0; i < s->varbinds->n; i++) {
        const struct snmp_varbind *vb = &s->varbinds->v[i];
        size_t k = pick(s, m->version, m->type, vb);

        if (s->quirks & QUIRK_STUCK && m->type == SNMP_GETNEXT)
            k = k ? k - 1 : 0;
        if (is_faulty(s, k))
            return error(s, m, SNMP_GEN_ERR, i + 1);
        if (k < s->nleaves && !(m->version == SNMP_V1 && s->leaves[k].type == SNMP_COUNTER64))
            assert_true(put_leaf(s, &w, k));
        else if (m->version == SNMP_V1)
            return error(s, m, SNMP_NO_SUCH_NAME, i + 1);
        else
            put_exception(&w, vb->name, vb->nname, m->type == SNMP_GET ? SNMP_NO_SUCH_OBJECT : SNMP_END_OF_MIB_VIEW);
    }
    return snmp_end(&w);
}

/* One varbind of a GETBULK; *vb's name moves on to what was given. */
static bool put_next(struct script *s, struct snmp_writer *w, struct snmp_varbind *vb, struct oid *at)
{
    size_t k = pick(s, SNMP_V2C, SNMP_GETNEXT, vb);

    if (k == s->nleaves)
        return put_exception(w, vb->name, vb->nname, SNMP_END_OF_MIB_VIEW);
    leaf_oid(&s->leaves[k], at);
    vb->name = at->id;
    vb->nname = at->n;
    return put_leaf(s, w, k);
}

static size_t answer_bulk(struct script *s, const struct snmp_msg *m)
{
    struct snmp_msg head = *m;
    struct snmp_varbind *v = s->varbinds->v;
    size_t n = s->varbinds->n, put = 0, non = (size_t)m->non_repeaters;
    int32_t rows = s->quirks & QUIRK_ONE_ROW ? 1 : m->max_repetitions;
    struct oid *at = xcalloc(n + 1, sizeof *at);
    struct snmp_writer w;

    head.type = SNMP_RESPONSE;
    head.status = head.index = 0;
    snmp_begin(&w, s->reply, sizeof s->reply, &head);
    for (size_t i = 0; i < non; i++, put++)
        put_next(s, &w, &v[i], &at[i]);
    for (int32_t row = 0; row < rows && !(s->quirks & QUIRK_EMPTY_BULK); row++) {
        for (size_t i = non; i < n && !(s->max_varbinds && put == s->max_varbinds); i++, put++)
            put_next(s, &w, &v[i], &at[i]);
    }
    free(at);
    return snmp_end(&w);
}

size_t script_answer(struct script *s, const struct snmp_msg *m)
{
    if (s->quirks & QUIRK_DEAD)
        return 0;
    if (m->version != SNMP_V3 &&
        (m->ncommunity < 6 || memcmp(m->community, "public", 6) != 0 || (m->ncommunity > 6 && m->community[6] != '@')))
        return 0;
    if (m->type == SNMP_GETBULK) {
        if (s->quirks & QUIRK_NO_BULK)
            return 0;
        if (s->quirks & QUIRK_BULK_ERROR || m->version == SNMP_V1)
            return error(s, m, SNMP_GEN_ERR, 0);
        return answer_bulk(s, m);
    }
    if (s->max_varbinds && s->varbinds->n > s->max_varbinds)
        return error(s, m, SNMP_TOO_BIG, 0);
    return answer_get(s, m);
}

/* ---- The network ---- */

void script_arrive(struct script *s, const union pd_addr *from, const void *data, size_t n, int64_t delay_ms)
{
    struct parcel p = {.from = *from, .data = xmemdup(data, n ? n : 1), .n = n, .due_ms = s->time.mono + delay_ms};
    size_t at = s->parcels.n;

    array_push(&s->parcels, p);
    for (; at > s->first && s->parcels.v[at - 1].due_ms > p.due_ms; at--)
        s->parcels.v[at] = s->parcels.v[at - 1];
    s->parcels.v[at] = p;
}

static void note_request(struct script *s, const struct snmp_msg *m)
{
    s->varbinds->n = 0;
    if (m->type)
        assert_int_equal(snmp_decode_varbinds(m, s->varbinds), 0);
    if (s->requests < 64) {
        s->types[s->requests] = m->type;
        s->sizes[s->requests] = (uint16_t)s->varbinds->n;
    }
    s->requests++;
}

static void take_v3(struct script *s, const struct snmp_packet *p)
{
    struct agent3 *a = s->engines[(ntohl(p->addr.in.sin_addr.s_addr) & 0xff) % 4];
    const uint8_t *start;
    struct snmp_msg pdu;
    struct v3_msg m;
    size_t n;
    bool fits;

    assert_non_null(a);
    a->time = (int32_t)((s->time.mono - a->booted_ms) / 1000);
    fits = agent3_open(a, p->data, p->n, &m, &pdu, &start, &n);
    note_request(s, &pdu);
    if (s->v3_hook && s->v3_hook(s, p, &m, &pdu))
        return;
    if (fits) {
        n = script_answer(s, &pdu);
        n = n ? agent3_answer(a, &m, s->reply, n, &start) : 0;
    }
    if (n && !(s->quirks & QUIRK_DEAD))
        script_arrive(s, &p->addr, start, n, s->delay_ms);
}

static size_t script_send(void *ctx, struct snmp_packet *p, size_t n)
{
    struct script *s = ctx;

    for (size_t i = 0; i < n; i++) {
        struct snmp_msg m;
        size_t len;

        if (v3_is(p[i].data, p[i].n)) {
            take_v3(s, &p[i]);
            continue;
        }
        assert_int_equal(snmp_decode(p[i].data, p[i].n, &m), 0);
        note_request(s, &m);
        if (s->hook && s->hook(s, &p[i], &m))
            continue;
        len = script_answer(s, &m);
        if (len)
            script_arrive(s, &p[i].addr, s->reply, len, s->delay_ms);
    }
    return n;
}

static void give_back(struct script *s)
{
    for (size_t i = 0; i < SNMP_BATCH; i++) {
        free(s->taken[i]);
        s->taken[i] = NULL;
    }
}

static size_t script_recv(void *ctx, struct snmp_packet *p, size_t n)
{
    struct script *s = ctx;
    size_t got = 0;

    give_back(s);
    while (got < n && s->first < s->parcels.n && s->parcels.v[s->first].due_ms <= s->time.mono) {
        struct parcel *a = &s->parcels.v[s->first++];

        p[got] = (struct snmp_packet){.addr = a->from, .data = a->data, .n = a->n};
        s->taken[got++] = a->data;
    }
    return got;
}

static size_t script_buffer(void *ctx, int family)
{
    (void)ctx;
    (void)family;
    return 64 * 2304;
}

static void script_listen(void *ctx, void (*readable)(void *arg), void *arg)
{
    struct script *s = ctx;

    s->readable = readable;
    s->readable_arg = arg;
}

/* ---- Time ---- */

void script_run(struct script *s, int64_t max_ms)
{
    int64_t end = s->time.mono + max_ms;
    int ends = s->ends;

    while (s->ends == ends) {
        int64_t next = wheel_next(s->services.wheel);

        if (s->first < s->parcels.n && s->parcels.v[s->first].due_ms < next)
            next = s->parcels.v[s->first].due_ms;
        if (next > end)
            break;
        if (next > s->time.mono)
            clock_fake_advance(&s->time, next - s->time.mono);
        wheel_advance(s->services.wheel, s->time.mono);
        if (s->first < s->parcels.n && s->parcels.v[s->first].due_ms <= s->time.mono)
            s->readable(s->readable_arg);
    }
    if (s->ends == ends && end > s->time.mono)
        clock_fake_advance(&s->time, end - s->time.mono);
}

/* ---- Cells ---- */

static void add_value(struct sbuf *b, const struct pd_cell *c)
{
    switch (c->type) {
    case PD_CELL_INT:
        sbuf_addf(b, "int %lld", (long long)c->i);
        break;
    case PD_CELL_UINT:
    case PD_CELL_TICKS:
        sbuf_addf(b, "%s %llu", c->type == PD_CELL_UINT ? "uint" : "ticks", (unsigned long long)c->u);
        break;
    case PD_CELL_FLOAT:
        sbuf_addf(b, "float %g", c->f);
        break;
    case PD_CELL_BYTES:
        sbuf_addc(b, '\'');
        sbuf_addn(b, c->bytes, c->nbytes);
        sbuf_addc(b, '\'');
        break;
    case PD_CELL_OID:
        sbuf_add(b, "oid ");
        oid_add_text(b, c->oid, c->nbytes);
        break;
    default:
        sbuf_add(b, c->type == PD_CELL_NULL ? "null" : c->type == PD_CELL_ABSENT ? "absent" : "invalid");
    }
}

static void on_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct script *s = arg;

    for (size_t i = 0; i < n; i++) {
        sbuf_addf(&s->cells, "%u[", (unsigned)cells[i].source);
        oid_add_text(&s->cells, cells[i].instance, cells[i].ninstance);
        sbuf_add(&s->cells, "] ");
        add_value(&s->cells, &cells[i]);
        sbuf_addc(&s->cells, '\n');
    }
}

static void on_end(void *arg, const struct pd_read_result *result)
{
    struct script *s = arg;

    s->result = *result;
    s->detail[0] = '\0';
    if (result->detail)
        strncat(s->detail, result->detail, sizeof s->detail - 1);
    s->result.detail = s->detail;
    s->ends++;
}

struct pd_sink script_sink(struct script *s)
{
    return (struct pd_sink){.cells = on_cells, .end = on_end, .arg = s};
}

/* ---- The whole ---- */

void script_start(struct script *s, const struct pd_snmp_config *config)
{
    *s = (struct script){.time = {.wall = 1700000000000, .mono = 5000}};
    rng_seed(&s->seed, 1);
    s->services = (struct pd_services){
        .clock = clock_fake_ops(&s->time), .rng = rng_seeded_ops(&s->seed), .wheel = wheel_new(s->time.mono)};
    s->net = (struct snmp_net){
        .send = script_send, .recv = script_recv, .buffer = script_buffer, .listen = script_listen, .ctx = s};
    s->varbinds = xmalloc(sizeof *s->varbinds);
    sbuf_add(&s->cells, "");
    assert_int_equal(snmp_start_on(&s->services, config, &s->net, &s->collector), 0);
}

void script_stop(struct script *s)
{
    pd_snmp_ops.stop(s->collector);
    wheel_free(s->services.wheel);
    give_back(s);
    for (size_t i = s->first; i < s->parcels.n; i++)
        free(s->parcels.v[i].data);
    array_free(&s->parcels);
    sbuf_free(&s->cells);
    free(s->varbinds);
}

void script_open_v3(struct script *s, const struct pd_usm_secret *secret)
{
    struct pd_target t = {
        .name = "printer", .address = "192.0.2.1", .version = 3, .usm = secret, .timeout_ms = 1000, .retries = 2};

    s->device = script_open_target(s, &t);
}

struct pd_device *script_open_target(struct script *s, const struct pd_target *target)
{
    struct pd_device *d = NULL;

    assert_int_equal(pd_snmp_ops.open(s->collector, target, &d), 0);
    return d;
}

void script_open(struct script *s, uint8_t version)
{
    struct pd_target t = {
        .name = "printer", .address = "192.0.2.1", .version = version, .community = "public", .retries = -1};

    s->device = script_open_target(s, &t);
}

struct pd_plan *script_plan(struct script *s, const char *oids)
{
    struct pd_source sources[64];
    struct pd_compile_error err = {.msg = ""};
    struct pd_plan *plan = NULL;
    char *text = xstrdup(oids), *save = NULL;
    size_t n = 0;

    for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save), n++) {
        char *star = strstr(w, ".*");

        if (star)
            *star = '\0';
        sources[n] = (struct pd_source){.id = (uint32_t)n, .address = w, .table = star != NULL};
    }
    if (pd_snmp_ops.compile(s->collector, sources, n, &plan, &err) < 0)
        fail_msg("%s", err.msg);
    free(text);
    return plan;
}

void script_clear(struct script *s)
{
    sbuf_reset(&s->cells);
    sbuf_add(&s->cells, "");
    s->requests = 0;
}

void script_read(struct script *s, const struct pd_plan *plan)
{
    struct pd_sink sink = script_sink(s);

    script_clear(s);
    assert_int_equal(pd_snmp_ops.read(s->device, plan, 1, &sink, &s->read), 0);
    script_run(s, 3600000);
}

void script_walk(struct script *s, const char *root)
{
    struct pd_sink sink = script_sink(s);

    script_clear(s);
    assert_int_equal(pd_snmp_ops.walk(s->device, root, &sink, &s->read), 0);
    script_run(s, 3600000);
}

struct wanted {
    const char *name;
    uint64_t value;
    bool found;
};

static void on_counter(void *arg, const char *name, uint64_t value)
{
    struct wanted *w = arg;

    if (strcmp(name, w->name) == 0) {
        w->value = value;
        w->found = true;
    }
}

uint64_t script_counter(struct script *s, const char *name)
{
    struct wanted w = {.name = name};

    pd_snmp_ops.counters(s->collector, on_counter, &w);
    if (!w.found)
        fail_msg("no counter %s", name);
    return w.value;
}
