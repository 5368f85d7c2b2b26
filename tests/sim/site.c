#include "site.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* What was told of a machine last, and what of its past decides what is true. */
struct told {
    bool there[TRUTH_RULES][TRUTH_PIECES];
    bool blind, hidden;
    unsigned boots;
    unsigned quiet[TRUTH_RULES];                 /* happenings with expectations of their own */
    bool moved, swapped, in_repair, fell_asleep; /* fell_asleep: before it was switched off */
    bool said_asleep;
    int64_t asleep_ms, wakes_ms;          /* when it sleeps so deeply that it no longer answers; INT64_MAX: never */
    int64_t pace[2][TRUTH_PIECES];        /* of toners and disks: how fast they move */
    int64_t steady_ms[2][TRUTH_PIECES];   /* and since when */
    int64_t possible_ms[2][TRUTH_PIECES]; /* since when a forecast is possible; -1: it is not */
    bool filling[MACHINE_DISKS];
};

enum { TONERS, DISKS };

struct site {
    const struct story *story;
    struct site_ops ops;
    struct machine *machines;
    struct told *told;
    size_t next; /* happening that has not begun */
    ARRAY(const struct happening *) running;
    int64_t next_mark; /* the next time that something reaches a level */
    double loss;       /* %, on all machines */
};

/* ---- Forecasts ---- */

/* How fast a toner or disk goes, in units of its ramp a ms. */
static int64_t pace_of(const struct machine *m, int of, unsigned piece)
{
    if (of == DISKS)
        return m->on ? m->disks[piece].fill : 0;
    return m->supplies[piece].level.num;
}

/* % that change in a day. */
static double percent_a_day(const struct machine *m, int of, unsigned piece)
{
    if (of == DISKS)
        return 24.0 * (double)pace_of(m, DISKS, piece) / (double)m->disks[piece].size * 100;
    return (double)-m->supplies[piece].level.num / (double)m->supplies[piece].level.den * DAY /
           (double)m->supplies[piece].capacity * 100;
}

static double percent_left(const struct machine *m, int of, unsigned piece, int64_t now_ms)
{
    const struct supply *s = &m->supplies[piece];

    if (of == DISKS)
        return 100 - 100.0 * (double)ramp_at(&m->disks[piece].used, now_ms) / (double)m->disks[piece].size;
    return 100.0 * (double)ramp_at(&s->level, now_ms) / (double)s->capacity;
}

/* A forecast looks so far ahead, and so far back. */
static int64_t ahead_ms(int of)
{
    return (of == DISKS ? 14 : 7) * (int64_t)DAY;
}

static int64_t back_ms(int of)
{
    return (of == DISKS ? 7 : 14) * (int64_t)DAY;
}

static int64_t ends_in_ms(const struct machine *m, int of, unsigned piece, int64_t now_ms)
{
    double a_day = percent_a_day(m, of, piece);

    return a_day > 0 ? (int64_t)(percent_left(m, of, piece, now_ms) / a_day * DAY) : INT64_MAX;
}

/* It went so steadily for as long as patrold looks back, and will reach its end within the time that it looks ahead. */
static bool foreseen(const struct site *s, const struct machine *m, int of, unsigned piece, int64_t now_ms)
{
    const struct told *t = &s->told[m->number];
    double left = percent_left(m, of, piece, now_ms);

    return percent_a_day(m, of, piece) > 0 && now_ms - t->steady_ms[of][piece] >= back_ms(of) + HOUR &&
           ends_in_ms(m, of, piece, now_ms) <= ahead_ms(of) && left > (of == DISKS ? 0.5 : 10);
}

/* It moves in a way that a shorter look back, or one at more than its last pace, might make a forecast of. */
static bool foreseeable(const struct site *s, const struct machine *m, int of, unsigned piece, int64_t now_ms)
{
    int64_t in = ends_in_ms(m, of, piece, now_ms);

    if (of == DISKS && s->told[m->number].filling[piece])
        return true;
    return in != INT64_MAX && in <= ahead_ms(of) + ahead_ms(of) / 7;
}

/* ---- What is true ---- */

/* Whether another switch tells of itself at the end of a port, or a person said that it must be up. */
static bool is_uplink(const struct story_device *d, unsigned port)
{
    return d->uplink == port || d->neighbour == port;
}

