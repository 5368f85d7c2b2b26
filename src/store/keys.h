#ifndef PD_STORE_KEYS_H
#define PD_STORE_KEYS_H

#include <stdint.h>

/*
 * Where readings stand. Each table has one number for its key, so that a row takes
 * few bytes and rows lie in the order in which they are written and read:
 *
 *   poll    batch, device            a poll as it came; a batch is what came together
 *   packed  hour, device, part       polls of an hour (GRID_HOUR); parts, since some come late
 *   hourly  day, device              24 hours of a UTC day, reckoned up (GRID_ROLLUP)
 *   daily   month, device            the days of a UTC month likewise
 *
 * A commit so writes behind the last one, whatever devices it has (measured at
 * 100,000 devices: a tenth of the pages that any order by device writes), and an
 * hour is packed by groups of devices, each a seek a batch.
 *
 * Batches below `begins` of table pack are packed and wait for deletion; of those
 * below `ends` (0: none are being packed) devices up to `device` are. `hour` is when
 * the batches from `ends` on began; days before `day` and months before `month` are
 * reckoned up, and of these themselves devices up to day_device and month_device.
 */
enum { DEVICE_BITS = 28, PART_BITS = 12, HOUR_BITS = 22 };
#define DEVICE_MAX ((INT64_C(1) << DEVICE_BITS) - 1)
#define PART_MAX ((INT64_C(1) << PART_BITS) - 1)
#define HOUR_MAX ((INT64_C(1) << HOUR_BITS) - 1)
#define HOUR_MS INT64_C(3600000)
enum { HOURS_A_DAY = 24 };

/* A number of batch, day or month and a device. */
static inline int64_t device_key(int64_t number, int64_t device)
{
    return number * (DEVICE_MAX + 1) + device;
}
static inline int64_t key_number(int64_t key)
{
    return key >> DEVICE_BITS;
}
static inline int64_t key_device(int64_t key)
{
    return key & DEVICE_MAX;
}
static inline int64_t packed_key(int64_t hour, int64_t device, int64_t part)
{
    return device_key(hour, device) * (PART_MAX + 1) + part;
}
static inline int64_t packed_hour(int64_t key)
{
    return key >> (DEVICE_BITS + PART_BITS);
}
static inline int64_t packed_device(int64_t key)
{
    return key >> PART_BITS & DEVICE_MAX;
}

/* The hour under which a poll stands; what cannot be is taken for the first or the last one. */
static inline int64_t hour_of(int64_t at_ms)
{
    int64_t hour = at_ms < 0 ? 0 : at_ms / HOUR_MS;

    return hour < HOUR_MAX ? hour : HOUR_MAX;
}

#endif
