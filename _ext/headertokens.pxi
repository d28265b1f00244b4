# Tokens of structured fields (RFC 5322 section 3.2, RFC 2045 section 5.1), read as tolerantly as Dovecot 2.3 does.
#
# Each reader moves the cursor. What it answers: 1 there is more, 0 the end was reached, -1 broken (-2: no memory).

cdef enum:  # AtextClass
    ATEXT_CHAR = 1      # RFC 5322 atext; octets above 127 too
    TOKEN_CHAR = 2      # of these what RFC 2045 allows in a token

cdef uint8_t ATEXT[256]


cdef void _fill_atext() noexcept:
    cdef int c
    for c in range(256):
        ATEXT[c] = 0
    for c in range(0x21, 0x7f):
        if c not in b'"(),.:;<>@[]\\':
            ATEXT[c] = ATEXT_CHAR | TOKEN_CHAR
    for c in range(0x80, 0x100):
        ATEXT[c] = ATEXT_CHAR | TOKEN_CHAR
    for c in b"/=?":
        ATEXT[c] = ATEXT_CHAR


_fill_atext()


cdef struct Cursor:
    const uint8_t* p
    const uint8_t* end
    Buf* comment        # gets the text of the last comment, where it is not NULL
    bint nuls           # a NUL becomes U+FFFD in what is copied


cdef inline int add_nul(Buf* out) except -1:
    return buf_add(out, <const uint8_t*>"\xef\xbf\xbd", 3)


cdef int add_clean(Buf* out, const uint8_t* p, Py_ssize_t n) except -1:
    """Append with U+FFFD for each NUL."""
    cdef Py_ssize_t size
    while n:
        size = until_nul(p, n)
        buf_add(out, p, size)
        if size == n:
            break
        add_nul(out)
        p += size + 1
        n -= size + 1
    return 0


cdef int _copied(Cursor* c, Buf* out, const uint8_t** start) except -1:
    """At a NUL or a newline inside quotes: copy what stood before it, and go on after it."""
    cdef Py_ssize_t size = c.p - start[0]
    if c.p[0] == 0:
        if c.nuls and out != NULL:
            buf_add(out, start[0], size)
            add_nul(out)
            start[0] = c.p + 1
    else:
        if size and start[0][size - 1] == c"\r":
            size -= 1
        if out != NULL:
            buf_add(out, start[0], size)
            start[0] = c.p + 1
    return 0


cdef int skip_comment(Cursor* c) except -2:
    cdef const uint8_t* start
    cdef Py_ssize_t level = 1
    if c.comment != NULL:
        c.comment.size = 0
    c.p += 1
    start = c.p
    while c.p < c.end:
        if c.p[0] == 0 or c.p[0] == c"\n":
            _copied(c, c.comment, &start)
        elif c.p[0] == c"(":
            level += 1
        elif c.p[0] == c")":
            level -= 1
            if level == 0:
                if c.comment != NULL:
                    buf_add(c.comment, start, c.p - start)
                c.p += 1
                return c.p < c.end
        elif c.p[0] == c"\\":
            if c.p + 1 >= c.end:
                c.p = c.end
                return -1
            if c.p[1] != c"\r" and c.p[1] != c"\n" and c.p[1] != 0:
                if c.comment != NULL:
                    buf_add(c.comment, start, c.p - start)
                c.p += 1
                start = c.p
        c.p += 1
    return -1


cdef int skip_lwsp(Cursor* c) except -2:
    while c.p < c.end:
        if c.p[0] == c" " or c.p[0] == c"\t" or c.p[0] == c"\r" or c.p[0] == c"\n":
            c.p += 1
            continue
        if c.p[0] != c"(":
            return 1
        if skip_comment(c) < 0:
            return -1
    return 0


cdef int read_atom(Cursor* c, Buf* out) except -2:
    cdef const uint8_t* start = c.p
    while c.p < c.end and ATEXT[c.p[0]]:
        c.p += 1
    if c.p == start:
        return -1
    buf_add(out, start, c.p - start)
    return skip_lwsp(c) if c.p < c.end else 0


