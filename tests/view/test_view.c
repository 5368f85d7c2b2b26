#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "view/row.h"
#include "view/table.h"

static const struct view_column columns[] = {
    {.name = "device", .title = "Device", .type = VIEW_TEXT},
    {.name = "state", .title = "State", .type = VIEW_CODE},
    {.name = "pages", .title = "Pages", .type = VIEW_INT},
    {.name = "level", .title = "Level", .type = VIEW_NUM, .decimals = 1},
    {.name = "online", .title = "Online", .type = VIEW_BOOL},
    {.name = "since", .title = "Since", .type = VIEW_TIME},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static const struct view_column texts[] = {
    {.name = "a", .title = "A", .type = VIEW_TEXT},
    {.name = "b", .title = "B", .type = VIEW_TEXT},
};

/* An output that remembers, and fails once it is full. */
struct memory {
    struct sbuf text;
    size_t writes, most; /* most: bytes it takes; 0: any */
};

static int remember(void *ctx, const char *p, size_t n)
{
    struct memory *m = ctx;

    m->writes++;
    if (m->most && m->text.n + n > m->most)
        return PD_ENOSPC;
    sbuf_addn(&m->text, p, n);
    return 0;
}

static struct view *open_on(struct memory *m, enum view_format format)
{
    const struct view_options options = {.format = format, .write = remember, .ctx = m};

    return view_open(&options);
}

/* Ends the view, compares all it wrote, and empties m. */
static void close_and_expect(struct view *v, struct memory *m, const char *want)
{
    assert_int_equal(view_close(v), 0);
    assert_string_equal(m->text.s ? m->text.s : "", want);
    sbuf_free(&m->text);
    *m = (struct memory){0};
}

static void give_printers(struct view *v)
{
    view_table(v, NULL, NULL, columns, COLUMNS);
    view_text(v, "复印机 3F");
    view_code(v, "down", "停机");
    view_int(v, -12345);
    view_num(v, 7.25);
    view_bool(v, true);
    view_time(v, 1759220100123);
    view_row_end(v);
    view_text(v, "hp, \"lab\"");
    view_code(v, "up", NULL);
    view_int(v, INT64_MAX);
    view_num(v, 0.1);
    view_bool(v, false);
    view_row_end(v);
}

static void test_people_get_aligned_columns(void **state)
{
    struct memory m = {0};
    struct view *v = open_on(&m, VIEW_PEOPLE);

    (void)state;
    give_printers(v);
    close_and_expect(v, &m,
                     "Device     State                Pages  Level  Online  Since\n"
                     "复印机 3F  停机                -12345    7.2  yes     2025-09-30T08:15:00.123Z\n"
                     "hp, \"lab\"  up     9223372036854775807    0.1  no      -\n");
}

static void test_json_is_an_array_of_objects(void **state)
{
    struct memory m = {0};
    struct view *v = open_on(&m, VIEW_JSON);

    (void)state;
    give_printers(v);
    close_and_expect(v, &m,
                     "[\n{\"device\": \"复印机 3F\", \"state\": \"down\", \"pages\": -12345, \"level\": 7.25, "
                     "\"online\": true, \"since\": \"2025-09-30T08:15:00.123Z\"},\n"
                     "{\"device\": \"hp, \\\"lab\\\"\", \"state\": \"up\", \"pages\": 9223372036854775807, "
                     "\"level\": 0.1, \"online\": false, \"since\": null}\n]\n");
}

static void test_json_lines_are_objects(void **state)
{
    struct memory m = {0};
    struct view *v = open_on(&m, VIEW_JSON_LINES);

    (void)state;
    view_table(v, NULL, NULL, texts, 2);
    view_text(v, "1");
    view_row_end(v);
    view_text(v, "2");
    view_text(v, "line\nbreak");
    view_row_end(v);
    close_and_expect(v, &m, "{\"a\": \"1\", \"b\": null}\n{\"a\": \"2\", \"b\": \"line\\nbreak\"}\n");
}

static void test_csv_quotes_as_rfc_4180(void **state)
{
    struct memory m = {0};
    struct view *v = open_on(&m, VIEW_CSV);

    (void)state;
    give_printers(v);
    close_and_expect(v, &m,
                     "device,state,pages,level,online,since\r\n"
                     "复印机 3F,down,-12345,7.25,true,2025-09-30T08:15:00.123Z\r\n"
                     "\"hp, \"\"lab\"\"\",up,9223372036854775807,0.1,false,\r\n");
}

static void test_csv_defuses_formulas(void **state)
{
    static const struct {
        const char *text, *field;
    } rows[] = {
        {"=1+1", "'=1+1"},        {"+1", "'+1"},   {"-1", "'-1"},
        {"@sum", "'@sum"},        {"\tx", "'\tx"}, {"\rx", "\"'\rx\""},
        {"\nx", "\"'\nx\""},      {"＝1", "'＝1"}, {"＠x", "'＠x"},
        {"a=1", "a=1"},           {"", ""},        {"=\"a\"", "\"'=\"\"a\"\"\""},
        {"a\r\nb", "\"a\r\nb\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct memory m = {0};
        struct view *v = open_on(&m, VIEW_CSV);
        struct sbuf want = {0};

        view_table(v, NULL, NULL, texts, 1);
        view_text(v, rows[i].text);
        view_row_end(v);
        assert_int_equal(view_close(v), 0);
        sbuf_addf(&want, "a\r\n%s\r\n", rows[i].field);
        assert_string_equal(m.text.s, want.s);
        sbuf_free(&want);
        sbuf_free(&m.text);
    }
}

static void give_sections(struct view *v)
{
    view_record(v, NULL, "Device", texts, 2);
    view_text(v, "x");
    view_row_end(v);
    view_table(v, "parts", "Parts", texts, 2);
    view_text(v, "1");
    view_text(v, "2");
    view_row_end(v);
    view_table(v, "faults", "Faults", texts, 1);
    view_record(v, "contract", "Contract", texts, 1);
    view_text(v, "c");
    view_row_end(v);
}

static void test_sections_in_every_format(void **state)
{
    struct memory m = {0};
    struct view *v = open_on(&m, VIEW_PEOPLE);

    (void)state;
    give_sections(v);
    close_and_expect(v, &m, "Device\nA:  x\nB:  -\n\nParts\nA  B\n1  2\n\nFaults\nA\n\nContract\nA:  c\n");
    v = open_on(&m, VIEW_JSON);
    give_sections(v);
    close_and_expect(v, &m,
                     "{\n\"a\": \"x\", \"b\": null,\n\"parts\": [\n{\"a\": \"1\", \"b\": \"2\"}\n],\n"
                     "\"faults\": [],\n\"contract\": {\"a\": \"c\"}\n}\n");
    v = open_on(&m, VIEW_CSV);
    give_sections(v);
    close_and_expect(v, &m, "a,b\r\nx,\r\n\r\na,b\r\n1,2\r\n\r\na\r\n\r\na\r\nc\r\n");
}

static void test_empty_table_in_every_format(void **state)
{
    static const struct {
        enum view_format format;
        const char *want;
    } rows[] = {
        {VIEW_PEOPLE, "A  B\n"},
        {VIEW_JSON, "[]\n"},
        {VIEW_JSON_LINES, ""},
        {VIEW_CSV, "a,b\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct memory m = {0};
        struct view *v = open_on(&m, rows[i].format);

        view_table(v, NULL, NULL, texts, 2);
        close_and_expect(v, &m, rows[i].want);
    }
}

static void test_record_lines_up_values_beside_wide_titles(void **state)
{
    static const struct view_column wide[] = {
        {.name = "a", .title = "名称", .type = VIEW_TEXT},
        {.name = "b", .title = "IP", .type = VIEW_TEXT},
    };
    struct memory m = {0};
    struct view *v = open_on(&m, VIEW_PEOPLE);

    (void)state;
    view_record(v, NULL, NULL, wide, 2);
    view_text(v, "三楼");
    view_text(v, "10.0.3.9");
    view_row_end(v);
    close_and_expect(v, &m, "名称:  三楼\nIP:    10.0.3.9\n");
}

static void test_device_text_cannot_reach_the_terminal(void **state)
{
    struct memory m = {0};
    struct view *v = open_on(&m, VIEW_PEOPLE);

    (void)state;
    view_record(v, NULL, NULL, texts, 2);
    view_text(v, "\x1b[31mred\n\u202e");
    view_text(v, "\xff");
    view_row_end(v);
    close_and_expect(v, &m, "A:  \\x1b[31mred\\x0a\\u202e\nB:  \\xff\n");
}

static void test_colour_only_when_asked(void **state)
{
    struct memory m = {0};
    const struct view_options options = {.format = VIEW_PEOPLE, .colour = true, .write = remember, .ctx = &m};
    struct view *v = view_open(&options);

    (void)state;
    view_table(v, NULL, NULL, texts, 2);
    view_style(v, VIEW_BAD);
    view_text(v, "jam");
    view_text(v, "ok");
    view_row_end(v);
    close_and_expect(v, &m, "\x1b[1mA\x1b[0m    \x1b[1mB\x1b[0m\n\x1b[31mjam\x1b[0m  ok\n");
    v = open_on(&m, VIEW_PEOPLE);
    view_table(v, NULL, NULL, texts, 2);
    view_style(v, VIEW_BAD);
    view_text(v, "jam");
    view_text(v, "ok");
    view_row_end(v);
    close_and_expect(v, &m, "A    B\njam  ok\n");
}

static void test_widths_obey_their_columns(void **state)
{
    static const struct view_column narrow[] = {
        {.name = "a", .title = "A", .type = VIEW_TEXT, .max_width = 5},
        {.name = "b", .title = "B", .type = VIEW_TEXT, .min_width = 4, .align = VIEW_ALIGN_RIGHT},
        {.name = "c", .title = "C", .type = VIEW_INT, .align = VIEW_ALIGN_LEFT},
    };
    static const char *const cells[] = {"12345", "123456", "打印机", "打印机x", "e\u0301e\u0301e\u0301"};
    struct memory m = {0};
    struct view *v = open_on(&m, VIEW_PEOPLE);

    (void)state;
    view_table(v, NULL, NULL, narrow, 3);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        view_text(v, cells[i]);
        view_text(v, "b");
        view_int(v, 1);
        view_row_end(v);
    }
    close_and_expect(v, &m,
                     "A         B  C\n"
                     "12345     b  1\n"
                     "1234…     b  1\n"
                     "打印…     b  1\n"
                     "打印…     b  1\n"
                     "e\u0301e\u0301e\u0301       b  1\n");
}

static void test_numbers_come_back_the_same(void **state)
{
    static const double numbers[] = {0.1, 1.0 / 3, 1e300, -2.5e-310, 123456789012345680.0, 0};
    static const struct view_column column = {.name = "n", .title = "N", .type = VIEW_NUM};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct memory m = {0};
        struct view *v = open_on(&m, VIEW_JSON);
        json_t *array;

        view_table(v, NULL, NULL, &column, 1);
        view_num(v, numbers[i]);
        view_row_end(v);
        assert_int_equal(view_close(v), 0);
        array = json_loads(m.text.s, 0, NULL);
        assert_non_null(array);
        if (json_number_value(json_object_get(json_array_get(array, 0), "n")) != numbers[i])
            fail_msg("%.17g: %s", numbers[i], m.text.s);
        json_decref(array);
        sbuf_free(&m.text);
    }
}

static void test_what_is_not_finite_is_none(void **state)
{
    static const struct view_column column = {.name = "n", .title = "N", .type = VIEW_NUM};
    struct memory m = {0};
    struct view *v = open_on(&m, VIEW_JSON_LINES);

    (void)state;
    view_table(v, NULL, NULL, &column, 1);
    view_num(v, NAN);
    view_row_end(v);
    view_num(v, INFINITY);
    view_row_end(v);
    close_and_expect(v, &m, "{\"n\": null}\n{\"n\": null}\n");
}

static void give_rows(struct view *v, int from, int to)
{
    char text[16];

    for (int i = from; i < to; i++) {
        snprintf(text, sizeof text, "%d", i);
        view_text(v, text);
        view_text(v, "x");
        view_row_end(v);
    }
}

static void test_rows_of_programs_are_written_at_once(void **state)
{
    static const enum view_format formats[] = {VIEW_JSON, VIEW_JSON_LINES, VIEW_CSV};

    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct memory m = {0};
        struct view *v = open_on(&m, formats[i]);
        size_t before;

        view_table(v, NULL, NULL, texts, 2);
        before = m.writes;
        give_rows(v, 0, 10000);
        assert_int_equal(m.writes - before, 10000);
        assert_int_equal(view_close(v), 0);
        sbuf_free(&m.text);
    }
}

