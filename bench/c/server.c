/*
 * server PORT [CERTIFICATE KEY VERSION TICKETS]: the one canned IMAP server behind every peer, plain or TLS from the first octet. It accepts any account, keeps nothing and answers from prepared
 * octets (canned.h), so that it is cheap and the same for all. FETCH N (BODY[]) gives a mail of N KiB. Grammar is checked only
 * as far as framing needs it: lines, literals in both forms, IDLE's DONE and AUTHENTICATE's second line.
 */
#include <strings.h>

#include "canned.h"
#include "stream.h"

#define MOST_LINE 8192

enum state { COMMAND, CONTINUED, IDLING, SASL };

/* Output that the socket did not take. `owned` is what to free, NULL for canned octets. */
struct segment {
    const char *data;
    size_t size;
    char *owned;
    struct segment *next;
};

struct conn {
    struct stream stream;
    enum state state;
    int closing;
    uint32_t interest;
    size_t skip; /* octets of a literal still to come */
    char tag[65];
    char command[160]; /* the command's first line without its tag, upper case */
    size_t line_used;
    char line[MOST_LINE];
    struct segment *first, **last;
};

static int epoll, listener;
static SSL_CTX *tls;
static unsigned long full, resumed; /* handshakes so far */
static char chunk[CHUNK_BYTES];
static struct octets flags_answer, list_answer, mail_answers[1025];

/* ---- output ---- */

static void set_interest(struct conn *conn, uint32_t interest) {
    if (conn->interest == interest) return;
    conn->interest = interest;
    watch(epoll, EPOLL_CTL_MOD, conn->stream.fd, interest, conn);
}

static void drop_segment(struct conn *conn) {
    struct segment *gone = conn->first;
    conn->first = gone->next;
    if (conn->first == NULL) conn->last = &conn->first;
    free(gone->owned);
    free(gone);
}

static void queue(struct conn *conn, const char *data, size_t size, int canned) {
    struct segment *made = need(calloc(1, sizeof *made));
    made->data = data;
    made->size = size;
    if (!canned) {
        made->owned = need(malloc(size));
        memcpy(made->owned, data, size);
        made->data = made->owned;
    }
    *conn->last = made;
    conn->last = &made->next;
    set_interest(conn, EPOLLOUT);
}

/* Sends canned octets and a short text after them; what does not go at once is queued and stops the reading. */
static void answer(struct conn *conn, const struct octets *canned, const char *text, size_t size) {
    struct iovec parts[2] = {{canned ? canned->data : NULL, canned ? canned->size : 0}, {(char *)text, size}};
    ssize_t sent = conn->first ? 0 : stream_send(&conn->stream, parts);
    if (sent < 0) {
        if (!would_block()) conn->closing = 1;
        sent = 0;
    }
    for (int i = 0; i < 2; i++) {
        size_t done = (size_t)sent < parts[i].iov_len ? (size_t)sent : parts[i].iov_len;
        sent -= (ssize_t)done;
        if (done < parts[i].iov_len) queue(conn, (char *)parts[i].iov_base + done, parts[i].iov_len - done, i == 0);
    }
    if (stream_owes(&conn->stream)) set_interest(conn, EPOLLOUT);
}

static void say(struct conn *conn, const char *text) { answer(conn, NULL, text, strlen(text)); }

static void tagged(struct conn *conn, const struct octets *canned, const char *before, const char *after) {
    char text[1024];
    int size = snprintf(text, sizeof text, "%s%s%s", before, conn->tag, after);
    answer(conn, canned, text, (size_t)size);
}

/* ---- commands ---- */

static int is(const struct conn *conn, const char *word) {
    size_t size = strlen(word);
    return strncmp(conn->command, word, size) == 0 && (conn->command[size] == ' ' || conn->command[size] == '\0');
}

static void fetch(struct conn *conn) {
    const char *set = strstr(conn->command, "FETCH ");
    long mail = set ? atol(set + 6) : 0;
    if (strstr(conn->command, "BODY")) {
        if (mail < 1 || mail > 1024 || mail_answers[mail].data == NULL)
            tagged(conn, NULL, "", " NO no such mail\r\n");
        else
            tagged(conn, &mail_answers[mail], "", TAGGED_TEXT);
    } else {
        tagged(conn, strchr(conn->command, ':') ? &list_answer : &flags_answer, "", TAGGED_TEXT);
    }
}

static void log_in(struct conn *conn) { tagged(conn, NULL, "", " OK [CAPABILITY " CAPABILITIES "] logged in\r\n"); }

static void authenticate(struct conn *conn) {
    if (strchr(strchr(conn->command, ' ') ? strchr(conn->command, ' ') + 1 : "", ' ')) {
        log_in(conn);
    } else {
        conn->state = SASL;
        say(conn, "+ \r\n");
    }
}

static void idle(struct conn *conn) {
    conn->state = IDLING;
    say(conn, "+ idling\r\n");
}

