#include "farm.h"

#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/log.h"
#include "base/mem.h"
#include "modserver.h"

/* A machine with SNMP, and what its agent is asked about it. */
struct stall {
    struct farm *farm;
    const struct machine *machine;
    struct agent *agent; /* NULL: it speaks Modbus, or could not be served where it is */
    char at[sizeof((struct machine *)0)->address];
};

/* A server at an address for those that speak Modbus. */
struct stand {
    char *address;
    struct modserver *server;
};

struct farm {
    const struct pd_services *services;
    struct site *site;
    struct site_ports ports;
    struct stall *stalls;
    ARRAY(struct stand) stands;
    struct timer timer; /* for what happens next */
    int64_t start_ms;
};

int64_t farm_now(const struct farm *f)
{
    return clock_mono(&f->services->clock) - f->start_ms;
}

static int64_t stall_now(void *ctx)
{
    return farm_now(((const struct stall *)ctx)->farm);
}

static int64_t stand_now(void *ctx)
{
    return farm_now(ctx);
}

static bool stall_passes(void *ctx)
{
    const struct stall *s = ctx;

    return machine_speaks(s->machine) &&
           rng_unit(&s->farm->services->rng) >= site_loss(s->farm->site, s->machine) / 100;
}

static int start_agent(struct farm *f, struct stall *s, char **why)
{
    const struct agent_config config = {.services = f->services,
                                        .address = s->at,
                                        .port = (uint16_t)f->ports.snmp,
                                        .community = "public",
                                        .dev = &s->machine->dev,
                                        .now = stall_now,
                                        .passes = stall_passes,
                                        .ctx = s};

    return agent_start(&config, &s->agent, why);
}

static int start_server(struct farm *f, const char *address, char **why)
{
    const struct modserver_config config = {.services = f->services,
                                            .site = f->site,
                                            .address = address,
                                            .port = (uint16_t)f->ports.modbus,
                                            .now = stand_now,
                                            .ctx = f};
    struct stand stand = {0};
    int rc;

    for (size_t i = 0; i < f->stands.n; i++)
        if (strcmp(f->stands.v[i].address, address) == 0)
            return 0;
    rc = modserver_start(&config, &stand.server, why);
    if (rc < 0)
        return rc;
    stand.address = xstrdup(address);
    array_push(&f->stands, stand);
    return 0;
}

/* Serves a machine at the address where it is now. */
static int settle(struct farm *f, struct stall *s, char **why)
{
    agent_stop(s->agent);
    s->agent = NULL;
    memcpy(s->at, s->machine->address, sizeof s->at);
    return model_is_modbus(s->machine->spec->model) ? start_server(f, s->at, why) : start_agent(f, s, why);
}

/* Those that moved are served elsewhere. */
static void follow(struct farm *f)
{
    for (size_t i = 0; i < site_count(f->site); i++) {
        struct stall *s = &f->stalls[i];
        char *why = NULL;

        if (strcmp(s->at, s->machine->address) != 0 && settle(f, s, &why) < 0)
            log_warn("sim", "%s moved to where it can't be served: %s", s->machine->spec->name, why);
        free(why);
    }
}

static void happen(void *arg)
{
    struct farm *f = arg;
    int64_t next;

    site_advance(f->site, farm_now(f));
    follow(f);
    next = site_next(f->site);
    if (next != INT64_MAX)
        wheel_set(f->services->wheel, &f->timer, f->start_ms + next);
}

int farm_start(const struct pd_services *services, struct site *site, const struct site_ports *ports, struct farm **out,
               char **why)
{
    struct farm *f = xcalloc(1, sizeof *f);
    int rc = 0;

    f->services = services;
    f->site = site;
    f->ports = *ports;
    f->stalls = xcalloc(site_count(site), sizeof *f->stalls);
    f->start_ms = clock_mono(&services->clock);
    timer_init(&f->timer, happen, f);
    for (size_t i = 0; i < site_count(site) && rc == 0; i++) {
        f->stalls[i] = (struct stall){.farm = f, .machine = site_machine(site, i)};
        rc = settle(f, &f->stalls[i], why);
    }
    if (rc < 0) {
        farm_stop(f);
        return rc;
    }
    happen(f);
    *out = f;
    return 0;
}

void farm_stop(struct farm *f)
{
    if (f == NULL)
        return;
    wheel_unset(f->services->wheel, &f->timer);
    for (size_t i = 0; i < site_count(f->site); i++)
        agent_stop(f->stalls[i].agent);
    for (size_t i = 0; i < f->stands.n; i++) {
        modserver_stop(f->stands.v[i].server);
        free(f->stands.v[i].address);
    }
    array_free(&f->stands);
    free(f->stalls);
    free(f);
}