/* A level above which something becomes true, and below which it is over. */
static bool above(int64_t is, bool was, int64_t fires, int64_t clears)
{
    return was ? is >= clears : is > fires;
}

static int64_t probe(const struct machine *m, bool humidity)
{
    for (unsigned i = 0; i < m->nprobes; i++)
        if (m->probes[i].humidity == humidity)
            return m->probes[i].tenths;
    return humidity ? 400 : 200;
}

/* It does not answer, and that is its own fault: not that of what it is reached by. */
static bool is_gone(const struct site *s, const struct machine *m)
{
    const struct told *t = &s->told[m->number];
    const struct machine *parent = m->spec->parent >= 0 ? &s->machines[m->spec->parent] : NULL;
    bool cable =
        parent != NULL && m->spec->port > 0 && parent->on && !parent->cut_off && !parent->ports[m->spec->port - 1].up;

    if (m->spec->may_be_off || t->in_repair || (m->on ? m->sleep == SLEEP_DEEP : t->fell_asleep))
        return false;
    /* Of a unit behind a gateway nobody can say more than that it does not answer. */
    return !m->on || t->moved || cable || (m->gateway && m->snmp_silent);
}

/* Another machine with the same serial number, while neither was swapped. */
static bool has_twin(const struct site *s, const struct machine *m)
{
    for (size_t i = 0; i < s->story->devices.n; i++)
        if (s->story->devices.v[i].serial_of == (int)m->number)
            return true;
    return m->spec->serial_of >= 0;
}

static bool there_of_device(const struct site *s, const struct machine *m, int rule, bool was)
{
    switch (rule) {
    case TRUTH_SNMP_SILENT:
        return m->snmp_silent && !m->gateway && machine_pings(m) && m->sleep == SLEEP_NONE &&
               !s->told[m->number].moved && !s->told[m->number].in_repair && !m->spec->may_be_off;
    case TRUTH_UNREACHABLE:
        return is_gone(s, m);
    case TRUTH_JAM:
        return m->jam;
    case TRUTH_COVER_OPEN:
        return m->cover;
    case TRUTH_SERVICE:
        return m->service;
    case TRUTH_CPU_HIGH:
        return m->cpu >= 90;
    case TRUTH_MEMORY_HIGH:
        return m->memory >= 95;
    case TRUTH_ON_BATTERY:
        return m->on_battery;
    case TRUTH_BATTERY_REPLACE:
        return m->replace_battery;
    case TRUTH_UPS_OVERLOAD:
        return above(m->load, was, 90, 80);
    case TRUTH_TEMPERATURE_HIGH:
        return above(probe(m, false), was, 300, 280);
    case TRUTH_TEMPERATURE_VERY_HIGH:
        return above(probe(m, false), was, 350, 330);
    case TRUTH_HUMIDITY_HIGH:
        return above(probe(m, true), was, 750, 700);
    case TRUTH_HUMIDITY_LOW:
        return above(-probe(m, true), was, -200, -250);
    case TRUTH_COOLING_ALARM:
        return m->cooling_alarm;
    case TRUTH_SWAPPED:
        return s->told[m->number].swapped;
    case TRUTH_CONFLICT:
        return has_twin(s, m);
    default:
        return false;
    }
}

/* Toner: low at 10 % until above 15, empty at 1 % until above 5. Disks: at 90 % until below 87, at 97 until below 95. */
static bool there(const struct site *s, const struct machine *m, int rule, unsigned piece, bool was, int64_t now_ms)
{
    const struct port *p = &m->ports[piece];

    switch (rule) {
    case TRUTH_SUPPLY_LOW:
        return supply_at_most(&m->supplies[piece], was ? 15 : 10, now_ms);
    case TRUTH_SUPPLY_EMPTY:
        return supply_at_most(&m->supplies[piece], was ? 5 : 1, now_ms);
    case TRUTH_SUPPLY_FORECAST:
        return foreseen(s, m, TONERS, piece, now_ms);
    case TRUTH_UPLINK_DOWN:
        return is_uplink(m->spec, piece + 1) && !p->up;
    case TRUTH_PORT_ERRORS:
        return p->up && p->damaged >= 20 && p->bytes_per_s > 0;
    case TRUTH_DISK_LOW:
        return disk_at_least(&m->disks[piece], was ? 87 : 90, now_ms);
    case TRUTH_DISK_FULL:
        return disk_at_least(&m->disks[piece], was ? 95 : 97, now_ms);
    case TRUTH_DISK_FORECAST:
        return foreseen(s, m, DISKS, piece, now_ms);
    case TRUTH_BATTERY_LOW:
        return m->on_battery && machine_charge(m, now_ms) < 20;
    default:
        return there_of_device(s, m, rule, was);
    }
}

