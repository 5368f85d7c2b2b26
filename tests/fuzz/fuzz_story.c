/* A story from outside: is refused in words, or can be lived through to its end and judged. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/judge.h"
#include "tests/sim/site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Longer casts only cost time. */
enum { MOST_DEVICES = 20, MOST_HAPPENINGS = 200 };

static void check(const struct story *s)
{
    for (size_t i = 0; i < s->happenings.n; i++) {
        const struct happening *h = &s->happenings.v[i];

        if (h->at_ms < 0 || h->at_ms >= s->length_ms || h->until_ms < h->at_ms || h->device < -1 ||
            h->device >= (int)s->devices.n || (i > 0 && h->at_ms < s->happenings.v[i - 1].at_ms))
            abort();
        for (size_t k = 0; k < h->nexpects; k++)
            if (h->expects[k].rule < 0 || h->expects[k].rule >= TRUTH_RULES)
                abort();
    }
}

static void nothing(void *ctx, int64_t ms)
{
    (void)ctx, (void)ms;
}

/* Nobody watches: whatever must be told is missed, and nothing else is wrong. */
static void live_through(const struct story *story)
{
    struct truths *truths = truth_new(story);
    struct site_ops ops = {.truths = truths, .blind_chance = 1e-3, .killed = nothing, .clock_step = nothing};
    struct site *site = site_new(story, &ops);
    struct expectations e = {0};
    struct judgement j = {0};
    struct witness w;

    truth_patrold(truths, true, 0);
    site_advance(site, story->length_ms);
    site_end(site, story->length_ms);
    truth_finish(truths, story->length_ms, &e);
    witness_init(&w, story);
    judge(story, &e, &w, &j);
    if (j.tally.faults != j.tally.verdict[VERDICT_MISSED] || j.tally.verdict[VERDICT_FALSE] != 0)
        abort();
    judgement_free(&j);
    witness_fini(&w);
    expectations_free(&e);
    site_free(site);
    truth_free(truths);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_report report = {0};
    struct story *s = NULL;

    if (story_parse("fuzz.yaml", (const char *)data, size, &s, &report) < 0) {
        if (report.errors == 0 || !str_utf8_valid(report.text.s, report.text.n))
            abort(); /* refused without a word, or in no words */
    } else {
        check(s);
        if (s->devices.n <= MOST_DEVICES && s->happenings.n <= MOST_HAPPENINGS)
            live_through(s);
    }
    story_free(s);
    conf_report_free(&report);
    return 0;
}
