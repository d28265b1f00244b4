"""What `mail-filter` does to the header of one part: values that do not conform, bad characters, 8-bit characters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from imap4fast._wire import decode_text
from imap4fast.mail import fields, mimefields, rereading, structured, words
from imap4fast.mail.fields import Field
from imap4fast.mail.mimefields import Mime
from imap4fast.mail.structured import Parameter, Value

Seen = tuple[str, str, bool]
"""The item of mail-filter, what was found, whether it was corrected."""

LONGEST_LINE = 998
"""RFC 5322 section 2.1.1."""
STRUCTURED = (mimefields.TYPE, mimefields.DISPOSITION)
ADDRESSES = frozenset(
    b"from sender reply-to to cc bcc resent-from resent-sender resent-to resent-cc resent-bcc return-path".split()
)
BARE_CR = re.compile(rb"\r(?!\n)")
LONG_LINE = re.compile(rb"[^\n]{%d}" % (LONGEST_LINE + 2))
ADDRESS_PIECE = re.compile(
    rb'"(?:[^"\\]|\\.)*+"|\\.|[ \t\r\n]+|<[^<>]*+>?|[(),:;@"\\]|[^ \t\r\n<(),:;@"\\]+', re.DOTALL
)
TEXT_PIECE = re.compile(rb"[ \t\r\n]+|[^ \t\r\n]+")


def apply(header: bytes, mime: Mime, invalid: str, quoting: bool) -> tuple[bytes, list[Seen]]:
    """The header with fields that conform, as far as `invalid-header` and `correct-quoting` say so. `mime` is of it."""
    seen: list[Seen] = []
    if len(header) > LONGEST_LINE and LONG_LINE.search(header):
        seen.append(("invalid-header", "line too long", invalid != "reject"))
        if invalid == "shorten":
            header = refolded(header)
    if all(map(is_in_order, (*mime.types, *mime.dispositions))):
        return header, seen
    before = fields.fields(header)
    after = [conforming(field, invalid, quoting, seen) for field in before]
    return header if before == after else fields.joined(after, header), seen


def conforming(field: Field, invalid: str, quoting: bool, seen: list[Seen]) -> Field:
    """The field with what can be corrected; what cannot is kept, shortened or the reason to reject the mail."""
    if field.name not in STRUCTURED or is_in_order(field):
        return field
    value = structured.parse(field.value)
    if not is_main(field.name, value):
        seen.append(("invalid-header", "bad value of " + field.name.decode("ascii"), invalid == "keep"))
        return field
    if structured.QUOTE in value.faults:
        seen.append(("correct-quoting", "quote that does not close", quoting))
    left = value.faults & ({structured.JUNK} if quoting else {structured.JUNK, structured.SPECIAL})
    if left:
        seen.append(("invalid-header", "incorrect " + field.name.decode("ascii"), invalid != "reject"))
        if invalid == "keep":
            return field
    elif value.faults <= {structured.COMMENT}:
        return field
    kept = [each if quoting else shortened(each) for each in value.parameters]
    return Field(field.name, rereading.field(field.name, structured.printed(value.main, kept)))


def is_in_order(field: Field) -> bool:
    """By the grammar, 8-bit characters aside, which are another item's."""
    name, value = field.name, field.value
    return _remembered(name, value) if len(value) < structured.SHORT else _is_in_order(name, value)


def _is_in_order(name: bytes, value: bytes) -> bool:
    if not value.isascii():
        value = value.translate(structured.EIGHT_BIT_AS_X)
    return structured.STRICT.fullmatch(value) is not None and is_main(name, structured.parse(value))


_remembered = lru_cache(1024)(_is_in_order)


def is_main(name: bytes, value: Value) -> bool:
    pattern = mimefields.MAIN if name == mimefields.TYPE else structured.IS_TOKEN
    return pattern.fullmatch(value.main) is not None


def shortened(parameter: Parameter) -> Parameter:
    """As much of a value as needs no quotes that it has not; a boundary stays, or its parts would be lost."""
    if parameter.name == b"boundary" or not parameter.bare:
        return parameter
    token = structured.IS_TOKEN.match(parameter.value)
    return Parameter(parameter.name, token[0] if token else b"")


def refolded(header: bytes) -> bytes:
    """Lines of at most LONGEST_LINE octets: folded at blanks, and cut where there are none."""
    out = []
    for field in fields.fields(header):
        if LONG_LINE.search(field.octets):
            name, colon, _ = field.octets.partition(b":")
            pieces = [piece[: LONGEST_LINE - 80] for piece in field.value.split(b" ")]
            field = Field(field.name, words.field(name, b" ".join(pieces)) if colon else b"")
        out.append(field)
    return fields.joined(out, header)


def has_bad_char(header: bytes) -> bool:
    return b"\0" in header or BARE_CR.search(header) is not None


def without_bad_char(header: bytes) -> bytes:
    """NULs are gone; a CR that is no part of a line end is a blank, as it must not begin a field."""
    return BARE_CR.sub(b" ", header.replace(b"\0", b""))


def encoded(header: bytes) -> bytes:
    """The fields without 8-bit characters: encoded words, RFC 2231, or `?` where neither can stand."""
    found = fields.fields(header)
    return fields.joined([each if each.octets.isascii() else encoded_field(each) for each in found], header)


def encoded_field(field: Field) -> Field:
    name, colon, _ = field.octets.partition(b":")
    if not colon or not name.isascii():
        return Field(field.name, field.octets.decode("ascii", "replace").encode("ascii", "replace"))
    if field.name in STRUCTURED:
        return Field(field.name, words.field(name, encoded_parameters(field.value)))
    pattern = ADDRESS_PIECE if field.name in ADDRESSES else TEXT_PIECE
    return Field(field.name, words.field(name, b"".join(encoded_pieces(pattern.findall(field.value)))))


def encoded_pieces(pieces: list[bytes]) -> Iterable[bytes]:
    """Words in a row that hold 8-bit characters become one text, since decoders drop the blank between them."""
    text = b""
    blank = b""
    for piece in pieces:
        if piece.isspace():
            blank += piece
        elif piece.isascii() or piece.startswith(b"<"):
            yield from (word_of(text), blank, piece.decode("ascii", "replace").encode("ascii", "replace"))
            text = blank = b""
        else:
            if not text:
                yield blank
                blank = b""
            text += blank + structured.unquoted(piece)
            blank = b""
    yield word_of(text)


def word_of(text: bytes) -> bytes:
    return words.encoded(decode_text(text, b"utf-8")) if text else b""


def encoded_parameters(said: bytes) -> bytes:
    value = structured.parse(said)
    kept = []
    for name, octets, _ in value.parameters:
        if octets.isascii():
            kept.append(Parameter(name, octets))
        elif b"*" in name:
            kept.append(Parameter(name, b"".join(b"%%%02X" % each if each > 127 else b"%c" % each for each in octets)))
        else:
            kept.append(rereading.name_parameter(name, decode_text(octets, b"utf-8")))
    return structured.printed(value.main.decode("ascii", "replace").encode("ascii", "replace"), kept)
