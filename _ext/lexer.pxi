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
    int64_t mail         # octets of the parts of a mail that CATENATE makes, as far as they were announced
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


cdef inline bint ends_braced(const uint8_t* p, Py_ssize_t n) noexcept:
    """Does the line of n octets, CRLF among them, end in "}"? Some readers take that for a literal in any line."""
    return n >= 3 and p[n - 3] == c"}"


cdef inline bint is_plain(const uint8_t* p, Py_ssize_t n) noexcept:
    """Has the line of n octets, CRLF among them, nothing that might be a response code or a literal?"""
    return memchr(p, c"[", n) == NULL and not ends_braced(p, n)


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
    "CATENATE" SP "(" cat-part *(SP cat-part) ")"); the mailbox is no literal8. Not all servers end a command with an
    announcement elsewhere.
    """
    cdef uint8_t c = p[start]
    if x.args <= (1 if x.code == CMD_APPEND else 2):
        return c != c"(" and not (x.announces and x.literal8)
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
        return is_date_time(p + start, end - start)
    if word_is(p + start, end - start, b"UTF8"):
        x.part = UP_UTF8
        return True
    if word_is(p + start, end - start, b"CATENATE"):
        x.part = UP_CATENATE
        x.composed = True
        x.mail = 0
        return True
    return False


cdef Words MONTHS = Words(dict.fromkeys(b"JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1))
cdef const char* DATE_TIME = b'-aaa-0000 00:00:00 z0000"'      # behind the day


cdef bint is_date_time(const uint8_t* p, Py_ssize_t n) noexcept:
    """date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE (RFC 9051)

    Here the day may also be one digit without the space: Horde says it so, and servers take it. Whether there is such
    a day or hour is left to the server.
    """
    cdef Py_ssize_t i
    cdef uint8_t c, wanted
    cdef Py_ssize_t day = 1 if n > 2 and p[2] == c"-" else 2
    if n != day + 26 or not CHARS[p[day]] & CH_DIGIT or not (CHARS[p[1]] & CH_DIGIT or p[1] == c" "):
        return False
    p += day + 1
    for i in range(25):
        c = p[i]
        wanted = <uint8_t>DATE_TIME[i]
        if wanted == c"0":
            if not CHARS[c] & CH_DIGIT:
                return False
        elif wanted == c"z":
            if c != c"+" and c != c"-":
                return False
        elif wanted != c"a" and c != wanted:
            return False
    return MONTHS.find(p + 1, 3) > 0


cdef int lex_end(Lex* x) noexcept:
    if x.depth or x.section_depth:
        return F_BAD_SYNTAX
    if x.args == 0 and x.shape != c"." and x.shape != c"o":
        return F_BAD_SYNTAX
    if x.shape == c"f" and x.args < 2:
        return F_BAD_SYNTAX
    if x.shape == c"u" and (x.part != UP_NAME or (not x.tail and not x.composed)):
        return F_BAD_SYNTAX      # an upload without a mail, or with a part of one at its end
    return F_NONE


cdef int lex_close(const uint8_t* p, Py_ssize_t n, Py_ssize_t* i, Lex* x) noexcept:
    """Behind a ")"."""
    if x.depth == 0 or x.depth < x.section_depth:
        return F_BAD_SYNTAX
    x.depth -= 1
    if x.shape == c"u" and x.depth == 0 and x.part >= UP_UTF8_LIST:
        x.part = UP_NAME
    return F_NONE


def lex(bytes line, *, bint utf8=False, bint searchres=False):
    """For tests: (fault, code, tag, loose, announced size or None, sync) of a first line without CRLF."""
    cdef Lex x
    memset(&x, 0, sizeof(x))
    x.utf8 = utf8
    x.searchres = searchres
    cdef int fault = lex_first(<const uint8_t*>line, len(line), &x)
    return (FAULTS[fault], COMMANDS[x.code], line[:x.tag_size], bool(x.loose),
            x.literal if x.announces else None, bool(x.sync))


cdef enum:
    UID_PREFIX = 1000

cdef Words COMMAND_WORDS = Words({name: code for code, name in enumerate(COMMANDS)
                                  if code and not name.startswith(b"UID-")} | {b"UID": UID_PREFIX})
cdef Words UID_WORDS = Words({name[4:]: code for code, name in enumerate(COMMANDS) if name.startswith(b"UID-")})
cdef uint8_t SHAPE_OF[N_COMMANDS]
for _code in range(N_COMMANDS):
    SHAPE_OF[_code] = SHAPES[_code]
