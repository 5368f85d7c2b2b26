#include "gather/render.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { TIMEOUT_MS = 5 * 60 * 1000, NICE = 10, MOST_FILES = 64, MOST_SAID = 4000, PROGRESS_FD = 3, FIRST_FREE_FD = 10 };

/* The end of a pipe that the child writes into, and what came so far of its last line. */
struct ear {
    int fd; /* -1: closed */
    struct pd_watch *watch;
    struct sbuf line;
    struct child_renderer *of;
};

struct child_renderer {
    struct pd_services services;
    pid_t pid; /* 0: none runs */
    int pidfd;
    struct pd_watch *watch;
    struct timer timeout;
    bool timed_out;
    struct ear words, progress;
    struct sbuf said; /* the first of what it complained of */
    void (*done)(void *arg, int err, const char *why);
    void *arg;
};

struct child_renderer *child_renderer_new(const struct pd_services *services)
{
    struct child_renderer *r = xcalloc(1, sizeof *r);

    r->services = *services;
    r->pidfd = r->words.fd = r->progress.fd = -1;
    r->words.of = r->progress.of = r;
    return r;
}

/* ---- What the child says ---- */

static void ear_close(struct ear *e)
{
    if (e->watch)
        e->of->services.unwatch(e->watch);
    if (e->fd >= 0)
        close(e->fd);
    e->watch = NULL;
    e->fd = -1;
    sbuf_reset(&e->line);
}

static void hear_line(struct ear *e)
{
    struct child_renderer *r = e->of;
    struct sbuf clean = {0};

    if (e->line.n == 0)
        return;
    sbuf_add_visible(&clean, e->line.s);
    if (e == &r->progress) {
        log_debug("report", "page %s", clean.s);
    } else {
        log_warn("report", "%s", clean.s);
        if (r->said.n + clean.n < MOST_SAID)
            sbuf_addf(&r->said, "%s%s", r->said.n > 0 ? "\n" : "", clean.s);
    }
    sbuf_free(&clean);
    sbuf_reset(&e->line);
}

/* Takes what is there; a line that never ends is cut. */
static void hear(void *arg)
{
    struct ear *e = arg;
    char buf[1024];
    ssize_t n;

    while ((n = read(e->fd, buf, sizeof buf)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (buf[i] == '\n' || e->line.n >= MOST_SAID)
                hear_line(e);
            if (buf[i] != '\n' && buf[i] != '\0')
                sbuf_addc(&e->line, buf[i]);
        }
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        hear_line(e);
        ear_close(e);
    }
}

/* ---- Its end ---- */

static void forget(struct child_renderer *r)
{
    wheel_unset(r->services.wheel, &r->timeout);
    if (r->watch)
        r->services.unwatch(r->watch);
    if (r->pidfd >= 0)
        close(r->pidfd);
    r->watch = NULL;
    r->pidfd = -1;
    r->pid = 0;
    ear_close(&r->words);
    ear_close(&r->progress);
}

static char *why_it_failed(const struct child_renderer *r, int status)
{
    if (r->timed_out)
        return xasprintf("patrol-report took longer than %d minutes", TIMEOUT_MS / 60000);
    if (r->said.n > 0)
        return xstrdup(r->said.s);
    if (WIFSIGNALED(status))
        return xasprintf("patrol-report was ended by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) == 127)
        return xstrdup("patrol-report cannot be run: is report.program right?");
    return xasprintf("patrol-report ended with code %d", WEXITSTATUS(status));
}

static void ended(void *arg)
{
    struct child_renderer *r = arg;
    char *why = NULL;
    int status = 0;

    if (waitpid(r->pid, &status, WNOHANG) != r->pid)
        return;
    if (r->words.fd >= 0)
        hear(&r->words);
    if (status != 0)
        why = why_it_failed(r, status);
    forget(r);
    r->done(r->arg, status == 0 ? 0 : r->timed_out ? PD_ETIMEDOUT : PD_EIO, why);
    free(why);
}

static void take_too_long(void *arg)
{
    struct child_renderer *r = arg;

    r->timed_out = true;
    kill(r->pid, SIGKILL);
}

static void cancel(void *ctx)
{
    struct child_renderer *r = ctx;

    if (r->pid == 0)
        return;
    kill(r->pid, SIGKILL);
    waitpid(r->pid, NULL, 0); /* it cannot put that off */
    forget(r);
}

void child_renderer_free(struct child_renderer *r)
{
    if (!r)
        return;
    cancel(r);
    sbuf_free(&r->words.line);
    sbuf_free(&r->progress.line);
    sbuf_free(&r->said);
    free(r);
}

/* ---- Its beginning ---- */

/* What the child is given: descriptors above those it will have, so that none is overwritten while they are put in place. */
struct gift {
    int document, words, progress;
    char **argv, **envp;
};

static int above(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);

    close(fd);
    return moved;
}

