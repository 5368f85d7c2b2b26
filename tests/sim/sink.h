#ifndef PD_SIM_SINK_H
#define PD_SIM_SINK_H

#include "base/str.h"
#include "plugin/plugin.h"

/*
 * A mail server that takes everything: enough SMTP (RFC 5321) for a real client,
 * on a port of its own at 127.0.0.1. It reads of each message what tells one from
 * another.
 */
struct sink;

/* mail() gets the Message-ID without <>, the recipients and the subject in UTF-8, all borrowed, before the client's 250. */
struct sink_ops {
    void (*mail)(void *ctx, const char *id, const char *to, const char *subject);
    void *ctx;
};

/* 0 and the port, or an errno's cause. */
int sink_start(const struct pd_services *services, const struct sink_ops *ops, struct sink **out, unsigned *port);
void sink_stop(struct sink *s);

/* A header's value as people read it: encoded words (RFC 2047, UTF-8) decoded. */
void sink_decode(struct sbuf *out, const char *value);

#endif
