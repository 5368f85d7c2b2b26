#ifndef PD_REPORT_READ_H
#define PD_REPORT_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * JSON objects read into structs by tables: one row a member, and no other
 * members may stand there. A complaint names its place and says what would be
 * right: "devices[3].health: 'god' is none of ok, attention, fault (did you mean 'ok'?)".
 */

/* A number that may be unknown: null in JSON. */
struct maybe {
    bool known;
    int64_t v;
};

enum member_type {
    MEMBER_END,
    MEMBER_TEXT,     /* const char *, borrowed from the JSON; not empty */
    MEMBER_TEXT_OR,  /* likewise, or null: NULL */
    MEMBER_INT,      /* int64_t within min and max */
    MEMBER_INT_OR,   /* struct maybe */
    MEMBER_BOOL,     /* bool */
    MEMBER_CODE,     /* int, index in codes */
    MEMBER_CODE_OR,  /* likewise, or null: -1 */
    MEMBER_DATE,     /* int64_t, the day's number (base/date.h): "2026-09-30" */
    MEMBER_DATE_OR,  /* struct maybe */
    MEMBER_MONTH,    /* int64_t, the first day's number: "2026-09" */
    MEMBER_LANGUAGE, /* enum lang */
    MEMBER_OBJECT,   /* the struct of sub, in place */
    MEMBER_LIST,     /* struct member_list of sub */
};

struct member_row {
    const char *name;
    enum member_type type;
    size_t offset;
    int64_t min, max; /* of numbers; max 0: no limit but MEMBER_INT_MAX. Of lists, max: at most so many entries */
    const char *const *codes; /* ended by NULL */
    const struct member_row *sub;
    size_t size; /* of a list's struct */
};

/*
 * The last millisecond of the year 9999; later stamps have no date. MEMBER_LIST_MAX of them can be added without
 * overflow.
 */
#define MEMBER_INT_MAX INT64_C(253402300799999)
enum { MEMBER_TEXT_MAX = 4000, MEMBER_LIST_MAX = 20000, COMPLAINTS_MAX = 20 };

/* As ARRAY(T), whatever T is. */
struct member_list {
    void *v;
    size_t n, cap;
};

/* What is wrong with a document: all of it counted, the first COMPLAINTS_MAX written, one a line. */
struct complaints {
    struct sbuf text;
    size_t n;
};

void complain(struct complaints *c, const char *path, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Reads an object into a zeroed struct. What could be read is there in any case; members_release() frees it. */
void members_read(const struct member_row *rows, const json_t *object, const char *path, void *out,
                  struct complaints *c);
/* Frees the lists. */
void members_release(const struct member_row *rows, void *s);

#endif
