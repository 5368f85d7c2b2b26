#ifndef PD_SIM_MACHINE_H
#define PD_SIM_MACHINE_H

#include "regmap.h"
#include "simdev.h"
#include "story.h"

/*
 * A simulated machine: its physical state, and the device it shows to whoever
 * asks. What is true of it is said here; what patrold makes of it is judged
 * elsewhere. Times are milliseconds since the story's start.
 */
struct supply {
    const char *description;
    int toner;         /* index into model_toners(); -1: something else, that stands still */
    int64_t capacity;  /* in the unit it is told in */
    struct ramp level; /* of a toner */
};

enum {
    MACHINE_SUPPLIES = 8,
    MACHINE_TONERS = 4,
    MACHINE_PORTS = 25,
    MACHINE_DISKS = 2,
    MACHINE_SENSORS = 4,
    MACHINE_PROCESSORS = 4,
};

struct port {
    char name[32];
    unsigned index; /* ifIndex; a restart may change it */
    uint8_t mac;    /* the last octet of its address, which stays */
    uint64_t speed_mbps;
    bool up;             /* its link */
    int64_t bytes_per_s; /* received while it is up; half as many are sent */
    int64_t damaged;     /* of a thousand packets received */
    struct ramp in, out, in_packets, out_packets, in_errors;
    const char *neighbour; /* NULL: nobody there speaks LLDP; borrowed */
    bool phone;            /* it is a phone, not another switch */
};

struct disk {
    const char *path, *device;
    unsigned index;     /* hrStorageIndex; a restart may change it */
    int64_t unit, size; /* bytes of an allocation unit; units */
    int64_t fill;       /* units an hour */
    struct ramp used;   /* units */
};

/* A probe of an environmental sensor, or what an air conditioner measures. */
struct probe {
    const char *name;
    bool humidity;  /* else a temperature */
    int64_t tenths; /* of a degree, or of % */
};

/* Sleep: its agent answers and says so; or its network card is off as well. */
enum sleep { SLEEP_NONE, SLEEP_LIGHT, SLEEP_DEEP };

struct machine {
    const struct story_device *spec;
    unsigned number;    /* its place in the story */
    struct simdev dev;  /* what its agent shows */
    struct regmap regs; /* what it answers over Modbus */
    char address[16];   /* where it is now */
    bool gateway;       /* others are at that address too: it is behind a gateway, which has its own power */
    bool on, cut_off, snmp_silent, jam, cover, service;
    enum sleep sleep;
    double loss;   /* % of packets lost each way, of this machine alone */
    uint64_t lost; /* packets lost over TCP so far, where that is not seen from the answers */
    unsigned boots;
    unsigned renumbered; /* times that its agent gave its rows other numbers */
    unsigned hardware;   /* times that another machine was put in its place */
    struct ramp uptime;  /* hundredths of a second */
    struct supply supplies[MACHINE_SUPPLIES];
    unsigned nsupplies;
    int64_t drain[MACHINE_TONERS]; /* pages an hour that drain a toner, beside the daily ones */
    struct ramp pages;             /* as its counter has it */
    struct ramp printed;           /* at this place since the story began, whatever machine did it */
    unsigned recounts;             /* times that its counter began elsewhere */
    struct port loopback, ports[MACHINE_PORTS];
    unsigned nports;
    struct disk disks[MACHINE_DISKS];
    unsigned ndisks;
    unsigned nprocessors;
    int cpu, memory; /* %; -1: as ever */
    struct probe probes[MACHINE_SENSORS];
    unsigned nprobes;
    bool on_battery, replace_battery; /* of an uninterruptible power supply */
    int64_t battery_since_ms;         /* when that last changed */
    unsigned outages;                 /* of the mains, so far */
    int load;                         /* %; of a meter too */
    struct ramp charge;               /* millionths of a full battery */
    struct ramp energy;               /* Wh that a meter counted */
    bool cooling_alarm;
};

/* Builds the machine as it stands at the start of the story; spec is borrowed. */
void machine_init(struct machine *m, const struct story_device *spec, unsigned number);
void machine_fini(struct machine *m);

/* Shows anew what goes by levels that moved by themselves: lamps of low toner, a battery that is low. */
void machine_show(struct machine *m, int64_t now_ms);
/* When that is next to be done; INT64_MAX: not at the rates of now. */
int64_t machine_next_show(const struct machine *m, int64_t now_ms);

/* What can be asked of it now. */
bool machine_pings(const struct machine *m);  /* it answers an ICMP echo */
bool machine_speaks(const struct machine *m); /* its agent (SNMP), or it (Modbus), answers too */

/* ---- What befalls any machine ---- */

/* Power: off, it answers nothing and all of it stands still; on again, it has restarted. */
void machine_set_power(struct machine *m, bool on, int64_t now_ms);
/* The network between it and patrold is interrupted; it goes on by itself. */
void machine_set_cut_off(struct machine *m, bool cut_off);
/* Its agent hangs (or what speaks Modbus in it): no answers but to a ping. */
void machine_set_snmp_silent(struct machine *m, bool silent);
/* SLEEP_LIGHT: printers only, in standby; nothing prints meanwhile. */
void machine_set_asleep(struct machine *m, enum sleep sleep, int64_t now_ms);
/* From now on it lives at another address (of 127.0.0.0/8) and no longer answers at the old one. */
void machine_set_address(struct machine *m, const char *address);
/* It restarts so quickly that nobody misses it: its uptime and its ports' counters begin again, its boots count on. */
void machine_restart(struct machine *m, int64_t now_ms);