/* How many pieces of a machine a rule may speak of. */
static unsigned pieces(const struct machine *m, int rule)
{
    switch (truth_mildest((enum truth_rule_id)rule)) {
    case TRUTH_SUPPLY_FORECAST:
        return m->nsupplies;
    case TRUTH_UPLINK_DOWN:
    case TRUTH_PORT_ERRORS:
        return m->spec->model == MODEL_SWITCH || m->spec->model == MODEL_SERVER ? m->nports : 0;
    case TRUTH_DISK_FORECAST:
        return m->ndisks;
    case TRUTH_TEMPERATURE_HIGH:
    case TRUTH_HUMIDITY_HIGH:
    case TRUTH_HUMIDITY_LOW:
        return m->nprobes > 0;
    default:
        return 1;
    }
}

/* A request is lost when all its tries are, each on one of its two ways. */
static bool is_blind(const struct site *s, const struct machine *m)
{
    double once = 1 - pow(1 - site_loss(s, m) / 100, 2);

    return pow(once, (double)s->story->configuration.retries + 1) > s->ops.blind_chance;
}

/* A piece's number in the story: of supplies, that of its toner; -1: none. */
static int piece_number(const struct machine *m, int rule, unsigned piece)
{
    if (!truth_in_pieces((enum truth_rule_id)rule))
        return -1;
    return truth_mildest((enum truth_rule_id)rule) == TRUTH_SUPPLY_FORECAST ? m->supplies[piece].toner : (int)piece;
}

static void look_at_rule(struct site *s, const struct machine *m, int rule, unsigned piece, int64_t now_ms)
{
    struct told *t = &s->told[m->number];
    bool *was = &t->there[rule][piece], is;

    if (truth_in_pieces((enum truth_rule_id)rule) && piece_number(m, rule, piece) < 0)
        return;
    /* What a happening's own expectations replace is not told of. */
    is = t->quiet[rule] == 0 && there(s, m, rule, piece, *was, now_ms);
    if (is != *was && s->ops.truths != NULL)
        truth_there(s->ops.truths, m->number, (enum truth_rule_id)rule, piece_number(m, rule, piece), is, now_ms);
    *was = is;
}

/* How long after it moved last a forecast of it may still be made. */
static void end_possible(struct site *s, const struct machine *m, int of, unsigned piece, int64_t now_ms)
{
    struct told *t = &s->told[m->number];
    enum truth_rule_id rule = of == DISKS ? TRUTH_DISK_FORECAST : TRUTH_SUPPLY_FORECAST;
    int64_t tail = of == DISKS ? back_ms(DISKS) : 0;

    if (t->possible_ms[of][piece] >= 0 && s->ops.truths != NULL)
        truth_possible(s->ops.truths, m->number, rule, piece_number(m, (int)rule, piece), t->possible_ms[of][piece],
                       now_ms + tail);
    t->possible_ms[of][piece] = -1;
}

static void look_at_pace(struct site *s, const struct machine *m, int of, unsigned piece, int64_t now_ms)
{
    struct told *t = &s->told[m->number];
    bool possible;

    if (pace_of(m, of, piece) != t->pace[of][piece]) {
        t->pace[of][piece] = pace_of(m, of, piece);
        t->steady_ms[of][piece] = now_ms;
    }
    possible = foreseeable(s, m, of, piece, now_ms);
    if (possible && t->possible_ms[of][piece] < 0)
        t->possible_ms[of][piece] = now_ms;
    else if (!possible)
        end_possible(s, m, of, piece, now_ms);
}

