#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/zone.h"
#include "conf/conf.h"
#include "conf/credentials.h"
#include "conf/listen.h"
#include "conf/modbus.h"
#include "conf/plans.h"
#include "conf/schema.h"
#include "conf/secret.h"

/*
 * patrold.yaml and conf.d/. A draft holds what the files say, with the nodes
 * that said it; it becomes struct settings once nothing is wrong.
 */
struct override_draft {
    char *name;
    struct yaml_node *here;
    int64_t hold_ms, clear_hold_ms;
    int severity;
    bool off;
};

struct draft {
    struct settings s; /* everything that can be read straight into its place */
    struct yaml_node *program;
    struct yaml_node *time_zone, *url, *user, *password, *password_file, *ca_file;
    ARRAY(struct yaml_node *) knowledge;
    ARRAY(struct credential_draft) credentials;
    ARRAY(struct override_draft) rules;
    ARRAY(struct plan_draft) plans;
    ARRAY(struct yaml_file *) files; /* the nodes' */
};

static const char *const lang_names[] = {"en", "zh_CN", NULL};
static const char *const severity_names[] = {"info", "warning", "major", "critical", NULL};
static const char *const level_names[] = {"error", "warn", "info", "debug", NULL};

enum { SECOND = 1000, MINUTE = 60 * SECOND, DAY = 24 * 60 * MINUTE };

#define SETTING(f) SCHEMA_FIELD(struct draft, s.f)

static const struct schema_row every_rows[] = {
    {"status", SCHEMA_DURATION, .min = 100, .max = DAY, .fallback = "60s", SETTING(every_ms[PART_STATUS])},
    {"counters", SCHEMA_DURATION, .min = 100, .max = DAY, .fallback = "5m", SETTING(every_ms[PART_COUNTERS])},
    {"supplies", SCHEMA_DURATION, .min = 100, .max = DAY, .fallback = "30m", SETTING(every_ms[PART_SUPPLIES])},
    {"inventory", SCHEMA_DURATION, .min = SECOND, .max = 7 * DAY, .fallback = "1d", SETTING(every_ms[PART_INVENTORY])},
    {0},
};
static const struct schema every_schema = {.what = "poll.every", .rows = every_rows, .size = sizeof(struct draft)};

static const struct schema_row at_once_rows[] = {
    {"subnet", SCHEMA_INT, .min = 0, .max = 100000, .fallback = "64", SETTING(subnet_reads)},
    {"gateway", SCHEMA_INT, .min = 0, .max = 1000, .fallback = "4", SETTING(gateway_reads)},
    {0},
};
static const struct schema at_once_schema = {
    .what = "poll.at_once", .rows = at_once_rows, .size = sizeof(struct draft)};

static const struct schema_row poll_rows[] = {
    {"every", SCHEMA_SECTION, .sub = &every_schema},
    {"silent", SCHEMA_DURATION, .min = SECOND, .max = DAY, .fallback = "5m", SETTING(silent_ms)},
    {"at_once", SCHEMA_SECTION, .sub = &at_once_schema},
    {"ping", SCHEMA_BOOL, .fallback = "true", SETTING(ping)},
    {0},
};
static const struct schema poll_schema = {.what = "poll", .rows = poll_rows, .size = sizeof(struct draft)};

static const struct schema_row snmp_rows[] = {
    {"timeout", SCHEMA_DURATION, .min = 50, .max = MINUTE, .fallback = "2s", SETTING(timeout_ms)},
    {"retries", SCHEMA_INT, .min = 0, .max = 10, .fallback = "3", SETTING(retries)},
    {"traps", SCHEMA_SECTION, .sub = &traps_settings_schema, SETTING(traps)},
    {0},
};
static const struct schema snmp_schema = {.what = "snmp", .rows = snmp_rows, .size = sizeof(struct draft)};

