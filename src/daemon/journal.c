#define SD_JOURNAL_SUPPRESS_LOCATION

#include "daemon/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/mem.h"

/* Each drawn once at random and never changed: people and programs wait for them. */
static const char *const message_ids[LOG_KIND_COUNT] = {
    [LOG_KIND_UP] = "ef4bb9652d324d4b98a42812d869f547",
    [LOG_KIND_STOPPING] = "8b25b482043545dcb7f514ca436d751c",
    [LOG_KIND_RELOADED] = "e264648a98f8411fbd161df779cd3d11",
    [LOG_KIND_CONFIG_REFUSED] = "224e309aa5da48c993794255e3ffd9e0",
    [LOG_KIND_STORE_STUCK] = "c0c7a45d845f483da7777ba60ff96bad",
    [LOG_KIND_STORE_WORKS] = "f282684107ef491ab0e1a99f06e29ec5",
    [LOG_KIND_NOT_POLLED] = "7506c9e2073b488f8d6b8835ddc7de40",
    [LOG_KIND_FAULT_OPENED] = "452be03ea7604f09af6b0966fde97b53",
    [LOG_KIND_FAULT_CLOSED] = "6d88306a6c554996838e413049ff859d",
    [LOG_KIND_TICKET_OPENED] = "a7508c8b13444084b12762c47b4ce8e7",
    [LOG_KIND_TICKET_CHANGED] = "a58874b95e3e441aa33a969c16e608dc",
    [LOG_KIND_MAIL_WAITS] = "48dd2cc834b341a09a2882b4a771ee2b",
    [LOG_KIND_MAIL_GOES] = "3fa53dccd2934fd191799c2fa7be5d07",
    [LOG_KIND_MAIL_REFUSED] = "76f7b233f71e49d8b7ec41e38771fc12",
};

bool journal_is_stderr(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    uintmax_t device, inode;

    return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
           st.st_dev == device && st.st_ino == inode;
}

size_t journal_fields(const struct log_line *line, char *fields[static JOURNAL_FIELDS_MAX])
{
    static const int priorities[] = {
        [LOG_LEVEL_ERROR] = LOG_ERR,
        [LOG_LEVEL_WARN] = LOG_WARNING,
        [LOG_LEVEL_INFO] = LOG_INFO,
        [LOG_LEVEL_DEBUG] = LOG_DEBUG,
    };
    const struct {
        const char *name, *value;
    } texts[] = {
        {"MESSAGE", line->msg},
        {"PATROLD_SUBSYSTEM", line->sub},
        {"MESSAGE_ID", message_ids[line->about.kind]},
        {"PATROLD_DEVICE", line->about.device},
        {"PATROLD_RULE", line->about.rule},
        {"PATROLD_TICKET", line->about.ticket},
    };
    size_t n = 0;

    fields[n++] = xasprintf("PRIORITY=%d", priorities[line->level]);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].value)
            fields[n++] = xasprintf("%s=%s", texts[i].name, texts[i].value);
    return n;
}

void journal_write(void *ctx, const struct log_line *line)
{
    char *fields[JOURNAL_FIELDS_MAX];
    struct iovec iov[JOURNAL_FIELDS_MAX];
    size_t n = journal_fields(line, fields);

    (void)ctx;
    for (size_t i = 0; i < n; i++)
        iov[i] = (struct iovec){fields[i], strlen(fields[i])};
    sd_journal_sendv(iov, (int)n);
    for (size_t i = 0; i < n; i++)
        free(fields[i]);
}
