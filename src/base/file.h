#ifndef PD_BASE_FILE_H
#define PD_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads a whole file of at most max bytes; *data is NUL-terminated beyond *n and
 * free()d by the caller. PD_ERANGE if larger, else errno's cause.
 */
int file_read(const char *path, size_t max, char **data, size_t *n);

/* The same of what is open already, from where it stands to its end: a pipe, say. */
int file_read_fd(int fd, size_t max, char **data, size_t *n);

/* Writes a file whole or not at all: temporary beside it, fsync, rename, fsync of the folder. */
int file_write_whole(const char *path, const void *data, size_t n, unsigned mode);

/*
 * Gives a finished file its name, in the same folder: fsync, rename, fsync of the folder. Without replace,
 * PD_EEXIST if something has that name.
 */
int file_put_in_place(const char *draft, const char *path, bool replace);

/* What was renamed or removed beside path stays so. */
int file_sync_folder(const char *path);

#endif
