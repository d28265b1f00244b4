# PREVIEW (RFC 8970): up to 200 characters of the first text of a mail, in UTF-8, white space as single spaces, quoted
# lines only where there is nothing else.

cdef enum:
    PREVIEW_CHARS = 200
    PREVIEW_FIRST = 384         # octets of a part looked at first
    PREVIEW_NEXT = 1536         # where these do not fill the preview
    PREVIEW_MOST = 65536        # and where those do not either
    PREVIEW_CUT = 12            # octets at the end that may be a part of something: a character, an entity

cdef dict ENTITIES = {
    b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'", b"nbsp": b"\xc2\xa0",
    b"copy": b"\xc2\xa9", b"reg": b"\xc2\xae", b"trade": b"\xe2\x84\xa2", b"euro": b"\xe2\x82\xac",
    b"hellip": b"\xe2\x80\xa6", b"ndash": b"\xe2\x80\x93", b"mdash": b"\xe2\x80\x94", b"bull": b"\xe2\x80\xa2",
    b"lsquo": b"\xe2\x80\x98", b"rsquo": b"\xe2\x80\x99", b"ldquo": b"\xe2\x80\x9c", b"rdquo": b"\xe2\x80\x9d",
    b"laquo": b"\xc2\xab", b"raquo": b"\xc2\xbb", b"auml": b"\xc3\xa4", b"ouml": b"\xc3\xb6", b"uuml": b"\xc3\xbc",
    b"Auml": b"\xc3\x84", b"Ouml": b"\xc3\x96", b"Uuml": b"\xc3\x9c", b"szlig": b"\xc3\x9f", b"eacute": b"\xc3\xa9",
    b"egrave": b"\xc3\xa8", b"agrave": b"\xc3\xa0", b"ccedil": b"\xc3\xa7", b"shy": b"", b"zwnj": b"",
}


cdef struct Snippet:
    uint8_t text[PREVIEW_CHARS * 4]
    int size
    int left          # characters that have room


cdef bint _is_space(uint8_t c) noexcept:
    return c == c" " or 9 <= c <= 13


cdef inline Py_ssize_t _char_size(uint8_t lead) noexcept:
    """Octets of a character of valid UTF-8."""
    if lead < 0xC0:
        return 1
    return 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


cdef void _add_char(Snippet* to, const uint8_t* p, Py_ssize_t n, bint* space) noexcept:
    """A character that is not white space; `space`: some stands before it."""
    cdef Py_ssize_t i
    if to.left == 0:
        return
    to.left -= 1
    if space[0]:
        if to.left == 0:
            return
        to.text[to.size] = c" "
        to.size += 1
        to.left -= 1
        space[0] = False
    for i in range(n):
        to.text[to.size] = p[i]
        to.size += 1


cdef Py_ssize_t _add_visible(Snippet* to, const uint8_t* p, const uint8_t* end, bint* space) noexcept:
    """The visible ASCII characters that stand here, as many as there is room for; how many octets are passed."""
    cdef Py_ssize_t n = scan_visible(p, end) - p, size
    if n:
        _add_char(to, p, 1, space)
        size = min(n - 1, to.left)
        memcpy(to.text + to.size, p + 1, size)
        to.size += size
        to.left -= size
    return n


cdef Py_ssize_t _snip(const uint8_t* p, Py_ssize_t n, Snippet* plain, Snippet* quoted) noexcept:
    """Fill the two from valid UTF-8, until `plain` is full; how many octets that takes. A line that begins with ">" is
    quoted.
    """
    cdef Snippet* to = plain
    cdef Py_ssize_t i = 0, size
    cdef bint begins = True, space = False
    while i < n and plain.left:
        if begins:
            begins = False
            to = quoted if p[i] == c">" else plain
            if to == quoted:
                i += 1
                continue
        size = _add_visible(to, p + i, p + n, &space)
        i += size
        if i == n:
            break
        if size:
            continue
        size = 1 if p[i] < 0x80 else min(_char_size(p[i]), n - i)
        if _is_space(p[i]):
            space = space or to.size > 0
            begins = p[i] == c"\n"
        elif p[i] and not (size == 3 and memcmp(p + i, "\xef\xbb\xbf", 3) == 0):
            _add_char(to, p + i, size, &space)
        i += size
    return i


