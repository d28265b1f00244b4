"""Items of FETCH printed from a processed mail: octets, and ranges of the mail that are still to be read.

Sizes are those of what is printed. An empty string answers for a part that there is not, as Dovecot has it, and for a
partial request that begins behind the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from imap4fast._wire import header_fields
from imap4fast.imap.fetch import Content, Kind
from imap4fast.mail import binary

if TYPE_CHECKING:
    from imap4fast.session.mailwork import Decoded, ProcessedMail


MOST_MADE = 64 << 20
"""Octets of one answer that are in memory: decoded parts, chosen fields, structures."""


class Range(NamedTuple):
    """Octets of the mail."""

    offset: int
    size: int


Piece = bytes | Range


class UnreadableError(Exception):
    """Octets that a processed mail must have cannot be had."""


class UnknownEncodingError(Exception):
    """BINARY of a part whose transfer encoding nobody knows: `NO [UNKNOWN-CTE]` (RFC 3516)."""


def printed(
    mail: ProcessedMail, contents: Sequence[Content], then: Callable[[list[Piece] | Exception], object]
) -> None:
    """Give the pieces of all items, apart by spaces; or UnreadableError, UnknownEncodingError. Where a header or a
    decoded part is needed first it is read.
    """
    _Printing(mail, contents, then).go_on()


class _Printing:
    """One run over the items, which goes on when what it waited for is there."""

    __slots__ = ("_at", "_contents", "_made", "_mail", "_pieces", "_running", "_then", "_waiting")

    def __init__(
        self, mail: ProcessedMail, contents: Sequence[Content], then: Callable[[list[Piece] | Exception], object]
    ) -> None:
        self._mail = mail
        self._contents = contents
        self._then = then
        self._pieces: list[Piece] = []
        self._at = 0
        self._made = 0
        self._waiting = False
        self._running = False

    def go_on(self) -> None:
        """Print until something must be read, or the end."""
        self._running = True
        try:
            while self._at < len(self._contents):
                if self._pieces:
                    self._pieces.append(b" ")
                self._print(self._contents[self._at])
                if self._waiting:
                    self._running = False
                    return
                self._at += 1
        except (UnknownEncodingError, UnreadableError) as error:
            self._then(error)
            return
        self._then(self._pieces)

    def _print(self, item: Content) -> None:
        if item.kind is Kind.SECTION:
            self._section(item)
        elif item.kind is Kind.FIELDS:
            self._fields(item)
        elif item.kind in (Kind.BINARY, Kind.BINARY_SIZE):
            self._binary(item)
        else:
            self._add(item.label + b" " + _fixed(self._mail, item))

    def _section(self, item: Content) -> None:
        found = self._mail.index.section(item.section)
        if found is None:
            self._pieces.append(_name(item) + b" {0}\r\n")
            return
        self._range(item, *found)

    def _range(self, item: Content, offset: int, size: int) -> None:
        """Octets as they are in the mail."""
        if item.span is not None:
            first = min(item.span[0], size)
            offset, size = offset + first, min(item.span[1], size - first)
        self._pieces.append(_name(item) + b" {%d}\r\n" % size)
        if size:
            self._pieces.append(Range(offset, size))

    def _fields(self, item: Content) -> None:
        found = self._mail.index.section(item.section)
        if found is None:
            self._pieces.append(_name(item) + b" {0}\r\n")
            return
        header = self._mail.at_once(*found)
        if header is not None:
            self._add(_literal(item, header_fields(header, item.fields, item.negate)))
            return
        self._wait()
        self._mail.read(*found, lambda octets: self._take_header(item, octets))

    def _binary(self, item: Content) -> None:
        index = self._mail.index
        part = 0 if not item.section else index.find(tuple(int(number) for number in item.section.split(b".")))
        if part < 0:
            self._add(item.label + b" 0" if item.kind is Kind.BINARY_SIZE else _name(item) + b" {0}\r\n")
            return
        found = index.part(part)
        if not item.section:
            self._binary_range(item, 0, self._mail.size)
        elif found.children:
            self._binary_range(item, found.body, found.body_size)
        else:
            self._binary_leaf(item, part)

    def _binary_leaf(self, item: Content, part: int) -> None:
        size = self._mail.index.decoded_size(part)
        if size is None:
            raise UnknownEncodingError
        if item.kind is Kind.BINARY_SIZE:
            self._add(b"%b %d" % (item.label, size))
            return
        self._wait()
        self._mail.decoded(part, item.span, lambda decoded: self._take(item, decoded))

    def _binary_range(self, item: Content, offset: int, size: int) -> None:
        """A mail or what has parts: all leaves in it are decoded."""
        leaves = binary.encoded(self._mail.index, offset, size)
        if leaves is None:
            raise UnknownEncodingError
        if leaves:
            self._wait()
            span = (0, 0) if item.kind is Kind.BINARY_SIZE else item.span
            self._mail.binary(offset, size, span, lambda decoded: self._take(item, decoded))
        elif item.kind is Kind.BINARY_SIZE:
            self._add(b"%b %d" % (item.label, size))
        else:
            self._range(item, offset, size)

    def _wait(self) -> None:
        self._waiting = True

    def _add(self, piece: bytes) -> None:
        """Octets that stay in memory until the client has taken them; a client may ask for one part many times."""
        self._made += len(piece)
        if self._made > MOST_MADE:
            raise UnreadableError
        self._pieces.append(piece)

    def _take(self, item: Content, decoded: Decoded | None) -> None:
        """Decoded octets that were waited for have come, maybe at once."""
        if decoded is None:
            self._have(None)
        elif item.kind is Kind.BINARY_SIZE:
            self._have(b"%b %d" % (item.label, decoded.size))
        else:
            mark = b"~" if b"\0" in decoded.octets else b""
            self._have(_name(item) + b" %b{%d}\r\n%b" % (mark, len(decoded.octets), decoded.octets))

    def _take_header(self, item: Content, octets: bytes | None) -> None:
        """A header has come from which fields are wanted."""
        self._have(None if octets is None else _literal(item, header_fields(octets, item.fields, item.negate)))

    def _have(self, piece: bytes | None) -> None:
        """What was waited for is made; None: it cannot be had."""
        if piece is None or self._made + len(piece) > MOST_MADE:
            if self._running:
                raise UnreadableError
            self._then(UnreadableError())
            return
        self._made += len(piece)
        self._pieces.append(piece)
        self._waiting = False
        if not self._running:
            self._at += 1
            self.go_on()


def _name(item: Content) -> bytes:
    return item.label if item.span is None else item.label + b"<%d>" % item.span[0]


def _literal(item: Content, octets: bytes) -> bytes:
    if item.span is not None:
        octets = octets[item.span[0] : item.span[0] + item.span[1]]
    return _name(item) + b" {%d}\r\n%b" % (len(octets), octets)


def _fixed(mail: ProcessedMail, item: Content) -> bytes:
    """The value of an item that the index holds."""
    index = mail.index
    if item.kind is Kind.SIZE:
        return b"%d" % mail.size
    if item.kind is Kind.PREVIEW:
        return b"{%d}\r\n" % len(index.preview) + index.preview
    return {Kind.ENVELOPE: index.envelope, Kind.BODY: index.body, Kind.BODYSTRUCTURE: index.bodystructure}[item.kind]
