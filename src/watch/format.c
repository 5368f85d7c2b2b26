#include <string.h>

#include "watch/internal.h"

/* ---- The points that a rule's messages name ---- */

/* True if a message in any language has {name}. */
static bool names_point(const struct rule *r, const char *name)
{
    struct sbuf braced = {0};
    bool found = false;

    sbuf_addf(&braced, "{%s}", name);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        found |= r->message[lang] && strstr(r->message[lang], braced.s);
    sbuf_free(&braced);
    return found;
}

char *format_message_args(const struct rule *r, const struct value *points)
{
    struct sbuf out = {0}, text = {0};

    sbuf_addc(&out, '{');
    for (size_t i = 0; i < r->kind->points.n; i++) {
        const struct point_def *p = &r->kind->points.v[i];

        if (!names_point(r, p->name))
            continue;
        if (out.n > 1)
            sbuf_addc(&out, ',');
        sbuf_add_json(&out, p->name);
        sbuf_addc(&out, ':');
        sbuf_reset(&text);
        sbuf_add(&text, "");
        format_value(&text, p, points[i]);
        sbuf_add_json(&out, text.s);
    }
    sbuf_addc(&out, '}');
    sbuf_free(&text);
    return sbuf_take(&out);
}
