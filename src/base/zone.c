#include "base/zone.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/wire.h"

#define ZONE_DIR "/usr/share/zoneinfo"

enum { MAX_FILE = 256 * 1024, MAX_TRANSITIONS = 4096, DAY_S = 86400 };

/* When a POSIX rule changes: the date, by one of three ways, and the local second of the day. */
struct rule_date {
    char form; /* 'J': day 1..365 without 29 February; 'D': day 0..365; 'M': month, week, weekday */
    int day, month, week;
    int32_t at_s;
};

struct posix_rule {
    bool has_dst;
    int32_t std_s, dst_s; /* east of Greenwich */
    struct rule_date start, end;
};

struct zone {
    char *name;
    size_t n;
    int64_t *from_s;        /* transitions, rising */
    int32_t *offset_s;      /* in force from each of them */
    int32_t before_s;       /* in force before the first */
    struct posix_rule rule; /* after the last */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* ---- The POSIX rule: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

static bool read_number(const char **p, int min, int max, int *out)
{
    int n = 0;
    const char *start = *p;

    while (**p >= '0' && **p <= '9' && n <= max)
        n = n * 10 + (*(*p)++ - '0');
    *out = n;
    return *p > start && n >= min && n <= max;
}

static bool read_abbreviation(const char **p)
{
    const char *start = *p;

    if (**p == '<') {
        *p += strcspn(*p, ">");
        return *(*p)++ == '>';
    }
    while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z'))
        (*p)++;
    return *p - start >= 3;
}

/* [+-]hh[:mm[:ss]]; RFC 8536 allows hours up to 167 in the time of a date. */
static bool read_time(const char **p, int32_t *out)
{
    int sign = **p == '-' ? -1 : 1, h, m = 0, s = 0;

    if (**p == '-' || **p == '+')
        (*p)++;
    if (!read_number(p, 0, 167, &h))
        return false;
    if (**p == ':' && ((*p)++, !read_number(p, 0, 59, &m)))
        return false;
    if (**p == ':' && ((*p)++, !read_number(p, 0, 59, &s)))
        return false;
    *out = sign * (h * 3600 + m * 60 + s);
    return true;
}

static bool read_date(const char **p, struct rule_date *d)
{
    bool ok;

    if (*(*p)++ != ',')
        return false;
    d->form = **p == 'M' || **p == 'J' ? *(*p)++ : 'D';
    if (d->form == 'M')
        ok = read_number(p, 1, 12, &d->month) && *(*p)++ == '.' && read_number(p, 1, 5, &d->week) && *(*p)++ == '.' &&
             read_number(p, 0, 6, &d->day);
    else
        ok = read_number(p, d->form == 'J', 365, &d->day);
    d->at_s = 2 * 3600;
    return ok && (**p != '/' || ((*p)++, read_time(p, &d->at_s)));
}

static bool read_rule(const char *p, struct posix_rule *r)
{
    int32_t west;

    if (!read_abbreviation(&p) || !read_time(&p, &west))
        return false;
    r->std_s = -west;
    if (!*p)
        return true;
    r->has_dst = true;
    r->dst_s = r->std_s + 3600;
    if (!read_abbreviation(&p))
        return false;
    if (*p && *p != ',') {
        if (!read_time(&p, &west))
            return false;
        r->dst_s = -west;
    }
    return read_date(&p, &r->start) && read_date(&p, &r->end) && !*p;
}

/* The local second (as if it were UTC) at which a date falls in a year. */
static int64_t date_second(const struct rule_date *d, int64_t year)
{
    int64_t days, first;

    if (d->form == 'M') {
        first = date_to_day(year, d->month, 1);
        days = first + (d->day - (first + 4) % 7 + 7) % 7 + 7 * (d->week - 1);
        while (days >= first + date_month_days(year, d->month))
            days -= 7;
    } else if (d->form == 'J') {
        days = date_to_day(year, 1, 1) + d->day - 1 + (d->day >= 60 && date_is_leap(year));
    } else {
        days = date_to_day(year, 1, 1) + d->day;
    }
    return days * DAY_S + d->at_s;
}

static int32_t rule_offset(const struct posix_rule *r, int64_t s)
{
    int64_t year, start, end;
    bool dst;

    if (!r->has_dst)
        return r->std_s;
    year = date_of_day(floor_div(s + r->std_s, DAY_S)).year;
    start = date_second(&r->start, year) - r->std_s;
    end = date_second(&r->end, year) - r->dst_s;
    dst = start < end ? s >= start && s < end : s >= start || s < end;
    return dst ? r->dst_s : r->std_s;
}

/* ---- TZif ---- */

struct header {
    uint8_t version;
    uint32_t isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt;
};

static bool read_header(struct wire_in *in, struct header *h)
{
    const uint8_t *magic = wire_bytes(in, 4);

    h->version = wire_u8(in);
    wire_bytes(in, 15);
    h->isutcnt = wire_u32be(in);
    h->isstdcnt = wire_u32be(in);
    h->leapcnt = wire_u32be(in);
    h->timecnt = wire_u32be(in);
    h->typecnt = wire_u32be(in);
    h->charcnt = wire_u32be(in);
    return !in->bad && memcmp(magic, "TZif", 4) == 0 && h->timecnt <= MAX_TRANSITIONS && h->typecnt >= 1 &&
           h->typecnt <= 256 && h->charcnt <= 4096 && h->leapcnt <= 4096 && h->isutcnt <= 256 && h->isstdcnt <= 256;
}

static size_t body_size(const struct header *h, size_t time_size)
{
    return h->timecnt * (time_size + 1) + h->typecnt * 6 + h->charcnt + h->leapcnt * (time_size + 4) + h->isstdcnt +
           h->isutcnt;
}

/* The second, 64-bit, body. Local time types are six bytes: offset, is it summer time, its abbreviation. */
static bool read_body(struct zone *z, struct wire_in *in, const struct header *h)
{
    const uint8_t *times_at = wire_bytes(in, h->timecnt * 8), *types = wire_bytes(in, h->timecnt);
    const uint8_t *infos_at = wire_bytes(in, h->typecnt * 6);
    struct wire_in times, infos;
    int32_t offsets[256];

    if (in->bad)
        return false;
    times = wire_in(times_at, h->timecnt * 8);
    infos = wire_in(infos_at, h->typecnt * 6);
    for (uint32_t i = 0; i < h->typecnt; i++) {
        offsets[i] = (int32_t)wire_u32be(&infos);
        wire_bytes(&infos, 2);
        if (offsets[i] < -DAY_S || offsets[i] > DAY_S)
            return false;
    }
    z->n = h->timecnt;
    z->from_s = xcalloc(z->n + 1, sizeof *z->from_s);
    z->offset_s = xcalloc(z->n + 1, sizeof *z->offset_s);
    z->before_s = offsets[0];
    for (uint32_t i = 0; i < h->timecnt; i++) {
        z->from_s[i] = (int64_t)wire_u64be(&times);
        if (types[i] >= h->typecnt || (i > 0 && z->from_s[i] <= z->from_s[i - 1]))
            return false;
        z->offset_s[i] = offsets[types[i]];
    }
    wire_bytes(in, h->charcnt + h->leapcnt * 12 + h->isstdcnt + h->isutcnt);
    return !in->bad;
}

static bool read_file(struct zone *z, const char *data, size_t n)
{
    struct wire_in in = wire_in(data, n);
    struct header h;
    const char *footer;
    char *rule;
    bool ok;

    if (!read_header(&in, &h) || h.version < '2')
        return false;
    wire_bytes(&in, body_size(&h, 4));
    if (!read_header(&in, &h) || !read_body(z, &in, &h) || wire_u8(&in) != '\n')
        return false;
    footer = memchr(in.p, '\n', wire_left(&in));
    if (!footer)
        return false;
    rule = xstrndup((const char *)in.p, (size_t)(footer - (const char *)in.p));
    if (*rule) {
        ok = read_rule(rule, &z->rule);
    } else { /* no rule: the last transition goes on for ever */
        z->rule.std_s = z->n ? z->offset_s[z->n - 1] : z->before_s;
        ok = true;
    }
    free(rule);
    return ok;
}

/* "Area/Place": no way out of the database's folder. */
static bool name_is_sane(const char *name)
{
    return *name && *name != '/' && strlen(name) < 100 && !strstr(name, "..") &&
           name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/")] == '\0';
}

int zone_open(const char *name, struct zone **out)
{
    struct zone *z;
    char *path, *data = NULL;
    size_t n;
    int rc = 0;

    if (!name_is_sane(name))
        return PD_EINVAL;
    z = xcalloc(1, sizeof *z);
    z->name = xstrdup(name);
    if (strcmp(name, "UTC") != 0) {
        path = xasprintf("%s/%s", ZONE_DIR, name);
        rc = file_read(path, MAX_FILE, &data, &n);
        free(path);
        if (rc == 0 && !read_file(z, data, n))
            rc = PD_ECORRUPT;
        free(data);
    }
    if (rc < 0)
        zone_free(z);
    else
        *out = z;
    return rc;
}

void zone_free(struct zone *z)
{
    if (!z)
        return;
    free(z->from_s);
    free(z->offset_s);
    free(z->name);
    free(z);
}

const char *zone_name(const struct zone *z)
{
    return z->name;
}

int32_t zone_offset_s(const struct zone *z, int64_t wall_ms)
{
    int64_t s = floor_div(wall_ms, 1000);
    size_t lo = 0, hi = z->n;

    if (z->n == 0)
        return rule_offset(&z->rule, s);
    if (s >= z->from_s[z->n - 1])
        return rule_offset(&z->rule, s);
    while (lo < hi) { /* the first transition after s */
        size_t mid = lo + (hi - lo) / 2;

        if (z->from_s[mid] <= s)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > 0 ? z->offset_s[lo - 1] : z->before_s;
}

int64_t zone_local_ms(const struct zone *z, int64_t wall_ms)
{
    return wall_ms + (int64_t)zone_offset_s(z, wall_ms) * 1000;
}

/* Between lo, where the offset is still the old one, and hi, where it is the new one. */
static int64_t find_transition(const struct zone *z, int64_t lo, int64_t hi)
{
    int32_t before = zone_offset_s(z, lo);

    while (hi - lo > 1) {
        int64_t mid = lo + (hi - lo) / 2;

        if (zone_offset_s(z, mid) == before)
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}

/* No place is more than a day from Greenwich, and none moves its clocks twice within two days. */
int64_t zone_wall_ms(const struct zone *z, int64_t local_ms)
{
    int64_t lo = local_ms - DATE_DAY_MS, hi = local_ms + DATE_DAY_MS, moved;
    int64_t by_old = local_ms - (int64_t)zone_offset_s(z, lo) * 1000;
    int64_t by_new = local_ms - (int64_t)zone_offset_s(z, hi) * 1000;

    if (by_old == by_new)
        return by_old;
    moved = find_transition(z, lo, hi);
    if (by_old < moved)
        return by_old;
    return by_new > moved ? by_new : moved;
}

void zone_format(const struct zone *z, int64_t wall_ms, char out[static 20])
{
    int64_t local = zone_local_ms(z, wall_ms), day = date_day_of_ms(local);
    int in_day = (int)((local - day * DATE_DAY_MS) / 1000);
    char text[40];

    date_format(day, out);
    snprintf(text, sizeof text, " %02d:%02d:%02d", in_day / 3600, in_day / 60 % 60, in_day % 60);
    memcpy(out + 10, text, 9);
    out[19] = '\0';
}
