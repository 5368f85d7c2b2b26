#include "judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "moment.h"

const char *const verdict_names[VERDICT_COUNT] = {"found", "missed", "late", "false", "doubled"};

struct bench {
    const struct story *story;
    const struct expectations *expected;
    const struct witness *seen;
    size_t *match; /* of each alert: the expectation it fell to, plus one */
    struct judgement *out;
};

/* ---- Which alert is for which fault ---- */

/* How people read the component that a supply fault should be of; patrold takes it from the device. */
static bool toner_named(const char *component, int toner)
{
    static const char *const words[] = {"Black", "Cyan", "Magenta", "Yellow"};

    return str_starts(component, words[toner]);
}

static bool concerns(const struct expectation *x, const struct alert_seen *a)
{
    return a->machine == (int)x->machine && str_eq(a->family, truth_rules[x->rule].family) &&
           (x->toner < 0 || toner_named(a->component, x->toner));
}

/* True while a fault that surely is open makes another part of it. */
static bool covered(const struct bench *b, const struct alert_seen *a)
{
    for (size_t i = 0; i < b->expected->list.n; i++) {
        const struct expectation *jam = &b->expected->list.v[i];

        if (jam->rule == TRUTH_JAM && (int)jam->machine == a->machine && a->opened_ms > jam->open_by_ms &&
            jam->ended_ms != INT64_MAX && a->opened_ms < jam->ended_ms && !jam->parted)
            return str_eq(a->family, truth_rules[TRUTH_COVER_OPEN].family);
    }
    return false;
}

/* Of several that it could be: one that must be told before one that may be, the latest before others. */
static size_t expectation_of(const struct bench *b, const struct alert_seen *a)
{
    size_t best = 0;

    for (size_t i = 0; i < b->expected->list.n; i++) {
        const struct expectation *x = &b->expected->list.v[i];

        if (!concerns(x, a) || a->opened_ms < x->from_ms || a->opened_ms > x->until_ms)
            continue;
        if (best == 0 || x->open_by_ms != INT64_MAX || b->expected->list.v[best - 1].open_by_ms == INT64_MAX)
            best = i + 1;
    }
    return best;
}

/* ---- Verdicts ---- */

static int rule_by_name(const char *name)
{
    for (int i = 0; i < TRUTH_RULES; i++)
        if (str_eq(truth_rules[i].name, name))
            return i;
    return -1;
}

static void add(struct bench *b, const struct finding *f)
{
    struct tally *t = &b->out->tally;
    int rule = rule_by_name(f->rule);

    array_push(&b->out->findings, *f);
    t->verdict[f->verdict]++;
    if (f->verdict <= VERDICT_LATE)
        t->faults++;
    if (rule >= 0)
        t->by_rule[rule][f->verdict]++;
}

static struct finding of_alert(const struct alert_seen *a, enum verdict verdict, const char *why)
{
    return (struct finding){
        .verdict = verdict,
        .machine = a->machine,
        .rule = a->degrees.v[0].rule,
        .component = a->component,
        .began_ms = INT64_MAX,
        .ended_ms = INT64_MAX,
        .opened_ms = a->opened_ms,
        .closed_ms = a->closed_ms,
        .open_by_ms = INT64_MAX,
        .close_by_ms = INT64_MAX,
        .why = why,
    };
}

static bool degree_in_time(const struct expectation *x, const struct alert_seen *a)
{
    for (size_t i = 0; i < a->degrees.n; i++)
        if (str_eq(a->degrees.v[i].rule, truth_rules[x->graver.rule].name))
            return a->degrees.v[i].at_ms <= x->graver.by_ms;
    return x->graver.by_ms == INT64_MAX;
}

/* last: of those that fell to it. */
static enum verdict weigh(const struct expectation *x, const struct alert_seen *first, const struct alert_seen *last,
                          const char **why)
{
    *why = NULL;
    if (first == NULL)
        return VERDICT_MISSED;
    if (first->closed_ms != INT64_MAX && spans_hold(&x->there, first->closed_ms) && !x->parted) {
        *why = "closed while it was there";
        return VERDICT_MISSED;
    }
    if (x->open_by_ms != INT64_MAX && first->tickets != 1) {
        *why = "no ticket";
        return VERDICT_MISSED;
    }
    if (x->open_by_ms != INT64_MAX && first->mails == 0) {
        *why = "no mail";
        return VERDICT_MISSED;
    }
    if (first->opened_ms > x->open_by_ms)
        *why = "opened late";
    else if (!degree_in_time(x, first))
        *why = "graver late";
    else if (x->close_by_ms != INT64_MAX && last->closed_ms > x->close_by_ms)
        *why = "closed late";
    else
        return VERDICT_FOUND;
    return VERDICT_LATE;
}

