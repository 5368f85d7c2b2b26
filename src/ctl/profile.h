#ifndef PD_CTL_PROFILE_H
#define PD_CTL_PROFILE_H

#include "ctl/ctl.h"

/* Commands about profiles: which there are, what one says and by whose word, why a device gets its own. */
extern const struct ctl_column profile_columns[], saying_columns[], candidate_columns[];

int run_profile_list(struct ctl *t, const struct command *c, json_t *args);

#endif
