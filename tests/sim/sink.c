#include "sink.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/err.h"
#include "base/mem.h"

/* More than any mail of ours, in bytes. */
enum { MAX_LINE = 4096, MAX_MESSAGE = 1 << 20 };

struct client {
    struct sink *sink;
    int fd;
    struct pd_watch *watch;
    struct sbuf line, to, message;
    bool data; /* in the message */
};

struct sink {
    const struct pd_services *services;
    struct sink_ops ops;
    int fd;
    struct pd_watch *watch;
    ARRAY(struct client *) clients;
};

/* ---- Headers ---- */

static int hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

static void decode_quoted(struct sbuf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '=' && i + 2 < n && hex(p[i + 1]) >= 0 && hex(p[i + 2]) >= 0) {
            sbuf_addc(out, (char)(hex(p[i + 1]) * 16 + hex(p[i + 2])));
            i += 2;
        } else {
            sbuf_addc(out, p[i] == '_' ? ' ' : p[i]);
        }
    }
}

static void decode_base64(struct sbuf *out, const char *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, have = 0;

    for (size_t i = 0; i < n; i++) {
        const char *d = p[i] != '\0' ? strchr(digits, p[i]) : NULL;

        if (d == NULL)
            continue;
        bits = bits << 6 | (unsigned)(d - digits);
        have += 6;
        if (have >= 8)
            sbuf_addc(out, (char)(bits >> (have -= 8) & 0xff));
    }
}

void sink_decode(struct sbuf *out, const char *value)
{
    const char *p = value;
    bool word = false;

    while (*p != '\0') {
        const char *q, *end;

        if (strncasecmp(p, "=?utf-8?", 8) != 0 || p[8] == '\0' || p[9] != '?' ||
            (end = strstr(q = p + 10, "?=")) == NULL) {
            const char *spaces = p + strspn(p, " \t");

            /* Space between two encoded words only parts them. */
            if (word && spaces > p && strncasecmp(spaces, "=?utf-8?", 8) == 0) {
                p = spaces;
                continue;
            }
            sbuf_addc(out, *p++);
            word = false;
            continue;
        }
        if ((p[8] | 0x20) == 'b')
            decode_base64(out, q, (size_t)(end - q));
        else
            decode_quoted(out, q, (size_t)(end - q));
        p = end + 2;
        word = true;
    }
}

/* A header of the message, unfolded; the caller frees it. */
static char *header(const char *message, const char *name)
{
    size_t len = strlen(name);
    struct sbuf value = {0};

    for (const char *p = message; p != NULL && *p != '\r' && *p != '\0';) {
        bool is = strncasecmp(p, name, len) == 0 && p[len] == ':';

        if (is)
            p += len + 1 + strspn(p + len + 1, " \t");
        do {
            size_t n = strcspn(p, "\r\n");

            if (is)
                sbuf_addn(&value, p, n);
            p += n;
            p += *p == '\r';
            p += *p == '\n';
        } while (*p == ' ' || *p == '\t');
        if (is)
            break;
    }
    return sbuf_take(&value);
}

static void deliver(struct client *c)
{
    char *id = header(c->message.s, "Message-ID"), *raw = header(c->message.s, "Subject");
    struct sbuf subject = {0};
    size_t n = strlen(id);

    sink_decode(&subject, raw);
    if (n > 1 && id[0] == '<' && id[n - 1] == '>') {
        id[n - 1] = '\0';
        c->sink->ops.mail(c->sink->ops.ctx, id + 1, c->to.s ? c->to.s : "", subject.s ? subject.s : "");
    }
    sbuf_free(&subject);
    free(raw);
    free(id);
}

/* ---- The conversation ---- */

static void client_free(struct client *c)
{
    struct sink *s = c->sink;

    for (size_t i = 0; i < s->clients.n; i++) {
        if (s->clients.v[i] == c) {
            array_remove(&s->clients, i);
            break;
        }
    }
    s->services->unwatch(c->watch);
    close(c->fd);
    sbuf_free(&c->line);
    sbuf_free(&c->to);
    sbuf_free(&c->message);
    free(c);
}

