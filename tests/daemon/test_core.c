#include "tests/daemon/office.h"

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

static int setup(void **state)
{
    *state = office_new();
    return 0;
}

static int teardown(void **state)
{
    office_free(*state);
    return 0;
}

static const char *member(const json_t *rows, size_t i, const char *name)
{
    const char *text = json_string_value(json_object_get(json_array_get(rows, i), name));

    return text ? text : "";
}

/* Has jammed for long enough that all is told. */
static void jam(struct office *o)
{
    office_set_jam(o, true);
    office_pass(o, 3 * MINUTE_MS);
}

static void clear_jam(struct office *o)
{
    office_set_jam(o, false);
    office_pass(o, 3 * MINUTE_MS);
}

/* Every event so far has a number of its own, in order, without gap. */
static void assert_numbered(const struct office *o)
{
    for (size_t i = 0; i < o->events.n; i++)
        assert_int_equal(o->events.v[i].number, (int64_t)i + 1);
}

static void a_jam_becomes_a_ticket_and_two_mails(void **state)
{
    struct office *o = *state;
    json_t *rows;

    office_add_printer(o);
    jam(o);
    rows = office_query(o, "alerts", "{\"state\":\"open\"}");
    assert_int_equal(json_array_size(rows), 1);
    assert_string_equal(member(rows, 0, "rule"), "jam");
    assert_string_equal(member(rows, 0, "ticket"), "PK-000001");
    json_decref(rows);
    rows = office_query(o, "tickets", "{\"state\":\"open\"}");
    assert_int_equal(json_array_size(rows), 1);
    assert_string_equal(member(rows, 0, "state"), "new");
    assert_string_equal(member(rows, 0, "device"), "3F-影印");
    json_decref(rows);
    rows = office_query(o, "outbox", "{\"state\":\"sent\"}");
    assert_int_equal(json_array_size(rows), 2);
    json_decref(rows);

    assert_int_equal(o->post.mails.n, 2);
    assert_string_equal(o->post.mails.v[0].to, "service@example.com");
    assert_string_equal(o->post.mails.v[0].subject, "[重要] 打印机 3F-影印 卡纸 · PK-000001");
    assert_string_equal(o->post.mails.v[1].subject, "[major] Printer 3F-影印 Paper jam · PK-000001");
    assert_non_null(strstr(o->post.mails.v[0].body, "3F-影印 报告卡纸。\n"));
    assert_non_null(strstr(o->post.mails.v[0].body, "3 楼东侧\n"));
    assert_non_null(strstr(o->post.mails.v[0].body, "SN0012345\n"));
    assert_non_null(strstr(o->post.mails.v[0].body, "(Asia/Shanghai, UTC+08:00)"));
    assert_int_equal(office_count(o, "mail.sent"), 2);
    assert_numbered(o);
}

static void recovery_cancels_what_nobody_accepted(void **state)
{
    struct office *o = *state;
    json_t *rows;

    office_add_printer(o);
    jam(o);
    clear_jam(o);
    rows = office_query(o, "tickets", NULL);
    assert_string_equal(member(rows, 0, "state"), "cancelled");
    json_decref(rows);
    assert_int_equal(o->post.mails.n, 4);
    assert_string_equal(o->post.mails.v[2].subject, "[恢复] 打印机 3F-影印 卡纸 · PK-000001");
    assert_non_null(strstr(o->post.mails.v[2].body, "已按“自行恢复”取消"));
    assert_int_equal(office_count(o, "alert.opened"), 1);
    assert_int_equal(office_count(o, "alert.closed"), 1);
}

static void an_accepted_ticket_takes_the_fault_back(void **state)
{
    struct office *o = *state;

    office_add_printer(o);
    jam(o);
    assert_int_equal(office_command(o, "ticket.accept", "{\"ticket\":\"PK-000001\"}", NULL), 0);
    clear_jam(o);
    jam(o);
    assert_int_equal(office_count(o, "ticket.opened"), 1);
    assert_int_equal(office_count(o, "ticket.fault-again"), 1);
    assert_int_equal(o->post.mails.n, 6);
    assert_string_equal(o->post.mails.v[4].subject, "[重要] 打印机 3F-影印 卡纸 再次发生 · PK-000001");
}

static void a_restart_tells_nothing_twice(void **state)
{
    struct office *o = *state;

    office_add_printer(o);
    jam(o);
    office_stop(o);
    office_pass(o, 5 * MINUTE_MS);
    office_start(o);
    office_pass(o, 5 * MINUTE_MS);
    assert_int_equal(office_count(o, "alert.opened"), 1);
    assert_int_equal(o->post.mails.n, 2);
    clear_jam(o);
    assert_int_equal(office_count(o, "alert.closed"), 1);
    assert_int_equal(office_count(o, "ticket.cancel"), 1);
    assert_int_equal(o->post.mails.n, 4);
    assert_numbered(o);
}

