"""Files inside text: uuencode and its base64 kind, yEnc, BinHex 4.0, `data:` URLs, parts of mails (T-M29, T-M37).

Mail programs offer such files as attachments, or their users have programs that do, so a scanner has to see them
decoded. One pass each, linear in the text whatever it holds, and no more octets out than the caller allows.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Iterator
from mmap import mmap

from imap4fast._wire import MARK_BEGIN, MARK_BINHEX, MARK_DATA, MARK_ENCODING, text_marks
from imap4fast.mail.transfer import encodings, readings, tolerant_base64, uu_begin, uudecoded


class TooMuch(Exception):  # noqa: N818 -- a bound, and the caller says what it means
    """The files in the text are larger than the caller allows."""


_Kind = Callable[[bytes | mmap, int], Iterator[tuple[str, bytes]]]

HQX_MARK = b"(This file must be converted with BinHex"
HQX_HEADER = 512
"""More than name, sizes and sums of a BinHex file come to."""

DOCUMENT_LOOKED_AT = 512
"""Octets with a NUL among the first are a document only if they begin like one, NULs aside."""
DOCUMENT_BEGINS_IN = 65536
DOCUMENT_BEGINS_BY = 128
"""Octets that show it."""

_BEGIN_BASE64 = re.compile(rb"^begin-base64[ \t]++[0-7]{3,6}[ \t]*+([^\r\n]*+)\r?\n", re.MULTILINE)
_END_BASE64 = re.compile(rb"\n(?:====|begin-base64)")
_YENC = re.compile(rb"^=ybegin ([^\r\n]*+)\r?\n(?:=ypart [^\r\n]*+\r?\n)?", re.MULTILINE)
_YEND = re.compile(rb"^=yend", re.MULTILINE)
_UNYENC = bytes((value - 42) & 255 for value in range(256))
_UNYENC_ESCAPED = bytes((value - 64 - 42) & 255 for value in range(256))
_HQX = re.compile(rb"[\r\n][ \t]*:([^:]*)")
_HQX_LETTERS = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
_BASE64_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_FROM_HQX = bytes.maketrans(_HQX_LETTERS, _BASE64_LETTERS)
_NO_HQX = bytes(set(range(256)) - set(_HQX_LETTERS))
_DATA_URL = re.compile(rb"data:([^,:\"'<>]{0,256}),([^\"'<>\s)]*(?:\s+[A-Za-z0-9+/=%]+)*)", re.IGNORECASE)
_ENCODING = re.compile(rb"^content-transfer-encoding[ \t]*+:((?:[^\r\n]|\r?\n[ \t])*+)", re.IGNORECASE | re.MULTILINE)
_BLANK = re.compile(rb"\r?\n\r?\n")
_NO_FIELD = re.compile(rb"^(?![!-9;-~]++[ \t]*+:)[^ \t\r\n]", re.MULTILINE)
_DELIMITER = re.compile(rb"\r?\n(?:--[^\s]|content-transfer-encoding)", re.IGNORECASE)
_DOCUMENT = re.compile(rb"\s*+(?:<|>?From |[!-9;-~]++[ \t]*+:)")
_NO_BOM = bytes.maketrans(b"\xfe\xff\xef\xbb\xbf", b" " * 5)
_BASE64_AT_END = re.compile(rb";[\s]*base64[\s]*\Z", re.IGNORECASE)


def suspected(octets: bytes | mmap, documents: bool = True) -> bool:
    """Whether there may be a file in the text; asked of every part, so no more than a search for marks."""
    return next(_kinds(octets, documents), None) is not None


def found(octets: bytes | mmap, limit: int, documents: bool = True) -> Iterator[tuple[str, bytes]]:
    """Each file in the text with the name it is given there.

    With `documents` the text may be a document or mail that stands by itself, with `data:` URLs and parts of its own.

    Raises TooMuch over `limit` octets in all.
    """
    left = limit
    for kind, text in _kinds(octets, documents):
        for name, content in kind(text, left):
            left -= len(content)
            if left < 0:
                raise TooMuch
            yield name, content


def _kinds(octets: bytes | mmap, documents: bool) -> Iterator[tuple[_Kind, bytes | mmap]]:
    """What may be there and in which octets, by marks that cost next to nothing to look for in text that has none."""
    text = without_nuls(octets) if documents and begins_document(octets) else octets
    marks = text_marks(text, documents and text.find(b"\0", 0, DOCUMENT_LOOKED_AT) < 0)
    if marks & MARK_BEGIN:
        if uu_begin(text):
            yield _uuencode, text
        if text.find(b"begin-base64") >= 0:
            yield _begin_base64, text
        if text.find(b"=ybegin ") >= 0:
            yield _yenc, text
    if marks & MARK_BINHEX:
        yield _binhex, text
    if marks & MARK_DATA:
        yield _data_urls, text
    if marks & MARK_ENCODING:
        yield _parts, text


def begins_document(octets: bytes | mmap) -> bool:
    """Whether octets begin as mail or HTML does, NULs aside and so in whatever width of letters."""
    head = octets[:DOCUMENT_LOOKED_AT].translate(_NO_BOM, b"\0")
    if len(head.lstrip()) < DOCUMENT_BEGINS_BY:
        head = octets[:DOCUMENT_BEGINS_IN].translate(_NO_BOM, b"\0")
    return _DOCUMENT.match(head) is not None


def without_nuls(octets: bytes | mmap) -> bytes | mmap:
    """A document as its reader may take it: NULs hide fields and addresses from others (T-M05, T-M20)."""
    return octets if octets.find(b"\0") < 0 else octets[:].translate(None, b"\0")


def _uuencode(octets: bytes | mmap, _limit: int) -> Iterator[tuple[str, bytes]]:
    at = 0
    while file := uudecoded(octets, at):
        name, content, at = file
        if content:
            yield name, content


def _begin_base64(octets: bytes | mmap, _limit: int) -> Iterator[tuple[str, bytes]]:
    for begin in _BEGIN_BASE64.finditer(octets):
        end = _END_BASE64.search(octets, begin.end() - 1)
        yield _name(begin[1]), tolerant_base64(octets[begin.end() : end.start() if end else len(octets)])


def _yenc(octets: bytes | mmap, _limit: int) -> Iterator[tuple[str, bytes]]:
    at = 0
    while begin := _YENC.search(octets, at):
        end = _YEND.search(octets, begin.end())
        at = end.start() if end else len(octets)
        yield _name(begin[1].rpartition(b"name=")[2]), _unyenced(octets[begin.end() : at])


def _unyenced(lines: bytes) -> bytes:
    """`=` says that the next octet was moved by 64 more; all octets are moved by 42."""
    unbroken = lines.translate(None, b"\r\n")
    content = bytearray()
    at = 0
    while (sign := unbroken.find(b"=", at)) >= 0:
        content += unbroken[at:sign].translate(_UNYENC)
        content += unbroken[sign + 1 : sign + 2].translate(_UNYENC_ESCAPED)
        at = sign + 2
    content += unbroken[at:].translate(_UNYENC)
    return bytes(content)


def _binhex(octets: bytes | mmap, limit: int) -> Iterator[tuple[str, bytes]]:
    at = octets.find(HQX_MARK)
    while at >= 0 and (body := _HQX.search(octets, at)):
        letters = body[1].translate(None, _NO_HQX)
        unpacked = _runs(tolerant_base64(letters.translate(_FROM_HQX)), limit + HQX_HEADER)
        yield from _forks(unpacked)
        at = octets.find(HQX_MARK, body.end())


def _runs(packed: bytes, limit: int) -> bytes:
    """BinHex's run lengths: an octet, 0x90, how often it stands there; 0x90 0 is 0x90 itself."""
    content = bytearray()
    at = 0
    while (mark := packed.find(b"\x90", at)) >= 0:
        content += packed[at:mark]
        count = packed[mark + 1] if mark + 1 < len(packed) else 0
        content += b"\x90" if count == 0 else content[-1:] * (count - 1)
        at = mark + 2
        if len(content) > limit:
            raise TooMuch
    content += packed[at:]
    return bytes(content)