static void look_at_answers(struct site *s, const struct machine *m, int64_t now_ms)
{
    struct told *t = &s->told[m->number];
    bool blind = is_blind(s, m), hidden = !machine_speaks(m) || t->moved;

    if (s->ops.truths == NULL)
        return;
    if (blind != t->blind)
        truth_blind(s->ops.truths, m->number, blind, now_ms);
    if (hidden != t->hidden)
        truth_hidden(s->ops.truths, m->number, hidden, now_ms);
    if (m->boots != t->boots && !model_is_modbus(m->spec->model))
        truth_restarted(s->ops.truths, m->number, now_ms);
    t->blind = blind;
    t->hidden = hidden;
    t->boots = m->boots;
}

static void look(struct site *s, struct machine *m, int64_t now_ms)
{
    for (unsigned i = 0; i < m->nsupplies; i++)
        if (m->supplies[i].toner >= 0)
            look_at_pace(s, m, TONERS, i, now_ms);
    for (unsigned i = 0; i < m->ndisks; i++)
        look_at_pace(s, m, DISKS, i, now_ms);
    look_at_answers(s, m, now_ms);
    for (int rule = 0; rule < TRUTH_RULES; rule++)
        for (unsigned i = 0; i < pieces(m, rule); i++)
            look_at_rule(s, m, rule, i, now_ms);
}

/* ---- When something reaches a level ---- */

static void mark(struct site *s, int64_t at_ms, int64_t now_ms)
{
    if (at_ms > now_ms && at_ms < s->next_mark)
        s->next_mark = at_ms;
}

static void mark_forecast(struct site *s, const struct machine *m, int of, unsigned piece, int64_t now_ms)
{
    int64_t in = ends_in_ms(m, of, piece, now_ms);

    if (in == INT64_MAX)
        return;
    mark(s, s->told[m->number].steady_ms[of][piece] + back_ms(of) + HOUR, now_ms);
    mark(s, now_ms + in - ahead_ms(of) + SECOND, now_ms);
    mark(s, now_ms + in - ahead_ms(of) - ahead_ms(of) / 7 + SECOND, now_ms);
}

static void mark_machine(struct site *s, const struct machine *m, int64_t now_ms)
{
    static const int toner_marks[] = {10, 1}, rising[] = {90, 97}, falling[] = {95, 87};

    mark(s, machine_next_show(m, now_ms), now_ms);
    for (unsigned k = 0; k < m->nsupplies; k++) {
        if (m->supplies[k].toner < 0)
            continue;
        mark_forecast(s, m, TONERS, k, now_ms);
        for (size_t j = 0; j < sizeof toner_marks / sizeof toner_marks[0]; j++)
            mark(s, supply_reaches(&m->supplies[k], toner_marks[j], now_ms), now_ms);
    }
    for (unsigned k = 0; k < m->ndisks; k++) {
        mark_forecast(s, m, DISKS, k, now_ms);
        for (size_t j = 0; j < sizeof rising / sizeof rising[0]; j++) {
            mark(s, disk_reaches(&m->disks[k], rising[j], now_ms), now_ms);
            mark(s, disk_falls_below(&m->disks[k], falling[j], now_ms), now_ms);
        }
    }
    if (m->on_battery)
        mark(s, machine_charge_reaches(m, 19, now_ms), now_ms);
    mark(s, s->told[m->number].asleep_ms, now_ms);
}

static void look_for_marks(struct site *s, int64_t now_ms)
{
    s->next_mark = INT64_MAX;
    for (size_t i = 0; i < s->story->devices.n; i++)
        mark_machine(s, &s->machines[i], now_ms);
}

/* ---- What happens ---- */

