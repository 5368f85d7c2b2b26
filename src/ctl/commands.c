#include "ctl/ctl.h"
#include "ctl/profile.h"

/*
 * The command table. Members and codes are the protocol's (daemon/control.h);
 * what is read by people comes from the texts.
 */

static const struct ctl_column device_columns[] = {
    {.name = "id", .type = VIEW_INT},
    {.name = "name", .max = 18},
    {.name = "state", .type = VIEW_CODE, .words = "device-state", .max = 8},
    {.name = "device_class", .type = VIEW_CODE, .words = "class", .max = 10, .shown = SHOWN_WIDE},
    {.name = "make", .max = 12, .shown = SHOWN_WIDE},
    {.name = "model", .max = 16},
    {.name = "serial", .max = 14, .shown = SHOWN_WIDE},
    {.name = "address", .max = 16},
    {.name = "site", .max = 12, .shown = SHOWN_WIDE},
    {.name = "customer", .max = 12, .shown = SHOWN_PROGRAMS},
    {.name = "location", .max = 12, .shown = SHOWN_PROGRAMS},
    {.name = "asset", .shown = SHOWN_PROGRAMS},
    {.name = "installed", .shown = SHOWN_PROGRAMS},
    {.name = "accepted", .shown = SHOWN_PROGRAMS},
    {.name = "warranty", .shown = SHOWN_PROGRAMS},
    {.name = "unit", .title = "ctl.col.modbus-unit", .type = VIEW_INT, .shown = SHOWN_PROGRAMS},
    {.name = "parent", .shown = SHOWN_PROGRAMS},
    {.name = "status", .type = VIEW_CODE, .words = "device-status", .shown = SHOWN_PROGRAMS},
    {.name = "last_answer", .type = VIEW_TIME, .shown = SHOWN_WIDE},
    {.name = "open_faults", .type = VIEW_INT},
    {0},
};

static const struct ctl_column alert_columns[] = {
    {.name = "id", .type = VIEW_INT},
    {.name = "opened", .type = VIEW_TIME},
    {.name = "severity", .type = VIEW_CODE, .words = "severity", .max = 8},
    {.name = "state", .type = VIEW_CODE, .words = "alert-state", .max = 12, .shown = SHOWN_WIDE},
    {.name = "device", .max = 14},
    {.name = "rule", .type = VIEW_CODE, .words = "rule", .max = 16},
    {.name = "label", .max = 15},
    {.name = "ticket", .shown = SHOWN_WIDE},
    {.name = "closed", .type = VIEW_TIME, .shown = SHOWN_WIDE},
    {0},
};

static const struct ctl_column event_columns[] = {
    {.name = "number", .type = VIEW_INT},
    {.name = "at", .type = VIEW_TIME},
    {.name = "kind", .title = "ctl.col.what", .type = VIEW_CODE, .words = "event.name", .max = 14, .shown = SHOWN_WIDE},
    {.name = "device", .max = 14, .shown = SHOWN_WIDE},
    {.name = "ticket", .shown = SHOWN_WIDE},
    {.name = "actor", .max = 8, .shown = SHOWN_WIDE},
    {.name = "text"},
    {0},
};

static const struct ctl_column outbox_columns[] = {
    {.name = "id", .type = VIEW_INT},
    {.name = "created", .type = VIEW_TIME},
    {.name = "state", .type = VIEW_CODE, .words = "outbox-state", .max = 8},
    {.name = "channel", .shown = SHOWN_WIDE},
    {.name = "recipient", .max = 20},
    {.name = "subject", .max = 30},
    {.name = "attempts", .type = VIEW_INT, .shown = SHOWN_WIDE},
    {.name = "sent", .type = VIEW_TIME, .shown = SHOWN_WIDE},
    {.name = "last_error", .shown = SHOWN_WIDE},
    {0},
};

