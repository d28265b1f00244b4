"""What opaque S/MIME holds: the content of signed and of compressed data (RFC 5652, RFC 3274; T-M31).

Only so much of BER is read as finds it: definite and indefinite lengths, octet strings in pieces. Signatures are not
checked: whoever has the octets can read the content, and that is why it has to be seen.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
COMPRESSED_DATA = bytes.fromhex("2a864886f70d0109100109")

SEQUENCE = 0x30
OBJECT = 0x06
OCTETS = 0x04
PIECES = 0x24
EXPLICIT = 0xA0
DEEPEST = 16


class Element(NamedTuple):
    """`start` to `stop` are the content octets, `end` is behind all of it."""

    tag: int
    start: int
    stop: int
    end: int


class Malformed(Exception):  # noqa: N818
    """No BER, or more of it than is read; never seen outside of this module."""


def content(octets: bytes, most: int = 1 << 26) -> bytes | None:
    """The content of a CMS object that is not encrypted; None where there is none, or none that can be read. Compressed
    content is cut at `most` octets."""
    try:
        return opened(octets, most)
    except (Malformed, zlib.error):
        return None


def opened(octets: bytes, most: int) -> bytes | None:
    """ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY }"""
    kind, wrapped = inner(octets, element(octets, 0, len(octets), 0), 2)
    kind_octets = octets[kind.start : kind.stop]
    if kind.tag != OBJECT or wrapped.tag != EXPLICIT or kind_octets not in (SIGNED_DATA, COMPRESSED_DATA):
        return None
    # Both: SEQUENCE { version, algorithms, EncapsulatedContentInfo, ... }
    *_, info = inner(octets, element(octets, wrapped.start, wrapped.stop, 1), 3)
    parts = list(children(octets, info, 3))
    if len(parts) < 2 or parts[1].tag != EXPLICIT:
        return None
    said = b"".join(strings(octets, element(octets, parts[1].start, parts[1].stop, 4), 4))
    if kind_octets == SIGNED_DATA:
        return said
    return zlib.decompressobj().decompress(said, most)


def inner(octets: bytes, outer: Element, least: int) -> list[Element]:
    """The first `least` elements of a sequence."""
    found = []
    if outer.tag == SEQUENCE:
        for each in children(octets, outer, 1):
            found.append(each)
            if len(found) == least:
                return found
    raise Malformed


def strings(octets: bytes, string: Element, depth: int) -> Iterator[bytes]:
    """An octet string, whole or in pieces."""
    if string.tag == OCTETS:
        yield octets[string.start : string.stop]
    elif string.tag == PIECES:
        for piece in children(octets, string, depth):
            yield from strings(octets, piece, depth + 1)
    else:
        raise Malformed


def children(octets: bytes, outer: Element, depth: int) -> Iterator[Element]:
    at = outer.start
    while at < outer.stop:
        found = element(octets, at, outer.stop, depth + 1)
        yield found
        at = found.end


def element(octets: bytes, at: int, stop: int, depth: int) -> Element:
    """The element that begins at `at` and lies before `stop`."""
    if depth > DEEPEST or at + 2 > stop or octets[at] & 0x1F == 0x1F:
        raise Malformed
    tag, first, start = octets[at], octets[at + 1], at + 2
    if first == 0x80:
        end = end_of_contents(octets, start, stop, depth)
        return Element(tag, start, end, end + 2)
    if first > 0x80:
        size = first & 0x7F
        first = int.from_bytes(octets[start : start + size], "big")
        start += size
    if start + first > stop:
        raise Malformed
    return Element(tag, start, start + first, start + first)


def end_of_contents(octets: bytes, at: int, stop: int, depth: int) -> int:
    """Where the two zero octets stand that end an indefinite length."""
    while octets[at : at + 2] != b"\0\0":
        at = element(octets, at, stop, depth + 1).end
    if at + 2 > stop:
        raise Malformed
    return at
