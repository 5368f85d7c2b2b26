#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "plugins/modbus/plan.h"

static const struct mb_merge full = {.registers = MB_MAX_REGISTERS, .bits = MB_MAX_BITS, .gap = 8};

/* Sources from "holding 1; holding 2 u32": ids 0, 1, ...; one with 'rows' is a column; "@3 " before it names its part. */
static struct pd_plan *compile(const char *text)
{
    struct pd_source sources[32] = {0};
    struct pd_compile_error err = {.msg = ""};
    struct pd_plan *plan = NULL;
    char *copy = xstrdup(text), *save = NULL;
    size_t n = 0;

    for (char *s = strtok_r(copy, ";", &save); s; s = strtok_r(NULL, ";", &save)) {
        s += strspn(s, " ");
        sources[n] = (struct pd_source){.id = (uint32_t)n, .table = strstr(s, "rows") != NULL};
        if (*s == '@') {
            sources[n].part = (uint8_t)(s[1] - '0');
            s += 3;
        }
        sources[n++].address = s;
    }
    if (mb_plan_compile(sources, n, &plan, &err) < 0)
        fail_msg("'%s': %s", text, err.msg);
    free(copy);
    return plan;
}

/* The requests of a read: "holding 1-3, coil 7". */
static void requests(const struct pd_plan *p, uint32_t parts, const struct mb_learnt *l, const struct mb_merge *merge,
                     struct sbuf *out)
{
    struct mb_chunk c;
    char place[MB_PLACE];

    for (size_t at = 0; mb_plan_next(p, at, parts, l, merge, &c); at = c.end) {
        mb_place(&c.ask, place);
        sbuf_addf(out, "%s%s", at > 0 && out->n > 0 ? ", " : "", place);
    }
    if (!out->s)
        sbuf_add(out, "");
}

