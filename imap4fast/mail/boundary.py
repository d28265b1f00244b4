"""Boundary lines of a multipart: RFC 2046 section 5.1.1.

    delimiter       = CRLF "--" boundary
    close-delimiter = delimiter "--"

Stricter than the RFC: nothing, not even blanks, may stand behind either on its line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

from imap4fast._wire import MailIndex, MimePart
from imap4fast.mail import fields, mimefields, structured
from imap4fast.mail.canonical import Octets

LOOKS_LIKE_PARTS = re.compile(
    rb"^(?:--(?!\ ?\r?$)|content-[a-z-]+[ \t]*:|begin\ [0-7]{3}\ |=ybegin\ |[a-z0-9+/=]{40,}[ \t]*\r?$)",
    re.IGNORECASE | re.MULTILINE,
)
"""Lines that make a preamble or an epilogue more than words: delimiters, fields of parts, encoded octets."""


class Mark(NamedTuple):
    """A line that begins with the delimiter: `start` is that of its `--`, `stop` behind its CRLF; `rest` follows it."""

    start: int
    stop: int
    rest: bytes


def marks(data: Octets, boundary: bytes, start: int, stop: int) -> list[Mark]:
    """All lines between `start`, which is behind a line end, and `stop` that begin with the delimiter."""
    out = []
    sought = b"\n--" + boundary
    at = data.find(sought, start - 1, stop)
    while at >= 0:
        out.append(mark(data, at + 1, at + len(sought), stop))
        at = data.find(sought, at + len(sought), stop)
    return out


def mark(data: Octets, start: int, behind: int, stop: int) -> Mark:
    end = data.find(b"\r\n", behind, stop)
    end = stop if end < 0 else end
    return Mark(start, min(end + 2, stop), data[behind:end])


def declared(data: Octets, part: MimePart) -> bytes:
    """The boundary parameter of a multipart's first Content-Type; b"" where there is not exactly one."""
    header = data[part.header : part.header + part.header_size]
    said = fields.first(header, mimefields.TYPE)
    found = structured.parse(said.value).all(b"boundary") if said else []
    return found[0] if len(found) == 1 else b""


def odd(data: Octets, index: MailIndex, number: int) -> Iterator[tuple[str, str]]:
    """(row, what) for each way in which the lines of a multipart are read differently."""
    part = index.part(number)
    if not (boundary := declared(data, part)):
        return
    if not part.children:
        yield "T-M13", "multipart without parts"
        return
    stop = part.body + part.body_size
    found = marks(data, boundary, part.body, stop)
    closing = [at for at, mark in enumerate(found) if mark.rest == b"--"]
    if any(mark.rest not in (b"", b"--") for mark in found):
        yield "T-M11", "text behind a boundary"
    elif len(found) - len(closing) != len(part.children) or len(closing) > 1:
        yield "T-M13", "boundaries and parts disagree"
    elif not closing:
        yield "T-M13", "no closing boundary"
    elif closing[0] != len(found) - 1:
        yield "T-M13", "part behind the closing boundary"
    elif has_parts(data, found[-1].stop, stop):
        yield "T-M13", "epilogue that looks like parts"
    if found and has_parts(data, part.body, found[0].start):
        yield "T-M14", "preamble that looks like parts"
    if any(is_prefix(boundary, outer) for outer in outer_boundaries(data, index, part)):
        yield "T-M10", "boundary that begins with another"


def has_parts(data: Octets, start: int, stop: int) -> bool:
    return stop - start > 2 and LOOKS_LIKE_PARTS.search(data[start:stop]) is not None


def outer_boundaries(data: Octets, index: MailIndex, part: MimePart) -> Iterator[bytes]:
    while part.parent >= 0:
        part = index.part(part.parent)
        if part.kind == "multipart" and (boundary := declared(data, part)):
            yield boundary


def is_prefix(one: bytes, other: bytes) -> bool:
    return one.startswith(other) or other.startswith(one)


def made(data: Octets, seed: bytes, place: bytes) -> bytes:
    """A boundary from the seed, for a place in the mail, that occurs nowhere in `data`."""
    attempt = 0
    while True:
        word = hashlib.sha256(b"%d %s %d %s" % (len(seed), seed, attempt, place)).hexdigest()[:40]
        boundary = b"=_" + word.encode("ascii")
        if data.find(boundary) < 0:
            return boundary
        attempt += 1
