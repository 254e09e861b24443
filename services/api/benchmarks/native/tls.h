/* TLS on the receiver's side: OpenSSL, on sockets that never block. Only what is built WITH_TLS has it.
 *
 * The server's certificate is not checked: it was made for this run, and the server is on this machine.
 */
#ifndef RMOS_BENCH_TLS_H
#define RMOS_BENCH_TLS_H

#include <errno.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef WITH_TLS

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>

typedef SSL tls;

/* Speaks as a client on a connected socket. Returns NULL when it cannot. */
static inline tls *tls_open(int fd)
{
    static SSL_CTX *context;
    if (!context) {
        signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
        context = SSL_CTX_new(TLS_client_method());
        if (!context)
            return NULL;
        SSL_CTX_set_read_ahead(context, 1); /* one system call for all that is there, instead of two a record */
    }
    SSL *one = SSL_new(context);
    if (!one || !SSL_set_fd(one, fd))
        return NULL;
    SSL_set_connect_state(one);
    return one;
}

/* What a call that gave nothing stands for, as recv() says it: -1 with EAGAIN, 0 for the end. */
static inline ssize_t tls_nothing(tls *one, int result)
{
    int why = SSL_get_error(one, result);
    ERR_clear_error(); /* or the next connection's error would be this one's */
    if (why != SSL_ERROR_WANT_READ)
        return 0;
    errno = EAGAIN;
    return -1;
}

/* Goes on with the handshake. Returns 1 once it is done, else as tls_nothing. */
static inline ssize_t tls_handshake(tls *one)
{
    int result = SSL_do_handshake(one);
    return result == 1 ? 1 : tls_nothing(one, result);
}

/* Whether there may be more to read that the socket does not tell of. */
static inline int tls_has_more(tls *one)
{
    return SSL_has_pending(one);
}

/* As recv(). A record is at most 16 KB, so one call is many reads. */
static inline ssize_t tls_read(tls *one, void *to, size_t size)
{
    size_t at = 0, got;
    do {
        int result = SSL_read_ex(one, (char *)to + at, size - at, &got);
        if (!result) {
            ssize_t nothing = tls_nothing(one, result);
            return at ? (ssize_t)at : nothing;
        }
        at += got;
    } while (at < size && SSL_has_pending(one));
    return (ssize_t)at;
}

/* As send(). */
static inline ssize_t tls_write(tls *one, const void *bytes, size_t size)
{
    size_t sent;
    return SSL_write_ex(one, bytes, size, &sent) ? (ssize_t)sent : -1;
}

static inline void tls_close(tls *one)
{
    SSL_free(one);
}

#else

typedef struct tls tls; /* there is none */

static inline tls *tls_open(int fd)
{
    (void)fd;
    return NULL;
}

static inline ssize_t tls_handshake(tls *one)
{
    (void)one;
    return 0;
}

static inline int tls_has_more(tls *one)
{
    (void)one;
    return 0;
}

static inline ssize_t tls_read(tls *one, void *to, size_t size)
{
    (void)one, (void)to, (void)size;
    return 0;
}

static inline ssize_t tls_write(tls *one, const void *bytes, size_t size)
{
    (void)one, (void)bytes, (void)size;
    return -1;
}

static inline void tls_close(tls *one)
{
    (void)one;
}

#endif
#endif