static void neighbours_are_asked_for_together(void **state)
{
    static const struct {
        const char *sources, *requests;
    } rows[] = {
        {"holding 5", "holding 5"},
        {"holding 5; holding 6; holding 4", "holding 4-6"},
        {"holding 0; holding 9", "holding 0-9"},                      /* a gap of eight */
        {"holding 0; holding 10", "holding 0, holding 10"},           /* of nine */
        {"holding 0 u64; holding 12", "holding 0-12"},                /* counted from the end of a value */
        {"holding 0 text 20; holding 2; holding 28", "holding 0-28"}, /* a value within another */
        {"holding 5; input 6; coil 7; discrete 8", "coil 7, discrete 8, holding 5, input 6"},
        {"holding 0 text 100; holding 100 text 25", "holding 0-124"},
        {"holding 0 text 100; holding 100 text 26", "holding 0-99, holding 100-125"},
        {"holding 0 text 125; holding 124 u32", "holding 0-124, holding 124-125"},
        {"coil 0; coil 8; coil 16; coil 30", "coil 0-16, coil 30"},
        {"holding 7 bits 0; holding 7 bits 1; holding 7 bits 2-3", "holding 7"},
        {"holding 1; holding 2 alone; holding 3", "holding 1, holding 2, holding 3"},
        {"holding 2 alone bits 1; holding 2 alone bits 2", "holding 2"},
        {"holding 10 rows 3 step 5", "holding 10-20"},
        {"holding 10 rows 3 step 50; holding 61", "holding 10, holding 60-61, holding 110"},
        {"holding 65535; holding 65530 u32", "holding 65530-65535"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_plan *p = compile(rows[i].sources);
        struct mb_learnt l = {0};
        struct sbuf got = {0};

        requests(p, 1, &l, &full, &got);
        if (strcmp(got.s, rows[i].requests) != 0)
            fail_msg("'%s' asks for '%s', not '%s'", rows[i].sources, got.s, rows[i].requests);
        sbuf_free(&got);
        mb_plan_free(p);
    }
}

static void limits_hold(void **state)
{
    static const struct {
        struct mb_merge merge;
        const char *sources, *requests;
    } rows[] = {
        {{.registers = 125, .bits = 2000, .gap = 0}, "holding 0; holding 1; holding 3", "holding 0-1, holding 3"},
        {{.registers = 125, .bits = 2000, .gap = 100}, "holding 0; holding 101", "holding 0-101"},
        {{.registers = 125, .bits = 2000, .gap = 200}, "holding 0; holding 125", "holding 0, holding 125"},
        {{.registers = 2, .bits = 2000, .gap = 8}, "holding 0; holding 1; holding 2", "holding 0-1, holding 2"},
        {{.registers = 2, .bits = 2000, .gap = 8}, "holding 0 u64; holding 4", "holding 0-3, holding 4"},
        {{.registers = 125, .bits = 2000, .gap = 2000}, "coil 0; coil 1999; coil 2000", "coil 0-1999, coil 2000"},
        {{.registers = 125, .bits = 4, .gap = 8}, "coil 0; coil 3; coil 4", "coil 0-3, coil 4"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_plan *p = compile(rows[i].sources);
        struct mb_learnt l = {0};
        struct sbuf got = {0};

        requests(p, 1, &l, &rows[i].merge, &got);
        if (strcmp(got.s, rows[i].requests) != 0)
            fail_msg("'%s' asks for '%s', not '%s'", rows[i].sources, got.s, rows[i].requests);
        sbuf_free(&got);
        mb_plan_free(p);
    }
}

static void no_request_reaches_over_a_hole(void **state)
{
    static const struct pd_hole holes[] = {
        {MB_READ_HOLDING, 10, 19}, {MB_READ_HOLDING, 30, 30}, {MB_READ_COILS, 0, 65535}};
    static const struct {
        const char *sources, *requests;
    } rows[] = {
        {"holding 8; holding 9; holding 20; holding 21", "holding 8-9, holding 20-21"},
        {"holding 9; holding 29; holding 31", "holding 9, holding 29, holding 31"},
        {"holding 22; holding 28", "holding 22-28"},
        {"input 9; input 17; input 30", "input 9-30"}, /* another space */
        {"holding 9 u32; holding 20", "holding 20"},   /* what lies in one is not asked for */
        {"holding 0 text 40", ""},
        {"holding 18 rows 3 step 1", "holding 20"},
        {"holding 29; holding 30; holding 30 bits 1; holding 31", "holding 29, holding 31"},
        {"coil 0; coil 65535; discrete 0", "discrete 0"},
        {"holding 65535; holding 31", "holding 31, holding 65535"},
    };
    const struct mb_merge merge = {
        .registers = MB_MAX_REGISTERS, .bits = MB_MAX_BITS, .gap = 100, .holes = holes, .nholes = 3};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_plan *p = compile(rows[i].sources);
        struct mb_learnt l = {0};
        struct sbuf got = {0};

        requests(p, 1, &l, &merge, &got);
        if (strcmp(got.s, rows[i].requests) != 0)
            fail_msg("'%s' asks for '%s', not '%s'", rows[i].sources, got.s, rows[i].requests);
        sbuf_free(&got);
        mb_plan_free(p);
    }
}

/* Any sources, any holes: what is asked for holds all that lies in none, and nothing that lies in one. */
static void requests_and_holes_never_meet(void **state)
{
    enum { SPAN = 64, ROUNDS = 2000 };
    struct rng_seeded seed;
    struct pd_rng rng;

    (void)state;
    rng_seed(&seed, 7);
    rng = rng_seeded_ops(&seed);
    for (int round = 0; round < ROUNDS; round++) {
        struct mb_learnt l = {0};
        struct pd_hole holes[4];
        struct mb_merge merge = {.registers = 20, .bits = 20, .holes = holes, .nholes = rng_u32(&rng) % 5};
        bool hole[SPAN + 8] = {false}, asked[SPAN + 8] = {false};
        struct sbuf text = {0};
        struct pd_plan *p;
        struct mb_chunk c;

        merge.gap = (uint16_t)(rng_u32(&rng) % 10);
        for (size_t i = 0; i < merge.nholes; i++) {
            uint16_t first = (uint16_t)(rng_u32(&rng) % SPAN), last = (uint16_t)(first + rng_u32(&rng) % 5);

            holes[i] = (struct pd_hole){.function = MB_READ_INPUT, .first = first, .last = last};
            for (unsigned k = first; k <= last; k++)
                hole[k] = true;
        }
        for (unsigned n = 1 + rng_u32(&rng) % 12; n > 0; n--)
            sbuf_addf(&text, "input %u bytes %u%s", (unsigned)(rng_u32(&rng) % SPAN), 1 + (unsigned)rng_u32(&rng) % 4,
                      n > 1 ? "; " : "");
        p = compile(text.s);
        for (size_t at = 0; mb_plan_next(p, at, 1, &l, &merge, &c); at = c.end)
            for (unsigned k = c.ask.address; k < c.ask.address + (unsigned)c.ask.count; k++) {
                asked[k] = true;
                if (hole[k])
                    fail_msg("round %d: '%s' asks for %u, which lies in a hole", round, text.s, k);
            }
        for (size_t i = 0; i < p->n; i++) {
            bool free_of_holes = true, all = true;

            for (unsigned k = p->items[i].at; k < p->items[i].at + (unsigned)p->items[i].a.count; k++) {
                free_of_holes &= !hole[k];
                all &= asked[k];
            }
            if (free_of_holes && !all)
                fail_msg("round %d: '%s' does not ask for %u", round, text.s, p->items[i].at);
        }
        sbuf_free(&text);
        mb_plan_free(p);
    }
}

static void parts_are_asked_for_by_themselves_or_together(void **state)
{
    static const struct {
        uint32_t parts;
        const char *requests;
    } rows[] = {
        {1, "holding 0-4"},
        {2, "holding 1, holding 20"},
        {3, "holding 0-4, holding 20"},
        {4, "holding 2"},
        {8, ""},
        {UINT32_MAX, "holding 0-4, holding 20"},
    };
    struct pd_plan *p = compile("holding 0; @1 holding 1; @2 holding 2; holding 4; @1 holding 20");
    struct mb_learnt l = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sbuf got = {0};

        requests(p, rows[i].parts, &l, &full, &got);
        if (strcmp(got.s, rows[i].requests) != 0)
            fail_msg("parts %u ask for '%s', not '%s'", (unsigned)rows[i].parts, got.s, rows[i].requests);
        sbuf_free(&got);
    }
    mb_plan_free(p);
}

