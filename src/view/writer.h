#ifndef PD_VIEW_WRITER_H
#define PD_VIEW_WRITER_H

#include "base/array.h"
#include "view/table.h"

/* Inside view: what the formats implement, and what they see. */

struct cell {
    bool known;
    uint8_t style; /* enum view_style */
    union {
        int64_t i; /* VIEW_INT, VIEW_TIME */
        double num;
        bool b;
        struct {
            size_t text, words; /* VIEW_TEXT, VIEW_CODE: places in view.texts */
        };
    };
};

struct section {
    bool record;
    const char *name, *title;
    const struct view_column *columns;
    size_t ncolumns;
};

struct writer {
    void (*begin)(struct view *v);
    void (*row)(struct view *v);
    void (*end)(struct view *v);
    void (*close)(struct view *v);
    void (*flush)(struct view *v); /* may be NULL */
};

extern const struct writer writer_people, writer_json, writer_json_lines, writer_csv;

struct view {
    struct view_options options;
    const struct writer *writer;
    struct section section;
    bool open;          /* a section is */
    size_t nsections;   /* begun */
    size_t nrows;       /* ended in this section */
    struct cell *cells; /* of the row being given; as many as columns */
    size_t ncells;
    uint8_t style;     /* of the next cell */
    struct sbuf texts; /* contents of cells */
    struct sbuf out;   /* written by view_send() */
    int rc;
    struct page *page; /* writer_people's own */
};

/* The text of a VIEW_TEXT cell or the code of a VIEW_CODE one. */
static inline const char *cell_text(const struct view *v, const struct cell *c)
{
    return v->texts.s + c->text;
}

/* Gives out to the output and empties it. */
void view_send(struct view *v);

/* A cell of any type but text and code, as programs read it: no quotes, a point, UTC. */
void add_plain(struct sbuf *b, enum view_type type, const struct cell *c);

#endif
