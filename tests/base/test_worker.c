#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/worker.h"

#define JOBS 100

struct trace {
    int done[JOBS], n;
    int dropped;
    struct worker *worker;
    struct task *again; /* submitted by the first done() */
};

struct task {
    struct job job;
    struct trace *trace;
    int number;
    int worked;
    pthread_t thread;
};

static void work(struct job *j)
{
    struct task *t = (struct task *)j;

    t->worked++;
    t->thread = pthread_self();
}

static void done(struct job *j)
{
    struct task *t = (struct task *)j;
    struct trace *trace = t->trace;
    struct task *again = trace->again;

    assert_int_equal(t->worked, 1);
    trace->done[trace->n++] = t->number;
    free(t);
    if (again) {
        trace->again = NULL;
        worker_submit(trace->worker, &again->job);
    }
}

static void drop(struct job *j)
{
    struct task *t = (struct task *)j;

    assert_int_equal(t->worked, 0);
    t->trace->dropped++;
    free(t);
}

static struct task *task_new(struct trace *trace, int number)
{
    struct task *t = xcalloc(1, sizeof *t);

    t->job.work = work;
    t->job.done = done;
    t->trace = trace;
    t->number = number;
    return t;
}

static void reap_all(struct worker *w)
{
    while (worker_pending(w) > 0) {
        struct pollfd p = {.fd = worker_fd(w), .events = POLLIN};

        assert_int_equal(poll(&p, 1, 10000), 1);
        worker_reap(w);
    }
}

static void one_thread_keeps_the_order(void **state)
{
    struct trace trace = {.n = 0};
    struct worker *w;

    (void)state;
    assert_int_equal(worker_start(1, &w), 0);
    for (int i = 0; i < JOBS; i++)
        worker_submit(w, &task_new(&trace, i)->job);
    assert_int_equal(worker_pending(w), JOBS);
    reap_all(w);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(trace.done[i], i);
    worker_stop(w, NULL);
}

static void several_threads_do_every_job_once(void **state)
{
    struct trace trace = {.n = 0};
    bool seen[JOBS] = {false};
    struct worker *w;

    (void)state;
    assert_int_equal(worker_start(3, &w), 0);
    for (int i = 0; i < JOBS; i++)
        worker_submit(w, &task_new(&trace, i)->job);
    reap_all(w);
    assert_int_equal(trace.n, JOBS);
    for (int i = 0; i < JOBS; i++) {
        assert_false(seen[trace.done[i]]);
        seen[trace.done[i]] = true;
    }
    worker_stop(w, NULL);
}

static void done_may_submit_the_next(void **state)
{
    struct trace trace = {.n = 0};

    (void)state;
    assert_int_equal(worker_start(1, &trace.worker), 0);
    trace.again = task_new(&trace, 8);
    worker_submit(trace.worker, &task_new(&trace, 7)->job);
    reap_all(trace.worker);
    assert_int_equal(trace.n, 2);
    assert_int_equal(trace.done[1], 8);
    worker_stop(trace.worker, NULL);
}

/* Holds the only thread until told, so that what follows stays queued. */
struct gate {
    struct job job;
    sem_t entered, go;
    bool done;
};

static void wait_at_gate(struct job *j)
{
    struct gate *g = (struct gate *)j;

    sem_post(&g->entered);
    sem_wait(&g->go);
}

static void gate_done(struct job *j)
{
    ((struct gate *)j)->done = true;
}

static void *open_gate(void *arg)
{
    struct gate *g = arg;

    poll(NULL, 0, 20); /* most likely worker_stop() waits by then */
    sem_post(&g->go);
    return NULL;
}

static void stopping_ends_what_runs_and_drops_the_rest(void **state)
{
    struct gate g = {.job = {.work = wait_at_gate, .done = gate_done}};
    struct trace trace = {.n = 0};
    struct worker *w;
    pthread_t opener;

    (void)state;
    sem_init(&g.entered, 0, 0);
    sem_init(&g.go, 0, 0);
    assert_int_equal(worker_start(1, &w), 0);
    worker_submit(w, &g.job);
    worker_submit(w, &task_new(&trace, 1)->job);
    worker_submit(w, &task_new(&trace, 2)->job);
    sem_wait(&g.entered);
    assert_int_equal(pthread_create(&opener, NULL, open_gate, &g), 0);
    worker_stop(w, drop);
    pthread_join(opener, NULL);
    assert_true(g.done);
    assert_int_equal(trace.dropped + trace.n, 2);
    sem_destroy(&g.entered);
    sem_destroy(&g.go);
}

