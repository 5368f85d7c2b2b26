#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "ctl/ctl.h"
#include "model/record.h"

static bool has_text(const char *id)
{
    return text_get(LANG_EN, id) != id;
}

static void need_text(const struct command *c, const char *prefix, const char *name, const char *more)
{
    char *id = xasprintf("%s.%s%s%s", prefix, name, more ? "." : "", more ? more : "");

    if (!has_text(id))
        fail_msg("%s %s: there is no text '%s'", c->noun, c->verb ? c->verb : "", id);
    free(id);
}

static void every_command_and_word_has_its_texts(void **state)
{
    (void)state;
    for (const struct command *c = commands; c->noun; c++) {
        need_text(c, "ctl.help", c->noun, c->verb);
        for (const struct ctl_word *w = c->words; w->name; w++)
            need_text(c, "ctl.word", w->name, NULL);
        for (const struct ctl_word *o = c->options; o->name; o++)
            need_text(c, "ctl.option", o->name, NULL);
        if (c->said && !has_text(c->said))
            fail_msg("there is no text '%s'", c->said);
        for (const struct ctl_column *col = c->columns; col && col->name; col++)
            if (!col->title)
                need_text(c, "ctl.col", col->name, NULL);
            else if (!has_text(col->title))
                fail_msg("there is no text '%s'", col->title);
    }
}

static void codes_that_are_checked_exist(void **state)
{
    (void)state;
    for (const struct command *c = commands; c->noun; c++) {
        for (const struct ctl_word *o = c->options; o->name; o++) {
            const char **codes = o->codes ? ctl_codes(o->codes) : NULL;

            if (codes && (!codes[0] || !codes[1]))
                fail_msg("%s %s --%s: '%s' has no codes", c->noun, c->verb, o->name, o->codes);
            free(codes);
        }
    }
}

static void each_command_stands_once_and_nouns_together(void **state)
{
    (void)state;
    for (const struct command *c = commands; c->noun; c++) {
        bool left = false;

        for (const struct command *o = c + 1; o->noun; o++) {
            bool same = strcmp(o->noun, c->noun) == 0;

            left |= !same;
            if (same && (left || !c->verb || !o->verb || strcmp(c->verb, o->verb) == 0))
                fail_msg("%s %s", o->noun, o->verb ? o->verb : "");
        }
    }
}

static void every_verb_of_a_ticket_is_a_command(void **state)
{
    (void)state;
    for (int v = 0; v < TICKET_VERB_COUNT; v++) {
        const char *verb = ticket_verb_name((enum ticket_verb)v);
        const struct command *c = commands;
        char *event = xasprintf("event.ticket.%s", verb), *name = xasprintf("event.name.ticket.%s", verb);

        while (c->noun && !(strcmp(c->noun, "ticket") == 0 && strcmp(c->verb, verb) == 0))
            c++;
        if (!c->noun || !has_text(event) || !has_text(name))
            fail_msg("%s", verb);
        free(event);
        free(name);
    }
}

static void every_event_that_has_a_sentence_has_a_name(void **state)
{
    const char **kinds = ctl_codes("event.name");
    size_t n = 0;

    (void)state;
    for (; kinds[n]; n++) {
        char *id = xasprintf("event.%s", kinds[n]);

        if (!has_text(id))
            fail_msg("%s", kinds[n]);
        free(id);
    }
    assert_true(n > 20);
    free(kinds);
}

/* ---- The manual page ---- */

static char *read_page(void)
{
    const char *root = getenv("srcdir");
    char *path = xasprintf("%s/man/patrolctl.1", root ? root : "."), *page = NULL;
    size_t n;

    if (file_read(path, 1 << 20, &page, &n) != 0)
        fail_msg("%s cannot be read", path);
    free(path);
    return page;
}

/* The part of the page that tells of a command: from its heading to the next one. */
static char *section_of(const char *page, const struct command *c)
{
    char *heading = xasprintf("\n.It Cm %s%s%s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "");
    size_t n = strlen(heading);
    const char *at = strstr(page, heading), *end;
    char *section = NULL;

    while (at && at[n] != '\n' && !str_starts(at + n, " Ar") && !str_starts(at + n, " Op"))
        at = strstr(at + 1, heading);
    if (at) {
        end = strstr(at + n, "\n.It Cm ");
        section = end ? xstrndup(at, (size_t)(end - at)) : xstrdup(at);
    }
    free(heading);
    return section;
}

static void need_in_page(const struct command *c, const char *section, const char *format, const char *name)
{
    char *wanted = xasprintf("%s%s", format, name);

    if (!section || !strstr(section, wanted))
        fail_msg("man/patrolctl.1 does not tell of '%s' in %s %s", wanted, c->noun, c->verb ? c->verb : "");
    free(wanted);
}

static void the_manual_tells_of_every_command_and_option(void **state)
{
    char *page = read_page();

    (void)state;
    for (const struct command *c = commands; c->noun; c++) {
        char *section = section_of(page, c);

        if (!section)
            fail_msg("man/patrolctl.1 has no '.It Cm %s %s'", c->noun, c->verb ? c->verb : "");
        for (const struct ctl_word *w = c->words; w->name; w++)
            need_in_page(c, section, "Ar ", w->name);
        for (const struct ctl_word *o = c->options; o->name; o++)
            need_in_page(c, section, "Fl -", o->name);
        free(section);
    }
    free(page);
}

/* Nor does it tell of any that there is not. */
static void the_manual_tells_of_nothing_else(void **state)
{
    char *page = read_page(), *save = NULL;

    (void)state;
    for (char *line = strtok_r(page, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const struct command *c = commands;
        char noun[32] = "", verb[32] = "";

        if (sscanf(line, ".It Cm %31s %31s", noun, verb) < 1)
            continue;
        while (c->noun && !(strcmp(c->noun, noun) == 0 && (!c->verb || strcmp(c->verb, verb) == 0)))
            c++;
        if (!c->noun)
            fail_msg("%s", line);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_and_word_has_its_texts),
        cmocka_unit_test(codes_that_are_checked_exist),
        cmocka_unit_test(each_command_stands_once_and_nouns_together),
        cmocka_unit_test(every_verb_of_a_ticket_is_a_command),
        cmocka_unit_test(every_event_that_has_a_sentence_has_a_name),
        cmocka_unit_test(the_manual_tells_of_every_command_and_option),
        cmocka_unit_test(the_manual_tells_of_nothing_else),
    };

    return cmocka_run_group_tests_name("ctl/commands", tests, NULL, NULL);
}
