"""FETCH data of a server (RFC 3501 section 7.4.2), taken apart into items and the text of their values.

Literals stand in the unit as `{n}` CRLF octets, as the relay gathered them; `{=}` stands for one whose octets went
elsewhere, `{-}` for one that was dropped.
"""

from __future__ import annotations

import re

SUNK = b"{=}"
DROPPED = b"{-}"

_HEAD = re.compile(rb"\* [0-9]{1,10} FETCH \(", re.IGNORECASE)
_NAME = re.compile(rb"([A-Za-z0-9.\-]+(?:\[[^\]\x22\r\n]*\])?(?:<[0-9]{1,10}>)?) ")
_QUOTED = re.compile(rb'"(?:[^"\\\r\n]|\\.)*"')
_PIECE = re.compile(rb'[^"(){\r\n]+|[()]|\r\n')
_ATOM = re.compile(rb"[^ ()\"{\r\n]+")
_LITERAL = re.compile(rb"~?\{([0-9]{1,19})\}\r\n")
_MARK = re.compile(rb"\{[=-]\}")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_PLAIN = re.compile(
    _NAME.pattern + rb'([^ ()"{\r\n~][^ ()"{\r\n]*|"[^"\\\r\n]*"|\{[=-]\}|\([^(){"\r\n]*\))(?= |\)\r\n\Z)'
)
"""An item whose value needs no closer look, with what stands behind it."""


class FetchDataError(Exception):
    """The unit is no FETCH data."""


def items_of(unit: bytes) -> list[tuple[bytes, bytes]]:
    """(name in upper case, text of the value) of each item, in their order. Raises FetchDataError."""
    head = _HEAD.match(unit)
    if head is None:
        raise FetchDataError
    at = head.end()
    found: list[tuple[bytes, bytes]] = []
    if unit[at:] == b")\r\n":
        return found
    while True:
        plain = _PLAIN.match(unit, at)
        if plain is not None:
            name, value = plain.groups()
            end = plain.end()
        else:
            name, value, end = _item(unit, at)
        found.append((name.upper(), value))
        if unit[end : end + 1] == b" ":
            at = end + 1
        elif unit[end:] == b")\r\n":
            return found
        else:
            raise FetchDataError


def _item(unit: bytes, at: int) -> tuple[bytes, bytes, int]:
    """Name, value, and where they end."""
    name = _NAME.match(unit, at)
    if name is None:
        raise FetchDataError
    end = _value_end(unit, name.end())
    return name[1], unit[name.end() : end], end


def _value_end(unit: bytes, at: int) -> int:
    first = unit[at : at + 1]
    if first == b"(":
        return _list_end(unit, at)
    if first in (b'"', b"{") or unit[at : at + 2] == b"~{":
        return _string_end(unit, at)
    found = _ATOM.match(unit, at)
    if found is None:
        raise FetchDataError
    return found.end()


def _string_end(unit: bytes, at: int) -> int:
    found = _QUOTED.match(unit, at) or _MARK.match(unit, at)
    if found is not None:
        return found.end()
    found = _LITERAL.match(unit, at)
    if found is None:
        raise FetchDataError
    end = found.end() + int(found[1])
    if end > len(unit):
        raise FetchDataError
    return end


def _list_end(unit: bytes, at: int) -> int:
    depth = 0
    while True:
        if unit[at : at + 1] in (b'"', b"{"):
            at = _string_end(unit, at)
            continue
        found = _PIECE.match(unit, at)
        if found is None:
            raise FetchDataError
        at = found.end()
        if found[0] == b"(":
            depth += 1
        elif found[0] == b")":
            depth -= 1
            if depth == 0:
                return at


def string_of(value: bytes) -> bytes | None:
    """The octets of a string; None for NIL and for anything that is no string."""
    if value[:1] == b'"':
        text = value[1:-1]
        return _ESCAPED.sub(rb"\1", text) if b"\\" in text else text
    found = _LITERAL.match(value)
    return value[found.end() :] if found is not None else None
