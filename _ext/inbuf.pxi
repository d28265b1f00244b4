# Bytes that wait: a part of a line, a gathered command, what came in while the relay holds.

cdef struct Buf:
    uint8_t* data
    Py_ssize_t size
    Py_ssize_t room


cdef uint8_t* _buf_grow(Buf* b, Py_ssize_t n) except NULL:
    """Room doubles, so that many small chunks cost no more than one large one."""
    cdef Py_ssize_t room = b.room if b.room else 256
    cdef uint8_t* grown
    while room < b.size + n:
        room *= 2
    grown = <uint8_t*>realloc(b.data, room)
    if grown == NULL:
        raise MemoryError
    b.data = grown
    b.room = room
    return b.data + b.size


cdef inline uint8_t* buf_room(Buf* b, Py_ssize_t n) except NULL:
    """Where n more bytes may be written."""
    if b.data == NULL or b.size + n > b.room:
        return _buf_grow(b, n)
    return b.data + b.size


cdef int buf_add(Buf* b, const uint8_t* p, Py_ssize_t n) except -1:
    """Append n bytes. Nothing added to nothing makes no memory: both pointers may be NULL then."""
    if n:
        memcpy(buf_room(b, n), p, n)
        b.size += n
    return 0


cdef inline void buf_drop(Buf* b) noexcept:
    """Forget the bytes and give the memory back."""
    if b.data != NULL:
        free(b.data)
    b.data = NULL
    b.size = 0
    b.room = 0
