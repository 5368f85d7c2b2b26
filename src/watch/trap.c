#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "watch/decode.h"
#include "watch/internal.h"
#include "watch/target.h"

/*
 * What devices say unasked. A trap makes its device due, so that what it tells is
 * read; only one that is believed is also an event with the words that a module
 * has for it. Believed is who knows the community of a device at that address, or
 * is an authentic user of version 3.
 *
 * A flood of them, pretended or not, makes a device be read only so much more
 * often, and so many devices in all.
 */
enum {
    BELIEVED_GAP_MS = 5000, /* from one read for traps to the next, of a device */
    HINT_GAP_MS = 30000,    /* likewise, where anybody may have sent them */
    HINTS_PER_S = 100,      /* devices that are read for those, in all */
    EVENTS_PER_S = 100,     /* of versions 1 and 2c; informs beyond it are not answered and come again */
    PROVED_PER_S = 400,     /* likewise, of version 3: no flood of the others takes from it */
    BURST_S = 10,
    AGAIN_MS = 300000, /* so long an inform may come again */
    MAX_TEXT = 500,
    SHOWN_VARBINDS = 8,
    ENGINE_TEXT = 3 * 32 + 1,
    TAG_IP_ADDRESS = 0x40, /* SNMP's */
};

/* ---- Who stands at an address ---- */

