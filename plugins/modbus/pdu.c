#include "plugins/modbus/pdu.h"

#include "base/err.h"
#include "base/wire.h"

enum { EXCEPTION_BIT = 0x80, MBAP_PROTOCOL = 0, MIN_FRAME_LENGTH = 3 /* unit, function, one byte */ };

size_t mb_data_size(const struct mb_ask *ask)
{
    return mb_is_bits(ask->function) ? (ask->count + 7u) / 8u : ask->count * 2u;
}

void mb_encode(const struct mb_ask *ask, uint8_t pdu[static MB_REQUEST_PDU])
{
    struct wire_out out = wire_out(pdu, MB_REQUEST_PDU);

    wire_put_u8(&out, ask->function);
    wire_put_u16be(&out, ask->address);
    wire_put_u16be(&out, ask->count);
}

enum mb_misfit mb_decode(const struct mb_ask *ask, const uint8_t *pdu, size_t n, struct mb_answer *out)
{
    struct wire_in in = wire_in(pdu, n);
    uint8_t function = wire_u8(&in), second = wire_u8(&in); /* an exception's code, or a number of bytes */

    if (in.bad)
        return MB_MISFIT_SHORT;
    if ((function & ~EXCEPTION_BIT) != ask->function)
        return MB_MISFIT_FUNCTION;
    if (function & EXCEPTION_BIT) {
        if (wire_left(&in) > 0 || second == 0)
            return MB_MISFIT_LENGTH;
        *out = (struct mb_answer){.exception = second};
        return MB_FITS;
    }
    if (second != wire_left(&in) || second != mb_data_size(ask))
        return MB_MISFIT_LENGTH;
    *out = (struct mb_answer){.data = in.p, .n = second};
    return MB_FITS;
}

const char *mb_misfit_text(enum mb_misfit misfit)
{
    switch (misfit) {
    case MB_FITS:
        return "fits";
    case MB_MISFIT_SHORT:
        return "is too short";
    case MB_MISFIT_FUNCTION:
        return "has another function code";
    case MB_MISFIT_LENGTH:
        return "has another length than was asked for";
    case MB_MISFIT_UNIT:
        return "comes from another unit";
    case MB_MISFIT_CHECKSUM:
        return "has a wrong check sum";
    case MB_MISFITS:
        break;
    }
    return "fits";
}

const char *mb_exception_text(uint8_t exception)
{
    static const char *const texts[] = {
        [MB_ILLEGAL_FUNCTION] = "illegal function",
        [MB_ILLEGAL_ADDRESS] = "illegal data address",
        [MB_ILLEGAL_VALUE] = "illegal data value",
        [MB_DEVICE_FAILURE] = "device failure",
        [MB_ACKNOWLEDGE] = "acknowledged, but not done yet",
        [MB_BUSY] = "device busy",
        [7] = "negative acknowledgement",
        [8] = "memory parity error",
        [MB_NO_PATH] = "the gateway has no path to the unit",
        [MB_NO_TARGET] = "the gateway got no answer from the unit",
    };

    if (exception >= sizeof texts / sizeof *texts || !texts[exception])
        return "unknown exception";
    return texts[exception];
}

void mb_frame_encode(uint16_t transaction, const struct mb_ask *ask, uint8_t frame[static MB_REQUEST_FRAME])
{
    struct wire_out out = wire_out(frame, MB_REQUEST_FRAME);

    wire_put_u16be(&out, transaction);
    wire_put_u16be(&out, MBAP_PROTOCOL);
    wire_put_u16be(&out, 1 + MB_REQUEST_PDU);
    wire_put_u8(&out, ask->unit);
    mb_encode(ask, out.p);
}

int mb_frame_decode(const uint8_t *p, size_t n, struct mb_frame *out)
{
    struct wire_in in = wire_in(p, n);
    struct mb_frame f = {.transaction = wire_u16be(&in)};
    uint16_t protocol = wire_u16be(&in), length = wire_u16be(&in);

    if (in.bad)
        return PD_EBUSY;
    if (protocol != MBAP_PROTOCOL || length < MIN_FRAME_LENGTH || length > 1 + MB_MAX_PDU)
        return PD_EPROTO;
    if (wire_left(&in) < length)
        return PD_EBUSY;
    f.unit = wire_u8(&in);
    f.pdu = in.p;
    f.npdu = length - 1u;
    f.size = (size_t)(in.p - p) + f.npdu;
    *out = f;
    return 0;
}

uint16_t mb_rtu_checksum(const uint8_t *p, size_t n)
{
    const uint16_t polynomial = 0xa001; /* x^16 + x^15 + x^2 + 1, lowest bit first */
    uint16_t sum = 0xffff;

    for (size_t i = 0; i < n; i++) {
        sum ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            sum = (uint16_t)(sum & 1 ? sum >> 1 ^ polynomial : sum >> 1);
    }
    return sum;
}

enum mb_misfit mb_rtu_decode(const struct mb_ask *ask, const uint8_t *frame, size_t n, struct mb_answer *out)
{
    uint16_t sum;

    if (n < MB_RTU_AROUND)
        return MB_MISFIT_SHORT;
    sum = mb_rtu_checksum(frame, n - 2);
    if (frame[n - 2] != (sum & 0xff) || frame[n - 1] != sum >> 8)
        return MB_MISFIT_CHECKSUM;
    if (frame[0] != ask->unit)
        return MB_MISFIT_UNIT;
    return mb_decode(ask, frame + 1, n - MB_RTU_AROUND, out);
}
