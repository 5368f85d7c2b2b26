#include "gate.h"

#include <string.h>

#include "base/wire.h"

bool gate_is_up(struct site *site, const char *address)
{
    const struct machine *m = site_find(site, address);

    return m != NULL && model_is_modbus(m->spec->model) && machine_pings(m);
}

/* What the device, or the gateway before it, answers: the length of a PDU. */
static size_t answer(struct site *site, const char *address, int64_t now_ms, const struct mb_frame *f,
                     uint8_t out[static MB_MAX_PDU])
{
    const struct machine *m = site_find_unit(site, address, f->unit);

    if (m == NULL)
        return regmap_exception(f->pdu, f->npdu, MB_NO_PATH, out);
    if (machine_speaks(m))
        return regmap_answer(&m->regs, now_ms, f->pdu, f->npdu, out);
    return m->gateway ? regmap_exception(f->pdu, f->npdu, MB_NO_TARGET, out) : 0;
}

size_t gate_answer(struct site *site, const char *address, int64_t now_ms, const struct mb_frame *f,
                   uint8_t out[static MB_MAX_FRAME])
{
    struct wire_out head = wire_out(out, MB_FRAME_HEAD);
    uint8_t pdu[MB_MAX_PDU];
    size_t n = gate_is_up(site, address) ? answer(site, address, now_ms, f, pdu) : 0;

    if (n == 0)
        return 0;
    wire_put_u16be(&head, f->transaction);
    wire_put_u16be(&head, 0);
    wire_put_u16be(&head, (uint16_t)(n + 1));
    wire_put_u8(&head, f->unit);
    memcpy(out + MB_FRAME_HEAD, pdu, n);
    return MB_FRAME_HEAD + n;
}
