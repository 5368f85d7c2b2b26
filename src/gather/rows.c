#include "gather/rows.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

const char *row_text(const json_t *row, const char *name)
{
    const char *s = json_string_value(json_object_get(row, name));

    return s && *s ? s : NULL;
}

int64_t row_int(const json_t *row, const char *name)
{
    return json_integer_value(json_object_get(row, name));
}

static char *own(const json_t *row, const char *name)
{
    return xstrdup_null(row_text(row, name));
}

static int64_t row_day(const json_t *row, const char *name)
{
    const char *s = row_text(row, name);
    int64_t day;

    return s && date_parse(s, &day) == 0 ? day : 0;
}

/* The place of a text in a list of codes; -1: it is none of them. */
static int row_code(const json_t *row, const char *name, const char *(*code)(int i), int n)
{
    const char *s = row_text(row, name);

    for (int i = 0; s && i < n; i++)
        if (str_eq(s, code(i)))
            return i;
    return -1;
}

static const char *severity_code(int i)
{
    return severity_name((enum severity)i);
}

static const char *ticket_kind_code(int i)
{
    return ticket_kind_name((enum ticket_kind)i);
}

static const char *ticket_state_code(int i)
{
    return ticket_state_name((enum ticket_state)i);
}

static const char *round_state_code(int i)
{
    return round_state_name((enum round_state)i);
}

/* ---- Devices ---- */

void row_device(const json_t *row, struct found_device *out)
{
    *out = (struct found_device){
        .id = row_int(row, "id"),
        .name = own(row, "name"),
        .device_class = own(row, "device_class"),
        .make = own(row, "make"),
        .model = own(row, "model"),
        .serial = own(row, "serial"),
        .address = own(row, "address"),
        .location = own(row, "location"),
        .status = own(row, "status"),
        .added_ms = row_int(row, "added_ms"),
        .removed_ms = row_int(row, "removed_ms"),
        .warranty_day = row_day(row, "warranty"),
        .retired = json_is_true(json_object_get(row, "retired")),
    };
}

void found_device_fini(struct found_device *d)
{
    char *const texts[] = {d->name, d->device_class, d->make, d->model, d->serial, d->address, d->location, d->status};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    *d = (struct found_device){0};
}

/* ---- Faults and tickets ---- */

void row_fault(const json_t *row, struct found_fault *out)
{
    int severity = row_code(row, "severity", severity_code, SEVERITY_COUNT);

    *out = (struct found_fault){
        .id = row_int(row, "id"),
        .family = own(row, "family"),
        .rule = own(row, "rule"),
        .kind = own(row, "kind"),
        .label = own(row, "label"),
        .severity = severity < 0 ? SEVERITY_WARNING : (enum severity)severity,
        .from_ms = row_int(row, "opened_ms"),
        .to_ms = row_int(row, "closed_ms"),
        .ticket_id = row_int(row, "ticket_id"),
    };
}

int row_ticket(const json_t *row, struct ticket *out)
{
    int kind = row_code(row, "kind", ticket_kind_code, TICKET_KIND_COUNT);
    int state = row_code(row, "state", ticket_state_code, TICKET_STATE_COUNT);
    int severity = row_code(row, "severity", severity_code, SEVERITY_COUNT);

    if (kind < 0 || state < 0 || severity < 0 || !row_text(row, "number"))
        return PD_ENOENT;
    *out = (struct ticket){
        .id = row_int(row, "id"),
        .number = own(row, "number"),
        .kind = (enum ticket_kind)kind,
        .state = (enum ticket_state)state,
        .severity = (enum severity)severity,
        .device_id = row_int(row, "device_id"),
        .rule = own(row, "rule"),
        .family = own(row, "family"),
        .component_kind = own(row, "component_kind"),
        .label = own(row, "label"),
        .category = own(row, "category"),
        .title = own(row, "title"),
        .assignee = own(row, "assignee"),
        .note = own(row, "note"),
        .opened_ms = row_int(row, "opened_ms"),
        .closed_ms = row_int(row, "closed_ms"),
    };
    return 0;
}

/* ---- The patrol ---- */

static void own_titles(const json_t *row, char *title[LANG_COUNT])
{
    title[LANG_EN] = own(row, "title_en");
    title[LANG_ZH_CN] = own(row, "title_zh_CN");
}

int row_round(const json_t *row, struct found_round *out)
{
    int state = row_code(row, "state", round_state_code, ROUND_STATE_COUNT);

    if (state < 0 || state == ROUND_CANCELLED)
        return PD_ENOENT;
    *out = (struct found_round){
        .id = row_int(row, "id"),
        .plan = own(row, "plan"),
        .state = (enum round_state)state,
        .started_ms = row_int(row, "started_ms"),
        .finished_ms = row_int(row, "finished_ms"),
        .technician = own(row, "technician"),
        .signed_by = own(row, "signed_by"),
    };
    own_titles(row, out->title);
    return 0;
}

int row_item(const json_t *row, struct found_item *out)
{
    const char *result = row_text(row, "result");
    enum check_result r;

    if (!result || check_result_parse(result, &r) < 0 || r == RESULT_OPEN)
        return PD_ENOENT;
    *out = (struct found_item){
        .id = row_int(row, "id"), .visit_id = row_int(row, "visit_id"), .note = own(row, "note"), .result = r};
    out->value = xstrdup_null(row_text(row, row_text(row, "found") ? "found" : "value"));
    own_titles(row, out->title);
    if (!out->title[LANG_EN])
        out->title[LANG_EN] = own(row, "code");
    return 0;
}

/* ---- Order ---- */

static int by_visit(const void *a, const void *b)
{
    const struct found_item *x = a, *y = b;

    if (x->visit_id != y->visit_id)
        return x->visit_id < y->visit_id ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int by_id(const void *a, const void *b)
{
    const struct found_visit *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

void rows_sort(struct findings *f)
{
    if (f->visits.n > 1)
        qsort(f->visits.v, f->visits.n, sizeof *f->visits.v, by_id);
    if (f->items.n > 1)
        qsort(f->items.v, f->items.n, sizeof *f->items.v, by_visit);
}
