#ifndef PD_GATHER_DOCUMENT_H
#define PD_GATHER_DOCUMENT_H

#include "gather/findings.h"

/*
 * Writes findings down as the document that patrol-report takes
 * (patrold-report-document(5)), in one language. Totals are added up from the
 * rows as they are written, so they equal them.
 */
struct document_about {
    enum lang lang;
    const char *number; /* the report's */
    struct {
        const char *name, *phone, *email; /* the last two may be NULL */
    } provider;
    const char *customer, *contact;  /* contact may be NULL */
    const char *site, *site_address; /* address may be NULL */
    const char *time_zone;
    const char *technician; /* who signs, where that is known; NULL */
    const struct knowledge *knowledge;
};

/* The JSON, to be free()d; *n its length. */
char *document_write(const struct findings *f, const struct document_about *about, size_t *n);

#endif
