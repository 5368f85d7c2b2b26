#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "live.h"
#include "random.h"
#include "random_story.h"
#include "run.h"
#include "serve.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_MISUSE };

static const char usage[] =
    "usage: patrol-sim serve [--port N] [--modbus-port N] STORY\n"
    "       patrol-sim run [--all] [--stats] [--log] [--db FILE] [--report DIR] [--power-fail N]\n"
    "                      [--knowledge DIR] STORY...\n"
    "       patrol-sim run --live [--port N] [--modbus-port N] [--patrold PROGRAM] [--knowledge DIR]\n"
    "                      STORY\n"
    "       patrol-sim random --seeds A-B [--devices N] [--days N] [--jobs N] [--print] [--power-fail N]\n"
    "                         [--knowledge DIR]\n";

/* Everything that an option can say. */
struct arguments {
    struct random_options random; /* with those of a run */
    struct live_options live_options;
    struct site_ports ports;
    bool live, stats, print, seeds;
};

static int misuse(const char *what)
{
    if (what != NULL)
        fprintf(stderr, "patrol-sim: %s\n", what);
    fputs(usage, stderr);
    return EXIT_MISUSE;
}

static bool number(const char *text, int64_t min, int64_t max, unsigned *out)
{
    int64_t n;

    if (str_to_i64(text, &n) < 0 || n < min || n > max)
        return false;
    *out = (unsigned)n;
    return true;
}

/* "3" or "1-20" */
static bool seeds(const char *text, struct random_options *o)
{
    unsigned first, last;
    char rest;
    int n = sscanf(text, "%9u-%9u%c", &first, &last, &rest);

    if (n == 1 && strspn(text, "0123456789") == strlen(text))
        last = first;
    else if (n != 2 || last < first)
        return false;
    o->first = first;
    o->last = last;
    return true;
}

enum {
    OPT_ALL = 256,
    OPT_DAYS,
    OPT_DB,
    OPT_DEVICES,
    OPT_JOBS,
    OPT_KNOWLEDGE,
    OPT_LIVE,
    OPT_LOG,
    OPT_MODBUS_PORT,
    OPT_PATROLD,
    OPT_PORT,
    OPT_POWER_FAIL,
    OPT_PRINT,
    OPT_REPORT,
    OPT_SEEDS,
    OPT_STATS
};

static bool take_option(struct arguments *a, int option)
{
    struct random_options *r = &a->random;

    switch (option) {
    case OPT_ALL:
        return r->run.all = true;
    case OPT_DAYS:
        return number(optarg, 1, 366, &r->days);
    case OPT_DB:
        r->run.export_path = optarg;
        return true;
    case OPT_DEVICES:
        return number(optarg, 1, 200, &r->devices);
    case OPT_JOBS:
        return number(optarg, 1, 64, &r->jobs);
    case OPT_KNOWLEDGE:
        r->run.knowledge = optarg;
        return true;
    case OPT_LIVE:
        return a->live = true;
    case OPT_LOG:
        return r->run.log = true;
    case OPT_PATROLD:
        a->live_options.patrold = optarg;
        return true;
    case OPT_PORT:
        return number(optarg, 1, 65535, &a->ports.snmp);
    case OPT_MODBUS_PORT:
        return number(optarg, 1, 65535, &a->ports.modbus);
    case OPT_POWER_FAIL:
        return number(optarg, 1, 100000, &r->run.power_fails);
    case OPT_PRINT:
        return a->print = true;
    case OPT_REPORT:
        r->run.report_path = optarg;
        return true;
    case OPT_SEEDS:
        return a->seeds = seeds(optarg, r);
    case OPT_STATS:
        return a->stats = true;
    default:
        return false;
    }
}

/* The options of a command; -1 after a complaint. */
static int parse(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        {"all", no_argument, NULL, OPT_ALL},
        {"days", required_argument, NULL, OPT_DAYS},
        {"db", required_argument, NULL, OPT_DB},
        {"devices", required_argument, NULL, OPT_DEVICES},
        {"jobs", required_argument, NULL, OPT_JOBS},
        {"knowledge", required_argument, NULL, OPT_KNOWLEDGE},
        {"live", no_argument, NULL, OPT_LIVE},
        {"log", no_argument, NULL, OPT_LOG},
        {"modbus-port", required_argument, NULL, OPT_MODBUS_PORT},
        {"patrold", required_argument, NULL, OPT_PATROLD},
        {"port", required_argument, NULL, OPT_PORT},
        {"power-fail", required_argument, NULL, OPT_POWER_FAIL},
        {"print", no_argument, NULL, OPT_PRINT},
        {"report", required_argument, NULL, OPT_REPORT},
        {"seeds", required_argument, NULL, OPT_SEEDS},
        {"stats", no_argument, NULL, OPT_STATS},
        {0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (take_option(a, c))
            continue;
        if (c != '?')
            fprintf(stderr, "patrol-sim: '%s' makes no sense here\n", optarg);
        return -1;
    }
    return 0;
}

