#ifndef PD_STORE_REPORT_FILES_H
#define PD_STORE_REPORT_FILES_H

#include "base/array.h"
#include "store/db.h"

/*
 * The files of the monthly reports, which lie in a folder beside the database:
 * those that a database's rows name, copied from one folder to another. Each
 * file is there whole or not at all; what has a name is never changed, so a
 * file that goes away meanwhile was named by none of the last rows.
 */
struct report_files {
    ARRAY(char *) bases;  /* of a report: what all files of its edition begin with */
    ARRAY(char *) wanted; /* by name: PDFs, and what waiting mails carry */
};

/* What the database names. Free it in both cases. */
int report_files_named(struct db *db, struct report_files *out);
void report_files_free(struct report_files *f);

/*
 * Copies files into a folder, which is made if needed; none of them is no error, nor is a folder from that is not
 * there. f NULL: all files. What is there already stays, unless replace and its content is another. *why (free it)
 * names what failed.
 */
int report_files_copy(const struct report_files *f, const char *from, const char *to, bool replace, char **why);
/* Removes the files that are not of f (NULL: all), and then the folder if nothing is left in it. */
void report_files_drop(const struct report_files *f, const char *folder);
/* How many of f are there, and how many named ones are not. */
void report_files_count(const struct report_files *f, const char *folder, int64_t *there, int64_t *missing);
/* Gives each file of a folder a second name in another, which holds nothing else then. */
int report_files_keep(const char *from, const char *to, char **why);

#endif
