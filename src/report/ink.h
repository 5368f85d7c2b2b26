#ifndef PD_REPORT_INK_H
#define PD_REPORT_INK_H

#include <cairo.h>

#include "base/text.h"
#include "report/content.h"

/*
 * Text and colour on a cairo surface. Families of fonts are named, one after the other, so that a page looks the same
 * on every machine that has them. Texts may come from devices: what would control
 * or reorder is shown, not obeyed. A character that no font has is an error, told once, and not a box on paper.
 */
struct ink;

enum colour {
    COLOUR_TEXT,
    COLOUR_QUIET, /* what is said beside */
    COLOUR_LINE,
    COLOUR_SHADE, /* behind headers and figures */
    COLOUR_ACCENT,
    COLOUR_GOOD,
    COLOUR_WARN,
    COLOUR_BAD,
    COLOUR_PAPER,
    COLOUR_GAP, /* no data */
};

/* As six hexadecimal digits for HTML. */
const char *colour_hex(enum colour colour);
void colour_set(cairo_t *cr, enum colour colour);
enum colour colour_of_tone(enum tone tone); /* of text */
enum colour colour_of_mark(enum tone tone); /* of dots and bars */

struct face {
    double size; /* in points */
    bool bold;
    enum colour colour;
    enum align align;
    int lines; /* more are cut with an ellipsis; 0: no limit */
};

struct size {
    double width, height;
};

struct ink *ink_new(enum lang lang);
void ink_free(struct ink *ink);

/* What the text takes within a width (0: on one line, however long). */
struct size ink_measure(struct ink *ink, const struct face *f, const char *text, double width);
/* The width of the widest part of the text that does not break. */
double ink_word(struct ink *ink, const struct face *f, const char *text);
/* Draws with its top left corner there. */
struct size ink_draw(struct ink *ink, cairo_t *cr, const struct face *f, const char *text, double x, double y,
                     double width);

/* The first character without a glyph, in words, or NULL. */
const char *ink_missing(const struct ink *ink);

void ink_rectangle(cairo_t *cr, enum colour colour, double x, double y, double width, double height);
void ink_dot(cairo_t *cr, enum colour colour, double x, double y, double radius);

#endif
