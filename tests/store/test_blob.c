#include "store/blob.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/wire.h"

/* What a decode is held against. */
struct expected {
    const struct reading *readings;
    size_t n, seen;
};

static void expect_reading(void *ctx, const struct reading *r)
{
    struct expected *e = ctx;
    const struct reading *want = &e->readings[e->seen];

    assert_true(e->seen < e->n);
    if (r->component != want->component || r->point != want->point || !value_same(r->value, want->value))
        fail_msg("reading %zu: (%u, %u) type %u quality %u is not (%u, %u) type %u quality %u", e->seen, r->component,
                 r->point, r->value.type, r->value.quality, want->component, want->point, want->value.type,
                 want->value.quality);
    e->seen++;
}

static void count_reading(void *ctx, const struct reading *r)
{
    (void)r;
    ++*(size_t *)ctx;
}

/* Decodes a copy in a block of exactly its size, so that a sanitizer sees any step beyond. */
static int take_exactly(struct blob_chain *c, int64_t at_ms, const void *p, size_t n)
{
    char *block = malloc(n ? n : 1);
    int rc;

    memcpy(block, p, n);
    rc = blob_chain_take(c, at_ms, block, n);
    free(block);
    return rc;
}

static int decode_exactly(const void *p, size_t n, void (*fn)(void *, const struct reading *), void *ctx)
{
    struct blob_chain c = {0};
    int rc = take_exactly(&c, 0, p, n);

    for (size_t i = 0; i < c.n; i++)
        fn(ctx, &c.readings[i]);
    blob_chain_fini(&c);
    return rc;
}

static size_t round_trip(const struct reading *readings, size_t n)
{
    struct expected e = {.readings = readings, .n = n};
    struct sbuf b = {0};
    size_t size;

    blob_encode(&b, readings, n);
    assert_int_equal(decode_exactly(b.s, b.n, expect_reading, &e), 0);
    assert_int_equal(e.seen, n);
    size = b.n;
    sbuf_free(&b);
    return size;
}

static struct value with_quality(struct value v, enum quality q)
{
    v.quality = (uint8_t)q;
    return v;
}

static void empty_poll(void **state)
{
    (void)state;
    assert_int_equal(round_trip(NULL, 0), 6);
}

static void values_of_every_type_and_edge(void **state)
{
    const struct value values[] = {
        VALUE_UNKNOWN,
        value_quality(QUALITY_SOME),
        value_bool(false),
        value_bool(true),
        value_int(0),
        value_int(1),
        value_int(2),
        value_int(3),
        value_int(-1),
        value_int(INT64_MAX),
        value_int(INT64_MIN),
        value_num(0.0),
        value_num(-0.0),
        value_num(1.0),
        value_num(-17.25),
        value_num(23.4),
        value_num(0.1 + 0.2),
        value_num(1e300),
        value_num(-1e-300),
        value_num(5e-324),
        value_num(9007199254740992.0),
        value_num(-9007199254740993.0),
        value_num(0.00001),
        value_num(3.4028234663852886e38),
        value_enum(0),
        value_enum(-7),
        value_enum(2147483647),
        value_bits(0),
        value_bits(1),
        value_bits(UINT64_MAX),
        value_text(""),
        value_text("彩色激光打印机 \"A4\" \\ <b>"),
    };
    const size_t n = sizeof values / sizeof *values;
    struct reading r[2 * sizeof values / sizeof *values];

    (void)state;
    for (size_t i = 0; i < n; i++) {
        r[2 * i] = (struct reading){.component = (uint32_t)i, .point = 0, .value = values[i]};
        r[2 * i + 1] = (struct reading){.component = (uint32_t)i, .point = 1, .value = values[i]};
        if (values[i].type != VALUE_NONE)
            r[2 * i + 1].value = with_quality(values[i], QUALITY_STALE);
    }
    round_trip(r, 2 * n);
}

static void quality_without_content_keeps_type(void **state)
{
    struct reading r[15];
    size_t n = 0;

    (void)state;
    for (enum value_type t = VALUE_BOOL; t <= VALUE_BITS; t++)
        for (enum quality q = QUALITY_SOME; q <= QUALITY_UNKNOWN; q++, n++)
            r[n] = (struct reading){.component = t, .point = (uint16_t)q, .value = {.type = t, .quality = q}};
    assert_int_equal(n, 15);
    round_trip(r, n);
}

