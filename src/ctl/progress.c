#include <unistd.h>

#include "ctl/ctl.h"

bool ctl_shows_progress(const struct ctl *t)
{
    return t->format == VIEW_PEOPLE && isatty(fileno(t->err));
}

void ctl_progress(struct ctl *t, unsigned percent)
{
    enum { WIDTH = 40 };
    unsigned done = percent * WIDTH / 100;

    if (!ctl_shows_progress(t))
        return;
    fprintf(t->err, "\r[%.*s%*s] %3u %%%s", (int)done, "########################################", (int)(WIDTH - done),
            "", percent, percent == 100 ? "\r\x1b[K" : "");
    fflush(t->err);
}
