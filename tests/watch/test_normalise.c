#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/watch/bench.h"
#include "watch/decode.h"
#include "watch/rows.h"

static struct bench bench_box(void)
{
    return bench_new("tests/watch/normalise", "box");
}

/* ---- Rows and keys ---- */

static void test_scalars_make_the_device(void **state)
{
    struct bench t = bench_box();

    (void)state;
    bench_add(&t, "1.5.0", 0, cell_text("copier-2f"));
    bench_add(&t, "1.3.0", 0, (struct pd_cell){.type = PD_CELL_TICKS, .u = 12345});
    bench_finish(&t);
    assert_int_equal(t.nfound, 1);
    assert_string_equal(t.found[0].key, "");
    assert_string_equal(t.found[0].kind->name, "device");
    assert_value(bench_point(&t, "", "name"), value_text("copier-2f"));
    assert_value(bench_point(&t, "", "uptime"), value_num(123.45));
    assert_value(bench_point(&t, "", "reachable"), VALUE_UNKNOWN);
    bench_free(&t);
}

static void test_rows_come_in_order_of_instance(void **state)
{
    static const uint32_t arrival[] = {7, 3, 5, 1, 9};
    struct bench t = bench_box();
    char name[8];

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "p%u", (unsigned)arrival[i]);
        bench_add(&t, "2.2.1", arrival[i], cell_text(name));
    }
    for (uint32_t i = 1; i <= 9; i += 2)
        bench_add(&t, "2.2.2", i, cell_int(i * 100));
    bench_finish(&t);
    assert_int_equal(t.nfound, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(t.found[i].instance[0], i * 2 + 1);
        assert_value(t.found[i].points[0], value_int((i * 2 + 1) * 100));
        assert_value(t.found[i].row[7], value_int(i * 2 + 1)); /* index, behind seven columns */
    }
    bench_free(&t);
}

static void test_what_has_no_key_is_known_by_its_instance(void **state)
{
    static const uint32_t instance[] = {1, 4294967295, 3};
    struct bench t = bench_box();
    struct pd_cell c = cell_int(5);

    (void)state;
    c.source = bench_source(&t, "2.2.2", PART_STATUS);
    c.instance = instance;
    c.ninstance = 3;
    batch_add(t.b, &c, 1);
    bench_finish(&t);
    assert_string_equal(t.found[0].key, "1.4294967295.3");
    assert_string_equal(t.found[0].label, "1.4294967295.3");
    bench_free(&t);
}

static void test_equal_keys_of_one_table_stay_apart(void **state)
{
    struct bench t = bench_box();

    (void)state;
    bench_add(&t, "2.2.1", 1, cell_text("a"));
    bench_add(&t, "2.2.1", 2, cell_text("a"));
    bench_add(&t, "2.2.1", 3, cell_text("a#2"));
    bench_finish(&t);
    assert_int_equal(t.nfound, 3);
    assert_string_equal(t.found[0].key, "a");
    assert_string_equal(t.found[1].key, "a#2");
    assert_string_equal(t.found[2].key, "a#2#3");
    bench_free(&t);
}

static void test_definitions_of_one_component_are_merged(void **state)
{
    struct bench t = bench_box();
    uint32_t index = 4;
    struct pd_cell name = cell_text("eth0"), octets = {.type = PD_CELL_UINT, .u = 1u << 31};

    (void)state;
    bench_add(&t, "2.2.1", 4, cell_text("eth0"));
    bench_add(&t, "2.2.2", 4, cell_int(10));
    name.source = bench_source(&t, "2.2.1", PART_COUNTERS);
    octets.source = bench_source(&t, "2.2.8", PART_COUNTERS);
    name.instance = octets.instance = &index;
    name.ninstance = octets.ninstance = 1;
    batch_add(t.b, &name, 1);
    batch_add(t.b, &octets, 1);
    bench_finish(&t);
    assert_int_equal(t.nfound, 1);
    assert_value(bench_point(&t, "eth0", "speed"), value_int(10));
    assert_value(bench_point(&t, "eth0", "in_octets"), value_int(1u << 31));
    bench_free(&t);
}

static void test_one_address_is_read_once(void **state)
{
    struct bench t = bench_box();
    size_t names = 0;

    (void)state;
    for (size_t i = 0; i < t.nsources; i++) {
        assert_int_equal(t.sources[i].id, i);
        names += strcmp(t.sources[i].address, "2.2.1") == 0;
    }
    assert_int_equal(names, 2); /* once for each part */
    bench_free(&t);
}