/* The rules that a happening's own expectations replace: those of these families. */
static const int hushed[HAPPENS_COUNT][3] = {
    [HAPPENS_JAM] = {TRUTH_JAM, -1},
    [HAPPENS_COVER_OPEN] = {TRUTH_COVER_OPEN, -1},
    [HAPPENS_SERVICE] = {TRUTH_SERVICE, -1},
    [HAPPENS_TONER_DRAIN] = {TRUTH_SUPPLY_LOW, TRUTH_SUPPLY_EMPTY, -1},
    [HAPPENS_DEVICE_OFF] = {TRUTH_UNREACHABLE, -1},
    [HAPPENS_RESTART] = {-1},
    [HAPPENS_ASLEEP] = {-1},
    [HAPPENS_SNMP_SILENT] = {TRUTH_SNMP_SILENT, -1},
    [HAPPENS_ADDRESS_MOVED] = {TRUTH_UNREACHABLE, -1},
    [HAPPENS_IN_REPAIR] = {-1},
    [HAPPENS_LINK_DOWN] = {TRUTH_UPLINK_DOWN, -1},
    [HAPPENS_ERRORS] = {TRUTH_PORT_ERRORS, -1},
    [HAPPENS_DISK_FILLING] = {TRUTH_DISK_LOW, TRUTH_DISK_FULL, -1},
    [HAPPENS_CPU] = {TRUTH_CPU_HIGH, -1},
    [HAPPENS_MEMORY] = {TRUTH_MEMORY_HIGH, -1},
    [HAPPENS_ON_BATTERY] = {TRUTH_ON_BATTERY, TRUTH_BATTERY_LOW, -1},
    [HAPPENS_REPLACE_BATTERY] = {TRUTH_BATTERY_REPLACE, -1},
    [HAPPENS_OVERLOAD] = {TRUTH_UPS_OVERLOAD, -1},
    [HAPPENS_HEAT] = {TRUTH_TEMPERATURE_HIGH, TRUTH_TEMPERATURE_VERY_HIGH, -1},
    [HAPPENS_HUMIDITY] = {TRUTH_HUMIDITY_HIGH, TRUTH_HUMIDITY_LOW, -1},
    [HAPPENS_COOLING_ALARM] = {TRUTH_COOLING_ALARM, -1},
    [HAPPENS_PACKET_LOSS] = {-1},
    [HAPPENS_PATROLD_KILLED] = {-1},
    [HAPPENS_CLOCK_STEP] = {-1},
    [HAPPENS_RENUMBERED] = {-1},
    [HAPPENS_SWAPPED] = {TRUTH_SWAPPED, -1},
    [HAPPENS_COUNTER_RESET] = {-1},
};

static void hush(struct site *s, const struct happening *h, int by)
{
    for (size_t i = 0; i < 3 && hushed[h->kind][i] >= 0; i++)
        s->told[h->device].quiet[hushed[h->kind][i]] += (unsigned)by;
}

/* Somebody tells patrold something of a device. */
static void tell(struct site *s, const char *command, const struct machine *m, const char *field, const char *value)
{
    struct sbuf args = {0};

    sbuf_add(&args, "{\"device\":");
    sbuf_add_json(&args, m->spec->name);
    sbuf_addf(&args, ",\"%s\":\"%s\"}", field, value);
    if (s->ops.command != NULL)
        s->ops.command(s->ops.ctx, command, args.s);
    sbuf_free(&args);
}

/* One that trouble stops shows that rather than its sleep. */
static bool says_asleep(const struct machine *m, int64_t now_ms)
{
    for (unsigned i = 0; i < m->nsupplies; i++)
        if (m->supplies[i].toner >= 0 && supply_at_most(&m->supplies[i], 0, now_ms))
            return false;
    return m->sleep != SLEEP_NONE && !m->jam && !m->cover && !m->service;
}

/* A printer that falls asleep says so for some polls; then its network card sleeps, too. */
static void fall_asleep(struct site *s, struct machine *m, const struct happening *h, bool begins, int64_t now_ms)
{
    struct told *t = &s->told[m->number];
    int64_t light = 3 * s->story->configuration.every_ms[PART_STATUS] + TRUTH_GRACE_MS;

    machine_set_asleep(m, begins ? SLEEP_LIGHT : SLEEP_NONE, now_ms);
    t->asleep_ms = INT64_MAX;
    if (!begins || h->until_ms <= now_ms + light)
        return;
    t->asleep_ms = now_ms + light;
    t->wakes_ms = h->until_ms;
    t->said_asleep = says_asleep(m, now_ms);
    if (s->ops.truths != NULL)
        truth_asleep(s->ops.truths, m->number, now_ms, now_ms + light, h->until_ms);
}