/*
 * The same, and its agent numbers its interfaces, storage and probes the other way round: the numbers are those that
 * others of the kind had before.
 */
void machine_renumber(struct machine *m, int64_t now_ms);

/* ---- Printers ---- */

/* Another machine of the model stands in its place: other serial number and network card, full of toner, and by turns used
 * before or new. */
void machine_swap(struct machine *m, int64_t now_ms);
/* A new main board: the page counter begins again, the serial number stays. */
void machine_reset_pages(struct machine *m, int64_t now_ms);
void machine_set_jam(struct machine *m, bool on, int64_t now_ms);
void machine_set_cover(struct machine *m, bool open, int64_t now_ms);
void machine_set_service(struct machine *m, bool on, int64_t now_ms);
/* Pages an hour that drain one toner; 0: none. */
void machine_set_drain(struct machine *m, int toner, int64_t pages_per_hour, int64_t now_ms);
/* Puts a new cartridge in. */
void machine_refill(struct machine *m, int toner, int64_t now_ms);

/* The supply of a toner. */
struct supply *machine_toner(struct machine *m, int toner);
/* True when at most so many % of it are left, as far as its unit tells. */
bool supply_at_most(const struct supply *s, int percent, int64_t now_ms);
/* When that will be, at the rate of now; INT64_MAX: never. */
int64_t supply_reaches(const struct supply *s, int percent, int64_t now_ms);

/* ---- Ports: of everything with SNMP; 1 to m->nports, as on the front ---- */

/* The port by its number; its name is ports' key in patrold. */
const struct port *machine_port(const struct machine *m, unsigned port);
/* The link goes down (the cable is pulled, the other side is off) or comes up. */
void machine_set_link(struct machine *m, unsigned port, bool up, int64_t now_ms);
/* Who is at the other end, as LLDP tells while the link is up: a switch of that name (borrowed); NULL: nobody. */
void machine_set_neighbour(struct machine *m, unsigned port, const char *name);
/* So many of a thousand packets that come in are damaged; 0: none. */
void machine_set_errors(struct machine *m, unsigned port, int64_t per_mille, int64_t now_ms);

/* ---- Servers; disks 0 to m->ndisks - 1 ---- */

/* The disk holds so many % now, and stands still. */
void machine_set_disk(struct machine *m, unsigned disk, int percent, int64_t now_ms);
/* From now on it fills (or, negative, empties) by so many % of its size a day; full is full. */
void machine_set_fill(struct machine *m, unsigned disk, int percent_a_day, int64_t now_ms);
/* True when at least so many % are used. */
bool disk_at_least(const struct disk *d, int percent, int64_t now_ms);
/* When that will be, or, falling, when it is over; INT64_MAX: never at the rate of now. */
int64_t disk_reaches(const struct disk *d, int percent, int64_t now_ms);
int64_t disk_falls_below(const struct disk *d, int percent, int64_t now_ms);
/* Every processor is so busy, %; -1: as ever. */
void machine_set_cpu(struct machine *m, int percent, int64_t now_ms);
/* So many % of the memory are taken by programs; -1: as ever. */
void machine_set_memory(struct machine *m, int percent, int64_t now_ms);

/* ---- Uninterruptible power supplies ---- */

enum {
    UPS_RUNTIME_MIN = 45, /* on a full battery, at any load */
    UPS_LOW_MIN = 2,      /* left, or a little more: it calls its battery low */
};

/* The mains fail, and the battery is being emptied; or they are back, and it is charged in four hours. */
void machine_set_battery(struct machine *m, bool on_battery, int64_t now_ms);
/* The battery holds so many % now. */
void machine_set_charge(struct machine *m, int percent, int64_t now_ms);
int machine_charge(const struct machine *m, int64_t now_ms); /* %, rounded down */
/* When at most so many % are left, at the rate of now; INT64_MAX: never. */
int64_t machine_charge_reaches(const struct machine *m, int percent, int64_t now_ms);
/* Its own test found the battery worn out. */
void machine_set_replace_battery(struct machine *m, bool worn, int64_t now_ms);
/* % of what it can deliver; over 100 it is overloaded. A meter: % of its rated current. */
void machine_set_load(struct machine *m, int percent, int64_t now_ms);

/* ---- Sensors and air conditioners ---- */

/* The first probe of that kind measures so many tenths of a degree Celsius, or of % relative humidity. */
void machine_set_temperature(struct machine *m, int64_t tenths, int64_t now_ms);
void machine_set_humidity(struct machine *m, int64_t tenths, int64_t now_ms);
/* An air conditioner's general alarm. */
void machine_set_cooling_alarm(struct machine *m, bool alarm, int64_t now_ms);

#endif
