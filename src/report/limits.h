#ifndef PD_REPORT_LIMITS_H
#define PD_REPORT_LIMITS_H

/*
 * Bounds what this process may take, so that a document that asks for too much ends it and nothing else: memory, processor
 * time, the size of a file; no core dump, which would hold the customer's data. 0 or an enum pd_err.
 */
int limits_set(void);

#endif
