#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "watch/target.h"

static struct credential by_user(void)
{
    return (struct credential){.name = "servers",
                               .version = 3,
                               .user = "patrol",
                               .context = "attic",
                               .auth = USM_AUTH_SHA256,
                               .privacy = USM_PRIVACY_AES128,
                               .auth_password = "12345678",
                               .privacy_password = "abcdefgh"};
}

static void a_user_goes_into_the_target(void **state)
{
    struct credential c = by_user();
    struct settings s = {.timeout_ms = 700, .retries = 4};
    struct pd_target t = {0};
    struct pd_usm_secret usm;

    (void)state;
    target_put_credential(&t, &usm, &c, &s);
    assert_int_equal(t.version, 3);
    assert_string_equal(t.community, "");
    assert_int_equal(t.timeout_ms, 700);
    assert_int_equal(t.retries, 4);
    assert_ptr_equal(t.usm, &usm);
    assert_string_equal(usm.user, "patrol");
    assert_string_equal(usm.context, "attic");
    assert_int_equal(usm.auth, PD_AUTH_SHA256);
    assert_int_equal(usm.priv, PD_PRIV_AES128);
    assert_string_equal(usm.auth_password, "12345678");
    assert_string_equal(usm.priv_password, "abcdefgh");
    assert_null(usm.engine_id);
}

static void a_community_goes_into_the_target(void **state)
{
    struct credential c = {.name = "office", .version = 2, .community = "hall"};
    struct settings s = {.timeout_ms = 700, .retries = 4};
    struct pd_target t = {0};
    struct pd_usm_secret usm;

    (void)state;
    target_put_credential(&t, &usm, &c, &s);
    assert_int_equal(t.version, 2);
    assert_string_equal(t.community, "hall");
    assert_null(t.usm);
    target_put_credential(&t, &usm, NULL, &s);
    assert_string_equal(t.community, "");
    assert_int_equal(t.version, 0);
    assert_int_equal(t.retries, -1); /* the collector's own */
}

/* A device is opened anew whatever of its credential changes. */
static void every_part_of_a_secret_makes_another_target(void **state)
{
    static const struct {
        const char *name;
        struct pd_usm_secret s;
    } rows[] = {
        {"user", {.user = "b", .auth = 1, .priv = 1, .auth_password = "x", .priv_password = "y", .context = ""}},
        {"auth", {.user = "a", .auth = 2, .priv = 1, .auth_password = "x", .priv_password = "y", .context = ""}},
        {"priv", {.user = "a", .auth = 1, .priv = 2, .auth_password = "x", .priv_password = "y", .context = ""}},
        {"auth password",
         {.user = "a", .auth = 1, .priv = 1, .auth_password = "z", .priv_password = "y", .context = ""}},
        {"priv password",
         {.user = "a", .auth = 1, .priv = 1, .auth_password = "x", .priv_password = "z", .context = ""}},
        {"swapped", {.user = "a", .auth = 1, .priv = 1, .auth_password = "y", .priv_password = "x", .context = ""}},
        {"moved", {.user = "a", .auth = 1, .priv = 1, .auth_password = "xy", .priv_password = "", .context = ""}},
        {"context", {.user = "a", .auth = 1, .priv = 1, .auth_password = "x", .priv_password = "y", .context = "c"}},
        {"no context", {.user = "a", .auth = 1, .priv = 1, .auth_password = "x", .priv_password = "y"}},
        {"engine",
         {.user = "a",
          .auth = 1,
          .priv = 1,
          .auth_password = "x",
          .priv_password = "y",
          .context = "",
          .engine_id = "e"}},
    };
    struct pd_usm_secret plain = {
        .user = "a", .auth = 1, .priv = 1, .auth_password = "x", .priv_password = "y", .context = ""};
    struct pd_target t = {.address = "192.0.2.1", .version = 3, .community = "", .usm = &plain}, same = t;
    struct pd_usm_secret copy = plain;
    uint64_t h = target_hash(&t);

    (void)state;
    same.usm = &copy;
    assert_true(target_hash(&same) == h);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        t.usm = &rows[i].s;
        if (target_hash(&t) == h)
            fail_msg("another %s is the same target", rows[i].name);
    }
    t.usm = NULL;
    assert_true(target_hash(&t) != h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_goes_into_the_target),
        cmocka_unit_test(a_community_goes_into_the_target),
        cmocka_unit_test(every_part_of_a_secret_makes_another_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
