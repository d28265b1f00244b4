"""Every name that a mail program may give to a part (RFC 2183, RFC 2231, RFC 2047; protocol.md T-M22, T-M23).

Programs disagree on duplicates, continuations, encoded words, broken quoting, NULs and what a file system leaves out of
a name. A document therefore has several candidate names, and doc-acl decides on all: one that is denied denies.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
import urllib.parse
from collections.abc import Iterable, Iterator

from imap4fast.mail import charset
from imap4fast.mail.transfer import tolerant_base64

_FIELDS = re.compile(
    rb"^(content-(?:disposition|type))[ \t\0]*:((?:[^\r\n]|\r?\n[ \t]|\r(?!\n))*)", re.IGNORECASE | re.MULTILINE
)
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_FOLD_AND_SPACE = re.compile(rb"\r?\n[ \t]+")
_COMMENT = re.compile(rb"\([^()\"]*\)")

_PARAMETER = re.compile(
    rb"""(?<![A-Za-z0-9_.-])(filename|name)[ \t\r\n]*+
         (?:\*[ \t]*+([0-9]{1,9})?[ \t]*+(\*)?[ \t\r\n]*+)?=[ \t\r\n]*+
         (?:"((?:[^"\\]|\\.)*+)("|\Z)|([^;\r\n"]*+))""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_WORD = re.compile(rb"=\?([^?\s]{0,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(rb"(?<=\?=)[ \t\r\n]+(?==\?)")

_INVISIBLE = {
    *range(0x20), 0x7F, *range(0x80, 0xA0), 0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2028, 0x202F),
    *range(0x2060, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC),
}  # fmt: skip
_NOT_SHOWN = dict.fromkeys(_INVISIBLE)
"""Controls and marks of writing direction: `gpj.exe` after U+202E is shown as `exe.jpg`."""


MOST = 128
"""Names of one part that are told apart: what mailers write has a dozen at most, in all of its readings."""


class TooManyError(ValueError):
    """A header gives its part more names than are told apart."""


class _Piece:
    """One parameter as found: which, the number of a continuation, whether it is percent-encoded, and its octets."""

    __slots__ = ("encoded", "key", "number", "octets", "plain")

    def __init__(self, match: re.Match[bytes]) -> None:
        name, number, star, quoted, _, bare = match.groups()
        self.key = name.lower()
        self.number = int(number) if number else None
        self.plain = b"*" not in match[0][: match[0].index(b"=")]
        self.encoded = bool(star) or (not self.plain and number is None)
        self.octets = bare.strip() if quoted is None else quoted


def candidates(header: bytes) -> list[str]:
    """The names that the header of a part gives it, the likeliest first, without repetition; [] where it has none.

    TooManyError where they are more than `MOST`, however they are written.
    """
    found: dict[str, None] = {}
    for name in _names(header):
        found.update(dict.fromkeys(_variants(name)))
        if len(found) > MOST:
            raise TooManyError
    return list(found)


def _names(header: bytes) -> Iterator[str]:
    """Names as text, before a file system sees them; each way to write one is read once."""
    read: set[tuple[bytes, bool]] = set()
    for value in _values(header):
        for raw in _raw_names([_Piece(match) for match in _PARAMETER.finditer(value)]):
            if raw in read:
                continue
            if len(read) == MOST:
                raise TooManyError
            read.add(raw)
            yield from _texts(raw)


def _values(header: bytes) -> Iterator[bytes]:
    """The fields that can hold a name, Content-Disposition first; unfolded as the RFC says, then as if never folded."""
    fields = sorted(_FIELDS.findall(header), key=lambda field: field[0].lower())
    for way, joint in ((_FOLD, b""), (_FOLD_AND_SPACE, b"")):
        for _, value in fields:
            yield way.sub(joint, value)
    for _, value in fields:
        if b"(" in value:
            yield _COMMENT.sub(b"", _FOLD.sub(b"", value))


