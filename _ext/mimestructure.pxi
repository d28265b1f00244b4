# BODY and BODYSTRUCTURE (RFC 3501 section 7.4.2), printed from the fields that `told` has of each part.

cdef int put_params(Reader* r, Buf* out, Cursor* c, bint charset) except -1:
    """The parameters from the cursor on as a list, or NIL; with `charset` us-ascii is added where none is named.
    Answers the PARAMS_* of what is wrong with them.
    """
    cdef const char* name
    cdef const char* value
    cdef int i, count
    params_read(c, &r.params)
    count = params_merge(&r.params, &r.names, &r.values)
    if count == 0 and not charset:
        put_text(out, "NIL")
        return 0
    put_char(out, c"(")
    name = <const char*>r.names.data
    value = <const char*>r.values.data
    for i in range(count):
        if i:
            put_char(out, c" ")
        put_string(out, <const uint8_t*>name, strlen(name))
        put_char(out, c" ")
        put_string(out, <const uint8_t*>value, strlen(value))
        if same_word(<const uint8_t*>name, strlen(name), <const uint8_t*>"charset", 7):
            charset = False
        name += strlen(name) + 1
        value += strlen(value) + 1
    if charset:
        put_text(out, '"charset" "us-ascii"' if count == 0 else ' "charset" "us-ascii"')
    put_char(out, c")")
    return r.params.faults


cdef int put_span(Reader* r, Buf* out, Span* span) except -1:
    """A field's value as a string without newlines, or NIL; a space before it."""
    cdef Field field
    cdef const uint8_t* value = NULL
    cdef Py_ssize_t size = 0
    put_char(out, c" ")
    if span.at == 0:
        return put_text(out, "NIL")
    field.value = span.at
    field.value_end = span.at + span.size
    field.folded = span.folded
    full_value(r.p, &field, &r.value, &value, &size)
    return put_unfolded(out, value, size, &r.word)


cdef uint32_t param_faults(int faults) noexcept:
    cdef uint32_t found = 0
    if faults & PARAMS_TOO_MANY:
        found |= TOO_MANY_PARAMETERS
    if faults & PARAMS_BROKEN:
        found |= BROKEN_PARAMETERS
    if faults & PARAMS_TWICE:
        found |= PARAMETER_TWICE
    return found


cdef int put_type_params(Reader* r, Buf* out, Part* part, bint charset) except -1:
    """Those of Content-Type, if its type could be read; a space before them."""
    cdef Cursor c
    put_char(out, c" ")
    c.p = c.end = NULL
    r.word.size = 0
    if part.told[TOLD_TYPE].at:
        read_span(r, &part.told[TOLD_TYPE], &c)
        if read_content_type(&c, &r.word) < 0:
            c.p = c.end
    part.faults |= param_faults(put_params(r, out, &c, charset))
    return 0


cdef int put_disposition(Reader* r, Buf* out, Part* part) except -1:
    cdef Cursor c
    put_char(out, c" ")
    if part.told[TOLD_DISPOSITION].at == 0:
        return put_text(out, "NIL")
    read_span(r, &part.told[TOLD_DISPOSITION], &c)
    r.word.size = 0
    read_token(&c, &r.word)
    put_char(out, c"(")
    put_string(out, r.word.data, r.word.size)
    put_char(out, c" ")
    part.faults |= param_faults(put_params(r, out, &c, False))
    return put_char(out, c")")


cdef int put_language(Reader* r, Buf* out, Part* part) except -1:
    cdef Cursor c
    cdef bint first = True
    put_char(out, c" ")
    if part.told[TOLD_LANGUAGE].at == 0:
        return put_text(out, "NIL")
    read_span(r, &part.told[TOLD_LANGUAGE], &c)
    put_char(out, c"(")
    while True:
        r.word.size = 0
        if read_atom(&c, &r.word) < 0:
            break
        if not first:
            put_char(out, c" ")
        first = False
        put_string(out, r.word.data, r.word.size)
        if c.p >= c.end or c.p[0] != c",":
            break
        c.p += 1
        skip_lwsp(&c)
    return put_char(out, c")")


cdef int put_type(Reader* r, Buf* out, Part* part) except -1:
    """Type and subtype, as written in the header."""
    cdef Cursor c
    cdef const uint8_t* slash
    cdef Py_ssize_t size
    if part.kind == MESSAGE:
        return put_text(out, '"message" "rfc822"')
    if part.overflow:
        return put_text(out, '"application" "octet-stream"')
    if part.told[TOLD_TYPE].at == 0:
        return put_text(out, '"text" "plain"')
    read_span(r, &part.told[TOLD_TYPE], &c)
    r.word.size = 0
    buf_room(&r.word, 1)
    read_content_type(&c, &r.word)
    slash = <const uint8_t*>memchr(r.word.data, c"/", r.word.size) if r.word.size else NULL
    size = r.word.size if slash == NULL else slash - r.word.data
    put_string(out, r.word.data, size)
    put_char(out, c" ")
    if slash == NULL:
        return put_text(out, '""')
    return put_string(out, slash + 1, r.word.size - size - 1)


cdef int put_subtype(Reader* r, Buf* out, Part* part) except -1:
    """Of a multipart."""
    cdef Cursor c
    cdef const uint8_t* slash
    read_span(r, &part.told[TOLD_TYPE], &c)
    r.word.size = 0
    read_content_type(&c, &r.word)
    slash = <const uint8_t*>memchr(r.word.data, c"/", r.word.size)
    return put_string(out, slash + 1, r.word.data + r.word.size - slash - 1)