static void test_rows_of_people_wait_for_one_page(void **state)
{
    struct memory m = {0};
    struct view *v = open_on(&m, VIEW_PEOPLE);
    size_t after_page;

    (void)state;
    view_table(v, NULL, NULL, texts, 2);
    give_rows(v, 0, 99);
    assert_int_equal(m.text.n, 0);
    give_rows(v, 99, 100);
    assert_non_null(strstr(m.text.s, "A   B\n0   x\n"));
    after_page = m.text.n;
    give_rows(v, 99999, 100001); /* wider than the page was: pushes its neighbours, loses nothing */
    assert_string_equal(m.text.s + after_page, "99999  x\n100000  x\n");
    assert_int_equal(view_close(v), 0);
    sbuf_free(&m.text);
}

static void test_flush_writes_what_is_held_back(void **state)
{
    struct memory m = {0};
    struct view *v = open_on(&m, VIEW_PEOPLE);

    (void)state;
    view_table(v, NULL, NULL, texts, 2);
    give_rows(v, 10, 11);
    view_flush(v);
    assert_string_equal(m.text.s, "A   B\n10  x\n");
    give_rows(v, 11, 12);
    view_flush(v);
    close_and_expect(v, &m, "A   B\n10  x\n11  x\n");
}

static void test_first_error_of_the_output_is_kept(void **state)
{
    struct memory m = {.most = 20};
    struct view *v = open_on(&m, VIEW_CSV);
    size_t writes;

    (void)state;
    view_table(v, NULL, NULL, texts, 2);
    give_rows(v, 0, 10);
    writes = m.writes;
    give_rows(v, 10, 20);
    assert_int_equal(m.writes, writes);
    assert_int_equal(view_close(v), PD_ENOSPC);
    sbuf_free(&m.text);
}