static void a_mail_that_could_not_go_out_goes_after_a_crash_with_the_same_id(void **state)
{
    struct office *o = *state;
    char *first;
    size_t tries;

    office_add_printer(o);
    o->post.answer = PD_SEND_LATER;
    jam(o);
    tries = o->post.mails.n;
    assert_true(tries > 2);
    first = xstrdup(o->post.mails.v[0].id);
    office_kill(o);
    o->post.answer = PD_SEND_DONE;
    office_start(o);
    office_pass(o, HOUR_MS);
    assert_int_equal(o->post.mails.n, tries + 2);
    assert_string_equal(o->post.mails.v[tries].id, first);
    assert_string_equal(o->post.mails.v[tries].body, o->post.mails.v[0].body);
    assert_int_equal(office_count(o, "mail.sent"), 2);
    free(first);
}

static void a_refused_mail_is_told_as_failed(void **state)
{
    struct office *o = *state;

    office_add_printer(o);
    o->post.answer = PD_SEND_NEVER;
    jam(o);
    assert_int_equal(o->post.mails.n, 2);
    assert_int_equal(office_count(o, "mail.failed"), 2);
}

static void recipients_are_told_from_their_severity_on(void **state)
{
    struct office *o = *state;

    office_add_printer(o);
    office_reload(o, SEVERITY_CRITICAL);
    jam(o);
    assert_int_equal(office_count(o, "ticket.opened"), 1);
    assert_int_equal(o->post.mails.n, 0);
}

/* ---- Messages ---- */

static void must_be(struct office *o, size_t i, const char *state)
{
    json_t *rows = office_query(o, "outbox", NULL);

    assert_string_equal(member(rows, i, "state"), state);
    json_decref(rows);
}

static void a_refused_mail_is_sent_again_when_somebody_wants_it(void **state)
{
    struct office *o = *state;
    char *text = NULL, *id;

    office_add_printer(o);
    o->post.answer = PD_SEND_NEVER;
    jam(o);
    must_be(o, 0, "failed");
    id = xstrdup(o->post.mails.v[0].id);
    o->post.answer = PD_SEND_DONE;
    assert_int_equal(office_command(o, "outbox.retry", "{\"message\":1}", &text), 0);
    assert_string_equal(text, "{\"message\":1,\"state\":\"pending\"}");
    office_pass(o, MINUTE_MS);
    must_be(o, 0, "sent");
    assert_int_equal(o->post.mails.n, 3);
    assert_string_equal(o->post.mails.v[2].id, id);
    assert_string_equal(o->post.mails.v[2].body, o->post.mails.v[0].body);
    assert_string_equal(o->post.mails.v[2].from, "巡检 <patrold@example.com>");
    assert_int_equal(office_count(o, "outbox.retried"), 1);
    free(id);
    free(text);
}

static void a_waiting_mail_goes_at_once_when_somebody_wants_it(void **state)
{
    struct office *o = *state;
    size_t tries;

    office_add_printer(o);
    o->post.answer = PD_SEND_LATER;
    jam(o);
    office_pass(o, 6 * HOUR_MS);
    tries = o->post.mails.n;
    o->post.answer = PD_SEND_DONE;
    assert_int_equal(office_command(o, "outbox.retry", "{\"message\":1}", NULL), 0);
    office_pass(o, 2 * SECOND_MS);
    assert_int_equal(o->post.mails.n, tries + 1);
    must_be(o, 0, "sent");
    must_be(o, 1, "pending");
}

static void a_dropped_mail_is_never_sent_not_after_a_restart_either(void **state)
{
    struct office *o = *state;
    size_t tries;

    office_add_printer(o);
    o->post.answer = PD_SEND_LATER;
    jam(o);
    assert_int_equal(office_command(o, "outbox.drop", "{\"message\":1}", NULL), 0);
    must_be(o, 0, "dropped");
    tries = o->post.mails.n;
    o->post.answer = PD_SEND_DONE;
    office_stop(o);
    office_start(o);
    office_pass(o, HOUR_MS);
    assert_int_equal(o->post.mails.n, tries + 1); /* the other one */
    must_be(o, 0, "dropped");
    must_be(o, 1, "sent");
    assert_int_equal(office_count(o, "outbox.dropped"), 1);
}

static void what_cannot_be_done_to_a_mail_is_said(void **state)
{
    static const struct {
        const char *name, *args;
        int err;
        const char *why;
    } rows[] = {
        {"outbox.retry", "{\"message\":1}", PD_ESTATE, "message 1 was sent already"},
        {"outbox.drop", "{\"message\":1}", PD_ESTATE, "message 1 was sent already"},
        {"outbox.drop", "{\"message\":99}", PD_ENOENT, "there is no message 99"},
        {"outbox.retry", "{\"message\":\"x\"}", PD_EINVAL, "message wants a whole number"},
        {"outbox.retry", "{}", PD_EINVAL, "'message' is missing"},
    };
    struct office *o = *state;

    office_add_printer(o);
    jam(o);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = NULL;
        int err = office_command(o, rows[i].name, rows[i].args, &text);

        if (err != rows[i].err || strcmp(text, rows[i].why) != 0)
            fail_msg("%s %s: %d, %s", rows[i].name, rows[i].args, err, text);
        free(text);
    }
}

