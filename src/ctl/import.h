#ifndef PD_CTL_IMPORT_H
#define PD_CTL_IMPORT_H

#include "base/array.h"
#include "ctl/ctl.h"
#include "model/archive.h"

/* The rows of a file that is to be imported, as patrold takes them. */
struct import_file {
    const char *path;
    enum archive_kind kind;
    json_t *rows;     /* a list of objects: a text for each field that the file has */
    ARRAY(int) lines; /* of each row, where it begins; 0: the format does not tell */
    struct {
        int number;                /* of the column, from 1; 0: there is none */
        char *heading;             /* as it stands in the file */
    } columns[ARCHIVE_FIELDS_MAX]; /* of CSV, by field */
    size_t errors;
};

/*
 * Reads CSV, YAML or JSON (by the file's name), in UTF-8, UTF-16 or GBK, headed
 * by the names of fields in English or Chinese. EXIT_DONE, or EXIT_FAILED after
 * telling all that is wrong with its place. Free with import_file_fini() in any case.
 */
int import_read(struct ctl *t, const char *path, enum archive_kind kind, struct import_file *f);
void import_file_fini(struct import_file *f);
/* Tells of something in a row (from 0) and a field (-1: the row). No more than so many of one file. */
void import_tell(struct ctl *t, struct import_file *f, size_t row, int field, const char *text);
/* After the last: how many more there were. */
void import_tell_rest(struct ctl *t, const struct import_file *f);

/* The field that a heading names, -1 for one that is passed over, -2 if there is none. */
int import_heading(enum archive_kind kind, const char *heading);
/* What is meant by a value: codes in words of any language, and text without spaces around it. free() it. */
char *import_value(const struct archive_field *field, const char *value);

#endif
