/*
 * A connection, plain or TLS, with the calls of a socket. With TLS what is sealed goes out in as few writes as a plain connection would
 * use: a peer sees the same pieces. A connection holds no buffer of its own but for what the socket did not take. Both ends offer one
 * cipher per version and X25519, so every peer does the same work.
 */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/uio.h>

#include "sockets.h"

#define CIPHERSUITE "TLS_AES_128_GCM_SHA256"
#define CIPHER "ECDHE-ECDSA-AES128-GCM-SHA256"
#define GROUPS "X25519:P-256"
#define RECORD_BYTES 16384
#define SEALED_AT_ONCE (256 * 1024) /* octets of one stream_send */
#define READ_AHEAD (32 * 1024)

struct stream {
    int fd;
    SSL *ssl; /* NULL: plain */
    int shaking, unclean;
    char *out; /* sealed, and the socket did not take it */
    size_t out_at, out_size;
    SSL_SESSION *kept; /* a client's: the newest to resume; survives the connection */
};

/* What OpenSSL wrote last; always emptied before anything else is done. Room for a handshake's flight beside one stream_send. */
static struct {
    char data[SEALED_AT_ONCE + 128 * 1024];
    size_t size;
} sealed;

static BIO_METHOD *outlet;

static inline int outlet_write(BIO *bio, const char *data, int size) {
    (void)bio;
    if (sealed.size + (size_t)size > sizeof sealed.data) return -1;
    memcpy(sealed.data + sealed.size, data, (size_t)size);
    sealed.size += (size_t)size;
    return size;
}

static inline long outlet_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static inline void fail_tls(const char *what) {
    fprintf(stderr, "%s: ", what);
    ERR_print_errors_fp(stderr);
    exit(2);
}

/* A context of one version, "1.2" or "1.3"; NULL when the version is neither. */
static inline SSL_CTX *context_of(const SSL_METHOD *method, const char *version) {
    SSL_CTX *context = SSL_CTX_new(method);
    int number = strcmp(version, "1.2") == 0 ? TLS1_2_VERSION : strcmp(version, "1.3") == 0 ? TLS1_3_VERSION : 0;
    if (number == 0) return NULL;
    if (outlet == NULL) {
        outlet = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "outlet");
        BIO_meth_set_write(outlet, outlet_write);
        BIO_meth_set_ctrl(outlet, outlet_control);
    }
    if (!SSL_CTX_set_min_proto_version(context, number) || !SSL_CTX_set_max_proto_version(context, number)) fail_tls("version");
    if (!SSL_CTX_set_cipher_list(context, CIPHER) || !SSL_CTX_set_ciphersuites(context, CIPHERSUITE)) fail_tls("ciphers");
    if (!SSL_CTX_set1_groups_list(context, GROUPS)) fail_tls("groups");
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD);
    return context;
}

static inline void stream_plain(struct stream *stream, int fd) { stream->fd = fd; }

static inline void stream_tls(struct stream *stream, int fd, SSL_CTX *context) {
    BIO *out = need(BIO_new(outlet));
    stream->fd = fd;
    stream->ssl = need(SSL_new(context));
    stream->shaking = 1;
    BIO_set_init(out, 1);
    SSL_set_bio(stream->ssl, need(BIO_new_socket(fd, BIO_NOCLOSE)), out);
    SSL_set_app_data(stream->ssl, stream);
}

static inline int stream_owes(const struct stream *stream) { return stream->out != NULL; }

static inline void stream_forget(struct stream *stream) {
    free(stream->out);
    stream->out = NULL;
    stream->out_at = stream->out_size = 0;
}

static inline void keep_out(struct stream *stream, const char *data, size_t size) {
    size_t left = stream->out_size - stream->out_at;
    char *kept = need(malloc(left + size));
    if (left) memcpy(kept, stream->out + stream->out_at, left);
    memcpy(kept + left, data, size);
    free(stream->out);
    stream->out = kept;
    stream->out_at = 0;
    stream->out_size = left + size;
}

/* Sends what was sealed: 1 when the socket took all, 0 when it has to be tried again (stream_owes), -1 on an error. */
static inline int stream_flush(struct stream *stream) {
    ssize_t sent = 0;
    if (stream->out) {
        if (sealed.size) keep_out(stream, sealed.data, sealed.size);
        sealed.size = 0;
        sent = send(stream->fd, stream->out + stream->out_at, stream->out_size - stream->out_at, MSG_NOSIGNAL);
        if (sent < 0) return would_block() ? 0 : -1;
        stream->out_at += (size_t)sent;
        if (stream->out_at < stream->out_size) return 0;
        stream_forget(stream);
    } else if (sealed.size) {
        sent = send(stream->fd, sealed.data, sealed.size, MSG_NOSIGNAL);
        if (sent < 0 && !would_block()) return sealed.size = 0, -1;
        if (sent < 0) sent = 0;
        if ((size_t)sent < sealed.size) keep_out(stream, sealed.data + sent, sealed.size - (size_t)sent);
        sealed.size = 0;
    }
    return stream->out == NULL;
}

