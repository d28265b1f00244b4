"""Transfer encodings of a part, in all the ways in which a reader of mail may take them (RFC 2045 section 6).

A scanner and a mail program that decode the same octets differently are an open door (protocol.md T-M05 to T-M08,
T-M28). `readings` gives every plausible result; of a part whose encoding is declared and kept as the RFC says there is
exactly one, at the cost of one decoding. Knows nothing of headers but the value of Content-Transfer-Encoding.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from mmap import mmap

import pybase64

from imap4fast._wire import clean_quoted

Octets = bytes | bytearray | memoryview

BASE64 = "base64"
QUOTED = "quoted-printable"
UUENCODE = "uuencode"
PLAIN = "plain"

SLICE = 1 << 20
"""Octets that are edited at once, so that what regular expressions need meanwhile is bounded."""

EXACT = {
    b"": (PLAIN,),
    b"7bit": (PLAIN,),
    b"8bit": (PLAIN,),
    b"binary": (PLAIN,),
    b"base64": (BASE64,),
    b"quoted-printable": (QUOTED,),
}
UNKNOWN = (PLAIN, BASE64, QUOTED)
"""A mail program that does not know an encoding shows the octets, or tries."""

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NO_LETTER = bytes(set(range(256)) - set(_ALPHABET))
_NO_LETTER_OR_PAD = bytes(set(_NO_LETTER) - set(b"="))
_URL_SAFE = bytes.maketrans(b"-_", b"+/")

_COMMENT = re.compile(rb"\([^()]*\)")
_NO_WORD = re.compile(rb"[^a-z0-9]+")
_STRICT_BASE64 = re.compile(rb"[A-Za-z0-9+/]*+={0,2}")
_BETWEEN_PADS = re.compile(rb"[^=]+")
_LINE = re.compile(rb"[^\r\n]+")
_ODD_QUOTED = re.compile(rb"=(?![0-9A-F]{2}|\r?\n)")
_TOLERATED_QUOTED = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n)")
_SPACE_AT_END = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")
_UU_BEGIN = re.compile(rb"begin[ \t]++[0-7]{3,6}[ \t]*+([^\r\n]*+)\r?\n")


def encodings(header: bytes) -> tuple[str, ...]:
    """The encodings that a field's value may be read as, the likeliest first; one alone where it is as the RFC says."""
    value = header.lower()
    if value.strip(b"\r\n").lstrip() in EXACT:
        return EXACT[value.strip(b"\r\n").lstrip()]
    words = {_NO_WORD.sub(b"", _COMMENT.sub(b"", value)), _NO_WORD.sub(b"", value)}
    found = [name for name, sign in _SIGNS if any(sign in word for word in words)]
    if found:
        return (*found, PLAIN)
    return (PLAIN,) if words <= _PLAIN_WORDS else UNKNOWN


_SIGNS = ((BASE64, b"base64"), (QUOTED, b"quotedprintable"), (UUENCODE, b"uue"))
_PLAIN_WORDS = {b"", b"7bit", b"8bit", b"binary"}


def readings(octets: Octets, encoding_header: bytes, *more: bytes) -> list[bytes]:
    """Every plausible decoding, without repetition, the usual one first.

    `encoding_header` is the value of Content-Transfer-Encoding, b"" where there is none; `more` are those of further
    fields of that name (T-M04).
    """
    data = bytes(octets)
    if not more and len(names := encodings(encoding_header)) == 1:
        readings = _DECODERS[names[0]](data)
        if len(readings) == 1:
            return readings
    found: dict[bytes, None] = {}
    for header in (encoding_header, *more):
        for name in encodings(header):
            found.update(dict.fromkeys(_DECODERS[name](data)))
    return list(found)


def head(octets: Octets, encoding_header: bytes, size: int) -> bytes:
    """The first `size` octets of the usual reading, without decoding much more than is asked for."""
    start = bytes(octets[: 4 * size + 1024])
    return _DECODERS[encodings(encoding_header)[0]](start)[0][:size]


