#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/internal.h"

/*
 * What devices have in common and is not to be asked too much at a time: the
 * subnet in which they stand, the gateway behind which they are units. Who finds
 * one full waits in a row, first come, first served. Who was silent the last time
 * is only probed, by a packet or two: it neither waits nor takes a place, so the
 * dead do not keep the living waiting.
 */

enum { V4_SUBNET = 3, V6_SUBNET = 8 }; /* bytes of an address */

/* The subnet's key, or NULL where it is no network address (a serial bus). */
static char *subnet_key(const char *address)
{
    uint8_t b[16];
    char *host = xstrndup(address, strcspn(address, "%")), *key = NULL;

    if (inet_pton(AF_INET, host, b) == 1)
        key = xasprintf("%u.%u.%u", b[0], b[1], b[V4_SUBNET - 1]);
    else if (inet_pton(AF_INET6, host, b) == 1)
        key = xasprintf("%02x%02x:%02x%02x:%02x%02x:%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5], b[6],
                        b[V6_SUBNET - 1]);
    free(host);
    return key;
}

static char *gateway_key(const struct device *d)
{
    return d->unit > 0 ? xasprintf("%s %s %u", d->collector ? d->collector : "", d->address, d->port) : NULL;
}

/* Takes the key. */
static struct share *join(struct watch *w, char *key, bool gateway)
{
    struct share *s = key ? dict_get(w->shares, key) : NULL;

    if (key && !s) {
        s = xcalloc(1, sizeof *s);
        s->key = xstrdup(key);
        s->gateway = gateway;
        TAILQ_INIT(&s->waiting);
        dict_put(w->shares, key, s);
    }
    if (s)
        s->members++;
    free(key);
    return s;
}

static void share_free(struct share *s)
{
    free(s->key);
    free(s);
}

static void leave(struct watch *w, struct share **place)
{
    struct share *s = *place;

    *place = NULL;
    if (!s || --s->members > 0)
        return;
    dict_del(w->shares, s->key);
    share_free(s);
}

void share_join(struct watch *w, struct node *n)
{
    n->subnet = join(w, subnet_key(n->d.address), false);
    n->gateway = join(w, gateway_key(&n->d), true);
}

void share_leave(struct watch *w, struct node *n)
{
    share_give(n);
    leave(w, &n->subnet);
    leave(w, &n->gateway);
}

void share_free_all(struct watch *w)
{
    const char *key;
    void *s;

    for (size_t at = 0; dict_next(w->shares, &at, &key, &s);)
        share_free(s);
    dict_free(w->shares);
}

static bool is_full(const struct watch *w, const struct share *s)
{
    const struct settings *settings = w->config.settings;
    int cap = !s ? 0 : s->gateway ? settings->gateway_reads : settings->subnet_reads;

    return cap > 0 && s->busy >= (unsigned)cap;
}

static struct share *full_one(const struct node *n)
{
    return is_full(n->watch, n->subnet) ? n->subnet : is_full(n->watch, n->gateway) ? n->gateway : NULL;
}

static void occupy(struct node *n)
{
    n->has_place = true;
    if (n->subnet)
        n->subnet->busy++;
    if (n->gateway)
        n->gateway->busy++;
}

static void stop_waiting(struct node *n)
{
    if (n->waits_for)
        TAILQ_REMOVE(&n->waits_for->waiting, n, waiting);
    n->waits_for = NULL;
}

static void wait_for(struct node *n, struct share *s)
{
    n->waits_for = s;
    TAILQ_INSERT_TAIL(&s->waiting, n, waiting);
}

bool share_take(struct node *n)
{
    struct share *full;

    if (n->has_place || n->silent > 0)
        return true;
    if (n->waits_for)
        return false;
    full = full_one(n);
    if (full) {
        wait_for(n, full);
        return false;
    }
    occupy(n);
    return true;
}

/* Lets in whoever is next; who finds the other full waits there. */
static void admit(struct watch *w, struct share *s)
{
    struct node *next;

    while (s && !is_full(w, s) && (next = TAILQ_FIRST(&s->waiting)) != NULL) {
        struct share *full;

        stop_waiting(next);
        full = full_one(next);
        if (full) {
            wait_for(next, full);
            continue;
        }
        occupy(next);
        wheel_set(w->config.services.wheel, &next->timer, watch_mono(w));
    }
}

void share_give(struct node *n)
{
    stop_waiting(n);
    if (!n->has_place)
        return;
    n->has_place = false;
    if (n->subnet)
        n->subnet->busy--;
    if (n->gateway)
        n->gateway->busy--;
    admit(n->watch, n->subnet);
    admit(n->watch, n->gateway);
}

bool share_has_others(const struct node *n)
{
    return n->gateway && n->gateway->members > 1;
}
