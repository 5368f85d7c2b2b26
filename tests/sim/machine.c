#include "machine.h"

#include <assert.h>

static bool prints(const struct machine *m)
{
    return model_prints(m->spec->model);
}

/* Sets every ramp to the pace of now: a machine that is off prints nothing. */
static void pace(struct machine *m, int64_t now_ms)
{
    int64_t all = m->on ? m->spec->pages_per_hour : 0;

    for (unsigned i = 0; i < m->nsupplies; i++) {
        struct supply *s = &m->supplies[i];
        int64_t pages = m->spec->pages_per_hour;

        if (s->toner < 0)
            continue;
        pages += m->drain[s->toner];
        all += m->on ? m->drain[s->toner] : 0;
        ramp_turn(&s->level, m->on ? -pages * s->capacity : 0, now_ms);
    }
    ramp_turn(&m->pages, all, now_ms);
    model_printer_show(m, now_ms);
}

void machine_init(struct machine *m, const struct story_device *spec, unsigned number)
{
    *m = (struct machine){.spec = spec, .number = number, .on = true};
    switch (spec->model) {
    case MODEL_PRINTER:
    case MODEL_COPIER:
        model_printer(m);
        pace(m, 0);
        break;
    case MODEL_SWITCH:
        model_switch(m);
        break;
    case MODEL_SERVER:
    case MODEL_COUNT:
        model_server(m);
        break;
    }
}

void machine_fini(struct machine *m)
{
    simdev_fini(&m->dev);
}

/* ---- Toner and pages ---- */

struct supply *machine_toner(struct machine *m, int toner)
{
    for (unsigned i = 0; i < m->nsupplies; i++)
        if (m->supplies[i].toner == toner)
            return &m->supplies[i];
    assert(!"a toner that the model has");
    return NULL;
}

bool supply_at_most(const struct supply *s, int percent, int64_t now_ms)
{
    return ramp_at(&s->level, now_ms) * 100 <= percent * s->capacity;
}

int64_t supply_reaches(const struct supply *s, int percent, int64_t now_ms)
{
    return ramp_reaches(&s->level, percent * s->capacity / 100, now_ms);
}

void machine_set_drain(struct machine *m, int toner, int64_t pages_per_hour, int64_t now_ms)
{
    m->drain[toner] = pages_per_hour;
    pace(m, now_ms);
}

void machine_refill(struct machine *m, int toner, int64_t now_ms)
{
    struct supply *s = machine_toner(m, toner);

    s->level.base = s->capacity * s->level.den;
    s->level.since = now_ms;
    pace(m, now_ms);
}

/* ---- Troubles ---- */

void machine_set_power(struct machine *m, bool on, int64_t now_ms)
{
    struct ramp uptime = {.base = 0, .num = 1, .den = 10, .since = now_ms};

    m->on = on;
    if (on)
        simdev_ramp(&m->dev, SNMP_TIMETICKS, &uptime, "1.3.6.1.2.1.1.3.0");
    if (prints(m))
        pace(m, now_ms);
}

void machine_set_jam(struct machine *m, bool on, int64_t now_ms)
{
    m->jam = on;
    model_printer_show(m, now_ms);
}

void machine_set_cover(struct machine *m, bool open, int64_t now_ms)
{
    m->cover = open;
    model_printer_show(m, now_ms);
}

void machine_set_service(struct machine *m, bool on, int64_t now_ms)
{
    m->service = on;
    model_printer_show(m, now_ms);
}