def pieces(octets: Octets, encoding_header: bytes, size: int = SLICE) -> Iterator[bytes] | None:
    """The one reading piece by piece, for parts that are too large to be held twice. None: there may be more than one.

    Consumed to the end the iterator has given the whole reading, or ended early with `NotClean`.
    """
    names = encodings(encoding_header)
    decode = _IN_PIECES.get(names[0]) if len(names) == 1 else None
    if decode is None:
        return None
    if decode is not _as_it_is:
        start = bytes(octets[: 2 * size])
        start = start if len(start) == len(octets) else _whole_lines(start)
        if (octets and not start) or decode(start) is None:
            return None
    return _pieces(octets, decode, 1 if names[0] != BASE64 else 3, size)


class NotClean(Exception):  # noqa: N818 -- it says that another way has to be taken, not that something is wrong
    """The rest of the part has more than one reading."""


def _pieces(octets: Octets, decode: Callable[[bytes], bytes | None], unit: int, size: int) -> Iterator[bytes]:
    """`unit`: what all pieces but the last are a multiple of."""
    at = 0
    while at < len(octets):
        piece = bytes(octets[at : at + size])
        if at + size < len(octets) and decode is not _as_it_is:
            piece = _whole_lines(piece)
        decoded = decode(piece)
        if decoded is None or not piece or (len(decoded) % unit and at + len(piece) < len(octets)):
            raise NotClean
        yield decoded
        at += len(piece)


def windows(octets: Octets, encoding_header: bytes, overlap: int) -> Iterator[bytes]:
    """All readings for one who looks for something no longer than `overlap`: a large one in windows."""
    found = pieces(octets, encoding_header) if len(octets) > SLICE else None
    if found is not None:
        window = b""
        try:
            for piece in found:
                window = window[-overlap:] + piece
                yield window
        except NotClean:
            pass
        else:
            return
    yield from readings(octets, encoding_header)


def _as_it_is(octets: bytes) -> bytes:
    return octets


def _whole_lines(octets: bytes) -> bytes:
    return octets[: octets.rfind(b"\n") + 1]


def clean_base64(octets: bytes) -> bytes | None:
    """Decoded, where the octets are base64 in lines and nothing else; None where there could be two opinions.

    Every letter gives three quarters of an octet, so a length that fits shows that nothing was left out.
    """
    try:
        decoded = pybase64.b64decode(octets)
    except binascii.Error:
        return None
    letters = len(octets) - 2 * octets.count(b"\n")
    pads = octets.endswith(b"=") + octets.endswith(b"==") if octets[-1:] != b"\n" else _pads(octets)
    if letters % 4 == 0 and len(decoded) == letters // 4 * 3 - pads:
        return decoded
    letters = len(octets) - octets.count(b"\n") - octets.count(b"\r")
    return decoded if letters % 4 == 0 and len(decoded) == letters // 4 * 3 - pads else None


def _pads(octets: bytes) -> int:
    end = octets[-80:].rstrip(b"\r\n")
    return 2 if end.endswith(b"==") else int(end.endswith(b"="))


def _base64(octets: bytes) -> list[bytes]:
    clean = clean_base64(octets)
    return [clean] if clean is not None else [*_unclean_base64(octets), octets]


def _unclean_base64(octets: bytes) -> Iterator[bytes]:
    """Junk left out: up to the first pad, each stretch between pads by itself, pads as junk; then up to the first junk,
    the URL-safe letters, and each line by itself.
    """
    padded = octets.translate(None, _NO_LETTER_OR_PAD).lstrip(b"=")
    yield tolerant_base64(padded.partition(b"=")[0])
    yield _joined(_BETWEEN_PADS, padded)
    yield tolerant_base64(padded)
    unbroken = octets.translate(None, b"\r\n")
    strict = _STRICT_BASE64.match(unbroken)
    yield tolerant_base64(strict[0] if strict else b"")
    if b"-" in octets or b"_" in octets:
        yield tolerant_base64(octets.translate(_URL_SAFE))
    yield _joined(_LINE, octets)


