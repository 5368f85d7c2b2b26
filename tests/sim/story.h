#ifndef PD_SIM_STORY_H
#define PD_SIM_STORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/zone.h"
#include "conf/conf.h"
#include "conf/yaml.h"

/*
 * A story: a client site, and what befalls it. The language is documented in
 * patrold-story(5). Times are milliseconds since the story's start.
 */

/* What devices there are to simulate. */
enum model {
    MODEL_PRINTER,
    MODEL_COPIER,
    MODEL_SWITCH,
    MODEL_SERVER,
    MODEL_UPS,
    MODEL_SENSOR,
    MODEL_MODBUS_UPS,
    MODEL_METER,
    MODEL_MODBUS_SENSOR,
    MODEL_AIR_CONDITIONER,
    MODEL_COUNT
};
extern const char *const model_names[MODEL_COUNT + 1];
static inline bool model_prints(enum model m)
{
    return m == MODEL_PRINTER || m == MODEL_COPIER;
}
/* Asked over Modbus; the others over SNMP. */
static inline bool model_is_modbus(enum model m)
{
    return m >= MODEL_MODBUS_UPS;
}
/* The toners of a model, ended by NULL: "black", … */
const char *const *model_toners(enum model m);

/* How a printer tells its troubles: some do it only in one of the two places. */
enum tells { TELLS_BOTH, TELLS_STATE, TELLS_ALERTS, TELLS_COUNT };

enum happening_kind {
    HAPPENS_JAM,
    HAPPENS_COVER_OPEN,
    HAPPENS_SERVICE,
    HAPPENS_TONER_DRAIN,
    HAPPENS_DEVICE_OFF,
    HAPPENS_RESTART,
    HAPPENS_ASLEEP,
    HAPPENS_SNMP_SILENT,
    HAPPENS_ADDRESS_MOVED,
    HAPPENS_IN_REPAIR,
    HAPPENS_LINK_DOWN,
    HAPPENS_ERRORS,
    HAPPENS_DISK_FILLING,
    HAPPENS_CPU,
    HAPPENS_MEMORY,
    HAPPENS_ON_BATTERY,
    HAPPENS_REPLACE_BATTERY,
    HAPPENS_OVERLOAD,
    HAPPENS_HEAT,
    HAPPENS_HUMIDITY,
    HAPPENS_COOLING_ALARM,
    HAPPENS_PACKET_LOSS,
    HAPPENS_PATROLD_KILLED,
    HAPPENS_CLOCK_STEP,
    HAPPENS_RENUMBERED,
    HAPPENS_SWAPPED,
    HAPPENS_COUNTER_RESET,
    HAPPENS_COUNT
};
extern const char *const happening_names[HAPPENS_COUNT + 1];

/* Whether a thing can befall what a model is. */
bool happens_to(enum happening_kind kind, enum model model);
/* It is over at once. */
bool happens_at_once(enum happening_kind kind);

struct story_device {
    char *name, *address;
    enum model model;
    enum tells tells;
    int64_t pages_per_hour; /* printed all day, besides what drains the toner */
    int64_t toner;          /* % in each cartridge at the start */
    int64_t yield;          /* pages a cartridge prints */
    int64_t snmp;           /* version: 1 or 2 */
    int64_t unit;           /* of those that speak Modbus: 1 to 247 */
    int parent;             /* index of the device that it is reached by; -1: none */
    int64_t port;           /* of the parent's, where its cable is; 0: not said */
    int64_t uplink;         /* a port of its own that must be up; 0: none */
    int64_t neighbour;      /* a port at whose other end a switch says what it is; 0: none */
    int serial_of;          /* index of the device whose serial number it shows; -1: its own */
    bool may_be_off;
    char *site; /* of the archive; NULL: none */
};

/* An expectation written in the story, in place of the table's. */
struct story_expect {
    int rule;                    /* index into truth_rules */
    int64_t opens_ms, clears_ms; /* within which time */
};