static void sleep_deeply(struct site *s, struct machine *m, int64_t now_ms)
{
    struct told *t = &s->told[m->number];

    if (s->ops.truths != NULL && (!t->said_asleep || !says_asleep(m, now_ms)))
        truth_possible(s->ops.truths, m->number, TRUTH_UNREACHABLE, -1, now_ms, t->wakes_ms);
    t->asleep_ms = INT64_MAX;
    machine_set_asleep(m, SLEEP_DEEP, now_ms);
}

/* It has an address of its own that patrold is not told of until somebody finds out. */
static void move(struct site *s, struct machine *m, const struct happening *h, bool begins)
{
    if (begins)
        machine_set_address(m, h->address);
    else
        tell(s, "device.set", m, "address", h->address);
    s->told[m->number].moved = begins;
}

/* Another machine stands in its place; in the end somebody says so. */
static void swap(struct site *s, struct machine *m, bool begins, int64_t now_ms)
{
    s->told[m->number].swapped = begins;
    if (begins)
        machine_swap(m, now_ms);
    else
        tell(s, "device.confirm", m, "answer", "swapped");
}

static void fill(struct site *s, struct machine *m, const struct happening *h, bool begins, int64_t now_ms)
{
    unsigned disk = (unsigned)h->piece;

    s->told[m->number].filling[disk] = begins;
    if (!begins)
        machine_set_disk(m, disk, 30, now_ms); /* somebody tidied up */
    else if (h->a_day)
        machine_set_fill(m, disk, (int)h->percent, now_ms);
    else
        machine_set_disk(m, disk, (int)h->percent, now_ms);
}

static void befall_printer(struct machine *m, const struct happening *h, bool begins, int64_t now_ms)
{
    switch (h->kind) {
    case HAPPENS_JAM:
        machine_set_jam(m, begins, now_ms);
        break;
    case HAPPENS_COVER_OPEN:
        machine_set_cover(m, begins, now_ms);
        break;
    case HAPPENS_SERVICE:
        machine_set_service(m, begins, now_ms);
        break;
    case HAPPENS_TONER_DRAIN:
        machine_set_drain(m, h->piece, begins ? h->pages_per_hour : 0, now_ms);
        if (!begins)
            machine_refill(m, h->piece, now_ms);
        break;
    default:
        break;
    }
}

static void befall_room(struct machine *m, const struct happening *h, bool begins, int64_t now_ms)
{
    switch (h->kind) {
    case HAPPENS_ON_BATTERY:
        machine_set_battery(m, begins, now_ms);
        break;
    case HAPPENS_REPLACE_BATTERY:
        machine_set_replace_battery(m, begins, now_ms);
        break;
    case HAPPENS_OVERLOAD:
        machine_set_load(m, begins ? (int)h->percent : 35, now_ms);
        break;
    case HAPPENS_HEAT:
        machine_set_temperature(m, begins ? llround(h->celsius * 10) : 231, now_ms);
        break;
    case HAPPENS_HUMIDITY:
        machine_set_humidity(m, begins ? llround(h->percent * 10) : 455, now_ms);
        break;
    case HAPPENS_COOLING_ALARM:
        machine_set_cooling_alarm(m, begins, now_ms);
        break;
    default:
        break;
    }
}

static void befall_computer(struct site *s, struct machine *m, const struct happening *h, bool begins, int64_t now_ms)
{
    switch (h->kind) {
    case HAPPENS_LINK_DOWN:
        machine_set_link(m, (unsigned)h->piece + 1, !begins, now_ms);
        break;
    case HAPPENS_ERRORS:
        machine_set_errors(m, (unsigned)h->piece + 1, begins ? llround(h->percent * 10) : 0, now_ms);
        break;
    case HAPPENS_DISK_FILLING:
        fill(s, m, h, begins, now_ms);
        break;
    case HAPPENS_CPU:
        machine_set_cpu(m, begins ? (int)h->percent : -1, now_ms);
        break;
    case HAPPENS_MEMORY:
        machine_set_memory(m, begins ? (int)h->percent : -1, now_ms);
        break;
    default:
        befall_printer(m, h, begins, now_ms);
        befall_room(m, h, begins, now_ms);
        break;
    }
}

