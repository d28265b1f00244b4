# The one table of character classes (RFC 3501 section 9, RFC 9051 section 9).

cdef enum Class:
    CH_ATOM = 1      # ATOM-CHAR
    CH_TAG = 2       # tag: ASTRING-CHAR but "+"
    CH_ARG = 4       # inside a plain argument of a command: ATOM-CHAR, "]", "\", list-wildcards
    CH_NAME = 8      # command and capability names: letters, digits, "-", ".", "=", "_", "+"
    CH_DIGIT = 16
    CH_BASE64 = 32   # base64 alphabet and "="
    CH_PLAIN = 64    # stands in a log line as it is (log/escape.py): printable ASCII but space, `"`, `\`, "=" and "<"

cdef unsigned char CHARS[256]


cdef void _fill_chars() noexcept:
    cdef int c
    for c in range(256):
        CHARS[c] = 0
    for c in range(0x21, 0x7f):
        if c not in b'(){"%*\\]':
            CHARS[c] |= CH_ATOM
        if c not in b'(){"%*\\+':
            CHARS[c] |= CH_TAG
        if c not in b'(){"':
            CHARS[c] |= CH_ARG
        if c not in b'"\\=<':
            CHARS[c] |= CH_PLAIN
        if 48 <= c <= 57:
            CHARS[c] |= CH_DIGIT | CH_NAME | CH_BASE64
        if 65 <= c <= 90 or 97 <= c <= 122:
            CHARS[c] |= CH_NAME | CH_BASE64
        if c in b"-.=_+":
            CHARS[c] |= CH_NAME
        if c in b"+/=":
            CHARS[c] |= CH_BASE64


_fill_chars()


cdef inline int upper(int c) noexcept:
    return c - 32 if 97 <= c <= 122 else c


@cython.final
cdef class Words:
    """A closed set of words, each with a small number: lookup without case, without making an object.

    Open addressing over FNV-1a of the upper-case bytes; words longer than 40 bytes are never found.
    """

    cdef:
        uint8_t* names        # slots x 40
        uint8_t* sizes
        int16_t* values
        uint32_t mask

    def __cinit__(self, words):
        """`words` maps upper-case bytes to numbers from 0 to 32767."""
        cdef uint32_t slots = 16, at
        cdef bytes word
        while slots < 2 * len(words):
            slots *= 2
        self.mask = slots - 1
        self.names = <uint8_t*>calloc(slots, 40)
        self.sizes = <uint8_t*>calloc(slots, 1)
        self.values = <int16_t*>calloc(slots, 2)
        if self.names == NULL or self.sizes == NULL or self.values == NULL:
            raise MemoryError
        for word, value in dict(words).items():
            if not 1 <= len(word) <= 40 or word != word.upper():
                raise ValueError(f"no word for this table: {word!r}")
            at = fnv(<const uint8_t*>word, len(word)) & self.mask
            while self.sizes[at]:
                at = (at + 1) & self.mask
            self.sizes[at] = <uint8_t>len(word)
            memcpy(self.names + 40 * at, <const char*>word, len(word))
            self.values[at] = value

    def __dealloc__(self):
        free(self.names)
        free(self.sizes)
        free(self.values)

    cdef int find(self, const uint8_t* p, Py_ssize_t n) noexcept:
        """The word's number, or -1."""
        cdef uint32_t at
        cdef Py_ssize_t i
        if n < 1 or n > 40:
            return -1
        at = fnv(p, n) & self.mask
        while self.sizes[at]:
            if self.sizes[at] == n:
                for i in range(n):
                    if self.names[40 * at + i] != upper(p[i]):
                        break
                else:
                    return self.values[at]
            at = (at + 1) & self.mask
        return -1

    def get(self, bytes word):
        """The word's number, or -1 (for tests)."""
        return self.find(<const uint8_t*>word, len(word))


cdef inline uint32_t fnv(const uint8_t* p, Py_ssize_t n) noexcept:
    cdef uint32_t h = 2166136261u
    cdef Py_ssize_t i
    for i in range(n):
        h = (h ^ <uint32_t>upper(p[i])) * 16777619u
    return h


cdef bint valid_utf8(const uint8_t* p, Py_ssize_t n) noexcept:
    """RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF."""
    cdef Py_ssize_t i = 0, k, more
    cdef uint32_t c, low
    while True:
        i = scan_ascii(p + i, p + n) - p
        if i == n:
            return True
        c = p[i]
        i += 1
        if 0xC2 <= c <= 0xDF:
            more, low, c = 1, 0x80, c & 0x1F
        elif 0xE0 <= c <= 0xEF:
            more, low, c = 2, 0x800, c & 0x0F
        elif 0xF0 <= c <= 0xF4:
            more, low, c = 3, 0x10000, c & 0x07
        else:
            return False
        if i + more > n:
            return False
        for k in range(more):
            if p[i] & 0xC0 != 0x80:
                return False
            c = (c << 6) | (p[i] & 0x3F)
            i += 1
        if c < low or c > 0x10FFFF or 0xD800 <= c <= 0xDFFF:
            return False
