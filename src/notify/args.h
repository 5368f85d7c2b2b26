#ifndef PD_NOTIFY_ARGS_H
#define PD_NOTIFY_ARGS_H

#include "base/array.h"
#include "base/text.h"

/* The members of a flat JSON object, as an alert's message_args and an event's args are. */
struct args {
    ARRAY(struct text_arg) list; /* texts unquoted; numbers, true, false and null as they stand */
    ARRAY(char *) storage;
};

/* PD_EINVAL for anything but a flat object; what was read before stands. args_fini() in any case. */
int args_parse(struct args *a, const char *json);
void args_fini(struct args *a);

#endif