static void numbers_keep_their_bits(void **state)
{
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);

    (void)state;
    rng_seed(&seeded, 7);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = rng_u64(&rng);
        struct reading r = {.value = value_num(0)};

        memcpy(&r.value.num, &bits, sizeof bits);
        if (i % 2)
            r.value.num = (double)(int64_t)rng_below(&rng, 2000000) / 1000.0 - 1000.0;
        if (isnan(r.value.num))
            continue; /* no device value is one, and they do not compare */
        round_trip(&r, 1);
    }
}

static void first_and_last_places(void **state)
{
    const struct reading r[] = {
        {.component = 0, .point = 0, .value = value_int(1)},
        {.component = 0, .point = UINT16_MAX, .value = value_int(2)},
        {.component = 1, .point = 0, .value = value_int(3)},
        {.component = 2, .point = 3, .value = value_int(4)},
        {.component = UINT32_MAX - 1, .point = 0, .value = value_int(5)},
        {.component = UINT32_MAX, .point = 0, .value = value_int(6)},
        {.component = UINT32_MAX, .point = UINT16_MAX, .value = value_int(7)},
    };

    (void)state;
    round_trip(r, sizeof r / sizeof *r);
    round_trip(r + 4, 1);
}

static void keep_text(void *ctx, const struct reading *r)
{
    snprintf(ctx, 2000, "%s", r->value.text);
}

static void long_text_is_cut_at_a_character(void **state)
{
    static const struct {
        size_t ascii; /* bytes before a run of three-byte characters */
        size_t want;
    } rows[] = {{1024, 1024}, {1025, 1024}, {0, 1023}, {1, 1024}, {2, 1022}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sbuf text = {0}, b = {0};
        char got[2000] = "";
        struct reading r;

        while (text.n < rows[i].ascii)
            sbuf_addc(&text, 'x');
        while (text.n < 1500)
            sbuf_add(&text, "墨");
        r = (struct reading){.value = value_text(text.s)};
        blob_encode(&b, &r, 1);
        assert_int_equal(decode_exactly(b.s, b.n, keep_text, got), 0);
        if (strlen(got) != rows[i].want || strncmp(got, text.s, strlen(got)) != 0 || !str_utf8_valid(got, strlen(got)))
            fail_msg("row %zu: %zu bytes kept", i, strlen(got));
        sbuf_free(&text);
        sbuf_free(&b);
    }
}

static struct value random_value(const struct pd_rng *rng)
{
    static const char *const texts[] = {"", "ready", "黑色墨粉", "a longer text with several words in it"};

    switch (rng_below(rng, 9)) {
    case 0:
        return VALUE_UNKNOWN;
    case 1:
        return value_bool(rng_below(rng, 2));
    case 2:
        return value_int((int64_t)(rng_u64(rng) >> rng_below(rng, 64)));
    case 3:
        return value_num((double)rng_below(rng, 100000) / 100);
    case 4:
        return value_enum((int64_t)rng_below(rng, 12));
    case 5:
        return value_bits(rng_u64(rng) >> rng_below(rng, 64));
    case 6:
        return value_text(texts[rng_below(rng, 4)]);
    case 7:
        return with_quality(value_int(-(int64_t)rng_below(rng, 1000)), QUALITY_STALE);
    default:
        return with_quality(value_int(0), QUALITY_LIMIT);
    }
}

static size_t random_poll(const struct pd_rng *rng, struct reading *r, size_t max)
{
    size_t n = rng_below(rng, max + 1);
    uint64_t component = 0, point = 0;

    for (size_t i = 0; i < n; i++, point++) {
        if (rng_below(rng, 5) == 0) {
            component += 1 + (rng_below(rng, 3) == 0 ? rng_below(rng, 1000) : 0);
            point = rng_below(rng, 2) ? 0 : rng_below(rng, 20);
        } else if (rng_below(rng, 6) == 0) {
            point += rng_below(rng, 30);
        }
        r[i] = (struct reading){.component = (uint32_t)component, .point = (uint16_t)point, .value = random_value(rng)};
    }
    return n;
}

static void random_polls(void **state)
{
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);

    (void)state;
    rng_seed(&seeded, 42);
    for (int i = 0; i < 3000; i++) {
        struct reading r[200];

        round_trip(r, random_poll(&rng, r, 200));
    }
}

