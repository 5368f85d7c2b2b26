#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "report/chart.h"
#include "report/limits.h"
#include "report/mail.h"
#include "report/pdf.h"

#if defined __has_feature
#if __has_feature(address_sanitizer)
/* What these libraries keep to the end is no leak of ours; patrold gives its child no environment that could say so. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\nleak:libcairo\n";
}
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}
#endif
#endif

enum { EXIT_DONE, EXIT_FAILED, EXIT_MISUSE };

/* A document of 1,000 devices takes 5 MB. */
enum { DOCUMENT_MAX = 64 << 20, CHART_WIDTH = 480, CHART_SCALE = 2 };

struct options {
    const char *pdf, *html, *text;
    int progress; /* file descriptor, or -1 */
};

/* A file to be written, once all of them are made. */
struct output {
    char *path, *data;
    size_t n;
};

struct outputs {
    ARRAY(struct output) list;
};

static void usage(FILE *out)
{
    fputs("usage: patrol-report [--pdf FILE] [--html FILE] [--text FILE] [--progress FD] <document.json\n"
          "\n"
          "Makes a monthly inspection report from a document that patrold writes\n"
          "(patrold-report-document(5)). Without a file to write, it only checks the document.\n"
          "\n"
          "  --pdf FILE       the report, A4\n"
          "  --html FILE      the same for a mail; its charts beside it as FILE.chart-N.png\n"
          "  --text FILE      the same as plain text\n"
          "  --progress FD    write lines \"PAGE PAGES\" there\n"
          "  --help, --version\n",
          out);
}

static void add_output(struct outputs *o, char *taken_path, char *taken_data, size_t n)
{
    struct output out = {.n = n};

    out.path = taken_path;
    out.data = taken_data;
    array_push(&o->list, out);
}

static void tell_page(void *ctx, int page, int pages)
{
    const struct options *opt = ctx;

    if (opt->progress >= 0)
        dprintf(opt->progress, "%d %d\n", page, pages);
}

static int make_pdf(struct content *c, struct options *opt, struct outputs *o)
{
    char *pdf, *why;
    size_t n;

    if (pdf_write(c, tell_page, opt, &pdf, &n, &why) != 0) {
        fprintf(stderr, "patrol-report: the PDF cannot be made: %s\n", why);
        free(why);
        return EXIT_FAILED;
    }
    add_output(o, xstrdup(opt->pdf), pdf, n);
    return EXIT_DONE;
}

static int make_charts(struct content *c, const char *path, struct outputs *o)
{
    struct ink *ink = ink_new(c->lang);
    const struct chart *chart;
    int rc = 0;

    for (size_t i = 1; rc == 0 && (chart = mail_chart(c, i)); i++) {
        char *png;
        size_t n;

        rc = chart_png(ink, chart, CHART_WIDTH, CHART_SCALE, &png, &n);
        if (rc == 0)
            add_output(o, xasprintf("%s.chart-%zu.png", path, i), png, n);
    }
    if (rc != 0 || ink_missing(ink))
        fprintf(stderr, "patrol-report: a chart cannot be made: %s\n",
                ink_missing(ink) ? ink_missing(ink) : pd_strerror(rc));
    rc = rc != 0 || ink_missing(ink) ? EXIT_FAILED : EXIT_DONE;
    ink_free(ink);
    return rc;
}

static int make_html(struct content *c, const char *path, struct outputs *o)
{
    struct sbuf b = {0};
    size_t n;

    mail_html(c, &b);
    n = b.n;
    add_output(o, xstrdup(path), sbuf_take(&b), n);
    return make_charts(c, path, o);
}

static void make_text(struct content *c, const char *path, struct outputs *o)
{
    struct sbuf b = {0};
    size_t n;

    mail_text(c, &b);
    n = b.n;
    add_output(o, xstrdup(path), sbuf_take(&b), n);
}

