#include "daemon/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

/* Descriptors of sockets that the program itself opened before it began anew: "5,6". */
static const char PASSED[] = "PATROLD_ICMP";

/* ---- Capabilities ---- */

static bool has_any(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return syscall(SYS_capget, &head, held) != 0 || held[0].permitted || held[1].permitted;
}

static bool give_up_all(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 && syscall(SYS_capset, &head, none) == 0;
}

/* ---- Beginning anew ---- */

static bool is_icmp(int fd, int family, enum icmp_way *way)
{
    int domain = 0, type = 0, protocol = 0;
    socklen_t n = sizeof(int);

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n) < 0)
        return false;
    *way = type == SOCK_RAW ? ICMP_RAW : ICMP_DATAGRAM;
    return domain == family && protocol == (family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/* The sockets that were passed on; false if this is the first beginning. */
static bool inherit(struct pd_icmp_sockets *icmp)
{
    static const int families[] = {AF_INET, AF_INET6};
    const char *passed = getenv(PASSED);
    int fds[2];

    if (!passed || sscanf(passed, "%d,%d", &fds[0], &fds[1]) != 2)
        return false;
    unsetenv(PASSED);
    for (int i = 0; i < 2; i++) {
        icmp->family[i].fd = -1;
        icmp->family[i].way = ICMP_NOT;
        if (fds[i] < 0 || !is_icmp(fds[i], families[i], &icmp->family[i].way))
            continue;
        icmp->family[i].fd = fds[i];
        (void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    }
    return true;
}

/* Comes back only if it can't be done. */
static void begin_anew(char **argv, const struct pd_icmp_sockets *icmp)
{
    char passed[32];

    snprintf(passed, sizeof passed, "%d,%d", icmp->family[0].fd, icmp->family[1].fd);
    for (int i = 0; i < 2; i++)
        if (icmp->family[i].fd >= 0)
            (void)fcntl(icmp->family[i].fd, F_SETFD, 0);
    setenv(PASSED, passed, 1);
    execv("/proc/self/exe", argv);
}

int rights_settle(char **argv, struct pd_icmp_sockets *icmp)
{
    bool again = inherit(icmp);
    int rc;

    if (!again)
        pd_icmp_open(icmp);
    if (!has_any() || give_up_all())
        return 0;
    rc = pd_err_from_errno(errno);
    if (!again && errno == EPERM)
        begin_anew(argv, icmp);
    log_error("daemon", "capabilities can't be given up: %s", strerror(errno));
    return rc;
}
