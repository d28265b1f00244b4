"""FETCH read a second time, letter by letter along the grammar, with nothing of the proxy's: what a client asks for
(RFC 9051 section 9, RFC 3516, 4466, 7162, 8970, 9394, 1730), and the framing of what a server says.

Units are as the relay hands them over: canonical, literals in place.
"""

from __future__ import annotations

import re
from typing import NamedTuple

Unit = bytes
Partial = tuple[int, int] | None
Item = tuple[str, bytes, tuple[bytes, ...], Partial, bool]
"""Name, section, names of header fields, part of the octets, and whether it sets \\Seen."""

NUMBERS = range(1 << 32)
DYNAMIC = frozenset(
    b"FLAGS UID INTERNALDATE MODSEQ EMAILID THREADID SAVEDATE X-GM-MSGID X-GM-THRID X-GM-LABELS X-GUID X-MAILBOX "
    b"X-REAL-UID X-SAVEDATE".split()
)
MACROS = {
    b"ALL": b"FLAGS INTERNALDATE RFC822.SIZE ENVELOPE",
    b"FAST": b"FLAGS INTERNALDATE RFC822.SIZE",
    b"FULL": b"FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY",
}
WORDS = DYNAMIC | frozenset(
    b"ENVELOPE BODY BODYSTRUCTURE RFC822 RFC822.SIZE RFC822.HEADER RFC822.TEXT RFC822.PEEK RFC822.TEXT.PEEK PREVIEW"
    b"".split()
)
SETS_SEEN = (b"RFC822", b"RFC822.TEXT")
ATOM = frozenset(range(0x21, 0x7F)) - frozenset(b'(){"\\]')
"""With list-wildcards, which the lexer lets stand in any argument."""
NAME = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-")
ANNOUNCED = re.compile(rb"\{([0-9]{1,19})\}\r\n\Z")
DIGITS = frozenset(b"0123456789")


class NoSuchFormError(Exception):
    """The octets do not follow the grammar."""


class Asked(NamedTuple):
    set: bytes
    dynamic: tuple[bytes, ...]
    contents: tuple[Item, ...]
    modifiers: bytes


class Reader:
    """A place in the octets. Whatever is not there is no such form."""

    def __init__(self, octets: bytes, at: int = 0) -> None:
        self.octets = octets
        self.at = at

    def sees(self, text: bytes) -> bool:
        return self.octets[self.at : self.at + len(text)].upper() == text

    def takes(self, text: bytes) -> bool:
        """Goes past the text in any case, if it is there."""
        there = self.sees(text)
        self.at += len(text) if there else 0
        return there

    def needs(self, text: bytes) -> None:
        if not self.takes(text):
            raise NoSuchFormError(self.octets[self.at :])

    def run(self, octets: frozenset[int]) -> bytes:
        start = self.at
        while self.at < len(self.octets) and self.octets[self.at] in octets:
            self.at += 1
        return self.octets[start : self.at]

    def number(self, least: int = 0) -> int:
        digits = self.run(DIGITS)
        if not digits or (digits[0] == 0x30 and digits != b"0") or len(digits) > 19 or int(digits) < least:
            raise NoSuchFormError(digits)
        return int(digits)

    def short(self, least: int = 0) -> int:
        """number and nz-number: 32 bits"""
        found = self.number(least)
        if found not in NUMBERS:
            raise NoSuchFormError(found)
        return found

    def quoted(self) -> bytes:
        """Behind the opening quote."""
        text = bytearray()
        while not self.takes(b'"'):
            if self.takes(b"\\") and self.octets[self.at : self.at + 1] not in (b'"', b"\\"):
                raise NoSuchFormError
            if self.at >= len(self.octets) or self.octets[self.at] in b"\0\r\n":
                raise NoSuchFormError
            text.append(self.octets[self.at])
            self.at += 1
        return bytes(text)

    def literal(self) -> bytes:
        """Behind the opening brace; zeros may lead (RFC 3501 `number`)."""
        digits = self.run(DIGITS)
        if not 1 <= len(digits) <= 19:
            raise NoSuchFormError(digits)
        size = int(digits)
        self.needs(b"}\r\n")
        start = self.at
        self.at += size
        if self.at > len(self.octets):
            raise NoSuchFormError(size)
        return self.octets[start : self.at]


