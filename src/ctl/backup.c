#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "ctl/ctl.h"
#include "store/backup.h"

/* The database that is meant (free it): --db, or what the settings name; NULL after telling why there is none. */
static char *find_database(struct ctl *t, json_t *args)
{
    const char *given = ctl_string(args, "db");
    struct conf_report report = {0};
    struct settings *settings = NULL;
    char *path = NULL;
    int err;

    if (*given)
        return xstrdup(given);
    err = settings_load(t->config, &settings, &report);
    if (report.text.n > 0)
        fputs(report.text.s, t->err);
    else if (err != 0)
        ctl_fail(t, "%s: %s", t->config, pd_strerror(err));
    if (err == 0)
        path = xstrdup(settings->database);
    conf_report_free(&report);
    settings_free(settings);
    return path;
}

/* Files that root made beside the database would keep patrold out, so root does this as the folder's owner. */
static int act_as_owner(struct ctl *t, const char *database)
{
    const char *slash = strrchr(database, '/');
    char *folder = slash ? xstrndup(database, (size_t)(slash - database) + 1) : xstrdup(".");
    const struct passwd *owner = NULL;
    struct stat st;
    int code = EXIT_DONE;

    if (geteuid() != 0)
        goto out;
    if (stat(folder, &st) != 0) {
        code = ctl_fail(t, "%s: %s", folder, strerror(errno));
        goto out;
    }
    if (st.st_uid == 0)
        goto out;
    owner = getpwuid(st.st_uid);
    if (!owner || initgroups(owner->pw_name, owner->pw_gid) != 0 || setgid(owner->pw_gid) != 0 ||
        setuid(owner->pw_uid) != 0)
        code = ctl_fail(t, "%s: %s", folder, strerror(errno));
out:
    free(folder);
    return code;
}

static void show_progress(void *ctx, unsigned percent)
{
    ctl_progress(ctx, percent);
}

static store_progress progress_of(const struct ctl *t)
{
    return ctl_shows_progress(t) ? show_progress : NULL;
}

/* What was done, as an object (taken) or in the words of a text. */
static void tell(struct ctl *t, const char *said, json_t *done)
{
    struct text_arg args[8];
    struct sbuf words = {0}, line = {0};
    const char *name;
    json_t *value;
    char *made[8];
    size_t n = 0;

    if (t->format != VIEW_PEOPLE) {
        json_dumpf(done, t->out, JSON_COMPACT);
        fputc('\n', t->out);
        json_decref(done);
        return;
    }
    json_object_foreach(done, name, value)
    {
        made[n] = json_is_string(value) ? xstrdup(json_string_value(value))
                                        : xasprintf("%" PRId64, (int64_t)json_integer_value(value));
        args[n] = (struct text_arg){name, made[n]};
        n++;
    }
    text_fill(&words, text_get(t->lang, said), args, n);
    sbuf_add_visible(&line, words.s);
    fprintf(t->out, "%s\n", line.s);
    while (n > 0)
        free(made[--n]);
    sbuf_free(&words);
    sbuf_free(&line);
    json_decref(done);
}

static int fail_because(struct ctl *t, int err, char *why)
{
    ctl_fail(t, "%s", why ? why : pd_strerror(err));
    free(why);
    return EXIT_FAILED;
}

int run_backup(struct ctl *t, const struct command *c, json_t *args)
{
    const char *path = ctl_string(args, "path");
    char *database = find_database(t, args), *why = NULL;
    struct store_files files = {0};
    int err, code = database ? act_as_owner(t, database) : EXIT_FAILED;

    if (code == EXIT_DONE) {
        err = store_backup(database, path, progress_of(t), t, &files, &why);
        if (err < 0)
            code = fail_because(t, err, why);
        else
            tell(t, c->said,
                 json_pack("{s:s, s:s, s:I, s:I}", "database", database, "path", path, "files", (json_int_t)files.there,
                           "missing", (json_int_t)files.missing));
    }
    free(database);
    return code;
}

int run_restore(struct ctl *t, const struct command *c, json_t *args)
{
    const struct passwd *self = getpwuid(getuid());
    char *actor = xstrdup_null(self ? self->pw_name : NULL);
    const char *path = ctl_string(args, "path");
    char *database = find_database(t, args), *why = NULL;
    struct store_restored r = {0};
    int err, code = database ? act_as_owner(t, database) : EXIT_FAILED;

    if (code == EXIT_DONE) {
        err = store_restore(path, database, actor, progress_of(t), t, &r, &why);
        if (err < 0)
            code = fail_because(t, err, why);
        else
            tell(t, c->said,
                 json_pack("{s:s, s:s, s:I, s:I, s:s, s:I, s:I}", "database", database, "path", path, "epoch",
                           (json_int_t)r.epoch, "held", (json_int_t)r.held, "replaced", r.replaced ? r.replaced : "",
                           "files", (json_int_t)r.files.there, "missing", (json_int_t)r.files.missing));
    }
    free(r.replaced);
    free(database);
    free(actor);
    return code;
}
