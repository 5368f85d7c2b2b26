#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/record.h"

/* Every text of a record is set to something else; a copy has them all, in storage of its own. */

static void device_copies_every_text(void **state)
{
    struct device d = {.id = 7,
                       .name = "prn-1",
                       .address = "10.0.0.7",
                       .port = 1161,
                       .collector = "snmp",
                       .credential = "office",
                       .profile_wish = "wish",
                       .site = "总部",
                       .labels = "floor=3",
                       .profile = "printer",
                       .device_class = "printer",
                       .make = "Acme",
                       .model = "L100",
                       .serial = "S1",
                       .firmware = "1.2",
                       .added_ms = 5,
                       .identified_ms = 6,
                       .retired = true};
    struct device copy;

    (void)state;
    device_copy(&copy, &d);
    assert_int_equal(copy.id, 7);
    assert_int_equal(copy.port, 1161);
    assert_true(copy.retired);
    assert_string_equal(copy.name, "prn-1");
    assert_ptr_not_equal(copy.name, d.name);
    assert_string_equal(copy.address, "10.0.0.7");
    assert_string_equal(copy.collector, "snmp");
    assert_string_equal(copy.credential, "office");
    assert_string_equal(copy.profile_wish, "wish");
    assert_string_equal(copy.site, "总部");
    assert_string_equal(copy.labels, "floor=3");
    assert_string_equal(copy.profile, "printer");
    assert_string_equal(copy.device_class, "printer");
    assert_string_equal(copy.make, "Acme");
    assert_string_equal(copy.model, "L100");
    assert_string_equal(copy.serial, "S1");
    assert_string_equal(copy.firmware, "1.2");
    device_fini(&copy);
    assert_null(copy.name);
    assert_int_equal(copy.id, 0);
}

static void absent_texts_stay_absent(void **state)
{
    struct device d = {.id = 1}, copy;
    struct alert a = {.id = 2}, acopy;

    (void)state;
    device_copy(&copy, &d);
    assert_null(copy.name);
    assert_null(copy.firmware);
    device_fini(&copy);
    alert_copy(&acopy, &a);
    assert_null(acopy.acked_by);
    alert_fini(&acopy);
}

static void alert_copies_every_text(void **state)
{
    struct alert a = {.family = "supply",
                      .kind = "supply",
                      .key = "1",
                      .label = "黑色墨粉",
                      .rule = "supply-low",
                      .acked_by = "li",
                      .message_args = "{}",
                      .severity = SEVERITY_MAJOR,
                      .state = ALERT_ACKED};
    struct alert copy;

    (void)state;
    alert_copy(&copy, &a);
    assert_string_equal(copy.family, "supply");
    assert_string_equal(copy.kind, "supply");
    assert_ptr_not_equal(copy.kind, a.kind);
    assert_string_equal(copy.key, "1");
    assert_string_equal(copy.label, "黑色墨粉");
    assert_string_equal(copy.rule, "supply-low");
    assert_string_equal(copy.acked_by, "li");
    assert_string_equal(copy.message_args, "{}");
    assert_int_equal(copy.severity, SEVERITY_MAJOR);
    assert_int_equal(copy.state, ALERT_ACKED);
    alert_fini(&copy);
}

static void small_records_copy_every_text(void **state)
{
    struct component k = {.device_id = 1, .number = 2, .kind = "port", .key = "eth0", .label = "Port 1"}, kcopy;
    struct hold_record h = {.kind = "port", .key = "eth0", .rule = "down"}, hcopy;
    struct event e = {.kind = "x", .args = "{}", .actor = "li"}, ecopy;

    (void)state;
    component_copy(&kcopy, &k);
    assert_string_equal(kcopy.kind, "port");
    assert_string_equal(kcopy.key, "eth0");
    assert_string_equal(kcopy.label, "Port 1");
    component_fini(&kcopy);
    hold_record_copy(&hcopy, &h);
    assert_string_equal(hcopy.kind, "port");
    assert_string_equal(hcopy.key, "eth0");
    assert_string_equal(hcopy.rule, "down");
    hold_record_fini(&hcopy);
    event_copy(&ecopy, &e);
    assert_string_equal(ecopy.kind, "x");
    assert_string_equal(ecopy.args, "{}");
    assert_string_equal(ecopy.actor, "li");
    event_fini(&ecopy);
}

