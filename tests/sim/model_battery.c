#include "models.h"

enum {
    MINUTE = 60000,
    FULL = 1000000, /* of struct machine's charge */
};

void model_battery(struct machine *m)
{
    m->load = 35;
    m->charge = (struct ramp){.den = (int64_t)UPS_RUNTIME_MIN * MINUTE, .max = FULL};
    m->charge.base = m->charge.den * FULL;
}

struct ramp model_charge_of(const struct machine *m, int64_t full)
{
    const struct ramp *c = &m->charge;

    return (struct ramp){
        .base = c->base * full, .num = c->num * full, .den = c->den * FULL, .since = c->since, .max = full};
}

bool model_battery_low(const struct machine *m, int64_t now_ms)
{
    const struct ramp minutes = model_charge_of(m, UPS_RUNTIME_MIN);

    return ramp_at(&minutes, now_ms) <= UPS_LOW_MIN;
}

int64_t model_battery_low_at(const struct machine *m, int64_t now_ms)
{
    const struct ramp minutes = model_charge_of(m, UPS_RUNTIME_MIN);

    return model_battery_low(m, now_ms) ? ramp_rises_to(&minutes, UPS_LOW_MIN + 1, now_ms)
                                        : ramp_reaches(&minutes, UPS_LOW_MIN, now_ms);
}
