#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ctl/tape.h"

static struct private_data what_is_private(void)
{
    static char name[] = "1.3.6.1.2.1.1.5", port[] = "1.3.6.1.2.1.2.2.1.6", neighbour[] = "1.3.6.1.2.1.4.22.1",
                address[] = "1.3.6.1.2.1.4.34.1", seen[] = "1.3.6.1.2.1.17.4.3.1";
    static const struct private_object objects[] = {
        {name, PRIVATE_TEXT, PRIVATE_PLAIN},         {port, PRIVATE_MAC, PRIVATE_PLAIN},
        {neighbour, PRIVATE_NOTHING, PRIVATE_IN_IP}, {address, PRIVATE_NOTHING, PRIVATE_IN_INET},
        {seen, PRIVATE_NOTHING, PRIVATE_IN_MAC},
    };
    struct private_data p = {0};

    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
        array_push(&p.objects, objects[i]);
    return p;
}

static void blank(struct tape *t, uint64_t seed)
{
    struct private_data what = what_is_private();

    tape_blank(t, &what, seed);
    array_free(&what.objects);
}

static void put(struct tape *t, const char *oid, uint8_t tag, const char *text)
{
    assert_true(tape_add(t, oid, tag, text, strlen(text)));
}

static char *written(const struct tape *t)
{
    struct sbuf b = {0};

    tape_write(t, &b);
    return sbuf_take(&b);
}

static void a_recording_is_written_as_others_read_it(void **state)
{
    struct tape t = {0};
    char *text;

    (void)state;
    put(&t, "1.3.6.1.2.1.1.10.0", 4, "two\nlines");
    put(&t, "1.3.6.1.2.1.1.3.0", 67, "4200");
    put(&t, "1.3.6.1.2.1.1.1.0", 4, "plain | text");
    put(&t, "1.3.6.1.2.1.1.1.0", 4, "a second of one name");
    tape_sort(&t);
    text = written(&t);
    assert_string_equal(text, "1.3.6.1.2.1.1.1.0|4|plain | text\n1.3.6.1.2.1.1.3.0|67|4200\n"
                              "1.3.6.1.2.1.1.10.0|4x|74776f0a6c696e6573\n");
    free(text);
    tape_fini(&t);
}

static void lines_that_make_no_sense_are_counted(void **state)
{
    static const char text[] = "1.3.6.1.2.1.1.1.0|4|x\nno line\n1.3.a|4|x\n1.3.6|999|x\n|4|x\n\n.1.3.7|2x|01";
    struct tape t = {0};

    (void)state;
    assert_int_equal(tape_read(&t, text, sizeof text - 1), 4);
    assert_int_equal(t.n, 2);
    tape_fini(&t);
}

static void a_name_becomes_another_of_its_shape_wherever_it_stands(void **state)
{
    struct tape t = {0};

    (void)state;
    put(&t, "1.3.6.1.2.1.1.1.0", 4, "Switch of Hall-7 (Hall-7), Hal");
    put(&t, "1.3.6.1.2.1.1.5.0", 4, "Hall-7");
    blank(&t, 5);
    assert_int_equal(t.v[1].ndata, 6);
    assert_string_not_equal(t.v[1].data, "Hall-7");
    assert_in_range(t.v[1].data[0], 'A', 'Z');
    assert_in_range(t.v[1].data[1], 'a', 'z');
    assert_int_equal(t.v[1].data[4], '-');
    assert_in_range(t.v[1].data[5], '0', '9');
    assert_memory_equal(t.v[0].data, "Switch of ", 10);
    assert_memory_equal(t.v[0].data + 10, t.v[1].data, 6);
    assert_memory_equal(t.v[0].data + 18, t.v[1].data, 6);
    assert_string_equal(t.v[0].data + 24, "), Hal");
    tape_fini(&t);
}

/* Joins survive: a row's name and the values that mean it become the same. */
static void addresses_become_others_in_values_names_and_texts(void **state)
{
    struct tape t = {0};
    char *text;

    (void)state;
    put(&t, "1.3.6.1.2.1.1.1.0", 4, "at 192.0.2.7, 00:1B:44:11:3a:b7; version 4.2.0.1");
    put(&t, "1.3.6.1.2.1.2.2.1.6.1", 4, "\x01\x1b\x44\x11\x3a\xb7");
    put(&t, "1.3.6.1.2.1.4.22.1.3.1.192.0.2.7", 64, "\xc0\x01\x02\x07");
    put(&t, "1.3.6.1.2.1.4.22.1.4.1.192.1.2.7", 2, "3");
    put(&t, "1.3.6.1.2.1.4.34.1.3.1.4.192.1.2.7", 2, "1");
    put(&t, "1.3.6.1.2.1.4.34.1.3.1.4.127.0.0.1", 2, "1");
    put(&t, "1.3.6.1.2.1.17.4.3.1.2.1.27.68.17.58.183", 2, "9");
    blank(&t, 5);
    text = written(&t);
    assert_string_equal(text, "1.3.6.1.2.1.1.1.0|4|at 198.18.0.2, 00:1b:44:00:00:02; version 4.2.0.1\n"
                              "1.3.6.1.2.1.2.2.1.6.1|4x|011b44000001\n"
                              "1.3.6.1.2.1.4.22.1.3.1.198.18.0.2|64x|c6120001\n"
                              "1.3.6.1.2.1.4.22.1.4.1.198.18.0.1|2|3\n"
                              "1.3.6.1.2.1.4.34.1.3.1.4.127.0.0.1|2|1\n"
                              "1.3.6.1.2.1.4.34.1.3.1.4.198.18.0.1|2|1\n"
                              "1.3.6.1.2.1.17.4.3.1.2.1.27.68.0.0.1|2|9\n");
    free(text);
    tape_fini(&t);
}

static void hostile_values_are_taken(void **state)
{
    static const struct {
        const char *oid;
        uint8_t tag;
        const char *data;
        size_t n;
    } rows[] = {
        {"1.3.6.1.2.1.1.5.0", 4, "", 0},
        {"1.3.6.1.2.1.1.5.1", 4, "\0\0\0", 3},
        {"1.3.6.1.2.1.1.5.2", 4, "\xff\xfe\x80", 3},
        {"1.3.6.1.2.1.1.5.3", 4, "\xe6\x89\x93\xe5\x8d\xb0", 6},
        {"1.3.6.1.2.1.4.22.1.2", 64, "\1", 1},
        {"1.3.6.1.2.1.4.22.1", 4, "9", 1},
        {"1.3.6.1.2.1.4.34.1.1.4.1", 4, "255.255", 7},
        {"1.3.6.1.2.1.17.4.3.1.1.4294967295.1.1.1.1.1", 4, "00:11:22:33:44:5", 16},
    };
    struct tape t = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(tape_add(&t, rows[i].oid, rows[i].tag, rows[i].data, rows[i].n));
    blank(&t, 1);
    assert_int_equal(t.n, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < t.n; i++)
        assert_null(strstr(t.v[i].data, "\xe6\x89\x93"));
    tape_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recording_is_written_as_others_read_it),
        cmocka_unit_test(lines_that_make_no_sense_are_counted),
        cmocka_unit_test(a_name_becomes_another_of_its_shape_wherever_it_stands),
        cmocka_unit_test(addresses_become_others_in_values_names_and_texts),
        cmocka_unit_test(hostile_values_are_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
