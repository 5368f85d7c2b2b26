#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "ctl/import.h"
#include "tests/ctl/script.h"

/* What came of an import. */
struct outcome {
    int code;
    char *out, *err;
};

static void outcome_free(struct outcome *o)
{
    free(o->out);
    free(o->err);
}

/*
 * Imports a file of this name and content as `patrolctl NOUN import FILE OPTION…`. typed: what is typed at the
 * terminal; NULL: there is none.
 */
static struct outcome run_bytes(const char *socket, const char *noun, const char *name, const char *bytes, size_t n,
                                const char *option, const char *typed)
{
    char folder[] = "/tmp/import-XXXXXX", *path, *in = xstrdup(typed ? typed : "");
    struct outcome o = {0};
    size_t nout, nerr;
    struct ctl t = {
        .socket = socket,
        .out = open_memstream(&o.out, &nout),
        .err = open_memstream(&o.err, &nerr),
        .in = typed ? fmemopen(in, strlen(in) + 1, "r") : NULL,
    };

    assert_non_null(mkdtemp(folder));
    path = xasprintf("%s/%s", folder, name);
    assert_int_equal(file_write_whole(path, bytes, n, 0600), 0);
    o.code = ctl_run(&t, option ? 5 : 4,
                     (char *[]){(char[]){"patrolctl"}, (char *)noun, (char[]){"import"}, path, (char *)option, NULL});
    if (t.in)
        fclose(t.in);
    fclose(t.out);
    fclose(t.err);
    unlink(path);
    rmdir(folder);
    free(path);
    free(in);
    return o;
}

/* Likewise against a script; the test fails if anything else is asked for. */
static struct outcome run_script(const struct step *steps, const char *noun, const char *name, const char *text,
                                 const char *option, const char *typed)
{
    struct script *s = script_start(steps);
    struct outcome o = run_bytes(script_socket(s), noun, name, text, strlen(text), option, typed);
    char *wrong = script_end(s);

    if (wrong)
        fail_msg("%s: %s; %s%s", text, wrong, o.out, o.err);
    return o;
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no '%s' in: %s", part, text);
}

#define PLAN                                                                                                           \
    "{\"id\":$ID,\"ok\":{\"added\":1,\"changed\":1,\"unchanged\":0,\"wrong\":0,\"fates\":[\"added\",\"changed\"],"     \
    "\"changes\":[{\"row\":1,\"field\":\"note\",\"before\":null,\"after\":\"x\"}],\"errors\":[],\"warnings\":[]}}"
#define TWO_ROWS "名称,备注\n甲公司,\n乙公司,x\n"
#define ASKED                                                                                                          \
    "\"args\":{\"rows\":[{\"name\":\"甲公司\",\"note\":\"\"},{\"name\":\"乙公司\",\"note\":\"x\"}],\"dry_run\":"

/* ---- What is read ---- */