static void log_out(struct conn *conn) {
    tagged(conn, NULL, "* BYE ended\r\n", TAGGED_TEXT);
    conn->closing = 1;
}

static void done(struct conn *conn) { tagged(conn, NULL, "", TAGGED_TEXT); }
static void capability(struct conn *conn) { tagged(conn, NULL, "* CAPABILITY " CAPABILITIES "\r\n", TAGGED_TEXT); }
static void id(struct conn *conn) { tagged(conn, NULL, "* ID (\"name\" \"canned\")\r\n", TAGGED_TEXT); }
static void enable(struct conn *conn) { tagged(conn, NULL, "* ENABLED\r\n", TAGGED_TEXT); }
static void select_box(struct conn *conn) { tagged(conn, NULL, SELECT_LINES, " OK [READ-WRITE] selected\r\n"); }
static void namespace(struct conn *conn) { tagged(conn, NULL, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n", TAGGED_TEXT); }
static void list(struct conn *conn) { tagged(conn, NULL, "* LIST () \"/\" INBOX\r\n", TAGGED_TEXT); }

/* For the bench: how many handshakes were full and how many resumed, this connection's among them. */
static void handshakes(struct conn *conn) {
    char text[64];
    snprintf(text, sizeof text, "* XHANDSHAKES %lu %lu\r\n", full, resumed);
    tagged(conn, NULL, text, TAGGED_TEXT);
}

static const struct {
    const char *word;
    void (*run)(struct conn *);
} COMMANDS[] = {
    {"NOOP", done},       {"FETCH", fetch},         {"UID FETCH", fetch},       {"APPEND", done},      {"IDLE", idle},
    {"LOGIN", log_in},    {"LOGOUT", log_out},      {"CAPABILITY", capability}, {"SELECT", select_box}, {"EXAMINE", select_box},
    {"ID", id},           {"ENABLE", enable},       {"NAMESPACE", namespace},   {"LIST", list},        {"CHECK", done},
    {"CLOSE", done},      {"UNSELECT", done},       {"AUTHENTICATE", authenticate}, {"XHANDSHAKES", handshakes},
};

static void run_command(struct conn *conn) {
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++)
        if (is(conn, COMMANDS[i].word)) {
            COMMANDS[i].run(conn);
            return;
        }
    tagged(conn, NULL, "", " BAD unknown\r\n");
}

/* ---- input ---- */

/* Size that `{n}` or `{n+}` at a line's end announces, or -1. */
static long announced(const char *line, size_t size, int *sync) {
    size_t at = size;
    if (size < 3 || line[size - 1] != '}') return -1;
    while (at > 0 && line[at - 1] != '{') at--;
    if (at == 0) return -1;
    *sync = line[size - 2] != '+';
    return atol(line + at);
}

static void keep_command(struct conn *conn, const char *line, size_t size) {
    size_t tag = 0, at = 0;
    while (tag < size && tag < sizeof conn->tag - 1 && line[tag] != ' ') tag++;
    memcpy(conn->tag, line, tag);
    conn->tag[tag] = '\0';
    for (tag++; tag < size && at < sizeof conn->command - 1; tag++, at++)
        conn->command[at] = (char)(line[tag] >= 'a' && line[tag] <= 'z' ? line[tag] - 32 : line[tag]);
    conn->command[at] = '\0';
}

/* One line without its CRLF. */
static void take_line(struct conn *conn, const char *line, size_t size) {
    int sync = 0;
    long literal;
    if (conn->state == IDLING || conn->state == SASL) {
        enum state was = conn->state;
        conn->state = COMMAND;
        if (was == SASL) return log_in(conn);
        if (size == 4 && strncasecmp(line, "DONE", 4) == 0) return done(conn);
        return tagged(conn, NULL, "", " BAD expected DONE\r\n");
    }
    if (conn->state == COMMAND) keep_command(conn, line, size);
    literal = announced(line, size, &sync);
    conn->state = literal >= 0 ? CONTINUED : COMMAND;
    if (literal < 0) return run_command(conn);
    conn->skip = (size_t)literal;
    if (sync) say(conn, "+ go on\r\n");
}

/* Adds to a line that came in pieces; ends the connection when it grows too long. */
static void gather(struct conn *conn, const char *data, size_t size) {
    if (conn->line_used + size > sizeof conn->line) {
        conn->closing = 1;
        size = 0;
    }
    memcpy(conn->line + conn->line_used, data, size);
    conn->line_used += size;
}

static void whole_line(struct conn *conn, const char *data, size_t size) {
    if (conn->line_used) {
        gather(conn, data, size);
        data = conn->line;
        size = conn->line_used;
        conn->line_used = 0;
    }
    take_line(conn, data, size && data[size - 1] == '\r' ? size - 1 : size);
}

static void take(struct conn *conn, const char *data, size_t size) {
    while (size && !conn->closing) {
        size_t step = conn->skip < size ? conn->skip : size;
        if (step) {
            conn->skip -= step;
        } else {
            const char *end = memchr(data, '\n', size);
            step = end ? (size_t)(end - data) + 1 : size;
            if (end)
                whole_line(conn, data, step - 1);
            else
                gather(conn, data, step);
        }
        data += step;
        size -= step;
    }
}

/* ---- connections ---- */

static void close_conn(struct conn *conn) {
    while (conn->first) drop_segment(conn);
    stream_close(&conn->stream, 1);
    free(conn);
}

static void readable(struct conn *conn) {
    ssize_t size;
    do {
        size = stream_recv(&conn->stream, chunk, sizeof chunk);
        if (size > 0)
            take(conn, chunk, (size_t)size);
        else if (size == 0 || !would_block())
            conn->closing = 1;
    } while (size > 0 && !conn->closing && stream_more(&conn->stream));
}

static void give_up(struct conn *conn) {
    conn->closing = 1;
    while (conn->first) drop_segment(conn);
    stream_forget(&conn->stream);
}

static void writable(struct conn *conn) {
    while (conn->first || stream_owes(&conn->stream)) {
        struct iovec parts[2] = {{NULL, 0}, {NULL, 0}};
        ssize_t sent = 0;
        if (stream_owes(&conn->stream)) {
            int flushed = stream_flush(&conn->stream);
            if (flushed < 0) return give_up(conn);
            if (flushed == 0) return;
            continue;
        }
        parts[0].iov_base = (char *)conn->first->data;
        parts[0].iov_len = conn->first->size;
        sent = stream_send(&conn->stream, parts);
        if (sent < 0 && would_block()) return;
        if (sent < 0) return give_up(conn);
        conn->first->data += sent;
        conn->first->size -= (size_t)sent;
        if (conn->first->size == 0) drop_segment(conn);
    }
    set_interest(conn, EPOLLIN);
}

static void greet(struct conn *conn) { say(conn, "* OK [CAPABILITY " CAPABILITIES "] canned server\r\n"); }

static void accept_all(void) {
    int fd;
    while ((fd = accept_next(listener)) >= 0) {
        struct conn *conn = need(calloc(1, sizeof *conn));
        conn->last = &conn->first;
        conn->interest = EPOLLIN;
        watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, conn);
        if (tls) {
            stream_tls(&conn->stream, fd, tls);
            SSL_set_accept_state(conn->stream.ssl);
        } else {
            stream_plain(&conn->stream, fd);
            greet(conn);
        }
    }
}

