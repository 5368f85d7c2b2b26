#include "base/err.h"
#include "conf/conf.h"
#include "ctl/ctl.h"
#include "patrol/patrol.h"

/* Reads the settings and the knowledge they name: 0 if both are without error. */
static int load_all(const char *path, struct conf_report *report)
{
    struct settings *settings = NULL;
    struct knowledge *knowledge = NULL;
    int err = settings_load(path, &settings, report);

    if (err == 0)
        err = knowledge_load((const char *const *)settings->knowledge_dirs.v, settings->knowledge_dirs.n, settings,
                             &knowledge, report);
    if (err == 0)
        err = patrol_check_plans(settings, knowledge, report);
    knowledge_free(knowledge);
    settings_free(settings);
    return err;
}

/* Needs no running patrold: reads what it would read and tells every error. */
int run_config_check(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *file = json_object_get(args, "file");
    const char *path = file ? json_string_value(file) : t->config;
    struct conf_report report = {0};
    int err = load_all(path, &report);

    (void)c;
    if (t->format == VIEW_JSON) {
        json_t *j = json_pack("{s:s, s:b, s:i}", "file", path, "good", err == 0, "errors", (int)report.errors);

        json_dumpf(j, t->out, JSON_COMPACT);
        fputc('\n', t->out);
        json_decref(j);
    } else if (err == 0) {
        fprintf(t->out, "%s%s%s\n", path, text_get(t->lang, "word.colon"), text_get(t->lang, "ctl.config.good"));
    }
    if (report.text.n > 0)
        fputs(report.text.s, t->err);
    else if (err != 0)
        ctl_fail(t, "%s: %s", path, pd_strerror(err));
    conf_report_free(&report);
    return err == 0 ? EXIT_DONE : EXIT_FAILED;
}
