#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/archive.h"
#include "model/change.h"

static const struct archive_field *field(enum archive_kind kind, const char *name)
{
    const struct archive_def *def = archive_def(kind);
    int i = archive_field_find(def, name);

    assert_true(i >= 0);
    return &def->fields[i];
}

/* What becomes of a text, by its canonical text; or of what is refused, the words. */
static void a_text_has_one_canonical_form_or_is_refused(void **state)
{
    static const struct {
        enum archive_kind kind;
        const char *field, *text, *want; /* want NULL: absent */
        const char *words;               /* refused so */
    } rows[] = {
        {ARCHIVE_CUSTOMER, "name", "北京甲公司", "北京甲公司", NULL},
        {ARCHIVE_CUSTOMER, "name", "", NULL, "is missing"},
        {ARCHIVE_CUSTOMER, "name", NULL, NULL, "is missing"},
        {ARCHIVE_CUSTOMER, "name", " a", NULL, "spaces at an end"},
        {ARCHIVE_CUSTOMER, "name", "a\nb", NULL, "control characters"},
        {ARCHIVE_CUSTOMER, "name", "\xc4\xe3", NULL, "not UTF-8"},
        {ARCHIVE_CUSTOMER, "note", "", NULL, NULL},
        {ARCHIVE_CONTACT, "mail", "li@example.com", "li@example.com", NULL},
        {ARCHIVE_CONTACT, "mail", "li.wei+x@a-b.example", "li.wei+x@a-b.example", NULL},
        {ARCHIVE_CONTACT, "mail", "li", NULL, "not a mail address"},
        {ARCHIVE_CONTACT, "mail", "@example.com", NULL, "not a mail address"},
        {ARCHIVE_CONTACT, "mail", "li@", NULL, "not a mail address"},
        {ARCHIVE_CONTACT, "mail", "li@a@b", NULL, "not a mail address"},
        {ARCHIVE_CONTACT, "mail", "li@a..b", NULL, "not a mail address"},
        {ARCHIVE_CONTACT, "mail", "li@a.", NULL, "not a mail address"},
        {ARCHIVE_CONTACT, "mail", "Li <li@a.com>", NULL, "not a mail address"},
        {ARCHIVE_CONTACT, "mail", "a@b.com,c@d.com", NULL, "not a mail address"},
        {ARCHIVE_CONTACT, "gets", "report, tickets，report", "report,tickets", NULL},
        {ARCHIVE_CONTACT, "gets", "reports", NULL, "'reports' is none of tickets, report (did you mean 'report'?)"},
        {ARCHIVE_CONTACT, "gets", ",;、", NULL, NULL},
        {ARCHIVE_CONTACT, "language", "zh_CN", "zh_CN", NULL},
        {ARCHIVE_CONTACT, "language", "fr", NULL, "none of en, zh_CN"},
        {ARCHIVE_STAFF, "role", "technician", "technician", NULL},
        {ARCHIVE_STAFF, "role", "technicain", NULL, "did you mean 'technician'?"},
        {ARCHIVE_STAFF, "role", "", NULL, "is missing"},
        {ARCHIVE_STAFF, "skills", " 打印机、UPS ;打印机", "打印机,UPS", NULL},
        {ARCHIVE_CONTRACT, "from", "2026-01-31", "2026-01-31", NULL},
        {ARCHIVE_CONTRACT, "from", "2026/1/5", "2026-01-05", NULL},
        {ARCHIVE_CONTRACT, "from", "2026.12.05", "2026-12-05", NULL},
        {ARCHIVE_CONTRACT, "from", "2028年2月29日", "2028-02-29", NULL},
        {ARCHIVE_CONTRACT, "from", "2026-02-29", NULL, "'2026-02-29' is no date; 2026-01-31 is one"},
        {ARCHIVE_CONTRACT, "from", "2026-13-01", NULL, "is no date"},
        {ARCHIVE_CONTRACT, "from", "2026-1-1x", NULL, "is no date"},
        {ARCHIVE_CONTRACT, "from", "2026年1月1", NULL, "is no date"},
        {ARCHIVE_CONTRACT, "from", "1.2.2026", NULL, "is no date"},
        {ARCHIVE_CONTRACT, "p1", "fix=8h, respond=30m", "respond=30m,fix=8h", NULL},
        {ARCHIVE_CONTRACT, "p1", "on-site=36h；dispatch=600s", "dispatch=10m,on-site=36h", NULL},
        {ARCHIVE_CONTRACT, "p1", "on-site=48h", "on-site=2d", NULL},
        {ARCHIVE_CONTRACT, "p1", "respond", NULL, "respond=30m,fix=8h"},
        {ARCHIVE_CONTRACT, "p1", "fxi=8h", NULL, "did you mean 'fix'?"},
        {ARCHIVE_CONTRACT, "p1", "fix=8", NULL, "'8' is no time span"},
        {ARCHIVE_CONTRACT, "p1", "fix=0h", NULL, "is no time span"},
        {ARCHIVE_CONTRACT, "p1", "fix=1h,fix=2h", NULL, "twice"},
        {ARCHIVE_DEVICE, "port", "1161", "1161", NULL},
        {ARCHIVE_DEVICE, "port", "0", NULL, NULL},
        {ARCHIVE_DEVICE, "port", "65536", NULL, "no port"},
        {ARCHIVE_DEVICE, "port", "x", NULL, "no port"},
        {ARCHIVE_DEVICE, "unit", "255", "255", NULL},
        {ARCHIVE_DEVICE, "unit", "0", NULL, NULL},
        {ARCHIVE_DEVICE, "unit", "", NULL, NULL},
        {ARCHIVE_DEVICE, "unit", "256", NULL, "'256' is no unit: 1 to 255"},
        {ARCHIVE_DEVICE, "unit", "-1", NULL, "no unit"},
        {ARCHIVE_DEVICE, "unit", "1x", NULL, "no unit"},
        {ARCHIVE_DEVICE, "status", "in-repair", "in-repair", NULL},
        {ARCHIVE_DEVICE, "status", "in repair", NULL, "did you mean 'in-repair'?"},
        {ARCHIVE_DEVICE, "parent", "核心交换机", "核心交换机", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct archive_field *f = field(rows[i].kind, rows[i].field);
        struct entry *e = xcalloc(1, sizeof(struct archive_contract) + sizeof(struct device));
        struct sbuf text = {0};
        char *why = NULL;
        int rc = archive_field_set(f, e, rows[i].text, &why);
        bool there = rc == 0 && archive_field_text(f, e, &text);

        if ((rc == 0) != !rows[i].words || (rc < 0 && !strstr(why, rows[i].words)) || there != !!rows[i].want ||
            (there && strcmp(text.s, rows[i].want) != 0))
            fail_msg("row %zu, '%s': %d, %s, %s", i, rows[i].text, rc, text.s ? text.s : "", why ? why : "");
        sbuf_free(&text);
        free(why);
        entry_free(rows[i].kind, e);
    }
}

static void a_refused_text_leaves_what_was_there(void **state)
{
    struct archive_contract c = {0};
    char *why = NULL;

    (void)state;
    assert_int_equal(archive_field_set(field(ARCHIVE_CONTRACT, "p2"), &c, "fix=8h", &why), 0);
    assert_int_equal(archive_field_set(field(ARCHIVE_CONTRACT, "p2"), &c, "respond=1h,fix=x", &why), PD_EINVAL);
    free(why);
    assert_int_equal(c.goal_ms[1][PROMISE_FIX], 8 * 3600000);
    assert_int_equal(c.goal_ms[1][PROMISE_RESPOND], 0);
    entry_fini(ARCHIVE_CONTRACT, &c.entry);
}

static void what_is_too_long_is_refused(void **state)
{
    struct archive_customer c = {0};
    char *text = xcalloc(1, 2000), *why = NULL;

    (void)state;
    memset(text, 'x', ARCHIVE_NAME_MAX);
    assert_int_equal(archive_field_set(field(ARCHIVE_CUSTOMER, "name"), &c, text, &why), 0);
    text[ARCHIVE_NAME_MAX] = 'x';
    assert_int_equal(archive_field_set(field(ARCHIVE_CUSTOMER, "name"), &c, text, &why), PD_EINVAL);
    assert_string_equal(why, "is too long: at most 100 bytes");
    free(why);
    memset(text, 'x', ARCHIVE_TEXT_MAX + 1);
    assert_int_equal(archive_field_set(field(ARCHIVE_CUSTOMER, "note"), &c, text, &why), PD_EINVAL);
    free(why);
    free(text);
    entry_fini(ARCHIVE_CUSTOMER, &c.entry);
}

static void every_kind_has_a_name_and_its_fields_differ(void **state)
{
    (void)state;
    for (int k = 0; k < ARCHIVE_KIND_COUNT; k++) {
        const struct archive_def *def = archive_def((enum archive_kind)k);
        enum archive_kind found;

        assert_int_equal(archive_kind_parse(def->name, &found), 0);
        assert_int_equal(found, k);
        assert_in_range(def->nfields, 1, ARCHIVE_FIELDS_MAX);
        assert_true(def->fields[0].required);
        for (size_t i = 0; i < def->nfields; i++)
            assert_int_equal(archive_field_find(def, def->fields[i].name), (int)i);
    }
    assert_int_equal(archive_kind_parse("printer", &(enum archive_kind){0}), PD_ENOENT);
    assert_int_equal(archive_field_find(archive_def(ARCHIVE_SITE), "colour"), -1);
}

static void a_copy_has_texts_of_its_own(void **state)
{
    (void)state;
    for (int k = ARCHIVE_CUSTOMER; k < ARCHIVE_KIND_COUNT; k++) {
        const struct archive_def *def = archive_def((enum archive_kind)k);
        struct entry *e = xcalloc(1, def->size), *copy;

        for (size_t i = 0; i < def->nfields; i++) {
            char *why = NULL;

            archive_field_set(&def->fields[i], e, def->fields[i].codes ? def->fields[i].codes[0] : "2026-01-01", &why);
            free(why); /* of the fields that are neither text nor date */
        }
        copy = entry_dup((enum archive_kind)k, e);
        assert_ptr_not_equal(copy->name, e->name);
        entry_free((enum archive_kind)k, e);
        assert_string_equal(copy->name, "2026-01-01");
        entry_free((enum archive_kind)k, copy);
    }
    entry_free(ARCHIVE_SITE, NULL);
}

static void lists(void **state)
{
    char *renamed;

    (void)state;
    assert_true(list_has("a,bc,d", "bc"));
    assert_true(list_has("总部", "总部"));
    assert_false(list_has("a,bc,d", "b"));
    assert_false(list_has("a,bc,d", ""));
    assert_false(list_has(NULL, "a"));
    renamed = list_rename("a,bc,abc", "bc", "总部");
    assert_string_equal(renamed, "a,总部,abc");
    free(renamed);
}

static void a_row_of_a_change_is_replaced_by_its_kind_and_id(void **state)
{
    struct archive_customer c = {.entry = {.id = 1, .name = "a"}};
    struct archive_site s = {.entry = {.id = 1, .name = "b"}, .customer = "a"};
    struct change *change = change_new();

    (void)state;
    change_put_entry(change, ARCHIVE_CUSTOMER, &c.entry);
    change_put_entry(change, ARCHIVE_SITE, &s.entry);
    c.entry.name = "c";
    change_put_entry(change, ARCHIVE_CUSTOMER, &c.entry);
    assert_int_equal(change->rows.n, 2);
    assert_string_equal(change->rows.v[0].archive.entry->name, "c");
    assert_string_equal(((struct archive_site *)change->rows.v[1].archive.entry)->customer, "a");
    change_free(change);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_has_one_canonical_form_or_is_refused),
        cmocka_unit_test(a_refused_text_leaves_what_was_there),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(every_kind_has_a_name_and_its_fields_differ),
        cmocka_unit_test(a_copy_has_texts_of_its_own),
        cmocka_unit_test(lists),
        cmocka_unit_test(a_row_of_a_change_is_replaced_by_its_kind_and_id),
    };

    return cmocka_run_group_tests_name("model/archive", tests, NULL, NULL);
}
