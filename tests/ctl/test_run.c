#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "ctl/ctl.h"
#include "tests/ctl/script.h"

enum { MAX_ARGV = 16 };

/* What came of a command line. */
struct outcome {
    int code;
    char *out, *err;
};

static void outcome_free(struct outcome *o)
{
    free(o->out);
    free(o->err);
}

/* Runs words parted by spaces; width is the terminal's. */
static struct outcome run_at(const char *socket, const char *line, unsigned width)
{
    struct outcome o = {0};
    size_t nout, nerr;
    struct ctl t = {
        .socket = socket,
        .config = "nowhere.yaml",
        .out = open_memstream(&o.out, &nout),
        .err = open_memstream(&o.err, &nerr),
        .width = width,
    };
    char *copy = xstrdup(line), *save = NULL, *argv[MAX_ARGV] = {(char[]){"patrolctl"}};
    int argc = 1;

    for (char *w = strtok_r(copy, " ", &save); w && argc < MAX_ARGV - 1; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    o.code = ctl_run(&t, argc, argv);
    fclose(t.out);
    fclose(t.err);
    free(copy);
    return o;
}

static struct outcome run_with(const char *socket, const char *line)
{
    return run_at(socket, line, 0);
}

/* Runs a command line against a script; the test fails if it asks for anything else. */
static struct outcome run_script_at(const struct step *steps, const char *line, unsigned width)
{
    struct script *s = script_start(steps);
    struct outcome o = run_at(script_socket(s), line, width);
    char *wrong = script_end(s);

    if (wrong)
        fail_msg("%s: %s; %s%s", line, wrong, o.out, o.err);
    return o;
}

static struct outcome run_script(const struct step *steps, const char *line)
{
    return run_script_at(steps, line, 0);
}

#define NO_ROWS "{\"id\":$ID,\"rows\":[],\"next\":0}"

/* A list whose query holds `asked`; one of tickets asks for their clocks first. */
static struct outcome run_list_at(const char *asked, const char *answer, const char *line, unsigned width)
{
    const struct step steps[] = {{"\"query\":\"clocks\"", NO_ROWS}, {asked, answer}, {0}};

