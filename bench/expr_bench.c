/* Prints what one evaluation costs, in nanoseconds: expr_bench [EXPRESSION...] */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "expr/expr.h"
#include "../tests/expr/scope.h"

enum { ROUNDS = 20 * 1000 * 1000 };

static const char *const usual[] = {
    "level < 10",
    "state = \"down\"",
    "errors has \"jammed\"",
    "state = \"down\" and device.online",
    "known(level) and level * 100 / pages < 10 and not errors has \"jammed\"",
    "first(any, pages, 0) > 3 or contains(name, \"LaserJet\")",
};

/* Keeps the compiler from reckoning once instead of ROUNDS times. */
static void use(const void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

static void measure(const char *text)
{
    struct value slots[SLOT_COUNT] = {
        [SLOT_LEVEL] = value_num(7.5),
        [SLOT_PAGES] = value_int(1000),
        [SLOT_STATE] = value_enum(2),
        [SLOT_ERRORS] = value_bits(5),
        [SLOT_NAME] = value_text("HP LaserJet 400"),
        [SLOT_ONLINE] = value_bool(true),
        [SLOT_ANY] = value_int(3),
        [SLOT_OTHER] = value_enum(1),
    };
    struct expr_error err;
    struct expr *e;
    int64_t start;

    if (expr_compile(text, &test_scope, VALUE_NONE, &e, &err) != 0) {
        fprintf(stderr, "%s\n%*s^ %s\n", text, (int)err.at, "", err.msg);
        exit(1);
    }
    start = clock_mono(&clock_system);
    for (int i = 0; i < ROUNDS; i++) {
        struct value v;

        use(slots);
        v = expr_eval(e, slots, SLOT_COUNT);
        use(&v);
    }
    printf("%6.1f ns  %s\n", (double)(clock_mono(&clock_system) - start) * 1e6 / ROUNDS, text);
    expr_free(e);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        measure(argv[i]);
    for (size_t i = 0; argc == 1 && i < sizeof usual / sizeof *usual; i++)
        measure(usual[i]);
    return 0;
}
