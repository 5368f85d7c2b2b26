#include "judge.h"

#include <stdio.h>
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

/* Alerts in order of opening, borrowed from the witness. */
struct alerts {
    ARRAY(const struct alert_seen *) list;
};

/* ---- Which alert is for which fault ---- */

/* How people read the component that a fault should be of; patrold takes it from the device. */
static bool piece_named(const struct bench *b, const struct alert_seen *a, const struct expectation *x)
{
    static const char *const words[] = {"Black", "Cyan", "Magenta", "Yellow"};
    char name[TRUTH_PIECE_NAME];

    if (truth_mildest(x->rule) == TRUTH_SUPPLY_FORECAST)
        return str_starts(a->component, words[x->piece]);
    story_piece_name(&b->story->devices.v[x->machine], x->rule, x->piece, name);
    return str_eq(a->component, name);
}

static bool concerns(const struct bench *b, const struct expectation *x, const struct alert_seen *a)
{
    return a->machine == (int)x->machine && str_eq(a->family, truth_rules[x->rule].family) &&
           (x->piece < 0 || piece_named(b, a, x));
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

        if (!concerns(b, x, a) || a->opened_ms < x->from_ms || a->opened_ms > x->until_ms)
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
    struct finding f = {
        .verdict = verdict,
        .machine = a->machine,
        .rule = a->degrees.v[0].rule,
        .began_ms = INT64_MAX,
        .ended_ms = INT64_MAX,
        .opened_ms = a->opened_ms,
        .closed_ms = a->closed_ms,
        .open_by_ms = INT64_MAX,
        .close_by_ms = INT64_MAX,
        .why = why,
    };

    snprintf(f.component, sizeof f.component, "%s", a->component);
    return f;
}

/* The degree that an alert had at a time; -1: it was not open. */
static int degree_at(const struct alert_seen *a, int64_t at_ms)
{
    int rule = -1;

    for (size_t i = 0; i < a->degrees.n && a->degrees.v[i].at_ms <= at_ms; i++)
        rule = rule_by_name(a->degrees.v[i].rule);
    return a->closed_ms > at_ms ? rule : -1;
}

/* One of the alerts was as grave as that, between the beginning of the fault and this time. */
static bool reached(const struct alerts *of, const struct truth_degree *d)
{
    for (size_t k = 0; k < of->list.n; k++) {
        const struct alert_seen *a = of->list.v[k];

        if (degree_at(a, d->by_ms) >= (int)d->rule || degree_at(a, d->from_ms) >= (int)d->rule)
            return true;
        for (size_t i = 0; i < a->degrees.n; i++)
            if (a->degrees.v[i].at_ms >= d->from_ms && a->degrees.v[i].at_ms <= d->by_ms &&
                rule_by_name(a->degrees.v[i].rule) >= (int)d->rule)
                return true;
    }
    return false;
}

static const char *unreached(const struct expectation *x, const struct alerts *of)
{
    for (unsigned i = 0; i < x->ndegrees; i++)
        if (x->degrees[i].by_ms != INT64_MAX && !reached(of, &x->degrees[i]))
            return x->degrees[i].by_ms == x->open_by_ms ? "opened late" : "graver late";
    return NULL;
}

/* A ticket is due for what must be told, unless all that must be told is of no consequence. */
static bool wants_ticket(const struct expectation *x)
{
    for (unsigned i = 0; i < x->ndegrees; i++)
        if (x->degrees[i].by_ms != INT64_MAX && !truth_rules[x->degrees[i].rule].ticketless)
            return true;
    return x->ndegrees == 0 && x->open_by_ms != INT64_MAX;
}

static const char *missing(const struct expectation *x, const struct alerts *of)
{
    unsigned tickets = 0, mails = 0;

    for (size_t k = 0; k < of->list.n; k++) {
        const struct alert_seen *a = of->list.v[k];

        if (a->closed_ms != INT64_MAX && spans_hold(&x->there, a->closed_ms) && !x->parted)
            return "closed while it was there";
        tickets += a->tickets;
        mails += a->mails;
    }
    if (wants_ticket(x) && tickets == 0)
        return "no ticket";
    return wants_ticket(x) && mails == 0 ? "no mail" : NULL;
}

static enum verdict weigh(const struct expectation *x, const struct alerts *of, const char **why)
{
    const struct alert_seen *last = of->list.n > 0 ? of->list.v[of->list.n - 1] : NULL;