cdef int read_dot_atom(Cursor* c, Buf* out) except -2:
    """White space and comments may stand around each dot."""
    cdef const uint8_t* start
    cdef int more
    if c.p >= c.end or not ATEXT[c.p[0]]:
        return -1
    while True:
        start = c.p
        while c.p < c.end and ATEXT[c.p[0]]:
            c.p += 1
        if c.p >= c.end:
            buf_add(out, start, c.p - start)
            return 0
        if c.p == start:
            return -1
        buf_add(out, start, c.p - start)
        more = skip_lwsp(c)
        if more <= 0 or c.p[0] != c".":
            return more
        c.p += 1
        buf_add(out, <const uint8_t*>".", 1)
        if skip_lwsp(c) <= 0:
            return -1


cdef int read_token(Cursor* c, Buf* out) except -2:
    """RFC 2045 token, which may be empty; a dot belongs to it."""
    cdef const uint8_t* start = c.p
    while c.p < c.end and (ATEXT[c.p[0]] & TOKEN_CHAR or c.p[0] == c"."):
        c.p += 1
    buf_add(out, start, c.p - start)
    return skip_lwsp(c) if c.p < c.end else 0


cdef int read_dotted(Cursor* c, Buf* out) except -2:
    """Atoms and dots, as they are."""
    cdef const uint8_t* start = c.p
    while c.p < c.end and (ATEXT[c.p[0]] or c.p[0] == c"."):
        c.p += 1
    buf_add(out, start, c.p - start)
    return skip_lwsp(c) if c.p < c.end else 0


cdef int read_quoted(Cursor* c, Buf* out) except -2:
    """The cursor is at the quote."""
    cdef const uint8_t* start
    c.p += 1
    start = c.p
    while c.p < c.end:
        if c.p[0] == 0 or c.p[0] == c"\n":
            _copied(c, out, &start)
        elif c.p[0] == c'"':
            buf_add(out, start, c.p - start)
            c.p += 1
            return skip_lwsp(c)
        elif c.p[0] == c"\\":
            if c.p + 1 >= c.end:
                c.p = c.end
                return -1
            if c.p[1] != c"\r" and c.p[1] != c"\n" and c.p[1] != 0:
                buf_add(out, start, c.p - start)
                c.p += 1
                start = c.p
        c.p += 1
    return -1


cdef int read_phrase(Cursor* c, Buf* out) except -2:
    cdef int more
    if c.p >= c.end:
        return 0
    if c.p[0] == c".":
        return -1
    while True:
        more = read_quoted(c, out) if c.p[0] == c'"' else read_dotted(c, out)
        if more <= 0:
            return more
        if not ATEXT[c.p[0]] and c.p[0] != c'"' and c.p[0] != c".":
            return skip_lwsp(c)
        buf_add(out, <const uint8_t*>" ", 1)


cdef int read_domain_literal(Cursor* c, Buf* out) except -2:
    """The cursor is at the bracket. Backslashes stay."""
    cdef const uint8_t* start = c.p
    c.p += 1
    while c.p < c.end:
        if c.p[0] == 0 or c.p[0] == c"\n":
            _copied(c, out, &start)
        elif c.p[0] == c"[":
            return -1
        elif c.p[0] == c"]":
            buf_add(out, start, c.p - start + 1)
            c.p += 1
            return skip_lwsp(c)
        elif c.p[0] == c"\\":
            c.p += 1
            if c.p >= c.end:
                return -1
            if c.p[0] == c"\r" or c.p[0] == c"\n" or c.p[0] == 0:
                buf_add(out, start, c.p - start)
                start = c.p
                continue
        c.p += 1
    return -1


cdef int read_domain(Cursor* c, Buf* out) except -2:
    """The cursor is at the at sign."""
    c.p += 1
    if skip_lwsp(c) <= 0:
        return -1
    return read_domain_literal(c, out) if c.p[0] == c"[" else read_dot_atom(c, out)


cdef int read_content_type(Cursor* c, Buf* out) except -2:
    """`type/subtype`, or nothing where it is broken; a lone type stays. -1: no parameters are to be read."""
    cdef Py_ssize_t before = out.size, slash
    cdef int more
    if skip_lwsp(c) <= 0 or read_token(c, out) <= 0 or out.size == before:
        return -1
    if c.p[0] == c"/":
        c.p += 1
        if skip_lwsp(c) > 0:
            buf_add(out, <const uint8_t*>"/", 1)
            slash = out.size
            more = read_token(c, out)
            if more >= 0 and out.size > slash and (c.p >= c.end or c.p[0] == c";"):
                return more
    out.size = before
    return -1
