#ifndef PD_DAEMON_RIGHTS_H
#define PD_DAEMON_RIGHTS_H

#include "plugins/icmp/icmp.h"

/*
 * What a process does before anything else, while it has but one thread: opens
 * the ICMP sockets, then gives up every capability, the ambient ones too. Where
 * a filter forbids to give them up, as that of patrold.service does with all that
 * has to do with privileges, the program begins anew with the sockets in hand:
 * no capability survives that. 0, or an error that is in the log: then nothing
 * should run.
 */
int rights_settle(char **argv, struct pd_icmp_sockets *icmp);

#endif
