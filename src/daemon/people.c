#include "daemon/people.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daemon/internal.h"

/* ---- Places ---- */

/* An opened time zone, kept for the next who asks; NULL if it cannot be opened. */
static const struct zone *zone_named(struct core *c, const char *name)
{
    struct zone *zone = dict_get(c->zones, name);

    if (zone || zone_open(name, &zone) < 0)
        return zone;
    dict_put(c->zones, name, zone);
    return zone;
}

void people_free(struct core *c)
{
    const char *name;
    size_t at = 0;
    void *zone;

    while (c->zones && dict_next(c->zones, &at, &name, &zone))
        zone_free(zone);
    dict_free(c->zones);
}

void people_place(struct core *c, const char *site, struct place *out)
{
    const struct archive_site *entry;

    *out = (struct place){.site = site ? site : c->settings->site};
    entry = out->site ? (const struct archive_site *)archive_find(c->archive, ARCHIVE_SITE, out->site) : NULL;
    if (entry) {
        out->customer = entry->customer;
        out->region = entry->region;
        out->zone = entry->zone ? zone_named(c, entry->zone) : NULL;
        out->zoned = out->zone;
    }
    if (!out->zone && c->settings->time_zone)
        out->zone = zone_named(c, c->settings->time_zone);
    if (!out->zone)
        out->zone = zone_named(c, "UTC");
}

/* ---- Contacts and staff ---- */

struct contact_search {
    const struct place *place;
    const char *gets;
    void (*fn)(void *ctx, const struct archive_contact *contact);
    void *ctx;
};

static void look_at_contact(void *ctx, const struct entry *e)
{
    const struct archive_contact *contact = (const struct archive_contact *)e;
    const struct contact_search *s = ctx;
    bool concerned = contact->site ? str_eq(contact->site, s->place->site)
                                   : contact->customer && str_eq(contact->customer, s->place->customer);

    if (concerned && list_has(contact->gets, s->gets))
        s->fn(s->ctx, contact);
}

void people_contacts(struct core *c, const struct place *p, const char *gets,
                     void (*fn)(void *ctx, const struct archive_contact *contact), void *ctx)
{
    struct contact_search s = {p, gets, fn, ctx};

    archive_each(c->archive, ARCHIVE_CONTACT, look_at_contact, &s);
}

struct staff_search {
    const struct place *place;
    const char *role;
    void (*fn)(void *ctx, const struct archive_staff *staff);
    void *ctx;
};

static void look_at_staff(void *ctx, const struct entry *e)
{
    const struct archive_staff *staff = (const struct archive_staff *)e;
    const struct staff_search *s = ctx;
    const struct place *p = s->place;

    if (s->role && !str_eq(staff->role, s->role))
        return;
    if ((!staff->sites && !staff->regions) || (p->site && list_has(staff->sites, p->site)) ||
        (p->region && list_has(staff->regions, p->region)))
        s->fn(s->ctx, staff);
}

void people_staff(struct core *c, const struct place *p, const char *role,
                  void (*fn)(void *ctx, const struct archive_staff *staff), void *ctx)
{
    struct staff_search s = {p, role, fn, ctx};

    archive_each(c->archive, ARCHIVE_STAFF, look_at_staff, &s);
}

struct name_search {
    const char *name;
    const struct archive_staff *found;
};

static void look_at_full_name(void *ctx, const struct entry *e)
{
    const struct archive_staff *staff = (const struct archive_staff *)e;
    struct name_search *s = ctx;

    if (!s->found && str_eq(staff->full_name, s->name))
        s->found = staff;
}

const struct archive_staff *people_staff_named(struct core *c, const char *name)
{
    struct name_search s = {.name = name};

    s.found = (const struct archive_staff *)archive_find(c->archive, ARCHIVE_STAFF, name);
    if (!s.found)
        archive_each(c->archive, ARCHIVE_STAFF, look_at_full_name, &s);
    return s.found;
}

enum lang people_lang(const struct core *c, const char *language)
{
    enum lang lang = c->settings->lang;

    if (language)
        lang_parse(language, &lang);
    return lang;
}

/* ---- Contracts ---- */

struct contract_search {
    const struct place *place;
    const char *device;
    int64_t day;
    int best; /* how specific the found one is */
    const struct archive_contract *found;
};

/* How closely a contract fits: 3 by the device, 2 by its site, 1 as the customer's, 0 not at all. */
static int closeness(const struct archive_contract *k, const struct contract_search *s)
{
    if (!k->sites && !k->devices)
        return 1;
    if (s->device && list_has(k->devices, s->device))
        return 3;
    return s->place->site && list_has(k->sites, s->place->site) ? 2 : 0;
}

static void look_at_contract(void *ctx, const struct entry *e)
{
    const struct archive_contract *k = (const struct archive_contract *)e;
    struct contract_search *s = ctx;
    int fit;

    if (!s->place->customer || !str_eq(k->customer, s->place->customer) || (k->from_day != 0 && s->day < k->from_day) ||
        (k->to_day != 0 && s->day > k->to_day))
        return;
    fit = closeness(k, s);
    if (fit > s->best || (fit > 0 && fit == s->best && strcmp(k->entry.name, s->found->entry.name) < 0)) {
        s->best = fit;
        s->found = k;
    }
}

const struct archive_contract *people_contract(struct core *c, const struct place *p, const char *device, int64_t day)
{
    struct contract_search s = {.place = p, .device = device, .day = day};

    archive_each(c->archive, ARCHIVE_CONTRACT, look_at_contract, &s);
    return s.found;
}
