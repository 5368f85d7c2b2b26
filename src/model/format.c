#include "model/format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* How units are written after a number. What people count ({page}) is named by the text around it. */
static const struct {
    const char *unit, *after;
} unit_texts[] = {
    {"%", " %"},
    {"Cel", " °C"},
    {"kW.h", " kWh"},
};

static const char *unit_text(const char *unit)
{
    for (size_t i = 0; i < sizeof unit_texts / sizeof *unit_texts; i++) {
        if (strcmp(unit, unit_texts[i].unit) == 0)
            return unit_texts[i].after;
    }
    return NULL;
}

/* With at most two decimals, and none that say nothing. */
static void add_number(struct sbuf *out, double x)
{
    char text[400];
    size_t n = (size_t)snprintf(text, sizeof text, "%.2f", x);

    while (n > 0 && n < sizeof text && text[n - 1] == '0')
        n--;
    if (n > 0 && text[n - 1] == '.')
        n--;
    sbuf_addn(out, text, n);
}

static void add_bytes(struct sbuf *out, double x)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t i = 0;

    for (; fabs(x) >= 1024 && i + 1 < sizeof names / sizeof *names; i++)
        x /= 1024;
    add_number(out, x);
    sbuf_addf(out, " %s", names[i]);
}

/* Seconds, from two minutes on in the two largest units that say something. */
static void add_duration(struct sbuf *out, double x)
{
    enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
    int64_t s = (int64_t)x;

    if (s >= DAY)
        sbuf_addf(out, "%" PRId64 " d %" PRId64 " h", s / DAY, s % DAY / HOUR);
    else if (s >= HOUR)
        sbuf_addf(out, "%" PRId64 " h %" PRId64 " min", s / HOUR, s % HOUR / MINUTE);
    else
        sbuf_addf(out, "%" PRId64 " min", s / MINUTE);
}

static void add_quantity(struct sbuf *out, const char *unit, struct value v)
{
    double x = v.type == VALUE_INT ? (double)v.i : v.num;

    if (unit && strcmp(unit, "By") == 0) {
        add_bytes(out, x);
        return;
    }
    if (unit && strcmp(unit, "s") == 0 && x >= 120 && x < 1e15) {
        add_duration(out, x);
        return;
    }
    if (v.type == VALUE_INT)
        sbuf_addf(out, "%" PRId64, v.i);
    else
        add_number(out, x);
    if (!unit || unit[0] == '{')
        return;
    if (unit_text(unit))
        sbuf_add(out, unit_text(unit));
    else
        sbuf_addf(out, " %s", unit);
}

static void add_flags(struct sbuf *out, const struct members *members, uint64_t bits)
{
    const char *comma = "";

    for (size_t i = 0; i < members->list.n; i++) {
        const struct member *m = &members->list.v[i];

        if (m->number >= 0 && m->number < 64 && (bits >> m->number & 1)) {
            sbuf_addf(out, "%s%s", comma, m->code);
            comma = ", ";
        }
    }
}

static void add_member(struct sbuf *out, const struct members *members, int64_t number)
{
    const struct member *m = members_by_number(members, number);

    if (m)
        sbuf_add(out, m->code);
    else
        sbuf_addf(out, "%" PRId64, number);
}

void format_value(struct sbuf *out, const struct point_def *p, struct value v)
{
    if (v.quality != QUALITY_GOOD && v.quality != QUALITY_STALE) {
        sbuf_add(out, quality_name((enum quality)v.quality));
        return;
    }
    switch ((enum value_type)v.type) {
    case VALUE_NONE:
        sbuf_add(out, quality_name(QUALITY_UNKNOWN));
        break;
    case VALUE_BOOL:
        sbuf_add(out, v.b ? "true" : "false");
        break;
    case VALUE_INT:
    case VALUE_NUM:
        add_quantity(out, p->unit, v);
        break;
    case VALUE_ENUM:
        add_member(out, &p->members, v.i);
        break;
    case VALUE_BITS:
        add_flags(out, &p->members, v.bits);
        break;
    case VALUE_TEXT:
        sbuf_add(out, v.text);
        break;
    }
}
