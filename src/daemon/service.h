#ifndef PD_DAEMON_SERVICE_H
#define PD_DAEMON_SERVICE_H

#include "plugin/plugin.h"

/*
 * patrold as a service of systemd: what the manager is told, and the sign of life
 * it wants. Without a manager nothing of this does anything.
 */
struct service;

/*
 * What a process that handles secrets does first: no core dumps, files not for
 * everybody, and of the environment only what the service manager says. Libraries
 * take proxies, certificates and key logs from there, and nobody would know.
 */
void service_harden(void);

/* UDP sockets that the manager opened for us (patrold.socket), at most max: how many. They are ours from now on. */
size_t service_sockets(int *fds, size_t max);

/* Gives the watchdog its signs of life from now on, by a timer of the loop: they end when the loop hangs. */
struct service *service_start(const struct pd_services *services);
/* Works, or works again after service_reloading(). status: a line for people. */
void service_ready(const char *status);
void service_reloading(const struct pd_clock *clock);
void service_stopping(void);
/* NULL is fine. */
void service_stop(struct service *s);

#endif
