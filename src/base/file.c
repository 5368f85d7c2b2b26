#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

/* Reads until the end, so that pipes and files without a size (as in /proc) work too. */
static int read_all(int fd, size_t max, struct sbuf *b)
{
    char chunk[16384];

    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return pd_err_from_errno(errno);
        if (got == 0)
            return 0;
        if ((size_t)got > max - b->n)
            return PD_ERANGE;
        sbuf_addn(b, chunk, (size_t)got);
    }
}

int file_read_fd(int fd, size_t max, char **data, size_t *n)
{
    struct sbuf b = {0};
    int rc = read_all(fd, max, &b);

    if (rc == 0) {
        *n = b.n;
        *data = sbuf_take(&b);
    }
    sbuf_free(&b);
    return rc;
}

int file_read(const char *path, size_t max, char **data, size_t *n)
{
    int rc, fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return pd_err_from_errno(errno);
    rc = file_read_fd(fd, max, data, n);
    close(fd);
    return rc;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, p, n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return pd_err_from_errno(errno);
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

/* A rename is only durable once its folder is. */
int file_sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = !slash ? xstrdup(".") : slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
    int rc = 0, fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        rc = pd_err_from_errno(errno);
    if (fd >= 0)
        close(fd);
    free(folder);
    return rc;
}

static int fill(int fd, const void *data, size_t n, unsigned mode)
{
    int rc = write_all(fd, data, n);

    if (rc == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
        rc = pd_err_from_errno(errno);
    if (close(fd) < 0 && rc == 0)
        rc = pd_err_from_errno(errno);
    return rc;
}

int file_write_whole(const char *path, const void *data, size_t n, unsigned mode)
{
    char *tmp = xasprintf("%s.XXXXXX", path);
    int rc, fd = mkostemp(tmp, O_CLOEXEC);

    if (fd < 0) {
        rc = pd_err_from_errno(errno);
        goto out;
    }
    rc = fill(fd, data, n, mode);
    if (rc == 0 && rename(tmp, path) < 0)
        rc = pd_err_from_errno(errno);
    if (rc != 0) {
        unlink(tmp);
        goto out;
    }
    rc = file_sync_folder(path);
out:
    free(tmp);
    return rc;
}

static int sync_file(const char *path)
{
    int rc = 0, fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        rc = pd_err_from_errno(errno);
    if (fd >= 0)
        close(fd);
    return rc;
}

int file_put_in_place(const char *draft, const char *path, bool replace)
{
    int rc = sync_file(draft);

    if (rc == 0 && renameat2(AT_FDCWD, draft, AT_FDCWD, path, replace ? 0 : RENAME_NOREPLACE) < 0)
        rc = pd_err_from_errno(errno);
    return rc == 0 ? file_sync_folder(path) : rc;
}
