"""The one reading of a part whose MIME fields allow several: which type, which boundary, which encoding.

Whoever reads the mail that is written anew has this reading only, and it is the one that is scanned and judged; so any
choice is safe, and the one is taken that shows most: a multipart whose boundary is there before a text, an encoding
that the body keeps to before none, a file name of a program before a harmless one. What cannot be chosen so is refused:
two boundaries that both divide the body, two encodings that it both keeps to.
"""

from __future__ import annotations

from typing import NamedTuple

from imap4fast._wire import decode_text, decode_words
from imap4fast.mail import coding, mimefields, structured, words
from imap4fast.mail.fields import Field
from imap4fast.mail.mimefields import Mime
from imap4fast.mail.structured import Parameter, Value

TEXT = b"text/plain"
PROGRAM_ENDINGS = """
ade adp app apk bat chm cmd com cpl dll exe hta img ins iso isp jar js jse lib lnk mde msc msi msp mst nsh pif ps1 reg
scr sct shb sys vb vbe vbs vhd vxd wsc wsf wsh xll
"""
PROGRAMS = frozenset(PROGRAM_ENDINGS.split())
"""What the names of files end in that a double click runs."""
LONGEST_NAME = 200
MOST_BOUNDARIES = 8
"""Candidates that a body is searched for."""
EIGHT_BIT = bytes(range(128, 256))


class Refused(NamedTuple):
    """There is no one reading, and why."""

    why: str


class Choice(NamedTuple):
    """`main` and the `boundary` of a multipart (else b""); `encoding` is what the body is in."""

    value: Value
    boundary: bytes
    encoding: bytes


def boundaries(field: Field) -> list[bytes]:
    """All that programs may take for the boundary: as written, by RFC 2231, by RFC 2047."""
    value = structured.parse(field.value)
    written, joined = value.all(b"boundary"), [value.joined(b"boundary")]
    decoded = [decode_words(value).encode("utf-8", "replace") for value in written]
    return [each for each in dict.fromkeys((*written, *joined, *decoded)) if each]


def divides(body: bytes, candidate: bytes) -> bool:
    """Whether there is a line that it begins a part with."""
    sought = b"\n--" + candidate
    if body.startswith(sought[1:]) and body[len(sought) - 1 : len(sought) + 1] != b"--":
        return True
    at = body.find(sought)
    while at >= 0 and body[at + len(sought) : at + len(sought) + 2] == b"--":
        at = body.find(sought, at + 1)
    return at >= 0


def type_of(mime: Mime, body: bytes) -> Value | Refused:
    """The type, with the one boundary where it is a multipart."""
    values = [structured.parse(field.value) for field in mime.types]
    candidates = {
        candidate: value
        for value, field in reversed(list(zip(values, mime.types, strict=True)))
        if value.main.startswith(b"multipart/") and mimefields.MAIN.fullmatch(value.main)
        for candidate in boundaries(field)
    }
    if len(candidates) > MOST_BOUNDARIES:
        return Refused("too many boundaries")
    found = {candidate: value for candidate, value in candidates.items() if divides(body, candidate)}
    if len(found) > 1:
        return Refused("several boundaries divide a part")
    for candidate, value in found.items():
        return Value(value.main, (*plain(value), Parameter(b"boundary", candidate)), frozenset())
    for value in values:
        if value.main in mimefields.MAILS:
            return Value(b"message/rfc822", (), frozenset())
        if mimefields.MAIN.fullmatch(value.main) and not value.main.startswith((b"multipart/", b"message/external-")):
            return Value(value.main, plain(value), frozenset())
    return Value(TEXT, tuple(each for each in plain(values[0]) if each.name == b"charset"), frozenset())


def plain(value: Value) -> tuple[Parameter, ...]:
    """The parameters but for the boundary and what may be taken for it: each once, in ASCII, and in forms of RFC 2231
    only where it is a name."""
    out: dict[bytes, Parameter] = {}
    for parameter in value.parameters:
        name, said, _ = parameter
        base = name.partition(b"*")[0]
        if base == b"boundary" or mimefields.hides_boundary(parameter):
            continue
        if base == b"name":
            out.setdefault(name, in_ascii(Parameter(name, said)))
        elif b"*" not in name:
            out.setdefault(base, in_ascii(Parameter(base, said)))
    return tuple(out.values())


def in_ascii(parameter: Parameter) -> Parameter:
    """A plain name in 8-bit characters by RFC 2231; of other values they go."""
    if parameter.value.isascii():
        return parameter
    if parameter.name == b"name":
        return name_parameter(parameter.name, decode_text(parameter.value, b"utf-8"))
    return Parameter(parameter.name, parameter.value.translate(None, EIGHT_BIT))


def encoding_of(mime: Mime, body: bytes) -> bytes | Refused:
    """The encoding: of several, or of one that is written oddly, what the body keeps to."""
    said = dict.fromkeys(word_of(field.value) for field in mime.encodings)
    coded = [word for word in said if word in mimefields.CODED]
    kept = [word for word in coded if coding.is_strict(body, word)]
    if len(kept) > 1:
        return Refused("several transfer encodings fit a part")
    return kept[0] if kept else coding.identity(body)


def word_of(value: bytes) -> bytes:
    """The encoding that a tolerant reader takes from comments, quotes, blanks, and an `x-`."""
    word = structured.parse(value).main.translate(None, b'" \t\0')
    return word.removeprefix(b"x-")


def named(mime: Mime) -> list[Field]:
    """Content-Type and Content-Disposition (those that there are) with one file name that is what it seems."""
    names = [name for field in (*mime.dispositions, *mime.types) for name in mimefields.names_of(field)]
    name = safe_name(next((each for each in names if is_program(each)), names[0] if names else ""))
    out = []
    for field, key in zip((*mime.types[:1], *mime.dispositions[:1]), keys(mime), strict=True):
        value = structured.parse(field.value)
        kept = [each for each in value.parameters if each.name.partition(b"*")[0] not in mimefields.NAMES]
        main = (
            value.main if structured.IS_TOKEN.fullmatch(value.main) or field.name == mimefields.TYPE else b"attachment"
        )
        if name:
            kept.append(name_parameter(key, name))
        out.append(Field(field.name, words.field(TITLES[field.name], structured.printed(main, kept))))
    return out


TITLES = {
    mimefields.TYPE: b"Content-Type",
    mimefields.ENCODING: b"Content-Transfer-Encoding",
    mimefields.DISPOSITION: b"Content-Disposition",
}


def keys(mime: Mime) -> list[bytes]:
    return [b"name"] * len(mime.types[:1]) + [b"filename"] * len(mime.dispositions[:1])


def is_program(name: str) -> bool:
    return mimefields.ending(words.collapsed(name).rstrip(". ")) in PROGRAMS


def safe_name(name: str) -> str:
    """Without control characters, slashes, and dots or blanks at its end; what it ends in stays."""
    name = words.collapsed(name).translate({ord("/"): "_", ord("\\"): "_"}).rstrip(". ")
    if len(name) <= LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    return stem[:LONGEST_NAME] + (dot + ending)[-40:]


def name_parameter(key: bytes, name: str) -> Parameter:
    """Plain for ASCII, RFC 2231 else."""
    if name.isascii():
        return Parameter(key, name.encode("ascii"))
    return Parameter(key + b"*", structured.extended(name))


def field(name: bytes, value: bytes) -> bytes:
    """The whole field of one of TITLES."""
    return words.field(TITLES[name], value)
