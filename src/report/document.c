#include "report/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/err.h"
#include "base/mem.h"

const char *const doc_grades[] = {"excellent", "good", "fair", "poor", NULL};
const char *const doc_results[] = {"ok", "attention", "fault", "not-applicable", NULL};
const char *const doc_severities[] = {"info", "warning", "major", "critical", NULL};
const char *const doc_ticket_states[] = {
    "new",          "accepted",         "dispatched",     "en-route",     "on-site",
    "waiting-part", "waiting-customer", "waiting-vendor", "remote-fixed", "fixed",
    "signed",       "called-back",      "closed",         "cancelled",    NULL};
const char *const doc_ticket_kinds[] = {"fault", "preventive", "finding", "supply", "complaint", "request", NULL};
const char *const doc_categories[] = {"hardware",   "software",    "operation", "inquiry",
                                      "consumable", "environment", NULL};
const char *const doc_round_states[] = {"planned", "generated", "in-progress", "review",
                                        "signed",  "reported",  "overdue",     NULL};
const char *const doc_promises[] = {"dispatch", "respond", "on-site", "fix", "loaner", "reply", "settle", NULL};
const char *const doc_promise_states[] = {"kept", "missed", "running", NULL};
const char *const doc_supply_states[] = {"ok", "low", "empty", "unknown", NULL};
const char *const doc_roles[] = {"technician", "service", "customer", NULL};

/* Health has no "not applicable". */
static const char *const healths[] = {"ok", "attention", "fault", NULL};

#define FIELD(T, f) .offset = offsetof(T, f)
#define LIST(T, f, rows, most)                                                                                         \
    MEMBER_LIST, .sub = rows, .size = sizeof *((T *)0)->f.v, .max = (most), .offset = offsetof(T, f)
#define PART(f, rows) MEMBER_OBJECT, .sub = rows, .offset = offsetof(struct document, f)

static const struct member_row device_rows[] = {
    {"id", MEMBER_INT, FIELD(struct doc_device, id), .min = 1},
    {"name", MEMBER_TEXT, FIELD(struct doc_device, name)},
    {"class", MEMBER_TEXT, FIELD(struct doc_device, device_class)},
    {"make", MEMBER_TEXT_OR, FIELD(struct doc_device, make)},
    {"model", MEMBER_TEXT_OR, FIELD(struct doc_device, model)},
    {"serial", MEMBER_TEXT_OR, FIELD(struct doc_device, serial)},
    {"address", MEMBER_TEXT_OR, FIELD(struct doc_device, address)},
    {"location", MEMBER_TEXT_OR, FIELD(struct doc_device, location)},
    {"health", MEMBER_CODE, FIELD(struct doc_device, health), .codes = healths},
    {"note", MEMBER_TEXT_OR, FIELD(struct doc_device, note)},
    {0},
};

static const struct member_row round_rows[] = {
    {"number", MEMBER_TEXT, FIELD(struct doc_round, number)},
    {"plan", MEMBER_TEXT, FIELD(struct doc_round, plan)},
    {"state", MEMBER_CODE, FIELD(struct doc_round, state), .codes = doc_round_states},
    {"started_ms", MEMBER_INT_OR, FIELD(struct doc_round, started_ms)},
    {"finished_ms", MEMBER_INT_OR, FIELD(struct doc_round, finished_ms)},
    {"technician", MEMBER_TEXT_OR, FIELD(struct doc_round, technician)},
    {"signed_by", MEMBER_TEXT_OR, FIELD(struct doc_round, signed_by)},
    {0},
};

static const struct member_row item_rows[] = {
    {"what", MEMBER_TEXT, FIELD(struct doc_item, what)},
    {"value", MEMBER_TEXT_OR, FIELD(struct doc_item, value)},
    {"result", MEMBER_CODE, FIELD(struct doc_item, result), .codes = doc_results},
    {"note", MEMBER_TEXT_OR, FIELD(struct doc_item, note)},
    {0},
};

static const struct member_row visit_rows[] = {
    {"round", MEMBER_TEXT, FIELD(struct doc_visit, round)},
    {"device", MEMBER_INT, FIELD(struct doc_visit, device)},
    {"at_ms", MEMBER_INT_OR, FIELD(struct doc_visit, at_ms)},
    {"items", LIST(struct doc_visit, items, item_rows, 1000)},
    {0},
};