cdef int _add_space(Buf* out) except -1:
    if out.size and out.data[out.size - 1] != c" " and out.data[out.size - 1] != c"\n":
        return put_char(out, c" ")
    return 0


cdef bint _begins(const uint8_t* p, const uint8_t* end, const char* word) noexcept:
    cdef Py_ssize_t n = strlen(word)
    return end - p >= n and same_word(p, n, <const uint8_t*>word, n)


cdef const uint8_t* _past(const uint8_t* p, const uint8_t* end, const char* word) noexcept:
    """After the next `word`, which begins with a "<" or a "-", or end."""
    cdef const uint8_t* found
    while p < end:
        found = <const uint8_t*>memchr(p, word[0], end - p)
        if found == NULL:
            return end
        if _begins(found, end, word):
            return found + strlen(word)
        p = found + 1
    return end


cdef const uint8_t* _past_tag(const uint8_t* p, const uint8_t* end) noexcept:
    """After the ">" of a tag, or end; one in quotes does not count."""
    cdef uint8_t quote = 0
    while p < end:
        if quote:
            if p[0] == quote:
                quote = 0
        elif p[0] == c'"' or p[0] == c"'":
            quote = p[0]
        elif p[0] == c">":
            return p + 1
        p += 1
    return end


cdef const uint8_t* _entity(const uint8_t* p, const uint8_t* end, Buf* out) except NULL:
    """The entity behind an "&", as UTF-8; what is none stays out, as in Dovecot, or as it is where it has no end."""
    cdef Py_ssize_t n = 0
    cdef bytes name
    while n < 10 and p + n < end and p[n] != c";" and not _is_space(p[n]):
        n += 1
    if p + n >= end or p[n] != c";":
        return p
    name = p[:n]
    if name[:1] == b"#":
        try:
            name = chr(int(name[2:], 16) if name[1:2] in b"xX" else int(name[1:])).encode("utf-8")
        except (ValueError, OverflowError):
            return p + n + 1
    else:
        name = ENTITIES.get(name, b"")
    buf_add(out, name, len(name))
    return p + n + 1


cdef int _html_text(const uint8_t* p, Py_ssize_t n, Buf* out) except -1:
    """The text of HTML; what is in a blockquote becomes lines that are quoted."""
    cdef const uint8_t* end = p + n
    cdef int quotes = 0
    while p < end:
        if p[0] == c"&":
            p = _entity(p + 1, end, out)
            continue
        if p[0] != c"<":
            put_char(out, p[0])
            p += 1
            continue
        if _begins(p, end, "<!--"):
            p = _past(p + 4, end, "-->")
            continue
        if _begins(p, end, "<script"):
            p = _past(p, end, "</script>")
        elif _begins(p, end, "<style"):
            p = _past(p, end, "</style>")
        else:
            if _begins(p, end, "<blockquote"):
                quotes += 1
            elif quotes and _begins(p, end, "</blockquote"):
                quotes -= 1
                put_char(out, c"\n")
            p = _past_tag(p + 1, end)
            if quotes:
                put_text(out, "\n>")
        _add_space(out)
    return 0


cdef bytes _charset(Reader* r, Part* part):
    cdef Cursor c
    cdef const char* name
    cdef const char* value
    cdef int i, count
    if part.told[TOLD_TYPE].at == 0:
        return b""
    read_span(r, &part.told[TOLD_TYPE], &c)
    r.word.size = 0
    if read_content_type(&c, &r.word) < 0:
        return b""
    params_read(&c, &r.params)
    count = params_merge(&r.params, &r.names, &r.values)
    name = <const char*>r.names.data
    value = <const char*>r.values.data
    for i in range(count):
        if same_word(<const uint8_t*>name, strlen(name), <const uint8_t*>"charset", 7):
            return value
        name += strlen(name) + 1
        value += strlen(value) + 1
    return b""


