#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "tests/daemon/rig.h"

static int set_up(void **state)
{
    *state = rig_new();
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    return 0;
}

static json_int_t number_of(const json_t *line)
{
    return json_integer_value(json_object_get(json_object_get(line, "event"), "number"));
}

static size_t count_rows(const json_t *line)
{
    return json_array_size(json_object_get(line, "rows"));
}

/* ---- Commands ---- */

static void a_command_is_answered_when_it_is_on_disk(void **state)
{
    struct peer *p = peer_new(*state, "wang");
    json_t *line =
        peer_ask(p, "{\"id\":\"甲\",\"cmd\":\"device.add\",\"args\":{\"name\":\"三楼\",\"address\":\"10.1.1.1\"}}");

    assert_string_equal(json_string_value(json_object_get(line, "id")), "甲");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(line, "ok"), "device")), 1);
    json_decref(line);
    line = peer_ask(p, "{\"id\":2,\"query\":\"devices\"}");
    assert_int_equal(count_rows(line), 1);
    json_decref(line);
    peer_free(p);
}

static void a_command_carries_who_gave_it(void **state)
{
    struct peer *p = peer_new(*state, "小王");
    json_t *line = peer_ask(p, "{\"id\":1,\"cmd\":\"device.add\",\"args\":{\"name\":\"a\",\"address\":\"10.1.1.1\"}}"),
           *event;

    json_decref(line);
    line = peer_ask(p, "{\"id\":2,\"query\":\"events\",\"filters\":{\"kind\":\"device.added\"}}");
    event = json_array_get(json_object_get(line, "rows"), 0);
    assert_string_equal(json_string_value(json_object_get(event, "actor")), "小王");
    json_decref(line);
    peer_free(p);
}

static void metrics_count_what_there_is(void **state)
{
    struct peer *p;
    json_t *line, *row, *sample;
    size_t i, j;
    json_int_t devices = 0;

    rig_command(*state, "device.add", "{\"name\":\"there\",\"address\":\"10.1.1.1\"}");
    p = peer_new(*state, "wang");
    line = peer_ask(p, "{\"id\":1,\"query\":\"metrics\"}");
    json_array_foreach(json_object_get(line, "rows"), i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));

        assert_true(str_starts(name, "patrold_"));
        assert_true(strlen(json_string_value(json_object_get(row, "help"))) > 0);
        if (strcmp(name, "patrold_devices") == 0)
            json_array_foreach(json_object_get(row, "samples"), j, sample) devices +=
                json_integer_value(json_object_get(sample, "value"));
    }
    assert_int_equal(devices, 1);
    json_decref(line);
    peer_free(p);
}

static void errors_carry_a_code_and_words(void **state)
{
    static const struct {
        const char *request, *code;
    } rows[] = {
        {"{\"id\":1,\"cmd\":\"device.ad\",\"args\":{}}", "invalid"},
        {"{\"id\":1,\"cmd\":7}", "invalid"},
        {"{\"id\":1,\"cmd\":\"device.add\",\"args\":[]}", "invalid"},
        {"{\"id\":1,\"cmd\":\"device.add\",\"args\":{\"name\":\"x\"}}", "invalid"},
        {"{\"id\":1,\"cmd\":\"device.add\",\"args\":{\"name\":\"x\",\"address\":\"nowhere\"}}", "invalid"},
        {"{\"id\":1,\"cmd\":\"device.add\",\"args\":{\"name\":\"there\",\"address\":\"10.9.9.9\"}}", "exists"},
        {"{\"id\":1,\"cmd\":\"device.remove\",\"args\":{\"device\":\"nobody\"}}", "not-found"},
        {"{\"id\":1,\"cmd\":\"alert.ack\",\"args\":{\"alert\":99}}", "not-found"},
        {"{\"id\":1,\"cmd\":\"alert.ack\",\"args\":{\"alert\":\"99\"}}", "invalid"},
        {"{\"id\":1,\"cmd\":\"ticket.accept\",\"args\":{\"ticket\":\"X-1\"}}", "not-found"},
        {"{\"id\":1,\"cmd\":\"reload\"}", "unsupported"},
        {"{\"id\":1,\"query\":\"nothing\"}", "invalid"},
        {"{\"id\":1,\"query\":[]}", "invalid"},
        {"{\"id\":1,\"query\":\"devices\",\"filters\":[]}", "invalid"},
        {"{\"id\":1,\"query\":\"devices\",\"filters\":{\"colour\":\"red\"}}", "invalid"},
        {"{\"id\":1,\"query\":\"live\",\"filters\":{\"colour\":\"red\"}}", "invalid"},
        {"{\"id\":1,\"query\":\"live\",\"filters\":{\"state\":{}}}", "invalid"},
        {"{\"id\":1,\"query\":\"devices\",\"after\":\"1\"}", "invalid"},
        {"{\"id\":1,\"query\":\"devices\",\"limit\":0}", "range"},
        {"{\"id\":1,\"query\":\"devices\",\"limit\":5001}", "range"},
        {"{\"id\":1,\"query\":\"device.show\"}", "invalid"},
        {"{\"id\":1,\"query\":\"device.show\",\"filters\":{\"device\":\"nobody\"}}", "not-found"},
        {"{\"id\":1,\"query\":\"device.show\",\"filters\":{\"device\":77}}", "not-found"},
        {"{\"id\":1,\"query\":\"facts\",\"filters\":{\"device\":\"nobody\"}}", "not-found"},
        {"{\"id\":1,\"query\":\"metrics\",\"filters\":{\"device\":1}}", "invalid"},
        {"{\"id\":1,\"query\":\"words\",\"filters\":{\"lang\":\"fr\"}}", "invalid"},
        {"{\"id\":1,\"tail\":7}", "invalid"},
        {"{\"id\":1,\"tail\":{\"after\":1.5}}", "invalid"},
        {"{\"id\":1,\"tail\":{\"filters\":7}}", "invalid"},
        {"{\"id\":1,\"what\":7}", "invalid"},
    };
    struct peer *p = peer_new(*state, "wang");

    rig_command(*state, "device.add", "{\"name\":\"there\",\"address\":\"10.1.1.1\"}");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *line = peer_ask(p, rows[i].request);
        const char *text = json_string_value(json_object_get(json_object_get(line, "error"), "text"));

        if (strcmp(error_code_of(line), rows[i].code) != 0 || json_integer_value(json_object_get(line, "id")) != 1 ||
            !text || !*text)
            fail_msg("%s: '%s' for '%s', %s", rows[i].request, error_code_of(line), rows[i].code, text ? text : "");
        json_decref(line);
    }
    peer_free(p);
}