/* A second alert of one fault: open beside the first, or opened again although the fault never went. */
static void check_doubled(struct bench *b, const struct expectation *x, const struct alert_seen *before,
                          const struct alert_seen *a)
{
    struct finding f;

    if (a->opened_ms < before->closed_ms)
        f = of_alert(a, VERDICT_DOUBLED, "a second open alert");
    else if (!x->parted)
        f = of_alert(a, VERDICT_DOUBLED, "told again");
    else
        return;
    add(b, &f);
}

static void judge_expected(struct bench *b, size_t i)
{
    const struct expectation *x = &b->expected->list.v[i];
    const struct alert_seen *first = NULL, *last = NULL;
    struct finding f = {
        .machine = (int)x->machine,
        .rule = truth_rules[x->rule].name,
        .component = x->toner >= 0 ? model_toners(MODEL_COPIER)[x->toner] : "",
        .began_ms = x->began_ms,
        .ended_ms = x->ended_ms,
        .opened_ms = INT64_MAX,
        .closed_ms = INT64_MAX,
        .open_by_ms = x->open_by_ms,
        .close_by_ms = x->close_by_ms,
    };

    for (size_t k = 0; k < b->seen->alerts.n; k++) {
        const struct alert_seen *a = &b->seen->alerts.v[k];

        if (b->match[k] != i + 1)
            continue;
        if (first != NULL)
            check_doubled(b, x, last, a);
        first = first ? first : a;
        last = a;
    }
    f.verdict = weigh(x, first, last, &f.why);
    if (x->open_by_ms == INT64_MAX && (first == NULL || f.verdict == VERDICT_FOUND))
        return; /* it need not have been told; if it was, rightly */
    if (first != NULL) {
        f.opened_ms = first->opened_ms;
        f.closed_ms = last->closed_ms;
    }
    add(b, &f);
}

static int64_t time_of(const struct finding *f)
{
    return f->began_ms != INT64_MAX ? f->began_ms : f->opened_ms;
}

static int by_time(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;

    if (time_of(x) != time_of(y))
        return time_of(x) < time_of(y) ? -1 : 1;
    if (x->machine != y->machine)
        return x->machine < y->machine ? -1 : 1;
    if (strcmp(x->rule, y->rule) != 0)
        return strcmp(x->rule, y->rule);
    return x->verdict < y->verdict ? -1 : x->verdict > y->verdict;
}

void judge(const struct story *story, const struct expectations *expected, const struct witness *seen,
           struct judgement *out)
{
    struct bench b = {.story = story, .expected = expected, .seen = seen, .out = out};

    b.match = xcalloc(seen->alerts.n + 1, sizeof *b.match);
    for (size_t i = 0; i < seen->alerts.n; i++) {
        const struct alert_seen *a = &seen->alerts.v[i];
        struct finding f = of_alert(a, VERDICT_FALSE, "nothing was there");

        if (covered(&b, a))
            f.why = "part of the jam";
        else if ((b.match[i] = expectation_of(&b, a)) != 0)
            continue;
        add(&b, &f);
    }
    for (size_t i = 0; i < expected->list.n; i++)
        judge_expected(&b, i);
    if (out->findings.n > 1)
        qsort(out->findings.v, out->findings.n, sizeof out->findings.v[0], by_time);
    out->tally.verdict[VERDICT_DOUBLED] += seen->repeated.n;
    free(b.match);
}

void judgement_free(struct judgement *j)
{
    array_free(&j->findings);
}

/* ---- Sums ---- */

void tally_add(struct tally *sum, const struct tally *t)
{
    sum->faults += t->faults;
    for (int v = 0; v < VERDICT_COUNT; v++) {
        sum->verdict[v] += t->verdict[v];
        for (int r = 0; r < TRUTH_RULES; r++)
            sum->by_rule[r][v] += t->by_rule[r][v];
    }
}

