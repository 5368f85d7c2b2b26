#ifndef PD_TESTS_WATCH_SITE_H
#define PD_TESTS_WATCH_SITE_H

#include "tests/watch/fake.h"
#include "watch/watch.h"

struct kept_history {
    int64_t device_id;
    struct sbuf data;
};
struct kept_number {
    int64_t device_id, at_ms;
    struct reading reading;
};

/*
 * A watch in virtual time with a scripted collector, and a store that keeps
 * rows and events, so that a restart begins with what was submitted.
 */
struct site {
    struct clock_fake time;
    struct wheel *wheel;
    struct settings settings;
    struct knowledge *knowledge;
    struct pd_collector *collectors[3];      /* what watch is given */
    struct pd_collector *collector, *pinger; /* the same: snmp and bus; icmp, or NULL */
    struct watch *watch;
    bool backlog;
    /* what was submitted */
    ARRAY(struct device) devices;
    ARRAY(struct component) components;
    ARRAY(struct alert) alerts;
    ARRAY(struct hold_record) holds;
    ARRAY(struct event) events;
    ARRAY(struct kept_history) histories;
    ARRAY(struct kept_number) numbers; /* all readings that are numbers, as they came */
    size_t changes;
    /* what desk was told, a letter each: o g m c a */
    struct sbuf moves;
    /* the last readings of each call, and how many calls and readings */
    ARRAY(struct reading) readings;
    size_t polls, nreadings;
    struct u64dict *last_told; /* by device, component and point: what check_past() holds against what is told */
    uint32_t chains;
    int64_t readings_of;
    int64_t told_late_ms; /* of the last call that told of what was before */
};

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* With the knowledge of tests/watch/knowledge, status every minute, counters 5, supplies 10, inventory daily. */
struct site *site_new(void);
/* Likewise with a collector icmp, at which every address answers pings unless it is told otherwise. */
struct site *site_new_with_pings(void);
void site_free(struct site *s);
void site_pass(struct site *s, int64_t ms);
/* A clean stop or a crash: all that is left is what was submitted. */
void site_restart(struct site *s, int64_t down_ms);
/* New knowledge: rule (NULL: none) is left out; hold_ms of all others stays. */
void site_reload(struct site *s, const char *rule_off);

/* Adds a device of the script and polls it from now on. */
int64_t site_add(struct site *s, const char *name, const char *address);
int64_t site_add_unit(struct site *s, const char *name, const char *address, uint8_t unit);
/* Takes a command's change, as the store does. */
void site_submit(struct site *s, struct change *c);
/* What the operator says of a device anew; NULL leaves it as it is. */
void site_say(struct site *s, int64_t id, const char *labels, const char *parent, const char *status);
/* A box that is well: descr, serial, no jam, cover shut, 100 pages, two supplies of 80 and 90 %. */
struct fake_device *site_box(struct site *s, const char *address);
/* A switch with n ports up. */
struct fake_device *site_switch(struct site *s, const char *address, uint32_t nports);

/* Events of a kind so far, and the last one (NULL: none). */
size_t site_count(const struct site *s, const char *kind);
const struct event *site_last(const struct site *s, const char *kind);
/* The open alert of a family on a device; NULL. */
const struct alert *site_open(const struct site *s, int64_t device_id, const char *family);
/* A device's component, copied into *out (points borrowed); false if there is none. */
bool site_component(const struct site *s, int64_t device_id, const char *kind, const char *key,
                    struct component_view *out);
struct value site_point(const struct site *s, int64_t device_id, const char *kind, const char *key, const char *point);

#endif
