#include "report/ink.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <stdlib.h>

#include "base/mem.h"

#define FAMILIES "Noto Sans CJK SC, WenQuanYi Micro Hei, DejaVu Sans"

struct ink {
    PangoFontMap *fonts;
    PangoContext *context;
    PangoLayout *layout; /* the one text under way */
    struct sbuf shown;
    char *missing;
};

static const unsigned palette[] = {
    [COLOUR_TEXT] = 0x1f2a37,   [COLOUR_QUIET] = 0x66727f, [COLOUR_LINE] = 0xd5dce3, [COLOUR_SHADE] = 0xf3f6f9,
    [COLOUR_ACCENT] = 0x1d4f7c, [COLOUR_GOOD] = 0x2e8b62,  [COLOUR_WARN] = 0xb7700b, [COLOUR_BAD] = 0xc0392b,
    [COLOUR_PAPER] = 0xffffff,  [COLOUR_GAP] = 0xb9c3cd,
};

const char *colour_hex(enum colour colour)
{
    static const char *const hex[] = {
        [COLOUR_TEXT] = "1f2a37",   [COLOUR_QUIET] = "66727f", [COLOUR_LINE] = "d5dce3", [COLOUR_SHADE] = "f3f6f9",
        [COLOUR_ACCENT] = "1d4f7c", [COLOUR_GOOD] = "2e8b62",  [COLOUR_WARN] = "b7700b", [COLOUR_BAD] = "c0392b",
        [COLOUR_PAPER] = "ffffff",  [COLOUR_GAP] = "b9c3cd",
    };

    return hex[colour];
}

void colour_set(cairo_t *cr, enum colour colour)
{
    unsigned c = palette[colour];

    cairo_set_source_rgb(cr, (c >> 16 & 255) / 255.0, (c >> 8 & 255) / 255.0, (c & 255) / 255.0);
}

enum colour colour_of_tone(enum tone tone)
{
    static const enum colour colours[] = {COLOUR_TEXT, COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD, COLOUR_QUIET};

    return colours[tone];
}

enum colour colour_of_mark(enum tone tone)
{
    static const enum colour colours[] = {COLOUR_ACCENT, COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD, COLOUR_GAP};

    return colours[tone];
}

struct ink *ink_new(enum lang lang)
{
    struct ink *ink = xcalloc(1, sizeof *ink);
    cairo_font_options_t *options = cairo_font_options_create();
    PangoAttrList *attributes;

    /* Nothing depends on the pixels of a screen, so that a page breaks where it was measured to break. */
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    ink->fonts = pango_cairo_font_map_new();
    ink->context = pango_font_map_create_context(ink->fonts);
    pango_cairo_context_set_font_options(ink->context, options);
    pango_cairo_context_set_resolution(ink->context, 72);
    pango_context_set_language(ink->context, pango_language_from_string(lang == LANG_ZH_CN ? "zh-cn" : "en"));
    pango_context_set_base_dir(ink->context, PANGO_DIRECTION_LTR);
    pango_context_set_round_glyph_positions(ink->context, FALSE);
    ink->layout = pango_layout_new(ink->context);
    pango_layout_set_auto_dir(ink->layout, FALSE);
    pango_layout_set_wrap(ink->layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_ellipsize(ink->layout, PANGO_ELLIPSIZE_END);
    /* A serial number that is broken over two lines is the same without a hyphen only. */
    attributes = pango_attr_list_new();
    pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
    pango_layout_set_attributes(ink->layout, attributes);
    pango_attr_list_unref(attributes);
    cairo_font_options_destroy(options);
    return ink;
}

void ink_free(struct ink *ink)
{
    if (!ink)
        return;
    g_object_unref(ink->layout);
    g_object_unref(ink->context);
    g_object_unref(ink->fonts);
    sbuf_free(&ink->shown);
    free(ink->missing);
    free(ink);
}

/* The byte of the text whose glyph no font has, or -1. */
static int missing_at(const PangoGlyphItem *run)
{
    for (int i = 0; i < run->glyphs->num_glyphs; i++)
        if (run->glyphs->glyphs[i].glyph & PANGO_GLYPH_UNKNOWN_FLAG)
            return run->item->offset + run->glyphs->log_clusters[i];
    return -1;
}

static void tell_missing(struct ink *ink)
{
    PangoLayoutIter *iter = pango_layout_get_iter(ink->layout);
    int at = -1;

    do {
        PangoLayoutRun *run = pango_layout_iter_get_run_readonly(iter);

        if (run)
            at = missing_at(run);
    } while (at < 0 && pango_layout_iter_next_run(iter));
    pango_layout_iter_free(iter);
    if (at >= 0)
        ink->missing = xasprintf("no font has the character U+%04X of the text \"%s\"",
                                 (unsigned)g_utf8_get_char(ink->shown.s + at), ink->shown.s);
    else
        ink->missing = xasprintf("no font has a character of the text \"%s\"", ink->shown.s);
}

static struct size lay_out(struct ink *ink, const struct face *f, const char *text, double width)
{
    static const PangoAlignment alignments[] = {
        [ALIGN_LEFT] = PANGO_ALIGN_LEFT, [ALIGN_RIGHT] = PANGO_ALIGN_RIGHT, [ALIGN_CENTRE] = PANGO_ALIGN_CENTER};
    PangoFontDescription *font = pango_font_description_from_string(FAMILIES);
    int w, h;