static void each_format_becomes_the_same_rows(void **state)
{
    static const struct {
        const char *noun, *name, *text, *asked;
    } rows[] = {
        {"customer", "a.csv", TWO_ROWS, ASKED "true}"},
        {"customer", "a.csv", "\xef\xbb\xbf\"名称\",\"备注\"\r\n甲公司,\r\n\"乙公司\",\"x\"\r\n", ASKED "true}"},
        {"customer", "a.csv",
         "\xc3\xfb\xb3\xc6,\xb1\xb8\xd7\xa2\n\xbc\xd7\xb9\xab\xcb\xbe,\n\xd2\xd2\xb9\xab\xcb\xbe,x\n", ASKED "true}"},
        {"customer", "a.txt", "NAME;Remark\n甲公司;\n 乙公司 ;x\n;\n", ASKED "true}"},
        {"customer", "a.yaml", "- {name: 甲公司, 备注: }\n- name: 乙公司\n  note: x\n", ASKED "true}"},
        {"customer", "a.json", "[{\"name\":\"甲公司\",\"note\":null},{\"名称\":\"乙公司\",\"note\":\"x\"}]",
         ASKED "true}"},
        {"customer", "a.csv", "id,name,sites,devices,note\n1,甲公司,3,4,\n2,乙公司,,,x\n", ASKED "true}"},
        {"customer", "a.csv", "name,note\n甲公司,\n乙公司,'=1+1\n", "\"note\":\"=1+1\""},
        {"customer", "a.csv", "name,note\n甲公司,\n乙公司,\"a,\"\"b\"\"\nc\"\n", "\"note\":\"a,\\\"b\\\"\\nc\""},
        {"staff", "a.csv", "登录名,姓名,角色\nwang,王工,技术员\nli,李,Callback clerk\n",
         "{\"login\":\"wang\",\"name\":\"王工\",\"role\":\"technician\"},{\"login\":\"li\",\"name\":\"李\",\"role\":"
         "\"callback-clerk\"}"},
        {"contract", "a.json", "[{\"number\":7,\"sites\":[\"a\",\"b\"]},{\"number\":\"8\",\"kind\":\"全保\"}]",
         "{\"number\":\"7\",\"sites\":\"a,b\"},{\"number\":\"8\",\"kind\":\"full-service\"}"},
        {"staff", "a.yml", "- {login: wang, skills: [printer, ups]}\n- {login: li}\n", "\"skills\":\"printer,ups\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct step steps[] = {{rows[i].asked, PLAN}, {0}};
        struct outcome o = run_script(steps, rows[i].noun, rows[i].name, rows[i].text, "--dry-run", NULL);

        if (o.code != EXIT_DONE || *o.err)
            fail_msg("row %zu: %d %s", i, o.code, o.err);
        outcome_free(&o);
    }
}

static void what_cannot_be_read_is_told_with_its_place(void **state)
{
    static const struct {
        const char *name, *text, *told;
    } rows[] = {
        {"a.csv", "", "a.csv: there is nothing to import"},
        {"a.csv", "name\n", "a.csv: there is nothing to import"},
        {"a.csv", "name,colour\na,red\n", "a.csv:1: there is no column 'colour' here"},
        {"a.csv", "name,名称\na,b\n", "a.csv:1: the column '名称' is there twice"},
        {"a.csv", "note\na\n", "a.csv:1: the column 'name' is missing"},
        {"a.csv", "name,note\na,b\n\nc\n", "a.csv:4: row 2: 1/2 fields of as many columns"},
        {"a.csv", "name,note\na,b,c\n", "a.csv:2: row 1: 3/2 fields"},
        {"a.csv", "name,note\na,\"b\nc\n", "a.csv:2: this is not CSV: a quote is opened and never closed"},
        {"a.csv", "name\nab\n\xff\xff\n", "a.csv:3: this is neither UTF-8 nor GBK"},
        {"a.json", "[{\"name\":\n7", "a.json:2: this is not JSON: "},
        {"a.json", "{\"name\":7}", "a.json: a list of records is wanted"},
        {"a.json", "[7]", "a.json: row 1: a record with named fields is wanted"},
        {"a.json", "[{\"name\":\"a\"},{\"name\":{}}]", "a.json: row 2, 'name': a text, a number or a list"},
        {"a.json", "[{\"nam\":\"a\"}]", "a.json: row 1: there is no column 'nam' here"},
        {"a.yaml", "name: a\n", "a.yaml:1: a list of records is wanted"},
        {"a.yaml", "- {name: a}\n- 7\n", "a.yaml:2: row 2: a record with named fields is wanted"},
        {"a.yaml", "- {name: [a, [b]]}\n", "a.yaml:1: row 1, 'name': a text, a number or a list"},
        {"a.yaml", "- {name: a", "a.yaml:"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome o =
            run_bytes("/nowhere", "customer", rows[i].name, rows[i].text, strlen(rows[i].text), "--yes", NULL);

        if (o.code != EXIT_FAILED || !strstr(o.err, rows[i].told))
            fail_msg("row %zu: %d %s", i, o.code, o.err);
        outcome_free(&o);
    }
}

static void errors_beyond_fifty_are_only_counted(void **state)
{
    struct sbuf text = {0};
    struct outcome o;

    (void)state;
    sbuf_add(&text, "name,note\n");
    for (int i = 0; i < 60; i++)
        sbuf_add(&text, "a\n");
    o = run_bytes("/nowhere", "customer", "a.csv", text.s, text.n, "--yes", NULL);
    has(o.err, "row 50: ");
    assert_null(strstr(o.err, "row 51: "));
    has(o.err, "and 10 more");
    outcome_free(&o);
    sbuf_free(&text);
}

/* ---- What is said and asked ---- */

static void a_dry_run_shows_what_would_change_and_sends_no_more(void **state)
{
    const struct step steps[] = {{"\"cmd\":\"customer.import\"," ASKED "true}", PLAN}, {0}};
    struct outcome o = run_script(steps, "customer", "a.csv", TWO_ROWS, "--dry-run", NULL);

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    assert_string_equal(o.out, "+ 甲公司\n~ 乙公司  note: - → x\nIt would add 1 and change 1; 0 are as they were.\n");
    outcome_free(&o);
}

static void with_yes_nobody_is_asked(void **state)
{
    const struct step steps[] = {{ASKED "true}", PLAN}, {ASKED "false}", PLAN}, {0}};
    struct outcome o = run_script(steps, "customer", "a.csv", TWO_ROWS, "--yes", NULL);

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    has(o.out, "Added 1, changed 1; 0 were so already.");
    outcome_free(&o);
}

static void without_a_terminal_and_yes_nothing_is_done(void **state)
{
    const struct step steps[] = {{ASKED "true}", PLAN}, {0}};
    struct outcome o = run_script(steps, "customer", "a.csv", TWO_ROWS, NULL, NULL);

    (void)state;
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "say --yes");
    outcome_free(&o);
}

static void at_a_terminal_it_is_asked(void **state)
{
    static const struct {
        const char *typed;
        bool done;
    } rows[] = {{"y\n", true}, {"Yes\n", true}, {"是\n", true}, {"n\n", false}, {"\n", false}, {"", false}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct step steps[] = {{ASKED "true}", PLAN}, {rows[i].done ? ASKED "false}" : NULL, PLAN}, {0}};
        struct outcome o = run_script(steps, "customer", "a.csv", TWO_ROWS, NULL, rows[i].typed);

        if (o.code != (rows[i].done ? EXIT_DONE : EXIT_FAILED) || !strstr(o.err, "Add 1 and change 1? [y/N]"))
            fail_msg("'%s': %d %s", rows[i].typed, o.code, o.err);
        outcome_free(&o);
    }
}

static void what_patrold_finds_wrong_is_told_at_its_row_and_column(void **state)
{
    static const char answer[] =
        "{\"id\":$ID,\"ok\":{\"added\":1,\"changed\":0,\"unchanged\":0,\"wrong\":1,\"fates\":[\"added\",\"wrong\"],"
        "\"changes\":[],\"errors\":[{\"row\":1,\"field\":\"note\",\"text\":\"is \\u001b[31mred\"}],"
        "\"warnings\":[{\"row\":0,\"field\":null,\"text\":\"is odd\"}]}}";
    const struct step steps[] = {{ASKED "true}", answer}, {0}};
    struct outcome o = run_script(steps, "customer", "a.csv", TWO_ROWS, "--yes", NULL);

    (void)state;
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "a.csv:2: row 1: is odd");
    has(o.err, "a.csv:3: row 2, column 2 '备注': is \\x1b[31mred");
    has(o.err, "nothing was imported");
    outcome_free(&o);
}