static int open_document(const char *document, size_t n)
{
    int fd = memfd_create("report", MFD_CLOEXEC);

    for (size_t at = 0; fd >= 0 && at < n;) {
        ssize_t put = write(fd, document + at, n - at);

        if (put < 0 && errno != EINTR) {
            close(fd);
            return -1;
        }
        at += put > 0 ? (size_t)put : 0;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd < 0 ? -1 : above(fd);
}

/* Our end does not wait; the other is the child's. */
static int open_pipe(int *ours)
{
    int fd[2];

    if (pipe2(fd, O_CLOEXEC) < 0)
        return -1;
    fcntl(fd[0], F_SETFL, O_NONBLOCK);
    *ours = fd[0];
    return above(fd[1]);
}

/* Between fork and exec: nothing but system calls. What fails here and is not wanted badly is let go. */
static void become_report(const struct gift *g, pid_t parent)
{
    const struct rlimit no_core = {0, 0}, files = {MOST_FILES, MOST_FILES};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(126);
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_NOFILE, &files);
    setpriority(PRIO_PROCESS, 0, NICE);
    if (dup2(g->document, STDIN_FILENO) < 0 || dup2(g->words, STDOUT_FILENO) < 0 || dup2(g->words, STDERR_FILENO) < 0 ||
        dup2(g->progress, PROGRESS_FD) < 0)
        _exit(126);
    close_range(PROGRESS_FD + 1, ~0U, 0);
    execve(g->argv[0], g->argv, g->envp);
    _exit(127);
}

struct texts {
    ARRAY(char *) list;
};

static void texts_free(struct texts *t)
{
    for (size_t i = 0; i < t->list.n; i++)
        free(t->list.v[i]);
    array_free(&t->list);
}

static void make_words(const struct render_wish *w, struct texts *argv)
{
    static const char *const options[] = {"pdf", "html", "txt"};

    array_push(&argv->list, xstrdup(w->program));
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        array_push(&argv->list, xasprintf("--%s", i == 2 ? "text" : options[i]));
        array_push(&argv->list, xasprintf("%s/%s.%s", w->folder, w->base, options[i]));
    }
    array_push(&argv->list, xstrdup("--progress"));
    array_push(&argv->list, xasprintf("%d", PROGRESS_FD));
    array_push(&argv->list, NULL);
}

/* Of our environment what fonts, zones and sanitizers want; nothing of the service manager's, no credentials. */
static void make_environment(struct texts *envp)
{
    static const char *const names[] = {
        "PATH",  "HOME",         "TMPDIR",       "XDG_CACHE_HOME", "FONTCONFIG_FILE", "FONTCONFIG_PATH",
        "TZDIR", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (value)
            array_push(&envp->list, xasprintf("%s=%s", names[i], value));
    }
    array_push(&envp->list, NULL);
}

static int run_child(struct child_renderer *r, const struct render_wish *w)
{
    struct texts argv = {0}, envp = {0};
    struct gift g = {.document = open_document(w->document, w->n), .words = -1, .progress = -1};
    pid_t parent = getpid(), pid = -1;
    int rc = 0;

    make_words(w, &argv);
    make_environment(&envp);
    g.argv = argv.list.v;
    g.envp = envp.list.v;
    g.words = open_pipe(&r->words.fd);
    g.progress = open_pipe(&r->progress.fd);
    if (g.document >= 0 && g.words >= 0 && g.progress >= 0)
        pid = fork();
    if (pid == 0)
        become_report(&g, parent);
    if (pid < 0)
        rc = pd_err_from_errno(errno);
    else
        r->pid = pid;
    if (g.document >= 0)
        close(g.document);
    if (g.words >= 0)
        close(g.words);
    if (g.progress >= 0)
        close(g.progress);
    texts_free(&argv);
    texts_free(&envp);
    return rc;
}

static int watch_child(struct child_renderer *r)
{
    const struct pd_services *s = &r->services;

    r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
    if (r->pidfd < 0)
        return pd_err_from_errno(errno);
    fcntl(r->pidfd, F_SETFD, FD_CLOEXEC);
    r->watch = s->watch_read(s->loop, r->pidfd, ended, r);
    r->words.watch = s->watch_read(s->loop, r->words.fd, hear, &r->words);
    r->progress.watch = s->watch_read(s->loop, r->progress.fd, hear, &r->progress);
    if (!r->watch || !r->words.watch || !r->progress.watch)
        return PD_EIO;
    timer_init(&r->timeout, take_too_long, r);
    wheel_set(s->wheel, &r->timeout, clock_mono(&s->clock) + TIMEOUT_MS);
    return 0;
}

static int start(void *ctx, const struct render_wish *w, void (*done)(void *arg, int err, const char *why), void *arg)
{
    struct child_renderer *r = ctx;
    int rc;

    if (r->pid != 0)
        return PD_EBUSY;
    if (mkdir(w->folder, 0750) < 0 && errno != EEXIST)
        return pd_err_from_errno(errno);
    sbuf_reset(&r->said);
    r->timed_out = false;
    r->done = done;
    r->arg = arg;
    rc = run_child(r, w);
    if (rc == 0)
        rc = watch_child(r);
    if (rc < 0) {
        cancel(r);
        forget(r);
    }
    return rc;
}

/* ---- The folder ---- */

static void list(void *ctx, const char *folder, void (*fn)(void *arg, const char *name), void *arg)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, alphasort);

    (void)ctx;
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.' || (entries[i]->d_name[1] != '\0' && entries[i]->d_name[1] != '.'))
            fn(arg, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static void drop(void *ctx, const char *folder, const char *name)
{
    char *path = xasprintf("%s/%s", folder, name);

    (void)ctx;
    if (unlink(path) < 0 && errno != ENOENT)
        log_warn("report", "%s cannot be removed: %s", path, pd_strerror(pd_err_from_errno(errno)));
    free(path);
}

struct renderer child_renderer_ops(struct child_renderer *r)
{
    return (struct renderer){.start = start, .cancel = cancel, .list = list, .drop = drop, .ctx = r};
}
