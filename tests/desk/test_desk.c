#include "desk/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

/* A desk at noon, one jam rule and one jam, and what it told. */
struct fixture {
    struct clock_fake clock;
    struct desk *desk;
    struct rule rule;
    struct alert alert;
    struct change *change;
    enum ticket_move moves[16];
    size_t nmoves;
};

static void moved(void *ctx, struct change *c, const struct ticket *t, enum ticket_move move)
{
    struct fixture *f = ctx;

    assert_non_null(c);
    assert_non_null(t->number);
    assert_true(f->nmoves < 16);
    f->moves[f->nmoves++] = move;
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct desk_config config = {.prefix = "PK", .moved = moved, .ctx = f};

    f->clock = (struct clock_fake){.wall = 1000000};
    config.clock = clock_fake_ops(&f->clock);
    f->desk = desk_new(&config);
    desk_set_last_id(f->desk, 11);
    f->rule = (struct rule){
        .name = "jam", .family = "jam", .severity = SEVERITY_MAJOR, .ticket = true, .category = "hardware"};
    f->alert = (struct alert){.id = 7,
                              .family = "jam",
                              .device_id = 3,
                              .kind = "device",
                              .key = "",
                              .rule = "jam",
                              .severity = SEVERITY_MAJOR,
                              .state = ALERT_FIRING};
    f->change = change_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    change_free(f->change);
    desk_free(f->desk);
    free(f);
    return 0;
}

static void assert_event(const struct change *c, size_t i, const char *kind)
{
    assert_true(i < c->events.n);
    assert_string_equal(c->events.v[i].kind, kind);
}

/* The one ticket of the change, as it stands from now on. */
static const struct ticket *row(const struct change *c)
{
    const struct ticket *found = NULL;

    for (size_t i = 0; i < c->rows.n; i++) {
        if (c->rows.v[i].kind != ROW_TICKET)
            continue;
        assert_null(found);
        found = &c->rows.v[i].ticket;
    }
    assert_non_null(found);
    return found;
}

static int verb(struct fixture *f, int64_t id, enum ticket_verb v, const char *assignee)
{
    char *why = NULL;
    int rc = desk_ticket_verb(f->desk, id, v, assignee, NULL, "li", f->change, &why);

    free(why);
    return rc;
}

static void opens_a_ticket(void **state)
{
    struct fixture *f = *state;
    const struct ticket *t;

    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    t = row(f->change);
    assert_string_equal(t->number, "PK-000012");
    assert_int_equal(t->state, TICKET_NEW);
    assert_int_equal(t->kind, TICKET_KIND_FAULT);
    assert_int_equal(t->opened_ms, 1000000);
    assert_int_equal(f->alert.ticket_id, 12);
    assert_int_equal(f->change->events.n, 1);
    assert_event(f->change, 0, "ticket.opened");
    assert_int_equal(f->change->events.v[0].alert_id, 7);
    assert_int_equal(f->change->events.v[0].device_id, 3);
    assert_int_equal(f->nmoves, 1);
    assert_int_equal(f->moves[0], TICKET_MOVE_OPENED);
    assert_int_equal(desk_ticket_by_number(f->desk, "PK-000012"), 12);
    assert_int_equal(desk_ticket_by_number(f->desk, "PK-000013"), 0);
}

static void opens_none_where_the_rule_wants_none(void **state)
{
    struct fixture *f = *state;

    f->rule.ticket = false;
    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    assert_true(change_empty(f->change));
    assert_int_equal(f->alert.ticket_id, 0);
    assert_int_equal(f->nmoves, 0);
}

static void a_consumable_is_a_supply_ticket(void **state)
{
    struct fixture *f = *state;

    f->rule.category = "consumable";
    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    assert_int_equal(row(f->change)->kind, TICKET_KIND_SUPPLY);
}

