#include "story_raw.h"

static const char *const tells_names[TELLS_COUNT + 1] = {"both", "state", "alerts", NULL};

#define DEVICE(f) SCHEMA_FIELD(struct raw_device, f)

static const struct schema_row device_rows[] = {
    {.type = SCHEMA_HERE, DEVICE(here)},
    {"name", SCHEMA_TEXT, SCHEMA_REQUIRED, .min = 1, .max = 64, DEVICE(name)},
    {"model", SCHEMA_ENUM, SCHEMA_REQUIRED, .names = model_names, DEVICE(model)},
    {"address", SCHEMA_TEXT_NODE, DEVICE(address)},
    {"count", SCHEMA_INT, .min = 1, .max = 200, .fallback = "1", DEVICE(count)},
    {"snmp", SCHEMA_INT, .min = 1, .max = 2, .fallback = "2", DEVICE(snmp)},
    {"unit", SCHEMA_INT, .min = 1, .max = 247, .fallback = "1", DEVICE(unit)},
    {"tells", SCHEMA_ENUM, .names = tells_names, .fallback = "both", DEVICE(tells)},
    {"pages_per_hour", SCHEMA_INT, .min = 0, .max = 10000, .fallback = "0", DEVICE(pages_per_hour)},
    {"toner", SCHEMA_INT, .min = 20, .max = 100, .fallback = "80", DEVICE(toner)},
    {"yield", SCHEMA_INT, .min = 100, .max = 100000, .fallback = "2000", DEVICE(yield)},
    {"parent", SCHEMA_TEXT_NODE, DEVICE(parent)},
    {"serial_of", SCHEMA_TEXT_NODE, DEVICE(serial_of)},
    {"port", SCHEMA_INT, .min = 1, .max = 24, DEVICE(port)},
    {"uplink", SCHEMA_INT, .min = 1, .max = 24, DEVICE(uplink)},
    {"neighbour", SCHEMA_INT, .min = 1, .max = 24, DEVICE(neighbour)},
    {"may_be_off", SCHEMA_BOOL, DEVICE(may_be_off)},
    {"site", SCHEMA_TEXT, .min = 1, .max = 100, DEVICE(site)},
    {0},
};
static const struct schema device_schema = {.what = "a device", .rows = device_rows, .size = sizeof(struct raw_device)};

static const struct schema_row expect_rows[] = {
    {"rule", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct raw_expect, rule)},
    {"opens_within", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct raw_expect, opens)},
    {"clears_within", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct raw_expect, clears)},
    {0},
};
const struct schema expect_schema = {
    .what = "an expectation", .rows = expect_rows, .size = sizeof(struct raw_expect), .shorthand = "rule"};

#define EVENT(f) SCHEMA_FIELD(struct raw_event, f)

static const struct schema_row event_rows[] = {
    {.type = SCHEMA_HERE, EVENT(here)},
    {"at", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, EVENT(at)},
    {"event", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, EVENT(what)},
    {"device", SCHEMA_NODE, EVENT(device)},
    {"for", SCHEMA_TEXT_NODE, EVENT(span)},
    {"every", SCHEMA_TEXT_NODE, EVENT(every)},
    {"times", SCHEMA_INT, .min = 2, .max = 1000, EVENT(times)},
    {"toner", SCHEMA_TEXT_NODE, EVENT(toner)},
    {"pages_per_hour", SCHEMA_INT, .min = 1, .max = 10000, EVENT(pages_per_hour)},
    {"port", SCHEMA_INT, .min = 1, .max = 24, EVENT(port)},
    {"disk", SCHEMA_TEXT_NODE, EVENT(disk)},
    {"percent", SCHEMA_NUM, .min = 0.1, .max = 150, EVENT(percent)},
    {"per_day", SCHEMA_NUM, .min = 0.1, .max = 2400, EVENT(per_day)},
    {"celsius", SCHEMA_NUM, .min = 5, .max = 60, EVENT(celsius)},
    {"to", SCHEMA_TEXT_NODE, EVENT(to)},
    {"by", SCHEMA_TEXT_NODE, EVENT(by)},
    {"expect", SCHEMA_NODE, EVENT(expect)},
    {0},
};
static const struct schema event_schema = {.what = "an event", .rows = event_rows, .size = sizeof(struct raw_event)};

#define STORY(f) SCHEMA_FIELD(struct raw_story, f)

static const struct schema_row every_rows[] = {
    {"status", SCHEMA_DURATION, .min = SECOND, .max = DAY, .fallback = "60s",
     STORY(configuration.every_ms[PART_STATUS])},
    {"counters", SCHEMA_DURATION, .min = SECOND, .max = DAY, .fallback = "5m",
     STORY(configuration.every_ms[PART_COUNTERS])},
    {"supplies", SCHEMA_DURATION, .min = SECOND, .max = DAY, .fallback = "30m",
     STORY(configuration.every_ms[PART_SUPPLIES])},
    {"inventory", SCHEMA_DURATION, .min = SECOND, .max = DAY, .fallback = "1d",
     STORY(configuration.every_ms[PART_INVENTORY])},
    {0},
};
static const struct schema every_schema = {.what = "poll.every", .rows = every_rows, .size = sizeof(struct raw_story)};

