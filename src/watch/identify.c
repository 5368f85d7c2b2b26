#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "watch/internal.h"

enum { MAX_IDENTITY_TEXT = 255 };

/* What a read says about the device itself. */
struct identity {
    const struct profile *profile; /* NULL: none matches */
    char *texts[PROFILE_TEXTS];    /* NULL: not known */
};

static void identity_fini(struct identity *id)
{
    for (int i = 0; i < PROFILE_TEXTS; i++)
        free(id->texts[i]);
}

static char **field(struct device *d, enum profile_text i)
{
    switch (i) {
    case PROFILE_MAKE:
        return &d->make;
    case PROFILE_MODEL:
        return &d->model;
    case PROFILE_SERIAL:
        return &d->serial;
    case PROFILE_FIRMWARE:
    case PROFILE_TEXTS:
        break;
    }
    return &d->firmware;
}

/* A value as a clean text, or NULL if it is none worth keeping. */
static char *clean_text(struct value v)
{
    char *text = NULL;

    if (v.quality != QUALITY_GOOD)
        return NULL;
    if (v.type == VALUE_TEXT)
        text = str_clean(v.text, strlen(v.text), MAX_IDENTITY_TEXT);
    else if (v.type == VALUE_INT)
        text = xasprintf("%" PRId64, v.i);
    if (text && !*text) {
        free(text);
        text = NULL;
    }
    return text;
}

static struct identity identity_by(const struct profile *p, const struct value *row, size_t nrow)
{
    struct identity id = {.profile = p};

    for (int i = 0; p && i < PROFILE_TEXTS; i++)
        id.texts[i] = p->texts[i] ? clean_text(expr_eval(p->texts[i], row, nrow)) : NULL;
    return id;
}

/* What is not read now stays as it was known of the same profile. */
static void keep_known(struct identity *id, const struct device *d)
{
    struct device known = *d;

    if (!id->profile || !str_eq(d->profile, id->profile->name))
        return;
    for (int i = 0; i < PROFILE_TEXTS; i++)
        id->texts[i] = id->texts[i] ? id->texts[i] : xstrdup_null(*field(&known, (enum profile_text)i));
}

static bool matches(const struct profile *p, const struct value *row, size_t nrow)
{
    struct value v = profile_fits(p, row, nrow);

    return v.quality == QUALITY_GOOD && v.b;
}

const char *profile_collector(const struct profile *p)
{
    return p->modules.n ? p->modules.v[0]->collector : NULL;
}

/* One that has nothing to read is anybody's. */
static bool speaks(const struct watch *w, const struct profile *p, unsigned collector)
{
    const char *by = profile_collector(p);

    return !by || str_eq(by, w->config.collector_ops[collector]->name);
}

bool identify_asks(const struct watch *w, unsigned collector)
{
    return w->tables.identify && speaks(w, w->tables.identify, collector);
}

const struct speech *identify_speech(struct watch *w, unsigned collector)
{
    return identify_asks(w, collector) ? speech_get(w, w->tables.identify, collector) : NULL;
}

static const char *object_id_of(const struct knowledge *k, const struct value *row, size_t nrow)
{
    unsigned slot = k->identification.known[IDENTIFY_OBJECT_ID];

    return slot < nrow && row[slot].type == VALUE_TEXT && row[slot].quality == QUALITY_GOOD ? row[slot].text : NULL;
}

/* The operator's wish, else the first of the candidates that matches. */
static const struct profile *choose(const struct node *n, const struct value *row, size_t nrow)
{
    const struct knowledge *k = watch_knowledge(n->watch);
    const struct profile *chosen = n->d.profile_wish ? knowledge_profile(k, n->d.profile_wish) : NULL;
    struct profile_candidates candidates = {0};

    if (chosen)
        return chosen;
    profile_candidates(&k->index, object_id_of(k, row, nrow), &candidates);
    for (size_t i = 0; i < candidates.n && !chosen; i++) {
        const struct profile *p = candidates.v[i].profile;

        if (speaks(n->watch, p, n->collector) && matches(p, row, nrow))
            chosen = p;
    }
    array_free(&candidates);
    return chosen;
}

static void announce(struct turn *t)
{
    const struct device *d = &t->n->d;
    struct event *e = turn_event(t, "device.identified");

    event_arg(e, "profile", d->profile);
    event_arg(e, "class", d->device_class);
    event_arg(e, "make", d->make);
    event_arg(e, "model", d->model);
    event_arg(e, "serial", d->serial);
    event_arg(e, "firmware", d->firmware);
    change_put_device(turn_change(t), d);
}

static bool same_identity(const struct device *d, const struct identity *id)
{
    const struct profile *p = id->profile;
    struct device known = *d;
    bool same = str_eq(d->profile, p ? p->name : NULL) && str_eq(d->device_class, p ? p->device_class : NULL);

    for (int i = 0; i < PROFILE_TEXTS; i++)
        same = same && str_eq(*field(&known, (enum profile_text)i), id->texts[i]);
    return same;
}

