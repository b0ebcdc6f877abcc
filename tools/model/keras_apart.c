#define _GNU_SOURCE
/* libhdf5 is the one parser here that is known to fail on files that were made to harm. It reads in a child
 * process, and what it says comes back through a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/keras.h"

#if defined(__has_feature)
#define FEATURE(x) __has_feature(x)
#else
#define FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || FEATURE(address_sanitizer) ||           \
    FEATURE(thread_sanitizer) || FEATURE(memory_sanitizer)
#define SANITIZED 1 /* reserves more memory than any limit allows, and has something to say */
#else
#define SANITIZED 0
#endif

enum { SPARE = 512 << 20 };

/* Of processor time, for damaged files send libhdf5 in circles. It needs 5 for a small file. */
static uint64_t milliseconds_for(uint64_t bytes)
{
    return 500 + (bytes >> 14);
}

static void limit(int what, uint64_t most)
{
    struct rlimit l;
    if (getrlimit(what, &l) != 0)
        return;
    if (l.rlim_max == RLIM_INFINITY || most < l.rlim_max)
        l.rlim_cur = (rlim_t)most;
    l.rlim_max = l.rlim_cur;
    (void)setrlimit(what, &l);
}

/* Bytes of address space in use; 0: not known. */
static uint64_t mapped(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f)
        return 0;
    if (fscanf(f, "%lu", &pages) != 1)
        pages = 0;
    fclose(f);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* No files, no core dump, bounded time; memory for the file twice and some. Nobody reads what a library that
 * is failing prints. */
static void give_up_rights(uint64_t bytes)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    const uint64_t most = milliseconds_for(bytes);
    const struct itimerval timer = {.it_value = {(time_t)(most / 1000), (suseconds_t)(most % 1000 * 1000)}};
    setitimer(ITIMER_PROF, &timer, NULL);
    if (SANITIZED)
        return;
    const uint64_t now = mapped();
    if (now)
        limit(RLIMIT_AS, now + 2 * bytes + SPARE);
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDERR_FILENO);
        dup2(null, STDOUT_FILENO);
    }
}

static void child(int fd, uint64_t bytes, keras_work *work, const void *ctx)
{
    ecg_error err = {.status = ECG_OK};
    /* Handlers are the parent's business. */
    static const int taken[] = {SIGPIPE, SIGINT, SIGTERM, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGPROF};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        signal(taken[i], SIG_DFL);
    give_up_rights(bytes);
    FILE *to = fdopen(fd, "w");
    if (!to)
        _exit(1);
    const ecg_status s = work(to, ctx, &err);
    _exit(keras_put_end(to, s, &err) ? 0 : 1);
}

static ecg_status died(int status, const char *path, uint64_t bytes, ecg_error *err)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
        return import_fail(err, ECG_ECORRUPT, "%s: libhdf5 is not done with it after %llu ms: it is damaged",
                           path, (unsigned long long)milliseconds_for(bytes));
    if (WIFSIGNALED(status))
        return import_fail(err, ECG_ECORRUPT, "%s: libhdf5 failed on it (signal %d): it is damaged", path,
                           WTERMSIG(status));
    return import_fail(err, ECG_ECORRUPT, "%s: libhdf5 failed on it (status %d): it is damaged", path,
                       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

ecg_status keras_apart(keras_file *out, const char *path, uint64_t bytes, keras_work *work, const void *ctx,
                       ecg_error *err)
{
    int end[2];
    *out = (keras_file){0};
    if (pipe2(end, O_CLOEXEC) != 0)
        return import_fail(err, ECG_EIO, "%s: cannot make a pipe: %s", path, strerror(errno));
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        close(end[0]);
        child(end[1], bytes, work, ctx);
    }
    close(end[1]);
    FILE *from = pid > 0 ? fdopen(end[0], "r") : NULL;
    if (!from) {
        const int e = errno;
        close(end[0]);
        if (pid > 0) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        return import_fail(err, ECG_EIO, "%s: cannot start a process to read it: %s", path, strerror(e));
    }
    bool whole;
    ecg_status s = keras_records_read(out, from, path, &whole, err);
    const bool ended = feof(from) != 0;
    fclose(from);
    int status = 0;
    if (!whole && !ended)
        kill(pid, SIGKILL); /* it says what cannot be */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!whole && ended && s != ECG_ENOMEM)
        s = died(status, path, bytes, err);
    return s;
}
