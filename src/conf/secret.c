#include "conf/secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_SECRET = 1024 };

char *conf_path_beside(const struct yaml_node *node)
{
    const char *slash = strrchr(node->file->path, '/');

    if (node->text[0] == '/' || !slash)
        return xstrdup(node->text);
    return xasprintf("%.*s/%s", (int)(slash - node->file->path), node->file->path, node->text);
}

/* A secret may stand only where nobody else can read it. */
static bool check_private(const char *path, struct yaml_node *node, struct conf_report *report)
{
    struct stat st;

    if (stat(path, &st) == 0 && (st.st_mode & 077) == 0)
        return true;
    if (path == node->file->path)
        conf_error(report, node,
                   "a secret in a file that others can read: make it 'chmod 0600 %s', or name a file of its own", path);
    else
        conf_error(report, node, "a secret in a file that others can read: make it 'chmod 0600 %s'", path);
    return false;
}

static char *read_secret_file(struct yaml_node *node, struct conf_report *report)
{
    char *path = conf_path_beside(node), *secret = NULL;
    size_t n;
    int rc = file_read(path, MAX_SECRET, &secret, &n);

    if (rc < 0) {
        conf_error(report, node, "%s cannot be read: %s", path, pd_strerror(rc));
        secret = NULL;
    } else if (check_private(path, node, report)) {
        secret[strcspn(secret, "\r\n")] = '\0';
        if (!*secret)
            conf_error(report, node, "%s is empty: it must hold the secret in its first line", path);
        else if (!str_utf8_valid(secret, strlen(secret)))
            conf_error(report, node, "%s is not UTF-8", path);
    }
    free(path);
    return secret;
}

char *conf_take_secret(struct yaml_node *inlined, struct yaml_node *file, struct conf_report *report)
{
    if (inlined && file) {
        conf_error(report, file, "the secret itself stands beside it: give one of the two");
        return NULL;
    }
    if (file)
        return read_secret_file(file, report);
    if (!inlined)
        return NULL;
    /* What every device is shipped with is no secret. */
    if (!str_eq(inlined->text, "public"))
        check_private(inlined->file->path, inlined, report);
    return xstrdup(inlined->text);
}
