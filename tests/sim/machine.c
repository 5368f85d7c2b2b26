#include "machine.h"

#include <assert.h>
#include <stdio.h>

#include "models.h"

enum { HOUR = 3600000, FULL = 1000000, CHARGE_HOURS = 4 };

/* How each model is built, and what it shows anew; NULL: nothing. */
static const struct {
    void (*build)(struct machine *m);
    void (*show)(struct machine *m, int64_t now_ms);
} models[MODEL_COUNT] = {
    [MODEL_PRINTER] = {model_printer, model_printer_show},
    [MODEL_COPIER] = {model_printer, model_printer_show},
    [MODEL_SWITCH] = {model_switch, NULL},
    [MODEL_SERVER] = {model_server, model_load_show},
    [MODEL_UPS] = {model_ups, model_ups_show},
    [MODEL_SENSOR] = {model_sensor, model_sensor_show},
    [MODEL_MODBUS_UPS] = {model_modbus_ups, model_modbus_ups_show},
    [MODEL_METER] = {model_meter, model_meter_show},
    [MODEL_MODBUS_SENSOR] = {model_modbus_sensor, model_modbus_sensor_show},
    [MODEL_AIR_CONDITIONER] = {model_air_conditioner, model_air_conditioner_show},
};

/* ---- The pace of what moves by itself: a machine that is off stands still ---- */

static void pace_printer(struct machine *m, int64_t now_ms)
{
    bool works = m->on && m->sleep == SLEEP_NONE;
    int64_t all = works ? m->spec->pages_per_hour : 0;

    for (unsigned i = 0; i < m->nsupplies; i++) {
        struct supply *s = &m->supplies[i];
        int64_t pages = m->spec->pages_per_hour;

        if (s->toner < 0)
            continue;
        pages += m->drain[s->toner];
        all += works ? m->drain[s->toner] : 0;
        ramp_turn(&s->level, works ? -pages * s->capacity : 0, now_ms);
    }
    ramp_turn(&m->pages, all, now_ms);
    ramp_turn(&m->printed, all, now_ms);
}

static void pace_disks(struct machine *m, int64_t now_ms)
{
    for (unsigned i = 0; i < m->ndisks; i++) {
        ramp_turn(&m->disks[i].used, m->on ? m->disks[i].fill : 0, now_ms);
        model_disk_show(m, &m->disks[i]);
    }
}

static void pace(struct machine *m, int64_t now_ms)
{
    if (model_prints(m->spec->model))
        pace_printer(m, now_ms);
    pace_disks(m, now_ms);
    for (unsigned i = 0; i < m->nports; i++)
        model_port_show(m, &m->ports[i], now_ms);
    machine_show(m, now_ms);
}

/* Charged within some hours, empty after UPS_RUNTIME_MIN. */
static void pace_battery(struct machine *m, int64_t now_ms)
{
    ramp_turn(&m->charge, m->on_battery ? -FULL : FULL / (CHARGE_HOURS * 60) * UPS_RUNTIME_MIN, now_ms);
    machine_show(m, now_ms);
}

/* ---- The machine ---- */

void machine_init(struct machine *m, const struct story_device *spec, unsigned number)
{
    *m = (struct machine){.spec = spec, .number = number, .on = true, .cpu = -1, .memory = -1};
    if (spec->address != NULL)
        machine_set_address(m, spec->address);
    models[spec->model].build(m);
    pace(m, 0);
}

void machine_fini(struct machine *m)
{
    simdev_fini(&m->dev);
    regmap_fini(&m->regs);
}

void machine_show(struct machine *m, int64_t now_ms)
{
    if (models[m->spec->model].show != NULL)
        models[m->spec->model].show(m, now_ms);
}

int64_t machine_next_show(const struct machine *m, int64_t now_ms)
{
    static const int lamps[] = {5, 0}; /* toner low, toner empty */
    int64_t first = m->charge.den > 0 ? model_battery_low_at(m, now_ms) : INT64_MAX;

    for (unsigned i = 0; i < m->nsupplies; i++) {
        for (size_t k = 0; m->supplies[i].toner >= 0 && k < sizeof lamps / sizeof lamps[0]; k++) {
            int64_t at = supply_at_most(&m->supplies[i], lamps[k], now_ms)
                             ? INT64_MAX
                             : supply_reaches(&m->supplies[i], lamps[k], now_ms);

            first = at < first ? at : first;
        }
    }
    return first;
}

