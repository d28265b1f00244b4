"""Places in a mail that different programs read differently: the rows T-M of the attack table.

Of a clean mail only headers, boundary lines, preambles and epilogues are looked at by Python; encoded bodies are
checked by C functions. The octets must be canonical (T-M12 is `canonical`'s). What the names of files disagree in is
found here as far as the header alone says it (T-M23); kinds of content are `doctype`'s, message/partial and TNEF
`corrections`'.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from imap4fast._wire import MailIndex, MimePart
from imap4fast.mail import boundary, coding, fields, headerlines, mimefields
from imap4fast.mail.canonical import Octets

CAPS = {
    "TOO_DEEP": "T-M25",
    "TOO_MANY_PARTS": "T-M34",
    "HEADER_TOO_LARGE": "T-M34",
    "TOO_MANY_ADDRESSES": "T-M34",
    "TOO_MANY_PARAMETERS": "T-M34",
    "STRUCTURE_TOO_LARGE": "T-M34",
}
"""Faults of the index behind which nothing was looked into, and their rows."""


class Finding(NamedTuple):
    """`row` of the table; `part` of the index; what it is, in a few words that hold nothing of the mail."""

    row: str
    part: int
    what: str


def find(data: Octets, index: MailIndex) -> list[Finding]:
    """All findings, in the order of the parts."""
    capped = sorted(index.faults & CAPS.keys())
    out = [Finding(CAPS[fault], 0, fault.lower().replace("_", " ")) for fault in capped]
    for number in range(len(index)):
        out += (Finding(row, number, what) for row, what in of_part(data, index, number))
    return out


def of_part(data: Octets, index: MailIndex, number: int) -> Iterator[tuple[str, str]]:
    part = index.part(number)
    header = data[part.header : part.header + part.header_size]
    listed, mime = mimefields.read(header)
    if not headerlines.are_whole(header, listed):
        found = fields.fields(header)
        mime = mimefields.of(found)
        yield from headerlines.odd(header, found)
    yield from mimefields.odd(mime)
    if is_mail(index, part) and mimefields.needs_version(mime):
        yield "T-M01", "MIME without MIME-Version"
    if part.parent >= 0 and is_cut(data, part, header):
        yield "T-M19", "header without an end"
    if part.kind == "leaf":
        yield from coding.odd(data, part, mimefields.encoding(mime))
    elif mimefields.is_encoded(mime):
        yield ("T-M28", "encoded multipart") if part.kind == "multipart" else ("T-M24", "encoded message")
    if part.kind == "multipart":
        yield from boundary.odd(data, index, number)


def is_cut(data: Octets, part: MimePart, header: bytes) -> bool:
    """Whether a delimiter follows the last line of a header at once, without an empty line or a part's end between."""
    return not header.endswith(b"\n") and (header != b"" or data[part.body : part.body + 2] == b"--")


def is_mail(index: MailIndex, part: MimePart) -> bool:
    """Whether its header is that of a mail, not of a part in a multipart."""
    return part.parent < 0 or index.part(part.parent).kind == "message"
