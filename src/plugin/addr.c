#include "plugin/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"

static bool usable4(struct in_addr a)
{
    uint32_t h = ntohl(a.s_addr);

    return h != INADDR_ANY && h != INADDR_BROADCAST && !IN_MULTICAST(h);
}

static bool usable6(const struct in6_addr *a)
{
    return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_MULTICAST(a) && !IN6_IS_ADDR_V4MAPPED(a);
}

/* An interface's name or number. */
static int scope_parse(const char *text, uint32_t *out)
{
    int64_t n;

    *out = if_nametoindex(text);
    if (*out)
        return 0;
    if (str_to_i64(text, &n) < 0 || n < 1 || n > UINT32_MAX)
        return PD_EINVAL;
    *out = (uint32_t)n;
    return 0;
}

static int parse6(const char *text, uint16_t port, union pd_addr *out)
{
    char host[INET6_ADDRSTRLEN];
    const char *percent = strchr(text, '%');
    size_t n = percent ? (size_t)(percent - text) : strlen(text);
    union pd_addr a = {.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};

    if (n >= sizeof host)
        return PD_EINVAL;
    memcpy(host, text, n);
    host[n] = '\0';
    if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) != 1 || !usable6(&a.in6.sin6_addr))
        return PD_EINVAL;
    if (percent && scope_parse(percent + 1, &a.in6.sin6_scope_id) < 0)
        return PD_EINVAL;
    if (IN6_IS_ADDR_LINKLOCAL(&a.in6.sin6_addr) && !percent)
        return PD_EINVAL;
    *out = a;
    return 0;
}

int pd_addr_parse(const char *text, uint16_t port, union pd_addr *out)
{
    union pd_addr a = {.in = {.sin_family = AF_INET, .sin_port = htons(port)}};

    if (strchr(text, ':'))
        return parse6(text, port, out);
    if (inet_pton(AF_INET, text, &a.in.sin_addr) != 1 || !usable4(a.in.sin_addr))
        return PD_EINVAL;
    *out = a;
    return 0;
}

void pd_addr_text(const union pd_addr *a, char out[static PD_ADDR_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "?", scope[16] = "";

    if (a->sa.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &a->in.sin_addr, host, sizeof host);
        (void)snprintf(out, PD_ADDR_TEXT, "%s:%u", host, pd_addr_port(a));
        return;
    }
    (void)inet_ntop(AF_INET6, &a->in6.sin6_addr, host, sizeof host);
    if (a->in6.sin6_scope_id)
        (void)snprintf(scope, sizeof scope, "%%%u", (unsigned)a->in6.sin6_scope_id);
    (void)snprintf(out, PD_ADDR_TEXT, "[%s%s]:%u", host, scope, pd_addr_port(a));
}

uint16_t pd_addr_port(const union pd_addr *a)
{
    return ntohs(a->sa.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port);
}

socklen_t pd_addr_size(const union pd_addr *a)
{
    return a->sa.sa_family == AF_INET ? sizeof a->in : sizeof a->in6;
}

bool pd_addr_same_host(const union pd_addr *a, const union pd_addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    if (a->sa.sa_family == AF_INET)
        return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    if (IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr) && a->in6.sin6_scope_id != b->in6.sin6_scope_id)
        return false;
    return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0;
}
