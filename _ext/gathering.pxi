# Commands with literals: gathered where they carry arguments, streamed where they carry a mail, eaten where refused.

cdef class Gathering(Flow):
    """What is done with a client's literal and the lines around it."""

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
        self.c_unit = 0
        if self.scanning and self.x.shape == c"u":
            return self._take_unit()
        if (self._gate.actions[self.c_code] == GATE_ASK or self.asking) and not self.x.announces:
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
        if answer == ANSWER_HOLD and not self.stopped:
            self._unit = None
            self.deferred = True
            self.hold = H_CONNECT
            return R_DONE
        if answer == ANSWER_REPLACE and not self.stopped:
            self._open(self.unit.data)
            self._replace_command()
        self._unit = None
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
        cdef bytes tag
        if at == 0 and self.scanning:
            tag = self._own_tag()
            self._to_server(<const uint8_t*>tag, len(tag), None)
            at = self.x.tag_size
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

    cdef inline bint _is_upload(self) noexcept:
        """Does the announced literal carry a mail? The first ones of APPEND and REPLACE may be the mailbox's name."""
        return self.x.shape == c"u" and self.x.args > (1 if self.x.code == CMD_APPEND else 2)

    cdef bint _upload_fits(self) noexcept:
        """Asked once for each announcement. The parts of CATENATE are one mail."""
        cdef int64_t size = self.x.literal
        if size > 4294967295:
            return False
        if self.x.part == UP_CATENATE_LIST:
            self.x.mail += size
            size = self.x.mail
        return self.max_mail_out == 0 or <uint64_t>size <= self.max_mail_out

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
        if self.scanning:
            self._unit = PyBytes_FromStringAndSize(<const char*>p, n)
            return self._take()
        self._add_pending(p, self.x.tag_size, self.c_code, P_HOLDS)
        return self._stream(p, n)

    cdef int _take_unit(self) except -1:
        """An upload whose mailbox came as a literal, whole or up to the announcement of its mail."""
        self.c_tag = self._tag = self._unit_tag()
        self._unit = PyBytes_FromStringAndSize(<const char*>self.unit.data, self.unit.size)
        buf_drop(&self.unit)
        return self._take()

    cdef int _take(self) except -1:
        """Session takes the announced mail, or refuses the upload in question."""
        cdef int answer = self._ask_client(Q_UPLOAD)
        self._unit = None
        if self.stopped:
            return R_DONE
        if answer != ANSWER_PASS:
            self.c_mode = C_LINE
            if self.x.announces and not self.x.sync:
                self._eat(self.x.literal)
            return R_DONE
        self.c_remain = self.x.literal
        self.c_mode = C_SINK
        if self.x.sync:
            self.reply(b"+ OK\r\n")
        return R_DONE

    cdef int _stream(self, const uint8_t* p, Py_ssize_t n) except -1:
        """An announcement line of an upload that goes on: as it is where it can."""
        self._announced()
        if self.x.sync and not self.x.loose:
            return R_PASS
        return self._send_canonical(p, n - 2 - (1 if self.x.sync else 2), b"}\r\n")

    cdef int _tail(self, const uint8_t* p, Py_ssize_t n) except -1:
        """The line behind an upload's octets: the end, or one more mail (RFC 3502, RFC 6855).

        A server that answered in the midst, after its "+", has still to read the octets and the end of the line, which
        pass; but it gives no "+" for one more mail and may run the octets: such an announcement ends the session (R3).
        """
        cdef int fault
        self.x.tail = True
        if self.x.depth == 0:
            self.x.args = 3      # behind the mailbox's name; each mail has MAX_ARGS of its own
        fault = lex_next(p, n - 2, &self.x)
        if not fault and (not self.scanning and not self._is_pending(self.c_tag) if self.x.announces else self.x.top):
            fault = F_BAD_TAIL
        if fault:
            # The server is in the middle of this command: only the end of the session takes it back.
            return self._client_fault(F_BAD_TAIL if fault < F_FIRST_FRAMING else fault, NULL, 0)
        if self.scanning:
            return self._taken(p, n)
        if self.x.announces:
            if not self._upload_fits():
                # The server is in the middle of this command: only the end of the session takes it back.
                self._tag = self._unit_tag()
                self._ask_client(Q_TOO_BIG)
                self.stop()
                return R_DONE
            return self._stream(p, n)
        self.c_mode = C_LINE
        self.c_unit = 0
        if self.x.loose:
            return self._send_canonical(p, n - 2, b"\r\n")
        return R_PASS

    cdef int _taken(self, const uint8_t* p, Py_ssize_t n) except -1:
        """The line behind a mail that session took: one more, or the end."""
        self.c_mode = C_LINE
        self.c_unit = 0
        self._tag = self.c_tag
        if not self.x.announces:
            self._ask_client(Q_UPLOADED)
            return R_DONE
        if not self._upload_fits():
            return self._too_big()
        self.x.args_at = 0
        self._unit = PyBytes_FromStringAndSize(<const char*>p, n)
        return self._take()

    # what goes on to the server

    cdef int _send_canonical(self, const uint8_t* p, Py_ssize_t n, bytes end) except -1:
        """Send the n octets at p in canonical form, and `end` behind them."""
        self._flush_server()
        buf_drop(&self.unit)
        canonical(p, n, &self.unit)
        buf_add(&self.unit, <const uint8_t*>end, len(end))
        self._to_server(self.unit.data, self.unit.size, None)
        buf_drop(&self.unit)
        return R_DONE

    @cython.final
    cdef int _flags_of(self, int code) noexcept:
        if self.scanning and (code == CMD_SELECT or code == CMD_EXAMINE or code == CMD_CLOSE or code == CMD_UNSELECT
                              or code == CMD_DELETE or code == CMD_RENAME):
            return P_HOLDS | P_WATCHED
        if code == CMD_LOGIN or code == CMD_AUTHENTICATE or code == CMD_ENABLE:
            return P_HOLDS | P_WATCHED
        if code == CMD_LOGOUT or code == CMD_SELECT or code == CMD_EXAMINE or code == CMD_CLOSE or code == CMD_UNSELECT:
            return P_HOLDS
        if code == CMD_IDLE:
            return P_HOLDS | P_IDLE
        if code == CMD_UNKNOWN:
            # Whatever it does: a "+" that it brings is nobody else's, and what follows is read after its answer.
            return P_HOLDS
        return P_HOLDS if self.scanning else 0

    @cython.final
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

    # faults and refusals

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

    cdef int _refused(self, const uint8_t* p, Py_ssize_t n) except -1:
        self._tag = PyBytes_FromStringAndSize(<const char*>p, self.x.tag_size)
        self._unit = None
        self._ask_client(Q_REFUSED)
        buf_drop(&self.unit)
        self.c_mode = C_LINE
        if not self.stopped and self.x.announces and not self.x.sync:
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
            self.c_unit = 0
        return R_DONE
