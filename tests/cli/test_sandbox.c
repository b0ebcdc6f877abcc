/* What a server can still do once it is in the sandbox, and what it cannot any more. Each test is a process
 * of its own. */
#define _GNU_SOURCE
#include <grp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "cli/sandboxed.h"
#include "serve/uploads.h"

/* ---- Files ---- */
static int go[2]; /* the thread that was there before waits here */

static void *before(void *context)
{
    char c;
    (void)context;
    need(read(go[0], &c, 1) == 1);
    denied(opens(in("other/file"), O_RDONLY), EACCES, EPERM);
    need(opens(in("read/file"), O_RDONLY) == 0);
    denied(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL, EPERM);
    return NULL;
}

static void files_inside(void)
{
    struct sandbox_state state;
    pthread_t thread;
    need(pipe(go) == 0 && pthread_create(&thread, NULL, before, NULL) == 0);
    const int kept_open = open(in("other/file"), O_RDONLY | O_CLOEXEC);
    enter(&state);
    need(state.no_new_privs);
    need(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || errno == EPERM); /* asking is denied as well */
    skip_unless(state.landlock > 0, "files in the sandbox", &state);
    char text[8];
    need(kept_open >= 0 && read(kept_open, text, sizeof text) == 4); /* what was open stays so */
    denied(opens("/etc/passwd", O_RDONLY), EACCES, EPERM);
    denied(opens("/", O_RDONLY | O_DIRECTORY), EACCES, EPERM);
    denied(opens("/proc/self/mem", O_RDWR), EACCES, EPERM);
    denied(opens("/dev/mem", O_RDONLY), EACCES, ENOENT);
    denied(opens(in("other/file"), O_RDONLY), EACCES, EPERM);
    denied(opens(in("read/../other/file"), O_RDONLY), EACCES, EPERM);
    denied(opens(in("other/new"), O_WRONLY | O_CREAT), EACCES, EPERM);
    need(opens(in("read/file"), O_RDONLY) == 0);
    denied(opens(in("read/file"), O_WRONLY), EACCES, EPERM);
    denied(opens(in("read/file"), O_WRONLY | O_TRUNC), EACCES, EPERM);
    denied(opens(in("read/new"), O_WRONLY | O_CREAT), EACCES, EPERM);
    denied(unlink(in("read/file")), EACCES, EPERM);
    denied(rename(in("write/file"), in("read/file")), EACCES, EXDEV);
    need(opens(in("write/new"), O_RDWR | O_CREAT | O_EXCL) == 0);
    need(rename(in("write/new"), in("write/newer")) == 0 && unlink(in("write/newer")) == 0);
    denied(symlink("/etc/passwd", in("write/link")), EACCES, EPERM);
    denied(mkfifo(in("write/pipe"), 0600), EACCES, EPERM);
    need(opens("/proc/self/statm", O_RDONLY) == 0);
    need(write(go[1], "x", 1) == 1 && pthread_join(thread, NULL) == 0);
    /* Uploads, from the making of folders to the sweep. */
    char why[160] = "";
    struct uploads *u = uploads_open(in("write/uploads"), 1, 1 << 20, why);
    need(u != NULL);
    const char sha[] = "ab00000000000000000000000000000000000000000000000000000000000000";
    need(u && uploads_keep(u, sha, "picture", 7, "{\"a\":1}", why) &&
         uploads_keep(u, sha, "picture", 7, "{}", why));
    need(u && uploads_sweep(u, (int64_t)time(NULL) + 10 * 86400, why) && uploads_counts(u).files == 0);
    uploads_close(u);
    if (bad)
        fprintf(stderr, "%s; %s\n", state.text, why);
}

START_TEST(files)
{
    folders();
    in_child(files_inside);
}
END_TEST

/* ---- System calls ---- */
static int child_of(void *unused)
{
    (void)unused;
    return 0;
}