static const struct member_row patrol_totals_rows[] = {
    {"rounds", MEMBER_INT, FIELD(struct doc_patrol_totals, rounds)},
    {"visits", MEMBER_INT, FIELD(struct doc_patrol_totals, visits)},
    {"items", MEMBER_INT, FIELD(struct doc_patrol_totals, items)},
    {"ok", MEMBER_INT, FIELD(struct doc_patrol_totals, ok)},
    {"attention", MEMBER_INT, FIELD(struct doc_patrol_totals, attention)},
    {"fault", MEMBER_INT, FIELD(struct doc_patrol_totals, fault)},
    {"not_applicable", MEMBER_INT, FIELD(struct doc_patrol_totals, not_applicable)},
    {0},
};

static const struct member_row day_rows[] = {
    {"up_ms", MEMBER_INT, FIELD(struct doc_day, up_ms)},
    {"down_ms", MEMBER_INT, FIELD(struct doc_day, down_ms)},
    {"gap_ms", MEMBER_INT, FIELD(struct doc_day, gap_ms)},
    {0},
};

static const struct member_row uptime_rows[] = {
    {"device", MEMBER_INT, FIELD(struct doc_uptime, device)},
    {"up_ms", MEMBER_INT, FIELD(struct doc_uptime, up_ms)},
    {"down_ms", MEMBER_INT, FIELD(struct doc_uptime, down_ms)},
    {"gap_ms", MEMBER_INT, FIELD(struct doc_uptime, gap_ms)},
    {"outages", MEMBER_INT, FIELD(struct doc_uptime, outages)},
    {"longest_ms", MEMBER_INT, FIELD(struct doc_uptime, longest_ms)},
    {"days", LIST(struct doc_uptime, days, day_rows, 31)},
    {0},
};

static const struct member_row uptime_totals_rows[] = {
    {"devices", MEMBER_INT, FIELD(struct doc_uptime_totals, devices)},
    {"up_ms", MEMBER_INT, FIELD(struct doc_uptime_totals, up_ms)},
    {"down_ms", MEMBER_INT, FIELD(struct doc_uptime_totals, down_ms)},
    {"gap_ms", MEMBER_INT, FIELD(struct doc_uptime_totals, gap_ms)},
    {"outages", MEMBER_INT, FIELD(struct doc_uptime_totals, outages)},
    {0},
};

static const struct member_row fault_rows[] = {
    {"device", MEMBER_INT, FIELD(struct doc_fault, device)},
    {"family", MEMBER_TEXT, FIELD(struct doc_fault, family)},
    {"component", MEMBER_TEXT_OR, FIELD(struct doc_fault, component)},
    {"severity", MEMBER_CODE, FIELD(struct doc_fault, severity), .codes = doc_severities},
    {"from_ms", MEMBER_INT, FIELD(struct doc_fault, from_ms)},
    {"to_ms", MEMBER_INT_OR, FIELD(struct doc_fault, to_ms)},
    {"ticket", MEMBER_TEXT_OR, FIELD(struct doc_fault, ticket)},
    {0},
};

static const struct member_row fault_totals_rows[] = {
    {"faults", MEMBER_INT, FIELD(struct doc_fault_totals, faults)},
    {"open", MEMBER_INT, FIELD(struct doc_fault_totals, open)},
    {0},
};

static const struct member_row promise_rows[] = {
    {"kind", MEMBER_CODE, FIELD(struct doc_promise, kind), .codes = doc_promises},
    {"due_ms", MEMBER_INT, FIELD(struct doc_promise, due_ms)},
    {"met_ms", MEMBER_INT_OR, FIELD(struct doc_promise, met_ms)},
    {"state", MEMBER_CODE, FIELD(struct doc_promise, state), .codes = doc_promise_states},
    {0},
};

