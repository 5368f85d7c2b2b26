#ifndef PD_BASE_LOG_H
#define PD_BASE_LOG_H

#include <stdarg.h>

/*
 * Logging, once, by whoever can act on the trouble. `sub` is a short subsystem
 * token ("snmp", "store"). Lines go to standard error as logfmt
 * (level=warn sub=snmp msg="...") unless a sink is set. Every call keeps errno.
 * Device text in arguments is made visible (sbuf_add_visible) by the writer.
 */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_error(const char *sub, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *sub, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *sub, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *sub, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Messages that programs wait for, so that nobody has to search for words that
 * a later release may put otherwise. The journal knows each by a MESSAGE_ID.
 */
enum log_kind {
    LOG_KIND_NONE,
    LOG_KIND_UP,             /* patrold does its work */
    LOG_KIND_STOPPING,       /* it was told to end */
    LOG_KIND_RELOADED,       /* a new configuration holds */
    LOG_KIND_CONFIG_REFUSED, /* a new configuration has errors, the old one goes on */
    LOG_KIND_STORE_STUCK,    /* the database cannot be written */
    LOG_KIND_STORE_WORKS,    /* it can again */
    LOG_KIND_NOT_POLLED,     /* a device is not looked after, until its record is put right */
    LOG_KIND_FAULT_OPENED,
    LOG_KIND_FAULT_CLOSED,
    LOG_KIND_TICKET_OPENED,
    LOG_KIND_TICKET_CHANGED,
    LOG_KIND_MAIL_WAITS,   /* messages cannot be sent now */
    LOG_KIND_MAIL_GOES,    /* they can again */
    LOG_KIND_MAIL_REFUSED, /* one was refused for good */
    LOG_KIND_COUNT
};

/* The kind's name in a line ("fault-opened"); NULL for LOG_KIND_NONE. */
const char *log_kind_name(enum log_kind kind);

/* What a line is about; what there is none of is NULL. Texts are made visible by the writer too. */
struct log_about {
    enum log_kind kind;
    const char *device, *rule, *ticket;
};

void log_about(enum log_level level, const char *sub, const struct log_about *about, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Least severe level that is written; LOG_LEVEL_INFO at start. Set before threads start. */
void log_set_level(enum log_level level);

/* A line as it is written: every text is there, visible, or NULL where it may be. */
struct log_line {
    enum log_level level;
    const char *sub, *msg;
    struct log_about about;
};

/* Where lines go instead of standard error; NULL restores it. Called from any thread. Set before threads start. */
typedef void (*log_sink)(void *ctx, const struct log_line *line);
void log_set_sink(log_sink sink, void *ctx);

#endif
