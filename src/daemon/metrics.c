#include "daemon/metrics.h"

#include <stdlib.h>

#include "base/mem.h"
#include "daemon/internal.h"

/* A metric under way: its samples are added, then it is among the rows. */
static json_t *metric(json_t *rows, const char *name, const char *type, const char *help)
{
    json_t *samples = json_array();

    json_array_append_new(
        rows, json_pack("{s:s, s:s, s:s, s:o}", "name", name, "type", type, "help", help, "samples", samples));
    return samples;
}

/* labels is taken; NULL: none. */
static void sample(json_t *samples, json_t *labels, json_int_t value)
{
    json_array_append_new(samples, json_pack("{s:o, s:I}", "labels", labels ? labels : json_object(), "value", value));
}

static json_t *label(const char *name, const char *value)
{
    return json_pack("{s:s}", name, value);
}

/* One number without labels. */
struct plain {
    const char *name, *help;
    uint64_t value;
};

static void add_plain(json_t *rows, const char *type, const struct plain *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sample(metric(rows, list[i].name, type, list[i].help), NULL, (json_int_t)list[i].value);
}

#define ADD_PLAIN(rows, type, list) add_plain(rows, type, list, sizeof(list) / sizeof *(list))

/* ---- What there is to look after ---- */

static void count_alert(void *ctx, const struct alert *a)
{
    ((json_int_t *)ctx)[a->severity]++;
}

static void count_ticket(void *ctx, const struct ticket *t)
{
    ((json_int_t *)ctx)[t->state]++;
}

static void add_site(json_t *rows, struct core *c)
{
    struct watch_counters devices;
    json_int_t alerts[SEVERITY_COUNT] = {0}, tickets[TICKET_STATE_COUNT] = {0};
    json_t *samples = metric(rows, "patrold_devices", "gauge", "Devices by state.");

    watch_counters(core_watch(c), &devices);
    sample(samples, label("state", "new"), (json_int_t)devices.fresh);
    sample(samples, label("state", "up"), (json_int_t)devices.up);
    sample(samples, label("state", "down"), (json_int_t)devices.down);

    watch_alerts(core_watch(c), count_alert, alerts);
    samples = metric(rows, "patrold_alerts_open", "gauge", "Open alerts by severity.");
    for (int s = 0; s < SEVERITY_COUNT; s++)
        sample(samples, label("severity", severity_name((enum severity)s)), alerts[s]);

    desk_tickets(core_desk(c), count_ticket, tickets);
    samples = metric(rows, "patrold_tickets_open", "gauge", "Open tickets by state.");
    for (int s = 0; s < TICKET_STATE_COUNT; s++)
        if (ticket_state_open((enum ticket_state)s))
            sample(samples, label("state", ticket_state_name((enum ticket_state)s)), tickets[s]);
}

/* ---- What patrold does ---- */

static void add_watch(json_t *rows, struct core *c)
{
    struct watch_counters w;

    watch_counters(core_watch(c), &w);
    const struct plain list[] = {
        {"patrold_polls_total", "Polls of devices that ended.", w.polls},
        {"patrold_polls_failed_total", "Polls that the device did not answer or that broke off.", w.failed_polls},
        {"patrold_cells_total", "Values taken from answers.", w.cells},
        {"patrold_readings_total", "Readings made of them.", w.readings},
        {"patrold_traps_total", "Traps and informs that were looked into.", w.traps},
        {"patrold_traps_told_total", "Of those, events.", w.traps_told},
        {"patrold_traps_untold_total", "Of those, no events since there were too many.", w.traps_untold},
        {"patrold_rule_evaluations_total", "Conditions of rules that were evaluated.", w.evaluations},
    };
    ADD_PLAIN(rows, "counter", list);
}

/* Microseconds of the last minute, told in seconds; NULL: nothing is measured here. */
static void add_times(json_t *rows, struct core *c, const char *name, const char *help, const struct hist_window *w)
{
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"0.5", 0.5}, {"0.99", 0.99}, {"1", 1}};
    json_t *samples;
    struct hist h;

    if (!w)
        return;
    samples = metric(rows, name, "gauge", help);
    hist_window_sum(w, clock_mono(&c->config.services.clock), &h);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        json_array_append_new(samples, json_pack("{s:{s:s}, s:f}", "labels", "quantile", quantiles[i].name, "value",
                                                 (double)hist_quantile(&h, quantiles[i].share) / 1e6));
}

static void add_lateness(json_t *rows, struct core *c)
{
    add_times(rows, c, "patrold_loop_latency_seconds", "How late timers of the loop fired, last minute.",
              c->config.loop_latency);
    add_times(rows, c, "patrold_loop_turn_seconds", "How long a turn of the loop took, last minute.",
              c->config.loop_turns);
    add_times(rows, c, "patrold_poll_lateness_seconds", "From due to the first request sent, last minute.",
              watch_lateness(core_watch(c)));
    add_times(rows, c, "patrold_commit_lateness_seconds", "From due to the poll's readings on disk, last minute.",
              c->lateness.stored);
}

