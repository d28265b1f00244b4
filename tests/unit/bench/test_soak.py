"""What counts as growth and what a soak must not leave behind."""

from __future__ import annotations

import dataclasses

from bench.soak import MOST_GROWTH_BYTES, Look, Soak, growth, settled_descriptors

LOOKS = [Look(at_s, rss, 10) for at_s, rss in ((10, 100), (290, 900), (305, 1000), (1700, 1400), (1795, 1300))]


def good() -> Soak:
    return Soak("imap4fast", 30, 1000, 500, operations=900000, descriptors_before=14, descriptors_after=14)


def test_growth_counts_from_the_first_look_after_settling() -> None:
    assert growth(LOOKS, 300) == 300


def test_shrinking_is_negative_growth() -> None:
    assert growth([Look(1, 500, 0), Look(2, 400, 0)], 1) == -100


def test_a_run_shorter_than_the_settling_time_compares_the_end_with_itself() -> None:
    assert growth(LOOKS, 1e6) == 0


def test_each_fault_alone_fails() -> None:
    assert good().passed
    assert dataclasses.replace(good(), growth_bytes=MOST_GROWTH_BYTES).passed
    assert dataclasses.replace(good(), descriptors_after=13).passed
    for fault in (
        {"operations": 0},
        {"errors": 1},
        {"descriptors_after": 15},
        {"growth_bytes": MOST_GROWTH_BYTES + 1},
    ):
        assert not dataclasses.replace(good(), **fault).passed


def test_descriptors_are_waited_for() -> None:
    counts = iter([12, 11, 10, 10])
    assert settled_descriptors(lambda: next(counts), 10) == 10
