#include "plugins/modbus/rtu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

#include <modbus/modbus.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/worker.h"

enum {
    DEFAULT_BAUD = 9600,
    DEFAULT_RESPONSE_MS = 500,
    MAX_RESPONSE_MS = 10000,
    MAX_GAP_MS = 10000,
    CHARACTER_BITS = 11, /* start, eight, parity or a second stop, stop */
};

/* One try. The loop sets it up, the bus's thread does it, the loop takes the outcome. */
struct rtu_job {
    struct job job;
    struct rtu *rtu;
    struct mb_ask ask;
    enum mb_outcome outcome;
    uint8_t exception;
    enum mb_misfit misfit;
    bool opened; /* the adapter was opened for it */
    uint8_t data[MB_MAX_DATA];
    char why[120];
};

struct rtu {
    struct mb_line *line;
    struct mb_rules *rules;
    const struct pd_modbus_bus *bus;
    struct worker *worker;
    struct pd_watch *watch;
    struct rtu_job job;
    uint8_t data[MB_MAX_DATA]; /* of the answer in hand, while the job may be doing the next */
    char why[120];
    modbus_t *port; /* the thread's; NULL while it is not open */
};

/* ---- Parameters ---- */

static int baud(const struct pd_modbus_bus *b)
{
    return b->baud ? b->baud : DEFAULT_BAUD;
}

static char parity(const struct pd_modbus_bus *b)
{
    return b->parity ? b->parity : 'E';
}

static int stop_bits(const struct pd_modbus_bus *b)
{
    return b->stop_bits ? b->stop_bits : parity(b) == 'N' ? 2 : 1;
}

static int64_t characters_us(const struct pd_modbus_bus *b, int n)
{
    return (int64_t)n * CHARACTER_BITS * 1000000 / baud(b);
}

static int64_t gap_us(const struct pd_modbus_bus *b)
{
    int64_t silence = characters_us(b, 7) / 2;

    if (b->gap_ms)
        return (int64_t)b->gap_ms * 1000;
    return silence > 1750 ? silence : 1750; /* the standard's floor above 19200 baud */
}

int mb_bus_check(const struct pd_modbus_bus *b)
{
    static const int rates[] = {110, 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800};
    size_t i = 0;

    while (i < sizeof rates / sizeof *rates && rates[i] != baud(b))
        i++;
    if (!b->name || !*b->name || !b->device || !*b->device)
        log_warn("modbus", "a serial bus needs a name and a device such as /dev/ttyUSB0");
    else if (i == sizeof rates / sizeof *rates)
        log_warn("modbus", "bus %s: %d baud: must be a usual rate such as 9600 or 19200", b->name, b->baud);
    else if (!strchr("NEO", parity(b)))
        log_warn("modbus", "bus %s: parity '%c': must be N, E or O", b->name, b->parity);
    else if (stop_bits(b) != 1 && stop_bits(b) != 2)
        log_warn("modbus", "bus %s: %d stop bits: must be 1 or 2", b->name, b->stop_bits);
    else if (b->response_ms < 0 || b->response_ms > MAX_RESPONSE_MS)
        log_warn("modbus", "bus %s: response time-out %d ms: must be 1 to %d", b->name, b->response_ms,
                 MAX_RESPONSE_MS);
    else if (b->gap_ms < 0 || b->gap_ms > MAX_GAP_MS)
        log_warn("modbus", "bus %s: gap of %d ms: must be 0 to %d", b->name, b->gap_ms, MAX_GAP_MS);
    else
        return 0;
    return PD_EINVAL;
}

/* ---- The bus's thread ---- */

static void close_port(struct rtu *r)
{
    if (!r->port)
        return;
    modbus_close(r->port);
    modbus_free(r->port);
    r->port = NULL;
}

/* How the transceiver is told to send; errno if it cannot be. */
static int set_rs485(const struct rtu *r)
{
    const struct pd_modbus_bus *b = r->bus;
    int rts = b->rs485 == PD_MODBUS_RS485_RTS_UP ? MODBUS_RTU_RTS_UP : MODBUS_RTU_RTS_DOWN;

    if (b->rs485 == PD_MODBUS_RS485_ADAPTER)
        return 0;
    if (b->rs485 == PD_MODBUS_RS485_KERNEL)
        return modbus_rtu_set_serial_mode(r->port, MODBUS_RTU_RS485);
    if (modbus_rtu_set_rts(r->port, rts) < 0)
        return -1;
    return b->rts_delay_us > 0 ? modbus_rtu_set_rts_delay(r->port, b->rts_delay_us) : 0;
}

/*
 * The time-out is for the whole answer: until it begins, and what the longest takes. libmodbus uses
 * select(), which must not see descriptors beyond its set.
 */
static int open_port(struct rtu *r)
{
    const struct pd_modbus_bus *b = r->bus;
    int64_t us = (b->response_ms ? b->response_ms : DEFAULT_RESPONSE_MS) * INT64_C(1000) +
                 characters_us(b, MODBUS_RTU_MAX_ADU_LENGTH);

    r->port = modbus_new_rtu(b->device, baud(b), parity(b), 8, stop_bits(b));
    if (!r->port)
        return -1;
    modbus_set_response_timeout(r->port, (uint32_t)(us / 1000000), (uint32_t)(us % 1000000));
    modbus_set_byte_timeout(r->port, 0, 0);
    if (modbus_connect(r->port) < 0)
        return -1;
    if (modbus_get_socket(r->port) >= FD_SETSIZE) {
        errno = EMFILE;
        return -1;
    }
    return set_rs485(r);
}

