# The parts of a mail while it is read, and the boundaries that are open.

MIME_FAULTS = (
    "TOO_DEEP",               # caps of the index: what lies behind was not looked into
    "TOO_MANY_PARTS",
    "HEADER_TOO_LARGE",
    "TOO_MANY_ADDRESSES",
    "TOO_MANY_PARAMETERS",
    "STRUCTURE_TOO_LARGE",
    "BARE_LF",                # octets that a canonical mail has not
    "BARE_CR",
    "NUL",
    "EIGHT_BIT_HEADER",
    "JUNK_LINE",              # a line of a header that is no field
    "SPACED_NAME",            # white space between a field's name and its colon
    "NO_BLANK_LINE",          # the mail ends inside of a header
    "HEADER_CUT",             # a boundary ends a header
    "TYPE_TWICE",             # more than one Content-Type in a header, and so on
    "ENCODING_TWICE",
    "DISPOSITION_TWICE",
    "BROKEN_TYPE",
    "BROKEN_ENCODING",
    "BROKEN_PARAMETERS",
    "PARAMETER_TWICE",
    "NO_BOUNDARY",            # multipart without the parameter
    "EMPTY_BOUNDARY",
    "LONG_BOUNDARY",          # over 70 octets
    "NO_PARTS",               # multipart whose boundary does not occur
    "NOT_CLOSED",             # multipart without its final boundary
    "BOUNDARY_TAIL",          # a boundary line with more than the boundary, white space aside
    "ENCODED_PARTS",          # multipart or message/rfc822 with a transfer encoding
)

cdef enum:  # Fault
    TOO_DEEP = 1 << 0
    TOO_MANY_PARTS = 1 << 1
    HEADER_TOO_LARGE = 1 << 2
    TOO_MANY_ADDRESSES = 1 << 3
    TOO_MANY_PARAMETERS = 1 << 4
    STRUCTURE_TOO_LARGE = 1 << 5
    BARE_LF = 1 << 6
    BARE_CR = 1 << 7
    NUL_OCTET = 1 << 8
    EIGHT_BIT_HEADER = 1 << 9
    JUNK_LINE = 1 << 10
    SPACED_NAME = 1 << 11
    NO_BLANK_LINE = 1 << 12
    HEADER_CUT = 1 << 13
    TYPE_TWICE = 1 << 14
    ENCODING_TWICE = 1 << 15
    DISPOSITION_TWICE = 1 << 16
    BROKEN_TYPE = 1 << 17
    BROKEN_ENCODING = 1 << 18
    BROKEN_PARAMETERS = 1 << 19
    PARAMETER_TWICE = 1 << 20
    NO_BOUNDARY = 1 << 21
    EMPTY_BOUNDARY = 1 << 22
    LONG_BOUNDARY = 1 << 23
    NO_PARTS = 1 << 24
    NOT_CLOSED = 1 << 25
    BOUNDARY_TAIL = 1 << 26
    ENCODED_PARTS = 1 << 27

cdef enum:  # Kind
    LEAF
    MULTIPART
    MESSAGE

cdef enum:
    MAX_BOUNDARY = 80         # Dovecot cuts longer ones
    MAX_WORD = 80             # octets kept of a type, a subtype, an encoding
    DEEPEST = 256             # the most that max_depth can be, so that a line of dashes is compared with few boundaries
    MOST_PARTS = 100000       # the most that max_parts can be
    MAX_STRUCTURE = 4 << 20   # octets of a BODYSTRUCTURE, and of all ENVELOPEs in it; beyond it a mail shows as one leaf
    MAX_ENVELOPE = 2 << 20    # of one ENVELOPE; beyond it that shows nothing


cdef struct Span:
    Py_ssize_t at
    Py_ssize_t size
    bint folded


# Fields of a part that BODYSTRUCTURE tells of.
cdef enum:  # Told
    TOLD_ID
    TOLD_MD5
    TOLD_TYPE
    TOLD_ENCODING
    TOLD_LANGUAGE
    TOLD_LOCATION
    TOLD_DESCRIPTION
    TOLD_DISPOSITION
    TOLD_FIELDS


