#include "gather/making.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "gather/document.h"
#include "gather/gather.h"
#include "gather/reports_internal.h"
#include "gather/rows.h"

struct reader {
    char *address;
    enum lang lang;
};

struct making {
    struct reports *reports;
    struct report *row;
    struct timer timer; /* what fails at once is told later */
    char *error;
    /* Of the subject, kept: it is borrowed only for a moment. */
    char *customer, *site, *address, *contact, *technician, *zone_name;
    struct zone *zone;
    int64_t first_day, contract_end_day, edition;
    ARRAY(struct reader) readers;
    bool wanted[LANG_COUNT];
    enum lang main; /* of the PDF that the row names */
    int lang;       /* that is being rendered */
    struct gather *gather;
    bool rendering;
    struct findings findings;
    bool found;
    ARRAY(char *) files; /* of the language that is being looked at */
    char *base;
};

char *making_base(const struct report *row, int64_t edition)
{
    return xasprintf("%s-%" PRId64 "-%" PRId64 "-", row->month, row->id, edition);
}

static char *base_of(const struct making *m, enum lang lang)
{
    char *base = making_base(m->row, m->edition), *whole = xasprintf("%s%s", base, lang_name(lang));

    free(base);
    return whole;
}

const struct report *making_row(const struct making *m)
{
    return m->row;
}

static void files_free(struct making *m)
{
    for (size_t i = 0; i < m->files.n; i++)
        free(m->files.v[i]);
    array_free(&m->files);
}

void making_free(struct making *m)
{
    if (!m)
        return;
    wheel_unset(m->reports->config.services.wheel, &m->timer);
    gather_cancel(m->gather);
    if (m->rendering)
        m->reports->config.renderer.cancel(m->reports->config.renderer.ctx);
    if (m->found)
        findings_fini(&m->findings);
    for (size_t i = 0; i < m->readers.n; i++)
        free(m->readers.v[i].address);
    array_free(&m->readers);
    files_free(m);
    zone_free(m->zone);
    free(m->customer);
    free(m->site);
    free(m->address);
    free(m->contact);
    free(m->technician);
    free(m->zone_name);
    free(m->error);
    free(m);
}

/* ---- Failing ---- */

struct dropping {
    struct making *m;
    char *base;
};

static void drop_mine(void *arg, const char *name)
{
    const struct dropping *d = arg;
    const struct reports_config *c = &d->m->reports->config;

    if (str_starts(name, d->base))
        c->renderer.drop(c->renderer.ctx, c->folder, name);
}

static void drop_files(struct making *m)
{
    const struct reports_config *c = &m->reports->config;
    struct dropping d = {m, making_base(m->row, m->edition)};

    c->renderer.list(c->renderer.ctx, c->folder, drop_mine, &d);
    free(d.base);
}

static void fail(struct making *m, const char *why)
{
    struct reports *r = m->reports;
    struct report *row = m->row;
    char *reason = xstrdup(why);

    drop_files(m);
    making_free(m);
    reports_failed(r, row, reason);
    free(reason);
}

static void fail_later(void *arg)
{
    struct making *m = arg;

    fail(m, m->error);
}

/* ---- The words of a mail ---- */

static char *month_words(const struct making *m, enum lang lang)
{
    struct date d = date_of_day(m->first_day);
    char *year = xasprintf("%04d", (int)d.year), *month = xasprintf(lang == LANG_EN ? "%02d" : "%d", d.month);
    const struct text_arg args[] = {{"year", year}, {"month", month}};
    struct sbuf b = {0};

    text_fill(&b, text_get(lang, "gather.month"), args, 2);
    free(year);
    free(month);
    return sbuf_take(&b);
}

static char *mail_words(const struct making *m, enum lang lang, const char *id)
{
    char *month = month_words(m, lang);
    const struct text_arg args[] = {{"site", m->site}, {"month", month}};
    struct sbuf b = {0};

    text_fill(&b, text_get(lang, id), args, 2);
    free(month);
    return sbuf_take(&b);
}

