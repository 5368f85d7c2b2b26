#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "conf/profiles.h"

/* What a profile forbids to be asked for over Modbus: [holding 100-109, input 0x200, coil 7]. */

enum { MAX_HOLES = 64, LAST_ADDRESS = 65535 };

/* In order of the functions that read them, from 1 on. */
static const char *const spaces[] = {"coil", "discrete", "holding", "input", NULL};

/* A decimal or 0x number at *s, which is moved behind it. */
static bool take_number(const char **s, uint16_t *out)
{
    bool hex = (*s)[0] == '0' && ((*s)[1] == 'x' || (*s)[1] == 'X');
    const char *digits = hex ? *s + 2 : *s;
    size_t n = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
    unsigned long v = strtoul(digits, NULL, hex ? 16 : 10);

    if (n == 0 || v > LAST_ADDRESS)
        return false;
    *out = (uint16_t)v;
    *s = digits + n;
    return true;
}

/* "100-109" or "100", and nothing behind it. */
static bool take_range(const char *s, struct register_hole *out)
{
    if (!take_number(&s, &out->first))
        return false;
    out->last = out->first;
    if (*s == '-' && (s++, !take_number(&s, &out->last)))
        return false;
    return *s == '\0' && out->first <= out->last;
}

static bool take_hole(struct yaml_node *node, struct register_hole *out, struct conf_report *report)
{
    size_t n = strcspn(node->text, " ");
    char space[16] = "";
    struct sbuf right = {0};
    int i = 0;

    if (n < sizeof space)
        memcpy(space, node->text, n);
    while (spaces[i] && !str_eq(spaces[i], space))
        i++;
    if (!spaces[i]) {
        conf_suggest(&right, space, spaces);
        conf_error(report, node, "'%s' is no range such as 'holding 100-109': unknown '%s'%s", node->text, space,
                   right.s ? right.s : "");
        sbuf_free(&right);
        return false;
    }
    out->function = (uint8_t)(i + 1);
    if (take_range(node->text + n + strspn(node->text + n, " "), out))
        return true;
    conf_error(report, node,
               "'%s': behind '%s' comes an address as on the wire, 0 to 65535, or a range such as 100-109", node->text,
               space);
    return false;
}

void profile_add_holes(struct loader *l, const struct profile_draft *from, struct profile *p)
{
    struct yaml_node *own = profile_word(from, "modbus", "holes"); /* heirs are not to blame */

    if (own && from->holes.n > MAX_HOLES)
        conf_error(l->report, own, "more than %d holes", MAX_HOLES);
    for (size_t i = 0; i < from->holes.n; i++) {
        struct register_hole hole;

        if (from->holes.v[i] && !from->holes.v[i]->bad && take_hole(from->holes.v[i], &hole, l->report))
            array_push(&p->holes, hole);
    }
}
