# Values of fields for people: unfolding (RFC 5322 section 2.2.3) and encoded words (RFC 2047).

import codecs as _codecs
from encodings.aliases import aliases as _aliases

cdef enum:
    MAX_CHARSET = 80         # octets, with the language

# Charsets by Python's names. A name that is not here is not looked for: Python would search its path for a module.
# Left out are codecs that are no charsets of mail, some of which take more than linear time.
cdef frozenset CHARSETS = frozenset(_aliases) | frozenset(_aliases.values()) | frozenset({
    "cp720", "cp737", "cp856", "cp874", "cp875", "cp1006", "koi8_t", "koi8_u", "mac_arabic", "utf_8_sig",
})
cdef frozenset NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "mbcs", "undefined"})


def unfolded(bytes value not None):
    """A field's value on one line: newlines go, a space stands for one that no white space follows, and white space at
    both ends goes.
    """
    cdef const uint8_t* p = value
    cdef Py_ssize_t i, n = len(value)
    cdef Buf out
    if memchr(p, c"\n", n) == NULL and memchr(p, c"\r", n) == NULL:
        return value.strip(b" \t")
    memset(&out, 0, sizeof(Buf))
    try:
        for i in range(n):
            if p[i] != c"\r" and p[i] != c"\n":
                put_char(&out, p[i])
            elif i + 1 < n and not (is_lwsp(p[i + 1]) or p[i + 1] == c"\r" or p[i + 1] == c"\n"):
                put_char(&out, c" ")
        return _bytes_of(&out).strip(b" \t")
    finally:
        buf_drop(&out)


def decode_text(bytes octets not None, bytes charset not None):
    """As text, whatever the octets are. A charset that is not known is taken for UTF-8, and where the octets are not
    that, for Latin-1.
    """
    cdef str name = charset.decode("latin-1").lower().replace("-", "_").replace(" ", "_").replace(":", "_")
    if name in CHARSETS:
        info = _codecs.lookup(name)
        if info._is_text_encoding and info.name not in NO_CHARSETS and info.name not in ("ascii", "utf-8"):
            try:
                return octets.decode(info.name, "replace")
            except (ValueError, LookupError):
                pass
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


cdef struct EncodedWord:
    Py_ssize_t end              # after "?="
    Py_ssize_t charset
    Py_ssize_t charset_size     # without the language of RFC 2231 section 5
    Py_ssize_t text
    Py_ssize_t text_size
    uint8_t encoding            # c"B" or c"Q"


cdef Py_ssize_t _next_mark(const uint8_t* p, Py_ssize_t at, Py_ssize_t n) noexcept:
    """The next question mark, or -1."""
    cdef const uint8_t* mark = <const uint8_t*>memchr(p + at, c"?", n - at) if at < n else NULL
    return -1 if mark == NULL else mark - p


cdef bint _word_at(const uint8_t* p, Py_ssize_t at, Py_ssize_t n, EncodedWord* word) noexcept:
    """encoded-word = "=?" charset "?" encoding "?" encoded-text "?=" begins at `at`, where "=?" is."""
    cdef const uint8_t* star
    cdef Py_ssize_t mark = _next_mark(p, at + 2, n)
    word.charset = at + 2
    word.charset_size = mark - word.charset
    if mark < 0 or not 0 < word.charset_size <= MAX_CHARSET or mark + 2 >= n or p[mark + 2] != c"?":
        return False
    star = <const uint8_t*>memchr(p + word.charset, c"*", word.charset_size)
    if star != NULL:
        word.charset_size = star - p - word.charset
    word.encoding = <uint8_t>upper(p[mark + 1])
    word.text = mark + 3
    mark = _next_mark(p, word.text, n)
    if mark < 0 or mark + 1 >= n or p[mark + 1] != c"=" or (word.encoding != c"B" and word.encoding != c"Q"):
        return False
    word.text_size = mark - word.text
    word.end = mark + 2
    return True


cdef int _add_word(const uint8_t* p, EncodedWord* word, Buf* out) except -1:
    """Append the octets that an encoded word stands for."""
    cdef const uint8_t* text = p + word.text
    cdef Py_ssize_t i = 0, n = word.text_size
    if word.encoding == c"B":
        buf_room(out, n + 3)
        out.size += base64_decode(text, n, out.data + out.size)
        return 0
    while i < n:
        if text[i] == c"=" and i + 2 < n and is_hex(text + i + 1):
            put_char(out, hex_octet(text + i + 1))
            i += 3
            continue
        put_char(out, c" " if text[i] == c"_" else text[i])
        i += 1
    return 0


cdef str _take_text(Buf* out, bytes charset):
    cdef bytes octets = _bytes_of(out)
    out.size = 0
    return decode_text(octets, charset)


cdef str _decoded(bytes value, Buf* out):
    """`out` gathers what adjacent words of one charset stand for: a character may be in two of them."""
    cdef const uint8_t* p = value
    cdef Py_ssize_t at = 0, done = 0, n = len(value), mark
    cdef EncodedWord word
    cdef bytes charset = b"", now, gap
    cdef list texts = []
    while True:
        mark = _next_mark(p, at, n)
        if mark < 0:
            break
        at = mark + 1
        if mark - 1 < done or p[mark - 1] != c"=" or not _word_at(p, mark - 1, n, &word):
            continue
        now = value[word.charset:word.charset + word.charset_size].lower()
        gap = value[done:mark - 1]
        if done == 0 or gap.strip(b" \t"):
            texts.append(_take_text(out, charset))
            texts.append(decode_text(gap, b""))
        elif now != charset:
            texts.append(_take_text(out, charset))
        charset = now
        _add_word(p, &word, out)
        at = done = word.end
    texts.append(_take_text(out, charset))
    texts.append(decode_text(value[done:], b""))
    return "".join(texts)


def decode_words(bytes value not None):
    """The text of a field's value, unfolded, with its encoded words decoded, also where they stand inside of a word.
    Never raises: what is no encoded word stays, charsets that are not known are guessed (`decode_text`).
    """
    cdef Buf out
    cdef bytes line = unfolded(value)
    memset(&out, 0, sizeof(Buf))
    try:
        return _decoded(line, &out)
    finally:
        buf_drop(&out)