static void a_filter_the_tail_does_not_know_ends_it_with_an_error(void **state)
{
    struct peer *p = peer_new(*state, "wang");
    json_t *line;

    rig_add_devices(*state, "d", 1);
    line = peer_ask(p, "{\"id\":1,\"tail\":{\"after\":0,\"filters\":{\"colour\":\"red\"}}}");
    json_decref(line); /* it stands */
    line = peer_line(p);
    assert_string_equal(error_code_of(line), "invalid");
    json_decref(line);
    rig_add_devices(*state, "e", 1);
    line = peer_ask(p, "{\"id\":2,\"query\":\"status\"}");
    assert_int_equal(json_integer_value(json_object_get(line, "id")), 2);
    json_decref(line);
    peer_free(p);
}

static void what_is_decided_while_the_disk_fails_is_queued_then_done(void **state)
{
    struct rig *r = *state;
    struct peer *p = peer_new(r, "wang");
    json_t *line;

    memvfs_set_faults(r->vfs, MEMVFS_FAIL_WRITE);
    line = peer_ask(p, "{\"id\":1,\"cmd\":\"device.add\",\"args\":{\"name\":\"a\",\"address\":\"10.1.1.1\"}}");
    assert_string_equal(error_code_of(line), "queued");
    json_decref(line);
    line = peer_ask(p, "{\"id\":2,\"cmd\":\"device.add\",\"args\":{\"name\":\"b\",\"address\":\"10.1.1.2\"}}");
    assert_string_equal(error_code_of(line), "io");
    json_decref(line);
    line = peer_ask(p, "{\"id\":3,\"query\":\"status\"}");
    assert_int_equal(json_array_size(json_object_get(json_array_get(json_object_get(line, "rows"), 0), "troubles")), 1);
    json_decref(line);
    memvfs_set_faults(r->vfs, 0);
    rig_pass(r, 60000);
    line = peer_ask(p, "{\"id\":4,\"query\":\"devices\"}");
    assert_int_equal(count_rows(line), 1);
    json_decref(line);
    peer_free(p);
}

/* ---- Ids ---- */

static void an_id_comes_back_as_it_was(void **state)
{
    static const char *const ids[] = {
        "0",
        "-1",
        "9223372036854775807",
        "\"\"",
        "\"a\\\"b\\n\"",
        "\"编号\"",
        "\"0123456789012345678901234567890123456789012345678901234567890123\"",
    };
    struct peer *p = peer_new(*state, "wang");

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char *request = xasprintf("{\"id\":%s,\"query\":\"status\"}", ids[i]);
        json_t *line = peer_ask(p, request), *id = json_loads(ids[i], JSON_DECODE_ANY, NULL);

        if (!json_equal(json_object_get(line, "id"), id) || count_rows(line) != 1)
            fail_msg("%s", ids[i]);
        json_decref(id);
        json_decref(line);
        free(request);
    }
    peer_free(p);
}

static void a_request_without_a_good_id_is_refused(void **state)
{
    static const char *const requests[] = {
        "{\"query\":\"status\"}",
        "{\"id\":null,\"query\":\"status\"}",
        "{\"id\":1.5,\"query\":\"status\"}",
        "{\"id\":{},\"query\":\"status\"}",
        "{\"id\":true,\"query\":\"status\"}",
        "{\"id\":\"01234567890123456789012345678901234567890123456789012345678901234\",\"query\":\"status\"}",
    };
    struct peer *p = peer_new(*state, "wang");

    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        json_t *line = peer_ask(p, requests[i]);

        if (!json_is_null(json_object_get(line, "id")) || strcmp(error_code_of(line), "invalid") != 0)
            fail_msg("%s", requests[i]);
        json_decref(line);
    }
    peer_free(p);
}

/* ---- Hostile input ---- */

