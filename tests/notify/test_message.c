#include "notify/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* Records own their texts, so these are char *; here they are literals that nobody writes to. */
struct fixture {
    struct zone *zone;
    struct kind kind;
    struct rule rule;
    struct device device;
    struct alert alert;
    struct ticket ticket;
    struct message_about about;
};

static void add_points(struct kind *k)
{
    struct point_def level = {.name = "level", .slot = 0, .type = VALUE_NUM};
    struct point_def errors = {.name = "errors", .slot = 1, .type = VALUE_BITS};

    members_add(&errors.members, "jammed", 5, (char *[LANG_COUNT]){"paper jam", "卡纸"}, NULL);
    members_add(&errors.members, "door-open", 4, (char *[LANG_COUNT]){NULL, NULL}, NULL);
    array_push(&k->points, level);
    array_push(&k->points, errors);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    assert_int_equal(zone_open("Asia/Shanghai", &f->zone), 0);
    f->kind.name = "supply";
    add_points(&f->kind);
    f->rule = (struct rule){
        .name = "supply-empty",
        .kind = &f->kind,
        .party = PARTY_USER,
        .title = {"Supply empty", "耗材用尽"},
        .message = {"{component} of {device} is at {level}.", "{device} 的{component}剩 {level}。"},
        .remedy = {"Put in a new one.", "更换耗材。"},
    };
    f->device = (struct device){.name = "3F-影印",
                                .address = "10.0.3.9",
                                .site = "分部",
                                .device_class = "printer",
                                .make = "Acme",
                                .model = "M7",
                                .serial = "SN1"};
    f->alert = (struct alert){.family = "supply",
                              .kind = "supply",
                              .key = "1.1",
                              .label = "Black Cartridge",
                              .rule = "supply-empty",
                              .opened_ms = 1790756100000,
                              .message_args = "{\"level\":\"1 %\"}"};
    f->ticket = (struct ticket){.number = "PK-000012",
                                .state = TICKET_NEW,
                                .family = "supply",
                                .component_kind = "supply",
                                .key = "1.1",
                                .label = "Black Cartridge",
                                .rule = "supply-empty",
                                .category = "consumable",
                                .severity = SEVERITY_CRITICAL,
                                .opened_ms = 1790756100000};
    f->about = (struct message_about){.notice = {.what = NOTICE_TICKET_OPENED,
                                                 .ticket = &f->ticket,
                                                 .device = &f->device,
                                                 .alert = &f->alert,
                                                 .location = "3 楼",
                                                 .site = "总部",
                                                 .zone = f->zone},
                                      .rule = &f->rule,
                                      .now_ms = 1790756100000};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < f->kind.points.n; i++)
        members_free(&f->kind.points.v[i].members);
    array_free(&f->kind.points);
    zone_free(f->zone);
    free(f);
    return 0;
}

static void assert_subject(const struct fixture *f, enum lang lang, const char *expected)
{
    struct sbuf b = {0};

    message_subject(&b, lang, &f->about);
    assert_string_equal(b.s, expected);
    sbuf_free(&b);
}

static void assert_body(const struct fixture *f, enum lang lang, const char *expected)
{
    struct sbuf b = {0};

    message_body(&b, lang, &f->about);
    assert_string_equal(b.s, expected);
    sbuf_free(&b);
}

static void assert_words(const struct fixture *f, enum lang lang, const char *expected)
{
    struct sbuf b = {0};

    notify_message(&b, lang, &f->rule, &f->device, &f->alert);
    assert_string_equal(b.s, expected);
    sbuf_free(&b);
}

static void an_opened_ticket(void **state)
{
    struct fixture *f = *state;

    assert_subject(f, LANG_ZH_CN, "[严重] 打印机 3F-影印 耗材用尽（Black Cartridge） · PK-000012");
    assert_subject(f, LANG_EN, "[critical] Printer 3F-影印 Supply empty (Black Cartridge) · PK-000012");
    assert_body(f, LANG_ZH_CN,
                "3F-影印 的Black Cartridge剩 1 %。\n"
                "\n"
                "工单      PK-000012（待受理）\n"
                "严重程度  严重\n"
                "开始时间  2026-09-30 16:15:00 (Asia/Shanghai, UTC+08:00)\n"
                "由谁处理  用户自行处理\n"
                "分类      耗材\n"
                "\n"
                "站点      分部\n"
                "设备      打印机 3F-影印\n"
                "部件      Black Cartridge\n"
                "品牌型号  Acme M7\n"
                "序列号    SN1\n"
                "地址      10.0.3.9\n"
                "位置      3 楼\n"
                "\n"
                "处理方法：\n"
                "更换耗材。\n");
    assert_body(f, LANG_EN,
                "Black Cartridge of 3F-影印 is at 1 %.\n"
                "\n"
                "Ticket          PK-000012 (new)\n"
                "Severity        critical\n"
                "Since           2026-09-30 16:15:00 (Asia/Shanghai, UTC+08:00)\n"
                "To be done by   user\n"
                "Category        consumable\n"
                "\n"
                "Site            分部\n"
                "Device          Printer 3F-影印\n"
                "Component       Black Cartridge\n"
                "Make and model  Acme M7\n"
                "Serial number   SN1\n"
                "Address         10.0.3.9\n"
                "Location        3 楼\n"
                "\n"
                "What to do:\n"
                "Put in a new one.\n");
}