static void ticket_and_outbox_copy_every_text(void **state)
{
    struct ticket t = {.number = "A-1",
                       .family = "jam",
                       .component_kind = "device",
                       .key = "",
                       .label = "l",
                       .rule = "jam",
                       .category = "hardware",
                       .assignee = "wang",
                       .note = "n"};
    struct ticket tcopy;
    struct outbox o = {.channel = "mail",
                       .message_id = "i",
                       .sender = "p@b",
                       .recipient = "a@b",
                       .subject = "s",
                       .body = "b",
                       .last_error = "e"};
    struct outbox ocopy;

    (void)state;
    ticket_copy(&tcopy, &t);
    assert_string_equal(tcopy.number, "A-1");
    assert_string_equal(tcopy.family, "jam");
    assert_string_equal(tcopy.component_kind, "device");
    assert_string_equal(tcopy.key, "");
    assert_string_equal(tcopy.label, "l");
    assert_string_equal(tcopy.rule, "jam");
    assert_string_equal(tcopy.category, "hardware");
    assert_string_equal(tcopy.assignee, "wang");
    assert_string_equal(tcopy.note, "n");
    ticket_fini(&tcopy);
    outbox_copy(&ocopy, &o);
    assert_string_equal(ocopy.channel, "mail");
    assert_string_equal(ocopy.message_id, "i");
    assert_string_equal(ocopy.sender, "p@b");
    assert_string_equal(ocopy.recipient, "a@b");
    assert_string_equal(ocopy.subject, "s");
    assert_string_equal(ocopy.body, "b");
    assert_string_equal(ocopy.last_error, "e");
    outbox_fini(&ocopy);
}

static void every_code_has_a_name_that_reads_back(void **state)
{
    (void)state;
    for (int s = 0; s < TICKET_STATE_COUNT; s++) {
        enum ticket_state back = TICKET_STATE_COUNT;

        assert_int_equal(ticket_state_parse(ticket_state_name((enum ticket_state)s), &back), 0);
        assert_int_equal(back, s);
    }
    for (int v = 0; v < TICKET_VERB_COUNT; v++) {
        enum ticket_verb back = TICKET_VERB_COUNT;

        assert_int_equal(ticket_verb_parse(ticket_verb_name((enum ticket_verb)v), &back), 0);
        assert_int_equal(back, v);
    }
    for (int k = 0; k < TICKET_KIND_COUNT; k++)
        assert_string_not_equal(ticket_kind_name((enum ticket_kind)k), "?");
    for (int s = ALERT_OK; s <= ALERT_CLEARING; s++)
        assert_string_not_equal(alert_state_name((enum alert_state)s), "?");
    for (int s = OUTBOX_PENDING; s <= OUTBOX_HELD; s++)
        assert_string_not_equal(outbox_state_name((enum outbox_state)s), "?");
}

static void unknown_names_are_refused(void **state)
{
    enum ticket_state s;
    enum ticket_verb v;

    (void)state;
    assert_int_equal(ticket_state_parse("", &s), PD_EINVAL);
    assert_int_equal(ticket_state_parse("New", &s), PD_EINVAL);
    assert_int_equal(ticket_verb_parse("accepted", &v), PD_EINVAL);
}

/* ---- The life of a ticket: the whole table, one row a state, one column a verb ---- */

#define NO TICKET_STATE_COUNT