static void add_store(json_t *rows, struct core *c)
{
    struct store_state s;

    store_state(core_store(c), &s);
    const struct plain gauges[] = {
        {"patrold_store_stuck", "1 while the database takes no writes.", s.stuck},
        {"patrold_store_queued_changes", "Changes that wait for their commit.", s.queued_changes},
        {"patrold_store_queued_polls", "Polls that wait for their commit.", s.queued_polls},
        {"patrold_store_wal_pages", "Pages written ahead and not yet in the database proper.", s.wal_pages},
        {"patrold_store_pack_waiting", "Batches of polls of an hour that is over, to be packed.", s.pack_waiting},
        {"patrold_store_pack_lag_seconds", "Since the hour ended that is being packed.",
         (uint64_t)s.pack_lag_ms / 1000},
        {"patrold_store_last_event", "Number of the newest event on disk.", (uint64_t)s.last_event},
    };
    const struct plain counters[] = {
        {"patrold_store_commits_total", "Commits.", s.commits},
        {"patrold_store_commits_failed_total", "Commits that failed; they are tried again.", s.failed_commits},
        {"patrold_store_polls_total", "Polls on disk.", s.polls},
        {"patrold_store_polls_dropped_total", "Polls that could not be stored.", s.dropped_polls},
        {"patrold_store_polls_packed_total", "Polls packed into hours.", s.packed_polls},
        {"patrold_store_polls_unreadable_total", "Polls that could not be read when their hour was packed.",
         s.unreadable_polls},
        {"patrold_store_readings_total", "Readings on disk.", s.readings},
        {"patrold_store_reading_bytes_total", "Bytes that the readings took.", s.reading_bytes},
        {"patrold_store_events_total", "Events on disk.", s.events},
        {"patrold_store_changes_refused_total", "Changes that the database refused for ever.", s.refused_changes},
    };
    ADD_PLAIN(rows, "gauge", gauges);
    ADD_PLAIN(rows, "counter", counters);
}

static void add_notify(json_t *rows, struct core *c)
{
    struct notify_counters n;

    notify_counters(core_notify(c), &n);
    const struct plain gauges[] = {{"patrold_messages_pending", "Messages that wait to be sent.", n.pending}};
    const struct plain counters[] = {
        {"patrold_messages_sent_total", "Messages that the other side took.", n.sent},
        {"patrold_messages_failed_total", "Messages that were given up.", n.failed},
        {"patrold_messages_retried_total", "Sends that will be tried again.", n.retried},
    };
    ADD_PLAIN(rows, "gauge", gauges);
    ADD_PLAIN(rows, "counter", counters);
}

struct collector_samples {
    const char *collector;
    json_t *samples;
};

static void add_counter(void *arg, const char *name, uint64_t value)
{
    const struct collector_samples *s = arg;

    sample(s->samples, json_pack("{s:s, s:s}", "collector", s->collector, "event", name), (json_int_t)value);
}

static void add_collectors(json_t *rows, struct core *c)
{
    struct collector_samples s = {.samples =
                                      metric(rows, "patrold_collector_events_total", "counter",
                                             "What collectors count: packets, retries, answers dropped and why.")};

    for (size_t i = 0; i < c->config.ncollectors; i++) {
        s.collector = c->config.collector_ops[i]->name;
        if (c->config.collector_ops[i]->counters)
            c->config.collector_ops[i]->counters(c->collectors[i], add_counter, &s);
    }
}

static void add_drop(void *arg, const char *device, const char *name, uint64_t value)
{
    const struct collector_samples *s = arg;

    sample(s->samples, json_pack("{s:s, s:s, s:s}", "collector", s->collector, "device", device, "event", name),
           (json_int_t)value);
}

static void add_device_drops(json_t *rows, struct core *c)
{
    struct collector_samples s = {.samples =
                                      metric(rows, "patrold_device_drops_total", "counter",
                                             "Packets from a device that were dropped while it was asked, and why.")};

    for (size_t i = 0; i < c->config.ncollectors; i++) {
        s.collector = c->config.collector_ops[i]->name;
        if (c->config.collector_ops[i]->device_drops)
            c->config.collector_ops[i]->device_drops(c->collectors[i], add_drop, &s);
    }
}

json_t *metrics_of(struct core *c)
{
    json_t *rows = json_array();

    add_site(rows, c);
    add_watch(rows, c);
    add_lateness(rows, c);
    add_store(rows, c);
    add_notify(rows, c);
    add_collectors(rows, c);
    add_device_drops(rows, c);
    return rows;
}
