# Bodies that have one reading only, and marks of what may hide in text: each is a search at memory speed, asked of every
# part of every mail.

cpdef enum:
    MARK_BEGIN = 1        # "begin", of uuencode, base64 by that name, and yEnc
    MARK_BINHEX = 2
    MARK_DATA = 4         # "data:" in letters of either case
    MARK_ENCODING = 8     # "content-transfer-encoding" in letters of either case

cdef const char* BINHEX_TEXT = "(This file must be converted with BinHex"
cdef const char* ENCODING_TEXT = "content-transfer-encoding"


cdef inline bint _is_upper_hex(uint8_t c) noexcept:
    return c"0" <= c <= c"9" or c"A" <= c <= c"F"


cdef bytes clean_quoted_bytes(const uint8_t* p, Py_ssize_t n):
    cdef const uint8_t* end = p + n
    cdef const uint8_t* mark
    cdef bytes out = PyBytes_FromStringAndSize(NULL, n)
    cdef uint8_t* start = <uint8_t*><char*>out
    cdef uint8_t* to = start
    while p < end:
        mark = <const uint8_t*>memchr(p, c"=", end - p)
        if mark == NULL:
            mark = end
        memcpy(to, p, mark - p)
        to += mark - p
        if mark == end:
            break
        p = mark + 3
        if end - mark >= 3 and _is_upper_hex(mark[1]) and _is_upper_hex(mark[2]):
            to[0] = hex_octet(mark + 1)
            to += 1
        elif end - mark >= 2 and mark[1] == c"\n":
            p = mark + 2
        elif end - mark < 3 or mark[1] != c"\r" or mark[2] != c"\n":
            return None
    return out if to - start == n else out[:to - start]


def clean_quoted(data):
    """Quoted-printable decoded, where all who read it read the same; else None."""
    cdef Py_buffer view
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        return clean_quoted_bytes(<const uint8_t*>view.buf, view.len)
    finally:
        PyBuffer_Release(&view)


cdef bint _has_odd_quoted(const uint8_t* p, Py_ssize_t n) noexcept:
    cdef const uint8_t* end = p + n
    while p < end:
        p = <const uint8_t*>memchr(p, c"=", end - p)
        if p == NULL:
            return False
        if end - p < 3 or not is_hex(p + 1) and (p[1] != c"\r" or p[2] != c"\n"):
            return True
        p += 3
    return False


def has_odd_quoted(data, Py_ssize_t start, Py_ssize_t stop):
    """Whether an "=" in data[start:stop] is neither before two hexadecimal digits nor before a CRLF."""
    cdef Py_buffer view
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        start = min(max(start, 0), view.len)
        stop = min(max(stop, start), view.len)
        return _has_odd_quoted(<const uint8_t*>view.buf + start, stop - start)
    finally:
        PyBuffer_Release(&view)


cdef int _colon_marks(const uint8_t* p, Py_ssize_t n) noexcept:
    """MARK_DATA: what ends in a colon."""
    cdef const uint8_t* start = p
    cdef const uint8_t* end = p + n
    while p < end:
        p = <const uint8_t*>memchr(p, c":", end - p)
        if p == NULL:
            return 0
        if p - start >= 4 and same_word(p - 4, 4, <const uint8_t*>"data", 4):
            return MARK_DATA
        p += 1
    return 0


cdef int _hyphen_marks(const uint8_t* p, Py_ssize_t n) noexcept:
    """MARK_ENCODING, by its first hyphen: no letter is rarer."""
    cdef const uint8_t* start = p
    cdef const uint8_t* end = p + n
    while p < end:
        p = <const uint8_t*>memchr(p, c"-", end - p)
        if p == NULL:
            return 0
        if p - start >= 7 and end - p >= 18 and same_word(p - 7, 25, <const uint8_t*>ENCODING_TEXT, 25):
            return MARK_ENCODING
        p += 1
    return 0


def text_marks(data, bint documents):
    """What may stand in text that is a file of its own: bits of MARK_*; MARK_DATA and MARK_ENCODING with `documents`."""
    cdef Py_buffer view
    cdef int found = 0
    cdef const uint8_t* p
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        p = <const uint8_t*>view.buf
        if memmem(p, view.len, "begin", 5) != NULL:
            found |= MARK_BEGIN
        if memmem(p, view.len, BINHEX_TEXT, 40) != NULL:
            found |= MARK_BINHEX
        if documents:
            found |= _colon_marks(p, view.len) | _hyphen_marks(p, view.len)
        return found
    finally:
        PyBuffer_Release(&view)
