#include "staff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "staff_memory.h"
#include "workhours.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, RETRY_MS = 2 * MINUTE };

static const char *const severities[] = {"critical", "major", "warning", "info"};

struct staff *staff_new(const struct story *story, const struct staff_ops *ops)
{
    struct staff *s = xcalloc(1, sizeof *s);

    *s = (struct staff){.story = story, .ops = *ops, .next_ms = INT64_MAX, .running_since = -1};
    rng_seed(&s->chance, story->seed + 2);
    s->rng = rng_seeded_ops(&s->chance);
    return s;
}

void staff_free(struct staff *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->cases.n; i++) {
        struct staff_case *c = s->cases.v[i];

        free(c->key);
        free(c->state);
        array_free(&c->past);
        array_free(&c->told);
        free(c);
    }
    for (size_t i = 0; i < s->troubles.n; i++)
        free(s->troubles.v[i]);
    array_free(&s->cases);
    array_free(&s->troubles);
    spans_free(&s->running);
    free(s);
}

/* ---- What is done next, and when ---- */

static void look_ahead(struct staff *s)
{
    s->next_ms = INT64_MAX;
    for (size_t i = 0; i < s->cases.n; i++)
        if (s->cases.v[i]->verb != NULL && s->cases.v[i]->due_ms < s->next_ms)
            s->next_ms = s->cases.v[i]->due_ms;
}

static struct staff_case *case_of(const struct staff *s, bool round, int64_t id)
{
    for (size_t i = s->cases.n; i-- > 0;)
        if (s->cases.v[i]->id == id && s->cases.v[i]->round == round)
            return s->cases.v[i];
    return NULL;
}

/* Half to half as much again of the time that it usually takes, in the hours of who does it. */
static void plan(struct staff *s, struct staff_case *c, const char *verb, int64_t usual_ms, int64_t now_ms)
{
    int64_t span = usual_ms / 2 + (int64_t)rng_below(&s->rng, (uint64_t)usual_ms + 1);

    c->verb = verb;
    c->due_ms = work_after(s->story, c->person->always, now_ms, span);
}

/* A technician who has it in hand. */
static void plan_ticket(struct staff *s, struct staff_case *c, int64_t now_ms)
{
    const struct story_person *p = c->person;
    uint64_t luck = rng_below(&s->rng, 10);

    c->verb = NULL;
    if (str_eq(c->state, "new")) {
        plan(s, c, "accept", p->answers_ms, now_ms);
    } else if (str_eq(c->state, "accepted")) {
        c->remote = c->cleared && luck < 3;
        plan(s, c, c->remote ? "remote-fix" : "dispatch", p->answers_ms, now_ms);
    } else if (str_eq(c->state, "dispatched")) {
        plan(s, c, "depart", p->answers_ms, now_ms);
    } else if (str_eq(c->state, "en-route")) {
        plan(s, c, "arrive", p->travels_ms, now_ms);
    } else if (str_eq(c->state, "on-site")) {
        bool waits = !c->waited && luck < 4;

        c->waited |= waits;
        plan(s, c, waits ? (luck < 2 ? "wait-part" : "wait-customer") : "fix", p->works_ms, now_ms);
    } else if (str_starts(c->state, "waiting-")) {
        plan(s, c, "resume", 3 * HOUR, now_ms);
    } else if (str_eq(c->state, "fixed")) {
        plan(s, c, "sign", 10 * MINUTE, now_ms);
    } else if (str_eq(c->state, "signed") || str_eq(c->state, "remote-fixed")) {
        plan(s, c, "call-back", 8 * HOUR, now_ms);
    } else if (str_eq(c->state, "called-back")) {
        plan(s, c, "close", 10 * MINUTE, now_ms);
    }
}

static void plan_round(struct staff *s, struct staff_case *c, int64_t now_ms)
{
    c->verb = NULL;
    if (str_eq(c->state, "generated"))
        plan(s, c, "start", 8 * HOUR, now_ms);
    else if (str_eq(c->state, "in-progress") && c->filled < s->story->devices.n)
        plan(s, c, "fill", c->person->works_ms / 4, now_ms);
    else if (str_eq(c->state, "in-progress") || str_eq(c->state, "review"))
        plan(s, c, "sign", c->person->answers_ms, now_ms);
}

/* ---- What they hear ---- */

static enum case_state meaning(const char *state)
{
    static const struct {
        const char *word;
        enum case_state state;
    } words[] = {
        {"new", CASE_NEW},
        {"accepted", CASE_TAKEN},
        {"waiting-part", CASE_TAKEN},
        {"waiting-vendor", CASE_TAKEN},
        {"dispatched", CASE_SENT},
        {"en-route", CASE_SENT},
        {"on-site", CASE_THERE},
        {"waiting-customer", CASE_CUSTOMER},
        {"closed", CASE_OVER},
        {"cancelled", CASE_OVER},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(words[i].word, state))
            return words[i].state;
    return CASE_DONE;
}

