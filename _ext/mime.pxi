# One pass over a mail: header ranges, part tree, offsets, line counts. What belongs where is as in Dovecot 2.3: a part
# ends before the newline of the boundary line, a mail without MIME-Version may be MIME, the beginning of a line is what
# makes it a boundary.

cdef inline uint32_t octet_faults(unsigned seen, bint header) noexcept:
    cdef uint32_t faults = 0
    if seen & SEEN_BARE_LF:
        faults |= BARE_LF
    if seen & SEEN_BARE_CR:
        faults |= BARE_CR
    if seen & SEEN_NUL:
        faults |= NUL_OCTET
    if header and seen & SEEN_8BIT:
        faults |= EIGHT_BIT_HEADER
    return faults


cdef uint32_t pass_over(Reader* r, Py_ssize_t stop, bint header) noexcept:
    """Go on to `stop`, counting lines; what was seen that does not belong in a mail."""
    cdef const uint8_t* q = r.p + r.at
    cdef const uint8_t* end = r.p + stop
    cdef unsigned seen = 0
    while q < end:
        q = scan_lines(q, end, &r.lines, &seen)
    r.at = stop
    return octet_faults(seen, header)


cdef Py_ssize_t match_line(Reader* r, Py_ssize_t at, int* found, Py_ssize_t* n) noexcept:
    """Where the line at `at` ends, if it is of an open boundary: which, and its octets after two dashes, without its
    newline. Else 0.
    """
    cdef const uint8_t* p = r.p + at
    cdef Py_ssize_t stop
    found[0] = -1
    if r.tree.opened == 0 or at + 2 > r.size or p[0] != c"-" or p[1] != c"-":
        return 0
    stop = line_end(r.p, at + 2, r.size) if at + 2 < r.size else r.size
    n[0] = stop - at - 2 - newline_before(r.p, at + 2, stop)
    found[0] = find_boundary(&r.tree, p + 2, n[0], stop > at + 2 and r.p[stop - 1] == c"\n")
    if found[0] >= 0 and r.tree.count >= r.max_parts:
        r.tree.parts[r.now].faults |= TOO_MANY_PARTS
        found[0] = -1
    return stop if found[0] >= 0 else 0


cdef int keep_word(Reader* r, const uint8_t* p, Py_ssize_t n, uint32_t* at) except -1:
    """Keep up to MAX_WORD octets in lower case."""
    cdef Py_ssize_t i
    n = min(n, <Py_ssize_t>MAX_WORD)
    at[0] = <uint32_t>r.words.size
    put_char(&r.words, <uint8_t>n)
    for i in range(n):
        put_char(&r.words, p[i] + 32 if 65 <= p[i] <= 90 else p[i])
    return 0


cdef int read_span(Reader* r, Span* span, Cursor* c) except -1:
    """A cursor at the first octet that counts of a field's value."""
    cdef Field field
    cdef Py_ssize_t size = 0
    field.value = span.at
    field.value_end = span.at + span.size
    field.folded = span.folded
    full_value(r.p, &field, &r.value, &c.p, &size)
    c.end = c.p + size
    c.comment = NULL
    c.nuls = False
    skip_lwsp(c)
    return 0


cdef int note_type(Reader* r, Part* part) except -1:
    """Read Content-Type: the kind of the part, and the boundary of a multipart."""
    cdef Cursor c
    cdef const uint8_t* slash
    cdef Py_ssize_t size
    cdef int more
    read_span(r, &part.told[TOLD_TYPE], &c)
    r.word.size = 0
    buf_room(&r.word, 1)
    more = read_content_type(&c, &r.word)
    slash = <const uint8_t*>memchr(r.word.data, c"/", r.word.size) if r.word.size else NULL
    size = r.word.size if slash == NULL else slash - r.word.data
    keep_word(r, r.word.data, size, &part.type_at)
    if slash == NULL:
        keep_word(r, r.word.data, 0, &part.subtype_at)
    else:
        keep_word(r, slash + 1, r.word.size - size - 1, &part.subtype_at)
    if more < 0:
        part.faults |= BROKEN_TYPE
    part.text = same_word(r.word.data, size, <const uint8_t*>"text", 4)
    # As Dovecot has it: shown as application/octet-stream.
    part.overflow = slash == NULL and same_word(r.word.data, size, <const uint8_t*>"multipart", 9)
    if same_word(r.word.data, r.word.size, <const uint8_t*>"message/rfc822", 14):
        part.kind = MESSAGE
    elif slash != NULL and same_word(r.word.data, size, <const uint8_t*>"multipart", 9):
        part.kind = MULTIPART
        part.digest = same_word(slash + 1, r.word.size - size - 1, <const uint8_t*>"digest", 6)
        if more >= 0:
            note_boundary(r, part, &c)
    return 0


