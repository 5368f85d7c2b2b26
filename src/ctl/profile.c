#include "ctl/profile.h"

/* What is shown of profiles. */

const struct ctl_column profile_columns[] = {
    {.name = "name", .max = 24},
    {.name = "device_class", .type = VIEW_CODE, .words = "class", .max = 10},
    {.name = "title", .max = 20},
    {.name = "priority", .title = "ctl.col.profile-priority", .type = VIEW_INT},
    {.name = "extends", .max = 16, .shown = SHOWN_WIDE},
    {.name = "origin", .max = 30},
    {.name = "replaces", .max = 30, .shown = SHOWN_WIDE},
    {0},
};

const struct ctl_column saying_columns[] = {
    {.name = "key", .max = 20},
    {.name = "value"},
    {.name = "profile", .max = 20},
    {.name = "replaced", .type = VIEW_BOOL, .shown = SHOWN_PROGRAMS},
    {.name = "origin"},
    {0},
};

const struct ctl_column candidate_columns[] = {
    {.name = "profile", .max = 20},
    {.name = "priority", .title = "ctl.col.profile-priority", .type = VIEW_INT},
    {.name = "object_id", .max = 20},
    {.name = "verdict", .type = VIEW_CODE, .words = "profile-verdict", .max = 8},
    {.name = "match", .shown = SHOWN_PROGRAMS},
    {.name = "saw"},
    {.name = "origin", .shown = SHOWN_PROGRAMS},
    {0},
};

/* In the reader's language. */
int run_profile_list(struct ctl *t, const struct command *c, json_t *args)
{
    json_object_set_new(args, "lang", json_string(lang_name(t->lang)));
    return run_list(t, c, args);
}
