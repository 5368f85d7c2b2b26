#include "daemon/service.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/mem.h"

struct service {
    const struct pd_services *services;
    struct timer alive;
    int64_t every_ms; /* 0: nobody watches */
};

/* ---- A process of its own ---- */

static void clean_environment(void)
{
    static const char *const kept[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",   "JOURNAL_STREAM",
                                       "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES", "CREDENTIALS_DIRECTORY"};
    enum { KEPT = sizeof kept / sizeof *kept };
    char *values[KEPT];

    for (size_t i = 0; i < KEPT; i++)
        values[i] = xstrdup_null(getenv(kept[i]));
    clearenv();
    for (size_t i = 0; i < KEPT; i++) {
        if (values[i])
            setenv(kept[i], values[i], 1);
        free(values[i]);
    }
}

void service_harden(void)
{
    /* A dump that is piped to a program heeds no limit, but it heeds the flag. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    prctl(PR_SET_DUMPABLE, 0);
    umask(0027);
    clean_environment();
}

size_t service_sockets(int *fds, size_t max)
{
    int given = sd_listen_fds(1);
    size_t n = 0;

    for (int i = 0; i < given; i++)
        if (n < max)
            fds[n++] = SD_LISTEN_FDS_START + i;
        else
            close(SD_LISTEN_FDS_START + i);
    return n;
}

/* ---- What the manager hears ---- */

/* Half the time it waits: one sign may be late without harm. */
static void sign_of_life(void *arg)
{
    struct service *s = arg;

    sd_notify(0, "WATCHDOG=1");
    wheel_set(s->services->wheel, &s->alive, clock_mono(&s->services->clock) + s->every_ms);
}

struct service *service_start(const struct pd_services *services)
{
    struct service *s = xcalloc(1, sizeof *s);
    uint64_t usec = 0;

    s->services = services;
    timer_init(&s->alive, sign_of_life, s);
    if (sd_watchdog_enabled(0, &usec) > 0) {
        s->every_ms = (int64_t)(usec / 2000);
        sign_of_life(s);
    }
    return s;
}

void service_ready(const char *status)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

/* The time tells the manager that this is the reload it asked for, not an earlier one. */
void service_reloading(const struct pd_clock *clock)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono(clock) * 1000);
}

void service_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void service_stop(struct service *s)
{
    if (!s)
        return;
    wheel_unset(s->services->wheel, &s->alive);
    free(s);
}
