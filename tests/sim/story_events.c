#include "story_raw.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "moment.h"
#include "rules.h"

/* What an event of each kind takes. */
enum {
    TAKES_DEVICE = 1,
    ALL_DEVICES = 2,
    TAKES_FOR = 4,
    WANTS_FOR = 8,
    TAKES_EXPECT = 16,
    TAKES_TONER = 32,
    WANTS_PORT = 64,
    TAKES_DISK = 128,
    TAKES_PERCENT = 256,
    WANTS_PERCENT = 512,
    TAKES_CELSIUS = 1024,
    WANTS_TO = 2048,
    WANTS_BY = 4096,
    FAULT = TAKES_DEVICE | TAKES_FOR | TAKES_EXPECT,
};
static const unsigned happening_takes[HAPPENS_COUNT] = {
    [HAPPENS_JAM] = FAULT,
    [HAPPENS_COVER_OPEN] = FAULT,
    [HAPPENS_SERVICE] = FAULT,
    [HAPPENS_TONER_DRAIN] = FAULT | TAKES_TONER,
    [HAPPENS_DEVICE_OFF] = FAULT,
    [HAPPENS_RESTART] = TAKES_DEVICE,
    [HAPPENS_ASLEEP] = TAKES_DEVICE | TAKES_FOR,
    [HAPPENS_SNMP_SILENT] = FAULT,
    [HAPPENS_ADDRESS_MOVED] = FAULT | WANTS_TO,
    [HAPPENS_IN_REPAIR] = TAKES_DEVICE | TAKES_FOR,
    [HAPPENS_LINK_DOWN] = FAULT | WANTS_PORT,
    [HAPPENS_ERRORS] = FAULT | WANTS_PORT | TAKES_PERCENT,
    [HAPPENS_DISK_FILLING] = FAULT | TAKES_DISK | TAKES_PERCENT,
    [HAPPENS_CPU] = FAULT | TAKES_PERCENT,
    [HAPPENS_MEMORY] = FAULT | TAKES_PERCENT,
    [HAPPENS_ON_BATTERY] = FAULT,
    [HAPPENS_REPLACE_BATTERY] = FAULT,
    [HAPPENS_OVERLOAD] = FAULT | TAKES_PERCENT,
    [HAPPENS_HEAT] = FAULT | TAKES_CELSIUS,
    [HAPPENS_HUMIDITY] = FAULT | WANTS_PERCENT,
    [HAPPENS_COOLING_ALARM] = FAULT,
    [HAPPENS_PACKET_LOSS] = TAKES_DEVICE | ALL_DEVICES | TAKES_FOR | WANTS_PERCENT,
    [HAPPENS_PATROLD_KILLED] = WANTS_FOR,
    [HAPPENS_CLOCK_STEP] = WANTS_BY,
    [HAPPENS_RENUMBERED] = TAKES_DEVICE,
    [HAPPENS_SWAPPED] = TAKES_DEVICE | TAKES_FOR,
    [HAPPENS_COUNTER_RESET] = TAKES_DEVICE,
};

enum { MAX_HAPPENINGS = 30000 };

static const int64_t longest_step_ms = 86400000;

/* ---- When ---- */

/* After the start ("2h30m") or by the site's clock ("2026-03-02 10:30"). */
static bool take_at(struct reading_story *r, struct yaml_node *node, int64_t *out)
{
    const struct story *s = r->story;

    if (node == NULL || node->bad || s->zone == NULL || s->length_ms == 0)
        return false;
    if (moment_local(node->text, s->zone, out) == 0) {
        *out -= s->start_ms;
    } else if (moment_duration(node->text, out) < 0) {
        conf_error(r->report, node, "expected a time such as 2h30m after the start or 2026-03-02 10:30, not '%s'",
                   node->text);
        return false;
    }
    if (*out < 0 || *out >= s->length_ms) {
        conf_error(r->report, node, "%s is not within the story", node->text);
        return false;
    }
    return true;
}

static bool take_span(struct reading_story *r, const struct raw_event *e, unsigned takes, struct happening *h)
{
    int64_t ms = 0, left = r->story->length_ms - h->at_ms;

    h->until_ms = INT64_MAX;
    if (e->span == NULL) {
        if (takes & WANTS_FOR)
            conf_error(r->report, e->here, "event '%s' needs 'for'", happening_names[h->kind]);
        return !(takes & WANTS_FOR);
    }
    if (!story_span(e->span, SECOND, r->story->length_ms, &ms, r->report))
        return false;
    if (ms > left) {
        conf_error(r->report, e->span, "the event goes on beyond the story's end");
        return false;
    }
    h->until_ms = h->at_ms + ms;
    return true;
}