cdef int note_boundary(Reader* r, Part* part, Cursor* c) except -1:
    cdef const char* name
    cdef const char* value
    cdef int i, count
    params_read(c, &r.params)
    count = params_merge(&r.params, &r.names, &r.values)
    name = <const char*>r.names.data
    value = <const char*>r.values.data
    for i in range(count):
        if same_word(<const uint8_t*>name, strlen(name), <const uint8_t*>"boundary", 8):
            part.has_boundary = True
            r.boundary.size = 0
            buf_room(&r.boundary, 1)
            put_text(&r.boundary, value)
            if r.boundary.size == 0:
                part.faults |= EMPTY_BOUNDARY
            elif r.boundary.size > 70:
                part.faults |= LONG_BOUNDARY
            return 0
        name += strlen(name) + 1
        value += strlen(value) + 1
    return 0


cdef int note_encoding(Reader* r, Part* part, Field* field) except -1:
    """Content-Transfer-Encoding: BODYSTRUCTURE has the first that can be read, BINARY goes by the last."""
    cdef Span span
    cdef Cursor c
    cdef int more
    span.at = field.value
    span.size = field.value_end - field.value
    span.folded = field.folded
    read_span(r, &span, &c)
    r.word.size = 0
    buf_room(&r.word, 1)
    more = read_token(&c, &r.word)
    part.transfer = CTE_UNKNOWN
    if not field.folded and (more <= 0 or c.p[0] == c";"):
        part.transfer = known_encoding(r.word.data, r.word.size)
    if more != 0 or r.word.size == 0:
        part.faults |= BROKEN_ENCODING
    if part.encoding_at == 0 and more == 0 and r.word.size:
        part.told[TOLD_ENCODING] = span
        keep_word(r, r.word.data, r.word.size, &part.encoding_at)
    return 0


cdef bint says_something(Reader* r, int told, Span* span) except -1:
    """Whether a field counts: a language that begins with an atom, a disposition without an open comment."""
    cdef Cursor c
    if told != TOLD_LANGUAGE and told != TOLD_DISPOSITION:
        return True
    read_span(r, span, &c)
    if told == TOLD_LANGUAGE:
        r.word.size = 0
        return read_atom(&c, &r.word) >= 0
    r.word.size = 0
    return read_token(&c, &r.word) >= 0


cdef bint keeps_disposition(Reader* r, Part* part) except -1:
    """Whether the one that is known has parameters; each is looked at once."""
    cdef Cursor c
    if part.disposed == 0:
        read_span(r, &part.told[TOLD_DISPOSITION], &c)
        r.word.size = 0
        part.disposed = -1
        if read_token(&c, &r.word) >= 0:
            params_read(&c, &r.params)
            part.disposed = 1 if r.params.count else -1
    return part.disposed > 0


cdef int note_told(Reader* r, Part* part, int told, Field* field) except -1:
    """A Content-* field. The first counts; but of dispositions the last until one has parameters."""
    cdef Span* span = &part.told[told]
    cdef Span new
    cdef bint known = span.at != 0
    if told == TOLD_TYPE:
        part.mime = True
    if known:
        if told == TOLD_TYPE:
            part.faults |= TYPE_TWICE
        elif told == TOLD_DISPOSITION:
            part.faults |= DISPOSITION_TWICE
        if told != TOLD_DISPOSITION or keeps_disposition(r, part):
            return 0
    new.at = field.value
    new.size = field.value_end - field.value
    new.folded = field.folded
    if says_something(r, told, &new):
        span[0] = new
        if told == TOLD_DISPOSITION:
            part.disposed = 0
        if told == TOLD_TYPE:
            part.typed = True
            note_type(r, part)
    return 0


