#ifndef PD_DAEMON_CONTROL_H
#define PD_DAEMON_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/core.h"

struct event_base;

/*
 * The control socket: how patrolctl and other faces talk to patrold. A UNIX
 * stream socket, mode 0660, of group patrold where there is one. Lines of JSON,
 * one object a line, UTF-8, at most 8 MiB each way of asking; answers may be
 * longer. Every request has an "id" (any number or string of at most 64 bytes),
 * which its answers carry. Requests may be sent without waiting for answers;
 * answers come as they are ready, not always in order. Stamps are UTC
 * milliseconds (NAME_ms), codes are English and never translated.
 *
 * Commands change something. They are answered when the change is on disk:
 *
 *     {"id":1,"cmd":"device.add","args":{"name":"3F-copy","address":"10.0.3.9"}}
 *     {"id":1,"ok":{"device":17}}
 *     {"id":1,"error":{"code":"exists","text":"a device named '3F-copy' is there already"}}
 *
 *     device.add     name, address; port, unit, collector, credential, profile, site, location, asset,
 *                    installed, accepted, warranty (dates), labels, parent (a device), status -> device
 *     device.set     device; any of these but the name                                  -> device
 *     device.remove  device (name, or id as number or text)                             -> device
 *     device.poll    device; answered when the poll has ended     -> device, status, rtt_ms, detail
 *     device.confirm device; answer: swapped or same, where another machine stands at its place  -> device
 *     device.merge   device, gone: two records of one device; gone is removed                    -> device
 *     device.split   device: the name of one that was merged into another; it is added again     -> device
 *     alert.ack      alert (its id)                                                     -> alert
 *     ticket.VERB    ticket (number, or id); note; ticket.dispatch: assignee    -> ticket, number, state
 *     ticket.open    title; device, or site; kind, severity, category, note    -> ticket, number, state
 *     patrol.start   round (id, or name of a plan of which one is open); device             -> round, state, tickets
 *     patrol.fill    round, device; items ({"rollers":"ok"} or ["rollers=ok"]), or item and result; value, note,
 *                    all_ok: what is still open is ok, without device in every visit        -> round, state, tickets
 *     patrol.sign    round, by (the customer's name); note                                  -> round, state, tickets
 *     patrol.cancel  round; note                                                            -> round, state, tickets
 *     outbox.retry   message (its id): sends it now, from the first try on              -> message, state
 *     outbox.drop    message; it is not sent any more                                   -> message, state
 *     reload         reads the configuration again                                      -> hash
 *
 *     KIND.add       the fields of a record of the archive                              -> KIND: its id
 *     KIND.set       KIND (name, or id), and the fields that change                     -> KIND
 *     KIND.remove    KIND                                                               -> KIND
 *     KIND.import    rows: a list of objects of fields, each record known by its name or new; all or none
 *                    -> unchanged, added, changed, wrong (how many rows), fates (of each row), changes: row, field,
 *                    before, after; errors, warnings: row (from 0), field, text
 *                    dry_run: true only says what would become of them, and takes wrong rows for an answer
 *
 * KIND is customer, site, contact, staff or contract (archive_def() has the
 * fields); import also takes devices. A field is a text, and null or "" where there is nothing.
 * VERB is one of ticket_verb_name(). The peer's user name is written down as who
 * did it.
 *
 * Queries read pages; "next" is the cursor of the page after this one, 0 at the end:
 *
 *     {"id":2,"query":"tickets","filters":{"state":"open"},"after":0,"limit":500}
 *     {"id":2,"rows":[{…},{…}],"next":0}
 *
 * The names and filters of stored rows are store_query()'s. Answered from memory:
 *
 *     status       one row: how patrold itself is doing, and "troubles": texts
 *     metrics      a row for each metric, as Prometheus has them: name, type (gauge, counter), help, and samples, each
 *                  with labels (an object of texts) and value
 *     live         a row for each device: its record, state (new, up, down), last_poll_ms, last_answer_ms, rtt_ms, trouble,
 *                  open_faults, components, readings; filters state, class, site, customer
 *     device.show  filter device (name or id): one such row, with component_list: its
 *                  components with their points {"value":12,"unit":"%","quality":"good"}
 *     plans        a row for each plan, with when it falls due
 *     profiles     a row for each profile: name, device_class, title, priority, extends, origin (FILE:LINE), replaces
 *                  (where the one of its name is that it replaces); filters class, lang
 *     profile      filter profile: a row for each thing that it says: key, value, profile (whose word it is), replaced
 *                  (that one is of its own name, but was replaced by it), origin
 *     profile.match  why a device has its profile: a row for each that could have been, in the order in which they are
 *                  asked: profile, priority, object_id (the beginning that fits), match (the condition), verdict (wish,
 *                  taken, later: would fit too, no, unknown), saw (the values of the condition), origin; filter device,
 *                  or object-id and descr of a device that there may be; only: likely (those that fit, or whose object
 *                  identifier does)
 *     facts        filter device: a row for each device, as patrolctl facts writes it
 *     clocks       a row for each promise for a ticket: promise, contract, priority, state (not-started, running,
 *                  soon: three quarters are over, paused, met, missed, void), goes_on (it has not stopped), goal_s and
 *                  left_s (seconds of its calendar's working time, less than 0: over), started_ms, deadline_ms,
 *                  stopped_ms, told (of what was warned: none, warned, missed, escalated); filters ticket (an ended one
 *                  too; without it all open ones), state
 *     words        filter lang: one row, what the knowledge calls things in that language: "rule.NAME",
 *                  "profile.NAME", "kind.NAME", "point.KIND.NAME", "member.KIND.POINT.CODE"
 *
 * A tail is a query of events that goes on: it sends each event after the cursor
 * as it is committed, none missed, none twice:
 *
 *     {"id":3,"tail":{"after":1041,"filters":{"device":17}}}
 *     {"id":3,"event":{"number":1042,…}}
 *
 * "after": -1 begins with what happens from now on. Filters are those of the
 * query "events". The first answer is {"id":3,"tail":1041}: it stands now, and
 * begins after that number. A tail ends with its connection. A peer may shut down
 * its sending side: what it asked is still answered, its tails end.
 *
 * Codes of errors: invalid, not-found, exists, io, no-space, busy, not-allowed,
 * timeout, protocol, range, corrupt, version, unsupported, connection,
 * cancelled, state; and "queued" for a command that was decided but could not be
 * stored yet: it will be when the disk takes writes again. A line that is no
 * such request is answered with "id":null; one that is too long ends the
 * connection after that.
 */
struct control;

struct control_config {
    struct event_base *base;
    struct core *core; /* outlives the control */
    const char *path;
    /* Reads the configuration anew: 0 and *text a JSON object, or an error with *text in words; free it. */
    int (*reload)(void *ctx, char **text);
    void *ctx;
};

/* Listens. A dead socket file of ours is replaced; PD_EBUSY if somebody answers on it; *why (free it). */
int control_start(const struct control_config *config, struct control **out, char **why);
/* Closes every connection and removes the socket. */
void control_stop(struct control *c);
/* Serves a connected stream socket (takes fd) as if it had come in; its commands carry actor. */
void control_adopt(struct control *c, int fd, const char *actor);
/* Wakes tails: events up to this number are on disk. */
void control_committed(struct control *c, int64_t last_event);

#endif