static void a_cleared_fault(void **state)
{
    struct fixture *f = *state;

    f->about.notice.what = NOTICE_FAULT_CLEARED;
    f->alert.closed_ms = f->alert.opened_ms + (2 * 3600 + 5 * 60 + 7) * 1000;
    f->ticket.state = TICKET_CANCELLED;
    f->about.notice.location = NULL;
    f->device = (struct device){.name = "x", .address = "10.0.0.1"};
    assert_subject(f, LANG_ZH_CN, "[恢复] 设备 x 耗材用尽（Black Cartridge） · PK-000012");
    assert_body(f, LANG_EN,
                "The fault is over. It was: Black Cartridge of x is at 1 %.\n"
                "\n"
                "Ticket     PK-000012 (cancelled)\n"
                "Severity   critical\n"
                "Since      2026-09-30 16:15:00 (Asia/Shanghai, UTC+08:00)\n"
                "Until      2026-09-30 18:20:07 (Asia/Shanghai, UTC+08:00)\n"
                "Lasted     2 h 5 min\n"
                "Category   consumable\n"
                "\n"
                "Site       总部\n"
                "Device     Device x\n"
                "Component  Black Cartridge\n"
                "Address    10.0.0.1\n"
                "\n"
                "Nobody had accepted the ticket yet, so it was cancelled: recovered by itself.\n");
}

static void graver_and_again(void **state)
{
    struct fixture *f = *state;

    f->about.notice.what = NOTICE_TICKET_GRAVER;
    assert_subject(f, LANG_ZH_CN, "[严重] 打印机 3F-影印 耗材用尽（Black Cartridge） 加重 · PK-000012");
    f->about.notice.what = NOTICE_FAULT_AGAIN;
    assert_subject(f, LANG_EN, "[critical] Printer 3F-影印 Supply empty (Black Cartridge), again · PK-000012");
}

static void a_component_that_is_only_a_number_is_not_named(void **state)
{
    struct fixture *f = *state;

    f->ticket.label = "1";
    assert_subject(f, LANG_EN, "[critical] Printer 3F-影印 Supply empty · PK-000012");
    f->ticket.label = NULL;
    assert_subject(f, LANG_EN, "[critical] Printer 3F-影印 Supply empty · PK-000012");
    f->ticket.label = "x";
    f->ticket.component_kind = DEVICE_KIND;
    assert_subject(f, LANG_EN, "[critical] Printer 3F-影印 Supply empty · PK-000012");
}

/* The label of a finding is its item's code, that of a plan's ticket the plan's name. */
static void the_code_of_a_finding_is_no_component(void **state)
{
    struct fixture *f = *state;

    f->about.rule = NULL;
    f->about.notice.alert = NULL;
    f->ticket = (struct ticket){.number = "PK-000013",
                                .kind = TICKET_KIND_FINDING,
                                .severity = SEVERITY_WARNING,
                                .title = "Rollers cleaned",
                                .label = "rollers"};
    assert_subject(f, LANG_EN, "[warning] Printer 3F-影印 Rollers cleaned · PK-000013");
}

/* Device, alert and rule may be gone by the time that something is told. */
static void what_is_gone_is_left_out(void **state)
{
    struct fixture *f = *state;
    struct sbuf b = {0};

    f->about.notice.device = NULL;
    f->about.notice.alert = NULL;
    f->about.rule = NULL;
    assert_subject(f, LANG_EN, "[critical] 总部 supply-empty (Black Cartridge) · PK-000012");
    message_body(&b, LANG_EN, &f->about);
    assert_non_null(strstr(b.s, "PK-000012 (new)"));
    assert_null(strstr(b.s, "Address"));
    sbuf_free(&b);
}

static void codes_are_told_in_words(void **state)
{
    struct fixture *f = *state;

    f->rule.message[LANG_ZH_CN] = "{errors}";
    f->rule.message[LANG_EN] = "{errors}";
    f->alert.message_args = "{\"errors\":\"jammed, door-open, new-one\"}";
    assert_words(f, LANG_ZH_CN, "卡纸、door-open、new-one");
    assert_words(f, LANG_EN, "paper jam, door-open, new-one");
    f->rule.message[LANG_ZH_CN] = "{level}";
    f->alert.message_args = "{\"level\":\"some\"}";
    assert_words(f, LANG_ZH_CN, "尚有余量");
}

