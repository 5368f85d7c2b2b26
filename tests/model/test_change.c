#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/change.h"

static void a_new_change_is_empty(void **state)
{
    struct change *c = change_new();

    (void)state;
    assert_true(change_empty(c));
    change_free(c);
    change_free(NULL);
}

static void an_event_carries_its_arguments_as_json(void **state)
{
    struct change *c = change_new();
    struct event *e = change_event(c, 1234, "alert.opened");

    (void)state;
    assert_string_equal(e->args, "{}");
    event_arg(e, "rule", "a \"b\"\n");
    event_arg(e, "label", "黑色");
    event_arg(e, "none", NULL);
    event_arg_int(e, "n", INT64_MIN);
    assert_string_equal(c->events.v[0].args,
                        "{\"rule\":\"a \\\"b\\\"\\n\",\"label\":\"黑色\",\"none\":null,\"n\":-9223372036854775808}");
    assert_int_equal(c->events.v[0].at_ms, 1234);
    assert_false(change_empty(c));
    change_free(c);
}

static void rows_are_copies(void **state)
{
    char name[] = "prn";
    struct device d = {.id = 1, .name = name};
    struct change *c = change_new();

    (void)state;
    change_put_device(c, &d);
    name[0] = 'X';
    assert_string_equal(c->rows.v[0].device.name, "prn");
    change_free(c);
}

static void a_row_of_the_same_key_is_replaced_in_place(void **state)
{
    struct change *c = change_new();

    (void)state;
    change_put_device(c, &(struct device){.id = 1, .name = "a"});
    change_put_alert(c, &(struct alert){.id = 1, .family = "jam"});
    change_put_component(c, &(struct component){.device_id = 1, .number = 1, .kind = "device", .key = ""});
    change_put_hold(c, &(struct hold_record){.device_id = 1, .kind = "port", .key = "1", .rule = "down"});
    change_put_ticket(c, &(struct ticket){.id = 1, .number = "A-1"});
    change_put_outbox(c, &(struct outbox){.id = 1, .channel = "mail"});
    change_put_meta(c, "m", "1");
    assert_int_equal(c->rows.n, 7);

    change_put_device(c, &(struct device){.id = 1, .name = "b"});
    change_put_alert(c, &(struct alert){.id = 1, .family = "cover"});
    change_put_component(c,
                         &(struct component){.device_id = 1, .number = 1, .kind = "device", .key = "", .label = "x"});
    change_put_hold(
        c, &(struct hold_record){.device_id = 1, .kind = "port", .key = "1", .rule = "down", .state = HOLD_FIRING});
    change_put_ticket(c, &(struct ticket){.id = 1, .number = "A-2"});
    change_put_outbox(c, &(struct outbox){.id = 1, .channel = "exec"});
    change_put_meta(c, "m", NULL);
    assert_int_equal(c->rows.n, 7);
    assert_string_equal(c->rows.v[0].device.name, "b");
    assert_string_equal(c->rows.v[1].alert.family, "cover");
    assert_string_equal(c->rows.v[2].component.label, "x");
    assert_int_equal(c->rows.v[3].hold.state, HOLD_FIRING);
    assert_string_equal(c->rows.v[4].ticket.number, "A-2");
    assert_string_equal(c->rows.v[5].outbox.channel, "exec");
    assert_null(c->rows.v[6].meta.value);
    change_free(c);
}

static void rows_of_other_keys_stand_beside(void **state)
{
    struct change *c = change_new();

    (void)state;
    change_put_hold(c, &(struct hold_record){.device_id = 1, .kind = "a", .key = "\"\"", .rule = "r"});
    change_put_hold(c, &(struct hold_record){.device_id = 1, .kind = "a", .key = "\"\"\"", .rule = "r"});
    change_put_hold(c, &(struct hold_record){.device_id = 2, .kind = "a", .key = "\"\"", .rule = "r"});
    change_put_component(c, &(struct component){.device_id = 1, .number = 1});
    change_put_component(c, &(struct component){.device_id = 1, .number = 2});
    change_put_component(c, &(struct component){.device_id = 11, .number = 1});
    change_put_device(c, &(struct device){.id = 1});
    change_put_ticket(c, &(struct ticket){.id = 1});
    assert_int_equal(c->rows.n, 8);
    change_free(c);
}

static void many_rows_stay_quick(void **state)
{
    struct change *c = change_new();

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 1; i <= 20000; i++)
            change_put_component(c, &(struct component){.device_id = 1, .number = i, .kind = "port", .key = "k"});
    }
    assert_int_equal(c->rows.n, 20000);
    assert_int_equal(c->rows.v[19999].component.number, 20000);
    change_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_change_is_empty),
        cmocka_unit_test(an_event_carries_its_arguments_as_json),
        cmocka_unit_test(rows_are_copies),
        cmocka_unit_test(a_row_of_the_same_key_is_replaced_in_place),
        cmocka_unit_test(rows_of_other_keys_stand_beside),
        cmocka_unit_test(many_rows_stay_quick),
    };

    return cmocka_run_group_tests_name("model/change", tests, NULL, NULL);
}
