#ifndef PD_CONF_CREDENTIALS_H
#define PD_CONF_CREDENTIALS_H

#include "conf/conf.h"
#include "conf/schema.h"

/* Inside settings_load(): the section `credentials`, as read and then as it is kept. */
struct credential_draft {
    struct credential credential; /* what is read straight into its place */
    struct yaml_node *here;
    struct yaml_node *community, *community_file;
    struct yaml_node *user, *auth, *privacy, *context;
    struct yaml_node *auth_password, *auth_password_file, *privacy_password, *privacy_password_file;
};
extern const struct schema credential_schema;

/* Checks what no table can say, and completes the credential, which the caller takes out of the draft. */
void credential_take(struct credential_draft *from, struct conf_report *report);
void credential_fini(struct credential *c);

#endif
