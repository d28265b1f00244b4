"""Compressed streams (deflate, gzip, bzip2, xz, lzma), and the budget of one mail under which all is unpacked.

What comes in mail is not believed: neither its sizes nor that there is an end (T-A03). What cannot be read to the end
is noted, so that nobody calls it free.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol, cast

import msgspec

from imap4fast.mail.work import SKIPPED, UNKNOWN

LIMITS = "Heuristics.Limits.Exceeded"
BROKEN = "Heuristics.Broken.Archive"
ENCRYPTED = "Heuristics.Encrypted.Archive"
UNSUPPORTED = "Heuristics.Unsupported.Archive"

FED = 1 << 16
BLOCK = 1 << 20
LZMA_MEMORY = 64 << 20


class LimitsExceeded(Exception):  # noqa: N818 -- a bound was reached; what that means is the engine's to say
    """The mail holds more than its budget allows to unpack."""


class Limits(msgspec.Struct, frozen=True):
    """The most that is unpacked of one mail. Octets of bzip2, xz and lzma count for `slow` each, by the time they take.

    `held` bounds what is kept in memory at once of archives inside archives.
    """

    octets: int = 256 << 20
    held: int = 64 << 20
    members: int = 10_000
    depth: int = 16
    slow: int = 4


class Budget:
    """What is left of the limits for one mail, and what was met that could not be looked at: status by name."""

    def __init__(self, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self.octets = limits.octets
        self.held = limits.held
        self.members = limits.members
        self.depth = limits.depth
        self.slow = limits.slow
        self.notes: dict[str, str] = {}

    def anew(self) -> Budget:
        """The same budget for the next part of the mail: what is left stays, what was noted is forgotten."""
        self.notes.clear()
        return self

    def spend(self, octets: int) -> None:
        self.octets -= octets
        if self.octets < 0:
            raise LimitsExceeded

    def member(self) -> None:
        self.members -= 1
        if self.members < 0:
            raise LimitsExceeded

    def note(self, name: str) -> None:
        self.notes[name] = UNKNOWN if name == BROKEN else SKIPPED


Blocks = Iterator[bytes]


class Unpacker(Protocol):
    """What bz2 and lzma have."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Inflater:
    """zlib with the interface of bz2 and lzma."""

    def __init__(self, window_bits: int) -> None:
        self._zlib = zlib.decompressobj(window_bits)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data


_UNPACKERS: dict[str, Callable[[], Unpacker]] = {
    "deflate": lambda: cast(Unpacker, Inflater(-15)),
    "gzip": lambda: cast(Unpacker, Inflater(31)),
    "bzip2": lambda: cast(Unpacker, bz2.BZ2Decompressor()),
    "xz": lambda: cast(Unpacker, lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=LZMA_MEMORY)),
    "lzma": lambda: cast(Unpacker, lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=LZMA_MEMORY)),
}


class Stream:
    """One compressed stream from a place on: blocks of its content, then where it ended and whether it did."""

    def __init__(self, octets: bytes, at: int, budget: Budget, kind: str, start: bytes = b"") -> None:
        self._view = memoryview(octets)
        self._fed = at
        self._start = start
        self._budget = budget
        self._weight = 1 if kind in ("deflate", "gzip") else budget.slow
        self._unpacker = _UNPACKERS[kind]()
        self.end = at
        self.whole = False

    def blocks(self) -> Blocks:
        """What comes out, also what comes before a fault."""
        unpacker = self._unpacker
        try:
            while not unpacker.eof:
                given = self._more() if unpacker.needs_input else b""
                block = unpacker.decompress(given, BLOCK)
                if not block and not given and not unpacker.eof:
                    break
                self._budget.spend(len(block) * self._weight)
                if block:
                    yield block
        except lzma.LZMAError as error:
            if "memory" in str(error).lower():
                raise LimitsExceeded from None
        except (zlib.error, OSError, EOFError, ValueError):
            return
        self.whole = unpacker.eof
        self.end = self._fed - len(unpacker.unused_data)

    def _more(self) -> bytes:
        if self._start:
            start, self._start = self._start, b""
            return start
        piece = bytes(self._view[self._fed : self._fed + FED])
        self._fed += len(piece)
        return piece
