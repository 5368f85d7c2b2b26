#ifndef PD_PLUGIN_PLUGIN_H
#define PD_PLUGIN_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rng.h"
#include "base/wheel.h"
#include "plugin/addr.h"

/*
 * What a plugin is given and what it must give. A collector reads devices; a
 * channel reaches people. A plugin includes this folder and base/, nothing else
 * of ours: it knows addresses and typed values, never what they mean.
 */

/* ---- Services: time, chance and the event loop, all from outside ---- */

struct pd_watch; /* a watched file descriptor */

struct pd_services {
    struct pd_clock clock;
    struct pd_rng rng;
    struct wheel *wheel; /* timers; advanced by the loop's owner only */
    /* Calls fn in the loop whenever fd is readable, or writable; NULL where there is no loop (virtual time). */
    struct pd_watch *(*watch_read)(void *loop, int fd, void (*fn)(void *arg), void *arg);
    struct pd_watch *(*watch_write)(void *loop, int fd, void (*fn)(void *arg), void *arg);
    void (*unwatch)(struct pd_watch *w);
    /*
     * An answer will come to a descriptor of its own. After many such calls the loop first looks a quarter of a
     * millisecond later, so that answers are taken together and not each one wakes it.
     */
    void (*expect)(void *loop);
    void *loop;
};

/* ---- Collectors ---- */

/* One thing to read. */
struct pd_source {
    uint32_t id;         /* carried by its cells; unique within a compile */
    const char *address; /* in the collector's language: "1.3.6.1.2.1.43.11.1.1.9" */
    bool table;          /* a column, one cell for each row; else one cell with an empty instance */
    uint8_t part;        /* which part of the plan reads it, 0..31: parts have rates of their own */
    uint8_t context;     /* in which of the target's contexts, counted from 1; 0: as the device is asked by itself */
    const char *file;    /* where it was written, for errors; borrowed during compile */
    int line, col;
};

enum pd_cell_type {
    PD_CELL_INT,     /* .i */
    PD_CELL_UINT,    /* .u: Counter32/64, Gauge32, Unsigned32 */
    PD_CELL_TICKS,   /* .u, hundredths of a second */
    PD_CELL_BYTES,   /* .bytes: OCTET STRING, Opaque, IpAddress (4 bytes), as on the wire */
    PD_CELL_OID,     /* .oid, sub-identifiers */
    PD_CELL_FLOAT,   /* .f */
    PD_CELL_NULL,    /* the device has the row but no value */
    PD_CELL_ABSENT,  /* no such object or instance */
    PD_CELL_INVALID, /* it answered, but this value could not be decoded */
};

enum { PD_MAX_INSTANCE = 128 }; /* a walk gives whole names */

/* One value as read. Pointers are borrowed for the length of the callback. */
struct pd_cell {
    uint32_t source;
    uint8_t type;       /* enum pd_cell_type */
    uint8_t tag;        /* SNMP: of the value on the wire (its BER tag), for who writes it down; else 0 */
    uint16_t ninstance; /* 0 for a scalar */
    uint32_t nbytes;    /* of .bytes, or sub-identifiers of .oid */
    const uint32_t *instance;
    union {
        int64_t i;
        uint64_t u;
        double f;
        const uint8_t *bytes;
        const uint32_t *oid;
    };
};

/* How a read ended. */
enum pd_read_status {
    PD_READ_DONE,     /* everything that there is was read */
    PD_READ_PARTIAL,  /* the device answered, but a part is missing: see the detail */
    PD_READ_NOANSWER, /* it never answered */
    PD_READ_REFUSED,  /* it answered that we may not (authorizationError, unknown user); ICMP: we may not ask */
    PD_READ_BROKEN,   /* it answered nonsense, or never came to an end */
    PD_READ_CANCELLED,
};

struct pd_read_result {
    enum pd_read_status status;
    uint32_t requests, retries; /* packets sent, of them repeated */
    int32_t rtt_ms;             /* of the first answer; -1 if there was none */
    int64_t sent_ms;            /* monotonic: when the first packet went out; 0: not known, or none did */
    bool fell_silent;           /* it answered, but no more at the end */
    bool looped;                /* SNMP: its objects go round in a circle; it was stopped there, which detail says */
    const char *detail;         /* English, clean, for the log; NULL when DONE, unless it looped; borrowed */
};

/*
 * Who gets the cells: response by response, then exactly one end(). Cells of a table column come in
 * rising order of instance.
 */
struct pd_sink {
    void (*cells)(void *arg, const struct pd_cell *cells, size_t n);
    void (*end)(void *arg, const struct pd_read_result *result);
    void *arg;
    /*
     * An answer is about to be taken, behind that of another device; last: likely none comes after it. Time to fetch
     * from memory where its cells go and what they will be compared with, and for nothing else. Called any number of
     * times, and not for each answer; may be NULL.
     */
    void (*soon)(void *arg, bool last);
};

/*
 * SNMP: a view of a device that is a world of its own. It is asked for by the community's suffix (NAME@CONTEXT), in
 * version 3 as the message's context. Exactly one of the two.
 */
