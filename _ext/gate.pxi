# The gate: what a unit's code may do without a question.

# Kinds of untagged responses.
cdef enum Untagged:
    U_DATA = 0           # passes
    U_STATUS = 1         # OK NO BAD
    U_BYE = 2
    U_PREAUTH = 3
    U_CAPABILITY = 4
    U_ENABLED = 5
    U_FETCH = 6
    U_EXISTS = 7
    U_EXPUNGE = 8
    U_VANISHED = 9
    U_ID = 10
    U_MAILBOX = 11       # STATUS data
    U_FLAT = 12          # data without strings

_UNTAGGED = {
    b"OK": U_STATUS, b"NO": U_STATUS, b"BAD": U_STATUS, b"BYE": U_BYE, b"PREAUTH": U_PREAUTH,
    b"CAPABILITY": U_CAPABILITY, b"ENABLED": U_ENABLED, b"FETCH": U_FETCH, b"EXISTS": U_EXISTS,
    b"EXPUNGE": U_EXPUNGE, b"VANISHED": U_VANISHED, b"ID": U_ID, b"STATUS": U_MAILBOX,
}

_FLAT = frozenset((b"SEARCH", b"SORT", b"THREAD", b"FLAGS", b"RECENT"))

cdef Words STATUS_WORDS = Words({b"OK": 0, b"NO": 1, b"BAD": 2})
STATUSES = (b"OK", b"NO", b"BAD")


cdef enum:
    MOST_SAID = 256      # status lines that a gate keeps: servers say the same ones to everybody
    MAX_SAID = 1000      # octets of such a line


@cython.final
cdef class Said:
    """What became of a status line of the server's that lists capabilities, and what the list taught."""

    cdef:
        readonly bytes line        # from behind its tag to its end, as clients get it
        readonly bint ok
        readonly bint sasl_ir
        readonly bint searchres


@cython.final
cdef class Gate:
    """What policy compiled of one command-acl (architecture.md section 4). Shared by all its sessions."""

    cdef:
        uint8_t actions[N_COMMANDS]
        Words codes
        Words untagged
        Words items        # of FETCH that tell nothing of a mail's octets
        bint unknown
        dict before        # status lines kept for sessions that are not authenticated
        dict after         # and for those that are

    def __cinit__(self, bytes actions, codes, untagged, bint unknown=False, items=()):
        """`actions` has one of PASS, ASK, DENY for each of COMMANDS; `codes` and `untagged` are the names of response
        codes and of untagged data that pass unasked; `unknown` lets other ones pass as well. `items` are those of FETCH that pass
        where mails are processed.
        """
        if len(actions) != N_COMMANDS or max(actions) > GATE_DENY or GATE_DROP in actions:
            raise ValueError("one action for each command")
        for code in range(N_COMMANDS):
            if actions[code] == GATE_ASK and SHAPES[code] == c"u":
                raise ValueError("uploads pass or are denied")
            self.actions[code] = actions[code]
        self.codes = Words({bytes(name): 1 for name in codes})
        self.untagged = Words(
            {bytes(name): U_FLAT if name in _FLAT else U_DATA for name in untagged} | _UNTAGGED)
        self.unknown = unknown
        self.items = Words({bytes(name): 1 for name in items})
        self.before = {}
        self.after = {}

    def keep(self, bytes rest not None, bint authenticated, bytes line not None, bint sasl_ir, bint searchres):
        """`rest`, a status line from behind its tag to its end, becomes `line` in every session under this gate. Long
        lines, and many, are not kept.
        """
        cdef dict lines = self.after if authenticated else self.before
        cdef Said said
        if len(rest) > MAX_SAID or len(lines) >= MOST_SAID:
            return
        said = Said()
        said.line = line
        said.ok = rest.startswith(b"OK ")
        said.sasl_ir = sasl_ir
        said.searchres = searchres
        lines[rest] = said

    def said(self, bytes rest not None, bint authenticated):
        """What was kept of such a line, or None."""
        return (self.after if authenticated else self.before).get(rest)

    cdef Said look(self, const uint8_t* p, Py_ssize_t n, bint authenticated):
        """The same for n octets at p."""
        cdef dict lines = self.after if authenticated else self.before
        if n > MAX_SAID or not lines:
            return None
        return <Said>lines.get(PyBytes_FromStringAndSize(<const char*>p, n))

    def action(self, int code):
        """The action for one command (for tests and for `test-imap4`)."""
        if not 0 <= code < N_COMMANDS:
            raise ValueError(code)
        return self.actions[code]
