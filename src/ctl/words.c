#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text_table.h"
#include "ctl/client.h"
#include "ctl/ctl.h"

enum { MAX_ARGS = 32 };

const char *ctl_string(const json_t *object, const char *member)
{
    const char *s = json_string_value(json_object_get(object, member));

    return s ? s : "";
}

void ctl_local_time(int64_t wall_ms, bool brief, struct sbuf *out)
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[64];

    if (!localtime_r(&s, &tm))
        return;
    if (brief)
        strftime(text, sizeof text, "%m-%d %H:%M", &tm);
    else
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    sbuf_add(out, text);
}

void ctl_know_words(struct ctl *t)
{
    json_t *filters, *answer = NULL, *row;

    if (t->words)
        return;
    filters = json_pack("{s:s}", "lang", lang_name(t->lang));
    if (t->client && client_ask(t->client, json_pack("{s:s, s:O}", "query", "words", "filters", filters), &answer) != 0)
        answer = NULL;
    row = json_array_get(json_object_get(answer, "rows"), 0);
    t->words = row ? json_incref(row) : json_object();
    json_decref(filters);
    json_decref(answer);
}

const char *ctl_words(struct ctl *t, const char *words, const char *code)
{
    static const char *const known[] = {"rule", "kind", "point", "member", "profile"};
    char id[160];
    const char *text;

    snprintf(id, sizeof id, "%s.%s", words, code);
    text = text_get(t->lang, id);
    if (text != id)
        return text;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (str_starts(words, known[i])) {
            ctl_know_words(t);
            text = json_string_value(json_object_get(t->words, id));
            return text ? text : code;
        }
    }
    return code;
}

const char **ctl_codes(const char *codes)
{
    size_t n = strlen(codes);
    ARRAY(const char *) list = {0};

    for (size_t i = 0; i < text_table_n; i++)
        if (str_starts(text_table[i].id, codes) && text_table[i].id[n] == '.')
            array_push(&list, text_table[i].id + n + 1);
    array_push(&list, NULL);
    return list.v;
}

/* The arguments of an event's sentence; the sentence borrows from them. */
struct details {
    struct text_arg args[MAX_ARGS];
    char *made[MAX_ARGS]; /* texts of what was no text */
    size_t n;
};

static const char *detail_words(struct ctl *t, const char *kind, const char *name, const char *text)
{
    static const char *const words[][2] = {
        {"severity", "severity"}, {"from", "ticket-state"}, {"to", "ticket-state"}, {"reason", "reason"},
        {"class", "class"},       {"move", "move"},         {"rule", "rule"},       {"promise", "promise"},
    };

    if (str_starts(kind, "mail.")) /* there "to" is a reader */
        return text;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], name) == 0)
            return ctl_words(t, words[i][1], text);
    return text;
}

static void add_detail(struct ctl *t, struct details *d, const char *kind, const char *name, const json_t *value)
{
    const char *text = json_string_value(value);

    if (d->n == MAX_ARGS)
        return;
    if (json_is_null(value))
        text = "-";
    else if (!text)
        text = d->made[d->n] = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    d->args[d->n++] = (struct text_arg){name, detail_words(t, kind, name, text)};
}

/* The first of two texts that says something. */
static const char *either(const char *a, const char *b)
{
    return *a ? a : b;
}

/* Make and model, which often begins with the make. */
static char *product(const json_t *args)
{
    const char *make = ctl_string(args, "make"), *model = ctl_string(args, "model");

    if (!*make || str_starts(model, make))
        return xstrdup(*model ? model : "-");
    return xasprintf("%s%s%s", make, *model ? " " : "", model);
}

/* What a device said, in the reader's language where it was written down in that. */
static const char *told(struct ctl *t, const json_t *args)
{
    char name[32];

    snprintf(name, sizeof name, "text_%s", lang_name(t->lang));
    return either(ctl_string(args, name), ctl_string(args, "text"));
}

/* Who or what an event is about, under names of their own. */
static void add_subject(struct ctl *t, struct details *d, const json_t *event)
{
    const json_t *args = json_object_get(event, "args");
    const char *patrold = text_get(t->lang, "event.patrold");

    d->args[d->n++] = (struct text_arg){
        "device", either(ctl_string(event, "device"),
                         either(ctl_string(args, "name"), either(ctl_string(args, "site"), patrold)))};
    d->args[d->n++] = (struct text_arg){"ticket", either(ctl_string(event, "ticket"), ctl_string(args, "number"))};
    d->args[d->n++] = (struct text_arg){"actor", either(ctl_string(event, "actor"), patrold)};
    d->args[d->n++] = (struct text_arg){"text", told(t, args)};
    d->made[d->n] = product(args);
    d->args[d->n] = (struct text_arg){"product", d->made[d->n]};
    d->n++;
}

/* A fault's component is named where that says more than its device. */
static const char *sentence(struct ctl *t, const json_t *event)
{
    const char *kind = ctl_string(event, "kind"), *component = ctl_string(json_object_get(event, "args"), "component");
    char id[64];
    const char *text;

    snprintf(id, sizeof id, "event.%s.of", kind);
    text = *component && strcmp(component, ctl_string(event, "device")) != 0 ? text_get(t->lang, id) : id;
    if (text == id && *ctl_string(json_object_get(event, "args"), "title")) {
        snprintf(id, sizeof id, "event.%s.titled", kind);
        text = text_get(t->lang, id);
    }
    if (text == id && *told(t, json_object_get(event, "args"))) {
        snprintf(id, sizeof id, "event.%s.told", kind);
        text = text_get(t->lang, id);
    }
    return text != id ? text : ctl_words(t, "event", kind);
}

/* What is said behind the sentence: a note, or a reason that the sentence does not give. */
static const char *remark(struct ctl *t, const json_t *args, const char *said)
{
    const char *note = ctl_string(args, "note"), *reason = ctl_string(args, "reason");

    if (*note || !*reason || strstr(said, "{reason}"))
        return note;
    return ctl_words(t, "reason", reason);
}

void event_words(struct ctl *t, const json_t *event, struct sbuf *out)
{
    struct details d = {0};
    json_t *args = json_object_get(event, "args"), *value;
    const char *name, *said = sentence(t, event), *more = remark(t, args, said);

    add_subject(t, &d, event);
    json_object_foreach(args, name, value) add_detail(t, &d, ctl_string(event, "kind"), name, value);
    text_fill(out, said, d.args, d.n);
    if (*more)
        sbuf_addf(out, "%s%s", text_get(t->lang, "word.colon"), more);
    for (size_t i = 0; i < d.n; i++)
        free(d.made[i]);
}
