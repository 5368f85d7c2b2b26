#ifndef PD_MODEL_VOCABULARY_H
#define PD_MODEL_VOCABULARY_H

#include <limits.h>

#include "base/array.h"
#include "base/text.h"
#include "expr/expr.h"

/*
 * The registry of component kinds and of their points: the names that every
 * module fills and every rule reads (conf/kinds.yaml). A new kind or point is
 * reviewed here once, so that two devices never call one thing by two names.
 */

/* One name of an enumeration (number) or of a flag set (bit). */
struct member {
    char *code; /* "down", "jammed": compared, stored, never translated */
    int64_t number;
    char *title[LANG_COUNT]; /* as people read it; the code where NULL */
    const char *severity;    /* of member_severities; NULL: nobody said */
};

struct members {
    ARRAY(struct member) list;
    const char **codes;            /* the codes, ended by NULL */
    struct expr_member *for_exprs; /* parallel to the list */
};

/* How grave a member is, as modules say it: "ok", "info", "warning", "major", "critical", "unknown"; ended by NULL. */
extern const char *const member_severities[];

/*
 * What tells whether the readings of a counter can be compared: other points of
 * the component, by slot. A counter of 32 bits that could have gone round
 * between two readings is no step, and neither is one that began anew.
 */
enum { NO_POINT = UINT_MAX };
struct counter_bounds {
    unsigned begins; /* int: what it counts from; another number there is another count. Or NO_POINT */
    unsigned wide;   /* bool: it has 64 bits. Or NO_POINT: it has 32 */
    unsigned pace;   /* num: how many bits a second it can count at the most. NO_POINT: it never goes round */
    int64_t bits;    /* that make one count at the least */
};

struct point_def {
    char *name; /* "level" */
    unsigned slot;
    enum value_type type;
    char *unit;        /* UCUM-like code: "%", "Cel", "By", "{page}"; NULL for none */
    bool counter;      /* only rises between resets */
    unsigned total_of; /* the slot of a counter whose rises patrold adds up here; NO_POINT: it is no total */
    struct counter_bounds bounds;
    char *title[LANG_COUNT];
    struct members members; /* of ENUM and BITS */
    char *fact;             /* its member in the facts of a device (`patrolctl facts`); NULL: not written there */
};

struct kind {
    char *name; /* "supply" */
    unsigned number;
    bool single;   /* a device has exactly one, with key "" ("device") */
    bool totals;   /* one of its points is a total */
    bool fleeting; /* its components come and go: one that a complete read does not find is gone at once, unsaid */
    char *title[LANG_COUNT];
    ARRAY(struct point_def) points; /* a point's slot is its place here */
    /* In the facts of a device: which section its components are written in (NULL: none; those of "device" go to the top). */
    char *facts;
    char *facts_index;          /* what stands before a row's index; NULL: nothing */
    char *facts_class;          /* what every row says of its class; NULL: a point tells, or nobody */
    char *facts_oid;            /* the point whose address is the row's "oid"; NULL: none is written */
    unsigned facts_index_parts; /* how many last numbers of the instance make the index */
};

struct vocabulary {
    ARRAY(struct kind *) kinds; /* kinds.v[0] is always "device" */
};

void vocabulary_free(struct vocabulary *v); /* frees what it holds */

/*
 * Which number a point of a kind was given, once and for ever: readings are kept
 * under it. So a point's slot is its number, wherever it stands in kinds.yaml.
 */
struct point_number {
    char *kind, *name;
    unsigned number;
};
struct point_numbers {
    ARRAY(struct point_number) list; /* owns the names */
};
void point_numbers_free(struct point_numbers *p); /* frees what it holds */
void point_numbers_add(struct point_numbers *p, const char *kind, const char *name, unsigned number);
/*
 * Puts points where their numbers say. Those without one come behind, in the order in which they stand; where a
 * number's point is gone a point stands that has no type and a name that nobody can write (POINT_GONE).
 */
#define POINT_GONE "(gone)"
void vocabulary_renumber(struct vocabulary *v, const struct point_numbers *numbers);
void members_free(struct members *m); /* likewise */
/* Appends a member; takes copies. severity: of member_severities, or NULL. */
void members_add(struct members *m, const char *code, int64_t number, char *const title[LANG_COUNT],
                 const char *severity);
const struct kind *vocabulary_kind(const struct vocabulary *v, const char *name); /* NULL if there is none */
const struct point_def *kind_point(const struct kind *k, const char *name);       /* NULL if there is none */
const struct member *members_by_code(const struct members *m, const char *code);
const struct member *members_by_number(const struct members *m, int64_t number);
/* The member's text in a language, or its code. */
const char *member_title(const struct member *m, enum lang lang);

/*
 * Points of kind "device" that patrold itself fills, whatever a module says, and
 * those that it reads itself. Their names are fixed here.
 */
#define DEVICE_KIND "device"
#define POINT_REACHABLE "reachable" /* bool: it answers */
#define POINT_PING "ping"           /* bool: it answers an ICMP echo */
#define POINT_RESTARTS "restarts"   /* int: restarts seen within 24 hours */
#define POINT_SWAPPED "swapped"     /* bool: somebody else stands at its place, and nobody confirmed it */
#define POINT_CONFLICT "conflict"   /* bool: another device has the same identity at the same time */
#define POINT_UPTIME "uptime"       /* num, seconds: read, for the restarts */
#define POINT_BOOTS "engine_boots"  /* int: likewise */

#endif
