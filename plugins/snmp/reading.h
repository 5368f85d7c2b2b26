#ifndef PD_SNMP_READING_H
#define PD_SNMP_READING_H

#include "base/array.h"
#include "plugins/snmp/read.h"

/*
 * A read from inside, shared by read.c (its life), ask.c (what to ask next),
 * answer.c (what a reply means), and those that have but one business of it.
 */

enum { SNMP_MAX_SCALARS = 20, SNMP_MAX_COLUMNS = 32 }; /* in one request */

/* Sub-identifiers that take no room of their own: nearly all instances have one or two. */
enum { SNMP_FEW = 2 };

/* How far a column has been read. */
struct cursor {
    uint16_t item, table; /* table: in the read's */
    uint16_t n;           /* sub-identifiers of the last row's instance */
    uint16_t cap;         /* room for them in many; 0: they are few */
    uint32_t rows;        /* so far */
    union {
        uint32_t few[SNMP_FEW];
        uint32_t *many;
    } last;
};

static inline const uint32_t *cursor_last(const struct cursor *c)
{
    return c->cap ? c->last.many : c->last.few;
}

/* A table that the read wants anything of, and what came of it. */
struct table {
    uint16_t group, columns;
    uint32_t cells, bytes; /* so far, that many bytes long on the wire */
};

/*
 * Where a read stands among the device's contexts: first what is asked of it as it
 * is, then context after context. Those of a column are listed first: the column is
 * walked, and its rows' last numbers are kept instead of being delivered.
 */
struct context_walk {
    uint8_t now;                /* the context that is read; 0: none */
    bool listing;               /* the column that names them is being walked */
    const struct pd_plan *plan; /* the read's meanwhile, as are these */
    uint32_t parts;
    struct snmp_learnt *learnt;
    ARRAY(uint32_t) names; /* of a column's rows */
    size_t next;           /* of those */
    char *community;       /* the peer's */
    bool answered;         /* anything, in this one */
    uint8_t mute;          /* contexts in a row that did not answer */
};

LIST_HEAD(snmp_lanes, pd_read);

struct pd_read {
    struct snmp_request request;
    struct pd_read *lead;        /* of a lane: the read that it belongs to */
    struct snmp_lanes lanes;     /* of a lead: those that ask beside it */
    LIST_ENTRY(pd_read) in_lane; /* among its lead's */
    struct pd_device *device;
    const struct pd_plan *plan;
    struct pd_plan *owned; /* freed with the read */
    struct snmp_peer peer; /* the device's, in the version and with the community of the context */
    uint32_t parts;
    struct pd_sink sink;
    struct timer idle; /* ends a read that has nothing to ask */

    struct context_walk context;

    uint16_t *scalars; /* items still to be read; behind the read, as are its tables */
    size_t nscalars;
    ARRAY(struct cursor) cursors; /* columns being read */
    struct table *tables;         /* the smallest first */
    uint16_t ntables, next_table; /* the next to be opened */
    struct snmp_learnt *learnt;   /* of each group: last time, then this time; the device's, but for a walk */
    struct snmp_learnt walk_learnt;
    uint16_t expect; /* rows that the open tables had last time, or SNMP_UNKNOWN_ROWS */

    /* The request under way: scalars[0 .. nget), then cursors[0 .. width). */
    uint8_t type; /* enum snmp_pdu_type */
    uint16_t nget, width, reps;

    uint16_t narrow;  /* at most so many at once while looking for the one at fault; 0: no limit */
    uint8_t silent;   /* requests in a row that had no answer */
    uint8_t small;    /* of them, those about so little that it can't be less */
    bool answered;    /* the device answered in this read */
    bool no_riders;   /* scalars go by themselves */
    bool no_bulk;     /* GETNEXT until the open tables are done */
    bool bulk_again;  /* as soon as GETNEXT is answered: what got no answer may have been lost */
    bool suspect;     /* GETBULK failed: if GETNEXT does not, the device has no bulk */
    bool broken;      /* it ends BROKEN */
    bool partial;     /* it won't be DONE */
    bool busy, ended; /* in the sink's cells(); ended there */
    bool waits;       /* a lead that has nothing left to ask, but has lanes */

