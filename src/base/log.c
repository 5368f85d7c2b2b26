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

static const char *const kind_names[LOG_KIND_COUNT] = {
    [LOG_KIND_UP] = "up",
    [LOG_KIND_STOPPING] = "stopping",
    [LOG_KIND_RELOADED] = "reloaded",
    [LOG_KIND_CONFIG_REFUSED] = "config-refused",
    [LOG_KIND_STORE_STUCK] = "store-stuck",
    [LOG_KIND_STORE_WORKS] = "store-works",
    [LOG_KIND_NOT_POLLED] = "not-polled",
    [LOG_KIND_FAULT_OPENED] = "fault-opened",
    [LOG_KIND_FAULT_CLOSED] = "fault-closed",
    [LOG_KIND_TICKET_OPENED] = "ticket-opened",
    [LOG_KIND_TICKET_CHANGED] = "ticket-changed",
    [LOG_KIND_MAIL_WAITS] = "mail-waits",
    [LOG_KIND_MAIL_GOES] = "mail-goes",
    [LOG_KIND_MAIL_REFUSED] = "mail-refused",
};

const char *log_kind_name(enum log_kind kind)
{
    return kind_names[kind];
}

static void add_quoted(struct sbuf *line, const char *name, const char *text)
{
    if (!text)
        return;
    sbuf_addf(line, " %s=\"", name);
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            sbuf_addc(line, '\\');
        sbuf_addc(line, *p);
    }
    sbuf_addc(line, '"');
}

/* One write for the whole line, so that lines of several threads do not mix. */
static void write_logfmt(const struct log_line *l)
{
    struct sbuf line = {0};

    sbuf_addf(&line, "level=%s sub=%s", level_names[l->level], l->sub);
    if (l->about.kind != LOG_KIND_NONE)
        sbuf_addf(&line, " kind=%s", kind_names[l->about.kind]);
    add_quoted(&line, "device", l->about.device);
    add_quoted(&line, "rule", l->about.rule);
    add_quoted(&line, "ticket", l->about.ticket);
    add_quoted(&line, "msg", l->msg);
    sbuf_addc(&line, '\n');
    fwrite(line.s, 1, line.n, stderr);
    sbuf_free(&line);
}

/* Texts of a line made visible one after the other; freed together. */
struct texts {
    struct sbuf msg, device, rule, ticket;
};

static const char *visible(struct sbuf *b, const char *text)
{
    if (!text)
        return NULL;
    sbuf_add_visible(b, text);
    return b->s;
}

static void write_line(enum log_level level, const char *sub, const struct log_about *about, const char *raw)
{
    struct texts t = {0};
    const struct log_line line = {
        .level = level,
        .sub = sub,
        .msg = visible(&t.msg, raw),
        .about = {.kind = about->kind,
                  .device = visible(&t.device, about->device),
                  .rule = visible(&t.rule, about->rule),
                  .ticket = visible(&t.ticket, about->ticket)},
    };

    if (logger.sink)
        logger.sink(logger.ctx, &line);
    else
        write_logfmt(&line);
    sbuf_free(&t.msg);
    sbuf_free(&t.device);
    sbuf_free(&t.rule);
    sbuf_free(&t.ticket);
}

static void write_log(enum log_level level, const char *sub, const struct log_about *about, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

static void write_log(enum log_level level, const char *sub, const struct log_about *about, const char *fmt, va_list ap)
{
    struct sbuf raw = {0};
    int saved = errno;

    if (level > logger.level)
        return;
    sbuf_vaddf(&raw, fmt, ap);
    write_line(level, sub, about, raw.s);
    sbuf_free(&raw);
    errno = saved;
}

void log_about(enum log_level level, const char *sub, const struct log_about *about, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    write_log(level, sub, about, fmt, ap);
    va_end(ap);
}

#define DEFINE_LOG(name, level)                                                                                        \
    void name(const char *sub, const char *fmt, ...)                                                                   \
    {                                                                                                                  \
        va_list ap;                                                                                                    \
                                                                                                                       \
        va_start(ap, fmt);                                                                                             \
        write_log(level, sub, &(struct log_about){0}, fmt, ap);                                                        \
        va_end(ap);                                                                                                    \
    }

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warn, LOG_LEVEL_WARN)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
