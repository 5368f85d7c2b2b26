/* What the language of modules has words for, by the module `language`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/watch/bench.h"
#include "watch/explain.h"

static struct bench bench_language(void)
{
    return bench_new("tests/watch/normalise", "language");
}

/* ---- Index ---- */

static void test_an_index_is_what_its_parts_say(void **state)
{
    static const struct {
        const char *address;
        uint32_t n, at[24];
        const char *note; /* NULL: the row is refused; "": it is there, but this part is unknown */
    } rows[] = {
        {"4.1.1", 2, {7, 9}, "7009"},
        {"4.1.1", 1, {7}, NULL},
        {"4.1.1", 3, {7, 9, 1}, NULL},
        {"4.2.1", 7, {1, 0, 17, 34, 51, 68, 255}, "00:11:22:33:44:ff"},
        {"4.2.1", 7, {1, 0, 17, 34, 51, 68, 256}, NULL}, /* no octet */
        {"4.2.1", 6, {1, 0, 17, 34, 51, 68}, NULL},
        {"4.3.1", 6, {4, 'e', 't', 'h', '0', 3}, "eth0"},
        {"4.3.1", 8, {6, 0xe6, 0x89, 0x93, 0xe5, 0x8d, 0xb0, 3}, "打印"},
        {"4.3.1", 2, {0, 3}, ""},
        {"4.3.1", 6, {5, 'e', 't', 'h', '0', 3}, NULL}, /* nothing is left for the last part */
        {"4.3.1", 2, {UINT32_MAX, 3}, NULL},
        {"4.4.1", 5, {1, 'e', 't', 'h', '0'}, "eth0"},
        {"4.4.1", 1, {1}, ""},
        {"4.5.1", 5, {192, 0, 2, 1, 24}, "192.0.2.1"},
        {"4.5.1", 5, {192, 0, 2, 300, 24}, NULL},
        {"4.6.1", 6, {1, 4, 192, 0, 2, 1}, "192.0.2.1"},
        {"4.6.1", 18, {2, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, "2001:db8::1"},
        {"4.6.1", 10, {3, 8, 192, 0, 2, 1, 0, 0, 0, 5}, "192.0.2.1"}, /* with a zone */
        {"4.6.1", 6, {16, 4, 'n', 'a', 'm', 'e'}, "name"},
        {"4.6.1", 2, {0, 0}, ""},
        {"4.6.1", 6, {2, 4, 192, 0, 2, 1}, NULL}, /* a version 6 address of four octets */
        {"4.6.1", 1, {1}, NULL},
        {"4.7.1", 4, {1, 2, 3, 255}, "01:02:03:ff"},
        {"4.7.1", 5, {1, 2, 3, 4, 5}, NULL},
        {"4.8.1", 3, {2, 10, 11}, "0a:0b"},
        {"4.8.1", 3, {3, 10, 11}, NULL},
        {"4.9.1", 5, {3, 1, 3, 6, 8}, "1.3.6"},
        {"4.9.1", 4, {3, 1, 3, 6}, NULL},
        {"4.10.1", 3, {1, 3, 70000}, "1.3.70000"},
    };
    struct bench t = bench_language();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct value v;
        uint64_t dropped = batch_dropped(t.b);

        batch_reset(t.b);
        bench_add_at(&t, rows[i].address, PART_STATUS, rows[i].at, rows[i].n, cell_int(1));
        bench_finish(&t);
        if (t.nfound != (rows[i].note != NULL) || batch_dropped(t.b) - dropped != (rows[i].note == NULL))
            fail_msg("row %zu: %zu found", i, t.nfound);
        if (!rows[i].note)
            continue;
        v = t.found[0].points[kind_point(t.found[0].kind, "note")->slot];
        if (!value_same(v, *rows[i].note ? value_text(rows[i].note) : VALUE_UNKNOWN))
            fail_msg("row %zu: %s", i, v.quality == QUALITY_GOOD ? v.text : value_why_name((enum why)v.why));
    }
    bench_free(&t);
}

/* ---- Columns ---- */

#define NUM(x)                                                                                                         \
    {                                                                                                                  \
        .type = VALUE_NUM, .num = (x)                                                                                  \
    }
#define TEXT(s)                                                                                                        \
    {                                                                                                                  \
        .type = VALUE_TEXT, .text = (s)                                                                                \
    }
#define NOT(w)                                                                                                         \
    {                                                                                                                  \
        .quality = QUALITY_UNKNOWN, .why = (w)                                                                         \
    }

struct cell_row {
    const char *address, *point;
    const char *bytes; /* NULL: the number */
    size_t n;
    int64_t i;
    struct value want;
    int64_t raw;
};

