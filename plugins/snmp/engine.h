#ifndef PD_SNMP_ENGINE_H
#define PD_SNMP_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/wheel.h"
#include "plugin/plugin.h"
#include "plugins/snmp/net.h"
#include "plugins/snmp/pdu.h"

/*
 * Requests on their way: ids, time-outs, repeats, and which reply belongs to which.
 *
 * A request's id carries its slot in the table and a random generation, so a reply
 * is found at once and cannot be guessed; it stays the same over repeats, so that
 * the answer to any of them will do. A reply counts only if address, port, version,
 * community, id, PDU type and OIDs fit; whatever else arrives is dropped, counted
 * by its reason and (now and then) logged. In version 3 the message's id and the
 * PDU's are the same; who a device is and what its clock says is found out on the
 * way (v3_peer.h).
 *
 * Requests younger than 250 ms are capped by what the receive buffer holds of
 * their replies, those above the cap wait in the order in which they came.
 */
struct snmp_engine;

struct snmp_v3_peer;
struct usm;

/*
 * How long a device's answers took (RFC 6298): measured on requests that were sent once. A request is repeated when its
 * answer is later than that makes likely, at first; each wait is twice the one before, and the last is the whole
 * time-out. Nothing is known of a device that never answered, or has just let a request go unanswered: then each wait
 * is the whole time-out.
 */
struct snmp_rtt {
    uint32_t mean8;   /* 8 times the mean in ms; 0: not known */
    uint32_t spread4; /* 4 times the mean deviation */
};

/* Whom a request goes to; borrowed from the device. */
struct snmp_peer {
    union pd_addr addr;
    const char *name;        /* for logs */
    const char *community;   /* in version 3 the context's name */
    struct snmp_rtt *rtt;    /* NULL: it is not measured */
    struct snmp_v3_peer *v3; /* its engine and our keys for it; NULL in versions 1 and 2c */
    uint8_t ncommunity;
    uint8_t version; /* enum snmp_version */
    uint8_t retries;
    bool from_any; /* answers from any address or port count */
    int32_t timeout_ms;
};

enum { SNMP_REQUEST_SIZE = 1472 }; /* largest request: one Ethernet frame */

/* Why a packet that came in is not used. */
enum snmp_drop {
    SNMP_FITS,
    SNMP_DROP_MALFORMED,
    SNMP_DROP_VERSION,
    SNMP_DROP_TYPE,
    SNMP_DROP_UNASKED,
    SNMP_DROP_ADDRESS,
    SNMP_DROP_PORT,
    SNMP_DROP_COMMUNITY,
    SNMP_DROP_OIDS,
    /* Of version 3: */
    SNMP_DROP_ENGINE,
    SNMP_DROP_USER,
    SNMP_DROP_LEVEL,
    SNMP_DROP_DIGEST,
    SNMP_DROP_TIME,
    SNMP_DROP_CIPHER,
    SNMP_DROP_REPORT,
    SNMP_DROPS
};

/* Why a device would not answer; all of version 3. */
enum snmp_refusal {
    SNMP_REFUSED_USER,
    SNMP_REFUSED_DIGEST,
    SNMP_REFUSED_CIPHER,
    SNMP_REFUSED_LEVEL,
    SNMP_REFUSED_CONTEXT,
    SNMP_REFUSED_TIME,
    SNMP_REFUSED_BOOTS,
    SNMP_REFUSED_ENGINE,
};

/* Embedded in who asks. Only the engine touches it between submit and the callbacks, but for patience_ms. */
struct snmp_request {
    const struct snmp_peer *peer;
    const struct snmp_request_ops *ops;
    int64_t
        patience_ms; /* it ends that long after it was first sent, whatever tries are left; set before each submit */
    /* The engine's: */
    struct snmp_engine *engine;
    TAILQ_ENTRY(snmp_request) queued; /* in the lane's queue */
    TAILQ_ENTRY(snmp_request) recent; /* among the lane's young */
    struct timer timer;
    int64_t submitted_ms, first_ms, last_ms; /* first_ms, last_ms: sent */
    int32_t id;                              /* 0: not submitted */
    uint8_t tries;                           /* of the leg under way: version 3 may ask first who a device is */
    uint8_t steps;                           /* enum v3_step */
    uint16_t sent, repeated;                 /* packets, in all legs */
    uint8_t misfit; /* enum snmp_drop: the last of what came from the device instead of an answer, as far as known */
    bool is_queued, is_recent;
    bool is_held; /* until its timer puts it into the queue */
};

struct snmp_request_ops {
    /* Writes the message with this id, in version 3 its PDU, into n bytes; its length. Called for each try. */
    size_t (*encode)(struct snmp_request *q, int32_t id, uint8_t *buf, size_t n);
    /* Says whether a message that fits in all else answers what was asked. May keep what it decoded for answered(). */
    enum snmp_drop (*fits)(struct snmp_request *q, const struct snmp_msg *m, size_t size);
    /* What names the request has come and will be looked at after another packet. Not for all; ends nothing. */
    void (*soon)(struct snmp_request *q);
    /* Follows at once where it does; the request is over and may be submitted anew. */
    void (*answered)(struct snmp_request *q, const struct snmp_msg *m);
    /* No answer in time; the request is over. */
    void (*expired)(struct snmp_request *q);
    /* The device says that it will not answer; the request is over. */
    void (*refused)(struct snmp_request *q, enum snmp_refusal why);
    /* Something came from the device while it was asked, but was dropped: to be counted. The request goes on. */
    void (*dropped)(struct snmp_request *q, enum snmp_drop why);
};

/* net is copied; services and what net.ctx points at must outlive the engine. */
struct snmp_engine *snmp_engine_new(const struct pd_services *services, const struct snmp_net *net);
/* Every request must have been withdrawn. */
void snmp_engine_free(struct snmp_engine *e);

void snmp_request_init(struct snmp_request *q, struct snmp_engine *e, const struct snmp_peer *peer,
                       const struct snmp_request_ops *ops);
/* Sends it as soon as there is room; no callback comes before this has returned. */
void snmp_request_submit(struct snmp_request *q);
/* Forgets it; harmless if it is over. */
void snmp_request_withdraw(struct snmp_request *q);
/* Time that the last request spent waiting to be sent for the first time. */
int64_t snmp_request_waited(const struct snmp_request *q);

/* The name of its counter. */
const char *snmp_drop_counter(enum snmp_drop drop);
/* "is no SNMP message": goes on from "what came". */
const char *snmp_drop_text(enum snmp_drop drop);
/* "it knows no such user": goes on from "the device refused". */
const char *snmp_refusal_text(enum snmp_refusal refusal);

/* Monotonic, in ms; while packets are taken in, the time at which they came. */
int64_t snmp_engine_now(const struct snmp_engine *e);

/* The crypto that its requests of version 3 use; made when it is first asked for. */
struct usm *snmp_engine_usm(struct snmp_engine *e);

void snmp_engine_counters(const struct snmp_engine *e, void (*put)(void *arg, const char *name, uint64_t value),
                          void *arg);

#endif
