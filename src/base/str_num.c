#include "base/str.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *s)
{
    while (is_digit(*s))
        s++;
    return s;
}

int str_to_i64(const char *s, int64_t *out)
{
    const char *digits = *s == '-' ? s + 1 : s;
    long long v;

    if (!is_digit(*digits) || *skip_digits(digits))
        return PD_EINVAL;
    errno = 0;
    v = strtoll(s, NULL, 10);
    if (errno == ERANGE)
        return PD_ERANGE;
    *out = v;
    return 0;
}

/*
 * [-+] digits [. digits] [e [-+] digits], with a digit before or after the point: keeps out hex, inf,
 * nan and spaces.
 */
static bool looks_like_double(const char *s)
{
    const char *p = *s == '-' || *s == '+' ? s + 1 : s;
    const char *whole = p, *end = skip_digits(p);
    size_t digits = (size_t)(end - whole);

    if (*end == '.') {
        p = end + 1;
        end = skip_digits(p);
        digits += (size_t)(end - p);
    }
    if (digits == 0)
        return false;
    if (*end == 'e' || *end == 'E') {
        p = end + 1;
        if (*p == '-' || *p == '+')
            p++;
        end = skip_digits(p);
        if (end == p)
            return false;
    }
    return *end == '\0';
}

int str_to_double(const char *s, double *out)
{
    locale_t c;
    double v;

    if (!looks_like_double(s))
        return PD_EINVAL;
    c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* glibc has it ready: nothing is allocated */
    v = strtod_l(s, NULL, c);
    freelocale(c);
    if (v - v != 0) /* infinite: too large for a double */
        return PD_ERANGE;
    *out = v;
    return 0;
}

/* Digits in groups of three behind the first mark: 1,234,567. */
static bool grouped(const char *s, size_t n, char mark)
{
    size_t run = 0, marks = 0;

    for (size_t i = 0; i < n; i++) {
        if (s[i] != mark) {
            run++;
            continue;
        }
        if (run == 0 || run > 3 || (marks > 0 && run != 3))
            return false;
        marks++;
        run = 0;
    }
    return marks == 0 || run == 3;
}

/* Which of the marks in the n digits is the decimal one, 0 for none; false where that can't be said. */
static bool decimal_mark(const char *s, size_t n, char *mark)
{
    size_t points = 0, commas = 0, at = 0; /* at: behind the last mark */

    for (size_t i = 0; i < n; i++) {
        points += s[i] == '.';
        commas += s[i] == ',';
        if (!is_digit(s[i]))
            at = i + 1;
    }
    *mark = at ? s[at - 1] : '\0';
    if (points && commas)
        return (*mark == '.' ? points : commas) == 1 && grouped(s, at - 1, *mark == '.' ? ',' : '.');
    if (commas > 1) {
        *mark = '\0';
        return grouped(s, n, ',');
    }
    return points <= 1 && !(commas == 1 && n - at == 3 && *s != '0' && at <= 4);
}

int str_leading_number(const char *s, double *out, const char **rest)
{
    const char *digits, *end;
    char plain[64], mark;
    size_t n, len = 0;

    s += strspn(s, " ");
    digits = *s == '-' || *s == '+' ? s + 1 : s;
    n = strspn(digits, "0123456789.,");
    while (n > 0 && !is_digit(digits[n - 1]))
        n--;
    end = digits + n;
    if (n == 0 || n > sizeof plain - 8 || !decimal_mark(digits, n, &mark))
        return PD_EINVAL;
    if (*s == '-')
        plain[len++] = '-';
    for (size_t i = 0; i < n; i++)
        if (is_digit(digits[i]) || digits[i] == mark)
            plain[len++] = (char)(is_digit(digits[i]) ? digits[i] : '.');
    if ((*end == 'e' || *end == 'E') && (end[1] == '+' || end[1] == '-') && is_digit(end[2])) {
        plain[len++] = 'e';
        plain[len++] = *++end;
        for (size_t i = 0; is_digit(*++end) && i < 3; i++)
            plain[len++] = *end;
    }
    plain[len] = '\0';
    *rest = end;
    return str_to_double(plain, out);
}

int str_to_ms(const char *s, int64_t *out)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    const char *unit = skip_digits(s);
    int64_t v = 0;

    if (unit == s)
        return PD_EINVAL;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        for (; s < unit; s++)
            if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *s - '0', &v))
                return PD_ERANGE;
        if (__builtin_mul_overflow(v, units[i].ms, &v))
            return PD_ERANGE;
        *out = v;
        return 0;
    }
    return PD_EINVAL;
}

/* The years 0000 to 9999, which is what 25 bytes can say. */
#define UTC_MIN_MS INT64_C(-62167219200000)
#define UTC_MAX_MS INT64_C(253402300799999)

void str_utc_ms(int64_t wall_ms, char out[static 25])
{
    struct tm tm;
    time_t sec;
    int ms;

    if (wall_ms < UTC_MIN_MS)
        wall_ms = UTC_MIN_MS;
    if (wall_ms > UTC_MAX_MS)
        wall_ms = UTC_MAX_MS;
    ms = (int)(wall_ms % 1000);
    sec = (time_t)(wall_ms / 1000);
    if (ms < 0) {
        ms += 1000;
        sec--;
    }
    gmtime_r(&sec, &tm);
    snprintf(out, 25, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
             (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, (unsigned)ms % 1000);
}
