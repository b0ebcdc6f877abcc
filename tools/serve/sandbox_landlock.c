/* Landlock without its header, which may be older than the kernel. Numbers are of the kernel's interface and
 * never change. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "serve/sandbox_parts.h"

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 }; /* the same on every processor */
enum { GET_VERSION = 1, PATH_BENEATH = 1 };

#define BIT(n) ((uint64_t)1 << (n))
enum { EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE, MAKE_CHAR, MAKE_DIR, MAKE_REG };
enum { REFER = 13, TRUNCATE = 14, IOCTL_DEV = 15 };

struct ruleset { /* landlock_ruleset_attr */
    uint64_t files, net, scope;
};
struct beneath { /* landlock_path_beneath_attr */
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

/* What the kernel knows of: files from version 1 on, TCP from 4, abstract sockets from 6. */
static struct ruleset handled(int version)
{
    struct ruleset r = {BIT(13) - 1, 0, 0};
    if (version >= 2)
        r.files |= BIT(REFER);
    if (version >= 3)
        r.files |= BIT(TRUNCATE);
    if (version >= 5)
        r.files |= BIT(IOCTL_DEV);
    if (version >= 4)
        r.net = 3; /* bind, connect */
    if (version >= 6)
        r.scope = 1; /* connect to an abstract socket of others */
    return r;
}

/* 0, or the errno. */
static int allow(int rules, const char *path, uint64_t access)
{
    struct stat st;
    const int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno;
    if (fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode))
        access &= BIT(EXECUTE) | BIT(WRITE_FILE) | BIT(READ_FILE) | BIT(TRUNCATE);
    const struct beneath b = {access, fd};
    const int error = syscall(ADD_RULE, rules, PATH_BENEATH, &b, 0) == 0 ? 0 : errno;
    close(fd);
    return error;
}

/* Readable as far as the file's own mode goes: what the plan promises must be true. */
static int readable(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static bool allow_all(int rules, const struct sandbox_plan *plan, uint64_t all, char why[160])
{
    static const char *const always[] = {"/sys/devices/system/cpu/online", "/proc/self/statm",
                                         "/proc/self/status"};
    const uint64_t read = BIT(READ_FILE) | BIT(READ_DIR);
    const uint64_t write = read | BIT(WRITE_FILE) | BIT(REMOVE_FILE) | BIT(MAKE_DIR) | BIT(MAKE_REG) |
                           BIT(TRUNCATE);
    int error = 0;
    for (size_t i = 0; i < plan->reads; i++)
        if ((error = readable(plan->read[i])) != 0 || (error = allow(rules, plan->read[i], read)) != 0) {
            snprintf(why, 160, "%.100s: %s", plan->read[i], strerror(error));
            return false;
        }
    for (size_t i = 0; i < plan->writes; i++)
        if ((error = allow(rules, plan->write[i], write & all)) != 0) {
            snprintf(why, 160, "%.100s: %s", plan->write[i], strerror(error));
            return false;
        }
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        allow(rules, always[i], read); /* not everywhere there */
    return true;
}

/* ---- Every thread restricts itself: the kernel's call is for one. Threads of libraries are asked by a
 * signal. ---- */
static int ruleset_fd;
static atomic_int restricted, refused;

static bool restrict_self(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(RESTRICT_SELF, ruleset_fd, 0) == 0;
}

static void on_signal(int number)
{
    const int was = errno;
    (void)number;
    if (restrict_self())
        atomic_fetch_add(&restricted, 1);
    else
        atomic_fetch_add(&refused, 1);
    errno = was;
}

static int signal_others(void)
{
    DIR *d = opendir("/proc/self/task");
    const struct dirent *e;
    int asked = 0;
    const pid_t own = (pid_t)syscall(SYS_gettid);
    if (!d)
        return -1;
    while ((e = readdir(d)) != NULL) {
        const pid_t thread = (pid_t)strtol(e->d_name, NULL, 10);
        if (thread > 0 && thread != own && syscall(SYS_tgkill, getpid(), thread, SIGUSR2) == 0)
            asked++;
    }
    closedir(d);
    return asked;
}

static bool restrict_all(char why[160])
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, was;
    const struct timespec moment = {0, 1000000};
    sigemptyset(&action.sa_mask);
    atomic_store(&restricted, 0);
    atomic_store(&refused, 0);
    if (sigaction(SIGUSR2, &action, &was) != 0) {
        snprintf(why, 160, "Landlock not active: %s", strerror(errno));
        return false;
    }
    const int asked = signal_others();
    for (int i = 0; i < 3000 && atomic_load(&restricted) + atomic_load(&refused) < asked; i++)
        nanosleep(&moment, NULL);
    const int done = atomic_load(&restricted);
    /* A thread that does not answer may still do so: the handler stays. */
    if (done + atomic_load(&refused) == asked)
        sigaction(SIGUSR2, &was, NULL);
    if (!restrict_self()) {
        snprintf(why, 160, "Landlock not active: %s", strerror(errno));
        return false;
    }
    if (asked < 0)
        snprintf(why, 160, "Landlock: only for threads that are yet to come, there is no /proc");
    else if (done < asked)
        snprintf(why, 160, "Landlock: not for %d threads that were there before", asked - done);
    return true;
}

int sandbox_landlock(const struct sandbox_plan *plan, int *version, char why[160])
{
    static const size_t sizes[] = {0, 8, 8, 8, 16, 16, 24};
    *version = 0;
    const long v = syscall(CREATE_RULESET, NULL, 0, GET_VERSION);
    if (v < 1) {
        snprintf(why, 160, "Landlock not active: %s",
                 errno == ENOSYS || errno == EOPNOTSUPP ? "this kernel has none, or has it turned off"
                                                        : strerror(errno));
        return 0;
    }
    const struct ruleset rules = handled((int)v);
    ruleset_fd = (int)syscall(CREATE_RULESET, &rules, v > 6 ? sizes[6] : sizes[v], 0);
    if (ruleset_fd < 0) {
        snprintf(why, 160, "Landlock not active: %s", strerror(errno));
        return 0;
    }
    int result = -1;
    if (allow_all(ruleset_fd, plan, rules.files, why))
        result = restrict_all(why) ? 1 : 0;
    close(ruleset_fd);
    if (result == 1)
        *version = (int)v;
    return result;
}
