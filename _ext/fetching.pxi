# What the server says while mails are processed: FETCH responses and units with literals, gathered until they are whole.

cdef class Fetching(Upward):
    """FETCH data that are not dynamic alone never pass: session gets the unit and puts another in its place, or none."""

    cdef int _fetch_line(self, const uint8_t* p, Py_ssize_t n, Py_ssize_t i, int64_t number) except -1:
        """The first line of a FETCH response; i is behind its name."""
        self.number = number
        if not self.watching and self._dynamic(p + i, p + n - 2):
            return self._data(p, n)
        self._gather_from(G_FETCH)
        return self._data(p, n)

    cdef int _data(self, const uint8_t* p, Py_ssize_t n) except -1:
        raise NotImplementedError

    cdef int _gather_from(self, int kind) except -1:
        buf_drop(&self.s_unit)
        self.s_gather = <uint8_t>kind
        return 0

    @cython.final
    cdef bint _dynamic(self, const uint8_t* q, const uint8_t* end) noexcept:
        """Is this SP "(" item SP value ... ")" with listed items alone, and no literal?"""
        cdef const uint8_t* start
        cdef int depth
        if end - q < 4 or q[0] != c" " or q[1] != c"(" or (end - 1)[0] != c")":
            return False
        q += 2
        end -= 1
        while True:
            start = q
            while q < end and CHARS[q[0]] & CH_NAME:
                q += 1
            if q >= end or q[0] != c" " or self._gate.items.find(start, q - start) < 0:
                return False
            q += 1
            depth = 0
            start = q
            while q < end:
                if q[0] == c'"':
                    if not depth and q != start:
                        return False
                    q = scan_quoted(q + 1, end)
                    while q < end and q[0] == c"\\":
                        q = scan_quoted(q + 2, end) if q + 2 <= end else end
                    if q >= end:
                        return False
                    if not depth and q + 1 < end and q[1] != c" ":
                        return False    # one value and no more: a reader without need of spaces would see a second
                elif q[0] == c"(":
                    if not depth and q != start:
                        return False
                    depth += 1
                elif q[0] == c")":
                    depth -= 1
                    if depth < 0 or (not depth and q + 1 < end and q[1] != c" "):
                        return False
                elif q[0] == c"{":
                    return False
                elif q[0] == c" " and depth == 0:
                    break
                q += 1
            if depth or q == start:
                return False
            if q == end:
                return True
            q += 1

    cdef int _gather_line(self, const uint8_t* p, Py_ssize_t n) except -1:
        """A line of a unit that is gathered; the literal that it announces, if any, is `s_remain` octets."""
        if self.s_unit.size + n > self.max_server_line + 2:
            self._fault_of_server(F_LINE_TOO_LONG)
            return -2
        buf_add(&self.s_unit, p, n)
        return 0

    cdef int _gather_literal(self, const uint8_t* p, Py_ssize_t n) except -1:
        """The line announces a literal of `s_remain` octets: who gets them?"""
        cdef int answer = ANSWER_PASS
        cdef Py_ssize_t at
        if self._gather_line(p, n) == -2:
            return R_DONE
        if self.s_gather == G_FETCH:
            # The line alone: a unit may have very many literals, and its whole would be copied for each.
            self._unit = PyBytes_FromStringAndSize(<const char*>p, n)
            answer = self._ask(Q_FETCH_LITERAL)
            self._unit = None
            if self.stopped:
                return R_DONE
        self.s_fate = FATE_KEEP
        if answer == ANSWER_PASS:
            if self.s_unit.size + self.s_remain > self.max_server_line + 2:
                return self._fault_of_server(F_LINE_TOO_LONG)
        else:
            # What stands in place of "{n}" CRLF is no token that a server may send.
            at = self.s_unit.size - 3
            while self.s_unit.data[at] != c"{":
                at -= 1
            if at and self.s_unit.data[at - 1] == c"~":
                at -= 1
            self.s_unit.size = at
            self.s_fate = FATE_SINK if answer == ANSWER_REPLACE else FATE_DROP
            buf_add(&self.s_unit, <const uint8_t*>("{=}" if answer == ANSWER_REPLACE else "{-}"), 3)
        return R_DONE

    @property
    def literal_in(self):
        """The size of the server's literal in question."""
        return self.s_remain

    cdef int _gather_octets(self, const uint8_t* p, Py_ssize_t size) except -1:
        """Octets of the literal under way."""
        cdef bytes octets
        if self.s_fate == FATE_KEEP:
            buf_add(&self.s_unit, p, size)
        elif self.s_fate == FATE_SINK:
            octets = self.owner_c
            if octets is None or len(octets) != size or p != <const uint8_t*>octets:
                octets = PyBytes_FromStringAndSize(<const char*>p, size)
            try:
                self.session.fetch_octets(octets)
            except Exception as exc:
                self.session.broken(exc)
                self.stop()
        return 0

    cdef int _gathered(self, const uint8_t* p, Py_ssize_t n) except -1:
        """The last line of the unit."""
        cdef int kind = self.s_gather
        cdef int answer
        cdef bytes unit
        if self._gather_line(p, n) == -2:
            return R_DONE
        unit = PyBytes_FromStringAndSize(<const char*>self.s_unit.data, self.s_unit.size)
        self.s_gather = G_NONE
        buf_drop(&self.s_unit)
        if kind == G_DATA:
            if not self.s_drop:
                self._reply_gathered(unit, p, n)
            return R_DONE
        self._unit = unit
        answer = self._ask(Q_FETCH)
        self._unit = None
        if self.stopped:
            return R_DONE
        if answer == ANSWER_REPLACE:
            self._replace_to_client()
        elif answer == ANSWER_PASS:
            self.reply(unit)
        return R_DONE

    cdef int _reply_gathered(self, bytes unit, const uint8_t* p, Py_ssize_t n) except -1:
        """A unit with literals goes to the client; its last line is the n octets at p, asked about where it says what
        no literal may: a name of a mailbox has any octets.
        """
        cdef bytes line
        cdef int answer
        if not self._limits_uploads(p, n):
            self.reply(unit)
            return 0
        self._unit = PyBytes_FromStringAndSize(<const char*>p, n)
        answer = self._ask(Q_APPENDLIMIT)
        self._unit = None
        if self.stopped:
            return 0
        if answer == ANSWER_REPLACE:
            line = self.replacement
            self.replacement = None
            unit = unit[:len(unit) - n] + line
        self.reply(unit)
        return 0

    @cython.final
    cdef bint _limits_uploads(self, const uint8_t* p, Py_ssize_t n) noexcept:
        """Does the last line of untagged data say APPENDLIMIT where the client must see another one?"""
        return self.s_kind == U_MAILBOX and self.max_mail_out and not self.s_drop and word_in(p, n, b"APPENDLIMIT")
