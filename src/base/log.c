#include "base/log.h"

#include <errno.h>
#include <stdio.h>

#include "base/str.h"

/*
 * The one file-scope state of the project: every room logs, and handing a logger
 * through every call would buy nothing. Set before threads start, only read after.
 */
static struct {
    enum log_level level;
    log_sink sink;
    void *ctx;
} logger = {.level = LOG_LEVEL_INFO};

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

void log_set_level(enum log_level level)
{
    logger.level = level;
}

void log_set_sink(log_sink sink, void *ctx)
{
    logger.sink = sink;
    logger.ctx = ctx;
}

/* One write for the whole line, so that lines of several threads do not mix. */
static void write_logfmt(enum log_level level, const char *sub, const char *msg)
{
    struct sbuf line = {0};

    sbuf_addf(&line, "level=%s sub=%s msg=\"", level_names[level], sub);
    for (const char *p = msg; *p; p++) {
        if (*p == '"' || *p == '\\')
            sbuf_addc(&line, '\\');
        sbuf_addc(&line, *p);
    }
    sbuf_add(&line, "\"\n");
    fwrite(line.s, 1, line.n, stderr);
    sbuf_free(&line);
}

static void write_log(enum log_level level, const char *sub, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void write_log(enum log_level level, const char *sub, const char *fmt, va_list ap)
{
    struct sbuf raw = {0}, msg = {0};
    int saved = errno;

    if (level > logger.level)
        return;
    sbuf_vaddf(&raw, fmt, ap);
    sbuf_add_visible(&msg, raw.s);
    if (logger.sink)
        logger.sink(logger.ctx, level, sub, msg.s);
    else
        write_logfmt(level, sub, msg.s);
    sbuf_free(&raw);
    sbuf_free(&msg);
    errno = saved;
}

#define DEFINE_LOG(name, level)                                                                                        \
    void name(const char *sub, const char *fmt, ...)                                                                   \
    {                                                                                                                  \
        va_list ap;                                                                                                    \
                                                                                                                       \
        va_start(ap, fmt);                                                                                             \
        write_log(level, sub, fmt, ap);                                                                                \
        va_end(ap);                                                                                                    \
    }

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warn, LOG_LEVEL_WARN)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