static const char *text_of(const json_t *args, const char *name)
{
    const char *s = json_string_value(json_object_get(args, name));

    return s != NULL ? s : "";
}

static int priority_of(const json_t *args)
{
    for (int i = 0; i < 4; i++)
        if (str_eq(text_of(args, "severity"), severities[i]))
            return i;
    return 3;
}

/* The contract of the customer whose site a machine stands at. */
static const struct story_contract *contract_of(const struct story *s, int machine)
{
    const char *site = machine >= 0 ? s->devices.v[machine].site : NULL;

    for (size_t i = 0; site != NULL && i < s->places.n; i++)
        for (size_t k = 0; str_eq(s->places.v[i].name, site) && k < s->contracts.n; k++)
            if (str_eq(s->contracts.v[k].customer, s->places.v[i].customer))
                return &s->contracts.v[k];
    return NULL;
}

static struct staff_case *open_case(struct staff *s, bool round, int64_t id, const char *state)
{
    struct staff_case *c = xcalloc(1, sizeof *c);

    *c = (struct staff_case){.id = id, .round = round, .machine = -1, .state = xstrdup(state)};
    c->person = &s->story->staff.v[(size_t)id % s->story->staff.n];
    array_push(&s->cases, c);
    return c;
}

static void remember(struct staff_case *c, enum case_state state, int priority, int64_t wall_ms)
{
    array_push(&c->past, ((struct memory){wall_ms, state, priority}));
}

static void hear_opened(struct staff *s, int machine, int64_t id, const json_t *args, int64_t wall_ms)
{
    struct staff_case *c = open_case(s, false, id, "new");

    c->machine = machine;
    c->fault = *text_of(args, "rule") != '\0';
    c->cleared = !c->fault;
    c->contract = contract_of(s->story, machine);
    remember(c, CASE_NEW, priority_of(args), wall_ms);
    plan_ticket(s, c, wall_ms);
}

static void hear_told(struct staff_case *c, const char *kind, const json_t *args, int64_t wall_ms)
{
    int level = str_eq(kind, "ticket.warned") ? LEVEL_75 : str_eq(kind, "ticket.missed") ? LEVEL_100 : LEVEL_200;

    for (int p = 0; p < PROMISED_COUNT; p++)
        if (str_eq(story_promises[p], text_of(args, "promise")))
            array_push(&c->told, ((struct telling){p, level, wall_ms}));
}

static void hear_ticket(struct staff *s, const char *kind, int machine, int64_t id, const json_t *args, int64_t wall_ms)
{
    struct staff_case *c = case_of(s, false, id);
    const char *to = text_of(args, "to");

    if (str_eq(kind, "ticket.opened")) {
        hear_opened(s, machine, id, args, wall_ms);
        return;
    }
    if (c == NULL)
        return;
    if (str_eq(kind, "ticket.warned") || str_eq(kind, "ticket.missed") || str_eq(kind, "ticket.escalated")) {
        hear_told(c, kind, args, wall_ms);
    } else if (str_eq(kind, "ticket.graver")) {
        remember(c, c->past.v[c->past.n - 1].state, priority_of(args), wall_ms);
    } else if (str_eq(kind, "ticket.fault-cleared")) {
        c->cleared = true;
    } else if (str_eq(kind, "ticket.fault-again")) {
        c->cleared = false;
    } else if (*to != '\0') {
        xstrset(&c->state, to);
        remember(c, meaning(to), c->past.v[c->past.n - 1].priority, wall_ms);
        plan_ticket(s, c, wall_ms);
    }
}

/* False: that is no news of how far the round is. */
static bool round_moved(struct staff_case *c, const char *kind, int64_t wall_ms)
{
    static const struct {
        const char *kind, *state;
    } moves[] = {{"round.started", "in-progress"}, {"round.completed", "review"}, {"round.signed", "signed"}};
    bool moved = false;

    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        if (!str_eq(kind, moves[i].kind))
            continue;
        xstrset(&c->state, moves[i].state);
        moved = true;
    }
    if (str_eq(kind, "round.signed"))
        remember(c, CASE_DONE, 0, wall_ms);
    return moved;
}