/* Why the last call failed; OpenSSL's reason before the system's. */
static inline const char *stream_reason(void) {
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    return reason ? reason : errno ? strerror(errno) : "the connection was closed";
}

/* 1: done. 0: not yet. -1: failed. */
static inline int stream_shake(struct stream *stream) {
    int done, kind;
    ERR_clear_error();
    errno = 0;
    done = SSL_do_handshake(stream->ssl);
    kind = done == 1 ? SSL_ERROR_NONE : SSL_get_error(stream->ssl, done);
    if (stream_flush(stream) < 0) return -1;
    if (done == 1) stream->shaking = 0;
    return done == 1 ? 1 : kind == SSL_ERROR_WANT_READ ? 0 : -1;
}

/* Whether a full handshake used the group that all are to use; of a resumed one there may be none. */
static inline int stream_group_is_good(const struct stream *stream) {
    return SSL_session_reused(stream->ssl) || SSL_get_negotiated_group(stream->ssl) == NID_X25519;
}

/* As recv(2): 0 at the end, also at one that TLS did not announce (`unclean`); -1 with EAGAIN when there is nothing. */
static inline ssize_t stream_recv(struct stream *stream, char *data, size_t size) {
    size_t got = 0;
    int kind;
    if (stream->ssl == NULL) return recv(stream->fd, data, size, 0);
    ERR_clear_error();
    errno = 0;
    kind = SSL_read_ex(stream->ssl, data, size, &got) ? SSL_ERROR_NONE : SSL_get_error(stream->ssl, 0);
    if (sealed.size && stream_flush(stream) < 0) return -1;
    if (kind == SSL_ERROR_NONE) return (ssize_t)got;
    if (kind == SSL_ERROR_ZERO_RETURN) return 0;
    if (kind == SSL_ERROR_SSL && ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        stream->unclean = 1;
        return 0;
    }
    errno = kind == SSL_ERROR_WANT_READ ? EAGAIN : kind == SSL_ERROR_SSL || errno == 0 ? EPROTO : errno;
    return -1;
}

/* Whether octets wait that the socket no longer shows; only a part of a record, perhaps. */
static inline int stream_more(const struct stream *stream) {
    return stream->ssl != NULL && !stream->shaking && SSL_has_pending(stream->ssl);
}

/* Seals what fits into one call, records of full size first. Returns the octets, or -1. */
static inline ssize_t seal(struct stream *stream, const struct iovec parts[2]) {
    static char record[RECORD_BYTES];
    size_t total = parts[0].iov_len + parts[1].iov_len, at = 0, most = total < SEALED_AT_ONCE ? total : SEALED_AT_ONCE, written;
    while (at < most) {
        size_t used = 0;
        const char *data = record;
        if (at + RECORD_BYTES <= parts[0].iov_len) {
            data = (const char *)parts[0].iov_base + at;
            used = RECORD_BYTES;
        } else {
            size_t first = at < parts[0].iov_len ? parts[0].iov_len - at : 0, second_at = at + first - parts[0].iov_len, second;
            if (first) memcpy(record, (const char *)parts[0].iov_base + at, first);
            second = parts[1].iov_len - second_at;
            if (second > RECORD_BYTES - first) second = RECORD_BYTES - first;
            if (second) memcpy(record + first, (const char *)parts[1].iov_base + second_at, second);
            used = first + second;
        }
        if (!SSL_write_ex(stream->ssl, data, used, &written)) return -1;
        at += used;
    }
    return (ssize_t)at;
}

/* As sendmsg(2) with two parts. With TLS the octets count as sent when they are sealed: see stream_owes. */
static inline ssize_t stream_send(struct stream *stream, const struct iovec parts[2]) {
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = 2};
    ssize_t sent;
    if (stream->ssl == NULL) return sendmsg(stream->fd, &message, MSG_NOSIGNAL);
    if (stream->shaking) return errno = EAGAIN, -1;
    if (stream->out) {
        int flushed = stream_flush(stream);
        if (flushed == 0) errno = EAGAIN;
        if (flushed <= 0) return -1;
    }
    ERR_clear_error();
    sent = seal(stream, parts);
    if (sent < 0) errno = EPROTO;
    return stream_flush(stream) < 0 ? -1 : sent;
}

/* Says the end of TLS, if it was begun, then closes. Sessions stay good for resumption also where nothing was said. */
static inline void stream_close(struct stream *stream, int orderly) {
    if (stream->ssl) {
        ERR_clear_error();
        if (orderly && !stream->shaking) {
            SSL_shutdown(stream->ssl);
            stream_flush(stream);
        }
        SSL_set_shutdown(stream->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(stream->ssl);
        sealed.size = 0;
    }
    stream_forget(stream);
    if (stream->fd >= 0) close(stream->fd);
    stream->ssl = NULL;
    stream->shaking = 0;
    stream->fd = -1;
}

#endif