/* What a refused request becomes, cut as often as given. */
static void refused_requests_are_cut(void **state)
{
    static const struct {
        const char *sources;
        bool middle;
        int cuts;
        const char *requests;
    } rows[] = {
        {"holding 0; holding 1; holding 2; holding 3", false, 1, "holding 0-1, holding 2-3"},
        {"holding 0; holding 1; holding 2; holding 3", false, 2, "holding 0, holding 1, holding 2-3"},
        {"holding 0; holding 1; holding 5; holding 6; holding 7", false, 1,
         "holding 0-1, holding 5-7"}, /* at the gap */
        {"holding 0; holding 1; holding 5; holding 6; holding 7", true, 1, "holding 0-1, holding 5-7"},
        {"holding 0; holding 4; holding 5; holding 6; holding 7", true, 1, "holding 0, holding 4-7"},
        {"holding 0; holding 2; holding 5; holding 6; holding 12", false, 1, "holding 0-6, holding 12"},
        {"holding 0; holding 2; holding 5; holding 6; holding 12", true, 1, "holding 0-5, holding 6-12"},
        {"holding 0 u32; holding 0 u16", false, 1, "holding 0, holding 0-1"},
        {"holding 0 bits 1; holding 0 bits 2", false, 1, "uncut"},
        {"holding 0", false, 1, "uncut"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_plan *p = compile(rows[i].sources);
        struct mb_learnt l = {0};
        struct mb_chunk c;
        struct sbuf got = {0};
        bool cut = true;

        for (int k = 0; k < rows[i].cuts && cut; k++) {
            assert_true(mb_plan_next(p, 0, 1, &l, &full, &c));
            cut = mb_plan_cut(p, 1, &l, &c, rows[i].middle);
        }
        if (cut)
            requests(p, 1, &l, &full, &got);
        else
            sbuf_add(&got, "uncut");
        if (strcmp(got.s, rows[i].requests) != 0)
            fail_msg("'%s' becomes '%s', not '%s'", rows[i].sources, got.s, rows[i].requests);
        sbuf_free(&got);
        mb_learnt_free(&l);
        mb_plan_free(p);
    }
}

/* Cutting always gets down to single values, however they lie. */
static void cutting_ends(void **state)
{
    struct pd_plan *p = compile("holding 0 u64; holding 0; holding 1 u32; holding 2; holding 3 text 4; holding 3; "
                                "holding 4 bits 1; holding 4 bits 2; holding 9; holding 9 u32");
    struct mb_learnt l = {0};
    struct mb_chunk c;
    size_t cuts = 0, at = 0;

    (void)state;
    while (mb_plan_next(p, at, 1, &l, &full, &c)) {
        if (!mb_plan_cut(p, 1, &l, &c, false)) {
            at = c.end;
            continue;
        }
        assert_true(++cuts < p->n);
    }
    assert_int_equal(cuts, 8); /* ten sources, of which two lie at one place: nine requests */
    mb_learnt_free(&l);
    mb_plan_free(p);
}

static void what_is_absent_is_left_out_until_forgotten(void **state)
{
    struct pd_plan *p = compile("holding 0; holding 1; holding 1 u32; holding 30");
    struct mb_learnt l = {0};
    struct mb_chunk c;
    struct sbuf got = {0};

    (void)state;
    mb_learnt_mark(&l, &p->items[0], MB_MARK_ABSENT);
    mb_learnt_mark(&l, &p->items[3], MB_MARK_ABSENT);
    mb_learnt_mark(&l, &p->items[2], MB_MARK_CUT);
    requests(p, 1, &l, &full, &got);
    assert_string_equal(got.s, "holding 1, holding 1-2");
    mb_learnt_mark(&l, &p->items[1], MB_MARK_ABSENT);
    mb_learnt_mark(&l, &p->items[2], MB_MARK_ABSENT);
    assert_false(mb_plan_next(p, 0, 1, &l, &full, &c));
    assert_true(mb_plan_first(p, 1, &full, &c));
    assert_int_equal(c.first, 0);
    assert_int_equal(c.ask.count, 1);
    sbuf_reset(&got);
    mb_learnt_forget(&l);
    requests(p, 1, &l, &full, &got);
    assert_string_equal(got.s, "holding 0-1, holding 1-2, holding 30"); /* the cut stays */
    sbuf_free(&got);
    mb_learnt_free(&l);
    mb_plan_free(p);
}

static void rows_become_items(void **state)
{
    struct pd_plan *p = compile("holding 10 u32 rows 3 step 5; holding 12");

    (void)state;
    assert_int_equal(p->n, 4);
    assert_int_equal(p->items[0].at, 10);
    assert_int_equal(p->items[0].row, 1);
    assert_int_equal(p->items[1].at, 12);
    assert_int_equal(p->items[1].row, 0);
    assert_int_equal(p->items[3].at, 20);
    assert_int_equal(p->items[3].row, 3);
    mb_plan_free(p);
}

static void an_error_names_the_source(void **state)
{
    static const struct {
        struct pd_source source;
        const char *says;
    } rows[] = {
        {{.id = 7, .address = "holding 1 u17"}, "address 'holding 1 u17': 'u17' is no type"},
        {{.id = 7, .address = "holding 1", .part = 32}, "it belongs to a part above 31"},
        {{.id = 7, .address = "holding 1", .table = true}, "needs 'rows N'"},
        {{.id = 7, .address = ""}, "address '': it is empty"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_source sources[] = {{.id = 3, .address = "coil 1"}, rows[i].source};
        struct pd_compile_error err = {0};
        struct pd_plan *plan = NULL;

        assert_int_equal(mb_plan_compile(sources, 2, &plan, &err), PD_EINVAL);
        assert_null(plan);
        assert_int_equal(err.source, 7);
        if (!strstr(err.msg, rows[i].says))
            fail_msg("row %zu: '%s'", i, err.msg);
    }
}

static void a_plan_has_a_limit(void **state)
{
    struct pd_source sources[17];
    struct pd_compile_error err = {0};
    struct pd_plan *plan = NULL;

    (void)state;
    for (uint32_t i = 0; i < 17; i++)
        sources[i] = (struct pd_source){.id = i, .address = "holding 0 rows 1024", .table = true};
    assert_int_equal(mb_plan_compile(sources, 16, &plan, &err), 0);
    assert_int_equal(plan->n, MB_MAX_ITEMS);
    mb_plan_free(plan);
    assert_int_equal(mb_plan_compile(sources, 17, &plan, &err), PD_EINVAL);
    assert_int_equal(err.source, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_asked_for_together),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(no_request_reaches_over_a_hole),
        cmocka_unit_test(requests_and_holes_never_meet),
        cmocka_unit_test(parts_are_asked_for_by_themselves_or_together),
        cmocka_unit_test(refused_requests_are_cut),
        cmocka_unit_test(cutting_ends),
        cmocka_unit_test(what_is_absent_is_left_out_until_forgotten),
        cmocka_unit_test(rows_become_items),
        cmocka_unit_test(an_error_names_the_source),
        cmocka_unit_test(a_plan_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
