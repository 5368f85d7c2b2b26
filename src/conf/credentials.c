#include "conf/credentials.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/secret.h"

enum { MIN_PASSWORD = 8, MAX_USER = 32, MAX_CONTEXT = 255 }; /* bytes; RFC 3414, 2.2 and 11.2 */

/* In the order of enum usm_auth_kind and enum usm_privacy_kind. */
static const char *const auth_names[] = {"none", "md5", "sha1", "sha224", "sha256", "sha384", "sha512", NULL};
static const char *const privacy_names[] = {"none",   "des",           "aes128",        "aes192",
                                            "aes256", "aes192-reeder", "aes256-reeder", NULL};

static const struct schema_row credential_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct credential_draft, credential.name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct credential_draft, here)},
    {"version", SCHEMA_INT, .min = 1, .max = 3, .fallback = "2",
     SCHEMA_FIELD(struct credential_draft, credential.version)},
    {"community", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct credential_draft, community)},
    {"community_file", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct credential_draft, community_file)},
    {"user", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct credential_draft, user)},
    {"auth", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct credential_draft, auth)},
    {"auth_password", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct credential_draft, auth_password)},
    {"auth_password_file", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct credential_draft, auth_password_file)},
    {"privacy", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct credential_draft, privacy)},
    {"privacy_password", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct credential_draft, privacy_password)},
    {"privacy_password_file", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct credential_draft, privacy_password_file)},
    {"context", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct credential_draft, context)},
    {0},
};
const struct schema credential_schema = {
    .what = "a credential", .rows = credential_rows, .size = sizeof(struct credential_draft)};

/* Other names of algorithms, as devices and their manuals have them, in small letters and digits. */
static const struct {
    const char *said, *meant;
} other_names[] = {
    {"sha", "sha1"},
    {"hmacmd5", "md5"},
    {"hmacsha", "sha1"},
    {"sha2", "sha256"},
    {"aes", "aes128"},
    {"aescfb", "aes128"},
    {"aes128cfb", "aes128"},
    {"aes192c", "aes192-reeder"},
    {"descbc", "des"},
    {"cbcdes", "des"},
    {"aes192cisco", "aes192-reeder"},
    {"aes256c", "aes256-reeder"},
    {"aes256cisco", "aes256-reeder"},
};

/* The name that was meant by what is none: "SHA-256" is sha256. NULL where nothing is near. */
static const char *meant_by(const char *said, const char *const *names)
{
    char plain[16];
    size_t n = 0;

    for (; *said && n < sizeof plain - 1; said++)
        if (isalnum((unsigned char)*said))
            plain[n++] = (char)tolower((unsigned char)*said);
    plain[n] = '\0';
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++)
        if (str_eq(other_names[i].said, plain))
            return str_nearest(other_names[i].meant, names);
    for (; *names; names++)
        if (str_eq(*names, plain))
            return *names;
    return NULL;
}

/* An algorithm by its name; 0, none, where nothing is said of it, or after a complaint. */
static uint8_t take_algorithm(struct yaml_node *node, const char *const *names, struct conf_report *report)
{
    const char *meant;
    int i;

    if (!node)
        return 0;
    for (i = 0; names[i]; i++)
        if (str_eq(names[i], node->text))
            return (uint8_t)i;
    meant = meant_by(node->text, names);
    if (meant)
        conf_error(report, node, "'%s' is not possible here (did you mean '%s'?)", node->text, meant);
    else
        (void)schema_name(node, names, report);
    return 0;
}

/* A text that the protocol bounds; NULL where it is not said, or after a complaint. */
static char *take_bounded(struct yaml_node *node, size_t max, struct conf_report *report)
{
    if (!node)
        return NULL;
    if (strlen(node->text) <= max)
        return xstrdup(node->text);
    conf_error(report, node, "'%.20s...' has %zu bytes: SNMPv3 takes at most %zu", node->text, strlen(node->text), max);
    return NULL;
}

