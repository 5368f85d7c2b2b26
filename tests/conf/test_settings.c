#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"

/* ---- A folder of its own for each test ---- */

static char folder[] = "/tmp/patrold-settings-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, unsigned mode, const char *text)
{
    char *path = xasprintf("%s/%s", folder, name);

    assert_int_equal(file_write_whole(path, text, strlen(text), mode), 0);
    assert_int_equal(chmod(path, mode), 0);
    free(path);
}

static int load(struct settings **s, struct conf_report *report)
{
    char *path = xasprintf("%s/patrold.yaml", folder);
    int rc = settings_load(path, s, report);

    free(path);
    return rc;
}

static struct settings *load_good(void)
{
    struct conf_report report = {0};
    struct settings *s = NULL;

    if (load(&s, &report) < 0)
        fail_msg("%s", report.text.s);
    return s;
}

/* Loads what is wrong; the report must hold each of the texts. */
static void assert_errors(unsigned errors, const char *const *texts)
{
    struct conf_report report = {0};
    struct settings *s = NULL;

    assert_int_equal(load(&s, &report), PD_EINVAL);
    assert_null(s);
    if (report.errors != errors)
        fail_msg("%u errors instead of %u:\n%s", report.errors, errors, report.text.s);
    for (; *texts; texts++)
        if (!strstr(report.text.s, *texts))
            fail_msg("'%s' is not in\n%s", *texts, report.text.s);
    conf_report_free(&report);
}

#define ASSERT_ERRORS(n, ...) assert_errors((n), (const char *const[]){__VA_ARGS__, NULL})

/* ---- */

static void test_empty_file_has_fallbacks(void **state)
{
    struct settings *s;

    (void)state;
    put("patrold.yaml", 0644, "# nothing yet\n");
    s = load_good();
    assert_string_equal(s->database, "/var/lib/patrold/patrold.db");
    assert_string_equal(s->socket, "/run/patrold/patrold.sock");
    assert_string_equal(s->time_zone, "UTC");
    assert_null(s->ticket_prefix);
    assert_int_equal(s->lang, LANG_EN);
    assert_int_equal(s->every_ms[PART_STATUS], 60000);
    assert_int_equal(s->every_ms[PART_COUNTERS], 300000);
    assert_int_equal(s->every_ms[PART_SUPPLIES], 1800000);
    assert_int_equal(s->every_ms[PART_INVENTORY], 86400000);
    assert_true(s->ping);
    assert_int_equal(s->timeout_ms, 2000);
    assert_int_equal(s->retries, 3);
    assert_int_equal(s->icmp.timeout_ms, 1000);
    assert_int_equal(s->icmp.tries, 3);
    assert_int_equal(s->modbus.timeout_ms, 2000);
    assert_int_equal(s->modbus.retries, 2);
    assert_int_equal(s->modbus.buses.n, 0);
    assert_null(s->mail.url);
    assert_int_equal(s->mail.timeout_s, 60);
    assert_int_equal(s->log_level, LOG_LEVEL_INFO);
    assert_int_equal(s->knowledge_dirs.n, 1);
    assert_int_equal(s->files.n, 1);
    settings_free(s);
}

