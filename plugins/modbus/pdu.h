#ifndef PD_MODBUS_PDU_H
#define PD_MODBUS_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Modbus messages: the four requests that read, their answers, and the frames that carry them
 * over TCP (MBAP: transaction, protocol 0, length, unit) and over serial buses (RTU: unit before, check
 * sum behind). All numbers on the wire are big-endian, but for the check sum.
 */

enum mb_function { MB_READ_COILS = 1, MB_READ_DISCRETE = 2, MB_READ_HOLDING = 3, MB_READ_INPUT = 4 };

enum {
    MB_MAX_REGISTERS = 125, /* of one request */
    MB_MAX_BITS = 2000,
    MB_MAX_DATA = 250, /* bytes in an answer */
    MB_MAX_PDU = 253,
    MB_REQUEST_PDU = 5,
    MB_FRAME_HEAD = 7,
    MB_REQUEST_FRAME = MB_FRAME_HEAD + MB_REQUEST_PDU,
    MB_MAX_FRAME = MB_FRAME_HEAD + MB_MAX_PDU,
    MB_RTU_AROUND = 3, /* bytes around a PDU on a serial bus */
};

/* Exception codes that mean more than "no". */
enum mb_exception {
    MB_ILLEGAL_FUNCTION = 1,
    MB_ILLEGAL_ADDRESS = 2,
    MB_ILLEGAL_VALUE = 3,
    MB_DEVICE_FAILURE = 4,
    MB_ACKNOWLEDGE = 5,
    MB_BUSY = 6,
    MB_NO_PATH = 10,   /* a gateway without a way to that unit */
    MB_NO_TARGET = 11, /* a gateway whose unit did not answer */
};

/* What one request asks for. */
struct mb_ask {
    uint8_t unit, function; /* enum mb_function */
    uint16_t address, count;
};

/* What came back. */
struct mb_answer {
    uint8_t exception;   /* 0: there is data */
    const uint8_t *data; /* registers as on the wire, or bits packed from the lowest on; borrowed */
    size_t n;            /* exactly what was asked for */
};

/* Why an answer does not count. */
enum mb_misfit {
    MB_FITS,
    MB_MISFIT_SHORT,
    MB_MISFIT_FUNCTION,
    MB_MISFIT_LENGTH,
    MB_MISFIT_UNIT,
    MB_MISFIT_CHECKSUM,
    MB_MISFITS,
};

static inline bool mb_is_bits(uint8_t function)
{
    return function == MB_READ_COILS || function == MB_READ_DISCRETE;
}

/* Bytes of data that answer the request. */
size_t mb_data_size(const struct mb_ask *ask);
void mb_encode(const struct mb_ask *ask, uint8_t pdu[static MB_REQUEST_PDU]);
/* Takes an answer (function code first) apart and holds it against what was asked. *out only where it fits. */
enum mb_misfit mb_decode(const struct mb_ask *ask, const uint8_t *pdu, size_t n, struct mb_answer *out);

/* "has another function code": goes on from "the answer". */
const char *mb_misfit_text(enum mb_misfit misfit);
/* "illegal data address"; never NULL. */
const char *mb_exception_text(uint8_t exception);

/* ---- Over TCP ---- */

struct mb_frame {
    uint16_t transaction;
    uint8_t unit;
    const uint8_t *pdu;
    size_t npdu, size; /* size: of the whole frame */
};

void mb_frame_encode(uint16_t transaction, const struct mb_ask *ask, uint8_t frame[static MB_REQUEST_FRAME]);
/*
 * The first frame of what was received: 0 and *out, PD_EBUSY where more bytes are needed, PD_EPROTO
 * if this is no frame; where the next one would begin is unknown then.
 */
int mb_frame_decode(const uint8_t *p, size_t n, struct mb_frame *out);

/* ---- On a serial bus ---- */

/* CRC-16 of the serial protocol; it is sent low byte first. */
uint16_t mb_rtu_checksum(const uint8_t *p, size_t n);
/* Takes a whole frame (unit, PDU, check sum) apart and holds it against what was asked, as mb_decode() does. */
enum mb_misfit mb_rtu_decode(const struct mb_ask *ask, const uint8_t *frame, size_t n, struct mb_answer *out);

#endif
