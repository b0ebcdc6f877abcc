/* Pictures that are kept: whole or not at all, nothing outside the folder, nothing of others, never more than
 * allowed. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "cli/uploads_folder.h"

START_TEST(kept)
{
    struct stat st;
    size_t n;
    folder_new("uploads");
    rmdir(folder); /* it makes the folder */
    struct uploads *u = opened(0, 0);
    ck_assert_msg(uploads_keep(u, hash(1), "\0picture", 8, "{\"a\":1}", why), "%s", why);
    const char *text = read_whole(place(1), &n);
    ck_assert(n == 8 && memcmp(text, "\0picture", 8) == 0);
    ck_assert(stat(place(1), &st) == 0 && (st.st_mode & 0777) == 0600);
    ck_assert(stat(in("%.2s", hash(1)), &st) == 0 && (st.st_mode & 0777) == 0700);
    ck_assert_uint_eq(unfinished(hash(1)), 0);
    aged(place(1), 1000);
    ck_assert(uploads_keep(u, hash(1), "\0picture", 8, "{}", why)); /* again: young again */
    ck_assert(stat(place(1), &st) == 0 && st.st_mtime > 1000);
    ck_assert_uint_eq(uploads_counts(u).files, 1);
    ck_assert_uint_eq(uploads_counts(u).bytes, 8);
    write_whole(place(1), "torn"); /* of another size: made anew */
    ck_assert(uploads_keep(u, hash(1), "\0picture", 8, NULL, why));
    read_whole(place(1), &n);
    ck_assert_uint_eq(n, 8);
    static const char *const bad[] = {"",
                                      "ab",
                                      "../../../../etc/passwd",
                                      "ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789",
                                      "../4567890123456789012345678901234567890123456789012345678901234",
                                      "ab/../67890123456789012345678901234567890123456789012345678901234"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert(!uploads_keep(u, bad[i], "x", 1, NULL, why) && strstr(why, "SHA-256"));
    ck_assert(!uploads_keep(u, hash(2), "x", 1, "{\"a\":\n1}", why) && strstr(why, "log"));
    ck_assert(!uploads_keep(u, hash(2), "x", 1, "[]", why) && strstr(why, "log"));
    ck_assert(!uploads_keep(u, "zz", "x", 1, "{\"b\":2}", why));
    ck_assert_str_eq(read_whole(in("uploads.jsonl"), &n),
                     "{\"kept\":true,\"a\":1}\n{\"kept\":true}\n{\"kept\":false,\"b\":2}\n");
    ck_assert_uint_eq(uploads_counts(u).failed, 7);
    uploads_close(u);
    ck_assert_ptr_null(uploads_open(in("no/such"), 0, 0, why));
    ck_assert_ptr_nonnull(strstr(why, "folder"));
    ck_assert_ptr_null(uploads_open(in("uploads.jsonl"), 0, 0, why));
}
END_TEST

START_TEST(links)
{
    size_t n;
    char outside[512];
    folder_new("uploads");
    strcpy(outside, folder);
    write_whole(in("secret"), "untouched");
    ck_assert_int_eq(mkdir(in("folder"), 0700), 0);
    folder_new("uploads");
    struct uploads *u = opened(1, 0);
    char target[600];
    /* The folder is a link. */
    snprintf(target, sizeof target, "%s/folder", outside);
    ck_assert_int_eq(symlink(target, in("%.2s", hash(1))), 0);
    ck_assert(!uploads_keep(u, hash(1), "x", 1, NULL, why) && strstr(why, "folder"));
    /* The file is a link: it is replaced. */
    snprintf(target, sizeof target, "%s/secret", outside);
    ck_assert_int_eq(mkdir(in("%.2s", hash(2)), 0700), 0);
    ck_assert_int_eq(symlink(target, place(2)), 0);
    ck_assert(uploads_keep(u, hash(2), "untouched", 9, NULL, why));
    struct stat st;
    ck_assert(lstat(place(2), &st) == 0 && S_ISREG(st.st_mode));
    /* Sweeping goes through no link, and removes none. */
    ck_assert_int_eq(mkdir(in("%.2s", hash(3)), 0700), 0);
    ck_assert_int_eq(symlink(target, place(3)), 0);
    aged(place(3), 1000);
    char deep[700];
    snprintf(deep, sizeof deep, "%s/folder/%s", outside, hash(1));
    write_whole(deep, "old");
    aged(deep, 1000);
    ck_assert(uploads_sweep(u, (int64_t)time(NULL), why));
    ck_assert(is_there(deep) && is_there(place(3)));
    uploads_close(u);
    /* The log is a link, or a pipe. */
    ck_assert_int_eq(rename(in("uploads.jsonl"), in("was")), 0);
    ck_assert_int_eq(symlink(target, in("uploads.jsonl")), 0);
    ck_assert(!uploads_open(folder, 0, 0, why) && strstr(why, "log"));
    unlink(in("uploads.jsonl"));
    ck_assert_int_eq(mkfifo(in("uploads.jsonl"), 0600), 0);
    ck_assert(!uploads_open(folder, 0, 0, why) && strstr(why, "log"));
    ck_assert_str_eq(read_whole(target, &n), "untouched");
}
END_TEST

