# Both directions of one session: cut, look up, pass or ask.
#
# Client to server: every line is tokenised before any of it goes on. What passes leaves the socket's own buffer: one
# send for a run of passing bytes. Server to client: data lines pass after a scan for framing; what somebody waits for
# is asked. A line is never passed in part; literals of FETCH and APPEND stream.
#
# Holding: after a command whose answer decides how the next bytes are to be read, nothing more of the client is looked
# at until that answer is there (architecture.md section 6).

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

cdef enum Hold:
    H_NONE = 0
    H_CONNECT = 1        # the server's greeting is awaited
    H_TAG = 2            # a tagged answer
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

cdef struct Pending:
    uint8_t tag[MAX_TAG]
    uint8_t size
    uint8_t code
    uint8_t flags

cdef enum:
    MAX_EATEN = 1048576
    MAX_SERVER_DEPTH = 100
    PRELOGIN_LITERAL = 8192


@cython.final
cdef class Limits:
    """The limits of a session as its ACLs have them: bytes, counts, seconds. 0 in `max_bytes_*`, `max_mail_*`,
    `login_s` and `time_s`: none. Shared by all sessions under the same ACLs.
    """

    cdef:
        public uint64_t max_bytes_in
        public uint64_t max_bytes_out
        public uint64_t max_mail_in
        public uint64_t max_mail_out
        public uint32_t max_line
        public uint32_t max_server_line
        public uint32_t max_literal
        public uint8_t max_pending
        public double idle_s
        public double login_s
        public double time_s
        public double client_recv_s
        public double server_recv_s
        public double reply_s
        public double client_send_s
        public double server_send_s


