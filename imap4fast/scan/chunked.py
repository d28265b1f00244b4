"""Chunked transfer coding (RFC 9112 section 7.1) as it comes: what is in it goes to a sink, piece by piece."""

from __future__ import annotations

from collections.abc import Callable

MOST_LINE = 1024
MOST_TRAILER = 8192
_DIGITS = frozenset(b"0123456789abcdefABCDEF")


class Chunked:
    """`done` at the end of the trailer; what came behind it is in `rest`. `fault`: this is not chunked."""

    def __init__(self, sink: Callable[[bytes], object]) -> None:
        self.done = False
        self.fault = False
        self.rest = b""
        self._sink = sink
        self._line = bytearray()
        self._left = 0
        self._read_line = self._size_line
        self._trailer = 0

    def feed(self, octets: bytes) -> None:
        while octets and not self.done and not self.fault:
            octets = self._data(octets) if self._left else self._one_line(octets)
        if self.done:
            self.rest += octets[:1]

    def _data(self, octets: bytes) -> bytes:
        piece = octets[: self._left]
        self._left -= len(piece)
        self._sink(piece)
        return octets[len(piece) :]

    def _one_line(self, octets: bytes) -> bytes:
        upto, newline, more = octets.partition(b"\n")
        self._line += upto[: MOST_LINE + 1]
        if len(self._line) > MOST_LINE:
            self.fault = True
        elif newline:
            line = bytes(self._line)
            self._line.clear()
            self.fault = not line.endswith(b"\r") or not self._read_line(line[:-1])
        return more

    def _size_line(self, line: bytes) -> bool:
        """`chunk-size [ chunk-ext ]`; extensions mean nothing to us."""
        digits = line.partition(b";")[0].rstrip(b" \t")
        if not 0 < len(digits) <= 12 or not _DIGITS.issuperset(digits):
            return False
        self._left = int(digits, 16)
        self._read_line = self._data_end if self._left else self._trailer_line
        return True

    def _data_end(self, line: bytes) -> bool:
        self._read_line = self._size_line
        return line == b""

    def _trailer_line(self, line: bytes) -> bool:
        self._trailer += len(line) + 2
        self.done = line == b""
        return self._trailer <= MOST_TRAILER
