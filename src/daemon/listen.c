#include "daemon/listen.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

enum { BACKLOG = 16 };

/* True if somebody answers at the address, if only by letting us wait. */
static bool answers(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool yes = fd >= 0 && (connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 || errno == EAGAIN);

    if (fd >= 0)
        close(fd);
    return yes;
}

/* Makes the path free. */
static int clear_path(const struct sockaddr_un *addr)
{
    struct stat st;

    if (lstat(addr->sun_path, &st) != 0)
        return errno == ENOENT ? 0 : pd_err_from_errno(errno);
    if (!S_ISSOCK(st.st_mode))
        return PD_EEXIST;
    if (answers(addr))
        return PD_EBUSY;
    return unlink(addr->sun_path) == 0 ? 0 : pd_err_from_errno(errno);
}

static int bind_and_listen(const struct sockaddr_un *addr, int *out)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc = 0;
    mode_t mask;

    if (fd < 0)
        return pd_err_from_errno(errno);
    mask = umask(0117); /* 0660 from the first moment on */
    if (bind(fd, (const struct sockaddr *)addr, sizeof *addr) != 0 || listen(fd, BACKLOG) != 0)
        rc = pd_err_from_errno(errno);
    umask(mask);
    if (rc == 0)
        *out = fd;
    else
        close(fd);
    return rc;
}

static void give_to_group(const char *path)
{
    const struct group *group = getgrnam("patrold");

    if (group && chown(path, (uid_t)-1, group->gr_gid) != 0)
        log_warn("control", "%s: cannot give it to group patrold: %s", path, strerror(errno));
}

int listen_unix(const char *path, int *fd, char **why)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int rc = PD_ERANGE;

    if (strlen(path) < sizeof addr.sun_path) {
        memcpy(addr.sun_path, path, strlen(path) + 1);
        rc = clear_path(&addr);
        if (rc == 0)
            rc = bind_and_listen(&addr, fd);
        if (rc == 0)
            give_to_group(path);
    }
    if (rc != 0)
        *why = xasprintf("%s: %s", path,
                         rc == PD_EBUSY    ? "another patrold answers on this socket"
                         : rc == PD_EEXIST ? "something that is no socket stands there"
                         : rc == PD_ERANGE ? "the path of a socket has at most 107 bytes"
                         : rc == PD_ENOENT ? "there is no such folder"
                                           : pd_strerror(rc));
    return rc;
}

char *listen_peer(int fd)
{
    struct ucred cred;
    socklen_t len = sizeof cred;
    struct passwd pw, *found = NULL;
    char buf[4096];

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
        return xstrdup("?");
    if (getpwuid_r(cred.uid, &pw, buf, sizeof buf, &found) == 0 && found)
        return xstrdup(pw.pw_name);
    return xasprintf("uid %u", (unsigned)cred.uid);
}
