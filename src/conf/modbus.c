#include "conf/modbus.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "conf/loader.h"

/*
 *     modbus:
 *       timeout: 2s
 *       retries: 2
 *       buses:
 *         cellar: {device: /dev/ttyUSB0, baud: 19200, parity: even, rs485: adapter, response: 300ms}
 *       endpoints:
 *         - {address: 10.0.0.5, connect_delay: 500ms, gap: 20ms, per_poll: true}
 */

enum { SECOND = 1000, MINUTE = 60 * SECOND };

/* In the order of the enums in conf.h. */
static const char *const parity_names[] = {"even", "none", "odd", NULL};
static const char *const rs485_names[] = {"adapter", "kernel", "rts-up", "rts-down", NULL};

static void release_text(void *field)
{
    xstrset(field, NULL);
}

/* ---- Buses ---- */

static void read_baud(struct yaml_node *node, void *field, struct conf_report *report)
{
    static const int rates[] = {110, 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800};
    int64_t baud;

    if (!schema_int(node, 1, 1000000, &baud, report))
        return;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        if (rates[i] == baud) {
            *(int *)field = (int)baud;
            return;
        }
    conf_error(report, node, "%s baud is no usual rate; 9600, 19200 and 115200 are", node->text);
}

static void read_device(struct yaml_node *node, void *field, struct conf_report *report)
{
    if (node->type != YAML_TEXT || node->text[0] != '/')
        conf_error(report, node, "expected the path of a serial port, such as /dev/ttyUSB0");
    else
        xstrset(field, node->text);
}

static void check_bus(void *section, struct yaml_node *here, struct conf_report *report)
{
    const struct modbus_bus *b = section;

    if (b->rts_delay_ms && b->rs485 != BUS_RTS_UP && b->rs485 != BUS_RTS_DOWN)
        conf_error(report, here, "'rts_delay' needs 'rs485: rts-up' or 'rts-down'");
    check_slug(b->name, here, report);
}

#define BUS(f) SCHEMA_FIELD(struct modbus_bus, f)

static const struct schema_row bus_rows[] = {
    {.type = SCHEMA_NAME, BUS(name)},
    {"device", SCHEMA_CUSTOM, SCHEMA_REQUIRED, .read = read_device, .release = release_text, BUS(device)},
    {"baud", SCHEMA_CUSTOM, .read = read_baud, .fallback = "9600", BUS(baud)},
    {"parity", SCHEMA_ENUM, .names = parity_names, .fallback = "even", BUS(parity)},
    {"stop_bits", SCHEMA_INT, .min = 1, .max = 2, BUS(stop_bits)},
    {"rs485", SCHEMA_ENUM, .names = rs485_names, .fallback = "adapter", BUS(rs485)},
    {"rts_delay", SCHEMA_DURATION, .min = 1, .max = 100, BUS(rts_delay_ms)},
    {"response", SCHEMA_DURATION, .min = 10, .max = 10 * SECOND, .fallback = "500ms", BUS(response_ms)},
    {"gap", SCHEMA_DURATION, .min = 1, .max = SECOND, BUS(gap_ms)},
    {0},
};
static const struct schema bus_schema = {
    .what = "a serial bus", .rows = bus_rows, .size = sizeof(struct modbus_bus), .check = check_bus};

/* ---- Endpoints ---- */

/* An interface may stand behind an IPv6 address: fe80::1%eth0. */
static bool numeric(const char *text)
{
    char host[INET6_ADDRSTRLEN];
    size_t n = strcspn(text, "%");
    struct in6_addr any;

    if (n >= sizeof host)
        return false;
    memcpy(host, text, n);
    host[n] = '\0';
    return inet_pton(AF_INET6, host, &any) == 1 || (text[n] == '\0' && inet_pton(AF_INET, host, &any) == 1);
}

static void read_address(struct yaml_node *node, void *field, struct conf_report *report)
{
    if (node->type != YAML_TEXT || !numeric(node->text))
        conf_error(report, node, "expected a numeric IPv4 or IPv6 address");
    else
        xstrset(field, node->text);
}

#define ENDPOINT(f) SCHEMA_FIELD(struct modbus_endpoint, f)

static const struct schema_row endpoint_rows[] = {
    {"address", SCHEMA_CUSTOM, SCHEMA_REQUIRED, .read = read_address, .release = release_text, ENDPOINT(address)},
    {"port", SCHEMA_INT, .min = 1, .max = 65535, .fallback = "502", ENDPOINT(port)},
    {"connect_delay", SCHEMA_DURATION, .min = 0, .max = 10 * SECOND, ENDPOINT(connect_delay_ms)},
    {"gap", SCHEMA_DURATION, .min = 0, .max = 10 * SECOND, ENDPOINT(gap_ms)},
    {"per_poll", SCHEMA_BOOL, ENDPOINT(per_poll)},
    {0},
};
static const struct schema endpoint_schema = {
    .what = "an endpoint", .rows = endpoint_rows, .size = sizeof(struct modbus_endpoint)};

/* ---- The section ---- */

static void check_modbus(void *section, struct yaml_node *here, struct conf_report *report)
{
    const struct modbus_settings *m = section;

    for (size_t i = 0; i < m->buses.n; i++)
        for (size_t j = 0; j < i; j++) {
            const struct modbus_bus *a = &m->buses.v[j], *b = &m->buses.v[i];
            struct yaml_node *at = yaml_get(yaml_get(yaml_get(here, "buses"), b->name), "device");

            if (a->device && b->device && strcmp(a->device, b->device) == 0) /* another file's may have been refused */
                conf_error(report, at ? at : here, "%s is that of bus '%s' too", b->device, a->name);
        }
}

#define MODBUS(f) SCHEMA_FIELD(struct modbus_settings, f)

static const struct schema_row modbus_rows[] = {
    {"timeout", SCHEMA_DURATION, .min = 50, .max = MINUTE, .fallback = "2s", MODBUS(timeout_ms)},
    {"retries", SCHEMA_INT, .min = 0, .max = 20, .fallback = "2", MODBUS(retries)},
    {"buses", SCHEMA_MAP, .sub = &bus_schema, MODBUS(buses)},
    {"endpoints", SCHEMA_LIST, .sub = &endpoint_schema, MODBUS(endpoints)},
    {0},
};
const struct schema modbus_schema = {
    .what = "modbus", .rows = modbus_rows, .size = sizeof(struct modbus_settings), .check = check_modbus};
