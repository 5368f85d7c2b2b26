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
    QUALITY_SOME,    /* "some remains" (prtMarkerSuppliesLevel -3) */
    QUALITY_LIMIT,   /* the device states no limit (-1, "other") */
    QUALITY_UNKNOWN, /* absent, a sentinel, or nonsense */
};

struct value {
    uint8_t type;    /* enum value_type */
    uint8_t quality; /* enum quality; the union counts only when GOOD or STALE */
    union {
        bool b;
        int64_t i;
        double num;
        uint64_t bits;
        const char *text;
    };
};

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

/* True when type, quality and (where it counts) content are the same; texts by content. */
bool value_same(struct value a, struct value b);

/* Code of a quality ("good", "some", …) and of a type ("int", …); static storage. */
const char *quality_name(enum quality q);
const char *value_type_name(enum value_type t);

#endif