bool machine_pings(const struct machine *m)
{
    return !m->cut_off && (m->gateway || (m->on && m->sleep != SLEEP_DEEP));
}

bool machine_speaks(const struct machine *m)
{
    return machine_pings(m) && m->on && m->sleep != SLEEP_DEEP && !m->snmp_silent;
}

/* ---- What befalls any machine ---- */

static void start_again(struct machine *m, int64_t now_ms)
{
    m->uptime = (struct ramp){.num = 1, .den = 10, .since = now_ms};
    m->boots++;
    if (m->dev.vars.n > 0)
        model_restart_show(m);
    model_ports_restart(m, now_ms);
}

void machine_set_power(struct machine *m, bool on, int64_t now_ms)
{
    bool starts = on && !m->on;

    m->on = on;
    if (starts)
        start_again(m, now_ms);
    pace(m, now_ms);
}

void machine_restart(struct machine *m, int64_t now_ms)
{
    start_again(m, now_ms);
    pace(m, now_ms);
}

void machine_renumber(struct machine *m, int64_t now_ms)
{
    m->renumbered++;
    model_ports_renumber(m, now_ms);
    if (m->ndisks > 0)
        model_disks_renumber(m);
    if (m->nprobes > 0)
        model_probes_renumber(m);
    machine_restart(m, now_ms);
}

void machine_set_cut_off(struct machine *m, bool cut_off)
{
    m->cut_off = cut_off;
}

void machine_set_snmp_silent(struct machine *m, bool silent)
{
    m->snmp_silent = silent;
}

void machine_set_asleep(struct machine *m, enum sleep sleep, int64_t now_ms)
{
    m->sleep = sleep;
    pace(m, now_ms);
}

void machine_set_address(struct machine *m, const char *address)
{
    snprintf(m->address, sizeof m->address, "%s", address);
}

/* ---- Printers ---- */

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

static void start_pages(struct machine *m, int64_t pages, int64_t now_ms)
{
    m->recounts++;
    m->pages.base = pages * m->pages.den;
    m->pages.since = now_ms;
    machine_restart(m, now_ms);
}

void machine_swap(struct machine *m, int64_t now_ms)
{
    m->hardware++;
    m->boots += 100; /* its own count */
    model_identity_show(m, now_ms);
    for (int toner = 0; model_toners(m->spec->model)[toner] != NULL; toner++)
        machine_refill(m, toner, now_ms);
    start_pages(m, m->hardware % 2 ? 61207 : 12, now_ms); /* used before; printed at the factory */
}

void machine_reset_pages(struct machine *m, int64_t now_ms)
{
    start_pages(m, 0, now_ms);
}

void machine_set_jam(struct machine *m, bool on, int64_t now_ms)
{
    m->jam = on;
    machine_show(m, now_ms);
}

void machine_set_cover(struct machine *m, bool open, int64_t now_ms)
{
    m->cover = open;
    machine_show(m, now_ms);
}

void machine_set_service(struct machine *m, bool on, int64_t now_ms)
{
    m->service = on;
    machine_show(m, now_ms);
}

/* ---- Ports ---- */

const struct port *machine_port(const struct machine *m, unsigned port)
{
    assert(port >= 1 && port <= m->nports);
    return &m->ports[port - 1];
}

void machine_set_link(struct machine *m, unsigned port, bool up, int64_t now_ms)
{
    struct port *p = &m->ports[port - 1];

    p->up = up;
    simdev_uint(&m->dev, SNMP_TIMETICKS, (uint64_t)ramp_at(&m->uptime, now_ms), "1.3.6.1.2.1.2.2.1.9.%u", p->index);
    model_port_show(m, p, now_ms);
    if (m->spec->model == MODEL_SWITCH)
        model_neighbour_show(m, port);
}