    return run_script_at(strncmp(line, "ticket", 6) == 0 ? steps : steps + 1, line, width);
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no '%s' in: %s", part, text);
}

static void has_not(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("'%s' in: %s", part, text);
}

/* ---- What is asked ---- */

static void words_become_the_request(void **state)
{
    static const struct {
        const char *line, *asked;
    } rows[] = {
        {"device add 三楼 10.0.0.1 --port 1161 --site 总部", "\"cmd\":\"device.add\",\"args\":{\"port\":1161,\"site\":"
                                                             "\"总部\",\"name\":\"三楼\",\"address\":\"10.0.0.1\"}"},
        {"device remove 7", "\"cmd\":\"device.remove\",\"args\":{\"device\":\"7\"}"},
        {"alert ack 12", "\"cmd\":\"alert.ack\",\"args\":{\"alert\":12}"},
        {"ticket accept HQ-1 --note ok", "\"cmd\":\"ticket.accept\",\"args\":{\"note\":\"ok\",\"ticket\":\"HQ-1\"}"},
        {"ticket dispatch HQ-1 王工", "\"args\":{\"ticket\":\"HQ-1\",\"assignee\":\"王工\"}"},
        {"ticket dispatch HQ-1", "\"args\":{\"ticket\":\"HQ-1\"}"},
        {"ticket open 换纸 --device 7 --kind request", "\"cmd\":\"ticket.open\",\"args\":{\"device\":\"7\",\"kind\":"
                                                       "\"request\",\"title\":\"换纸\"}"},
        {"ticket wait-part HQ-1", "\"cmd\":\"ticket.wait-part\""},
        {"patrol start 7", "\"cmd\":\"patrol.start\",\"args\":{\"round\":\"7\"}"},
        {"patrol fill 7 三楼 rollers=ok noise=fault --note x",
         "\"cmd\":\"patrol.fill\",\"args\":{\"note\":\"x\",\"round\":\"7\",\"device\":\"三楼\",\"items\":[\"rollers="
         "ok\","
         "\"noise=fault\"]}"},
        {"patrol fill monthly --all-ok", "\"args\":{\"round\":\"monthly\",\"all_ok\":true}"},
        {"patrol sign 7 王芳", "\"cmd\":\"patrol.sign\",\"args\":{\"round\":\"7\",\"by\":\"王芳\"}"},
        {"reload", "\"cmd\":\"reload\",\"args\":{}"},
        {"--json reload", "\"cmd\":\"reload\""},
        {"reload --lang zh_CN", "\"cmd\":\"reload\""},
        {"device remove -- -x", "\"device\":\"-x\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct step steps[] = {{rows[i].asked, "{\"id\":$ID,\"ok\":{}}"}, {0}};
        struct outcome o = run_script(steps, rows[i].line);

        if (o.code != EXIT_DONE || *o.err)
            fail_msg("%s: %d %s", rows[i].line, o.code, o.err);
        outcome_free(&o);
    }
}

static void lists_ask_for_what_is_open_unless_told_otherwise(void **state)
{
    static const struct {
        const char *line, *asked;
    } rows[] = {
        {"alert list", "\"query\":\"alerts\",\"filters\":{\"state\":\"open\"},\"after\":0"},
        {"alert list --all", "\"query\":\"alerts\",\"filters\":{},"},
        {"alert list --state closed --device d", "\"filters\":{\"state\":\"closed\",\"device\":\"d\"}"},
        {"alert list --severity major", "\"filters\":{\"severity\":\"major\",\"state\":\"open\"}"},
        {"ticket list", "\"query\":\"tickets\",\"filters\":{\"state\":\"open\"}"},
        {"ticket list --state closed", "\"filters\":{\"state\":\"closed\"}"},
        {"ticket list --all", "\"filters\":{}"},
        {"device list --class printer", "\"query\":\"live\",\"filters\":{\"class\":\"printer\"}"},
        {"event list --alert 3", "\"query\":\"events\",\"filters\":{\"alert\":3}"},
        {"patrol list", "\"query\":\"rounds\",\"filters\":{\"state\":\"open\"}"},
        {"patrol list --all --site East", "\"query\":\"rounds\",\"filters\":{\"site\":\"East\"}"},
        {"plan list", "\"query\":\"plans\",\"filters\":{}"},
        {"outbox list --state failed", "\"query\":\"outbox\",\"filters\":{\"state\":\"failed\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome o = run_list_at(rows[i].asked, NO_ROWS, rows[i].line, 0);

        if (o.code != EXIT_DONE || *o.err)
            fail_msg("%s: %d %s", rows[i].line, o.code, o.err);
        outcome_free(&o);
    }
}

/* ---- Misuse ---- */

static void misuse_is_told_with_what_would_be_right(void **state)
{
    static const struct {
        const char *line, *told;
    } rows[] = {
        {"", "patrolctl NOUN"},
        {"devcie list", "did you mean 'device'"},
        {"device lst", "did you mean 'list'"},
        {"device", "needs a verb"},
        {"device", "add list show history poll record diff remove"},
        {"device list --josn", "did you mean 'json'"},
        {"--josn device list", "did you mean 'json'"},
        {"device list --stat", "--state"},
        {"device list --state", "needs a value"},
        {"device list --state upp", "did you mean 'up'"},
        {"outbox list --state open", "pending"},
        {"alert list --severity x", "critical info major warning"},
        {"device add", "missing: name"},
        {"device add a", "missing: address"},
        {"device add a b c", "too many: 'c'"},
        {"device add a b --port x", "whole number"},
        {"device add a b --csv", "--csv"},
        {"alert ack zwölf", "whole number"},
        {"device show \xff", "UTF-8"},
        {"device \x1b[31m", "\\x1b[31m"},
        {"--lang fr status", "en or zh_CN"},
        {"--lang zh_CN devcie", "是否想输入 'device'"},
        {"help devcie", "no command 'devcie'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome o = run_with("/nowhere/at/all", rows[i].line);

        if (o.code != EXIT_MISUSE || !strstr(o.err, rows[i].told) || *o.out)
            fail_msg("'%s': %d %s%s", rows[i].line, o.code, o.err, o.out);
        outcome_free(&o);
    }
}

static void help_is_given_wherever_it_is_asked_for(void **state)
{
    static const struct {
        const char *line, *told;
    } rows[] = {
        {"help", "ticket    dispatch"},
        {"--help", "ticket    dispatch"},
        {"-h", "device    add"},
        {"help device add", "--credential"},
        {"device add --help", "--port"},
        {"help ticket", "TICKET [ASSIGNEE]"},
        {"--lang zh_CN help ticket sign", "回执"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome o = run_with("/nowhere", rows[i].line);

        if (o.code != EXIT_DONE || !strstr(o.out, rows[i].told) || *o.err)
            fail_msg("'%s': %d %s%s", rows[i].line, o.code, o.err, o.out);
        outcome_free(&o);
    }
}

/* ---- What goes wrong ---- */

static void without_patrold_it_says_so(void **state)
{
    struct outcome o = run_with("/nowhere/sock", "status");

    (void)state;
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "/nowhere/sock");
    has(o.err, "is patrold running?");
    outcome_free(&o);
}

static void what_patrold_refuses_is_told(void **state)
{
    static const struct step steps[] = {
        {"alert.ack", "{\"id\":$ID,\"error\":{\"code\":\"not-found\",\"text\":\"there is no open alert 12\"}}"}, {0}};
    struct outcome o = run_script(steps, "alert ack 12");

    (void)state;
    assert_int_equal(o.code, EXIT_FAILED);
    assert_string_equal(o.err, "patrolctl: there is no open alert 12\n");
    assert_string_equal(o.out, "");
    outcome_free(&o);
    o = run_script(steps, "--lang zh_CN alert ack 12");
    assert_string_equal(o.err, "patrolctl: 未找到：there is no open alert 12\n");
    outcome_free(&o);
}

static void nonsense_from_patrold_is_an_error(void **state)
{
    static const char *const answers[] = {
        NULL,
        "\n",
        "hello",
        "[]",
        "{\"id\":$ID}",
        "{\"id\":$ID,\"rows\":7}",
        "{\"id\":$ID,\"rows\":{}}",
        "{\"id\":$ID,\"rows\":[],\"next\":-5}",
        "{\"id\":$ID,\"error\":{\"text\":7}}",
        "{\"id\":null,\"error\":{\"code\":\"busy\",\"text\":\"too many\"}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct step steps[] = {{"outbox", answers[i]}, {0}};
        struct outcome o = run_script(steps, "outbox list");

        if (o.code != EXIT_FAILED || !str_starts(o.err, "patrolctl: "))
            fail_msg("%s: %d %s", answers[i] ? answers[i] : "hang-up", o.code, o.err);
        outcome_free(&o);
    }
}

static void rows_of_any_shape_do_no_harm(void **state)
{
    static const struct step steps[] = {
        {"alerts",
         "{\"id\":$ID,\"rows\":[7,null,[],{},{\"id\":\"x\",\"opened_ms\":true,\"severity\":{},\"device\":[]}],"
         "\"next\":0}"},
        {0}};
    static const char *const lines[] = {"alert list", "alert list --json", "alert list --csv"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct outcome o = run_script(steps, lines[i]);

        assert_int_equal(o.code, EXIT_DONE);
        outcome_free(&o);
    }
}

/* ---- Lists ---- */

static void pages_become_one_list(void **state)
{
    static const struct step steps[] = {
        {"\"after\":0", "{\"id\":$ID,\"rows\":[{\"id\":1,\"subject\":\"甲\"},{\"id\":2}],\"next\":2}"},
        {"\"after\":2", "{\"id\":$ID,\"rows\":[{\"id\":3}],\"next\":3}"},
        {"\"after\":3", "{\"id\":$ID,\"rows\":[],\"next\":0}"},
        {0}};
    struct outcome o = run_script(steps, "outbox list --json");
    json_t *list = json_loads(o.out, 0, NULL);

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(ctl_string(json_array_get(list, 0), "subject"), "甲");
    json_decref(list);
    outcome_free(&o);
}

static void an_error_on_a_later_page_fails(void **state)
{
    static const struct step steps[] = {
        {"\"after\":0", "{\"id\":$ID,\"rows\":[{\"id\":1}],\"next\":1}"},
        {"\"after\":1", "{\"id\":$ID,\"error\":{\"code\":\"io\",\"text\":\"disk gone\"}}"},
        {0}};
    struct outcome o = run_script(steps, "outbox list");

    (void)state;
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "disk gone");
    outcome_free(&o);
}

static void codes_are_words_for_people_and_codes_for_programs(void **state)
{
    static const struct step steps[] = {
        {"alerts", "{\"id\":$ID,\"rows\":[{\"id\":1,\"severity\":\"major\",\"state\":\"acked\",\"rule\":\"jam\","
                   "\"opened_ms\":1790000000000,\"closed_ms\":0}],\"next\":0}"},
        {0}};
    struct outcome o = run_script(steps, "alert list --lang zh_CN");

    (void)state;
    has(o.out, "重要");
    has(o.out, "已确认");
    has(o.out, "卡纸"); /* which patrold's knowledge says */
    outcome_free(&o);
    o = run_script(steps, "alert list --lang zh_CN --csv");
    assert_string_equal(o.out, "id,opened,severity,state,device,rule,label,ticket,closed\r\n"
                               "1,2026-09-21T14:13:20.000Z,major,acked,,jam,,,\r\n");
    outcome_free(&o);
}

static const struct step hostile[] = {
    {"live", "{\"id\":$ID,\"rows\":[{\"id\":1,\"name\":\"\\u001b[2J\\u202e=cmd\",\"model\":\"=HYPERLINK(1)\","
             "\"state\":\"\\u001b[31m\",\"site\":\"a\\nb,\\\"c\"}],\"next\":0}"},
    {0}};

static void a_hostile_name_does_nothing_to_a_terminal(void **state)
{
    struct outcome o = run_script(hostile, "device list");

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    has_not(o.out, "\x1b");
    has_not(o.out, "\xe2\x80\xae");
    has(o.out, "\\x1b[2J\\u202e=cmd");
    has_not(o.out, "a\nb");
    outcome_free(&o);
}

static void a_hostile_name_is_exact_in_json(void **state)
{
    struct outcome o = run_script(hostile, "device list --json");
    json_t *list = json_loads(o.out, 0, NULL);

    (void)state;
    assert_string_equal(ctl_string(json_array_get(list, 0), "name"), "\x1b[2J\xe2\x80\xae=cmd");
    json_decref(list);
    outcome_free(&o);
}

static void a_hostile_name_is_no_formula_in_csv(void **state)
{
    struct outcome o = run_script(hostile, "device list --csv");

    (void)state;
    has(o.out, ",'=HYPERLINK(1),");
    has(o.out, "\"a\nb,\"\"c\"");
    outcome_free(&o);
}

static void a_list_fits_a_narrow_terminal(void **state)
{
    static const char *const lists[][3] = {
        {"device list", "live",
         "{\"id\":1234,\"name\":\"a device with a name that is far too long\",\"state\":\"down\",\"model\":"
         "\"大型彩色多功能复合机一体机高速版\",\"address\":\"2001:db8:1234:5678:9abc:def0:1234:5678\","
         "\"last_answer_ms\":1790000000000,\"open_faults\":12}"},
        {"alert list", "alerts",
         "{\"id\":12345,\"opened_ms\":1790000000000,\"severity\":\"critical\",\"state\":\"clearing\",\"device\":"
         "\"a device with a name that is far too long\",\"rule\":\"a-rule-with-a-name-that-is-too-long\",\"label\":"
         "\"x\",\"ticket\":\"HQ-000123\"}"},
        {"ticket list", "tickets",
         "{\"number\":\"HQ-000123\",\"opened_ms\":1790000000000,\"severity\":\"critical\",\"state\":"
         "\"waiting-customer\",\"device\":\"a device with a name that is far too long\",\"rule\":"
         "\"a-rule-with-a-name-that-is-too-long\",\"assignee\":\"a technician of many names\"}"},
        {"outbox list", "outbox",
         "{\"id\":12345,\"created_ms\":1790000000000,\"state\":\"pending\",\"recipient\":"
         "\"somebody.with.a.long.name@example.com\",\"subject\":\"[严重] 打印机 三楼大办公室东侧复印机 卡纸\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (enum lang lang = LANG_EN; lang < LANG_COUNT; lang++) {
            char *answer = xasprintf("{\"id\":$ID,\"rows\":[%s],\"next\":0}", lists[i][2]);
            char *line = xasprintf("%s --lang %s", lists[i][0], lang_name(lang)), *save = NULL;
            struct outcome o = run_list_at(lists[i][1], answer, line, 80);

            for (char *row = strtok_r(o.out, "\n", &save); row; row = strtok_r(NULL, "\n", &save))
                if (str_width(row) > 80)
                    fail_msg("%s: %zu columns: %s", line, str_width(row), row);
            outcome_free(&o);
            free(line);
            free(answer);
        }
    }
}

/* ---- Actions ---- */

static void what_was_done_is_said_in_words(void **state)
{
    static const struct {
        const char *line, *ok, *said;
    } rows[] = {
        {"device add copy 10.0.0.1", "{\"device\":17}", "Device copy was added; its id is 17.\n"},
        {"ticket dispatch 3 王工 --lang zh_CN", "{\"ticket\":3,\"number\":\"HQ-3\",\"state\":\"dispatched\"}",
         "工单 HQ-3：已派单\n"},
        {"alert ack 12 --json", "{\"alert\":12}", "{\"alert\": 12}\n"},
        {"device remove x\x1b", "{\"device\":1}", "Device x\\x1b was removed; its history is kept.\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *answer = xasprintf("{\"id\":$ID,\"ok\":%s}", rows[i].ok);
        const struct step steps[] = {{"cmd", answer}, {0}};
        struct outcome o = run_script(steps, rows[i].line);

        if (o.code != EXIT_DONE || strcmp(o.out, rows[i].said) != 0)
            fail_msg("%s: %d %s%s", rows[i].line, o.code, o.out, o.err);
        outcome_free(&o);
        free(answer);
    }
}

static void a_poll_that_did_not_read_all_fails(void **state)
{
    static const struct step silent[] = {{"device.poll", "{\"id\":$ID,\"ok\":{\"device\":1,\"status\":\"no-answer\","
                                                         "\"rtt_ms\":-1,\"detail\":\"no answer to 4 tries\"}}"},
                                         {0}};
    static const struct step well[] = {
        {"device.poll", "{\"id\":$ID,\"ok\":{\"device\":1,\"status\":\"done\",\"rtt_ms\":3,\"detail\":null}}"}, {0}};
    struct outcome o = run_script(silent, "device poll box");

    (void)state;
    assert_int_equal(o.code, EXIT_FAILED);
    assert_string_equal(o.out, "box: no answer\n");
    assert_string_equal(o.err, "patrolctl: no answer to 4 tries\n");
    outcome_free(&o);
    o = run_script(well, "device poll box");
    assert_int_equal(o.code, EXIT_DONE);
    outcome_free(&o);
}

/* ---- Status ---- */

static void trouble_comes_first_and_fails(void **state)
{
    static const struct step steps[] = {
        {"status", "{\"id\":$ID,\"rows\":[{\"troubles\":[\"the disk is full\"],\"devices\":3}],\"next\":0}"}, {0}};
    struct outcome o = run_script(steps, "status");
    json_t *j;

    (void)state;
    assert_int_equal(o.code, EXIT_FAILED);
    assert_true(str_starts(o.out, "Trouble: the disk is full\n"));
    outcome_free(&o);
    o = run_script(steps, "status --json");
    j = json_loads(o.out, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(j, "devices")), 3);
    assert_int_equal(json_array_size(json_object_get(j, "troubles")), 1);
    json_decref(j);
    outcome_free(&o);
}

/* ---- For other monitoring ---- */

#define ALERT(severity, state, suppressed)                                                                             \
    "{\"severity\":\"" severity "\",\"state\":\"" state "\",\"suppressed\":" suppressed                                \
    ",\"device\":\"3F|copy\",\"rule\":\"jam\"}"
#define ROWS(rows) "{\"id\":$ID,\"rows\":[" rows "],\"next\":0}"

static void a_check_exits_as_monitoring_plugins_do(void **state)
{
    static const struct {
        const char *options, *alerts;
        int code;
    } rows[] = {
        {"", "", 0},
        {"", ALERT("info", "firing", "false"), 0},
        {"", ALERT("warning", "firing", "false"), 1},
        {"", ALERT("warning", "firing", "false") "," ALERT("major", "clearing", "false"), 2},
        {"", ALERT("critical", "firing", "false"), 2},
        {"", ALERT("critical", "acked", "false"), 0},
        {"", ALERT("critical", "firing", "true"), 0},
        {"--critical critical", ALERT("major", "firing", "false"), 1},
        {"--warning critical --critical critical", ALERT("major", "firing", "false"), 0},
        {"--warning info", ALERT("info", "firing", "false"), 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *alerts = xasprintf(ROWS("%s"), rows[i].alerts), *line = xasprintf("check %s", rows[i].options);
        const struct step steps[] = {
            {"alerts", alerts},
            {"status", ROWS("{\"troubles\":[],\"devices\":3,\"down\":1,\"open_tickets\":2,\"mail_pending\":0}")},
            {0}};
        bool told = rows[i].code != 0;
        struct outcome o = run_script(steps, line);

        if (o.code != rows[i].code)
            fail_msg("row %zu: %d, not %d: %s", i, o.code, rows[i].code, o.out);
        assert_non_null(strstr(o.out, " | devices=3;;;0 down=1;;;0 alerts_info="));
        if (told)
            if (!strstr(o.out, ": 3F/copy 卡纸\n"))
                fail_msg("row %zu: %s", i, o.out);
        outcome_free(&o);
        free(alerts);
        free(line);
    }
}

static void a_check_tells_trouble_first(void **state)
{
    static const struct step steps[] = {
        {"alerts", ROWS("")}, {"status", ROWS("{\"troubles\":[\"the disk is full\"],\"devices\":3}")}, {0}};
    struct outcome o = run_script(steps, "check");

    (void)state;
    if (!str_starts(o.out, "PATROLD CRITICAL - the disk is full; ") || o.code != 2)
        fail_msg("%d: %s", o.code, o.out);
    outcome_free(&o);
}

static void a_check_that_goes_wrong_is_unknown(void **state)
{
    static const char *const lines[] = {"check", "check --device x", "check --severity major", "check --critical bad",
                                        "check too much"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct outcome o = run_with("/nowhere/sock", lines[i]);

        if (o.code != 3)
            fail_msg("%s: %d", lines[i], o.code);
        outcome_free(&o);
    }
}

static void a_check_says_in_its_line_why_it_is_unknown(void **state)
{
    static const struct step steps[] = {
        {"alerts", "{\"id\":$ID,\"error\":{\"code\":\"not-found\",\"text\":\"there is no device 'x|y'\"}}"}, {0}};
    struct outcome o = run_script(steps, "check --device x|y --lang en");

    (void)state;
    assert_int_equal(o.code, 3);
    assert_string_equal(o.out, "PATROLD UNKNOWN - there is no device 'x/y'\n");
    assert_string_equal(o.err, "");
    outcome_free(&o);
}

static void an_option_is_explained_as_its_command_means_it(void **state)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"help report make --lang en", "  --mail        mail it to those who get the report, too\n"},
        {"help contact add --lang en", "  --mail        a mail address\n"},
        {"help ticket open --lang en", "  --device      the device that it is about, by name or id\n"},
        {"help ticket list --lang en", "  --device      only of this device, by name or id\n"},
        {"help contact list --lang en", "  --site        only of this site\n"},
        {"help patrol fill --lang zh_CN", "  --note        对检查结果的说明，随检查项保存\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome o = run_with("/nowhere/sock", rows[i].line);

        if (!strstr(o.out, rows[i].says))
            fail_msg("%s: %s", rows[i].line, o.out);
        outcome_free(&o);
    }
}

static void metrics_are_prometheus_text(void **state)
{
    static const struct step steps[] = {
        {"metrics", ROWS("{\"name\":\"patrold_x\",\"type\":\"gauge\",\"help\":\"Some.\",\"samples\":["
                         "{\"labels\":{},\"value\":3},{\"labels\":{\"a\":\"q\\\"\\\\\\n\",\"b\":\"纸\"},\"value\":4},"
                         "{\"labels\":{\"quantile\":\"1\"},\"value\":0.0125}]}")},
        {0}};
    struct outcome o = run_script(steps, "metrics");

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    assert_string_equal(o.out, "# HELP patrold_x Some.\n# TYPE patrold_x gauge\npatrold_x 3\n"
                               "patrold_x{a=\"q\\\"\\\\\\n\",b=\"纸\"} 4\npatrold_x{quantile=\"1\"} 0.012500\n");
    outcome_free(&o);
}

/* ---- Device, ticket ---- */

static const struct step one_device[] = {
    {"device.show", "{\"id\":$ID,\"rows\":[{\"id\":1,\"name\":\"box\",\"state\":\"up\",\"component_list\":["
                    "{\"kind\":\"device\",\"key\":\"\",\"label\":\"box\",\"points\":{\"reachable\":{\"value\":true,"
                    "\"quality\":\"good\"}}},"
                    "{\"kind\":\"supply\",\"key\":\"1\",\"label\":\"Black\",\"points\":{"
                    "\"level\":{\"value\":12.5,\"unit\":\"%\",\"quality\":\"good\",\"source\":\"1.3.6.1\"},"
                    "\"flags\":{\"value\":[\"a\",\"b\"],\"quality\":\"good\"},"
                    "\"capacity\":{\"value\":null,\"unit\":\"{page}\",\"quality\":\"unknown\"}}}]}],\"next\":0}"},
    {0}};

static void a_device_is_shown_with_what_was_read(void **state)
{
    struct outcome o = run_script(one_device, "device show box --lang zh_CN");

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    has(o.out, "耗材");
    has(o.out, "12.5");
    has(o.out, "a、b");
    has(o.out, "未知");
    outcome_free(&o);
    o = run_script(one_device, "device show box --kind supply");
    has(o.out, "Black");
    has_not(o.out, "reachable");
    outcome_free(&o);
}

/* With --why only what is not known, and the reason in a sentence. */
static void a_device_tells_why_it_does_not_know(void **state)
{
#define WHY(code, more) "\"why\":{\"code\":\"" code "\",\"column\":\"level\",\"source\":\"1.3.9.1\"" more "}"
    static const struct step steps[] = {
        {"\"filters\":{\"why\":1,\"device\":\"box\"}",
         "{\"id\":$ID,\"rows\":[{\"id\":1,\"name\":\"box\",\"state\":\"up\",\"component_list\":["
         "{\"kind\":\"supply\",\"key\":\"1\",\"label\":\"Black\",\"points\":{"
         "\"class\":{\"value\":\"filled\",\"quality\":\"good\"},"
         "\"level\":{\"value\":null,\"quality\":\"unknown\"," WHY(
             "sentinel",
             ",\"raw\":-2,\"reference\":\"RFC 3805\"") "},"
                                                       "\"capacity\":{\"value\":null,\"quality\":\"limit\"," WHY(
                                                           "sentinel",
                                                           ",\"raw\":-1") "},"
                                                                          "\"colour\":{\"value\":null,\"quality\":"
                                                                          "\"unknown\"," WHY(
                                                                              "rule", ",\"rule\":\"if(a, b, "
                                                                                      "unknown)\"") "},"
                                                                                                    "\"type\":{"
                                                                                                    "\"value\":null,"
                                                                                                    "\"quality\":"
                                                                                                    "\"unknown\"," WHY(
                                                                                                        "absent",
                                                                                                        "") "}}}]}],"
                                                                                                            "\"next\":"
                                                                                                            "0}"},
        {0}};
#undef WHY
    struct outcome o = run_script(steps, "device show box --why");

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    has(o.out, "level 1.3.9.1 is -2: not known (RFC 3805)\n");
    has(o.out, "level 1.3.9.1 is -1: no limit is stated\n");
    has(o.out, "the rule gives no value: if(a, b, unknown)\n");
    has(o.out, "level 1.3.9.1: the device sends nothing there\n");
    has(o.out, "Black");
    has_not(o.out, "filled");
    outcome_free(&o);
    o = run_script(steps, "device show box --why --lang zh_CN");
    has(o.out, "level 1.3.9.1 的值为 -2，表示未知（RFC 3805）\n");
    outcome_free(&o);
}

static void a_device_in_json_keeps_numbers(void **state)
{
    struct outcome o = run_script(one_device, "device show box --json");
    json_t *j = json_loads(o.out, 0, NULL), *points = json_object_get(j, "points");

    (void)state;
    assert_int_equal(json_array_size(points), 4);
    assert_true(json_number_value(json_object_get(json_array_get(points, 1), "number")) == 12.5);
    assert_true(json_is_null(json_object_get(json_array_get(points, 3), "value")));
    json_decref(j);
    outcome_free(&o);
}

static void a_ticket_is_shown_with_its_history(void **state)
{
    static const struct step steps[] = {
        {"\"ticket\":\"HQ-1\"",
         "{\"id\":$ID,\"rows\":[{\"id\":5,\"number\":\"HQ-1\",\"state\":\"fixed\"}],\"next\":0}"},
        {"\"query\":\"clocks\",\"filters\":{\"ticket\":5}",
         "{\"id\":$ID,\"rows\":[{\"ticket_id\":5,\"promise\":\"fix\",\"state\":\"soon\",\"goes_on\":true,\"left_s\":"
         "4320,"
         "\"deadline_ms\":1790000000000},{\"ticket_id\":5,\"promise\":\"on-site\",\"state\":\"missed\",\"goes_on\":"
         "true,"
         "\"left_s\":-7200,\"deadline_ms\":1780000000000}],\"next\":0}"},
        {"\"query\":\"events\",\"filters\":{\"ticket\":5}",
         "{\"id\":$ID,\"rows\":[{\"number\":9,\"at_ms\":1790000000000,\"kind\":\"ticket.fix\",\"actor\":"
         "\"wang\",\"args\":{\"note\":\"roller\"}}],\"next\":0}"},
        {0}};
    struct outcome o = run_script(steps, "ticket show HQ-1");

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    has(o.out, "HQ-1");
    has(o.out, "fixed");
    has(o.out, "roller");
    has(o.out, "  1 h 12 min  ");
    has(o.out, "over by 2 h");
    outcome_free(&o);
}

static const char two_tickets[] = "{\"id\":$ID,\"rows\":[{\"id\":5,\"number\":\"HQ-5\",\"state\":\"new\",\"rule\":null,"
                                  "\"title\":\"墙上插座\",\"device\":"
                                  "null,\"site\":\"总部\"},{\"id\":6,\"number\":\"HQ-6\",\"state\":\"new\",\"rule\":"
                                  "\"jam\",\"title\":null,\"device\":\"d\","
                                  "\"site\":null}],\"next\":0}";
static const char three_clocks[] =
    "{\"id\":$ID,\"rows\":[{\"ticket_id\":5,\"promise\":\"fix\",\"state\":\"running\",\"goes_on\":true,\"deadline_ms\":"
    "1790000000000},{\"ticket_id\":5,\"promise\":\"respond\",\"state\":\"missed\",\"goes_on\":true,\"deadline_ms\":"
    "1780000000000},{\"ticket_id\":6,\"promise\":\"respond\",\"state\":\"missed\",\"goes_on\":false,\"deadline_ms\":"
    "1780000000000}],\"next\":0}";

/* The nearest deadline of those that still run. */
static void a_list_of_tickets_tells_the_nearest_deadline(void **state)
{
    const struct step steps[] = {{"clocks", three_clocks}, {"tickets", two_tickets}, {0}};
    struct outcome o = run_script(steps, "ticket list --csv");

    (void)state;
    assert_string_equal(o.out,
                        "number,opened,kind,severity,state,device,site,rule,title,label,assignee,deadline,promise,"
                        "clock,closed\r\n"
                        "HQ-5,,,,new,,总部,,墙上插座,,,2026-05-28T20:26:40.000Z,respond,missed,\r\n"
                        "HQ-6,,,,new,d,,jam,,,,,,,\r\n");
    outcome_free(&o);
}

/* What has no rule is known by its title, what has no device by its site. */
static void tickets_that_are_overdue_are_listed_alone(void **state)
{
    const struct step steps[] = {
        {"clocks", three_clocks}, {"\"query\":\"tickets\",\"filters\":{\"state\":\"open\"}", two_tickets}, {0}};
    struct outcome o = run_script(steps, "ticket list --due missed");

    (void)state;
    has(o.out, "HQ-5");
    has(o.out, "墙上插座");
    has(o.out, "总部");
    has_not(o.out, "HQ-6");
    outcome_free(&o);
}

static void a_visit_that_a_round_has_not_is_named(void **state)
{
    static const struct step steps[] = {
        {"rounds", "{\"id\":$ID,\"rows\":[{\"id\":2,\"plan\":\"monthly\",\"site\":\"总部\"}],\"next\":0}"},
        {"visits", "{\"id\":$ID,\"rows\":[],\"next\":0}"},
        {0}};
    struct outcome o = run_script(steps, "patrol show 2 --device nix --lang en");

    (void)state;
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "round 2 has no visit to a device 'nix'");
    assert_string_equal(o.out, "");
    outcome_free(&o);
}

