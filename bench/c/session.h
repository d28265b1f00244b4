/* One session of the load client: carries out the steps of a script on one socket and checks every answer. */
#ifndef BENCH_SESSION_H
#define BENCH_SESSION_H

#include "scripts.h"
#include "stream.h"

#define CHECKED_BYTES 8192 /* of each answer in a measured run; in the warm-up all of it is compared */

struct session {
    struct stream stream;
    int number, busy, lost;
    uint32_t interest;
    const struct step *steps; /* of the pass under way */
    int step_count, step_at;
    unsigned tags, passes;
    char tag[12], tail[32];
    size_t tag_size, tail_size;
    char line[256]; /* what is being said before a literal */
    size_t line_size, sent;
    size_t got; /* octets heard of the present answer */
    char kept[1024];
    size_t kept_size;
    uint64_t due_ns; /* when the pass under way was meant to begin */
};

static struct {
    int epoll, port, check_all;
    SSL_CTX *tls; /* NULL: plain connections */
    const char *server_name;
    int resume, must_resume; /* offer the session that is kept; it is a fault when that is not taken, or there is none */
    uint64_t bytes_in, bytes_out, errors, full, resumed, tickets, unclean;
    char first_error[256];
} load;

static char chunk[CHUNK_BYTES];

static void pass_done(struct session *session); /* load.c: what is done next */
static void pass_failed(struct session *session);

static inline const struct step *step_of(const struct session *session) { return &session->steps[session->step_at]; }

static void hang_up(struct session *session, int orderly) {
    load.unclean += (uint64_t)session->stream.unclean;
    session->stream.unclean = 0;
    stream_close(&session->stream, orderly);
}

static void fault(struct session *session, const char *what) {
    const char *text = step_of(session)->text;
    if (load.errors++ == 0)
        snprintf(load.first_error, sizeof load.first_error, "session %d, step %d (%s), %zu octets heard: %s", session->number,
                 session->step_at, text ? text : step_of(session)->say == SAY_CONNECT ? "connect" : "-", session->got, what);
    hang_up(session, 0);
    pass_failed(session);
}

/* ---- saying ---- */

static void set_interest(struct session *session, uint32_t interest) {
    if (session->interest == interest) return;
    session->interest = interest;
    watch(load.epoll, EPOLL_CTL_MOD, session->stream.fd, interest, session);
}

