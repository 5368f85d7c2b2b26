#include "store/backup.h"

#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/draft.h"

int store_backup(const char *from, const char *to, store_progress progress, void *ctx, char **why)
{
    struct draft d = {0};
    int rc;

    *why = NULL;
    if (access(to, F_OK) == 0) {
        *why = xasprintf("%s: is there already; a backup replaces nothing", to);
        return PD_EEXIST;
    }
    rc = draft_copy(&d, from, to, progress, ctx, why);
    if (rc == 0)
        rc = draft_close(&d, why);
    if (rc == 0)
        rc = draft_put(&d, to, false, why);
    draft_drop(&d);
    return rc;
}
