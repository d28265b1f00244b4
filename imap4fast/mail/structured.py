"""Values of structured MIME fields, as `text/plain; charset=utf-8`: read tolerantly, what is odd named, and printed.

    value     = main *( ";" parameter )          ; RFC 2045 section 5.1
    parameter = token "=" ( token / quoted-string )

The reading is ours, made to see what others may see differently: `faults` names each place where another parser could
read another thing. Time is linear in the value, whatever it holds (T-M18).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

from imap4fast._wire import decode_text

TOKEN = rb"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]++"
QUOTED = rb'"(?:[ !#-\[\]-~]|\\[ -~])*+"'
BEGINNING = rb"[ \t]*+%(t)s(?:/%(t)s)?(?:[ \t]*+;[ \t]*+%(t)s=(?:%(t)s|%(q)s))*+" % {b"t": TOKEN, b"q": QUOTED}
CONFORMING = re.compile(BEGINNING)
EIGHT_BIT_AS_X = bytes(range(128)) + b"x" * 128
STRICT = re.compile(BEGINNING + rb"[ \t]*+;?+[ \t]*+")
"""Possessive throughout, so that no value makes them try twice."""
STRICT_PARAMETER = re.compile(rb";[ \t]*(%s)=(%s|%s)" % (TOKEN, TOKEN, QUOTED))
QUOTED_SOMEHOW = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
PIECE = re.compile(rb'"(?:[^"\\]|\\.)*+"|\\.|["();\\]|[^"();\\]+', re.DOTALL)
PAIR = re.compile(rb"\\(.)", re.DOTALL)
IS_TOKEN = re.compile(TOKEN)
IS_QUOTED = re.compile(QUOTED)
NEXT = re.compile(rb"[ \t]*(%s=.*)" % TOKEN, re.DOTALL)
ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
MAIN = re.compile(rb"([^ \t;]+)[ \t]+(%s=.*)" % TOKEN, re.DOTALL)
CONTROLS = bytes(range(32)) + b"\x7f"

UNESCAPED = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
SHORT = 400
MOST = 200
"""Parameters of one value; further ones are not read, and the value has a fault."""

COMMENT = "comment"
QUOTE = "quote"
SPECIAL = "special"
SEMICOLON = "semicolon"
JUNK = "junk"


class Parameter(NamedTuple):
    """`name` in lower case, with what RFC 2231 adds to it; `value` without its quotes. `bare`: it has blanks or
    specials in it, and had no quotes."""

    name: bytes
    value: bytes
    bare: bool = False


class Value(NamedTuple):
    """`main` in lower case; `faults`: COMMENT (a comment, closed or not), QUOTE (a quote that does not close, or text
    behind one), SPECIAL (blanks or specials in an unquoted value), SEMICOLON (one is missing), JUNK (no parameter)."""

    main: bytes
    parameters: tuple[Parameter, ...]
    faults: frozenset[str]

    def all(self, name: bytes) -> list[bytes]:
        """The values of that plain name, as written."""
        return [each.value for each in self.parameters if each.name == name]

    def names(self) -> list[bytes]:
        """Names without what RFC 2231 adds."""
        return [each.name.partition(b"*")[0] for each in self.parameters]

    def joined(self, name: bytes) -> bytes:
        """What RFC 2231 has of that name: its sections joined and decoded, UTF-8; b"" where there are none."""
        pieces = {each.name: each.value for each in reversed(self.parameters) if each.name.startswith(name + b"*")}
        if whole := pieces.get(name + b"*"):
            return recoded(whole)
        out: list[bytes] = []
        extended = False
        while len(out) < len(pieces):
            key = b"%s*%d" % (name, len(out))
            if key + b"*" in pieces:
                extended = True
                out.append(pieces[key + b"*"])
            elif key in pieces:
                out.append(pieces[key].replace(b"%", b"%25"))
            else:
                break
        said = b"".join(out)
        return recoded(said) if extended else said.replace(b"%25", b"%")


def parse(value: bytes) -> Value:
    """The reading of an unfolded value."""
    return remembered(value) if len(value) < SHORT else read(value)


@functools.lru_cache(1024)
def remembered(value: bytes) -> Value:
    """Most mails have the same few values, and each is asked about several times."""
    return read(value)


def read(value: bytes) -> Value:
    if STRICT.fullmatch(value):
        found = STRICT_PARAMETER.findall(value)
        parameters = tuple(Parameter(name.lower(), unquoted(said)) for name, said in found)
        return Value(value.partition(b";")[0].strip(b" \t").lower(), parameters, frozenset())
    faults: set[str] = set()
    first, *others = segments(value, faults)
    main = first.strip(b" \t")
    if cut := MAIN.fullmatch(main):
        faults.add(SEMICOLON)
        main, others = cut[1], [cut[2], *others]
    if others and not others[-1].strip(b" \t"):
        others.pop()
    return Value(main.lower(), tuple(parameters_of(others, faults)), frozenset(faults))


def faults(value: bytes) -> frozenset[str]:
    """Those of a value in which 8-bit characters count as letters: they are `header-8bit-chars`' business."""
    return parse(value).faults if value.isascii() else parse(value.translate(EIGHT_BIT_AS_X)).faults


