#ifndef PD_BASE_DICT_H
#define PD_BASE_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Hash maps whose iteration order is the order of insertion, so that nothing
 * ever depends on a hash seed or a pointer. Removal keeps the order of the rest.
 * Values are borrowed pointers, never freed by the map; NULL is not a value.
 */
struct dict;    /* text -> pointer; keys are copied */
struct u64dict; /* 64-bit number -> pointer */

struct dict *dict_new(void);
void dict_free(struct dict *d); /* NULL is fine */
void *dict_get(const struct dict *d, const char *key);
/* Puts or replaces; gives the value that was there before, or NULL. */
void *dict_put(struct dict *d, const char *key, void *value);
/* Removes; gives the value that was there, or NULL. */
void *dict_del(struct dict *d, const char *key);
size_t dict_count(const struct dict *d);
/* Iteration: *at starts at 0; false at the end. The map may not change meanwhile. */
bool dict_next(const struct dict *d, size_t *at, const char **key, void **value);

struct u64dict *u64dict_new(void);
void u64dict_free(struct u64dict *d);
void *u64dict_get(const struct u64dict *d, uint64_t key);
void *u64dict_put(struct u64dict *d, uint64_t key, void *value);
void *u64dict_del(struct u64dict *d, uint64_t key);
size_t u64dict_count(const struct u64dict *d);
/* Where iteration begins with the first key beyond this one, if keys were only ever put in rising order. */
size_t u64dict_after(const struct u64dict *d, uint64_t key);
bool u64dict_next(const struct u64dict *d, size_t *at, uint64_t *key, void **value);

#endif