static void test_everything_is_read(void **state)
{
    const struct credential *c;
    struct settings *s;

    (void)state;
    put("office.community", 0600, "s3cret\n");
    put("mail.password", 0400, "pass word");
    put("patrold.yaml", 0644,
        "database: /tmp/x.db\n"
        "site: 总部\n"
        "time_zone: Asia/Shanghai\n"
        "language: zh_CN\n"
        "ticket_prefix: HQ\n"
        "knowledge: [/usr/share/patrold, mine]\n"
        "poll: {every: {status: 10s}, ping: false}\n"
        "snmp: {timeout: 500ms, retries: 0}\n"
        "icmp: {timeout: 2s, tries: 1}\n"
        "credentials:\n"
        "  public: {version: 1, community: public}\n"
        "  office: {community_file: office.community}\n"
        "mail: {url: 'smtp://mail.example.com', from: 'patrold <p@example.com>', user: p,\n"
        "       password_file: mail.password, starttls: true, timeout_s: 5, ca_file: ca.pem}\n"
        "recipients:\n"
        "  - a@example.com\n"
        "  - {address: b@example.com, language: zh_CN, min_severity: critical, site: 总部}\n"
        "log: debug\n"
        "rules:\n"
        "  jam: {hold: 5s}\n"
        "  cover-open: {off: true, severity: info}\n");
    s = load_good();
    assert_string_equal(s->site, "总部");
    assert_string_equal(s->time_zone, "Asia/Shanghai");
    assert_int_equal(s->lang, LANG_ZH_CN);
    assert_int_equal(s->knowledge_dirs.n, 2);
    assert_string_equal(s->knowledge_dirs.v[0], "/usr/share/patrold");
    assert_true(str_starts(s->knowledge_dirs.v[1], folder)); /* beside the file */
    assert_int_equal(s->every_ms[PART_STATUS], 10000);
    assert_false(s->ping);
    assert_int_equal(s->every_ms[PART_COUNTERS], 300000);
    assert_int_equal(s->timeout_ms, 500);
    assert_int_equal(s->retries, 0);
    assert_int_equal(s->icmp.timeout_ms, 2000);
    assert_int_equal(s->icmp.tries, 1);
    c = settings_credential(s, "office");
    assert_string_equal(c->community, "s3cret");
    assert_int_equal(c->version, 2);
    assert_int_equal(settings_credential(s, "public")->version, 1);
    assert_null(settings_credential(s, "other"));
    assert_string_equal(s->mail.password, "pass word");
    assert_string_equal(s->mail.user, "p");
    assert_true(s->mail.starttls);
    assert_true(str_starts(s->mail.ca_file, folder));
    assert_int_equal(s->recipients.n, 2);
    assert_int_equal(s->recipients.v[0].min_severity, SEVERITY_WARNING);
    assert_int_equal(s->recipients.v[1].lang, LANG_ZH_CN);
    assert_int_equal(s->log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(s->rules.n, 2);
    assert_int_equal(s->rules.v[0].hold_ms, 5000);
    assert_int_equal(s->rules.v[0].clear_hold_ms, -1);
    assert_int_equal(s->rules.v[0].severity, -1);
    assert_false(s->rules.v[0].off);
    assert_int_equal(s->rules.v[0].where.line, 20);
    assert_string_equal(s->rules.v[0].where.file, s->files.v[0]);
    assert_int_equal(s->rules.v[1].severity, SEVERITY_INFO);
    assert_true(s->rules.v[1].off);
    settings_free(s);
}

static void test_reports(void **state)
{
    struct settings *s;

    (void)state;
    put("patrold.yaml", 0644, "site: a\n");
    s = load_good();
    assert_int_equal(s->report.at_minute, 8 * 60);
    assert_false(s->report.off);
    assert_null(s->report.program);
    settings_free(s);
    put("patrold.yaml", 0644,
        "report:\n"
        "  calendar: cn-office\n"
        "  at: \"09:30\"\n"
        "  provider: {name: 迅修, phone: 021-5555 0100}\n"
        "  recipients: [a@example.com, {address: b@example.com, language: zh_CN}]\n"
        "  program: bin/patrol-report\n");
    s = load_good();
    assert_string_equal(s->report.calendar, "cn-office");
    assert_int_equal(s->report.at_minute, 9 * 60 + 30);
    assert_string_equal(s->report.provider.name, "迅修");
    assert_null(s->report.provider.email);
    assert_int_equal(s->report.recipients.n, 2);
    assert_int_equal(s->report.recipients.v[1].lang, LANG_ZH_CN);
    assert_true(str_starts(s->report.program, folder)); /* beside the file */
    settings_free(s);
}

static void test_modbus_buses_and_endpoints(void **state)
{
    const struct modbus_bus *b;
    struct settings *s;

    (void)state;
    put("patrold.yaml", 0644,
        "modbus:\n"
        "  timeout: 800ms\n"
        "  retries: 0\n"
        "  buses:\n"
        "    cellar: {device: /dev/ttyUSB0}\n"
        "    roof: {device: /dev/ttyS1, baud: 19200, parity: none, stop_bits: 2, rs485: rts-up, rts_delay: 2ms,\n"
        "           response: 1s, gap: 5ms}\n"
        "  endpoints:\n"
        "    - {address: 10.0.0.5, gap: 20ms}\n"
        "    - {address: 'fe80::1%eth0', port: 1502, connect_delay: 500ms, per_poll: true}\n");
    s = load_good();
    assert_int_equal(s->modbus.timeout_ms, 800);
    assert_int_equal(s->modbus.retries, 0);
    assert_int_equal(s->modbus.buses.n, 2);
    b = &s->modbus.buses.v[0];
    assert_string_equal(b->name, "cellar");
    assert_string_equal(b->device, "/dev/ttyUSB0");
    assert_int_equal(b->baud, 9600);
    assert_int_equal(b->parity, BUS_EVEN);
    assert_int_equal(b->stop_bits, 0);
    assert_int_equal(b->rs485, BUS_ADAPTER);
    assert_int_equal(b->rts_delay_ms, 0);
    assert_int_equal(b->response_ms, 500);
    assert_int_equal(b->gap_ms, 0);
    b++;
    assert_int_equal(b->baud, 19200);
    assert_int_equal(b->parity, BUS_NONE);
    assert_int_equal(b->stop_bits, 2);
    assert_int_equal(b->rs485, BUS_RTS_UP);
    assert_int_equal(b->rts_delay_ms, 2);
    assert_int_equal(b->response_ms, 1000);
    assert_int_equal(b->gap_ms, 5);
    assert_int_equal(s->modbus.endpoints.v[0].port, 502);
    assert_int_equal(s->modbus.endpoints.v[0].gap_ms, 20);
    assert_string_equal(s->modbus.endpoints.v[1].address, "fe80::1%eth0");
    assert_int_equal(s->modbus.endpoints.v[1].connect_delay_ms, 500);
    assert_true(s->modbus.endpoints.v[1].per_poll);
    settings_free(s);
}

/* Each is one error, at its place. */
static void test_what_is_wrong_of_modbus(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"{retris: 2}", ":1:10: error: unknown key 'retris' (did you mean 'retries'?)"},
        {"{timeout: 1ms}", ":1:19: error: 1ms is out of range"},
        {"{buses: {a: {}}}", ":1:18: error: a serial bus needs 'device', which is missing"},
        {"{buses: {a: {device: ttyUSB0}}}", ":1:30: error: expected the path of a serial port"},
        {"{buses: {a: {device: [x]}}}", ":1:30: error: expected the path of a serial port"},
        {"{buses: {10.0.0.5: {device: /dev/x}}}", ":1:18: error: '10.0.0.5' cannot be a name"},
        {"{buses: {a: {device: /dev/x, baud: 9601}}}", ":1:44: error: 9601 baud is no usual rate"},
        {"{buses: {a: {device: /dev/x, baud: fast}}}", ":1:44: error: "},
        {"{buses: {a: {device: /dev/x, parity: N}}}", ":1:46: error: "},
        {"{buses: {a: {device: /dev/x, stop_bits: 3}}}", ":1:49: error: 3 is out of range: 1 to 2"},
        {"{buses: {a: {device: /dev/x, rs485: rts-up, rts_delay: 1s}}}", ":1:64: error: 1s is out of range"},
        {"{buses: {a: {device: /dev/x, rts_delay: 2ms}}}", ":1:18: error: 'rts_delay' needs 'rs485: rts-up'"},
        {"{buses: {a: {device: /dev/x}, b: {device: /dev/x}}}", ":1:51: error: /dev/x is that of bus 'a' too"},
        {"{endpoints: [{port: 502}]}", ":1:22: error: an endpoint needs 'address'"},
        {"{endpoints: [{address: plc.example.com}]}", ":1:32: error: expected a numeric IPv4 or IPv6 address"},
        {"{endpoints: [{address: 10.0.0.5%eth0}]}", ":1:32: error: expected a numeric"},
        {"{buses: {a: {device: *x}, b: {device: /dev/x}}}", ":1:30: error: aliases (*name) are not supported"},
        {"{buses: {a: {\"device\\0\": /dev/x}}}", ":1:22: error: a text cannot contain the character NUL"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = xasprintf("modbus: %s\n", rows[i].text);

        put("patrold.yaml", 0644, text);
        ASSERT_ERRORS(1, rows[i].error);
        free(text);
    }
}

