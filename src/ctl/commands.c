#include "ctl/ctl.h"

/*
 * The command table. Members and codes are the protocol's (daemon/control.h);
 * what is read by people comes from the texts.
 */

static const struct ctl_column alert_columns[] = {
    {"id", "ctl.col.id", VIEW_INT, NULL},
    {"opened_ms", "ctl.col.opened", VIEW_TIME, NULL},
    {"severity", "ctl.col.severity", VIEW_CODE, "severity"},
    {"state", "ctl.col.state", VIEW_CODE, "alert-state"},
    {"device", "ctl.col.device", VIEW_TEXT, NULL},
    {"rule", "ctl.col.rule", VIEW_TEXT, NULL},
    {"label", "ctl.col.component", VIEW_TEXT, NULL},
    {"ticket", "ctl.col.ticket", VIEW_TEXT, NULL},
    {"closed_ms", "ctl.col.closed", VIEW_TIME, NULL},
    {0},
};

static const struct ctl_column ticket_columns[] = {
    {"number", "ctl.col.ticket", VIEW_TEXT, NULL},           {"opened_ms", "ctl.col.opened", VIEW_TIME, NULL},
    {"severity", "ctl.col.severity", VIEW_CODE, "severity"}, {"state", "ctl.col.state", VIEW_CODE, "ticket-state"},
    {"device", "ctl.col.device", VIEW_TEXT, NULL},           {"rule", "ctl.col.rule", VIEW_TEXT, NULL},
    {"label", "ctl.col.component", VIEW_TEXT, NULL},         {"assignee", "ctl.col.assignee", VIEW_TEXT, NULL},
    {"closed_ms", "ctl.col.closed", VIEW_TIME, NULL},        {0},
};

static const struct ctl_column outbox_columns[] = {
    {"id", "ctl.col.id", VIEW_INT, NULL},
    {"created_ms", "ctl.col.created", VIEW_TIME, NULL},
    {"state", "ctl.col.state", VIEW_CODE, "outbox-state"},
    {"channel", "ctl.col.channel", VIEW_TEXT, NULL},
    {"recipient", "ctl.col.recipient", VIEW_TEXT, NULL},
    {"subject", "ctl.col.subject", VIEW_TEXT, NULL},
    {"attempts", "ctl.col.attempts", VIEW_INT, NULL},
    {"last_error", "ctl.col.error", VIEW_TEXT, NULL},
    {0},
};

#define TICKET_ACTION(verb)                                                                                            \
    {                                                                                                                  \
        "ticket", verb, {"ticket"}, {{"note", "note", false}}, "ctl.help.ticket." verb, run_action, "ticket." verb,    \
            NULL                                                                                                       \
    }

const struct command commands[] = {
    {"status", NULL, {0}, {{0}}, "ctl.help.status", run_status, "status", NULL},
    {"device",
     "add",
     {"name", "address"},
     {{"port", "port", true},
      {"collector", "collector", false},
      {"credential", "credential", false},
      {"profile", "profile", false},
      {"site", "site", false},
      {"labels", "labels", false}},
     "ctl.help.device.add",
     run_action,
     "device.add",
     NULL},
    {"device", "list", {0}, {{0}}, "ctl.help.device.list", run_device_list, "devices", NULL},
    {"device", "show", {"device"}, {{0}}, "ctl.help.device.show", run_device_show, "device.show", NULL},
    {"device", "poll", {"device"}, {{0}}, "ctl.help.device.poll", run_action, "device.poll", NULL},
    {"device", "remove", {"device"}, {{0}}, "ctl.help.device.remove", run_action, "device.remove", NULL},
    {"alert",
     "list",
     {0},
     {{"state", "state", false}, {"device", "device", false}, {"severity", "severity", false}},
     "ctl.help.alert.list",
     run_list,
     "alerts",
     alert_columns},
    {"alert", "ack", {"alert"}, {{0}}, "ctl.help.alert.ack", run_action, "alert.ack", NULL},
    {"ticket",
     "list",
     {0},
     {{"state", "state", false}, {"device", "device", false}},
     "ctl.help.ticket.list",
     run_list,
     "tickets",
     ticket_columns},
    {"ticket", "show", {"ticket"}, {{0}}, "ctl.help.ticket.show", run_ticket_show, "ticket", NULL},
    TICKET_ACTION("accept"),
    {"ticket",
     "dispatch",
     {"ticket", "assignee"},
     {{"note", "note", false}},
     "ctl.help.ticket.dispatch",
     run_action,
     "ticket.dispatch",
     NULL},
    TICKET_ACTION("depart"),
    TICKET_ACTION("arrive"),
    TICKET_ACTION("wait-part"),
    TICKET_ACTION("wait-customer"),
    TICKET_ACTION("wait-vendor"),
    TICKET_ACTION("resume"),
    TICKET_ACTION("fix"),
    TICKET_ACTION("remote-fix"),
    TICKET_ACTION("sign"),
    TICKET_ACTION("call-back"),
    TICKET_ACTION("close"),
    TICKET_ACTION("cancel"),
    TICKET_ACTION("reopen"),
    {"outbox", "list", {0}, {{"state", "state", false}}, "ctl.help.outbox.list", run_list, "outbox", outbox_columns},
    {"tail",
     NULL,
     {0},
     {{"after", "after", true}, {"kind", "kind", false}, {"device", "device", false}, {"ticket", "ticket", false}},
     "ctl.help.tail",
     run_tail,
     "events",
     NULL},
    {"facts", NULL, {"?device"}, {{0}}, "ctl.help.facts", run_facts, "facts", NULL},
    {"config", "check", {"?file"}, {{0}}, "ctl.help.config.check", run_config_check, NULL, NULL},
    {0},
};
