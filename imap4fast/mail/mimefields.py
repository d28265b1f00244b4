"""The fields that say how a part is read: Content-Type, Content-Transfer-Encoding, Content-Disposition, MIME-Version.

`odd` names what in them is read differently by different programs; `strict` values have one reading only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from imap4fast._wire import decode_text, decode_words, header_list
from imap4fast.mail import structured, words
from imap4fast.mail.fields import Field
from imap4fast.mail.structured import Parameter, Value

TYPE = b"content-type"
ENCODING = b"content-transfer-encoding"
DISPOSITION = b"content-disposition"
VERSION = b"mime-version"
KINDS = frozenset((TYPE, ENCODING, DISPOSITION, VERSION))

IDENTITY = frozenset((b"7bit", b"8bit", b"binary"))
CODED = frozenset((b"base64", b"quoted-printable"))
MAILS = (b"message/global", b"message/news")
"""Types of whole mails that some programs look into, and some do not, as they do into message/rfc822."""
NAMES = (b"name", b"filename")
SHORT = 8192
"""Octets of a header that is remembered."""
LONGEST_BOUNDARY = 70
BOUNDARY = re.compile(rb"[ -!#-\[\]-~]*[!#-\[\]-~]")
"""More than the bchars of RFC 2046, since mailers use more; nothing that needs a backslash, no blank at the end."""
ANOTHER_BOUNDARY = re.compile(rb"boundary[*0-9 \t]*=", re.IGNORECASE)
"""What programs that look for a word, not for a parameter, take for the beginning of a boundary."""
ENCODED_WORD = re.compile(rb"=\?[^?]*\?[BbQq]\?[^?]*\?=")
MAIN = re.compile(structured.TOKEN + rb"/" + structured.TOKEN)
BAD_NAME = re.compile("[/\\\\]|[. ]$|" + words.CONTROLS.pattern)


class Mime(NamedTuple):
    """The fields of each kind, in their order."""

    types: list[Field]
    encodings: list[Field]
    dispositions: list[Field]
    versions: list[Field]


def of(found: list[Field]) -> Mime:
    mime = Mime([], [], [], [])
    lists = {TYPE: mime.types, ENCODING: mime.encodings, DISPOSITION: mime.dispositions, VERSION: mime.versions}
    for field in found:
        if (kind := lists.get(field.name)) is not None:
            kind.append(field)
    return mime


class Header(NamedTuple):
    """What `header_list` says of a header, and its fields that say how the part is read. Neither is to be changed."""

    listed: list[tuple[bytes, int, int]]
    mime: Mime


def read(header: bytes) -> Header:
    """Several ask about each header of a mail, one after the other."""
    return _remembered(header) if len(header) < SHORT else _read(header)


def _read(header: bytes) -> Header:
    listed = header_list(header)
    mine = [each for each in listed if each[0].lower() in KINDS]
    return Header(listed, of([Field(name.lower(), header[start:stop]) for name, start, stop in mine]))


_remembered = lru_cache(64)(_read)


def odd(mime: Mime) -> Iterator[tuple[str, str]]:
    """(row, what) for each way in which they have more than one reading."""
    if len(mime.types) > 1:
        yield "T-M02", "several Content-Type"
    if len(mime.encodings) > 1:
        yield "T-M04", "several Content-Transfer-Encoding"
    if len(mime.dispositions) > 1:
        yield "T-M23", "several Content-Disposition"
    for field in mime.types:
        yield from odd_type(field.value)
    for field in mime.encodings:
        if field.value.lower() not in IDENTITY | CODED or field.raw.lstrip(b" \t") != field.value:
            yield "T-M05", "odd Content-Transfer-Encoding"
    yield from odd_names(mime)


def odd_type(said: bytes) -> Iterable[tuple[str, str]]:
    """Most mails have the same few values."""
    return _odd_type_remembered(said) if len(said) < structured.SHORT else _odd_type(said)


@lru_cache(1024)
def _odd_type_remembered(said: bytes) -> tuple[tuple[str, str], ...]:
    return tuple(_odd_type(said))


def _odd_type(said: bytes) -> Iterator[tuple[str, str]]:
    value = structured.parse(said)
    faults = structured.faults(said)
    if structured.COMMENT in faults:
        yield "T-M18", "comment in Content-Type"
    if faults - {structured.COMMENT} or not MAIN.fullmatch(value.main):
        yield "T-M17", "malformed Content-Type"
    if value.main.startswith(b"message/external-body"):
        yield "T-M27", "content kept elsewhere"
    if value.main in MAILS:
        yield "T-M24", "mail under another name"
    if is_repeated(value, (b"charset", b"type", b"format", b"delsp")):
        yield "T-M02", "several values of a parameter"
    if value.main.startswith(b"multipart/"):
        yield from odd_boundary(value)


def is_repeated(value: Value, names: tuple[bytes, ...]) -> bool:
    """Whether one of the parameters is there twice, or in a form of RFC 2231 that only some read."""
    said = value.names()
    extended = {name.partition(b"*")[0] for name, *_ in value.parameters if b"*" in name}
    return any(said.count(name) > 1 or name in extended for name in names)


def odd_boundary(value: Value) -> Iterator[tuple[str, str]]:
    if any(each.name.startswith(b"boundary*") for each in value.parameters):
        yield "T-M15", "boundary by RFC 2231"
        return
    found = value.all(b"boundary")
    if len(found) > 1:
        yield "T-M03", "several boundaries"
    elif any(hides_boundary(each) for each in value.parameters):
        yield "T-M03", "boundary in another parameter"
    if not found or b"" in found:
        yield "T-M09", "no boundary"
    for each in filter(None, found):
        if ENCODED_WORD.search(each):
            yield "T-M16", "boundary by encoded word"
        elif len(each) > LONGEST_BOUNDARY or not BOUNDARY.fullmatch(each) or ANOTHER_BOUNDARY.search(each):
            yield "T-M17", "odd boundary"


def hides_boundary(parameter: Parameter) -> bool:
    """Whether it is another parameter in which some programs find a boundary: `xboundary=a`, `x="; boundary=a"`."""
    name, said, _ = parameter
    return name != b"boundary" and (b"boundary" in name or ANOTHER_BOUNDARY.search(said) is not None)


def odd_names(mime: Mime) -> Iterator[tuple[str, str]]:
    """Names of files that programs read differently, or that hide what they end in."""
    said = [parameter for field in (*mime.types, *mime.dispositions) for parameter in names_of(field)]
    if not said:
        return
    if any(structured.faults(field.value) for field in mime.dispositions):
        yield "T-M23", "malformed file name"
    plain = {words.collapsed(name) for name in said}
    if any(BAD_NAME.search(name) for name in said):
        yield "T-M23", "file name with control characters, slashes or a trailing dot"
    elif len({ending(name) for name in plain} - {""}) > 1:
        yield "T-M23", "file names that disagree"


def names_of(field: Field) -> Sequence[str]:
    """All file names that a field gives: as written, joined and decoded by RFC 2231, and by RFC 2047."""
    if b"name" not in field.octets.lower():
        return ()
    return _names_remembered(field.value) if len(field.octets) < structured.SHORT else _names(field.value)


def _names(said: bytes) -> tuple[str, ...]:
    value = structured.parse(said)
    raw = [each.value for each in value.parameters if each.name in NAMES]
    joined = [octets for name in NAMES if (octets := value.joined(name))]
    return (*map(decode_words, raw), *map(decoded, joined))


_names_remembered = lru_cache(64)(_names)


def decoded(joined: bytes) -> str:
    """A name by RFC 2231; some mailers put encoded words into it."""
    return decode_words(joined) if b"=?" in joined else decode_text(joined, b"utf-8")


def ending(name: str) -> str:
    """What a file name ends in, behind its last dot."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def needs_version(mime: Mime) -> bool:
    """Whether programs that ask for MIME-Version would read another mail without it."""
    if mime.versions:
        return False
    coded = any(field.value.lower() not in IDENTITY for field in mime.encodings)
    return coded or any(not field.value.lower().startswith(b"text/plain") for field in mime.types)


def encoding(mime: Mime) -> bytes:
    """The first encoding named, in lower case."""
    return mime.encodings[0].value.lower() if mime.encodings else b"7bit"


def is_encoded(mime: Mime) -> bool:
    return any(field.value.lower() in CODED for field in mime.encodings)