/* One thing that happens once, to one device. */
struct happening {
    enum happening_kind kind;
    int64_t at_ms, until_ms; /* until INT64_MAX: to the end */
    int device;              /* index; -1: no device, or all of them */
    int piece;               /* index of a toner, a port (from 0) or a disk; 0 where there is only one such thing */
    int64_t pages_per_hour;
    double percent; /* of packets lost, each way; of what a disk holds; how busy; … */
    bool a_day;     /* so many % a day */
    double celsius;
    char *address; /* where it moves to; borrowed from the story */
    int64_t step_ms;
    bool expect_given;
    const struct story_expect *expects; /* borrowed from the story */
    size_t nexpects;
    int line; /* where it was written */
};

/* What the story's patrold is told beyond the defaults. */
struct story_rule {
    char *name;
    int64_t hold_ms, clear_hold_ms; /* -1: as shipped */
    struct yaml_node *here;
};

struct story_configuration {
    int64_t every_ms[PART_COUNT];
    int64_t timeout_ms;
    int retries;
    enum lang lang;
    ARRAY(struct story_rule) rules;
};

/* Records of the archive: a command and its arguments as JSON, in the order of the story. */
struct story_record {
    char *command, *args;
};

/* Somebody who works on tickets and rounds, and how long each step takes them about. */
struct story_person {
    char *name;
    bool always; /* at any hour; else in the working hours */
    int64_t answers_ms, travels_ms, works_ms;
};

/* Working hours, as the simulator reckons with them: local minutes of the day, and days since 1970-01-01. */
struct story_segment {
    int from, to;
};

struct story_hours {
    ARRAY(struct story_segment) segments;
    ARRAY(int64_t) closed, open; /* beside Saturdays and Sundays, and in spite of them */
};

/* What a contract promises, by priority P1 to P4; 0: nothing. */
enum story_promise { PROMISED_RESPOND, PROMISED_DISPATCH, PROMISED_ON_SITE, PROMISED_FIX, PROMISED_COUNT };
extern const char *const story_promises[PROMISED_COUNT + 1];
struct story_contract {
    char *customer;
    bool always; /* counts at all hours; else the working hours */
    int64_t goal_ms[4][PROMISED_COUNT];
};

struct story_place {
    char *name, *customer;
};

struct story {
    char *path, *title;
    struct zone *zone;
    int64_t start_ms; /* wall clock, UTC */
    int64_t length_ms;
    uint64_t seed;
    bool quiet;       /* no fault is meant to happen */
    int64_t delay_ms; /* of the network, there and back */
    double loss;      /* % of packets lost each way, all the time */
    struct story_configuration configuration;
    ARRAY(struct story_device) devices;
    ARRAY(struct happening) happenings;   /* in order of time, then of place in the file */
    ARRAY(struct story_expect *) expects; /* what happenings borrow */
    ARRAY(char *) texts;                  /* too */
    ARRAY(struct story_record) records;
    ARRAY(struct story_place) places; /* the sites among them */
    ARRAY(struct story_contract) contracts;
    ARRAY(struct story_person) staff;
    struct story_hours hours;
    char *patrold; /* lines of patrold.yaml beside the configuration; NULL: none */
};

/* Reads a story from a file. 0, PD_EINVAL with messages in the report, or an errno's cause. */
int story_load(const char *path, struct story **out, struct conf_report *report);
/* The same from n bytes of text; path is for messages. */
int story_parse(const char *path, const char *text, size_t n, struct story **out, struct conf_report *report);
void story_free(struct story *s);

/* The ports that a model has, as on its front, and the disks. */
unsigned model_ports(enum model m);
extern const char *const model_disks[];

/* What patrold calls a piece of a device, where rules of this family go by pieces; "" otherwise. */
enum { TRUTH_PIECE_NAME = 64 };
void story_piece_name(const struct story_device *d, int rule, int piece, char out[static TRUTH_PIECE_NAME]);

/* Another device has the same address: both are units behind a gateway. */
bool story_is_unit(const struct story *s, size_t device);

/* How long a rule holds in this story before it fires (or, clear, before it is cleared). */
int64_t story_hold_ms(const struct story *s, int rule, bool clear);
/* How long after its truth is there to be seen an alert of this rule may open (or, clear, close) at the latest. */
int64_t story_within_ms(const struct story *s, int rule, bool clear);

#endif
