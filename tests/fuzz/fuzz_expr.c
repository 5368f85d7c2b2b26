/* An expression from outside: compiles or says why not, and evaluates over whatever the slots hold. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "expr/expr.h"
#include "../expr/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct value random_value(const struct pd_rng *rng)
{
    static const char *const texts[] = {"", "down", "HP LaserJet 打印机"};
    struct value v = {.type = (uint8_t)rng_below(rng, VALUE_TEXT + 1), .quality = (uint8_t)rng_below(rng, 8)};

    if (v.quality > QUALITY_UNKNOWN)
        v.quality = QUALITY_GOOD;
    v.bits = rng_u64(rng); /* any bits make a number, odd ones too */
    if (v.type == VALUE_BOOL)
        v.b = rng_below(rng, 2);
    if (v.type == VALUE_TEXT)
        v.text = texts[rng_below(rng, 3)];
    if (v.type == VALUE_INT && rng_below(rng, 2))
        v.i = (int64_t)rng_below(rng, 20) - 10;
    return v;
}

static void check_value(const struct expr *e, struct value v)
{
    if (v.quality > QUALITY_UNKNOWN || v.type > VALUE_TEXT)
        abort();
    if (v.quality == QUALITY_GOOD && expr_type(e) != VALUE_NONE && v.type != expr_type(e))
        abort();
    if (v.quality == QUALITY_GOOD && v.type == VALUE_TEXT && strlen(v.text) > EXPR_MAX_TEXT)
        abort();
}

static void evaluate(const struct expr *e, const struct pd_rng *rng)
{
    struct value slots[SLOT_COUNT + EXPR_SINCE + 1];

    for (int round = 0; round < 8; round++) {
        size_t n = rng_below(rng, sizeof slots / sizeof *slots + 1);

        for (size_t i = 0; i < n; i++)
            slots[i] = random_value(rng);
        check_value(e, expr_eval(e, slots, n));
    }
}

/* The first byte chooses the wanted type and the slots, the rest is the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct expr_error err = {0};
    struct rng_seeded seeded;
    struct expr *e;
    char *text;

    if (size == 0)
        return 0;
    text = xstrndup((const char *)data + 1, size - 1);
    if (expr_compile(text, &test_scope, data[0] % (VALUE_TEXT + 1), &e, &err) == 0) {
        struct pd_rng rng = rng_seeded_ops(&seeded);

        rng_seed(&seeded, data[0]);
        evaluate(e, &rng);
        expr_free(e);
    } else if (err.at > strlen(text) || err.len > strlen(text) - err.at || err.msg[0] == '\0') {
        abort(); /* an error that points nowhere or says nothing */
    }
    free(text);
    return 0;
}
