#include "base/log.h"
#include "plugins/snmp/reading.h"

enum {
    V1_RETRIES = 1, /* of the one request that shows whether a silent device speaks version 1 */
    V1_PROOFS = 2,  /* reads in which only version 1 was answered before that is held to be so */
};

void snmp_version_heard(struct pd_read *r)
{
    struct pd_device *d = r->device;

    if (r->answered)
        return;
    if (r->peer.version != SNMP_V1) {
        d->knows_v2c = true;
        d->v1_proofs = 0;
    } else if (d->peer.version != SNMP_V1 && ++d->v1_proofs >= V1_PROOFS) {
        d->peer.version = SNMP_V1;
        log_about(LOG_LEVEL_INFO, "snmp", &(struct log_about){.device = d->peer.name},
                  "%s answers SNMP version 1 but not 2c: it is asked in version 1 from now on", d->peer.name);
    }
    r->peer.retries = d->peer.retries;
}

bool snmp_version_next(struct pd_read *r)
{
    struct pd_device *d = r->device;

    if (d->fixed_version || d->knows_v2c || r->peer.version == SNMP_V1)
        return false;
    r->peer.version = SNMP_V1;
    r->peer.retries = V1_RETRIES;
    return true;
}

void snmp_version_forget(struct pd_device *d)
{
    if (d->fixed_version || d->knows_v2c)
        return;
    d->peer.version = SNMP_V2C;
    d->v1_proofs = 0;
}
