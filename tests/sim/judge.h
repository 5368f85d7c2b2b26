#ifndef PD_SIM_JUDGE_H
#define PD_SIM_JUDGE_H

#include "base/str.h"
#include "truth.h"
#include "witness.h"

/* What should have come against what came. */
enum verdict { VERDICT_FOUND, VERDICT_MISSED, VERDICT_LATE, VERDICT_FALSE, VERDICT_DOUBLED, VERDICT_COUNT };
extern const char *const verdict_names[VERDICT_COUNT];

/* faults = found + missed + late. */
struct tally {
    uint64_t faults, verdict[VERDICT_COUNT];
    uint64_t by_rule[TRUTH_RULES][VERDICT_COUNT];
};

/* A line of the table. */
struct finding {
    enum verdict verdict;
    int machine;      /* -1: none */
    const char *rule; /* borrowed from truth_rules or the witness */
    char component[64];
    int64_t began_ms, ended_ms;   /* of the fault; INT64_MAX: none, or it lasted */
    int64_t opened_ms, closed_ms; /* of the alert; INT64_MAX: never */
    int64_t open_by_ms, close_by_ms;
    const char *why; /* static; NULL where the verdict says it all */
};

struct judgement {
    ARRAY(struct finding) findings; /* in order of time */
    struct tally tally;
};

/* Borrows from all three. */
void judge(const struct story *story, const struct expectations *expected, const struct witness *seen,
           struct judgement *out);
void judgement_free(struct judgement *j);

void tally_add(struct tally *sum, const struct tally *t);
/* Nothing but found, and something to find unless the stories were quiet. */
bool tally_clean(const struct tally *t);

/* The table of a story; all: what was found in time is listed too. */
void judge_table(struct sbuf *out, const struct story *story, const struct judgement *j, bool all);
/* faults N found N missed N late N false N doubled N */
void judge_line(struct sbuf *out, const struct tally *t);
/* A table of how many by kind of fault, and that line: how every run ends. */
void judge_sums(struct sbuf *out, const struct tally *t);

#endif
