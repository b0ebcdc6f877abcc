/* For LD_PRELOAD into a tool: INJECT="KIND N ERROR" makes the N-th call of KIND (malloc, write, fsync,
 * rename, close, open) since main began fail with errno ERROR, or for "stop" the process kill itself there;
 * the file INJECT_HIT is made when it does. What happens before main, such as OpenBLAS allocating its
 * buffers, is left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_bool armed;
static atomic_long left;
static char kind[16];
static int error;
static const char *hit;
static int (*real_main)(int, char **, char **);

static bool refused(const char *what)
{
    if (!atomic_load(&armed) || strcmp(kind, what) != 0 || atomic_fetch_sub(&left, 1) != 1)
        return false;
    if (hit) {
        const int fd = (int)syscall(SYS_openat, AT_FDCWD, hit, O_WRONLY | O_CREAT, 0644);
        syscall(SYS_close, fd);
    }
    if (error == 0)
        kill(getpid(), SIGKILL);
    errno = error;
    return true;
}

static int main_armed(int argc, char **argv, char **env)
{
    const char *text = getenv("INJECT");
    long n = 0;
    hit = getenv("INJECT_HIT");
    if (text && sscanf(text, "%15s %ld %d", kind, &n, &error) == 3) {
        atomic_store(&left, n);
        atomic_store(&armed, true);
    }
    return real_main(argc, argv, env);
}

static void find(void *function, const char *name)
{
    void *p = dlsym(RTLD_NEXT, name);
    memcpy(function, &p, sizeof p);
}

int __libc_start_main(int (*entry)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);
int __libc_start_main(int (*entry)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    int (*start)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void),
                 void *);
    find(&start, "__libc_start_main");
    real_main = entry;
    return start(main_armed, argc, argv, init, fini, rtld_fini, stack_end);
}

/* ---- memory ---- */

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

void *malloc(size_t n)
{
    return refused("malloc") ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return refused("malloc") ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return refused("malloc") ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    return refused("malloc") ? NULL : __libc_memalign(align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    void *p = refused("malloc") ? NULL : __libc_memalign(align, n);
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

/* ---- files ---- */

ssize_t write(int fd, const void *from, size_t n)
{
    return refused("write") ? -1 : syscall(SYS_write, fd, from, n);
}

int fsync(int fd)
{
    return refused("fsync") ? -1 : (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    return refused("rename") ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int close(int fd)
{
    const bool fails = refused("close");
    const int done = (int)syscall(SYS_close, fd);
    if (!fails)
        return done;
    errno = error;
    return -1;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return refused("open") ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