static void nonsense_is_refused_and_the_connection_goes_on(void **state)
{
    static const struct {
        const char *data;
        size_t n;
    } rows[] = {
#define ROW(text) {text, sizeof text - 1}
        ROW("\n"),
        ROW("hello\n"),
        ROW("[]\n"),
        ROW("42\n"),
        ROW("{\"id\":1\n"),
        ROW("{\"id\":1,\"query\":\"status\"} {}\n"),
        ROW("{\"id\":1,\"id\":2,\"query\":\"status\"}\n"),
        ROW("{\"id\":1,\"query\":\"\\u0000\"}\n"),
        ROW("{\"id\":1,\"query\":\"\xff\xfe\"}\n"),
        ROW("{\"id\":1,\"query\":\"\xed\xa0\x80\"}\n"),
        ROW("\0\x01\x02\x80\xff\n"),
        ROW("GET / HTTP/1.1\r\n"),
        ROW("{\"id\":1,\"query\":\"status\",\"filters\":{\"a\":[[[[[[[[1]]]]]]]]}}\n"),
#undef ROW
    };
    struct peer *p = peer_new(*state, "wang");

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *line;

        peer_send_raw(p, rows[i].data, rows[i].n);
        line = peer_line(p);
        if (!line || !json_is_null(json_object_get(line, "id")) || strcmp(error_code_of(line), "invalid") != 0)
            fail_msg("row %zu: %s", i, line ? error_code_of(line) : "no answer");
        json_decref(line);
        line = peer_ask(p, "{\"id\":1,\"query\":\"status\"}");
        assert_int_equal(count_rows(line), 1);
        json_decref(line);
    }
    peer_free(p);
}

static void very_deep_json_is_refused(void **state)
{
    enum { DEPTH = 500000 };
    struct peer *p = peer_new(*state, "wang");
    char *deep = xmalloc(DEPTH + 1);
    json_t *line;

    memset(deep, '[', DEPTH);
    deep[DEPTH] = '\n';
    peer_send_raw(p, deep, DEPTH + 1);
    line = peer_line(p);
    assert_string_equal(error_code_of(line), "invalid");
    json_decref(line);
    free(deep);
    peer_free(p);
}

static void brackets_in_a_text_are_not_depth(void **state)
{
    struct peer *p = peer_new(*state, "wang");
    json_t *line = peer_ask(p, "{\"id\":\"[[[[[[[[[[\\\"{{{{{{{{{{\",\"query\":\"status\"}");

    assert_int_equal(count_rows(line), 1);
    json_decref(line);
    peer_free(p);
}

static void a_line_without_end_is_refused_and_the_connection_closed(void **state)
{
    enum { MUCH = 10 << 20 };
    struct peer *p = peer_new(*state, "wang");
    char *text = xmalloc(MUCH);
    json_t *line;

    memset(text, ' ', MUCH);
    peer_send_raw(p, text, MUCH);
    line = peer_line(p);
    assert_string_equal(error_code_of(line), "range");
    json_decref(line);
    assert_null(peer_line(p));
    assert_true(p->ended);
    free(text);
    peer_free(p);
}

static void many_requests_in_one_breath_are_each_answered_once(void **state)
{
    enum { REQUESTS = 500 };
    static const char *const kinds[] = {"\"query\":\"status\"", "\"query\":\"devices\"", "\"query\":\"nothing\"",
                                        "\"cmd\":\"device.remove\",\"args\":{\"device\":\"nobody\"}", "\"what\":1"};
    struct peer *p = peer_new(*state, "wang");
    unsigned char answered[REQUESTS] = {0};
    struct sbuf all = {0};

    for (size_t i = 0; i < REQUESTS; i++)
        sbuf_addf(&all, "{\"id\":%zu,%s}\n", i, kinds[i % 5]);
    peer_send_raw(p, all.s, all.n);
    for (size_t i = 0; i < REQUESTS; i++) {
        json_t *line = peer_line(p);

        assert_non_null(line);
        answered[json_integer_value(json_object_get(line, "id"))]++;
        json_decref(line);
    }
    for (size_t i = 0; i < REQUESTS; i++)
        if (answered[i] != 1)
            fail_msg("request %zu was answered %d times", i, answered[i]);
    sbuf_free(&all);
    peer_free(p);
}

/* Lines that wait for answers are taken up in the loop, never in the middle of what gives the answer. */
static void a_device_may_be_removed_by_a_line_that_waited_for_its_poll(void **state)
{
    enum { POLLS = 8 };
    struct rig *r = *state;
    struct peer *p = peer_new(r, "wang");
    struct sbuf all = {0};

    rig_add_devices(r, "d", 2);
    rig_pass(r, 5000);
    for (int i = 1; i <= POLLS; i++)
        sbuf_addf(&all, "{\"id\":%d,\"cmd\":\"device.poll\",\"args\":{\"device\":\"d1\"}}\n", i);
    sbuf_addf(&all, "{\"id\":%d,\"cmd\":\"device.remove\",\"args\":{\"device\":\"d1\"}}\n", POLLS + 1);
    peer_send_raw(p, all.s, all.n);
    for (int i = 1; i <= POLLS + 1; i++) {
        json_t *line = peer_line(p);

        assert_non_null(json_object_get(line, "ok"));
        json_decref(line);
    }
    sbuf_free(&all);
    peer_free(p);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    static const char request[] = "{\"id\":1,\"query\":\"status\"}\n";
    struct peer *p = peer_new(*state, "wang");
    json_t *line;

    for (size_t i = 0; i < sizeof request - 1; i++)
        peer_send_raw(p, request + i, 1);
    line = peer_line(p);
    assert_int_equal(count_rows(line), 1);
    json_decref(line);
    peer_free(p);
}