static void a_ticket_that_is_not_there_is_named(void **state)
{
    static const struct step steps[] = {{"ticket", "{\"id\":$ID,\"rows\":[],\"next\":0}"}, {0}};
    struct outcome o = run_script(steps, "ticket show HQ-9");

    (void)state;
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "there is no ticket 'HQ-9'");
    outcome_free(&o);
}

static void facts_are_json_lines(void **state)
{
    static const struct step steps[] = {
        {"\"after\":0", "{\"id\":$ID,\"rows\":[{\"device\":\"a\"},{\"device\":\"b\"}],\"next\":2}"},
        {"\"after\":2", "{\"id\":$ID,\"rows\":[{\"device\":\"c\"}],\"next\":0}"},
        {0}};
    struct outcome o = run_script(steps, "facts");

    (void)state;
    assert_string_equal(o.out, "{\"device\":\"a\"}\n{\"device\":\"b\"}\n{\"device\":\"c\"}\n");
    outcome_free(&o);
}

/* ---- Tail ---- */

#define TAIL(filters, after) "\"tail\":{\"after\":" after ",\"filters\":" filters "}"
#define EVENT(n)                                                                                                       \
    "{\"id\":$ID,\"event\":{\"number\":" n                                                                             \
    ",\"at_ms\":1790000000000,\"kind\":\"device.removed\",\"args\":{\"name\":\"box\"}}}"
