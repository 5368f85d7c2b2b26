#ifndef PD_CONF_PLANS_H
#define PD_CONF_PLANS_H

#include "conf/schema.h"
#include "model/patrol.h"

/* Inside settings_load(): the section `plans`, as read and then as it is kept. */
struct plan_draft {
    struct plan plan; /* what is read straight into its place */
    struct yaml_node *here, *rule, *start, *at, *calendar, *checklist;
};
extern const struct schema plan_schema;

/*
 * Checks what no table can say, and completes the plan, which the caller takes
 * out of the draft. where() tells the place of a node for the model.
 */
void plan_take(struct plan_draft *from, struct where (*where)(void *ctx, const struct yaml_node *node), void *ctx,
               struct conf_report *report);

#endif
