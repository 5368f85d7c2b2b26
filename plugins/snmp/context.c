#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "plugins/snmp/reading.h"

enum {
    MAX_NAMES = 512, /* contexts of one column */
    MAX_MUTE = 2,    /* contexts in a row without an answer before the others are left alone */
    TRUSTED = 2,     /* reads until a context that never answered is held not to be there, */
    SELDOM = 64,     /* and is asked for in one of so many reads only */
};

static struct snmp_context *here(const struct pd_read *r)
{
    return &r->device->contexts[r->context.now - 1];
}

/* The community, in version 3 the context's name; borrowed by the request until the next one is submitted. */
static int set_community(struct pd_read *r, const char *suffix)
{
    const struct snmp_peer *plain = &r->device->peer;
    bool joined = suffix && plain->version != SNMP_V3;
    char *community =
        joined ? xasprintf("%s@%s", plain->community, suffix) : xstrdup(suffix ? suffix : plain->community);
    size_t n = strlen(community);

    if (n > UINT8_MAX) {
        snmp_read_note(r, "the community with @%s is longer than 255 bytes", suffix);
        free(community);
        return PD_ERANGE;
    }
    free(r->context.community);
    r->context.community = community;
    r->peer.community = community;
    r->peer.ncommunity = (uint8_t)n;
    return 0;
}

/* All that is wanted in this context is still to be asked. */
static void begin(struct pd_read *r, bool scalars)
{
    const struct pd_plan *p = r->plan;

    snmp_ask_tables(r);
    r->nscalars = 0;
    r->silent = r->small = 0;
    r->context.answered = false;
    for (uint16_t i = 0; scalars && i < p->nscalars; i++) {
        if (r->parts >> p->items[i].part & 1 && snmp_ask_context(r, &p->items[i]))
            r->scalars[r->nscalars++] = i;
    }
}

void snmp_context_first(struct pd_read *r)
{
    r->peer = r->device->peer;
    begin(r, true);
}

static bool is_wanted(const struct pd_read *r, uint8_t context)
{
    for (uint16_t i = 0; i < r->plan->nitems; i++) {
        const struct snmp_item *it = &r->plan->items[i];

        if (it->context == context && r->parts >> it->part & 1)
            return true;
    }
    return false;
}

static void begin_listing(struct pd_read *r, const struct pd_plan *column)
{
    struct context_walk *w = &r->context;

    w->listing = true;
    w->plan = r->plan;
    w->parts = r->parts;
    w->learnt = r->learnt;
    r->plan = column;
    r->parts = UINT32_MAX;
    r->learnt = &r->walk_learnt;
    r->walk_learnt = (struct snmp_learnt){.rows = SNMP_UNKNOWN_ROWS};
    (void)set_community(r, NULL);
    begin(r, false);
    w->answered = true; /* the device itself is asked, which did */
}

static void end_listing(struct pd_read *r)
{
    struct context_walk *w = &r->context;

    w->listing = false;
    r->plan = w->plan;
    r->parts = w->parts;
    r->learnt = w->learnt;
}

void snmp_context_list(struct pd_read *r, uint32_t name)
{
    struct context_walk *w = &r->context;

    for (size_t i = 0; i < w->names.n; i++)
        if (w->names.v[i] == name)
            return;
    if (w->names.n < MAX_NAMES)
        array_push(&w->names, name);
}

/* One that does not seem to be there is not worth many tries. */
static bool may_be_there(struct pd_read *r)
{
    struct snmp_context *c = here(r);

    r->peer.retries = c->answered ? r->device->peer.retries : r->device->peer.retries > 0;
    if (c->answered || c->silent < TRUSTED)
        return true;
    c->silent = c->silent < SELDOM ? c->silent + 1 : TRUSTED;
    return c->silent == SELDOM;
}

void snmp_context_heard(struct pd_read *r)
{
    r->context.answered = true;
    r->context.mute = 0;
    if (r->context.now == 0 || r->context.listing)
        return;
    here(r)->answered = true;
    r->peer.retries = r->device->peer.retries;
}

/* The next of a column's contexts. Single values of the first stand for all. */
static bool next_name(struct pd_read *r)
{
    struct context_walk *w = &r->context;

    while (w->next < w->names.n) {
        char name[16];

        (void)snprintf(name, sizeof name, "%u", (unsigned)w->names.v[w->next++]);
        if (set_community(r, name) == 0) {
            begin(r, w->next == 1);
            return true;
        }
    }
    return false;
}

bool snmp_context_next(struct pd_read *r)
{
    struct context_walk *w = &r->context;

    if (r->owned || r->lead)
        return false;
    if (w->listing)
        end_listing(r);
    if (w->mute < MAX_MUTE && next_name(r))
        return true;
    while (w->mute < MAX_MUTE && w->now < r->device->ncontexts) {
        w->now++;
        w->names.n = w->next = 0;
        if (!is_wanted(r, w->now) || !may_be_there(r))
            continue;
        if (here(r)->each)
            begin_listing(r, here(r)->each);
        else if (set_community(r, here(r)->name) == 0)
            begin(r, true);
        else
            continue;
        return true;
    }
    return false;
}

bool snmp_context_silent(struct pd_read *r)
{
    struct context_walk *w = &r->context;

    if (w->now == 0 || w->answered)
        return false;
    if (here(r)->answered && !here(r)->each)
        snmp_read_note(r, "no answer in context %s", here(r)->name);
    else if (!here(r)->answered && here(r)->silent < TRUSTED)
        here(r)->silent++;
    w->mute++;
    r->nscalars = 0;
    for (size_t i = 0; i < r->cursors.n; i++)
        snmp_cursor_free(&r->cursors.v[i]);
    r->cursors.n = 0;
    r->next_table = r->ntables;
    return true;
}

void snmp_context_fini(struct pd_read *r)
{
    free(r->context.community);
    array_free(&r->context.names);
}