static void test_when_decides_what_is_a_component(void **state)
{
    static const uint32_t other[] = {1, 3, 99};
    struct bench t = bench_box();

    (void)state;
    bench_add(&t, "2.2.1", 1, cell_text("a"));
    bench_add(&t, "2.2.1", 2, cell_text("b"));
    bench_add(&t, "2.2.7", 2, (struct pd_cell){.type = PD_CELL_OID, .oid = other, .nbytes = 3});
    bench_finish(&t);
    assert_int_equal(t.nfound, 1);
    assert_string_equal(t.found[0].key, "a");
    bench_free(&t);
}

static void test_absent_cells_make_no_component(void **state)
{
    struct bench t = bench_box();

    (void)state;
    bench_add(&t, "2.2.1", 1, (struct pd_cell){.type = PD_CELL_ABSENT});
    bench_add(&t, "1.5.0", 0, (struct pd_cell){.type = PD_CELL_ABSENT});
    bench_finish(&t);
    assert_int_equal(t.nfound, 0);
    bench_free(&t);
}

static void test_long_keys_are_cut_at_a_character(void **state)
{
    struct bench t = bench_box();
    struct sbuf name = {0};

    (void)state;
    sbuf_add(&name, "x");
    for (int i = 0; i < 100; i++)
        sbuf_add(&name, "墨");
    bench_add(&t, "2.2.1", 1, cell_text(name.s));
    bench_finish(&t);
    assert_int_equal(strlen(t.found[0].key), 199);
    assert_true(str_utf8_valid(t.found[0].key, 199));
    sbuf_free(&name);
    bench_free(&t);
}

/* ---- Values ---- */

static void test_integers_and_sentinels(void **state)
{
    static const struct {
        struct pd_cell cell;
        struct value want;
    } rows[] = {
        {{.type = PD_CELL_INT, .i = -5}, {.type = VALUE_INT, .i = -5}},
        {{.type = PD_CELL_INT, .i = -1}, {.quality = QUALITY_LIMIT}},
        {{.type = PD_CELL_INT, .i = -3}, {.quality = QUALITY_SOME}},
        {{.type = PD_CELL_INT, .i = 65535}, {.quality = QUALITY_UNKNOWN}},
        {{.type = PD_CELL_UINT, .u = UINT64_MAX}, {.quality = QUALITY_UNKNOWN}},
        {{.type = PD_CELL_UINT, .u = INT64_MAX}, {.type = VALUE_INT, .i = INT64_MAX}},
        {{.type = PD_CELL_FLOAT, .f = 7.0}, {.type = VALUE_INT, .i = 7}},
        {{.type = PD_CELL_FLOAT, .f = 7.5}, {.quality = QUALITY_UNKNOWN}},
        {{.type = PD_CELL_FLOAT, .f = NAN}, {.quality = QUALITY_UNKNOWN}},
        {{.type = PD_CELL_FLOAT, .f = 1e300}, {.quality = QUALITY_UNKNOWN}},
        {{.type = PD_CELL_BYTES, .bytes = (const uint8_t *)" 42 ", .nbytes = 4}, {.type = VALUE_INT, .i = 42}},
        {{.type = PD_CELL_BYTES, .bytes = (const uint8_t *)"-3", .nbytes = 2}, {.quality = QUALITY_SOME}},
        {{.type = PD_CELL_BYTES, .bytes = (const uint8_t *)"4x", .nbytes = 2}, {.quality = QUALITY_UNKNOWN}},
        {{.type = PD_CELL_BYTES, .bytes = (const uint8_t *)"", .nbytes = 0}, {.quality = QUALITY_UNKNOWN}},
        {{.type = PD_CELL_NULL}, {.quality = QUALITY_UNKNOWN}},
        {{.type = PD_CELL_INVALID}, {.quality = QUALITY_UNKNOWN}},
    };
    struct bench t = bench_box();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        batch_reset(t.b);
        bench_add(&t, "2.2.2", 1, rows[i].cell);
        bench_finish(&t);
        if (!value_same(bench_point(&t, "1", "speed"), rows[i].want))
            fail_msg("row %zu: quality %s", i, quality_name(bench_point(&t, "1", "speed").quality));
    }
    bench_free(&t);
}

