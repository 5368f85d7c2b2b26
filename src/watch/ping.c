#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "watch/internal.h"

/*
 * Whether a device that does not answer its protocol is there at all: the
 * collector named "icmp", where there is one, is asked for the same address. The
 * read without an answer is taken in when that is known, so both are judged
 * together, as of the moment when the poll was due. Who missed a poll is pinged
 * while it is read, so that its silence is known no later for it.
 */

enum { TIMEOUT_MS = 1000, RETRIES = 2 };

static const struct pd_collector_ops *ops(const struct watch *w)
{
    return w->config.collector_ops[w->pinger];
}

void ping_init(struct watch *w)
{
    const struct pd_source rtt = {.address = "rtt", .file = "ping"};
    struct pd_compile_error err = {0};

    w->pinger = watch_collector(w, "icmp");
    if (w->pinger < 0 || ops(w)->compile(w->config.collectors[w->pinger], &rtt, 1, &w->ping_plan, &err) == 0)
        return;
    log_error("watch", "silent devices are not pinged: %s", err.msg);
    w->ping_plan = NULL;
}

void ping_fini(struct watch *w)
{
    if (w->ping_plan)
        ops(w)->plan_free(w->ping_plan);
    w->ping_plan = NULL;
}

static void no_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    (void)arg;
    (void)cells;
    (void)n;
}

/* Who was not allowed to ask knows nothing. */
static struct value said(const struct pd_read_result *r)
{
    if (r->status == PD_READ_DONE || r->status == PD_READ_PARTIAL)
        return value_bool(true);
    return r->status == PD_READ_NOANSWER ? value_bool(false) : VALUE_UNKNOWN;
}

/* A sign of life: it is probed. */
static void end_knock(struct node *n, const struct pd_read_result *r)
{
    struct value alive = said(r);

    n->knocking = false;
    if (r->status == PD_READ_CANCELLED)
        return;
    if (alive.quality == QUALITY_GOOD && alive.b)
        rhythm_first(n, watch_mono(n->watch));
    rhythm_wait(n);
}

static void end_ping(void *arg, const struct pd_read_result *r)
{
    struct node *n = arg;
    struct pd_read_result silence = n->silence;

    n->pinging = NULL;
    if (n->knocking) {
        end_knock(n, r);
        return;
    }
    if (!n->awaits_ping) {
        n->pinged = said(r);
        n->has_pinged = true;
        return;
    }
    n->awaits_ping = false;
    n->silence = (struct pd_read_result){0};
    if (r->status == PD_READ_CANCELLED)
        silence.status = PD_READ_CANCELLED;
    schedule_take(n, &silence, said(r));
    free((char *)(uintptr_t)silence.detail);
}

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* A serial bus's name is no address: that is no error. A ping takes no longer than a request of the device's. */
static bool open_handle(struct node *n)
{
    struct watch *w = n->watch;
    const struct settings *s = w->config.settings;
    const struct pd_target t = {.name = n->d.name,
                                .address = n->d.address,
                                .community = "",
                                .timeout_ms = min_int((int)s->timeout_ms, TIMEOUT_MS),
                                .retries = min_int(s->retries, RETRIES)};

    return n->ping_handle || ops(w)->open(w->config.collectors[w->pinger], &t, &n->ping_handle) == 0;
}

static bool start(struct node *n)
{
    struct watch *w = n->watch;
    const struct pd_sink sink = {.cells = no_cells, .end = end_ping, .arg = n};

    /* Of units of one gateway it would be that which answers, whether the unit is there or not. */
    return w->config.settings->ping && w->ping_plan && (int)n->collector != w->pinger && !share_has_others(n) &&
           open_handle(n) && ops(w)->read(n->ping_handle, w->ping_plan, 1, &sink, &n->pinging) == 0;
}

void ping_early(struct node *n)
{
    n->has_pinged = false;
    if (n->silent > 0 && !n->pinging)
        start(n);
}

void ping_knock(struct node *n)
{
    n->knocking = true;
    if (!start(n))
        n->knocking = false;
}

bool ping_begin(struct node *n, const struct pd_read_result *silence)
{
    if (n->has_pinged || (!n->pinging && !start(n)))
        return false;
    n->awaits_ping = true;
    n->silence = *silence;
    n->silence.detail = xstrdup_null(silence->detail);
    return true;
}

struct value ping_taken(struct node *n)
{
    struct value v = n->has_pinged ? n->pinged : VALUE_UNKNOWN;

    n->has_pinged = false;
    return v;
}

void ping_drop(struct node *n)
{
    ping_cancel(n);
    n->has_pinged = false;
}

void ping_cancel(struct node *n)
{
    if (n->pinging)
        ops(n->watch)->cancel(n->pinging);
}

void ping_close(struct node *n)
{
    if (n->ping_handle)
        ops(n->watch)->close(n->ping_handle);
    n->ping_handle = NULL;
}
