#ifndef PD_SNMP_READING_H
#define PD_SNMP_READING_H

#include "base/array.h"
#include "plugins/snmp/read.h"

/*
 * A read from inside, shared by read.c (its life), ask.c (what to ask next) and
 * answer.c (what a reply means).
 */

/* How far a column has been read. */
struct cursor {
    uint16_t item, group;
    uint16_t n, cap; /* sub-identifiers in last */
    uint32_t rows;   /* so far */
    uint32_t *last;  /* instance of the last row */
};

struct pd_read {
    struct snmp_request request;
    struct pd_device *device;
    const struct pd_plan *plan;
    struct pd_plan *owned; /* freed with the read */
    uint32_t parts;
    struct pd_sink sink;
    struct timer idle; /* ends a read that has nothing to ask */

    uint16_t *scalars; /* items still to be read */
    size_t nscalars;
    ARRAY(struct cursor) cursors; /* columns being read */
    uint16_t group;               /* the next to be opened */
    uint16_t *rows;               /* of each group: last time, then this time; the device's, but for a walk */
    uint16_t walk_rows;
    uint16_t expect; /* rows that the open tables had last time, or SNMP_UNKNOWN_ROWS */

    /* The request under way: scalars[0 .. nget), then cursors[0 .. width). */
    uint8_t type; /* enum snmp_pdu_type */
    uint16_t nget, width, reps;

    uint16_t narrow;  /* at most so many at once while looking for the one at fault; 0: no limit */
    uint8_t silent;   /* requests in a row that had no answer */
    bool answered;    /* the device answered in this read */
    bool no_riders;   /* scalars go by themselves */
    bool no_bulk;     /* GETNEXT until the open tables are done */
    bool suspect;     /* GETBULK failed: if GETNEXT does not, the device has no bulk */
    bool broken;      /* it ends BROKEN */
    bool busy, ended; /* in the sink's cells(); ended there */

    size_t ncells;
    size_t reply_size;
    uint32_t varbinds;
    uint64_t bytes;
    int64_t started_ms, row_ms; /* row_ms: when there last was something new */
    struct pd_read_result result;
    char detail[200];
};

/* ---- ask.c ---- */

/* Chooses the next request; false if nothing is left. */
bool snmp_ask_next(struct pd_read *r);
size_t snmp_ask_encode(const struct pd_read *r, int32_t id, uint8_t buf[SNMP_REQUEST_SIZE]);
/* Varbinds that the present request can bring. */
unsigned snmp_ask_size(const struct pd_read *r);

/* ---- answer.c ---- */

/* Decodes the reply into the core's varbinds. */
enum snmp_drop snmp_answer_fits(struct pd_read *r, const struct snmp_msg *m);
/* Collects its cells and moves the read on. */
void snmp_answer_take(struct pd_read *r, const struct snmp_msg *m);
/* Gives up what the present request asked for. */
void snmp_answer_skip(struct pd_read *r);

/* ---- read.c ---- */

/* Notes the first trouble; the read will not be DONE. */
void snmp_read_note(struct pd_read *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, followed by the place: an item's OID and how far its column was read. */
void snmp_read_note_at(struct pd_read *r, const char *what, const struct snmp_item *item, const struct cursor *c);
/* The same for the first that the present request asks for. */
void snmp_read_note_asked(struct pd_read *r, const char *what);

#endif