/* How the reader sees the PDF: as a file name that every system takes. */
static char *file_words(const struct making *m, enum lang lang)
{
    char *name = mail_words(m, lang, "gather.mail.file");

    for (char *p = name; *p; p++)
        if ((unsigned char)*p < ' ' || strchr("/\\:*?\"<>|", *p))
            *p = '_';
    return name;
}

/* ---- Deciding ---- */

static void take_chart(void *arg, const char *name)
{
    struct making *m = arg;
    char *prefix = xasprintf("%s.html.chart-", m->base);

    if (str_starts(name, prefix))
        array_push(&m->files, xstrdup(name));
    free(prefix);
}

/* "….html.chart-3.png" is shown as cid:chart-3. */
static void add_chart(const struct making *m, char **list, const char *file)
{
    const char *name = file + strlen(m->base) + strlen(".html.");
    char *cid = xstrndup(name, strcspn(name, "."));

    outbox_part_add(list, OUTBOX_INLINE, file, cid);
    free(cid);
}

static char *attachments(struct making *m, enum lang lang)
{
    const struct reports_config *c = &m->reports->config;
    char *list = NULL, *pdf, *html, *text, *name = file_words(m, lang);

    m->base = base_of(m, lang);
    pdf = xasprintf("%s.pdf", m->base);
    html = xasprintf("%s.html", m->base);
    text = xasprintf("%s.txt", m->base);
    files_free(m);
    c->renderer.list(c->renderer.ctx, c->folder, take_chart, m);
    outbox_part_add(&list, OUTBOX_TEXT, text, "text");
    outbox_part_add(&list, OUTBOX_HTML, html, "html");
    for (size_t i = 0; i < m->files.n; i++)
        add_chart(m, &list, m->files.v[i]);
    outbox_part_add(&list, OUTBOX_ATTACHED, pdf, name);
    free(pdf);
    free(html);
    free(text);
    free(name);
    free(m->base);
    m->base = NULL;
    return list;
}

static void add_mail(struct making *m, struct change *c, const struct reader *reader, struct sbuf *ids)
{
    char *subject = mail_words(m, reader->lang, "gather.mail.subject");
    char *body = mail_words(m, reader->lang, "gather.mail.body"), *files = attachments(m, reader->lang);
    int64_t id = notify_mail(m->reports->config.notify, c, reader->address, subject, body, files);

    if (id != 0)
        sbuf_addf(ids, "%s%" PRId64, ids->n > 0 ? "," : "", id);
    free(subject);
    free(body);
    free(files);
}

static void decide(struct making *m)
{
    struct reports *r = m->reports;
    struct report *row = m->row;
    struct change *c = change_new();
    struct sbuf ids = {0};
    char *base = base_of(m, m->main), *path = xasprintf("%s.pdf", base);

    if (row->mail)
        for (size_t i = 0; i < m->readers.n; i++)
            add_mail(m, c, &m->readers.v[i], &ids);
    if (row->mail && ids.n == 0)
        log_warn("report", "report %s of %s is mailed to nobody: no contact gets it, or no mail is configured",
                 row->month, row->site);
    xstrset(&row->mails, ids.n > 0 ? ids.s : NULL);
    xstrset(&row->path, path);
    row->edition = m->edition;
    row->as_of_event = m->findings.as_of_event;
    if (row->mail && m->findings.until_ms == m->findings.day_ms[m->findings.days])
        r->config.ops.reported(r->config.ops.ctx, m->site, m->findings.day_ms[0], m->findings.until_ms, c);
    sbuf_free(&ids);
    free(base);
    free(path);
    making_free(m);
    reports_made(r, row, c);
}

/* ---- Rendering ---- */

static void render_next(struct making *m);