static void test_file_output(void **state)
{
    FILE *f = tmpfile();
    const struct view_options options = {.format = VIEW_CSV, .write = view_write_file, .ctx = f};
    struct view *v;
    char got[16] = {0};

    (void)state;
    assert_non_null(f);
    v = view_open(&options);
    view_table(v, NULL, NULL, texts, 2);
    assert_int_equal(view_close(v), 0);
    rewind(f);
    assert_int_equal(fread(got, 1, sizeof got - 1, f), 5);
    assert_string_equal(got, "a,b\r\n");
    fclose(f);
}

static void add_hour(void *ctx, int64_t wall_ms, struct sbuf *out)
{
    sbuf_addf(out, "%s %lld h", (const char *)ctx, (long long)(wall_ms / 3600000));
}

static void test_people_get_stamps_and_truth_in_their_own_words(void **state)
{
    static const struct view_column own[] = {
        {.name = "t", .title = "T", .type = VIEW_TIME},
        {.name = "b", .title = "B", .type = VIEW_BOOL},
    };
    struct memory m = {0};
    char zone[] = "CST";
    const struct view_options options = {
        .format = VIEW_PEOPLE, .write = remember, .ctx = &m, .yes = "是", .time = add_hour, .time_ctx = zone};
    struct view *v = view_open(&options);

    (void)state;
    view_record(v, NULL, NULL, own, 2);
    view_time(v, 7200000);
    view_bool(v, true);
    view_row_end(v);
    close_and_expect(v, &m, "T:  CST 2 h\nB:  是\n");
}

