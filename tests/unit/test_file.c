#define _GNU_SOURCE
#include "unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static ecg_error err;

/* A disk that changes a byte: the write in which this place of the file stands, the first byte being 1. */
static size_t corrupt_at;

ssize_t write(int fd, const void *p, size_t n)
{
    const off_t at = corrupt_at ? lseek(fd, 0, SEEK_CUR) : -1;
    const ssize_t put = syscall(SYS_write, fd, p, n);
    if (at >= 0 && put > 0 && corrupt_at > (size_t)at && corrupt_at <= (size_t)at + (size_t)put) {
        char byte = (char)(((const char *)p)[corrupt_at - 1 - (size_t)at] ^ 0x10);
        ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t)corrupt_at - 1), 1);
    }
    return put;
}

static void put(const char *path, const void *data, size_t n)
{
    ecg__file *f;
    ck_ok(ecg__file_create(&f, path, &err), err);
    ck_ok(ecg__file_write(f, data, n, &err), err);
    ck_ok(ecg__file_commit(f, true, &err), err);
}

static void expect(const char *path, const void *data, size_t n)
{
    unsigned char *got;
    size_t got_n;
    ck_ok(ecg__file_read(&got, &got_n, path, 1 << 24, &err), err);
    ck_assert_uint_eq(got_n, n);
    if (n)
        ck_assert_mem_eq(got, data, n);
    ecg__free(got);
}

/* Files in a folder, "." and ".." apart. */
static int files_in(const char *dir)
{
    DIR *d = opendir(dir);
    ck_assert_ptr_nonnull(d);
    int n = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static const char *empty_folder(const char *name)
{
    const char *dir = unit_tmp(name);
    char command[1200];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(mkdir(dir, 0777), 0);
    return dir;
}

static const char *in(const char *dir, const char *name)
{
    static char paths[4][1200];
    static unsigned next;
    char *p = paths[next++ % 4];
    snprintf(p, 1200, "%s/%s", dir, name);
    return p;
}

START_TEST(test_round_trip)
{
    static unsigned char data[200001];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 7 + i / 253);
    const char *path = unit_tmp("round");
    const size_t sizes[] = {0, 1, 32767, 32768, 32769, 65536, sizeof data};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        put(path, data, sizes[k]);
        expect(path, data, sizes[k]);
    }
    const size_t pieces[] = {1, 3, 1000, 32768, 40000};
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
        ecg__file *f;
        ck_ok(ecg__file_create(&f, path, &err), err);
        for (size_t at = 0; at < sizeof data; at += pieces[k])
            ck_ok(ecg__file_write(f, data + at, at + pieces[k] < sizeof data ? pieces[k] : sizeof data - at,
                                  &err),
                  err);
        ck_ok(ecg__file_commit(f, true, &err), err);
        expect(path, data, sizeof data);
    }
}
END_TEST

START_TEST(test_old_file_stands_until_commit)
{
    const char *dir = empty_folder("until"), *path = in(dir, "f");
    put(path, "old", 3);
    ecg__file *f, *g;
    ck_ok(ecg__file_create(&f, path, &err), err);
    ck_ok(ecg__file_create(&g, path, &err), err);
    ck_ok(ecg__file_write(f, "newer", 5, &err), err);
    ck_ok(ecg__file_write(g, "newest", 6, &err), err);
    expect(path, "old", 3);
    ck_ok(ecg__file_commit(f, true, &err), err);
    expect(path, "newer", 5);
    ecg__file_abandon(g);
    ecg__file_abandon(NULL);
    expect(path, "newer", 5);
    ck_assert_int_eq(files_in(dir), 1);
}
END_TEST