#define ENOUGH "{\"id\":$ID,\"error\":{\"code\":\"io\",\"text\":\"enough\"}}"

/* The numbers of the events shown, as "5 6 ". */
static char *numbers_of(char *lines)
{
    struct sbuf numbers = {0};
    char *save = NULL;

    sbuf_add(&numbers, "");
    for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        json_t *event = json_loads(line, 0, NULL);

        sbuf_addf(&numbers, "%d ", (int)json_integer_value(json_object_get(event, "number")));
        json_decref(event);
    }
    return sbuf_take(&numbers);
}

static void a_tail_goes_on_after_patrold_was_away(void **state)
{
    static const struct step steps[] = {
        {TAIL("{\"device\":\"d\"}", "-1"), "{\"id\":$ID,\"tail\":4}\n$BYE"},
        {TAIL("{\"device\":\"d\"}", "4"), "{\"id\":$ID,\"tail\":4}\n" EVENT("5") "\n" EVENT("7") "\n$BYE"},
        {TAIL("{\"device\":\"d\"}", "7"), NULL},
        {TAIL("{\"device\":\"d\"}", "7"), "{\"id\":$ID,\"tail\":7}\n" EVENT("7") "\n" EVENT("8") "\n" ENOUGH},
        {0}};
    struct outcome o = run_script(steps, "tail --device d --json");
    char *numbers = numbers_of(o.out);

    (void)state;
    assert_int_equal(o.code, EXIT_FAILED);
    assert_string_equal(numbers, "5 7 8 ");
    has(o.err, "patrold is away");
    has(o.err, "enough");
    free(numbers);
    outcome_free(&o);
}

