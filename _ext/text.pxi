# Lines of text for the log: what it writes thousands of times a second. Arguments that need escaping are left to
# log/lines.py.

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    void* PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    object PyUnicode_DecodeASCII(const char* data, Py_ssize_t size, const char* errors)

cdef enum:
    MAX_FILLED = 2048
    MAX_PLACES = 32
    MAX_NUMBER = 20      # octets of a number of 64 bits


cdef Py_ssize_t put_number(uint8_t* out, int64_t number) noexcept:
    """Its decimal digits; how many octets."""
    cdef uint8_t digits[MAX_NUMBER]
    cdef int n = 0
    cdef Py_ssize_t used = 0
    cdef uint64_t rest = <uint64_t>number
    if number < 0:
        out[0] = c"-"
        used = 1
        rest = 0 - rest
    while True:
        digits[n] = <uint8_t>(48 + rest % 10)
        n += 1
        rest //= 10
        if rest == 0:
            break
    while n:
        n -= 1
        out[used] = digits[n]
        used += 1
    return used


@cython.final
cdef class Template:
    """An entry's identifier and its text, cut at its `%s`, `%u` and `%d`."""

    cdef:
        readonly bytes id
        readonly bytes text
        int places
        uint16_t at[MAX_PLACES]        # of each "%"
        uint8_t takes_text[MAX_PLACES]

    def __cinit__(self, bytes id not None, bytes text not None):
        cdef const char* t = text
        cdef Py_ssize_t i, n = len(text)
        if n > MAX_FILLED // 2 or text.count(b"%") > MAX_PLACES or text.endswith(b"%"):
            raise ValueError(text)
        self.id = id
        self.text = text
        for i in range(n):
            if t[i] == c"%":
                self.at[self.places] = <uint16_t>i
                self.takes_text[self.places] = t[i + 1] == c"s"
                self.places += 1


cdef Py_ssize_t put_argument(uint8_t* out, Py_ssize_t room, object arg, bint takes_text, Py_ssize_t limit) except -2:
    """The octets of one argument, -1 where it needs a rule of log/escape.py. At least MAX_NUMBER octets have room."""
    cdef const uint8_t* text
    cdef Py_ssize_t size, i
    if takes_text and (type(arg) is str or type(arg) is bytes):
        if type(arg) is bytes:
            text = <const uint8_t*><const char*>(<bytes>arg)
            size = len(<bytes>arg)
        elif PyUnicode_IS_COMPACT_ASCII(arg):
            text = <const uint8_t*>PyUnicode_DATA(arg)
            size = PyUnicode_GET_LENGTH(arg)
        else:
            return -1
        if (limit and size > limit) or size > room:
            return -1
        for i in range(size):
            if not CHARS[text[i]] & CH_PLAIN:
                return put_quoted(out, room, text, size)
            out[i] = text[i]
        return size if size else put_quoted(out, room, text, size)
    if type(arg) is int:
        try:
            return put_number(out, arg)
        except OverflowError:
            return -1
    if arg is None and takes_text:
        memcpy(out, "<NULL>", 6)
        return 6
    return -1


cdef Py_ssize_t put_quoted(uint8_t* out, Py_ssize_t room, const uint8_t* text, Py_ssize_t size) noexcept:
    """Printable ASCII without backslashes, in quotes where rules 3 and 4 of log/escape.py want them; -1 for anything
    else.
    """
    cdef Py_ssize_t used = 1, i
    cdef bint bare = size > 0 and not (size == 6 and memcmp(text, b"<NULL>", 6) == 0)
    if 2 * size + 2 > room:
        return -1
    out[0] = c'"'
    for i in range(size):
        if text[i] < c" " or text[i] > c"~" or text[i] == c"\\":
            return -1
        if text[i] == c'"':
            out[used] = c"\\"
            used += 1
        if text[i] == c" " or text[i] == c"=" or text[i] == c'"':
            bare = False
        out[used] = text[i]
        used += 1
    if bare:
        memcpy(out, text, size)
        return size
    out[used] = c'"'
    return used + 1


