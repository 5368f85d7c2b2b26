#ifndef PD_GATHER_RENDER_H
#define PD_GATHER_RENDER_H

#include <stddef.h>

#include "plugin/plugin.h"

/*
 * What makes files of a report's document. The one of patrold runs
 * patrol-report; in virtual time another stands in its place.
 */
struct render_wish {
    const char *program; /* patrol-report */
    const char *folder;  /* made if it is not there */
    const char *base;    /* the files' names begin with it: BASE.pdf, BASE.html, BASE.html.chart-1.png, …, BASE.txt */
    const char *document;
    size_t n;
};

struct renderer {
    /*
     * One at a time (PD_EBUSY). done comes later, in the loop: 0 and all files are whole and on disk, or an error and
     * its reason in words, and there are none.
     */
    int (*start)(void *ctx, const struct render_wish *w, void (*done)(void *arg, int err, const char *why), void *arg);
    /* Ends what is under way; its done is not called. */
    void (*cancel)(void *ctx);
    /* The names of all files in a folder, in order of name; none if there is no such folder. */
    void (*list)(void *ctx, const char *folder, void (*fn)(void *arg, const char *name), void *arg);
    void (*drop)(void *ctx, const char *folder, const char *name);
    void *ctx;
};

/* Runs patrol-report as a child process: its own limits and a time-out, its words in our log, watched by the loop. */
struct child_renderer;
struct child_renderer *child_renderer_new(const struct pd_services *services);
void child_renderer_free(struct child_renderer *r); /* NULL is fine; ends the child */
struct renderer child_renderer_ops(struct child_renderer *r);

#endif
