#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "watch/internal.h"

enum { MAX_IDENTITY_TEXT = 255 };

/* What a read of the identify module says about the device. */
struct identity {
    const struct profile *profile; /* NULL: none matches */
    char *make, *model, *serial, *firmware;
};

static void identity_fini(struct identity *id)
{
    free(id->make);
    free(id->model);
    free(id->serial);
    free(id->firmware);
}

/* An expression's result as a clean text, or NULL if there is none worth keeping. */
static char *text_of(const struct expr *e, const struct value *row, size_t nrow)
{
    struct value v = e ? expr_eval(e, row, nrow) : VALUE_UNKNOWN;
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

/* Whose object identifier fits and who asks no more, has said all. */
static bool matches(const struct profile *p, const struct value *row, size_t nrow)
{
    struct value v = p->match ? expr_eval(p->match, row, nrow) : value_bool(true);

    return v.quality == QUALITY_GOOD && v.type == VALUE_BOOL && v.b;
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
    const struct value *v = k->identify_object_id < nrow ? &row[k->identify_object_id] : NULL;

    return v && v->type == VALUE_TEXT && v->quality == QUALITY_GOOD ? v->text : NULL;
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

struct seeker {
    struct turn *turn;
    struct identity identity;
    bool found;
};

static void look(void *ctx, const struct found *f)
{
    struct seeker *s = ctx;
    struct turn *t = s->turn;
    size_t nrow = f->def->columns.n + ROW_INDEX_SLOTS;
    const struct profile *p;

    if (s->found || f->module != watch_knowledge(t->w)->identify)
        return;
    s->found = true;
    p = choose(t->n, f->row, nrow);
    s->identity.profile = p;
    if (!p)
        return;
    s->identity.make = text_of(p->make, f->row, nrow);
    s->identity.model = text_of(p->model, f->row, nrow);
    s->identity.serial = text_of(p->serial, f->row, nrow);
    s->identity.firmware = text_of(p->firmware, f->row, nrow);
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

    return str_eq(d->profile, p ? p->name : NULL) && str_eq(d->device_class, p ? p->device_class : NULL) &&
           str_eq(d->make, id->make) && str_eq(d->model, id->model) && str_eq(d->serial, id->serial) &&
           str_eq(d->firmware, id->firmware);
}

static void record(struct turn *t, const struct identity *id)
{
    struct device *d = &t->n->d;

    xstrset(&d->profile, id->profile ? id->profile->name : NULL);
    xstrset(&d->device_class, id->profile ? id->profile->device_class : NULL);
    xstrset(&d->make, id->make);
    xstrset(&d->model, id->model);
    xstrset(&d->serial, id->serial);
    xstrset(&d->firmware, id->firmware);
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

void identify_take(struct turn *t, struct batch *b)
{
    struct seeker s = {.turn = t};
    struct node *n = t->n;
    bool complete = t->result->status == PD_READ_DONE;

    batch_finish(b, look, &s);
    /* Half an answer is better than none at first, but takes nothing away from what is known. */
    if (s.found && (complete || !n->speech)) {
        if (!n->d.identified_ms || !same_identity(&n->d, &s.identity))
            record(t, &s.identity);
        n->speech = speech_for(n, s.identity.profile);
        n->retarget = true; /* the profile may want other packets; not inside the collector's call */
    }
    identity_fini(&s.identity);
}

/* What a profile says that was not asked who it is: what was known before stays where it is not read now. */
static struct identity identity_of(const struct device *d, const struct profile *p, const struct value *row,
                                   size_t nrow)
{
    struct identity id = {
        .profile = p,
        .make = text_of(p->make, row, nrow),
        .model = text_of(p->model, row, nrow),
        .serial = text_of(p->serial, row, nrow),
        .firmware = text_of(p->firmware, row, nrow),
    };

    if (!p->identity || !str_eq(d->profile, p->name))
        return id;
    id.make = id.make ? id.make : xstrdup_null(d->make);
    id.model = id.model ? id.model : xstrdup_null(d->model);
    id.serial = id.serial ? id.serial : xstrdup_null(d->serial);
    id.firmware = id.firmware ? id.firmware : xstrdup_null(d->firmware);
    return id;
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
    id = identity_of(&n->d, p, NULL, 0);
    if (!n->d.identified_ms || !same_identity(&n->d, &id))
        record(t, &id);
    identity_fini(&id);
    return true;
}

void identify_found(struct turn *t, const struct found *f)
{
    const struct profile *p = t->speech->profile;
    size_t nrow = f->def->columns.n + ROW_INDEX_SLOTS;

    if (f->def != p->identity || t->identity)
        return;
    t->identity = xcalloc(1, sizeof *t->identity);
    *t->identity = identity_of(&t->n->d, p, f->row, nrow);
}

void identify_settle(struct turn *t)
{
    if (!t->identity)
        return;
    if (!same_identity(&t->n->d, t->identity))
        record(t, t->identity);
    identity_fini(t->identity);
    free(t->identity);
    t->identity = NULL;
}

void identify_known(struct turn *t)
{
    struct node *n = t->n;
    const struct knowledge *k = watch_knowledge(n->watch);
    const char *name = n->d.profile_wish ? n->d.profile_wish : n->d.profile;
    const struct profile *p = name && n->d.identified_ms ? knowledge_profile(k, name) : NULL;

    if (!identify_told(t))
        n->speech = p ? speech_for(n, p) : NULL;
}