bool tally_clean(const struct tally *t)
{
    return t->verdict[VERDICT_FOUND] == t->faults && t->verdict[VERDICT_FALSE] == 0 && t->verdict[VERDICT_DOUBLED] == 0;
}

void judge_line(struct sbuf *out, const struct tally *t)
{
    sbuf_addf(out, "faults %llu", (unsigned long long)t->faults);
    for (int v = 0; v < VERDICT_COUNT; v++)
        sbuf_addf(out, " %s %llu", verdict_names[v], (unsigned long long)t->verdict[v]);
    sbuf_addc(out, '\n');
}

/* A line for each family of rules: its degrees are one fault. */
static void add_families(struct sbuf *out, const struct tally *t)
{
    for (int first = 0, next; first < TRUTH_RULES; first = next) {
        uint64_t v[VERDICT_COUNT] = {0};

        for (next = first; next < TRUTH_RULES && str_eq(truth_rules[next].family, truth_rules[first].family); next++)
            for (int k = 0; k < VERDICT_COUNT; k++)
                v[k] += t->by_rule[next][k];
        sbuf_addf(out, "%-8s", truth_rules[first].family);
        for (int k = 0; k < VERDICT_COUNT; k++)
            sbuf_addf(out, " %8llu", (unsigned long long)v[k]);
        sbuf_addc(out, '\n');
    }
}

void judge_sums(struct sbuf *out, const struct tally *t)
{
    sbuf_addf(out, "%-8s", "fault");
    for (int k = 0; k < VERDICT_COUNT; k++)
        sbuf_addf(out, " %8s", verdict_names[k]);
    sbuf_addc(out, '\n');
    add_families(out, t);
    judge_line(out, t);
}

/* ---- The table ---- */

static void cell(struct sbuf *out, const char *text, size_t width)
{
    size_t is = str_width(text);

    sbuf_add(out, text);
    for (size_t i = is; i < width; i++)
        sbuf_addc(out, ' ');
    sbuf_add(out, "  ");
}

/* A time as the span from another, with its limit: "2m5s of 3m10s". */
static void span_cell(struct sbuf *out, int64_t from, int64_t at, int64_t by, size_t width)
{
    struct sbuf text = {0};

    if (at == INT64_MAX)
        sbuf_add(&text, "-");
    else
        moment_add_span(&text, from == INT64_MAX ? at : at - from);
    if (by != INT64_MAX && from != INT64_MAX) {
        sbuf_add(&text, " of ");
        moment_add_span(&text, by - from);
    }
    cell(out, text.s, width);
    sbuf_free(&text);
}

static void table_row(struct sbuf *out, const struct story *story, const struct finding *f)
{
    char when[20];

    zone_format(story->zone, story->start_ms + time_of(f), when);
    sbuf_add(out, "  ");
    cell(out, when, 19);
    cell(out, f->machine >= 0 ? story->devices.v[f->machine].name : "-", 14);
    cell(out, f->rule, 17);
    cell(out, f->component[0] != '\0' ? f->component : "-", 8);
    span_cell(out, f->began_ms, f->opened_ms, f->open_by_ms, 22);
    span_cell(out, f->ended_ms, f->closed_ms, f->close_by_ms, 22);
    sbuf_add(out, verdict_names[f->verdict]);
    if (f->why != NULL)
        sbuf_addf(out, ": %s", f->why);
    sbuf_addc(out, '\n');
}

void judge_table(struct sbuf *out, const struct story *story, const struct judgement *j, bool all)
{
    bool any = false;

    for (size_t i = 0; i < j->findings.n; i++) {
        if (!all && j->findings.v[i].verdict == VERDICT_FOUND)
            continue;
        if (!any) {
            sbuf_add(out, "  ");
            cell(out, "when", 19);
            cell(out, "device", 14);
            cell(out, "rule", 17);
            cell(out, "of", 8);
            cell(out, "opened after", 22);
            cell(out, "closed after", 22);
            sbuf_add(out, "verdict\n");
        }
        any = true;
        table_row(out, story, &j->findings.v[i]);
    }
}