START_TEST(test_permissions)
{
    const char *path = in(empty_folder("mode"), "f");
    const mode_t old = umask(027);
    put(path, "x", 1);
    umask(old);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0640);
    ck_assert_int_eq(chmod(path, 0600), 0);
    put(path, "y", 1);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(test_link_is_followed)
{
    const char *dir = empty_folder("link"), *link = in(dir, "link"), *file = in(dir, "file");
    put(file, "old", 3);
    ck_assert_int_eq(symlink("file", link), 0);
    put(link, "new", 3);
    expect(file, "new", 3);
    struct stat st;
    ck_assert_int_eq(lstat(link, &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

START_TEST(test_refusals)
{
    const char *dir = empty_folder("refuse"), *fifo = in(dir, "fifo");
    ck_assert_int_eq(mkfifo(fifo, 0666), 0);
    unsigned char *got;
    size_t n;
    ck_fails(ecg__file_read(&got, &n, fifo, 100, &err), err, ECG_EIO, "pipe");
    ck_assert_ptr_null(got);
    ck_fails(ecg__file_read(&got, &n, dir, 100, &err), err, ECG_EIO, "folder");
    ck_fails(ecg__file_read(&got, &n, "/dev/null", 100, &err), err, ECG_EIO, "device");
    ck_fails(ecg__file_read(&got, &n, in(dir, "none"), 100, &err), err, ECG_EIO, "none: cannot open");
    ck_fails(ecg__file_read(&got, &n, NULL, 100, &err), err, ECG_EINVAL, "path");
    ecg__file *f;
    ck_fails(ecg__file_create(&f, fifo, &err), err, ECG_EIO, "pipe");
    ck_assert_ptr_null(f);
    ck_fails(ecg__file_create(&f, dir, &err), err, ECG_EIO, "folder");
    ck_fails(ecg__file_create(&f, in(dir, ""), &err), err, ECG_EIO, "folder");
    ck_fails(ecg__file_create(&f, "/dev/null", &err), err, ECG_EIO, "device");
    ck_fails(ecg__file_create(&f, in(dir, "no/file"), &err), err, ECG_EIO, "no/file: ");
    ck_fails(ecg__file_create(&f, "", &err), err, ECG_EINVAL, "path");
    ck_assert_int_eq(ecg__file_create(&f, "", NULL), ECG_EINVAL);
    ck_assert_int_eq(files_in(dir), 1);
}
END_TEST

START_TEST(test_limit)
{
    const char *path = unit_tmp("limit");
    put(path, "0123456789", 10);
    unsigned char *got;
    size_t n;
    ck_fails(ecg__file_read(&got, &n, path, 9, &err), err, ECG_ELIMIT, "limit of 9 bytes");
    ck_ok(ecg__file_read(&got, &n, path, 10, &err), err);
    ck_assert_uint_eq(n, 10);
    ecg__free(got);
    put(path, "", 0);
    ck_ok(ecg__file_read(&got, &n, path, 0, &err), err);
    ck_assert_ptr_nonnull(got);
    ck_assert_uint_eq(n, 0);
    ecg__free(got);
}
END_TEST

/* A file whose size is said to be 0 and is not. */
START_TEST(test_unknown_size)
{
    unsigned char *got;
    size_t n;
    if (access("/proc/self/status", R_OK) != 0)
        return;
    ck_ok(ecg__file_read(&got, &n, "/proc/self/status", 1 << 20, &err), err);
    ck_assert_uint_gt(n, 100);
    ecg__free(got);
    ck_fails(ecg__file_read(&got, &n, "/proc/self/status", 50, &err), err, ECG_ELIMIT, "50");
}
END_TEST

/* A write that fails half-way (as on a full disk) leaves the old file and no other. */
START_TEST(test_failed_write)
{
    const char *dir = empty_folder("full"), *path = in(dir, "f");
    put(path, "old", 3);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit lim;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &lim), 0);
    lim.rlim_cur = 50000;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
    static const unsigned char zeros[60000];
    ecg__file *f;
    ck_ok(ecg__file_create(&f, path, &err), err);
    ck_fails(ecg__file_write(f, zeros, sizeof zeros, &err), err, ECG_EIO, "f: cannot write");
    ck_fails(ecg__file_write(f, zeros, 1, &err), err, ECG_EIO, "earlier");
    ck_fails(ecg__file_commit(f, true, &err), err, ECG_EIO, "earlier");
    ck_ok(ecg__file_create(&f, path, &err), err);
    ck_ok(ecg__file_write(f, zeros, 30000, &err), err);
    ck_ok(ecg__file_write(f, zeros, 30000, &err), err);
    ck_fails(ecg__file_commit(f, true, &err), err, ECG_EIO, "f: cannot write");
    expect(path, "old", 3);
    ck_assert_int_eq(files_in(dir), 1);
}
END_TEST

START_TEST(test_corrupted_write_is_noticed)
{
    const char *dir = empty_folder("corrupt"), *path = in(dir, "f");
    static unsigned char data[100001];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i / 7);
    put(path, "old", 3);
    static const size_t places[] = {1, 32768, 32769, 65537, sizeof data};
    for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
        ecg__file *f;
        ck_ok(ecg__file_create(&f, path, &err), err);
        corrupt_at = places[k];
        for (size_t at = 0; at < sizeof data; at += 7001)
            ck_ok(ecg__file_write(f, data + at, at + 7001 < sizeof data ? 7001 : sizeof data - at, &err),
                  err);
        ck_fails(ecg__file_commit(f, true, &err), err, ECG_EIO, "reads back otherwise: 100001 bytes");
        corrupt_at = 0;
        expect(path, "old", 3);
        ck_assert_int_eq(files_in(dir), 1);
    }
    put(path, data, sizeof data);
    expect(path, data, sizeof data);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("file");
    TCase *t = tcase_create("file");
    tcase_add_test(t, test_round_trip);
    tcase_add_test(t, test_old_file_stands_until_commit);
    tcase_add_test(t, test_permissions);
    tcase_add_test(t, test_link_is_followed);
    tcase_add_test(t, test_refusals);
    tcase_add_test(t, test_limit);
    tcase_add_test(t, test_unknown_size);
    tcase_add_test(t, test_failed_write);
    tcase_add_test(t, test_corrupted_write_is_noticed);
    suite_add_tcase(s, t);
    return unit_run(s);
}