static void a_tail_begins_where_it_is_told(void **state)
{
    static const struct step after[] = {{TAIL("{}", "3"), ENOUGH}, {0}};
    static const struct step last[] = {
        {"status", "{\"id\":$ID,\"rows\":[{\"last_event\":50}],\"next\":0}"}, {TAIL("{}", "40"), ENOUGH}, {0}};
    static const struct step few[] = {
        {"status", "{\"id\":$ID,\"rows\":[{\"last_event\":5}],\"next\":0}"}, {TAIL("{}", "0"), ENOUGH}, {0}};
    struct outcome o = run_script(after, "tail --after 3");

    (void)state;
    outcome_free(&o);
    o = run_script(last, "tail --last 10");
    outcome_free(&o);
    o = run_script(few, "tail --last 10");
    outcome_free(&o);
}

static void a_tail_speaks_to_people_in_sentences(void **state)
{
    static const struct step steps[] = {
        {"tail",
         "{\"id\":$ID,\"tail\":0}\n" EVENT(
             "1") "\n"
                  "{\"id\":$ID,\"event\":{\"number\":2,\"at_ms\":1790000000000,\"kind\":\"alert.opened\",\"device\":"
                  "\"三楼\","
                  "\"args\":{\"severity\":\"major\",\"rule\":\"jam\",\"component\":\"\\u001b[2J\"}}}\n"
                  "{\"id\":$ID,\"event\":{\"number\":3,\"at_ms\":1790000000000,\"kind\":\"ticket.fix\",\"ticket\":\"HQ-"
                  "1\",\"actor\":"
                  "\"wang\",\"args\":{\"note\":\"roller\"}}}\n"
                  "{\"id\":$ID,\"event\":{\"number\":4,\"at_ms\":1790000000000,\"kind\":\"ticket.cancel\",\"ticket\":"
                  "\"HQ-1\","
                  "\"actor\":\"wang\",\"args\":{\"reason\":\"recovered\"}}}\n"
                  "{\"id\":$ID,\"event\":{\"number\":5,\"at_ms\":1790000000000,\"kind\":\"of.tomorrow\",\"args\":7}}"
                  "\n" ENOUGH},
        {0}};
    struct outcome o = run_script(steps, "tail --lang zh_CN");

    (void)state;
    has(o.out, "patrold 移除了设备 box\n");
    has(o.out, "【重要】三楼（\\x1b[2J）：卡纸\n");
    has(o.out, "工单 HQ-1：已修复（wang）：roller\n");
    has(o.out, "wang 取消了工单 HQ-1：自行恢复\n");
    has(o.out, "of.tomorrow\n");
    outcome_free(&o);
}

