#ifndef PD_TESTS_SNMP_LIVE_H
#define PD_TESTS_SNMP_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/array.h"
#include "plugin/loop.h"
#include "plugins/snmp/snmp.h"

/* The collector on the kernel's network, and agents that run beside a test as programs of their own. */

/* A cell that outlives its callback. */
struct live_cell {
    uint32_t source;
    uint8_t type;
    uint16_t ninstance;
    uint32_t instance[PD_MAX_INSTANCE];
    int64_t number; /* INT, UINT, TICKS */
    char *text;     /* BYTES, with a NUL behind */
    uint32_t nbytes;
};

/* What one read or walk brought. */
struct live_read {
    struct live *live;
    ARRAY(struct live_cell) cells; /* only where keep is set */
    bool keep;
    size_t ncells;
    enum pd_read_status status;
    uint32_t requests, retries;
    char detail[200];
    bool ended;
};

struct live {
    struct pd_loop *loop;
    struct pd_collector *collector;
    int running; /* reads under way */
};

/* Starts the collector; config may be NULL. */
void live_start(struct live *l, const struct pd_snmp_config *config);
void live_stop(struct live *l);
struct pd_device *live_open(struct live *l, const char *address, uint16_t port, uint8_t version);

/* Start; live_wait() runs the loop until all that was started has ended. Fails the test after a minute. */
void live_read_start(struct live *l, struct live_read *r, struct pd_device *d, const struct pd_plan *plan);
void live_walk_start(struct live *l, struct live_read *r, struct pd_device *d, const char *root);
void live_wait(struct live *l);
void live_read_free(struct live_read *r);

/* A new folder under $TMPDIR or /tmp; live_remove() deletes it with all that is in it. */
void live_folder(char path[static 64]);
void live_remove(const char *path);
/* Runs a program, its output going to a file; it dies with the test at the latest. */
pid_t live_spawn(const char *const argv[], const char *log);
/* Its exit status, or -1. */
int live_waitpid(pid_t pid);
void live_kill(pid_t pid);
/*
 * Debian's snmpd on that port of 127.0.0.1 and ::1, its configuration a text, its files in the folder: what it remembers
 * over a restart in FOLDER/kept, its words in FOLDER/log.
 */
pid_t live_snmpd(const char *folder, uint16_t port, const char *conf);
/* Prints what snmpd said. */
void live_snmpd_log(const char *folder);
/* A UDP port of 127.0.0.1 that nobody used a moment ago. */
uint16_t live_free_port(void);
/* Waits until the device answers for sysObjectID; false after ten seconds. */
bool live_answers(struct live *l, struct pd_device *d);

#endif