/* All of them, or none: what is there already is removed when one cannot be written. */
static int write_outputs(const struct outputs *o)
{
    for (size_t i = 0; i < o->list.n; i++) {
        int rc = file_write_whole(o->list.v[i].path, o->list.v[i].data, o->list.v[i].n, 0640);

        if (rc == 0)
            continue;
        fprintf(stderr, "patrol-report: %s: %s\n", o->list.v[i].path, pd_strerror(rc));
        while (i-- > 0)
            unlink(o->list.v[i].path);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static int render(const struct document *doc, struct options *opt)
{
    struct outputs o = {0};
    struct content c;
    int code = EXIT_DONE;

    content_make(doc, &c);
    if (opt->pdf)
        code = make_pdf(&c, opt, &o);
    if (code == EXIT_DONE && opt->html)
        code = make_html(&c, opt->html, &o);
    if (code == EXIT_DONE && opt->text)
        make_text(&c, opt->text, &o);
    if (code == EXIT_DONE)
        code = write_outputs(&o);
    for (size_t i = 0; i < o.list.n; i++) {
        free(o.list.v[i].path);
        free(o.list.v[i].data);
    }
    array_free(&o.list);
    content_free(&c);
    return code;
}

static int run(struct options *opt)
{
    struct complaints complaints = {0};
    struct document doc;
    int code, rc;
    char *json;
    size_t n;

    rc = file_read_fd(STDIN_FILENO, DOCUMENT_MAX, &json, &n);
    if (rc != 0) {
        fprintf(stderr, "patrol-report: the document: %s\n", pd_strerror(rc));
        return EXIT_FAILED;
    }
    rc = document_read(json, n, &doc, &complaints);
    free(json);
    if (rc == 0) {
        code = render(&doc, opt);
    } else {
        fputs(complaints.text.s, stderr);
        fprintf(stderr, "patrol-report: %zu mistake%s in the document\n", complaints.n, complaints.n == 1 ? "" : "s");
        code = EXIT_FAILED;
    }
    document_free(&doc);
    sbuf_free(&complaints.text);
    return code;
}

/* The file descriptor that was asked for, or -1 if it is none. */
static int descriptor(const char *text)
{
    int64_t fd;

    return str_to_i64(text, &fd) == 0 && fd >= 0 && fd < 1024 ? (int)fd : -1;
}

/* What reading the options comes to, beside an exit code. */
enum { GO_ON = -1 };

/* GO_ON, or an exit code. */
static int take_options(struct options *opt, int argc, char **argv)
{
    static const struct option longs[] = {
        {"pdf", required_argument, NULL, 'p'},
        {"html", required_argument, NULL, 'm'},
        {"text", required_argument, NULL, 't'},
        {"progress", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    int o;

    while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (o) {
        case 'p':
            opt->pdf = optarg;
            break;
        case 'm':
            opt->html = optarg;
            break;
        case 't':
            opt->text = optarg;
            break;
        case 'f':
            opt->progress = descriptor(optarg);
            if (opt->progress >= 0)
                break;
            fprintf(stderr, "patrol-report: --progress wants the number of an open file, not '%s'\n", optarg);
            return EXIT_MISUSE;
        case 'h':
            usage(stdout);
            return EXIT_DONE;
        case 'v':
            puts("patrol-report " PACKAGE_VERSION);
            return EXIT_DONE;
        default:
            usage(stderr);
            return EXIT_MISUSE;
        }
    }
    if (optind == argc)
        return GO_ON;
    fprintf(stderr, "patrol-report: '%s' is one word too many: the document comes from standard input\n", argv[optind]);
    return EXIT_MISUSE;
}

int main(int argc, char **argv)
{
    struct options opt = {.progress = -1};
    int rc, code = take_options(&opt, argc, argv);

    if (code != GO_ON)
        return code;
    /* Who watched the progress may be gone; the report is made all the same. */
    signal(SIGPIPE, SIG_IGN);
    rc = limits_set();
    if (rc != 0) {
        fprintf(stderr, "patrol-report: limits: %s\n", pd_strerror(rc));
        return EXIT_FAILED;
    }
    return run(&opt);
}