def _joined(pattern: re.Pattern[bytes], octets: bytes) -> bytes:
    joined = bytearray()
    for match in pattern.finditer(octets):
        joined += tolerant_base64(match[0])
    return bytes(joined)


def tolerant_base64(octets: bytes) -> bytes:
    """All base64 letters decoded as one row; everything else, pads too, is left out, and so is a last single letter."""
    letters = octets.translate(None, _NO_LETTER)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return pybase64.b64decode(letters + b"=" * (-len(letters) % 4))


def _quoted(octets: bytes) -> list[bytes]:
    clean = clean_quoted(octets)
    if clean is not None:
        return [clean]
    tight = _sliced(octets, lambda piece: _SPACE_AT_END.sub(b"", piece))
    strict = _sliced(octets, lambda piece: _ODD_QUOTED.sub(b"=3D", piece))
    bare = _sliced(tight, lambda piece: _TOLERATED_QUOTED.sub(b"", piece))
    return [*map(binascii.a2b_qp, (tight, octets, strict, bare)), octets]


def _sliced(octets: bytes, edit: Callable[[bytes], bytes]) -> bytes:
    """`edit` done to stretches of whole lines; a line longer than a slice is cut."""
    if len(octets) <= SLICE:
        return edit(octets)
    edited = bytearray()
    at = 0
    while at < len(octets):
        piece = octets[at : at + SLICE]
        piece = _whole_lines(piece) or piece
        edited += edit(piece)
        at += len(piece)
    return bytes(edited)


def uu_begin(octets: bytes | mmap, at: int = 0) -> re.Match[bytes] | None:
    """The next line that may begin a uuencoded file; its group 1 is the file's name."""
    begin = _UU_BEGIN.search(octets, at)
    while begin and begin.start() and octets[begin.start() - 1] not in b"\r\n":
        begin = _UU_BEGIN.search(octets, begin.end())
    return begin


def uudecoded(octets: bytes | mmap, at: int = 0) -> tuple[str, bytes, int] | None:
    """The first uuencoded file from `at` on: its name, what is in it, and where it ends. None: there is none.

    A line that cannot belong to it ends it, so a file without its `end` is found too.
    """
    begin = uu_begin(octets, at)
    if not begin:
        return None
    content = bytearray()
    end = begin.end()
    while (stop := octets.find(b"\n", end) + 1 or len(octets)) > end:
        line = _uu_line(octets[end:stop].rstrip(b"\r\n"))
        if line is None:
            break
        content += line
        end = stop
    return begin[1].strip().decode("latin-1"), bytes(content), end


def _uu_line(line: bytes) -> bytes | None:
    """One line: its first letter says how many octets follow; encoders and gateways leave out trailing spaces."""
    if not line or not 32 <= line[0] <= 96:
        return None
    size = (line[0] - 32) & 63
    letters = (size + 2) // 3 * 4
    try:
        return binascii.a2b_uu(line[: letters + 1])
    except binascii.Error:
        return None


def _uuencode(octets: bytes) -> list[bytes]:
    found = uudecoded(octets)
    return [found[1]] if found else [octets]


def _plain(octets: bytes) -> list[bytes]:
    return [octets]


_IN_PIECES: dict[str, Callable[[bytes], bytes | None]] = {
    BASE64: clean_base64,
    QUOTED: clean_quoted,
    PLAIN: _as_it_is,
}
_DECODERS: dict[str, Callable[[bytes], list[bytes]]] = {
    BASE64: _base64,
    QUOTED: _quoted,
    UUENCODE: _uuencode,
    PLAIN: _plain,
}
