#ifndef PD_EXPR_VALUE_H
#define PD_EXPR_VALUE_H

#include <stdbool.h>
#include <stdint.h>

enum value_type {
    VALUE_NONE, /* nothing is known, not even a type */
    VALUE_BOOL,
    VALUE_INT,  /* 64-bit signed: counters and identifiers stay exact */
    VALUE_NUM,  /* double */
    VALUE_ENUM, /* a number (in .i) with a dictionary of names */
    VALUE_BITS, /* 64 flags with a dictionary of names; flag k is bit k */
    VALUE_TEXT, /* clean UTF-8, borrowed */
};

/* How far a value can be believed. Only GOOD is a number that may be reckoned with. */
enum quality {
    QUALITY_GOOD,
    QUALITY_STALE,   /* was good; not read since */
    QUALITY_SOME,    /* "some remains" */
    QUALITY_LIMIT,   /* the device states no limit */
    QUALITY_UNKNOWN, /* absent, a sentinel, or nonsense */
};

/* Why a value is not good. */
enum why {
    WHY_NONE,     /* nobody said: not read yet */
    WHY_ABSENT,   /* the device does not send it */
    WHY_SENTINEL, /* a number that means none; raw in .i */
    WHY_TYPE,     /* not what its type can be */
    WHY_RANGE, /* cannot be: outside of what its column allows, raw in .i; without a slot: too large to reckon with */
    WHY_ROW,   /* no such row in another table */
    WHY_ZERO,  /* divided by zero */
    WHY_RULE,  /* the expression itself says unknown */
};

/* No slot is to blame. */
enum { VALUE_NO_SLOT = UINT16_MAX };

struct value {
    uint8_t type;    /* enum value_type */
    uint8_t quality; /* enum quality; the union counts only when GOOD or STALE, or where `why` says so */
    uint8_t why;     /* enum why; NONE of what is good */
    uint16_t slot;   /* which slot of the row is to blame; counts only where there is a why */
    union {
        bool b;
        int64_t i;
        double num;
        uint64_t bits;
        const char *text;
    };
};

_Static_assert(sizeof(struct value) == 16, "rows are arrays of these");

#define VALUE_UNKNOWN ((struct value){.type = VALUE_NONE, .quality = QUALITY_UNKNOWN})

static inline struct value value_bool(bool b)
{
    return (struct value){.type = VALUE_BOOL, .b = b};
}
static inline struct value value_int(int64_t i)
{
    return (struct value){.type = VALUE_INT, .i = i};
}
static inline struct value value_num(double n)
{
    return (struct value){.type = VALUE_NUM, .num = n};
}
static inline struct value value_enum(int64_t i)
{
    return (struct value){.type = VALUE_ENUM, .i = i};
}
static inline struct value value_bits(uint64_t b)
{
    return (struct value){.type = VALUE_BITS, .bits = b};
}
static inline struct value value_text(const char *t)
{
    return (struct value){.type = VALUE_TEXT, .text = t};
}
static inline struct value value_quality(enum quality q)
{
    return (struct value){.type = VALUE_NONE, .quality = (uint8_t)q};
}

/* Unknown for a reason that no slot is to blame for. */
static inline struct value value_unknown(enum why why)
{
    return (struct value){.quality = QUALITY_UNKNOWN, .why = (uint8_t)why, .slot = VALUE_NO_SLOT};
}
/* What comes of a value that is not good: its quality and why, but nothing to reckon with. */
static inline struct value value_spoilt(struct value v)
{
    v.type = VALUE_NONE;
    return v;
}

/* True when type, quality and (where it counts) content are the same; texts by content. Why it is not good is not compared. */
bool value_same(struct value a, struct value b);

/* Code of a quality ("good", "some", …) and of a type ("int", …); static storage. */
const char *quality_name(enum quality q);
const char *value_why_name(enum why w); /* "absent", "sentinel", …; "none" */
const char *value_type_name(enum value_type t);

#endif
