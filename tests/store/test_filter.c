#include "store/filter.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"

/* Most of what filters do is seen in test_query; here is what happens when SQLite gives up. */

static const struct filter filters[] = {{.name = "device", .where = " AND device = :device"}, {0}};

static void an_interrupted_connection_is_an_error_in_words(void **state)
{
    struct filter_values given;
    sqlite3_stmt *running;
    struct db db;
    char *why = NULL;

    (void)state;
    assert_int_equal(db_open(&db, ":memory:", NULL, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &why), 0);
    running = db_stmt(&db, SQL_FILTERS);
    sqlite3_bind_text(running, 1, "{\"a\": 1, \"b\": 2}", -1, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(running), SQLITE_ROW);
    db.stmts[SQL_FILTERS] = NULL;
    db_give_up(&db); /* while one runs no other can be prepared */
    assert_int_equal(filter_parse(&db, "{\"device\": 1}", filters, &given, &why), PD_EINVAL);
    assert_non_null(why);
    free(why);
    sqlite3_finalize(running);
    db_close(&db);
}

static void filters_are_taken_apart_again_and_again(void **state)
{
    struct filter_values given;
    struct db db;
    char *why = NULL;

    (void)state;
    assert_int_equal(db_open(&db, ":memory:", NULL, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &why), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(filter_parse(&db, "{\"device\": \"打印机\"}", filters, &given, &why), 0);
        assert_string_equal(given.v[0], "打印机");
        filter_values_fini(&given);
    }
    db_close(&db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interrupted_connection_is_an_error_in_words),
        cmocka_unit_test(filters_are_taken_apart_again_and_again),
    };

    return cmocka_run_group_tests_name("store/filter", tests, NULL, NULL);
}