START_TEST(old_ones_go)
{
    const int64_t now = (int64_t)time(NULL), day = 86400;
    folder_new("uploads");
    struct uploads *u = opened(0, 0);
    for (unsigned i = 0; i < 10; i++)
        ck_assert(uploads_keep(u, hash(i), "picture", 7, NULL, why));
    uploads_close(u);
    for (unsigned i = 0; i < 10; i++)
        aged(place(i), now - (int64_t)i * day - 60);
    /* Not ours: other names, the right name in the wrong folder, a folder. */
    const char *const others[] = {in("README"), in("%.2s/notes.txt", hash(9)),
                                  in("%.2s/%s", hash(9), hash(8))};
    for (int i = 0; i < 3; i++) {
        write_whole(others[i], "mine");
        aged(others[i], 1000);
    }
    ck_assert_int_eq(mkdir(in("%.2s/%.2s%062x", hash(5), hash(5), 0xabcu), 0700), 0);
    write_whole(in("%.2s/" SWEEP_UNFINISHED "1-1-1", hash(1)), "torn");
    aged(in("%.2s/" SWEEP_UNFINISHED "1-1-1", hash(1)), now - 2 * 3600);
    write_whole(in("%.2s/" SWEEP_UNFINISHED "2-1-1", hash(1)), "under way");
    u = opened(3, 0); /* sweeps */
    for (unsigned i = 0; i < 10; i++)
        ck_assert_msg(is_there(place(i)) == (i < 3), "%u", i);
    ck_assert_uint_eq(uploads_counts(u).files, 3);
    ck_assert_uint_eq(uploads_counts(u).bytes, 21);
    ck_assert(is_there(in("README")) && is_there(in("%.2s/notes.txt", hash(9))) &&
              is_there(in("%.2s/%s", hash(9), hash(8))));
    ck_assert(!is_there(in("%.2s/" SWEEP_UNFINISHED "1-1-1", hash(1))));
    ck_assert(is_there(in("%.2s/" SWEEP_UNFINISHED "2-1-1", hash(1))));
    ck_assert(uploads_sweep(u, now + 30 * day, why));
    ck_assert_uint_eq(uploads_counts(u).files, 0);
    ck_assert(is_there(in("README")) && is_there(in("uploads.jsonl")));
    uploads_close(u);
}
END_TEST