static const struct ctl_column report_columns[] = {
    {.name = "id", .type = VIEW_INT, .shown = SHOWN_WIDE},
    {.name = "month"},
    {.name = "customer", .max = 20},
    {.name = "site", .max = 20},
    {.name = "state", .type = VIEW_CODE, .words = "report-state", .max = 8},
    {.name = "due", .title = "ctl.col.report-due", .type = VIEW_TIME, .shown = SHOWN_WIDE},
    {.name = "made", .type = VIEW_TIME},
    {.name = "mailed", .type = VIEW_TIME, .shown = SHOWN_WIDE},
    {.name = "next", .type = VIEW_TIME, .shown = SHOWN_PROGRAMS},
    {.name = "as_of_event", .type = VIEW_INT, .shown = SHOWN_PROGRAMS},
    {.name = "path", .title = "ctl.col.file", .max = 30},
    {.name = "attempts", .type = VIEW_INT, .shown = SHOWN_PROGRAMS},
    {.name = "last_error", .shown = SHOWN_WIDE},
    {0},
};

static const struct ctl_column customer_columns[] = {
    {.name = "id", .type = VIEW_INT, .shown = SHOWN_WIDE},
    {.name = "name", .max = 20},
    {.name = "number", .max = 20},
    {.name = "address", .max = 20, .shown = SHOWN_WIDE},
    {.name = "note", .max = 20, .shown = SHOWN_WIDE},
    {.name = "sites", .type = VIEW_INT},
    {.name = "devices", .type = VIEW_INT},
    {0},
};

static const struct ctl_column site_columns[] = {
    {.name = "id", .type = VIEW_INT, .shown = SHOWN_WIDE},
    {.name = "name", .max = 20},
    {.name = "customer", .max = 20},
    {.name = "address", .max = 20, .shown = SHOWN_WIDE},
    {.name = "zone", .max = 20, .shown = SHOWN_WIDE},
    {.name = "region", .max = 20},
    {.name = "note", .max = 20, .shown = SHOWN_WIDE},
    {.name = "devices", .type = VIEW_INT},
    {0},
};

static const struct ctl_column contact_columns[] = {
    {.name = "id", .type = VIEW_INT, .shown = SHOWN_WIDE},
    {.name = "name", .title = "ctl.col.person", .max = 20},
    {.name = "customer", .max = 20},
    {.name = "site", .max = 20},
    {.name = "role", .max = 20},
    {.name = "phone", .max = 20},
    {.name = "mail", .max = 20},
    {.name = "language", .max = 20, .shown = SHOWN_WIDE},
    {.name = "gets", .max = 20},
    {0},
};

static const struct ctl_column staff_columns[] = {
    {.name = "id", .type = VIEW_INT, .shown = SHOWN_WIDE},
    {.name = "login", .max = 20},
    {.name = "name", .title = "ctl.col.person", .max = 20},
    {.name = "role", .type = VIEW_CODE, .words = "staff-role", .max = 12},
    {.name = "phone", .max = 20, .shown = SHOWN_WIDE},
    {.name = "mail", .max = 20},
    {.name = "language", .max = 20, .shown = SHOWN_WIDE},
    {.name = "skills", .max = 20, .shown = SHOWN_WIDE},
    {.name = "sites", .title = "ctl.col.site", .max = 20},
    {.name = "regions", .max = 20, .shown = SHOWN_WIDE},
    {0},
};

static const struct ctl_column contract_columns[] = {
    {.name = "id", .type = VIEW_INT, .shown = SHOWN_WIDE},
    {.name = "number", .title = "ctl.col.contract", .max = 20},
    {.name = "customer", .max = 20},
    {.name = "kind", .type = VIEW_CODE, .words = "contract-kind", .max = 12},
    {.name = "from"},
    {.name = "to"},
    {.name = "sites", .title = "ctl.col.site", .max = 20},
    {.name = "devices", .title = "ctl.col.device", .max = 20, .shown = SHOWN_WIDE},
    {.name = "calendar", .max = 20},
    {.name = "p1", .max = 20, .shown = SHOWN_WIDE},
    {.name = "p2", .max = 20, .shown = SHOWN_WIDE},
    {.name = "p3", .max = 20, .shown = SHOWN_WIDE},
    {.name = "p4", .max = 20, .shown = SHOWN_WIDE},
    {0},
};