/* Short enough to fit the socket's buffer; who does not listen is gone. */
static void say(struct client *c, const char *text)
{
    (void)!send(c->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void take_recipient(struct client *c, const char *line)
{
    const char *from = strchr(line, '<'), *to = from ? strchr(from, '>') : NULL;

    if (to == NULL) {
        say(c, "501 RCPT TO:<address>\r\n");
        return;
    }
    if (c->to.n > 0)
        sbuf_addc(&c->to, ',');
    sbuf_addn(&c->to, from + 1, (size_t)(to - from - 1));
    say(c, "250 taken\r\n");
}

/* False: the conversation is over. */
static bool take_command(struct client *c, const char *line)
{
    if (strncasecmp(line, "DATA", 4) == 0) {
        c->data = true;
        sbuf_reset(&c->message);
        say(c, "354 go on\r\n");
    } else if (strncasecmp(line, "RCPT", 4) == 0) {
        take_recipient(c, line);
    } else if (strncasecmp(line, "QUIT", 4) == 0) {
        say(c, "221 bye\r\n");
        return false;
    } else {
        if (strncasecmp(line, "MAIL", 4) == 0 || strncasecmp(line, "RSET", 4) == 0)
            sbuf_reset(&c->to);
        say(c, "250 fine\r\n");
    }
    return true;
}

static bool take_line(struct client *c, const char *line)
{
    if (!c->data)
        return take_command(c, line);
    if (strcmp(line, ".") == 0) {
        c->data = false;
        deliver(c);
        say(c, "250 taken\r\n");
        return true;
    }
    if (c->message.n + strlen(line) > MAX_MESSAGE)
        return false;
    sbuf_add(&c->message, line + (line[0] == '.'));
    sbuf_add(&c->message, "\r\n");
    return true;
}

static void on_text(void *arg)
{
    struct client *c = arg;
    char buf[4096];
    ssize_t n = recv(c->fd, buf, sizeof buf, MSG_DONTWAIT);
    bool more = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));

    for (ssize_t i = 0; i < n && more; i++) {
        if (buf[i] != '\n') {
            sbuf_addc(&c->line, buf[i]);
            more = c->line.n <= MAX_LINE;
            continue;
        }
        if (c->line.n > 0 && c->line.s[c->line.n - 1] == '\r')
            c->line.s[--c->line.n] = '\0';
        more = take_line(c, c->line.s ? c->line.s : "");
        sbuf_reset(&c->line);
    }
    if (!more)
        client_free(c);
}

static void on_client(void *arg)
{
    struct sink *s = arg;
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
    struct client *c;

    if (fd < 0)
        return;
    c = xcalloc(1, sizeof *c);
    c->sink = s;
    c->fd = fd;
    c->watch = s->services->watch_read(s->services->loop, fd, on_text, c);
    array_push(&s->clients, c);
    say(c, "220 sink\r\n");
}

/* ---- The sink ---- */

int sink_start(const struct pd_services *services, const struct sink_ops *ops, struct sink **out, unsigned *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    struct sink *s;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0) {
        int rc = pd_err_from_errno(errno);

        if (fd >= 0)
            close(fd);
        return rc;
    }
    s = xcalloc(1, sizeof *s);
    s->services = services;
    s->ops = *ops;
    s->fd = fd;
    s->watch = services->watch_read(services->loop, fd, on_client, s);
    *port = ntohs(at.sin_port);
    *out = s;
    return 0;
}

void sink_stop(struct sink *s)
{
    if (s == NULL)
        return;
    while (s->clients.n > 0)
        client_free(s->clients.v[s->clients.n - 1]);
    array_free(&s->clients);
    s->services->unwatch(s->watch);
    close(s->fd);
    free(s);
}
