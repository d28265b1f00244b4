# What OpenSSL reads from and writes to: the chunk that a leg was fed, and the output that all legs of the process share.

cdef enum:
    OUT_SLICE = 16384
    MAX_OUT_KEPT = 131072
    MAX_DULL = 131072        # octets in a row without a plain one: handshakes, tickets, key updates

cdef struct TlsOut:
    uint8_t* data
    Py_ssize_t size
    Py_ssize_t room
    void* owner

cdef TlsOut tls_out

cdef bint out_grow(Py_ssize_t n) noexcept nogil:
    """Room for n octets more, in whole slices."""
    cdef Py_ssize_t room = (tls_out.size + n + OUT_SLICE - 1) // OUT_SLICE * OUT_SLICE
    cdef uint8_t* grown = <uint8_t*>realloc(tls_out.data, room)
    if grown == NULL:
        return False
    tls_out.data = grown
    tls_out.room = room
    return True


cdef int leg_read(BIO* bio, char* to, size_t n, size_t* got) noexcept nogil:
    """OpenSSL takes from the chunk."""
    cdef TlsIo* io = <TlsIo*>BIO_get_data(bio)
    BIO_clear_retry_flags(bio)
    if io.left == 0:
        BIO_set_retry_read(bio)
        return 0
    if io.dull >= MAX_DULL:
        io.over = True
        return 0
    if n > <size_t>io.left:
        n = io.left
    memcpy(to, io.at, n)
    io.at += n
    io.left -= n
    io.dull += n
    got[0] = n
    return 1


cdef int leg_write(BIO* bio, const char* p, size_t n, size_t* put) noexcept nogil:
    """OpenSSL appends to the output."""
    BIO_clear_retry_flags(bio)
    if tls_out.size + <Py_ssize_t>n > tls_out.room and not out_grow(n):
        return 0
    memcpy(tls_out.data + tls_out.size, p, n)
    tls_out.size += n
    put[0] = n
    return 1


cdef long leg_control(BIO* bio, int what, long n, void* p) noexcept nogil:
    return 1 if what == BIO_CTRL_FLUSH else 0


cdef BIO_METHOD* leg_bio = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, b"imap4fast leg")
if leg_bio == NULL:
    raise MemoryError
BIO_meth_set_read_ex(leg_bio, leg_read)
BIO_meth_set_write_ex(leg_bio, leg_write)
BIO_meth_set_ctrl(leg_bio, leg_control)
