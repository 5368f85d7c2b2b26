#include "story.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "moment.h"
#include "rules.h"
#include "story_raw.h"

const char *const model_names[MODEL_COUNT + 1] = {
    "printer",    "copier", "switch",        "server",          "ups", "sensor",
    "modbus-ups", "meter",  "modbus-sensor", "air-conditioner", NULL,
};

const char *const happening_names[HAPPENS_COUNT + 1] = {
    "jam",         "cover-open",     "service",         "toner-drain", "device-off", "restart",       "device-asleep",
    "snmp-silent", "address-moved",  "in-repair",       "link-down",   "errors",     "disk-filling",  "cpu",
    "memory",      "on-battery",     "replace-battery", "overload",    "heat",       "humidity",      "cooling-alarm",
    "packet-loss", "patrold-killed", "clock-step",      "renumbered",  "swapped",    "counter-reset", NULL,
};

const char *const model_disks[] = {"/", "/srv", NULL};

bool happens_to(enum happening_kind kind, enum model model)
{
    switch (kind) {
    case HAPPENS_JAM:
    case HAPPENS_COVER_OPEN:
    case HAPPENS_SERVICE:
    case HAPPENS_TONER_DRAIN:
    case HAPPENS_ASLEEP:
    case HAPPENS_SWAPPED:
    case HAPPENS_COUNTER_RESET:
        return model_prints(model);
    case HAPPENS_RENUMBERED:
        return !model_is_modbus(model);
    case HAPPENS_LINK_DOWN:
    case HAPPENS_ERRORS:
        return model == MODEL_SWITCH || model == MODEL_SERVER;
    case HAPPENS_DISK_FILLING:
    case HAPPENS_CPU:
    case HAPPENS_MEMORY:
        return model == MODEL_SERVER;
    case HAPPENS_ON_BATTERY:
    case HAPPENS_REPLACE_BATTERY:
    case HAPPENS_OVERLOAD:
        return model == MODEL_UPS || model == MODEL_MODBUS_UPS;
    case HAPPENS_HEAT:
    case HAPPENS_HUMIDITY:
        return model == MODEL_SENSOR || model == MODEL_MODBUS_SENSOR;
    case HAPPENS_COOLING_ALARM:
        return model == MODEL_AIR_CONDITIONER;
    default:
        return true;
    }
}

bool happens_at_once(enum happening_kind kind)
{
    return kind == HAPPENS_CLOCK_STEP || kind == HAPPENS_RESTART || kind == HAPPENS_RENUMBERED ||
           kind == HAPPENS_COUNTER_RESET;
}

unsigned model_ports(enum model m)
{
    if (model_is_modbus(m))
        return 0;
    return m == MODEL_SWITCH ? 24 : m == MODEL_SERVER ? 2 : 1;
}

void story_piece_name(const struct story_device *d, int rule, int piece, char out[static TRUTH_PIECE_NAME])
{
    const char *const *toners = model_toners(d->model);

    out[0] = '\0';
    switch (truth_mildest((enum truth_rule_id)rule)) {
    case TRUTH_SUPPLY_FORECAST:
        for (int i = 0; toners[i] != NULL; i++)
            if (i == piece)
                snprintf(out, TRUTH_PIECE_NAME, "%s", toners[i]);
        break;
    case TRUTH_UPLINK_DOWN:
    case TRUTH_PORT_ERRORS:
        snprintf(out, TRUTH_PIECE_NAME, d->model == MODEL_SWITCH ? "GigabitEthernet0/%d" : "eth%d",
                 d->model == MODEL_SWITCH ? piece + 1 : piece);
        break;
    case TRUTH_DISK_FORECAST:
        snprintf(out, TRUTH_PIECE_NAME, "%s", model_disks[piece]);
        break;
    default:
        break;
    }
}

const char *const *model_toners(enum model m)
{
    static const char *const mono[] = {"black", NULL};
    static const char *const colour[] = {"black", "cyan", "magenta", "yellow", NULL};
    static const char *const none[] = {NULL};

    return m == MODEL_PRINTER ? mono : m == MODEL_COPIER ? colour : none;
}

/* ---- Words and spans ---- */

int story_name(struct yaml_node *node, const char *what, const char *const *names, struct conf_report *report)
{
    struct sbuf hint = {0};

    for (int i = 0; names[i] != NULL; i++)
        if (str_eq(names[i], node->text))
            return i;
    conf_suggest(&hint, node->text, names);
    conf_error(report, node, "there is no %s '%s'%s", what, node->text, hint.s ? hint.s : "");
    sbuf_free(&hint);
    return -1;
}

bool story_span(struct yaml_node *node, int64_t min, int64_t max, int64_t *out, struct conf_report *report)
{
    struct sbuf from = {0}, to = {0};
    int64_t ms;

    if (node->bad)
        return false;
    if (moment_duration(node->text, &ms) < 0) {
        conf_error(report, node, "expected a duration such as 90s, 20m or 1d 2h, not '%s'", node->text);
        return false;
    }
    if (ms < min || ms > max) {
        moment_add_span(&from, min);
        moment_add_span(&to, max);
        conf_error(report, node, "%s is out of range: %s to %s is possible", node->text, from.s, to.s);
        sbuf_free(&from);
        sbuf_free(&to);
        return false;
    }
    *out = ms;
    return true;
}

