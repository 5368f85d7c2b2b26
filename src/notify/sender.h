#ifndef PD_NOTIFY_SENDER_H
#define PD_NOTIFY_SENDER_H

#include "notify/notify.h"

/*
 * Gets committed outbox rows to their recipients through the channels' worker.
 * Each recipient is a lane: one message at a time, in order of id. A message
 * that has to wait holds up its lane, so that nobody reads of an end before its
 * beginning; one that has failed for long lets the others pass.
 */
struct sender;

/* config outlives it. */
struct sender *sender_new(const struct notify_config *config);
void sender_free(struct sender *s);
/* A pending row that is on disk; one that it has already is ignored. */
void sender_take(struct sender *s, const struct outbox *o);
/* See notify_forget(). */
int sender_forget(struct sender *s, int64_t outbox_id);
void sender_pause(struct sender *s, bool paused);
/* Has another look: a channel may be there now. */
void sender_kick(struct sender *s);
bool sender_uses(const struct sender *s, const struct pd_channel *channel);
void sender_drop_job(struct job *j);
void sender_counters(const struct sender *s, struct notify_counters *out);

/* The pause after the nth failure, counted from 1; -1: that was the last try. */
int64_t sender_pause_ms(int failures);

#endif
