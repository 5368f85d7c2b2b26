#include "expr/value.h"

#include <math.h>

#include "base/str.h"

static bool same_content(struct value a, struct value b)
{
    switch ((enum value_type)a.type) {
    case VALUE_NONE:
        return true;
    case VALUE_BOOL:
        return a.b == b.b;
    case VALUE_INT:
    case VALUE_ENUM:
        return a.i == b.i;
    case VALUE_NUM:
        return a.num == b.num || (isnan(a.num) && isnan(b.num));
    case VALUE_BITS:
        return a.bits == b.bits;
    case VALUE_TEXT:
        return str_eq(a.text, b.text);
    }
    return false;
}

bool value_same(struct value a, struct value b)
{
    if (a.type != b.type || a.quality != b.quality)
        return false;
    if (a.quality != QUALITY_GOOD && a.quality != QUALITY_STALE)
        return true;
    return same_content(a, b);
}

const char *quality_name(enum quality q)
{
    switch (q) {
    case QUALITY_GOOD:
        return "good";
    case QUALITY_STALE:
        return "stale";
    case QUALITY_SOME:
        return "some";
    case QUALITY_LIMIT:
        return "limit";
    case QUALITY_UNKNOWN:
        return "unknown";
    }
    return "?";
}

const char *value_why_name(enum why w)
{
    switch (w) {
    case WHY_NONE:
        return "none";
    case WHY_ABSENT:
        return "absent";
    case WHY_SENTINEL:
        return "sentinel";
    case WHY_TYPE:
        return "type";
    case WHY_RANGE:
        return "range";
    case WHY_ROW:
        return "row";
    case WHY_ZERO:
        return "zero";
    case WHY_RULE:
        return "rule";
    }
    return "?";
}

const char *value_type_name(enum value_type t)
{
    switch (t) {
    case VALUE_NONE:
        return "none";
    case VALUE_BOOL:
        return "bool";
    case VALUE_INT:
        return "int";
    case VALUE_NUM:
        return "num";
    case VALUE_ENUM:
        return "enum";
    case VALUE_BITS:
        return "bits";
    case VALUE_TEXT:
        return "text";
    }
    return "?";
}
