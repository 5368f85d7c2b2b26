#ifndef PD_GATHER_REPORTS_H
#define PD_GATHER_REPORTS_H

#include "conf/conf.h"
#include "gather/findings.h"
#include "gather/render.h"
#include "model/change.h"
#include "notify/notify.h"
#include "store/store.h"

/*
 * The monthly reports: when each is due, what becomes of it, and its mails. One
 * for each customer, site and month, on the first workday of the next month; what
 * fell due while nothing ran is made up for as long as there are readings of the
 * month. One is made at a time: gathered, rendered in the languages of its
 * readers, and then decided in one change: that it is made, and who gets it with which files.
 *
 * Its events: report.planned, .made, .mailed, .failed (error), each with report,
 * customer, site and month.
 */
struct reports;

/* Of whom a report tells. Borrowed for the length of a call. */
struct report_subject {
    int64_t customer_id, site_id; /* 0: as of struct report */
    const char *customer;         /* NULL: nobody is known */
    const char *site, *address;   /* address may be NULL */
    const char *contact;          /* to whom it is addressed; NULL */
    const char *technician;       /* who looks after it; NULL */
    const struct zone *zone;
    const struct calendar *calendar; /* whose workdays; NULL: every day is one */
    int64_t since_ms;                /* when its first device was added; INT64_MAX: it has none */
    int64_t contract_end_day;        /* 0: open, or no contract */
};

/* Who is who and what is to come: the composition root's answers. */
struct reports_ops {
    void (*submit)(void *ctx, struct change *c, bool urgent, void (*done)(void *arg), void *arg);
    void (*subjects)(void *ctx, void (*fn)(void *arg, const struct report_subject *s), void *arg);
    /* Everybody who is to get it. */
    void (*readers)(void *ctx, const struct report_subject *s,
                    void (*fn)(void *arg, const char *address, enum lang lang), void *arg);
    /* Whether what stands at this site (NULL: it says none) belongs to a report's site. */
    bool (*mine)(void *ctx, int64_t site_id, const char *report_site, const char *site);
    const struct contract *(*contract)(void *ctx, const struct ticket *t);
    /* What is planned at a site in [from, to). Titles by language; technician may be NULL. */
    void (*upcoming)(void *ctx, const char *site, int64_t from_ms, int64_t to_ms,
                     void (*fn)(void *arg, int64_t at_ms, char *const title[LANG_COUNT], const char *technician),
                     void *arg);
    /* Signed rounds of [from, to) stand in a report that goes out. */
    void (*reported)(void *ctx, const char *site, int64_t from_ms, int64_t to_ms, struct change *c);
    void *ctx;
};

struct reports_config {
    struct pd_services services;
    const struct settings *settings;
    const struct knowledge *knowledge;
    struct store *store;
    struct notify *notify;
    struct renderer renderer; /* start NULL: nothing is ever made */
    const char *folder;       /* of the files */
    const char *prefix;       /* of numbers */
    struct reports_ops ops;
};

struct reports *reports_new(const struct reports_config *config);
/* Ends what is under way; those who wait for it are told. */
void reports_free(struct reports *r); /* NULL is fine */
/* From the store, before reports_start(): all reports, and the messages that wait. */
void reports_load(struct reports *r, const struct report *row);
void reports_load_outbox(struct reports *r, const struct outbox *o);
void reports_set_last_id(struct reports *r, int64_t id);
/* Sweeps files that nobody speaks of, and begins to look what is due. */
void reports_start(struct reports *r);
void reports_reload(struct reports *r, const struct settings *settings, const struct knowledge *knowledge);

/* Says in words which reports could not be made for long, or not be mailed. */
void reports_troubles(const struct reports *r, void (*say)(void *ctx, const char *text), void *ctx);

/* A message or a report that is on disk as it stands: those who wait are told, and what became of a mail becomes of its report. */
void reports_committed(struct reports *r, const struct outbox *o);
void reports_stored(struct reports *r, const struct report *row);

/*
 * Makes a report now, whatever there was; mail: and sends it. done is called
 * once, in the loop: with 0 and a JSON object (report, path, state) when it is
 * made, or an error and why. Here PD_ENOTSUP and PD_EINVAL (a month that is
 * still to come), with *why (free it), and done is not called.
 */
int reports_make(struct reports *r, const struct report_subject *s, int64_t first_day, bool mail,
                 void (*done)(void *arg, int err, const char *json_or_why), void *arg, char **why);
/* The whole path of the PDF of a site's or a customer's report; NULL if there is none. Free it. */
char *reports_path(const struct reports *r, const char *of, const char *month);

#endif