static void test_conf_d_is_read_in_order_of_name(void **state)
{
    char *dir = xasprintf("%s/conf.d", folder);
    struct settings *s;

    (void)state;
    assert_int_equal(mkdir(dir, 0755), 0);
    put("patrold.yaml", 0644,
        "site: a\nlog: warn\nrecipients: [a@example.com]\ncredentials: {p: {community: public}}\n");
    put("conf.d/20-second.yaml", 0644, "site: c\nrecipients: [c@example.com]\n");
    put("conf.d/10-first.yaml", 0644, "site: b\nrecipients: [b@example.com]\ncredentials: {q: {community: public}}\n");
    put("conf.d/30-other.txt", 0644, "site: d\n");
    s = load_good();
    assert_string_equal(s->site, "c");
    assert_int_equal(s->log_level, LOG_LEVEL_WARN);
    assert_int_equal(s->recipients.n, 3);
    assert_string_equal(s->recipients.v[1].address, "b@example.com");
    assert_string_equal(s->recipients.v[2].address, "c@example.com");
    assert_int_equal(s->credentials.n, 2);
    assert_int_equal(s->files.n, 3);
    settings_free(s);
    free(dir);
}

static void test_errors_come_all_at_once(void **state)
{
    char *dir = xasprintf("%s/conf.d", folder);

    (void)state;
    assert_int_equal(mkdir(dir, 0755), 0);
    put("patrold.yaml", 0644,
        "hots: 10.0.0.1\n"
        "time_zone: Asia/Shanghia\n"
        "poll: {every: {status: never}}\n"
        "recipients: [nobody]\n"
        "mail: {url: 'mail.example.com', user: x}\n"
        "credentials: {a: {version: 4}, b: {community: public, community_file: x}}\n");
    put("conf.d/x.yaml", 0644, "database: [x]\n");
    ASSERT_ERRORS(10, "/patrold.yaml:1:1: error: unknown key 'hots'",
                  "/patrold.yaml:2:12: error: unknown time zone 'Asia/Shanghia'",
                  "/patrold.yaml:3:24: error: expected a duration", "/patrold.yaml:4:14: error: 'nobody' is not a mail",
                  "/patrold.yaml:5:13: error: 'mail.example.com' must begin", "/patrold.yaml:5:39: error: a user needs",
                  "/patrold.yaml:6:28: error: 4 is out of range: 1 to 3", "error: the secret itself stands beside it",
                  "/conf.d/x.yaml:1:11: error: expected a text, not a list");
    free(dir);
}