/* ---- Commands ---- */

/* Does a command that must succeed; its answer, to be freed by json_decref(). */
static json_t *done(struct office *o, const char *name, const char *args)
{
    char *text = NULL;
    int err = office_command(o, name, args, &text);
    json_t *answer;

    if (err < 0)
        fail_msg("%s %s: %d, %s", name, args, err, text);
    answer = json_loads(text, 0, NULL);
    assert_non_null(answer);
    free(text);
    return answer;
}

static void must(struct office *o, const char *name, const char *args)
{
    json_decref(done(o, name, args));
}

static void expect_row(struct office *o, const char *query, size_t i, const char *member, const char *want)
{
    json_t *rows = office_query(o, query, "{}");
    const char *found = json_string_value(json_object_get(json_array_get(rows, i), member));

    if (!str_eq(found, want))
        fail_msg("%s[%zu].%s: '%s', not '%s'", query, i, member, found ? found : "", want ? want : "");
    json_decref(rows);
}

static void the_archive_stands_after_a_restart(void **state)
{
    struct office *o = *state;
    char *why = NULL;

    office_add_printer(o);
    must(o, "customer.add", "{\"name\":\"甲公司\",\"number\":1001}");
    must(o, "site.add", "{\"name\":\"总部\",\"customer\":\"甲公司\",\"zone\":\"Asia/Shanghai\"}");
    must(o, "device.set",
         "{\"device\":\"3F-影印\",\"site\":\"总部\",\"location\":\"三楼\",\"warranty\":\"2028-12-31\"}");
    must(o, "contract.add",
         "{\"number\":\"HT-1\",\"customer\":\"甲公司\",\"kind\":\"labour\",\"p1\":\"fix=8h\","
         "\"devices\":\"3F-影印\"}");
    office_stop(o);
    office_start(o);
    expect_row(o, "customers", 0, "number", "1001");
    expect_row(o, "devices", 0, "location", "三楼");
    expect_row(o, "devices", 0, "customer", "甲公司");
    expect_row(o, "devices", 0, "warranty", "2028-12-31");
    expect_row(o, "contracts", 0, "p1", "fix=8h");
    must(o, "site.set", "{\"site\":\"总部\",\"name\":\"大楼\"}");
    expect_row(o, "devices", 0, "site", "大楼");
    assert_int_equal(office_command(o, "site.remove", "{\"site\":\"大楼\"}", &why), PD_ESTATE);
    assert_string_equal(why, "site '大楼' can't be removed: device '3F-影印' stands there");
    free(why);
    assert_int_equal(office_command(o, "device.set", "{\"device\":1,\"site\":\"总部\"}", &why), PD_EINVAL);
    assert_string_equal(why, "site: there is no site '总部'");
    free(why);
    must(o, "device.set", "{\"device\":1,\"site\":null}");
    must(o, "site.remove", "{\"site\":\"大楼\"}");
    expect_row(o, "devices", 0, "site", NULL);
    assert_int_equal(office_count(o, "site.removed"), 1);
}

static void devices_stand_behind_each_other_after_a_restart(void **state)
{
    struct office *o = *state;
    char *why = NULL;

    must(o, "device.import",
         "{\"rows\":[{\"name\":\"meter\",\"address\":\"10.0.1.1\",\"parent\":\"gateway\",\"unit\":7},"
         "{\"name\":\"gateway\",\"address\":\"10.0.1.1\",\"status\":\"in-repair\"}]}");
    office_stop(o);
    office_start(o);
    expect_row(o, "devices", 0, "parent", "gateway");
    expect_row(o, "devices", 1, "status", "in-repair");
    assert_int_equal(office_command(o, "device.set", "{\"device\":\"gateway\",\"parent\":\"meter\"}", &why), PD_EINVAL);
    assert_string_equal(why, "parent: gateway → meter → gateway is a circle");
    free(why);
    assert_int_equal(office_command(o, "device.remove", "{\"device\":\"gateway\"}", &why), PD_ESTATE);
    assert_string_equal(why, "gateway can't be removed: meter is reached by it");
    free(why);
    must(o, "device.set", "{\"device\":\"meter\",\"parent\":\"\"}");
    must(o, "device.remove", "{\"device\":\"gateway\"}");
}

static void a_site_that_nobody_knows_is_doubtful_while_there_are_none(void **state)
{
    json_t *answer = done(*state, "device.add", "{\"name\":\"x\",\"address\":\"10.0.0.9\",\"site\":\"三楼\"}");

    assert_string_equal(json_string_value(json_object_get(answer, "warning")),
                        "site '三楼' is not checked: the archive has no sites yet");
    json_decref(answer);
}

static json_int_t count_of(const json_t *answer, const char *name)
{
    return json_integer_value(json_object_get(answer, name));
}