cdef Py_ssize_t _fill(uint8_t* out, Template template, tuple args, Py_ssize_t limit) except -2:
    """The octets written to out (MAX_FILLED), or -1 where an argument needs a rule of log/escape.py."""
    cdef const char* text = template.text
    cdef Py_ssize_t n = len(template.text), done = 0, used = 0, size
    cdef int place
    if len(args) != template.places:
        return -1
    for place in range(template.places):
        size = template.at[place] - done
        memcpy(out + used, text + done, size)
        used += size
        done = template.at[place] + 2
        size = MAX_FILLED - used - (n - done)
        if size < MAX_NUMBER:
            return -1
        size = put_argument(out + used, size, args[place], template.takes_text[place], limit)
        if size < 0:
            return -1
        used += size
    memcpy(out + used, text + done, n - done)
    return used + n - done


def fill(Template template not None, tuple args not None, Py_ssize_t limit):
    """The text with its places filled, or None where an argument needs a rule of log/escape.py: anything but
    printable ASCII without backslashes of str or bytes (at most `limit` long), None at `%s`, or an int.
    """
    cdef uint8_t out[MAX_FILLED]
    cdef Py_ssize_t used = _fill(out, template, args, limit)
    return None if used < 0 else PyUnicode_DecodeASCII(<const char*>out, used, NULL)


cdef int put_bytes(Buf* out, bytes data) except -1:
    return buf_add(out, <const uint8_t*>data, len(data))


cdef int put_line(Buf* out, bytes head, tuple entry, Py_ssize_t limit, careful) except -1:
    """One line of an entry that was kept (see `text_lines`)."""
    cdef Py_ssize_t used
    cdef int64_t track = entry[2]
    cdef object form = entry[0]
    cdef Template template = form.template
    put_bytes(out, head)
    put_bytes(out, template.id)
    buf_add(out, <const uint8_t*>" ", 1)
    used = _fill(buf_room(out, MAX_FILLED), template, <tuple?>entry[1], limit)
    if used < 0:
        put_bytes(out, (<str?>careful(form, entry[1])).encode("utf-8", "backslashreplace"))
    out.size += used if used > 0 else 0
    if track:
        buf_add(out, <const uint8_t*>" SESSION=", 9)
        out.size += put_number(buf_room(out, MAX_NUMBER), track)
    return buf_add(out, <const uint8_t*>"\n", 1)


def text_lines(list kept not None, head, Py_ssize_t limit, careful):
    """The lines of entries that were kept: (form, arguments, track, moment) each. `head(moment)` gives what stands
    before the entry, once a second, and `careful(form, arguments)` the text where `fill` cannot.
    """
    cdef Buf out
    cdef int64_t second = 0, of
    cdef bytes start = None
    cdef tuple entry
    out.data = NULL
    out.size = out.room = 0
    try:
        for entry in kept:
            of = <int64_t><double>entry[3]
            if start is None or of != second:
                second = of
                start = (<str?>head(entry[3])).encode("utf-8", "backslashreplace")
            put_line(&out, start, entry, limit, careful)
        return PyBytes_FromStringAndSize(<const char*>out.data, out.size)
    finally:
        buf_drop(&out)


@cython.final
cdef class Waiting:
    """Entries that were written and of which no lines were made yet. `gate` is the highest level that is written;
    `made` is called where lines must be made at once, with the truth of "and be written at once".
    """

    cdef:
        public int gate
        readonly list entries
        object clock
        object made
        Py_ssize_t most

    def __init__(self, clock, made, Py_ssize_t most):
        self.entries = []
        self.clock = clock
        self.made = made
        self.most = most

    def write(self, entry, *args, track=0, severity=None):
        """One entry; see Write in log/logger.py."""
        form = entry.form if severity is None else entry.forms[severity]
        if <int>form.level > self.gate:
            return
        self.entries.append((form, args, track, self.clock()))
        if form.urgent:
            self.made(True)
        elif len(self.entries) >= self.most:
            self.made(False)

    def take(self):
        """All of them, which are then no longer here."""
        taken = self.entries
        self.entries = []
        return taken