/* ---- To whom ---- */

static bool fits(struct reading_story *r, struct yaml_node *node, const struct raw_event *e, const struct happening *h)
{
    enum model model = r->story->devices.v[h->device].model;

    if (!happens_to(h->kind, model)) {
        conf_error(r->report, node, "a %s has no '%s'", model_names[model], happening_names[h->kind]);
        return false;
    }
    if (e->port > model_ports(model)) {
        conf_error(r->report, node, "a %s has %u ports", model_names[model], model_ports(model));
        return false;
    }
    return h->kind != HAPPENS_TONER_DRAIN || e->toner == NULL || e->toner->bad ||
           story_name(e->toner, "toner", model_toners(model), r->report) >= 0;
}

static void complain_no_device(struct reading_story *r, struct yaml_node *node)
{
    ARRAY(const char *) names = {0};

    for (size_t i = 0; i < r->story->devices.n; i++)
        array_push(&names, r->story->devices.v[i].name);
    for (size_t i = 0; i < r->raw.devices.n; i++)
        if (r->raw.devices.v[i].name != NULL && r->raw.devices.v[i].count > 1)
            array_push(&names, r->raw.devices.v[i].name);
    array_push(&names, NULL);
    story_name(node, "device", names.v, r->report);
    array_free(&names);
}

static void add_happening(struct reading_story *r, const struct raw_event *e, struct happening *h)
{
    struct draft_happening draft = {.happening = *h, .here = e->here};

    if (r->happenings.n == MAX_HAPPENINGS)
        conf_error(r->report, e->here, "more than %d things happen: that is too much for one story", MAX_HAPPENINGS);
    if (r->happenings.n < MAX_HAPPENINGS)
        array_push(&r->happenings, draft);
}

/* One device by its name, or all of an entry with a count by that entry's. */
static void happen_to(struct reading_story *r, const struct raw_event *e, struct yaml_node *node, struct happening *h)
{
    bool any = false;

    if (node->bad)
        return;
    if (node->type != YAML_TEXT) {
        conf_error(r->report, node, "expected a device's name");
        return;
    }
    for (size_t i = 0; i < r->story->devices.n; i++) {
        if (!str_eq(r->story->devices.v[i].name, node->text) &&
            !str_eq(r->raw.devices.v[r->group.v[i]].name, node->text))
            continue;
        any = true;
        h->device = (int)i;
        if (!fits(r, node, e, h))
            return;
        add_happening(r, e, h);
    }
    if (!any)
        complain_no_device(r, node);
}

static void happen(struct reading_story *r, const struct raw_event *e, unsigned takes, struct happening *h)
{
    h->device = -1;
    if (!(takes & TAKES_DEVICE) || (e->device == NULL && (takes & ALL_DEVICES))) {
        add_happening(r, e, h);
    } else if (e->device == NULL) {
        conf_error(r->report, e->here, "event '%s' needs 'device'", happening_names[h->kind]);
    } else if (e->device->type == YAML_LIST) {
        for (size_t i = 0; i < e->device->items.n; i++)
            happen_to(r, e, e->device->items.v[i], h);
    } else {
        happen_to(r, e, e->device, h);
    }
}

/* ---- What ---- */

static int take_kind(struct reading_story *r, struct yaml_node *node)
{
    if (node == NULL || node->bad)
        return -1;
    return story_name(node, "event", happening_names, r->report);
}

/* The keys that only some events have. */
static bool check_keys(struct reading_story *r, const struct raw_event *e, enum happening_kind kind)
{
    const unsigned takes = happening_takes[kind];
    const struct {
        const char *key;
        bool given, fits, wanted;
    } keys[] = {
        {"device", e->device != NULL, takes & TAKES_DEVICE, false},
        {"for", e->span != NULL, takes & (TAKES_FOR | WANTS_FOR), false},
        {"toner", e->toner != NULL, takes & TAKES_TONER, false},
        {"pages_per_hour", e->pages_per_hour > 0, takes & TAKES_TONER, false},
        {"port", e->port > 0, takes & WANTS_PORT, takes & WANTS_PORT},
        {"disk", e->disk != NULL, takes & TAKES_DISK, false},
        {"percent", e->percent > 0, takes & (TAKES_PERCENT | WANTS_PERCENT), takes & WANTS_PERCENT},
        {"per_day", e->per_day > 0, takes & TAKES_DISK && e->percent <= 0, false},
        {"per_day' or 'percent", false, false, takes & TAKES_DISK && e->percent <= 0 && e->per_day <= 0},
        {"celsius", e->celsius > 0, takes & TAKES_CELSIUS, false},
        {"to", e->to != NULL, takes & WANTS_TO, takes & WANTS_TO},
        {"by", e->by != NULL, takes & WANTS_BY, takes & WANTS_BY},
        {"expect", e->expect != NULL, takes & TAKES_EXPECT, false},
    };
    bool right = true;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i].given && !keys[i].fits)
            conf_error(r->report, e->here, "event '%s' takes no '%s'", happening_names[kind], keys[i].key);
        else if (keys[i].wanted && !keys[i].given)
            conf_error(r->report, e->here, "event '%s' needs '%s'", happening_names[kind], keys[i].key);
        else
            continue;
        right = false;
    }
    return right;
}

