#ifndef PD_BASE_ERR_H
#define PD_BASE_ERR_H

/*
 * The project's error codes. Functions return 0 or one of these (all negative);
 * results go through out-parameters that are set only on success.
 */
enum pd_err {
    PD_OK = 0,
    PD_EINVAL = -1,    /* an argument or a text makes no sense */
    PD_ENOENT = -2,    /* no such thing */
    PD_EEXIST = -3,    /* there is one already */
    PD_EIO = -4,       /* input/output error */
    PD_ENOSPC = -5,    /* disk or quota full */
    PD_EBUSY = -6,     /* locked by another, or a queue is full */
    PD_EACCES = -7,    /* not allowed */
    PD_ETIMEDOUT = -8, /* no answer in time */
    PD_EPROTO = -9,    /* the peer broke the protocol */
    PD_ERANGE = -10,   /* out of the allowed range, or too large */
    PD_ECORRUPT = -11, /* stored data fails its checksum or structure */
    PD_EVERSION = -12, /* made by a newer version */
    PD_ENOTSUP = -13,  /* not supported here */
    PD_ECONN = -14,    /* connection refused, reset or unreachable */
    PD_ECANCELLED = -15,
    PD_ESTATE = -16, /* not possible in the present state */
};

/* A short English text for a code; never NULL, static storage. */
const char *pd_strerror(int err);

/* The code for an errno value; PD_EIO for what has no member of its own. */
int pd_err_from_errno(int errnum);

#endif