static void take_time(struct reading_story *r)
{
    struct raw_story *raw = &r->raw;
    const char *name = raw->time_zone ? raw->time_zone->text : "UTC";

    if (zone_open(name, &r->story->zone) < 0) {
        conf_error(r->report, raw->time_zone, "unknown time zone '%s': a name such as Asia/Shanghai is wanted", name);
        zone_open("UTC", &r->story->zone);
    }
    if (raw->start && !raw->start->bad && moment_local(raw->start->text, r->story->zone, &r->story->start_ms) < 0)
        conf_error(r->report, raw->start, "expected a local time such as 2026-03-02 08:00, not '%s'", raw->start->text);
    if (raw->length)
        story_span(raw->length, MINUTE, 400 * (int64_t)DAY, &r->story->length_ms, r->report);
}

/* ---- Devices ---- */

enum { MAX_DEVICES = 1000 };

static const struct story_device *device_named(const struct story *s, const char *name)
{
    for (size_t i = 0; i < s->devices.n; i++)
        if (str_eq(s->devices.v[i].name, name))
            return &s->devices.v[i];
    return NULL;
}

/* The first address of an entry as a number: as written, else by its place. */
static uint32_t first_address(struct reading_story *r, const struct raw_device *d)
{
    uint32_t by_place = (127U << 24) + (100U << 16) + (uint32_t)r->story->devices.n + 1;
    struct in_addr a;

    if (d->address == NULL || d->address->bad)
        return by_place;
    if (inet_pton(AF_INET, d->address->text, &a) != 1 || ntohl(a.s_addr) >> 24 != 127) {
        conf_error(r->report, d->address, "expected an address such as 127.20.0.1, not '%s'", d->address->text);
        return by_place;
    }
    return ntohl(a.s_addr);
}

/* Units of one gateway. */
static bool neighbours(const struct story_device *a, const struct story_device *b)
{
    return model_is_modbus(a->model) && model_is_modbus(b->model) && a->unit != b->unit;
}

/* A device that another refers to: one written before it, so that none refers to itself. -1: none. */
static int earlier_device(struct reading_story *r, struct yaml_node *name)
{
    const struct story_device *d;

    if (name == NULL || name->bad)
        return -1;
    d = device_named(r->story, name->text);
    if (d == NULL) {
        conf_error(r->report, name, "there is no device '%s' before this one", name->text);
        return -1;
    }
    return (int)(d - r->story->devices.v);
}

/* The device that it is reached by. */
static int parent_of(struct reading_story *r, const struct raw_device *d)
{
    int i = earlier_device(r, d->parent);

    if (i >= 0 && d->port > model_ports(r->story->devices.v[i].model))
        conf_error(r->report, d->parent, "%s has no port %lld", r->story->devices.v[i].name, (long long)d->port);
    return i;
}

/* Whose serial number it shows. */
static int serial_of(struct reading_story *r, const struct raw_device *d)
{
    int i = earlier_device(r, d->serial_of);

    if (i >= 0 && (!model_prints(d->model) || r->story->devices.v[i].model != d->model))
        conf_error(r->report, d->serial_of, "'serial_of' is for two printers or two copiers");
    return i;
}

static void add_device(struct reading_story *r, const struct raw_device *d, char *name, uint32_t address)
{
    char text[INET_ADDRSTRLEN];
    struct story_device out = {
        .name = name,
        .model = d->model,
        .tells = d->tells,
        .pages_per_hour = d->pages_per_hour,
        .toner = d->toner,
        .yield = d->yield,
        .snmp = d->snmp,
        .unit = d->unit,
        .parent = -1,
        .port = d->port,
        .uplink = d->uplink,
        .neighbour = d->neighbour,
        .may_be_off = d->may_be_off,
        .site = xstrdup_null(d->site),
    };
    int64_t ports = model_ports(d->model);

    if (d->uplink > ports || d->neighbour > ports)
        conf_error(r->report, d->here, "a %s has %lld ports", model_names[d->model], (long long)ports);
    if (d->port > 0 && d->parent == NULL)
        conf_error(r->report, d->here, "'port' is its parent's: it goes with 'parent'");
    out.parent = parent_of(r, d);
    out.serial_of = serial_of(r, d);
    inet_ntop(AF_INET, &(struct in_addr){htonl(address)}, text, sizeof text);
    out.address = xstrdup(text);
    if (device_named(r->story, name) != NULL)
        conf_error(r->report, d->here, "there is a device '%s' already", name);
    for (size_t i = 0; i < r->story->devices.n; i++)
        if (str_eq(r->story->devices.v[i].address, text) && !neighbours(&r->story->devices.v[i], &out))
            conf_error(r->report, d->address ? d->address : d->here, "%s has the address %s already",
                       r->story->devices.v[i].name, text);
    array_push(&r->story->devices, out);
}

