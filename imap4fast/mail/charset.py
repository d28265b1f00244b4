"""Text out of octets, whatever charset they are said to be in (protocol.md T-M32, T-M33).

Never raises: a wrong, unknown or missing name leads to a guess, and what no charset explains becomes U+FFFD. Names are
looked up in Python's codecs, but only those that make text of octets.
"""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_ALIASES = {
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "iso-8859-1": "windows-1252",
    "latin1": "windows-1252",
    "iso-8859-9": "windows-1254",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "big5": "big5hkscs",
    "tis-620": "cp874",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "unicode": "utf-16",
    "ucs-2": "utf-16",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
    "iso-2022-cn": "gb18030",
    "x-user-defined": "windows-1252",
    "utf-8mb4": "utf-8",
}
"""Names that Python does not know, and those that mail programs take for a larger charset (the Encoding Standard)."""

_META = re.compile(rb"<meta[^>]{0,512}?charset\s{0,8}=\s{0,8}[\"']?\s{0,8}([A-Za-z0-9._:+-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"\A\s{0,64}<\?xml[^>]{0,256}?encoding\s{0,8}=\s{0,8}[\"']([A-Za-z0-9._:+-]{2,40})")
_LOOKED_AT = 4096
_ISO_2022 = re.compile(rb"\x1b(?:\$[@B]|\([BJI]|\$\([CD]|\$\)C|\$\)A|&@)")


def codec(name: str | None) -> str | None:
    """The name of Python's codec for a charset's name as it stands in a mail; None for one that is not known."""
    plain = (name or "").strip(" \t\"'").lower()
    plain = _ALIASES.get(plain.replace("_", "-"), _ALIASES.get(plain, plain))
    if not plain.isascii() or "\0" in plain:
        return None
    try:
        b"a".decode(plain, "replace")
        found = codecs.lookup(plain).name
    except (LookupError, ValueError):
        return None
    return None if found.replace("-", "_") in _NO_CHARSETS else found


_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "charmap"})
"""Python calls these text encodings; `unicode_escape` would let a mail say `\\x3c`."""


def text(octets: bytes, declared: str | None) -> str:
    """The octets as text. What a byte order mark says comes first, then the declared charset, then a guess."""
    marked = next((mark for mark in _BOMS if octets.startswith(mark[0])), None)
    if marked:
        return octets[len(marked[0]) :].decode(marked[1], "replace")
    name = codec(declared)
    if name is None or not _fits(octets, name):
        name = guess(octets, name)
    return _decoded(octets, name)


def guess(octets: bytes, declared: str | None = None) -> str:
    """The charset of text without a (true) declaration: wide, ISO-2022, UTF-8, else `declared`, else windows-1252."""
    if wide := _wide(octets):
        return wide
    if b"\x1b" in octets and _ISO_2022.search(octets):
        return "iso2022_kr" if b"\x1b$)C" in octets else "iso2022_jp_2"
    if _decodes(octets, "utf-8"):
        return "utf-8"
    return declared if declared and not declared.startswith(("utf-8", "utf-16", "utf-32", "utf-7")) else "cp1252"


def html(octets: bytes, declared: str | None) -> str:
    """As `text`; without a charset declared outside, the one that the document itself names comes before a guess."""
    if codec(declared) is None:
        declared = _named_inside(octets)
    return text(octets, declared)


def _named_inside(octets: bytes) -> str | None:
    found = _XML.match(octets) or _META.search(octets, 0, _LOOKED_AT)
    named = found[1].decode("ascii") if found else None
    # The Encoding Standard: a document whose octets could be read that far is not in a wide charset.
    return "utf-8" if (codec(named) or "").startswith(("utf-16", "utf-32")) else named


def _fits(octets: bytes, name: str) -> bool:
    """Whether text in `name` can look like this: a declared narrow charset does not hold every second octet NUL."""
    if name.startswith(("utf-16", "utf-32")):
        return b"\0" in octets or not octets.isascii()
    if _wide(octets):
        return False
    return name in _FORGIVING or _decodes(octets, name)


_FORGIVING = frozenset({"cp1252", "utf-7", "iso2022_jp", "iso2022_jp_2", "iso2022_kr", "hz"})
"""Charsets that are taken at their word, with some octets wrong."""


def _wide(octets: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, by where the NULs of Latin letters and markup stand."""
    start = octets[:_LOOKED_AT]
    start = start[: len(start) // 4 * 4] or start
    if start.count(0) * 3 < len(start) or not start:
        return None
    first, second, third, fourth = (start[place::4].count(0) * 2 > len(start) // 4 for place in range(4))
    return _WIDE.get((first, second, third, fourth))


_WIDE = {
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
}


def _decodes(octets: bytes, name: str) -> bool:
    try:
        octets.decode(name)
    except (UnicodeError, ValueError):
        return False
    return True


def _decoded(octets: bytes, name: str) -> str:
    try:
        decoded = octets.decode(name, "replace")
    except (UnicodeError, ValueError, IndexError):
        return octets.decode("utf-8", "replace")
    return _SURROGATE.sub("\ufffd", decoded) if name == "utf-7" else decoded


_SURROGATE = re.compile("[\ud800-\udfff]")
