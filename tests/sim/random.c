#include "random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "random_story.h"

/* What a child hands back, before its text. */
struct answer {
    int err;
    bool ran;
    struct run_result result;
};

struct child {
    pid_t pid;
    FILE *file; /* unlinked: parent and child share it */
};

/* ---- In the child ---- */

static struct answer run_seed(const struct random_options *o, uint64_t seed, struct sbuf *out)
{
    struct answer a = {.ran = true};
    struct conf_report report = {0};
    struct story *story = NULL;
    struct sbuf text = {0};
    char path[40];

    snprintf(path, sizeof path, "seed-%llu", (unsigned long long)seed);
    random_story(&text, seed, o->devices, o->days);
    a.err = story_parse(path, text.s, text.n, &story, &report);
    if (a.err == 0)
        a.err = run_story(story, &o->run, out, &a.result);
    else
        sbuf_add(out, report.text.s ? report.text.s : "no story");
    conf_report_free(&report);
    story_free(story);
    sbuf_free(&text);
    return a;
}

static void be_child(const struct random_options *o, uint64_t seed, FILE *file)
{
    struct sbuf out = {0};
    struct answer a = run_seed(o, seed, &out);
    bool ok =
        fwrite(&a, sizeof a, 1, file) == 1 && fwrite(out.s ? out.s : "", 1, out.n, file) == out.n && fflush(file) == 0;

    sbuf_free(&out);
    _exit(ok ? 0 : 1);
}

/* ---- In the parent ---- */

static bool start_child(const struct random_options *o, uint64_t seed, struct child *c)
{
    c->file = tmpfile();
    if (c->file == NULL)
        return false;
    fflush(stdout);
    c->pid = fork();
    if (c->pid == 0)
        be_child(o, seed, c->file);
    return c->pid > 0;
}

/* Waits for a child and prints what it told. */
static struct answer end_child(uint64_t seed, struct child *c)
{
    struct answer a = {0};
    struct sbuf line = {0};
    char text[4096];
    size_t n;
    int status = 0;

    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    rewind(c->file);
    if (status != 0 || fread(&a, sizeof a, 1, c->file) != 1)
        a = (struct answer){.err = -1};
    judge_line(&line, &a.result.tally);
    printf("seed %llu: %s%s", (unsigned long long)seed, a.ran ? "" : "died: ", line.s);
    while ((n = fread(text, 1, sizeof text, c->file)) > 0)
        fwrite(text, 1, n, stdout);
    sbuf_free(&line);
    fclose(c->file);
    return a;
}

bool random_run(const struct random_options *o)
{
    struct child *children = xcalloc(o->jobs, sizeof *children);
    struct tally sum = {0};
    struct sbuf text = {0};
    bool clean = true;
    uint64_t started = o->first;

    for (uint64_t seed = o->first; seed <= o->last; seed++) {
        struct child *c = &children[seed % o->jobs];
        struct answer a;

        for (; started <= o->last && started < seed + o->jobs; started++) {
            if (start_child(o, started, &children[started % o->jobs]))
                continue;
            fprintf(stderr, "patrol-sim: no process for seed %llu: %s\n", (unsigned long long)started, strerror(errno));
            free(children);
            return false;
        }
        a = end_child(seed, c);
        clean &= a.ran && a.err == 0 && a.result.problems == 0 && a.result.tally.faults > 0;
        tally_add(&sum, &a.result.tally);
    }
    judge_sums(&text, &sum);
    fputs(text.s, stdout);
    sbuf_free(&text);
    free(children);
    return clean && tally_clean(&sum);
}
