#include "base/err.h"

#include <errno.h>

const char *pd_strerror(int err)
{
    /* No default: the compiler names a code that is forgotten here. */
    switch ((enum pd_err)err) {
    case PD_OK:
        return "success";
    case PD_EINVAL:
        return "invalid argument";
    case PD_ENOENT:
        return "no such thing";
    case PD_EEXIST:
        return "it exists already";
    case PD_EIO:
        return "input/output error";
    case PD_ENOSPC:
        return "no space left";
    case PD_EBUSY:
        return "busy";
    case PD_EACCES:
        return "not allowed";
    case PD_ETIMEDOUT:
        return "timed out";
    case PD_EPROTO:
        return "the peer broke the protocol";
    case PD_ERANGE:
        return "out of range";
    case PD_ECORRUPT:
        return "stored data is corrupt";
    case PD_EVERSION:
        return "made by a newer version";
    case PD_ENOTSUP:
        return "not supported";
    case PD_ECONN:
        return "connection failed";
    case PD_ECANCELLED:
        return "cancelled";
    case PD_ESTATE:
        return "not possible in the present state";
    }
    return "unknown error";
}

static const struct {
    int errnum;
    enum pd_err err;
} causes[] = {
    {0, PD_OK},
    {EINVAL, PD_EINVAL},
    {EDOM, PD_EINVAL},
    {ENOENT, PD_ENOENT},
    {ENOTDIR, PD_ENOENT},
    {ENODEV, PD_ENOENT},
    {ENXIO, PD_ENOENT},
    {ESRCH, PD_ENOENT},
    {EEXIST, PD_EEXIST},
    {EADDRINUSE, PD_EEXIST},
    {ENOSPC, PD_ENOSPC},
    {EDQUOT, PD_ENOSPC},
    {EFBIG, PD_ENOSPC},
    {EBUSY, PD_EBUSY},
    {EAGAIN, PD_EBUSY},
    {ETXTBSY, PD_EBUSY},
    {EACCES, PD_EACCES},
    {EPERM, PD_EACCES},
    {EROFS, PD_EACCES},
    {ETIMEDOUT, PD_ETIMEDOUT},
    {EPROTO, PD_EPROTO},
    {EBADMSG, PD_EPROTO},
    {ERANGE, PD_ERANGE},
    {EOVERFLOW, PD_ERANGE},
    {EMSGSIZE, PD_ERANGE},
    {ENAMETOOLONG, PD_ERANGE},
    {ENOTSUP, PD_ENOTSUP},
    {ENOSYS, PD_ENOTSUP},
    {EAFNOSUPPORT, PD_ENOTSUP},
    {EPROTONOSUPPORT, PD_ENOTSUP},
    {ECONNREFUSED, PD_ECONN},
    {ECONNRESET, PD_ECONN},
    {ECONNABORTED, PD_ECONN},
    {EHOSTUNREACH, PD_ECONN},
    {ENETUNREACH, PD_ECONN},
    {ENETDOWN, PD_ECONN},
    {EHOSTDOWN, PD_ECONN},
    {ENOTCONN, PD_ECONN},
    {EPIPE, PD_ECONN},
    {ECANCELED, PD_ECANCELLED},
};

int pd_err_from_errno(int errnum)
{
    for (unsigned i = 0; i < sizeof causes / sizeof causes[0]; i++)
        if (causes[i].errnum == errnum)
            return causes[i].err;
    return PD_EIO;
}