def _raw_names(pieces: list[_Piece]) -> Iterator[tuple[bytes, bool]]:
    """Octets of names, and whether they are in RFC 2231's form with charset: whole ones, then continuations joined."""
    for key in (b"filename", b"name"):
        own = [piece for piece in pieces if piece.key == key]
        numbered = [piece for piece in own if piece.number is not None]
        yield from ((piece.octets, True) for piece in own if piece.encoded and piece.number is None)
        yield from _continued(numbered)
        yield from ((piece.octets, False) for piece in own if piece.plain)


def _continued(numbered: list[_Piece]) -> Iterator[tuple[bytes, bool]]:
    """Continuations in the order of their numbers, of each number the first or the last, and as they stand."""
    if not numbered:
        return
    first: dict[int, _Piece] = {}
    for piece in numbered:
        first.setdefault(piece.number or 0, piece)
    last = {piece.number or 0: piece for piece in numbered}
    for row in ([first[key] for key in sorted(first)], [last[key] for key in sorted(last)], numbered):
        encoded = row[0].encoded
        yield b"".join(_percent_form(piece, encoded) for piece in row), encoded
        yield b"".join(piece.octets for piece in row), False
    for row in _without_gaps(first):
        yield b"".join(_percent_form(piece, row[0].encoded) for piece in row), row[0].encoded


def _without_gaps(first: dict[int, _Piece]) -> Iterator[list[_Piece]]:
    """Up to the first number that is missing, where programs stop."""
    row = [first[number] for number in range(len(first)) if number in first]
    stop = next((number for number in range(len(first)) if number not in first), None)
    if stop:
        yield row[:stop]


def _percent_form(piece: _Piece, encoded: bool) -> bytes:
    """A piece fit to be joined with percent-encoded ones: what is not encoded must not be decoded."""
    return piece.octets.replace(b"%", b"%25") if encoded and not piece.encoded else piece.octets


def _texts(raw: tuple[bytes, bool]) -> Iterator[str]:
    """A name's octets as text: RFC 2231, encoded words, 8-bit characters, each where it has left its marks."""
    octets, extended = raw
    if extended and octets.count(b"'") >= 2:
        name, _, value = octets.split(b"'", 2)
        yield charset.text(urllib.parse.unquote_to_bytes(value), name.decode("latin-1"))
    unescaped = _ESCAPED.sub(rb"\1", octets)
    for value in dict.fromkeys((unescaped, octets)):
        if b"=?" in value:
            yield words(value)
        if b"%" in value:
            yield charset.text(urllib.parse.unquote_to_bytes(value), None)
        yield charset.text(value, None)


def words(value: bytes) -> str:
    """A value with its encoded words decoded wherever they stand, in quotes too; octets of one charset are joined."""
    parts: list[str] = []
    held, held_charset, at = b"", "", 0
    value = _BETWEEN_WORDS.sub(b"", value)
    for word in _WORD.finditer(value):
        name = word[1].partition(b"*")[0].decode("latin-1").lower()
        if held and (word.start() > at or name != held_charset):
            parts.append(charset.text(held, held_charset))
            held = b""
        parts.append(charset.text(value[at : word.start()], None))
        held, held_charset, at = held + _word(word), name, word.end()
    parts.append(charset.text(held, held_charset) if held else "")
    return "".join(parts) + charset.text(value[at:], None)


def _word(word: re.Match[bytes]) -> bytes:
    if word[2] in b"bB":
        return tolerant_base64(word[3])
    return binascii.a2b_qp(word[3], header=True)


def _variants(name: str) -> Iterator[str]:
    """What becomes of a name on its way to a file: cut at NUL, controls left out, path and stream cut, dots trimmed."""
    name = name.strip("\r\n")
    shown = name.translate(_NOT_SHOWN)
    ends = (name, shown, name.partition("\0")[0], *_on_disk(shown))
    yield from (end for end in ends if end.strip(" ."))


def _on_disk(shown: str) -> Iterable[str]:
    compatible = unicodedata.normalize("NFKC", shown)
    for form in dict.fromkeys((shown, compatible)):
        base = re.split(r"[/\\]", form)[-1]
        yield base
        yield base.strip(" \t\"'").rstrip(" .")
        yield base.partition(":")[0].rstrip(" .")
