#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/blob.h"
#include "store/hour.h"

/*
 * Hours that chance makes of all that can be in them, against what was put. Each
 * seed is a history of one device: which series there are, how they move, and which
 * of them a poll has.
 */
enum { SEEDS = 300, SERIES_MOST = 30, POLLS_MOST = 90 };

struct random {
    uint64_t state;
};

static uint64_t next(struct random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t below(struct random *r, uint64_t n)
{
    return next(r) % n;
}

/* How a series moves. */
enum manner {
    STEADY,
    EVEN,
    NOISY,
    JUMPING,
    ANY_BITS,
    RESETTING,
    DECIMAL,
    ODD_NUMBER,
    STATE,
    YES_NO,
    FLAGS,
    WORDS,
    FLAPPING,
    MANNERS
};

struct walker {
    struct reading reading;
    enum manner manner;
    unsigned left_out; /* in so many of 8 polls */
};

static void step(struct random *r, struct walker *w)
{
    static const char *const words[] = {"", "ready", "打印", "Toner niedrig", "a\tb"};
    struct value *v = &w->reading.value;

    v->quality = QUALITY_GOOD;
    switch (w->manner) {
    case STEADY:
        *v = value_int(v->i);
        break;
    case EVEN:
        *v = value_int((int64_t)((uint64_t)v->i + 6000));
        break;
    case NOISY:
        *v = value_int((int64_t)((uint64_t)v->i + 70000000 + below(r, 9000000)));
        break;
    case JUMPING:
        *v = value_int((int64_t)((uint64_t)v->i + below(r, 3) * 17));
        break;
    case ANY_BITS:
        *v = value_int((int64_t)(next(r) >> below(r, 64)));
        break;
    case RESETTING:
        *v = value_int(below(r, 9) == 0 ? 0 : (int64_t)((uint64_t)v->i + below(r, 1000)));
        break;
    case DECIMAL:
        *v = value_num((double)below(r, 100000) / 100);
        break;
    case ODD_NUMBER:
        *v = (struct value){.type = VALUE_NUM, .bits = below(r, 3) ? v->bits : next(r)};
        break;
    case STATE:
        *v = value_enum(below(r, 5) ? v->i & 7 : (int64_t)below(r, 8));
        break;
    case YES_NO:
        *v = value_bool(below(r, 4) != 0);
        break;
    case FLAGS:
        *v = value_bits(below(r, 6) ? v->bits : next(r));
        break;
    case WORDS:
        *v = value_text(words[below(r, 5)]);
        break;
    case FLAPPING:
        *v = below(r, 2) ? value_int((int64_t)below(r, 5)) : value_quality((enum quality)(2 + below(r, 3)));
        break;
    case MANNERS:
        break;
    }
    if (below(r, 40) == 0)
        v->quality = (uint8_t)below(r, QUALITY_UNKNOWN + 1);
}

static size_t make_walkers(struct random *r, struct walker *w)
{
    size_t n = below(r, SERIES_MOST + 1);
    uint64_t key = below(r, 3);

    for (size_t i = 0; i < n; i++) {
        memset(&w[i], 0, sizeof w[i]);
        w[i].manner = (enum manner)below(r, MANNERS);
        w[i].left_out = below(r, 3) ? 0 : (unsigned)below(r, 9);
        w[i].reading.component = (uint32_t)(key >> 16);
        w[i].reading.point = (uint16_t)key;
        w[i].reading.value.i = (int64_t)next(r);
        key += below(r, 3) ? 1 : 1 + below(r, UINT64_C(1) << (8 * below(r, 6)));
        key &= (UINT64_C(1) << 48) - 1;
        if (i > 0 && key <= series_key(w[i].reading.component, w[i].reading.point))
            return i + 1; /* it went round */
    }
    return n;
}

static bool same(const struct reading *a, const struct reading *b)
{
    if (a->component != b->component || a->point != b->point)
        return false;
    if (a->value.type == VALUE_NUM && b->value.type == VALUE_NUM) /* by bits: not-a-numbers too */
        return a->value.quality == b->value.quality &&
               (a->value.quality > QUALITY_STALE || a->value.bits == b->value.bits);
    return value_same(a->value, b->value) && a->value.type == b->value.type;
}

struct history {
    int64_t times[POLLS_MOST];
    size_t ends[POLLS_MOST]; /* of its readings */
    size_t polls;
    ARRAY(struct reading) readings;
};

static void live(struct random *r, struct history *h, struct grid_builder *b)
{
    struct walker w[SERIES_MOST + 1];
    size_t n = make_walkers(r, w);
    int64_t at = (int64_t)below(r, UINT64_C(1) << 42) - 1000;
    struct blob_chain chain = {0};
    struct sbuf blob = {0};

    h->readings.n = 0;
    h->polls = 1 + below(r, POLLS_MOST);
    for (size_t i = 0; i < h->polls; i++) {
        size_t first = h->readings.n;

        for (size_t k = 0; k < n; k++) {
            step(r, &w[k]);
            if (below(r, 8) >= w[k].left_out)
                array_push(&h->readings, w[k].reading);
        }
        h->times[i] = at;
        h->ends[i] = h->readings.n;
        sbuf_reset(&blob);
        blob_encode(&blob, h->readings.n > 0 ? h->readings.v + first : NULL, h->readings.n - first);
        assert_int_equal(hour_add(b, &chain, at, blob.s, blob.n), 0);
        at += below(r, 20) ? 60000 : 1 + (int64_t)below(r, 100000);
    }
    blob_chain_fini(&chain);
    sbuf_free(&blob);
}

static void expect_history(const struct history *h, const struct hour_reader *r, unsigned seed)
{
    if (r->grid.times.n != h->polls || r->rows.n != h->readings.n)
        fail_msg("seed %u: %zu polls and %zu readings, not %zu and %zu", seed, r->grid.times.n, r->rows.n, h->polls,
                 h->readings.n);
    for (size_t i = 0; i < h->polls; i++)
        if (r->grid.times.v[i] != h->times[i] || r->ends.v[i] != h->ends[i])
            fail_msg("seed %u: poll %zu is another one", seed, i);
    for (size_t i = 0; i < h->readings.n; i++)
        if (!same(&h->readings.v[i], &r->rows.v[i]))
            fail_msg("seed %u: reading %zu is another one", seed, i);
}

/* Bytes lie at the end of what was allocated, so that reading beyond is found. */
static void decode_exact(struct hour_reader *r, const void *p, size_t n, int want)
{
    void *copy = xmemdup(p, n);

    assert_int_equal(hour_decode(r, copy, n, NO_KEY), want);
    free(copy);
}

static void what_was_put_comes_back(void **state)
{
    struct grid_builder b = {0};
    struct hour_reader r = {0};
    struct history h = {0};

    (void)state;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct random random = {seed};
        struct sbuf blob = {0};

        live(&random, &h, &b);
        grid_encode(&b, GRID_HOUR, &blob);
        grid_clear(&b);
        assert_int_equal(hour_decode(&r, blob.s, blob.n, NO_KEY), 0);
        expect_history(&h, &r, seed);
        sbuf_free(&blob);
    }
    grid_builder_fini(&b);
    hour_reader_fini(&r);
    array_free(&h.readings);
}

