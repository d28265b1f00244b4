# The fields of a header that the index looks at.

cdef enum:  # Name
    NAME_VERSION = 100      # below: which of Told
    NAME_ENVELOPE = 200     # and above: which of Env

cdef dict _NAMES = {
    b"MIME-VERSION": NAME_VERSION,
    b"CONTENT-ID": TOLD_ID,
    b"CONTENT-MD5": TOLD_MD5,
    b"CONTENT-TYPE": TOLD_TYPE,
    b"CONTENT-TRANSFER-ENCODING": TOLD_ENCODING,
    b"CONTENT-LANGUAGE": TOLD_LANGUAGE,
    b"CONTENT-LOCATION": TOLD_LOCATION,
    b"CONTENT-DESCRIPTION": TOLD_DESCRIPTION,
    b"CONTENT-DISPOSITION": TOLD_DISPOSITION,
    b"DATE": NAME_ENVELOPE + ENV_DATE,
    b"SUBJECT": NAME_ENVELOPE + ENV_SUBJECT,
    b"FROM": NAME_ENVELOPE + ENV_FROM,
    b"SENDER": NAME_ENVELOPE + ENV_SENDER,
    b"REPLY-TO": NAME_ENVELOPE + ENV_REPLY_TO,
    b"TO": NAME_ENVELOPE + ENV_TO,
    b"CC": NAME_ENVELOPE + ENV_CC,
    b"BCC": NAME_ENVELOPE + ENV_BCC,
    b"IN-REPLY-TO": NAME_ENVELOPE + ENV_IN_REPLY_TO,
    b"MESSAGE-ID": NAME_ENVELOPE + ENV_MESSAGE_ID,
}

cdef Words FIELD_NAMES = Words(_NAMES)
cdef uint32_t NAME_SIZES[32]      # by first letter: a bit for each size that a name has


cdef void _fill_sizes() noexcept:
    cdef bytes name
    memset(NAME_SIZES, 0, sizeof(NAME_SIZES))
    for name in _NAMES:
        NAME_SIZES[(<const uint8_t*>name)[0] & 31] |= 1u << len(name)


_fill_sizes()


cdef int field_name(const uint8_t* p, Py_ssize_t n) noexcept:
    """Which of the names, or -1: mostly known by its size."""
    if n > 31 or not NAME_SIZES[p[0] & 31] >> n & 1:
        return -1
    return FIELD_NAMES.find(p, n)
