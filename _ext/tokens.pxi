# One token of a command: strings, literals, sections of FETCH, sets; its canonical form, and the tree of all tokens.


cdef int lex_token(const uint8_t* p, Py_ssize_t n, Py_ssize_t* at, Lex* x) noexcept:
    """One string, literal announcement or atom, from its first byte."""
    cdef Py_ssize_t i = at[0], start = at[0]
    cdef uint8_t c = p[i]
    x.fault_at = i
    if c == c'"':
        return lex_quoted(p, n, at, x)
    if c == c"{" or (c == c"~" and i + 1 < n and p[i + 1] == c"{"):
        return lex_literal(p, n, at, x)
    if not CHARS[c] & CH_ARG:
        return F_EIGHT_BIT if c >= 0x80 else F_BAD_SYNTAX
    while i < n and CHARS[p[i]] & CH_ARG:
        if p[i] == c"[" and x.shape == c"f" and not x.section_depth and x.args > 1:
            at[0] = i + 1
            return lex_section(p, n, start, at, x)
        if x.section_depth and p[i] == c"]":
            break
        if p[i] == c"*" or p[i] == c"%":
            x.wildcards += 1
        i += 1
    if i == start:
        return F_BAD_SYNTAX
    if i < n and p[i] == c"{":
        x.fault_at = i
        return F_BAD_LITERAL
    if i - start == 1 and c == c"~" and i + 1 < n and p[i] == c" " and p[i + 1] == c"{":
        return F_BAD_LITERAL
    at[0] = i
    if too_wild(x):
        return F_TOO_MANY_WILDCARDS
    if x.args == 1 and (x.shape == c"s" or x.shape == c"f") and not x.depth:
        return F_NONE if valid_set(p + start, i - start, x.searchres) else F_BAD_SET
    if x.args == 1 and (x.shape == c"s" or x.shape == c"f"):
        return F_BAD_SET
    return F_NONE


cdef inline bint too_wild(const Lex* x) noexcept:
    """LIST, LSUB, XLIST with more wildcards than a server should work for (T-L15)."""
    return x.wildcards > MAX_WILDCARDS and CMD_LIST <= x.code <= CMD_XLIST


cdef int lex_quoted(const uint8_t* p, Py_ssize_t n, Py_ssize_t* at, Lex* x) noexcept:
    """quoted = DQUOTE *QUOTED-CHAR DQUOTE"""
    cdef const uint8_t* end = p + n
    cdef const uint8_t* q = p + at[0] + 1
    cdef const uint8_t* start = q
    cdef Py_ssize_t begin = at[0] + 1
    cdef int fault = F_NONE
    cdef bint wide = False
    if x.args == 1 and (x.shape == c"s" or x.shape == c"f"):
        fault = F_BAD_SET
    while True:
        q = scan_quoted(q, end)
        if q >= end:
            return F_OPEN_QUOTED
        if q[0] == c'"':
            break
        if q[0] == c"\\":
            if q + 1 >= end:
                return F_OPEN_QUOTED
            if q[1] != c'"' and q[1] != c"\\":
                x.fault_at = q - p
                fault = F_BAD_QUOTED
            q += 1
        q += 1
    at[0] = q + 1 - p
    while start < q:
        if start[0] >= 0x80:
            wide = True
        elif start[0] == c"*" or start[0] == c"%":
            x.wildcards += 1
        start += 1
    if not fault and too_wild(x):
        return F_TOO_MANY_WILDCARDS
    start = p + begin
    if wide and not fault:
        if not x.utf8:
            return F_EIGHT_BIT
        if not valid_utf8(start, q - start):
            return F_BAD_UTF8
    return fault


cdef int lex_literal(const uint8_t* p, Py_ssize_t n, Py_ssize_t* at, Lex* x) noexcept:
    """literal = ["~"] "{" 1*20DIGIT ["+"] "}" at the end of the line"""
    cdef Py_ssize_t i = at[0], digits
    cdef uint64_t size = 0
    x.marker_at = i
    x.literal8 = p[i] == c"~"
    if x.literal8:
        i += 1
        if x.shape != c"u":
            return F_BAD_LITERAL
    i += 1
    digits = i
    while i < n and CHARS[p[i]] & CH_DIGIT and i - digits <= MAX_LITERAL_DIGITS:
        if size > 922337203685477580u:
            return F_LITERAL_OVERFLOW
        size = size * 10 + (p[i] - 48)
        i += 1
    if i == digits or i - digits > MAX_LITERAL_DIGITS:
        return F_BAD_LITERAL
    if size > 0x7fffffffffffffffu:
        return F_LITERAL_OVERFLOW
    x.sync = True
    if i < n and p[i] == c"+":
        x.sync = False
        i += 1
    if i + 1 != n or p[i] != c"}":
        return F_BAD_LITERAL
    if p[digits] == c"0" and CHARS[p[digits + 1]] & CH_DIGIT:
        x.loose = True
    at[0] = n
    x.announces = True
    x.literal = <int64_t>size
    x.literals += 1
    if x.args == 1 and (x.shape == c"s" or x.shape == c"f"):
        return F_BAD_SET
    return F_NONE