START_TEST(too_many_go)
{
    static char picture[1000];
    folder_new("uploads");
    struct uploads *u = opened(0, 0);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert(uploads_keep(u, hash(i), picture, sizeof picture, NULL, why));
        aged(place(i), 1000 + ((int64_t)i * 7) % 10); /* 0 3 6 9 2 5 8 1 4 7 */
    }
    uploads_close(u);
    u = opened(0, 6500);
    ck_assert_uint_eq(uploads_counts(u).files, 6);
    for (unsigned i = 0; i < 10; i++)
        ck_assert_msg(is_there(place(i)) == ((i * 7) % 10 >= 4), "%u", i);
    for (unsigned i = 10; i < 60; i++) {
        ck_assert_msg(uploads_keep(u, hash(i), picture, sizeof picture, "{\"x\":1}", why), "%s", why);
        ck_assert(is_there(place(i)));
        uint64_t bytes = 0;
        struct stat st;
        for (unsigned k = 0; k <= i; k++)
            bytes += lstat(place(k), &st) == 0 ? (uint64_t)st.st_size : 0;
        ck_assert(stat(in("uploads.jsonl"), &st) == 0);
        ck_assert_uint_le(bytes + (uint64_t)st.st_size, 6500 + 20); /* the line itself */
        ck_assert_uint_eq(bytes, uploads_counts(u).bytes);
    }
    ck_assert_uint_ge(uploads_counts(u).files, 3);
    static char large[7000];
    ck_assert(!uploads_keep(u, hash(99), large, sizeof large, NULL, why) && strstr(why, "--max-disk"));
    ck_assert_uint_ge(uploads_counts(u).files, 3); /* nothing went for what cannot fit anyway */
    uploads_close(u);
}
END_TEST

/* A small disk of our own, where the system lets us have one. */
static bool small_disk(void)
{
    folder_new("uploads");
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("ecg-test", folder, "tmpfs", 0, "size=256k") == 0;
}

static void check_lines(unsigned want)
{
    size_t n;
    unsigned count = 0;
    for (char *p = read_whole(in("uploads.jsonl"), &n), *end; *p; p = end + 1, count++) {
        end = strchr(p, '\n');
        ck_assert_msg(end && *p == '{' && end[-1] == '}', "a torn line: %.60s", p);
        ck_assert(!memchr(p + 1, '{', (size_t)(end - p - 1)));
    }
    ck_assert_uint_eq(count, want);
}

START_TEST(full_disk)
{
    static char picture[30000], note[4000];
    if (!small_disk()) {
        printf("SKIP: full disk: no file system may be mounted here\n");
        return;
    }
    struct uploads *u = opened(0, 0);
    memset(note, 'x', sizeof note - 1);
    memcpy(note, "{\"n\":\"", 6);
    memcpy(note + sizeof note - 3, "\"}", 2);
    unsigned kept_count = 0, lines = 0;
    for (unsigned i = 0; i < 40; i++) {
        const bool ok = uploads_keep(u, hash(i), picture, sizeof picture, NULL, why);
        kept_count += ok;
        ck_assert(ok == is_there(place(i)));
        if (!ok) {
            ck_assert_msg(strstr(why, "No space left"), "%s", why);
            ck_assert_uint_eq(unfinished(hash(i)), 0);
        }
    }
    ck_assert_uint_ge(kept_count, 4);
    ck_assert_uint_le(kept_count, 8);
    ck_assert_uint_eq(uploads_counts(u).failed, 40 - kept_count);
    bool full = false;
    for (unsigned i = 0; i < 200; i++)
        if (uploads_keep(u, hash(0), picture, sizeof picture, note, why))
            lines++;
        else
            full = true, ck_assert_msg(strstr(why, "No space left"), "%s", why);
    ck_assert(full);
    check_lines(lines);
    unlink(place(1)); /* room again */
    ck_assert_msg(uploads_keep(u, hash(41), "x", 1, "{\"a\":1}", why), "%s", why);
    check_lines(lines + 1);
    uploads_close(u);
}
END_TEST

static void files_may_grow(bool freely)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = freely ? limit.rlim_max : 8192;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file may not grow past a limit: what was written goes again. Check writes into a file as well, so its
 * words wait. */
START_TEST(limited_files)
{
    static char picture[30000];
    size_t n;
    folder_new("uploads");
    struct uploads *u = opened(0, 0);
    signal(SIGXFSZ, SIG_IGN);
    files_may_grow(false);
    const bool ok = uploads_keep(u, hash(1), picture, sizeof picture, "{\"a\":1}", why);
    files_may_grow(true);
    ck_assert_msg(!ok && strstr(why, "File too large"), "%s", why);
    ck_assert_uint_eq(unfinished(hash(1)), 0);
    ck_assert(!is_there(place(1)));
    ck_assert_str_eq(read_whole(in("uploads.jsonl"), &n), "{\"kept\":false,\"a\":1}\n");
    /* The log reaches the limit within a line. */
    unsigned lines = 1;
    files_may_grow(false);
    for (int i = 0; i < 1000; i++)
        lines += uploads_keep(u, hash(2), "x", 1, "{\"note\":\"0123456789\"}", why);
    files_may_grow(true);
    ck_assert_uint_lt(lines, 1001);
    check_lines(lines);
    uploads_close(u);
}
END_TEST

