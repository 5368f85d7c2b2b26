#include "models.h"

#include <stdio.h>

/*
 * A printer's tree: HOST-RESOURCES-MIB (RFC 2790) and Printer-MIB v2 (RFC 3805).
 * hrDeviceIndex is 1 throughout.
 */
#define HR_DEVICE "1.3.6.1.2.1.25.3.2.1"
#define HR_PRINTER "1.3.6.1.2.1.25.3.5.1"
#define PRT_GENERAL "1.3.6.1.2.1.43.5.1.1"
#define PRT_COVER "1.3.6.1.2.1.43.6.1.1"
#define PRT_INPUT "1.3.6.1.2.1.43.8.2.1"
#define PRT_OUTPUT "1.3.6.1.2.1.43.9.2.1"
#define PRT_MARKER "1.3.6.1.2.1.43.10.2.1"
#define PRT_SUPPLIES "1.3.6.1.2.1.43.11.1.1"
#define PRT_COLORANT "1.3.6.1.2.1.43.12.1.1"
#define PRT_CONSOLE "1.3.6.1.2.1.43.16.5.1.2.1.1"
#define PRT_ALERT "1.3.6.1.2.1.43.18.1.1"

/* ---- What never changes ---- */

static void input(struct simdev *d, unsigned i, const char *name, int64_t max, int64_t level)
{
    simdev_int(d, 4, PRT_INPUT ".2.1.%u", i); /* sheetFeedAutoRemovableTray */
    simdev_int(d, 3, PRT_INPUT ".3.1.%u", i); /* tenThousandthsOfInches */
    simdev_int(d, 8, PRT_INPUT ".8.1.%u", i); /* sheets */
    simdev_int(d, max, PRT_INPUT ".9.1.%u", i);
    simdev_int(d, level, PRT_INPUT ".10.1.%u", i);
    simdev_int(d, 0, PRT_INPUT ".11.1.%u", i); /* available and idle */
    simdev_text(d, "na-letter-white", PRT_INPUT ".12.1.%u", i);
    simdev_text(d, name, PRT_INPUT ".13.1.%u", i);
    simdev_text(d, name, PRT_INPUT ".18.1.%u", i);
}

static void output(struct simdev *d, unsigned i, const char *name)
{
    simdev_int(d, 3, PRT_OUTPUT ".2.1.%u", i); /* unRemovableBin */
    simdev_int(d, 8, PRT_OUTPUT ".3.1.%u", i);
    simdev_int(d, 250, PRT_OUTPUT ".4.1.%u", i);
    simdev_int(d, -3, PRT_OUTPUT ".5.1.%u", i); /* some room is left */
    simdev_int(d, 0, PRT_OUTPUT ".6.1.%u", i);
    simdev_text(d, name, PRT_OUTPUT ".7.1.%u", i);
    simdev_text(d, name, PRT_OUTPUT ".12.1.%u", i);
}

static void covers(struct simdev *d)
{
    simdev_text(d, "Front Cover", PRT_COVER ".2.1.1");
    simdev_text(d, "Rear Door", PRT_COVER ".2.1.2");
    simdev_int(d, 4, PRT_COVER ".3.1.2"); /* coverClosed */
}

void model_identity_show(struct machine *m, int64_t now_ms)
{
    unsigned number = m->spec->serial_of >= 0 ? (unsigned)m->spec->serial_of : m->number;
    char serial[32];

    snprintf(serial, sizeof serial, "SIM%c%06u", m->spec->model == MODEL_COPIER ? 'C' : 'P',
             714025 + number + 5003 * m->hardware);
    simdev_text(&m->dev, serial, PRT_GENERAL ".17.1");
    model_ports_renumber(m, now_ms);
}

static void general(struct machine *m)
{
    struct simdev *d = &m->dev;

    simdev_uint(d, SNMP_COUNTER32, 3, PRT_GENERAL ".1.1"); /* configuration changes */
    simdev_int(d, 1, PRT_GENERAL ".2.1");
    simdev_text(d, m->spec->name, PRT_GENERAL ".16.1");
    model_identity_show(m, 0);
    simdev_int(d, 1, HR_DEVICE ".1.1");
    simdev_oid(d, "1.3.6.1.2.1.25.3.1.5", HR_DEVICE ".2.1"); /* hrDevicePrinter */
    simdev_text(d, m->spec->model == MODEL_COPIER ? "Simsoft C5500" : "Simsoft P210", HR_DEVICE ".3.1");
    simdev_oid(d, "0.0", HR_DEVICE ".4.1");
    simdev_uint(d, SNMP_COUNTER32, 0, HR_DEVICE ".6.1");
}

