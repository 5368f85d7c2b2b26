#ifndef PD_DAEMON_LISTEN_H
#define PD_DAEMON_LISTEN_H

/*
 * Listens on a UNIX stream socket at path: mode 0660, of group patrold where
 * there is one. A socket on which nobody answers is replaced; PD_EBUSY where
 * somebody does, PD_EEXIST where something else stands there. *why (free it).
 */
int listen_unix(const char *path, int *fd, char **why);

/* The name of the user at the other end of a UNIX socket; free() it. */
char *listen_peer(int fd);

#endif
