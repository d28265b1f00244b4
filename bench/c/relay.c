/* relay LISTEN-PORT SERVER-PORT: a TCP relay over epoll that looks at nothing. The least that any proxy in user space costs. */
#include "sockets.h"

/* One socket of a pair. What the other one could not take waits here; meanwhile this one is not read. */
struct end {
    struct end *other;
    int fd;
    uint32_t interest;
    int read_over; /* its end of stream was seen and passed on */
    size_t waiting_size, waiting_at;
    char *waiting;
    struct end *next_dead;
};

static int epoll, listener, server_port;
static char chunk[CHUNK_BYTES];
static struct end *dead; /* freed after the batch: later events of the same batch may still name them */

static void set_interest(struct end *end, uint32_t interest) {
    if (end->interest == interest) return;
    end->interest = interest;
    watch(epoll, EPOLL_CTL_MOD, end->fd, interest, end);
}

static void close_end(struct end *end) {
    close(end->fd);
    end->fd = -1;
    free(end->waiting);
    end->waiting = NULL;
    end->next_dead = dead;
    dead = end;
}

static void close_pair(struct end *end) {
    close_end(end->other);
    close_end(end);
}

static void free_dead(void) {
    while (dead != NULL) {
        struct end *next = dead->next_dead;
        free(dead);
        dead = next;
    }
}

/* Keeps what `to` did not take; `from` is not read until it has gone. */
static void hold(struct end *from, struct end *to, const char *data, size_t size) {
    to->waiting = need(malloc(size));
    memcpy(to->waiting, data, size);
    to->waiting_size = size;
    to->waiting_at = 0;
    set_interest(from, from->interest & ~(uint32_t)EPOLLIN);
    set_interest(to, to->interest | EPOLLOUT);
}

static void pass_end(struct end *from) {
    from->read_over = 1;
    set_interest(from, from->interest & ~(uint32_t)EPOLLIN);
    if (from->other->read_over)
        close_pair(from);
    else
        shutdown(from->other->fd, SHUT_WR);
}

static void readable(struct end *from) {
    struct end *to = from->other;
    ssize_t size = recv(from->fd, chunk, sizeof chunk, 0), sent;
    if (size == 0) {
        pass_end(from);
    } else if (size < 0) {
        if (!would_block()) close_pair(from);
    } else {
        sent = send(to->fd, chunk, (size_t)size, MSG_NOSIGNAL);
        if (sent < 0 && !would_block() && errno != ENOTCONN)
            close_pair(from);
        else if (sent < size)
            hold(from, to, chunk + (sent > 0 ? sent : 0), (size_t)(size - (sent > 0 ? sent : 0)));
    }
}

static void writable(struct end *end) {
    ssize_t sent = 0;
    if (end->waiting != NULL) sent = send(end->fd, end->waiting + end->waiting_at, end->waiting_size - end->waiting_at, MSG_NOSIGNAL);
    if (sent < 0) {
        if (!would_block()) close_pair(end);
        return;
    }
    end->waiting_at += (size_t)sent;
    if (end->waiting_at < end->waiting_size) return;
    free(end->waiting);
    end->waiting = NULL;
    set_interest(end, end->interest & ~(uint32_t)EPOLLOUT);
    if (!end->other->read_over) set_interest(end->other, end->other->interest | EPOLLIN);
}

static struct end *make_end(int fd) {
    struct end *end = need(calloc(1, sizeof *end));
    end->fd = fd;
    end->interest = EPOLLIN;
    return end;
}

static void accept_all(void) {
    int client_fd, server_fd;
    while ((client_fd = accept_next(listener)) >= 0) {
        server_fd = connect_to(server_port);
        if (server_fd < 0) fail("connect");
        struct end *client = make_end(client_fd), *server = make_end(server_fd);
        client->other = server;
        server->other = client;
        watch(epoll, EPOLL_CTL_ADD, client_fd, client->interest, client);
        watch(epoll, EPOLL_CTL_ADD, server_fd, server->interest, server);
    }
}

static void serve(struct epoll_event *event) {
    struct end *end = event->data.ptr;
    if (end == NULL) {
        accept_all();
        return;
    }
    if (end->fd >= 0 && (event->events & EPOLLOUT)) writable(end);
    if (end->fd >= 0 && (event->events & EPOLLIN)) readable(end);
    if (end->fd >= 0 && !(event->events & EPOLLIN) && (event->events & (EPOLLERR | EPOLLHUP))) close_pair(end);
}

int main(int argc, char **argv) {
    struct epoll_event events[BATCH];
    if (argc != 3 || atoi(argv[1]) <= 0 || atoi(argv[2]) <= 0) return fputs("usage: relay LISTEN-PORT SERVER-PORT\n", stderr), 2;
    prepare_process();
    server_port = atoi(argv[2]);
    listener = listen_on(atoi(argv[1]));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
    for (;;) {
        int count = epoll_wait(epoll, events, BATCH, -1);
        for (int i = 0; i < count; i++) serve(&events[i]);
        free_dead();
    }
}
