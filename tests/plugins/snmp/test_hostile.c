#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "tests/plugins/snmp/script.h"

/* Agents that mean harm: each is a way to make the rows that are asked for, from how many there were before. */

struct row {
    uint32_t name[OID_MAX];
    uint16_t nname;
    struct snmp_varbind vb;
};

/* Its rows are below 1.3.6.1.4.1.9999.1. */
struct evil {
    const char *what;
    void (*row)(uint32_t i, struct row *out);
    int32_t most;      /* rows in an answer */
    unsigned requests; /* at most, until it is stopped */
    enum pd_read_status status;
    const char *detail; /* of the read, or NULL */
};

static uint8_t big[60000];

static void row_named(struct row *r, uint32_t last)
{
    static const uint32_t column[] = {1, 3, 6, 1, 4, 1, 9999, 1};

    memcpy(r->name, column, sizeof column);
    r->name[8] = last;
    r->nname = 9;
    r->vb = (struct snmp_varbind){.type = SNMP_INTEGER, .i = last};
}

static void repeated(uint32_t i, struct row *r)
{
    (void)i;
    row_named(r, 7);
}

static void falling(uint32_t i, struct row *r)
{
    row_named(r, UINT32_MAX - i);
}

static void cycling(uint32_t i, struct row *r)
{
    row_named(r, i % 3);
}

static void rising(uint32_t i, struct row *r)
{
    row_named(r, i);
}

static void large(uint32_t i, struct row *r)
{
    row_named(r, i);
    r->vb = (struct snmp_varbind){.type = SNMP_OCTETS, .bytes = big, .n = sizeof big};
}

static void deep(uint32_t i, struct row *r)
{
    row_named(r, i);
    for (r->nname = 9; r->nname < OID_MAX; r->nname++)
        r->name[r->nname] = UINT32_MAX;
}

/* The read may have 2,000 values and 1 MB. */
static const struct evil agents[] = {
    {"an empty list", rising, 0, 8, PD_READ_NOANSWER, NULL},
    {"one name for ever", repeated, INT32_MAX, 2, PD_READ_BROKEN, NULL},
    {"names that fall", falling, INT32_MAX, 2, PD_READ_BROKEN, NULL},
    {"names that go in circles", cycling, INT32_MAX, 2, PD_READ_BROKEN, NULL},
    {"names that rise without an end", rising, INT32_MAX, 100, PD_READ_BROKEN, "gave too many values"},
    {"one by one without an end", rising, 1, 2100, PD_READ_BROKEN, "gave too many values"},
    {"60 KB in each", large, 1, 30, PD_READ_BROKEN, "gave too many bytes"},
    {"names of 128 numbers", deep, INT32_MAX, 200, PD_READ_BROKEN, "gave too many"},
};

static const struct evil *evil_of(const struct script *s)
{
    return &agents[s->step & 0xff];
}

static bool answer_evil(struct script *s, const struct snmp_packet *p, const struct snmp_msg *m)
{
    uint32_t i = (uint32_t)s->step >> 8;
    int32_t reps = m->type == SNMP_GETBULK ? m->max_repetitions : 1;
    struct snmp_msg head = *m;
    struct snmp_writer w;
    struct row row;

    head.type = SNMP_RESPONSE;
    head.status = head.index = 0;
    snmp_begin(&w, s->reply, sizeof s->reply, &head);
    for (int32_t k = 0; k < reps && k < evil_of(s)->most; k++) {
        evil_of(s)->row(i++, &row);
        row.vb.name = row.name;
        row.vb.nname = row.nname;
        if (!snmp_put(&w, &row.vb))
            break;
    }
    s->step = (int)(i << 8 | ((uint32_t)s->step & 0xff));
    script_arrive(s, &p->addr, s->reply, snmp_end(&w), 1);
    return true;
}

static void each_is_stopped(void **state)
{
    struct pd_snmp_config config = pd_snmp_defaults;

    (void)state;
    config.max_varbinds = 2000;
    config.max_bytes = 1 << 20;
    for (size_t i = 0; i < sizeof agents / sizeof *agents; i++) {
        const struct evil *e = &agents[i];
        struct script s;
        int64_t began;

        script_start(&s, &config);
        script_open(&s, 2);
        s.hook = answer_evil;
        s.step = (int)i;
        began = s.time.mono;
        script_walk(&s, "1.3.6.1.4.1.9999.1");
        if (s.ends != 1 || s.result.status != e->status || s.requests > e->requests ||
            (e->detail && strncmp(s.detail, e->detail, strlen(e->detail)) != 0))
            fail_msg("%s: status %d after %u requests and %lld ms: %s", e->what, s.result.status, s.requests,
                     (long long)(s.time.mono - began), s.detail);
        script_stop(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_stopped),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("plugins/snmp/hostile", tests, NULL, NULL);
}