static void broken_arguments_leave_the_message_readable(void **state)
{
    struct fixture *f = *state;

    f->alert.message_args = "{\"level\":";
    assert_words(f, LANG_EN, "Black Cartridge of 3F-影印 is at {level}.");
    f->alert.message_args = NULL;
    assert_words(f, LANG_EN, "Black Cartridge of 3F-影印 is at {level}.");
}

static void durations_in_their_two_largest_units(void **state)
{
    static const struct {
        int64_t ms;
        const char *en, *zh;
    } rows[] = {
        {0, "Lasted     0 s\n", "持续      0 秒\n"},
        {59999, "Lasted     59 s\n", "持续      59 秒\n"},
        {60000, "Lasted     1 min\n", "持续      1 分钟\n"},
        {3600000, "Lasted     1 h\n", "持续      1 小时\n"},
        {3661000, "Lasted     1 h 1 min\n", "持续      1 小时 1 分钟\n"},
        {86400000 + 3600000, "Lasted     1 d 1 h\n", "持续      1 天 1 小时\n"},
        {86400000 + 59000, "Lasted     1 d\n", "持续      1 天\n"},
        {-5000, "Lasted     0 s\n", "持续      0 秒\n"}, /* a clock that stepped back */
    };
    struct fixture *f = *state;

    f->about.notice.what = NOTICE_FAULT_CLEARED;
    f->device = (struct device){.name = "x"};
    f->about.notice.location = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sbuf en = {0}, zh = {0};

        f->alert.closed_ms = f->alert.opened_ms + rows[i].ms;
        message_body(&en, LANG_EN, &f->about);
        message_body(&zh, LANG_ZH_CN, &f->about);
        if (!strstr(en.s, rows[i].en) || !strstr(zh.s, rows[i].zh))
            fail_msg("%lld ms: %s %s", (long long)rows[i].ms, en.s, zh.s);
        sbuf_free(&en);
        sbuf_free(&zh);
    }
}

/* ---- Promises ---- */

enum { PROMISE_MINUTE = 60000 };

/* A fix in danger, with what was promised beside it. */
static void warn(struct fixture *f, enum notice what, const struct ticket_promise *promises, size_t n)
{
    f->about.notice.what = what;
    f->about.notice.alert = NULL;
    f->about.notice.promises = promises;
    f->about.notice.npromises = n;
    f->about.notice.nabout = 1;
    f->ticket.assignee = "王工";
}

static void a_promise_in_danger(void **state)
{
    static const struct ticket_promise promises[] = {
        {PROMISE_FIX,
         PRIORITY_P1,
         240 * PROMISE_MINUTE,
         {.state = CLOCK_RUNNING,
          .stopped_ms = CLOCK_NEVER,
          .elapsed_ms = 180 * PROMISE_MINUTE,
          .deadline_ms = 1790759700000}},
        {PROMISE_RESPOND, PRIORITY_P1, 30 * PROMISE_MINUTE, {.state = CLOCK_MET, .deadline_ms = 1790750000000}},
        {PROMISE_LOANER, PRIORITY_P1, 30 * PROMISE_MINUTE, {.state = CLOCK_NOT_STARTED}},
    };
    struct fixture *f = *state;

    warn(f, NOTICE_PROMISE_WARNED, promises, 3);
    assert_subject(f, LANG_EN,
                   "[due soon] Printer 3F-影印 Supply empty (Black Cartridge): Fix by 2026-09-30 17:15 · PK-000012");
    assert_subject(f, LANG_ZH_CN,
                   "[即将超时] 打印机 3F-影印 耗材用尽（Black Cartridge）：修复期限 2026-09-30 17:15 · PK-000012");
    assert_body(f, LANG_ZH_CN,
                "承诺时限已过四分之三（修复）：耗材用尽（Black Cartridge）\n"
                "\n"
                "修复        期限 2026-09-30 17:15:00 (Asia/Shanghai, UTC+08:00)，剩余服务时间 1 小时\n"
                "响应        已按时\n"
                "\n"
                "工单        PK-000012（待受理）\n"
                "严重程度    严重\n"
                "开始时间    2026-09-30 16:15:00 (Asia/Shanghai, UTC+08:00)\n"
                "由谁处理    用户自行处理\n"
                "分类        耗材\n"
                "维修工程师  王工\n"
                "\n"
                "站点        分部\n"
                "设备        打印机 3F-影印\n"
                "部件        Black Cartridge\n"
                "品牌型号    Acme M7\n"
                "序列号      SN1\n"
                "地址        10.0.3.9\n"
                "位置        3 楼\n"
                "\n"
                "处理方法：\n"
                "更换耗材。\n");
}