static void devices_are_imported_all_or_none(void **state)
{
    static const char rows[] = "[{\"name\":\"a\",\"address\":\"10.0.1.1\"},"
                               "{\"name\":\"3F-影印\",\"location\":\"三楼\"},"
                               "{\"name\":\"b\",\"address\":\"10.0.1.2\",\"labels\":\"floor=2\"}]";
    struct office *o = *state;
    char *dry = xasprintf("{\"rows\":%s,\"dry_run\":true}", rows), *real = xasprintf("{\"rows\":%s}", rows);
    json_t *answer, *list;

    office_add_printer(o);
    answer = done(o, "device.import", dry);
    assert_int_equal(count_of(answer, "added"), 2);
    assert_int_equal(count_of(answer, "changed"), 1);
    list = json_array_get(json_object_get(answer, "changes"), 0);
    assert_string_equal(json_string_value(json_object_get(list, "field")), "location");
    assert_true(json_is_null(json_object_get(list, "before")));
    assert_string_equal(json_string_value(json_object_get(list, "after")), "三楼");
    json_decref(answer);
    assert_int_equal(office_count(o, "device.changed"), 0);
    must(o, "device.import", real);
    assert_int_equal(office_count(o, "device.changed"), 1);
    assert_int_equal(office_count(o, "device.added"), 3);
    expect_row(o, "devices", 2, "labels", "floor=2");
    answer = done(o, "device.import", real);
    assert_int_equal(count_of(answer, "unchanged"), 3);
    json_decref(answer);
    free(dry);
    free(real);
}

static void a_dry_run_tells_all_that_is_wrong(void **state)
{
    json_t *answer = done(*state, "device.import",
                          "{\"dry_run\":true,\"rows\":[{\"name\":\"a\",\"address\":\"nowhere\"},"
                          "{\"name\":\"b\",\"address\":\"10.0.1.1\",\"port\":\"x\",\"warranty\":\"soon\"},"
                          "{\"name\":\"a\",\"address\":\"10.0.1.2\"},{\"name\":\"c\",\"address\":\"10.0.1.3\"}]}");
    json_t *errors = json_object_get(answer, "errors");

    assert_int_equal(count_of(answer, "wrong"), 3);
    assert_int_equal(count_of(answer, "added"), 1);
    assert_int_equal(json_array_size(errors), 4);
    assert_int_equal(count_of(json_array_get(errors, 0), "row"), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(errors, 0), "field")), "port");
    assert_string_equal(json_string_value(json_object_get(json_array_get(errors, 2), "text")),
                        "'a' is there twice: also in row 1");
    assert_string_equal(json_string_value(json_object_get(json_array_get(errors, 3), "field")), "address");
    json_decref(answer);
}

