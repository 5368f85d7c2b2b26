#ifndef PD_TESTS_ICMP_ANSWERS_H
#define PD_TESTS_ICMP_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

/* What devices and routers answer to a request, as a socket hands it over. */

enum { ANSWER_MAX = 200 };

/* The reply; family AF_INET with its IP header if `raw`. Gives its length. */
size_t answer_reply(const uint8_t *request, size_t n, int family, int raw, uint8_t out[static ANSWER_MAX]);
/* An error that quotes `quoted` bytes of the request, which went to `to` (4 or 16 bytes). IPv4: raw. */
size_t answer_error(const uint8_t *request, size_t quoted, int family, uint8_t type, uint8_t code, const void *to,
                    uint8_t out[static ANSWER_MAX]);
/* Puts the checksum of the ICMP message behind a raw IPv4 header right again. */
void answer_mend(uint8_t *packet, size_t n);

#endif