/* FNV-1a, over what makes an address that of a host. */
static uint64_t place_of(const union pd_addr *a)
{
    const uint8_t *p = (const uint8_t *)&a->in.sin_addr;
    size_t n = sizeof a->in.sin_addr;
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    if (a->sa.sa_family == AF_INET6) {
        p = a->in6.sin6_addr.s6_addr;
        n = sizeof a->in6.sin6_addr;
    }
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static bool address_of(const struct node *n, union pd_addr *out)
{
    return n->watch->config.collector_ops[n->collector]->traps && pd_addr_parse(n->d.address, 0, out) == 0;
}

static struct node *first_at(const struct watch *w, const union pd_addr *a)
{
    return u64dict_get(w->places, place_of(a));
}

static bool stands_at(const struct node *n, const union pd_addr *a)
{
    union pd_addr own;

    return address_of(n, &own) && pd_addr_same_host(&own, a);
}

/* In order of id, so that nothing depends on who came first. */
void trap_settle(struct node *n)
{
    struct watch *w = n->watch;
    struct node *first, **at = &first;
    union pd_addr a;

    if (!address_of(n, &a))
        return;
    first = first_at(w, &a);
    while (*at && (*at)->d.id < n->d.id)
        at = &(*at)->beside;
    n->beside = *at;
    *at = n;
    u64dict_put(w->places, place_of(&a), first);
}

void trap_leave(struct node *n)
{
    struct watch *w = n->watch;
    struct node *first, **at = &first;
    union pd_addr a;

    if (!address_of(n, &a))
        return;
    first = first_at(w, &a);
    while (*at && *at != n)
        at = &(*at)->beside;
    if (!*at)
        return;
    *at = n->beside;
    n->beside = NULL;
    if (first)
        u64dict_put(w->places, place_of(&a), first);
    else
        u64dict_del(w->places, place_of(&a));
}

static bool knows(void *arg, const union pd_addr *from)
{
    for (const struct node *n = first_at(arg, from); n; n = n->beside)
        if (stands_at(n, from))
            return true;
    return false;
}

/* ---- Whom to believe ---- */

/* Takes as long for a wrong one, whatever of it is right. */
static bool same_secret(const char *own, const uint8_t *said, size_t n)
{
    size_t m = strlen(own);
    uint8_t differs = m != n;

    for (size_t i = 0; i < n; i++)
        differs |= (uint8_t)(said[i] ^ (uint8_t)own[m ? i % m : 0]);
    return differs == 0;
}

static const struct credential *credential_of(const struct node *n)
{
    return n->d.credential ? settings_credential(n->watch->config.settings, n->d.credential) : NULL;
}

/* The sender's engine as records have it; false if it told none. */
static bool engine_text(const struct pd_trap *t, char hex[ENGINE_TEXT])
{
    size_t at = 0;

    hex[0] = '\0';
    for (size_t i = 0; i < t->nengine && at + 4 < ENGINE_TEXT; i++)
        at += (size_t)snprintf(hex + at, ENGINE_TEXT - at, "%s%02x", i ? ":" : "", t->engine[i]);
    return at > 0;
}

static bool is_engine(const struct node *n, const struct pd_trap *t)
{
    char hex[ENGINE_TEXT];

    return n->d.engine_id && engine_text(t, hex) && strcasecmp(n->d.engine_id, hex) == 0;
}

void trap_know_engine(struct node *n)
{
    if (n->d.engine_id)
        dict_put(n->watch->engines, n->d.engine_id, (void *)(intptr_t)n->d.id);
}

/* How well a device at the place fits what the trap proves. */
enum fit { FIT_NOT, FIT_PLACE, FIT_USER, FIT_ENGINE, FIT_COMMUNITY = FIT_USER };

static enum fit fit_of(const struct node *n, const struct pd_trap *t)
{
    const struct credential *c = credential_of(n);

    if (t->version != 3)
        return c && c->community && same_secret(c->community, t->community, t->ncommunity) ? FIT_COMMUNITY : FIT_NOT;
    if (!t->authentic)
        return FIT_NOT;
    if (is_engine(n, t))
        return FIT_ENGINE;
    return c && c->user && str_eq(c->user, t->user) ? FIT_USER : FIT_PLACE;
}

/* Whom a trap may be of. */
struct aim {
    const union pd_addr *at; /* the place; NULL: it is the first alone */
    struct node *first;      /* of those that fit best; NULL: nobody */
    enum fit best;           /* how well that is */
    size_t count;            /* of those */
};

static struct aim aim_at(struct watch *w, const union pd_addr *at, const struct pd_trap *t)
{
    struct aim a = {.at = at};

    for (struct node *n = first_at(w, at); n; n = n->beside) {
        enum fit fit;

        if (!stands_at(n, at))
            continue;
        fit = fit_of(n, t);
        if (a.first && fit < a.best)
            continue;
        if (!a.first || fit > a.best)
            a = (struct aim){.at = at, .first = n, .best = fit};
        a.count++;
    }
    return a;
}

/* Whoever speaks by that engine, from wherever it does. */
static struct aim aim_by_engine(struct watch *w, const struct pd_trap *t)
{
    char hex[ENGINE_TEXT];
    void *id = engine_text(t, hex) ? dict_get(w->engines, hex) : NULL;
    struct node *n = id ? watch_node(w, (int64_t)(intptr_t)id) : NULL;

    return n && is_engine(n, t) ? (struct aim){.first = n, .best = FIT_ENGINE, .count = 1} : (struct aim){0};
}

/* ---- It is read soon ---- */

/* So many a second: true if there is room for one more. */
static bool has_room(struct trap_bucket *b, int64_t now, int64_t per_s)
{
    enum { ONE = 1000 };
    int64_t gone = (now - b->at_ms) * per_s;

    b->fill = b->fill > gone ? b->fill - gone : 0;
    b->at_ms = now;
    if (b->fill + ONE > per_s * BURST_S * ONE)
        return false;
    b->fill += ONE;
    return true;
}

static void make_due(struct node *n, uint32_t parts, bool believed)
{
    struct watch *w = n->watch;
    int64_t now = watch_mono(w), gap = believed ? BELIEVED_GAP_MS : HINT_GAP_MS;
    int64_t at = n->trap_ms && n->trap_ms + gap > now ? n->trap_ms + gap : now;

    if (n->trap_ms > now) /* it will be read for others already */
        at = n->trap_ms;
    else if (!believed && (at > now || !has_room(&w->hints, now, HINTS_PER_S)))
        return; /* the next one may come through */
    n->trap_ms = at;
    rhythm_soon(n, parts, at);
}

static void make_all_due(const struct aim *a, const struct pd_trap *t, uint32_t parts)
{
    if (!a->at) {
        make_due(a->first, parts, true);
        return;
    }
    for (struct node *n = a->first; n; n = n->beside)
        if (stands_at(n, a->at) && fit_of(n, t) == a->best)
            make_due(n, parts, a->best > 0);
}

/* ---- What it says ---- */

/* The varbind of a value: its name is the column's, or begins with it. */
static const struct pd_cell *cell_of(const struct pd_trap *t, const char *address, struct arena *arena)
{
    size_t n = strlen(address);

    for (size_t i = 0; i < t->ncells; i++) {
        const char *name = decode_dotted(t->cells[i].instance, t->cells[i].ninstance, arena);

        if (strncmp(name, address, n) == 0 && (name[n] == '\0' || name[n] == '.'))
            return &t->cells[i];
    }
    return NULL;
}

static void add_members(struct sbuf *out, const struct members *m, uint64_t bits, enum lang lang)
{
    const char *comma = "";

    for (size_t i = 0; i < m->list.n; i++) {
        if (m->list.v[i].number > 63 || !(bits >> m->list.v[i].number & 1))
            continue;
        sbuf_addf(out, "%s%s", comma, member_title(&m->list.v[i], lang));
        comma = ", ";
    }
}

static void add_value(struct sbuf *out, const struct column *c, struct value v, enum lang lang)
{
    const struct member *m = v.type == VALUE_ENUM ? members_by_number(&c->members, v.i) : NULL;
    const struct point_def plain = {.type = v.type};

    sbuf_add(out, "");
    if (v.quality != QUALITY_GOOD)
        sbuf_add(out, "?");
    else if (v.type == VALUE_BITS)
        add_members(out, &c->members, v.bits, lang);
    else if (m)
        sbuf_add(out, member_title(m, lang));
    else
        format_value(out, &plain, v);
}

static char *value_text_of(const struct pd_trap *t, const struct column *c, enum lang lang, struct arena *arena)
{
    const struct pd_cell *cell = cell_of(t, c->address, arena);
    struct sbuf out = {0};

    add_value(&out, c, cell ? decode_cell(c, cell, arena) : VALUE_UNKNOWN, lang);
    return sbuf_take(&out);
}

static char *text_of(const struct trap_def *def, const struct node *n, const struct pd_trap *t, enum lang lang,
                     struct arena *arena)
{
    size_t count = def->values.n + 1;
    struct text_arg *args = xcalloc(count, sizeof *args);
    struct sbuf out = {0};

    args[0] = (struct text_arg){"device", n->d.name};
    for (size_t i = 1; i < count; i++)
        args[i] =
            (struct text_arg){def->values.v[i - 1].name, value_text_of(t, def->values.v[i - 1].column, lang, arena)};
    text_fill(&out, def->title[lang], args, count);
    for (size_t i = 1; i < count; i++)
        free((char *)(uintptr_t)args[i].value);
    free(args);
    return sbuf_take(&out);
}

/* What nobody has words for, as it came: "OID = 5, OID = up". */
static char *varbinds_text(const struct pd_trap *t, struct arena *arena)
{
    static const enum column_type types[] = {
        [PD_CELL_INT] = COLUMN_INT, [PD_CELL_UINT] = COLUMN_INT,   [PD_CELL_TICKS] = COLUMN_INT,
        [PD_CELL_OID] = COLUMN_OID, [PD_CELL_BYTES] = COLUMN_TEXT, [PD_CELL_FLOAT] = COLUMN_NUM,
    };
    struct sbuf out = {0};

    sbuf_add(&out, "");
    for (size_t i = 0; i < t->ncells && i < SHOWN_VARBINDS && out.n < MAX_TEXT; i++) {
        const struct pd_cell *cell = &t->cells[i];
        const struct column c = {.type = cell->type <= PD_CELL_FLOAT ? types[cell->type] : COLUMN_INT};

        sbuf_addf(&out, "%s%s = ", i ? ", " : "", decode_dotted(cell->instance, cell->ninstance, arena));
        add_value(&out, &c,
                  cell->tag == TAG_IP_ADDRESS && cell->type == PD_CELL_BYTES
                      ? decode_ip(cell->bytes, cell->nbytes, arena)
                      : decode_cell(&c, cell, arena),
                  LANG_EN);
    }
    return sbuf_take(&out);
}

/* Both languages are written down: the event is told in later years, by other knowledge. */
static void add_texts(struct event *e, const struct trap_def *def, const struct node *n, const struct pd_trap *t)
{
    struct arena arena = {0};

    for (enum lang lang = LANG_EN; def && lang < LANG_COUNT; lang++) {
        char *name = lang == LANG_EN ? xstrdup("text") : xasprintf("text_%s", lang_name(lang));
        char *text = text_of(def, n, t, lang, &arena), *clean = str_clean(text, strlen(text), MAX_TEXT);

        event_arg(e, name, clean);
        free(clean);
        free(text);
        free(name);
    }
    if (!def) {
        char *text = varbinds_text(t, &arena), *clean = str_clean(text, strlen(text), MAX_TEXT);

        event_arg(e, "varbinds", clean);
        free(clean);
        free(text);
    }
    arena_fini(&arena);
}

static void add_sender(struct event *e, const struct aim *a, const struct pd_trap *t)
{
    char from[PD_ADDR_TEXT];

    pd_addr_text(t->from, from);
    event_arg(e, "from", from);
    event_arg_int(e, "version", t->version);
    if (t->inform) {
        char *id = xasprintf("%016" PRIx64, t->id);

        event_arg(e, "inform", id);
        free(id);
    }
    if (a->count > 1) /* of so many that it may be of, the first */
        event_arg_int(e, "one_of", (int64_t)a->count);
}

static void tell(struct node *n, const struct trap_def *def, const struct aim *a, const struct pd_trap *t,
                 void (*done)(void *arg), void *arg)
{
    const struct watch_ops *ops = &n->watch->config.ops;
    struct turn turn = turn_begin(n->watch, n);
    struct event *e = turn_event(&turn, "device.trap");
    struct arena arena = {0};

    event_arg(e, "trap", def ? def->name : decode_dotted(t->oid, t->noid, &arena));
    event_arg(e, "severity", def ? def->severity : "info");
    add_sender(e, a, t);
    add_texts(e, def, n, t);
    arena_fini(&arena);
    ops->submit(ops->ctx, turn.change, t->inform, done, arg);
}

/* ---- Informs that a crash kept from being answered ---- */

void watch_load_inform(struct watch *w, const char *id, int64_t at_ms)
{
    uint64_t n = strtoull(id, NULL, 16);

    if (at_ms + AGAIN_MS < clock_wall(&w->config.services.clock))
        return;
    if (!w->informs)
        w->informs = u64dict_new();
    u64dict_put(w->informs, n, w);
    w->informs_until = watch_mono(w) + AGAIN_MS;
}

/* It is on disk already, from before the start. */
static bool was_told(struct watch *w, const struct pd_trap *t)
{
    if (w->informs && watch_mono(w) > w->informs_until) {
        u64dict_free(w->informs);
        w->informs = NULL;
    }
    return t->inform && w->informs && u64dict_get(w->informs, t->id);
}

/* ---- A trap ---- */

/* Whose it is: of the device it tells of, where who says so is believed, else of its sender. */
static struct aim find_aim(struct watch *w, const struct pd_trap *t)
{
    struct aim a = t->agent ? aim_at(w, t->agent, t) : (struct aim){0};

    if (a.first && a.best > FIT_NOT)
        return a;
    a = aim_at(w, t->from, t);
    return !a.first && t->authentic ? aim_by_engine(w, t) : a;
}

static bool take(void *arg, const struct pd_trap *t, void (*done)(void *done_arg), void *done_arg)
{
    struct watch *w = arg;
    const struct trap_def *def = knowledge_trap(watch_knowledge(w), t->oid, t->noid);
    struct aim a = find_aim(w, t);
    bool believed = t->authentic || a.best > 0, tells = a.best > 0 && (t->authentic || knows(w, t->from));

    w->counters.traps++;
    if (a.first)
        make_all_due(&a, t, def ? def->parts : 1u << PART_STATUS);
    if (tells && was_told(w, t)) {
        done(done_arg);
        return true;
    }
    if (tells && !has_room(t->authentic ? &w->proved_events : &w->trap_events, watch_mono(w),
                           t->authentic ? PROVED_PER_S : EVENTS_PER_S)) {
        w->counters.traps_untold++;
        return false;
    }
    if (tells) {
        w->counters.traps_told++;
        tell(a.first, def, &a, t, done, done_arg);
    } else if (believed && t->version == 3) {
        done(done_arg);
    }
    return tells || (believed && t->version == 3);
}

void trap_listen(struct watch *w)
{
    const struct settings *s = w->config.settings;
    const struct pd_trap_sink sink = {.knows = knows, .trap = take, .arg = w};
    ARRAY(struct pd_usm_secret) users = {0};

    for (size_t i = 0; i < s->credentials.n; i++)
        if (s->credentials.v[i].version == 3)
            array_push(&users, target_usm(&s->credentials.v[i]));
    for (size_t i = 0; i < w->config.ncollectors; i++)
        if (w->config.collector_ops[i]->traps)
            w->config.collector_ops[i]->traps(w->config.collectors[i], &sink, users.v, users.n);
    array_free(&users);
}

void trap_deafen(struct watch *w)
{
    for (size_t i = 0; i < w->config.ncollectors; i++)
        if (w->config.collector_ops[i]->traps)
            w->config.collector_ops[i]->traps(w->config.collectors[i], NULL, NULL, 0);
}
