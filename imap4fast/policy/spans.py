"""Tables of address ranges: members of a host list laid over one another once, looked up by bisection.

Knows integers and the bits of `fit.py`, no addresses and no configuration. A list of ten thousand networks costs
a look-up what a list of one costs.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

import msgspec

from imap4fast.policy.fit import EXCLUDE, GO_ON, INCLUDE


class Span(msgspec.Struct, frozen=True):
    """Values `low` to `high`, both included, for which member number `rank` of a list says `bits`."""

    low: int
    high: int
    rank: int
    bits: int


class SpanTable:
    """The bits of every value from 0 to `top`, where the lower rank speaks first and GO_ON passes on."""

    __slots__ = ("bits", "cuts", "top")

    def __init__(self, spans: Iterable[Span], top: int) -> None:
        pieces = [(start, value) for start, value in _sweep(spans) if start <= top]
        joined = [next(same) for _, same in groupby(pieces, key=itemgetter(1))]
        self.cuts = tuple(start for start, _ in joined[1:])
        self.bits = tuple(value for _, value in joined)
        self.top = top

    def at(self, value: int) -> int:
        """The bits of one value."""
        return self.bits[bisect_right(self.cuts, value)]

    def pieces(self) -> list[tuple[int, int, int]]:
        """(low, high, bits) of all pieces, in order, without gaps."""
        lows = (0, *self.cuts)
        highs = (*(cut - 1 for cut in self.cuts), self.top)
        return list(zip(lows, highs, self.bits, strict=True))


def _sweep(spans: Iterable[Span]) -> list[tuple[int, int]]:
    """(start, bits) at each place where the set of spans that hold changes; the first start is 0."""
    begins: dict[int, list[tuple[int, int]]] = {0: []}
    ends: dict[int, list[tuple[int, int]]] = {}
    for span in spans:
        begins.setdefault(span.low, []).append((span.rank, span.bits))
        ends.setdefault(span.high + 1, []).append((span.rank, span.bits))
    active: list[tuple[int, int]] = []
    found = []
    for place in sorted(begins.keys() | ends.keys()):
        for member in ends.get(place, ()):
            active.remove(member)
        for member in begins.get(place, ()):
            insort(active, member)
        found.append((place, _first_say(active)))
    return found


def _first_say(active: list[tuple[int, int]]) -> int:
    bits = 0
    for _, said in active:
        bits |= said & (INCLUDE | EXCLUDE)
        if not said & GO_ON:
            return bits
    return bits | GO_ON
