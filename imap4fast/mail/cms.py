"""What opaque S/MIME holds: the content of signed and of compressed data (RFC 5652, RFC 3274; T-M31).

Only so much of BER is read as finds it: definite and indefinite lengths, octet strings in pieces. Signatures are not
checked: whoever has the octets can read the content, and that is why it has to be seen.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
COMPRESSED_DATA = bytes.fromhex("2a864886f70d0109100109")

SEQUENCE = 0x30
OBJECT = 0x06
OCTETS = 0x04
PIECES = 0x24
EXPLICIT = 0xA0
DEEPEST = 16
MOST_ELEMENTS = 500_000


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
        return Reader(octets).content(most)
    except (Malformed, zlib.error):
        return None


def is_detached(octets: bytes) -> bool:
    """Whether it is a signature without what it signs."""
    try:
        return Reader(octets).encapsulated()[1] is None
    except Malformed:
        return False


class Reader:
    """Elements of BER in some octets; at most MOST_ELEMENTS of them, whatever they are nested in."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.left = MOST_ELEMENTS

    def content(self, most: int) -> bytes | None:
        kind, string = self.encapsulated()
        if string is None:
            return None
        said = b"".join(self.strings(string, 4))
        return said if kind == SIGNED_DATA else zlib.decompressobj().decompress(said, most)

    def encapsulated(self) -> tuple[bytes, Element | None]:
        """Which of the two kinds it is, and the string that holds the content, if it is there.

        ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY }, and of both kinds
        content ::= SEQUENCE { version, algorithms, SEQUENCE { type, content [0] EXPLICIT OCTET STRING OPTIONAL }, ... }
        """
        name, wrapped = self.sequence(self.element(0, len(self.octets), 0), 2)
        kind = self.octets[name.start : name.stop]
        if name.tag != OBJECT or wrapped.tag != EXPLICIT or kind not in (SIGNED_DATA, COMPRESSED_DATA):
            raise Malformed
        *_, info = self.sequence(self.element(wrapped.start, wrapped.stop, 1), 3)
        parts = list(self.children(info, 3))
        if len(parts) < 2 or parts[1].tag != EXPLICIT:
            return kind, None
        return kind, self.element(parts[1].start, parts[1].stop, 4)

    def sequence(self, outer: Element, least: int) -> list[Element]:
        """The first `least` elements of a sequence."""
        found = list(islice(self.children(outer, 1), least)) if outer.tag == SEQUENCE else []
        if len(found) < least:
            raise Malformed
        return found

    def strings(self, string: Element, depth: int) -> Iterator[bytes]:
        """An octet string, whole or in pieces."""
        if string.tag == OCTETS:
            yield self.octets[string.start : string.stop]
        elif string.tag == PIECES:
            for piece in self.children(string, depth):
                yield from self.strings(piece, depth + 1)
        else:
            raise Malformed

    def children(self, outer: Element, depth: int) -> Iterator[Element]:
        at = outer.start
        while at < outer.stop:
            found = self.element(at, outer.stop, depth + 1)
            yield found
            at = found.end

    def element(self, at: int, stop: int, depth: int) -> Element:
        """The element that begins at `at` and lies before `stop`."""
        self.left -= 1
        if self.left < 0 or depth > DEEPEST or at + 2 > stop or self.octets[at] & 0x1F == 0x1F:
            raise Malformed
        tag, size, start = self.octets[at], self.octets[at + 1], at + 2
        if size == 0x80:
            end = self.end_of_contents(start, stop, depth)
            return Element(tag, start, end, end + 2)
        if size > 0x80:
            start += size & 0x7F
            size = int.from_bytes(self.octets[at + 2 : start], "big")
        if start + size > stop:
            raise Malformed
        return Element(tag, start, start + size, start + size)

    def end_of_contents(self, at: int, stop: int, depth: int) -> int:
        """Where the two zero octets stand that end an indefinite length."""
        while self.octets[at : at + 2] != b"\0\0":
            at = self.element(at, stop, depth + 1).end
        if at + 2 > stop:
            raise Malformed
        return at
