#include "report/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"

#define EN_DASH "\xe2\x80\x93"

void words_count(struct sbuf *out, int64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRId64, n);

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
            sbuf_addc(out, ',');
        sbuf_addc(out, digits[i]);
    }
}

void words_share(struct sbuf *out, int64_t part, int64_t whole)
{
    int64_t hundredths;

    if (whole <= 0) {
        sbuf_add(out, EN_DASH);
        return;
    }
    hundredths = (int64_t)((__int128)part * 10000 / whole);
    if (hundredths == 10000)
        sbuf_add(out, "100%");
    else
        sbuf_addf(out, "%" PRId64 ".%02" PRId64 "%%", hundredths / 100, hundredths % 100);
}

void words_duration(struct sbuf *out, enum lang lang, int64_t ms)
{
    static const struct {
        const char *id;
        int64_t seconds;
    } units[] = {{"duration.day", 86400}, {"duration.hour", 3600}, {"duration.minute", 60}, {"duration.second", 1}};
    enum { UNITS = sizeof units / sizeof *units };
    int64_t left = ms / 1000;
    size_t first = 0;

    while (first < UNITS - 1 && left < units[first].seconds)
        first++;
    for (size_t i = first; i < UNITS && i < first + 2; i++) {
        int64_t n = left / units[i].seconds;
        char number[24];

        if (n == 0 && i > first)
            break;
        if (i > first)
            sbuf_addc(out, ' ');
        snprintf(number, sizeof number, "%" PRId64, n);
        text_fill(out, text_get(lang, units[i].id), (struct text_arg[]){{"n", number}}, 1);
        left %= units[i].seconds;
    }
}

void words_day(struct sbuf *out, int64_t day)
{
    char text[11];

    date_format(day, text);
    sbuf_add(out, text);
}

/* One of the texts that have {year}, {month} and {day} in them. */
static void add_date(struct sbuf *out, enum lang lang, const char *id, int64_t day)
{
    struct date d = date_of_day(day);
    char year[24], of_month[16], month[32];

    snprintf(year, sizeof year, "%" PRId64, d.year);
    snprintf(of_month, sizeof of_month, "%d", d.day);
    snprintf(month, sizeof month, "report.month.%d", d.month);
    text_fill(out, text_get(lang, id),
              (struct text_arg[]){{"year", year}, {"month", text_get(lang, month)}, {"day", of_month}}, 3);
}

void words_day_long(struct sbuf *out, enum lang lang, int64_t day)
{
    add_date(out, lang, "report.date", day);
}

void words_month(struct sbuf *out, enum lang lang, int64_t day)
{
    add_date(out, lang, "report.month", day);
}

void words_stamp(struct sbuf *out, const struct document *doc, int64_t wall_ms)
{
    char text[20], month[11];

    zone_format(doc->zone, wall_ms, text);
    date_format(doc->period.month, month);
    text[16] = '\0'; /* without the seconds */
    sbuf_add(out, strncmp(text, month, 5) == 0 ? text + 5 : text);
}

const char *words_code(enum lang lang, const char *prefix, const char *code)
{
    struct sbuf id = {0};
    const char *text;

    sbuf_addf(&id, "%s.%s", prefix, code);
    text = text_get(lang, id.s);
    if (text == id.s)
        text = code;
    sbuf_free(&id);
    return text;
}
