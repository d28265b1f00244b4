"""What a client asks by FETCH (RFC 3501 section 6.4.5, RFC 3516, RFC 8970, RFC 1730): dynamic items and content.

Dynamic items are the server's to answer; items of content are answered from the processed mail and never forwarded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from imap4fast.imap.responses import DYNAMIC_ITEMS

if TYPE_CHECKING:
    from imap4fast._wire import Token


class Kind(Enum):
    """What an item of content is made of."""

    SECTION = "octets of a section"
    FIELDS = "fields of a header"
    BINARY = "decoded octets of a part"
    BINARY_SIZE = "their number"
    ENVELOPE = "ENVELOPE"
    BODY = "BODY"
    BODYSTRUCTURE = "BODYSTRUCTURE"
    SIZE = "RFC822.SIZE"
    PREVIEW = "PREVIEW"


class Content(NamedTuple):
    """One item of content.

    `label` is its name in the answer, without the origin of a partial one. `section` is `MailIndex.section`'s word;
    for FIELDS that of the header. `span` is (first octet, number of octets) of a partial request.
    """

    kind: Kind
    label: bytes
    section: bytes = b""
    fields: tuple[bytes, ...] = ()
    negate: bool = False
    span: tuple[int, int] | None = None
    seen: bool = False


class Items(NamedTuple):
    """The items of a FETCH, macros expanded. `seen`: one of them sets \\Seen."""

    dynamic: tuple[bytes, ...]
    contents: tuple[Content, ...]
    seen: bool


class FetchError(Exception):
    """An item that nobody knows, or one that has no such form."""


_MACROS = {
    b"ALL": (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE"),
    b"FAST": (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"),
    b"FULL": (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE", b"BODY"),
}
_FIXED = {
    b"ENVELOPE": Content(Kind.ENVELOPE, b"ENVELOPE"),
    b"BODY": Content(Kind.BODY, b"BODY"),
    b"BODYSTRUCTURE": Content(Kind.BODYSTRUCTURE, b"BODYSTRUCTURE"),
    b"RFC822.SIZE": Content(Kind.SIZE, b"RFC822.SIZE"),
    b"RFC822": Content(Kind.SECTION, b"RFC822", seen=True),
    b"RFC822.PEEK": Content(Kind.SECTION, b"RFC822"),
    b"RFC822.HEADER": Content(Kind.SECTION, b"RFC822.HEADER", b"HEADER"),
    b"RFC822.TEXT": Content(Kind.SECTION, b"RFC822.TEXT", b"TEXT", seen=True),
    b"RFC822.TEXT.PEEK": Content(Kind.SECTION, b"RFC822.TEXT", b"TEXT"),
    b"PREVIEW": Content(Kind.PREVIEW, b"PREVIEW"),
}
_ITEM = re.compile(rb"(BODY|BINARY)(\.PEEK|\.SIZE)?\[([0-9A-Z.]*)(\](?:<([0-9]{1,10})\.([0-9]{1,10})>)?)?\Z")
_REST = re.compile(rb"\](?:<([0-9]{1,10})\.([0-9]{1,10})>)?\Z")
_ATOM = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+\Z")
_PARTS = re.compile(rb"(?:[1-9][0-9]{0,9}(?:\.[1-9][0-9]{0,9})*)\Z")
_SECTION = re.compile(
    rb"(?:HEADER|TEXT|(?:[1-9][0-9]{0,9}(?:\.[1-9][0-9]{0,9})*)(?:\.(?:HEADER|TEXT|MIME))?)?\Z",
)
_HEADER = re.compile(rb"((?:[1-9][0-9]{0,9}\.)*)HEADER\.FIELDS(\.NOT)?\Z")


def items_of(tokens: Sequence[Token]) -> Items:
    """The items of a FETCH from its tokens behind the set, modifiers taken off. Raises FetchError."""
    if len(tokens) == 1 and isinstance(tokens[0], bytes) and tokens[0].upper() in _MACROS:
        words: Sequence[Token] = _MACROS[tokens[0].upper()]
    elif len(tokens) == 1 and isinstance(tokens[0], list):
        words = tokens[0]
    else:
        words = tokens
        if sum(1 for _ in _contents(iter(words))) != 1:
            raise FetchError
    found = list(_contents(iter(words)))
    if not found:
        raise FetchError
    dynamic = tuple(item for item in found if isinstance(item, bytes))
    contents = tuple(item for item in found if isinstance(item, Content))
    return Items(dynamic, contents, any(item.seen for item in contents))


def _contents(words: Iterator[Token]) -> Iterator[Content | bytes]:
    """Content, or the name of a dynamic item, for each."""
    ahead = next(words, None)
    while ahead is not None:
        if not isinstance(ahead, bytes):
            raise FetchError
        word, ahead = ahead.upper(), None
        if word in DYNAMIC_ITEMS:
            yield word
        elif word in _FIXED:
            ahead = next(words, None)
            if word == b"PREVIEW" and isinstance(ahead, list):
                if not _is_lazy(ahead):
                    raise FetchError
                ahead = next(words, None)
            yield _FIXED[word]
            continue
        else:
            yield _bracketed(word, words)
        ahead = next(words, None)


def _is_lazy(token: Token) -> bool:
    """Whether these are the modifiers of PREVIEW (RFC 8970)."""
    return isinstance(token, list) and [word.upper() if isinstance(word, bytes) else b"" for word in token] == [b"LAZY"]


def _bracketed(word: bytes, words: Iterator[Token]) -> Content:
    """BODY[...], BODY.PEEK[...], BINARY[...], BINARY.PEEK[...], BINARY.SIZE[...]"""
    found = _ITEM.match(word)
    if found is None:
        raise FetchError
    base, form, section, closed = found[1], found[2], found[3], found[4]
    if closed is None:
        return _fields(base, form, section, words)
    span = _span(found[5], found[6])
    if base == b"BINARY":
        return _binary(form, section, span)
    if form == b".SIZE" or _SECTION.match(section) is None:
        raise FetchError
    return Content(Kind.SECTION, b"BODY[" + section + b"]", section, span=span, seen=form is None)


def _span(first: bytes | None, size: bytes | None) -> tuple[int, int] | None:
    if first is None or size is None:
        return None
    if int(first) > 0xFFFFFFFF or not 0 < int(size) <= 0xFFFFFFFF:
        raise FetchError
    return int(first), int(size)


def _binary(form: bytes | None, section: bytes, span: tuple[int, int] | None) -> Content:
    if section and _PARTS.match(section) is None:
        raise FetchError
    if form == b".SIZE":
        if span is not None:
            raise FetchError
        return Content(Kind.BINARY_SIZE, b"BINARY.SIZE[" + section + b"]", section)
    return Content(Kind.BINARY, b"BINARY[" + section + b"]", section, span=span, seen=form is None)


def _fields(base: bytes, form: bytes | None, section: bytes, words: Iterator[Token]) -> Content:
    """BODY[n.HEADER.FIELDS (names)]<span>: the list and what closes it are tokens of their own."""
    names, rest = next(words, None), next(words, None)
    head = _HEADER.match(section)
    if base != b"BODY" or form == b".SIZE" or head is None or not isinstance(names, list) or not names:
        raise FetchError
    closed = _REST.match(rest) if isinstance(rest, bytes) else None
    if closed is None:
        raise FetchError
    wanted = tuple(_name(name) for name in names)
    label = b"BODY[" + section + b" (" + b" ".join(map(_shown, wanted)) + b")]"
    where = head[1] + b"HEADER"
    span = _span(closed[1], closed[2])
    return Content(Kind.FIELDS, label, where, wanted, head[2] is not None, span, form is None)


def _name(token: Token) -> bytes:
    """header-fld-name, in upper case."""
    name = token if isinstance(token, bytes) else token[0] if isinstance(token, tuple) else b""
    if isinstance(token, bytes) and b"\\" in token:
        raise FetchError  # only flags may have one, and strings
    if not name or any(octet <= 0x20 or octet >= 0x7F or octet == 0x3A for octet in name):
        raise FetchError
    return name.upper()


def _shown(name: bytes) -> bytes:
    """A name as the answer has it: an atom, or quoted where it is none."""
    if _ATOM.match(name) is not None and not {0x5D, 0x7B, 0x28, 0x29, 0x25, 0x2A, 0x22, 0x5C} & set(name):
        return name
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


class Request(NamedTuple):
    """A whole FETCH: the set as the client wrote it, the items, and the modifiers (RFC 4466) with their parentheses."""

    set: bytes
    items: Items
    modifiers: bytes = b""


_PLACE = rb"-?[1-9][0-9]{0,9}"
_MODIFIER = rb"(?:CHANGEDSINCE (?:0|[1-9][0-9]{0,18})|VANISHED|PARTIAL " + _PLACE + rb":" + _PLACE + rb")"
_MODIFIERS = re.compile(rb"\(" + _MODIFIER + rb"(?: " + _MODIFIER + rb")*\)\Z")


def request_of(tokens: Sequence[Token]) -> Request:
    """A FETCH from its tokens: set, items, modifiers. Raises FetchError."""
    if len(tokens) < 2 or not isinstance(tokens[0], bytes):
        raise FetchError
    rest = list(tokens[1:])
    modifiers = b""
    if len(rest) > 1 and isinstance(rest[-1], list) and not _closes(rest):
        last = rest.pop()
        modifiers = _modifiers(last) if isinstance(last, list) else b""
    return Request(tokens[0], items_of(rest), modifiers)


def _closes(rest: Sequence[Token]) -> bool:
    """Whether the last list belongs to the item before it."""
    word, last = rest[-2:]
    if not isinstance(word, bytes):
        return False
    return (b"[" in word and b"]" not in word) or (word.upper() == b"PREVIEW" and _is_lazy(last))


def _modifiers(words: Sequence[Token]) -> bytes:
    """fetch-modifiers: CHANGEDSINCE, VANISHED (RFC 7162), PARTIAL (RFC 9394)."""
    if not all(isinstance(word, bytes) for word in words):
        raise FetchError
    text = b"(" + b" ".join(word.upper() for word in words if isinstance(word, bytes)) + b")"
    if _MODIFIERS.match(text) is None:
        raise FetchError
    return text


@lru_cache(maxsize=512)
def _plain_request(rest: bytes) -> Items | None:
    """Items that are a run of plain words; None where tokens must be looked at."""
    words = rest[1:-1] if rest[:1] == b"(" and rest[-1:] == b")" else rest
    if b"(" in words or b'"' in words or b"{" in words or b"\r" in words:
        return None
    tokens: list[Token] = list(words.split(b" "))
    return items_of([tokens] if rest[:1] == b"(" else tokens)


_LINE = re.compile(rb"[^ ]+ (?:UID )?FETCH ([^ ]+) ([^\r]+)\r\n\Z", re.IGNORECASE)


def quick_request(unit: bytes) -> Request | None:
    """A canonical FETCH line of plain words, as clients repeat it thousands of times; None: `request_of` decides."""
    found = _LINE.match(unit)
    if found is None:
        return None
    items = _plain_request(found[2])
    return None if items is None else Request(found[1], items)
