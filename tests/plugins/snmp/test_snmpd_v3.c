/*
 * SNMPv3 against Debian's snmpd: every digest with every cipher that it has, refusals, and what a restart or a new
 * engine does to a read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/str.h"
#include "tests/plugins/snmp/live.h"

struct agent {
    struct live live;
    char folder[64];
    pid_t pid;
    uint16_t port;
    struct sbuf conf;
    struct pd_device *plain; /* by a community */
};

static const char *const auths[] = {"", "MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512"};
/* "-C" is Reeder's extension of keys. */
static const char *const privs[] = {"", "DES", "AES", "AES-192", "AES-256", "AES-192-C", "AES-256-C"};

enum { AUTHS = PD_AUTH_SHA512 + 1, PRIVS = PD_PRIV_AES256_REEDER + 1 };

static const char auth_password[] = "of the devices", priv_password[] = "密码 of them";

static void user_name(char name[16], int auth, int priv)
{
    (void)snprintf(name, 16, "u%d%d", auth, priv);
}

static void add_user(struct sbuf *b, int auth, int priv)
{
    char name[16];

    user_name(name, auth, priv);
    sbuf_addf(b, "createUser %s", name);
    if (auth)
        sbuf_addf(b, " %s \"%s\"", auths[auth], auth_password);
    if (priv)
        sbuf_addf(b, " %s \"%s\"", privs[priv], priv_password);
    sbuf_addf(b, "\nrouser %s %s\n", name, priv ? "priv" : auth ? "auth" : "noauth");
}

static void make_conf(struct sbuf *b)
{
    sbuf_add(b, "rocommunity public\n");
    for (int auth = 0; auth < AUTHS; auth++)
        for (int priv = 0; priv < (auth ? PRIVS : 1); priv++)
            add_user(b, auth, priv);
}

static struct pd_device *open_user(struct agent *a, const struct pd_usm_secret *s)
{
    struct pd_target t = {
        .name = s->user, .address = "127.0.0.1", .port = a->port, .version = 3, .usm = s, .retries = -1};
    struct pd_device *d;

    assert_int_equal(pd_snmp_ops.open(a->live.collector, &t, &d), 0);
    return d;
}

static struct pd_usm_secret secret_of(char name[16], int auth, int priv)
{
    user_name(name, auth, priv);
    return (struct pd_usm_secret){.user = name,
                                  .auth = (uint8_t)auth,
                                  .priv = (uint8_t)priv,
                                  .auth_password = auth_password,
                                  .priv_password = priv_password};
}

static int start_agent(void **state)
{
    struct pd_snmp_config config = pd_snmp_defaults;
    struct agent *a = calloc(1, sizeof *a);

    config.timeout_ms = 1000;
    live_folder(a->folder);
    a->port = live_free_port();
    make_conf(&a->conf);
    a->pid = live_snmpd(a->folder, a->port, a->conf.s);
    live_start(&a->live, &config);
    a->plain = live_open(&a->live, "127.0.0.1", a->port, 2);
    if (!live_answers(&a->live, a->plain)) {
        live_snmpd_log(a->folder);
        live_remove(a->folder);
        return -1;
    }
    *state = a;
    return 0;
}

static int stop_agent(void **state)
{
    struct agent *a = *state;

    live_stop(&a->live);
    live_kill(a->pid);
    live_remove(a->folder);
    sbuf_free(&a->conf);
    free(a);
    return 0;
}

/* Ends in order, so it remembers its boots, and comes back. */
static void restart(struct agent *a)
{
    kill(a->pid, SIGTERM);
    waitpid(a->pid, NULL, 0);
    a->pid = live_snmpd(a->folder, a->port, a->conf.s);
    assert_true(live_answers(&a->live, a->plain));
}

static struct live_read walk(struct agent *a, struct pd_device *d)
{
    struct live_read r = {.keep = true};

    live_walk_start(&a->live, &r, d, "1.3.6.1.6.3.10.2.1"); /* snmpEngine: id, boots, time, largest message */
    live_wait(&a->live);
    return r;
}