static void a_rule_says_what_kind_of_ticket_it_wants(void **state)
{
    static const struct {
        enum rule_ticket wish;
        const char *category;
        enum ticket_kind kind;
    } rows[] = {
        {RULE_TICKET_FITTING, "hardware", TICKET_KIND_FAULT},
        {RULE_TICKET_FITTING, "consumable", TICKET_KIND_SUPPLY},
        {RULE_TICKET_FAULT, "consumable", TICKET_KIND_FAULT},
        {RULE_TICKET_PREVENTIVE, "hardware", TICKET_KIND_PREVENTIVE},
        {RULE_TICKET_SUPPLY, "hardware", TICKET_KIND_SUPPLY},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alert a = f->alert;
        char key[8];

        snprintf(key, sizeof key, "%zu", i);
        a.key = key;
        f->rule.ticket = rows[i].wish;
        f->rule.category = (char *)rows[i].category;
        desk_fault_opened(f->desk, f->change, &f->rule, &a);
        if (desk_ticket(f->desk, a.ticket_id)->kind != rows[i].kind)
            fail_msg("row %zu: %s", i, ticket_kind_name(desk_ticket(f->desk, a.ticket_id)->kind));
    }
}

/* What was foreseen and then came is no foresight any more. */
static void a_graver_rule_gives_its_kind(void **state)
{
    struct fixture *f = *state;

    f->rule.ticket = RULE_TICKET_PREVENTIVE;
    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    f->rule.ticket = RULE_TICKET_FITTING;
    f->alert.severity = SEVERITY_CRITICAL;
    desk_fault_changed(f->desk, f->change, &f->rule, &f->alert);
    assert_int_equal(desk_ticket(f->desk, 12)->kind, TICKET_KIND_FAULT);
}

static void an_untouched_ticket_goes_with_its_fault(void **state)
{
    struct fixture *f = *state;

    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    clock_fake_advance(&f->clock, 5000);
    desk_fault_closed(f->desk, f->change, &f->alert);
    assert_int_equal(row(f->change)->state, TICKET_CANCELLED);
    assert_int_equal(row(f->change)->closed_ms, 1005000);
    assert_int_equal(f->change->events.n, 3);
    assert_event(f->change, 1, "ticket.fault-cleared");
    assert_event(f->change, 2, "ticket.cancel");
    assert_non_null(strstr(f->change->events.v[2].args, "\"reason\":\"recovered\""));
    assert_int_equal(f->moves[1], TICKET_MOVE_FAULT_CLEARED);
    assert_null(desk_ticket(f->desk, 12));
    assert_int_equal(desk_open_tickets(f->desk), 0);
}

static void an_accepted_ticket_outlives_its_fault_and_takes_it_back(void **state)
{
    struct fixture *f = *state;

    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    assert_int_equal(verb(f, 12, TICKET_ACCEPT, NULL), 0);
    desk_fault_closed(f->desk, f->change, &f->alert);
    assert_int_equal(desk_ticket(f->desk, 12)->state, TICKET_ACCEPTED);

    f->alert.id = 8;
    f->alert.ticket_id = 0;
    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    assert_int_equal(f->alert.ticket_id, 12);
    assert_int_equal(desk_ticket(f->desk, 12)->alert_id, 8);
    assert_event(f->change, 3, "ticket.fault-again");
    assert_int_equal(f->change->events.n, 4);
    assert_int_equal(f->moves[f->nmoves - 1], TICKET_MOVE_FAULT_AGAIN);
    assert_int_equal(desk_open_tickets(f->desk), 1);
}

/* Device 3 is merged into 5, and split from it as 9. */
static void tickets_go_with_a_merge_and_come_back_with_a_split(void **state)
{
    struct fixture *f = *state;

    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    assert_int_equal(verb(f, 12, TICKET_ACCEPT, NULL), 0);
    desk_fault_closed(f->desk, f->change, &f->alert);
    desk_device_merged(f->desk, 3, 5, f->change);
    assert_int_equal(desk_ticket(f->desk, 12)->device_id, 5);
    assert_int_equal(row(f->change)->device_id, 5);
    /* One that was the other's all the while. */
    f->alert = (struct alert){.id = 8,
                              .family = "cover",
                              .device_id = 5,
                              .kind = "device",
                              .key = "",
                              .rule = "jam",
                              .severity = SEVERITY_MAJOR,
                              .state = ALERT_FIRING};
    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    desk_device_split(f->desk, 3, 9, f->change);
    assert_int_equal(desk_ticket(f->desk, 12)->device_id, 9);
    assert_int_equal(desk_ticket(f->desk, 12)->merged_from, 0);
    assert_int_equal(desk_ticket(f->desk, 13)->device_id, 5);
    /* The fault that is back finds its ticket. */
    f->alert = (struct alert){.id = 9,
                              .family = "jam",
                              .device_id = 9,
                              .kind = "device",
                              .key = "",
                              .rule = "jam",
                              .severity = SEVERITY_MAJOR,
                              .state = ALERT_FIRING};
    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    assert_int_equal(f->alert.ticket_id, 12);
}

