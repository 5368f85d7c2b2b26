#include "tests/conf/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"

int folder_make(void **state)
{
    char *dir = xstrdup("/tmp/patrold-knowledge-XXXXXX");

    *state = dir;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

int folder_remove(void **state)
{
    int rc = nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);

    free(*state);
    return rc;
}

void folder_put(const char *dir, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", dir, name), *slash = strrchr(path, '/');

    *slash = '\0';
    mkdir(path, 0755);
    *slash = '/';
    assert_int_equal(file_write_whole(path, text, strlen(text), 0644), 0);
    free(path);
}