static int64_t fake_now(void *ctx)
{
    return ((struct clock_fake *)ctx)->mono;
}

static int64_t fake_delay(void *ctx)
{
    (void)ctx;
    return 50;
}

static void inline_jobs_run_after_their_delay(void **state)
{
    struct trace trace = {.n = 0};
    struct clock_fake clock = {0};
    struct wheel *wheel = wheel_new(0);
    struct worker *w = worker_start_inline(wheel, fake_now, fake_delay, &clock);

    (void)state;
    assert_int_equal(worker_fd(w), -1);
    worker_submit(w, &task_new(&trace, 1)->job);
    worker_submit(w, &task_new(&trace, 2)->job);
    worker_reap(w);
    clock_fake_advance(&clock, 40);
    wheel_advance(wheel, clock.mono);
    assert_int_equal(trace.n, 0);
    clock_fake_advance(&clock, 10);
    wheel_advance(wheel, clock.mono);
    assert_int_equal(trace.n, 1);
    assert_int_equal(worker_pending(w), 1);
    clock_fake_advance(&clock, 50);
    wheel_advance(wheel, clock.mono);
    assert_int_equal(trace.n, 2);
    assert_int_equal(trace.done[0], 1);
    assert_int_equal(trace.done[1], 2);
    assert_int_equal(wheel_next(wheel), INT64_MAX);
    worker_stop(w, NULL);
    wheel_free(wheel);
}

static void inline_jobs_in_the_queue_are_dropped(void **state)
{
    struct trace trace = {.n = 0};
    struct clock_fake clock = {0};
    struct wheel *wheel = wheel_new(0);
    struct worker *w = worker_start_inline(wheel, fake_now, fake_delay, &clock);

    (void)state;
    worker_submit(w, &task_new(&trace, 1)->job);
    worker_submit(w, &task_new(&trace, 2)->job);
    worker_stop(w, drop);
    assert_int_equal(trace.dropped, 2);
    assert_int_equal(wheel_next(wheel), INT64_MAX);
    wheel_free(wheel);
}

static void drain(struct worker *w)
{
    struct trace trace = {.worker = w};

    trace.again = task_new(&trace, 3);
    worker_submit(w, &task_new(&trace, 1)->job);
    worker_submit(w, &task_new(&trace, 2)->job);
    worker_drain(w);
    assert_int_equal(worker_pending(w), 0);
    assert_int_equal(trace.n, 3);
    for (int i = 0; i < trace.n; i++)
        assert_int_equal(trace.done[i], i + 1);
    worker_drain(w);
    worker_stop(w, NULL);
}

static void draining_does_all_there_is(void **state)
{
    struct worker *w;

    (void)state;
    assert_int_equal(worker_start(1, &w), 0);
    drain(w);
}

static void draining_does_not_wait_in_virtual_time(void **state)
{
    struct clock_fake clock = {0};
    struct wheel *wheel = wheel_new(0);

    (void)state;
    drain(worker_start_inline(wheel, fake_now, fake_delay, &clock));
    assert_int_equal(wheel_next(wheel), INT64_MAX);
    wheel_free(wheel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_keeps_the_order),
        cmocka_unit_test(several_threads_do_every_job_once),
        cmocka_unit_test(done_may_submit_the_next),
        cmocka_unit_test(stopping_ends_what_runs_and_drops_the_rest),
        cmocka_unit_test(inline_jobs_run_after_their_delay),
        cmocka_unit_test(inline_jobs_in_the_queue_are_dropped),
        cmocka_unit_test(draining_does_all_there_is),
        cmocka_unit_test(draining_does_not_wait_in_virtual_time),
    };

    return cmocka_run_group_tests_name("base/worker", tests, NULL, NULL);
}
