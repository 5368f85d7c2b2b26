#ifndef PD_MODEL_RULE_H
#define PD_MODEL_RULE_H

#include "model/module.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_MAJOR, SEVERITY_CRITICAL };
enum { SEVERITY_COUNT = SEVERITY_CRITICAL + 1 };
/* "info", "warning", "major", "critical"; the other way PD_EINVAL. */
const char *severity_name(enum severity s);
int severity_parse(const char *s, enum severity *out);

/* Who can do something about it. */
enum party { PARTY_USER, PARTY_SERVICE, PARTY_VENDOR };
const char *party_name(enum party p);
int party_parse(const char *s, enum party *out);

/* The ticket that a fault gets: none, one of the kind that fits its category, or one of a kind that is said. */
enum rule_ticket {
    RULE_TICKET_NONE,
    RULE_TICKET_FITTING,
    RULE_TICKET_FAULT,
    RULE_TICKET_PREVENTIVE,
    RULE_TICKET_SUPPLY
};

/*
 * A fault rule. Rules of one family on one component are degrees of one fault.
 *
 * Slots of `when` and `clear`: the points of `kind` in order; from
 * kind->points.n on, the points of kind "device" (written device.NAME), and
 * behind them `extras`: what the rule asks besides.
 * Slots of `match`: MATCH_ below, texts; labels by label.NAME come after.
 */
enum rule_extra_type {
    RULE_KEY,          /* key: of the component */
    RULE_LABEL,        /* label: of the component, as people read it */
    RULE_DEVICE_LABEL, /* label.NAME: of the device */
    RULE_WINDOW,       /* a function over history: its slot is one of the points, its condition reads the same slots */
};
struct rule_extra {
    enum rule_extra_type type;
    char *name; /* of DEVICE_LABEL */
    struct expr_window window;
};

struct rule {
    char *name;   /* "supply-empty" */
    char *family; /* "supply" */
    const struct kind *kind;
    struct expr *match;         /* over the device's archive record; NULL: every device */
    ARRAY(char *) match_labels; /* label names used in match: slot MATCH_SLOTS + i */
    struct expr *when;
    struct expr *clear;              /* NULL: not when */
    ARRAY(struct rule_extra) extras; /* a since() behind those that its condition reads */
    int64_t hold_ms, clear_hold_ms;
    enum severity severity;
    enum party party;
    char *title[LANG_COUNT];   /* "Toner empty" */
    char *message[LANG_COUNT]; /* with {device} {component} {POINT} */
    char *remedy[LANG_COUNT];
    enum rule_ticket ticket;
    char *category; /* ticket category (DOMAIN.md): "hardware", "consumable", … */
    /* families: while a fault of one of them is open on the device, this is part of it and not told */
    ARRAY(char *) part_of;
    struct where where;
};

enum match_slot { MATCH_CLASS, MATCH_MAKE, MATCH_MODEL, MATCH_PROFILE, MATCH_NAME, MATCH_SITE, MATCH_SLOTS };

void rule_free(struct rule *r);

/*
 * Hold times, one for each rule and component: a condition must hold for
 * hold_ms before it fires and its end for clear_hold_ms before it is cleared.
 * Times are on the monotonic clock.
 */
enum hold_state { HOLD_OK, HOLD_PENDING, HOLD_FIRING, HOLD_CLEARING };

struct hold {
    enum hold_state state;
    int64_t since_ms; /* when the state was entered */
};

/* A condition as judged now: true, false, or unknown, which fires nothing and clears nothing. */
enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNKNOWN };

/*
 * One step. Unknown: PENDING falls back to OK (nobody can say that it held),
 * CLEARING back to FIRING, FIRING and OK stay. A hold of 0 fires at once. While
 * `when` is true nothing clears, whatever `clear` says.
 * Returns true when the state changed.
 */
bool hold_step(struct hold *h, enum truth when, enum truth clear, int64_t hold_ms, int64_t clear_hold_ms,
               int64_t now_ms);

/* When hold_step() will have something to do although nothing new is read; INT64_MAX if never. */
int64_t hold_due(const struct hold *h, int64_t hold_ms, int64_t clear_hold_ms);

/* Open: FIRING or CLEARING. */
static inline bool hold_open(const struct hold *h)
{
    return h->state == HOLD_FIRING || h->state == HOLD_CLEARING;
}

#endif
