#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"

/*
 * The database cannot be written: nothing about it can be stored while it lasts.
 * So it is raised in memory, shown by the query "status" and said once in the
 * log; when commits work again it is written down as one alert, opened and
 * closed at the true times, and told to people.
 */

static struct event *alert_event(const struct core *c, struct change *change, const struct alert *a, const char *kind,
                                 int64_t at_ms)
{
    struct event *e = change_event(change, at_ms, kind);

    e->alert_id = a->id;
    event_arg(e, "conf", c->knowledge->hash);
    event_arg(e, "family", a->family);
    event_arg(e, "rule", a->rule);
    event_arg(e, "severity", severity_name(a->severity));
    event_arg(e, "kind", a->kind);
    event_arg(e, "key", a->key);
    event_arg(e, "component", a->label);
    return e;
}

static void write_down(struct core *c, const struct trouble *t, int64_t from, int64_t now)
{
    struct change *change = change_new();
    struct alert a = {
        .id = watch_next_alert_id(c->watch),
        .family = xstrdup("store"),
        .kind = xstrdup("store"),
        .key = xstrdup(""),
        .label = xstrdup("patrold"),
        .rule = xstrdup("store"),
        .severity = SEVERITY_CRITICAL,
        .state = ALERT_OK,
        .opened_ms = from,
        .closed_ms = now,
        .message_args = xstrdup("{}"),
    };

    event_arg(alert_event(c, change, &a, "alert.opened", from), "why", t->why);
    event_arg(alert_event(c, change, &a, "alert.closed", now), "reason", "cleared");
    change_put_alert(change, &a);
    notify_store_trouble(c->notify, change, from, now, t->why);
    core_submit(c, change, true, NULL, NULL);
    alert_fini(&a);
}

static void begin(struct core *c, int err, const char *text)
{
    char *why;

    c->trouble.on = true;
    c->trouble.err = err;
    c->trouble.since_ms = clock_mono(&c->config.services.clock);
    xstrset(&c->trouble.why, text);
    log_about(LOG_LEVEL_ERROR, "store", &(struct log_about){.kind = LOG_KIND_STORE_STUCK},
              "the database cannot be written: %s; tried again until it works, commands are refused", text);
    notify_pause(c->notify, true);
    why = xasprintf("decided, but not stored yet: the database cannot be written (%s)", text);
    orders_answer_decided(c, CORE_QUEUED, why);
    free(why);
}

static void end(struct core *c)
{
    int64_t now = clock_wall(&c->config.services.clock);
    int64_t lasted = clock_mono(&c->config.services.clock) - c->trouble.since_ms;

    c->trouble.on = false;
    log_about(LOG_LEVEL_INFO, "store", &(struct log_about){.kind = LOG_KIND_STORE_WORKS},
              "the database can be written again, after %lld s", (long long)lasted / 1000);
    write_down(c, &c->trouble, now - lasted, now);
    notify_pause(c->notify, false);
}

int trouble_refuses(const struct core *c, char **why)
{
    if (!c->trouble.on)
        return 0;
    *why = xasprintf("not done: the database cannot be written (%s)", c->trouble.why);
    return c->trouble.err;
}

void trouble_report(void *ctx, int err, const char *text)
{
    struct core *c = ctx;

    if (!c->notify) /* while starting: store_open() says it itself */
        return;
    if (err < 0 && !c->trouble.on) {
        begin(c, err, text ? text : pd_strerror(err));
    } else if (err < 0) {
        c->trouble.err = err;
        xstrset(&c->trouble.why, text ? text : pd_strerror(err));
    } else if (c->trouble.on) {
        end(c);
    }
}
