#include "tests/plugins/snmp/live.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"

/* ---- The collector ---- */

void live_start(struct live *l, const struct pd_snmp_config *config)
{
    *l = (struct live){0};
    assert_int_equal(pd_loop_new(&clock_system, &rng_system, &l->loop), 0);
    assert_int_equal(pd_snmp_ops.start(pd_loop_services(l->loop), config, &l->collector), 0);
}

void live_stop(struct live *l)
{
    pd_snmp_ops.stop(l->collector);
    pd_loop_free(l->loop);
}

struct pd_device *live_open(struct live *l, const char *address, uint16_t port, uint8_t version)
{
    struct pd_target t = {
        .name = address, .address = address, .port = port, .version = version, .community = "public", .retries = -1};
    struct pd_device *d = NULL;

    assert_int_equal(pd_snmp_ops.open(l->collector, &t, &d), 0);
    return d;
}

static void keep_cell(struct live_read *r, const struct pd_cell *c)
{
    struct live_cell k = {.source = c->source, .type = c->type, .ninstance = c->ninstance};

    memcpy(k.instance, c->instance, c->ninstance * sizeof *c->instance);
    if (c->type == PD_CELL_INT || c->type == PD_CELL_UINT || c->type == PD_CELL_TICKS)
        k.number = c->i;
    if (c->type == PD_CELL_BYTES) {
        k.text = xmalloc(c->nbytes + 1u);
        memcpy(k.text, c->bytes, c->nbytes);
        k.text[c->nbytes] = '\0';
        k.nbytes = c->nbytes;
    }
    array_push(&r->cells, k);
}

static void on_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct live_read *r = arg;

    r->ncells += n;
    for (size_t i = 0; r->keep && i < n; i++)
        keep_cell(r, &cells[i]);
}

static void on_end(void *arg, const struct pd_read_result *result)
{
    struct live_read *r = arg;

    r->ended = true;
    r->status = result->status;
    r->requests = result->requests;
    r->retries = result->retries;
    if (result->detail)
        strncat(r->detail, result->detail, sizeof r->detail - 1);
    if (--r->live->running == 0)
        pd_loop_stop(r->live->loop);
}

static struct pd_sink begin(struct live *l, struct live_read *r)
{
    *r = (struct live_read){.live = l, .keep = r->keep};
    l->running++;
    return (struct pd_sink){.cells = on_cells, .end = on_end, .arg = r};
}

void live_read_start(struct live *l, struct live_read *r, struct pd_device *d, const struct pd_plan *plan)
{
    struct pd_sink sink = begin(l, r);
    struct pd_read *read;

    assert_int_equal(pd_snmp_ops.read(d, plan, UINT32_MAX, &sink, &read), 0);
}

void live_walk_start(struct live *l, struct live_read *r, struct pd_device *d, const char *root)
{
    struct pd_sink sink = begin(l, r);
    struct pd_read *read;

    assert_int_equal(pd_snmp_ops.walk(d, root, &sink, &read), 0);
}

void live_wait(struct live *l)
{
    int64_t end = clock_mono(&clock_system) + 60000;

    while (l->running > 0) {
        assert_true(clock_mono(&clock_system) < end);
        assert_int_equal(pd_loop_once(l->loop, 1000), 0);
    }
}

void live_read_free(struct live_read *r)
{
    for (size_t i = 0; i < r->cells.n; i++)
        free(r->cells.v[i].text);
    array_free(&r->cells);
}

/* ---- Programs beside it ---- */

void live_folder(char path[static 64])
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(path, 64, "%.40s/patrold-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void live_remove(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

pid_t live_spawn(const char *const argv[], const char *log)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO) < 0 ||
        dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        _exit(126);
    execvp(argv[0], (char *const *)(uintptr_t)argv); /* which does not change them */
    _exit(127);
}

int live_waitpid(pid_t pid)
{
    int status;

    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void live_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

pid_t live_snmpd(const char *folder, uint16_t port, const char *conf)
{
    char conf_path[96], kept[96], path[192], log_path[96], pid_path[96], listen4[48], listen6[48];
    const char *const argv[] = {"/usr/sbin/snmpd", "-f",    "-Lf",   log_path, "-p", pid_path, "-I",
                                "-smux",           listen4, listen6, NULL};

    (void)snprintf(conf_path, sizeof conf_path, "%s/snmpd.conf", folder);
    (void)snprintf(kept, sizeof kept, "%s/kept", folder);
    (void)snprintf(log_path, sizeof log_path, "%s/log", folder);
    (void)snprintf(pid_path, sizeof pid_path, "%s/pid", folder);
    (void)snprintf(listen4, sizeof listen4, "udp:127.0.0.1:%u", port);
    (void)snprintf(listen6, sizeof listen6, "udp6:[::1]:%u", port);
    assert_int_equal(file_write_whole(conf_path, conf, strlen(conf), 0600), 0);
    (void)snprintf(path, sizeof path, "%s:%s", folder, kept); /* what it remembers is a configuration too */
    setenv("SNMPCONFPATH", path, 1);
    setenv("SNMP_PERSISTENT_DIR", kept, 1);
    return live_spawn(argv, log_path);
}

void live_snmpd_log(const char *folder)
{
    char path[96], *text = NULL;
    size_t n;

    (void)snprintf(path, sizeof path, "%s/log", folder);
    (void)file_read(path, 1 << 20, &text, &n);
    fprintf(stderr, "snmpd does not answer (Debian packages snmpd and snmp are needed): %s\n", text ? text : "");
    free(text);
}

uint16_t live_free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    close(fd);
    return ntohs(a.sin_port);
}

bool live_answers(struct live *l, struct pd_device *d)
{
    int64_t end = clock_mono(&clock_system) + 10000;
    struct pd_source source = {.address = "1.3.6.1.2.1.1.2.0"};
    struct pd_compile_error err;
    struct pd_plan *plan;
    bool up = false;

    assert_int_equal(pd_snmp_ops.compile(l->collector, &source, 1, &plan, &err), 0);
    while (!up && clock_mono(&clock_system) < end) {
        struct live_read r = {0};

        live_read_start(l, &r, d, plan);
        live_wait(l);
        up = r.status == PD_READ_DONE;
        live_read_free(&r);
    }
    pd_snmp_ops.plan_free(plan);
    return up;
}