cdef bytes _clean_utf8(bytes octets):
    """With one U+FFFD for each run of octets that are no UTF-8; a character that is cut at the end goes."""
    cdef const uint8_t* p = octets
    cdef Py_ssize_t i = 0, n = len(octets), size
    cdef bint bad = False
    cdef Buf out
    for size in range(1, min(n, <Py_ssize_t>3) + 1):
        if p[n - size] >= 0xC0:
            if size < _char_size(p[n - size]):
                n -= size
            break
    if valid_utf8(p, n):
        return octets[:n]
    memset(&out, 0, sizeof(Buf))
    try:
        while i < n:
            size = scan_ascii(p + i, p + n) - (p + i)
            if size:
                buf_add(&out, p + i, size)
                bad = False
                i += size
                continue
            size = _char_size(p[i])
            if i + size > n:
                break
            if valid_utf8(p + i, size):
                buf_add(&out, p + i, size)
                bad = False
            else:
                size = 1
                if not bad:
                    add_nul(&out)
                bad = True
            i += size
        return _bytes_of(&out)
    finally:
        buf_drop(&out)


cdef bytes _utf8_of(Reader* r, Part* part, Py_ssize_t most):
    """The first octets of a text part, without its transfer encoding and as valid UTF-8."""
    cdef bytes octets = decoded_bytes(r.p + part.body, min(part.body_size, most), part.transfer)
    cdef bytes charset
    if octets is None or octets.isascii():
        return octets
    charset = _charset(r, part).lower()
    if charset in (b"", b"utf-8", b"us-ascii", b"utf8"):
        return _clean_utf8(octets)
    return decode_text(octets, charset).encode("utf-8", "replace")


cdef bint _is_html(Reader* r, Part* part) noexcept:
    cdef const uint8_t* subtype = r.words.data + part.subtype_at
    return memcmp(subtype, "\x04html", 5) == 0 or memcmp(subtype, "\x09xhtml+xml", 10) == 0


cdef bytes _preview_of(Reader* r, Part* part, Py_ssize_t most):
    """The preview of a text part from its first octets. None: they do not fill it, and there are more."""
    cdef Snippet plain, quoted
    cdef Py_ssize_t unread
    cdef bytes octets = _utf8_of(r, part, most)
    if octets is None:
        return b""
    plain.size = quoted.size = 0
    plain.left = PREVIEW_CHARS
    quoted.left = PREVIEW_CHARS - 1
    if _is_html(r, part):
        r.word.size = 0
        _html_text(<const uint8_t*>octets, len(octets), &r.word)
        unread = r.word.size - _snip(r.word.data, r.word.size, &plain, &quoted)
    else:
        unread = len(octets) - _snip(<const uint8_t*>octets, len(octets), &plain, &quoted)
    if unread < PREVIEW_CUT and most < part.body_size and most < PREVIEW_MOST:
        return None
    if plain.size:
        return plain.text[:plain.size].lstrip()
    return b">" + quoted.text[:quoted.size].lstrip() if quoted.size else b""


cdef bint _has_preview(Reader* r, Part* part) noexcept:
    """A text; in a digest a mail is one as well, as Dovecot has it."""
    if part.kind == MESSAGE:
        return not part.typed
    return part.kind == LEAF and part.text and (not part.typed or r.words.data[part.subtype_at] != 0)


cdef bytes preview_of(Reader* r):
    """That of the first text that has one. What is in a message/rfc822 does not count."""
    cdef Part* part
    cdef bytes found
    cdef int64_t beyond = 0
    cdef Py_ssize_t most
    cdef int i
    for i in range(r.tree.count):
        part = &r.tree.parts[i]
        if part.body < beyond or part.body_size == 0:
            continue
        if part.kind == MESSAGE:
            beyond = part.body + part.body_size
        if _has_preview(r, part):
            for most in (PREVIEW_FIRST, PREVIEW_NEXT, PREVIEW_MOST):
                found = _preview_of(r, part, most)
                if found is not None:
                    break
            if found:
                return found
    return b""
