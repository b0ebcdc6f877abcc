/* Folders and a process for tests of the sandbox. Sources define _GNU_SOURCE first. */
#ifndef ECG_CLI_SANDBOXED_H
#define ECG_CLI_SANDBOXED_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/folder.h"
#include "serve/sandbox.h"

static unsigned bad; /* in the process that is in the sandbox */

#define need(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition, strerror(errno));                     \
            bad++;                                                                                           \
        }                                                                                                    \
    } while (0)

/* The call fails, and with one of two errors. */
#define denied(call, error, other)                                                                           \
    do {                                                                                                     \
        errno = 0;                                                                                           \
        const long denied_result = (long)(call);                                                             \
        if (denied_result != -1 || (errno != (error) && errno != (other))) {                                 \
            fprintf(stderr, "line %d: %s is not denied: %ld, %s\n", __LINE__, #call, denied_result,          \
                    strerror(errno));                                                                        \
            bad++;                                                                                           \
        }                                                                                                    \
    } while (0)

static inline void write_whole(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    need(f != NULL);
    if (f) {
        need(fputs(text, f) >= 0);
        need(fclose(f) == 0);
    }
}

static inline int opens(const char *path, int flags)
{
    const int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd < 0 ? -1 : 0;
}

/* read, write, other in the folder, each with a file. */
static inline void folders(void)
{
    static const char *const names[] = {"read", "write", "other"};
    folder_new("sandbox");
    ck_assert_int_eq(chmod(folder, 0777), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(mkdir(in("%s", names[i]), 0777), 0);
        write_whole(in("%s/file", names[i]), "text");
    }
}

static inline void enter(struct sandbox_state *state)
{
    const char *const read[] = {in("read")}, *const write[] = {in("write")};
    const struct sandbox_plan plan = {read, 1, write, 1};
    char why[160] = "";
    if (!sandbox_enter(&plan, state, why)) {
        fprintf(stderr, "%s\n", why);
        _exit(99);
    }
}

/* Runs `work` in a child; what it found bad is its exit code, 77 that the kernel (or a sanitizer) does not do
 * it. */
static inline void in_child(void (*work)(void))
{
    fflush(stdout);
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        work();
        _exit(bad ? 1 : 0);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77), "status %x",
                  status);
}

static inline void skip_unless(bool active, const char *test, const struct sandbox_state *state)
{
    if (active)
        return;
    printf("SKIP: %s: %s\n", test, state->text);
    fflush(stdout);
    _exit(bad ? 1 : 77);
}

#endif
