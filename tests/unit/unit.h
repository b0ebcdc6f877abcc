/* What every unit test program needs: Check, a main for one suite, a folder for files, failing readably. */
#ifndef ECG_UNIT_H
#define ECG_UNIT_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ecgcnn/status.h"

/* Expect ECG_OK; print the message of `err` otherwise. */
#define ck_ok(call, err)                                                                                     \
    do {                                                                                                     \
        const ecg_status ck_ok_status = (call);                                                              \
        ck_assert_msg(ck_ok_status == ECG_OK, "%s: %s: %s", #call, ecg_status_name(ck_ok_status),            \
                      (err).message);                                                                        \
    } while (0)

/* Expect a status, and a message that contains `part`. */
#define ck_fails(call, err, want, part)                                                                      \
    do {                                                                                                     \
        (err).message[0] = '\0';                                                                             \
        const ecg_status ck_fails_status = (call);                                                           \
        ck_assert_msg(ck_fails_status == (want), "%s: %s (%s), expected %s", #call,                          \
                      ecg_status_name(ck_fails_status), (err).message, ecg_status_name(want));               \
        ck_assert_msg(strstr((err).message, part) != NULL, "message \"%s\" lacks \"%s\"", (err).message,     \
                      part);                                                                                 \
    } while (0)

/* A path below the test's own folder, which is made at need; of a test started by hand in the sources, where
 * git does not see it. Static storage, a few at a time. */
static inline const char *unit_tmp(const char *name)
{
    static char paths[8][1024];
    static unsigned next;
    char *path = paths[next++ % 8];
    const char *dir = getenv("ECG_TEST_TMP");
    if (!dir)
        dir = "build/tmp";
    snprintf(path, 1024, "%s/", dir);
    for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            ck_abort_msg("cannot make folder %s", path);
        *slash = '/';
    }
    const size_t n = strlen(path);
    snprintf(path + n, 1024 - n, "%s", name);
    return path;
}

/* A file of the shipped vectors. */
static inline const char *unit_data(const char *name)
{
    static char paths[8][1024];
    static unsigned next;
    char *path = paths[next++ % 8];
    const char *dir = getenv("ECG_TEST_DATA");
    snprintf(path, 1024, "%s/%s", dir ? dir : "vectors", name);
    return path;
}

/* Run one suite; the exit code of main. */
static inline int unit_run(Suite *s)
{
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r), ran = srunner_ntests_run(r);
    srunner_free(r);
    return failed || ran == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
