/* What a session of the load client says and what it must hear: a prologue once, then a loop whose passes are the operations. */
#ifndef BENCH_SCRIPTS_H
#define BENCH_SCRIPTS_H

#include "canned.h"

enum say { SAY_CONNECT, SAY_COMMAND, SAY_RAW, SAY_NOTHING, SAY_VANISH };

/* TAGGED: untagged lines, then this command's OK. EXACT: these octets, then this command's OK, nothing else. */
enum hear { HEAR_GREETING, HEAR_TAGGED, HEAR_EXACT, HEAR_PLUS, HEAR_END, HEAR_NOTHING };

struct step {
    enum say say;
    const char *text; /* with SAY_COMMAND: what follows the tag, %d is the session's number */
    enum hear hear;
    size_t literal_kib;    /* a mail of this size follows the text at once */
    struct octets expected; /* of HEAR_EXACT; filled at start from `make` */
    struct octets (*make)(void);
    size_t mail_kib; /* or from the mail of this size */
    struct octets literal;
};

#define MOST_STEPS 8

struct script {
    const char *name;
    struct step prologue[MOST_STEPS]; /* ends at a step without `hear` and `say` set: see step_count */
    int prologue_steps;
    struct step loop[MOST_STEPS];
    int loop_steps;
};

#define CONNECT {.say = SAY_CONNECT, .hear = HEAR_GREETING}
#define LOGIN {.say = SAY_COMMAND, .text = "LOGIN user%d secret", .hear = HEAR_TAGGED}
#define SELECT {.say = SAY_COMMAND, .text = "SELECT INBOX", .hear = HEAR_TAGGED}
#define LOGOUT {.say = SAY_COMMAND, .text = "LOGOUT", .hear = HEAR_TAGGED}
#define IDLE {.say = SAY_COMMAND, .text = "IDLE", .hear = HEAR_PLUS}
#define DONE {.say = SAY_RAW, .text = "DONE\r\n", .hear = HEAR_TAGGED}
#define NOOP {.say = SAY_COMMAND, .text = "NOOP", .hear = HEAR_EXACT}
#define FLAGS {.say = SAY_COMMAND, .text = "FETCH 1 (FLAGS)", .hear = HEAR_EXACT, .make = answer_flags}
#define LIST100 {.say = SAY_COMMAND, .text = "FETCH 1:100 (UID FLAGS)", .hear = HEAR_EXACT, .make = answer_list}
#define FETCH(kib) {.say = SAY_COMMAND, .text = "FETCH " #kib " (BODY[])", .hear = HEAR_EXACT, .mail_kib = kib}
#define APPEND(kib, octets) \
    {.say = SAY_COMMAND, .text = "APPEND INBOX {" #octets "+}", .hear = HEAR_EXACT, .literal_kib = kib}
#define ANNOUNCE(octets) {.say = SAY_COMMAND, .text = "APPEND INBOX {" #octets "}", .hear = HEAR_PLUS}
#define LITERAL(kib) {.say = SAY_RAW, .hear = HEAR_EXACT, .literal_kib = kib}
#define END {.say = SAY_NOTHING, .hear = HEAR_END}
#define VANISH {.say = SAY_VANISH, .hear = HEAR_NOTHING}

#define OPENED {CONNECT, LOGIN, SELECT}, 3

static struct script SCRIPTS[] = {
    {"noop", OPENED, {NOOP}, 1},
    {"flags", OPENED, {FLAGS}, 1},
    {"list100", OPENED, {LIST100}, 1},
    {"fetch4k", OPENED, {FETCH(4)}, 1},
    {"fetch64k", OPENED, {FETCH(64)}, 1},
    {"fetch1m", OPENED, {FETCH(1024)}, 1},
    {"append64k", OPENED, {APPEND(64, 65536)}, 1},
    {"append1m", OPENED, {APPEND(1024, 1048576)}, 1},
    {"append64k-sync", OPENED, {ANNOUNCE(65536), LITERAL(64)}, 2},
    {"append1m-sync", OPENED, {ANNOUNCE(1048576), LITERAL(1024)}, 2},
    {"login-cycle", {}, 0, {CONNECT, LOGIN, LOGOUT, END}, 4},
    {"idle", OPENED, {}, 0},
    {"moved", {CONNECT, LOGIN, SELECT, APPEND(200, 204800), FETCH(200)}, 5, {}, 0},
    {"wake", {CONNECT, LOGIN, SELECT, IDLE}, 4, {DONE, FLAGS, FETCH(4), NOOP, LOGOUT, END}, 6},
    {"churn", {}, 0, {CONNECT, LOGIN, SELECT, FETCH(4), IDLE, VANISH}, 6},
};

static inline void prepare_step(struct step *step) {
    if (step->make) step->expected = step->make();
    if (step->mail_kib) step->expected = answer_mail(step->mail_kib);
    if (step->literal_kib) step->literal = literal_of(step->literal_kib);
}

/* The script of that name with its octets made, or NULL. */
static inline struct script *find_script(const char *name) {
    for (size_t i = 0; i < sizeof SCRIPTS / sizeof *SCRIPTS; i++) {
        if (strcmp(SCRIPTS[i].name, name) != 0) continue;
        for (int step = 0; step < SCRIPTS[i].prologue_steps; step++) prepare_step(&SCRIPTS[i].prologue[step]);
        for (int step = 0; step < SCRIPTS[i].loop_steps; step++) prepare_step(&SCRIPTS[i].loop[step]);
        return &SCRIPTS[i];
    }
    return NULL;
}

#endif
