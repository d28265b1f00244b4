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
        cdef Py_ssize_t n = len(data)
        self.cout += n
        if self.stopped:
            return
        if self.max_bytes_out and self.cout > self.max_bytes_out:
            self.limit = LIMIT_BYTES_OUT
            self._ask(Q_LIMIT)
            return
        self.owner_s = data
        self._look_at(<const uint8_t*>data, n, self._holds())
        self.owner_s = None

    def server_data(self, bytes data not None):
        """A chunk from the server."""
        cdef Py_ssize_t n = len(data)
        cdef bint whole = False
        self.sin += n
        if self.stopped:
            return
        if self.max_bytes_in and self.cin + n > self.max_bytes_in:
            self.limit = LIMIT_BYTES_IN
            self._ask(Q_LIMIT)
            return
        self.owner_c = data
        try:
            self._server(<const uint8_t*>data, n)
            self._flush_client()
            whole = True
        finally:
            if not whole:
                self._broken_off()
        self.owner_c = None
        if self.release and not self.stopped:
            self.release = False
            self.resume()

    def resume(self):
        """Look at what was held, unless something holds again."""
        cdef Buf held
        cdef bytes chunk = self.held_chunk
        if self.stopped or self._blocked():
            return
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
        try:
            if keep:
                self._keep(p, n)
            else:
                self._client(p, n)
                self._flush_server()
            whole = True
        finally:
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
        if self.sin != self.s_mark or (self.n_pending == 0 and not self.s_open and self.s_line.size == 0):
            self.s_mark = self.sin
            self.s_last = now
        if self.end_at and now >= self.end_at:
            return T_MAX_TIME
        if self.login_until and now >= self.login_until and self._state == STATE_NOT_AUTHENTICATED:
            return T_LOGIN
        if not self.s_greeted:
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
        elif now - self.c_last >= self.client_recv_s or now - self.c_unit >= self._unit_time():
            return T_CLIENT_RECV
        if (self.s_open or self.s_line.size) and not self.c_full and now - self.s_last >= self.server_recv_s:
            return T_SERVER_RECV
        if self.n_pending and (self.hold or self.c_mode == C_LINE) and not self.c_full and not self._only_idle() \
                and now - (self.s_last if self.s_last > self.c_last else self.c_last) >= self.reply_s:
            return T_REPLY
        if (self.n_pending == 0 or self.c_mode == C_IDLE or self.c_mode == C_SASL) and not c_unit and now - self.c_last >= self.idle_s:
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