static void only_a_graver_degree_is_told(void **state)
{
    struct fixture *f = *state;

    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    f->alert.severity = SEVERITY_WARNING;
    desk_fault_changed(f->desk, f->change, &f->rule, &f->alert);
    assert_int_equal(f->change->events.n, 1);
    assert_int_equal(desk_ticket(f->desk, 12)->severity, SEVERITY_MAJOR);

    f->alert.severity = SEVERITY_CRITICAL;
    f->alert.rule = "jam-bad";
    desk_fault_changed(f->desk, f->change, &f->rule, &f->alert);
    assert_event(f->change, 1, "ticket.graver");
    assert_int_equal(row(f->change)->severity, SEVERITY_CRITICAL);
    assert_string_equal(row(f->change)->rule, "jam-bad");
    desk_fault_changed(f->desk, f->change, &f->rule, &f->alert);
    assert_int_equal(f->change->events.n, 2);
}

static void a_degree_that_wants_a_ticket_gets_one(void **state)
{
    struct fixture *f = *state;

    f->rule.ticket = false;
    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    f->rule.ticket = true;
    f->alert.severity = SEVERITY_CRITICAL;
    desk_fault_changed(f->desk, f->change, &f->rule, &f->alert);
    assert_event(f->change, 0, "ticket.opened");
    assert_int_equal(f->alert.ticket_id, 12);
}

static void faults_of_other_components_have_their_own(void **state)
{
    struct fixture *f = *state;
    struct alert other = f->alert;

    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    other.id = 8;
    other.key = "2";
    desk_fault_opened(f->desk, f->change, &f->rule, &other);
    assert_int_equal(other.ticket_id, 13);
    assert_ptr_equal(desk_ticket_of_fault(f->desk, &other), desk_ticket(f->desk, 13));
}

static void staff_lead_a_ticket_to_its_end(void **state)
{
    static const struct {
        enum ticket_verb verb;
        enum ticket_state to;
    } way[] = {{TICKET_ACCEPT, TICKET_ACCEPTED},
               {TICKET_DISPATCH, TICKET_DISPATCHED},
               {TICKET_DEPART, TICKET_EN_ROUTE},
               {TICKET_ARRIVE, TICKET_ON_SITE},
               {TICKET_WAIT_PART, TICKET_WAITING_PART},
               {TICKET_RESUME, TICKET_ON_SITE},
               {TICKET_FIX, TICKET_FIXED},
               {TICKET_SIGN, TICKET_SIGNED},
               {TICKET_CALL_BACK, TICKET_CALLED_BACK}};
    struct fixture *f = *state;

    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    for (size_t i = 0; i < sizeof way / sizeof way[0]; i++) {
        if (verb(f, 12, way[i].verb, way[i].verb == TICKET_DISPATCH ? "wang" : NULL) != 0 ||
            desk_ticket(f->desk, 12)->state != way[i].to)
            fail_msg("%s does not lead to %s", ticket_verb_name(way[i].verb), ticket_state_name(way[i].to));
    }
    assert_string_equal(desk_ticket(f->desk, 12)->assignee, "wang");
    assert_int_equal(verb(f, 12, TICKET_CLOSE, NULL), 0);
    assert_null(desk_ticket(f->desk, 12));
    assert_int_equal(row(f->change)->state, TICKET_CLOSED);
    assert_string_equal(f->change->events.v[1].actor, "li");
    assert_event(f->change, 1, "ticket.accept");
}

