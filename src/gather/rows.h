#ifndef PD_GATHER_ROWS_H
#define PD_GATHER_ROWS_H

#include <jansson.h>

#include "gather/findings.h"

/* Rows of the store's queries as findings; what they hold is owned. */

/* A member's text, NULL if it has none or an empty one; and its number, 0 if it has none. */
const char *row_text(const json_t *row, const char *name);
int64_t row_int(const json_t *row, const char *name);

void row_device(const json_t *row, struct found_device *out);
void found_device_fini(struct found_device *d);
void row_fault(const json_t *row, struct found_fault *out);
/* These give PD_ENOENT for what no report tells: a code nobody knows, a round that was cancelled, an item that is open. */
int row_ticket(const json_t *row, struct ticket *out);
int row_round(const json_t *row, struct found_round *out);
int row_item(const json_t *row, struct found_item *out);

/* Devices, and what refers to them, in the order in which people read them: visits with their items. */
void rows_sort(struct findings *f);

#endif
