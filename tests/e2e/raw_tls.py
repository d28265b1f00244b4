"""TLS by hand, for what no library would send: records, a first flight cut up, an end that renegotiates."""

from __future__ import annotations

import ssl
import struct

HANDSHAKE, ALERT, DATA = 22, 21, 23
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE = 1, 2, 11


def record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    return struct.pack(">BHH", kind, version, len(body)) + body


def records(kind: int, body: bytes, size: int = 16384) -> bytes:
    """As many records as it takes."""
    return b"".join(record(kind, body[at : at + size]) for at in range(0, len(body), size))


def message(kind: int, body: bytes) -> bytes:
    """A message of a handshake."""
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def client_hello(context: ssl.SSLContext, name: str = "localhost") -> bytes:
    """The first flight of a client."""
    outgoing = ssl.MemoryBIO()
    end = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake of one flight")


def is_ciphertext(data: bytes) -> bool:
    """Nothing but whole records: no octet in clear."""
    while len(data) >= 5:
        kind, version, size = struct.unpack_from(">BHH", data)
        if kind not in (20, 21, 22, 23) or version >> 8 != 3 or len(data) < 5 + size:
            return False
        data = data[5 + size :]
    return not data