static int64_t engine_boots(const struct live_read *r)
{
    for (size_t i = 0; i < r->cells.n; i++)
        if (r->cells.v[i].ninstance > 1 && r->cells.v[i].instance[r->cells.v[i].ninstance - 2] == 2)
            return r->cells.v[i].number;
    return -1;
}

/* ---- */

static void compare(struct agent *a, const struct pd_usm_secret *secret, const struct pd_plan *plan, bool no_bulk,
                    size_t ncells)
{
    struct pd_target t = {.name = "d",
                          .address = "127.0.0.1",
                          .port = a->port,
                          .version = 3,
                          .usm = secret,
                          .retries = -1,
                          .no_bulk = no_bulk};
    struct pd_device *d;

    assert_int_equal(pd_snmp_ops.open(a->live.collector, &t, &d), 0);
    for (int time = 0; time < 2; time++) {
        struct live_read r = {.keep = true};

        live_read_start(&a->live, &r, d, plan);
        live_wait(&a->live);
        if (r.status != PD_READ_DONE || r.ncells != ncells)
            fail_msg("%s %s: status %d, %zu cells instead of %zu: %s", auths[secret->auth], privs[secret->priv],
                     r.status, r.ncells, ncells, r.detail);
        live_read_free(&r);
    }
    pd_snmp_ops.close(d);
}

/* Scalars by GET, columns by GETBULK, then by GETNEXT: as much as by a community. */
static void every_digest_and_cipher_reads_what_a_community_reads(void **state)
{
    static const struct pd_source sources[] = {
        {.id = 0, .address = "1.3.6.1.2.1.1.2.0"},
        {.id = 1, .address = "1.3.6.1.2.1.1.9.1.3", .table = true},
        {.id = 2, .address = "1.3.6.1.2.1.2.2.1.2", .table = true},
    };
    struct agent *a = *state;
    struct live_read first = {.keep = true};
    struct pd_compile_error err;
    struct pd_plan *plan;

    assert_int_equal(pd_snmp_ops.compile(a->live.collector, sources, 3, &plan, &err), 0);
    live_read_start(&a->live, &first, a->plain, plan);
    live_wait(&a->live);
    for (int auth = 0; auth < AUTHS; auth++) {
        for (int priv = 0; priv < (auth ? PRIVS : 1); priv++) {
            char name[16];
            struct pd_usm_secret s = secret_of(name, auth, priv);

            compare(a, &s, plan, false, first.ncells);
            compare(a, &s, plan, true, first.ncells);
        }
    }
    live_read_free(&first);
    pd_snmp_ops.plan_free(plan);
}

static void a_refusal_says_what_is_wrong(void **state)
{
    static const struct {
        const char *name;
        struct pd_usm_secret s;
        const char *detail;
    } rows[] = {
        {"no such user", {.user = "nobody"}, "knows no such user"},
        {"no such user, authentic",
         {.user = "nobody", .auth = PD_AUTH_SHA1, .auth_password = "12345678"},
         "knows no such user"},
        {"another password",
         {.user = "u20", .auth = PD_AUTH_SHA1, .auth_password = "12345678"},
         "another authentication password or algorithm"},
        {"another digest",
         {.user = "u40", .auth = PD_AUTH_MD5, .auth_password = auth_password},
         "another authentication password or algorithm"},
        {"a level that it lacks",
         {.user = "u00", .auth = PD_AUTH_SHA1, .auth_password = "12345678"},
         "no such security level"},
        {"too low a level", {.user = "u20"}, "authorizationError"},
    };
    struct agent *a = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_device *d = open_user(a, &rows[i].s);
        struct live_read r = walk(a, d);

        if (r.status != PD_READ_REFUSED || !strstr(r.detail, rows[i].detail) || r.retries)
            fail_msg("%s: status %d, '%s', %u repeated", rows[i].name, r.status, r.detail, (unsigned)r.retries);
        live_read_free(&r);
        pd_snmp_ops.close(d);
    }
}

