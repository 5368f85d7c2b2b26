#ifndef PD_TESTS_WATCH_FAKE_H
#define PD_TESTS_WATCH_FAKE_H

#include "plugin/plugin.h"

/*
 * A scripted collector: devices are lists of data (address, instance, value), a
 * read answers with those that its plan asks for, a little later by the timer
 * wheel. An address that begins with "bad" does not compile.
 */
struct fake_device;

enum fake_mode { FAKE_ANSWERS, FAKE_SILENT, FAKE_REFUSES, FAKE_BROKEN, FAKE_PARTIAL, FAKE_CUT, FAKE_FADES };
/*
 * FAKE_PARTIAL: half of what is asked; FAKE_CUT: all of it, but it says that there was more; FAKE_FADES: half of it, then
 * nothing more.
 */

extern const struct pd_collector_ops fake_ops;      /* "snmp" */
extern const struct pd_collector_ops fake_ping_ops; /* "icmp", without credentials */
extern const struct pd_collector_ops fake_bus_ops;  /* "bus": the same, but asked without a credential */

/* A device of the script, by its address; made at the first call. The collector is given to watch. */
struct fake_device *fake_device(struct pd_collector *c, const char *address);
void fake_mode(struct fake_device *d, enum fake_mode mode);
/* Its address is none for this collector. */
void fake_shut(struct fake_device *d);
/*
 * Of a hundred packets so many are lost each way: a first request that four tries do not save has no answer. All of
 * them: the reads under way end when four more requests had none.
 */
void fake_loss(struct fake_device *d, unsigned percent);
/* How long a read takes. */
void fake_delay(struct fake_device *d, int64_t ms);
/* instance: 0 for a scalar, else the row's one number. */
void fake_int(struct fake_device *d, const char *address, uint32_t instance, int64_t value);
void fake_text(struct fake_device *d, const char *address, uint32_t instance, const char *value);
void fake_absent(struct fake_device *d, const char *address, uint32_t instance);
/* Extra cells before all others: whatever a hostile device may send. */
void fake_hostile(struct fake_device *d, const struct pd_cell *cells, size_t n);

/* One read as it was asked for. */
struct fake_read {
    int64_t at_ms;
    uint32_t parts;
    size_t sources; /* of the plan */
};
/* The reads so far, in order. */
const struct fake_read *fake_reads(const struct fake_device *d, size_t *n);
/* How it was opened last. */
const struct pd_target *fake_target(const struct fake_device *d);
/* Whom it would tell of traps; all NULL: nobody. */
const struct pd_trap_sink *fake_traps(const struct pd_collector *c);
/* Reads under way and devices open now, of all. */
size_t fake_busy(const struct pd_collector *c);
size_t fake_open_count(const struct pd_collector *c);

#endif