/* ---- Ends ---- */

static void a_peer_that_goes_while_it_is_answered_does_no_harm(void **state)
{
    struct rig *r = *state;

    for (int i = 0; i < 20; i++) {
        struct peer *p = peer_new(r, "wang");
        char *add = xasprintf("{\"id\":1,\"cmd\":\"device.add\",\"args\":{\"name\":\"d%d\",\"address\":\"10.2.0.%d\"}}",
                              i, i + 1);

        peer_send(p, "{\"id\":0,\"tail\":{\"after\":0}}");
        peer_send(p, "{\"id\":2,\"query\":\"events\"}");
        peer_send_raw(p, add, strlen(add));
        send(p->fd, "\n", 1, 0);
        free(add);
        peer_free(p);
        rig_pass(r, (int64_t)i * 5);
    }
    rig_pass(r, 1000);
    struct peer *p = peer_new(r, "wang");
    json_t *line = peer_ask(p, "{\"id\":1,\"query\":\"status\"}");

    assert_int_equal(count_rows(line), 1);
    json_decref(line);
    peer_free(p);
}

static void a_peer_that_ends_its_side_still_gets_its_answers(void **state)
{
    struct peer *p = peer_new(*state, "wang");
    json_t *line;
    int answers = 0;

    for (int i = 0; i < 30; i++)
        assert_true(send(p->fd, "{\"id\":1,\"query\":\"devices\"}\n", 27, 0) == 27);
    shutdown(p->fd, SHUT_WR);
    while ((line = peer_line(p))) {
        answers += count_rows(line) == 0 && json_is_array(json_object_get(line, "rows"));
        json_decref(line);
    }
    assert_int_equal(answers, 30);
    assert_true(p->ended);
    peer_free(p);
}

static void stopping_ends_every_connection(void **state)
{
    struct rig *r = *state;
    struct peer *p = peer_new(r, "wang");
    json_t *line = peer_ask(p, "{\"id\":1,\"tail\":{\"after\":-1}}");

    json_decref(line);
    peer_send(p, "{\"id\":2,\"query\":\"devices\"}");
    control_stop(r->control);
    r->control = NULL;
    while ((line = peer_line(p)))
        json_decref(line);
    assert_true(p->ended);
    peer_free(p);
}

static void connections_beyond_the_most_are_told_so(void **state)
{
    enum { MOST = 64 };
    struct peer *peers[MOST + 1];
    json_t *line;

    for (int i = 0; i <= MOST; i++)
        peers[i] = peer_new(*state, "wang");
    line = peer_line(peers[MOST]);
    assert_string_equal(error_code_of(line), "busy");
    json_decref(line);
    peer_free(peers[0]);
    rig_pass(*state, 100);
    peers[0] = peer_new(*state, "wang");
    line = peer_ask(peers[0], "{\"id\":1,\"query\":\"status\"}");
    assert_int_equal(count_rows(line), 1);
    json_decref(line);
    for (int i = 0; i <= MOST; i++)
        peer_free(peers[i]);
}

/* ---- Queries ---- */

static void pages_follow_each_other_without_gap(void **state)
{
    static const char *const queries[] = {"devices", "live", "facts", "events"};
    struct peer *p = peer_new(*state, "wang");

    rig_add_devices(*state, "d", 45);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        json_int_t next = 0;
        size_t rows = 0, pages = 0;

        do {
            char *request =
                xasprintf("{\"id\":1,\"query\":\"%s\",\"after\":%lld,\"limit\":10}", queries[i], (long long)next);
            json_t *line = peer_ask(p, request);

            rows += count_rows(line);
            pages++;
            next = json_integer_value(json_object_get(line, "next"));
            json_decref(line);
            free(request);
        } while (next != 0 && pages < 100);
        if (rows != 45 || pages != 5)
            fail_msg("%s: %zu rows in %zu pages", queries[i], rows, pages);
    }
    peer_free(p);
}

/* Three tickets of a device whose contract promises two things; the second one has ended. */
static void promise_and_open(struct rig *r)
{
    rig_command(r, "customer.add", "{\"name\":\"甲公司\"}");
    rig_command(r, "site.add", "{\"name\":\"总部\",\"customer\":\"甲公司\"}");
    rig_command(r, "contract.add",
                "{\"number\":\"HT-1\",\"customer\":\"甲公司\",\"kind\":\"labour\",\"p3\":\"respond=1h,fix=1d\"}");
    for (int i = 0; i < 3; i++)
        rig_command(r, "ticket.open", "{\"title\":\"换纸\",\"site\":\"总部\"}");
    rig_command(r, "ticket.accept", "{\"ticket\":2}");
    rig_command(r, "ticket.cancel", "{\"ticket\":2}");
}

