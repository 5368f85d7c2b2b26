#include "gather/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { HOUR_MS = 3600000, MINUTE_MS = 60000, SOON_DAYS = 30, WARRANTY_DAYS = 60, MOST_TOLD = 8 };

/* ---- Names ---- */

const char *words_rule(const struct knowledge *k, const char *rule, enum lang lang)
{
    const struct rule *r = rule ? knowledge_rule(k, rule) : NULL;

    return r && words_of(r->title, lang) ? words_of(r->title, lang) : rule;
}

const char *words_family(const struct knowledge *k, const struct found_fault *a, enum lang lang)
{
    char *id = xasprintf("family.%s", a->family);
    const char *text = text_get(lang, id);
    bool known = text != id;

    free(id);
    if (known)
        return text;
    return a->rule ? words_rule(k, a->rule, lang) : a->family;
}

/* A mere number says nothing to a reader. */
static bool is_number(const char *label)
{
    return !label || label[strspn(label, "0123456789.")] == '\0';
}

const char *words_component(const struct found_fault *a)
{
    return str_eq(a->kind, DEVICE_KIND) || is_number(a->label) ? NULL : a->label;
}

char *words_series(const struct found_series *s, const struct knowledge *k, enum lang lang)
{
    const struct kind *kind = vocabulary_kind(&k->vocabulary, s->kind);
    const char *title = kind ? words_of(kind->title, lang) : NULL;

    if (!is_number(s->name) || !title)
        return xstrdup(s->name ? s->name : "-");
    return s->name && !str_eq(s->name, "1") ? xasprintf("%s %s", title, s->name) : xstrdup(title);
}

const char *words_of(char *const texts[LANG_COUNT], enum lang lang)
{
    if (texts[lang])
        return texts[lang];
    for (int l = 0; l < LANG_COUNT; l++)
        if (texts[l])
            return texts[l];
    return NULL;
}

/* A text with its arguments, made on the heap. */
#define FILL(lang, id, ...)                                                                                            \
    fill(lang, id, (const struct text_arg[]){__VA_ARGS__},                                                             \
         sizeof((const struct text_arg[]){__VA_ARGS__}) / sizeof(struct text_arg))

static char *fill(enum lang lang, const char *id, const struct text_arg *args, size_t n)
{
    struct sbuf b = {0};

    text_fill(&b, text_get(lang, id), args, n);
    return sbuf_take(&b);
}

/* A whole number as an argument. */
struct number {
    char s[24];
};

static struct number number_of(int64_t n)
{
    struct number text;

    snprintf(text.s, sizeof text.s, "%" PRId64, n);
    return text;
}

/* In thousandths, as "12.3". */
static struct number tenths_of(int64_t part, int64_t whole)
{
    int64_t thousandths = whole > 0 ? part / (whole / 1000 + 1) : 0;
    struct number text;

    snprintf(text.s, sizeof text.s, "%" PRId64 ".%d", thousandths / 10, (int)(thousandths % 10));
    return text;
}

static char *time_of(enum lang lang, int64_t ms)
{
    struct number hours = number_of(ms / HOUR_MS), minutes = number_of(ms / MINUTE_MS % 60);

    return FILL(lang, "gather.time", {"hours", hours.s}, {"minutes", minutes.s});
}

/* "Paper jam, Tray 2" */
static char *fault_of(const struct found_fault *a, const struct knowledge *k, enum lang lang)
{
    const char *part = words_component(a), *title = words_rule(k, a->rule, lang);

    if (!title)
        title = words_family(k, a, lang);
    return part ? FILL(lang, "gather.part", {"what", title}, {"part", part}) : xstrdup(title);
}

/* ---- Of a device and a ticket ---- */

char *words_worry(const struct findings *f, const struct found_device *d, const struct knowledge *k, enum lang lang)
{
    struct number n = number_of((int64_t)d->worry_of);
    const struct found_series *s;
    char *what = NULL, *text = NULL;

    switch (d->worry) {
    case WORRY_NONE:
        break;
    case WORRY_OPEN_FAULT:
        what = fault_of(&f->faults.v[d->worry_of], k, lang);
        text = FILL(lang, "gather.worry.fault", {"what", what});
        break;
    case WORRY_IN_REPAIR:
        text = xstrdup(text_get(lang, "gather.worry.repair"));
        break;
    case WORRY_SUPPLY:
        s = &f->supplies.v[d->worry_of];
        n = number_of(supply_percent(s->trend.last));
        what = words_series(s, k, lang);
        text = FILL(lang, "gather.worry.supply", {"what", what}, {"level", n.s});
        break;
    case WORRY_PATROL:
        text = FILL(lang, "gather.worry.patrol", {"n", n.s});
        break;
    case WORRY_DOWN:
        what = time_of(lang, d->sum.down_ms);
        text = FILL(lang, "gather.worry.down", {"time", what}, {"n", n.s});
        break;
    case WORRY_OFTEN:
        text = FILL(lang, "gather.worry.often", {"n", n.s});
        break;
    }
    free(what);
    return text;
}

