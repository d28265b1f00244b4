"""Members of a zip, by its directory and by what stands between (T-M40).

Programs disagree on zips whose directory and local headers differ, so nothing is left out: members that the directory
names are read as it says, and as their local headers say where these differ; then local headers that no directory
names. Each difference is noted, and so are members that overlap, which only bombs have (T-A03).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from imap4fast.mail.streams import BLOCK, BROKEN, ENCRYPTED, UNSUPPORTED, Blocks, Budget, Stream

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4s4xHHHHIIIHHH2xHII")
_END = struct.Struct("<4s4xHHIIH")
_END64_LOCATOR = struct.Struct("<4s4xQ4x")
_END64 = struct.Struct("<4sQHH4x4xQQQQ")

_STORED, _LZMA = 0, 14
_KINDS = {8: "deflate", 12: "bzip2", _LZMA: "lzma", 95: "xz"}
_METHODS = {_STORED, *_KINDS, 1, 6, 9, 93, 96, 97, 98, 99}
_ENCRYPTED, _SIZES_FOLLOW = 1, 8
_NEWEST_VERSION = 63
_LONGEST_NAME = 4096


class _Place(NamedTuple):
    """Where a member has its content, and how it is packed there. `size` is -1 where it is open, or of no use."""

    start: int
    method: int
    size: int
    encrypted: bool


def unzipped(octets: bytes, budget: Budget) -> Iterator[Blocks]:
    """The members' contents. Each is used to its end before the next is asked for."""
    covered: list[tuple[int, int]] = []
    for place in _named(octets, budget):
        member = _Member(octets, place, budget)
        yield member.blocks()
        covered.append((place.start, member.end))
    covered.sort()
    if any(before[1] > after[0] for before, after in pairwise(covered)):
        budget.note(BROKEN)
    yield from _unnamed(octets, covered, budget)


def _named(octets: bytes, budget: Budget) -> Iterator[_Place]:
    """What the directory names, each place once; and the same as the local header has it, where that differs."""
    end = octets.rfind(b"PK\5\6")
    directory = _directory(octets, end) if end >= 0 and end + _END.size <= len(octets) else None
    if not directory:
        budget.note(BROKEN)
        return
    seen: set[_Place] = set()
    for at, method, size, encrypted in _entries(octets, directory, budget):
        local = _local(octets, at)
        if local is None:
            budget.note(BROKEN)
            continue
        said = _Place(local.start, method, size if method == _STORED else -1, encrypted)
        agree = local.size < 0 and (local.method, local.encrypted) == (method, encrypted)
        places = [said] if agree else [said, local]
        if said in seen or len(set(places)) > 1:
            budget.note(BROKEN)
        yield from (place for place in dict.fromkeys(places) if place not in seen)
        seen.update(places)


def _entries(octets: bytes, directory: tuple[int, int, int], budget: Budget) -> Iterator[tuple[int, int, int, bool]]:
    """Of each entry: where its local header is, method, size as packed, whether it is encrypted."""
    count, at, base = directory
    while octets.startswith(b"PK\1\2", at) and at + _CENTRAL.size <= len(octets):
        budget.member()
        _, flags, method, _, _, _, packed, _, name, extra, comment, _, _, offset = _CENTRAL.unpack_from(octets, at)
        yield base + offset, method, packed, bool(flags & _ENCRYPTED)
        at += _CENTRAL.size + name + extra + comment
        count -= 1
    if count:
        budget.note(BROKEN)


def _directory(octets: bytes, end: int) -> tuple[int, int, int] | None:
    """How many members the directory has, where it stands, and what its offsets count from (junk may stand before)."""
    _, _, count, size, offset, _ = _END.unpack_from(octets, end)
    if count == 0xFFFF or 0xFFFFFFFF in (size, offset):
        locator = end - _END64_LOCATOR.size
        end = octets.rfind(b"PK\6\6", 0, max(locator, 0))
        if end < 0 or not octets.startswith(b"PK\6\7", locator):
            return None
        _, _, _, _, _, count, size, offset = _END64.unpack_from(octets, end)
    start = end - size
    return (count, start, start - offset) if start >= 0 else None


def _local(octets: bytes, at: int) -> _Place | None:
    """The place after a local header; None where there is none."""
    if at < 0 or not octets.startswith(b"PK\3\4", at) or at + _LOCAL.size > len(octets):
        return None
    _, _, flags, method, _, _, _, packed, _, name, extra = _LOCAL.unpack_from(octets, at)
    is_open = method != _STORED or packed == 0xFFFFFFFF or (flags & _SIZES_FOLLOW and not packed)
    size = -1 if is_open else packed
    return _Place(at + _LOCAL.size + name + extra, method, size, bool(flags & _ENCRYPTED))


def _unnamed(octets: bytes, covered: list[tuple[int, int]], budget: Budget) -> Iterator[Blocks]:
    """Members that no directory names, outside of those that it names: some programs find them."""
    starts = [start for start, _ in covered]
    known = set(starts)
    at = octets.find(b"PK\3\4")
    while at >= 0:
        place = _local(octets, at)
        before = bisect_right(starts, at) - 1
        if before >= 0 and covered[before][1] > at:
            at = covered[before][1]
        elif place and place.start not in known and _is_plausible(octets, at, place):
            budget.note(BROKEN)
            member = _Member(octets, place, budget)
            yield member.blocks()
            at = max(at + 4, member.end)
        else:
            at += 4
        at = octets.find(b"PK\3\4", at)


def _is_plausible(octets: bytes, at: int, place: _Place) -> bool:
    """Four octets alone are no header: programs that unpack zips have them too."""
    version = octets[at + 4]
    name = int.from_bytes(octets[at + 26 : at + 28], "little")
    return version <= _NEWEST_VERSION and place.method in _METHODS and 0 < name <= _LONGEST_NAME


class _Member:
    """One member: its content in blocks; `end` is where it ended, known when the blocks are used up."""

    def __init__(self, octets: bytes, place: _Place, budget: Budget) -> None:
        self._octets, self._place, self._budget = octets, place, budget
        self.end = place.start

    def blocks(self) -> Blocks:
        self._budget.member()
        place = self._place
        if place.encrypted:
            self._budget.note(ENCRYPTED)
        elif place.method == _STORED:
            yield from self._stored()
        elif place.method in _KINDS:
            yield from self._compressed(_KINDS[place.method])
        else:
            self._budget.note(UNSUPPORTED)

    def _stored(self) -> Blocks:
        start, size = self._place.start, max(self._place.size, 0)
        self.end = min(start + size, len(self._octets))
        if start + size > len(self._octets):
            self._budget.note(BROKEN)
        for at in range(start, self.end, BLOCK):
            block = self._octets[at : min(at + BLOCK, self.end)]
            self._budget.spend(len(block))
            yield block

    def _compressed(self, kind: str) -> Blocks:
        start, header = self._place.start, b""
        if kind == "lzma":
            # A zip has the properties behind a version and their size; a file by itself has them and a size (unknown).
            header = self._octets[start + 4 : start + 9] + b"\xff" * 8
            start += 9
        stream = Stream(self._octets, start, self._budget, kind, header)
        yield from stream.blocks()
        self.end = stream.end
        if not stream.whole and kind != "lzma":
            self._budget.note(BROKEN)