def units(stream: bytes) -> tuple[list[bytes], bytes]:
    """Whole units, each with its literals, and what is left: a reader that takes `{n}` at the end of any line for the
    announcement of a literal, as some do.
    """
    found: list[bytes] = []
    start = at = 0
    while True:
        end = stream.find(b"\r\n", at) + 2
        if end < 2:
            return found, stream[start:]
        announced = ANNOUNCED.search(stream, at, end)
        at = end
        if announced is not None:
            at += int(announced[1])
            if at > len(stream):
                return found, stream[start:]
            continue
        found.append(stream[start:at])
        start = at


# ---- what a client asks for


def asked(unit: Unit) -> Asked | None:
    """What `tag [UID] FETCH set items [modifiers]` asks for; None: it is no such command."""
    reader = Reader(unit, unit.find(b" "))
    try:
        reader.needs(b" ")
        reader.takes(b"UID ")
        reader.needs(b"FETCH ")
        numbers = _set(reader)
        reader.needs(b" ")
        items = _macro(reader)
        modifiers = _modifiers(reader) if reader.takes(b" (") else b""
        if unit[reader.at :] != b"\r\n":
            return None
    except NoSuchFormError:
        return None
    dynamic = tuple(item for item in items if isinstance(item, bytes))
    return Asked(numbers, dynamic, tuple(item for item in items if not isinstance(item, bytes)), modifiers)


def _set(reader: Reader) -> bytes:
    """sequence-set"""
    start = reader.at
    if reader.takes(b"$"):
        return b"$"
    while True:
        _seq_number(reader)
        if reader.takes(b":"):
            _seq_number(reader)
        if not reader.takes(b","):
            return reader.octets[start : reader.at]


def _seq_number(reader: Reader) -> None:
    if not reader.takes(b"*"):
        reader.short(1)


def _macro(reader: Reader) -> list[Item | bytes]:
    if not reader.takes(b"("):
        start = reader.at
        words = MACROS.get(reader.run(NAME).upper())
        if words is not None:
            return [_item(Reader(word)) for word in words.split()]
        reader.at = start
        return [_item(reader)]
    items = [_item(reader)]
    while not reader.takes(b")"):
        reader.needs(b" ")
        items.append(_item(reader))
    return items


def _item(reader: Reader) -> Item | bytes:
    name = reader.run(NAME).upper()
    if reader.takes(b"["):
        return _section(reader, name)
    if name not in WORDS:
        raise NoSuchFormError(name)
    if name in DYNAMIC:
        return name
    if name == b"PREVIEW":
        reader.takes(b" (LAZY)")
    return (name.decode(), b"", (), None, name in SETS_SEEN)


def _section(reader: Reader, name: bytes) -> Item:
    if name not in (b"BODY", b"BODY.PEEK", b"BINARY", b"BINARY.PEEK", b"BINARY.SIZE"):
        raise NoSuchFormError(name)
    base, _, form = name.partition(b".")
    parts, text = _numbers(reader), b""
    fields: tuple[bytes, ...] = ()
    if base == b"BODY" and not reader.sees(b"]"):
        text, fields = _text(reader, numbered=bool(parts))
    elif parts.endswith(b"."):
        raise NoSuchFormError
    reader.needs(b"]")
    partial = None
    if form != b"SIZE" and reader.takes(b"<"):
        first = reader.short()
        reader.needs(b".")
        partial = (first, reader.short(1))
        reader.needs(b">")
    shown = base if form == b"PEEK" else name
    return (shown.decode(), parts + text, fields, partial, form == b"")


def _numbers(reader: Reader) -> bytes:
    """section-part, and the dot behind it where text follows."""
    start = reader.at
    while reader.octets[reader.at : reader.at + 1].isdigit():
        reader.short(1)
        if reader.sees(b"]"):
            break
        reader.needs(b".")
        if reader.sees(b"]"):
            raise NoSuchFormError
    return reader.octets[start : reader.at]


def _text(reader: Reader, *, numbered: bool) -> tuple[bytes, tuple[bytes, ...]]:
    word = reader.run(NAME).upper()
    if word in (b"HEADER", b"TEXT") or (word == b"MIME" and numbered):
        return word, ()
    if word not in (b"HEADER.FIELDS", b"HEADER.FIELDS.NOT"):
        raise NoSuchFormError(word)
    reader.needs(b" (")
    fields = [_field(reader)]
    while not reader.takes(b")"):
        reader.needs(b" ")
        fields.append(_field(reader))
    return word, tuple(fields)


