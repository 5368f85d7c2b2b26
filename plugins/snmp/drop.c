#include <string.h>

#include "base/log.h"
#include "plugins/snmp/engine_state.h"

enum {
    QUIET_MS = 10000,    /* at most one log line for each reason in that time */
    MAX_SEARCHES = 1000, /* for who sent what fits no request, for each reason in that time */
};

static const struct {
    const char *counter, *text;
} drop_names[SNMP_DROPS] = {
    [SNMP_DROP_MALFORMED] = {"snmp_drop_malformed", "is no SNMP message"},
    [SNMP_DROP_VERSION] = {"snmp_drop_version", "has another SNMP version"},
    [SNMP_DROP_TYPE] = {"snmp_drop_type", "is no response"},
    [SNMP_DROP_UNASKED] = {"snmp_drop_unasked", "answers no open request (late, repeated or forged)"},
    [SNMP_DROP_ADDRESS] = {"snmp_drop_address", "comes from another address than was asked"},
    [SNMP_DROP_PORT] = {"snmp_drop_port", "comes from another port than was asked"},
    [SNMP_DROP_COMMUNITY] = {"snmp_drop_community", "has another community or context"},
    [SNMP_DROP_OIDS] = {"snmp_drop_oids", "does not answer what was asked"},
    [SNMP_DROP_ENGINE] = {"snmp_drop_engine", "comes from another SNMP engine"},
    [SNMP_DROP_USER] = {"snmp_drop_user", "names another user"},
    [SNMP_DROP_LEVEL] = {"snmp_drop_level", "is not protected as the request was"},
    [SNMP_DROP_DIGEST] = {"snmp_drop_digest", "is not authentic"},
    [SNMP_DROP_TIME] = {"snmp_drop_time", "is older than the time window allows"},
    [SNMP_DROP_CIPHER] = {"snmp_drop_cipher", "cannot be deciphered"},
    [SNMP_DROP_REPORT] = {"snmp_drop_report", "is a report that tells nothing new"},
};

static const char *const refusal_texts[] = {
    [SNMP_REFUSED_USER] = "it knows no such user (usmStatsUnknownUserNames)",
    [SNMP_REFUSED_DIGEST] = "its user has another authentication password or algorithm (usmStatsWrongDigests)",
    [SNMP_REFUSED_CIPHER] = "its user has another privacy password or algorithm (usmStatsDecryptionErrors)",
    [SNMP_REFUSED_LEVEL] =
        "its user has no such security level, or it lacks the algorithm (usmStatsUnsupportedSecLevels)",
    [SNMP_REFUSED_CONTEXT] = "it knows no such context (snmpUnknownContexts)",
    [SNMP_REFUSED_TIME] = "what it said of its time itself is not in its time window (usmStatsNotInTimeWindows)",
    [SNMP_REFUSED_BOOTS] = "its engine boots are at their end, so it answers nobody until it has a new engine id",
    [SNMP_REFUSED_ENGINE] = "it has another engine id than the credential says (usmStatsUnknownEngineIDs)",
};

const char *snmp_drop_counter(enum snmp_drop drop)
{
    return drop_names[drop].counter;
}

const char *snmp_drop_text(enum snmp_drop drop)
{
    return drop_names[drop].text;
}

const char *snmp_refusal_text(enum snmp_refusal refusal)
{
    return refusal_texts[refusal];
}

/* True if a line about this may be written now; *held is how many were not since the last. */
static bool may_log(struct snmp_engine *e, struct quiet *quiet, uint64_t *held)
{
    if (snmp_engine_now(e) < quiet->until_ms) {
        quiet->held++;
        return false;
    }
    *held = quiet->held;
    *quiet = (struct quiet){.until_ms = snmp_engine_now(e) + QUIET_MS};
    return true;
}

void snmp_engine_note_refused(struct snmp_engine *e, const struct snmp_request *q, int err)
{
    uint64_t held;

    e->refused++;
    if (may_log(e, &e->quiet[SNMP_DROPS], &held))
        log_warn("snmp", "cannot send to %s: %s (%llu more like this not logged)", q->peer->name, strerror(err),
                 (unsigned long long)held);
}

/*
 * The young request whose device sent a packet that names no request of ours, or
 * NULL: it serves to name the device, so a flood is not searched to its end.
 */
static struct snmp_request *suspect(struct snmp_engine *e, enum snmp_drop drop, const union pd_addr *from)
{
    struct lane *l = &e->lanes[from->sa.sa_family == AF_INET ? 0 : 1];
    struct snmp_request *q;

    if (e->quiet[drop].held > MAX_SEARCHES)
        return NULL;
    TAILQ_FOREACH(q, &l->recent, recent)
    {
        if (pd_addr_same_host(&q->peer->addr, from) && pd_addr_port(&q->peer->addr) == pd_addr_port(from))
            return q;
    }
    return NULL;
}

void snmp_engine_note_drop(struct snmp_engine *e, enum snmp_drop drop, const struct snmp_packet *p,
                           struct snmp_request *q)
{
    char from[PD_ADDR_TEXT];
    uint64_t held;

    e->drops[drop]++;
    if (!q)
        q = suspect(e, drop, &p->addr);
    if (q) {
        q->misfit = (uint8_t)drop;
        q->ops->dropped(q, drop);
    }
    if (!may_log(e, &e->quiet[drop], &held))
        return;
    pd_addr_text(&p->addr, from);
    log_warn("snmp", "dropped a packet from %s%s%s%s: it %s (%llu more like this not logged)", from,
             q ? " (asked: " : "", q ? q->peer->name : "", q ? ")" : "", drop_names[drop].text,
             (unsigned long long)held);
}

void snmp_engine_counters(const struct snmp_engine *e, void (*put)(void *arg, const char *name, uint64_t value),
                          void *arg)
{
    put(arg, "snmp_sent", e->sent);
    put(arg, "snmp_repeated", e->repeated);
    put(arg, "snmp_refused", e->refused);
    put(arg, "snmp_received", e->received);
    put(arg, "snmp_used", e->used);
    put(arg, "snmp_expired", e->expired);
    for (int i = SNMP_FITS + 1; i < SNMP_DROPS; i++)
        put(arg, drop_names[i].counter, e->drops[i]);
}