static void record(struct turn *t, const struct identity *id)
{
    struct device *d = &t->n->d;

    xstrset(&d->profile, id->profile ? id->profile->name : NULL);
    xstrset(&d->device_class, id->profile ? id->profile->device_class : NULL);
    for (int i = 0; i < PROFILE_TEXTS; i++)
        xstrset(field(d, (enum profile_text)i), id->texts[i]);
    d->identified_ms = t->wall;
    announce(t);
    judge_fit(t);
}

/* The profile's speech; the identify module's own where there is no profile or it can't be spoken. */
static const struct speech *speech_for(struct node *n, const struct profile *p)
{
    struct watch *w = n->watch;
    const struct speech *s = p && speaks(w, p, n->collector) ? speech_get(w, p, n->collector) : NULL;

    return s && s->parts ? s : identify_speech(w, n->collector);
}

static void ignore(void *ctx, const struct found *f)
{
    (void)ctx;
    (void)f;
}

/* Everything that the module identify told, by its names; *found: the device said something. free() it. */
static struct value *row_of(const struct knowledge *k, struct batch *b, bool *found)
{
    const struct identification *id = &k->identification;
    struct value *row = xcalloc(id->names.n + 1, sizeof *row);

    batch_finish(b, ignore, NULL);
    *found = false;
    for (size_t i = 0; i < id->names.n; i++) {
        const struct value *slots = batch_single(b, id->asks.v[id->names.v[i].ask].def);

        row[i] = slots ? slots[id->names.v[i].slot] : value_unknown(WHY_ABSENT);
        *found |= slots != NULL;
    }
    return row;
}

/* The further components that this device is to be asked, as bits. */
static uint32_t further(const struct knowledge *k, const struct value *row)
{
    uint32_t bits = 0;

    for (size_t i = 1; i < k->identification.asks.n; i++) {
        const struct expr *when = k->identification.asks.v[i].when;
        struct value v = when ? expr_eval(when, row, k->identification.names.n) : value_bool(true);

        if (v.quality == QUALITY_GOOD && v.b)
            bits |= 1u << i;
    }
    return bits;
}

/* What tells it apart stays known where it is not told now. */
static void take_mark(struct turn *t, char **mark, enum identify_known which, const struct value *row)
{
    unsigned slot = watch_knowledge(t->w)->identification.known[which];
    char *text = slot != UINT_MAX ? clean_text(row[slot]) : NULL;

    if (text && !str_eq(*mark, text)) {
        xstrset(mark, text);
        change_put_device(turn_change(t), &t->n->d);
    }
    free(text);
}

static void take_identity(struct turn *t, const struct value *row)
{
    const struct knowledge *k = watch_knowledge(t->w);
    struct node *n = t->n;
    const struct profile *p = choose(n, row, k->identification.names.n);
    struct identity id = identity_by(p, row, k->identification.names.n);

    n->told = 0;
    for (int i = 0; i < PROFILE_TEXTS; i++)
        n->told |= id.texts[i] ? 1u << i : 0;
    n->told |= TOLD_READ;
    if (p && p->identities.n > 0)
        keep_known(&id, &n->d);
    if (!n->d.identified_ms || !same_identity(&n->d, &id))
        record(t, &id);
    take_mark(t, &n->d.mac, IDENTIFY_MAC, row);
    take_mark(t, &n->d.engine_id, IDENTIFY_ENGINE_ID, row);
    trap_know_engine(n);
    n->speech = speech_for(n, p);
    n->retarget = true; /* the profile may want other packets; not inside the collector's call */
    identity_fini(&id);
}

/* Of what the identify module asks most devices tell little: only that is kept, in one piece with its texts. */
struct seen {
    size_t n;
    struct value values[]; /* slot: which of the names */
};

void identify_forget(struct node *n)
{
    free(n->seen);
    n->seen = NULL;
}

static bool is_absent(struct value v)
{
    return v.quality == QUALITY_UNKNOWN && v.why == WHY_ABSENT;
}

static bool has_text(struct value v)
{
    return v.type == VALUE_TEXT && v.quality == QUALITY_GOOD;
}

/* Keeps what it told, for who asks why it got its profile. */
static void remember(struct node *n, const struct value *row)
{
    size_t names = watch_knowledge(n->watch)->identification.names.n, count = 0, texts = 0;
    struct seen *seen;
    char *text;

    for (size_t i = 0; i < names; i++) {
        count += !is_absent(row[i]);
        texts += has_text(row[i]) ? strlen(row[i].text) + 1 : 0;
    }
    seen = xcalloc(1, sizeof *seen + count * sizeof *seen->values + texts);
    text = (char *)&seen->values[count];
    for (size_t i = 0; i < names; i++) {
        struct value v = row[i];

        if (is_absent(v))
            continue;
        if (has_text(v)) {
            size_t size = strlen(v.text) + 1;

            v.text = memcpy(text, v.text, size);
            text += size;
        }
        v.slot = (uint16_t)i;
        seen->values[seen->n++] = v;
    }
    identify_forget(n);
    n->seen = seen;
}