static void shake(struct conn *conn) {
    int done = stream_shake(&conn->stream);
    if (done < 0) return give_up(conn);
    if (done && !stream_group_is_good(&conn->stream)) return give_up(conn);
    if (done) {
        if (SSL_session_reused(conn->stream.ssl))
            resumed++;
        else
            full++;
        greet(conn);
    }
    set_interest(conn, conn->first || stream_owes(&conn->stream) ? EPOLLIN | EPOLLOUT : EPOLLIN);
    if (done && stream_more(&conn->stream)) readable(conn);
}

static void serve(struct epoll_event *event) {
    struct conn *conn = event->data.ptr;
    if (conn == NULL) return accept_all();
    if (conn->stream.shaking) {
        shake(conn);
        event->events = 0;
    }
    if (event->events & EPOLLOUT) writable(conn);
    if (event->events & EPOLLIN)
        readable(conn);
    else if (event->events & (EPOLLERR | EPOLLHUP))
        conn->closing = 1, event->events |= EPOLLERR;
    if (conn->closing && ((conn->first == NULL && !stream_owes(&conn->stream)) || (event->events & EPOLLERR))) close_conn(conn);
}

static void prepare_answers(void) {
    static const size_t kib[] = MAILS_IN_USE;
    flags_answer = answer_flags();
    list_answer = answer_list();
    for (size_t i = 0; i < sizeof kib / sizeof *kib; i++) mail_answers[kib[i]] = answer_mail(kib[i]);
}

static void prepare_tls(char **words) {
    int tickets = atoi(words[3]);
    tls = context_of(TLS_server_method(), words[2]);
    if (tls == NULL) fail_tls(words[2]);
    if (!SSL_CTX_use_certificate_chain_file(tls, words[0]) || !SSL_CTX_use_PrivateKey_file(tls, words[1], SSL_FILETYPE_PEM)) fail_tls(words[0]);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    if (tickets == 0) SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
    if (!SSL_CTX_set_num_tickets(tls, tickets ? 2 : 0)) fail_tls("tickets");
}

int main(int argc, char **argv) {
    struct epoll_event events[BATCH];
    if ((argc != 2 && argc != 6) || atoi(argv[1]) <= 0)
        return fputs("usage: server PORT [CERTIFICATE KEY VERSION TICKETS]\n", stderr), 2;
    prepare_process();
    if (argc == 6) prepare_tls(argv + 2);
    prepare_answers();
    listener = listen_on(atoi(argv[1]));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
    for (;;) {
        int count = epoll_wait(epoll, events, BATCH, -1);
        for (int i = 0; i < count; i++) serve(&events[i]);
    }
}
