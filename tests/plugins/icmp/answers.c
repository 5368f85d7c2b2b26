#include "tests/plugins/icmp/answers.h"

#include <netinet/in.h>
#include <string.h>

#include "plugins/icmp/packet.h"

enum { HEADER4 = 20, HEADER6 = 40 };

static void header4(uint8_t *p, size_t payload, const void *to)
{
    memset(p, 0, HEADER4);
    p[0] = 0x45;
    p[2] = (uint8_t)((HEADER4 + payload) >> 8);
    p[3] = (uint8_t)(HEADER4 + payload);
    p[8] = 64;
    p[9] = 1;
    memcpy(p + 16, to, 4);
}

static void header6(uint8_t *p, size_t payload, const void *to)
{
    memset(p, 0, HEADER6);
    p[0] = 0x60;
    p[5] = (uint8_t)payload;
    p[6] = 58;
    p[7] = 64;
    memcpy(p + 24, to, 16);
}

void answer_mend(uint8_t *packet, size_t n)
{
    uint16_t sum;

    packet[22] = packet[23] = 0;
    sum = icmp_checksum(packet + HEADER4, n - HEADER4);
    packet[22] = (uint8_t)(sum >> 8);
    packet[23] = (uint8_t)sum;
}

size_t answer_reply(const uint8_t *request, size_t n, int family, int raw, uint8_t out[static ANSWER_MAX])
{
    size_t head = family == AF_INET && raw ? HEADER4 : 0;

    if (head)
        header4(out, n, "\x0a\0\0\x01");
    memcpy(out + head, request, n);
    out[head] = family == AF_INET ? 0 : 129;
    if (head)
        answer_mend(out, head + n);
    return head + n;
}

size_t answer_error(const uint8_t *request, size_t quoted, int family, uint8_t type, uint8_t code, const void *to,
                    uint8_t out[static ANSWER_MAX])
{
    size_t head = family == AF_INET ? HEADER4 : 0, quote = head + 8 + (family == AF_INET ? HEADER4 : HEADER6);

    memset(out, 0, quote);
    out[head] = type;
    out[head + 1] = code;
    memcpy(out + quote, request, quoted);
    if (family == AF_INET)
        header4(out + head + 8, ICMP_PACKET, to);
    else
        header6(out + 8, ICMP_PACKET, to);
    if (head) {
        header4(out, quote + quoted - head, "\x7f\0\0\x01");
        answer_mend(out, quote + quoted);
    }
    return quote + quoted;
}
