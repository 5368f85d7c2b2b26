#ifndef PD_SNMP_BOOTS_H
#define PD_SNMP_BOOTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "plugins/snmp/usm.h"

/*
 * Who we are where others must trust our clock: in informs of version 3 we are the authoritative engine. Its id stays
 * the same and its boots rise with every start, or messages of before could be sent again (RFC 3414, section 2.2). So
 * both stand in a file that no backup holds and no restore turns back:
 *
 *     engine 80000000051f…
 *     boots 17
 */
struct snmp_boots {
    uint8_t engine[USM_MAX_ENGINE];
    uint8_t nengine;
    int32_t boots;
};

/*
 * Reads the file, raises the boots, and has that on the disk before it returns. Where there is no file, or nothing that
 * makes sense in it, or the boots have reached their end, a new engine begins, with boots 1. An error of the disk: then
 * nothing may be authenticated as that engine.
 */
int snmp_boots_raise(const char *path, const struct pd_rng *rng, struct snmp_boots *out);

#endif