static void a_verb_out_of_place_says_what_is_possible(void **state)
{
    struct fixture *f = *state;
    char *why = NULL;

    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    assert_int_equal(desk_ticket_verb(f->desk, 12, TICKET_SIGN, NULL, NULL, "li", f->change, &why), PD_ESTATE);
    assert_string_equal(why, "PK-000012 is new: 'sign' is not possible now, but accept or cancel");
    free(why);
    assert_int_equal(f->change->events.n, 1);
    assert_int_equal(verb(f, 99, TICKET_ACCEPT, NULL), PD_ENOENT);
}

static void an_assignee_goes_with_dispatch(void **state)
{
    struct fixture *f = *state;

    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    assert_int_equal(verb(f, 12, TICKET_ACCEPT, "wang"), PD_EINVAL);
    assert_int_equal(verb(f, 12, TICKET_ACCEPT, NULL), 0);
    assert_int_equal(verb(f, 12, TICKET_DISPATCH, NULL), PD_EINVAL);
    assert_int_equal(verb(f, 12, TICKET_DISPATCH, "wang"), 0);
    assert_int_equal(verb(f, 12, TICKET_DISPATCH, NULL), 0);
}

/* A closed ticket is loaded only to be reopened. */
static void a_closed_ticket_is_reopened_unless_another_is_open(void **state)
{
    struct fixture *f = *state;
    struct ticket closed = {.id = 5,
                            .number = "PK-000005",
                            .state = TICKET_CLOSED,
                            .device_id = 3,
                            .family = "jam",
                            .component_kind = "device",
                            .key = "",
                            .closed_ms = 999};
    char *why = NULL;

    desk_load_ticket(f->desk, &closed);
    assert_int_equal(verb(f, 5, TICKET_REOPEN, NULL), 0);
    assert_int_equal(desk_ticket(f->desk, 5)->state, TICKET_ACCEPTED);
    assert_int_equal(desk_ticket(f->desk, 5)->closed_ms, 0);
    desk_fault_opened(f->desk, f->change, &f->rule, &f->alert);
    assert_int_equal(f->alert.ticket_id, 5);

    closed.id = 6;
    closed.number = "PK-000006";
    desk_load_ticket(f->desk, &closed);
    assert_int_equal(desk_ticket_verb(f->desk, 6, TICKET_REOPEN, NULL, NULL, "li", f->change, &why), PD_EEXIST);
    assert_string_equal(why, "PK-000006 cannot be reopened: PK-000005 is open for the same fault");
    free(why);
    assert_null(desk_ticket(f->desk, 6));
    assert_ptr_equal(desk_ticket_of_fault(f->desk, &f->alert), desk_ticket(f->desk, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opens_a_ticket, setup, teardown),
        cmocka_unit_test_setup_teardown(opens_none_where_the_rule_wants_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_consumable_is_a_supply_ticket, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rule_says_what_kind_of_ticket_it_wants, setup, teardown),
        cmocka_unit_test_setup_teardown(a_graver_rule_gives_its_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(an_untouched_ticket_goes_with_its_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(an_accepted_ticket_outlives_its_fault_and_takes_it_back, setup, teardown),
        cmocka_unit_test_setup_teardown(only_a_graver_degree_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_degree_that_wants_a_ticket_gets_one, setup, teardown),
        cmocka_unit_test_setup_teardown(faults_of_other_components_have_their_own, setup, teardown),
        cmocka_unit_test_setup_teardown(tickets_go_with_a_merge_and_come_back_with_a_split, setup, teardown),
        cmocka_unit_test_setup_teardown(staff_lead_a_ticket_to_its_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_verb_out_of_place_says_what_is_possible, setup, teardown),
        cmocka_unit_test_setup_teardown(an_assignee_goes_with_dispatch, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_ticket_is_reopened_unless_another_is_open, setup, teardown),
    };

    return cmocka_run_group_tests_name("desk", tests, NULL, NULL);
}
