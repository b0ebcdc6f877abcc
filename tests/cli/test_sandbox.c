/* What a server can still do once it is in the sandbox, and what it cannot any more. Each test is a process
 * of its own. */
#define _GNU_SOURCE
#include "serve/sandbox.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ecgcnn/net.h"
#include "ecgcnn/train.h"
#include "serve/uploads.h"
#include "unit/unit.h"

static char base[400];
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

static const char *in(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *in(const char *fmt, ...)
{
    static char paths[8][800];
    static unsigned next;
    char *path = paths[next++ % 8];
    va_list args;
    const int n = snprintf(path, 800, "%s/", base);
    va_start(args, fmt);
    vsnprintf(path + n, 800 - (size_t)n, fmt, args);
    va_end(args);
    return path;
}

static void write_whole(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    need(f != NULL);
    if (f) {
        need(fputs(text, f) >= 0);
        need(fclose(f) == 0);
    }
}

static int opens(const char *path, int flags)
{
    const int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd < 0 ? -1 : 0;
}

/* base/read, base/write, base/other, each with a file. */
static void folders(void)
{
    static const char *const names[] = {"read", "write", "other"};
    snprintf(base, sizeof base, "%s.XXXXXX", unit_tmp("sandbox"));
    ck_assert_ptr_nonnull(mkdtemp(base));
    ck_assert_int_eq(chmod(base, 0777), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(mkdir(in("%s", names[i]), 0777), 0);
        write_whole(in("%s/file", names[i]), "text");
    }
}

static void enter(struct sandbox_state *state)
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
static void in_child(void (*work)(void))
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

static void skip_unless(bool active, const char *test, const struct sandbox_state *state)
{
    if (active)
        return;
    printf("SKIP: %s: %s\n", test, state->text);
    fflush(stdout);
    _exit(bad ? 1 : 77);
}

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

/* ---- What a server lives on ---- */
static void *serves(void *context)
{
    const int connection = *(const int *)context;
    char text[16];
    const ssize_t n = recv(connection, text, sizeof text, 0);
    need(n == 4 && send(connection, text, 4, MSG_NOSIGNAL) == 4);
    char *large = malloc(1 << 20), *larger = large ? realloc(large, 64 << 20) : NULL;
    need(larger != NULL);
    if (larger)
        larger[(64 << 20) - 1] = 1;
    free(larger);
    return NULL;
}

static int accept_one(int listening, int events)
{
    struct epoll_event e = {.events = EPOLLIN};
    need(epoll_ctl(events, EPOLL_CTL_ADD, listening, &e) == 0);
    need(epoll_wait(events, &e, 1, 5000) == 1);
    need(epoll_ctl(events, EPOLL_CTL_DEL, listening, &e) == 0);
    return accept4(listening, NULL, NULL, SOCK_CLOEXEC);
}

static int listening_socket; /* of the parent, so that it knows the port */

static void connections_inside(void)
{
    struct sandbox_state state;
    int connection[2], one = 1;
    pthread_t thread[2];
    enter(&state);
    const int events = epoll_create1(EPOLL_CLOEXEC), wakes = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    need(events >= 0 && wakes >= 0);
    for (int i = 0; i < 2; i++) {
        connection[i] = accept_one(listening_socket, events);
        need(connection[i] >= 0 && setsockopt(connection[i], IPPROTO_TCP, 1, &one, sizeof one) == 0);
        need(pthread_create(&thread[i], NULL, serves, &connection[i]) == 0);
        pthread_setname_np(thread[i], "serves");
    }
    for (int i = 0; i < 2; i++) {
        need(pthread_join(thread[i], NULL) == 0);
        need(shutdown(connection[i], SHUT_RDWR) == 0 && close(connection[i]) == 0);
    }
    if (bad)
        fprintf(stderr, "%s\n", state.text);
}

START_TEST(connections)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof any;
    char text[4];
    folders();
    listening_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listening_socket, (struct sockaddr *)&any, sizeof any), 0);
    ck_assert_int_eq(listen(listening_socket, 8), 0);
    ck_assert_int_eq(getsockname(listening_socket, (struct sockaddr *)&any, &size), 0);
    const pid_t client = fork();
    if (client == 0) {
        for (int i = 0; i < 2; i++) {
            const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            need(connect(fd, (struct sockaddr *)&any, sizeof any) == 0 && send(fd, "ping", 4, 0) == 4);
            need(recv(fd, text, 4, MSG_WAITALL) == 4 && memcmp(text, "ping", 4) == 0);
        }
        _exit(bad ? 1 : 0);
    }
    in_child(connections_inside);
    int status = -1;
    ck_assert_int_eq(waitpid(client, &status, 0), client);
    ck_assert_int_eq(status, 0);
    close(listening_socket);
}
END_TEST

