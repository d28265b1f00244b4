# Addresses (RFC 5322 section 3.4), read as tolerantly as Dovecot 2.3 reads them and printed for an ENVELOPE at once.

cdef enum:
    MAX_ADDRESSES = 20000     # of one field


cdef struct Text:
    Buf text
    bint given          # else it prints as NIL


cdef struct Address:
    Text name
    Text route
    Text mailbox
    Text domain
    bint invalid


cdef struct Addresses:
    Cursor c
    Buf word            # what was read last
    Buf comment
    Buf room
    Address now
    Buf* out
    int count
    bint too_many


cdef void addresses_trim(Addresses* a, Py_ssize_t most) noexcept:
    """Give back buffers that are larger than `most`."""
    _trim(&a.now.name.text, most)
    _trim(&a.now.route.text, most)
    _trim(&a.now.mailbox.text, most)
    _trim(&a.now.domain.text, most)
    _trim(&a.word, most)
    _trim(&a.comment, most)
    _trim(&a.room, most)


cdef int _give(Text* to, const Buf* text) except -1:
    to.text.size = 0
    buf_add(&to.text, text.data, text.size)
    to.given = True
    return 0


cdef int _give_text(Text* to, const char* text) except -1:
    to.text.size = 0
    put_text(&to.text, text)
    to.given = True
    return 0


cdef int _put_part(Buf* out, Text* part) except -1:
    put_char(out, c" ")
    if not part.given:
        return put_text(out, "NIL")
    return put_string(out, part.text.data, part.text.size)


cdef int _put_address(Addresses* a) except -1:
    """Print what was gathered and forget it."""
    cdef Address* now = &a.now
    if a.count < MAX_ADDRESSES:
        a.count += 1
        put_char(a.out, c"(")
        if now.name.given:
            put_for_humans(a.out, now.name.text.data, now.name.text.size, &a.room)
        else:
            put_text(a.out, "NIL")
        _put_part(a.out, &now.route)
        _put_part(a.out, &now.mailbox)
        _put_part(a.out, &now.domain)
        put_char(a.out, c")")
    else:
        a.too_many = True
    now.name.given = now.route.given = now.mailbox.given = now.domain.given = now.invalid = False
    return 0


cdef int _put_filled(Addresses* a) except -1:
    """As `_put_address`, with words of Dovecot's for what is missing."""
    if not a.now.mailbox.given:
        _give_text(&a.now.mailbox, "MISSING_MAILBOX")
    if not a.now.domain.given or a.now.domain.text.size == 0:
        _give_text(&a.now.domain, "MISSING_DOMAIN")
    return _put_address(a)


cdef int _loose_dot_atom(Cursor* c, Buf* out) except -2:
    """Dots may stand anywhere. c.p < c.end."""
    cdef int more = -1
    while True:
        while c.p[0] == c".":
            put_char(out, c".")
            c.p += 1
            if c.p == c.end:
                return 0
            more = 1
        if c.p[0] == c"@":
            return more
        more = read_atom(c, out)
        if more <= 0 or c.p[0] != c".":
            return more


cdef int _local_part(Addresses* a) except -2:
    cdef int more
    a.word.size = 0
    more = read_quoted(&a.c, &a.word) if a.c.p[0] == c'"' else _loose_dot_atom(&a.c, &a.word)
    if more >= 0:
        _give(&a.now.mailbox, &a.word)
    return more


cdef int _domain(Addresses* a) except -2:
    cdef int more
    a.word.size = 0
    more = read_domain(&a.c, &a.word)
    if more >= 0:
        _give(&a.now.domain, &a.word)
    return more


cdef int _domain_list(Addresses* a) except -2:
    """obs-route, without its colon."""
    cdef int more
    a.word.size = 0
    while True:
        if a.c.p >= a.c.end:
            return 0
        if a.c.p[0] != c"@":
            _give(&a.now.route, &a.word)
            return 1
        put_text(&a.word, ",@" if a.word.size else "@")
        more = read_domain(&a.c, &a.word)
        if more <= 0:
            return more
        while skip_lwsp(&a.c) > 0 and a.c.p[0] == c",":
            a.c.p += 1


