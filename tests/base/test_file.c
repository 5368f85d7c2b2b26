#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

struct place {
    char dir[32];
    char *path;
};

static int make_place(void **state)
{
    struct place *p = xcalloc(1, sizeof *p);

    memcpy(p->dir, "/tmp/test_file.XXXXXX", 22);
    if (!mkdtemp(p->dir))
        return -1;
    p->path = xasprintf("%s/file", p->dir);
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;

    unlink(p->path);
    rmdir(p->dir);
    free(p->path);
    free(p);
    return 0;
}

static unsigned entries(const char *dir)
{
    DIR *d = opendir(dir);
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2; /* . and .. */
}

static void what_is_written_is_read(void **state)
{
    struct place *p = *state;
    char *data;
    size_t n;

    assert_int_equal(file_write_whole(p->path, "碳粉\0低", 10, 0640), 0);
    assert_int_equal(file_read(p->path, 10, &data, &n), 0);
    assert_int_equal(n, 10);
    assert_memory_equal(data, "碳粉\0低", 11);
    free(data);
}

static void an_empty_file_reads_as_an_empty_text(void **state)
{
    struct place *p = *state;
    char *data;
    size_t n;

    assert_int_equal(file_write_whole(p->path, NULL, 0, 0644), 0);
    assert_int_equal(file_read(p->path, 0, &data, &n), 0);
    assert_int_equal(n, 0);
    assert_string_equal(data, "");
    free(data);
}

static void a_file_of_more_than_max_is_refused(void **state)
{
    struct place *p = *state;
    char big[40000], *data = NULL;
    size_t n = 99;

    memset(big, 'x', sizeof big);
    assert_int_equal(file_write_whole(p->path, big, sizeof big, 0644), 0);
    assert_int_equal(file_read(p->path, sizeof big - 1, &data, &n), PD_ERANGE);
    assert_null(data);
    assert_int_equal(n, 99);
    assert_int_equal(file_read(p->path, sizeof big, &data, &n), 0);
    assert_int_equal(n, sizeof big);
    free(data);
}

static void the_mode_is_as_asked(void **state)
{
    struct place *p = *state;
    struct stat st;

    assert_int_equal(file_write_whole(p->path, "x", 1, 0600), 0);
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void writing_again_replaces_and_leaves_nothing_else(void **state)
{
    struct place *p = *state;
    char *data;
    size_t n;

    assert_int_equal(file_write_whole(p->path, "first, and longer", 17, 0644), 0);
    assert_int_equal(file_write_whole(p->path, "second", 6, 0644), 0);
    assert_int_equal(file_read(p->path, 100, &data, &n), 0);
    assert_string_equal(data, "second");
    assert_int_equal(entries(p->dir), 1);
    free(data);
}

static void a_draft_takes_its_place_but_nobody_elses(void **state)
{
    struct place *p = *state;
    char *draft = xasprintf("%s.draft", p->path), *data;
    size_t n;

    assert_int_equal(file_write_whole(draft, "one", 3, 0600), 0);
    assert_int_equal(file_put_in_place(draft, p->path, false), 0);
    assert_int_equal(file_write_whole(draft, "two", 3, 0600), 0);
    assert_int_equal(file_put_in_place(draft, p->path, false), PD_EEXIST);
    assert_int_equal(file_put_in_place(draft, p->path, true), 0);
    assert_int_equal(file_read(p->path, 10, &data, &n), 0);
    assert_string_equal(data, "two");
    assert_int_equal(entries(p->dir), 1);
    assert_int_equal(file_put_in_place(draft, p->path, true), PD_ENOENT);
    free(data);
    free(draft);
}

static void causes_are_told(void **state)
{
    struct place *p = *state;
    char *in_missing = xasprintf("%s/missing/file", p->dir), *data;
    size_t n;

    assert_int_equal(file_read(p->path, 10, &data, &n), PD_ENOENT);
    assert_int_equal(file_write_whole(in_missing, "x", 1, 0644), PD_ENOENT);
    assert_int_equal(file_write_whole(p->dir, "x", 1, 0644), PD_EIO);
    assert_int_equal(file_read(p->dir, 10, &data, &n), PD_EIO);
    assert_int_equal(entries(p->dir), 0);
    free(in_missing);
}

static void files_without_a_size_are_read(void **state)
{
    char *data;
    size_t n;

    (void)state;
    assert_int_equal(file_read("/proc/self/status", 1 << 20, &data, &n), 0);
    assert_true(n > 0);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, make_place, remove_place),
        cmocka_unit_test_setup_teardown(an_empty_file_reads_as_an_empty_text, make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_file_of_more_than_max_is_refused, make_place, remove_place),
        cmocka_unit_test_setup_teardown(the_mode_is_as_asked, make_place, remove_place),
        cmocka_unit_test_setup_teardown(writing_again_replaces_and_leaves_nothing_else, make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_draft_takes_its_place_but_nobody_elses, make_place, remove_place),
        cmocka_unit_test_setup_teardown(causes_are_told, make_place, remove_place),
        cmocka_unit_test(files_without_a_size_are_read),
    };

    return cmocka_run_group_tests_name("base/file", tests, NULL, NULL);
}
