# Tokens of a client's command, line by line (a command has a line more than literals).
#
# The grammar is that of RFC 3501 section 9 and RFC 9051 section 9, made stricter where two readers could disagree on
# where a command begins or ends: a "{" stands only in a literal's announcement, at the end of a line and at the
# start of a token; quoted strings know the escapes \" and \\ alone; atoms are ASCII. One relaxation: more than one
# space between arguments and spaces at the end of a line are taken and sent on as one and none (T-F20).

cdef enum:
    MAX_TAG = 64
    MAX_NAME = 32
    MAX_DEPTH = 32
    MAX_ARGS = 512
    MAX_LITERALS = 32
    MAX_WILDCARDS = 16
    MAX_LITERAL_DIGITS = 20

cdef struct Lex:
    int code             # Command
    int tag_size
    int args_at          # where the arguments begin in the first line; its size if there are none
    int depth
    int args
    int literals
    int wildcards
    int section_depth    # depth of the list that HEADER.FIELDS opened + 1; 0: not inside a section
    int section_args     # arguments seen when that list was opened
    int top              # arguments outside lists in this line
    bint composed        # CATENATE: the mail may come without a literal of its own (RFC 4469)
    bint tail            # behind the literal of an upload
    bint utf8            # quoted strings may be UTF-8
    bint searchres       # "$" stands for a set
    bint loose           # not in canonical form
    bint announces       # the line ends in a literal's announcement
    bint sync
    bint literal8
    int64_t literal      # its size
    Py_ssize_t marker_at # where "{" or "~{" stands
    Py_ssize_t fault_at
    uint8_t shape
    uint8_t part         # UploadPart


cdef int lex_first(const uint8_t* p, Py_ssize_t n, Lex* x) noexcept:
    """command = tag SP name [SP arguments]; the line without CRLF. A fault code or 0."""
    cdef Py_ssize_t i = 0, start
    cdef int fault = lex_controls(p, n, x)
    x.code = CMD_UNKNOWN
    x.tag_size = 0
    x.args_at = <int>n
    x.tail = x.composed = False
    x.part = 0
    x.top = x.depth = x.args = x.literals = x.wildcards = x.section_depth = x.section_args = 0
    x.loose = False
    x.announces = False
    x.shape = c"o"
    while i < n and CHARS[p[i]] & CH_TAG:
        i += 1
    if i > MAX_TAG:
        return F_TAG_TOO_LONG
    if fault >= F_FIRST_FRAMING:
        return fault
    if i == 0 or i == n or p[i] != c" ":
        x.fault_at = i
        return F_BAD_TAG
    x.tag_size = <int>i
    if fault:
        return fault
    i += 1
    start = i
    while i < n and CHARS[p[i]] & CH_NAME:
        i += 1
    x.fault_at = i
    if i == start:
        return F_BAD_SPACE if i < n and p[i] == c" " else F_BAD_NAME
    if i - start > MAX_NAME or (i < n and p[i] != c" "):
        return F_BAD_LITERAL if i < n and p[i] == c"{" else F_BAD_NAME
    x.code = COMMAND_WORDS.find(p + start, i - start)
    if x.code == UID_PREFIX:
        start = i + 1
        i = start
        while i < n and CHARS[p[i]] & CH_NAME:
            i += 1
        x.fault_at = i
        if i <= start or i - start > MAX_NAME or (i < n and p[i] != c" "):
            x.code = CMD_UNKNOWN
            return F_BAD_NAME
        x.code = UID_WORDS.find(p + start, i - start)
    if x.code < 0:
        x.code = CMD_UNKNOWN
    x.shape = SHAPE_OF[x.code]
    x.args_at = <int>i
    return lex_arguments(p, n, i, x)


cdef int lex_next(const uint8_t* p, Py_ssize_t n, Lex* x) noexcept:
    """The line after a literal that was gathered."""
    cdef int fault = lex_controls(p, n, x)
    x.announces = False
    x.loose = False
    x.top = 0
    if fault:
        return fault
    return lex_arguments(p, n, 0, x)