static void wrong_commands_say_what_would_be_right(void **state)
{
    static const struct {
        const char *name, *args;
        int err;
        const char *why;
    } rows[] = {
        {"device.ad", "{}", PD_EINVAL, "unknown command 'device.ad' (did you mean 'device.add'?)"},
        {"ticket.acept", "{}", PD_EINVAL, "unknown command 'ticket.acept' (did you mean 'ticket.accept'?)"},
        {"device.add", "{\"name\":\"x\"}", PD_EINVAL, "address: is missing"},
        {"device.add", "{\"name\":\"x\",\"adress\":\"10.0.0.1\"}", PD_EINVAL,
         "unknown argument 'adress' (did you mean 'address'?)"},
        {"device.add", "{\"name\":[7],\"address\":\"10.0.0.1\"}", PD_EINVAL, "name wants a text"},
        {"device.add", "{\"name\":\"x\",\"address\":\"10.0.0.1\",\"port\":\"x\"}", PD_EINVAL,
         "port: 'x' is no port: 1 to 65535"},
        {"device.add", "{\"name\":\"x\",\"address\":\"10.0.0.1\",\"port\":70000}", PD_EINVAL,
         "port: '70000' is no port: 1 to 65535"},
        {"device.add", "{\"name\":\"a\\nb\",\"address\":\"10.0.0.1\"}", PD_EINVAL,
         "name: has control characters, spaces at an end, or is not UTF-8"},
        {"device.add", "{\"name\":\"\",\"address\":\"10.0.0.1\"}", PD_EINVAL, "name: is missing"},
        {"device.add", "{\"name\":null,\"address\":\"10.0.0.1\"}", PD_EINVAL, "name: is missing"},
        {"device.add", "[1]", PD_EINVAL, "the arguments are no JSON object"},
        {"device.add", "{\"name\":\"x\",\"name\":\"y\"}", PD_EINVAL, "the arguments are no JSON object"},
        {"device.add", "{", PD_EINVAL, "the arguments are no JSON object"},
        {"device.add", "{\"name\":\"3F-影印\",\"address\":\"10.0.0.1\"}", PD_EEXIST,
         "name: there is a device named '3F-影印' already"},
        {"device.set", "{\"device\":\"3F-影印\",\"name\":\"x\"}", PD_EINVAL,
         "a device keeps its name: its history stands under it"},
        {"device.set", "{\"device\":\"3F-影印\",\"credential\":\"x\"}", PD_EINVAL,
         "credential: there is no credential 'x' in the configuration"},
        {"device.set", "{\"location\":\"x\"}", PD_EINVAL, "'device' is missing"},
        {"customer.ad", "{}", PD_EINVAL, "unknown command 'customer.ad' (did you mean 'customer.add'?)"},
        {"customer.add", "{}", PD_EINVAL, "name: is missing"},
        {"customer.add", "{\"name\":\"a\",\"colour\":\"red\"}", PD_EINVAL, "unknown argument 'colour'"},
        {"customer.set", "{\"customer\":\"a\"}", PD_ENOENT, "there is no customer 'a'"},
        {"customer.remove", "{\"customer\":true}", PD_EINVAL, "customer wants a text or a whole number"},
        {"customer.remove", "{\"customer\":\"a\",\"name\":\"a\"}", PD_EINVAL, "only 'customer' is wanted"},
        {"site.add", "{\"name\":\"a\",\"customer\":\"b\"}", PD_EINVAL, "customer: there is no customer 'b'"},
        {"site.import", "{}", PD_EINVAL, "\"rows\" must be a list of objects"},
        {"site.import", "{\"rows\":[{\"name\":\"a\",\"customer\":\"b\"},7]}", PD_EINVAL, "row 2: is no object"},
        {"site.import", "{\"rows\":[{\"name\":\"a\",\"customer\":\"b\"},{}]}", PD_EINVAL,
         "row 1: customer: there is no customer 'b'; and 2 more"},
        {"device.import", "{\"rows\":[{\"name\":\"a\",\"address\":\"nowhere\"}]}", PD_EINVAL,
         "address: 'nowhere' is not an IPv4 or IPv6 address"},
        {"device.remove", "{\"device\":\"3F-影印机\"}", PD_ENOENT,
         "there is no device '3F-影印机' (did you mean '3F-影印'?)"},
        {"device.poll", "{\"device\":99}", PD_ENOENT, "there is no device '99'"},
        {"device.read", "{\"sources\":[[\"1.1\",true]]}", PD_EINVAL, "'address' is missing"},
        {"device.read", "{\"address\":\"10.9.9.9\",\"port\":70000}", PD_EINVAL,
         "'port' is not an argument here, or not of its type"},
        {"device.read", "{\"address\":\"10.9.9.9\"}", PD_EINVAL,
         "sources wants a list of 1 to 20000 pairs [address, is it a column]"},
        {"device.read", "{\"address\":\"10.9.9.9\",\"sources\":[[\"1.1\",true],7]}", PD_EINVAL,
         "source 1 is no pair [address, is it a column]"},
        {"device.read", "{\"address\":\"10.9.9.9\",\"sources\":[[\"bad\",true]]}", PD_EINVAL,
         "source 0: a bad address"},
        {"device.read", "{\"address\":\"10.9.9.9\",\"sources\":[[\"1.1\",true]],\"holes\":[[3,9,8]]}", PD_EINVAL,
         "holes wants a list of at most 64 [function 1 to 4, first address, last address]"},
        {"device.read", "{\"address\":\"10.9.9.9\",\"sources\":[[\"1.1\",true]],\"holes\":[[5,0,8]]}", PD_EINVAL,
         "holes wants a list of at most 64 [function 1 to 4, first address, last address]"},
        {"device.read", "{\"address\":\"10.9.9.9\",\"sources\":[[\"1.1\",true]],\"holes\":[[1,0,65536]]}", PD_EINVAL,
         "holes wants a list of at most 64 [function 1 to 4, first address, last address]"},
        {"device.read", "{\"address\":\"10.9.9.9\",\"sources\":[[\"1.1\",true]],\"holes\":[[1,0]]}", PD_EINVAL,
         "holes wants a list of at most 64 [function 1 to 4, first address, last address]"},
        {"device.read", "{\"address\":\"10.9.9.9\",\"sources\":[[\"1.1\",true]],\"holes\":7}", PD_EINVAL,
         "'holes' is not an argument here, or not of its type"},
        {"device.read", "{\"address\":\"10.9.9.9\",\"collector\":\"fax\"}", PD_ENOENT, "there is no collector 'fax'"},
        {"device.read", "{\"address\":\"10.9.9.9\",\"credential\":\"x\",\"sources\":[[\"1.1\",true]]}", PD_ENOENT,
         "there is no credential 'x'"},
        {"alert.ack", "{\"alert\":99}", PD_ENOENT, "there is no open alert 99"},
        {"alert.ack", "{\"alert\":\"1\"}", PD_EINVAL, "alert wants a whole number"},
        {"ticket.accept", "{\"ticket\":\"PK-000099\"}", PD_ENOENT, "there is no open ticket 'PK-000099'"},
        {"ticket.reopen", "{\"ticket\":\"PK-000099\"}", PD_ENOENT, "there is no ticket 'PK-000099'"},
    };
    struct office *o = *state;

    office_add_printer(o);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *why = NULL;
        int err = office_command(o, rows[i].name, rows[i].args, &why);

        if (err != rows[i].err || strcmp(why, rows[i].why) != 0)
            fail_msg("%s %s: %d, %s", rows[i].name, rows[i].args, err, why);
        free(why);
    }
}

