#include "model/archive.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

/* ---- Codes ---- */

const char *const staff_roles[] = {"operator",   "technician", "callback-clerk", "storekeeper",
                                   "supervisor", "manager",    "administrator",  NULL};
const char *const contract_kinds[] = {"warranty", "full-service", "labour", "per-page",
                                      "per-call", "prepaid",      "rental", NULL};
const char *const contact_gets[] = {"tickets", "report", NULL};
const char *const archive_languages[] = {"en", "zh_CN", NULL};
const char *const device_statuses[] = {"in-service", "in-repair", NULL};

/* ---- Tables ---- */

#define FIELD(T, called, kind, member, ...)                                                                            \
    {                                                                                                                  \
        .name = called, .type = ARCHIVE_##kind, .offset = offsetof(struct T, member), ##__VA_ARGS__                    \
    }

static const struct archive_field device_fields[] = {
    FIELD(device, "name", TEXT, name, .required = true),
    FIELD(device, "address", TEXT, address, .required = true),
    FIELD(device, "port", PORT, port),
    FIELD(device, "unit", UNIT, unit),
    FIELD(device, "collector", TEXT, collector),
    FIELD(device, "credential", TEXT, credential),
    FIELD(device, "profile", TEXT, profile_wish),
    FIELD(device, "site", REF, site, .refers = ARCHIVE_SITE),
    FIELD(device, "location", TEXT, location),
    FIELD(device, "asset", TEXT, asset),
    FIELD(device, "installed", DAY, installed_day),
    FIELD(device, "accepted", DAY, accepted_day),
    FIELD(device, "warranty", DAY, warranty_day),
    FIELD(device, "labels", TEXT, labels),
    FIELD(device, "parent", REF, parent, .refers = ARCHIVE_DEVICE),
    FIELD(device, "status", CODE, status, .codes = device_statuses),
};

static const struct archive_field customer_fields[] = {
    FIELD(archive_customer, "name", TEXT, entry.name, .required = true),
    FIELD(archive_customer, "number", TEXT, number),
    FIELD(archive_customer, "address", TEXT, address),
    FIELD(archive_customer, "note", TEXT, note),
};

static const struct archive_field site_fields[] = {
    FIELD(archive_site, "name", TEXT, entry.name, .required = true),
    FIELD(archive_site, "customer", REF, customer, .required = true, .refers = ARCHIVE_CUSTOMER),
    FIELD(archive_site, "address", TEXT, address),
    FIELD(archive_site, "zone", ZONE, zone),
    FIELD(archive_site, "region", TEXT, region),
    FIELD(archive_site, "note", TEXT, note),
};

static const struct archive_field contact_fields[] = {
    FIELD(archive_contact, "name", TEXT, entry.name, .required = true),
    FIELD(archive_contact, "customer", REF, customer, .refers = ARCHIVE_CUSTOMER),
    FIELD(archive_contact, "site", REF, site, .refers = ARCHIVE_SITE),
    FIELD(archive_contact, "role", TEXT, role),
    FIELD(archive_contact, "phone", TEXT, phone),
    FIELD(archive_contact, "mail", MAIL, mail),
    FIELD(archive_contact, "language", CODE, language, .codes = archive_languages),
    FIELD(archive_contact, "gets", CODES, gets, .codes = contact_gets),
};

static const struct archive_field staff_fields[] = {
    FIELD(archive_staff, "login", TEXT, entry.name, .required = true),
    FIELD(archive_staff, "name", TEXT, full_name, .required = true),
    FIELD(archive_staff, "role", CODE, role, .required = true, .codes = staff_roles),
    FIELD(archive_staff, "phone", TEXT, phone),
    FIELD(archive_staff, "mail", MAIL, mail),
    FIELD(archive_staff, "language", CODE, language, .codes = archive_languages),
    FIELD(archive_staff, "skills", LIST, skills),
    FIELD(archive_staff, "sites", REFS, sites, .refers = ARCHIVE_SITE),
    FIELD(archive_staff, "regions", LIST, regions),
};

static const struct archive_field contract_fields[] = {
    FIELD(archive_contract, "number", TEXT, entry.name, .required = true),
    FIELD(archive_contract, "customer", REF, customer, .required = true, .refers = ARCHIVE_CUSTOMER),
    FIELD(archive_contract, "kind", CODE, kind, .required = true, .codes = contract_kinds),
    FIELD(archive_contract, "from", DAY, from_day),
    FIELD(archive_contract, "to", DAY, to_day),
    FIELD(archive_contract, "sites", REFS, sites, .refers = ARCHIVE_SITE),
    FIELD(archive_contract, "devices", REFS, devices, .refers = ARCHIVE_DEVICE),
    FIELD(archive_contract, "calendar", TEXT, calendar),
    FIELD(archive_contract, "p1", GOALS, goal_ms[0]),
    FIELD(archive_contract, "p2", GOALS, goal_ms[1]),
    FIELD(archive_contract, "p3", GOALS, goal_ms[2]),
    FIELD(archive_contract, "p4", GOALS, goal_ms[3]),
};

