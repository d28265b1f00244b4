"""Text of configuration files and places in it."""

from __future__ import annotations

from bisect import bisect_right

import msgspec


class Source:
    """One file's text. Offsets count characters from 0, lines and columns from 1."""

    __slots__ = ("_starts", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._starts = [0]
        self._starts.extend(at + 1 for at, char in enumerate(text) if char == "\n")

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of `offset`."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line without its end."""
        start = self._starts[number - 1]
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[start:end].removesuffix("\r")


class Span(msgspec.Struct, frozen=True, eq=False):
    """Characters `start` to `end` (exclusive) of `source`."""

    source: Source
    start: int
    end: int

    def to(self, last: Span) -> Span:
        """From the start of this to the end of `last`, both of one source."""
        return Span(self.source, self.start, last.end)

    def after(self) -> Span:
        """The empty place right behind this."""
        return Span(self.source, self.end, self.end)

    def where(self) -> str:
        """`FILE:LINE:COLUMN`."""
        line, column = self.source.position(self.start)
        return f"{self.source.path}:{line}:{column}"
