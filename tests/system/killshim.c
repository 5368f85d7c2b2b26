/*
 * Preloaded into programs by tests of crashes: kills the process with SIGKILL in
 * the middle of a chosen system call.
 *
 *     KILL_AT=CALL:N:WHEN     CALL pwrite, fdatasync, send, sendmsg or name (rename, link, unlink);
 *                             the Nth such call; WHEN before or after it
 *     KILL_PARENT=1           the parent goes first
 *
 * The last line on standard error then says where it was: "killshim: pwrite PATH".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int calls;
static char plan[64]; /* patrold forgets its environment */
static bool with_parent;

__attribute__((constructor)) static void remember_plan(void)
{
    const char *given = getenv("KILL_AT");

    if (given && strlen(given) < sizeof plan)
        memcpy(plan, given, strlen(given) + 1);
    with_parent = getenv("KILL_PARENT");
}

/* True if this call is the one, at this moment of it. */
static bool is_it(const char *call, const char *when, int number)
{
    char text[64];

    snprintf(text, sizeof text, "%s:%d:%s", call, number, when);
    return strcmp(plan, text) == 0;
}

static bool counts(const char *call)
{
    return strncmp(plan, call, strlen(call)) == 0 && plan[strlen(call)] == ':';
}

static void die_at(const char *call, const char *path)
{
    char line[400];
    int len = snprintf(line, sizeof line, "killshim: %s %s\n", call, path);

    if (with_parent) /* whose end of our standard error goes with it */
        kill(getppid(), SIGKILL);
    else if (write(STDERR_FILENO, line, (size_t)len) != len)
        abort();
    raise(SIGKILL);
    abort();
}

static void die(const char *call, int fd)
{
    char link[64], path[256];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    die_at(call, path);
}

#define BEFORE(call, fd)                                                                                               \
    int number = counts(call) ? ++calls : 0;                                                                           \
    if (number && is_it(call, "before", number))                                                                       \
    die(call, fd)
#define AFTER(call, fd)                                                                                                \
    if (number && is_it(call, "after", number))                                                                        \
    die(call, fd)
#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    REAL(pwrite64);
    ssize_t rc;

    BEFORE("pwrite", fd);
    rc = real(fd, p, n, at);
    AFTER("pwrite", fd);
    return rc;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return pwrite64(fd, p, n, at);
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    int rc;

    BEFORE("fdatasync", fd);
    rc = real(fd);
    AFTER("fdatasync", fd);
    return rc;
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    REAL(send);
    ssize_t rc;

    BEFORE("send", fd);
    rc = real(fd, p, n, flags);
    AFTER("send", fd);
    return rc;
}

ssize_t sendmsg(int fd, const struct msghdr *h, int flags)
{
    REAL(sendmsg);
    ssize_t rc;

    BEFORE("sendmsg", fd);
    rc = real(fd, h, flags);
    AFTER("sendmsg", fd);
    return rc;
}

/* One call of the kind "name", on a path. */
#define NAMED(path, call)                                                                                              \
    int number = counts("name") ? ++calls : 0, rc;                                                                     \
    if (number && is_it("name", "before", number))                                                                     \
        die_at("name", path);                                                                                          \
    rc = (call);                                                                                                       \
    if (number && is_it("name", "after", number))                                                                      \
        die_at("name", path);                                                                                          \
    return rc

int rename(const char *from, const char *to)
{
    REAL(rename);
    NAMED(from, real(from, to));
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    REAL(renameat2);
    NAMED(from, real(from_fd, from, to_fd, to, flags));
}

int link(const char *from, const char *to)
{
    REAL(link);
    NAMED(from, real(from, to));
}

int unlink(const char *path)
{
    REAL(unlink);
    NAMED(path, real(path));
}