struct pd_context {
    const char *name; /* "Jetdirect" */
    const char
        *each; /* a column's address: a context for each of its rows, called by the last number of its instance */
};

/* Modbus: registers or bits that the device's map forbids. */
struct pd_hole {
    uint8_t function; /* that reads them: 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers */
    uint16_t first, last;
};

/* SNMPv3's user-based security: how messages are authenticated and encrypted. */
enum pd_usm_auth {
    PD_AUTH_NONE,
    PD_AUTH_MD5,
    PD_AUTH_SHA1,
    PD_AUTH_SHA224,
    PD_AUTH_SHA256,
    PD_AUTH_SHA384,
    PD_AUTH_SHA512,
};

/* AES-192 and AES-256 need a longer key than some digests give: it is extended as Blumenthal's draft says, or Reeder's. */
enum pd_usm_priv {
    PD_PRIV_NONE,
    PD_PRIV_DES,
    PD_PRIV_AES128,
    PD_PRIV_AES192,
    PD_PRIV_AES256,
    PD_PRIV_AES192_REEDER,
    PD_PRIV_AES256_REEDER,
};

/* Who asks, in SNMPv3. */
struct pd_usm_secret {
    const char *user;                          /* 1 to 32 bytes */
    uint8_t auth, priv;                        /* enum pd_usm_auth, pd_usm_priv; no priv without auth */
    const char *auth_password, *priv_password; /* at least 8 bytes each; NULL where there is no such protection */
    const char *context;                       /* in which the device is asked by itself; NULL: "" */
    const char *engine_id;                     /* hexadecimal; NULL: discovered */
};

/* Where a device is and how to talk to it; copied by open(). */
struct pd_target {
    const char *name;      /* for logs */
    const char *address;   /* numeric IPv4 or IPv6, with %scope where link-local; Modbus: or a serial bus's name */
    uint16_t port;         /* 0: the protocol's own */
    uint8_t unit;          /* Modbus: 1 to 255; 0: 1 */
    uint8_t version;       /* SNMP: 1, 2 or 3 */
    const char *community; /* SNMP: the secret itself, resolved from a credential's name */
    const struct pd_usm_secret *usm; /* version 3: likewise, instead of the community; else NULL */
    int timeout_ms;                  /* of one request; 0: the collector's default */
    int retries;                     /* after the first try; -1: the collector's default */
    bool no_bulk;                    /* quirk: GETNEXT only */
    bool reply_from_any;             /* quirk: a multihomed agent answers from another of its addresses */
    uint16_t max_repetitions;        /* 0: the collector's default */
    uint32_t message_size;           /* quirk: bytes of an answer that it can send; 0: the collector's default */
    uint32_t max_rows;               /* quirk: of one table; more are not read. 0: the collector's default */
    uint16_t in_flight;              /* SNMP quirk: requests at a time; 0: one */
    /* Modbus quirks. Devices that share a connection are treated as the most delicate of them likes it. */
    bool per_poll;          /* the connection is closed when nothing is to be asked */
    bool no_gaps;           /* nothing that no source names is ever asked for */
    int connect_delay_ms;   /* between the connection and the first request */
    int gap_ms;             /* between an answer and the next request */
    uint16_t max_registers; /* in one request; 0: the collector's default */
    /* Never part of a request; a source that lies there is ABSENT. */
    const struct pd_hole *holes;
    size_t nholes;
    const struct pd_context *contexts;
    size_t ncontexts;
};

/* ---- Traps: what devices say unasked ---- */

/* A trap or an inform. Everything is borrowed for the length of the call. */
struct pd_trap {
    const union pd_addr *from;  /* who sent the packet, which anybody can pretend to be */
    const union pd_addr *agent; /* of whom it tells, where it says so and that is not the sender; NULL */
    uint8_t version;            /* 1, 2 or 3 */
    bool inform;                /* it is to be answered */
    uint64_t id;                /* of an inform: the same when it comes again, after a restart too */
    bool authentic;             /* version 3: its digest is right and it is no replay */
    const uint8_t *community;   /* versions 1 and 2: not compared with anything yet; else NULL */
    size_t ncommunity;
    const char *user;      /* version 3; else NULL */
    const uint8_t *engine; /* version 3: the sender's engine, of traps alone; else NULL */
    size_t nengine;
    uint64_t uptime;     /* hundredths of a second */
    const uint32_t *oid; /* what it is: the value of snmpTrapOID */
    size_t noid;
    const struct pd_cell *cells; /* its other varbinds in order, with the whole name as instance; source is 0 */
    size_t ncells;
};

/* Who is told of traps. */
struct pd_trap_sink {
    /* Whether a device is known at that address: cheap, asked of every packet. */
    bool (*knows)(void *arg, const union pd_addr *from);
    /*
     * A trap that got through. True if it is believed: then, if it is an inform, done(done_arg) follows once, perhaps
     * before this returns, when what came of it is on disk; with that it is answered. Repeated ones don't come here.
     */
    bool (*trap)(void *arg, const struct pd_trap *t, void (*done)(void *done_arg), void *done_arg);
    void *arg;
};