/* ---- The library: reading a model, OpenBLAS with its threads ---- */
enum { SIDE = 64 };
static float picture[SIDE * SIDE], outside_probs[3];

static ecg_status predict(ecg_model *m, uint32_t threads, float *probs, ecg_error *err)
{
    ecg_session *s = NULL;
    ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
    o.threads = threads;
    const ecg_status status = ecg_session_new(&s, m, &o, err);
    if (status == ECG_OK)
        ecg_session_run(s, picture, 1, probs);
    ecg_session_free(s);
    return status;
}

static void make_model(const char *path)
{
    static const char *const names[] = {"a", "b", "c"};
    ecg_error err = {0};
    ecg_spec *spec = NULL;
    ecg_trainer *t = NULL;
    ecg_model *m = NULL;
    const ecg_shape shape = {SIDE, SIDE, 1};
    ck_ok(ecg_spec_parse(&spec, "conv2d 8 3x3 relu; maxpool 2x2; flatten; dense 64 relu; dense 3; softmax",
                         &shape, 3, &err),
          err);
    ck_ok(ecg_trainer_new(&t, spec, NULL, &err), err);
    ecg_preprocess prep = ECG_PREPROCESS_INIT;
    prep.h = prep.w = SIDE;
    const ecg_model_info info = {.size = sizeof info, .preprocess = &prep, .classes = names};
    ck_ok(ecg_trainer_snapshot(t, &info, &m, &err), err);
    ck_ok(ecg_model_save(m, path, &err), err);
    for (int i = 0; i < SIDE * SIDE; i++)
        picture[i] = (float)(i % 97) / 97.0f;
    ck_ok(predict(m, 2, outside_probs, &err), err);
    ecg_model_free(m);
    ecg_trainer_free(t);
    ecg_spec_free(spec);
}

static void library_inside(void)
{
    struct sandbox_state state;
    ecg_error err = {0};
    ecg_model *m = NULL;
    float probs[3] = {0};
    enter(&state);
    for (int i = 0; i < 3; i++) { /* as for SIGHUP: the file is a new one each time */
        if (i > 0) {
            need(write(go[1], "x", 1) == 1);
            for (int wait = 0; wait < 500 && opens(in("read/m%d.ecgm", i), O_RDONLY) != 0; wait++)
                usleep(10000);
        }
        need(ecg_model_load(&m, in("read/m%d.ecgm", i), NULL, &err) == ECG_OK);
        need(m && predict(m, i ? 3 : 2, probs, &err) == ECG_OK);
        need(memcmp(probs, outside_probs, sizeof probs) == 0);
        ecg_model_free(m);
    }
    if (state.landlock)
        need(ecg_model_load(&m, in("other/m.ecgm"), NULL, &err) == ECG_EIO);
    if (bad)
        fprintf(stderr, "%s; %s\n", state.text, err.message);
}

START_TEST(library)
{
    folders();
    make_model(in("read/m0.ecgm"));
    ck_assert_int_eq(pipe(go), 0);
    const pid_t other = fork(); /* replaces the model when asked to */
    if (other == 0) {
        char c;
        close(go[1]);
        for (int i = 1; i < 3 && read(go[0], &c, 1) == 1; i++)
            if (rename(in("read/m%d.ecgm", i - 1), in("read/m%d.ecgm", i)) != 0)
                _exit(1);
        _exit(0);
    }
    in_child(library_inside);
    close(go[1]);
    int status = -1;
    ck_assert(waitpid(other, &status, 0) == other && status == 0);
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
    tcase_add_test(t, connections);
    tcase_add_test(t, library);
    tcase_add_test(t, plans);
    tcase_add_test(t, users);
    suite_add_tcase(s, t);
    return unit_run(s);
}
