/*
 * The collector against Debian's snmpd, run without privileges on a port of
 * loopback: what it reads is compared with what the machine says of itself, and
 * with what net-snmp's own tool reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "tests/plugins/snmp/live.h"

struct agent {
    struct live live;
    char folder[64];
    pid_t pid;
    uint16_t port;
    struct pd_device *device;
};

static int start_agent(void **state)
{
    struct pd_snmp_config config = pd_snmp_defaults;
    struct agent *a = calloc(1, sizeof *a);

    config.timeout_ms = 500;
    live_folder(a->folder);
    a->port = live_free_port();
    a->pid = live_snmpd(a->folder, a->port, "rocommunity public\nrocommunity6 public\n");
    live_start(&a->live, &config);
    a->device = live_open(&a->live, "127.0.0.1", a->port, 2);
    if (!live_answers(&a->live, a->device)) {
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
    free(a);
    return 0;
}

/* Reads sources 0, 1, ...; a column's address ends in ".*". */
static void read_now(struct agent *a, struct pd_device *d, struct live_read *r, const char *const *oids, size_t n)
{
    struct pd_source sources[8];
    struct pd_compile_error err;
    struct pd_plan *plan;
    char text[8][64];

    for (size_t i = 0; i < n; i++) {
        bool table = str_starts(oids[i] + strlen(oids[i]) - 2, ".*");

        (void)snprintf(text[i], sizeof text[i], "%.*s", (int)(strlen(oids[i]) - (table ? 2 : 0)), oids[i]);
        sources[i] = (struct pd_source){.id = (uint32_t)i, .address = text[i], .table = table};
    }
    assert_int_equal(pd_snmp_ops.compile(a->live.collector, sources, n, &plan, &err), 0);
    *r = (struct live_read){.keep = true};
    live_read_start(&a->live, r, d, plan);
    live_wait(&a->live);
    pd_snmp_ops.plan_free(plan);
    if (r->status != PD_READ_DONE)
        fail_msg("status %d: %s", r->status, r->detail);
}

static const struct live_cell *cell_at(const struct live_read *r, uint32_t source, uint32_t instance)
{
    for (size_t i = 0; i < r->cells.n; i++) {
        const struct live_cell *c = &r->cells.v[i];

        if (c->source == source && c->ninstance == 1 && c->instance[0] == instance)
            return c;
    }
    return NULL;
}

static const char *const port_oids[] = {"1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.2.2.1.2.*", "1.3.6.1.2.1.2.2.1.10.*",
                                        "1.3.6.1.2.1.2.2.1.8.*"};

/* Every interface of the kernel by its index and name, and none besides. */
static void interfaces_are_the_kernels(void **state)
{
    struct agent *a = *state;
    struct if_nameindex *real = if_nameindex();
    size_t nreal = 0, nread = 0;

    for (uint8_t version = 1; version <= 2; version++) {
        struct pd_device *d = live_open(&a->live, "127.0.0.1", a->port, version);
        struct live_read r;

        for (int time = 0; time < 2; time++) {
            read_now(a, d, &r, port_oids, 4);
            for (nreal = 0; real[nreal].if_index; nreal++) {
                const struct live_cell *name = cell_at(&r, 1, real[nreal].if_index);
                const struct live_cell *octets = cell_at(&r, 2, real[nreal].if_index);

                if (!name || !name->text || strcmp(name->text, real[nreal].if_name) != 0)
                    fail_msg("no interface %s", real[nreal].if_name);
                assert_non_null(octets);
                assert_int_equal(octets->type, PD_CELL_UINT);
                assert_non_null(cell_at(&r, 3, real[nreal].if_index));
            }
            nread = 0;
            for (size_t i = 0; i < r.cells.n; i++)
                nread += r.cells.v[i].source == 1;
            assert_int_equal(nread, nreal);
            assert_int_equal(r.retries, 0);
            live_read_free(&r);
        }
        pd_snmp_ops.close(d);
    }
    if_freenameindex(real);
}

/* MemTotal of /proc/meminfo in bytes. */
static int64_t memory_total(void)
{
    FILE *f = fopen("/proc/meminfo", "r");
    long long kb = 0;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "MemTotal: %lld kB", &kb), 1);
    fclose(f);
    return kb * 1024;
}

static void storage_is_the_machines(void **state)
{
    static const char *const oids[] = {"1.3.6.1.2.1.25.2.3.1.3.*", "1.3.6.1.2.1.25.2.3.1.4.*",
                                       "1.3.6.1.2.1.25.2.3.1.5.*", "1.3.6.1.2.1.25.2.3.1.6.*"};
    struct agent *a = *state;
    struct live_read r;
    bool memory = false;

    read_now(a, a->device, &r, oids, 4);
    for (size_t i = 0; i < r.cells.n; i++) {
        const struct live_cell *c = &r.cells.v[i], *units, *size, *used;

        if (c->source != 0)
            continue;
        units = cell_at(&r, 1, c->instance[0]);
        size = cell_at(&r, 2, c->instance[0]);
        used = cell_at(&r, 3, c->instance[0]);
        if (!units || !size || !used) {
            fail_msg("'%s' lacks a column", c->text);
        } else if (strcmp(c->text, "Physical memory") == 0) {
            memory = true;
            assert_int_equal(units->number * size->number, memory_total());
            assert_in_range(used->number, 1, size->number);
        }
    }
    assert_true(memory);
    live_read_free(&r);
}

