#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "base/text_table.h"

static void languages_have_names(void **state)
{
    static const struct {
        const char *s;
        enum lang lang;
    } rows[] = {{"en", LANG_EN}, {"zh_CN", LANG_ZH_CN}, {"zh-CN", LANG_ZH_CN}, {"zh", LANG_ZH_CN}};
    enum lang lang = LANG_COUNT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (lang_parse(rows[i].s, &lang) != 0 || lang != rows[i].lang)
            fail_msg("'%s'", rows[i].s);
    lang = LANG_COUNT;
    assert_int_equal(lang_parse("fr", &lang), PD_EINVAL);
    assert_int_equal(lang_parse("", &lang), PD_EINVAL);
    assert_int_equal(lang, LANG_COUNT);
    assert_string_equal(lang_name(LANG_EN), "en");
    assert_string_equal(lang_name(LANG_ZH_CN), "zh_CN");
}

static void a_text_is_found_in_each_language(void **state)
{
    (void)state;
    assert_string_equal(text_get(LANG_EN, "lang.en"), "English");
    assert_string_equal(text_get(LANG_ZH_CN, "lang.en"), "英文");
}

static void an_unknown_id_is_its_own_text(void **state)
{
    static const char id[] = "no.such.text";

    (void)state;
    assert_ptr_equal(text_get(LANG_EN, id), id);
    assert_ptr_equal(text_get(LANG_ZH_CN, id), id);
}

static void every_row_is_found_by_its_id(void **state)
{
    (void)state;
    for (size_t i = 0; i < text_table_n; i++)
        for (enum lang l = LANG_EN; l < LANG_COUNT; l++)
            if (text_get(l, text_table[i].id) != text_table[i].text[l])
                fail_msg("'%s' in %s", text_table[i].id, lang_name(l));
}

static void every_language_has_every_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < text_table_n; i++)
        for (enum lang l = LANG_EN; l < LANG_COUNT; l++)
            if (!text_table[i].text[l] || !*text_table[i].text[l])
                fail_msg("'%s' has no text in po/%s.po", text_table[i].id, lang_name(l));
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct text_arg *)a)->name, ((const struct text_arg *)b)->name);
}

/* The names in braces, sorted, each once, as "a b c ". */
static char *placeholders(const char *text)
{
    struct text_arg found[32];
    struct sbuf out = {0};
    size_t n = 0;

    for (const char *p = strchr(text, '{'); p; p = strchr(p, '{')) {
        const char *end = strchr(p, '}');

        if (p[1] == '{' || !end) {
            p += p[1] == '{' ? 2 : 1;
            continue;
        }
        assert_true(n < 32);
        found[n++].name = strndup(p + 1, (size_t)(end - p - 1));
        p = end;
    }
    qsort(found, n, sizeof found[0], by_text);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(found[i].name, found[i - 1].name) != 0)
            sbuf_addf(&out, "%s ", found[i].name);
    }
    for (size_t i = 0; i < n; i++)
        free((char *)found[i].name);
    return sbuf_take(&out);
}

static void every_language_uses_the_same_arguments(void **state)
{
    (void)state;
    for (size_t i = 0; i < text_table_n; i++) {
        const struct text_row *r = &text_table[i];
        char *en = placeholders(r->text[LANG_EN] ? r->text[LANG_EN] : "");
        char *zh = placeholders(r->text[LANG_ZH_CN] ? r->text[LANG_ZH_CN] : "");

        if (strcmp(en, zh) != 0)
            fail_msg("'%s' takes %s in en, but %s in zh_CN", r->id, en, zh);
        free(en);
        free(zh);
    }
}

static void every_text_is_valid_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < text_table_n; i++)
        for (enum lang l = LANG_EN; l < LANG_COUNT; l++)
            if (!str_utf8_valid(text_table[i].text[l], strlen(text_table[i].text[l])))
                fail_msg("'%s' in %s", text_table[i].id, lang_name(l));
}

static void arguments_fill_their_places(void **state)
{
    static const struct text_arg args[] = {{"device", "三楼打印机"}, {"n", "7"}, {"odd", "{device}"}};
    static const struct {
        const char *template, *filled;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"{device}", "三楼打印机"},
        {"{n} of {n} at {device}.", "7 of 7 at 三楼打印机."},
        {"{unknown} {n}", "{unknown} 7"},
        {"{{n}", "{n}"},
        {"{{{n}}", "{7}"},
        {"open {n", "open {n"},
        {"{", "{"},
        {"}{}", "}{}"},
        {"{odd}", "{device}"}, /* a value is not filled again */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sbuf b = {0};

        sbuf_add(&b, "");
        text_fill(&b, rows[i].template, args, 3);
        if (strcmp(b.s, rows[i].filled) != 0)
            fail_msg("'%s' became '%s'", rows[i].template, b.s);
        sbuf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(languages_have_names),          cmocka_unit_test(a_text_is_found_in_each_language),
        cmocka_unit_test(an_unknown_id_is_its_own_text), cmocka_unit_test(every_row_is_found_by_its_id),
        cmocka_unit_test(every_language_has_every_text), cmocka_unit_test(every_language_uses_the_same_arguments),
        cmocka_unit_test(every_text_is_valid_utf8),      cmocka_unit_test(arguments_fill_their_places),
    };

    return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