def segments(value: bytes, faults: set[str]) -> list[bytes]:
    """What stands between semicolons, outside of quoted strings, without comments. A quote that does not close is a
    character; a comment that does not close goes to the end."""
    out = [bytearray()]
    depth = 0
    for piece in PIECE.findall(value):
        if piece == b"(":
            depth += 1
            faults.add(COMMENT)
        elif piece == b")" and depth:
            depth -= 1
        elif depth:
            continue
        elif piece == b";":
            out.append(bytearray())
        else:
            if piece == b'"':
                faults.add(QUOTE)
            out[-1] += piece
    return [bytes(segment) for segment in out]


def parameters_of(others: list[bytes], faults: set[str]) -> list[Parameter]:
    out: list[Parameter] = []
    waiting = others[::-1]
    while waiting and len(out) < MOST:
        name, equals, said = waiting.pop().partition(b"=")
        name, said = name.strip(b" \t").lower(), said.strip(b" \t")
        if not equals or not IS_TOKEN.fullmatch(name):
            faults.add(JUNK)
            continue
        value, rest = value_of(said, faults)
        out.append(Parameter(name, value, value == said and not IS_TOKEN.fullmatch(said)))
        if rest:
            waiting.append(rest)
    if waiting:
        faults.add(JUNK)
    return out


def value_of(said: bytes, faults: set[str]) -> tuple[bytes, bytes]:
    """The value, and a parameter that follows it without a semicolon."""
    if whole := QUOTED_SOMEHOW.match(said):
        rest = said[whole.end() :]
        if not rest:
            if not IS_QUOTED.fullmatch(said):
                faults.add(SPECIAL)
            return unquoted(said), b""
        if following := NEXT.fullmatch(rest):
            faults.add(SEMICOLON)
            return unquoted(whole[0]), following[1]
        faults.add(QUOTE)
        return unquoted(whole[0]), b""
    if said.startswith(b'"'):
        faults.add(QUOTE)
        return unquoted(said + b'"'), b""
    if not IS_TOKEN.fullmatch(said):
        faults.add(SPECIAL)
    return said, b""


def unquoted(said: bytes) -> bytes:
    """A token as it stands, a quoted string without quotes and backslashes."""
    if not said.startswith(b'"'):
        return said
    return PAIR.sub(rb"\1", said[1:-1]) if b"\\" in said else said[1:-1]


def shortened(value: bytes) -> bytes:
    """As much of a value, from its beginning, as conforms to the grammar: main value and whole parameters."""
    found = CONFORMING.match(value)
    return found[0].strip(b" \t") if found else b""


def printed(main: bytes, parameters: Iterable[Parameter]) -> bytes:
    """The value in plain form: tokens where they suffice, else quoted strings; control characters are left out."""
    return b"; ".join([main, *(each.name + b"=" + quoted(each.value) for each in parameters)])


def quoted(value: bytes) -> bytes:
    value = value.translate(None, CONTROLS)
    if IS_TOKEN.fullmatch(value):
        return value
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def recoded(said: bytes) -> bytes:
    """`charset'language'text` as UTF-8; text alone counts as UTF-8."""
    charset, quote, rest = said.partition(b"'")
    text = rest.partition(b"'")[2] if quote else said
    octets = ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), text)
    return decode_text(octets, charset if quote else b"utf-8").encode("utf-8", "replace")


def extended(text: str) -> bytes:
    """`text` as a value of RFC 2231 section 4."""
    octets = text.encode("utf-8", "replace")
    return b"utf-8''" + b"".join(b"%c" % each if each in UNESCAPED else b"%%%02X" % each for each in octets)
