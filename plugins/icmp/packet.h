#ifndef PD_ICMP_PACKET_H
#define PD_ICMP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/addr.h"

/*
 * Echo requests and what comes back (RFC 792, RFC 4443). What comes is decoded
 * strictly: of exactly the form that our own requests call forth, or dropped
 * with a reason.
 */

/* How a family's echoes travel. */
enum icmp_way {
    ICMP_NOT,      /* not at all */
    ICMP_RAW,      /* a raw socket: whole packets under IPv4, errors too */
    ICMP_DATAGRAM, /* a ping socket (icmp(7)): the kernel gives the id and lets only our replies through */
};

/* What marks one request, so that its reply is known and none can be guessed. */
struct icmp_echo {
    uint16_t id, seq;
    uint32_t slot;   /* the table's place */
    uint64_t cookie; /* random for each request */
};

enum { ICMP_PACKET = 8 + 32 }; /* bytes of a request, and of its reply without an IP header */

/* Writes a request; the checksum too where the kernel does not (IPv4). */
void icmp_encode(const struct icmp_echo *e, int family, uint8_t out[static ICMP_PACKET]);

struct icmp_message {
    struct icmp_echo echo;
    bool is_error;      /* somebody on the way says that the request did not get there */
    uint8_t type, code; /* of the error */
    /* Of an error: where the request was going, and its checksum; an error need not bring slot and cookie. */
    union pd_addr to;
    uint16_t checksum;
    bool has_cookie;
};

/* Why a packet is dropped. */
enum icmp_drop {
    ICMP_TAKEN,
    ICMP_DROP_SHORT,    /* it ends too early */
    ICMP_DROP_HEADER,   /* its IP header, or that of what an error quotes, makes no sense */
    ICMP_DROP_CHECKSUM, /* IPv4 over a raw socket only: the kernel checks the others */
    ICMP_DROP_TYPE,     /* no reply, and no error that is about a request */
    ICMP_DROP_SIZE,     /* a reply to something else */
};

enum icmp_drop icmp_decode(const uint8_t *data, size_t n, int family, enum icmp_way way, struct icmp_message *out);

/* "host unreachable" and the like; static storage. */
const char *icmp_error_text(int family, uint8_t type, uint8_t code);

/* The Internet checksum of n bytes (RFC 1071); 0 of what holds its own. */
uint16_t icmp_checksum(const uint8_t *data, size_t n);

#endif