/* snmpd says nothing to what it cannot decipher. */
static void another_privacy_password_gets_no_answer(void **state)
{
    struct agent *a = *state;
    char name[16];
    struct pd_usm_secret s = secret_of(name, PD_AUTH_SHA256, PD_PRIV_AES128);
    struct pd_target t = {.name = "d", .address = "127.0.0.1", .port = a->port, .version = 3, .usm = &s};
    struct live_read r;
    struct pd_device *d;

    s.priv_password = "12345678";
    t.timeout_ms = 200;
    assert_int_equal(pd_snmp_ops.open(a->live.collector, &t, &d), 0);
    r = walk(a, d);
    assert_int_equal(r.status, PD_READ_NOANSWER);
    live_read_free(&r);
    pd_snmp_ops.close(d);
}

static void a_context_that_is_not_there_is_refused(void **state)
{
    struct agent *a = *state;
    char name[16];
    struct pd_usm_secret s = secret_of(name, PD_AUTH_SHA256, PD_PRIV_AES128);
    struct live_read r;
    struct pd_device *d;

    s.context = "nowhere";
    d = open_user(a, &s);
    r = walk(a, d);
    if (r.ncells > 0 || r.status == PD_READ_DONE)
        fail_msg("status %d, %zu cells: %s", r.status, r.ncells, r.detail);
    live_read_free(&r);
    pd_snmp_ops.close(d);
}

/* It comes back with a boot more and a clock that begins anew: one report, and the read goes on. */
static void a_restart_is_resynchronised(void **state)
{
    struct agent *a = *state;
    char name[16];
    struct pd_usm_secret s = secret_of(name, PD_AUTH_SHA256, PD_PRIV_AES128);
    struct pd_device *d = open_user(a, &s);
    struct live_read before = walk(a, d), after, again;

    assert_int_equal(before.status, PD_READ_DONE);
    restart(a);
    after = walk(a, d);
    again = walk(a, d);
    if (after.status != PD_READ_DONE)
        fail_msg("status %d: %s", after.status, after.detail);
    assert_int_equal(engine_boots(&after), engine_boots(&before) + 1);
    assert_int_equal(after.requests, again.requests + 1);
    assert_int_equal(after.retries, 0);
    live_read_free(&before);
    live_read_free(&after);
    live_read_free(&again);
    pd_snmp_ops.close(d);
}

static void another_engine_is_found(void **state)
{
    struct agent *a = *state;
    char name[16], path[96];
    struct pd_usm_secret s = secret_of(name, PD_AUTH_SHA512, PD_PRIV_AES256);
    struct pd_device *d = open_user(a, &s);
    struct live_read before = walk(a, d), after;

    assert_int_equal(before.status, PD_READ_DONE);
    kill(a->pid, SIGTERM);
    waitpid(a->pid, NULL, 0);
    (void)snprintf(path, sizeof path, "%s/kept", a->folder);
    live_remove(path);
    a->pid = live_snmpd(a->folder, a->port, a->conf.s);
    assert_true(live_answers(&a->live, a->plain));
    after = walk(a, d);
    if (after.status != PD_READ_DONE)
        fail_msg("status %d: %s", after.status, after.detail);
    assert_int_equal(after.cells.v[0].nbytes, before.cells.v[0].nbytes);
    assert_memory_not_equal(after.cells.v[0].text, before.cells.v[0].text, before.cells.v[0].nbytes); /* engine's id */
    live_read_free(&before);
    live_read_free(&after);
    pd_snmp_ops.close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_digest_and_cipher_reads_what_a_community_reads),
        cmocka_unit_test(a_refusal_says_what_is_wrong),
        cmocka_unit_test(another_privacy_password_gets_no_answer),
        cmocka_unit_test(a_context_that_is_not_there_is_refused),
        cmocka_unit_test(a_restart_is_resynchronised),
        cmocka_unit_test(another_engine_is_found),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, start_agent, stop_agent);
}