static void one_series_alone_comes_back(void **state)
{
    struct grid_builder b = {0};
    struct hour_reader r = {0};
    struct history h = {0};

    (void)state;
    for (unsigned seed = 1; seed <= 40; seed++) {
        struct random random = {seed};
        struct sbuf blob = {0};
        uint64_t key;
        size_t found = 0, wanted = 0;

        live(&random, &h, &b);
        grid_encode(&b, GRID_HOUR, &blob);
        grid_clear(&b);
        key = h.readings.n > 0
                  ? series_key(h.readings.v[h.readings.n / 2].component, h.readings.v[h.readings.n / 2].point)
                  : 5;
        assert_int_equal(hour_decode(&r, blob.s, blob.n, key), 0);
        for (size_t i = 0; i < h.readings.n; i++)
            if (series_key(h.readings.v[i].component, h.readings.v[i].point) == key) {
                wanted++;
                assert_true(found < r.rows.n && same(&r.rows.v[found++], &h.readings.v[i]));
            }
        assert_int_equal(r.rows.n, wanted);
        sbuf_free(&blob);
    }
    grid_builder_fini(&b);
    hour_reader_fini(&r);
    array_free(&h.readings);
}

/* An hour of every minute, as most are: three supplies, a text, counters. */
static void put_usual_hour(struct grid_builder *b, size_t *readings)
{
    struct random random = {7};
    struct blob_chain chain = {0};
    struct sbuf blob = {0};
    uint64_t octets[96] = {0};

    *readings = 0;
    for (int64_t minute = 0; minute < 60; minute++) {
        struct reading r[121];
        size_t n = 0;

        for (uint16_t k = 0; k < 9; k++)
            r[n++] = (struct reading){.component = 0, .point = k, .value = value_int(k < 2 ? minute * 6000 * k : 24)};
        r[n++] = (struct reading){.component = 0, .point = 9, .value = value_text("SimPrinter 4500")};
        for (uint32_t k = 0; k < 15; k++)
            r[n++] = (struct reading){.component = 1 + k / 3, .point = (uint16_t)(k % 3), .value = value_int(7000 + k)};
        for (uint32_t k = 0; k < 96; k++) {
            octets[k] += k % 2 ? k * 1000 : (k * 40 * (5990 + below(&random, 20)));
            r[n++] = (struct reading){
                .component = 6 + k / 4, .point = (uint16_t)(k % 4), .value = value_int((int64_t)octets[k])};
        }
        sbuf_reset(&blob);
        blob_encode(&blob, r, n);
        assert_int_equal(hour_add(b, &chain, minute * 60000 + (int64_t)below(&random, 20), blob.s, blob.n), 0);
        *readings += n;
    }
    blob_chain_fini(&chain);
    sbuf_free(&blob);
}

