# The two ends of a session: what a relay knows, its transports, what it sends and when it reads.

cdef enum ClientMode:
    C_LINE = 0       # a command begins
    C_IDLE = 1       # DONE is awaited
    C_SASL = 2       # the answer to a challenge is awaited
    C_GATHER = 3     # octets of a literal that is gathered
    C_NEXT = 4       # the line behind it
    C_STREAM = 5     # octets of an upload that pass
    C_TAIL = 6       # the line behind them
    C_EAT = 7        # octets of a refused literal
    C_EAT_LINE = 8   # the line behind them
    C_SINK = 9       # octets of an upload that session takes

cdef enum Hold:
    H_NONE = 0
    H_CONNECT = 1        # the server's greeting is awaited
    H_TAG = 2            # a tagged answer
    H_FLOW = 3           # what session does with a mail
    H_IDLE = 4           # "+" of IDLE
    H_SASL = 5           # "+" of AUTHENTICATE
    H_APPEND = 6         # "+" that the client waits for, too
    H_APPEND_OWN = 7     # "+" for a literal that the client sends unasked
    H_EMIT = 8           # "+" for a gathered literal

cdef enum ServerMode:
    S_LINE = 0
    S_LITERAL = 1
    S_REST = 2           # the line behind a literal

cdef enum Result:
    R_PASS = 0
    R_DONE = 1

cdef enum PendingFlag:
    P_HOLDS = 1          # its answer ends the hold
    P_WATCHED = 2        # session wants to see its answer
    P_IDLE = 4
    P_OWN = 8            # a command of the proxy's own
    P_GO = 16            # which awaits "+"

cdef struct Pending:
    uint8_t tag[MAX_TAG]
    uint8_t size
    uint8_t code
    uint8_t flags
    uint32_t own         # the number of the tag that the server knows; 0: it is the client's

cdef enum Gathered:
    G_NONE = 0
    G_FETCH = 1          # session sees the unit
    G_DATA = 2           # it passes once it is whole

cdef enum Fate:
    FATE_KEEP = 0        # the literal's octets stand in the gathered unit
    FATE_SINK = 1        # session takes them
    FATE_DROP = 2

cdef enum:
    MAX_EATEN = 1048576
    MAX_UNPAUSED = 98304     # octets of a client that may wait while it is still read
    ENOUGH_LATER = 1000          # lines, and octets, that wait before the server that says them is not read any more
    ENOUGH_LATER_OCTETS = 1048576
    MAX_SERVER_DEPTH = 100
    PRELOGIN_LITERAL = 8192
    TLS_SLICE = 65536        # plain octets that become ciphertext at once


