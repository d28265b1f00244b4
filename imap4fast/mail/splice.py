"""Ranges of octets replaced by others: what every rewriting of a mail comes to.

What is not named goes on as views of what came in, without a copy, so that a mapped mail is written to a file by its
pieces and never stands in memory whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from imap4fast.mail.canonical import Octets

Piece = bytes | memoryview


class Splice(NamedTuple):
    """The octets from `start` to `stop` become `octets`."""

    start: int
    stop: int
    octets: bytes


def pieces(data: Octets, splices: Iterable[Splice]) -> list[Piece]:
    """The mail after the splices. One that begins inside of an earlier one (or of a longer one that begins where it
    does) is void: the outer one has replaced what it was about. Two that put in at one place stand as they were named.
    """
    whole = memoryview(data)
    out: list[Piece] = []
    at = 0
    for start, stop, octets in sorted(splices, key=order):
        if start < at:
            continue
        out += (whole[at:start], octets)
        at = stop
    out.append(whole[at:])
    return [piece for piece in out if len(piece)]


def order(splice: Splice) -> tuple[int, bool, int]:
    """By place; what only puts in comes first, the longest replacement before those inside of it."""
    return splice.start, splice.stop != splice.start, -splice.stop


def in_memory(found: Iterable[Piece]) -> Octets:
    """What keeps what is made, unless somebody has room for it elsewhere."""
    return b"".join(found)


def spliced(data: Octets, splices: Iterable[Splice]) -> Octets:
    """As `pieces`, in memory; `data` itself where there are no splices."""
    splices = list(splices)
    return b"".join(pieces(data, splices)) if splices else data
