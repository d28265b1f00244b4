# The index of a mail as Python sees it.

from collections import namedtuple as _namedtuple

cdef tuple KINDS = ("leaf", "multipart", "message")

MimePart = _namedtuple("MimePart", (
    "parent", "depth", "kind", "header", "header_size", "body", "body_size", "lines", "type", "subtype", "encoding",
    "children", "transfer", "faults",
))


cdef frozenset fault_names(uint32_t faults):
    return frozenset([name for bit, name in enumerate(MIME_FAULTS) if faults >> bit & 1])


cdef int _number(const uint8_t* p, Py_ssize_t n, Py_ssize_t* at) noexcept:
    """The number at `at`, which moves behind it; -1: none, or none that a part can have."""
    cdef int64_t number = 0
    cdef Py_ssize_t start = at[0]
    while at[0] < n and 48 <= p[at[0]] <= 57:
        if number <= MOST_PARTS:
            number = number * 10 + (p[at[0]] - 48)
        at[0] += 1
    return -1 if at[0] == start or number > MOST_PARTS else <int>number


@cython.final
cdef class MailIndex:
    """Where everything is in a mail, and what IMAP says of it. Part 0 is the whole mail; parts are in the order in
    which they stand. Made by `scan` and `unpack` alone.
    """

    cdef:
        Kept* parts
        int count
        readonly int64_t size
        readonly int64_t lines
        uint32_t fault_bits
        bytes words
        readonly bytes envelope
        readonly bytes body
        readonly bytes bodystructure
        readonly bytes preview

    def __cinit__(self):
        self.words = self.envelope = self.body = self.bodystructure = self.preview = b""

    def __init__(self):
        raise TypeError("an index is made by scan() or unpack()")

    def __dealloc__(self):
        free(self.parts)

    def __len__(self):
        return self.count

    @staticmethod
    def scan(data, int64_t max_header=262144, int max_parts=1000, int max_depth=30):
        """The index of a mail in any C-contiguous buffer, of which nothing is kept. Never raises for what the octets
        are: see `faults`. Caps: octets of one header that are looked into, parts, and parts around the innermost one
        with it (at most 256).
        """
        cdef MailIndex index = MailIndex.__new__(MailIndex)
        cdef Reader r
        cdef Py_buffer view
        cdef bint whole = False
        if max_header < 1 or max_parts < 1 or max_depth < 1:
            raise ValueError("a cap below 1")
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        reader_begin(&r)
        try:
            r.p = <const uint8_t*>view.buf
            r.size = view.len
            r.max_header = max_header
            r.max_parts = min(max_parts, <int>MOST_PARTS)
            r.max_depth = min(max_depth, <int>DEEPEST)
            read_mail(&r)
            index._take(&r)
            whole = True
        finally:
            reader_end(&r, whole)
            PyBuffer_Release(&view)
        return index

    cdef int _take(self, Reader* r) except -1:
        """Keep what was read."""
        cdef int i
        cdef Part* part
        put_structure(r)
        self.body = _bytes_of(&r.brief)
        self.bodystructure = _bytes_of(&r.out)
        self.preview = preview_of(r)
        part = &r.tree.parts[0]
        self.envelope = PyBytes_FromStringAndSize(
            <const char*>r.envelopes.data + part.envelope, part.envelope_size
        )
        self.parts = <Kept*>calloc(r.tree.count, sizeof(Kept))
        if self.parts == NULL:
            raise MemoryError
        self.count = r.tree.count
        self.size = r.size
        self.lines = r.lines
        for i in range(r.tree.count):
            part = &r.tree.parts[i]
            if part.kind == MULTIPART and part.has_boundary:
                part.faults |= NO_PARTS if part.first < 0 else 0
                part.faults |= 0 if part.closed else NOT_CLOSED
            keep_part(&self.parts[i], part)
            if part.first < 0:
                self.parts[i].decoded = decoded_octets(r.p + part.body, part.body_size, part.transfer)
            self.fault_bits |= part.faults
        self.words = PyBytes_FromStringAndSize(<const char*>r.words.data, r.words.size)
        return 0

    @property
    def faults(self):
        """Names of MIME_FAULTS: what was found anywhere in the mail."""
        return fault_names(self.fault_bits)

    cdef bytes word(self, uint32_t at):
        cdef const uint8_t* p = self.words
        return self.words[at + 1:at + 1 + p[at]]

    cdef tuple children(self, int i):
        cdef list found = []
        cdef int child = self.parts[i].first
        while child >= 0:
            found.append(child)
            child = self.parts[child].next
        return tuple(found)

    cdef int checked(self, i) except -1:
        cdef Py_ssize_t number = i
        if not 0 <= number < self.count:
            raise IndexError("no such part")
        return <int>number

    def part(self, i):
        """What is known of part `i`; IndexError for a number that none has."""
        cdef int number = self.checked(i)
        cdef Kept* part = &self.parts[number]
        return MimePart(
            part.parent,
            part.depth,
            KINDS[part.kind],
            part.header,
            part.header_size,
            part.body,
            part.body_size,
            part.lines,
            self.word(part.type_at),
            self.word(part.subtype_at),
            self.word(part.encoding_at) or b"7bit",
            self.children(number),
            TRANSFER_NAMES[part.transfer],
            fault_names(part.faults),
        )

    def decoded_size(self, i):
        """Octets of a leaf's body without its transfer encoding (`decode_transfer`); None where that is not known, or
        where parts are in it.
        """
        cdef int number = self.checked(i)
        return None if self.parts[number].decoded < 0 else self.parts[number].decoded

    @property
    def leaves(self):
        """The parts that have no parts in them, a multipart among them whose boundary does not occur."""
        cdef int i
        return tuple([i for i in range(self.count) if self.parts[i].first < 0])

    def find(self, tuple path not None):
        """The part of a section number, as (2, 1) for 2.1; () is the mail. -1: none. As in Dovecot part 1 of a leaf is
        the leaf.
        """
        cdef int at = 0, i, n = len(path)
        cdef int64_t number
        for i in range(n):
            number = path[i]
            at = self.step(at, number, i + 1 == n)
            if at < 0:
                return -1
        return at

    cdef int step(self, int at, int64_t number, bint last) noexcept:
        """One number of a section; `last`: none follows it."""
        if number < 1:
            return -1
        if self.parts[at].kind == MULTIPART:
            at = self.parts[at].first
            while number > 1 and at >= 0:
                at = self.parts[at].next
                number -= 1
        elif number != 1 or (not last and self.parts[at].kind != MESSAGE):
            return -1
        if at >= 0 and not last and self.parts[at].kind == MESSAGE:
            at = self.parts[at].first
        return at

    def pack(self):
        """All of it as octets, for `unpack` on this host."""
        return pack_index(self)

    @staticmethod
    def unpack(bytes blob not None):
        """The index from what `pack` made; ValueError for anything else."""
        return unpack_index(blob)

    def section(self, bytes spec not None):
        """Offset and size of a section as in BODY[spec], in any case; None for what is no section, or of no part.
        HEADER.FIELDS is made from HEADER by `header_fields`.
        """
        cdef const uint8_t* p = spec
        cdef Py_ssize_t n = len(spec), at = 0
        cdef int part = 0, number
        cdef bint numbered = False
        while at < n and 48 <= p[at] <= 57:
            number = _number(p, n, &at)
            if at < n and p[at] == c".":
                at += 1
                if at == n:
                    return None
            elif at < n:
                return None
            numbered = True
            part = self.step(part, number, at == n or not 48 <= p[at] <= 57)
            if part < 0:
                return None
        return self._ranged(part, spec[at:].upper(), numbered)

    cdef object _ranged(self, int number, bytes what, bint numbered):
        cdef Kept* part = &self.parts[number]
        if what == b"MIME" and numbered:
            return part.header, part.header_size
        if what == b"" and numbered:
            return part.body, part.body_size
        if what == b"":
            return 0, self.size
        if numbered:
            if part.kind != MESSAGE:
                return None
            part = &self.parts[part.first]
        if what == b"HEADER":
            return part.header, part.header_size
        if what == b"TEXT":
            return part.body, part.body_size
        return None


cdef void keep_part(Kept* kept, const Part* part) noexcept:
    kept.header = part.header
    kept.header_size = part.header_size
    kept.body = part.body
    kept.body_size = part.body_size
    kept.lines = part.lines
    kept.decoded = -1
    kept.parent = part.parent
    kept.depth = part.depth
    kept.first = part.first
    kept.next = part.next
    kept.faults = part.faults
    kept.kind = part.kind
    kept.transfer = part.transfer
    kept.type_at = part.type_at
    kept.subtype_at = part.subtype_at
    kept.encoding_at = part.encoding_at