/* What was refused before it is read is not there for those who look at the whole. */
static void test_what_lacks_a_value_is_complained_of_once(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"recipients: [{address: *x}]\n", ":1:24: error: aliases (*name) are not supported"},
        {"recipients: [{address: \"a@b\\0\"}]\n", ":1:24: error: a text cannot contain the character NUL"},
        {"recipients: [{\"address\\0\": a@example.com}]\n", ":1:15: error: a text cannot contain the character NUL"},
        {"recipients: [*x]\n", ":1:14: error: aliases"},
        {"report: {recipients: [{address: *x}]}\n", ":1:33: error: aliases"},
        {"report: {at: *x}\n", ":1:14: error: aliases"},
    };
    char *dir = xasprintf("%s/conf.d", folder);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put("patrold.yaml", 0644, rows[i].text);
        ASSERT_ERRORS(1, rows[i].error);
    }
    assert_int_equal(mkdir(dir, 0755), 0);
    put("patrold.yaml", 0644, "modbus: {buses: {a: {device: 3}}}\n");
    put("conf.d/x.yaml", 0644, "modbus: {buses: {b: {device: /dev/x}}}\n");
    ASSERT_ERRORS(1, "/patrold.yaml:1:30: error: expected the path of a serial port");
    free(dir);
}

