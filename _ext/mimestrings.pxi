# Strings as IMAP prints them (RFC 3501 section 9), quoted or as literals as Dovecot 2.3 chooses.

cdef enum:
    MAX_ESCAPES = 4      # with more of `"` and `\` a literal is shorter


cdef inline int put_text(Buf* out, const char* text) except -1:
    return buf_add(out, <const uint8_t*>text, strlen(text))


cdef inline int put_char(Buf* out, uint8_t c) except -1:
    buf_room(out, 1)[0] = c
    out.size += 1
    return 0


cdef int put_size(Buf* out, int64_t number) except -1:
    buf_room(out, MAX_NUMBER)
    out.size += put_number(out.data + out.size, number)
    return 0


cdef int put_literal(Buf* out, const uint8_t* p, Py_ssize_t n) except -1:
    put_char(out, c"{")
    put_size(out, n)
    put_text(out, "}\r\n")
    return buf_add(out, p, n)


cdef int put_string(Buf* out, const uint8_t* p, Py_ssize_t n) except -1:
    """A string; p has no NUL."""
    cdef Py_ssize_t i
    cdef int escapes = 0
    cdef uint8_t* to
    if scan_string(p, p + n) == p + n:
        to = buf_room(out, n + 2)
        to[0] = to[n + 1] = c'"'
        if n:
            memcpy(to + 1, p, n)
        out.size += n + 2
        return 0
    for i in range(n):
        if p[i] == c'"' or p[i] == c"\\":
            escapes += 1
        if p[i] == c"\r" or p[i] == c"\n" or p[i] >= 0x80 or escapes > MAX_ESCAPES:
            return put_literal(out, p, n)
    put_char(out, c'"')
    for i in range(n):
        if p[i] == c'"' or p[i] == c"\\":
            put_char(out, c"\\")
        put_char(out, p[i])
    return put_char(out, c'"')


cdef int put_nstring(Buf* out, const Buf* text) except -1:
    """NIL for what is not set: a Buf without data."""
    if text.data == NULL:
        return put_text(out, "NIL")
    return put_string(out, text.data, text.size)


cdef int put_unfolded(Buf* out, const uint8_t* p, Py_ssize_t n, Buf* room) except -1:
    """A string without its newlines; a space stands for one that no white space follows. NULs become U+FFFD."""
    cdef Py_ssize_t i
    cdef uint8_t after
    room.size = 0
    buf_room(room, 1)
    if scan_string(p, p + n) == p + n:
        return put_string(out, p, n)
    for i in range(n):
        if p[i] == 0:
            add_nul(room)
        elif p[i] != c"\r" and p[i] != c"\n":
            put_char(room, p[i])
        elif i + 1 < n:
            after = p[i + 1]
            if not (is_lwsp(after) or after == c"\r" or after == c"\n"):
                put_char(room, c" ")
    return put_string(out, room.data, room.size)


cdef int put_for_humans(Buf* out, const uint8_t* p, Py_ssize_t n, Buf* room) except -1:
    """A string with each run of white space as one space, none at its ends; a literal where anything is unlike."""
    cdef Py_ssize_t i
    cdef bint space = True, plain = True
    room.size = 0
    buf_room(room, n + 1)
    for i in range(n):
        if p[i] == c" " or p[i] == c"\t" or p[i] == c"\r" or p[i] == c"\n":
            plain = plain and p[i] == c" " and not space
            if not space:
                room.data[room.size] = c" "
                room.size += 1
            space = True
        else:
            plain = plain and p[i] < 0x80 and p[i] != c'"' and p[i] != c"\\"
            room.data[room.size] = p[i]
            room.size += 1
            space = False
    if room.size and space:
        room.size -= 1
        plain = False
    if room.size == 0:
        return put_text(out, '""')
    if not plain:
        return put_literal(out, room.data, room.size)
    put_char(out, c'"')
    buf_add(out, room.data, room.size)
    return put_char(out, c'"')