/* Status, four supplies, three trays and a page counter: what a printer tells every minute. */
static void typical_poll_is_small(void **state)
{
    struct reading r[40];
    size_t n = 0, size;

    (void)state;
    r[n++] = (struct reading){.component = 0, .point = 0, .value = value_bool(true)};
    r[n++] = (struct reading){.component = 0, .point = 1, .value = value_enum(3)};
    r[n++] = (struct reading){.component = 0, .point = 2, .value = value_bits(0)};
    r[n++] = (struct reading){.component = 0, .point = 4, .value = value_int(123456789)};
    for (uint32_t k = 1; k <= 4; k++) {
        r[n++] = (struct reading){.component = k, .point = 0, .value = value_num(37 + k)};
        r[n++] = (struct reading){.component = k, .point = 1, .value = value_int(4200)};
        r[n++] = (struct reading){.component = k, .point = 2, .value = value_enum(3)};
        r[n++] = (struct reading){.component = k, .point = 3, .value = value_enum(1)};
    }
    for (uint32_t k = 5; k <= 8; k++)
        for (uint16_t p = 0; p < 5; p++)
            r[n++] = (struct reading){.component = k, .point = p, .value = value_enum(p % 3)};
    assert_int_equal(n, 40);
    size = round_trip(r, n);
    if (size > 2 * n)
        fail_msg("%zu bytes for %zu readings", size, n);
}

static void every_single_byte_error_is_detected(void **state)
{
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);
    struct reading r[20];
    struct sbuf b = {0};
    size_t seen = 0;

    (void)state;
    rng_seed(&seeded, 3);
    blob_encode(&b, r, random_poll(&rng, r, 20));
    for (size_t i = 0; i < b.n; i++)
        for (int x = 1; x < 256; x++) {
            b.s[i] = (char)(b.s[i] ^ x);
            if (decode_exactly(b.s, b.n, count_reading, &seen) != PD_ECORRUPT)
                fail_msg("byte %zu ^ %d is believed", i, x);
            b.s[i] = (char)(b.s[i] ^ x);
        }
    assert_int_equal(seen, 0);
    sbuf_free(&b);
}

static void every_truncation_is_detected(void **state)
{
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);
    struct reading r[100];
    struct sbuf b = {0};
    size_t seen = 0;

    (void)state;
    rng_seed(&seeded, 5);
    while (b.n < 100) {
        sbuf_reset(&b);
        blob_encode(&b, r, random_poll(&rng, r, 100));
    }
    for (size_t n = 0; n < b.n; n++)
        if (decode_exactly(b.s, n, count_reading, &seen) != PD_ECORRUPT)
            fail_msg("%zu of %zu bytes are believed", n, b.n);
    sbuf_addc(&b, 0);
    assert_int_equal(decode_exactly(b.s, b.n, count_reading, &seen), PD_ECORRUPT);
    assert_int_equal(seen, 0);
    sbuf_free(&b);
}

/* Decodes bytes that carry a right checksum. */
static int decode_sealed(const void *p, size_t n, size_t *seen)
{
    uint8_t b[256];
    struct wire_out w = wire_out(b, sizeof b);

    wire_put_bytes(&w, p, n);
    wire_put_u32be(&w, wire_crc32c(0, p, n));
    assert_false(w.bad);
    return decode_exactly(b, wire_used(&w), count_reading, seen);
}

