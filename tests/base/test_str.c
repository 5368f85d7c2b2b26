#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void a_buffer_grows_as_it_must(void **state)
{
    struct sbuf b = {0};
    char *s;

    (void)state;
    for (int i = 0; i < 1000; i++)
        sbuf_addf(&b, "%d,", i);
    sbuf_addc(&b, '!');
    assert_int_equal(b.n, strlen(b.s));
    assert_memory_equal(b.s, "0,1,2,3,", 8);
    assert_string_equal(b.s + b.n - 5, "999,!");
    s = sbuf_take(&b);
    assert_null(b.s);
    free(s);
}

static void an_empty_buffer_gives_an_empty_text(void **state)
{
    struct sbuf b = {0};
    char *s = sbuf_take(&b);

    (void)state;
    assert_string_equal(s, "");
    free(s);
    sbuf_add(&b, "");
    assert_string_equal(b.s, "");
    sbuf_free(&b);
    sbuf_free(&b);
}

static void a_format_may_be_longer_than_the_room(void **state)
{
    static const size_t lengths[] = {0, 1, 62, 63, 64, 65, 127, 128, 129, 5000};
    char text[5001];

    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct sbuf b = {0};

        sbuf_addf(&b, "<%.*s>", (int)lengths[i], text);
        if (b.n != lengths[i] + 2 || strlen(b.s) != b.n || b.s[b.n - 1] != '>')
            fail_msg("length %zu", lengths[i]);
        sbuf_free(&b);
    }
}

static void bytes_may_be_nul(void **state)
{
    struct sbuf b = {0};

    (void)state;
    sbuf_addn(&b, "a\0b", 3);
    sbuf_addn(&b, NULL, 0);
    assert_int_equal(b.n, 3);
    assert_memory_equal(b.s, "a\0b", 4);
    sbuf_free(&b);
}

static void a_reset_buffer_keeps_its_room(void **state)
{
    struct sbuf b = {0};
    char *before;

    (void)state;
    sbuf_reset(&b);
    assert_null(b.s);
    sbuf_add(&b, "something");
    before = b.s;
    sbuf_reset(&b);
    assert_string_equal(b.s, "");
    sbuf_add(&b, "else");
    assert_ptr_equal(b.s, before);
    assert_string_equal(b.s, "else");
    sbuf_free(&b);
}

static void the_nearest_word_is_found(void **state)
{
    static const char *const words[] = {"host", "port", "community", "timeout", "retries", "every", NULL};
    static const struct {
        const char *s, *nearest;
    } rows[] = {
        {"hots", "host"},
        {"host", "host"},
        {"hosts", "host"},
        {"comunity", "community"},
        {"communtiy", "community"},
        {"tiemout", "timeout"},
        {"prot", "port"},
        {"xyzzy", NULL},
        {"", NULL},
        {"h", NULL},
        {"冰箱", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *nearest = str_nearest(rows[i].s, words);

        if (!str_eq(nearest, rows[i].nearest))
            fail_msg("'%s': %s", rows[i].s, nearest ? nearest : "(none)");
    }
}

static void words_of_any_length_are_compared_safely(void **state)
{
    char longest[64], too_long[65];
    const char *const words[] = {too_long, longest, NULL};
    const char *const none[] = {NULL};

    (void)state;
    memset(longest, 'a', 63);
    longest[63] = '\0';
    memset(too_long, 'a', 64);
    too_long[64] = '\0';
    assert_ptr_equal(str_nearest(longest, words), longest);
    assert_null(str_nearest(too_long, words));
    assert_null(str_nearest("host", none));
}

static void prefixes_and_equality(void **state)
{
    (void)state;
    assert_true(str_starts("ticket.opened", "ticket."));
    assert_true(str_starts("a", ""));
    assert_false(str_starts("tick", "ticket"));
    assert_true(str_eq("a", "a"));
    assert_false(str_eq("a", "b"));
    assert_true(str_eq(NULL, NULL));
    assert_false(str_eq(NULL, ""));
    assert_false(str_eq("", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_grows_as_it_must),
        cmocka_unit_test(an_empty_buffer_gives_an_empty_text),
        cmocka_unit_test(a_format_may_be_longer_than_the_room),
        cmocka_unit_test(bytes_may_be_nul),
        cmocka_unit_test(a_reset_buffer_keeps_its_room),
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(words_of_any_length_are_compared_safely),
        cmocka_unit_test(prefixes_and_equality),
    };

    return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
