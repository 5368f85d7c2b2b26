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

/* Least severe level that is written; LOG_LEVEL_INFO at start. Set before threads start. */
void log_set_level(enum log_level level);

/* Where lines go instead of standard error; NULL restores it. Called from any thread. Set before threads start. */
typedef void (*log_sink)(void *ctx, enum log_level level, const char *sub, const char *msg);
void log_set_sink(log_sink sink, void *ctx);

#endif
