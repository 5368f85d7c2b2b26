#include "plugins/mail/mail.h"

#include <curl/curl.h>
#include <gmime/gmime.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugins/mail/letter.h"

enum { DEFAULT_TIMEOUT_S = 60, CONNECT_TIMEOUT_S = 20, GRACE_MS = 2500, MOST_ATTACHED = 64 << 20 };

struct pd_channel {
    char *url, *ca_file, *from, *user, *password;
    char *sender; /* the address in from */
    bool starttls;
    int timeout_s;
    _Atomic int64_t end_ms; /* sends under way end by then; 0: nobody has said so */
};

/* ---- One send ---- */

/* What the conversation has come to. */
struct talk {
    const struct pd_channel *channel;
    const char *data; /* what is still to be read by libcurl */
    size_t left;
    bool about_message; /* from MAIL on an answer is about this message, before it about us */
    bool over;          /* QUIT was said: what follows changes nothing */
    int code;           /* of the last answer */
    char reply[160];
};

static size_t read_data(char *to, size_t size, size_t n, void *arg)
{
    struct talk *t = arg;
    size_t take = size * n < t->left ? size * n : t->left;

    memcpy(to, t->data, take);
    t->data += take;
    t->left -= take;
    return take;
}

static bool says(const char *data, size_t n, const char *command)
{
    return n >= strlen(command) && strncmp(data, command, strlen(command)) == 0;
}

static void note_reply(struct talk *t, const char *data, size_t n)
{
    char *clean;

    if (n < 4 || data[3] == '-' || strspn(data, "0123456789") < 3)
        return;
    clean = str_clean(data, n, sizeof t->reply - 1);
    snprintf(t->reply, sizeof t->reply, "%s", clean);
    t->code = (data[0] - '0') * 100 + (data[1] - '0') * 10 + (data[2] - '0');
    free(clean);
}

/* libcurl tells no one what the server said, except here. */
static int listen_in(CURL *h, curl_infotype type, char *data, size_t n, void *arg)
{
    struct talk *t = arg;

    (void)h;
    if (type == CURLINFO_HEADER_OUT && !t->over) {
        t->about_message |= says(data, n, "MAIL FROM");
        t->over = says(data, n, "QUIT");
    } else if (type == CURLINFO_HEADER_IN && !t->over) {
        note_reply(t, data, n);
    }
    return 0;
}

/* Called about once a second, also while nothing happens. */
static int check_end(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow)
{
    const struct talk *t = arg;
    int64_t end = atomic_load(&t->channel->end_ms);

    (void)dltotal, (void)dlnow, (void)ultotal, (void)ulnow;
    return end != 0 && clock_mono(&clock_system) >= end;
}

/*
 * Refused for good only if the server said 5xx about this message. What it says
 * before MAIL, or that it wants to know us first (530, 534, 535, 538), is about
 * the configuration: the operator can mend that, and then the message goes out.
 */
static enum pd_send_status judge(CURLcode rc, const struct talk *t)
{
    bool about_login = t->code == 530 || t->code == 534 || t->code == 535 || t->code == 538;

    if (rc == CURLE_OK)
        return PD_SEND_DONE;
    return t->about_message && t->code >= 500 && t->code < 600 && !about_login ? PD_SEND_NEVER : PD_SEND_LATER;
}