#define DEF(T, record)                                                                                                 \
    {                                                                                                                  \
#T, sizeof(struct record), T##_fields, sizeof T##_fields / sizeof *T##_fields                                  \
    }

static const struct archive_def defs[ARCHIVE_KIND_COUNT] = {
    [ARCHIVE_DEVICE] = DEF(device, device),      [ARCHIVE_CUSTOMER] = DEF(customer, archive_customer),
    [ARCHIVE_SITE] = DEF(site, archive_site),    [ARCHIVE_CONTACT] = DEF(contact, archive_contact),
    [ARCHIVE_STAFF] = DEF(staff, archive_staff), [ARCHIVE_CONTRACT] = DEF(contract, archive_contract),
};

const struct archive_def *archive_def(enum archive_kind kind)
{
    return &defs[kind];
}

int archive_kind_parse(const char *name, enum archive_kind *out)
{
    for (int i = 0; i < ARCHIVE_KIND_COUNT; i++)
        if (strcmp(defs[i].name, name) == 0) {
            *out = (enum archive_kind)i;
            return 0;
        }
    return PD_ENOENT;
}

int archive_field_find(const struct archive_def *def, const char *name)
{
    for (size_t i = 0; i < def->nfields; i++)
        if (strcmp(def->fields[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* ---- Lists ---- */

/* Commas and semicolons of Latin and Chinese, and the comma between Chinese nouns. */
static size_t separator(const char *s)
{
    static const char *const wide[] = {"，", "、", "；"};

    if (*s == ',' || *s == ';')
        return 1;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (str_starts(s, wide[i]))
            return strlen(wide[i]);
    return 0;
}

/* The next member of what a person wrote; empty ones too. *s NULL: that was the last. */
static char *next_written(const char **s)
{
    const char *p = *s;
    size_t n, skip;

    while (*p && separator(p) == 0)
        p++;
    n = (size_t)(p - *s);
    skip = separator(p);
    p = *s;
    *s = skip > 0 ? *s + n + skip : NULL;
    return str_clean(p, n, n);
}

bool list_next(const char **at, const char **member, size_t *n)
{
    if (!*at || !**at)
        return false;
    *member = *at;
    *n = strcspn(*at, ",");
    *at += *n + ((*at)[*n] == ',');
    return true;
}

bool list_has(const char *list, const char *member)
{
    size_t wanted = strlen(member), n;
    const char *m;

    while (list_next(&list, &m, &n))
        if (n == wanted && memcmp(m, member, n) == 0)
            return true;
    return false;
}

char *list_rename(const char *list, const char *from, const char *to)
{
    size_t wanted = strlen(from), n;
    struct sbuf out = {0};
    const char *m;

    while (list_next(&list, &m, &n)) {
        if (out.n > 0)
            sbuf_addc(&out, ',');
        if (n == wanted && memcmp(m, from, n) == 0)
            sbuf_add(&out, to);
        else
            sbuf_addn(&out, m, n);
    }
    return sbuf_take(&out);
}

/* ---- Text from fields ---- */

static const void *at(const struct archive_field *f, const void *record)
{
    return (const char *)record + f->offset;
}

static void add_span(struct sbuf *out, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;

    while (ms % units[i].ms != 0)
        i++;
    sbuf_addf(out, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

static void add_goals(struct sbuf *out, const int64_t *goals)
{
    bool first = true;

    for (int g = 0; g < PROMISE_COUNT; g++) {
        if (goals[g] == 0)
            continue;
        sbuf_addf(out, "%s%s=", first ? "" : ",", promise_name((enum promise)g));
        add_span(out, goals[g]);
        first = false;
    }
}

bool archive_field_text(const struct archive_field *f, const void *record, struct sbuf *out)
{
    size_t before = out->n;
    const void *value = at(f, record);
    char day[11];

    switch (f->type) {
    case ARCHIVE_DAY:
        if (*(const int64_t *)value == 0)
            return false;
        date_format(*(const int64_t *)value, day);
        sbuf_add(out, day);
        break;
    case ARCHIVE_PORT:
        if (*(const uint16_t *)value == 0)
            return false;
        sbuf_addf(out, "%u", *(const uint16_t *)value);
        break;
    case ARCHIVE_UNIT:
        if (*(const uint8_t *)value == 0)
            return false;
        sbuf_addf(out, "%u", *(const uint8_t *)value);
        break;
    case ARCHIVE_GOALS:
        add_goals(out, value);
        break;
    default:
        if (*(char *const *)value)
            sbuf_add(out, *(char *const *)value);
    }
    return out->n > before;
}

/* ---- Fields from text ---- */

static int wrong(char **why, char *text)
{
    *why = text;
    return PD_EINVAL;
}

/* What there is to choose from, with what was maybe meant. */
static char *not_a_code(const char *text, const char *const *codes)
{
    const char *near = str_nearest(text, codes);
    struct sbuf b = {0};

    sbuf_addf(&b, "'%s' is none of", text);
    for (size_t i = 0; codes[i]; i++)
        sbuf_addf(&b, "%s %s", i > 0 ? "," : "", codes[i]);
    if (near)
        sbuf_addf(&b, " (did you mean '%s'?)", near);
    return sbuf_take(&b);
}

static bool is_code(const char *text, const char *const *codes)
{
    while (*codes && strcmp(*codes, text) != 0)
        codes++;
    return *codes;
}

/* A list without empty members and without any twice. */
static int take_list(const struct archive_field *f, const char *text, char **out, char **why)
{
    struct sbuf list = {0};
    int rc = 0;

    while (text && rc == 0) {
        char *member = next_written(&text);

        if (f->type == ARCHIVE_CODES && *member && !is_code(member, f->codes)) {
            rc = wrong(why, not_a_code(member, f->codes));
        } else if (*member && !list_has(list.s, member)) {
            if (list.n > 0)
                sbuf_addc(&list, ',');
            sbuf_add(&list, member);
        }
        free(member);
    }
    if (rc == 0)
        xstrset(out, list.n > 0 ? list.s : NULL);
    sbuf_free(&list);
    return rc;
}

/* One @ between a name and a host; nothing that has a meaning of its own in a letter's head. */
static bool good_mail(const char *text)
{
    const char *host = strchr(text, '@');
    size_t n = strlen(text);

    if (!host || host == text || strchr(host + 1, '@') || n > 254)
        return false;
    host++;
    return text[strcspn(text, " ()<>[]:;,\\\"")] == '\0' && *host && *host != '.' && text[n - 1] != '.' &&
           !strstr(host, "..") &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == strlen(host);
}

static bool take_number(const char **s, int *out)
{
    size_t n = strspn(*s, "0123456789");

    if (n == 0 || n > 4)
        return false;
    *out = atoi(*s);
    *s += n;
    return true;
}

/* A date as spreadsheets and people write it: numbers with -, /, . or 年月日 behind them. */
static int take_day(const char *text, int64_t *out)
{
    static const char *const forms[][3] = {{"-", "-", ""}, {"/", "/", ""}, {".", ".", ""}, {"年", "月", "日"}};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *s = text;
        int part[3], k = 0;

        while (k < 3 && take_number(&s, &part[k]) && str_starts(s, forms[i][k]))
            s += strlen(forms[i][k++]);
        if (k < 3 || *s)
            continue;
        if (part[0] < 1971 || part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > date_month_days(part[0], part[1]))
            return PD_EINVAL;
        *out = date_to_day(part[0], part[1], part[2]);
        return 0;
    }
    return PD_EINVAL;
}

/* "respond=30m,fix=8h"; each goal at most once. */
static int take_goals(const char *text, int64_t *out, char **why)
{
    const char *names[PROMISE_COUNT + 1] = {NULL};
    int64_t goals[PROMISE_COUNT] = {0};
    int rc = 0;

    for (int g = 0; g < PROMISE_COUNT; g++)
        names[g] = promise_name((enum promise)g);
    while (text && rc == 0) {
        char *member = next_written(&text), *value = strchr(member, '=');
        int g = 0;
        int64_t ms;

        if (value)
            *value++ = '\0';
        while (g < PROMISE_COUNT && strcmp(names[g], member) != 0)
            g++;
        if (!value && *member)
            rc = wrong(why, xasprintf("'%s' is no promise; one is written as in respond=30m,fix=8h", member));
        else if (*member && g == PROMISE_COUNT)
            rc = wrong(why, not_a_code(member, names));
        else if (*member && goals[g] != 0)
            rc = wrong(why, xasprintf("'%s' is there twice", member));
        else if (*member && (str_to_ms(value, &ms) < 0 || ms == 0))
            rc = wrong(why, xasprintf("'%s' is no time span; 30m, 8h and 2d are", value));
        else if (*member)
            goals[g] = ms;
        free(member);
    }
    if (rc == 0)
        memcpy(out, goals, sizeof goals);
    return rc;
}

/* What is kept and shown: short, UTF-8, and without control characters or spaces at an end. */
static int take_text(const struct archive_field *f, const char *text, char **out, char **why)
{
    size_t n = strlen(text), max = f->required ? ARCHIVE_NAME_MAX : ARCHIVE_TEXT_MAX;
    char *clean;
    bool same;

    if (n > max)
        return wrong(why, xasprintf("is too long: at most %zu bytes", max));
    clean = str_clean(text, n, max);
    same = strcmp(clean, text) == 0;
    free(clean);
    if (!same)
        return wrong(why, xstrdup("has control characters, spaces at an end, or is not UTF-8"));
    xstrset(out, text);
    return 0;
}

static int take_port(const char *text, uint16_t *out, char **why)
{
    int64_t n;

    if (str_to_i64(text, &n) < 0 || n < 0 || n > 65535)
        return wrong(why, xasprintf("'%s' is no port: 1 to 65535", text));
    *out = (uint16_t)n;
    return 0;
}

static int take_unit(const char *text, uint8_t *out, char **why)
{
    int64_t n;

    if (str_to_i64(text, &n) < 0 || n < 0 || n > 255)
        return wrong(why, xasprintf("'%s' is no unit: 1 to 255", text));
    *out = (uint8_t)n;
    return 0;
}

static int set_absent(const struct archive_field *f, void *value, char **why)
{
    if (f->required)
        return wrong(why, xstrdup("is missing"));
    switch (f->type) {
    case ARCHIVE_DAY:
        *(int64_t *)value = 0;
        break;
    case ARCHIVE_PORT:
        *(uint16_t *)value = 0;
        break;
    case ARCHIVE_UNIT:
        *(uint8_t *)value = 0;
        break;
    case ARCHIVE_GOALS:
        memset(value, 0, PROMISE_COUNT * sizeof(int64_t));
        break;
    default:
        xstrset(value, NULL);
    }
    return 0;
}

int archive_field_set(const struct archive_field *f, void *record, const char *text, char **why)
{
    void *value = (char *)record + f->offset;

    if (!text || !*text)
        return set_absent(f, value, why);
    switch (f->type) {
    case ARCHIVE_TEXT:
    case ARCHIVE_ZONE:
    case ARCHIVE_REF:
        return take_text(f, text, value, why);
    case ARCHIVE_CODE:
        if (!is_code(text, f->codes))
            return wrong(why, not_a_code(text, f->codes));
        xstrset(value, text);
        return 0;
    case ARCHIVE_CODES:
    case ARCHIVE_LIST:
    case ARCHIVE_REFS:
        if (strlen(text) > 10 * ARCHIVE_TEXT_MAX)
            return wrong(why, xasprintf("is too long: at most %d bytes", 10 * ARCHIVE_TEXT_MAX));
        return take_list(f, text, value, why);
    case ARCHIVE_MAIL:
        if (!good_mail(text))
            return wrong(why, xasprintf("'%s' is not a mail address such as service@example.com", text));
        return take_text(f, text, value, why);
    case ARCHIVE_DAY:
        if (take_day(text, value) < 0)
            return wrong(why, xasprintf("'%s' is no date; 2026-01-31 is one", text));
        return 0;
    case ARCHIVE_PORT:
        return take_port(text, value, why);
    case ARCHIVE_UNIT:
        return take_unit(text, value, why);
    case ARCHIVE_GOALS:
        return take_goals(text, value, why);
    }
    return PD_EINVAL;
}

/* ---- Records ---- */

/* Where the text of a field stands; NULL for one that has none of its own. */
static char **own_text(const struct archive_field *f, void *record)
{
    if (f->type == ARCHIVE_DAY || f->type == ARCHIVE_PORT || f->type == ARCHIVE_UNIT || f->type == ARCHIVE_GOALS)
        return NULL;
    return (char **)((char *)record + f->offset);
}

void entry_copy(enum archive_kind kind, struct entry *dst, const struct entry *src)
{
    const struct archive_def *def = &defs[kind];

    memcpy(dst, src, def->size);
    for (size_t i = 0; i < def->nfields; i++) {
        char **text = own_text(&def->fields[i], dst);

        if (text)
            *text = xstrdup_null(*text);
    }
}

void entry_fini(enum archive_kind kind, struct entry *e)
{
    const struct archive_def *def = &defs[kind];

    for (size_t i = 0; i < def->nfields; i++) {
        char **text = own_text(&def->fields[i], e);

        if (text)
            free(*text);
    }
    memset(e, 0, def->size);
}

struct entry *entry_dup(enum archive_kind kind, const struct entry *src)
{
    struct entry *e = xcalloc(1, defs[kind].size);

    entry_copy(kind, e, src);
    return e;
}

void entry_free(enum archive_kind kind, struct entry *e)
{
    if (!e)
        return;
    entry_fini(kind, e);
    free(e);
}