static void where_nothing_changes_nothing_is_asked(void **state)
{
    static const char answer[] =
        "{\"id\":$ID,\"ok\":{\"added\":0,\"changed\":0,\"unchanged\":2,\"wrong\":0,"
        "\"fates\":[\"unchanged\",\"unchanged\"],\"changes\":[],\"errors\":[],\"warnings\":[]}}";
    const struct step steps[] = {{ASKED "true}", answer}, {0}};
    struct outcome o = run_script(steps, "customer", "a.csv", TWO_ROWS, NULL, NULL);

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    assert_string_equal(o.out, "Nothing changes: all 2 are there already.\n");
    outcome_free(&o);
}

static void every_field_has_a_heading_in_both_languages(void **state)
{
    (void)state;
    for (int k = 0; k < ARCHIVE_KIND_COUNT; k++) {
        const struct archive_def *def = archive_def((enum archive_kind)k);

        for (size_t i = 0; i < def->nfields; i++) {
            char *id = xasprintf("import.%s", def->fields[i].name);

            for (int lang = 0; lang < LANG_COUNT; lang++) {
                char *heading = xstrdup(text_get((enum lang)lang, id));

                heading[strcspn(heading, "|")] = '\0';
                if (strcmp(heading, id) == 0 || import_heading((enum archive_kind)k, heading) != (int)i)
                    fail_msg("%s %s: '%s'", def->name, def->fields[i].name, heading);
                free(heading);
            }
            free(id);
        }
    }
    assert_int_equal(import_heading(ARCHIVE_DEVICE, " \xe3\x80\x80安装位置 "),
                     archive_field_find(archive_def(ARCHIVE_DEVICE), "location"));
    assert_int_equal(import_heading(ARCHIVE_DEVICE, "serial"), -1);
    assert_int_equal(import_heading(ARCHIVE_DEVICE, ""), -1);
    assert_int_equal(import_heading(ARCHIVE_DEVICE, "颜色"), -2);
}

/* ---- Long tables ---- */

enum { LONG = 5001, PIECES = 21 };

/* So many devices; the first is reached by the last. */
static char *long_table(void)
{
    struct sbuf text = {0};

    sbuf_add(&text, "name,address,parent\n");
    for (int i = 0; i < LONG; i++)
        sbuf_addf(&text, "d%d,10.0.%d.%d,%s\n", i, i / 250, i % 250, i == 0 ? "d5000" : "");
    return sbuf_take(&text);
}

