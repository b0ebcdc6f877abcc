/* What a server lives on still works in the sandbox: connections, threads, memory, models, OpenBLAS. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "cli/sandboxed.h"
#include "ecgcnn/net.h"
#include "ecgcnn/train.h"

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
static int go[2]; /* to the one that replaces the model */
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

int main(void)
{
    Suite *s = suite_create("sandbox_serving");
    TCase *t = tcase_create("sandbox_serving");
    tcase_add_test(t, connections);
    tcase_add_test(t, library);
    suite_add_tcase(s, t);
    return unit_run(s);
}
