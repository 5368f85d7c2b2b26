#ifndef PD_TESTS_EXPR_SCOPE_H
#define PD_TESTS_EXPR_SCOPE_H

#include "expr/expr.h"

/* A made-up scope with a name of every type. Windows take the slots behind, SLOT_COUNT + enum expr_history. */
enum test_slot {
    SLOT_LEVEL,  /* level: NUM */
    SLOT_PAGES,  /* pages: INT */
    SLOT_STATE,  /* state: ENUM up, down, testing (1, 2, 3) */
    SLOT_ERRORS, /* errors: BITS jammed, low paper, 卡纸 (0, 1, 63) */
    SLOT_NAME,   /* name: TEXT */
    SLOT_ONLINE, /* device.online: BOOL */
    SLOT_ANY,    /* any: known only at run time */
    SLOT_OTHER,  /* other: ENUM, as state but of its own */
    SLOT_COUNT,
};

extern const struct expr_scope test_scope;

#endif