static const struct schema_row icmp_rows[] = {
    {"timeout", SCHEMA_DURATION, .min = 50, .max = MINUTE, .fallback = "1s", SETTING(icmp.timeout_ms)},
    {"tries", SCHEMA_INT, .min = 1, .max = 20, .fallback = "3", SETTING(icmp.tries)},
    {0},
};
static const struct schema icmp_schema = {.what = "icmp", .rows = icmp_rows, .size = sizeof(struct draft)};

static const struct schema_row mail_rows[] = {
    {"url", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct draft, url)},
    {"from", SCHEMA_TEXT, SETTING(mail.from)},
    {"user", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct draft, user)},
    {"password", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct draft, password)},
    {"password_file", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct draft, password_file)},
    {"ca_file", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct draft, ca_file)},
    {"starttls", SCHEMA_BOOL, SETTING(mail.starttls)},
    {"timeout_s", SCHEMA_INT, .min = 1, .max = 600, .fallback = "60", SETTING(mail.timeout_s)},
    {0},
};
static const struct schema mail_schema = {.what = "mail", .rows = mail_rows, .size = sizeof(struct draft)};

static const struct schema_row recipient_rows[] = {
    {"address", SCHEMA_TEXT, SCHEMA_REQUIRED, SCHEMA_FIELD(struct recipient, address)},
    {"language", SCHEMA_ENUM, .names = lang_names, .fallback = "en", SCHEMA_FIELD(struct recipient, lang)},
    {"min_severity", SCHEMA_ENUM, .names = severity_names, .fallback = "warning",
     SCHEMA_FIELD(struct recipient, min_severity)},
    {"site", SCHEMA_TEXT, SCHEMA_FIELD(struct recipient, site)},
    {0},
};
static void check_recipient(void *section, struct yaml_node *here, struct conf_report *report);
static const struct schema recipient_schema = {
    .what = "a recipient",
    .rows = recipient_rows,
    .size = sizeof(struct recipient),
    .shorthand = "address",
    .check = check_recipient,
};

static const struct schema_row override_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct override_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct override_draft, here)},
    {"hold", SCHEMA_DURATION, .min = 0, .max = 30.0 * DAY, SCHEMA_FIELD(struct override_draft, hold_ms)},
    {"clear_hold", SCHEMA_DURATION, .min = 0, .max = 30.0 * DAY, SCHEMA_FIELD(struct override_draft, clear_hold_ms)},
    {"severity", SCHEMA_ENUM, .names = severity_names, SCHEMA_FIELD(struct override_draft, severity)},
    {"off", SCHEMA_BOOL, SCHEMA_FIELD(struct override_draft, off)},
    {0},
};
static void init_override(void *section);
static const struct schema override_schema = {
    .what = "a rule's change",
    .rows = override_rows,
    .size = sizeof(struct override_draft),
    .init = init_override,
};

static const struct schema_row reader_rows[] = {
    {"address", SCHEMA_TEXT, SCHEMA_REQUIRED, SCHEMA_FIELD(struct report_recipient, address)},
    {"language", SCHEMA_ENUM, .names = lang_names, .fallback = "en", SCHEMA_FIELD(struct report_recipient, lang)},
    {0},
};
static void check_reader(void *section, struct yaml_node *here, struct conf_report *report);
static const struct schema reader_schema = {
    .what = "a report's recipient",
    .rows = reader_rows,
    .size = sizeof(struct report_recipient),
    .shorthand = "address",
    .check = check_reader,
};

static const struct schema_row provider_rows[] = {
    {"name", SCHEMA_TEXT, .min = 1, .max = 200, SETTING(report.provider.name)},
    {"phone", SCHEMA_TEXT, .min = 1, .max = 100, SETTING(report.provider.phone)},
    {"email", SCHEMA_TEXT, .min = 1, .max = 200, SETTING(report.provider.email)},
    {0},
};
static const struct schema provider_schema = {
    .what = "report.provider", .rows = provider_rows, .size = sizeof(struct draft)};

