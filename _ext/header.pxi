# The fields of a header (RFC 5322 section 2.2), cut where Dovecot 2.3 cuts them; nothing is copied.

cdef enum:
    MAX_FIELD_NAME = 1000     # a longer name is junk, as Dovecot has it


cdef struct Field:
    Py_ssize_t start        # of its first line
    Py_ssize_t name_end     # its name is [start, name_end); no name: a junk line
    Py_ssize_t value        # the value is [value, value_end), line ends of folding included
    Py_ssize_t value_end
    Py_ssize_t end          # after the newline of its last line
    int newline             # octets of that newline: 0 to 2
    bint folded
    bint spaced             # white space before the colon


cdef inline bint is_lwsp(uint8_t c) noexcept nogil:
    return c == c" " or c == c"\t"


cdef inline bint at_blank(const uint8_t* p, Py_ssize_t at, Py_ssize_t end) noexcept:
    """An empty line begins here. at < end."""
    if p[at] == c"\n":
        return True
    return p[at] == c"\r" and at + 1 < end and p[at + 1] == c"\n"


cdef inline Py_ssize_t line_end(const uint8_t* p, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    """After the LF of the line at `at`, or end."""
    cdef const uint8_t* lf = <const uint8_t*>memchr(p + at, c"\n", end - at)
    return end if lf == NULL else lf - p + 1


cdef inline int newline_before(const uint8_t* p, Py_ssize_t start, Py_ssize_t end) noexcept nogil:
    """How many octets of newline [start, end) ends in."""
    if end == start or p[end - 1] != c"\n":
        return 0
    return 2 if end - start > 1 and p[end - 2] == c"\r" else 1


cdef void next_field(const uint8_t* p, Py_ssize_t at, Py_ssize_t end, Field* field) noexcept:
    """The field at `at`, which is where a line begins that is not empty. A line without a colon is a field without a
    name, whose value is the whole line.
    """
    cdef Py_ssize_t first = line_end(p, at, end), stop = first, value, last
    cdef const uint8_t* colon
    field.start = field.name_end = field.value = at
    field.folded = field.spaced = False
    last = first - newline_before(p, at, first)
    colon = <const uint8_t*>memchr(p + at, c":", last - at)
    if colon != NULL:
        field.name_end = colon - p
        while field.name_end > at and is_lwsp(p[field.name_end - 1]):
            field.name_end -= 1
            field.spaced = True
        if field.name_end - at > MAX_FIELD_NAME:
            field.name_end = at
        else:
            value = colon - p + 1
            while value < last and is_lwsp(p[value]):
                value += 1
            # A value of white space alone keeps it, but for the first.
            field.value = value if value < last or last == colon - p + 1 else colon - p + 2
    while stop < end and p[stop - 1] == c"\n" and is_lwsp(p[stop]):
        at = stop
        stop = line_end(p, stop, end)
        field.folded = True
    field.newline = newline_before(p, at, stop)
    field.value_end = stop - field.newline
    field.end = stop


cdef inline bint same_word(const uint8_t* p, Py_ssize_t n, const uint8_t* q, Py_ssize_t m) noexcept:
    """Equal but for the case of ASCII letters."""
    cdef Py_ssize_t i
    if n != m:
        return False
    for i in range(n):
        if upper(p[i]) != upper(q[i]):
            return False
    return True


cdef inline Py_ssize_t until_nul(const uint8_t* p, Py_ssize_t n) noexcept:
    """Dovecot's names are C strings: `Content-Type` and a NUL is still that name."""
    cdef const uint8_t* nul = <const uint8_t*>memchr(p, 0, n) if n else NULL
    return n if nul == NULL else nul - p


cdef int full_value(const uint8_t* p, Field* field, Buf* room, const uint8_t** value, Py_ssize_t* size) except -1:
    """The value with LF for each newline inside; it is copied to `room` only where the field is folded."""
    cdef Py_ssize_t at = field.value, stop
    if not field.folded:
        value[0] = p + at
        size[0] = field.value_end - at
        return 0
    room.size = 0
    while at < field.value_end:
        stop = line_end(p, at, field.value_end)
        if stop - at > 1 and p[stop - 1] == c"\n" and p[stop - 2] == c"\r":
            buf_add(room, p + at, stop - at - 2)
            buf_add(room, <const uint8_t*>"\n", 1)
        else:
            buf_add(room, p + at, stop - at)
        at = stop
    buf_room(room, 1)
    value[0] = room.data
    size[0] = room.size
    return 0


def header_list(bytes header not None):
    """(name as written, start and end of the whole field in header) of each field up to the empty line; a line that is
    no field has the name b"".
    """
    cdef const uint8_t* p = header
    cdef Py_ssize_t at = 0, end = len(header)
    cdef Field field
    cdef list found = []
    while at < end and not at_blank(p, at, end):
        next_field(p, at, end, &field)
        found.append((header[at:field.name_end], at, field.end))
        at = field.end
    return found


cdef bint _is_named(const uint8_t* p, Field* field, tuple names) except -1:
    cdef bytes name
    cdef Py_ssize_t size = until_nul(p + field.start, field.name_end - field.start)
    for name in names:
        if same_word(p + field.start, size, <const uint8_t*>name, len(name)):
            return True
    return False


def header_fields(bytes header not None, tuple names not None, bint negate):
    """The fields with one of the names, or with none of them (`negate`), as written, and the empty line
    (RFC 3501 HEADER.FIELDS and HEADER.FIELDS.NOT). Where the header has no empty line, as in a mail without a body,
    HEADER.FIELDS gets one and HEADER.FIELDS.NOT gets none.
    """
    cdef const uint8_t* p = header
    cdef Py_ssize_t at = 0, end = len(header)
    cdef Field field
    cdef bint ended = True
    cdef list found = []
    while at < end:
        if at_blank(p, at, end):
            found.append(header[at:line_end(p, at, end)])
            return b"".join(found)
        next_field(p, at, end, &field)
        if _is_named(p, &field, names) != negate:
            found.append(header[at:field.end])
            ended = field.newline > 0
        at = field.end
    if not negate:
        found.append(b"\r\n" if ended else b"\r\n\r\n")
    return b"".join(found)
