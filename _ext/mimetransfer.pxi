# Content-Transfer-Encoding (RFC 2045 section 6): what it names, and what the octets are without it.

cdef enum:  # Transfer
    CTE_NONE              # no such field: as 7bit
    CTE_IDENTITY          # 7bit, 8bit
    CTE_BINARY
    CTE_QP
    CTE_BASE64
    CTE_UNKNOWN

cdef tuple TRANSFER_NAMES = (b"7bit", b"7bit", b"binary", b"quoted-printable", b"base64", b"")


cdef uint8_t known_encoding(const uint8_t* p, Py_ssize_t n) noexcept:
    if same_word(p, n, <const uint8_t*>"7bit", 4) or same_word(p, n, <const uint8_t*>"8bit", 4):
        return CTE_IDENTITY
    if same_word(p, n, <const uint8_t*>"binary", 6):
        return CTE_BINARY
    if same_word(p, n, <const uint8_t*>"quoted-printable", 16):
        return CTE_QP
    if same_word(p, n, <const uint8_t*>"base64", 6):
        return CTE_BASE64
    return CTE_UNKNOWN


cdef enum:
    SMALL_PIECE = 4096
    NO_SEXTET = 255

cdef uint8_t SEXTETS[256]
cdef uint8_t HEX_DIGITS[256]


cdef void _fill_digits() noexcept:
    cdef int i
    memset(SEXTETS, NO_SEXTET, 256)
    for i in range(26):
        SEXTETS[65 + i] = <uint8_t>i
        SEXTETS[97 + i] = <uint8_t>(26 + i)
    for i in range(10):
        SEXTETS[48 + i] = <uint8_t>(52 + i)
    SEXTETS[43] = 62
    SEXTETS[47] = 63
    for i in range(10):
        HEX_DIGITS[48 + i] = <uint8_t>i
    for i in range(6):
        HEX_DIGITS[65 + i] = HEX_DIGITS[97 + i] = <uint8_t>(10 + i)


_fill_digits()