static const struct schema_row poll_rows[] = {{"every", SCHEMA_SECTION, .sub = &every_schema}, {0}};
static const struct schema poll_schema = {.what = "poll", .rows = poll_rows, .size = sizeof(struct raw_story)};

static const struct schema_row snmp_rows[] = {
    {"timeout", SCHEMA_DURATION, .min = 50, .max = MINUTE, .fallback = "2s", STORY(configuration.timeout_ms)},
    {"retries", SCHEMA_INT, .min = 0, .max = 10, .fallback = "3", STORY(configuration.retries)},
    {0},
};
static const struct schema snmp_schema = {.what = "snmp", .rows = snmp_rows, .size = sizeof(struct raw_story)};

static const struct schema_row rule_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct story_rule, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct story_rule, here)},
    {"hold", SCHEMA_DURATION, .min = 0, .max = DAY, SCHEMA_FIELD(struct story_rule, hold_ms)},
    {"clear_hold", SCHEMA_DURATION, .min = 0, .max = DAY, SCHEMA_FIELD(struct story_rule, clear_hold_ms)},
    {0},
};
static void init_rule(void *section);
static const struct schema rule_schema = {
    .what = "a rule's change", .rows = rule_rows, .size = sizeof(struct story_rule), .init = init_rule};

static const char *const lang_names[] = {"en", "zh_CN", NULL};

static const struct schema_row configuration_rows[] = {
    {"poll", SCHEMA_SECTION, .sub = &poll_schema},
    {"snmp", SCHEMA_SECTION, .sub = &snmp_schema},
    {"rules", SCHEMA_MAP, .sub = &rule_schema, STORY(configuration.rules)},
    {"language", SCHEMA_ENUM, .names = lang_names, .fallback = "en", STORY(configuration.lang)},
    {0},
};
static const struct schema configuration_schema = {
    .what = "the configuration", .rows = configuration_rows, .size = sizeof(struct raw_story)};

static const struct schema_row network_rows[] = {
    {"delay", SCHEMA_DURATION, .min = 0, .max = SECOND, .fallback = "15ms", STORY(delay_ms)},
    {"loss", SCHEMA_NUM, .min = 0, .max = 100, .fallback = "0", STORY(loss)},
    {0},
};
static const struct schema network_schema = {
    .what = "the network", .rows = network_rows, .size = sizeof(struct raw_story)};

#define PERSON(f) SCHEMA_FIELD(struct raw_person, f)

static const struct schema_row person_rows[] = {
    {"name", SCHEMA_TEXT, SCHEMA_REQUIRED, .min = 1, .max = 64, PERSON(name)},
    {"always", SCHEMA_BOOL, PERSON(always)},
    {"answers", SCHEMA_DURATION, .min = MINUTE, .max = DAY, .fallback = "15m", PERSON(answers_ms)},
    {"travels", SCHEMA_DURATION, .min = MINUTE, .max = DAY, .fallback = "40m", PERSON(travels_ms)},
    {"works", SCHEMA_DURATION, .min = MINUTE, .max = DAY, .fallback = "1h", PERSON(works_ms)},
    {0},
};
static const struct schema person_schema = {
    .what = "somebody of the staff", .rows = person_rows, .size = sizeof(struct raw_person)};

static const struct schema_row hours_rows[] = {
    {"hours", SCHEMA_NODE, STORY(hours)},
    {"closed", SCHEMA_NODE, STORY(closed)},
    {"open", SCHEMA_NODE, STORY(open)},
    {0},
};
static const struct schema hours_schema = {
    .what = "the working hours", .rows = hours_rows, .size = sizeof(struct raw_story)};

static const struct schema_row story_rows[] = {
    {.type = SCHEMA_HERE, STORY(here)},
    {"title", SCHEMA_TEXT, SCHEMA_REQUIRED, STORY(title)},
    {"start", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, STORY(start)},
    {"time_zone", SCHEMA_TEXT_NODE, STORY(time_zone)},
    {"length", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, STORY(length)},
    {"seed", SCHEMA_INT, .min = 0, .max = 4294967295.0, .fallback = "1", STORY(seed)},
    {"quiet", SCHEMA_BOOL, STORY(quiet)},
    {"network", SCHEMA_SECTION, .sub = &network_schema},
    {"configuration", SCHEMA_SECTION, .sub = &configuration_schema},
    {"devices", SCHEMA_LIST, SCHEMA_REQUIRED, .sub = &device_schema, STORY(devices)},
    {"events", SCHEMA_LIST, .sub = &event_schema, STORY(events)},
    {"archive", SCHEMA_NODE, STORY(archive)},
    {"staff", SCHEMA_LIST, .sub = &person_schema, STORY(staff)},
    {"working_hours", SCHEMA_SECTION, .sub = &hours_schema},
    {"patrold", SCHEMA_NODE, STORY(patrold)},
    {0},
};
const struct schema story_schema = {.what = "a story", .rows = story_rows, .size = sizeof(struct raw_story)};

/* -1: as shipped. */
static void init_rule(void *section)
{
    struct story_rule *r = section;

    r->hold_ms = r->clear_hold_ms = -1;
}
