# Content-Transfer-Encoding (RFC 2045 section 6): what it names, and what the octets are without it.

cdef enum:  # Transfer
    CTE_NONE              # no such field: as 7bit
    CTE_IDENTITY          # 7bit, 8bit
    CTE_BINARY
    CTE_QP
    CTE_BASE64
    CTE_UNKNOWN

cdef tuple TRANSFER_NAMES = (b"7bit", b"7bit", b"binary", b"quoted-printable", b"base64", b"")


cdef uint8_t known_encoding(const uint8_t* p, Py_ssize_t n) noexcept:
    if same_word(p, n, <const uint8_t*>"7bit", 4) or same_word(p, n, <const uint8_t*>"8bit", 4):
        return CTE_IDENTITY
    if same_word(p, n, <const uint8_t*>"binary", 6):
        return CTE_BINARY
    if same_word(p, n, <const uint8_t*>"quoted-printable", 16):
        return CTE_QP
    if same_word(p, n, <const uint8_t*>"base64", 6):
        return CTE_BASE64
    return CTE_UNKNOWN
