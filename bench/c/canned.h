/* The canned mailbox: what server.c answers and load.c expects, octet for octet. Mail N has N KiB; 1:100 are listed. */
#ifndef BENCH_CANNED_H
#define BENCH_CANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB 1024
#define LISTED 100
#define TAGGED_TEXT " OK done\r\n"
#define MAILS_IN_USE {4, 64, 200, 1024}

#define CAPABILITIES                                                                                         \
    "IMAP4rev1 LITERAL+ SASL-IR IDLE ENABLE ID UIDPLUS NAMESPACE MOVE UNSELECT CHILDREN SPECIAL-USE CONDSTORE " \
    "AUTH=PLAIN"

#define SELECT_LINES                                                   \
    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"      \
    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Seen \\*)] kept\r\n" \
    "* 1024 EXISTS\r\n"                                                \
    "* 0 RECENT\r\n"                                                   \
    "* OK [UIDVALIDITY 1] valid\r\n"                                   \
    "* OK [UIDNEXT 1025] next\r\n"

/* A run of octets: an answer's untagged part, or what a client sends as a literal. */
struct octets {
    char *data;
    size_t size;
};

static inline struct octets octets_of(const char *text) {
    struct octets made = {strdup(text), strlen(text)};
    return made;
}

/* Lines of 76 characters and CRLF, as a base64 part has them. */
static inline void fill_mail(char *into, size_t size) {
    static const char header[] = "From: a@example.org\r\nTo: b@example.org\r\nSubject: bench\r\n\r\n";
    size_t at = 0;
    for (; at < size && at < sizeof header - 1; at++) into[at] = header[at];
    for (size_t column = 0; at < size; at++, column = (column + 1) % 78)
        into[at] = column == 76 ? '\r' : column == 77 ? '\n' : (char)('A' + (at * 7 + column) % 26);
    if (size >= 2) memcpy(into + size - 2, "\r\n", 2);
}

/* What a client sends for an APPEND after the announcement: the mail and the line's end. */
static inline struct octets literal_of(size_t kib) {
    struct octets made = {malloc(kib * KIB + 2), kib * KIB + 2};
    fill_mail(made.data, kib * KIB);
    memcpy(made.data + kib * KIB, "\r\n", 2);
    return made;
}

static inline struct octets answer_mail(size_t kib) {
    struct octets made = {malloc(kib * KIB + 128), 0};
    made.size = (size_t)sprintf(made.data, "* %zu FETCH (BODY[] {%zu}\r\n", kib, kib * KIB);
    fill_mail(made.data + made.size, kib * KIB);
    made.size += kib * KIB;
    memcpy(made.data + made.size, ")\r\n", 3);
    made.size += 3;
    return made;
}

static inline struct octets answer_flags(void) { return octets_of("* 1 FETCH (FLAGS (\\Seen))\r\n"); }

static inline struct octets answer_list(void) {
    struct octets made = {malloc(LISTED * 64), 0};
    for (int mail = 1; mail <= LISTED; mail++)
        made.size += (size_t)sprintf(made.data + made.size, "* %d FETCH (UID %d FLAGS (%s))\r\n", mail, mail + 1000,
                                     mail % 3 ? "\\Seen" : "\\Seen \\Answered");
    return made;
}

#endif
