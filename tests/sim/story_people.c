#include "story_raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "moment.h"

/*
 * The part of a story that is about people: records of the archive, staff, their
 * hours. What patrold is told of them is handed on as it is written; what the
 * simulator itself reckons with is picked out of it here.
 */
const char *const story_promises[PROMISED_COUNT + 1] = {"respond", "dispatch", "on-site", "fix", NULL};

/* ---- Writing YAML and JSON again ---- */

static void add_value(struct sbuf *out, const struct yaml_node *n)
{
    switch (n->type) {
    case YAML_TEXT:
        if (n->quoted || n->text[0] == '\0' || strpbrk(n->text, ",{}[]:#&*!|>'\"%@`\\") != NULL)
            sbuf_add_json(out, n->text);
        else
            sbuf_add(out, n->text);
        break;
    case YAML_LIST:
        sbuf_addc(out, '[');
        for (size_t i = 0; i < n->items.n; i++) {
            sbuf_add(out, i > 0 ? ", " : "");
            add_value(out, n->items.v[i]);
        }
        sbuf_addc(out, ']');
        break;
    case YAML_MAP:
        sbuf_addc(out, '{');
        for (size_t i = 0; i < n->pairs.n; i++) {
            sbuf_add(out, i > 0 ? ", " : "");
            sbuf_add_json(out, n->pairs.v[i].key->text);
            sbuf_add(out, ": ");
            add_value(out, n->pairs.v[i].value);
        }
        sbuf_addc(out, '}');
        break;
    }
}

/* Arguments of a command: texts, and lists as texts parted by commas. */
static bool add_args(struct reading_story *r, struct sbuf *out, const struct yaml_node *map)
{
    struct sbuf list = {0};

    for (size_t i = 0; i < map->pairs.n; i++) {
        struct yaml_node *v = map->pairs.v[i].value;

        sbuf_reset(&list);
        for (size_t k = 0; v->type == YAML_LIST && k < v->items.n; k++)
            if (v->items.v[k]->type == YAML_TEXT)
                sbuf_addf(&list, "%s%s", k > 0 ? "," : "", v->items.v[k]->text);
        if (v->type == YAML_MAP) {
            conf_error(r->report, v, "expected a text or a list of them");
            sbuf_free(&list);
            return false;
        }
        sbuf_add(out, i > 0 ? "," : "{");
        sbuf_add_json(out, map->pairs.v[i].key->text);
        sbuf_addc(out, ':');
        sbuf_add_json(out, v->type == YAML_TEXT ? v->text : list.s ? list.s : "");
    }
    sbuf_add(out, map->pairs.n > 0 ? "}" : "{}");
    sbuf_free(&list);
    return true;
}

/* ---- The archive ---- */

static const char *text_in(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *n = yaml_get(map, key);

    return n != NULL && n->type == YAML_TEXT ? n->text : NULL;
}

/* "respond=30m,on-site=4h,fix=8h" */
static void take_goals(struct reading_story *r, struct yaml_node *n, int64_t goals[PROMISED_COUNT])
{
    char *text = xstrdup(n->text), *at = text, *one;

    while ((one = strsep(&at, ",")) != NULL) {
        char *value = strchr(one, '=');

        while (*one == ' ')
            one++;
        if (value == NULL)
            continue;
        *value++ = '\0';
        for (int p = 0; p < PROMISED_COUNT; p++)
            if (str_eq(story_promises[p], one) && moment_duration(value, &goals[p]) < 0)
                conf_error(r->report, n, "expected promises such as respond=30m,fix=8h, not '%s'", n->text);
    }
    free(text);
}

static void take_contract(struct reading_story *r, const struct yaml_node *map)
{
    static const char *const priorities[] = {"p1", "p2", "p3", "p4"};
    const char *customer = text_in(map, "customer"), *calendar = text_in(map, "calendar");
    struct story_contract c = {.customer = xstrdup(customer ? customer : ""),
                               .always = calendar == NULL || str_eq(calendar, "always")};

    for (int i = 0; i < 4; i++) {
        struct yaml_node *n = yaml_get(map, priorities[i]);

        if (n != NULL && n->type == YAML_TEXT)
            take_goals(r, n, c.goal_ms[i]);
    }
    array_push(&r->story->contracts, c);
}

static void take_record(struct reading_story *r, struct yaml_node *n)
{
    static const char *const kinds[] = {"customer", "site", "contact", "staff", "contract", NULL};
    const struct yaml_node *map = n->type == YAML_MAP && n->pairs.n == 1 ? n->pairs.v[0].value : NULL;
    struct sbuf args = {0};
    int kind;

    if (map == NULL || map->type != YAML_MAP) {
        conf_error(r->report, n, "expected one record such as customer: {name: …}");
        return;
    }
    kind = story_name(n->pairs.v[0].key, "kind of record", kinds, r->report);
    if (kind < 0 || !add_args(r, &args, map)) {
        sbuf_free(&args);
        return;
    }
    if (kind == 1) {
        const char *name = text_in(map, "name"), *customer = text_in(map, "customer");
        struct story_place p = {xstrdup(name ? name : ""), xstrdup(customer ? customer : "")};

        array_push(&r->story->places, p);
    }
    if (kind == 4)
        take_contract(r, map);
    array_push(&r->story->records, ((struct story_record){xasprintf("%s.add", kinds[kind]), sbuf_take(&args)}));
}