static void test_texts(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *want; /* NULL: unknown */
    } rows[] = {
        {"eth0", 4, "eth0"},   {"墨粉", 6, "墨粉"}, {" a\tb \n", 6, "a b"}, {"a\0b", 3, "a b"},
        {"", 0, NULL},         {" \0 ", 3, NULL},   {"a\xff", 2, "aÿ"},     {"\x81\xff", 2, "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xc2\x85x", 3, "x"},
    };
    struct bench t = bench_box();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct value v;

        batch_reset(t.b);
        bench_add(&t, "1.5.0", 0, cell_bytes(rows[i].bytes, rows[i].n));
        bench_finish(&t);
        v = bench_point(&t, "", "name");
        if (!value_same(v, rows[i].want ? value_text(rows[i].want) : VALUE_UNKNOWN))
            fail_msg("row %zu: '%s'", i, v.quality == QUALITY_GOOD ? v.text : quality_name(v.quality));
    }
    bench_free(&t);
}

static void test_members_are_renumbered_by_code(void **state)
{
    static const struct {
        int64_t raw;
        struct value want;
    } rows[] = {
        {0, {.type = VALUE_ENUM, .i = 2}}, {5, {.type = VALUE_ENUM, .i = 1}}, {6, {.type = VALUE_ENUM, .i = 1}},
        {9, {.type = VALUE_ENUM, .i = 7}}, {2, {.quality = QUALITY_UNKNOWN}},
    };
    struct bench t = bench_box();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        batch_reset(t.b);
        bench_add(&t, "2.2.4", 1, cell_int(rows[i].raw));
        bench_finish(&t);
        if (!value_same(bench_point(&t, "1", "state"), rows[i].want))
            fail_msg("row %zu", i);
    }
    bench_free(&t);
}

static void test_flags_count_from_the_top_bit_and_may_be_short(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        uint64_t want;
    } rows[] = {
        {"\x00\x40", 2, 1 << 0},          /* 9: loop */
        {"\x00\x01", 2, 1 << 3},          /* 15: storm */
        {"\xff\xff", 2, 1 << 0 | 1 << 3}, /* unnamed ones are left out */
        {"\xff", 1, 0},                   /* octets not sent are 0 */
        {"", 0, 0},
        {"\x00\x41zzzzzzzzzz", 12, 1 << 0 | 1 << 3}, /* more than anybody can say */
    };
    struct bench t = bench_box();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        batch_reset(t.b);
        bench_add(&t, "2.2.5", 1, cell_bytes(rows[i].bytes, rows[i].n));
        bench_finish(&t);
        if (!value_same(bench_point(&t, "1", "flags"), value_bits(rows[i].want)))
            fail_msg("row %zu: %llx", i, (unsigned long long)bench_point(&t, "1", "flags").bits);
    }
    bench_free(&t);
}

static void test_addresses_and_identifiers_are_texts(void **state)
{
    static const uint32_t oid[] = {1, 3, 6, 4294967295};
    struct bench t = bench_box();

    (void)state;
    bench_add(&t, "2.2.6", 1, cell_bytes("\x00\x1b\xFF", 3));
    bench_add(&t, "2.2.7", 1, (struct pd_cell){.type = PD_CELL_OID, .oid = oid, .nbytes = 4});
    bench_finish(&t);
    assert_string_equal(t.found[0].label, "00:1b:ff");
    assert_value(t.found[0].row[6], value_text("1.3.6.4294967295"));
    bench_free(&t);
}

static void test_computed_points(void **state)
{
    struct bench t = bench_box();

    (void)state;
    bench_add(&t, "2.2.2", 1, cell_int(55));
    bench_add(&t, "2.2.2", 2, cell_int(-3));
    bench_add(&t, "2.2.3", 3, cell_text("2.5"));
    bench_add(&t, "2.2.4", 3, cell_int(0));
    bench_finish(&t);
    assert_value(bench_point(&t, "1", "load"), value_num(5.5));
    assert_value(bench_point(&t, "2", "load"), value_quality(QUALITY_SOME));
    assert_value(bench_point(&t, "3", "load"), value_num(2.5));
    assert_value(bench_point(&t, "3", "note"), value_text("asleep"));
    assert_value(bench_point(&t, "1", "note"), VALUE_UNKNOWN);
    bench_free(&t);
}

/* ---- any ---- */

static void add_alarm(struct bench *t, uint32_t row, uint32_t number, int64_t code)
{
    uint32_t instance[] = {row, number};
    struct pd_cell c = {.type = PD_CELL_INT, .i = code, .instance = instance, .ninstance = 2};

    c.source = bench_source(t, "2.9.1", PART_STATUS);
    batch_add(t->b, &c, 1);
}

