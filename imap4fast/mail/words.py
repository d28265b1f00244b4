"""Header text on its way out: RFC 2047 encoded words, and folding at 76 columns.

Text comes in as `str` and leaves as octets that hold no CR, LF or NUL but those of folding (T-H01, T-H03).
Bidirectional overrides go with the control characters, since they make a name read as another.
"""

from __future__ import annotations

import re
from base64 import b64encode

COLUMNS = 76
"""Of a folded line, as RFC 2047 section 2 has it for lines with encoded words."""
CHARSET = b"utf-8"
LONGEST_WORD = 64
"""Octets of one word: less than the 75 of the RFC, so that `Subject: ` and a word fit into one line."""
ROOM = (LONGEST_WORD - len(b"=??B??=") - len(CHARSET)) // 4 * 3
"""Octets of text in one encoded word."""

LONGEST_LINE = 900
"""Octets of what is not folded."""

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
SPACES = re.compile(r"[ \t\r\n]+")
BLANK = re.compile(rb"[ \t]+")


def tame(text: str) -> str:
    """One line: every run of control characters is a space."""
    return CONTROLS.sub(" ", text)


def collapsed(text: str) -> str:
    """For comparing: tame, one space between words, none at the ends."""
    return SPACES.sub(" ", tame(text)).strip(" ")


def is_plain(text: str) -> bool:
    """Whether it may stand in a header as it is, be read as it stands, and be folded: ASCII, no controls, no encoded
    word, no word of endless length."""
    if not text.isascii() or "=?" in text or CONTROLS.search(text):
        return False
    return max(map(len, text.split(" "))) <= LONGEST_WORD


def encoded(text: str) -> bytes:
    """`text` as it stands where that is safe; else as encoded words with a space between them."""
    text = tame(text)
    if is_plain(text):
        return text.encode("ascii")
    return b" ".join(word(piece) for piece in cut(text))


def word(piece: bytes) -> bytes:
    return b"=?%s?B?%s?=" % (CHARSET, b64encode(piece))


def cut(text: str) -> list[bytes]:
    """UTF-8 in pieces of at most ROOM octets, never in the middle of a character."""
    octets = text.encode("utf-8")
    out = []
    start = 0
    while start < len(octets):
        stop = min(start + ROOM, len(octets))
        while stop < len(octets) and octets[stop] & 0xC0 == 0x80:
            stop -= 1
        out.append(octets[start:stop])
        start = stop
    return out


def field(name: bytes, value: bytes) -> bytes:
    """A whole header field, folded before words where a line would grow longer than COLUMNS, with its CRLF.

    A word longer than that stands on a line of its own; the octets between words are kept.
    """
    lines = [name + b":"]
    for blank, piece in split(value):
        if len(lines[-1]) + len(blank) + len(piece) > COLUMNS and lines[-1] != name + b":":
            lines.append(blank + piece)
        else:
            lines[-1] += blank + piece
    return b"\r\n".join(lines) + b"\r\n"


def split(value: bytes) -> list[tuple[bytes, bytes]]:
    """(blank before it, word) for each word of an unfolded value; the first blank is one space."""
    value = value.strip(b" \t\r\n")
    blanks = [b" ", *BLANK.findall(value)]
    return list(zip(blanks, BLANK.split(value), strict=True)) if value else []


def word_list(text: str) -> bytes:
    """`text` as encoded words, at least one, also where it is ASCII: for a place in which specials would count."""
    return b" ".join(word(piece) for piece in cut(text) or [b""])


def is_plain_word(octets: bytes) -> bool:
    """Printable ASCII without blanks, of a length that a header line has room for."""
    if len(octets) >= LONGEST_LINE or not octets.isascii():
        return False
    return octets.decode("ascii").isprintable() and b" " not in octets