    *why = NULL;
    if (last == NULL || (*why = missing(x, of)) != NULL)
        return VERDICT_MISSED;
    *why = unreached(x, of);
    if (*why == NULL && x->close_by_ms != INT64_MAX && last->closed_ms > x->close_by_ms)
        *why = "closed late";
    return *why == NULL ? VERDICT_FOUND : VERDICT_LATE;
}

/* A second alert of one fault: open beside the first, or opened again although the fault never went. */
static void check_doubled(struct bench *b, const struct expectation *x, const struct alert_seen *before,
                          const struct alert_seen *a)
{
    struct finding f;

    if (a->opened_ms < before->closed_ms)
        f = of_alert(a, VERDICT_DOUBLED, "a second open alert");
    else if (!x->parted && !x->loose)
        f = of_alert(a, VERDICT_DOUBLED, "told again");
    else
        return;
    add(b, &f);
}

/* The alerts that fell to an expectation, and those that it may share with what was possible before. */
static void gather(const struct bench *b, size_t i, struct alerts *out)
{
    const struct expectation *x = &b->expected->list.v[i];

    for (size_t k = 0; k < b->seen->alerts.n; k++) {
        const struct alert_seen *a = &b->seen->alerts.v[k];

        if (b->match[k] == i + 1 || (x->loose && b->match[k] != 0 && concerns(b, x, a) && a->opened_ms <= x->until_ms &&
                                     a->closed_ms >= x->from_ms))
            array_push(&out->list, a);
    }
}

static void judge_expected(struct bench *b, size_t i)
{
    const struct expectation *x = &b->expected->list.v[i];
    struct alerts of = {0};
    char name[TRUTH_PIECE_NAME] = "";
    struct finding f = {
        .machine = (int)x->machine,
        .rule = truth_rules[x->rule].name,
        .began_ms = x->began_ms,
        .ended_ms = x->ended_ms,
        .opened_ms = INT64_MAX,
        .closed_ms = INT64_MAX,
        .open_by_ms = x->open_by_ms,
        .close_by_ms = x->close_by_ms,
    };

    gather(b, i, &of);
    for (size_t k = 1; k < of.list.n; k++)
        check_doubled(b, x, of.list.v[k - 1], of.list.v[k]);
    f.verdict = weigh(x, &of, &f.why);
    if (of.list.n > 0) {
        f.opened_ms = of.list.v[0]->opened_ms;
        f.closed_ms = of.list.v[of.list.n - 1]->closed_ms;
    }
    array_free(&of.list);
    if (x->open_by_ms == INT64_MAX && (f.opened_ms == INT64_MAX || f.verdict == VERDICT_FOUND))
        return; /* it need not have been told; if it was, rightly */
    if (x->piece >= 0)
        story_piece_name(&b->story->devices.v[x->machine], x->rule, x->piece, name);
    snprintf(f.component, sizeof f.component, "%s", name);
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

        if (a->suppressed)
            continue;
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

/* A line for each family of rules that has something to tell: its degrees are one fault. */
static void add_families(struct sbuf *out, const struct tally *t)
{
    for (int first = 0, next; first < TRUTH_RULES; first = next) {
        uint64_t v[VERDICT_COUNT] = {0}, any = 0;

        for (next = first; next < TRUTH_RULES && str_eq(truth_rules[next].family, truth_rules[first].family); next++)
            for (int k = 0; k < VERDICT_COUNT; any += t->by_rule[next][k++])
                v[k] += t->by_rule[next][k];
        if (any == 0)
            continue;
        sbuf_addf(out, "%-13s", truth_rules[first].family);
        for (int k = 0; k < VERDICT_COUNT; k++)
            sbuf_addf(out, " %8llu", (unsigned long long)v[k]);
        sbuf_addc(out, '\n');
    }
}

void judge_sums(struct sbuf *out, const struct tally *t)
{
    sbuf_addf(out, "%-13s", "fault");
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
    cell(out, f->rule, 21);
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
            cell(out, "rule", 21);
            cell(out, "of", 8);
            cell(out, "opened after", 22);
            cell(out, "closed after", 22);
            sbuf_add(out, "verdict\n");
        }
        any = true;
        table_row(out, story, &j->findings.v[i]);
    }
}