static const struct member_row ticket_rows[] = {
    {"number", MEMBER_TEXT, FIELD(struct doc_ticket, number)},
    {"kind", MEMBER_CODE, FIELD(struct doc_ticket, kind), .codes = doc_ticket_kinds},
    {"category", MEMBER_CODE_OR, FIELD(struct doc_ticket, category), .codes = doc_categories},
    {"device", MEMBER_INT_OR, FIELD(struct doc_ticket, device)},
    {"title", MEMBER_TEXT, FIELD(struct doc_ticket, title)},
    {"severity", MEMBER_CODE, FIELD(struct doc_ticket, severity), .codes = doc_severities},
    {"state", MEMBER_CODE, FIELD(struct doc_ticket, state), .codes = doc_ticket_states},
    {"opened_ms", MEMBER_INT, FIELD(struct doc_ticket, opened_ms)},
    {"closed_ms", MEMBER_INT_OR, FIELD(struct doc_ticket, closed_ms)},
    {"done", MEMBER_TEXT_OR, FIELD(struct doc_ticket, done)},
    {"promises", LIST(struct doc_ticket, promises, promise_rows, 100)},
    {0},
};

static const struct member_row ticket_totals_rows[] = {
    {"tickets", MEMBER_INT, FIELD(struct doc_ticket_totals, tickets)},
    {"opened", MEMBER_INT, FIELD(struct doc_ticket_totals, opened)},
    {"closed", MEMBER_INT, FIELD(struct doc_ticket_totals, closed)},
    {"open", MEMBER_INT, FIELD(struct doc_ticket_totals, open)},
    {"promises", MEMBER_INT, FIELD(struct doc_ticket_totals, promises)},
    {"kept", MEMBER_INT, FIELD(struct doc_ticket_totals, kept)},
    {"missed", MEMBER_INT, FIELD(struct doc_ticket_totals, missed)},
    {"running", MEMBER_INT, FIELD(struct doc_ticket_totals, running)},
    {0},
};

static const struct member_row supply_rows[] = {
    {"device", MEMBER_INT, FIELD(struct doc_supply, device)},
    {"name", MEMBER_TEXT, FIELD(struct doc_supply, name)},
    {"level_start", MEMBER_INT_OR, FIELD(struct doc_supply, level_start), .max = 100},
    {"level_end", MEMBER_INT_OR, FIELD(struct doc_supply, level_end), .max = 100},
    {"days_left", MEMBER_INT_OR, FIELD(struct doc_supply, days_left), .max = 100000},
    {"replaced", MEMBER_INT, FIELD(struct doc_supply, replaced)},
    {"state", MEMBER_CODE, FIELD(struct doc_supply, state), .codes = doc_supply_states},
    {0},
};

static const struct member_row supply_totals_rows[] = {
    {"supplies", MEMBER_INT, FIELD(struct doc_supply_totals, supplies)},
    {"low", MEMBER_INT, FIELD(struct doc_supply_totals, low)},
    {"empty", MEMBER_INT, FIELD(struct doc_supply_totals, empty)},
    {"unknown", MEMBER_INT, FIELD(struct doc_supply_totals, unknown)},
    {"replaced", MEMBER_INT, FIELD(struct doc_supply_totals, replaced)},
    {0},
};

static const struct member_row meter_rows[] = {
    {"device", MEMBER_INT, FIELD(struct doc_meter, device)},  {"name", MEMBER_TEXT, FIELD(struct doc_meter, name)},
    {"whole", MEMBER_BOOL, FIELD(struct doc_meter, whole)},   {"reset", MEMBER_BOOL, FIELD(struct doc_meter, reset)},
    {"start", MEMBER_INT_OR, FIELD(struct doc_meter, start)}, {"end", MEMBER_INT_OR, FIELD(struct doc_meter, end)},
    {"pages", MEMBER_INT_OR, FIELD(struct doc_meter, pages)}, {0},
};

static const struct member_row meter_totals_rows[] = {
    {"meters", MEMBER_INT, FIELD(struct doc_meter_totals, meters)},
    {"pages", MEMBER_INT, FIELD(struct doc_meter_totals, pages)},
    {"unknown", MEMBER_INT, FIELD(struct doc_meter_totals, unknown)},
    {0},
};

static const struct member_row maintenance_rows[] = {
    {"device", MEMBER_INT_OR, FIELD(struct doc_maintenance, device)},
    {"what", MEMBER_TEXT, FIELD(struct doc_maintenance, what)},
    {"why", MEMBER_TEXT_OR, FIELD(struct doc_maintenance, why)},
    {"due", MEMBER_DATE_OR, FIELD(struct doc_maintenance, due)},
    {0},
};