static const enum ticket_state life[TICKET_STATE_COUNT][TICKET_VERB_COUNT] = {
    /* accept, dispatch, depart, arrive, wait-part, wait-customer, wait-vendor, loaner, resume, fix, remote-fix, sign, call-back, close, cancel, reopen */
    [TICKET_NEW] = {TICKET_ACCEPTED, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, TICKET_CANCELLED, NO},
    [TICKET_ACCEPTED] = {NO, TICKET_DISPATCHED, NO, NO, NO, NO, NO, TICKET_ACCEPTED, NO, NO, TICKET_REMOTE_FIXED, NO,
                         NO, NO, TICKET_CANCELLED, NO},
    [TICKET_DISPATCHED] = {NO, TICKET_DISPATCHED, TICKET_EN_ROUTE, TICKET_ON_SITE, NO, NO, NO, TICKET_DISPATCHED, NO,
                           NO, TICKET_REMOTE_FIXED, NO, NO, NO, TICKET_CANCELLED, NO},
    [TICKET_EN_ROUTE] = {NO, TICKET_DISPATCHED, NO, TICKET_ON_SITE, NO, NO, NO, TICKET_EN_ROUTE, NO, NO, NO, NO, NO, NO,
                         TICKET_CANCELLED, NO},
    [TICKET_ON_SITE] = {NO, NO, NO, NO, TICKET_WAITING_PART, TICKET_WAITING_CUSTOMER, TICKET_WAITING_VENDOR,
                        TICKET_ON_SITE, NO, TICKET_FIXED, NO, NO, NO, NO, TICKET_CANCELLED, NO},
    [TICKET_WAITING_PART] = {NO, TICKET_DISPATCHED, NO, NO, NO, TICKET_WAITING_CUSTOMER, TICKET_WAITING_VENDOR,
                             TICKET_WAITING_PART, TICKET_ON_SITE, NO, TICKET_REMOTE_FIXED, NO, NO, NO, TICKET_CANCELLED,
                             NO},
    [TICKET_WAITING_CUSTOMER] = {NO, TICKET_DISPATCHED, NO, NO, TICKET_WAITING_PART, NO, TICKET_WAITING_VENDOR,
                                 TICKET_WAITING_CUSTOMER, TICKET_ON_SITE, NO, TICKET_REMOTE_FIXED, NO, NO, NO,
                                 TICKET_CANCELLED, NO},
    [TICKET_WAITING_VENDOR] = {NO, TICKET_DISPATCHED, NO, NO, TICKET_WAITING_PART, TICKET_WAITING_CUSTOMER, NO,
                               TICKET_WAITING_VENDOR, TICKET_ON_SITE, NO, TICKET_REMOTE_FIXED, NO, NO, NO,
                               TICKET_CANCELLED, NO},
    [TICKET_REMOTE_FIXED] = {NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, TICKET_CALLED_BACK, NO, NO,
                             TICKET_ACCEPTED},
    [TICKET_FIXED] = {NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, TICKET_SIGNED, NO, NO, NO, TICKET_ACCEPTED},
    [TICKET_SIGNED] = {NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, TICKET_CALLED_BACK, NO, NO, TICKET_ACCEPTED},
    [TICKET_CALLED_BACK] = {NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, TICKET_CLOSED, NO, TICKET_ACCEPTED},
    [TICKET_CLOSED] = {NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, TICKET_ACCEPTED},
    [TICKET_CANCELLED] = {NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, TICKET_ACCEPTED},
};

static void every_verb_leads_where_the_table_says(void **state)
{
    (void)state;
    for (int s = 0; s < TICKET_STATE_COUNT; s++) {
        for (int v = 0; v < TICKET_VERB_COUNT; v++) {
            enum ticket_state to = NO;
            int rc = ticket_next((enum ticket_state)s, (enum ticket_verb)v, &to);

            if (to != life[s][v] || rc != (life[s][v] == NO ? PD_ESTATE : 0))
                fail_msg("%s + %s: rc %d, to %s", ticket_state_name((enum ticket_state)s),
                         ticket_verb_name((enum ticket_verb)v), rc, ticket_state_name(to));
        }
    }
}

static void verbs_offered_are_the_possible_ones(void **state)
{
    (void)state;
    for (int s = 0; s < TICKET_STATE_COUNT; s++) {
        const char *const *verbs = ticket_verbs((enum ticket_state)s);
        size_t possible = 0, offered = 0;

        for (int v = 0; v < TICKET_VERB_COUNT; v++)
            possible += life[s][v] != NO;
        for (; verbs[offered]; offered++) {
            enum ticket_verb v;

            assert_int_equal(ticket_verb_parse(verbs[offered], &v), 0);
            assert_int_not_equal(life[s][v], NO);
        }
        assert_int_equal(offered, possible);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_copies_every_text),
        cmocka_unit_test(absent_texts_stay_absent),
        cmocka_unit_test(alert_copies_every_text),
        cmocka_unit_test(small_records_copy_every_text),
        cmocka_unit_test(ticket_and_outbox_copy_every_text),
        cmocka_unit_test(every_code_has_a_name_that_reads_back),
        cmocka_unit_test(unknown_names_are_refused),
        cmocka_unit_test(every_verb_leads_where_the_table_says),
        cmocka_unit_test(verbs_offered_are_the_possible_ones),
    };

    return cmocka_run_group_tests_name("model/record", tests, NULL, NULL);
}