void machine_set_neighbour(struct machine *m, unsigned port, const char *name)
{
    m->ports[port - 1].neighbour = name;
    m->ports[port - 1].phone = false;
    model_neighbour_show(m, port);
}

void machine_set_errors(struct machine *m, unsigned port, int64_t per_mille, int64_t now_ms)
{
    m->ports[port - 1].damaged = per_mille;
    model_port_show(m, &m->ports[port - 1], now_ms);
}

/* ---- Servers ---- */

void machine_set_disk(struct machine *m, unsigned disk, int percent, int64_t now_ms)
{
    struct disk *d = &m->disks[disk];
    int64_t used = (d->size * percent + 99) / 100;

    d->fill = 0;
    d->used = (struct ramp){.base = used * HOUR, .den = HOUR, .since = now_ms, .max = d->size};
    model_disk_show(m, d);
}

void machine_set_fill(struct machine *m, unsigned disk, int percent_a_day, int64_t now_ms)
{
    m->disks[disk].fill = m->disks[disk].size * percent_a_day / 2400;
    pace_disks(m, now_ms);
}

/* Units that make so many %: a part of a unit does not count. */
static int64_t disk_mark(const struct disk *d, int percent)
{
    return (d->size * percent + 99) / 100;
}

bool disk_at_least(const struct disk *d, int percent, int64_t now_ms)
{
    return ramp_at(&d->used, now_ms) >= disk_mark(d, percent);
}

int64_t disk_reaches(const struct disk *d, int percent, int64_t now_ms)
{
    return ramp_rises_to(&d->used, disk_mark(d, percent), now_ms);
}

int64_t disk_falls_below(const struct disk *d, int percent, int64_t now_ms)
{
    return ramp_reaches(&d->used, disk_mark(d, percent) - 1, now_ms);
}

void machine_set_cpu(struct machine *m, int percent, int64_t now_ms)
{
    m->cpu = percent;
    machine_show(m, now_ms);
}

void machine_set_memory(struct machine *m, int percent, int64_t now_ms)
{
    m->memory = percent;
    machine_show(m, now_ms);
}

/* ---- Uninterruptible power supplies ---- */

void machine_set_battery(struct machine *m, bool on_battery, int64_t now_ms)
{
    m->outages += on_battery && !m->on_battery;
    m->on_battery = on_battery;
    m->battery_since_ms = now_ms;
    pace_battery(m, now_ms);
}

void machine_set_charge(struct machine *m, int percent, int64_t now_ms)
{
    m->charge.base = percent * (int64_t)(FULL / 100) * m->charge.den;
    m->charge.since = now_ms;
    pace_battery(m, now_ms);
}

int machine_charge(const struct machine *m, int64_t now_ms)
{
    const struct ramp percent = model_charge_of(m, 100);

    return (int)ramp_at(&percent, now_ms);
}

int64_t machine_charge_reaches(const struct machine *m, int percent, int64_t now_ms)
{
    const struct ramp left = model_charge_of(m, 100);

    return ramp_reaches(&left, percent, now_ms);
}

void machine_set_replace_battery(struct machine *m, bool worn, int64_t now_ms)
{
    m->replace_battery = worn;
    machine_show(m, now_ms);
}

void machine_set_load(struct machine *m, int percent, int64_t now_ms)
{
    m->load = percent;
    machine_show(m, now_ms);
}

/* ---- Sensors and air conditioners ---- */

static void set_probe(struct machine *m, bool humidity, int64_t tenths, int64_t now_ms)
{
    for (unsigned i = 0; i < m->nprobes; i++) {
        if (m->probes[i].humidity == humidity) {
            m->probes[i].tenths = tenths;
            break;
        }
    }
    machine_show(m, now_ms);
}

void machine_set_temperature(struct machine *m, int64_t tenths, int64_t now_ms)
{
    set_probe(m, false, tenths, now_ms);
}

void machine_set_humidity(struct machine *m, int64_t tenths, int64_t now_ms)
{
    set_probe(m, true, tenths, now_ms);
}

void machine_set_cooling_alarm(struct machine *m, bool alarm, int64_t now_ms)
{
    m->cooling_alarm = alarm;
    machine_show(m, now_ms);
}