static void a_command_is_written_down_with_who_gave_it(void **state)
{
    struct office *o = *state;
    json_t *rows;

    office_add_printer(o);
    jam(o);
    assert_int_equal(office_command(o, "alert.ack", "{\"alert\":1}", NULL), 0);
    assert_int_equal(office_command(o, "alert.ack", "{\"alert\":1}", NULL), PD_ESTATE);
    assert_int_equal(office_command(o, "ticket.accept", "{\"ticket\":1,\"note\":\"去看看\"}", NULL), 0);
    rows = office_query(o, "events", "{\"kind\":\"ticket.accept\"}");
    assert_string_equal(member(rows, 0, "actor"), "li");
    json_decref(rows);
    rows = office_query(o, "tickets", NULL);
    assert_string_equal(member(rows, 0, "note"), "去看看");
    json_decref(rows);
}

static void a_poll_is_answered_when_it_has_ended(void **state)
{
    struct office *o = *state;
    char *text = NULL;

    office_add_printer(o);
    assert_int_equal(office_command(o, "device.poll", "{\"device\":\"3F-影印\"}", &text), 0);
    assert_string_equal(text, "{\"device\":1,\"status\":\"done\",\"rtt_ms\":7,\"detail\":null}");
    free(text);
    fake_mode(fake_device(o->collector, "10.0.3.9"), FAKE_SILENT);
    assert_int_equal(office_command(o, "device.poll", "{\"device\":1}", &text), 0);
    assert_string_equal(text, "{\"device\":1,\"status\":\"no-answer\",\"rtt_ms\":-1,\"detail\":\"no answer\"}");
    free(text);
}

/* An address that is no device's: what it says is answered as it came, and nothing of it stays. */
static void an_address_is_read_once(void **state)
{
    static const char args[] =
        "{\"address\":\"10.9.9.9\",\"sources\":[[\"1.6\",true],[\"1.5.0\",false],[\"1.7.0\",false]]}";
    struct office *o = *state;
    struct fake_device *d = fake_device(o->collector, "10.9.9.9");
    size_t open = fake_open_count(o->collector);
    char *text = NULL;

    fake_text(d, "1.5.0", 0, "打");
    fake_int(d, "1.6", 3, -7);
    fake_int(d, "1.8", 1, 1);
    fake_absent(d, "1.7.0", 0);
    assert_int_equal(office_command(o, "device.read", args, &text), 0);
    assert_string_equal(text,
                        "{\"status\":\"done\",\"detail\":null,\"cells\":[[0,[3],\"i\",-7],[1,[],\"x\",\"e68993\"]]}");
    free(text);
    fake_mode(d, FAKE_SILENT);
    assert_int_equal(office_command(o, "device.read", args, &text), 0);
    assert_string_equal(text, "{\"status\":\"no-answer\",\"detail\":\"no answer\",\"cells\":[]}");
    free(text);
    office_pass(o, SECOND_MS);
    assert_int_equal(fake_open_count(o->collector), open);
    assert_int_equal(office_count(o, "device.added"), 0);
}

static void an_address_is_read_once_with_care(void **state)
{
    static const char args[] = "{\"address\":\"10.9.9.9\",\"sources\":[[\"1.5.0\",false]],\"no_gaps\":true,"
                               "\"holes\":[[3,100,109],[1,0,65535]]}";
    struct office *o = *state;
    char *text = NULL;

    fake_text(fake_device(o->collector, "10.9.9.9"), "1.5.0", 0, "x");
    assert_int_equal(office_command(o, "device.read", args, &text), 0);
    free(text);
    assert_true(fake_target(fake_device(o->collector, "10.9.9.9"))->no_gaps);
    assert_int_equal(fake_target(fake_device(o->collector, "10.9.9.9"))->nholes, 2);
}

static void a_closed_ticket_is_reopened_from_the_database(void **state)
{
    struct office *o = *state;
    char *text = NULL;

    office_add_printer(o);
    jam(o);
    clear_jam(o);
    assert_int_equal(office_command(o, "ticket.reopen", "{\"ticket\":\"PK-000001\",\"note\":\"又卡\"}", &text), 0);
    assert_string_equal(text, "{\"ticket\":1,\"number\":\"PK-000001\",\"state\":\"accepted\"}");
    free(text);
    jam(o);
    assert_int_equal(office_count(o, "ticket.opened"), 1);
    assert_int_equal(office_count(o, "ticket.fault-again"), 1);
}

static void keep_answer(void *arg, int err, const char *json_or_why)
{
    (void)json_or_why;
    *(int *)arg = err;
}