START_TEST(torn_line)
{
    size_t n;
    folder_new("uploads");
    write_whole(in("uploads.jsonl"), "{\"a\":1}\n{\"b\":");
    struct uploads *u = opened(0, 0);
    ck_assert(uploads_keep(u, hash(1), "x", 1, "{\"c\":3}", why));
    ck_assert_str_eq(read_whole(in("uploads.jsonl"), &n), "{\"a\":1}\n{\"b\":\n{\"kept\":true,\"c\":3}\n");
    uploads_close(u);
}
END_TEST

enum { SERVERS = 2, THREADS = 3, ROUNDS = 60 };

struct job {
    struct uploads *u;
    unsigned number;
    bool ok;
};

static void *work(void *context)
{
    struct job *j = context;
    char line[400], said[160];
    j->ok = true;
    for (unsigned i = 0; i < ROUNDS; i++) {
        const unsigned n = i % 3 ? i : 1000 + i * 64 + j->number; /* some that all have, some of its own */
        char sha[65], bytes[64];
        snprintf(sha, sizeof sha, "%02x%062x", n * 37 % 256, n);
        memset(bytes, (int)n, sizeof bytes);
        snprintf(line, sizeof line, "{\"who\":%u,\"n\":%u,\"pad\":\"%0*d\"}", j->number, i,
                 (int)(i * 5 % 300), 0);
        j->ok = j->ok && uploads_keep(j->u, sha, bytes, sizeof bytes, line, said);
        if (i % 16 == 0)
            j->ok = j->ok && uploads_sweep(j->u, (int64_t)time(NULL), said);
    }
    return NULL;
}

static bool serve(unsigned server)
{
    pthread_t thread[THREADS];
    struct job job[THREADS];
    bool ok = true;
    struct uploads *u = opened(1, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        job[i] = (struct job){u, server * THREADS + i, false};
        ck_assert_int_eq(pthread_create(&thread[i], NULL, work, &job[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        ok = ok && job[i].ok;
    }
    uploads_close(u);
    return ok;
}

START_TEST(two_servers)
{
    folder_new("uploads");
    pid_t pid[SERVERS];
    for (unsigned i = 0; i < SERVERS; i++)
        if ((pid[i] = fork()) == 0)
            _exit(serve(i) ? 0 : 1);
    for (unsigned i = 0; i < SERVERS; i++) {
        int status = -1;
        ck_assert(pid[i] > 0 && waitpid(pid[i], &status, 0) == pid[i]);
        ck_assert_int_eq(status, 0);
    }
    check_lines(SERVERS * THREADS * ROUNDS);
    struct uploads *u = opened(0, 0);
    ck_assert_uint_eq(uploads_counts(u).files, ROUNDS * 2 / 3 + SERVERS * THREADS * (ROUNDS / 3));
    ck_assert_uint_eq(uploads_counts(u).bytes, uploads_counts(u).files * 64);
    uploads_close(u);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("uploads");
    TCase *t = tcase_create("uploads");
    tcase_add_test(t, kept);
    tcase_add_test(t, links);
    tcase_add_test(t, old_ones_go);
    tcase_add_test(t, too_many_go);
    tcase_add_test(t, torn_line);
    tcase_add_test(t, two_servers);
    tcase_add_test(t, limited_files);
    /* A disk is mounted in a process of its own only. */
    const char *forks = getenv("CK_FORK");
    if (forks && strcmp(forks, "no") == 0) {
        printf("SKIP: full disk: tests are not forked\n");
    } else {
        tcase_add_test(t, full_disk);
    }
    suite_add_tcase(s, t);
    return unit_run(s);
}