static void read_clock(struct yaml_node *node, void *field, struct conf_report *report);
static const struct schema_row report_rows[] = {
    {"off", SCHEMA_BOOL, SETTING(report.off)},
    {"calendar", SCHEMA_TEXT, .min = 1, .max = 100, SETTING(report.calendar)},
    {"at", SCHEMA_CUSTOM, .read = read_clock, SETTING(report.at_minute)},
    {"provider", SCHEMA_SECTION, .sub = &provider_schema},
    {"recipients", SCHEMA_LIST, .sub = &reader_schema, SETTING(report.recipients)},
    {"program", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct draft, program)},
    {0},
};
static const struct schema report_schema = {.what = "report", .rows = report_rows, .size = sizeof(struct draft)};

/* Days and months are reckoned up before what they are reckoned from goes. */
static const struct schema_row keep_rows[] = {
    {"raw_days", SCHEMA_INT, .min = 2, .max = 36500, .fallback = "45", SETTING(raw_days)},
    {"hourly_days", SCHEMA_INT, .min = 62, .max = 36500, .fallback = "731", SETTING(hourly_days)},
    {0},
};
static const struct schema keep_schema = {.what = "keep", .rows = keep_rows, .size = sizeof(struct draft)};

static const struct schema_row settings_rows[] = {
    {"database", SCHEMA_TEXT, .fallback = "/var/lib/patrold/patrold.db", SETTING(database)},
    {"socket", SCHEMA_TEXT, .max = 107, .min = 1, .fallback = "/run/patrold/patrold.sock", SETTING(socket)},
    {"site", SCHEMA_TEXT, .min = 1, .max = 200, .fallback = "main", SETTING(site)},
    {"time_zone", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct draft, time_zone)},
    {"ticket_prefix", SCHEMA_TEXT, .min = 1, .max = 16, SETTING(ticket_prefix)},
    {"language", SCHEMA_ENUM, .names = lang_names, .fallback = "en", SETTING(lang)},
    {"knowledge", SCHEMA_LIST, .item = SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct draft, knowledge)},
    {"keep", SCHEMA_SECTION, .sub = &keep_schema},
    {"poll", SCHEMA_SECTION, .sub = &poll_schema},
    {"snmp", SCHEMA_SECTION, .sub = &snmp_schema},
    {"icmp", SCHEMA_SECTION, .sub = &icmp_schema},
    {"modbus", SCHEMA_SECTION, .sub = &modbus_schema, SETTING(modbus)},
    {"credentials", SCHEMA_MAP, .sub = &credential_schema, SCHEMA_FIELD(struct draft, credentials)},
    {"mail", SCHEMA_SECTION, .sub = &mail_schema},
    {"recipients", SCHEMA_LIST, .sub = &recipient_schema, SETTING(recipients)},
    {"log", SCHEMA_ENUM, .names = level_names, .fallback = "info", SETTING(log_level)},
    {"rules", SCHEMA_MAP, .sub = &override_schema, SCHEMA_FIELD(struct draft, rules)},
    {"report", SCHEMA_SECTION, .sub = &report_schema},
    {"plans", SCHEMA_MAP, .sub = &plan_schema, SCHEMA_FIELD(struct draft, plans)},
    {0},
};
static const struct schema settings_schema = {
    .what = "the settings", .rows = settings_rows, .size = sizeof(struct draft)};

/* ---- Checks that no table can say ---- */

static void check_address(const char *address, struct yaml_node *here, struct conf_report *report)
{
    const char *at = strchr(address, '@');

    if (!at || at == address || !at[1] || strpbrk(address, " \t\r\n,;<>"))
        conf_error(report, here, "'%s' is not a mail address such as service@example.com", address);
}

static void check_recipient(void *section, struct yaml_node *here, struct conf_report *report)
{
    check_address(((const struct recipient *)section)->address, here, report);
}

static void check_reader(void *section, struct yaml_node *here, struct conf_report *report)
{
    check_address(((const struct report_recipient *)section)->address, here, report);
}