static void check_cells(const struct cell_row *rows, size_t n)
{
    struct bench t = bench_language();

    for (size_t i = 0; i < n; i++) {
        struct value v;

        batch_reset(t.b);
        bench_add(&t, rows[i].address, 1, rows[i].bytes ? cell_bytes(rows[i].bytes, rows[i].n) : cell_int(rows[i].i));
        bench_finish(&t);
        v = bench_point(&t, "1", rows[i].point);
        if (!value_same(v, rows[i].want) || v.why != rows[i].want.why || (v.why && v.i != rows[i].raw))
            fail_msg("row %zu: %s %s, %s %lld / %g", i, quality_name((enum quality)v.quality),
                     v.type == VALUE_TEXT ? v.text : value_type_name((enum value_type)v.type),
                     value_why_name((enum why)v.why), (long long)v.i, v.num);
    }
    bench_free(&t);
}
#define BYTES(s) (s), sizeof(s) - 1, 0

static void test_columns_of_texts_that_hold_more(void **state)
{
    static const struct cell_row rows[] = {
        {"4.20.1", "load", BYTES("23.5 C"), NUM(23.5), 0},
        {"4.20.1", "load", BYTES(" 74%"), NUM(74), 0},
        {"4.20.1", "load", BYTES("1,5 kW"), NUM(1.5), 0},
        {"4.20.1", "load", NULL, 0, 7, NUM(7), 0},
        {"4.20.1", "load", BYTES("-99 C"), NOT(WHY_SENTINEL), -99},
        {"4.20.1", "load", BYTES("n/a"), NOT(WHY_TYPE), 0},
        {"4.20.1", "load", BYTES(""), NOT(WHY_ABSENT), 0},
        {"4.21.1", "load", BYTES("230 W"), NUM(230), 0},
        {"4.21.1", "load", BYTES("1.5kw"), NUM(1500), 0},
        {"4.21.1", "load", BYTES("250 mW"), NUM(0.25), 0},
        {"4.21.1", "load", BYTES("230"), NUM(230), 0},
        {"4.21.1", "load", BYTES("230 VA"), NOT(WHY_TYPE), 0},
        {"4.21.1", "load", BYTES("6 kW"), NOT(WHY_RANGE), 6000},
        {"4.22.1", "note", BYTES("\xc0\0\2\1"), TEXT("192.0.2.1"), 0},
        {"4.22.1", "note", BYTES("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), TEXT("2001:db8::1"), 0},
        {"4.22.1", "note", BYTES("10.1.2.3"), TEXT("10.1.2.3"), 0},
        {"4.22.1", "note", BYTES("2001:DB8::5"), TEXT("2001:db8::5"), 0},
        {"4.22.1", "note", BYTES("10.1.2"), NOT(WHY_TYPE), 0},
        {"4.22.1", "note", NULL, 0, 7, NOT(WHY_TYPE), 0},
        {"4.23.1", "note", BYTES("\x07\xea\x0b\x16\x15\x32\x07\x09"), TEXT("2026-11-22T21:50:07"), 0},
        {"4.23.1", "note", BYTES("\x07\xea\x0b\x16\x15\x32\x07\x09+\x08\x1e"), TEXT("2026-11-22T21:50:07+08:30"), 0},
        {"4.23.1", "note", BYTES("\0\0\0\0\0\0\0\0"), NOT(WHY_ABSENT), 0},
        {"4.23.1", "note", BYTES("\x07\xea\x0d\x16\x15\x32\x07\x09"), NOT(WHY_TYPE), 0}, /* month 13 */
        {"4.23.1", "note", BYTES("20261122"), NOT(WHY_TYPE), 0},
        {"4.24.1", "flags", NULL, 0, 9, {.type = VALUE_BITS, .bits = 9}, 0},
        {"4.24.1", "flags", BYTES("0001"), {.type = VALUE_BITS, .bits = 8}, 0},
        {"4.24.1", "flags", NULL, 0, 6, {.type = VALUE_BITS, .bits = 0}, 0}, /* none that has a name */
        {"4.24.1", "flags", BYTES("002"), NOT(WHY_TYPE), 0},
    };

    (void)state;
    check_cells(rows, sizeof rows / sizeof *rows);
}

static void test_numbers_are_scaled_and_must_be_possible(void **state)
{
    static const struct cell_row rows[] = {
        {"4.25.1", "load", NULL, 0, 234, NUM(23.4), 0}, /* and not 23.400000000000002 */
        {"4.25.1", "load", NULL, 0, -400, NUM(-40), 0},
        {"4.25.1", "load", NULL, 0, -1, NOT(WHY_SENTINEL), -1},
        {"4.25.1", "load", NULL, 0, 1001, NOT(WHY_RANGE), 1001},
        {"4.25.1", "load", NULL, 0, -2730, NOT(WHY_RANGE), -2730},
        {"4.26.1", "load", NULL, 0, 3, NUM(3000), 0},
        {"4.27.1", "speed", NULL, 0, 10, {.type = VALUE_INT, .i = 10}, 0},
        {"4.27.1", "speed", NULL, 0, 11, NOT(WHY_RANGE), 11},
        {"4.27.1", "speed", NULL, 0, -3, {.quality = QUALITY_SOME, .why = WHY_SENTINEL}, -3},
        {"4.27.1", "speed", BYTES("x"), NOT(WHY_TYPE), 0},
        {"4.28.1", "load", NULL, 0, 3, NOT(WHY_ABSENT), 0}, /* by what is not said */
        {"4.29.1", "note", NULL, 0, 1, TEXT("ok"), 0},
        {"4.29.1", "note", NULL, 0, 2, TEXT("critical"), 0},
        {"4.29.1", "note", NULL, 0, 3, TEXT("critical"), 0}, /* one code, one severity */
        {"4.29.1", "note", NULL, 0, 4, TEXT("broken"), 0},   /* nobody said how grave */
        {"4.29.1", "note", NULL, 0, 5, NOT(WHY_RANGE), 5},
    };

    (void)state;
    check_cells(rows, sizeof rows / sizeof *rows);
}

/* ---- Joins by value ---- */

static void test_a_row_is_found_by_what_it_holds(void **state)
{
    static const uint32_t to[] = {1, 3, 6, 1, 2, 1, 2, 2, 1, 1, 30}, elsewhere[] = {1, 3, 6, 30};
    struct pd_cell oid = {.type = PD_CELL_OID, .oid = to, .nbytes = 11};
    struct bench t = bench_language();

    (void)state;
    for (uint32_t i = 1; i <= 3; i++) {
        bench_add(&t, "4.31.1", i, cell_int(i * 10));
        bench_add(&t, "4.31.2", i, cell_text(i == 1 ? "a" : "b")); /* a, b, b */
    }
    bench_add_at(&t, "4.32.1", PART_STATUS, (const uint32_t[]){500, 0}, 2, oid);
    oid.oid = elsewhere;
    oid.nbytes = 4;
    bench_add_at(&t, "4.32.1", PART_STATUS, (const uint32_t[]){499, 0}, 2, oid);
    bench_add(&t, "4.30.1", 1, cell_int(30));
    bench_add(&t, "4.30.2", 1, cell_text("b"));
    bench_add(&t, "4.30.1", 2, cell_int(9));
    bench_add(&t, "4.30.2", 2, cell_text("a"));
    bench_add(&t, "4.30.2", 3, cell_text("a"));
    bench_finish(&t);
    assert_int_equal(t.nfound, 3);
    assert_value(bench_point(&t, "1", "note"), value_text("b"));
    assert_value(bench_point(&t, "1", "speed"), value_int(500)); /* by a name computed over there */
    assert_value(bench_point(&t, "1", "load"), value_num(0));    /* and its index */
    assert_string_equal(t.found[0].label, "nobody");             /* not both conditions */
    assert_string_equal(t.found[1].label, "a");
    assert_int_equal(bench_point(&t, "2", "note").why, WHY_ROW);
    assert_int_equal(bench_point(&t, "3", "note").why, WHY_ROW); /* what it looks for is unknown */
    assert_value(bench_point(&t, "1", "in_octets"), value_int(30));
    assert_value(bench_point(&t, "1", "alarm"), value_bool(false)); /* the first is a */
    bench_free(&t);
}

/* Of many rows that hold one value it is the first; and thousands are found as quickly as a few. */
static void test_the_first_of_equal_rows_is_joined(void **state)
{
    struct bench t = bench_language();

    (void)state;
    for (uint32_t i = 5000; i > 0; i--) {
        bench_add(&t, "4.31.1", i, cell_int(i / 2));
        bench_add(&t, "4.31.2", i, cell_text(i % 2 ? "odd" : "even"));
    }
    bench_add(&t, "4.30.1", 1, cell_int(1200));
    bench_finish(&t);
    assert_value(bench_point(&t, "1", "note"), value_text("even"));
    bench_free(&t);
}

/* ---- Alternatives ---- */

static void test_a_table_gives_way_to_a_better_one(void **state)
{
    static const struct {
        int64_t best, second, third; /* INT64_MIN: no row */
        int64_t want;
    } rows[] = {
        {1, 2, 3, 1}, {INT64_MIN, 2, 3, 2}, {INT64_MIN, INT64_MIN, 3, 3}, {1, INT64_MIN, 3, 1}, {0, 2, 3, 2},
    };
    struct bench t = bench_language();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        batch_reset(t.b);
        if (rows[i].best != INT64_MIN)
            bench_add(&t, "4.40.1", 1, cell_int(rows[i].best));
        if (rows[i].second != INT64_MIN)
            bench_add(&t, "4.41.1", 1, cell_int(rows[i].second));
        bench_add(&t, "4.42.1", 1, cell_int(rows[i].third));
        bench_finish(&t);
        if (t.nfound != 1 || !value_same(bench_point(&t, "it", "speed"), value_int(rows[i].want)))
            fail_msg("row %zu: %zu found", i, t.nfound);
    }
    bench_free(&t);
}

/* ---- Who is to blame ---- */

static void test_a_point_names_the_column_to_blame(void **state)
{
    struct bench t = bench_language();
    struct blame blame;
    struct value v;

    (void)state;
    bench_add(&t, "4.28.1", 1, cell_int(3));
    bench_finish(&t);
    v = bench_point(&t, "1", "load");
    assert_true(normaliser_blame(t.n, v, &blame));
    assert_string_equal(blame.def->name, "divisor");
    assert_string_equal(module_column(blame.module, blame.def, blame.slot)->name, "by");
    batch_reset(t.b);
    bench_add(&t, "4.28.1", 1, cell_int(3));
    bench_add(&t, "4.28.2", 1, cell_int(0));
    bench_finish(&t);
    v = bench_point(&t, "1", "load");
    assert_int_equal(v.why, WHY_ZERO);
    assert_true(normaliser_blame(t.n, v, &blame)); /* no column is to blame: it is the rule's first */
    assert_string_equal(module_column(blame.module, blame.def, blame.slot)->name, "x");
    assert_false(normaliser_blame(t.n, VALUE_UNKNOWN, &blame));
    bench_free(&t);
}

/* Names of what stands in a slot, wherever it comes from. */
static void test_every_slot_has_a_name(void **state)
{
    static const char *const names[] = {"number",       "name",       "index",         "index4",    "port.ifIndex",
                                        "port.index",   "named.name", "mapped.entity", "mapped.to", "mapped.port",
                                        "mapped.index", "earliest",   "latest"};
    struct bench t = bench_language();
    const struct module *m = t.p->modules.v[1];
    const struct component_def *def = NULL;

    (void)state;
    for (size_t i = 0; i < m->components.n; i++)
        if (strcmp(m->components.v[i].name, "alias") == 0)
            def = &m->components.v[i];
    assert_non_null(def);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool found = false;

        for (unsigned slot = 0; slot < def->nslots && !found; slot++) {
            char *name = explain_slot(m, def, slot);

            found = name && strcmp(name, names[i]) == 0;
            free(name);
        }
        if (!found)
            fail_msg("no slot is called %s", names[i]);
    }
    bench_free(&t);
}