static void rendered(void *arg, int err, const char *why)
{
    struct making *m = arg;

    m->rendering = false;
    if (err < 0) {
        fail(m, why ? why : pd_strerror(err));
        return;
    }
    m->lang++;
    render_next(m);
}

static char *write_document(const struct making *m, size_t *n)
{
    const struct reports_config *c = &m->reports->config;
    const struct settings *s = c->settings;
    char *number = xasprintf("%s-%s-%" PRId64, c->prefix, m->row->month, m->row->id), *json;
    const struct document_about about = {
        .lang = (enum lang)m->lang,
        .number = number,
        .provider = {s->report.provider.name ? s->report.provider.name : s->site, s->report.provider.phone,
                     s->report.provider.email},
        .customer = m->customer ? m->customer : m->site,
        .contact = m->contact,
        .site = m->site,
        .site_address = m->address,
        .time_zone = m->zone_name,
        .technician = m->technician,
        .knowledge = c->knowledge,
    };

    json = document_write(&m->findings, &about, n);
    free(number);
    return json;
}

static void render_next(struct making *m)
{
    const struct reports_config *c = &m->reports->config;
    struct render_wish wish = {.folder = c->folder};
    char *json, *base;
    int rc;

    while (m->lang < LANG_COUNT && !m->wanted[m->lang])
        m->lang++;
    if (m->lang == LANG_COUNT) {
        decide(m);
        return;
    }
    wish.program = c->settings->report.program ? c->settings->report.program : PATROL_REPORT;
    wish.base = base = base_of(m, (enum lang)m->lang);
    wish.document = json = write_document(m, &wish.n);
    rc = c->renderer.start(c->renderer.ctx, &wish, rendered, m);
    free(json);
    free(base);
    if (rc < 0)
        fail(m, pd_strerror(rc));
    else
        m->rendering = true;
}

/* ---- Gathering ---- */

static bool is_mine(void *ctx, const char *site)
{
    const struct making *m = ctx;
    const struct reports_ops *ops = &m->reports->config.ops;

    return ops->mine(ops->ctx, m->row->site_id, m->site, site);
}

static const struct contract *promised(void *ctx, const struct ticket *t)
{
    const struct making *m = ctx;
    const struct reports_ops *ops = &m->reports->config.ops;

    return ops->contract(ops->ctx, t);
}

static void take_plan(void *arg, int64_t at_ms, char *const title[LANG_COUNT], const char *technician)
{
    struct making *m = arg;
    struct found_plan p = {.day = date_day_of_ms(zone_local_ms(m->zone, at_ms)),
                           .technician = xstrdup_null(technician)};

    for (int l = 0; l < LANG_COUNT; l++)
        p.what[l] = xstrdup_null(title[l]);
    array_push(&m->findings.plans, p);
}

static void gathered(void *arg, int err, const char *why, struct findings *f)
{
    struct making *m = arg;
    const struct reports_ops *ops = &m->reports->config.ops;
    struct date next;

    m->gather = NULL;
    if (err == PD_ECANCELLED) {
        m->reports->making = NULL;
        making_free(m);
        return;
    }
    if (err < 0) {
        fail(m, why);
        return;
    }
    m->findings = *f;
    m->found = true;
    m->findings.contract_end_day = m->contract_end_day;
    next = date_of_day(m->first_day + f->days);
    ops->upcoming(
        ops->ctx, m->site, f->day_ms[f->days],
        zone_wall_ms(m->zone, (m->first_day + f->days + date_month_days(next.year, next.month)) * DATE_DAY_MS),
        take_plan, m);
    render_next(m);
}

/* ---- Beginning ---- */

static void take_reader(void *arg, const char *address, enum lang lang)
{
    struct making *m = arg;

    array_push(&m->readers, ((struct reader){xstrdup(address), lang}));
    m->wanted[lang] = true;
}