static struct story *load(const char *path)
{
    struct conf_report report = {0};
    struct story *story = NULL;
    int rc = story_load(path, &story, &report);

    if (report.text.n > 0)
        fputs(report.text.s, stderr);
    else if (rc < 0)
        fprintf(stderr, "patrol-sim: %s: %s\n", path, pd_strerror(rc));
    conf_report_free(&report);
    return story;
}

static void print_and_reset(struct sbuf *out)
{
    fwrite(out->s ? out->s : "", 1, out->n, stdout);
    fflush(stdout);
    sbuf_reset(out);
}

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* One story, told; false if anything was wrong with it. */
static int play(const struct arguments *a, const struct story *s, struct sbuf *out, struct run_result *r)
{
    struct live_options live = a->live_options;

    if (!a->live)
        return run_story(s, &a->random.run, out, r);
    live.knowledge = a->random.run.knowledge;
    live.ports = a->ports;
    return live_story(s, &live, out, r);
}

static bool run_one(const struct arguments *a, const struct story *s, struct tally *sum)
{
    double before = cpu_seconds();
    struct sbuf out = {0};
    struct run_result r;
    bool clean;

    sbuf_addf(&out, "%s (%s)\n", s->title, s->path);
    clean = play(a, s, &out, &r) == 0 && r.problems == 0;
    sbuf_add(&out, "  ");
    if (!a->live) /* a real patrold keeps its own count */
        sbuf_addf(&out, "polls %llu cells %llu readings %llu ", (unsigned long long)r.polls,
                  (unsigned long long)r.cells, (unsigned long long)r.readings);
    sbuf_addf(&out, "events %llu tickets %llu mails %llu", (unsigned long long)r.events, (unsigned long long)r.tickets,
              (unsigned long long)r.mails);
    if (r.power_fails > 0)
        sbuf_addf(&out, " power failures %llu problems %u", (unsigned long long)r.power_fails, r.problems);
    sbuf_addc(&out, '\n');
    if (a->stats && !a->live)
        sbuf_addf(&out, "  %.1f s of processor, %.1f readings a poll\n", cpu_seconds() - before,
                  r.polls > 0 ? (double)r.readings / (double)r.polls : 0.0);
    print_and_reset(&out);
    sbuf_free(&out);
    if (r.tally.faults == 0 && !s->quiet) {
        printf("  no fault was to be found, and the story does not say 'quiet: true'\n");
        clean = false;
    }
    tally_add(sum, &r.tally);
    return clean;
}

static int run(struct arguments *a, int n, char **paths)
{
    struct tally sum = {0};
    struct sbuf line = {0};
    bool clean = true;

    if (n < 1 || (n > 1 && (a->random.run.export_path != NULL || a->random.run.report_path != NULL)))
        return misuse(n < 1 ? "a story is wanted" : "--db and --report go with one story");
    if (a->live &&
        (a->random.run.export_path != NULL || a->random.run.report_path != NULL || a->random.run.power_fails > 0))
        return misuse("--db, --report and --power-fail go with virtual time");
    for (int i = 0; i < n; i++) {
        struct story *s = load(paths[i]);

        clean &= s != NULL && run_one(a, s, &sum);
        story_free(s);
    }
    judge_sums(&line, &sum);
    print_and_reset(&line);
    sbuf_free(&line);
    return clean && tally_clean(&sum) ? EXIT_DONE : EXIT_FAILED;
}

static int serve(const struct arguments *a, int n, char **paths)
{
    struct story *s;
    int rc;

    if (n != 1)
        return misuse("one story is wanted");
    s = load(paths[0]);
    if (s == NULL)
        return EXIT_FAILED;
    rc = serve_story(s, &a->ports);
    story_free(s);
    return rc == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int make_up(struct arguments *a)
{
    if (!a->seeds)
        return misuse("--seeds is wanted, as in --seeds 1-20");
    for (uint64_t seed = a->random.first; a->print && seed <= a->random.last; seed++) {
        struct sbuf text = {0};

        random_story(&text, seed, a->random.devices, a->random.days);
        print_and_reset(&text);
        sbuf_free(&text);
    }
    return a->print || random_run(&a->random) ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct arguments a = {
        .random = {.devices = 10, .days = 30, .jobs = 1, .run = {.knowledge = PATROL_SIM_KNOWLEDGE}},
        .live_options = {.patrold = PATROL_SIM_PATROLD},
        .ports = {.snmp = 1161, .modbus = 1502},
    };

    const char *command = argc > 1 ? argv[1] : "";

    if (argc < 2 || parse(argc - 1, argv + 1, &a) < 0)
        return misuse(NULL);
    argc -= 1 + optind;
    argv += 1 + optind;
    if (strcmp(command, "run") == 0)
        return run(&a, argc, argv);
    if (strcmp(command, "serve") == 0)
        return serve(&a, argc, argv);
    if (strcmp(command, "random") == 0)
        return argc == 0 ? make_up(&a) : misuse("no story is wanted");
    return misuse("what to do: serve, run or random");
}