    size_t ncells;
    size_t reply_size;
    uint32_t varbinds;
    uint64_t bytes;
    int64_t started_ms, row_ms; /* row_ms: when there last was something new */
    struct pd_read_result result;
    char detail[200];
};

/* ---- ask.c ---- */

/* Finds the tables that are wanted in the present context. */
void snmp_ask_tables(struct pd_read *r);
/* Chooses the next request; false if nothing is left. */
bool snmp_ask_next(struct pd_read *r);
/* True if the item belongs to the context that is read. */
bool snmp_ask_context(const struct pd_read *r, const struct snmp_item *it);
size_t snmp_ask_encode(const struct pd_read *r, int32_t id, uint8_t *buf, size_t n);
/* Columns of the first table of the present request, of several; else 0. */
uint16_t snmp_ask_one_table(const struct pd_read *r);
/* Varbinds that the present request can bring. */
unsigned snmp_ask_size(const struct pd_read *r);

/* ---- answer.c ---- */

void snmp_cursor_free(struct cursor *c);

/* Decodes the reply into the core's varbinds. */
enum snmp_drop snmp_answer_fits(struct pd_read *r, const struct snmp_msg *m);
/* Collects its cells and moves the read on. */
void snmp_answer_take(struct pd_read *r, const struct snmp_msg *m);
/* Gives up what the present request asked for. */
void snmp_answer_skip(struct pd_read *r);

/* ---- context.c ---- */

/* What is asked of the device as it is. */
void snmp_context_first(struct pd_read *r);
/* Goes to the next context that the read wants anything of; false if there is none, and for lanes. */
bool snmp_context_next(struct pd_read *r);
/* A row of the column that is listed, by its last number. */
void snmp_context_list(struct pd_read *r, uint32_t name);
/* An answer came. */
void snmp_context_heard(struct pd_read *r);
/* No answer came: true if nothing came in this context, which is given up then. One that never was is not missed. */
bool snmp_context_silent(struct pd_read *r);
void snmp_context_fini(struct pd_read *r);

/* ---- version.c ---- */

/* The device answered: in which version it speaks to us. */
void snmp_version_heard(struct pd_read *r);
/* True if the device, which never answered in version 2c, is now to be asked in version 1. */
bool snmp_version_next(struct pd_read *r);
/* It does not answer at all: what speaks when it is back is learnt anew. */
void snmp_version_forget(struct pd_device *d);

/* ---- lane.c ---- */

/*
 * A lane asks beside its read, the lead, for some of the tables that this has not begun, where a device takes several
 * requests at a time. It is a read of its own with the lead's sink, device and context. Lanes are opened once the
 * device has answered, so one that is off is asked once at a time; contexts are gone through by the lead alone, which
 * waits for its lanes before it goes on to the next, or ends.
 *
 * Makes one for some of the tables that are left, if the device takes another request; the caller starts it. NULL: none.
 */
struct pd_read *snmp_lane_open(struct pd_read *lead);
/* Takes it from its lead, which keeps what it has to say: its books, and its trouble unless that had its own. */
void snmp_lane_leave(struct pd_read *lane);

/* ---- read.c ---- */

/* A read of these parts that has asked for nothing yet. */
struct pd_read *snmp_read_new(struct pd_device *d, const struct pd_plan *plan, uint32_t parts,
                              const struct pd_sink *sink);

/* Where the device's objects go round in a circle; what was read is whole all the same. */
void snmp_read_note_loop(struct pd_read *r, const struct snmp_item *item, const struct cursor *c);
/* Notes the first trouble; the read will not be DONE. */
void snmp_read_note(struct pd_read *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, followed by the place: an item's OID and how far its column was read. */
void snmp_read_note_at(struct pd_read *r, const char *what, const struct snmp_item *item, const struct cursor *c);
/* The same for the first that the present request asks for. */
void snmp_read_note_asked(struct pd_read *r, const char *what);

#endif
