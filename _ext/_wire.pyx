# cython: language_level=3
# distutils: language = c
"""The wire: cuts bytes into units, looks units up in the gate, relays both directions of a session.

A table of contents; each included file owns one subject (architecture.md section 4). Grammar names are those of
RFC 3501 and RFC 9051.
"""

import os as _os
from collections import deque as _deque

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memchr, memcmp, memcpy, memmove, memset, strlen

cdef extern from "scan.h" nogil:
    const uint8_t* scan_data(const uint8_t* p, const uint8_t* end)
    const uint8_t* scan_quoted(const uint8_t* p, const uint8_t* end)
    const uint8_t* scan_flags(const uint8_t* p, const uint8_t* end, int most)
    const uint8_t* scan_text(const uint8_t* p, const uint8_t* end)
    const uint8_t* scan_lines(const uint8_t* p, const uint8_t* end, long long* lines, unsigned* seen)
    long long count_base64(const uint8_t* p, const uint8_t* end)
    const uint8_t* scan_string(const uint8_t* p, const uint8_t* end)
    long long count_quoted(const uint8_t* p, const uint8_t* end)
    bint is_hex(const uint8_t* p)
    const uint8_t* scan_ascii(const uint8_t* p, const uint8_t* end)
    const uint8_t* scan_visible(const uint8_t* p, const uint8_t* end)
    enum:
        SEEN_BARE_LF
        SEEN_BARE_CR
        SEEN_NUL
        SEEN_8BIT

cdef extern from "<string.h>" nogil:
    void* memmem(const void* haystack, size_t size, const void* needle, size_t length)

cdef extern from "<sys/socket.h>" nogil:
    ssize_t send(int fd, const void* data, size_t size, int flags)
    int MSG_DONTWAIT
    int MSG_NOSIGNAL

include "codes.pxi"
include "chars.pxi"
include "inbuf.pxi"
include "lexer.pxi"
include "tokens.pxi"
include "gate.pxi"
include "limits.pxi"
include "openssl.pxi"
include "tlspem.pxi"
include "tlscalls.pxi"
include "tlscontext.pxi"
include "tlsbio.pxi"
include "tls.pxi"
include "handshake.pxi"
include "legs.pxi"
include "turns.pxi"
include "flow.pxi"
include "gathering.pxi"
include "upward.pxi"
include "fetching.pxi"
include "downward.pxi"
include "relay.pxi"
include "text.pxi"
include "sockets.pxi"
include "counts.pxi"
include "shared.pxi"
include "memory.pxi"
include "meter.pxi"
include "header.pxi"
include "headertokens.pxi"
include "mimestrings.pxi"
include "headerparams.pxi"
include "headeraddress.pxi"
include "headerwords.pxi"
include "mimeparts.pxi"
include "mimetransfer.pxi"
include "mimeclean.pxi"
include "mimeenvelope.pxi"
include "mimenames.pxi"
include "mimereader.pxi"
include "mime.pxi"
include "mimestructure.pxi"
include "mimepreview.pxi"
include "mimeindex.pxi"
include "mimepack.pxi"