static void calls_inside(void)
{
    struct sandbox_state state;
    static char stack[65536];
    char *const argv[] = {(char *)(uintptr_t) "true", NULL};
    struct sockaddr_in any = {.sin_family = AF_INET};
    struct iovec piece = {stack, 8};
    const int quiet = open("/dev/null", O_RDWR | O_CLOEXEC),
              listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    need(quiet >= 0 && listening >= 0);
    enter(&state);
    skip_unless(state.seccomp, "system calls in the sandbox", &state);
    denied(execve("/bin/true", argv, NULL), EPERM, ENOSYS);
    denied(syscall(SYS_execveat, quiet, "", argv, NULL, AT_EMPTY_PATH), EPERM, ENOSYS);
    denied(fork(), EPERM, ENOSYS);
    denied(vfork(), EPERM, ENOSYS);
    denied(clone(child_of, stack + sizeof stack, SIGCHLD, NULL), EPERM, ENOSYS);
    denied(clone(child_of, stack + sizeof stack,
                 CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWUSER, NULL),
           EPERM, ENOSYS);
    denied(unshare(CLONE_NEWUSER), EPERM, ENOSYS);
    denied(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM, ENOSYS);
    denied(process_vm_readv(getpid(), &piece, 1, &piece, 1, 0), EPERM, ENOSYS);
    denied(socket(AF_INET, SOCK_STREAM, 0), EPERM, ENOSYS);
    denied(socket(AF_INET6, SOCK_DGRAM, 0), EPERM, ENOSYS);
    denied(socket(AF_UNIX, SOCK_STREAM, 0), EPERM, ENOSYS);
    denied(socket(AF_NETLINK, SOCK_RAW, 0), EPERM, ENOSYS);
    denied(bind(listening, (struct sockaddr *)&any, sizeof any), EPERM, ENOSYS);
    denied(connect(listening, (struct sockaddr *)&any, sizeof any), EPERM, ENOSYS);
    denied(kill(getppid(), 0), EPERM, ENOSYS);
    denied(syscall(SYS_tgkill, getppid(), getppid(), 0), EPERM, ENOSYS);
    denied((intptr_t)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EPERM,
           ENOSYS);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(page != MAP_FAILED && mprotect(page, 4096, PROT_READ) == 0);
    denied(mprotect(page, 4096, PROT_READ | PROT_EXEC), EPERM, ENOSYS);
    denied(syscall(SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_EXEC, -1), EPERM, ENOSYS);
    denied(setuid(0), EPERM, ENOSYS);
    denied(chroot("/"), EPERM, ENOSYS);
    denied(chdir("/"), EPERM, ENOSYS);
    denied(chmod(in("write/file"), 04777), EPERM, ENOSYS);
    denied(link(in("write/file"), in("write/link")), EPERM, ENOSYS);
    denied(syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL), EPERM, ENOSYS);
    denied(syscall(SYS_bpf, 0, NULL, 0), EPERM, ENOSYS);
    denied(syscall(SYS_keyctl, 0, 0, 0, 0, 0), EPERM, ENOSYS);
    denied(syscall(SYS_userfaultfd, 0), EPERM, ENOSYS);
    denied(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0), EPERM, ENOSYS);
    denied(syscall(SYS_memfd_create, "x", 0), EPERM, ENOSYS);
    denied(syscall(SYS_seccomp, 0, 0, NULL), EPERM, ENOSYS);
    denied(syscall(425, 1, NULL), ENOSYS, ENOSYS);     /* io_uring_setup */
    denied(syscall(434, getpid(), 0), ENOSYS, ENOSYS); /* pidfd_open */
    denied(syscall(100000), ENOSYS, ENOSYS);
    denied(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), EPERM, ENOSYS);
    denied(ioctl(quiet, TIOCSTI, "x"), EPERM, ENOSYS);
    struct rlimit limit = {0, 0};
    denied(setrlimit(RLIMIT_NOFILE, &limit), EPERM, ENOSYS);
    need(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0);
    need(state.landlock == 0 || sysconf(_SC_NPROCESSORS_ONLN) == cores);
    if (bad)
        fprintf(stderr, "%s\n", state.text);
}

START_TEST(calls)
{
    folders();
    in_child(calls_inside);
}
END_TEST

/* ---- Plans that cannot be, and users ---- */
static void no_such_path(void)
{
    const char *const paths[] = {in("no/such")};
    const struct sandbox_plan read = {paths, 1, NULL, 0}, write = {NULL, 0, paths, 1};
    struct sandbox_state state;
    char why[160] = "";
    const bool ok = sandbox_enter(&read, &state, why);
    skip_unless(state.landlock > 0 || !ok, "a path that is not there", &state);
    need(!ok && strstr(why, "no/such"));
    need(!sandbox_enter(&write, &state, why) && strstr(why, "no/such"));
    need(opens("/etc/passwd", O_RDONLY) == 0); /* nothing has happened to us */
}

static void users_inside(void)
{
    char why[160] = "";
    need(!sandbox_user("no-such-user-here", why) && strstr(why, "no-such-user-here"));
    need(!sandbox_user("root", why) && why[0]);
    need(geteuid() == 0);
    write_whole(in("other/secret"), "x");
    need(chmod(in("other/secret"), 0600) == 0);
    const gid_t roots[] = {0, 42};
    need(setgroups(2, roots) == 0);
    why[0] = '\0';
    need(sandbox_user("nobody", why));
    need(geteuid() != 0 && getuid() == geteuid() && getegid() != 0 && why[0] == '\0');
    denied(setuid(0), EPERM, EPERM);
    denied(opens(in("other/secret"), O_RDONLY), EACCES, EPERM);
    gid_t groups[64];
    for (int n = getgroups(64, groups); n > 0; n--)
        need(groups[n - 1] != 0 && groups[n - 1] != 42);
    need(!sandbox_user("nobody", why));
    struct sandbox_state
        state; /* without root as well; our own folder may be in one that nobody may go through */
    const char *const usr[] = {"/usr"};
    const struct sandbox_plan plan = {usr, 1, NULL, 0};
    need(sandbox_enter(&plan, &state, why));
    need(!state.root && state.text[0]);
    skip_unless(state.landlock > 0 && state.seccomp, "a user in the sandbox", &state);
    denied(opens("/etc/passwd", O_RDONLY), EACCES, EPERM);
    denied(socket(AF_INET, SOCK_STREAM, 0), EPERM, EPERM);
    if (bad)
        fprintf(stderr, "%s; %s\n", state.text, why);
}

START_TEST(plans)
{
    folders();
    in_child(no_such_path);
}
END_TEST

START_TEST(users)
{
    folders();
    if (geteuid() == 0) {
        in_child(users_inside);
    } else {
        char why[160] = "";
        printf("SKIP: another user: this is not root\n");
        ck_assert(!sandbox_user("nobody", why) && strstr(why, "root"));
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sandbox");
    TCase *t = tcase_create("sandbox");
    tcase_add_test(t, files);
    tcase_add_test(t, calls);
    tcase_add_test(t, plans);
    tcase_add_test(t, users);
    suite_add_tcase(s, t);
    return unit_run(s);
}
