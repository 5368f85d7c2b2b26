#include "report/limits.h"

#include <errno.h>
#include <stddef.h>
#include <sys/resource.h>

#include "base/err.h"

/* AddressSanitizer reserves terabytes of addresses. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

int limits_set(void)
{
    static const struct {
        int resource;
        rlim_t most;
    } limits[] = {
        {RLIMIT_CPU, 300},
        {RLIMIT_FSIZE, 256UL << 20},
        {RLIMIT_CORE, 0},
        {RLIMIT_AS, 2048UL << 20},
    };

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit now;

        if (SANITIZED && limits[i].resource == RLIMIT_AS)
            continue;
        if (getrlimit(limits[i].resource, &now) < 0)
            return pd_err_from_errno(errno);
        /* A limit that is tighter already stays. */
        if (limits[i].most < now.rlim_max)
            now.rlim_max = limits[i].most;
        if (limits[i].most < now.rlim_cur)
            now.rlim_cur = limits[i].most;
        if (setrlimit(limits[i].resource, &now) < 0)
            return pd_err_from_errno(errno);
    }
    return 0;
}
