#include "farm.h"

#include <stdlib.h>

#include "agent.h"
#include "base/mem.h"

/* What an agent is asked about its machine. */
struct stall {
    struct farm *farm;
    const struct machine *machine;
    struct agent *agent;
};

struct farm {
    const struct pd_services *services;
    struct site *site;
    struct stall *stalls;
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

static bool stall_passes(void *ctx)
{
    const struct stall *s = ctx;

    return machine_speaks(s->machine) && rng_unit(&s->farm->services->rng) >= site_loss(s->farm->site, s->machine) / 100;
}

static void happen(void *arg)
{
    struct farm *f = arg;
    int64_t next;

    site_advance(f->site, farm_now(f));
    next = site_next(f->site);
    if (next != INT64_MAX)
        wheel_set(f->services->wheel, &f->timer, f->start_ms + next);
}

static int start_agents(struct farm *f, unsigned port, char **why)
{
    for (size_t i = 0; i < site_count(f->site); i++) {
        struct stall *s = &f->stalls[i];
        struct agent_config config = {.services = f->services,
                                      .port = (uint16_t)port,
                                      .community = "public",
                                      .now = stall_now,
                                      .passes = stall_passes,
                                      .ctx = s};
        int rc;

        *s = (struct stall){.farm = f, .machine = site_machine(f->site, i)};
        config.address = s->machine->spec->address;
        config.dev = &s->machine->dev;
        rc = agent_start(&config, &s->agent, why);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int farm_start(const struct pd_services *services, struct site *site, unsigned port, struct farm **out, char **why)
{
    struct farm *f = xcalloc(1, sizeof *f);
    int rc;

    f->services = services;
    f->site = site;
    f->stalls = xcalloc(site_count(site), sizeof *f->stalls);
    f->start_ms = clock_mono(&services->clock);
    timer_init(&f->timer, happen, f);
    rc = start_agents(f, port, why);
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
    free(f->stalls);
    free(f);
}
