#include "conf/private.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "conf/schema.h"
#include "model/profile.h"

static const char *const holds_names[] = {"nothing", "text", "mac", NULL};
static const char *const instance_names[] = {"plain", "mac", "ip", "inet", NULL};

static void check_object(void *section, struct yaml_node *here, struct conf_report *report)
{
    const struct private_object *o = section;
    uint32_t numbers[OID_PREFIX_MAX];

    if (o->object && oid_numbers(o->object, numbers) == 0)
        conf_error(report, here, "'%s' is no object identifier", o->object);
}

static const struct schema_row object_rows[] = {
    {"object", SCHEMA_TEXT, SCHEMA_REQUIRED, SCHEMA_FIELD(struct private_object, object)},
    {"holds", SCHEMA_ENUM, .names = holds_names, .fallback = "nothing", SCHEMA_FIELD(struct private_object, holds)},
    {"instance", SCHEMA_ENUM, .names = instance_names, .fallback = "plain",
     SCHEMA_FIELD(struct private_object, instance)},
    {0},
};
static const struct schema object_schema = {
    .what = "what is private", .rows = object_rows, .size = sizeof(struct private_object), .check = check_object};

static const struct schema_row private_rows[] = {
    {"walk", SCHEMA_LIST, .item = SCHEMA_TEXT, SCHEMA_FIELD(struct private_data, walk)},
    {"private", SCHEMA_LIST, .item = SCHEMA_SECTION, .sub = &object_schema, SCHEMA_FIELD(struct private_data, objects)},
    {0},
};
static const struct schema private_schema = {
    .what = "private.yaml", .rows = private_rows, .size = sizeof(struct private_data)};

int private_load(const char *const *dirs, size_t n, struct private_data *out, struct conf_report *report)
{
    unsigned before = report->errors;

    *out = (struct private_data){0};
    for (size_t i = 0; i < n; i++) {
        char *path = xasprintf("%s/private.yaml", dirs[i]);
        struct yaml_file *file;

        if (access(path, F_OK) == 0 && yaml_load(path, &file, report) == 0) {
            schema_read(&private_schema, file->root, out, report);
            yaml_file_free(file);
        }
        free(path);
    }
    if (report->errors == before)
        return 0;
    private_free(out);
    return PD_EINVAL;
}

void private_free(struct private_data *p)
{
    schema_release(&private_schema, p);
}