cdef class Legs:
    """All fields of a relay. Sending goes to the descriptor first, the transport takes the rest."""

    cdef:
        object session
        object ctrans
        object strans
        int cfd
        int sfd
        readonly Tls ctls                  # None: the leg is plain
        readonly Tls stls
        Handshake c_shakes                 # what hears the client until TLS is there
        public object client_tap           # called with the relay and the plain octets of a chunk before they are looked at
        public object server_tap
        readonly bint c_full
        readonly bint s_full
        bint c_paused
        bint s_paused
        bint c_ended
        readonly bint s_ended      # the server has sent EOF
        public bint alone          # no server is awaited yet: the proxy answers by itself
        readonly bint stopped
        readonly bint left         # LOGOUT was answered
        public bint bye            # the client has been told BYE
        Gate _gate
        readonly uint64_t cin
        readonly uint64_t cout
        readonly uint64_t sin
        readonly uint64_t sout
        readonly uint32_t commands
        public uint64_t max_bytes_in
        public uint64_t max_bytes_out
        public uint64_t max_mail_in
        public uint64_t max_mail_out
        public uint32_t max_line
        public uint32_t max_server_line
        public uint32_t max_literal
        public uint8_t max_pending
        public bint utf8
        public bint searchres
        public bint sasl_ir                # the server takes an initial response
        public bint brief                  # nobody wants a log line of what is decided here without a question
        public bytes user                  # of the LOGIN that went on without one, until somebody took it
        readonly uint8_t fault
        readonly uint64_t offset           # of the fault: the octets of that side up to the end of the line in hand
        Py_ssize_t left_over               # octets of the chunk in hand that lie behind that line
        readonly uint8_t limit
        readonly bint wrong_state
        readonly bint plain                # the line in question has no code and no control character
        # where mails are processed
        readonly bint scanning             # own tags to the server; FETCH data and uploads are session's
        public bint watching               # all FETCH responses and mailbox data are asked about
        bytes own_prefix
        uint32_t own_count
        readonly uint32_t answered         # the number of the own command in question
        readonly int64_t number            # of the mail in the untagged response in question
        readonly bint saying               # a response of the proxy's own is under way
        public bint asking                 # every command is asked about
        public bint sending                # session wants to know when the server takes octets again
        bint choked                        # session wants no more of the server's octets for now
        uint8_t busy                       # whether a chunk is looked at
        uint8_t s_gather
        uint8_t s_fate
        Buf s_unit
        uint8_t _state
        # client's side
        uint8_t c_mode
        uint8_t hold
        uint8_t c_fault
        uint8_t c_code
        bytes c_tag
        int64_t c_remain
        int64_t c_eaten
        int64_t gathered           # octets of the literals of the command in hand
        Buf c_line
        bytes held_chunk           # the rest of a chunk that waits, from `held_from`, in the object that came in
        Py_ssize_t held_from
        bint resuming              # the chunk in hand is one that waited: it stands before `c_held`
        Buf c_held                 # what came behind it
        Buf unit
        Py_ssize_t* marks
        Py_ssize_t emit_at
        int emit_mark
        int n_marks
        bint emit_upload
        bint deferred              # the unit waits to be judged again
        Lex x
        Pending* pending
        uint8_t n_pending
        uint8_t room_pending
        # server's side
        uint8_t s_mode
        bint s_greeted
        bint s_drop
        bint s_open
        bint release
        uint8_t s_kind
        int s_depth
        int64_t s_remain
        int64_t exists
        Buf s_line
        list later
        Py_ssize_t later_size              # octets in it
        # runs of passing bytes in the chunk under the scanner
        const uint8_t* run_s
        Py_ssize_t run_s_size
        const uint8_t* run_c
        Py_ssize_t run_c_size
        bytes owner_s
        bytes owner_c
        # the question
        bytes _unit
        bytes _tag
        public bytes replacement
        readonly int code
        readonly int status
        # time, in seconds of the worker's clock
        public double idle_s
        public double login_until
        public double end_at
        public double client_recv_s
        public double server_recv_s
        public double reply_s
        public double client_send_s
        public double server_send_s
        public double greeting_until
        double c_last
        double s_last
        double c_unit                      # when the client was first seen in the unit that it is in; 0: in none
        double c_write
        double s_write
        double waits
        uint64_t c_mark
        uint64_t s_mark
        uint64_t c_queue
        uint64_t s_queue
        uint64_t c_unit_mark
        uint32_t c_unit_of         # the count of commands when it began
        bint completed

    def __cinit__(self):
        self.cfd = -1
        self.sfd = -1
        self._state = STATE_NOT_AUTHENTICATED
        self.hold = H_CONNECT
        self.max_line = 65536
        self.max_server_line = 1048576
        self.max_literal = 65536
        self.max_pending = 64
        self.exists = -1

    def __init__(self, session=None, Gate gate=None):
        self.session = session
        self._gate = gate

    def begin(self, session, Gate gate not None):
        """The session that answers, and its gate. Bytes that came before are held."""
        self.session = session
        self._gate = gate

    def __dealloc__(self):
        buf_drop(&self.c_line)
        buf_drop(&self.c_held)
        buf_drop(&self.unit)
        buf_drop(&self.s_line)
        buf_drop(&self.s_unit)
        free(self.marks)
        free(self.pending)

    def take_limits(self, Limits given not None, double began):
        """Go by these limits from now on; the session began at `began`, in seconds of the worker's clock."""
        self.max_bytes_in = given.max_bytes_in
        self.max_bytes_out = given.max_bytes_out
        self.max_mail_in = given.max_mail_in
        self.max_mail_out = given.max_mail_out
        self.max_line = given.max_line
        self.max_server_line = given.max_server_line
        self.max_literal = given.max_literal
        self.max_pending = given.max_pending
        self.idle_s = given.idle_s
        self.login_until = began + given.login_s if given.login_s else 0
        self.end_at = began + given.time_s if given.time_s else 0
        self.client_recv_s = given.client_recv_s
        self.server_recv_s = given.server_recv_s
        self.reply_s = given.reply_s
        self.client_send_s = given.client_send_s
        self.server_send_s = given.server_send_s

    def attach_client(self, transport, int fd, double now):
        self.ctrans = transport
        self.cfd = fd
        self.c_last = now

    def attach_server(self, transport, int fd, double now):
        self.strans = transport
        self.sfd = fd
        self.s_last = now

    def secure_client(self, Tls tls not None):
        """The client's leg speaks TLS, and the handshake is done: what comes and goes is ciphertext from now on."""
        self.ctls = tls
        self.c_shakes = None

    def shake_client(self, Handshake handshake not None):
        """TLS begins on the client's leg with the next octets."""
        self.c_shakes = handshake

    def secure_server(self, Tls tls not None):
        self.stls = tls

    def detach_client(self):
        """Before the transport is closed: its descriptor may belong to another soon. TLS says that it ends."""
        if self.ctls is not None and self.ctrans is not None and not self.ctls.closing:
            self.ctls.shutdown()
            self._send_output(self.ctls)
        self.cfd = -1
        self.ctrans = None

    def detach_server(self):
        if self.stls is not None and self.strans is not None and not self.stls.closing:
            self.stls.shutdown()
            self._send_output(self.stls)
        self.sfd = -1
        self.strans = None

    def stop(self):
        """Look at nothing more. What was decided before is sent."""
        self._flush_server()
        self._flush_client()
        self.stopped = True
        buf_drop(&self.c_line)
        self.held_chunk = None
        buf_drop(&self.c_held)
        buf_drop(&self.unit)
        buf_drop(&self.s_line)
        buf_drop(&self.s_unit)
        self._take_later()

    def reply(self, bytes data):
        """A response of the proxy's own, whole lines, to the client: now, or behind the unit that is under way."""
        if self.s_open or self.saying:
            if self.stopped:
                return False
            self._put_later(data)
            return True
        self._flush_client()
        self._to_client(<const uint8_t*>data, len(data), data)
        return True

    cdef int _put_later(self, bytes data) except -1:
        """Whole lines wait for the end of what is under way. While that is a response of the proxy's own, too many of
        them stop the server.
        """
        if self.later is None:
            self.later = []
        self.later.append(data)
        self.later_size += len(data)
        self._reading()
        return 0

    cdef list _take_later(self):
        """What waited, in its order; None: nothing."""
        cdef list later = self.later
        self.later = None
        self.later_size = 0
        return later

    cdef inline bint _much_later(self) noexcept:
        """Does more wait for the end of a response of the proxy's own than should?"""
        return self.saying and self.later is not None and (
            self.later_size > ENOUGH_LATER_OCTETS or len(self.later) > ENOUGH_LATER)

    def send_server(self, bytes data):
        """Bytes of the proxy's own to the server."""
        self._flush_server()
        self._to_server(<const uint8_t*>data, len(data), data)

    cdef int _replace_to_client(self) except -1:
        """Send what session put in the place of the server's line."""
        cdef bytes line = self.replacement
        self.replacement = None
        self.reply(line)
        return 0

    cdef int _replace_to_server(self) except -1:
        """Send what session put in the place of the client's line or command."""
        cdef bytes line = self.replacement
        self.replacement = None
        self._flush_server()
        return self._to_server(<const uint8_t*>line, len(line), line)

    def client_paused(self):
        """The client's transport holds bytes (pause_writing)."""
        self.c_full = True
        self._reading()

    def client_resumed(self):
        self.c_full = False
        self._reading()
        if self.saying and not self.stopped:
            self._ask(Q_CLIENT_READY)

    def server_paused(self):
        self.s_full = True
        self._reading()

    def server_resumed(self):
        self.s_full = False
        self._reading()
        if self.sending and not self.stopped:
            self._ask(Q_SERVER_READY)

    def client_eof(self):
        self.c_ended = True
        if self.ctls is not None:
            self.ctls.end()

    def server_eof(self):
        self.s_ended = True
        if self.stls is not None:
            self.stls.end()

    @cython.final
    cdef int _to_client(self, const uint8_t* p, Py_ssize_t n, bytes whole) except -1:
        if self.ctrans is None:
            return 0
        if self.ctls is not None:
            return self._seal(self.ctls, p, n)
        self.cin += n
        return self._send_client(p, n, whole)

    @cython.final
    cdef int _to_server(self, const uint8_t* p, Py_ssize_t n, bytes whole) except -1:
        if self.strans is None:
            return 0
        if self.stls is not None:
            return self._seal(self.stls, p, n)
        self.sout += n
        return self._send_server(p, n, whole)

    cdef int _seal(self, Tls tls, const uint8_t* p, Py_ssize_t n) except -1:
        """Plain octets for the leg of `tls`: slice by slice, so that ciphertext takes no room beside them. A leg that
        has said its end, or is broken, takes nothing any more: the session is about to end.
        """
        cdef Py_ssize_t size
        while n > 0 and not tls.faulted and not tls.closing:
            size = n if n < TLS_SLICE else TLS_SLICE
            if tls.write(p, size) == TLS_FAULT:
                raise RuntimeError(f"TLS: {tls.fault_reason}")
            if tls is self.ctls:
                self.cin += size
            else:
                self.sout += size
            self._send_output(tls)
            p += size
            n -= size
        return 0

    cdef int _send_output(self, Tls tls) except -1:
        """Send the ciphertext that a leg has made. It must be taken whatever happens: its room is shared."""
        cdef const uint8_t* p = NULL
        cdef Py_ssize_t n = 0
        if not tls.output(&p, &n):
            return 0
        try:
            if tls is self.ctls:
                if self.ctrans is not None:
                    self._send_client(p, n, None)
            elif self.strans is not None:
                self._send_server(p, n, None)
        finally:
            tls.sent()
        return 0

    cdef inline int _send_client(self, const uint8_t* p, Py_ssize_t n, bytes whole) except -1:
        cdef ssize_t sent = 0
        if self.cfd >= 0 and not self.c_full:
            sent = send(self.cfd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL)
            if sent == n:
                return 0
            if sent < 0:
                sent = 0
        if sent == 0 and whole is not None and len(whole) == n:
            self.ctrans.write(whole)
        else:
            self.ctrans.write(PyBytes_FromStringAndSize(<const char*>p + sent, n - sent))
        return 0

    cdef inline int _send_server(self, const uint8_t* p, Py_ssize_t n, bytes whole) except -1:
        cdef ssize_t sent = 0
        if self.sfd >= 0 and not self.s_full:
            sent = send(self.sfd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL)
            if sent == n:
                return 0
            if sent < 0:
                sent = 0
        if sent == 0 and whole is not None and len(whole) == n:
            self.strans.write(whole)
        else:
            self.strans.write(PyBytes_FromStringAndSize(<const char*>p + sent, n - sent))
        return 0

    @cython.final
    cdef int _flush_client(self) except -1:
        cdef Py_ssize_t n = self.run_c_size
        if n:
            self.run_c_size = 0
            self._to_client(self.run_c, n, self.owner_c)
        return 0

    @cython.final
    cdef int _flush_server(self) except -1:
        cdef Py_ssize_t n = self.run_s_size
        if n:
            self.run_s_size = 0
            self._to_server(self.run_s, n, self.owner_s)
        return 0

    cdef inline int _pass_server(self, const uint8_t* p, Py_ssize_t n) except -1:
        """Bytes of the chunk that pass: lengthen the run, or begin one."""
        if self.run_s_size and self.run_s + self.run_s_size == p:
            self.run_s_size += n
            return 0
        self._flush_server()
        self.run_s = p
        self.run_s_size = n
        return 0

    cdef inline int _pass_client(self, const uint8_t* p, Py_ssize_t n) except -1:
        if self.run_c_size and self.run_c + self.run_c_size == p:
            self.run_c_size += n
            return 0
        self._flush_client()
        self.run_c = p
        self.run_c_size = n
        return 0

    cdef inline bint _holds(self) noexcept:
        """Do bytes of the client wait?"""
        return self.held_chunk is not None or self.c_held.size > 0

    cdef int _keep(self, const uint8_t* p, Py_ssize_t n) except -1:
        """Let bytes of the client wait: those of the chunk in hand in the object that they came in."""
        if self.owner_s is not None and self.held_chunk is None and (self.resuming or self.c_held.size == 0):
            self.held_chunk = self.owner_s
            self.held_from = p - <const uint8_t*>self.owner_s
        else:
            buf_add(&self.c_held, p, n)
        self._reading()
        return 0

    cdef int _reading(self) except -1:
        """Read a side only while the other takes what comes, and the client only while nothing is held."""
        cdef bint off
        # A chunk that is not large waits without a pause: most waits are over before the client says more.
        off = self.s_full or self.c_full or self.c_held.size > 0 or (
            self.held_chunk is not None and len(self.held_chunk) - self.held_from > MAX_UNPAUSED)
        if off != self.c_paused and self.ctrans is not None and not self.c_ended and not self.stopped:
            self.c_paused = off
            if off:
                self.ctrans.pause_reading()
            else:
                self.ctrans.resume_reading()
        off = self.c_full or self.choked or self._much_later()
        if off != self.s_paused and self.strans is not None and not self.s_ended and not self.stopped:
            self.s_paused = off
            if off:
                self.strans.pause_reading()
            else:
                self.strans.resume_reading()
        return 0

    @cython.final
    cdef int _ask(self, int question) except -1:
        """A broken session is stopped, never passed."""
        cdef int answer
        try:
            answer = self.session.ask(question)
            if answer < 0 or answer > ANSWER_HOLD:
                raise ValueError(answer)
        except Exception as exc:
            answer = ANSWER_CLOSE
            self.session.broken(exc)
        if answer == ANSWER_CLOSE:
            self.stop()
        return answer