static void set_up(CURL *h, const struct pd_channel *c, struct talk *t, struct curl_slist *to, size_t size, char *error)
{
    curl_easy_setopt(h, CURLOPT_URL, c->url);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L); /* or the end would wait for a name that is still being looked up */
    curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)c->timeout_s);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT,
                     (long)(c->timeout_s < CONNECT_TIMEOUT_S ? c->timeout_s : CONNECT_TIMEOUT_S));
    curl_easy_setopt(h, CURLOPT_USE_SSL, (long)(c->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (c->ca_file)
        curl_easy_setopt(h, CURLOPT_CAINFO, c->ca_file);
    if (c->user) {
        curl_easy_setopt(h, CURLOPT_USERNAME, c->user);
        curl_easy_setopt(h, CURLOPT_PASSWORD, c->password ? c->password : "");
    }
    curl_easy_setopt(h, CURLOPT_MAIL_FROM, c->sender);
    curl_easy_setopt(h, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
    curl_easy_setopt(h, CURLOPT_READFUNCTION, read_data);
    curl_easy_setopt(h, CURLOPT_READDATA, t);
    curl_easy_setopt(h, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(h, CURLOPT_DEBUGFUNCTION, listen_in);
    curl_easy_setopt(h, CURLOPT_DEBUGDATA, t);
    curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, check_end);
    curl_easy_setopt(h, CURLOPT_XFERINFODATA, t);
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, error);
}

/*
 * The end of a handle says QUIT and waits two minutes for the answer, whatever
 * time-outs were set. With nothing more to be read it does not wait.
 */
static void clean_up(CURL *h)
{
    curl_socket_t fd;

    if (curl_easy_getinfo(h, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD)
        shutdown(fd, SHUT_RD);
    curl_easy_cleanup(h);
}

static void send_letter(const struct pd_channel *c, const struct letter_list *to, const char *bytes, size_t n,
                        struct pd_send_result *out)
{
    struct talk t = {.channel = c, .data = bytes, .left = n};
    char error[CURL_ERROR_SIZE] = "";
    struct curl_slist *recipients = NULL;
    CURL *h = curl_easy_init();
    CURLcode rc;

    if (!h) {
        *out = (struct pd_send_result){.status = PD_SEND_LATER, .detail = "libcurl gives no handle"};
        return;
    }
    for (size_t i = 0; i < to->n; i++)
        recipients = curl_slist_append(recipients, to->v[i]);
    set_up(h, c, &t, recipients, n, error);
    rc = curl_easy_perform(h);
    out->status = judge(rc, &t);
    if (rc == CURLE_ABORTED_BY_CALLBACK)
        snprintf(out->detail, sizeof out->detail, "patrold is stopping");
    else if (rc == CURLE_OK || t.code >= 400)
        snprintf(out->detail, sizeof out->detail, "the server says: %s", t.reply);
    else
        snprintf(out->detail, sizeof out->detail, "%s", *error ? error : curl_easy_strerror(rc));
    clean_up(h);
    curl_slist_free_all(recipients);
}

/* ---- The files of a message ---- */

struct files {
    struct letter_file *v;
    size_t n;
};

static void files_free(struct files *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->v[i].data);
    free(f->v);
}

/* A file that is gone will not come back; what else keeps it from being read may pass. */
static int read_files(const struct pd_message *m, struct files *f, struct pd_send_result *out)
{
    int rc = 0;

    *f = (struct files){.v = m->nparts > 0 ? xcalloc(m->nparts, sizeof *f->v) : NULL};
    for (size_t i = 0; i < m->nparts && rc == 0; i++) {
        struct letter_file file = {.part = &m->parts[i]};

        rc = file_read(m->parts[i].path, MOST_ATTACHED, &file.data, &file.n);
        if (rc == 0) {
            f->v[f->n++] = file;
        } else {
            out->status = rc == PD_ENOENT || rc == PD_ERANGE ? PD_SEND_NEVER : PD_SEND_LATER;
            snprintf(out->detail, sizeof out->detail, "the file %s cannot be sent: %s", m->parts[i].path,
                     pd_strerror(rc));
        }
    }
    return rc;
}

static void write_and_send(struct pd_channel *c, const struct letter_list *to, const struct pd_message *m,
                           struct pd_send_result *out)
{
    struct files files;
    size_t n = 0;
    char *bytes = NULL;

    if (read_files(m, &files, out) == 0) {
        bytes = letter_write(m->from ? m->from : c->from, m, files.v, &n);
        if (bytes)
            send_letter(c, to, bytes, n, out);
        else
            *out = (struct pd_send_result){.status = PD_SEND_NEVER, .detail = "the recipient is no mail address"};
    }
    free(bytes);
    files_free(&files);
}

static void mail_send(struct pd_channel *c, const struct pd_message *m, struct pd_send_result *out)
{
    struct letter_list to = letter_addresses(m->to);

    if (atomic_load(&c->end_ms) != 0)
        *out = (struct pd_send_result){.status = PD_SEND_LATER, .detail = "patrold is stopping"};
    else if (to.n == 0)
        *out = (struct pd_send_result){.status = PD_SEND_NEVER, .detail = "the recipient is no mail address"};
    else
        write_and_send(c, &to, m, out);
    letter_list_free(&to);
}

static void mail_interrupt(struct pd_channel *c)
{
    atomic_store(&c->end_ms, clock_mono(&clock_system) + GRACE_MS);
}

/* ---- Start and stop ---- */

static void mail_stop(struct pd_channel *c)
{
    free(c->url);
    free(c->ca_file);
    free(c->from);
    free(c->user);
    free(c->password);
    free(c->sender);
    free(c);
    curl_global_cleanup();
}

static int mail_start(const void *config, struct pd_channel **out)
{
    const struct pd_mail_config *mail = config;
    struct pd_channel *c;

    if (!mail->url || (!str_starts(mail->url, "smtp://") && !str_starts(mail->url, "smtps://"))) {
        log_error("mail", "url '%s' is none: smtp://HOST:PORT or smtps://HOST:PORT", mail->url ? mail->url : "");
        return PD_EINVAL;
    }
    if (curl_global_init(CURL_GLOBAL_ALL) != 0)
        return PD_EIO;
    g_mime_init(); /* for good: GMime does not come back after a shutdown */
    c = xcalloc(1, sizeof *c);
    c->url = xstrdup(mail->url);
    c->ca_file = xstrdup_null(mail->ca_file);
    c->from = xstrdup_null(mail->from);
    c->user = xstrdup_null(mail->user);
    c->password = xstrdup_null(mail->password);
    c->starttls = mail->starttls;
    c->timeout_s = mail->timeout_s > 0 ? mail->timeout_s : DEFAULT_TIMEOUT_S;
    c->sender = letter_address(mail->from);
    if (!c->sender) {
        log_error("mail", "from '%s' is none: NAME <ADDRESS> or ADDRESS", mail->from ? mail->from : "");
        mail_stop(c);
        return PD_EINVAL;
    }
    *out = c;
    return 0;
}

const struct pd_channel_ops pd_mail_ops = {
    .name = "mail",
    .start = mail_start,
    .stop = mail_stop,
    .send = mail_send,
    .interrupt = mail_interrupt,
};