def _field(reader: Reader) -> bytes:
    """header-fld-name, which is an astring and a field-name of RFC 5322."""
    if reader.takes(b'"'):
        name = reader.quoted()
    elif reader.takes(b"{"):
        name = reader.literal()
    else:
        name = reader.run(ATOM)
    if not name or b":" in name or not all(0x21 <= octet <= 0x7E for octet in name):
        raise NoSuchFormError(name)
    return name.upper()


def _modifiers(reader: Reader) -> bytes:
    start = reader.at
    while True:
        if reader.takes(b"CHANGEDSINCE "):
            reader.number()
        elif reader.takes(b"PARTIAL "):
            for between in (b":", b""):
                reader.takes(b"-")
                reader.short(1)
                reader.needs(between)
        else:
            reader.needs(b"VANISHED")
        if reader.takes(b")"):
            return b"(" + reader.octets[start : reader.at].upper()
        reader.needs(b" ")


# ---- what a server says


def said(unit: Unit) -> list[tuple[bytes, bytes]] | None:
    """Names and values of `* number FETCH (...)`; None: it is no such data. Atoms are any octets without a meaning for
    the framing: what they mean is for the client to say. `{=}` and `{-}` are the proxy's marks for literals.
    """
    reader = Reader(unit)
    try:
        reader.needs(b"* ")
        if not 1 <= len(reader.run(DIGITS)) <= 10:
            return None
        reader.needs(b" FETCH (")
        items: list[tuple[bytes, bytes]] = []
        while not reader.takes(b")") or not items:
            if items:
                reader.needs(b" ")
            elif reader.octets[reader.at - 1 :] == b")\r\n":
                return []
            items.append(_said_item(reader))
    except NoSuchFormError:
        return None
    return items if unit[reader.at :] == b"\r\n" else None


def _said_item(reader: Reader) -> tuple[bytes, bytes]:
    start = reader.at
    if not reader.run(NAME):
        raise NoSuchFormError
    if reader.takes(b"["):
        while not reader.takes(b"]"):
            if reader.takes(b'"'):
                reader.quoted()
            elif reader.at >= len(reader.octets) or reader.octets[reader.at] in b"\r\n":
                raise NoSuchFormError
            else:
                reader.at += 1
    if reader.takes(b"<"):
        reader.short()
        reader.needs(b">")
    name = reader.octets[start : reader.at].upper()
    reader.needs(b" ")
    start = reader.at
    _value(reader)
    return name, reader.octets[start : reader.at]


def _value(reader: Reader) -> None:
    """An atom, a string, or a list of such."""
    depth = 0
    while True:
        here = reader.octets[reader.at : reader.at + 1]
        if here == b"" or here in b"\r\n\0":
            raise NoSuchFormError
        if here in b'"{~' and _string(reader):
            pass
        elif here == b"(":
            depth += 1
            reader.at += 1
        elif here == b")" and depth:
            depth -= 1
            reader.at += 1
        elif here in b' )"{':
            if here != b" " or not depth:
                raise NoSuchFormError(here)
            reader.at += 1
        else:
            reader.at += 1
            if depth == 0:
                reader.run(VALUE)
        if depth == 0:
            return


VALUE = frozenset(range(1, 256)) - frozenset(b' ()"{\r\n')


def _string(reader: Reader) -> bool:
    """Past a string, if one is here. A tilde without a brace begins an atom."""
    start = reader.at
    if reader.takes(b'"'):
        _loosely_quoted(reader)
        return True
    if reader.takes(b"{=}") or reader.takes(b"{-}"):
        return True
    reader.takes(b"~")
    if reader.takes(b"{"):
        reader.literal()
        return True
    reader.at = start
    return False


def _loosely_quoted(reader: Reader) -> None:
    """Any octet may stand behind a backslash: the relay has let it through."""
    while not reader.takes(b'"'):
        reader.takes(b"\\")
        if reader.at >= len(reader.octets) or reader.octets[reader.at] in b"\r\n":
            raise NoSuchFormError
        reader.at += 1


def string(value: bytes) -> bytes:
    """The octets of a literal or a quoted string."""
    reader = Reader(value.removeprefix(b"~"), 1)
    return reader.literal() if value[:1] != b'"' else reader.quoted()