static void test_any_asks_rows_that_begin_with_its_own(void **state)
{
    struct bench t = bench_box();

    (void)state;
    for (uint32_t i = 1; i <= 3; i++)
        bench_add(&t, "2.2.1", i, cell_text(i == 1 ? "a" : i == 2 ? "b" : "c"));
    bench_add(&t, "2.2.5", 3, cell_bytes("\x00\x01", 2));
    add_alarm(&t, 1, 4, 3);
    add_alarm(&t, 1, 9, 8);
    add_alarm(&t, 11, 1, 8);
    bench_finish(&t);
    assert_value(bench_point(&t, "a", "alarm"), value_bool(true));
    assert_value(bench_point(&t, "b", "alarm"), VALUE_UNKNOWN); /* nothing says anything of it */
    assert_value(bench_point(&t, "c", "alarm"), value_bool(true));

    batch_reset(t.b);
    bench_add(&t, "2.2.1", 1, cell_text("a"));
    bench_add(&t, "2.2.1", 2, cell_text("b"));
    bench_add(&t, "2.2.5", 2, cell_bytes("", 0));
    add_alarm(&t, 1, 4, 3);
    bench_finish(&t);
    assert_value(bench_point(&t, "a", "alarm"), value_bool(false)); /* the one alarm is another */
    assert_value(bench_point(&t, "b", "alarm"), value_bool(false)); /* the flags say so */
    bench_free(&t);
}

/* ---- Hostile cells ---- */

static void test_hostile_cells_are_dropped_and_counted(void **state)
{
    static const uint32_t long_instance[PD_MAX_INSTANCE + 1];
    struct bench t = bench_box();
    struct pd_cell c = cell_int(1);
    uint32_t index = 1;

    (void)state;
    c.instance = &index;
    c.source = (uint32_t)t.nsources;
    batch_add(t.b, &c, 1); /* no such source */
    c.source = bench_source(&t, "2.2.2", PART_STATUS);
    batch_add(t.b, &c, 1); /* a column without instance */
    c.ninstance = PD_MAX_INSTANCE + 1;
    c.instance = long_instance;
    batch_add(t.b, &c, 1);
    c.source = bench_source(&t, "1.5.0", PART_STATUS);
    c.ninstance = 1;
    batch_add(t.b, &c, 1); /* a scalar with one */
    assert_int_equal(batch_dropped(t.b), 4);
    bench_finish(&t);
    assert_int_equal(t.nfound, 0);
    bench_free(&t);
}

static void count_found(void *ctx, const struct found *f)
{
    (void)f;
    (*(size_t *)ctx)++;
}

static void test_a_table_holds_ten_thousand_rows(void **state)
{
    struct bench t = bench_box();
    size_t found = 0;

    (void)state;
    for (uint32_t i = 20000; i > 0; i--) /* the worst order */
        bench_add(&t, "2.2.3", i, cell_int(1));
    batch_finish(t.b, count_found, &found);
    assert_int_equal(found, ROWS_MAX);
    assert_int_equal(batch_dropped(t.b), 20000 - ROWS_MAX);
    bench_free(&t);
}

static struct pd_cell random_cell(const struct pd_rng *rng, uint8_t *bytes, uint32_t *oid)
{
    static const int64_t odd[] = {0, -1, -2, -3, 65535, 4294967295, INT64_MIN, INT64_MAX};
    static const double odd_f[] = {0, -0.5, NAN, INFINITY, -INFINITY, 1e308, 5e-324};
    struct pd_cell c = {.type = (uint8_t)rng_below(rng, PD_CELL_INVALID + 2)};

    switch (c.type) {
    case PD_CELL_FLOAT:
        c.f = odd_f[rng_below(rng, 7)];
        break;
    case PD_CELL_BYTES:
        c.nbytes = (uint32_t)rng_below(rng, 40);
        rng->fill(rng->ctx, bytes, c.nbytes);
        if (rng_below(rng, 2))
            for (uint32_t i = 0; i < c.nbytes; i++)
                bytes[i] = (uint8_t)("0123456789.-e "[bytes[i] % 14]);
        c.bytes = bytes;
        break;
    case PD_CELL_OID:
        c.nbytes = (uint32_t)rng_below(rng, 130);
        rng->fill(rng->ctx, oid, c.nbytes * sizeof *oid);
        c.oid = oid;
        break;
    default:
        c.i = rng_below(rng, 2) ? odd[rng_below(rng, 8)] : (int64_t)rng_below(rng, 20);
    }
    return c;
}

static bool is_sentinel(const struct value *row)
{
    return row->quality != QUALITY_GOOD;
}

