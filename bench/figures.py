"""The arithmetic of the rule: interleaved rounds, the median of the per-round ratios counts, a wide spread voids it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from bench.operations import METRIC, Kind, Target

WIDEST_SPREAD = 0.15

Item = TypeVar("Item")
Sample = dict[str, float]
SampleSet = dict[str, list[Sample]]
Outcome = Literal["PASS", "FAIL", "VOID", "NOT MEASURED"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A median over rounds and its spread: the distance between the quartiles, as a part of the median."""

    median: float
    spread: float

    @property
    def void(self) -> bool:
        return self.spread > WIDEST_SPREAD


def figure_of(values: Sequence[float]) -> Figure:
    """Quartiles by linear interpolation between the sorted values, ends included."""
    median = statistics.median(values)
    if len(values) < 2:
        return Figure(median, 0.0)
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return Figure(median, (high - low) / median if median else float("inf"))


def ratio_of(values: Sequence[float], others: Sequence[float]) -> Figure:
    """The figure of the per-round ratios; both sequences are of the same rounds."""
    if len(values) != len(others):
        raise ValueError("ratios need the same rounds on both sides")
    return figure_of([value / other for value, other in zip(values, others, strict=True)])


def rotated(items: Sequence[Item], by: int) -> list[Item]:
    """The order within round number `by`: nobody is always first or always after the same one."""
    shift = by % len(items)
    return [*items[shift:], *items[:shift]]


@dataclass(slots=True)
class Series:
    """All that was measured of one operation: sets of rounds, later ones because earlier ones were void.

    A set maps a peer to its samples, one a round.
    """

    kind: Kind
    sets: list[SampleSet] = field(default_factory=list)

    def latest(self, *peers: str) -> SampleSet | None:
        """The last set in which all these peers took part."""
        for measured in reversed(self.sets):
            if all(measured.get(peer) for peer in peers):
                return measured
        return None

    def values(self, peer: str, metric: str) -> list[float]:
        """A peer's last figures; empty when it wasn't measured."""
        measured = self.latest(peer)
        return [sample[metric] for sample in measured[peer]] if measured else []

    def ratio(self, peer: str, other: str, metric: str = "") -> Figure | None:
        """None when the two were never measured in the same rounds."""
        measured = self.latest(peer, other)
        if measured is None:
            return None
        name = metric or METRIC[self.kind]
        return ratio_of([sample[name] for sample in measured[peer]], [sample[name] for sample in measured[other]])


@dataclass(frozen=True, slots=True)
class Judgement:
    """A target and what came out."""

    target: Target
    figure: Figure | None
    outcome: Outcome


def judge(target: Target, series: Series | None, subject: str) -> Judgement:
    """A void figure is neither reached nor missed."""
    figure: Figure | None = None
    if series is not None and target.other:
        figure = series.ratio(subject, target.other, target.metric)
    elif series is not None:
        values = series.values(subject, target.metric or METRIC[series.kind])
        figure = figure_of(values) if values else None
    if figure is None:
        return Judgement(target, None, "NOT MEASURED")
    if figure.void:
        return Judgement(target, figure, "VOID")
    return Judgement(target, figure, "PASS" if figure.median <= target.limit else "FAIL")
