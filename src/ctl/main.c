#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/ctl.h"

static enum lang lang_of_environment(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return str_starts(value, "zh") ? LANG_ZH_CN : LANG_EN;
    }
    return LANG_EN;
}

/* How wide the terminal is; 0 where the output is none. */
static unsigned terminal_width(void)
{
    struct winsize size = {0};
    const char *columns = getenv("COLUMNS");
    int64_t n;

    if (columns && str_to_i64(columns, &n) == 0 && n > 0 && n < 10000)
        return (unsigned)n;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int main(int argc, char **argv)
{
    const char *socket = getenv("PATROLD_SOCKET");
    struct ctl t = {
        .socket = socket && *socket ? socket : PATROLD_SOCKET,
        .config = PATROLD_CONFIG,
        .lang = lang_of_environment(),
        .format = VIEW_PEOPLE,
        .out = stdout,
        .err = stderr,
        .in = isatty(STDIN_FILENO) ? stdin : NULL,
        .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
        .width = terminal_width(),
    };
    int code = ctl_run(&t, argc, argv);

    if (fflush(stdout) != 0 && code == EXIT_DONE)
        code = ctl_fail_text(&t, "ctl.error.output", (struct text_arg[]){{"why", strerror(errno)}, {0}});
    return code;
}