/* Whatever comes in: what is unknown never becomes a number, and every value is one of its point's type. */
static void check_random(void *ctx, const struct found *f)
{
    (void)ctx;
    for (size_t i = 0; i < f->kind->points.n; i++) {
        const struct point_def *p = &f->kind->points.v[i];
        struct value v = f->points[i];

        assert_true(v.quality <= QUALITY_UNKNOWN);
        if (v.quality != QUALITY_GOOD)
            continue;
        assert_int_equal(v.type, p->type);
        if (v.type == VALUE_NUM)
            assert_true(isfinite(v.num));
        if (v.type == VALUE_ENUM)
            assert_non_null(members_by_number(&p->members, v.i));
        if (v.type == VALUE_TEXT)
            assert_true(*v.text && str_utf8_valid(v.text, strlen(v.text)));
    }
    if (strcmp(f->kind->name, "port") != 0 || !str_eq(f->def->columns.v[1].name, "speed"))
        return;
    if (is_sentinel(&f->row[1]))
        assert_true(f->points[kind_point(f->kind, "speed")->slot].quality != QUALITY_GOOD);
    if (is_sentinel(&f->row[1]) && is_sentinel(&f->row[2]))
        assert_true(f->points[kind_point(f->kind, "load")->slot].quality != QUALITY_GOOD);
}

static void test_random_cells(void **state)
{
    struct bench t = bench_box();
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);
    uint8_t bytes[40];
    uint32_t oid[130], instance[4];

    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        rng_seed(&seeded, seed);
        for (int i = 0; i < 200; i++) {
            struct pd_cell c = random_cell(&rng, bytes, oid);

            c.source = (uint32_t)rng_below(&rng, t.nsources + 1);
            c.ninstance = (uint16_t)rng_below(&rng, 4);
            for (size_t j = 0; j < 4; j++)
                instance[j] = (uint32_t)rng_below(&rng, 4);
            c.instance = instance;
            batch_add(t.b, &c, 1);
        }
        batch_finish(t.b, check_random, NULL);
        batch_reset(t.b);
    }
    bench_free(&t);
}

/* ---- The shipped printer module ---- */

#define SUPPLY "1.3.6.1.2.1.43.11.1.1"

static void test_supply_levels(void **state)
{
    enum { ABSENT = -99 };
    static const struct {
        int64_t level, max, unit;
        struct value want;
    } rows[] = {
        {50, 200, 7, {.type = VALUE_NUM, .num = 25}},
        {92, 100, 19, {.type = VALUE_NUM, .num = 92}},
        {0, 100, 19, {.type = VALUE_NUM, .num = 0}},
        {300, 200, 7, {.type = VALUE_NUM, .num = 100}}, /* more than full is full */
        {70, -2, 19, {.type = VALUE_NUM, .num = 70}},   /* percent of nobody knows what */
        {70, ABSENT, 19, {.type = VALUE_NUM, .num = 70}},
        {70, -2, 7, {.quality = QUALITY_UNKNOWN}},
        {70, 0, 7, {.quality = QUALITY_UNKNOWN}},
        {0, -2, ABSENT, {.quality = QUALITY_UNKNOWN}},
        {-1, 100, 19, {.quality = QUALITY_LIMIT}},
        {-2, 100, 19, {.quality = QUALITY_UNKNOWN}},
        {-3, 100, 19, {.quality = QUALITY_SOME}},
        {-3, -2, ABSENT, {.quality = QUALITY_SOME}},
        {-17, 100, 19, {.quality = QUALITY_UNKNOWN}},
        {ABSENT, 100, 19, {.quality = QUALITY_UNKNOWN}},
    };
    static const uint32_t at[] = {1, 1};
    struct bench t = bench_new("conf", "generic-printer");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        batch_reset(t.b);
        bench_add_at(&t, SUPPLY ".6", PART_SUPPLIES, at, 2, cell_text("Black Toner"));
        if (rows[i].unit != ABSENT)
            bench_add_at(&t, SUPPLY ".7", PART_SUPPLIES, at, 2, cell_int(rows[i].unit));
        if (rows[i].max != ABSENT)
            bench_add_at(&t, SUPPLY ".8", PART_SUPPLIES, at, 2, cell_int(rows[i].max));
        if (rows[i].level != ABSENT)
            bench_add_at(&t, SUPPLY ".9", PART_SUPPLIES, at, 2, cell_int(rows[i].level));
        bench_finish(&t);
        if (!value_same(bench_point(&t, "Black Toner", "level"), rows[i].want))
            fail_msg("row %zu: %s %g", i, quality_name(bench_point(&t, "Black Toner", "level").quality),
                     bench_point(&t, "Black Toner", "level").num);
    }
    assert_value(bench_point(&t, "Black Toner", "colour"), value_enum(1));
    bench_free(&t);
}

