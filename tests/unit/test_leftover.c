#define _XOPEN_SOURCE 700
#include "base/leftover.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "unit/unit.h"

static ecg_error err;
static char dir[1100];

static void fresh(const char *name)
{
    snprintf(dir, sizeof dir, "%s", unit_tmp(name));
    char command[1200];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(mkdir(dir, 0777), 0);
}

static const char *in(const char *name)
{
    static char paths[4][1200];
    static unsigned next;
    char *p = paths[next++ % 4];
    snprintf(p, 1200, "%s/%s", dir, name);
    return p;
}

static bool there(const char *name)
{
    struct stat st;
    return lstat(in(name), &st) == 0;
}

static void make(const char *name)
{
    const int fd = open(in(name), O_WRONLY | O_CREAT | O_EXCL, 0666);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    close(fd);
}

/* A file just made, as the writer has one when it looks for leftovers. */
static void tidy(bool local)
{
    const int fd = open(in("newest"), O_WRONLY | O_CREAT, 0666);
    ck_assert_int_ge(fd, 0);
    ecg__leftovers_remove(dir, fd, local);
    close(fd);
}

/* A process number that was a moment ago, and is nobody's now. */
static long ended(void)
{
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    return (long)pid;
}

static const char *temp_of(long pid, int i)
{
    static char name[64];
    snprintf(name, sizeof name, ".ecg-%ld-%d.tmp", pid, i);
    return name;
}

/* Starts writing `path`, and is killed. */
static long killed_writer(const char *path)
{
    int ready[2];
    char c;
    ck_assert_int_eq(pipe(ready), 0);
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        ecg__file *f;
        if (ecg__file_create(&f, path, NULL) == ECG_OK && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &c, 1), 1);
    close(ready[0]);
    ck_assert_int_eq(kill(pid, 0), 0);
    /* Alive: nobody takes its file away. */
    ecg__file *f;
    ck_ok(ecg__file_create(&f, path, &err), err);
    ecg__file_tidy(f);
    ck_assert(there(temp_of((long)pid, 0)));
    ecg__file_abandon(f);
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    return (long)pid;
}

START_TEST(what_a_kill_leaves_goes_at_the_next_save)
{
    fresh("killed");
    const long pid = killed_writer(in("model"));
    ck_assert(there(temp_of(pid, 0)));
    ecg__file *f;
    ck_ok(ecg__file_create(&f, in("model"), &err), err);
    const bool local = ecg__is_local(open(dir, O_RDONLY));
    ecg__file_tidy(f);
    ck_assert(there(temp_of(pid, 0)) == !local);
    /* And the one being written is not mistaken for one. */
    ck_assert(there(temp_of((long)getpid(), 0)));
    ck_ok(ecg__file_write(f, "new", 3, &err), err);
    ck_ok(ecg__file_commit(f, true, &err), err);
    ck_assert(there("model"));
}
END_TEST

START_TEST(what_is_no_leftover_stays)
{
    fresh("stays");
    const long pid = ended();
    static const char *const names[] = {".ecg-%ld-0.tmpx", "ecg-%ld-0.tmp",   ".ecg-%ld-.tmp",
                                        ".ecg-0%ld-0.tmp", ".ecg-%ld-00.tmp", ".ecg- %ld-0.tmp",
                                        ".ecg-%ld-0",      ".ecg--%ld-0.tmp"};
    char name[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, names[i], pid);
        make(name);
    }
    ck_assert_int_eq(mkdir(in(temp_of(pid, 1)), 0777), 0);
    make("other");
    ck_assert_int_eq(symlink("other", in(temp_of(pid, 2))), 0);
    ck_assert_int_eq(link(in("other"), in(temp_of(pid, 3))), 0);
    ck_assert_int_eq(mkfifo(in(temp_of(pid, 4)), 0666), 0);
    make(temp_of(1, 0)); /* a process that runs */
    make(temp_of(pid, 5));
    const int held = open(in(temp_of(pid, 5)), O_RDWR);
    ck_assert(ecg__temp_hold(held));
    make(temp_of(pid, 6));
    tidy(true);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, names[i], pid);
        ck_assert_msg(there(name), "%s is gone", name);
    }
    for (int i = 1; i <= 5; i++)
        ck_assert_msg(there(temp_of(pid, i)), "number %d is gone", i);
    ck_assert(there(temp_of(1, 0)));
    ck_assert(!there(temp_of(pid, 6)));
    close(held);
    tidy(true);
    ck_assert(!there(temp_of(pid, 5)));
}
END_TEST

/* A container gives its first process the same number again and again. */
START_TEST(of_our_own_number)
{
    fresh("own");
    make(temp_of((long)getpid(), 0));
    ecg__file *f, *g;
    ck_ok(ecg__file_create(&f, in("model"), &err), err);
    ck_ok(ecg__file_create(&g, in("model"), &err), err);
    ecg__leftovers_remove(dir, open(in("."), O_RDONLY), true);
    ck_assert(!there(temp_of((long)getpid(), 0)));
    ck_assert(there(temp_of((long)getpid(), 1)));
    ck_assert(there(temp_of((long)getpid(), 2)));
    ecg__file_abandon(f);
    ecg__file_abandon(g);
}
END_TEST

/* On a file system that other machines write to, too, an hour must have passed. */
START_TEST(shared_between_machines)
{
    fresh("shared");
    const long pid = ended();
    const time_t now = time(NULL);
    static const int ages[] = {0, 3500, 3700};
    for (int i = 0; i < 3; i++) {
        make(temp_of(pid, i));
        const struct timeval t[2] = {{now - ages[i], 0}, {now - ages[i], 0}};
        ck_assert_int_eq(utimes(in(temp_of(pid, i)), t), 0);
    }
    tidy(false);
    ck_assert(there(temp_of(pid, 0)));
    ck_assert(there(temp_of(pid, 1)));
    ck_assert(!there(temp_of(pid, 2)));
    tidy(true);
    ck_assert(!there(temp_of(pid, 0)));
}
END_TEST

/* Between the making of a file and its being held another may take it for a leftover. */
START_TEST(taken_before_it_was_held)
{
    fresh("taken");
    make("a");
    const int mine = open(in("a"), O_RDWR), theirs = open(in("a"), O_RDWR);
    ck_assert_int_eq(flock(theirs, LOCK_EX), 0);
    ck_assert(!ecg__temp_hold(mine));
    ck_assert_int_eq(unlink(in("a")), 0);
    close(theirs);
    ck_assert(!ecg__temp_hold(mine));
    close(mine);
    ck_assert(!ecg__is_local(-1));
    ecg__leftovers_remove(in("none"), -1, true); /* nothing to do, nothing said */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("leftover");
    TCase *t = tcase_create("leftover");
    tcase_add_test(t, what_a_kill_leaves_goes_at_the_next_save);
    tcase_add_test(t, what_is_no_leftover_stays);
    tcase_add_test(t, of_our_own_number);
    tcase_add_test(t, shared_between_machines);
    tcase_add_test(t, taken_before_it_was_held);
    suite_add_tcase(s, t);
    return unit_run(s);
}
