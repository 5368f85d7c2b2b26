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

static bool matches(const struct profile *p, const struct value *row, size_t nrow)
{
    struct value v = p->match ? expr_eval(p->match, row, nrow) : VALUE_UNKNOWN;

    return v.quality == QUALITY_GOOD && v.type == VALUE_BOOL && v.b;
}

/* The operator's wish, else the first that matches: they lie in order of priority. */
static const struct profile *choose(const struct watch *w, const struct device *d, const struct value *row, size_t nrow)
{
    const struct knowledge *k = watch_knowledge(w);
    const struct profile *wish = d->profile_wish ? knowledge_profile(k, d->profile_wish) : NULL;

    if (wish)
        return wish;
    for (size_t i = 0; i < k->profiles.n; i++) {
        if (matches(k->profiles.v[i], row, nrow))
            return k->profiles.v[i];
    }
    return NULL;
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
    p = choose(t->w, &t->n->d, f->row, nrow);
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
    const struct speech *s = p ? speech_get(w, p, n->collector) : NULL;

    if (s && s->parts)
        return s;
    return w->tables.identify ? speech_get(w, w->tables.identify, n->collector) : NULL;
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

void identify_known(struct node *n)
{
    const struct knowledge *k = watch_knowledge(n->watch);
    const char *name = n->d.profile_wish ? n->d.profile_wish : n->d.profile;
    const struct profile *p = name && n->d.identified_ms ? knowledge_profile(k, name) : NULL;

    n->speech = p ? speech_for(n, p) : NULL;
}
