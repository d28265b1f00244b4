"""Header fields as a list: found by name, added, replaced, left out. RFC 5322 section 2.2.

A header is the octets from its first field to the empty line behind the last one, that line included where there is
one. Names compare without case. Fields that are not touched keep their octets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from imap4fast._wire import header_list

OURS = b"x-imap4fast-"
"""What the names of our own fields begin with, in lower case."""


class Field(NamedTuple):
    """`name` in lower case, without blanks before the colon (b"" for a line that is no field); `octets` whole."""

    name: bytes
    octets: bytes

    @property
    def raw(self) -> bytes:
        """What stands behind the colon, folding included, without the last line end."""
        return self.octets.partition(b":")[2].removesuffix(b"\n").removesuffix(b"\r")

    @property
    def value(self) -> bytes:
        """Unfolded, without blanks around it."""
        return self.raw.replace(b"\r\n", b"").strip(b" \t\r\n")


def fields(header: bytes) -> list[Field]:
    return list(_fields(header))


@lru_cache(maxsize=8)
def _fields(header: bytes) -> tuple[Field, ...]:
    """The headers of one mail are asked for again and again, by who corrects, judges, and rewrites."""
    return tuple(Field(name.rstrip(b" \t\0").lower(), header[start:stop]) for name, start, stop in header_list(header))


def joined(found: Iterable[Field], header: bytes) -> bytes:
    """The fields as a header that ends as `header` does: with the empty line, or without."""
    return b"".join(field.octets for field in found) + ending(header)


def ending(header: bytes) -> bytes:
    """The empty line at its end, if there is one."""
    for last in (b"\r\n", b"\n"):
        if header == last or header.endswith((b"\n" + last, b"\r\n" + last)):
            return last
    return b""


def kept(header: bytes, keeps: Callable[[Field], bool]) -> bytes:
    """`header` without the fields that `keeps` says no to; itself when there are none."""
    before = fields(header)
    after = [field for field in before if keeps(field)]
    return header if len(after) == len(before) else joined(after, header)


def first(header: bytes, name: bytes) -> Field | None:
    """The first field of that name (in lower case)."""
    return next((field for field in fields(header) if field.name == name), None)


def without(header: bytes, names: frozenset[bytes]) -> bytes:
    return kept(header, lambda field: field.name not in names)


def replaced(header: bytes, name: bytes, octets: bytes) -> bytes:
    """The first field of that name is `octets` (whole, with CRLF; b"" for none), further ones are gone; where there is
    none, `octets` stand behind the last field."""
    out = []
    done = False
    for field in fields(header):
        if field.name != name:
            out.append(field)
        elif not done:
            out.append(Field(name, octets))
            done = True
    return joined(out, header) if done else added(header, octets)


def added(header: bytes, octets: bytes) -> bytes:
    """`octets` as the last of the fields."""
    end = ending(header)
    before = header[: len(header) - len(end)]
    if before and not before.endswith(b"\n"):
        before += b"\r\n"
    return before + octets + end
