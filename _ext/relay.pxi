# Both directions of one session: cut, look up, pass or ask.
#
# Client to server: every line is tokenised before any of it goes on. What passes leaves the socket's own buffer: one
# send for a run of passing bytes. Server to client: data lines pass after a scan for framing; what somebody waits for
# is asked. A line is never passed in part; literals of FETCH and APPEND stream.
#
# Holding: after a command whose answer decides how the next bytes are to be read, nothing more of the client is looked
# at until that answer is there (architecture.md section 6).
#
# Each of Legs, Turns, Gathering, Upward, Downward has what the next ones call; all fields are in the first.
# `cython.final` stands where a call comes once a line or chunk: it needs no table of methods then.

@cython.final
cdef class Relay(Downward):
    """One session's wire. `session.ask(question)` answers; `attach_*` gives it transports (or None in tests).

    Counters are octets at the sockets: `cin` to the client, `cout` from it, `sin` from the server, `sout` to it.
    """

    # ---- bytes in -----------------------------------------------------------------------------------------------

    def client_data(self, bytes data not None):
        """A chunk from the client."""
        if self.c_shakes is not None:
            self.c_shakes.data(data)
        elif self.ctls is None:
            self._from_client(<const uint8_t*>data, len(data), data)
        elif not self.stopped:
            self._open_client(<const uint8_t*>data, len(data))

    @cython.final
    cdef int _from_client(self, const uint8_t* p, Py_ssize_t n, bytes owner) except -1:
        """Plain octets of the client, in `owner` where it is given."""
        if self.client_tap is not None:
            self.client_tap(self, PyBytes_FromStringAndSize(<const char*>p, n) if owner is None else owner)
        self.cout += n
        if self.stopped:
            return 0
        if self.max_bytes_out and self.cout > self.max_bytes_out:
            self.limit = LIMIT_BYTES_OUT
            self._ask(Q_LIMIT)
            return 0
        self.owner_s = owner
        self._look_at(p, n, self._holds())
        self.owner_s = None
        if self.release and not self.stopped:
            self.release = False
            self.resume()
        return 0

    cdef int _open_client(self, const uint8_t* p, Py_ssize_t n) except -1:
        """Ciphertext of the client."""
        cdef Tls tls = self.ctls
        cdef Py_ssize_t got
        if tls.faulted or tls.closed:
            return 0
        plain_take()
        try:
            tls.feed(p, n)
            while True:
                got = tls.read(tls_plain, TLS_PLAIN)
                self._send_output(tls)
                if got <= 0 or self.stopped:
                    break
                self._from_client(tls_plain, got, None)
        finally:
            plain_leave()
            tls.settle()
        if (tls.faulted or tls.closed) and not self.stopped:
            self._ask(Q_CLIENT_TLS)
        return 0

    def server_data(self, bytes data not None):
        """A chunk from the server."""
        if self.stls is None:
            self._from_server(<const uint8_t*>data, len(data), data)
        elif not self.stopped:
            self._open_server(<const uint8_t*>data, len(data))

    @cython.final
    cdef int _from_server(self, const uint8_t* p, Py_ssize_t n, bytes owner) except -1:
        """Plain octets of the server, in `owner` where it is given."""
        if self.server_tap is not None:
            self.server_tap(self, PyBytes_FromStringAndSize(<const char*>p, n) if owner is None else owner)
        self.sin += n
        if self.stopped:
            return 0
        if self.max_bytes_in and self.cin + n > self.max_bytes_in:
            self.limit = LIMIT_BYTES_IN
            self._ask(Q_LIMIT)
            return 0
        return self._hear(p, n, owner)

    @cython.final
    cdef int _hear(self, const uint8_t* p, Py_ssize_t n, bytes owner) except -1:
        cdef bint whole = False
        self.owner_c = owner
        self.busy += 1
        try:
            self._server(p, n)
            self._flush_client()
            whole = True
        finally:
            self.busy -= 1
            if not whole:
                self._broken_off()
        self.owner_c = None
        if self.release and not self.stopped:
            self.release = False
            self.resume()
        return 0

    cdef int _open_server(self, const uint8_t* p, Py_ssize_t n) except -1:
        """Ciphertext of the server."""
        cdef Tls tls = self.stls
        cdef Py_ssize_t got
        if tls.faulted or tls.closed:
            return 0
        plain_take()
        try:
            tls.feed(p, n)
            while True:
                got = tls.read(tls_plain, TLS_PLAIN)
                self._send_output(tls)
                if got <= 0 or self.stopped:
                    break
                self._from_server(tls_plain, got, None)
        finally:
            plain_leave()
            tls.settle()
        if (tls.faulted or tls.closed) and not self.stopped:
            self._ask(Q_SERVER_TLS)
        return 0

    def server_said(self, bytes line not None):
        """A line that stands for what the server said where the relay did not listen: its greeting, before TLS."""
        self._hear(<const uint8_t*>line, len(line), line)

    def count_talk(self, uint64_t received, uint64_t sent):
        """Octets of a talk with the server that the relay did not hear."""
        self.sin += received
        self.sout += sent

    def await_server(self):
        """From now on a server's greeting is awaited: commands that come before it are held."""
        self.alone = False
        self.hold = H_CONNECT

    @property
    def unread(self):
        """Octets of the client that stand behind the line in question, or wait."""
        cdef Py_ssize_t held = 0 if self.held_chunk is None else len(self.held_chunk) - self.held_from
        return self.left_over + held + self.c_held.size

    def resume(self):
        """Look at what was held, unless something holds again."""
        cdef Buf held
        cdef bytes chunk
        if self.stopped or self._blocked():
            return
        if self.deferred:
            self.deferred = False
            try:
                self._judge_again()
            except BaseException:
                self._broken_off()
                raise
            if self.stopped or self._blocked():
                return
        chunk = self.held_chunk
        if chunk is not None:
            self.held_chunk = None
            self.owner_s = chunk
            self.resuming = True
            self._look_at(<const uint8_t*>chunk + self.held_from, len(chunk) - self.held_from, False)
            self.resuming = False
            self.owner_s = None
            self._reading()
        if self.c_held.size and self.held_chunk is None and not self.stopped and not self._blocked():
            held = self.c_held
            self.c_held.data = NULL
            self.c_held.size = self.c_held.room = 0
            try:
                self._look_at(held.data, held.size, False)
            finally:
                free(held.data)
            self._reading()

    @cython.final
    cdef int _look_at(self, const uint8_t* p, Py_ssize_t n, bint keep) except -1:
        """Octets of the client, in their order; `keep`: those before them wait still."""
        cdef bint whole = False
        self.busy += 1
        try:
            if keep:
                self._keep(p, n)
            else:
                self._client(p, n)
                self._flush_server()
            whole = True
        finally:
            self.busy -= 1
            if not whole:
                self._broken_off()
        return 0

    cdef void _broken_off(self) noexcept:
        """An exception broke off a chunk: its rest is lost, so nothing that follows may pass, and no pointer into it
        may stay. The session is about to be ended for that.
        """
        self.run_s_size = self.run_c_size = 0
        self.owner_s = self.owner_c = None
        self.resuming = False
        self.stopped = True

    # ---- time ---------------------------------------------------------------------------------------------------

    def tick(self, double now):
        """What ran out, as an index of TIMEOUTS, or 0. Called about twice a second; `now` in seconds."""
        cdef bint c_unit
        if self.cout != self.c_mark or self.completed:
            self.c_mark = self.cout
            self.completed = False
            self.c_last = now
        # While nobody reads the server its silence is ours.
        if self.sin != self.s_mark or self.s_paused or (
                self.n_pending == 0 and self.s_mode == S_LINE and self.s_line.size == 0):
            self.s_mark = self.sin
            self.s_last = now
        if self.end_at and now >= self.end_at:
            return T_MAX_TIME
        if self.login_until and now >= self.login_until and self._state == STATE_NOT_AUTHENTICATED:
            return T_LOGIN
        if not self.s_greeted and not self.alone:
            return T_GREETING if self.greeting_until and now >= self.greeting_until else 0
        if self._stalled(self.ctrans, self.c_full, &self.c_queue, &self.c_write, now, self.client_send_s):
            return T_CLIENT_SEND
        if self._stalled(self.strans, self.s_full, &self.s_queue, &self.s_write, now, self.server_send_s):
            return T_SERVER_SEND
        c_unit = not self.hold and (self.c_line.size > 0 or (self.c_mode >= C_GATHER))
        if not c_unit or self.s_full or self.c_full:
            self.c_unit = 0
        elif self.c_unit == 0 or self.c_unit_of != self.commands:
            self.c_unit = now
            self.c_unit_of = self.commands
            self.c_unit_mark = self.cout
        elif now - (self.c_last if self.c_last > self.c_unit else self.c_unit) >= self.client_recv_s \
                or now - self.c_unit >= self._unit_time():
            return T_CLIENT_RECV
        if (self.s_mode != S_LINE or self.s_line.size) and not self.c_full and now - self.s_last >= self.server_recv_s:
            return T_SERVER_RECV
        if self.n_pending and (self.hold or self.c_mode == C_LINE) and not self.c_full and not self._only_idle() \
                and now - (self.s_last if self.s_last > self.c_last else self.c_last) >= self.reply_s:
            return T_REPLY
        if (self.n_pending == 0 or self.c_mode == C_IDLE or self.c_mode == C_SASL) and not c_unit and self.hold != H_FLOW and now - self.c_last >= self.idle_s:
            return T_IDLE
        return 0

    cdef bint _only_idle(self) noexcept:
        return self.n_pending == 1 and self.pending[0].flags & P_IDLE and self.c_mode == C_IDLE

    cdef double _unit_time(self) noexcept:
        """A line must be whole within recv-timeout of its first octet, a literal arrive at 1 KiB a second on average
        (T-L04, T-L05)."""
        cdef double arrived = self.cout - self.c_unit_mark
        return self.client_recv_s + (arrived / 1024.0 if self.c_mode >= C_GATHER else 0)

    cdef bint _stalled(self, transport, bint full, uint64_t* queue, double* since, double now, double most) except -1:
        """Has nothing been written for `most` seconds though there is something to write?"""
        cdef uint64_t size
        if not full or transport is None:
            since[0] = 0
            return False
        size = transport.get_write_buffer_size()
        if since[0] == 0 or size != queue[0]:
            queue[0] = size
            since[0] = now
            return False
        return now - since[0] >= most
