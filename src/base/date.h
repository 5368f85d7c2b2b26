#ifndef PD_BASE_DATE_H
#define PD_BASE_DATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Dates of the Gregorian calendar, also before it was made. A day is a number,
 * counted from 1970-01-01, so that days are added and compared as numbers.
 */
struct date {
    int64_t year;
    int month, day; /* from 1 */
};

enum weekday { MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY, WEEKDAY_COUNT };

enum { DATE_DAY_MS = 86400000 };

int64_t date_to_day(int64_t year, int month, int day);
struct date date_of_day(int64_t day);
enum weekday date_weekday(int64_t day);
bool date_is_leap(int64_t year);
int date_month_days(int64_t year, int month);

/* The day in which a time lies that is counted in milliseconds since 1970-01-01 00:00 of the same clock. */
int64_t date_day_of_ms(int64_t ms);

/* Exactly YYYY-MM-DD, a day that exists: 0 or PD_EINVAL. */
int date_parse(const char *s, int64_t *day);
/* YYYY-MM-DD; years beyond 0 to 9999 are written as the nearest of them. */
void date_format(int64_t day, char out[static 11]);

#endif