cdef void trailing_literal(const uint8_t* p, Py_ssize_t n, Lex* x) noexcept:
    """After a fault: does the line end in an announcement? Its octets are data whatever was wrong before (R3)."""
    cdef Py_ssize_t i = n - 1, last
    cdef int64_t size = 0
    x.announces = False
    if n < 3 or p[i] != c"}":
        return
    i -= 1
    x.sync = p[i] != c"+"
    if not x.sync:
        i -= 1
    last = i
    while i >= 0 and CHARS[p[i]] & CH_DIGIT:
        i -= 1
    if i < 0 or i == last or p[i] != c"{":
        return
    for i in range(i + 1, last + 1):
        if size < 1000000000000000:     # more is never eaten
            size = size * 10 + (p[i] - 48)
    x.announces = True
    x.literal = size


cdef int text_fault(const uint8_t* p, const uint8_t* end) noexcept:
    """NUL and lone CR are faults of framing, other control characters F_CONTROL."""
    cdef int fault = F_NONE
    p = scan_text(p, end)
    while p < end:
        if p[0] == 0 or p[0] == c"\r":
            return F_NUL if p[0] == 0 else F_BARE_CR
        fault = F_CONTROL
        p = scan_text(p + 1, end)
    return fault


cdef int lex_controls(const uint8_t* p, Py_ssize_t n, Lex* x) noexcept:
    cdef const uint8_t* end = p + n
    cdef const uint8_t* at = scan_text(p, end)
    cdef int fault = F_NONE
    while at < end:
        if at[0] == 0 or at[0] == c"\r":
            x.fault_at = at - p
            return F_NUL if at[0] == 0 else F_BARE_CR
        if not fault:
            x.fault_at = at - p
            fault = F_CONTROL
        at = scan_text(at + 1, end)
    return fault


cdef int lex_arguments(const uint8_t* p, Py_ssize_t n, Py_ssize_t i, Lex* x) noexcept:
    """*(SP argument), from just behind a token."""
    cdef int fault
    cdef Py_ssize_t start
    cdef bint open_list = False     # just behind "("
    while True:
        x.fault_at = i
        if i == n:
            break
        if not open_list:
            if p[i] == c")":
                i += 1
                fault = lex_close(p, n, &i, x)
                if fault:
                    return fault
                continue
            if p[i] == c"{":
                return F_BAD_LITERAL
            if p[i] == c"]" and x.section_depth == x.depth + 1 and x.args > x.section_args:
                i += 1
                fault = lex_section_end(p, n, &i, x)
                if fault:
                    return fault
                continue
            if p[i] == c"]" and x.shape != c"f" and x.shape != c"u" and i and p[i - 1] == c")":
                fault = lex_token(p, n, &i, x)
                if fault:
                    return fault
                continue
            if p[i] != c" ":
                return F_EIGHT_BIT if p[i] >= 0x80 else F_BAD_SYNTAX
            i += 1
            while i < n and p[i] == c" ":
                x.loose = True
                i += 1
            if i == n:
                x.loose = True
                break
        elif p[i] == c")":
            # an empty list
            i += 1
            open_list = False
            fault = lex_close(p, n, &i, x)
            if fault:
                return fault
            continue
        open_list = False
        x.fault_at = i
        if x.shape == c".":
            return F_BAD_SYNTAX
        x.args += 1
        if x.args > MAX_ARGS:
            return F_TOO_MANY_ARGUMENTS
        if x.section_depth and (x.args != x.section_args) == (x.depth < x.section_depth):
            return F_BAD_FETCH      # outside the list of HEADER.FIELDS only its "(" may stand
        if x.depth == 0:
            x.top += 1
        start = i
        if x.shape == c"u" and p[i] == c"(" and not lex_upload(p, i, i + 1, x):
            return F_BAD_TAIL if x.tail else F_BAD_SYNTAX
        if p[i] == c"(":
            if x.args == 1 and (x.shape == c"s" or x.shape == c"f"):
                return F_BAD_SET
            if x.section_depth and x.args != x.section_args:
                return F_BAD_FETCH
            x.depth += 1
            if x.depth > MAX_DEPTH:
                return F_TOO_DEEP
            i += 1
            open_list = True
            continue
        fault = lex_token(p, n, &i, x)
        if fault:
            return fault
        if x.shape == c"u" and not lex_upload(p, start, i, x):
            return F_BAD_TAIL if x.tail else F_BAD_SYNTAX
        if x.announces:
            return F_NONE
    return lex_end(x)


