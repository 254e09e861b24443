/* send_loop: the least that telling everybody can cost: one send() for each connection, in a loop, and nothing else.
 *
 * Listens on a free port of 127.0.0.1, prints {"port":P}, and takes --connections WebSockets. After that it answers
 * lines on stdin with one line of JSON:
 *
 *     fan-out <batch> <seconds>   frames `batch` events, sends them joined to every connection, again and again
 *
 * An event is --head, a running number, --tail. The end of stdin ends it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"
#include "websocket.h"

enum { EVENT_MAX = 4096, REQUEST_MAX = 8192, STALLED_MS = 10000 };

static const char *head = "", *tail = "";
static int count = 1;
static int *sockets;
static uint64_t sequence;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_anywhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (void *)&at, size) < 0 || listen(fd, 4096) < 0 || getsockname(fd, (void *)&at, &size) < 0)
        die("listen");
    printf("{\"port\":%d}\n", ntohs(at.sin_port));
    return fd;
}

/* One handshake and one subscription, answered with as much as the receiver waits for. */
static int accept_subscriber(int listener)
{
    static const char switching[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                    "Sec-WebSocket-Accept: " SAMPLE_ACCEPT "\r\n\r\n";
    static const char subscribed[] = "{\"type\":\"system:subscribed\",\"data\":{},\"timestamp\":\"\"}";
    char request[REQUEST_MAX];
    size_t seen = 0;
    int one = 1, fd = accept(listener, NULL, NULL);
    if (fd < 0)
        die("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    do {
        ssize_t got = recv(fd, request + seen, sizeof request - 1 - seen, 0);
        if (got <= 0)
            die("handshake");
        seen += (size_t)got;
        request[seen] = 0;
    } while (!strstr(request, "\r\n\r\n"));
    uint8_t answer[256];
    size_t size = frame_write(answer, OP_TEXT, 0, subscribed, sizeof subscribed - 1);
    if (send(fd, switching, sizeof switching - 1, MSG_NOSIGNAL) < 0 || recv(fd, request, sizeof request, 0) <= 0 ||
        send(fd, answer, size, MSG_NOSIGNAL) < 0)
        die("subscribe");
    return fd;
}

static void send_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            if (poll(&room, 1, STALLED_MS) <= 0)
                die("a receiver stalled");
            continue;
        }
        if (sent < 0)
            die("send");
        bytes += sent;
        size -= (size_t)sent;
    }
}

static void fan_out(unsigned batch, double seconds)
{
    uint8_t *frames = malloc(batch * (EVENT_MAX + FRAME_HEAD_MAX));
    if (!frames)
        die("memory");
    uint64_t events = 0, began = now_ns(), began_cpu = cpu_ns(), ends = began + (uint64_t)(seconds * 1e9);
    do {
        size_t size = 0;
        for (unsigned i = 0; i < batch; i++) {
            char event[EVENT_MAX];
            int length = snprintf(event, sizeof event, "%s%llu%s", head, (unsigned long long)++sequence, tail);
            size += frame_write(frames + size, OP_TEXT, 0, event, (size_t)length);
        }
        for (int i = 0; i < count; i++)
            send_all(sockets[i], frames, size);
        events += batch;
    } while (now_ns() < ends);
    printf("{\"events\":%llu,\"cpu_ns\":%llu,\"wall_ns\":%llu}\n", (unsigned long long)events,
           (unsigned long long)(cpu_ns() - began_cpu), (unsigned long long)(now_ns() - began));
    free(frames);
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"connections", required_argument, 0, 'n'},
        {"head", required_argument, 0, 'h'},
        {"tail", required_argument, 0, 't'},
        {0},
    };
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;)
        switch (option) {
        case 'n': count = atoi(optarg); break;
        case 'h': head = optarg; break;
        case 't': tail = optarg; break;
        default: return 2;
        }
    if (count < 1 || strlen(head) + strlen(tail) > EVENT_MAX - 32 || !(sockets = calloc((size_t)count, sizeof *sockets)))
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    int listener = listen_anywhere();
    for (int i = 0; i < count; i++)
        sockets[i] = accept_subscriber(listener);
    char line[128];
    unsigned batch;
    double seconds;
    while (fgets(line, sizeof line, stdin))
        if (sscanf(line, "fan-out %u %lf", &batch, &seconds) == 2 && batch > 0)
            fan_out(batch, seconds);
    return 0;
}