/* ---- Configuration ---- */

static void a_configuration_that_is_not_there_is_an_error(void **state)
{
    struct outcome o = run_with("/nowhere", "config check /nowhere/patrold.yaml");

    (void)state;
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "/nowhere/patrold.yaml");
    outcome_free(&o);
    o = run_with("/nowhere", "config check --json");
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.out, "\"file\":\"nowhere.yaml\",\"good\":false");
    outcome_free(&o);
}

/* ---- Profiles on trial ---- */

/* A folder with settings that name the knowledge of other tests, and a recording. */
struct trial {
    char *folder, *recording, *command;
};

static void write_file(const char *path, const char *text)
{
    assert_int_equal(file_write_whole(path, text, strlen(text), 0644), 0);
}

/* The command tries profile `language` on `from`; NULL: on the recording. */
static struct trial trial_new(const char *from)
{
    struct trial t = {.folder = xstrdup("/tmp/patrold-trial-XXXXXX")};
    const char *srcdir = getenv("srcdir");
    char *here = realpath(srcdir ? srcdir : ".", NULL), *settings, *path;

    assert_non_null(mkdtemp(t.folder));
    settings = xasprintf("database: %s/db\nknowledge: [%s/tests/watch/normalise]\n", t.folder, here);
    path = xasprintf("%s/patrold.yaml", t.folder);
    t.recording = xasprintf("%s/device.snmprec", t.folder);
    t.command = xasprintf("profile test language %s --config %s", from ? from : t.recording, path);
    write_file(path, settings);
    write_file(t.recording, "4.25.1.7|2|234\n4.25.1.8|2|-1\nnonsense\n4.28.1.6|2|3\n4.21.1.5|4|6 kW\n");
    free(here);
    free(settings);
    free(path);
    return t;
}