static void watch_stream(struct session *session, int unsaid) {
    set_interest(session, unsaid || stream_owes(&session->stream) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Sends what is left of the line and the literal, after what was sealed before. */
static void say_more(struct session *session) {
    const struct octets *literal = &step_of(session)->literal;
    size_t line_at = session->sent < session->line_size ? session->sent : session->line_size;
    size_t literal_at = session->sent - line_at;
    struct iovec parts[2] = {{session->line + line_at, session->line_size - line_at},
                             {literal->data + literal_at, literal->size - literal_at}};
    ssize_t sent = 0;
    if (stream_owes(&session->stream) && stream_flush(&session->stream) < 0) return fault(session, stream_reason());
    if (!stream_owes(&session->stream) && session->busy && session->sent < session->line_size + literal->size)
        sent = stream_send(&session->stream, parts);
    if (sent < 0 && !would_block()) return fault(session, stream_reason());
    if (sent > 0) {
        session->sent += (size_t)sent;
        load.bytes_out += (uint64_t)sent;
    }
    watch_stream(session, session->sent < session->line_size + literal->size);
}

static void new_tag(struct session *session) {
    session->tag_size = (size_t)sprintf(session->tag, "a%07u", ++session->tags % 10000000);
    session->tail_size = (size_t)sprintf(session->tail, "%s%s", session->tag, TAGGED_TEXT);
}

static void write_line(struct session *session, const struct step *step) {
    char *line = session->line;
    size_t used = 0;
    if (step->say == SAY_COMMAND) {
        new_tag(session);
        memcpy(line, session->tag, session->tag_size);
        line[session->tag_size] = ' ';
        used = session->tag_size + 1;
    }
    if (step->text) used += (size_t)snprintf(line + used, sizeof session->line - used, step->text, session->number);
    if (step->say == SAY_COMMAND) {
        memcpy(line + used, "\r\n", 2);
        used += 2;
    }
    session->line_size = used;
    session->sent = 0;
}

static void shaken(struct session *session) {
    int resumed = SSL_session_reused(session->stream.ssl);
    load.resumed += (uint64_t)resumed;
    load.full += (uint64_t)!resumed;
    if (!stream_group_is_good(&session->stream)) return fault(session, "another group than X25519");
    if (load.must_resume && !resumed) fault(session, "the session was not resumed");
}

static void shake(struct session *session) {
    int done = stream_shake(&session->stream);
    if (done < 0) return fault(session, stream_reason());
    watch_stream(session, 0);
    if (done) shaken(session);
}

static void begin_tls(struct session *session) {
    SSL *ssl = session->stream.ssl;
    SSL_set_connect_state(ssl);
    SSL_set_tlsext_host_name(ssl, load.server_name);
    SSL_set1_host(ssl, load.server_name);
    if (load.resume && session->stream.kept) SSL_set_session(ssl, session->stream.kept);
    shake(session);
}

static void open_connection(struct session *session) {
    int fd = connect_to(load.port);
    session->interest = EPOLLIN;
    session->line_size = session->sent = 0;
    if (fd < 0) return fault(session, strerror(errno));
    watch(load.epoll, EPOLL_CTL_ADD, fd, EPOLLIN, session);
    if (load.tls == NULL) return stream_plain(&session->stream, fd);
    stream_tls(&session->stream, fd, load.tls);
    begin_tls(session);
}

/* OpenSSL's callback: a ticket, or in TLS 1.2 a session that has an identifier. */
static int keep_session(SSL *ssl, SSL_SESSION *fresh) {
    struct stream *stream = SSL_get_app_data(ssl);
    load.tickets += SSL_SESSION_is_resumable(fresh) ? 1 : 0;
    if (stream->kept) SSL_SESSION_free(stream->kept);
    stream->kept = fresh;
    return 1;
}

/* All connections are TLS of this version from now on. 0 when the version is not known. */
static int use_tls(const char *version, const char *authority, const char *server_name) {
    load.tls = context_of(TLS_client_method(), version);
    load.server_name = server_name;
    if (load.tls == NULL) return 0;
    if (!SSL_CTX_load_verify_file(load.tls, authority)) fail_tls(authority);
    SSL_CTX_set_verify(load.tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(load.tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(load.tls, keep_session);
    return 1;
}

static void reset_connection(struct session *session) {
    struct linger at_once = {1, 0};
    setsockopt(session->stream.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static int cry(struct session *session, const char *text, size_t size) {
    struct iovec parts[2] = {{(char *)text, size}, {NULL, 0}};
    return stream_send(&session->stream, parts) >= 0;
}

/* Goes away in IDLE without LOGOUT: by FIN, by RST, with a mail asked for and not read, or in mid-literal. */
static void vanish(struct session *session) {
    static const char asking[] = "DONE\r\nv1 FETCH 64 (BODY[])\r\n", half[] = "DONE\r\nv1 APPEND INBOX {65536+}\r\nSubject: half a mail";
    unsigned way = (session->passes + (unsigned)session->number) % 4;
    if (way == 1) reset_connection(session);
    if (way == 2 && !cry(session, asking, sizeof asking - 1)) return fault(session, stream_reason());
    if (way == 3 && !cry(session, half, sizeof half - 1)) return fault(session, stream_reason());
    hang_up(session, way == 0);
}

static void start_step(struct session *session);

static void step_done(struct session *session) {
    session->kept_size = 0;
    if (++session->step_at < session->step_count) return start_step(session);
    session->busy = 0;
    session->passes++;
    pass_done(session);
}

static void start_step(struct session *session) {
    const struct step *step = step_of(session);
    session->got = 0;
    if (step->say == SAY_CONNECT) open_connection(session);
    if (step->say == SAY_VANISH) vanish(session);
    if (step->say == SAY_COMMAND || step->say == SAY_RAW) {
        write_line(session, step);
        say_more(session);
    }
    if (session->busy && step->hear == HEAR_NOTHING) step_done(session);
}

static void begin_pass(struct session *session, const struct step *steps, int count, uint64_t due_ns) {
    session->steps = steps;
    session->step_count = count;
    session->step_at = 0;
    session->due_ns = due_ns;
    session->busy = 1;
    start_step(session);
}

/* ---- hearing ---- */

static int starts(const char *line, size_t size, const char *word, size_t word_size) {
    return size >= word_size && memcmp(line, word, word_size) == 0;
}

/* 1: the line ends this step. 0: more is to come. -1: it may not stand here. */
static int judge_line(const struct session *session, const char *line, size_t size) {
    size_t tag = session->tag_size;
    switch (step_of(session)->hear) {
        case HEAR_GREETING:
            return starts(line, size, "* OK", 4) ? 1 : -1;
        case HEAR_PLUS:
            return starts(line, size, "+ ", 2) ? 1 : -1;
        case HEAR_TAGGED:
            if (starts(line, size, session->tag, tag) && starts(line + tag, size - tag, " OK", 3)) return 1;
            return starts(line, size, "* ", 2) ? 0 : -1;
        default:
            return -1;
    }
}

/* Lines whose text each peer may word as it likes. */
static void hear_lines(struct session *session, const char *data, size_t size) {
    const char *end;
    int judged = 0;
    if (session->kept_size + size > sizeof session->kept) return fault(session, "an answer that is too long");
    memcpy(session->kept + session->kept_size, data, size);
    session->kept_size += size;
    while (judged == 0 && (end = memchr(session->kept, '\n', session->kept_size)) != NULL) {
        size_t line_size = (size_t)(end + 1 - session->kept);
        judged = judge_line(session, session->kept, line_size);
        if (judged < 0) return fault(session, "a line that may not stand here");
        session->kept_size -= line_size;
        memmove(session->kept, end + 1, session->kept_size);
    }
    if (judged && session->kept_size) return fault(session, "octets after the answer");
    if (judged) step_done(session);
}

static int same(const struct octets *expected, size_t at, const char *data, size_t size) {
    size_t limit = load.check_all || expected->size < CHECKED_BYTES ? expected->size : CHECKED_BYTES;
    if (at >= limit) return 1;
    return memcmp(expected->data + at, data, size < limit - at ? size : limit - at) == 0;
}

static void hear_exact(struct session *session, const char *data, size_t size) {
    const struct octets *expected = &step_of(session)->expected;
    size_t at = session->got, before = at < expected->size ? expected->size - at : 0;
    if (before > size) before = size;
    session->got += size;
    if (session->got > expected->size + session->tail_size) return fault(session, "octets after the answer");
    if (!same(expected, at, data, before)) return fault(session, "a wrong answer");
    if (size > before && memcmp(session->tail + (at + before - expected->size), data + before, size - before) != 0)
        return fault(session, "a wrong end of the answer");
    if (session->got == expected->size + session->tail_size) {
        if (session->sent < session->line_size + step_of(session)->literal.size) return fault(session, "an answer before the literal's end");
        step_done(session);
    }
}

/* What there is now, at most a chunk or a record. 0: nothing. */
static int hear_some(struct session *session) {
    enum hear what = step_of(session)->hear;
    ssize_t size = stream_recv(&session->stream, chunk, sizeof chunk);
    if (size < 0 && would_block()) return 0;
    if (size < 0) return fault(session, stream_reason()), 1;
    load.bytes_in += (uint64_t)size;
    if (!session->busy) {
        fault(session, size ? "octets that nobody asked for" : "closed while idle");
    } else if (size == 0 && what == HEAR_END) {
        hang_up(session, 1);
        step_done(session);
    } else if (size == 0) {
        fault(session, "closed before the answer's end");
    } else if (what == HEAR_EXACT) {
        hear_exact(session, chunk, (size_t)size);
    } else {
        hear_lines(session, chunk, (size_t)size);
    }
    return 1;
}

static void hear(struct session *session) {
    while (hear_some(session) && stream_more(&session->stream)) continue;
}

static void serve(struct session *session, uint32_t events) {
    if (session->stream.shaking) {
        shake(session);
        if (stream_more(&session->stream)) hear(session);
        return;
    }
    if (events & EPOLLOUT) say_more(session);
    if (session->stream.fd >= 0 && (events & (EPOLLIN | EPOLLERR | EPOLLHUP))) hear(session);
}

#endif
