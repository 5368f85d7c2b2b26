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

/* Whether random stories have it happen to this device. */
static bool is_told(int kind, const struct story *s, int device)
{
    enum model model = s->devices.v[device].model;

    if (model == MODEL_SERVER && kind == HAPPENS_LINK_DOWN)
        return false; /* the cable of a server's own card */
    if ((kind == HAPPENS_ADDRESS_MOVED || kind == HAPPENS_SNMP_SILENT) && story_is_unit(s, (size_t)device))
        return false; /* that is its gateway's */
    return kind != HAPPENS_RESTART || !model_is_modbus(model);
}

/* How long each must be there to be told for certain, at the least. */
static int64_t long_enough(enum happening_kind kind)
{
    switch (kind) {
    case HAPPENS_COVER_OPEN:
        return 310000;
    case HAPPENS_DEVICE_OFF:
        return 250000;
    case HAPPENS_CPU:
    case HAPPENS_DISK_FILLING:
        return 1810000;
    case HAPPENS_ERRORS:
    case HAPPENS_MEMORY:
        return 2410000;
    case HAPPENS_RESTART:
        return -1;
    default:
        return 190000;
    }
}

static void every_device_has_three_faults_of_each_kind_a_month(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct story *s = story_of(seed, 15, 30);

        for (int d = 0; d < 15; d++) {
            for (int kind = 0; kind < HAPPENS_PACKET_LOSS; kind++) {
                unsigned n = count(s, d, (enum happening_kind)kind, long_enough((enum happening_kind)kind));

                if (happens_to((enum happening_kind)kind, s->devices.v[d].model) && is_told(kind, s, d) && n < 3)
                    fail_msg("seed %d: %s has %u of '%s'", (int)seed, s->devices.v[d].name, n, happening_names[kind]);
            }
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