static void stopping_answers_every_command(void **state)
{
    struct office *o = *state;
    int poll = 1, add = 1, read = 1;

    office_add_printer(o);
    fake_delay(fake_device(o->collector, "10.0.3.9"), 10000);
    core_command(o->core, "device.poll", "{\"device\":1}", "li", keep_answer, &poll);
    core_command(o->core, "device.add", "{\"name\":\"x\",\"address\":\"10.0.0.1\"}", "li", keep_answer, &add);
    core_command(o->core, "device.read", "{\"address\":\"10.0.3.9\",\"sources\":[[\"1.1\",true]]}", "li", keep_answer,
                 &read);
    office_stop(o);
    assert_int_equal(poll, PD_ECANCELLED);
    assert_int_equal(read, PD_ECANCELLED);
    assert_int_equal(add, 0); /* decided, so the end waits for it to be on disk */
    office_start(o);
    assert_int_equal(office_command(o, "device.remove", "{\"device\":\"x\"}", NULL), 0);
}

/* ---- The disk ---- */

static void a_full_disk_is_one_alert_and_loses_nothing(void **state)
{
    struct office *o = *state;
    int64_t full_at, free_at;
    int queued = 1;
    char *why = NULL;
    json_t *rows;

    office_add_printer(o);
    full_at = o->time.wall;
    memvfs_set_room(o->disk, 0);
    core_command(o->core, "device.add", "{\"name\":\"x\",\"address\":\"10.0.0.1\"}", "li", keep_answer, &queued);
    office_pass(o, MINUTE_MS);
    assert_int_equal(queued, CORE_QUEUED);
    assert_int_equal(office_command(o, "ticket.accept", "{\"ticket\":1}", &why), PD_ENOSPC);
    assert_non_null(strstr(why, "the database cannot be written"));
    free(why);
    jam(o);
    clear_jam(o);
    assert_int_equal(o->post.mails.n, 0);

    memvfs_set_room(o->disk, -1);
    free_at = o->time.wall;
    office_pass(o, 5 * MINUTE_MS);
    assert_int_equal(office_command(o, "device.remove", "{\"device\":\"x\"}", NULL), 0);
    rows = office_query(o, "alerts", "{\"family\":\"store\"}");
    assert_int_equal(json_array_size(rows), 1);
    assert_in_range(json_integer_value(json_object_get(json_array_get(rows, 0), "opened_ms")), full_at,
                    full_at + MINUTE_MS);
    assert_in_range(json_integer_value(json_object_get(json_array_get(rows, 0), "closed_ms")), free_at,
                    free_at + 2 * MINUTE_MS);
    json_decref(rows);
    rows = office_query(o, "alerts", "{\"family\":\"jam\"}");
    assert_int_equal(json_array_size(rows), 1);
    json_decref(rows);
    assert_int_equal(office_count(o, "ticket.opened"), 1);
    assert_int_equal(o->post.mails.n, 6); /* jam, its end, and the disk, to two people */
    assert_string_equal(o->post.mails.v[4].subject, "[恢复] patrold 数据库曾无法写入");
    assert_numbered(o);
}

/* The row of a failed try may be on disk only after the next try has succeeded. */
static void a_disk_slower_than_the_retries_doubles_no_mail(void **state)
{
    struct office *o = *state;

    office_add_printer(o);
    o->post.answer = PD_SEND_LATER;
    o->writing_ms = 8 * SECOND_MS;
    office_set_jam(o, true);
    for (int i = 0; i < 600 && o->post.mails.n < 2; i++)
        office_pass(o, SECOND_MS);
    assert_int_equal(o->post.mails.n, 2);
    o->post.answer = PD_SEND_DONE;
    office_pass(o, 5 * MINUTE_MS);
    assert_int_equal(o->post.mails.n, 4);
    assert_int_equal(office_count(o, "mail.sent"), 2);
}

/* When the clock was set meanwhile, the times told are those of the clock as it is now. */
static void how_long_the_disk_was_full_does_not_depend_on_the_clock(void **state)
{
    struct office *o = *state;
    int queued = 1;
    json_t *rows;

    office_add_printer(o);
    memvfs_set_room(o->disk, 0);
    core_command(o->core, "device.add", "{\"name\":\"x\",\"address\":\"10.0.0.1\"}", "li", keep_answer, &queued);
    office_pass(o, 5 * MINUTE_MS);
    o->time.wall -= HOUR_MS;
    office_pass(o, 5 * MINUTE_MS);
    memvfs_set_room(o->disk, -1);
    office_pass(o, MINUTE_MS);
    rows = office_query(o, "alerts", "{\"family\":\"store\"}");
    assert_in_range(json_integer_value(json_object_get(json_array_get(rows, 0), "closed_ms")) -
                        json_integer_value(json_object_get(json_array_get(rows, 0), "opened_ms")),
                    10 * MINUTE_MS, 11 * MINUTE_MS);
    json_decref(rows);
}

static size_t open_faults(const struct office *o)
{
    struct watch_counters counters;

    watch_counters(core_watch(o->core), &counters);
    return counters.open_faults;
}