static void befall_machine(struct site *s, struct machine *m, const struct happening *h, bool begins, int64_t now_ms)
{
    switch (h->kind) {
    case HAPPENS_DEVICE_OFF:
        s->told[m->number].fell_asleep = begins && m->sleep == SLEEP_DEEP;
        machine_set_power(m, !begins, now_ms);
        break;
    case HAPPENS_RESTART:
        machine_restart(m, now_ms);
        break;
    case HAPPENS_RENUMBERED:
        machine_renumber(m, now_ms);
        break;
    case HAPPENS_COUNTER_RESET:
        machine_reset_pages(m, now_ms);
        break;
    case HAPPENS_SWAPPED:
        swap(s, m, begins, now_ms);
        break;
    case HAPPENS_ASLEEP:
        fall_asleep(s, m, h, begins, now_ms);
        break;
    case HAPPENS_SNMP_SILENT:
        machine_set_snmp_silent(m, begins);
        break;
    case HAPPENS_ADDRESS_MOVED:
        move(s, m, h, begins);
        break;
    case HAPPENS_IN_REPAIR:
        s->told[m->number].in_repair = begins;
        tell(s, "device.set", m, "status", begins ? "in-repair" : "in-service");
        break;
    default:
        befall_computer(s, m, h, begins, now_ms);
        break;
    }
}

static void befall(struct site *s, const struct happening *h, bool begins, int64_t now_ms)
{
    struct machine *m = h->device >= 0 ? &s->machines[h->device] : NULL;

    switch (h->kind) {
    case HAPPENS_PACKET_LOSS:
        *(m ? &m->loss : &s->loss) = begins ? h->percent : 0;
        break;
    case HAPPENS_PATROLD_KILLED:
        if (begins)
            s->ops.killed(s->ops.ctx, h->until_ms - h->at_ms);
        break;
    case HAPPENS_CLOCK_STEP:
        s->ops.clock_step(s->ops.ctx, h->step_ms);
        break;
    default:
        if (m)
            befall_machine(s, m, h, begins, now_ms);
        break;
    }
}

/* Who is behind something that is down is cut off; parents stand before their children. */
static void cut_off(struct site *s)
{
    for (size_t i = 0; i < s->story->devices.n; i++) {
        struct machine *m = &s->machines[i];
        const struct machine *p = m->spec->parent >= 0 ? &s->machines[m->spec->parent] : NULL;

        if (p != NULL)
            machine_set_cut_off(m, !p->on || p->cut_off || (m->spec->port > 0 && !p->ports[m->spec->port - 1].up));
    }
}

static void look_at_all(struct site *s, int64_t now_ms)
{
    for (size_t i = 0; i < s->story->devices.n; i++)
        look(s, &s->machines[i], now_ms);
}

static bool is_parent(const struct site *s, int device)
{
    for (size_t i = 0; i < s->story->devices.n; i++)
        if (s->story->devices.v[i].parent == device)
            return true;
    return false;
}

static void happen(struct site *s, const struct happening *h, bool begins, int64_t now_ms)
{
    if (h->expect_given && begins) {
        hush(s, h, 1);
        if (s->ops.truths != NULL)
            truth_expected(s->ops.truths, h);
    }
    befall(s, h, begins, now_ms);
    if (h->device < 0 || is_parent(s, h->device)) {
        cut_off(s);
        look_at_all(s, now_ms);
    } else {
        look(s, &s->machines[h->device], now_ms);
    }
    if (h->expect_given && !begins)
        hush(s, h, -1);
}

static int64_t next_end(const struct site *s, size_t *which)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < s->running.n; i++) {
        if (s->running.v[i]->until_ms < first) {
            first = s->running.v[i]->until_ms;
            *which = i;
        }
    }
    return first;
}

int64_t site_next(const struct site *s)
{
    size_t which;
    int64_t next = next_end(s, &which);

    if (s->next_mark < next)
        next = s->next_mark;
    if (s->next < s->story->happenings.n && s->story->happenings.v[s->next].at_ms < next)
        next = s->story->happenings.v[s->next].at_ms;
    return next;
}

static void reach_marks(struct site *s, int64_t now_ms)
{
    for (size_t i = 0; i < s->story->devices.n; i++) {
        struct machine *m = &s->machines[i];

        if (s->told[i].asleep_ms <= now_ms)
            sleep_deeply(s, m, now_ms);
        machine_show(m, now_ms);
        look(s, m, now_ms);
    }
}