cdef struct Kept:             # what an index keeps of a part, and packs
    int64_t header
    int64_t header_size
    int64_t body
    int64_t body_size
    int64_t lines
    int64_t decoded           # octets after transfer decoding, -1 unknown
    int32_t parent            # -1: none
    int32_t depth
    int32_t first             # child, -1: none
    int32_t next
    uint32_t faults
    uint32_t type_at          # in the words of the index; 0: none
    uint32_t subtype_at
    uint32_t encoding_at
    uint8_t kind
    uint8_t transfer
    uint8_t unused[6]


cdef struct Part:
    int64_t header
    int64_t header_size
    int64_t body
    int64_t body_size
    int64_t lines
    int64_t lines_before
    int32_t parent
    int32_t depth
    int32_t first
    int32_t next
    int32_t last              # child
    uint32_t faults
    uint32_t type_at
    uint32_t subtype_at
    uint32_t encoding_at
    uint8_t kind
    uint8_t transfer
    Py_ssize_t envelope       # where the ENVELOPE is in Tree.envelopes
    Py_ssize_t envelope_size
    Span told[TOLD_FIELDS]
    bint mime                 # Content-* fields count
    bint typed
    bint text
    bint digest
    bint cut                  # its header ends at a boundary: it has no body
    bint overflow
    bint closed
    bint has_boundary
    int8_t disposed           # its disposition has parameters: 1 yes, -1 no, 0 not looked


cdef struct Boundary:
    int32_t part
    int32_t size
    uint8_t text[MAX_BOUNDARY]


cdef struct Tree:
    Part* parts
    int count
    int room
    Boundary* open
    int opened
    int open_room


cdef void tree_drop(Tree* tree) noexcept:
    free(tree.parts)
    free(tree.open)
    tree.parts = NULL
    tree.open = NULL
    tree.room = tree.open_room = 0


cdef int new_part(Tree* tree, int parent, int64_t at) except -1:
    """Append a part whose header begins at `at`; its number."""
    cdef Part* grown
    cdef Part* part
    cdef int number = tree.count, room
    if tree.count == tree.room:
        room = tree.room * 2 if tree.room else 4
        grown = <Part*>realloc(tree.parts, room * sizeof(Part))
        if grown == NULL:
            raise MemoryError
        tree.parts = grown
        tree.room = room
    part = &tree.parts[number]
    memset(part, 0, sizeof(Part))
    part.header = part.body = at
    part.parent = parent
    part.first = part.next = part.last = -1
    tree.count += 1
    if parent >= 0:
        part.depth = tree.parts[parent].depth + 1
        if tree.parts[parent].first < 0:
            tree.parts[parent].first = number
        else:
            tree.parts[tree.parts[parent].last].next = number
        tree.parts[parent].last = number
    return number


cdef int push_boundary(Tree* tree, int part, const uint8_t* text, Py_ssize_t size) except -1:
    cdef Boundary* grown
    cdef int room
    if tree.opened == tree.open_room:
        room = tree.open_room * 2 if tree.open_room else 4
        grown = <Boundary*>realloc(tree.open, room * sizeof(Boundary))
        if grown == NULL:
            raise MemoryError
        tree.open = grown
        tree.open_room = room
    size = min(size, <Py_ssize_t>MAX_BOUNDARY)
    memcpy(tree.open[tree.opened].text, text, size)
    tree.open[tree.opened].size = <int32_t>size
    tree.open[tree.opened].part = part
    tree.opened += 1
    return 0


cdef int find_boundary(Tree* tree, const uint8_t* line, Py_ssize_t n, bint ended) noexcept:
    """The open boundary which the line, two dashes and newline aside, is of; -1: none. The beginning of the line
    decides. Of several the longest counts, and of these the innermost; but one that is the whole line, or the line
    less its last two dashes, ends the search, which goes outward. `ended`: the line has an LF.
    """
    cdef int i = tree.opened, best = -1
    cdef int32_t size
    cdef bint dashes = ended and n > 2 and line[n - 1] == c"-" and line[n - 2] == c"-"
    if not ended and n > MAX_BOUNDARY + 4:
        n = MAX_BOUNDARY + 4
    while i:
        i -= 1
        size = tree.open[i].size
        if size <= n and (best < 0 or size > tree.open[best].size) and memcmp(tree.open[i].text, line, size) == 0:
            best = i
            if size == n or (dashes and size == n - 2):
                break
    return best