static void an_object_that_is_not_there_is_absent(void **state)
{
    static const char *const oids[] = {"1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.3.1", "1.3.6.1.2.1.99.9.0"};
    struct agent *a = *state;
    struct live_read r;

    for (uint8_t version = 1; version <= 2; version++) {
        struct pd_device *d = live_open(&a->live, "127.0.0.1", a->port, version);

        read_now(a, d, &r, oids, 3);
        assert_int_equal(r.cells.n, 3);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(r.cells.v[i].type, r.cells.v[i].source == 0 ? PD_CELL_TICKS : PD_CELL_ABSENT);
        live_read_free(&r);
        pd_snmp_ops.close(d);
    }
}

/* Lines that snmpwalk prints begin with the OID; continued values do not. */
static void names_by_snmpwalk(struct agent *a, const char *version, const char *root, struct sbuf *out)
{
    char log[96], address[32];
    const char *const argv[] = {"snmpwalk", version, "-cpublic", "-On", "-Cc", address, root, NULL};
    char *text;
    size_t n;

    (void)snprintf(log, sizeof log, "%s/walk", a->folder);
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", a->port);
    assert_int_equal(live_waitpid(live_spawn(argv, log)), 0);
    assert_int_equal(file_read(log, 16 << 20, &text, &n), 0);
    for (char *save = NULL, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *equals = strstr(line, " = ");

        if (line[0] == '.' && equals && !strstr(equals, "No more variables"))
            sbuf_addf(out, "%.*s\n", (int)(equals - line - 1), line + 1);
    }
    free(text);
}

static void names_by_us(struct agent *a, struct pd_device *d, const char *root, struct sbuf *out)
{
    struct live_read r = {.keep = true};

    live_walk_start(&a->live, &r, d, root);
    live_wait(&a->live);
    if (r.status != PD_READ_DONE)
        fail_msg("status %d: %s", r.status, r.detail);
    for (size_t i = 0; i < r.cells.n; i++) {
        for (size_t k = 0; k < r.cells.v[i].ninstance; k++)
            sbuf_addf(out, k ? ".%u" : "%u", (unsigned)r.cells.v[i].instance[k]);
        sbuf_addc(out, '\n');
    }
    live_read_free(&r);
}

/* Groups that stand still while the test runs. */
static void a_walk_sees_what_snmpwalk_sees(void **state)
{
    static const char *const roots[] = {"1.3.6.1.2.1.1", "1.3.6.1.2.1.2", "1.3.6.1.2.1.25.2", "1.3.6.1.2.1.31",
                                        "1.3.6.1.6.3.16"};
    static const char *const versions[] = {"-v1", "-v2c"};
    struct agent *a = *state;

    for (uint8_t version = 1; version <= 2; version++) {
        struct pd_device *d = live_open(&a->live, "127.0.0.1", a->port, version);

        for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
            struct sbuf theirs = {0}, ours = {0};

            names_by_snmpwalk(a, versions[version - 1], roots[i], &theirs);
            names_by_us(a, d, roots[i], &ours);
            assert_true(theirs.n > 0);
            assert_string_equal(ours.s, theirs.s);
            sbuf_free(&theirs);
            sbuf_free(&ours);
        }
        pd_snmp_ops.close(d);
    }
}

static void the_whole_tree_can_be_walked(void **state)
{
    struct agent *a = *state;
    struct live_read r = {0};

    live_walk_start(&a->live, &r, a->device, "1.3");
    live_wait(&a->live);
    if (r.status != PD_READ_DONE)
        fail_msg("status %d: %s", r.status, r.detail);
    assert_true(r.ncells > 500);
}

static void ipv6_is_spoken_too(void **state)
{
    struct agent *a = *state;
    struct pd_device *d;
    struct live_read r;

    if (access("/proc/net/if_inet6", R_OK) != 0) {
        print_message("no IPv6 on this machine\n");
        skip();
    }
    d = live_open(&a->live, "::1", a->port, 2);
    read_now(a, d, &r, port_oids, 4);
    assert_true(r.cells.n > 1);
    live_read_free(&r);
    pd_snmp_ops.close(d);
}

static void a_wrong_community_gets_no_answer(void **state)
{
    struct agent *a = *state;
    struct pd_target t = {.name = "d",
                          .address = "127.0.0.1",
                          .port = a->port,
                          .version = 2,
                          .community = "incorrect",
                          .retries = 1,
                          .timeout_ms = 50};
    struct live_read r = {0};
    struct pd_device *d;

    assert_int_equal(pd_snmp_ops.open(a->live.collector, &t, &d), 0);
    live_walk_start(&a->live, &r, d, "1.3.6.1.2.1.1");
    live_wait(&a->live);
    assert_int_equal(r.status, PD_READ_NOANSWER);
    assert_int_equal(r.requests, 2 + 2); /* in version 2c, then in version 1 */
    pd_snmp_ops.close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interfaces_are_the_kernels),
        cmocka_unit_test(storage_is_the_machines),
        cmocka_unit_test(an_object_that_is_not_there_is_absent),
        cmocka_unit_test(a_walk_sees_what_snmpwalk_sees),
        cmocka_unit_test(the_whole_tree_can_be_walked),
        cmocka_unit_test(ipv6_is_spoken_too),
        cmocka_unit_test(a_wrong_community_gets_no_answer),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, start_agent, stop_agent);
}
