#include "base/worker.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

struct queue {
    struct job *first, **last;
};

struct worker {
    struct queue todo;
    size_t pending; /* the loop's own count */

    /* Threads: the mutex guards todo, finished and stopping. */
    pthread_t *threads;
    unsigned nthreads;
    pthread_mutex_t mutex;
    pthread_cond_t work_or_stop;
    struct queue finished;
    bool stopping;
    int fd; /* an eventfd; -1 when inline */

    /* Inline: the timer is set while todo has a job. */
    struct wheel *wheel;
    struct timer timer;
    int64_t (*now_mono)(void *ctx);
    int64_t (*delay_ms)(void *ctx);
    void *ctx;
};

static void queue_init(struct queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void queue_put(struct queue *q, struct job *j)
{
    j->next = NULL;
    *q->last = j;
    q->last = &j->next;
}

static struct job *queue_take(struct queue *q)
{
    struct job *j = q->first;

    if (!j)
        return NULL;
    q->first = j->next;
    if (!q->first)
        q->last = &q->first;
    j->next = NULL;
    return j;
}

static struct worker *new_worker(void)
{
    struct worker *w = xcalloc(1, sizeof *w);

    queue_init(&w->todo);
    queue_init(&w->finished);
    w->fd = -1;
    return w;
}

/* The next job, or NULL when it is time to go. Called and returns with the mutex held. */
static struct job *await_job(struct worker *w)
{
    while (!w->stopping && !w->todo.first)
        pthread_cond_wait(&w->work_or_stop, &w->mutex);
    return w->stopping ? NULL : queue_take(&w->todo);
}

static void *thread_main(void *arg)
{
    struct worker *w = arg;
    struct job *j;

    pthread_mutex_lock(&w->mutex);
    while ((j = await_job(w))) {
        pthread_mutex_unlock(&w->mutex);
        j->work(j);
        pthread_mutex_lock(&w->mutex);
        queue_put(&w->finished, j);
        eventfd_write(w->fd, 1);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* Signals are the loop's business, so the threads start with all of them blocked. */
static int start_threads(struct worker *w, unsigned n)
{
    sigset_t all, before;
    int errnum = 0;

    w->threads = xcalloc(n, sizeof *w->threads);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (w->nthreads < n && errnum == 0) {
        errnum = pthread_create(&w->threads[w->nthreads], NULL, thread_main, w);
        w->nthreads += errnum == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pd_err_from_errno(errnum);
}

int worker_start(unsigned nthreads, struct worker **out)
{
    struct worker *w = new_worker();
    int rc;

    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->work_or_stop, NULL);
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->fd < 0) {
        free(w);
        return PD_EIO;
    }
    rc = start_threads(w, nthreads);
    if (rc == 0)
        *out = w;
    else
        worker_stop(w, NULL);
    return rc;
}

static void run_inline(void *arg)
{
    struct worker *w = arg;
    struct job *j = queue_take(&w->todo);

    if (w->todo.first)
        wheel_set(w->wheel, &w->timer, w->now_mono(w->ctx) + w->delay_ms(w->ctx));
    j->work(j);
    w->pending--;
    j->done(j);
}

struct worker *worker_start_inline(struct wheel *wheel, int64_t (*now_mono)(void *ctx), int64_t (*delay_ms)(void *ctx),
                                   void *ctx)
{
    struct worker *w = new_worker();

    w->wheel = wheel;
    w->now_mono = now_mono;
    w->delay_ms = delay_ms;
    w->ctx = ctx;
    timer_init(&w->timer, run_inline, w);
    return w;
}

static void stop_threads(struct worker *w)
{
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    pthread_cond_broadcast(&w->work_or_stop);
    pthread_mutex_unlock(&w->mutex);
    for (unsigned i = 0; i < w->nthreads; i++)
        pthread_join(w->threads[i], NULL);
    free(w->threads);
    w->threads = NULL;
}

void worker_stop(struct worker *w, void (*drop)(struct job *j))
{
    struct job *j;

    if (!w)
        return;
    if (w->wheel) {
        wheel_unset(w->wheel, &w->timer);
    } else {
        stop_threads(w);
        worker_reap(w);
    }
    while ((j = queue_take(&w->todo)))
        if (drop)
            drop(j);
    if (w->fd >= 0) {
        close(w->fd);
        pthread_cond_destroy(&w->work_or_stop);
        pthread_mutex_destroy(&w->mutex);
    }
    free(w);
}

void worker_submit(struct worker *w, struct job *j)
{
    w->pending++;
    if (w->wheel) {
        queue_put(&w->todo, j);
        if (!timer_is_set(&w->timer))
            wheel_set(w->wheel, &w->timer, w->now_mono(w->ctx) + w->delay_ms(w->ctx));
        return;
    }
    pthread_mutex_lock(&w->mutex);
    queue_put(&w->todo, j);
    pthread_cond_signal(&w->work_or_stop);
    pthread_mutex_unlock(&w->mutex);
}

int worker_fd(const struct worker *w)
{
    return w->fd;
}

void worker_reap(struct worker *w)
{
    struct queue finished;
    struct job *j;
    eventfd_t count;

    if (w->wheel)
        return;
    queue_init(&finished);
    pthread_mutex_lock(&w->mutex);
    eventfd_read(w->fd, &count);
    while ((j = queue_take(&w->finished)))
        queue_put(&finished, j);
    pthread_mutex_unlock(&w->mutex);
    while ((j = queue_take(&finished))) {
        w->pending--;
        j->done(j);
    }
}

void worker_drain(struct worker *w)
{
    struct pollfd readable = {.fd = w->fd, .events = POLLIN};

    while (w->pending > 0) {
        if (w->wheel) {
            wheel_unset(w->wheel, &w->timer);
            run_inline(w);
        } else if (poll(&readable, 1, -1) > 0) {
            worker_reap(w);
        }
    }
}

size_t worker_pending(const struct worker *w)
{
    return w->pending;
}
