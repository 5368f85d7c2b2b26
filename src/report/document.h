#ifndef PD_REPORT_DOCUMENT_H
#define PD_REPORT_DOCUMENT_H

#include "base/text.h"
#include "base/zone.h"
#include "report/read.h"

/*
 * What a monthly inspection report tells: one JSON document, made as of one
 * event number, that holds every figure of the report (patrold-report-document(5)
 * describes it for those who write one). It is checked strictly: no member may
 * be missing or unknown, what refers to a device, round or ticket must find it,
 * and every total must equal its rows. So a report never contradicts itself.
 *
 * The structs below are the JSON's objects, member by member and by the same
 * names. Stamps are UTC milliseconds (_ms), shown in the site's time zone;
 * durations are milliseconds too.
 */

enum doc_grade { GRADE_EXCELLENT, GRADE_GOOD, GRADE_FAIR, GRADE_POOR };
/* Of devices and checklist items; RESULT_NONE ("not-applicable") is an item's only. */
enum doc_result { RESULT_OK, RESULT_ATTENTION, RESULT_FAULT, RESULT_NONE };
enum doc_promise_state { PROMISE_KEPT, PROMISE_MISSED, PROMISE_RUNNING };
enum doc_supply_state { SUPPLY_OK, SUPPLY_LOW, SUPPLY_EMPTY, SUPPLY_UNKNOWN };

extern const char *const doc_grades[],
    *const doc_results[], *const doc_severities[],
                              *const doc_ticket_states[],
                                  *const doc_ticket_kinds[],
                                      *const doc_categories[],
                                          *const doc_round_states[],
                                              *const doc_promises[], *const doc_promise_states[],
                                                                         *const doc_supply_states[], *const doc_roles[];

/* A list of rows: doc_list(struct doc_device) has v and n. */
#define doc_list(T)                                                                                                    \
    struct {                                                                                                           \
        T *v;                                                                                                          \
        size_t n, cap;                                                                                                 \
    }

struct doc_device {
    int64_t id;
    const char *name, *device_class;                        /* the latter a code, "printer" */
    const char *make, *model, *serial, *address, *location; /* may be NULL, like the note */
    int health;                                             /* enum doc_result */
    const char *note;                                       /* why it is not ok */
};

struct doc_round {
    const char *number, *plan;
    int state;
    struct maybe started_ms, finished_ms;
    const char *technician, *signed_by; /* may be NULL */
};

struct doc_item {
    const char *what, *value, *note; /* value and note may be NULL */
    int result;                      /* enum doc_result */
};

struct doc_visit {
    const char *round;
    int64_t device;
    struct maybe at_ms; /* unknown: not visited */
    doc_list(struct doc_item) items;
};

struct doc_patrol_totals {
    int64_t rounds, visits, items, ok, attention, fault, not_applicable;
};

/* The rest of the day the device was not in service: not yet added, or taken out. */
struct doc_day {
    int64_t up_ms, down_ms, gap_ms;
};

struct doc_uptime {
    int64_t device, up_ms, down_ms, gap_ms, outages, longest_ms;
    doc_list(struct doc_day) days; /* as many as the month has */
};

struct doc_uptime_totals {
    int64_t devices, up_ms, down_ms, gap_ms, outages;
};

struct doc_fault {
    int64_t device;
    const char *family, *component; /* as people read them; component may be NULL */
    int severity;
    int64_t from_ms;
    struct maybe to_ms;
    const char *ticket; /* its number; may be NULL */
};

struct doc_fault_totals {
    int64_t faults, open;
};

struct doc_promise {
    int kind;
    int64_t due_ms;
    struct maybe met_ms;
    int state; /* enum doc_promise_state */
};

struct doc_ticket {
    const char *number;
    int kind, category;       /* category -1: not assessed */
    struct maybe device;      /* unknown: of none */
    const char *title, *done; /* what was done; may be NULL */
    int severity, state;
    int64_t opened_ms;
    struct maybe closed_ms;
    doc_list(struct doc_promise) promises;
};

struct doc_ticket_totals {
    int64_t tickets, opened, closed, open, promises, kept, missed, running;
};

struct doc_supply {
    int64_t device;
    const char *name;
    struct maybe level_start, level_end, days_left; /* levels in percent */
    int64_t replaced;                               /* how often in the month */
    int state;                                      /* enum doc_supply_state */
};

struct doc_supply_totals {
    int64_t supplies, low, empty, unknown, replaced;
};

struct doc_meter {
    int64_t device;
    const char *name;
    bool whole; /* counts all pages of the device; else a part of them, that is not in the total */
    bool reset; /* the counter began anew within the month, so pages is not end - start */
    struct maybe start, end, pages;
};

struct doc_meter_totals {
    int64_t meters, pages, unknown;
};

struct doc_maintenance {
    struct maybe device;
    const char *what, *why; /* why may be NULL */
    struct maybe due;       /* a day */
};

struct doc_plan {
    int64_t date;                          /* a day */
    const char *what, *scope, *technician; /* the last two may be NULL */
};

struct doc_recommendation {
    const char *text;
};

struct doc_signature {
    int role;
    const char *name; /* may be NULL: to be filled in by hand */
};

struct document {
    int64_t format;
    enum lang language;
    struct {
        const char *number;
        int64_t prepared_ms, as_of_event;
    } report;
    struct {
        const char *name, *phone, *email; /* the last two may be NULL */
    } provider;
    struct {
        const char *name, *contact; /* contact may be NULL */
    } customer;
    struct {
        const char *name, *address, *time_zone; /* address may be NULL */
    } site;
    struct {
        int64_t month; /* its first day */
    } period;
    struct {
        int grade;
        const char *remark; /* may be NULL */
        int64_t devices, ok, attention, fault;
    } summary;
    doc_list(struct doc_device) devices;
    struct {
        doc_list(struct doc_round) rounds;
        doc_list(struct doc_visit) visits;
        struct doc_patrol_totals totals;
    } patrol;
    struct {
        doc_list(struct doc_uptime) devices;
        struct doc_uptime_totals totals;
    } availability;
    struct {
        doc_list(struct doc_fault) rows;
        struct doc_fault_totals totals;
    } faults;
    struct {
        doc_list(struct doc_ticket) rows;
        struct doc_ticket_totals totals;
    } tickets;
    struct {
        doc_list(struct doc_supply) rows;
        struct doc_supply_totals totals;
    } supplies;
    struct {
        doc_list(struct doc_meter) rows;
        struct doc_meter_totals totals;
    } meters;
    doc_list(struct doc_maintenance) maintenance;
    doc_list(struct doc_recommendation) recommendations;
    doc_list(struct doc_plan) next_month;
    doc_list(struct doc_signature) signatures;

    /* Not in the JSON: found while reading. */
    json_t *json; /* what the texts are borrowed from */
    struct zone *zone;
    int days;                        /* of the month */
    int64_t day_ms[32];              /* where each day begins, and the end of the last */
    const struct doc_device **by_id; /* the devices, sorted by id */
};

/*
 * Reads and checks a document. 0, or PD_EINVAL with what is wrong with it, one
 * complaint a line; free it with document_free() in both cases.
 */
int document_read(const char *json, size_t n, struct document *doc, struct complaints *c);
void document_free(struct document *doc);

/* NULL if there is none of this id. */
const struct doc_device *document_device(const struct document *doc, int64_t id);

/* Complains about every total that is not what its rows add up to, and every reference that finds nothing. */
void document_check(const struct document *doc, struct complaints *c);

#endif
