"""Boundary lines of a multipart: RFC 2046 section 5.1.1.

    delimiter       = CRLF "--" boundary
    close-delimiter = delimiter "--"

Stricter than the RFC: nothing, not even blanks, may stand behind either on its line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from imap4fast._wire import MailIndex, MimePart
from imap4fast.mail import mimefields, structured
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
    types = mimefields.read(header).mime.types
    found = structured.parse(types[0].value).all(b"boundary") if types else []
    return found[0] if len(found) == 1 else b""


def odd(data: Octets, index: MailIndex, number: int) -> Iterator[tuple[str, str]]:
    """(row, what) for each way in which the lines of a multipart are read differently. The index has found all lines
    that begin with the delimiter, so that only what stands between the parts is looked at."""
    part = index.part(number)
    if not (boundary := declared(data, part)):
        return
    if not part.children:
        yield "T-M13", "multipart without parts"
        return
    delimiter = b"--" + boundary + b"\r\n"
    children = [index.part(child) for child in part.children]
    first = children[0].header - len(delimiter)
    if first < part.body or data[first : children[0].header] != delimiter:
        yield "T-M11", "text behind a boundary"
    elif has_parts(data, part.body, first):
        yield "T-M14", "preamble that looks like parts"
    for one, other in pairwise(children):
        if data[one.body + one.body_size : other.header] not in (delimiter, b"\r\n" + delimiter):
            yield "T-M11", "text behind a boundary"
            break
    yield from odd_end(data, children[-1], part, b"--" + boundary)
    if any(is_prefix(boundary, outer) for outer in outer_boundaries(data, index, part)):
        yield "T-M10", "boundary that begins with another"


def odd_end(data: Octets, last: MimePart, part: MimePart, delimiter: bytes) -> Iterator[tuple[str, str]]:
    """What stands behind the last part: the closing delimiter, and perhaps an epilogue of words."""
    at, stop = last.body + last.body_size, part.body + part.body_size
    if data[at : at + 2] == b"\r\n":
        at += 2
    closing = at + len(delimiter) + 2
    if data[at : min(closing, stop)] != delimiter + b"--":
        yield "T-M13", "no closing boundary"
    elif data[closing : min(closing + 2, stop)] not in (b"", b"\r\n"):
        yield "T-M11", "text behind a boundary"
    elif has_parts(data, closing, stop):
        yield "T-M13", "epilogue that looks like parts"


def has_parts(data: Octets, start: int, stop: int) -> bool:
    return stop - start > 2 and LOOKS_LIKE_PARTS.search(data[start:stop]) is not None


def outer_boundaries(data: Octets, index: MailIndex, part: MimePart) -> Iterator[bytes]:
    while part.parent >= 0:
        part = index.part(part.parent)
        if part.kind == "multipart" and (boundary := declared(data, part)):
            yield boundary


def is_prefix(one: bytes, other: bytes) -> bool:
    return one.startswith(other) or other.startswith(one)


def stem(data: Octets, seed: bytes) -> bytes:
    """What the boundaries of one pass over a mail begin with: from the seed, and nowhere in `data`."""
    attempt = 0
    while True:
        word = hashlib.sha256(b"%d %s %d" % (len(seed), seed, attempt)).hexdigest()[:40]
        found = b"=_" + word.encode("ascii") + b"_"
        if data.find(found) < 0:
            return found
        attempt += 1


def made(stem: bytes, number: int) -> bytes:
    """The boundary of part `number`. None begins with another."""
    return stem + b"%06d" % number
