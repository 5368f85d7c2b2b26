#include "daemon/reports.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"
#include "daemon/people.h"
#include "store/backup.h"

/*
 * Who is who for the monthly reports. A site of the archive has a report of its
 * own; what stands at none of them has one together, under the name of the
 * configuration's site: where the archive has no sites, that is the whole installation.
 */

static const char default_calendar[] = "cn-office";

/* ---- Where a device belongs ---- */

static bool is_mine(void *ctx, int64_t site_id, const char *report_site, const char *site)
{
    const struct core *c = ctx;
    const char *where = site ? site : c->settings->site;

    if (site_id != 0)
        return str_eq(where, report_site);
    return !where || !archive_find(c->archive, ARCHIVE_SITE, where);
}

struct since {
    struct core *core;
    const struct report_subject *subject;
    int64_t first_ms;
};

static void look_at_device(void *ctx, const struct device *d)
{
    struct since *s = ctx;

    if (d->added_ms < s->first_ms && is_mine(s->core, s->subject->site_id, s->subject->site, d->site))
        s->first_ms = d->added_ms;
}

static int64_t since_of(struct core *c, const struct report_subject *subject)
{
    struct since s = {c, subject, INT64_MAX};

    watch_devices(c->watch, look_at_device, &s);
    return s.first_ms;
}

/* ---- Subjects ---- */

static void take_first_contact(void *ctx, const struct archive_contact *contact)
{
    const char **name = ctx;

    if (!*name)
        *name = contact->entry.name;
}

static void take_first_staff(void *ctx, const struct archive_staff *staff)
{
    const char **name = ctx;

    if (!*name)
        *name = staff->full_name ? staff->full_name : staff->entry.name;
}

static const struct calendar *calendar_of(const struct core *c, const struct archive_contract *contract)
{
    const char *name = c->settings->report.calendar;

    if (!name)
        name = contract && contract->calendar ? contract->calendar : default_calendar;
    return knowledge_calendar(c->knowledge, name);
}

/* What is known of a place beside its ids and names. */
static void fill_subject(struct core *c, struct report_subject *s)
{
    const struct archive_contract *contract;
    struct place place;
    int64_t day;

    people_place(c, s->site, &place);
    if (s->customer)
        place.customer = s->customer;
    s->zone = place.zone;
    day = date_day_of_ms(zone_local_ms(place.zone, clock_wall(&c->config.services.clock)));
    contract = people_contract(c, &place, NULL, day);
    s->calendar = calendar_of(c, contract);
    s->contract_end_day = contract ? contract->to_day : 0;
    people_contacts(c, &place, "report", take_first_contact, &s->contact);
    people_staff(c, &place, "technician", take_first_staff, &s->technician);
    s->since_ms = since_of(c, s);
}

struct subjects {
    struct core *core;
    void (*fn)(void *arg, const struct report_subject *s);
    void *arg;
};

static void hand_over_site(void *ctx, const struct entry *e)
{
    const struct archive_site *site = (const struct archive_site *)e;
    const struct subjects *all = ctx;
    const struct entry *customer =
        site->customer ? archive_find(all->core->archive, ARCHIVE_CUSTOMER, site->customer) : NULL;
    struct report_subject s = {
        .customer_id = customer ? customer->id : 0,
        .site_id = e->id,
        .customer = site->customer,
        .site = e->name,
        .address = site->address,
    };

    fill_subject(all->core, &s);
    all->fn(all->arg, &s);
}

static void take_only(void *ctx, const struct entry *e)
{
    *(const struct entry **)ctx = e;
}

/* What stands at no site of the archive. Where that knows one customer and no site, it is theirs. */
static void hand_over_rest(const struct subjects *all)
{
    struct core *c = all->core;
    struct report_subject s = {.site = c->settings->site ? c->settings->site : "-"};
    const struct entry *customer = NULL;

    if (archive_count(c->archive, ARCHIVE_SITE) == 0 && archive_count(c->archive, ARCHIVE_CUSTOMER) == 1) {
        archive_each(c->archive, ARCHIVE_CUSTOMER, take_only, &customer);
        s.customer = customer->name;
        s.address = ((const struct archive_customer *)customer)->address;
    }
    fill_subject(c, &s);
    if (s.since_ms != INT64_MAX)
        all->fn(all->arg, &s);
}

static void each_subject(void *ctx, void (*fn)(void *arg, const struct report_subject *s), void *arg)
{
    struct subjects all = {ctx, fn, arg};

    archive_each(all.core->archive, ARCHIVE_SITE, hand_over_site, &all);
    hand_over_rest(&all);
}

/* ---- Readers ---- */

struct readers {
    struct core *core;
    void (*fn)(void *arg, const char *address, enum lang lang);
    void *arg;
    size_t n;
};

static void take_reader(void *ctx, const struct archive_contact *contact)
{
    struct readers *r = ctx;

    if (!contact->mail)
        return;
    r->n++;
    r->fn(r->arg, contact->mail, people_lang(r->core, contact->language));
}

