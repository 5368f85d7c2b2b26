#include "moment.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"ms", 1}, {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};

static const int64_t longest_ms = 3653 * INT64_C(86400000);

int moment_duration(const char *text, int64_t *out)
{
    int64_t total = 0;
    const char *p = text;

    do {
        size_t unit = 0;
        int64_t n = 0;

        p += strspn(p, " ");
        if (!isdigit((unsigned char)*p))
            return PD_EINVAL;
        for (; isdigit((unsigned char)*p); p++)
            if ((n = n * 10 + (*p - '0')) > longest_ms)
                return PD_ERANGE;
        while (unit < 5 && !str_starts(p, units[unit].name))
            unit++;
        if (unit == 5)
            return PD_EINVAL;
        p += strlen(units[unit].name);
        if (n > longest_ms / units[unit].ms || (total += n * units[unit].ms) > longest_ms)
            return PD_ERANGE;
    } while (*p != '\0');
    *out = total;
    return 0;
}

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int past = year - 1;

    return (int64_t)past * 365 + past / 4 - past / 100 + past / 400 - 719162 + before[month - 1] +
           (leap && month > 2 ? 1 : 0) + day - 1;
}

static int month_length(int year, int month)
{
    return (int)(month == 12 ? 31 : days_of(year, month + 1, 1) - days_of(year, month, 1));
}

int moment_local(const char *text, const struct zone *zone, int64_t *out)
{
    int year, month, day, hour, minute, second = 0, end = 0;
    int64_t local, utc;

    if (sscanf(text, "%4d-%2d-%2d %2d:%2d%n:%2d%n", &year, &month, &day, &hour, &minute, &end, &second, &end) < 5 ||
        text[end] != '\0')
        return PD_EINVAL;
    if (year < 2000 || year > 2199 || month < 1 || month > 12 || day < 1 || day > month_length(year, month) ||
        hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return PD_EINVAL;
    local = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60000 + second * 1000;
    utc = local - zone_offset_s(zone, local) * INT64_C(1000);
    *out = local - zone_offset_s(zone, utc) * INT64_C(1000);
    return 0;
}

void moment_add_span(struct sbuf *out, int64_t ms)
{
    int64_t left = ms < 0 ? -ms : ms;
    bool any = false;

    if (ms < 0)
        sbuf_addc(out, '-');
    for (size_t i = 1; i < 4; i++) {
        if (left < units[i].ms)
            continue;
        sbuf_addf(out, "%lld%s", (long long)(left / units[i].ms), units[i].name);
        left %= units[i].ms;
        any = true;
    }
    if (left % 1000 != 0)
        sbuf_addf(out, "%lld.%03llds", (long long)(left / 1000), (long long)(left % 1000));
    else if (left > 0 || !any)
        sbuf_addf(out, "%llds", (long long)(left / 1000));
}