static void test_printer_faults(void **state)
{
    static const struct {
        const char *errors; /* NULL: not told */
        size_t n;
        int64_t code; /* of the one alert; 0: none */
        struct value jam, cover, service;
    } rows[] = {
#define YES {.type = VALUE_BOOL, .b = true}
#define NO                                                                                                             \
    {                                                                                                                  \
        .type = VALUE_BOOL                                                                                             \
    }
#define UNKNOWN                                                                                                        \
    {                                                                                                                  \
        .quality = QUALITY_UNKNOWN                                                                                     \
    }
        {"\x00", 1, 0, NO, NO, NO},
        {"", 0, 0, NO, NO, NO},
        {"\x04", 1, 0, YES, NO, NO},
        {"\x08\x00", 2, 0, NO, YES, NO},
        {"\x01", 1, 0, NO, NO, YES},
        {"\x0d", 1, 0, YES, YES, YES},
        {"\x00", 1, 8, YES, NO, NO},
        {"\x00", 1, 501, NO, YES, NO},
        {"\x00", 1, 30, NO, NO, YES},
        {NULL, 0, 8, YES, NO, NO},
        {NULL, 0, 23456, NO, NO, NO}, /* a code that only its vendor knows */
        {NULL, 0, 0, UNKNOWN, UNKNOWN, UNKNOWN},
    };
    static const uint32_t at[] = {1}, alert[] = {1, 17};
    struct bench t = bench_new("conf", "generic-printer");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        batch_reset(t.b);
        bench_add_at(&t, "1.3.6.1.2.1.25.3.5.1.1", PART_STATUS, at, 1, cell_int(3));
        if (rows[i].errors)
            bench_add_at(&t, "1.3.6.1.2.1.25.3.5.1.2", PART_STATUS, at, 1, cell_bytes(rows[i].errors, rows[i].n));
        if (rows[i].code) {
            bench_add_at(&t, "1.3.6.1.2.1.43.18.1.1.2", PART_STATUS, alert, 2, cell_int(3));
            bench_add_at(&t, "1.3.6.1.2.1.43.18.1.1.3", PART_STATUS, alert, 2, cell_int(3));
            bench_add_at(&t, "1.3.6.1.2.1.43.18.1.1.7", PART_STATUS, alert, 2, cell_int(rows[i].code));
        }
        bench_finish(&t);
        /* the printer, the state of its errors, the alert */
        assert_int_equal(t.nfound, 1 + (rows[i].errors != NULL) + (rows[i].code != 0));
        assert_string_equal(t.found[0].key, "1");
        if (!value_same(bench_point(&t, "1", "jam"), rows[i].jam) ||
            !value_same(bench_point(&t, "1", "cover_open"), rows[i].cover) ||
            !value_same(bench_point(&t, "1", "service_requested"), rows[i].service))
            fail_msg("row %zu", i);
    }
    bench_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars_make_the_device),
        cmocka_unit_test(test_rows_come_in_order_of_instance),
        cmocka_unit_test(test_what_has_no_key_is_known_by_its_instance),
        cmocka_unit_test(test_equal_keys_of_one_table_stay_apart),
        cmocka_unit_test(test_definitions_of_one_component_are_merged),
        cmocka_unit_test(test_one_address_is_read_once),
        cmocka_unit_test(test_when_decides_what_is_a_component),
        cmocka_unit_test(test_absent_cells_make_no_component),
        cmocka_unit_test(test_long_keys_are_cut_at_a_character),
        cmocka_unit_test(test_integers_and_sentinels),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_members_are_renumbered_by_code),
        cmocka_unit_test(test_flags_count_from_the_top_bit_and_may_be_short),
        cmocka_unit_test(test_addresses_and_identifiers_are_texts),
        cmocka_unit_test(test_computed_points),
        cmocka_unit_test(test_any_asks_rows_that_begin_with_its_own),
        cmocka_unit_test(test_hostile_cells_are_dropped_and_counted),
        cmocka_unit_test(test_a_table_holds_ten_thousand_rows),
        cmocka_unit_test(test_random_cells),
        cmocka_unit_test(test_supply_levels),
        cmocka_unit_test(test_printer_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
