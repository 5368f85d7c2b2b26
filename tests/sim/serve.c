#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"
#include "farm.h"
#include "plugin/loop.h"

static void ignore_ms(void *ctx, int64_t ms)
{
    (void)ctx, (void)ms;
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void say_who(struct site *site, const struct site_ports *ports)
{
    for (size_t i = 0; i < site_count(site); i++) {
        const struct story_device *d = site_machine(site, i)->spec;

        printf("%s %s %s\n", d->name, d->address, model_names[d->model]);
    }
    printf("serving %zu devices on port %u (Modbus: %u)\n", site_count(site), ports->snmp, ports->modbus);
    fflush(stdout);
}

static void end(void *arg)
{
    pd_loop_stop(arg);
}

static int serve(struct pd_loop *loop, struct site *site, const struct site_ports *ports)
{
    const struct pd_services *services = pd_loop_services(loop);
    int signals = open_signals();
    struct pd_watch *watch = services->watch_read(services->loop, signals, end, loop);
    struct farm *farm = NULL;
    char *why = NULL;
    int rc = farm_start(services, site, ports, &farm, &why);

    if (rc == 0) {
        say_who(site, ports);
        rc = pd_loop_run(loop);
    } else {
        fprintf(stderr, "patrol-sim: %s\n", why);
    }
    free(why);
    farm_stop(farm);
    services->unwatch(watch);
    close(signals);
    return rc;
}

int serve_story(const struct story *story, const struct site_ports *ports)
{
    const struct site_ops ops = {.killed = ignore_ms, .clock_step = ignore_ms};
    struct rng_seeded chance;
    struct pd_rng rng = rng_seeded_ops(&chance);
    struct pd_loop *loop;
    struct site *site;
    int rc;

    rng_seed(&chance, story->seed);
    rc = pd_loop_new(&clock_system, &rng, &loop);
    if (rc < 0)
        return rc;
    site = site_new(story, &ops);
    rc = serve(loop, site, ports);
    site_free(site);
    pd_loop_free(loop);
    return rc;
}
