/*
 * Stands in for libFuzzer where it is not linked: runs a target over each file
 * of its seed corpus, so that `make check` replays what was ever found.
 *
 * fuzz_NAME [FOLDER]: the folder is $srcdir/tests/fuzz/corpus/NAME unless given.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SEED = 4 << 20 };

static char *default_folder(const char *program)
{
    const char *srcdir = getenv("srcdir"), *name = strrchr(program, '/');

    name = name ? name + 1 : program;
    if (strncmp(name, "fuzz_", 5) == 0)
        name += 5;
    return xasprintf("%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name);
}

static void replay(const char *path)
{
    char *data, *exact;
    size_t n;
    int rc = file_read(path, MAX_SEED, &data, &n);

    if (rc != 0) {
        fprintf(stderr, "%s: %s\n", path, pd_strerror(rc));
        exit(1);
    }
    fprintf(stderr, "%s\n", path); /* before it runs: the last one named is the one that crashed */
    exact = xmemdup(data, n);
    LLVMFuzzerTestOneInput((const uint8_t *)exact, n);
    free(exact);
    free(data);
}

static int is_seed(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    char *folder = argc > 1 ? xstrdup(argv[1]) : default_folder(argv[0]);
    struct dirent **seeds;
    int n = scandir(folder, &seeds, is_seed, alphasort);

    for (int i = 0; i < n; i++) {
        char *path = xasprintf("%s/%s", folder, seeds[i]->d_name);

        replay(path);
        free(path);
        free(seeds[i]);
    }
    if (n <= 0)
        fprintf(stderr, "%s: no seeds\n", folder);
    else
        free(seeds);
    free(folder);
    return n > 0 ? 0 : 1;
}