static void marker(struct machine *m)
{
    struct simdev *d = &m->dev;

    simdev_int(d, 4, PRT_MARKER ".2.1.1"); /* electrophotographicLaser */
    simdev_int(d, 7, PRT_MARKER ".3.1.1"); /* impressions */
    simdev_uint(d, SNMP_COUNTER32, 17, PRT_MARKER ".5.1.1");
    simdev_int(d, m->spec->model == MODEL_COPIER ? 4 : 1, PRT_MARKER ".6.1.1");
    simdev_int(d, 0, PRT_MARKER ".7.1.1");
    simdev_int(d, 600, PRT_MARKER ".9.1.1");
    simdev_int(d, 0, PRT_MARKER ".15.1.1");
}

/* ---- Supplies ---- */

static void supply(struct machine *m, const char *description, int toner, int unit, int class, int type,
                   int64_t capacity, int64_t level)
{
    unsigned i = m->nsupplies + 1;
    struct supply *s = &m->supplies[m->nsupplies++];
    struct simdev *d = &m->dev;

    *s = (struct supply){.description = description, .toner = toner, .capacity = capacity};
    simdev_int(d, 1, PRT_SUPPLIES ".2.1.%u", i);
    simdev_int(d, toner + 1, PRT_SUPPLIES ".3.1.%u", i);
    simdev_int(d, class, PRT_SUPPLIES ".4.1.%u", i);
    simdev_int(d, type, PRT_SUPPLIES ".5.1.%u", i);
    simdev_text(d, description, PRT_SUPPLIES ".6.1.%u", i);
    simdev_int(d, unit, PRT_SUPPLIES ".7.1.%u", i);
    simdev_int(d, capacity, PRT_SUPPLIES ".8.1.%u", i);
    if (toner < 0) {
        simdev_int(d, level, PRT_SUPPLIES ".9.1.%u", i);
        return;
    }
    /* A page takes capacity / yield; the ramp counts in pages of an hour's milliseconds. */
    s->level.den = m->spec->yield * 3600000;
    s->level.base = capacity * s->level.den / 100 * m->spec->toner;
    simdev_text(d, model_toners(m->spec->model)[toner], PRT_COLORANT ".4.1.%d", toner + 1);
    simdev_int(d, 3, PRT_COLORANT ".3.1.%d", toner + 1); /* process */
}

static void supplies(struct machine *m)
{
    static const char *const names[] = {"Black Toner Cartridge", "Cyan Toner Cartridge", "Magenta Toner Cartridge",
                                        "Yellow Toner Cartridge"};

    if (m->spec->model == MODEL_PRINTER) {
        supply(m, names[0], 0, 19, 3, 3, 100, 0); /* in percent */
        supply(m, "Imaging Drum", -1, 7, 3, 9, 12000, 10800);
        supply(m, "Maintenance Kit", -1, 7, 3, 15, -2, -2); /* nothing is known of it */
        return;
    }
    for (int i = 0; i < MACHINE_TONERS; i++)
        supply(m, names[i], i, 7, 3, 3, m->spec->yield, 0); /* in impressions */
    supply(m, "Waste Toner Box", -1, 13, 4, 4, 600, -3);    /* some room is left */
    supply(m, "Fuser Kit", -1, 7, 3, 15, 200000, 171000);
    supply(m, "Transfer Belt", -1, 19, 3, 20, 100, 88);
}

/* ---- What it tells of its state ---- */

/* Bits of hrPrinterDetectedErrorState; bit 0 is the top bit of the first octet. */
enum { LOW_TONER = 2, NO_TONER = 3, DOOR_OPEN = 4, JAMMED = 5, SERVICE_REQUESTED = 7 };

struct trouble {
    bool there;
    int bit;                             /* of hrPrinterDetectedErrorState */
    int severity, training, group, code; /* of prtAlertTable */
    const char *text;
};

static bool toner_at_most(const struct machine *m, int percent, int64_t now_ms)
{
    for (unsigned i = 0; i < m->nsupplies; i++)
        if (m->supplies[i].toner >= 0 && supply_at_most(&m->supplies[i], percent, now_ms))
            return true;
    return false;
}

static void show_state(struct machine *m, const struct trouble *list, size_t n)
{
    bool stopped = false, asleep = m->sleep != SLEEP_NONE;
    uint8_t octets[2] = {0};

    for (size_t i = 0; i < n; i++) {
        if (!list[i].there)
            continue;
        octets[0] |= (uint8_t)(0x80 >> list[i].bit);
        stopped |= list[i].severity == 3;
    }
    if (m->spec->tells == TELLS_ALERTS)
        octets[0] = 0;
    /* Old ones send one octet, as RFC 1514 had it. */
    simdev_bytes(&m->dev, SNMP_OCTETS, octets, m->spec->model == MODEL_COPIER ? 2 : 1, HR_PRINTER ".2.1");
    /* Asleep is "standby" in RFC 3805, 2.2.13.2, whatever is the matter: the printer other, its device running. */
    simdev_int(&m->dev, stopped || asleep ? 1 : 3, HR_PRINTER ".1.1"); /* other, idle */
    simdev_int(&m->dev,
               asleep           ? 2
               : stopped        ? 5
               : octets[0] != 0 ? 3
                                : 2,
               HR_DEVICE ".5.1"); /* running, down, warning */
}

