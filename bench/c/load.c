/*
 * The load client. Opens sessions and runs one script (scripts.h) on all of them, closed loop (each session has one operation
 * outstanding) or at an offered rate. With a rate, arrivals are a seeded Poisson stream and latency counts from the time at which
 * the operation was meant to begin, whether or not a session was free: nothing is omitted when the proxy stalls.
 *
 * Talks with the runner over stdin and stdout: READY once all is open, warm and drained; a line on stdin starts the measured run;
 * then RESULT and one JSON object; the next line or the end of stdin closes the sessions. Exit status 1 after any wrong answer.
 */
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <sys/time.h>
#include <time.h>

#include "histogram.h"
#include "session.h"

#define OPENING 64 /* sessions that run their prologue at the same time */
#define STALLED_NS 15000000000ull
#define WINDOW_NS 1000000000ull
#define MOST_WINDOWS 600
#define FOREVER_NS 1000000000ull

static struct {
    struct script *script;
    int session_count;
    double seconds, warm_s, rate;
    int spin;        /* with a rate: never sleep, so that the timer and the core's waking up are not what is measured */
    unsigned passes; /* of each session in the measured run, 0: as many as fit */
} option = {.session_count = 1, .seconds = 1};

static struct session *sessions;
static struct histogram latencies, window;
static double window_p99_us[MOST_WINDOWS]; /* with a rate: of each whole second */
static int window_count;
static uint64_t window_end_ns;
static enum { OPEN, RUN } phase;
static int opened, begun, busy_count;
static uint64_t operations, end_ns, progress_ns;

