#include "plugins/mail/letter.h"

#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum { MAX_ADDRESS = 254 }; /* RFC 5321 4.5.3.1.3, without the brackets */

/* ---- Addresses ---- */

/* What can stand in MAIL FROM:<…> without another thought: printable ASCII, one @, nothing quoted. */
static bool is_plain_address(const char *s)
{
    size_t n = strlen(s);
    const char *at = strchr(s, '@');

    if (n > MAX_ADDRESS || !at || at == s || !at[1] || strchr(at + 1, '@'))
        return false;
    for (const char *p = s; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || strchr("<>()[]\\,;:\"", *p))
            return false;
    return true;
}

static bool has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            return true;
    return false;
}

/* The @ that stand outside quoted names. */
static int count_at(const char *s)
{
    bool quoted = false;
    int n = 0;

    for (; *s; s++) {
        if (*s == '\\' && s[1])
            s++;
        else if (*s == '"')
            quoted = !quoted;
        else
            n += *s == '@' && !quoted;
    }
    return n;
}

/*
 * Parses a list of mailboxes; NULL if there is a group or a mailbox that SMTP
 * would not take. GMime reads "a@b@c" as "a@b", so every @ must have become one.
 */
static InternetAddressList *parse_list(const char *text)
{
    InternetAddressList *list = text && !has_control(text) ? internet_address_list_parse(NULL, text) : NULL;
    int n = list ? internet_address_list_length(list) : 0;
    bool good = n > 0 && n == count_at(text);

    for (int i = 0; i < n; i++) {
        InternetAddress *ia = internet_address_list_get_address(list, i);
        const char *addr = NULL;

        if (INTERNET_ADDRESS_IS_MAILBOX(ia))
            addr = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(ia));
        if (!addr || !is_plain_address(addr)) {
            good = false;
            break;
        }
        internet_address_set_charset(ia, "utf-8");
    }
    if (!good && list) {
        g_object_unref(list);
        list = NULL;
    }
    return list;
}

struct letter_list letter_addresses(const char *text)
{
    InternetAddressList *list = parse_list(text);
    struct letter_list out = {0};
    int n = list ? internet_address_list_length(list) : 0;

    if (n > 0)
        out.v = xcalloc((size_t)n, sizeof *out.v);
    for (int i = 0; i < n; i++) {
        InternetAddress *ia = internet_address_list_get_address(list, i);

        out.v[out.n++] = xstrdup(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(ia)));
    }
    if (list)
        g_object_unref(list);
    return out;
}

void letter_list_free(struct letter_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->v[i]);
    free(list->v);
    *list = (struct letter_list){0};
}

char *letter_address(const char *text)
{
    struct letter_list list = letter_addresses(text);
    char *address = list.n == 1 ? xstrdup(list.v[0]) : NULL;

    letter_list_free(&list);
    return address;
}

/* ---- The letter ---- */

/* A header's text can't begin another header: control characters become spaces. */
static char *one_line(const char *s)
{
    char *line = xstrdup(s);

    for (char *p = line; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    return line;
}

/* Text in MIME has CRLF line ends before it is encoded (RFC 2045 2.8, 6.8). */
static char *crlf(const char *body)
{
    struct sbuf b = {0};

    for (const char *p = body; *p; p++) {
        if (*p == '\r')
            continue;
        if (*p == '\n')
            sbuf_addc(&b, '\r');
        sbuf_addc(&b, *p);
    }
    return sbuf_take(&b);
}

/* A part of these bytes, in base64; texts get CRLF line ends. */
static GMimeObject *make_part(const char *type, const char *subtype, const char *bytes, size_t n)
{
    GMimePart *part = g_mime_part_new_with_type(type, subtype);
    bool is_text = strcmp(type, "text") == 0;
    char *text = is_text ? crlf(bytes) : NULL;
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(is_text ? text : bytes, is_text ? strlen(text) : n);
    GMimeDataWrapper *content = g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);

    if (is_text)
        g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", "utf-8");
    g_mime_part_set_content(part, content);
    g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
    g_object_unref(content);
    g_object_unref(stream);
    free(text);
    return GMIME_OBJECT(part);
}

/* ---- A letter of several parts ---- */

/* What a file is by the end of its name. */
static GMimeObject *file_part(const struct letter_file *f)
{
    static const struct {
        const char *end, *type, *subtype;
    } types[] = {
        {".pdf", "application", "pdf"}, {".png", "image", "png"}, {".html", "text", "html"}, {".txt", "text", "plain"}};
    size_t n = strlen(f->part->path);

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t end = strlen(types[i].end);

        if (n > end && strcmp(f->part->path + n - end, types[i].end) == 0)
            return make_part(types[i].type, types[i].subtype, f->data, f->n);
    }
    return make_part("application", "octet-stream", f->data, f->n);
}

/* The file's name as RFC 2231 has it: in UTF-8, for which GMime takes the encoding of the format's options. */
static GMimeObject *attached_part(const struct letter_file *f)
{
    GMimeObject *part = file_part(f);
    char *name = one_line(f->part->name);

    g_mime_object_set_disposition(part, GMIME_DISPOSITION_ATTACHMENT);
    g_mime_part_set_filename(GMIME_PART(part), name);
    free(name);
    return part;
}

