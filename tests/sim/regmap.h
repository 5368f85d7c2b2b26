#ifndef PD_SIM_REGMAP_H
#define PD_SIM_REGMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "plugins/modbus/pdu.h"
#include "simdev.h"

/*
 * A simulated device as it answers over Modbus: registers and bits by space and address, as the maker's map gives
 * them. Values are kept as what they mean, and become words, high register first, when they are asked for.
 */
enum regform { REG_INT, REG_FLOAT, REG_TEXT };

struct reg {
    uint8_t function; /* enum mb_function: its space */
    uint16_t address, count;
    enum regform form;
    union {
        int64_t i; /* a bit: 0 or 1 */
        double f;
        char *text;
    };
    struct ramp ramp; /* of numbers; den 0: none */
    double unit;      /* of a float's ramp: what one step of it is */
};

struct regmap {
    ARRAY(struct reg) regs; /* by function and address, none over another */
};

void regmap_fini(struct regmap *m);

/* Each sets what lies at an address, adding it where there is nothing yet. */
void regmap_bit(struct regmap *m, enum mb_function space, uint16_t address, bool on);
/* An integer of 1, 2 or 4 registers; negative ones in two's complement. */
void regmap_int(struct regmap *m, enum mb_function space, uint16_t address, uint16_t registers, int64_t v);
void regmap_ramp(struct regmap *m, enum mb_function space, uint16_t address, uint16_t registers, const struct ramp *r);
/* IEEE 754, of 2 registers or 4. */
void regmap_float(struct regmap *m, enum mb_function space, uint16_t address, uint16_t registers, double v);
/* The same moving: a ramp's value times `unit`. */
void regmap_float_ramp(struct regmap *m, enum mb_function space, uint16_t address, uint16_t registers,
                       const struct ramp *r, double unit);
/* Two characters a register, the rest NUL. */
void regmap_text(struct regmap *m, enum mb_function space, uint16_t address, uint16_t registers, const char *text);

/*
 * What a device answers to a request (function code first): the answer's length. Anything else than reading what is
 * there is an exception, and so is a request that is none.
 */
size_t regmap_answer(const struct regmap *m, int64_t now_ms, const uint8_t *pdu, size_t n,
                     uint8_t out[static MB_MAX_PDU]);
/* An exception to it. */
size_t regmap_exception(const uint8_t *pdu, size_t n, enum mb_exception code, uint8_t out[static MB_MAX_PDU]);

#endif