/* Free sessions and, with a rate, the times of arrivals that found none. Both are rings. */
static struct session **free_ring;
static size_t free_head, free_size;
static uint64_t *late_ring, next_due_ns;
static size_t late_head, late_size, late_room;
static uint64_t random_state;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static double cpu_s(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* ---- latencies ---- */

static void end_window(uint64_t now) {
    if (window_count < MOST_WINDOWS) window_p99_us[window_count++] = (double)quantile(&window, .99) / 1e3;
    memset(&window, 0, sizeof window);
    while (window_end_ns <= now) window_end_ns += WINDOW_NS;
}

static void record_latency(uint64_t now, uint64_t latency) {
    record(&latencies, latency);
    if (option.rate <= 0) return;
    if (now >= window_end_ns) end_window(now);
    record(&window, latency);
}

static int by_size(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Of all operations; with a rate, the median over whole seconds: a second in which the machine stood still is one of many. */
static double p99_us(void) {
    if (window_count < 2) return (double)quantile(&latencies, .99) / 1e3;
    qsort(window_p99_us, (size_t)window_count, sizeof *window_p99_us, by_size);
    return (window_p99_us[(window_count - 1) / 2] + window_p99_us[window_count / 2]) / 2;
}

/* ---- who does what next ---- */

static void begin(struct session *session, const struct step *steps, int count, uint64_t due_ns) {
    busy_count++;
    begin_pass(session, steps, count, due_ns);
}

static void begin_loop(struct session *session, uint64_t due_ns) {
    begin(session, option.script->loop, option.script->loop_steps, due_ns);
}

static void release(struct session *session) {
    free_ring[(free_head + free_size++) % (size_t)option.session_count] = session;
}

static void open_next(void) {
    if (begun < option.session_count) begin(&sessions[begun++], option.script->prologue, option.script->prologue_steps, 0);
}

static void pass_done(struct session *session) {
    uint64_t now = progress_ns = now_ns();
    busy_count--;
    if (phase == OPEN) {
        opened++;
        return open_next();
    }
    operations++;
    record_latency(now, now > session->due_ns ? now - session->due_ns : 0);
    if (option.rate > 0)
        release(session);
    else if (now < end_ns && (option.passes == 0 || session->passes < option.passes))
        begin_loop(session, now);
}

/* A session that opens its own connection in each pass goes on; any other is lost. */
static void pass_failed(struct session *session) {
    progress_ns = now_ns();
    if (session->busy) busy_count--;
    session->busy = 0;
    session->lost = option.script->prologue_steps > 0;
    if (session->lost) return;
    session->passes++;
    release(session);
}

static double random_part(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return ((double)(random_state >> 11) + 1.0) / 9007199254740993.0;
}

static void keep_late(uint64_t due_ns) {
    if (late_size == late_room) {
        size_t room = late_room ? late_room * 2 : 1024;
        uint64_t *wider = need(malloc(room * sizeof *wider));
        for (size_t i = 0; i < late_size; i++) wider[i] = late_ring[(late_head + i) % late_room];
        free(late_ring);
        late_ring = wider;
        late_head = 0;
        late_room = room;
    }
    late_ring[(late_head + late_size++) % late_room] = due_ns;
}

static void dispatch_arrivals(uint64_t now) {
    while (next_due_ns <= now && next_due_ns < end_ns) {
        keep_late(next_due_ns);
        next_due_ns += (uint64_t)(-log(random_part()) / option.rate * 1e9);
    }
    while (late_size && free_size) {
        struct session *session = free_ring[free_head];
        uint64_t due_ns = late_ring[late_head];
        free_head = (free_head + 1) % (size_t)option.session_count;
        late_head = (late_head + 1) % late_room;
        free_size--;
        late_size--;
        if (!session->lost) begin_loop(session, due_ns);
    }
}

/* ---- running ---- */

static void wait_for_events(uint64_t most_ns) {
    static struct epoll_event events[BATCH];
    int spins = option.spin && option.rate > 0 && phase == RUN;
    struct timespec wait = {(time_t)(most_ns / 1000000000ull), (long)(most_ns % 1000000000ull)};
    int count = spins ? epoll_wait(load.epoll, events, BATCH, 0) : epoll_pwait2(load.epoll, events, BATCH, &wait, NULL);
    if (spins && count == 0) sched_yield(); /* the server may share this core */
    if (count < 0 && errno != EINTR) fail("epoll_pwait2");
    for (int i = 0; i < count; i++) serve(events[i].data.ptr, events[i].events);
}

static void give_up(void) {
    for (int i = 0; i < option.session_count; i++)
        if (sessions[i].busy) fault(&sessions[i], "no answer");
}

static uint64_t until(uint64_t then_ns, uint64_t now) {
    if (then_ns <= now) return 0;
    return then_ns - now < FOREVER_NS ? then_ns - now : FOREVER_NS;
}

static void open_all(void) {
    phase = OPEN;
    opened = option.script->prologue_steps ? 0 : option.session_count;
    progress_ns = now_ns();
    if (opened) return;
    while (begun < option.session_count && begun < OPENING) open_next();
    while (busy_count > 0 && load.errors == 0) {
        wait_for_events(FOREVER_NS);
        if (now_ns() - progress_ns > STALLED_NS) give_up();
    }
}

static void begin_run(double seconds) {
    uint64_t now = now_ns();
    phase = RUN;
    memset(&latencies, 0, sizeof latencies);
    memset(&window, 0, sizeof window);
    window_count = 0;
    window_end_ns = now + WINDOW_NS;
    operations = load.bytes_in = load.bytes_out = 0;
    load.full = load.resumed = load.tickets = load.unclean = 0;
    end_ns = now + (uint64_t)(seconds * 1e9);
    next_due_ns = progress_ns = now;
    free_size = late_size = 0;
    random_state = 88172645463325252ull;
    for (int i = 0; i < option.session_count && option.rate > 0; i++)
        if (!sessions[i].lost) release(&sessions[i]);
    for (int i = 0; i < option.session_count && option.rate <= 0; i++) {
        sessions[i].passes = 0;
        if (!sessions[i].lost) begin_loop(&sessions[i], now_ns());
    }
}

/* Returns the seconds from the first operation's start to the last one's end. */
static double run(double seconds) {
    uint64_t start = now_ns(), now = start;
    begin_run(seconds);
    while (busy_count > 0 || late_size || (option.rate > 0 && now < end_ns)) {
        if (option.rate > 0) dispatch_arrivals(now);
        wait_for_events(option.rate > 0 && now < end_ns ? until(next_due_ns < end_ns ? next_due_ns : end_ns, now) : FOREVER_NS);
        now = now_ns();
        if (busy_count > 0 && now - progress_ns > STALLED_NS) give_up();
        if (busy_count == 0 && free_size == 0 && option.rate > 0) break; /* every session is lost */
    }
    return (double)(now_ns() - start) / 1e9;
}

static void print_text(const char *text) {
    for (; *text; text++) putchar(*text < ' ' || *text == '"' || *text == '\\' ? '?' : *text);
}

static void print_result(double wall_s, double used_s) {
    printf("RESULT {\"script\": \"%s\", \"sessions\": %d, \"opened\": %d, \"operations\": %llu, \"bytes_in\": %llu, \"bytes_out\": %llu, ",
           option.script->name, option.session_count, opened, (unsigned long long)operations, (unsigned long long)load.bytes_in,
           (unsigned long long)load.bytes_out);
    printf("\"wall_s\": %.6f, \"load_cpu_s\": %.6f, \"offered\": %.1f, \"p50_us\": %.2f, \"p90_us\": %.2f, \"p99_us\": %.2f, \"p99_all_us\": %.2f, \"most_us\": %.2f, ",
           wall_s, used_s, option.rate, (double)quantile(&latencies, .5) / 1e3, (double)quantile(&latencies, .9) / 1e3,
           p99_us(), (double)quantile(&latencies, .99) / 1e3, (double)latencies.most / 1e3);
    printf("\"full\": %llu, \"resumed\": %llu, \"tickets\": %llu, \"unclean\": %llu, ", (unsigned long long)load.full,
           (unsigned long long)load.resumed, (unsigned long long)load.tickets, (unsigned long long)load.unclean);
    printf("\"errors\": %llu, \"first_error\": \"", (unsigned long long)load.errors);
    print_text(load.first_error);
    printf("\"}\n");
    fflush(stdout);
}

static int wait_for_line(void) {
    int got = getchar();
    while (got != '\n' && got != EOF) got = getchar();
    return got != EOF;
}

static void prepare_sessions(void) {
    sessions = need(calloc((size_t)option.session_count, sizeof *sessions));
    free_ring = need(calloc((size_t)option.session_count, sizeof *free_ring));
    for (int i = 0; i < option.session_count; i++) {
        sessions[i].stream.fd = -1;
        sessions[i].number = i;
        sessions[i].steps = option.script->prologue;
    }
}

static int usage(void) {
    fputs("usage: load --port P --script NAME [--sessions N] [--seconds T] [--warm T] [--rate N] [--passes N] [--spin 1]\n"
          "            [--tls 1.2|1.3 --authority FILE --name HOST [--resume 1]]\n", stderr);
    return 2;
}

static int read_options(int argc, char **argv) {
    static const struct option known[] = {{"port", 1, 0, 'p'},  {"script", 1, 0, 's'}, {"sessions", 1, 0, 'n'}, {"seconds", 1, 0, 't'},
                                          {"warm", 1, 0, 'w'},  {"rate", 1, 0, 'r'},   {"passes", 1, 0, 'l'},
                                          {"spin", 1, 0, 'y'},  {"tls", 1, 0, 'v'},    {"authority", 1, 0, 'a'}, {"name", 1, 0, 'h'},
                                          {"resume", 1, 0, 'k'}, {0, 0, 0, 0}};
    const char *version = NULL, *authority = NULL, *name = NULL;
    int letter;
    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) switch (letter) {
            case 'p': load.port = atoi(optarg); break;
            case 's': option.script = find_script(optarg); break;
            case 'n': option.session_count = atoi(optarg); break;
            case 't': option.seconds = atof(optarg); break;
            case 'w': option.warm_s = atof(optarg); break;
            case 'r': option.rate = atof(optarg); break;
            case 'y': option.spin = atoi(optarg); break;
            case 'l': option.passes = (unsigned)atoi(optarg); break;
            case 'v': version = optarg; break;
            case 'a': authority = optarg; break;
            case 'h': name = optarg; break;
            case 'k': load.resume = atoi(optarg); break;
            default: return 0;
        }
    if ((version || authority || name || load.resume) && (!version || !authority || !name || !use_tls(version, authority, name))) return 0;
    return load.port > 0 && option.script != NULL && option.session_count > 0 && optind == argc;
}

int main(int argc, char **argv) {
    double used_s, wall_s = 0;
    if (!read_options(argc, argv)) return usage();
    prepare_process();
    prctl(PR_SET_TIMERSLACK, 1000);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    prepare_sessions();
    load.check_all = 1;
    open_all();
    if (load.errors == 0 && option.warm_s > 0 && option.script->loop_steps) run(option.warm_s);
    load.check_all = 0;
    load.must_resume = load.resume; /* each session has opened a connection in the warm-up */
    if (load.errors == 0) {
        printf("READY\n");
        fflush(stdout);
        if (!wait_for_line()) return 2;
    }
    used_s = cpu_s();
    if (load.errors == 0 && option.script->loop_steps) wall_s = run(option.seconds);
    print_result(wall_s, cpu_s() - used_s);
    wait_for_line();
    return load.errors > 0;
}
