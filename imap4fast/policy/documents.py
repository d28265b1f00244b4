"""The documents of a mail: every leaf, and every mail inside it, with what ACLs and engines want to know of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from imap4fast._wire import MailIndex, MimePart, decode_transfer, parameters
from imap4fast.mail import doctype, fields, filenames, transfer
from imap4fast.mail.canonical import Octets
from imap4fast.mail.doctype import Catalogue
from imap4fast.mail.fields import Field

_TYPE = b"content-type"
_ENCODING = b"content-transfer-encoding"
_HEAD = doctype.HEAD * 3 // 2
"""Encoded octets of which the first ones are looked at for the type."""
_PLAIN_NAME = re.compile(
    rb';[ \t]*(?:\r\n[ \t]+)?(?:file)?name=(?:"([a-z0-9][a-z0-9_-]*+(?:[ .][a-z0-9_-]++)*+)"'
    rb"|([a-z0-9][a-z0-9_-]*+(?:\.[a-z0-9_-]++)*+))(?=;|\r\n)",
    re.IGNORECASE,
)
"""A parameter whose value has no two readings, in quotes or without."""

_TELLING = re.compile(
    rb"[*%(\\'\0\x80-\xff]|=\?|\n[ \t]*\r|\r(?!\n)|(?<!\r)\n|content-(?:type|disposition)[ \t]+:", re.IGNORECASE
)
"""What makes names in a header differ from program to program."""

_MOST_HELD = 1 << 20
"""Octets of a mail whose decoded bodies are held until it has been judged, by one engine after the other."""

_MOST_TYPES = 16
"""Types that one header declares and that are told apart."""


_TOO_MANY = ("?",)
"""Stands for names or types of which there are too many; the very object says so."""


class Document:
    """One part that is judged: a leaf, or a mail inside the mail. Nothing is looked for before somebody asks."""

    __slots__ = ("_data", "_declared", "_fields", "_head", "_names", "_readings", "_types", "index", "number", "part")

    def __init__(self, data: Octets, index: MailIndex, number: int) -> None:
        self._data = data
        self.index = index
        self.number = number
        self.part: MimePart = index.part(number)
        self._fields: list[Field] | None = None
        self._declared: tuple[str, ...] | None = None
        self._names: tuple[str, ...] | None = None
        self._head: bytes | None = None
        self._readings: dict[bytes, list[bytes]] = {}
        self._types: dict[tuple[str, ...], tuple[str, ...]] = {}

    @property
    def is_message(self) -> bool:
        return self.part.kind == "message"

    @property
    def header(self) -> bytes:
        """Its header, in the octets of the mail."""
        part = self.part
        return self._data[part.header : part.header + part.header_size]

    @property
    def fields(self) -> list[Field]:
        if self._fields is None:
            self._fields = fields.fields(self.header)
        return self._fields

    @property
    def body(self) -> memoryview:
        """Its body, still encoded; to be released by who asked."""
        part = self.part
        return memoryview(self._data)[part.body : part.body + part.body_size]

    @property
    def octets(self) -> memoryview:
        """The whole part, with its header; to be released by who asked."""
        part = self.part
        return memoryview(self._data)[part.header : part.body + part.body_size]

    @property
    def encodings(self) -> tuple[bytes, ...]:
        """The values of its Content-Transfer-Encoding, as they are written, the first one first, and one of those that
        are read alike; b"" for none.
        """
        found: dict[tuple[str, ...], bytes] = {}
        for field in self.fields:
            if field.name == _ENCODING:
                found.setdefault(transfer.encodings(field.value), field.value)
        return tuple(found.values()) or (b"",)

    @property
    def size(self) -> int:
        """Octets when decoded; as they are where the encoding is not known."""
        decoded = None if self.is_message else self.index.decoded_size(self.number)
        return self.part.body_size if decoded is None else decoded

    @property
    def is_unclear(self) -> bool:
        """Whether it has more names or types than are told apart: nobody knows what it is then."""
        return self.names is _TOO_MANY or self.declared is _TOO_MANY

    @property
    def declared(self) -> tuple[str, ...]:
        """The types that its header declares, in lower case; what it has where none is declared (RFC 2045, 2046)."""
        if self._declared is None:
            self._declared = tuple(self._find_declared())
            if len(self._declared) > _MOST_TYPES:
                self._declared = _TOO_MANY
        return self._declared

    def _find_declared(self) -> Iterable[str]:
        part = self.part
        own = (part.type + b"/" + part.subtype).decode("ascii", "replace") if part.type else ""
        found = dict.fromkeys((own,))
        values = [field.value for field in self.fields if field.name == _TYPE]
        for value in dict.fromkeys(values) if len(values) > 1 else ():
            found[parameters(value)[0].decode("ascii", "replace").lower()] = None
            if len(found) > _MOST_TYPES:
                break
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """All candidate file names, the likeliest first."""
        if self._names is None:
            header = self.header
            plain = plain_names(header)
            self._names = _all_names(header) if plain is None or len(plain) > filenames.MOST else plain
        return self._names

    def types(self, order: tuple[str, ...], catalogue: Catalogue) -> tuple[str, ...]:
        """All candidate types by an order of methods, the likeliest first; "" for an unknown one."""
        found = self._types.get(order)
        if found is None:
            head = self._first_octets(order)
            found = self._types[order] = doctype.candidates(order, self.declared, self.names, head, catalogue)
        return found

    def readings(self, encoding: bytes) -> list[bytes]:
        """Its body in all readings of an encoding, as `transfer.readings`."""
        found = self._readings.get(encoding)
        if found is None:
            with self.body as body:
                found = transfer.readings(body, encoding)
            if len(self._data) <= _MOST_HELD:
                self._readings[encoding] = found
        return found

    def content(self) -> bytes:
        """The decoded octets."""
        with self.body as body:
            decoded = decode_transfer(body, self.part.transfer)
            return bytes(body) if decoded is None else decoded

    def _first_octets(self, order: tuple[str, ...]) -> bytes:
        """Its first decoded octets, where the order asks for them."""
        if doctype.MAGIC not in order:
            return b""
        if self._head is None:
            with self.body as body, body[:_HEAD] as start:
                self._head = decode_transfer(start, self.part.transfer) or bytes(start)
        return self._head


def plain_names(header: bytes) -> tuple[str, ...] | None:
    """The names that a header gives its part, where every program reads them alike; None where it takes a closer look.

    Most parts have one name or none, in letters that mean nothing else anywhere.
    """
    mentioned = header.lower().count(b"name")
    if not mentioned:
        return ()
    found = _PLAIN_NAME.findall(header)
    if len(found) != mentioned or _TELLING.search(header.removesuffix(b"\r\n")):
        return None
    return tuple(dict.fromkeys((quoted or bare).decode("ascii") for quoted, bare in found))


def _all_names(header: bytes) -> tuple[str, ...]:
    try:
        return tuple(filenames.candidates(header))
    except filenames.TooManyError:
        return _TOO_MANY


def section(index: MailIndex, number: int) -> str:
    """The section number that IMAP gives a part (RFC 3501 section 6.4.5); "" for the mail where it has parts."""
    part = index.part(number)
    if part.parent < 0:
        return "" if part.kind == "multipart" and part.children else "1"
    parent = index.part(part.parent)
    around = section(index, part.parent)
    if parent.kind == "message" and part.kind == "multipart" and part.children:
        return around
    own = str(parent.children.index(number) + 1) if parent.kind == "multipart" else "1"
    return f"{around}.{own}" if around else own


def children(index: MailIndex, number: int) -> Iterator[int]:
    """The documents directly in a part, mails inside not opened: leaves and mails, in their order."""
    part = index.part(number)
    if part.kind != "multipart" or not part.children:
        yield number
        return
    for child in part.children:
        yield from children(index, child)


def inside(index: MailIndex, number: int) -> Iterator[int]:
    """The documents directly in a mail inside the mail."""
    for child in index.part(number).children:
        yield from children(index, child)


def below(index: MailIndex, number: int) -> Iterator[int]:
    """A part and all parts in it."""
    yield number
    for child in index.part(number).children:
        yield from below(index, child)