static bool take_toner(struct reading_story *r, const struct raw_event *e, struct happening *h)
{
    h->pages_per_hour = e->pages_per_hour > 0 ? e->pages_per_hour : 600;
    if (e->toner == NULL)
        return true;
    h->piece = e->toner->bad ? -1 : story_name(e->toner, "toner", model_toners(MODEL_COPIER), r->report);
    return h->piece >= 0;
}

static bool take_step(struct reading_story *r, struct yaml_node *by, struct happening *h)
{
    if (by->bad)
        return false;
    if ((by->text[0] != '+' && by->text[0] != '-') || moment_duration(by->text + 1, &h->step_ms) < 0 ||
        h->step_ms == 0 || h->step_ms > longest_step_ms) {
        conf_error(r->report, by, "expected a step such as +90s or -5m, of a day at most, not '%s'", by->text);
        return false;
    }
    if (by->text[0] == '-')
        h->step_ms = -h->step_ms;
    return true;
}

/* How much, where nothing is said of it. */
static double usual_percent(enum happening_kind kind)
{
    switch (kind) {
    case HAPPENS_ERRORS:
        return 5;
    case HAPPENS_OVERLOAD:
        return 110;
    default:
        return 98;
    }
}

static bool take_quantity(struct reading_story *r, const struct raw_event *e, struct happening *h)
{
    bool whole = h->kind == HAPPENS_OVERLOAD;

    h->percent = e->per_day > 0 ? e->per_day : e->percent > 0 ? e->percent : usual_percent(h->kind);
    h->a_day = e->per_day > 0;
    h->celsius = e->celsius > 0 ? e->celsius : 33;
    if (h->percent > 100 && !whole && !h->a_day) {
        conf_error(r->report, e->here, "event '%s' takes 100 percent at the most", happening_names[h->kind]);
        return false;
    }
    return true;
}

static bool take_disk(struct reading_story *r, const struct raw_event *e, struct happening *h)
{
    if (e->disk != NULL)
        h->piece = e->disk->bad ? -1 : story_name(e->disk, "disk", model_disks, r->report);
    return h->piece >= 0;
}

static bool take_address(struct reading_story *r, const struct raw_event *e, struct happening *h)
{
    struct in_addr a;

    if (e->to->bad)
        return false;
    if (inet_pton(AF_INET, e->to->text, &a) != 1 || ntohl(a.s_addr) >> 24 != 127) {
        conf_error(r->report, e->to, "expected an address such as 127.20.0.1, not '%s'", e->to->text);
        return false;
    }
    h->address = xstrdup(e->to->text);
    array_push(&r->story->texts, h->address);
    return true;
}

/* ---- What patrold should make of it ---- */

static bool take_expect(struct reading_story *r, struct yaml_node *node, struct story_expect *out)
{
    unsigned before = r->report->errors;
    struct raw_expect raw = {0};

    schema_defaults(&expect_schema, &raw);
    schema_read(&expect_schema, node, &raw, r->report);
    if (r->report->errors > before || !raw.rule) /* a rule that could not be read was complained of before */
        return false;
    out->rule = story_name(raw.rule, "rule", truth_rule_names, r->report);
    if (out->rule < 0)
        return false;
    out->opens_ms = story_within_ms(r->story, out->rule, false);
    out->clears_ms = story_within_ms(r->story, out->rule, true);
    return (raw.opens == NULL || story_span(raw.opens, 0, out->opens_ms, &out->opens_ms, r->report)) &&
           (raw.clears == NULL || story_span(raw.clears, 0, out->clears_ms, &out->clears_ms, r->report));
}