static void each_reader(void *ctx, const struct report_subject *s,
                        void (*fn)(void *arg, const char *address, enum lang lang), void *arg)
{
    struct readers r = {.core = ctx, .fn = fn, .arg = arg};
    const struct settings *settings = r.core->settings;
    struct place place;

    people_place(r.core, s->site, &place);
    if (s->customer)
        place.customer = s->customer;
    people_contacts(r.core, &place, "report", take_reader, &r);
    for (size_t i = 0; r.n == 0 && i < settings->report.recipients.n; i++)
        fn(arg, settings->report.recipients.v[i].address, settings->report.recipients.v[i].lang);
}

/* ---- The room ---- */

static void submit(void *ctx, struct change *change, bool urgent, void (*done)(void *arg), void *arg)
{
    core_submit(ctx, change, urgent, done, arg);
}

static const struct contract *contract_of(void *ctx, const struct ticket *t)
{
    return core_contract_of(ctx, t);
}

struct upcoming {
    struct core *core;
    const char *site;
    void (*fn)(void *arg, int64_t at_ms, char *const title[LANG_COUNT], const char *technician);
    void *arg;
};

static void take_plan(void *ctx, const struct plan *plan, int64_t due_ms)
{
    const struct upcoming *u = ctx;
    char *const name[LANG_COUNT] = {plan->name};

    if (patrol_covers(u->core->patrol, plan, u->site))
        u->fn(u->arg, due_ms, plan->title[LANG_EN] || plan->title[LANG_ZH_CN] ? plan->title : name, plan->technician);
}

static void each_upcoming(void *ctx, const char *site, int64_t from_ms, int64_t to_ms,
                          void (*fn)(void *arg, int64_t at_ms, char *const title[LANG_COUNT], const char *technician),
                          void *arg)
{
    struct upcoming u = {ctx, site, fn, arg};

    patrol_upcoming(u.core->patrol, from_ms, to_ms, take_plan, &u);
}

static void rounds_reported(void *ctx, const char *site, int64_t from_ms, int64_t to_ms, struct change *change)
{
    patrol_reported(((struct core *)ctx)->patrol, site, from_ms, to_ms, change);
}

char *core_reports_folder(const struct core *c)
{
    return store_reports_folder(c->config.database ? c->config.database : c->settings->database);
}

struct reports *core_reports_new(struct core *c)
{
    const struct store_identity *id = store_identity(c->store);
    const struct reports_config config = {
        .services = c->config.services,
        .settings = c->settings,
        .knowledge = c->knowledge,
        .store = c->store,
        .notify = c->notify,
        .renderer = c->config.renderer ? *c->config.renderer : (struct renderer){0},
        .folder = c->reports_folder,
        .prefix = c->settings->ticket_prefix ? c->settings->ticket_prefix : id->prefix,
        .ops =
            {
                .submit = submit,
                .subjects = each_subject,
                .readers = each_reader,
                .mine = is_mine,
                .contract = contract_of,
                .upcoming = each_upcoming,
                .reported = rounds_reported,
                .ctx = c,
            },
    };

    return reports_new(&config);
}

/* ---- The command ---- */

/* The subject that a customer's or site's name means. */
struct search {
    const char *ref;
    struct core *core;
    int64_t first_day;
    bool mail;
    struct order *order;
    size_t found;
    int rc;
    char *why;
};

static bool fits(const struct search *s, const struct report_subject *subject)
{
    return str_eq(s->ref, subject->site) || str_eq(s->ref, subject->customer);
}

static void count_subject(void *arg, const struct report_subject *subject)
{
    struct search *s = arg;

    s->found += fits(s, subject);
}

static void made(void *arg, int err, const char *json_or_why)
{
    order_end(arg, err, json_or_why);
}

static void make_subject(void *arg, const struct report_subject *subject)
{
    struct search *s = arg;

    if (fits(s, subject))
        s->rc = reports_make(s->core->reports, subject, s->first_day, s->mail, made, s->order, &s->why);
}

int report_make(struct order *o, const char *of, const char *month, bool mail, char **why)
{
    struct search s = {.ref = of, .core = o->core, .mail = mail, .order = o};
    char *day = xasprintf("%s-01", month);

    if (date_parse(day, &s.first_day) < 0) {
        *why = xasprintf("'%s' is no month such as 2026-09", month);
        s.rc = PD_EINVAL;
    } else {
        each_subject(o->core, count_subject, &s);
        if (s.found == 0)
            *why = xasprintf("there is no customer or site '%s' with a report", of);
        else if (s.found > 1)
            *why = xasprintf("'%s' has %zu sites: name the site", of, s.found);
        s.rc = s.found == 0 ? PD_ENOENT : s.found > 1 ? PD_EINVAL : 0;
    }
    free(day);
    if (s.rc == 0) {
        each_subject(o->core, make_subject, &s);
        *why = s.why;
    }
    return s.rc;
}
