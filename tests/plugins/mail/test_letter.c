#include "plugins/mail/letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <gmime/gmime.h>

static const struct pd_message plain = {
    .id = "u.1.7@patrold.invalid",
    .to = "li@example.com",
    .subject = "[critical] Printer jam",
    .body = "It jams.\n",
    .date_ms = 1790756100000,
};

static int init(void **state)
{
    (void)state;
    g_mime_init();
    return 0;
}

/* The letter as a text; free() it. */
static char *letter(const char *from, const struct pd_message *m)
{
    size_t n = 0;
    char *bytes = letter_write(from, m, NULL, &n), *text = NULL;

    if (bytes) {
        text = calloc(1, n + 1);
        memcpy(text, bytes, n);
    }
    free(bytes);
    return text;
}

static void takes_only_addresses_that_smtp_takes(void **state)
{
    static const struct {
        const char *text, *address; /* NULL: refused */
    } rows[] = {
        {"li@example.com", "li@example.com"},
        {"Li Wei <li@example.com>", "li@example.com"},
        {"维修部 <repair@example.cn>", "repair@example.cn"},
        {"\"Li, Wei\" <li@example.com>", "li@example.com"},
        {"", NULL},
        {"li", NULL},
        {"@example.com", NULL},
        {"li@", NULL},
        {"a@b@c", NULL},
        {"<li@example.com>\r\nRCPT TO:<evil@example.com>", NULL},
        {"li@example.com\r\nBcc: evil@example.com", NULL},
        {"li@example.com>\nDATA", NULL},
        {"li@example.com, wang@example.com", NULL},
        {"staff: li@example.com;", NULL},
        {"李@example.com", NULL},
        {"\"a b\"@example.com", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *address = letter_address(rows[i].text);

        if ((address == NULL) != (rows[i].address == NULL) || (address && strcmp(address, rows[i].address) != 0))
            fail_msg("'%s' gives '%s'", rows[i].text, address ? address : "nothing");
        free(address);
    }
}

static void a_list_is_good_only_if_all_of_it_is(void **state)
{
    struct letter_list list = letter_addresses("li@example.com, Wang <wang@example.com>");

    (void)state;
    assert_int_equal(list.n, 2);
    assert_string_equal(list.v[1], "wang@example.com");
    letter_list_free(&list);
    list = letter_addresses("li@example.com, nobody");
    assert_int_equal(list.n, 0);
    letter_list_free(&list);
}

static void the_same_message_gives_the_same_bytes(void **state)
{
    struct pd_message m = plain;
    char *a, *b;

    (void)state;
    m.subject = "[严重] 打印机 3F-影印 卡纸 · PK-000012";
    m.body = "卡纸。\n\n工单  PK-000012\n";
    a = letter("patrold <patrold@example.com>", &m);
    b = letter("patrold <patrold@example.com>", &m);
    assert_string_equal(a, b);
    assert_non_null(strstr(a, "\r\nMessage-Id: <u.1.7@patrold.invalid>\r\n"));
    assert_non_null(strstr(a, "Date: Wed, 30 Sep 2026 08:15:00 +0000\r\n"));
    free(a);
    free(b);
}

static void nothing_in_a_message_makes_a_header(void **state)
{
    struct pd_message m = plain;
    char *text;

    (void)state;
    m.subject = "jam\r\nBcc: evil@example.com\r\n\r\nbody";
    text = letter("p@example.com", &m);
    assert_null(strstr(text, "\r\nBcc:"));
    assert_non_null(strstr(text, "\r\nSubject: jam  Bcc: evil@example.com"));
    free(text);
    m = plain;
    m.id = "x@y>\r\nBcc: evil@example.com";
    assert_null(letter("p@example.com", &m));
    m = plain;
    m.to = "li@example.com\r\nBcc: evil@example.com";
    assert_null(letter("p@example.com", &m));
    assert_null(letter("p@example.com\r\nBcc: evil@example.com", &plain));
}

static void odd_bodies_stay_within_mail_lines(void **state)
{
    static char longest[70001];
    const char *const bodies[] = {"", "\n", ".\n..\n", "no newline at the end", "a\r\nb\rc\n", longest};

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct pd_message m = plain;
        char *text, *at;

        m.body = bodies[i];
        text = letter("p@example.com", &m);
        assert_non_null(text);
        for (at = text; *at; at += strcspn(at, "\n") + 1)
            if (strcspn(at, "\n") > 79 || at[strcspn(at, "\n") - 1] != '\r')
                fail_msg("body %zu: a line of %zu bytes", i, strcspn(at, "\n"));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_only_addresses_that_smtp_takes),  cmocka_unit_test(a_list_is_good_only_if_all_of_it_is),
        cmocka_unit_test(the_same_message_gives_the_same_bytes), cmocka_unit_test(nothing_in_a_message_makes_a_header),
        cmocka_unit_test(odd_bodies_stay_within_mail_lines),
    };

    return cmocka_run_group_tests_name("letter", tests, init, NULL);
}