/* "ticket promise state" of each row. */
static void expect_clocks(struct peer *p, const char *request, const char *wanted, int64_t next)
{
    json_t *answer = peer_ask(p, request), *row;
    struct sbuf found = {0};
    size_t i;

    sbuf_add(&found, "");
    json_array_foreach(json_object_get(answer, "rows"), i, row)
        sbuf_addf(&found, "%s%d %s %s", i > 0 ? ", " : "", (int)json_integer_value(json_object_get(row, "ticket_id")),
                  json_string_value(json_object_get(row, "promise")), json_string_value(json_object_get(row, "state")));
    if (!str_eq(found.s, wanted) || json_integer_value(json_object_get(answer, "next")) != next)
        fail_msg("%s: %s, next %d", request, found.s, (int)json_integer_value(json_object_get(answer, "next")));
    sbuf_free(&found);
    json_decref(answer);
}

static void clocks_of_open_tickets_are_paged_and_of_ended_ones_fetched(void **state)
{
    struct rig *r = *state;
    struct peer *p = peer_new(r, "li");
    json_t *answer;

    promise_and_open(r);
    expect_clocks(p, "{\"id\":1,\"query\":\"clocks\"}",
                  "1 respond running, 1 fix running, 3 respond running, 3 fix running", 0);
    expect_clocks(p, "{\"id\":2,\"query\":\"clocks\",\"limit\":1}", "1 respond running, 1 fix running", 1);
    expect_clocks(p, "{\"id\":3,\"query\":\"clocks\",\"limit\":1,\"after\":1}", "3 respond running, 3 fix running", 0);
    expect_clocks(p, "{\"id\":4,\"query\":\"clocks\",\"filters\":{\"ticket\":3,\"state\":\"soon\"}}", "", 0);
    expect_clocks(p, "{\"id\":5,\"query\":\"clocks\",\"filters\":{\"ticket\":2}}", "2 respond met, 2 fix void", 0);
    expect_clocks(p, "{\"id\":6,\"query\":\"clocks\",\"filters\":{\"ticket\":\"2\",\"state\":\"met\"}}",
                  "2 respond met", 0);
    answer = peer_ask(p, "{\"id\":7,\"query\":\"clocks\",\"filters\":{\"ticket\":\"X-9\"}}");
    assert_string_equal(error_code_of(answer), "not-found");
    json_decref(answer);
    answer = peer_ask(p, "{\"id\":8,\"query\":\"clocks\",\"filters\":{\"ticket\":2,\"state\":\"late\"}}");
    assert_string_equal(error_code_of(answer), "invalid");
    json_decref(answer);
    answer = peer_ask(p, "{\"id\":9,\"query\":\"clocks\",\"filters\":{\"promise\":\"fix\"}}");
    assert_string_equal(error_code_of(answer), "invalid");
    json_decref(answer);
    peer_free(p);
}

/* "FIRST SECOND" of each row, or the error's code. */
static void expect_pairs(struct peer *p, const char *request, const char *first, const char *second, const char *wanted)
{
    json_t *answer = peer_ask(p, request), *row;
    struct sbuf found = {0};
    size_t i;

    sbuf_add(&found, json_object_get(answer, "error") ? error_code_of(answer) : "");
    json_array_foreach(json_object_get(answer, "rows"), i, row)
    {
        const char *text = json_string_value(json_object_get(row, second));

        sbuf_addf(&found, "%s%s %s", i > 0 ? ", " : "", json_string_value(json_object_get(row, first)),
                  text ? text : "-");
    }
    if (!str_eq(found.s, wanted))
        fail_msg("%s: %s", request, found.s);
    sbuf_free(&found);
    json_decref(answer);
}

static void profiles_are_listed_and_shown(void **state)
{
    struct peer *p = peer_new(*state, "wang");

    expect_pairs(p, "{\"id\":1,\"query\":\"profiles\",\"filters\":{\"class\":\"switch\"}}", "name", "device_class",
                 "switch switch, stack switch");
    expect_pairs(p, "{\"id\":2,\"query\":\"profiles\",\"limit\":1,\"filters\":{\"class\":\"switch\"}}", "name",
                 "extends", "switch -");
    expect_pairs(p, "{\"id\":3,\"query\":\"profile\",\"filters\":{\"profile\":\"stack\"}}", "key", "value",
                 "profile stack, class switch, priority 30, match known(stackModel), model stackModel, serial serial, "
                 "module stack, every.status 30s, snmp.version 1, snmp.bulk false, snmp.timeout 3s, snmp.retries 0, "
                 "snmp.message_size 1400, snmp.max_rows 50, snmp.max_in_flight 1");
    expect_pairs(p, "{\"id\":4,\"query\":\"profile\",\"filters\":{\"profile\":\"stak\"}}", "key", "value", "not-found");
    expect_pairs(p, "{\"id\":5,\"query\":\"profile\"}", "key", "value", "invalid");
    peer_free(p);
}

