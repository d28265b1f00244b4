# What is at hand while a mail is read. Its memory is kept for the next mail: to get it anew costs a small mail a third
# of its time.

cdef enum:
    KEPT_ROOM = 65536       # octets of a buffer, and parts, that are kept at most
    KEPT_PARTS = 64


cdef struct Reader:
    Tree tree
    const uint8_t* p
    Py_ssize_t size
    Py_ssize_t at           # where the next line begins
    long long lines         # line ends before it
    int64_t max_header
    int max_parts
    int max_depth
    int now                 # the part that is read
    bint cut                # the boundary at `at` ends a header
    Params params
    Addresses addresses
    Envelope envelope
    Buf value
    Buf word
    Buf names
    Buf values
    Buf words               # of all parts: one octet of length, then the octets
    Buf envelopes
    Buf boundary            # of the part whose header is read
    Buf out                 # BODYSTRUCTURE
    Buf brief               # BODY


cdef Reader _spare          # nobody's at the moment


cdef void _trim(Buf* b, Py_ssize_t most) noexcept:
    if b.room > most:
        buf_drop(b)


cdef void reader_trim(Reader* r, Py_ssize_t most) noexcept:
    """Give back what is larger than `most`."""
    cdef int i
    if r.tree.room > KEPT_PARTS or most == 0:
        tree_drop(&r.tree)
    if most == 0:
        params_drop(&r.params)
    _trim(&r.params.text, most)
    addresses_trim(&r.addresses, most)
    for i in range(ENV_TEXTS):
        _trim(&r.envelope.texts[i].text, most)
    for i in range(ENV_LISTS):
        _trim(&r.envelope.lists[i], most)
    _trim(&r.value, most)
    _trim(&r.word, most)
    _trim(&r.names, most)
    _trim(&r.values, most)
    _trim(&r.words, most)
    _trim(&r.envelopes, most)
    _trim(&r.boundary, most)
    _trim(&r.out, most)
    _trim(&r.brief, most)


cdef void reader_begin(Reader* r) noexcept:
    """The spare one, or a new one; nothing is known of a mail."""
    r[0] = _spare
    memset(&_spare, 0, sizeof(Reader))
    r.tree.count = r.tree.opened = 0
    r.at = 0
    r.lines = 0
    r.now = 0
    r.cut = False
    r.words.size = r.envelopes.size = r.out.size = r.brief.size = 0


cdef void reader_end(Reader* r, bint whole) noexcept:
    """Keep it as the spare one, unless it was left in the middle, or there is one."""
    global _spare
    if not whole or _spare.words.data != NULL:
        reader_trim(r, 0)
        return
    reader_trim(r, KEPT_ROOM)
    _spare = r[0]
