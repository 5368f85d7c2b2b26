#include "conf/listen.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"

/*
 *     snmp:
 *       traps:
 *         listen: ["0.0.0.0:1162", "[::]:1162"]
 *         per_source: 20
 *         total: 4000
 */

/* Splits "HOST:PORT" or "[HOST]:PORT"; false if that makes no sense. The host is a copy. */
static bool split(const char *text, char **host, int64_t *port)
{
    const char *colon = strrchr(text, ':');
    bool braced = text[0] == '[';
    size_t n;

    if (!colon || str_to_i64(colon + 1, port) < 0 || *port < 1 || *port > UINT16_MAX)
        return false;
    n = (size_t)(colon - text);
    if (braced && (n < 2 || text[n - 1] != ']'))
        return false;
    *host = braced ? xstrndup(text + 1, n - 2) : xstrndup(text, n);
    return true;
}

/* The host stands first in the struct, so its field is where the whole is. */
static void read_listen(struct yaml_node *node, void *field, struct conf_report *report)
{
    struct trap_listen *to = field;
    uint8_t numeric[sizeof(struct in6_addr)];
    char *host = NULL;
    int64_t port;
    bool good = node->type == YAML_TEXT && split(node->text, &host, &port) &&
                inet_pton(node->text[0] == '[' ? AF_INET6 : AF_INET, host, numeric) == 1;

    if (good) {
        xstrset(&to->host, host);
        to->port = (uint16_t)port;
    } else {
        conf_error(report, node, "expected a numeric address and a port: \"0.0.0.0:1162\", \"[::]:1162\"");
    }
    xstrset(&host, NULL);
}

static void release_text(void *field)
{
    xstrset(field, NULL);
}

static const struct schema_row listen_rows[] = {
    {"at", SCHEMA_CUSTOM, SCHEMA_REQUIRED, .read = read_listen, .release = release_text,
     SCHEMA_FIELD(struct trap_listen, host)},
    {0},
};
static const struct schema listen_schema = {
    .what = "an address to listen at", .rows = listen_rows, .size = sizeof(struct trap_listen), .shorthand = "at"};

#define TRAPS(f) SCHEMA_FIELD(struct trap_settings, f)

static const struct schema_row traps_rows[] = {
    {"listen", SCHEMA_LIST, .sub = &listen_schema, TRAPS(listen)},
    {"per_source", SCHEMA_INT, .min = 1, .max = 10000, .fallback = "20", TRAPS(per_source)},
    {"total", SCHEMA_INT, .min = 1, .max = 100000, .fallback = "4000", TRAPS(total)},
    {0},
};
const struct schema traps_settings_schema = {
    .what = "snmp.traps", .rows = traps_rows, .size = sizeof(struct trap_settings)};
