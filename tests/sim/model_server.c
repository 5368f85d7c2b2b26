#include "models.h"

#include <stdio.h>

/*
 * A server's tree: HOST-RESOURCES-MIB (RFC 2790) and UCD-SNMP-MIB, as net-snmp's
 * agent has them.
 */
#define HR_SYSTEM "1.3.6.1.2.1.25.1"
#define HR_STORAGE "1.3.6.1.2.1.25.2.3.1"
#define HR_DEVICE "1.3.6.1.2.1.25.3.2.1"
#define HR_PROCESSOR "1.3.6.1.2.1.25.3.3.1"
#define UCD_MEMORY "1.3.6.1.4.1.2021.4"
#define UCD_DISK "1.3.6.1.4.1.2021.9.1"
#define UCD_LOAD "1.3.6.1.4.1.2021.10.1"
#define UCD_SYSTEM "1.3.6.1.4.1.2021.11"

enum {
    HOUR = 3600000,
    DISK_ROW = 31, /* hrStorageIndex of the first disk */
    PROCESSOR = 196608,
    MEMORY_KB = 8150000,
    SWAP_KB = 2000000,
    BUFFERS_KB = 180000,
    CACHED_KB = 3300000,
    PROGRAMS_KB = 1500000, /* untroubled */
};

/* ---- Storage ---- */

static void storage(struct simdev *d, unsigned i, unsigned type, const char *descr, int64_t unit, int64_t size)
{
    char type_oid[64];

    snprintf(type_oid, sizeof type_oid, "1.3.6.1.2.1.25.2.1.%u", type);
    simdev_int(d, i, HR_STORAGE ".1.%u", i);
    simdev_oid(d, type_oid, HR_STORAGE ".2.%u", i);
    simdev_text(d, descr, HR_STORAGE ".3.%u", i);
    simdev_int(d, unit, HR_STORAGE ".4.%u", i);
    simdev_int(d, size, HR_STORAGE ".5.%u", i);
    simdev_int(d, 0, HR_STORAGE ".6.%u", i);
}

/* The ramp of what a disk holds in other units: times `by`, then divided by `den`. */
static struct ramp used_times(const struct disk *disk, int64_t by, int64_t den)
{
    const struct ramp *r = &disk->used;

    return (struct ramp){
        .base = r->base * by, .num = r->num * by, .den = r->den * den, .since = r->since, .max = r->max * by / den};
}

/* And what is left of it, in kB. */
static struct ramp kb_left(const struct disk *disk)
{
    struct ramp r = used_times(disk, disk->unit / 1024, 1);

    r.base = disk->size * (disk->unit / 1024) * r.den - r.base;
    r.num = -r.num;
    r.max = 0;
    return r;
}

void model_disk_show(struct machine *m, const struct disk *disk)
{
    unsigned i = disk->index - DISK_ROW + 1;
    struct ramp kb = used_times(disk, disk->unit / 1024, 1), left = kb_left(disk);
    struct ramp percent = used_times(disk, 100, disk->size);

    simdev_ramp(&m->dev, SNMP_INTEGER, &disk->used, HR_STORAGE ".6.%u", disk->index);
    simdev_ramp(&m->dev, SNMP_INTEGER, &left, UCD_DISK ".7.%u", i);
    simdev_ramp(&m->dev, SNMP_INTEGER, &kb, UCD_DISK ".8.%u", i);
    simdev_ramp(&m->dev, SNMP_INTEGER, &percent, UCD_DISK ".9.%u", i);
}

/* Its rows, but for what moves. */
static void show_disk(struct machine *m, const struct disk *disk)
{
    unsigned i = disk->index - DISK_ROW + 1;
    struct simdev *d = &m->dev;

    storage(d, disk->index, 4, disk->path, disk->unit, disk->size); /* hrStorageFixedDisk */
    simdev_int(d, i, UCD_DISK ".1.%u", i);
    simdev_text(d, disk->path, UCD_DISK ".2.%u", i);
    simdev_text(d, disk->device, UCD_DISK ".3.%u", i);
    simdev_int(d, -1, UCD_DISK ".4.%u", i);
    simdev_int(d, 10, UCD_DISK ".5.%u", i);
    simdev_int(d, disk->size * 4, UCD_DISK ".6.%u", i);
    simdev_int(d, 7, UCD_DISK ".10.%u", i);
    simdev_int(d, 0, UCD_DISK ".100.%u", i);
    simdev_text(d, "", UCD_DISK ".101.%u", i);
    model_disk_show(m, disk);
}