/* Rows come and go with what they tell of; the index of a trouble stays the same while it is there. */
static void show_alerts(struct machine *m, const struct trouble *list, size_t n, int64_t now_ms)
{
    struct simdev *d = &m->dev;

    for (unsigned i = 1; i <= n; i++) {
        const struct trouble *t = &list[i - 1];
        bool shown = simdev_get(d, (const uint32_t[]){1, 3, 6, 1, 2, 1, 43, 18, 1, 1, 2, 1, i}, 13) != NULL;

        if (!t->there || m->spec->tells == TELLS_STATE) {
            for (unsigned column = 1; shown && column <= 9; column++)
                simdev_remove(d, PRT_ALERT ".%u.1.%u", column, i);
        } else if (!shown) {
            simdev_int(d, i, PRT_ALERT ".1.1.%u", i);
            simdev_int(d, t->severity, PRT_ALERT ".2.1.%u", i);
            simdev_int(d, t->training, PRT_ALERT ".3.1.%u", i);
            simdev_int(d, t->group, PRT_ALERT ".4.1.%u", i);
            simdev_int(d, 1, PRT_ALERT ".5.1.%u", i);
            simdev_int(d, -2, PRT_ALERT ".6.1.%u", i);
            simdev_int(d, t->code, PRT_ALERT ".7.1.%u", i);
            simdev_text(d, t->text, PRT_ALERT ".8.1.%u", i);
            simdev_uint(d, SNMP_TIMETICKS, (uint64_t)now_ms / 10, PRT_ALERT ".9.1.%u", i);
        }
    }
}

static void show_levels(struct machine *m)
{
    for (unsigned i = 0; i < m->nsupplies; i++)
        if (m->supplies[i].toner >= 0)
            simdev_ramp(&m->dev, SNMP_INTEGER, &m->supplies[i].level, PRT_SUPPLIES ".9.1.%u", i + 1);
    simdev_ramp(&m->dev, SNMP_COUNTER32, &m->pages, PRT_MARKER ".4.1.1");
}

void model_printer_show(struct machine *m, int64_t now_ms)
{
    /* Codes of PrtAlertCodeTC, groups of PrtAlertGroupTC, severities critical(3), warning(4), warningBinary(5). */
    const struct trouble list[] = {
        {m->jam, JAMMED, 3, 3, 13, 8, "Paper jam"},
        {m->cover, DOOR_OPEN, 3, 3, 6, 3, "Front cover is open"},
        {m->service, SERVICE_REQUESTED, 3, 5, 5, 30, "Call for service: E-7042"},
        {toner_at_most(m, 0, now_ms), NO_TONER, 3, 3, 11, 1101, "Toner empty"},
        {toner_at_most(m, 5, now_ms), LOW_TONER, 5, 3, 11, 1104, "Toner low"},
    };
    const size_t n = sizeof list / sizeof list[0];
    const char *line = m->sleep != SLEEP_NONE ? "Sleep mode on" : "Ready";

    for (size_t i = n; i-- > 0;)
        if (list[i].there)
            line = list[i].text;
    show_levels(m);
    show_state(m, list, n);
    show_alerts(m, list, n, now_ms);
    simdev_int(&m->dev, m->cover ? 3 : 4, PRT_COVER ".3.1.1"); /* coverOpen, coverClosed */
    simdev_text(&m->dev, line, PRT_CONSOLE);
}

void model_printer(struct machine *m)
{
    bool copier = m->spec->model == MODEL_COPIER;
    struct simdev *d = &m->dev;

    model_system(m, copier ? "Simsoft C5500 colour copier, firmware 4.02" : "Simsoft P210 laser printer, firmware 1.17",
                 copier ? "1.3.6.1.4.1.32473.1.55" : "1.3.6.1.4.1.32473.1.21");
    model_interfaces(m, 1, 100, 900);
    general(m);
    marker(m);
    covers(d);
    input(d, 1, "Tray 1", 250, 120);
    input(d, 2, "Tray 2", 500, -3);
    if (copier) {
        input(d, 3, "Tray 3", 500, 400);
        input(d, 4, "Bypass Tray", 100, 0);
    }
    output(d, 1, "Standard Bin");
    supplies(m);
    m->printed = (struct ramp){.den = 3600000};
    m->pages = (struct ramp){.base = (18230 + m->number * 771) * INT64_C(3600000), .den = 3600000};
    model_printer_show(m, 0);
}
