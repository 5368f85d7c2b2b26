#ifndef PD_CONF_CONF_H
#define PD_CONF_CONF_H

#include "base/log.h"
#include "base/str.h"
#include "model/knowledge.h"

/*
 * YAML -> model. Every loader reads all it can, reports every error as
 *     file:line:col: error: unknown key 'hots' (did you mean 'host'?)
 * followed by the line and a caret, and gives a result only if there was none.
 */

/* Gathers messages; one per load. */
struct conf_report {
    struct sbuf text; /* the messages, ready to print */
    unsigned errors;
};
void conf_report_free(struct conf_report *r);

/* ---- Settings: patrold.yaml and conf.d/ ---- */

/* How SNMPv3's messages are authenticated and enciphered; as pd_usm_auth and pd_usm_priv (plugin/plugin.h) have them. */
enum usm_auth_kind {
    USM_AUTH_NONE,
    USM_AUTH_MD5,
    USM_AUTH_SHA1,
    USM_AUTH_SHA224,
    USM_AUTH_SHA256,
    USM_AUTH_SHA384,
    USM_AUTH_SHA512,
};
enum usm_privacy_kind {
    USM_PRIVACY_NONE,
    USM_PRIVACY_DES,
    USM_PRIVACY_AES128,
    USM_PRIVACY_AES192,
    USM_PRIVACY_AES256,
    USM_PRIVACY_AES192_REEDER,
    USM_PRIVACY_AES256_REEDER,
};

struct credential {
    char *name;
    uint8_t version;                        /* 1, 2 or 3 */
    char *community;                        /* from the file, or from community_file (mode 0600 at most) */
    uint8_t auth, privacy;                  /* version 3: enum usm_auth_kind, enum usm_privacy_kind */
    char *user, *context;                   /* version 3; context may be NULL */
    char *auth_password, *privacy_password; /* likewise, as the community; NULL where there is no such protection */
};
/* "authPriv": what RFC 3411 calls it; NULL for versions 1 and 2. */
const char *credential_level(const struct credential *c);
/* As one writes it in the settings: "sha256", "aes128". */
const char *credential_auth_name(const struct credential *c);
const char *credential_privacy_name(const struct credential *c);

struct recipient {
    char *address; /* mail address */
    enum lang lang;
    enum severity min_severity;
    char *site; /* NULL: all */
};

/* What a site changes of a shipped rule. */
struct rule_override {
    char *name;
    int64_t hold_ms, clear_hold_ms; /* -1: as shipped */
    int severity;                   /* enum severity; -1: as shipped */
    bool off;
    struct where where;
};

/* Who gets a report where the archive knows no contact for it. */
struct report_recipient {
    char *address;
    enum lang lang;
};

/* A serial bus, by whose name as address devices stand on it. */
struct modbus_bus {
    char *name, *device; /* device: "/dev/ttyUSB0" */
    int baud;
    enum { BUS_EVEN, BUS_NONE, BUS_ODD } parity;
    int stop_bits; /* 0: one, or two without parity */
    enum { BUS_ADAPTER, BUS_KERNEL, BUS_RTS_UP, BUS_RTS_DOWN } rs485;
    int64_t rts_delay_ms; /* around sending, where RTS turns the line; 0: a character's time */
    int64_t response_ms;
    int64_t gap_ms; /* 0: as the standard says */
};

/* How one Modbus TCP server likes to be treated. */
struct modbus_endpoint {
    char *address; /* numeric */
    uint16_t port;
    int64_t connect_delay_ms, gap_ms; /* before the first request of a connection, and between requests */
    bool per_poll;                    /* its connection is closed after each poll */
};

/* They count from the start of the program, whatever a reload says. */
struct modbus_settings {
    int64_t timeout_ms;
    int retries;
    ARRAY(struct modbus_bus) buses;
    ARRAY(struct modbus_endpoint) endpoints;
};

/* Where traps are heard beside the sockets that systemd opens, and how many a second are looked into. */
struct trap_listen {
    char *host; /* numeric, without brackets */
    uint16_t port;
};
struct trap_settings {
    ARRAY(struct trap_listen) listen;
    uint32_t per_source, total;
};

struct settings {
    ARRAY(char *) files;           /* what was read, in order */
    char *database;                /* path; default /var/lib/patrold/patrold.db */
    int64_t raw_days, hourly_days; /* how long polls, and what hours were reckoned of them, are kept */
    struct point_numbers numbers;  /* in no file: what the database knows of the vocabulary, for knowledge_load() */
    char *socket;                  /* control socket; default /run/patrold/patrold.sock */
    char *site;                    /* this site's name, in mails */
    char *time_zone;               /* IANA name; default UTC */
    char *ticket_prefix;           /* NULL: made from the installation's uuid */
    enum lang lang;                /* of what has no reader of its own */
    /* folders with kinds.yaml, modules/, profiles/, rules/, calendars/, checklists/: later ones override by name */
    ARRAY(char *) knowledge_dirs;
    int64_t every_ms[PART_COUNT];    /* poll.every.status …; default 60 s, 300 s, 1800 s, 1 day */
    bool ping;                       /* poll.ping: devices that do not answer are pinged; default yes */
    int64_t silent_ms;               /* poll.silent: the longest interval of who is down; default 5 min */
    int subnet_reads, gateway_reads; /* poll.at_once: reads under way in a /24 or /64, behind a gateway; 0: any */
    int64_t timeout_ms;              /* snmp.timeout, default 2 s */
    int retries;                     /* snmp.retries, default 3 */
    struct modbus_settings modbus;
    struct trap_settings traps; /* likewise from the start on */
    struct {                    /* likewise from the start on */
        int64_t timeout_ms;
        int tries;
    } icmp;
    ARRAY(struct credential) credentials;
    struct {
        char *url, *from, *user, *password, *ca_file; /* url NULL: no mail */
        bool starttls;
        int timeout_s;
    } mail;
    ARRAY(struct recipient) recipients;
    enum log_level log_level;
    struct {
        bool off;
        char *calendar; /* by whose first workday it is made; NULL: the contract's, else cn-office */
        int at_minute;  /* of that day; default 08:00 */
        struct {
            char *name, *phone, *email; /* of the service company; name NULL: the installation's site */
        } provider;
        ARRAY(struct report_recipient) recipients;
        char *program; /* patrol-report; NULL: where it is installed */
    } report;
    ARRAY(struct plan) plans;
    ARRAY(struct rule_override) rules; /* rules: {NAME: {hold: 5s, clear_hold: 5s, severity: major, off: true}} */
};
void settings_free(struct settings *s);

/*
 * Reads path and, beside it, what in conf.d/ ends in .yaml, in order of name. 0 or PD_EINVAL with messages in the
 * report; PD_ENOENT if path is missing.
 */
int settings_load(const char *path, struct settings **out, struct conf_report *report);
const struct credential *settings_credential(const struct settings *s, const char *name);

/* ---- Knowledge: kinds, modules, profiles, rules, calendars, checklists ---- */

/*
 * Reads all of the folders, later ones overriding earlier ones by name. Settings (may be NULL) change rules and give
 * the time zone of calendars that name none, and what their plans name must be there. 0 or PD_EINVAL.
 */
int knowledge_load(const char *const *dirs, size_t n, const struct settings *overrides, struct knowledge **out,
                   struct conf_report *report);

#endif
