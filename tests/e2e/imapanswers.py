"""A strict reader of FETCH responses (RFC 3501 section 9, RFC 3516): values, so that answers compare up to quoting.

A quoted string, a literal and a literal8 with the same octets are the same value. All else is an error: two spaces,
8-bit or a line end in a quoted string, other escapes than \\" and \\\\, items that come twice, octets after the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.e2e.wire import Reply


class AnswerError(AssertionError):
    """A response that the grammar does not allow."""


class Atom(bytes):
    """An atom, a number, a flag: not equal to a string of the same octets."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and bytes.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((Atom, bytes(self)))


Value: TypeAlias = "bytes | list[Value] | None"

_START = re.compile(rb"\* ([1-9]\d*) FETCH \(")
_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]+|\\[^\x00-\x20\x7f-\xff(){%*\"\\\]]+|\\\*")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00\x80-\xff]|\\["\\])*)"')
_LITERAL = re.compile(rb"(~?)\{(0|[1-9]\d*)\}\r\n")
_NAME = re.compile(rb"[A-Z][A-Z0-9.\-]*")
_SECTION = re.compile(rb"(?:[1-9]\d*\.)*(?:[1-9]\d*|HEADER\.FIELDS\.NOT|HEADER\.FIELDS|HEADER|TEXT|MIME)|")
_ORIGIN = re.compile(rb"<(0|[1-9]\d*)>")


class _Reader:
    """Goes once over one response without its last CRLF."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def fault(self, what: str) -> AnswerError:
        return AnswerError(f"{what} at {self.at}: {self.data[max(0, self.at - 60) : self.at + 60]!r}")

    def match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        found = pattern.match(self.data, self.at)
        if found is None:
            raise self.fault(f"no {what}")
        self.at = found.end()
        return found

    def sees(self, octets: bytes) -> bool:
        return self.data.startswith(octets, self.at)

    def need(self, octets: bytes) -> None:
        if not self.sees(octets):
            raise self.fault(f"no {octets!r}")
        self.at += len(octets)

    def string(self) -> bytes:
        if self.sees(b'"'):
            return re.sub(rb"\\(.)", rb"\1", self.match(_QUOTED, "quoted string")[1])
        found = self.match(_LITERAL, "literal")
        octets = self.data[self.at : self.at + int(found[2])]
        if len(octets) < int(found[2]):
            raise self.fault("short literal")
        if not found[1] and b"\0" in octets:
            raise self.fault("NUL in a literal")
        self.at += len(octets)
        return octets

    def value(self) -> Value:
        if self.sees(b"("):
            return self.listed()
        if self.sees(b'"') or self.sees(b"{") or self.sees(b"~{"):
            return self.string()
        atom = self.match(_ATOM, "value")[0]
        return None if atom == b"NIL" else Atom(atom)

    def listed(self) -> list[Value]:
        """Members are parted by one space; bodies of a multipart stand without any (body-type-mpart = 1*body)."""
        self.need(b"(")
        values: list[Value] = []
        while not self.sees(b")"):
            bodies = self.sees(b"(") and self.data[self.at - 1 : self.at] == b")"
            if values and not bodies:
                self.need(b" ")
            values.append(self.value())
        self.need(b")")
        return values

    def name(self) -> str:
        """The name of an item; names of header fields in it appear quoted, whatever their form was."""
        name = self.match(_NAME, "item name")[0]
        if self.sees(b"["):
            self.need(b"[")
            section = self.match(_SECTION, "section")[0]
            name += b"[" + section
            if section.endswith((b"HEADER.FIELDS", b"HEADER.FIELDS.NOT")):
                self.need(b" ")
                fields = self.listed()
                name += b" (" + b" ".join(b'"' + bytes(one or b"").upper() + b'"' for one in _strings(fields)) + b")"
            self.need(b"]")
            name += b"]"
            if self.sees(b"<"):
                name += self.match(_ORIGIN, "origin")[0]
        return name.decode("ascii")


def _strings(values: Iterable[Value]) -> Iterable[bytes]:
    for value in values:
        if isinstance(value, bytes):
            yield value
        else:
            yield b"NIL" if value is None else b"?"


@dataclass
class Fetched:
    """One FETCH response. `origin` names the items that were partial with their offset, as `BODY[]<5>`."""

    number: int
    items: dict[str, Value] = field(default_factory=dict)

    def octets(self, name: str) -> bytes:
        """The value of an item that must be a string."""
        value = self.items[name]
        if not isinstance(value, bytes) or isinstance(value, Atom):
            raise AnswerError(f"{name} is {value!r}")
        return value

    def integer(self, name: str) -> int:
        value = self.items[name]
        if not isinstance(value, Atom) or not value.isdigit():
            raise AnswerError(f"{name} is {value!r}")
        return int(value)

    @property
    def uid(self) -> int:
        return self.integer("UID")

    @property
    def flags(self) -> set[bytes]:
        value = self.items["FLAGS"]
        assert isinstance(value, list)
        return {bytes(flag) for flag in _strings(value)}


def fetched(unit: bytes) -> Fetched:
    """One untagged FETCH, without its last CRLF."""
    reader = _Reader(unit)
    one = Fetched(int(reader.match(_START, "FETCH")[1]))
    while True:
        name = reader.name()
        reader.need(b" ")
        if name in one.items:
            raise reader.fault(f"{name} twice")
        one.items[name] = reader.value()
        if reader.sees(b")"):
            break
        reader.need(b" ")
    reader.need(b")")
    if reader.at != len(unit):
        raise reader.fault("octets after the end")
    return one


def is_fetch(unit: bytes) -> bool:
    return re.match(rb"\* \d+ FETCH ", unit, re.IGNORECASE) is not None


def all_fetched(reply: Reply) -> list[Fetched]:
    """Each FETCH of an answer, in order; other untagged responses are left out."""
    return [fetched(unit) for unit in reply.untagged if is_fetch(unit)]


def by_uid(reply: Reply) -> dict[int, Fetched]:
    """Items of each mail, which must all come with their UID; several responses for one mail are joined."""
    found: dict[int, Fetched] = {}
    for one in all_fetched(reply):
        known = found.setdefault(one.uid, Fetched(one.number))
        for name, value in one.items.items():
            if name != "UID" and name in known.items:
                raise AnswerError(f"{name} of UID {one.uid} twice")
            known.items[name] = value
    return found


def shown(value: Value, most: int = 300) -> str:
    """For the text of a failure."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"
