"""The lines of a header made such that every parser cuts the same fields out of them (T-M19..T-M22, T-M36).

What a field says is left as it is, control characters aside. A line that is no field becomes one that says so, since
some programs would end the header there and some would not; the mark of an mbox goes.
"""

from __future__ import annotations

import re

from imap4fast.mail import fields, words
from imap4fast.mail.fields import Field

NAME_OCTETS = bytes(set(range(33, 127)) - set(b":"))
"""ftext of RFC 5322."""
CONTROL_OCTETS = bytes(set(range(32)) - set(b"\t\r\n")) + b"\x7f"
NO_CONTROLS = bytes(set(range(256)) - set(CONTROL_OCTETS))
COLON = ord(":")
BLANK_LINE = re.compile(rb"\n[ \t]+(?:\r\n|\Z)")
MBOX = (b"From ", b">From ")
UNPARSED = b"X-Unparsed"
LONGEST_UNPARSED = 900
"""Octets kept of a line that is no field."""


def are_whole(header: bytes, listed: list[tuple[bytes, int, int]]) -> bool:
    """Whether nothing is odd about the lines of a header, of which `header_list` says `listed`: as `odd`, but quick."""
    names = [name for name, _, _ in listed]
    if b"" in names or b"".join(names).translate(None, NAME_OCTETS) or header.translate(None, NO_CONTROLS):
        return False
    return BLANK_LINE.search(header) is None and all(header[start + len(name)] == COLON for name, start, _ in listed)


def odd(header: bytes, found: list[Field]) -> list[tuple[str, str]]:
    """(row, what) for what is odd about the lines of a header, whatever they say."""
    out = []
    if header.translate(None, NO_CONTROLS):
        out.append(("T-M36", "control character in header"))
    if BLANK_LINE.search(header):
        out.append(("T-M19", "line of blanks in header"))
    for at, field in enumerate(found):
        if is_junk(field):
            out.append(junk_row(field, at))
        elif field.octets[len(field.name) : len(field.name) + 1] != b":":
            out.append(("T-M20", "blanks before the colon"))
    return out


def is_junk(field: Field) -> bool:
    """No field: no colon, nothing before it, or a name that is none."""
    return not field.name or bool(field.name.translate(None, NAME_OCTETS))


def junk_row(field: Field, at: int) -> tuple[str, str]:
    if at == 0 and field.octets.startswith(MBOX):
        return "T-M21", "mbox line"
    if field.octets.count(b"\n") > 1:
        return "T-M22", "folded name"
    return "T-M21", "line that is no field"


def tidied(header: bytes) -> bytes:
    """`header` with one reading of its lines, and with the empty line at its end; itself where it has them already."""
    if fields.ending(header) and not odd(header, fields.fields(header)):
        return header
    clean = header.translate(None, CONTROL_OCTETS)
    found = [tidy for at, field in enumerate(fields.fields(clean)) if (tidy := tidied_field(field, at))]
    return b"".join(found) + b"\r\n"


def tidied_field(field: Field, at: int) -> bytes:
    """The field in one or more lines of which none is blank; b"" for a line that goes."""
    if at == 0 and field.octets.startswith(MBOX):
        return b""
    text = BLANK_LINE.sub(b"\n", field.octets.removesuffix(b"\r\n") + b"\r\n")
    while BLANK_LINE.search(text):
        text = BLANK_LINE.sub(b"\n", text)
    if is_junk(field):
        said = text.replace(b"\r\n", b"").strip(b" \t")[:LONGEST_UNPARSED]
        return words.field(UNPARSED, words.encoded(said.decode("utf-8", "replace"))) if said else b""
    name, _, rest = text.partition(b":")
    return name.rstrip(b" \t") + b":" + rest