static void read_clock(struct yaml_node *node, void *field, struct conf_report *report)
{
    *(int *)field = schema_clock(node, report);
}

/* -1: as shipped. */
static void init_override(void *section)
{
    struct override_draft *o = section;

    o->hold_ms = o->clear_hold_ms = o->severity = -1;
}

static void take_credentials(struct draft *d, struct conf_report *report)
{
    for (size_t i = 0; i < d->credentials.n; i++) {
        struct credential_draft *from = &d->credentials.v[i];

        credential_take(from, report);
        array_push(&d->s.credentials, from->credential);
        from->credential = (struct credential){0};
    }
}

static void take_time_zone(struct draft *d, struct conf_report *report)
{
    const char *name = d->time_zone ? d->time_zone->text : "UTC";
    struct zone *zone;

    if (zone_open(name, &zone) == 0)
        zone_free(zone);
    else
        conf_error(report, d->time_zone, "unknown time zone '%s': a name such as Asia/Shanghai is wanted", name);
    d->s.time_zone = xstrdup(name);
}

static void take_mail(struct draft *d, struct conf_report *report)
{
    struct settings *s = &d->s;

    s->mail.password = conf_take_secret(d->password, d->password_file, report);
    if (d->ca_file)
        s->mail.ca_file = conf_path_beside(d->ca_file);
    if (d->user && !d->password && !d->password_file)
        conf_error(report, d->user, "a user needs 'password_file'");
    if (d->url && !str_starts(d->url->text, "smtp://") && !str_starts(d->url->text, "smtps://"))
        conf_error(report, d->url, "'%s' must begin with smtp:// or smtps://", d->url->text);
    else if (d->url && !s->mail.from)
        conf_error(report, d->url, "mail needs 'from', as in \"patrold <patrold@example.com>\"");
    else if (d->url && !strchr(s->mail.from, '@'))
        conf_error(report, d->url, "'from' '%s' has no mail address: \"patrold <patrold@example.com>\" is one",
                   s->mail.from);
    s->mail.url = d->url ? xstrdup(d->url->text) : NULL;
    s->mail.user = d->user ? xstrdup(d->user->text) : NULL;
}

static struct where where_of(void *ctx, const struct yaml_node *node)
{
    const struct draft *d = ctx;
    struct where w = {.line = node->line, .col = node->col};

    for (size_t f = 0; f < d->files.n; f++)
        if (d->files.v[f] == node->file)
            w.file = d->s.files.v[f];
    return w;
}

static void take_plans(struct draft *d, struct conf_report *report)
{
    for (size_t i = 0; i < d->plans.n; i++) {
        struct plan_draft *from = &d->plans.v[i];

        plan_take(from, where_of, d, report);
        array_push(&d->s.plans, from->plan);
        from->plan = (struct plan){0};
    }
}

static void take_rules(struct draft *d)
{
    for (size_t i = 0; i < d->rules.n; i++) {
        const struct override_draft *from = &d->rules.v[i];
        struct rule_override o = {
            .name = xstrdup(from->name),
            .hold_ms = from->hold_ms,
            .clear_hold_ms = from->clear_hold_ms,
            .severity = from->severity,
            .off = from->off,
            .where = where_of(d, from->here),
        };

        array_push(&d->s.rules, o);
    }
}

static void take_knowledge(struct draft *d)
{
    for (size_t i = 0; i < d->knowledge.n; i++)
        if (d->knowledge.v[i])
            array_push(&d->s.knowledge_dirs, conf_path_beside(d->knowledge.v[i]));
    if (d->knowledge.n == 0)
        array_push(&d->s.knowledge_dirs, xstrdup(PKGDATADIR));
}

/* ---- Reading ---- */

static int read_file(struct draft *d, const char *path, struct conf_report *report)
{
    struct yaml_file *f;
    int rc = yaml_load(path, &f, report);

    if (rc < 0)
        return rc;
    array_push(&d->files, f);
    array_push(&d->s.files, xstrdup(path));
    schema_read(&settings_schema, f->root, d, report);
    return 0;
}