static void sleep_us(int64_t us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

static void explain(struct rtu_job *j, enum mb_outcome outcome, const char *what, int errnum)
{
    j->outcome = outcome;
    (void)snprintf(j->why, sizeof j->why, "%s: %s", what, modbus_strerror(errnum));
}

/* What libmodbus' errors mean: silence, noise, or the end of the adapter. */
static void take_error(struct rtu_job *j, int errnum)
{
    switch (errnum) {
    case ETIMEDOUT:
        j->outcome = MB_SILENT;
        (void)snprintf(j->why, sizeof j->why, "no answer in time");
        break;
    case EMBBADCRC:
        j->misfit = MB_MISFIT_CHECKSUM;
        explain(j, MB_GARBLED, "garbled answer", errnum);
        break;
    case EMBBADDATA:
    case EMBBADSLAVE:
    case EMBMDATA:
        explain(j, MB_GARBLED, "garbled answer", errnum);
        break;
    default:
        explain(j, MB_DOWN, j->rtu->bus->device, errnum);
        close_port(j->rtu);
    }
}

/* The answer as it came. */
static void take_answer(struct rtu_job *j, const uint8_t *frame, int n)
{
    struct mb_answer a;

    if (n == 0) /* libmodbus gives 0 for another unit */
        j->misfit = MB_MISFIT_UNIT;
    else
        j->misfit = mb_rtu_decode(&j->ask, frame, (size_t)n, &a);
    if (j->misfit != MB_FITS) {
        j->outcome = MB_GARBLED;
        (void)snprintf(j->why, sizeof j->why, "the answer %s", mb_misfit_text(j->misfit));
        return;
    }
    j->outcome = a.exception ? MB_EXCEPTION : MB_DATA;
    j->exception = a.exception;
    if (a.data)
        memcpy(j->data, a.data, a.n);
}

static void ask(struct rtu_job *j)
{
    modbus_t *port = j->rtu->port;
    uint8_t request[1 + MB_REQUEST_PDU] = {j->ask.unit}, frame[MODBUS_MAX_ADU_LENGTH] = {0};
    int n;

    sleep_us(gap_us(j->rtu->bus));
    mb_encode(&j->ask, request + 1);
    modbus_flush(port); /* a late answer must not pass for the one to come */
    if (modbus_set_slave(port, j->ask.unit) < 0 || modbus_send_raw_request(port, request, sizeof request) < 0)
        n = -1;
    else
        n = modbus_receive_confirmation(port, frame);
    if (n < 0)
        take_error(j, errno);
    else
        take_answer(j, frame, n);
}

static void work(struct job *job)
{
    struct rtu_job *j = (struct rtu_job *)job;

    j->opened = !j->rtu->port;
    if (j->opened && open_port(j->rtu) < 0) {
        explain(j, MB_DOWN, j->rtu->bus->device, errno);
        close_port(j->rtu);
        return;
    }
    ask(j);
}

/* ---- The loop's side ---- */

static void finished(struct job *job)
{
    struct rtu_job *j = (struct rtu_job *)job;
    struct rtu *r = j->rtu;
    struct mb_counters *c = &r->rules->counters;
    struct mb_reply reply = {.outcome = j->outcome, .exception = j->exception, .data = r->data, .why = r->why};

    memcpy(r->data, j->data, sizeof r->data);
    memcpy(r->why, j->why, sizeof r->why);
    c->adapter_opens += j->opened;
    c->adapter_failed += j->outcome == MB_DOWN;
    if (j->misfit != MB_FITS)
        c->misfit[j->misfit]++;
    mb_line_done(r->line, &reply);
}

static void rtu_ask(void *carrier, const struct mb_ask *what, int timeout_ms)
{
    struct rtu *r = carrier;

    (void)timeout_ms; /* a bus has its own */
    r->job = (struct rtu_job){.job = {.work = work, .done = finished}, .rtu = r, .ask = *what};
    worker_submit(r->worker, &r->job.job);
}

static void reap(void *arg)
{
    worker_reap(arg);
}

static void rtu_free(void *carrier)
{
    struct rtu *r = carrier;

    if (r->watch)
        r->rules->services->unwatch(r->watch);
    worker_stop(r->worker, NULL);
    close_port(r);
    free(r);
}

static const struct mb_carrier_ops rtu_ops = {.ask = rtu_ask, .free = rtu_free};

int mb_rtu_start(struct mb_line *line, struct mb_rules *rules, const struct pd_modbus_bus *bus)
{
    const struct pd_services *s = rules->services;
    struct rtu *r = xcalloc(1, sizeof *r);
    int rc = PD_ENOTSUP;

    r->line = line;
    r->rules = rules;
    r->bus = bus;
    if (s->watch_read)
        rc = worker_start(1, &r->worker);
    if (rc == 0) {
        r->watch = s->watch_read(s->loop, worker_fd(r->worker), reap, r->worker);
        rc = r->watch ? 0 : PD_EIO;
    }
    if (rc < 0)
        rtu_free(r);
    else
        mb_line_carry(line, &rtu_ops, r);
    return rc;
}
