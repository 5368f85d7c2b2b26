#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

enum { ASK_AGAIN_MS = 20, END_MS = 10000 };

struct child {
    const struct pd_services *services;
    const char *program, *folder;
    struct child_ops ops;
    pid_t pid; /* 0: it does not run */
    int fd;    /* -1: not connected */
    struct pd_watch *watch;
    struct timer timer; /* to look whether it lives and listens */
    struct sbuf line;
    int64_t after, begins; /* tail: wanted after; what comes up to there is old */
    unsigned commands;
};

static void look(void *arg);

struct child *child_new(const struct pd_services *services, const char *program, const char *folder,
                        const struct child_ops *ops)
{
    struct child *p = xcalloc(1, sizeof *p);

    *p = (struct child){.services = services, .program = program, .folder = folder, .ops = *ops, .fd = -1};
    timer_init(&p->timer, look, p);
    return p;
}

/* ---- The connection ---- */

static void hang_up(struct child *p)
{
    if (p->fd < 0)
        return;
    p->services->unwatch(p->watch);
    close(p->fd);
    p->fd = -1;
    sbuf_reset(&p->line);
}

static int64_t integer(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name));
}

static void take_event(struct child *p, const json_t *e)
{
    char *args = json_dumps(json_object_get(e, "args"), JSON_COMPACT);
    const char *kind = json_string_value(json_object_get(e, "kind"));
    int64_t number = integer(e, "number");

    p->ops.event(p->ops.ctx, number, integer(e, "at_ms"), kind ? kind : "", integer(e, "device_id"),
                 integer(e, "alert_id"), integer(e, "ticket_id"), args ? args : "{}", number <= p->begins);
    free(args);
}

static void take_line(struct child *p, const char *line)
{
    json_t *o = json_loads(line, 0, NULL), *error = json_object_get(o, "error"), *tail = json_object_get(o, "tail");

    if (json_object_get(o, "event") != NULL) {
        take_event(p, json_object_get(o, "event"));
    } else if (error != NULL) {
        const char *why = json_string_value(json_object_get(error, "text"));

        p->ops.refused(p->ops.ctx, why ? why : line);
    } else if (tail != NULL) {
        p->begins = json_integer_value(tail);
        p->ops.ready(p->ops.ctx);
    }
    json_decref(o);
}

static void on_text(void *arg)
{
    struct child *p = arg;
    char buf[16384];
    ssize_t n = recv(p->fd, buf, sizeof buf, MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        hang_up(p);
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (buf[i] != '\n') {
            sbuf_addc(&p->line, buf[i]);
            continue;
        }
        take_line(p, p->line.s ? p->line.s : "");
        sbuf_reset(&p->line);
    }
}

static void say(struct child *p, struct sbuf *line)
{
    size_t done = 0;

    sbuf_addc(line, '\n');
    while (p->fd >= 0 && done < line->n) {
        ssize_t n = send(p->fd, line->s + done, line->n - done, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            hang_up(p);
        done += n > 0 ? (size_t)n : 0;
    }
    sbuf_free(line);
}

static bool call(struct child *p)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char *path = xasprintf("%s/patrold.sock", p->folder);
    struct sbuf line = {0};
    bool fits = strlen(path) < sizeof at.sun_path;

    p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fits)
        memcpy(at.sun_path, path, strlen(path) + 1);
    free(path);
    if (!fits || p->fd < 0 || connect(p->fd, (struct sockaddr *)&at, sizeof at) < 0) {
        if (p->fd >= 0)
            close(p->fd);
        p->fd = -1;
        return false;
    }
    p->watch = p->services->watch_read(p->services->loop, p->fd, on_text, p);
    sbuf_addf(&line, "{\"id\":\"tail\",\"tail\":{\"after\":%lld}}", (long long)p->after);
    say(p, &line);
    return true;
}

void child_command(struct child *p, const char *name, const char *args)
{
    struct sbuf line = {0};

    sbuf_addf(&line, "{\"id\":%u,\"cmd\":\"%s\",\"args\":%s}", ++p->commands, name, args);
    say(p, &line);
}

/* ---- The process ---- */

static void again(struct child *p)
{
    wheel_set(p->services->wheel, &p->timer, clock_mono(&p->services->clock) + ASK_AGAIN_MS);
}

/* Connects as soon as it listens, and notices when it is gone. */
static void look(void *arg)
{
    struct child *p = arg;
    int status;

    if (p->pid > 0 && waitpid(p->pid, &status, WNOHANG) == p->pid) {
        p->pid = 0;
        hang_up(p);
        p->ops.died(p->ops.ctx, status);
        return;
    }
    if (p->fd < 0)
        call(p);
    again(p);
}

static void be_patrold(const struct child *p)
{
    char *config = xasprintf("%s/patrold.yaml", p->folder), *log = xasprintf("%s/patrold.log", p->folder);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (fd >= 0)
        dup2(fd, STDERR_FILENO);
    execl(p->program, p->program, "-c", config, (char *)NULL);
    _exit(127);
}

int child_start(struct child *p, int64_t after)
{
    p->after = after;
    p->pid = fork();
    if (p->pid == 0)
        be_patrold(p);
    if (p->pid < 0) {
        p->pid = 0;
        return PD_EIO;
    }
    again(p);
    return 0;
}

void child_kill(struct child *p)
{
    wheel_unset(p->services->wheel, &p->timer);
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    p->pid = 0;
    if (p->fd >= 0)
        on_text(p); /* what it still had said */
    hang_up(p);
}

int child_end(struct child *p)
{
    const struct timespec nap = {.tv_nsec = 10000000};
    int status = 0;

    if (p->pid <= 0)
        return -1;
    kill(p->pid, SIGTERM);
    for (int waited = 0; waited < END_MS; waited += 10) {
        if (waitpid(p->pid, &status, WNOHANG) == p->pid) {
            p->pid = 0;
            child_kill(p);
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
        nanosleep(&nap, NULL);
    }
    return -1;
}

void child_free(struct child *p)
{
    if (p == NULL)
        return;
    child_kill(p);
    sbuf_free(&p->line);
    free(p);
}