static GMimeObject *inline_part(const struct letter_file *f)
{
    GMimeObject *part = file_part(f);
    char *name = one_line(f->part->name);

    g_mime_object_set_disposition(part, GMIME_DISPOSITION_INLINE);
    g_mime_object_set_content_id(part, name);
    free(name);
    return part;
}

/* Boundaries are made of the message's id, so that every writing is the same to the byte. "=_" stands in no base64. */
static GMimeMultipart *make_multipart(const char *subtype, const char *id)
{
    GMimeMultipart *multipart = g_mime_multipart_new_with_subtype(subtype);
    char *boundary = xasprintf("=_%s_%.40s", subtype, id);

    for (char *p = boundary + 2; *p; p++)
        if (!strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-", *p))
            *p = '-';
    g_mime_multipart_set_boundary(multipart, boundary);
    free(boundary);
    return multipart;
}

static void add_taken(GMimeMultipart *multipart, GMimeObject *part)
{
    g_mime_multipart_add(multipart, part);
    g_object_unref(part);
}

static const struct letter_file *first_of(const struct letter_file *files, size_t n, enum pd_part_role role)
{
    for (size_t i = 0; i < n; i++)
        if (files[i].part->role == role)
            return &files[i];
    return NULL;
}

static void add_all(GMimeMultipart *multipart, const struct letter_file *files, size_t n, enum pd_part_role role,
                    GMimeObject *(*make)(const struct letter_file *f))
{
    for (size_t i = 0; i < n; i++)
        if (files[i].part->role == role)
            add_taken(multipart, make(&files[i]));
}

static GMimeObject *make_text(const struct pd_message *m, const struct letter_file *files)
{
    const struct letter_file *text = first_of(files, m->nparts, PD_PART_TEXT);

    return text ? make_part("text", "plain", text->data, text->n) : make_part("text", "plain", m->body, 0);
}

/* The words: plain text, or that and HTML with its pictures, of which the reader sees the better. */
static GMimeObject *make_words(const struct pd_message *m, const struct letter_file *files)
{
    const struct letter_file *html = first_of(files, m->nparts, PD_PART_HTML);
    GMimeMultipart *either, *page;

    if (!html)
        return make_text(m, files);
    either = make_multipart("alternative", m->id);
    add_taken(either, make_text(m, files));
    if (first_of(files, m->nparts, PD_PART_INLINE)) {
        page = make_multipart("related", m->id);
        add_taken(page, make_part("text", "html", html->data, html->n));
        add_all(page, files, m->nparts, PD_PART_INLINE, inline_part);
        add_taken(either, GMIME_OBJECT(page));
    } else {
        add_taken(either, make_part("text", "html", html->data, html->n));
    }
    return GMIME_OBJECT(either);
}

static GMimeObject *make_content(const struct pd_message *m, const struct letter_file *files)
{
    GMimeMultipart *all;

    if (!first_of(files, m->nparts, PD_PART_ATTACHED))
        return make_words(m, files);
    all = make_multipart("mixed", m->id);
    add_taken(all, make_words(m, files));
    add_all(all, files, m->nparts, PD_PART_ATTACHED, attached_part);
    return GMIME_OBJECT(all);
}

static GMimeMessage *build(InternetAddressList *from, InternetAddressList *to, const struct pd_message *m,
                           const struct letter_file *files)
{
    GMimeMessage *message = g_mime_message_new(TRUE);
    GMimeObject *part = make_content(m, files);
    GDateTime *date = g_date_time_new_from_unix_utc(m->date_ms / 1000);
    char *subject = one_line(m->subject);

    internet_address_list_append(g_mime_message_get_from(message), from);
    internet_address_list_append(g_mime_message_get_to(message), to);
    g_mime_message_set_subject(message, subject, "utf-8");
    g_mime_message_set_date(message, date);
    g_mime_message_set_message_id(message, m->id);
    g_mime_object_set_header(GMIME_OBJECT(message), "Auto-Submitted", "auto-generated", NULL);
    g_mime_message_set_mime_part(message, part);
    g_date_time_unref(date);
    g_object_unref(part);
    free(subject);
    return message;
}

static char *to_bytes(GMimeMessage *message, size_t *n)
{
    GMimeFormatOptions *format = g_mime_format_options_new();
    GMimeStream *stream = g_mime_stream_mem_new();
    GByteArray *array;
    char *bytes;

    g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
    g_mime_format_options_set_param_encoding_method(format, GMIME_PARAM_ENCODING_METHOD_RFC2231);
    g_mime_object_write_to_stream(GMIME_OBJECT(message), format, stream);
    array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    bytes = xmemdup(array->data, array->len);
    *n = array->len;
    g_object_unref(stream);
    g_mime_format_options_free(format);
    return bytes;
}

char *letter_write(const char *from, const struct pd_message *m, const struct letter_file *files, size_t *n)
{
    InternetAddressList *sender = parse_list(from), *to = parse_list(m->to);
    GMimeMessage *message;
    char *bytes = NULL;

    if (sender && to && is_plain_address(m->id)) {
        message = build(sender, to, m, files);
        bytes = to_bytes(message, n);
        g_object_unref(message);
    }
    if (sender)
        g_object_unref(sender);
    if (to)
        g_object_unref(to);
    return bytes;
}