static const struct member_row recommendation_rows[] = {
    {"text", MEMBER_TEXT, FIELD(struct doc_recommendation, text)},
    {0},
};

static const struct member_row plan_rows[] = {
    {"date", MEMBER_DATE, FIELD(struct doc_plan, date)},
    {"what", MEMBER_TEXT, FIELD(struct doc_plan, what)},
    {"scope", MEMBER_TEXT_OR, FIELD(struct doc_plan, scope)},
    {"technician", MEMBER_TEXT_OR, FIELD(struct doc_plan, technician)},
    {0},
};

static const struct member_row signature_rows[] = {
    {"role", MEMBER_CODE, FIELD(struct doc_signature, role), .codes = doc_roles},
    {"name", MEMBER_TEXT_OR, FIELD(struct doc_signature, name)},
    {0},
};

/* The parts of struct document that have no name of their own. */
#define WITHIN(part, f) .offset = offsetof(struct document, part.f) - offsetof(struct document, part)
#define ROWS_OF(part, f, rows, most)                                                                                   \
    MEMBER_LIST, .sub = rows, .size = sizeof *((struct document *)0)->part.f.v, .max = (most), WITHIN(part, f)

static const struct member_row report_rows[] = {
    {"number", MEMBER_TEXT, WITHIN(report, number)},
    {"prepared_ms", MEMBER_INT, WITHIN(report, prepared_ms)},
    {"as_of_event", MEMBER_INT, WITHIN(report, as_of_event)},
    {0},
};
static const struct member_row provider_rows[] = {
    {"name", MEMBER_TEXT, WITHIN(provider, name)},
    {"phone", MEMBER_TEXT_OR, WITHIN(provider, phone)},
    {"email", MEMBER_TEXT_OR, WITHIN(provider, email)},
    {0},
};
static const struct member_row customer_rows[] = {
    {"name", MEMBER_TEXT, WITHIN(customer, name)},
    {"contact", MEMBER_TEXT_OR, WITHIN(customer, contact)},
    {0},
};
static const struct member_row site_rows[] = {
    {"name", MEMBER_TEXT, WITHIN(site, name)},
    {"address", MEMBER_TEXT_OR, WITHIN(site, address)},
    {"time_zone", MEMBER_TEXT, WITHIN(site, time_zone)},
    {0},
};
static const struct member_row period_rows[] = {
    {"month", MEMBER_MONTH, WITHIN(period, month)},
    {0},
};
static const struct member_row summary_rows[] = {
    {"grade", MEMBER_CODE, WITHIN(summary, grade), .codes = doc_grades},
    {"remark", MEMBER_TEXT_OR, WITHIN(summary, remark)},
    {"devices", MEMBER_INT, WITHIN(summary, devices)},
    {"ok", MEMBER_INT, WITHIN(summary, ok)},
    {"attention", MEMBER_INT, WITHIN(summary, attention)},
    {"fault", MEMBER_INT, WITHIN(summary, fault)},
    {0},
};
static const struct member_row patrol_rows[] = {
    {"rounds", ROWS_OF(patrol, rounds, round_rows, 1000)},
    {"visits", ROWS_OF(patrol, visits, visit_rows, 0)},
    {"totals", MEMBER_OBJECT, .sub = patrol_totals_rows, WITHIN(patrol, totals)},
    {0},
};
static const struct member_row availability_rows[] = {
    {"devices", ROWS_OF(availability, devices, uptime_rows, 0)},
    {"totals", MEMBER_OBJECT, .sub = uptime_totals_rows, WITHIN(availability, totals)},
    {0},
};
static const struct member_row faults_rows[] = {
    {"rows", ROWS_OF(faults, rows, fault_rows, 0)},
    {"totals", MEMBER_OBJECT, .sub = fault_totals_rows, WITHIN(faults, totals)},
    {0},
};
static const struct member_row tickets_rows[] = {
    {"rows", ROWS_OF(tickets, rows, ticket_rows, 0)},
    {"totals", MEMBER_OBJECT, .sub = ticket_totals_rows, WITHIN(tickets, totals)},
    {0},
};
static const struct member_row supplies_rows[] = {
    {"rows", ROWS_OF(supplies, rows, supply_rows, 0)},
    {"totals", MEMBER_OBJECT, .sub = supply_totals_rows, WITHIN(supplies, totals)},
    {0},
};
static const struct member_row meters_rows[] = {
    {"rows", ROWS_OF(meters, rows, meter_rows, 0)},
    {"totals", MEMBER_OBJECT, .sub = meter_totals_rows, WITHIN(meters, totals)},
    {0},
};