/* ---- Hours ---- */

static void take_segment(struct reading_story *r, struct yaml_node *n)
{
    int h1, m1, h2, m2, used = 0;
    struct story_segment s;

    if (n->type != YAML_TEXT || sscanf(n->text, "%2d:%2d-%2d:%2d%n", &h1, &m1, &h2, &m2, &used) != 4 ||
        n->text[used] != '\0' || h1 < 0 || m1 < 0 || m1 > 59 || m2 < 0 || m2 > 59 || h1 * 60 + m1 >= h2 * 60 + m2 ||
        h2 * 60 + m2 > 24 * 60) {
        conf_error(r->report, n, "expected hours such as 08:30-12:00");
        return;
    }
    s = (struct story_segment){h1 * 60 + m1, h2 * 60 + m2};
    if (r->story->hours.segments.n > 0 && r->story->hours.segments.v[r->story->hours.segments.n - 1].to > s.from)
        conf_error(r->report, n, "hours stand one after another");
    array_push(&r->story->hours.segments, s);
}

static bool take_day(struct reading_story *r, struct yaml_node *n, int64_t *day)
{
    struct zone *utc = NULL;
    char *text;
    int rc;

    text = xasprintf("%s 00:00", n->type == YAML_TEXT ? n->text : "");
    zone_open("UTC", &utc);
    rc = moment_local(text, utc, day);
    *day /= DAY;
    zone_free(utc);
    free(text);
    if (rc < 0)
        conf_error(r->report, n, "expected a day such as 2026-10-01");
    return rc == 0;
}

static void take_hours(struct reading_story *r)
{
    struct story_hours *h = &r->story->hours;
    int64_t day = 0;

    for (size_t i = 0; r->raw.hours && r->raw.hours->type == YAML_LIST && i < r->raw.hours->items.n; i++)
        take_segment(r, r->raw.hours->items.v[i]);
    if (h->segments.n == 0) {
        array_push(&h->segments, ((struct story_segment){8 * 60 + 30, 12 * 60}));
        array_push(&h->segments, ((struct story_segment){13 * 60 + 30, 18 * 60}));
    }
    for (size_t i = 0; r->raw.closed && r->raw.closed->type == YAML_LIST && i < r->raw.closed->items.n; i++)
        if (take_day(r, r->raw.closed->items.v[i], &day))
            array_push(&h->closed, day);
    for (size_t i = 0; r->raw.open && r->raw.open->type == YAML_LIST && i < r->raw.open->items.n; i++)
        if (take_day(r, r->raw.open->items.v[i], &day))
            array_push(&h->open, day);
}

/* ---- All of it ---- */

static void take_patrold(struct reading_story *r, struct yaml_node *n)
{
    struct sbuf out = {0};

    if (n->type != YAML_MAP) {
        conf_error(r->report, n, "expected keys of patrold.yaml");
        return;
    }
    for (size_t i = 0; i < n->pairs.n; i++) {
        sbuf_addf(&out, "%s: ", n->pairs.v[i].key->text);
        add_value(&out, n->pairs.v[i].value);
        sbuf_addc(&out, '\n');
    }
    if (out.n > 0)
        r->story->patrold = sbuf_take(&out);
}

void story_take_people(struct reading_story *r)
{
    struct yaml_node *archive = r->raw.archive;

    if (archive != NULL && archive->type != YAML_LIST)
        conf_error(r->report, archive, "expected a list of records");
    for (size_t i = 0; archive != NULL && archive->type == YAML_LIST && i < archive->items.n; i++)
        take_record(r, archive->items.v[i]);
    take_hours(r);
    if (r->raw.patrold != NULL)
        take_patrold(r, r->raw.patrold);
    for (size_t i = 0; i < r->raw.staff.n; i++) {
        const struct raw_person *p = &r->raw.staff.v[i];
        struct story_person person = {xstrdup_null(p->name), p->always, p->answers_ms, p->travels_ms, p->works_ms};

        array_push(&r->story->staff, person);
    }
}

void story_free_people(struct story *s)
{
    for (size_t i = 0; i < s->records.n; i++) {
        free(s->records.v[i].command);
        free(s->records.v[i].args);
    }
    for (size_t i = 0; i < s->places.n; i++) {
        free(s->places.v[i].name);
        free(s->places.v[i].customer);
    }
    for (size_t i = 0; i < s->contracts.n; i++)
        free(s->contracts.v[i].customer);
    for (size_t i = 0; i < s->staff.n; i++)
        free(s->staff.v[i].name);
    array_free(&s->records);
    array_free(&s->places);
    array_free(&s->contracts);
    array_free(&s->staff);
    array_free(&s->hours.segments);
    array_free(&s->hours.closed);
    array_free(&s->hours.open);
    free(s->patrold);
}