    pango_font_description_set_size(font, (int)lround(f->size * PANGO_SCALE));
    pango_font_description_set_weight(font, f->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(ink->layout, font);
    pango_font_description_free(font);
    sbuf_reset(&ink->shown);
    sbuf_add_visible(&ink->shown, text);
    pango_layout_set_text(ink->layout, ink->shown.s, (int)ink->shown.n);
    pango_layout_set_width(ink->layout, width > 0 ? (int)(width * PANGO_SCALE) : -1);
    pango_layout_set_height(ink->layout, f->lines > 0 ? -f->lines : INT_MAX);
    pango_layout_set_alignment(ink->layout, alignments[f->align]);
    if (!ink->missing && pango_layout_get_unknown_glyphs_count(ink->layout) > 0)
        tell_missing(ink);
    pango_layout_get_size(ink->layout, &w, &h);
    return (struct size){(double)w / PANGO_SCALE, (double)h / PANGO_SCALE};
}

struct size ink_measure(struct ink *ink, const struct face *f, const char *text, double width)
{
    return lay_out(ink, f, text, width);
}

double ink_word(struct ink *ink, const struct face *f, const char *text)
{
    struct face whole = *f;
    double width;

    whole.lines = 0;
    pango_layout_set_wrap(ink->layout, PANGO_WRAP_WORD);
    pango_layout_set_ellipsize(ink->layout, PANGO_ELLIPSIZE_NONE);
    width = lay_out(ink, &whole, text, 0.1).width;
    pango_layout_set_ellipsize(ink->layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_wrap(ink->layout, PANGO_WRAP_WORD_CHAR);
    return width;
}

struct size ink_draw(struct ink *ink, cairo_t *cr, const struct face *f, const char *text, double x, double y,
                     double width)
{
    struct size size = lay_out(ink, f, text, width);

    colour_set(cr, f->colour);
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout(cr, ink->layout);
    return size;
}

const char *ink_missing(const struct ink *ink)
{
    return ink->missing;
}

void ink_rectangle(cairo_t *cr, enum colour colour, double x, double y, double width, double height)
{
    colour_set(cr, colour);
    cairo_rectangle(cr, x, y, width, height);
    cairo_fill(cr);
}

void ink_dot(cairo_t *cr, enum colour colour, double x, double y, double radius)
{
    colour_set(cr, colour);
    cairo_new_sub_path(cr);
    cairo_arc(cr, x, y, radius, 0, 2 * G_PI);
    cairo_fill(cr);
}