cdef enum UploadPart:
    UP_NAME = 0          # behind the mailbox's name, or behind a mail
    UP_FLAGS = 1
    UP_DATE = 2
    UP_UTF8 = 3          # behind the word
    UP_CATENATE = 4
    UP_UTF8_LIST = 5     # inside its list
    UP_CATENATE_LIST = 6


cdef bint lex_upload(const uint8_t* p, Py_ssize_t start, Py_ssize_t end, Lex* x) noexcept:
    """May this argument stand here in APPEND or REPLACE? (RFC 9051 section 6.3.12, RFC 4469, RFC 9755)

    append-message = [SP flag-list] [SP date-time] SP (literal / literal8 / "UTF8" SP "(" literal8 ")" /
    "CATENATE" SP "(" cat-part *(SP cat-part) ")"). Not all servers end a command with an announcement elsewhere.
    """
    cdef uint8_t c = p[start]
    if x.args <= (1 if x.code == CMD_APPEND else 2):
        return c != c"("
    if x.depth:
        if x.part == UP_FLAGS:
            return not x.announces and c != c"(" and c != c'"'
        if x.part == UP_UTF8_LIST:
            return x.announces and x.literal8
        return x.part == UP_CATENATE_LIST
    if c == c"(":
        if x.part == UP_NAME:
            x.part = UP_FLAGS
        elif x.part == UP_UTF8:
            x.part = UP_UTF8_LIST
        elif x.part == UP_CATENATE:
            x.part = UP_CATENATE_LIST
        else:
            return False
        return True
    if x.part > UP_DATE:
        return False
    if x.announces:
        x.part = UP_NAME
        return True
    if c == c'"' and x.part < UP_DATE:
        x.part = UP_DATE
        return True
    if word_is(p + start, end - start, b"UTF8"):
        x.part = UP_UTF8
        return True
    if word_is(p + start, end - start, b"CATENATE"):
        x.part = UP_CATENATE
        x.composed = True
        return True
    return False


cdef int lex_end(Lex* x) noexcept:
    if x.depth or x.section_depth:
        return F_BAD_SYNTAX
    if x.args == 0 and x.shape != c"." and x.shape != c"o":
        return F_BAD_SYNTAX
    if x.shape == c"f" and x.args < 2:
        return F_BAD_SYNTAX
    if x.shape == c"u" and not x.tail and not x.composed:
        return F_BAD_SYNTAX      # an upload without a mail
    return F_NONE


cdef int lex_close(const uint8_t* p, Py_ssize_t n, Py_ssize_t* i, Lex* x) noexcept:
    """Behind a ")"."""
    if x.depth == 0 or x.depth < x.section_depth:
        return F_BAD_SYNTAX
    x.depth -= 1
    if x.shape == c"u" and x.depth == 0 and x.part >= UP_UTF8_LIST:
        x.part = UP_NAME
    return F_NONE


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


def lex(bytes line, *, bint utf8=False, bint searchres=False):
    """For tests: (fault, code, tag, loose, announced size or None, sync) of a first line without CRLF."""
    cdef Lex x
    memset(&x, 0, sizeof(x))
    x.utf8 = utf8
    x.searchres = searchres
    cdef int fault = lex_first(<const uint8_t*>line, len(line), &x)
    return (FAULTS[fault], COMMANDS[x.code], line[:x.tag_size], bool(x.loose),
            x.literal if x.announces else None, bool(x.sync))


def tokens(bytes unit):
    """For tests and questions: the arguments of a whole command, literals in place."""
    cdef Lex x
    memset(&x, 0, sizeof(x))
    cdef Py_ssize_t end = unit.find(b"\r\n")
    lex_first(<const uint8_t*>unit, end if end >= 0 else len(unit), &x)
    return tokens_of(<const uint8_t*>unit, len(unit), x.args_at)


cdef enum:
    UID_PREFIX = 1000

cdef Words COMMAND_WORDS = Words({name: code for code, name in enumerate(COMMANDS)
                                  if code and not name.startswith(b"UID-")} | {b"UID": UID_PREFIX})
cdef Words UID_WORDS = Words({name[4:]: code for code, name in enumerate(COMMANDS) if name.startswith(b"UID-")})
cdef uint8_t SHAPE_OF[N_COMMANDS]
for _code in range(N_COMMANDS):
    SHAPE_OF[_code] = SHAPES[_code]
