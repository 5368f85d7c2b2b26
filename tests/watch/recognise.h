#ifndef PD_TESTS_WATCH_RECOGNISE_H
#define PD_TESTS_WATCH_RECOGNISE_H

#include <stddef.h>

#define ENT "1.3.6.1.4.1."
#define LINUX ENT "8072.3.2.10"

/* What a device says of itself, and which of the shipped profiles it then gets. */
struct example {
    const char *object_id, *descr; /* NULL: not told */
    const char *column, *value;    /* what else it tells; a value NULL: the number 2 */
    const char *profile, *device_class;
};

/* Fails the test where a device of the list gets another profile or class, and says which. */
void recognise(const struct example *list, size_t n);

/*
 * The same of a file below the sources, in which a line is PROFILE | CLASS | sysObjectID | sysDescr | MORE, with '-'
 * for what is not told. Fails too where a profile that devices may get has no line.
 */
void recognise_all(const char *path);

#endif
