/* receiver: many subscribers in one thread, cheap enough not to be what is measured.
 *
 * Opens --connections sockets to 127.0.0.1:--port, subscribes each one (several --subscribe are dealt out in turn) and,
 * with --ping, asks for one pong. When the last one was answered it prints {"ready":N}. From then on it counts, and
 * answers lines on stdin with one line of JSON on stdout:
 *
 *     take <n>   the counters since the last take, the first time since the beginning, as soon as they hold n events, or after 10 s in any case
 *     lag        how many events the slowest connection is behind the newest one stamped
 *
 * The end of stdin ends it.
 *
 * An *event* is a message with `"data":{"seq":<number>` near its beginning; all else (`system:…`, snapshots) is counted
 * apart. With --compressed the client offers permessage-deflate as a browser does and does not look inside: then all
 * that follows the answers is an event.
 *
 * Of servers that speak a protocol of their own (over WebSockets, or with --stream as the body of a plain GET) --scan
 * looks through all bytes for events, whatever frames they come in. --answer is what such a server says to who has
 * subscribed (empty: nothing), --subscribe-hex a subscription of bytes instead of text, --header one more line of the
 * request.
 *
 * --stamps names a file of pairs of 64-bit words that the server also maps: pair 0 holds the newest sequence number,
 * pair n two moments of event n (CLOCK_MONOTONIC, ns). Each delivery is measured against both.
 *
 * --spin polls without sleeping, so that waking this process is never charged to the server.
 *
 * --tls speaks TLS, in what is built WITH_TLS. `bytes` are then those inside of it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "measure.h"
#include "tls.h"
#include "websocket.h"

enum {
    LOOK = 96,         /* payload bytes that must be at hand to tell what a message is */
    CONTROL_MAX = 125, /* payload of the longest control frame, which must be at hand as a whole */
    CARRY = FRAME_HEAD_MAX + CONTROL_MAX,
    GROUP = 256, /* connections opened together: below any listen backlog */
    READ_BYTES = 1 << 20,
    POLLED = 512,
    SUBSCRIPTIONS_MAX = 1024,
    TIMEOUT_S = 20, /* for the handshakes of a group, and for all answers after them */
    TAKE_TIMEOUT_S = 10,
    ANSWER_MAX = 64,
};
static const char MARK[] = "\"data\":{\"seq\":";
static const char BLANK_LINE[] = "\r\n\r\n";
static const uint32_t STDIN = UINT32_MAX;
static const uint64_t NS_A_SECOND = 1000000000;

typedef enum { SECURING, UPGRADING, SUBSCRIBING, PINGING, READY, CLOSED } state;

typedef struct {
    int fd;
    tls *tls; /* NULL without */
    state state;
    uint8_t blank;    /* of an answer to the handshake: how much of a blank line it ends with so far */
    uint16_t carried; /* bytes of a frame that was cut off by the end of a read; of such an answer, its beginning */
    uint8_t carry[CARRY];
    uint64_t skip; /* payload bytes still to come that nobody needs to see */
    uint64_t events;
    uint64_t last;
    uint32_t messages;
} connection;

static struct {
    int port;
    int count;
    const char *path;
    struct {
        const void *bytes;
        size_t size;
        uint8_t opcode;
    } subscriptions[SUBSCRIPTIONS_MAX];
    int subscription_count;
    const char *ping;
    const char *header;
    const char *answer;
    int compressed;
    int scan;
    int spin;
    int stream;
    int tls;
} options = {.count = 1, .path = "/ws/monitor"};

static struct {
    uint64_t events, others, bytes, reads, disorder, closed;
    uint64_t busy_ns, began_ns, began_cpu_ns;
} counters;

static connection *connections;
static int upgraded_count, ready_count;
static histogram latency[2];
static const volatile uint64_t *stamps;
static size_t stamp_count;
static uint8_t *buffer;

static void die(const char *what)
{
    fprintf(stderr, "receiver: %s: %s\n", what, errno ? strerror(errno) : "giving up");
    exit(1);
}

