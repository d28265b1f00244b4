# Server to client: data lines pass after a scan for framing; what somebody waits for is asked.

cdef enum:
    MAX_LATER = 10000              # lines that wait for a response of the proxy's own
    MAX_LATER_OCTETS = 4194304


cdef class Downward(Fetching):
    """The server's bytes, cut into lines and octets of literals."""

    @cython.final
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
                if self.s_gather:
                    self._gather_octets(p + i, size)
                    if self.stopped:
                        return 0
                elif not self.s_drop:
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
                if self.saying:
                    self._say_later(line, size)
                elif placed:
                    self._pass_client(line, size)
                else:
                    self._flush_client()
                    self._to_client(line, size, None)
            if not placed:
                buf_drop(&self.s_line)
            if self.s_mode == S_LINE:
                self.s_open = False
                if self.later is not None and not self.saying:
                    self._said_later()
            if self.later is not None and (self.later_size > MAX_LATER_OCTETS or len(self.later) > MAX_LATER):
                return self._server_fault(F_LINE_TOO_LONG)
        return 0

    cdef int _say_later(self, const uint8_t* p, Py_ssize_t n) except -1:
        """A line that passes waits for the end of a response of the proxy's own."""
        self._put_later(PyBytes_FromStringAndSize(<const char*>p, n))
        return 0

    @cython.final
    cdef Py_ssize_t _plain_fetch(self, const uint8_t* p, const uint8_t* end) noexcept:
        """The size of a FETCH line without strings and literals that stands whole at p (lists of flags come by the
        hundred); 0 for anything else, which `_server_line` judges.
        """
        cdef const uint8_t* q = p + 2
        if self.s_mode != S_LINE or self.s_line.size or self._state == STATE_NOT_AUTHENTICATED or not self.s_greeted \
                or self.scanning \
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
        for data in self._take_later():
            self.reply(data)
        if self._holds():
            self.release = True
        return 0

    cdef int _server_fault(self, int fault) except -1:
        self.fault = <uint8_t>fault
        self.offset = self.sin - self.left_over
        self._ask(Q_SERVER_FAULT)
        self.stop()
        return 0

    @cython.final
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
        self.reply(line)
        return R_DONE

    cdef int _question(self, int question, const uint8_t* p, Py_ssize_t n) except -1:
        """Ask about a whole line of the server."""
        cdef int answer
        cdef int fault = text_fault(p, p + n - 2)
        if fault >= F_FIRST_FRAMING:
            return self._server_fault(fault)
        self._unit = PyBytes_FromStringAndSize(<const char*>p, n)
        self.plain = fault == F_NONE and is_plain(p, n)
        answer = self._ask(question)
        self._unit = None
        if self.stopped:
            return R_DONE
        if answer == ANSWER_REPLACE:
            self._replace_to_client()
            return R_DONE
        return R_PASS if answer == ANSWER_PASS else R_DONE

    @cython.final
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
        if number >= 0 and 0 < kind <= U_ENABLED:
            return self._server_fault(F_BAD_RESPONSE)
        self.s_kind = U_DATA if kind < 0 else <uint8_t>kind
        self.s_depth = 0
        self.s_drop = False
        if kind == U_FETCH and self._state != STATE_NOT_AUTHENTICATED:
            if number <= 0:
                return self._server_fault(F_BAD_NUMBER)
            if self.scanning:
                return self._fetch_line(p, n, i, number)
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
        if self.scanning and U_EXISTS <= kind <= U_VANISHED and not self.s_drop:
            self.number = number
            if self._data(p, n) != R_PASS or self.stopped:
                return R_DONE    # a fault is R_PASS, too: the session is over then, and nobody is asked
            return self._question(Q_MAILBOX, p, n)
        return self._data(p, n)

    cdef int _bye(self, const uint8_t* p, Py_ssize_t n) except -1:
        """BYE: asked, but for the one that LOGOUT brings."""
        if not self.bye and self.leaving and scan_text(p, p + n - 2) == p + n - 2 and is_plain(p, n):
            self.bye = True
            return R_PASS
        return self._question(Q_BYE, p, n)

    @cython.final
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

    @cython.final
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
            self.s_mode = S_REST if self.s_remain == 0 else S_LITERAL
            if self.scanning and not self.s_gather and not self.s_drop:
                self._gather_from(G_DATA)
            if self.s_gather:
                return self._gather_literal(p, n)
            self.s_open = not self.s_drop
            return R_DONE if self.s_drop else R_PASS
        if depth:
            return self._server_fault(F_BAD_RESPONSE)
        self.s_mode = S_LINE
        if self.s_gather:
            return self._gathered(p, n)
        if self._limits_uploads(p, n):
            return self._question(Q_APPENDLIMIT, p, n)
        return R_DONE if self.s_drop else R_PASS

    @cython.final
    cdef const uint8_t* _quoted_end(self, const uint8_t* q, const uint8_t* end) noexcept:
        """The closing DQUOTE, or NULL."""
        while True:
            q = scan_quoted(q, end)
            if q >= end or q[0] == 0 or q[0] == c"\r":
                return NULL
            if q[0] == c'"':
                return q
            if q[0] == c"\\":
                q += 1
                if q < end and (q[0] == 0 or q[0] == c"\r"):
                    return NULL
            q += 1

    @cython.final
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
        if self.s_kind == U_FLAT or U_EXISTS <= self.s_kind <= U_VANISHED:
            # The grammar has no string here: readers of it would take the octets for lines, others for a literal.
            self._server_fault(F_BAD_LITERAL)
            return True
        q += 1 if q[0] == c"{" else 2
        while q < end - 1:
            if size > 922337203685477580 or (size == 922337203685477580 and q[0] > c"7"):
                self._server_fault(F_LITERAL_OVERFLOW)
                return True
            size = size * 10 + (q[0] - 48)
            q += 1
        if self.max_mail_in and self.s_kind == U_FETCH and <uint64_t>size > self.max_mail_in and not self.scanning:
            self.limit = LIMIT_MAIL_IN
            self._ask(Q_LIMIT)
            self.stop()
            return True
        self.s_remain = size
        return True

    @cython.final
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
        if ends_braced(p, n):
            # Text by the grammar, yet clients that look for `{n}` at the end of any line would read n octets.
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
            if self.scanning and self._concerns_mails(p + start, i - start):
                return self._question(question, p, n)
        return R_PASS

    @cython.final
    cdef int _tagged(self, const uint8_t* p, Py_ssize_t n) except -1:
        cdef Py_ssize_t i = 0
        cdef int at
        cdef bytes line
        while i < n and CHARS[p[i]] & CH_TAG:
            i += 1
        at = self._awaiting(p, i) if p[i] == c" " else -1
        if at < 0:
            return self._server_fault(F_UNKNOWN_TAG)
        if self.pending[at].own == 0:
            return self._answered(p, n, i, at)
        if self.pending[at].flags & P_OWN:
            return self._own_answer(p, n, i, at)
        line = PyBytes_FromStringAndSize(<const char*>self.pending[at].tag, self.pending[at].size) \
            + PyBytes_FromStringAndSize(<const char*>p + i, n - i)
        if self._answered(<const uint8_t*>line, len(line), self.pending[at].size, at) == R_PASS and not self.stopped:
            self.reply(line)
        return R_DONE

    cdef bint _concerns_mails(self, const uint8_t* p, Py_ssize_t n) noexcept:
        """Does session go by this code? Or does it hold a tag, which is not the one that the client knows?"""
        return word_is(p, n, b"UIDVALIDITY") or word_is(p, n, b"UIDNEXT") or word_is(p, n, b"CLOSED") or word_is(p, n, b"INPROGRESS")

    @cython.final
    cdef int _answered(self, const uint8_t* p, Py_ssize_t n, Py_ssize_t i, int at) except -1:
        """The tagged answer to a command of the client's, its tag is the i octets at p."""
        cdef Py_ssize_t start
        cdef int status, result, question = Q_STATUS
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
        cdef bint clean = scan_text(p, end) >= end and is_plain(p, n) and n <= 512 and p[1] == c" "
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
                self._replace_to_client()
                return R_DONE
            return R_PASS
        if self.scanning and self._goes_on():
            return R_DONE
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