static void trial_free(struct trial *t)
{
    char *settings = xasprintf("%s/patrold.yaml", t->folder);

    remove(settings);
    remove(t->recording);
    remove(t->folder);
    free(settings);
    free(t->folder);
    free(t->recording);
    free(t->command);
}

static void a_profile_is_tried_on_a_recording(void **state)
{
    struct trial t = trial_new(NULL);
    struct outcome o = run_with("/nowhere", t.command);

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    has(o.out, "language.yaml:1\n");
    has(o.out, "23.4");
    has(o.out, "4.25.1.7");
    has(o.out, "x 4.25.1.8 is -1: not known");
    has(o.out, "x 4.21.1.5 is 6000: that cannot be");
    has(o.out, "by 4.28.2.6: the device sends nothing there");
    has(o.err, "1 lines make no sense and are left out, the first is line 3");
    outcome_free(&o);
    trial_free(&t);
}

static void a_trial_in_json_tells_the_rule(void **state)
{
    struct trial t = trial_new(NULL);
    char *line = xasprintf("%s --json", t.command);
    struct outcome o = run_with("/nowhere", line);
    json_t *j = json_loads(o.out, 0, NULL), *point = json_array_get(json_object_get(j, "points"), 0);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(j, "profile")), "language");
    assert_int_equal(json_integer_value(json_object_get(j, "objects")), 4);
    assert_string_equal(json_string_value(json_object_get(point, "rule")), "x");
    assert_string_equal(json_string_value(json_object_get(point, "code")), "range");
    assert_int_equal(json_integer_value(json_object_get(point, "raw")), 6000);
    has(json_string_value(json_object_get(point, "place")), "modules/language.yaml:");
    json_decref(j);
    outcome_free(&o);
    free(line);
    trial_free(&t);
}

/* The answer to the first source is the scaled column's, whatever the sources' order: so each cell is told of one. */
static void a_profile_is_tried_on_a_device_through_patrold(void **state)
{
    static const struct step answers[] = {
        {"\"cmd\":\"device.read\",\"args\":{\"address\":\"10.9.9.9\",\"collector\":\"snmp\",\"no_bulk\":false,"
         "\"version\":0,\"sources\":[[\"1.1.0\",false],",
         "{\"id\":$ID,\"ok\":{\"status\":\"done\",\"detail\":null,\"cells\":[[0,[],\"x\",\"426f7820e68993\"],"
         "[99999,[1],\"i\",5],[\"bad\"]]}}"},
        {0}};
    static const struct step silent[] = {
        {"device.read", "{\"id\":$ID,\"ok\":{\"status\":\"no-answer\",\"detail\":\"no answer\",\"cells\":[]}}"}, {0}};
    struct trial t = trial_new("10.9.9.9");
    struct outcome o = run_script(answers, t.command);

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    has(o.out, "Objects:      1\n");
    outcome_free(&o);
    o = run_script(silent, t.command);
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "nothing could be read from 10.9.9.9: no answer");
    outcome_free(&o);
    trial_free(&t);
}

static void a_trial_that_cannot_be_says_why(void **state)
{
    struct trial t = trial_new("/nowhere/device.snmprec");
    char *line = xasprintf("profile test langage %s %s", t.recording, strstr(t.command, "--config"));
    struct outcome o = run_with("/nowhere", t.command);

    (void)state;
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "/nowhere/device.snmprec: ");
    outcome_free(&o);
    o = run_with("/nowhere", line);
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "there is no profile 'langage' (did you mean 'language'?)");
    outcome_free(&o);
    write_file(t.recording, "nonsense\n");
    free(line);
    line = xasprintf("profile test language %s %s", t.recording, strstr(t.command, "--config"));
    o = run_with("/nowhere", line);
    assert_int_equal(o.code, EXIT_FAILED);
    has(o.err, "no recording: lines OID|TAG|VALUE are wanted");
    outcome_free(&o);
    free(line);
    trial_free(&t);
}