char *words_title(const struct found_ticket *t, const struct knowledge *k, enum lang lang)
{
    const struct ticket *r = &t->ticket;
    const char *title = r->title ? r->title : words_rule(k, r->rule, lang);

    if (!title)
        title = r->family ? r->family : r->number;
    if (!r->title && r->family && !str_eq(r->component_kind, DEVICE_KIND) && !is_number(r->label))
        return FILL(lang, "gather.part", {"what", title}, {"part", r->label});
    return xstrdup(title);
}

char *words_remark(const struct findings *f, enum lang lang)
{
    int64_t all = f->sum.up_ms + f->sum.down_ms + f->sum.gap_ms;
    struct number gap = tenths_of(f->sum.gap_ms, all), faulty = number_of(f->months_devices[HEALTH_FAULT]);
    struct number attention = number_of(f->months_devices[HEALTH_ATTENTION]);
    char *devices, *gaps, *both;

    if (f->devices.n == 0)
        return xstrdup(text_get(lang, "gather.remark.empty"));
    if (f->months_devices[HEALTH_OK] == f->devices.n)
        devices = xstrdup(text_get(lang, "gather.remark.fine"));
    else
        devices = FILL(lang, "gather.remark.devices", {"fault", faulty.s}, {"attention", attention.s});
    if (f->sum.gap_ms <= all / 100)
        return devices;
    gaps = FILL(lang, "gather.remark.gap", {"share", gap.s});
    both = FILL(lang, "gather.remark.both", {"devices", devices}, {"gap", gaps});
    free(devices);
    free(gaps);
    return both;
}

/* ---- Recommendations ---- */

struct teller {
    const struct findings *f;
    const struct knowledge *k;
    enum lang lang;
    void (*fn)(void *ctx, const char *text);
    void *ctx;
};

static void tell(const struct teller *t, char *taken)
{
    t->fn(t->ctx, taken);
    free(taken);
}

/* Names of devices, parted by the language's comma; those beyond MOST_TOLD are counted. */
struct names {
    struct sbuf b;
    size_t n;
};

static void names_add(struct names *names, enum lang lang, const char *name)
{
    if (names->n++ >= MOST_TOLD)
        return;
    if (names->n > 1)
        sbuf_add(&names->b, text_get(lang, "gather.comma"));
    sbuf_add(&names->b, name);
}

/* Tells the text of them, if there are any. */
static void names_tell(const struct teller *t, struct names *names, const char *id)
{
    struct number more = number_of((int64_t)names->n - MOST_TOLD), n = number_of((int64_t)names->n);

    if (names->n > MOST_TOLD) {
        char *rest = FILL(t->lang, "gather.more", {"n", more.s});

        sbuf_add(&names->b, rest);
        free(rest);
    }
    if (names->n > 0)
        tell(t, FILL(t->lang, id, {"names", names->b.s}, {"n", n.s}));
    sbuf_free(&names->b);
}

static void recommend_devices(const struct teller *t, const char *id, bool (*want)(const struct found_device *d))
{
    struct names names = {0};

    for (size_t i = 0; i < t->f->devices.n; i++)
        if (want(&t->f->devices.v[i]))
            names_add(&names, t->lang, t->f->devices.v[i].name);
    names_tell(t, &names, id);
}

static bool is_faulty(const struct found_device *d)
{
    return d->health == HEALTH_FAULT;
}

static bool fails_often(const struct found_device *d)
{
    return d->faults >= 3 && !d->retired;
}

static bool was_down(const struct found_device *d)
{
    return d->worry == WORRY_DOWN;
}

static bool was_not_seen(const struct found_device *d)
{
    return !d->retired && d->sum.gap_ms > (d->sum.up_ms + d->sum.down_ms + d->sum.gap_ms) / 20;
}

static void recommend_supplies(const struct teller *t)
{
    struct names names = {0};

    for (size_t i = 0; i < t->f->supplies.n; i++) {
        const struct found_series *s = &t->f->supplies.v[i];
        enum supply_state state = supply_state_of(s);
        char *name, *supply;

        if (state != SUPPLY_IS_LOW && state != SUPPLY_IS_EMPTY)
            continue;
        supply = words_series(s, t->k, t->lang);
        name = FILL(t->lang, "gather.part", {"what", t->f->devices.v[s->device].name}, {"part", supply});
        names_add(&names, t->lang, name);
        free(name);
        free(supply);
    }
    names_tell(t, &names, "gather.advise.supplies");
}

