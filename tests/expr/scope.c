#include "scope.h"

#include <string.h>

#include "base/err.h"

static const char *const names[SLOT_COUNT + 1] = {"level",         "pages", "state", "errors", "name",
                                                  "device.online", "any",   "other", NULL};

static const enum value_type types[SLOT_COUNT] = {VALUE_NUM,  VALUE_INT,  VALUE_ENUM, VALUE_BITS,
                                                  VALUE_TEXT, VALUE_BOOL, VALUE_NONE, VALUE_ENUM};

static const char *const states[] = {"up", "down", "testing", NULL};
static const char *const flags[] = {"jammed", "low paper", "卡纸", NULL};
static const int64_t flag_numbers[] = {0, 1, 63};

static int resolve(void *ctx, const char *name, struct expr_name *out)
{
    (void)ctx;
    for (unsigned i = 0; i < SLOT_COUNT; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (struct expr_name){.slot = i, .type = types[i]};
            return 0;
        }
    return PD_ENOENT;
}

static const char *const *all_names(void *ctx)
{
    (void)ctx;
    return names;
}

static const char *const *members(void *ctx, unsigned slot)
{
    (void)ctx;
    return slot == SLOT_ERRORS ? flags : states;
}

static int member(void *ctx, unsigned slot, const char *name, int64_t *out)
{
    const char *const *list = members(ctx, slot);

    for (int i = 0; list[i]; i++)
        if (strcmp(list[i], name) == 0) {
            *out = slot == SLOT_ERRORS ? flag_numbers[i] : i + 1;
            return 0;
        }
    return PD_ENOENT;
}

/* Nobody said how grave testing is, nor low paper. */
static const struct expr_member *dictionary(void *ctx, unsigned slot, size_t *n)
{
    static const struct expr_member of_state[] = {{1, "up", "ok"}, {2, "down", "major"}, {3, "testing", NULL}};
    static const struct expr_member of_errors[] = {
        {0, "jammed", "warning"}, {1, "low paper", NULL}, {63, "卡纸", "critical"}};

    (void)ctx;
    *n = 3;
    return slot == SLOT_ERRORS ? of_errors : of_state;
}

/* A window of each function; device.online has no history. */
static int window(void *ctx, const struct expr_window *w, unsigned *slot)
{
    (void)ctx;
    *slot = SLOT_COUNT + (unsigned)w->history;
    if (w->history == EXPR_SINCE)
        expr_free(w->condition);
    return w->history != EXPR_SINCE && (w->slot == SLOT_ONLINE || w->slot >= SLOT_COUNT) ? PD_EINVAL : 0;
}

const struct expr_scope test_scope = {
    .resolve = resolve,
    .member = member,
    .names = all_names,
    .members = members,
    .dictionary = dictionary,
    .window = window,
};