cdef int lex_section(const uint8_t* p, Py_ssize_t n, Py_ssize_t start, Py_ssize_t* at, Lex* x) noexcept:
    """section of BODY[...], BODY.PEEK[...], BINARY*[...], from behind its "[" (RFC 9051, fetch-att)."""
    cdef Py_ssize_t i = at[0], word
    cdef bint binary, parts = False
    x.fault_at = i
    binary = word_is(p + start, i - 1 - start, b"BINARY") or word_is(p + start, i - 1 - start, b"BINARY.PEEK") \
        or word_is(p + start, i - 1 - start, b"BINARY.SIZE")
    if not binary and not word_is(p + start, i - 1 - start, b"BODY") \
            and not word_is(p + start, i - 1 - start, b"BODY.PEEK"):
        return F_BAD_FETCH
    while i < n and CHARS[p[i]] & CH_DIGIT:
        if parts and p[i - 1] != c".":
            return F_BAD_FETCH
        word = i
        while i < n and CHARS[p[i]] & CH_DIGIT:
            i += 1
        if not valid_number(p + word, i - word, 1):
            return F_BAD_FETCH
        parts = True
        if i < n and p[i] == c".":
            i += 1
            continue
        break
    word = i
    while i < n and (CHARS[p[i]] & CH_NAME):
        i += 1
    if parts and p[word - 1] == c"." and i == word:
        return F_BAD_FETCH
    if i > word:
        if binary or (parts and p[word - 1] != c"."):
            return F_BAD_FETCH
        if word_is(p + word, i - word, b"HEADER.FIELDS") or word_is(p + word, i - word, b"HEADER.FIELDS.NOT"):
            if i + 1 >= n or p[i] != c" " or p[i + 1] != c"(":
                return F_BAD_FETCH
            x.section_depth = x.depth + 1
            x.section_args = x.args + 1
            at[0] = i
            return F_NONE
        if not (word_is(p + word, i - word, b"HEADER") or word_is(p + word, i - word, b"TEXT")
                or (parts and word_is(p + word, i - word, b"MIME"))):
            return F_BAD_FETCH
    if i == n or p[i] != c"]":
        return F_BAD_FETCH
    at[0] = i + 1
    return lex_partial(p, n, at, x)


cdef int lex_section_end(const uint8_t* p, Py_ssize_t n, Py_ssize_t* at, Lex* x) noexcept:
    """Behind the "]" that ends HEADER.FIELDS (...)."""
    x.section_depth = 0
    return lex_partial(p, n, at, x)


cdef int lex_partial(const uint8_t* p, Py_ssize_t n, Py_ssize_t* at, Lex* x) noexcept:
    """["<" number "." nz-number ">"]"""
    cdef Py_ssize_t i = at[0], start
    x.fault_at = i
    if i == n or p[i] != c"<":
        if i < n and CHARS[p[i]] & CH_ARG:
            return F_BAD_FETCH
        return F_NONE
    i += 1
    start = i
    while i < n and CHARS[p[i]] & CH_DIGIT:
        i += 1
    if not valid_number(p + start, i - start, 0) or i == n or p[i] != c".":
        return F_BAD_FETCH
    i += 1
    start = i
    while i < n and CHARS[p[i]] & CH_DIGIT:
        i += 1
    if not valid_number(p + start, i - start, 1) or i == n or p[i] != c">":
        return F_BAD_FETCH
    i += 1
    if i < n and CHARS[p[i]] & CH_ARG:
        return F_BAD_FETCH
    at[0] = i
    return F_NONE


cdef bint word_is(const uint8_t* p, Py_ssize_t n, const char* word) noexcept:
    cdef Py_ssize_t i
    if n != <Py_ssize_t>strlen(word):
        return False
    for i in range(n):
        if upper(p[i]) != word[i]:
            return False
    return True


