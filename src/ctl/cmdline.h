#ifndef PD_CTL_CMDLINE_H
#define PD_CTL_CMDLINE_H

#include "ctl/ctl.h"

/* `noun verb WORD [WORD] [--option VALUE]`, as the command table has it. */
void usage_line(const struct command *c, FILE *out);
/* All of a command, or of all commands. */
void help_command(const struct ctl *t, const struct command *c, FILE *out);
void help_all(const struct ctl *t, FILE *out);

#endif
