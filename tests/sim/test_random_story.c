#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "random_story.h"
#include "story.h"

static struct story *story_of(uint64_t seed, unsigned devices, unsigned days)
{
    struct conf_report report = {0};
    struct story *s = NULL;
    struct sbuf text = {0};

    random_story(&text, seed, devices, days);
    if (story_parse("random", text.s, text.n, &s, &report) < 0)
        fail_msg("seed %d: %s", (int)seed, report.text.s);
    conf_report_free(&report);
    sbuf_free(&text);
    return s;
}

static void the_same_seed_gives_the_same_text(void **state)
{
    struct sbuf a = {0}, b = {0}, c = {0};

    (void)state;
    random_story(&a, 5, 6, 20);
    random_story(&b, 5, 6, 20);
    random_story(&c, 6, 6, 20);
    assert_string_equal(a.s, b.s);
    assert_string_not_equal(a.s, c.s);
    sbuf_free(&a);
    sbuf_free(&b);
    sbuf_free(&c);
}

static unsigned count(const struct story *s, int device, enum happening_kind kind, int64_t longer_than_ms)
{
    unsigned n = 0;

    for (size_t i = 0; i < s->happenings.n; i++)
        n += s->happenings.v[i].device == device && s->happenings.v[i].kind == kind &&
             s->happenings.v[i].until_ms - s->happenings.v[i].at_ms > longer_than_ms;
    return n;
}

static void every_device_has_three_faults_of_each_kind_a_month(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct story *s = story_of(seed, 10, 30);

        for (int d = 0; d < 10; d++) {
            assert_true(count(s, d, HAPPENS_DEVICE_OFF, 250000) >= 3);
            if (!model_prints(s->devices.v[d].model))
                continue;
            assert_true(count(s, d, HAPPENS_JAM, 190000) >= 3);
            assert_true(count(s, d, HAPPENS_COVER_OPEN, 310000) >= 3);
            assert_true(count(s, d, HAPPENS_SERVICE, 190000) >= 3);
            assert_true(count(s, d, HAPPENS_TONER_DRAIN, 0) >= 3);
        }
        assert_true(count(s, -1, HAPPENS_PATROLD_KILLED, 0) >= 5);
        assert_true(count(s, -1, HAPPENS_PACKET_LOSS, 0) >= 3);
        story_free(s);
    }
}

static void small_and_large_ones_make_sense(void **state)
{
    static const struct {
        unsigned devices, days;
    } rows[] = {{1, 1}, {1, 60}, {200, 3}, {40, 366}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        story_free(story_of(i + 1, rows[i].devices, rows[i].days));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_text),
        cmocka_unit_test(every_device_has_three_faults_of_each_kind_a_month),
        cmocka_unit_test(small_and_large_ones_make_sense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