static void test_secrets_must_be_private(void **state)
{
    (void)state;
    put("loose", 0644, "s3cret\n");
    put("patrold.yaml", 0644, "credentials: {a: {community_file: loose}}\n");
    ASSERT_ERRORS(1, ":1:35: error: a secret in a file that others can read: make it 'chmod 0600 ", "/loose'");
    put("patrold.yaml", 0640, "credentials: {a: {community: s3cret}}\n");
    ASSERT_ERRORS(1, ":1:30: error: a secret in a file that others can read", "or name a file of its own");
    put("patrold.yaml", 0600, "credentials: {a: {community: s3cret}}\n");
    settings_free(load_good());
}

static void test_snmpv3_credentials(void **state)
{
    const struct credential *c;
    struct settings *s;

    (void)state;
    put("auth", 0600, "correct horse\n");
    put("patrold.yaml", 0600,
        "credentials:\n"
        "  plain: {version: 3, user: look}\n"
        "  half: {version: 3, user: 监控, auth: sha1, auth_password: '12345678', privacy: none, context: vlan-10}\n"
        "  full: {version: 3, user: look, auth: sha256, auth_password_file: auth, privacy: aes256-reeder,\n"
        "         privacy_password: battery staple}\n");
    s = load_good();
    c = settings_credential(s, "plain");
    assert_int_equal(c->version, 3);
    assert_string_equal(c->user, "look");
    assert_null(c->auth_password);
    assert_string_equal(credential_level(c), "noAuthNoPriv");
    c = settings_credential(s, "half");
    assert_string_equal(c->user, "监控");
    assert_int_equal(c->auth, USM_AUTH_SHA1);
    assert_string_equal(c->context, "vlan-10");
    assert_string_equal(credential_level(c), "authNoPriv");
    c = settings_credential(s, "full");
    assert_int_equal(c->auth, USM_AUTH_SHA256);
    assert_int_equal(c->privacy, USM_PRIVACY_AES256_REEDER);
    assert_string_equal(c->auth_password, "correct horse");
    assert_string_equal(c->privacy_password, "battery staple");
    assert_null(c->context);
    assert_string_equal(credential_level(c), "authPriv");
    assert_string_equal(credential_auth_name(c), "sha256");
    assert_string_equal(credential_privacy_name(c), "aes256-reeder");
    settings_free(s);
}

