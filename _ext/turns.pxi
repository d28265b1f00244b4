# Turns: which commands are pending, what holds the client, and what session sees of it.

cdef class Turns(Legs):
    """The table of pending commands, the hold, and the properties of the question in hand."""

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
    def literal8(self):
        return bool(self.x.literal8)

    @property
    def idling(self):
        return self.c_mode == C_IDLE

    @property
    def pending_count(self):
        return self.n_pending

    @property
    def between_units(self):
        """May a response of the proxy's own go to the client now?"""
        return not self.s_open and not self.saying

    @property
    def in_literal(self):
        """Is a client's literal under way?"""
        return self.c_mode == C_GATHER or self.c_mode == C_STREAM or self.c_mode == C_SINK

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
        return (self.n_pending == 0 and not self._holds() and self.hold != H_CONNECT and self.hold != H_FLOW) \
            or self.c_mode == C_IDLE or self.in_literal

    @property
    def at_command(self):
        """Does a command begin with the client's next octets, or go on in its first line? Not while an answer holds
        the client, as those to LOGIN and AUTHENTICATE do.
        """
        return self.c_mode == C_LINE and self.hold == H_NONE and not self._holds()

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

    def greeted(self):
        """The server's greeting has gone to the client: commands may come."""
        if self.hold == H_CONNECT:
            self.hold = H_NONE
            self.release = True

    cdef void _idle_done(self) noexcept:
        cdef int i
        for i in range(self.n_pending):
            self.pending[i].flags &= ~P_IDLE

    @cython.final
    cdef int _find_pending(self, const uint8_t* tag, Py_ssize_t size) noexcept:
        cdef int i
        for i in range(self.n_pending):
            if self.pending[i].size == size and memcmp(self.pending[i].tag, tag, size) == 0:
                return i
        return -1

    cdef bint _is_pending(self, bytes tag) noexcept:
        return self._find_pending(<const uint8_t*>tag, len(tag)) >= 0

    @cython.final
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
        if size:
            memcpy(self.pending[self.n_pending].tag, tag, size)
        self.pending[self.n_pending].own = 0
        if self.scanning:
            self.own_count += 1
            self.pending[self.n_pending].own = self.own_count
        self.pending[self.n_pending].size = <uint8_t>size
        self.pending[self.n_pending].code = <uint8_t>code
        self.pending[self.n_pending].flags = <uint8_t>flags
        self.n_pending += 1
        return 0

    cdef inline bint _blocked(self) noexcept:
        """Must the client's next bytes wait: for an answer, or until fewer commands are pending?"""
        return self.hold != H_NONE or (self.c_mode == C_LINE and (
            self.n_pending >= self.max_pending or (self.later is not None and len(self.later) >= self.max_pending)))

    @cython.final
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
        elif self._holds():
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
