#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "watch/internal.h"

static struct member two[] = {{.code = "down", .number = 2}, {.code = "up", .number = 1}};
static const struct members members = {.list = {.v = two, .n = 2}};

static const struct {
    const char *unit;
    struct value value;
    const char *text;
} rows[] = {
    {NULL, {.type = VALUE_BOOL, .b = true}, "true"},
    {NULL, {.type = VALUE_INT, .i = INT64_MIN}, "-9223372036854775808"},
    {"%", {.type = VALUE_INT, .i = 12}, "12 %"},
    {"%", {.type = VALUE_NUM, .num = 12.5}, "12.5 %"},
    {"%", {.type = VALUE_NUM, .num = 100}, "100 %"},
    {"%", {.type = VALUE_NUM, .num = 0.004}, "0 %"},
    {"Cel", {.type = VALUE_NUM, .num = 25.25}, "25.25 °C"},
    {"kW.h", {.type = VALUE_NUM, .num = 7.5}, "7.5 kWh"},
    {"s", {.type = VALUE_INT, .i = 119}, "119 s"},
    {"s", {.type = VALUE_INT, .i = 120}, "2 min"},
    {"s", {.type = VALUE_NUM, .num = 3599.9}, "59 min"},
    {"s", {.type = VALUE_NUM, .num = 5430}, "1 h 30 min"},
    {"s", {.type = VALUE_INT, .i = 90061}, "1 d 1 h"},
    {"s", {.type = VALUE_INT, .i = -300}, "-300 s"},
    {"V", {.type = VALUE_NUM, .num = 230}, "230 V"},
    {"{page}", {.type = VALUE_INT, .i = 1234}, "1234"},
    {"By", {.type = VALUE_INT, .i = 512}, "512 B"},
    {"By", {.type = VALUE_INT, .i = 1536}, "1.5 KiB"},
    {"By", {.type = VALUE_INT, .i = INT64_MAX}, "8192 PiB"},
    {NULL, {.type = VALUE_NUM, .num = 1e300}, NULL}, /* only that it ends */
    {NULL, {.type = VALUE_ENUM, .i = 2}, "down"},
    {NULL, {.type = VALUE_ENUM, .i = 7}, "7"},
    {NULL, {.type = VALUE_BITS, .bits = 6}, "down, up"},
    {NULL, {.type = VALUE_BITS, .bits = 0}, ""},
    {NULL, {.type = VALUE_TEXT, .text = "黑色"}, "黑色"},
    {"%", {.type = VALUE_NUM, .quality = QUALITY_STALE, .num = 3}, "3 %"},
    {"%", {.type = VALUE_NONE, .quality = QUALITY_SOME}, "some"},
    {"%", {.type = VALUE_NONE, .quality = QUALITY_UNKNOWN}, "unknown"},
};

static void values_are_written_with_their_units(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct point_def p = {.unit = (char *)(uintptr_t)rows[i].unit, .members = members};
        struct sbuf out = {0};

        sbuf_add(&out, "");
        format_value(&out, &p, rows[i].value);
        if (rows[i].text && strcmp(out.s, rows[i].text) != 0)
            fail_msg("row %zu: '%s', not '%s'", i, out.s, rows[i].text);
        sbuf_free(&out);
    }
}

static void message_arguments_are_the_points_that_are_named(void **state)
{
    struct point_def points[] = {
        {.name = "level", .slot = 0, .unit = "%"}, {.name = "state", .slot = 1}, {.name = "descr", .slot = 2}};
    struct kind kind = {.name = "supply", .points = {.v = points, .n = 3}};
    struct rule r = {.kind = &kind, .message = {"{component} at {level}", "{descr} {nothing}"}};
    struct value values[] = {value_num(7), value_int(1), value_text("\"黑\"")};
    char *args = format_message_args(&r, values);

    (void)state;
    assert_string_equal(args, "{\"level\":\"7 %\",\"descr\":\"\\\"黑\\\"\"}");
    free(args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_written_with_their_units),
        cmocka_unit_test(message_arguments_are_the_points_that_are_named),
    };

    return cmocka_run_group_tests_name("watch/format", tests, NULL, NULL);
}
