#define _XOPEN_SOURCE 700
#include "base/leftover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

enum { MOST_NAMES = 10000, QUIET_SECONDS = 3600 };

/* Short whatever the file is called; begins with a dot so that listings pass over it. */
void ecg__temp_name(char *out, size_t cap, int i)
{
    snprintf(out, cap, ".ecg-%ld-%d.tmp", (long)getpid(), i);
}

bool ecg__temp_hold(int fd)
{
    int code;
    do
        code = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    while (code == EINTR);
    /* A file system without locks has none for those who look for leftovers either. */
    struct stat st;
    return code != EWOULDBLOCK && (fstat(fd, &st) != 0 || st.st_nlink > 0);
}

bool ecg__is_local(int fd)
{
#ifdef __linux__
    static const unsigned long local[] = {
        0xef53,     /* ext2, ext3, ext4 */
        0x58465342, /* XFS */
        0x9123683e, /* btrfs */
        0x2fc12fc1, /* ZFS */
        0xf2f52010, /* F2FS */
        0x01021994, /* tmpfs */
        0x794c7630, /* overlayfs */
    };
    struct statfs fs;
    if (fstatfs(fd, &fs) == 0)
        for (size_t i = 0; i < sizeof local / sizeof *local; i++)
            if (((unsigned long)fs.f_type & 0xffffffff) == local[i])
                return true;
#else
    (void)fd;
#endif
    return false;
}

/* The process in a name that ecg__temp_name makes, else 0. */
static long process_of(const char *name)
{
    long pid;
    int i;
    char again[64];
    if (sscanf(name, ".ecg-%9ld-%6d.tmp", &pid, &i) != 2 || pid <= 0 || i < 0)
        return 0;
    snprintf(again, sizeof again, ".ecg-%ld-%d.tmp", pid, i);
    return strcmp(again, name) == 0 ? pid : 0;
}

static bool runs(long pid)
{
    return pid != (long)getpid() && (kill((pid_t)pid, 0) == 0 || errno != ESRCH);
}

static bool is_left(int fd, const struct stat *newest, bool local)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
        return false;
    if (!local && newest->st_mtime - st.st_mtime < QUIET_SECONDS)
        return false;
    return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

void ecg__leftovers_remove(const char *folder, int newest, bool local)
{
    struct stat now;
    DIR *d = fstat(newest, &now) == 0 ? opendir(folder) : NULL;
    if (!d)
        return;
    const struct dirent *e;
    for (int n = 0; n < MOST_NAMES && (e = readdir(d)) != NULL; n++) {
        const long pid = process_of(e->d_name);
        if (pid == 0 || runs(pid))
            continue;
        const int fd = openat(dirfd(d), e->d_name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (is_left(fd, &now, local))
            unlinkat(dirfd(d), e->d_name, 0);
        close(fd);
    }
    closedir(d);
}
