#include "conf/plans.h"

#include <string.h>

#include "base/date.h"
#include "base/mem.h"
#include "model/calendar.h"

/*
 *     plans:
 *       monthly:
 *         title: {en: Monthly patrol, zh_CN: 月度巡检}
 *         rule: FREQ=MONTHLY;BYMONTHDAY=-1
 *         start: 2026-01-01
 *         at: "09:00"
 *         shift: back              # to the last workday before
 *         calendar: cn-office
 *         sites: [Main office]     # which devices: by site, customer, class, label; all where absent
 *         grace: 5d
 */
static const char *const kind_names[] = {"patrol", "preventive", NULL};
static const char *const shift_names[] = {"stay", "back", "forward", NULL};
static const char *const anchor_names[] = {"due", "done", NULL};
static const char *const each_names[] = {"site", "device", NULL};

enum { HOUR_MS = 3600 * 1000, MAX_GRACE_DAYS = 366 };

#define PLAN(f) SCHEMA_FIELD(struct plan_draft, plan.f)

static const struct schema_row plan_rows[] = {
    {.type = SCHEMA_NAME, PLAN(name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct plan_draft, here)},
    {"title", SCHEMA_LOCAL, SCHEMA_REQUIRED, PLAN(title)},
    {"kind", SCHEMA_ENUM, .names = kind_names, .fallback = "patrol", PLAN(kind)},
    {"rule", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct plan_draft, rule)},
    {"start", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct plan_draft, start)},
    {"at", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct plan_draft, at)},
    {"shift", SCHEMA_ENUM, .names = shift_names, .fallback = "stay", PLAN(shift)},
    {"anchor", SCHEMA_ENUM, .names = anchor_names, .fallback = "due", PLAN(anchor)},
    {"calendar", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct plan_draft, calendar)},
    {"sites", SCHEMA_LIST, .item = SCHEMA_TEXT, PLAN(sites)},
    {"customers", SCHEMA_LIST, .item = SCHEMA_TEXT, PLAN(customers)},
    {"classes", SCHEMA_LIST, .item = SCHEMA_TEXT, PLAN(classes)},
    {"labels", SCHEMA_LIST, .item = SCHEMA_TEXT, PLAN(labels)},
    {"checklist", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct plan_draft, checklist)},
    {"technician", SCHEMA_TEXT, .min = 1, .max = 100, PLAN(technician)},
    {"grace", SCHEMA_DURATION, .min = HOUR_MS, .max = MAX_GRACE_DAYS * (double)DATE_DAY_MS, .fallback = "5d",
     PLAN(grace_ms)},
    {"each", SCHEMA_ENUM, .names = each_names, .fallback = "site", PLAN(each_device)},
    {0},
};
const struct schema plan_schema = {.what = "a plan", .rows = plan_rows, .size = sizeof(struct plan_draft)};

/* Small letters, digits and -, since it is said in commands. */
static void check_name(const struct plan_draft *from, struct conf_report *report)
{
    if (from->plan.name[strspn(from->plan.name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
        conf_error(report, from->here, "'%s' cannot be a plan's name: small letters, digits and - make one",
                   from->plan.name);
    else if (from->plan.name[strspn(from->plan.name, "0123456789")] == '\0')
        conf_error(report, from->here, "'%s' cannot be a plan's name: it would be taken for a round's number",
                   from->plan.name);
}

static void check_together(const struct plan_draft *from, struct conf_report *report)
{
    const struct plan *p = &from->plan;

    if (p->shift != SCHEDULE_STAY && !from->calendar)
        conf_error(report, from->here, "'shift' needs 'calendar': whose workdays?");
    if (p->kind == PLAN_PREVENTIVE && p->anchor == SCHEDULE_FROM_DONE)
        conf_error(report, from->here, "only a patrol can count from when it was done ('anchor: done')");
    if (p->kind == PLAN_PREVENTIVE && from->checklist)
        conf_error(report, from->checklist, "only a patrol has a checklist");
    if (p->kind == PLAN_PATROL && p->each_device)
        conf_error(report, from->here, "only a preventive plan is 'each: device': a patrol has a round each site");
}

void plan_take(struct plan_draft *from, struct where (*where)(void *ctx, const struct yaml_node *node), void *ctx,
               struct conf_report *report)
{
    enum { NINE = 9 * 60 };
    struct plan *p = &from->plan;

    check_name(from, report);
    check_together(from, report);
    p->where = where(ctx, from->here);
    p->rule_where = where(ctx, from->rule ? from->rule : from->here);
    p->rule = xstrdup_null(from->rule ? from->rule->text : NULL);
    if (from->start && date_parse(from->start->text, &p->start_day) < 0)
        conf_error(report, from->start, "'%s' is no date: one like 2026-01-01 is wanted", from->start->text);
    p->at_minute = from->at ? schema_clock(from->at, report) : NINE;
    p->calendar_where = where(ctx, from->calendar ? from->calendar : from->here);
    p->calendar = xstrdup_null(from->calendar ? from->calendar->text : NULL);
    p->checklist_where = where(ctx, from->checklist ? from->checklist : from->here);
    p->checklist = xstrdup_null(from->checklist ? from->checklist->text : NULL);
}
