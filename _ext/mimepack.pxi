# The index as octets, as it stands behind a processed mail in the store. The store is this host's own: numbers are in
# the machine's order, and a blob of another order or version is refused.

cdef enum:
    PACK_MARK = 0x3149344D      # "M4I1" in this order
    PACK_TEXTS = 5              # words, envelope, body, bodystructure, preview


cdef struct PackHead:
    uint32_t mark
    uint32_t check              # over all that follows it
    int64_t size
    int64_t lines
    uint32_t faults
    uint32_t count
    uint32_t texts[PACK_TEXTS]
    uint32_t part_size


cdef uint32_t pack_check(const uint8_t* p, Py_ssize_t n) noexcept:
    """FNV-1a over words of four octets: against what was cut or damaged, not against an attacker."""
    cdef uint32_t h = 2166136261u, word
    cdef Py_ssize_t i = 0
    while i + 4 <= n:
        memcpy(&word, p + i, 4)
        h = (h ^ word) * 16777619u
        h ^= h >> 15
        i += 4
    while i < n:
        h = (h ^ p[i]) * 16777619u
        i += 1
    return h


cdef bytes pack_index(MailIndex index):
    cdef tuple texts = (index.words, index.envelope, index.body, index.bodystructure, index.preview)
    cdef PackHead head
    cdef Py_ssize_t parts = index.count * sizeof(Kept), total = sizeof(PackHead) + parts
    cdef bytes blob, text
    cdef uint8_t* out
    cdef int i
    memset(&head, 0, sizeof(PackHead))
    for i in range(PACK_TEXTS):
        head.texts[i] = <uint32_t>len(texts[i])
        total += len(texts[i])
    blob = PyBytes_FromStringAndSize(NULL, total)
    out = <uint8_t*><char*>blob
    head.mark = PACK_MARK
    head.size = index.size
    head.lines = index.lines
    head.faults = index.fault_bits
    head.count = index.count
    head.part_size = sizeof(Kept)
    memcpy(out, &head, sizeof(PackHead))
    memcpy(out + sizeof(PackHead), index.parts, parts)
    parts += sizeof(PackHead)
    for text in texts:
        memcpy(out + parts, <const char*>text, len(text))
        parts += len(text)
    head.check = pack_check(out + 8, total - 8)
    memcpy(out, &head, sizeof(PackHead))
    return blob


cdef bint _fits(const PackHead* head, Py_ssize_t n) noexcept:
    """The lengths in the head make up n."""
    cdef uint64_t total = sizeof(PackHead) + <uint64_t>head.count * sizeof(Kept)
    cdef int i
    for i in range(PACK_TEXTS):
        total += head.texts[i]
    return total == <uint64_t>n


cdef bint _sound_part(MailIndex index, int i) noexcept:
    """The ranges of a part lie in the mail, and its words in the words; its parent stands before it."""
    cdef Kept* part = &index.parts[i]
    cdef const uint8_t* words = index.words
    cdef Py_ssize_t size = len(index.words)
    if part.parent >= i or (part.parent < 0) != (i == 0) or part.parent < -1 or part.kind > MESSAGE:
        return False
    if not 0 <= part.header <= index.size or not 0 <= part.header_size <= index.size - part.header:
        return False
    if part.body != part.header + part.header_size or not 0 <= part.body_size <= index.size - part.body:
        return False
    if part.lines < 0 or part.decoded < -1 or part.transfer > CTE_UNKNOWN:
        return False
    for at in (part.type_at, part.subtype_at, part.encoding_at):
        if at >= size or at + 1 + words[at] > size:
            return False
    return True


cdef bint _sound_tree(MailIndex index) except -1:
    """The links between parts are those that their parents say, and a message has one part in it."""
    cdef int32_t* last = <int32_t*>calloc(<uint32_t>index.count, sizeof(int32_t))
    cdef Kept* parts = index.parts
    cdef int i, parent
    if last == NULL:
        raise MemoryError
    try:
        for i in range(1, index.count):
            parent = parts[i].parent
            if parts[i].depth != parts[parent].depth + 1 or parts[parent].kind == LEAF:
                return False
            if (parts[parent].first if last[parent] == 0 else parts[last[parent]].next) != i:
                return False
            if last[parent] and parts[parent].kind == MESSAGE:
                return False
            last[parent] = i
        for i in range(index.count):
            if last[i] == 0 and (parts[i].first != -1 or parts[i].kind == MESSAGE):
                return False
            if last[i] and parts[last[i]].next != -1:
                return False
        return parts[0].next == -1 and parts[0].depth == 0
    finally:
        free(last)


cdef MailIndex unpack_index(bytes blob):
    cdef MailIndex index = MailIndex.__new__(MailIndex)
    cdef const uint8_t* p = blob
    cdef Py_ssize_t n = len(blob), at = sizeof(PackHead)
    cdef PackHead head
    cdef list texts = []
    cdef int i
    if n < <Py_ssize_t>sizeof(PackHead):
        raise ValueError("no index: too short")
    memcpy(&head, p, sizeof(PackHead))
    if head.mark != PACK_MARK or head.part_size != sizeof(Kept):
        raise ValueError("no index, or of another version")
    if not 1 <= head.count <= MOST_PARTS or not _fits(&head, n) or head.check != pack_check(p + 8, n - 8):
        raise ValueError("a damaged index")
    index.parts = <Kept*>malloc(head.count * sizeof(Kept))
    if index.parts == NULL:
        raise MemoryError
    index.count = head.count
    index.size = head.size
    index.lines = head.lines
    index.fault_bits = head.faults
    memcpy(index.parts, p + at, head.count * sizeof(Kept))
    at += head.count * sizeof(Kept)
    for i in range(PACK_TEXTS):
        texts.append(blob[at:at + head.texts[i]])
        at += head.texts[i]
    index.words, index.envelope, index.body, index.bodystructure, index.preview = texts
    if index.size < 0 or index.lines < 0:
        raise ValueError("a damaged index")
    for i in range(index.count):
        if not _sound_part(index, i):
            raise ValueError("a damaged index: a part out of place")
    if not _sound_tree(index):
        raise ValueError("a damaged index: parts that do not fit")
    return index
