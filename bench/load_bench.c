/*
 * Prints what loading knowledge costs, and choosing among its profiles: load_bench [-p PROFILES] FOLDER...
 * With -p as many profiles of makers that nobody knows are made beside the folders'.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"

enum { ROUNDS = 20, CHOICES = 100000, MAX_FOLDERS = 8, FIRST_MAKER = 70000, PER_FILE = 20 };

static void write_file(const char *dir, int file, const struct sbuf *text)
{
    char *path = xasprintf("%s/profiles/made-%03d.yaml", dir, file);

    if (file_write_whole(path, text->s, text->n, 0644) != 0) {
        fprintf(stderr, "cannot write %s\n", path);
        exit(1);
    }
    free(path);
}

/* Each with three object identifiers, half of them with a condition, too. */
static void make_profiles(const char *dir, int n)
{
    struct sbuf text = {0};
    char *folder = xasprintf("%s/profiles", dir);

    if (mkdir(folder, 0755) != 0) {
        fprintf(stderr, "cannot make %s\n", folder);
        exit(1);
    }
    for (int i = 0; i < n; i++) {
        int maker = FIRST_MAKER + i;

        if (i % PER_FILE == 0)
            sbuf_add(&text, "profiles:\n");
        sbuf_addf(&text,
                  "  - profile: made-%d\n    extends: generic-switch\n    title: {en: Switch %d, zh_CN: 交换机 %d}\n"
                  "    object_ids: [1.3.6.1.4.1.%d.1, 1.3.6.1.4.1.%d.2.5, 1.3.6.1.4.1.%d.7]\n"
                  "    make: '\"Maker %d\"'\n    model: first(word(sysDescr, 2), entPhysicalModelName)\n",
                  i, i, i, maker, maker, maker, i);
        if (i % 2)
            sbuf_addf(&text, "    match: starts(sysDescr, \"Series %d\") or contains(sysDescr, \"XR\")\n", i);
        if (i % PER_FILE == PER_FILE - 1 || i == n - 1) {
            write_file(dir, i / PER_FILE, &text);
            sbuf_reset(&text);
        }
    }
    sbuf_free(&text);
    free(folder);
}

static struct knowledge *load(const char *const *dirs, size_t n)
{
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    if (knowledge_load(dirs, n, NULL, &k, &report) != 0) {
        fputs(report.text.s, stderr);
        exit(1);
    }
    return k;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure_choice(const struct knowledge *k)
{
    double start = seconds();
    size_t found = 0;

    for (int i = 0; i < CHOICES; i++) {
        struct profile_candidates list = {0};
        char object_id[64];

        snprintf(object_id, sizeof object_id, "1.3.6.1.4.1.%d.2.5.1", FIRST_MAKER + i % 1000);
        profile_candidates(&k->index, object_id, &list);
        found += list.n;
        array_free(&list);
    }
    printf("candidates of a device: %.2f us, %.1f of %zu profiles\n", (seconds() - start) * 1e6 / CHOICES,
           (double)found / CHOICES, k->profiles.n);
}

int main(int argc, char **argv)
{
    const char *dirs[MAX_FOLDERS];
    char made[] = "/tmp/patrold-bench-XXXXXX";
    double took[ROUNDS];
    struct knowledge *k;
    size_t n = 0;
    int c, more = 0;

    while ((c = getopt(argc, argv, "p:")) == 'p')
        more = atoi(optarg);
    for (int i = optind; i < argc && n < MAX_FOLDERS - 1; i++)
        dirs[n++] = argv[i];
    if (c != -1 || n == 0) {
        fprintf(stderr, "usage: load_bench [-p PROFILES] FOLDER...\n");
        return 2;
    }
    if (more > 0 && mkdtemp(made)) {
        make_profiles(made, more);
        dirs[n++] = made;
    }
    for (int i = 0; i < ROUNDS; i++) {
        double start = seconds();

        knowledge_free(load(dirs, n));
        took[i] = seconds() - start;
    }
    qsort(took, ROUNDS, sizeof *took, compare);
    k = load(dirs, n);
    printf("loading %zu files, %zu modules, %zu profiles, %zu rules: %.1f ms (median of %d, least %.1f)\n", k->files.n,
           k->modules.n, k->profiles.n, k->rules.n, took[ROUNDS / 2] * 1e3, ROUNDS, took[0] * 1e3);
    measure_choice(k);
    if (more > 0)
        fprintf(stderr, "made profiles are in %s\n", made);
    knowledge_free(k);
    return 0;
}
