#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "ctl/ctl.h"

/* patrold for other monitoring: `check` as a monitoring plugin, `metrics` as Prometheus text. */

/* ---- check ---- */

/* What monitoring plugins exit with. */
enum check { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };
static const char *const check_names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

static const char *const severities[] = {"info", "warning", "major", "critical"};
enum { SEVERITIES = sizeof severities / sizeof *severities, SHOWN_ALERTS = 20 };

struct tally {
    struct ctl *t;
    int warning, critical; /* from these severities on */
    enum check worst;
    unsigned alerts, by_severity[SEVERITIES];
    struct sbuf lines; /* of the first alerts that count */
    unsigned shown;
};

static int severity_of(const char *code)
{
    for (int i = 0; i < SEVERITIES; i++)
        if (strcmp(severities[i], code) == 0)
            return i;
    return SEVERITIES - 1;
}

static void worsen(struct tally *y, enum check to)
{
    if (to > y->worst)
        y->worst = to;
}

/* A bar would begin the performance data. */
static void add_plain(struct sbuf *out, const char *text)
{
    size_t begun = out->n;

    sbuf_add_visible(out, text);
    for (char *p = out->s + begun; out->n > begun && *p; p++)
        if (*p == '|')
            *p = '/';
}

/* What somebody has taken on, or is told by another, is no news. */
static bool tally_alert(void *ctx, json_t *row)
{
    struct tally *y = ctx;
    int severity = severity_of(ctl_string(row, "severity"));
    const char *label = ctl_string(row, "label");

    y->by_severity[severity]++;
    y->alerts++;
    if (strcmp(ctl_string(row, "state"), "acked") == 0 || json_is_true(json_object_get(row, "suppressed")) ||
        severity < y->warning)
        return true;
    worsen(y, severity >= y->critical ? CHECK_CRITICAL : CHECK_WARNING);
    if (y->shown++ >= SHOWN_ALERTS)
        return true;
    sbuf_add(&y->lines, ctl_words(y->t, "severity", severities[severity]));
    sbuf_add(&y->lines, text_get(y->t->lang, "word.colon"));
    add_plain(&y->lines, ctl_string(row, "device"));
    sbuf_addf(&y->lines, "%s ", *label ? "," : "");
    add_plain(&y->lines, label);
    sbuf_add(&y->lines, *label ? " " : "");
    add_plain(&y->lines, ctl_words(y->t, "rule", ctl_string(row, "rule")));
    sbuf_addc(&y->lines, '\n');
    return true;
}

/* The line that monitoring reads, then what it may show: lines (taken); data: performance data. */
static int say_check(struct ctl *t, enum check result, const char *text, const char *data, struct sbuf *lines)
{
    struct sbuf out = {0};

    sbuf_addf(&out, "PATROLD %s - ", check_names[result]);
    add_plain(&out, text);
    if (data)
        sbuf_addf(&out, " | %s", data);
    sbuf_addc(&out, '\n');
    if (lines && lines->n > 0)
        sbuf_addn(&out, lines->s, lines->n);
    fputs(out.s, t->out);
    sbuf_free(&out);
    return (int)result;
}

/* Monitoring shows what stands in the line alone: so that says why, as it was complained of to heard. */
static int unknown(struct ctl *t, const char *heard)
{
    static const char name[] = "patrolctl: ";
    char *why = xstrdup_null(heard);
    int code;

    if (why)
        why[strcspn(why, "\n")] = '\0';
    code = say_check(t, CHECK_UNKNOWN,
                     why && *why ? why + (str_starts(why, name) ? strlen(name) : 0)
                                 : text_get(t->lang, "ctl.check.unknown"),
                     NULL, NULL);
    free(why);
    return code;
}

static void add_alert_data(struct sbuf *data, const struct tally *y)
{
    for (int i = 0; i < SEVERITIES; i++)
        sbuf_addf(data, " alerts_%s=%u;;;0", severities[i], y->by_severity[i]);
}

