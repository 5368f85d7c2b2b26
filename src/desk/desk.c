#include "desk/desk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "desk/internal.h"

struct desk *desk_new(const struct desk_config *config)
{
    struct desk *d = xcalloc(1, sizeof *d);

    d->config = *config;
    d->prefix = xstrdup(config->prefix);
    d->by_id = u64dict_new();
    d->by_fault = dict_new();
    d->by_origin = dict_new();
    desk_clocks_init(d);
    return d;
}

static void held_free(struct held *h)
{
    if (h->desk->config.wheel)
        wheel_unset(h->desk->config.wheel, &h->timer);
    ticket_fini(&h->ticket);
    array_free(&h->steps);
    free(h);
}

void desk_free(struct desk *d)
{
    size_t at = 0;
    uint64_t id;
    void *h;

    if (!d)
        return;
    if (d->config.wheel)
        wheel_unset(d->config.wheel, &d->drift);
    while (u64dict_next(d->by_id, &at, &id, &h))
        held_free(h);
    u64dict_free(d->by_id);
    dict_free(d->by_fault);
    dict_free(d->by_origin);
    free(d->prefix);
    free(d);
}

void desk_set_last_id(struct desk *d, int64_t ticket_id)
{
    d->last_id = ticket_id;
}

/* ---- By fault ---- */

static char *fault_key(int64_t device_id, const char *family, const char *kind, const char *key)
{
    return xasprintf("%" PRId64 "\x1f%s\x1f%s\x1f%s", device_id, family, kind, key);
}

struct held *desk_of_fault(const struct desk *d, int64_t device_id, const char *family, const char *kind,
                           const char *key)
{
    char *k = fault_key(device_id, family, kind, key);
    struct held *h = dict_get(d->by_fault, k);

    free(k);
    return h;
}

static void forget_fault(struct desk *d, const struct held *h)
{
    const struct ticket *t = &h->ticket;
    char *k = t->family ? fault_key(t->device_id, t->family, t->component_kind, t->key) : NULL;

    if (k && dict_get(d->by_fault, k) == h)
        dict_del(d->by_fault, k);
    free(k);
}

void desk_index_fault(struct desk *d, struct held *h)
{
    const struct ticket *t = &h->ticket;
    char *k;

    if (!t->family)
        return;
    k = fault_key(t->device_id, t->family, t->component_kind, t->key);
    if (ticket_state_open(t->state))
        dict_put(d->by_fault, k, h);
    else if (dict_get(d->by_fault, k) == h)
        dict_del(d->by_fault, k);
    free(k);
}

/* ---- By origin ---- */

void desk_note_origin(struct desk *d, const char *origin, int64_t ticket_id)
{
    dict_put(d->by_origin, origin, (void *)(uintptr_t)ticket_id); /* never NULL: ids begin at 1 */
}

int64_t desk_ticket_of_origin(const struct desk *d, const char *origin)
{
    return (int64_t)(uintptr_t)dict_get(d->by_origin, origin);
}

/* ---- By id ---- */

void desk_remember(struct desk *d, struct held *h)
{
    struct held *before = u64dict_put(d->by_id, (uint64_t)h->ticket.id, h);

    desk_index_fault(d, h);
    if (before)
        held_free(before);
}

void desk_forget(struct desk *d, struct held *h)
{
    desk_index_fault(d, h);
    u64dict_del(d->by_id, (uint64_t)h->ticket.id);
    held_free(h);
}

struct held *desk_held(const struct desk *d, int64_t id)
{
    return u64dict_get(d->by_id, (uint64_t)id);
}

/* ---- From the store ---- */

void desk_load_ticket(struct desk *d, const struct ticket *t)
{
    struct held *h = xcalloc(1, sizeof *h);

    desk_held_init(d, h);
    ticket_copy(&h->ticket, t);
    if (t->family) {
        h->ticket.component_kind = h->ticket.component_kind ? h->ticket.component_kind : xstrdup("");
        h->ticket.key = h->ticket.key ? h->ticket.key : xstrdup("");
    }
    desk_remember(d, h);
}

void desk_load_step(struct desk *d, const struct step_record *s)
{
    struct held *h = desk_held(d, s->ticket_id);
    struct ticket_step step = {.at_ms = s->at_ms, .state = s->state, .loaner = s->loaner};

    if (h)
        array_push(&h->steps, step);
}

void desk_load_origin(struct desk *d, const char *origin, int64_t ticket_id)
{
    desk_note_origin(d, origin, ticket_id);
}

void desk_site_renamed(struct desk *d, const char *from, const char *to, struct change *c)
{
    size_t at = 0;
    uint64_t id;
    void *node;

    while (u64dict_next(d->by_id, &at, &id, &node)) {
        struct ticket *t = &((struct held *)node)->ticket;

        if (!t->site || strcmp(t->site, from) != 0)
            continue;
        xstrset(&t->site, to);
        change_put_ticket(c, t);
    }
}

/* Gives a ticket to another device. Where that has one of the same fault already, this one is only kept. */
static void hand_over(struct desk *d, struct held *h, int64_t device, int64_t merged_from, struct change *c)
{
    struct ticket *t = &h->ticket;

    forget_fault(d, h);
    t->device_id = device;
    t->merged_from = merged_from;
    if (!desk_of_fault(d, device, t->family ? t->family : "", t->component_kind ? t->component_kind : "",
                       t->key ? t->key : ""))
        desk_index_fault(d, h);
    change_put_ticket(c, t);
}

void desk_device_merged(struct desk *d, int64_t gone, int64_t keep, struct change *c)
{
    size_t at = 0;
    uint64_t id;
    void *node;

    while (u64dict_next(d->by_id, &at, &id, &node)) {
        struct held *h = node;

        if (h->ticket.device_id == gone)
            hand_over(d, h, keep, gone, c);
    }
}

void desk_device_split(struct desk *d, int64_t gone, int64_t again, struct change *c)
{
    size_t at = 0;
    uint64_t id;
    void *node;

    while (u64dict_next(d->by_id, &at, &id, &node)) {
        struct held *h = node;

        if (h->ticket.merged_from == gone)
            hand_over(d, h, again, 0, c);
    }
}

/* ---- What is known of them ---- */

const struct ticket *desk_ticket(const struct desk *d, int64_t id)
{
    const struct held *h = desk_held(d, id);

    return h ? &h->ticket : NULL;
}

const struct ticket *desk_ticket_of_fault(const struct desk *d, const struct alert *a)
{
    const struct held *h = desk_of_fault(d, a->device_id, a->family, a->kind, a->key);

    return h ? &h->ticket : NULL;
}

int64_t desk_ticket_by_number(const struct desk *d, const char *number)
{
    size_t at = 0;
    uint64_t id;
    void *h;

    while (u64dict_next(d->by_id, &at, &id, &h))
        if (strcmp(((const struct held *)h)->ticket.number, number) == 0)
            return (int64_t)id;
    return 0;
}

const struct ticket_step *desk_steps(const struct desk *d, int64_t id, size_t *n)
{
    const struct held *h = desk_held(d, id);

    *n = h ? h->steps.n : 0;
    return h ? h->steps.v : NULL;
}

size_t desk_open_tickets(const struct desk *d)
{
    return u64dict_count(d->by_id);
}

void desk_tickets(const struct desk *d, void (*fn)(void *ctx, const struct ticket *t), void *ctx)
{
    size_t at = 0;
    uint64_t id;
    void *h;

    while (u64dict_next(d->by_id, &at, &id, &h))
        fn(ctx, &((const struct held *)h)->ticket);
}