static const char *words_of(void *ctx, const struct view_column *col, const char *code)
{
    (void)ctx;
    (void)col;
    return strcmp(code, "down") == 0 ? "停机" : NULL;
}

static void test_row_comes_from_json_by_name(void **state)
{
    static const struct view_column nested[] = {
        {.name = "device.name", .title = "Device", .type = VIEW_TEXT},
        {.name = "state", .title = "State", .type = VIEW_CODE},
        {.name = "pages", .title = "Pages", .type = VIEW_INT},
        {.name = "level", .title = "Level", .type = VIEW_NUM},
        {.name = "online", .title = "Online", .type = VIEW_BOOL},
        {.name = "since", .title = "Since", .type = VIEW_TIME},
        {.name = "x.y.z", .title = "None", .type = VIEW_TEXT},
        {.name = "wrong", .title = "Wrong", .type = VIEW_INT},
    };
    static const struct view_row_ops ops = {.words = words_of};
    json_t *row = json_loads("{\"device\":{\"name\":\"lab\"},\"state\":\"down\",\"pages\":3,\"level\":2,"
                             "\"online\":false,\"since_ms\":1759220100123,\"x\":1,\"wrong\":\"text\"}",
                             0, NULL);
    struct memory m = {0};
    struct view *v = open_on(&m, VIEW_CSV);
    size_t n = sizeof nested / sizeof *nested;

    (void)state;
    view_table(v, NULL, NULL, nested, n);
    view_row(v, nested, n, row, &ops);
    close_and_expect(v, &m,
                     "device.name,state,pages,level,online,since,x.y.z,wrong\r\n"
                     "lab,down,3,2,false,2025-09-30T08:15:00.123Z,,\r\n");
    v = open_on(&m, VIEW_PEOPLE);
    view_table(v, NULL, NULL, nested, 2);
    view_row(v, nested, 2, row, &ops);
    close_and_expect(v, &m, "Device  State\nlab     停机\n");
    json_decref(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_people_get_aligned_columns),
        cmocka_unit_test(test_json_is_an_array_of_objects),
        cmocka_unit_test(test_json_lines_are_objects),
        cmocka_unit_test(test_csv_quotes_as_rfc_4180),
        cmocka_unit_test(test_csv_defuses_formulas),
        cmocka_unit_test(test_sections_in_every_format),
        cmocka_unit_test(test_empty_table_in_every_format),
        cmocka_unit_test(test_record_lines_up_values_beside_wide_titles),
        cmocka_unit_test(test_device_text_cannot_reach_the_terminal),
        cmocka_unit_test(test_colour_only_when_asked),
        cmocka_unit_test(test_widths_obey_their_columns),
        cmocka_unit_test(test_numbers_come_back_the_same),
        cmocka_unit_test(test_what_is_not_finite_is_none),
        cmocka_unit_test(test_rows_of_programs_are_written_at_once),
        cmocka_unit_test(test_rows_of_people_wait_for_one_page),
        cmocka_unit_test(test_flush_writes_what_is_held_back),
        cmocka_unit_test(test_first_error_of_the_output_is_kept),
        cmocka_unit_test(test_file_output),
        cmocka_unit_test(test_people_get_stamps_and_truth_in_their_own_words),
        cmocka_unit_test(test_row_comes_from_json_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