def _forks(unpacked: bytes) -> Iterator[tuple[str, bytes]]:
    """Header: name with its length before it, version, type, creator, flags, sizes of data and resource fork, CRC."""
    size = unpacked[0] if unpacked else 0
    name, sizes = _name(unpacked[1 : 1 + size]), unpacked[size + 12 : size + 20]
    data, resource = int.from_bytes(sizes[:4]), int.from_bytes(sizes[4:])
    start = size + 22
    fork = unpacked[start : start + data]
    yield name, fork
    if resource:
        yield name, unpacked[start + data + 2 : start + data + 2 + resource]
    if len(fork) < data or not sizes:
        yield name, unpacked


def _data_urls(octets: bytes | mmap, _limit: int) -> Iterator[tuple[str, bytes]]:
    for url in _DATA_URL.finditer(octets):
        is_base64 = _BASE64_AT_END.search(url[1])
        # Without either it is text as it stands, which its reader has seen.
        if is_base64 or b"%" in url[2]:
            content = urllib.parse.unquote_to_bytes(url[2])
            yield "data:", tolerant_base64(content) if is_base64 else content


def _parts(octets: bytes | mmap, _limit: int) -> Iterator[tuple[str, bytes]]:
    """Bodies behind each Content-Transfer-Encoding of a mail that is itself content, whatever its structure is."""
    end = 0
    contents: list[bytes] = []
    known: set[tuple[str, ...]] = set()
    for field in _ENCODING.finditer(octets):
        if end < field.end():
            known.clear()
            blank = _BLANK.search(octets, field.end())
            end = blank.end() if blank else len(octets)
            contents = list(_bodies(octets, field.end(), end))
        if (words := encodings(field[1])) in known:
            continue
        known.add(words)
        for content in contents:
            seen = readings(content, field[1])
            yield from (("mail", reading) for reading in seen if reading != content or b"\0" in content)


def _bodies(octets: bytes | mmap, field: int, start: int) -> Iterator[bytes]:
    """What stands behind the header in which a field ends at `field`, and, where a line before that is no field of a
    header, from that line on."""
    odd = _NO_FIELD.search(octets, field, start)
    for begin in (start, odd.start()) if odd else (start,):
        delimiter = _DELIMITER.search(octets, begin)
        yield octets[begin : delimiter.start() if delimiter else len(octets)]


def _name(octets: bytes) -> str:
    return octets.strip(b' \t"').decode("latin-1")
