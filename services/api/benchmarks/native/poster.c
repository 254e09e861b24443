/* poster: callers of a REST endpoint, each with one request under way at a time on a connection it keeps.
 *
 * Sends the file --body to --path of 127.0.0.1:--port as JSON from --callers connections for --seconds, and prints one
 * line of JSON: how many requests were answered with 2xx, how many otherwise, and how long the answers took.
 * --rate spaces the requests evenly (all callers together, requests a second); without it each caller sends the next
 * one as soon as it was answered. A request that was due while its caller waited is late, and its wait counts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

enum { ANSWER_MAX = 1 << 20, POLLED = 256, GRACE_MS = 5000 };

typedef struct {
    int fd;
    int waiting;
    uint64_t due;
    char *answer;
    size_t seen;
} caller;

static int port, callers = 1;
static double seconds = 1, rate;
static const char *path = "/", *body_file;
static char *request;
static size_t request_size;
static caller *all;
static uint64_t accepted, refused;
static histogram latency;

static void die(const char *what)
{
    fprintf(stderr, "poster: %s: %s\n", what, errno ? strerror(errno) : "giving up");
    exit(1);
}

static void build_request(void)
{
    FILE *file = body_file ? fopen(body_file, "rb") : NULL;
    if (!file || fseek(file, 0, SEEK_END) < 0)
        die("--body");
    long size = ftell(file);
    rewind(file);
    request = malloc((size_t)size + 512);
    int head = snprintf(request, 512,
                        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                        "Content-Length: %ld\r\n\r\n",
                        path, port, size);
    if (fread(request + head, 1, (size_t)size, file) != (size_t)size)
        die("--body");
    fclose(file);
    request_size = (size_t)head + (size_t)size;
}

static void open_caller(caller *c, int poller)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    c->answer = malloc(ANSWER_MAX);
    if (c->fd < 0 || !c->answer || connect(c->fd, (void *)&to, sizeof to) < 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
}

static void post(caller *c, uint64_t due)
{
    /* The socket blocks: a bulk body may be longer than its buffer. */
    for (size_t sent = 0; sent < request_size;) {
        ssize_t got = send(c->fd, request + sent, request_size - sent, MSG_NOSIGNAL);
        if (got < 0)
            die("send");
        sent += (size_t)got;
    }
    c->waiting = 1;
    c->due = due;
    c->seen = 0;
}

/* Whether the answer is complete; every server measured here states a Content-Length. */
static int is_complete(const caller *c)
{
    char *end = strstr(c->answer, "\r\n\r\n");
    if (!end)
        return 0;
    char *field = strcasestr(c->answer, "\r\ncontent-length:");
    size_t length = field && field < end ? strtoul(field + 17, NULL, 10) : 0;
    return c->seen >= (size_t)(end + 4 - c->answer) + length;
}

static void receive(caller *c)
{
    ssize_t got = recv(c->fd, c->answer + c->seen, ANSWER_MAX - 1 - c->seen, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        die("the server hung up");
    c->seen += (size_t)got;
    c->answer[c->seen] = 0;
    if (!is_complete(c))
        return;
    c->waiting = 0;
    histogram_add(&latency, now_ns() - c->due);
    if (strncmp(c->answer, "HTTP/1.1 2", 10) == 0)
        accepted++;
    else if (refused++ == 0)
        fprintf(stderr, "poster: %.300s\n", c->answer);
}

static int waiting(void)
{
    int sum = 0;
    for (int i = 0; i < callers; i++)
        sum += all[i].waiting;
    return sum;
}

/* Starts what is due. Returns how many milliseconds nothing more will be. */
static int post_due(uint64_t began, uint64_t *started)
{
    uint64_t now = now_ns();
    for (int i = 0; i < callers; i++) {
        uint64_t due = rate > 0 ? began + (uint64_t)((double)*started / rate * 1e9) : now;
        if (all[i].waiting)
            continue;
        if (due > now)
            return (int)((due - now) / 1000000);
        post(&all[i], due);
        ++*started;
    }
    return 100;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"port", required_argument, 0, 'p'},    {"callers", required_argument, 0, 'n'},
        {"path", required_argument, 0, 'u'},    {"body", required_argument, 0, 'b'},
        {"seconds", required_argument, 0, 's'}, {"rate", required_argument, 0, 'r'},
        {0},
    };
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;)
        switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'n': callers = atoi(optarg); break;
        case 'u': path = optarg; break;
        case 'b': body_file = optarg; break;
        case 's': seconds = atof(optarg); break;
        case 'r': rate = atof(optarg); break;
        default: return 2;
        }
    if (!port || callers < 1)
        return 2;
    build_request();
    all = calloc((size_t)callers, sizeof *all);
    int poller = epoll_create1(0);
    if (!all || poller < 0)
        die("start");
    for (int i = 0; i < callers; i++)
        open_caller(&all[i], poller);

    struct epoll_event polled[POLLED];
    uint64_t started = 0, began = now_ns(), ends = began + (uint64_t)(seconds * 1e9), now;
    while ((now = now_ns()) < ends || waiting()) {
        int idle_ms = now < ends ? post_due(began, &started) : GRACE_MS;
        int found = epoll_wait(poller, polled, POLLED, idle_ms);
        if (now >= ends && found == 0)
            die("an answer is missing");
        for (int i = 0; i < found; i++)
            receive(polled[i].data.ptr);
    }
    uint64_t wall = now_ns() - began;
    printf("{\"accepted\":%llu,\"refused\":%llu,", (unsigned long long)accepted, (unsigned long long)refused);
    histogram_print(stdout, "latency", &latency);
    printf("\"cpu_ns\":%llu,\"wall_ns\":%llu}\n", (unsigned long long)cpu_ns(), (unsigned long long)wall);
    return 0;
}