/* What the operator says of a device beside its name and address. */
#define DEVICE_OPTIONS                                                                                                 \
    {.name = "port", .type = CTL_NUMBER}, {.name = "unit", .type = CTL_NUMBER}, {.name = "collector"},                 \
        {.name = "credential"}, {.name = "profile"}, {.name = "parent"}, {.name = "site"}, {.name = "location"},       \
        {.name = "asset"}, {.name = "installed"}, {.name = "accepted"}, {.name = "status", .codes = "device-status"},  \
        {.name = "warranty"},                                                                                          \
    {                                                                                                                  \
        .name = "labels"                                                                                               \
    }

#define IMPORT(what)                                                                                                   \
    {                                                                                                                  \
        .noun = what, .verb = "import", .words = {{.name = "file"}},                                                   \
        .options = {{.name = "dry-run", .type = CTL_FLAG}, {.name = "yes", .type = CTL_FLAG}}, .run = run_import,      \
        .request = what ".import", .said = "ctl.done.import"                                                           \
    }

/*
 * All there is to do with a kind of record of the archive. In parentheses: the fields that a new one needs, those that
 * it may have, and by what a list is filtered.
 */
#define BARE(...) __VA_ARGS__
#define REMOVED                                                                                                        \
    {                                                                                                                  \
        .name = "removed", .type = CTL_FLAG                                                                            \
    }
#define ARCHIVE(what, query, its_columns, needed, more, filters)                                                       \
    {.noun = what,                                                                                                     \
     .verb = "add",                                                                                                    \
     .words = {BARE needed},                                                                                           \
     .options = {BARE more},                                                                                           \
     .run = run_action,                                                                                                \
     .request = what ".add",                                                                                           \
     .said = "ctl.done." what ".add"},                                                                                 \
        {.noun = what,                                                                                                 \
         .verb = "list",                                                                                               \
         .options = {BARE filters},                                                                                    \
         .csv = true,                                                                                                  \
         .run = run_list,                                                                                              \
         .request = query,                                                                                             \
         .columns = its_columns},                                                                                      \
        {.noun = what,                                                                                                 \
         .verb = "show",                                                                                               \
         .words = {{.name = what}},                                                                                    \
         .csv = true,                                                                                                  \
         .run = run_archive_show,                                                                                      \
         .request = query,                                                                                             \
         .columns = its_columns},                                                                                      \
        {.noun = what,                                                                                                 \
         .verb = "set",                                                                                                \
         .words = {{.name = what}},                                                                                    \
         .options = {BARE needed, BARE more},                                                                          \
         .run = run_action,                                                                                            \
         .request = what ".set",                                                                                       \
         .said = "ctl.done." what ".set"},                                                                             \
        {.noun = what,                                                                                                 \
         .verb = "remove",                                                                                             \
         .words = {{.name = what}},                                                                                    \
         .run = run_action,                                                                                            \
         .request = what ".remove",                                                                                    \
         .said = "ctl.done." what ".remove"},                                                                          \
        IMPORT(what)

#define TICKET_ACTION(what)                                                                                            \
    {                                                                                                                  \
        .noun = "ticket", .verb = what, .words = {{.name = "ticket"}}, .options = {{.name = "note"}},                  \
        .run = run_action, .request = "ticket." what, .said = "ctl.done.ticket"                                        \
    }