static const struct member_row document_rows[] = {
    {"format", MEMBER_INT, FIELD(struct document, format), .min = 1, .max = 1},
    {"language", MEMBER_LANGUAGE, FIELD(struct document, language)},
    {"report", PART(report, report_rows)},
    {"provider", PART(provider, provider_rows)},
    {"customer", PART(customer, customer_rows)},
    {"site", PART(site, site_rows)},
    {"period", PART(period, period_rows)},
    {"summary", PART(summary, summary_rows)},
    {"devices", LIST(struct document, devices, device_rows, 10000)},
    {"patrol", PART(patrol, patrol_rows)},
    {"availability", PART(availability, availability_rows)},
    {"faults", PART(faults, faults_rows)},
    {"tickets", PART(tickets, tickets_rows)},
    {"supplies", PART(supplies, supplies_rows)},
    {"meters", PART(meters, meters_rows)},
    {"maintenance", LIST(struct document, maintenance, maintenance_rows, 0)},
    {"recommendations", LIST(struct document, recommendations, recommendation_rows, 100)},
    {"next_month", LIST(struct document, next_month, plan_rows, 1000)},
    {"signatures", LIST(struct document, signatures, signature_rows, 6)},
    {0},
};

static int by_id(const void *a, const void *b)
{
    const struct doc_device *x = *(const struct doc_device *const *)a, *y = *(const struct doc_device *const *)b;

    return x->id < y->id ? -1 : x->id > y->id;
}

static void sort_devices(struct document *doc)
{
    doc->by_id = xcalloc(doc->devices.n + 1, sizeof(struct doc_device *));
    for (size_t i = 0; i < doc->devices.n; i++)
        doc->by_id[i] = &doc->devices.v[i];
    qsort(doc->by_id, doc->devices.n, sizeof(struct doc_device *), by_id);
}

const struct doc_device *document_device(const struct document *doc, int64_t id)
{
    const struct doc_device key = {.id = id}, *k = &key;
    const struct doc_device **found =
        doc->devices.n ? bsearch(&k, doc->by_id, doc->devices.n, sizeof(struct doc_device *), by_id) : NULL;

    return found ? *found : NULL;
}

static void find_days(struct document *doc, struct complaints *c)
{
    struct date first = date_of_day(doc->period.month);
    int rc = zone_open(doc->site.time_zone, &doc->zone);

    if (rc != 0) {
        complain(c, "site.time_zone", "'%.40s': %s", doc->site.time_zone, pd_strerror(rc));
        return;
    }
    doc->days = date_month_days(first.year, first.month);
    for (int i = 0; i <= doc->days; i++)
        doc->day_ms[i] = zone_wall_ms(doc->zone, (doc->period.month + i) * DATE_DAY_MS);
}

int document_read(const char *json, size_t n, struct document *doc, struct complaints *c)
{
    json_error_t error;

    memset(doc, 0, sizeof *doc);
    doc->json = json_loadb(json, n, JSON_REJECT_DUPLICATES, &error);
    if (!doc->json) {
        char *place = xasprintf("line %d, column %d", error.line, error.column);

        complain(c, place, "%s", error.text);
        free(place);
        return PD_EINVAL;
    }
    members_read(document_rows, doc->json, "", doc, c);
    if (c->n == 0)
        find_days(doc, c);
    if (c->n > 0)
        return PD_EINVAL;
    sort_devices(doc);
    document_check(doc, c);
    return c->n > 0 ? PD_EINVAL : 0;
}

void document_free(struct document *doc)
{
    members_release(document_rows, doc);
    free(doc->by_id);
    zone_free(doc->zone);
    json_decref(doc->json);
    memset(doc, 0, sizeof *doc);
}
