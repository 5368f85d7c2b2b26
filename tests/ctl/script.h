#ifndef PD_TESTS_CTL_SCRIPT_H
#define PD_TESTS_CTL_SCRIPT_H

/*
 * A patrold of paper: it listens on a socket and answers what it is asked by a
 * list, from a thread of its own.
 */
struct step {
    const char *asked; /* what the request must hold */
    /*
     * Lines without the last line end, $ID for the request's id; a last line of $BYE hangs up, and the next
     * step is on the next connection. NULL: hangs up without an answer.
     */
    const char *answer;
};

struct script;

/* Steps are borrowed, ended by one with a NULL asked. */
struct script *script_start(const struct step *steps);
const char *script_socket(const struct script *s);
/* Ends the thread and frees; NULL, or what was asked for instead of what was expected (free it). */
char *script_end(struct script *s);

#endif
