#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "watch/recording.h"

/* What a source is given, as text: instance, type and value of each cell. */
static void write_cell(void *ctx, const struct pd_cell *c)
{
    static const char letters[] = {
        [PD_CELL_INT] = 'i', [PD_CELL_UINT] = 'u',  [PD_CELL_TICKS] = 't', [PD_CELL_BYTES] = 's',
        [PD_CELL_OID] = 'o', [PD_CELL_FLOAT] = 'f', [PD_CELL_NULL] = '0',
    };
    struct sbuf *out = ctx;

    for (unsigned i = 0; i < c->ninstance; i++)
        sbuf_addf(out, ".%" PRIu32, c->instance[i]);
    sbuf_addf(out, "%c", letters[c->type]);
    if (c->type == PD_CELL_INT)
        sbuf_addf(out, "%" PRId64, c->i);
    else if (c->type == PD_CELL_UINT || c->type == PD_CELL_TICKS)
        sbuf_addf(out, "%" PRIu64, c->u);
    else if (c->type == PD_CELL_FLOAT)
        sbuf_addf(out, "%g", c->f);
    else if (c->type == PD_CELL_BYTES)
        for (uint32_t i = 0; i < c->nbytes; i++)
            sbuf_addf(out, c->bytes[i] >= ' ' && c->bytes[i] < 0x7f ? "%c" : "<%02x>", c->bytes[i]);
    else if (c->type == PD_CELL_OID)
        for (uint32_t i = 0; i < c->nbytes; i++)
            sbuf_addf(out, ".%" PRIu32, c->oid[i]);
    sbuf_addc(out, ';');
}

static void check(const char *what, struct recording *r, const char *address, bool table, const char *want)
{
    struct sbuf out = {0};

    sbuf_add(&out, "");
    recording_feed(r, &(struct pd_source){.address = address, .table = table}, write_cell, &out);
    if (strcmp(out.s, want) != 0)
        fail_msg("%s: '%s' instead of '%s'", what, out.s, want);
    sbuf_free(&out);
}

/* A line each, of the object 1.3.5.0. */
static void test_values_are_read_as_they_are_written(void **state)
{
    static const struct {
        const char *line, *want; /* NULL: it makes no sense */
    } rows[] = {
        {"1.3.5.0|2|-7", "i-7;"},
        {"1.3.5.0|2|x", NULL},
        {"1.3.5.0|4|eth 0|1", "seth 0|1;"},
        {"1.3.5.0|4|", "s;"},
        {"1.3.5.0|4x|e68900", "s<e6><89><00>;"},
        {"1.3.5.0|4e|a\\n\\x41\\\\", "sa<0a>A\\;"},
        {"1.3.5.0|5|", "0;"},
        {"1.3.5.0|6|1.3.6.1", "o.1.3.6.1;"},
        {"1.3.5.0|6|.1.3.6.1", "o.1.3.6.1;"},
        {"1.3.5.0|64|192.0.2.1", "s<c0><00><02><01>;"},
        {"1.3.5.0|64x|c0000201", "s<c0><00><02><01>;"},
        {"1.3.5.0|65|4294967295", "u4294967295;"},
        {"1.3.5.0|70|18446744073709551615", "u18446744073709551615;"},
        {"1.3.5.0|67|123", "t123;"},
        {"1.3.5.0|68x|9f780441bc0000", "f23.5;"},
        {"1.3.5.0|68x|0102", "s<01><02>;"},
        {"1.3.5.0|128|", NULL},
        {"1.3.5.0|2:numeric|min=1", NULL},
        {"1.3.5.0", NULL},
        {"1.3..0|2|1", NULL},
        {".1.3.5.0 = INTEGER: 3", "i3;"},
        {".1.3.5.0 = INTEGER: up(1)", "i1;"},
        {".1.3.5.0 = INTEGER: -40 degrees", "i-40;"},
        {".1.3.5.0 = STRING: \"a \\\"b\\\" | c\"", "sa \"b\" | c;"},
        {".1.3.5.0 = STRING: bare", "sbare;"},
        {".1.3.5.0 = STRING: \"two\nlines\"", "stwo<0a>lines;"},
        {".1.3.5.0 = STRING: ", "s;"},
        {".1.3.5.0 = \"\"", "s;"},
        {".1.3.5.0 = Hex-STRING: E6 89 \n00 ", "s<e6><89><00>;"},
        {".1.3.5.0 = BITS: 80 00 x(0)", "s<80><00>;"},
        {".1.3.5.0 = Timeticks: (4711) 0:00:47.11", "t4711;"},
        {".1.3.5.0 = Counter64: 7", "u7;"},
        {".1.3.5.0 = Gauge32: 7 %", "u7;"},
        {".1.3.5.0 = OID: .1.3.6", "o.1.3.6;"},
        {".1.3.5.0 = IpAddress: 192.0.2.1", "s<c0><00><02><01>;"},
        {".1.3.5.0 = Network Address: C0:00:02:01", "s<c0><00><02><01>;"},
        {".1.3.5.0 = Opaque: Float: 23.5", "f23.5;"},
        {".1.3.5.0 = Wrong Type (should be INTEGER): STRING: \"5\"", "s5;"},
        {".1.3.5.0 = No Such Object available on this agent at this OID", ""},
        {".1.3.5.0 = Nonsense: 5", NULL},
        {"IF-MIB::ifIndex.1 = INTEGER: 1", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct recording *r = recording_new();
        size_t first = 0, wrong = recording_read(r, rows[i].line, strlen(rows[i].line), &first);

        if (wrong != (rows[i].want == NULL) || first != wrong)
            fail_msg("'%s': %zu lines are wrong", rows[i].line, wrong);
        check(rows[i].line, r, "1.3.5.0", false, rows[i].want ? rows[i].want : "");
        recording_free(r);
    }
}

static void test_a_column_has_its_rows_in_order(void **state)
{
    static const char text[] =
        "# comment\n1.3.6.2.10|2|10\r\n1.3.6.2.9|2|9\n\n1.3.6.20.1|2|0\n1.3.6.2.9|2|99\nnonsense\n"
        "1.3.6.2|2|5\n1.3.6.2.9.1|2|91";
    struct recording *r = recording_new();
    size_t first = 0;

    (void)state;
    assert_int_equal(recording_read(r, text, sizeof text - 1, &first), 1);
    assert_int_equal(first, 7);
    check("column", r, "1.3.6.2", true, ".9i9;.9.1i91;.10i10;");
    check("single value", r, "1.3.6.2", false, "i5;");
    check("nothing", r, "1.3.7", true, "");
    check("no address", r, "holding 5", true, "");
    assert_int_equal(recording_count(r), 5); /* the second of two is gone */
    recording_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_read_as_they_are_written),
        cmocka_unit_test(test_a_column_has_its_rows_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
