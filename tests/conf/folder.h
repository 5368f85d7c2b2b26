#ifndef TESTS_CONF_FOLDER_H
#define TESTS_CONF_FOLDER_H

/* A folder of knowledge that a test makes: setup and teardown of a cmocka test, whose state is its path. */
int folder_make(void **state);
int folder_remove(void **state);
/* Writes dir/name, making the folder it lies in. */
void folder_put(const char *dir, const char *name, const char *text);

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

#endif