/* The password of an algorithm that is `wanted`. `what` is its key, "auth". */
static char *take_password(const char *what, bool wanted, const struct yaml_node *algorithm,
                           const struct credential_draft *d, struct yaml_node *inlined, struct yaml_node *file,
                           struct conf_report *report)
{
    unsigned before = report->errors;
    char *password = conf_take_secret(inlined, file, report);

    if (password && strlen(password) < MIN_PASSWORD)
        conf_error(report, inlined ? inlined : file, "a password of SNMPv3 has at least %d bytes; this has %zu",
                   MIN_PASSWORD, strlen(password));
    else if (password && !algorithm)
        conf_error(report, inlined ? inlined : file, "a password without an algorithm: '%s' is missing, as in '%s: %s'",
                   what, what, strcmp(what, "auth") == 0 ? "sha256" : "aes128");
    else if (!password && algorithm && wanted && report->errors == before)
        conf_error(report, d->here, "'%s: %s' needs '%s_password' or '%s_password_file'", what, algorithm->text, what,
                   what);
    return password;
}

static void take_user(struct credential_draft *d, struct conf_report *report)
{
    struct credential *c = &d->credential;

    if (d->community || d->community_file)
        conf_error(report, d->community ? d->community : d->community_file,
                   "a community is of versions 1 and 2: version 3 has a 'user'");
    if (!d->user || !*d->user->text)
        conf_error(report, d->user ? d->user : d->here, "a credential of version 3 needs a 'user'");
    c->user = take_bounded(d->user, MAX_USER, report);
    c->context = take_bounded(d->context, MAX_CONTEXT, report);
    c->auth = take_algorithm(d->auth, auth_names, report);
    c->privacy = take_algorithm(d->privacy, privacy_names, report);
    if (c->privacy && !d->auth)
        conf_error(report, d->privacy, "there is no privacy without authentication: 'auth' is missing");
    else if (c->privacy && strcmp(d->auth->text, "none") == 0)
        conf_error(report, d->privacy, "there is no privacy without authentication, as 'auth: none' says");
    c->auth_password = take_password("auth", c->auth, d->auth, d, d->auth_password, d->auth_password_file, report);
    c->privacy_password =
        take_password("privacy", c->privacy, d->privacy, d, d->privacy_password, d->privacy_password_file, report);
}

static void take_community(struct credential_draft *d, struct conf_report *report)
{
    struct yaml_node *of_v3[] = {d->user,
                                 d->auth,
                                 d->privacy,
                                 d->context,
                                 d->auth_password,
                                 d->auth_password_file,
                                 d->privacy_password,
                                 d->privacy_password_file};

    for (size_t i = 0; i < sizeof of_v3 / sizeof *of_v3; i++)
        if (of_v3[i]) {
            conf_error(report, of_v3[i], "this is of version 3: 'version: 3' is missing");
            return;
        }
    d->credential.community = conf_take_secret(d->community, d->community_file, report);
    if (!d->community && !d->community_file)
        conf_error(report, d->here, "a credential needs 'community' or 'community_file'");
}

void credential_take(struct credential_draft *from, struct conf_report *report)
{
    if (from->credential.version == 3)
        take_user(from, report);
    else
        take_community(from, report);
}

const char *credential_level(const struct credential *c)
{
    if (c->version != 3)
        return NULL;
    return !c->auth ? "noAuthNoPriv" : c->privacy ? "authPriv" : "authNoPriv";
}

const char *credential_auth_name(const struct credential *c)
{
    return auth_names[c->auth];
}

const char *credential_privacy_name(const struct credential *c)
{
    return privacy_names[c->privacy];
}

static void forget(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void credential_fini(struct credential *c)
{
    free(c->name);
    free(c->user);
    free(c->context);
    forget(c->community);
    forget(c->auth_password);
    forget(c->privacy_password);
}