static void why_a_device_has_its_profile_is_told(void **state)
{
    struct rig *r = *state;
    struct fake_device *d = fake_device(r->collector, "10.1.1.1");
    struct peer *p = peer_new(r, "wang");

    fake_text(d, "id.descr", 0, "Acme Box Switch");
    rig_command(r, "device.add", "{\"name\":\"box\",\"address\":\"10.1.1.1\"}");
    expect_pairs(p, "{\"id\":1,\"query\":\"profile.match\",\"filters\":{\"device\":\"box\"}}", "profile", "verdict",
                 "state");
    rig_pass(r, 5000);
    expect_pairs(p, "{\"id\":2,\"query\":\"profile.match\",\"filters\":{\"device\":\"box\"}}", "profile", "verdict",
                 "bad no, box taken, switch later, stack no");
    expect_pairs(p, "{\"id\":3,\"query\":\"profile.match\",\"filters\":{\"device\":\"box\"}}", "profile", "saw",
                 "bad descr: \"Acme Box Switch\", box descr: \"Acme Box Switch\", switch descr: \"Acme Box Switch\", "
                 "stack stackModel: absent");
    expect_pairs(p, "{\"id\":4,\"query\":\"profile.match\",\"filters\":{\"object-id\":\"1.3.6\"}}", "profile",
                 "verdict", "bad unknown, box unknown, switch unknown, stack no");
    expect_pairs(p, "{\"id\":5,\"query\":\"profile.match\",\"filters\":{\"object-id\":\"x\"}}", "profile", "verdict",
                 "invalid");
    expect_pairs(p, "{\"id\":6,\"query\":\"profile.match\",\"filters\":{\"device\":\"box\",\"descr\":\"x\"}}",
                 "profile", "verdict", "invalid");
    expect_pairs(p, "{\"id\":7,\"query\":\"profile.match\"}", "profile", "verdict", "invalid");
    rig_command(r, "device.add", "{\"name\":\"wished\",\"address\":\"10.1.1.2\",\"profile\":\"switch\"}");
    expect_pairs(p, "{\"id\":8,\"query\":\"profile.match\",\"filters\":{\"device\":\"wished\"}}", "profile", "verdict",
                 "switch wish");
    expect_pairs(p, "{\"id\":9,\"query\":\"profile.match\",\"filters\":{\"device\":\"box\",\"only\":\"likely\"}}",
                 "profile", "verdict", "box taken, switch later");
    peer_free(p);
}

static void a_device_is_found_by_name_and_by_id(void **state)
{
    static const char *const requests[] = {
        "{\"id\":1,\"query\":\"device.show\",\"filters\":{\"device\":\"d2\"}}",
        "{\"id\":1,\"query\":\"device.show\",\"filters\":{\"device\":\"2\"}}",
        "{\"id\":1,\"query\":\"device.show\",\"filters\":{\"device\":2}}",
    };
    struct peer *p = peer_new(*state, "wang");

    rig_add_devices(*state, "d", 3);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        json_t *line = peer_ask(p, requests[i]), *row = json_array_get(json_object_get(line, "rows"), 0);

        if (!row || strcmp(json_string_value(json_object_get(row, "name")), "d2") != 0)
            fail_msg("%s", requests[i]);
        json_decref(line);
    }
    peer_free(p);
}

/* The facts know four degrees of gravity; a kind may be of one class. Of two points with one name the last known counts. */
static void states_are_told_in_the_words_of_the_facts(void **state)
{
    static const char *const rows[][3] = {
        {"Cover open", "critical", "Cover open"}, {"Toner low", "warning", "Little toner"}, {"Ready", "ok", "Ready"}};
    struct rig *r = *state;
    struct fake_device *d = fake_device(r->collector, "10.1.1.1");
    struct peer *p = peer_new(r, "wang");
    json_t *line, *words;

    fake_text(d, "id.descr", 0, "Acme Box 100");
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++)
        fake_text(d, "word.text", i + 1, rows[i][0]);
    rig_command(r, "device.add", "{\"name\":\"box\",\"address\":\"10.1.1.1\"}");
    rig_pass(r, 5000);
    line = peer_ask(p, "{\"id\":1,\"query\":\"facts\",\"filters\":{\"device\":\"box\"}}");
    words = json_object_get(json_array_get(json_object_get(line, "rows"), 0), "words");
    assert_int_equal(json_array_size(words), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *word = json_array_get(words, i);

        assert_string_equal(json_string_value(json_object_get(word, "descr")), rows[i][2]);
        assert_string_equal(json_string_value(json_object_get(word, "severity")), rows[i][1]);
        assert_string_equal(json_string_value(json_object_get(word, "class")), "state");
    }
    json_decref(line);
    peer_free(p);
}

static void what_is_read_is_shown_with_its_quality(void **state)
{
    struct rig *r = *state;
    struct fake_device *d = fake_device(r->collector, "10.1.1.1");
    struct peer *p = peer_new(r, "wang");
    json_t *line, *row, *component, *points = NULL;
    size_t i;

    fake_text(d, "id.descr", 0, "Acme Box 100");
    fake_int(d, "supply.level", 1, 80);
    fake_text(d, "supply.descr", 1, "Black");
    rig_command(r, "device.add", "{\"name\":\"box\",\"address\":\"10.1.1.1\"}");
    rig_pass(r, 5000);
    line = peer_ask(p, "{\"id\":1,\"query\":\"device.show\",\"filters\":{\"device\":\"box\"}}");
    row = json_array_get(json_object_get(line, "rows"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "state")), "up");
    json_array_foreach(json_object_get(row, "component_list"), i,
                       component) if (strcmp(json_string_value(json_object_get(component, "kind")), "supply") == 0)
        points = json_object_get(component, "points");
    assert_true(json_number_value(json_object_get(json_object_get(points, "level"), "value")) == 80);
    assert_string_equal(json_string_value(json_object_get(json_object_get(points, "level"), "quality")), "good");
    json_decref(line);
    line = peer_ask(p, "{\"id\":1,\"query\":\"live\",\"filters\":{\"state\":\"up\"}}");
    assert_int_equal(count_rows(line), 1);
    json_decref(line);
    line = peer_ask(p, "{\"id\":1,\"query\":\"live\",\"filters\":{\"state\":\"down\"}}");
    assert_int_equal(count_rows(line), 0);
    json_decref(line);
    peer_free(p);
}

