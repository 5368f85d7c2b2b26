#ifndef PD_MODEL_ARCHIVE_H
#define PD_MODEL_ARCHIVE_H

#include "base/str.h"
#include "model/promise.h"
#include "model/record.h"

/*
 * The archive: whom patrold works for, who does the work, and what was
 * promised. A kind of record is told by a table of fields, by which it is read
 * from text, written, compared, stored and imported; so a field is said once.
 *
 * Every value has one canonical text; an absent one is NULL. Records refer to
 * each other by name, and a list of names or codes is one text, parted by
 * commas.
 */
enum archive_kind {
    ARCHIVE_DEVICE, /* struct device: what the operator says of it; kept by watch, not by the archive */
    ARCHIVE_CUSTOMER,
    ARCHIVE_SITE,
    ARCHIVE_CONTACT,
    ARCHIVE_STAFF,
    ARCHIVE_CONTRACT,
    ARCHIVE_KIND_COUNT
};

/* What every record but a device's begins with. */
struct entry {
    int64_t id;
    char *name; /* unique among those of its kind that are not removed: a staff's login name, a contract's number */
    int64_t added_ms;
    bool removed; /* kept for what it once was; its name is free */
};

struct archive_customer {
    struct entry entry;
    char *number, *address, *note;
};

struct archive_site {
    struct entry entry;
    char *customer, *address;
    char *zone; /* of the IANA database; NULL: the configuration's */
    char *region;
    char *note;
};

/* Whom to speak to at a customer's, or at one of its sites. */
struct archive_contact {
    struct entry entry;
    char *customer, *site;
    char *role, *phone, *mail;
    char *language; /* lang_name() */
    char *gets;     /* list of "tickets", "report": what is mailed to them */
};

struct archive_staff {
    struct entry entry;
    char *full_name;
    char *role; /* "operator", "technician", … (staff_roles) */
    char *phone, *mail, *language;
    char *skills;          /* list of device classes or what else is said */
    char *sites, *regions; /* lists: where they work */
};

struct archive_contract {
    struct entry entry;
    char *customer;
    char *kind;               /* "warranty", "full-service", … (contract_kinds) */
    int64_t from_day, to_day; /* day numbers (base/date.h), both included; 0: open */
    char *sites, *devices;    /* lists: what it covers; both NULL: all that is the customer's */
    char *calendar;           /* name of the calendar by which the goals count; NULL: around the clock */
    int64_t goal_ms[PRIORITY_COUNT][PROMISE_COUNT]; /* 0: not promised */
};

/* Codes of fields, each list ended by NULL. */
extern const char *const staff_roles[], *const contract_kinds[], *const contact_gets[], *const archive_languages[],
                                                                                            *const device_statuses[];

/* ---- Fields ---- */

enum archive_type {
    ARCHIVE_TEXT,  /* char * */
    ARCHIVE_CODE,  /* char *: one of codes */
    ARCHIVE_CODES, /* char *: a list of codes */
    ARCHIVE_LIST,  /* char *: a list of anything */
    ARCHIVE_MAIL,  /* char *: an address such as service@example.com */
    ARCHIVE_ZONE,  /* char *: the name of a time zone */
    ARCHIVE_REF,   /* char *: the name of another record */
    ARCHIVE_REFS,  /* char *: a list of them */
    ARCHIVE_DAY,   /* int64_t: a day number; 0 for none */
    ARCHIVE_PORT,  /* uint16_t; 0 for none */
    ARCHIVE_UNIT,  /* uint8_t; 0 for none */
    ARCHIVE_GOALS, /* int64_t[PROMISE_COUNT]: "respond=30m,fix=8h" */
};

struct archive_field {
    const char *name; /* of a column, of an argument, of a heading in an import */
    enum archive_type type;
    size_t offset;
    bool required;
    const char *const *codes; /* of ARCHIVE_CODE and ARCHIVE_CODES */
    enum archive_kind refers; /* of ARCHIVE_REF and ARCHIVE_REFS */
};

enum { ARCHIVE_FIELDS_MAX = 24, ARCHIVE_TEXT_MAX = 1000, ARCHIVE_NAME_MAX = 100 };

struct archive_def {
    const char *name;                   /* "customer" */
    size_t size;                        /* of the struct */
    const struct archive_field *fields; /* the first is the name */
    size_t nfields;
};

const struct archive_def *archive_def(enum archive_kind kind);
/* PD_ENOENT if there is none of this name. */
int archive_kind_parse(const char *name, enum archive_kind *out);
/* The place of a field, -1 if there is none. */
int archive_field_find(const struct archive_def *def, const char *name);

/* Appends a field's canonical text; nothing, and false, if it is absent. */
bool archive_field_text(const struct archive_field *f, const void *record, struct sbuf *out);
/*
 * Reads a field from what a person wrote ("" or NULL: absent) into a record. PD_EINVAL
 * with *why (free it): what it is, and what would be right. Whether other records exist is not looked at.
 */
int archive_field_set(const struct archive_field *f, void *record, const char *text, char **why);

/* Deep copy into an uninitialised struct of the kind's size, and its end. Not for devices: device_copy(). */
void entry_copy(enum archive_kind kind, struct entry *dst, const struct entry *src);
void entry_fini(enum archive_kind kind, struct entry *e);
/* Likewise on the heap. */
struct entry *entry_dup(enum archive_kind kind, const struct entry *src);
void entry_free(enum archive_kind kind, struct entry *e); /* NULL is fine */

/* ---- Lists ---- */

/* Takes the next member of a list: *at begins at the list (NULL is fine); false at the end. Not terminated: *n bytes. */
bool list_next(const char **at, const char **member, size_t *n);
bool list_has(const char *list, const char *member);
/* The list with one member called otherwise; free it. */
char *list_rename(const char *list, const char *from, const char *to);

#endif