@cython.final
cdef class Relay:
    """One session's wire. `session.ask(question)` answers; `attach_*` gives it transports (or None in tests).

    Counters are octets at the sockets: `cin` to the client, `cout` from it, `sin` from the server, `sout` to it.
    """

    cdef:
        object session
        object ctrans
        object strans
        int cfd
        int sfd
        bint c_full
        bint s_full
        bint c_paused
        bint s_paused
        bint c_ended
        bint s_ended
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
        Buf c_held
        Buf unit
        Py_ssize_t* marks
        Py_ssize_t emit_at
        int emit_mark
        int n_marks
        bint emit_upload
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
        double c_unit
        double c_write
        double s_write
        double waits
        uint64_t c_mark
        uint64_t s_mark
        uint64_t c_queue
        uint64_t s_queue
        uint64_t c_unit_mark
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

    # ---- what session and net see -------------------------------------------------------------------------------

    @property
    def unit(self):
        """The bytes in question: a whole line or gathered command."""
        return self._unit

    @property
    def tag(self):
        """The tag in question, b"" if there is none."""
        return self._tag

    @property
    def command(self):
        """The name of the command in question."""
        return COMMANDS[self.code]

    @property
    def literal(self):
        """The size that the unit in question announces, or None."""
        return self.x.literal if self.x.announces else None

    @property
    def sync(self):
        return bool(self.x.sync)

    @property
    def idling(self):
        return self.c_mode == C_IDLE

    @property
    def pending_count(self):
        return self.n_pending

    @property
    def between_units(self):
        """May a response of the proxy's own go to the client now?"""
        return not self.s_open

    @property
    def in_literal(self):
        """Is a client's literal under way?"""
        return self.c_mode == C_GATHER or self.c_mode == C_STREAM

    @property
    def state(self):
        return self._state

    @state.setter
    def state(self, int value):
        self._state = value

    @property
    def gate(self):
        return self._gate

    @gate.setter
    def gate(self, Gate value):
        self._gate = value

    @property
    def quiet(self):
        """Is nothing under way that an answer may still come for?"""
        return (self.n_pending == 0 and self.c_held.size == 0 and self.hold != H_CONNECT) \
            or self.c_mode == C_IDLE or self.in_literal

    @property
    def leaving(self):
        """Is the answer to LOGOUT awaited?"""
        cdef int i
        for i in range(self.n_pending):
            if self.pending[i].code == CMD_LOGOUT:
                return True
        return False

    @property
    def midway(self):
        """Has the server got a part of the upload in hand?"""
        return self.c_mode == C_TAIL

    def challenge(self):
        """The server's challenge was replaced: the client's answer is awaited."""
        self.hold = H_NONE
        self.c_mode = C_SASL
        self.release = True

    def set_code(self, int code):
        """The command in question goes on as another one (read-only: SELECT as EXAMINE)."""
        self.c_code = <uint8_t>code

    def astrings(self):
        """The arguments of the command in question where all are atoms or strings, as a list of bytes; else None."""
        cdef list found = []
        for token in self.tokens():
            if type(token) is tuple:
                found.append((<tuple>token)[0])
            elif type(token) is bytes:
                found.append(token)
            else:
                return None
        return found

    def tokens(self):
        """The arguments of the command in question (see `tokens_of`)."""
        return tokens_of(<const uint8_t*>self._unit, len(self._unit), self.x.args_at)

    def attach_client(self, transport, int fd, double now):
        self.ctrans = transport
        self.cfd = fd
        self.c_last = now

    def attach_server(self, transport, int fd, double now):
        self.strans = transport
        self.sfd = fd
        self.s_last = now

    def detach_client(self):
        """Before the transport is closed: its descriptor may belong to another soon."""
        self.cfd = -1
        self.ctrans = None

    def detach_server(self):
        self.sfd = -1
        self.strans = None

    def stop(self):
        """Look at nothing more. What was decided before is sent."""
        self._flush_server()
        self._flush_client()
        self.stopped = True
        buf_drop(&self.c_line)
        buf_drop(&self.c_held)
        buf_drop(&self.unit)
        buf_drop(&self.s_line)
        self.later = None

    def reply(self, bytes data):
        """A response of the proxy's own, whole lines, to the client: now, or behind the unit that is under way."""
        if self.s_open:
            if self.stopped:
                return False
            if self.later is None:
                self.later = []
            self.later.append(data)
            return True
        self._flush_client()
        self._to_client(<const uint8_t*>data, len(data), data)
        return True

    def send_server(self, bytes data):
        """Bytes of the proxy's own to the server."""
        self._flush_server()
        self._to_server(<const uint8_t*>data, len(data), data)

    def client_paused(self):
        """The client's transport holds bytes (pause_writing)."""
        self.c_full = True
        self._reading()

    def client_resumed(self):
        self.c_full = False
        self._reading()

    def server_paused(self):
        self.s_full = True
        self._reading()

    def server_resumed(self):
        self.s_full = False
        self._reading()

    def client_eof(self):
        self.c_ended = True

    def server_eof(self):
        self.s_ended = True

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
        if self.c_held.size or self._blocked():
            buf_add(&self.c_held, <const uint8_t*>data, n)
            self._reading()
            return
        self.owner_s = data
        self._client(<const uint8_t*>data, n)
        self._flush_server()
        self.owner_s = None

    def server_data(self, bytes data not None):
        """A chunk from the server."""
        cdef Py_ssize_t n = len(data)
        self.sin += n
        if self.stopped:
            return
        if self.max_bytes_in and self.cin + n > self.max_bytes_in:
            self.limit = LIMIT_BYTES_IN
            self._ask(Q_LIMIT)
            return
        self.owner_c = data
        self._server(<const uint8_t*>data, n)
        self._flush_client()
        self.owner_c = None
        if self.release and not self.stopped:
            self.release = False
            self.resume()

    def resume(self):
        """Look at what was held, unless something holds again."""
        cdef Buf held
        if self.stopped or self._blocked():
            return
        if self.c_held.size:
            held = self.c_held
            self.c_held.data = NULL
            self.c_held.size = self.c_held.room = 0
            try:
                self._client(held.data, held.size)
                self._flush_server()
            finally:
                free(held.data)
            self._reading()

    def greeted(self):
        """The server's greeting has gone to the client: commands may come."""
        if self.hold == H_CONNECT:
            self.hold = H_NONE
            self.release = True

    # ---- out ----------------------------------------------------------------------------------------------------

    cdef int _to_client(self, const uint8_t* p, Py_ssize_t n, bytes whole) except -1:
        cdef ssize_t sent = 0
        if self.ctrans is None:
            return 0
        self.cin += n
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

    cdef int _to_server(self, const uint8_t* p, Py_ssize_t n, bytes whole) except -1:
        cdef ssize_t sent = 0
        if self.strans is None:
            return 0
        self.sout += n
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

    cdef int _flush_client(self) except -1:
        cdef Py_ssize_t n = self.run_c_size
        if n:
            self.run_c_size = 0
            self._to_client(self.run_c, n, self.owner_c)
        return 0

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

    cdef int _reading(self) except -1:
        """Read a side only while the other takes what comes, and the client only while nothing is held."""
        cdef bint off
        off = self.s_full or self.c_full or self.c_held.size > 0
        if off != self.c_paused and self.ctrans is not None and not self.c_ended and not self.stopped:
            self.c_paused = off
            if off:
                self.ctrans.pause_reading()
            else:
                self.ctrans.resume_reading()
        off = self.c_full
        if off != self.s_paused and self.strans is not None and not self.s_ended and not self.stopped:
            self.s_paused = off
            if off:
                self.strans.pause_reading()
            else:
                self.strans.resume_reading()
        return 0

    cdef int _ask(self, int question) except -1:
        """A broken session is stopped, never passed."""
        cdef int answer
        try:
            answer = self.session.ask(question)
            if answer < 0 or answer > 3:
                raise ValueError(answer)
        except Exception as exc:
            answer = ANSWER_CLOSE
            self.session.broken(exc)
        if answer == ANSWER_CLOSE:
            self.stop()
        return answer

    # ---- pending commands ---------------------------------------------------------------------------------------

    cdef void _idle_done(self) noexcept:
        cdef int i
        for i in range(self.n_pending):
            self.pending[i].flags &= ~P_IDLE

    cdef int _find_pending(self, const uint8_t* tag, Py_ssize_t size) noexcept:
        cdef int i
        for i in range(self.n_pending):
            if self.pending[i].size == size and memcmp(self.pending[i].tag, tag, size) == 0:
                return i
        return -1

    cdef bint _is_pending(self, bytes tag) noexcept:
        return self._find_pending(<const uint8_t*>tag, len(tag)) >= 0

    cdef int _add_pending(self, const uint8_t* tag, int size, int code, int flags) except -1:
        cdef Pending* grown
        cdef int room, i
        if flags & P_HOLDS:
            # A hold belongs to one command: the answers to earlier ones must not end it.
            for i in range(self.n_pending):
                self.pending[i].flags &= ~(P_HOLDS | (flags & P_IDLE))
        if self.n_pending == self.room_pending:
            room = self.room_pending * 4 if self.room_pending else 1
            if room > 255:
                room = 255
            grown = <Pending*>realloc(self.pending, room * sizeof(Pending))
            if grown == NULL:
                raise MemoryError
            self.pending = grown
            self.room_pending = <uint8_t>room
        memcpy(self.pending[self.n_pending].tag, tag, size)
        self.pending[self.n_pending].size = <uint8_t>size
        self.pending[self.n_pending].code = <uint8_t>code
        self.pending[self.n_pending].flags = <uint8_t>flags
        self.n_pending += 1
        return 0

    cdef inline bint _blocked(self) noexcept:
        """Must the client's next bytes wait: for an answer, or until fewer commands are pending?"""
        return self.hold != H_NONE or (self.c_mode == C_LINE and (
            self.n_pending >= self.max_pending or (self.later is not None and len(self.later) >= self.max_pending)))

    cdef void _complete(self, int at, int status) noexcept:
        """The tagged answer to pending command `at` passed: new state, end of the hold."""
        cdef int code = self.pending[at].code
        cdef int flags = self.pending[at].flags
        self.n_pending -= 1
        if at < self.n_pending:
            self.pending[at] = self.pending[self.n_pending]
        if self.n_pending == 0:
            self.completed = True
            if self.room_pending > 4:
                free(self.pending)
                self.pending = NULL
                self.room_pending = 0
        if code == CMD_SELECT or code == CMD_EXAMINE:
            self._state = STATE_SELECTED if status == 0 else STATE_AUTHENTICATED
        elif code == CMD_LOGOUT:
            self.left = status == 0
        elif (code == CMD_CLOSE or code == CMD_UNSELECT) and status == 0:
            self._state = STATE_AUTHENTICATED
        if (flags & P_IDLE and self.c_mode == C_IDLE) or (code == CMD_AUTHENTICATE and self.c_mode == C_SASL):
            self.c_mode = C_LINE
        if flags & P_HOLDS and self.hold >= H_TAG:
            self._end_hold()
        elif self.c_held.size:
            self.release = True

    cdef void _end_hold(self) noexcept:
        """The command that held is answered without the "+" that it waited for, or needs none."""
        cdef int hold = self.hold
        self.hold = H_NONE
        self.release = True
        if hold == H_APPEND_OWN or (hold == H_EMIT and self.emit_upload and not self.x.sync):
            self.c_mode = C_EAT
            self.c_remain = self.x.literal
            self.c_eaten = self.x.literal
        elif hold != H_TAG:
            self.c_mode = C_LINE
        buf_drop(&self.unit)

    # ---- client to server ---------------------------------------------------------------------------------------

    cdef int _client(self, const uint8_t* p, Py_ssize_t n) except -1:
        cdef Py_ssize_t i = 0, size
        cdef const uint8_t* nl
        cdef const uint8_t* line
        cdef bint placed
        while i < n and not self.stopped:
            if self._blocked():
                self._flush_server()
                buf_add(&self.c_held, p + i, n - i)
                self._reading()
                return 0
            if self.c_mode == C_STREAM or self.c_mode == C_EAT or self.c_mode == C_GATHER:
                size = n - i
                if size > self.c_remain:
                    size = <Py_ssize_t>self.c_remain
                if size:
                    self._client_octets(p + i, size)
                i += size
                if self.c_remain == 0:
                    self._octets_done()
                continue
            nl = <const uint8_t*>memchr(p + i, c"\n", n - i)
            size = n - i if nl == NULL else nl - (p + i) + 1
            if self.c_line.size + size > self.max_line + 2:
                self.left_over = n - i - size
                self._client_fault(F_LINE_TOO_LONG, NULL, 0)
                return 0
            if nl == NULL:
                self._flush_server()
                buf_add(&self.c_line, p + i, size)
                return 0
            placed = self.c_line.size == 0
            if placed:
                line = p + i
            else:
                buf_add(&self.c_line, p + i, size)
                line = self.c_line.data
            i += size
            size = size if placed else self.c_line.size
            self.left_over = n - i
            if self._client_line(line, size) == R_PASS and not self.stopped:
                if placed:
                    self._pass_server(line, size)
                else:
                    self._flush_server()
                    self._to_server(line, size, None)
            if not placed:
                buf_drop(&self.c_line)
        # what was announced with no octets at all is over at once
        if self.c_remain == 0 and not self.stopped and not self.hold and (
                self.c_mode == C_STREAM or self.c_mode == C_EAT or self.c_mode == C_GATHER):
            self._octets_done()
        return 0

    cdef int _client_octets(self, const uint8_t* p, Py_ssize_t size) except -1:
        self.c_remain -= size
        if self.c_mode == C_STREAM:
            self._pass_server(p, size)
        elif self.c_mode == C_GATHER:
            buf_add(&self.unit, p, size)
        return 0

    cdef int _octets_done(self) except -1:
        if self.c_mode == C_STREAM:
            self.c_mode = C_TAIL
        elif self.c_mode == C_EAT:
            self.c_mode = C_EAT_LINE
        else:
            self.c_mode = C_NEXT
            if not self.c_fault:
                self.c_fault = self._literal_text(self.unit.data + self.unit.size - self.x.literal, self.x.literal)
        return 0

    cdef int _literal_text(self, const uint8_t* p, int64_t n) noexcept:
        """Octets of a gathered literal: no NUL, no lone CR or LF; a name of a header field in FETCH."""
        cdef int64_t i
        for i in range(n):
            if p[i] == 0 or (p[i] == c"\n" and (i == 0 or p[i - 1] != c"\r")):
                return F_BAD_LITERAL_TEXT
            if p[i] == c"\r" and (i + 1 == n or p[i + 1] != c"\n"):
                return F_BAD_LITERAL_TEXT
            if p[i] == c"*" or p[i] == c"%":
                self.x.wildcards += 1
            if self.x.section_depth and (p[i] <= 0x20 or p[i] >= 0x7f or p[i] == c":"):
                return F_BAD_LITERAL_TEXT
        return F_TOO_MANY_WILDCARDS if too_wild(&self.x) else F_NONE

    cdef int _client_line(self, const uint8_t* p, Py_ssize_t n) except -1:
        """One whole line with its end. R_PASS: it goes on as it is; R_DONE: it was dealt with."""
        cdef int fault
        if self.c_mode == C_EAT_LINE:
            return self._eaten_line(p, n)
        if n < 2 or p[n - 2] != c"\r":
            return self._client_fault(F_BARE_LF, NULL, 0)
        if self.c_mode == C_LINE:
            self.x.utf8 = self.utf8
            self.x.searchres = self.searchres
            fault = lex_first(p, n - 2, &self.x)
            if fault:
                return self._client_fault(fault, p, n - 2)
            return self._command(p, n)
        if self.c_mode == C_IDLE or self.c_mode == C_SASL:
            fault = lex_controls(p, n - 2, &self.x)
            if fault >= F_FIRST_FRAMING:
                return self._client_fault(fault, NULL, 0)
        if self.c_mode == C_IDLE:
            if n == 6 and word_is(p, 4, b"DONE"):
                self.c_mode = C_LINE
                self._idle_done()
                return R_PASS
            self.x.tag_size = 0
            self.x.announces = False
            return self._client_fault(F_EXPECTED_DONE, NULL, 0)
        if self.c_mode == C_SASL:
            return self._sasl_line(p, n)
        if self.c_mode == C_TAIL:
            return self._tail(p, n)
        return self._next_line(p, n)

    cdef int _ask_client(self, int question) except -1:
        """Ask about the client's command in hand."""
        self.code = self.c_code
        return self._ask(question)

    cdef int _client_fault(self, int fault, const uint8_t* p, Py_ssize_t n) except -1:
        """Tell session; where the session goes on, an announced literal is eaten. `p` NULL: no line is in hand."""
        cdef Py_ssize_t tag = self.x.tag_size if self.c_mode == C_LINE and p != NULL else 0
        self.fault = <uint8_t>fault
        self.offset = self.cout - self.left_over
        if self.c_mode == C_NEXT or self.c_mode == C_TAIL:
            self._tag = self._unit_tag()
        elif tag and self._find_pending(p, tag) < 0:
            self._tag = PyBytes_FromStringAndSize(<const char*>p, tag)
            self.c_code = <uint8_t>self.x.code
        else:
            self._tag = b""
            self.c_code = CMD_UNKNOWN
        if fault < F_FIRST_FRAMING and p != NULL and not self.x.announces:
            trailing_literal(p, n, &self.x)
        self._ask_client(Q_CLIENT_FAULT)
        buf_drop(&self.unit)
        if self.c_mode == C_NEXT:
            self.c_mode = C_LINE
        if fault >= F_FIRST_FRAMING:
            self.stop()
        if not self.stopped and p != NULL and self.x.announces and not self.x.sync:
            self._eat(self.x.literal)
        return R_DONE

    cdef bytes _unit_tag(self):
        if self.unit.size:
            return PyBytes_FromStringAndSize(<const char*>self.unit.data, self.x.tag_size)
        return b"" if self.c_tag is None else self.c_tag

    cdef int _eat(self, int64_t size) except -1:
        """Consume a refused literal; one that is too large to wait for ends the session."""
        self.c_eaten += size
        if size > MAX_EATEN or self.c_eaten > MAX_EATEN:
            self.fault = F_UNEATABLE
            self.offset = self.cout - self.left_over
            self._tag = b""
            self._ask_client(Q_CLIENT_FAULT)
            self.stop()
            return 0
        self.c_mode = C_EAT
        self.c_remain = size
        return 0

    cdef int _eaten_line(self, const uint8_t* p, Py_ssize_t n) except -1:
        cdef int fault = F_BARE_LF
        if n >= 2 and p[n - 2] == c"\r":
            fault = lex_controls(p, n - 2, &self.x)
        if fault >= F_FIRST_FRAMING:
            self.c_mode = C_LINE
            return self._client_fault(fault, NULL, 0)
        trailing_literal(p, n - 2, &self.x)
        self.c_mode = C_LINE
        if self.x.announces and not self.x.sync:
            self._eat(self.x.literal)
        else:
            self.c_eaten = 0
        return R_DONE

    cdef inline bint _is_upload(self) noexcept:
        """Does the announced literal carry a mail? The first ones of APPEND and REPLACE may be the mailbox's name."""
        return self.x.shape == c"u" and self.x.args > (1 if self.x.code == CMD_APPEND else 2)

    cdef int _command(self, const uint8_t* p, Py_ssize_t n) except -1:
        """A first line without fault."""
        cdef int action = self._gate.actions[self.x.code]
        self.c_code = <uint8_t>self.x.code
        self.wrong_state = not (command_states(self.c_code) & self._state)
        if self._find_pending(p, self.x.tag_size) >= 0:
            return self._client_fault(F_BAD_TAG, p, n - 2)
        self.commands += 1
        if self.c_code == CMD_UNKNOWN and not (action == GATE_PASS and not self.x.announces):
            self.commands -= 1
            return self._client_fault(F_UNKNOWN_COMMAND, p, n - 2)
        if action == GATE_DENY or self.wrong_state:
            return self._refused(p, n)
        if self.x.announces and self.c_code == CMD_AUTHENTICATE:
            return self._client_fault(F_LITERAL_NOT_ALLOWED, p, n - 2)
        if self.x.announces:
            if self._is_upload():
                return self._upload(p, n)
            return self._gather(p, n)
        if action == GATE_ASK:
            return self._asked(p, n)
        return self._forward(p, n)

    cdef int _refused(self, const uint8_t* p, Py_ssize_t n) except -1:
        self._tag = PyBytes_FromStringAndSize(<const char*>p, self.x.tag_size)
        self._unit = None
        self._ask_client(Q_REFUSED)
        buf_drop(&self.unit)
        self.c_mode = C_LINE
        if not self.stopped and self.x.announces and not self.x.sync:
            self._eat(self.x.literal)
        return R_DONE

    cdef int _flags_of(self, int code) noexcept:
        if code == CMD_LOGIN or code == CMD_AUTHENTICATE or code == CMD_ENABLE:
            return P_HOLDS | P_WATCHED
        if code == CMD_LOGOUT or code == CMD_SELECT or code == CMD_EXAMINE or code == CMD_CLOSE or code == CMD_UNSELECT:
            return P_HOLDS
        if code == CMD_IDLE:
            return P_HOLDS | P_IDLE
        return 0

    cdef int _open(self, const uint8_t* p) except -1:
        """The command whose first line is at p goes on to the server."""
        cdef int flags = self._flags_of(self.c_code)
        self._add_pending(p, self.x.tag_size, self.c_code, flags)
        if flags & P_HOLDS:
            if self.c_code == CMD_IDLE:
                self.hold = H_IDLE
            elif self.c_code == CMD_AUTHENTICATE:
                self.hold = H_SASL
            else:
                self.hold = H_TAG
        if self.c_code == CMD_SELECT or self.c_code == CMD_EXAMINE:
            self.exists = -1
        return 0

    cdef int _forward(self, const uint8_t* p, Py_ssize_t n) except -1:
        """A whole command in one line."""
        self._open(p)
        if not self.x.loose:
            return R_PASS
        self._flush_server()
        buf_drop(&self.unit)
        canonical(p, n - 2, &self.unit)
        buf_add(&self.unit, <const uint8_t*>"\r\n", 2)
        self._to_server(self.unit.data, self.unit.size, None)
        buf_drop(&self.unit)
        return R_DONE

    cdef int _asked(self, const uint8_t* p, Py_ssize_t n) except -1:
        cdef int answer
        if self.brief and self.c_code == CMD_LOGIN and self._plain_login(p, p + n - 2):
            return self._forward(p, n)
        self._tag = PyBytes_FromStringAndSize(<const char*>p, self.x.tag_size)
        if self.x.loose:
            buf_drop(&self.unit)
            canonical(p, n - 2, &self.unit)
            self._unit = PyBytes_FromStringAndSize(<const char*>self.unit.data, self.unit.size) + b"\r\n"
            buf_drop(&self.unit)
        else:
            self._unit = PyBytes_FromStringAndSize(<const char*>p, n)
        answer = self._ask_client(Q_COMMAND)
        if self.stopped or answer == ANSWER_DROP:
            self._unit = None
            return R_DONE
        if answer == ANSWER_PASS:
            self._unit = None
            return self._forward(p, n)
        self._open(p)
        self._flush_server()
        self._to_server(<const uint8_t*>self.replacement, len(self.replacement), None)
        self._unit = None
        self.replacement = None
        return R_DONE

    cdef bint _plain_login(self, const uint8_t* p, const uint8_t* end) except? True:
        """Is this canonical line LOGIN with two atoms or quoted strings, the user's without escapes? Its name is kept
        for session, nobody need be asked.
        """
        cdef const uint8_t* name = p + self.x.args_at + 1
        cdef const uint8_t* q = name
        if self.x.loose or self.x.args != 2 or self.x.top != 2 or name[0] == c"(":
            return False
        if name[0] == c'"':
            name += 1
            q = scan_quoted(name, end)
            if q >= end or q[0] != c'"' or (q + 1)[0] != c" ":
                return False
            self.user = PyBytes_FromStringAndSize(<const char*>name, q - name)
            q += 1
        else:
            while q < end and q[0] != c" ":
                q += 1
            self.user = PyBytes_FromStringAndSize(<const char*>name, q - name)
        if q + 1 >= end or (q + 1)[0] == c"(":
            self.user = None
            return False
        return True

    # a command with literals that are gathered

    cdef int _gather(self, const uint8_t* p, Py_ssize_t n) except -1:
        """A line that announces a literal which is no mail."""
        cdef int64_t most = self.max_literal
        if self._state == STATE_NOT_AUTHENTICATED and most > PRELOGIN_LITERAL:
            most = PRELOGIN_LITERAL
        if self.x.literals > MAX_LITERALS:
            return self._client_fault(F_TOO_MANY_LITERALS, p, n - 2)
        if self.c_mode == C_LINE:
            self.gathered = 0
        if self.x.literal > most or self.gathered + self.x.literal > 2 * most \
                or self.unit.size + n > 2 * most + <int64_t>self.max_line:
            return self._client_fault(F_LITERAL_TOO_LONG, p, n - 2)
        if self.marks == NULL:
            self.marks = <Py_ssize_t*>malloc((MAX_LITERALS + 1) * sizeof(Py_ssize_t))
            if self.marks == NULL:
                raise MemoryError
        if self.c_mode == C_LINE:
            self.n_marks = 0
            self.c_fault = F_NONE
        self.gathered += self.x.literal
        self._keep_line(p, n)
        self.c_mode = C_GATHER
        self.c_remain = self.x.literal
        if self.x.sync:
            self.reply(b"+ OK\r\n")
        return R_DONE

    cdef int _keep_line(self, const uint8_t* p, Py_ssize_t n) except -1:
        """Append the line to the unit in canonical form; its announcement becomes `{n}`, its place a mark."""
        cdef Py_ssize_t body = n - 2
        if self.x.announces:
            body -= 1 if self.x.sync else 2          # without "}" or "+}"
        if self.x.loose:
            canonical(p, body, &self.unit)
        else:
            buf_add(&self.unit, p, body)
        if self.x.announces:
            self.marks[self.n_marks] = self.unit.size
            self.n_marks += 1
            buf_add(&self.unit, <const uint8_t*>"}", 1)
        buf_add(&self.unit, <const uint8_t*>"\r\n", 2)
        return 0

    cdef int _next_line(self, const uint8_t* p, Py_ssize_t n) except -1:
        """The line behind a gathered literal."""
        cdef int fault = lex_next(p, n - 2, &self.x)
        if self.c_fault and fault < F_FIRST_FRAMING:
            fault = self.c_fault
        if fault:
            return self._client_fault(fault, p, n - 2)
        if self.x.announces and not self._is_upload():
            return self._gather(p, n)
        if self.x.announces and not self._upload_fits():
            self._tag = self._unit_tag()
            return self._too_big()
        self._keep_line(p, n)
        self.c_mode = C_LINE
        if self._gate.actions[self.c_code] == GATE_ASK and not self.x.announces:
            return self._asked_unit()
        return self._emit_unit()

    cdef int _asked_unit(self) except -1:
        cdef int answer
        self._tag = self._unit_tag()
        self._unit = PyBytes_FromStringAndSize(<const char*>self.unit.data, self.unit.size)
        answer = self._ask_client(Q_COMMAND)
        if answer == ANSWER_PASS and not self.stopped:
            self._unit = None
            return self._emit_unit()
        if answer == ANSWER_REPLACE and not self.stopped:
            self._open(self.unit.data)
            self._flush_server()
            self._to_server(<const uint8_t*>self.replacement, len(self.replacement), None)
        self._unit = None
        self.replacement = None
        buf_drop(&self.unit)
        return R_DONE

    cdef int _emit_unit(self) except -1:
        """Send the gathered command. Each literal waits for "+", whatever the server offers: where a server rejects a
        command before it has read a literal `{n+}`, it runs the octets as commands (protocol.md section 3.2).
        """
        self.emit_at = 0
        self.emit_mark = 0
        self.emit_upload = self.x.announces
        self._flush_server()
        self._add_pending(self.unit.data, self.x.tag_size, self.c_code, self._flags_of(self.c_code) | P_HOLDS)
        return self._emit()

    cdef int _emit(self) except -1:
        """Go on sending from `emit_at` to the end of the next announcement, or to the end."""
        cdef Py_ssize_t at = self.emit_at
        if self.emit_mark == self.n_marks:
            self._to_server(self.unit.data + at, self.unit.size - at, None)
            self.hold = H_TAG
            buf_drop(&self.unit)
            return R_DONE
        self.emit_at = self.marks[self.emit_mark] + 3        # behind "}" CRLF
        self.emit_mark += 1
        self._to_server(self.unit.data + at, self.emit_at - at, None)
        if self.emit_mark < self.n_marks or not self.emit_upload:
            self.hold = H_EMIT
            return R_DONE
        self._announced()
        self.c_tag = self._unit_tag()
        buf_drop(&self.unit)
        return R_DONE

    # uploads

    cdef bint _upload_fits(self) noexcept:
        if self.x.literal > 4294967295:
            return False
        return self.max_mail_out == 0 or <uint64_t>self.x.literal <= self.max_mail_out

    cdef int _too_big(self) except -1:
        self._ask_client(Q_TOO_BIG)
        buf_drop(&self.unit)
        self.c_mode = C_LINE
        if not self.stopped and not self.x.sync:
            self._eat(self.x.literal)
        return R_DONE

    cdef void _announced(self) noexcept:
        """The announcement of a mail went to the server: its octets are next, behind "+"."""
        self.c_remain = self.x.literal
        self.c_mode = C_STREAM
        self.hold = H_APPEND if self.x.sync else H_APPEND_OWN

    cdef int _upload(self, const uint8_t* p, Py_ssize_t n) except -1:
        """The first line of APPEND or REPLACE that announces the mail."""
        self.c_tag = self._tag = PyBytes_FromStringAndSize(<const char*>p, self.x.tag_size)
        if not self._upload_fits():
            return self._too_big()
        self._add_pending(p, self.x.tag_size, self.c_code, P_HOLDS)
        return self._stream(p, n)

    cdef int _stream(self, const uint8_t* p, Py_ssize_t n) except -1:
        """An announcement line of an upload that goes on: as it is where it can."""
        self._announced()
        if self.x.sync and not self.x.loose:
            return R_PASS
        self._flush_server()
        buf_drop(&self.unit)
        canonical(p, n - 2 - (1 if self.x.sync else 2), &self.unit)
        buf_add(&self.unit, <const uint8_t*>"}\r\n", 3)
        self._to_server(self.unit.data, self.unit.size, None)
        buf_drop(&self.unit)
        return R_DONE

    cdef int _tail(self, const uint8_t* p, Py_ssize_t n) except -1:
        """The line behind an upload's octets: the end, or one more mail (RFC 3502, RFC 6855).

        A server that answered in the midst, after its "+", has still to read the octets and the end of the line, which
        pass; but it gives no "+" for one more mail and may run the octets: such an announcement ends the session (R3).
        """
        cdef int fault
        self.x.tail = True
        fault = lex_next(p, n - 2, &self.x)
        if not fault and (not self._is_pending(self.c_tag) if self.x.announces else self.x.top):
            fault = F_BAD_TAIL
        if fault:
            # The server is in the middle of this command: only the end of the session takes it back.
            return self._client_fault(F_BAD_TAIL if fault < F_FIRST_FRAMING else fault, NULL, 0)
        if self.x.announces:
            if not self._upload_fits():
                # The server is in the middle of this command: only the end of the session takes it back.
                self._tag = self._unit_tag()
                self._ask_client(Q_TOO_BIG)
                self.stop()
                return R_DONE
            return self._stream(p, n)
        self.c_mode = C_LINE
        if self.x.loose:
            self._flush_server()
            canonical(p, n - 2, &self.unit)
            buf_add(&self.unit, <const uint8_t*>"\r\n", 2)
            self._to_server(self.unit.data, self.unit.size, None)
            buf_drop(&self.unit)
            return R_DONE
        return R_PASS

    # SASL

    cdef int _sasl_line(self, const uint8_t* p, Py_ssize_t n) except -1:
        cdef int answer
        self._unit = PyBytes_FromStringAndSize(<const char*>p, n - 2)
        answer = self._ask(Q_SASL)
        self._unit = None
        if self.stopped:
            return R_DONE
        if answer == ANSWER_REPLACE:
            self._flush_server()
            self._to_server(<const uint8_t*>self.replacement, len(self.replacement), None)
            self.replacement = None
        self.hold = H_SASL
        self.c_mode = C_LINE
        return R_PASS if answer == ANSWER_PASS else R_DONE

    # ---- server to client ---------------------------------------------------------------------------------------

    cdef int _server(self, const uint8_t* p, Py_ssize_t n) except -1:
        cdef Py_ssize_t i = 0, size
        cdef const uint8_t* nl
        cdef const uint8_t* line
        cdef bint placed
        cdef int result
        while i < n and not self.stopped:
            if self.s_mode == S_LITERAL:
                size = n - i
                if size > self.s_remain:
                    size = <Py_ssize_t>self.s_remain
                if not self.s_drop:
                    self._pass_client(p + i, size)
                i += size
                self.s_remain -= size
                if self.s_remain == 0:
                    self.s_mode = S_REST
                continue
            size = self._plain_fetch(p + i, p + n)
            if size:
                self._pass_client(p + i, size)
                i += size
                continue
            nl = <const uint8_t*>memchr(p + i, c"\n", n - i)
            size = n - i if nl == NULL else nl - (p + i) + 1
            if self.s_line.size + size > self.max_server_line + 2:
                self.left_over = n - i - size
                return self._server_fault(F_LINE_TOO_LONG)
            if nl == NULL:
                self._flush_client()
                buf_add(&self.s_line, p + i, size)
                return 0
            placed = self.s_line.size == 0
            if placed:
                line = p + i
            else:
                buf_add(&self.s_line, p + i, size)
                line = self.s_line.data
            i += size
            size = size if placed else self.s_line.size
            self.left_over = n - i
            if size < 2 or line[size - 2] != c"\r":
                return self._server_fault(F_BARE_LF)
            result = self._server_line(line, size)
            if self.stopped:
                return 0
            if result == R_PASS:
                if placed:
                    self._pass_client(line, size)
                else:
                    self._flush_client()
                    self._to_client(line, size, None)
            if not placed:
                buf_drop(&self.s_line)
            if self.s_mode == S_LINE:
                self.s_open = False
                if self.later is not None:
                    self._said_later()
        return 0

    cdef Py_ssize_t _plain_fetch(self, const uint8_t* p, const uint8_t* end) noexcept:
        """The size of a FETCH line without strings and literals that stands whole at p (lists of flags come by the
        hundred); 0 for anything else, which `_server_line` judges.
        """
        cdef const uint8_t* q = p + 2
        if self.s_mode != S_LINE or self.s_line.size or self._state == STATE_NOT_AUTHENTICATED or not self.s_greeted \
                or end - p < 24 or p[0] != c"*" or p[1] != c" " or not c"1" <= p[2] <= c"9":
            return 0
        while CHARS[q[0]] & CH_DIGIT and q - p < 11:
            q += 1
        if memcmp(q, b" FETCH (", 8) != 0:
            return 0
        q = scan_flags(q + 7, end, MAX_SERVER_DEPTH)
        if q == NULL or q + 1 >= end or q[1] != c"\n" or (q - 1)[0] == c"}" or q - p > self.max_server_line:
            return 0
        return q + 2 - p

    cdef int _said_later(self) except -1:
        cdef bytes data
        cdef list later = self.later
        self.later = None
        for data in later:
            self.reply(data)
        if self.c_held.size:
            self.release = True
        return 0

    cdef int _server_fault(self, int fault) except -1:
        self.fault = <uint8_t>fault
        self.offset = self.sin - self.left_over
        self._ask(Q_SERVER_FAULT)
        self.stop()
        return 0

    cdef int _server_line(self, const uint8_t* p, Py_ssize_t n) except -1:
        """One whole line with its end."""
        if self.s_mode == S_REST:
            if p[0] != c" " and p[0] != c")" and p[0] != c"\r":
                return self._server_fault(F_BAD_RESPONSE)
            return self._data(p, n)
        if not self.s_greeted:
            self.s_greeted = True
            return self._greeting(p, n)
        if p[0] == c"*" and p[1] == c" ":
            return self._untagged(p, n)
        if p[0] == c"+":
            return self._continuation(p, n)
        return self._tagged(p, n)

    cdef int _greeting(self, const uint8_t* p, Py_ssize_t n) except -1:
        cdef Said said = None
        if self.brief and p[0] == c"*" and p[1] == c" ":
            said = self._gate.look(p + 2, n - 2, False)
        if said is None or not said.ok:
            return self._question(Q_GREETING, p, n)
        self.greeted()
        return self._say(p, 2, said)

    cdef int _say(self, const uint8_t* p, Py_ssize_t head, Said said) except -1:
        """Send the line at p, whose tag and space are `head` octets, as what it became before."""
        cdef bytes line = PyBytes_FromStringAndSize(<const char*>p, head) + said.line
        self.sasl_ir = said.sasl_ir
        self.searchres = said.searchres
        self._flush_client()
        self._to_client(<const uint8_t*>line, len(line), line)
        return R_DONE

    cdef int _question(self, int question, const uint8_t* p, Py_ssize_t n) except -1:
        """Ask about a whole line of the server."""
        cdef int answer
        cdef int fault = text_fault(p, p + n - 2)
        if fault >= F_FIRST_FRAMING:
            return self._server_fault(fault)
        self._unit = PyBytes_FromStringAndSize(<const char*>p, n)
        self.plain = fault == F_NONE and memchr(p, c"[", n) == NULL
        answer = self._ask(question)
        self._unit = None
        if self.stopped:
            return R_DONE
        if answer == ANSWER_REPLACE:
            self._flush_client()
            self._to_client(<const uint8_t*>self.replacement, len(self.replacement), None)
            self.replacement = None
            return R_DONE
        return R_PASS if answer == ANSWER_PASS else R_DONE

    cdef int _untagged(self, const uint8_t* p, Py_ssize_t n) except -1:
        cdef Py_ssize_t i = 2, start
        cdef int64_t number = -1
        cdef int kind
        if CHARS[p[2]] & CH_DIGIT:
            while CHARS[p[i]] & CH_DIGIT:
                i += 1
            start = 2
            while start < i - 1 and p[start] == c"0":
                start += 1
            if not valid_number(p + start, i - start, 0) or p[i] != c" ":
                return self._server_fault(F_BAD_NUMBER)
            number = 0
            while start < i:
                number = number * 10 + (p[start] - 48)
                start += 1
            i += 1
        start = i
        while CHARS[p[i]] & CH_NAME:
            i += 1
        if i == start or (p[i] != c" " and p[i] != c"\r"):
            return self._server_fault(F_BAD_RESPONSE)
        kind = self._gate.untagged.find(p + start, i - start)
        self.s_kind = U_DATA if kind < 0 else <uint8_t>kind
        self.s_depth = 0
        self.s_drop = False
        if kind == U_FETCH and self._state != STATE_NOT_AUTHENTICATED:
            if number <= 0:
                return self._server_fault(F_BAD_NUMBER)
            return self._data(p, n)
        if kind == U_STATUS:
            return self._status_line(Q_STATUS, p, n, i)
        if kind == U_BYE:
            return self._bye(p, n)
        if kind == U_CAPABILITY:
            return self._question(Q_CAPABILITY, p, n)
        if kind == U_PREAUTH:
            return self._server_fault(F_BAD_RESPONSE)
        if kind == U_ENABLED:
            return self._question(Q_ENABLED, p, n)
        if kind == U_EXISTS or kind == U_EXPUNGE:
            self._mailbox_size(kind, number)
            if self.stopped:
                return R_DONE
        elif kind == U_VANISHED:
            self.exists = -1
        if self._state == STATE_NOT_AUTHENTICATED and kind != U_ID:
            self.s_drop = True
            self._question(Q_UNLISTED, p, n)
        elif kind < 0:
            self.s_drop = not self._gate.unknown
            if self.s_drop:
                self._question(Q_UNLISTED, p, n)
        if self.stopped:
            return R_DONE
        return self._data(p, n)

    cdef int _bye(self, const uint8_t* p, Py_ssize_t n) except -1:
        """BYE: asked, but for the one that LOGOUT brings."""
        if not self.bye and self.leaving and scan_text(p, p + n - 2) == p + n - 2 and memchr(p, c"[", n) == NULL:
            self.bye = True
            return R_PASS
        return self._question(Q_BYE, p, n)

    cdef int _mailbox_size(self, int kind, int64_t number) except -1:
        """Sequence numbers that cannot be (T-R08)."""
        if number < 0 or (kind == U_EXPUNGE and number == 0):
            return self._server_fault(F_BAD_NUMBER)
        if kind == U_EXISTS:
            self.exists = number
        elif self.exists >= 0:
            if number > self.exists:
                return self._server_fault(F_BAD_NUMBER)
            self.exists -= 1
        return 0

    cdef int _data(self, const uint8_t* p, Py_ssize_t n) except -1:
        """A line of untagged data: quotes closed, lists balanced, a literal announced only where it may be."""
        cdef const uint8_t* end = p + n - 2
        cdef const uint8_t* q = p
        cdef int depth = self.s_depth
        while True:
            q = scan_data(q, end)
            if q >= end:
                break
            if q[0] == c"(":
                depth += 1
                if depth > MAX_SERVER_DEPTH:
                    return self._server_fault(F_TOO_DEEP)
            elif q[0] == c")":
                depth -= 1
                if depth < 0:
                    return self._server_fault(F_BAD_RESPONSE)
            elif q[0] == c'"':
                q = self._quoted_end(q + 1, end)
                if q == NULL:
                    return self._server_fault(F_OPEN_QUOTED)
            elif q[0] == 0 or q[0] == c"\r":
                return self._server_fault(F_NUL if q[0] == 0 else F_BARE_CR)
            q += 1
        if end - p >= 2 and (end - 1)[0] == c"}" and self._server_literal(p, end):
            if self.stopped:
                return R_DONE
            self.s_depth = depth
            self.s_open = not self.s_drop
            self.s_mode = S_REST if self.s_remain == 0 else S_LITERAL
            return R_DONE if self.s_drop else R_PASS
        if depth:
            return self._server_fault(F_BAD_RESPONSE)
        self.s_mode = S_LINE
        return R_DONE if self.s_drop else R_PASS

    cdef const uint8_t* _quoted_end(self, const uint8_t* q, const uint8_t* end) noexcept:
        """The closing DQUOTE, or NULL."""
        while True:
            q = scan_quoted(q, end)
            if q >= end or q[0] == 0 or q[0] == c"\r":
                return NULL
            if q[0] == c'"':
                return q
            q += 2 if q[0] == c"\\" else 1

    cdef bint _server_literal(self, const uint8_t* p, const uint8_t* end) except? True:
        """Does the line end in `{n}`? The size goes to `s_remain`; a malformed one, or `{n+}`, is a fault."""
        cdef const uint8_t* q = end - 2
        cdef bint plus = q > p and q[0] == c"+"
        cdef int64_t size = 0
        if plus:
            q -= 1
        while q > p and CHARS[q[0]] & CH_DIGIT:
            q -= 1
        if q[0] != c"{" or (plus and q == end - 3):
            return False
        if plus:
            self._server_fault(F_BAD_LITERAL)
            return True
        if q == end - 2 or end - q > 2 + MAX_LITERAL_DIGITS:
            self._server_fault(F_BAD_LITERAL)
            return True
        if q - 1 > p and (q - 1)[0] == c"~":
            q -= 1
        if q == p or ((q - 1)[0] != c" " and (q - 1)[0] != c"("):
            # `x{5}` is no literal by the grammar, yet a reader may take it for one.
            self._server_fault(F_BAD_LITERAL)
            return True
        q += 1 if q[0] == c"{" else 2
        while q < end - 1:
            if size > 922337203685477580 or (size == 922337203685477580 and q[0] > c"7"):
                self._server_fault(F_LITERAL_OVERFLOW)
                return True
            size = size * 10 + (q[0] - 48)
            q += 1
        if self.max_mail_in and self.s_kind == U_FETCH and <uint64_t>size > self.max_mail_in:
            self.limit = LIMIT_MAIL_IN
            self._ask(Q_LIMIT)
            self.stop()
            return True
        self.s_remain = size
        return True

    cdef int _status_line(self, int question, const uint8_t* p, Py_ssize_t n, Py_ssize_t i) except -1:
        """resp-cond-state from behind its status word: passes unless its code or text must be looked at."""
        cdef const uint8_t* end = p + n - 2
        cdef const uint8_t* q = scan_text(p + i, end)
        cdef Py_ssize_t start
        if q < end:
            if q[0] == 0 or q[0] == c"\r":
                return self._server_fault(F_NUL if q[0] == 0 else F_BARE_CR)
            return self._question(question, p, n)
        if self._state == STATE_NOT_AUTHENTICATED or question == Q_COMPLETED:
            return self._question(question, p, n)
        if p[i] == c" " and p[i + 1] == c" ":
            return self._question(question, p, n)
        if p[i] == c" " and p[i + 1] == c"[":
            start = i + 2
            i = start
            while CHARS[p[i]] & CH_NAME:
                i += 1
            if self._gate.codes.find(p + start, i - start) < 0 or memchr(p + i, c"]", n - i) == NULL:
                return self._question(question, p, n)
        return R_PASS

    cdef int _tagged(self, const uint8_t* p, Py_ssize_t n) except -1:
        cdef Py_ssize_t i = 0, start
        cdef int at, status, result, question = Q_STATUS
        while i < n and CHARS[p[i]] & CH_TAG:
            i += 1
        at = self._find_pending(p, i) if p[i] == c" " else -1
        if at < 0:
            return self._server_fault(F_UNKNOWN_TAG)
        i += 1
        start = i
        while CHARS[p[i]] & CH_NAME:
            i += 1
        status = STATUS_WORDS.find(p + start, i - start)
        if status < 0 or (p[i] != c" " and p[i] != c"\r"):
            return self._server_fault(F_BAD_STATUS)
        if self.pending[at].flags & P_WATCHED:
            question = Q_COMPLETED
        self.code = self.pending[at].code
        self.status = status
        if self.brief and self.code == CMD_LOGIN and status == 0 and scan_text(p + i, p + n - 2) >= p + n - 2:
            return self._login_completed(p, n, at, start)
        self._tag = PyBytes_FromStringAndSize(<const char*>p, start - 1) if question == Q_COMPLETED else None
        result = self._status_line(question, p, n, i)
        if not self.stopped:
            self._complete(at, status)
        return result

    cdef int _login_completed(self, const uint8_t* p, Py_ssize_t n, int at, Py_ssize_t start) except -1:
        """`tag OK` to LOGIN, its status at `start`: session is told, the line is looked up before it is asked about."""
        cdef int result
        cdef Said said
        if not self._logged_in():
            return R_DONE
        said = self._gate.look(p + start, n - start, True)
        if said is not None:
            result = self._say(p, start, said)
        else:
            result = self._question(Q_STATUS, p, n)
        if not self.stopped:
            self._complete(at, 0)
        return result

    cdef bint _logged_in(self) except? True:
        """Tell session that the login succeeded. False: the session has ended."""
        cdef bint stays = False
        try:
            stays = self.session.logged_in()
        except Exception as exc:
            self.session.broken(exc)
        if not stays:
            self.stop()
        return stays and not self.stopped

    cdef int _continuation(self, const uint8_t* p, Py_ssize_t n) except -1:
        """"+": only where something waits for one, else it could set free what the client holds (T-R13)."""
        cdef const uint8_t* end = p + n - 2
        cdef int hold = self.hold, answer
        cdef bint clean = scan_text(p, end) >= end and memchr(p, c"[", n) == NULL and n <= 512 and p[1] == c" "
        if text_fault(p, end) >= F_FIRST_FRAMING:
            return self._server_fault(text_fault(p, end))
        if hold == H_SASL:
            self._unit = PyBytes_FromStringAndSize(<const char*>p, n)
            answer = self._ask(Q_CONTINUE)
            self._unit = None
            if self.stopped or answer == ANSWER_DROP:
                return R_DONE
            self.challenge()
            if answer == ANSWER_REPLACE:
                self._flush_client()
                self._to_client(<const uint8_t*>self.replacement, len(self.replacement), None)
                self.replacement = None
                return R_DONE
            return R_PASS
        if hold == H_EMIT:
            self._emit()
            self.release = self.hold == H_NONE
            return R_DONE
        if hold != H_IDLE and hold != H_APPEND and hold != H_APPEND_OWN:
            return self._server_fault(F_UNEXPECTED_CONTINUE)
        self.hold = H_NONE
        self.release = True
        if hold == H_IDLE:
            self.c_mode = C_IDLE
        if hold == H_APPEND_OWN:
            return R_DONE
        if clean:
            return R_PASS
        self.reply(b"+ idling\r\n" if hold == H_IDLE else b"+ OK\r\n")
        return R_DONE

    # ---- time ---------------------------------------------------------------------------------------------------

    def tick(self, double now):
        """What ran out, as an index of TIMEOUTS, or 0. Called about twice a second; `now` in seconds."""
        cdef uint64_t queued
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
        elif self.c_unit == 0:
            self.c_unit = now
            self.c_unit_mark = self.cout
        elif now - self.c_last >= self.client_recv_s or now - self.c_unit >= self._unit_time():
            return T_CLIENT_RECV
        if (self.s_open or self.s_line.size) and not self.c_full and now - self.s_last >= self.server_recv_s:
            return T_SERVER_RECV
        if self.n_pending and (self.hold or self.c_mode == C_LINE) and not self.c_full and not self._only_idle() \
                and now - (self.s_last if self.s_last > self.c_last else self.c_last) >= self.reply_s:
            return T_REPLY
        if (self.n_pending == 0 or self.c_mode == C_IDLE) and not c_unit and now - self.c_last >= self.idle_s:
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