static bool take_expects(struct reading_story *r, const struct raw_event *e, struct happening *h)
{
    bool right = true;
    struct story_expect *list;

    if (e->expect == NULL)
        return true;
    if (e->expect->bad || e->expect->type != YAML_LIST) {
        if (!e->expect->bad)
            conf_error(r->report, e->expect, "expected a list of rules, or [] for none");
        return false;
    }
    list = xcalloc(e->expect->items.n + 1, sizeof *list);
    array_push(&r->story->expects, list);
    for (size_t i = 0; i < e->expect->items.n; i++)
        right &= take_expect(r, e->expect->items.v[i], &list[i]);
    h->expect_given = true;
    h->expects = list;
    h->nexpects = e->expect->items.n;
    return right;
}

/* ---- How often ---- */

static void repeat(struct reading_story *r, const struct raw_event *e, unsigned takes, struct happening *h)
{
    int64_t every = 0;

    if ((e->every == NULL) != (e->times == 0)) {
        conf_error(r->report, e->here, "'every' and 'times' go together");
        return;
    }
    happen(r, e, takes, h);
    if (e->every == NULL || !story_span(e->every, SECOND, r->story->length_ms, &every, r->report))
        return;
    for (int64_t i = 1; i < e->times; i++) {
        h->at_ms += every;
        if (h->until_ms != INT64_MAX)
            h->until_ms += every;
        if (h->at_ms >= r->story->length_ms || (h->until_ms != INT64_MAX && h->until_ms > r->story->length_ms)) {
            conf_error(r->report, e->every, "the event goes on beyond the story's end");
            return;
        }
        if (r->happenings.n >= MAX_HAPPENINGS)
            return;
        happen(r, e, takes, h);
    }
}

static void take_event(struct reading_story *r, const struct raw_event *e)
{
    struct happening h = {.line = e->here->line};
    int kind = take_kind(r, e->what);
    unsigned takes;

    if (kind < 0 || !check_keys(r, e, (enum happening_kind)kind))
        return;
    h.kind = (enum happening_kind)kind;
    takes = happening_takes[kind];
    if (!take_at(r, e->at, &h.at_ms) || !take_span(r, e, takes, &h) || !take_expects(r, e, &h))
        return;
    h.piece = e->port > 0 ? (int)e->port - 1 : 0;
    if (!take_quantity(r, e, &h) || (kind == HAPPENS_TONER_DRAIN && !take_toner(r, e, &h)) ||
        (kind == HAPPENS_DISK_FILLING && !take_disk(r, e, &h)) ||
        (kind == HAPPENS_ADDRESS_MOVED && !take_address(r, e, &h)) ||
        (kind == HAPPENS_CLOCK_STEP && !take_step(r, e->by, &h)))
        return;
    repeat(r, e, takes, &h);
}

/* ---- In order ---- */

static int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_subject(const void *a, const void *b)
{
    const struct happening *x = &((const struct draft_happening *)a)->happening;
    const struct happening *y = &((const struct draft_happening *)b)->happening;
    int c;

    if ((c = sign(x->kind, y->kind)) != 0 || (c = sign(x->device, y->device)) != 0 ||
        (c = sign(x->piece, y->piece)) != 0 || (c = sign(x->at_ms, y->at_ms)) != 0)
        return c;
    return sign(x->line, y->line);
}

static int by_time(const void *a, const void *b)
{
    const struct happening *x = a, *y = b;
    int c;

    if ((c = sign(x->at_ms, y->at_ms)) != 0 || (c = sign(x->line, y->line)) != 0 ||
        (c = sign(x->device, y->device)) != 0)
        return c;
    return sign(x->kind, y->kind);
}

/* One thing can't befall a device while it befalls it. */
static void check_overlaps(struct reading_story *r)
{
    if (r->happenings.n > 1)
        qsort(r->happenings.v, r->happenings.n, sizeof r->happenings.v[0], by_subject);
    for (size_t i = 1; i < r->happenings.n; i++) {
        const struct happening *a = &r->happenings.v[i - 1].happening, *b = &r->happenings.v[i].happening;

        if (a->kind == b->kind && a->device == b->device && a->piece == b->piece && !happens_at_once(a->kind) &&
            a->until_ms >= b->at_ms)
            conf_error(r->report, r->happenings.v[i].here, "event '%s' begins before that of line %d is over",
                       happening_names[b->kind], a->line);
    }
}

void story_take_events(struct reading_story *r)
{
    struct story *s = r->story;

    for (size_t i = 0; i < r->raw.events.n; i++)
        take_event(r, &r->raw.events.v[i]);
    check_overlaps(r);
    for (size_t i = 0; i < r->happenings.n; i++)
        array_push(&s->happenings, r->happenings.v[i].happening);
    if (s->happenings.n > 1)
        qsort(s->happenings.v, s->happenings.n, sizeof s->happenings.v[0], by_time);
}
