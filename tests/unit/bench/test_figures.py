"""The arithmetic of ratios: medians of per-round ratios, spreads, void figures, sets that were measured again."""

from __future__ import annotations

import pytest

from bench.figures import Figure, Series, figure_of, judge, ratio_of, rotated
from bench.operations import Target


def samples(metric: str, values: list[float]) -> list[dict[str, float]]:
    return [{metric: value} for value in values]


def series(**peers: list[float]) -> Series:
    return Series("cpu", [{peer: samples("cpu_us", values) for peer, values in peers.items()}])


def test_figure_is_the_median_and_the_quartiles_distance() -> None:
    assert figure_of([5, 1, 4, 2, 3]) == Figure(3, (4 - 2) / 3)


def test_quartiles_are_interpolated_between_seven_rounds() -> None:
    figure = figure_of([10, 11, 12, 13, 14, 15, 16])
    assert figure.median == 13
    assert figure.spread == pytest.approx((14.5 - 11.5) / 13)


def test_one_round_has_no_spread() -> None:
    assert figure_of([7.0]) == Figure(7.0, 0.0)


def test_a_median_of_nothing_is_never_trusted() -> None:
    assert figure_of([0.0, 0.0, 1.0]).void


def test_a_spread_of_exactly_fifteen_percent_still_counts() -> None:
    assert not Figure(1.0, 0.15).void
    assert Figure(1.0, 0.151).void


def test_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_medians() -> None:
    ours, other = [10.0, 20.0, 90.0], [10.0, 40.0, 30.0]
    assert ratio_of(ours, other).median == 1.0
    assert figure_of(ours).median / figure_of(other).median != 1.0


def test_a_slow_moment_that_hits_a_whole_round_cancels_out() -> None:
    assert ratio_of([10, 10, 30], [20, 20, 60]) == Figure(0.5, 0.0)


def test_ratio_needs_the_same_rounds() -> None:
    with pytest.raises(ValueError, match="same rounds"):
        ratio_of([1.0, 2.0], [1.0])


def test_rotation_puts_everybody_first_once() -> None:
    orders = [rotated("abc", number) for number in range(4)]
    assert orders == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]


def test_the_last_set_with_both_peers_counts() -> None:
    measured = series(imap4fast=[10.0], haproxy=[10.0], nginx=[5.0])
    measured.sets.append({"imap4fast": samples("cpu_us", [30.0]), "haproxy": samples("cpu_us", [20.0])})
    ours, nginx = measured.ratio("imap4fast", "haproxy"), measured.ratio("imap4fast", "nginx")
    assert ours is not None
    assert nginx is not None
    assert (ours.median, nginx.median) == (1.5, 2.0)
    assert measured.values("nginx", "cpu_us") == [5.0]
    assert measured.values("imap4fast", "cpu_us") == [30.0]


def test_no_ratio_of_peers_that_never_ran_together() -> None:
    measured = series(imap4fast=[1.0])
    measured.sets.append({"haproxy": samples("cpu_us", [1.0])})
    assert measured.ratio("imap4fast", "haproxy") is None


@pytest.mark.parametrize(
    ("ours", "outcome"),
    [
        ([11.0, 11.0, 11.0], "PASS"),
        ([11.2, 11.2, 11.2], "FAIL"),
        ([5.0, 8.0, 11.0], "VOID"),
        ([20.0, 12.0, 30.0], "VOID"),
    ],
)
def test_outcome_of_a_ratio(ours: list[float], outcome: str) -> None:
    judged = judge(Target("noop", "haproxy", 1.1), series(imap4fast=ours, haproxy=[10.0, 10.0, 10.0]), "imap4fast")
    assert judged.outcome == outcome


def test_a_target_without_another_peer_is_absolute() -> None:
    memory = Series("memory", [{"imap4fast": samples("kib_per_session", [5.0, 5.1, 5.2])}])
    assert judge(Target("idle", "", 6.0), memory, "imap4fast").outcome == "PASS"
    assert judge(Target("idle", "", 5.0), memory, "imap4fast").outcome == "FAIL"


@pytest.mark.parametrize("measured", [None, Series("cpu"), series(haproxy=[1.0]), series(imap4fast=[1.0])])
def test_what_was_not_measured_passes_nothing(measured: Series | None) -> None:
    judged = judge(Target("noop", "haproxy", 1.1), measured, "imap4fast")
    assert (judged.outcome, judged.figure) == ("NOT MEASURED", None)
