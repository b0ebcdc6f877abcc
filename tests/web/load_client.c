/* Posts pictures to ecg-serve over many connections at once, for some seconds, and says how long answers
 * took.
 *
 *     load_client PORT CONNECTIONS SECONDS PICTURE...
 *
 * Prints one JSON object. An answer that is not 200, has no probabilities, or does not come is an error; a
 * connection that the server closes after an answer which said so is not, and is opened again. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER = 65536, LONGEST = 30 }; /* seconds to wait for what is under way in the end */

struct request {
    char *bytes;
    size_t size;
};

struct client {
    int fd;
    const struct request *request;
    size_t sent, got;
    double began;
    char answer[ANSWER];
};

struct load {
    struct request *requests;
    size_t count, next;
    int events;
    uint16_t port;
    float *took; /* milliseconds */
    size_t answers, room;
    unsigned long errors, closed;
};

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct request read_request(const char *path, unsigned port)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0)
        die(path);
    const long size = ftell(f);
    rewind(f);
    char *bytes = size > 0 ? malloc((size_t)size + 256) : NULL;
    if (!bytes)
        die(path);
    const int head = sprintf(
        bytes,
        "POST /api/v1/predict HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: image/png\r\n"
        "Content-Length: %ld\r\n\r\n",
        port, size);
    if (fread(bytes + head, 1, (size_t)size, f) != (size_t)size)
        die(path);
    fclose(f);
    return (struct request){bytes, (size_t)head + (size_t)size};
}

static void open_client(struct load *l, struct client *c)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(l->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int yes = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(l->events, EPOLL_CTL_ADD, c->fd, &e) != 0)
        die("epoll");
}

/* Pictures are small enough for the socket's buffer; where one is not, the rest waits for the next event. */
static void send_more(struct load *l, struct client *c)
{
    while (c->sent < c->request->size) {
        const ssize_t n = send(c->fd, c->request->bytes + c->sent, c->request->size - c->sent, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        c->sent += (size_t)n;
    }
    struct epoll_event e = {.events = c->sent < c->request->size ? EPOLLIN | EPOLLOUT : EPOLLIN,
                            .data.ptr = c};
    epoll_ctl(l->events, EPOLL_CTL_MOD, c->fd, &e);
}

static void ask(struct load *l, struct client *c)
{
    c->request = &l->requests[l->next++ % l->count];
    c->sent = c->got = 0;
    c->began = now();
    send_more(l, c);
}

static void note(struct load *l, const struct client *c)
{
    if (l->answers == l->room) {
        l->room = l->room ? 2 * l->room : 65536;
        l->took = realloc(l->took, l->room * sizeof *l->took);
        if (!l->took)
            die("memory");
    }
    l->took[l->answers++] = (float)((now() - c->began) * 1e3);
}

/* 1: the answer is whole; 0: not yet; -1: it is an error. *closes: the connection is to be opened anew. */
static int read_answer(struct client *c, int *closes)
{
    const ssize_t n = recv(c->fd, c->answer + c->got, ANSWER - 1 - c->got, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        *closes = 1;
        return -1;
    }
    c->got += (size_t)n;
    c->answer[c->got] = '\0';
    const char *end = strstr(c->answer, "\r\n\r\n"), *length = strcasestr(c->answer, "\r\nContent-Length:");
    if (!end)
        return c->got == ANSWER - 1 ? -1 : 0;
    if (!length || length > end)
        return -1;
    const size_t want = (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10);
    if (want > ANSWER - 1)
        return -1;
    if (c->got < want)
        return 0;
    const char *close_said = strcasestr(c->answer, "\r\nConnection: close");
    *closes = close_said && close_said < end;
    const int good = strncmp(c->answer, "HTTP/1.1 200 ", 13) == 0 && strstr(end, "\"probabilities\"") &&
                     c->got == want;
    return good ? 1 : -1;
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static float percentile(const struct load *l, double p)
{
    return l->answers ? l->took[(size_t)(p * (double)(l->answers - 1) + 0.5)] : 0.0f;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: load_client PORT CONNECTIONS SECONDS PICTURE...\n");
        return 2;
    }
    struct load l = {
        .port = (uint16_t)atoi(argv[1]), .count = (size_t)argc - 4, .events = epoll_create1(EPOLL_CLOEXEC)};
    const int clients = atoi(argv[2]);
    const double seconds = atof(argv[3]);
    struct client *client = clients > 0 ? calloc((size_t)clients, sizeof *client) : NULL;
    l.requests = calloc(l.count, sizeof *l.requests);
    if (!client || !l.requests || l.events < 0)
        die("start");
    for (size_t i = 0; i < l.count; i++)
        l.requests[i] = read_request(argv[4 + i], l.port);
    for (int i = 0; i < clients; i++)
        open_client(&l, &client[i]);
    const double began = now();
    double last = began;
    int busy = clients;
    for (int i = 0; i < clients; i++)
        ask(&l, &client[i]);
    while (busy > 0 && now() < began + seconds + LONGEST) {
        struct epoll_event event[64];
        const int n = epoll_wait(l.events, event, 64, 1000);
        for (int i = 0; i < n; i++) {
            struct client *c = event[i].data.ptr;
            int closes = 0;
            if (event[i].events & EPOLLOUT)
                send_more(&l, c);
            if (!(event[i].events & ~(unsigned)EPOLLOUT))
                continue;
            const int result = read_answer(c, &closes);
            if (result == 0)
                continue;
            last = now();
            if (result > 0)
                note(&l, c);
            else if (l.errors++ < 3)
                fprintf(stderr, "error: %.300s\n", c->got ? c->answer : "closed without an answer");
            if (closes) {
                l.closed++;
                close(c->fd);
                c->fd = -1;
            }
            if (last >= began + seconds) {
                if (c->fd >= 0)
                    close(c->fd);
                busy--;
                continue;
            }
            if (closes)
                open_client(&l, c);
            ask(&l, c);
        }
    }
    l.errors += (unsigned long)busy; /* never answered */
    if (l.answers > 1)
        qsort(l.took, l.answers, sizeof *l.took, by_value);
    printf("{\"answers\":%zu,\"errors\":%lu,\"reopened\":%lu,\"seconds\":%.3f,\"per_second\":%.1f,\"p50_ms\":"
           "%.3f,"
           "\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
           l.answers, l.errors, l.closed, last - began, (double)l.answers / (last - began),
           (double)percentile(&l, 0.5), (double)percentile(&l, 0.99), (double)percentile(&l, 1.0));
    for (size_t i = 0; i < l.count; i++)
        free(l.requests[i].bytes);
    free(l.requests);
    free(l.took);
    free(client);
    return l.errors || !l.answers;
}
