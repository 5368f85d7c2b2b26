#include <stdio.h>

#include "base/err.h"
#include "conf/conf.h"
#include "ctl/ctl.h"

/* Reads the settings and the knowledge they name: true if both are without error. */
static bool load_all(const char *path, struct conf_report *report, int *err)
{
    struct settings *settings = NULL;
    struct knowledge *knowledge = NULL;

    *err = settings_load(path, &settings, report);
    if (*err == 0)
        *err = knowledge_load((const char *const *)settings->knowledge_dirs.v, settings->knowledge_dirs.n, settings,
                              &knowledge, report);
    knowledge_free(knowledge);
    settings_free(settings);
    return *err == 0;
}

/* Needs no running patrold: reads what it would read and tells every error. */
int run_config_check(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *file = json_object_get(args, "file");
    const char *path = file ? json_string_value(file) : t->config;
    struct conf_report report = {0};
    int err, code = EXIT_DONE;

    (void)c;
    if (load_all(path, &report, &err))
        printf("%s: %s\n", path, text_get(t->lang, "ctl.config.good"));
    else if (report.errors > 0)
        code = EXIT_FAILED;
    else
        code = ctl_fail("%s: %s", path, pd_strerror(err));
    if (report.text.n > 0)
        fputs(report.text.s, stderr);
    conf_report_free(&report);
    return code;
}