cdef int put_leaf(Reader* r, Buf* out, Part* part, bint text) except -1:
    """All of a part that is no multipart up to its size."""
    cdef Cursor c
    put_type(r, out, part)
    put_type_params(r, out, part, text)
    put_span(r, out, &part.told[TOLD_ID])
    put_span(r, out, &part.told[TOLD_DESCRIPTION])
    if part.told[TOLD_ENCODING].at:
        put_char(out, c" ")
        read_span(r, &part.told[TOLD_ENCODING], &c)
        r.word.size = 0
        read_token(&c, &r.word)
        put_string(out, r.word.data, r.word.size)
    else:
        put_text(out, ' "7bit"')
    put_char(out, c" ")
    return put_size(out, part.body_size)


cdef int put_opening(Reader* r, Buf* out, Part* part) except -1:
    """All of a part up to the parts in it; BODY and BODYSTRUCTURE have the same."""
    cdef bint text = part.text and part.kind == LEAF and not part.overflow
    put_char(out, c"(")
    if part.kind == MULTIPART:
        return 0
    put_leaf(r, out, part, text)
    if text:
        put_char(out, c" ")
        put_size(out, part.lines)
    elif part.kind == MESSAGE:
        put_char(out, c" ")
        part = &r.tree.parts[part.first]
        buf_add(out, r.envelopes.data + part.envelope, part.envelope_size)
        put_char(out, c" ")
    return 0


cdef int put_closing(Reader* r, Buf* out, Buf* brief, Part* part) except -1:
    """All of a part from the parts in it on."""
    cdef Py_ssize_t start
    if part.kind == MULTIPART:
        if part.first < 0:
            # A multipart must have a part.
            put_text(brief, '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0)')
            put_text(out, '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)')
        start = out.size
        put_char(out, c" ")
        put_subtype(r, out, part)
        buf_add(brief, out.data + start, out.size - start)
        put_type_params(r, out, part, False)
    else:
        if part.kind == MESSAGE:
            start = out.size
            put_char(out, c" ")
            put_size(out, part.lines)
            buf_add(brief, out.data + start, out.size - start)
        put_span(r, out, &part.told[TOLD_MD5])
    put_disposition(r, out, part)
    put_language(r, out, part)
    put_span(r, out, &part.told[TOLD_LOCATION])
    put_char(brief, c")")
    return put_char(out, c")")


cdef int put_alone(Reader* r, Buf* out, bint extended) except -1:
    """Instead of a structure that is too large."""
    out.size = 0
    put_text(out, '("application" "octet-stream" NIL NIL NIL "7bit" ')
    put_size(out, r.tree.parts[0].body_size)
    return put_text(out, " NIL NIL NIL NIL)" if extended else ")")


cdef bint shows_plain(Reader* r) except -1:
    """A mail of text in US-ASCII alone, which Dovecot shows in lower case however it is written."""
    cdef Part* part = &r.tree.parts[0]
    cdef Cursor c
    cdef int i, count
    if part.kind != LEAF or not part.text or part.overflow:
        return False
    for i in range(TOLD_FIELDS):
        if part.told[i].at and i != TOLD_TYPE and i != TOLD_ENCODING:
            return False
    if part.encoding_at and memcmp(r.words.data + part.encoding_at, "\x047bit", 5) != 0:
        return False
    if memcmp(r.words.data + part.subtype_at, "\x05plain", 6) != 0:
        return False
    if part.told[TOLD_TYPE].at == 0:
        return True
    read_span(r, &part.told[TOLD_TYPE], &c)
    r.word.size = 0
    if read_content_type(&c, &r.word) < 0:
        return False
    params_read(&c, &r.params)
    count = params_merge(&r.params, &r.names, &r.values)
    part.faults |= param_faults(r.params.faults)
    return count == 0 or (
        count == 1
        and same_word(r.names.data, r.names.size - 1, <const uint8_t*>"charset", 7)
        and same_word(r.values.data, r.values.size - 1, <const uint8_t*>"us-ascii", 8)
    )


cdef int put_plain(Reader* r, Buf* out, bint extended) except -1:
    put_text(out, '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" ')
    put_size(out, r.tree.parts[0].body_size)
    put_char(out, c" ")
    put_size(out, r.tree.parts[0].lines)
    return put_text(out, " NIL NIL NIL NIL)" if extended else ")")


cdef int enter_part(Reader* r, int at) except -1:
    """Print the opening of a part to both."""
    cdef Py_ssize_t start = r.out.size
    put_opening(r, &r.out, &r.tree.parts[at])
    return buf_add(&r.brief, r.out.data + start, r.out.size - start)


cdef int put_structure(Reader* r) except -1:
    """BODY into `brief`, BODYSTRUCTURE into `out`."""
    cdef Part* parts = r.tree.parts
    cdef int at = 0
    if shows_plain(r):
        put_plain(r, &r.brief, False)
        return put_plain(r, &r.out, True)
    enter_part(r, 0)
    while r.out.size <= MAX_STRUCTURE:
        if parts[at].first >= 0:
            at = parts[at].first
            enter_part(r, at)
            continue
        put_closing(r, &r.out, &r.brief, &parts[at])
        while at and parts[at].next < 0:
            at = parts[at].parent
            put_closing(r, &r.out, &r.brief, &parts[at])
        if at == 0:
            return 0
        at = parts[at].next
        enter_part(r, at)
    parts[0].faults |= STRUCTURE_TOO_LARGE
    put_alone(r, &r.brief, False)
    return put_alone(r, &r.out, True)