static void send_bytes(connection *c, const void *bytes, size_t size)
{
    ssize_t sent = c->tls ? tls_write(c->tls, bytes, size) : send(c->fd, bytes, size, MSG_NOSIGNAL);
    if (sent != (ssize_t)size)
        die("send");
}

static void send_frame(connection *c, uint8_t opcode, const void *payload, size_t length)
{
    uint8_t frame[4096];
    if (length > sizeof frame - FRAME_HEAD_MAX)
        die("a command is too long");
    send_bytes(c, frame, frame_write(frame, opcode, 1, payload, length));
}

/* ---- connecting ---------------------------------------------------------------------------------------------- */

static void ask_for_upgrade(connection *c)
{
    char request[1024];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s%s%s\r\n", options.path,
                          options.port,
                          options.stream ? "Accept: text/event-stream\r\n"
                                         : "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                           "Sec-WebSocket-Key: " SAMPLE_KEY "\r\nSec-WebSocket-Version: 13\r\n",
                          options.compressed ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "",
                          options.header ? options.header : "", options.header ? "\r\n" : "");
    c->state = UPGRADING;
    send_bytes(c, request, (size_t)length);
}

/* Goes on with the TLS handshake, and from it to the request. */
static void secure(connection *c)
{
    ssize_t result = tls_handshake(c->tls);
    if (result == 1)
        ask_for_upgrade(c);
    else if (result == 0)
        die("the TLS handshake failed");
}

static void open_socket(connection *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (void *)&to, sizeof to) < 0)
        die("connect");
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    if (!options.tls) {
        ask_for_upgrade(c);
        return;
    }
    c->tls = tls_open(c->fd);
    if (!c->tls)
        die("TLS, which only what is built WITH_TLS has");
    secure(c);
}

static void subscribe(connection *c)
{
    c->state = SUBSCRIBING;
    upgraded_count++;
    if (options.subscription_count) {
        int wanted = (int)((c - connections) % options.subscription_count);
        send_frame(c, options.subscriptions[wanted].opcode, options.subscriptions[wanted].bytes,
                   options.subscriptions[wanted].size);
    }
    if (options.answer && !*options.answer) {
        c->state = READY;
        ready_count++;
    }
}

/* Takes bytes of the answer to the handshake, and subscribes at the end of its head. Returns where that is. */
static size_t take_head(connection *c, const uint8_t *bytes, size_t size)
{
    static const char AGREED[] = "HTTP/1.1 101", STREAMS[] = "HTTP/1.1 200";
    for (size_t at = 0; at < size;) {
        uint8_t byte = bytes[at++];
        if (c->carried < CARRY)
            c->carry[c->carried++] = byte;
        c->blank = byte == BLANK_LINE[c->blank] ? c->blank + 1 : byte == BLANK_LINE[0];
        if (c->blank < sizeof BLANK_LINE - 1)
            continue;
        if (memcmp(c->carry, options.stream ? STREAMS : AGREED, sizeof AGREED - 1) != 0) {
            fprintf(stderr, "receiver: refused: %.*s\n", (int)strcspn((char *)c->carry, "\r"), c->carry);
            exit(1);
        }
        c->carried = 0;
        subscribe(c);
        return at;
    }
    return size;
}

/* ---- receiving ----------------------------------------------------------------------------------------------- */

static int begins_with(const uint8_t *payload, size_t length, const char *text)
{
    size_t size = strlen(text);
    return length >= size && memcmp(payload, text, size) == 0;
}

/* The answers that a connection waits for before it counts as ready. */
static void answered(connection *c, const uint8_t *payload, size_t length, int compressed)
{
    int subscribed = compressed ? c->messages == 2 : begins_with(payload, length, "{\"type\":\"system:subscribed\"");
    int ponged = compressed ? c->messages == 3 : begins_with(payload, length, "{\"type\":\"system:pong\"");
    if (c->state == SUBSCRIBING && subscribed) {
        c->state = options.ping ? PINGING : READY;
        if (options.ping)
            send_frame(c, OP_TEXT, options.ping, strlen(options.ping));
    } else if (c->state == PINGING && ponged) {
        c->state = READY;
    } else {
        return;
    }
    ready_count += c->state == READY;
}

