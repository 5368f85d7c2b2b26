#include "settings.h"

#include "rules.h"

static void add_text(struct sbuf *out, const char *key, const char *text)
{
    sbuf_addf(out, "%s: ", key);
    sbuf_add_json(out, text); /* which is YAML too */
    sbuf_addc(out, '\n');
}

static void add_poll(struct sbuf *out, const struct story_configuration *c, bool ping)
{
    sbuf_add(out, "poll: {every: {");
    for (int i = 0; i < PART_COUNT; i++)
        sbuf_addf(out, "%s%s: %lldms", i > 0 ? ", " : "", part_names[i], (long long)c->every_ms[i]);
    sbuf_addf(out, "}, ping: %s}\n", ping ? "true" : "false");
    for (int i = 0; i < 2; i++)
        sbuf_addf(out, "%s: {timeout: %lldms, retries: %d}\n", i == 0 ? "snmp" : "modbus", (long long)c->timeout_ms,
                  c->retries);
}

static void add_rules(struct sbuf *out, const struct story_configuration *c)
{
    if (c->rules.n > 0)
        sbuf_add(out, "rules:\n");
    for (size_t i = 0; i < c->rules.n; i++) {
        const struct story_rule *r = &c->rules.v[i];

        sbuf_addf(out, "  %s: {", r->name);
        if (r->hold_ms >= 0)
            sbuf_addf(out, "hold: %lldms%s", (long long)r->hold_ms, r->clear_hold_ms >= 0 ? ", " : "");
        if (r->clear_hold_ms >= 0)
            sbuf_addf(out, "clear_hold: %lldms", (long long)r->clear_hold_ms);
        sbuf_add(out, "}\n");
    }
}

void story_settings(struct sbuf *out, const struct story *story, const struct site_paths *paths)
{
    if (paths->database != NULL)
        add_text(out, "database", paths->database);
    if (paths->socket != NULL)
        add_text(out, "socket", paths->socket);
    add_text(out, "site", story->title);
    add_text(out, "time_zone", zone_name(story->zone));
    add_text(out, "language", lang_name(story->configuration.lang));
    sbuf_add(out, "knowledge:\n  - ");
    sbuf_add_json(out, paths->knowledge);
    sbuf_addc(out, '\n');
    add_poll(out, &story->configuration, !paths->no_ping);
    sbuf_add(out, "credentials:\n  public: {version: 2, community: public}\n"
                  "  public-v1: {version: 1, community: public}\n");
    sbuf_addf(out, "mail: {url: \"%s\", from: \"patrold <patrold@example.com>\"}\n", paths->mail_url);
    sbuf_addf(out, "recipients:\n  - {address: %s, language: %s, min_severity: info}\n", STORY_RECIPIENT,
              lang_name(story->configuration.lang));
    add_rules(out, &story->configuration);
    sbuf_add(out, story->patrold ? story->patrold : "");
}

/* What an operator says of a device that cannot be asked what it is. */
static const char *const profiles[MODEL_COUNT] = {
    [MODEL_MODBUS_UPS] = "apc-smart-ups-modbus",
    [MODEL_METER] = "eastron-sdm630",
    [MODEL_MODBUS_SENSOR] = "renke-temp-humidity",
    [MODEL_AIR_CONDITIONER] = "apc-inrow-sc",
};

static void add_labels(struct sbuf *out, const struct story_device *d)
{
    char port[TRUTH_PIECE_NAME];

    if (!d->may_be_off && d->uplink == 0)
        return;
    sbuf_addf(out, ",\"labels\":\"%s", d->may_be_off ? "may-be-off" : "");
    if (d->uplink > 0) {
        story_piece_name(d, TRUTH_UPLINK_DOWN, (int)d->uplink - 1, port);
        sbuf_addf(out, "%suplink=%s", d->may_be_off ? "," : "", port);
    }
    sbuf_addc(out, '"');
}

void story_device_args(struct sbuf *out, const struct story *story, size_t device, const struct site_ports *ports)
{
    const struct story_device *d = &story->devices.v[device];

    sbuf_add(out, "{\"name\":");
    sbuf_add_json(out, d->name);
    sbuf_addf(out, ",\"address\":\"%s\"", d->address);
    if (model_is_modbus(d->model))
        sbuf_addf(out, ",\"collector\":\"modbus\",\"profile\":\"%s\",\"unit\":%d,\"port\":%u", profiles[d->model],
                  (int)d->unit, ports->modbus);
    else
        sbuf_addf(out, ",\"credential\":\"%s\",\"port\":%u", d->snmp == 1 ? "public-v1" : "public", ports->snmp);
    if (d->parent >= 0) {
        sbuf_add(out, ",\"parent\":");
        sbuf_add_json(out, story->devices.v[d->parent].name);
    }
    if (d->site != NULL) {
        sbuf_add(out, ",\"site\":");
        sbuf_add_json(out, d->site);
    }
    add_labels(out, d);
    sbuf_addc(out, '}');
}
