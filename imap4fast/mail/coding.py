"""Transfer encodings: whether a body has one reading only, the richest reading of one that has more, and encoding anew.

Only base64 and quoted-printable have readings; whether they are strict is found by C functions over the whole body.
Of what is not strict the reading that yields most is taken: whoever reads the mail that is written anew has that one
alone, and it is what was scanned.
"""

from __future__ import annotations

import binascii
import re
from base64 import encodebytes
from collections.abc import Iterator

from imap4fast._wire import MimePart, has_odd_quoted
from imap4fast.mail import canonical
from imap4fast.mail.canonical import Octets

LONGEST_LINE = 998
"""Octets of a line that is not encoded, RFC 5322 section 2.1.1."""
LONGEST_QUOTED = 76
"""Octets of a line in quoted-printable, RFC 2045 section 6.7."""

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
STRICT_BASE64 = ALPHABET + b"\r\n"
NOT_BASE64 = bytes(set(range(256)) - set(ALPHABET + b"="))
PADDED_END = re.compile(rb"={0,2}[ \t\r\n]*\Z")
CHUNK = re.compile(rb"[A-Za-z0-9+/]+")
HYPHENS = re.compile(rb"^--", re.MULTILINE)
BLANKS_IN_QP = re.compile(rb"=[ \t]+(?=\r\n)")


def odd(data: Octets, part: MimePart, encoding: bytes) -> Iterator[tuple[str, str]]:
    """(row, what) of a leaf whose encoding (in lower case) has more than one reading. Hexadecimal digits in lower case
    are no oddity: all decoders known read them alike."""
    start, stop = part.body, part.body + part.body_size
    if encoding == b"base64":
        if what := odd_base64(data, start, stop, part.lines):
            yield what
    elif encoding == b"quoted-printable" and has_odd_quoted(data, start, stop):
        yield "T-M08", "odd quoted-printable"


def odd_base64(data: Octets, start: int, stop: int, lines: int) -> tuple[str, str] | None:
    """Anything but whole quads, blanks and a padding at the end. `lines` is the number of CRLFs."""
    digits = stop - start - 2 * lines
    for window in canonical.windows(data, start, stop):
        left = window.translate(None, STRICT_BASE64)
        digits -= len(left)
        if left.translate(None, b"= \t"):
            return "T-M06", "junk in base64"
    padding = data.find(b"=", start, stop)
    if padding >= 0 and not PADDED_END.match(data[padding : min(stop, padding + 4096)]):
        return "T-M07", "padding in the middle of base64"
    pads = 0 if padding < 0 else data[padding : padding + 2].count(b"=")
    return ("T-M06", "base64 without its end") if (digits + pads) % 4 else None


def decoded(body: bytes, encoding: bytes) -> bytes:
    """The richest reading; `body` itself for an encoding that is none of the two."""
    if encoding == b"base64":
        return decoded_base64(body)
    return binascii.a2b_qp(BLANKS_IN_QP.sub(b"=", body)) if encoding == b"quoted-printable" else body


def decoded_base64(body: bytes) -> bytes:
    """Junk is skipped, and what follows a padding is read on; but not where text that is no base64 follows it, as
    mailing lists append."""
    padding = body.find(b"=")
    if padding > 1 and body[padding:].translate(None, STRICT_BASE64 + b"=").strip(b" \t"):
        body = body[:padding]
    out = []
    for chunk in CHUNK.findall(body.translate(None, NOT_BASE64)):
        whole = chunk[: len(chunk) - 1] if len(chunk) % 4 == 1 else chunk
        out.append(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))
    return b"".join(out)


def is_strict(body: bytes, encoding: bytes) -> bool:
    if encoding == b"base64":
        return odd_base64(body, 0, len(body), body.count(b"\r\n")) is None
    return encoding != b"quoted-printable" or not has_odd_quoted(body, 0, len(body))


def encoded(octets: bytes, is_text: bool) -> tuple[bytes, bytes]:
    """(encoding, body) whose only reading is `octets`: quoted-printable for text, base64 for the rest."""
    if is_text:
        return b"quoted-printable", quoted_printable(octets)
    return b"base64", encodebytes(octets).replace(b"\n", b"\r\n")


def quoted_printable(octets: bytes) -> bytes:
    """CRLF are line ends, all else that is no text is written in hexadecimal: a CR or LF alone, a NUL; and the first of
    two hyphens that begin a line, which could be a boundary of the mail that the text stands in.
    """
    lines = (binascii.b2a_qp(line, quotetabs=False, istext=False) for line in octets.split(b"\r\n"))
    body = b"\r\n".join(line.replace(b"\n", b"\r\n") for line in lines)
    return b"\r\n".join(piece for line in body.split(b"\r\n") for piece in no_boundaries(line))


def no_boundaries(line: bytes) -> Iterator[bytes]:
    """A line of quoted-printable in lines that do not begin with `--`. What is too long then is broken; and what was
    so before, since binascii miscounts in front of blanks.
    """
    while line.startswith(b"--") or len(line) > LONGEST_QUOTED:
        if line.startswith(b"--"):
            line = b"=2D" + line[1:]
        if len(line) <= LONGEST_QUOTED:
            break
        cut = LONGEST_QUOTED - 1
        escape = line.find(b"=", cut - 2, cut)
        cut = escape if escape >= 0 else cut
        yield line[:cut] + b"="
        line = line[cut:]
    yield line


def may_be_boundary(octets: bytes) -> bool:
    """Whether a line begins as boundaries do."""
    return HYPHENS.search(octets) is not None


def identity(octets: bytes) -> bytes:
    """The word for octets that go as they are."""
    return b"7bit" if octets.isascii() else b"8bit"