static void the_knowledge_tells_what_things_are_called(void **state)
{
    struct peer *p = peer_new(*state, "wang");
    json_t *line = peer_ask(p, "{\"id\":1,\"query\":\"words\",\"filters\":{\"lang\":\"zh_CN\"}}");
    json_t *words = json_array_get(json_object_get(line, "rows"), 0);

    assert_string_equal(json_string_value(json_object_get(words, "rule.jam")), "卡纸");
    json_decref(line);
    peer_free(p);
}

/* ---- Tails ---- */

static void a_tail_begins_after_its_cursor(void **state)
{
    static const struct {
        const char *after;
        json_int_t begins, first;
    } rows[] = {{"0", 0, 1}, {"2", 2, 3}, {"4", 4, 5}, {"-1", 4, 5}};

    rig_add_devices(*state, "d", 4);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer *p = peer_new(*state, "wang");
        char *request =
            xasprintf("{\"id\":7,\"tail\":{\"after\":%s,\"filters\":{\"kind\":\"device.added\"}}}", rows[i].after);
        json_t *line = peer_ask(p, request);

        if (json_integer_value(json_object_get(line, "tail")) != rows[i].begins)
            fail_msg("after %s begins %lld", rows[i].after, json_integer_value(json_object_get(line, "tail")));
        json_decref(line);
        if (rows[i].first == 5 && i == 3)
            rig_add_devices(*state, "e", 1);
        if (rows[i].first < 5 || i == 3) {
            line = peer_line(p);
            if (!line || number_of(line) != rows[i].first || json_integer_value(json_object_get(line, "id")) != 7)
                fail_msg("after %s came %lld", rows[i].after, line ? number_of(line) : -1);
            json_decref(line);
        }
        free(request);
        peer_free(p);
    }
}

static void a_tail_shows_only_what_its_filters_let_pass(void **state)
{
    struct peer *p = peer_new(*state, "wang");
    json_t *line = peer_ask(p, "{\"id\":1,\"tail\":{\"after\":0,\"filters\":{\"device\":\"d2\"}}}");

    json_decref(line);
    rig_add_devices(*state, "d", 3);
    line = peer_line(p);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(line, "event"), "device_id")), 2);
    json_decref(line);
    rig_command(*state, "device.remove", "{\"device\":\"d3\"}");
    rig_command(*state, "device.remove", "{\"device\":\"d2\"}");
    line = peer_line(p);
    assert_string_equal(json_string_value(json_object_get(json_object_get(line, "event"), "kind")), "device.removed");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(line, "event"), "device_id")), 2);
    json_decref(line);
    peer_free(p);
}

static void more_tails_than_allowed_are_refused(void **state)
{
    struct peer *p = peer_new(*state, "wang");

    for (int i = 0; i < 9; i++) {
        json_t *line = peer_ask(p, "{\"id\":1,\"tail\":{}}");

        if (i < 8)
            assert_non_null(json_object_get(line, "tail"));
        else
            assert_string_equal(error_code_of(line), "busy");
        json_decref(line);
    }
    peer_free(p);
}

/* Eight tails on a connection that reads nothing for a while, others come and go, then all of it is read. */
static void a_slow_reader_misses_and_doubles_nothing(void **state)
{
    enum { TAILS = 8, EVENTS = 3000 };
    struct rig *r = *state;
    struct peer *slow = peer_new(r, "slow"), *quick = peer_new(r, "quick");
    json_int_t seen[TAILS] = {0}, quick_seen = 0, last;
    struct store_state store;
    json_t *line;

    for (int i = 0; i < TAILS; i++) {
        char *request = xasprintf("{\"id\":%d,\"tail\":{\"after\":0}}", i);

        peer_send(slow, request);
        free(request);
    }
    json_decref(peer_ask(quick, "{\"id\":1,\"tail\":{\"after\":0}}"));
    for (int i = 0; i < EVENTS / 2; i++) {
        rig_command(
            r, "device.add",
            "{\"name\":\"a device of a rather long name, so that its events take room\",\"address\":\"10.1.1.1\"}");
        rig_command(r, "device.remove",
                    "{\"device\":\"a device of a rather long name, so that its events take room\"}");
    }
    store_state(core_store(r->core), &store);
    last = store.last_event;
    assert_true(last >= EVENTS);
    while (quick_seen < last && (line = peer_line(quick))) {
        assert_int_equal(number_of(line), quick_seen + 1);
        quick_seen++;
        json_decref(line);
    }
    assert_int_equal(quick_seen, last);
    for (json_int_t left = last * TAILS + TAILS; left > 0; left--) {
        json_int_t id;

        line = peer_line(slow);
        assert_non_null(line);
        id = json_integer_value(json_object_get(line, "id"));
        assert_in_range(id, 0, TAILS - 1);
        if (json_object_get(line, "event")) {
            if (number_of(line) != seen[id] + 1)
                fail_msg("tail %d: %d after %d", (int)id, (int)number_of(line), (int)seen[id]);
            seen[id]++;
        }
        json_decref(line);
    }
    for (int i = 0; i < TAILS; i++)
        assert_int_equal(seen[i], last);
    peer_free(slow);
    peer_free(quick);
}

