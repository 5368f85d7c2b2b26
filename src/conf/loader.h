#ifndef PD_CONF_LOADER_H
#define PD_CONF_LOADER_H

#include "conf/schema.h"
#include "model/knowledge.h"

/*
 * Inside knowledge_load(): each kind of file is first read into drafts, which
 * hold what was written and where, and when all files are read and the later
 * folders' drafts stand in for the earlier ones', the drafts become the model.
 */
struct loader {
    struct knowledge *k;
    struct conf_report *report;
    const char *time_zone;               /* of calendars that name none */
    const struct point_numbers *numbers; /* that points were given before; NULL: none */
    unsigned folder;                     /* which one is being read */
    ARRAY(struct loader_file) files;     /* parallel to k->files */
    /* What is read and not yet built, each known to its own file only. */
    struct kind_drafts *kinds;
    struct module_drafts *modules;
    struct profile_drafts *profiles;
    struct rule_drafts *rules;
    struct calendar_drafts *calendars;
    struct checklist_drafts *checklists;
};

struct loader_file {
    struct yaml_file *file;
    unsigned folder;
};

/* Where a node stands, for the model. */
struct where loader_where(const struct loader *l, const struct yaml_node *node);

/*
 * Whether a definition may replace one of its name: a later folder's may, a
 * second one in the same folder is an error. Complains.
 */
bool loader_may_replace(const struct loader *l, struct yaml_node *later, const struct yaml_node *earlier,
                        const char *what);

/* A text that people read, in every language. Complains. */
void loader_texts(struct loader *l, struct yaml_node *node, char *texts[LANG_COUNT]);

/* ---- Names ---- */

/* Names that expressions can use: a letter, then letters, digits and _; no word of the language. Complains. */
bool check_identifier(const char *name, struct yaml_node *here, struct conf_report *report);
/* Names of modules, profiles, rules and families: small letters, digits and -. Complains. */
bool check_slug(const char *name, struct yaml_node *here, struct conf_report *report);
/* Complains of a name that does not exist, with what was meant. */
void unknown_name(struct yaml_node *node, const char *what, const char *const *known, struct conf_report *report);

/* Likewise of a component kind. */
void unknown_kind(struct loader *l, struct yaml_node *name);

/* ---- Members of enumerations and flag sets: {1: up, 2: {code: down, title: {zh_CN: 断开}}} ---- */

struct member_draft {
    char *number;
    struct yaml_node *here;
    char *code;
    char *title[LANG_COUNT];
    struct yaml_node *severity;
};
struct member_drafts { /* an ARRAY */
    struct member_draft *v;
    size_t n, cap;
};
extern const struct schema member_schema;
/* Numbers lie within [0, max]; `unique`: one code has one number. */
void members_build(const struct member_drafts *from, int64_t max, bool unique, struct members *to,
                   struct conf_report *report);

/* ---- Expressions ---- */

/* The names that an expression may use. A name's slot is its place here. */
struct scope {
    ARRAY(struct scope_name) list;
    ARRAY(const char *) names; /* of the list, ended by NULL */
    bool takes_labels; /* label.NAME is a text, in slot list.n + its place in labels, where it is put when used */
    ARRAY(char *) labels;
    struct rule *rule; /* key, label, label.NAME and history likewise, in the rule's extras; NULL: none of these */
};
struct scope_name {
    char *name;
    enum value_type type;
    const struct members *members; /* NULL: none */
};
void scope_add(struct scope *s, const char *prefix, const char *name, enum value_type type,
               const struct members *members);
void scope_add_column(struct scope *s, const char *prefix, const struct column *column);
/* The slots of a module's row that others see too (component_shared()): its columns, then its index. */
void scope_add_row(struct scope *s, const char *prefix, const struct component_def *def);
/* The points of a kind. */
void scope_add_points(struct scope *s, const char *prefix, const struct kind *kind);
void scope_fini(struct scope *s);

/* Compiles a text node; NULL after a complaint at the very word, or where node is NULL. */
struct expr *scope_compile(struct scope *s, const struct yaml_node *node, enum value_type want,
                           struct conf_report *report);

/* Each {name} of a text must be one of these. Complains. */
void loader_check_texts(struct loader *l, struct yaml_node *message, struct scope *names);

/* ---- One for each kind of file: read every file, build in this order, release ---- */

void kinds_read(struct loader *l, struct yaml_node *root);
void kinds_build(struct loader *l);
void kinds_release(struct loader *l);

void module_read(struct loader *l, struct yaml_node *root);
void modules_build(struct loader *l);
void modules_release(struct loader *l);

/* The names that profiles see: all that the module `identify` asks. */
void identify_scope(const struct loader *l, struct scope *scope);

void profile_read(struct loader *l, struct yaml_node *root);
void profiles_build(struct loader *l);
void profiles_release(struct loader *l);

void rules_read(struct loader *l, struct yaml_node *root);
void rules_build(struct loader *l);
/* What the settings change of the rules: those that are off go. */
void rules_override(struct loader *l, const struct settings *settings);
void rules_release(struct loader *l);

void calendars_read(struct loader *l, struct yaml_node *root);
void calendars_build(struct loader *l);
void calendars_release(struct loader *l);

void checklists_read(struct loader *l, struct yaml_node *root);
void checklists_build(struct loader *l);
void checklists_release(struct loader *l);
/* Complains of what plans name and nobody has: calendars, checklists, device classes. */
void plans_check(struct loader *l, const struct settings *settings);

#endif