cdef int note_field(Reader* r, Part* part, Field* field, bint enveloped) except -1:
    cdef const uint8_t* value = NULL
    cdef Py_ssize_t size = 0
    cdef int name
    if field.name_end == field.start:
        part.faults |= JUNK_LINE
        return 0
    if field.spaced:
        part.faults |= SPACED_NAME
    name = field_name(r.p + field.start, until_nul(r.p + field.start, field.name_end - field.start))
    if name >= NAME_ENVELOPE:
        if enveloped:
            full_value(r.p, field, &r.value, &value, &size)
            envelope_note(&r.envelope, &r.addresses, name - NAME_ENVELOPE, value, size)
            if r.addresses.too_many:
                part.faults |= TOO_MANY_ADDRESSES
    elif name == NAME_VERSION:
        part.mime = True
    elif name == TOLD_ENCODING:
        if part.transfer != CTE_NONE:
            part.faults |= ENCODING_TWICE
        note_encoding(r, part, field)
    elif name >= 0:
        note_told(r, part, name, field)
    return 0


cdef int note_envelope(Reader* r, Part* part) except -1:
    cdef Buf* out = &r.envelopes
    part.envelope = out.size
    put_envelope(out, &r.envelope, &r.word, &r.value)
    if out.size - part.envelope > MAX_ENVELOPE or out.size > MAX_STRUCTURE:
        out.size = part.envelope
        put_text(out, "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)")
        part.faults |= STRUCTURE_TOO_LARGE
    part.envelope_size = out.size - part.envelope
    return 0


cdef int end_header(Reader* r, Part* part, bint enveloped) except -1:
    """What the part is, now that its whole header is known."""
    cdef Tree* tree = &r.tree
    if not part.mime:
        part.kind = LEAF
        part.typed = part.text = part.digest = part.has_boundary = False
        part.encoding_at = 0
        memset(part.told, 0, sizeof(part.told))
    if not part.typed:
        part.text = not (part.parent >= 0 and tree.parts[part.parent].digest)
        if part.text:
            keep_word(r, <const uint8_t*>"text", 4, &part.type_at)
            keep_word(r, <const uint8_t*>"plain", 5, &part.subtype_at)
        else:
            part.kind = MESSAGE
            keep_word(r, <const uint8_t*>"message", 7, &part.type_at)
            keep_word(r, <const uint8_t*>"rfc822", 6, &part.subtype_at)
    if part.kind == MULTIPART and not part.has_boundary:
        part.faults |= NO_BOUNDARY
    if part.kind != LEAF and part.transfer > CTE_BINARY:
        part.faults |= ENCODED_PARTS
    if enveloped:
        note_envelope(r, part)
    return 0


cdef int open_multipart(Reader* r, Part* part) except -1:
    """At the empty line, so that a boundary that comes right behind is known."""
    if not part.has_boundary or not part.mime:
        return 0
    if part.depth + 1 < r.max_depth:
        return push_boundary(&r.tree, r.now, r.boundary.data, r.boundary.size)
    part.faults |= TOO_DEEP
    part.overflow = True
    part.kind = LEAF
    return 0


