#ifndef PD_TESTS_STORE_FIXTURE_H
#define PD_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/worker.h"
#include "store/store.h"
#include "tests/sim/memvfs.h"

struct told_reading {
    uint32_t component;
    uint16_t point;
    uint8_t type;
    uint64_t bits;
    bool told; /* in the chain */
};

/* A device's polls, and what each of its good numbers was told to be last. */
struct told_device {
    int64_t id;
    struct poll_chain chain;
    ARRAY(struct told_reading) readings;
};

/* A store on a disk in memory or on a real file, its threads inline, its time ours. */
struct fixture {
    bool real;
    char *folder, *path;
    struct memvfs *mem;
    struct clock_fake clock;
    struct rng_seeded seeded;
    struct wheel *wheel;
    struct worker *writer, *reader;
    struct store *store;
    ARRAY(struct told_device) told; /* by fixture_put_poll() */
    /* What was heard. */
    ARRAY(int) heard; /* numbers of done callbacks, those of lost() negative */
    ARRAY(int64_t) events;
    int trouble;
    unsigned troubles;
};

/* For cmocka_unit_test_setup_teardown(): *state becomes a fixture. */
int fixture_in_memory(void **state);
int fixture_on_file(void **state);
int fixture_teardown(void **state);

/* A test on both kinds of disk. */
#define TEST_ON_BOTH(test)                                                                                             \
    {#test " (memory)", test, fixture_in_memory, fixture_teardown, NULL},                                              \
    {                                                                                                                  \
#test " (file)", test, fixture_on_file, fixture_teardown, NULL                                                 \
    }
#define TEST_IN_MEMORY(test) cmocka_unit_test_setup_teardown(test, fixture_in_memory, fixture_teardown)
#define TEST_ON_FILE(test) cmocka_unit_test_setup_teardown(test, fixture_on_file, fixture_teardown)

struct store_config fixture_config(struct fixture *f);
/* Opens, and fails the test if that fails. */
void fixture_open(struct fixture *f);
/* Opens and gives the error; its words go to why (free them), which may be NULL. */
int fixture_try_open(struct fixture *f, char **why);
void fixture_close(struct fixture *f);
/* Lets time pass in steps of 10 ms. */
void fixture_pass(struct fixture *f, int64_t ms);

/* Puts a poll as watch does: told by the one before it where there is one in its chain. */
bool fixture_put_poll(struct fixture *f, int64_t device_id, int64_t at_ms, const struct reading *r, size_t n);

/* Submits a change with an event of this kind, heard as its number. */
void fixture_submit(struct fixture *f, int number, const char *kind, bool urgent);
/* Submits a change, heard likewise. */
void fixture_submit_change(struct fixture *f, int number, struct change *c, bool urgent);
/* Fails unless exactly these numbers were heard, ended by 0. */
void fixture_expect_heard(struct fixture *f, ...);

/* A connection of another's, with SQLITE_OPEN_ flags; sqlite3_close() it. */
sqlite3 *fixture_connect(struct fixture *f, int flags);
/* The first column of the first row of a statement run on a connection of its own; free it. */
char *fixture_look(struct fixture *f, const char *sql);
void fixture_expect(struct fixture *f, const char *sql, const char *want);
/* Runs SQL on a connection of its own. */
void fixture_alter(struct fixture *f, const char *sql);

/* The answer to a query; free it with answer_fini(). */
struct answer {
    int err;
    char *why, *rows;
    size_t nrows;
    int64_t next;
    bool done;
};
void fixture_query(struct fixture *f, const char *name, const char *filters, int64_t after, unsigned limit,
                   struct answer *out);
void answer_fini(struct answer *a);

#endif