cdef bint word_in(const uint8_t* p, Py_ssize_t n, const char* word) noexcept:
    """Does the upper-case word stand anywhere, in any case?"""
    cdef Py_ssize_t size = <Py_ssize_t>strlen(word), i
    for i in range(n - size + 1):
        if word_is(p + i, size, word):
            return True
    return False


cdef bint valid_number(const uint8_t* p, Py_ssize_t n, uint64_t least) noexcept:
    """number or nz-number: `least` to 4294967295, no more than ten digits."""
    cdef uint64_t value = 0
    cdef Py_ssize_t i
    if n < 1 or n > 10 or (n > 1 and p[0] == c"0"):
        return False
    for i in range(n):
        if not CHARS[p[i]] & CH_DIGIT:
            return False
        value = value * 10 + (p[i] - 48)
    return least <= value <= 4294967295u


cdef bint valid_set(const uint8_t* p, Py_ssize_t n, bint searchres) noexcept:
    """sequence-set = (seq-number / seq-range) *("," ...) / "$"; never expanded."""
    cdef Py_ssize_t i = 0, start
    cdef bint ranged = False
    if n == 1 and p[0] == c"$":
        return searchres
    while True:
        start = i
        if i < n and p[i] == c"*":
            i += 1
        else:
            while i < n and CHARS[p[i]] & CH_DIGIT:
                i += 1
            if not valid_number(p + start, i - start, 1):
                return False
        if i == n:
            return True
        if p[i] == c":" and not ranged:
            ranged = True
        elif p[i] == c",":
            ranged = False
        else:
            return False
        i += 1


cdef int canonical(const uint8_t* p, Py_ssize_t n, Buf* out) except -1:
    """Append the line in canonical form: one space between arguments, none at the end, sizes without zeros."""
    cdef Py_ssize_t i = 0, run = 0
    cdef bint quoted = False
    while i < n:
        if quoted:
            if p[i] == c"\\":
                i += 1
            elif p[i] == c'"':
                quoted = False
        elif p[i] == c'"':
            quoted = True
        elif p[i] == c" " and (i + 1 == n or p[i + 1] == c" "):
            buf_add(out, p + run, i - run)
            run = i + 1
        elif p[i] == c"{":
            i += 1
            buf_add(out, p + run, i - run)
            while p[i] == c"0" and i + 1 < n and CHARS[p[i + 1]] & CH_DIGIT:
                i += 1
            run = i
        i += 1
    if run < n:
        buf_add(out, p + run, n - run)
    return 0


cdef list tokens_of(const uint8_t* p, Py_ssize_t n, Py_ssize_t i):
    """The tokens of a checked command from offset i: bytes for atoms, (bytes,) for strings, nested lists.

    Literals stand in place (`{n}` CRLF octets) and come out as strings, as quoted ones do.
    """
    cdef list top = [], stack = [], now = top
    cdef Py_ssize_t start
    cdef int64_t size
    cdef bytearray text
    while i < n:
        c = p[i]
        if c == c" ":
            i += 1
        elif c == c"(":
            inner = []
            now.append(inner)
            stack.append(now)
            now = inner
            i += 1
        elif c == c")":
            if not stack:
                break
            now = stack.pop()
            i += 1
        elif c == c'"':
            text = bytearray()
            i += 1
            while i < n and p[i] != c'"':
                if p[i] == c"\\":
                    i += 1
                text.append(p[i])
                i += 1
            i += 1
            now.append((bytes(text),))
        elif c == c"{" or (c == c"~" and i + 1 < n and p[i + 1] == c"{"):
            i += 1 if c == c"{" else 2
            size = 0
            while i < n and CHARS[p[i]] & CH_DIGIT:
                if size <= n:
                    size = size * 10 + p[i] - 48
                i += 1
            while i < n and p[i] != c"\n":
                i += 1
            i += 1
            if i > n or size > n - i:
                break
            now.append((PyBytes_FromStringAndSize(<const char*>p + i, size),))
            i += size
        elif c == c"\r" or c == c"\n":
            i += 1
        else:
            start = i
            while i < n and p[i] not in b' ()"\r\n':
                i += 1
            now.append(PyBytes_FromStringAndSize(<const char*>p + start, i - start))
    return top


def tokens(bytes unit):
    """For tests and questions: the arguments of a whole command, literals in place."""
    cdef Lex x
    memset(&x, 0, sizeof(x))
    cdef Py_ssize_t end = unit.find(b"\r\n")
    lex_first(<const uint8_t*>unit, end if end >= 0 else len(unit), &x)
    return tokens_of(<const uint8_t*>unit, len(unit), x.args_at)
