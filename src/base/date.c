#include "base/date.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Years are counted from March, so that the leap day is a year's last. */
int64_t date_to_day(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2), era = floor_div(y, 400), in_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + day_of_year - 719468;
}

struct date date_of_day(int64_t day)
{
    int64_t z = day + 719468, era = floor_div(z, 146097), in_era = z - era * 146097;
    int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t day_of_year = in_era - (365 * y + y / 4 - y / 100), m = (5 * day_of_year + 2) / 153;
    int month = (int)(m < 10 ? m + 3 : m - 9);

    return (struct date){
        .year = y + era * 400 + (month <= 2),
        .month = month,
        .day = (int)(day_of_year - (153 * m + 2) / 5 + 1),
    };
}

/* 1970-01-01 was a Thursday. */
enum weekday date_weekday(int64_t day)
{
    return (enum weekday)(((day + THURSDAY) % WEEKDAY_COUNT + WEEKDAY_COUNT) % WEEKDAY_COUNT);
}

bool date_is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int date_month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && date_is_leap(year));
}

int64_t date_day_of_ms(int64_t ms)
{
    return floor_div(ms, DATE_DAY_MS);
}

/* n digits as a number; -1 if there is anything else. */
static int digits(const char *s, int n)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        value = value * 10 + (s[i] - '0');
    }
    return value;
}

int date_parse(const char *s, int64_t *day)
{
    int year, month, in_month;

    if (strlen(s) != strlen("YYYY-MM-DD") || s[4] != '-' || s[7] != '-')
        return PD_EINVAL;
    year = digits(s, 4);
    month = digits(s + 5, 2);
    in_month = digits(s + 8, 2);
    if (year < 0 || month < 1 || month > 12 || in_month < 1 || in_month > date_month_days(year, month))
        return PD_EINVAL;
    *day = date_to_day(year, month, in_month);
    return 0;
}

void date_format(int64_t day, char out[static 11])
{
    struct date d = date_of_day(day);
    int year = (int)(d.year < 0 ? 0 : d.year > 9999 ? 9999 : d.year);
    char text[40];

    snprintf(text, sizeof text, "%04d-%02d-%02d", year, d.month, d.day);
    memcpy(out, text, 10);
    out[10] = '\0';
}