/* Past 10,000 changes that wait nothing more is decided, and nothing is forgotten either. */
static void judging_pauses_while_too_much_waits_for_the_disk(void **state)
{
    enum { COMMANDS = 10001 };
    struct office *o = *state;
    int answer = 1;

    office_add_printer(o);
    jam(o);
    assert_int_equal(office_command(o, "ticket.accept", "{\"ticket\":1}", NULL), 0);
    o->writing_ms = HOUR_MS;
    for (int i = 0; i < COMMANDS; i++)
        core_command(o->core, "ticket.dispatch", "{\"ticket\":1,\"assignee\":\"wu\"}", "li", keep_answer, &answer);
    o->writing_ms = 1;
    office_set_jam(o, false);
    office_pass(o, 30 * MINUTE_MS);
    assert_int_equal(answer, 1);
    assert_int_equal(open_faults(o), 1);
    office_pass(o, 40 * MINUTE_MS);
    assert_int_equal(answer, 0);
    assert_int_equal(open_faults(o), 0);
    assert_int_equal(office_count(o, "ticket.dispatch"), COMMANDS);
    assert_numbered(o);
}

/* Only what was decided is said to wait for the disk; the rest is refused or goes its way. */
static void what_was_under_way_when_the_disk_ran_full(void **state)
{
    struct office *o = *state;
    int cancelled = 1, reopened = 1, polled = 1;

    office_add_printer(o);
    jam(o);
    memvfs_set_room(o->disk, 0);
    core_command(o->core, "ticket.cancel", "{\"ticket\":1}", "li", keep_answer, &cancelled);
    core_command(o->core, "ticket.reopen", "{\"ticket\":1}", "li", keep_answer, &reopened);
    core_command(o->core, "device.poll", "{\"device\":1}", "li", keep_answer, &polled);
    office_pass(o, SECOND_MS);
    assert_int_equal(cancelled, CORE_QUEUED);
    assert_int_equal(reopened, PD_ENOSPC);
    assert_int_equal(polled, 0);
    memvfs_set_room(o->disk, -1);
    office_pass(o, MINUTE_MS);
    assert_null(desk_ticket(core_desk(o->core), 1));
    assert_int_equal(office_command(o, "ticket.reopen", "{\"ticket\":1}", NULL), 0);
}

/* The database still says what stood before: of that nothing is taken up. */
static void a_ticket_whose_closing_is_not_stored_yet_is_not_reopened(void **state)
{
    struct office *o = *state;
    int cancelled = 1, reopened = 1;

    office_add_printer(o);
    jam(o);
    o->writing_ms = 100;
    core_command(o->core, "ticket.cancel", "{\"ticket\":1}", "li", keep_answer, &cancelled);
    core_command(o->core, "ticket.reopen", "{\"ticket\":1}", "li", keep_answer, &reopened);
    office_pass(o, SECOND_MS);
    assert_int_equal(cancelled, 0);
    assert_int_equal(reopened, PD_EBUSY);
    assert_null(desk_ticket(core_desk(o->core), 1));
    assert_int_equal(office_command(o, "ticket.reopen", "{\"ticket\":1}", NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_jam_becomes_a_ticket_and_two_mails, setup, teardown),
        cmocka_unit_test_setup_teardown(recovery_cancels_what_nobody_accepted, setup, teardown),
        cmocka_unit_test_setup_teardown(an_accepted_ticket_takes_the_fault_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restart_tells_nothing_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mail_that_could_not_go_out_goes_after_a_crash_with_the_same_id, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_refused_mail_is_told_as_failed, setup, teardown),
        cmocka_unit_test_setup_teardown(recipients_are_told_from_their_severity_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_mail_is_sent_again_when_somebody_wants_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_waiting_mail_goes_at_once_when_somebody_wants_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dropped_mail_is_never_sent_not_after_a_restart_either, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_done_to_a_mail_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(the_archive_stands_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(devices_stand_behind_each_other_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_site_that_nobody_knows_is_doubtful_while_there_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(devices_are_imported_all_or_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dry_run_tells_all_that_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_commands_say_what_would_be_right, setup, teardown),
        cmocka_unit_test_setup_teardown(a_command_is_written_down_with_who_gave_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_poll_is_answered_when_it_has_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_is_read_once, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_is_read_once_with_care, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_ticket_is_reopened_from_the_database, setup, teardown),
        cmocka_unit_test_setup_teardown(stopping_answers_every_command, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_one_alert_and_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(how_long_the_disk_was_full_does_not_depend_on_the_clock, setup, teardown),
        cmocka_unit_test_setup_teardown(judging_pauses_while_too_much_waits_for_the_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(a_disk_slower_than_the_retries_doubles_no_mail, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_under_way_when_the_disk_ran_full, setup, teardown),
        cmocka_unit_test_setup_teardown(a_ticket_whose_closing_is_not_stored_yet_is_not_reopened, setup, teardown),
    };

    return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