int watch_device_identification(const struct watch *w, int64_t id, const struct value **row, size_t *nrow)
{
    struct node *n = watch_node(w, id);
    size_t names = watch_knowledge(w)->identification.names.n;
    struct value *all;

    if (!n)
        return PD_ENOENT;
    if (!n->seen)
        return PD_ESTATE;
    array_reserve(&n->watch->shown, names + 1);
    all = n->watch->shown.v;
    for (size_t i = 0; i < names; i++)
        all[i] = value_unknown(WHY_ABSENT);
    for (size_t i = 0; i < n->seen->n; i++) {
        all[n->seen->values[i].slot] = n->seen->values[i];
        all[n->seen->values[i].slot].slot = VALUE_NO_SLOT;
    }
    *row = all;
    *nrow = names;
    return 0;
}

void identify_take(struct turn *t, struct batch *b)
{
    struct node *n = t->n;
    bool complete = t->result->status == PD_READ_DONE;
    bool found;
    struct value *row = row_of(watch_knowledge(t->w), b, &found);
    /* One that answers, but knows nothing of what all are asked, may know the rest. */
    uint32_t more = found || complete ? further(watch_knowledge(t->w), row) & ~n->asks : 0;

    if (row)
        remember(n, row);
    n->asks |= more;
    n->ask_again = more != 0;
    /* Half an answer is better than none at first, but takes nothing away from what is known. */
    if (found && !more && (complete || !n->speech))
        take_identity(t, row);
    free(row);
}

uint32_t identify_parts(const struct node *n)
{
    return 1 | n->asks;
}

bool identify_told(struct turn *t)
{
    struct node *n = t->n;
    const char *name = n->d.profile_wish;
    const struct profile *p = name ? knowledge_profile(watch_knowledge(t->w), name) : NULL;
    struct identity id;

    if (identify_asks(t->w, n->collector))
        return false;
    n->speech = p ? speech_for(n, p) : NULL;
    if (!n->speech) {
        log_about(LOG_LEVEL_ERROR, "watch", &(struct log_about){.kind = LOG_KIND_NOT_POLLED, .device = n->d.name},
                  "%s is not polled: there is no profile %s for %s", n->d.name, name ? name : "", n->d.collector);
        return true;
    }
    id = identity_by(p, NULL, 0);
    if (p->identity)
        keep_known(&id, &n->d);
    if (!n->d.identified_ms || !same_identity(&n->d, &id))
        record(t, &id);
    identity_fini(&id);
    return true;
}

/* Whether the modules have a say in it: what the module identify told is not for them. */
static bool is_open(const struct node *n, int i)
{
    struct device known = n->d;

    return n->told & TOLD_READ ? !(n->told >> i & 1) : !*field(&known, (enum profile_text)i);
}

/* What the profile's modules tell of the device, the first one's word first. */
static void fill(struct identity *id, const struct node *n, const struct batch *b)
{
    const struct profile *p = id->profile;

    for (int i = 0; i < PROFILE_TEXTS; i++) {
        char *text = NULL;

        for (size_t m = 0; is_open(n, i) && m < p->identities.n && !text; m++) {
            const struct value *row = p->identities.v[m].slots[i] >= 0 ? batch_single(b, p->identities.v[m].def) : NULL;

            text = row ? clean_text(row[p->identities.v[m].slots[i]]) : NULL;
        }
        if (text) {
            free(id->texts[i]);
            id->texts[i] = text;
        }
    }
}

void identify_settle(struct turn *t, struct batch *b)
{
    const struct node *n = t->n;
    const struct profile *p = t->speech->profile;
    const struct value *own = p->identity ? batch_single(b, p->identity) : NULL;
    struct identity id = {.profile = p};

    if (p->identities.n == 0 || (p->identity && !own) || !str_eq(n->d.profile, p->name))
        return;
    if (own)
        id = identity_by(p, own, p->identity->nslots);
    keep_known(&id, &n->d);
    if (!own)
        fill(&id, n, b);
    if (!same_identity(&n->d, &id))
        record(t, &id);
    identity_fini(&id);
}

void identify_known(struct turn *t)
{
    struct node *n = t->n;
    const struct knowledge *k = watch_knowledge(n->watch);
    const char *name = n->d.profile_wish ? n->d.profile_wish : n->d.profile;
    const struct profile *p = name && n->d.identified_ms ? knowledge_profile(k, name) : NULL;

    n->asks = 0;
    n->told = 0;
    identify_forget(n);
    if (!identify_told(t))
        n->speech = p ? speech_for(n, p) : NULL;
}
