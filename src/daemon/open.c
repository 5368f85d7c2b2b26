#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"

/* What people open tickets for; patrols make findings. */
static const char *const kinds[] = {"fault", "request", "complaint", "supply", "preventive", NULL};
static const char *const severities[] = {"info", "warning", "major", "critical", NULL};

/* PD_EINVAL for a word that is none of the list, with what there is. NULL is fine. */
static int check_code(const char *name, const char *code, const char *const *codes, char **why)
{
    const char *near = code ? str_nearest(code, codes) : NULL;
    struct sbuf b = {0};

    for (const char *const *c = codes; code && *c; c++)
        if (strcmp(*c, code) == 0)
            return 0;
    if (!code)
        return 0;
    sbuf_addf(&b, "'%s' is no %s of a ticket that people open", code, name);
    if (near)
        sbuf_addf(&b, " (did you mean '%s'?)", near);
    for (const char *const *c = codes; !near && *c; c++)
        sbuf_addf(&b, "%s %s", c == codes ? ":" : c[1] ? "," : " or", *c);
    *why = sbuf_take(&b);
    return PD_EINVAL;
}

/* The device that it is about, or else the site. */
static int take_place(struct core *c, const struct ticket_report *r, struct ticket_wish *w, char **why)
{
    const struct device *d;
    const struct entry *site;

    if (r->device) {
        d = core_find_device(c, r->device, why);
        w->device_id = d ? d->id : 0;
        return d ? 0 : PD_ENOENT;
    }
    if (r->site) {
        site = archive_ref(c->archive, ARCHIVE_SITE, r->site, why);
        w->site = site ? site->name : NULL;
        return site ? 0 : PD_ENOENT;
    }
    *why = xstrdup("of what? name a device or a site");
    return PD_EINVAL;
}

static int take_wish(struct core *c, const struct ticket_report *r, struct ticket_wish *w, char **why)
{
    *w = (struct ticket_wish){.title = r->title,
                              .category = r->category,
                              .note = r->note,
                              .kind = TICKET_KIND_REQUEST,
                              .severity = SEVERITY_WARNING};
    if (check_code("kind", r->kind, kinds, why) < 0 || check_code("severity", r->severity, severities, why) < 0 ||
        check_code("category", r->category, ticket_categories, why) < 0)
        return PD_EINVAL;
    if (r->kind)
        ticket_kind_parse(r->kind, &w->kind);
    if (r->severity)
        severity_parse(r->severity, &w->severity);
    return take_place(c, r, w, why);
}

int ticket_open(struct order *o, const struct ticket_report *r, char **why)
{
    struct change *change;
    struct ticket_wish wish;
    struct sbuf answer = {0};
    int64_t id;
    int rc = take_wish(o->core, r, &wish, why);

    if (rc < 0)
        return rc;
    change = change_new();
    rc = desk_open(o->core->desk, change, &wish, o->actor, &id);
    if (rc < 0) {
        change_free(change);
        return rc;
    }
    sbuf_addf(&answer, "{\"ticket\":%" PRId64 ",\"number\":", id);
    sbuf_add_json(&answer, desk_ticket(o->core->desk, id)->number);
    sbuf_add(&answer, ",\"state\":\"new\"}");
    return order_submit(o, change, sbuf_take(&answer));
}