static void count_event(connection *c, uint64_t sequence, uint64_t now)
{
    counters.events++;
    c->events++;
    if (sequence == 0)
        return;
    counters.disorder += sequence <= c->last;
    c->last = sequence;
    if (sequence < stamp_count)
        for (int i = 0; i < 2; i++) {
            uint64_t moment = stamps[sequence * 2 + (uint64_t)i];
            if (moment)
                histogram_add(&latency[i], now > moment ? now - moment : 0);
        }
}

/* Returns where the digits end. */
static const uint8_t *read_number(const uint8_t *digit, const uint8_t *end, uint64_t *number)
{
    for (*number = 0; digit < end && *digit >= '0' && *digit <= '9'; digit++)
        *number = *number * 10 + (uint64_t)(*digit - '0');
    return digit;
}

static void take_message(connection *c, const frame_head *head, const uint8_t *payload, size_t at_hand, uint64_t now)
{
    c->messages++;
    if (head->compressed) {
        if (c->state == READY)
            count_event(c, 0, now);
        else
            answered(c, payload, at_hand, 1);
        return;
    }
    const uint8_t *found = memmem(payload, at_hand < LOOK ? at_hand : LOOK, MARK, sizeof MARK - 1);
    if (!found) {
        counters.others++;
        answered(c, payload, at_hand, 0);
        return;
    }
    uint64_t sequence;
    read_number(found + sizeof MARK - 1, payload + at_hand, &sequence);
    count_event(c, sequence, now);
}

static void close_connection(connection *c)
{
    if (c->tls)
        tls_close(c->tls);
    c->tls = NULL;
    close(c->fd);
    c->state = CLOSED;
    counters.closed++;
}

/* Goes through the bytes of one read. What is cut off at the end is carried to the next one. */
static void take_bytes(connection *c, const uint8_t *bytes, size_t size, uint64_t now)
{
    size_t at = 0;
    for (;;) {
        size_t skipped = c->skip < size - at ? c->skip : size - at;
        c->skip -= skipped;
        at += skipped;
        frame_head head;
        size_t left = size - at;
        if (!frame_parse(bytes + at, left, &head))
            break;
        int control = head.opcode >= OP_CLOSE;
        if (control && head.length > CONTROL_MAX)
            die("the server sent a control frame that is too long");
        size_t needed = control || head.length < LOOK ? head.length : LOOK;
        if (left < head.size + needed)
            break;
        const uint8_t *payload = bytes + at + head.size;
        if (head.opcode == OP_PING)
            send_frame(c, OP_PONG, payload, head.length);
        else if (head.opcode == OP_CLOSE) {
            close_connection(c);
            return;
        } else if (!control)
            take_message(c, &head, payload, left - head.size < head.length ? left - head.size : head.length, now);
        at += head.size;
        c->skip = head.length;
    }
    c->carried = (uint16_t)(size - at);
    memcpy(c->carry, bytes + at, size - at);
}

/* As take_bytes, but without looking at frames. Keeps what may be the beginning of a mark, or of a number. */
static void scan_bytes(connection *c, const uint8_t *bytes, size_t size, uint64_t now)
{
    const uint8_t *at = bytes, *end = bytes + size, *found;
    if (c->state == SUBSCRIBING && memmem(bytes, size, options.answer, strlen(options.answer))) {
        c->state = READY;
        ready_count++;
    }
    while ((found = memmem(at, (size_t)(end - at), MARK, sizeof MARK - 1))) {
        uint64_t sequence;
        const uint8_t *stop = read_number(found + sizeof MARK - 1, end, &sequence);
        if (stop == end) {
            at = found;
            break;
        }
        count_event(c, sequence, now);
        at = stop;
    }
    size_t kept = found ? (size_t)(end - found) : ANSWER_MAX;
    if (kept > (size_t)(end - at))
        kept = (size_t)(end - at);
    c->carried = (uint16_t)kept;
    memcpy(c->carry, end - kept, kept);
}