static void recommend_patrol(const struct teller *t)
{
    struct number n;
    int64_t bad = 0;

    for (size_t i = 0; i < t->f->items.n; i++)
        bad += t->f->items.v[i].result == RESULT_ATTENTION || t->f->items.v[i].result == RESULT_FAULT;
    n = number_of(bad);
    if (bad > 0)
        tell(t, FILL(t->lang, "gather.advise.patrol", {"n", n.s}));
}

void words_recommend(const struct findings *f, const struct knowledge *k, enum lang lang,
                     void (*fn)(void *ctx, const char *text), void *ctx)
{
    const struct teller t = {f, k, lang, fn, ctx};
    struct number missed = number_of(f->missed);

    recommend_devices(&t, "gather.advise.faulty", is_faulty);
    recommend_supplies(&t);
    recommend_devices(&t, "gather.advise.often", fails_often);
    recommend_devices(&t, "gather.advise.down", was_down);
    recommend_patrol(&t);
    if (f->missed > 0)
        tell(&t, FILL(lang, "gather.advise.promises", {"n", missed.s}));
    recommend_devices(&t, "gather.advise.gap", was_not_seen);
}

/* ---- What is to be expected ---- */

struct seer {
    const struct findings *f;
    const struct knowledge *k;
    enum lang lang;
    int64_t today; /* the day on which the report is prepared */
    void (*fn)(void *ctx, const struct foreseen *s);
    void *ctx;
};

static void foresee(const struct seer *s, ptrdiff_t device, char *taken_what, char *taken_why, int64_t day)
{
    const struct foreseen seen = {.device = device, .what = taken_what, .why = taken_why, .day = day};

    s->fn(s->ctx, &seen);
    free(taken_what);
    free(taken_why);
}

static void foresee_supplies(const struct seer *s)
{
    for (size_t i = 0; i < s->f->supplies.n; i++) {
        const struct found_series *supply = &s->f->supplies.v[i];
        int64_t days = supply_days_left(supply), end = s->f->first_day + s->f->days - 1;
        struct number level = number_of(supply_percent(supply->trend.last)), left = number_of(days);
        char *name;

        if (s->f->devices.v[supply->device].retired || days < 0 || days > SOON_DAYS)
            continue;
        name = words_series(supply, s->k, s->lang);
        foresee(s, (ptrdiff_t)supply->device, FILL(s->lang, "gather.ahead.supply", {"what", name}),
                FILL(s->lang, "gather.ahead.supply.why", {"level", level.s}, {"days", left.s}), end + days);
        free(name);
    }
}

/* What rules foresee: information that is not over. */
static void foresee_forecasts(const struct seer *s)
{
    for (size_t i = 0; i < s->f->faults.n; i++) {
        const struct found_fault *a = &s->f->faults.v[i];

        if (a->to_ms != 0 || str_eq(a->family, "supply") ||
            !(str_eq(a->family, "battery") || str_eq(a->family, "disk")))
            continue;
        foresee(s, (ptrdiff_t)a->device, fault_of(a, s->k, s->lang), xstrdup(text_get(s->lang, "gather.ahead.rule")),
                0);
    }
}

static void foresee_tickets(const struct seer *s)
{
    for (size_t i = 0; i < s->f->tickets.n; i++) {
        const struct found_ticket *t = &s->f->tickets.v[i];

        if (t->closed_ms != 0 || t->ticket.kind != TICKET_KIND_PREVENTIVE)
            continue;
        foresee(s, t->device, words_title(t, s->k, s->lang),
                FILL(s->lang, "gather.ahead.ticket", {"ticket", t->ticket.number}), 0);
    }
}

static void foresee_warranties(const struct seer *s)
{
    for (size_t i = 0; i < s->f->devices.n; i++) {
        const struct found_device *d = &s->f->devices.v[i];

        if (!d->retired && d->warranty_day >= s->f->first_day && d->warranty_day < s->today + WARRANTY_DAYS)
            foresee(s, (ptrdiff_t)i, xstrdup(text_get(s->lang, "gather.ahead.warranty")), NULL, d->warranty_day);
    }
    if (s->f->contract_end_day >= s->f->first_day && s->f->contract_end_day < s->today + WARRANTY_DAYS)
        foresee(s, -1, xstrdup(text_get(s->lang, "gather.ahead.contract")), NULL, s->f->contract_end_day);
}

void words_foresee(const struct findings *f, const struct knowledge *k, enum lang lang,
                   void (*fn)(void *ctx, const struct foreseen *s), void *ctx)
{
    const struct seer s = {f, k, lang, date_day_of_ms(f->as_of_ms), fn, ctx};

    foresee_supplies(&s);
    foresee_forecasts(&s);
    foresee_tickets(&s);
    foresee_warranties(&s);
}