/* What is found out, said; CHECK_UNKNOWN: nothing is said yet. */
static int check_service(struct ctl *t, struct tally *y)
{
    json_t *none = json_object(), *status = ctl_row(t, "status", none, "status"),
           *troubles = json_object_get(status, "troubles"), *trouble;
    struct sbuf text = {0}, data = {0};
    char down[24], devices[24], alerts[24];
    size_t i;
    int code;

    json_decref(none);
    if (!status)
        return CHECK_UNKNOWN;
    json_array_foreach(troubles, i, trouble)
    {
        worsen(y, CHECK_CRITICAL);
        add_plain(&text, json_string_value(trouble) ? json_string_value(trouble) : "?");
        sbuf_add(&text, "; ");
    }
    snprintf(down, sizeof down, "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(status, "down")));
    snprintf(devices, sizeof devices, "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(status, "devices")));
    snprintf(alerts, sizeof alerts, "%u", y->alerts);
    text_fill(&text, text_get(t->lang, "ctl.check.service"),
              (struct text_arg[]){{"devices", devices}, {"down", down}, {"alerts", alerts}}, 3);
    sbuf_addf(&data, "devices=%s;;;0 down=%s;;;0", devices, down);
    add_alert_data(&data, y);
    sbuf_addf(&data, " tickets=%" JSON_INTEGER_FORMAT ";;;0 messages_pending=%" JSON_INTEGER_FORMAT ";;;0",
              json_integer_value(json_object_get(status, "open_tickets")),
              json_integer_value(json_object_get(status, "mail_pending")));
    code = say_check(t, y->worst, text.s, data.s, &y->lines);
    sbuf_free(&text);
    sbuf_free(&data);
    json_decref(status);
    return code;
}

static int check_device(struct ctl *t, const char *device, struct tally *y)
{
    json_t *filters = json_pack("{s:s}", "device", device), *row = ctl_row(t, "device.show", filters, device);
    json_int_t rtt = json_integer_value(json_object_get(row, "rtt_ms"));
    struct sbuf text = {0}, data = {0};
    char alerts[24];
    int code;

    json_decref(filters);
    if (!row)
        return CHECK_UNKNOWN;
    snprintf(alerts, sizeof alerts, "%u", y->alerts);
    text_fill(&text, text_get(t->lang, "ctl.check.device"),
              (struct text_arg[]){{"device", ctl_string(row, "name")},
                                  {"state", ctl_words(t, "device-state", ctl_string(row, "state"))},
                                  {"alerts", alerts}},
              3);
    sbuf_addf(&data, "alerts=%u;;;0", y->alerts);
    add_alert_data(&data, y);
    if (rtt >= 0)
        sbuf_addf(&data, " rtt=%" JSON_INTEGER_FORMAT "ms;;;0", rtt);
    code = say_check(t, y->worst, text.s, data.s, &y->lines);
    sbuf_free(&text);
    sbuf_free(&data);
    json_decref(row);
    return code;
}

int run_check(struct ctl *t, const struct command *c, json_t *args)
{
    const char *device = ctl_string(args, "device"), *warning = ctl_string(args, "warning"),
               *critical = ctl_string(args, "critical");
    struct tally y = {
        .t = t,
        .warning = severity_of(*warning ? warning : "warning"),
        .critical = severity_of(*critical ? critical : "major"),
    };
    json_t *filters = json_pack("{s:s}", "state", "open");
    FILE *err = t->err;
    char *heard = NULL;
    size_t n = 0;
    int code = CHECK_UNKNOWN;

    if (*device)
        json_object_set_new(filters, "device", json_string(device));
    t->err = open_memstream(&heard, &n);
    if (!t->err)
        t->err = err;
    if (ctl_each(t, c->request, filters, tally_alert, &y) == EXIT_DONE)
        code = *device ? check_device(t, device, &y) : check_service(t, &y);
    if (t->err != err)
        fclose(t->err);
    t->err = err;
    if (code == CHECK_UNKNOWN)
        unknown(t, heard);
    free(heard);
    json_decref(filters);
    sbuf_free(&y.lines);
    return code;
}

/* ---- metrics ---- */

/* Of a label, by the text format: backslash, quote and line end are escaped. */
static void add_label_value(struct sbuf *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n')
            sbuf_add(out, "\\n");
        else if (*value == '\\' || *value == '"')
            sbuf_addf(out, "\\%c", *value);
        else
            sbuf_addc(out, *value);
    }
}

static void add_sample(struct sbuf *out, const char *name, json_t *sample)
{
    const char *label, *mark = "{";
    json_t *value, *number = json_object_get(sample, "value");

    sbuf_add(out, name);
    json_object_foreach(json_object_get(sample, "labels"), label, value)
    {
        sbuf_addf(out, "%s%s=\"", mark, label);
        add_label_value(out, json_string_value(value) ? json_string_value(value) : "");
        sbuf_addc(out, '"');
        mark = ",";
    }
    sbuf_add(out, *mark == ',' ? "}" : "");
    if (json_is_real(number))
        sbuf_addf(out, " %.6f\n", json_real_value(number));
    else
        sbuf_addf(out, " %" JSON_INTEGER_FORMAT "\n", json_integer_value(number));
}

static bool add_metric(void *ctx, json_t *row)
{
    struct sbuf *out = ctx;
    const char *name = ctl_string(row, "name");
    json_t *sample;
    size_t i;

    sbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, ctl_string(row, "help"), name, ctl_string(row, "type"));
    json_array_foreach(json_object_get(row, "samples"), i, sample) add_sample(out, name, sample);
    return true;
}

/* A textfile collector may read at any moment, so a file is whole or the one before. */
int run_metrics(struct ctl *t, const struct command *c, json_t *args)
{
    const char *path = ctl_string(args, "output");
    json_t *filters = json_object();
    struct sbuf out = {0};
    int code = ctl_each(t, c->request, filters, add_metric, &out), rc;

    json_decref(filters);
    if (code == EXIT_DONE && !*path)
        fputs(out.s, t->out);
    if (code == EXIT_DONE && *path) {
        rc = file_write_whole(path, out.s, out.n, 0644);
        if (rc < 0)
            code = ctl_fail(t, "%s: %s", path, pd_strerror(rc));
    }
    sbuf_free(&out);
    return code;
}