static void receive(connection *c)
{
    do {
        if (c->state == SECURING)
            secure(c);
        if (c->state == SECURING || c->state == CLOSED)
            return;
        size_t carried = c->state == UPGRADING ? 0 : c->carried, at = 0;
        memcpy(buffer, c->carry, carried);
        ssize_t got = c->tls ? tls_read(c->tls, buffer + carried, READ_BYTES)
                             : recv(c->fd, buffer + carried, READ_BYTES, 0);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0 && c->state == UPGRADING)
            die("no answer to the handshake");
        if (got <= 0) {
            close_connection(c);
            return;
        }
        counters.reads++;
        counters.bytes += (uint64_t)got;
        if (c->state == UPGRADING)
            at = take_head(c, buffer, (size_t)got);
        if (c->state != UPGRADING)
            (options.scan ? scan_bytes : take_bytes)(c, buffer + at, carried + (size_t)got - at, now_ns());
    } while (c->tls && c->state != CLOSED && tls_has_more(c->tls));
}

/* ---- the harness's side -------------------------------------------------------------------------------------- */

static void begin_counting(void)
{
    memset(&counters, 0, sizeof counters);
    for (int i = 0; i < options.count; i++)
        connections[i].events = 0;
    histogram_clear(&latency[0]);
    histogram_clear(&latency[1]);
    counters.began_ns = now_ns();
    counters.began_cpu_ns = cpu_ns();
}

static void print_counters(void)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (int i = 0; i < options.count; i++) {
        least = connections[i].events < least ? connections[i].events : least;
        most = connections[i].events > most ? connections[i].events : most;
    }
    printf("{\"events\":%llu,\"others\":%llu,\"bytes\":%llu,\"reads\":%llu,\"disorder\":%llu,\"closed\":%llu,"
           "\"least\":%llu,\"most\":%llu,",
           (unsigned long long)counters.events, (unsigned long long)counters.others, (unsigned long long)counters.bytes,
           (unsigned long long)counters.reads, (unsigned long long)counters.disorder,
           (unsigned long long)counters.closed, (unsigned long long)least, (unsigned long long)most);
    histogram_print(stdout, "first", &latency[0]);
    histogram_print(stdout, "second", &latency[1]);
    printf("\"busy_ns\":%llu,\"cpu_ns\":%llu,\"wall_ns\":%llu}\n", (unsigned long long)counters.busy_ns,
           (unsigned long long)(cpu_ns() - counters.began_cpu_ns), (unsigned long long)(now_ns() - counters.began_ns));
    begin_counting();
}

static void print_lag(void)
{
    uint64_t newest = stamps ? stamps[0] : 0, slowest = newest;
    for (int i = 0; i < options.count; i++)
        if (connections[i].last < slowest)
            slowest = connections[i].last;
    printf("{\"lag\":%llu}\n", (unsigned long long)(newest - slowest));
}

static uint64_t wanted_events, wanted_until; /* an unanswered take; 0: none */

/* Returns 0 at the end of stdin. */
static int take_command(void)
{
    char line[128];
    ssize_t got = read(0, line, sizeof line - 1);
    if (got <= 0)
        return 0;
    line[got] = 0;
    unsigned long long events;
    if (sscanf(line, "take %llu", &events) == 1) {
        wanted_events = events;
        wanted_until = now_ns() + TAKE_TIMEOUT_S * NS_A_SECOND;
    } else if (strncmp(line, "lag", 3) == 0) {
        print_lag();
    } else {
        fprintf(stderr, "receiver: unknown command %s", line);
    }
    return 1;
}

/* Does what there is to do. Returns when it began, and 0 at the end of stdin. */
static uint64_t turn(int poller, int wait_ms)
{
    struct epoll_event polled[POLLED];
    int found = epoll_wait(poller, polled, POLLED, wait_ms);
    uint64_t woke = now_ns();
    for (int i = 0; i < found; i++) {
        if (polled[i].data.u32 != STDIN)
            receive(&connections[polled[i].data.u32]);
        else if (!take_command())
            return 0;
    }
    if (found > 0)
        counters.busy_ns += now_ns() - woke;
    return woke;
}

