#include "base/wheel.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"

/*
 * A tick is read as digits of six bits, one level of 64 slots per digit. A timer
 * lies at the level of the highest digit in which its tick differs from the
 * present one, in the slot of that digit. So at any moment all timers of one
 * tick share one slot (which keeps their order), the lowest occupied level
 * holds the earliest timers, and a slot is spread over the levels below it when
 * the present reaches it. Ten levels hold every tick of 63-bit milliseconds.
 *
 * Lists are rings through a head that is a timer itself, so that a timer can
 * leave whatever list it is in; a slot's head keeps the slot's number in due_ms.
 */
#define BITS 6
#define SLOTS (1 << BITS)
#define LEVELS 10
#define NOT_A_SLOT (-1)

struct wheel {
    uint64_t now;              /* the tick reached */
    uint64_t occupied[LEVELS]; /* a bit for each slot that is not empty */
    struct timer late;         /* set when their tick had already passed: the next advance fires them first */
    bool advancing;
    void (*observer)(void *arg, int64_t due_ms);
    void *observer_arg;
    struct timer slots[LEVELS * SLOTS];
};

static void list_init(struct timer *head, int64_t slot)
{
    *head = (struct timer){.due_ms = slot};
    head->next = head;
    head->prev = &head->next;
}

static bool list_empty(const struct timer *head)
{
    return head->next == head;
}

static void list_append(struct timer *head, struct timer *t)
{
    t->next = head;
    t->prev = head->prev;
    *t->prev = t;
    head->prev = &t->next;
}

static void list_cut(struct timer *t)
{
    assert(timer_is_set(t));
    *t->prev = t->next;
    t->next->prev = t->prev;
    t->next = NULL;
    t->prev = NULL;
}

/* Moves all of from to the (empty) list to. */
static void list_move(struct timer *to, struct timer *from)
{
    if (list_empty(from))
        return;
    to->next = from->next;
    to->prev = from->prev;
    to->next->prev = &to->next;
    *to->prev = to;
    from->next = from;
    from->prev = &from->next;
}

static uint64_t tick_reached(int64_t ms)
{
    return ms > 0 ? (uint64_t)ms / WHEEL_TICK_MS : 0;
}

static uint64_t tick_due(int64_t ms)
{
    return ms > 0 ? (uint64_t)ms / WHEEL_TICK_MS + (ms % WHEEL_TICK_MS != 0) : 0;
}

static int64_t tick_to_ms(uint64_t tick)
{
    return tick > INT64_MAX / WHEEL_TICK_MS ? INT64_MAX : (int64_t)(tick * WHEEL_TICK_MS);
}

struct wheel *wheel_new(int64_t now_ms)
{
    struct wheel *w = xcalloc(1, sizeof *w);

    w->now = tick_reached(now_ms);
    list_init(&w->late, NOT_A_SLOT);
    for (int i = 0; i < LEVELS * SLOTS; i++)
        list_init(&w->slots[i], i);
    return w;
}

static void forget_all(struct timer *head)
{
    while (!list_empty(head))
        list_cut(head->next);
}

void wheel_free(struct wheel *w)
{
    if (!w)
        return;
    forget_all(&w->late);
    for (int i = 0; i < LEVELS * SLOTS; i++)
        forget_all(&w->slots[i]);
    free(w);
}

void timer_init(struct timer *t, timer_fn fn, void *arg)
{
    *t = (struct timer){.fn = fn, .arg = arg};
}

/* Puts a timer whose tick lies ahead where it belongs. */
static void place(struct wheel *w, struct timer *t, uint64_t tick)
{
    int level = (63 - __builtin_clzll(tick ^ w->now)) / BITS;
    int slot = (int)(tick >> (level * BITS)) & (SLOTS - 1);

    list_append(&w->slots[level * SLOTS + slot], t);
    w->occupied[level] |= (uint64_t)1 << slot;
}

void wheel_set(struct wheel *w, struct timer *t, int64_t due_ms)
{
    uint64_t tick = tick_due(due_ms);

    assert(t->fn);
    wheel_unset(w, t);
    t->due_ms = due_ms;
    if (tick <= w->now)
        list_append(&w->late, t);
    else
        place(w, t, tick);
}

void wheel_unset(struct wheel *w, struct timer *t)
{
    struct timer *head = t->next;

    if (!timer_is_set(t))
        return;
    list_cut(t);
    /* A ring of one is an empty list's head: the slot's bit goes with its last timer. */
    if (list_empty(head) && head->due_ms != NOT_A_SLOT)
        w->occupied[head->due_ms / SLOTS] &= ~((uint64_t)1 << head->due_ms % SLOTS);
}

/* The first occupied slot and the tick at which it begins; false if every slot is empty. */
static bool first_slot(const struct wheel *w, int *level, int *slot, uint64_t *begin)
{
    int l = 0;
    uint64_t above;

    while (l < LEVELS && !w->occupied[l])
        l++;
    if (l == LEVELS)
        return false;
    *level = l;
    *slot = __builtin_ctzll(w->occupied[l]);
    above = w->now >> (l * BITS) & ~(uint64_t)(SLOTS - 1);
    *begin = (above | (uint64_t)*slot) << (l * BITS);
    return true;
}

void wheel_observe(struct wheel *w, void (*fn)(void *arg, int64_t due_ms), void *arg)
{
    w->observer = fn;
    w->observer_arg = arg;
}

/* Calls back one by one; a callback may unset those that still wait in the list. */
static void fire(const struct wheel *w, struct timer *list, bool ahead)
{
    while (!list_empty(list)) {
        struct timer *t = list->next;

        list_cut(t);
        if (ahead && w->observer)
            w->observer(w->observer_arg, tick_to_ms(w->now));
        t->fn(t->arg);
    }
}

/* The present has reached the slot: its timers of this very tick go to due, the others to lower levels. */
static void open_slot(struct wheel *w, int level, int slot, struct timer *due)
{
    struct timer all;

    list_init(&all, NOT_A_SLOT);
    list_move(&all, &w->slots[level * SLOTS + slot]);
    w->occupied[level] &= ~((uint64_t)1 << slot);
    if (level == 0) {
        list_move(due, &all);
        return;
    }
    while (!list_empty(&all)) {
        struct timer *t = all.next;
        uint64_t tick = tick_due(t->due_ms);

        list_cut(t);
        if (tick == w->now)
            list_append(due, t);
        else
            place(w, t, tick);
    }
}

void wheel_advance(struct wheel *w, int64_t now_ms)
{
    uint64_t target = tick_reached(now_ms), begin;
    struct timer due;
    int level, slot;

    assert(!w->advancing);
    w->advancing = true;
    list_init(&due, NOT_A_SLOT);
    list_move(&due, &w->late);
    fire(w, &due, false);
    while (first_slot(w, &level, &slot, &begin) && begin <= target) {
        w->now = begin;
        open_slot(w, level, slot, &due);
        fire(w, &due, true);
    }
    if (target > w->now)
        w->now = target;
    w->advancing = false;
}

int64_t wheel_next(const struct wheel *w)
{
    uint64_t begin;
    int level, slot;

    if (!list_empty(&w->late))
        return tick_to_ms(w->now);
    return first_slot(w, &level, &slot, &begin) ? tick_to_ms(begin) : INT64_MAX;
}