static void take_subject(void *arg, const struct report_subject *s)
{
    struct making *m = arg;
    const struct reports_ops *ops = &m->reports->config.ops;

    if (m->site || s->customer_id != m->row->customer_id || s->site_id != m->row->site_id)
        return;
    m->customer = xstrdup_null(s->customer);
    m->site = xstrdup(s->site);
    m->address = xstrdup_null(s->address);
    m->contact = xstrdup_null(s->contact);
    m->technician = xstrdup_null(s->technician);
    m->zone_name = xstrdup(zone_name(s->zone));
    m->contract_end_day = s->contract_end_day;
    ops->readers(ops->ctx, s, take_reader, m);
}

/* The language of the file that is shown by default: the first reader's, else the installation's. */
static void choose_languages(struct making *m)
{
    m->main = m->readers.n > 0 ? m->readers.v[0].lang : m->reports->config.settings->lang;
    m->wanted[m->main] = true;
}

static void begin(struct making *m)
{
    const struct reports_config *c = &m->reports->config;
    const int64_t polls = 3, grace_ms = 60000, probes_ms = c->settings->silent_ms;
    const int64_t polls_ms = polls * c->settings->every_ms[PART_STATUS];
    const struct gather_args args = {
        .store = c->store,
        .knowledge = c->knowledge,
        .first_day = m->first_day,
        .zone = m->zone,
        .now_ms = clock_wall(&c->services.clock),
        .speaks_ms = (polls_ms > probes_ms ? polls_ms : probes_ms) + grace_ms,
        .mine = is_mine,
        .contract = promised,
        .ctx = m,
    };

    drop_files(m); /* of one that a reload broke off */
    choose_languages(m);
    m->gather = gather_start(&args, gathered, m);
}

struct making *making_start(struct reports *r, struct report *row)
{
    struct making *m = xcalloc(1, sizeof *m);
    char *day = xasprintf("%s-01", row->month);

    m->reports = r;
    m->row = row;
    m->edition = row->edition + 1;
    timer_init(&m->timer, fail_later, m);
    r->config.ops.subjects(r->config.ops.ctx, take_subject, m);
    if (!m->site)
        m->error = xasprintf("%s is in the archive no more", row->site);
    else if (date_parse(day, &m->first_day) < 0)
        m->error = xasprintf("'%s' is no month", row->month);
    else if (zone_open(m->zone_name, &m->zone) < 0)
        m->error = xasprintf("there is no time zone '%s'", m->zone_name);
    free(day);
    if (m->error)
        wheel_set(r->config.services.wheel, &m->timer, clock_mono(&r->config.services.clock));
    else
        begin(m);
    return m;
}

/* ---- What became of mails ---- */

struct question {
    struct reports *reports;
    void (*note)(struct reports *r, int64_t id, enum outbox_state state, const char *error);
};

static void take_message(void *arg, const struct query_page *page)
{
    struct question *q = arg;
    json_t *rows = page->err == 0 ? json_loads(page->rows, 0, NULL) : NULL;
    const json_t *row = json_array_get(rows, 0);
    const char *state = row ? row_text(row, "state") : NULL;

    for (int s = 0; state && s < OUTBOX_STATE_COUNT; s++)
        if (str_eq(state, outbox_state_name((enum outbox_state)s)))
            q->note(q->reports, row_int(row, "id"), (enum outbox_state)s, row_text(row, "last_error"));
    json_decref(rows);
    free(q);
}

void mails_ask(struct reports *r, const struct report *row,
               void (*note)(struct reports *r, int64_t id, enum outbox_state state, const char *error))
{
    const char *at = row->mails, *member;
    size_t n;

    while (list_next(&at, &member, &n)) {
        struct question *q = xcalloc(1, sizeof *q);
        char *filters = xasprintf("{\"id\":\"%.*s\"}", (int)n, member);
        const struct query_args args = {.name = "message", .filters = filters, .limit = 1};

        *q = (struct question){r, note};
        store_query(r->config.store, &args, take_message, q);
        free(filters);
    }
}