const struct command commands[] = {
    {.noun = "status", .csv = true, .run = run_status, .request = "status"},
    {.noun = "device",
     .verb = "add",
     .words = {{.name = "name"}, {.name = "address"}},
     .options = {DEVICE_OPTIONS},
     .run = run_action,
     .request = "device.add",
     .said = "ctl.done.device.add"},
    {.noun = "device",
     .verb = "list",
     .options = {{.name = "state", .codes = "device-state"},
                 {.name = "class", .codes = "class"},
                 {.name = "site"},
                 {.name = "customer"}},
     .csv = true,
     .run = run_list,
     .request = "live",
     .columns = device_columns},
    {.noun = "device",
     .verb = "show",
     .words = {{.name = "device"}},
     .options = {{.name = "kind"}, {.name = "why", .type = CTL_FLAG}},
     .csv = true,
     .run = run_device_show,
     .request = "device.show"},
    {.noun = "device",
     .verb = "history",
     .words = {{.name = "device"}, {.name = "component"}, {.name = "point"}},
     .options = {{.name = "from"}, {.name = "to"}, {.name = "step"}},
     .csv = true,
     .run = run_device_history,
     .request = "series"},
    {.noun = "device",
     .verb = "poll",
     .words = {{.name = "device"}},
     .run = run_device_poll,
     .request = "device.poll",
     .said = "ctl.done.device.poll"},
    {.noun = "device",
     .verb = "record",
     .words = {{.name = "device"}},
     .options = {{.name = "out"}},
     .run = run_device_record,
     .request = "device.walk"},
    {.noun = "device",
     .verb = "diff",
     .words = {{.name = "a"}, {.name = "b"}},
     .csv = true,
     .run = run_device_diff,
     .request = "device.walk"},
    {.noun = "device",
     .verb = "remove",
     .words = {{.name = "device"}},
     .run = run_action,
     .request = "device.remove",
     .said = "ctl.done.device.remove"},
    {.noun = "device",
     .verb = "confirm",
     .words = {{.name = "device"}, {.name = "answer"}},
     .run = run_action,
     .request = "device.confirm",
     .said = "ctl.done.device.confirm"},
    {.noun = "device",
     .verb = "merge",
     .words = {{.name = "device"}, {.name = "gone"}},
     .run = run_action,
     .request = "device.merge",
     .said = "ctl.done.device.merge"},
    {.noun = "device",
     .verb = "split",
     .words = {{.name = "device"}},
     .run = run_action,
     .request = "device.split",
     .said = "ctl.done.device.split"},
    {.noun = "device",
     .verb = "set",
     .words = {{.name = "device"}},
     .options = {{.name = "address"}, DEVICE_OPTIONS},
     .run = run_action,
     .request = "device.set",
     .said = "ctl.done.device.set"},
    IMPORT("device"),
    ARCHIVE("customer", "customers", customer_columns, ({.name = "name"}),
            ({.name = "number"}, {.name = "address"}, {.name = "note"}), (REMOVED)),
    ARCHIVE("site", "sites", site_columns, ({.name = "name"}, {.name = "customer"}),
            ({.name = "address"}, {.name = "zone"}, {.name = "region"}, {.name = "note"}),
            ({.name = "customer"}, {.name = "region"}, REMOVED)),
    ARCHIVE("contact", "contacts", contact_columns, ({.name = "name"}),
            ({.name = "customer"}, {.name = "site"}, {.name = "role"}, {.name = "phone"}, {.name = "mail"},
             {.name = "language"}, {.name = "gets"}),
            ({.name = "customer"}, {.name = "site"}, {.name = "gets"}, REMOVED)),
    ARCHIVE(
        "staff", "staff", staff_columns, ({.name = "login"}, {.name = "name"}, {.name = "role", .codes = "staff-role"}),
        ({.name = "phone"}, {.name = "mail"}, {.name = "language"}, {.name = "skills"}, {.name = "sites"},
         {.name = "regions"}),
        ({.name = "role", .codes = "staff-role"}, {.name = "skill"}, {.name = "site"}, {.name = "region"}, REMOVED)),
    ARCHIVE("contract", "contracts", contract_columns,
            ({.name = "number"}, {.name = "customer"}, {.name = "kind", .codes = "contract-kind"}),
            ({.name = "from"}, {.name = "to"}, {.name = "sites"}, {.name = "devices"}, {.name = "calendar"},
             {.name = "p1"}, {.name = "p2"}, {.name = "p3"}, {.name = "p4"}),
            ({.name = "customer"}, {.name = "kind", .codes = "contract-kind"}, {.name = "site"}, REMOVED)),
    {.noun = "alert",
     .verb = "list",
     .options = {{.name = "state"},
                 {.name = "device"},
                 {.name = "severity", .codes = "severity"},
                 {.name = "family"},
                 {.name = "all", .type = CTL_FLAG}},
     .preset = {"state", "open"},
     .csv = true,
     .run = run_list,
     .request = "alerts",
     .columns = alert_columns},
    {.noun = "alert",
     .verb = "ack",
     .words = {{.name = "alert", .type = CTL_NUMBER}},
     .run = run_action,
     .request = "alert.ack",
     .said = "ctl.done.alert.ack"},
    {.noun = "ticket",
     .verb = "list",
     .options = {{.name = "state"},
                 {.name = "device"},
                 {.name = "site"},
                 {.name = "kind", .codes = "ticket-kind"},
                 {.name = "due", .codes = "ticket-due"},
                 {.name = "all", .type = CTL_FLAG}},
     .preset = {"state", "open"},
     .csv = true,
     .run = run_ticket_list,
     .request = "tickets"},
    {.noun = "ticket",
     .verb = "open",
     .words = {{.name = "title"}},
     .options = {{.name = "device"},
                 {.name = "site"},
                 {.name = "kind", .codes = "ticket-kind"},
                 {.name = "severity", .codes = "severity"},
                 {.name = "category", .codes = "category"},
                 {.name = "note"}},
     .run = run_action,
     .request = "ticket.open",
     .said = "ctl.done.ticket"},
    {.noun = "ticket",
     .verb = "show",
     .words = {{.name = "ticket"}},
     .csv = true,
     .run = run_ticket_show,
     .request = "ticket"},
    TICKET_ACTION("accept"),
    {.noun = "ticket",
     .verb = "dispatch",
     .words = {{.name = "ticket"}, {.name = "assignee", .optional = true}},
     .options = {{.name = "note"}},
     .run = run_action,
     .request = "ticket.dispatch",
     .said = "ctl.done.ticket"},
    TICKET_ACTION("depart"),
    TICKET_ACTION("arrive"),
    TICKET_ACTION("wait-part"),
    TICKET_ACTION("wait-customer"),
    TICKET_ACTION("wait-vendor"),
    TICKET_ACTION("loaner"),
    TICKET_ACTION("resume"),
    TICKET_ACTION("fix"),
    TICKET_ACTION("remote-fix"),
    TICKET_ACTION("sign"),
    TICKET_ACTION("call-back"),
    TICKET_ACTION("close"),
    TICKET_ACTION("cancel"),
    TICKET_ACTION("reopen"),
    {.noun = "patrol",
     .verb = "list",
     .options = {{.name = "state"},
                 {.name = "plan"},
                 {.name = "site"},
                 {.name = "customer"},
                 {.name = "all", .type = CTL_FLAG}},
     .preset = {"state", "open"},
     .csv = true,
     .run = run_patrol_list,
     .request = "rounds"},
    {.noun = "patrol",
     .verb = "show",
     .words = {{.name = "round"}},
     .options = {{.name = "device"}},
     .csv = true,
     .run = run_patrol_show,
     .request = "rounds"},
    {.noun = "patrol",
     .verb = "start",
     .words = {{.name = "round"}, {.name = "device", .optional = true}},
     .run = run_action,
     .request = "patrol.start",
     .said = "ctl.done.patrol"},
    {.noun = "patrol",
     .verb = "fill",
     .words = {{.name = "round"},
               {.name = "device", .optional = true},
               {.name = "items", .optional = true, .rest = true}},
     .options = {{.name = "all-ok", .type = CTL_FLAG}, {.name = "value"}, {.name = "note"}},
     .run = run_patrol_fill,
     .request = "patrol.fill",
     .said = "ctl.done.patrol"},
    {.noun = "patrol",
     .verb = "sign",
     .words = {{.name = "round"}, {.name = "by"}},
     .options = {{.name = "note"}},
     .run = run_action,
     .request = "patrol.sign",
     .said = "ctl.done.patrol.sign"},
    {.noun = "patrol",
     .verb = "cancel",
     .words = {{.name = "round"}},
     .options = {{.name = "note"}},
     .run = run_action,
     .request = "patrol.cancel",
     .said = "ctl.done.patrol"},
    {.noun = "plan", .verb = "list", .csv = true, .run = run_plan_list, .request = "plans"},
    {.noun = "report",
     .verb = "list",
     .options = {{.name = "customer"}, {.name = "site"}, {.name = "month"}, {.name = "state", .codes = "report-state"}},
     .csv = true,
     .run = run_list,
     .request = "reports",
     .columns = report_columns},
    {.noun = "report",
     .verb = "make",
     .words = {{.name = "of"}, {.name = "month"}},
     .options = {{.name = "mail", .type = CTL_FLAG}},
     .run = run_action,
     .request = "report.make",
     .said = "ctl.done.report.make"},
    {.noun = "report",
     .verb = "path",
     .words = {{.name = "of"}, {.name = "month"}},
     .run = run_report_path,
     .request = "report.path"},
    {.noun = "profile",
     .verb = "list",
     .options = {{.name = "class", .codes = "class"}},
     .csv = true,
     .run = run_profile_list,
     .request = "profiles",
     .columns = profile_columns},
    {.noun = "profile",
     .verb = "show",
     .words = {{.name = "profile"}},
     .csv = true,
     .run = run_list,
     .request = "profile",
     .columns = saying_columns},
    {.noun = "profile",
     .verb = "match",
     .words = {{.name = "device", .optional = true}},
     .options = {{.name = "object-id"}, {.name = "descr"}, {.name = "all", .type = CTL_FLAG}},
     .preset = {"only", "likely"},
     .csv = true,
     .run = run_list,
     .request = "profile.match",
     .columns = candidate_columns},
    {.noun = "profile",
     .verb = "test",
     .words = {{.name = "profile"}, {.name = "from"}},
     .options = {{.name = "port", .type = CTL_NUMBER}, {.name = "unit", .type = CTL_NUMBER}, {.name = "credential"}},
     .csv = true,
     .run = run_profile_test},
    {.noun = "outbox",
     .verb = "list",
     .options = {{.name = "state", .codes = "outbox-state"}},
     .csv = true,
     .run = run_list,
     .request = "outbox",
     .columns = outbox_columns},
    {.noun = "outbox",
     .verb = "retry",
     .words = {{.name = "message", .type = CTL_NUMBER}},
     .run = run_action,
     .request = "outbox.retry",
     .said = "ctl.done.outbox.retry"},
    {.noun = "outbox",
     .verb = "drop",
     .words = {{.name = "message", .type = CTL_NUMBER}},
     .run = run_action,
     .request = "outbox.drop",
     .said = "ctl.done.outbox.drop"},
    {.noun = "event",
     .verb = "list",
     .options = {{.name = "kind"}, {.name = "device"}, {.name = "alert", .type = CTL_NUMBER}, {.name = "ticket"}},
     .csv = true,
     .run = run_event_list,
     .request = "events",
     .columns = event_columns},
    {.noun = "tail",
     .options = {{.name = "after", .type = CTL_NUMBER},
                 {.name = "last", .type = CTL_NUMBER},
                 {.name = "kind"},
                 {.name = "device"},
                 {.name = "alert", .type = CTL_NUMBER},
                 {.name = "ticket"}},
     .csv = true,
     .run = run_tail,
     .request = "events"},
    {.noun = "check",
     .options = {{.name = "device"},
                 {.name = "warning", .codes = "severity"},
                 {.name = "critical", .codes = "severity"}},
     .plugin = true,
     .run = run_check,
     .request = "alerts"},
    {.noun = "metrics", .options = {{.name = "output"}}, .run = run_metrics, .request = "metrics"},
    {.noun = "facts", .words = {{.name = "device", .optional = true}}, .run = run_facts, .request = "facts"},
    {.noun = "config", .verb = "check", .words = {{.name = "file", .optional = true}}, .run = run_config_check},
    {.noun = "reload", .run = run_action, .request = "reload", .said = "ctl.done.reload"},
    {.noun = "backup",
     .words = {{.name = "path"}},
     .options = {{.name = "db"}},
     .run = run_backup,
     .said = "ctl.done.backup"},
    {.noun = "restore",
     .words = {{.name = "path"}},
     .options = {{.name = "db"}},
     .run = run_restore,
     .said = "ctl.done.restore"},
    {.noun = "help",
     .words = {{.name = "noun", .optional = true}, {.name = "verb", .optional = true}},
     .run = run_help},
    {0},
};