/* conf.d/ *.yaml beside the main file, in order of name. */
static void read_conf_d(struct draft *d, const char *path, struct conf_report *report)
{
    const char *slash = strrchr(path, '/');
    int dir = slash ? (int)(slash - path) + 1 : 0;
    char *pattern = xasprintf("%.*sconf.d/*.yaml", dir, path);
    glob_t found;

    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            read_file(d, found.gl_pathv[i], report);
        globfree(&found);
    }
    free(pattern);
}

static void draft_free(struct draft *d)
{
    struct settings *s = xmalloc(sizeof *s);

    *s = d->s;
    d->s = (struct settings){0};
    settings_free(s);
    schema_release(&settings_schema, d);
    for (size_t i = 0; i < d->files.n; i++)
        yaml_file_free(d->files.v[i]);
    array_free(&d->files);
}

int settings_load(const char *path, struct settings **out, struct conf_report *report)
{
    unsigned before = report->errors;
    struct draft d = {0};
    int rc;

    schema_defaults(&settings_schema, &d);
    d.s.report.at_minute = 8 * 60;
    rc = read_file(&d, path, report);
    if (rc < 0 && rc != PD_EINVAL) /* after one file that makes no sense the others are still looked at */
        goto out;
    read_conf_d(&d, path, report);
    take_time_zone(&d, report);
    take_credentials(&d, report);
    take_mail(&d, report);
    take_knowledge(&d);
    take_rules(&d);
    if (d.program)
        d.s.report.program = conf_path_beside(d.program);
    take_plans(&d, report);
    if (report->errors > before) {
        rc = PD_EINVAL;
        goto out;
    }
    rc = 0;
    *out = xmalloc(sizeof **out);
    **out = d.s;
    d.s = (struct settings){0};
out:
    draft_free(&d);
    return rc;
}

void settings_free(struct settings *s)
{
    if (!s)
        return;
    free(s->database);
    free(s->socket);
    free(s->site);
    free(s->time_zone);
    point_numbers_free(&s->numbers);
    free(s->ticket_prefix);
    for (size_t i = 0; i < s->files.n; i++)
        free(s->files.v[i]);
    for (size_t i = 0; i < s->knowledge_dirs.n; i++)
        free(s->knowledge_dirs.v[i]);
    schema_release(&modbus_schema, &s->modbus);
    schema_release(&traps_settings_schema, &s->traps);
    for (size_t i = 0; i < s->credentials.n; i++)
        credential_fini(&s->credentials.v[i]);
    free(s->mail.url);
    free(s->mail.from);
    free(s->mail.user);
    free(s->mail.password);
    free(s->mail.ca_file);
    for (size_t i = 0; i < s->recipients.n; i++) {
        free(s->recipients.v[i].address);
        free(s->recipients.v[i].site);
    }
    for (size_t i = 0; i < s->rules.n; i++)
        free(s->rules.v[i].name);
    free(s->report.calendar);
    free(s->report.provider.name);
    free(s->report.provider.phone);
    free(s->report.provider.email);
    free(s->report.program);
    for (size_t i = 0; i < s->report.recipients.n; i++)
        free(s->report.recipients.v[i].address);
    array_free(&s->report.recipients);
    for (size_t i = 0; i < s->plans.n; i++)
        plan_fini(&s->plans.v[i]);
    array_free(&s->plans);
    array_free(&s->files);
    array_free(&s->knowledge_dirs);
    array_free(&s->credentials);
    array_free(&s->recipients);
    array_free(&s->rules);
    free(s);
}

const struct credential *settings_credential(const struct settings *s, const char *name)
{
    for (size_t i = 0; i < s->credentials.n; i++)
        if (str_eq(s->credentials.v[i].name, name))
            return &s->credentials.v[i];
    return NULL;
}