struct pd_collector;
struct pd_plan;
struct pd_device; /* the collector's record of a target */
struct pd_read;   /* a read under way */

struct pd_compile_error {
    uint32_t source;
    char msg[160];
};

struct pd_collector_ops {
    const char *name; /* "snmp" */
    /* A device is asked without a credential; how long and how often stands in the collector's own settings. */
    bool no_credential;
    const char *addresses; /* what an address is, in words; NULL: "an IPv4 or IPv6 address" */
    /*
     * 0 and *out, or an error with its cause in the log. `config` is the collector's own settings,
     * NULL for defaults.
     */
    int (*start)(const struct pd_services *services, const void *config, struct pd_collector **out);
    void (*stop)(struct pd_collector *c); /* every read ends CANCELLED first; devices still open are closed */
    /* Compiles sources, shared by all devices of a profile. PD_EINVAL with *err at the first that makes no sense. */
    int (*compile)(struct pd_collector *c, const struct pd_source *sources, size_t n, struct pd_plan **out,
                   struct pd_compile_error *err);
    void (*plan_free)(struct pd_plan *p); /* no read may use it any more */
    int (*open)(struct pd_collector *c, const struct pd_target *target, struct pd_device **out);
    void (*close)(struct pd_device *d); /* its reads end CANCELLED first */
    /*
     * Starts reading the parts of the plan whose bits are set. The sink is never
     * called before read() has returned. One read a device at a time: PD_EBUSY.
     */
    int (*read)(struct pd_device *d, const struct pd_plan *plan, uint32_t parts, const struct pd_sink *sink,
                struct pd_read **out);
    /* Reads everything below a root (numeric text); cells carry source 0 and the whole address as instance. */
    int (*walk)(struct pd_device *d, const char *root, const struct pd_sink *sink, struct pd_read **out);
    /* end() comes with CANCELLED before this returns. */
    void (*cancel)(struct pd_read *r);
    /* Appends counters as name/value pairs: every drop reason is one. */
    void (*counters)(struct pd_collector *c, void (*put)(void *arg, const char *name, uint64_t value), void *arg);
    /* Likewise, of each device by itself, what is not 0 of packets that came from it and were dropped. May be NULL. */
    void (*device_drops)(struct pd_collector *c,
                         void (*put)(void *arg, const char *device, const char *name, uint64_t value), void *arg);
    /*
     * From now on traps go to the sink (copied), and any of these users (borrowed during the call) may authenticate
     * them; called again where either changes, with NULL to hear no more. NULL: the collector knows no traps.
     */
    void (*traps)(struct pd_collector *c, const struct pd_trap_sink *sink, const struct pd_usm_secret *users, size_t n);
};

/* ---- Channels ---- */

/* A file that goes out with a message. */
enum pd_part_role {
    PD_PART_TEXT,     /* said instead of the body */
    PD_PART_HTML,     /* the same for who reads HTML */
    PD_PART_INLINE,   /* a picture that the HTML shows as cid:NAME */
    PD_PART_ATTACHED, /* a file of its own, called NAME */
};
struct pd_part {
    enum pd_part_role role;
    const char *path, *name;
};

struct pd_message {
    const char *id;      /* for ever the same for one message: the Message-ID without <> */
    const char *from;    /* as it was when the message was written; NULL: the channel's own */
    const char *to;      /* one or more addresses, comma separated */
    const char *subject; /* UTF-8 */
    const char *body;    /* UTF-8, lines end with \n */
    int64_t date_ms;     /* when it was decided */
    const struct pd_part *parts;
    size_t nparts;
};

enum pd_send_status {
    PD_SEND_DONE,  /* the other side took responsibility */
    PD_SEND_LATER, /* try again: no connection, 4xx */
    PD_SEND_NEVER, /* 5xx: trying again is useless */
};

struct pd_send_result {
    enum pd_send_status status;
    char detail[200]; /* clean English for the log and the outbox */
};

struct pd_channel;

struct pd_channel_ops {
    const char *name; /* "mail" */
    int (*start)(const void *config, struct pd_channel **out);
    void (*stop)(struct pd_channel *c);
    /* Blocking, on a worker thread; always bounded by a time-out. Thread-safe. */
    void (*send)(struct pd_channel *c, const struct pd_message *m, struct pd_send_result *out);
    /* We are about to stop: sends under way end within 3 s, new ones at once, with LATER. From the loop; may be NULL. */
    void (*interrupt)(struct pd_channel *c);
};

/* A mail channel's settings; copied by start(). */
struct pd_mail_config {
    const char *url;             /* smtp://host:port, smtps://host:port */
    bool starttls;               /* demand STARTTLS on smtp:// */
    const char *ca_file;         /* NULL: the system's */
    const char *from;            /* "Name <address>" */
    const char *user, *password; /* NULL: no authentication */
    int timeout_s;               /* of the whole send; 0: 60 */
};

#endif
