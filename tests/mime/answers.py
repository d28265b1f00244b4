"""FETCH answers as values: strings, quoted or literals, are bytes, atoms are str, lists are lists."""

from __future__ import annotations

import re

Value = bytes | str | list["Value"]

_ATOM = re.compile(rb"[^ ()\r\n]+")
_LITERAL = re.compile(rb"~?\{(\d+)\}\r\n")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_NAME = re.compile(rb"[A-Z0-9.]+(?:\[[^\]]*\])?(?:<\d+>)?")


class Answer:
    """Reads one value after the other from `data`."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def value(self) -> Value:
        start = self.data[self.at : self.at + 1]
        if start == b"(":
            return self._list()
        if start == b'"':
            quoted = self._match(_QUOTED)
            return re.sub(rb"\\(.)", rb"\1", quoted[1], flags=re.DOTALL)
        literal = _LITERAL.match(self.data, self.at)
        if literal:
            begin = literal.end()
            self.at = begin + int(literal[1])
            assert self.at <= len(self.data), "a literal that is cut"
            return self.data[begin : self.at]
        return self._match(_ATOM)[0].decode("latin-1")

    def _list(self) -> list[Value]:
        self.at += 1
        found: list[Value] = []
        while True:
            self.at += len(self._spaces())
            if self.data[self.at : self.at + 1] == b")":
                self.at += 1
                return found
            found.append(self.value())

    def _spaces(self) -> bytes:
        rest = self.data[self.at : self.at + 1]
        return b" " if rest == b" " else b""

    def _match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        match = pattern.match(self.data, self.at)
        assert match, self.data[self.at : self.at + 60]
        self.at = match.end()
        return match


def parsed(data: bytes) -> Value:
    """The one value that `data` is."""
    answer = Answer(data)
    value = answer.value()
    assert answer.at == len(data), data[answer.at :]
    return value


def items(unit: bytes) -> dict[bytes, Value]:
    """The items of `* n FETCH (...)` by name."""
    begin = re.match(rb"\* \d+ FETCH \(", unit)
    assert begin, unit[:80]
    answer = Answer(unit)
    answer.at = begin.end()
    found: dict[bytes, Value] = {}
    while unit[answer.at : answer.at + 1] != b")":
        if found:
            answer.at += 1
        name = _NAME.match(unit, answer.at)
        assert name, unit[answer.at : answer.at + 60]
        answer.at = name.end() + 1
        found[name[0]] = answer.value()
    assert answer.at + 1 == len(unit), unit[answer.at :]
    return found
