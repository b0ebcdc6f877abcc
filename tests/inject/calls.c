#define _GNU_SOURCE
#include "inject/calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_size_t seen, fail_at;
static atomic_int fail_kind, fail_error;
static atomic_bool failed;

static const char *const names[CALL_KINDS] = {"open",      "read",   "write", "fsync",
                                              "close",     "rename", "stat",  "readdir",
                                              "fdopendir", "fchmod", "mmap",  "pthread_create"};

const char *calls_name(call_kind kind)
{
    return names[kind];
}

void calls_fail_at(call_kind kind, size_t n, int error)
{
    atomic_store(&fail_kind, (int)kind);
    atomic_store(&fail_error, error);
    atomic_store(&seen, 0);
    atomic_store(&failed, false);
    atomic_store(&fail_at, n);
}

bool calls_failed(void)
{
    return atomic_load(&failed);
}

/* Whether this call is the one; errno is set. */
static bool refused(call_kind kind)
{
    const size_t n = atomic_load(&fail_at);
    if (n == 0 || atomic_load(&fail_kind) != (int)kind || atomic_fetch_add(&seen, 1) + 1 != n)
        return false;
    atomic_store(&failed, true);
    if (atomic_load(&fail_error) > 0)
        errno = atomic_load(&fail_error);
    return true;
}

static bool is_short(void)
{
    return atomic_load(&fail_error) == CALL_SHORT;
}

int __real_open(const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);
ssize_t __real_read(int fd, void *to, size_t n);
ssize_t __real_write(int fd, const void *from, size_t n);
int __real_fsync(int fd);
int __real_close(int fd);
int __real_rename(const char *from, const char *to);
int __real_fstat(int fd, struct stat *st);
int __real_fstatat(int dir, const char *path, struct stat *st, int flags);
int __real_stat(const char *path, struct stat *st);
int __real_lstat(const char *path, struct stat *st);
struct dirent *__real_readdir(DIR *dir);
DIR *__real_fdopendir(int fd);
int __real_fchmod(int fd, mode_t mode);
void *__real_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset);
int __real_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *to, size_t n);
ssize_t __wrap_write(int fd, const void *from, size_t n);
int __wrap_fsync(int fd);
int __wrap_close(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_lstat(const char *path, struct stat *st);
struct dirent *__wrap_readdir(DIR *dir);
DIR *__wrap_fdopendir(int fd);
int __wrap_fchmod(int fd, mode_t mode);
void *__wrap_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset);
int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

static mode_t mode_of(int flags, va_list args)
{
    return flags & O_CREAT ? va_arg(args, mode_t) : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = mode_of(flags, args);
    va_end(args);
    return refused(CALL_OPEN) ? -1 : __real_open(path, flags, mode);
}

int __wrap_openat(int dir, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = mode_of(flags, args);
    va_end(args);
    return refused(CALL_OPEN) ? -1 : __real_openat(dir, path, flags, mode);
}

ssize_t __wrap_read(int fd, void *to, size_t n)
{
    if (!refused(CALL_READ))
        return __real_read(fd, to, n);
    return is_short() ? __real_read(fd, to, n / 2 + n % 2) : -1;
}

ssize_t __wrap_write(int fd, const void *from, size_t n)
{
    if (!refused(CALL_WRITE))
        return __real_write(fd, from, n);
    return is_short() ? __real_write(fd, from, n / 2 + n % 2) : -1;
}

int __wrap_fsync(int fd)
{
    return refused(CALL_FSYNC) ? -1 : __real_fsync(fd);
}

int __wrap_close(int fd)
{
    const bool fails = refused(CALL_CLOSE);
    const int code = errno, done = __real_close(fd);
    if (!fails)
        return done;
    errno = code;
    return -1;
}

int __wrap_rename(const char *from, const char *to)
{
    return refused(CALL_RENAME) ? -1 : __real_rename(from, to);
}

int __wrap_fstat(int fd, struct stat *st)
{
    return refused(CALL_STAT) ? -1 : __real_fstat(fd, st);
}

int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags)
{
    return refused(CALL_STAT) ? -1 : __real_fstatat(dir, path, st, flags);
}

int __wrap_stat(const char *path, struct stat *st)
{
    return refused(CALL_STAT) ? -1 : __real_stat(path, st);
}

int __wrap_lstat(const char *path, struct stat *st)
{
    return refused(CALL_STAT) ? -1 : __real_lstat(path, st);
}

struct dirent *__wrap_readdir(DIR *dir)
{
    return refused(CALL_READDIR) ? NULL : __real_readdir(dir);
}

DIR *__wrap_fdopendir(int fd)
{
    return refused(CALL_FDOPENDIR) ? NULL : __real_fdopendir(fd);
}

int __wrap_fchmod(int fd, mode_t mode)
{
    return refused(CALL_FCHMOD) ? -1 : __real_fchmod(fd, mode);
}

void *__wrap_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    return refused(CALL_MMAP) ? MAP_FAILED : __real_mmap(at, n, protection, flags, fd, offset);
}

int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    return refused(CALL_THREAD) ? EAGAIN : __real_pthread_create(out, attr, run, arg);
}
