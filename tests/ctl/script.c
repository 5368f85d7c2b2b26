#include "tests/ctl/script.h"

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

/* What the knowledge calls things; asked for whenever patrolctl likes. */
static const char words[] = "{\"id\":$ID,\"rows\":[{\"rule.jam\":\"卡纸\",\"kind.supply\":\"耗材\"}],\"next\":0}";

struct script {
    const struct step *steps;
    char *socket, *wrong;
    int listener;
    pthread_t thread;
};

/* False when the connection is to end after it. */
static bool send_filled(int fd, const char *text, const char *id)
{
    struct sbuf b = {0};

    for (const char *p = text; *p && !str_eq(p, "$BYE"); p++) {
        if (str_starts(p, "$ID")) {
            sbuf_add(&b, id);
            p += 2;
        } else {
            sbuf_addc(&b, *p);
        }
    }
    if (b.n > 0 && b.s[b.n - 1] != '\n')
        sbuf_addc(&b, '\n');
    for (size_t sent = 0; sent < b.n;) {
        ssize_t n = send(fd, b.s + sent, b.n - sent, MSG_NOSIGNAL);

        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    sbuf_free(&b);
    return !strstr(text, "$BYE");
}

/* The next request and its id as JSON; false at the end of the connection. */
static bool next_request(FILE *in, char **line, size_t *cap, char **id)
{
    json_t *request;

    if (getline(line, cap, in) < 0)
        return false;
    request = json_loads(*line, 0, NULL);
    *id = json_dumps(json_object_get(request, "id"), JSON_ENCODE_ANY);
    json_decref(request);
    return true;
}

/* One step; false when the connection is over. */
static bool run_step(struct script *s, int fd, FILE *in)
{
    const struct step *step = s->steps;
    char *line = NULL, *id = NULL;
    size_t cap = 0;
    bool more = true;

    while ((more = next_request(in, &line, &cap, &id)) && strstr(line, "\"words\"")) {
        send_filled(fd, words, id);
        free(id);
        id = NULL;
    }
    if (more && !strstr(line, step->asked) && !s->wrong)
        s->wrong = xasprintf("expected %s, was asked %s", step->asked, line);
    if (more)
        s->steps++;
    if (more && step->answer)
        more = send_filled(fd, step->answer, id);
    free(line);
    free(id);
    return more && step->answer;
}

/* Goes on answering for words until the other side hangs up. */
static void answer_words(int fd, FILE *in)
{
    char *line = NULL, *id = NULL;
    size_t cap = 0;

    while (next_request(in, &line, &cap, &id)) {
        send_filled(fd, words, id);
        free(id);
    }
    free(line);
}

static bool ended(const struct script *s)
{
    return !s->steps->asked;
}

static void *serve(void *arg)
{
    struct script *s = arg;
    int fd;

    while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
        FILE *in = fdopen(fd, "r");
        bool more = true;

        while (more && !ended(s))
            more = run_step(s, fd, in);
        if (more)
            answer_words(fd, in);
        fclose(in);
    }
    return NULL;
}

struct script *script_start(const struct step *steps)
{
    struct script *s = xcalloc(1, sizeof *s);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/patrolctl-test-XXXXXX";

    if (!mkdtemp(folder))
        abort();
    s->steps = steps;
    s->socket = xasprintf("%s/sock", folder);
    memcpy(addr.sun_path, s->socket, strlen(s->socket) + 1);
    s->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(s->listener, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(s->listener, 4) != 0 ||
        pthread_create(&s->thread, NULL, serve, s) != 0)
        abort();
    return s;
}

const char *script_socket(const struct script *s)
{
    return s->socket;
}

char *script_end(struct script *s)
{
    char *wrong;

    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    unlink(s->socket);
    *strrchr(s->socket, '/') = '\0';
    rmdir(s->socket);
    wrong = s->wrong;
    if (!wrong && !ended(s))
        wrong = xasprintf("%s was never asked", s->steps->asked);
    free(s->socket);
    free(s);
    return wrong;
}