static void an_hour_of_a_switch_takes_less_than_two_bytes_a_reading(void **state)
{
    struct grid_builder b = {0};
    struct sbuf blob = {0};
    size_t readings;

    (void)state;
    put_usual_hour(&b, &readings);
    grid_encode(&b, GRID_HOUR, &blob);
    if (blob.n > 2 * readings)
        fail_msg("%zu bytes for %zu readings", blob.n, readings);
    grid_builder_fini(&b);
    sbuf_free(&blob);
}

static void what_is_torn_is_not_believed(void **state)
{
    struct grid_builder b = {0};
    struct hour_reader r = {0};
    struct sbuf blob = {0};
    size_t readings;

    (void)state;
    put_usual_hour(&b, &readings);
    grid_encode(&b, GRID_HOUR, &blob);
    for (size_t n = 0; n < blob.n; n += n < 100 ? 1 : 97)
        decode_exact(&r, blob.s, n, PD_ECORRUPT);
    for (size_t at = 0; at < blob.n; at += 41) {
        blob.s[at] ^= 1 << at % 8;
        decode_exact(&r, blob.s, blob.n, PD_ECORRUPT);
        blob.s[at] ^= 1 << at % 8;
    }
    decode_exact(&r, blob.s, blob.n, 0);
    grid_builder_fini(&b);
    hour_reader_fini(&r);
    sbuf_free(&blob);
}

static void set_checksum(struct sbuf *b)
{
    struct wire_out w = wire_out(b->s + b->n - 4, 4);

    wire_put_u32be(&w, wire_crc32c(0, b->s, b->n - 4));
}

/* Whatever stands under a right checksum, nothing is read beyond the bytes, and nothing grows without bounds. */
static void nonsense_under_a_right_checksum_does_no_harm(void **state)
{
    struct grid_builder b = {0};
    struct hour_reader r = {0};
    struct history h = {0};

    (void)state;
    for (unsigned seed = 1; seed <= 2000; seed++) {
        struct random random = {seed % 50 + 1};
        struct sbuf blob = {0};
        uint8_t *copy;

        live(&random, &h, &b);
        grid_encode(&b, GRID_HOUR, &blob);
        grid_clear(&b);
        random.state = seed * 77;
        for (uint64_t k = 1 + below(&random, 4); k > 0; k--)
            blob.s[below(&random, blob.n < 60 ? blob.n : below(&random, 2) ? 60 : blob.n)] = (char)next(&random);
        set_checksum(&blob);
        copy = xmemdup(blob.s, blob.n);
        hour_decode(&r, copy, blob.n, NO_KEY);
        free(copy);
        sbuf_free(&blob);
    }
    grid_builder_fini(&b);
    hour_reader_fini(&r);
    array_free(&h.readings);
}

static void another_kind_or_version_is_told_apart(void **state)
{
    struct grid_builder b = {0};
    struct hour_reader r = {0};
    struct sbuf blob = {0};
    const struct reading reading = {.value = value_int(1)};

    (void)state;
    grid_row(&b, 0);
    grid_put(&b, 0, &reading.value);
    grid_encode(&b, GRID_ROLLUP, &blob);
    decode_exact(&r, blob.s, blob.n, PD_EVERSION);
    sbuf_reset(&blob);
    blob_encode(&blob, &reading, 1);
    decode_exact(&r, blob.s, blob.n, PD_EVERSION);
    grid_builder_fini(&b);
    hour_reader_fini(&r);
    sbuf_free(&blob);
}

static void a_grid_is_full_before_it_cannot_be_read(void **state)
{
    struct grid_builder b = {0};
    const struct value v = value_int(1);

    (void)state;
    assert_false(grid_full(&b, 100000000));
    for (int64_t i = 0; i < GRID_ROWS_MAX; i++) {
        assert_false(grid_full(&b, 1));
        grid_row(&b, i);
        grid_put(&b, 3, &v);
    }
    assert_true(grid_full(&b, 1));
    grid_clear(&b);
    grid_row(&b, 0);
    grid_put(&b, 3, &v);
    assert_true(grid_full(&b, GRID_CELLS_MAX / 2));
    assert_false(grid_full(&b, GRID_CELLS_MAX / 2 - 1));
    grid_builder_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_comes_back),
        cmocka_unit_test(one_series_alone_comes_back),
        cmocka_unit_test(an_hour_of_a_switch_takes_less_than_two_bytes_a_reading),
        cmocka_unit_test(what_is_torn_is_not_believed),
        cmocka_unit_test(nonsense_under_a_right_checksum_does_no_harm),
        cmocka_unit_test(another_kind_or_version_is_told_apart),
        cmocka_unit_test(a_grid_is_full_before_it_cannot_be_read),
    };

    return cmocka_run_group_tests_name("store/hour", tests, NULL, NULL);
}