static void take_devices(struct reading_story *r)
{
    for (size_t i = 0; i < r->raw.devices.n; i++) {
        const struct raw_device *d = &r->raw.devices.v[i];
        uint32_t address = first_address(r, d);

        if (r->story->devices.n + (size_t)d->count > MAX_DEVICES) {
            conf_error(r->report, d->here, "more than %d devices: that is too much for one story", MAX_DEVICES);
            break;
        }
        if (d->name == NULL)
            continue;
        for (int64_t k = 1; k <= d->count; k++) {
            char *name = d->count == 1 ? xstrdup(d->name) : xasprintf("%s-%d", d->name, (int)k);

            array_push(&r->group, (unsigned)i);
            add_device(r, d, name, address++);
        }
    }
    if (r->raw.devices.n == 0 && r->report->errors == 0)
        conf_error(r->report, r->raw.here, "a story needs a device at least");
}

bool story_is_unit(const struct story *s, size_t device)
{
    for (size_t i = 0; i < s->devices.n; i++)
        if (i != device && str_eq(s->devices.v[i].address, s->devices.v[device].address))
            return true;
    return false;
}

/* ---- Configuration ---- */

static void take_configuration(struct reading_story *r)
{
    struct story_configuration *c = &r->raw.configuration;

    for (size_t i = 0; i < c->rules.n; i++) {
        struct story_rule *rule = &c->rules.v[i];

        story_name(rule->here, "rule", truth_rule_names, r->report);
        rule->here = NULL;
    }
    r->story->configuration = *c;
    *c = (struct story_configuration){0};
}

static const struct story_rule *changed_rule(const struct story *s, int rule)
{
    for (size_t i = 0; i < s->configuration.rules.n; i++)
        if (str_eq(s->configuration.rules.v[i].name, truth_rules[rule].name))
            return &s->configuration.rules.v[i];
    return NULL;
}

int64_t story_hold_ms(const struct story *s, int rule, bool clear)
{
    const struct story_rule *changed = changed_rule(s, rule);
    int64_t ms = changed ? (clear ? changed->clear_hold_ms : changed->hold_ms) : -1;

    if (ms < 0)
        ms = clear ? truth_rules[rule].clear_hold_ms : truth_rules[rule].hold_ms;
    if (truth_of_reach(rule) && !clear) /* the first silent poll is followed by two more before it counts */
        ms += 2 * s->configuration.every_ms[truth_rules[rule].part];
    return ms;
}

int64_t story_within_ms(const struct story *s, int rule, bool clear)
{
    return truth_rules[rule].window_ms + 2 * s->configuration.every_ms[truth_rules[rule].part] +
           story_hold_ms(s, rule, clear) + TRUTH_GRACE_MS;
}

/* ---- All of it ---- */

void story_free(struct story *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->devices.n; i++) {
        free(s->devices.v[i].name);
        free(s->devices.v[i].address);
        free(s->devices.v[i].site);
    }
    for (size_t i = 0; i < s->configuration.rules.n; i++)
        free(s->configuration.rules.v[i].name);
    for (size_t i = 0; i < s->expects.n; i++)
        free(s->expects.v[i]);
    array_free(&s->devices);
    array_free(&s->configuration.rules);
    array_free(&s->happenings);
    for (size_t i = 0; i < s->texts.n; i++)
        free(s->texts.v[i]);
    array_free(&s->expects);
    array_free(&s->texts);
    story_free_people(s);
    zone_free(s->zone);
    free(s->path);
    free(s->title);
    free(s);
}

/* What was understood, complete or not. */
static struct story *understand(struct yaml_file *file, struct conf_report *report)
{
    struct reading_story r = {.story = xcalloc(1, sizeof *r.story), .report = report};
    struct story *s = r.story;

    schema_defaults(&story_schema, &r.raw);
    schema_read(&story_schema, file->root, &r.raw, report);
    s->path = xstrdup(file->path);
    s->title = xstrdup_null(r.raw.title);
    s->seed = (uint64_t)r.raw.seed;
    s->quiet = r.raw.quiet;
    s->delay_ms = r.raw.delay_ms;
    s->loss = r.raw.loss;
    take_time(&r);
    take_devices(&r);
    take_configuration(&r);
    story_take_people(&r);
    story_take_events(&r);
    schema_release(&story_schema, &r.raw);
    array_free(&r.group);
    array_free(&r.happenings);
    return s;
}

static int finish(int rc, struct yaml_file *file, struct story **out, struct conf_report *report)
{
    struct story *s;

    if (rc < 0)
        return rc;
    s = understand(file, report);
    yaml_file_free(file);
    if (report->errors > 0) {
        story_free(s);
        return PD_EINVAL;
    }
    *out = s;
    return 0;
}

int story_load(const char *path, struct story **out, struct conf_report *report)
{
    struct yaml_file *file = NULL;
    int rc = yaml_load(path, &file, report);

    return finish(rc, file, out, report);
}

int story_parse(const char *path, const char *text, size_t n, struct story **out, struct conf_report *report)
{
    struct yaml_file *file = NULL;
    int rc = yaml_parse(path, text, n, &file, report);

    return finish(rc, file, out, report);
}