static void a_long_table_goes_in_pieces_and_parents_may_stand_in_any(void **state)
{
    static const char whole[] = "{\"id\":$ID,\"ok\":{\"added\":250,\"changed\":0,\"unchanged\":0,\"wrong\":0,"
                                "\"fates\":[],\"changes\":[],\"errors\":[],\"warnings\":[]}}";
    static const char last[] = "{\"id\":$ID,\"ok\":{\"added\":1,\"changed\":0,\"unchanged\":0,\"wrong\":0,"
                               "\"fates\":[],\"changes\":[],\"errors\":[],\"warnings\":[]}}";
    struct step steps[2 * PIECES + 2] = {{0}};
    char *text = long_table();
    struct outcome o;

    (void)state;
    for (int i = 0; i < 2 * PIECES; i++)
        steps[i] = (struct step){i < PIECES ? "\"dry_run\":true" : "\"dry_run\":false",
                                 i % PIECES == PIECES - 1 ? last : whole};
    steps[0].asked = "\"rows\":[{\"name\":\"d0\",\"address\":\"10.0.0.0\"},"; /* without its parent */
    steps[PIECES].asked = steps[0].asked;
    steps[2 * PIECES] =
        (struct step){"\"rows\":[{\"name\":\"d0\",\"address\":\"10.0.0.0\",\"parent\":\"d5000\"}]", last};
    o = run_script(steps, "device", "a.csv", text, "--yes", NULL);
    assert_int_equal(o.code, EXIT_DONE);
    has(o.out, "5001");
    outcome_free(&o);
    free(text);
}

static void a_wrong_row_of_a_long_table_is_told_by_its_own_line(void **state)
{
    static const char fine[] = "{\"id\":$ID,\"ok\":{\"added\":250,\"changed\":0,\"unchanged\":0,\"wrong\":0,"
                               "\"fates\":[],\"changes\":[],\"errors\":[],\"warnings\":[]}}";
    static const char wrong[] =
        "{\"id\":$ID,\"ok\":{\"added\":249,\"changed\":0,\"unchanged\":0,\"wrong\":1,\"fates\":[],\"changes\":[],"
        "\"errors\":[{\"row\":7,\"field\":\"address\",\"text\":\"no such place\"}],\"warnings\":[]}}";
    struct step steps[PIECES + 1] = {{0}};
    char *text = long_table();
    struct outcome o;

    (void)state;
    for (int i = 0; i < PIECES; i++)
        steps[i] = (struct step){"\"dry_run\":true", i == 2 ? wrong : fine};
    o = run_script(steps, "device", "a.csv", text, "--yes", NULL);
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "no such place");
    has(o.err, "509"); /* 2 × 250 + 7, counted from one, after the heading */
    outcome_free(&o);
    free(text);
}

static void a_long_table_that_is_cut_off_says_how_far_it_came(void **state)
{
    static const char fine[] = "{\"id\":$ID,\"ok\":{\"added\":250,\"changed\":0,\"unchanged\":0,\"wrong\":0,"
                               "\"fates\":[],\"changes\":[],\"errors\":[],\"warnings\":[]}}";
    static const char refused[] = "{\"id\":$ID,\"error\":{\"code\":\"no-space\",\"text\":\"full\"}}";
    struct step steps[PIECES + 4] = {{0}};
    char *text = long_table();
    struct outcome o;

    (void)state;
    for (int i = 0; i < PIECES + 3; i++)
        steps[i] =
            (struct step){i < PIECES ? "\"dry_run\":true" : "\"dry_run\":false", i < PIECES + 2 ? fine : refused};
    o = run_script(steps, "device", "a.csv", text, "--yes", NULL);
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "500 rows");
    outcome_free(&o);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_format_becomes_the_same_rows),
        cmocka_unit_test(what_cannot_be_read_is_told_with_its_place),
        cmocka_unit_test(errors_beyond_fifty_are_only_counted),
        cmocka_unit_test(a_dry_run_shows_what_would_change_and_sends_no_more),
        cmocka_unit_test(with_yes_nobody_is_asked),
        cmocka_unit_test(without_a_terminal_and_yes_nothing_is_done),
        cmocka_unit_test(at_a_terminal_it_is_asked),
        cmocka_unit_test(what_patrold_finds_wrong_is_told_at_its_row_and_column),
        cmocka_unit_test(where_nothing_changes_nothing_is_asked),
        cmocka_unit_test(every_field_has_a_heading_in_both_languages),
        cmocka_unit_test(a_long_table_goes_in_pieces_and_parents_may_stand_in_any),
        cmocka_unit_test(a_wrong_row_of_a_long_table_is_told_by_its_own_line),
        cmocka_unit_test(a_long_table_that_is_cut_off_says_how_far_it_came),
    };

    return cmocka_run_group_tests_name("ctl/import", tests, NULL, NULL);
}