static void test_snmpv3_credentials_that_make_no_sense(void **state)
{
    static const struct {
        const char *credential, *message;
    } rows[] = {
        {"version: 3", "error: a credential of version 3 needs a 'user'"},
        {"version: 3, user: ''", "error: "},
        {"version: 3, user: u, community: public", "error: a community is of versions 1 and 2"},
        {"version: 3, user: a23456789012345678901234567890123", "has 33 bytes: SNMPv3 takes at most 32"},
        {"user: u", "error: this is of version 3: 'version: 3' is missing"},
        {"community: public, auth: md5", "error: this is of version 3"},
        {"version: 3, user: u, auth: sha265, auth_password: '12345678'", "(did you mean 'sha256'?)"},
        {"version: 3, user: u, auth: md5, auth_password: '12345678', privacy: aes, privacy_password: '12345678'",
         "(did you mean 'aes128'?)"},
        {"version: 3, user: u, auth: SHA-256, auth_password: '12345678'", "(did you mean 'sha256'?)"},
        {"version: 3, user: u, auth: sha, auth_password: '12345678'", "(did you mean 'sha1'?)"},
        {"version: 3, user: u, auth: rot13, auth_password: '12345678'", "(known here: none, md5, sha1, sha224"},
        {"version: 3, user: u, auth: md5, auth_password: '12345678', privacy: AES256C, privacy_password: '12345678'",
         "(did you mean 'aes256-reeder'?)"},
        {"version: 3, user: u, auth: md5, auth_password: '1234567'", "at least 8 bytes; this has 7"},
        {"version: 3, user: u, auth: md5", "error: 'auth: md5' needs 'auth_password' or 'auth_password_file'"},
        {"version: 3, user: u, auth: md5, auth_password: '12345678', privacy: des",
         "error: 'privacy: des' needs 'privacy_password'"},
        {"version: 3, user: u, privacy: des, privacy_password: '12345678'",
         "error: there is no privacy without authentication: 'auth' is missing"},
        {"version: 3, user: u, auth: none, privacy: des, privacy_password: '12345678'",
         "error: there is no privacy without authentication, as 'auth: none' says"},
        {"version: 3, user: u, auth_password: '12345678'", "'auth' is missing, as in 'auth: sha256'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = xasprintf("credentials: {a: {%s}}\n", rows[i].credential);

        put("patrold.yaml", 0600, text);
        ASSERT_ERRORS(1, "/patrold.yaml:1:", rows[i].message);
        free(text);
    }
    put("patrold.yaml", 0644, "credentials: {a: {version: 3, user: u, auth: md5, auth_password: '12345678'}}\n");
    ASSERT_ERRORS(1, "error: a secret in a file that others can read");
}

/* Errors go to terminals, over the socket and into the log. */
static void test_errors_show_no_secret(void **state)
{
    static const char *const rows[] = {
        "{version: 3, user: u, auth: md4, auth_password: 'hush hush', privacy: des, privacy_password: \"hush hush\"}",
        "{version: 3, user: u, auth: md4, auth_password: hush hush}",
        "{version: 3, auth_password: hush, user: u, usr: u, privacy_password: hush}",
        "{version: 3, user: u, auth: md5, auth_password: hush}",
        "{community: hush, community_file: x}",
        "{community: hush, with: a, comma, in: it}",
        "{auth_password_file: a, auth_password: hush, version: 3}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_report report = {0};
        struct settings *s = NULL;
        char *text = xasprintf("credentials: {a: %s}\n", rows[i]);

        put("patrold.yaml", 0600, text);
        assert_int_equal(load(&s, &report), PD_EINVAL);
        if (strstr(report.text.s, "hush") || !strstr(report.text.s, "****"))
            fail_msg("%s says\n%s", rows[i], report.text.s);
        conf_report_free(&report);
        free(text);
    }
}

static void test_secret_files_must_hold_one(void **state)
{
    (void)state;
    put("empty", 0600, "\nsecond line\n");
    put("patrold.yaml", 0600, "credentials: {a: {community_file: empty}, b: {community_file: none}, c: {}}\n");
    ASSERT_ERRORS(3, "/empty is empty", "/none cannot be read: no such",
                  ":1:70: error: a credential needs 'community'");
}

static void test_missing_file(void **state)
{
    struct conf_report report = {0};
    struct settings *s = NULL;

    (void)state;
    assert_int_equal(load(&s, &report), PD_ENOENT);
    assert_int_equal(report.errors, 1);
    assert_null(s);
    conf_report_free(&report);
}

static void test_the_example_is_good(void **state)
{
    const char *srcdir = getenv("srcdir");
    char *path = xasprintf("%s/conf/patrold.yaml", srcdir ? srcdir : ".");
    struct conf_report report = {0};
    struct settings *s = NULL;

    (void)state;
    if (settings_load(path, &s, &report) < 0)
        fail_msg("%s", report.text.s);
    assert_int_equal(s->lang, LANG_ZH_CN);
    settings_free(s);
    free(path);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_empty_file_has_fallbacks),
        TEST(test_everything_is_read),
        TEST(test_reports),
        TEST(test_modbus_buses_and_endpoints),
        TEST(test_what_is_wrong_of_modbus),
        TEST(test_conf_d_is_read_in_order_of_name),
        TEST(test_errors_come_all_at_once),
        TEST(test_what_lacks_a_value_is_complained_of_once),
        TEST(test_secrets_must_be_private),
        TEST(test_snmpv3_credentials),
        TEST(test_snmpv3_credentials_that_make_no_sense),
        TEST(test_errors_show_no_secret),
        TEST(test_secret_files_must_hold_one),
        TEST(test_missing_file),
        TEST(test_the_example_is_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