static void poll_for(int poller, int fd, uint32_t what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = what};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static void connect_all(int poller)
{
    for (int first = 0; first < options.count; first += GROUP) {
        int end = first + GROUP < options.count ? first + GROUP : options.count;
        for (int i = first; i < end; i++) {
            open_socket(&connections[i]);
            poll_for(poller, connections[i].fd, (uint32_t)i);
        }
        uint64_t give_up = now_ns() + TIMEOUT_S * NS_A_SECOND;
        while (upgraded_count < end)
            if (turn(poller, 100) > give_up) {
                fprintf(stderr, "receiver: only %d of %d handshakes were answered\n", upgraded_count, end);
                exit(1);
            }
    }
}

static void run(int poller)
{
    int announced = 0;
    uint64_t give_up = now_ns() + TIMEOUT_S * NS_A_SECOND, woke;
    while ((woke = turn(poller, options.spin && announced ? 0 : 100))) {
        if (!announced && ready_count == options.count) {
            announced = 1;
            printf("{\"ready\":%d}\n", ready_count);
        }
        if (!announced && woke > give_up) {
            fprintf(stderr, "receiver: only %d of %d subscriptions were answered\n", ready_count, options.count);
            exit(1);
        }
        if (wanted_until && (counters.events >= wanted_events || woke > wanted_until)) {
            wanted_until = 0;
            print_counters();
        }
    }
}

static void map_stamps(const char *path)
{
    int fd = open(path, O_RDONLY);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0)
        die(path);
    void *mapped = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        die(path);
    stamps = mapped;
    stamp_count = (size_t)about.st_size / (2 * sizeof *stamps);
}

static void add_subscription(uint8_t opcode, const void *bytes, size_t size)
{
    if (options.subscription_count == SUBSCRIPTIONS_MAX)
        die("too many subscriptions");
    int at = options.subscription_count++;
    options.subscriptions[at].opcode = opcode;
    options.subscriptions[at].bytes = bytes;
    options.subscriptions[at].size = size;
}

/* Decodes in place. */
static void add_hex(char *hex)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            die("a subscription is not hexadecimal");
        hex[i] = (char)byte;
    }
    add_subscription(OP_BINARY, hex, size);
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"port", required_argument, 0, 'p'},   {"connections", required_argument, 0, 'n'},
        {"path", required_argument, 0, 'u'},   {"subscribe", required_argument, 0, 's'},
        {"ping", required_argument, 0, 'g'},   {"stamps", required_argument, 0, 't'},
        {"compressed", no_argument, 0, 'c'},   {"spin", no_argument, 0, 'b'},
        {"header", required_argument, 0, 'l'}, {"answer", required_argument, 0, 'a'},
        {"scan", no_argument, 0, 'i'},         {"subscribe-hex", required_argument, 0, 'x'},
        {"stream", no_argument, 0, 'e'},       {"tls", no_argument, 0, 'y'},
        {0},
    };
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;)
        switch (option) {
        case 'p': options.port = atoi(optarg); break;
        case 'n': options.count = atoi(optarg); break;
        case 'u': options.path = optarg; break;
        case 's': add_subscription(OP_TEXT, optarg, strlen(optarg)); break;
        case 'x': add_hex(optarg); break;
        case 'l': options.header = optarg; break;
        case 'a': options.answer = optarg; break;
        case 'i': options.scan = 1; break;
        case 'e': options.stream = 1; break;
        case 'g': options.ping = optarg; break;
        case 't': map_stamps(optarg); break;
        case 'c': options.compressed = 1; break;
        case 'b': options.spin = 1; break;
        case 'y': options.tls = 1; break;
        default: return 2;
        }
    if (!options.port || options.count < 1 || !(options.subscription_count || options.scan) ||
        options.scan != (options.answer != NULL) || (options.answer && strlen(options.answer) > ANSWER_MAX)) {
        fprintf(stderr, "receiver: --port, --connections, and --subscribe or --scan with --answer are needed\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    buffer = malloc(CARRY + READ_BYTES);
    connections = calloc((size_t)options.count, sizeof *connections);
    int poller = epoll_create1(0);
    if (!buffer || !connections || poller < 0)
        die("start");
    begin_counting();
    connect_all(poller);
    poll_for(poller, STDIN_FILENO, STDIN);
    run(poller);
    return 0;
}
