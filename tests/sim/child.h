#ifndef PD_SIM_CHILD_H
#define PD_SIM_CHILD_H

#include "base/str.h"
#include "plugin/plugin.h"

/*
 * A real patrold as a child, and a connection to its control socket, on which it
 * is told of devices and listened to. Nothing here waits but the ends.
 */
struct child;

struct child_ops {
    /* An event of its tail; args is JSON. old: it happened before we listened. */
    void (*event)(void *ctx, int64_t number, int64_t at_ms, const char *kind, int64_t device_id, int64_t alert_id,
                  int64_t ticket_id, const char *args, bool old);
    void (*ready)(void *ctx);                    /* it answers, and we listen */
    void (*refused)(void *ctx, const char *why); /* a command was not taken */
    void (*died)(void *ctx, int status);         /* by itself; as waitpid() tells it */
    void *ctx;
};

/* program and folder (with patrold.yaml, patrold.sock, patrold.log) are borrowed. */
struct child *child_new(const struct pd_services *services, const char *program, const char *folder,
                        const struct child_ops *ops);
/* Kills it if it still runs. */
void child_free(struct child *p);

/* Starts it; its events are wanted after this number. PD_EIO. */
int child_start(struct child *p, int64_t after);
/* A command with its arguments as JSON. */
void child_command(struct child *p, const char *name, const char *args);
/* SIGKILL. */
void child_kill(struct child *p);
/* SIGTERM, and waits for at most 10 s: its exit code, or -1. */
int child_end(struct child *p);

#endif