static void disk(struct machine *m, const char *path, const char *device, int64_t size, int percent,
                 int64_t units_an_hour)
{
    struct disk *disk = &m->disks[m->ndisks];

    *disk = (struct disk){.path = path, .device = device, .unit = 4096, .size = size, .fill = units_an_hour};
    disk->index = DISK_ROW + m->ndisks++;
    disk->used = (struct ramp){.base = size / 100 * percent * HOUR, .num = units_an_hour, .den = HOUR, .max = size};
    show_disk(m, disk);
}

void model_disks_renumber(struct machine *m)
{
    for (unsigned i = 0; i < m->ndisks; i++) {
        m->disks[i].index = DISK_ROW + (m->renumbered % 2 == 0 ? i : m->ndisks - 1 - i);
        show_disk(m, &m->disks[i]);
    }
}

/* ---- Processors and memory ---- */

static void processors(struct machine *m)
{
    struct simdev *d = &m->dev;

    m->nprocessors = MACHINE_PROCESSORS;
    for (unsigned i = 0; i < m->nprocessors; i++) {
        unsigned index = PROCESSOR + i;

        simdev_int(d, index, HR_DEVICE ".1.%u", index);
        simdev_oid(d, "1.3.6.1.2.1.25.3.1.3", HR_DEVICE ".2.%u", index); /* hrDeviceProcessor */
        simdev_text(d, "x86_64 processor", HR_DEVICE ".3.%u", index);
        simdev_oid(d, "0.0", HR_DEVICE ".4.%u", index);
        simdev_int(d, 2, HR_DEVICE ".5.%u", index);
        simdev_oid(d, "0.0", HR_PROCESSOR ".1.%u", index);
    }
}

static void memory(struct machine *m)
{
    struct simdev *d = &m->dev;

    simdev_int(d, MEMORY_KB, "1.3.6.1.2.1.25.2.2.0");
    storage(d, 1, 2, "Physical memory", 1024, MEMORY_KB); /* hrStorageRam */
    storage(d, 3, 3, "Virtual memory", 1024, MEMORY_KB + SWAP_KB);
    storage(d, 6, 1, "Memory buffers", 1024, MEMORY_KB);
    storage(d, 7, 1, "Cached memory", 1024, CACHED_KB);
    storage(d, 10, 3, "Swap space", 1024, SWAP_KB);
    simdev_int(d, 0, UCD_MEMORY ".1.0");
    simdev_text(d, "swap", UCD_MEMORY ".2.0");
    simdev_int(d, SWAP_KB, UCD_MEMORY ".3.0");
    simdev_int(d, SWAP_KB, UCD_MEMORY ".4.0");
    simdev_int(d, MEMORY_KB, UCD_MEMORY ".5.0");
    simdev_int(d, 16000, UCD_MEMORY ".12.0");
    simdev_int(d, 0, UCD_MEMORY ".100.0");
    simdev_text(d, "", UCD_MEMORY ".101.0");
}

/* Linux keeps what programs leave free as cache, so "used" is nearly all of it on any server; caches give way to programs. */
static void show_memory(struct machine *m)
{
    int64_t programs = m->memory < 0 ? PROGRAMS_KB : MEMORY_KB / 100 * m->memory, free_kb = MEMORY_KB / 50;
    int64_t room = MEMORY_KB - programs, buffers = BUFFERS_KB, cached = CACHED_KB;
    struct simdev *d = &m->dev;

    if (room < free_kb)
        free_kb = room;
    if (buffers > (room - free_kb) / 4)
        buffers = (room - free_kb) / 4;
    if (cached > room - free_kb - buffers)
        cached = room - free_kb - buffers;
    free_kb = room - buffers - cached;
    simdev_int(d, MEMORY_KB - free_kb, HR_STORAGE ".6.1");
    simdev_int(d, MEMORY_KB - free_kb, HR_STORAGE ".6.3");
    simdev_int(d, buffers, HR_STORAGE ".6.6");
    simdev_int(d, cached, HR_STORAGE ".5.7");
    simdev_int(d, cached, HR_STORAGE ".6.7");
    simdev_int(d, free_kb, UCD_MEMORY ".6.0");
    simdev_int(d, free_kb + SWAP_KB, UCD_MEMORY ".11.0");
    simdev_int(d, buffers, UCD_MEMORY ".14.0");
    simdev_int(d, cached, UCD_MEMORY ".15.0");
}