/* ---- Rounds of the patrol ---- */

static const char a_round[] =
    "{\"id\":$ID,\"rows\":[{\"id\":7,\"plan\":\"monthly\",\"title_en\":\"Monthly patrol\","
    "\"title_zh_CN\":\"月度巡检\",\"site\":\"East\",\"state\":\"review\",\"due_ms\":1790000000000,"
    "\"visits\":1,\"visits_done\":1,\"attention\":1,\"fault\":0}],\"next\":0}";
static const char a_visit[] =
    "{\"id\":$ID,\"rows\":[{\"id\":9,\"device\":\"3F\",\"device_class\":\"printer\","
    "\"state\":\"done\",\"items\":1,\"items_open\":0,\"attention\":1,\"fault\":0}],\"next\":0}";
static const char an_item[] =
    "{\"id\":$ID,\"rows\":[{\"id\":3,\"device\":\"3F\",\"code\":\"supplies\",\"title_en\":"
    "\"Supplies left\",\"title_zh_CN\":\"耗材余量\",\"result\":\"attention\",\"value\":\"toner: 12 %\","
    "\"value_ms\":1790000000000,\"ticket\":\"HQ-5\"}],\"next\":0}";

static void a_round_is_shown_with_its_visits_and_items(void **state)
{
    const struct step steps[] = {{"\"query\":\"rounds\",\"filters\":{\"round\":\"7\"}", a_round},
                                 {"\"query\":\"visits\",\"filters\":{\"round\":7}", a_visit},
                                 {"\"query\":\"items\",\"filters\":{\"round\":7}", an_item},
                                 {0}};
    struct outcome o = run_script(steps, "--lang zh_CN patrol show 7");

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    has(o.out, "月度巡检");
    has(o.out, "待签字");
    has(o.out, "打印机");
    has(o.out, "耗材余量");
    has(o.out, "需关注");
    has(o.out, "toner: 12 %");
    has(o.out, "HQ-5");
    outcome_free(&o);
}

static void the_round_of_a_plan_is_shown_by_its_name(void **state)
{
    const struct step steps[] = {
        {"\"query\":\"rounds\",\"filters\":{\"plan\":\"monthly\",\"state\":\"open\"}", a_round},
        {"\"query\":\"visits\",\"filters\":{\"round\":7,\"device\":\"3F\"}",
         "{\"id\":$ID,\"rows\":[{\"id\":1,\"device\":\"3F\"}],\"next\":0}"},
        {"\"query\":\"items\",\"filters\":{\"round\":7,\"device\":\"3F\"}", an_item},
        {0}};
    struct outcome o = run_script(steps, "patrol show monthly --device 3F --csv");

    (void)state;
    assert_int_equal(o.code, EXIT_DONE);
    has(o.out, "device,code,title,polled,result,value,value_at,found,note,by,ticket");
    has(o.out, "3F,supplies,Supplies left,,attention,toner: 12 %,");
    outcome_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_the_request),
        cmocka_unit_test(lists_ask_for_what_is_open_unless_told_otherwise),
        cmocka_unit_test(misuse_is_told_with_what_would_be_right),
        cmocka_unit_test(help_is_given_wherever_it_is_asked_for),
        cmocka_unit_test(without_patrold_it_says_so),
        cmocka_unit_test(what_patrold_refuses_is_told),
        cmocka_unit_test(nonsense_from_patrold_is_an_error),
        cmocka_unit_test(rows_of_any_shape_do_no_harm),
        cmocka_unit_test(pages_become_one_list),
        cmocka_unit_test(an_error_on_a_later_page_fails),
        cmocka_unit_test(codes_are_words_for_people_and_codes_for_programs),
        cmocka_unit_test(a_hostile_name_does_nothing_to_a_terminal),
        cmocka_unit_test(a_hostile_name_is_exact_in_json),
        cmocka_unit_test(a_hostile_name_is_no_formula_in_csv),
        cmocka_unit_test(a_list_fits_a_narrow_terminal),
        cmocka_unit_test(what_was_done_is_said_in_words),
        cmocka_unit_test(a_poll_that_did_not_read_all_fails),
        cmocka_unit_test(trouble_comes_first_and_fails),
        cmocka_unit_test(a_check_exits_as_monitoring_plugins_do),
        cmocka_unit_test(a_check_tells_trouble_first),
        cmocka_unit_test(a_check_that_goes_wrong_is_unknown),
        cmocka_unit_test(a_check_says_in_its_line_why_it_is_unknown),
        cmocka_unit_test(an_option_is_explained_as_its_command_means_it),
        cmocka_unit_test(metrics_are_prometheus_text),
        cmocka_unit_test(a_device_is_shown_with_what_was_read),
        cmocka_unit_test(a_device_in_json_keeps_numbers),
        cmocka_unit_test(a_device_tells_why_it_does_not_know),
        cmocka_unit_test(a_profile_is_tried_on_a_recording),
        cmocka_unit_test(a_trial_in_json_tells_the_rule),
        cmocka_unit_test(a_profile_is_tried_on_a_device_through_patrold),
        cmocka_unit_test(a_trial_that_cannot_be_says_why),
        cmocka_unit_test(a_ticket_is_shown_with_its_history),
        cmocka_unit_test(a_list_of_tickets_tells_the_nearest_deadline),
        cmocka_unit_test(tickets_that_are_overdue_are_listed_alone),
        cmocka_unit_test(a_round_is_shown_with_its_visits_and_items),
        cmocka_unit_test(the_round_of_a_plan_is_shown_by_its_name),
        cmocka_unit_test(a_visit_that_a_round_has_not_is_named),
        cmocka_unit_test(a_ticket_that_is_not_there_is_named),
        cmocka_unit_test(facts_are_json_lines),
        cmocka_unit_test(a_tail_goes_on_after_patrold_was_away),
        cmocka_unit_test(a_tail_begins_where_it_is_told),
        cmocka_unit_test(a_tail_speaks_to_people_in_sentences),
        cmocka_unit_test(a_configuration_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests_name("ctl/run", tests, NULL, NULL);
}