static void test_a_reason_tells_place_and_rule(void **state)
{
    struct bench t = bench_language();
    struct reason r;

    (void)state;
    bench_add(&t, "4.25.1", 7, cell_int(1001));
    bench_add(&t, "4.30.1", 3, cell_int(9));
    bench_finish(&t);
    assert_int_equal(t.nfound, 2);
    r = explain_point(t.n,
                      &(struct finding_place){.kind = t.found[0].kind, .instance = (uint32_t[]){7}, .ninstance = 1},
                      kind_point(t.found[0].kind, "load")->slot, bench_point(&t, "7", "load"));
    assert_int_equal(r.why, WHY_RANGE);
    assert_string_equal(r.column, "x");
    assert_string_equal(r.source, "4.25.1.7");
    assert_true(r.has_raw);
    assert_int_equal(r.raw, 1001);
    assert_string_equal(r.def->name, "tenths");
    assert_string_equal(expr_text(r.rule->value), "x");
    reason_fini(&r);
    r = explain_point(t.n,
                      &(struct finding_place){.kind = t.found[1].kind, .instance = (uint32_t[]){3}, .ninstance = 1},
                      kind_point(t.found[1].kind, "note")->slot, bench_point(&t, "3", "note"));
    assert_int_equal(r.why, WHY_ROW);
    assert_string_equal(r.column, "port.name");
    assert_string_equal(r.source, "4.31.2"); /* which row it would be, nobody knows */
    reason_fini(&r);
    bench_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_index_is_what_its_parts_say),
        cmocka_unit_test(test_columns_of_texts_that_hold_more),
        cmocka_unit_test(test_numbers_are_scaled_and_must_be_possible),
        cmocka_unit_test(test_a_row_is_found_by_what_it_holds),
        cmocka_unit_test(test_the_first_of_equal_rows_is_joined),
        cmocka_unit_test(test_a_table_gives_way_to_a_better_one),
        cmocka_unit_test(test_a_point_names_the_column_to_blame),
        cmocka_unit_test(test_every_slot_has_a_name),
        cmocka_unit_test(test_a_reason_tells_place_and_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