cdef int read_header(Reader* r) except -1:
    """The header of the part `now`, which begins at `at`; ends after its empty line, or at a boundary or the end."""
    cdef Part* part = &r.tree.parts[r.now]
    cdef Py_ssize_t start = r.at, at = r.at, n = 0
    cdef int found = -1, newline = 0
    cdef bint enveloped = part.parent < 0 or r.tree.parts[part.parent].kind == MESSAGE
    cdef bint ended = False
    cdef Field field
    # A mail in a part that has no body has nothing either.
    r.cut = part.parent >= 0 and r.tree.parts[part.parent].cut
    if enveloped:
        envelope_begin(&r.envelope)
    while at < r.size and not r.cut:
        if at_blank(r.p, at, r.size):
            open_multipart(r, part)
            newline = 2 if r.p[at] == c"\r" else 1
            at += newline
            ended = True
            # A boundary right behind takes the empty line from the header.
            r.cut = match_line(r, at, &found, &n) and r.tree.open[found].part != r.now
            break
        if match_line(r, at, &found, &n):
            r.cut = True
            break
        next_field(r.p, at, r.size, &field)
        if field.end - start <= r.max_header:
            note_field(r, part, &field, enveloped)
        else:
            part.faults |= HEADER_TOO_LARGE
        newline = field.newline
        at = field.end
    if r.cut:
        part.cut = True
        part.faults |= HEADER_CUT
        part.header_size = at - newline - start
    else:
        part.header_size = at - part.header
        if not ended:
            part.faults |= NO_BLANK_LINE
    part.faults |= pass_over(r, at, True)
    part.body = part.header + part.header_size
    part.lines_before = r.lines
    return end_header(r, part, enveloped)


cdef void close_parts(Reader* r, int upto, Py_ssize_t stop, int64_t lines) noexcept:
    """The part `now` and those around it end, but for `upto`."""
    cdef Part* part
    while r.now != upto:
        part = &r.tree.parts[r.now]
        if not part.cut:
            part.body_size = stop - part.body
            part.lines = lines - part.lines_before
        r.now = part.parent


cdef Py_ssize_t read_body(Reader* r, int* found, Py_ssize_t* n) except -1:
    """From a line's beginning to the next line of an open boundary, whose end is the answer; 0 at the mail's end."""
    cdef const uint8_t* end = r.p + r.size
    cdef unsigned seen = 0
    cdef Py_ssize_t stop = 0
    while r.at < r.size:
        stop = match_line(r, r.at, found, n)
        if stop:
            break
        r.at = scan_lines(r.p + r.at, end, &r.lines, &seen) - r.p
    r.tree.parts[r.now].faults |= octet_faults(seen, False)
    return stop


cdef int pass_boundary(Reader* r, int found, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t n) except -1:
    """End what the boundary line at `at` ends; `start` is where the run of body lines before it began. Answers whether
    a part begins behind it.
    """
    cdef Boundary* open = &r.tree.open[found]
    cdef const uint8_t* tail = r.p + r.at + 2 + open.size
    cdef Py_ssize_t i, rest = n - open.size
    cdef int newline = newline_before(r.p, start, r.at)
    cdef int part = open.part
    cdef bint last = rest >= 2 and tail[0] == c"-" and tail[1] == c"-"
    close_parts(r, part, r.at - newline, r.lines - (1 if newline else 0))
    for i in range(2 if last else 0, rest):
        if not is_lwsp(tail[i]):
            r.tree.parts[part].faults |= BOUNDARY_TAIL
            break
    if last:
        r.tree.parts[part].closed = True
    r.tree.opened = found if last else found + 1
    r.now = part
    r.tree.parts[part].faults |= pass_over(r, stop, False)
    return not last and stop > 0 and r.p[stop - 1] == c"\n"


cdef int open_message(Reader* r) except -1:
    """Begin the mail inside of a message/rfc822; whether one was begun."""
    cdef Part* part = &r.tree.parts[r.now]
    if part.kind != MESSAGE:
        return 0
    if part.depth + 1 < r.max_depth and r.tree.count < r.max_parts:
        r.now = new_part(&r.tree, r.now, part.body)
        return 1
    part.faults |= TOO_DEEP if part.depth + 1 >= r.max_depth else TOO_MANY_PARTS
    part.kind = LEAF
    part.overflow = True
    return 0


cdef int read_mail(Reader* r) except -1:
    cdef Py_ssize_t start, stop, n = 0
    cdef int found = -1
    cdef bint header = True
    r.now = new_part(&r.tree, -1, 0)
    put_char(&r.words, 0)
    while True:
        if header:
            read_header(r)
            if open_message(r):
                continue
        start = r.at
        stop = read_body(r, &found, &n)
        if stop == 0:
            break
        header = pass_boundary(r, found, start, stop, n) != 0
        if header:
            r.now = new_part(&r.tree, r.now, r.at)
            r.tree.parts[r.now].mime = True
    close_parts(r, -1, r.size, r.lines)
    return 0
