# Where mails are processed: commands of the proxy's own, the tags that the server knows, responses of the proxy's own.
#
# The server sees own tags alone, whose prefix nobody can foretell (R6), and one client's command at a time (R7). A
# response of the proxy's own may be long: what the server says meanwhile waits behind it, never stands inside it.

cdef enum:
    MAX_OWN_TAG = 32


cdef class Flow(Turns):
    """What a session needs that talks with the server by itself."""

    def process_mails(self, bytes prefix not None):
        """From now on mails are processed. Own tags are `prefix`, which no tag of the client begins with, and a number."""
        if not 4 <= len(prefix) <= MAX_OWN_TAG - 10:
            raise ValueError(prefix)
        self.own_prefix = prefix
        self.scanning = True

    def pass_mails(self):
        """From now on mails pass. Commands that are pending keep their own tags."""
        self.scanning = False

    # ---- commands -----------------------------------------------------------------------------------------------

    def ask_server(self, bytes line not None, *, bint goes=False):
        """Send a command of the proxy's own, without tag and CRLF; its number, which the question OWN gives back.
        `goes`: it ends in the announcement of a literal; the question GO tells when the server wants it.
        """
        self._add_pending(NULL, 0, CMD_NOOP, P_OWN | (P_GO if goes else 0))
        self.send_server(self._own_tag() + b" " + line + b"\r\n")
        return self.own_count

    def await_go(self):
        """One more literal of the own command that was told to go on is announced."""
        cdef int i
        for i in range(self.n_pending):
            if self.pending[i].flags & P_OWN and self.pending[i].own == self.answered:
                self.pending[i].flags |= P_GO

    cdef bytes _own_tag(self):
        """Of the command that was put down last."""
        return self.own_prefix + b"%d" % self.own_count

    @cython.final
    cdef int _awaiting(self, const uint8_t* tag, Py_ssize_t size) noexcept:
        """The pending command that the server's tag belongs to, or -1."""
        cdef Py_ssize_t head, i
        cdef uint64_t number = 0
        cdef int at
        if self.own_prefix is not None and size > len(self.own_prefix):
            head = len(self.own_prefix)
            if memcmp(tag, <const char*>self.own_prefix, head) == 0 and size - head <= 10 and tag[head] != c"0":
                for i in range(head, size):
                    if not CHARS[tag[i]] & CH_DIGIT:
                        return -1
                    number = number * 10 + (tag[i] - 48)
                for at in range(self.n_pending):
                    if self.pending[at].own == number:
                        return at
                return -1
        at = self._find_pending(tag, size)
        return at if at >= 0 and self.pending[at].own == 0 else -1

    cdef int _own_answer(self, const uint8_t* p, Py_ssize_t n, Py_ssize_t i, int at) except -1:
        """The tagged answer to a command of the proxy's own; its tag is the i octets at p."""
        cdef Py_ssize_t start = i + 1
        cdef int status
        self.answered = self.pending[at].own
        i += 1
        while CHARS[p[i]] & CH_NAME:
            i += 1
        status = STATUS_WORDS.find(p + start, i - start)
        if status < 0 or (p[i] != c" " and p[i] != c"\r"):
            return self._fault_of_server(F_BAD_STATUS)
        if text_fault(p, p + n - 2) >= F_FIRST_FRAMING:
            return self._fault_of_server(text_fault(p, p + n - 2))
        self._complete(at, status)
        self.status = status
        self._unit = PyBytes_FromStringAndSize(<const char*>p + start, n - start)
        self._ask(Q_OWN)
        self._unit = None
        return R_DONE

    cdef bint _goes_on(self) except? True:
        """Does "+" belong to an own command? Then session is told."""
        cdef int i
        for i in range(self.n_pending):
            if self.pending[i].flags & P_GO:
                self.pending[i].flags &= ~P_GO
                self.answered = self.pending[i].own
                self._ask(Q_GO)
                return True
        return False

    cdef int _fault_of_server(self, int fault) except -1:
        self.fault = <uint8_t>fault
        self.offset = self.sin - self.left_over
        self._ask(Q_SERVER_FAULT)
        self.stop()
        return R_DONE

    # ---- the client waits ---------------------------------------------------------------------------------------

    def hold_client(self):
        """Session has begun with something that the client's next command must wait for."""
        cdef int i
        for i in range(self.n_pending):
            # What went before has no say in it: IDLE is answered when the next command is under way already.
            self.pending[i].flags &= ~P_HOLDS
        self.hold = H_FLOW

    def free_client(self):
        """It is done."""
        if self.hold != H_FLOW:
            return
        self.hold = H_NONE
        if self.busy:
            self.release = True
        elif not self.stopped:
            self.resume()

    @property
    def held(self):
        """Does the client wait for session?"""
        return self.hold == H_FLOW

    def choke(self, bint on):
        """Session takes no more of what the server sends, or does again."""
        self.choked = on
        self._reading()

    # ---- responses of the proxy's own -------------------------------------------------------------------------------

    def begin_saying(self):
        """A response of the proxy's own begins; its pieces come by `say`, whatever else comes waits for `end_saying`."""
        self._flush_client()
        self.saying = True

    def say(self, bytes data not None):
        self._to_client(<const uint8_t*>data, len(data), data)

    def end_saying(self):
        cdef list later = self._take_later()
        cdef bytes data
        self.saying = False
        if later is not None:
            for data in later:
                self.reply(data)
        self._reading()

    # ---- the tags that the server knows -------------------------------------------------------------------------

    cdef int _send_tagged(self, const uint8_t* p, Py_ssize_t n, bytes end) except -1:
        """Send the n octets at p, a command that was put down last, in canonical form under its own tag."""
        cdef bytes tag = self._own_tag()
        self._flush_server()
        buf_drop(&self.unit)
        buf_add(&self.unit, <const uint8_t*>tag, len(tag))
        canonical(p + self.x.tag_size, n - self.x.tag_size, &self.unit)
        buf_add(&self.unit, <const uint8_t*>end, len(end))
        self._to_server(self.unit.data, self.unit.size, None)
        buf_drop(&self.unit)
        return R_DONE

    cdef int _replace_command(self) except -1:
        """Send what session put in the place of the client's command, which begins with its tag."""
        cdef bytes line = self.replacement
        if not self.scanning:
            return self._replace_to_server()
        self.replacement = None
        line = self._own_tag() + line[self.x.tag_size:]
        self._flush_server()
        return self._to_server(<const uint8_t*>line, len(line), line)
