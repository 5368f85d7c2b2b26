#include "report/mail.h"

#include "report/words.h"

const struct chart *mail_chart(const struct content *c, size_t number)
{
    for (size_t i = 0; i < c->blocks.n; i++)
        if (c->blocks.v[i]->type == BLOCK_CHART && --number == 0)
            return &c->blocks.v[i]->chart;
    return NULL;
}

size_t mail_rows(const struct table *t, bool *shown)
{
    size_t room = MAIL_ROWS, left = 0;

    for (size_t i = 0; i < t->rows.n; i++) {
        shown[i] = t->rows.v[i].total || (t->rows.v[i].notable && room > 0);
        room -= shown[i] && !t->rows.v[i].total;
    }
    for (size_t i = 0; i < t->rows.n; i++) {
        if (!shown[i] && room > 0) {
            shown[i] = true;
            room--;
        }
        left += !shown[i];
    }
    return left;
}

char *mail_more(const struct content *c, size_t left)
{
    struct sbuf n = {0}, text = {0};

    words_count(&n, (int64_t)left);
    text_fill(&text, text_get(c->lang, "report.mail.more"), (struct text_arg[]){{"n", n.s}}, 1);
    sbuf_free(&n);
    return sbuf_take(&text);
}

char *mail_foot(const struct content *c)
{
    struct sbuf n = {0}, text = {0};

    words_count(&n, c->doc->report.as_of_event);
    text_fill(&text, text_get(c->lang, "report.mail.foot"), (struct text_arg[]){{"event", n.s}}, 1);
    sbuf_free(&n);
    return sbuf_take(&text);
}
