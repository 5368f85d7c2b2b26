#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "run.h"

/* Exit codes, as everywhere in patrold. */
enum { EXIT_DONE, EXIT_FAILED, EXIT_MISUSE };

static const char usage[] =
    "usage: patrol-sim run [--all] [--stats] [--db FILE] [--power-fail N] [--knowledge DIR] [--log] STORY...\n";

static struct story *load(const char *path)
{
    struct conf_report report = {0};
    struct story *story = NULL;
    int rc = story_load(path, &story, &report);

    if (report.text.n > 0)
        fputs(report.text.s, stderr);
    else if (rc < 0)
        fprintf(stderr, "%s: %s\n", path, pd_strerror(rc));
    conf_report_free(&report);
    return story;
}

static void print(struct sbuf *out)
{
    fwrite(out->s ? out->s : "", 1, out->n, stdout);
    sbuf_free(out);
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"all", no_argument, NULL, 'a'},       {"db", required_argument, NULL, 'd'},
        {"knowledge", required_argument, NULL, 'k'}, {"log", no_argument, NULL, 'l'},
        {"power-fail", required_argument, NULL, 'p'}, {0},
    };
    struct run_options o = {.knowledge = PATROL_SIM_KNOWLEDGE};
    struct tally sum = {0};
    bool clean = true;
    struct sbuf out = {0};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'a': o.all = true; break;
        case 'd': o.export_path = optarg; break;
        case 'k': o.knowledge = optarg; break;
        case 'l': o.log = true; break;
        case 'p': o.power_fails = (unsigned)atoi(optarg); break;
        default: fputs(usage, stderr); return EXIT_MISUSE;
        }
    }
    for (int i = optind; i < argc; i++) {
        struct story *s = load(argv[i]);
        struct run_result r;

        if (!s)
            return EXIT_FAILED;
        sbuf_addf(&out, "%s (%s)\n", s->title, argv[i]);
        clean &= run_story(s, &o, &out, &r) == 0 && r.problems == 0;
        sbuf_addf(&out, "  polls %llu cells %llu readings %llu events %llu tickets %llu mails %llu syncs %llu\n",
                  (unsigned long long)r.polls, (unsigned long long)r.cells, (unsigned long long)r.readings,
                  (unsigned long long)r.events, (unsigned long long)r.tickets, (unsigned long long)r.mails,
                  (unsigned long long)r.syncs);
        tally_add(&sum, &r.tally);
        print(&out);
        clean &= r.tally.faults > 0 || s->quiet;
        story_free(s);
    }
    judge_line(&out, &sum);
    print(&out);
    return clean && tally_clean(&sum) ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "run") == 0)
        return run(argc - 1, argv + 1);
    fputs(usage, stderr);
    return EXIT_MISUSE;
}
