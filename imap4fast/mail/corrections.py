"""`mail-filter`: what in the form of a mail is corrected, and what makes it rejected.

What is found and not enabled makes the mail rejected. A correction is silent about the rest of the mail: octets that
are in order stay as they are. The result is canonical (see `canonical`), also where nothing else was to be corrected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from imap4fast._wire import MailIndex, MimePart
from imap4fast.mail import canonical, coding, fields, headercorrections, mimefields, splice, words
from imap4fast.mail.canonical import Octets
from imap4fast.mail.mimefields import Mime
from imap4fast.mail.splice import Piece, Splice

CAPS = {
    "TOO_DEEP": "max-depth",
    "TOO_MANY_PARTS": "max-parts",
    "HEADER_TOO_LARGE": "max-header-size",
    "TOO_MANY_ADDRESSES": "max-header-size",
    "TOO_MANY_PARAMETERS": "max-header-size",
    "STRUCTURE_TOO_LARGE": "max-header-size",
}
"""Faults of the index, and the item that bounds them."""
NO_CAP = 1 << 30
"""What 0 means; the index has bounds of its own."""
ROUNDS = 5
BAD_CHARS = frozenset(("BARE_CR", "NUL"))
LINE_ENDS = BAD_CHARS | {"BARE_LF"}
TNEF = (b"application/ms-tnef", b"application/vnd.ms-tnef")
TNEF_NAME = "winmail.dat"
TNEF_BASE64 = b"eJ8+I"
"""How the magic number of TNEF begins in base64."""


class FilterRules(msgspec.Struct, frozen=True):
    """The items of `mail-filter {}`, with `_` for `-`. Sizes are octets, 0 is no cap."""

    accept_8bit_header: bool = False
    correct_8bit_body: bool = False
    correct_bad_char: bool = False
    correct_quoting: bool = False
    invalid_header: str = "shorten"
    header_8bit_chars: str = "encode"
    max_header_size: int = 262144
    max_parts: int = 1000
    max_depth: int = 30
    partial_message: str = "deny"
    ambiguous_mime: str = "normalise"
    tnef: str = "deny"

    def scan(self, data: Octets) -> MailIndex:
        """The index of a mail with these caps."""
        caps = (self.max_header_size, self.max_parts, self.max_depth)
        return MailIndex.scan(data, *(cap or NO_CAP for cap in caps))


Keep = Callable[[Iterable[Piece]], Octets]


class Finding(NamedTuple):
    """`item` of mail-filter that decides, `part` of the index, what was found, and whether it was `corrected` (kept
    counts as that); else it is why the mail is rejected."""

    item: str
    part: int
    what: str
    corrected: bool


class Corrected(msgspec.Struct, frozen=True):
    """`data` after the corrections (itself where there are none) with its `index`, or None and why it is `rejected`."""

    data: Octets | None
    rejected: str
    findings: tuple[Finding, ...]
    index: MailIndex


def apply(data: Octets, index: MailIndex, rules: FilterRules, keep: Keep = splice.in_memory) -> Corrected:
    """Correct a mail by the rules; `index` is that of `data`, made by `rules.scan`; `keep` holds what is made.

    A corrected mail is looked at once more: a NUL that is gone may have hidden a field.
    """
    found: list[Finding] = []
    for _ in range(ROUNDS):
        before = len(found)
        corrected = once(data, index, rules, found, keep)
        if wrong := next((each for each in found[before:] if not each.corrected), None):
            return Corrected(None, f"{wrong.item}: {wrong.what}", tuple(found), index)
        if corrected is data:
            return Corrected(data, "", tuple(found), index)
        data, index = corrected, rules.scan(corrected)
    return Corrected(None, "invalid-header: no end of corrections", tuple(found), index)


def once(data: Octets, index: MailIndex, rules: FilterRules, found: list[Finding], keep: Keep) -> Octets:
    """The mail after one round; `data` itself where nothing was to be changed."""
    capped = sorted(index.faults & CAPS.keys())
    found += (Finding(CAPS[fault], 0, fault.lower().replace("_", " "), False) for fault in capped)
    splices: list[Splice] = []
    before = len(found)
    eight_bit = not canonical.is_ascii(data)
    for number in range(len(index)) if not capped else ():
        splices += of_part(data, index, number, rules, found, eight_bit)
    if index.faults & BAD_CHARS and not any(each.item == "correct-bad-char" for each in found[before:]):
        found.append(Finding("correct-bad-char", 0, "NUL or CR between parts", rules.correct_bad_char))
    if splices:
        data = keep(splice.pieces(data, splices))
    return keep(canonical.repaired_pieces(data)) if index.faults & LINE_ENDS else data


def of_part(
    data: Octets, index: MailIndex, number: int, rules: FilterRules, found: list[Finding], eight_bit: bool
) -> Iterator[Splice]:
    part = index.part(number)
    header = data[part.header : part.header + part.header_size]
    fixed = characters_of_header(header, part, number, rules, found)
    mime = mimefields.read(fixed).mime
    found += kinds(data, number, part, mime, rules)
    fixed, seen = headercorrections.apply(fixed, mime, rules.invalid_header, rules.correct_quoting)
    found += (Finding(item, number, what, done) for item, what, done in seen)
    fixed = letters_of_header(fixed, part, number, rules, found)
    if part.kind == "leaf" and (eight_bit or part.faults & BAD_CHARS):
        body = body_of_leaf(data, part, number, mimefields.encoding(mime), rules, found)
        if body is not None:
            fixed = with_encoding(fixed, body[0], number)
            if body[1] is not None:
                yield Splice(part.body, part.body + part.body_size, body[1])
    if fixed != header:
        yield Splice(part.header, part.header + part.header_size, fixed)


def kinds(data: Octets, number: int, part: MimePart, mime: Mime, rules: FilterRules) -> list[Finding]:
    """Mails in pieces, and TNEF."""
    out = []
    kind = part.type + b"/" + part.subtype
    if kind == b"message/partial":
        out.append(Finding("partial-message", number, "a piece of a mail", rules.partial_message == "keep"))
    if part.kind == "leaf" and is_tnef(data, part, mime, kind):
        out.append(Finding("tnef", number, "TNEF", rules.tnef == "keep"))
    return out


def is_tnef(data: Octets, part: MimePart, mime: Mime, kind: bytes) -> bool:
    if kind in TNEF or data[part.body : part.body + len(TNEF_BASE64)] == TNEF_BASE64:
        return True
    if part.type != b"application":
        return False
    names = (name for field in (*mime.types, *mime.dispositions) for name in mimefields.names_of(field))
    return any(words.collapsed(name).lower() == TNEF_NAME for name in names)


def characters_of_header(header: bytes, part: MimePart, number: int, rules: FilterRules, found: list[Finding]) -> bytes:
    """Bad characters of a header. They go first: a field is judged by what it says without them."""
    if not part.faults & BAD_CHARS or not headercorrections.has_bad_char(header):
        return header
    found.append(Finding("correct-bad-char", number, "NUL or CR in header", rules.correct_bad_char))
    return headercorrections.without_bad_char(header)


def letters_of_header(header: bytes, part: MimePart, number: int, rules: FilterRules, found: list[Finding]) -> bytes:
    """8-bit characters of a header."""
    if "EIGHT_BIT_HEADER" not in part.faults:
        return header
    found.append(Finding("accept-8bit-header", number, "8-bit character in header", rules.accept_8bit_header))
    if rules.header_8bit_chars == "reject":
        found.append(Finding("header-8bit-chars", number, "8-bit character in header", False))
    return headercorrections.encoded(header) if rules.header_8bit_chars == "encode" else header


def body_of_leaf(
    data: Octets, part: MimePart, number: int, encoding: bytes, rules: FilterRules, found: list[Finding]
) -> tuple[bytes, bytes | None] | None:
    """(encoding, body) to be declared and put in place (None: the body stays), or None where it is in order."""
    start, stop = part.body, part.body + part.body_size
    bad = bool(part.faults & BAD_CHARS) and canonical.has_bad_char(data, start, stop)
    if bad:
        found.append(Finding("correct-bad-char", number, "NUL or CR in body", rules.correct_bad_char))
    if encoding in mimefields.CODED:
        return None
    if bad:
        body = data[start:stop]
        is_text = part.type == b"text"
        return coding.encoded(canonical.LONE_LF.sub(b"\r\n", body) if is_text else body, is_text)
    if encoding == b"7bit" and not canonical.is_ascii(data, start, stop):
        found.append(Finding("correct-8bit-body", number, "8-bit character in 7-bit body", rules.correct_8bit_body))
        return b"8bit", None
    return None


def with_encoding(header: bytes, encoding: bytes, number: int) -> bytes:
    """Declared; the header of the mail itself says then that it is MIME."""
    header = fields.replaced(header, mimefields.ENCODING, b"Content-Transfer-Encoding: " + encoding + b"\r\n")
    if number == 0 and fields.first(header, mimefields.VERSION) is None:
        header = fields.added(header, b"MIME-Version: 1.0\r\n")
    return header