/* One step, at the time site_next() gave: ends before beginnings, so that a trouble may follow its like at once. */
static void step(struct site *s, int64_t at_ms)
{
    size_t which = 0;

    if (s->next_mark == at_ms) {
        reach_marks(s, at_ms);
    } else if (next_end(s, &which) == at_ms) {
        const struct happening *h = s->running.v[which];

        array_remove(&s->running, which);
        happen(s, h, false, at_ms);
    } else {
        const struct happening *h = &s->story->happenings.v[s->next++];

        if (h->until_ms > h->at_ms)
            array_push(&s->running, h);
        happen(s, h, true, at_ms);
    }
    look_for_marks(s, at_ms);
}

void site_advance(struct site *s, int64_t now_ms)
{
    int64_t at;

    while ((at = site_next(s)) <= now_ms)
        step(s, at);
}

void site_end(struct site *s, int64_t now_ms)
{
    for (size_t i = 0; i < s->story->devices.n; i++) {
        for (unsigned k = 0; k < s->machines[i].nsupplies; k++)
            end_possible(s, &s->machines[i], TONERS, k, now_ms);
        for (unsigned k = 0; k < s->machines[i].ndisks; k++)
            end_possible(s, &s->machines[i], DISKS, k, now_ms);
    }
}

/* ---- The site ---- */

static void set_up(struct site *s, unsigned i)
{
    struct machine *m = &s->machines[i];
    struct told *t = &s->told[i];

    machine_init(m, &s->story->devices.v[i], i);
    m->gateway = story_is_unit(s->story, i);
    if (m->spec->neighbour > 0)
        machine_set_neighbour(m, (unsigned)m->spec->neighbour, "upstairs");
    /* Where a cable is known to be, it is plugged in. */
    if (m->spec->neighbour > 0)
        machine_set_link(m, (unsigned)m->spec->neighbour, true, 0);
    if (m->spec->uplink > 0)
        machine_set_link(m, (unsigned)m->spec->uplink, true, 0);
    if (m->spec->parent >= 0 && m->spec->port > 0)
        machine_set_link(&s->machines[m->spec->parent], (unsigned)m->spec->port, true, 0);
    t->boots = m->boots;
    t->asleep_ms = INT64_MAX;
    memset(t->possible_ms, 0xff, sizeof t->possible_ms);
    for (unsigned k = 0; k < m->nsupplies; k++)
        t->pace[TONERS][k] = pace_of(m, TONERS, k);
    for (unsigned k = 0; k < m->ndisks; k++)
        t->pace[DISKS][k] = pace_of(m, DISKS, k);
}

struct site *site_new(const struct story *story, const struct site_ops *ops)
{
    struct site *s = xcalloc(1, sizeof *s);

    *s = (struct site){.story = story, .ops = *ops};
    s->machines = xcalloc(story->devices.n, sizeof *s->machines);
    s->told = xcalloc(story->devices.n, sizeof *s->told);
    for (size_t i = 0; i < story->devices.n; i++)
        set_up(s, (unsigned)i);
    look_at_all(s, 0);
    look_for_marks(s, 0);
    return s;
}

void site_free(struct site *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->story->devices.n; i++)
        machine_fini(&s->machines[i]);
    array_free(&s->running);
    free(s->machines);
    free(s->told);
    free(s);
}

size_t site_count(const struct site *s)
{
    return s->story->devices.n;
}

struct machine *site_machine(struct site *s, size_t i)
{
    return &s->machines[i];
}

struct machine *site_find(struct site *s, const char *address)
{
    return site_find_unit(s, address, 0);
}

struct machine *site_find_unit(struct site *s, const char *address, unsigned unit)
{
    for (size_t i = 0; i < site_count(s); i++)
        if ((unit == 0 || s->machines[i].spec->unit == unit) && strcmp(s->machines[i].address, address) == 0)
            return &s->machines[i];
    return NULL;
}

double site_loss(const struct site *s, const struct machine *m)
{
    double loss = s->story->loss;

    if (s->loss > loss)
        loss = s->loss;
    return m->loss > loss ? m->loss : loss;
}