static void nonsense_under_a_right_checksum(void **state)
{
    static const struct {
        const char *what, *bytes;
        size_t n;
        int want;
    } rows[] = {
        {"another version", "\3\0", 2, PD_EVERSION},
        {"no count", "\1", 1, PD_ECORRUPT},
        {"a count of more than there is", "\1\2\1", 3, PD_ECORRUPT},
        {"a count without end", "\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11, PD_ECORRUPT},
        {"a byte too many", "\1\1\1\0", 4, PD_ECORRUPT},
        {"an integer cut off", "\1\1\3", 3, PD_ECORRUPT},
        {"a small value of a text", "\1\1\xa7", 3, PD_ECORRUPT},
        {"a text with a NUL", "\1\1\7\1\0", 5, PD_ECORRUPT},
        {"a text longer than allowed", "\1\1\7\x81\x08", 5, PD_ECORRUPT},
        {"a number of no known form", "\1\1\4\x0e", 4, PD_ECORRUPT},
        {"a point beyond 65535", "\1\1\x11\x80\x80\4", 6, PD_ECORRUPT},
        {"a component beyond 2^32", "\1\1\x19\x80\x80\x80\x80\x10\0", 9, PD_ECORRUPT},
        {"a step back", "\1\2\1\x11\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 14, PD_ECORRUPT},
        {"two good ones", "\1\2\1\2", 4, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t seen = 0;
        int rc = decode_sealed(rows[i].bytes, rows[i].n, &seen);

        if (rc != rows[i].want)
            fail_msg("%s: %d, not %d", rows[i].what, rc, rows[i].want);
    }
}

/* ---- Polls that are told by the one before them ---- */

/* The polls of a device as whoever tells them keeps them: each reading as it was told last. */
struct teller {
    struct blob_chain heard;
    int64_t at_ms;
    struct sbuf blob;
};

static void teller_fini(struct teller *t)
{
    blob_chain_fini(&t->heard);
    sbuf_free(&t->blob);
}

static const struct value *last_of(const struct teller *t, const struct reading *r)
{
    for (size_t i = 0; i < t->heard.last.n; i++)
        if (t->heard.last.v[i].component == r->component && t->heard.last.v[i].point == r->point)
            return &t->heard.last.v[i].value;
    return NULL;
}

static struct reading_past past_of(const struct teller *t, const struct reading *r)
{
    const struct value *last = last_of(t, r);

    if (!last || last->type == VALUE_TEXT)
        return (struct reading_past){.told = PAST_NONE};
    if (last->type == r->value.type && last->quality == r->value.quality &&
        (last->quality > QUALITY_STALE || last->type == VALUE_NONE || value_same(*last, r->value)))
        return (struct reading_past){.told = PAST_SAME};
    if (last->type != r->value.type || last->quality != QUALITY_GOOD)
        return (struct reading_past){.told = PAST_NONE};
    return (struct reading_past){.told = PAST_GOOD, .bits = last->bits};
}

/* Tells a poll and hears it; gives what it takes in bytes. */
static size_t tell(struct teller *t, int64_t gap_ms, const struct reading *r, size_t n)
{
    struct reading_past past[200];
    struct expected e = {.readings = r, .n = n};

    assert_true(n <= 200);
    for (size_t i = 0; i < n; i++)
        past[i] = past_of(t, &r[i]);
    sbuf_reset(&t->blob);
    t->at_ms += gap_ms;
    if (t->heard.begun)
        blob_encode_next(&t->blob, gap_ms, r, past, n);
    else
        blob_encode(&t->blob, r, n);
    assert_int_equal(take_exactly(&t->heard, t->at_ms, t->blob.s, t->blob.n), 0);
    assert_int_equal(t->heard.n, n);
    for (size_t i = 0; i < n; i++)
        expect_reading(&e, &t->heard.readings[i]);
    return t->blob.n;
}

static void values_move_from_every_edge_to_every_other(void **state)
{
    const struct value values[] = {
        value_int(0),
        value_int(1),
        value_int(14),
        value_int(15),
        value_int(16),
        value_int(-1),
        value_int(INT64_MAX),
        value_int(INT64_MIN),
        value_num(0.0),
        value_num(-0.0),
        value_num(23.4),
        value_num(-23.5),
        value_num(0.00001),
        value_num(1e300),
        value_num(9007199254740992.0),
        value_num(-9007199254740992.0),
        value_num(0.1 + 0.2),
        value_bool(true),
        value_enum(3),
        value_bits(UINT64_MAX),
        value_text("墨粉"),
        VALUE_UNKNOWN,
        value_quality(QUALITY_SOME),
        {.type = VALUE_INT, .quality = QUALITY_UNKNOWN},
        {.type = VALUE_INT, .quality = QUALITY_STALE, .i = 15},
        {.type = VALUE_NUM, .quality = QUALITY_STALE, .num = 2},
    };
    const size_t n = sizeof values / sizeof *values;
    struct teller t = {0};

    (void)state;
    for (size_t from = 0; from < n; from++)
        for (size_t to = 0; to < n; to++) {
            tell(&t, 1, &(struct reading){.value = values[from]}, 1);
            tell(&t, 60000, &(struct reading){.value = values[to]}, 1);
        }
    teller_fini(&t);
}

static void random_chains(void **state)
{
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);

    (void)state;
    rng_seed(&seeded, 43);
    for (int i = 0; i < 200; i++) {
        struct teller t = {0};
        struct reading r[100];
        size_t n = random_poll(&rng, r, 100);

        for (int k = 0; k < 20; k++) {
            struct reading now[100];
            size_t m = 0;

            for (size_t j = 0; j < n;
                 j++) { /* some are not read this time, some changed, and texts are told each time */
                if (rng_below(&rng, 8) == 0)
                    continue;
                if (rng_below(&rng, 3) == 0)
                    r[j].value = random_value(&rng);
                else if (r[j].value.type == VALUE_INT && r[j].value.quality == QUALITY_GOOD)
                    r[j].value.i = (int64_t)((uint64_t)r[j].value.i + rng_below(&rng, 40));
                now[m++] = r[j];
            }
            tell(&t, 1 + (int64_t)rng_below(&rng, 100000), now, m);
        }
        teller_fini(&t);
    }
}

static void what_a_poll_adds_to_its_chain_is_small(void **state)
{
    struct reading r[100];
    struct teller t = {0};
    size_t first, next;

    (void)state;
    for (uint32_t k = 0; k < 100; k++)
        r[k] = (struct reading){.component = k / 4, .point = (uint16_t)(k % 4), .value = value_int(1000000000 + k)};
    first = tell(&t, 60000, r, 100);
    for (uint32_t k = 0; k < 100; k += 2)
        r[k].value.i += k / 2;
    next = tell(&t, 60000, r, 100);
    if (first < 500 || next > 150)
        fail_msg("%zu bytes, then %zu", first, next);
    teller_fini(&t);
}

static void a_poll_is_not_believed_behind_another_than_its_own(void **state)
{
    const struct reading r = {.value = value_int(1000)}, later = {.value = value_int(1001)};
    const struct reading_past past = {.told = PAST_GOOD, .bits = 1000};
    struct sbuf whole = {0}, next = {0};
    struct blob_chain c = {0};

    (void)state;
    blob_encode(&whole, &r, 1);
    blob_encode_next(&next, 60000, &later, &past, 1);
    assert_int_equal(take_exactly(&c, 60000, next.s, next.n), PD_ECORRUPT); /* behind none */
    assert_int_equal(take_exactly(&c, 0, whole.s, whole.n), 0);
    assert_int_equal(take_exactly(&c, 60001, next.s, next.n), PD_ECORRUPT); /* at another time */
    assert_int_equal(take_exactly(&c, 60000, next.s, next.n), PD_ECORRUPT); /* the chain is broken by then */
    assert_int_equal(take_exactly(&c, 0, whole.s, whole.n), 0);
    assert_int_equal(take_exactly(&c, 60000, next.s, next.n), 0);
    assert_int_equal(c.readings[0].value.i, 1001);
    assert_int_equal(take_exactly(&c, 60000, next.s, next.n), PD_ECORRUPT); /* twice */
    assert_int_equal(c.n, 0);
    blob_chain_fini(&c);
    sbuf_free(&whole);
    sbuf_free(&next);
}

static void what_was_never_told_cannot_have_moved(void **state)
{
    static const struct {
        const char *what;
        struct value told;
        struct value moved;
        struct reading_past past;
        uint16_t point;
    } rows[] = {
        {"another point", {.type = VALUE_INT, .i = 5}, {.type = VALUE_INT, .i = 6}, {PAST_GOOD, 5}, 1},
        {"another type", {.type = VALUE_BITS, .bits = 5}, {.type = VALUE_INT, .i = 6}, {PAST_GOOD, 5}, 0},
        {"no number", {.type = VALUE_INT, .i = 5}, {.type = VALUE_NUM, .num = 6}, {PAST_GOOD, 0}, 0},
        {"beyond the last", {.type = VALUE_INT, .i = INT64_MAX}, {.type = VALUE_INT, .i = 6}, {PAST_GOOD, 5}, 0},
        {"beyond the first", {.type = VALUE_INT, .i = INT64_MIN}, {.type = VALUE_INT, .i = 4}, {PAST_GOOD, 5}, 0},
        {"the same as none", {.type = VALUE_INT, .i = 5}, {.type = VALUE_INT, .i = 5}, {PAST_SAME, 0}, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct reading told = {.value = rows[i].told}, moved = {.point = rows[i].point, .value = rows[i].moved};
        struct blob_chain c = {0};
        struct sbuf b = {0};

        blob_encode(&b, &told, 1);
        assert_int_equal(take_exactly(&c, 0, b.s, b.n), 0);
        sbuf_reset(&b);
        blob_encode_next(&b, 1, &moved, &rows[i].past, 1);
        if (take_exactly(&c, 1, b.s, b.n) != PD_ECORRUPT)
            fail_msg("%s is believed", rows[i].what);
        blob_chain_fini(&c);
        sbuf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_poll),
        cmocka_unit_test(values_of_every_type_and_edge),
        cmocka_unit_test(quality_without_content_keeps_type),
        cmocka_unit_test(numbers_keep_their_bits),
        cmocka_unit_test(first_and_last_places),
        cmocka_unit_test(long_text_is_cut_at_a_character),
        cmocka_unit_test(random_polls),
        cmocka_unit_test(typical_poll_is_small),
        cmocka_unit_test(every_single_byte_error_is_detected),
        cmocka_unit_test(every_truncation_is_detected),
        cmocka_unit_test(nonsense_under_a_right_checksum),
        cmocka_unit_test(values_move_from_every_edge_to_every_other),
        cmocka_unit_test(random_chains),
        cmocka_unit_test(what_a_poll_adds_to_its_chain_is_small),
        cmocka_unit_test(a_poll_is_not_believed_behind_another_than_its_own),
        cmocka_unit_test(what_was_never_told_cannot_have_moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
