#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "plugins/modbus/pdu.h"

static void a_request_is_encoded(void **state)
{
    struct mb_ask ask = {.unit = 17, .function = MB_READ_INPUT, .address = 0x1234, .count = 125};
    static const uint8_t wanted[] = {0xab, 0xcd, 0, 0, 0, 6, 17, 4, 0x12, 0x34, 0, 125};
    uint8_t frame[MB_REQUEST_FRAME];

    (void)state;
    mb_frame_encode(0xabcd, &ask, frame);
    assert_memory_equal(frame, wanted, sizeof wanted);
}

/* Answers to a request for two holding registers or ten coils, each in a block of exactly its size. */
static void answers_are_held_against_the_request(void **state)
{
    static const struct {
        uint8_t function, pdu[16];
        size_t n;
        enum mb_misfit misfit;
        uint8_t exception;
    } rows[] = {
        {3, {3, 4, 1, 2, 3, 4}, 6, MB_FITS, 0},
        {3, {3, 4, 1, 2, 3, 4, 5}, 7, MB_MISFIT_LENGTH, 0},
        {3, {3, 4, 1, 2, 3}, 5, MB_MISFIT_LENGTH, 0},
        {3, {3, 2, 1, 2}, 4, MB_MISFIT_LENGTH, 0},
        {3, {3, 6, 1, 2, 3, 4, 5, 6}, 8, MB_MISFIT_LENGTH, 0},
        {3, {3, 5, 1, 2, 3, 4, 5}, 7, MB_MISFIT_LENGTH, 0},
        {3, {3, 255, 1, 2, 3, 4}, 6, MB_MISFIT_LENGTH, 0},
        {3, {3, 0}, 2, MB_MISFIT_LENGTH, 0},
        {3, {3}, 1, MB_MISFIT_SHORT, 0},
        {3, {0}, 0, MB_MISFIT_SHORT, 0},
        {3, {4, 4, 1, 2, 3, 4}, 6, MB_MISFIT_FUNCTION, 0},
        {3, {0x84, 2}, 2, MB_MISFIT_FUNCTION, 0},
        {3, {0x83, 2}, 2, MB_FITS, 2},
        {3, {0x83, 11}, 2, MB_FITS, 11},
        {3, {0x83, 0}, 2, MB_MISFIT_LENGTH, 0},
        {3, {0x83, 2, 0}, 3, MB_MISFIT_LENGTH, 0},
        {3, {0x83}, 1, MB_MISFIT_SHORT, 0},
        {1, {1, 2, 0xff, 3}, 4, MB_FITS, 0},
        {1, {1, 1, 0xff}, 3, MB_MISFIT_LENGTH, 0},
        {1, {1, 3, 0xff, 3, 0}, 5, MB_MISFIT_LENGTH, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mb_ask ask = {.function = rows[i].function, .count = rows[i].function == 3 ? 2 : 10};
        uint8_t *exact = xmalloc(rows[i].n ? rows[i].n : 1);
        struct mb_answer a = {0};
        enum mb_misfit misfit;

        memcpy(exact, rows[i].pdu, rows[i].n);
        misfit = mb_decode(&ask, exact, rows[i].n, &a);
        if (misfit != rows[i].misfit || a.exception != rows[i].exception)
            fail_msg("row %zu: the answer %s, exception %d", i, mb_misfit_text(misfit), a.exception);
        if (misfit == MB_FITS && !a.exception && (a.data != exact + 2 || a.n != rows[i].n - 2))
            fail_msg("row %zu: data", i);
        free(exact);
    }
}

static void frames_are_told_apart(void **state)
{
    static const struct {
        uint8_t bytes[12];
        size_t n;
        int rc;
        size_t size;
    } rows[] = {
        {{0}, 0, PD_EBUSY, 0},
        {{1, 2, 0, 0, 0}, 5, PD_EBUSY, 0},
        {{1, 2, 0, 0, 0, 3}, 6, PD_EBUSY, 0},
        {{1, 2, 0, 0, 0, 3, 9, 0x83}, 8, PD_EBUSY, 0},
        {{1, 2, 0, 0, 0, 3, 9, 0x83, 2}, 9, 0, 9},
        {{1, 2, 0, 0, 0, 3, 9, 0x83, 2, 7, 7}, 11, 0, 9},
        {{1, 2, 0, 1, 0, 3, 9, 0x83, 2}, 9, PD_EPROTO, 0}, /* another protocol */
        {{1, 2, 1, 0, 0, 3}, 6, PD_EPROTO, 0},             /* known before the rest has come */
        {{1, 2, 0, 0, 0, 2, 9, 0x83}, 8, PD_EPROTO, 0},    /* no room for a PDU */
        {{1, 2, 0, 0, 0, 0}, 6, PD_EPROTO, 0},
        {{1, 2, 0, 0, 0, 254, 9}, 7, PD_EBUSY, 0},
        {{1, 2, 0, 0, 0, 255, 9}, 7, PD_EPROTO, 0}, /* longer than any */
        {{1, 2, 0, 0, 1, 0, 9}, 7, PD_EPROTO, 0},
        {{'H', 'T', 'T', 'P', '/', '1'}, 6, PD_EPROTO, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *exact = xmalloc(rows[i].n ? rows[i].n : 1);
        struct mb_frame f = {0};
        int rc;

        memcpy(exact, rows[i].bytes, rows[i].n);
        rc = mb_frame_decode(exact, rows[i].n, &f);
        if (rc != rows[i].rc || f.size != rows[i].size)
            fail_msg("row %zu: %d, %zu bytes", i, rc, f.size);
        if (rc == 0 && (f.transaction != 0x0102 || f.unit != 9 || f.npdu != 2 || f.pdu != exact + 7))
            fail_msg("row %zu: what is in it", i);
        free(exact);
    }
}

static void exceptions_have_names(void **state)
{
    (void)state;
    assert_string_equal(mb_exception_text(2), "illegal data address");
    assert_string_equal(mb_exception_text(11), "the gateway got no answer from the unit");
    assert_string_equal(mb_exception_text(9), "unknown exception");
    assert_string_equal(mb_exception_text(0), "unknown exception");
    assert_string_equal(mb_exception_text(255), "unknown exception");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_encoded),
        cmocka_unit_test(answers_are_held_against_the_request),
        cmocka_unit_test(frames_are_told_apart),
        cmocka_unit_test(exceptions_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