static void requests_are_answered_beside_a_busy_tail(void **state)
{
    struct peer *p = peer_new(*state, "wang");
    bool answered = false;
    json_t *line;

    rig_add_devices(*state, "d", 300);
    for (int i = 0; i < 8; i++)
        peer_send(p, "{\"id\":1,\"tail\":{\"after\":0}}");
    peer_send(p, "{\"id\":\"asked\",\"query\":\"status\"}");
    for (int i = 0; i < 8 * 301 + 1; i++) {
        line = peer_line(p);
        assert_non_null(line);
        answered |= json_is_string(json_object_get(line, "id"));
        json_decref(line);
    }
    assert_true(answered);
    peer_free(p);
}

/* ---- The socket ---- */

static void the_socket_is_for_the_group_only(void **state)
{
    struct rig *r = *state;
    struct stat st;

    assert_int_equal(stat(r->socket, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0660);
}

static int connect_to(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    memcpy(addr.sun_path, path, strlen(path) + 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    return fd;
}

static void who_connects_is_known_by_user_name(void **state)
{
    struct rig *r = *state;
    struct peer p = {.rig = r, .fd = connect_to(r->socket)};
    json_t *line = peer_ask(&p, "{\"id\":1,\"cmd\":\"device.add\",\"args\":{\"name\":\"a\",\"address\":\"10.1.1.1\"}}"),
           *event;

    json_decref(line);
    line = peer_ask(&p, "{\"id\":2,\"query\":\"events\",\"filters\":{\"kind\":\"device.added\"}}");
    event = json_array_get(json_object_get(line, "rows"), 0);
    assert_true(strlen(json_string_value(json_object_get(event, "actor"))) > 0);
    json_decref(line);
    close(p.fd);
    sbuf_free(&p.in);
}

static void a_second_control_is_refused_while_the_first_answers(void **state)
{
    struct rig *r = *state;
    struct control_config config = {.base = r->base, .core = r->core, .path = r->socket};
    struct control *second = NULL;
    char *why = NULL;

    assert_int_equal(control_start(&config, &second, &why), PD_EBUSY);
    assert_non_null(strstr(why, "another patrold"));
    free(why);
    close(connect_to(r->socket)); /* the first still has its socket */
}

static void a_dead_socket_is_replaced_and_anything_else_left_alone(void **state)
{
    struct rig *r = *state;
    char *path = xasprintf("%s.x", r->socket), *why = NULL;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct control_config config = {.base = r->base, .core = r->core, .path = path};
    struct control *c = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    FILE *f;

    memcpy(addr.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    close(fd);
    assert_int_equal(control_start(&config, &c, &why), 0);
    close(connect_to(path));
    control_stop(c);
    assert_int_equal(access(path, F_OK), -1);
    f = fopen(path, "w");
    fclose(f);
    assert_int_equal(control_start(&config, &c, &why), PD_EEXIST);
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
    free(why);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_command_is_answered_when_it_is_on_disk),
        TEST(a_command_carries_who_gave_it),
        TEST(metrics_count_what_there_is),
        TEST(errors_carry_a_code_and_words),
        TEST(a_filter_the_tail_does_not_know_ends_it_with_an_error),
        TEST(what_is_decided_while_the_disk_fails_is_queued_then_done),
        TEST(an_id_comes_back_as_it_was),
        TEST(a_request_without_a_good_id_is_refused),
        TEST(nonsense_is_refused_and_the_connection_goes_on),
        TEST(very_deep_json_is_refused),
        TEST(brackets_in_a_text_are_not_depth),
        TEST(a_line_without_end_is_refused_and_the_connection_closed),
        TEST(many_requests_in_one_breath_are_each_answered_once),
        TEST(a_request_may_come_byte_by_byte),
        TEST(a_device_may_be_removed_by_a_line_that_waited_for_its_poll),
        TEST(a_peer_that_goes_while_it_is_answered_does_no_harm),
        TEST(a_peer_that_ends_its_side_still_gets_its_answers),
        TEST(stopping_ends_every_connection),
        TEST(connections_beyond_the_most_are_told_so),
        TEST(pages_follow_each_other_without_gap),
        TEST(clocks_of_open_tickets_are_paged_and_of_ended_ones_fetched),
        TEST(a_device_is_found_by_name_and_by_id),
        TEST(profiles_are_listed_and_shown),
        TEST(why_a_device_has_its_profile_is_told),
        TEST(states_are_told_in_the_words_of_the_facts),
        TEST(what_is_read_is_shown_with_its_quality),
        TEST(the_knowledge_tells_what_things_are_called),
        TEST(a_tail_begins_after_its_cursor),
        TEST(a_tail_shows_only_what_its_filters_let_pass),
        TEST(more_tails_than_allowed_are_refused),
        TEST(a_slow_reader_misses_and_doubles_nothing),
        TEST(requests_are_answered_beside_a_busy_tail),
        TEST(the_socket_is_for_the_group_only),
        TEST(who_connects_is_known_by_user_name),
        TEST(a_second_control_is_refused_while_the_first_answers),
        TEST(a_dead_socket_is_replaced_and_anything_else_left_alone),
#undef TEST
    };

    return cmocka_run_group_tests_name("daemon/control", tests, NULL, NULL);
}
