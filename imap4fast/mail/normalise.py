"""An ambiguous mail written anew such that one reading is left.

In rounds, from the outside in: a round repairs the header of each part that `ambiguity` found something in, and its
lines; where that changes what the part is, its body is read in the next round. A mail in which nothing is found is left
as it is, and a result is one in which nothing is found; so rewriting twice is rewriting once. What comes to no such
result is refused. No clock, no randomness: boundaries come from `seed` and the place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from imap4fast._wire import MailIndex, MimePart
from imap4fast.mail import (
    ambiguity,
    boundary,
    canonical,
    coding,
    fields,
    headerlines,
    mimefields,
    rereading,
    structured,
)
from imap4fast.mail.ambiguity import Finding
from imap4fast.mail.canonical import Octets
from imap4fast.mail.rereading import Refused
from imap4fast.mail.structured import Parameter, Value

ROUNDS = 12
"""Most rounds for one mail: each goes at least one part deeper."""
CAPS = frozenset(("T-M25", "T-M34"))
"""Rows of which nothing can be written anew: more than the index looked into."""
VERSION = b"MIME-Version: 1.0\r\n"
FIELD = re.compile(rb"[!-9;-~]+:")


class Normalised(msgspec.Struct, frozen=True):
    """`data` with one reading (the mail itself where it had one), or None and why it is `refused`; `findings` are those
    in the mail as it came; `index` is that of `data`, or the last one."""

    data: Octets | None
    refused: str
    findings: tuple[Finding, ...]
    index: MailIndex


class Body(NamedTuple):
    """The new body of a part, and the header that goes with it."""

    header: bytes
    octets: bytes


def rewrite(
    data: Octets,
    index: MailIndex,
    seed: bytes = b"",
    scan: Callable[[Octets], MailIndex] = MailIndex.scan,
    findings: tuple[Finding, ...] | None = None,
) -> Normalised:
    """The mail with one reading. `index` is that of `data`; `scan` makes others like it, with the same caps;
    `findings` are what `ambiguity.find` said of the mail, if it was asked already."""
    found = first = tuple(ambiguity.find(data, index)) if findings is None else findings
    for number in range(ROUNDS):
        if not found:
            return Normalised(data, "", first, index)
        if capped := next((each.what for each in found if each.row in CAPS), ""):
            return Normalised(None, capped, first, index)
        this = Round(data, index, found, b"%d %s" % (number, seed))
        data = canonical.repaired(this.part(0))
        if this.refused:
            return Normalised(None, this.refused, first, index)
        index = scan(data)
        found = tuple(ambiguity.find(data, index))
    return Normalised(None, found[0].what, first, index) if found else Normalised(data, "", first, index)


class Round:
    """One pass over a mail. `refused` says why a part has no one reading."""

    def __init__(self, data: Octets, index: MailIndex, found: Iterable[Finding], seed: bytes) -> None:
        self.data = data
        self.index = index
        self.stem = boundary.stem(data, seed)
        self.refused = ""
        self.rows: dict[int, set[str]] = {}
        self.touched: set[int] = set()
        for each in found:
            self.rows.setdefault(each.part, set()).add(each.row)
            at = each.part
            while at >= 0:
                self.touched.add(at)
                at = index.part(at).parent

    def part(self, number: int) -> bytes:
        """A part from its header on, written anew as far as something was found in it."""
        part = self.index.part(number)
        if number not in self.touched:
            return self.octets(part.header, part.body + part.body_size)
        header = self.octets(part.header, part.header + part.header_size)
        if number not in self.rows:
            return header + self.below(number, part)
        header = headerlines.tidied(header)
        mime = mimefields.of(fields.fields(header))
        if ambiguity.is_mail(self.index, part) and mimefields.needs_version(mime):
            header = fields.added(header, VERSION)
        if mime.types:
            header = self.typed(header, mime, part)
        return b"".join(self.body(number, part, header))

    def octets(self, start: int, stop: int) -> bytes:
        return self.data[start:stop]

    def typed(self, header: bytes, mime: mimefields.Mime, part: MimePart) -> bytes:
        """The header with one Content-Type, whose boundary, if any, divides the body, encoded or not."""
        octets = self.octets(part.body, part.body + part.body_size)
        found = rereading.type_of(mime, octets)
        if isinstance(found, Value) and mimefields.is_encoded(mime) and not found.all(b"boundary"):
            word = rereading.word_of(mime.encodings[0].value)
            inside = rereading.type_of(mime, coding.decoded(octets, word))
            found = inside if isinstance(inside, Refused) or inside.all(b"boundary") else found
        if isinstance(found, Refused):
            self.refused = found.why
            return header
        if len(mime.types) == 1 and not any(mimefields.odd_type(mime.types[0].value)) and self.stays(mime, found):
            return header
        value = structured.printed(found.main, found.parameters)
        return fields.replaced(header, mimefields.TYPE, rereading.field(mimefields.TYPE, value))

    def stays(self, mime: mimefields.Mime, found: Value) -> bool:
        return found.main == structured.parse(mime.types[0].value).main

    def body(self, number: int, part: MimePart, header: bytes) -> Body:
        """What stands behind `header`, which says what the part is now."""
        mime = mimefields.of(fields.fields(header))
        if any(mimefields.odd_names(mime)) or len(mime.dispositions) > 1:
            for field in rereading.named(mime):
                header = fields.replaced(header, field.name, field.octets)
        value = structured.parse(mime.types[0].value) if mime.types else Value(b"", (), frozenset())
        octets = self.octets(part.body, part.body + part.body_size)
        if value.main.startswith(b"multipart/") and value.all(b"boundary"):
            return self.multipart(number, part, header, value)
        if value.main == b"message/rfc822" or (not mime.types and part.kind == "message"):
            return self.message(number, part, header, mime)
        return self.leaf(header, mime, octets, value.main)

    def leaf(self, header: bytes, mime: mimefields.Mime, octets: bytes, main: bytes) -> Body:
        """One encoding that its body keeps to."""
        encoding = rereading.encoding_of(mime, octets)
        if isinstance(encoding, Refused):
            self.refused = encoding.why
            return Body(header, octets)
        said = {field.value.lower() for field in mime.encodings}
        if len(said) == 1 and said <= mimefields.CODED and encoding in mimefields.IDENTITY:
            is_text = main.startswith(b"text/") or not main
            encoding, octets = coding.encoded(coding.decoded(octets, said.pop()), is_text)
        return Body(with_encoding(header, mime, encoding), octets)

    def message(self, number: int, part: MimePart, header: bytes, mime: mimefields.Mime) -> Body:
        """A mail in the mail, which has no transfer encoding (T-M24)."""
        octets = self.octets(part.body, part.body + part.body_size)
        if not mimefields.is_encoded(mime) and not any(mimefields.odd(mime)):
            return Body(header, self.below(number, part))
        word = rereading.word_of(mime.encodings[0].value) if mime.encodings else b""
        if word in mimefields.CODED and not FIELD.match(octets):
            octets = self.decoded(part, octets, word)
        return Body(with_encoding(header, mime, coding.identity(octets)), octets)

    def multipart(self, number: int, part: MimePart, header: bytes, value: Value) -> Body:
        """One boundary, of our making where something was wrong with the old one, and no transfer encoding (T-M28)."""
        octets = self.octets(part.body, part.body + part.body_size)
        mime = mimefields.of(fields.fields(header))
        old = value.all(b"boundary")[0]
        if mime.encodings:
            word = rereading.word_of(mime.encodings[0].value)
            if word in mimefields.CODED and not rereading.divides(octets, old):
                octets = self.decoded(part, octets, word)
            header = with_encoding(header, mime, coding.identity(octets))
        new = boundary.made(self.stem, number)
        header = with_boundary(header, value, new)
        if len(octets) == part.body_size and divided_by(self.data, self.index, part, old):
            return Body(header, self.parts(part, old, new))
        return Body(header, relabelled(octets, old, new))

    def decoded(self, part: MimePart, octets: bytes, word: bytes) -> bytes:
        """Parts that come out of an encoding, unless they would end a multipart around them."""
        octets = canonical.repaired(coding.decoded(octets, word))
        if any(rereading.divides(octets, outer) for outer in boundary.outer_boundaries(self.data, self.index, part)):
            self.refused = "an encoded part holds a boundary of what it is in"
        return octets

    def parts(self, part: MimePart, old: bytes, new: bytes) -> bytes:
        """The parts behind one another, and around them what is no part (T-M13, T-M14)."""
        stop = part.body + part.body_size
        found = boundary.marks(self.data, old, part.body, stop)
        before = self.kept(part.body, found[0].start) if found else b""
        after = self.kept(found[-1].stop, stop) if found and found[-1].rest == b"--" else b""
        lines = [before]
        for child in part.children:
            lines += (b"--", new, b"\r\n", self.part(child), b"\r\n")
        return b"".join([*lines, b"--", new, b"--\r\n", after])

    def kept(self, start: int, stop: int) -> bytes:
        """A preamble or an epilogue, unless there is something like a part in it."""
        return b"" if boundary.has_parts(self.data, start, stop) else self.octets(start, stop)

    def below(self, number: int, part: MimePart) -> bytes:
        """The body with the parts in it written anew, and all between them as it is."""
        out: list[bytes] = []
        at = part.body
        for child in part.children:
            each = self.index.part(child)
            new = self.part(child)
            out += (self.octets(at, each.header), new)
            at = each.body + each.body_size
            if self.octets(at, at + 2) == b"--" and not new.endswith(b"\r\n"):
                out.append(b"\r\n")
        return b"".join([*out, self.octets(at, part.body + part.body_size)])


def with_encoding(header: bytes, mime: mimefields.Mime, encoding: bytes) -> bytes:
    """The encoding declared once, and not at all where there was none and none is needed."""
    if not mime.encodings and encoding == b"7bit":
        return header
    if [field.value.lower() for field in mime.encodings] == [encoding] and not any(mimefields.odd(mime)):
        return header
    return fields.replaced(header, mimefields.ENCODING, rereading.field(mimefields.ENCODING, encoding))


def with_boundary(header: bytes, value: Value, new: bytes) -> bytes:
    kept = (each for each in value.parameters if each.name != b"boundary" and not mimefields.hides_boundary(each))
    said = structured.printed(value.main, [*kept, Parameter(b"boundary", new)])
    return fields.replaced(header, mimefields.TYPE, rereading.field(mimefields.TYPE, said))


def divided_by(data: Octets, index: MailIndex, part: MimePart, old: bytes) -> bool:
    """Whether it is by that boundary that the index found the parts."""
    if not part.children:
        return False
    first = index.part(part.children[0]).header
    line = data[max(part.body, first - 1100) : first].removesuffix(b"\r\n").rpartition(b"\n")[2]
    return line.startswith(b"--" + old)


def relabelled(octets: bytes, old: bytes, new: bytes) -> bytes:
    """A body whose boundary lines have a new boundary and nothing behind it: the first opens, the last closes."""
    opened = False

    def line(found: re.Match[bytes]) -> bytes:
        nonlocal opened
        opened = opened or not found[1]
        return b"--" + new + (found[1] or b"") + b"\r\n" if opened else b""

    lines = re.sub(rb"(?m)^--" + re.escape(old) + rb"(--)?[^\r\n]*(?:\r\n|\Z)", line, octets)
    return lines if b"--" + new + b"--" in lines else lines + b"\r\n--" + new + b"--\r\n"