static void show_average(struct simdev *d, unsigned i, const char *name, int hundredths)
{
    char text[16];

    snprintf(text, sizeof text, "%d.%02d", hundredths / 100, hundredths % 100);
    simdev_int(d, i, UCD_LOAD ".1.%u", i);
    simdev_text(d, name, UCD_LOAD ".2.%u", i);
    simdev_text(d, text, UCD_LOAD ".3.%u", i);
    simdev_text(d, "12.00", UCD_LOAD ".4.%u", i);
    simdev_int(d, hundredths, UCD_LOAD ".5.%u", i);
    simdev_int(d, 0, UCD_LOAD ".100.%u", i);
    simdev_text(d, "", UCD_LOAD ".101.%u", i);
}

/* Counters of hundredths of a second that all processors together spent. */
static void show_spent(struct machine *m, unsigned column, int percent, int64_t now_ms)
{
    const uint32_t oid[] = {1, 3, 6, 1, 4, 1, 2021, 11, column, 0};
    const struct simvar *v = simdev_get(&m->dev, oid, sizeof oid / sizeof oid[0]);
    struct ramp r = v ? v->ramp : (struct ramp){.base = m->number * 7919000, .den = 1000};

    ramp_turn(&r, m->on ? percent * m->nprocessors : 0, now_ms);
    simdev_ramp(&m->dev, SNMP_COUNTER32, &r, UCD_SYSTEM ".%u.0", column);
}

static void show_processors(struct machine *m, int64_t now_ms)
{
    int sum = 0, busy, system;

    for (unsigned i = 0; i < m->nprocessors; i++) {
        int percent = m->cpu < 0 ? 7 + (int)i * 3 : m->cpu;

        simdev_int(&m->dev, percent, HR_PROCESSOR ".2.%u", PROCESSOR + i);
        sum += percent;
    }
    busy = m->nprocessors > 0 ? sum / (int)m->nprocessors : 0;
    system = busy / 4;
    simdev_int(&m->dev, busy - system, UCD_SYSTEM ".9.0");
    simdev_int(&m->dev, system, UCD_SYSTEM ".10.0");
    simdev_int(&m->dev, 100 - busy, UCD_SYSTEM ".11.0");
    show_spent(m, 50, busy - system, now_ms);
    show_spent(m, 52, system, now_ms);
    show_spent(m, 53, 100 - busy, now_ms);
    show_average(&m->dev, 1, "Load-1", sum + 3);
    show_average(&m->dev, 2, "Load-5", sum + 2);
    show_average(&m->dev, 3, "Load-15", sum + 1);
}

void model_load_show(struct machine *m, int64_t now_ms)
{
    show_processors(m, now_ms);
    show_memory(m);
}

void model_server(struct machine *m)
{
    struct simdev *d = &m->dev;

    model_system(m, "Linux files 6.1.0-18-amd64 #1 SMP x86_64", "1.3.6.1.4.1.8072.3.2.10");
    model_engine(m);
    model_interfaces(m, 2, 1000, 90000);
    simdev_uint(d, SNMP_GAUGE32, 2, HR_SYSTEM ".5.0");
    simdev_uint(d, SNMP_GAUGE32, 143, HR_SYSTEM ".6.0");
    model_restart_show(m);
    simdev_int(d, 0, UCD_SYSTEM ".1.0");
    simdev_text(d, "systemStats", UCD_SYSTEM ".2.0");
    processors(m);
    memory(m);
    disk(m, "/", "/dev/sda2", 10000000, 31, 4);
    disk(m, "/srv", "/dev/sdb1", 240000000, 37, 10800);
    model_load_show(m, 0);
}