static void hear_round(struct staff *s, const char *kind, const json_t *args, int64_t wall_ms)
{
    int64_t id = json_integer_value(json_object_get(args, "round"));
    struct staff_case *c = case_of(s, true, id);

    if (str_eq(kind, "round.generated")) {
        int64_t day = zone_local_ms(s->story->zone, wall_ms) / (24 * (int64_t)HOUR);

        c = open_case(s, true, id, "generated");
        c->key = xasprintf("%s at %s on day %lld", text_of(args, "plan"), text_of(args, "site"), (long long)day);
        remember(c, CASE_NEW, 0, wall_ms);
    } else if (c == NULL || !round_moved(c, kind, wall_ms)) {
        return;
    }
    plan_round(s, c, wall_ms);
}

void staff_event(struct staff *s, const char *kind, int machine, int64_t ticket_id, const char *args_text,
                 int64_t wall_ms)
{
    bool ticket = str_starts(kind, "ticket."), round = str_starts(kind, "round.");
    json_t *args;

    if (s->story->staff.n == 0 || (!ticket && !round))
        return;
    args = json_loads(args_text, 0, NULL);
    if (ticket)
        hear_ticket(s, kind, machine, ticket_id, args, wall_ms);
    else
        hear_round(s, kind, args, wall_ms);
    json_decref(args);
    look_ahead(s);
}

void staff_patrold(struct staff *s, bool running, int64_t wall_ms)
{
    if (!running && s->running_since >= 0)
        spans_add(&s->running, s->running_since, wall_ms);
    if (!running || s->running_since < 0)
        s->running_since = running ? wall_ms : -1;
}

/* ---- What they do ---- */

static void do_ticket(struct staff *s, struct staff_case *c)
{
    char *name = xasprintf("ticket.%s", c->verb);
    struct sbuf args = {0};

    sbuf_addf(&args, "{\"ticket\":%lld", (long long)c->id);
    if (str_eq(c->verb, "dispatch")) {
        sbuf_add(&args, ",\"assignee\":");
        sbuf_add_json(&args, c->person->name);
    }
    sbuf_addc(&args, '}');
    s->ops.command(s->ops.ctx, name, args.s, c->id);
    sbuf_free(&args);
    free(name);
}

static void do_round(struct staff *s, struct staff_case *c)
{
    char *name = xasprintf("patrol.%s", c->verb);
    struct sbuf args = {0};

    sbuf_addf(&args, "{\"round\":\"%lld\"", (long long)c->id);
    if (str_eq(c->verb, "fill")) {
        sbuf_add(&args, ",\"all_ok\":true,\"device\":");
        sbuf_add_json(&args, s->story->devices.v[c->filled++].name);
    } else if (str_eq(c->verb, "sign")) {
        sbuf_add(&args, ",\"by\":");
        sbuf_add_json(&args, c->person->name);
    }
    sbuf_addc(&args, '}');
    s->ops.command(s->ops.ctx, name, args.s, -c->id);
    sbuf_free(&args);
    free(name);
}

/* Somebody else, or the fault itself, was quicker; of a device that a round does not visit there is nothing to fill in. */
void staff_refused(struct staff *s, int64_t case_id, const char *why, int64_t wall_ms)
{
    struct staff_case *c = case_of(s, case_id < 0, case_id < 0 ? -case_id : case_id);

    if (c == NULL || c->verb == NULL || strstr(why, "has no visit to") != NULL)
        return;
    if (!c->round && meaning(c->state) == CASE_OVER)
        return;
    array_push(&s->troubles, xasprintf("%s %lld: %s at %lld: %s", c->round ? "round" : "ticket", (long long)c->id,
                                       c->verb, (long long)wall_ms, why));
    c->verb = NULL;
    look_ahead(s);
}

static void act(struct staff *s, struct staff_case *c, int64_t now_ms)
{
    /* What is wrong is still wrong: they stay, and look again. */
    if (!c->round && c->fault && !c->cleared && str_eq(c->verb, "fix")) {
        c->due_ms = work_after(s->story, c->person->always, now_ms, 20 * MINUTE);
        return;
    }
    c->due_ms = now_ms + RETRY_MS; /* unless an event says that it is done */
    if (s->running_since < 0)
        return;
    if (!c->round)
        do_ticket(s, c);
    else if (str_eq(c->verb, "fill")) {
        do_round(s, c);
        plan_round(s, c, now_ms);
    } else
        do_round(s, c);
}

int64_t staff_next(const struct staff *s)
{
    return s->next_ms;
}

void staff_advance(struct staff *s, int64_t wall_ms)
{
    for (size_t i = 0; i < s->cases.n; i++)
        if (s->cases.v[i]->verb != NULL && s->cases.v[i]->due_ms <= wall_ms)
            act(s, s->cases.v[i], wall_ms);
    look_ahead(s);
}
