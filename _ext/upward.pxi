# Client to server: every line is tokenised before any of it goes on.

cdef class Upward(Gathering):
    """The client's bytes, cut into lines and octets of literals."""

    @cython.final
    cdef int _client(self, const uint8_t* p, Py_ssize_t n) except -1:
        cdef Py_ssize_t i = 0, size
        cdef const uint8_t* nl
        cdef const uint8_t* line
        cdef bint placed
        while i < n and not self.stopped:
            if self._blocked():
                self._flush_server()
                self._keep(p + i, n - i)
                return 0
            if self.c_mode == C_STREAM or self.c_mode == C_EAT or self.c_mode == C_GATHER or self.c_mode == C_SINK:
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
                self.c_mode == C_STREAM or self.c_mode == C_EAT or self.c_mode == C_GATHER or self.c_mode == C_SINK):
            self._octets_done()
        return 0

    @cython.final
    cdef int _client_octets(self, const uint8_t* p, Py_ssize_t size) except -1:
        self.c_remain -= size
        if self.c_mode == C_STREAM:
            self._pass_server(p, size)
        elif self.c_mode == C_GATHER:
            buf_add(&self.unit, p, size)
        elif self.c_mode == C_SINK:
            self._sink_upload(p, size)
        return 0

    cdef int _sink_upload(self, const uint8_t* p, Py_ssize_t size) except -1:
        cdef bytes octets = self.owner_s
        if octets is None or len(octets) != size or p != <const uint8_t*>octets:
            octets = PyBytes_FromStringAndSize(<const char*>p, size)
        try:
            self.session.upload_octets(octets)
        except Exception as exc:
            self.session.broken(exc)
            self.stop()
        return 0

    cdef int _octets_done(self) except -1:
        if self.c_mode == C_STREAM or self.c_mode == C_SINK:
            self.c_mode = C_TAIL
        elif self.c_mode == C_EAT:
            self.c_mode = C_EAT_LINE
        else:
            self.c_mode = C_NEXT
            if not self.c_fault:
                self.c_fault = self._literal_text(self.unit.data + self.unit.size - self.x.literal, self.x.literal)
        return 0

    @cython.final
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

    @cython.final
    cdef int _command(self, const uint8_t* p, Py_ssize_t n) except -1:
        """A first line without fault."""
        cdef int action = self._gate.actions[self.x.code]
        self.c_code = <uint8_t>self.x.code
        self.wrong_state = not (command_states(self.c_code) & self._state)
        if self._find_pending(p, self.x.tag_size) >= 0 or self._tag_is_own(p):
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
        if self.scanning and self.x.shape == c"u":
            self.c_tag = self._tag = PyBytes_FromStringAndSize(<const char*>p, self.x.tag_size)
            self._unit = PyBytes_FromStringAndSize(<const char*>p, n)
            return self._take()
        if action == GATE_ASK or self.asking:
            return self._asked(p, n)
        return self._forward(p, n)

    cdef bint _tag_is_own(self, const uint8_t* p) noexcept:
        """Does the client's tag begin as those of the proxy do? Nobody can know their prefix."""
        return self.own_prefix is not None and self.x.tag_size >= len(self.own_prefix) \
            and memcmp(p, <const char*>self.own_prefix, len(self.own_prefix)) == 0

    @cython.final
    cdef int _forward(self, const uint8_t* p, Py_ssize_t n) except -1:
        """A whole command in one line."""
        self._open(p)
        if self.scanning:
            return self._send_tagged(p, n - 2, b"\r\n")
        if not self.x.loose:
            return R_PASS
        return self._send_canonical(p, n - 2, b"\r\n")

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
        if answer == ANSWER_HOLD and not self.stopped:
            self._defer(p, n)
        if self.stopped or answer == ANSWER_DROP or answer == ANSWER_HOLD:
            self._unit = None
            return R_DONE
        if answer == ANSWER_PASS:
            self._unit = None
            return self._forward(p, n)
        self._open(p)
        self._replace_command()
        self._unit = None
        return R_DONE

    cdef int _defer(self, const uint8_t* p, Py_ssize_t n) except -1:
        """A command in one line waits for the server's greeting."""
        buf_drop(&self.unit)
        buf_add(&self.unit, p, n)
        self.n_marks = 0
        self.deferred = True
        self.hold = H_CONNECT
        self.commands -= 1
        return 0

    cdef int _judge_again(self) except -1:
        """A command that waited for the server's greeting: its gate may be another one now."""
        cdef Buf line
        if self.n_marks:
            if self._gate.actions[self.c_code] == GATE_DENY:
                self._refused(self.unit.data, self.unit.size)
            else:
                self._asked_unit()
            return 0
        line = self.unit
        memset(&self.unit, 0, sizeof(Buf))
        try:
            if self._client_line(line.data, line.size) == R_PASS and not self.stopped:
                self._to_server(line.data, line.size, None)
        finally:
            free(line.data)
        return 0

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

    cdef int _sasl_line(self, const uint8_t* p, Py_ssize_t n) except -1:
        cdef int answer
        self._unit = PyBytes_FromStringAndSize(<const char*>p, n - 2)
        answer = self._ask(Q_SASL)
        self._unit = None
        if self.stopped:
            return R_DONE
        if answer == ANSWER_REPLACE:
            self._replace_to_server()
        self.hold = H_SASL
        self.c_mode = C_LINE
        return R_PASS if answer == ANSWER_PASS else R_DONE