static void how_a_promise_stands_is_told_in_words(void **state)
{
    static const struct {
        struct clock_reading reading;
        const char *en, *zh;
    } rows[] = {
        {{.state = CLOCK_MISSED, .stopped_ms = CLOCK_NEVER, .elapsed_ms = 240 * PROMISE_MINUTE + 1},
         "Fix             was due 1970-01-01 08:00:00 (Asia/Shanghai, UTC+08:00)\n",
         "修复        期限 1970-01-01 08:00:00 (Asia/Shanghai, UTC+08:00)，已到期\n"},
        {{.state = CLOCK_MISSED, .stopped_ms = CLOCK_NEVER, .elapsed_ms = 480 * PROMISE_MINUTE},
         "(Asia/Shanghai, UTC+08:00); over by 4 h of service time\n",
         "(Asia/Shanghai, UTC+08:00)，已超出服务时间 4 小时\n"},
        {{.state = CLOCK_MISSED, .stopped_ms = 5, .elapsed_ms = 480 * PROMISE_MINUTE},
         "Fix             missed: was due 1970-01-01 08:00:00 (Asia/Shanghai, UTC+08:00)\n",
         "修复        已超时：期限为 1970-01-01 08:00:00 (Asia/Shanghai, UTC+08:00)\n"},
        {{.state = CLOCK_PAUSED, .stopped_ms = CLOCK_NEVER, .elapsed_ms = 60 * PROMISE_MINUTE},
         "Fix             stands still while waiting; 3 h of service time left\n",
         "修复        等待期间暂停计时，剩余服务时间 3 小时\n"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct ticket_promise p = {PROMISE_FIX, PRIORITY_P1, 240 * PROMISE_MINUTE, rows[i].reading};
        struct sbuf en = {0}, zh = {0};

        warn(f, NOTICE_PROMISE_MISSED, &p, 1);
        message_body(&en, LANG_EN, &f->about);
        message_body(&zh, LANG_ZH_CN, &f->about);
        if (!strstr(en.s, rows[i].en) || !strstr(zh.s, rows[i].zh))
            fail_msg("row %zu:\n%s\n%s", i, en.s, zh.s);
        sbuf_free(&en);
        sbuf_free(&zh);
    }
}

/* A ticket that somebody opened, of no device. */
static void a_ticket_of_people(void **state)
{
    struct fixture *f = *state;

    f->ticket = (struct ticket){.number = "PK-000013",
                                .kind = TICKET_KIND_COMPLAINT,
                                .severity = SEVERITY_WARNING,
                                .title = "无人回电",
                                .note = "两次",
                                .opened_ms = 1790756100000};
    f->about.notice.device = NULL;
    f->about.notice.alert = NULL;
    f->about.notice.location = NULL;
    f->about.rule = NULL;
    assert_subject(f, LANG_ZH_CN, "[警告] 总部 无人回电 · PK-000013");
    assert_body(f, LANG_EN,
                "无人回电\n"
                "\n"
                "Ticket    PK-000013 (new)\n"
                "Kind      complaint\n"
                "Severity  warning\n"
                "Since     2026-09-30 16:15:00 (Asia/Shanghai, UTC+08:00)\n"
                "Note      两次\n"
                "\n"
                "Site      总部\n"
                "\n");
}

static void the_database_was_in_trouble(void **state)
{
    struct fixture *f = *state;
    struct sbuf b = {0};

    message_store_subject(&b, LANG_ZH_CN);
    assert_string_equal(b.s, "[恢复] patrold 数据库曾无法写入");
    sbuf_reset(&b);
    message_store_body(&b, LANG_EN, f->zone, 1790756100000, 1790756160000, "database or disk is full");
    assert_non_null(strstr(b.s, "Since   2026-09-30 16:15:00 (Asia/Shanghai, UTC+08:00)\n"));
    assert_non_null(strstr(b.s, "Lasted  1 min\n"));
    assert_non_null(strstr(b.s, "Cause   database or disk is full\n"));
    sbuf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_opened_ticket, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cleared_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(graver_and_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_component_that_is_only_a_number_is_not_named, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_gone_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_promise_in_danger, setup, teardown),
        cmocka_unit_test_setup_teardown(how_a_promise_stands_is_told_in_words, setup, teardown),
        cmocka_unit_test_setup_teardown(a_ticket_of_people, setup, teardown),
        cmocka_unit_test_setup_teardown(codes_are_told_in_words, setup, teardown),
        cmocka_unit_test_setup_teardown(the_code_of_a_finding_is_no_component, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_arguments_leave_the_message_readable, setup, teardown),
        cmocka_unit_test_setup_teardown(durations_in_their_two_largest_units, setup, teardown),
        cmocka_unit_test_setup_teardown(the_database_was_in_trouble, setup, teardown),
    };

    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