cdef int _angle_addr(Addresses* a) except -2:
    """The cursor is at the `<`."""
    a.c.p += 1
    if skip_lwsp(&a.c) <= 0:
        return -1
    if a.c.p[0] == c"@":
        if _domain_list(a) > 0 and a.c.p[0] == c":":
            a.c.p += 1
        else:
            _give_text(&a.now.route, "INVALID_ROUTE")
            if a.c.p >= a.c.end:
                return -1
        if skip_lwsp(&a.c) <= 0:
            return -1
    if a.c.p[0] != c">":
        if _local_part(a) <= 0:
            return -1
        if a.c.p[0] == c"@" and _domain(a) <= 0:
            return -1
    if a.c.p[0] != c">":
        return -1
    a.c.p += 1
    return skip_lwsp(&a.c)


cdef int _name_addr(Addresses* a) except -2:
    """-1: it is none."""
    a.word.size = 0
    if read_phrase(&a.c, &a.word) <= 0 or a.c.p[0] != c"<":
        return -1
    if a.word.size:
        _give(&a.now.name, &a.word)
    if _angle_addr(a) < 0:
        _give_text(&a.now.domain, "SYNTAX_ERROR")
        a.now.invalid = True
    return a.c.p < a.c.end


cdef int _addr_spec(Addresses* a) except -2:
    cdef bint quoted = a.c.p[0] == c'"'
    cdef int more, domain = -2
    cdef Py_ssize_t size
    a.comment.size = 0
    more = _local_part(a)
    if more <= 0:
        a.now.invalid = True
    if more != 0 and a.c.p < a.c.end and a.c.p[0] == c"@":
        domain = _domain(a)
        if domain <= 0:
            more = domain
    if a.comment.size:
        _give(&a.now.name, &a.comment)
    elif domain == -2:
        # A lone word is a mailbox; with more words behind, it is a name.
        put_char(&a.word, c" ")
        size = a.word.size
        read_phrase(&a.c, &a.word)
        if a.word.size != size:
            a.now.mailbox.given = False
            _give(&a.now.name, &a.word)
        elif not quoted:
            _give_text(&a.now.domain, "")
        a.now.invalid = True
        more = -1
    return more


cdef int _mailbox(Addresses* a) except -2:
    cdef const uint8_t* start = a.c.p
    cdef int more = _name_addr(a)
    if more < 0:
        a.c.p = start
        more = _addr_spec(a)
        if a.now.invalid and not a.now.name.given and a.now.mailbox.given and not a.now.domain.given:
            _give(&a.now.name, &a.now.mailbox.text)
            a.now.mailbox.given = False
    _put_filled(a)
    return more


cdef int _group(Addresses* a) except -2:
    """-1: it is none."""
    cdef int more
    a.word.size = 0
    if read_phrase(&a.c, &a.word) <= 0 or a.c.p[0] != c":":
        return -1
    a.c.p += 1
    _give(&a.now.mailbox, &a.word)
    more = skip_lwsp(&a.c)
    _put_address(a)
    if more > 0 and a.c.p[0] != c";":
        while not a.too_many:
            _mailbox(a)
            if a.c.p >= a.c.end or a.c.p[0] != c",":
                break
            a.c.p += 1
            if skip_lwsp(&a.c) <= 0:
                more = -1
                break
    if more >= 0 and a.c.p < a.c.end and a.c.p[0] == c";":
        a.c.p += 1
        more = skip_lwsp(&a.c)
    elif more >= 0:
        more = -1
    _put_address(a)
    return 0 if more == 0 else 1


cdef int put_addresses(Addresses* a, const uint8_t* p, Py_ssize_t n, Buf* out) except -1:
    """Append the addresses of a field's value, each as (name route mailbox domain)."""
    cdef const uint8_t* start
    cdef int more
    a.c.p = p
    a.c.end = p + n
    a.c.comment = &a.comment
    a.c.nuls = True
    a.out = out
    a.count = 0
    a.too_many = False
    if skip_lwsp(&a.c) <= 0:
        return 0
    while not a.too_many:
        start = a.c.p
        more = _group(a)
        if more < 0:
            a.c.p = start
            more = _mailbox(a)
        if more == 0 or a.c.p >= a.c.end or a.c.p[0] != c",":
            break
        a.c.p += 1
        more = skip_lwsp(&a.c)
        if more < 0:
            _put_filled(a)
        if more <= 0:
            break
    return 0
