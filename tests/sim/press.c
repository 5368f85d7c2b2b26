#include "press.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

enum { PRESS_MS = 3000 };

static void ready(void *ctx)
{
    struct press *p = ctx;

    p->done(p->arg, p->err, p->err < 0 ? pd_strerror(p->err) : NULL);
}

static int start(void *ctx, const struct render_wish *w, void (*done)(void *arg, int err, const char *why), void *arg)
{
    struct press *p = ctx;
    char *path = xasprintf("%s/%s.json", p->folder, w->base);

    p->err = file_write_whole(path, w->document, w->n, 0644);
    p->done = done;
    p->arg = arg;
    timer_init(&p->timer, ready, p);
    wheel_set(p->wheel, &p->timer, clock_mono(&p->clock) + PRESS_MS);
    free(path);
    return 0;
}

static void cancel(void *ctx)
{
    struct press *p = ctx;

    wheel_unset(p->wheel, &p->timer);
}

/* What it left stays there, and is none of patrold's business. */
static void list(void *ctx, const char *folder, void (*fn)(void *arg, const char *name), void *arg)
{
    (void)ctx;
    (void)folder;
    (void)fn;
    (void)arg;
}

static void drop(void *ctx, const char *folder, const char *name)
{
    (void)ctx;
    (void)folder;
    (void)name;
}

struct renderer press_ops(struct press *p)
{
    return (struct renderer){.start = start, .cancel = cancel, .list = list, .drop = drop, .ctx = p};
}