cdef int64_t base64_size(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """What `base64_decode` gives."""
    cdef const uint8_t* end = p + n
    cdef const uint8_t* pad
    cdef int64_t size = 0
    while p < end:
        pad = <const uint8_t*>memchr(p, c"=", end - p)
        if pad == NULL:
            pad = end
        size += count_base64(p, pad) * 3 // 4
        p = pad + 1
    return size


cdef Py_ssize_t base64_decode(const uint8_t* p, Py_ssize_t n, uint8_t* out) noexcept nogil:
    """What is not of the alphabet is passed over; "=" ends a group, so that pieces with padding may follow one another.
    At least n * 3 / 4 + 3 octets have room.
    """
    cdef const uint8_t* end = p + n
    cdef uint8_t* start = out
    cdef uint32_t bits = 0
    cdef uint8_t a, b, c, d
    cdef int have = 0
    while p < end:
        while have == 0 and end - p >= 4:
            a, b, c, d = SEXTETS[p[0]], SEXTETS[p[1]], SEXTETS[p[2]], SEXTETS[p[3]]
            if (a | b | c | d) & 0xC0:
                break
            out[0] = <uint8_t>(a << 2 | b >> 4)
            out[1] = <uint8_t>(b << 4 | c >> 2)
            out[2] = <uint8_t>(c << 6 | d)
            out += 3
            p += 4
        if p >= end:
            break
        a = SEXTETS[p[0]]
        if a != NO_SEXTET:
            bits = bits << 6 | a
            have += 1
            if have == 4:
                out[0], out[1], out[2] = <uint8_t>(bits >> 16), <uint8_t>(bits >> 8), <uint8_t>bits
                out += 3
                have = 0
        elif p[0] == c"=":
            out += _last_group(bits, have, out)
            have = 0
        p += 1
    out += _last_group(bits, have, out)
    return out - start


cdef int _last_group(uint32_t bits, int have, uint8_t* out) noexcept nogil:
    if have == 2:
        out[0] = <uint8_t>(bits >> 4)
        return 1
    if have == 3:
        out[0] = <uint8_t>(bits >> 10)
        out[1] = <uint8_t>(bits >> 2)
        return 2
    return 0


cdef inline uint8_t hex_octet(const uint8_t* p) noexcept nogil:
    return <uint8_t>(HEX_DIGITS[p[0]] << 4 | HEX_DIGITS[p[1]])


cdef Py_ssize_t _qp_line(const uint8_t* p, const uint8_t* end, uint8_t* out) noexcept nogil:
    """A line less its white space at the end and what breaks it softly. An "=" without two digits stands for itself."""
    cdef const uint8_t* mark
    cdef Py_ssize_t used = 0
    while p < end:
        mark = <const uint8_t*>memchr(p, c"=", end - p)
        if mark == NULL:
            mark = end
        memcpy(out + used, p, mark - p)
        used += mark - p
        p = mark
        if p >= end:
            break
        if end - p >= 3 and is_hex(p + 1):
            out[used] = hex_octet(p + 1)
            p += 3
        else:
            out[used] = c"="
            p += 1
        used += 1
    return used


cdef Py_ssize_t qp_decode(const uint8_t* p, Py_ssize_t n, uint8_t* out) noexcept nogil:
    """Quoted-printable, into at least 2 * n octets. White space at a line's end goes; each line ends in CRLF. How many
    octets that gives `count_quoted` says.
    """
    cdef const uint8_t* end = p + n
    cdef const uint8_t* stop
    cdef const uint8_t* last
    cdef Py_ssize_t used = 0
    cdef bint soft
    while p < end:
        stop = p + line_end(p, 0, end - p)
        last = stop - newline_before(p, 0, stop - p)
        soft = last == stop
        while last > p and is_lwsp((last - 1)[0]):
            last -= 1
        if last > p and (last - 1)[0] == c"=":
            soft = True
            last -= 1
        used += _qp_line(p, last, out + used)
        if not soft:
            memcpy(out + used, "\r\n", 2)
            used += 2
        p = stop
    return used


cdef int64_t decoded_octets(const uint8_t* p, Py_ssize_t n, uint8_t transfer) noexcept nogil:
    if transfer == CTE_UNKNOWN:
        return -1
    if transfer == CTE_BASE64:
        return base64_size(p, n)
    return count_quoted(p, p + n) if transfer == CTE_QP else n


cdef bytes decoded_bytes(const uint8_t* p, Py_ssize_t n, uint8_t transfer):
    cdef bytes out
    cdef Py_ssize_t size
    cdef uint8_t* octets
    if transfer == CTE_UNKNOWN:
        return None
    if transfer != CTE_BASE64 and transfer != CTE_QP:
        return PyBytes_FromStringAndSize(<const char*>p, n)
    # What is small needs no count before: lines may become longer by an octet each.
    size = 2 * n
    if n > SMALL_PIECE:
        with nogil:
            size = decoded_octets(p, n, transfer)
    out = PyBytes_FromStringAndSize(NULL, size + 3)
    octets = <uint8_t*><char*>out
    if n <= SMALL_PIECE:
        return out[:_decode(p, n, transfer, octets)]
    with nogil:
        size = _decode(p, n, transfer, octets)
    return out[:size]


cdef inline Py_ssize_t _decode(const uint8_t* p, Py_ssize_t n, uint8_t transfer, uint8_t* out) noexcept nogil:
    return base64_decode(p, n, out) if transfer == CTE_BASE64 else qp_decode(p, n, out)


def decode_transfer(data, bytes encoding not None):
    """The octets without their transfer encoding, as BINARY has them: 7bit, 8bit, binary, base64 or quoted-printable in
    any case; None for another. Never fails for the data: octets that base64 does not have are passed over and an "="
    ends a group there; in quoted-printable an "=" without two digits stands for itself, but at the end of a line or of
    all, where it goes. Other threads run while much is decoded.
    """
    cdef Py_buffer view
    cdef uint8_t transfer = known_encoding(<const uint8_t*>encoding, len(encoding))
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        return decoded_bytes(<const uint8_t*>view.buf, view.len, transfer)
    finally:
        PyBuffer_Release(&view)
