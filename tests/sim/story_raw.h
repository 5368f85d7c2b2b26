#ifndef PD_SIM_STORY_RAW_H
#define PD_SIM_STORY_RAW_H

#include "conf/schema.h"
#include "story.h"

/* A story as it is written, between its file and struct story: for story*.c alone. */
enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

struct raw_device {
    char *name;
    struct yaml_node *address, *parent, *serial_of, *here;
    enum model model;
    enum tells tells;
    int64_t count, pages_per_hour, toner, yield, snmp, unit, port, uplink, neighbour;
    bool may_be_off;
    char *site;
};

struct raw_person {
    char *name;
    bool always;
    int64_t answers_ms, travels_ms, works_ms;
};

struct raw_expect {
    struct yaml_node *rule, *opens, *clears;
};

struct raw_event {
    struct yaml_node *at, *what, *device, *span, *every, *toner, *by, *disk, *to, *expect, *here;
    int64_t times, pages_per_hour, port;
    double percent, per_day, celsius;
};

struct raw_story {
    char *title;
    struct yaml_node *time_zone, *start, *length, *here;
    int64_t seed;
    bool quiet;
    int64_t delay_ms;
    double loss;
    struct story_configuration configuration;
    ARRAY(struct raw_device) devices;
    ARRAY(struct raw_event) events;
    ARRAY(struct raw_person) staff;
    struct yaml_node *archive, *patrold, *hours, *closed, *open;
};

extern const struct schema story_schema, expect_schema;

/* A happening whose line can still be blamed. */
struct draft_happening {
    struct happening happening;
    struct yaml_node *here;
};

struct reading_story {
    struct raw_story raw;
    struct story *story;
    struct conf_report *report;
    ARRAY(unsigned) group; /* of each device, the entry it came from */
    ARRAY(struct draft_happening) happenings;
};

/* An index into names, or -1 after a complaint that says what would be right. */
int story_name(struct yaml_node *node, const char *what, const char *const *names, struct conf_report *report);
/* A duration within limits; false after a complaint. */
bool story_span(struct yaml_node *node, int64_t min, int64_t max, int64_t *out, struct conf_report *report);

/* The archive, the staff, their hours and what else is told to patrold. */
void story_take_people(struct reading_story *r);
void story_free_people(struct story *s);

/* Turns raw events into happenings of the story, in order. */
void story_take_events(struct reading_story *r);

#endif
